//! Running reviews that are moved to another version of their procedure.

use crate::reviews::{Reviewed, agent, reviewed_rules};
use crate::support::{at, case, obstacles, sale};
use aftersale::approval::change::Change;
use aftersale::case::actor::{Actor, Role};
use aftersale::case::command::{Command, Envelope};
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ground::Ground;
use aftersale::case::refusal::review::ReviewObstacle;
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::review::Roster;
use aftersale::case::state::Approval;
use aftersale::case::{AfterSale, Context, Decision, ReplayError};
use aftersale::condition::Facts;
use aftersale::id::CommandId;
use aftersale::rules::review::{Reviews, ReviewsDraft};
use aftersale::workflow::migration::MigrationDefect;
use aftersale::workflow::{StateId, WorkflowId};
use proptest::prelude::*;

fn id(name: &str) -> StateId {
    StateId::new(name).unwrap()
}

fn procedure() -> WorkflowId {
    WorkflowId::new("desk_review").unwrap()
}

/// A case of 120.00 with service, under the first version.
fn world() -> Reviewed {
    let mut w = Reviewed::new(sale(&[("1", 2, 2, "60.00")]), reviewed_rules());
    w.open(&[("1", 2)]).unwrap();
    w
}

/// The rules with a second version beside the first, changed as text.
fn two(change: impl Fn(&mut String), bind: impl Fn(&mut ReviewsDraft)) -> ReviewsDraft {
    let mut text = crate::reviews::DESK_REVIEW.replace("\"version\": 1", "\"version\": 2");
    change(&mut text);
    let second: ReviewsDraft = serde_json::from_str(&text).unwrap();
    let mut draft = ReviewsDraft { rules: second.rules, ..crate::reviews::reviews() };
    draft.procedures.extend(second.procedures);
    bind(&mut draft);
    draft
}

fn adopt(w: &mut Reviewed, draft: ReviewsDraft) {
    let reviews = Reviews::verify(draft, None).unwrap();
    w.desk.change_rules(crate::support::rules().clone().with_reviews(reviews));
}

/// The same procedure under other words: everything goes on.
fn renamed() -> ReviewsDraft {
    two(|text| *text = text.replace("a silent desk refuses", "silence refuses"), |_| {})
}

/// Everybody of service is asked: the approval is opened again.
fn all_agree() -> ReviewsDraft {
    let any = r#""groups": [{"roles": ["service"]}], "mode": "any""#;
    let all = r#""groups": [{"roles": ["service"]}], "mode": "all""#;
    two(|text| *text = text.replace(any, all), |_| {})
}

fn migrate(w: &mut Reviewed, map: &[(&str, &str)]) -> Result<Decision, Refusal> {
    let map = map.iter().map(|(from, to)| (id(from), id(to))).collect();
    w.as_role(Role::Supervisor, Command::MigrateReview { case: case("R-1"), version: None, map })
}

fn state(w: &Reviewed) -> (String, u32) {
    let case = w.desk.order.case(&case("R-1")).unwrap();
    let standing = &case.review.as_ref().unwrap().standing;
    (standing.token.state.to_string(), standing.pin.version)
}

/// CAS-89: a running review goes on under another version by an explicit event alone; what did not change
/// goes on, votes and deadlines with it, and afterwards the old version is not needed any more [49].
#[test]
fn a_review_goes_on_under_another_version_when_somebody_says_so() {
    let mut w = world();
    w.approve("ann").unwrap();
    assert_eq!(state(&w), ("finance".into(), 1));
    let due = w.desk.order.next_wakeup();
    adopt(&mut w, renamed());
    assert_eq!(state(&w), ("finance".into(), 1), "new rules alone move nothing");
    let moved = migrate(&mut w, &[]).unwrap();
    let [event] = moved.events.as_slice() else { panic!("{moved:?}") };
    assert!(matches!(event.fact, EventFact::ReviewMigrated { .. }));
    assert_eq!(event.actor, crate::support::actor(Role::Supervisor));
    assert_eq!(state(&w), ("finance".into(), 2));
    assert_eq!(w.desk.order.next_wakeup(), due, "the deadline of finance stays");
    assert_eq!(w.approval(), Approval::Submitted);
    let mut last = renamed();
    last.procedures.remove(0);
    adopt(&mut w, last);
    w.approve("eve").unwrap();
    w.approve("ann").unwrap();
    assert_eq!(w.approval(), Approval::Authorized);
    w.desk.replays();
}

