//! The board: who is there and how much each has in hand.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::agent::{Abilities, Agent, Seat};
use super::rules::{LanguageId, SkillId};
use crate::id::{ActorId, CalendarId};
use crate::time::{Instant, Interval};

/// The most agents of a board.
pub const MAX_AGENTS: usize = 100_000;
/// The most different skills and languages of a board together.
pub const MAX_ABILITIES: usize = 256;

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
/// use aftersale::dispatch::assign::{Outcome, Ticket};
/// use aftersale::dispatch::board::Board;
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
    pub(super) seats: Vec<Seat>,
    pub(super) skills: BTreeMap<SkillId, usize>,
    pub(super) languages: BTreeMap<LanguageId, usize>,
    pub(super) shifts: Vec<CalendarId>,
    /// How many cases were given out.
    pub(super) given: u64,
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
        let mut numbers: BTreeMap<CalendarId, usize> = BTreeMap::new();
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
                *numbers.entry(shift.clone()).or_insert_with(|| {
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

    /// Notes that an agent is back: an absence that includes `at` ends there.
    ///
    /// # Errors
    ///
    /// [`BoardError::Unknown`].
    pub fn mark_back(&mut self, agent: &ActorId, at: Instant) -> Result<(), BoardError> {
        let seat = self.seat_mut(agent)?;
        for period in &mut seat.agent.absent {
            if period.contains(at) {
                *period = Interval::between(period.start(), at);
            }
        }
        seat.agent.absent.retain(|period| period.start() < period.end());
        Ok(())
    }

    pub(super) fn seat_mut(&mut self, agent: &ActorId) -> Result<&mut Seat, BoardError> {
        let place = self.place(agent);
        let seat = place.and_then(|place| self.seats.get_mut(place));
        seat.ok_or_else(|| BoardError::Unknown { agent: agent.clone() })
    }

    pub(super) fn place(&self, agent: &ActorId) -> Option<usize> {
        self.seats.binary_search_by(|seat| seat.agent.id.cmp(agent)).ok()
    }
}
