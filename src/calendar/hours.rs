//! Business hours as data: what a calendar is compiled from.
//!
//! In: weekly hours, breaks, rotations, holidays, make-up workdays and one-date overrides in one
//! zone, as a host writes them. Out: [`Calendar`](super::compiled::Calendar), by
//! [`BusinessHours::compile`]. Which rule decides a date: an override, else a make-up workday, else
//! a holiday, else the first rotation that covers the date, else the weekly hours.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::holiday::Holiday;
use super::working_days::{WeekdayCode, WorkingDays};
use crate::calendar::holiday::HolidayRule;
use crate::id::CalendarId;
use crate::number::excerpt;
use crate::time::{Fold, Gap, Zone};

/// Seconds of a civil day of ordinary length.
pub(crate) const DAY: i64 = 86_400;

/// The opening hours of one place, in its own zone.
///
/// Plain data: every part is valid by itself, and the limits on the whole are checked when it is
/// compiled.
///
/// ```
/// use aftersale::calendar::hours::{BusinessHours, DateRange};
/// use chrono::{NaiveDate, TimeZone, Utc};
/// let desk: BusinessHours = serde_json::from_str(
///     r#"{"id":"returns_desk","zone":"Europe/London",
///         "weekly":{"mon":["09:00-17:30"],"tue":["09:00-17:30"],"wed":["09:00-17:30"],
///                   "thu":["09:00-20:00"],"fri":["09:00-17:30"],"sat":["10:00-14:00"]},
///         "breaks":[{"name":"lunch","hours":"12:30-13:00"}],
///         "holidays":[{"name":"Christmas Day","rule":{"yearly":{"month":12,"day":25}}}]}"#,
/// )?;
/// let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).ok_or("no such date");
/// let calendar = desk.compile(DateRange { first: day(2026, 1, 1)?, last: day(2026, 12, 31)? })?;
/// // A jacket reported on Saturday at 13:00 with two working hours to answer:
/// let due = calendar.add(Utc.with_ymd_and_hms(2026, 3, 7, 13, 0, 0).unwrap(), 2 * 3600)?;
/// assert_eq!(due.value.to_rfc3339(), "2026-03-09T10:00:00+00:00"); // Monday at ten
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusinessHours {
    /// The name of the calendar.
    pub id: CalendarId,
    /// Raised by one with every edit, so that a deadline can say what it was computed from.
    #[serde(default = "first_revision")]
    pub revision: u32,
    /// The zone in which all hours and dates below are meant.
    pub zone: Zone,
    /// The windows that open on each day of the week; a day without an entry is closed.
    #[serde(default)]
    pub weekly: BTreeMap<WeekdayCode, Vec<Window>>,
    /// Breaks inside the hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<Break>,
    /// Shift plans that repeat after some days; the first that covers a date decides it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rotations: Vec<Rotation>,
    /// Holidays by rule or by date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Dates worked in exchange for others (调休), each with the hours of the named weekday.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub made_up: BTreeMap<NaiveDate, WeekdayCode>,
    /// Hours of single dates, such as a half day or a special opening; they beat everything else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<NaiveDate, Override>,
    /// What a holiday closes.
    #[serde(default)]
    pub holiday_scope: HolidayScope,
    /// The days from which an observed holiday moves away.
    #[serde(default = "saturday_and_sunday")]
    pub weekend: BTreeSet<WeekdayCode>,
    /// What an edge stands for that a clock change skips.
    #[serde(default)]
    pub gap: Gap,
    /// Which occurrence of a repeated local time ends a window. A start is always the first.
    #[serde(default)]
    pub end_fold: Fold,
    /// The last date whose holidays are announced; without one, all dates count as confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_until: Option<NaiveDate>,
}

fn first_revision() -> u32 {
    1
}

fn saturday_and_sunday() -> BTreeSet<WeekdayCode> {
    [WeekdayCode::Sat, WeekdayCode::Sun].into()
}

/// All days of the week, from Monday.
pub const WEEK: [WeekdayCode; 7] = [
    WeekdayCode::Mon,
    WeekdayCode::Tue,
    WeekdayCode::Wed,
    WeekdayCode::Thu,
    WeekdayCode::Fri,
    WeekdayCode::Sat,
    WeekdayCode::Sun,
];

