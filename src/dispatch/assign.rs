//! Assignment: who gets the next case, one by one or several at once.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::agent::{Abilities, Exclusion, Need, Preference, Seat};
use super::board::Board;
use super::rules::{DispatchBook, DispatchRule, Nobody, OwnerRule};
use crate::calendar::book::Calendars;
use crate::condition::Facts;
use crate::explain::{Effect, Explained, Fact, Finding};
use crate::id::{ActorId, CalendarId, CaseId, RuleId};
use crate::time::{Instant, Interval};

/// A case that needs an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// The case.
    pub case: CaseId,
    /// What rules ask for.
    pub facts: Facts,
    /// Who had the case, or the customer, before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<ActorId>,
    /// The next deadline of the case; in a batch the earliest goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
}

/// What dispatch decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// An agent has the case.
    Assigned {
        /// Who.
        agent: ActorId,
        /// By which rule.
        rule: RuleId,
        /// The effort taken from the agent's capacity.
        effort: u32,
    },
    /// Nobody can take it now.
    Waiting {
        /// The last rule that was tried.
        rule: RuleId,
        /// When the next shift of somebody able begins or somebody able comes back, by any rule that
        /// was tried; none when the reason is capacity or nobody is able.
        try_again: Option<Instant>,
    },
    /// No rule is for this case.
    NoRule,
}

/// An agent's case that may have to move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenAssignment {
    /// The case.
    pub ticket: Ticket,
    /// Who has it.
    pub agent: ActorId,
    /// The effort taken.
    pub effort: u32,
}

/// The agent chosen, and why before the others.
type Choice = Option<(usize, Preference)>;

impl Board {
    /// Gives one case to an agent, or says why it waits. The load of the agent grows.
    ///
    /// The findings list every rule that was asked, how many agents were left out for which reason,
    /// and for the agent chosen the [`Preference`] that decided over the next one;
    /// [`Board::exclusions`] and [`Board::ranking`] have it agent by agent.
    pub fn assign(
        &mut self,
        book: &DispatchBook,
        calendars: &Calendars,
        ticket: &Ticket,
        now: Instant,
    ) -> Explained<Outcome> {
        let mut findings = Vec::new();
        let mut waiting = Outcome::NoRule;
        let mut soonest: Option<Instant> = None;
        for rule in book.rules() {
            let finding = |effect| Finding::new(book.reference(rule), effect);
            if !rule.when.evaluate(&ticket.facts).holds() {
                findings.push(finding(Effect::Passes));
                continue;
            }
            let need = self.need(rule, calendars, ticket, now);
            let (choice, left_out) = self.choose(rule, &need, ticket, now);
            for (reason, count) in left_out {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                let left_out = finding(Effect::Denies).observed(Fact::Count(count));
                findings.push(left_out.required(Fact::code(reason)));
            }
            if let Some((place, why)) = choice
                && let Some(agent) = self.give(place, rule.effort)
            {
                let chosen = finding(Effect::Sets).observed(Fact::code(&agent));
                findings.push(chosen.required(Fact::code(why)));
                let value = Outcome::Assigned { agent, rule: rule.id.clone(), effort: rule.effort };
                return Explained::new(value, findings);
            }
            let coming = self.try_again(rule, &need, calendars, now);
            soonest = soonest.into_iter().chain(coming).min();
            waiting = Outcome::Waiting { rule: rule.id.clone(), try_again: soonest };
            if rule.nobody == Nobody::Wait {
                break;
            }
        }
        Explained::new(waiting, findings)
    }

    /// Gives out several cases: the earliest deadline first, cases without one last, then by case id.
    /// The decisions come in that order.
    pub fn assign_batch(
        &mut self,
        book: &DispatchBook,
        calendars: &Calendars,
        tickets: &[Ticket],
        now: Instant,
    ) -> Vec<(CaseId, Explained<Outcome>)> {
        let mut order: Vec<&Ticket> = tickets.iter().collect();
        order.sort_by_key(|ticket| (ticket.due.is_none(), ticket.due, &ticket.case));
        let assign =
            |ticket: &Ticket| (ticket.case.clone(), self.assign(book, calendars, ticket, now));
        order.into_iter().map(assign).collect()
    }

