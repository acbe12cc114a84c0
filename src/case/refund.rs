//! What a refund is to settle, on which terms, and what became of its payments.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::freight::FreightTerms;
use crate::id::OrderLineId;
use crate::sale::draft::Tender;
use crate::settlement::request::{
    CashRounding, ChargeRefund, Claim, Deduction, Excess, FreeDeliveryPolicy, Goodwill, LineRefund,
    PromotionPolicy, RefundRequest, TenderPolicy,
};
use crate::time::Instant;

/// What to settle of one line: units, or an amount while the goods stay with the customer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundLine {
    /// The order line.
    pub line: OrderLineId,
    /// What of it.
    pub claim: Claim,
}

/// The terms of a settlement beside what is settled: decided by staff or by a policy.
///
/// What is settled, and of which line, comes from the stored case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefundTerms {
    /// Freight and other charges to pay back.
    pub charges: Vec<ChargeRefund>,
    /// What is kept back.
    pub deductions: Vec<Deduction>,
    /// What is given on top.
    pub goodwill: Vec<Goodwill>,
    /// How promotions are treated that a partial return breaks.
    pub promotion: PromotionPolicy,
    /// How free delivery is treated that a partial return breaks.
    pub free_delivery: FreeDeliveryPolicy,
    /// What happens when a promotion clawback is more than the refund.
    pub clawback_excess: Excess,
    /// Which tenders the money goes back to.
    pub tenders: TenderPolicy,
    /// How amounts in cash are rounded.
    pub cash: Option<CashRounding>,
    /// What happens to freight beside what is stated.
    #[serde(skip_serializing_if = "FreightTerms::is_stated")]
    pub freight: FreightTerms,
}

impl RefundTerms {
    /// The request to the settlement for these claims.
    #[must_use]
    pub fn request(&self, at: Instant, lines: Vec<LineRefund>) -> RefundRequest {
        RefundRequest {
            lines,
            charges: self.charges.clone(),
            deductions: self.deductions.clone(),
            goodwill: self.goodwill.clone(),
            promotion: self.promotion,
            free_delivery: self.free_delivery,
            clawback_excess: self.clawback_excess,
            tenders: self.tenders.clone(),
            cash: self.cash,
            ..RefundRequest::new(at)
        }
    }
}

/// What became of one payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentResult {
    /// It was paid.
    Paid {
        /// The reference of the bank or wallet.
        reference: String,
    },
    /// It failed and is still owed.
    Failed {
        /// What the bank or wallet said.
        error: String,
    },
    /// It was collected from the customer, on this tender.
    Collected {
        /// The tender, with the amount captured.
        tender: Box<Tender>,
    },
    /// It was paid by hand, outside the tender.
    PaidByHand {
        /// How, and the proof.
        reference: String,
    },
}
