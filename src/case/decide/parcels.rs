//! Parcels after they were registered: what the carrier says, what was missing in them, and what
//! was in them that belongs to no line.

use alloc::vec::Vec;

use super::super::event::EventFact;
use super::super::evolve::posting;
use super::super::ledger::{ARRIVING, Location, Posting};
use super::super::parcel::{Scan, UnexpectedEnd};
use super::super::parcel::{UnexpectedItem, UnexpectedKind};
use super::super::refusal::Obstacle;
use super::super::refusal::parcel::ParcelObstacle;
use super::super::state::{ParcelState, ReturnCase};
use super::{Draft, Scene, not_enough, take};
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::{ParcelId, RuleId};
use crate::quantity::Quantity;

/// The most scans of one parcel.
const MAX_SCANS: usize = 500;

impl Scene<'_> {
    /// Carriers repeat themselves: a scan that is known already leads to no event.
    pub(super) fn track(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        parcel: &ParcelId,
        scan: &Scan,
    ) {
        if !self.open(draft, case, "tracking a parcel") {
            return;
        }
        let Some(known) = case.parcels.get(parcel) else {
            return draft.refuse(ParcelObstacle::UnknownParcel { parcel: parcel.clone() });
        };
        for text in scan.place.iter().chain(&scan.note) {
            draft.note("text of the scan", text);
        }
        let now = self.context.now;
        if scan.at > now {
            draft.refuse(ParcelObstacle::ScanInFuture { at: scan.at, now });
        }
        if known.scans.contains(scan) {
            return;
        }
        let (what, found, max) = ("scans", known.scans.len(), MAX_SCANS);
        if found >= max {
            draft.refuse(Obstacle::TooMany { what, found, max });
        }
        let (case, parcel, scan) = (case.id.clone(), parcel.clone(), scan.clone());
        draft.facts.push(EventFact::ParcelScanned { case, parcel, scan });
    }

    /// What a received parcel announced and did not hold goes back to where it never left: to the
    /// customer, promised to the case. Who thinks it was sent and lost declares it lost instead.
    pub(super) fn record_shortage(&self, draft: &mut Draft, case: &ReturnCase, parcel: &ParcelId) {
        if !self.authorized(draft, case, "recording a shortage") {
            return;
        }
        let Some(state) = case.parcels.get(parcel) else {
            return draft.refuse(ParcelObstacle::UnknownParcel { parcel: parcel.clone() });
        };
        // What was called back never reached the customer: missing in it is lost, not kept.
        if state.received_at.is_none() || case.interceptions.contains_key(parcel) {
            return draft.refuse(Obstacle::NotReceived { parcel: parcel.clone() });
        }
        let postings = missing(case, state, Location::Requested);
        if postings.is_empty() {
            draft.refuse(ParcelObstacle::NothingMissing { parcel: parcel.clone() });
        }
        let (case, parcel) = (case.id.clone(), parcel.clone());
        draft.facts.push(EventFact::ShortageRecorded { case, parcel, postings });
    }

    /// An over-receipt is admitted as further units of its line, other goods in place of the unit that
    /// was expected; everything else only leaves the house.
    pub(super) fn resolve_unexpected(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        place: u32,
        end: UnexpectedEnd,
    ) {
        let Some((_, item)) = case.undecided_items().find(|(known, _)| *known == place) else {
            return draft.refuse(Obstacle::UnknownItem { item: place });
        };
        let postings = match end {
            UnexpectedEnd::Admitted => self.admitted(draft, case, place, item),
            UnexpectedEnd::SentBack | UnexpectedEnd::HandedOn | UnexpectedEnd::Disposed => {
                Vec::new()
            }
        };
        let (case, item) = (case.id.clone(), place);
        draft.facts.push(EventFact::UnexpectedResolved { case, item, end, postings });
    }

    fn admitted(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        place: u32,
        item: &UnexpectedItem,
    ) -> Vec<Posting> {
        let mut postings = Vec::new();
        if !self.authorized(draft, case, "admitting goods") {
            return postings;
        }
        let own = item.line.as_ref().and_then(|line| case.line(line));
        let Some(own) = own.filter(|own| own.requested.unit() == item.quantity.unit()) else {
            draft.refuse(Obstacle::NotAdmissible { item: place });
            return postings;
        };
        let quantity = item.quantity;
        match item.kind {
            UnexpectedKind::WrongItem => draft.refuse(Obstacle::NotAdmissible { item: place }),
            UnexpectedKind::WrongSerial | UnexpectedKind::WrongLot => {
                let to = Location::Received;
                take(draft, own, quantity, ARRIVING, to, &mut postings);
            }
            UnexpectedKind::OverReceipt => {
                let balance = self.order.quantities.at(own.slot).copied().unwrap_or_default();
                let free = balance.at(Location::Customer).max(0);
                if quantity.steps() > free {
                    draft.refuse(not_enough(&own.line, quantity, free, Location::Customer));
                    return postings;
                }
                let (customer, promised) = (Location::Customer, Location::Requested);
                postings.push(posting(&own.line, customer, promised, quantity));
                postings.push(posting(&own.line, promised, Location::Received, quantity));
            }
        }
        postings
    }
}

