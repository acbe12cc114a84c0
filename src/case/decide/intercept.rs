//! Calling back a parcel that is under way to the customer.
//!
//! While the carrier has not answered, the units stand apart and the case neither ends nor is
//! refused. A parcel that turned round permits the return: the customer will not get the goods. One
//! that was delivered all the same changes nothing but what is known: the customer has the goods.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::event::EventFact;
use super::super::evolve::posting;
use super::super::ledger::Location;
use super::super::line::LineQuantity;
use super::super::parcel::{Interception, InterceptionOutcome};
use super::super::refusal::Obstacle;
use super::super::refusal::parcel::ParcelObstacle;
use super::super::state::{Approval, ReturnCase};
use super::{Draft, Scene, take};
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::{OrderLineId, ParcelId, RuleId};
use crate::quantity::Quantity;

impl Scene<'_> {
    pub(super) fn intercept(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        parcel: &ParcelId,
        lines: &[LineQuantity],
    ) {
        if self.call_back(draft, case, parcel, lines) {
            return;
        }
        let act = "calling a parcel back";
        let may = match case.approval {
            Approval::Submitted | Approval::NeedsInfo | Approval::Authorized => true,
            Approval::Offered | Approval::Declined => false,
        };
        if case.closing.is_some() || !may {
            return draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        if !case.resolution.calls_back() {
            let resolution = case.resolution;
            return draft.refuse(ParcelObstacle::NothingToIntercept { resolution });
        }
        if case.interceptions.contains_key(parcel) || case.parcels.contains_key(parcel) {
            return draft.refuse(ParcelObstacle::ParcelKnown { parcel: parcel.clone() });
        }
        let Some(inside) = self.under_way(parcel) else {
            if let Some(sender) = self.sender_of(parcel) {
                let (parcel, case) = (parcel.clone(), sender.id.clone());
                return draft.refuse(ParcelObstacle::SentByCase { parcel, case });
            }
            return draft.refuse(ParcelObstacle::NotUnderWay { parcel: parcel.clone() });
        };
        let all: Vec<LineQuantity>;
        let named = if lines.is_empty() {
            all = everything(case, &inside);
            all.as_slice()
        } else {
            lines
        };
        let mut postings = Vec::new();
        for (line, asked) in self.case_lines(draft, case, named) {
            let steps = inside.get(&line.line).copied().unwrap_or(0);
            if asked.steps() > steps {
                let (parcel, line) = (parcel.clone(), line.line.clone());
                let available =
                    Quantity::new(steps, asked.unit()).unwrap_or(Quantity::zero(asked.unit()));
                draft.refuse(ParcelObstacle::NotInParcel { parcel, line, asked, available });
                continue;
            }
            let from = &[Location::Requested];
            take(draft, line, asked, from, Location::Intercepting, &mut postings);
        }
        self.warn_of_strangers(draft, case, parcel, &inside);
        let (case, parcel) = (case.id.clone(), parcel.clone());
        draft.facts.push(EventFact::InterceptionStarted { case, parcel, postings });
    }

    /// What a parcel of the order holds that is under way to the customer, in steps by line, less what
    /// cases have called back already; nothing once it was delivered.
    fn under_way(&self, parcel: &ParcelId) -> Option<BTreeMap<OrderLineId, i64>> {
        let shipments = self.order.sale.shipments();
        let sent = shipments.iter().find(|shipment| shipment.parcel == *parcel)?;
        if sent.arrived_at().is_some() {
            return None;
        }
        let mut inside: BTreeMap<OrderLineId, i64> = BTreeMap::new();
        for part in &sent.lines {
            let steps = inside.entry(part.line.clone()).or_insert(0);
            *steps = steps.saturating_add(part.quantity.steps());
        }
        for earlier in self.order.cases.values().filter_map(|case| case.interceptions.get(parcel)) {
            if earlier.end.is_some_and(|end| end.outcome == InterceptionOutcome::Failed) {
                return None;
            }
            for posting in &earlier.contents {
                if let Some(steps) = inside.get_mut(&posting.line) {
                    *steps = steps.saturating_sub(posting.quantity.steps()).max(0);
                }
            }
        }
        Some(inside)
    }

    /// A parcel turns round as a whole: goods in it that nobody asked to give back come along.
    fn warn_of_strangers(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        parcel: &ParcelId,
        inside: &BTreeMap<OrderLineId, i64>,
    ) {
        let promised = |line: &OrderLineId, location| {
            let own = self.order.cases.values().filter_map(|case| case.line(line));
            own.fold(0_i64, |sum, line| sum.saturating_add(line.held.at(location)))
        };
        let strangers = inside
            .iter()
            .filter(|(line, steps)| **steps > promised(line, Location::Requested))
            .map(|(line, _)| String::from(line.as_str()));
        warn_of_whole_parcel(draft, case, parcel, strangers.collect());
    }

    pub(super) fn end_interception(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        parcel: &ParcelId,
        outcome: InterceptionOutcome,
    ) {
        let open = case.interceptions.get(parcel).filter(|started| started.is_open());
        let Some(started) = open else {
            return draft.refuse(ParcelObstacle::NotIntercepting { parcel: parcel.clone() });
        };
        if !started.replacements.is_empty() {
            let postings = super::call_back::answered(started, outcome);
            let (case, parcel) = (case.id.clone(), parcel.clone());
            return draft.facts.push(EventFact::InterceptionEnded {
                case,
                parcel,
                outcome,
                postings,
            });
        }
        let mut postings = Vec::new();
        for asked in &started.contents {
            let Some(line) = case.line(&asked.line) else { continue };
            let unit = asked.quantity.unit();
            let mut move_up_to = |steps: i64, from, to| {
                let moved = Quantity::new(steps.min(line.held.at(from)).max(0), unit)
                    .unwrap_or(Quantity::zero(unit));
                if !moved.is_zero() {
                    postings.push(posting(&line.line, from, to, moved));
                }
                steps.saturating_sub(moved.steps())
            };
            let steps = asked.quantity.steps();
            // What was refunded meanwhile is awaited still, or stays with the customer for good.
            match outcome {
                InterceptionOutcome::Intercepted => {
                    move_up_to(steps, Location::Intercepting, Location::InTransit);
                }
                InterceptionOutcome::Failed => {
                    let paid = move_up_to(steps, Location::Intercepting, Location::Requested);
                    move_up_to(paid, Location::Ahead, Location::Kept);
                }
            }
        }
        let (case, parcel) = (case.id.clone(), parcel.clone());
        draft.facts.push(EventFact::InterceptionEnded { case, parcel, outcome, postings });
    }

    /// No parcel of the case is being called back, else an obstacle for each.
    pub(super) fn nothing_called_back(&self, draft: &mut Draft, case: &ReturnCase) {
        for (parcel, _) in case.interceptions.iter().filter(|(_, started)| started.is_open()) {
            draft.refuse(ParcelObstacle::InterceptionOpen { parcel: parcel.clone() });
        }
    }
}

