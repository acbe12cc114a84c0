//! Instants, civil dates, zones.
//!
//! An instant is UTC. A civil date has a zone beside it. Zones come from the IANA database; local
//! times that a clock change skips or repeats have a documented rule, see [`Zone::resolve`].

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use chrono::{
    DateTime, Datelike, Days, LocalResult, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime,
    Offset, TimeDelta, TimeZone, Utc,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::excerpt;

/// A point in time, UTC. On the wire: RFC 3339.
pub type Instant = DateTime<Utc>;

/// The years this crate computes with: 1 to 9999 of the proleptic Gregorian calendar.
pub const YEARS: core::ops::RangeInclusive<i32> = 1..=9999;

/// A time or a zone that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The name is not in the IANA time zone database.
    #[error("`{name}` is not a time zone of the IANA database, such as Asia/Shanghai")]
    UnknownZone {
        /// The name, shortened.
        name: String,
    },
    /// The calculation leaves the years 1 to 9999.
    #[error("the time is outside the years 1 to 9999")]
    OutOfRange,
    /// The end is before the start.
    #[error("the period ends at {end}, before it starts at {start}")]
    Reversed {
        /// The start given.
        start: Instant,
        /// The end given.
        end: Instant,
    },
}

/// A time zone of the IANA database, written by its name.
///
/// ```
/// use aftersale::time::Zone;
/// use chrono::NaiveDate;
/// let shanghai: Zone = "Asia/Shanghai".parse()?;
/// let day = NaiveDate::from_ymd_opt(2026, 3, 2).ok_or(aftersale::time::TimeError::OutOfRange)?;
/// assert_eq!(shanghai.start_of(day)?.to_rfc3339(), "2026-03-01T16:00:00+00:00");
/// # Ok::<(), aftersale::time::TimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Zone(chrono_tz::Tz);

/// Which of two instants a repeated local time means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// The first occurrence.
    #[default]
    First,
    /// The last occurrence.
    Last,
}

