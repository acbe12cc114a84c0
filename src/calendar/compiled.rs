//! A calendar ready for questions: open time as prefix sums of UTC seconds, for a stated range.
//!
//! In: instants and amounts of open time. Out: instants and amounts, each with its
//! [`Standing`]: whether it rests on announced holidays only.
//!
//! Always true, and tested in `tests/deadlines/calendar.rs` against a count minute by minute:
//! 1. `between` is signed and additive: `b(a, c) = b(a, b) + b(b, c)`.
//! 2. `add(t, d)` is the earliest instant with `b(t, x) = d`, `sub` the latest; `add(t, 0) = t`.
//! 3. A question past the range is [`CalendarError::BeyondCalendar`] or
//!    [`CalendarError::BeforeCalendar`], never a partial value; no loop depends on finding work.
//!
//! Instants count from the beginning of the second in which they lie.

use chrono::{DateTime, NaiveDate};
use serde::{Deserialize, Serialize};

use super::compile::{Causes, MAX_DAYS};
use super::dates::Dates;
use super::days::Days;
use super::hours::DateRange;
use super::table::OpenTable;
use crate::id::CalendarId;
use crate::time::{Instant, Interval, TimeError};

/// A calendar that cannot be compiled, or a question it cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// The question or its answer lies past the compiled range.
    #[error("the calendar ends at {end}; compile it for a longer range")]
    BeyondCalendar {
        /// The first instant that the calendar does not know.
        end: Instant,
    },
    /// The question or its answer lies before the compiled range.
    #[error("the calendar starts at {start}; compile it for an earlier range")]
    BeforeCalendar {
        /// The first instant that the calendar knows.
        start: Instant,
    },
    /// The last date is before the first.
    #[error("the range from {} to {} has no day", range.first, range.last)]
    EmptyRange {
        /// The range given.
        range: DateRange,
    },
    /// The range is longer than a hundred years.
    #[error("the range has {days} civil days, at most {MAX_DAYS} are allowed")]
    RangeTooLong {
        /// The civil days asked for.
        days: i64,
    },
    /// There are too many rules.
    #[error("there are {count} {what}, at most {limit} are allowed")]
    TooMany {
        /// Of what, in words.
        what: &'static str,
        /// How many were found.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// Parts of a composition do not overlap in time.
    #[error("the parts of calendar `{calendar}` have no range in common")]
    NoCommonRange {
        /// The calendar.
        calendar: CalendarId,
    },
    /// A calendar that a composition or a term names is not there.
    #[error("calendar `{calendar}` is not defined, or is defined by way of itself")]
    UnknownCalendar {
        /// The calendar.
        calendar: CalendarId,
    },
    /// Two calendars have one name.
    #[error("calendar `{calendar}` is defined twice")]
    Twice {
        /// The calendar.
        calendar: CalendarId,
    },
    /// A date cannot be computed.
    #[error(transparent)]
    Time(#[from] TimeError),
}

/// Whether an answer rests on announced holidays only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// All dates that matter are announced.
    Confirmed,
    /// The answer reaches past the last announced date and may still move.
    Provisional,
}

/// An answer of a calendar, with its standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reckoned<T> {
    /// The answer.
    pub value: T,
    /// Whether it may still move.
    pub standing: Standing,
}

/// A calendar compiled for a range of dates.
///
/// See [`BusinessHours`](super::hours::BusinessHours) for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    id: CalendarId,
    revision: u32,
    table: OpenTable,
    days: Days,
    dates: Dates,
    /// The first second whose holidays are not announced; without one, a second that never comes.
    confirmed_end: i64,
    pub(crate) causes: Causes,
}

impl Calendar {
    pub(crate) fn new(
        id: CalendarId,
        revision: u32,
        table: OpenTable,
        days: Days,
        confirmed_end: Option<i64>,
        causes: Causes,
    ) -> Self {
        let confirmed_end = confirmed_end.unwrap_or(i64::MAX);
        let dates = Dates::new(table.first(), table.last());
        Self { id, revision, table, days, dates, confirmed_end, causes }
    }

    /// The name.
    #[must_use]
    pub const fn id(&self) -> &CalendarId {
        &self.id
    }

    /// The revision of the definition.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// The range for which it can answer.
    #[must_use]
    pub fn range(&self) -> Interval {
        let (first, last) = (instant(self.table.first()), instant(self.table.last()));
        Interval::between(first, last)
    }

    /// The first instant whose holidays are not announced, if there is one.
    #[must_use]
    pub fn confirmed_end(&self) -> Option<Instant> {
        (self.confirmed_end < i64::MAX).then(|| instant(self.confirmed_end))
    }

