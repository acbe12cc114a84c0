//! Random review procedures, random people, and random histories with every kind of command.

use aftersale::approval::change::{BackTo, Way};
use aftersale::approval::command::Order;
use aftersale::approval::directory::Person;
use aftersale::approval::process::Process;
use aftersale::approval::standing::Phase;
use aftersale::condition::{Check, Condition};
use aftersale::explain::Fact;
use aftersale::number::Ratio;
use aftersale::workflow::EventName;
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::migration::plan;
use aftersale::workflow::rule::{
    Mode, OnEmpty, Policy, ReapproveRule, RejectRule, RequesterRule, RunningTotal, SamePersonRule,
    SmallAmount, TimeoutAction, WithdrawRule,
};
use aftersale::workflow::span::{Clock, Span};
use aftersale::workflow::verify::verify;

use super::{Dice, STAFF, World, at, fact, facts, interval, money, person, role, state};

/// The approvals of random procedures, in order.
pub const APPROVALS: [&str; 3] = ["first", "second", "third"];

pub fn rules(mode: Mode) -> Approval {
    Approval::new(mode, ["service"])
}

/// One approval `review` and two ends.
pub fn single(rule: Approval, policy: Policy) -> World {
    World::new(
        facts(WorkflowBuilder::new("review", 1))
            .approval("review", rule, |s| {
                s.approved("paid").rejected("declined").waits_because("the desk is staffed")
            })
            .end("paid", "paid")
            .end("declined", "declined")
            .policy(Policy { amount: Some(fact("amount")), ..policy }),
    )
}

/// `first`, then `second` kept apart from it, then goods.
pub fn double(policy: Policy) -> World {
    double_of(rules(Mode::All), Approval::new(Mode::Any, ["finance"]), policy)
}

pub fn double_of(first: Approval, second: Approval, policy: Policy) -> World {
    World::new(
        facts(WorkflowBuilder::new("two_steps", 1))
            .approval("first", first, |s| {
                s.approved("second").rejected("declined").waits_because("staffed")
            })
            .approval("second", second.distinct_from("first"), |s| {
                s.approved("goods").rejected("first").waits_because("staffed")
            })
            .wait("goods", "customer", |s| {
                s.on("received", "paid").leaves_after("not_sent", Span::days(14), "lapsed")
            })
            .end("paid", "paid")
            .end("declined", "declined")
            .end("lapsed", "lapsed")
            .policy(Policy { amount: Some(fact("amount")), ..policy }),
    )
}

/// What may differ between random procedures.
#[derive(Clone, Copy, Default)]
pub struct Taste {
    /// Events that lead back to an approval, which no limit counts; off for laws about limits.
    pub events_back: bool,
    /// The limits, where they matter; otherwise random.
    pub caps: Option<(u32, u32, u32)>,
}

fn pick<T: Clone>(dice: &mut Dice, among: &[T]) -> T {
    among[dice.roll(among.len())].clone()
}

fn span(dice: &mut Dice) -> Span {
    let clock = if dice.roll(3) == 0 { Clock::Business } else { Clock::Elapsed };
    Span::new(clock, 3_600 * (1 + dice.roll(30) as i64))
}

fn rule(dice: &mut Dice, place: usize) -> Approval {
    let roles = ["service", "finance", "board"];
    let mode = match dice.roll(8) {
        0 => Mode::Any,
        1 | 2 => Mode::All,
        3 => Mode::Sequence,
        4 => Mode::Count(1 + dice.roll(2) as u32),
        5 => Mode::EachGroup(1),
        _ => Mode::Ratio(Ratio::new(1 + dice.roll(3) as i64, 3).unwrap()),
    };
    let mut rule = Approval::new(mode, [pick(dice, &roles)]);
    if dice.roll(3) == 0 || matches!(mode, Mode::EachGroup(_)) {
        rule = rule.and_group([pick(dice, &roles)]);
    }
    for _ in 0..dice.roll(3) {
        let then = match dice.roll(6) {
            0 => TimeoutAction::Approve,
            1 => TimeoutAction::Reject,
            2 => TimeoutAction::SendBack,
            3 => TimeoutAction::HandOver { role: role(pick(dice, &roles)) },
            _ => TimeoutAction::Remind { times: 1 + dice.roll(3) as u32 },
        };
        rule = rule.timeout(span(dice), then);
    }
    if place > 0 && dice.roll(3) == 0 {
        rule = rule.distinct_from(APPROVALS[dice.roll(place)]);
    }
    let (reject, on_empty, requester, small, copies) =
        (dice.roll(3), dice.roll(5), dice.roll(8), dice.roll(5), dice.roll(5));
    rule.with(|r| {
        if reject == 0 {
            r.reject = RejectRule::Unanimous;
        }
        r.on_empty = match on_empty {
            0 => OnEmpty::Approve,
            1 => OnEmpty::Reject,
            2 => OnEmpty::Assign { role: role("board") },
            _ => OnEmpty::Error,
        };
        r.requester = match requester {
            0 => RequesterRule::Allowed,
            1 | 2 => RequesterRule::Replace { role: role("board") },
            _ => RequesterRule::Excluded,
        };
        if small == 0 {
            r.small = Some(SmallAmount {
                rule: aftersale::id::RuleId::new("small").unwrap(),
                at_most: money(20_000),
                running: Some(RunningTotal { fact: fact("granted"), below: money(50_000) }),
            });
        }
        if copies == 0 {
            r.copies.insert(role("board"));
        }
    })
}

