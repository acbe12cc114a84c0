//! The state of one case: what was asked, decided, moved and owed.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::actor::Actor;
use super::dispute::{Dispute, Evidence, Offer};
use super::ground::Ground;
use super::ledger::{Balance, Location, OURS, Posting, is_settled};
use super::liability::Liability;
use super::line::LineQuantity;
use super::obligation::Obligation;
use super::parcel::UnexpectedItem;
use super::parcel::{Interception, Scan, UnexpectedEnd};
use super::recovery::{Cost, RecoveryClaim};
use super::replacement::Replacement;
use super::resolution::Resolution;
use super::review::CaseReview;
use super::status::{CaseStatus, status};
use super::timer::Timer;
use crate::feedback::survey::{Scores, SurveyId};
use crate::id::{ActorId, CaseId, LotId, OrderLineId, ParcelId, RuleId, SerialId};
use crate::inspection::{Disposition, Inspection};
use crate::label::Coded;
use crate::policy::verdict::Verdict;
use crate::quantity::Quantity;
use crate::reason::history::ReasonHistory;
use crate::time::Instant;

/// A return case (售后单): one request about lines of one order.
///
/// The axes are kept apart: approval, goods by line, payments by obligation. The status is computed
/// from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnCase {
    /// The case.
    pub id: CaseId,
    /// When it was opened.
    pub opened_at: Instant,
    /// By whom.
    pub opened_by: Actor,
    /// The version of the rules it was opened under.
    pub rules_version: u32,
    /// What the customer gets.
    pub resolution: Resolution,
    /// The approval axis.
    pub approval: Approval,
    /// On which ground it was permitted.
    pub ground: Option<Ground>,
    /// Why it was refused.
    pub decline_note: Option<String>,
    /// The goods axis, line by line in the order of the request.
    pub lines: Vec<CaseLine>,
    /// The parcels on their way back.
    pub parcels: BTreeMap<ParcelId, ParcelState>,
    /// Parcels under way to the customer that were called back, by parcel.
    pub interceptions: BTreeMap<ParcelId, Interception>,
    /// What arrived beside the lines, in the order of arrival.
    pub unexpected: Vec<UnexpectedItem>,
    /// What became of it, by its place in `unexpected` from 1; what is not here waits for a decision.
    pub unexpected_ends: BTreeMap<u32, UnexpectedEnd>,
    /// What was asked for before each amendment of the request.
    pub earlier_requests: Vec<EarlierRequest>,
    /// The case that it was split off from.
    pub split_from: Option<CaseId>,
    /// The settlement axis.
    pub obligations: Vec<Obligation>,
    /// The seller's offer, while it stands or once it is agreed.
    pub offer: Option<Offer>,
    /// What was brought in support.
    pub evidence: Vec<Evidence>,
    /// Since when the case is on hold.
    pub held_since: Option<Instant>,
    /// The dispute axis.
    pub dispute: Dispute,
    /// What goes out to the customer.
    pub replacements: Vec<Replacement>,
    /// Whether repaired units went home.
    pub repaired: bool,
    /// What is claimed from those who are liable.
    pub claims: Vec<RecoveryClaim>,
    /// Who works on it.
    pub assignee: Option<Assignee>,
    /// The procedure by which people decide it, when the rules ask for one.
    pub review: Option<Box<CaseReview>>,
    /// What the customer answered, by survey.
    pub surveys: BTreeMap<SurveyId, Scores>,
    /// The timers that run.
    pub timers: Vec<Timer>,
    /// The timer that ended it, if one did.
    pub expired: Option<RuleId>,
    /// How it ended.
    pub closing: Option<Closing>,
}

/// Who works on a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignee {
    /// Who.
    pub agent: ActorId,
    /// Since when.
    pub since: Instant,
    /// The rule of dispatch that chose them, if one did.
    pub rule: Option<RuleId>,
}

