//! Insight: what the returns say, and how sure one can be.
//!
//! In: facts about sales and returns, as rows ([`tally`]) or as counts the host already has (`x` of
//! `n`; every statistic takes them). Out: typed results with intervals, sample sizes and, for
//! alarms, findings. Nothing here decides about one case.
//!
//! Always true, and tested in `tests/analytics/`:
//! 1. Aggregate state is whole numbers only. Merging is exact, and gives the same bytes in any order.
//! 2. A rate never comes without the number of units behind it.
//! 3. A cohort that is still inside its return window is marked immature, never read as low.
//! 4. Alarms over many series control the share of false alarms.
//!
//! Where to start: [`tally`] to count, [`order`] to count stored orders, [`rate`] for a rate with its interval, [`cohort`] for rates
//! by month of sale, [`alarm`] to watch thousands of series, [`cause`] to explain a change,
//! [`words`] for notes, [`effect`] to check that an action worked.

use alloc::string::String;

use rust_decimal::Decimal;

use crate::number::Exact;

pub mod alarm;
pub mod benchmark;
pub mod cause;
pub mod cohort;
pub mod column;
pub mod control_chart;
pub mod cusum;
pub mod effect;
mod glm;
pub mod grid;
pub mod histogram;
mod math;
pub mod measure;
pub mod mix;
pub mod month;
pub mod order;
pub mod origin;
pub mod pareto;
pub mod rate;
pub mod scorecard;
pub mod sequential;
pub mod shrinkage;
pub mod state;
pub mod surveillance;
pub mod tally;
pub mod trend;
pub mod waiting;
pub mod words;

/// Counts or settings that do not make sense together.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnalyticsError {
    /// More units came back than were sold, where that cannot be.
    #[error("{part} of {whole} is not a share: the part is larger than the whole")]
    PartAboveWhole {
        /// The part given.
        part: u64,
        /// The whole given.
        whole: u64,
    },
    /// A setting is outside its range.
    #[error("{name} is {value}, it must be {range}")]
    OutOfRange {
        /// What was set.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The range in words.
        range: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("{name} has {found} values, {expected} are needed")]
    Length {
        /// Which list.
        name: &'static str,
        /// How many values it has.
        found: usize,
        /// How many it must have.
        expected: usize,
    },
    /// A number is too large to be counted exactly.
    #[error("{name} is too large to be counted exactly")]
    TooLarge {
        /// What was counted.
        name: &'static str,
    },
    /// More cells, codes or dimensions than the limit.
    #[error("{name} would exceed the limit of {limit}")]
    TooMany {
        /// What there is too much of.
        name: &'static str,
        /// The limit.
        limit: usize,
    },
    /// Two aggregates of different shape cannot be merged.
    #[error("the two aggregates differ in {name} and cannot be merged")]
    Unlike {
        /// What differs.
        name: &'static str,
    },
    /// Amounts in two currencies meet in one cell.
    #[error("amounts in {left} and {right} meet in one cell; make currency a dimension")]
    MixedCurrencies {
        /// The currency seen first.
        left: String,
        /// The other currency.
        right: String,
    },
    /// What is to be taken out was never counted.
    #[error("{name} to be taken out was never counted here")]
    NotCounted {
        /// What was to be taken out.
        name: &'static str,
    },
    /// Stored state that this version cannot read.
    #[error("the stored aggregate is damaged or of another version, at byte {at}: {what}")]
    Damaged {
        /// Position in the bytes.
        at: usize,
        /// What was expected.
        what: &'static str,
    },
}

/// A statistic as an exact decimal with six places, for findings.
pub(crate) fn exact(value: f64) -> Exact {
    let scaled = libm::round(value * 1e6);
    if scaled.is_finite() && scaled.abs() < 9e18 {
        Exact::new(Decimal::new(scaled as i64, 6))
    } else {
        Exact::new(Decimal::from(if value > 0.0 { i64::MAX } else { i64::MIN }))
    }
}
