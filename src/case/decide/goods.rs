//! Goods: on their way back, arrived, accepted, refused, sent home.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::super::dispute::{Dispute, Ruling};
use super::super::event::EventFact;
use super::super::ground::AcceptanceBasis;
use super::super::ledger::{ARRIVING, Location, Posting, SETTLED_OUTSIDE};
use super::super::line::ReadMarks;
use super::super::line::{LineQuantity, ReceivedLine};
use super::super::parcel::{UnexpectedItem, UnexpectedKind};
use super::super::refusal::Obstacle;
use super::super::refusal::parcel::ParcelObstacle;
use super::super::replacement::{Purpose, Replacement, ReplacementState};
use super::super::state::{Approval, CaseLine, ReturnCase};
use super::{Draft, MAX_LINES, Scene, take};
use crate::id::{ParcelId, SerialId};
use crate::quantity::Quantity;

impl Scene<'_> {
    pub(super) fn send_back(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        parcel: &ParcelId,
        lines: &[LineQuantity],
    ) {
        let act = "sending goods back";
        if !self.authorized(draft, case, act) {
            return;
        }
        if !case.resolution.needs_return() {
            draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        if case.parcels.contains_key(parcel) {
            draft.refuse(ParcelObstacle::ParcelKnown { parcel: parcel.clone() });
        }
        let mut postings = Vec::new();
        for (line, quantity) in self.case_lines(draft, case, lines) {
            let from = &[Location::Requested];
            take(draft, line, quantity, from, Location::InTransit, &mut postings);
        }
        let (case, parcel) = (case.id.clone(), parcel.clone());
        draft.facts.push(EventFact::GoodsSentBack { case, parcel, postings });
    }

    /// What belongs to the case is received; more than that, other articles, foreign serial numbers
    /// and lots are recorded as unexpected and never settled by themselves.
    pub(super) fn receive(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        parcel: Option<&ParcelId>,
        lines: &[ReceivedLine],
        unexpected: &[UnexpectedItem],
    ) {
        if case.approval != Approval::Authorized {
            let (status, act) = (case.status(), "receiving goods");
            return draft.refuse(Obstacle::WrongStatus { status, act });
        }
        if let Some(parcel) = parcel.filter(|parcel| !case.parcels.contains_key(*parcel))
            && !case.parcels.is_empty()
        {
            draft.refuse(ParcelObstacle::UnknownParcel { parcel: parcel.clone() });
        }
        let numbers =
            lines.iter().fold(0_usize, |sum, line| sum.saturating_add(line.serials.len()));
        for (what, found) in [("unexpected items", unexpected.len()), ("serial numbers", numbers)] {
            let max = MAX_LINES;
            if found > max {
                return draft.refuse(Obstacle::TooMany { what, found, max });
            }
        }
        for (item, _) in (1_u32..).zip(unexpected).filter(|(_, item)| item.quantity.is_zero()) {
            draft.refuse(ParcelObstacle::ZeroItem { item });
        }
        let called_back = super::intercept::called_back(case);
        if let Some(open) = called_back.filter(|open| parcel == Some(open)) {
            draft.refuse(ParcelObstacle::InterceptionOpen { parcel: open.clone() });
        }
        let mut unexpected = unexpected.to_vec();
        let plain: Vec<LineQuantity> = lines
            .iter()
            .map(|line| LineQuantity { line: line.line.clone(), quantity: line.quantity })
            .collect();
        if plain.is_empty() && !unexpected.is_empty() {
            // A parcel with nothing but foreign goods is a receipt too.
        } else if self.case_lines(draft, case, &plain).len() < plain.len() {
            return;
        }
        let mut postings = Vec::new();
        let mut marks = Vec::new();
        for received in lines {
            let Some(line) = case.line(&received.line) else { continue };
            let (genuine, serials) = self.genuine(draft, case, line, received, &mut unexpected);
            let expected = Self::may_arrive(case, line);
            let ahead = line.held.over(SETTLED_OUTSIDE);
            let arriving = genuine.min(expected).max(0);
            let recovered = genuine.saturating_sub(arriving).min(ahead).max(0);
            let over = genuine.saturating_sub(arriving).saturating_sub(recovered);
            let unit = received.quantity.unit();
            let of = |steps: i64| Quantity::new(steps, unit).unwrap_or(Quantity::zero(unit));
            if arriving > 0 {
                take(draft, line, of(arriving), ARRIVING, Location::Received, &mut postings);
            }
            if recovered > 0 {
                let to = Location::Recovered;
                take(draft, line, of(recovered), SETTLED_OUTSIDE, to, &mut postings);
            }
            if over > 0
                && line.held.at(Location::Intercepting) > 0
                && let Some(open) = called_back.filter(|open| parcel != Some(open))
            {
                // What comes back may be what was called back: nobody recorded that it turned round.
                draft.refuse(ParcelObstacle::InterceptionOpen { parcel: open.clone() });
            }
            if over > 0 {
                let sku = self.order.sold_as(&line.line).map(|line| line.ordered.sku.clone());
                let kind = UnexpectedKind::OverReceipt;
                let (quantity, line) = (of(over), Some(line.line.clone()));
                unexpected.push(UnexpectedItem { sku, quantity, serial: None, kind, line });
            }
            if !serials.is_empty() || !received.lots.is_empty() {
                let (line, lots) = (received.line.clone(), received.lots.clone());
                marks.push(ReadMarks { line, serials, lots });
            }
        }
        super::parcels::warn_of_unexpected(draft, &unexpected);
        if let Some(state) = parcel.and_then(|parcel| case.parcels.get(parcel)) {
            super::parcels::warn_of_shortage(draft, state, &postings);
        }
        let (case, parcel) = (case.id.clone(), parcel.cloned());
        draft.facts.push(EventFact::GoodsReceived { case, parcel, postings, marks, unexpected });
    }

    /// How many units of a line may arrive: none but what was sent back when what was missing was sent
    /// again, because the customer has it; a parcel that turns up late is not a return then.
    fn may_arrive(case: &ReturnCase, line: &CaseLine) -> i64 {
        let again = |sent: &Replacement| {
            sent.purpose == Purpose::MissingPart && sent.state != ReplacementState::Cancelled
        };
        let requested = line.held.at(Location::Requested);
        let sent_again = case.replacements.iter().any(again);
        let not_coming = if sent_again { requested } else { 0 };
        line.held.over(ARRIVING).saturating_sub(not_coming)
    }

    /// How many of the received units carry serial numbers and lots of this sale, and which numbers;
    /// the others become unexpected items.
    fn genuine(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        line: &CaseLine,
        received: &ReceivedLine,
        unexpected: &mut Vec<UnexpectedItem>,
    ) -> (i64, BTreeSet<SerialId>) {
        let steps = received.quantity.steps();
        let serials = i64::try_from(received.serials.len()).unwrap_or(i64::MAX);
        if serials > steps {
            draft.refuse(Obstacle::TooManySerials {
                line: line.line.clone(),
                serials: received.serials.len(),
                quantity: received.quantity,
            });
            return (0, BTreeSet::new());
        }
        let sale = &self.order.sale;
        let unit = received.quantity.unit();
        let sku = self.order.sold_as(&line.line).map(|line| line.ordered.sku.clone());
        let mut genuine = steps;
        let mut own = received.serials.clone();
        for serial in &received.serials {
            // Serial numbers of replacements are not on the sale; those asked for are believed.
            let expected = line.serials.is_empty() || line.serials.contains(serial);
            let known =
                sale.shipped_serial(&line.line, serial) || self.order.added(&line.line).is_some();
            // One unit comes back once, until it goes out again.
            let elsewhere = line.received_serials.contains(serial)
                || self.holder_of(&line.line, serial, Some(&case.id)).is_some();
            if !known || !expected || elsewhere {
                genuine = genuine.saturating_sub(1);
                own.remove(serial);
                unexpected.push(UnexpectedItem {
                    sku: sku.clone(),
                    quantity: Quantity::new(1, unit).unwrap_or(Quantity::zero(unit)),
                    serial: Some(serial.clone()),
                    kind: UnexpectedKind::WrongSerial,
                    line: Some(line.line.clone()),
                });
            }
        }
        // A lot speaks for the whole received quantity: one receipt, one lot of goods.
        let known = sale.knows_lots(&line.line);
        if known
            && genuine > 0
            && received.lots.iter().any(|lot| !sale.shipped_lot(&line.line, lot))
        {
            unexpected.push(UnexpectedItem {
                sku,
                quantity: Quantity::new(genuine.max(0), unit).unwrap_or(Quantity::zero(unit)),
                serial: None,
                kind: UnexpectedKind::WrongLot,
                line: Some(line.line.clone()),
            });
            return (0, BTreeSet::new());
        }
        (genuine, own)
    }

    pub(super) fn accept(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        lines: &[LineQuantity],
        basis: AcceptanceBasis,
    ) {
        if !self.authorized(draft, case, "accepting units") {
            return;
        }
        let for_customer =
            matches!(case.dispute, Dispute::Ruled { ruling: Ruling::ForCustomer, .. });
        if basis == AcceptanceBasis::Ruling && !for_customer {
            draft.refuse(Obstacle::NoRuling);
        }
        let mut postings = Vec::new();
        for (line, quantity) in self.case_lines(draft, case, lines) {
            let from = &[Location::Received, Location::Rejected];
            take(draft, line, quantity, from, Location::Accepted, &mut postings);
        }
        let (id, moved) = (case.id.clone(), postings.clone());
        draft.facts.push(EventFact::UnitsAccepted { case: id, basis, postings });
        self.resolve_returned_advance(draft, case, &moved);
    }

    pub(super) fn reject(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        lines: &[LineQuantity],
        note: &str,
    ) {
        if !self.authorized(draft, case, "refusing units") {
            return;
        }
        draft.note("note", note);
        let mut postings = Vec::new();
        for (line, quantity) in self.case_lines(draft, case, lines) {
            let from = &[Location::Received, Location::Accepted];
            take(draft, line, quantity, from, Location::Rejected, &mut postings);
            may_leave(draft, line, &postings);
        }
        let (case, note) = (case.id.clone(), String::from(note));
        draft.facts.push(EventFact::UnitsRejected { case, note, postings });
    }

    pub(super) fn return_units(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        lines: &[LineQuantity],
    ) {
        if !self.authorized(draft, case, "sending units back") {
            return;
        }
        let mut postings = Vec::new();
        for (line, quantity) in self.case_lines(draft, case, lines) {
            let from = &[Location::Rejected];
            take(draft, line, quantity, from, Location::Customer, &mut postings);
        }
        let case = case.id.clone();
        draft.facts.push(EventFact::UnitsReturned { case, postings });
    }
}

/// Accepted units go back only as long as what becomes of them is not decided for good.
pub(super) fn may_leave(draft: &mut Draft, line: &CaseLine, postings: &[Posting]) {
    let leaving = postings
        .iter()
        .filter(|posting| posting.line == line.line && posting.from == Location::Accepted)
        .fold(0_i64, |sum, posting| sum.saturating_add(posting.quantity.steps()));
    let unit = line.requested.unit();
    let free = line.free();
    if leaving > free
        && let (Ok(asked), Ok(available)) =
            (Quantity::new(leaving, unit), Quantity::new(free, unit))
    {
        draft.refuse(Obstacle::DisposedAlready { line: line.line.clone(), asked, available });
    }
}
