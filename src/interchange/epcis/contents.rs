//! What is in what, as aggregations say it one after the other.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::key::Key;
use super::{Action, EpcisEvent, Thing};
use crate::number::Exact;

/// What is in which container, with quantities, while the events are walked in order of time.
#[derive(Default)]
pub(super) struct Contents(BTreeMap<Key, BTreeMap<Key, Thing>>);

impl Contents {
    /// ADD packs, DELETE takes out the children named (all when none is named), OBSERVE changes
    /// nothing.
    pub(super) fn apply(&mut self, event: &EpcisEvent) {
        let Some(parent) = &event.parent else { return };
        let inside = self.0.entry(parent.clone()).or_default();
        match event.action {
            Some(Action::Add) => {
                for thing in &event.objects {
                    let both = inside.get(&thing.key).map(|held| sum(held, thing));
                    inside.insert(thing.key.clone(), both.unwrap_or_else(|| thing.clone()));
                }
            }
            Some(Action::Delete) if event.objects.is_empty() => inside.clear(),
            Some(Action::Delete) => {
                for thing in &event.objects {
                    inside.remove(&thing.key);
                }
            }
            Some(Action::Observe) | None => {}
        }
    }

    /// The things themselves and everything in them, each once.
    pub(super) fn with_contents(&self, things: Vec<Thing>) -> Vec<Thing> {
        let mut seen: BTreeSet<Key> = things.iter().map(|thing| thing.key.clone()).collect();
        let (mut open, mut all) = (things.clone(), things);
        while let Some(container) = open.pop() {
            for thing in self.0.get(&container.key).into_iter().flat_map(BTreeMap::values) {
                if seen.insert(thing.key.clone()) {
                    open.push(thing.clone());
                    all.push(thing.clone());
                }
            }
        }
        all
    }

    /// The things in each container; containers that are empty are left out.
    pub(super) fn keys(&self) -> BTreeMap<Key, BTreeSet<Key>> {
        let full = self.0.iter().filter(|(_, inside)| !inside.is_empty());
        full.map(|(parent, inside)| (parent.clone(), inside.keys().cloned().collect())).collect()
    }
}

/// The same thing packed twice: the quantity is known when both are, in one unit.
pub(super) fn sum(held: &Thing, more: &Thing) -> Thing {
    let both = held.quantity.zip(more.quantity).filter(|_| held.unit == more.unit);
    let quantity = both.and_then(|(a, b)| a.decimal().checked_add(b.decimal())).map(Exact::new);
    Thing { key: held.key.clone(), quantity, unit: held.unit.clone() }
}
