//! What commands and events say of one order line: asked for, split off, received, read.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ledger::Location;
use crate::id::{LotId, OrderLineId, SerialId};
use crate::policy::facts::LineFacts;
use crate::policy::verdict::Verdict;
use crate::quantity::Quantity;
use crate::reason::ReasonCode;
use crate::reason::history::Assertion;

/// What is asked for of one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestedLine {
    /// The order line.
    pub line: OrderLineId,
    /// How much, above zero.
    pub quantity: Quantity,
    /// Which units, when they have serial numbers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
    /// Why.
    pub reason: ReasonCode,
    /// The customer's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What is known about the goods beside the order: opened, intact, made to order. The country,
    /// the article's tags and the reason come from the order and the request.
    #[serde(default)]
    pub facts: LineFacts,
}

/// One line of a new case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedLine {
    /// The order line.
    pub line: OrderLineId,
    /// How much.
    pub quantity: Quantity,
    /// Which units.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
    /// The reason as stated.
    pub assertion: Assertion,
    /// What the policies say about it.
    pub verdict: Arc<Verdict>,
}

/// How much of one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineQuantity {
    /// The order line.
    pub line: OrderLineId,
    /// How much, above zero.
    pub quantity: Quantity,
}

/// How much of one line a split moves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitOff {
    /// The order line.
    pub line: OrderLineId,
    /// How much, above zero, of what has not left for us.
    pub quantity: Quantity,
    /// Which units, when the case names some; none named is enough when all of them move.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
}

/// What goes over from one case to another when it is split: of one line, from one location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitLine {
    /// The order line.
    pub line: OrderLineId,
    /// Where the units are and stay: promised to the case, or held back before shipping.
    pub location: Location,
    /// How many.
    pub quantity: Quantity,
    /// Which units.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
}

/// What arrived of one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceivedLine {
    /// The order line.
    pub line: OrderLineId,
    /// How much, above zero.
    pub quantity: Quantity,
    /// The serial numbers read from the units.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
    /// The lots read from the units.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lots: BTreeSet<LotId>,
}

/// What was read from received units of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadMarks {
    /// The order line.
    pub line: OrderLineId,
    /// Serial numbers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
    /// Lots.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lots: BTreeSet<LotId>,
}
