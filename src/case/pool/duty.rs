//! What the host has to do about parcels without an owner, derived from events alone.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::super::command::Command;
use super::super::duty::DutyId;
use super::super::line::ReceivedLine;
use super::ArrivalId;
use super::event::{MatchedShare, PoolEvent, PoolFact};
use crate::id::{CaseId, OrderId, OrderLineId, ParcelId};
use crate::inspection::Disposition;
use crate::quantity::Quantity;

/// Something the host has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolDuty {
    /// Its stable id within the pool.
    pub id: DutyId,
    /// What to do.
    pub act: PoolAct,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum PoolAct {
    /// Give this command to an order: what was found belongs to one of its cases. Make the id of the
    /// command from the id of the duty, so that it is received once, and confirm it to the pool.
    Receive {
        /// The order.
        order: OrderId,
        /// A [`Command::Receive`].
        command: Box<Command>,
    },
    /// Send what is left back to its sender.
    SendToSender {
        /// The parcel.
        arrival: ArrivalId,
    },
    /// Dispose of what is left.
    Dispose {
        /// The parcel.
        arrival: ArrivalId,
        /// How.
        disposition: Disposition,
    },
}

/// The duties that an event of the pool creates: one receipt for each case, in the order of the ids.
#[must_use]
pub fn duties_of(event: &PoolEvent) -> Vec<PoolDuty> {
    let acts = match &event.fact {
        PoolFact::ParcelMatched { shares, .. } => receipts(shares),
        PoolFact::ParcelReturned { arrival, .. } => {
            alloc::vec![PoolAct::SendToSender { arrival: arrival.clone() }]
        }
        PoolFact::ParcelDisposed { arrival, disposition, .. } => {
            let (arrival, disposition) = (arrival.clone(), *disposition);
            alloc::vec![PoolAct::Dispose { arrival, disposition }]
        }
        PoolFact::ParcelArrived { .. }
        | PoolFact::ParcelDescribed { .. }
        | PoolFact::ReceiptConfirmed { .. } => Vec::new(),
    };
    let sequence = event.sequence;
    let duty = |(place, act)| PoolDuty { id: DutyId { sequence, place }, act };
    (0..=u16::MAX).zip(acts).map(duty).collect()
}

/// A line that several shares name is received once, with all that they give it.
fn receipts(shares: &[MatchedShare]) -> Vec<PoolAct> {
    type Found<'a> = (Option<ParcelId>, BTreeMap<&'a OrderLineId, ReceivedLine>);
    let mut found: BTreeMap<(&OrderId, &CaseId), Found<'_>> = BTreeMap::new();
    for share in shares {
        let (parcel, lines) = found.entry((&share.order, &share.case)).or_default();
        parcel.clone_from(&share.parcel);
        let received = lines.entry(&share.line).or_insert_with(|| ReceivedLine {
            line: share.line.clone(),
            quantity: Quantity::zero(share.quantity.unit()),
            serials: Default::default(),
            lots: Default::default(),
        });
        let sum = received.quantity.checked_add(share.quantity);
        received.quantity = sum.unwrap_or(received.quantity);
        received.serials.extend(share.serials.iter().cloned());
    }
    let receipt = |((order, case), (parcel, lines)): ((&OrderId, &CaseId), Found<'_>)| {
        let lines = lines.into_values().collect();
        let (order, case, unexpected) = (order.clone(), case.clone(), Vec::new());
        let command = Box::new(Command::Receive { case, parcel, lines, unexpected });
        PoolAct::Receive { order, command }
    };
    found.into_iter().map(receipt).collect()
}
