//! Rates with their intervals: `x` of `n`, and what can be said from it.
//!
//! In: counts. Out: [`Estimate`]s and [`Difference`]s that carry the units behind them.
//! Intervals: Wilson (the default), Clopper-Pearson where a guarantee is asked for, Newcombe for
//! the difference of two rates. One decision rule is used everywhere: two rates differ when the
//! Newcombe interval of their difference excludes zero; Fisher's p is reported beside it.
//!
//! Sources: E. B. Wilson, JASA 22 (1927) 209; C. J. Clopper and E. S. Pearson, Biometrika 26
//! (1934) 404; R. G. Newcombe, Statistics in Medicine 17 (1998) 857 and 873 (method 10);
//! F. Garwood, Biometrika 28 (1936) 437.

use serde::{Deserialize, Serialize};

use super::AnalyticsError;
use super::math;

/// How sure an interval is to hold the truth: above 0 and below 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Confidence(f64);

impl Confidence {
    /// 95 percent, the custom of the field.
    pub const NINETY_FIVE: Self = Self(0.95);

    /// A level such as `0.99`.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::OutOfRange`] unless `0 < level < 1`.
    pub fn new(level: f64) -> Result<Self, AnalyticsError> {
        let range = "above 0 and below 1";
        if level > 0.0 && level < 1.0 {
            Ok(Self(level))
        } else {
            Err(AnalyticsError::OutOfRange { name: "the confidence level", value: level, range })
        }
    }

    /// The level.
    #[must_use]
    pub const fn level(self) -> f64 {
        self.0
    }

    /// The normal quantile of the two-sided interval, 1.96 for 95 percent.
    #[must_use]
    pub fn z(self) -> f64 {
        math::normal_quantile(0.5 + self.0 / 2.0)
    }

    /// The risk on one side, 0.025 for 95 percent.
    pub(crate) const fn tail(self) -> f64 {
        (1.0 - self.0) / 2.0
    }
}

impl Default for Confidence {
    fn default() -> Self {
        Self::NINETY_FIVE
    }
}

impl TryFrom<f64> for Confidence {
    type Error = AnalyticsError;
    fn try_from(level: f64) -> Result<Self, AnalyticsError> {
        Self::new(level)
    }
}

impl From<Confidence> for f64 {
    fn from(confidence: Confidence) -> Self {
        confidence.0
    }
}

/// A number from data, with its interval and the sample behind it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The estimate itself.
    pub value: f64,
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
    /// How many units, cases or answers it rests on.
    pub sample: u64,
}

impl Estimate {
    /// Whether the interval holds a value.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// `part` of `whole`, such as units returned of units sold.
///
/// Count units, not orders, where one line can come back in parts.
///
/// ```
/// use aftersale::analytics::rate::{Confidence, Proportion};
/// // 16 of 200 jackets of one style came back.
/// let returned = Proportion::new(16, 200)?;
/// let rate = returned.wilson(Confidence::NINETY_FIVE).ok_or("nothing was sold")?;
/// assert_eq!(rate.value, 0.08);
/// assert!((rate.low - 0.0498).abs() < 5e-5 && (rate.high - 0.1260).abs() < 5e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "ProportionWire", into = "ProportionWire")]
pub struct Proportion {
    part: u64,
    whole: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProportionWire {
    part: u64,
    whole: u64,
}

impl TryFrom<ProportionWire> for Proportion {
    type Error = AnalyticsError;
    fn try_from(wire: ProportionWire) -> Result<Self, AnalyticsError> {
        Self::new(wire.part, wire.whole)
    }
}

impl From<Proportion> for ProportionWire {
    fn from(proportion: Proportion) -> Self {
        Self { part: proportion.part, whole: proportion.whole }
    }
}

/// The largest count: floats hold every whole number up to here.
pub const MAX_COUNT: u64 = 1 << 52;

/// Counts above are as good as normal: exact limits agree with their approximation in eight digits.
const LARGE: u64 = 100_000_000;

impl Proportion {
    /// `part` of `whole`.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::PartAboveWhole`], and [`AnalyticsError::TooLarge`] past [`MAX_COUNT`].
    pub const fn new(part: u64, whole: u64) -> Result<Self, AnalyticsError> {
        if part > whole {
            return Err(AnalyticsError::PartAboveWhole { part, whole });
        }
        if whole > MAX_COUNT {
            return Err(AnalyticsError::TooLarge { name: "a proportion" });
        }
        Ok(Self { part, whole })
    }

