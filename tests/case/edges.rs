//! Edges of cases: what a small slip of the engine would change, one named example each.

use std::collections::BTreeSet;

use crate::support::{
    Desk, at, case, line, obstacles, parcel, pieces, pounds, practiced, sale, units,
};
use crate::support::{rules, wanted};
use aftersale::case::Decision;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::{Offer, Ruling};
use aftersale::case::duty::DutyAct;
use aftersale::case::event::EventFact;
use aftersale::case::ground::{AcceptanceBasis, Ground};
use aftersale::case::liability::Party;
use aftersale::case::line::{LineQuantity, ReceivedLine, RequestedLine, SplitOff};
use aftersale::case::obligation::PaymentState;
use aftersale::case::parcel::{InterceptionOutcome, Scan, ScanState};
use aftersale::case::parcel::{UnexpectedEnd, UnexpectedKind};
use aftersale::case::refund::{PaymentResult, RefundTerms};
use aftersale::case::refusal::parcel::ParcelObstacle;
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::replacement::ReplacementItem;
use aftersale::case::resolution::Resolution;
use aftersale::case::timer::ExpiryOutcome;
use aftersale::explain::Fact;
use aftersale::id::{FactName, SerialId};
use aftersale::inspection::{Disposition, Grade, Inspection};
use aftersale::policy::set::PolicySet;
use aftersale::preset::policies::STORE;
use aftersale::rules::Rules;
use aftersale::sale::draft::{Tender, TenderKind};
use aftersale::sale::{Paid, Sale};
use aftersale::settlement::request::OutgoingPrice;
use aftersale::time::{Instant, add_seconds};

fn jackets() -> Desk {
    Desk::new(sale(&[("1", 2, 2, "60.00")]))
}

fn note() -> String {
    "looked into".to_owned()
}

fn serials(names: &[&str]) -> BTreeSet<SerialId> {
    names.iter().map(|name| SerialId::new(*name).unwrap()).collect()
}

/// Jackets with the serial numbers S1 to S4, all delivered.
fn numbered() -> Desk {
    let mut draft = sale(&[("1", 4, 4, "60.00")]).draft().clone();
    draft.shipments[0].lines[0].serials = serials(&["S1", "S2", "S3", "S4"]);
    Desk::new(Sale::freeze(draft).unwrap())
}

fn named(count: i64, names: &[&str]) -> Vec<RequestedLine> {
    vec![RequestedLine { serials: serials(names), ..wanted("1", count) }]
}

fn open_named(desk: &mut Desk, id: &str, count: i64, names: &[&str]) -> Result<Decision, Refusal> {
    let (resolution, lines) = (Resolution::ReturnAndRefund, named(count, names));
    desk.give(Role::Customer, Command::OpenCase { case: case(id), resolution, lines })
}

fn read(desk: &mut Desk, id: &str, of: &str, names: &[&str]) -> Vec<UnexpectedKind> {
    let lines = vec![ReceivedLine {
        line: line(of),
        quantity: pieces(names.len().try_into().unwrap()),
        serials: serials(names),
        lots: Default::default(),
    }];
    let (owner, unexpected) = (case(id), Vec::new());
    let before = desk.order.case(&owner).unwrap().unexpected.len();
    desk.give(Role::Warehouse, Command::Receive { case: owner, parcel: None, lines, unexpected })
        .unwrap();
    let own = desk.order.case(&case(id)).unwrap();
    own.unexpected[before..].iter().map(|item| item.kind).collect()
}

fn home(desk: &mut Desk, id: &str, count: i64) {
    let lines = units(&[("1", count)]);
    desk.give(Role::Warehouse, Command::ReturnToCustomer { case: case(id), lines }).unwrap();
}

fn amend(
    desk: &mut Desk,
    resolution: Resolution,
    lines: Vec<RequestedLine>,
) -> Result<Decision, Refusal> {
    desk.give(Role::Customer, Command::AmendCase { case: case("R-1"), resolution, lines })
}

fn item(new: &str, price: Option<&str>) -> ReplacementItem {
    let own = |gross: &str| OutgoingPrice::Own(Paid { gross: pounds(gross), taxes: vec![] });
    ReplacementItem {
        line: line(new),
        replaces: line("1"),
        sku: "OTHER".parse().unwrap(),
        quantity: pieces(1),
        price: price.map(own),
    }
}

