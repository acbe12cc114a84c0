//! What is in what, as aggregations say it one after the other.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use rust_decimal::Decimal;

use super::key::Key;
use super::{Action, EpcisEvent, Thing};
use crate::number::Exact;

/// What is in which container, with quantities, while the events are walked in order of time.
#[derive(Default)]
pub(super) struct Contents(BTreeMap<Key, BTreeMap<Key, Held>>);

/// A thing in a container.
struct Held {
    thing: Thing,
    /// It left with its container, and did not come back.
    is_out: bool,
}

/// Which way things go with their container.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To a customer: what left already stays where it is.
    Out,
    /// Back from a customer.
    Back,
}

impl Contents {
    /// ADD packs, DELETE takes out the children named (of a lot as much as is named; all when none is
    /// named), OBSERVE changes nothing.
    pub(super) fn apply(&mut self, event: &EpcisEvent) {
        let Some(parent) = &event.parent else { return };
        let inside = self.0.entry(parent.clone()).or_default();
        match event.action {
            Some(Action::Add) => {
                for thing in &event.objects {
                    let held = inside.remove(&thing.key).filter(|held| !held.is_out);
                    let thing = held.map_or_else(|| thing.clone(), |held| sum(&held.thing, thing));
                    inside.insert(thing.key.clone(), Held { thing, is_out: false });
                }
            }
            Some(Action::Delete) if event.objects.is_empty() => inside.clear(),
            Some(Action::Delete) => {
                for thing in &event.objects {
                    if let Some(held) = inside.get_mut(&thing.key) {
                        match rest(&held.thing, thing) {
                            Some(rest) => held.thing = rest,
                            None => {
                                inside.remove(&thing.key);
                            }
                        }
                    }
                }
            }
            Some(Action::Observe) | None => {}
        }
    }

    /// Whether a thing is in a container.
    pub(super) fn holds(&self, parent: &Key, key: &Key) -> bool {
        self.0.get(parent).is_some_and(|inside| inside.contains_key(key))
    }

    /// The things themselves and everything in them, which goes with them. What is named counts as
    /// named, also where it stands in a container; what is in several containers is summed.
    pub(super) fn moved(&mut self, mut things: Vec<Thing>, way: Way) -> Vec<Thing> {
        let named: BTreeSet<Key> = things.iter().map(|thing| thing.key.clone()).collect();
        let mut open: Vec<Key> = named.iter().cloned().collect();
        let mut found: BTreeMap<Key, Thing> = BTreeMap::new();
        while let Some(container) = open.pop() {
            for (key, held) in self.0.get_mut(&container).into_iter().flatten() {
                let was_out = core::mem::replace(&mut held.is_out, way == Way::Out);
                if named.contains(key) || (was_out && way == Way::Out) {
                    continue;
                }
                match found.get_mut(key) {
                    Some(all) => *all = sum(all, &held.thing),
                    None => {
                        open.push(key.clone());
                        found.insert(key.clone(), held.thing.clone());
                    }
                }
            }
        }
        things.extend(found.into_values());
        things
    }

    /// The things in each container; containers that are empty are left out.
    pub(super) fn keys(&self) -> BTreeMap<Key, BTreeSet<Key>> {
        let full = self.0.iter().filter(|(_, inside)| !inside.is_empty());
        full.map(|(parent, inside)| (parent.clone(), inside.keys().cloned().collect())).collect()
    }
}

/// What is left of a thing; none unless both amounts are known, in one unit, and something is left.
fn rest(held: &Thing, taken: &Thing) -> Option<Thing> {
    let (before, less) = held.quantity.zip(taken.quantity)?;
    let left = before.decimal().checked_sub(less.decimal())?;
    let is_part = held.unit == taken.unit && left > Decimal::ZERO;
    is_part.then(|| Thing { quantity: Some(Exact::new(left)), ..held.clone() })
}

/// The same thing packed twice: the quantity is known when both are, in one unit.
pub(super) fn sum(held: &Thing, more: &Thing) -> Thing {
    let both = held.quantity.zip(more.quantity).filter(|_| held.unit == more.unit);
    let quantity = both.and_then(|(a, b)| a.decimal().checked_add(b.decimal())).map(Exact::new);
    Thing { key: held.key.clone(), quantity, unit: held.unit.clone() }
}
