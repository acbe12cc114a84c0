//! Small shifts that persist: cumulative sums with sold units as exposure.
//!
//! In: returns and units per period, in order of time. Out: the sum after each period and the alarm
//! once it passes its limit. The sum is state in *time order* and cannot be merged: merge the
//! period cells first, then fold.
//!
//! Sources: E. S. Page, Biometrika 41 (1954) 100; S. H. Steiner and others, Biostatistics 1 (2000)
//! 441; run lengths by D. Brook and D. A. Evans, Biometrika 59 (1972) 539.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::rate::Proportion;
use super::{AnalyticsError, glm, math};

/// How many steps of the sum its run length is computed with.
const STATES: usize = 120;

/// A Poisson cumulative sum that watches for a rate to rise from one value to another.
///
/// ```
/// use aftersale::analytics::cusum::Cusum;
/// use aftersale::analytics::rate::Proportion;
/// // A batch of heaters: 2 % returns are usual, 4 % must not last. Five hundred are sold a week,
/// // and one false alarm in two hundred weeks is accepted.
/// let mut watch = Cusum::new(0.02, 0.04)?.with_run_length(500.0, 200.0)?;
/// let mut alarm = None;
/// for (week, returns) in [9, 11, 10, 17, 19, 22].into_iter().enumerate() {
///     if watch.observe(Proportion::new(returns, 500)?).alarm {
///         alarm = alarm.or(Some(week));
///     }
/// }
/// assert_eq!(alarm, Some(4)); // the second week after the change
/// # Ok::<(), aftersale::analytics::AnalyticsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CusumWire")]
pub struct Cusum {
    usual: f64,
    raised: f64,
    limit: f64,
    sum: f64,
    periods: u64,
    since: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CusumWire {
    usual: f64,
    raised: f64,
    limit: f64,
    sum: f64,
    periods: u64,
    since: u64,
}

impl TryFrom<CusumWire> for Cusum {
    type Error = AnalyticsError;
    fn try_from(wire: CusumWire) -> Result<Self, AnalyticsError> {
        let CusumWire { usual, raised, limit, sum, periods, since } = wire;
        let start = Self::new(usual, raised)?.with_limit(limit)?;
        if !(sum >= 0.0 && sum.is_finite() && since <= periods) {
            let (name, range) = ("the stored sum", "0 or more, begun within the periods seen");
            return Err(AnalyticsError::OutOfRange { name, value: sum, range });
        }
        Ok(Self { sum, periods, since, ..start })
    }
}

/// The state after one period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CusumStep {
    /// The sum, in units of log likelihood.
    pub sum: f64,
    /// Whether it has passed the limit.
    pub alarm: bool,
    /// The first period, counted from 0, since which the sum has stood above zero: the best guess of
    /// when the rise began.
    pub since: u64,
}

impl Cusum {
    /// Watches for the rate to rise from `usual` to `raised`, with a limit of 4 until another is
    /// set.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::OutOfRange`] unless `0 < usual < raised`.
    pub fn new(usual: f64, raised: f64) -> Result<Self, AnalyticsError> {
        if !(usual > 0.0 && raised > usual && raised.is_finite()) {
            let (name, range) = ("the raised rate", "above the usual rate, both above 0");
            return Err(AnalyticsError::OutOfRange { name, value: raised, range });
        }
        Ok(Self { usual, raised, limit: 4.0, sum: 0.0, periods: 0, since: 0 })
    }

    /// Sets the limit.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::OutOfRange`] unless it is above zero.
    pub fn with_limit(mut self, limit: f64) -> Result<Self, AnalyticsError> {
        if !(limit > 0.0 && limit.is_finite()) {
            let (name, range) = ("the limit of the sum", "above 0");
            return Err(AnalyticsError::OutOfRange { name, value: limit, range });
        }
        self.limit = limit;
        Ok(self)
    }

    /// Sets the limit so that, at the usual rate and so many units a period, a false alarm comes
    /// once in `periods` periods on average: a few percent later, or as much later as the sum jumps
    /// where only a few returns are expected.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::OutOfRange`] unless there are units and at least two periods.
    pub fn with_run_length(self, units: f64, periods: f64) -> Result<Self, AnalyticsError> {
        let usable = units > 0.0 && units.is_finite() && (2.0..=1e6).contains(&periods);
        if !usable {
            let (name, range) = ("the run length", "2 to 1,000,000 periods with units sold");
            return Err(AnalyticsError::OutOfRange { name, value: periods, range });
        }
        let shorter = |limit: f64| {
            self.with_limit(limit)
                .ok()
                .and_then(|cusum| cusum.run_length(units, self.usual))
                .is_some_and(|length| length < periods)
        };
        // The first limit that is long enough, then halves.
        let mut high = 0.5;
        while shorter(high) && high < 100.0 {
            high *= 2.0;
        }
        let (mut low, mut top) = (high / 2.0 * 0.1, high);
        for _ in 0..30 {
            let middle = 0.5 * (low + top);
            if shorter(middle) { low = middle } else { top = middle }
        }
        // Few returns make the sum jump: past the edge of a jump, not on it.
        self.with_limit(top * (1.0 + 0.5 / STATES as f64))
    }

    /// The limit.
    #[must_use]
    pub const fn limit(&self) -> f64 {
        self.limit
    }

    /// Average number of periods until an alarm, when so many units are sold each period and come
    /// back at this rate; by a Markov chain over 120 steps of the sum.
    ///
    /// None for no units, no rate, or more than a million expected returns a period.
    #[must_use]
    pub fn run_length(&self, units: f64, rate: f64) -> Option<f64> {
        let mean = units * rate;
        if !(mean > 0.0 && mean < 1e6) {
            return None;
        }
        let per_return = math::ln(self.raised / self.usual);
        let per_period = units * (self.raised - self.usual);
        let width = self.limit / STATES as f64;
        // Probability of at most k returns.
        let most = |k: f64| {
            if k < 0.0 { 0.0 } else { 1.0 - math::incomplete_gamma(libm::floor(k) + 1.0, mean) }
        };
        let mut matrix: Vec<Vec<f64>> = Vec::with_capacity(STATES);
        for from in 0..STATES {
            let start = if from == 0 { 0.0 } else { (from as f64 + 0.5) * width };
            let reach = |sum: f64| most((sum - start + per_period) / per_return);
            let row = (0..STATES).map(|to| {
                let below = if to == 0 { 0.0 } else { reach(to as f64 * width - 1e-12) };
                let stay = reach((to as f64 + 1.0) * width - 1e-12) - below;
                if to == from { 1.0 - stay } else { -stay }
            });
            matrix.push(row.chain([1.0]).collect());
        }
        glm::reduce(matrix)?.first().and_then(|row| row.last().copied())
    }

    /// Takes in the next period.
    pub fn observe(&mut self, period: Proportion) -> CusumStep {
        let units = period.whole() as f64;
        let gain = period.part() as f64 * math::ln(self.raised / self.usual)
            - units * (self.raised - self.usual);
        self.periods = self.periods.saturating_add(1);
        self.sum = (self.sum + gain).max(0.0);
        if self.sum == 0.0 {
            self.since = self.periods;
        }
        CusumStep { sum: self.sum, alarm: self.sum > self.limit, since: self.since }
    }
}
