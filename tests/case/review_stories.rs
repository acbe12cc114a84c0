//! What random stories found about reviews beside holds, parcels called back and rulings.

use crate::reviews::{Reviewed, agent, reviewed_rules};
use crate::support::{case, obstacles, sale, units};
use aftersale::approval::command::Order;
use aftersale::case::Decision;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::{Evidence, Ruling};
use aftersale::case::event::EventFact;
use aftersale::case::liability::{Liability, Party};
use aftersale::case::parcel::InterceptionOutcome;
use aftersale::case::refusal::parcel::ParcelObstacle;
use aftersale::case::refusal::review::ReviewObstacle;
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::resolution::Resolution;
use aftersale::case::state::Approval;
use aftersale::explain::Fact;
use aftersale::id::FactName;
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Ratio;
use aftersale::rules::review::{Reviews, ReviewsDraft};
use aftersale::sale::Sale;
use aftersale::time::add_seconds;

#[test]
fn a_host_does_not_overwrite_what_the_order_says() {
    let mut w = Reviewed::new(sale(&[("1", 2, 2, "60.00")]), reviewed_rules());
    // Up to 10.00 passes by itself; the host says so, the order says 120.00.
    let small = Money::parse("5.00", Currency::GBP).unwrap();
    w.facts.set(FactName::new("amount").unwrap(), Fact::Amount(small));
    w.open(&[("1", 2)]).unwrap();
    assert_eq!(w.approval(), Approval::Submitted, "nobody has decided about 120.00");
    w.approve("ann").unwrap();
    let case = w.desk.order.case(&case("R-1")).unwrap();
    let state = &case.running_review().unwrap().standing.token.state;
    assert_eq!(state.as_str(), "finance", "above 100.00 finance decides too");
}

#[test]
fn reasons_are_without_a_reason_only_where_all_of_them_are() {
    let mut draft = crate::reviews::reviews();
    let when = r#"{"test": {"fact": "reason_kind", "is": {"type": "code", "value": "no_reason"}}}"#;
    draft.rules[0].when = serde_json::from_str(when).unwrap();
    let rules = crate::support::rules().clone().with_reviews(Reviews::verify(draft, None).unwrap());
    let reviewed = |second: &str| {
        let sold = sale(&[("1", 1, 1, "60.00"), ("2", 1, 1, "60.00")]);
        let mut w = Reviewed::new(sold, rules.clone());
        let mut lines = vec![crate::support::wanted("1", 1), crate::support::wanted("2", 1)];
        lines[1].reason = second.parse().unwrap();
        let (id, resolution) = (case("R-1"), Resolution::ReturnAndRefund);
        let open = Command::OpenCase { case: id, resolution, lines };
        w.as_role(Role::Customer, open).unwrap();
        w.desk.order.case(&case("R-1")).unwrap().review.is_some()
    };
    assert!(reviewed("FIT.TOO_SMALL"), "two who withdraw without a reason");
    assert!(!reviewed("OTH.OTHER"), "one of two");
    assert!(!reviewed("QLT.FUNCTION"));
}

/// Two units under way in `OUT-1`, and a case about them with service.
fn under_way() -> Reviewed {
    let mut draft = sale(&[("1", 2, 2, "60.00")]).draft().clone();
    draft.shipments[0].delivered_at = None;
    let mut w = Reviewed::new(Sale::freeze(draft).unwrap(), reviewed_rules());
    w.open(&[("1", 2)]).unwrap();
    let (parcel, lines) = ("OUT-1".parse().unwrap(), vec![]);
    let call = Command::InterceptParcel { case: case("R-1"), parcel, lines };
    w.as_role(Role::Agent, call).unwrap();
    w
}

fn answer(w: &mut Reviewed, outcome: InterceptionOutcome) -> Decision {
    let parcel = "OUT-1".parse().unwrap();
    let answer = Command::RecordInterception { case: case("R-1"), parcel, outcome };
    w.as_role(Role::System, answer).unwrap()
}

