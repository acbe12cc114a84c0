//! Everything that can be wrong with a snapshot of an order.

use alloc::vec::Vec;
use core::fmt;

use crate::id::{LotId, OrderId, OrderLineId, ParcelId, PromotionId, SerialId, Sku, TenderId};
use crate::money::{Money, MoneyError};
use crate::number::Exact;
use crate::quantity::{Quantity, Unit};
use crate::sale::draft::{ChargeId, KitId, TaxCode};

/// A snapshot that does not add up, with every fault found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SaleRefused {
    /// The order.
    pub order: OrderId,
    /// The faults, at least one.
    pub faults: Vec<SaleFault>,
}

impl fmt::Display for SaleRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "order {} does not add up", self.order)?;
        for (position, fault) in self.faults.iter().enumerate() {
            write!(f, "{} {fault}", if position == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// Where in a snapshot an amount stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The order as a whole.
    Order,
    /// A line.
    Line(OrderLineId),
    /// A charge.
    Charge(ChargeId),
    /// A tender.
    Tender(TenderId),
    /// An order discount by its position, from 0.
    Discount(usize),
    /// A tax total of the invoice.
    TaxTotal(TaxCode),
    /// The rule of a promotion.
    Promotion(PromotionId),
    /// Free delivery.
    FreeDelivery,
    /// A kit sold as its parts.
    Kit(KitId),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order => f.write_str("the order"),
            Self::Line(id) => write!(f, "line {id}"),
            Self::Charge(id) => write!(f, "charge {id}"),
            Self::Tender(id) => write!(f, "tender {id}"),
            Self::Discount(position) => {
                write!(f, "order discount {}", position.saturating_add(1))
            }
            Self::TaxTotal(code) => write!(f, "the total of tax {code}"),
            Self::Promotion(id) => write!(f, "promotion {id}"),
            Self::FreeDelivery => f.write_str("free delivery"),
            Self::Kit(id) => write!(f, "kit {id}"),
        }
    }
}

