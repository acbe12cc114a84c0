//! Who is asked for an approval: duties, candidates, limits, and the clocks of seats.

use alloc::vec::Vec;

use super::{Desk, Seating};
use crate::approval::change::{LeftOut, LeftOutReason, NewSeat};
use crate::approval::node::{Run, SeatTimer, Verdict};
use crate::approval::refusal::Refusal;
use crate::approval::standing::{Approver, Passed, StuckReason};
use crate::explain::Fact;
use crate::id::ActorId;
use crate::money::Money;
use crate::workflow::definition::{REQUESTER, REQUESTER_MANAGER};
use crate::workflow::journal::Cause;
use crate::workflow::rule::{ApprovalRule, Mode, OnEmpty, RequesterRule};
use crate::workflow::token::StuckToken;
use crate::workflow::{RoleCode, StateId};

impl<'a> Desk<'a> {
    /// Why a person may not decide at an approval, whatever the amount.
    pub(in crate::approval) fn barred(
        &self,
        person: &ActorId,
        state: &StateId,
        rule: &ApprovalRule,
    ) -> Result<(), Refusal> {
        let standing = self.standing()?;
        if standing.requester == *person && rule.requester != RequesterRule::Allowed {
            return Err(Refusal::SelfApproval { person: person.clone() });
        }
        let apart = self.context.workflow.kept_apart(state);
        if apart.is_empty() {
            return Ok(());
        }
        for passed in standing.passed.iter().filter(|passed| !passed.void) {
            let took_part = |one: &crate::approval::standing::Approver| {
                one.person == *person || one.owner == *person
            };
            if apart.contains(&passed.state) && passed.people.iter().any(took_part) {
                let (person, state) = (person.clone(), passed.state.clone());
                return Err(Refusal::DutyConflict { person, state });
            }
        }
        Ok(())
    }

    /// Why a person may not join the open approval.
    pub(in crate::approval) fn may_join(&self, person: &ActorId) -> Result<(), Refusal> {
        let rule = self.open_rule()?;
        let node = self.node()?;
        self.barred(person, &node.state, rule)?;
        if node.seats.iter().any(|seat| seat.involves(person)) {
            return Err(Refusal::AlreadyInvolved { person: person.clone() });
        }
        Ok(())
    }

    // ------------------------------------------------------------ opening

    pub(in crate::approval) fn candidates(&self, role: &RoleCode) -> Result<Vec<ActorId>, Refusal> {
        let requester = &self.standing()?.requester;
        Ok(match role.as_str() {
            REQUESTER => alloc::vec![requester.clone()],
            REQUESTER_MANAGER => {
                self.context.directory.superior(requester).cloned().into_iter().collect()
            }
            _ => self.context.directory.members(role).to_vec(),
        })
    }

    /// Who is asked, who is left out, and what happens when nobody is left.
    pub(in crate::approval) fn seating(
        &mut self,
        state: &StateId,
        rule: &ApprovalRule,
    ) -> Result<Seating, Refusal> {
        let amount = self.amount()?;
        let mut seating =
            Seating { seats: Vec::new(), left_out: Vec::new(), alone: None, stuck: None };
        if let Some(small) = &rule.small
            && amount.is_some_and(|amount| {
                amount.currency() == small.at_most.currency() && amount <= small.at_most
            })
            && self.runs_below(small)?
        {
            seating.alone = Some((Verdict::Approved, Cause::Rule(small.rule.clone())));
            return Ok(seating);
        }
        for (group, drawn) in rule.groups.iter().enumerate() {
            let group = u32::try_from(group).unwrap_or(u32::MAX);
            for role in &drawn.roles {
                for person in self.candidates(role)? {
                    self.seat(&mut seating, state, rule, &person, group, amount)?;
                }
            }
        }
        if seating.seats.is_empty() {
            match &rule.on_empty {
                OnEmpty::Approve => seating.alone = Some((Verdict::Approved, Cause::NoApprover)),
                OnEmpty::Reject => seating.alone = Some((Verdict::Rejected, Cause::NoApprover)),
                OnEmpty::Assign { role } => {
                    for person in self.candidates(role)? {
                        self.seat(&mut seating, state, rule, &person, 0, amount)?;
                    }
                }
                OnEmpty::Error => {}
            }
            if seating.seats.is_empty() && seating.alone.is_none() {
                seating.stuck = Some(StuckReason::NobodyLeft);
            }
        }
        Ok(seating)
    }

