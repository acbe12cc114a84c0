//! What the host has to do because of an entry: ask, tell, remind, alert.
//!
//! Effects are derived from entries alone, with ids that are the same each time. A host that carries
//! them out by id does each once, however often it replays.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::change::{BackTo, Change};
use super::node::{Run, SeatTimer};
use super::standing::StuckReason;
use crate::id::{ActorId, CaseId};
use crate::time::Instant;
use crate::workflow::journal::Entry;
use crate::workflow::{OutcomeCode, StateId, TimerId};

/// Something to be done once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// The case.
    pub case: CaseId,
    /// The entry.
    pub seq: u64,
    /// The number within the entry, from 0.
    pub number: u32,
    /// What to do.
    pub body: EffectBody,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EffectBody {
    /// Ask a person to decide.
    AskDecision(ActorId),
    /// Ask a person for an opinion.
    AskOpinion(ActorId),
    /// Tell a person.
    Inform(ActorId),
    /// Remind a person.
    Remind(ActorId),
    /// Remind whoever a state waits for.
    RemindOf(TimerId),
    /// Tell the requester that the case came back.
    ReturnToRequester,
    /// Tell whoever looks after the workflow that a silent approval could not be passed on.
    AlertSilent(ActorId),
    /// Tell whoever looks after the workflow that a case cannot go on.
    AlertStuck(StuckReason),
    /// The case entered a state.
    Entered(StateId),
    /// The case is over.
    Finished(OutcomeCode),
    /// The case was withdrawn: stop what is under way.
    Stopped,
}

/// The effects of one change, in order.
#[must_use]
pub fn of_change(change: &Change) -> Vec<EffectBody> {
    match change {
        Change::SeatActivated { person, .. } => [EffectBody::AskDecision(person.clone())].into(),
        Change::Transferred { to, .. } | Change::HandedOver { to, .. } => {
            [EffectBody::AskDecision(to.clone())].into()
        }
        Change::OpinionAsked { of, .. } => [EffectBody::AskOpinion(of.clone())].into(),
        Change::Copied { to } => to.iter().cloned().map(EffectBody::Inform).collect(),
        Change::SeatReminded { person, .. } => [EffectBody::Remind(person.clone())].into(),
        Change::StateReminded { timer } => [EffectBody::RemindOf(timer.clone())].into(),
        Change::SentBack { to: BackTo::Requester, .. } => [EffectBody::ReturnToRequester].into(),
        Change::TimeoutStuck { person, .. } => [EffectBody::AlertSilent(person.clone())].into(),
        Change::Stuck { reason } => [EffectBody::AlertStuck(*reason)].into(),
        Change::Withdrawn => [EffectBody::Stopped].into(),
        Change::Moved { moved, .. } => {
            let entered = EffectBody::Entered(moved.to.state.clone());
            let finished = moved.to.outcome.clone().map(EffectBody::Finished);
            core::iter::once(entered).chain(finished).collect()
        }
        Change::Submitted { .. }
        | Change::NodeOpened { .. }
        | Change::Voted { .. }
        | Change::OpinionGiven { .. }
        | Change::OpinionRecalled { .. }
        | Change::SeatsAdded { .. }
        | Change::SeatRemoved { .. }
        | Change::SeatsClosed { .. }
        | Change::NodeDecided { .. }
        | Change::SentBack { to: BackTo::Node(_), .. }
        | Change::Resubmitted
        | Change::TakenBack { .. }
        | Change::FactsChanged { .. }
        | Change::Migrated { .. }
        | Change::CommandsForgotten { .. } => Vec::new(),
    }
}

/// When the timers act that one change starts, in order.
#[must_use]
pub fn wakes_of(change: &Change) -> Vec<Instant> {
    if let Change::SeatReminded { next, .. } = change {
        return next.iter().copied().collect();
    }
    if let Change::Moved { moved, .. } = change {
        return moved.to.timers.iter().map(|timer| timer.due).collect();
    }
    let (Change::SeatActivated { timers, .. } | Change::HandedOver { timers, .. }) = change else {
        return Vec::new();
    };
    let due = |timer: &SeatTimer| match timer.run {
        Run::Due(due) => Some(due),
        Run::Left(_) | Run::Over => None,
    };
    timers.iter().filter_map(due).collect()
}

/// The effects of one entry.
#[must_use]
pub fn effects(case: &CaseId, entry: &Entry<Change>) -> Vec<Effect> {
    let numbered = (0_u32..).zip(of_change(&entry.body));
    let effect = |(number, body)| Effect { case: case.clone(), seq: entry.seq, number, body };
    numbered.map(effect).collect()
}
