//! One open approval: its seats, how they count, and what follows from a vote.

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::ActorId;
use crate::label::codes;
use crate::time::Instant;
use crate::workflow::StateId;
use crate::workflow::definition::{MAX_PER_STATE, few};
use crate::workflow::rule::{LIMIT_MAX, Mode, RejectRule};
use crate::workflow::span::Clock;

/// The most seats one approval can have.
pub const MAX_SEATS: usize = LIMIT_MAX as usize;

/// The position of a seat in its approval.
pub type SeatId = u16;

/// One approval while it is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The state it belongs to.
    pub state: StateId,
    /// The round it was opened in.
    pub round: u32,
    /// When it was opened.
    pub opened: Instant,
    /// How many must agree.
    pub mode: Mode,
    /// When one rejection decides.
    pub reject: RejectRule,
    /// The seats; a seat added by another stands after it.
    #[serde(deserialize_with = "few::<_, _, MAX_SEATS>")]
    pub seats: Vec<Seat>,
}

/// One seat of an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// Whose seat it is.
    pub owner: ActorId,
    /// Who holds it now.
    pub holder: ActorId,
    /// Who was asked for an opinion and has not answered.
    #[serde(default)]
    pub asked: Option<ActorId>,
    /// How it came to be.
    pub origin: Origin,
    /// How it stands.
    pub status: Status,
    /// How often it was passed on or lent.
    #[serde(default)]
    pub hops: u32,
    /// Its timers.
    #[serde(default)]
    pub timers: SeatTimers,
    /// Who voted, if a person did.
    #[serde(default)]
    pub voter: Option<ActorId>,
}

/// How a seat came to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Origin {
    /// By the rule of the approval.
    Assigned {
        /// The group of the rule.
        group: u32,
    },
    /// Added by a holder.
    Added {
        /// The seat of the adder.
        to: SeatId,
        /// Who added it.
        by: ActorId,
        /// Where it stands to the adder.
        place: Beside,
        /// The group it counts in.
        group: u32,
    },
}

codes! {
    /// Where an added seat stands to the seat of the adder.
    pub enum Beside "place of an added signer" {
        /// It votes first; the adder waits (前加签).
        Before = "before", "before the adder", "前加签";
        /// It votes once the adder has approved (后加签).
        After = "after", "after the adder", "后加签";
        /// It counts like the seats of the rule (并加签).
        Parallel = "parallel", "beside the adder", "并加签";
    }
}

codes! {
    /// How a seat stands.
    pub enum Status "status of a seat" {
        /// Its turn has not come.
        Waiting = "waiting", "waiting", "未轮到";
        /// Its holder may act.
        Active = "active", "active", "待处理";
        /// It waits for seats added before it; its clock stands still.
        Held = "held", "held", "挂起";
        /// Its holder, or the system, has approved.
        Approved = "approved", "approved", "已同意";
        /// Its holder, or the system, has rejected.
        Rejected = "rejected", "rejected", "已驳回";
        /// It was taken away again.
        Removed = "removed", "removed", "已移除";
        /// The matter was decided without it.
        Closed = "closed", "closed", "已关闭";
    }
}

codes! {
    /// A vote.
    pub enum Vote "vote" {
        /// Yes.
        Approve = "approve", "approve", "同意";
        /// No.
        Reject = "reject", "reject", "驳回";
    }
}

codes! {
    /// How an approval ended.
    pub enum Verdict "verdict" {
        /// Enough agreed.
        Approved = "approved", "approved", "通过";
        /// Not enough can agree any more.
        Rejected = "rejected", "rejected", "驳回";
    }
}

/// A timer of a seat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatTimer {
    /// The position of the timeout in the rule.
    pub timeout: u16,
    /// Which clock it runs on.
    pub clock: Clock,
    /// How it stands.
    pub run: Run,
    /// How often it has acted.
    #[serde(default)]
    pub acted: u32,
}

/// The timers of one seat, shared between copies of a case: they seldom change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeatTimers(Option<Arc<[SeatTimer]>>);

impl SeatTimers {
    /// Changes the timer of one timeout, if there is one.
    pub(super) fn change(&mut self, timeout: u16, change: impl FnOnce(&mut SeatTimer)) {
        let mut timers = self.to_vec();
        if let Some(timer) = timers.iter_mut().find(|timer| timer.timeout == timeout) {
            change(timer);
            *self = timers.into();
        }
    }
}