impl BusinessHours {
    /// A calendar that never opens, to be filled in.
    #[must_use]
    pub fn new(id: CalendarId, zone: Zone) -> Self {
        Self {
            id,
            revision: 1,
            zone,
            weekly: BTreeMap::new(),
            breaks: Vec::new(),
            rotations: Vec::new(),
            holidays: Vec::new(),
            made_up: BTreeMap::new(),
            overrides: BTreeMap::new(),
            holiday_scope: HolidayScope::default(),
            weekend: saturday_and_sunday(),
            gap: Gap::default(),
            end_fold: Fold::default(),
            confirmed_until: None,
        }
    }

    /// The same windows on some days of the week.
    #[must_use]
    pub fn with_weekly(
        mut self,
        days: impl IntoIterator<Item = WeekdayCode>,
        windows: &[Window],
    ) -> Self {
        self.weekly.extend(days.into_iter().map(|day| (day, windows.to_vec())));
        self
    }

    /// Adds the holidays and make-up workdays of a place; a date worked instead has the hours of
    /// `hours_of`.
    ///
    /// ```
    /// use aftersale::calendar::hours::{BusinessHours, WEEK};
    /// use aftersale::calendar::working_days::{WeekdayCode, WorkingDays};
    /// use aftersale::id::CalendarId;
    /// let desk = BusinessHours::new(CalendarId::new("hangzhou")?, "Asia/Shanghai".parse()?)
    ///     .with_weekly(WEEK.into_iter().take(5), &["09:00-18:00".parse()?])
    ///     .with_working_days(&WorkingDays::china(), WeekdayCode::Mon);
    /// assert_eq!(desk.made_up.len(), 46); // the weekend days worked in seven years
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_working_days(mut self, days: &WorkingDays, hours_of: WeekdayCode) -> Self {
        self.holidays.extend(days.holidays.iter().map(|(date, name)| Holiday {
            name: name.clone(),
            rule: HolidayRule::Date(*date),
            observed: Default::default(),
            from_year: None,
            until_year: None,
        }));
        self.made_up.extend(days.made_up.iter().map(|date| (*date, hours_of)));
        self.weekend = days.weekend.clone();
        self.confirmed_until = days.confirmed_until;
        self
    }
}

/// The civil dates for which a calendar is compiled, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateRange {
    /// The first date.
    pub first: NaiveDate,
    /// The last date.
    pub last: NaiveDate,
}

/// What a holiday closes. The two differ for windows that pass midnight only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolidayScope {
    /// The windows that open on the date: last night's shift is finished, tonight's is not begun.
    #[default]
    ShiftDay,
    /// The civil date from midnight to midnight: last night's shift ends at midnight, and tonight's
    /// goes on from the midnight after.
    CalendarDay,
}

/// Hours of a day, half open: from the first instant to just before the second.
///
/// Written `09:00-17:30`; seconds are allowed. An end that is not after the start lies on the next
/// date, so `22:00-06:00` is a night shift; the whole day is `00:00-24:00`. Equal start and end is
/// refused, because one library reads it as nothing and another as 24 hours.
///
/// ```
/// use aftersale::calendar::hours::{HoursError, Window};
/// let night: Window = "22:00-06:00".parse()?;
/// assert_eq!(night.seconds(), 8 * 3600);
/// assert!("08:00-08:00".parse::<Window>().is_err());
/// # Ok::<(), HoursError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    /// Seconds from midnight, below a day.
    opens: i32,
    /// Seconds from the same midnight, above `opens`, at most a day later.
    closes: i32,
}

impl Window {
    /// The start in seconds of local time after midnight, below 86,400.
    #[must_use]
    pub fn opens(self) -> i64 {
        self.opens.into()
    }

    /// The end in seconds of local time after the midnight before the start; above 86,400 on the
    /// next date.
    #[must_use]
    pub fn closes(self) -> i64 {
        self.closes.into()
    }

    /// The length on a day without a clock change, in seconds: above zero, at most a day.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.closes().saturating_sub(self.opens())
    }
}

