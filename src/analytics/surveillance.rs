//! Early warning on one series that a person follows: EARS for a short history, Farrington's
//! flexible method for two or three years and more.
//!
//! For thousands of series at once use [`super::alarm`].
//!
//! Sources: R. D. Fricker, B. L. Hegler, D. A. Dunfee, Statistics in Medicine 27 (2008) 3407;
//! C. P. Farrington and others, JRSS A 159 (1996) 547; A. Noufaily and others, Statistics in
//! Medicine 32 (2013) 1206; M. Salmon, D. Schumacher, M. Hoehle, Journal of Statistical Software
//! 70 (2016) 10.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{AnalyticsError, glm, math};
use crate::label::codes;

codes! {
    /// The variants of EARS.
    pub enum Ears "EARS method" {
        /// Mean and deviation of the seven periods before.
        C1 = "c1", "C1: seven periods before", "C1：前七期";
        /// The same with a gap of two periods, so that a slow rise does not hide itself.
        C2 = "c2", "C2: seven periods, gap of two", "C2：隔两期";
        /// C2 with the excess of the last two periods added up.
        C3 = "c3", "C3: excess of three periods", "C3：三期累计";
    }
}

/// What a method says about the last period of a series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Warning {
    /// The count seen.
    pub seen: u64,
    /// The count expected.
    pub expected: f64,
    /// The largest count that raises no alarm.
    pub limit: f64,
    /// Whether the count is above the limit, and large enough to matter.
    pub alarm: bool,
}

/// EARS for the last of these periods, with limits `z` deviations above the mean (3 is usual for
/// C1 and C2, 2 for C3).
///
/// A deviation below `0.2` is raised to it, so that seven equal periods do not make one more return
/// an alarm (the floor of the original program). None for fewer than eight periods (C1), ten (C2)
/// or twelve (C3).
///
/// ```
/// use aftersale::analytics::surveillance::{Ears, ears};
/// // Returns per day of a phone case; the last day is unusual.
/// let days = [4, 6, 5, 3, 5, 4, 6, 12];
/// let warning = ears(&days, Ears::C1, 3.0).ok_or("too short")?;
/// assert!(warning.alarm && warning.limit < 9.0);
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn ears(counts: &[u64], method: Ears, z: f64) -> Option<Warning> {
    let last = counts.len().checked_sub(1)?;
    let seen = *counts.get(last)?;
    // Mean and deviation of the seven periods that end `gap` before `at`.
    let base = |at: usize, gap: usize| {
        let end = at.checked_sub(gap)?;
        let window = counts.get(end.checked_sub(7)?..end)?;
        let mean = window.iter().map(|x| *x as f64).sum::<f64>() / 7.0;
        let squares: f64 = window.iter().map(|x| math::square(*x as f64 - mean)).sum();
        Some((mean, math::sqrt(squares / 6.0).max(0.2)))
    };
    let (expected, limit) = match method {
        Ears::C1 => {
            let (mean, deviation) = base(last, 0)?;
            (mean, mean + z * deviation)
        }
        Ears::C2 => {
            let (mean, deviation) = base(last, 2)?;
            (mean, mean + z * deviation)
        }
        Ears::C3 => {
            let (mean, deviation) = base(last, 2)?;
            let mut excess = 0.0;
            for back in 1..=2 {
                let at = last.checked_sub(back)?;
                let (mean, deviation) = base(at, 2)?;
                let c2 = (*counts.get(at)? as f64 - mean) / deviation;
                excess += (c2 - 1.0).max(0.0);
            }
            (mean, mean + deviation * (z - excess))
        }
    };
    Some(Warning { seen, expected, limit, alarm: seen as f64 > limit })
}

/// Settings of Farrington's flexible method.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Farrington {
    /// Periods per year: 52 for weeks, 12 for months.
    pub periods_per_year: u32,
    /// Years to look back.
    pub years: u32,
    /// Half width of the window around the same season.
    pub half_window: u32,
    /// Season blocks, the window included.
    pub blocks: u32,
    /// Latest periods left out, so that a running outbreak does not enter its own baseline.
    pub latest_left_out: u32,
    /// The risk of a false alarm per period, above 0 and below 0.5.
    pub risk: f64,
    /// The largest p at which a trend is kept.
    pub trend_p: f64,
    /// No alarm with fewer returns in the last four periods.
    pub returns_min: u64,
}