    /// The part.
    #[must_use]
    pub const fn part(self) -> u64 {
        self.part
    }

    /// The whole.
    #[must_use]
    pub const fn whole(self) -> u64 {
        self.whole
    }

    /// The whole without the part.
    #[must_use]
    pub const fn rest(self) -> u64 {
        self.whole.saturating_sub(self.part)
    }

    /// The share, or none of nothing.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }

    /// The share with Wilson's score interval; none of nothing.
    #[must_use]
    pub fn wilson(self, confidence: Confidence) -> Option<Estimate> {
        self.wilson_z(confidence.z())
    }

    pub(crate) fn wilson_z(self, z: f64) -> Option<Estimate> {
        let value = self.value()?;
        let n = self.whole as f64;
        let z2 = z * z;
        let center = value + z2 / (2.0 * n);
        let reach = z * math::sqrt(value * (1.0 - value) / n + z2 / (4.0 * n * n));
        let scale = 1.0 + z2 / n;
        let low = if self.part == 0 { 0.0 } else { ((center - reach) / scale).max(0.0) };
        let high = if self.rest() == 0 { 1.0 } else { ((center + reach) / scale).min(1.0) };
        Some(Estimate { value, low, high, sample: self.whole })
    }

    /// The share with the exact interval of Clopper and Pearson: never covers less than stated,
    /// usually more; none of nothing.
    ///
    /// Past a hundred million on both sides it is Wilson's, which then agrees in eight digits.
    #[must_use]
    pub fn exact(self, confidence: Confidence) -> Option<Estimate> {
        let value = self.value()?;
        if self.part.min(self.rest()) > LARGE {
            return self.wilson(confidence);
        }
        let (x, rest) = (self.part as f64, self.rest() as f64);
        let tail = confidence.tail();
        let low = if self.part == 0 { 0.0 } else { math::beta_quantile(tail, x, rest + 1.0) };
        let high =
            if self.rest() == 0 { 1.0 } else { math::beta_quantile(1.0 - tail, x + 1.0, rest) };
        Some(Estimate { value, low, high, sample: self.whole })
    }

