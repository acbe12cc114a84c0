//! The heart of the engine: one order with all its return cases, one stream of events.
//!
//! In: a frozen [`Sale`], then commands with the time and the rules in force. Out: events, duties for
//! the host and findings, or a refusal that lists everything in the way. The order is the unit of
//! consistency: because all its cases share one ledger of units and one of money, no unit is
//! returned twice and no cent refunded twice, whatever cases overlap.
//!
//! Always true, and tested in `tests/case/promises.rs`:
//! 1. Every unit of a line is at exactly one [`Location`](ledger::Location); the sum never changes.
//! 2. Over all cases, no line, charge, tender or order is refunded more than was paid.
//! 3. Replaying the events gives the same state, byte for byte, without rules and without a clock.
//! 4. The same command id twice is one effect; a refused command changes nothing.

pub mod actor;
pub mod allowed;
pub mod command;
mod decide;
mod digest;
pub mod dispute;
pub mod duty;
pub mod event;
mod evolve;
pub mod follow_up;
pub mod freight;
pub mod ground;
pub mod kit;
pub mod ledger;
pub mod liability;
pub mod line;
pub mod matching;
pub mod obligation;
pub mod open_matter;
pub mod parcel;
pub mod pool;
pub mod recovery;
pub mod refund;
pub mod refusal;
pub mod replacement;
mod reshape;
pub mod resolution;
pub mod review;
pub mod state;
pub mod status;
pub mod stream;
pub mod timer;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::case::command::Envelope;
use crate::case::duty::Duty;
use crate::case::event::Event;
use crate::case::ledger::QuantityLedger;
use crate::case::refusal::Refusal;
use crate::case::review::Roster;
use crate::case::state::ReturnCase;
use crate::case::stream::{Stream, StreamFault};
use crate::explain::Finding;
use crate::id::{CaseId, OrderLineId, RuleId, Sku};
use crate::rules::Rules;
use crate::sale::{Line, Sale};
use crate::settlement::ledger::MoneyLedger;
use crate::time::Instant;

/// What a decision may look at beside the state: the time and the rules in force.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The time of the command.
    pub now: Instant,
    /// The rules in force.
    pub rules: &'a Rules,
}

/// What a command leads to: events of an order, or of [another stream](pool).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision<E = Event, D = Duty> {
    /// Whether it is new or a retry.
    pub answer: Answer,
    /// What happened, to be stored and evolved in this order.
    pub events: Vec<E>,
    /// What the host has to do, each with a stable id.
    pub duties: Vec<D>,
    /// What each rule had to say.
    pub findings: Vec<Finding>,
}

/// Whether a command was carried out now or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The command is new.
    Accepted,
    /// The same command was carried out before, with these events; nothing happens again.
    Repeated {
        /// The sequence of its first event.
        first: u64,
        /// The sequence of its last event.
        last: u64,
    },
}

/// One order with all its cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterSale {
    sale: Sale,
    quantities: QuantityLedger,
    money: MoneyLedger,
    cases: BTreeMap<CaseId, ReturnCase>,
    added: BTreeMap<OrderLineId, AddedLine>,
    /// Running timers in the order in which they fire; without a rule it is a review that acts.
    agenda: BTreeSet<(Instant, CaseId, Option<RuleId>)>,
    stream: Stream,
}

/// A line that a replacement added to the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedLine {
    /// The article.
    pub sku: Sku,
    /// The line it stands for, first of all of the sale.
    pub replaces: OrderLineId,
    /// When it reached the customer.
    pub delivered_at: Option<Instant>,
}

/// A stored history that does not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// An event is out of order, or goes back in time.
    #[error(transparent)]
    Stream(#[from] StreamFault),
    /// An event names a case or a line that is not there.
    #[error("event {sequence} is about something that is not there")]
    Unknown {
        /// The event.
        sequence: u64,
    },
    /// An event moves units that are not where it takes them from.
    #[error("event {sequence} moves units of line {line} that are not there")]
    NotThere {
        /// The event.
        sequence: u64,
        /// The line.
        line: crate::id::OrderLineId,
    },
    /// An event settles more than was paid, or an amended sale does not add up.
    #[error("event {sequence} does not add up")]
    DoesNotAddUp {
        /// The event.
        sequence: u64,
    },
}

impl<E, D> Decision<E, D> {
    /// A retry: nothing happens again.
    const fn repeated(answer: Answer) -> Self {
        Self { answer, events: Vec::new(), duties: Vec::new(), findings: Vec::new() }
    }
}

impl AfterSale {
    /// The most cases of one order.
    pub const MAX_CASES: usize = 10_000;
    /// The most events of one order.
    pub const MAX_EVENTS: u64 = 1_000_000;

    /// An order without cases.
    #[must_use]
    pub fn open(sale: Sale) -> Self {
        let quantities = QuantityLedger::open(&sale);
        let money = MoneyLedger::open(&sale);
        Self {
            sale,
            quantities,
            money,
            cases: BTreeMap::new(),
            added: BTreeMap::new(),
            agenda: BTreeSet::new(),
            stream: Stream::default(),
        }
    }