/// How far the approval of a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Approval {
    /// Asked for.
    Submitted,
    /// Permitted.
    Authorized,
    /// The customer is to bring proof or an answer.
    NeedsInfo,
    /// The customer is to answer an offer.
    Offered,
    /// Refused.
    Declined,
}

/// One line of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseLine {
    /// The order line.
    pub line: OrderLineId,
    /// Its slot in the ledger of units.
    pub slot: usize,
    /// How much was asked for.
    pub requested: Quantity,
    /// Where the units of this case are.
    pub held: Balance,
    /// Which units were asked for.
    pub serials: BTreeSet<SerialId>,
    /// Serial numbers read on arrival.
    pub received_serials: BTreeSet<SerialId>,
    /// Lots read on arrival.
    pub received_lots: BTreeSet<LotId>,
    /// Everything said about why.
    pub reasons: ReasonHistory,
    /// Who is liable, as decided last.
    pub liability: Option<Liability>,
    /// Since when somebody objects to that; the next decision answers it.
    pub appealed_at: Option<Instant>,
    /// What the return of it cost beside what was settled, as recorded.
    pub costs: Vec<Cost>,
    /// What inspections found, in order.
    pub inspections: Vec<(Quantity, Inspection)>,
    /// How many steps were disposed of how.
    pub disposed: BTreeMap<Disposition, i64>,
    /// What the policies said when the case was opened.
    pub verdict: Arc<Verdict>,
}

impl CaseLine {
    /// Units with us for good: accepted, settled or recovered.
    #[must_use]
    pub fn ours(&self) -> i64 {
        self.held.over(OURS)
    }

    /// Whether some of it is settled, with or without the goods.
    pub(super) fn is_settled_in_part(&self) -> bool {
        Location::ALL.iter().any(|&location| is_settled(location) && self.held.at(location) > 0)
    }

    /// Whether a unit was asked for or read under this number.
    pub(super) fn names(&self, serial: &SerialId) -> bool {
        self.serials.contains(serial) || self.received_serials.contains(serial)
    }

    /// Whether some of it is lost and nobody has decided who is liable.
    pub(super) fn has_open_loss(&self) -> bool {
        self.held.at(Location::Lost) > 0 && self.liability.is_none()
    }

    /// Whether some of it is lost and owed to the customer: somebody else is liable, not the buyer
    /// alone.
    pub(super) fn has_owed_loss(&self) -> bool {
        self.held.at(Location::Lost) > 0 && self.owes_losses()
    }

    /// Whether what is lost of it is settled: only once somebody other than the buyer alone is found
    /// liable.
    pub(super) fn owes_losses(&self) -> bool {
        self.liability.as_ref().is_some_and(|liability| !liability.is_all_the_buyers())
    }

    /// Units with us for good that nobody has disposed of.
    #[must_use]
    pub fn undisposed(&self) -> i64 {
        let disposed = self.disposed.values().fold(0_i64, |sum, steps| sum.saturating_add(*steps));
        self.ours().saturating_sub(disposed)
    }

    /// Units with us for good that may still go elsewhere: what becomes of them is not decided for good.
    pub(super) fn free(&self) -> i64 {
        let lasting = self.disposed.iter().filter(|(to, _)| !is_provisional(**to));
        let lasting = lasting.fold(0_i64, |sum, (_, steps)| sum.saturating_add(*steps));
        self.ours().saturating_sub(lasting).max(0)
    }

    /// Forgets provisional dispositions of units that are no longer with us.
    pub(super) fn forget_dispositions(&mut self) {
        let all = self.disposed.values().fold(0_i64, |sum, steps| sum.saturating_add(*steps));
        let mut excess = all.saturating_sub(self.ours()).max(0);
        for (_, steps) in self.disposed.iter_mut().filter(|(to, _)| is_provisional(**to)) {
            let part = excess.min(*steps).max(0);
            *steps = steps.saturating_sub(part);
            excess = excess.saturating_sub(part);
        }
    }
}

