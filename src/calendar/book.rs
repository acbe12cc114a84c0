//! Several calendars by name, and calendars put together from others.
//!
//! In: definitions as data. Out: [`Calendars`], compiled for one range. A union follows the sun, an
//! intersection is the time when all are open, a difference takes away.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::compile::{Causes, MAX_RULES};
use super::compiled::{Calendar, CalendarError};
use super::days::{DayEntry, Days};
use super::hours::{BusinessHours, DateRange};
use super::spans::{Span, clip, difference, intersection, union};
use super::table::OpenTable;
use super::time_class::TimeClass;
use crate::id::CalendarId;

/// The most parts of a combination.
pub const MAX_PARTS: usize = 100;

/// A calendar as data: hours of one place, or a combination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CalendarDefinition {
    /// The hours of one place.
    Hours(BusinessHours),
    /// A combination of calendars defined beside it.
    Combined(Combined),
}

/// A calendar put together from others, each in its own zone.
///
/// Its civil days are those of the first part; one is worked when the combination is open in it, if
/// only at the end of a night shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combined {
    /// The name of the combination.
    pub id: CalendarId,
    /// Raised by one with every edit.
    #[serde(default = "first_revision")]
    pub revision: u32,
    /// How the parts are put together.
    pub combine: Combine,
    /// The parts in order; at least one, at most [`MAX_PARTS`].
    pub parts: Vec<CalendarId>,
}

fn first_revision() -> u32 {
    1
}

/// How calendars are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// Open when any part is: follow the sun.
    Union,
    /// Open when all parts are.
    Intersection,
    /// Open when the first part is and no other.
    Difference,
}

impl CalendarDefinition {
    /// The name.
    #[must_use]
    pub const fn id(&self) -> &CalendarId {
        match self {
            Self::Hours(hours) => &hours.id,
            Self::Combined(combined) => &combined.id,
        }
    }
}

/// Compiled calendars by name.
///
/// ```
/// use aftersale::calendar::book::{CalendarDefinition, Calendars};
/// use aftersale::calendar::hours::DateRange;
/// use aftersale::id::CalendarId;
/// use chrono::{NaiveDate, TimeZone, Utc};
/// let definitions: Vec<CalendarDefinition> = serde_json::from_str(
///     r#"[{"hours":{"id":"london","zone":"Europe/London","weekly":{"mon":["09:00-17:00"]}}},
///         {"hours":{"id":"new_york","zone":"America/New_York","weekly":{"mon":["09:00-17:00"]}}},
///         {"combined":{"id":"support","combine":"union","parts":["london","new_york"]}}]"#,
/// )?;
/// let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).ok_or("no such date");
/// let range = DateRange { first: day(1, 1)?, last: day(12, 31)? };
/// let calendars = Calendars::compile(&definitions, range)?;
/// let support = calendars.find(&CalendarId::new("support")?)?;
/// let at = |hour| Utc.with_ymd_and_hms(2026, 1, 5, hour, 0, 0).unwrap();
/// assert_eq!(support.between(at(0), at(23))?.value, 13 * 3600); // 09:00 to 22:00 in London
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendars {
    compiled: BTreeMap<CalendarId, Calendar>,
}

impl Calendars {
    /// No calendars.
    #[must_use]
    pub const fn new() -> Self {
        Self { compiled: BTreeMap::new() }
    }

