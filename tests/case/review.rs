//! Reviews inside a case: the procedure decides, every step is an event of the order, time acts alone.

use crate::reviews::{Reviewed, agent, person, reviewed_rules};
use crate::support::{at, case, obstacles, sale};
use aftersale::approval::change::{BackTo, Change, Way};
use aftersale::approval::command::Order;
use aftersale::approval::effect::EffectBody;
use aftersale::approval::refusal::Refusal as ReviewRefusal;
use aftersale::case::actor::{Actor, Role};
use aftersale::case::command::{Command, Envelope};
use aftersale::case::dispute::{Offer, Ruling};
use aftersale::case::duty::{DutyAct, duties_of};
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ground::Ground;
use aftersale::case::line::LineQuantity;
use aftersale::case::refusal::Obstacle;
use aftersale::case::refusal::review::ReviewObstacle;
use aftersale::case::resolution::Resolution;
use aftersale::case::review::Roster;
use aftersale::case::state::Approval;
use aftersale::case::{AfterSale, Context, ReplayError};
use aftersale::explain::Fact;
use aftersale::id::{CommandId, FactName};
use aftersale::inspection::{Grade, Inspection};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::preset::markets::{Market, STORE};
use aftersale::preset::review::{Bands, Procedure};
use aftersale::rules::review::{ReviewDefect, ReviewRule, Reviews, ReviewsDraft};
use aftersale::rules::{Rules, RulesDefect, RulesDraft};
use aftersale::workflow::defect::DefectCode;
use aftersale::workflow::journal::Actor as Author;
use aftersale::workflow::{RoleCode, StateId, WorkflowId};
use proptest::prelude::*;

fn world(price: &str) -> Reviewed {
    Reviewed::new(sale(&[("1", 2, 2, price)]), reviewed_rules())
}

fn state(w: &Reviewed) -> String {
    let case = w.desk.order.case(&case("R-1")).unwrap();
    case.review.as_ref().unwrap().standing.token.state.to_string()
}

fn note() -> String {
    "because".to_owned()
}

fn by_hand(ground: Ground) -> Command {
    Command::Authorize { case: case("R-1"), ground }
}

fn steps(events: &[Event]) -> Vec<(&Actor, &Author, &Change)> {
    let steps = events.iter().filter_map(|event| match &event.fact {
        EventFact::ReviewStarted { step, .. } | EventFact::ReviewMoved { step, .. } => {
            Some((&event.actor, &step.by, &*step.change))
        }
        _ => None,
    });
    steps.collect()
}

/// CAS-80: a rule book with a review that cannot work is refused with all that is wrong.
#[test]
fn a_rule_book_is_refused_with_all_defects_of_its_reviews() {
    let mut draft: ReviewsDraft = crate::reviews::reviews();
    let mut broken = draft.procedures[0].clone();
    broken.version = 2;
    broken.arrows.retain(|arrow| arrow.id.as_str() != "a5");
    let fact = broken.facts.get_mut(&FactName::new("amount").unwrap()).unwrap();
    fact.fact_type = aftersale::condition::schema::FactType::Count;
    draft.procedures.push(draft.procedures[0].clone());
    draft.procedures.push(broken);
    let mut twin: ReviewRule = draft.rules[0].clone();
    twin.permits = ["nowhere".parse::<StateId>().unwrap()].into();
    draft.rules.push(twin);
    let rule = ReviewRule {
        id: "lost".parse().unwrap(),
        procedure: WorkflowId::new("unheard_of").unwrap(),
        permits: Default::default(),
        ..draft.rules[0].clone()
    };
    draft.rules.push(rule);
    let text = serde_json::to_string(&RulesDraft::from(crate::support::rules().clone())).unwrap();
    let mut book: RulesDraft = serde_json::from_str(&text).unwrap();
    book.version = 0;
    book.reviews = Some(Box::new(draft));
    let refused = Rules::verify(book).unwrap_err();
    assert_eq!(refused.defects[0], RulesDefect::VersionZero);
    let RulesDefect::Reviews(found) = &refused.defects[1] else { panic!("{refused}") };
    let has = |wanted: &dyn Fn(&ReviewDefect) -> bool| found.0.iter().any(wanted);
    assert!(has(&|d| matches!(d, ReviewDefect::ProcedureTwice { .. })), "{refused}");
    assert!(has(&|d| matches!(d, ReviewDefect::FactType { .. })), "{refused}");
    assert!(has(&|d| matches!(d, ReviewDefect::RuleTwice { .. })), "{refused}");
    assert!(has(&|d| matches!(d, ReviewDefect::UnknownState { .. })), "{refused}");
    assert!(has(&|d| matches!(d, ReviewDefect::UnknownProcedure { .. })), "{refused}");
    assert!(has(&|d| matches!(d, ReviewDefect::NothingPermits { .. })), "{refused}");
    let unhandled = |d: &ReviewDefect| {
        matches!(d, ReviewDefect::Procedure { defect, .. }
            if defect.code == DefectCode::ApprovalOutcomeUnhandled)
    };
    assert!(has(&unhandled) || has(&|d| matches!(d, ReviewDefect::Procedure { .. })), "{refused}");
    // A procedure that counts business time needs a calendar.
    let pounds = |minor| Money::new(minor, Currency::GBP);
    let bands = Bands { small: pounds(1_000), granted_below: pounds(5_000), large: pounds(9_000) };
    let procedures = vec![Procedure::SmallAmount.draft(&bands).unwrap()];
    let hours = Reviews::verify(ReviewsDraft { procedures, rules: vec![] }, None).unwrap_err();
    assert!(matches!(hours.0[0], ReviewDefect::NoHours { .. }));
}

