//! Where the time went: the present cycle of a goal, stretch by stretch.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::book::SlaBook;
use super::clock::{Doing, Run};
use super::evaluation::Trouble;
use super::history::CaseHistory;
use super::measure::Clock;
use crate::calendar::book::Calendars;
use crate::calendar::compiled::instant;
use crate::calendar::time_class::TimeClass;
use crate::id::{GoalId, PauseReasonId, PolicyId};
use crate::time::{Instant, Interval};

/// What a stretch of time was for a goal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum AccountClass {
    /// Running and open: this is what counts.
    Counted,
    /// Open, but standing still for these reasons.
    Paused {
        /// The reasons.
        by: Vec<PauseReasonId>,
    },
    /// Closed, running or not.
    Closed {
        /// Why.
        by: TimeClass,
    },
    /// Between a stop and a reopening, or after the stop.
    Stopped,
}

impl fmt::Display for AccountClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted => f.write_str("counted"),
            Self::Paused { by } => {
                f.write_str("paused:")?;
                by.iter().try_for_each(|reason| write!(f, " {reason}"))
            }
            Self::Closed { by } => write!(f, "{by}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// One stretch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountPart {
    /// When.
    pub period: Interval,
    /// What it was.
    pub class: AccountClass,
}

impl SlaBook {
    /// Every stretch from the start of a goal's present cycle to `now`; the parts touch and sum to
    /// the wall span. Nothing for a goal that has not started.
    ///
    /// For goals on the wall and in days nothing is closed: a day is one stretch like any other.
    ///
    /// # Errors
    ///
    /// [`Trouble`] when the calendar is missing or does not reach.
    pub fn account(
        &self,
        calendars: &Calendars,
        history: &CaseHistory,
        policy: &PolicyId,
        goal: &GoalId,
        now: Instant,
    ) -> Result<Vec<AccountPart>, Trouble> {
        let runs = self.traced(calendars, history, now);
        let is_asked = |run: &&Run<'_>| {
            run.was_live() && run.goal.policy == *policy && run.goal.goal.id == *goal
        };
        let current = runs.iter().filter(is_asked).find(|run| run.is_live());
        let Some(run) = current.or_else(|| runs.iter().rfind(is_asked)) else {
            return Ok(Vec::new());
        };
        let Some(trace) = &run.trace else { return Ok(Vec::new()) };
        let ends = trace.iter().skip(1).map(|(at, _)| *at).chain([now.timestamp()]);
        let mut parts: Vec<AccountPart> = Vec::new();
        for ((from, doing), until) in trace.iter().zip(ends) {
            if *from < until {
                self.stretch(run, (*from, until), *doing, &mut parts)?;
            }
        }
        Ok(parts)
    }

    fn stretch(
        &self,
        run: &Run<'_>,
        (from, until): (i64, i64),
        doing: Doing,
        parts: &mut Vec<AccountPart>,
    ) -> Result<(), Trouble> {
        let open = match doing {
            Doing::Running => AccountClass::Counted,
            Doing::Paused(held) => AccountClass::Paused { by: self.reasons(held) },
            Doing::Stopped => AccountClass::Stopped,
        };
        let (start, end) = (instant(from), instant(until));
        match (run.clock(), doing) {
            (Some(Clock::Open(calendar, _)), Doing::Running | Doing::Paused(_)) => {
                for part in calendar.explain(start, end)? {
                    let class = if part.class.is_open() {
                        open.clone()
                    } else {
                        AccountClass::Closed { by: part.class }
                    };
                    push(parts, part.period, class);
                }
            }
            _ => push(parts, Interval::between(start, end), open),
        }
        Ok(())
    }
}

fn push(parts: &mut Vec<AccountPart>, period: Interval, class: AccountClass) {
    match parts.last_mut() {
        Some(last) if last.class == class && last.period.end() == period.start() => {
            last.period = Interval::between(last.period.start(), period.end());
        }
        _ => parts.push(AccountPart { period, class }),
    }
}
