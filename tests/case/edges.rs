//! Edges of cases: what a small slip of the engine would change, one named example each.

use crate::fixtures::{acts, amend, exchanged, jackets, note, practice, shop, tick_at, timer};
use crate::support::{
    Desk, at, case, item, line, obstacles, parcel, pieces, pounds, rules, sale, units, wanted,
};
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::duty::DutyAct;
use aftersale::case::ledger::Location;
use aftersale::case::liability::Party;
use aftersale::case::line::LineQuantity;
use aftersale::case::obligation::PaymentState;
use aftersale::case::parcel::{InterceptionOutcome, Scan, ScanState};
use aftersale::case::refund::{PaymentResult, RefundTerms};
use aftersale::case::refusal::Obstacle;
use aftersale::case::resolution::Resolution;
use aftersale::explain::Fact;
use aftersale::id::FactName;
use aftersale::inspection::Disposition;
use aftersale::money::currency::Currency;
use aftersale::number::Rounding;
use aftersale::policy::set::PolicySet;
use aftersale::preset::policies::STORE;
use aftersale::rules::Rules;
use aftersale::sale::Sale;
use aftersale::sale::draft::{SaleDraft, Tender, TenderKind};
use aftersale::sale::fault::Place;
use aftersale::settlement::request::{CashBasis, CashRounding};

