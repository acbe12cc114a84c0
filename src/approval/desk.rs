//! Where a decision is made: a copy of the standing, and what was noted so far.
//!
//! Every change is applied to the copy as soon as it is noted, by the same function that replays it
//! later. So what was decided and what is replayed cannot differ.

mod seating;

use alloc::vec::Vec;

use super::change::{Change, LeftOut, MovedBy, NewSeat};
use super::command::Context;
use super::node::{MAX_SEATS, Node, SeatId, SeatTimer, Status, Verdict, Vote};
use super::refusal::Refusal;
use super::standing::{Phase, Standing, StuckReason};
use crate::condition::Facts;
use crate::explain::Fact;
use crate::id::{ActorId, FactName};
use crate::money::Money;
use crate::time::Instant;
use crate::workflow::definition::{APPROVED, REJECTED, Stability, StateKind, Weight};
use crate::workflow::journal::{Actor, Cause, ENTRY_SCHEMA, Entry};
use crate::workflow::rule::{ApprovalRule, LIMIT_MAX, Mode, SamePersonRule};
use crate::workflow::token::{Moved, enter, fire};
use crate::workflow::{EventName, StateId};

use super::node::Run;

pub(super) struct Desk<'a> {
    pub(super) context: &'a Context<'a>,
    standing: Option<Standing>,
    /// What was noted, without numbers and commands yet.
    notes: Vec<Entry<Change>>,
    /// How many of the first notes time alone caused.
    timed: usize,
    pub(super) at: Instant,
    pub(super) actor: Actor,
    pub(super) by_time: bool,
    /// The time of the last entry: nothing happens before it.
    pub(super) not_before: Option<Instant>,
    /// Fixed and material facts as submitted, the others as they are now; made when first needed.
    overlaid: Option<Facts>,
}

/// Who would be asked for an approval.
pub(super) struct Seating {
    pub(super) seats: Vec<NewSeat>,
    pub(super) left_out: Vec<LeftOut>,
    /// The verdict without anybody, with its cause.
    pub(super) alone: Option<(Verdict, Cause)>,
    pub(super) stuck: Option<StuckReason>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(context: &'a Context<'a>, standing: Option<Standing>) -> Self {
        Self {
            context,
            standing,
            notes: Vec::with_capacity(2),
            timed: 0,
            at: Instant::default(),
            actor: Actor::System(Cause::Timeout),
            by_time: false,
            not_before: None,
            overlaid: None,
        }
    }

    /// What was noted, and how many of the first entries belong to no command.
    pub(super) fn into_notes(self) -> (Vec<Entry<Change>>, usize) {
        let timed = if self.by_time { self.notes.len() } else { self.timed };
        (self.notes, timed)
    }

    /// From here on a person acts.
    pub(super) fn begin_order(&mut self) {
        self.timed = self.notes.len();
        self.by_time = false;
    }

    pub(super) fn is_new(&self) -> bool {
        self.standing.is_none()
    }

    pub(super) fn standing(&self) -> Result<&Standing, Refusal> {
        // Asked for often: a refusal is made only when it is needed.
        match &self.standing {
            Some(standing) => Ok(standing),
            None => Err(Refusal::NotSubmitted),
        }
    }

    pub(super) fn note(&mut self, change: Change) -> Result<(), Refusal> {
        match &mut self.standing {
            Some(standing) => standing.apply(self.at, &self.actor, &change)?,
            None => self.standing = Some(Standing::submitted(self.at, &change)?),
        }
        self.notes.push(Entry {
            seq: 0,
            at: self.at,
            actor: self.actor.clone(),
            command: None,
            schema: ENTRY_SCHEMA,
            body: change,
            seal: None,
        });
        Ok(())
    }

    fn note_as(&mut self, actor: Actor, change: Change) -> Result<(), Refusal> {
        let before = core::mem::replace(&mut self.actor, actor);
        let noted = self.note(change);
        self.actor = before;
        noted
    }