/// What a local time that the clock skips stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// The local time moved forward by the length of the gap.
    #[default]
    Forward,
    /// The first instant after the gap.
    End,
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(chrono_tz::UTC);

    /// The name in the IANA database.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The civil date and time at an instant.
    ///
    /// Total: within a day of the ends of the calendar of `chrono`, a quarter of a million years away,
    /// the local time cannot be written and the UTC time stands for it.
    #[must_use]
    pub fn local(self, at: Instant) -> NaiveDateTime {
        let utc = at.naive_utc();
        let offset = self.0.offset_from_utc_datetime(&utc).fix();
        utc.checked_add_offset(offset).unwrap_or(utc)
    }

    /// The civil date at an instant.
    #[must_use]
    pub fn date(self, at: Instant) -> NaiveDate {
        self.local(at).date()
    }

    /// How far local time is ahead of UTC at an instant, in seconds; west of Greenwich it is below
    /// zero.
    #[must_use]
    pub fn offset_seconds(self, at: Instant) -> i64 {
        i64::from(self.0.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc())
    }

    /// The first instant of a civil day.
    ///
    /// Where a clock change skips midnight, the day starts with the first instant after the gap;
    /// where midnight is repeated, with the first occurrence.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] outside the years 1 to 9999.
    pub fn start_of(self, day: NaiveDate) -> Result<Instant, TimeError> {
        self.resolve(day.and_time(NaiveTime::MIN), Gap::End, Fold::First)
    }

    /// The first instant after a civil day; the day is half open, `start_of(d)..end_of(d)`.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] outside the years 1 to 9999.
    pub fn end_of(self, day: NaiveDate) -> Result<Instant, TimeError> {
        self.start_of(add_days(day, 1)?)
    }

    /// The instant of a civil time, by stated rules for skipped and repeated times.
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] outside the years 1 to 9999.
    pub fn resolve(self, local: NaiveDateTime, gap: Gap, fold: Fold) -> Result<Instant, TimeError> {
        if !YEARS.contains(&local.year()) {
            return Err(TimeError::OutOfRange);
        }
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(at) => Ok(at.to_utc()),
            LocalResult::Ambiguous(first, last) => Ok(match fold {
                Fold::First => first.to_utc(),
                Fold::Last => last.to_utc(),
            }),
            LocalResult::None => self.after_gap(local, gap),
        }
    }

    /// A skipped local time: find the offsets around the gap by looking a day to both sides.
    fn after_gap(self, local: NaiveDateTime, gap: Gap) -> Result<Instant, TimeError> {
        let near = |hours: i64| -> Result<Instant, TimeError> {
            let shifted =
                local.checked_add_signed(TimeDelta::hours(hours)).ok_or(TimeError::OutOfRange)?;
            match self.0.from_local_datetime(&shifted) {
                MappedLocalTime::Single(at) => Ok(at.to_utc()),
                MappedLocalTime::Ambiguous(first, _) => Ok(first.to_utc()),
                MappedLocalTime::None => Err(TimeError::OutOfRange),
            }
        };
        // Gaps are at most a day long (a zone that crosses the date line), so 25 hours clear one.
        let (mut before, mut after) = (near(-25)?, near(25)?);
        if gap == Gap::Forward {
            // The offset in force before the gap, applied to the skipped time.
            let offset = self.local(before).signed_duration_since(before.naive_utc());
            let utc = local.checked_sub_signed(offset).ok_or(TimeError::OutOfRange)?;
            return Ok(utc.and_utc());
        }
        // The first instant whose local time is past the skipped one; whole seconds suffice.
        while after.signed_duration_since(before) > TimeDelta::seconds(1) {
            let half = after.signed_duration_since(before).num_seconds() / 2;
            let middle = add_seconds(before, half.max(1))?;
            if self.local(middle) > local { after = middle } else { before = middle }
        }
        Ok(after)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Zone {
    type Err = TimeError;
    fn from_str(name: &str) -> Result<Self, TimeError> {
        let zone = name.parse().map_err(|_| TimeError::UnknownZone { name: excerpt(name) })?;
        Ok(Self(zone))
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A period of time, half open: the start belongs to it, the end does not. Never reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "IntervalWire", into = "IntervalWire")]
pub struct Interval {
    start: Instant,
    end: Instant,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IntervalWire {
    start: Instant,
    end: Instant,
}

impl TryFrom<IntervalWire> for Interval {
    type Error = TimeError;
    fn try_from(wire: IntervalWire) -> Result<Self, TimeError> {
        Self::new(wire.start, wire.end)
    }
}

impl From<Interval> for IntervalWire {
    fn from(interval: Interval) -> Self {
        Self { start: interval.start, end: interval.end }
    }
}

impl Interval {
    /// The period `start..end`.
    ///
    /// # Errors
    ///
    /// [`TimeError::Reversed`] when the end is before the start.
    pub fn new(start: Instant, end: Instant) -> Result<Self, TimeError> {
        if end < start {
            return Err(TimeError::Reversed { start, end });
        }
        Ok(Self { start, end })
    }

    /// The period between two instants, whichever is earlier.
    #[must_use]
    pub fn between(one: Instant, other: Instant) -> Self {
        Self { start: one.min(other), end: one.max(other) }
    }

    /// The first instant inside.
    #[must_use]
    pub fn start(self) -> Instant {
        self.start
    }

    /// The first instant after.
    #[must_use]
    pub fn end(self) -> Instant {
        self.end
    }

    /// Whether an instant is inside.
    #[must_use]
    pub fn contains(self, at: Instant) -> bool {
        self.start <= at && at < self.end
    }

    /// The length in whole seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.end.signed_duration_since(self.start).num_seconds()
    }

    /// The part common to both, if it is not empty.
    #[must_use]
    pub fn overlap(self, other: Self) -> Option<Self> {
        let (start, end) = (self.start.max(other.start), self.end.min(other.end));
        (start < end).then_some(Self { start, end })
    }
}

/// `day + days`, forward or back.
///
/// # Errors
///
/// [`TimeError::OutOfRange`] outside the years 1 to 9999.
pub fn add_days(day: NaiveDate, days: i64) -> Result<NaiveDate, TimeError> {
    let count = Days::new(days.unsigned_abs());
    let moved = if days < 0 { day.checked_sub_days(count) } else { day.checked_add_days(count) };
    moved.filter(|day| YEARS.contains(&day.year())).ok_or(TimeError::OutOfRange)
}

/// `at + seconds`, forward or back.
///
/// # Errors
///
/// [`TimeError::OutOfRange`] outside the years 1 to 9999.
pub fn add_seconds(at: Instant, seconds: i64) -> Result<Instant, TimeError> {
    TimeDelta::try_seconds(seconds)
        .and_then(|delta| at.checked_add_signed(delta))
        .filter(|at| YEARS.contains(&at.year()))
        .ok_or(TimeError::OutOfRange)
}
