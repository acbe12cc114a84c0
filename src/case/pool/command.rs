//! What a host asks of the pool.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::super::duty::DutyId;
use super::super::matching::{ParcelMarks, Share};
use super::ArrivalId;
use crate::inspection::Disposition;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PoolCommand {
    /// Take in a parcel that belongs to no case as far as can be seen (登记无主件).
    ReceiveUnidentified {
        /// Its number, new in the pool.
        arrival: ArrivalId,
        /// What can be read from it.
        marks: ParcelMarks,
    },
    /// Say what can be read from it after all, such as its contents once it was opened.
    Describe {
        /// The parcel.
        arrival: ArrivalId,
        /// All that can be read from it now; what was given out stays in its contents.
        marks: ParcelMarks,
    },
    /// Give contents to the cases that own them (认领).
    MatchParcel {
        /// The parcel.
        arrival: ArrivalId,
        /// How much for which line of which case of which order.
        shares: Vec<Share>,
    },
    /// Say that the receipt a match asked for was recorded by its order.
    ConfirmReceipt {
        /// The parcel.
        arrival: ArrivalId,
        /// The duty that asked for it.
        duty: DutyId,
    },
    /// Send what nobody claims back to its sender (退回寄件人).
    ReturnToSender {
        /// The parcel.
        arrival: ArrivalId,
        /// Why.
        note: String,
    },
    /// Dispose of what nobody claims.
    Dispose {
        /// The parcel.
        arrival: ArrivalId,
        /// What becomes of it.
        disposition: Disposition,
        /// Why.
        note: String,
    },
}

impl PoolCommand {
    /// The parcel the command is about.
    #[must_use]
    pub const fn arrival(&self) -> &ArrivalId {
        match self {
            Self::ReceiveUnidentified { arrival, .. }
            | Self::Describe { arrival, .. }
            | Self::MatchParcel { arrival, .. }
            | Self::ConfirmReceipt { arrival, .. }
            | Self::ReturnToSender { arrival, .. }
            | Self::Dispose { arrival, .. } => arrival,
        }
    }
}
