//! Holidays by rule: fixed dates, nth weekdays, Easter, and where they are observed.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::hours::BusinessHours;
use super::working_days::WeekdayCode;
use crate::time::add_days;

/// A holiday with its rule.
///
/// ```
/// use aftersale::calendar::holiday::Holiday;
/// let thanksgiving: Holiday = serde_json::from_str(
///     r#"{"name":"Thanksgiving","rule":{"nth_weekday":{"month":11,"weekday":"thu","nth":4}}}"#,
/// )?;
/// assert_eq!(thanksgiving.in_year(2026).map(|day| day.to_string()), Some("2026-11-26".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// What people call it.
    pub name: String,
    /// Which date it falls on.
    pub rule: HolidayRule,
    /// What happens when it falls on a weekend.
    #[serde(default)]
    pub observed: Observed,
    /// The first year; without one it has always been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_year: Option<i32>,
    /// The last year; without one it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_year: Option<i32>,
}

/// Which date of a year a holiday falls on. A date that a year does not have (29 February, a fifth
/// Monday) is no holiday in that year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolidayRule {
    /// One date of one year.
    Date(NaiveDate),
    /// The same date every year.
    Yearly {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// The first, second, … or, below zero, the last, last but one, … weekday of a month.
    NthWeekday {
        /// 1 to 12.
        month: u32,
        /// The day of the week.
        weekday: WeekdayCode,
        /// 1 to 5 from the start of the month, -1 to -5 from its end.
        nth: i8,
    },
    /// Days after Easter Sunday of the western churches; below zero before it. Good Friday is -2.
    Easter(i16),
    /// Days after Easter Sunday of the eastern churches (Julian reckoning, civil date).
    OrthodoxEaster(i16),
}

/// What happens when a holiday falls on a weekend. The date itself stays a holiday in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    /// Nothing.
    #[default]
    OnTheDate,
    /// The next day that is neither weekend nor a holiday is closed too (substitute day).
    NextFreeDay,
    /// The nearest day outside the weekend is closed too: Friday for a Saturday, Monday for a Sunday.
    NearestDay,
}

impl Holiday {
    /// The date in one year, before it is moved; none when the year has no such date.
    #[must_use]
    pub fn in_year(&self, year: i32) -> Option<NaiveDate> {
        let after = self.from_year.is_none_or(|from| from <= year);
        let before = self.until_year.is_none_or(|until| year <= until);
        (after && before).then(|| self.rule.in_year(year)).flatten()
    }
}

impl HolidayRule {
    fn in_year(self, year: i32) -> Option<NaiveDate> {
        match self {
            Self::Date(date) => (date.year() == year).then_some(date),
            Self::Yearly { month, day } => NaiveDate::from_ymd_opt(year, month, day),
            Self::NthWeekday { month, weekday, nth } => {
                let first = NaiveDate::from_ymd_opt(year, month, 1)?;
                let mut matching = first
                    .iter_days()
                    .take_while(|day| day.month() == month)
                    .filter(|day| WeekdayCode::from(day.weekday()) == weekday);
                let place = usize::from(nth.unsigned_abs()).checked_sub(1)?;
                if nth > 0 {
                    return matching.nth(place);
                }
                let all: Vec<NaiveDate> = matching.collect();
                all.into_iter().rev().nth(place)
            }
            Self::Easter(days) => add_days(western_easter(year)?, days.into()).ok(),
            Self::OrthodoxEaster(days) => add_days(orthodox_easter(year)?, days.into()).ok(),
        }
    }
}

