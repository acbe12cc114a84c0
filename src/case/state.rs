//! The state of one case: what was asked, decided, moved and owed.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::actor::Actor;
use super::command::{Ground, UnexpectedItem};
use super::dispute::{Dispute, Evidence, Offer};
use super::ledger::{Balance, Posting};
use super::liability::Liability;
use super::obligation::Obligation;
use super::recovery::{Cost, RecoveryClaim};
use super::replacement::Replacement;
use super::resolution::Resolution;
use super::review::CaseReview;
use super::status::{CaseStatus, status};
use super::timer::Timer;
use crate::feedback::survey::{Scores, SurveyId};
use crate::id::{ActorId, CaseId, LotId, OrderLineId, ParcelId, RuleId, SerialId};
use crate::inspection::{Disposition, Inspection};
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
    /// What arrived beside the lines.
    pub unexpected: Vec<UnexpectedItem>,
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

/// A parcel of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParcelState {
    /// When it was registered.
    pub sent_at: Instant,
    /// When it arrived.
    pub received_at: Option<Instant>,
    /// What was in it.
    pub contents: Vec<Posting>,
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

    pub(super) fn replacement_mut(&mut self, number: u32) -> Option<&mut Replacement> {
        self.replacements.iter_mut().find(|replacement| replacement.number == number)
    }

    pub(super) fn line_mut(&mut self, line: &OrderLineId) -> Option<&mut CaseLine> {
        self.lines.iter_mut().find(|own| own.line == *line)
    }
}
