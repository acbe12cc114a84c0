//! Alarms over thousands of short, sparse series, with the share of false alarms controlled.
//!
//! In: one family of [`Series`] (say, every article of one channel in one period): past periods and
//! the present one, each `x` returned of `n` sold. Out: a [`Screening`]: the few series whose
//! present count their own past does not explain, each with p, q, since when, how many extra
//! returns and how much money, and findings.
//!
//! The default method predicts the present count from the past: a beta-binomial distribution whose
//! spread between periods (`rho`) is pooled over the family, whose mean is shrunk toward the
//! family's, and which allows for the uncertainty of the past. Both parts are needed, spread and
//! the control of many tests (Benjamini-Hochberg): without the first, lots and seasons look like
//! alarms; without the second, 3,000 series raise thirty false ones each month.
//!
//! Declare the family before looking: one period, one dimension. Run rules for a chart that a
//! person looks at are in [`super::control_chart`].
//!
//! Sources: Y. Benjamini and Y. Hochberg, JRSS B 57 (1995) 289; J. C. Kleinman, JASA 68 (1973) 46
//! (moment estimators); the predictive distribution is derived at [`Method::Predictive`].

use alloc::vec::Vec;
use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::rate::{Estimate, MAX_COUNT, Proportion};
use super::{AnalyticsError, exact, math};
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::RuleId;
use crate::label::codes;
use crate::money::Money;

/// One series to watch: an article, a batch, a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Series<K> {
    /// What the series is about. Equal p are ordered by key.
    pub key: K,
    /// Earlier periods, oldest first. Periods without sales may be left out or given as 0 of 0.
    pub past: Vec<Proportion>,
    /// The period looked at.
    pub now: Proportion,
    /// What one return costs, to put an amount beside the extra returns.
    pub cost_per_return: Option<Money>,
}

codes! {
    /// How the present count is compared with the past.
    pub enum Method "alarm method" {
        /// Beta-binomial prediction with a pooled correlation between periods; the default.
        ///
        /// The rate of one period varies around the series' own mean with variance
        /// `rho m (1 - m)`. Given `x0` of `n0`, the mean has a beta posterior with precision `k`;
        /// the predictive rate then has variance `m (1 - m) (rho + (1 - rho) / (k + 1))`, and the
        /// count is taken as beta-binomial with that mean and variance. For `rho = 0` this is the
        /// exact posterior predictive distribution.
        Predictive = "predictive", "prediction from the past", "历史预测";
        /// Hypergeometric: given all returns, how many would fall into this period by chance.
        ///
        /// Exact without any assumption on the rate, but blind to ordinary variation between
        /// periods: use it where lots do not differ.
        Conditional = "conditional", "exact conditional test", "条件精确检验";
    }
}

/// When a series is reported.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// How to compare.
    pub method: Method,
    /// The share of false alarms among all alarms that is accepted, above 0 and below 1.
    pub false_discovery_rate: f64,
    /// Fewer returns than this raise no alarm.
    pub returns_min: u64,
    /// Series that expect fewer returns than this are not tested at all; decided from the past and
    /// the units sold only, so that leaving them out does not bias the rest.
    pub expected_min: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            method: Method::Predictive,
            false_discovery_rate: 0.1,
            returns_min: 3,
            expected_min: 0.0,
        }
    }
}

/// What the family has in common, estimated from its past.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Returns per unit over all series and past periods.
    pub rate: f64,
    /// Correlation of units of one series and period beyond its mean rate: 0 is plain chance.
    pub rho: f64,
    /// How alike the series are: the prior's weight in units. Large means alike.
    pub precision: f64,
}

/// One series that its past does not explain.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm<K> {
    /// The series.
    pub key: K,
    /// Returns of units in the period looked at.
    pub seen: Proportion,
    /// Returns the past predicts for these units.
    pub expected: f64,
    /// Returns seen beyond those expected, with a 95 percent interval of the prediction.
    pub extra: Estimate,
    /// The extra returns, rounded to whole units, times the cost of one.
    pub extra_cost: Option<Money>,
    /// The probability of so many returns or more, if nothing has changed.
    pub p: f64,
    /// The smallest accepted share of false alarms at which this alarm would still be raised.
    pub q: f64,
    /// Position of the period in `past` from which on the rate fits best as raised; the length of
    /// `past` means the present period.
    pub since: usize,
    /// Why.
    pub findings: Vec<Finding>,
}

