//! The links that events make: transformation, containment, documents.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::contents::Contents;
use super::key::Key;
use super::{EpcisEvent, EpcisKind, Import};

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
    /// all events that share a transformation id; each link once, in order. A key is not linked to itself.
    ///
    /// There are as many as inputs times outputs, made one by one as they are asked for; the room taken is
    /// that of the events.
    pub fn transformation_links(&self) -> impl Iterator<Item = (&Key, &Key)> {
        without_self_links(pairs(self.processes().into_iter().map(inputs_and_outputs)))
    }

    /// The same with events in error, each by itself.
    pub fn declared_links(&self) -> impl Iterator<Item = (&Key, &Key)> {
        let processes = self.processes().into_iter().map(inputs_and_outputs);
        let alone = self.events.iter().map(|event| inputs_and_outputs([event]));
        without_self_links(pairs(processes.chain(alone)))
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

    /// Which thing is tied to which business document, by active events; each once, in order.
    pub fn document_links(&self) -> impl Iterator<Item = (&Key, &str)> {
        pairs(self.active().map(|event| {
            let things = event.objects.iter().chain(&event.inputs).chain(&event.outputs);
            let keys = things.map(|thing| &thing.key).chain(&event.parent);
            let documents = event.transactions.iter().map(|(_, document)| document.as_str());
            (keys.collect(), documents.collect())
        }))
    }
}

/// All of the left of a group are linked with all of the right of it.
type Group<L, R> = (BTreeSet<L>, BTreeSet<R>);

fn inputs_and_outputs<'i>(
    events: impl IntoIterator<Item = &'i EpcisEvent>,
) -> Group<&'i Key, &'i Key> {
    let mut group = (BTreeSet::new(), BTreeSet::new());
    for event in events {
        group.0.extend(event.inputs.iter().map(|thing| &thing.key));
        group.1.extend(event.outputs.iter().map(|thing| &thing.key));
    }
    group
}

fn without_self_links<'i>(
    links: impl Iterator<Item = (&'i Key, &'i Key)>,
) -> impl Iterator<Item = (&'i Key, &'i Key)> {
    links.filter(|(from, to)| from != to)
}

/// The links of all groups, each once, in order: made one by one, since they may be many.
fn pairs<L: Ord + Copy, R: Ord + Copy>(
    groups: impl Iterator<Item = Group<L, R>>,
) -> impl Iterator<Item = (L, R)> {
    let mut groups_of: BTreeMap<L, Vec<usize>> = BTreeMap::new();
    let mut rights: Vec<BTreeSet<R>> = Vec::new();
    for (left, right) in groups {
        for name in left {
            groups_of.entry(name).or_default().push(rights.len());
        }
        rights.push(right);
    }
    groups_of.into_iter().flat_map(move |(left, groups)| {
        let linked = groups.iter().filter_map(|&group| rights.get(group));
        let linked: BTreeSet<R> = linked.flatten().copied().collect();
        linked.into_iter().map(move |right| (left, right))
    })
}
