//! Trends and seasons.
//!
//! Short series: Mann and Kendall's test with Sen's slope, within seasons where there are some.
//! Rates over ordered time: Cochran and Armitage. Two seasons and more: STL, which splits a series
//! into trend, season and rest; feed it the logarithm or logit of the completed rate.
//!
//! Seasons that move in the calendar (Spring Festival) need a factor from the caller: divide the
//! series by it first.
//!
//! Sources: H. B. Mann, Econometrica 13 (1945) 245; R. M. Hirsch, J. R. Slack, R. A. Smith, Water
//! Resources Research 18 (1982) 107; P. K. Sen, JASA 63 (1968) 1379; P. Armitage, Biometrics 11
//! (1955) 375; R. B. Cleveland and others, Journal of Official Statistics 6 (1990) 3.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::math;
use super::rate::Proportion;

/// A monotonic trend.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trend {
    /// Rising pairs minus falling pairs.
    pub score: i64,
    /// The normal deviate, with continuity correction; 0 where nothing varies.
    pub z: f64,
    /// Two-sided p.
    pub p: f64,
    /// Median change per period.
    pub slope: f64,
}

/// Mann and Kendall's test over the seasons of a series (`period` 1: no season), with Sen's slope
/// per period.
///
/// Only values of the same season are compared. None for a period of zero or no two comparable
/// values; more than 4,000 values are refused too, because all pairs are compared.
///
/// ```
/// use aftersale::analytics::trend::mann_kendall;
/// // Ten months of completed return rates of a jacket, in percent.
/// let months = [8.1, 7.9, 8.3, 7.6, 7.1, 7.2, 6.6, 6.1, 6.3, 5.8];
/// let trend = mann_kendall(&months, 1).ok_or("too short")?;
/// assert!(trend.p < 0.002 && trend.slope < -0.2);
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn mann_kendall(values: &[f64], period: usize) -> Option<Trend> {
    if period == 0 || values.len() > 4000 || values.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let (mut score, mut variance) = (0_i64, 0.0);
    let mut slopes = Vec::new();
    for season in 0..period.min(values.len()) {
        let own: Vec<f64> = values.iter().skip(season).step_by(period).copied().collect();
        for (i, early) in own.iter().enumerate() {
            for (j, late) in own.iter().enumerate().skip(i.saturating_add(1)) {
                let sign = late.partial_cmp(early).map_or(0, |order| order as i64);
                score = score.saturating_add(sign);
                slopes.push((late - early) / j.saturating_sub(i).saturating_mul(period) as f64);
            }
        }
        let part = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
        let mut sorted = own.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let ties: f64 = sorted.chunk_by(|a, b| a == b).map(|group| part(group.len() as f64)).sum();
        variance += (part(own.len() as f64) - ties) / 18.0;
    }
    let z = if variance > 0.0 && score != 0 {
        (score.saturating_sub(score.signum())) as f64 / math::sqrt(variance)
    } else {
        0.0
    };
    Some(Trend { score, z, p: 2.0 * math::normal_cdf(-z.abs()), slope: median(&mut slopes)? })
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().saturating_sub(1) / 2)?;
    Some(0.5 * (upper + lower))
}

/// Cochran and Armitage's test for a trend of rates over ordered periods: the normal deviate and
/// the two-sided p. None where nothing varies.
#[must_use]
pub fn cochran_armitage(periods: &[Proportion]) -> Option<(f64, f64)> {
    let total = periods.iter().try_fold(Proportion::default(), |sum, p| sum.plus(*p)).ok()?;
    let rate = total.value()?;
    let (mut t, mut first, mut second) = (0.0, 0.0, 0.0);
    for (position, period) in periods.iter().enumerate() {
        let (at, n) = (position as f64, period.whole() as f64);
        t += at * (period.part() as f64 - n * rate);
        first += n * at;
        second += n * at * at;
    }
    let variance = rate * (1.0 - rate) * (second - first * first / total.whole() as f64);
    if variance <= 0.0 {
        return None;
    }
    let z = t / math::sqrt(variance);
    Some((z, 2.0 * math::normal_cdf(-z.abs())))
}

/// A series taken apart: `value = trend + season + rest`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// The slow movement.
    pub trend: Vec<f64>,
    /// What repeats.
    pub season: Vec<f64>,
    /// What is left.
    pub rest: Vec<f64>,
}