/// What of a parcel has not been found in it and is still on its way, to another place. Units of one
/// line are alike: what arrived without a parcel number may have been in this one, so that no more is
/// taken than the parcels that have not arrived leave over.
pub(super) fn missing(case: &ReturnCase, parcel: &ParcelState, to: Location) -> Vec<Posting> {
    let mut postings: Vec<Posting> = Vec::new();
    for sent in &parcel.contents {
        let Some(line) = case.line(&sent.line) else { continue };
        if postings.iter().any(|known| known.line == sent.line) {
            continue;
        }
        let others = case.parcels.values().filter(|other| !core::ptr::eq(*other, parcel));
        let coming = others.filter(|other| other.received_at.is_none());
        let elsewhere =
            coming.fold(0_i64, |sum, other| sum.saturating_add(other.missing(&sent.line)));
        let under_way = line.held.at(Location::InTransit).saturating_sub(elsewhere);
        let steps = parcel.missing(&sent.line).min(under_way);
        if let Ok(quantity) = Quantity::new(steps.max(0), sent.quantity.unit())
            && !quantity.is_zero()
        {
            postings.push(posting(&sent.line, Location::InTransit, to, quantity));
        }
    }
    postings
}

/// What a receipt found beside what was announced, for people: one finding for each kind and line.
pub(super) fn warn_of_unexpected(draft: &mut Draft, unexpected: &[UnexpectedItem]) {
    for item in unexpected {
        let rule = match item.kind {
            UnexpectedKind::OverReceipt => "over_receipt",
            UnexpectedKind::WrongItem => "wrong_item",
            UnexpectedKind::WrongSerial => "wrong_serial",
            UnexpectedKind::WrongLot => "wrong_lot",
        };
        let finding = Finding::new(RuleRef::new(RuleId::fixed(rule)), Effect::Warns)
            .observed(Fact::Quantity(item.quantity));
        let finding = match (&item.line, &item.sku) {
            (Some(line), _) => finding.about(format_args!("line {line}")),
            (None, Some(sku)) => finding.about(format_args!("article {sku}")),
            (None, None) => finding,
        };
        draft.findings.push(finding);
    }
}

/// What a parcel announced and no receipt has found, with what was found now.
pub(super) fn warn_of_shortage(draft: &mut Draft, parcel: &ParcelState, now: &[Posting]) {
    for sent in &parcel.contents {
        let found = now.iter().filter(|posting| posting.line == sent.line);
        let found = found.fold(0_i64, |sum, posting| sum.saturating_add(posting.quantity.steps()));
        let short = parcel.missing(&sent.line).saturating_sub(found);
        if let Ok(short) = Quantity::new(short, sent.quantity.unit())
            && !short.is_zero()
        {
            draft.findings.push(
                Finding::new(RuleRef::new(RuleId::fixed("short_receipt")), Effect::Warns)
                    .about(format_args!("line {}", sent.line))
                    .observed(Fact::Quantity(short))
                    .required(Fact::Quantity(sent.quantity)),
            );
        }
    }
}