    /// Decides a command. Pure: nothing changes until the events are [evolved](Self::evolve).
    ///
    /// # Errors
    ///
    /// [`Refusal`] with everything that stands in the way.
    pub fn decide(&self, context: &Context<'_>, envelope: &Envelope) -> Result<Decision, Refusal> {
        let (directory, facts) = Default::default();
        let roster = Roster { directory: &directory, facts: &facts };
        self.decide_among(context, &roster, envelope)
    }

    /// Decides a command where cases go through [reviews](crate::rules::review): with the people, and
    /// with facts that only the host knows. Where no case does, the same as [`decide`](Self::decide).
    ///
    /// # Errors
    ///
    /// [`Refusal`] with everything that stands in the way.
    pub fn decide_among(
        &self,
        context: &Context<'_>,
        roster: &Roster<'_>,
        envelope: &Envelope,
    ) -> Result<Decision, Refusal> {
        decide::decide(self, context, roster, envelope)
    }

    /// Folds one event into the state. Total: an event of a verified history always applies.
    pub fn evolve(&mut self, event: &Event) {
        evolve::evolve(self, event);
    }

    /// Decides a command and evolves what it leads to.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with everything that stands in the way; nothing has changed then.
    pub fn apply(
        &mut self,
        context: &Context<'_>,
        envelope: &Envelope,
    ) -> Result<Decision, Refusal> {
        let decision = self.decide(context, envelope)?;
        decision.events.iter().for_each(|event| self.evolve(event));
        Ok(decision)
    }

    /// Decides a command [among people](Self::decide_among) and evolves what it leads to.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with everything that stands in the way; nothing has changed then.
    pub fn apply_among(
        &mut self,
        context: &Context<'_>,
        roster: &Roster<'_>,
        envelope: &Envelope,
    ) -> Result<Decision, Refusal> {
        let decision = self.decide_among(context, roster, envelope)?;
        decision.events.iter().for_each(|event| self.evolve(event));
        Ok(decision)
    }

    /// Rebuilds an order from its stored events, verifying that they fit together.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] at the first event that does not fit.
    pub fn replay<'a>(
        sale: Sale,
        events: impl IntoIterator<Item = &'a Event>,
    ) -> Result<Self, ReplayError> {
        let mut order = Self::open(sale);
        for event in events {
            evolve::check::check(&order, event)?;
            order.evolve(event);
        }
        Ok(order)
    }

    /// The order as it was sold.
    #[must_use]
    pub const fn sale(&self) -> &Sale {
        &self.sale
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

    /// When the engine wants to be called next: the earliest deadline that runs.
    ///
    /// Calling earlier, later or twice is harmless: [`Command::Tick`](command::Command::Tick), or
    /// any other command, first lets everything happen that was due, at the instant it was due.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.agenda.first().map(|(due, ..)| *due)
    }

    /// Where every unit is.
    #[must_use]
    pub const fn quantities(&self) -> &QuantityLedger {
        &self.quantities
    }

    /// What was refunded of every line, charge and tender.
    #[must_use]
    pub const fn money(&self) -> &MoneyLedger {
        &self.money
    }

    /// A line that a replacement added.
    #[must_use]
    pub fn added(&self, line: &OrderLineId) -> Option<&AddedLine> {
        self.added.get(line)
    }

    /// What a line is in the sale: itself, or the line that its chain of exchanges began with.
    #[must_use]
    pub fn sold_as(&self, line: &OrderLineId) -> Option<Line<'_>> {
        match self.added.get(line) {
            Some(added) => self.sale.line(&added.replaces),
            None => self.sale.line(line),
        }
    }

    /// Previews a command: what it would lead to, or why it would be refused. Nothing changes; the
    /// same as [`decide`](Self::decide), under the name a counter uses.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with everything that stands in the way.
    pub fn quote(&self, context: &Context<'_>, envelope: &Envelope) -> Result<Decision, Refusal> {
        self.decide(context, envelope)
    }

    /// Previews a command where cases go through reviews; the same as
    /// [`decide_among`](Self::decide_among).
    ///
    /// # Errors
    ///
    /// [`Refusal`] with everything that stands in the way.
    pub fn quote_among(
        &self,
        context: &Context<'_>,
        roster: &Roster<'_>,
        envelope: &Envelope,
    ) -> Result<Decision, Refusal> {
        self.decide_among(context, roster, envelope)
    }

    /// A case.
    #[must_use]
    pub fn case(&self, case: &CaseId) -> Option<&ReturnCase> {
        self.cases.get(case)
    }

    /// All cases in the order of their ids.
    #[must_use]
    pub fn cases(&self) -> impl ExactSizeIterator<Item = &ReturnCase> {
        self.cases.values()
    }
}
