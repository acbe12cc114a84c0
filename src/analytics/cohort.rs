//! Return rates by month of sale, with young cohorts corrected and marked.
//!
//! The rate of a calendar month lies: with a true rate of 8 percent and a median of fourteen
//! calendar days from sale to return, the month read at its end shows less than half of it. So the
//! triangle of sold month by age is kept, and rates are read from cohorts that have lived long
//! enough; younger ones are projected with the return pattern of the older.
//!
//! In: units sold per month and units returned per month of sale and age. Out: per cohort the rate
//! so far, whether it is mature, and the rate to expect at the end of the window with its interval.
//!
//! An age is a whole number of calendar months after the month of sale. A cohort has completed age
//! `a` when month `sold + a` is over; ages that are only partly lived are never used. The window is
//! the last age at which returns are accepted and have arrived. Orders not delivered are not at
//! risk: count them as sold when delivered.
//!
//! Sources: J. D. Kalbfleisch, J. F. Lawless, J. A. Robinson, Technometrics 33 (1991) 273;
//! J. F. Lawless, Canadian Journal of Statistics 22 (1994) 15; T. Mack, ASTIN Bulletin 23 (1993)
//! 213.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::month::Month;
use super::rate::{Confidence, Estimate, Proportion};
use super::state::{Measure, Reader, add, write_unsigned};
use super::{AnalyticsError, math};

/// The oldest age counted, in months: twenty-five years, longer than any warranty on goods.
pub const MAX_AGE: usize = 300;
/// The most cohorts of one triangle: a hundred years.
pub const MAX_COHORTS: usize = 1200;

/// Units sold by month, and returned by month of sale and age. Merges exactly.
///
/// ```
/// use aftersale::analytics::cohort::Triangle;
/// use aftersale::analytics::month::Month;
/// use aftersale::analytics::rate::Confidence;
/// let month = |m| Month::new(2026, m).ok_or("no month");
/// let mut jackets = Triangle::default();
/// for m in 1..=4 {
///     jackets.sold(month(m)?, 1000)?;
/// }
/// // Three in a hundred come back in the month of sale, five in the next, none later.
/// for m in 1..=4 {
///     jackets.returned(month(m)?, 0, 30)?;
/// }
/// for m in 1..=3 {
///     jackets.returned(month(m)?, 1, 50)?;
/// }
/// let report = jackets.report(month(4)?, 1, Confidence::NINETY_FIVE)?;
/// let april = &report.cohorts[3];
/// assert!(!april.is_mature());
/// assert_eq!(april.so_far.value, 0.03); // looks like a success
/// let expected = april.projected.ok_or("no pattern")?;
/// assert!((expected.value - 0.08).abs() < 1e-12); // and is none
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<CohortWire>", into = "Vec<CohortWire>")]
pub struct Triangle {
    cohorts: BTreeMap<Month, Counts>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    sold: u64,
    /// Returned by age; no zeros at the end.
    returned: Vec<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CohortWire {
    month: Month,
    sold: u64,
    returned: Vec<u64>,
}

impl From<Triangle> for Vec<CohortWire> {
    fn from(triangle: Triangle) -> Self {
        let wire = |(month, Counts { sold, returned })| CohortWire { month, sold, returned };
        triangle.cohorts.into_iter().map(wire).collect()
    }
}

impl TryFrom<Vec<CohortWire>> for Triangle {
    type Error = AnalyticsError;
    fn try_from(cohorts: Vec<CohortWire>) -> Result<Self, AnalyticsError> {
        let mut triangle = Self::default();
        for cohort in cohorts {
            triangle.sold(cohort.month, cohort.sold)?;
            for (age, units) in cohort.returned.into_iter().enumerate() {
                triangle.returned(cohort.month, age, units)?;
            }
        }
        Ok(triangle)
    }
}

impl Counts {
    fn by_age(&self, age: usize) -> u64 {
        self.returned.get(age).copied().unwrap_or(0)
    }

