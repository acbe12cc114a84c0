//! The board: who is there, who has how much, and who gets the next case.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::rules::{
    DispatchBook, DispatchRule, LanguageId, Nobody, OwnerRule, SkillId, Strategy, TierOrder,
};
use crate::calendar::book::Calendars;
use crate::condition::Facts;
use crate::explain::{Effect, Explained, Fact, Finding};
use crate::id::{ActorId, CalendarId, CaseId, RuleId};
use crate::label::codes;
use crate::time::{Instant, Interval};

/// The most agents of a board.
pub const MAX_AGENTS: usize = 100_000;
/// The most different skills and languages of a board together.
pub const MAX_ABILITIES: usize = 256;

/// A person who works on cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Who.
    pub id: ActorId,
    /// What the agent can do.
    #[serde(default)]
    pub skills: BTreeSet<SkillId>,
    /// What the agent speaks.
    #[serde(default)]
    pub languages: BTreeSet<LanguageId>,
    /// How senior: a higher tier may have every case of a lower one.
    #[serde(default)]
    pub tier: u8,
    /// The calendar of the shift; without one the agent is always there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<CalendarId>,
    /// How much effort the agent can have at once.
    pub capacity: u32,
    /// The share of new cases under the weighted strategy; zero gets none.
    #[serde(default = "one")]
    pub weight: u32,
    /// When the agent is away.
    #[serde(default)]
    pub absent: Vec<Interval>,
    /// The effort in hand.
    #[serde(default)]
    pub load: u32,
}

fn one() -> u32 {
    1
}

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
        /// When the next shift of somebody able begins or somebody able comes back; none when the
        /// reason is capacity or nobody is able.
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

codes! {
    /// Why an agent cannot take a case, in the order in which it is looked at.
    pub enum Exclusion "exclusion" {
        /// A skill is missing.
        Skill = "skill", "Skill missing", "缺少技能";
        /// The language is not spoken.
        Language = "language", "Language not spoken", "语言不符";
        /// The tier is too low.
        Tier = "tier", "Tier too low", "级别不足";
        /// The agent is away.
        Absent = "absent", "Absent", "缺勤";
        /// The shift is not on.
        OffShift = "off_shift", "Off shift", "不在班";
        /// The capacity is in use.
        Full = "full", "No capacity left", "已满负荷";
        /// The weight is zero.
        Unweighted = "unweighted", "No share of new cases", "不参与分配";
    }
}

/// A board that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoardError {
    /// Two agents have one id.
    #[error("agent `{agent}` is on the board twice")]
    Twice {
        /// The agent.
        agent: ActorId,
    },
    /// There are too many of something.
    #[error("there are {count} {what}, at most {limit} are allowed")]
    TooMany {
        /// Of what, in words.
        what: &'static str,
        /// How many were found.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The agent is not on the board.
    #[error("agent `{agent}` is not on the board")]
    Unknown {
        /// The agent.
        agent: ActorId,
    },
}

