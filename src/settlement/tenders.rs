//! Where a refund goes: shared over the tenders by policy, in kind where a tender has its own unit.

use alloc::vec::Vec;

use super::ledger::{MoneyLedger, TenderLedger};
use super::refusal::Violation;
use super::request::{RefundRequest, TenderPolicy};
use super::{PayoutForm, TenderAllocation};
use crate::money::{Money, MoneyError};
use crate::sale::Sale;
use crate::sale::draft::TenderKind;
use crate::time::Instant;

const SECONDS_PER_DAY: i64 = 86_400;

/// Whether the tenders named in the policy are tenders of the order.
pub(super) fn check(ledger: &MoneyLedger, policy: &TenderPolicy, violations: &mut Vec<Violation>) {
    if let TenderPolicy::SelectedThenSpill(selected) = policy {
        for tender in selected {
            if !ledger.tenders.iter().any(|known| known.tender.id == *tender) {
                violations.push(Violation::UnknownTender { tender: tender.clone() });
            }
        }
    }
}

/// Shares an amount over the tenders. What finds no place is the second result.
pub(super) fn allocate(
    sale: &Sale,
    ledger: &MoneyLedger,
    request: &RefundRequest,
    amount: Money,
) -> Result<(Vec<TenderAllocation>, Money), MoneyError> {
    let policy = &request.tenders;
    let mut allocations = Vec::with_capacity(ledger.tenders.len().min(8));
    if amount.is_zero() {
        return Ok((allocations, amount));
    }
    if let [only] = ledger.tenders.as_slice()
        && !matches!(policy, TenderPolicy::OriginalElseCredit { .. })
    {
        let part = amount.minor().min(capacity(only, request.at));
        if part > 0 {
            allocations.push(allocation(only, PayoutForm::Original, part, amount)?);
        }
        return Ok((allocations, less(amount, part)));
    }
    let closed = all_credit(sale, request);
    let capacities: Vec<i64> = ledger
        .tenders
        .iter()
        .map(|tender| match policy {
            // An expired tender still holds the money: it becomes credit in its place.
            TenderPolicy::OriginalElseCredit { .. } => tender.left(),
            _ => capacity(tender, request.at),
        })
        .collect();
    let parts = match order(ledger, policy, &capacities) {
        None => in_proportion(amount, &capacities)?,
        Some(order) => in_sequence(amount.minor(), &capacities, &order),
    };
    let mut placed = 0_i64;
    for (tender, part) in ledger.tenders.iter().zip(parts).filter(|&(_, part)| part > 0) {
        placed = placed.saturating_add(part);
        let instead = closed || capacity(tender, request.at) == 0;
        let form = if instead { PayoutForm::CreditInstead } else { PayoutForm::Original };
        allocations.push(allocation(tender, form, part, amount)?);
    }
    Ok((allocations, less(amount, placed)))
}

/// What a tender can take back now: nothing once its time is over. At the very end it still can.
fn capacity(tender: &TenderLedger, at: Instant) -> i64 {
    let expired = tender.tender.refundable_until.is_some_and(|until| at > until);
    if expired { 0 } else { tender.left() }
}

/// Whether the time for refunds on the original tenders is over as a whole.
fn all_credit(sale: &Sale, request: &RefundRequest) -> bool {
    let TenderPolicy::OriginalElseCredit { days: Some(days) } = request.tenders else {
        return false;
    };
    let passed = request.at.signed_duration_since(sale.draft().placed_at).num_seconds();
    passed > i64::from(days).saturating_mul(SECONDS_PER_DAY)
}

/// The order in which tenders are filled; none when they are filled in proportion.
fn order(ledger: &MoneyLedger, policy: &TenderPolicy, capacities: &[i64]) -> Option<Vec<usize>> {
    let mut order: Vec<usize> = (0..capacities.len()).collect();
    let left = |position: usize| capacities.get(position).copied().unwrap_or(0);
    let tender = |position: usize| ledger.tenders.get(position).map(|known| &known.tender);
    // Sorting is stable: equals keep the order of the sale.
    match policy {
        TenderPolicy::Proportional | TenderPolicy::OriginalElseCredit { .. } => return None,
        TenderPolicy::Sequential(kinds) => {
            let rank = |kind: TenderKind| kinds.iter().position(|listed| *listed == kind);
            order.sort_by_key(|&position| {
                tender(position).and_then(|tender| rank(tender.kind)).unwrap_or(usize::MAX)
            });
        }
        TenderPolicy::LowestFirst => order.sort_by_key(|&position| left(position)),
        TenderPolicy::LargestFirst => {
            order.sort_by_key(|&position| core::cmp::Reverse(left(position)));
        }
        TenderPolicy::SelectedThenSpill(selected) => {
            order.sort_by_key(|&position| {
                let id = tender(position).map(|tender| &tender.id);
                selected.iter().position(|chosen| Some(chosen) == id).unwrap_or(usize::MAX)
            });
        }
    }
    Some(order)
}

fn in_sequence(amount: i64, capacities: &[i64], order: &[usize]) -> Vec<i64> {
    let mut parts: Vec<i64> = capacities.iter().map(|_| 0).collect();
    let mut open = amount;
    for &position in order {
        let part = open.min(capacities.get(position).copied().unwrap_or(0));
        open = open.saturating_sub(part);
        if let Some(slot) = parts.get_mut(position) {
            *slot = part;
        }
    }
    parts
}

/// By largest remainder over what is left, so that no tender falls below zero and all end exact.
fn in_proportion(amount: Money, capacities: &[i64]) -> Result<Vec<i64>, MoneyError> {
    let all = capacities.iter().copied().fold(0, i64::saturating_add);
    let placed = Money::new(amount.minor().min(all), amount.currency());
    if placed.is_zero() {
        return Ok(Vec::new());
    }
    Ok(placed.allocate(capacities)?.into_iter().map(Money::minor).collect())
}

fn allocation(
    tender: &TenderLedger,
    form: PayoutForm,
    part: i64,
    amount: Money,
) -> Result<TenderAllocation, MoneyError> {
    let in_kind = match form {
        PayoutForm::Original => in_kind(tender, part)?,
        PayoutForm::CreditInstead | PayoutForm::NewCredit => None,
    };
    Ok(TenderAllocation {
        tender: Some(tender.tender.id.clone()),
        form,
        amount: Money::new(part, amount.currency()),
        in_kind,
        rounding: None,
    })
}

/// Points, vouchers and amounts in another currency go back on a ladder over the tender, so that
/// all of them are back when all of the money is.
fn in_kind(tender: &TenderLedger, part: i64) -> Result<Option<Money>, MoneyError> {
    let Some(all) = tender.tender.in_kind else { return Ok(None) };
    let captured = tender.tender.captured.minor();
    let outside = tender.tender.refunded_outside.map_or(0, Money::minor);
    let before = tender.refunded.saturating_add(outside);
    let gone = all.ladder(outside, captured)?.minor().saturating_add(tender.in_kind);
    let target = all.ladder(before.saturating_add(part), captured)?.minor();
    Ok(Some(Money::new(target.saturating_sub(gone).max(0), all.currency())))
}

fn less(amount: Money, minor: i64) -> Money {
    Money::new(amount.minor().saturating_sub(minor), amount.currency())
}
