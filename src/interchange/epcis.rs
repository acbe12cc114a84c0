//! EPCIS 2.0 (ISO/IEC 19987) documents in JSON-LD, read into lineage.
//!
//! In: a capture document, a query document, a bare event or a list of events, in any JSON format
//! that serde reads. Out: the events with canonical keys, the links between them, entries for a
//! [`Lineage`](crate::lineage::Lineage), and a fault for everything that was not understood: one bad
//! event never costs the good ones.
//!
//! The same thing has the same key whether it is written as an EPC URN or as a GS1 Digital Link,
//! see [`key::Key`]. Source of the rules: GS1 EPCIS 2.0.1 and CBV 2.0, GS1 EPC Tag Data Standard
//! (URN forms), GS1 Digital Link URI Syntax.

mod contents;
mod entries;
mod json;
pub mod key;
mod links;
mod measure;
mod movements;
mod read;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize};

use crate::id::IdError;
use crate::label::codes;
use crate::number::Exact;
use crate::time::Instant;
use key::Key;

codes! {
    /// The five kinds of EPCIS event.
    pub enum EpcisKind "EPCIS event type" {
        /// Something was seen, created or destroyed.
        Object = "ObjectEvent", "Object event", "对象事件";
        /// Something was packed, unpacked or seen in a container.
        Aggregation = "AggregationEvent", "Aggregation event", "聚合事件";
        /// Something was attached to an asset or place.
        Association = "AssociationEvent", "Association event", "关联事件";
        /// Something was tied to a business document.
        Transaction = "TransactionEvent", "Transaction event", "交易事件";
        /// Inputs became outputs.
        Transformation = "TransformationEvent", "Transformation event", "转化事件";
    }
}

codes! {
    /// What an event does to the existence or the contents of things.
    pub enum Action "EPCIS action" {
        /// Creates, packs or ties.
        Add = "ADD", "Add", "新增";
        /// Sees; changes nothing.
        Observe = "OBSERVE", "Observe", "观察";
        /// Destroys, unpacks or unties.
        Delete = "DELETE", "Delete", "删除";
    }
}

/// A thing in an event, with how much of it where the event says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Thing {
    /// The key.
    pub key: Key,
    /// The quantity.
    pub quantity: Option<Exact>,
    /// The unit as written, a UN/CEFACT code; none for pieces.
    pub unit: Option<String>,
}

/// That an event is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ErrorDeclaration {
    /// Why, as written.
    pub reason: Option<String>,
    /// The ids of the events that say it right; they may be in other documents.
    pub corrective_ids: Vec<String>,
}

/// One event, as far as lineage needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EpcisEvent {
    /// Its place in the document, from zero.
    pub index: usize,
    /// Its type.
    pub kind: EpcisKind,
    /// Its id as written.
    pub id: Option<String>,
    /// When it happened.
    pub at: Instant,
    /// What it does; none for a transformation.
    pub action: Option<Action>,
    /// What went into a transformation.
    pub inputs: Vec<Thing>,
    /// What came out of a transformation.
    pub outputs: Vec<Thing>,
    /// The container, asset, place or transaction parent.
    pub parent: Option<Key>,
    /// The contents, or the objects of an object or transaction event.
    pub objects: Vec<Thing>,
    /// Events with the same id here are one process.
    pub transformation: Option<String>,
    /// The documents behind it: type (if given) and id.
    pub transactions: Vec<(Option<String>, String)>,
    /// From which party or place the things come: type (if given), as a bare word, and key.
    pub sources: Vec<(Option<String>, Key)>,
    /// To which party or place the things go.
    pub destinations: Vec<(Option<String>, Key)>,
    /// The business step, as a bare word: `shipping`.
    pub step: Option<String>,
    /// The disposition, as a bare word: `in_transit`.
    pub disposition: Option<String>,
    /// Where it was seen.
    pub read_point: Option<Key>,
    /// Where the things are after it.
    pub location: Option<Key>,
    /// Attributes of the lot or instance that it creates; plain values only.
    pub attributes: BTreeMap<String, String>,
    /// That it is wrong.
    pub error: Option<ErrorDeclaration>,
}