/// STL with local lines, two inner rounds and no robustness weights.
///
/// `seasonal` is the span of the seasonal smoother in years, odd and at least 7; the trend span is
/// the smallest odd number at least `1.5 period / (1 - 1.5 / seasonal)`, as its authors advise.
/// None for fewer than two seasons, a period below 2, more than 100,000 values, or a `seasonal`
/// that is even or below 7.
#[must_use]
pub fn stl(values: &[f64], period: usize, seasonal: usize) -> Option<Parts> {
    let n = values.len();
    let usable = period >= 2 && n >= period.saturating_mul(2) && n <= 100_000;
    if !usable || seasonal < 7 || seasonal.is_multiple_of(2) || seasonal > 10_001 {
        return None;
    }
    let odd = |span: f64| {
        let whole = libm::ceil(span) as usize;
        if whole.is_multiple_of(2) { whole.saturating_add(1) } else { whole }
    };
    let trend_span = odd(1.5 * period as f64 / (1.0 - 1.5 / seasonal as f64));
    let low_span = odd(period as f64 + 1.0);
    let mut trend = alloc::vec![0.0; n];
    let mut season = alloc::vec![0.0; n];
    for _ in 0..2 {
        let detrended: Vec<f64> = values.iter().zip(&trend).map(|(y, t)| y - t).collect();
        // Every season's own series, smoothed and extended by one season at both ends.
        let mut cycle = alloc::vec![0.0; n.saturating_add(period.saturating_mul(2))];
        for phase in 0..period {
            let own: Vec<f64> = detrended.iter().skip(phase).step_by(period).copied().collect();
            let ends = (0..own.len().saturating_add(2)).map(|at| at as f64 - 1.0);
            let smooth = ends.map(|at| local_line(&own, at, seasonal));
            for (slot, value) in cycle.iter_mut().skip(phase).step_by(period).zip(smooth) {
                *slot = value;
            }
        }
        let low = moving(&moving(&moving(&cycle, period), period), 3);
        let low: Vec<f64> = (0..n).map(|at| local_line(&low, at as f64, low_span)).collect();
        season = cycle.iter().skip(period).zip(&low).map(|(c, l)| c - l).collect();
        let adjusted: Vec<f64> = values.iter().zip(&season).map(|(y, s)| y - s).collect();
        trend = (0..n).map(|at| local_line(&adjusted, at as f64, trend_span)).collect();
    }
    let rest = values.iter().zip(&trend).zip(&season).map(|((y, t), s)| y - t - s).collect();
    Some(Parts { trend, season, rest })
}

fn moving(values: &[f64], span: usize) -> Vec<f64> {
    values.windows(span).map(|window| window.iter().sum::<f64>() / span as f64).collect()
}

/// Loess of degree one at a position, with tricube weights over the `span` nearest points.
fn local_line(values: &[f64], at: f64, span: usize) -> f64 {
    let n = values.len();
    let inside = span.min(n);
    let start = (at - (inside.saturating_sub(1)) as f64 / 2.0).max(0.0);
    let start = (libm::round(start) as usize).min(n.saturating_sub(inside));
    let end = start.saturating_add(inside);
    let mut reach = (at - start as f64).max(end.saturating_sub(1) as f64 - at);
    if span > n {
        reach += (span.saturating_sub(n) / 2) as f64;
    }
    let weight = |position: usize| {
        let distance = (position as f64 - at).abs();
        if distance <= 0.001 * reach {
            1.0
        } else if distance >= 0.999 * reach {
            0.0
        } else {
            let cube = math::powf(distance / reach, 3.0);
            math::powf(1.0 - cube, 3.0)
        }
    };
    let window = || (start..end).zip(values.iter().skip(start));
    let (mut total, mut center) = (0.0, 0.0);
    for (position, _) in window() {
        total += weight(position);
        center += weight(position) * position as f64;
    }
    if total <= 0.0 {
        return window().map(|(_, y)| *y).sum::<f64>() / inside.max(1) as f64;
    }
    center /= total;
    let (mut spread, mut cross, mut mean) = (0.0, 0.0, 0.0);
    for (position, y) in window() {
        let (w, away) = (weight(position) / total, position as f64 - center);
        spread += w * away * away;
        cross += w * away * y;
        mean += w * y;
    }
    let range = n.saturating_sub(1) as f64;
    if math::sqrt(spread) > 0.001 * range { mean + cross / spread * (at - center) } else { mean }
}
