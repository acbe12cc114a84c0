//! Pareto: which few reasons make most of the returns, and how sure the cut is.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::math;
use super::rate::{Confidence, Estimate, Proportion};
use crate::label::codes;

codes! {
    /// The class of a named item by the share of all named ones that stands before it.
    pub enum Class "class" {
        /// Before it, less than the first cut: the vital few.
        A = "a", "A", "A";
        /// Before it, less than the second cut.
        B = "b", "B", "B";
        /// The rest.
        C = "c", "C", "C";
        /// Unknown and other: shown last and never ranked.
        Unranked = "unranked", "Unranked", "未分类";
    }
}

/// Whether an item is a reason like another or the heap of unknown ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A named item.
    Named,
    /// Unknown, other, none: kept apart.
    Unknown,
}

/// One line of a Pareto table.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<K> {
    /// The item.
    pub key: K,
    /// Cases with it.
    pub count: u64,
    /// Share of all labels, with Wilson's interval.
    pub share: Estimate,
    /// Share of all cases; above `share` where a case can have several labels.
    pub share_of_cases: f64,
    /// Share of this and all earlier items of all labels, with Wilson's interval.
    pub cumulative: Estimate,
    /// The class, by the share of the named ones before the item.
    pub class: Class,
}

/// A Pareto table.
#[derive(Clone, Debug, PartialEq)]
pub struct Pareto<K> {
    /// By falling count, then key; unknown ones last.
    pub items: Vec<Item<K>>,
    /// All labels.
    pub labels: u64,
    /// How many named items make up the first cut of all named ones, at the estimate.
    pub vital_few: usize,
    /// The fewest and the most items that the intervals of their cumulative shares allow for it.
    pub vital_few_range: (usize, usize),
    /// Concentration after Herfindahl and Hirschman, from 1/items to 1; over named items.
    pub concentration: f64,
    /// Entropy in bits; over named items.
    pub entropy: f64,
}

/// The usual cuts: 80 and 95 percent of what has a name. However large the heap of unknown ones is, it
/// moves no cut.
pub const CUTS: (f64, f64) = (0.8, 0.95);

/// Makes the table; `cases` is the number of cases, at most the sum of counts where every case has
/// a label. None when there are no labels.
///
/// ```
/// use aftersale::analytics::pareto::{Class, Kind, pareto};
/// use aftersale::analytics::rate::Confidence;
/// let reasons = [
///     ("wrong_size", 480, Kind::Named),
///     ("color_differs", 210, Kind::Named),
///     ("broken_zip", 160, Kind::Named),
///     ("late", 90, Kind::Named),
///     ("other", 60, Kind::Unknown),
/// ];
/// let table = pareto(&reasons, 1000, Confidence::NINETY_FIVE).ok_or("no returns")?;
/// let classes: Vec<Class> = table.items.iter().map(|item| item.class).collect();
/// assert_eq!(classes, [Class::A, Class::A, Class::A, Class::B, Class::Unranked]);
/// assert_eq!(table.vital_few, 3);
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn pareto<K: Ord + Clone>(
    counts: &[(K, u64, Kind)],
    cases: u64,
    confidence: Confidence,
) -> Option<Pareto<K>> {
    let mut order: Vec<&(K, u64, Kind)> = counts.iter().collect();
    order.sort_by(|a, b| a.2.cmp(&b.2).then(b.1.cmp(&a.1)).then_with(|| a.0.cmp(&b.0)));
    let labels = counts.iter().try_fold(0_u64, |sum, item| sum.checked_add(item.1))?;
    let named: Vec<u64> =
        order.iter().filter(|item| item.2 == Kind::Named).map(|item| item.1).collect();
    let named_total = named.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    if labels == 0 {
        return None;
    }
    let mut sum = 0_u64;
    let (mut vital_few, mut fewest, mut most) = (None, None, None);
    let mut items = Vec::with_capacity(order.len());
    for (position, (key, count, kind)) in order.into_iter().enumerate() {
        let before = sum as f64 / named_total.max(1) as f64;
        sum = sum.saturating_add(*count);
        let cumulative = Proportion::new(sum, labels).ok()?.wilson(confidence)?;
        let place = position.saturating_add(1);
        let of_named = Proportion::new(sum, named_total).ok().and_then(|p| p.wilson(confidence));
        for (found, reached) in [
            (&mut vital_few, of_named.map(|share| share.value)),
            (&mut fewest, of_named.map(|share| share.high)),
            (&mut most, of_named.map(|share| share.low)),
        ] {
            if found.is_none() && reached.is_some_and(|reached| reached >= CUTS.0) {
                *found = Some(place);
            }
        }
        items.push(Item {
            key: key.clone(),
            count: *count,
            share: Proportion::new(*count, labels).ok()?.wilson(confidence)?,
            share_of_cases: *count as f64 / cases.max(1) as f64,
            cumulative,
            class: match kind {
                Kind::Unknown => Class::Unranked,
                Kind::Named if before < CUTS.0 => Class::A,
                Kind::Named if before < CUTS.1 => Class::B,
                Kind::Named => Class::C,
            },
        });
    }
    let shares =
        named.iter().filter(|count| **count > 0).map(|count| *count as f64 / named_total as f64);
    let last = named.len();
    Some(Pareto {
        labels,
        vital_few: vital_few.unwrap_or(last),
        vital_few_range: (fewest.unwrap_or(last), most.unwrap_or(last)),
        concentration: shares.clone().map(math::square).sum(),
        entropy: shares.map(|share| -share * libm::log2(share)).sum::<f64>().max(0.0),
        items,
    })
}
