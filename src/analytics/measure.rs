//! What is counted per cell: sums, durations, answers, and the full set for a returns desk.
//!
//! Whole numbers only. Amounts are minor units of one currency; a cell refuses a second one.

mod answers;
mod columns;
mod desk;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::AnalyticsError;
use super::histogram::Histogram;
use super::math;
use super::rate::{Confidence, Estimate, Proportion};
use super::state::{
    Measure, Observe, Reader, Stored, TakeOut, add, less, write_signed, write_unsigned,
};
use crate::money::currency::Currency;

/// How many, and how much in all.
///
/// ```
/// use aftersale::analytics::measure::Sum;
/// use aftersale::analytics::state::Measure;
/// let (mut east, mut west) = (Sum::default(), Sum::default());
/// east.observe(19_900)?;
/// west.observe(4_950)?;
/// east.merge(&west)?;
/// assert_eq!((east.count(), east.total()), (2, 24_850));
/// # Ok::<(), aftersale::analytics::AnalyticsError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "SumWire", into = "SumWire")]
pub struct Sum {
    count: u64,
    total: i128,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SumWire {
    count: u64,
    total: i128,
}

impl TryFrom<SumWire> for Sum {
    type Error = AnalyticsError;
    fn try_from(wire: SumWire) -> Result<Self, AnalyticsError> {
        let fits = wire.total.unsigned_abs() <= u128::from(wire.count) << 63;
        let count = add(wire.count, 0, "a sum")?;
        if fits {
            Ok(Self { count, total: wire.total })
        } else {
            Err(AnalyticsError::TooLarge { name: "a sum" })
        }
    }
}

impl From<Sum> for SumWire {
    fn from(sum: Sum) -> Self {
        Self { count: sum.count, total: sum.total }
    }
}

impl Sum {
    /// Counts one value.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooLarge`] past 2^62 values.
    #[inline]
    pub fn observe(&mut self, value: i64) -> Result<(), AnalyticsError> {
        self.count = add(self.count, 1, "a sum")?;
        // At most 2^62 values of 64 bits: 128 bits hold the sum.
        self.total = self.total.wrapping_add(i128::from(value));
        Ok(())
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.count
    }

    /// How much in all.
    #[must_use]
    pub const fn total(self) -> i128 {
        self.total
    }

    /// The average; none of nothing.
    #[must_use]
    pub fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.total as f64 / self.count as f64)
    }
}

impl Measure for Sum {
    const KIND: u8 = 2;

    #[inline]
    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        self.count = add(self.count, other.count, "a sum")?;
        self.total = self.total.wrapping_add(other.total);
        Ok(())
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    #[inline]
    fn write(&self, to: &mut Vec<u8>) {
        write_unsigned(to, u128::from(self.count));
        write_signed(to, self.total);
    }

    #[inline]
    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError> {
        let count = from.count()?;
        Ok(Self { count, total: from.sum(count)? })
    }

    fn write_many<'a>(measures: impl Iterator<Item = &'a Self> + Clone, to: &mut Vec<u8>) {
        columns::write_sums(measures, to);
    }

    fn merge_stored(cells: &mut [Self], shards: Vec<Stored<'_>>) -> Result<(), AnalyticsError> {
        columns::merge_sums(cells, shards)
    }
}

impl TakeOut for Sum {
    fn take_out(&mut self, part: &Self) -> Result<(), AnalyticsError> {
        self.count = less(self.count, part.count, "a sum")?;
        self.total = self.total.wrapping_sub(part.total);
        if self.total.unsigned_abs() > u128::from(self.count) << 63 {
            return Err(AnalyticsError::NotCounted { name: "a sum" });
        }
        Ok(())
    }
}

impl Observe for Sum {
    type Row = i64;

    #[inline]
    fn observe_row(&mut self, row: i64) -> Result<(), AnalyticsError> {
        self.observe(row)
    }
}

/// A sum with the percentiles of its values: the smallest useful measure of a handling time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timed {
    /// Count and total, of any signed quantity such as money.
    pub sum: Sum,
    /// The spread of a duration.
    pub histogram: Histogram,
}

