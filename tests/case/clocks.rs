//! Edges of timers: what a small slip of the engine would change, one named example each.

use crate::fixtures::{acts, amend, dispute, home, note, outcomes, practice, shop, tick_at, timer};
use crate::support::{
    Desk, at, case, line, market, obstacles, parcel, pieces, pounds, rules, sale, units, wanted,
};
use aftersale::case::AfterSale;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::Ruling;
use aftersale::case::duty::DutyAct;
use aftersale::case::event::EventFact;
use aftersale::case::ledger::Location;
use aftersale::case::liability::Party;
use aftersale::case::line::LineQuantity;
use aftersale::case::open_matter::OpenMatter;
use aftersale::case::parcel::InterceptionOutcome;
use aftersale::case::refusal::Obstacle;
use aftersale::case::resolution::Resolution;
use aftersale::case::timer::ExpiryOutcome;
use aftersale::preset::markets::B2B;
use aftersale::sale::Sale;
use aftersale::time::{Instant, add_seconds};

/// At one instant an announcement comes before an expiry.
#[test]
fn a_pause_announced_at_the_very_deadline_still_moves_it() {
    // The request is opened at 09:00 on 10 March; a day later is the deadline and the announcement.
    let pause = r#","pauses":[{"id":"fair","label":{"en":"Fair","zh":"展会"},
        "announced_at":"2026-03-11T09:00:00Z",
        "time":{"start":"2026-03-11T09:00:00Z","end":"2026-03-12T09:00:00Z"}}]"#;
    let mut desk = practice(&timer("awaiting_decision", 86_400, "agree"), pause);
    desk.open("R-1", &[("1", 1)]).unwrap();
    let decision = tick_at(&mut desk, at("2026-03-11T09:00:00Z"));
    assert_eq!(outcomes(&decision), []);
    assert_eq!(desk.order.next_wakeup(), Some(at("2026-03-12T09:00:00Z")));
    assert_eq!(desk.status("R-1"), "submitted");
}

/// A clock that began to run while the case was on hold stood still only since then.
#[test]
fn a_hold_moves_a_younger_clock_by_its_own_part_only() {
    let timers = timer("awaiting_evidence", 86_400, "close");
    let mut desk = practice(&timers, "");
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.give(Role::Agent, Command::Hold { case: case("R-1"), note: note() }).unwrap();
    desk.now = at("2026-03-10T12:00:00Z");
    desk.give(Role::Agent, Command::RequestInfo { case: case("R-1"), note: note() }).unwrap();
    for keeps_practice in [true, false] {
        let mut desk = desk.clone();
        if !keeps_practice {
            desk.change_rules(rules().clone());
        }
        desk.now = at("2026-03-10T15:00:00Z");
        desk.give(Role::Agent, Command::Release { case: case("R-1") }).unwrap();
        assert_eq!(desk.order.next_wakeup(), Some(at("2026-03-11T15:00:00Z")));
    }
}

#[test]
fn a_deadline_is_never_earlier_than_a_second_after_the_hold() {
    let mut desk = practice(&timer("awaiting_decision", 86_400, "agree"), "");
    desk.open("R-1", &[("1", 1)]).unwrap();
    let due = desk.order.next_wakeup().unwrap();
    desk.give(Role::Agent, Command::Hold { case: case("R-1"), note: note() }).unwrap();
    let (held, long) = (desk.events.last().unwrap().at, 10 * 86_400);
    desk.now = add_seconds(held, long).unwrap();
    let released = desk.give(Role::Agent, Command::Release { case: case("R-1") }).unwrap();
    let moved = add_seconds(due, long).unwrap();
    assert_eq!(desk.order.next_wakeup(), Some(moved));
    assert!(acts(&released).contains(&DutyAct::WakeAt { at: moved }), "the host is told");
}

/// An amendment is no way round the condition for money before goods.
#[test]
fn an_amendment_to_an_instant_refund_is_granted_like_a_request_for_one() {
    let never =
        r#","instant_refund":{"test":{"fact":"application","above":{"type":"count","value":9}}}"#;
    let mut desk = practice(&timer("awaiting_decision", 86_400, "agree"), never);
    let denied = [Obstacle::NoInstantRefund];
    assert_eq!(obstacles(desk.open_as("R-1", Resolution::InstantRefund, &[("1", 1)])), denied);
    desk.open("R-1", &[("1", 1)]).unwrap();
    let amended = amend(&mut desk, Resolution::InstantRefund, vec![wanted("1", 1)]);
    assert_eq!(obstacles(amended), denied);
}

