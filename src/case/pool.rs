//! The pool of arrived parcels that nobody has claimed (无主件), of one warehouse.
//!
//! In: what the warehouse reads from a parcel without an owner, and the decisions of people about it.
//! Out: events to store, and duties: which order is to record which receipt, what goes back to its
//! sender, what is disposed of. [`matching`](super::matching) ranks the cases that a parcel may belong
//! to; a person decides; the contents may go to several cases of several orders.
//!
//! The pool is an aggregate of its own, because a parcel without an owner belongs to no order. It
//! never changes an order: it hands out [receipts](duty::PoolAct::Receive) to be given as commands.
//!
//! Always true, and tested in `tests/case/pool.rs`:
//! 1. What was given out of a parcel and what is left are together what was in it; a case is given no
//!    more than it awaits, with what was given before and not yet received.
//! 2. A parcel ends once: given out in full, returned to its sender, or disposed of.
//! 3. Replaying the events gives the same pool; the same command twice is one effect.

pub mod command;
mod decide;
pub mod duty;
pub mod event;
pub mod refusal;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::AfterSale;
use super::Decision;
use super::command::Envelope;
use super::duty::DutyId;
use super::matching::{Candidate, ParcelMarks, ParcelMatch, Share, rank, share_out};
use super::pool::command::PoolCommand;
use super::pool::duty::{PoolAct, PoolDuty};
use super::pool::event::{MatchedShare, PoolEvent, PoolFact};
use super::pool::refusal::{PoolObstacle, PoolReplayError};
use super::refusal::Refusal;
use super::state::ReturnCase;
use super::stream::Stream;
use crate::id::{CaseId, OrderId, OrderLineId, Sku, text_ids};
use crate::label::codes;
use crate::quantity::Quantity;
use crate::time::Instant;

text_ids! {
    /// A parcel in the pool, by the number the warehouse gave it.
    ArrivalId = "arrival id";
}

/// What a decision of the pool may look at beside the pool: the time, and cases that may own parcels.
#[derive(Clone, Copy, Debug)]
pub struct PoolContext<'a> {
    /// The time of the command.
    pub now: Instant,
    /// The cases that a match may name.
    pub candidates: &'a [Candidate<'a>],
}

/// What a command to the pool leads to.
pub type PoolDecision = Decision<PoolEvent, PoolDuty>;

/// The parcels of one warehouse that nobody has claimed, with those that found an end.
///
/// ```
/// use aftersale::case::actor::{Actor, Role};
/// use aftersale::case::matching::ParcelMarks;
/// use aftersale::case::command::Envelope;
/// use aftersale::case::pool::command::PoolCommand;
/// use aftersale::case::pool::{ArrivalId, PoolContext, ReceiptPool};
/// use aftersale::id::{ActorId, CommandId, Sku};
/// use aftersale::quantity::Quantity;
/// // A parcel with two jackets and no name arrives.
/// let contents = [(Sku::new("JACKET-M")?, Quantity::pieces(2)?)].into();
/// let marks = ParcelMarks { contents, ..ParcelMarks::default() };
/// let arrival = ArrivalId::new("2026-03-09/17")?;
/// let envelope = Envelope {
///     id: CommandId::new("scan-1")?,
///     expected_version: None,
///     actor: Actor { id: ActorId::new("gate-2")?, role: Role::Warehouse },
///     command: PoolCommand::ReceiveUnidentified { arrival: arrival.clone(), marks },
/// };
/// let now = serde_json::from_str(r#""2026-03-09T08:00:00Z""#)?;
/// let mut pool = ReceiptPool::new();
/// pool.apply(&PoolContext { now, candidates: &[] }, &envelope)?;
/// let waiting = pool.arrival(&arrival).ok_or("not there")?;
/// assert_eq!(waiting.status().to_string(), "waiting");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptPool {
    arrivals: BTreeMap<ArrivalId, Arrival>,
    /// Steps given to lines of cases whose receipts nobody has confirmed.
    pending: BTreeMap<Place, i64>,
    stream: Stream,
}

/// A line of a case of an order.
type Place = (OrderId, CaseId, OrderLineId);