fn offer(desk: &mut Desk, amount: &str) {
    let offer =
        Offer { resolution: Resolution::PartialRefund, amount: Some(pounds(amount)), note: note() };
    desk.give(Role::Agent, Command::Offer { case: case("R-1"), offer }).unwrap();
}

/// A practice from its timers, in JSON, with what else it says.
fn practice(timers: &str, more: &str) -> Desk {
    let text =
        format!(r#"{{"id":"shop","label":{{"en":"Shop","zh":"店"}},"timers":[{timers}]{more}}}"#);
    Desk::under(practiced(serde_json::from_str(&text).unwrap()), sale(&[("1", 2, 2, "60.00")]))
}

fn timer(stage: &str, seconds: i64, action: &str) -> String {
    format!(
        r#"{{"id":"{stage}","stage":"{stage}","length":{{"natural":{{"seconds":{seconds}}}}},
            "on_expiry":"{action}"}}"#
    )
}

fn outcomes(decision: &Decision) -> Vec<ExpiryOutcome> {
    let breached = decision.events.iter().filter_map(|event| match &event.fact {
        EventFact::DeadlineBreached { outcome, .. } => Some(*outcome),
        _ => None,
    });
    breached.collect()
}

fn tick_at(desk: &mut Desk, now: Instant) -> Decision {
    desk.now = now;
    desk.give(Role::System, Command::Tick).unwrap()
}

// ---- from request to end ------------------------------------------------------------------------

#[test]
fn an_offer_is_answered_before_the_case_is_closed() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    offer(&mut desk, "20.00");
    assert!(matches!(obstacles(desk.close("R-1"))[..], [Obstacle::WrongStatus { .. }]));
}

#[test]
fn what_is_planned_to_go_out_is_cancelled_before_a_case_is_taken_back() {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::Reship, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    let plan = Command::Reship { case: case("R-1"), items: vec![item("1b", None)] };
    desk.give(Role::Agent, plan).unwrap();
    let taken_back = desk.give(Role::Customer, Command::Withdraw { case: case("R-1") });
    assert!(matches!(obstacles(taken_back)[..], [Obstacle::WrongStatus { .. }]));
}

#[test]
fn a_case_that_the_customer_took_back_is_not_opened_again() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.give(Role::Customer, Command::Withdraw { case: case("R-1") }).unwrap();
    let again = desk.give(Role::Supervisor, Command::Reopen { case: case("R-1"), note: note() });
    assert!(matches!(obstacles(again)[..], [Obstacle::WrongStatus { .. }]));
}

#[test]
fn an_amended_order_takes_back_neither_money_nor_shipments() {
    let mut desk = Desk::new(sale(&[("1", 2, 2, "10.00")]));
    for cheaper in [sale(&[("1", 2, 2, "9.99")]), sale(&[("1", 2, 1, "10.00")])] {
        let mut draft = cheaper.draft().clone();
        draft.version = 2;
        let amend = Command::AmendSale { sale: Box::new(draft) };
        let shrinks = Obstacle::AmendmentShrinks { line: line("1") };
        assert!(obstacles(desk.give(Role::System, amend)).contains(&shrinks));
    }
}

#[test]
fn asked_for_again_unchanged_is_still_asked_for_in_time() {
    let mut desk = jackets();
    desk.now = at("2026-04-01T09:00:00Z"); // within 30 days of 3 March
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.now = at("2026-04-20T09:00:00Z"); // after them
    amend(&mut desk, Resolution::Exchange, vec![wanted("1", 2)]).unwrap();
    assert!(desk.order.case(&case("R-1")).unwrap().lines[0].verdict.is_entitled());
}

// ---- serial numbers -----------------------------------------------------------------------------

#[test]
fn a_number_that_was_read_belongs_to_its_case_though_nobody_named_it() {
    let mut desk = numbered();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    assert_eq!(read(&mut desk, "R-1", "1", &["S1"]), []);
    let busy = Obstacle::SerialInUse { serial: "S1".parse().unwrap(), case: case("R-1") };
    assert_eq!(obstacles(open_named(&mut desk, "R-2", 1, &["S1"])), [busy]);
    open_named(&mut desk, "R-2", 1, &["S2"]).unwrap();
}

