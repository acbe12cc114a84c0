//! Looking every day: tests that stay valid however often one looks.
//!
//! A fixed-sample test looked at daily finds effects that are not there. An e-process may be looked
//! at after every case; it is stopped when it passes `1 / risk` (Ville's inequality).
//!
//! The running maximum is state in *time order*: it cannot be merged across shards. Merge the daily
//! counts first, then fold.
//!
//! Sources: J. Ville, Etude critique de la notion de collectif (1939); S. R. Howard and others,
//! Annals of Statistics 49 (2021) 1055; R. Turner, A. Ly, P. Gruenwald, Statistical methods in
//! medical research (2021, arXiv 2106.02693).

use serde::{Deserialize, Serialize};

use super::rate::Proportion;
use super::{AnalyticsError, math};

/// A watch on one stream against a fixed rate stated beforehand.
///
/// ```
/// use aftersale::analytics::rate::Proportion;
/// use aftersale::analytics::sequential::RateWatch;
/// // Eight percent was usual; after the new size chart 3 of 100 come back, week after week.
/// let mut watch = RateWatch::new(0.08)?;
/// let mut week = 0;
/// while watch.p() > 0.05 {
///     watch.observe(Proportion::new(3, 100)?)?;
///     week += 1;
/// }
/// assert_eq!(week, 3);
/// let (low, high) = watch.interval(0.05).ok_or("no units")?;
/// assert!(low < 0.03 && 0.03 < high && high < 0.08);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RateWire")]
pub struct RateWatch {
    usual: f64,
    seen: Proportion,
    most: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateWire {
    usual: f64,
    seen: Proportion,
    most: f64,
}

impl TryFrom<RateWire> for RateWatch {
    type Error = AnalyticsError;
    fn try_from(wire: RateWire) -> Result<Self, AnalyticsError> {
        let RateWire { usual, seen, most } = wire;
        Ok(Self { seen, most: stored_most(most)?, ..Self::new(usual)? })
    }
}

/// The largest evidence of a stored watch: never below that of nothing seen.
fn stored_most(most: f64) -> Result<f64, AnalyticsError> {
    if most >= 0.0 && most.is_finite() {
        return Ok(most);
    }
    let (name, range) = ("the stored evidence", "0 or more");
    Err(AnalyticsError::OutOfRange { name, value: most, range })
}

/// The prior of the mixture: Beta(1/2, 1/2).
const PRIOR: f64 = 0.5;

fn log_evidence(seen: Proportion, rate: f64) -> f64 {
    let (x, rest) = (seen.part() as f64, seen.rest() as f64);
    let part = |count: f64, chance: f64| if count > 0.0 { count * math::ln(chance) } else { 0.0 };
    math::ln_beta(PRIOR + x, PRIOR + rest)
        - math::ln_beta(PRIOR, PRIOR)
        - part(x, rate)
        - part(rest, 1.0 - rate)
}

impl RateWatch {
    /// Watches against a usual rate, above 0 and below 1.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::OutOfRange`] for another rate.
    pub fn new(usual: f64) -> Result<Self, AnalyticsError> {
        if usual > 0.0 && usual < 1.0 {
            return Ok(Self { usual, seen: Proportion::default(), most: 0.0 });
        }
        let (name, range) = ("the usual rate", "above 0 and below 1");
        Err(AnalyticsError::OutOfRange { name, value: usual, range })
    }

    /// Takes in what came next, in order of time; gives the logarithm of the evidence now.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooLarge`] past the largest count.
    pub fn observe(&mut self, next: Proportion) -> Result<f64, AnalyticsError> {
        self.seen = self.seen.plus(next)?;
        let evidence = log_evidence(self.seen, self.usual);
        self.most = self.most.max(evidence);
        Ok(evidence)
    }

    /// What was seen so far.
    #[must_use]
    pub const fn seen(&self) -> Proportion {
        self.seen
    }

    /// The p that is valid at any time: one over the largest evidence so far.
    #[must_use]
    pub fn p(&self) -> f64 {
        math::exp(-self.most)
    }

    /// The rates not excluded at this risk by what was seen so far; valid at every time at once.
    /// None before the first unit or for a risk outside `0..1`.
    #[must_use]
    pub fn interval(&self, risk: f64) -> Option<(f64, f64)> {
        let value = self.seen.value()?;
        if !(risk > 0.0 && risk < 1.0) {
            return None;
        }
        let bar = -math::ln(risk);
        let excluded = |rate: f64| log_evidence(self.seen, rate) > bar;
        let low = if self.seen.part() == 0 { 0.0 } else { math::bisect(0.0, value, excluded) };
        let high = if self.seen.rest() == 0 {
            1.0
        } else {
            math::bisect(value, 1.0, |rate| !excluded(rate))
        };
        Some((low, high))
    }
}

/// A watch on two streams that run at the same time, such as treated and untreated articles: is
/// there any difference? The null rate need not be known.
///
/// Each block holds counts of both streams. The evidence of a block uses rates learnt from earlier
/// blocks only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StreamsWire")]
pub struct StreamsWatch {
    treated: Proportion,
    control: Proportion,
    log_evidence: f64,
    most: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamsWire {
    treated: Proportion,
    control: Proportion,
    log_evidence: f64,
    most: f64,
}

impl TryFrom<StreamsWire> for StreamsWatch {
    type Error = AnalyticsError;
    fn try_from(wire: StreamsWire) -> Result<Self, AnalyticsError> {
        let StreamsWire { treated, control, log_evidence, most } = wire;
        if !(log_evidence <= most && log_evidence.is_finite()) {
            let (name, range) = ("the stored evidence", "at most the largest so far");
            return Err(AnalyticsError::OutOfRange { name, value: log_evidence, range });
        }
        Ok(Self { treated, control, log_evidence, most: stored_most(most)? })
    }
}

impl StreamsWatch {
    /// Takes in the next block; gives the logarithm of the evidence now.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooLarge`] past the largest count.
    pub fn observe(
        &mut self,
        treated: Proportion,
        control: Proportion,
    ) -> Result<f64, AnalyticsError> {
        let all = (self.treated.plus(treated)?, self.control.plus(control)?);
        // Laplace's rule keeps the learnt rates inside 0..1.
        let learnt = |seen: Proportion| (seen.part() as f64 + 1.0) / (seen.whole() as f64 + 2.0);
        let (a, b) = (learnt(self.treated), learnt(self.control));
        let (n, m) = (treated.whole() as f64, control.whole() as f64);
        if n + m > 0.0 {
            let both = (n * a + m * b) / (n + m);
            let gain = |seen: Proportion, rate: f64| {
                seen.part() as f64 * math::ln(rate / both)
                    + seen.rest() as f64 * math::ln((1.0 - rate) / (1.0 - both))
            };
            self.log_evidence += gain(treated, a) + gain(control, b);
            self.most = self.most.max(self.log_evidence);
        }
        (self.treated, self.control) = all;
        Ok(self.log_evidence)
    }

    /// What was seen so far: treated, control.
    #[must_use]
    pub const fn seen(&self) -> (Proportion, Proportion) {
        (self.treated, self.control)
    }

    /// The p that is valid at any time.
    #[must_use]
    pub fn p(&self) -> f64 {
        math::exp(-self.most)
    }
}
