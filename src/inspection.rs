//! Inspection: what came back, in which state, and what becomes of it.
//!
//! In: what an inspector saw. Out: a [`Grade`] and a [`Disposition`] with the action it asks of the
//! warehouse. A grade is a finding about the goods; a disposition is a decision about them; neither
//! decides about money by itself.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::label::codes;

codes! {
    /// The state of a returned unit, the best first.
    pub enum Grade "grade" {
        /// As new: unopened, or complete and unused.
        AsNew = "as_new", "As new", "全新";
        /// Opened, complete, no marks.
        Opened = "opened", "Opened, complete", "已拆封完好";
        /// Marks of use, works.
        Used = "used", "Used, works", "使用过";
        /// Parts or accessories are missing.
        Incomplete = "incomplete", "Incomplete", "缺件";
        /// Damaged by handling or transport.
        Damaged = "damaged", "Damaged", "损坏";
        /// Faulty as made.
        Defective = "defective", "Defective", "次品";
        /// Unsafe: not to be handled further.
        Unsafe = "unsafe", "Unsafe", "不安全";
    }
}

codes! {
    /// What becomes of a returned unit.
    ///
    /// Source of the Chinese terms: the disposition vocabulary of domestic warehouse systems.
    pub enum Disposition "disposition" {
        /// Back into stock as new.
        Restock = "restock", "Restock", "良品入库";
        /// Sold as second grade.
        SecondGrade = "second_grade", "Second grade", "次品入库";
        /// Made as new, then sold.
        Refurbish = "refurbish", "Refurbish", "翻新";
        /// Reworked or repaired.
        Rework = "rework", "Rework", "返工返修";
        /// Sent to the supplier.
        ReturnToVendor = "return_to_vendor", "Return to vendor", "退供应商";
        /// Destroyed.
        Scrap = "scrap", "Scrap", "报废";
        /// Kept apart until somebody decides.
        Quarantine = "quarantine", "Quarantine", "待检隔离";
        /// Given away.
        Donate = "donate", "Donate", "捐赠";
        /// Sent back to the customer.
        ReturnToCustomer = "return_to_customer", "Return to customer", "退回客户";
        /// Used as it is by agreement.
        UseAsIs = "use_as_is", "Use as is", "让步接收";
    }
}

codes! {
    /// What a disposition asks of stock.
    pub enum StockAction "stock action" {
        /// Available for sale again.
        Available = "available", "Available for sale", "可售";
        /// In stock, not for sale as new.
        Blocked = "blocked", "Blocked stock", "冻结";
        /// Leaves the books.
        WrittenOff = "written_off", "Written off", "核销";
        /// Leaves the house.
        ShippedOut = "shipped_out", "Shipped out", "出库";
    }
}

impl Disposition {
    /// What it asks of stock.
    #[must_use]
    pub const fn stock_action(self) -> StockAction {
        match self {
            Self::Restock => StockAction::Available,
            Self::SecondGrade
            | Self::Refurbish
            | Self::Rework
            | Self::Quarantine
            | Self::UseAsIs => StockAction::Blocked,
            Self::Scrap | Self::Donate => StockAction::WrittenOff,
            Self::ReturnToVendor | Self::ReturnToCustomer => StockAction::ShippedOut,
        }
    }

    /// The X12 disposition code (set 180, element 1292) that says the same, where there is one.
    #[must_use]
    pub const fn x12(self) -> Option<&'static str> {
        match self {
            Self::ReturnToVendor => Some("CR"),
            Self::Scrap => Some("DI"),
            Self::UseAsIs => Some("KA"),
            Self::Rework => Some("KR"),
            Self::ReturnToCustomer => Some("RD"),
            Self::Refurbish => Some("RF"),
            Self::Quarantine => Some("RP"),
            Self::Donate => Some("SC"),
            Self::Restock | Self::SecondGrade => None,
        }
    }

    /// The disposition of an X12 code of element 1292, where one of ours says the same.
    #[must_use]
    pub fn from_x12(code: &str) -> Option<Self> {
        use crate::label::Coded;
        Self::ALL.iter().copied().find(|disposition| disposition.x12() == Some(code))
    }
}

/// What an inspector recorded about some units of one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inspection {
    /// The state.
    pub grade: Grade,
    /// Codes of what was found: `label_removed`, `soiled`.
    #[serde(default, skip_serializing_if = "alloc::collections::BTreeSet::is_empty")]
    pub findings: alloc::collections::BTreeSet<String>,
    /// References to pictures and reports.
    #[serde(default, skip_serializing_if = "alloc::collections::BTreeSet::is_empty")]
    pub evidence: alloc::collections::BTreeSet<String>,
}