impl Measure for Timed {
    const KIND: u8 = 3;

    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        self.sum.merge(&other.sum)?;
        self.histogram.merge(&other.histogram)
    }

    fn is_empty(&self) -> bool {
        self.sum.is_empty() && self.histogram.is_empty()
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.sum.write(to);
        self.histogram.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError> {
        Ok(Self { sum: Sum::read(from)?, histogram: Histogram::read(from)? })
    }

    fn write_many<'a>(measures: impl Iterator<Item = &'a Self> + Clone, to: &mut Vec<u8>) {
        columns::write_timed(measures, to);
    }

    fn merge_stored(cells: &mut [Self], shards: Vec<Stored<'_>>) -> Result<(), AnalyticsError> {
        columns::merge_timed(cells, shards)
    }
}

impl Observe for Timed {
    /// The amount, then the duration.
    type Row = (i64, u64);

    #[inline]
    fn observe_row(&mut self, (amount, duration): (i64, u64)) -> Result<(), AnalyticsError> {
        self.sum.observe(amount)?;
        self.histogram.observe(duration)
    }
}

/// Seconds of business time: how many, total, sum of squares, and the histogram.
///
/// The mean hides tails: a mean of two hours can leave a third of the customers waiting longer, so
/// read the percentiles and the share within target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DurationsWire", into = "DurationsWire")]
pub struct Durations {
    sum: Sum,
    squares: u128,
    histogram: Histogram,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DurationsWire {
    sum: Sum,
    squares: u128,
    histogram: Histogram,
}

impl From<Durations> for DurationsWire {
    fn from(durations: Durations) -> Self {
        let Durations { sum, squares, histogram } = durations;
        Self { sum, squares, histogram }
    }
}

impl TryFrom<DurationsWire> for Durations {
    type Error = AnalyticsError;
    fn try_from(wire: DurationsWire) -> Result<Self, AnalyticsError> {
        let DurationsWire { sum, squares, histogram } = wire;
        Self { sum, squares, histogram }.checked()
    }
}

/// The longest duration counted: a hundred years.
pub const LONGEST_SECONDS: u64 = 3_155_760_000;

impl Durations {
    /// Counts one duration in seconds.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooLarge`] for more than a hundred years, or too many values.
    pub fn observe(&mut self, seconds: u64) -> Result<(), AnalyticsError> {
        if seconds > LONGEST_SECONDS {
            return Err(AnalyticsError::TooLarge { name: "a duration" });
        }
        self.sum.observe(i64::try_from(seconds).unwrap_or(i64::MAX))?;
        let square = u128::from(seconds).saturating_mul(u128::from(seconds));
        // 2^62 squares below 2^63 fit into 128 bits.
        self.squares = self.squares.saturating_add(square);
        self.histogram.observe(seconds)
    }

    /// Refuses parts that cannot come from the same values.
    fn checked(self) -> Result<Self, AnalyticsError> {
        let most = u128::from(LONGEST_SECONDS).saturating_mul(u128::from(LONGEST_SECONDS));
        let fits = self.squares <= most.saturating_mul(u128::from(self.sum.count()));
        if self.sum.count() != self.histogram.count() || self.sum.total() < 0 || !fits {
            return Err(AnalyticsError::Unlike { name: "their numbers of durations" });
        }
        Ok(self)
    }

    /// How many.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.sum.count()
    }

    /// The spread.
    #[must_use]
    pub const fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// The mean in seconds with Student's interval; none below two values.
    #[must_use]
    pub fn mean(&self, confidence: Confidence) -> Option<Estimate> {
        let n = self.sum.count() as f64;
        let mean = self.sum.mean().filter(|_| n >= 2.0)?;
        let variance = ((self.squares as f64 - n * mean * mean) / (n - 1.0)).max(0.0);
        Some(mean_estimate(mean, variance, self.sum.count(), confidence))
    }
}

/// Mean with Student's interval.
fn mean_estimate(mean: f64, variance: f64, sample: u64, confidence: Confidence) -> Estimate {
    let n = sample as f64;
    let t = math::student_quantile(1.0 - confidence.tail(), n - 1.0);
    let reach = t * math::sqrt(variance / n);
    Estimate { value: mean, low: mean - reach, high: mean + reach, sample }
}

