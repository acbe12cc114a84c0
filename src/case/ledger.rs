//! The quantity ledger: where every ordered unit is, in double entry.
//!
//! Each movement is a [`Posting`] from one [`Location`] to another. The sum over all locations of a
//! line never changes, so no unit is lost, made, or returned twice; a counter that somebody wants to
//! see is a balance, never a field of its own.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::OrderLineId;
use crate::label::codes;
use crate::quantity::Quantity;
use crate::sale::Sale;

codes! {
    /// Where units of an order line are, and whether they are settled.
    pub enum Location "location" {
        /// Ordered and not shipped.
        Unshipped = "unshipped", "Not shipped", "未发货";
        /// Not shipped, and held back because a case asks to cancel it.
        HeldBack = "held_back", "Held back", "暂停发货";
        /// Not shipped, cancelled and settled.
        Cancelled = "cancelled", "Cancelled before shipping", "发货前取消";
        /// With the customer, free to be asked back.
        Customer = "customer", "With the customer", "客户处";
        /// With the customer, promised to a case.
        Requested = "requested", "Requested", "已申请";
        /// On the way back.
        InTransit = "in_transit", "In transit", "退货在途";
        /// Lost on the way back, not settled.
        Lost = "lost", "Lost in transit", "退货丢失";
        /// With us, not yet decided.
        Received = "received", "Received", "已收货";
        /// With us, accepted as a return, not settled.
        Accepted = "accepted", "Accepted", "已接受";
        /// With us, not accepted, and to go back to the customer.
        Rejected = "rejected", "Rejected", "已拒收";
        /// With us, accepted and settled.
        Settled = "settled", "Settled", "已结算";
        /// With the customer for good, settled without coming back.
        Kept = "kept", "Kept by the customer", "客户留用";
        /// Lost on the way back, and settled all the same.
        WrittenOff = "written_off", "Written off", "已核销";
        /// Settled ahead of its return, which is still awaited.
        Ahead = "ahead", "Settled ahead of return", "先行退款";
        /// Came back after it was settled.
        Recovered = "recovered", "Recovered", "事后收回";
        /// Our stock, from which replacements leave; its balance may be below zero.
        Stock = "stock", "Our stock", "库存";
    }
}

/// How many locations there are.
const LOCATIONS: usize = 16;

/// One movement of units of one line. On the wire inside events.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Posting {
    /// The order line.
    pub line: OrderLineId,
    /// Where the units were.
    pub from: Location,
    /// Where they are now.
    pub to: Location,
    /// How many.
    pub quantity: Quantity,
}

/// How many steps of a line are at each location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Balance([i64; LOCATIONS]);

impl Balance {
    /// The steps at one location.
    #[must_use]
    pub fn at(&self, location: Location) -> i64 {
        self.0.get(location as usize).copied().unwrap_or(0)
    }

    /// The steps at several locations together.
    #[must_use]
    pub fn over(&self, locations: &[Location]) -> i64 {
        locations.iter().fold(0, |sum, location| sum.saturating_add(self.at(*location)))
    }

    /// The steps at all locations together.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.0.iter().fold(0, |sum, steps| sum.saturating_add(*steps))
    }

    pub(super) fn add(&mut self, location: Location, steps: i64) {
        if let Some(balance) = self.0.get_mut(location as usize) {
            *balance = balance.saturating_add(steps);
        }
    }

    pub(super) fn shift(&mut self, posting: &Posting) {
        self.add(posting.from, posting.quantity.steps().saturating_neg());
        self.add(posting.to, posting.quantity.steps());
    }
}

/// Where all units of an order are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityLedger {
    balances: Vec<Balance>,
}

impl QuantityLedger {
    /// The ledger of a sale before any case: what was shipped is with the customer.
    #[must_use]
    pub fn open(sale: &Sale) -> Self {
        let opened = |line: crate::sale::Line<'_>| {
            let (ordered, shipped) = (line.ordered.quantity.steps(), line.frozen.shipped.steps());
            let mut balance = Balance::default();
            balance.add(Location::Customer, shipped);
            balance.add(Location::Unshipped, ordered.saturating_sub(shipped));
            balance
        };
        Self { balances: sale.lines().map(opened).collect() }
    }

    /// The balance of the line at a position of the sale.
    #[must_use]
    pub fn balance(&self, position: usize) -> Option<&Balance> {
        self.balances.get(position)
    }

    /// All balances in the order of the sale's lines.
    #[must_use]
    pub fn balances(&self) -> &[Balance] {
        &self.balances
    }

    /// Books a movement. Total: a posting of a line that is not there changes nothing.
    pub(super) fn post(&mut self, position: usize, posting: &Posting) {
        if let Some(balance) = self.balances.get_mut(position) {
            balance.shift(posting);
        }
    }

    /// Brings the ledger to an amended sale: added units and new shipments.
    pub(super) fn amend(&mut self, before: &Sale, after: &Sale) {
        for (position, line) in after.lines().enumerate() {
            let (was_ordered, was_shipped) = before
                .line(&line.ordered.id)
                .map_or((0, 0), |old| (old.ordered.quantity.steps(), old.frozen.shipped.steps()));
            let ordered = line.ordered.quantity.steps().saturating_sub(was_ordered);
            let shipped = line.frozen.shipped.steps().saturating_sub(was_shipped);
            if self.balances.len() <= position {
                self.balances.push(Balance::default());
            }
            if let Some(balance) = self.balances.get_mut(position) {
                balance.add(Location::Customer, shipped);
                balance.add(Location::Unshipped, ordered.saturating_sub(shipped));
            }
        }
    }
}

/// Whether units may ever move from one location to the other.
///
/// Every movement of the engine is one of these, and settling is a movement too: a unit that stands
/// in a settled location never leaves it for one that could be settled again.
#[must_use]
pub const fn is_movement(from: Location, to: Location) -> bool {
    use Location::{
        Accepted, Ahead, Cancelled, Customer, HeldBack, InTransit, Kept, Lost, Received, Recovered,
        Rejected, Requested, Settled, Stock, Unshipped, WrittenOff,
    };
    matches!(
        (from, to),
        // asked for, and released again
        (Customer, Requested) | (Requested, Customer) | (Unshipped, HeldBack) | (HeldBack, Unshipped)
        // sent back, lost, arrived
        | (Requested, InTransit | Received) | (InTransit, Lost | Received) | (Lost, Received)
        // judged, and judged again
        | (Received, Accepted | Rejected) | (Rejected, Accepted | Customer) | (Accepted, Rejected)
        // settled
        | (Accepted, Settled) | (HeldBack, Cancelled) | (Lost, WrittenOff)
        | (Requested, Kept | Ahead) | (InTransit | Received, Ahead)
        // came back after all
        | (Kept | WrittenOff | Ahead, Recovered)
        // replacements, repaired goods and missing parts go out
        | (Stock, Customer)
    )
}

/// Whether units at a location are settled: nothing more is ever owed for them.
#[must_use]
pub const fn is_settled(location: Location) -> bool {
    matches!(
        location,
        Location::Cancelled
            | Location::Settled
            | Location::Kept
            | Location::WrittenOff
            | Location::Ahead
            | Location::Recovered
    )
}