#[test]
fn a_number_of_a_refused_case_may_be_asked_for_again_and_an_amendment_keeps_its_own() {
    let mut desk = numbered();
    open_named(&mut desk, "R-0", 1, &["S1"]).unwrap();
    desk.give(Role::Agent, Command::Decline { case: case("R-0"), note: note() }).unwrap();
    open_named(&mut desk, "R-1", 1, &["S1"]).unwrap();
    amend(&mut desk, Resolution::Exchange, named(1, &["S1"])).unwrap();
}

#[test]
fn one_unit_does_not_come_back_twice_in_one_case() {
    let mut desk = numbered();
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    assert_eq!(read(&mut desk, "R-1", "1", &["S1"]), []);
    assert_eq!(read(&mut desk, "R-1", "1", &["S1"]), [UnexpectedKind::WrongSerial]);
    assert_eq!(read(&mut desk, "R-1", "1", &["S2"]), []);
}

/// A number that was in an earlier case and went home says nothing about which of two went home later.
#[test]
fn only_later_cases_say_which_of_two_units_went_home() {
    let mut desk = numbered();
    open_named(&mut desk, "R-1", 1, &["S1"]).unwrap();
    desk.authorize("R-1").unwrap();
    read(&mut desk, "R-1", "1", &["S1"]);
    desk.reject("R-1", &[("1", 1)]).unwrap();
    home(&mut desk, "R-1", 1);
    desk.close("R-1").unwrap();
    open_named(&mut desk, "R-2", 2, &["S1", "S2"]).unwrap();
    desk.authorize("R-2").unwrap();
    read(&mut desk, "R-2", "1", &["S1", "S2"]);
    desk.accept("R-2", &[("1", 1)]).unwrap();
    desk.reject("R-2", &[("1", 1)]).unwrap();
    home(&mut desk, "R-2", 1);
    desk.refund("R-2").unwrap();
    desk.pay("R-2", 1).unwrap();
    desk.close("R-2").unwrap();
    for either in ["S1", "S2"] {
        open_named(&mut desk.clone(), "R-3", 1, &[either]).unwrap();
    }
}

#[test]
fn numbers_of_goods_sent_in_exchange_are_believed() {
    let mut desk = exchanged("2026-03-11T09:00:00Z");
    desk.open("R-2", &[("1b", 1)]).unwrap();
    desk.authorize("R-2").unwrap();
    assert_eq!(read(&mut desk, "R-2", "1b", &["NEW-1"]), []);
    assert_eq!(desk.status("R-2"), "received");
}

/// One of two jackets was exchanged, and the other article arrived at a time.
fn exchanged(arrived: &str) -> Desk {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::Exchange, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let (owner, items) = (|| case("R-1"), vec![item("1b", None)]);
    let exchange = Command::Exchange { case: owner(), lines: vec![], items, terms: Box::default() };
    desk.give(Role::Agent, exchange).unwrap();
    let parcel = parcel("OUT-2");
    let ship = Command::ShipReplacement { case: owner(), replacement: 1, parcel };
    desk.give(Role::Warehouse, ship).unwrap();
    desk.now = at(arrived);
    let confirm = Command::ConfirmReplacement { case: owner(), replacement: 1 };
    desk.give(Role::Customer, confirm).unwrap();
    desk.close("R-1").unwrap();
    desk
}