/// Agents with what they have in hand.
///
/// ```
/// use aftersale::calendar::book::Calendars;
/// use aftersale::condition::{Facts, schema::Schema};
/// use aftersale::dispatch::board::{Board, Outcome, Ticket};
/// use aftersale::dispatch::rules::DispatchBook;
/// use aftersale::id::CaseId;
/// use chrono::{TimeZone, Utc};
/// let book = DispatchBook::verify(
///     serde_json::from_str(r#"{"rules":[{"id":"all","skills":["phones"]}]}"#)?,
///     &Schema::new(),
/// )
/// .map_err(|defects| format!("{defects:?}"))?;
/// let mut board = Board::new(serde_json::from_str(
///     r#"[{"id":"li","skills":["phones"],"capacity":5,"load":4},
///         {"id":"ada","skills":["phones"],"capacity":5,"load":1}]"#,
/// )?)?;
/// let ticket = Ticket { case: CaseId::new("RMA-7")?, facts: Facts::new(), owner: None, due: None };
/// let now = Utc.with_ymd_and_hms(2026, 3, 2, 9, 0, 0).unwrap();
/// let decision = board.assign(&book, &Calendars::new(), &ticket, now);
/// assert!(matches!(decision.value, Outcome::Assigned { agent, .. } if agent.as_str() == "ada"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BoardWire", into = "BoardWire")]
pub struct Board {
    seats: Vec<Seat>,
    skills: BTreeMap<SkillId, usize>,
    languages: BTreeMap<LanguageId, usize>,
    shifts: Vec<CalendarId>,
    /// How many cases were given out.
    given: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seat {
    agent: Agent,
    able: Abilities,
    shift: Option<usize>,
    /// How many cases the agent got.
    got: u64,
    /// The number of the last one, from 1.
    last: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoardWire {
    agents: Vec<AgentWire>,
    given: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentWire {
    agent: Agent,
    got: u64,
    last: u64,
}

impl TryFrom<BoardWire> for Board {
    type Error = BoardError;
    fn try_from(wire: BoardWire) -> Result<Self, BoardError> {
        let counts: BTreeMap<ActorId, (u64, u64)> =
            wire.agents.iter().map(|a| (a.agent.id.clone(), (a.got, a.last))).collect();
        let mut board = Self::new(wire.agents.into_iter().map(|a| a.agent).collect())?;
        board.given = wire.given;
        for seat in &mut board.seats {
            (seat.got, seat.last) = counts.get(&seat.agent.id).copied().unwrap_or((0, 0));
        }
        Ok(board)
    }
}

impl From<Board> for BoardWire {
    fn from(board: Board) -> Self {
        let wire = |seat: Seat| AgentWire { agent: seat.agent, got: seat.got, last: seat.last };
        Self { agents: board.seats.into_iter().map(wire).collect(), given: board.given }
    }
}

/// Skills and languages by number, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Abilities([u64; 4]);

impl Abilities {
    fn add(&mut self, number: usize) {
        let word = number.checked_div(64).and_then(|word| self.0.get_mut(word));
        let bit = u32::try_from(number.checked_rem(64).unwrap_or(0)).unwrap_or(0);
        if let Some(word) = word {
            *word |= 1_u64.wrapping_shl(bit);
        }
    }

    fn covers(&self, needed: &Self) -> bool {
        self.0.iter().zip(&needed.0).all(|(have, need)| have & need == *need)
    }
}

/// What one rule asks of an agent for one case.
struct Need {
    /// None when nobody on the board has one of the skills.
    skills: Option<Abilities>,
    language: Option<Option<Abilities>>,
    /// Whether each shift is on, where that is known.
    on_shift: Vec<bool>,
}

impl Board {
    /// A board of agents, in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`BoardError::Twice`], [`BoardError::TooMany`].
    pub fn new(mut agents: Vec<Agent>) -> Result<Self, BoardError> {
        let too_many = |what, count, limit| BoardError::TooMany { what, count, limit };
        if agents.len() > MAX_AGENTS {
            return Err(too_many("agents", agents.len(), MAX_AGENTS));
        }
        agents.sort_by(|one, other| one.id.cmp(&other.id));
        let pairs = agents.iter().zip(agents.iter().skip(1));
        if let Some((one, _)) = pairs.into_iter().find(|(one, other)| one.id == other.id) {
            return Err(BoardError::Twice { agent: one.id.clone() });
        }
        let number = |count: &mut usize| {
            let number = *count;
            *count = count.saturating_add(1);
            number
        };
        let mut count = 0;
        let (mut skills, mut languages) = (BTreeMap::new(), BTreeMap::new());
        let mut shifts: Vec<CalendarId> = Vec::new();
        let mut seats = Vec::with_capacity(agents.len());
        for mut agent in agents {
            let mut able = Abilities::default();
            for skill in &agent.skills {
                able.add(*skills.entry(skill.clone()).or_insert_with(|| number(&mut count)));
            }
            for language in &agent.languages {
                able.add(*languages.entry(language.clone()).or_insert_with(|| number(&mut count)));
            }
            agent.absent.sort();
            let shift = agent.shift.as_ref().map(|shift| {
                shifts.iter().position(|known| known == shift).unwrap_or_else(|| {
                    shifts.push(shift.clone());
                    shifts.len().saturating_sub(1)
                })
            });
            seats.push(Seat { agent, able, shift, got: 0, last: 0 });
        }
        if count > MAX_ABILITIES {
            return Err(too_many("skills and languages", count, MAX_ABILITIES));
        }
        Ok(Self { seats, skills, languages, shifts, given: 0 })
    }

    /// The agents in the order of their ids.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.seats.iter().map(|seat| &seat.agent)
    }

    /// Takes a finished case off an agent's load.
    ///
    /// # Errors
    ///
    /// [`BoardError::Unknown`].
    pub fn release(&mut self, agent: &ActorId, effort: u32) -> Result<(), BoardError> {
        let seat = self.seat_mut(agent)?;
        seat.agent.load = seat.agent.load.saturating_sub(effort);
        Ok(())
    }

    /// Notes that an agent is away.
    ///
    /// # Errors
    ///
    /// [`BoardError::Unknown`].
    pub fn mark_absent(&mut self, agent: &ActorId, period: Interval) -> Result<(), BoardError> {
        let seat = self.seat_mut(agent)?;
        seat.agent.absent.push(period);
        seat.agent.absent.sort();
        Ok(())
    }

    fn seat_mut(&mut self, agent: &ActorId) -> Result<&mut Seat, BoardError> {
        let place = self.place(agent);
        let seat = place.and_then(|place| self.seats.get_mut(place));
        seat.ok_or_else(|| BoardError::Unknown { agent: agent.clone() })
    }

    fn place(&self, agent: &ActorId) -> Option<usize> {
        self.seats.binary_search_by(|seat| seat.agent.id.cmp(agent)).ok()
    }

    /// Gives one case to an agent, or says why it waits. The load of the agent grows.
    ///
    /// The findings list every rule that was asked, and how many agents were left out for which
    /// reason; [`Board::exclusions`] has it agent by agent.
    pub fn assign(
        &mut self,
        book: &DispatchBook,
        calendars: &Calendars,
        ticket: &Ticket,
        now: Instant,
    ) -> Explained<Outcome> {
        let mut findings = Vec::new();
        let mut waiting = Outcome::NoRule;
        for rule in book.rules() {
            let finding = |effect| Finding::new(book.reference(rule), effect);
            if !rule.when.evaluate(&ticket.facts).holds() {
                findings.push(finding(Effect::Passes));
                continue;
            }
            let need = self.need(rule, calendars, ticket, now);
            let (place, left_out) = self.choose(rule, &need, ticket, now);
            for (reason, count) in left_out {
                let count = i64::try_from(count).unwrap_or(i64::MAX);
                let left_out = finding(Effect::Denies).observed(Fact::Count(count));
                findings.push(left_out.required(Fact::code(reason)));
            }
            if let Some(agent) = place.and_then(|place| self.give(place, rule.effort)) {
                findings.push(finding(Effect::Sets).observed(Fact::code(&agent)));
                let value = Outcome::Assigned { agent, rule: rule.id.clone(), effort: rule.effort };
                return Explained::new(value, findings);
            }
            let try_again = self.try_again(rule, &need, calendars, now);
            waiting = Outcome::Waiting { rule: rule.id.clone(), try_again };
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
            // An agent who left the board has no load to give back.
            let _ = self.release(&assignment.agent, assignment.effort);
            let decision = self.assign(book, calendars, &assignment.ticket, now);
            if !matches!(decision.value, Outcome::Assigned { .. })
                && let Ok(seat) = self.seat_mut(&assignment.agent)
            {
                seat.agent.load = seat.agent.load.saturating_add(assignment.effort);
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

    /// The agent for a case, and how many were left out for which reason.
    fn choose(
        &self,
        rule: &DispatchRule,
        need: &Need,
        ticket: &Ticket,
        now: Instant,
    ) -> (Option<usize>, BTreeMap<Exclusion, usize>) {
        let mut left_out: BTreeMap<Exclusion, usize> = BTreeMap::new();
        if rule.owner == OwnerRule::First
            && let Some(place) = ticket.owner.as_ref().and_then(|owner| self.place(owner))
            && let Some(seat) = self.seats.get(place)
            && seat.exclusion(rule, need, now).is_none()
        {
            return (Some(place), left_out);
        }
        let mut best: Option<(usize, &Seat)> = None;
        for (place, seat) in self.seats.iter().enumerate() {
            if let Some(reason) = seat.exclusion(rule, need, now) {
                let count = left_out.entry(reason).or_default();
                *count = count.saturating_add(1);
                continue;
            }
            if best.is_none_or(|(_, other)| seat.comes_before(other, rule)) {
                best = Some((place, seat));
            }
        }
        (best.map(|(place, _)| place), left_out)
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

impl Seat {
    fn absence(&self, now: Instant) -> Option<Interval> {
        self.agent.absent.iter().copied().find(|period| period.contains(now))
    }

    fn is_absent(&self, now: Instant) -> bool {
        self.absence(now).is_some()
    }

    fn exclusion(&self, rule: &DispatchRule, need: &Need, now: Instant) -> Option<Exclusion> {
        let agent = &self.agent;
        let has = |needed: Option<Abilities>| needed.is_some_and(|all| self.able.covers(&all));
        let is_off = |shift: usize| !need.on_shift.get(shift).copied().unwrap_or(false);
        if !has(need.skills) {
            Some(Exclusion::Skill)
        } else if need.language.is_some_and(|language| !has(language)) {
            Some(Exclusion::Language)
        } else if agent.tier < rule.tier_min {
            Some(Exclusion::Tier)
        } else if self.is_absent(now) {
            Some(Exclusion::Absent)
        } else if self.shift.is_some_and(is_off) {
            Some(Exclusion::OffShift)
        } else if agent.load.checked_add(rule.effort).is_none_or(|load| load > agent.capacity) {
            Some(Exclusion::Full)
        } else if rule.strategy == Strategy::Weighted && agent.weight == 0 {
            Some(Exclusion::Unweighted)
        } else {
            None
        }
    }

    /// Whether this agent is asked before another: by tier, by strategy, by the longest wait, by id.
    fn comes_before(&self, other: &Self, rule: &DispatchRule) -> bool {
        let tier = |seat: &Self| match rule.tier_order {
            TierOrder::LowestFirst => (seat.agent.tier, Reverse(0)),
            TierOrder::HighestFirst => (0, Reverse(seat.agent.tier)),
            TierOrder::Any => (0, Reverse(0)),
        };
        let strategy = match rule.strategy {
            Strategy::RoundRobin => core::cmp::Ordering::Equal,
            Strategy::LeastLoaded => {
                let share = |one: &Self, whole: &Self| {
                    u64::from(one.agent.load).saturating_mul(whole.agent.capacity.into())
                };
                share(self, other).cmp(&share(other, self))
            }
            Strategy::Weighted => {
                let share = |one: &Self, whole: &Self| {
                    u128::from(one.got.saturating_add(1)).saturating_mul(whole.agent.weight.into())
                };
                share(self, other).cmp(&share(other, self))
            }
        };
        tier(self)
            .cmp(&tier(other))
            .then(strategy)
            .then(self.last.cmp(&other.last))
            .then_with(|| self.agent.id.cmp(&other.agent.id))
            .is_lt()
    }
}
