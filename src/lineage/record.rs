//! Recording: text ids to dense ones, repeats, voids.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use super::Lineage;
use super::event::{Entry, Event, EventDraft, EventId, EventKind, Item};
use super::graph::{GraphError, Head};
use crate::quantity::Unit;

/// What recording an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is part of the lineage now.
    Added,
    /// The same event was recorded before; nothing changed.
    Repeated,
    /// Another event with this id was recorded before; the first one stands.
    Contradicts,
    /// The id was voided before; the event does not count.
    Voided,
}

/// What voiding an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoidOutcome {
    /// The event no longer counts.
    Removed,
    /// The event is not here yet; it will not count when it comes.
    Awaited,
    /// It was voided before.
    Repeated,
}

/// An event that cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The lineage is full, or a quantity is too large.
    #[error("event {event} cannot be recorded: {source}")]
    Graph {
        /// The event.
        event: EventId,
        /// Why.
        source: GraphError,
    },
    /// More than 255 base units are in use.
    #[error("event {event} would bring a base unit number 256, {unit}")]
    TooManyUnits {
        /// The event.
        event: EventId,
        /// The unit.
        unit: Unit,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// The event in the graph; none for an inspection, or when it was voided before it came.
    event: Option<u32>,
    fingerprint: u64,
}

impl Lineage {
    /// A lineage from entries in any order: faster than recording shuffled entries one by one, and
    /// with the same answers.
    ///
    /// # Errors
    ///
    /// As [`Lineage::record`], for the first event in time that fails.
    pub fn load(
        units: super::event::Units,
        entries: impl IntoIterator<Item = Entry>,
    ) -> Result<Self, RecordError> {
        let mut lineage = Self::new(units);
        let (mut events, mut ids) = (Vec::new(), BTreeSet::new());
        for entry in entries {
            match entry {
                Entry::Void(id) => {
                    lineage.void(&id);
                }
                Entry::Event(event) => {
                    if ids.insert(event.id().clone()) {
                        events.push(event);
                    }
                }
            }
        }
        events.sort_by_key(|event| (event.parts().at, event.parts().sequence));
        for event in &events {
            lineage.record(event)?;
        }
        lineage.graph.shrink();
        Ok(lineage)
    }

    /// Applies one entry of the host's log.
    ///
    /// # Errors
    ///
    /// As [`Lineage::record`].
    pub fn apply(&mut self, entry: &Entry) -> Result<(), RecordError> {
        match entry {
            Entry::Event(event) => self.record(event).map(|_| ()),
            Entry::Void(id) => {
                self.void(id);
                Ok(())
            }
        }
    }

    /// Records an event. Late events, repeats and events voided before they come are all fine.
    ///
    /// # Errors
    ///
    /// [`RecordError`]; no answer changes then.
    pub fn record(&mut self, event: &Event) -> Result<Recorded, RecordError> {
        let parts = event.parts();
        let fingerprint = fingerprint(parts);
        if let Some(stored) = self.stored.get(&parts.id) {
            return Ok(if self.voided.contains(&parts.id) {
                Recorded::Voided
            } else if stored.fingerprint == fingerprint {
                Recorded::Repeated
            } else {
                Recorded::Contradicts
            });
        }
        let mut stored = Stored { event: None, fingerprint };
        if self.voided.contains(&parts.id) {
            self.stored.insert(parts.id.clone(), stored);
            return Ok(Recorded::Voided);
        }
        if parts.kind == EventKind::Inspect {
            let full = |source| RecordError::Graph { event: parts.id.clone(), source };
            let nodes = parts.inputs.iter().map(|line| self.node_of(&line.item).map_err(full));
            let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
            self.inspections.insert(parts.id.clone(), nodes);
            if let Some(report) = &parts.facts.document {
                self.origins.reports.entry(report.clone()).or_default().push(parts.id.clone());
            }
        } else {
            let appended = self.append(parts);
            if appended.is_err() {
                self.forget_units(parts);
            }
            stored.event = Some(appended?);
        }
        self.stored.insert(parts.id.clone(), stored);
        Ok(Recorded::Added)
    }

    /// Makes an event as if it had never been, now or when it comes.
    pub fn void(&mut self, id: &EventId) -> VoidOutcome {
        if !self.voided.insert(id.clone()) {
            return VoidOutcome::Repeated;
        }
        let Some(stored) = self.stored.get(id) else { return VoidOutcome::Awaited };
        if let Some(event) = stored.event {
            self.graph.void(super::graph::EventIndex(event));
            self.reconsider_units(event);
        }
        self.inspections.remove(id);
        VoidOutcome::Removed
    }

    fn append(&mut self, parts: &EventDraft) -> Result<u32, RecordError> {
        let named = (self.graph.events() as u32, &parts.id);
        let first = self.graph.lines();
        let mut mismatches = Vec::new();
        let inputs = self.portions(named, first, &parts.inputs, &mut mismatches)?;
        let first = first.saturating_add(inputs.len());
        let outputs = self.portions(named, first, &parts.outputs, &mut mismatches)?;
        let head =
            Head { time: parts.at.timestamp_micros(), sequence: parts.sequence, kind: parts.kind };
        let appended = self.graph.append(head, &inputs, &outputs);
        let event =
            appended.map_err(|source| RecordError::Graph { event: parts.id.clone(), source })?.0;
        for (node, mismatch) in mismatches {
            self.mismatches.entry(node).or_default().push(mismatch);
        }
        self.event_ids.push(parts.id.clone());
        self.origins.add(event, parts.kind, &parts.facts);
        if !parts.facts.is_empty() {
            self.facts.insert(event, parts.facts.clone());
        }
        Ok(event)
    }

    pub(super) fn node_of(&mut self, item: &Item) -> Result<u32, GraphError> {
        if let Some(&node) = self.indices.get(item) {
            return Ok(node);
        }
        let node = self.graph.add_node(0)?;
        self.items.push(item.clone());
        self.indices.insert(item.clone(), node.0);
        if let Item::OrderLine(order, _) = item {
            self.order_lines.entry(order.clone()).or_default().push(node.0);
        }
        Ok(node.0)
    }
}

/// FNV-1a over the parts: enough to tell a repeat from another event with the same id.
fn fingerprint(parts: &EventDraft) -> u64 {
    struct Fnv(u64);
    impl Hasher for Fnv {
        fn finish(&self) -> u64 {
            self.0
        }
        fn write(&mut self, bytes: &[u8]) {
            for &byte in bytes {
                self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    parts.hash(&mut hasher);
    hasher.finish()
}