    /// Moves the cases of agents who are absent now to others, as a batch. Cases of agents who are
    /// there stay, and so does a case that nobody else can take: it waits with its decision, and its
    /// effort is given back to the absent agent.
    pub fn reassign_absent(
        &mut self,
        book: &DispatchBook,
        calendars: &Calendars,
        open: &[OpenAssignment],
        now: Instant,
    ) -> Vec<(CaseId, Explained<Outcome>)> {
        let is_away = |assignment: &&OpenAssignment| {
            let seat = self.place(&assignment.agent).and_then(|place| self.seats.get(place));
            seat.is_none_or(|seat| seat.is_absent(now))
        };
        let mut moving: Vec<&OpenAssignment> = open.iter().filter(is_away).collect();
        moving.sort_by_key(|a| (a.ticket.due.is_none(), a.ticket.due, &a.ticket.case));
        let mut moved = Vec::with_capacity(moving.len());
        for assignment in moving {
            // An agent who left the board has no load.
            let before = self.seat_mut(&assignment.agent).map(|seat| seat.agent.load);
            let _ = self.release(&assignment.agent, assignment.effort);
            let decision = self.assign(book, calendars, &assignment.ticket, now);
            if !matches!(decision.value, Outcome::Assigned { .. })
                && let Ok(load) = before
                && let Ok(seat) = self.seat_mut(&assignment.agent)
            {
                seat.agent.load = load;
            }
            moved.push((assignment.ticket.case.clone(), decision));
        }
        moved
    }

    /// Why each agent can or cannot take a case under a rule, in the order of ids; none means the
    /// agent can.
    #[must_use]
    pub fn exclusions(
        &self,
        rule: &DispatchRule,
        calendars: &Calendars,
        ticket: &Ticket,
        now: Instant,
    ) -> Vec<(&ActorId, Option<Exclusion>)> {
        let need = self.need(rule, calendars, ticket, now);
        let verdict = |seat: &Seat| seat.exclusion(rule, &need, now);
        self.seats.iter().map(|seat| (&seat.agent.id, verdict(seat))).collect()
    }

    fn need(
        &self,
        rule: &DispatchRule,
        calendars: &Calendars,
        ticket: &Ticket,
        now: Instant,
    ) -> Need {
        let skills = rule.skills.iter().try_fold(Abilities::default(), |mut all, skill| {
            all.add(*self.skills.get(skill)?);
            Some(all)
        });
        let language = rule.language.as_ref().and_then(|fact| ticket.facts.get(fact));
        let language = language.map(|fact| {
            let Fact::Code(code) = fact else { return None };
            let number = *self.languages.get(code.as_str())?;
            let mut spoken = Abilities::default();
            spoken.add(number);
            Some(spoken)
        });
        // A shift whose calendar is missing or does not reach is not on: nobody is called at night by
        // mistake.
        let is_on = |shift: &CalendarId| {
            let calendar = calendars.get(shift);
            calendar.and_then(|calendar| calendar.is_open(now).ok()).is_some_and(|open| open.value)
        };
        Need { skills, language, on_shift: self.shifts.iter().map(is_on).collect() }
    }