    /// The open periods in order.
    pub fn open_periods(&self) -> impl Iterator<Item = Interval> {
        self.table.spans().map(|(start, end)| Interval::between(instant(start), instant(end)))
    }

    /// Open seconds from `from` to `until`; below zero when `until` is earlier.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`], [`CalendarError::BeforeCalendar`].
    #[inline]
    pub fn between(&self, from: Instant, until: Instant) -> Result<Reckoned<i64>, CalendarError> {
        let (from, until) = (from.timestamp(), until.timestamp());
        let value = self.open_between(from, until)?;
        Ok(Reckoned { value, standing: self.standing(from.max(until)) })
    }

    /// The earliest instant at which `open_seconds` have been open since `from`; below zero it goes
    /// back, to the latest instant.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`], [`CalendarError::BeforeCalendar`].
    #[inline]
    pub fn add(
        &self,
        from: Instant,
        open_seconds: i64,
    ) -> Result<Reckoned<Instant>, CalendarError> {
        let at = from.timestamp();
        let found = match open_seconds {
            1.. => self.moved_forward(at, open_seconds)?,
            ..=0 => self.moved_back(at, open_seconds.saturating_neg())?,
        };
        // Nothing added keeps the part of a second, too.
        let value = if open_seconds == 0 { from } else { self.dates.instant(found) };
        Ok(Reckoned { value, standing: self.standing(at.max(found)) })
    }

    /// The latest instant from which `open_seconds` are open until `from`; below zero it goes
    /// forward, to the earliest.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`], [`CalendarError::BeforeCalendar`].
    pub fn sub(
        &self,
        from: Instant,
        open_seconds: i64,
    ) -> Result<Reckoned<Instant>, CalendarError> {
        self.add(from, open_seconds.saturating_neg())
    }

    /// Whether it is open at an instant.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`] from the end of the range on,
    /// [`CalendarError::BeforeCalendar`].
    pub fn is_open(&self, at: Instant) -> Result<Reckoned<bool>, CalendarError> {
        let second = self.inside(at.timestamp())?;
        if second == self.table.last() {
            return Err(self.beyond());
        }
        let value = self.table.span_after(second).is_some_and(|(start, _)| start <= second);
        Ok(Reckoned { value, standing: self.standing(second.saturating_add(1)) })
    }

    /// The earliest instant, `at` included, that is open.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`] when it does not open again in the range.
    pub fn next_open(&self, at: Instant) -> Result<Reckoned<Instant>, CalendarError> {
        let second = self.inside(at.timestamp())?;
        let (start, _) = self.table.span_after(second).ok_or_else(|| self.beyond())?;
        Ok(self.seek(at, start.max(second), 1))
    }

    /// The earliest instant, `at` included, that is closed.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`] when it does not close again in the range.
    pub fn next_close(&self, at: Instant) -> Result<Reckoned<Instant>, CalendarError> {
        let second = self.inside(at.timestamp())?;
        let closes = match self.table.span_after(second) {
            Some((start, end)) if start <= second => end,
            _ => second,
        };
        if closes == self.table.last() {
            return Err(self.beyond());
        }
        Ok(self.seek(at, closes, 1))
    }

    /// The first instant after `at` at which it opens or closes.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`] when nothing changes any more in the range.
    pub fn next_transition(&self, at: Instant) -> Result<Reckoned<Instant>, CalendarError> {
        let second = self.inside(at.timestamp())?;
        let change = self.table.span_after(second).map(
            |(start, end)| {
                if start > second { start } else { end }
            },
        );
        let change = change.filter(|change| *change < self.table.last());
        let value = instant(change.ok_or_else(|| self.beyond())?);
        Ok(Reckoned { value, standing: self.standing(value.timestamp().saturating_add(1)) })
    }

    /// The latest instant, `at` included, up to which it was open: where the last open second ends.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeforeCalendar`] when it was not open before in the range.
    pub fn prev_open(&self, at: Instant) -> Result<Reckoned<Instant>, CalendarError> {
        let second = self.inside(at.timestamp())?;
        let (_, end) = self.table.span_before(second).ok_or_else(|| self.before())?;
        Ok(self.seek(at, end.min(second), 0))
    }

    /// The latest instant, `at` included, up to which it was closed: where the last closed second
    /// ends.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeforeCalendar`] when it was not closed before in the range.
    pub fn prev_close(&self, at: Instant) -> Result<Reckoned<Instant>, CalendarError> {
        let second = self.inside(at.timestamp())?;
        let closed = match self.table.span_before(second) {
            Some((start, end)) if end >= second => start,
            _ => second,
        };
        if closed == self.table.first() {
            return Err(self.before());
        }
        Ok(self.seek(at, closed, 0))
    }

