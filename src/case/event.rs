//! What happened: events of one order, enough to rebuild every state without rules or clock.
//!
//! Events carry results: amounts, movements, verdicts. They are a wire contract: internally tagged,
//! `snake_case`, fields only added with a default; `tests/golden/` fails when the form changes.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::command::{AcceptanceBasis, Ground, PaymentResult, UnexpectedItem};
use super::ledger::Posting;
use super::obligation::PaymentOrder;
use super::resolution::Resolution;
use crate::id::{CaseId, CommandId, LotId, OrderLineId, ParcelId, SerialId};
use crate::policy::verdict::Verdict;
use crate::quantity::Quantity;
use crate::reason::history::Assertion;
use crate::sale::draft::SaleDraft;
use crate::settlement::Settlement;
use crate::time::Instant;

/// One thing that happened to one order, with who, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its place in the stream of the order, from 1, without gaps.
    pub sequence: u64,
    /// When it happened.
    pub at: Instant,
    /// Who made it happen.
    pub actor: Actor,
    /// The command that caused it.
    pub cause: Cause,
    /// The version of the rules in force.
    pub rules_version: u32,
    /// What happened.
    pub fact: EventFact,
}

/// The command behind an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Its id.
    pub command: CommandId,
    /// A digest of its body, to tell a retry from another command under the same id.
    pub digest: u64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum EventFact {
    /// A case was opened; its quantities are promised to it.
    CaseOpened {
        /// The case.
        case: CaseId,
        /// What is wanted.
        resolution: Resolution,
        /// The lines.
        lines: Vec<OpenedLine>,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// The customer took the request back.
    CaseWithdrawn {
        /// The case.
        case: CaseId,
        /// What is free again.
        postings: Vec<Posting>,
    },
    /// The return was permitted.
    ReturnAuthorized {
        /// The case.
        case: CaseId,
        /// On which ground.
        ground: Ground,
    },
    /// The return was refused.
    ReturnDeclined {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
        /// What is free again.
        postings: Vec<Posting>,
    },
    /// Goods are on their way back.
    GoodsSentBack {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// Goods arrived.
    GoodsReceived {
        /// The case.
        case: CaseId,
        /// In which parcel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parcel: Option<ParcelId>,
        /// The movements.
        postings: Vec<Posting>,
        /// Serial numbers and lots as read.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        marks: Vec<ReadMarks>,
        /// What arrived beside.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unexpected: Vec<UnexpectedItem>,
    },
    /// Received units were accepted as a return.
    UnitsAccepted {
        /// The case.
        case: CaseId,
        /// What it rests on.
        basis: AcceptanceBasis,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// Received units were not accepted.
    UnitsRejected {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// Refused units went back to the customer.
    UnitsReturned {
        /// The case.
        case: CaseId,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// A refund was worked out and is owed.
    RefundPlanned {
        /// The case.
        case: CaseId,
        /// Its number in the case, from 1.
        obligation: u32,
        /// The units it settles: movements into a settled location.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        postings: Vec<Posting>,
        /// What is paid, line by line and tender by tender.
        settlement: Arc<Settlement>,
    },
    /// A payment was made, or failed.
    PaymentRecorded {
        /// The case.
        case: CaseId,
        /// The obligation.
        obligation: u32,
        /// The payment of the obligation, from 1.
        payment: u32,
        /// What happened.
        result: PaymentResult,
    },
    /// A failed payment is tried again.
    PaymentRetried {
        /// The case.
        case: CaseId,
        /// The obligation.
        obligation: u32,
        /// What is to be paid.
        order: PaymentOrder,
    },
    /// The case ended.
    CaseClosed {
        /// The case.
        case: CaseId,
        /// What is free again.
        postings: Vec<Posting>,
    },
    /// Somebody said why.
    ReasonAsserted {
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// The reason.
        assertion: Assertion,
    },
    /// The order has a new version.
    SaleAmended {
        /// The order as it is now.
        sale: Box<SaleDraft>,
    },
}

/// One line of a new case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedLine {
    /// The order line.
    pub line: OrderLineId,
    /// How much.
    pub quantity: Quantity,
    /// Which units.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
    /// The reason as stated.
    pub assertion: Assertion,
    /// What the policies say about it.
    pub verdict: Arc<Verdict>,
}

/// What was read from received units of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadMarks {
    /// The order line.
    pub line: OrderLineId,
    /// Serial numbers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
    /// Lots.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lots: BTreeSet<LotId>,
}

impl EventFact {
    /// The case it happened to; none for an event of the order.
    #[must_use]
    pub const fn case(&self) -> Option<&CaseId> {
        match self {
            Self::CaseOpened { case, .. }
            | Self::CaseWithdrawn { case, .. }
            | Self::ReturnAuthorized { case, .. }
            | Self::ReturnDeclined { case, .. }
            | Self::GoodsSentBack { case, .. }
            | Self::GoodsReceived { case, .. }
            | Self::UnitsAccepted { case, .. }
            | Self::UnitsRejected { case, .. }
            | Self::UnitsReturned { case, .. }
            | Self::RefundPlanned { case, .. }
            | Self::PaymentRecorded { case, .. }
            | Self::PaymentRetried { case, .. }
            | Self::CaseClosed { case, .. }
            | Self::ReasonAsserted { case, .. } => Some(case),
            Self::SaleAmended { .. } => None,
        }
    }

    /// The movements of goods in it.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        match self {
            Self::CaseOpened { postings, .. }
            | Self::CaseWithdrawn { postings, .. }
            | Self::ReturnDeclined { postings, .. }
            | Self::GoodsSentBack { postings, .. }
            | Self::GoodsReceived { postings, .. }
            | Self::UnitsAccepted { postings, .. }
            | Self::UnitsRejected { postings, .. }
            | Self::UnitsReturned { postings, .. }
            | Self::RefundPlanned { postings, .. }
            | Self::CaseClosed { postings, .. } => postings,
            Self::ReturnAuthorized { .. }
            | Self::PaymentRecorded { .. }
            | Self::PaymentRetried { .. }
            | Self::ReasonAsserted { .. }
            | Self::SaleAmended { .. } => &[],
        }
    }
}