// ---- clocks -------------------------------------------------------------------------------------

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
        let text =
            format!(r#"{{"id":"shop","label":{{"en":"Shop","zh":"店"}},"timers":[{timers}]}}"#);
        let rules = practiced(serde_json::from_str(&text).unwrap());
        let mut desk = Desk::under(rules, sold.clone());
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

// ---- the facts of a case ------------------------------------------------------------------------

fn fact_of(desk: &Desk, id: &str, name: &'static str) -> Option<Fact> {
    let closed = desk.order.closed_case(&case(id), None).unwrap();
    closed.facts.get(&FactName::new(name).unwrap()).cloned()
}

#[test]
fn the_facts_of_a_case_are_about_its_own_goods() {
    // Of two articles one has not left; of the other one of three is asked for.
    let mut draft = sale(&[("1", 3, 3, "20.00"), ("2", 1, 1, "5.00")]).draft().clone();
    let mut late = draft.shipments[0].clone();
    draft.shipments[0].lines.truncate(1);
    late.lines.remove(0);
    late.parcel = parcel("OUT-3");
    late.delivered_at = None;
    draft.shipments.push(late);
    let mut desk = Desk::new(Sale::freeze(draft).unwrap());
    for (id, lines, goods, amount) in [
        ("R-1", &[("1", 1)][..], "received", "20.00"),
        ("R-2", &[("1", 1), ("2", 1)][..], "shipped", "25.00"),
    ] {
        desk.open(id, lines).unwrap();
        desk.give(Role::Customer, Command::Withdraw { case: case(id) }).unwrap();
        assert_eq!(fact_of(&desk, id, "goods"), Some(Fact::code(goods)));
        assert_eq!(fact_of(&desk, id, "amount"), Some(Fact::Amount(pounds(amount))));
    }
    let mut desk = exchanged("2026-03-11T09:00:00Z");
    desk.open("R-2", &[("1b", 1)]).unwrap();
    desk.give(Role::Customer, Command::Withdraw { case: case("R-2") }).unwrap();
    assert_eq!(fact_of(&desk, "R-2", "goods"), Some(Fact::code("received")));
}

// ---- money and goods that go out ----------------------------------------------------------------

#[test]
fn only_a_payment_that_failed_is_tried_again() {
    let mut desk = jackets();
    desk.whole_return("R-1", &[("1", 1)]).unwrap();
    let retry = Command::RetryPayment { case: case("R-1"), obligation: 1, payment: 1 };
    let not_failed = Obstacle::NotFailed { obligation: 1, payment: 1 };
    assert_eq!(obstacles(desk.give(Role::Finance, retry)), [not_failed]);
}

#[test]
fn units_are_accepted_by_a_ruling_only_where_there_is_one() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    let accept = || {
        let (lines, basis) = (units(&[("1", 1)]), AcceptanceBasis::Ruling);
        Command::Accept { case: case("R-1"), lines, basis }
    };
    assert_eq!(obstacles(desk.give(Role::Supervisor, accept())), [Obstacle::NoRuling]);
    dispute(&mut desk, Ruling::ForCustomer);
    desk.give(Role::Supervisor, accept()).unwrap();
}

fn dispute(desk: &mut Desk, ruling: Ruling) {
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    let (case, appeal_until) = (case("R-1"), None);
    let rule = Command::RuleDispute { case, ruling, appeal_until, note: note() };
    desk.give(Role::Platform, rule).unwrap();
}

/// An offer that nobody took limits nothing: a ruling permits what was asked for.
#[test]
fn an_offer_that_was_not_taken_limits_nothing() {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::PartialRefund, &[("1", 1)]).unwrap();
    offer(&mut desk, "20.00");
    dispute(&mut desk, Ruling::ForCustomer);
    assert_eq!(desk.order.case(&case("R-1")).unwrap().ground, Some(Ground::Ruling));
    desk.refund_amount("R-1", "1", "25.00").unwrap();
}

/// An advance for one jacket, at a price or even.
fn advanced(price: Option<&str>) -> Desk {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::AdvanceReplacement, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.give(Role::Agent, send_advance("1b", price)).unwrap();
    desk
}

fn send_advance(new: &str, price: Option<&str>) -> Command {
    let charge_on = at("2026-03-25T00:00:00Z");
    Command::SendAdvance { case: case("R-1"), items: vec![item(new, price)], charge_on }
}

#[test]
fn a_case_sends_one_advance() {
    let mut desk = advanced(None);
    let second = desk.give(Role::Agent, send_advance("1c", None));
    assert!(matches!(obstacles(second)[..], [Obstacle::WrongStatus { .. }]));
}

/// The price of an advance is for a customer who keeps both; who sends the original back pays nothing.
#[test]
fn an_advance_costs_nothing_once_the_original_is_back_whatever_its_price() {
    let mut desk = advanced(Some("80.00"));
    desk.receive("R-1", &[("1", 1)]).unwrap();
    let mut held = desk.clone();
    held.give(Role::Agent, Command::Hold { case: case("R-1"), note: note() }).unwrap();
    held.accept("R-1", &[("1", 1)]).unwrap();
    let on_hold = |o: &Obstacle| matches!(o, Obstacle::OnHold { .. });
    assert!(obstacles(held.refund("R-1")).iter().all(on_hold), "only settling waits");
    held.give(Role::Agent, Command::Release { case: case("R-1") }).unwrap();
    held.refund("R-1").unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    for desk in [desk, held] {
        let settled = &desk.order.case(&case("R-1")).unwrap().obligations[0].settlement;
        assert!(settled.due.is_zero() && settled.total.is_zero());
    }
}