/// The outcome for one family.
#[derive(Clone, Debug, PartialEq)]
pub struct Screening<K> {
    /// How many series were tested.
    pub tested: usize,
    /// What the family has in common.
    pub family: Family,
    /// The alarms, by p, then key.
    pub alarms: Vec<Alarm<K>>,
}

/// Looks through one family of series.
///
/// # Errors
///
/// [`AnalyticsError::OutOfRange`] for a false discovery rate outside `0..1` or a negative
/// `expected_min`; [`AnalyticsError::TooLarge`] when the counts of one series pass
/// [`MAX_COUNT`].
///
/// ```
/// use aftersale::analytics::alarm::{Options, Series, screen};
/// use aftersale::analytics::rate::Proportion;
/// // Forty phone models return about 4 of 100 each month; one jumps to 19.
/// let month = |x| Proportion::new(x, 100);
/// let mut family = Vec::new();
/// for model in 0..40_u32 {
///     let past = vec![month(4)?, month(3)?, month(5)?, month(4)?, month(6)?, month(2)?];
///     let now = month(if model == 7 { 19 } else { 4 })?;
///     family.push(Series { key: model, past, now, cost_per_return: None });
/// }
/// let screening = screen(&family, &Options::default())?;
/// assert_eq!(screening.tested, 40);
/// assert_eq!(screening.alarms.len(), 1);
/// assert_eq!(screening.alarms[0].key, 7);
/// assert!(screening.alarms[0].q < 0.001);
/// # Ok::<(), aftersale::analytics::AnalyticsError>(())
/// ```
pub fn screen<K: Ord + Clone>(
    series: &[Series<K>],
    options: &Options,
) -> Result<Screening<K>, AnalyticsError> {
    let rate = options.false_discovery_rate;
    if !(rate > 0.0 && rate < 1.0) {
        let (name, range) = ("the false discovery rate", "above 0 and below 1");
        return Err(AnalyticsError::OutOfRange { name, value: rate, range });
    }
    if options.expected_min.is_nan() || options.expected_min < 0.0 {
        let (name, value) = ("the least expected number", options.expected_min);
        return Err(AnalyticsError::OutOfRange { name, value, range: "0 or more" });
    }
    let pasts: Vec<Past> = series.iter().map(Past::of).collect::<Result<_, _>>()?;
    let family = Family::estimate(series, &pasts);
    // The conditional test asks nothing but the series itself: one unit of the family keeps its mean
    // above zero.
    let asked = match options.method {
        Method::Predictive => family,
        Method::Conditional => Family { rho: 0.0, precision: 1.0, ..family },
    };
    let mut tests: Vec<Test<'_, K>> = Vec::with_capacity(series.len());
    for (series, past) in series.iter().zip(&pasts) {
        let prediction = Prediction::new(past, &asked, series.now.whole());
        let skipped = series.now.whole() == 0
            || prediction.expected < options.expected_min
            || (options.method == Method::Conditional && past.units == 0);
        if skipped {
            continue;
        }
        let p = match options.method {
            Method::Predictive => prediction.upper(series.now.part()),
            Method::Conditional => conditional(past, series.now),
        };
        tests.push(Test { series, prediction, p });
    }
    tests.sort_unstable_by(|a, b| {
        a.p.partial_cmp(&b.p)
            .unwrap_or(Ordering::Equal)
            .then_with(|| a.series.key.cmp(&b.series.key))
    });
    let values: Vec<f64> = tests.iter().map(|test| test.p).collect();
    let alarms = tests
        .iter()
        .zip(adjust_sorted(&values))
        .filter(|(test, q)| *q <= rate && test.series.now.part() >= options.returns_min)
        .filter(|(test, _)| test.series.now.part() as f64 > test.prediction.expected)
        .map(|(test, q)| test.alarm(q, options))
        .collect();
    Ok(Screening { tested: tests.len(), family, alarms })
}

