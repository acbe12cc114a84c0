//! Where a case stands, and how entries change that.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::change::{BackTo, Change, MovedBy, NewSeat, Way};
use super::node::{
    Beside, MAX_SEATS, Node, Origin, Run, Seat, SeatId, SeatTimer, SeatTimers, Status, Verdict,
    Vote,
};
use super::refusal::Corrupt;
use crate::condition::Facts;
use crate::id::{ActorId, CaseId};
use crate::label::codes;
use crate::time::Instant;
use crate::workflow::StateId;
use crate::workflow::compiled::Pin;
use crate::workflow::definition::{MAX_STATES, few};
use crate::workflow::journal::Actor;
use crate::workflow::token::Token;

/// Where one case stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The case.
    pub case: CaseId,
    /// The definition it runs under.
    pub pin: Arc<Pin>,
    /// Who asked.
    pub requester: ActorId,
    /// Whether it moves, waits for the requester, is stuck, or over.
    pub phase: Phase,
    /// Its state and timers.
    pub token: Arc<Token>,
    /// The round, from 1.
    pub round: u32,
    /// Rounds begun since the facts last changed.
    pub rounds_used: u32,
    /// The facts that are fixed or material, as submitted or last declared.
    pub facts: Pinned,
    /// The open approval.
    pub node: Option<Node>,
    /// Approvals given in this round, in order.
    #[serde(deserialize_with = "few::<_, _, MAX_STATES>")]
    pub passed: Vec<Passed>,
    /// Where to return once the open approval is given, last first.
    #[serde(deserialize_with = "few::<_, _, MAX_STATES>")]
    pub resume: Vec<StateId>,
    /// Approvals opened in this round.
    pub opened: Arc<BTreeSet<StateId>>,
    /// The approval that may be taken back, with its approver.
    pub takeable: Option<(ActorId, StateId)>,
}

/// Facts that are shared between copies of a standing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinned(Arc<Facts>);

impl Pinned {
    /// Shares facts.
    #[must_use]
    pub fn new(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }

    /// The facts.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.0
    }
}

impl Serialize for Pinned {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Pinned {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Facts::deserialize(from).map(Self::new)
    }
}

/// Whether a case moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Phase {
    /// It is under way.
    Pending,
    /// It lies with the requester.
    Returned {
        /// The approval it returns to when submitted again; none to start again.
        resume: Option<StateId>,
    },
    /// It cannot go on until somebody acts.
    Stuck {
        /// Why.
        reason: StuckReason,
    },
    /// It reached a final state.
    Done,
    /// The requester withdrew it.
    Withdrawn,
}

codes! {
    /// Why a case cannot go on.
    pub enum StuckReason "reason for being stuck" {
        /// Nobody is left to ask.
        NobodyLeft = "nobody_left", "nobody left to approve", "无可用审批人";
        /// Fewer people are there than must agree.
        TooFewPeople = "too_few_people", "fewer people than approvals needed", "审批人不足";
        /// A timer was due and the way is not decided by the facts.
        Undecided = "undecided", "the facts do not decide the way", "条件无法判断";
        /// It went round too often.
        TooManyRounds = "too_many_rounds", "too many rounds", "轮次过多";
    }
}

/// An approval that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    /// The state.
    pub state: StateId,
    /// The people who approved, and the owners they approved for.
    #[serde(deserialize_with = "few::<_, _, MAX_SEATS>")]
    pub people: Vec<Approver>,
    /// Whether it no longer counts and keeps its place until it is given again.
    pub void: bool,
}

/// Who approved for whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// Who voted.
    pub person: ActorId,
    /// Whose seat it was.
    pub owner: ActorId,
}

impl Standing {
    /// The place of the present state among the approvals passed: those before it were passed before.
    #[must_use]
    pub fn place(&self) -> usize {
        let own = self.passed.iter().position(|passed| passed.state == self.token.state);
        own.unwrap_or(self.passed.len())
    }

    /// Approvals that were passed before the present state and still count.
    pub fn passed_before(&self) -> impl Iterator<Item = &Passed> {
        self.passed.iter().take(self.place()).filter(|passed| !passed.void)
    }

    /// Whether a person has voted in this round.
    #[must_use]
    pub fn has_votes(&self) -> bool {
        let mut open = self.node.iter().flat_map(|node| &node.seats);
        open.any(|seat| seat.voter.is_some())
            || self.passed.iter().any(|passed| !passed.void && !passed.people.is_empty())
    }

    fn node(&mut self) -> Result<&mut Node, Corrupt> {
        self.node.as_mut().ok_or(Corrupt::NoNode)
    }

