//! Folding events into the state, and checking a stored history before it is trusted.

use alloc::collections::BTreeMap;

use super::AfterSale;
use super::ReplayError;
use super::command::PaymentResult;
use super::event::{Event, EventFact, OpenedLine};
use super::ledger::{Balance, Location, Posting, is_movement};
use super::obligation::{Obligation, Payment, PaymentState, payments_of};
use super::state::{Approval, CaseLine, Closing, ParcelState, ReturnCase};
use crate::id::OrderLineId;
use crate::reason::history::ReasonHistory;
use crate::sale::Sale;

/// Whether an event may follow the state: for stored histories, which may be damaged or forged.
pub(super) fn check(order: &AfterSale, event: &Event) -> Result<(), ReplayError> {
    let sequence = event.sequence;
    let expected = order.version.saturating_add(1);
    if sequence != expected {
        return Err(ReplayError::OutOfSequence { expected, found: sequence });
    }
    if let Some(before) = order.last_at.filter(|before| event.at < *before) {
        return Err(ReplayError::TimeReversed { sequence, at: event.at, before });
    }
    let opens = matches!(event.fact, EventFact::CaseOpened { .. });
    let case = event.fact.case();
    if case.is_some_and(|case| order.cases.contains_key(case) == opens) {
        return Err(ReplayError::Unknown { sequence });
    }
    check_postings(order, event)?;
    match &event.fact {
        EventFact::CaseOpened { lines, .. } => {
            let known = |line: &OpenedLine| order.sale.position(&line.line).is_some();
            if !lines.iter().all(known) {
                return Err(ReplayError::Unknown { sequence });
            }
        }
        EventFact::RefundPlanned { settlement, .. } => {
            if !order.money.admits(settlement) {
                return Err(ReplayError::DoesNotAddUp { sequence });
            }
        }
        EventFact::SaleAmended { sale } => {
            Sale::freeze((**sale).clone()).map_err(|_| ReplayError::DoesNotAddUp { sequence })?;
        }
        EventFact::CaseWithdrawn { .. }
        | EventFact::ReturnAuthorized { .. }
        | EventFact::ReturnDeclined { .. }
        | EventFact::GoodsSentBack { .. }
        | EventFact::GoodsReceived { .. }
        | EventFact::UnitsAccepted { .. }
        | EventFact::UnitsRejected { .. }
        | EventFact::UnitsReturned { .. }
        | EventFact::PaymentRecorded { .. }
        | EventFact::PaymentRetried { .. }
        | EventFact::CaseClosed { .. }
        | EventFact::ReasonAsserted { .. } => {}
    }
    Ok(())
}

/// Every movement is a legal one, of units that are there.
fn check_postings(order: &AfterSale, event: &Event) -> Result<(), ReplayError> {
    let sequence = event.sequence;
    // Several postings of one line are tried together, so that no unit is taken twice.
    let mut trial: BTreeMap<usize, Balance> = BTreeMap::new();
    let postings = event.fact.postings();
    for posting in postings {
        let not_there = || ReplayError::NotThere { sequence, line: posting.line.clone() };
        let position = order.sale.position(&posting.line).ok_or_else(not_there)?;
        let mut balance = match trial.get(&position) {
            Some(balance) => *balance,
            None => order.quantities.balance(position).copied().unwrap_or_default(),
        };
        balance.shift(posting);
        let unit = order.sale.at(position).map(|line| line.ordered.quantity.unit());
        let short = balance.at(posting.from) < 0 && posting.from != Location::Stock;
        if short || !is_movement(posting.from, posting.to) || unit != Some(posting.quantity.unit())
        {
            return Err(not_there());
        }
        if postings.len() > 1 {
            trial.insert(position, balance);
        }
    }
    Ok(())
}

pub(super) fn evolve(order: &mut AfterSale, event: &Event) {
    order.version = event.sequence;
    order.last_at = Some(event.at);
    order.window.note(event);
    if let EventFact::SaleAmended { sale } = &event.fact {
        // A sale that does not add up cannot be in a checked history; it changes nothing.
        if let Ok(sale) = Sale::freeze((**sale).clone()) {
            order.quantities.amend(&order.sale, &sale);
            order.money.amend(&sale);
            order.sale = sale;
        }
        return;
    }
    if let EventFact::CaseOpened { case, resolution, lines, .. } = &event.fact {
        let opened = ReturnCase {
            id: case.clone(),
            opened_at: event.at,
            opened_by: event.actor.clone(),
            rules_version: event.rules_version,
            resolution: *resolution,
            approval: Approval::Submitted,
            ground: None,
            decline_note: None,
            lines: lines.iter().filter_map(|line| open_line(&order.sale, line)).collect(),
            parcels: BTreeMap::new(),
            unexpected: alloc::vec::Vec::new(),
            obligations: alloc::vec::Vec::new(),
            closing: None,
        };
        order.cases.insert(case.clone(), opened);
    }
    let Some(case) = event.fact.case().and_then(|case| order.cases.get_mut(case)) else { return };
    for posting in event.fact.postings() {
        if let Some(line) = case.line_mut(&posting.line) {
            line.held.shift(posting);
            order.quantities.post(line.position, posting);
        }
    }
    if let EventFact::RefundPlanned { settlement, .. } = &event.fact {
        order.money.apply(settlement);
    }
    fold(case, event);
}

