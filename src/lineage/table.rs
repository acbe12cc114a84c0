//! A sortable table of traceability events, one row per lot and event.
//!
//! The columns follow what a United States food business must hand over on request: tracking events
//! with lot code, quantity, unit, place, time and reference document. Source: 21 CFR Part 1,
//! Subpart S (sections 1.1325 to 1.1350), and 1.1455(c)(3)(ii), "sortable spreadsheet".

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::Lineage;
use super::event::{DocumentId, EventId, EventKind, Item, PlaceId};
use super::graph::NodeIndex;
use super::source::Source;
use crate::id::{CustomerId, SupplierId};
use crate::label::codes;
use crate::number::Exact;
use crate::quantity::{Quantity, Unit};
use crate::time::Instant;

codes! {
    /// On which side of an event a lot stands.
    pub enum Side "side" {
        /// It went in.
        Input = "input", "Input", "投入";
        /// It came out.
        Output = "output", "Output", "产出";
    }
}

/// One row: one lot in one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TraceRow {
    /// When.
    pub at: Instant,
    /// The event.
    pub event: EventId,
    /// The critical tracking event: receiving, transformation, shipping.
    pub kind: EventKind,
    /// In or out.
    pub side: Side,
    /// The traceability lot (or order).
    pub item: Item,
    /// How much, in its unit.
    pub amount: Option<Exact>,
    /// The unit.
    pub unit: Option<Unit>,
    /// The place.
    pub place: Option<PlaceId>,
    /// The immediate previous source, on receipts.
    pub supplier: Option<SupplierId>,
    /// The immediate subsequent recipient, on shipments.
    pub customer: Option<CustomerId>,
    /// The reference document.
    pub document: Option<DocumentId>,
}

impl TraceRow {
    /// The names of the columns, in the order of [`TraceRow::cells`].
    pub const COLUMNS: [&'static str; 11] = [
        "time", "event", "kind", "side", "lot", "quantity", "unit", "place", "supplier",
        "customer", "document",
    ];

    /// The cells as text; a missing value is empty.
    #[must_use]
    pub fn cells(&self) -> [String; 11] {
        fn text<T: core::fmt::Display>(value: Option<&T>) -> String {
            value.map(|value| alloc::format!("{value}")).unwrap_or_default()
        }
        [
            self.at.to_rfc3339(),
            text(Some(&self.event)),
            text(Some(&self.kind)),
            text(Some(&self.side)),
            text(Some(&self.item)),
            text(self.amount.as_ref()),
            text(self.unit.as_ref()),
            text(self.place.as_ref()),
            text(self.supplier.as_ref()),
            text(self.customer.as_ref()),
            text(self.document.as_ref()),
        ]
    }
}

impl Lineage {
    /// All rows of the events that a trace forward and a trace backward from the sources pass, by
    /// time, then event, inputs first.
    #[must_use]
    pub fn trace_table(&self, sources: &[Source]) -> Vec<TraceRow> {
        let resolved = self.resolve(sources);
        let mut positions: Vec<u32> = Vec::new();
        let forward = self.graph.timed_forward(&resolved.suspicion);
        let backward = self.graph.timed_backward(&self.starts(&resolved.suspicion));
        let events = forward.events.iter().chain(&backward.events);
        positions.extend(events.map(|event| self.graph.position(event.0)));
        positions.sort_unstable();
        positions.dedup();
        let mut rows = Vec::new();
        for event in positions.into_iter().map(|position| self.graph.event_at(position)) {
            let lines = self.graph.input_lines(event).map(|line| (Side::Input, line));
            let lines =
                lines.chain(self.graph.output_lines(event).map(|line| (Side::Output, line)));
            for (side, (&node, &steps)) in lines {
                rows.extend(self.row(event, side, node, steps));
            }
        }
        rows
    }

    fn row(&self, event: u32, side: Side, node: u32, steps: i64) -> Option<TraceRow> {
        let facts = self.facts.get(&event);
        let quantity = self.quantity_of(node, steps);
        Some(TraceRow {
            at: Instant::from_timestamp_micros(self.graph.time(event))?,
            event: self.id_of(event)?,
            kind: self.graph.kind(event),
            side,
            item: self.item(NodeIndex(node))?.clone(),
            amount: quantity.map(|quantity| Exact::new(quantity.amount())),
            unit: quantity.map(Quantity::unit),
            place: facts.and_then(|facts| facts.place.clone()),
            supplier: facts.and_then(|facts| facts.supplier.clone()),
            customer: facts.and_then(|facts| facts.customer.clone()),
            document: facts.and_then(|facts| facts.document.clone()),
        })
    }
}
