//! Exact analysis of conditions: do two of them overlap, do they leave a hole?
//!
//! For each fact that the conditions mention, the values compared with cut its range into points and
//! open intervals (for codes: the codes named, and one that is not named). Inside one cell of the
//! product no condition changes its truth, so one representative per cell decides exactly. The number
//! of cells is bounded; a set of conditions with more is refused, never sampled.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;

use super::schema::{FactType, Presence, Schema};
use super::{Check, Condition, Facts, Truth};
use crate::explain::Fact;
use crate::id::FactName;
use crate::money::Money;
use crate::number::Exact;
use crate::quantity::Quantity;
use crate::time::Instant;

/// The most cells one analysis looks at, unless the caller states another number.
pub const MAX_CELLS: usize = 100_000;

/// The most codes of one set-valued fact: each doubles the number of cells.
const MAX_SET_CODES: usize = 12;

/// Why conditions cannot be analyzed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CellsError {
    /// The conditions cut the facts into more cells than the limit.
    #[error("the conditions distinguish more than {limit} situations, too many to check")]
    TooManyCells {
        /// The limit.
        limit: usize,
    },
    /// A condition names a fact that is not declared.
    #[error("fact `{fact}` is not declared")]
    UnknownFact {
        /// The fact.
        fact: FactName,
    },
}

/// The cells into which a set of conditions cuts the facts they mention.
#[derive(Clone, Debug)]
pub struct Cells {
    axes: Vec<Axis>,
    count: usize,
}

/// One fact and the values that stand for the parts into which the conditions cut its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    fact: FactName,
    representatives: Vec<Option<Fact>>,
}

impl Axis {
    /// The fact.
    #[must_use]
    pub const fn fact(&self) -> &FactName {
        &self.fact
    }

    /// One value per part; none stands for a missing fact.
    #[must_use]
    pub fn values(&self) -> &[Option<Fact>] {
        &self.representatives
    }
}

/// The facts that the conditions mention, each cut on its own, for callers that combine only some of
/// them: an analysis per state of a workflow, for example.
///
/// # Errors
///
/// [`CellsError::UnknownFact`]; [`CellsError::TooManyCells`] when a single fact has more than `limit`
/// parts.
pub fn axes<'a>(
    schema: &Schema,
    conditions: impl IntoIterator<Item = &'a Condition>,
    limit: usize,
) -> Result<Vec<Axis>, CellsError> {
    let mut checks: BTreeMap<&FactName, Vec<&Check>> = BTreeMap::new();
    for test in conditions.into_iter().flat_map(Condition::tests) {
        checks.entry(&test.fact).or_default().push(&test.check);
    }
    let mut axes = Vec::with_capacity(checks.len());
    for (fact, checks) in checks {
        let declared =
            schema.get(fact).ok_or_else(|| CellsError::UnknownFact { fact: fact.clone() })?;
        let mut representatives: Vec<Option<Fact>> =
            cut(&declared.fact_type, &checks, limit)?.into_iter().map(Some).collect();
        if declared.presence == Presence::Optional {
            representatives.push(None);
        }
        if representatives.len() > limit {
            return Err(CellsError::TooManyCells { limit });
        }
        axes.push(Axis { fact: fact.clone(), representatives });
    }
    Ok(axes)
}

/// Two conditions that hold together, with facts under which they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The position of the first condition.
    pub first: usize,
    /// The position of the second condition.
    pub second: usize,
    /// Facts under which both hold.
    pub witness: Facts,
}

impl Cells {
    /// Cuts the facts that the conditions mention.
    ///
    /// # Errors
    ///
    /// [`CellsError::UnknownFact`]; [`CellsError::TooManyCells`] above `limit`.
    pub fn of<'a>(
        schema: &Schema,
        conditions: impl IntoIterator<Item = &'a Condition>,
        limit: usize,
    ) -> Result<Self, CellsError> {
        let axes = axes(schema, conditions, limit)?;
        let count = axes
            .iter()
            .try_fold(1_usize, |count, axis| count.checked_mul(axis.representatives.len()))
            .filter(|&count| count <= limit)
            .ok_or(CellsError::TooManyCells { limit })?;
        Ok(Self { axes, count })
    }

    /// How many cells there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no cell: a fact without any possible value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The facts that cut.
    pub fn facts(&self) -> impl Iterator<Item = &FactName> {
        self.axes.iter().map(|axis| &axis.fact)
    }

    /// The representative of each cell, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Facts> + '_ {
        (0..self.count).map(|cell| self.representative(cell))
    }

    /// The representative of one cell.
    #[must_use]
    pub fn representative(&self, cell: usize) -> Facts {
        let mut rest = cell;
        let mut facts = Facts::new();
        for axis in &self.axes {
            let values = axis.representatives.len().max(1);
            let position = rest.checked_rem(values).unwrap_or(0);
            rest = rest.checked_div(values).unwrap_or(0);
            if let Some(Some(fact)) = axis.representatives.get(position) {
                facts.set(axis.fact.clone(), fact.clone());
            }
        }
        facts
    }
}

