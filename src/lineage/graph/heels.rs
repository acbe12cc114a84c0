//! Vessels that count as empty when they are filled again at or below a threshold (their heel).
//!
//! A bulk tank is never quite empty. Counting every earlier filling until the tank is cleaned is
//! safe and names too much; declaring it empty at, say, two percent of its capacity is common
//! practice. The rule, exactly: an event that puts something into the vessel and takes nothing out
//! of it finds the vessel *emptied* when the vessel was filled before and its book shows no more than
//! the heel at that moment. The book must be sound: after a line without a quantity, or a taking of
//! more than was there, the vessel never counts as emptied until it is cleaned.
//!
//! What the heel held is neglected from then on: contamination that came with earlier fillings ends
//! there. Suspicion of the vessel itself does not; only a cleaning ends that.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::{Graph, NodeIndex};
use crate::lineage::event::EventKind;

/// The refills that found their vessel emptied, by place in the order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Emptyings {
    by_node: BTreeMap<u32, Vec<u32>>,
    in_order: Vec<(u32, u32)>,
}

impl Emptyings {
    /// All of them: place of the refill and vessel, ascending.
    pub(crate) fn in_order(&self) -> &[(u32, u32)] {
        &self.in_order
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    /// The vessels that a refill at this place found emptied.
    pub(crate) fn at(&self, position: u32) -> impl Iterator<Item = u32> + '_ {
        let from = self.in_order.partition_point(|entry| entry.0 < position);
        let here = self.in_order.get(from..).unwrap_or_default().iter();
        here.take_while(move |entry| entry.0 == position).map(|entry| entry.1)
    }

    /// The first refill after a place that found the vessel emptied.
    pub(super) fn after(&self, node: u32, position: u32) -> Option<u32> {
        let places = self.by_node.get(&node)?;
        places.get(places.partition_point(|&place| place <= position)).copied()
    }

    /// The last refill before a place that found the vessel emptied.
    pub(super) fn before(&self, node: u32, position: u32) -> Option<u32> {
        let places = self.by_node.get(&node)?;
        places.get(..places.partition_point(|&place| place < position))?.last().copied()
    }
}

/// The book of a vessel.
struct Book {
    hand: i64,
    is_sound: bool,
    was_filled: bool,
}

impl Graph {
    /// Declares a node a vessel that counts as empty, when it is filled again, with at most so many
    /// steps in it. See the head of this file for the exact rule; without a heel, only a cleaning
    /// ends what was in a vessel.
    pub fn set_heel(&mut self, node: NodeIndex, steps: i64) {
        self.heels.insert(node.0, steps.max(0));
    }

    /// The refills that found a vessel emptied.
    pub(crate) fn emptyings(&self) -> Emptyings {
        let mut emptyings = Emptyings::default();
        for (&node, &heel) in &self.heels {
            let places = self.emptyings_of(node, heel);
            emptyings.in_order.extend(places.iter().map(|&place| (place, node)));
            emptyings.by_node.insert(node, places);
        }
        emptyings.in_order.sort_unstable();
        emptyings
    }

    fn emptyings_of(&self, node: u32, heel: i64) -> Vec<u32> {
        let events = self.uses(node).chain(self.makers(node));
        let places: BTreeSet<u32> = events.map(|event| self.position(event)).collect();
        let mut book = Book { hand: 0, is_sound: true, was_filled: false };
        let mut found = Vec::new();
        for place in places {
            let event = self.event_at(place);
            if self.kind(event) == EventKind::Clean {
                book = Book { hand: 0, is_sound: true, was_filled: false };
                continue;
            }
            let mut is_taken = false;
            for (_, &steps) in self.input_lines(event).filter(|line| *line.0 == node) {
                book.is_sound &= (0..=book.hand).contains(&steps);
                book.hand = book.hand.saturating_sub(steps.max(0)).max(0);
                is_taken = true;
            }
            let mut is_put = false;
            let before = book.hand;
            for (_, &steps) in self.output_lines(event).filter(|line| *line.0 == node) {
                book.is_sound &= steps >= 0;
                book.hand = book.hand.saturating_add(steps.max(0));
                is_put = true;
            }
            if is_put && !is_taken && book.is_sound && book.was_filled && before <= heel {
                found.push(place);
            }
            book.was_filled |= is_put;
        }
        found
    }
}
