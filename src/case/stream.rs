//! One stream of events: how far it is, and which commands it has carried out lately.
//!
//! An order is one stream, the pool of ownerless parcels another; both number their events from 1
//! without a gap, never go back in time, and answer a repeated command with what it did before.

use alloc::collections::{BTreeMap, VecDeque};

use super::Answer;
use super::event::Cause;
use crate::id::CommandId;
use crate::time::Instant;

/// How many command ids are remembered. The window is a function of the events alone, so that replay
/// agrees with the live order.
const REMEMBERED: usize = 1024;

/// How far a stream is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stream {
    /// The number of events so far.
    pub(super) version: u64,
    /// When the last event happened.
    pub(super) last_at: Option<Instant>,
    done: BTreeMap<CommandId, Done>,
    order: VecDeque<CommandId>,
}

/// A command that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Done {
    digest: u64,
    first: u64,
    last: u64,
}

/// An event that cannot stand where it does in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamFault {
    /// An event is missing, doubled or out of order.
    #[error("event {found} stands where event {expected} belongs")]
    OutOfSequence {
        /// The sequence that belongs there.
        expected: u64,
        /// The sequence found.
        found: u64,
    },
    /// Time goes backwards.
    #[error("event {sequence} at {at} is before the one it follows, at {before}")]
    TimeReversed {
        /// The event.
        sequence: u64,
        /// Its time.
        at: Instant,
        /// The time of the event before.
        before: Instant,
    },
}

/// The id of a command was used for another command.
pub(super) struct Conflict;

impl Stream {
    /// The number of the next event.
    pub(super) const fn next(&self) -> u64 {
        self.version.saturating_add(1)
    }

    /// The last event, when a time is before it.
    pub(super) fn after(&self, now: Instant) -> Option<Instant> {
        self.last_at.filter(|last| now < *last)
    }

    /// What a command did before, if it is a retry.
    pub(super) fn answer(&self, id: &CommandId, digest: u64) -> Result<Option<Answer>, Conflict> {
        match self.done.get(id) {
            None => Ok(None),
            Some(done) if done.digest == digest => {
                Ok(Some(Answer::Repeated { first: done.first, last: done.last }))
            }
            Some(_) => Err(Conflict),
        }
    }

    /// Whether an event may be the next one.
    pub(super) fn check(&self, sequence: u64, at: Instant) -> Result<(), StreamFault> {
        let expected = self.next();
        if sequence != expected {
            return Err(StreamFault::OutOfSequence { expected, found: sequence });
        }
        match self.after(at) {
            Some(before) => Err(StreamFault::TimeReversed { sequence, at, before }),
            None => Ok(()),
        }
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, sequence: u64, at: Instant, cause: &Cause) {
        self.version = sequence;
        self.last_at = Some(at);
        let Cause { command, digest, timer } = cause;
        if timer.is_some() {
            return;
        }
        if let Some(done) = self.done.get_mut(command) {
            done.last = sequence;
            return;
        }
        let (first, last) = (sequence, sequence);
        self.done.insert(command.clone(), Done { digest: *digest, first, last });
        self.order.push_back(command.clone());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.done.remove(&oldest);
        }
    }
}
