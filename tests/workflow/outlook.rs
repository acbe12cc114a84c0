//! What is told before it happens: silences, forecasts, plans for many cases, differences.
#![allow(clippy::type_complexity, reason = "types of a test are read once")]

use std::collections::{BTreeMap, BTreeSet};

use crate::common::definitions;
use crate::common::desks::{Taste, desk, is_over, play, submitted};
use crate::common::{Dice, World, role, state};
use aftersale::approval::command::Order;
use aftersale::approval::forecast::{Expected, forecast, forecast_from};
use aftersale::approval::node::Status;
use aftersale::approval::process::Process;
use aftersale::approval::standing::Phase;
use aftersale::condition::Condition;
use aftersale::workflow::StateId;
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::defect::{Silence, Stay};
use aftersale::workflow::definition::{
    FactUse, Stability, StateKind, TimerAction, Weight, When, WorkflowDraft,
};
use aftersale::workflow::difference::{Difference, Fate, Part, difference};
use aftersale::workflow::migration::{Carry, plan};
use aftersale::workflow::rule::{Mode, Policy, SamePersonRule, TimeoutAction, WithdrawRule};
use aftersale::workflow::span::{Clock, Span};
use aftersale::workflow::verify::verify;

const ALL: Taste = Taste { events_back: true, caps: None };

fn yes() -> Order {
    Order::Approve { comment: String::new() }
}

// ---------------------------------------------------------------- silence

fn silences(draft: &WorkflowDraft) -> BTreeMap<StateId, Silence> {
    let verified = verify(draft).unwrap();
    verified.silences.into_iter().map(|s| (s.state.clone(), s)).collect()
}

/// WFL-52: a case that nobody touches leaves a state within the silence told for it, and there are
/// cases that take all of it.
#[test]
fn a_case_that_nobody_touches_moves_within_its_silence() {
    let (mut met, mut exact, mut endless) = (0, 0, 0);
    for seed in 0..150 {
        let mut told = None;
        play(seed, 25, ALL, |w, before, p, _| {
            let told = told.get_or_insert_with(|| silences(w.workflow.draft()));
            let s = p.standing().unwrap();
            let entered = before
                .standing()
                .is_none_or(|old| (old.round, &old.token.state) != (s.round, &s.token.state));
            let fresh = entered && s.token.since == w.now && s.phase == Phase::Pending;
            if !fresh || w.workflow.draft().version > 1 {
                return;
            }
            // From here on nobody acts.
            let (from, since, round) = (s.token.state.clone(), s.token.since, s.round);
            let (silence, mut w, mut q) = (&told[&from], w.clone(), p.clone());
            let left = loop {
                let Some(due) = q.next_deadline() else { break None };
                w.tick(&mut q, due);
                let s = q.standing().unwrap();
                if s.phase != Phase::Pending || s.token.state != from || s.round != round {
                    break Some(due);
                }
            };
            let Some(left) = left else {
                assert_eq!(silence.here, None, "{from} ends");
                endless += 1;
                return;
            };
            // A sequence that time approves has as many turns as the directory names people.
            let Some(stay) = silence.here else { return };
            let spent = |clock| w.hours.between(clock, since, left);
            let (elapsed, business) = (spent(Clock::Elapsed), spent(Clock::Business));
            met += 1;
            match (stay.elapsed_seconds, stay.business_seconds) {
                (most, 0) => {
                    assert!(elapsed <= most, "{from}: {elapsed} of {most}");
                    exact += usize::from(elapsed == most);
                }
                (0, most) => {
                    assert!(business <= most, "{from}: {business} of {most}");
                    exact += usize::from(business == most);
                }
                _ => assert!(elapsed <= stay.elapsed_seconds || business <= stay.business_seconds),
            }
        });
    }
    assert!(met > 100 && exact > 60 && endless > 20, "{met} {exact} {endless}");
}