struct Test<'a, K> {
    series: &'a Series<K>,
    prediction: Prediction,
    p: f64,
}

impl<K: Clone> Test<'_, K> {
    fn alarm(&self, q: f64, options: &Options) -> Alarm<K> {
        let seen = self.series.now;
        let expected = self.prediction.expected;
        let (low, high) = self.prediction.limits();
        let count = seen.part() as f64;
        let extra = Estimate {
            value: count - expected,
            low: count - high as f64,
            high: count - low as f64,
            sample: seen.whole(),
        };
        let whole = libm::round(extra.value.max(0.0)) as i64;
        Alarm {
            key: self.series.key.clone(),
            seen,
            expected,
            extra,
            extra_cost: self.series.cost_per_return.and_then(|cost| cost.checked_mul(whole).ok()),
            p: self.p,
            q,
            since: since(&self.series.past, seen, self.prediction.mean),
            findings: findings(seen, expected, q, options),
        }
    }
}

fn findings(seen: Proportion, expected: f64, q: f64, options: &Options) -> Vec<Finding> {
    let Ok(id) = RuleId::new(alloc::format!("alarm_{}", options.method)) else {
        return Vec::new();
    };
    let about = |subject: &str, observed: Fact, required: Fact| {
        let rule = RuleRef { id: id.clone(), version: 1, source: None };
        Finding::new(rule, Effect::Warns).about(subject).observed(observed).required(required)
    };
    let count = |n: u64| Fact::Count(i64::try_from(n).unwrap_or(i64::MAX));
    let rate = options.false_discovery_rate;
    alloc::vec![
        about("returns against expected", count(seen.part()), Fact::Number(exact(expected))),
        about("q against the accepted share", Fact::Number(exact(q)), Fact::Number(exact(rate))),
        about("returns against the minimum", count(seen.part()), count(options.returns_min)),
    ]
}

/// The start of the best raised segment that ends now: the largest Poisson likelihood ratio over
/// all starts, against the predicted mean.
fn since(past: &[Proportion], now: Proportion, mean: f64) -> usize {
    let (mut x, mut n) = (now.part() as f64, now.whole() as f64);
    let gain = |x: f64, n: f64| {
        let expected = n * mean;
        if x > expected && expected > 0.0 {
            x * math::ln(x / expected) - (x - expected)
        } else {
            0.0
        }
    };
    let (mut best, mut start) = (gain(x, n), past.len());
    for (position, period) in past.iter().enumerate().rev() {
        x += period.part() as f64;
        n += period.whole() as f64;
        if gain(x, n) > best {
            (best, start) = (gain(x, n), position);
        }
    }
    start
}

/// Totals of the past of one series.
#[derive(Clone, Copy, Debug)]
struct Past {
    returns: u64,
    units: u64,
    /// Sum of the squared units per period.
    squares: f64,
}

impl Past {
    fn of<K>(series: &Series<K>) -> Result<Self, AnalyticsError> {
        let mut past = Self { returns: 0, units: 0, squares: 0.0 };
        for period in &series.past {
            past.returns = past.returns.saturating_add(period.part());
            past.units = past.units.saturating_add(period.whole());
            past.squares += math::square(period.whole() as f64);
        }
        if past.units.saturating_add(series.now.whole()) > MAX_COUNT {
            return Err(AnalyticsError::TooLarge { name: "the units of one series" });
        }
        Ok(past)
    }

    /// How many independent units the past is worth at a correlation.
    fn effective_units(&self, rho: f64) -> f64 {
        let units = self.units as f64;
        if units == 0.0 { 0.0 } else { units / (1.0 + (self.squares / units - 1.0) * rho) }
    }
}

impl Family {
    fn estimate<K>(series: &[Series<K>], pasts: &[Past]) -> Self {
        let returns: f64 = pasts.iter().map(|past| past.returns as f64).sum();
        let units: f64 = pasts.iter().map(|past| past.units as f64).sum();
        // Without any past, half a return of one unit keeps every later step defined.
        let rate = if units > 0.0 { (returns + 0.5) / (units + 1.0) } else { 0.5 };
        let rho = pooled_rho(series, pasts, rate);
        Self { rate, rho, precision: precision(pasts, rate, rho) }
    }
}