/// Hours that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HoursError {
    /// Not two times of day.
    #[error("`{text}` is not a window such as 09:00-17:30")]
    NotAWindow {
        /// The text, shortened.
        text: String,
    },
    /// Start and end are equal.
    #[error("`{text}` starts and ends at the same time; write 00:00-24:00 for a whole day")]
    EqualEnds {
        /// The text.
        text: String,
    },
}

impl FromStr for Window {
    type Err = HoursError;
    fn from_str(text: &str) -> Result<Self, HoursError> {
        let wrong = || HoursError::NotAWindow { text: excerpt(text) };
        let (opens, closes) = text.split_once('-').ok_or_else(wrong)?;
        let opens = time_of_day(opens).filter(|&opens| opens < 86_400).ok_or_else(wrong)?;
        let closes = time_of_day(closes).ok_or_else(wrong)?;
        if opens == closes {
            return Err(HoursError::EqualEnds { text: excerpt(text) });
        }
        let closes = if closes < opens { closes.saturating_add(86_400) } else { closes };
        Ok(Self { opens, closes })
    }
}

/// `HH:MM` or `HH:MM:SS` up to `24:00`, in seconds.
fn time_of_day(text: &str) -> Option<i32> {
    let mut seconds = 0_i32;
    let mut parts = 0;
    for (part, (scale, limit)) in text.split(':').zip([(3600, 24), (60, 59), (1, 59)]) {
        let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let value: i32 = plain.then(|| part.parse().ok()).flatten()?;
        if value > limit {
            return None;
        }
        seconds = seconds.checked_add(value.checked_mul(scale)?)?;
        parts = part.len().checked_add(parts)?;
    }
    let colons = text.bytes().filter(|byte| *byte == b':').count();
    ((1..=2).contains(&colons) && parts.checked_add(colons)? == text.len() && seconds <= 86_400)
        .then_some(seconds)
}

impl TryFrom<String> for Window {
    type Error = HoursError;
    fn try_from(text: String) -> Result<Self, HoursError> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        alloc::format!("{window}")
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closes =
            if self.closes > 86_400 { self.closes.wrapping_sub(86_400) } else { self.closes };
        for (position, seconds) in [self.opens, closes].into_iter().enumerate() {
            let part = |unit: i32, of: i32| {
                seconds.checked_div(unit).and_then(|count| count.checked_rem(of)).unwrap_or(0)
            };
            let dash = if position == 0 { "" } else { "-" };
            write!(f, "{dash}{:02}:{:02}", part(3600, 25), part(60, 60))?;
            if part(1, 60) != 0 {
                write!(f, ":{:02}", part(1, 60))?;
            }
        }
        Ok(())
    }
}

/// A break inside the hours, on its own civil date: the half hour at two in the night belongs to the
/// date on which it is two o'clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Break {
    /// What people call it.
    pub name: String,
    /// When.
    pub hours: Window,
    /// The days of the week; none named means every day.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub on: BTreeSet<WeekdayCode>,
    /// Whether it counts as working time.
    #[serde(default)]
    pub pay: BreakPay,
}

/// Whether a break counts as working time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakPay {
    /// It does not count: the calendar is closed.
    #[default]
    Unpaid,
    /// It counts: the calendar is open, and the explanation names the break.
    Paid,
}

/// A shift plan that repeats after some days, such as two early, two late, two nights, four off.
///
/// It decides every date from `from` to `until`, also the free days in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// What people call it.
    pub name: String,
    /// The first date it decides, which is the first day of the plan.
    pub from: NaiveDate,
    /// The last date it decides; without one it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<NaiveDate>,
    /// The windows of each day of the plan.
    pub cycle: Vec<Vec<Window>>,
}

/// The hours of one date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// Why the date is different.
    pub name: String,
    /// The windows that open on the date; none closes it.
    #[serde(default)]
    pub open: Vec<Window>,
    /// Whether the breaks of the weekday are taken.
    #[serde(default)]
    pub breaks: OverrideBreaks,
}

/// Whether a date with hours of its own has the breaks of its weekday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideBreaks {
    /// As on any such weekday.
    #[default]
    Kept,
    /// None on this date.
    Dropped,
}
