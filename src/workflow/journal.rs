//! What surrounds every change: who, when, by which command, in which place of the history.
//!
//! A [`Journal`] knows the version of a case, the commands it has seen lately, and the last hash. It
//! answers a repeated command with its first result, refuses the same id with another body and a
//! stale version, and wraps what was decided into [`Entry`]s.

use alloc::collections::{BTreeMap, btree_map};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::canonical::Fingerprint;
use super::chain::{ChainHash, Digest, Seal};
use super::definition::few;
use crate::id::{ActorId, CommandId, RuleId};
use crate::time::Instant;

/// The form of entries that this version of the crate writes.
pub const ENTRY_SCHEMA: u16 = 1;
/// The most commands a journal remembers.
pub const MAX_REMEMBERED: usize = 2_000;

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Actor {
    /// A person.
    Human {
        /// The person.
        person: ActorId,
        /// Whose seat they hold, when it is not their own.
        #[serde(default)]
        on_behalf_of: Option<ActorId>,
    },
    /// The system, with the reason: it never acts in a person's name.
    System(Cause),
}

/// Why the system acted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cause {
    /// A timer was due.
    Timeout,
    /// The same person approved before.
    SamePerson,
    /// A rule, such as a small amount.
    Rule(RuleId),
    /// Nobody was left to ask.
    NoApprover,
    /// The definition was replaced.
    Migration,
    /// Something happened outside the workflow that an arrow waited for.
    Occurred,
}

/// One change in the history of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry<B> {
    /// Its place, from 1.
    pub seq: u64,
    /// When it happened.
    pub at: Instant,
    /// Who acted.
    pub actor: Actor,
    /// The command it belongs to; none when time alone caused it.
    #[serde(default)]
    pub command: Option<CommandRef>,
    /// The form of this entry.
    pub schema: u16,
    /// What happened.
    pub body: B,
    /// Its place in the chain of hashes, where one is kept.
    #[serde(default)]
    pub seal: Option<Seal>,
}

/// The command behind a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandRef {
    /// Its id.
    pub id: CommandId,
    /// A fingerprint of actor and body.
    pub body: Fingerprint,
}

/// The entries a command led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// The version of a case, the commands seen, the last hash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "JournalWire", into = "JournalWire")]
pub struct Journal {
    version: u64,
    at: Option<Instant>,
    seen: BTreeMap<Key, Seen>,
    /// When the oldest command remembered was given.
    oldest: Option<Instant>,
    head: Option<Digest>,
}

/// A command id behind a mark of it, so that most comparisons are of numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// 64 bits of FNV-1a over the id. Two ids with one mark are told apart by the id.
    mark: u64,
    id: CommandId,
}