/// Whether a disposition is left again: the unit waits, is repaired, or is to go home.
const fn is_provisional(disposition: Disposition) -> bool {
    matches!(
        disposition,
        Disposition::Quarantine | Disposition::Rework | Disposition::ReturnToCustomer
    )
}

/// A parcel of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParcelState {
    /// When it was registered.
    pub sent_at: Instant,
    /// When it arrived.
    pub received_at: Option<Instant>,
    /// What is said to be in it.
    pub contents: Vec<Posting>,
    /// What of it is accounted for: found in it, declared lost, or never sent.
    pub found: Vec<Posting>,
    /// What the carrier said about it, in the order in which it was told.
    pub scans: Vec<Scan>,
}

impl ParcelState {
    /// What the carrier saw last; of two scans of one time, the one told later.
    #[must_use]
    pub fn latest_scan(&self) -> Option<&Scan> {
        self.scans.iter().max_by_key(|scan| scan.at)
    }

    /// Whether something announced in it has neither arrived nor been declared lost or never sent.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        let waits = |sent: &Posting| self.missing(&sent.line) > 0;
        self.received_at.is_none() && self.contents.iter().any(waits)
    }

    /// How many steps of a line were announced and neither found in it nor accounted for since.
    #[must_use]
    pub fn missing(&self, line: &OrderLineId) -> i64 {
        let steps = |postings: &[Posting]| {
            let own = postings.iter().filter(|posting| posting.line == *line);
            own.fold(0_i64, |sum, posting| sum.saturating_add(posting.quantity.steps()))
        };
        steps(&self.contents).saturating_sub(steps(&self.found)).max(0)
    }
}

/// A request as it was before it was amended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierRequest {
    /// Until when it stood.
    pub until: Instant,
    /// What was wanted.
    pub resolution: Resolution,
    /// How much of which lines.
    pub lines: Vec<LineQuantity>,
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// Taken back by the customer.
    Withdrawn {
        /// When.
        at: Instant,
    },
    /// Ended by the seller or by itself.
    Closed {
        /// When.
        at: Instant,
    },
}

impl ReturnCase {
    /// The status a person sees.
    #[must_use]
    pub fn status(&self) -> CaseStatus {
        status(self)
    }

    /// What arrived beside the lines and waits for a decision, with its place from 1.
    pub fn undecided_items(&self) -> impl Iterator<Item = (u32, &UnexpectedItem)> {
        let waits = |(place, _): &(u32, &UnexpectedItem)| !self.unexpected_ends.contains_key(place);
        (1_u32..).zip(&self.unexpected).filter(waits)
    }

    /// A line of the case.
    #[must_use]
    pub fn line(&self, line: &OrderLineId) -> Option<&CaseLine> {
        self.lines.iter().find(|own| own.line == *line)
    }

    /// An obligation by its number.
    #[must_use]
    pub fn obligation(&self, number: u32) -> Option<&Obligation> {
        self.obligations.iter().find(|obligation| obligation.number == number)
    }

    /// A replacement by its number.
    #[must_use]
    pub fn replacement(&self, number: u32) -> Option<&Replacement> {
        self.replacements.iter().find(|replacement| replacement.number == number)
    }

    /// What is on its way of a line in parcels that have not arrived.
    #[must_use]
    pub fn awaited(&self, line: &CaseLine) -> i64 {
        let coming = self.parcels.values().filter(|parcel| parcel.received_at.is_none());
        let sent = coming.fold(0_i64, |sum, parcel| sum.saturating_add(parcel.missing(&line.line)));
        sent.min(line.held.at(Location::InTransit)).max(0)
    }

    pub(super) fn replacement_mut(&mut self, number: u32) -> Option<&mut Replacement> {
        self.replacements.iter_mut().find(|replacement| replacement.number == number)
    }

    pub(super) fn line_mut(&mut self, line: &OrderLineId) -> Option<&mut CaseLine> {
        self.lines.iter_mut().find(|own| own.line == *line)
    }
}