#[test]
fn what_is_planned_to_go_out_is_cancelled_before_a_case_is_taken_back() {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::Reship, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    let plan = Command::Reship { case: case("R-1"), items: vec![item("1b", "1", None)] };
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

#[test]
fn only_a_payment_that_failed_is_tried_again() {
    let mut desk = jackets();
    desk.whole_return("R-1", &[("1", 1)]).unwrap();
    let retry = Command::RetryPayment { case: case("R-1"), obligation: 1, payment: 1 };
    let not_failed = Obstacle::NotFailed { obligation: 1, payment: 1 };
    assert_eq!(obstacles(desk.give(Role::Finance, retry)), [not_failed]);
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
    Command::SendAdvance { case: case("R-1"), items: vec![item(new, "1", price)], charge_on }
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

/// What the customer paid for goods that do not go out was paid: it is refunded, not forgotten.
#[test]
fn a_collected_difference_stays_paid_when_the_goods_do_not_go_out() {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::Exchange, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let (owner, items) = (|| case("R-1"), vec![item("1b", "1", Some("80.00"))]);
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

// ---- opened again, and amended orders -----------------------------------------------------------

/// CAS-69: a case that ended without settlement and is opened again asks for its goods again, as far as
/// nothing else has them meanwhile; what was settled or refused is not asked for [2, 30].
#[test]
fn a_case_opened_again_asks_for_its_goods_again() {
    let reopen = || Command::Reopen { case: case("R-1"), note: note() };
    let held =
        |desk: &Desk, location| desk.order.case(&case("R-1")).unwrap().lines[0].held.at(location);
    // The buyer was late with the waybill and sent the goods all the same.
    let mut desk = practice(&timer("awaiting_return", 86_400, "close"), "");
    desk.open("R-1", &[("1", 2)]).unwrap();
    desk.authorize("R-1").unwrap();
    let due = desk.order.next_wakeup().unwrap();
    tick_at(&mut desk, due);
    assert_eq!((desk.status("R-1").as_str(), held(&desk, Location::Requested)), ("expired", 0));
    let mut taken = desk.clone();
    desk.give(Role::Supervisor, reopen()).unwrap();
    assert_eq!(
        (desk.status("R-1").as_str(), held(&desk, Location::Requested)),
        ("awaiting_return", 2)
    );
    assert!(desk.order.next_wakeup().is_some(), "its clock runs anew");
    let back = Command::SendBack {
        case: case("R-1"),
        parcel: parcel("BACK-1"),
        lines: units(&[("1", 2)]),
    };
    desk.give(Role::Customer, back).unwrap();
    desk.replays();
    // Somebody else asks for one of them meanwhile.
    taken.open("R-2", &[("1", 1)]).unwrap();
    let refused = obstacles(taken.give(Role::Supervisor, reopen()));
    assert!(matches!(refused[..], [Obstacle::NotEnough { .. }]), "{refused:?}");
    // A request that nobody decided goes on as one; units not shipped are held back again.
    let mut desk = Desk::under(
        shop(&timer("awaiting_evidence", 86_400, "close"), ""),
        sale(&[("1", 2, 1, "60.00")]),
    );
    desk.open_as("R-1", Resolution::RefundOnly, &[("1", 2)]).unwrap();
    desk.give(Role::Agent, Command::RequestInfo { case: case("R-1"), note: note() }).unwrap();
    let due = desk.order.next_wakeup().unwrap();
    tick_at(&mut desk, due);
    let again = acts(&desk.give(Role::Supervisor, reopen()).unwrap());
    let hold = DutyAct::HoldShipment { line: line("1"), quantity: pieces(1) };
    assert!(again.contains(&hold), "{again:?}");
    assert_eq!((held(&desk, Location::Requested), held(&desk, Location::HeldBack)), (1, 1));
    // What was settled is not asked for, and what was refused stays refused.
    let mut desk = jackets();
    desk.whole_return("R-1", &[("1", 1)]).unwrap();
    desk.pay("R-1", 1).unwrap();
    desk.close("R-1").unwrap();
    desk.give(Role::Supervisor, reopen()).unwrap();
    assert_eq!(held(&desk, Location::Requested), 0);
    let mut desk = jackets();
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.give(Role::Agent, Command::Decline { case: case("R-1"), note: note() }).unwrap();
    desk.close("R-1").unwrap();
    desk.give(Role::Supervisor, reopen()).unwrap();
    assert_eq!(held(&desk, Location::Requested), 0);
}

/// CAS-99: an amended order is the same order: its currency and units stay, and what was paid for a charge
/// or on a tender is not taken away [11, 22].
#[test]
fn an_amended_order_keeps_its_currency_its_units_and_its_payments() {
    let text = r#"{"order":"SO-1","currency":"GBP","placed_at":"2026-03-02T09:00:00Z","version":1,
        "prices":"tax_included",
        "lines":[{"id":"1","sku":"RICE","quantity":{"amount":"2","unit":"pcs"},"unit_price":"30.00"}],
        "charges":[{"id":"freight","kind":"freight","amount":{"amount":"10.00","currency":"GBP"}}],
        "tenders":[{"id":"card","kind":"card","captured":{"amount":"50.00","currency":"GBP"}},
                   {"id":"points","kind":"points","captured":{"amount":"20.00","currency":"GBP"}}],
        "shipments":[],"total":{"amount":"70.00","currency":"GBP"}}"#;
    let sold: Sale = serde_json::from_str(text).unwrap();
    let amended = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value: serde_json::Value = serde_json::from_str(text).unwrap();
        value["version"] = 2.into();
        change(&mut value);
        let draft = serde_json::from_value(value).unwrap();
        Desk::new(sold.clone()).give(Role::System, Command::AmendSale { sale: Box::new(draft) })
    };
    amended(&|_| {}).unwrap();
    let dearer = text.replace("GBP", "EUR");
    let draft: SaleDraft =
        serde_json::from_str(&dearer.replace(r#""version":1"#, r#""version":2"#)).unwrap();
    let other =
        Desk::new(sold.clone()).give(Role::System, Command::AmendSale { sale: Box::new(draft) });
    let (found, current) = (Currency::EUR, Currency::GBP);
    assert_eq!(obstacles(other), [Obstacle::OtherCurrency { found, current }]);
    let weighed = amended(&|value| {
        value["lines"][0]["quantity"] = serde_json::json!({"amount": "2", "unit": "kg"});
    });
    assert!(matches!(obstacles(weighed)[..], [Obstacle::WrongUnit { .. }]));
    let charge = Place::Charge("freight".parse().unwrap());
    let free = amended(&|value| {
        value["charges"][0]["amount"]["amount"] = "0.00".into();
        value["lines"][0]["unit_price"] = "35.00".into();
    });
    assert_eq!(obstacles(free), [Obstacle::AmendmentTakesBack { place: charge }]);
    let moved = amended(&|value| {
        value["tenders"][0]["captured"]["amount"] = "60.00".into();
        value["tenders"][1]["captured"]["amount"] = "10.00".into();
    });
    let points = Place::Tender("points".parse().unwrap());
    assert_eq!(obstacles(moved), [Obstacle::AmendmentTakesBack { place: points }]);
}

/// Money that was collected after the sale stays on its tender when the order is amended.
#[test]
fn what_was_collected_stays_when_the_order_is_amended() {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::Exchange, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let (id, items) = (case("R-1"), vec![item("1b", "1", Some("80.00"))]);
    let exchange = Command::Exchange { case: id, lines: vec![], items, terms: Box::default() };
    desk.give(Role::Agent, exchange).unwrap();
    let mut tender = desk.sale.tenders()[0].clone();
    tender.captured = pounds("20.00"); // the difference, on the card that paid the order
    desk.report("R-1", 1, PaymentResult::Collected { tender: Box::new(tender) }).unwrap();
    let left = |desk: &Desk| {
        let card = desk.sale.tenders()[0].id.clone();
        desk.order.money().left_on_tender(&card).unwrap()
    };
    assert_eq!(left(&desk), pounds("140.00"));
    let mut more = sale(&[("1", 3, 2, "60.00")]).draft().clone();
    more.version = 2;
    desk.give(Role::System, Command::AmendSale { sale: Box::new(more) }).unwrap();
    assert_eq!(left(&desk), pounds("200.00"));
    desk.replays();
}

/// What is paid in cash is rounded to the coins there are; what is owed stays what it was.
#[test]
fn a_payment_in_cash_is_of_whole_coins() {
    let mut draft = sale(&[("1", 1, 1, "60.02")]).draft().clone();
    draft.tenders[0].kind = TenderKind::Cash;
    let mut desk = Desk::new(Sale::freeze(draft).unwrap());
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let (rounding, on) = (Rounding::HalfUp, CashBasis::Total);
    let cash = Some(CashRounding { step: 5, rounding, on });
    let terms = Box::new(RefundTerms { cash, ..RefundTerms::default() });
    let refund = Command::Refund { case: case("R-1"), lines: vec![], terms };
    let paid = acts(&desk.give(Role::Finance, refund).unwrap());
    let amounts = paid.iter().filter_map(|act| match act {
        DutyAct::Pay { payment, .. } => Some(payment.amount),
        _ => None,
    });
    assert_eq!(amounts.collect::<Vec<_>>(), [pounds("60.00")]);
}