/// One thing that does not add up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaleFault {
    /// There is no line.
    #[error("the order has no line")]
    NoLines,
    /// More entries than an order can have.
    #[error("the order has {found} {what}, at most {max} are allowed")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        found: usize,
        /// The most allowed.
        max: usize,
    },
    /// Two entries have one id.
    #[error("{place} is listed twice")]
    Duplicate {
        /// Where.
        place: Place,
    },
    /// An amount is in another currency than the sale.
    #[error("{place}: {amount} is not in the currency of the order")]
    WrongCurrency {
        /// Where.
        place: Place,
        /// The amount.
        amount: Money,
    },
    /// An amount that must be zero or more is below.
    #[error("{place}: {amount} is below zero")]
    Negative {
        /// Where.
        place: Place,
        /// The amount.
        amount: Money,
    },
    /// The unit price is below zero.
    #[error("line {line}: the unit price {price} is below zero")]
    NegativePrice {
        /// The line.
        line: OrderLineId,
        /// The price.
        price: Exact,
    },
    /// Nothing was ordered or shipped.
    #[error("line {line}: the quantity is zero")]
    ZeroQuantity {
        /// The line.
        line: OrderLineId,
    },
    /// Units of the same line differ.
    #[error("line {line} is counted in {expected}, not in {found}")]
    WrongUnit {
        /// The line.
        line: OrderLineId,
        /// The unit of the line.
        expected: Unit,
        /// The unit found.
        found: Unit,
    },
    /// The stated line amount is not price times quantity.
    #[error("line {line}: {stated} is not {price} times {quantity}")]
    WrongList {
        /// The line.
        line: OrderLineId,
        /// The amount stated.
        stated: Money,
        /// The unit price.
        price: Exact,
        /// The quantity.
        quantity: Quantity,
    },
    /// Discounts take more than there is.
    #[error("{place}: discounts take {discounts} off {value}")]
    DiscountTooLarge {
        /// Where.
        place: Place,
        /// The value before.
        value: Money,
        /// The discounts.
        discounts: Money,
    },
    /// A discount or shipment names a line that is not there.
    #[error("{place} names line {line}, which the order does not have")]
    UnknownLine {
        /// Where.
        place: Place,
        /// The line.
        line: OrderLineId,
    },
    /// A rate outside 0 to 10.
    #[error("{place}: the tax rate {rate} is not between 0 and 10")]
    BadRate {
        /// Where.
        place: Place,
        /// The rate.
        rate: Exact,
    },
    /// Tax is larger than the amount it is part of.
    #[error("{place}: tax of {tax} is more than the amount of {gross}")]
    TaxTooLarge {
        /// Where.
        place: Place,
        /// The tax.
        tax: Money,
        /// The amount.
        gross: Money,
    },
    /// Stated tax amounts and the stated total differ.
    #[error("tax {code} at {rate}: lines state {lines}, the invoice states {total}")]
    TaxTotalDiffers {
        /// The tax.
        code: TaxCode,
        /// The rate.
        rate: Exact,
        /// What the lines and charges sum to.
        lines: Money,
        /// The total.
        total: Money,
    },
    /// Some lines state the amount of a tax and others do not, under one total.
    #[error("tax {code} at {rate}: either all lines state its amount, or none")]
    TaxPartlyStated {
        /// The tax.
        code: TaxCode,
        /// The rate.
        rate: Exact,
    },
    /// Lines and charges do not sum to the stated total.
    #[error("lines and charges sum to {found}, the order states {stated}")]
    TotalDiffers {
        /// The sum found.
        found: Money,
        /// The total stated.
        stated: Money,
    },
    /// More was captured than was owed.
    #[error("tenders paid {captured}, more than the total of {total}")]
    OverCaptured {
        /// The sum of the tenders.
        captured: Money,
        /// The total.
        total: Money,
    },
    /// More was refunded outside any case than was captured.
    #[error("tender {tender}: {refunded} was refunded of {captured}")]
    OverRefunded {
        /// The tender.
        tender: TenderId,
        /// What was refunded.
        refunded: Money,
        /// What was captured.
        captured: Money,
    },
    /// More was shipped than ordered.
    #[error("line {line}: {shipped} shipped, {ordered} ordered")]
    OverShipped {
        /// The line.
        line: OrderLineId,
        /// What was shipped.
        shipped: Quantity,
        /// What was ordered.
        ordered: Quantity,
    },
    /// A parcel arrived before it left.
    #[error("parcel {parcel} arrived before it was shipped")]
    ArrivedBeforeShipped {
        /// The parcel.
        parcel: ParcelId,
    },
    /// A parcel names a line that the order does not have.
    #[error("parcel {parcel} has line {line}, which the order does not have")]
    UnknownShippedLine {
        /// The parcel.
        parcel: ParcelId,
        /// The line.
        line: OrderLineId,
    },
    /// Two parcels have one id.
    #[error("parcel {parcel} is listed twice")]
    DuplicateParcel {
        /// The parcel.
        parcel: ParcelId,
    },
    /// One unit was shipped twice.
    #[error("serial number {serial} was shipped twice")]
    DuplicateSerial {
        /// The serial number.
        serial: SerialId,
    },
    /// More units are named than were shipped.
    #[error("parcel {parcel}, line {line}: {serials} serial numbers for {quantity}")]
    TooManySerials {
        /// The parcel.
        parcel: ParcelId,
        /// The line.
        line: OrderLineId,
        /// How many serial numbers.
        serials: usize,
        /// What was shipped.
        quantity: Quantity,
    },
    /// Lots sum to more than was shipped.
    #[error("parcel {parcel}, line {line}: more of lot {lot} than was shipped")]
    TooMuchOfLots {
        /// The parcel.
        parcel: ParcelId,
        /// The line.
        line: OrderLineId,
        /// The lot at which the sum passed the shipped quantity.
        lot: LotId,
    },
    /// An amount is too large to be computed with.
    #[error("{place}: {error}")]
    Amount {
        /// Where.
        place: Place,
        /// What went wrong.
        error: MoneyError,
    },
    /// A kit is counted in whole units.
    #[error("line {line} is a kit and is not counted in whole units")]
    KitNotWhole {
        /// The line.
        line: OrderLineId,
    },
    /// A component of a kit that cannot be: listed twice, none of it, or a weight below zero.
    #[error("line {line}: component {sku} is listed twice, has no quantity, or weighs below zero")]
    BadComponent {
        /// The line.
        line: OrderLineId,
        /// The component.
        sku: Sku,
    },
    /// A kit that cannot be: no parts, none ordered, a part of nothing, or a line in two kits.
    #[error("kit {kit} has no parts, was not ordered, or has a part that is empty or in two kits")]
    BadKit {
        /// The kit.
        kit: KitId,
    },
    /// More or less of a part was ordered than the kits hold.
    #[error("kit {kit}: {found} of line {line} was ordered, its kits hold {expected}")]
    KitDiffers {
        /// The kit.
        kit: KitId,
        /// The line.
        line: OrderLineId,
        /// What was ordered.
        found: Quantity,
        /// What the kits hold, in steps of the unit of the part.
        expected: Quantity,
    },
    /// The parts of a kit do not cost what the kit cost.
    #[error("kit {kit}: its parts cost {parts}, the kit costs {stated}")]
    KitPriceDiffers {
        /// The kit.
        kit: KitId,
        /// What the list amounts of its parts sum to.
        parts: Money,
        /// What is stated for it.
        stated: Money,
    },
    /// The terms of a promotion are no terms: no steps or steps that do not ascend, a count of
    /// zero, a share outside 0 to 1, or two rules for one promotion.
    #[error("the rule of promotion {promotion} cannot be applied")]
    BadPromotion {
        /// The promotion.
        promotion: PromotionId,
    },
    /// The rule of a promotion does not give the discount the sale states for it.
    #[error("promotion {promotion}: its rule gives {rule}, the discounts state {stated}")]
    PromotionDiffers {
        /// The promotion.
        promotion: PromotionId,
        /// What the rule gives on the whole order.
        rule: Money,
        /// What the discounts of the order sum to.
        stated: Money,
    },
    /// The goods do not come to the minimum that is said to have earned a gift or free delivery.
    #[error("{place}: the goods come to less than the minimum of {minimum}")]
    BelowMinimum {
        /// Where.
        place: Place,
        /// The minimum.
        minimum: Money,
    },
    /// A gift was paid for.
    #[error("line {line} is a gift, but {paid} was paid for it")]
    GiftPaid {
        /// The line.
        line: OrderLineId,
        /// What was paid.
        paid: Money,
    },
    /// The version of an order counts from 1.
    #[error("the version of the order is 0; versions count from 1")]
    VersionZero,
    /// A country is two capital letters.
    #[error("`{country}` is not a country code of two capital letters")]
    BadCountry {
        /// The code, shortened.
        country: alloc::string::String,
    },
}