/// What arrived and nobody judged in time counts as accepted; where nothing can be refunded, the expiry
/// says so and changes nothing.
#[test]
fn a_refund_on_expiry_takes_what_was_not_judged_or_says_that_it_cannot() {
    let timers = timer("awaiting_inspection", 86_400, "refund");
    let mut desk = practice(&timers, "");
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    let due = desk.order.next_wakeup().unwrap();
    assert_eq!(outcomes(&tick_at(&mut desk, due)), [ExpiryOutcome::CarriedOut]);
    assert_eq!(desk.order.money().refunded(), pounds("60.00"));

    let mut desk = practice(&timer("awaiting_return", 86_400, "refund"), "");
    desk.open_as("R-1", Resolution::Exchange, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    let due = desk.order.next_wakeup().unwrap();
    assert_eq!(outcomes(&tick_at(&mut desk, due)), [ExpiryOutcome::Blocked]);
    assert_eq!(desk.status("R-1"), "awaiting_return");
}

/// A refund that a timer makes pays freight by what is decided, whether the goods are here or awaited.
#[test]
fn a_timer_pays_the_freight_that_is_owed_however_it_refunds() {
    let mut draft = sale(&[("1", 1, 1, "60.00")]).draft().clone();
    draft.charges = serde_json::from_str(
        r#"[{"id":"freight","kind":"freight","amount":{"amount":"10.00","currency":"GBP"}}]"#,
    )
    .unwrap();
    draft.tenders[0].captured = pounds("70.00");
    draft.total = pounds("70.00");
    let sold = Sale::freeze(draft).unwrap();
    for resolution in [Resolution::RefundOnly, Resolution::ReturnAndRefund] {
        let timers = ["awaiting_settlement", "awaiting_receipt"];
        let timers = timers.map(|stage| timer(stage, 86_400, "refund")).join(",");
        let mut desk = Desk::under(shop(&timers, ""), sold.clone());
        let mut faulty = wanted("1", 1);
        faulty.reason = "QLT.WORKMANSHIP".parse().unwrap();
        let lines = vec![faulty];
        desk.give(Role::Customer, Command::OpenCase { case: case("R-1"), resolution, lines })
            .unwrap();
        desk.authorize("R-1").unwrap();
        if resolution == Resolution::ReturnAndRefund {
            let lines = vec![LineQuantity { line: line("1"), quantity: pieces(1) }];
            let (case, parcel) = (case("R-1"), parcel("BACK-1"));
            desk.give(Role::Customer, Command::SendBack { case, parcel, lines }).unwrap();
        }
        let due = desk.order.next_wakeup().unwrap();
        tick_at(&mut desk, due);
        assert_eq!(desk.order.money().refunded(), pounds("70.00"), "{resolution}");
    }
}

/// A timer that could not close a case leaves no mark: closed by hand later, it did not expire.
#[test]
fn a_case_that_a_timer_could_not_close_did_not_expire() {
    let mut desk = practice(&timer("awaiting_receipt", 86_400, "close"), "");
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    let (owner, lines) = (case("R-1"), units(&[("1", 1)]));
    let back = Command::SendBack { case: owner, parcel: parcel("BACK-1"), lines };
    desk.give(Role::Customer, back).unwrap();
    let due = desk.order.next_wakeup().unwrap();
    assert_eq!(outcomes(&tick_at(&mut desk, due)), [ExpiryOutcome::Blocked]);
    desk.receive_from("R-1", Some(parcel("BACK-1")), &[("1", 1)]).unwrap();
    desk.reject("R-1", &[("1", 1)]).unwrap();
    home(&mut desk, "R-1", 1);
    desk.close("R-1").unwrap();
    assert_eq!(desk.status("R-1"), "closed");
}

#[test]
fn a_case_that_expired_and_was_opened_again_is_closed_like_any_other() {
    let mut desk = practice(&timer("awaiting_return", 86_400, "close"), "");
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    let due = desk.order.next_wakeup().unwrap();
    tick_at(&mut desk, due);
    assert_eq!(desk.status("R-1"), "expired");
    desk.give(Role::Supervisor, Command::Reopen { case: case("R-1"), note: note() }).unwrap();
    desk.close("R-1").unwrap();
    assert_eq!(desk.status("R-1"), "closed");
}

/// Refused goods that are here wait to go home, on a clock of their own.
#[test]
fn goods_to_go_home_have_their_own_clock() {
    let mut desk = practice(&timer("awaiting_ship_back", 86_400, "report"), "");
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    assert_eq!(desk.order.next_wakeup(), None);
    let refused = desk.now;
    desk.reject("R-1", &[("1", 1)]).unwrap();
    assert_eq!(desk.order.next_wakeup(), Some(add_seconds(refused, 86_400).unwrap()));
}

#[test]
fn a_timer_does_not_end_a_case_in_dispute() {
    let mut desk = practice(&timer("awaiting_ruling", 3_600, "close"), "");
    desk.open("R-1", &[("1", 1)]).unwrap();
    let note = "late".to_owned();
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note }).unwrap();
    let later: Instant = at("2026-03-11T09:00:00Z");
    desk.now = later;
    desk.give(Role::System, Command::Tick).unwrap();
    assert_eq!(desk.status("R-1"), "disputed");
    let open = OpenMatter::DisputeOpen;
    assert_eq!(open.to_string(), "a ruling is awaited");
}