    pub(super) fn forget(&mut self, last: u64) -> Result<(), Refusal> {
        self.note(Change::CommandsForgotten { last })
    }

    /// The facts that decide: for a person's command the given ones, which were compared with those
    /// submitted; for a timer the submitted ones over the given ones.
    pub(super) fn facts(&mut self) -> &Facts {
        if !self.by_time {
            return self.context.facts;
        }
        let (standing, given) = (&self.standing, self.context.facts);
        self.overlaid.get_or_insert_with(|| {
            let mut facts = given.clone();
            let pinned = standing.as_ref().map(|standing| standing.facts.facts());
            for (name, fact) in pinned.into_iter().flat_map(Facts::iter) {
                facts.set(name.clone(), fact.clone());
            }
            facts
        })
    }

    /// The names of facts that are fixed or material.
    fn pinned_names(&self) -> impl Iterator<Item = &'a FactName> + use<'a> {
        let facts = &self.context.workflow.draft().facts;
        facts.iter().filter_map(|(name, fact)| {
            let pinned = fact.stability == Stability::Frozen || fact.weight == Weight::Material;
            pinned.then_some(name)
        })
    }

    /// The fixed and material facts among those given.
    pub(super) fn pinned_given(&self) -> Facts {
        self.pinned_names()
            .filter_map(|name| Some((name.clone(), self.context.facts.get(name)?.clone())))
            .collect()
    }