/// A parcel that nobody had claimed when it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its number.
    pub id: ArrivalId,
    /// When it arrived.
    pub arrived_at: Instant,
    /// What can be read from it; its contents as they arrived.
    pub marks: ParcelMarks,
    /// What was given out, in the order in which it was decided.
    pub matched: Vec<MatchedShare>,
    /// The receipts that matches asked for and nobody has confirmed.
    pub receipts: BTreeMap<DutyId, Vec<MatchedShare>>,
    /// How it ended, if it did.
    pub end: Option<ArrivalEnd>,
}

/// How and when a parcel left the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrivalEnd {
    /// How: never waiting, never partly matched.
    pub status: ArrivalStatus,
    /// When.
    pub at: Instant,
}

codes! {
    /// How far a parcel without an owner is.
    pub enum ArrivalStatus "status of an arrival" {
        /// Nobody has claimed it.
        Waiting = "waiting", "Waiting for its owner", "待认领";
        /// Some of it belongs to known cases.
        PartlyMatched = "partly_matched", "Partly matched", "部分认领";
        /// All of it belongs to known cases.
        Matched = "matched", "Matched", "已认领";
        /// What nobody claimed went back to its sender.
        ReturnedToSender = "returned_to_sender", "Returned to sender", "退回寄件人";
        /// What nobody claimed was disposed of.
        Disposed = "disposed", "Disposed of", "已处置";
    }
}

impl Arrival {
    /// How far it is.
    #[must_use]
    pub fn status(&self) -> ArrivalStatus {
        match self.end {
            Some(end) => end.status,
            None if self.matched.is_empty() => ArrivalStatus::Waiting,
            None => ArrivalStatus::PartlyMatched,
        }
    }

    /// What of its contents nobody was given.
    #[must_use]
    pub fn left(&self) -> BTreeMap<Sku, Quantity> {
        let mut left = self.marks.contents.clone();
        for share in &self.matched {
            if let Some(there) = left.get_mut(&share.sku) {
                // Never more than there is: a match is checked before it is stored and before it is read.
                *there = there.checked_sub(share.quantity).unwrap_or(*there);
            }
        }
        left.retain(|_, quantity| !quantity.is_zero());
        left
    }

    /// Its marks with the contents that are left.
    fn open_marks(&self) -> ParcelMarks {
        let given = |serial: &crate::id::SerialId| {
            self.matched.iter().any(|share| share.serials.contains(serial))
        };
        let mut marks = self.marks.clone();
        marks.contents = self.left();
        marks.serials.retain(|serial| !given(serial));
        marks
    }
}

/// Books what a share gives to its line, or takes it off again.
fn book(pending: &mut BTreeMap<Place, i64>, share: &MatchedShare, sign: i64) {
    let place = (share.order.clone(), share.case.clone(), share.line.clone());
    let steps = pending.entry(place.clone()).or_insert(0);
    *steps = steps.saturating_add(share.quantity.steps().saturating_mul(sign));
    if *steps <= 0 {
        pending.remove(&place);
    }
}

impl ReceiptPool {
    /// The most parcels of one pool, ended ones included: begin a new pool before.
    pub const MAX_ARRIVALS: usize = 100_000;
    /// The most events of one pool.
    pub const MAX_EVENTS: u64 = 1_000_000;

    /// A pool without parcels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides a command. Pure: nothing changes until the events are [evolved](Self::evolve).
    ///
    /// # Errors
    ///
    /// [`Refusal`] with everything that stands in the way.
    pub fn decide(
        &self,
        context: &PoolContext<'_>,
        envelope: &Envelope<PoolCommand>,
    ) -> Result<PoolDecision, Refusal<PoolObstacle>> {
        decide::decide(self, context, envelope)
    }

