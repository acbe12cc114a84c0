//! Moving one running case to another version of its definition.

use alloc::vec::Vec;

use super::change::{Change, MovedBy};
use super::command::{Context, Decision};
use super::desk::Desk;
use super::process::Process;
use super::refusal::Refusal;
use super::standing::{Phase, Standing};
use crate::time::Instant;
use crate::workflow::StateId;
use crate::workflow::definition::TimerAction;
use crate::workflow::journal::{Actor, Cause};
use crate::workflow::migration::{Carry, Plan};
use crate::workflow::token::{RunningTimer, StuckToken};

impl Process {
    /// What a plan would do to this case; apply the entries to carry it out, drop them for a dry run.
    ///
    /// The context holds the new definition. A case that is over, or that runs under the new version
    /// already, is left alone: no entries. Timers that are due act after the move, by `tick`, at the
    /// time of the move; call `tick` under the old definition first where they should act under that.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the plan is for another version, or a new timer cannot be told.
    pub fn migrate(
        &self,
        context: &Context<'_>,
        plan: &Plan,
        at: Instant,
    ) -> Result<Decision, Refusal> {
        self.journal().dated(at)?;
        let standing = self.standing().ok_or(Refusal::NotSubmitted)?;
        match migrated(standing, context, plan, at)? {
            None => Ok(Decision { entries: Vec::new(), repeats: None }),
            Some(desk) => Ok(self.write(context, desk, None)),
        }
    }
}

/// What a plan does to a case that stands somewhere; nothing to one that is over, or was moved before.
pub(super) fn migrated<'a>(
    standing: &Standing,
    context: &'a Context<'a>,
    plan: &Plan,
    at: Instant,
) -> Result<Option<Desk<'a>>, Refusal> {
    let over = matches!(standing.phase, Phase::Done | Phase::Withdrawn);
    if over || *standing.pin == plan.to {
        return Ok(None);
    }
    if *standing.pin != plan.from || plan.to != *context.workflow.pin() {
        return Err(Refusal::OtherWorkflow);
    }
    let state = &standing.token.state;
    let unknown = || StuckToken::UnknownState { state: state.clone() };
    let (target, carry) = plan.states.get(state).ok_or_else(unknown)?.clone();
    let mut token = (*standing.token).clone();
    token.state = target.clone();
    // Only a case under way has timers; one with the requester or stuck starts them when it goes on.
    if carry != Carry::Unchanged && standing.phase == Phase::Pending {
        token.timers = timers(context, &standing.token.timers, &target, token.since)?;
    }
    let renamed: Vec<(StateId, StateId)> = plan
        .states
        .iter()
        .filter(|(old, (new, _))| *old != new)
        .map(|(old, (new, _))| (old.clone(), new.clone()))
        .collect();
    let kept = |state: &StateId| {
        matches!(plan.states.get(state), Some((_, Carry::Unchanged | Carry::Timers)))
    };
    // An approval given under another rule has to be given again, with all that followed it.
    let first_void = standing.passed.iter().position(|passed| !kept(&passed.state));
    let voids: Vec<StateId> = standing
        .passed
        .iter()
        .skip(first_void.unwrap_or(standing.passed.len()))
        .map(|passed| passed.state.clone())
        .collect();
    let back_to = voids.first().and_then(|state| plan.states.get(state)).map(|(to, _)| to.clone());
    let keeps_node = carry != Carry::Reopened && back_to.is_none();
    let mut desk = Desk::new(context, Some(standing.clone()));
    desk.at = at;
    desk.by_time = true;
    desk.actor = Actor::System(Cause::Migration);
    let pin = plan.to.clone();
    desk.note(Change::Migrated { pin, token, renamed, keeps_node, voids })?;
    if standing.phase == Phase::Pending {
        let reopened = (standing.node.is_some() && !keeps_node).then_some(target);
        if let Some(state) = back_to.or(reopened) {
            let moved = desk.jump(&state);
            desk.go_or_stick(MovedBy::Retry, moved)?;
        }
    }
    Ok(Some(desk))
}

/// Timers that both versions have go on; new ones run since the state was entered.
fn timers(
    context: &Context<'_>,
    running: &[RunningTimer],
    state: &StateId,
    since: Instant,
) -> Result<Vec<RunningTimer>, Refusal> {
    let unknown = || StuckToken::UnknownState { state: state.clone() };
    let drawn = context.workflow.find(state).ok_or_else(unknown)?;
    let mut timers = Vec::with_capacity(drawn.timers.len());
    for timer in &drawn.timers {
        let leaves = matches!(timer.then, TimerAction::Leave { .. });
        let old = running.iter().find(|old| old.timer == timer.id && old.leaves == leaves);
        if let Some(old) = old {
            timers.push(old.clone());
            continue;
        }
        let due = context
            .hours
            .after(since, timer.after)
            .ok_or_else(|| StuckToken::NoHours { state: state.clone(), timer: timer.id.clone() })?;
        timers.push(RunningTimer { timer: timer.id.clone(), due, leaves });
    }
    Ok(timers)
}
