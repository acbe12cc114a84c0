//! A slow, obvious model of one order: it follows the events, keeps books of its own, and says which
//! invariant an event or a state breaks.
//!
//! Every amount is worked out again from the whole story of its line; every unit is booked under who
//! has it and for which case; clocks are walked interval by interval.

pub(crate) mod books;
pub(crate) mod cases;
mod clocks;
mod money;
mod review;
mod status;
mod table;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use aftersale::case::actor::Role;
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ledger::{Location, Posting};
use aftersale::id::{CaseId, OrderLineId, TenderId};
use aftersale::money::Money;
use aftersale::practice::Practice;
use aftersale::sale::Sale;
use aftersale::sale::draft::ChargeId;
use aftersale::time::Instant;

use books::{Line, Part, Purse, parts_of};
use cases::Case;
use review::by_procedure;
use table::{invariant_29, invariant_30, invariant_40, is_legal, roles};

/// Where units are that were paid for: nothing more is ever owed for them.
pub(crate) const PAID_FOR: &[Location] = &[
    Location::Settled,
    Location::Kept,
    Location::Cancelled,
    Location::WrittenOff,
    Location::Ahead,
    Location::Recovered,
];

/// Which invariant is broken, and how.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) invariant: u16,
    pub(crate) what: String,
}

pub(crate) type Held = Result<(), Broken>;

/// Unless it holds, invariant `number` is broken.
macro_rules! hold {
    ($number:expr, $truth:expr, $($what:tt)+) => {
        if !core::convert::identity::<bool>($truth) {
            return Err($crate::case_world::model::Broken { invariant: $number, what: format!($($what)+) });
        }
    };
}
pub(crate) use hold;

pub(crate) struct Model<'a> {
    pub(crate) practice: Option<&'a Practice>,
    pub(crate) sale: Sale,
    pub(crate) lines: BTreeMap<OrderLineId, Line>,
    pub(crate) charges: BTreeMap<ChargeId, Part>,
    pub(crate) purses: BTreeMap<TenderId, Purse>,
    pub(crate) cases: BTreeMap<CaseId, Case>,
    pub(crate) version: u64,
    pub(crate) last: Option<Instant>,
    pub(crate) fired: BTreeSet<(CaseId, u64)>,
    /// All that went out and came in by settlements, in minor units.
    paid_out: i64,
    asked_in: i64,
    /// What fees kept and goodwill added, in minor units.
    beside: i64,
    began_with: i64,
}

fn steps(postings: &[Posting], line: &OrderLineId) -> i64 {
    let own = postings.iter().filter(|posting| posting.line == *line);
    own.map(|posting| posting.quantity.steps()).sum()
}

impl<'a> Model<'a> {
    pub(crate) fn new(sale: &Sale, practice: Option<&'a Practice>) -> Self {
        let mut model = Self {
            practice,
            sale: sale.clone(),
            lines: BTreeMap::new(),
            charges: BTreeMap::new(),
            purses: BTreeMap::new(),
            cases: BTreeMap::new(),
            version: 0,
            last: None,
            fired: BTreeSet::new(),
            paid_out: 0,
            asked_in: 0,
            beside: 0,
            began_with: 0,
        };
        for charge in sale.charges() {
            let part = Part::new(charge.paid.gross.minor(), 0);
            model.charges.insert(charge.charged.id.clone(), part);
        }
        for tender in sale.tenders() {
            let outside = tender.refunded_outside.map_or(0, Money::minor);
            let purse = Purse { captured: tender.captured.minor(), outside, back: 0 };
            model.purses.insert(tender.id.clone(), purse);
        }
        for line in sale.lines() {
            let (all, gone) = (line.ordered.quantity.steps(), line.frozen.shipped.steps());
            let mut at = BTreeMap::new();
            at.insert((Location::Customer, None), gone);
            at.insert((Location::Unshipped, None), all - gone);
            let parts = parts_of(&line);
            let (sku, added) = (line.ordered.sku.clone(), false);
            let sold = Line { sku, made: all, at, parts, added };
            model.lines.insert(line.ordered.id.clone(), sold);
        }
        model.began_with = model.left();
        model
    }