#[test]
fn votes_under_another_rule_are_given_again() {
    let mut w = world();
    w.approve("ann").unwrap();
    adopt(&mut w, all_agree());
    let moved = migrate(&mut w, &[]).unwrap();
    let steps = moved.events.iter().map(|event| match &event.fact {
        EventFact::ReviewMigrated { step, .. } | EventFact::ReviewMoved { step, .. } => {
            (&event.actor.role, &*step.change)
        }
        other => panic!("{other:?}"),
    });
    let steps: Vec<(&Role, &Change)> = steps.collect();
    assert!(matches!(steps[0], (Role::Supervisor, Change::Migrated { .. })), "{steps:?}");
    assert!(steps[1..].iter().all(|(role, _)| **role == Role::System), "{steps:?}");
    assert_eq!(state(&w), ("service".into(), 2), "back to where the rule changed");
    w.approve("ann").unwrap();
    assert_eq!(state(&w).0, "service", "one is not enough any more");
    w.approve("bo").unwrap();
    assert_eq!(state(&w).0, "finance");
    w.desk.replays();
}

#[test]
fn renamed_states_are_mapped_and_bound_by_the_rule_as_it_stands_now() {
    let changed = |text: &mut String| {
        *text = text.replace("\"granted\"", "\"given\"").replace("\"finance\"", "\"treasury\"");
        *text = text.replace(r#"["treasury"]"#, r#"["finance"]"#);
    };
    let mut w = world();
    w.approve("ann").unwrap();
    adopt(&mut w, two(changed, |_| {}));
    let defects = vec![MigrationDefect::Unmapped { state: id("finance") }];
    assert_eq!(
        obstacles(migrate(&mut w, &[])),
        [Obstacle::Review(ReviewObstacle::Migration { defects })]
    );
    migrate(&mut w, &[("finance", "treasury")]).unwrap();
    assert_eq!(state(&w), ("treasury".into(), 2));
    let terms = w.desk.order.case(&case("R-1")).unwrap().review.as_ref().unwrap().terms.clone();
    assert_eq!(terms.permits, [id("given")].into());
    w.approve("eve").unwrap();
    w.approve("ann").unwrap();
    let ground = w.desk.order.case(&case("R-1")).unwrap().ground.clone();
    let rule = "all_returns".parse().unwrap();
    assert_eq!(ground, Some(Ground::Review { rule, state: id("given") }));
    w.desk.replays();
}

/// CAS-90: a case that comes by a migration to a state that permits is permitted, by the system; a
/// permission given before is not taken back [29, 42].
#[test]
fn a_state_that_permits_now_permits_at_once() {
    let mut w = world();
    let permits = |draft: &mut ReviewsDraft| {
        draft.rules[0].permits.insert(id("service"));
    };
    let words = |text: &mut String| *text = text.replace("a silent desk", "a quiet desk");
    adopt(&mut w, two(words, permits));
    let moved = migrate(&mut w, &[]).unwrap();
    let permitted = moved.events.last().unwrap();
    assert!(matches!(permitted.fact, EventFact::ReturnAuthorized { .. }), "{moved:?}");
    assert_eq!(permitted.actor.role, Role::System);
    assert_eq!(w.approval(), Approval::Authorized);
    // Back under terms that do not permit there: the permission stays, the review goes on.
    let again = |draft: &mut ReviewsDraft| draft.procedures.reverse();
    adopt(&mut w, two(words, again));
    let (case_id, map) = (case("R-1"), Default::default());
    let back = Command::MigrateReview { case: case_id, version: Some(1), map };
    w.as_role(Role::Platform, back).unwrap();
    assert_eq!((state(&w), w.approval()), (("service".into(), 1), Approval::Authorized));
    w.desk.replays();
}

#[test]
fn a_migration_that_does_not_fit_says_why() {
    let mut w = world();
    let gone = |version| {
        Obstacle::Review(ReviewObstacle::UnknownProcedure { procedure: procedure(), version })
    };
    let same = Obstacle::Review(ReviewObstacle::SameVersion { procedure: procedure(), version: 1 });
    assert_eq!(obstacles(migrate(&mut w, &[])), [same]);
    adopt(&mut w, renamed());
    let to = |version, map| Command::MigrateReview { case: case("R-1"), version, map };
    assert_eq!(
        obstacles(w.as_role(Role::System, to(Some(7), Default::default()))),
        [gone(7)],
        "there is no seventh version"
    );
    let by_agent = obstacles(w.as_role(Role::Agent, to(None, Default::default())));
    assert!(matches!(by_agent[..], [Obstacle::NotPermitted { .. }]));
    let unknown = obstacles(migrate(&mut w, &[("service", "nowhere")]));
    assert!(
        matches!(&unknown[..], [Obstacle::Review(ReviewObstacle::Migration { defects })] if !defects.is_empty())
    );
    assert!(unknown[0].to_string().contains("`nowhere`"), "{}", unknown[0]);
    let mut only = renamed();
    only.procedures.remove(0);
    let mut without = w.clone();
    adopt(&mut without, only);
    assert_eq!(obstacles(migrate(&mut without, &[])), [gone(1)], "the old version has to be there");
    let mut other = w.clone();
    let mut draft = renamed();
    draft.rules[0].id = "other".parse().unwrap();
    adopt(&mut other, draft);
    let rule = "all_returns".parse().unwrap();
    assert_eq!(
        obstacles(migrate(&mut other, &[])),
        [Obstacle::Review(ReviewObstacle::UnknownReviewRule { rule })]
    );
    let mut unstated = w.clone();
    unstated.facts = Facts::new();
    let fact = r#""vip": {"type": "flag", "stability": "frozen", "weight": "material"}"#;
    let more = format!("{fact}, \"recalled\": {{\"type\": \"flag\"}}");
    adopt(&mut unstated, two(|text| *text = text.replace(fact, &more), |_| {}));
    let missing = obstacles(migrate(&mut unstated, &[]));
    assert!(
        matches!(&missing[..], [Obstacle::Review(ReviewObstacle::ReviewFact { fact, .. })] if fact.as_str() == "recalled")
    );
    let hold = Command::Hold { case: case("R-1"), note: "wait".into() };
    w.as_role(Role::Agent, hold).unwrap();
    assert!(matches!(obstacles(migrate(&mut w, &[]))[..], [Obstacle::OnHold { .. }]));
    w.as_role(Role::Agent, Command::Release { case: case("R-1") }).unwrap();
    for name in ["ann", "eve", "ann"] {
        w.approve(name).unwrap();
    }
    assert_eq!(
        obstacles(migrate(&mut w, &[])),
        [Obstacle::Review(ReviewObstacle::NoReview)],
        "it is over"
    );
}

/// A desk that waits for the goods, and under the second version not for ever.
const WAITING: &str = r#"{
  "procedures": [{
    "schema": 1, "id": "desk_review", "version": 1, "initial": "goods",
    "states": [
      {"id": "goods", "kind": {"wait": {"party": "customer"}}, "no_timer_reason": "the market waits"},
      {"id": "granted", "kind": {"final": {"outcome": "granted"}}},
      {"id": "refused", "kind": {"final": {"outcome": "refused"}}}],
    "arrows": [
      {"id": "came", "from": "goods", "on": "evidence_added", "to": "granted"},
      {"id": "no", "from": "goods", "on": "given_up", "to": "refused"}]}],
  "rules": [{"id": "all_returns", "procedure": "desk_review", "permits": ["granted"]}]
}"#;

