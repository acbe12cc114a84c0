//! The effect stated beforehand, and the test that decides.
//!
//! One rule throughout: an effect is proven when the interval of the difference excludes zero in
//! the direction stated, on completed cohorts. Fisher's p is reported beside it. Too few units are
//! not a failed action: the verdict then says how many are needed.

use alloc::vec::Vec;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::analytics::AnalyticsError;
use crate::analytics::effect::{Sides, difference_in_differences};
use crate::analytics::rate::{Confidence, Difference, Proportion, units_for_power};
use crate::analytics::sequential::RateWatch;
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::RuleId;
use crate::label::codes;
use crate::number::Exact;

codes! {
    /// How the effect is checked.
    pub enum Test "effect test" {
        /// Completed cohorts before against after; Newcombe's interval.
        BeforeAfter = "before_after", "before against after", "前后对比";
        /// The change of the treated against the change of a control.
        AgainstControl = "against_control", "difference in differences", "双重差分";
        /// Against the rate stated as usual, looked at as often as one likes.
        Sequential = "sequential", "always-valid sequential test", "随时有效序贯检验";
    }
}

/// The effect expected, stated before anybody looked.
///
/// ```
/// use aftersale::improvement::verify::{Plan, Test};
/// let plan = Plan::new("0.08".parse()?, "0.03".parse()?, Test::BeforeAfter)?;
/// assert_eq!(plan.units_needed(), Some(326)); // on each side, for a power of 80 %
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PlanWire", into = "PlanWire")]
pub struct Plan {
    from: Exact,
    to: Exact,
    test: Test,
    confidence: Confidence,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanWire {
    from: Exact,
    to: Exact,
    test: Test,
    confidence: Confidence,
}

impl TryFrom<PlanWire> for Plan {
    type Error = VerifyError;
    fn try_from(wire: PlanWire) -> Result<Self, VerifyError> {
        let PlanWire { from, to, test, confidence } = wire;
        let plan = Self { from, to, test, confidence };
        plan.check()?;
        Ok(plan)
    }
}

impl From<Plan> for PlanWire {
    fn from(plan: Plan) -> Self {
        let Plan { from, to, test, confidence } = plan;
        Self { from, to, test, confidence }
    }
}

/// A plan or counts that do not make a test.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The two rates are no change, or not rates.
    #[error(
        "a change from {from} to {to} is not a plan: both must be above 0 and below 1, and differ"
    )]
    NoChange {
        /// The rate stated as usual.
        from: Exact,
        /// The rate hoped for.
        to: Exact,
    },
    /// The cohorts are still inside their return window.
    #[error("{units} units are still inside their return window; wait until {mature_on}")]
    Immature {
        /// How many.
        units: u64,
        /// The day the last of them leaves it.
        mature_on: NaiveDate,
    },
    /// The test needs a control, or the control's counts are missing.
    #[error("the plan compares with a control, and the counts of the control are missing")]
    NoControl,
    /// The counts do not fit together.
    #[error(transparent)]
    Counts(#[from] AnalyticsError),
}

/// Counts for a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The first day of the sales after the action.
    pub after_from: NaiveDate,
    /// Returned of sold before, completed cohorts.
    pub before: Proportion,
    /// Returned of sold after, completed cohorts, in order of time; for tests other than the
    /// sequential one they are added up.
    pub after: Vec<Proportion>,
    /// The same for articles that were not treated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<Control>,
    /// Units among those after that are still inside their return window, and when that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immature: Option<(u64, NaiveDate)>,
}

/// Counts of articles that were not treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Before.
    pub before: Proportion,
    /// After.
    pub after: Proportion,
}

codes! {
    /// What a check found.
    pub enum Outcome "outcome of a check" {
        /// The effect is proven in the direction stated.
        Verified = "verified", "verified", "已验证";
        /// There were enough units, and no effect was proven.
        NotVerified = "not_verified", "not verified", "未验证";
        /// There were not enough units to tell.
        NotEnoughUnits = "not_enough_units", "not enough units", "样本不足";
    }
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// What it says.
    pub outcome: Outcome,
    /// The test used.
    pub test: Test,
    /// The change: after minus before, or the difference of the two changes.
    pub change: f64,
    /// Lower limit of the change.
    pub low: f64,
    /// Upper limit of the change.
    pub high: f64,
    /// Fisher's p, or the always-valid p; reported beside the interval.
    pub p: Option<f64>,
    /// Units after the action.
    pub units: u64,
    /// Units needed on each side for 80 percent power.
    pub units_needed: Option<u64>,
    /// Why.
    pub findings: Vec<Finding>,
}

impl Plan {
    /// A plan with 95 percent confidence.
    ///
    /// # Errors
    ///
    /// [`VerifyError::NoChange`] unless both rates are above 0 and below 1, and differ.
    pub fn new(from: Exact, to: Exact, test: Test) -> Result<Self, VerifyError> {
        let plan = Self { from, to, test, confidence: Confidence::NINETY_FIVE };
        plan.check()?;
        Ok(plan)
    }

    /// The same with another confidence.
    #[must_use]
    pub const fn with_confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    pub(super) fn check(&self) -> Result<(), VerifyError> {
        let inside = |rate: Exact| Exact::from(0) < rate && rate < Exact::from(1);
        if inside(self.from) && inside(self.to) && self.from != self.to {
            Ok(())
        } else {
            Err(VerifyError::NoChange { from: self.from, to: self.to })
        }
    }

    /// The rate stated as usual.
    #[must_use]
    pub const fn from(&self) -> Exact {
        self.from
    }

    /// The rate hoped for.
    #[must_use]
    pub const fn to(&self) -> Exact {
        self.to
    }

