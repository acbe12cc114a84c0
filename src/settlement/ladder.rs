//! The ladder of one payable part: how far it was paid back, and what the next step is worth.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::money::{Money, MoneyError};
use crate::sale::{Paid, TaxAmount};

/// How far one line, component or charge was paid back, gross and each tax on a ladder of its own.
///
/// Going from `a` to `b` of `q` units is worth `R(b) - R(a)` with `R(n) = paid * n / q` rounded half
/// up, so any order and any batching of unit refunds sums to what was paid. A refund of money
/// without goods starts the unit ladder again over what is left: the value left over the units
/// left. Several money refunds in a row share one ladder over the amount, for their taxes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ladder {
    /// What was paid.
    pub(super) paid: Paid,
    /// All units, in steps; zero for a charge.
    pub(super) units: i64,
    /// What went back so far.
    #[serde(default)]
    pub(super) taken: Rung,
    /// Where the present run of refunds of one kind began.
    #[serde(default)]
    base: Rung,
    /// The kind of that run.
    #[serde(default)]
    run: Run,
}

/// A point on a ladder, in steps and minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rung {
    pub(super) units: i64,
    pub(super) gross: i64,
    /// One number for each tax; missing ones are zero.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    taxes: Vec<i64>,
}

/// What a run of refunds consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Run {
    /// Units that came back.
    #[default]
    Units,
    /// Money without goods.
    Amounts,
}

impl Rung {
    pub(super) fn tax(&self, position: usize) -> i64 {
        self.taxes.get(position).copied().unwrap_or(0)
    }

    fn is_origin(&self) -> bool {
        self.units == 0 && self.gross == 0 && self.taxes.iter().all(|&tax| tax == 0)
    }

    fn add(&mut self, units: i64, gross: i64, taxes: &[TaxAmount], sign: i64) {
        let moved = |at: i64, by: i64| at.saturating_add(by.saturating_mul(sign)).max(0);
        self.units = moved(self.units, units);
        self.gross = moved(self.gross, gross);
        if self.taxes.len() < taxes.len() {
            self.taxes.resize(taxes.len(), 0);
        }
        for (at, tax) in self.taxes.iter_mut().zip(taxes) {
            *at = moved(*at, tax.amount.minor());
        }
    }
}

impl Ladder {
    pub(super) fn new(paid: Paid, units: i64) -> Self {
        Self { paid, units, taken: Rung::default(), base: Rung::default(), run: Run::Units }
    }

    /// The units that did not come back.
    pub(super) fn units_left(&self) -> i64 {
        self.units.saturating_sub(self.taken.units)
    }

    /// The money that did not go back.
    pub(super) fn gross_left(&self) -> Money {
        let left = self.paid.gross.minor().saturating_sub(self.taken.gross);
        Money::new(left, self.paid.gross.currency())
    }

    /// What the next `units` are worth. The caller has checked that so many are left.
    pub(super) fn next_units(&self, units: i64) -> Result<Paid, MoneyError> {
        let base = self.base_of(Run::Units);
        let part = self.taken.units.saturating_sub(base.units).saturating_add(units);
        let whole = self.units.saturating_sub(base.units);
        if units == 0 {
            return Ok(self.nothing());
        }
        let gross = self.paid.gross;
        let gross = step(gross, base.gross, self.taken.gross, part, whole)?;
        self.with_taxes(gross, base, part, whole)
    }

    /// The taxes inside a refund of `amount` without goods. The caller has checked that so much is
    /// left.
    pub(super) fn next_amount(&self, amount: Money) -> Result<Paid, MoneyError> {
        if amount.is_zero() {
            return Ok(self.nothing());
        }
        let base = self.base_of(Run::Amounts);
        let taken = self.taken.gross.saturating_sub(base.gross);
        let part = taken.saturating_add(amount.minor());
        let whole = self.paid.gross.minor().saturating_sub(base.gross);
        self.with_taxes(amount, base, part, whole)
    }

