//! The links that events make: transformation, containment, documents.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::contents::Contents;
use super::key::Key;
use super::{EpcisEvent, EpcisKind, Import, Thing};

impl Import {
    /// The events that are in error: with an error declaration, or with the id of one that has one.
    #[must_use]
    pub fn inactive(&self) -> BTreeSet<usize> {
        let declared: BTreeSet<&str> = self
            .events
            .iter()
            .filter(|event| event.error.is_some())
            .filter_map(|event| event.id.as_deref())
            .collect();
        let wrong = |event: &&EpcisEvent| {
            event.error.is_some() || event.id.as_deref().is_some_and(|id| declared.contains(id))
        };
        self.events.iter().filter(wrong).map(|event| event.index).collect()
    }

    /// The events that count.
    pub fn active(&self) -> impl Iterator<Item = &EpcisEvent> {
        let inactive = self.inactive();
        self.events.iter().filter(move |event| !inactive.contains(&event.index))
    }

    /// The events that count, by time and then place in the document.
    pub(super) fn by_time(&self) -> Vec<&EpcisEvent> {
        let mut events: Vec<&EpcisEvent> = self.active().collect();
        events.sort_by_key(|event| (event.at, event.index));
        events
    }

    /// What became of what, by active events: every input of a transformation to every output, over
    /// all events that share a transformation id. A key is not linked to itself.
    ///
    /// There are as many as inputs times outputs; a document of unknown origin is better read into a
    /// lineage by [`Import::entries`], which takes as much room as its lines.
    #[must_use]
    pub fn transformation_links(&self) -> BTreeSet<(Key, Key)> {
        let mut links = BTreeSet::new();
        for group in self.processes() {
            let outputs: Vec<&Thing> = group.iter().flat_map(|event| &event.outputs).collect();
            pair(group.iter().flat_map(|event| &event.inputs), &outputs, &mut links);
        }
        links.retain(|(from, to)| from != to);
        links
    }

    /// The same with events in error, each by itself.
    #[must_use]
    pub fn declared_links(&self) -> BTreeSet<(Key, Key)> {
        let mut links = self.transformation_links();
        for event in &self.events {
            let outputs: Vec<&Thing> = event.outputs.iter().collect();
            pair(event.inputs.iter(), &outputs, &mut links);
        }
        links.retain(|(from, to)| from != to);
        links
    }

    /// Keys that are input and output of one active event: repair, blending.
    #[must_use]
    pub fn self_links(&self) -> BTreeSet<Key> {
        let mut found = BTreeSet::new();
        for event in self.active() {
            let outputs: BTreeSet<&Key> = event.outputs.iter().map(|thing| &thing.key).collect();
            let both = event.inputs.iter().map(|thing| &thing.key);
            found.extend(both.filter(|key| outputs.contains(key)).cloned());
        }
        found
    }

    /// Active transformations, those of one transformation id together.
    pub(super) fn processes(&self) -> Vec<Vec<&EpcisEvent>> {
        let mut named: BTreeMap<&str, Vec<&EpcisEvent>> = BTreeMap::new();
        let mut groups = Vec::new();
        for event in self.active().filter(|event| event.kind == EpcisKind::Transformation) {
            match event.transformation.as_deref() {
                Some(id) => named.entry(id).or_default().push(event),
                None => groups.push(Vec::from([event])),
            }
        }
        groups.extend(named.into_values());
        groups
    }

    /// What is in what after all active aggregations, by time and then place in the document:
    /// ADD packs, DELETE takes out the children named (all when none is named), OBSERVE changes
    /// nothing. Containers that end empty are left out.
    #[must_use]
    pub fn final_contents(&self) -> BTreeMap<Key, BTreeSet<Key>> {
        let mut contents = Contents::default();
        let packing = self.by_time().into_iter();
        packing
            .filter(|event| event.kind == EpcisKind::Aggregation)
            .for_each(|event| contents.apply(event));
        contents.keys()
    }

    /// Which thing is tied to which business document, by active events.
    #[must_use]
    pub fn document_links(&self) -> BTreeSet<(Key, String)> {
        let mut links = BTreeSet::new();
        for event in self.active() {
            for (_, document) in &event.transactions {
                let things = event.objects.iter().chain(&event.inputs).chain(&event.outputs);
                let keys = things.map(|thing| &thing.key).chain(&event.parent);
                links.extend(keys.map(|key| (key.clone(), document.clone())));
            }
        }
        links
    }
}

/// Each input to each output.
fn pair<'t>(
    inputs: impl Iterator<Item = &'t Thing>,
    outputs: &[&'t Thing],
    links: &mut BTreeSet<(Key, Key)>,
) {
    for input in inputs {
        links.extend(outputs.iter().map(|output| (input.key.clone(), output.key.clone())));
    }
}
