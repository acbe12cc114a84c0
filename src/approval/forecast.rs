//! Where a case would go if everybody agreed: shown before it is submitted.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::change::{LeftOut, NewSeat};
use super::command::Context;
use super::desk::Desk;
use super::node::{Node, Verdict};
use super::refusal::Refusal;
use super::standing::{Standing, StuckReason, new_seat};
use crate::id::{ActorId, CaseId};
use crate::time::Instant;
use crate::workflow::definition::{APPROVED, REJECTED, StateKind};
use crate::workflow::journal::Cause;
use crate::workflow::rule::ApprovalRule;
use crate::workflow::token::{Token, enter, fire};
use crate::workflow::{EventName, OutcomeCode, StateId};

use super::change::Change;

/// One stop on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The state.
    pub state: StateId,
    /// What is expected there.
    pub expected: Expected,
}

/// What is expected at a stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// These people will be asked.
    Asked {
        /// The seats.
        seats: Vec<NewSeat>,
        /// Who will not be asked, and why.
        left_out: Vec<LeftOut>,
    },
    /// The system will decide.
    Automatic {
        /// How.
        verdict: Verdict,
        /// Why.
        cause: Cause,
    },
    /// Nobody can decide.
    Stuck(StuckReason),
    /// Something has to happen; with several possibilities the forecast ends here.
    Awaited(Vec<EventName>),
    /// The end.
    Final(OutcomeCode),
}

/// The way of a case that `requester` would submit now, if every approval is given.
///
/// At a state with several possible events the forecast ends, because nobody knows which will happen.
/// Where everybody has to agree, those asked are taken to have approved, so that later approvals kept
/// apart leave them out; where only some have to, nobody knows who will. People who would pass because
/// they approved before are listed as asked.
///
/// # Errors
///
/// [`Refusal`] when the facts do not decide a choice, or are missing.
pub fn forecast(
    context: &Context<'_>,
    requester: &ActorId,
    at: Instant,
) -> Result<Vec<Stop>, Refusal> {
    let workflow = context.workflow;
    let case = CaseId::new("forecast").map_err(|_| Refusal::NotSubmitted)?;
    let initial = workflow.draft().initial.clone();
    let mut desk = Desk::new(context, None);
    desk.at = at;
    desk.note(Change::Submitted {
        case,
        requester: requester.clone(),
        pin: workflow.pin().clone(),
        initial: initial.clone(),
        facts: desk.pinned_given(),
    })?;
    let mut moved = enter(workflow, &initial, Vec::new(), context.facts, context.hours, at)?;
    route(context, &mut desk, &mut moved.to)
}

/// The way of a case that is under way, from its present state.
///
/// # Errors
///
/// As [`forecast`].
pub fn forecast_from(
    context: &Context<'_>,
    standing: &Standing,
    at: Instant,
) -> Result<Vec<Stop>, Refusal> {
    let mut desk = Desk::new(context, Some(standing.clone()));
    desk.at = at;
    let mut token = (*standing.token).clone();
    route(context, &mut desk, &mut token)
}

fn route(
    context: &Context<'_>,
    desk: &mut Desk<'_>,
    token: &mut Token,
) -> Result<Vec<Stop>, Refusal> {
    let (workflow, at) = (context.workflow, desk.at);
    let mut seen = BTreeSet::new();
    let mut stops = Vec::new();
    while seen.insert(token.state.clone()) {
        let Some(drawn) = workflow.find(&token.state) else { break };
        let mut next = None;
        let expected = match &drawn.kind {
            StateKind::Final { outcome } => Expected::Final(outcome.clone()),
            StateKind::Approval(rule) => {
                let seating = desk.seating(&token.state, rule)?;
                next = EventName::new(APPROVED).ok();
                match (seating.alone, seating.stuck) {
                    (Some((verdict, cause)), _) => {
                        if verdict == Verdict::Rejected {
                            next = EventName::new(REJECTED).ok();
                        }
                        Expected::Automatic { verdict, cause }
                    }
                    (None, Some(reason)) => {
                        next = None;
                        Expected::Stuck(reason)
                    }
                    (None, None) if !enough(rule, &seating.seats, at) => {
                        next = None;
                        Expected::Stuck(StuckReason::TooFewPeople)
                    }
                    (None, None) => {
                        desk.assume_approved(&token.state, rule, &seating.seats);
                        Expected::Asked { seats: seating.seats, left_out: seating.left_out }
                    }
                }
            }
            StateKind::Task { .. } | StateKind::Wait { .. } | StateKind::Choice => {
                let events: Vec<EventName> = workflow.events_of(&token.state).cloned().collect();
                if let [only] = events.as_slice() {
                    next = Some(only.clone());
                }
                Expected::Awaited(events)
            }
        };
        stops.push(Stop { state: token.state.clone(), expected });
        let Some(event) = next else { break };
        match fire(workflow, token, &event, context.facts, context.hours, at) {
            Ok(moved) => *token = moved.to,
            Err(_) => break,
        }
    }
    Ok(stops)
}

/// Whether as many people are there as must agree.
fn enough(rule: &ApprovalRule, seats: &[NewSeat], at: Instant) -> bool {
    let Some(state) = StateId::new("forecast").ok() else { return false };
    let seats = seats.iter().map(new_seat).collect();
    let (mode, reject) = (rule.mode, rule.reject);
    let groups = u32::try_from(rule.groups.len()).unwrap_or(u32::MAX);
    Node { state, round: 1, opened: at, mode, reject, seats }.can_be_approved(groups)
}
