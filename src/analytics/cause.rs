//! Which combination of dimensions explains a rise: a likelihood-ratio scan over the cube.
//!
//! In: returned of sold per leaf (category x channel x supplier, say), before and after. Out: up to
//! five elements of one or two dimensions whose returns rose against everything else, with mix
//! shifts removed; nothing when nothing changed.
//!
//! The base rate of every leaf is fitted on the first period as a product of main effects
//! (iterated proportional fitting), then drawn toward what the leaf itself shows. Expected returns
//! after come from these rates and the units *sold after*, which is what removes mix. The threshold
//! is corrected for the number of elements looked at.
//!
//! Source of the statistic: M. Kulldorff, Communications in Statistics 26 (1997) 1481 (scan
//! statistic); the shrunken base rates and the comparison with published localizers are described
//! in `docs/analytics.md`.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::rate::Proportion;
use super::{AnalyticsError, math};

/// One leaf of the cube.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The code in each dimension.
    pub codes: Vec<u32>,
    /// Returned of sold before.
    pub before: Proportion,
    /// Returned of sold after.
    pub after: Proportion,
}

/// An element of the cube whose returns rose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Dimension and code, one or two of them, by dimension.
    pub element: Vec<(usize, u32)>,
    /// Returned of sold before.
    pub before: Proportion,
    /// Returned of sold after.
    pub after: Proportion,
    /// Returns after that its base rates, its units and the general movement explain.
    pub expected: f64,
    /// Half the likelihood ratio statistic.
    pub score: f64,
    /// The risk that the strongest element of an unchanged cube scores so high (Bonferroni).
    pub p: f64,
}

/// Settings of the scan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scan {
    /// The risk of naming a cause when nothing changed.
    pub risk: f64,
    /// Elements with fewer returns on both sides together are not looked at.
    pub returns_min: u64,
    /// The most causes named.
    pub causes_max: usize,
}

impl Default for Scan {
    fn default() -> Self {
        Self { risk: 0.01, returns_min: 5, causes_max: 5 }
    }
}

/// The most dimensions.
pub const MAX_DIMENSIONS: usize = 16;
/// The most codes of all dimensions together.
pub const MAX_CODES: u32 = 2_000;
/// The most leaves.
pub const MAX_LEAVES: usize = 1_000_000;

#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    before: f64,
    after: f64,
    expected_before: f64,
    expected_after: f64,
}

impl Weight {
    fn add(&mut self, other: &Self) {
        self.before += other.before;
        self.after += other.after;
        self.expected_before += other.expected_before;
        self.expected_after += other.expected_after;
    }
}

/// An element: one or two dimensions, and where its sums start.
struct Group {
    dimensions: (usize, Option<usize>),
    offset: usize,
}

/// Scans the cube; `sizes` are the numbers of codes per dimension.
///
/// # Errors
///
/// [`AnalyticsError::Length`] for a leaf with another number of codes,
/// [`AnalyticsError::OutOfRange`] for a code past its size or a risk outside `0..0.5`,
/// [`AnalyticsError::TooMany`] past [`MAX_DIMENSIONS`], [`MAX_CODES`] or [`MAX_LEAVES`].
///
/// ```
/// use aftersale::analytics::cause::{Leaf, Scan, scan};
/// use aftersale::analytics::rate::Proportion;
/// // Four categories by three suppliers; phones of supplier 2 go from 4 % to 9 %.
/// let mut leaves = Vec::new();
/// for category in 0..4 {
///     for supplier in 0..3 {
///         let after = if (category, supplier) == (1, 2) { 90 } else { 41 };
///         leaves.push(Leaf {
///             codes: vec![category, supplier],
///             before: Proportion::new(40, 1000)?,
///             after: Proportion::new(after, 1000)?,
///         });
///     }
/// }
/// let causes = scan(&[4, 3], &leaves, &Scan::default())?;
/// assert_eq!(causes.len(), 1);
/// assert_eq!(causes[0].element, [(0, 1), (1, 2)]);
/// # Ok::<(), aftersale::analytics::AnalyticsError>(())
/// ```
pub fn scan(sizes: &[u32], leaves: &[Leaf], settings: &Scan) -> Result<Vec<Cause>, AnalyticsError> {
    check(sizes, leaves, settings)?;
    let rates = base_rates(sizes, leaves);
    let mut weights: Vec<Weight> = leaves
        .iter()
        .zip(&rates)
        .map(|(leaf, rate)| Weight {
            before: leaf.before.part() as f64,
            after: leaf.after.part() as f64,
            expected_before: leaf.before.whole() as f64 * rate,
            expected_after: leaf.after.whole() as f64 * rate,
        })
        .collect();
    let (groups, slots) = groups(sizes);
    let candidates = present(&groups, sizes, leaves, slots);
    if candidates == 0 {
        return Ok(Vec::new());
    }
    let tail = settings.risk / candidates as f64;
    let quantile = math::normal_quantile(1.0 - tail.min(0.5));
    let threshold = 0.5 * quantile * quantile;
    let mut causes = Vec::new();
    while causes.len() < settings.causes_max {
        let Some((score, group, slot, weight, expected)) =
            best(&groups, sizes, leaves, &weights, slots, settings)
        else {
            break;
        };
        if score <= threshold {
            break;
        }
        let element = element(group, slot, sizes);
        let (mut before, mut after) = (Proportion::default(), Proportion::default());
        for (leaf, own) in leaves.iter().zip(&mut weights) {
            if own.expected_before.is_nan() || !holds(&element, leaf) {
                continue;
            }
            before = before.plus(leaf.before)?;
            after = after.plus(leaf.after)?;
            own.expected_before = f64::NAN;
        }
        debug_assert!(weight.after <= after.part() as f64);
        let p = (candidates as f64 * 0.5 * math::chi_square_1_upper(2.0 * score)).min(1.0);
        causes.push(Cause { element, before, after, expected, score, p });
    }
    Ok(causes)
}

