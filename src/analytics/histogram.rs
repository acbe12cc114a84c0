//! Durations and amounts as an integer histogram whose percentiles err by less than one percent.
//!
//! In: whole numbers, such as seconds of business time. Out: counts per bucket, percentiles.
//! Values below 128 have a bucket each; above, every octave has 64 buckets, so that the middle of a
//! bucket differs from any value in it by at most 1/128 of the value. Counts are whole numbers and
//! bucket limits are fixed, so merging is exact in any order, which t-digests and KLL sketches are
//! not.

pub(super) mod columns;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::AnalyticsError;
use super::rate::{Confidence, Estimate};
use super::state::{Measure, Observe, Reader, TakeOut, add, less, write_unsigned};
use super::{math, rate};

/// Buckets per octave.
const STEPS: u64 = 64;
/// Values below have a bucket each.
const EXACT: u64 = 2 * STEPS;
/// The number of buckets for 64-bit values.
const BUCKETS: u16 = 3776;
/// New values are collected and sorted in one go.
const PENDING: usize = 128;
/// The most values of another histogram that are collected rather than sorted in at once.
const FEW: u64 = 32;

/// A histogram of whole numbers from 0 on.
///
/// ```
/// use aftersale::analytics::histogram::Histogram;
/// // Seconds until the first answer; one case waited two days.
/// let mut answers = Histogram::default();
/// for seconds in [30, 45, 60, 60, 75, 90, 120, 600, 900, 172_800] {
///     answers.observe(seconds)?;
/// }
/// assert_eq!(answers.count(), 10);
/// assert_eq!(answers.percentile(50), Some(75));
/// let slow = answers.percentile(90).ok_or("empty")?;
/// assert!(slow.abs_diff(900) <= 900 / 128);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<(u16, u64)>", into = "Vec<(u16, u64)>")]
pub struct Histogram {
    /// Ascending buckets with counts above zero.
    buckets: Vec<(u16, u64)>,
    /// Buckets of values not yet sorted in.
    pending: Vec<u16>,
    count: u64,
}

impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.sorted() == other.sorted()
    }
}

impl Eq for Histogram {}

/// Buckets with how many values each has.
type Buckets = Vec<(u16, u64)>;

/// The bucket of a value.
#[must_use]
pub const fn bucket(value: u64) -> u16 {
    if value < EXACT {
        return value as u16;
    }
    let exponent = 63_u32.saturating_sub(value.leading_zeros());
    let shift = exponent.saturating_sub(6);
    let step = (value >> shift) & (STEPS - 1);
    let octave = (exponent.saturating_sub(7) as u64).saturating_mul(STEPS);
    EXACT.saturating_add(octave).saturating_add(step) as u16
}

/// The smallest and the largest value of a bucket; none past the last bucket.
#[must_use]
pub const fn limits(bucket: u16) -> Option<(u64, u64)> {
    let index = bucket as u64;
    if bucket >= BUCKETS {
        return None;
    }
    if index < EXACT {
        return Some((index, index));
    }
    let above = index.saturating_sub(EXACT);
    let shift = (above / STEPS).saturating_add(1);
    let low = (STEPS | (above % STEPS)) << shift;
    let width = 1_u64 << shift;
    Some((low, low | width.saturating_sub(1)))
}

impl Histogram {
    /// Counts one value.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooLarge`] past 2^62 values.
    pub fn observe(&mut self, value: u64) -> Result<(), AnalyticsError> {
        self.count = add(self.count, 1, "a histogram")?;
        self.wait(bucket(value));
        Ok(())
    }