/// What could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The document has no list of events where one is expected.
    #[error("the document has no events: neither an event list nor a query result nor an event")]
    NoEvents,
    /// The event is not a JSON object.
    #[error("event {index} is not an object")]
    NotAnObject {
        /// The place of the event.
        index: usize,
    },
    /// The type is missing or not one of the five.
    #[error("event {index} has type `{found}`, which is not an EPCIS event type")]
    UnknownType {
        /// The place of the event.
        index: usize,
        /// What was found, shortened; empty when missing.
        found: String,
    },
    /// A field is missing that the type needs.
    #[error("event {index} has no {field}")]
    Missing {
        /// The place of the event.
        index: usize,
        /// The field.
        field: &'static str,
    },
    /// A field has a value that cannot be.
    #[error("event {index}: `{found}` is not a {expected}")]
    Invalid {
        /// The place of the event.
        index: usize,
        /// What was found, shortened.
        found: String,
        /// What it should be, in words.
        expected: &'static str,
    },
    /// The quantity of a line was not understood, or is finer than six decimals; the line was kept
    /// without it.
    #[error("event {index}: `{found}` is not a quantity; the line is kept without one")]
    QuantityDropped {
        /// The place of the event.
        index: usize,
        /// What was found, shortened.
        found: String,
    },
    /// Only one side of a process is in the document.
    #[error("event {index} ends a process whose {missing} are not in the document")]
    HalfProcess {
        /// The place of its last event.
        index: usize,
        /// `inputs` or `outputs`.
        missing: &'static str,
    },
    /// The event names things that cannot be named in a lineage.
    #[error("event {index} cannot enter the lineage: {source}")]
    Identifier {
        /// The place of the event.
        index: usize,
        /// Why.
        source: IdError,
    },
    /// Goods came back whose shipment is not in the document, and the event names no order.
    #[error("event {index} brings {thing} back, but no shipment of it is in the document")]
    UnknownShipment {
        /// The place of the event.
        index: usize,
        /// What came back.
        thing: Key,
    },
    /// The event has more things than lineage takes.
    #[error("event {index} cannot enter the lineage: {source}")]
    Lines {
        /// The place of the event.
        index: usize,
        /// Why.
        source: crate::lineage::event::EventError,
    },
}

impl Fault {
    const fn place(&mut self) -> Option<&mut usize> {
        match self {
            Self::NoEvents => None,
            Self::NotAnObject { index }
            | Self::UnknownType { index, .. }
            | Self::Missing { index, .. }
            | Self::Invalid { index, .. }
            | Self::QuantityDropped { index, .. }
            | Self::HalfProcess { index, .. }
            | Self::Identifier { index, .. }
            | Self::UnknownShipment { index, .. }
            | Self::Lines { index, .. } => Some(index),
        }
    }

    /// The place of the event concerned; none when it is the document.
    #[must_use]
    pub fn index(&self) -> Option<usize> {
        self.clone().place().map(|index| *index)
    }
}

/// A document as read: good events and faults.
///
/// Deserializing never fails for what stands in an event, only for text that is not JSON or nests
/// deeper than 64 levels.
///
/// ```
/// use aftersale::interchange::epcis::Import;
/// use aftersale::lineage::Lineage;
/// use aftersale::lineage::event::Units;
/// let import: Import = serde_json::from_str(r#"{
///     "type": "TransformationEvent",
///     "eventTime": "2026-02-05T06:00:00Z",
///     "inputEPCList": ["https://id.gs1.org/01/09521234008002/10/MILK-1"],
///     "outputEPCList": ["urn:epc:class:lgtin:9521234.000801.CHEESE-1", "oops"]
/// }"#)?;
/// assert!(import.faults.is_empty());
/// let (entries, faults) = import.entries("dairy");
/// assert!(faults.is_empty());
/// let lineage = Lineage::load(Units::default(), entries)?;
/// assert_eq!(lineage.links().count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The events understood, in the order of the document.
    pub events: Vec<EpcisEvent>,
    /// What was not understood, in the order of the document.
    pub faults: Vec<Fault>,
}

impl Import {
    /// Puts the events of another document behind these, as if both were one: a process whose events
    /// stand in several documents, a correction that comes in a later one. The places of the events
    /// that are added go on where these end, in [`EpcisEvent::index`] and in faults.
    pub fn join(&mut self, other: Self) {
        let event = self.events.last().map(|event| event.index);
        let fault = self.faults.iter().rev().find_map(Fault::index);
        let first = event.max(fault).map_or(0, |last| last.saturating_add(1));
        let behind = |index: &mut usize| *index = index.saturating_add(first);
        self.events.extend(other.events.into_iter().map(|mut event| {
            behind(&mut event.index);
            event
        }));
        self.faults.extend(other.faults.into_iter().map(|mut fault| {
            fault.place().map(behind);
            fault
        }));
    }
}

impl<'de> Deserialize<'de> for Import {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        json::Json::deserialize(from).map(|document| read::document(&document))
    }
}
