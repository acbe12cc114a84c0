//! What stands in the way of calling a parcel back, or of what is said about it.

use crate::id::{CaseId, OrderLineId, ParcelId};
use crate::quantity::Quantity;
use crate::time::Instant;

/// What stands in the way of calling a parcel back, or of what is said about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParcelObstacle {
    /// The parcel is known already.
    #[error("parcel {parcel} is registered already")]
    ParcelKnown {
        /// The parcel.
        parcel: ParcelId,
    },
    /// The parcel is not known to the case.
    #[error("parcel {parcel} is not registered with the case")]
    UnknownParcel {
        /// The parcel.
        parcel: ParcelId,
    },
    /// The parcel is not under way to the customer, as far as the order knows.
    #[error("parcel {parcel} is not under way to the customer")]
    NotUnderWay {
        /// The parcel.
        parcel: ParcelId,
    },
    /// A parcel holds a replacement that another case sent; that case calls it back.
    #[error("parcel {parcel} was sent for case {case}, which has to call it back")]
    SentByCase {
        /// The parcel.
        parcel: ParcelId,
        /// The case that sent it.
        case: CaseId,
    },
    /// A replacement is called back as a whole.
    #[error("parcel {parcel} holds a replacement, which comes back as a whole; name no lines")]
    WholeReplacement {
        /// The parcel.
        parcel: ParcelId,
    },
    /// A parcel of the case is being called back and the carrier has not answered.
    #[error("parcel {parcel} is being called back; record the outcome first")]
    InterceptionOpen {
        /// The parcel.
        parcel: ParcelId,
    },
    /// The parcel is not being called back for the case.
    #[error("parcel {parcel} is not being called back for the case")]
    NotIntercepting {
        /// The parcel.
        parcel: ParcelId,
    },
    /// The resolution leaves the goods with the customer, so that nothing is called back for it.
    #[error("a {resolution} does not call goods back")]
    NothingToIntercept {
        /// The resolution.
        resolution: crate::case::resolution::Resolution,
    },
    /// A parcel does not hold that much of a line.
    #[error("parcel {parcel} holds {available} of line {line}, {asked} asked for")]
    NotInParcel {
        /// The parcel.
        parcel: ParcelId,
        /// The line.
        line: OrderLineId,
        /// What was asked for.
        asked: Quantity,
        /// What it holds, less what other cases have called back.
        available: Quantity,
    },
    /// A carrier cannot have seen a parcel in the future.
    #[error("the scan is of {at}, after now at {now}")]
    ScanInFuture {
        /// The time of the scan.
        at: Instant,
        /// Now.
        now: Instant,
    },
    /// Something that arrived beside the lines is nothing: its quantity is zero.
    #[error("unexpected item {item} of the receipt has the quantity zero")]
    ZeroItem {
        /// Its place in the receipt, from 1.
        item: u32,
    },
    /// Nothing announced in the parcel is missing.
    #[error("nothing is missing in parcel {parcel}")]
    NothingMissing {
        /// The parcel.
        parcel: ParcelId,
    },
}
