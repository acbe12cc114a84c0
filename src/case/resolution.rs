//! What the customer gets: the resolution of a case.

use crate::label::codes;

codes! {
    /// What the customer gets.
    ///
    /// Source of the Chinese terms: the type lists of Pinduoduo and Kuaimai.
    pub enum Resolution "resolution" {
        /// Money back, the goods stay or were never sent.
        RefundOnly = "refund_only", "Refund only", "仅退款";
        /// The goods come back, the money goes back.
        ReturnAndRefund = "return_and_refund", "Return and refund", "退货退款";
        /// The goods come back, others go out.
        Exchange = "exchange", "Exchange", "换货";
        /// What was missing is sent.
        Reship = "reship", "Reship missing parts", "补发";
        /// The goods come back, are repaired and go out again.
        Repair = "repair", "Repair", "维修";
        /// The customer refused the parcel at the door.
        RefusedAtDoor = "refused_at_door", "Refused at the door", "拒收退款";
        /// Part of the price back because the price fell.
        PriceProtection = "price_protection", "Price protection", "退差价";
        /// Part of the price back, the goods stay.
        PartialRefund = "partial_refund", "Partial refund, goods kept", "部分退款";
        /// The replacement leaves before the goods come back.
        AdvanceReplacement = "advance_replacement", "Advance replacement", "先换后退";
        /// The money goes back before the goods are received.
        InstantRefund = "instant_refund", "Instant refund", "极速退款";
    }
}

impl Resolution {
    /// Whether the goods are to come back.
    #[must_use]
    pub const fn needs_return(self) -> bool {
        match self {
            Self::ReturnAndRefund
            | Self::Exchange
            | Self::Repair
            | Self::RefusedAtDoor
            | Self::AdvanceReplacement
            | Self::InstantRefund => true,
            Self::RefundOnly | Self::Reship | Self::PriceProtection | Self::PartialRefund => false,
        }
    }

    /// Whether a parcel under way to the customer may be called back for it: the customer is not to
    /// keep the goods.
    #[must_use]
    pub const fn calls_back(self) -> bool {
        match self {
            Self::RefundOnly
            | Self::ReturnAndRefund
            | Self::Exchange
            | Self::RefusedAtDoor
            | Self::InstantRefund => true,
            Self::Reship
            | Self::Repair
            | Self::PriceProtection
            | Self::PartialRefund
            | Self::AdvanceReplacement => false,
        }
    }

    /// Whether an amount goes back and no unit is settled for it: the goods stay.
    #[must_use]
    pub const fn keeps_goods(self) -> bool {
        match self {
            Self::PriceProtection | Self::PartialRefund => true,
            Self::RefundOnly
            | Self::ReturnAndRefund
            | Self::Exchange
            | Self::Reship
            | Self::Repair
            | Self::RefusedAtDoor
            | Self::AdvanceReplacement
            | Self::InstantRefund => false,
        }
    }

    /// Whether money may go back before the goods are accepted.
    #[must_use]
    pub const fn pays_before_receipt(self) -> bool {
        match self {
            Self::RefundOnly
            | Self::PriceProtection
            | Self::PartialRefund
            | Self::InstantRefund => true,
            Self::ReturnAndRefund
            | Self::Exchange
            | Self::Reship
            | Self::Repair
            | Self::RefusedAtDoor
            | Self::AdvanceReplacement => false,
        }
    }
}