/// The correlation between units of one period, pooled over the family by moments.
///
/// For every period `(x - n p)^2` is compared with what chance alone gives, allowing for `p` being
/// estimated from the same series. Three rounds, because the best weights depend on the result.
fn pooled_rho<K>(series: &[Series<K>], pasts: &[Past], rate: f64) -> f64 {
    let mut rho = 0.0_f64;
    for _ in 0..3 {
        let (mut above, mut per_rho) = (0.0, 0.0);
        for (series, past) in series.iter().zip(pasts) {
            let units = past.units as f64;
            let periods = series.past.iter().filter(|period| period.whole() > 0).count();
            if periods < 2 || units < 2.0 {
                continue;
            }
            let p = past.returns as f64 / units;
            let spread = p * (1.0 - p) * units / (units - 1.0);
            let smooth = (past.returns as f64 + 10.0 * rate) / (units + 10.0);
            let pairs: f64 = past.squares - units;
            let (mut s, mut chance, mut slope) = (0.0, 0.0, 0.0);
            for period in &series.past {
                let n = period.whole() as f64;
                s += math::square(period.part() as f64 - n * p);
                chance += n * (1.0 - n / units);
                slope += n * (n - 1.0) * (1.0 - 2.0 * n / units) + math::square(n / units) * pairs;
            }
            let usual = past.squares / units;
            let weight = 1.0
                / ((smooth * (1.0 - smooth)).max(1e-9)
                    * math::square(1.0 + (usual - 1.0).max(0.0) * rho));
            above += weight * (s - spread * chance);
            per_rho += weight * spread * slope;
        }
        rho = if per_rho > 0.0 { (above / per_rho).clamp(0.0, 0.5) } else { 0.0 };
    }
    rho
}

/// The weight of the family's rate in units, by moments (Kleinman): how much less the series' rates
/// vary than rates of independent draws would.
fn precision(pasts: &[Past], rate: f64, rho: f64) -> f64 {
    const LEAST: f64 = 2.0;
    const MOST: f64 = 1e6;
    let (mut weights, mut squares, mut spread, mut mean) = (0.0, 0.0, 0.0, 0.0);
    let mut groups = 0_u32;
    for past in pasts.iter().filter(|past| past.units > 0) {
        let n = past.effective_units(rho);
        weights += n;
        squares += n * n;
        mean += n * (past.returns as f64 / past.units as f64);
        groups = groups.saturating_add(1);
    }
    if groups < 5 || weights <= 0.0 {
        return LEAST;
    }
    mean /= weights;
    for past in pasts.iter().filter(|past| past.units > 0) {
        let p = past.returns as f64 / past.units as f64;
        spread += past.effective_units(rho) * math::square(p - mean);
    }
    let variance = (rate * (1.0 - rate)).max(1e-12);
    let chance = variance * (f64::from(groups) - 1.0);
    let between = (spread - chance) / (variance * (weights - squares / weights)).max(1e-12);
    // `between` is the share of the variance that lies between series: 1 / (precision + 1).
    if between <= 1.0 / (MOST + 1.0) { MOST } else { (1.0 / between - 1.0).clamp(LEAST, MOST) }
}

/// The distribution of the present count.
#[derive(Clone, Copy, Debug)]
struct Prediction {
    units: u64,
    mean: f64,
    expected: f64,
    a: f64,
    b: f64,
}

impl Prediction {
    fn new(past: &Past, family: &Family, units: u64) -> Self {
        let worth = past.effective_units(family.rho);
        let p = if past.units == 0 { 0.0 } else { past.returns as f64 / past.units as f64 };
        let weight = worth + family.precision;
        let mean = ((p * worth + family.rate * family.precision) / weight).clamp(1e-9, 1.0 - 1e-9);
        let spread = family.rho + (1.0 - family.rho) / (weight + 1.0);
        let strength = 1.0 / spread - 1.0;
        Self {
            units,
            mean,
            expected: units as f64 * mean,
            a: mean * strength,
            b: (1.0 - mean) * strength,
        }
    }

    fn upper(&self, x: u64) -> f64 {
        math::beta_binomial_upper(x, self.units, self.a, self.b)
    }