fn sketch(dice: &mut Dice, taste: Taste) -> WorkflowBuilder {
    let count = 2 + dice.roll(2);
    let large = Condition::test(fact("amount"), Check::Above(Fact::Amount(money(20_000))));
    let mut builder = facts(WorkflowBuilder::new("desk", 1)).guard("large", large);
    if dice.roll(2) == 0 {
        let other = APPROVALS[1 + dice.roll(count - 1)];
        builder = builder.choice("band", |s| s.when("large", "first").otherwise(other));
    }
    let mut fixes = false;
    for place in 0..count {
        let rule = rule(dice, place);
        let next = if place + 1 < count { APPROVALS[place + 1] } else { "goods" };
        let rejected = match dice.roll(5) {
            0 if place > 0 => APPROVALS[dice.roll(place)],
            1 => {
                fixes = true;
                "fix"
            }
            _ => "declined",
        };
        let (bypass, ends) = (dice.roll(4) == 0, dice.roll(4) == 0);
        let after = span(dice);
        builder = builder.approval(APPROVALS[place], rule, |s| {
            let s = s.approved(next).rejected(rejected);
            let s = if bypass { s.on_by("cancel", "board", "declined") } else { s };
            if ends {
                s.leaves_after("silent", after, "declined")
            } else {
                s.waits_because("staffed")
            }
        });
    }
    if fixes {
        builder =
            builder.task("fix", "clerk", |s| s.on("fixed", "first").on("dropped", "declined"));
    }
    let back = taste.events_back && dice.roll(2) == 0;
    builder = builder
        .wait("goods", "customer", |s| {
            let s = s.on("received", "paid").reminds_after("soon", Span::days(3)).leaves_after(
                "never_sent",
                Span::days(14),
                "lapsed",
            );
            if back { s.on("other_goods", "first") } else { s }
        })
        .end("paid", "paid")
        .end("declined", "declined")
        .end("lapsed", "lapsed");
    let (transfers_max, seats_max, rounds_max) = taste.caps.unwrap_or((2, 8, 4));
    builder.policy(Policy {
        amount: Some(fact("amount")),
        withdraw: pick(dice, &[WithdrawRule::AnyTime, WithdrawRule::BeforeFirstVote]),
        reapprove: pick(dice, &[ReapproveRule::AnyChange, ReapproveRule::Increase]),
        same_person: pick(
            dice,
            &[SamePersonRule::Off, SamePersonRule::Adjacent, SamePersonRule::Any],
        ),
        transfers_max,
        seats_max,
        rounds_max,
        commands_kept: 12,
        ..Policy::default()
    })
}

/// A random sound procedure and random people around it.
pub fn desk(dice: &mut Dice, taste: Taste) -> World {
    let verified = loop {
        let draft = sketch(dice, taste).finish().unwrap();
        if let Ok(verified) = verify(&draft) {
            break verified;
        }
    };
    let mut w = World::of(verified.workflow);
    for (name, sure) in [("service", ["ann", "bo"]), ("finance", ["eve", "fay"])] {
        let mut members = sure.map(person).to_vec();
        for _ in 0..dice.roll(3) {
            members.insert(dice.roll(members.len() + 1), person(pick(dice, &STAFF)));
        }
        w.directory = w.directory.with_role(role(name), members);
    }
    let board = (0..1 + dice.roll(2)).map(|_| person(pick(dice, &STAFF)));
    w.directory = w.directory.clone().with_role(role("board"), board.collect::<Vec<_>>());
    for name in STAFF {
        let limit = (dice.roll(6) == 0).then(|| money([10_000, 30_000, 31_000][dice.roll(3)]));
        let absent = if dice.roll(6) == 0 {
            let from = dice.roll(40) as i64 * 3_600;
            vec![interval(from, from + 36_000)]
        } else {
            vec![]
        };
        let substitute = (dice.roll(2) == 0).then(|| person(pick(dice, &STAFF)));
        let known = Person { limit, absent, substitute, ..Person::default() };
        w.directory = w.directory.clone().with_person(person(name), known);
    }
    w
}