/// CAS-91: what a new version would have done by now it does at the move, once, whenever the host looks
/// [47].
#[test]
fn a_timer_of_the_new_version_that_is_due_acts_at_the_move() {
    let first: ReviewsDraft = serde_json::from_str(WAITING).unwrap();
    let timed = WAITING.replace("\"version\": 1", "\"version\": 2").replace(
        r#""no_timer_reason": "the market waits""#,
        r#""timers": [{"id": "late", "after": {"elapsed": "P7D"}, "then": {"leave": {"to": "refused"}}}]"#,
    );
    let second: ReviewsDraft = serde_json::from_str(&timed).unwrap();
    let mut both = first.clone();
    both.procedures.extend(second.procedures);
    let mut w = Reviewed::new(sale(&[("1", 2, 2, "60.00")]), reviewed_rules());
    adopt(&mut w, first);
    w.open(&[("1", 1)]).unwrap();
    assert_eq!(w.desk.order.next_wakeup(), None);
    let opened = w.desk.now;
    adopt(&mut w, both);
    let mut early = w.clone();
    early.desk.now = at("2026-03-12T09:00:00Z");
    migrate(&mut early, &[]).unwrap();
    assert_eq!(state(&early), ("goods".into(), 2));
    let week = aftersale::time::add_seconds(opened, 7 * 86_400 - 60).unwrap();
    assert_eq!(early.desk.order.next_wakeup(), Some(week), "counted from when it came there");
    w.desk.now = at("2026-04-20T09:00:00Z");
    let late = w.desk.now;
    let moved = migrate(&mut w, &[]).unwrap();
    assert_eq!((state(&w).0.as_str(), w.approval()), ("refused", Approval::Declined));
    assert!(moved.events.iter().all(|event| event.at == late));
    assert_eq!(w.desk.order.next_wakeup(), None);
    w.desk.replays();
}