    /// The central 95 percent of the prediction.
    fn limits(&self) -> (u64, u64) {
        math::beta_binomial_limits(self.units, self.a, self.b, 0.025)
    }
}

fn conditional(past: &Past, now: Proportion) -> f64 {
    math::hypergeometric_upper(
        now.part(),
        past.units.saturating_add(now.whole()),
        past.returns.saturating_add(now.part()),
        now.whole(),
    )
}

/// The exact conditional test on its own: the probability that, of all returns of past and present,
/// so many or more fall into the present period, if each unit is as likely to come back as another.
///
/// ```
/// use aftersale::analytics::alarm::conditional_p;
/// use aftersale::analytics::rate::Proportion;
/// let p = conditional_p(Proportion::new(2, 100)?, Proportion::new(6, 50)?);
/// assert!((p - 0.016_96).abs() < 5e-5);
/// # Ok::<(), aftersale::analytics::AnalyticsError>(())
/// ```
#[must_use]
pub fn conditional_p(past: Proportion, now: Proportion) -> f64 {
    let totals = Past { returns: past.part(), units: past.whole(), squares: 0.0 };
    conditional(&totals, now)
}

/// The beta-binomial prediction on its own, for a host that keeps its own counts: the probability
/// of so many returns or more.
///
/// `rho` is the correlation within a period, `periods` how many periods the past spans (it enters
/// through how much the past is worth), and the family's rate weighs `precision` units.
///
/// # Errors
///
/// [`AnalyticsError::OutOfRange`] for `rho` outside `0..1`, a rate outside `0..=1`, a precision
/// not above zero, or no periods.
pub fn predictive_p(
    past: Proportion,
    periods: u32,
    now: Proportion,
    family: &Family,
) -> Result<f64, AnalyticsError> {
    let check = |valid: bool, name, value, range| {
        if valid { Ok(()) } else { Err(AnalyticsError::OutOfRange { name, value, range }) }
    };
    check((0.0..1.0).contains(&family.rho), "rho", family.rho, "0 or more and below 1")?;
    check((0.0..=1.0).contains(&family.rate), "the family's rate", family.rate, "from 0 to 1")?;
    let precise = family.precision > 0.0 && family.precision.is_finite();
    check(precise, "the precision", family.precision, "above 0")?;
    check(periods > 0, "the number of periods", f64::from(periods), "at least 1")?;
    let squares = math::square(past.whole() as f64) / f64::from(periods);
    let totals = Past { returns: past.part(), units: past.whole(), squares };
    Ok(Prediction::new(&totals, family, now.whole()).upper(now.part()))
}

/// Benjamini-Hochberg: the q of each p, in the order given.
///
/// Reporting every q up to 0.1 keeps the expected share of false reports at 10 percent, for
/// independent or positively dependent tests. A p that is not a number counts as 1.
///
/// ```
/// use aftersale::analytics::alarm::false_discovery_q;
/// let q = false_discovery_q(&[0.01, 0.04, 0.03, 0.005]);
/// assert_eq!(q, [0.02, 0.04, 0.04, 0.02]);
/// ```
#[must_use]
pub fn false_discovery_q(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = p
        .iter()
        .enumerate()
        .map(|(position, p)| (if p.is_nan() { 1.0 } else { *p }, position))
        .collect();
    order.sort_unstable_by(|a, b| {
        a.0.partial_cmp(&b.0).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1))
    });
    let sorted: Vec<f64> = order.iter().map(|(p, _)| *p).collect();
    let mut q = alloc::vec![1.0; p.len()];
    for ((_, position), value) in order.iter().zip(adjust_sorted(&sorted)) {
        if let Some(slot) = q.get_mut(*position) {
            *slot = value;
        }
    }
    q
}

/// The q of ascending p.
fn adjust_sorted(p: &[f64]) -> Vec<f64> {
    let total = p.len() as f64;
    let mut least = 1.0_f64;
    let mut q: Vec<f64> = p
        .iter()
        .enumerate()
        .rev()
        .map(|(position, p)| {
            least = least.min(p * total / (position as f64 + 1.0));
            least
        })
        .collect();
    q.reverse();
    q
}
