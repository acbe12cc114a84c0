//! The three clocks behind one face: how much has passed, and when an amount is reached.

use super::evaluation::Trouble;
use super::policy::Target;
use crate::calendar::book::Calendars;
use crate::calendar::compiled::{Calendar, CalendarError, Standing};
use crate::calendar::day_term::{DayTerm, Roll};

/// Start and end in seconds, half open.
pub(crate) type Span = (i64, i64);

/// The last second of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// A clock with what it needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock<'a> {
    Open(&'a Calendar, i64),
    Wall(i64),
    Days(&'a Calendar, DayTerm),
}

impl From<CalendarError> for Trouble {
    fn from(error: CalendarError) -> Self {
        match error {
            CalendarError::BeyondCalendar { end } => Self::BeyondCalendar { end },
            CalendarError::BeforeCalendar { start } => Self::BeforeCalendar { start },
            CalendarError::UnknownCalendar { calendar } => Self::NoCalendar { calendar },
            _ => Self::OutOfRange,
        }
    }
}

impl<'a> Clock<'a> {
    pub(crate) fn of(target: &Target, calendars: &'a Calendars) -> Result<Self, Trouble> {
        Ok(match target {
            Target::Business { seconds, calendar } => {
                Self::Open(calendars.find(calendar)?, *seconds)
            }
            Target::Calendar { seconds } => Self::Wall(*seconds),
            Target::Days { term, calendar } => Self::Days(calendars.find(calendar)?, *term),
        })
    }

    /// How much is promised.
    pub(crate) fn promised(&self) -> i64 {
        match self {
            Self::Open(_, seconds) | Self::Wall(seconds) => *seconds,
            Self::Days(_, term) => term.days.into(),
        }
    }

    pub(crate) const fn is_days(&self) -> bool {
        matches!(self, Self::Days(..))
    }

    /// Whether both count in one unit.
    pub(crate) const fn same_unit(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Open(..), Self::Open(..))
                | (Self::Wall(_), Self::Wall(_))
                | (Self::Days(..), Self::Days(..))
        )
    }

    pub(crate) fn calendar(&self) -> Option<&'a Calendar> {
        match self {
            Self::Open(calendar, _) | Self::Days(calendar, _) => Some(calendar),
            Self::Wall(_) => None,
        }
    }

    pub(crate) fn standing(&self, due: i64) -> Standing {
        self.calendar().map_or(Standing::Confirmed, |calendar| calendar.standing(due))
    }

    /// Seconds of one running stretch. Not for days.
    pub(crate) fn ran(&self, (from, until): Span) -> Result<i64, Trouble> {
        match self {
            Self::Open(calendar, _) => Ok(calendar.open_between(from, until)?),
            Self::Wall(_) | Self::Days(..) => Ok(until.saturating_sub(from)),
        }
    }

    /// The earliest second at which a clock running from `from` has run for `amount`. Not for days.
    pub(crate) fn reach(&self, from: i64, amount: i64) -> Result<i64, Trouble> {
        if amount <= 0 {
            return Ok(from);
        }
        match self {
            Self::Open(calendar, _) => Ok(calendar.moved_forward(from, amount)?),
            Self::Wall(_) | Self::Days(..) => {
                let at = from.checked_add(amount).filter(|at| *at <= LAST_SECOND);
                at.ok_or(Trouble::OutOfRange)
            }
        }
    }
}

/// A count of days from a start, with the stretches in which the clock stood still, in order.
pub(crate) struct DayCountdown<'a, G> {
    pub(crate) calendar: &'a Calendar,
    pub(crate) term: DayTerm,
    pub(crate) from: i64,
    pub(crate) gaps: G,
}

impl<G: Iterator<Item = Span> + Clone> DayCountdown<'_, G> {
    /// The end of the `count`-th counted day that no gap touches; the deadline's own roll applies to
    /// `with_roll` only.
    pub(crate) fn reach(&self, count: i64, with_roll: bool) -> Result<i64, Trouble> {
        let days = self.calendar.days();
        let first = days.at(self.calendar.inside(self.from)?);
        let count = u32::try_from(count.max(0)).map_err(|_| Trouble::OutOfRange)?;
        let mut wanted = count;
        let mut day = self.calendar.counted_day(first, wanted, self.term.count)?;
        let mut seen = first;
        for (low, high) in self.touched() {
            if low > day || count == 0 {
                break;
            }
            let skipped = self.skipped(low, high, seen);
            seen = seen.max(high);
            if skipped > 0 {
                wanted = wanted.saturating_add(skipped);
                day = self.calendar.counted_day(first, wanted, self.term.count)?;
            }
        }
        let roll = if with_roll { self.term.roll } else { Roll::Stay };
        Ok(self.calendar.end_of_day(day, roll)?)
    }

    /// How many counted days that no gap touches ended by `at`.
    pub(crate) fn counted(&self, at: i64) -> Result<i64, Trouble> {
        let days = self.calendar.days();
        let first = days.at(self.calendar.inside(self.from)?);
        let present = days.at(self.calendar.inside(at)?);
        // At the very end of the range the last day is complete.
        let is_complete = days.start(present.saturating_add(1)).is_some_and(|end| end <= at);
        let last = if is_complete { present } else { present.saturating_sub(1) };
        if last <= first {
            return Ok(0);
        }
        let mut counted = self.calendar.counted_days(first, last, self.term.count);
        let mut seen = first;
        for (low, high) in self.touched() {
            counted = counted.saturating_sub(self.skipped(low, high.min(last), seen));
            seen = seen.max(high);
        }
        Ok(counted.into())
    }

    /// The days each gap touches, in order.
    fn touched(&self) -> impl Iterator<Item = (usize, usize)> {
        let days = self.calendar.days();
        self.gaps
            .clone()
            .filter(|(start, end)| start < end)
            .map(|(start, end)| (days.at(start), days.at(end.saturating_sub(1))))
    }

    /// Counted days from `low` to `high` after `seen`.
    fn skipped(&self, low: usize, high: usize, seen: usize) -> u32 {
        let before = low.saturating_sub(1).max(seen);
        if high <= before {
            return 0;
        }
        self.calendar.counted_days(before, high, self.term.count)
    }
}
