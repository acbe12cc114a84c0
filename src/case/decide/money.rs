//! Money: settling what is accepted, and the fate of each payment.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::event::EventFact;
use super::super::ground::Ground;
use super::super::ledger::{Location, Posting};
use super::super::obligation::{Payment, PaymentState, PaymentWay};
use super::super::refund::{PaymentResult, RefundLine, RefundTerms};
use super::super::refusal::Obstacle;
use super::super::refusal::claim::ClaimObstacle;
use super::super::replacement::Replacement;
use super::super::resolution::Resolution;
use super::super::state::{CaseLine, ReturnCase};
use super::replace::returned_advance;
use super::{Draft, MAX_LINES, Scene, not_enough, take};
use crate::explain::{Effect, Fact, Finding};
use crate::money::Money;
use crate::quantity::Quantity;
use crate::settlement::request::{Claim, Deduction, LineRefund, RefundRequest};
use crate::settlement::{Entry, EntryKind, Target, quote};

impl Scene<'_> {
    /// Settles: what to refund comes from the stored case, only the terms from the command.
    pub(super) fn refund(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        lines: &[RefundLine],
        terms: &RefundTerms,
    ) {
        if self.keeps_back(draft, case, "settling") {
            return;
        }
        match returned_advance(case, &[]) {
            // Goods go against goods: it was accepted while settling was frozen.
            Some(advance) if lines.is_empty() => {
                if self.authorized(draft, case, "settling") {
                    let (number, items) = (advance.number, &advance.items);
                    self.settle_returned_advance(draft, case, number, items, terms);
                }
            }
            _ => self.refund_by(draft, case, ways(case), lines, terms),
        }
    }

    /// Settles along given ways of the units.
    pub(super) fn refund_by(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        ways: &[(Location, Location)],
        lines: &[RefundLine],
        terms: &RefundTerms,
    ) {
        if !self.authorized(draft, case, "settling") {
            return;
        }
        if lines.len() > MAX_LINES {
            let (what, found, max) = ("lines", lines.len(), MAX_LINES);
            return draft.refuse(Obstacle::TooMany { what, found, max });
        }
        let mut postings = Vec::new();
        let mut claims = Vec::new();
        let mut seen = BTreeSet::new();
        // An offer that was taken limits all that is given for it, however often.
        let agreed = case.offer.as_ref().and_then(|offer| offer.amount);
        let agreed = agreed.filter(|_| case.ground == Some(Ground::Offer));
        let mut given = given_so_far(case);
        let everything = || case.lines.iter().filter_map(|line| settleable(ways, line));
        let named: Vec<RefundLine> =
            if lines.is_empty() { everything().collect() } else { lines.to_vec() };
        for RefundLine { line, claim } in named {
            if !seen.insert(line.clone()) {
                draft.refuse(Obstacle::LineTwice { line: line.clone() });
            }
            let Some(own) = case.line(&line) else {
                draft.refuse(Obstacle::NotInCase { line });
                continue;
            };
            match claim {
                Claim::Units(quantity) => {
                    self.settle_units(draft, ways, own, quantity, &mut postings);
                }
                Claim::Amount(_) if !case.resolution.keeps_goods() => {
                    draft.refuse(Obstacle::NoRefund { resolution: case.resolution });
                }
                Claim::Amount(amount) if !amount.is_positive() => {
                    let currency = self.order.sale.currency();
                    draft.refuse(ClaimObstacle::BadAmount { amount, currency });
                }
                Claim::Amount(amount) => {
                    given = given.saturating_add(amount.minor());
                    let asked = Money::new(given, amount.currency());
                    let agreed = agreed.filter(|offered| given > offered.minor());
                    if let Some(offered) = agreed {
                        draft.refuse(Obstacle::MoreThanOffered { asked, offered });
                    }
                }
                Claim::Component { .. } => {
                    draft.refuse(Obstacle::KitIsWhole { line: line.clone() });
                }
            }
            claims.push(LineRefund { line, claim });
        }
        if !draft.obstacles.is_empty() {
            return;
        }
        let claims_nothing = claims.is_empty();
        let request = self.request_on(draft, case, terms, claims);
        match quote(&self.order.sale, &self.order.money, &request) {
            Err(refused) => draft.refuse(Obstacle::Settlement(refused)),
            // Terms alone, such as an order of tenders or a fee, settle nothing.
            Ok(settlement) if claims_nothing && !settlement.entries.iter().any(gives) => {
                let waits =
                    |line: &&CaseLine| line.held.at(Location::Lost) > 0 && !line.owes_losses();
                for line in case.lines.iter().filter(waits) {
                    draft.refuse(Obstacle::LiabilityOpen { line: line.line.clone() });
                }
                if draft.obstacles.is_empty() {
                    draft.refuse(Obstacle::NothingToSettle);
                }
            }
            Ok(settlement) => {
                let findings = settlement.findings();
                draft.findings.extend(findings);
                let obligation = super::replace::next_obligation(case);
                let (case, settlement) = (case.id.clone(), Arc::new(settlement));
                draft.facts.push(EventFact::RefundPlanned {
                    case,
                    obligation,
                    postings,
                    settlement,
                });
            }
        }
    }

    /// The request of a settlement on the terms of a command: caps less what the case kept back before,
    /// and freight by what is decided.
    pub(super) fn request_on(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        terms: &RefundTerms,
        claims: Vec<LineRefund>,
    ) -> RefundRequest {
        let mut request = terms.request(self.context.now, claims);
        for deduction in &mut request.deductions {
            let Some(cap) = deduction.cap else { continue };
            let before = kept_back(case, deduction);
            if before > 0 {
                let left = cap.minor().saturating_sub(before).max(cap.minor().min(0));
                deduction.cap = Some(Money::new(left, cap.currency()));
                draft.findings.push(
                    Finding::new(deduction.rule.clone(), Effect::Reduces)
                        .about(format_args!("{}, the cap of {}", case.id, deduction.kind))
                        .observed(Fact::Amount(Money::new(before, cap.currency())))
                        .required(Fact::Amount(cap)),
                );
            }
        }
        self.add_freight(draft, case, terms.freight, &mut request);
        request
    }

    fn settle_units(
        &self,
        draft: &mut Draft,
        ways: &[(Location, Location)],
        line: &CaseLine,
        quantity: Quantity,
        postings: &mut Vec<Posting>,
    ) {
        if quantity.is_zero() {
            return draft.refuse(Obstacle::ZeroQuantity { line: line.line.clone() });
        }
        if quantity.unit() != line.requested.unit() {
            let line = line.line.clone();
            return draft.refuse(Obstacle::WrongUnit { line, quantity });
        }
        let mut left = quantity.steps();
        let mut taken = Vec::new();
        for &(from, to) in ways {
            if from == Location::Lost && !line.owes_losses() {
                continue;
            }
            let part = left.min(line.held.at(from)).max(0);
            if let Ok(part) = Quantity::new(part, quantity.unit())
                && !part.is_zero()
            {
                take(draft, line, part, &[from], to, &mut taken);
                left = left.saturating_sub(part.steps());
            }
        }
        if left > 0 && line.held.at(Location::Lost) > 0 && !line.owes_losses() {
            draft.refuse(Obstacle::LiabilityOpen { line: line.line.clone() });
        }
        if left > 0 {
            let location = ways.first().map_or(Location::Accepted, |way| way.0);
            let there = quantity.steps().saturating_sub(left);
            return draft.refuse(not_enough(&line.line, quantity, there, location));
        }
        postings.append(&mut taken);
    }

    pub(super) fn record_payment(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        obligation: u32,
        payment: u32,
        result: &PaymentResult,
    ) {
        let Some(owed) = payment_of(draft, case, obligation, payment) else { return };
        let text = match result {
            PaymentResult::Paid { reference } | PaymentResult::PaidByHand { reference } => {
                reference
            }
            PaymentResult::Failed { error } => error,
            PaymentResult::Collected { tender } => {
                let (collected, due) = (tender.captured, owed.order.amount);
                if owed.order.way != PaymentWay::Collect || collected != due {
                    draft.refuse(Obstacle::WrongAmount { collected, owed: due });
                }
                ""
            }
        };
        if owed.order.way == PaymentWay::Collect && matches!(result, PaymentResult::Paid { .. }) {
            // Money that came in is reported with its tender, so that it can go back there.
            let zero = Money::zero(owed.order.amount.currency());
            let owed = owed.order.amount;
            draft.refuse(Obstacle::WrongAmount { collected: zero, owed });
        }
        draft.note("text of the payment", text);
        if owed.state == PaymentState::Released {
            draft.refuse(Obstacle::NotOwed { obligation, payment });
        }
        // A late success of an attempt believed failed is a payment like any other.
        if matches!(owed.state, PaymentState::Paid { .. }) {
            draft.refuse(Obstacle::PaidAlready { obligation, payment });
        }
        let (case, result) = (case.id.clone(), result.clone());
        draft.facts.push(EventFact::PaymentRecorded { case, obligation, payment, result });
    }

    pub(super) fn retry_payment(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        obligation: u32,
        payment: u32,
    ) {
        let Some(failed) = payment_of(draft, case, obligation, payment) else { return };
        if !matches!(failed.state, PaymentState::Failed { .. }) {
            draft.refuse(Obstacle::NotFailed { obligation, payment });
        }
        let (case, order) = (case.id.clone(), failed.order.clone());
        draft.facts.push(EventFact::PaymentRetried { case, obligation, order });
    }
}