/// A submitted case, or none when the first decision is refused.
pub fn submitted(w: &mut World) -> Option<Process> {
    let mut process = Process::default();
    let case = aftersale::id::CaseId::new("R-1").unwrap();
    w.act(&mut process, "zhou", Order::Submit { case }).ok()?;
    Some(process)
}

pub fn is_over(p: &Process) -> bool {
    matches!(p.standing().unwrap().phase, Phase::Done | Phase::Withdrawn)
}

/// Any order at all, accepted or not.
pub fn any_order(w: &World, p: &Process, dice: &mut Dice) -> Order {
    let mut orders = w.orders(p);
    for name in ["cancel", "fixed", "other_goods", "approved"] {
        orders.push(Order::Fire { event: EventName::new(name).unwrap() });
    }
    for way in [Way::Restart, Way::Resume] {
        for name in APPROVALS {
            orders.push(Order::SendBack { to: BackTo::Node(state(name)), way });
        }
    }
    pick(dice, &orders)
}

/// The orders that some person may give now, with two colleagues at hand.
pub fn accepted(w: &World, p: &Process, actor: &str, dice: &mut Dice) -> Vec<Order> {
    let colleagues = [person(pick(dice, &STAFF)), person(pick(dice, &STAFF))];
    p.allowed(&w.context(), &person(actor), &colleagues, w.now)
        .into_iter()
        .filter_map(|(order, refusal)| refusal.is_none().then_some(order))
        .collect()
}

/// Moves the case to the next version of the same definition.
pub fn republish(w: &mut World, p: &mut Process) {
    let mut draft = w.workflow.draft().clone();
    draft.version += 1;
    let new = verify(&draft).unwrap().workflow;
    let plan = plan(&w.workflow, &new, &std::collections::BTreeMap::new()).unwrap();
    w.workflow = new;
    let decision = p.migrate(&w.context(), &plan, w.now).unwrap();
    w.apply(p, &decision);
}

/// One random happening: time, a change of facts, a new version, or a command.
pub fn step(w: &mut World, p: &mut Process, dice: &mut Dice) {
    match dice.roll(24) {
        0 | 1 => {
            w.now += chrono::TimeDelta::minutes(dice.roll(600) as i64);
            let now = w.now;
            w.tick(p, now);
        }
        2 => {
            if let Some(due) = p.next_deadline() {
                let now = due.max(w.now);
                w.tick(p, now);
            }
        }
        3 => {
            w.set("amount", Fact::Amount(money(15_000 + dice.roll(4) as i64 * 6_000)));
            let _ = w.act(p, "zhou", Order::ChangeFacts);
            w.undeclare(p);
        }
        4 if dice.roll(3) == 0 && w.workflow.draft().version < 9 => republish(w, p),
        5..8 => {
            let order = any_order(w, p, dice);
            let actor = pick(dice, &STAFF);
            let _ = w.act(p, actor, order);
        }
        _ => {
            if dice.roll(8) == 0 {
                w.now += chrono::TimeDelta::minutes(dice.roll(90) as i64);
            }
            let actor = w.somebody(p, dice);
            let orders = accepted(w, p, actor.as_str(), dice);
            if orders.is_empty() {
                return;
            }
            let back: Vec<_> = orders
                .iter()
                .filter(|o| matches!(o, Order::SendBack { to: BackTo::Node(_), .. }))
                .cloned()
                .collect();
            let yes = Order::Approve { comment: String::new() };
            let less = orders.iter().find(|o| matches!(o, Order::Remove { .. })).cloned();
            let order = match (dice.roll(9), less) {
                (0, _) if !back.is_empty() => pick(dice, &back),
                (1, Some(less)) => less,
                (0..5, _) if orders.contains(&yes) => yes,
                _ => pick(dice, &orders),
            };
            if order == Order::Withdraw && dice.roll(15) != 0 {
                return;
            }
            let _ = w.act(p, actor.as_str(), order);
        }
    }
}

/// A random history of a random procedure; `each` sees the case before and after every happening.
pub fn play(
    seed: u64,
    steps: usize,
    taste: Taste,
    mut each: impl FnMut(&mut World, &Process, &mut Process, &mut Dice),
) -> Option<(World, Process)> {
    let mut dice = Dice::new(seed);
    let mut w = desk(&mut dice, taste);
    w.now = at(dice.roll(48) as i64 * 1_800);
    let mut p = submitted(&mut w)?;
    let empty = Process::default();
    each(&mut w, &empty, &mut p, &mut dice);
    for _ in 0..steps {
        if is_over(&p) {
            break;
        }
        let before = p.clone();
        step(&mut w, &mut p, &mut dice);
        each(&mut w, &before, &mut p, &mut dice);
    }
    Some((w, p))
}
