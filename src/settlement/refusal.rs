//! Everything that can stand in the way of a settlement.

use alloc::vec::Vec;
use core::fmt;

use crate::id::{OrderId, OrderLineId, Sku, TenderId};
use crate::money::{Money, MoneyError};
use crate::quantity::{Quantity, Unit};
use crate::sale::draft::ChargeId;

/// A request that cannot be settled, with everything that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SettlementRefused {
    /// The order.
    pub order: OrderId,
    /// What stands in the way, at least one.
    pub violations: Vec<Violation>,
}

impl fmt::Display for SettlementRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {} cannot be settled so", self.order)?;
        for (position, violation) in self.violations.iter().enumerate() {
            write!(f, "{} {violation}", if position == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// One thing that stands in the way of a settlement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The ledger belongs to another order or is in another currency.
    #[error("the money ledger given does not belong to order {order}")]
    ForeignLedger {
        /// The order of the sale.
        order: OrderId,
    },
    /// The order has no such line.
    #[error("the order has no line {line}")]
    UnknownLine {
        /// The line.
        line: OrderLineId,
    },
    /// The kit has no such component, or the line is no kit.
    #[error("line {line} has no component {sku}")]
    UnknownComponent {
        /// The line.
        line: OrderLineId,
        /// The component.
        sku: Sku,
    },
    /// The order has no such charge.
    #[error("the order has no charge {charge}")]
    UnknownCharge {
        /// The charge.
        charge: ChargeId,
    },
    /// The order has no such tender.
    #[error("the order was not paid with tender {tender}")]
    UnknownTender {
        /// The tender.
        tender: TenderId,
    },
    /// A line is claimed twice.
    #[error("line {line} is claimed twice")]
    LineTwice {
        /// The line.
        line: OrderLineId,
    },
    /// A charge is claimed twice.
    #[error("charge {charge} is claimed twice")]
    ChargeTwice {
        /// The charge.
        charge: ChargeId,
    },
    /// A quantity is in another unit than its line.
    #[error("line {line} is counted in {expected}, not in {found}")]
    WrongUnit {
        /// The line.
        line: OrderLineId,
        /// The unit of the line.
        expected: Unit,
        /// The unit found.
        found: Unit,
    },
    /// More units than are left.
    #[error("line {line}: {asked} asked for, {left} left to refund")]
    ExceedsUnits {
        /// The line.
        line: OrderLineId,
        /// What was asked for.
        asked: Quantity,
        /// What is left.
        left: Quantity,
    },
    /// More money than is left on a line.
    #[error("line {line}: {asked} asked for, {left} left of what was paid")]
    ExceedsAmount {
        /// The line.
        line: OrderLineId,
        /// What was asked for.
        asked: Money,
        /// What is left.
        left: Money,
    },
    /// More money than is left on a charge.
    #[error("charge {charge}: {asked} asked for, {left} left of what was paid")]
    ExceedsCharge {
        /// The charge.
        charge: ChargeId,
        /// What was asked for.
        asked: Money,
        /// What is left.
        left: Money,
    },
    /// An amount is in another currency than the sale.
    #[error("{what}: {amount} is not in the currency of the order")]
    WrongCurrency {
        /// What the amount is for.
        what: &'static str,
        /// The amount.
        amount: Money,
    },
    /// An amount that must be zero or more is below.
    #[error("{what}: {amount} is below zero")]
    Negative {
        /// What the amount is for.
        what: &'static str,
        /// The amount.
        amount: Money,
    },
    /// A share outside 0 to 1, or a tax rate outside 0 to 10.
    #[error("{what}: {value} is not between 0 and {max}")]
    OutOfRange {
        /// What the number is for.
        what: &'static str,
        /// The number.
        value: crate::number::Exact,
        /// The most allowed.
        max: u8,
    },
    /// Tiers without an entry, or with days that do not grow.
    #[error("the tiers of a deduction must be at least one, with growing days")]
    BadTiers,
    /// A line that takes no part in the refund cannot bear a deduction or an even exchange.
    #[error("line {line} is not refunded here")]
    NotRefundedHere {
        /// The line.
        line: OrderLineId,
    },
    /// Outgoing goods need a line id of their own.
    #[error("line {line} exists already; outgoing goods need an id of their own")]
    LineExists {
        /// The line.
        line: OrderLineId,
    },
    /// Nothing goes out.
    #[error("line {line}: the quantity that goes out is zero")]
    NothingGoesOut {
        /// The line.
        line: OrderLineId,
    },
    /// The tax of outgoing goods is more than their price.
    #[error("line {line}: tax of {tax} is more than the price of {gross}")]
    TaxTooLarge {
        /// The line.
        line: OrderLineId,
        /// The tax.
        tax: Money,
        /// The price, tax included.
        gross: Money,
    },
    /// The smallest coin is not above zero.
    #[error("cash cannot be rounded to steps of {step}")]
    BadCashStep {
        /// The step given.
        step: i64,
    },
    /// An amount cannot be computed.
    #[error(transparent)]
    Amount(#[from] MoneyError),
}