#[test]
fn a_forged_migration_does_not_replay() {
    let mut w = world();
    adopt(&mut w, renamed());
    migrate(&mut w, &[]).unwrap();
    let forge = |change: &dyn Fn(&mut Event)| {
        let mut events = w.desk.events.clone();
        let last = events.last_mut().unwrap();
        change(last);
        let sequence = last.sequence;
        (AfterSale::replay(w.desk.sale.clone(), &events), sequence)
    };
    assert!(forge(&|_| {}).0.is_ok());
    let (wrong, sequence) = forge(&|event| {
        let EventFact::ReviewMigrated { step, .. } = &mut event.fact else { panic!() };
        *step.change = Change::Resubmitted;
    });
    assert_eq!(wrong, Err(ReplayError::DoesNotAddUp { sequence }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// CAS-92: wherever a review stands when it is moved, and however often, it can be brought to an end,
    /// what is listed is accepted, and the history replays [31, 43, 49].
    #[test]
    fn a_moved_review_can_be_brought_to_an_end(
        choices in prop::collection::vec((0..6_usize, any::<u16>(), 0..7_i64), 1..14),
    ) {
        const PEOPLE: [&str; 5] = ["ann", "bo", "eve", "gil", "customer-1"];
        let mut w = world();
        adopt(&mut w, all_agree());
        let mut moves = 0;
        for (who, pick, hours) in choices {
            w.desk.now += chrono::TimeDelta::hours(hours);
            if who == 5 {
                let version = Some(1 + u32::from(pick % 2));
                let (case, map) = (case("R-1"), Default::default());
                let command = Command::MigrateReview { case, version, map };
                moves += u32::from(w.as_role(Role::Supervisor, command).is_ok());
                continue;
            }
            act(&mut w, &agent(PEOPLE[who]), usize::from(pick));
        }
        // In the end everybody who is asked approves, as often as it takes.
        for round in 0..40 {
            let over = w.desk.order.case(&case("R-1")).unwrap().running_review().is_none();
            if over {
                break;
            }
            prop_assert!(round < 39, "no end after {moves} moves: {:?}", state(&w));
            for name in PEOPLE {
                let approve = aftersale::approval::command::Order::Approve { comment: String::new() };
                let _ = w.act(name, approve);
                let again = aftersale::approval::command::Order::Resubmit;
                let _ = w.act(name, again);
                let _ = w.act(name, aftersale::approval::command::Order::RecallOpinion);
            }
            w.desk.now += chrono::TimeDelta::hours(25);
            let _ = w.as_role(Role::System, Command::Tick);
        }
        w.desk.replays();
    }
}

/// One of the orders that are listed for a person.
fn act(w: &mut Reviewed, actor: &Actor, pick: usize) {
    let context = Context { now: w.desk.now, rules: w.desk.rules };
    let roster = Roster { directory: &w.directory, facts: &w.facts };
    let listed = w.desk.order.allowed_among(&context, &roster, actor);
    let orders = listed.into_iter().map(|allowed| allowed.command);
    let orders: Vec<Command> =
        orders.filter(|command| matches!(command, Command::Review { .. })).collect();
    if orders.is_empty() {
        return;
    }
    let command = orders[pick % orders.len()].clone();
    let envelope = Envelope {
        id: CommandId::new("listed").unwrap(),
        expected_version: None,
        actor: actor.clone(),
        command: command.clone(),
    };
    assert!(w.desk.order.decide_among(&context, &roster, &envelope).is_ok());
    w.give(actor.clone(), command).unwrap();
}
