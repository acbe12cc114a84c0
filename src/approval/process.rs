//! One case under way: its standing and its journal.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::command::{Command, Context, Decision};
use super::desk::Desk;
use super::refusal::{Corrupt, Refusal};
use super::standing::Standing;
use crate::id::ActorId;
use crate::time::Instant;
use crate::workflow::canonical::{Fingerprint, fingerprint};
use crate::workflow::journal::{CommandRef, Entry, Journal, JournalRefusal, Scribe};

/// One case: empty until it is submitted.
///
/// `decide` answers a command with entries; the host stores them and applies them with `evolve`.
/// Serialized, it is a snapshot: loading it and replaying what came later gives the same state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ProcessWire", into = "ProcessWire")]
pub struct Process {
    standing: Option<Box<Standing>>,
    journal: Journal,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessWire {
    standing: Option<Box<Standing>>,
    journal: Journal,
}

impl From<Process> for ProcessWire {
    fn from(process: Process) -> Self {
        Self { standing: process.standing, journal: process.journal }
    }
}

/// A snapshot that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored case contradicts itself")]
pub struct BadSnapshot;

impl TryFrom<ProcessWire> for Process {
    type Error = BadSnapshot;
    fn try_from(wire: ProcessWire) -> Result<Self, BadSnapshot> {
        let fits = wire.standing.as_ref().is_none_or(|standing| standing.is_consistent());
        if !fits || wire.standing.is_none() != (wire.journal.version() == 0) {
            return Err(BadSnapshot);
        }
        Ok(Self { standing: wire.standing, journal: wire.journal })
    }
}

impl Process {
    /// Where the case stands; none before it is submitted.
    #[must_use]
    pub fn standing(&self) -> Option<&Standing> {
        self.standing.as_deref()
    }

    /// Its journal.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The number of its last entry.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.journal.version()
    }

    /// A fingerprint of the whole state.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(self)
    }

    /// The least instant at which [`tick`](Self::tick) changes the case; none while only people can.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.standing.as_ref()?.next_deadline()
    }

    /// Answers a command. Timers that are due act first, at their own instants.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; nothing has happened then.
    pub fn decide(&self, context: &Context<'_>, command: &Command) -> Result<Decision, Refusal> {
        let body = fingerprint(&(&command.actor, &command.order));
        let reference = CommandRef { id: command.id.clone(), body };
        if let Some(first) = self.journal.repeated(&reference)? {
            return Ok(Decision { entries: Vec::new(), repeats: Some(first) });
        }
        self.journal.dated(command.at)?;
        // The sender can have seen only what was stored, not what timers do just now.
        let found = self.journal.version();
        if let Some(expected) = command.expected_version.filter(|expected| *expected != found) {
            return Err(JournalRefusal::Stale { expected, found }.into());
        }
        let mut desk = self.desk(context);
        desk.run_timers(command.at)?;
        desk.obey(&command.actor, command.at, &command.order)?;
        let policy = &context.workflow.draft().policy;
        let kept = usize::try_from(policy.commands_kept).unwrap_or(usize::MAX);
        let since = crate::time::add_seconds(
            command.at,
            policy.commands_kept_for.seconds().saturating_neg(),
        );
        if let Some(last) = self.journal.cut(kept, since.ok()) {
            desk.forget(last)?;
        }
        Ok(self.write(context, desk, Some(&reference)))
    }

    fn desk<'a>(&self, context: &'a Context<'a>) -> Desk<'a> {
        let mut desk = Desk::new(context, self.standing.as_deref().cloned());
        desk.not_before = self.journal.at();
        desk
    }

    /// Lets timers act that are due at or before `now`; no entries when none is.
    ///
    /// Facts that are fixed or material are taken as submitted, whatever the context says of them.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the context holds another definition, or `now` is before the last entry.
    pub fn tick(&self, context: &Context<'_>, now: Instant) -> Result<Decision, Refusal> {
        self.journal.dated(now)?;
        let mut desk = self.desk(context);
        desk.run_timers(now)?;
        Ok(self.write(context, desk, None))
    }

    /// Whether an order would be accepted, without deciding anything.
    ///
    /// # Errors
    ///
    /// The [`Refusal`] the order would meet.
    pub fn would_accept(
        &self,
        context: &Context<'_>,
        actor: &ActorId,
        at: Instant,
        order: &super::command::Order,
    ) -> Result<(), Refusal> {
        self.journal.dated(at)?;
        let mut desk = self.desk(context);
        desk.run_timers(at)?;
        desk.obey(actor, at, order)
    }

    pub(super) fn write(
        &self,
        context: &Context<'_>,
        desk: Desk<'_>,
        command: Option<&CommandRef>,
    ) -> Decision {
        let mut scribe = Scribe::new(&self.journal, context.hash);
        let (mut entries, timed) = desk.into_notes();
        for (place, entry) in entries.iter_mut().enumerate() {
            entry.command = if place < timed { None } else { command.cloned() };
            scribe.number(entry);
        }
        Decision { entries, repeats: None }
    }

    /// Applies one entry.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] when the entry cannot follow; the state is unchanged then.
    pub fn evolve(&mut self, entry: &Entry<Change>) -> Result<(), Corrupt> {
        // The journal is looked at first and changed last, so that a corrupt entry changes nothing.
        self.journal.accepts(entry)?;
        match &mut self.standing {
            Some(standing) => standing.apply(entry.at, &entry.actor, &entry.body)?,
            None => {
                self.standing = Some(Box::new(Standing::submitted(entry.at, &entry.body)?));
            }
        }
        if let Change::CommandsForgotten { last } = &entry.body {
            self.journal.forget(*last);
        }
        self.journal.take(entry);
        Ok(())
    }

    /// The state after a whole history.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] at the first entry that cannot follow.
    pub fn replay<'a>(
        entries: impl IntoIterator<Item = &'a Entry<Change>>,
    ) -> Result<Self, Corrupt> {
        let mut process = Self::default();
        for entry in entries {
            process.evolve(entry)?;
        }
        Ok(process)
    }
}