/// CAS-66: what was lost with somebody else liable is owed: the case awaits its settlement, and a timer
/// of that stage pays it, whatever the customer asked for; what the buyer lost is not [35].
#[test]
fn a_loss_that_is_decided_is_owed_and_a_timer_pays_it() {
    let timers = timer("awaiting_settlement", 86_400, "refund");
    let mut draft = sale(&[("1", 1, 1, "60.00")]).draft().clone();
    draft.shipments[0].delivered_at = None;
    let sold = Sale::freeze(draft).unwrap();
    for resolution in
        [Resolution::RefundOnly, Resolution::InstantRefund, Resolution::ReturnAndRefund]
    {
        let mut desk = Desk::under(shop(&timers, ""), sold.clone());
        desk.open_as("R-1", resolution, &[("1", 1)]).unwrap();
        let (id, out) = (|| case("R-1"), || parcel("OUT-1"));
        let call = Command::InterceptParcel { case: id(), parcel: out(), lines: vec![] };
        desk.give(Role::Agent, call).unwrap();
        let outcome = InterceptionOutcome::Intercepted;
        let turned = Command::RecordInterception { case: id(), parcel: out(), outcome };
        desk.give(Role::System, turned).unwrap();
        desk.give(Role::Agent, Command::DeclareLost { case: id(), parcel: out() }).unwrap();
        assert_eq!((desk.status("R-1").as_str(), desk.order.next_wakeup()), ("lost", None));
        let mut buyers = desk.clone();
        buyers.attribute("R-1", Party::Buyer);
        assert_eq!((buyers.status("R-1").as_str(), buyers.order.next_wakeup()), ("approved", None));
        let decided = desk.now;
        desk.attribute("R-1", Party::Carrier);
        assert_eq!(desk.status("R-1"), "awaiting_settlement");
        let due = add_seconds(decided, 86_400).unwrap();
        assert_eq!(desk.order.next_wakeup(), Some(due));
        assert_eq!(outcomes(&tick_at(&mut desk, due)), [ExpiryOutcome::CarriedOut]);
        assert_eq!(desk.order.money().refunded(), pounds("60.00"), "{resolution}");
        let held = desk.order.case(&id()).unwrap().lines[0].held;
        assert_eq!(held.at(Location::WrittenOff), 1);
        desk.replays();
    }
}

/// CAS-100: no timer ends a case while its ruling can be appealed; at the end of the window it does.
#[test]
fn no_timer_ends_a_case_that_can_still_be_appealed() {
    let ruled = |until: &str| {
        let mut desk = practice(&timer("awaiting_appeal", 86_400, "close"), "");
        desk.open("R-1", &[("1", 1)]).unwrap();
        let dispute = Command::OpenDispute { case: case("R-1"), note: note() };
        desk.give(Role::Customer, dispute).unwrap();
        let (ruling, appeal_until) = (Ruling::ForSeller, Some(at(until)));
        let rule = Command::RuleDispute { case: case("R-1"), ruling, appeal_until, note: note() };
        desk.give(Role::Platform, rule).unwrap();
        // Ruled at 09:02 on 10 March: the clock of a day ends on the 11th.
        assert_eq!(desk.order.next_wakeup(), Some(at("2026-03-11T09:02:00Z")));
        desk
    };
    let mut open = ruled("2026-03-11T10:00:00Z");
    let decision = tick_at(&mut open, at("2026-03-11T09:02:00Z"));
    assert_eq!(outcomes(&decision), [ExpiryOutcome::Blocked]);
    assert_eq!(open.status("R-1"), "declined");
    open.give(Role::Customer, Command::AppealRuling { case: case("R-1"), note: note() }).unwrap();
    let mut over = ruled("2026-03-11T09:02:00Z");
    let decision = tick_at(&mut over, at("2026-03-11T09:02:00Z"));
    assert_eq!(outcomes(&decision), [ExpiryOutcome::CarriedOut]);
}

