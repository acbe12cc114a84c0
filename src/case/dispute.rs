//! Offers, holds and disputes: what stands between a request and its end.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::resolution::Resolution;
use crate::label::codes;
use crate::money::Money;
use crate::time::Instant;

/// A counter-offer of the seller.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// What the seller offers instead.
    pub resolution: Resolution,
    /// How much money at most, for a partial refund or a price protection; no other resolution has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// In the seller's words.
    pub note: String,
}

codes! {
    /// How the marketplace, or whoever is asked, rules in a dispute.
    pub enum Ruling "ruling" {
        /// The customer is right: the return is permitted.
        ForCustomer = "for_customer", "For the customer", "支持买家";
        /// The seller is right: the return is refused.
        ForSeller = "for_seller", "For the seller", "支持商家";
    }
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dispute {
    /// There is none.
    #[default]
    None,
    /// Opened and not ruled; deciding, settling and ending are frozen.
    Open {
        /// When.
        since: Instant,
        /// Whether it is the appeal of a ruling.
        appeal: bool,
    },
    /// Ruled. A first ruling can be appealed until `appeal_until`; a second is final.
    Ruled {
        /// How.
        ruling: Ruling,
        /// When.
        at: Instant,
        /// Until when it can be appealed; none when it is final.
        appeal_until: Option<Instant>,
    },
}

impl Dispute {
    /// Whether a ruling is awaited.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

/// Something that supports what is said in a case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is: `photo`, `video`, `proof_of_purchase`.
    pub kind: String,
    /// Where the host keeps it.
    pub reference: String,
}
