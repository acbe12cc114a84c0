//! Traces of a lineage by text keys, each with the breaks and violations on its way.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::Serialize;

use super::Lineage;
use super::audit::{TraceBreak, Violation};
use super::event::{EventId, Item};
use super::graph::bits::Bits;
use super::graph::reach::{Direction, Searcher};
use super::graph::timed::{Suspicion, TimedReach};
use super::graph::{EventIndex, NodeIndex};
use super::source::Source;
use crate::id::OrderId;

/// What a trace found, and what stands in its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// Which way.
    pub direction: Direction,
    /// The items reached, the start included; sorted.
    pub items: Vec<Item>,
    /// The events passed, in order of time. Empty for a static trace.
    pub events: Vec<EventId>,
    /// Where the data ends or cannot be followed by quantity.
    pub breaks: Vec<TraceBreak>,
    /// Quantities that cannot be right. They never stop a trace.
    pub violations: Vec<Violation>,
    /// Sources that name nothing recorded.
    pub unknown: Vec<Source>,
}

impl Trace {
    /// The orders among the items, each once, sorted.
    pub fn orders(&self) -> impl Iterator<Item = &OrderId> {
        let orders: BTreeSet<_> = self.items.iter().filter_map(Item::order).collect();
        orders.into_iter()
    }

    /// Whether an item was reached.
    #[must_use]
    pub fn contains(&self, item: &Item) -> bool {
        self.items.binary_search(item).is_ok()
    }
}

impl Lineage {
    /// What could hold material of the sources, by the order of events: the scope of a recall.
    #[must_use]
    pub fn forward(&self, sources: &[Source]) -> Trace {
        let resolved = self.resolve(sources);
        let reach = self.graph.timed_forward(&resolved.suspicion);
        self.trace(Direction::Forward, &reach, resolved.unknown)
    }

    /// What could have gone into the targets, by the order of events. Of a source that names
    /// events, the outputs are the targets.
    #[must_use]
    pub fn backward(&self, targets: &[Source]) -> Trace {
        let resolved = self.resolve(targets);
        let reach = self.graph.timed_backward(&self.starts(&resolved.suspicion));
        self.trace(Direction::Backward, &reach, resolved.unknown)
    }

    /// Everything connected to the sources in one direction, whatever the times say: the contact
    /// set. It never misses, and may name too much.
    #[must_use]
    pub fn contacts(&self, sources: &[Source], direction: Direction) -> Trace {
        let resolved = self.resolve(sources);
        let starts = self.starts(&resolved.suspicion);
        let nodes = match direction {
            Direction::Forward => self.graph.sweep_forward(&starts),
            Direction::Backward => {
                let mut searcher = Searcher::new();
                self.graph.connected(&starts, direction, &mut searcher);
                let mut nodes: Vec<NodeIndex> = searcher.reached().collect();
                nodes.sort_unstable();
                nodes
            }
        };
        let reach = TimedReach { nodes, events: Vec::new() };
        self.trace(direction, &reach, resolved.unknown)
    }

    /// For each item connected forward, the number of links from the nearest source; nearest first,
    /// then by item.
    #[must_use]
    pub fn distances(&self, sources: &[Source]) -> Vec<(Item, u32)> {
        let resolved = self.resolve(sources);
        let mut searcher = Searcher::new();
        let starts = self.starts(&resolved.suspicion);
        self.graph.connected(&starts, Direction::Forward, &mut searcher);
        let found = searcher.distances();
        let mut named: Vec<(u32, Item)> =
            found.filter_map(|(node, far)| Some((far, self.item(node)?.clone()))).collect();
        named.sort_unstable();
        named.into_iter().map(|(far, item)| (item, far)).collect()
    }

    pub(crate) fn reach(&self, suspicion: &Suspicion) -> TimedReach {
        self.graph.timed_forward(suspicion)
    }

    pub(crate) fn trace(
        &self,
        direction: Direction,
        reach: &TimedReach,
        unknown: Vec<Source>,
    ) -> Trace {
        let mut nodes = Bits::new(self.graph.nodes());
        for node in &reach.nodes {
            nodes.insert(node.0);
        }
        let audit = self.audit(&nodes);
        Trace {
            direction,
            items: self.items_of(reach.nodes.iter().copied()),
            events: self.events_of(&reach.events),
            breaks: audit.breaks,
            violations: audit.violations,
            unknown,
        }
    }

    pub(crate) fn items_of(&self, nodes: impl IntoIterator<Item = NodeIndex>) -> Vec<Item> {
        let mut items: Vec<Item> =
            nodes.into_iter().filter_map(|node| self.item(node).cloned()).collect();
        items.sort_unstable();
        items
    }

    pub(crate) fn events_of(&self, events: &[EventIndex]) -> Vec<EventId> {
        events.iter().filter_map(|&event| self.event_id(event).cloned()).collect()
    }

    /// The items on one cycle with others, each cycle sorted, the list sorted: rework loops, and
    /// records that cannot be right.
    #[must_use]
    pub fn cycles(&self) -> Vec<Vec<Item>> {
        // Not Tarjan's: petgraph's walks by recursion, and chains of lots can be very long.
        let components = petgraph::algo::kosaraju_scc(super::view::Steps::new(&self.graph));
        // Two items that reach each other do so by an event at least.
        let loops = components.into_iter().filter(|component| component.len() > 2);
        let named = loops.map(|component| self.items_of(component));
        let mut cycles: Vec<Vec<Item>> = named.filter(|items| items.len() > 1).collect();
        cycles.sort_unstable();
        cycles
    }

    /// The links between items, each once, without links of an item to itself.
    pub fn links(&self) -> impl Iterator<Item = (&Item, &Item)> {
        (0..self.graph.nodes() as u32).flat_map(move |node| {
            let targets = self.graph.neighbors(node, Direction::Forward);
            targets.into_iter().filter_map(move |target| {
                Some((self.item(NodeIndex(node))?, self.item(NodeIndex(target))?))
            })
        })
    }
}
