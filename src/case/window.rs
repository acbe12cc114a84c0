//! The commands carried out lately, so that a retry has no second effect.

use alloc::collections::{BTreeMap, VecDeque};

use super::event::{Cause, Event};
use crate::id::CommandId;

/// How many command ids are remembered. The window is a function of the events alone, so that replay
/// agrees with the live order.
const REMEMBERED: usize = 1024;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CommandWindow {
    done: BTreeMap<CommandId, Done>,
    order: VecDeque<CommandId>,
}

/// A command that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) digest: u64,
    pub(super) first: u64,
    pub(super) last: u64,
}

impl CommandWindow {
    pub(super) fn get(&self, id: &CommandId) -> Option<Done> {
        self.done.get(id).copied()
    }

    pub(super) fn note(&mut self, event: &Event) {
        self.note_cause(&event.cause, event.sequence);
    }

    pub(super) fn note_cause(&mut self, cause: &Cause, sequence: u64) {
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
