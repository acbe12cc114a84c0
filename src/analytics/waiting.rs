//! How long cases take when some are still open: Kaplan and Meier's estimate.
//!
//! Leaving out open cases makes a desk look faster the more it leaves lying. In: how long each case
//! has waited, and whether it is done. Out: the share done by any time, with its interval, and
//! percentiles.
//!
//! Source: E. L. Kaplan and P. Meier, JASA 53 (1958) 457; intervals on the log-log scale.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::math;
use super::rate::{Confidence, Estimate, Proportion};

/// One case: how long, and whether it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Done after so many business seconds.
    Done(u64),
    /// Open for so many business seconds so far.
    Open(u64),
}

/// The share still waiting over time.
///
/// ```
/// use aftersale::analytics::rate::Confidence;
/// use aftersale::analytics::waiting::{Wait, Waiting};
/// let hour = 3600;
/// let cases = [Wait::Done(hour), Wait::Done(2 * hour), Wait::Open(3 * hour), Wait::Done(4 * hour)];
/// let waiting = Waiting::of(&cases);
/// // One of two cases at risk is done at four hours: the last step falls from one half to zero.
/// assert_eq!(waiting.done_within(3 * hour, Confidence::NINETY_FIVE).map(|e| e.value), Some(0.5));
/// assert_eq!(waiting.percentile(90), Some(4 * hour));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    cases: u64,
    /// How long the open cases have waited, ascending.
    open: Vec<u64>,
    /// Time, share waiting after it, Greenwood's sum.
    steps: Vec<(u64, f64, f64)>,
}

impl Waiting {
    /// From all cases, done and open.
    #[must_use]
    pub fn of(cases: &[Wait]) -> Self {
        let mut times: Vec<(u64, bool)> = cases
            .iter()
            .map(|wait| match wait {
                Wait::Done(seconds) => (*seconds, true),
                Wait::Open(seconds) => (*seconds, false),
            })
            .collect();
        times.sort_unstable();
        let mut steps: Vec<(u64, f64, f64)> = Vec::new();
        let mut at_risk = times.len();
        let (mut waiting, mut greenwood) = (1.0, 0.0);
        for group in times.chunk_by(|a, b| a.0 == b.0) {
            let done = group.iter().filter(|(_, done)| *done).count();
            if done > 0 {
                let (d, r) = (done as f64, at_risk as f64);
                waiting *= 1.0 - d / r;
                greenwood += if done < at_risk { d / (r * (r - d)) } else { f64::INFINITY };
                steps.extend(group.first().map(|(time, _)| (*time, waiting, greenwood)));
            }
            at_risk = at_risk.saturating_sub(group.len());
        }
        let open = times.iter().filter(|(_, done)| !done).map(|(time, _)| *time).collect();
        Self { cases: cases.len() as u64, open, steps }
    }

    /// The share done by a time, with its interval; none without cases.
    ///
    /// Where none or all are done, the interval is Wilson's over the cases that are known to be so: those
    /// that were open when last looked at before that time tell nothing.
    #[must_use]
    pub fn done_within(&self, seconds: u64, confidence: Confidence) -> Option<Estimate> {
        if self.cases == 0 {
            return None;
        }
        let reached = self.steps.partition_point(|(time, _, _)| *time <= seconds);
        let step = reached.checked_sub(1).and_then(|last| self.steps.get(last));
        let (waiting, greenwood) = step.map_or((1.0, 0.0), |(_, w, g)| (*w, *g));
        let (low, high) = if waiting <= 0.0 || waiting >= 1.0 {
            let unknown = self.open.partition_point(|waited| *waited < seconds) as u64;
            let known = self.cases.saturating_sub(unknown);
            let part = if waiting <= 0.0 { known } else { 0 };
            let limits = Proportion::new(part, known).ok().and_then(|own| own.wilson(confidence));
            limits.map_or((0.0, 1.0), |limits| (limits.low, limits.high))
        } else {
            let spread = confidence.z() * math::sqrt(greenwood) / math::ln(waiting).abs();
            let at = |shift: f64| 1.0 - math::powf(waiting, math::exp(shift));
            (at(-spread), at(spread))
        };
        Some(Estimate { value: 1.0 - waiting, low, high, sample: self.cases })
    }

    /// The time by which so many percent are done; none while too many are still open.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<u64> {
        let wanted = 1.0 - f64::from(percent.min(100)) / 100.0;
        let reached = |step: &&(u64, f64, f64)| step.1 <= wanted + 1e-12;
        self.steps.iter().find(reached).map(|(time, _, _)| *time)
    }
}
