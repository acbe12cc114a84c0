//! Sharing an amount so that no minor unit is lost or made.
//!
//! [`Money::allocate`] shares once by the largest remainder. [`Money::ladder`] gives the part of an
//! amount that belongs to the first `n` of `q` units; going from `a` to `b` units is the difference
//! of two rungs, so any order and any batching of steps sums to the same amount.

use alloc::vec::Vec;

use super::{Money, MoneyError};
use crate::number::{Rounding, divide};

impl Money {
    /// Shares the amount in proportion to weights, each part whole in minor units.
    ///
    /// Largest remainder: every part is the exact share rounded down; the missing units go to the
    /// largest fractions, the lowest position first. A negative amount is shared like its opposite.
    /// A zero weight gets nothing; when all weights are zero, the parts are equal.
    ///
    /// ```
    /// use aftersale::money::{Money, MoneyError, currency::Currency};
    /// let discount = Money::parse("10.00", Currency::CNY)?;
    /// let parts = discount.allocate(&[1, 1, 1])?;
    /// assert_eq!(parts.iter().map(|p| p.minor()).collect::<Vec<_>>(), [334, 333, 333]);
    /// # Ok::<(), MoneyError>(())
    /// ```
    ///
    /// Not monotone in the amount (10 and then 11 over 6:6:2 take a unit from the third part), so
    /// never share a growing total again: use [`Money::ladder`] for that.
    ///
    /// # Errors
    ///
    /// [`MoneyError::NegativeWeight`]; [`MoneyError::NoParts`] when something is to be shared among
    /// nobody.
    pub fn allocate(self, weights: &[i64]) -> Result<Vec<Self>, MoneyError> {
        if let Some(position) = weights.iter().position(|&weight| weight < 0) {
            return Err(MoneyError::NegativeWeight { position });
        }
        if weights.is_empty() {
            return if self.is_zero() {
                Ok(Vec::new())
            } else {
                Err(MoneyError::NoParts { amount: self })
            };
        }
        let total: i128 = weights.iter().copied().map(i128::from).sum();
        if total == 0 {
            let equal: Vec<i64> = weights.iter().map(|_| 1).collect();
            return self.allocate(&equal);
        }
        let currency = self.currency();
        let too_large = || MoneyError::TooLarge { currency };
        let amount = i128::from(self.minor()).abs();
        let mut parts = Vec::with_capacity(weights.len());
        let mut fractions = Vec::with_capacity(weights.len());
        for (position, &weight) in weights.iter().enumerate() {
            let exact = amount.checked_mul(weight.into()).ok_or_else(too_large)?;
            parts.push(exact.checked_div(total).ok_or_else(too_large)?);
            fractions.push((exact.checked_rem(total).ok_or_else(too_large)?, position));
        }
        let given: i128 = parts.iter().sum();
        let missing = usize::try_from(amount.saturating_sub(given)).map_err(|_| too_large())?;
        // Largest fraction first, then lowest position: a total order.
        fractions
            .sort_unstable_by_key(|&(fraction, position)| (core::cmp::Reverse(fraction), position));
        for &(_, position) in fractions.iter().take(missing) {
            if let Some(part) = parts.get_mut(position) {
                *part = part.saturating_add(1);
            }
        }
        let sign = i128::from(self.minor().signum());
        parts.into_iter().map(|part| Self::from_wide(part.saturating_mul(sign), currency)).collect()
    }

    /// The share of the first `part` of `whole` equal units, rounded half away from zero.
    ///
    /// Rung 0 is nothing and rung `whole` is the full amount. The rungs never fall (for an amount
    /// of zero or more), and a step's worth is `ladder(b) - ladder(a)`.
    ///
    /// ```
    /// use aftersale::money::{Money, MoneyError, currency::Currency};
    /// let three_cups = Money::parse("10.00", Currency::GBP)?;
    /// let rungs: Vec<i64> =
    ///     (0..=3).map(|n| three_cups.ladder(n, 3).map(Money::minor)).collect::<Result<_, _>>()?;
    /// assert_eq!(rungs, [0, 333, 667, 1000]);
    /// # Ok::<(), MoneyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`MoneyError::NotAPart`] unless `0 <= part <= whole` and `whole > 0`.
    pub fn ladder(self, part: i64, whole: i64) -> Result<Self, MoneyError> {
        if whole <= 0 || part < 0 || part > whole {
            return Err(MoneyError::NotAPart { part, whole });
        }
        let exact = i128::from(self.minor()).saturating_mul(part.into());
        Self::from_wide(divide(exact, whole.into(), Rounding::HalfUp)?, self.currency())
    }

    /// What the units after the first `from` up to the first `to` are worth: one step of the
    /// [`ladder`](Self::ladder).
    ///
    /// # Errors
    ///
    /// [`MoneyError::NotAPart`] unless both rungs lie on the ladder.
    pub fn ladder_step(self, from: i64, to: i64, whole: i64) -> Result<Self, MoneyError> {
        self.ladder(to, whole)?.checked_sub(self.ladder(from, whole)?)
    }

    /// Rounds to a multiple of `step` minor units, as for cash: 5 for Swiss five-centime pieces.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooLarge`] when the step is not above zero or the result does not fit.
    pub fn to_step(self, step: i64, rounding: Rounding) -> Result<Self, MoneyError> {
        let steps = divide(self.minor().into(), step.into(), rounding)?;
        Self::from_wide(steps.saturating_mul(step.into()), self.currency())
    }
}
