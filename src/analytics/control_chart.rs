//! Control charts for a person to look at: limits, Laney's correction, runs.
//!
//! In: `x` of `n` per period. Out: per period the rate, its limits and whether it lies outside.
//! Made for one chart under somebody's eyes. Over thousands of series such rules drown the desk in
//! false alarms; use [`super::alarm`] there.
//!
//! Sources: D. B. Laney, Quality Engineering 14 (2002) 531; M. A. Mohammed and D. Laney, Quality and
//! Safety in Health Care 15 (2006) 382; J. Anhoej and A. V. Olesen, PLoS ONE 9 (2014) e113825.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::math;
use super::rate::Proportion;
use crate::label::codes;

codes! {
    /// How wide the limits are.
    pub enum Limits "control limits" {
        /// Chance alone: the classic p-chart.
        Binomial = "binomial", "p-chart", "p 图";
        /// Chance times the variation usual between periods: Laney's p'-chart. Never narrower than
        /// the p-chart.
        Laney = "laney", "p'-chart (Laney)", "p′ 图（Laney）";
    }
}

/// One period on the chart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The rate of the period.
    pub rate: f64,
    /// Lower limit, not below 0.
    pub low: f64,
    /// Upper limit, not above 1.
    pub high: f64,
    /// Distance from the center in standard deviations of this period.
    pub z: f64,
    /// Whether the period is outside its limits.
    pub outside: bool,
}

/// The runs of points on one side of the median, a sign of a shift that no single point shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runs {
    /// Points not on the median.
    pub useful: usize,
    /// The longest run on one side.
    pub longest: usize,
    /// The longest run to expect: round(log2 n) + 3.
    pub longest_limit: usize,
    /// How often the line crosses the median.
    pub crossings: usize,
    /// The fewest crossings to expect: the 5 percent quantile of the binomial distribution.
    pub crossings_limit: usize,
}

impl Runs {
    /// Whether the rate has shifted: a run too long or crossings too few.
    #[must_use]
    pub const fn shifted(&self) -> bool {
        self.longest > self.longest_limit || self.crossings < self.crossings_limit
    }
}

/// A control chart.
///
/// ```
/// use aftersale::analytics::control_chart::{Limits, p_chart};
/// use aftersale::analytics::rate::Proportion;
/// let weeks: Vec<Proportion> = [20, 23, 19, 22, 18, 21, 45, 20]
///     .into_iter()
///     .map(|x| Proportion::new(x, 400))
///     .collect::<Result<_, _>>()?;
/// let chart = p_chart(&weeks, Limits::Binomial, 3.0).ok_or("no units")?;
/// let outside: Vec<usize> =
///     (0..8).filter(|week| chart.points[*week].is_some_and(|point| point.outside)).collect();
/// assert_eq!(outside, [6]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlChart {
    /// The mean rate.
    pub center: f64,
    /// Laney's factor; 1 for a classic chart.
    pub sigma_z: f64,
    /// The periods; none where nothing was sold.
    pub points: Vec<Option<Point>>,
    /// Runs around the median.
    pub runs: Runs,
}

/// A p- or p'-chart with limits `width` standard deviations from the mean; none when nothing was
/// sold at all.
#[must_use]
pub fn p_chart(periods: &[Proportion], limits: Limits, width: f64) -> Option<ControlChart> {
    let total = periods.iter().try_fold(Proportion::default(), |sum, p| sum.plus(*p)).ok()?;
    let center = total.value()?;
    let deviation = |n: f64| math::sqrt(center * (1.0 - center) / n);
    Some(chart(periods, center, limits, width, deviation, 1.0))
}

/// A u- or u'-chart: returns per unit, where one unit can come back more than once or units are not
/// what is exposed.
///
/// In: events and exposure per period. None when nothing was exposed.
#[must_use]
pub fn u_chart(periods: &[(u64, u64)], limits: Limits, width: f64) -> Option<ControlChart> {
    let (events, exposure) = periods
        .iter()
        .fold((0.0, 0.0), |(x, e), period| (x + period.0 as f64, e + period.1 as f64));
    if exposure <= 0.0 {
        return None;
    }
    let center = events / exposure;
    let rates: Vec<(f64, f64)> = periods.iter().map(|(x, e)| (*x as f64, *e as f64)).collect();
    let deviation = |n: f64| math::sqrt(center / n);
    Some(chart_of(&rates, center, limits, width, deviation, f64::INFINITY))
}

fn chart(
    periods: &[Proportion],
    center: f64,
    limits: Limits,
    width: f64,
    deviation: impl Fn(f64) -> f64,
    most: f64,
) -> ControlChart {
    let rates: Vec<(f64, f64)> =
        periods.iter().map(|p| (p.part() as f64, p.whole() as f64)).collect();
    chart_of(&rates, center, limits, width, deviation, most)
}

fn chart_of(
    periods: &[(f64, f64)],
    center: f64,
    limits: Limits,
    width: f64,
    deviation: impl Fn(f64) -> f64,
    most: f64,
) -> ControlChart {
    let z: Vec<Option<f64>> = periods
        .iter()
        .map(|(x, n)| {
            let sigma = if *n > 0.0 { deviation(*n) } else { return None };
            Some(if sigma > 0.0 { (x / n - center) / sigma } else { 0.0 })
        })
        .collect();
    let known: Vec<f64> = z.iter().copied().flatten().collect();
    let sigma_z = match limits {
        Limits::Binomial => 1.0,
        Limits::Laney => {
            let moves: Vec<f64> = known
                .windows(2)
                .filter_map(|pair| if let [a, b] = pair { Some((b - a).abs()) } else { None })
                .collect();
            let count = moves.len() as f64;
            if moves.is_empty() {
                1.0
            } else {
                (moves.iter().sum::<f64>() / count / 1.128).max(1.0)
            }
        }
    };
    let points = periods
        .iter()
        .zip(&z)
        .map(|((x, n), z)| {
            let z = (*z)?;
            let reach = width * deviation(*n) * sigma_z;
            Some(Point {
                rate: x / n,
                low: (center - reach).max(0.0),
                high: (center + reach).min(most),
                z,
                outside: z.abs() > width * sigma_z,
            })
        })
        .collect();
    let rates: Vec<f64> = periods.iter().filter(|(_, n)| *n > 0.0).map(|(x, n)| x / n).collect();
    ControlChart { center, sigma_z, points, runs: runs(&rates) }
}

/// Runs and crossings around the median.
#[must_use]
pub fn runs(values: &[f64]) -> Runs {
    let mut sorted: Vec<f64> = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    let upper = sorted.get(n / 2).copied().unwrap_or(0.0);
    let lower = n.saturating_sub(1) / 2;
    let median = 0.5 * (upper + sorted.get(lower).copied().unwrap_or(0.0));
    let sides: Vec<bool> =
        values.iter().filter(|value| **value != median).map(|value| *value > median).collect();
    let groups: Vec<usize> = sides.chunk_by(|a, b| a == b).map(<[bool]>::len).collect();
    let useful = sides.len();
    let expected = libm::round(libm::log2((useful as f64).max(1.0))) as usize;
    let chances = useful.saturating_sub(1) as u64;
    let mut crossings_limit = 0_usize;
    while chances > 0 && math::binomial_cdf(crossings_limit as u64, chances, 0.5) < 0.05 {
        crossings_limit = crossings_limit.saturating_add(1);
    }
    Runs {
        useful,
        longest: groups.iter().copied().max().unwrap_or(0),
        longest_limit: expected.saturating_add(3),
        crossings: groups.len().saturating_sub(1),
        crossings_limit,
    }
}
