//! What time does to a case.

use super::change::{BackTo, Change, MovedBy, Way};
use super::desk::Desk;
use super::node::{Run, SeatId, Status, Vote};
use super::refusal::Refusal;
use super::standing::Phase;
use crate::time::Instant;
use crate::workflow::TimerId;
use crate::workflow::journal::{Actor, Cause};
use crate::workflow::rule::TimeoutAction;
use crate::workflow::token::expire;

/// The most timers one call lets act; a verified workflow stays far below.
const MAX_ACTS: usize = 100_000;

enum Due {
    Seat(SeatId, u16),
    State(TimerId, bool),
}

impl Desk<'_> {
    /// Lets timers act that are due at or before `now`, in the order of their instants, seats before
    /// the timers of the state.
    pub(super) fn run_timers(&mut self, now: Instant) -> Result<(), Refusal> {
        if self.is_new() || self.standing()?.next_deadline().is_none_or(|due| due > now) {
            return Ok(());
        }
        if *self.standing()?.pin != *self.context.workflow.pin() {
            return Err(Refusal::OtherWorkflow);
        }
        self.by_time = true;
        for _ in 0..MAX_ACTS {
            let Some((at, due)) = self.next_due(now)? else { return Ok(()) };
            // A timer that a migration left behind, due before the migration, acts at its time.
            self.at = self.not_before.map_or(at, |last| at.max(last));
            self.actor = Actor::System(Cause::Timeout);
            match due {
                Due::Seat(seat, timeout) => self.seat_timeout(seat, timeout)?,
                Due::State(timer, true) => {
                    let context = self.context;
                    let token = self.standing()?.token.clone();
                    let facts = self.facts();
                    let moved = expire(context.workflow, &token, &timer, facts, context.hours, at);
                    self.go_or_stick(MovedBy::Timer(timer), moved.map_err(Refusal::from))?;
                }
                Due::State(timer, false) => self.note(Change::StateReminded { timer })?,
            }
        }
        Err(Refusal::Runaway { facts: self.facts().clone() })
    }

    fn next_due(&self, now: Instant) -> Result<Option<(Instant, Due)>, Refusal> {
        let standing = self.standing()?;
        if standing.phase != Phase::Pending {
            return Ok(None);
        }
        let seats = standing.node.iter().flat_map(super::node::Node::numbered);
        let seat = seats
            .filter(|(_, seat)| seat.status == Status::Active)
            .flat_map(|(id, seat)| seat.timers.iter().map(move |timer| (id, timer)))
            .filter_map(|(id, timer)| match timer.run {
                Run::Due(due) if due <= now => Some((due, id, timer.timeout)),
                Run::Due(_) | Run::Left(_) | Run::Over => None,
            })
            .min();
        let state = standing.token.due(now);
        Ok(match (seat, state) {
            (Some((due, id, timeout)), state) if state.is_none_or(|other| due <= other.due) => {
                Some((due, Due::Seat(id, timeout)))
            }
            (_, Some(timer)) => Some((timer.due, Due::State(timer.timer.clone(), timer.leaves))),
            (_, None) => None,
        })
    }

    fn seat_timeout(&mut self, seat: SeatId, timeout: u16) -> Result<(), Refusal> {
        let rule = self.open_rule()?;
        let Some(drawn) = rule.timeouts.get(usize::from(timeout)) else {
            let person = self.holder(seat)?;
            return self.note(Change::TimeoutStuck { seat, person, timeout });
        };
        match &drawn.then {
            TimeoutAction::Remind { times } => {
                let held = self.node()?.seat(seat);
                let acted = held
                    .and_then(|seat| seat.timers.iter().find(|timer| timer.timeout == timeout))
                    .map_or(0, |timer| timer.acted);
                let again = acted.saturating_add(1) < *times;
                let next = self.context.hours.after(self.at, drawn.after).filter(|_| again);
                let person = self.holder(seat)?;
                self.note(Change::SeatReminded { seat, person, timeout, next })
            }
            TimeoutAction::Approve => self.system_vote(seat, Vote::Approve),
            TimeoutAction::Reject => self.system_vote(seat, Vote::Reject),
            TimeoutAction::HandOver { role } => {
                let amount = self.amount()?;
                let directory = self.context.directory;
                let hops = self.node()?.seat(seat).map_or(0, |seat| seat.hops);
                let may_hop = hops < self.context.workflow.draft().policy.transfers_max;
                let successor = directory
                    .members(role)
                    .iter()
                    .filter_map(|person| directory.present(person, self.at))
                    .find(|person| {
                        may_hop
                            && self.may_join(person).is_ok()
                            && amount.is_none_or(|amount| directory.may_approve(person, amount))
                    });
                match (successor.cloned(), self.seat_timers(rule)) {
                    (Some(to), Ok(timers)) => self.note(Change::HandedOver { seat, to, timers }),
                    (None, _) | (_, Err(_)) => {
                        let person = self.holder(seat)?;
                        self.note(Change::TimeoutStuck { seat, person, timeout })
                    }
                }
            }
            TimeoutAction::SendBack => {
                let voids = self.standing()?.passed.iter().map(|p| p.state.clone()).collect();
                let (to, way) = (BackTo::Requester, Way::Restart);
                self.note(Change::SentBack { seat, to, way, voids })
            }
        }
    }

    fn system_vote(&mut self, seat: SeatId, vote: Vote) -> Result<(), Refusal> {
        let rule = self.open_rule()?;
        self.note(Change::Voted { seat, vote, comment: Default::default() })?;
        match self.settle(rule)? {
            Some(verdict) => self.decide_or_stick(verdict),
            None => Ok(()),
        }
    }
}
