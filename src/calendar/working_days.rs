//! Working days of a place: weekends, holidays, and the weekend days worked instead (调休).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use crate::time::{TimeError, add_days};

/// Why a date is or is not worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DayKind<'a> {
    /// An ordinary working day.
    Worked,
    /// A weekend day worked by an announced exchange (调休).
    MadeUp,
    /// A weekend day.
    Weekend,
    /// A holiday with its name.
    Holiday(&'a str),
}

impl DayKind<'_> {
    /// Whether work is done on such a day.
    #[must_use]
    pub fn is_worked(&self) -> bool {
        matches!(self, Self::Worked | Self::MadeUp)
    }
}

/// The working days of one place.
///
/// A date is worked when it is in `made_up`, or when it is neither a weekend day nor in `holidays`.
/// Holidays are announced year by year: `confirmed_until` is the last date for which the list is
/// known. Past it the answer is the best guess, and [`WorkingDays::is_confirmed`] says so.
///
/// ```
/// use aftersale::calendar::working_days::WorkingDays;
/// use aftersale::time::TimeError;
/// use chrono::NaiveDate;
/// let china = WorkingDays::china();
/// let day = |d| NaiveDate::from_ymd_opt(2026, 2, d).ok_or(TimeError::OutOfRange);
/// assert!(china.is_worked(day(14)?));                          // a Saturday, worked instead
/// assert_eq!(china.on_or_after(day(15)?)?, day(24)?);          // Spring Festival, 15 to 23
/// # Ok::<(), TimeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingDays {
    /// The days of the week on which nobody works.
    pub weekend: BTreeSet<WeekdayCode>,
    /// Days off with their names.
    #[serde(default)]
    pub holidays: BTreeMap<NaiveDate, String>,
    /// Weekend days or holidays that are worked.
    #[serde(default)]
    pub made_up: BTreeSet<NaiveDate>,
    /// The last date whose holidays are announced; without one, all dates count as confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_until: Option<NaiveDate>,
}

/// A day of the week, ordered from Monday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeekdayCode {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl From<Weekday> for WeekdayCode {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Mon => Self::Mon,
            Weekday::Tue => Self::Tue,
            Weekday::Wed => Self::Wed,
            Weekday::Thu => Self::Thu,
            Weekday::Fri => Self::Fri,
            Weekday::Sat => Self::Sat,
            Weekday::Sun => Self::Sun,
        }
    }
}

impl WorkingDays {
    /// The longest run of days off that is searched: four years, so that no query runs for ever.
    pub const LONGEST_CLOSURE: i64 = 1461;

    /// Monday to Friday, no holidays.
    #[must_use]
    pub fn weekdays() -> Self {
        Self { weekend: [WeekdayCode::Sat, WeekdayCode::Sun].into(), ..Self::default() }
    }

    /// What kind of day a date is.
    #[must_use]
    pub fn kind(&self, day: NaiveDate) -> DayKind<'_> {
        let weekend = self.weekend.contains(&day.weekday().into());
        if self.made_up.contains(&day) {
            DayKind::MadeUp
        } else if let Some(name) = self.holidays.get(&day) {
            DayKind::Holiday(name)
        } else if weekend {
            DayKind::Weekend
        } else {
            DayKind::Worked
        }
    }

    /// Whether work is done on a date.
    #[must_use]
    pub fn is_worked(&self, day: NaiveDate) -> bool {
        self.kind(day).is_worked()
    }

    /// Whether the holidays of a date are announced.
    #[must_use]
    pub fn is_confirmed(&self, day: NaiveDate) -> bool {
        self.confirmed_until.is_none_or(|until| day <= until)
    }

    /// The date itself when it is worked, else the next worked date.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] when no day is worked for [`Self::LONGEST_CLOSURE`] days.
    pub fn on_or_after(&self, day: NaiveDate) -> Result<NaiveDate, TimeError> {
        self.seek(day, 1)
    }

    /// The date itself when it is worked, else the last worked date before it.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] when no day is worked for [`Self::LONGEST_CLOSURE`] days.
    pub fn on_or_before(&self, day: NaiveDate) -> Result<NaiveDate, TimeError> {
        self.seek(day, -1)
    }

    fn seek(&self, start: NaiveDate, step: i64) -> Result<NaiveDate, TimeError> {
        let mut day = start;
        for _ in 0..Self::LONGEST_CLOSURE {
            if self.is_worked(day) {
                return Ok(day);
            }
            day = add_days(day, step)?;
        }
        Err(TimeError::OutOfRange)
    }

    /// The `count`-th worked date after `day`; `day` itself is never counted.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] outside the years 1 to 9999 or when no day is worked.
    pub fn add_working_days(&self, day: NaiveDate, count: u32) -> Result<NaiveDate, TimeError> {
        let mut day = day;
        for _ in 0..count {
            day = self.on_or_after(add_days(day, 1)?)?;
        }
        Ok(day)
    }

    /// How many worked dates lie in `from..=to`; none when `to` is before `from`.
    #[must_use]
    pub fn count(&self, from: NaiveDate, to: NaiveDate) -> usize {
        from.iter_days().take_while(|day| *day <= to).filter(|day| self.is_worked(*day)).count()
    }
}
