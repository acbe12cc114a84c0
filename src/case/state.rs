//! The state of one case: what was asked, decided, moved and owed.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::actor::Actor;
use super::command::{Ground, UnexpectedItem};
use super::ledger::Balance;
use super::obligation::Obligation;
use super::resolution::Resolution;
use super::status::{CaseStatus, status};
use crate::id::{CaseId, LotId, OrderLineId, ParcelId, SerialId};
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
    /// How it ended.
    pub closing: Option<Closing>,
}

/// How far the approval of a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Approval {
    /// Asked for.
    Submitted,
    /// Permitted.
    Authorized,
    /// Refused.
    Declined,
}

/// One line of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseLine {
    /// The order line.
    pub line: OrderLineId,
    /// Its position in the sale.
    pub position: usize,
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

    pub(super) fn line_mut(&mut self, line: &OrderLineId) -> Option<&mut CaseLine> {
        self.lines.iter_mut().find(|own| own.line == *line)
    }
}
