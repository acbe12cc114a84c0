//! Goods that go out: exchanges, advances, missing parts, repaired units.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::event::EventFact;
use super::super::evolve::posting;
use super::super::ledger::{Location, Posting};
use super::super::line::LineQuantity;
use super::super::obligation::Obligation;
use super::super::refund::RefundTerms;
use super::super::refusal::Obstacle;
use super::super::refusal::parcel::ParcelObstacle;
use super::super::replacement::{
    Advance, AdvanceEnd, Purpose, Replacement, ReplacementItem, ReplacementState,
};
use super::super::resolution::Resolution;
use super::super::state::{CaseLine, ReturnCase};
use super::{Draft, MAX_LINES, Scene, take};
use crate::explain::RuleRef;
use crate::id::{OrderLineId, ParcelId, RuleId};
use crate::money::Money;
use crate::quantity::Quantity;
use crate::settlement::request::{
    Claim, LineRefund, Outgoing, OutgoingKind, OutgoingPrice, RefundRequest,
};
use crate::settlement::{Settlement, quote};
use crate::time::Instant;

impl Scene<'_> {
    /// Settles what came back against what goes out. Both legs stand in one settlement, so that the
    /// difference is exact and a later return of the new goods refunds what was paid along the chain.
    pub(super) fn exchange(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        lines: &[LineQuantity],
        items: &[ReplacementItem],
        terms: &RefundTerms,
    ) {
        if !self.authorized(draft, case, "exchanging")
            || !self.resolved_by(draft, case, Resolution::Exchange, "exchanging")
            || self.keeps_back(draft, case, "exchanging")
        {
            return;
        }
        let mut postings = Vec::new();
        let mut claims = Vec::new();
        let named = if lines.is_empty() {
            case.lines.iter().filter_map(|line| Some((line, accepted(line)?))).collect()
        } else {
            self.case_lines(draft, case, lines)
        };
        if named.is_empty() {
            draft.refuse(Obstacle::NothingToSettle);
        }
        for (line, quantity) in named {
            take(draft, line, quantity, &[Location::Accepted], Location::Settled, &mut postings);
            claims.push(LineRefund { line: line.line.clone(), claim: Claim::Units(quantity) });
        }
        self.check_items(draft, case, items);
        if !draft.obstacles.is_empty() {
            return;
        }
        let mut request = self.request_on(draft, case, terms, claims);
        request.outgoing = outgoing(items, OutgoingKind::Exchange);
        let Some(settlement) = self.settled(draft, &request) else { return };
        let obligation = next_obligation(case);
        let unpaid = settlement.due.is_positive().then_some(obligation);
        let (id, settlement) = (case.id.clone(), Arc::new(settlement));
        draft.facts.push(EventFact::RefundPlanned { case: id, obligation, postings, settlement });
        self.plan(draft, case, Purpose::Exchange, items, unpaid, None);
    }

    pub(super) fn send_advance(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        items: &[ReplacementItem],
        charge_on: Instant,
    ) {
        let act = "sending a replacement in advance";
        if !self.authorized(draft, case, act)
            || !self.resolved_by(draft, case, Resolution::AdvanceReplacement, act)
            || self.keeps_back(draft, case, act)
        {
            return;
        }
        if case.replacements.iter().any(|sent| sent.advance.is_some()) {
            draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        // The replacement stands for units that are still to be settled, or it would be a gift.
        for line in case.lines.iter().filter(|line| line.is_settled_in_part()) {
            draft.refuse(Obstacle::SettledAlready { line: line.line.clone() });
        }
        self.check_items(draft, case, items);
        let number = self.plan(draft, case, Purpose::Advance, items, None, Some(charge_on));
        if is_all_back(case, &[]) {
            self.settle_returned_advance(draft, case, number, items, &RefundTerms::default());
        }
    }

    pub(super) fn reship(&self, draft: &mut Draft, case: &ReturnCase, items: &[ReplacementItem]) {
        let act = "sending missing parts";
        if !self.authorized(draft, case, act)
            || !self.resolved_by(draft, case, Resolution::Reship, act)
            || self.keeps_back(draft, case, act)
        {
            return;
        }
        self.check_items(draft, case, items);
        self.plan(draft, case, Purpose::MissingPart, items, None, None);
    }

    /// The original came back in full: the advance is resolved, goods against goods. While a dispute or
    /// a hold freezes settling, a [refund](Self::refund) does it afterwards.
    pub(super) fn resolve_returned_advance(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        accepted_now: &[Posting],
    ) {
        if case.dispute.is_open() || case.held_since.is_some() {
            return;
        }
        if let Some(advance) = returned_advance(case, accepted_now) {
            let (number, items) = (advance.number, &advance.items);
            self.settle_returned_advance(draft, case, number, items, &RefundTerms::default());
        }
    }

    pub(super) fn settle_returned_advance(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        replacement: u32,
        items: &[ReplacementItem],
        terms: &RefundTerms,
    ) {
        let mut postings = Vec::new();
        let mut claims = Vec::new();
        for line in &case.lines {
            let (from, to) = (Location::Accepted, Location::Settled);
            postings.push(posting(&line.line, from, to, line.requested));
            let claim = Claim::Units(line.requested);
            claims.push(LineRefund { line: line.line.clone(), claim });
        }
        let mut request = self.request_on(draft, case, terms, claims);
        request.outgoing = outgoing(items, OutgoingKind::Exchange);
        for outgoing in &mut request.outgoing {
            if let Some(item) = items.iter().find(|item| item.line == outgoing.line) {
                outgoing.price = OutgoingPrice::EvenWith(item.replaces.clone());
            }
        }
        let Some(settlement) = self.settled(draft, &request) else { return };
        let (obligation, settlement) = (next_obligation(case), Arc::new(settlement));
        let id = case.id.clone();
        draft.facts.push(EventFact::RefundPlanned { case: id, obligation, postings, settlement });
        self.end_advance(draft, case, replacement, AdvanceEnd::Returned, Vec::new());
    }

    /// The original did not come back in time: the customer pays for the replacement and keeps both.
    pub(super) fn charge_advance(&self, draft: &mut Draft, case: &ReturnCase, number: u32) {
        let Some((sent, open)) = self.open_advance(draft, case, number, "charged") else { return };
        if self.context.now < open.charge_on {
            let (replacement, charge_on) = (number, open.charge_on);
            return draft.refuse(Obstacle::TooEarlyToCharge { replacement, charge_on });
        }
        self.not_called_back(draft, case, number);
        if matches!(
            sent.state,
            ReplacementState::Planned
                | ReplacementState::TurnedRound { .. }
                | ReplacementState::Cancelled
        ) {
            let (replacement, act) = (number, "charged");
            return draft.refuse(Obstacle::ReplacementState { replacement, act });
        }
        let mut request = RefundRequest::new(self.context.now);
        request.outgoing = outgoing(&sent.items, OutgoingKind::AdvanceReplacement);
        for (outgoing, item) in request.outgoing.iter_mut().zip(&sent.items) {
            if item.price.is_none() {
                let Some(paid) = self.value_of(case, item) else { continue };
                outgoing.price = OutgoingPrice::Own(paid);
            }
        }
        let Some(settlement) = self.settled(draft, &request) else { return };
        let (obligation, settlement) = (next_obligation(case), Arc::new(settlement));
        let (id, postings) = (case.id.clone(), Vec::new());
        draft.facts.push(EventFact::RefundPlanned { case: id, obligation, postings, settlement });
        let free = super::sweep(case, Location::Requested, Location::Customer);
        self.end_advance(draft, case, number, AdvanceEnd::Charged, free);
    }

    /// The customer sent the replacement back and keeps the original: nothing is charged. Or it was called
    /// back on its way, and is here again.
    pub(super) fn take_back(&self, draft: &mut Draft, case: &ReturnCase, number: u32) {
        let turned = |sent: &&Replacement| {
            sent.number == number && matches!(sent.state, ReplacementState::TurnedRound { .. })
        };
        if let Some(sent) = case.replacements.iter().find(turned) {
            return self.take_back_turned(draft, case, sent);
        }
        self.not_called_back(draft, case, number);
        let Some((sent, _)) = self.open_advance(draft, case, number, "taken back") else { return };
        if !matches!(
            sent.state,
            ReplacementState::Shipped { .. } | ReplacementState::Delivered { .. }
        ) {
            let (replacement, act) = (number, "taken back");
            return draft.refuse(Obstacle::ReplacementState { replacement, act });
        }
        let mut postings = super::sweep(case, Location::Requested, Location::Customer);
        let (from, to) = (Location::Customer, Location::Stock);
        self.move_items(draft, sent, from, to, &mut postings);
        self.end_advance(draft, case, number, AdvanceEnd::ReplacementReturned, postings);
    }

    fn open_advance<'c>(
        &self,
        draft: &mut Draft,
        case: &'c ReturnCase,
        number: u32,
        act: &'static str,
    ) -> Option<(&'c Replacement, Advance)> {
        let sent = self.replacement(draft, case, number)?;
        let open = sent.advance.filter(|advance| advance.resolved.is_none());
        if open.is_none() {
            draft.refuse(Obstacle::ReplacementState { replacement: number, act });
        }
        Some((sent, open?))
    }

    fn end_advance(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        replacement: u32,
        end: AdvanceEnd,
        postings: Vec<Posting>,
    ) {
        let case = case.id.clone();
        draft.facts.push(EventFact::AdvanceResolved { case, replacement, end, postings });
    }

    pub(super) fn ship(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        number: u32,
        parcel: &ParcelId,
    ) {
        if !self.authorized(draft, case, "shipping a replacement") {
            return;
        }
        let Some(planned) = self.replacement(draft, case, number) else { return };
        if planned.state != ReplacementState::Planned {
            let (replacement, act) = (number, "shipped");
            draft.refuse(Obstacle::ReplacementState { replacement, act });
        }
        if case.parcels.contains_key(parcel) || case.interceptions.contains_key(parcel) {
            draft.refuse(ParcelObstacle::ParcelKnown { parcel: parcel.clone() });
        }
        if let Some(obligation) = planned.obligation
            && !case.obligation(obligation).is_some_and(Obligation::is_discharged)
        {
            draft.refuse(Obstacle::UnpaidReplacement { replacement: number, obligation });
        }
        let sent = |item: &ReplacementItem| {
            posting(&item.line, Location::Stock, Location::Customer, item.quantity)
        };
        // What was missing never reached the customer, though it is on the books as shipped: sending
        // it again adds no unit.
        let postings = match planned.purpose {
            Purpose::Exchange | Purpose::Advance => planned.items.iter().map(sent).collect(),
            Purpose::MissingPart => Vec::new(),
        };
        let (case, replacement, parcel) = (case.id.clone(), number, parcel.clone());
        draft.facts.push(EventFact::ReplacementShipped { case, replacement, parcel, postings });
    }

    pub(super) fn confirm(&self, draft: &mut Draft, case: &ReturnCase, number: u32) {
        let Some(sent) = self.replacement(draft, case, number) else { return };
        if !matches!(sent.state, ReplacementState::Shipped { .. }) {
            let (replacement, act) = (number, "confirmed");
            draft.refuse(Obstacle::ReplacementState { replacement, act });
        }
        self.not_called_back(draft, case, number);
        let (case, replacement) = (case.id.clone(), number);
        draft.facts.push(EventFact::ReplacementDelivered { case, replacement });
    }

    /// An exchange that cannot be sent falls back to a refund of what goes out: no case is left half
    /// settled.
    pub(super) fn cancel(&self, draft: &mut Draft, case: &ReturnCase, number: u32) {
        let Some(planned) = self.replacement(draft, case, number) else { return };
        if planned.state != ReplacementState::Planned {
            let (replacement, act) = (number, "cancelled");
            return draft.refuse(Obstacle::ReplacementState { replacement, act });
        }
        let (id, replacement) = (case.id.clone(), number);
        draft.facts.push(EventFact::ReplacementCancelled { case: id, replacement });
        match (planned.purpose, planned.advance) {
            (Purpose::Advance, Some(Advance { resolved: None, .. })) => {
                self.end_advance(draft, case, number, AdvanceEnd::Cancelled, Vec::new());
            }
            // What came back was settled against it: the value goes back instead.
            (Purpose::Exchange | Purpose::Advance, _) => self.refund_instead(draft, case, planned),
            (Purpose::MissingPart, _) => {}
        }
    }

    /// Refunds what a replacement that does not go out is worth, less what the customer was to pay for
    /// it and has not.
    fn refund_instead(&self, draft: &mut Draft, case: &ReturnCase, planned: &Replacement) {
        let owed = planned.obligation.and_then(|number| case.obligation(number));
        let mut unpaid = owed.map_or(0, |owed| owed.uncollected().minor());
        let mut request = RefundRequest::new(self.context.now);
        for item in &planned.items {
            let line = item.line.clone();
            let Some(left) = self.order.money.left_on_line(&line) else { continue };
            let less = unpaid.min(left.minor());
            unpaid = unpaid.saturating_sub(less);
            let claim = match less {
                0 => Claim::Units(item.quantity),
                _ => Claim::Amount(Money::new(left.minor().saturating_sub(less), left.currency())),
            };
            request.lines.push(LineRefund { line, claim });
        }
        let Some(settlement) = self.settled(draft, &request) else { return };
        let (obligation, settlement) = (next_obligation(case), Arc::new(settlement));
        let (case, postings) = (case.id.clone(), Vec::new());
        draft.facts.push(EventFact::RefundPlanned { case, obligation, postings, settlement });
    }

    pub(super) fn return_repaired(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        lines: &[LineQuantity],
    ) {
        let act = "returning repaired units";
        if !self.authorized(draft, case, act)
            || !self.resolved_by(draft, case, Resolution::Repair, act)
        {
            return;
        }
        let mut postings = Vec::new();
        for (line, quantity) in self.case_lines(draft, case, lines) {
            let from = &[Location::Accepted];
            take(draft, line, quantity, from, Location::Customer, &mut postings);
            super::goods::may_leave(draft, line, &postings);
        }
        let case = case.id.clone();
        draft.facts.push(EventFact::RepairedReturned { case, postings });
    }

    fn resolved_by(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        resolution: Resolution,
        act: &'static str,
    ) -> bool {
        if case.resolution != resolution {
            draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        case.resolution == resolution
    }

    fn check_items(&self, draft: &mut Draft, case: &ReturnCase, items: &[ReplacementItem]) {
        if items.is_empty() {
            draft.refuse(Obstacle::NothingGoesOut);
        }
        if items.len() > MAX_LINES {
            let (what, found, max) = ("articles", items.len(), MAX_LINES);
            return draft.refuse(Obstacle::TooMany { what, found, max });
        }
        let mut fresh = BTreeSet::new();
        for item in items {
            let known = self.order.quantities.slot(&item.line).is_some();
            if known || !fresh.insert(&item.line) {
                draft.refuse(Obstacle::LineExists { line: item.line.clone() });
            }
            if item.quantity.is_zero() {
                draft.refuse(Obstacle::ZeroQuantity { line: item.line.clone() });
            }
            match case.line(&item.replaces) {
                None => draft.refuse(Obstacle::NotInCase { line: item.replaces.clone() }),
                Some(own) if own.requested.unit() != item.quantity.unit() => {
                    let (line, quantity) = (item.line.clone(), item.quantity);
                    draft.refuse(Obstacle::WrongUnit { line, quantity });
                }
                Some(_) => {}
            }
        }
    }

    fn plan(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        purpose: Purpose,
        items: &[ReplacementItem],
        obligation: Option<u32>,
        charge_on: Option<Instant>,
    ) -> u32 {
        let replacement =
            u32::try_from(case.replacements.len()).unwrap_or(u32::MAX).saturating_add(1);
        draft.facts.push(EventFact::ReplacementPlanned {
            case: case.id.clone(),
            replacement,
            purpose,
            items: items.to_vec(),
            obligation,
            charge_on,
        });
        replacement
    }

    fn replacement<'c>(
        &self,
        draft: &mut Draft,
        case: &'c ReturnCase,
        replacement: u32,
    ) -> Option<&'c Replacement> {
        let found = case.replacement(replacement);
        if found.is_none() {
            draft.refuse(Obstacle::UnknownReplacement { replacement });
        }
        found
    }

    /// The replacement is not being called back, else an obstacle: the carrier answers first.
    fn not_called_back(&self, draft: &mut Draft, case: &ReturnCase, number: u32) {
        if let Some(open) = super::call_back::calling(case, number) {
            draft.refuse(ParcelObstacle::InterceptionOpen { parcel: open.clone() });
        }
    }

    fn settled(&self, draft: &mut Draft, request: &RefundRequest) -> Option<Settlement> {
        match quote(&self.order.sale, &self.order.money, request) {
            Ok(settlement) => {
                draft.findings.extend(settlement.findings());
                Some(settlement)
            }
            Err(refused) => {
                draft.refuse(Obstacle::Settlement(refused));
                None
            }
        }
    }

    /// What was paid for as many units of the replaced line: the price of an advance that is kept.
    fn value_of(&self, case: &ReturnCase, item: &ReplacementItem) -> Option<crate::sale::Paid> {
        let line = case.line(&item.replaces)?;
        let claim = Claim::Units(item.quantity.min(line.requested));
        let mut request = RefundRequest::new(self.context.now);
        request.lines = alloc::vec![LineRefund { line: item.replaces.clone(), claim }];
        let settlement = quote(&self.order.sale, &self.order.money, &request).ok()?;
        let entry = settlement.entries.into_iter().next()?;
        Some(crate::sale::Paid { gross: entry.gross, taxes: entry.taxes })
    }
}