fn payment_of<'c>(
    draft: &mut Draft,
    case: &'c ReturnCase,
    obligation: u32,
    payment: u32,
) -> Option<&'c Payment> {
    let Some(owed) = case.obligation(obligation) else {
        draft.refuse(Obstacle::UnknownObligation { obligation });
        return None;
    };
    let found = owed.payment(payment);
    if found.is_none() {
        draft.refuse(Obstacle::UnknownPayment { obligation, payment });
    }
    found
}

/// What was given without goods by earlier settlements of a case, in minor units.
fn given_so_far(case: &ReturnCase) -> i64 {
    let entries = case.obligations.iter().flat_map(|owed| &owed.settlement.entries);
    let amounts = entries.filter(|entry| entry.kind == EntryKind::GoodsAmount);
    amounts.fold(0, |sum, entry| sum.saturating_add(entry.gross.minor()))
}

/// What earlier settlements of a case kept back for the same kind, of the same line, by the same rule, in
/// minor units.
fn kept_back(case: &ReturnCase, deduction: &Deduction) -> i64 {
    let target = deduction.line.clone().map_or(Target::Order, Target::Line);
    let same = |entry: &&Entry| {
        entry.kind == deduction.kind.entry()
            && entry.target == target
            && entry.rule.id == deduction.rule.id
    };
    let entries = case.obligations.iter().flat_map(|owed| &owed.settlement.entries);
    entries.filter(same).fold(0, |sum, entry| sum.saturating_sub(entry.gross.minor()))
}