    /// Folds one event into the pool. Total: an event of a verified history always applies.
    pub fn evolve(&mut self, event: &PoolEvent) {
        self.stream.take(event.sequence, event.at, &event.cause);
        if let PoolFact::ParcelArrived { arrival, marks } = &event.fact {
            let fresh = Arrival {
                id: arrival.clone(),
                arrived_at: event.at,
                marks: marks.clone(),
                matched: Vec::new(),
                receipts: BTreeMap::new(),
                end: None,
            };
            self.arrivals.insert(arrival.clone(), fresh);
            return;
        }
        let Some(known) = self.arrivals.get_mut(event.fact.arrival()) else { return };
        let ended = |status| Some(ArrivalEnd { status, at: event.at });
        match &event.fact {
            PoolFact::ParcelArrived { .. } => {}
            PoolFact::ParcelDescribed { marks, .. } => known.marks = marks.clone(),
            PoolFact::ParcelMatched { shares, .. } => {
                known.matched.extend(shares.iter().cloned());
                for duty in duty::duties_of(event) {
                    let PoolAct::Receive { order, command } = &duty.act else { continue };
                    let own = |share: &&MatchedShare| {
                        share.order == *order && Some(&share.case) == command.case()
                    };
                    let part: Vec<_> = shares.iter().filter(own).cloned().collect();
                    part.iter().for_each(|share| book(&mut self.pending, share, 1));
                    known.receipts.insert(duty.id, part);
                }
                if known.left().is_empty() {
                    known.end = ended(ArrivalStatus::Matched);
                }
            }
            PoolFact::ReceiptConfirmed { duty, .. } => {
                let part = known.receipts.remove(duty).unwrap_or_default();
                part.iter().for_each(|share| book(&mut self.pending, share, -1));
            }
            PoolFact::ParcelReturned { .. } => {
                known.end = ended(ArrivalStatus::ReturnedToSender);
            }
            PoolFact::ParcelDisposed { .. } => known.end = ended(ArrivalStatus::Disposed),
        }
    }

    /// Decides a command and evolves what it leads to.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with everything that stands in the way; nothing has changed then.
    pub fn apply(
        &mut self,
        context: &PoolContext<'_>,
        envelope: &Envelope<PoolCommand>,
    ) -> Result<PoolDecision, Refusal<PoolObstacle>> {
        let decision = self.decide(context, envelope)?;
        decision.events.iter().for_each(|event| self.evolve(event));
        Ok(decision)
    }

    /// Rebuilds a pool from its stored events, verifying that they fit together.
    ///
    /// # Errors
    ///
    /// [`PoolReplayError`] at the first event that does not fit.
    pub fn replay<'a>(
        events: impl IntoIterator<Item = &'a PoolEvent>,
    ) -> Result<Self, PoolReplayError> {
        let mut pool = Self::new();
        for event in events {
            decide::check(&pool, event)?;
            pool.evolve(event);
        }
        Ok(pool)
    }

    /// The cases that may own what is left of a parcel, the best first; none for an unknown or ended
    /// parcel.
    #[must_use]
    pub fn suggest<'a>(
        &self,
        arrival: &ArrivalId,
        candidates: impl IntoIterator<Item = Candidate<'a>>,
    ) -> Vec<ParcelMatch> {
        match self.arrivals.get(arrival).filter(|known| known.end.is_none()) {
            Some(known) => rank(&known.open_marks(), candidates),
            None => Vec::new(),
        }
    }

    /// What is left of a parcel, shared out to cases in the order given, none getting more than it
    /// awaits: the shares of a match that a person may confirm.
    #[must_use]
    pub fn propose<'a>(
        &self,
        arrival: &ArrivalId,
        cases: impl IntoIterator<Item = (&'a AfterSale, &'a ReturnCase)>,
    ) -> Vec<Share> {
        match self.arrivals.get(arrival).filter(|known| known.end.is_none()) {
            Some(known) => share_out(&known.left(), cases).0,
            None => Vec::new(),
        }
    }

    /// A parcel by its number.
    #[must_use]
    pub fn arrival(&self, arrival: &ArrivalId) -> Option<&Arrival> {
        self.arrivals.get(arrival)
    }

    /// All parcels in the order of their numbers.
    #[must_use]
    pub fn arrivals(&self) -> impl ExactSizeIterator<Item = &Arrival> {
        self.arrivals.values()
    }

    /// The number of events so far.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.stream.version
    }

    /// When the last event happened.
    #[must_use]
    pub const fn last_at(&self) -> Option<Instant> {
        self.stream.last_at
    }
}