    /// Both counts added.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooLarge`] past [`MAX_COUNT`].
    pub fn plus(self, other: Self) -> Result<Self, AnalyticsError> {
        Self::new(self.part.saturating_add(other.part), self.whole.saturating_add(other.whole))
    }
}

/// Events per unit of exposure with Garwood's exact Poisson limits, for ratios that may pass one:
/// units returned in a month against units sold *in that month*.
///
/// None when nothing was exposed.
#[must_use]
pub fn per_exposure(events: u64, exposure: u64, confidence: Confidence) -> Option<Estimate> {
    if exposure == 0 || events > MAX_COUNT || exposure > MAX_COUNT {
        return None;
    }
    let (low, high) = poisson_limits(events, confidence);
    let e = exposure as f64;
    let value = events as f64 / e;
    Some(Estimate { value, low: low / e, high: high / e, sample: exposure })
}

pub(crate) fn poisson_limits(events: u64, confidence: Confidence) -> (f64, f64) {
    let (x, tail) = (events as f64, confidence.tail());
    if events > LARGE {
        // Wilson and Hilferty: the cube root of a chi-square is normal.
        let limit = |x: f64, z: f64| {
            let root = 1.0 - 1.0 / (9.0 * x) + z / (3.0 * math::sqrt(x));
            x * root * root * root
        };
        return (limit(x, -confidence.z()), limit(x + 1.0, confidence.z()));
    }
    let low = if events == 0 { 0.0 } else { math::chi_square_quantile(tail, 2.0 * x) / 2.0 };
    (low, math::chi_square_quantile(1.0 - tail, 2.0 * x + 2.0) / 2.0)
}

/// Two rates compared.
///
/// ```
/// use aftersale::analytics::rate::{Confidence, Difference, Proportion};
/// // The article's "8 % to 3 %", if it had been 200 units on each side.
/// let before = Proportion::new(16, 200)?;
/// let after = Proportion::new(6, 200)?;
/// let change = Difference::between(before, after, Confidence::NINETY_FIVE).ok_or("no units")?;
/// assert_eq!((1000.0 * change.low).round(), -99.0); // -9.9 points
/// assert_eq!((1000.0 * change.high).round(), -5.0); // -0.5 points
/// assert!(change.is_distinct());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The rate after minus the rate before.
    pub value: f64,
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
    /// Fisher's exact p, two-sided, reported beside the interval.
    pub fisher_p: f64,
    /// Units before.
    pub sample_before: u64,
    /// Units after.
    pub sample_after: u64,
}

impl Difference {
    /// The change from one rate to another, by Newcombe's hybrid score method; none where a side
    /// is empty.
    #[must_use]
    pub fn between(before: Proportion, after: Proportion, confidence: Confidence) -> Option<Self> {
        let (value, low, high) = newcombe(before, after, confidence.z())?;
        Some(Self {
            value,
            low,
            high,
            fisher_p: fisher(before, after),
            sample_before: before.whole,
            sample_after: after.whole,
        })
    }