/// Source: the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8).
fn western_easter(year: i32) -> Option<NaiveDate> {
    let (div, rem) = (i32::checked_div, i32::checked_rem);
    let golden = rem(year, 19)?;
    let (century, of_century) = (div(year, 100)?, rem(year, 100)?);
    let (b, c) = (div(century, 4)?, rem(century, 4)?);
    let correction =
        div(century.checked_sub(div(century.checked_add(8)?, 25)?)?.checked_add(1)?, 3)?;
    let epact = rem(
        golden
            .checked_mul(19)?
            .checked_add(century)?
            .checked_sub(b)?
            .checked_sub(correction)?
            .checked_add(15)?,
        30,
    )?;
    let weekday = rem(
        c.checked_add(div(of_century, 4)?)?
            .checked_mul(2)?
            .checked_add(32)?
            .checked_sub(epact)?
            .checked_sub(rem(of_century, 4)?)?,
        7,
    )?;
    let late = div(
        golden.checked_add(epact.checked_mul(11)?)?.checked_add(weekday.checked_mul(22)?)?,
        451,
    )?;
    // Days after 22 March.
    let offset = epact.checked_add(weekday)?.checked_sub(late.checked_mul(7)?)?;
    add_days(NaiveDate::from_ymd_opt(year, 3, 22)?, offset.into()).ok()
}

/// Source: the Julian algorithm (Meeus, chapter 8), moved to the Gregorian date.
fn orthodox_easter(year: i32) -> Option<NaiveDate> {
    let (div, rem) = (i32::checked_div, i32::checked_rem);
    let epact = rem(rem(year, 19)?.checked_mul(19)?.checked_add(15)?, 30)?;
    let weekday = rem(
        rem(year, 4)?
            .checked_mul(2)?
            .checked_add(rem(year, 7)?.checked_mul(4)?)?
            .checked_sub(epact)?
            .checked_add(34)?,
        7,
    )?;
    // Days after 22 March of the Julian calendar.
    let offset = epact.checked_add(weekday)?;
    let century = div(year, 100)?;
    let lag = century.checked_sub(div(century, 4)?)?.checked_sub(2)?;
    add_days(NaiveDate::from_ymd_opt(year, 3, 22)?, offset.checked_add(lag)?.into()).ok()
}

/// All holidays from one year to another, with the name that applies to each date.
pub(crate) fn dates(
    hours: &BusinessHours,
    years: core::ops::RangeInclusive<i32>,
) -> BTreeMap<NaiveDate, &str> {
    let mut closed: BTreeMap<NaiveDate, &str> = BTreeMap::new();
    let mut moving: Vec<(NaiveDate, &Holiday)> = Vec::new();
    for holiday in &hours.holidays {
        let own = match holiday.rule {
            HolidayRule::Date(date) => date.year()..=date.year(),
            _ => years.clone(),
        };
        for day in own.filter_map(|year| holiday.in_year(year)) {
            closed.entry(day).or_insert(&holiday.name);
            if holiday.observed != Observed::OnTheDate && is_weekend(hours, day) {
                moving.push((day, holiday));
            }
        }
    }
    moving.sort_by_key(|(day, _)| *day);
    for (day, holiday) in moving {
        if let Some(instead) = observed_on(hours, &closed, day, holiday.observed) {
            closed.entry(instead).or_insert(&holiday.name);
        }
    }
    closed
}

fn is_weekend(hours: &BusinessHours, day: NaiveDate) -> bool {
    hours.weekend.contains(&day.weekday().into())
}

/// Two weeks are enough: a longer run of holidays has no sensible substitute.
fn observed_on(
    hours: &BusinessHours,
    closed: &BTreeMap<NaiveDate, &str>,
    day: NaiveDate,
    observed: Observed,
) -> Option<NaiveDate> {
    let moved = |days: i64| add_days(day, days).ok();
    let workday = |day: &NaiveDate| !is_weekend(hours, *day);
    match observed {
        Observed::OnTheDate => None,
        Observed::NextFreeDay => {
            (1..=14).filter_map(moved).find(|day| workday(day) && !closed.contains_key(day))
        }
        Observed::NearestDay => (1..=6_i64)
            .flat_map(|days| [moved(days.saturating_neg()), moved(days)])
            .flatten()
            .find(workday),
    }
}
