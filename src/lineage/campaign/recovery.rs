//! Goods that came back in a campaign, each recovery once.

use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::id::text_ids;
use crate::quantity::{Quantity, QuantityError, Unit};

text_ids! {
    /// One recovery of goods from an order: a parcel that came back, a certificate of destruction.
    RecoveryId = "recovery id";
}

/// Goods that were recovered from an order.
///
/// On the wire the quantity with the id beside it; without one, just the quantity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RecoveryWire", into = "RecoveryWire")]
pub struct Recovery {
    /// Which recovery; none in histories of before recoveries had ids.
    pub id: Option<RecoveryId>,
    /// How much.
    pub quantity: Quantity,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<RecoveryId>,
    amount: String,
    unit: Unit,
}

impl TryFrom<RecoveryWire> for Recovery {
    type Error = QuantityError;
    fn try_from(wire: RecoveryWire) -> Result<Self, QuantityError> {
        Ok(Self { id: wire.id, quantity: Quantity::parse(&wire.amount, wire.unit)? })
    }
}

impl From<Recovery> for RecoveryWire {
    fn from(recovery: Recovery) -> Self {
        let (amount, unit) = (recovery.quantity.amount().to_string(), recovery.quantity.unit());
        Self { id: recovery.id, amount, unit }
    }
}
