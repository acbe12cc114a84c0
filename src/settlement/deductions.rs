//! What is kept back from a refund, in a fixed order, never more than there is.

use alloc::vec::Vec;

use rust_decimal::Decimal;

use super::compute::check_amount;
use super::ledger::MoneyLedger;
use super::refusal::Violation;
use super::request::{
    Claim, Deduction, DeductionAmount, Excess, RefundRequest, Standing, TaxTreatment,
};
use super::{Basis, Document, Entry, Target};
use crate::id::OrderLineId;
use crate::money::currency::Currency;
use crate::money::{Money, MoneyError};
use crate::number::{Exact, Rounding};
use crate::sale::TaxAmount;

pub(super) fn check(
    ledger: &MoneyLedger,
    request: &RefundRequest,
    violations: &mut Vec<Violation>,
) {
    for deduction in &request.deductions {
        if let Some(line) = &deduction.line
            && !request.lines.iter().any(|refund| refund.line == *line)
        {
            violations.push(Violation::NotRefundedHere { line: line.clone() });
        }
        if let Some(cap) = deduction.cap {
            check_amount(ledger, "cap of a deduction", cap, violations);
        }
        match &deduction.amount {
            DeductionAmount::Flat(amount) => {
                check_amount(ledger, "deduction", *amount, violations);
            }
            DeductionAmount::Share(share) => check_share(*share, violations),
            DeductionAmount::Tiers { tiers, .. } => {
                let grow = tiers.iter().zip(tiers.iter().skip(1));
                let mut grow = grow.map(|(one, next)| one.up_to_days < next.up_to_days);
                if tiers.is_empty() || !grow.all(|grows| grows) {
                    violations.push(Violation::BadTiers);
                }
                for tier in tiers {
                    check_share(tier.share, violations);
                }
            }
        }
        if let TaxTreatment::SeparateSupply { rate, .. } = &deduction.tax {
            let value = *rate;
            if value.decimal().is_sign_negative() || value.decimal() > Decimal::TEN {
                violations.push(Violation::OutOfRange { what: "tax rate", value, max: 10 });
            }
        }
    }
}

fn check_share(value: Exact, violations: &mut Vec<Violation>) {
    if value < Exact::from(0) || value > Exact::from(1) {
        violations.push(Violation::OutOfRange { what: "share of a deduction", value, max: 1 });
    }
}

/// Adds the deductions in the order of their kinds.
pub(super) fn take(
    request: &RefundRequest,
    entries: &mut Vec<Entry>,
    currency: Currency,
) -> Result<(), MoneyError> {
    if request.deductions.is_empty() {
        return Ok(());
    }
    let refunds = entries.len();
    let mut ordered: Vec<&Deduction> = request.deductions.iter().collect();
    ordered.sort_by_key(|deduction| deduction.kind);
    for deduction in ordered {
        let entry = entry(deduction, entries, refunds, currency)?;
        entries.push(entry);
    }
    Ok(())
}

fn entry(
    deduction: &Deduction,
    entries: &[Entry],
    refunds: usize,
    currency: Currency,
) -> Result<Entry, MoneyError> {
    let zero = Money::zero(currency);
    let before = entries.get(..refunds).unwrap_or_default();
    let touched = |entry: &&Entry| concerns(entry, deduction.line.as_ref());
    let full = Money::sum(currency, before.iter().filter(touched).map(|entry| entry.gross))?;
    let left = Money::sum(currency, entries.iter().filter(touched).map(|entry| entry.gross))?;
    // Deductions from the settlement as a whole leave less for every line as well.
    let all = Money::sum(currency, entries.iter().map(|entry| entry.gross))?;
    let left = left.checked_min(all)?.max(zero);
    let (wanted, share) = wanted(deduction, full.max(zero))?;
    let mut limit = deduction.cap;
    if deduction.excess == Excess::Forgive {
        limit = Some(match limit {
            Some(cap) => cap.checked_min(left)?,
            None => left,
        });
    }
    let taken = match limit {
        Some(limit) => wanted.checked_min(limit)?,
        None => wanted,
    };
    let (taken, basis) = match (deduction.standing, share) {
        (Standing::Waived, _) => (zero, Basis::Waived),
        (Standing::NotPermitted, _) => (zero, Basis::NotPermitted),
        (Standing::Applies, Some(share)) => {
            (taken, Basis::Share { share, of: full.max(zero), limit })
        }
        (Standing::Applies, None) => (taken, Basis::Stated { asked: wanted, limit }),
    };
    let taxes = taxes(&deduction.tax, taken, before.iter().filter(touched), full)?;
    Ok(Entry {
        kind: deduction.kind.entry(),
        target: deduction.line.clone().map_or(Target::Order, Target::Line),
        units: None,
        gross: taken.checked_neg()?,
        taxes,
        document: match deduction.tax {
            TaxTreatment::ReducesBase => Document::CreditNote,
            TaxTreatment::SeparateSupply { .. } => Document::Invoice,
            TaxTreatment::Outside => Document::NoDocument,
        },
        basis,
        rule: deduction.rule.clone(),
    })
}