/// While an advance is open, goods go against goods: what came back in part is not refunded.
#[test]
fn nothing_is_refunded_while_an_advance_is_open() {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::AdvanceReplacement, &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.give(Role::Agent, send_advance("1b", None)).unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    assert_eq!(obstacles(desk.refund("R-1")), [Obstacle::NothingToSettle]);
}

/// Terms that were never asked about stay what they are for the type of the command.
#[test]
fn terms_alone_settle_nothing() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    let (case, lines, terms) = (case("R-1"), Vec::new(), Box::<RefundTerms>::default());
    let refused = desk.give(Role::Finance, Command::Refund { case, lines, terms });
    assert_eq!(obstacles(refused), [Obstacle::NothingToSettle]);
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

fn acts(decision: &Decision) -> Vec<DutyAct> {
    decision.duties.iter().map(|duty| duty.act.clone()).collect()
}

/// Units that change sides are put away or sent back anew; an advance wakes the host to charge it.
#[test]
fn what_changes_sides_is_carried_there() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    let (of, quantity) = (line("1"), pieces(1));
    let away = DutyAct::PutAway { line: of.clone(), quantity };
    let back = DutyAct::ShipBack { line: of, quantity };
    for _ in 0..2 {
        let rejected = acts(&desk.reject("R-1", &[("1", 1)]).unwrap());
        assert!(rejected.contains(&back) && !rejected.contains(&away));
        let accepted = acts(&desk.accept("R-1", &[("1", 1)]).unwrap());
        assert!(accepted.contains(&away) && !accepted.contains(&back));
    }
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::AdvanceReplacement, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    let sent = desk.give(Role::Agent, send_advance("1b", None)).unwrap();
    assert!(acts(&sent).contains(&DutyAct::WakeAt { at: at("2026-03-25T00:00:00Z") }));
}

#[test]
fn a_dispute_shows_before_a_hold() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.give(Role::Agent, Command::Hold { case: case("R-1"), note: note() }).unwrap();
    assert_eq!(desk.status("R-1"), "on_hold");
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    assert_eq!(desk.status("R-1"), "disputed");
}

// ---- disputes, inspections, offers --------------------------------------------------------------

/// One appeal of a ruling, in a window that is not over when it begins; what an appeal is ruled is final.
#[test]
fn a_window_for_appeals_lies_ahead_and_there_is_one() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    let rule = |until: Instant| {
        let (case, ruling, appeal_until) = (case("R-1"), Ruling::ForCustomer, Some(until));
        Command::RuleDispute { case, ruling, appeal_until, note: note() }
    };
    let now = desk.now;
    let over = [Obstacle::AppealOver { until: now }];
    assert_eq!(obstacles(desk.give(Role::Platform, rule(now))), over);
    let until = add_seconds(now, 86_400).unwrap();
    desk.give(Role::Platform, rule(until)).unwrap();
    let appeal = Command::AppealRuling { case: case("R-1"), note: note() };
    desk.give(Role::Customer, appeal).unwrap();
    let over = [Obstacle::AppealOver { until }];
    assert_eq!(obstacles(desk.give(Role::Platform, rule(until))), over);
    let (owner, ruling, appeal_until) = (case("R-1"), Ruling::ForCustomer, None);
    let last = Command::RuleDispute { case: owner, ruling, appeal_until, note: note() };
    desk.give(Role::Platform, last).unwrap();
    // What is ruled is appealed or accepted; a new dispute about it is not opened.
    let again = Command::OpenDispute { case: case("R-1"), note: note() };
    assert!(matches!(obstacles(desk.give(Role::Agent, again))[..], [Obstacle::WrongStatus { .. }]));
}

/// Goods that have moved are not refused by a ruling for the seller: they go home like any others.
#[test]
fn a_ruling_for_the_seller_releases_nothing_that_has_moved() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    dispute(&mut desk, Ruling::ForSeller);
    let own = desk.order.case(&case("R-1")).unwrap();
    assert_eq!(own.approval, aftersale::case::state::Approval::Authorized);
    assert_eq!(own.lines[0].held.at(aftersale::case::ledger::Location::Requested), 1);
    desk.reject("R-1", &[("1", 1)]).unwrap();
    home(&mut desk, "R-1", 1);
    desk.close("R-1").unwrap();
}