/// CAS-67: a ruling for the seller is not undone by a timer: it permits nothing, accepts nothing and pays
/// nothing ahead; what people accepted all the same is paid [40].
#[test]
fn no_timer_decides_for_the_customer_after_a_ruling_for_the_seller() {
    let stages = ["awaiting_inspection", "awaiting_receipt", "awaiting_settlement"];
    let timers = stages.map(|stage| timer(stage, 86_400, "refund")).join(",");
    let sent = |desk: &mut Desk| {
        let lines = units(&[("1", 1)]);
        let back = Command::SendBack { case: case("R-1"), parcel: parcel("BACK-1"), lines };
        desk.give(Role::Customer, back).unwrap();
    };
    let arrived = |desk: &mut Desk| {
        desk.receive("R-1", &[("1", 1)]).unwrap();
    };
    let steps: [&dyn Fn(&mut Desk); 2] = [&sent, &arrived];
    for step in steps {
        let mut desk = practice(&timers, "");
        desk.open("R-1", &[("1", 1)]).unwrap();
        desk.authorize("R-1").unwrap();
        step(&mut desk);
        dispute(&mut desk, Ruling::ForSeller);
        let due = desk.order.next_wakeup().unwrap();
        assert_eq!(outcomes(&tick_at(&mut desk, due)), [ExpiryOutcome::Blocked]);
        assert!(desk.order.money().refunded().is_zero());
        if desk.status("R-1") == "in_transit" {
            desk.receive_from("R-1", Some(parcel("BACK-1")), &[("1", 1)]).unwrap();
        }
        // The seller is generous: what it accepts it pays.
        desk.accept("R-1", &[("1", 1)]).unwrap();
        let due = desk.order.next_wakeup().unwrap();
        assert_eq!(outcomes(&tick_at(&mut desk, due)), [ExpiryOutcome::CarriedOut]);
        assert_eq!(desk.order.money().refunded(), pounds("60.00"));
    }
    // A parcel is called back, or on its way back: the clock permits nothing and pays nothing either.
    let mut draft = sale(&[("1", 1, 1, "60.00")]).draft().clone();
    draft.shipments[0].delivered_at = None;
    let sold = Sale::freeze(draft).unwrap();
    let called = timer("awaiting_interception", 86_400, "agree");
    let rules = shop(&format!("{called},{timers}"), "");
    for turned in [false, true] {
        let mut desk = Desk::under(rules.clone(), sold.clone());
        desk.open_as("R-1", Resolution::RefundOnly, &[("1", 1)]).unwrap();
        let (id, out) = (|| case("R-1"), || parcel("OUT-1"));
        let call = Command::InterceptParcel { case: id(), parcel: out(), lines: vec![] };
        desk.give(Role::Agent, call).unwrap();
        if turned {
            let outcome = InterceptionOutcome::Intercepted;
            let back = Command::RecordInterception { case: id(), parcel: out(), outcome };
            desk.give(Role::System, back).unwrap();
        }
        dispute(&mut desk, Ruling::ForSeller);
        let due = desk.order.next_wakeup().unwrap();
        assert_eq!(outcomes(&tick_at(&mut desk, due)), [ExpiryOutcome::Blocked]);
        let status = if turned { "in_transit" } else { "intercepting" };
        assert_eq!(desk.status("R-1"), status);
    }
}

/// Rules that cannot tell a deadline any more still do not count the time on hold.
#[test]
fn a_hold_moves_a_clock_that_the_rules_of_now_cannot_tell() {
    let mut desk = Desk::under(market(B2B), sale(&[("1", 1, 1, "60.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let due = desk.order.next_wakeup().unwrap();
    desk.give(Role::Agent, Command::Hold { case: case("R-1"), note: note() }).unwrap();
    let (held, long) = (desk.events.last().unwrap().at, 30 * 86_400);
    desk.change_rules(shop("", "")); // without opening hours nobody counts working days
    desk.now = add_seconds(held, long).unwrap();
    desk.give(Role::Agent, Command::Release { case: case("R-1") }).unwrap();
    assert_eq!(desk.order.next_wakeup(), add_seconds(due, long).ok());
}

/// A deadline that a stored history puts before its own start fires late, and no event goes back in time.
#[test]
fn a_clock_set_in_the_past_fires_now() {
    let mut desk = practice(&timer("awaiting_decision", 86_400, "agree"), "");
    desk.open("R-1", &[("1", 1)]).unwrap();
    for event in &mut desk.events {
        if let EventFact::DeadlineSet { due, .. } = &mut event.fact {
            *due = at("2026-03-09T09:00:00Z");
        }
    }
    desk.order = AfterSale::replay(desk.sale.clone(), &desk.events).unwrap();
    let opened = desk.events[0].at;
    let now = desk.now;
    let fired = tick_at(&mut desk, now);
    assert_eq!(outcomes(&fired), [ExpiryOutcome::CarriedOut]);
    assert!(fired.events.iter().all(|event| event.at == opened), "not before what it follows");
    desk.replays();
}
