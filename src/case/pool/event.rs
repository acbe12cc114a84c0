//! What happened to parcels without an owner. A wire contract, as the events of an order are.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::super::actor::Actor;
use super::super::duty::DutyId;
use super::super::event::Cause;
use super::super::matching::{ParcelMarks, ParcelMatch};
use super::ArrivalId;
use crate::id::{CaseId, OrderId, OrderLineId, ParcelId, SerialId, Sku};
use crate::inspection::Disposition;
use crate::quantity::Quantity;
use crate::time::Instant;

/// One thing that happened in the pool, with who, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolEvent {
    /// Its place in the stream of the pool, from 1, without gaps.
    pub sequence: u64,
    /// When it happened.
    pub at: Instant,
    /// Who made it happen.
    pub actor: Actor,
    /// The command that caused it.
    pub cause: Cause,
    /// What happened.
    pub fact: PoolFact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PoolFact {
    /// A parcel without an owner arrived.
    ParcelArrived {
        /// Its number.
        arrival: ArrivalId,
        /// What can be read from it.
        marks: ParcelMarks,
    },
    /// More is known of a parcel.
    ParcelDescribed {
        /// The parcel.
        arrival: ArrivalId,
        /// All that is known now.
        marks: ParcelMarks,
    },
    /// Contents belong to known cases.
    ParcelMatched {
        /// The parcel.
        arrival: ArrivalId,
        /// What was given to whom.
        shares: Vec<MatchedShare>,
        /// Which marks spoke for the cases chosen.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        grounds: Vec<ParcelMatch>,
    },
    /// An order recorded the receipt that a match asked for.
    ReceiptConfirmed {
        /// The parcel.
        arrival: ArrivalId,
        /// The duty that asked for it.
        duty: DutyId,
    },
    /// What was left goes back to its sender.
    ParcelReturned {
        /// The parcel.
        arrival: ArrivalId,
        /// Why.
        note: String,
    },
    /// What was left is disposed of.
    ParcelDisposed {
        /// The parcel.
        arrival: ArrivalId,
        /// What becomes of it.
        disposition: Disposition,
        /// Why.
        note: String,
    },
}

/// Some contents of a parcel given to one line of one case, with what its receipt has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchedShare {
    /// The order.
    pub order: OrderId,
    /// The case.
    pub case: CaseId,
    /// The line.
    pub line: OrderLineId,
    /// The article, as the parcel names it.
    pub sku: Sku,
    /// How much.
    pub quantity: Quantity,
    /// The tracking number, when the case has registered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<ParcelId>,
    /// The serial numbers that belong to the line.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
}

impl PoolFact {
    /// The parcel it happened to.
    #[must_use]
    pub const fn arrival(&self) -> &ArrivalId {
        match self {
            Self::ParcelArrived { arrival, .. }
            | Self::ParcelDescribed { arrival, .. }
            | Self::ParcelMatched { arrival, .. }
            | Self::ReceiptConfirmed { arrival, .. }
            | Self::ParcelReturned { arrival, .. }
            | Self::ParcelDisposed { arrival, .. } => arrival,
        }
    }
}
