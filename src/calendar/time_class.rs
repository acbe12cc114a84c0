//! Why time is open or closed, part by part.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::compiled::{Calendar, CalendarError, instant};
use super::hours::BreakPay;
use super::working_days::WeekdayCode;
use crate::time::{Instant, Interval};

/// Why a stretch of time is open or closed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TimeClass {
    /// Inside the hours.
    Open,
    /// Inside the hours, in a break that counts.
    PaidBreak {
        /// The break.
        name: String,
    },
    /// In a break that does not count.
    ClosedByBreak {
        /// The break.
        name: String,
    },
    /// Outside the weekly hours.
    ClosedByWeeklyHours,
    /// Outside the hours of a shift plan.
    ClosedByRotation {
        /// The plan.
        name: String,
    },
    /// On a holiday.
    ClosedByHoliday {
        /// The holiday.
        name: String,
    },
    /// On a date with hours of its own, outside them.
    ClosedByOverride {
        /// The date's name.
        name: String,
    },
    /// On a make-up workday, outside its hours.
    ClosedOnMakeUpDay {
        /// Whose hours it has.
        hours_of: WeekdayCode,
    },
    /// Closed in a calendar put together from others.
    ClosedByComposition,
}

impl TimeClass {
    /// Whether the time counts.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open | Self::PaidBreak { .. })
    }
}

impl fmt::Display for TimeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::PaidBreak { name } => write!(f, "paid break {name}"),
            Self::ClosedByBreak { name } => write!(f, "break {name}"),
            Self::ClosedByWeeklyHours => f.write_str("outside the weekly hours"),
            Self::ClosedByRotation { name } => write!(f, "outside the shift plan {name}"),
            Self::ClosedByHoliday { name } => write!(f, "holiday {name}"),
            Self::ClosedByOverride { name } => write!(f, "outside the hours of {name}"),
            Self::ClosedOnMakeUpDay { .. } => f.write_str("outside the hours of a make-up workday"),
            Self::ClosedByComposition => f.write_str("closed in a combined calendar"),
        }
    }
}

/// A stretch of time with one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimePart {
    /// When.
    pub period: Interval,
    /// Why it is open or closed.
    pub class: TimeClass,
}

/// The most parts one explanation lists.
pub const MAX_PARTS: usize = 100_000;

impl Calendar {
    /// Every stretch from `from` to `until` with the reason why it is open or closed.
    ///
    /// The parts touch, two neighbors differ, and their lengths sum to the whole span. Closed time
    /// belongs to the rule that decides the civil date it lies in.
    ///
    /// # Errors
    ///
    /// [`CalendarError::BeyondCalendar`], [`CalendarError::BeforeCalendar`]; a reversed span is
    /// [`CalendarError::Time`]; more than [`MAX_PARTS`] parts are [`CalendarError::TooMany`].
    pub fn explain(&self, from: Instant, until: Instant) -> Result<Vec<TimePart>, CalendarError> {
        Interval::new(from, until)?;
        let (start, end) = (self.inside(from.timestamp())?, self.inside(until.timestamp())?);
        let mut parts = Parts { calendar: self, parts: Vec::new() };
        let mut at = start;
        while at < end {
            match self.table().span_after(at) {
                Some((open, close)) if open <= at => {
                    parts.open(at, close.min(end));
                    at = close.min(end);
                }
                next => {
                    let opens = next.map_or(end, |(open, _)| open.min(end));
                    parts.closed(at, opens);
                    at = opens;
                }
            }
            if parts.parts.len() > MAX_PARTS {
                let count = parts.parts.len();
                return Err(CalendarError::TooMany { what: "parts", count, limit: MAX_PARTS });
            }
        }
        let whole = |((start, end), class): ((i64, i64), TimeClass)| {
            let period = Interval::new(instant(start), instant(end))?;
            Ok(TimePart { period, class })
        };
        parts.parts.into_iter().map(whole).collect()
    }
}

struct Parts<'a> {
    calendar: &'a Calendar,
    parts: Vec<((i64, i64), TimeClass)>,
}

impl Parts<'_> {
    fn push(&mut self, start: i64, end: i64, class: TimeClass) {
        if start >= end {
            return;
        }
        match self.parts.last_mut() {
            Some((span, last)) if *last == class && span.1 == start => span.1 = end,
            _ => self.parts.push(((start, end), class)),
        }
    }

    fn open(&mut self, start: i64, end: i64) {
        self.with_breaks(start, end, BreakPay::Paid, |parts, from, until| {
            parts.push(from, until, TimeClass::Open);
        });
    }

    fn closed(&mut self, start: i64, end: i64) {
        self.with_breaks(start, end, BreakPay::Unpaid, Self::by_day);
    }

    /// Breaks of one kind, and `between` for what lies between them.
    fn with_breaks(
        &mut self,
        start: i64,
        end: i64,
        pay: BreakPay,
        between: impl Fn(&mut Self, i64, i64),
    ) {
        let causes = &self.calendar.causes;
        // A break is at most a day long, and a clock change adds at most another.
        let first = start.saturating_sub(super::hours::DAY.saturating_mul(2));
        let from = causes.breaks.partition_point(|(span, _)| span.0 < first);
        let until = causes.breaks.partition_point(|(span, _)| span.0 < end);
        let mut at = start;
        for ((opens, closes), name) in causes.breaks.get(from..until).unwrap_or_default() {
            let Some((name, own)) = causes.names.get(*name) else { continue };
            if *own != pay || *closes <= at {
                continue;
            }
            if at < *opens {
                between(self, at, *opens);
            }
            let stop = (*closes).min(end);
            let name = name.clone();
            let class = match pay {
                BreakPay::Paid => TimeClass::PaidBreak { name },
                BreakPay::Unpaid => TimeClass::ClosedByBreak { name },
            };
            self.push(at.max(*opens), stop, class);
            at = stop;
        }
        if at < end {
            between(self, at, end);
        }
    }

    fn by_day(&mut self, start: i64, end: i64) {
        let days = self.calendar.days();
        let mut at = start;
        while at < end {
            let day = days.at(at);
            // The last day ends with the range, which `end` does not pass.
            let next = days.start(day.saturating_add(1)).filter(|next| *next > at).unwrap_or(end);
            let rule = days.rule(day).and_then(|rule| usize::try_from(rule).ok());
            let class = rule.and_then(|rule| self.calendar.causes.rules.get(rule)).cloned();
            self.push(at, next.min(end), class.unwrap_or(TimeClass::ClosedByWeeklyHours));
            at = next.min(end);
        }
    }
}