/// All pairs of conditions that can hold together, each with facts under which they do.
///
/// # Errors
///
/// As [`Cells::of`].
pub fn overlaps(schema: &Schema, conditions: &[Condition]) -> Result<Vec<Overlap>, CellsError> {
    let cells = Cells::of(schema, conditions, MAX_CELLS)?;
    let mut found: BTreeMap<(usize, usize), Facts> = BTreeMap::new();
    for facts in cells.iter() {
        let holding: Vec<usize> = conditions
            .iter()
            .enumerate()
            .filter(|(_, condition)| condition.evaluate(&facts).holds())
            .map(|(position, _)| position)
            .collect();
        for (place, &first) in holding.iter().enumerate() {
            for &second in holding.iter().skip(place.saturating_add(1)) {
                found.entry((first, second)).or_insert_with(|| facts.clone());
            }
        }
    }
    let overlap = |((first, second), witness)| Overlap { first, second, witness };
    Ok(found.into_iter().map(overlap).collect())
}

/// Facts under which none of the conditions holds, if there are any: a hole.
///
/// # Errors
///
/// As [`Cells::of`].
pub fn hole(schema: &Schema, conditions: &[Condition]) -> Result<Option<Facts>, CellsError> {
    let cells = Cells::of(schema, conditions, MAX_CELLS)?;
    Ok(cells
        .iter()
        .find(|facts| conditions.iter().all(|condition| condition.evaluate(facts) != Truth::Holds)))
}

/// Facts under which the condition holds, if there are any.
///
/// # Errors
///
/// As [`Cells::of`].
pub fn satisfying(schema: &Schema, condition: &Condition) -> Result<Option<Facts>, CellsError> {
    let cells = Cells::of(schema, core::iter::once(condition), MAX_CELLS)?;
    Ok(cells.iter().find(|facts| condition.evaluate(facts).holds()))
}

/// One value for each part into which the checks cut a type.
fn cut(fact_type: &FactType, checks: &[&Check], limit: usize) -> Result<Vec<Fact>, CellsError> {
    let bounds = || checks.iter().filter_map(|check| check.bound());
    Ok(match fact_type {
        FactType::Flag => alloc::vec![Fact::Flag(false), Fact::Flag(true)],
        FactType::Count => whole(bounds(), count_of, Fact::Count),
        FactType::Days => whole(bounds(), count_of, Fact::Days),
        FactType::Seconds => whole(bounds(), count_of, Fact::Seconds),
        FactType::Amount(currency) => whole(
            bounds(),
            |fact| match fact {
                Fact::Amount(money) => Some(money.minor()),
                _ => None,
            },
            |minor| Fact::Amount(Money::new(minor, *currency)),
        ),
        FactType::Quantity(unit) => whole(
            bounds(),
            |fact| match fact {
                Fact::Quantity(quantity) => Some(quantity.steps()),
                _ => None,
            },
            |steps| Quantity::new(steps, *unit).map_or(Fact::Flag(false), Fact::Quantity),
        )
        .into_iter()
        .filter(|fact| matches!(fact, Fact::Quantity(_)))
        .collect(),
        FactType::Date => whole(
            bounds(),
            |fact| match fact {
                Fact::Date(date) => Some(day_number(*date)),
                _ => None,
            },
            |day| Fact::Date(date_of(day)),
        ),
        FactType::Instant => instants(bounds()),
        FactType::Number => decimals(bounds()),
        FactType::Code(among) => codes(among, checks),
        FactType::Codes(among) => code_sets(among, checks, limit)?,
    })
}

fn count_of(fact: &Fact) -> Option<i64> {
    match fact {
        Fact::Count(count) | Fact::Days(count) | Fact::Seconds(count) => Some(*count),
        _ => None,
    }
}

