//! Why the pool does not do what it is asked, and what is wrong with a stored history.

use super::super::actor::Role;
use super::super::duty::DutyId;
use super::super::stream::StreamFault;
use super::{ArrivalId, ArrivalStatus};
use crate::id::{CaseId, CommandId, OrderId, OrderLineId, Sku};
use crate::quantity::Quantity;
use crate::time::Instant;

/// One fact that stands in the way of a command to the pool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolObstacle {
    /// The pool has changed since the sender read it.
    #[error("the pool is at version {found}, the command was meant for version {expected}")]
    Stale {
        /// The version the sender saw.
        expected: u64,
        /// The version now.
        found: u64,
    },
    /// The id was used for another command.
    #[error("command id {id} was used for another command already")]
    CommandConflict {
        /// The id.
        id: CommandId,
    },
    /// The time given is before the last event.
    #[error("the time {now} is before the last event of the pool at {last}")]
    TimeReversed {
        /// The time given.
        now: Instant,
        /// The time of the last event.
        last: Instant,
    },
    /// The actor's role may not do this.
    #[error("the role `{role}` may not {act}")]
    NotPermitted {
        /// The role.
        role: Role,
        /// What was attempted, in words.
        act: &'static str,
    },
    /// More entries than there may be.
    #[error("{found} {what}, at most {max} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        found: u64,
        /// The most.
        max: u64,
    },
    /// A text is too long.
    #[error("the {what} has {bytes} bytes, at most {max} are allowed")]
    TextTooLong {
        /// What the text is.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The most.
        max: usize,
    },
    /// The parcel is in the pool already.
    #[error("parcel {arrival} is in the pool already")]
    ArrivalExists {
        /// The parcel.
        arrival: ArrivalId,
    },
    /// No such parcel.
    #[error("there is no parcel {arrival} in the pool")]
    UnknownArrival {
        /// The parcel.
        arrival: ArrivalId,
    },
    /// The parcel has left the pool.
    #[error("parcel {arrival} is {status} already")]
    Ended {
        /// The parcel.
        arrival: ArrivalId,
        /// How it ended.
        status: ArrivalStatus,
    },
    /// A match that gives nothing out.
    #[error("no share is named")]
    NoShares,
    /// A share or a content of nothing.
    #[error("article {sku}: the quantity is zero")]
    ZeroQuantity {
        /// The article.
        sku: Sku,
    },
    /// The case is not among those that were given with the command, or awaits no goods.
    #[error("case {case} of order {order} is not known here, or awaits no goods")]
    NotAwaiting {
        /// The order.
        order: OrderId,
        /// The case.
        case: CaseId,
    },
    /// The case does not await that much of the line.
    #[error("case {case} of order {order} awaits {awaited} of line {line}, {asked} given")]
    MoreThanAwaited {
        /// The order.
        order: OrderId,
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// What was to be given.
        asked: Quantity,
        /// What it awaits, less what other matches have given it and it has not received.
        awaited: Quantity,
    },
    /// No receipt of this duty is awaited.
    #[error("no receipt is awaited for duty {}/{}", duty.sequence, duty.place)]
    UnknownReceipt {
        /// The duty.
        duty: DutyId,
    },
    /// The line is not part of the case, or is counted in another unit.
    #[error("line {line} is not part of case {case} of order {order} in this unit")]
    NotInCase {
        /// The order.
        order: OrderId,
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
    },
    /// More is given out than is left in the parcel.
    #[error("{asked} of article {sku} given, {left} left in the parcel")]
    MoreThanLeft {
        /// The article.
        sku: Sku,
        /// What was to be given.
        asked: Quantity,
        /// What is left.
        left: Quantity,
    },
    /// The parcel holds no such article.
    #[error("the parcel holds no article {sku}, or counts it in another unit")]
    NotInside {
        /// The article.
        sku: Sku,
    },
    /// A new description leaves out what was given to a case already.
    #[error("{given} of article {sku} was given out already; the contents cannot hold less")]
    GivenOut {
        /// The article.
        sku: Sku,
        /// What was given out.
        given: Quantity,
    },
}

/// A stored history of a pool that does not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PoolReplayError {
    /// An event is out of order, or goes back in time.
    #[error(transparent)]
    Stream(#[from] StreamFault),
    /// An event is about a parcel that is not there, or has ended, or is there already.
    #[error("event {sequence} is about a parcel that cannot be")]
    Unknown {
        /// The event.
        sequence: u64,
    },
    /// An event gives out more than is left.
    #[error("event {sequence} gives out more of article {sku} than is left")]
    MoreThanLeft {
        /// The event.
        sequence: u64,
        /// The article.
        sku: Sku,
    },
}
