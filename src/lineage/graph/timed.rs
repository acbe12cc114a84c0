//! Timed traces: only what happened after (forward) or before (backward).
//!
//! One sweep over the places of the events that are hit, in time order, so a rework loop needs no
//! special case. A node stays contaminated until it is cleaned, or filled again when it counts as
//! empty (see [`Graph::set_heel`]).

use alloc::vec::Vec;

use super::bits::{Bits, ones};
use super::heels::Emptyings;
use super::{EventIndex, Graph, NodeIndex};
use crate::lineage::event::EventKind;

/// Where suspicion starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspicion {
    /// Nodes that are suspect, each from a time on (`None`: always).
    pub nodes: Vec<(NodeIndex, Option<i64>)>,
    /// Events whose outputs are suspect.
    pub events: Vec<EventIndex>,
}

/// What a timed trace found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimedReach {
    /// The nodes reached, ascending.
    pub nodes: Vec<NodeIndex>,
    /// The events hit, in order of time.
    pub events: Vec<EventIndex>,
}

impl Graph {
    /// What could hold material of the suspects, by the order of events.
    ///
    /// An event is hit when an input is contaminated or suspect at that time, or when it is itself
    /// suspect; a hit contaminates all outputs. A suspect node is in the result when an event names
    /// it while it is suspect. Cleaning ends both suspicion and contamination of a node.
    #[must_use]
    pub fn timed_forward(&self, suspicion: &Suspicion) -> TimedReach {
        self.timed_forward_without(suspicion, None)
    }

    /// The same as if one node could not hold anything.
    pub(crate) fn timed_forward_without(
        &self,
        suspicion: &Suspicion,
        barred: Option<u32>,
    ) -> TimedReach {
        let mut walk = Walk::new(self);
        for &(node, since) in &suspicion.nodes {
            if Some(node.0) != barred {
                self.seed(node.0, since, &mut walk);
            }
        }
        for &EventIndex(event) in &suspicion.events {
            if self.is_alive(event) && (event as usize) < self.events() {
                walk.pending.insert(self.position(event));
            }
        }
        let mut events = Vec::new();
        let mut emptied = 0;
        let mut at = 0;
        let mut done = 0_u64;
        while at < walk.pending.words() {
            let Some(bit) = ones(walk.pending.word(at) & !done).next() else {
                at = at.saturating_add(1);
                done = 0;
                continue;
            };
            done |= 1 << bit;
            let position = ((at as u32) << 6) | bit;
            let event = self.event_at(position);
            events.push(EventIndex(event));
            while let Some(&(place, vessel)) = walk.emptyings.in_order().get(emptied)
                && place <= position
            {
                walk.current.remove(vessel);
                emptied = emptied.saturating_add(1);
            }
            if self.has_cleans() && self.kind(event) == EventKind::Clean {
                self.inputs(event).iter().for_each(|&node| walk.current.remove(node));
                continue;
            }
            for &node in self.outputs(event) {
                if Some(node) != barred && walk.current.insert(node) {
                    walk.ever.insert(node);
                    let emptied = walk.emptyings.after(node, position);
                    self.spread(node, position, emptied, &mut walk.pending);
                }
            }
        }
        TimedReach { nodes: walk.ever.iter().map(NodeIndex).collect(), events }
    }

    fn seed(&self, node: u32, since: Option<i64>, walk: &mut Walk) {
        let live = |event: &u32| since.is_none_or(|since| self.time(*event) >= since);
        let cleaned = self
            .clean_positions(node)
            .filter(|&place| live(&self.event_at(place)))
            .min()
            .unwrap_or(u32::MAX);
        for event in self.uses(node).filter(live) {
            let position = self.position(event);
            if position <= cleaned {
                walk.ever.insert(node);
                walk.pending.insert(position);
            }
        }
        if self.makers(node).filter(live).any(|event| self.position(event) <= cleaned) {
            walk.ever.insert(node);
        }
    }

