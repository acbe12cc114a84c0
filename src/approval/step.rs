//! Steps: an approval for a host that keeps it in a history of its own.
//!
//! A [`Process`](super::process::Process) has a journal with versions, commands and a chain of hashes.
//! Where another aggregate keeps all that already, its events carry [`Step`]s instead, and its state a
//! [`Standing`]: the same decisions, stored in one stream.

use alloc::vec::Vec;

use super::change::Change;
use super::command::{Context, Order};
use super::desk::Desk;
use super::migrate::migrated;
use super::refusal::Refusal;
use super::standing::Standing;
use crate::id::{ActorId, CaseId};
use crate::time::Instant;
use crate::workflow::EventName;
use crate::workflow::journal::{Actor, Entry};
use crate::workflow::migration::Plan;

/// One change with who made it and when, to be stored and applied in order:
/// [`Standing::submitted`] for the first, [`Standing::apply`] for the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When it happened: for a timer its own instant.
    pub at: Instant,
    /// Who made it.
    pub actor: Actor,
    /// What changed.
    pub change: Change,
}

impl Standing {
    /// Submits a case; the first step is the submission.
    ///
    /// # Errors
    ///
    /// [`Refusal`], such as when a fact is missing that decides the way.
    pub fn begin(
        context: &Context<'_>,
        case: &CaseId,
        requester: &ActorId,
        at: Instant,
    ) -> Result<Vec<Step>, Refusal> {
        let mut desk = Desk::new(context, None);
        desk.obey(requester, at, &Order::Submit { case: case.clone() })?;
        Ok(steps(desk))
    }

    /// Carries out the order of a person. Timers that are due act first.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; nothing has happened then.
    pub fn obey(
        &self,
        context: &Context<'_>,
        actor: &ActorId,
        at: Instant,
        order: &Order,
    ) -> Result<Vec<Step>, Refusal> {
        let mut desk = Desk::new(context, Some(self.clone()));
        desk.run_timers(at)?;
        desk.obey(actor, at, order)?;
        Ok(steps(desk))
    }

    /// Lets timers act that are due at or before `now`.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the context holds another definition.
    pub fn tick(&self, context: &Context<'_>, now: Instant) -> Result<Vec<Step>, Refusal> {
        let mut desk = Desk::new(context, Some(self.clone()));
        desk.run_timers(now)?;
        Ok(steps(desk))
    }

    /// Something happened outside: the arrow that waits for it is taken, whoever reported it. No steps
    /// when the present state waits for something else, or people decide there.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the facts do not decide the way, or the context holds another definition.
    pub fn occur(
        &self,
        context: &Context<'_>,
        at: Instant,
        event: &EventName,
    ) -> Result<Vec<Step>, Refusal> {
        let mut desk = Desk::new(context, Some(self.clone()));
        desk.occur(at, event)?;
        Ok(steps(desk))
    }

    /// Goes on under another version of the definition, which the context holds; the first step says so.
    /// No steps for a case that is over or runs under that version already. Timers that are due act after
    /// the move, by [`tick`](Self::tick); those that should act under the old version act before it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the plan is for another version, or a new timer cannot be told.
    pub fn migrate(
        &self,
        context: &Context<'_>,
        plan: &Plan,
        at: Instant,
    ) -> Result<Vec<Step>, Refusal> {
        Ok(migrated(self, context, plan, at)?.map_or_else(Vec::new, steps))
    }
}

fn steps(desk: Desk<'_>) -> Vec<Step> {
    let (notes, _) = desk.into_notes();
    let step = |note: Entry<Change>| Step { at: note.at, actor: note.actor, change: note.body };
    notes.into_iter().map(step).collect()
}