    /// Returned at ages below `age`.
    fn before(&self, age: usize) -> u64 {
        self.returned.iter().take(age).fold(0, |sum, units| sum.saturating_add(*units))
    }
}

impl Triangle {
    fn cohort(&mut self, month: Month) -> Result<&mut Counts, AnalyticsError> {
        if self.cohorts.len() >= MAX_COHORTS && !self.cohorts.contains_key(&month) {
            return Err(AnalyticsError::TooMany { name: "cohorts", limit: MAX_COHORTS });
        }
        Ok(self.cohorts.entry(month).or_default())
    }

    /// Counts units sold.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooMany`] past [`MAX_COHORTS`], [`AnalyticsError::TooLarge`].
    pub fn sold(&mut self, month: Month, units: u64) -> Result<(), AnalyticsError> {
        let cohort = self.cohort(month)?;
        cohort.sold = add(cohort.sold, units, "units sold")?;
        Ok(())
    }

    /// Counts units returned, by month of sale and age in months.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooMany`] past [`MAX_AGE`] or [`MAX_COHORTS`],
    /// [`AnalyticsError::TooLarge`].
    pub fn returned(&mut self, sold: Month, age: usize, units: u64) -> Result<(), AnalyticsError> {
        if age > MAX_AGE {
            return Err(AnalyticsError::TooMany { name: "the age in months", limit: MAX_AGE });
        }
        let cohort = self.cohort(sold)?;
        if units == 0 {
            return Ok(());
        }
        while cohort.returned.len() <= age {
            cohort.returned.push(0);
        }
        if let Some(cell) = cohort.returned.get_mut(age) {
            *cell = add(*cell, units, "units returned")?;
        }
        Ok(())
    }

    /// The cohorts: month of sale, units sold, units returned by age.
    pub fn cohorts(&self) -> impl Iterator<Item = (Month, u64, &[u64])> {
        self.cohorts.iter().map(|(month, counts)| (*month, counts.sold, counts.returned.as_slice()))
    }

    /// Rates by cohort as of the end of a month, up to and including the age `window`.
    ///
    /// Returns after `as_of` or past the window are not counted. The pattern is the hazard by age,
    /// `h(a) = returned at a / units still out at a`, over the cohorts that have completed age `a`;
    /// its uncertainty is Greenwood's.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::PartAboveWhole`] when a cohort has more units returned than sold.
    pub fn report(
        &self,
        as_of: Month,
        window: usize,
        confidence: Confidence,
    ) -> Result<CohortReport, AnalyticsError> {
        let window = window.min(MAX_AGE);
        let known: Vec<(Month, &Counts, Option<usize>)> = self
            .cohorts
            .iter()
            .map(|(month, counts)| (*month, counts, usize::try_from(as_of.since(*month)).ok()))
            .filter(|(_, _, age)| age.is_some())
            .collect();
        for (_, counts, _) in &known {
            let part = counts.before(window.saturating_add(1));
            Proportion::new(part, counts.sold)?;
        }
        let mut pattern = Vec::new();
        let (mut left, mut greenwood) = (1.0_f64, 0.0_f64);
        for age in 0..=window {
            let (mut returned, mut at_risk) = (0_u64, 0_u64);
            for (_, counts, _) in known.iter().filter(|(_, _, lived)| *lived >= Some(age)) {
                returned = returned.saturating_add(counts.by_age(age));
                at_risk = at_risk.saturating_add(counts.sold.saturating_sub(counts.before(age)));
            }
            if at_risk == 0 {
                break;
            }
            let (d, r) = (returned as f64, at_risk as f64);
            left *= 1.0 - d / r;
            greenwood += if returned < at_risk { d / (r * (r - d)) } else { 0.0 };
            pattern.push(AgeRate {
                age,
                at_risk,
                returned,
                returned_by: 1.0 - left,
                standard_error: left * math::sqrt(greenwood),
            });
        }
        let cohorts = known
            .iter()
            .filter_map(|(month, counts, lived)| {
                CohortRate::new(*month, counts, (*lived)?, window, &pattern, confidence)
            })
            .collect();
        Ok(CohortReport { as_of, window, pattern, cohorts })
    }

