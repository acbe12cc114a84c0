//! Counts per reason, and their shares, which sum to one exactly.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::ReasonCode;
use crate::number::Ratio;

/// A count or a sum that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CountError {
    /// The sum of all counts is larger than this crate can hold.
    #[error("the counts are too large to be summed")]
    TooLarge,
}

/// How many lines each reason has. A reason with no lines is not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<ReasonCode, u32>", into = "BTreeMap<ReasonCode, u32>")]
pub struct ReasonCounts(BTreeMap<ReasonCode, u32>);

/// One reason's part of a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The reason.
    pub code: ReasonCode,
    /// How many lines.
    pub count: u32,
    /// The exact share.
    pub share: Ratio,
    /// The share in ten-thousandths for display; all of a list sum to 10,000 (largest remainder).
    pub basis_points: u32,
}

impl ReasonCounts {
    /// No lines.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds lines to a reason.
    ///
    /// # Errors
    ///
    /// [`CountError::TooLarge`] when the total would pass 4,294,967,295; nothing is added then.
    pub fn add(&mut self, code: &ReasonCode, lines: u32) -> Result<(), CountError> {
        self.total().checked_add(lines).ok_or(CountError::TooLarge)?;
        if lines > 0 {
            let count = self.0.entry(code.clone()).or_insert(0);
            *count = count.checked_add(lines).ok_or(CountError::TooLarge)?;
        }
        Ok(())
    }

    /// Adds all lines of another slice.
    ///
    /// # Errors
    ///
    /// [`CountError::TooLarge`]; nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), CountError> {
        self.total().checked_add(other.total()).ok_or(CountError::TooLarge)?;
        other.iter().try_for_each(|(code, count)| self.add(code, count))
    }

    /// The lines of a reason.
    #[must_use]
    pub fn of(&self, code: &ReasonCode) -> u32 {
        self.0.get(code).copied().unwrap_or(0)
    }

    /// All lines.
    #[must_use]
    pub fn total(&self) -> u32 {
        // Cannot saturate: every way to make or change the value checks the total.
        self.0.values().copied().fold(0, u32::saturating_add)
    }

    /// Every reason with lines, in the order of the codes.
    pub fn iter(&self) -> impl Iterator<Item = (&ReasonCode, u32)> {
        self.0.iter().map(|(code, count)| (code, *count))
    }

    /// The shares, the largest first, equal ones by code; nothing when there are no lines.
    ///
    /// ```
    /// use aftersale::reason::counts::ReasonCounts;
    /// let counts: ReasonCounts = serde_json::from_str(
    ///     r#"{"FIT.TOO_SMALL":1,"FIT.TOO_LARGE":1,"QLT.ODOR":1}"#,
    /// )?;
    /// let points: Vec<u32> = counts.shares().iter().map(|share| share.basis_points).collect();
    /// assert_eq!(points, [3334, 3333, 3333]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn shares(&self) -> Vec<Share> {
        let total = self.total();
        let mut shares: Vec<Share> = self
            .iter()
            .filter_map(|(code, count)| {
                let share = Ratio::new(count.into(), total.into()).ok()?;
                let exact = u64::from(count).checked_mul(POINTS)?.checked_div(total.into())?;
                let basis_points = u32::try_from(exact).ok()?;
                Some(Share { code: code.clone(), count, share, basis_points })
            })
            .collect();
        shares.sort_by(|a, b| (b.count, &a.code).cmp(&(a.count, &b.code)));
        let rest = |share: &Share| {
            u64::from(share.count).wrapping_mul(POINTS).checked_rem(total.into()).unwrap_or(0)
        };
        let given =
            shares.iter().fold(0, |sum: u64, share| sum.saturating_add(share.basis_points.into()));
        let missing = usize::try_from(POINTS.saturating_sub(given)).unwrap_or(0);
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by_key(|&position| {
            (core::cmp::Reverse(shares.get(position).map_or(0, rest)), position)
        });
        for position in order.into_iter().take(missing) {
            if let Some(share) = shares.get_mut(position) {
                share.basis_points = share.basis_points.saturating_add(1);
            }
        }
        shares
    }
}

const POINTS: u64 = 10_000;

impl TryFrom<BTreeMap<ReasonCode, u32>> for ReasonCounts {
    type Error = CountError;
    fn try_from(counts: BTreeMap<ReasonCode, u32>) -> Result<Self, CountError> {
        let mut total = 0_u32;
        for count in counts.values() {
            total = total.checked_add(*count).ok_or(CountError::TooLarge)?;
        }
        Ok(Self(counts.into_iter().filter(|(_, count)| *count > 0).collect()))
    }
}

impl From<ReasonCounts> for BTreeMap<ReasonCode, u32> {
    fn from(counts: ReasonCounts) -> Self {
        counts.0
    }
}
