//! The full set for a returns desk: how it is seen, merged, taken out and stored.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Answers, Desk, Durations, Outcomes, Sum};
use crate::analytics::AnalyticsError;
use crate::analytics::rate::{self, Confidence, Estimate};
use crate::analytics::state::{Measure, Reader, TakeOut, write_text, write_unsigned};
use crate::money::Money;
use crate::money::currency::Currency;

impl Desk {
    /// Sees an amount's currency, and gives its minor units.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::MixedCurrencies`] for a second currency.
    pub fn minor(&mut self, amount: Money) -> Result<i64, AnalyticsError> {
        self.see(Some(amount.currency()))?;
        Ok(amount.minor())
    }

    fn see(&mut self, currency: Option<Currency>) -> Result<(), AnalyticsError> {
        match (self.currency, currency) {
            (Some(left), Some(right)) if left != right => Err(AnalyticsError::MixedCurrencies {
                left: left.code().to_string(),
                right: right.code().to_string(),
            }),
            (None, seen) => {
                self.currency = seen;
                Ok(())
            }
            (Some(_), _) => Ok(()),
        }
    }

    /// Units returned per unit sold, with the exact Poisson interval. This is the naive rate when
    /// the cell is a return month: it compares returns with sales of the same month. Rates by month
    /// of sale come from [`crate::analytics::cohort`].
    #[must_use]
    pub fn unit_rate(&self, confidence: Confidence) -> Option<Estimate> {
        let count = |sum: Sum| u64::try_from(sum.total()).ok();
        rate::per_exposure(count(self.returned_units)?, count(self.sold_units)?, confidence)
    }

    /// Value returned per value sold, without an interval: amounts of one order move together.
    #[must_use]
    pub fn value_rate(&self) -> Option<f64> {
        let sold = self.sold_value.total();
        (sold > 0).then(|| self.returned_value.total() as f64 / sold as f64)
    }

    /// Recovered from resale, repair, insurance or supplier per value returned, without an interval;
    /// none when nothing returned. It can pass one: a supplier may pay more than the price.
    #[must_use]
    pub fn recovery_rate(&self) -> Option<f64> {
        let returned = self.returned_value.total();
        (returned > 0).then(|| self.recovered.total() as f64 / returned as f64)
    }

    /// Refund, freight, depreciation and handling less what was recovered, in minor units.
    #[must_use]
    pub fn cost(&self) -> i128 {
        [self.refund, self.freight, self.depreciation, self.handling]
            .iter()
            .fold(0_i128, |total, part| total.saturating_add(part.total()))
            .saturating_sub(self.recovered.total())
    }

    fn sums(&self) -> [Sum; 10] {
        [
            self.sold_units,
            self.sold_value,
            self.returned_units,
            self.repeat_units,
            self.returned_value,
            self.refund,
            self.freight,
            self.depreciation,
            self.handling,
            self.recovered,
        ]
    }

    fn sums_mut(&mut self) -> [&mut Sum; 10] {
        [
            &mut self.sold_units,
            &mut self.sold_value,
            &mut self.returned_units,
            &mut self.repeat_units,
            &mut self.returned_value,
            &mut self.refund,
            &mut self.freight,
            &mut self.depreciation,
            &mut self.handling,
            &mut self.recovered,
        ]
    }
}

impl Measure for Desk {
    const KIND: u8 = 7;

    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        self.see(other.currency)?;
        for (mine, theirs) in self.sums_mut().into_iter().zip(other.sums()) {
            mine.merge(&theirs)?;
        }
        self.handling_time.merge(&other.handling_time)?;
        self.first_response.merge(&other.first_response)?;
        self.goals.merge(&other.goals)?;
        self.first_time_right.merge(&other.first_time_right)?;
        self.repeats.merge(&other.repeats)?;
        self.answers.merge(&other.answers)
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn write(&self, to: &mut Vec<u8>) {
        match self.currency {
            None => write_text(to, ""),
            Some(currency) => {
                write_text(to, currency.code());
                write_unsigned(to, u128::from(currency.minor_digits()));
            }
        }
        for sum in self.sums() {
            sum.write(to);
        }
        self.handling_time.write(to);
        self.first_response.write(to);
        self.goals.write(to);
        self.first_time_right.write(to);
        self.repeats.write(to);
        self.answers.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError> {
        let mut desk = Self::default();
        let code = from.text(8)?;
        if !code.is_empty() {
            let digits = u8::try_from(from.count()?).map_err(|_| from.damaged("minor digits"))?;
            let currency = Currency::with_digits(code, digits);
            desk.currency = Some(currency.map_err(|_| from.damaged("a currency"))?);
        }
        for sum in desk.sums_mut() {
            *sum = Sum::read(from)?;
        }
        desk.handling_time = Durations::read(from)?;
        desk.first_response = Durations::read(from)?;
        desk.goals = Outcomes::read(from)?;
        desk.first_time_right = Outcomes::read(from)?;
        desk.repeats = Outcomes::read(from)?;
        desk.answers = Answers::read(from)?;
        Ok(desk)
    }
}

impl TakeOut for Desk {
    fn take_out(&mut self, part: &Self) -> Result<(), AnalyticsError> {
        self.see(part.currency)?;
        for (mine, theirs) in self.sums_mut().into_iter().zip(part.sums()) {
            mine.take_out(&theirs)?;
        }
        self.handling_time.take_out(&part.handling_time)?;
        self.first_response.take_out(&part.first_response)?;
        self.goals.take_out(&part.goals)?;
        self.first_time_right.take_out(&part.first_time_right)?;
        self.repeats.take_out(&part.repeats)?;
        self.answers.take_out(&part.answers)?;
        // A cell that counts nothing has no currency either.
        let currency = self.currency.take();
        if !self.is_empty() {
            self.currency = currency;
        }
        Ok(())
    }
}