    /// Returns to expect per month of sale when sales are not known: returns seen so far, divided
    /// by the share that has usually arrived by that age (reverse-time hazard).
    ///
    /// Out: month of sale, seen, expected in all; none where less than a tenth has usually arrived,
    /// because the estimate would rest on next to nothing.
    #[must_use]
    pub fn nowcast(&self, as_of: Month, window: usize) -> Vec<(Month, u64, Option<f64>)> {
        let window = window.min(MAX_AGE);
        let lived = |month: Month| usize::try_from(as_of.since(month)).ok();
        // arrived[d]: the share of returns that has arrived by age d.
        let mut arrived = alloc::vec![1.0_f64; window.saturating_add(1)];
        let mut share = 1.0;
        for age in (1..=window).rev() {
            let (mut at, mut by) = (0_u64, 0_u64);
            for (month, counts) in &self.cohorts {
                if lived(*month) >= Some(age) {
                    at = at.saturating_add(counts.by_age(age));
                    by = by.saturating_add(counts.before(age.saturating_add(1)));
                }
            }
            share *= if by > 0 { 1.0 - at as f64 / by as f64 } else { f64::NAN };
            if let Some(slot) = age.checked_sub(1).and_then(|age| arrived.get_mut(age)) {
                *slot = share;
            }
        }
        self.cohorts
            .iter()
            .filter_map(|(month, counts)| {
                let age = lived(*month)?.min(window);
                let seen = counts.before(age.saturating_add(1));
                let share = arrived.get(age).copied().filter(|share| *share >= 0.1);
                Some((*month, seen, share.map(|share| seen as f64 / share)))
            })
            .collect()
    }
}

impl Measure for Triangle {
    const KIND: u8 = 8;

    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        for (month, counts) in &other.cohorts {
            self.sold(*month, counts.sold)?;
            for (age, units) in counts.returned.iter().enumerate() {
                self.returned(*month, age, *units)?;
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.cohorts.is_empty()
    }

    fn write(&self, to: &mut Vec<u8>) {
        write_unsigned(to, self.cohorts.len() as u128);
        for (month, counts) in &self.cohorts {
            write_unsigned(to, u128::from(month.year()));
            write_unsigned(to, u128::from(month.number()));
            write_unsigned(to, u128::from(counts.sold));
            write_unsigned(to, counts.returned.len() as u128);
            for units in &counts.returned {
                write_unsigned(to, u128::from(*units));
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError> {
        let mut triangle = Self::default();
        let mut last = None;
        for _ in 0..from.count()? {
            let (year, number) = (from.count()?, from.count()?);
            let month = i32::try_from(year).ok().zip(u32::try_from(number).ok());
            let month = month.and_then(|(year, number)| Month::new(year, number));
            let month = month.filter(|month| last.is_none_or(|last| last < *month));
            let month = month.ok_or_else(|| from.damaged("ascending months"))?;
            last = Some(month);
            triangle.sold(month, from.count()?)?;
            let ages = from.count()?;
            for age in 0..ages {
                let units = from.count()?;
                if units == 0 && age.saturating_add(1) == ages {
                    return Err(from.damaged("no zero at the end of a cohort"));
                }
                triangle.returned(month, usize::try_from(age).unwrap_or(usize::MAX), units)?;
            }
        }
        Ok(triangle)
    }
}

/// How returns arrive with age, over all cohorts old enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeRate {
    /// Months after the month of sale.
    pub age: usize,
    /// Units still out at the start of this age, in cohorts that have completed it.
    pub at_risk: u64,
    /// Units of those returned at this age.
    pub returned: u64,
    /// The share of all units returned by the end of this age.
    pub returned_by: f64,
    /// Its standard error (Greenwood).
    pub standard_error: f64,
}

/// One cohort.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortRate {
    /// Month of sale.
    pub month: Month,
    /// Units returned so far, inside the window, of units sold.
    pub units: Proportion,
    /// The last age completed, at most the window.
    pub age: usize,
    /// The window.
    pub window: usize,
    /// The rate so far with Wilson's interval; too low for a cohort that is not mature.
    pub so_far: Estimate,
    /// The rate to expect at the end of the window; none where no older cohort shows the pattern.
    pub projected: Option<Estimate>,
}

impl CohortRate {
    /// Whether the whole window has passed.
    #[must_use]
    pub const fn is_mature(&self) -> bool {
        self.age >= self.window
    }

    fn new(
        month: Month,
        counts: &Counts,
        lived: usize,
        window: usize,
        pattern: &[AgeRate],
        confidence: Confidence,
    ) -> Option<Self> {
        let age = lived.min(window);
        let units = Proportion::new(counts.before(age.saturating_add(1)), counts.sold).ok()?;
        let so_far = units.wilson(confidence)?;
        let projected = if age >= window {
            Some(so_far)
        } else {
            project(units, age, window, pattern, confidence)
        };
        Some(Self { month, units, age, window, so_far, projected })
    }
}

/// `C + (N - C) q` with `q` the chance that a unit still out comes back within the window.
fn project(
    units: Proportion,
    age: usize,
    window: usize,
    pattern: &[AgeRate],
    confidence: Confidence,
) -> Option<Estimate> {
    pattern.get(window)?;
    let (mut stays, mut greenwood, mut fewest) = (1.0, 0.0, 0.0);
    for later in pattern.iter().take(window.saturating_add(1)).skip(age.saturating_add(1)) {
        let (d, r) = (later.returned as f64, later.at_risk as f64);
        stays *= 1.0 - d / r;
        greenwood += if d < r { d / (r * (r - d)) } else { 0.0 };
        // Fewer cohorts have lived each later age, with fewer units out.
        fewest = r;
    }
    let n = units.whole() as f64;
    let comes = 1.0 - stays;
    let value = (units.part() as f64 + units.rest() as f64 * comes) / n;
    // So many units would leave the pattern as uncertain as Greenwood says; where none or all came back
    // at every later age he says nothing, and the smallest group it rests on counts.
    let spread = stays * greenwood;
    let worth = if spread > 0.0 { comes / spread } else { fewest };
    // What comes of the units still out, the pattern itself being known from so many (Jeffreys' prior).
    let (a, b) = (worth * comes + 0.5, worth * stays + 0.5);
    let (few, many) = math::beta_binomial_limits(units.rest(), a, b, confidence.tail());
    let rate = |more: u64| units.part().saturating_add(more) as f64 / n;
    let (low, high) = (rate(few).min(value), rate(many).max(value));
    Some(Estimate { value, low, high, sample: units.whole() })
}

/// Rates by month of sale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortReport {
    /// The last complete month.
    pub as_of: Month,
    /// The last age at which returns are accepted.
    pub window: usize,
    /// How returns arrive with age.
    pub pattern: Vec<AgeRate>,
    /// The cohorts, oldest first, without those that sold nothing.
    pub cohorts: Vec<CohortRate>,
}

impl CohortReport {
    /// The cohorts whose window has passed, added up; the ground for every comparison.
    #[must_use]
    pub fn mature_units(&self) -> Proportion {
        self.cohorts
            .iter()
            .filter(|cohort| cohort.is_mature())
            .fold(Proportion::default(), |sum, cohort| sum.plus(cohort.units).unwrap_or(sum))
    }
}

/// What a run-off of money still has to come, by chain ladder with Mack's standard error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// Still to come, over all cohorts, in the unit of the triangle.
    pub outstanding: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// Chain ladder over a triangle of amounts per cohort and age (not cumulative), oldest cohort first
/// and complete; each later cohort one age shorter.
///
/// `f(j) = sum C(i, j+1) / sum C(i, j)`; variances after Mack (1993), the last one
/// `min(s4/s2, s2, s3)`. None for fewer than three cohorts, another shape, more than
/// [`MAX_COHORTS`] cohorts, or a column without amounts, where the hazard form of
/// [`Triangle::report`] still works.
#[must_use]
pub fn chain_ladder(amounts: &[Vec<i64>]) -> Option<Reserve> {
    let n = amounts.len();
    let shaped = (0..).zip(amounts).all(|(i, row)| row.len() == n.saturating_sub(i));
    if !(3..=MAX_COHORTS).contains(&n) || !shaped {
        return None;
    }
    let cumulative: Vec<Vec<f64>> = amounts
        .iter()
        .map(|row| {
            row.iter()
                .scan(0.0, |sum, amount| {
                    *sum += *amount as f64;
                    Some(*sum)
                })
                .collect()
        })
        .collect();
    let at = |i: usize, j: usize| cumulative.get(i).and_then(|row: &Vec<f64>| row.get(j)).copied();
    let steps = n.saturating_sub(1);
    let (mut factors, mut variances, mut sums) = (Vec::new(), Vec::new(), Vec::new());
    for j in 0..steps {
        let pairs: Vec<(f64, f64)> =
            (0..n).filter_map(|i| at(i, j).zip(at(i, j.saturating_add(1)))).collect();
        let base: f64 = pairs.iter().map(|(c, _)| c).sum();
        if base <= 0.0 || pairs.iter().any(|(c, _)| *c <= 0.0) {
            return None;
        }
        let factor = pairs.iter().map(|(_, next)| next).sum::<f64>() / base;
        let spread: f64 = pairs.iter().map(|(c, next)| c * math::square(next / c - factor)).sum();
        let freedom = pairs.len().saturating_sub(1);
        factors.push(factor);
        sums.push(base);
        variances.push(if freedom > 0 { spread / freedom as f64 } else { f64::NAN });
    }
    if let [.., a, b, last] = variances.as_mut_slice() {
        *last = (*b * *b / *a).min(*a).min(*b);
    } else if let [a, last] = variances.as_mut_slice() {
        *last = *a;
    }
    // Ultimates, and Mack's mean squared error of the total (theorem 3 and its corollary).
    let mut ultimates = Vec::with_capacity(n);
    for i in 0..n {
        let known = n.checked_sub(1)?.checked_sub(i)?;
        let rest: f64 = factors.iter().skip(known).product();
        ultimates.push(at(i, known)? * rest);
    }
    let (mut outstanding, mut error) = (0.0, 0.0);
    for i in 1..n {
        let known = n.checked_sub(1)?.checked_sub(i)?;
        let ultimate = *ultimates.get(i)?;
        let mut reached = at(i, known)?;
        outstanding += ultimate - reached;
        let later: f64 = ultimates.iter().skip(i.saturating_add(1)).sum();
        let (mut own, mut shared) = (0.0, 0.0);
        for j in known..steps {
            let (f, v, s) = (*factors.get(j)?, *variances.get(j)?, *sums.get(j)?);
            own += v / (f * f) * (1.0 / reached + 1.0 / s);
            shared += 2.0 * v / (f * f) / s;
            reached *= f;
        }
        error += ultimate * ultimate * own + ultimate * later * shared;
    }
    Some(Reserve { outstanding, standard_error: math::sqrt(error) })
}

/// Returns per unit when one unit can come back several times (an exchange returned again): the
/// mean cumulative function, `sum of d / r` by age (W. Nelson, Journal of Quality Technology 20
/// (1988) 24).
///
/// In: per age, returns and units at risk. Ages without units at risk end the function.
#[must_use]
pub fn mean_cumulative(ages: &[(u64, u64)]) -> Vec<f64> {
    ages.iter()
        .take_while(|(_, at_risk)| *at_risk > 0)
        .scan(0.0, |sum, (returns, at_risk)| {
            *sum += *returns as f64 / *at_risk as f64;
            Some(*sum)
        })
        .collect()
}