    /// How many values were counted.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The value that `percent` of the values do not pass: the middle of the bucket of the value at
    /// rank `ceil(percent / 100 * count)`, which differs from that value by at most 1/128 of it.
    ///
    /// None for an empty histogram or a percentage above 100; 0 gives the smallest value.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<u64> {
        if percent > 100 {
            return None;
        }
        let wanted = u128::from(self.count).saturating_mul(u128::from(percent)).div_ceil(100);
        self.at_rank(u64::try_from(wanted).ok()?)
    }

    /// The value at a rank from 1 to the count, by the middle of its bucket.
    fn at_rank(&self, rank: u64) -> Option<u64> {
        let mut below = 0_u64;
        for (bucket, count) in self.sorted() {
            below = below.saturating_add(count);
            if below >= rank.max(1) {
                let (low, high) = limits(bucket)?;
                return Some(low.midpoint(high));
            }
        }
        None
    }

    /// A percentile with its interval by order statistics (ranks from the binomial distribution,
    /// normal approximation), without assuming a shape.
    ///
    /// Source: W. J. Conover, Practical Nonparametric Statistics, 3.2.
    #[must_use]
    pub fn percentile_estimate(&self, percent: u8, confidence: Confidence) -> Option<Estimate> {
        let value = self.percentile(percent)? as f64;
        let (n, share) = (self.count as f64, f64::from(percent) / 100.0);
        let reach = confidence.z() * math::sqrt(n * share * (1.0 - share));
        let low = libm::floor(n * share - reach).max(1.0) as u64;
        let high = libm::ceil(n * share + reach + 1.0).min(n) as u64;
        Some(Estimate {
            value,
            low: self.at_rank(low)? as f64,
            high: self.at_rank(high)? as f64,
            sample: self.count,
        })
    }

    /// How many values are at most this one. The bucket that holds the limit counts by whole values
    /// below 128, and is split evenly above.
    #[must_use]
    pub fn at_most(&self, limit: u64) -> u64 {
        let last = bucket(limit);
        let mut total = 0_u64;
        for (index, count) in self.sorted() {
            if index < last {
                total = total.saturating_add(count);
            } else if index == last {
                let (low, high) = limits(index).unwrap_or((limit, limit));
                let width = u128::from(high.saturating_sub(low)).saturating_add(1);
                let inside = u128::from(limit.saturating_sub(low)).saturating_add(1);
                let part = u128::from(count).saturating_mul(inside).checked_div(width);
                total = total.saturating_add(part.and_then(|p| u64::try_from(p).ok()).unwrap_or(0));
            }
        }
        total
    }

    /// The share of values at most `limit`, with Wilson's interval.
    #[must_use]
    pub fn share_within(&self, limit: u64, confidence: Confidence) -> Option<Estimate> {
        rate::Proportion::new(self.at_most(limit), self.count).ok()?.wilson(confidence)
    }

    /// The buckets in ascending order with their counts.
    #[must_use]
    pub fn sorted(&self) -> Vec<(u16, u64)> {
        if self.pending.is_empty() {
            return self.buckets.clone();
        }
        let mut copy = self.clone();
        copy.settle();
        copy.buckets
    }

    /// Adds ascending buckets with `total` values in all: a few of them are left pending, so that a
    /// thousand small parts are not sorted in one by one.
    fn join(&mut self, news: &[(u16, u64)], total: u64) {
        if total > FEW {
            self.settle();
            self.take_in(news);
            return;
        }
        for (bucket, count) in news {
            for _ in 0..*count {
                self.wait(*bucket);
            }
        }
    }

    /// Puts one value among the pending ones.
    #[inline]
    fn wait(&mut self, bucket: u16) {
        if self.pending.len() >= PENDING {
            self.settle();
        }
        self.pending.push(bucket);
    }

    /// Counts the values of these buckets.
    fn take_values(&mut self, buckets: &[u16]) -> Result<(), AnalyticsError> {
        self.count = add(self.count, buckets.len() as u64, "a histogram")?;
        self.pending.extend_from_slice(buckets);
        if self.pending.len() > PENDING {
            self.settle();
        }
        Ok(())
    }

    /// Counts the values of ascending buckets, `total` in all.
    fn take_many(&mut self, buckets: &[(u16, u64)], total: u64) -> Result<(), AnalyticsError> {
        self.count = add(self.count, total, "a histogram")?;
        self.join(buckets, total);
        Ok(())
    }

    /// Sorts the pending values in.
    fn settle(&mut self) {
        self.pending.sort_unstable();
        let mut news: Vec<(u16, u64)> = Vec::with_capacity(self.pending.len());
        for bucket in self.pending.drain(..) {
            match news.last_mut() {
                Some((last, count)) if *last == bucket => *count = count.saturating_add(1),
                _ => news.push((bucket, 1)),
            }
        }
        self.take_in(&news);
    }

    /// Adds ascending buckets.
    fn take_in(&mut self, news: &[(u16, u64)]) {
        if self.buckets.last().is_none_or(|(last, _)| news.first().is_some_and(|(b, _)| b > last)) {
            self.buckets.extend_from_slice(news);
            return;
        }
        let mut merged = Vec::with_capacity(self.buckets.len().saturating_add(news.len()));
        let mut old = self.buckets.iter().copied().peekable();
        for (bucket, count) in news.iter().copied() {
            while let Some(earlier) = old.next_if(|(index, _)| *index < bucket) {
                merged.push(earlier);
            }
            let same = old.next_if(|(index, _)| *index == bucket).map_or(0, |(_, count)| count);
            // No overflow: the total of all buckets is a checked count.
            merged.push((bucket, count.saturating_add(same)));
        }
        merged.extend(old);
        self.buckets = merged;
    }
}

