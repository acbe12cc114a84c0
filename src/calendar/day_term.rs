//! Deadlines in whole days: the first day is not counted, and the term ends with its last day.
//!
//! Statutory terms are of this kind (for example Article 201 of the Civil Code of the People's
//! Republic of China, and Regulation (EEC, Euratom) No 1182/71, Article 3).

use serde::{Deserialize, Serialize};

use super::compiled::{Calendar, CalendarError, Reckoned, instant};
use crate::time::Instant;

/// A term in whole days.
///
/// ```
/// use aftersale::calendar::day_term::{DayCount, DayTerm, Roll};
/// use aftersale::calendar::hours::{BusinessHours, DateRange, WEEK};
/// use aftersale::calendar::working_days::{WeekdayCode, WorkingDays};
/// use aftersale::id::CalendarId;
/// use chrono::{NaiveDate, TimeZone, Utc};
/// let shop = BusinessHours::new(CalendarId::new("hangzhou")?, "Asia/Shanghai".parse()?)
///     .with_weekly(WEEK.into_iter().take(5), &["09:00-18:00".parse()?])
///     .with_working_days(&WorkingDays::china(), WeekdayCode::Mon);
/// let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).ok_or("no such date");
/// let calendar = shop.compile(DateRange { first: day(1, 1)?, last: day(12, 31)? })?;
/// // A phone was received on 10 February; seven days without giving reasons end on the 17th,
/// // which is New Year, and move to the first working day after Spring Festival.
/// let received = Utc.with_ymd_and_hms(2026, 2, 10, 4, 0, 0).unwrap();
/// let term = DayTerm { days: 7, count: DayCount::Civil, roll: Roll::NextWorkingDay };
/// let end = calendar.term_end(received, term)?;
/// assert_eq!(end.value.to_rfc3339(), "2026-02-24T16:00:00+00:00"); // the end of 24 February there
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayTerm {
    /// How many days, after the first.
    pub days: u32,
    /// Which days count.
    #[serde(default)]
    pub count: DayCount,
    /// What happens when the last day is not worked.
    #[serde(default)]
    pub roll: Roll,
}

/// Which days count.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum DayCount {
    /// Every civil day.
    #[default]
    Civil,
    /// Days on which a window opens.
    Working,
}

/// What happens when the last day of a term is not a working day.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Roll {
    /// The term ends all the same.
    #[default]
    Stay,
    /// It ends with the next working day.
    NextWorkingDay,
}

impl Calendar {
    /// The end of a term that starts at `from`: the first instant after its last day.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`], [`CalendarError::BeforeCalendar`].
    pub fn term_end(
        &self,
        from: Instant,
        term: DayTerm,
    ) -> Result<Reckoned<Instant>, CalendarError> {
        let end = self.counted_end(from.timestamp(), term)?;
        Ok(Reckoned { value: instant(end), standing: self.standing(end) })
    }

    /// [`Calendar::term_end`] in seconds.
    pub(crate) fn counted_end(&self, from: i64, term: DayTerm) -> Result<i64, CalendarError> {
        let first = self.days().at(self.inside(from)?);
        let last = self.counted_day(first, term.days, term.count)?;
        self.end_of_day(last, term.roll)
    }

    /// The `days`-th counted day after `first`; `first` itself for none.
    pub(crate) fn counted_day(
        &self,
        first: usize,
        days: u32,
        count: DayCount,
    ) -> Result<usize, CalendarError> {
        let day = match count {
            _ if days == 0 => Some(first),
            DayCount::Civil => usize::try_from(days).ok().and_then(|days| first.checked_add(days)),
            DayCount::Working => {
                let done = self.days().worked_up_to(first.saturating_add(1));
                done.checked_add(days).and_then(|nth| self.days().nth_worked(nth))
            }
        };
        day.filter(|day| *day < self.days().len()).ok_or_else(|| self.beyond())
    }

    /// The first second after a day, moved to the end of the next working day where that is asked.
    pub(crate) fn end_of_day(&self, day: usize, roll: Roll) -> Result<i64, CalendarError> {
        let day = match roll {
            Roll::Stay => Some(day),
            Roll::NextWorkingDay => self.days().worked_from(day),
        };
        day.and_then(|day| self.days().start(day.saturating_add(1))).ok_or_else(|| self.beyond())
    }

    /// How many counted days lie after `first` and not after `last`.
    pub(crate) fn counted_days(&self, first: usize, last: usize, count: DayCount) -> u32 {
        match count {
            DayCount::Civil => u32::try_from(last.saturating_sub(first)).unwrap_or(u32::MAX),
            DayCount::Working => {
                let up_to = |day: usize| self.days().worked_up_to(day.saturating_add(1));
                up_to(last).saturating_sub(up_to(first))
            }
        }
    }
}
