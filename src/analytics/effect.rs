//! Did the action work: before and after, against a control, over a series.
//!
//! Compare completed cohorts only ([`super::cohort`]), and say before looking which window counts.
//!
//! Sources: R. G. Newcombe 1998 (see [`super::rate`]); J. M. Bernal, S. Cummins, A. Gasparrini,
//! International Journal of Epidemiology 46 (2017) 348 (interrupted time series).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::rate::{Confidence, Proportion};
use super::{AnalyticsError, glm, math};

/// Change of the treated minus change of the untreated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DifferenceInDifferences {
    /// In rate points: (after - before) treated minus (after - before) control.
    pub value: f64,
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
    /// Ratio of the odds ratios with its interval; none where a cell is empty.
    pub odds_ratio: Option<(f64, f64, f64)>,
    /// Units on all four sides.
    pub sample: u64,
}

impl DifferenceInDifferences {
    /// The decision rule: the interval excludes zero.
    #[must_use]
    pub fn is_distinct(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The four sides of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    /// Treated, before.
    pub treated_before: Proportion,
    /// Treated, after.
    pub treated_after: Proportion,
    /// Not treated, before.
    pub control_before: Proportion,
    /// Not treated, after.
    pub control_after: Proportion,
}

/// Compares the change of the treated with that of a control, so that a season or a general
/// movement is not taken for an effect. None where a side is empty.
///
/// The interval adds the squared distances of Newcombe's intervals of both changes, so that it also
/// holds where counts are small or zero.
///
/// ```
/// use aftersale::analytics::effect::{Sides, difference_in_differences};
/// use aftersale::analytics::rate::{Confidence, Proportion};
/// let of = Proportion::new;
/// // Jackets with the new size chart fall from 8 % to 5 %; all other jackets from 8 % to 6.5 %.
/// let effect = difference_in_differences(
///     &Sides {
///         treated_before: of(160, 2000)?,
///         treated_after: of(100, 2000)?,
///         control_before: of(400, 5000)?,
///         control_after: of(325, 5000)?,
///     },
///     Confidence::NINETY_FIVE,
/// ).ok_or("empty")?;
/// assert!((effect.value + 0.015).abs() < 1e-12);
/// assert!(!effect.is_distinct()); // half of the fall was the season, the rest is not proven
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn difference_in_differences(
    sides: &Sides,
    confidence: Confidence,
) -> Option<DifferenceInDifferences> {
    let z = confidence.z();
    let treated = super::rate::newcombe(sides.treated_before, sides.treated_after, z)?;
    let control = super::rate::newcombe(sides.control_before, sides.control_after, z)?;
    let value = treated.0 - control.0;
    let reach = |own: f64, other: f64| math::sqrt(math::square(own) + math::square(other));
    let cells =
        [sides.treated_before, sides.treated_after, sides.control_before, sides.control_after];
    let odds_ratio = cells
        .iter()
        .map(|side| {
            let (x, rest) = (side.part() as f64, side.rest() as f64);
            (x > 0.0 && rest > 0.0).then(|| (math::ln(x / rest), 1.0 / x + 1.0 / rest))
        })
        .collect::<Option<Vec<_>>>()
        .and_then(|logs| match logs.as_slice() {
            [tb, ta, cb, ca] => {
                let log = (ta.0 - tb.0) - (ca.0 - cb.0);
                let error = z * math::sqrt(tb.1 + ta.1 + cb.1 + ca.1);
                Some((math::exp(log), math::exp(log - error), math::exp(log + error)))
            }
            _ => None,
        });
    Some(DifferenceInDifferences {
        value,
        low: value - reach(treated.0 - treated.1, control.2 - control.0),
        high: value + reach(treated.2 - treated.0, control.0 - control.1),
        odds_ratio,
        sample: cells.iter().fold(0, |sum, side| sum.saturating_add(side.whole())),
    })
}

/// An interrupted series: how level and slope of a rate changed at a point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interruption {
    /// Rate ratio of the jump, with its interval.
    pub level: (f64, f64, f64),
    /// Rate ratio of the change of slope per period, with its interval.
    pub slope: (f64, f64, f64),
    /// Spread beyond chance, 1 or more; the intervals allow for it.
    pub dispersion: f64,
}

/// Fits a Poisson series with units as exposure: level and slope before, and what changes from
/// period `at` on.
///
/// # Errors
///
/// [`AnalyticsError::Length`] with fewer than three periods on a side;
/// [`AnalyticsError::OutOfRange`] for a period without units or a series that cannot be fitted.
pub fn interrupted_series(
    periods: &[Proportion],
    at: usize,
    confidence: Confidence,
) -> Result<Interruption, AnalyticsError> {
    let after = periods.len().saturating_sub(at);
    if at < 3 || after < 3 {
        let (name, found, expected) = ("each side of the series", at.min(after), 3);
        return Err(AnalyticsError::Length { name, found, expected });
    }
    if periods.iter().any(|period| period.whole() == 0) {
        let (name, value, range) = ("the units of a period", 0.0, "above 0");
        return Err(AnalyticsError::OutOfRange { name, value, range });
    }
    let rows: Vec<Vec<f64>> = (0..periods.len())
        .map(|t| {
            let late = if t >= at { 1.0 } else { 0.0 };
            alloc::vec![1.0, t as f64, late, late * t.saturating_sub(at) as f64]
        })
        .collect();
    let counts: Vec<f64> = periods.iter().map(|period| period.part() as f64).collect();
    let offsets: Vec<f64> = periods.iter().map(|period| math::ln(period.whole() as f64)).collect();
    let fit = glm::poisson(&rows, &counts, &offsets, &alloc::vec![1.0; counts.len()]);
    let total: f64 = counts.iter().sum();
    let (name, range) = ("the number of returns", "enough to fit four parameters");
    let fit = fit.ok_or(AnalyticsError::OutOfRange { name, value: total, range })?;
    let ratio = |position: usize| {
        let log = fit.coefficients.get(position).copied().unwrap_or(f64::NAN);
        let reach = confidence.z() * fit.standard_error(position);
        (math::exp(log), math::exp(log - reach), math::exp(log + reach))
    };
    Ok(Interruption { level: ratio(2), slope: ratio(3), dispersion: fit.dispersion })
}