    fn seat(&mut self, seat: SeatId) -> Result<&mut Seat, Corrupt> {
        self.node()?.seat_mut(seat).ok_or(Corrupt::NoSeat { seat })
    }

    /// The first standing of a case.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] for anything but a submission.
    pub fn submitted(at: Instant, change: &Change) -> Result<Self, Corrupt> {
        let Change::Submitted { case, requester, pin, initial, facts } = change else {
            return Err(Corrupt::NotSubmittedOnce);
        };
        let token = Token { state: initial.clone(), since: at, timers: Vec::new(), outcome: None };
        Ok(Self {
            case: case.clone(),
            pin: Arc::new(pin.clone()),
            requester: requester.clone(),
            phase: Phase::Pending,
            token: Arc::new(token),
            round: 1,
            rounds_used: 0,
            facts: Pinned::new(facts.clone()),
            node: None,
            passed: Vec::new(),
            resume: Vec::new(),
            opened: Arc::default(),
            takeable: None,
        })
    }

    /// Applies one change. Needs no definition and no clock.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] for a change that cannot follow; the standing is unchanged then.
    pub fn apply(&mut self, at: Instant, actor: &Actor, change: &Change) -> Result<(), Corrupt> {
        match self.phase {
            Phase::Done => {
                return match change {
                    Change::Copied { .. } | Change::CommandsForgotten { .. } => Ok(()),
                    _ => Err(Corrupt::Phase("over")),
                };
            }
            Phase::Withdrawn => {
                return match change {
                    Change::Copied { .. } | Change::CommandsForgotten { .. } => Ok(()),
                    _ => Err(Corrupt::Phase("withdrawn")),
                };
            }
            Phase::Pending | Phase::Returned { .. } | Phase::Stuck { .. } => {}
        }
        match change {
            Change::Submitted { .. } => return Err(Corrupt::NotSubmittedOnce),
            Change::Moved { by, moved, new_round, voids } => {
                self.moved(by, &moved.to, *new_round, voids);
            }
            Change::NodeOpened { state, mode, reject, seats, .. } => {
                if self.node.is_some() || self.phase != Phase::Pending || self.token.state != *state
                {
                    return Err(Corrupt::NodeOpen);
                }
                let seats = seats.iter().map(new_seat).collect();
                self.node = Some(Node {
                    state: state.clone(),
                    round: self.round,
                    opened: at,
                    mode: *mode,
                    reject: *reject,
                    seats,
                });
            }
            Change::SeatActivated { seat, timers, .. } => {
                let seat = self.seat(*seat)?;
                seat.status = Status::Active;
                seat.timers = timers.clone().into();
            }
            Change::Voted { seat, vote, .. } => {
                let seat = self.seat(*seat)?;
                seat.status = match vote {
                    Vote::Approve => Status::Approved,
                    Vote::Reject => Status::Rejected,
                };
                seat.timers = SeatTimers::default();
                seat.asked = None;
                if let Actor::Human { person, .. } = actor {
                    seat.voter = Some(person.clone());
                    self.takeable = None;
                }
            }
            Change::Transferred { seat, to } => {
                let seat = self.seat(*seat)?;
                seat.holder = to.clone();
                seat.hops = seat.hops.saturating_add(1);
            }
            Change::HandedOver { seat, to, timers } => {
                let seat = self.seat(*seat)?;
                seat.holder = to.clone();
                seat.asked = None;
                seat.hops = seat.hops.saturating_add(1);
                seat.timers = timers.clone().into();
            }
            Change::OpinionAsked { seat, of } => {
                let seat = self.seat(*seat)?;
                seat.asked = Some(of.clone());
                seat.hops = seat.hops.saturating_add(1);
            }
            Change::OpinionGiven { seat, .. } | Change::OpinionRecalled { seat } => {
                self.seat(*seat)?.asked = None;
            }
            Change::SeatsAdded { to, place, people, stopped, .. } => {
                self.added(actor, *to, *place, people, stopped)?;
            }
            Change::SeatRemoved { seat, .. } => {
                let seat = self.seat(*seat)?;
                seat.status = Status::Removed;
                seat.timers = SeatTimers::default();
                seat.asked = None;
            }
            Change::SeatsClosed { seats } => {
                for seat in seats {
                    let seat = self.seat(*seat)?;
                    seat.status = Status::Closed;
                    seat.timers = SeatTimers::default();
                    seat.asked = None;
                }
            }
            Change::NodeDecided { state, verdict, .. } => self.decided(actor, state, *verdict),
            Change::SentBack { to, way, voids, .. } => self.sent_back(to, *way, voids),
            Change::Resubmitted => self.phase = Phase::Pending,
            Change::Withdrawn => self.end(Phase::Withdrawn),
            Change::TakenBack { .. } => {
                self.takeable = None;
                self.node = None;
            }
            Change::FactsChanged { facts, restarts } => {
                self.facts = Pinned::new(facts.clone());
                if *restarts {
                    self.passed.clear();
                    self.resume.clear();
                    self.opened = Arc::default();
                    self.node = None;
                    self.takeable = None;
                    self.rounds_used = 0;
                    if let Phase::Returned { resume } = &mut self.phase {
                        *resume = None;
                    }
                }
            }
            Change::SeatReminded { seat, timeout, next, .. } => {
                self.seat(*seat)?.timers.change(*timeout, |timer| {
                    timer.acted = timer.acted.saturating_add(1);
                    timer.run = next.map_or(Run::Over, Run::Due);
                });
            }
            Change::TimeoutStuck { seat, timeout, .. } => {
                self.seat(*seat)?.timers.change(*timeout, |timer| {
                    timer.acted = timer.acted.saturating_add(1);
                    timer.run = Run::Over;
                });
            }
            Change::StateReminded { timer } => Arc::make_mut(&mut self.token).stop(timer),
            Change::Stuck { reason } => {
                self.phase = Phase::Stuck { reason: *reason };
                self.node = None;
                Arc::make_mut(&mut self.token).timers.clear();
            }
            Change::Migrated { pin, token, renamed, keeps_node, voids } => {
                self.migrated(pin, token, renamed, *keeps_node, voids);
            }
            Change::Copied { .. } | Change::CommandsForgotten { .. } => {}
        }
        Ok(())
    }

