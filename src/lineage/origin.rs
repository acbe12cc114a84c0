//! Which events name a supplier, a production line, a place or a paper: found by name.
//!
//! In: the facts of each event as it is recorded. Out: the events of one name, in order of arrival.
//! Voided events stay listed; who asks leaves them out. Always true: a question costs what its own
//! answer holds, however many other events have facts.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::event::{DocumentId, EventFacts, EventId, EventKind, LineId, PlaceId};
use crate::id::SupplierId;

/// The events of each name, in order of arrival.
pub(super) type Named<K> = BTreeMap<K, Vec<u32>>;

#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    /// Receipts by who delivered.
    pub(super) suppliers: Named<SupplierId>,
    pub(super) lines: Named<LineId>,
    pub(super) places: Named<PlaceId>,
    pub(super) documents: Named<DocumentId>,
    /// Inspections by their report.
    pub(super) reports: BTreeMap<DocumentId, Vec<EventId>>,
}

impl Origins {
    pub(super) fn add(&mut self, event: u32, kind: EventKind, facts: &EventFacts) {
        let supplier = facts.supplier.as_ref().filter(|_| kind == EventKind::Receive);
        list(&mut self.suppliers, supplier, event);
        list(&mut self.lines, facts.line.as_ref(), event);
        list(&mut self.places, facts.place.as_ref(), event);
        list(&mut self.documents, facts.document.as_ref(), event);
    }
}

fn list<K: Ord + Clone>(named: &mut Named<K>, name: Option<&K>, event: u32) {
    let Some(name) = name else { return };
    match named.get_mut(name) {
        Some(events) => events.push(event),
        None => {
            named.insert(name.clone(), Vec::from([event]));
        }
    }
}