    /// The fixed and material facts that differ from those submitted.
    pub(super) fn differing(&self) -> Result<Vec<&'a FactName>, Refusal> {
        let submitted = self.standing()?.facts.facts();
        let given = self.context.facts;
        Ok(self.pinned_names().filter(|name| submitted.get(name) != given.get(name)).collect())
    }

    /// The amount the case is about, where the policy names one.
    pub(super) fn amount(&mut self) -> Result<Option<Money>, Refusal> {
        let Some(name) = &self.context.workflow.draft().policy.amount else { return Ok(None) };
        match self.facts().get(name) {
            Some(Fact::Amount(amount)) => Ok(Some(*amount)),
            Some(_) | None => Err(Refusal::FactMissing { fact: name.clone() }),
        }
    }

    pub(super) fn rule_of(&self, state: &StateId) -> Option<&'a ApprovalRule> {
        match &self.context.workflow.find(state)?.kind {
            StateKind::Approval(rule) => Some(rule),
            StateKind::Task { .. }
            | StateKind::Wait { .. }
            | StateKind::Choice
            | StateKind::Final { .. } => None,
        }
    }

    pub(super) fn node(&self) -> Result<&Node, Refusal> {
        match &self.standing()?.node {
            Some(node) => Ok(node),
            None => Err(Refusal::NoApprovalOpen),
        }
    }

    /// The holder of a seat of the open approval.
    pub(super) fn holder(&self, seat: SeatId) -> Result<ActorId, Refusal> {
        let found = self.node()?.seat(seat).map(|seat| seat.holder.clone());
        found.ok_or(Refusal::NoApprovalOpen)
    }

    /// The rule of the open approval.
    pub(super) fn open_rule(&self) -> Result<&'a ApprovalRule, Refusal> {
        let state = &self.node()?.state;
        self.rule_of(state).ok_or(Refusal::NoApprovalOpen)
    }

    /// Opens the approval of the present state. The verdict, if nobody has to be asked.
    fn open(&mut self, rule: &ApprovalRule) -> Result<Option<(Verdict, Actor)>, Refusal> {
        let state = self.standing()?.token.state.clone();
        let seating = self.seating(&state, rule)?;
        if let Some((verdict, cause)) = seating.alone {
            return Ok(Some((verdict, Actor::System(cause))));
        }
        if let Some(reason) = seating.stuck {
            self.note_as(Actor::System(Cause::NoApprover), Change::Stuck { reason })?;
            return Ok(None);
        }
        let (seats, left_out) = (seating.seats, seating.left_out);
        let people = seats.len().saturating_add(left_out.len());
        if people > MAX_SEATS {
            return Err(Refusal::TooManySeats { seats: people, most: LIMIT_MAX });
        }
        let mut node = Node {
            state: state.clone(),
            round: 1,
            opened: self.at,
            mode: rule.mode,
            reject: rule.reject,
            seats: Vec::new(),
        };
        node.seats.extend(seats.iter().map(super::standing::new_seat));
        let groups = u32::try_from(rule.groups.len()).unwrap_or(u32::MAX);
        if !node.can_be_approved(groups) {
            let reason = StuckReason::TooFewPeople;
            self.note_as(Actor::System(Cause::NoApprover), Change::Stuck { reason })?;
            return Ok(None);
        }
        let passing: Vec<SeatId> = node
            .numbered()
            .filter(|(_, seat)| self.passes(&seat.owner))
            .map(|(id, _)| id)
            .collect();
        let (mode, reject, tally) = (rule.mode, rule.reject, node.tally());
        self.note(Change::NodeOpened { state, mode, reject, seats, left_out, tally })?;
        self.copy_roles(rule)?;
        let passed = Actor::System(Cause::SamePerson);
        for seat in passing {
            let change = Change::Voted { seat, vote: Vote::Approve, comment: Default::default() };
            self.note_as(passed.clone(), change)?;
            if let Some(verdict) = self.node()?.verdict() {
                return Ok(Some((verdict, passed)));
            }
        }
        self.settle(rule).map(|verdict| verdict.map(|verdict| (verdict, self.actor.clone())))
    }

    fn copy_roles(&mut self, rule: &ApprovalRule) -> Result<(), Refusal> {
        let mut to: Vec<ActorId> = Vec::new();
        for role in &rule.copies {
            for person in self.candidates(role)? {
                if !to.contains(&person) {
                    to.push(person);
                }
            }
        }
        self.copy(&to)
    }

    /// Tells people, so many in one entry as one can have.
    pub(super) fn copy(&mut self, to: &[ActorId]) -> Result<(), Refusal> {
        to.chunks(MAX_SEATS).try_for_each(|to| self.note(Change::Copied { to: to.to_vec() }))
    }

    /// Whether a person's own earlier approval counts for the present state too.
    fn passes(&self, person: &ActorId) -> bool {
        let Some(standing) = &self.standing else { return false };
        let voted = |passed: &super::standing::Passed| {
            passed.people.iter().any(|one| one.person == *person)
                && passed.state != standing.token.state
        };
        match self.context.workflow.draft().policy.same_person {
            SamePersonRule::Off => false,
            SamePersonRule::Adjacent => standing.passed_before().last().is_some_and(voted),
            SamePersonRule::Any => standing.passed_before().any(voted),
        }
    }

    // ------------------------------------------------------------ settling

    /// Everything that follows from the present votes, up to a verdict.
    pub(super) fn settle(&mut self, rule: &ApprovalRule) -> Result<Option<Verdict>, Refusal> {
        loop {
            let node = self.node()?;
            if let Some(verdict) = node.verdict() {
                return Ok(Some(verdict));
            }
            if node.is_settled_by_votes() {
                return Ok(None);
            }
            let votes = node.effective();
            let lost = pointless(node, &votes);
            if !lost.is_empty() {
                self.note(Change::SeatsClosed { seats: lost })?;
                continue;
            }
            let Some((seat, held)) = next_turn(node, &votes) else { return Ok(None) };
            let timers = match held {
                Some(stopped) => self.go_on(rule, &stopped)?,
                None => self.seat_timers(rule)?,
            };
            let person = self.holder(seat)?;
            self.note(Change::SeatActivated { seat, person, timers })?;
        }
    }

    /// Timers that stood still go on with what was left.
    fn go_on(&self, rule: &ApprovalRule, stopped: &[SeatTimer]) -> Result<Vec<SeatTimer>, Refusal> {
        let mut timers = stopped.to_vec();
        for timer in &mut timers {
            let Run::Left(left) = timer.run else { continue };
            let timeout = rule.timeouts.get(usize::from(timer.timeout));
            let clock = timeout.map_or(timer.clock, |timeout| timeout.after.clock());
            let span = crate::workflow::span::Span::new(clock, left);
            let due =
                if left == 0 { Some(self.at) } else { self.context.hours.after(self.at, span) };
            timer.run = Run::Due(due.ok_or_else(|| self.no_hours())?);
        }
        Ok(timers)
    }

    /// Stops the running timers of a seat.
    pub(super) fn stop(&self, timers: &[SeatTimer]) -> Vec<SeatTimer> {
        let mut timers = timers.to_vec();
        for timer in &mut timers {
            if let Run::Due(due) = timer.run {
                timer.run = Run::Left(self.context.hours.between(timer.clock, self.at, due));
            }
        }
        timers
    }

    // ------------------------------------------------------------ moving

    /// Enters the state a move leads to, and everything that follows without anybody acting.
    pub(super) fn go(&mut self, by: MovedBy, moved: Moved) -> Result<(), Refusal> {
        let (mut by, mut moved) = (by, moved);
        let most = self.context.workflow.draft().states.len().saturating_mul(2).saturating_add(8);
        for _ in 0..most {
            self.enter(by, moved)?;
            if self.standing()?.phase != Phase::Pending {
                return Ok(());
            }
            let state = &self.standing()?.token.state;
            let Some(rule) = self.rule_of(state) else { return Ok(()) };
            let Some((verdict, actor)) = self.open(rule)? else { return Ok(()) };
            self.actor = actor;
            (by, moved) = self.leave(verdict)?;
        }
        Err(Refusal::Runaway { facts: self.facts().clone() })
    }

    /// Notes a verdict and everything that follows.
    pub(super) fn decide(&mut self, verdict: Verdict) -> Result<(), Refusal> {
        let (by, moved) = self.leave(verdict)?;
        self.go(by, moved)
    }

    /// Notes the verdict and finds where it leads.
    fn leave(&mut self, verdict: Verdict) -> Result<(MovedBy, Moved), Refusal> {
        let standing = self.standing()?;
        let state = standing.token.state.clone();
        let tally = standing.node.as_ref().map(Node::tally).unwrap_or_default();
        self.note(Change::NodeDecided { state, verdict, tally })?;
        let resume = self.standing()?.resume.last().cloned();
        if let (Verdict::Approved, Some(sender)) = (verdict, resume) {
            return Ok((MovedBy::Resumed, self.jump(&sender)?));
        }
        let event = match verdict {
            Verdict::Approved => APPROVED,
            Verdict::Rejected => REJECTED,
        };
        let event = EventName::new(event).map_err(|_| Refusal::NoApprovalOpen)?;
        let moved = self.fired(&event)?;
        Ok((MovedBy::Verdict(verdict), moved))
    }

    /// The move on an event.
    pub(super) fn fired(&mut self, event: &EventName) -> Result<Moved, Refusal> {
        let (context, at) = (self.context, self.at);
        let token = self.standing()?.token.clone();
        Ok(fire(context.workflow, &token, event, self.facts(), context.hours, at)?)
    }

    /// The move straight to a state.
    pub(super) fn jump(&mut self, state: &StateId) -> Result<Moved, Refusal> {
        let (context, at) = (self.context, self.at);
        Ok(enter(context.workflow, state, Vec::new(), self.facts(), context.hours, at)?)
    }

    fn enter(&mut self, by: MovedBy, moved: Moved) -> Result<(), Refusal> {
        let standing = self.standing()?;
        let target = &moved.to.state;
        let submitted = self.notes.last().map(|note| &note.body);
        let first = matches!(submitted, Some(Change::Submitted { .. }));
        // Coming back to an approval that counts voids it and what came after. On the way back after
        // sending back, the approvals between stay.
        let keeps = matches!(by, MovedBy::SentBack | MovedBy::Resumed);
        let again = standing.passed.iter().position(|passed| passed.state == *target);
        let voids: Vec<StateId> = match again {
            Some(place) if !keeps => {
                standing.passed.iter().skip(place).map(|passed| passed.state.clone()).collect()
            }
            Some(_) | None => Vec::new(),
        };
        let is_approval = self.rule_of(target).is_some();
        let reopened = is_approval && standing.opened.contains(target);
        let jumps = matches!(
            by,
            MovedBy::SentBack | MovedBy::Resumed | MovedBy::TakenBack | MovedBy::Start
        );
        let new_round = (jumps && !first) || reopened || !voids.is_empty();
        let (used, most) = (standing.rounds_used, self.context.workflow.draft().policy.rounds_max);
        if new_round && used >= most {
            return Err(Refusal::TooManyRounds { rounds: used });
        }
        self.note(Change::Moved { by, moved, new_round, voids })
    }

    /// Moves a case that goes on by time; what stands in the way leaves it stuck.
    pub(super) fn go_or_stick(
        &mut self,
        by: MovedBy,
        moved: Result<Moved, Refusal>,
    ) -> Result<(), Refusal> {
        self.or_stick(|desk| moved.and_then(|moved| desk.go(by, moved)))
    }

    /// Notes a verdict reached by time and everything that follows.
    pub(super) fn decide_or_stick(&mut self, verdict: Verdict) -> Result<(), Refusal> {
        self.or_stick(|desk| desk.decide(verdict))
    }

    fn or_stick(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let (kept, written) = (self.standing.clone(), self.notes.len());
        let Err(refusal) = act(self) else { return Ok(()) };
        let reason = match refusal {
            Refusal::TooManyRounds { .. } => StuckReason::TooManyRounds,
            _ => StuckReason::Undecided,
        };
        self.standing = kept;
        self.notes.truncate(written);
        self.note_as(Actor::System(Cause::Timeout), Change::Stuck { reason })
    }
}