/// A permitted return has its label already: a ruling for the customer sends no second one.
#[test]
fn a_ruling_about_a_permitted_return_sends_no_second_label() {
    let labels = |decision: &Decision| {
        let acts = decision.duties.iter().map(|duty| &duty.act);
        acts.filter(|act| matches!(act, DutyAct::SendReturnInstructions { .. })).count()
    };
    for (permitted, expected) in [(true, 0), (false, 1)] {
        let mut desk = jackets();
        desk.open("R-1", &[("1", 1)]).unwrap();
        if permitted {
            assert_eq!(labels(&desk.authorize("R-1").unwrap()), 1);
        }
        let open = Command::OpenDispute { case: case("R-1"), note: note() };
        desk.give(Role::Customer, open).unwrap();
        let (case, ruling, appeal_until) = (case("R-1"), Ruling::ForCustomer, None);
        let rule = Command::RuleDispute { case, ruling, appeal_until, note: note() };
        assert_eq!(labels(&desk.give(Role::Platform, rule).unwrap()), expected);
    }
}

#[test]
fn an_offer_is_no_amount_below_zero_and_an_inspection_is_of_what_is_here() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 2)]).unwrap();
    let offer = |amount: &str| {
        let (resolution, amount) = (Resolution::PartialRefund, Some(pounds(amount)));
        Command::Offer { case: case("R-1"), offer: Offer { resolution, amount, note: note() } }
    };
    let (asked, offered) = (pounds("-0.01"), pounds("0.00"));
    let below = [Obstacle::MoreThanOffered { asked, offered }];
    assert_eq!(obstacles(desk.give(Role::Agent, offer("-0.01"))), below);
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    let inspect = |count| {
        let (findings, evidence) = Default::default();
        let inspection = Inspection { grade: Grade::Used, findings, evidence };
        let units = LineQuantity { line: line("1"), quantity: pieces(count) };
        Command::Inspect { case: case("R-1"), units, inspection }
    };
    let refused = obstacles(desk.give(Role::Inspector, inspect(2)));
    assert!(matches!(refused[..], [Obstacle::NotEnough { .. }]));
    desk.give(Role::Inspector, inspect(1)).unwrap();
}

/// Nobody knows yet where goods are that are called back: an offer waits for the carrier's answer.
#[test]
fn no_offer_is_made_while_a_parcel_is_called_back() {
    let mut draft = sale(&[("1", 1, 1, "60.00")]).draft().clone();
    draft.shipments[0].delivered_at = None;
    let mut desk = Desk::new(Sale::freeze(draft).unwrap());
    desk.open("R-1", &[("1", 1)]).unwrap();
    let call =
        Command::InterceptParcel { case: case("R-1"), parcel: parcel("OUT-1"), lines: vec![] };
    desk.give(Role::Agent, call).unwrap();
    let (resolution, amount) = (Resolution::PartialRefund, Some(pounds("5.00")));
    let offer =
        Command::Offer { case: case("R-1"), offer: Offer { resolution, amount, note: note() } };
    let open = ParcelObstacle::InterceptionOpen { parcel: parcel("OUT-1") };
    assert_eq!(obstacles(desk.give(Role::Agent, offer)), [Obstacle::Parcel(open)]);
}

/// The same reason said again by an amendment is said once.
#[test]
fn an_amendment_that_changes_no_reason_says_none() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 2)]).unwrap();
    amend(&mut desk, Resolution::Exchange, vec![wanted("1", 1)]).unwrap();
    let reasons =
        |desk: &Desk| desk.order.case(&case("R-1")).unwrap().lines[0].reasons.assertions().len();
    assert_eq!(reasons(&desk), 1);
    let mut other = wanted("1", 1);
    other.reason = "QLT.WORKMANSHIP".parse().unwrap();
    amend(&mut desk, Resolution::Exchange, vec![other]).unwrap();
    assert_eq!(reasons(&desk), 2);
}

// ---- what becomes of goods, deadlines and debts -------------------------------------------------

fn dispose(desk: &mut Desk, count: i64, to: Disposition) {
    let units = LineQuantity { line: line("1"), quantity: pieces(count) };
    let command = Command::SetDisposition { case: case("R-1"), units, from: None, to };
    desk.give(Role::Warehouse, command).unwrap();
}

