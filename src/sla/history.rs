//! What happened to a case, as far as clocks care: the only input besides the rules and the time.
//!
//! Events of one second happen at one instant. At one instant the order is fixed: a stop or a
//! cancellation, then pauses and resumptions, then a change of target, then a reset, a reopening, a
//! start, and timers last. A stop that finds nothing to stop ends what starts or reopens at that
//! instant, so that a start and its stop in one minute of a coarse log are a cycle of no length. A
//! condition that held only for a moment of the instant at which a running clock stops, and the stop's
//! own holds on, neither reopens nor starts.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::policy::ChangeMode;
use crate::condition::Facts;
use crate::id::{CaseId, GoalId, PauseReasonId, PolicyId};
use crate::time::Instant;

/// The most events of one case.
pub const MAX_EVENTS: usize = 100_000;
/// The most attachments of policies to one case: each begins clocks that every event is told to.
pub const MAX_ATTACHMENTS: usize = 256;

/// The events of one case in the order of time.
///
/// ```
/// use aftersale::condition::Facts;
/// use aftersale::explain::Fact;
/// use aftersale::id::{CaseId, FactName};
/// use aftersale::sla::history::{CaseEvent, CaseHistory, Happening};
/// use chrono::{TimeZone, Utc};
/// let requested = CaseEvent {
///     at: Utc.with_ymd_and_hms(2026, 3, 2, 9, 30, 0).unwrap(),
///     what: Happening::once(FactName::new("event")?, Fact::code("return_requested")),
/// };
/// let history = CaseHistory::new(CaseId::new("RMA-7")?, vec![requested])?;
/// assert_eq!(history.events().len(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HistoryWire", into = "HistoryWire")]
pub struct CaseHistory {
    case: CaseId,
    events: Vec<CaseEvent>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryWire {
    case: CaseId,
    events: Vec<CaseEvent>,
}

/// A history that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// There are too many events.
    #[error("case `{case}` has {count} events, at most {MAX_EVENTS} are allowed")]
    TooMany {
        /// The case.
        case: CaseId,
        /// How many were found.
        count: usize,
    },
    /// There are too many attachments.
    #[error(
        "case `{case}` has policies attached {count} times, at most {MAX_ATTACHMENTS} are allowed"
    )]
    TooManyAttachments {
        /// The case.
        case: CaseId,
        /// How many were found.
        count: usize,
    },
}

impl TryFrom<HistoryWire> for CaseHistory {
    type Error = HistoryError;
    fn try_from(wire: HistoryWire) -> Result<Self, HistoryError> {
        Self::new(wire.case, wire.events)
    }
}

impl From<CaseHistory> for HistoryWire {
    fn from(history: CaseHistory) -> Self {
        Self { case: history.case, events: history.events }
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseEvent {
    /// When it happened; it counts from the beginning of the second.
    pub at: Instant,
    /// What happened.
    pub what: Happening,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Happening {
    /// Facts of the case changed, or something happened that has facts of its own.
    Facts {
        /// Facts that hold from now on, such as the priority.
        #[serde(default)]
        set: Facts,
        /// Facts that are no longer known.
        #[serde(default)]
        unset: BTreeSet<crate::id::FactName>,
        /// Facts of this event only, such as who wrote.
        #[serde(default)]
        once: Facts,
    },
    /// A policy applies from now on, or another version of it.
    Attached {
        /// The policy.
        policy: PolicyId,
        /// The version.
        version: u32,
        /// What happens to time used under the old version; without one, what each goal says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<ChangeMode>,
    },
    /// A policy applies no longer.
    Detached {
        /// The policy.
        policy: PolicyId,
    },
    /// A reason to stand still is held.
    Paused {
        /// The reason.
        reason: PauseReasonId,
    },
    /// A reason to stand still is over.
    Resumed {
        /// The reason.
        reason: PauseReasonId,
    },
    /// A person moves one clock by hand.
    Moved {
        /// The goal, of every policy that has it.
        goal: GoalId,
        /// How.
        command: ClockCommand,
    },
}

impl Happening {
    /// One fact that holds from now on.
    #[must_use]
    pub fn set(name: crate::id::FactName, fact: crate::explain::Fact) -> Self {
        let set = Facts::new().with(name, fact);
        Self::Facts { set, unset: BTreeSet::new(), once: Facts::new() }
    }

    /// One fact of this event only.
    #[must_use]
    pub fn once(name: crate::id::FactName, fact: crate::explain::Fact) -> Self {
        let once = Facts::new().with(name, fact);
        Self::Facts { set: Facts::new(), unset: BTreeSet::new(), once }
    }
}

/// What a person does to a clock. On a clock for which it makes no sense it changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockCommand {
    /// Starts it.
    Start,
    /// Stops it.
    Stop,
    /// Calls it off.
    Cancel,
    /// Begins again from zero.
    Reset,
    /// Lets a stopped clock go on.
    Reopen,
}

impl CaseHistory {
    /// A history; events are put in the order of time, those of one instant stay as given.
    ///
    /// # Errors
    ///
    /// [`HistoryError::TooMany`] above [`MAX_EVENTS`], [`HistoryError::TooManyAttachments`] above
    /// [`MAX_ATTACHMENTS`].
    pub fn new(case: CaseId, mut events: Vec<CaseEvent>) -> Result<Self, HistoryError> {
        if events.len() > MAX_EVENTS {
            return Err(HistoryError::TooMany { case, count: events.len() });
        }
        let attached = |event: &&CaseEvent| matches!(event.what, Happening::Attached { .. });
        let count = events.iter().filter(attached).count();
        if count > MAX_ATTACHMENTS {
            return Err(HistoryError::TooManyAttachments { case, count });
        }
        events.sort_by_key(|event| event.at);
        Ok(Self { case, events })
    }

    /// The case.
    #[must_use]
    pub const fn case(&self) -> &CaseId {
        &self.case
    }

    /// The events in the order of time.
    #[must_use]
    pub fn events(&self) -> &[CaseEvent] {
        &self.events
    }

    /// The history with one event more, at its place in time.
    ///
    /// # Errors
    ///
    /// As [`CaseHistory::new`].
    pub fn with(mut self, event: CaseEvent) -> Result<Self, HistoryError> {
        self.events.push(event);
        Self::new(self.case, self.events)
    }
}