    pub(in crate::approval) fn runs_below(
        &mut self,
        small: &crate::workflow::rule::SmallAmount,
    ) -> Result<bool, Refusal> {
        let Some(running) = &small.running else { return Ok(true) };
        match self.facts().get(&running.fact) {
            Some(Fact::Amount(total)) => {
                Ok(total.currency() == running.below.currency() && *total < running.below)
            }
            Some(_) | None => Err(Refusal::FactMissing { fact: running.fact.clone() }),
        }
    }

    /// Seats one candidate: the absent are replaced first, then the others are left out.
    pub(in crate::approval) fn seat(
        &self,
        seating: &mut Seating,
        state: &StateId,
        rule: &ApprovalRule,
        candidate: &ActorId,
        group: u32,
        amount: Option<Money>,
    ) -> Result<(), Refusal> {
        let directory = self.context.directory;
        let Some(person) = directory.present(candidate, self.at) else {
            let person = candidate.clone();
            seating.left_out.push(LeftOut { person, because: LeftOutReason::Absent });
            return Ok(());
        };
        let is_requester = self.standing()?.requester == *person;
        if let (true, RequesterRule::Replace { role }) = (is_requester, &rule.requester) {
            let because = LeftOutReason::Requester;
            seating.left_out.push(LeftOut { person: person.clone(), because });
            for other in directory.members(role) {
                let Some(present) = directory.present(other, self.at) else { continue };
                if self.standing()?.requester != *present {
                    self.place(seating, state, rule, present, group, amount);
                }
            }
            return Ok(());
        }
        self.place(seating, state, rule, person, group, amount);
        Ok(())
    }

    pub(in crate::approval) fn place(
        &self,
        seating: &mut Seating,
        state: &StateId,
        rule: &ApprovalRule,
        person: &ActorId,
        group: u32,
        amount: Option<Money>,
    ) {
        let because = match self.barred(person, state, rule) {
            Err(Refusal::SelfApproval { .. }) => Some(LeftOutReason::Requester),
            Err(_) => Some(LeftOutReason::DutyConflict),
            Ok(()) => match amount {
                Some(amount) if !self.context.directory.may_approve(person, amount) => {
                    Some(LeftOutReason::BelowLimit)
                }
                _ if seating.seats.iter().any(|seat| seat.person == *person) => {
                    Some(LeftOutReason::Duplicate)
                }
                _ => None,
            },
        };
        let person = person.clone();
        match because {
            Some(because) => seating.left_out.push(LeftOut { person, because }),
            None => seating.seats.push(NewSeat { person, group }),
        }
    }

    /// Takes an approval as given, for a forecast: by everybody where everybody has to agree.
    pub(in crate::approval) fn assume_approved(
        &mut self,
        state: &StateId,
        rule: &ApprovalRule,
        seats: &[NewSeat],
    ) {
        let surely = match rule.mode {
            Mode::All | Mode::Sequence => true,
            Mode::Any | Mode::Count(_) | Mode::Ratio(_) | Mode::EachGroup(_) => seats.len() == 1,
        };
        let people = seats
            .iter()
            .filter(|_| surely)
            .map(|seat| Approver { person: seat.person.clone(), owner: seat.person.clone() });
        let passed = Passed { state: state.clone(), people: people.collect(), void: false };
        if let Some(standing) = &mut self.standing {
            standing.passed.retain(|earlier| earlier.state != *state);
            standing.passed.push(passed);
        }
    }

    /// The timers of a seat whose turn comes now.
    pub(in crate::approval) fn seat_timers(
        &self,
        rule: &ApprovalRule,
    ) -> Result<Vec<SeatTimer>, Refusal> {
        let mut timers = Vec::with_capacity(rule.timeouts.len());
        for (position, timeout) in rule.timeouts.iter().enumerate() {
            let due = self.context.hours.after(self.at, timeout.after);
            timers.push(SeatTimer {
                timeout: u16::try_from(position).unwrap_or(u16::MAX),
                clock: timeout.after.clock(),
                run: Run::Due(due.ok_or_else(|| self.no_hours())?),
                acted: 0,
            });
        }
        Ok(timers)
    }

    pub(in crate::approval) fn no_hours(&self) -> Refusal {
        let state = self.standing.as_ref().map(|standing| standing.token.state.clone());
        match (state, crate::workflow::TimerId::new("seat")) {
            (Some(state), Ok(timer)) => Refusal::Token(StuckToken::NoHours { state, timer }),
            _ => Refusal::NotSubmitted,
        }
    }
}