/// Warns of lines in a parcel that turn round though nobody called them back.
pub(super) fn warn_of_whole_parcel(
    draft: &mut Draft,
    case: &ReturnCase,
    parcel: &ParcelId,
    strangers: Vec<String>,
) {
    if !strangers.is_empty() {
        draft.findings.push(
            Finding::new(RuleRef::new(RuleId::fixed("whole_parcel")), Effect::Warns)
                .about(format_args!("{}, parcel {parcel}", case.id))
                .observed(Fact::codes(strangers)),
        );
    }
}

/// All that a case asks for and a parcel holds.
fn everything(case: &ReturnCase, inside: &BTreeMap<OrderLineId, i64>) -> Vec<LineQuantity> {
    let mut lines = Vec::new();
    for line in &case.lines {
        let there = inside.get(&line.line).copied().unwrap_or(0);
        let steps = there.min(line.held.at(Location::Requested)).max(0);
        if let Ok(quantity) = Quantity::new(steps, line.requested.unit())
            && steps > 0
        {
            lines.push(LineQuantity { line: line.line.clone(), quantity });
        }
    }
    lines
}

/// The first parcel of a case that is being called back.
pub(super) fn called_back(case: &ReturnCase) -> Option<&ParcelId> {
    let open = |(_, started): &(&ParcelId, &Interception)| started.is_open();
    case.interceptions.iter().find(open).map(|(parcel, _)| parcel)
}