fn day_number(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

fn date_of(day: i64) -> NaiveDate {
    TimeDelta::try_days(day)
        .and_then(|days| NaiveDate::default().checked_add_signed(days))
        .unwrap_or_default()
}

/// A whole-numbered type: every bound, and one value between and beyond them where there is one.
fn whole<'a>(
    bounds: impl Iterator<Item = &'a Fact>,
    number: impl Fn(&Fact) -> Option<i64>,
    fact: impl Fn(i64) -> Fact,
) -> Vec<Fact> {
    let mut points: BTreeSet<i64> = bounds.filter_map(number).collect();
    if points.is_empty() {
        points.insert(0);
    }
    let beside: Vec<i64> = points
        .iter()
        .flat_map(|point| [point.checked_sub(1), point.checked_add(1)])
        .flatten()
        .collect();
    // A neighbor inside (a, b) stands for the whole interval; two neighbors of one interval are two
    // representatives of one cell, which costs time and harms nothing.
    points.extend(beside);
    points.into_iter().map(fact).collect()
}

/// Every instant compared with and its neighbors; the finest that an instant can be is a nanosecond.
fn instants<'a>(bounds: impl Iterator<Item = &'a Fact>) -> Vec<Fact> {
    let step = TimeDelta::nanoseconds(1);
    let mut points: BTreeSet<Instant> = BTreeSet::new();
    for bound in bounds {
        let Fact::Instant(at) = bound else { continue };
        let beside = [at.checked_sub_signed(step), at.checked_add_signed(step)];
        points.extend(beside.into_iter().flatten().chain([*at]));
    }
    if points.is_empty() {
        points.insert(Instant::default());
    }
    points.into_iter().map(Fact::Instant).collect()
}

/// A dense type: every bound, the middle between two, and one beyond each end.
fn decimals<'a>(bounds: impl Iterator<Item = &'a Fact>) -> Vec<Fact> {
    let points: BTreeSet<Decimal> = bounds
        .filter_map(|fact| match fact {
            Fact::Number(number) => Some(number.decimal()),
            _ => None,
        })
        .collect();
    let mut values: BTreeSet<Decimal> = points.clone();
    let ends = (points.first().copied(), points.last().copied());
    values.extend(ends.0.unwrap_or_default().checked_sub(Decimal::ONE));
    values.extend(ends.1.unwrap_or_default().checked_add(Decimal::ONE));
    for (low, high) in points.iter().zip(points.iter().skip(1)) {
        let half = high.checked_sub(*low).and_then(|gap| gap.checked_div(Decimal::TWO));
        values.extend(half.and_then(|half| low.checked_add(half)));
    }
    values.into_iter().map(|value| Fact::Number(Exact::new(value))).collect()
}

fn codes_named<'a>(checks: &'a [&Check]) -> impl Iterator<Item = &'a String> {
    checks.iter().flat_map(|check| {
        let one: Option<&String> = match check {
            Check::Includes(code) => Some(code),
            _ => match check.bound() {
                Some(Fact::Code(code)) => Some(code),
                _ => None,
            },
        };
        let many = match check {
            Check::OneOf(codes) => Some(codes.iter()),
            _ => None,
        };
        one.into_iter().chain(many.into_iter().flatten())
    })
}

/// Every code named, and one that no check names where the type admits one.
fn codes(among: &BTreeSet<String>, checks: &[&Check]) -> Vec<Fact> {
    let named: BTreeSet<String> = codes_named(checks)
        .filter(|code| among.is_empty() || among.contains(*code))
        .cloned()
        .collect();
    let other = if among.is_empty() {
        Some(unnamed(&named))
    } else {
        among.iter().find(|code| !named.contains(*code)).cloned()
    };
    named.into_iter().chain(other).map(Fact::Code).collect()
}

/// A code that is not among those named.
fn unnamed(named: &BTreeSet<String>) -> String {
    let mut code = String::from("other");
    while named.contains(&code) {
        code.push('_');
    }
    code
}

/// Every subset of the codes named.
fn code_sets(
    among: &BTreeSet<String>,
    checks: &[&Check],
    limit: usize,
) -> Result<Vec<Fact>, CellsError> {
    let named: BTreeSet<&String> =
        codes_named(checks).filter(|code| among.is_empty() || among.contains(*code)).collect();
    if named.len() > MAX_SET_CODES {
        return Err(CellsError::TooManyCells { limit });
    }
    let mut sets: Vec<BTreeSet<String>> = alloc::vec![BTreeSet::new()];
    for code in named {
        let with: Vec<_> =
            sets.iter().map(|set| set.iter().cloned().chain([code.clone()]).collect()).collect();
        sets.extend(with);
    }
    Ok(sets.into_iter().map(Fact::Codes).collect())
}
