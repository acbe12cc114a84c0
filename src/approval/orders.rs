//! What each order of a person needs, and what it does.

use alloc::string::String;
use alloc::vec::Vec;

use super::change::{BackTo, Change, MovedBy, Way};
use super::command::Order;
use super::desk::Desk;
use super::node::{Beside, Origin, SeatId, Status, Vote};
use super::refusal::Refusal;
use super::standing::Phase;
use crate::condition::compare;
use crate::id::ActorId;
use crate::time::Instant;
use crate::workflow::definition::{APPROVED, REJECTED, Stability, StateKind, Weight};
use crate::workflow::journal::{Actor, Cause};
use crate::workflow::rule::{Mode, ReapproveRule, WithdrawRule};
use crate::workflow::token::start;
use crate::workflow::{EventName, StateId};

/// The longest comment or opinion, in bytes of UTF-8.
pub(super) const MAX_TEXT: usize = 10_000;

impl Desk<'_> {
    /// Carries out an order, or refuses it.
    pub(super) fn obey(
        &mut self,
        actor: &ActorId,
        at: Instant,
        order: &Order,
    ) -> Result<(), Refusal> {
        self.at = at;
        self.begin_order();
        self.actor = Actor::Human { person: actor.clone(), on_behalf_of: None };
        if let Order::Submit { case } = order {
            return self.submit(actor, case);
        }
        if *self.standing()?.pin != *self.context.workflow.pin() {
            return Err(Refusal::OtherWorkflow);
        }
        if let Order::Copy { to } = order {
            if to.is_empty() {
                return Err(Refusal::NobodyNamed);
            }
            return self.copy(to);
        }
        if matches!(self.standing()?.phase, Phase::Done | Phase::Withdrawn) {
            return Err(Refusal::Over);
        }
        match order {
            Order::ChangeFacts => return self.change_facts(),
            Order::Withdraw => return self.withdraw(actor),
            _ => {}
        }
        if let Some(fact) = self.differing()?.first() {
            return Err(Refusal::FactsDiffer { fact: (*fact).clone() });
        }
        match (&self.standing()?.phase, order) {
            (Phase::Returned { .. }, Order::Resubmit) => return self.resubmit(actor),
            (Phase::Returned { .. }, _) => return Err(Refusal::WithRequester),
            (Phase::Stuck { .. }, Order::Retry) => return self.retry(),
            (Phase::Stuck { .. }, _) => return Err(Refusal::IsStuck),
            (_, Order::Resubmit | Order::Retry) => return Err(Refusal::NothingToRetry),
            _ => {}
        }
        match order {
            Order::Submit { .. }
            | Order::Copy { .. }
            | Order::ChangeFacts
            | Order::Withdraw
            | Order::Resubmit
            | Order::Retry => Ok(()),
            Order::Approve { comment } => self.vote(actor, Vote::Approve, comment),
            Order::Reject { comment } => self.vote(actor, Vote::Reject, comment),
            Order::Transfer { to } => self.transfer(actor, to),
            Order::AskOpinion { of } => self.ask_opinion(actor, of),
            Order::GiveOpinion { opinion } => self.give_opinion(actor, opinion),
            Order::RecallOpinion => self.recall_opinion(actor),
            Order::Add { place, people } => self.add(actor, *place, people),
            Order::Remove { person } => self.remove(actor, person),
            Order::SendBack { to, way } => self.send_back(actor, to, *way),
            Order::TakeBack => self.take_back(actor),
            Order::Fire { event } => self.fire_event(actor, event),
        }
    }

    fn submit(&mut self, actor: &ActorId, case: &crate::id::CaseId) -> Result<(), Refusal> {
        if !self.is_new() {
            return Err(Refusal::AlreadySubmitted);
        }
        let context = self.context;
        let workflow = context.workflow;
        self.note(Change::Submitted {
            case: case.clone(),
            requester: actor.clone(),
            pin: workflow.pin().clone(),
            initial: workflow.draft().initial.clone(),
            facts: self.pinned_given(),
        })?;
        let moved = start(workflow, context.facts, context.hours, self.at)?;
        self.go(MovedBy::Start, moved)
    }

    /// The active seat of a person who is not waiting for an opinion.
    fn seat_of(&mut self, actor: &ActorId) -> Result<SeatId, Refusal> {
        let (id, seat) = self
            .node()?
            .active_of(actor)
            .ok_or_else(|| Refusal::NotYourTurn { person: actor.clone() })?;
        if let Some(of) = &seat.asked {
            return Err(Refusal::OpinionAwaited { of: of.clone() });
        }
        let owner = (seat.owner != *actor).then(|| seat.owner.clone());
        self.actor = Actor::Human { person: actor.clone(), on_behalf_of: owner };
        Ok(id)
    }

    fn vote(&mut self, actor: &ActorId, vote: Vote, comment: &str) -> Result<(), Refusal> {
        let seat = self.seat_of(actor)?;
        let rule = self.open_rule()?;
        let comment = text(comment)?;
        let node = self.node()?;
        let owner = node.seat(seat).map(|seat| seat.owner.clone());
        for person in core::iter::once(actor).chain(owner.as_ref()) {
            self.barred(person, &node.state, rule)?;
        }
        if vote == Vote::Approve
            && let Some(amount) = self.amount()?
            && !self.context.directory.may_approve(actor, amount)
        {
            return Err(Refusal::ExceedsLimit { person: actor.clone(), amount });
        }
        self.note(Change::Voted { seat, vote, comment })?;
        match self.settle(rule)? {
            Some(verdict) => self.decide(verdict),
            None => Ok(()),
        }
    }

    fn may_hop(&self, seat: SeatId) -> Result<(), Refusal> {
        let hops = self.node()?.seat(seat).map_or(0, |seat| seat.hops);
        if hops >= self.context.workflow.draft().policy.transfers_max {
            return Err(Refusal::TooManyTransfers { hops });
        }
        Ok(())
    }

    fn transfer(&mut self, actor: &ActorId, to: &ActorId) -> Result<(), Refusal> {
        let seat = self.seat_of(actor)?;
        self.may_join(to)?;
        self.may_hop(seat)?;
        self.note(Change::Transferred { seat, to: to.clone() })
    }

    fn ask_opinion(&mut self, actor: &ActorId, of: &ActorId) -> Result<(), Refusal> {
        let seat = self.seat_of(actor)?;
        self.may_join(of)?;
        self.may_hop(seat)?;
        self.note(Change::OpinionAsked { seat, of: of.clone() })
    }

    fn give_opinion(&mut self, actor: &ActorId, opinion: &str) -> Result<(), Refusal> {
        let opinion = text(opinion)?;
        let asked = |seat: &super::node::Seat| {
            seat.status == Status::Active && seat.asked.as_ref() == Some(actor)
        };
        let found = self.node()?.numbered().find(|(_, seat)| asked(seat)).map(|(id, _)| id);
        let seat = found.ok_or(Refusal::NoOpinionAwaited)?;
        self.note(Change::OpinionGiven { seat, opinion })
    }

    fn recall_opinion(&mut self, actor: &ActorId) -> Result<(), Refusal> {
        let (seat, held) = self
            .node()?
            .active_of(actor)
            .ok_or_else(|| Refusal::NotYourTurn { person: actor.clone() })?;
        if held.asked.is_none() {
            return Err(Refusal::NoOpinionAwaited);
        }
        self.note(Change::OpinionRecalled { seat })
    }

    fn add(&mut self, actor: &ActorId, place: Beside, people: &[ActorId]) -> Result<(), Refusal> {
        let to = self.seat_of(actor)?;
        // Whoever holds the seat adds; the record names the holder.
        self.actor = Actor::Human { person: actor.clone(), on_behalf_of: None };
        let rule = self.open_rule()?;
        let node = self.node()?;
        let own = node.seat(to).ok_or(Refusal::NoApprovalOpen)?;
        if people.is_empty() {
            return Err(Refusal::NobodyNamed);
        }
        if place == Beside::Parallel {
            if node.mode == Mode::Sequence {
                return Err(Refusal::NoParallelInSequence);
            }
            if own.group().is_none() {
                return Err(Refusal::NotTopLevel);
            }
        }
        for (position, person) in people.iter().enumerate() {
            self.may_join(person)?;
            if people.iter().take(position).any(|earlier| earlier == person) {
                return Err(Refusal::AlreadyInvolved { person: person.clone() });
            }
        }
        let most = self.context.workflow.draft().policy.seats_max;
        let seats = node.seats.len().saturating_add(people.len());
        if seats > usize::try_from(most).unwrap_or(usize::MAX) {
            return Err(Refusal::TooManySeats { seats, most });
        }
        let stopped = if place == Beside::Before { self.stop(&own.timers) } else { Vec::new() };
        let mut tally = node.tally();
        if place == Beside::Parallel {
            let added = u32::try_from(people.len()).unwrap_or(u32::MAX);
            tally.seats = tally.seats.saturating_add(added);
            tally.needed = node.mode.needed(tally.seats);
        }
        let people = people.to_vec();
        self.note(Change::SeatsAdded { to, place, people, stopped, tally })?;
        if place == Beside::Parallel {
            // They are asked at once, like the seats of the rule.
            self.settle(rule)?;
            return Ok(());
        }
        match self.settle(rule)? {
            Some(verdict) => self.decide(verdict),
            None => Ok(()),
        }
    }

    fn remove(&mut self, actor: &ActorId, person: &ActorId) -> Result<(), Refusal> {
        let rule = self.open_rule()?;
        let node = self.node()?;
        let added_by = |seat: &super::node::Seat| match &seat.origin {
            Origin::Added { by, .. } => by == actor,
            Origin::Assigned { .. } => false,
        };
        let found = node.numbered().find(|(_, seat)| {
            added_by(seat) && seat.is_open() && (seat.owner == *person || seat.holder == *person)
        });
        let Some((seat, _)) = found else {
            return Err(Refusal::NotRemovable { person: person.clone() });
        };
        let mut without = node.clone();
        if let Some(removed) = without.seat_mut(seat) {
            removed.status = Status::Removed;
        }
        let tally = without.tally();
        self.note(Change::SeatRemoved { seat, tally })?;
        match self.settle(rule)? {
            Some(verdict) => self.decide(verdict),
            None => Ok(()),
        }
    }

    fn send_back(&mut self, actor: &ActorId, to: &BackTo, way: Way) -> Result<(), Refusal> {
        let seat = self.seat_of(actor)?;
        let standing = self.standing()?;
        let voids = match to {
            BackTo::Requester => standing.passed.iter().map(|p| p.state.clone()).collect(),
            BackTo::Node(target) => {
                let found = standing.passed_before().any(|passed| passed.state == *target);
                if !found {
                    return Err(Refusal::NotPassed { to: to.clone() });
                }
                let from = standing.passed.iter().position(|passed| passed.state == *target);
                let after = standing.passed.iter().skip(from.unwrap_or(0));
                after.map(|passed| passed.state.clone()).collect()
            }
        };
        let voids: Vec<StateId> = match way {
            Way::Restart => voids,
            Way::Resume => match to {
                BackTo::Requester => Vec::new(),
                BackTo::Node(target) => alloc::vec![target.clone()],
            },
        };
        self.note(Change::SentBack { seat, to: to.clone(), way, voids })?;
        match to {
            BackTo::Requester => Ok(()),
            BackTo::Node(target) => {
                let moved = self.jump(target)?;
                self.go(MovedBy::SentBack, moved)
            }
        }
    }

    fn resubmit(&mut self, actor: &ActorId) -> Result<(), Refusal> {
        let standing = self.standing()?;
        if standing.requester != *actor {
            return Err(Refusal::RequesterOnly);
        }
        let resume = match &standing.phase {
            Phase::Returned { resume } => resume.clone(),
            Phase::Pending | Phase::Stuck { .. } | Phase::Done | Phase::Withdrawn => None,
        };
        self.note(Change::Resubmitted)?;
        match resume {
            Some(sender) => {
                let moved = self.jump(&sender)?;
                self.go(MovedBy::Resumed, moved)
            }
            None => self.restart(),
        }
    }

    fn restart(&mut self) -> Result<(), Refusal> {
        let moved = self.jump(&self.context.workflow.draft().initial)?;
        self.go(MovedBy::Start, moved)
    }

    fn retry(&mut self) -> Result<(), Refusal> {
        let state = self.standing()?.token.state.clone();
        let moved = self.jump(&state)?;
        self.go(MovedBy::Retry, moved)
    }

    fn withdraw(&mut self, actor: &ActorId) -> Result<(), Refusal> {
        let standing = self.standing()?;
        if standing.requester != *actor {
            return Err(Refusal::RequesterOnly);
        }
        let rule = self.context.workflow.draft().policy.withdraw;
        if rule == WithdrawRule::BeforeFirstVote && standing.has_votes() {
            return Err(Refusal::VotedAlready);
        }
        self.note(Change::Withdrawn)
    }

    fn take_back(&mut self, actor: &ActorId) -> Result<(), Refusal> {
        let state = match &self.standing()?.takeable {
            Some((person, state)) if person == actor => state.clone(),
            Some(_) | None => return Err(Refusal::NothingToTakeBack),
        };
        self.note(Change::TakenBack { state: state.clone() })?;
        let moved = self.jump(&state)?;
        self.go(MovedBy::TakenBack, moved)
    }

    fn change_facts(&mut self) -> Result<(), Refusal> {
        let differing = self.differing()?;
        if differing.is_empty() {
            return Err(Refusal::NothingChanged);
        }
        let workflow = self.context.workflow;
        let policy = &workflow.draft().policy;
        let submitted = self.standing()?.facts.facts();
        let restarts = differing.iter().any(|name| {
            let Some(fact) = workflow.draft().facts.get(*name) else { return true };
            let lowered = policy.reapprove == ReapproveRule::Increase
                && policy.amount.as_ref() == Some(*name)
                && submitted
                    .get(name)
                    .zip(self.context.facts.get(name))
                    .and_then(|(old, new)| compare(new, old))
                    .is_some_and(core::cmp::Ordering::is_lt);
            // A fact that is fixed decides the way; another value needs another way.
            fact.stability == Stability::Frozen || (fact.weight == Weight::Material && !lowered)
        });
        let is_returned = matches!(self.standing()?.phase, Phase::Returned { .. });
        self.note(Change::FactsChanged { facts: self.pinned_given(), restarts })?;
        if restarts && !is_returned { self.restart() } else { Ok(()) }
    }

    /// Something happened that nobody reports as a person of the definition: an arrow for it is taken
    /// whatever role it names. Nothing happens when the present state has none.
    pub(super) fn occur(&mut self, at: Instant, event: &EventName) -> Result<(), Refusal> {
        self.at = at;
        self.by_time = false;
        self.actor = Actor::System(Cause::Occurred);
        let workflow = self.context.workflow;
        let standing = self.standing()?;
        let state = workflow.find(&standing.token.state);
        let waits = state.is_some_and(|state| !matches!(state.kind, StateKind::Approval(_)))
            && workflow.events_of(&standing.token.state).any(|awaited| awaited == event);
        if standing.phase != Phase::Pending || !waits {
            return Ok(());
        }
        if *standing.pin != *workflow.pin() {
            return Err(Refusal::OtherWorkflow);
        }
        let moved = self.fired(event)?;
        self.go(MovedBy::Event(event.clone()), moved)
    }

    fn fire_event(&mut self, actor: &ActorId, event: &EventName) -> Result<(), Refusal> {
        let workflow = self.context.workflow;
        let state = self.standing()?.token.state.clone();
        let votes = event.as_str() == APPROVED || event.as_str() == REJECTED;
        let is_approval =
            workflow.find(&state).is_some_and(|state| matches!(state.kind, StateKind::Approval(_)));
        if votes && is_approval {
            return Err(Refusal::ByVoteOnly { event: event.clone() });
        }
        let moved = self.fired(event)?;
        let first = moved.arrows.first();
        let arrow = workflow.draft().arrows.iter().find(|arrow| Some(&arrow.id) == first);
        if let Some(role) = arrow.and_then(|arrow| arrow.by.as_ref())
            && !self.context.directory.has_role(actor, role)
        {
            return Err(Refusal::NotInRole { person: actor.clone(), role: role.clone() });
        }
        self.go(MovedBy::Event(event.clone()), moved)
    }
}

fn text(text: &str) -> Result<String, Refusal> {
    if text.len() > MAX_TEXT {
        return Err(Refusal::TooLong { bytes: text.len(), most: MAX_TEXT });
    }
    Ok(text.into())
}