/// The longest way by time alone, over every world of fixed facts, by walking all of them.
fn longest(draft: &WorkflowDraft) -> BTreeMap<StateId, Stay> {
    fn walk(draft: &WorkflowDraft, id: &StateId, worlds: &[Vec<(StateId, StateId)>]) -> i64 {
        let mut best = 0;
        for arrows in worlds {
            best = best.max(deepest(draft, id, arrows));
        }
        best
    }
    fn deepest(draft: &WorkflowDraft, id: &StateId, choices: &[(StateId, StateId)]) -> i64 {
        let state = draft.states.iter().find(|s| s.id == *id).unwrap();
        if matches!(state.kind, StateKind::Choice) {
            let next = choices.iter().filter(|(from, _)| from == id);
            return next.map(|(_, to)| deepest(draft, to, choices)).max().unwrap_or(0);
        }
        let first = state
            .timers
            .iter()
            .filter(|t| matches!(t.then, TimerAction::Leave { .. }))
            .min_by_key(|t| t.after.seconds());
        first.map_or(0, |timer| {
            let TimerAction::Leave { to } = &timer.then else { unreachable!() };
            timer.after.seconds() + deepest(draft, to, choices)
        })
    }
    let choices: Vec<(StateId, StateId)> = draft
        .arrows
        .iter()
        .filter(|arrow| arrow.on.is_none())
        .map(|arrow| (arrow.from.clone(), arrow.to.clone()))
        .collect();
    draft
        .states
        .iter()
        .map(|s| {
            let seconds = walk(draft, &s.id, std::slice::from_ref(&choices));
            (s.id.clone(), Stay { elapsed_seconds: seconds, business_seconds: 0 })
        })
        .collect()
}