impl Measure for Histogram {
    const KIND: u8 = 1;

    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        self.count = add(self.count, other.count, "a histogram")?;
        if other.pending.is_empty() {
            self.join(&other.buckets, other.count);
        } else {
            self.join(&other.sorted(), other.count);
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn write(&self, to: &mut Vec<u8>) {
        let sorted = self.sorted();
        write_unsigned(to, sorted.len() as u128);
        let mut last = 0_u16;
        for (bucket, count) in sorted {
            write_unsigned(to, u128::from(bucket.saturating_sub(last)));
            write_unsigned(to, u128::from(count));
            last = bucket;
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError> {
        let length = from.count()?;
        if length > u64::from(BUCKETS) || length > from.left() as u64 {
            return Err(from.damaged("at most 3,776 buckets"));
        }
        let mut buckets: Vec<(u16, u64)> = Vec::with_capacity(length as usize);
        let mut bucket = 0_u64;
        for position in 0..length {
            let step = from.count()?;
            bucket = bucket.saturating_add(step);
            if (position > 0 && step == 0) || bucket >= u64::from(BUCKETS) {
                return Err(from.damaged("ascending buckets"));
            }
            buckets.push((bucket as u16, from.count()?));
        }
        Self::try_from(buckets).map_err(|_| from.damaged("counts above zero, below 2^62 in all"))
    }
}

impl TakeOut for Histogram {
    fn take_out(&mut self, part: &Self) -> Result<(), AnalyticsError> {
        let missing = AnalyticsError::NotCounted { name: "a duration" };
        self.settle();
        for (bucket, count) in part.sorted() {
            let place = self.buckets.binary_search_by_key(&bucket, |own| own.0);
            let own = place.ok().and_then(|place| self.buckets.get_mut(place));
            let (_, own) = own.ok_or_else(|| missing.clone())?;
            *own = less(*own, count, "a duration")?;
        }
        self.buckets.retain(|(_, count)| *count > 0);
        self.count = less(self.count, part.count, "a duration")?;
        Ok(())
    }
}

impl Observe for Histogram {
    type Row = u64;

    fn observe_row(&mut self, row: u64) -> Result<(), AnalyticsError> {
        self.observe(row)
    }
}

impl From<Histogram> for Vec<(u16, u64)> {
    fn from(histogram: Histogram) -> Self {
        histogram.sorted()
    }
}

impl TryFrom<Vec<(u16, u64)>> for Histogram {
    type Error = AnalyticsError;
    fn try_from(buckets: Vec<(u16, u64)>) -> Result<Self, AnalyticsError> {
        let mut count = 0_u64;
        let mut last: Option<u16> = None;
        for (bucket, number) in &buckets {
            if *bucket >= BUCKETS || last.is_some_and(|last| last >= *bucket) || *number == 0 {
                return Err(AnalyticsError::Damaged {
                    at: usize::from(*bucket),
                    what: "ascending buckets with counts above zero",
                });
            }
            count = add(count, *number, "a histogram")?;
            last = Some(*bucket);
        }
        Ok(Self { buckets, pending: Vec::new(), count })
    }
}