/// Whether an entry is part of what a deduction is taken from.
fn concerns(entry: &Entry, line: Option<&OrderLineId>) -> bool {
    let Some(line) = line else { return true };
    match &entry.target {
        Target::Line(found) | Target::Component { line: found, .. } => found == line,
        Target::Charge(_) | Target::Promotion(_) | Target::Order => false,
    }
}

fn wanted(deduction: &Deduction, full: Money) -> Result<(Money, Option<Exact>), MoneyError> {
    let share = match &deduction.amount {
        DeductionAmount::Flat(amount) => return Ok((*amount, None)),
        DeductionAmount::Share(share) => *share,
        DeductionAmount::Tiers { days, tiers } => {
            let tier = tiers.iter().find(|tier| *days <= tier.up_to_days).or(tiers.last());
            tier.map_or(Exact::from(0), |tier| tier.share)
        }
    };
    Ok((share_of(full, share)?, Some(share)))
}

pub(super) fn share_of(amount: Money, share: Exact) -> Result<Money, MoneyError> {
    let currency = amount.currency();
    let exact = amount.amount().checked_mul(share.decimal());
    Money::rounded(exact.ok_or(MoneyError::TooLarge { currency })?, currency, Rounding::HalfUp)
}

/// The taxes of a deduction, as negative amounts.
fn taxes<'a>(
    treatment: &TaxTreatment,
    taken: Money,
    refunds: impl Iterator<Item = &'a Entry>,
    full: Money,
) -> Result<Vec<TaxAmount>, MoneyError> {
    let currency = taken.currency();
    match treatment {
        _ if taken.is_zero() => Ok(Vec::new()),
        TaxTreatment::Outside => Ok(Vec::new()),
        TaxTreatment::SeparateSupply { code, rate } => {
            let amount = tax_inside(taken, *rate)?.checked_neg()?;
            Ok(alloc::vec![TaxAmount { code: code.clone(), rate: *rate, amount }])
        }
        TaxTreatment::ReducesBase => {
            let mut sums: Vec<TaxAmount> = Vec::new();
            for tax in refunds.flat_map(|entry| &entry.taxes) {
                add_tax(&mut sums, tax)?;
            }
            if full.minor() <= 0 {
                return Ok(Vec::new());
            }
            // A charged excess goes beyond the refund: its tax stops there.
            let part = taken.checked_min(full)?.minor();
            for tax in &mut sums {
                let share = tax.amount.ladder(part, full.minor())?;
                tax.amount = Money::zero(currency).checked_sub(share)?;
            }
            Ok(sums)
        }
    }
}

/// Adds a tax to a list with one entry for each code and rate.
pub(super) fn add_tax(sums: &mut Vec<TaxAmount>, tax: &TaxAmount) -> Result<(), MoneyError> {
    let same = |sum: &&mut TaxAmount| sum.code == tax.code && sum.rate == tax.rate;
    match sums.iter_mut().find(same) {
        Some(sum) => sum.amount = sum.amount.checked_add(tax.amount)?,
        None => sums.push(tax.clone()),
    }
    Ok(())
}

/// The tax inside an amount that includes it, half up.
pub(super) fn tax_inside(gross: Money, rate: Exact) -> Result<Money, MoneyError> {
    let currency = gross.currency();
    let exact = || {
        let all = Decimal::ONE.checked_add(rate.decimal())?;
        gross.amount().checked_mul(rate.decimal())?.checked_div(all)
    };
    Money::rounded(exact().ok_or(MoneyError::TooLarge { currency })?, currency, Rounding::HalfUp)
}

/// Whether a line takes part in the refund with units or money.
pub(super) fn is_refunded(request: &RefundRequest, line: &OrderLineId) -> bool {
    request.lines.iter().any(|refund| {
        refund.line == *line
            && match &refund.claim {
                Claim::Units(units) | Claim::Component { units, .. } => !units.is_zero(),
                Claim::Amount(amount) => !amount.is_zero(),
            }
    })
}
