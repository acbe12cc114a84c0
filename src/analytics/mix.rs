//! Why a rate changed: because the rates changed, or because more of the bad was sold.
//!
//! Kitagawa's decomposition splits the change of a total rate exactly into a rate part and a mix
//! part per segment. Do it per dimension; parts of different dimensions must not be added up.
//!
//! Source: E. M. Kitagawa, JASA 50 (1955) 1168.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::rate::Proportion;

/// One segment before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment<K> {
    /// The segment.
    pub key: K,
    /// Returned of sold before.
    pub before: Proportion,
    /// Returned of sold after.
    pub after: Proportion,
}

/// What one segment adds to the change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part<K> {
    /// The segment.
    pub key: K,
    /// Through its own rate.
    pub rate: f64,
    /// Through its share of sales.
    pub mix: f64,
}

/// The change of the total rate, taken apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decomposition<K> {
    /// Total rate before.
    pub before: f64,
    /// Total rate after.
    pub after: f64,
    /// The part through rates.
    pub rate: f64,
    /// The part through the mix.
    pub mix: f64,
    /// The segments, in the order given.
    pub parts: Vec<Part<K>>,
}

/// Takes the change apart; none when one side sold nothing.
///
/// A segment that sold nothing on one side borrows the other side's rate, so that its coming or
/// going is mix and nothing else.
///
/// ```
/// use aftersale::analytics::mix::{Segment, decompose};
/// use aftersale::analytics::rate::Proportion;
/// let of = Proportion::new;
/// // Both rates stay; twice as many dresses are sold.
/// let change = decompose(&[
///     Segment { key: "dresses", before: of(200, 1000)?, after: of(400, 2000)? },
///     Segment { key: "socks", before: of(10, 1000)?, after: of(10, 1000)? },
/// ]).ok_or("nothing was sold")?;
/// assert!(change.rate.abs() < 1e-12);
/// assert!((change.mix - (change.after - change.before)).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn decompose<K: Clone>(segments: &[Segment<K>]) -> Option<Decomposition<K>> {
    let total = |side: fn(&Segment<K>) -> Proportion| {
        segments.iter().try_fold(Proportion::default(), |sum, s| sum.plus(side(s))).ok()
    };
    let (all_before, all_after) = (total(|s| s.before)?, total(|s| s.after)?);
    let (before, after) = (all_before.value()?, all_after.value()?);
    let middle = 0.5 * (before + after);
    let parts: Vec<Part<K>> = segments
        .iter()
        .map(|segment| {
            let w0 = segment.before.whole() as f64 / all_before.whole() as f64;
            let w1 = segment.after.whole() as f64 / all_after.whole() as f64;
            let r0 = segment.before.value().or(segment.after.value()).unwrap_or(middle);
            let r1 = segment.after.value().unwrap_or(r0);
            Part {
                key: segment.key.clone(),
                rate: 0.5 * (w0 + w1) * (r1 - r0),
                mix: (w1 - w0) * (0.5 * (r0 + r1) - middle),
            }
        })
        .collect();
    Some(Decomposition {
        before,
        after,
        rate: parts.iter().map(|part| part.rate).sum(),
        mix: parts.iter().map(|part| part.mix).sum(),
        parts,
    })
}