    /// Where the run of units stands: the units since its start, and the value and units it shares.
    pub(super) fn units_run(&self) -> (i64, Money, i64) {
        let base = self.base_of(Run::Units);
        let value = self.paid.gross.minor().saturating_sub(base.gross);
        (
            self.taken.units.saturating_sub(base.units),
            Money::new(value, self.paid.gross.currency()),
            self.units.saturating_sub(base.units),
        )
    }

    fn base_of(&self, run: Run) -> &Rung {
        if self.run == run { &self.base } else { &self.taken }
    }

    fn with_taxes(
        &self,
        gross: Money,
        base: &Rung,
        part: i64,
        whole: i64,
    ) -> Result<Paid, MoneyError> {
        let mut taxes = Vec::with_capacity(self.paid.taxes.len());
        for (position, tax) in self.paid.taxes.iter().enumerate() {
            let (from, taken) = (base.tax(position), self.taken.tax(position));
            let amount = step(tax.amount, from, taken, part, whole)?;
            taxes.push(TaxAmount { code: tax.code.clone(), rate: tax.rate, amount });
        }
        Ok(Paid { gross, taxes })
    }

    fn nothing(&self) -> Paid {
        let taxes = self.paid.taxes.iter().map(|tax| with_amount(tax, 0)).collect();
        Paid { gross: Money::zero(self.paid.gross.currency()), taxes }
    }

    /// Notes a refund.
    pub(super) fn book(&mut self, run: Run, units: i64, gross: i64, taxes: &[TaxAmount]) {
        if units == 0 && gross == 0 && taxes.iter().all(|tax| tax.amount.is_zero()) {
            return;
        }
        if self.run != run {
            self.base = self.taken.clone();
            self.run = run;
        }
        self.taken.add(units, gross, taxes, 1);
    }

    /// Takes a noted refund back. While refunds were all of one kind since the beginning, the
    /// ladder stands where it would without it; otherwise it starts again over what is left.
    pub(super) fn unbook(&mut self, units: i64, gross: i64, taxes: &[TaxAmount]) {
        self.taken.add(units, gross, taxes, -1);
        if !self.base.is_origin() {
            self.base = self.taken.clone();
        }
    }

    /// Takes over what an amended order paid for more units; a ladder that was used starts again
    /// over what is left.
    pub(super) fn grow(&mut self, grown: Self) {
        if self.paid == grown.paid && self.units == grown.units {
            return;
        }
        self.paid = grown.paid;
        self.units = grown.units;
        self.base = self.taken.clone();
    }

    /// Whether nothing is above what was paid or below zero: a ladder from outside may be anything.
    pub(super) fn is_sound(&self) -> bool {
        let paid = &self.paid;
        let within = |rung: &Rung| {
            (0..=self.units).contains(&rung.units)
                && (0..=paid.gross.minor()).contains(&rung.gross)
                && rung.taxes.len() <= paid.taxes.len()
                && paid.taxes.iter().enumerate().all(|(position, tax)| {
                    tax.amount.currency() == paid.gross.currency()
                        && (0..=tax.amount.minor()).contains(&rung.tax(position))
                })
        };
        let reached = |(position, _): (usize, &TaxAmount)| {
            self.base.tax(position) <= self.taken.tax(position)
        };
        within(&self.taken)
            && within(&self.base)
            && self.base.units <= self.taken.units
            && self.base.gross <= self.taken.gross
            && paid.taxes.iter().enumerate().all(reached)
    }
}

/// The target at `part` of `whole` less what is taken; never below zero, so that a released step
/// that left a rounding behind takes nothing from the customer.
fn step(paid: Money, base: i64, taken: i64, part: i64, whole: i64) -> Result<Money, MoneyError> {
    let currency = paid.currency();
    let value = Money::new(paid.minor().saturating_sub(base), currency);
    let target = value.ladder(part, whole)?.minor().saturating_add(base);
    Ok(Money::new(target.saturating_sub(taken).max(0), currency))
}

fn with_amount(tax: &TaxAmount, minor: i64) -> TaxAmount {
    let amount = Money::new(minor, tax.amount.currency());
    TaxAmount { code: tax.code.clone(), rate: tax.rate, amount }
}