fn check(sizes: &[u32], leaves: &[Leaf], settings: &Scan) -> Result<(), AnalyticsError> {
    if !(settings.risk > 0.0 && settings.risk < 0.5) {
        let (name, range) = ("the risk", "above 0 and below 0.5");
        return Err(AnalyticsError::OutOfRange { name, value: settings.risk, range });
    }
    if sizes.len() > MAX_DIMENSIONS {
        return Err(AnalyticsError::TooMany { name: "dimensions", limit: MAX_DIMENSIONS });
    }
    let codes = sizes.iter().fold(0_u32, |sum, size| sum.saturating_add(*size));
    if codes > MAX_CODES {
        return Err(AnalyticsError::TooMany { name: "codes", limit: MAX_CODES as usize });
    }
    if leaves.len() > MAX_LEAVES {
        return Err(AnalyticsError::TooMany { name: "leaves", limit: MAX_LEAVES });
    }
    for leaf in leaves {
        let (found, expected) = (leaf.codes.len(), sizes.len());
        if found != expected {
            return Err(AnalyticsError::Length { name: "the codes of a leaf", found, expected });
        }
        if let Some((code, _)) = leaf.codes.iter().zip(sizes).find(|(code, size)| code >= size) {
            let (name, range) = ("a code", "below the size of its dimension");
            return Err(AnalyticsError::OutOfRange { name, value: f64::from(*code), range });
        }
    }
    Ok(())
}

/// All single dimensions and pairs, and how many sums they need.
fn groups(sizes: &[u32]) -> (Vec<Group>, usize) {
    let mut groups = Vec::new();
    let mut offset = 0_usize;
    for (first, size) in sizes.iter().enumerate() {
        groups.push(Group { dimensions: (first, None), offset });
        offset = offset.saturating_add(*size as usize);
    }
    for (first, size) in sizes.iter().enumerate() {
        for (second, other) in sizes.iter().enumerate().skip(first.saturating_add(1)) {
            groups.push(Group { dimensions: (first, Some(second)), offset });
            offset = offset.saturating_add((*size as usize).saturating_mul(*other as usize));
        }
    }
    (groups, offset)
}

fn slot(group: &Group, sizes: &[u32], leaf: &Leaf) -> usize {
    let code = |dimension: usize| leaf.codes.get(dimension).map_or(0, |code| *code as usize);
    let inside = match group.dimensions {
        (first, None) => code(first),
        (first, Some(second)) => {
            let width = sizes.get(second).map_or(0, |size| *size as usize);
            code(first).saturating_mul(width).saturating_add(code(second))
        }
    };
    group.offset.saturating_add(inside)
}

fn element(group: &Group, slot: usize, sizes: &[u32]) -> Vec<(usize, u32)> {
    let inside = slot.saturating_sub(group.offset);
    match group.dimensions {
        (first, None) => alloc::vec![(first, inside as u32)],
        (first, Some(second)) => {
            let width = sizes.get(second).map_or(1, |size| *size as usize).max(1);
            let (a, b) = (inside.checked_div(width), inside.checked_rem(width));
            alloc::vec![(first, a.unwrap_or(0) as u32), (second, b.unwrap_or(0) as u32)]
        }
    }
}

fn holds(element: &[(usize, u32)], leaf: &Leaf) -> bool {
    element.iter().all(|(dimension, code)| leaf.codes.get(*dimension) == Some(code))
}