/// CAS-93: people do not refuse or take back a case while its parcel is called back, and no timer of the
/// review does; what was due acts when the carrier has answered [38].
#[test]
fn a_review_waits_for_the_carrier_to_answer() {
    let mut w = under_way();
    let open =
        Obstacle::Parcel(ParcelObstacle::InterceptionOpen { parcel: "OUT-1".parse().unwrap() });
    let reject = || Order::Reject { comment: "worn".into() };
    assert_eq!(obstacles(w.act("ann", reject())), vec![open.clone()]);
    let back = Command::Review { case: case("R-1"), order: Order::Withdraw };
    assert_eq!(obstacles(w.as_role(Role::Customer, back)), [open]);
    assert_eq!(w.desk.order.next_wakeup(), None, "nothing wakes the host in vain");
    w.desk.now = add_seconds(w.desk.now, 3 * 86_400).unwrap();
    assert_eq!(w.as_role(Role::System, Command::Tick).unwrap().events, []);
    assert_eq!(w.approval(), Approval::Submitted);
    let mut turned = w.clone();
    answer(&mut turned, InterceptionOutcome::Intercepted);
    assert_eq!(turned.approval(), Approval::Authorized, "the goods come back");
    turned.desk.replays();
    let at = w.desk.now;
    let answered = answer(&mut w, InterceptionOutcome::Failed);
    assert_eq!(w.approval(), Approval::Declined, "service was silent for more than a day");
    assert!(answered.events.iter().all(|event| event.at == at));
    assert!(w.desk.order.next_wakeup().is_none_or(|due| due > at));
    w.desk.replays();
}

/// A procedure that a fact ends: proof came too late.
fn ended_by_proof() -> Reviews {
    let text = r#"{"procedures": [{
      "schema": 1, "id": "proof_desk", "version": 1, "initial": "proof",
      "states": [
        {"id": "proof", "kind": {"wait": {"party": "customer"}}, "no_timer_reason": "the law waits"},
        {"id": "granted", "kind": {"final": {"outcome": "granted"}}},
        {"id": "refused", "kind": {"final": {"outcome": "refused"}}}],
      "arrows": [
        {"id": "late", "from": "proof", "on": "evidence_added", "to": "refused"},
        {"id": "well", "from": "proof", "on": "known", "to": "granted"}]}],
      "rules": [{"id": "all", "procedure": "proof_desk", "permits": ["granted"]}]}"#;
    let draft: ReviewsDraft = serde_json::from_str(text).unwrap();
    Reviews::verify(draft, None).unwrap()
}

#[test]
fn a_fact_is_recorded_where_its_review_has_to_wait() {
    let mut w = under_way();
    let rules = crate::support::rules().clone().with_reviews(ended_by_proof());
    w = Reviewed::new(w.desk.sale.clone(), rules);
    w.open(&[("1", 2)]).unwrap();
    let (parcel, lines) = ("OUT-1".parse().unwrap(), vec![]);
    let call = Command::InterceptParcel { case: case("R-1"), parcel, lines };
    w.as_role(Role::Agent, call).unwrap();
    let evidence = || Evidence { kind: "photo".into(), reference: "blob-1".into() };
    let add = || Command::AddEvidence { case: case("R-1"), evidence: evidence() };
    let added = w.as_role(Role::Customer, add()).unwrap();
    assert_eq!(added.events.len(), 1, "the proof, and no step: {added:?}");
    assert!(added.findings.iter().any(|finding| finding.to_string().contains("called back")));
    answer(&mut w, InterceptionOutcome::Failed);
    w.as_role(Role::Customer, add()).unwrap();
    assert_eq!(w.approval(), Approval::Declined);
    w.desk.replays();
}

#[test]
fn what_was_due_on_hold_acts_at_the_moment_the_hold_ends() {
    let mut w = Reviewed::new(sale(&[("1", 2, 2, "60.00")]), reviewed_rules());
    w.open(&[("1", 2)]).unwrap();
    w.as_role(Role::Agent, Command::Hold { case: case("R-1"), note: "wait".into() }).unwrap();
    w.desk.now = add_seconds(w.desk.now, 3 * 86_400).unwrap();
    let at = w.desk.now;
    let released = w.as_role(Role::Agent, Command::Release { case: case("R-1") }).unwrap();
    assert_eq!(w.approval(), Approval::Declined, "{released:?}");
    assert!(released.events.iter().all(|event| event.at == at));
    assert!(w.desk.order.next_wakeup().is_none_or(|due| due > at));
    w.desk.replays();
}

/// Service permits; money waits for a check that can say no for good.
fn checked() -> Reviewed {
    let text = r#"{"procedures": [{
      "schema": 1, "id": "checked_desk", "version": 1, "initial": "service",
      "states": [
        {"id": "service", "no_timer_reason": "the desk answers every day",
         "kind": {"approval": {"groups": [{"roles": ["service"]}], "mode": "any"}}},
        {"id": "check", "no_timer_reason": "finance answers every day",
         "kind": {"approval": {"groups": [{"roles": ["finance"]}], "mode": "any"}}},
        {"id": "granted", "kind": {"final": {"outcome": "granted"}}},
        {"id": "refused", "kind": {"final": {"outcome": "refused"}}}],
      "arrows": [
        {"id": "a1", "from": "service", "on": "approved", "to": "check"},
        {"id": "a2", "from": "service", "on": "rejected", "to": "refused"},
        {"id": "a3", "from": "check", "on": "approved", "to": "granted"},
        {"id": "a4", "from": "check", "on": "rejected", "to": "refused"}]}],
      "rules": [{"id": "all", "procedure": "checked_desk", "permits": ["check"],
                 "settles": ["granted"]}]}"#;
    let draft: ReviewsDraft = serde_json::from_str(text).unwrap();
    let rules = crate::support::rules().clone().with_reviews(Reviews::verify(draft, None).unwrap());
    let mut w = Reviewed::new(sale(&[("1", 2, 2, "60.00")]), rules);
    w.open(&[("1", 2)]).unwrap();
    w.approve("bo").unwrap();
    assert_eq!(w.approval(), Approval::Authorized);
    w
}

