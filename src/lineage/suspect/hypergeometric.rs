//! The one-sided hypergeometric test: how likely so many defects among the exposed are by chance.
//!
//! Of `units` units `defective` are defective and `exposed` hold the suspect. If defects fell blindly, the number
//! of defective among the exposed would be hypergeometric; p is the chance of at least as many as
//! observed (Fisher's exact test, one-sided). Within strata the numbers are independent given the
//! counts of each stratum, and their sum is a convolution: the exact conditional test behind the
//! Cochran-Mantel-Haenszel statistic.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::scientific::{Big, Probability};
use crate::number::Exact;

/// The four numbers of a test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Counts {
    /// All units looked at (N).
    pub units: u32,
    /// Those of them that hold the suspect (K).
    pub exposed: u32,
    /// Those that are defective (n).
    pub defective: u32,
    /// Those that are both (k).
    pub exposed_defective: u32,
}

/// Numbers that cannot belong together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "of {units} units {exposed} exposed, {defective} defective and {exposed_defective} both \
     cannot be"
)]
pub struct CountsError {
    units: u32,
    exposed: u32,
    defective: u32,
    exposed_defective: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountsWire {
    units: u32,
    exposed: u32,
    defective: u32,
    exposed_defective: u32,
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wire = CountsWire::deserialize(from)?;
        Self::new(wire.units, wire.exposed, wire.defective, wire.exposed_defective)
            .map_err(serde::de::Error::custom)
    }
}

impl Counts {
    /// The four numbers: all, exposed, defective, both.
    ///
    /// # Errors
    ///
    /// [`CountsError`] when a part is larger than its whole.
    pub const fn new(
        units: u32,
        exposed: u32,
        defective: u32,
        exposed_defective: u32,
    ) -> Result<Self, CountsError> {
        let counts = Self { units, exposed, defective, exposed_defective };
        let (least, most) = counts.range();
        let fits = exposed <= units && defective <= units;
        if !fits || exposed_defective < least || exposed_defective > most {
            return Err(CountsError { units, exposed, defective, exposed_defective });
        }
        Ok(counts)
    }

    /// The least and the most that both can be.
    const fn range(self) -> (u32, u32) {
        let free = self.units.saturating_sub(self.exposed);
        let most = if self.exposed < self.defective { self.exposed } else { self.defective };
        (self.defective.saturating_sub(free), most)
    }

    /// The chance of at least as many defective among the exposed if defects fell blindly.
    ///
    /// ```
    /// use aftersale::lineage::suspect::hypergeometric::Counts;
    /// // 10 phones, 5 with the new cell; 5 came back, all with the new cell: 1 in 252.
    /// let p = Counts::new(10, 5, 5, 5)?.p_value();
    /// assert_eq!(format!("{p:.4}"), "3.9682e-3");
    /// # Ok::<(), aftersale::lineage::suspect::hypergeometric::CountsError>(())
    /// ```
    #[must_use]
    pub fn p_value(self) -> Probability {
        let (least, _) = self.range();
        if self.exposed_defective <= least {
            return Probability::ONE;
        }
        let mut sum = Big::ZERO;
        let mut growing = true;
        let mut before = Big::ZERO;
        for term in self.terms(self.exposed_defective) {
            sum = sum.plus(term);
            growing = growing && term > before;
            before = term;
            if !growing && term.is_lost_in(sum) {
                break;
            }
        }
        Probability::capped(sum)
    }

    /// The chances of exactly `from`, `from + 1`, ... defective among the exposed.
    fn terms(self, from: u32) -> impl Iterator<Item = Big> {
        let (_, most) = self.range();
        let (units, exposed) = (u64::from(self.units), u64::from(self.exposed));
        let defective = u64::from(self.defective);
        let spare = units.saturating_sub(exposed);
        let mut term = self.exactly(from);
        (u64::from(from)..=u64::from(most)).map(move |both| {
            let this = term;
            let up = exposed.saturating_sub(both).saturating_mul(defective.saturating_sub(both));
            let low = spare.saturating_add(both).saturating_add(1).saturating_sub(defective);
            term = term.times(up).over(both.saturating_add(1).saturating_mul(low).max(1));
            this
        })
    }