impl Default for Farrington {
    /// Weeks, five years, the settings of Noufaily and others (2013).
    fn default() -> Self {
        Self {
            periods_per_year: 52,
            years: 5,
            half_window: 3,
            blocks: 10,
            latest_left_out: 26,
            risk: 0.005,
            trend_p: 0.05,
            returns_min: 5,
        }
    }
}

/// What the method found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FarringtonWarning {
    /// The judgment.
    pub warning: Warning,
    /// Spread beyond chance, 1 or more.
    pub dispersion: f64,
    /// Change of the log rate per period, where a trend was kept.
    pub trend: Option<f64>,
}

/// Farrington's flexible method for the last of these periods.
///
/// `units` are the units sold per period, for a rate; leave it empty to watch plain counts. A
/// quasi-Poisson regression on season blocks and, where it earns it, a trend; past outbreaks are
/// weighted down by their Anscombe residual (above 2.58); the limit is the quantile of a negative
/// binomial with the predicted mean and the dispersion.
///
/// # Errors
///
/// [`AnalyticsError::Length`] when the series is too short for the years asked for, or `units` has
/// another length; [`AnalyticsError::OutOfRange`] for settings that make no sense, units of zero,
/// or a baseline that no model fits.
pub fn farrington(
    counts: &[u64],
    units: &[u64],
    settings: &Farrington,
) -> Result<FarringtonWarning, AnalyticsError> {
    let out = |name, value: f64, range| AnalyticsError::OutOfRange { name, value, range };
    if !(settings.risk > 0.0 && settings.risk < 0.5) {
        return Err(out("the risk", settings.risk, "above 0 and below 0.5"));
    }
    let (freq, half) = (settings.periods_per_year as usize, settings.half_window as usize);
    let width = half.saturating_mul(2).saturating_add(1);
    let blocks = settings.blocks as usize;
    if !(1..=1000).contains(&freq) || blocks == 0 || blocks > 60 || width >= freq || blocks > freq {
        return Err(out("the season blocks", f64::from(settings.blocks), "1 to 60 within a year"));
    }
    if !units.is_empty() && units.len() != counts.len() {
        let (found, expected) = (units.len(), counts.len());
        return Err(AnalyticsError::Length { name: "the units", found, expected });
    }
    if units.contains(&0) {
        return Err(out("the units of a period", 0.0, "above 0"));
    }
    let back = (settings.years as usize).saturating_mul(freq).saturating_add(half);
    let needed = back.saturating_add(1);
    let too_short =
        AnalyticsError::Length { name: "the series", found: counts.len(), expected: needed };
    if counts.len() < needed || settings.years == 0 || settings.years > 100 {
        return Err(too_short);
    }
    let now = counts.len().saturating_sub(1);
    let first = now.saturating_sub(back);
    let end = now.saturating_sub(settings.latest_left_out as usize);
    let exposure = |at: usize| units.get(at).map_or(0.0, |n| math::ln(*n as f64));
    let reference: Vec<usize> = (first..end).collect();
    let y: Vec<f64> =
        reference.iter().map(|at| counts.get(*at).copied().unwrap_or(0) as f64).collect();
    let offsets: Vec<f64> = reference.iter().map(|at| exposure(*at)).collect();
    let block = |at: usize| season_block(now, at, freq, half, blocks);
    let design = |with_trend: bool| -> Vec<Vec<f64>> {
        let row = |at: &usize| {
            let mut row: Vec<f64> = core::iter::once(1.0)
                .chain((1..blocks).map(|b| if block(*at) == b { 1.0 } else { 0.0 }))
                .collect();
            if with_trend {
                row.push(at.saturating_sub(first) as f64);
            }
            row
        };
        reference.iter().map(row).collect()
    };
    let unfit = || out("the baseline", y.iter().sum(), "enough returns to fit every season block");
    let plain = design(false);
    let (mut fit, mut trend) = (weighted(&plain, &y, &offsets).ok_or_else(unfit)?, None);
    let mut ahead: Vec<f64> = core::iter::once(1.0).chain((1..blocks).map(|_| 0.0)).collect();
    if settings.years >= 3 {
        let rows = design(true);
        if let Some(tried) = weighted(&rows, &y, &offsets) {
            let slope = tried.coefficients.last().copied().unwrap_or(0.0);
            let t = slope / tried.standard_error(blocks);
            let freedom = y.len().saturating_sub(blocks.saturating_add(1)) as f64;
            let significant = student_two_sided(t, freedom) < settings.trend_p;
            let mut row = ahead.clone();
            row.push(now.saturating_sub(first) as f64);
            let predicted = predict(&tried, &row, exposure(now));
            // Never extrapolate beyond what the reference periods have shown.
            let most = y
                .iter()
                .zip(&offsets)
                .fold(0.0_f64, |most, (y, offset)| most.max(y / math::exp(*offset)));
            if significant && predicted / math::exp(exposure(now)) <= most {
                (fit, trend, ahead) = (tried, Some(slope), row);
            }
        }
    }
    let expected = predict(&fit, &ahead, exposure(now));
    let size = if fit.dispersion > 1.0 { expected / (fit.dispersion - 1.0) } else { f64::INFINITY };
    let limit = math::count_quantile(1.0 - settings.risk, expected, size) as f64;
    let seen = counts.get(now).copied().unwrap_or(0);
    let recent = counts.iter().rev().take(4).fold(0_u64, |sum, x| sum.saturating_add(*x));
    let alarm = seen as f64 > limit && recent >= settings.returns_min;
    let warning = Warning { seen, expected, limit, alarm };
    Ok(FarringtonWarning { warning, dispersion: fit.dispersion, trend })
}

