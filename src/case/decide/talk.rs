//! Between request and end: questions, offers, holds, disputes, liability, inspection.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::dispute::{Dispute, Evidence, Offer, Ruling};
use super::super::event::EventFact;
use super::super::evolve::posting;
use super::super::freight::WayBack;
use super::super::ledger::{Location, PROMISED, WITH_US};
use super::super::liability::Liability;
use super::super::line::LineQuantity;
use super::super::refusal::Obstacle;
use super::super::refusal::parcel::ParcelObstacle;
use super::super::state::{Approval, CaseLine, ReturnCase};
use super::opening::released;
use super::{Draft, Scene, not_enough};
use crate::id::{OrderLineId, ParcelId};
use crate::inspection::{Disposition, Inspection};
use crate::quantity::Quantity;
use crate::time::Instant;

/// The most inspections, pieces of evidence, costs or claims of one case.
pub(super) const MAX_ENTRIES: usize = 1_000;

impl Scene<'_> {
    pub(super) fn request_info(&self, draft: &mut Draft, case: &ReturnCase, note: &str) {
        draft.note("note", note);
        self.approval_is(draft, case, &[Approval::Submitted], "asking for information");
        let (case, note) = (case.id.clone(), String::from(note));
        draft.facts.push(EventFact::InfoRequested { case, note });
    }

    pub(super) fn add_evidence(&self, draft: &mut Draft, case: &ReturnCase, evidence: &Evidence) {
        if !self.open(draft, case, "adding evidence") {
            return;
        }
        draft.note("kind of evidence", &evidence.kind);
        draft.note("reference of evidence", &evidence.reference);
        let (what, found, max) = ("pieces of evidence", case.evidence.len(), MAX_ENTRIES);
        if found >= max {
            draft.refuse(Obstacle::TooMany { what, found, max });
        }
        let (case, evidence) = (case.id.clone(), evidence.clone());
        draft.facts.push(EventFact::EvidenceAdded { case, evidence });
    }

    pub(super) fn offer(&self, draft: &mut Draft, case: &ReturnCase, offer: &Offer) {
        draft.note("note", &offer.note);
        if self.left_to_review(draft, case, "offering something by hand") {
            return;
        }
        let before = [Approval::Submitted, Approval::NeedsInfo];
        self.approval_is(draft, case, &before, "offering something else");
        self.nothing_called_back(draft, case);
        if let Some(amount) = offer.amount {
            self.is_payable(draft, amount);
            if !offer.resolution.keeps_goods() {
                draft.refuse(Obstacle::AmountNotOfIt { resolution: offer.resolution });
            }
        }
        let (case, offer) = (case.id.clone(), offer.clone());
        draft.facts.push(EventFact::ResolutionOffered { case, offer });
    }

    pub(super) fn answer_offer(&self, draft: &mut Draft, case: &ReturnCase, taken: Taken) {
        self.approval_is(draft, case, &[Approval::Offered], "answering an offer");
        let Some(offer) = &case.offer else { return };
        let id = case.id.clone();
        let fact = match taken {
            Taken::Yes => {
                let resolution = offer.resolution;
                let way_back = self.way_back(draft, case, resolution);
                EventFact::OfferAccepted { case: id, resolution, way_back }
            }
            Taken::No => EventFact::OfferRefused { case: id },
        };
        draft.facts.push(fact);
    }

    fn approval_is(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        states: &[Approval],
        act: &'static str,
    ) {
        if case.closing.is_some() || !states.contains(&case.approval) {
            draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
    }

    pub(super) fn hold(&self, draft: &mut Draft, case: &ReturnCase, note: &str) {
        let act = "putting on hold";
        draft.note("note", note);
        if self.open(draft, case, act) && case.held_since.is_some() {
            draft.refuse(Obstacle::OnHold { act });
        }
        let (case, note) = (case.id.clone(), String::from(note));
        draft.facts.push(EventFact::CaseHeld { case, note });
    }

    pub(super) fn release(&self, draft: &mut Draft, case: &ReturnCase) {
        if case.held_since.is_none() {
            draft.refuse(Obstacle::NotOnHold);
        }
        draft.facts.push(EventFact::HoldReleased { case: case.id.clone() });
    }

    pub(super) fn open_dispute(&self, draft: &mut Draft, case: &ReturnCase, note: &str) {
        let act = "opening a dispute";
        draft.note("note", note);
        if self.open(draft, case, act) && case.dispute != Dispute::None {
            draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        let (case, note, appeal) = (case.id.clone(), String::from(note), false);
        draft.facts.push(EventFact::DisputeOpened { case, note, appeal });
    }

    pub(super) fn appeal(&self, draft: &mut Draft, case: &ReturnCase, note: &str) {
        draft.note("note", note);
        if self.open(draft, case, "appealing") {
            let now = self.context.now;
            let until = match case.dispute {
                Dispute::Ruled { appeal_until, .. } => appeal_until,
                Dispute::None | Dispute::Open { .. } => None,
            };
            // At the very end of the window it is over: the window is half open.
            if until.is_none_or(|until| now >= until) {
                draft.refuse(Obstacle::NoAppeal);
            }
        }
        let (case, note, appeal) = (case.id.clone(), String::from(note), true);
        draft.facts.push(EventFact::DisputeOpened { case, note, appeal });
    }

    /// A ruling for the customer permits the return and promises the units again when they were
    /// released; one for the seller refuses it while nothing has moved. Goods that have moved are then
    /// refused and sent home like any others.
    pub(super) fn rule(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        ruling: Ruling,
        appeal_until: Option<Instant>,
        note: &str,
    ) {
        draft.note("note", note);
        self.open(draft, case, "ruling");
        let Dispute::Open { appeal, .. } = case.dispute else {
            return draft.refuse(Obstacle::NoDispute);
        };
        if let Some(until) = appeal_until
            && (until <= self.context.now || appeal)
        {
            draft.refuse(Obstacle::AppealOver { until });
        }
        let postings = match (ruling, case.approval) {
            (Ruling::ForCustomer, Approval::Declined) => self.promised_again(draft, case),
            (Ruling::ForSeller, approval) if approval != Approval::Declined && is_idle(case) => {
                released(case)
            }
            (Ruling::ForCustomer | Ruling::ForSeller, _) => Vec::new(),
        };
        let permits = ruling == Ruling::ForCustomer && case.approval != Approval::Authorized;
        let way_back =
            if permits { self.way_back(draft, case, case.resolution) } else { WayBack::Unstated };
        let (case, note) = (case.id.clone(), String::from(note));
        draft.facts.push(EventFact::DisputeRuled {
            case,
            ruling,
            appeal_until,
            note,
            postings,
            way_back,
        });
    }

    pub(super) fn declare_lost(&self, draft: &mut Draft, case: &ReturnCase, parcel: &ParcelId) {
        if !case.parcels.contains_key(parcel) && self.lose_replacements(draft, case, parcel) {
            return;
        }
        if !self.authorized(draft, case, "declaring a loss") {
            return;
        }
        let Some(state) = case.parcels.get(parcel) else {
            return draft.refuse(ParcelObstacle::UnknownParcel { parcel: parcel.clone() });
        };
        let mut postings = Vec::new();
        if state.received_at.is_some() {
            postings = super::parcels::missing(case, state, Location::Lost);
        }
        let mut seen = BTreeSet::new();
        let on_its_way = state.contents.iter().filter(|_| state.received_at.is_none());
        for sent in on_its_way.filter(|sent| seen.insert(&sent.line)) {
            let under_way =
                case.line(&sent.line).map_or(0, |line| line.held.at(Location::InTransit));
            // What was declared before is not declared again: the rest is in other parcels.
            let steps = state.missing(&sent.line).min(under_way).max(0);
            if let Ok(quantity) = Quantity::new(steps, sent.quantity.unit())
                && steps > 0
            {
                let (from, to) = (Location::InTransit, Location::Lost);
                postings.push(posting(&sent.line, from, to, quantity));
            }
        }
        if postings.is_empty() {
            let (status, act) = (case.status(), "declaring this parcel lost");
            draft.refuse(Obstacle::WrongStatus { status, act });
        }
        let (case, parcel) = (case.id.clone(), parcel.clone());
        draft.facts.push(EventFact::ParcelLost { case, parcel, postings });
    }

    pub(super) fn attribute(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        line: &OrderLineId,
        liability: &Liability,
    ) {
        let (what, found, max) = ("pieces of evidence", liability.evidence().len(), MAX_ENTRIES);
        if found > max {
            return draft.refuse(Obstacle::TooMany { what, found, max });
        }
        for text in liability.evidence() {
            draft.note("reference of evidence", text);
        }
        match case.line(line) {
            None => draft.refuse(Obstacle::NotInCase { line: line.clone() }),
            Some(own) => self.check_claims(draft, case, own, liability),
        }
        let (case, line, liability) = (case.id.clone(), line.clone(), liability.clone());
        draft.facts.push(EventFact::LiabilityAttributed { case, line, liability });
    }

    pub(super) fn appeal_liability(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        line: &OrderLineId,
        note: &str,
    ) {
        draft.note("note", note);
        match case.line(line) {
            None => draft.refuse(Obstacle::NotInCase { line: line.clone() }),
            Some(own) if own.liability.is_none() => draft.refuse(Obstacle::NoAppeal),
            Some(_) => {}
        }
        let (case, line, note) = (case.id.clone(), line.clone(), String::from(note));
        draft.facts.push(EventFact::LiabilityAppealed { case, line, note });
    }

    pub(super) fn inspect(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        units: &LineQuantity,
        inspection: &Inspection,
    ) {
        for text in inspection.findings.iter().chain(&inspection.evidence) {
            draft.note("finding", text);
        }
        let found = inspection.findings.len().max(inspection.evidence.len());
        for (line, asked) in self.case_lines(draft, case, core::slice::from_ref(units)) {
            let entries = found.max(line.inspections.len());
            if entries >= MAX_ENTRIES {
                let (what, found, max) = ("inspections or findings", entries, MAX_ENTRIES);
                draft.refuse(Obstacle::TooMany { what, found, max });
            }
            let there = line.held.over(WITH_US);
            if asked.steps() > there {
                draft.refuse(not_enough(&line.line, asked, there, Location::Received));
            }
        }
        let (case, units, inspection) = (case.id.clone(), units.clone(), inspection.clone());
        draft.facts.push(EventFact::UnitsInspected { case, units, inspection });
    }

    /// Units are disposed of once: what is accepted, settled or recovered, less what was disposed of;
    /// or again from an earlier disposition, such as out of quarantine.
    pub(super) fn set_disposition(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        units: &LineQuantity,
        from: Option<Disposition>,
        to: Disposition,
    ) {
        for (line, asked) in self.case_lines(draft, case, core::slice::from_ref(units)) {
            let there = match from {
                Some(from) => line.disposed.get(&from).copied().unwrap_or(0),
                None => line.undisposed(),
            };
            if asked.steps() > there {
                let line = line.line.clone();
                let available = Quantity::new(there.max(0), asked.unit())
                    .unwrap_or(Quantity::zero(asked.unit()));
                draft.refuse(Obstacle::NothingToDispose { line, asked, available });
            }
        }
        let (case, units) = (case.id.clone(), units.clone());
        draft.facts.push(EventFact::DispositionSet { case, units, from, to });
    }
}

/// Whether no unit of a case has moved yet: all are promised to it, and nothing more.
fn is_idle(case: &ReturnCase) -> bool {
    let promised = |line: &CaseLine| line.held.over(PROMISED) == line.requested.steps();
    case.lines.iter().all(promised)
}

/// Whether an offer is taken.
#[derive(Clone, Copy)]
pub(super) enum Taken {
    Yes,
    No,
}