    /// The chance of exactly `both`, by products and quotients in turn so that nothing runs away.
    fn exactly(self, both: u32) -> Big {
        // The distribution is the same with exposed and defective swapped; the smaller is cheaper.
        let draws = u64::from(self.defective.min(self.exposed));
        let marked = u64::from(self.defective.max(self.exposed));
        let (units, both) = (u64::from(self.units), u64::from(both));
        let rest = draws.saturating_sub(both);
        let spare = units.saturating_sub(marked);
        let after = units.saturating_sub(both);
        let mut value = Big::ONE;
        for i in 0..both {
            value = value.times(marked.saturating_sub(i)).over(units.saturating_sub(i));
        }
        for i in 0..rest {
            value = value.times(spare.saturating_sub(i)).over(after.saturating_sub(i));
        }
        for i in 0..both.min(rest) {
            value = value.times(draws.saturating_sub(i)).over(i.saturating_add(1));
        }
        value
    }
}

/// The same test within strata (products, periods) whose rates of return differ: the chance of at
/// least as many defective among the exposed of all strata together, given the counts of each.
///
/// Exact, by convolution; the cost grows with the square of the number of defective units.
#[must_use]
pub fn stratified_p_value(strata: &[Counts]) -> Probability {
    let mut least = 0_u64;
    let mut observed = 0_u64;
    let mut sums = vec![Big::ONE];
    for stratum in strata {
        let (low, most) = stratum.range();
        least = least.saturating_add(low.into());
        observed = observed.saturating_add(stratum.exposed_defective.into());
        if low == most {
            continue;
        }
        let terms: Vec<Big> = stratum.terms(low).collect();
        let mut next = vec![Big::ZERO; sums.len().saturating_add(terms.len()).saturating_sub(1)];
        for (i, &left) in sums.iter().enumerate() {
            for (slot, &right) in next.iter_mut().skip(i).zip(&terms) {
                *slot = slot.plus(left.product(right));
            }
        }
        sums = next;
    }
    if observed <= least {
        return Probability::ONE;
    }
    let from = usize::try_from(observed.saturating_sub(least)).unwrap_or(usize::MAX);
    // From the smallest on, so that no term is lost.
    let tail = sums.iter().skip(from).rev().fold(Big::ZERO, |sum, &term| sum.plus(term));
    Probability::capped(tail)
}

/// The signed Cochran-Mantel-Haenszel statistic over strata, without continuity correction, to
/// three decimals (cut). `None` when nothing could vary.
#[must_use]
pub fn mantel_haenszel_z(strata: &[Counts]) -> Option<Exact> {
    const FRACTION: u32 = 20;
    let (mut excess, mut variance) = (0_i128, 0_i128);
    for stratum in strata {
        let wide = |count: u32| i128::from(count);
        let (units, exposed) = (wide(stratum.units), wide(stratum.exposed));
        let defective = wide(stratum.defective);
        let Some(expected) = (exposed.saturating_mul(defective) << FRACTION).checked_div(units)
        else {
            continue;
        };
        let observed = wide(stratum.exposed_defective) << FRACTION;
        excess = excess.saturating_add(observed.saturating_sub(expected));
        let spread = expected
            .saturating_mul(units.saturating_sub(defective))
            .checked_div(units)?
            .saturating_mul(units.saturating_sub(exposed))
            .checked_div(units.saturating_sub(1));
        variance = variance.saturating_add(spread.unwrap_or(0));
    }
    if variance <= 0 {
        return None;
    }
    let square = excess.unsigned_abs().checked_pow(2)?.checked_mul(1_000_000)?;
    let root = square.checked_div(variance.unsigned_abs() << FRACTION)?.isqrt();
    let z = i64::try_from(root).ok()?.saturating_mul(if excess < 0 { -1 } else { 1 });
    Some(Exact::new(rust_decimal::Decimal::new(z, 3)))
}
