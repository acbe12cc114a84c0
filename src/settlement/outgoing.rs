//! Goods that go out against payment: exchanges and advance replacements.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::compute::{check_amount, opposite};
use super::deductions::{add_tax, is_refunded};
use super::ledger::MoneyLedger;
use super::refusal::Violation;
use super::request::{Outgoing, OutgoingKind, OutgoingPrice, RefundRequest};
use super::{Basis, Document, Entry, EntryKind, Target};
use crate::id::OrderLineId;
use crate::money::currency::Currency;
use crate::money::{Money, MoneyError};
use crate::sale::{Paid, TaxAmount};

pub(super) fn check(
    ledger: &MoneyLedger,
    request: &RefundRequest,
    violations: &mut Vec<Violation>,
) {
    let mut fresh = BTreeSet::new();
    for outgoing in &request.outgoing {
        let line = &outgoing.line;
        if ledger.lines.contains_key(line) || !fresh.insert(line) {
            violations.push(Violation::LineExists { line: line.clone() });
        }
        if outgoing.quantity.is_zero() {
            violations.push(Violation::NothingGoesOut { line: line.clone() });
        }
        match &outgoing.price {
            OutgoingPrice::Own(paid) => {
                check_amount(ledger, "price of outgoing goods", paid.gross, violations);
                for tax in &paid.taxes {
                    check_amount(ledger, "tax of outgoing goods", tax.amount, violations);
                }
                let gross = paid.gross;
                match paid.tax() {
                    Ok(tax) if tax.currency() == gross.currency() && tax > gross => {
                        let line = line.clone();
                        violations.push(Violation::TaxTooLarge { line, tax, gross });
                    }
                    Ok(_) => {}
                    Err(error) => violations.push(Violation::Amount(error)),
                }
            }
            OutgoingPrice::EvenWith(line) => {
                if !is_refunded(request, line) {
                    violations.push(Violation::NotRefundedHere { line: line.clone() });
                }
            }
        }
    }
}

/// Adds what the customer is charged for outgoing goods.
pub(super) fn charge(
    request: &RefundRequest,
    entries: &mut Vec<Entry>,
    currency: Currency,
) -> Result<(), MoneyError> {
    for (position, outgoing) in request.outgoing.iter().enumerate() {
        let price = match &outgoing.price {
            OutgoingPrice::Own(paid) => paid.clone(),
            OutgoingPrice::EvenWith(line) => {
                let all = refunded(entries, line, currency)?;
                share(&all, &request.outgoing, position, line)?
            }
        };
        entries.push(entry(outgoing, &price)?);
    }
    Ok(())
}

/// Several articles that are even with one line share what it refunds by their quantities, on a ladder,
/// so that together they are even with it.
fn share(
    all: &Paid,
    outgoing: &[Outgoing],
    position: usize,
    line: &OrderLineId,
) -> Result<Paid, MoneyError> {
    let steps_of = |some: &[Outgoing]| {
        let even = some
            .iter()
            .filter(|other| matches!(&other.price, OutgoingPrice::EvenWith(with) if with == line));
        even.fold(0_i64, |sum, other| sum.saturating_add(other.quantity.steps()))
    };
    let whole = steps_of(outgoing);
    let from = steps_of(outgoing.get(..position).unwrap_or_default());
    let to = steps_of(outgoing.get(..=position).unwrap_or_default());
    let part = |amount: Money| amount.ladder(to, whole)?.checked_sub(amount.ladder(from, whole)?);
    let taxes = all.taxes.iter().map(|tax| {
        let amount = part(tax.amount)?;
        Ok(TaxAmount { code: tax.code.clone(), rate: tax.rate, amount })
    });
    Ok(Paid { gross: part(all.gross)?, taxes: taxes.collect::<Result<_, MoneyError>>()? })
}

fn entry(outgoing: &Outgoing, price: &Paid) -> Result<Entry, MoneyError> {
    let Paid { gross, taxes } = opposite(price)?;
    Ok(Entry {
        kind: match outgoing.kind {
            OutgoingKind::Exchange => EntryKind::Exchange,
            OutgoingKind::AdvanceReplacement => EntryKind::AdvanceReplacement,
        },
        target: Target::Line(outgoing.line.clone()),
        units: Some(outgoing.quantity),
        gross,
        taxes,
        document: Document::Invoice,
        basis: Basis::Stated { asked: price.gross, limit: None },
        rule: outgoing.rule.clone(),
    })
}

/// What the goods of a line refund in this settlement, before deductions.
fn refunded(entries: &[Entry], line: &OrderLineId, currency: Currency) -> Result<Paid, MoneyError> {
    let mut sum = Paid { gross: Money::zero(currency), taxes: Vec::new() };
    for entry in entries {
        let goods = matches!(entry.kind, EntryKind::Goods | EntryKind::GoodsAmount);
        let same = match &entry.target {
            Target::Line(found) | Target::Component { line: found, .. } => found == line,
            Target::Charge(_) | Target::Promotion(_) | Target::Order => false,
        };
        if goods && same {
            sum.gross = sum.gross.checked_add(entry.gross)?;
            for tax in &entry.taxes {
                add_tax(&mut sum.taxes, tax)?;
            }
        }
    }
    Ok(sum)
}