fn disposed(desk: &Desk, to: Disposition) -> i64 {
    let own = &desk.order.case(&case("R-1")).unwrap().lines[0];
    own.disposed.get(&to).copied().unwrap_or(0)
}

/// A unit that leaves us takes its provisional disposition along.
#[test]
fn a_unit_that_leaves_is_no_longer_in_quarantine_or_in_repair() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 2)]).unwrap();
    desk.accept("R-1", &[("1", 2)]).unwrap();
    dispose(&mut desk, 2, Disposition::Quarantine);
    desk.reject("R-1", &[("1", 1)]).unwrap();
    assert_eq!(disposed(&desk, Disposition::Quarantine), 1);

    let mut desk = jackets();
    desk.open_as("R-1", Resolution::Repair, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    dispose(&mut desk, 1, Disposition::Rework);
    let repaired = Command::ReturnRepaired { case: case("R-1"), lines: units(&[("1", 1)]) };
    desk.give(Role::Warehouse, repaired).unwrap();
    assert_eq!(disposed(&desk, Disposition::Rework), 0);
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

/// What the customer paid for goods that do not go out was paid: it is refunded, not forgotten.
#[test]
fn a_collected_difference_stays_paid_when_the_goods_do_not_go_out() {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::Exchange, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let (owner, items) = (|| case("R-1"), vec![item("1b", Some("80.00"))]);
    let exchange = Command::Exchange { case: owner(), lines: vec![], items, terms: Box::default() };
    desk.give(Role::Agent, exchange).unwrap();
    let tender = Tender {
        id: "card-2".parse().unwrap(),
        kind: TenderKind::Card,
        captured: pounds("20.00"),
        in_kind: None,
        refunded_outside: None,
        refundable_until: None,
    };
    desk.report("R-1", 1, PaymentResult::Collected { tender: Box::new(tender) }).unwrap();
    let cancel = Command::CancelReplacement { case: owner(), replacement: 1 };
    desk.give(Role::Agent, cancel).unwrap();
    let paid = &desk.order.case(&owner()).unwrap().obligations[0].payments[0].state;
    assert!(matches!(paid, PaymentState::Paid { .. }), "{paid:?}");
    assert_eq!(desk.order.money().refunded(), pounds("80.00"));
}

/// What was called back never reached the customer: missing in its parcel it is lost, not kept.
#[test]
fn what_is_missing_in_a_parcel_called_back_is_no_shortage_of_the_customers() {
    let mut draft = sale(&[("1", 2, 2, "60.00")]).draft().clone();
    draft.shipments[0].delivered_at = None;
    let mut desk = Desk::new(Sale::freeze(draft).unwrap());
    desk.open("R-1", &[("1", 2)]).unwrap();
    let (owner, sent) = (|| case("R-1"), || parcel("OUT-1"));
    let call = Command::InterceptParcel { case: owner(), parcel: sent(), lines: vec![] };
    desk.give(Role::Agent, call).unwrap();
    let outcome = InterceptionOutcome::Intercepted;
    let turned = Command::RecordInterception { case: owner(), parcel: sent(), outcome };
    desk.give(Role::Warehouse, turned).unwrap();
    desk.receive_from("R-1", Some(sent()), &[("1", 1)]).unwrap();
    let short = Command::RecordShortage { case: owner(), parcel: sent() };
    let refused = [Obstacle::NotReceived { parcel: sent() }];
    assert_eq!(obstacles(desk.give(Role::Warehouse, short)), refused);
    desk.give(Role::Warehouse, Command::DeclareLost { case: owner(), parcel: sent() }).unwrap();
}

// ---- what a later step remembers of an earlier one ----------------------------------------------

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

#[test]
fn every_try_of_a_payment_is_counted() {
    let mut desk = jackets();
    desk.whole_return("R-1", &[("1", 1)]).unwrap();
    for tries in 1..=3 {
        let payment = &desk.order.case(&case("R-1")).unwrap().obligations[0].payments[0];
        assert_eq!(payment.attempts, tries);
        let failed = PaymentResult::Failed { error: "no answer".to_owned() };
        desk.report("R-1", 1, failed).unwrap();
        let retry = Command::RetryPayment { case: case("R-1"), obligation: 1, payment: 1 };
        desk.give(Role::Finance, retry).unwrap();
    }
}

/// An offer that was refused is gone: nothing was agreed for the case as a whole.
#[test]
fn a_refused_offer_is_gone() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 2)]).unwrap();
    offer(&mut desk, "20.00");
    desk.give(Role::Customer, Command::RefuseOffer { case: case("R-1") }).unwrap();
    assert_eq!(desk.order.case(&case("R-1")).unwrap().offer, None);
    let lines = vec![SplitOff { line: line("1"), quantity: pieces(1), serials: serials(&[]) }];
    let split = Command::Split { case: case("R-1"), into: case("R-2"), lines };
    desk.give(Role::Agent, split).unwrap();
}

