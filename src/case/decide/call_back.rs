//! Replacements that are called back on their way to the customer, or lost on it.
//!
//! A replacement is called back by the case that sent it, as a whole. Turned round, it is on its way
//! back until it is here again; then it is to be sent anew or cancelled, as if it had never left.
//! Nothing is paid by any of this: what a cancelled replacement was worth goes back by the rules for
//! cancelling it.

use alloc::string::String;
use alloc::vec::Vec;

use super::super::event::EventFact;
use super::super::evolve::posting;
use super::super::ledger::{Location, Posting};
use super::super::line::LineQuantity;
use super::super::parcel::{Interception, InterceptionOutcome};
use super::super::refusal::parcel::ParcelObstacle;
use super::super::replacement::{Purpose, Replacement, ReplacementState};
use super::super::state::ReturnCase;
use super::{Draft, Scene, not_enough};
use crate::id::ParcelId;

impl Scene<'_> {
    /// Calls back the replacements that a parcel of the case holds; whether it holds any.
    pub(super) fn call_back(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        parcel: &ParcelId,
        lines: &[LineQuantity],
    ) -> bool {
        let inside: Vec<&Replacement> = sent_in(case, parcel).collect();
        if inside.is_empty() {
            return false;
        }
        if case.interceptions.contains_key(parcel) {
            draft.refuse(ParcelObstacle::ParcelKnown { parcel: parcel.clone() });
            return true;
        }
        if !lines.is_empty() {
            draft.refuse(ParcelObstacle::WholeReplacement { parcel: parcel.clone() });
        }
        let mut postings = Vec::new();
        for sent in &inside {
            let (from, to) = (Location::Customer, Location::Intercepting);
            self.move_items(draft, sent, from, to, &mut postings);
        }
        self.warn_of_other_goods(draft, case, parcel);
        let (case, parcel) = (case.id.clone(), parcel.clone());
        draft.facts.push(EventFact::InterceptionStarted { case, parcel, postings });
        true
    }

    /// The case that sent a replacement in a parcel, if another one did.
    pub(super) fn sender_of(&self, parcel: &ParcelId) -> Option<&ReturnCase> {
        self.order.cases.values().find(|case| sent_in(case, parcel).next().is_some())
    }

    /// Goods in the parcel that are no replacement of the case turn round with it.
    fn warn_of_other_goods(&self, draft: &mut Draft, case: &ReturnCase, parcel: &ParcelId) {
        let others = self.order.cases.values().filter(|other| other.id != case.id);
        let sent = others.flat_map(|other| sent_in(other, parcel)).flat_map(|sent| &sent.items);
        let mut strangers: Vec<String> =
            sent.map(|item| String::from(item.line.as_str())).collect();
        let first = self.order.sale.shipments().iter().find(|sent| sent.parcel == *parcel);
        let first = first.filter(|sent| sent.arrived_at().is_none());
        let first = first.into_iter().flat_map(|sent| &sent.lines);
        strangers.extend(first.map(|part| String::from(part.line.as_str())));
        super::intercept::warn_of_whole_parcel(draft, case, parcel, strangers);
    }

    /// A replacement that turned round is here again.
    pub(super) fn take_back_turned(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        sent: &Replacement,
    ) {
        let mut postings = Vec::new();
        self.move_items(draft, sent, Location::InTransit, Location::Stock, &mut postings);
        let (case, replacement) = (case.id.clone(), sent.number);
        draft.facts.push(EventFact::ReplacementTakenBack { case, replacement, postings });
    }

    /// The replacements in a parcel are lost, on their way out or after they turned round: they can be
    /// sent anew or cancelled. Nobody but the seller bears that towards the customer, so it waits for no
    /// decision about liability.
    pub(super) fn lose_replacements(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        parcel: &ParcelId,
    ) -> bool {
        let mut any = false;
        for sent in &case.replacements {
            let from = match &sent.state {
                ReplacementState::Shipped { parcel: own, .. } if own == parcel => {
                    Location::Customer
                }
                ReplacementState::TurnedRound { parcel: own, .. } if own == parcel => {
                    Location::InTransit
                }
                ReplacementState::Planned
                | ReplacementState::Shipped { .. }
                | ReplacementState::TurnedRound { .. }
                | ReplacementState::Delivered { .. }
                | ReplacementState::Cancelled => continue,
            };
            any = true;
            if let Some(open) = calling(case, sent.number) {
                draft.refuse(ParcelObstacle::InterceptionOpen { parcel: open.clone() });
                continue;
            }
            let mut postings = Vec::new();
            self.move_items(draft, sent, from, Location::Lost, &mut postings);
            let (case, replacement, parcel) = (case.id.clone(), sent.number, parcel.clone());
            draft.facts.push(EventFact::ReplacementLost { case, replacement, parcel, postings });
        }
        any
    }

    /// Moves what a replacement holds, all of it; an obstacle where another case has asked for some, or
    /// it came back by one.
    pub(super) fn move_items(
        &self,
        draft: &mut Draft,
        sent: &Replacement,
        from: Location,
        to: Location,
        postings: &mut Vec<Posting>,
    ) {
        // What was missing never reached the customer, though it is on the books as shipped.
        if sent.purpose == Purpose::MissingPart {
            return;
        }
        for item in &sent.items {
            let balance = self.order.quantities.balance(&item.line).copied().unwrap_or_default();
            let there = balance.at(from).max(0);
            if item.quantity.steps() > there {
                draft.refuse(not_enough(&item.line, item.quantity, there, from));
                continue;
            }
            postings.push(posting(&item.line, from, to, item.quantity));
        }
    }
}

/// Where the goods of a replacement that was called back are once the carrier has answered.
pub(super) fn answered(started: &Interception, outcome: InterceptionOutcome) -> Vec<Posting> {
    let to = match outcome {
        InterceptionOutcome::Intercepted => Location::InTransit,
        InterceptionOutcome::Failed => Location::Customer,
    };
    let moved = |asked: &Posting| posting(&asked.line, Location::Intercepting, to, asked.quantity);
    started.contents.iter().map(moved).collect()
}

/// The parcel in which a replacement is being called back.
pub(super) fn calling(case: &ReturnCase, number: u32) -> Option<&ParcelId> {
    let open = |(_, started): &(&ParcelId, &Interception)| {
        started.is_open() && started.replacements.contains(&number)
    };
    case.interceptions.iter().find(open).map(|(parcel, _)| parcel)
}

/// The replacements of a case that are under way to the customer in a parcel.
fn sent_in<'c>(
    case: &'c ReturnCase,
    parcel: &'c ParcelId,
) -> impl Iterator<Item = &'c Replacement> {
    case.replacements.iter().filter(move |sent| sent.under_way_in() == Some(parcel))
}