impl Key {
    fn of(id: &CommandId) -> Self {
        let mark = id.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |mark, byte| {
            (mark ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self { mark, id: id.clone() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    body: Fingerprint,
    span: Span,
    at: Instant,
}

/// Why a command is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalRefusal {
    /// The id belongs to another command.
    #[error("command `{id}` was given before with another content")]
    CommandConflict {
        /// The id.
        id: CommandId,
    },
    /// The case has moved on.
    #[error("the case has changed: version {expected} was expected, it is {found} now")]
    Stale {
        /// The version the command was meant for.
        expected: u64,
        /// The version of the case.
        found: u64,
    },
    /// The command is dated before the last change.
    #[error("the command is dated {given}, before the last change at {last}")]
    Backdated {
        /// The time of the command.
        given: Instant,
        /// The time of the last change.
        last: Instant,
    },
}

/// An entry that cannot follow a history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalCorrupt {
    /// An entry is missing, repeated or moved.
    #[error("entry {found} follows where entry {wanted} belongs")]
    OutOfPlace {
        /// The place it should have.
        wanted: u64,
        /// The place it has.
        found: u64,
    },
    /// The entry is of a form this version does not know.
    #[error("entry {seq} has form {schema}, at most {ENTRY_SCHEMA} is known")]
    UnknownSchema {
        /// The entry.
        seq: u64,
        /// Its form.
        schema: u16,
    },
    /// The entry is dated before the one before it.
    #[error("entry {seq} is dated before the entry before it")]
    TimeReversed {
        /// The entry.
        seq: u64,
    },
    /// The entry does not continue the chain of hashes.
    #[error("entry {seq} does not continue the chain of hashes")]
    ChainBroken {
        /// The entry.
        seq: u64,
    },
}

impl Journal {
    /// The number of the last entry.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The time of the last entry.
    #[must_use]
    pub const fn at(&self) -> Option<Instant> {
        self.at
    }

    /// The hash of the last entry, where a chain is kept.
    #[must_use]
    pub const fn head(&self) -> Option<Digest> {
        self.head
    }

    /// The entries an earlier command with this id and body led to.
    ///
    /// # Errors
    ///
    /// [`JournalRefusal::CommandConflict`] when the id was used with another body.
    pub fn repeated(&self, command: &CommandRef) -> Result<Option<Span>, JournalRefusal> {
        match self.seen.get(&Key::of(&command.id)) {
            Some(seen) if seen.body == command.body => Ok(Some(seen.span)),
            Some(_) => Err(JournalRefusal::CommandConflict { id: command.id.clone() }),
            None => Ok(None),
        }
    }

    /// Whether a change may be dated `at`.
    ///
    /// # Errors
    ///
    /// [`JournalRefusal::Backdated`] before the last entry.
    pub fn dated(&self, at: Instant) -> Result<(), JournalRefusal> {
        match self.at {
            Some(last) if at < last => Err(JournalRefusal::Backdated { given: at, last }),
            Some(_) | None => Ok(()),
        }
    }

    /// The last entry to forget so that at most `count` commands and none before `since` are kept;
    /// none while nothing has to be forgotten.
    ///
    /// Half of the room is freed at once, so that forgetting is rare.
    #[must_use]
    pub fn cut(&self, count: usize, since: Option<Instant>) -> Option<u64> {
        let aged = since.is_some() && self.oldest < since;
        if self.seen.len() < count && !aged {
            return None;
        }
        let old = since.and_then(|since| {
            let old = self.seen.values().filter(|seen| seen.at < since);
            old.map(|seen| seen.span.last).max()
        });
        if self.seen.len() < count {
            return old;
        }
        let mut ends: Vec<u64> = self.seen.values().map(|seen| seen.span.last).collect();
        ends.sort_unstable();
        let drop = self.seen.len().saturating_sub(count / 2);
        let full = drop.checked_sub(1).and_then(|last| ends.get(last)).copied();
        full.max(old)
    }

    /// How many commands are remembered.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.seen.len()
    }

    /// When the oldest command remembered was given.
    #[must_use]
    pub const fn oldest(&self) -> Option<Instant> {
        self.oldest
    }

    /// Forgets the commands whose entries all lie at or before `last`.
    pub fn forget(&mut self, last: u64) {
        self.seen.retain(|_, seen| seen.span.last > last);
        self.oldest = self.seen.values().map(|seen| seen.at).min();
    }

    /// Whether an entry can be the next one.
    ///
    /// # Errors
    ///
    /// [`JournalCorrupt`] when it cannot.
    pub fn accepts<B>(&self, entry: &Entry<B>) -> Result<(), JournalCorrupt> {
        let seq = entry.seq;
        let wanted = self.version.saturating_add(1);
        if seq != wanted {
            return Err(JournalCorrupt::OutOfPlace { wanted, found: seq });
        }
        if entry.schema == 0 || entry.schema > ENTRY_SCHEMA {
            return Err(JournalCorrupt::UnknownSchema { seq, schema: entry.schema });
        }
        if self.at.is_some_and(|last| entry.at < last) {
            return Err(JournalCorrupt::TimeReversed { seq });
        }
        let previous = entry.seal.map(|seal| seal.previous);
        let chained = match (self.head, previous) {
            (Some(head), previous) => previous == Some(head),
            // A chain starts with the first entry or not at all.
            (None, Some(previous)) => self.version == 0 && previous == Digest::START,
            (None, None) => true,
        };
        if !chained {
            return Err(JournalCorrupt::ChainBroken { seq });
        }
        Ok(())
    }

    /// Takes an entry into account.
    ///
    /// # Errors
    ///
    /// [`JournalCorrupt`] when it cannot be the next one; nothing changes then.
    pub fn follow<B>(&mut self, entry: &Entry<B>) -> Result<(), JournalCorrupt> {
        self.accepts(entry)?;
        self.take(entry);
        Ok(())
    }

    /// Takes an entry into account that was found acceptable.
    pub(crate) fn take<B>(&mut self, entry: &Entry<B>) {
        let seq = entry.seq;
        if let Some(command) = &entry.command {
            match self.seen.entry(Key::of(&command.id)) {
                btree_map::Entry::Occupied(mut seen) => seen.get_mut().span.last = seq,
                btree_map::Entry::Vacant(place) => {
                    let span = Span { first: seq, last: seq };
                    place.insert(Seen { body: command.body, span, at: entry.at });
                    self.oldest = self.oldest.or(Some(entry.at));
                }
            }
        }
        self.version = seq;
        self.at = Some(entry.at);
        self.head = entry.seal.map(|seal| seal.own);
    }
}

/// Wraps what was decided into entries that follow a journal.
#[derive(Debug)]
pub struct Scribe<'a> {
    version: u64,
    head: Option<Digest>,
    hash: Option<&'a dyn HashDebug>,
}

