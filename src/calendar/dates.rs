//! Seconds to instants by one look-up: computing the date of a second anew costs more than finding it.

use alloc::vec::Vec;

use chrono::{NaiveDate, NaiveTime};

use super::compiled::instant;
use super::hours::DAY;
use crate::time::{Instant, add_days};

/// Seconds of a day, for a distance that fits.
const DAY_LENGTH: u32 = 86_400;

/// The UTC dates of a range, four bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dates {
    /// The second of the first midnight.
    midnight: i64,
    dates: Vec<NaiveDate>,
}

impl Dates {
    /// The dates from the one of the second `first` to the one of the second `last`.
    pub(crate) fn new(first: i64, last: i64) -> Self {
        let day = |second: i64| second.div_euclid(DAY);
        let date = instant(first).date_naive();
        let count = day(last).saturating_sub(day(first)).saturating_add(1);
        let dates = (0..count).map_while(|days| add_days(date, days).ok()).collect();
        Self { midnight: day(first).saturating_mul(DAY), dates }
    }

    /// A second as an instant.
    #[inline]
    pub(crate) fn instant(&self, second: i64) -> Instant {
        let find = || {
            let offset = u32::try_from(second.wrapping_sub(self.midnight)).ok()?;
            let day = usize::try_from(offset.checked_div(DAY_LENGTH)?).ok()?;
            let of_day = offset.checked_rem(DAY_LENGTH)?;
            let time = NaiveTime::from_num_seconds_from_midnight_opt(of_day, 0)?;
            Some(self.dates.get(day)?.and_time(time).and_utc())
        };
        find().unwrap_or_else(|| instant(second))
    }
}
