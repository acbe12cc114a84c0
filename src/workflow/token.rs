//! Where a case stands in its workflow, and how it moves.
//!
//! A [`Token`] is a state and the timers that run in it. [`fire`] and [`expire`] compute a [`Moved`];
//! applying it needs neither definition nor clock, because it carries the arrows taken, the state
//! entered and the instants of its timers.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::compiled::Workflow;
use super::definition::{MAX_PER_STATE, StateKind, TimerAction, few};
use super::hours::OpeningHours;
use super::{ArrowId, EventName, OutcomeCode, StateId, TimerId};
use crate::condition::Facts;
use crate::time::Instant;

/// The state of a case and its running timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The state; never a choice.
    pub state: StateId,
    /// Since when.
    pub since: Instant,
    /// Timers that have not acted, in the order of the definition.
    #[serde(deserialize_with = "few::<_, _, MAX_PER_STATE>")]
    pub timers: Vec<RunningTimer>,
    /// How the case ended, once it has.
    #[serde(default)]
    pub outcome: Option<OutcomeCode>,
}

/// A timer that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningTimer {
    /// Which.
    pub timer: TimerId,
    /// When it acts.
    pub due: Instant,
    /// Whether the case leaves the state then.
    pub leaves: bool,
}

/// A case entered a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// The arrows taken, first to last; choices on the way are resolved. Empty when a timer led
    /// straight to the state, or the case started there.
    #[serde(deserialize_with = "few::<_, _, 1024>")]
    pub arrows: Vec<ArrowId>,
    /// The state and its timers.
    pub to: Token,
}

/// Why a case cannot move.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StuckToken {
    /// The state has no arrow for the event, or none whose condition holds.
    #[error("`{event}` does not lead anywhere from state `{state}`")]
    NoArrow {
        /// The state.
        state: StateId,
        /// The event.
        event: EventName,
    },
    /// The facts given do not decide a choice; facts that a case must have are missing.
    #[error("the facts do not decide which way to go from `{state}`; {facts} is known")]
    Undecided {
        /// The choice.
        state: StateId,
        /// The facts given.
        facts: Facts,
    },
    /// The state is not part of the definition.
    #[error("state `{state}` is not part of the workflow")]
    UnknownState {
        /// The state.
        state: StateId,
    },
    /// Opening hours are not known far enough ahead.
    #[error("opening hours are not known far enough to tell when `{timer}` of `{state}` is due")]
    NoHours {
        /// The state.
        state: StateId,
        /// The timer.
        timer: TimerId,
    },
}

impl Token {
    /// The least instant at which a timer acts.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.timers.iter().map(|timer| timer.due).min()
    }

    /// The timer that acts first among those due at or before `now`; a leaving timer before a
    /// reminder of the same instant.
    #[must_use]
    pub fn due(&self, now: Instant) -> Option<&RunningTimer> {
        self.timers
            .iter()
            .filter(|timer| timer.due <= now)
            .min_by_key(|timer| (timer.due, !timer.leaves))
    }

    /// Stops a timer that has acted.
    pub fn stop(&mut self, timer: &TimerId) {
        self.timers.retain(|running| running.timer != *timer);
    }
}

/// Starts a case.
///
/// # Errors
///
/// [`StuckToken`] when a choice is undecided or opening hours are unknown.
pub fn start(
    workflow: &Workflow,
    facts: &Facts,
    hours: &OpeningHours,
    at: Instant,
) -> Result<Moved, StuckToken> {
    enter(workflow, &workflow.draft().initial, Vec::new(), facts, hours, at)
}

/// Moves a case on an event.
///
/// # Errors
///
/// [`StuckToken`] when no arrow leads on.
pub fn fire(
    workflow: &Workflow,
    token: &Token,
    event: &EventName,
    facts: &Facts,
    hours: &OpeningHours,
    at: Instant,
) -> Result<Moved, StuckToken> {
    let state = &token.state;
    let index = workflow
        .state_index(state)
        .ok_or_else(|| StuckToken::UnknownState { state: state.clone() })?;
    let won = workflow
        .event_index(event)
        .and_then(|event| workflow.step(index, Some(event), facts))
        .and_then(|(arrow, _)| workflow.arrow(arrow))
        .ok_or_else(|| StuckToken::NoArrow { state: state.clone(), event: event.clone() })?;
    enter(workflow, &won.to, alloc::vec![won.id.clone()], facts, hours, at)
}

/// Moves a case along a leaving timer.
///
/// # Errors
///
/// [`StuckToken`] when the timer is not part of the definition, or a choice behind it is undecided.
pub fn expire(
    workflow: &Workflow,
    token: &Token,
    timer: &TimerId,
    facts: &Facts,
    hours: &OpeningHours,
    at: Instant,
) -> Result<Moved, StuckToken> {
    let state = &token.state;
    let unknown = || StuckToken::UnknownState { state: state.clone() };
    let drawn = workflow.find(state).ok_or_else(unknown)?;
    let leaving = drawn.timers.iter().find_map(|drawn| match &drawn.then {
        TimerAction::Leave { to } if drawn.id == *timer => Some(to),
        TimerAction::Leave { .. } | TimerAction::Remind => None,
    });
    let to = leaving.ok_or_else(unknown)?;
    enter(workflow, to, Vec::new(), facts, hours, at)
}

/// Enters a state, passing choices, and starts its timers.
///
/// # Errors
///
/// [`StuckToken`] when a choice is undecided or opening hours are unknown.
pub fn enter(
    workflow: &Workflow,
    state: &StateId,
    mut arrows: Vec<ArrowId>,
    facts: &Facts,
    hours: &OpeningHours,
    at: Instant,
) -> Result<Moved, StuckToken> {
    let unknown = |state: &StateId| StuckToken::UnknownState { state: state.clone() };
    let mut index = workflow.state_index(state).ok_or_else(|| unknown(state))?;
    let mut drawn = workflow.state(index).ok_or_else(|| unknown(state))?;
    // A verified workflow has no cycle of choices, so each is passed at most once.
    while matches!(drawn.kind, StateKind::Choice) {
        let undecided = || StuckToken::Undecided { state: drawn.id.clone(), facts: facts.clone() };
        let (arrow, to) = workflow.step(index, None, facts).ok_or_else(undecided)?;
        arrows.extend(workflow.arrow(arrow).map(|arrow| arrow.id.clone()));
        index = to;
        drawn = workflow.state(index).ok_or_else(|| unknown(state))?;
    }
    let mut timers = Vec::with_capacity(drawn.timers.len());
    for timer in &drawn.timers {
        let due = hours.after(at, timer.after).ok_or_else(|| StuckToken::NoHours {
            state: drawn.id.clone(),
            timer: timer.id.clone(),
        })?;
        let leaves = matches!(timer.then, TimerAction::Leave { .. });
        timers.push(RunningTimer { timer: timer.id.clone(), due, leaves });
    }
    let outcome = match &drawn.kind {
        StateKind::Final { outcome } => Some(outcome.clone()),
        StateKind::Task { .. }
        | StateKind::Approval(_)
        | StateKind::Wait { .. }
        | StateKind::Choice => None,
    };
    let to = Token { state: drawn.id.clone(), since: at, timers, outcome };
    Ok(Moved { arrows, to })
}