/// A hash that can be shown; implemented for every [`ChainHash`] that can.
pub trait HashDebug: ChainHash + core::fmt::Debug {}
impl<T: ChainHash + core::fmt::Debug> HashDebug for T {}

impl<'a> Scribe<'a> {
    /// A scribe that goes on where the journal ends.
    #[must_use]
    pub fn new(journal: &Journal, hash: Option<&'a dyn HashDebug>) -> Self {
        // A history that was begun without a chain goes on without one.
        let hash = hash.filter(|_| journal.version == 0 || journal.head.is_some());
        let head = journal.head.or(hash.map(|_| Digest::START));
        Self { version: journal.version, head, hash }
    }

    /// The next entry.
    pub fn write<B: Serialize>(
        &mut self,
        at: Instant,
        actor: Actor,
        command: Option<CommandRef>,
        body: B,
    ) -> Entry<B> {
        let mut entry =
            Entry { seq: 0, at, actor, command, schema: ENTRY_SCHEMA, body, seal: None };
        self.number(&mut entry);
        entry
    }

    /// Gives an entry its place and, where a chain is kept, its seal.
    pub fn number<B: Serialize>(&mut self, entry: &mut Entry<B>) {
        self.version = self.version.saturating_add(1);
        entry.seq = self.version;
        entry.seal = None;
        if let (Some(hash), Some(head)) = (self.hash, self.head) {
            let seal = Seal::new(hash, head, entry);
            self.head = Some(seal.own);
            entry.seal = Some(seal);
        }
    }
}

/// Checks the chain of a stored history, from its first entry.
///
/// Without an anchor a history whose end was cut off passes; with the hash of the last entry, kept
/// elsewhere, it does not.
///
/// # Errors
///
/// [`JournalCorrupt`] naming the first entry that does not fit; for a missing end the entry that
/// should follow.
pub fn verify_chain<B: Serialize + Clone>(
    entries: &[Entry<B>],
    hash: &dyn ChainHash,
    anchor: Option<Digest>,
) -> Result<(), JournalCorrupt> {
    let mut head = Digest::START;
    let mut wanted = 1_u64;
    for entry in entries {
        if entry.seq != wanted {
            return Err(JournalCorrupt::OutOfPlace { wanted, found: entry.seq });
        }
        let fits = entry.seal.is_some_and(|seal| {
            let bare = Entry { seal: None, ..entry.clone() };
            seal.previous == head && seal.fits(hash, &bare)
        });
        let (true, Some(seal)) = (fits, entry.seal) else {
            return Err(JournalCorrupt::ChainBroken { seq: entry.seq });
        };
        head = seal.own;
        wanted = wanted.saturating_add(1);
    }
    match anchor {
        Some(anchor) if anchor != head => Err(JournalCorrupt::ChainBroken { seq: wanted }),
        Some(_) | None => Ok(()),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JournalWire {
    version: u64,
    at: Option<Instant>,
    #[serde(deserialize_with = "few::<_, _, MAX_REMEMBERED>")]
    seen: Vec<SeenWire>,
    head: Option<Digest>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeenWire {
    id: CommandId,
    body: Fingerprint,
    span: Span,
    at: Instant,
}

impl From<Journal> for JournalWire {
    fn from(journal: Journal) -> Self {
        let mut seen: Vec<SeenWire> = journal
            .seen
            .into_iter()
            .map(|(key, seen)| SeenWire {
                id: key.id,
                body: seen.body,
                span: seen.span,
                at: seen.at,
            })
            .collect();
        seen.sort_by(|a, b| a.id.cmp(&b.id));
        Self { version: journal.version, at: journal.at, seen, head: journal.head }
    }
}

/// A stored journal that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored journal contradicts itself")]
pub struct BadJournal;

impl TryFrom<JournalWire> for Journal {
    type Error = BadJournal;
    fn try_from(wire: JournalWire) -> Result<Self, BadJournal> {
        let version = wire.version;
        let fits = wire.seen.iter().all(|seen| {
            let Span { first, last } = seen.span;
            1 <= first && first <= last && last <= version && Some(seen.at) <= wire.at
        });
        let count = wire.seen.len();
        let seen: BTreeMap<Key, Seen> = wire
            .seen
            .into_iter()
            .map(|seen| (Key::of(&seen.id), Seen { body: seen.body, span: seen.span, at: seen.at }))
            .collect();
        if !fits || (version == 0) != wire.at.is_none() || seen.len() != count {
            return Err(BadJournal);
        }
        let oldest = seen.values().map(|seen| seen.at).min();
        Ok(Self { version, at: wire.at, seen, oldest, head: wire.head })
    }
}
