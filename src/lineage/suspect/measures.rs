//! Other measures of association, as facts beside p.
//!
//! They do not order a ranking: on planted causes the hypergeometric p was best or tied. They are
//! here because other systems rank by them, and a reader should be able to compare. All are exact
//! ratios of the four counts; none where a measure is not defined.
//!
//! With `k` exposed defective, `n` defective, `K` exposed, `N` units. Sources: Abreu and others (2007)
//! for Ochiai, Jaccard and Tarantula; Wong and others (2014) for DStar; Naish and others (2011) for
//! Op2; odds and risk ratio with one half added to each cell (Haldane 1956, Anscombe 1956).

use serde::Serialize;

use super::hypergeometric::Counts;
use crate::number::Ratio;

/// Measures of association from the same four counts as p.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Measures {
    /// Ochiai, squared, so that it needs no root: `k^2 / (n K)`. None when nothing is defective or
    /// exposed.
    pub ochiai_squared: Option<Ratio>,
    /// `DStar` with exponent 2: `k^2 / (exposed good + defective not exposed)`. None where that is
    /// zero: the exposed are exactly the defective, and the value is without bound.
    pub dstar_2: Option<Ratio>,
    /// Tarantula: `(k/n) / (k/n + exposed good / all good)`. None when nothing
    /// is exposed, or nothing or everything is defective.
    pub tarantula: Option<Ratio>,
    /// Jaccard: `k / (defective or exposed)`. None when there is no such unit.
    pub jaccard: Option<Ratio>,
    /// Op2: `k - exposed good / (all good + 1)`; may be below zero.
    pub op2: Option<Ratio>,
    /// The odds of a defect among the exposed over those among the others, one half added to each
    /// of the four cells.
    pub odds_ratio: Option<Ratio>,
    /// The share of defective among the exposed over that among the others, one half added to each
    /// of the four cells.
    pub risk_ratio: Option<Ratio>,
}

impl Counts {
    /// Other measures of association of these counts.
    ///
    /// ```
    /// use aftersale::lineage::suspect::hypergeometric::Counts;
    /// // 120 phones, 40 with the new cell; 35 came back, 24 of them with the new cell.
    /// let measures = Counts::new(120, 40, 35, 24)?.measures();
    /// let text = |ratio: Option<aftersale::number::Ratio>| ratio.map(|ratio| ratio.to_string());
    /// assert_eq!(text(measures.jaccard).as_deref(), Some("8/17"));
    /// assert_eq!(text(measures.risk_ratio).as_deref(), Some("3969/943"));
    /// # Ok::<(), aftersale::lineage::suspect::hypergeometric::CountsError>(())
    /// ```
    #[must_use]
    pub fn measures(self) -> Measures {
        let wide = |count: u32| i128::from(count);
        let both = wide(self.exposed_defective);
        let (units, defective) = (wide(self.units), wide(self.defective));
        let exposed = wide(self.exposed);
        let exposed_good = exposed.saturating_sub(both);
        let other_defective = defective.saturating_sub(both);
        let good = units.saturating_sub(defective);
        let other_good = good.saturating_sub(exposed_good);
        let square = both.saturating_mul(both);
        let hit = both.saturating_mul(good);
        let missed = exposed_good.saturating_mul(defective);
        let half = |count: i128| count.saturating_mul(2).saturating_add(1);
        let more = |count: i128| count.saturating_add(1);
        let others = units.saturating_sub(exposed);
        Measures {
            ochiai_squared: ratio(square, defective.saturating_mul(exposed)),
            dstar_2: ratio(square, exposed_good.saturating_add(other_defective)),
            tarantula: ratio(hit, hit.saturating_add(missed)),
            jaccard: ratio(both, exposed.saturating_add(other_defective)),
            op2: ratio(both.saturating_mul(more(good)).saturating_sub(exposed_good), more(good)),
            odds_ratio: ratio(
                half(both).saturating_mul(half(other_good)),
                half(exposed_good).saturating_mul(half(other_defective)),
            ),
            risk_ratio: ratio(
                half(both).saturating_mul(more(others)),
                more(exposed).saturating_mul(half(other_defective)),
            ),
        }
    }
}

/// The ratio in lowest terms; none over zero, and where machine integers do not hold it (above 2^31
/// units).
fn ratio(above: i128, below: i128) -> Option<Ratio> {
    let (mut a, mut b) = (above.unsigned_abs(), below.unsigned_abs());
    while b != 0 {
        (a, b) = (b, a.checked_rem(b)?);
    }
    let common = i128::try_from(a).ok()?;
    let part = |number: i128| i64::try_from(number.checked_div(common)?).ok();
    if below == 0 { None } else { Ratio::new(part(above)?, part(below)?).ok() }
}