    /// The agents who can take a case under a rule, in the order in which they are asked, each with
    /// what decides over the next one; [`Preference::OnlyOne`]
    /// for the last.
    #[must_use]
    pub fn ranking(
        &self,
        rule: &DispatchRule,
        calendars: &Calendars,
        ticket: &Ticket,
        now: Instant,
    ) -> Vec<(&ActorId, Preference)> {
        let need = self.need(rule, calendars, ticket, now);
        let is_able = |seat: &&Seat| seat.exclusion(rule, &need, now).is_none();
        let mut able: Vec<&Seat> = self.seats.iter().filter(is_able).collect();
        let owner = ticket.owner.as_ref().filter(|_| rule.owner == OwnerRule::First);
        let is_owner = |seat: &Seat| Some(&seat.agent.id) == owner;
        able.sort_by(|one, other| {
            let by_owner = is_owner(other).cmp(&is_owner(one));
            by_owner.then_with(|| one.compare(other, rule).0)
        });
        let nexts = able.iter().skip(1).map(Some).chain([None]);
        let why = |seat: &Seat, next: Option<&&Seat>| match next {
            _ if is_owner(seat) => Preference::Owner,
            None => Preference::OnlyOne,
            Some(next) => seat.compare(next, rule).1,
        };
        able.iter().zip(nexts).map(|(seat, next)| (&seat.agent.id, why(seat, next))).collect()
    }

    /// The agent for a case with the reason, and how many were left out for which reason.
    fn choose(
        &self,
        rule: &DispatchRule,
        need: &Need,
        ticket: &Ticket,
        now: Instant,
    ) -> (Choice, BTreeMap<Exclusion, usize>) {
        let mut left_out: BTreeMap<Exclusion, usize> = BTreeMap::new();
        if rule.owner == OwnerRule::First
            && let Some(place) = ticket.owner.as_ref().and_then(|owner| self.place(owner))
            && let Some(seat) = self.seats.get(place)
            && seat.exclusion(rule, need, now).is_none()
        {
            return (Some((place, Preference::Owner)), left_out);
        }
        let mut best: Option<(usize, &Seat)> = None;
        let mut second: Option<&Seat> = None;
        for (place, seat) in self.seats.iter().enumerate() {
            if let Some(reason) = seat.exclusion(rule, need, now) {
                let count = left_out.entry(reason).or_default();
                *count = count.saturating_add(1);
                continue;
            }
            let is_before = |other: &Seat| seat.compare(other, rule).0.is_lt();
            if best.is_none_or(|(_, other)| is_before(other)) {
                second = best.map(|(_, other)| other);
                best = Some((place, seat));
            } else if second.is_none_or(is_before) {
                second = Some(seat);
            }
        }
        let choice = best.map(|(place, seat)| {
            let why = second.map(|next| seat.compare(next, rule).1);
            (place, why.unwrap_or(Preference::OnlyOne))
        });
        (choice, left_out)
    }

    fn give(&mut self, place: usize, effort: u32) -> Option<ActorId> {
        let seat = self.seats.get_mut(place)?;
        self.given = self.given.saturating_add(1);
        seat.agent.load = seat.agent.load.saturating_add(effort);
        seat.got = seat.got.saturating_add(1);
        seat.last = self.given;
        Some(seat.agent.id.clone())
    }

    /// When somebody able comes on shift or back.
    fn try_again(
        &self,
        rule: &DispatchRule,
        need: &Need,
        calendars: &Calendars,
        now: Instant,
    ) -> Option<Instant> {
        let mut openings: Vec<Option<Option<Instant>>> = alloc::vec![None; self.shifts.len()];
        let mut opening = |shift: usize| -> Option<Instant> {
            let known = openings.get_mut(shift)?;
            *known.get_or_insert_with(|| {
                let calendar = self.shifts.get(shift).and_then(|shift| calendars.get(shift))?;
                calendar.next_open(now).ok().map(|open| open.value)
            })
        };
        let coming =
            self.seats.iter().filter_map(|seat| match seat.exclusion(rule, need, now)? {
                Exclusion::OffShift => opening(seat.shift?),
                Exclusion::Absent => seat.absence(now).map(Interval::end),
                Exclusion::Skill
                | Exclusion::Language
                | Exclusion::Tier
                | Exclusion::Full
                | Exclusion::Unweighted => None,
            });
        coming.filter(|at| *at > now).min()
    }
}
