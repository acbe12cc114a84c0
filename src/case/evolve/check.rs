//! Whether an event of a stored history may follow: it may be damaged or forged.

use alloc::collections::BTreeMap;

use crate::approval::change::Change;
use crate::approval::standing::Standing;
use crate::case::event::{Event, EventFact};
use crate::case::ledger::{Balance, Location, is_movement};
use crate::case::line::OpenedLine;
use crate::case::obligation::{Payment, PaymentState, PaymentWay};
use crate::case::recovery::{ClaimState, debtor_of};
use crate::case::refund::PaymentResult;
use crate::case::review::ReviewStep;
use crate::case::{AfterSale, ReplayError, reshape};
use crate::id::OrderLineId;
use crate::money::Money;
use crate::sale::Sale;

/// Whether an event may follow the state: for stored histories, which may be damaged or forged.
pub(in crate::case) fn check(order: &AfterSale, event: &Event) -> Result<(), ReplayError> {
    let sequence = event.sequence;
    order.stream.check(sequence, event.at)?;
    let opens = matches!(event.fact, EventFact::CaseOpened { .. });
    let case = event.fact.case();
    if case.is_some_and(|case| order.cases.contains_key(case) == opens) {
        return Err(ReplayError::Unknown { sequence });
    }
    check_postings(order, event)?;
    match &event.fact {
        EventFact::CaseOpened { lines, .. } => {
            let known = |line: &OpenedLine| order.quantities.slot(&line.line).is_some();
            if !lines.iter().all(known) {
                return Err(ReplayError::Unknown { sequence });
            }
        }
        EventFact::CaseSplit { case, into, lines }
            if !reshape::is_split(order, case, into, lines) =>
        {
            return Err(ReplayError::Unknown { sequence });
        }
        EventFact::CaseAmended { .. } if !reshape::is_amendment(order, event) => {
            return Err(ReplayError::DoesNotAddUp { sequence });
        }
        EventFact::RefundPlanned { settlement, .. } if !order.money.admits(settlement) => {
            return Err(ReplayError::DoesNotAddUp { sequence });
        }
        EventFact::SaleAmended { sale } => {
            let fault = ReplayError::DoesNotAddUp { sequence };
            let sale = Sale::freeze((**sale).clone()).map_err(|_| fault.clone())?;
            if order.quantities.overshipped(&order.sale, &sale).next().is_some() {
                return Err(fault);
            }
        }
        EventFact::CostRecorded { .. }
        | EventFact::RecoveryClaimOpened { .. }
        | EventFact::RecoveryRecorded { .. }
            if !claims_fit(order, event) =>
        {
            return Err(ReplayError::DoesNotAddUp { sequence });
        }
        EventFact::PaymentRecorded { obligation, payment, result, .. }
            if !payment_fits(order, event, (*obligation, *payment), result) =>
        {
            return Err(ReplayError::DoesNotAddUp { sequence });
        }
        EventFact::ReviewStarted { step, .. }
        | EventFact::ReviewMoved { step, .. }
        | EventFact::ReviewMigrated { step, .. }
            if !review_fits(order, event, step) =>
        {
            return Err(ReplayError::DoesNotAddUp { sequence });
        }
        EventFact::ReplacementPlanned { items, .. } => {
            let known = |line: &OrderLineId| order.quantities.slot(line).is_some();
            if items.iter().any(|item| known(&item.line) || !known(&item.replaces)) {
                return Err(ReplayError::Unknown { sequence });
            }
        }
        _ => {}
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
        let slot = order.quantities.slot(&posting.line).ok_or_else(not_there)?;
        let mut balance = match trial.get(&slot) {
            Some(balance) => *balance,
            None => order.quantities.at(slot).copied().unwrap_or_default(),
        };
        balance.shift(posting);
        let unit = order.quantities.unit(slot);
        let short = balance.at(posting.from) < 0 && posting.from != Location::Stock;
        if short || !is_movement(posting.from, posting.to) || unit != Some(posting.quantity.unit())
        {
            return Err(not_there());
        }
        if postings.len() > 1 {
            trial.insert(slot, balance);
        }
    }
    Ok(())
}

/// Whether a payment is owed, and what was collected is what is owed: no payment is made twice.
fn payment_fits(
    order: &AfterSale,
    event: &Event,
    (obligation, payment): (u32, u32),
    result: &PaymentResult,
) -> bool {
    let case = event.fact.case().and_then(|case| order.cases.get(case));
    let owed = case.and_then(|case| case.obligation(obligation)?.payment(payment));
    let is_owed =
        |owed: &&Payment| matches!(owed.state, PaymentState::Due | PaymentState::Failed { .. });
    owed.filter(is_owed).is_some_and(|owed| match result {
        PaymentResult::Collected { tender } => {
            owed.order.way == PaymentWay::Collect && tender.captured == owed.order.amount
        }
        PaymentResult::Paid { .. }
        | PaymentResult::PaidByHand { .. }
        | PaymentResult::Failed { .. } => true,
    })
}

/// Whether costs and claims of a stored history stay within what is known of the case.
fn claims_fit(order: &AfterSale, event: &Event) -> bool {
    let Some(case) = event.fact.case().and_then(|case| order.cases.get(case)) else { return false };
    let payable =
        |amount: &Money| amount.is_positive() && amount.currency() == order.sale.currency();
    match &event.fact {
        EventFact::CostRecorded { line, amount, .. } => {
            payable(amount) && case.line(line).is_some()
        }
        EventFact::RecoveryClaimOpened { claim, line, party, amount, .. } => {
            let number = u32::try_from(case.claims.len()).unwrap_or(u32::MAX).saturating_add(1);
            let (Some(debtor), true) = (debtor_of(*party), payable(amount)) else { return false };
            let recovery = case.recovery(line).ok().flatten();
            *claim == number && recovery.is_some_and(|mut own| own.claim(&debtor, *amount).is_ok())
        }
        EventFact::RecoveryRecorded { claim, result, .. } => {
            use super::super::recovery::RecoveryResult::Recovered;
            let Some(claim) = case.claim(*claim) else { return false };
            let ended = matches!(claim.state, ClaimState::Recovered | ClaimState::WrittenOff);
            let fits = match result {
                Recovered { amount, .. } => payable(amount) && *amount <= claim.open(),
                _ => true,
            };
            !ended && fits
        }
        _ => true,
    }
}

/// Whether a step of a review can follow.
fn review_fits(order: &AfterSale, event: &Event, step: &ReviewStep) -> bool {
    let case = event.fact.case().and_then(|case| order.cases.get(case));
    match (case.map(|case| case.review.as_deref()), &event.fact) {
        (Some(None), EventFact::ReviewStarted { .. }) => {
            Standing::submitted(event.at, &step.change).is_ok()
        }
        (Some(Some(_)), EventFact::ReviewMigrated { .. })
            if !matches!(*step.change, Change::Migrated { .. }) =>
        {
            false
        }
        (Some(Some(review)), EventFact::ReviewMoved { .. } | EventFact::ReviewMigrated { .. }) => {
            review.standing.clone().apply(event.at, &step.by, &step.change).is_ok()
        }
        _ => false,
    }
}