    fn moved(&mut self, by: &MovedBy, to: &Token, new_round: bool, voids: &[StateId]) {
        self.node = None;
        self.phase = Phase::Pending;
        match by {
            MovedBy::Verdict(_) => {}
            MovedBy::SentBack => self.takeable = None,
            MovedBy::Resumed => {
                self.takeable = None;
                if self.resume.last() == Some(&to.state) {
                    self.resume.pop();
                }
            }
            MovedBy::Start
            | MovedBy::Event(_)
            | MovedBy::Timer(_)
            | MovedBy::TakenBack
            | MovedBy::Retry => {
                self.takeable = None;
                self.resume.clear();
            }
        }
        self.void(voids);
        if new_round {
            self.round = self.round.saturating_add(1);
            self.rounds_used = self.rounds_used.saturating_add(1);
            let valid = self.passed.iter().filter(|passed| !passed.void);
            self.opened = Arc::new(valid.map(|passed| passed.state.clone()).collect());
        }
        Arc::make_mut(&mut self.opened).insert(to.state.clone());
        self.token = Arc::new(to.clone());
        if self.token.outcome.is_some() {
            self.end(Phase::Done);
        }
    }

    /// Drops approvals; one that the case is on its way to again keeps its place.
    fn void(&mut self, voids: &[StateId]) {
        self.passed.retain(|passed| !voids.contains(&passed.state));
    }

    fn end(&mut self, phase: Phase) {
        self.phase = phase;
        self.node = None;
        Arc::make_mut(&mut self.token).timers.clear();
        self.resume.clear();
        self.takeable = None;
    }

    fn decided(&mut self, actor: &Actor, state: &StateId, verdict: Verdict) {
        let seats = self.node.take().map(|node| node.seats).unwrap_or_default();
        match verdict {
            Verdict::Rejected => {
                self.resume.clear();
                self.takeable = None;
            }
            Verdict::Approved => {
                let people = seats
                    .into_iter()
                    .filter(|seat| seat.status == Status::Approved)
                    .filter_map(|seat| Some(Approver { person: seat.voter?, owner: seat.owner }))
                    .collect();
                let passed = Passed { state: state.clone(), people, void: false };
                match self.passed.iter_mut().find(|old| old.state == *state) {
                    Some(old) => *old = passed,
                    None => self.passed.push(passed),
                }
                if let Actor::Human { person, .. } = actor {
                    self.takeable = Some((person.clone(), state.clone()));
                }
            }
        }
    }