/// From where to where units move when a case is settled.
pub(super) fn ways(case: &ReturnCase) -> &'static [(Location, Location)] {
    const RETURNED: &[(Location, Location)] =
        &[(Location::Accepted, Location::Settled), (Location::Lost, Location::WrittenOff)];
    let open = |sent: &Replacement| sent.advance.is_some_and(|open| open.resolved.is_none());
    match case.resolution {
        Resolution::RefundOnly => &[
            // Goods that came back although nobody asked for them are settled like any others.
            (Location::Accepted, Location::Settled),
            (Location::HeldBack, Location::Cancelled),
            (Location::Requested, Location::Kept),
            // Called back: paid without waiting for the parcel.
            (Location::Intercepting, Location::Ahead),
            (Location::InTransit, Location::Ahead),
            (Location::Lost, Location::WrittenOff),
        ],
        Resolution::InstantRefund => &[
            (Location::Accepted, Location::Settled),
            (Location::Received, Location::Recovered),
            (Location::InTransit, Location::Ahead),
            (Location::Requested, Location::Ahead),
            (Location::Intercepting, Location::Ahead),
            (Location::Lost, Location::WrittenOff),
        ],
        // While the advance is open, goods go against goods.
        Resolution::AdvanceReplacement if case.replacements.iter().any(open) => &[],
        // What cannot be repaired or sent, was lost on its way, or was accepted as a return although
        // nobody asked for it, is refunded: no case is left half settled.
        Resolution::ReturnAndRefund
        | Resolution::RefusedAtDoor
        | Resolution::Exchange
        | Resolution::Repair
        | Resolution::AdvanceReplacement
        | Resolution::PriceProtection
        | Resolution::PartialRefund
        | Resolution::Reship => RETURNED,
    }
}

/// All of a line that can be settled now.
pub(super) fn settleable(ways: &[(Location, Location)], line: &CaseLine) -> Option<RefundLine> {
    let steps = ways
        .iter()
        .filter(|way| way.0 != Location::Lost || line.owes_losses())
        .fold(0_i64, |sum, way| sum.saturating_add(line.held.at(way.0).max(0)));
    let quantity = Quantity::new(steps, line.requested.unit()).ok()?;
    let claim = Claim::Units(quantity);
    (!quantity.is_zero()).then(|| RefundLine { line: line.line.clone(), claim })
}

/// Whether the customer gets something by an entry, and not only owes it, or owes it rounded.
fn gives(entry: &Entry) -> bool {
    let is_owed = matches!(entry.kind, EntryKind::CustomerPays | EntryKind::CashRounding);
    entry.gross.is_positive() && !is_owed
}
