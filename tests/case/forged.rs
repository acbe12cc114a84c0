//! Stored histories that were changed by hand: each is refused at the event that cannot be.

use crate::fixtures::claim_from_supplier;
use crate::support::{Desk, case, line, pounds, sale};
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::event::{Event, EventFact};
use aftersale::case::recovery::RecoveryResult;
use aftersale::case::refund::PaymentResult;
use aftersale::case::resolution::Resolution;
use aftersale::case::{AfterSale, ReplayError};
use aftersale::quantity::{Quantity, Unit};

fn note() -> String {
    "torn seam".to_owned()
}

/// Replays the history of a desk with its facts changed.
fn forged(desk: &Desk, forge: impl Fn(&mut EventFact)) -> Option<ReplayError> {
    let mut events = desk.events.clone();
    events.iter_mut().for_each(|event| forge(&mut event.fact));
    AfterSale::replay(desk.sale.clone(), &events).err()
}

/// A claim of 2.00 against the supplier, given up again.
fn claimed() -> Desk {
    let mut desk = Desk::new(sale(&[("1", 1, 1, "60.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    claim_from_supplier(&mut desk);
    let result = RecoveryResult::WrittenOff { note: note() };
    desk.give(Role::Finance, Command::RecordRecovery { case: case("R-1"), claim: 1, result })
        .unwrap();
    desk.replays();
    desk
}

#[test]
fn a_claim_out_of_its_turn_does_not_replay() {
    let desk = claimed();
    let sequence = desk.events.len() as u64 - 1;
    let fault = forged(&desk, |fact| {
        if let EventFact::RecoveryClaimOpened { claim, .. } = fact {
            *claim = 2;
        }
    });
    assert_eq!(fault, Some(ReplayError::DoesNotAddUp { sequence }));
}

#[test]
fn a_claim_that_ended_ends_once() {
    let desk = claimed();
    let mut events = desk.events.clone();
    let mut again: Event = events.last().unwrap().clone();
    again.sequence += 1;
    let sequence = again.sequence;
    events.push(again);
    let fault = AfterSale::replay(desk.sale.clone(), &events).err();
    assert_eq!(fault, Some(ReplayError::DoesNotAddUp { sequence }));
}

#[test]
fn units_of_another_measure_do_not_replay() {
    let mut desk = Desk::new(sale(&[("1", 2, 2, "60.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    let fault = forged(&desk, |fact| {
        if let EventFact::GoodsReceived { postings, .. } = fact {
            let steps = postings[0].quantity.steps();
            postings[0].quantity = Quantity::new(steps, Unit::known("kg").unwrap()).unwrap();
        }
    });
    assert_eq!(fault, Some(ReplayError::NotThere { sequence: 3, line: line("1") }));
}

#[test]
fn goods_that_go_out_have_a_line_of_their_own() {
    let mut desk = Desk::new(sale(&[("1", 2, 2, "60.00")]));
    desk.open_as("R-1", Resolution::AdvanceReplacement, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    let items = vec![crate::support::item("1b", "1", None)];
    let charge_on = crate::support::at("2026-03-25T00:00:00Z");
    desk.give(Role::Agent, Command::SendAdvance { case: case("R-1"), items, charge_on }).unwrap();
    let fault = forged(&desk, |fact| {
        if let EventFact::ReplacementPlanned { items, .. } = fact {
            items[0].line = line("1");
        }
    });
    assert_eq!(fault, Some(ReplayError::Unknown { sequence: 3 }));
}

#[test]
fn an_amended_order_ships_nothing_that_was_cancelled() {
    let mut desk = Desk::new(sale(&[("1", 2, 1, "10.00")]));
    desk.open_as("R-1", Resolution::RefundOnly, &[("1", 1)]).unwrap();
    let mut amended = sale(&[("1", 3, 1, "10.00")]).draft().clone();
    amended.version = 2;
    desk.give(Role::System, Command::AmendSale { sale: Box::new(amended) }).unwrap();
    desk.replays();
    let more = sale(&[("1", 3, 3, "10.00")]);
    let fault = forged(&desk, |fact| {
        if let EventFact::SaleAmended { sale } = fact {
            sale.shipments = more.draft().shipments.clone();
        }
    });
    assert_eq!(fault, Some(ReplayError::DoesNotAddUp { sequence: 2 }));
}

#[test]
fn a_payment_is_made_once_and_of_what_is_owed() {
    let mut desk = Desk::new(sale(&[("1", 1, 1, "60.00")]));
    desk.open_as("R-1", Resolution::Exchange, &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 1)]).unwrap();
    desk.accept("R-1", &[("1", 1)]).unwrap();
    let (id, items) = (case("R-1"), vec![crate::support::item("1b", "1", Some("80.00"))]);
    let exchange = Command::Exchange { case: id, lines: vec![], items, terms: Box::default() };
    desk.give(Role::Agent, exchange).unwrap();
    let mut tender = desk.sale.tenders()[0].clone();
    tender.captured = pounds("20.00");
    desk.report("R-1", 1, PaymentResult::Collected { tender: Box::new(tender) }).unwrap();
    desk.replays();
    let sequence = desk.events.last().unwrap().sequence;
    let more = forged(&desk, |fact| {
        if let EventFact::PaymentRecorded { result: PaymentResult::Collected { tender }, .. } = fact
        {
            tender.captured = pounds("20.01");
        }
    });
    assert_eq!(more, Some(ReplayError::DoesNotAddUp { sequence }));
    let unknown = forged(&desk, |fact| {
        if let EventFact::PaymentRecorded { payment, .. } = fact {
            *payment = 2;
        }
    });
    assert_eq!(unknown, Some(ReplayError::DoesNotAddUp { sequence }));
    let mut events = desk.events.clone();
    let mut again = events.last().unwrap().clone();
    again.sequence += 1;
    events.push(again);
    let twice = AfterSale::replay(desk.sale.clone(), &events).err();
    assert_eq!(twice, Some(ReplayError::DoesNotAddUp { sequence: sequence + 1 }));
}