/// CAS-81: a case under review is decided by its procedure; by hand nobody permits, refuses or offers.
#[test]
fn the_procedure_decides_and_says_so_to_whoever_tries_by_hand() {
    let mut w = world("60.00");
    let opened = w.open(&[("1", 2)]).unwrap();
    let asked: Vec<_> = opened
        .duties
        .iter()
        .filter_map(|duty| match &duty.act {
            DutyAct::Review { effect: EffectBody::AskDecision(person) } => Some(person.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(asked, ["ann", "bo"], "the customer is in the role and is not asked");
    let offer = Offer { resolution: Resolution::RefundOnly, amount: None, note: note() };
    let attempts = [
        by_hand(Ground::Policy),
        by_hand(Ground::Goodwill { note: note() }),
        Command::Decline { case: case("R-1"), note: note() },
        Command::Offer { case: case("R-1"), offer },
    ];
    for command in attempts {
        let found = obstacles(w.as_role(Role::Supervisor, command));
        let Obstacle::Review(ReviewObstacle::UnderReview { procedure, state, .. }) = &found[0]
        else {
            panic!("{found:?}")
        };
        assert_eq!((procedure.as_str(), state.as_str()), ("desk_review", "service"));
    }
    let own = obstacles(w.approve("customer-1"));
    assert!(matches!(own[0], Obstacle::Review(ReviewObstacle::Procedure(_))), "{own:?}");
    w.approve("ann").unwrap();
    assert_eq!((w.approval(), state(&w).as_str()), (Approval::Submitted, "finance"));
    w.approve("eve").unwrap();
    let granted = w.approve("ann").unwrap(); // the last vote permits
    assert_eq!(w.approval(), Approval::Authorized);
    let ground = &w.desk.order.case(&case("R-1")).unwrap().ground;
    assert!(matches!(ground, Some(Ground::Review { rule, state })
        if rule.as_str() == "all_returns" && state.as_str() == "granted"));
    assert_eq!(granted.events.last().unwrap().actor.id, person("ann"));
    assert!(granted.duties.iter().any(|d| matches!(d.act, DutyAct::SendReturnInstructions { .. })));
    assert_eq!(obstacles(w.approve("eve")), [Obstacle::Review(ReviewObstacle::NoReview)]);
    w.desk.receive("R-1", &[("1", 2)]).unwrap();
    w.desk.replays();
}

#[test]
fn a_refusing_review_sets_the_units_free() {
    let mut w = world("60.00");
    w.open(&[("1", 2)]).unwrap();
    w.act("bo", Order::Reject { comment: "worn".into() }).unwrap();
    assert_eq!(w.desk.status("R-1"), "declined");
    let declined = w.desk.order.case(&case("R-1")).unwrap().decline_note.clone();
    assert_eq!(declined.as_deref(), Some("all_returns: refused"));
    // A fact that the procedure declares and nobody states does not decide the way.
    let missing = Obstacle::Review(ReviewObstacle::ReviewFact {
        procedure: WorkflowId::new("desk_review").unwrap(),
        fact: FactName::new("vip").unwrap(),
    });
    assert_eq!(obstacles(w.desk.open("R-2", &[("1", 2)])), [missing]);
    let again = vec![crate::support::wanted("1", 2)];
    let resolution = Resolution::ReturnAndRefund;
    let open = Command::OpenCase { case: case("R-2"), resolution, lines: again };
    w.as_role(Role::Customer, open).unwrap();
    // Withdrawn in the review, the case itself is withdrawn.
    let mut w = world("60.00");
    w.open(&[("1", 2)]).unwrap();
    let withdraw = Command::Review { case: case("R-1"), order: Order::Withdraw };
    w.as_role(Role::Customer, withdraw).unwrap();
    assert_eq!(w.desk.status("R-1"), "cancelled");
    w.desk.replays();
}

/// CAS-82: what a procedure decides by itself is done by the system, never in the customer's name.
#[test]
fn a_small_amount_passes_in_the_name_of_the_system() {
    let mut w = world("4.00");
    let opened = w.open(&[("1", 2)]).unwrap();
    assert_eq!(w.approval(), Approval::Authorized);
    let authorized = opened.events.last().unwrap();
    assert!(matches!(authorized.fact, EventFact::ReturnAuthorized { .. }));
    assert_eq!((authorized.actor.id.as_str(), authorized.actor.role), ("review", Role::System));
    for (actor, by, change) in steps(&opened.events) {
        if matches!(by, Author::System(_)) {
            assert_eq!(actor.role, Role::System, "{change:?}");
        }
    }
    assert_eq!(opened.events[0].actor.role, Role::Customer);
    w.desk.replays();
}

fn tick(w: &mut Reviewed, when: &str) -> Vec<Event> {
    w.desk.now = at(when);
    w.as_role(Role::System, Command::Tick).unwrap().events
}

/// CAS-83: the timers of a review wake the order, act at their own instants however often the host
/// looks, and stand still in a hold and a dispute.
#[test]
fn timers_of_a_review_are_timers_of_the_order() {
    let opened_at = "2026-03-10T09:00:00Z";
    let mut w = world("60.00");
    w.open(&[("1", 1)]).unwrap();
    assert_eq!(w.desk.events[0].at, at(opened_at));
    assert_eq!(w.desk.order.next_wakeup(), Some(at("2026-03-10T13:00:00Z")));
    let wakes: Vec<_> = w
        .desk
        .events
        .iter()
        .flat_map(duties_of)
        .filter_map(|duty| match duty.act {
            DutyAct::WakeAt { at } => Some(at),
            _ => None,
        })
        .collect();
    assert!(wakes.contains(&at("2026-03-10T13:00:00Z")), "the duties say so too: {wakes:?}");
    let bare = |events: &[Event]| -> Vec<Event> {
        let timed = events.iter().filter(|event| event.cause.timer.is_some());
        let plain = |event: &Event| Event { sequence: 0, ..event.clone() };
        timed.map(plain).map(|e| Event { cause: w.desk.events[0].cause.clone(), ..e }).collect()
    };
    let mut once = w.clone();
    let late = tick(&mut once, "2026-03-12T00:00:00Z");
    let mut often = w.clone();
    let mut many = Vec::new();
    for hour in 10..24 {
        many.extend(tick(&mut often, &format!("2026-03-10T{hour}:30:00Z")));
    }
    many.extend(tick(&mut often, "2026-03-11T08:59:59Z"));
    assert_eq!(often.approval(), Approval::Submitted);
    many.extend(tick(&mut often, "2026-03-11T09:00:00Z"));
    assert_eq!(bare(&late), bare(&many));
    assert_eq!((once.approval(), often.approval()), (Approval::Declined, Approval::Declined));
    assert_eq!(once.desk.order.next_wakeup(), None);
    let declined = late.last().unwrap();
    assert_eq!((declined.at, declined.actor.role), (at("2026-03-11T09:00:00Z"), Role::System));
    once.desk.replays();
    often.desk.replays();
    // A command at the very instant finds the timer has acted.
    let mut w = world("60.00");
    w.open(&[("1", 1)]).unwrap();
    let mut held = w.clone();
    w.desk.now = at("2026-03-11T09:00:00Z");
    assert_eq!(obstacles(w.approve("ann")), [Obstacle::Review(ReviewObstacle::NoReview)]);
    // On hold nothing acts and nobody votes; released, what was due acts at once.
    held.as_role(Role::Agent, Command::Hold { case: case("R-1"), note: note() }).unwrap();
    assert_eq!(held.desk.order.next_wakeup(), None);
    assert!(matches!(obstacles(held.approve("ann"))[0], Obstacle::OnHold { .. }));
    assert_eq!(tick(&mut held, "2026-03-15T09:00:00Z"), []);
    held.as_role(Role::Agent, Command::Release { case: case("R-1") }).unwrap();
    let woken = tick(&mut held, "2026-03-15T10:00:00Z");
    assert!(woken.iter().all(|event| event.at >= at("2026-03-15T09:00:00Z")));
    assert_eq!(held.approval(), Approval::Declined);
    held.desk.replays();
}

/// CAS-84: a step of a review that cannot follow is refused when a history is replayed.
#[test]
fn a_damaged_review_does_not_replay() {
    let mut w = world("60.00");
    w.open(&[("1", 2)]).unwrap();
    w.approve("ann").unwrap();
    let events = &w.desk.events;
    AfterSale::replay(w.desk.sale.clone(), events).unwrap();
    for place in 1..events.len() {
        let mut damaged = events.clone();
        if let EventFact::ReviewMoved { step, .. } = &mut damaged[place].fact {
            let change = Change::SeatsClosed { seats: vec![77] };
            *step.change = change;
        } else if let EventFact::ReviewStarted { step, .. } = &mut damaged[place].fact {
            *step.change = Change::Withdrawn;
        } else {
            continue;
        }
        let sequence = place as u64 + 1;
        let refused = AfterSale::replay(w.desk.sale.clone(), &damaged[..=place]);
        assert_eq!(refused, Err(ReplayError::DoesNotAddUp { sequence }));
    }
}

/// CAS-86: a marketplace that may overrule decides by hand, and a ruling always decides; the review is
/// over then.
#[test]
fn a_marketplace_overrules_where_it_may() {
    let mut w = world("60.00");
    w.open(&[("1", 2)]).unwrap();
    let goodwill = || by_hand(Ground::Goodwill { note: note() });
    w.as_role(Role::Platform, goodwill()).unwrap();
    assert_eq!(w.approval(), Approval::Authorized);
    assert_eq!(obstacles(w.approve("ann")), [Obstacle::Review(ReviewObstacle::NoReview)]);
    assert_eq!(w.desk.order.next_wakeup(), None);
    let mut draft = crate::reviews::reviews();
    draft.rules[0].overruling = Default::default();
    let strict = Reviews::verify(draft, None).unwrap();
    let rules = crate::support::rules().clone().with_reviews(strict);
    let mut w = Reviewed::new(sale(&[("1", 2, 2, "60.00")]), rules);
    w.open(&[("1", 2)]).unwrap();
    assert!(matches!(
        obstacles(w.as_role(Role::Platform, goodwill()))[0],
        Obstacle::Review(ReviewObstacle::UnderReview { .. })
    ));
    w.as_role(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    assert_eq!(w.desk.order.next_wakeup(), None);
    assert!(matches!(obstacles(w.approve("ann"))[0], Obstacle::InDispute { .. }));
    let (ruling, appeal_until) = (Ruling::ForCustomer, None);
    let rule = Command::RuleDispute { case: case("R-1"), ruling, appeal_until, note: note() };
    w.as_role(Role::Platform, rule).unwrap();
    assert_eq!(w.approval(), Approval::Authorized);
    assert_eq!(obstacles(w.approve("ann")), [Obstacle::Review(ReviewObstacle::NoReview)]);
    w.desk.replays();
}

/// The procedure of a returns desk with the goods on their way, under a shop with opening hours.
fn returns_desk() -> Reviewed {
    let market: Market = serde_json::from_str(STORE).unwrap();
    let pounds = |minor| Money::new(minor, Currency::GBP);
    let bands = Bands { small: pounds(1_000), granted_below: pounds(5_000), large: pounds(9_000) };
    let state = |name: &str| StateId::new(name).unwrap();
    let rule = ReviewRule {
        id: "desk".parse().unwrap(),
        when: aftersale::condition::Condition::Always,
        procedure: WorkflowId::new("returns_desk").unwrap(),
        permits: [state("goods")].into(),
        settles: [state("granted")].into(),
        overruling: Default::default(),
    };
    let procedures = vec![Procedure::ReturnsDesk.draft(&bands).unwrap()];
    let draft = ReviewsDraft { procedures, rules: vec![rule] };
    let reviews = Reviews::verify(draft, Some(market.practice())).unwrap();
    let rules = crate::support::practiced(market.practice().clone());
    let mut w = Reviewed::new(sale(&[("1", 2, 2, "20.00")]), rules.with_reviews(reviews));
    let name = |name: &str| FactName::new(name).unwrap();
    w.facts.set(name("granted_lately"), Fact::Amount(pounds(0)));
    w.facts.set(name("batch_recalled"), Fact::Flag(false));
    w.facts.set(name("customer_tier"), Fact::code("standard"));
    w.facts.set(name("findings_disputed"), Fact::Flag(true));
    let role = |name| RoleCode::new(name).unwrap();
    w.directory = w.directory.with_role(role("expert"), ["eva", "max"].map(person));
    w
}

/// CAS-87: what happens to the goods moves the procedure, and money waits for the state that lets it go.
#[test]
fn facts_move_the_procedure_and_money_waits_for_it() {
    let mut w = returns_desk();
    w.open(&[("1", 2)]).unwrap();
    assert_eq!(state(&w), "review");
    w.approve("ann").unwrap();
    assert_eq!((w.approval(), state(&w).as_str()), (Approval::Authorized, "goods"));
    // Nobody states what the host must state: the fact is recorded, the procedure is not moved.
    let mut blind = w.clone();
    let received = blind.desk.receive("R-1", &[("1", 2)]).unwrap();
    assert_eq!(state(&blind), "goods");
    assert!(received.findings.iter().any(|f| f.rule.id.as_str() == "desk"));
    let receive = |w: &mut Reviewed| {
        let line = aftersale::case::line::ReceivedLine {
            line: crate::support::line("1"),
            quantity: crate::support::pieces(2),
            serials: Default::default(),
            lots: Default::default(),
        };
        let (case, unexpected) = (case("R-1"), vec![]);
        let command = Command::Receive { case, parcel: None, lines: vec![line], unexpected };
        w.as_role(Role::Warehouse, command)
    };
    // What is fixed since the review began need not be stated again for a fact.
    let all = w.facts.clone();
    w.facts.remove(&FactName::new("batch_recalled").unwrap());
    receive(&mut w).unwrap();
    w.facts = all;
    assert_eq!(state(&w), "inspection");
    let accept = Command::Accept {
        case: case("R-1"),
        lines: crate::support::units(&[("1", 2)]),
        basis: aftersale::case::ground::AcceptanceBasis::Inspected,
    };
    w.as_role(Role::Inspector, accept).unwrap();
    let refund = || Command::Refund { case: case("R-1"), lines: vec![], terms: Box::default() };
    let found = obstacles(w.as_role(Role::Finance, refund()));
    assert!(
        matches!(&found[0], Obstacle::Review(ReviewObstacle::UnderReview { state, .. }) if state.as_str() == "inspection")
    );
    let units =
        LineQuantity { line: crate::support::line("1"), quantity: crate::support::pieces(2) };
    let inspection = Inspection {
        grade: Grade::Opened,
        findings: Default::default(),
        evidence: Default::default(),
    };
    let inspect = Command::Inspect { case: case("R-1"), units, inspection };
    w.as_role(Role::Inspector, inspect).unwrap();
    assert_eq!(state(&w), "experts", "the host says the findings are disputed");
    w.approve("eva").unwrap();
    assert!(w.as_role(Role::Finance, refund()).is_err());
    w.approve("max").unwrap();
    assert_eq!(state(&w), "granted");
    w.as_role(Role::Finance, refund()).unwrap();
    w.desk.replays();
}

/// CAS-88: a case goes on under the definition it was opened under; without it nobody acts in the review
/// and time does not either, but facts are still recorded.
#[test]
fn a_case_keeps_its_definition() {
    let mut w = world("60.00");
    w.open(&[("1", 2)]).unwrap();
    let mut draft = crate::reviews::reviews();
    let mut second = draft.procedures[0].clone();
    second.version = 2;
    second.states.iter_mut().for_each(|state| state.label.en = "renamed".into());
    draft.procedures.push(second);
    let both = Reviews::verify(draft.clone(), None).unwrap();
    let mut newer = w.clone();
    newer.desk.change_rules(crate::support::rules().clone().with_reviews(both));
    newer.approve("ann").unwrap();
    assert_eq!(state(&newer), "finance");
    draft.procedures.remove(0);
    let only = Reviews::verify(draft, None).unwrap();
    w.desk.change_rules(crate::support::rules().clone().with_reviews(only));
    let gone = Obstacle::Review(ReviewObstacle::UnknownProcedure {
        procedure: WorkflowId::new("desk_review").unwrap(),
        version: 1,
    });
    assert_eq!(obstacles(w.approve("ann")), [gone]);
    assert_eq!(tick(&mut w, "2026-03-20T00:00:00Z"), []);
    let evidence =
        aftersale::case::dispute::Evidence { kind: "photo".into(), reference: "blob-1".into() };
    w.as_role(Role::Customer, Command::AddEvidence { case: case("R-1"), evidence }).unwrap();
}

#[test]
fn every_order_of_a_review_goes_through_the_case() {
    let mut w = world("60.00");
    w.open(&[("1", 2)]).unwrap();
    w.act("ann", Order::Transfer { to: person("cy") }).unwrap();
    w.act("cy", Order::AskOpinion { of: person("dan") }).unwrap();
    w.act("dan", Order::GiveOpinion { opinion: "looks worn".into() }).unwrap();
    let people = vec![person("dan")];
    let place = aftersale::approval::node::Beside::Before;
    w.act("cy", Order::Add { place, people }).unwrap();
    w.act("cy", Order::Remove { person: person("dan") }).unwrap();
    w.act("cy", Order::SendBack { to: BackTo::Requester, way: Way::Restart }).unwrap();
    assert!(
        matches!(&obstacles(w.approve("bo"))[0], Obstacle::Review(ReviewObstacle::Procedure(refused))
        if matches!(**refused, ReviewRefusal::WithRequester))
    );
    let again = Command::Review { case: case("R-1"), order: Order::Resubmit };
    w.as_role(Role::Customer, again).unwrap();
    w.approve("bo").unwrap();
    let changed = obstacles(w.act("bo", Order::ChangeFacts));
    assert!(matches!(&changed[0], Obstacle::Review(ReviewObstacle::Procedure(_))));
    w.facts.set(FactName::new("vip").unwrap(), Fact::Flag(true));
    assert!(w.approve("eve").is_err(), "a material fact differs");
    w.act("bo", Order::ChangeFacts).unwrap();
    assert_eq!(state(&w), "service");
    w.desk.replays();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// CAS-85: whatever people do in a review, what is listed as allowed is accepted and nothing else of
    /// its orders; the requester never approves, a case is permitted only by its procedure, and the
    /// stored history replays to the same order.
    #[test]
    fn walks_through_a_review_keep_its_promises(choices in prop::collection::vec((0..6_usize, any::<u16>(), 0..7_i64), 1..14)) {
        const PEOPLE: [&str; 6] = ["ann", "bo", "eve", "gil", "cy", "customer-1"];
        let mut w = world("60.00");
        w.open(&[("1", 2)]).unwrap();
        for (who, pick, hours) in choices {
            w.desk.now += chrono::TimeDelta::hours(hours);
            let context = Context { now: w.desk.now, rules: w.desk.rules };
            let roster = Roster { directory: &w.directory, facts: &w.facts };
            let actor = agent(PEOPLE[who]);
            let listed: Vec<Command> = w
                .desk
                .order
                .allowed_among(&context, &roster, &actor)
                .into_iter()
                .map(|allowed| allowed.command)
                .filter(|command| matches!(command, Command::Review { .. }))
                .collect();
            let approve = Command::Review {
                case: case("R-1"),
                order: Order::Approve { comment: String::new() },
            };
            let envelope = Envelope {
                id: CommandId::new("try").unwrap(),
                expected_version: None,
                actor: actor.clone(),
                command: approve.clone(),
            };
            let may = w.desk.order.decide_among(&context, &roster, &envelope).is_ok();
            prop_assert_eq!(may, listed.contains(&approve));
            prop_assert!(!(may && PEOPLE[who] == "customer-1"), "the requester approves");
            if listed.is_empty() {
                continue;
            }
            let command = listed[usize::from(pick) % listed.len()].clone();
            w.give(actor, command).unwrap();
        }
        let case = w.desk.order.case(&case("R-1")).unwrap();
        if case.approval == Approval::Authorized {
            let by_review = matches!(case.ground, Some(Ground::Review { .. }));
            prop_assert!(by_review);
            let review = case.review.as_ref().unwrap();
            prop_assert_eq!(review.standing.token.state.as_str(), "granted");
        }
        w.desk.replays();
    }
}
