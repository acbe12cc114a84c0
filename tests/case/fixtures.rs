//! Desks and commands that several modules of these tests need.

use std::collections::BTreeSet;

use crate::support::{Desk, at, case, item, line, parcel, pounds, practiced, sale, units};
use aftersale::case::Decision;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::{Offer, Ruling};
use aftersale::case::duty::DutyAct;
use aftersale::case::event::EventFact;
use aftersale::case::liability::{Liability, Party};
use aftersale::case::line::RequestedLine;
use aftersale::case::recovery::{CostKind, RecoveryDemand};
use aftersale::case::refusal::Refusal;
use aftersale::case::resolution::Resolution;
use aftersale::case::timer::ExpiryOutcome;
use aftersale::id::SerialId;
use aftersale::number::Ratio;
use aftersale::rules::Rules;
use aftersale::settlement::recovery::DebtorId;
use aftersale::time::{Instant, add_seconds};

pub fn jackets() -> Desk {
    Desk::new(sale(&[("1", 2, 2, "60.00")]))
}

pub fn note() -> String {
    "looked into".to_owned()
}

pub fn serials(names: &[&str]) -> BTreeSet<SerialId> {
    names.iter().map(|name| SerialId::new(*name).unwrap()).collect()
}

pub fn offer(desk: &mut Desk, amount: &str) {
    let offer =
        Offer { resolution: Resolution::PartialRefund, amount: Some(pounds(amount)), note: note() };
    desk.give(Role::Agent, Command::Offer { case: case("R-1"), offer }).unwrap();
}

pub fn amend(
    desk: &mut Desk,
    resolution: Resolution,
    lines: Vec<RequestedLine>,
) -> Result<Decision, Refusal> {
    desk.give(Role::Customer, Command::AmendCase { case: case("R-1"), resolution, lines })
}

/// Rules with a practice from its timers, in JSON, with what else it says.
pub fn shop(timers: &str, more: &str) -> Rules {
    let text =
        format!(r#"{{"id":"shop","label":{{"en":"Shop","zh":"店"}},"timers":[{timers}]{more}}}"#);
    practiced(serde_json::from_str(&text).unwrap())
}

/// Two jackets under such rules.
pub fn practice(timers: &str, more: &str) -> Desk {
    Desk::under(shop(timers, more), sale(&[("1", 2, 2, "60.00")]))
}

pub fn timer(stage: &str, seconds: i64, action: &str) -> String {
    format!(
        r#"{{"id":"{stage}","stage":"{stage}","length":{{"natural":{{"seconds":{seconds}}}}},
            "on_expiry":"{action}"}}"#
    )
}

pub fn outcomes(decision: &Decision) -> Vec<ExpiryOutcome> {
    let breached = decision.events.iter().filter_map(|event| match &event.fact {
        EventFact::DeadlineBreached { outcome, .. } => Some(*outcome),
        _ => None,
    });
    breached.collect()
}

pub fn tick_at(desk: &mut Desk, now: Instant) -> Decision {
    desk.now = now;
    desk.give(Role::System, Command::Tick).unwrap()
}

pub fn dispute(desk: &mut Desk, ruling: Ruling) {
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    let (case, appeal_until) = (case("R-1"), None);
    let rule = Command::RuleDispute { case, ruling, appeal_until, note: note() };
    desk.give(Role::Platform, rule).unwrap();
}

/// One of two jackets was exchanged, and the other article arrived at a time.
pub fn exchanged(arrived: &str) -> Desk {
    let mut desk = jackets();
    desk.open_as("R-1", Resolution::Exchange, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let (owner, items) = (|| case("R-1"), vec![item("1b", "1", None)]);
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

pub fn home(desk: &mut Desk, id: &str, count: i64) {
    let lines = units(&[("1", count)]);
    desk.give(Role::Warehouse, Command::ReturnToCustomer { case: case(id), lines }).unwrap();
}

pub fn acts(decision: &Decision) -> Vec<DutyAct> {
    decision.duties.iter().map(|duty| duty.act.clone()).collect()
}

/// The supplier is liable for line 1, which cost 5.00 to handle, and is to pay 2.00 of it.
pub fn claim_from_supplier(desk: &mut Desk) {
    let (owner, of, note) = (|| case("R-1"), || line("1"), || "torn seam".to_owned());
    let liability = Liability::new([(Party::Supplier, Ratio::ONE)], note(), []).unwrap();
    let attribute = Command::AttributeLiability { case: owner(), line: of(), liability };
    desk.give(Role::Supervisor, attribute).unwrap();
    let (kind, amount) = (CostKind::Handling, pounds("5.00"));
    let cost = Command::RecordCost { case: owner(), line: of(), kind, amount, note: note() };
    desk.give(Role::Warehouse, cost).unwrap();
    let (party, debtor) = (Party::Supplier, DebtorId::new("mill-7").unwrap());
    let amount = Some(pounds("2.00"));
    let demand = RecoveryDemand { line: of(), party, debtor, amount, note: note() };
    desk.give(Role::Agent, Command::OpenRecoveryClaim { case: owner(), demand }).unwrap();
}

/// A jacket under the practice of WeChat's shop whose return was just permitted, and when its waybill is
/// due: seven times 24 hours later.
pub fn awaiting_waybill(rules: Rules) -> (Desk, Instant) {
    let mut desk = Desk::under(rules, sale(&[("1", 1, 1, "60.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let permitted = desk.now;
    desk.authorize("R-1").unwrap();
    let due = add_seconds(permitted, 7 * 24 * 3600).unwrap();
    assert_eq!(desk.order.next_wakeup(), Some(due));
    (desk, due)
}