impl Measure for Durations {
    const KIND: u8 = 4;

    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        self.sum.merge(&other.sum)?;
        self.squares = self.squares.saturating_add(other.squares);
        self.histogram.merge(&other.histogram)
    }

    fn is_empty(&self) -> bool {
        self.sum.is_empty()
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.sum.write(to);
        write_unsigned(to, self.squares);
        self.histogram.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError> {
        let sum = Sum::read(from)?;
        let squares = from.unsigned()?;
        let histogram = Histogram::read(from)?;
        let durations = Self { sum, squares, histogram };
        durations.checked().map_err(|_| from.damaged("durations that agree"))
    }
}

impl TakeOut for Durations {
    fn take_out(&mut self, part: &Self) -> Result<(), AnalyticsError> {
        let missing = AnalyticsError::NotCounted { name: "a duration" };
        self.sum.take_out(&part.sum)?;
        self.squares = self.squares.checked_sub(part.squares).ok_or(missing)?;
        self.histogram.take_out(&part.histogram)
    }
}

/// Answers on a scale: satisfaction from 1 to 5, or likelihood to recommend from 0 to 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Surveys sent.
    pub invited: u64,
    /// Satisfaction answers 1, 2, 3, 4, 5.
    pub satisfaction: [u64; 5],
    /// Recommendation answers 0 to 6, 7 to 8, 9 to 10.
    pub recommendation: [u64; 3],
}

/// A yes-or-no outcome counted: `part` of `whole`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcomes {
    /// Cases with the outcome, such as a goal met.
    pub yes: u64,
    /// Cases without.
    pub no: u64,
}

impl Outcomes {
    /// Counts one case.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooLarge`] past 2^62 cases.
    pub fn observe(&mut self, outcome: Outcome) -> Result<(), AnalyticsError> {
        let slot = match outcome {
            Outcome::Yes => &mut self.yes,
            Outcome::No => &mut self.no,
        };
        *slot = add(*slot, 1, "outcomes")?;
        Ok(())
    }

    /// The share of yes, with Wilson's interval.
    #[must_use]
    pub fn share(&self, confidence: Confidence) -> Option<Estimate> {
        Proportion::new(self.yes, self.yes.saturating_add(self.no)).ok()?.wilson(confidence)
    }
}

/// Whether something came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did.
    Yes,
    /// It did not.
    No,
}

impl Measure for Outcomes {
    const KIND: u8 = 6;

    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        self.yes = add(self.yes, other.yes, "outcomes")?;
        self.no = add(self.no, other.no, "outcomes")?;
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.yes == 0 && self.no == 0
    }

    fn write(&self, to: &mut Vec<u8>) {
        write_unsigned(to, u128::from(self.yes));
        write_unsigned(to, u128::from(self.no));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError> {
        Ok(Self { yes: from.count()?, no: from.count()? })
    }
}

impl TakeOut for Outcomes {
    fn take_out(&mut self, part: &Self) -> Result<(), AnalyticsError> {
        self.yes = less(self.yes, part.yes, "an outcome")?;
        self.no = less(self.no, part.no, "an outcome")?;
        Ok(())
    }
}

/// Everything a returns desk counts about one cell of its review: sales, returns, costs, times,
/// goals, answers.
///
/// Sums of money have the cell's one currency. Costs of returns are refund, freight, depreciation
/// and handling; `recovered` is what resale, repair or the supplier brought back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// The currency of all amounts, once one was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Units sold: lines counted, units in all.
    pub sold_units: Sum,
    /// Value sold.
    pub sold_value: Sum,
    /// Units returned, each sold unit at most once: lines of cases counted, units in all.
    pub returned_units: Sum,
    /// Returns of units that had gone out in exchange: never part of a rate of units sold.
    #[serde(default)]
    pub repeat_units: Sum,
    /// Value returned, at the price paid.
    pub returned_value: Sum,
    /// Refunds paid.
    pub refund: Sum,
    /// Freight for the way back and out again.
    pub freight: Sum,
    /// Loss of value of the goods.
    pub depreciation: Sum,
    /// Work.
    pub handling: Sum,
    /// Recovered from resale, repair or supplier.
    pub recovered: Sum,
    /// From request to completion, business seconds.
    pub handling_time: Durations,
    /// From request to the first answer, business seconds.
    pub first_response: Durations,
    /// Service goals met or missed.
    pub goals: Outcomes,
    /// Cases settled without being reopened or corrected.
    pub first_time_right: Outcomes,
    /// Returns that were a second return of the same unit or exchange, or the first.
    pub repeats: Outcomes,
    /// Survey answers.
    pub answers: Answers,
}