    /// Compiles all definitions for one range of dates. The order of the definitions does not
    /// matter; a combination may be a part of another.
    ///
    /// # Errors
    ///
    /// As [`BusinessHours::compile`]; [`CalendarError::TooMany`]; [`CalendarError::Twice`]; [`CalendarError::UnknownCalendar`]
    /// for a part that is missing or leads back to itself; [`CalendarError::NoCommonRange`].
    pub fn compile(
        definitions: &[CalendarDefinition],
        range: DateRange,
    ) -> Result<Self, CalendarError> {
        if definitions.len() > MAX_RULES {
            let count = definitions.len();
            return Err(CalendarError::TooMany { what: "calendars", count, limit: MAX_RULES });
        }
        let mut calendars = Self::new();
        let mut waiting: BTreeMap<&CalendarId, &Combined> = BTreeMap::new();
        for definition in definitions {
            let id = definition.id();
            if calendars.get(id).is_some() || waiting.contains_key(id) {
                return Err(CalendarError::Twice { calendar: id.clone() });
            }
            match definition {
                CalendarDefinition::Hours(hours) => calendars.insert(hours.compile(range)?),
                CalendarDefinition::Combined(combined) => {
                    let count = combined.parts.len();
                    if count > MAX_PARTS {
                        let what = "parts of a combination";
                        return Err(CalendarError::TooMany { what, count, limit: MAX_PARTS });
                    }
                    waiting.insert(id, combined);
                }
            }
        }
        while !waiting.is_empty() {
            let ready = waiting
                .values()
                .find(|combined| combined.parts.iter().all(|part| calendars.get(part).is_some()));
            let Some(combined) = ready.copied() else {
                let stuck = waiting.values().flat_map(|combined| &combined.parts);
                let mut stuck = stuck.filter(|part| calendars.get(part).is_none());
                let missing = stuck.next().or_else(|| waiting.keys().next().copied());
                let Some(calendar) = missing.cloned() else { break };
                return Err(CalendarError::UnknownCalendar { calendar });
            };
            waiting.remove(&combined.id);
            let built = combined.build(&calendars)?;
            calendars.insert(built);
        }
        Ok(calendars)
    }

    /// Adds a calendar, or replaces the one of the same name.
    pub fn insert(&mut self, calendar: Calendar) {
        self.compiled.insert(calendar.id().clone(), calendar);
    }

    /// A calendar by name, if it is there.
    #[must_use]
    pub fn get(&self, id: &CalendarId) -> Option<&Calendar> {
        self.compiled.get(id)
    }

    /// A calendar by name.
    ///
    /// # Errors
    ///
    /// [`CalendarError::UnknownCalendar`].
    pub fn find(&self, id: &CalendarId) -> Result<&Calendar, CalendarError> {
        self.get(id).ok_or_else(|| CalendarError::UnknownCalendar { calendar: id.clone() })
    }

    /// All calendars in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Calendar> {
        self.compiled.values()
    }
}

impl Combined {
    fn build(&self, calendars: &Calendars) -> Result<Calendar, CalendarError> {
        let parts: Vec<&Calendar> =
            self.parts.iter().map(|part| calendars.find(part)).collect::<Result<_, _>>()?;
        let none = || CalendarError::NoCommonRange { calendar: self.id.clone() };
        let first = parts.iter().map(|part| part.table().first()).max().ok_or_else(none)?;
        let last = parts.iter().map(|part| part.table().last()).min().ok_or_else(none)?;
        let mut lists = parts.iter().map(|part| part.table().spans().collect::<Vec<Span>>());
        let start = lists.next().ok_or_else(none)?;
        let open = lists.fold(start, |open, part| match self.combine {
            Combine::Union => union(&open, &part),
            Combine::Intersection => intersection(&open, &part),
            Combine::Difference => difference(&open, &part),
        });
        if first >= last {
            return Err(none());
        }
        let open = clip(&open, first, last);
        let table = OpenTable::new(&open, first, last);
        let days = parts.first().map(|part| part.days()).ok_or_else(none)?;
        let days = common_days(days, &table).ok_or_else(none)?;
        let confirmed = parts.iter().filter_map(|part| part.confirmed_end()).min();
        let causes = Causes {
            rules: alloc::vec![TimeClass::ClosedByComposition],
            breaks: Vec::new(),
            names: Vec::new(),
        };
        Ok(Calendar::new(
            self.id.clone(),
            self.revision,
            table,
            days,
            confirmed.map(|end| end.timestamp()),
            causes,
        ))
    }
}

/// The civil days of one part that touch the common range.
fn common_days(days: &Days, table: &OpenTable) -> Option<Days> {
    let (first, last) = (table.first(), table.last());
    let (from, until) = (days.at(first), days.at(last.saturating_sub(1)));
    let entry = |day: usize| {
        let start = days.start(day)?.max(first);
        let end = days.start(day.saturating_add(1))?.min(last);
        let is_worked = table.span_after(start).is_some_and(|(opens, _)| opens < end);
        Some(DayEntry { start, is_worked, rule: 0 })
    };
    let entries: Vec<DayEntry> = (from..=until).map(entry).collect::<Option<_>>()?;
    Some(Days::new(days.date(from)?, &entries, last))
}
