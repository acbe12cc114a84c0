//! What reading and writing share: losses, errors, and how a policy names the sides of a page.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDate;

use crate::id::IdError;
use crate::label::{Label, codes};
use crate::money::currency::CurrencyError;
use crate::money::{Money, MoneyError};
use crate::number::Exact;
use crate::policy::period::{Length, LengthUnit};

codes! {
    /// Why something is missing on the other side.
    pub enum LossKind "loss" {
        /// The other side has no words for it.
        NoCounterpart = "no_counterpart", "No counterpart", "无对应项";
        /// The document does not say it, and a value was assumed.
        Assumed = "assumed", "Assumed", "默认假定";
        /// The property is not known here.
        NotUnderstood = "not_understood", "Not understood", "无法识别";
    }
}

/// One thing that the other side does not say, or says by assumption.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// The property of the document, or the rule with its field: `store_window / evidence`.
    pub what: String,
    /// Why.
    pub kind: LossKind,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.kind)
    }
}

/// A document that cannot become a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Neither the policy nor a season says whether goods may come back.
    #[error("the document does not say whether goods may come back")]
    SaysNothing,
    /// A finite window without days, or with none.
    #[error(
        "a finite return window needs `merchantReturnDays` of 1 to {}",
        Length::max(LengthUnit::Days)
    )]
    NoDays,
    /// A percentage outside 0 to 100.
    #[error("a restocking fee of {percent} percent is not between 0 and 100")]
    Percent {
        /// The number found.
        percent: Exact,
    },
    /// An amount below zero.
    #[error("a fee of {amount} is below zero")]
    NegativeFee {
        /// The amount.
        amount: Money,
    },
    /// The currency is not known.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    /// The amount cannot be held.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The rule ids made from the policy id are too long.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// Where a policy comes from that names no page.
pub(super) const NO_PAGE: &str = "schema.org MerchantReturnPolicy";

pub(super) fn label() -> Label {
    Label::new("Return policy", "退货政策")
}

pub(super) fn lose(losses: &mut Vec<Loss>, what: impl Into<String>, kind: LossKind) {
    losses.push(Loss { what: what.into(), kind });
}

/// For which reasons a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Any,
    Remorse,
    Defect,
}

/// The first and the last day of sale of a season.
pub(super) type Season = (Option<NaiveDate>, Option<NaiveDate>);