    /// Marks the events that consume the node after a place, up to its next cleaning or the refill that
    /// finds it emptied.
    #[inline]
    fn spread(&self, node: u32, after: u32, emptied: Option<u32>, pending: &mut Bits) {
        let cleaned = if self.has_cleans() {
            self.clean_positions(node).filter(|&place| place > after).min().unwrap_or(u32::MAX)
        } else {
            u32::MAX
        };
        let limit = cleaned.min(emptied.unwrap_or(u32::MAX));
        let mut mark = |entry: u32| {
            let event = self.event_of(entry);
            let position = self.position(event);
            if position > after && position <= limit && self.is_alive(event) {
                pending.insert(position);
            }
        };
        self.frozen_uses(node).iter().for_each(|&entry| mark(entry));
        self.uses_tail.iter(node).for_each(mark);
    }

    /// What could have gone into the targets, by the order of events; the targets included.
    #[must_use]
    pub fn timed_backward(&self, targets: &[NodeIndex]) -> TimedReach {
        let mut walk = Walk::new(self);
        for target in targets.iter().filter(|target| self.is_named(target.0)) {
            walk.ever.insert(target.0);
            for event in self.makers(target.0) {
                walk.pending.insert(self.position(event));
            }
        }
        let mut events = Vec::new();
        let mut emptied = walk.emptyings.in_order().len();
        for at in (0..walk.pending.words()).rev() {
            let mut done = 0_u64;
            while let Some(bit) = highest(walk.pending.word(at) & !done) {
                done |= 1 << bit;
                let position = ((at as u32) << 6) | bit;
                let event = self.event_at(position);
                while let Some(last) = emptied.checked_sub(1)
                    && let Some(&(place, vessel)) = walk.emptyings.in_order().get(last)
                    && place > position
                {
                    walk.current.remove(vessel);
                    emptied = last;
                }
                if self.has_cleans() && self.kind(event) == EventKind::Clean {
                    self.inputs(event).iter().for_each(|&node| walk.current.remove(node));
                    continue;
                }
                events.push(EventIndex(event));
                for &node in self.inputs(event) {
                    if walk.current.insert(node) {
                        walk.ever.insert(node);
                        let refill = walk.emptyings.before(node, position);
                        self.spread_back(node, position, refill, &mut walk.pending);
                    }
                }
            }
        }
        events.reverse();
        TimedReach { nodes: walk.ever.iter().map(NodeIndex).collect(), events }
    }

    /// Marks the events that made the node before a place, back to its last cleaning and to the refill
    /// that found it emptied.
    fn spread_back(&self, node: u32, before: u32, refill: Option<u32>, pending: &mut Bits) {
        let cleaned = self.clean_positions(node).filter(|&place| place < before).max();
        pending_insert(pending, cleaned);
        for event in self.makers(node) {
            let position = self.position(event);
            let since_emptied = refill.is_none_or(|refill| position >= refill);
            let since_cleaned = cleaned.is_none_or(|cleaned| position > cleaned);
            if position < before && since_cleaned && since_emptied {
                pending.insert(position);
            }
        }
    }
}

fn pending_insert(pending: &mut Bits, position: Option<u32>) {
    if let Some(position) = position {
        pending.insert(position);
    }
}

fn highest(word: u64) -> Option<u32> {
    63_u32.checked_sub(word.leading_zeros())
}

struct Walk {
    /// Places of events still to look at; places behind the cursor are those that were hit.
    pending: Bits,
    /// Nodes contaminated at the place of the cursor.
    current: Bits,
    /// Nodes contaminated at some time.
    ever: Bits,
    emptyings: Emptyings,
}

impl Walk {
    fn new(graph: &Graph) -> Self {
        Self {
            pending: Bits::new(graph.events()),
            current: Bits::new(graph.nodes()),
            ever: Bits::new(graph.nodes()),
            emptyings: graph.emptyings(),
        }
    }
}