    /// The last instant before `at` at which it opened or closed.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeforeCalendar`] when nothing changed before in the range.
    pub fn prev_transition(&self, at: Instant) -> Result<Reckoned<Instant>, CalendarError> {
        let second = self.inside(at.timestamp())?;
        let change = self
            .table
            .span_before(second)
            .map(|(start, end)| if end < second { end } else { start });
        let change = change.filter(|change| *change > self.table.first());
        let value = instant(change.ok_or_else(|| self.before())?);
        Ok(Reckoned { value, standing: self.standing(second) })
    }

    /// The civil date at an instant, in the zone of the calendar.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`], [`CalendarError::BeforeCalendar`].
    pub fn date(&self, at: Instant) -> Result<NaiveDate, CalendarError> {
        let second = self.inside(at.timestamp())?;
        self.days.date(self.days.at(second)).ok_or_else(|| self.beyond())
    }

    /// Whether a window opens on a date.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`], [`CalendarError::BeforeCalendar`].
    pub fn is_working_day(&self, date: NaiveDate) -> Result<bool, CalendarError> {
        let day = self.days.position(date).ok_or_else(|| {
            let first = self.days.date(0);
            if first.is_some_and(|first| date < first) { self.before() } else { self.beyond() }
        })?;
        Ok(self.days.is_worked(day))
    }

    /// `at` itself when the second found is its own, else the instant of the second; `looked` seconds
    /// at and after the later one were looked at.
    fn seek(&self, at: Instant, found: i64, looked: i64) -> Reckoned<Instant> {
        let value = if found == at.timestamp() { at } else { self.dates.instant(found) };
        let last = found.max(at.timestamp()).saturating_add(looked);
        Reckoned { value, standing: self.standing(last) }
    }

    /// The standing of an answer that depends on nothing at or after `second`.
    #[inline]
    pub(crate) fn standing(&self, second: i64) -> Standing {
        if second > self.confirmed_end { Standing::Provisional } else { Standing::Confirmed }
    }

    pub(crate) const fn table(&self) -> &OpenTable {
        &self.table
    }

    pub(crate) const fn days(&self) -> &Days {
        &self.days
    }

    /// [`Calendar::between`] in seconds.
    #[inline]
    pub(crate) fn open_between(&self, from: i64, until: i64) -> Result<i64, CalendarError> {
        match self.table.between(from, until) {
            Some(open) => Ok(open),
            None => Err(self.unless_outside(from, self.outside(until))),
        }
    }

    /// [`Calendar::add`] in seconds, above zero.
    #[inline]
    pub(crate) fn moved_forward(&self, from: i64, open: i64) -> Result<i64, CalendarError> {
        match self.table.forward(from, open) {
            Some(second) => Ok(second),
            None => Err(self.unless_outside(from, self.beyond())),
        }
    }

    /// The latest second from which `open` seconds, zero or more, are open until `from`.
    #[inline]
    fn moved_back(&self, from: i64, open: i64) -> Result<i64, CalendarError> {
        if open == 0 {
            return self.inside(from);
        }
        match self.table.back(from, open) {
            Some(second) => Ok(second),
            None => Err(self.unless_outside(from, self.before())),
        }
    }

    #[inline]
    pub(crate) fn inside(&self, at: i64) -> Result<i64, CalendarError> {
        if self.table.place(at).is_none() {
            return Err(self.outside(at));
        }
        Ok(at)
    }

    /// The error of a start that lies outside, else another.
    #[cold]
    fn unless_outside(&self, from: i64, otherwise: CalendarError) -> CalendarError {
        self.inside(from).err().unwrap_or(otherwise)
    }

    #[cold]
    fn outside(&self, at: i64) -> CalendarError {
        if at < self.table.first() { self.before() } else { self.beyond() }
    }

    #[cold]
    pub(crate) fn beyond(&self) -> CalendarError {
        CalendarError::BeyondCalendar { end: instant(self.table.last()) }
    }

    #[cold]
    fn before(&self) -> CalendarError {
        CalendarError::BeforeCalendar { start: instant(self.table.first()) }
    }
}

/// A second as an instant; seconds of a compiled range always are one.
pub(crate) fn instant(second: i64) -> Instant {
    DateTime::from_timestamp(second, 0).unwrap_or(DateTime::<chrono::Utc>::MAX_UTC)
}
