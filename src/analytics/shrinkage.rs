//! Fair rankings: rates of small series drawn toward the mean of all.
//!
//! The ten worst of 500 articles are mostly the ten unluckiest: with a true 5 percent everywhere
//! and 200 units each they show 9 percent, and 5 percent next month with nobody doing anything. A
//! shrunken baseline takes the luck out; rank by the lower limit of what is left.
//!
//! Source: J. C. Kleinman, JASA 68 (1973) 46 (moments of the beta-binomial distribution).

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::math;
use super::rate::{Confidence, Estimate, Proportion};

/// One series after shrinking.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunk<K> {
    /// The series.
    pub key: K,
    /// Its counts.
    pub units: Proportion,
    /// The rate drawn toward the mean, with the interval of its posterior distribution.
    pub rate: Estimate,
}

/// What all series have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Common {
    /// The mean rate.
    pub rate: f64,
    /// The share of the variance that lies between series: 0 when all are alike.
    pub rho: f64,
}

/// Mean and spread by moments; none for fewer than five series with units, or no variation in what
/// could come back.
#[must_use]
pub fn common(series: &[Proportion]) -> Option<Common> {
    let known: Vec<(f64, f64)> = series
        .iter()
        .filter(|own| own.whole() > 0)
        .map(|own| (own.part() as f64, own.whole() as f64))
        .collect();
    if known.len() < 5 {
        return None;
    }
    // First weights are the units; then those that the spread found asks for.
    let mut weights: Vec<f64> = known.iter().map(|(_, n)| *n).collect();
    let mut result = Common { rate: 0.0, rho: 0.0 };
    for _ in 0..2 {
        let w: f64 = weights.iter().sum();
        let pairs = || known.iter().zip(&weights);
        let rate = pairs().map(|((x, n), weight)| weight * x / n).sum::<f64>() / w;
        let q = rate * (1.0 - rate);
        if q <= 0.0 {
            return None;
        }
        let s: f64 =
            pairs().map(|((x, n), weight)| weight * math::square(x / n - rate)).sum::<f64>();
        let part = |by: &dyn Fn(f64) -> f64| {
            pairs().map(|((_, n), weight)| weight * (1.0 - weight / w) * by(*n)).sum::<f64>()
        };
        let (chance, all) = (part(&|n| 1.0 / n), part(&|n| 1.0 - 1.0 / n));
        let rho = ((s - q * chance) / (q * all)).clamp(0.0, 1.0);
        result = Common { rate, rho };
        weights = known.iter().map(|(_, n)| n / (1.0 + rho * (n - 1.0))).collect();
    }
    Some(result)
}

/// The posterior rate of one series, given what all have in common.
#[must_use]
pub fn shrink(own: Proportion, common: &Common, confidence: Confidence) -> Estimate {
    let sample = own.whole();
    if common.rho <= 0.0 {
        let value = common.rate;
        return Estimate { value, low: value, high: value, sample };
    }
    let strength = (1.0 / common.rho - 1.0).max(1e-6);
    let a = own.part() as f64 + common.rate * strength;
    let b = own.rest() as f64 + (1.0 - common.rate) * strength;
    let tail = confidence.tail();
    Estimate {
        value: a / (a + b),
        low: math::beta_quantile(tail, a, b),
        high: math::beta_quantile(1.0 - tail, a, b),
        sample,
    }
}

/// The series by the lower limit of their shrunken rate, worst first, ties by key; none where
/// [`common`] gives none.
///
/// ```
/// use aftersale::analytics::rate::{Confidence, Proportion};
/// use aftersale::analytics::shrinkage::rank;
/// let articles = [("a", 1, 2), ("b", 90, 600), ("c", 30, 610), ("d", 28, 580), ("e", 33, 640),
///     ("f", 0, 3)];
/// let articles: Vec<(&str, Proportion)> = articles
///     .into_iter()
///     .map(|(key, x, n)| Ok((key, Proportion::new(x, n)?)))
///     .collect::<Result<_, aftersale::analytics::AnalyticsError>>()?;
/// let ranking = rank(&articles, Confidence::NINETY_FIVE).ok_or("too few")?;
/// assert_eq!(ranking[0].key, "b"); // not "a", whose 50 % are one of two
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn rank<K: Ord + Clone>(
    series: &[(K, Proportion)],
    confidence: Confidence,
) -> Option<Vec<Shrunk<K>>> {
    let counts: Vec<Proportion> = series.iter().map(|(_, own)| *own).collect();
    let common = common(&counts)?;
    let mut ranking: Vec<Shrunk<K>> = series
        .iter()
        .map(|(key, own)| Shrunk {
            key: key.clone(),
            units: *own,
            rate: shrink(*own, &common, confidence),
        })
        .collect();
    ranking.sort_by(|a, b| {
        b.rate
            .low
            .partial_cmp(&a.rate.low)
            .unwrap_or(Ordering::Equal)
            .then_with(|| a.key.cmp(&b.key))
    });
    Some(ranking)
}