    fn sent_back(&mut self, to: &BackTo, way: Way, voids: &[StateId]) {
        let sender = self.token.state.clone();
        self.node = None;
        self.takeable = None;
        match (way, to) {
            (Way::Restart, BackTo::Requester) => {
                self.void(voids);
                self.resume.clear();
                self.phase = Phase::Returned { resume: None };
                Arc::make_mut(&mut self.token).timers.clear();
            }
            (Way::Resume, BackTo::Requester) => {
                self.phase = Phase::Returned { resume: Some(sender) };
                Arc::make_mut(&mut self.token).timers.clear();
            }
            (Way::Restart, BackTo::Node(_)) => {
                self.void(voids);
                self.resume.clear();
            }
            (Way::Resume, BackTo::Node(target)) => {
                if let Some(passed) = self.passed.iter_mut().find(|old| old.state == *target) {
                    passed.void = true;
                    passed.people.clear();
                }
                self.resume.push(sender);
            }
        }
    }

    fn added(
        &mut self,
        actor: &Actor,
        to: SeatId,
        place: Beside,
        people: &[ActorId],
        stopped: &[SeatTimer],
    ) -> Result<(), Corrupt> {
        let group = match self.seat(to)?.origin {
            Origin::Assigned { group } | Origin::Added { group, .. } => group,
        };
        let node = self.node()?;
        if node.seats.len().saturating_add(people.len()) > MAX_SEATS {
            return Err(Corrupt::TooManySeats);
        }
        let by = match actor {
            Actor::Human { person, .. } => person.clone(),
            Actor::System(_) => return Err(Corrupt::NoSeat { seat: to }),
        };
        if place == Beside::Before
            && let Some(adder) = node.seat_mut(to)
        {
            adder.status = Status::Held;
            adder.timers = stopped.to_vec().into();
        }
        for person in people {
            node.seats.push(Seat {
                owner: person.clone(),
                holder: person.clone(),
                asked: None,
                origin: Origin::Added { to, by: by.clone(), place, group },
                status: Status::Waiting,
                hops: 0,
                timers: SeatTimers::default(),
                voter: None,
            });
        }
        Ok(())
    }

    fn migrated(
        &mut self,
        pin: &Pin,
        token: &Token,
        renamed: &[(StateId, StateId)],
        keeps_node: bool,
        voids: &[StateId],
    ) {
        let rename = |state: &StateId| {
            let new = renamed.iter().find(|(old, _)| old == state);
            new.map_or_else(|| state.clone(), |(_, new)| new.clone())
        };
        self.pin = Arc::new(pin.clone());
        self.void(voids);
        for passed in &mut self.passed {
            passed.state = rename(&passed.state);
        }
        self.resume.retain(|state| !voids.contains(state));
        self.resume = self.resume.iter().map(rename).collect();
        self.opened = Arc::new(self.opened.iter().map(rename).collect());
        self.takeable = self
            .takeable
            .take()
            .filter(|(_, state)| !voids.contains(state))
            .map(|(person, state)| (person, rename(&state)));
        if let Phase::Returned { resume: Some(state) } = &mut self.phase {
            *state = rename(state);
        }
        match &mut self.node {
            Some(node) if keeps_node => node.state = token.state.clone(),
            Some(_) | None => self.node = None,
        }
        self.token = Arc::new(token.clone());
    }

    /// The least instant at which time alone changes the case.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.phase != Phase::Pending {
            return None;
        }
        let seats = self.node.iter().flat_map(|node| &node.seats);
        let due = seats.filter(|seat| seat.status == Status::Active).flat_map(|s| s.timers.iter());
        let seats = due
            .filter_map(|timer| match timer.run {
                Run::Due(due) => Some(due),
                Run::Left(_) | Run::Over => None,
            })
            .min();
        match (seats, self.token.next_due()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Whether a stored standing fits together.
    pub(super) fn is_consistent(&self) -> bool {
        let node = self.node.as_ref();
        let open_fits = node.is_none_or(|node| {
            self.phase == Phase::Pending
                && node.state == self.token.state
                && node.round == self.round
                && node.is_consistent()
        });
        let over = matches!(self.phase, Phase::Done | Phase::Withdrawn);
        let mut states: Vec<&StateId> = self.passed.iter().map(|passed| &passed.state).collect();
        states.sort();
        states.dedup();
        open_fits
            && (self.phase == Phase::Done) == self.token.outcome.is_some()
            && !(over && (node.is_some() || !self.token.timers.is_empty()))
            && states.len() == self.passed.len()
            && self.round >= 1
            && self.opened.len() <= MAX_STATES
    }
}

pub(super) fn new_seat(seat: &NewSeat) -> Seat {
    Seat {
        owner: seat.person.clone(),
        holder: seat.person.clone(),
        asked: None,
        origin: Origin::Assigned { group: seat.group },
        status: Status::Waiting,
        hops: 0,
        timers: SeatTimers::default(),
        voter: None,
    }
}