fn rule(w: &mut Reviewed, ruling: Ruling) {
    let note = || "disputed".to_owned();
    w.as_role(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    let (id, appeal_until) = (case("R-1"), None);
    let rule = Command::RuleDispute { case: id, ruling, appeal_until, note: note() };
    w.as_role(Role::Platform, rule).unwrap();
}

fn refund(w: &mut Reviewed) -> Result<Decision, Refusal> {
    let (lines, terms) = (vec![], Box::default());
    w.as_role(Role::Finance, Command::Refund { case: case("R-1"), lines, terms })
}

/// CAS-94: a ruling for the customer lets money go that a procedure keeps back, also for good: goods that
/// are lost are no dead end [31, 40].
#[test]
fn a_ruling_lets_go_what_a_review_keeps_back() {
    let mut w = checked();
    let parcel = || "BACK-1".parse().unwrap();
    let lines = units(&[("1", 2)]);
    let sent = Command::SendBack { case: case("R-1"), parcel: parcel(), lines };
    w.as_role(Role::Customer, sent).unwrap();
    let lost = Command::DeclareLost { case: case("R-1"), parcel: parcel() };
    w.as_role(Role::Warehouse, lost).unwrap();
    let liability = Liability::new([(Party::Carrier, Ratio::ONE)], "scan", []).unwrap();
    let (id, line) = (case("R-1"), crate::support::line("1"));
    let liable = Command::AttributeLiability { case: id, line, liability };
    w.as_role(Role::Supervisor, liable).unwrap();
    w.act("eve", Order::Reject { comment: "no".into() }).unwrap();
    let kept = obstacles(refund(&mut w));
    assert!(matches!(kept[..], [Obstacle::Review(ReviewObstacle::UnderReview { .. })]), "{kept:?}");
    let mut seller = w.clone();
    rule(&mut seller, Ruling::ForSeller);
    assert!(refund(&mut seller).is_err(), "a ruling for the seller lets nothing go");
    rule(&mut w, Ruling::ForCustomer);
    let refunded = refund(&mut w).unwrap();
    assert!(matches!(refunded.events[0].fact, EventFact::RefundPlanned { .. }));
    w.desk.replays();
}

#[test]
fn a_ruling_ends_a_review_that_goes_on_after_it_permitted() {
    let mut w = checked();
    rule(&mut w, Ruling::ForCustomer);
    assert!(w.desk.order.case(&case("R-1")).unwrap().running_review().is_none());
    assert_eq!(obstacles(w.approve("eve")), [Obstacle::Review(ReviewObstacle::NoReview)]);
    assert_eq!(w.desk.order.next_wakeup(), None);
    w.desk.replays();
}

#[test]
fn a_command_is_previewed_among_people() {
    use aftersale::case::command::Envelope;
    use aftersale::case::review::Roster;
    let w = Reviewed::new(sale(&[("1", 2, 2, "60.00")]), reviewed_rules());
    let (resolution, lines) = (Resolution::ReturnAndRefund, vec![crate::support::wanted("1", 1)]);
    let command = Command::OpenCase { case: case("R-1"), resolution, lines };
    let (id, expected_version) = ("quote".parse().unwrap(), None);
    let envelope = Envelope { id, expected_version, actor: agent("bo"), command };
    let context = aftersale::case::Context { now: w.desk.now, rules: w.desk.rules };
    let roster = Roster { directory: &w.directory, facts: &w.facts };
    let alone = w.desk.order.quote(&context, &envelope).unwrap_err();
    assert!(
        matches!(alone.obstacles[..], [Obstacle::Review(ReviewObstacle::ReviewFact { .. })]),
        "{alone}"
    );
    let quoted = w.desk.order.quote_among(&context, &roster, &envelope).unwrap();
    assert_eq!(quoted, w.desk.order.decide_among(&context, &roster, &envelope).unwrap());
    assert_eq!(w.desk.order.version(), 0);
}
