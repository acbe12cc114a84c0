//! Where a trace starts: a lot, an order, a supplier in a period, a machine, a paper.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Lineage;
use super::event::{DocumentId, EventId, EventKind, Item, LineId, PlaceId};
use super::graph::timed::Suspicion;
use super::graph::{EventIndex, NodeIndex};
use super::origin::Named;
use crate::id::{OrderId, SupplierId};
use crate::time::{Instant, Interval};

/// Where a trace starts.
///
/// Supplier, line, place and period name *events*: the outputs of those events are suspect, from
/// that event on. A period is half open; without one, all time counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// One item, suspect from a time on.
    Item {
        /// The item.
        item: Item,
        /// From when on it is suspect; without it, always.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<Instant>,
    },
    /// An order with all its lines.
    Order(OrderId),
    /// What a supplier delivered.
    Supplier {
        /// The supplier.
        supplier: SupplierId,
        /// When it was received.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<Interval>,
    },
    /// What a production line or machine put out.
    Line {
        /// The line.
        line: LineId,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<Interval>,
    },
    /// What came out at a place.
    Place {
        /// The place.
        place: PlaceId,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window: Option<Interval>,
    },
    /// Everything made or received in a period.
    Period(Interval),
    /// What an inspection looked at.
    Inspection(EventId),
    /// What the events and inspections of a document put out or looked at.
    Document(DocumentId),
}

impl Source {
    /// An item, always suspect.
    #[must_use]
    pub const fn item(item: Item) -> Self {
        Self::Item { item, since: None }
    }
}

/// Sources in dense numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) suspicion: Suspicion,
    /// Sources that name nothing recorded.
    pub(crate) unknown: Vec<Source>,
}

impl Lineage {
    pub(crate) fn resolve(&self, sources: &[Source]) -> Resolved {
        let mut resolved = Resolved::default();
        for source in sources {
            let size = |found: &Suspicion| (found.nodes.len(), found.events.len());
            let before = size(&resolved.suspicion);
            self.resolve_one(source, &mut resolved.suspicion);
            if before == size(&resolved.suspicion) {
                resolved.unknown.push(source.clone());
            }
        }
        resolved.suspicion.nodes.sort_unstable();
        resolved.suspicion.nodes.dedup();
        resolved.suspicion.events.sort_unstable();
        resolved.suspicion.events.dedup();
        resolved
    }

    fn resolve_one(&self, source: &Source, into: &mut Suspicion) {
        match source {
            Source::Item { item, since } => {
                let since = since.map(|since| since.timestamp_micros());
                let named = self.node(item).filter(|node| self.graph.is_named(node.0));
                into.nodes.extend(named.map(|node| (node, since)));
            }
            Source::Order(order) => {
                let named = self.order_nodes(order).filter(|node| self.graph.is_named(node.0));
                into.nodes.extend(named.map(|node| (node, None)));
            }
            Source::Supplier { supplier, window } => {
                into.events.extend(self.named(&self.origins.suppliers, supplier, *window));
            }
            Source::Line { line, window } => {
                into.events.extend(self.named(&self.origins.lines, line, *window));
            }
            Source::Place { place, window } => {
                into.events.extend(self.named(&self.origins.places, place, *window));
            }
            Source::Period(window) => {
                let (from, until) = (window.start(), window.end());
                let events = self.graph.between(from.timestamp_micros(), until.timestamp_micros());
                let makes = |event: &u32| {
                    !matches!(self.graph.kind(*event), EventKind::Ship | EventKind::Return)
                };
                into.events.extend(events.filter(makes).map(EventIndex));
            }
            Source::Inspection(inspection) => self.inspected(inspection, into),
            Source::Document(document) => {
                into.events.extend(self.named(&self.origins.documents, document, None));
                let reports = self.origins.reports.get(document).into_iter().flatten();
                reports.for_each(|inspection| self.inspected(inspection, into));
            }
        }
    }

    fn inspected(&self, inspection: &EventId, into: &mut Suspicion) {
        let nodes = self.inspections.get(inspection).into_iter().flatten();
        let named = nodes.filter(|&&node| self.graph.is_named(node));
        into.nodes.extend(named.map(|&node| (NodeIndex(node), None)));
    }

    /// The events of one name that count, in a window.
    fn named<'a, K: Ord>(
        &'a self,
        names: &'a Named<K>,
        name: &K,
        window: Option<Interval>,
    ) -> impl Iterator<Item = EventIndex> + 'a + use<'a, K> {
        let events = names.get(name).into_iter().flatten().copied();
        events
            .filter(move |&event| self.graph.is_alive(event) && self.in_window(event, window))
            .map(EventIndex)
    }

    fn in_window(&self, event: u32, window: Option<Interval>) -> bool {
        let time = self.graph.time(event);
        window.is_none_or(|window| {
            window.start().timestamp_micros() <= time && time < window.end().timestamp_micros()
        })
    }

    /// The nodes of an order: itself and its lines, as far as events named them.
    pub(crate) fn order_nodes(&self, order: &OrderId) -> impl Iterator<Item = NodeIndex> + '_ {
        let whole = self.indices.get(&Item::Order(order.clone())).copied();
        let lines = self.order_lines.get(order).into_iter().flatten().copied();
        whole.into_iter().chain(lines).map(NodeIndex)
    }

    /// The nodes at which a static trace from these sources starts.
    pub(crate) fn starts(&self, suspicion: &Suspicion) -> Vec<NodeIndex> {
        let mut starts: BTreeSet<NodeIndex> =
            suspicion.nodes.iter().map(|&(node, _)| node).collect();
        for event in &suspicion.events {
            starts.extend(self.graph.outputs(event.0).iter().copied().map(NodeIndex));
        }
        starts.into_iter().collect()
    }
}