fn open_line(sale: &Sale, opened: &OpenedLine) -> Option<CaseLine> {
    let mut reasons = ReasonHistory::new();
    reasons.record(opened.assertion.clone());
    Some(CaseLine {
        line: opened.line.clone(),
        position: sale.position(&opened.line)?,
        requested: opened.quantity,
        held: Balance::default(),
        serials: opened.serials.clone(),
        received_serials: Default::default(),
        received_lots: Default::default(),
        reasons,
        verdict: opened.verdict.clone(),
    })
}

fn fold(case: &mut ReturnCase, event: &Event) {
    match &event.fact {
        EventFact::CaseWithdrawn { .. } => {
            case.closing = Some(Closing::Withdrawn { at: event.at });
        }
        EventFact::CaseClosed { .. } => case.closing = Some(Closing::Closed { at: event.at }),
        EventFact::ReturnAuthorized { ground, .. } => {
            case.approval = Approval::Authorized;
            case.ground = Some(ground.clone());
        }
        EventFact::ReturnDeclined { note, .. } => {
            case.approval = Approval::Declined;
            case.decline_note = Some(note.clone());
        }
        EventFact::GoodsSentBack { parcel, .. } => {
            let state = ParcelState { sent_at: event.at, received_at: None };
            case.parcels.insert(parcel.clone(), state);
        }
        EventFact::GoodsReceived { parcel, marks, unexpected, .. } => {
            if let Some(state) = parcel.as_ref().and_then(|id| case.parcels.get_mut(id)) {
                state.received_at = Some(event.at);
            }
            for mark in marks {
                if let Some(line) = case.line_mut(&mark.line) {
                    line.received_serials.extend(mark.serials.iter().cloned());
                    line.received_lots.extend(mark.lots.iter().cloned());
                }
            }
            case.unexpected.extend(unexpected.iter().cloned());
        }
        EventFact::RefundPlanned { obligation, settlement, .. } => {
            let due = |order| Payment { order, state: PaymentState::Due, attempts: 1 };
            case.obligations.push(Obligation {
                number: *obligation,
                payments: payments_of(settlement).into_iter().map(due).collect(),
                settlement: settlement.clone(),
            });
        }
        EventFact::PaymentRecorded { obligation, payment, result, .. } => {
            if let Some(payment) = payment_mut(case, *obligation, *payment) {
                payment.state = match result {
                    PaymentResult::Paid { reference } | PaymentResult::PaidByHand { reference } => {
                        PaymentState::Paid { reference: reference.clone() }
                    }
                    PaymentResult::Failed { error } => {
                        PaymentState::Failed { error: error.clone() }
                    }
                };
            }
        }
        EventFact::PaymentRetried { obligation, order, .. } => {
            if let Some(payment) = payment_mut(case, *obligation, order.number) {
                payment.state = PaymentState::Due;
                payment.attempts = payment.attempts.saturating_add(1);
            }
        }
        EventFact::ReasonAsserted { line, assertion, .. } => record(case, line, assertion),
        EventFact::CaseOpened { .. }
        | EventFact::UnitsAccepted { .. }
        | EventFact::UnitsRejected { .. }
        | EventFact::UnitsReturned { .. }
        | EventFact::SaleAmended { .. } => {}
    }
}

fn record(
    case: &mut ReturnCase,
    line: &OrderLineId,
    assertion: &crate::reason::history::Assertion,
) {
    if let Some(line) = case.line_mut(line) {
        line.reasons.record(assertion.clone());
    }
}

fn payment_mut(case: &mut ReturnCase, obligation: u32, payment: u32) -> Option<&mut Payment> {
    let owed = case.obligations.iter_mut().find(|owed| owed.number == obligation)?;
    owed.payments.iter_mut().find(|owed| owed.order.number == payment)
}

/// A posting of a line from one location to another.
pub(super) fn posting(
    line: &OrderLineId,
    from: Location,
    to: Location,
    quantity: crate::quantity::Quantity,
) -> Posting {
    debug_assert!(is_movement(from, to), "a movement that the engine does not know");
    Posting { line: line.clone(), from, to, quantity }
}