impl core::ops::Deref for SeatTimers {
    type Target = [SeatTimer];
    fn deref(&self) -> &[SeatTimer] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'a> IntoIterator for &'a SeatTimers {
    type Item = &'a SeatTimer;
    type IntoIter = core::slice::Iter<'a, SeatTimer>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Vec<SeatTimer>> for SeatTimers {
    fn from(timers: Vec<SeatTimer>) -> Self {
        Self((!timers.is_empty()).then(|| timers.into()))
    }
}

impl Serialize for SeatTimers {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(to)
    }
}

impl<'de> Deserialize<'de> for SeatTimers {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        few::<_, _, MAX_PER_STATE>(from).map(Self::from)
    }
}

/// How a timer of a seat stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Run {
    /// It acts at this instant.
    Due(Instant),
    /// It stands still with this many seconds left.
    Left(i64),
    /// It has acted for the last time.
    Over,
}

/// How the votes of an approval stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Seats that count.
    pub seats: u32,
    /// How many must agree; for `k of each group` how many of each.
    pub needed: u32,
    /// Seats that agree.
    pub yes: u32,
    /// Seats that do not.
    pub no: u32,
}

impl Seat {
    /// The group it counts in, when it counts.
    #[must_use]
    pub fn group(&self) -> Option<u32> {
        match (&self.origin, self.status) {
            (_, Status::Removed) => None,
            (Origin::Assigned { group }, _) => Some(*group),
            (Origin::Added { place: Beside::Parallel, group, .. }, _) => Some(*group),
            (Origin::Added { .. }, _) => None,
        }
    }

    /// The seat it was added to, with its place, unless it counts by itself.
    #[must_use]
    pub fn serves(&self) -> Option<(SeatId, Beside)> {
        match &self.origin {
            Origin::Added { place: Beside::Parallel, .. } | Origin::Assigned { .. } => None,
            Origin::Added { to, place, .. } => Some((*to, *place)),
        }
    }

    /// Whether it may still come to a vote.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, Status::Waiting | Status::Active | Status::Held)
    }

    /// Whether a person has to do with it.
    #[must_use]
    pub fn involves(&self, person: &ActorId) -> bool {
        self.status != Status::Removed
            && (self.holder == *person
                || self.owner == *person
                || self.asked.as_ref() == Some(person))
    }
}

impl Node {
    /// A seat by its position.
    #[must_use]
    pub fn seat(&self, id: SeatId) -> Option<&Seat> {
        self.seats.get(usize::from(id))
    }

    pub(super) fn seat_mut(&mut self, id: SeatId) -> Option<&mut Seat> {
        self.seats.get_mut(usize::from(id))
    }

    /// All seats with their positions.
    pub fn numbered(&self) -> impl Iterator<Item = (SeatId, &Seat)> {
        self.seats
            .iter()
            .enumerate()
            .filter_map(|(at, seat)| Some((SeatId::try_from(at).ok()?, seat)))
    }

    /// The active seat of a holder.
    #[must_use]
    pub fn active_of(&self, holder: &ActorId) -> Option<(SeatId, &Seat)> {
        self.numbered().find(|(_, seat)| seat.status == Status::Active && seat.holder == *holder)
    }

    /// The effective vote of every seat: its own, and those of the seats added before and after it.
    #[must_use]
    pub fn effective(&self) -> Vec<Option<bool>> {
        #[derive(Clone, Copy, Default)]
        struct Served {
            refused: bool,
            open_after: bool,
        }
        let mut served = alloc::vec![Served::default(); self.seats.len()];
        let mut votes = alloc::vec![None; self.seats.len()];
        // Added seats stand after the seat they serve, so that backwards every vote is known in time.
        for (at, seat) in self.seats.iter().enumerate().rev() {
            let by_others = served.get(at).copied().unwrap_or_default();
            let vote = match seat.status {
                _ if by_others.refused => Some(false),
                Status::Rejected => Some(false),
                Status::Approved if by_others.open_after => None,
                Status::Approved => Some(true),
                Status::Waiting
                | Status::Active
                | Status::Held
                | Status::Removed
                | Status::Closed => None,
            };
            if let Some(entry) = votes.get_mut(at) {
                *entry = vote;
            }
            if seat.status == Status::Removed {
                continue;
            }
            if let Some((to, place)) = seat.serves()
                && let Some(adder) = served.get_mut(usize::from(to))
            {
                adder.refused |= vote == Some(false);
                adder.open_after |= place == Beside::After && vote.is_none();
            }
        }
        votes
    }