/// A unit that was admitted under its own number has come back: its number is not free.
#[test]
fn the_number_of_an_admitted_unit_is_one_that_came_back() {
    let mut desk = numbered();
    open_named(&mut desk, "R-1", 1, &["S1"]).unwrap();
    desk.authorize("R-1").unwrap();
    assert_eq!(read(&mut desk, "R-1", "1", &["S2"]), [UnexpectedKind::WrongSerial]);
    let (owner, end) = (case("R-1"), UnexpectedEnd::Admitted);
    desk.give(Role::Supervisor, Command::ResolveUnexpected { case: owner, item: 1, end }).unwrap();
    let busy = Obstacle::SerialInUse { serial: "S2".parse().unwrap(), case: case("R-1") };
    assert_eq!(obstacles(open_named(&mut desk, "R-2", 1, &["S2"])), [busy]);
}

/// A parcel that was lost and paid for is not awaited: the other one was delivered.
#[test]
fn a_lost_parcel_is_not_awaited() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    for id in ["BACK-1", "BACK-2"] {
        let (owner, lines) = (case("R-1"), units(&[("1", 1)]));
        let back = Command::SendBack { case: owner, parcel: parcel(id), lines };
        desk.give(Role::Customer, back).unwrap();
    }
    let lost = Command::DeclareLost { case: case("R-1"), parcel: parcel("BACK-1") };
    desk.give(Role::Agent, lost).unwrap();
    desk.attribute("R-1", Party::Carrier);
    desk.refund("R-1").unwrap();
    desk.pay("R-1", 1).unwrap();
    assert_eq!(desk.status("R-1"), "in_transit");
    let scan = Scan { at: desk.now, state: ScanState::Delivered, place: None, note: None };
    let track = Command::UpdateTracking { case: case("R-1"), parcel: parcel("BACK-2"), scan };
    desk.give(Role::Warehouse, track).unwrap();
    assert_eq!(desk.status("R-1"), "awaiting_receipt");
}

/// The window of goods sent in exchange runs from their own arrival, whatever the rule counts from.
#[test]
fn goods_sent_in_exchange_have_a_window_of_their_own() {
    let policies = STORE.replace("\"delivered\"", "\"last_item_delivered\"");
    let policies = policies.replace("\"sold\", \"invoiced\", ", "");
    let policies: PolicySet = serde_json::from_str(&format!("[{policies}]")).unwrap();
    let mut desk = exchanged("2026-03-30T09:00:00Z");
    desk.change_rules(Rules::new(2, rules().taxonomy().clone(), policies, rules().place().clone()));
    desk.now = at("2026-04-20T09:00:00Z"); // 48 days after the order arrived, 21 after the exchange
    desk.open("R-2", &[("1b", 1)]).unwrap();
    desk.open("R-3", &[("1", 1)]).unwrap();
    let entitled = |id: &str| desk.order.case(&case(id)).unwrap().lines[0].verdict.is_entitled();
    assert!(entitled("R-2") && !entitled("R-3"));
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

/// Retries are known for the last 1,024 commands: what is remembered is bounded.
#[test]
fn retries_are_known_for_a_window_of_commands() {
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    let hold = |desk: &mut Desk| {
        let id = case("R-1");
        desk.give(Role::Agent, Command::Hold { case: id, note: note() }).unwrap();
        let release = Command::Release { case: case("R-1") };
        desk.give(Role::Agent, release).unwrap();
    };
    hold(&mut desk);
    let (first, last) = (desk.sent[1].clone(), desk.sent[2].clone());
    (0..511).for_each(|_| hold(&mut desk));
    assert!(desk.send(&last).unwrap().events.is_empty(), "1,023 commands later");
    hold(&mut desk);
    assert!(!desk.send(&first).unwrap().events.is_empty(), "forgotten by now");
}
