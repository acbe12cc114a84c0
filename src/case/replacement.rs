//! Goods that go out for a case: exchanged articles, replacements in advance, missing parts.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::{OrderLineId, ParcelId, Sku};
use crate::label::codes;
use crate::quantity::Quantity;
use crate::settlement::request::OutgoingPrice;
use crate::time::Instant;

codes! {
    /// Why goods go out.
    pub enum Purpose "purpose of a replacement" {
        /// In exchange for what came back.
        Exchange = "exchange", "Exchange", "换货";
        /// Before the goods come back.
        Advance = "advance", "Advance replacement", "先换后退";
        /// What was missing in the parcel.
        MissingPart = "missing_part", "Missing part", "补发";
    }
}

/// One article that goes out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplacementItem {
    /// A new line id of the order, by which it can be asked back later.
    pub line: OrderLineId,
    /// The line it stands for.
    pub replaces: OrderLineId,
    /// The article.
    pub sku: Sku,
    /// How much, in the unit of the line it stands for.
    pub quantity: Quantity,
    /// What it costs; without a price it is even with what came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<OutgoingPrice>,
}

/// Goods going out together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Its number in the case, from 1.
    pub number: u32,
    /// Why it goes out.
    pub purpose: Purpose,
    /// What goes out.
    pub items: Vec<ReplacementItem>,
    /// How far it is.
    pub state: ReplacementState,
    /// The obligation that must be discharged before it leaves, if the customer pays for it.
    pub obligation: Option<u32>,
    /// For an advance: what is still open about the original.
    pub advance: Option<Advance>,
}

/// How far a replacement is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplacementState {
    /// To be shipped.
    Planned,
    /// Under way.
    Shipped {
        /// When.
        at: Instant,
        /// In which parcel.
        parcel: ParcelId,
    },
    /// Called back on its way, and coming back: it is sent again or cancelled once it is here.
    TurnedRound {
        /// When it turned round.
        at: Instant,
        /// In which parcel.
        parcel: ParcelId,
    },
    /// With the customer.
    Delivered {
        /// When.
        at: Instant,
    },
    /// Not sent.
    Cancelled,
}

impl Replacement {
    /// The parcel in which it is under way to the customer.
    #[must_use]
    pub const fn under_way_in(&self) -> Option<&ParcelId> {
        match &self.state {
            ReplacementState::Shipped { parcel, .. } => Some(parcel),
            ReplacementState::Planned
            | ReplacementState::TurnedRound { .. }
            | ReplacementState::Delivered { .. }
            | ReplacementState::Cancelled => None,
        }
    }

    /// Whether it is to leave, under way, or on its way back to us: the case does not end meanwhile.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        match self.state {
            ReplacementState::Planned
            | ReplacementState::Shipped { .. }
            | ReplacementState::TurnedRound { .. } => true,
            ReplacementState::Delivered { .. } | ReplacementState::Cancelled => false,
        }
    }
}

/// The condition that an advance replacement leaves open; it is resolved exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// From when on the replacement is charged when the original has not come back.
    pub charge_on: Instant,
    /// How it ended.
    pub resolved: Option<AdvanceEnd>,
}

codes! {
    /// How an advance replacement ended.
    pub enum AdvanceEnd "end of an advance" {
        /// The original came back.
        Returned = "returned", "Original returned", "原件已退回";
        /// The original did not come back and the replacement is paid for.
        Charged = "charged", "Charged", "已扣款";
        /// The replacement was not sent.
        Cancelled = "cancelled", "Cancelled", "已取消";
        /// The customer sent the replacement back and keeps the original.
        ReplacementReturned = "replacement_returned", "Replacement returned", "换货件已退回";
    }
}