/// Open seats whose vote no longer matters to the seat they serve, or that were overruled.
fn pointless(node: &Node, votes: &[Option<bool>]) -> Vec<SeatId> {
    let mut lost: Vec<SeatId> = Vec::new();
    for (id, seat) in node.numbered() {
        let refused = |id: SeatId| votes.get(usize::from(id)) == Some(&Some(false));
        let serves_lost = seat.serves().is_some_and(|(to, _)| {
            let closed = node.seat(to).is_some_and(|adder| {
                matches!(adder.status, Status::Closed | Status::Removed | Status::Rejected)
            });
            refused(to) || closed || lost.contains(&to)
        });
        if seat.is_open() && (serves_lost || refused(id)) {
            lost.push(id);
        }
    }
    lost
}

/// The next seat whose turn comes, with its stopped timers when it was held.
fn next_turn(node: &Node, votes: &[Option<bool>]) -> Option<(SeatId, Option<Vec<SeatTimer>>)> {
    let agreed = |id: SeatId| votes.get(usize::from(id)) == Some(&Some(true));
    let mut earlier_open = false;
    for (id, seat) in node.numbered() {
        let top = seat.serves().is_none();
        let turn = match (seat.status, seat.serves()) {
            (Status::Held, _) => {
                let waits = node.numbered().any(|(before, other)| {
                    other.status != Status::Removed
                        && other.serves() == Some((id, super::node::Beside::Before))
                        && !agreed(before)
                });
                !waits
            }
            (Status::Waiting, Some((_, super::node::Beside::Before))) => true,
            (Status::Waiting, Some((to, _))) => {
                node.seat(to).is_some_and(|adder| adder.status == Status::Approved)
            }
            (Status::Waiting, None) => node.mode != Mode::Sequence || !earlier_open,
            _ => false,
        };
        if turn {
            let held = (seat.status == Status::Held).then(|| seat.timers.to_vec());
            return Some((id, held));
        }
        if top && seat.status != Status::Removed && !agreed(id) {
            earlier_open = true;
        }
    }
    None
}