    /// The test stated.
    #[must_use]
    pub const fn test(&self) -> Test {
        self.test
    }

    /// Units needed on each side to find the stated change with a power of 80 percent. Twice as
    /// many for a comparison with a control, whose chance adds to it.
    #[must_use]
    pub fn units_needed(&self) -> Option<u64> {
        let units = units_for_power(float(self.from), float(self.to), self.confidence, 0.8)?;
        match self.test {
            Test::BeforeAfter | Test::Sequential => Some(units),
            Test::AgainstControl => units.checked_mul(2),
        }
    }

    /// Checks the effect.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Immature`] while cohorts are inside their window, [`VerifyError::NoControl`],
    /// [`VerifyError::Counts`] for counts too large or empty.
    pub fn verify(&self, evidence: &Evidence) -> Result<Verdict, VerifyError> {
        if let Some((units, mature_on)) = evidence.immature.filter(|(units, _)| *units > 0) {
            return Err(VerifyError::Immature { units, mature_on });
        }
        let after =
            evidence.after.iter().try_fold(Proportion::default(), |sum, part| sum.plus(*part))?;
        let empty = || {
            let (name, range) = ("the number of units", "above 0 on every side");
            AnalyticsError::OutOfRange { name, value: 0.0, range }
        };
        let (change, low, high, p) = match self.test {
            Test::BeforeAfter => {
                let d = Difference::between(evidence.before, after, self.confidence)
                    .ok_or_else(empty)?;
                (d.value, d.low, d.high, Some(d.fisher_p))
            }
            Test::AgainstControl => {
                let control = evidence.control.ok_or(VerifyError::NoControl)?;
                let sides = Sides {
                    treated_before: evidence.before,
                    treated_after: after,
                    control_before: control.before,
                    control_after: control.after,
                };
                let d = difference_in_differences(&sides, self.confidence).ok_or_else(empty)?;
                (d.value, d.low, d.high, None)
            }
            Test::Sequential => {
                let usual = float(self.from);
                let mut watch = RateWatch::new(usual)?;
                for part in &evidence.after {
                    watch.observe(*part)?;
                }
                let rate = after.value().ok_or_else(empty)?;
                let interval = watch.interval(1.0 - self.confidence.level()).ok_or_else(empty)?;
                (rate - usual, interval.0 - usual, interval.1 - usual, Some(watch.p()))
            }
        };
        let proven = if self.to < self.from { high < 0.0 } else { low > 0.0 };
        let units_needed = self.units_needed();
        // The scarcer side counts; the sequential test has one side only.
        let scarce = match self.test {
            Test::BeforeAfter => after.whole().min(evidence.before.whole()),
            Test::Sequential => after.whole(),
            Test::AgainstControl => {
                let control = evidence.control.ok_or(VerifyError::NoControl)?;
                after
                    .whole()
                    .min(evidence.before.whole())
                    .min(control.before.whole())
                    .min(control.after.whole())
            }
        };
        let outcome = if proven {
            Outcome::Verified
        } else if units_needed.is_none_or(|needed| scarce < needed) {
            Outcome::NotEnoughUnits
        } else {
            Outcome::NotVerified
        };
        let units = after.whole();
        let findings = self.findings(outcome, change, (low, high), scarce, units_needed);
        // Stored in events: nine places read back as the same number from any text.
        let tidy = |value: f64| libm::round(value * 1e9) / 1e9;
        let (change, low, high, p) = (tidy(change), tidy(low), tidy(high), p.map(tidy));
        Ok(Verdict {
            outcome,
            test: self.test,
            change,
            low,
            high,
            p,
            units,
            units_needed,
            findings,
        })
    }

    fn findings(
        &self,
        outcome: Outcome,
        change: f64,
        (low, high): (f64, f64),
        scarce: u64,
        needed: Option<u64>,
    ) -> Vec<Finding> {
        let Ok(id) = RuleId::new(alloc::format!("effect_{}", self.test)) else {
            return Vec::new();
        };
        let rule = RuleRef { id, version: 1, source: None };
        let number = |value: f64| Fact::Number(crate::analytics::exact(value));
        let count = |n: u64| Fact::Count(i64::try_from(n).unwrap_or(i64::MAX));
        let effect = match outcome {
            Outcome::Verified => Effect::Permits,
            Outcome::NotVerified => Effect::Denies,
            Outcome::NotEnoughUnits => Effect::Requires,
        };
        let near = if self.to < self.from { high } else { low };
        let expected = Exact::new(self.to.decimal().saturating_sub(self.from.decimal()));
        let mut findings = alloc::vec![
            Finding::new(rule.clone(), effect)
                .about("limit of the change nearest to none; it must be past zero")
                .observed(number(near))
                .required(Fact::Count(0)),
            Finding::new(rule.clone(), Effect::Sets)
                .about("change seen against change stated")
                .observed(number(change))
                .required(Fact::Number(expected)),
        ];
        if let Some(needed) = needed {
            let effect = if scarce < needed { Effect::Requires } else { Effect::Passes };
            findings.push(
                Finding::new(rule, effect)
                    .about("units on the smaller side")
                    .observed(count(scarce))
                    .required(count(needed)),
            );
        }
        findings
    }
}

/// An exact rate for a statistic; the reverse of nothing that is stored.
fn float(rate: Exact) -> f64 {
    // At most 28 digits of a number between 0 and 1: a mantissa over a power of ten.
    let decimal = rate.decimal();
    let scale = (0..decimal.scale()).fold(1.0_f64, |scale, _| scale * 10.0);
    decimal.mantissa() as f64 / scale
}