/// How many elements any leaf belongs to.
fn present(groups: &[Group], sizes: &[u32], leaves: &[Leaf], slots: usize) -> usize {
    let mut seen = alloc::vec![false; slots];
    for leaf in leaves {
        for group in groups {
            if let Some(mark) = seen.get_mut(slot(group, sizes, leaf)) {
                *mark = true;
            }
        }
    }
    seen.into_iter().filter(|seen| *seen).count()
}

/// The element with the largest score: score, group, slot, its sums, expected returns after.
fn best<'a>(
    groups: &'a [Group],
    sizes: &[u32],
    leaves: &[Leaf],
    weights: &[Weight],
    slots: usize,
    settings: &Scan,
) -> Option<(f64, &'a Group, usize, Weight, f64)> {
    let mut sums = alloc::vec![Weight::default(); slots];
    let mut total = Weight::default();
    for (leaf, weight) in leaves.iter().zip(weights) {
        if weight.expected_before.is_nan() {
            continue;
        }
        total.add(weight);
        for group in groups {
            if let Some(sum) = sums.get_mut(slot(group, sizes, leaf)) {
                sum.add(weight);
            }
        }
    }
    let mut best: Option<(f64, &Group, usize, Weight, f64)> = None;
    for (position, group) in groups.iter().enumerate() {
        let end = groups.get(position.saturating_add(1)).map_or(slots, |next| next.offset);
        for (slot, sum) in sums.iter().enumerate().take(end).skip(group.offset) {
            let Some((score, expected)) = score(sum, &total, settings) else { continue };
            if best.as_ref().is_none_or(|(found, ..)| score > *found) {
                best = Some((score, group, slot, *sum, expected));
            }
        }
    }
    best
}

/// The score of an element and its expected returns after; none where returns did not rise.
fn score(inside: &Weight, total: &Weight, settings: &Scan) -> Option<(f64, f64)> {
    let (a, b) = (inside.before, inside.after);
    if a + b < settings.returns_min as f64 || inside.expected_before <= 0.0 {
        return None;
    }
    let outside_before = total.expected_before - inside.expected_before;
    let outside_after = total.expected_after - inside.expected_after;
    // Nothing outside: nothing to rise against. Were it compared with its own past, the one channel of
    // a shop would be the cause of every general rise.
    if outside_before <= 1e-9 || outside_after <= 1e-9 {
        return None;
    }
    let movement =
        ((total.after - b + 0.5) / outside_after) / ((total.before - a + 0.5) / outside_before);
    let expected_after = inside.expected_after * movement;
    let share = expected_after / (expected_after + inside.expected_before);
    let seen = b / (a + b);
    if seen <= share || share <= 0.0 {
        return None;
    }
    let part = |count: f64, seen: f64, expected: f64| {
        if count > 0.0 { count * math::ln(seen / expected) } else { 0.0 }
    };
    let score = part(b, seen, share) + part(a, 1.0 - seen, 1.0 - share);
    Some((score, expected_after))
}

/// Base rates per leaf: main effects, then drawn toward the leaf.
fn base_rates(sizes: &[u32], leaves: &[Leaf]) -> Vec<f64> {
    let returns: f64 = leaves.iter().map(|leaf| leaf.before.part() as f64).sum();
    let units: f64 = leaves.iter().map(|leaf| leaf.before.whole() as f64).sum();
    let overall = (returns + 0.5) / (units + 1.0);
    let mut rates = alloc::vec![overall; leaves.len()];
    for _ in 0..25 {
        for (dimension, size) in sizes.iter().enumerate() {
            let mut sums = alloc::vec![(0.0_f64, 0.0_f64); *size as usize];
            let code = |leaf: &Leaf| leaf.codes.get(dimension).map_or(0, |code| *code as usize);
            for (leaf, rate) in leaves.iter().zip(&rates) {
                if let Some((seen, expected)) = sums.get_mut(code(leaf)) {
                    *seen += leaf.before.part() as f64;
                    *expected += leaf.before.whole() as f64 * rate;
                }
            }
            for (leaf, rate) in leaves.iter().zip(&mut rates) {
                if let Some((seen, expected)) = sums.get(code(leaf)) {
                    *rate *= (seen + 1.0) / (expected + 1.0);
                }
            }
        }
    }
    let (mut above, mut squares) = (0.0, 0.0);
    for (leaf, rate) in leaves.iter().zip(&rates) {
        let mean = leaf.before.whole() as f64 * rate;
        above += math::square(leaf.before.part() as f64 - mean) - mean;
        squares += mean * mean;
    }
    let variance = if squares > 0.0 { above / squares } else { 0.0 };
    if variance > 0.0 {
        let k = 1.0 / variance;
        for (leaf, rate) in leaves.iter().zip(&mut rates) {
            let mean = leaf.before.whole() as f64 * *rate;
            *rate *= (leaf.before.part() as f64 + k) / (mean + k);
        }
    }
    rates
}