    /// The decision rule of this crate: the interval excludes zero.
    #[must_use]
    pub fn is_distinct(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// Newcombe's interval of `after - before`: value, low, high.
pub(crate) fn newcombe(before: Proportion, after: Proportion, z: f64) -> Option<(f64, f64, f64)> {
    let (b, a) = (before.wilson_z(z)?, after.wilson_z(z)?);
    let value = a.value - b.value;
    let down = math::sqrt(math::square(a.value - a.low) + math::square(b.high - b.value));
    let up = math::sqrt(math::square(a.high - a.value) + math::square(b.value - b.low));
    Some((value, value - down, value + up))
}

/// Fisher's exact test, two-sided: the probability of all tables no likelier than the one seen.
fn fisher(before: Proportion, after: Proportion) -> f64 {
    let total = before.whole.saturating_add(after.whole);
    let marked = before.part.saturating_add(after.part);
    let drawn = after.whole;
    let low = drawn.saturating_sub(total.saturating_sub(marked));
    let high = marked.min(drawn);
    let share = marked as f64 / total as f64;
    let spread = drawn as f64 * share * (1.0 - share) * (before.whole as f64 / total as f64);
    if spread > 1e10 {
        // A hundred thousand tables either way: as good as normal, and not to be summed one by one.
        let away = after.part as f64 - drawn as f64 * share;
        return math::chi_square_1_upper(away * away / spread);
    }
    let seen = math::ln_hypergeometric(after.part, total, marked, drawn);
    let ratio = |k: u64| {
        // P(k + 1) / P(k)
        let (k, m, d, t) = (k as f64, marked as f64, drawn as f64, total as f64);
        (m - k) * (d - k) / ((k + 1.0) * (t - m - d + k + 1.0))
    };
    let mode = (drawn.saturating_add(1) as f64 * (marked.saturating_add(1)) as f64
        / (total.saturating_add(2)) as f64) as u64;
    let mode = mode.clamp(low, high);
    let limit = math::exp(seen) * (1.0 + 1e-7);
    let peak = math::exp(math::ln_hypergeometric(mode, total, marked, drawn));
    let (mut sum, mut term, mut k) = (0.0, peak, mode);
    // Walk down both sides from the mode; stop where terms no longer count.
    loop {
        if term <= limit {
            sum += term;
        }
        if k >= high || (term <= limit && term < 1e-17 * sum) {
            break;
        }
        term *= ratio(k);
        k = k.saturating_add(1);
    }
    (term, k) = (peak, mode);
    while k > low && (term > limit || term >= 1e-17 * sum) {
        k = k.saturating_sub(1);
        term /= ratio(k);
        if term <= limit {
            sum += term;
        }
    }
    sum.min(1.0)
}

/// The smallest number of units on each side at which exactly these two rates would be distinct by
/// the decision rule of this crate; none if they are equal or a rate is outside `0..=1`.
///
/// The counts are the rates times the units, rounded; the answer is the first number from which on
/// the next twenty also pass, because rounding makes single numbers pass by chance.
///
/// ```
/// use aftersale::analytics::rate::{Confidence, units_to_tell_apart};
/// assert_eq!(units_to_tell_apart(0.06, 0.06, Confidence::NINETY_FIVE), None);
/// let needed = units_to_tell_apart(0.08, 0.03, Confidence::NINETY_FIVE).ok_or("equal")?;
/// assert!((150..200).contains(&needed));
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn units_to_tell_apart(before: f64, after: f64, confidence: Confidence) -> Option<u64> {
    let valid = (0.0..=1.0).contains(&before) && (0.0..=1.0).contains(&after);
    if !valid || (before - after).abs() < 1e-6 {
        return None;
    }
    let z = confidence.z();
    let passes = |n: u64| {
        let side = |rate: f64| Proportion::new(libm::round(rate * n as f64) as u64, n).ok();
        let interval = side(before).zip(side(after)).and_then(|(b, a)| newcombe(b, a, z));
        interval.is_some_and(|(_, low, high)| low > 0.0 || high < 0.0)
    };
    let mut high = 2_u64;
    while !passes(high) && high < MAX_COUNT / 4 {
        high = high.saturating_mul(2);
    }
    let (mut low, mut top) = (1_u64, high);
    while low < top {
        let middle = low.midpoint(top);
        if passes(middle) { top = middle } else { low = middle.saturating_add(1) }
    }
    // Rounding moves the difference by at most one unit in n: no further back than it can reach.
    let reach = libm::ceil(4.0 / (before - after).abs()) as u64;
    let mut first = low.saturating_sub((low / 4).min(reach.saturating_add(64))).max(1);
    let mut run = 0_u64;
    let mut n = first;
    while run < 21 {
        if passes(n) {
            run = run.saturating_add(1);
        } else {
            run = 0;
            first = n.saturating_add(1);
        }
        n = n.saturating_add(1);
        if n > MAX_COUNT / 4 {
            return None;
        }
    }
    Some(first)
}

/// Units needed on each side to find a change from one rate to another with this power, two-sided:
/// what to plan with before an action starts.
///
/// `n = (z_a sqrt(2 p q) + z_b sqrt(p0 q0 + p1 q1))^2 / (p0 - p1)^2`, `p` the mean of both
/// (J. L. Fleiss, Statistical Methods for Rates and Proportions, 1981, 3.2). None if the rates are
/// equal or not inside `0..1`.
#[must_use]
pub fn units_for_power(before: f64, after: f64, confidence: Confidence, power: f64) -> Option<u64> {
    let inside = |x: f64| x > 0.0 && x < 1.0;
    if !inside(before) || !inside(after) || !inside(power) || (before - after).abs() < 1e-6 {
        return None;
    }
    let mean = 0.5 * (before + after);
    let spread = before * (1.0 - before) + after * (1.0 - after);
    let reach = confidence.z() * math::sqrt(2.0 * mean * (1.0 - mean))
        + math::normal_quantile(power) * math::sqrt(spread);
    Some(libm::ceil(math::square(reach / (before - after))) as u64)
}