/// The open advance whose original is back in full, with what moves now.
pub(super) fn returned_advance<'c>(
    case: &'c ReturnCase,
    accepted_now: &[Posting],
) -> Option<&'c Replacement> {
    let open = |sent: &&Replacement| sent.advance.is_some_and(|open| open.resolved.is_none());
    case.replacements.iter().find(open).filter(|_| is_all_back(case, accepted_now))
}

/// Whether all that was asked for is accepted, with what is accepted now.
fn is_all_back(case: &ReturnCase, accepted_now: &[Posting]) -> bool {
    let accepted = |line: &CaseLine| {
        let moved = accepted_now.iter().filter(|posting| posting.line == line.line);
        let before = line.held.at(Location::Accepted);
        moved.fold(before, |steps, posting| steps.saturating_add(posting.quantity.steps()))
    };
    case.lines.iter().all(|line| accepted(line) >= line.requested.steps())
}

/// Accepted units of a line that are not settled.
fn accepted(line: &CaseLine) -> Option<Quantity> {
    let quantity = Quantity::new(line.held.at(Location::Accepted), line.requested.unit()).ok()?;
    (!quantity.is_zero()).then_some(quantity)
}

pub(super) fn next_obligation(case: &ReturnCase) -> u32 {
    u32::try_from(case.obligations.len()).unwrap_or(u32::MAX).saturating_add(1)
}

fn outgoing(items: &[ReplacementItem], kind: OutgoingKind) -> Vec<Outgoing> {
    let rule = RuleId::new("replacement").map(RuleRef::new);
    let one = |item: &ReplacementItem, rule: &RuleRef| Outgoing {
        line: item.line.clone(),
        kind,
        quantity: item.quantity,
        price: item.price.clone().unwrap_or_else(|| even(&item.replaces)),
        rule: rule.clone(),
    };
    rule.map_or_else(|_| Vec::new(), |rule| items.iter().map(|item| one(item, &rule)).collect())
}

fn even(line: &OrderLineId) -> OutgoingPrice {
    OutgoingPrice::EvenWith(line.clone())
}