    /// Whether nobody was added: then every seat counts by itself.
    fn is_plain(&self) -> bool {
        self.seats.iter().all(|seat| matches!(seat.origin, Origin::Assigned { .. }))
    }

    /// Whether no seat waits for another, so that a vote leads to a verdict or to nothing.
    pub(super) fn is_settled_by_votes(&self) -> bool {
        let moves = |seat: &Seat| matches!(seat.status, Status::Waiting | Status::Held);
        self.is_plain() && !self.seats.iter().any(moves)
    }

    /// How the votes stand.
    #[must_use]
    pub fn tally(&self) -> Tally {
        if !self.is_plain() {
            return self.count(self.seats.iter().zip(self.effective()));
        }
        self.count(self.seats.iter().map(|seat| match seat.status {
            Status::Approved => (seat, Some(true)),
            Status::Rejected => (seat, Some(false)),
            Status::Waiting | Status::Active | Status::Held | Status::Removed | Status::Closed => {
                (seat, None)
            }
        }))
    }

    fn count<'a>(&self, votes: impl Iterator<Item = (&'a Seat, Option<bool>)>) -> Tally {
        let mut tally = Tally::default();
        for (seat, vote) in votes {
            if seat.group().is_none() {
                continue;
            }
            tally.seats = tally.seats.saturating_add(1);
            match vote {
                Some(true) => tally.yes = tally.yes.saturating_add(1),
                Some(false) => tally.no = tally.no.saturating_add(1),
                None => {}
            }
        }
        tally.needed = self.mode.needed(tally.seats);
        tally
    }

    /// The verdict, as soon as the votes allow only one.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        if let Mode::EachGroup(needed) = self.mode {
            return self.verdict_of_groups(needed);
        }
        let Tally { seats, needed, yes, no } = self.tally();
        let first = self.mode == Mode::Any && self.reject == RejectRule::First;
        if yes >= needed {
            Some(Verdict::Approved)
        } else if seats.saturating_sub(no) < needed || (first && no > 0) {
            Some(Verdict::Rejected)
        } else {
            None
        }
    }

    fn verdict_of_groups(&self, needed: u32) -> Option<Verdict> {
        // Per group: seats that may still agree, seats that agree.
        let mut groups: alloc::collections::BTreeMap<u32, (u32, u32)> = Default::default();
        for (seat, vote) in self.seats.iter().zip(self.effective()) {
            let Some(group) = seat.group() else { continue };
            let (open, yes) = groups.entry(group).or_default();
            *open = open.saturating_add(u32::from(vote != Some(false)));
            *yes = yes.saturating_add(u32::from(vote == Some(true)));
        }
        if groups.values().all(|(_, yes)| *yes >= needed) {
            Some(Verdict::Approved)
        } else if groups.values().any(|(open, _)| *open < needed) {
            Some(Verdict::Rejected)
        } else {
            None
        }
    }

    /// Whether enough people are there for the threshold to be reached at all.
    #[must_use]
    pub fn can_be_approved(&self, groups: u32) -> bool {
        match self.mode {
            Mode::EachGroup(needed) => (0..groups).all(|group| {
                let seats = self.seats.iter().filter(|seat| seat.group() == Some(group)).count();
                u32::try_from(seats).is_ok_and(|seats| seats >= needed)
            }),
            Mode::Any | Mode::All | Mode::Sequence | Mode::Count(_) | Mode::Ratio(_) => {
                let tally = self.tally();
                tally.needed <= tally.seats
            }
        }
    }

    /// Whether the seats refer to each other as they can.
    pub(super) fn is_consistent(&self) -> bool {
        self.numbered().count() == self.seats.len()
            && self.numbered().all(|(id, seat)| match seat.origin {
                Origin::Added { to, .. } => to < id,
                Origin::Assigned { .. } => true,
            })
    }
}