    /// What was paid for and did not go back yet.
    fn left(&self) -> i64 {
        let lines: i64 = self.lines.values().map(Line::left).sum();
        lines + self.charges.values().map(Part::left).sum::<i64>()
    }

    /// Takes an event in; says what it breaks.
    pub(crate) fn take(&mut self, event: &Event, rules_version: u32) -> Held {
        self.invariant_50(event, rules_version)?;
        hold!(
            44,
            self.last.is_none_or(|last| last <= event.at),
            "time went backwards at {}",
            event.sequence
        );
        let before = event.fact.case().and_then(|id| self.cases.get(id)).cloned();
        if let (Some(case), Some(before)) = (event.fact.case(), &before) {
            invariant_29(before, event)?;
            invariant_30(before, event, case)?;
            invariant_40(before, event)?;
            by_procedure(before, event)?;
        }
        roles(before.as_ref(), event)?;
        self.moves(event)?;
        self.tell(event)?;
        self.version = event.sequence;
        self.last = Some(event.at);
        let part = match &event.fact {
            EventFact::CaseSplit { into, .. } => Some(into),
            _ => None,
        };
        for id in event.fact.case().into_iter().chain(part) {
            let stage = self.stage(id);
            if let Some(case) = self.cases.get_mut(id) {
                case.clocks.retain(|_, clock| Some(clock.stage) == stage);
            }
        }
        Ok(())
    }

    fn invariant_50(&self, event: &Event, rules_version: u32) -> Held {
        hold!(
            50,
            event.sequence == self.version + 1,
            "event {} after {}",
            event.sequence,
            self.version
        );
        hold!(50, event.rules_version == rules_version, "rules {} noted", event.rules_version);
        hold!(50, !event.actor.id.as_str().is_empty(), "no actor");
        hold!(50, !event.cause.command.as_str().is_empty(), "no cause");
        if event.cause.timer.is_some() {
            hold!(50, event.actor.role == Role::System, "a timer acts as {}", event.actor.role);
        }
        Ok(())
    }

    /// Books the movements of an event: from places that the event may take from, never below zero.
    fn moves(&mut self, event: &Event) -> Held {
        let Some(id) = event.fact.case() else { return Ok(()) };
        for posting in event.fact.postings() {
            let (from, to, steps) = (posting.from, posting.to, posting.quantity.steps());
            hold!(1, steps > 0, "a movement of nothing");
            hold!(10, is_legal(event, from, to), "{from} -> {to} in event {}", event.sequence);
            let owner = |place: Location| {
                let free = [Location::Customer, Location::Unshipped, Location::Stock];
                (!free.contains(&place)).then(|| id.clone())
            };
            let Some(line) = self.lines.get_mut(&posting.line) else {
                return Err(Broken { invariant: 9, what: format!("no line {}", posting.line) });
            };
            let there = line.at.entry((from, owner(from))).or_insert(0);
            *there -= steps;
            hold!(
                1,
                *there >= 0 || from == Location::Stock,
                "line {}: {there} left {from} in event {}",
                posting.line,
                event.sequence
            );
            *line.at.entry((to, owner(to))).or_insert(0) += steps;
            if let Some(case) = self.cases.get_mut(id)
                && case.lines.contains_key(&posting.line)
            {
                const IN: &[Location] =
                    &[Location::Received, Location::Accepted, Location::Rejected];
                let (came, goes) = (IN.contains(&to), IN.contains(&from));
                if came && !goes {
                    *case.came.entry(posting.line.clone()).or_insert(0) += steps;
                }
                if goes && !came {
                    *case.went.entry(posting.line.clone()).or_insert(0) += steps;
                }
            }
        }
        Ok(())
    }
}

fn name(event: &Event) -> String {
    let text = format!("{:?}", event.fact);
    text.split([' ', '{']).next().unwrap().to_owned()
}
