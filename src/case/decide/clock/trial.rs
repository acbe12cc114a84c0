//! What the expiry of a timer leads to, tried before any of it is decided.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::super::money::{settleable, ways};
use super::super::talk::Taken;
use super::super::{Draft, Scene};
use super::{clock, timer_command};
use crate::case::dispute::{Dispute, Ruling};
use crate::case::event::{Cause, Event, EventFact};
use crate::case::freight::FreightTerms;
use crate::case::ground::{AcceptanceBasis, Ground};
use crate::case::ledger::Location;
use crate::case::line::LineQuantity;
use crate::case::refund::{RefundLine, RefundTerms};
use crate::case::resolution::Resolution;
use crate::case::review::Roster;
use crate::case::state::{Approval, CaseLine, ReturnCase};
use crate::case::timer::REFUND_ON_EXPIRY;
use crate::case::{AfterSale, Context};
use crate::id::CaseId;
use crate::quantity::Quantity;
use crate::rules::Rules;
use crate::settlement::request::Claim;
use crate::time::Instant;

/// The effects of an expiry, step by step; the order is copied only when one step follows another.
pub(super) struct Trial<'a> {
    pub(super) order: Cow<'a, AfterSale>,
    pub(super) rules: &'a Rules,
    pub(super) roster: &'a Roster<'a>,
    pub(super) id: &'a CaseId,
    pub(super) now: Instant,
    pub(super) facts: Vec<EventFact>,
    /// How many of the facts the copy of the order knows.
    pub(super) told: usize,
}

impl Trial<'_> {
    /// One step decided as the system would; nothing when something stands in the way.
    pub(super) fn step(
        &mut self,
        rule: impl FnOnce(&Scene<'_>, &mut Draft, &ReturnCase),
    ) -> Option<()> {
        self.follow();
        let context = Context { now: self.now, rules: self.rules };
        let envelope = timer_command();
        let mut draft = Draft::default();
        let (order, roster) = (self.order.as_ref(), self.roster);
        let case = order.cases.get(self.id)?;
        let scene = Scene { order, context: &context, roster, envelope: &envelope };
        rule(&scene, &mut draft, case);
        if draft.obstacles.is_empty() {
            scene.tell_review(&mut draft, self.id);
        }
        if !draft.obstacles.is_empty() {
            return None;
        }
        self.facts.append(&mut draft.facts);
        Some(())
    }

    /// Brings the order to where the steps so far have led.
    fn follow(&mut self) {
        for fact in self.facts.get(self.told..).unwrap_or_default() {
            let event = Event {
                sequence: self.order.stream.next(),
                at: self.now,
                actor: clock(),
                cause: Cause { command: timer_command().id, digest: 0, timer: None },
                rules_version: self.rules.version(),
                fact: fact.clone(),
            };
            self.order.to_mut().evolve(&event);
        }
        self.told = self.facts.len();
    }

    /// The case as the steps so far have left it.
    fn case(&mut self) -> Option<&ReturnCase> {
        self.follow();
        self.order.cases.get(self.id)
    }

    /// After a ruling for the seller a timer decides nothing for the customer: what people accepted all
    /// the same is paid, and no more.
    fn is_ruled_for_seller(&mut self) -> bool {
        let dispute = self.case().map(|case| case.dispute);
        matches!(dispute, Some(Dispute::Ruled { ruling: Ruling::ForSeller, .. }))
    }

    /// An undecided request counts as permitted, an open offer as taken; whether there was one.
    pub(super) fn permit(&mut self) -> Option<bool> {
        let approval = self.case()?.approval;
        if approval != Approval::Authorized && self.is_ruled_for_seller() {
            return None;
        }
        match approval {
            Approval::Submitted | Approval::NeedsInfo => {
                let ground = Ground::Timeout;
                self.step(|scene, draft, case| {
                    let way_back = scene.way_back(draft, case, case.resolution);
                    let case = case.id.clone();
                    draft.facts.push(EventFact::ReturnAuthorized { case, ground, way_back });
                })?;
                Some(true)
            }
            Approval::Offered => {
                self.step(|scene, draft, case| {
                    scene.answer_offer(draft, case, Taken::Yes);
                })?;
                Some(true)
            }
            Approval::Authorized => Some(false),
            Approval::Declined => None,
        }
    }

    /// Ends the case, unless its ruling can still be appealed.
    pub(super) fn close(&mut self) -> Option<()> {
        let now = self.now;
        if let Dispute::Ruled { appeal_until: Some(until), .. } = self.case()?.dispute
            && now < until
        {
            return None;
        }
        self.step(|scene, draft, case| {
            scene.close_overdue(draft, case);
        })
    }

    /// What arrived and was not judged in time counts as accepted.
    pub(super) fn accept_received(&mut self) -> Option<()> {
        let received = |line: &CaseLine| {
            let steps = line.held.at(Location::Received);
            let quantity = Quantity::new(steps, line.requested.unit()).ok()?;
            let line = line.line.clone();
            (steps > 0).then_some(LineQuantity { line, quantity })
        };
        let lines: Vec<LineQuantity> = self.case()?.lines.iter().filter_map(received).collect();
        if lines.is_empty() || self.is_ruled_for_seller() {
            return Some(());
        }
        let basis = AcceptanceBasis::Waived;
        self.step(|scene, draft, case| scene.accept(draft, case, &lines, basis))
    }

    /// Refunds whatever the case holds that can be refunded.
    pub(super) fn refund(&mut self) -> Option<()> {
        let against = self.is_ruled_for_seller();
        let case = self.case()?;
        let ways = match case.resolution {
            Resolution::RefundOnly | Resolution::InstantRefund if against => {
                return self.refund_returned();
            }
            Resolution::RefundOnly | Resolution::InstantRefund => ways(case),
            Resolution::ReturnAndRefund | Resolution::RefusedAtDoor => {
                return self.refund_returned();
            }
            Resolution::PriceProtection
            | Resolution::PartialRefund
            | Resolution::Exchange
            | Resolution::Reship
            | Resolution::Repair
            | Resolution::AdvanceReplacement => &[],
        };
        if !case.lines.iter().any(|line| settleable(ways, line).is_some()) {
            return Some(());
        }
        self.step(|scene, draft, case| scene.refund_by(draft, case, ways, &[], &unstated()))
    }

    /// What is accepted, what is on its way and was not confirmed in time, and what was lost with
    /// somebody else liable. What was missing in a parcel that arrived is for people to decide.
    fn refund_returned(&mut self) -> Option<()> {
        let awaits = !self.is_ruled_for_seller();
        let case = self.case()?;
        let part = |line: &CaseLine| {
            let lost = if line.owes_losses() { line.held.at(Location::Lost) } else { 0 };
            let coming = if awaits { case.awaited(line) } else { 0 };
            let steps = line.held.at(Location::Accepted).saturating_add(lost);
            let steps = steps.saturating_add(coming);
            let claim = Claim::Units(Quantity::new(steps, line.requested.unit()).ok()?);
            let line = line.line.clone();
            (steps > 0).then_some(RefundLine { line, claim })
        };
        let lines: Vec<RefundLine> = case.lines.iter().filter_map(part).collect();
        if lines.is_empty() {
            return Some(());
        }
        self.step(|scene, draft, case| {
            scene.refund_by(draft, case, REFUND_ON_EXPIRY, &lines, &unstated());
        })
    }
}

/// Nobody is there to state terms, so freight goes by what is decided.
fn unstated() -> RefundTerms {
    let freight = FreightTerms::Decided { label: None, paid_by_buyer: None };
    RefundTerms { freight, ..RefundTerms::default() }
}
