//! The quantity ledger: where every ordered unit is, in double entry.
//!
//! Each movement is a [`Posting`] from one [`Location`] to another. The sum over all locations of a
//! line never changes, so no unit is lost, made, or returned twice; a counter that somebody wants to
//! see is a balance, never a field of its own.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::OrderLineId;
use crate::label::codes;
use crate::quantity::{Quantity, Unit};
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
        /// Under way to the customer and being called back.
        Intercepting = "intercepting", "Being intercepted", "拦截中";
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
const LOCATIONS: usize = 17;

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

/// Where all units of an order are, line by line: the lines of the sale, and those that replacements
/// added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityLedger {
    slots: BTreeMap<OrderLineId, usize>,
    lines: Vec<LedgerLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LedgerLine {
    unit: Unit,
    balance: Balance,
}

impl QuantityLedger {
    /// The ledger of a sale before any case: what was shipped is with the customer.
    #[must_use]
    pub fn open(sale: &Sale) -> Self {
        let mut ledger = Self { slots: BTreeMap::new(), lines: Vec::new() };
        for line in sale.lines() {
            ledger.grow(line, 0, 0);
        }
        ledger
    }

    /// The slot of a line, by which its balance is found fast.
    #[must_use]
    pub fn slot(&self, line: &OrderLineId) -> Option<usize> {
        self.slots.get(line).copied()
    }

    /// The balance at a slot.
    #[must_use]
    pub fn at(&self, slot: usize) -> Option<&Balance> {
        self.lines.get(slot).map(|line| &line.balance)
    }

    /// The balance of a line.
    #[must_use]
    pub fn balance(&self, line: &OrderLineId) -> Option<&Balance> {
        self.at(self.slot(line)?)
    }

    /// The unit in which the line at a slot is counted.
    #[must_use]
    pub fn unit(&self, slot: usize) -> Option<Unit> {
        self.lines.get(slot).map(|line| line.unit)
    }

    /// All balances, in the order in which the lines became known.
    #[must_use]
    pub fn balances(&self) -> impl ExactSizeIterator<Item = &Balance> {
        self.lines.iter().map(|line| &line.balance)
    }

    /// Books a movement. Total: a posting of a line that is not there changes nothing.
    pub(super) fn post(&mut self, slot: usize, posting: &Posting) {
        if let Some(line) = self.lines.get_mut(slot) {
            line.balance.shift(posting);
        }
    }

    /// Adds a line without units: a replacement will fill it.
    pub(super) fn add_line(&mut self, line: &OrderLineId, unit: Unit) {
        if !self.slots.contains_key(line) {
            self.slots.insert(line.clone(), self.lines.len());
            self.lines.push(LedgerLine { unit, balance: Balance::default() });
        }
    }

    /// Brings the ledger to an amended sale: added units and new shipments.
    pub(super) fn amend(&mut self, before: &Sale, after: &Sale) {
        for line in after.lines() {
            let (ordered, shipped) = before
                .line(&line.ordered.id)
                .map_or((0, 0), |old| (old.ordered.quantity.steps(), old.frozen.shipped.steps()));
            self.grow(line, ordered, shipped);
        }
    }

    /// Lines of which an amended sale ships more than waits to be shipped, with what waits: a case
    /// holds units of them back, or they were cancelled.
    pub(super) fn overshipped<'a>(
        &'a self,
        before: &'a Sale,
        after: &'a Sale,
    ) -> impl Iterator<Item = (&'a OrderLineId, Quantity, Quantity)> {
        after.lines().filter_map(|line| {
            let id = &line.ordered.id;
            let old = before.line(id)?;
            let ordered = line.ordered.quantity.steps();
            let more = ordered.saturating_sub(old.ordered.quantity.steps());
            let was = old.frozen.shipped.steps();
            let ships = line.frozen.shipped.steps().saturating_sub(was);
            let waits = self.balance(id)?.at(Location::Unshipped).saturating_add(more);
            let unit = line.ordered.quantity.unit();
            let asked = Quantity::new(ships.max(0), unit).ok()?;
            (ships > waits).then_some((id, asked, Quantity::new(waits.max(0), unit).ok()?))
        })
    }

    fn grow(&mut self, line: crate::sale::Line<'_>, was_ordered: i64, was_shipped: i64) {
        let ordered = line.ordered.quantity.steps().saturating_sub(was_ordered);
        let shipped = line.frozen.shipped.steps().saturating_sub(was_shipped);
        self.add_line(&line.ordered.id, line.ordered.quantity.unit());
        let slot = self.slot(&line.ordered.id).unwrap_or(usize::MAX);
        if let Some(line) = self.lines.get_mut(slot) {
            line.balance.add(Location::Customer, shipped);
            line.balance.add(Location::Unshipped, ordered.saturating_sub(shipped));
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
        Accepted, Ahead, Cancelled, Customer, HeldBack, InTransit, Intercepting, Kept, Lost,
        Received, Recovered, Rejected, Requested, Settled, Stock, Unshipped, WrittenOff,
    };
    matches!(
        (from, to),
        // asked for, and released again
        (Customer, Requested) | (Requested, Customer) | (Unshipped, HeldBack) | (HeldBack, Unshipped)
        // called back on the way to the customer: turned round, or delivered all the same
        | (Requested, Intercepting) | (Intercepting, InTransit | Requested | Ahead) | (Ahead, Kept)
        // a replacement called back: turned round and here again, delivered all the same, or lost
        | (Customer, Intercepting | Lost) | (Intercepting, Customer) | (InTransit, Stock)
        // announced in a parcel and not in it: never sent
        | (InTransit, Requested)
        // sent back, lost, arrived
        | (Requested, InTransit | Received) | (InTransit, Lost | Received) | (Lost, Received)
        // judged, and judged again
        | (Received, Accepted | Rejected) | (Rejected, Accepted | Customer) | (Accepted, Rejected)
        // lost by the customer's own fault; repaired and sent home; a replacement sent back unused
        | (Lost | Accepted, Customer) | (Customer, Stock)
        // settled
        | (Accepted, Settled) | (HeldBack, Cancelled) | (Lost, WrittenOff)
        | (Requested, Kept | Ahead) | (InTransit | Received, Ahead) | (Received, Recovered)
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

/// Units promised to us that nobody has sent.
pub(super) const PROMISED: &[Location] = &[Location::Requested, Location::HeldBack];

/// Where goods that arrive may come from, in the order in which they are looked for: announced
/// parcels, goods sent without a parcel number, goods believed lost.
pub(super) const ARRIVING: &[Location] =
    &[Location::InTransit, Location::Requested, Location::Lost];

/// The same, with units whose money went ahead of them.
pub(super) const MAY_TURN_UP: &[Location] =
    &[Location::InTransit, Location::Requested, Location::Lost, Location::Ahead];

/// Settled goods that may come back all the same.
pub(super) const SETTLED_OUTSIDE: &[Location] =
    &[Location::Ahead, Location::WrittenOff, Location::Kept];

/// Units that somebody can look at, ours or not.
pub(super) const WITH_US: &[Location] = &[
    Location::Received,
    Location::Accepted,
    Location::Rejected,
    Location::Settled,
    Location::Recovered,
];

/// Units that came back for good, settled or not.
pub(super) const OURS: &[Location] = &[Location::Accepted, Location::Settled, Location::Recovered];