/// Block 0 is the same season as now, within the half window, in any year; the rest of the year is
/// cut into equal blocks.
fn season_block(now: usize, at: usize, freq: usize, half: usize, blocks: usize) -> usize {
    let ago = now.saturating_sub(at).checked_rem(freq).unwrap_or(0);
    if ago <= half || freq.saturating_sub(ago) <= half || blocks < 2 {
        return 0;
    }
    let inside = ago.saturating_sub(half.saturating_add(1));
    let rest = freq.saturating_sub(half.saturating_mul(2).saturating_add(1)).max(1);
    let others = blocks.saturating_sub(1);
    inside
        .saturating_mul(others)
        .checked_div(rest)
        .unwrap_or(0)
        .min(others.saturating_sub(1))
        .saturating_add(1)
}

/// Fit, weigh past outbreaks down, fit again.
fn weighted(rows: &[Vec<f64>], y: &[f64], offsets: &[f64]) -> Option<glm::Fit> {
    let first = glm::poisson(rows, y, offsets, &alloc::vec![1.0; y.len()])?;
    let raw: Vec<f64> = y
        .iter()
        .zip(&first.fitted)
        .zip(&first.leverage)
        .map(|((y, mean), leverage)| {
            let shape = math::powf(*y, 2.0 / 3.0) * math::powf(*mean, -1.0 / 6.0);
            let spread = first.dispersion * (1.0 - leverage).max(1e-9);
            let s = 1.5 * (shape - math::sqrt(*mean)) / math::sqrt(spread);
            if s > 2.58 { 1.0 / (s * s) } else { 1.0 }
        })
        .collect();
    let scale = y.len() as f64 / raw.iter().sum::<f64>();
    let weights: Vec<f64> = raw.iter().map(|weight| weight * scale).collect();
    glm::poisson(rows, y, offsets, &weights)
}

fn predict(fit: &glm::Fit, row: &[f64], offset: f64) -> f64 {
    let log: f64 = fit.coefficients.iter().zip(row).map(|(b, x)| b * x).sum();
    math::exp((log + offset).clamp(-300.0, 300.0))
}

fn student_two_sided(t: f64, freedom: f64) -> f64 {
    if freedom <= 0.0 || t.is_nan() {
        return 1.0;
    }
    math::incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}
