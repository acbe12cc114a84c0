//! How long a timer runs, in its own measure, and when it is due.

use serde::{Deserialize, Serialize};

use crate::calendar::compiled::{Calendar, CalendarError};
use crate::time::{Instant, Interval, TimeError, Zone, add_days, add_seconds};

/// How long a timer runs, and in which measure.
///
/// Source: the timers that marketplaces publish use all four, see `docs/cases.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TimerLength {
    /// Natural time: every second counts.
    Natural {
        /// How many seconds, from 0.
        seconds: i64,
    },
    /// Natural time that starts when the desk is open: at once, or at the next opening.
    FromOpening {
        /// How many seconds, from 0.
        seconds: i64,
    },
    /// Open time only.
    Business {
        /// How many open minutes, from 0.
        minutes: i64,
    },
    /// Whole working days after the day on which it starts; due when the last of them is over.
    WorkingDays {
        /// How many, from 1.
        days: u32,
    },
}

/// A deadline that cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DueError {
    /// The length needs opening hours and there are none.
    #[error("the timer counts open time and the practice has no calendar")]
    NoCalendar,
    /// The calendar does not reach that far.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// The time leaves the years 1 to 9999.
    #[error(transparent)]
    Time(#[from] TimeError),
}

impl TimerLength {
    /// The longest length: ten years of natural time.
    pub const MAX_SECONDS: i64 = 315_576_000;
    /// The most working days.
    pub const MAX_DAYS: u32 = 3_660;

    /// Whether it needs opening hours.
    #[must_use]
    pub const fn needs_calendar(self) -> bool {
        !matches!(self, Self::Natural { .. })
    }

    /// Whether it is within its limits.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        match self {
            Self::Natural { seconds } | Self::FromOpening { seconds } => {
                0 <= seconds && seconds <= Self::MAX_SECONDS
            }
            Self::Business { minutes } => 0 <= minutes && minutes <= Self::MAX_SECONDS / 60,
            Self::WorkingDays { days } => 1 <= days && days <= Self::MAX_DAYS,
        }
    }
}

/// Compiled opening hours and the zone whose days they have.
#[derive(Clone, Debug)]
pub(super) struct Hours {
    pub(super) calendar: Calendar,
    pub(super) zone: Zone,
}

/// When a timer is due. `stopped` is in order and without overlap.
///
/// Time inside a stopped interval does not count. An end that would fall on or into a stopped
/// interval, its first instant included, falls on the end of that interval.
pub(super) fn due(
    hours: Option<&Hours>,
    length: TimerLength,
    start: Instant,
    stopped: &[Interval],
) -> Result<Instant, DueError> {
    let hours = || hours.ok_or(DueError::NoCalendar);
    let open = || hours().map(|hours| &hours.calendar);
    match length {
        TimerLength::Natural { seconds } => run(Measure::Natural, seconds, start, stopped),
        TimerLength::FromOpening { seconds } => {
            let mut opening = open()?.next_open(start)?.value;
            while let Some(pause) = stopped.iter().find(|pause| pause.contains(opening)) {
                opening = open()?.next_open(pause.end())?.value;
            }
            run(Measure::Natural, seconds, opening, stopped)
        }
        TimerLength::Business { minutes } => {
            run(Measure::Open(open()?), minutes.saturating_mul(60), start, stopped)
        }
        TimerLength::WorkingDays { days } => end_of_days(hours()?, days, start, stopped),
    }
}

/// What counts as time.
#[derive(Clone, Copy)]
enum Measure<'a> {
    Natural,
    Open(&'a Calendar),
}

impl Measure<'_> {
    fn add(self, from: Instant, seconds: i64) -> Result<Instant, DueError> {
        Ok(match self {
            Self::Natural => add_seconds(from, seconds)?,
            Self::Open(calendar) => calendar.add(from, seconds)?.value,
        })
    }

    fn between(self, from: Instant, until: Instant) -> Result<i64, DueError> {
        Ok(match self {
            Self::Natural => until.signed_duration_since(from).num_seconds(),
            Self::Open(calendar) => calendar.between(from, until)?.value,
        })
    }
}

fn run(
    measure: Measure<'_>,
    seconds: i64,
    start: Instant,
    stopped: &[Interval],
) -> Result<Instant, DueError> {
    let (mut at, mut left) = (start, seconds);
    for pause in stopped.iter().filter(|pause| pause.end() > start) {
        let end = measure.add(at, left)?;
        if end < pause.start() {
            return Ok(end);
        }
        if pause.start() > at {
            left = left.saturating_sub(measure.between(at, pause.start())?).max(0);
        }
        at = pause.end();
    }
    measure.add(at, left)
}

/// A working day counts when no part of it is stopped.
fn end_of_days(
    hours: &Hours,
    days: u32,
    start: Instant,
    stopped: &[Interval],
) -> Result<Instant, DueError> {
    let Hours { calendar, zone } = hours;
    let mut day = calendar.date(start)?;
    let mut left = days;
    while left > 0 {
        day = add_days(day, 1)?;
        let whole = Interval::new(zone.start_of(day)?, zone.end_of(day)?)?;
        let counts = calendar.is_working_day(day)?
            && !stopped.iter().any(|pause| pause.overlap(whole).is_some());
        left = left.saturating_sub(u32::from(counts));
    }
    let end = zone.end_of(day)?;
    Ok(stopped.iter().find(|pause| pause.contains(end)).map_or(end, |pause| pause.end()))
}
