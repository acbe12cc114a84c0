//! Moving running cases to another version of their definition.
//!
//! A [`Plan`] exists only when every state in which a case can stand has a state of the same kind to
//! go to. It is made once and applied to many cases; each application is recorded in the case.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::StateId;
use super::compiled::{Pin, Workflow};
use super::definition::{StateDraft, StateKind};
use crate::label::codes;

codes! {
    /// What becomes of a case in one state.
    pub enum Carry "carry-over" {
        /// Everything goes on: timers, votes, clocks.
        Unchanged = "unchanged", "goes on unchanged", "保持不变";
        /// Timers with the same id go on, new ones start, others stop; votes stay.
        Timers = "timers", "timers are adjusted", "调整计时";
        /// The approval is opened again; votes cast in it are void.
        Reopened = "reopened", "approval opened again", "重新发起审批";
    }
}

/// How cases of one version go on under another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version they leave.
    pub from: Pin,
    /// The version they enter.
    pub to: Pin,
    /// For every state in which a case can stand, where it goes and how.
    pub states: BTreeMap<StateId, (StateId, Carry)>,
}

/// Why cases cannot be moved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationDefect {
    /// A state has no counterpart.
    #[error("a case can stand in `{state}`, and nothing is said about where it goes")]
    Unmapped {
        /// The state.
        state: StateId,
    },
    /// The map names a state that is not there.
    #[error("`{state}` is not a state in which a case can stand")]
    Unknown {
        /// The state.
        state: StateId,
    },
    /// The states are of different kinds.
    #[error("`{from}` and `{to}` are not states of one kind")]
    OtherKind {
        /// The old state.
        from: StateId,
        /// The new state.
        to: StateId,
    },
    /// Two approvals would become one, and what was passed could not be told apart.
    #[error("`{first}` and `{second}` would both become `{to}`")]
    Merged {
        /// An old approval.
        first: StateId,
        /// Another one.
        second: StateId,
        /// The new one.
        to: StateId,
    },
    /// The two are different workflows.
    #[error("the two definitions are different workflows")]
    OtherWorkflow,
}

/// Plans the move from one version to another. States that keep their id need no entry in `map`.
///
/// The new version is verified, so every state a case is moved to leads on to a final state.
///
/// # Errors
///
/// Everything that stands in the way.
pub fn plan(
    old: &Workflow,
    new: &Workflow,
    map: &BTreeMap<StateId, StateId>,
) -> Result<Plan, Vec<MigrationDefect>> {
    let mut defects = Vec::new();
    if old.draft().id != new.draft().id {
        defects.push(MigrationDefect::OtherWorkflow);
    }
    for (from, to) in map {
        for (state, workflow) in [(from, old), (to, new)] {
            if !workflow.find(state).is_some_and(|state| state.kind.waits()) {
                defects.push(MigrationDefect::Unknown { state: state.clone() });
            }
        }
    }
    let mut states = BTreeMap::new();
    let mut approvals: BTreeMap<StateId, StateId> = BTreeMap::new();
    for from in old.draft().states.iter().filter(|state| state.kind.waits()) {
        let id = map.get(&from.id).unwrap_or(&from.id);
        let Some(to) = new.find(id) else {
            // A case that is over stays as it is.
            if !matches!(from.kind, StateKind::Final { .. }) {
                defects.push(MigrationDefect::Unmapped { state: from.id.clone() });
            }
            continue;
        };
        match carry(from, to) {
            Some(carry) => {
                if matches!(from.kind, StateKind::Approval(_))
                    && let Some(first) = approvals.insert(to.id.clone(), from.id.clone())
                {
                    let (second, to) = (from.id.clone(), to.id.clone());
                    defects.push(MigrationDefect::Merged { first, second, to });
                }
                states.insert(from.id.clone(), (to.id.clone(), carry));
            }
            None => {
                let (from, to) = (from.id.clone(), to.id.clone());
                defects.push(MigrationDefect::OtherKind { from, to });
            }
        }
    }
    if !defects.is_empty() {
        defects.sort();
        defects.dedup();
        return Err(defects);
    }
    Ok(Plan { from: old.pin().clone(), to: new.pin().clone(), states })
}

fn carry(from: &StateDraft, to: &StateDraft) -> Option<Carry> {
    let same_timers = from.timers == to.timers;
    match (&from.kind, &to.kind) {
        (StateKind::Approval(old), StateKind::Approval(new)) if old != new => Some(Carry::Reopened),
        (StateKind::Approval(_), StateKind::Approval(_))
        | (StateKind::Task { .. }, StateKind::Task { .. })
        | (StateKind::Wait { .. }, StateKind::Wait { .. })
        | (StateKind::Final { .. }, StateKind::Final { .. }) => {
            Some(if same_timers { Carry::Unchanged } else { Carry::Timers })
        }
        _ => None,
    }
}