/// WFL-53: the longest time on timers and choices alone is the one found by walking every way.
#[test]
fn the_longest_silence_is_the_longest_way() {
    let mut dice = definitions::Dice(0x51_1e7ce);
    let mut compared = 0;
    for _ in 0..6_000 {
        let mut draft = definitions::definition(&mut dice, false);
        // Approvals have ways of their own, see above; here all time is elapsed, and every branch of
        // a choice can be taken.
        let approvals = draft.states.iter().any(|s| matches!(s.kind, StateKind::Approval(_)));
        for timer in draft.states.iter_mut().flat_map(|s| &mut s.timers) {
            timer.after = Span::new(Clock::Elapsed, timer.after.seconds());
        }
        for fact in draft.facts.values_mut() {
            fact.stability = Stability::Volatile;
        }
        if approvals {
            continue;
        }
        let Ok(verified) = verify(&draft) else { continue };
        let longest = longest(&draft);
        for silence in verified.silences {
            assert_eq!(silence.total, longest[&silence.state], "{}", silence.state);
            compared += usize::from(silence.total.elapsed_seconds > 0);
        }
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn silent_seats_count_with_turns_and_hand_overs() {
    let of = |mode: Mode, timeouts: &[(Span, TimeoutAction)], leaves: Option<Span>| {
        let mut rule = Approval::new(mode, ["two"]);
        for (after, then) in timeouts {
            rule = rule.timeout(*after, then.clone());
        }
        let draft = WorkflowBuilder::new("w", 1)
            .role_of("two", ["li", "wang"])
            .role_of("board", ["zhao"])
            .approval("a", rule, |s| {
                let s = s.approved("b").rejected("done").waits_because("staffed");
                leaves.map_or(s.clone(), |after| s.leaves_after("t", after, "done"))
            })
            .wait("b", "customer", |s| s.on("go", "done").leaves_after("t", Span::days(1), "done"))
            .end("done", "done")
            .policy(Policy { transfers_max: 3, ..Policy::default() })
            .finish()
            .unwrap();
        let found = silences(&draft)[&state("a")].clone();
        (found.here, found.total, found.until.as_str().to_owned())
    };
    let hours = |n| Stay::from(Span::hours(n));
    let over = || TimeoutAction::HandOver { role: role("board") };
    let (approve, reject, back) =
        (TimeoutAction::Approve, TimeoutAction::Reject, TimeoutAction::SendBack);
    assert_eq!(of(Mode::All, &[], None), (None, Stay::default(), "a".into()));
    // Both seats are silent side by side; then the customer has a day.
    let silent = [(Span::hours(10), approve.clone())];
    assert_eq!(of(Mode::All, &silent, None), (Some(hours(10)), hours(34), "done".into()));
    // One after the other in a sequence, unless time rejects.
    assert_eq!(of(Mode::Sequence, &silent, None).0, Some(hours(20)));
    assert_eq!(of(Mode::Sequence, &[(Span::hours(10), reject)], None).0, Some(hours(10)));
    // Handed over three times, each time with a new clock.
    let handed = [(Span::hours(4), over()), (Span::hours(10), approve.clone())];
    assert_eq!(of(Mode::Any, &handed, None).0, Some(hours(22)));
    // The timer of the state may come first, and then silent seats do not count.
    assert_eq!(of(Mode::Any, &silent, Some(Span::hours(9))).1, hours(9));
    assert_eq!(of(Mode::Any, &silent, Some(Span::hours(10))).1, hours(34));
    // A timer of the state behind them does not, unless seats can be later still.
    assert_eq!(of(Mode::Any, &silent, Some(Span::hours(40))).1, hours(34));
    // A hand-over that would come after the decision does not happen.
    let late = [(Span::hours(12), over()), (Span::hours(10), approve.clone())];
    assert_eq!(of(Mode::Any, &late, None).0, Some(hours(10)));
    // Of business and elapsed time either may be first, so the longer way counts.
    let either =
        [(Span::business_hours(8), TimeoutAction::Reject), (Span::hours(40), approve.clone())];
    assert_eq!(of(Mode::Any, &either, None).1, hours(64));
    // Sent back to the requester the case waits there.
    let sent = [(Span::business_hours(8), back)];
    let stay = Stay { elapsed_seconds: 0, business_seconds: 8 * 3_600 };
    assert_eq!(of(Mode::All, &sent, None), (Some(stay), stay, "a".into()));
    // Business time may be longer than any elapsed time; of the two the elapsed one is sure.
    let both = [(Span::business_hours(8), approve), (Span::hours(40), TimeoutAction::Reject)];
    assert_eq!(of(Mode::Any, &both, None).0, Some(hours(40)));
}

// ---------------------------------------------------------------- forecast

/// WFL-54: a forecast is the way a case takes when everybody asked approves at once, and who is asked.
#[test]
fn a_forecast_is_the_way_of_a_case_that_everybody_approves() {
    let (mut stops, mut left_out, mut routes) = (0, 0, 0);
    for seed in 0..500 {
        let mut dice = Dice::new(seed);
        let mut w = desk(&mut dice, Taste::default());
        let draft = w.workflow.draft();
        // Who passes because they approved before is not forecast; see its documentation.
        let several = |rule: &aftersale::workflow::rule::ApprovalRule| {
            !matches!(rule.mode, Mode::All | Mode::Sequence)
        };
        let apart = draft.states.iter().any(|s| match &s.kind {
            StateKind::Approval(rule) => !rule.distinct_from.is_empty() && several(rule),
            _ => false,
        });
        let other_modes = draft.states.iter().any(|s| match &s.kind {
            StateKind::Approval(rule) => several(rule),
            _ => false,
        });
        let kept_apart = draft.states.iter().any(|s| match &s.kind {
            StateKind::Approval(rule) => !rule.distinct_from.is_empty(),
            _ => false,
        });
        if draft.policy.same_person != SamePersonRule::Off || apart || (kept_apart && other_modes) {
            continue;
        }
        let told = forecast(&w.context(), &crate::common::person("zhou"), w.now);
        let Some(mut p) = submitted(&mut w) else {
            assert!(told.is_err(), "{told:?}");
            continue;
        };
        let told = told.unwrap();
        routes += 1;
        for (place, stop) in told.iter().enumerate() {
            let s = p.standing().unwrap().clone();
            stops += 1;
            match &stop.expected {
                Expected::Asked { seats, left_out: left } => {
                    assert_eq!(s.token.state, stop.state);
                    // The same from where the case stands, as from before it was submitted.
                    let rest = forecast_from(&w.context(), &s, w.now).unwrap();
                    if place == 0 {
                        assert_eq!(rest, told);
                    }
                    let node = s.node.as_ref().expect("an open approval");
                    let asked: Vec<_> = node.seats.iter().map(|seat| &seat.owner).collect();
                    assert_eq!(asked, seats.iter().map(|seat| &seat.person).collect::<Vec<_>>());
                    left_out += left.len();
                    let mut refused = false;
                    loop {
                        let s = p.standing().unwrap();
                        let Some(node) = s.node.as_ref().filter(|n| n.state == stop.state) else {
                            break;
                        };
                        let active = node.seats.iter().find(|x| x.status == Status::Active);
                        let holder = active.unwrap().holder.clone();
                        if w.act(&mut p, holder.as_str(), yes()).is_err() {
                            refused = true; // somebody's way on is refused, such as too many rounds
                            break;
                        }
                    }
                    if refused {
                        break;
                    }
                }
                Expected::Automatic { .. } => {
                    let passed = w.log.iter().any(|e| match &e.body {
                        aftersale::approval::change::Change::NodeDecided { state, .. } => {
                            *state == stop.state
                        }
                        _ => false,
                    });
                    assert!(passed, "{} was not decided", stop.state);
                }
                Expected::Stuck(reason) => {
                    assert_eq!(s.token.state, stop.state);
                    assert_eq!(s.phase, Phase::Stuck { reason: *reason });
                }
                Expected::Awaited(events) => {
                    assert_eq!(s.token.state, stop.state);
                    let all: Vec<_> = w.workflow.events_of(&stop.state).cloned().collect();
                    assert_eq!(*events, all);
                    if let [only] = events.as_slice() {
                        let order = Order::Fire { event: only.clone() };
                        w.act(&mut p, "hal", order).unwrap();
                    }
                }
                Expected::Final(outcome) => {
                    assert_eq!(s.token.outcome.as_ref(), Some(outcome));
                    assert_eq!(place, told.len() - 1);
                }
            }
        }
    }
    assert!(routes > 80 && stops > 250 && left_out > 40, "{routes} {stops} {left_out}");
}

// ---------------------------------------------------------------- migration of many cases

/// The next version: the rule of `second` changes, `goods` and `first` get other names, `goods` another
/// timer.
fn next_version(draft: &WorkflowDraft) -> WorkflowDraft {
    let mut new = draft.clone();
    new.version += 1;
    let rename = |id: &mut StateId| match id.as_str() {
        "goods" => *id = state("parcel"),
        "first" => *id = state("opening"),
        _ => {}
    };
    rename(&mut new.initial);
    for drawn in &mut new.states {
        if let StateKind::Approval(rule) = &mut drawn.kind {
            let apart = std::mem::take(&mut rule.distinct_from);
            rule.distinct_from = apart
                .into_iter()
                .map(|mut id| {
                    rename(&mut id);
                    id
                })
                .collect();
        }
        if let StateKind::Approval(rule) = &mut drawn.kind
            && drawn.id.as_str() == "second"
        {
            rule.timeouts.clear();
            rule.small = None;
            rule.copies.insert(role("finance"));
        }
        if drawn.id.as_str() == "goods" {
            drawn.timers[1].after = Span::days(21);
        }
        rename(&mut drawn.id);
        for timer in &mut drawn.timers {
            if let TimerAction::Leave { to } = &mut timer.then {
                rename(to);
            }
        }
    }
    for arrow in &mut new.arrows {
        rename(&mut arrow.from);
        rename(&mut arrow.to);
    }
    new
}

/// WFL-55: one plan moves many cases: each is where the plan says, keeps the approvals whose rule is
/// the same, opens again what was decided under another, and goes on to the end.
#[test]
fn one_plan_moves_many_cases() {
    let map =
        BTreeMap::from([(state("goods"), state("parcel")), (state("first"), state("opening"))]);
    let (mut moved, mut reopened, mut kept, mut ended) = (0, 0, 0, 0);
    for seed in 0..120 {
        let mut cases: Vec<(World, Process)> = vec![];
        let mut dice = Dice::new(seed);
        let draft = desk(&mut dice, ALL).workflow.draft().clone();
        let Ok(new) = verify(&next_version(&draft)) else { continue };
        let old = verify(&draft).unwrap().workflow;
        let plan = plan(&old, &new.workflow, &map).unwrap();
        assert_eq!(plan.states[&state("goods")], (state("parcel"), Carry::Timers));
        for steps in 0..12 {
            let Some((w, p)) = play(seed, steps, ALL, |_, _, _, _| {}) else { continue };
            if w.workflow.draft().version == 1 {
                cases.push((w, p));
            }
        }
        for (mut w, p) in cases {
            w.workflow = new.workflow.clone();
            // A dry run changes nothing and says what would happen.
            let kept_as_is = p.clone();
            let dry = p.migrate(&w.context(), &plan, w.now).unwrap();
            assert_eq!(p, kept_as_is);
            let mut q = p.clone();
            w.apply(&mut q, &dry);
            assert_eq!(Process::replay(&w.log).unwrap(), q);
            if is_over(&p) {
                assert!(dry.entries.is_empty());
                continue;
            }
            moved += 1;
            let (before, after) = (p.standing().unwrap(), q.standing().unwrap());
            assert_eq!(*after.pin, plan.to);
            let again = q.migrate(&w.context(), &plan, w.now).unwrap();
            assert!(again.entries.is_empty(), "moved twice");
            // Approvals of another rule, and what followed them, no longer count.
            let expected: Vec<StateId> = before
                .passed
                .iter()
                .map(|passed| passed.state.clone())
                .take_while(|state| plan.states[state].1 != Carry::Reopened)
                .map(|state| plan.states[&state].0.clone())
                .collect();
            let still: Vec<StateId> = after.passed.iter().map(|x| x.state.clone()).collect();
            assert!(still.starts_with(&expected), "{still:?} {expected:?}");
            let lost = before.passed.len() - expected.len();
            let (to, carry) = &plan.states[&before.token.state];
            if lost == 0 && *carry != Carry::Reopened {
                assert_eq!(after.token.state, *to);
                assert_eq!(after.node.is_some(), before.node.is_some());
                if let (Some(a), Some(b)) = (&before.node, &after.node) {
                    assert_eq!(a.seats, b.seats);
                    kept += 1;
                }
            } else if before.phase == Phase::Pending {
                reopened += 1;
            }
            if after.token.state.as_str() == "parcel" && lost == 0 && before.node.is_none() {
                let left = after.token.timers.iter().find(|t| t.leaves);
                let due = left.map(|t| t.due);
                // Timers with the same id go on as they were.
                let old = before.token.timers.iter().find(|t| t.leaves).map(|t| t.due);
                assert_eq!(due, old);
            }
            // It goes on: people and time bring it to an end or to somebody.
            for _ in 0..60 {
                if is_over(&q) {
                    ended += 1;
                    break;
                }
                crate::common::desks::step(&mut w, &mut q, &mut dice);
            }
        }
    }
    assert!(
        moved > 300 && reopened > 30 && kept > 60 && ended > 100,
        "{moved} {reopened} {kept} {ended}"
    );
}

// ---------------------------------------------------------------- difference

/// WFL-56: a difference names exactly the parts that were changed, and none for another order of
/// states and arrows or another name of a condition.
#[test]
fn a_difference_names_exactly_what_was_changed() {
    let mut dice = definitions::Dice(0xd1ff);
    let mut met = BTreeSet::new();
    for _ in 0..1_500 {
        let old = definitions::definition(&mut dice, false);
        if old.arrows.is_empty() {
            continue;
        }
        let mut new = old.clone();
        new.states.reverse();
        new.arrows.reverse();
        new.version += 1;
        // A condition written in place, and the same one by name.
        let mut named = 0;
        for arrow in &mut new.arrows {
            if let When::Condition(condition) = arrow.when.clone() {
                let name = aftersale::workflow::GuardName::new(format!("g{named}")).unwrap();
                named += 1;
                new.guards.insert(name.clone(), condition);
                arrow.when = When::Guard(name);
            }
        }
        let mut expected: BTreeSet<(Part, Fate)> = BTreeSet::new();
        for _ in 0..dice.roll(4) {
            let (part, fate) = match dice.roll(8) {
                0 => {
                    new.initial = state("elsewhere");
                    (Part::Initial, Fate::Altered)
                }
                1 => {
                    let s = &mut new.states[0];
                    s.no_timer_reason = Some("another reason".into());
                    (Part::State(s.id.clone()), Fate::Altered)
                }
                2 => {
                    let arrow = &mut new.arrows[0];
                    arrow.priority = Some(77);
                    (Part::Arrow(arrow.id.clone()), Fate::Altered)
                }
                3 => {
                    let name = definitions::fact("tier");
                    let tier = FactUse {
                        fact_type: aftersale::condition::schema::FactType::Flag,
                        presence: Default::default(),
                        stability: Stability::Volatile,
                        weight: Weight::Plain,
                    };
                    new.facts.insert(name.clone(), tier);
                    (Part::Fact(name), Fate::Added)
                }
                4 => {
                    let qc = role("qc");
                    new.roles.remove(&qc);
                    (Part::Role(qc), Fate::Removed)
                }
                5 => {
                    new.constraints.push(Condition::Always);
                    (Part::Constraints, Fate::Altered)
                }
                6 => {
                    new.policy.withdraw = WithdrawRule::BeforeFirstVote;
                    (Part::Policy, Fate::Altered)
                }
                _ => {
                    new.label.en = "Another name".into();
                    (Part::Label, Fate::Altered)
                }
            };
            met.insert(format!("{:?}", std::mem::discriminant(&part)));
            expected.insert((part, fate));
        }
        let found: BTreeSet<(Part, Fate)> = difference(&old, &new)
            .into_iter()
            .map(|Difference { part, fate }| (part, fate))
            .collect();
        assert_eq!(found, expected);
    }
    assert_eq!(met.len(), 8);
}
