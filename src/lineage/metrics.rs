//! Metrics of a traceability system: how far a lot spreads, how large a recall gets, how complete
//! the records are.
//!
//! Sources: downward and upward dispersion as in Dupuy, Botta-Genoulaz and Guinet (2005); recall
//! size, worst case and mean over root lots, as in Dabbene and Gay (2011).

use alloc::vec;
use alloc::vec::Vec;

use serde::Serialize;

use super::Lineage;
use super::event::{EventKind, Item};
use super::graph::NodeIndex;
use super::graph::bits::Bits;
use super::graph::exposure::Watched;
use super::graph::timed::Suspicion;
use crate::number::Ratio;

/// How widely the lots of a lineage are linked, by time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Metrics {
    /// Root lots: received, or of unknown origin.
    pub roots: u32,
    /// Finished lots: shipped to an order at least once.
    pub finished: u32,
    /// Orders shipped to.
    pub orders: u32,
    /// Finished lots per root lot, added over all roots: the downward dispersion; the same number
    /// counted from the other end is the upward dispersion.
    pub root_to_finished: u64,
    /// Orders per root lot, added over all roots: the sum of all recall sizes.
    pub root_to_orders: u64,
    /// The largest recall: the root lot that reaches the most orders, and how many.
    pub largest_recall: Option<(Item, u32)>,
    /// Lots whose every way back ends in a receipt.
    pub complete: u32,
    /// Lots, serials and articles on record.
    pub items: u32,
}

impl Metrics {
    /// Finished lots reached by a root lot, on average.
    #[must_use]
    pub fn downward_dispersion(&self) -> Option<Ratio> {
        mean(self.root_to_finished, self.roots)
    }

    /// Root lots that go into a finished lot, on average.
    #[must_use]
    pub fn upward_dispersion(&self) -> Option<Ratio> {
        mean(self.root_to_finished, self.finished)
    }

    /// Orders to call back when one root lot is bad, on average.
    #[must_use]
    pub fn mean_recall(&self) -> Option<Ratio> {
        mean(self.root_to_orders, self.roots)
    }

    /// The share of items whose every way back ends in a receipt.
    #[must_use]
    pub fn completeness(&self) -> Option<Ratio> {
        mean(self.complete.into(), self.items)
    }
}

fn mean(sum: u64, count: u32) -> Option<Ratio> {
    Ratio::new(i64::try_from(sum).ok()?, count.into()).ok()
}

impl Lineage {
    /// Measures the whole lineage. The cost grows with events times roots / 256.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let graph = &self.graph;
        let named: Vec<u32> = (0..graph.nodes() as u32).filter(|&n| graph.is_named(n)).collect();
        let is_order =
            |node: &u32| self.items.get(*node as usize).is_some_and(|i| i.order().is_some());
        let (orders, items): (Vec<u32>, Vec<u32>) = named.iter().partition(|node| is_order(node));
        let roots: Vec<u32> = items.iter().copied().filter(|&node| self.is_root(node)).collect();
        let ships = |&node: &u32| graph.uses(node).any(|e| graph.kind(e) == EventKind::Ship);
        let finished: Vec<u32> = items.iter().copied().filter(ships).collect();
        // Group 0 holds the finished lots, group 1 the orders.
        let watch =
            |group: u32| move |&node: &u32| Watched { node: NodeIndex(node), group, marked: false };
        let watched: Vec<Watched> =
            finished.iter().map(watch(0)).chain(orders.iter().map(watch(1))).collect();
        let suspicions: Vec<Suspicion> = roots
            .iter()
            .map(|&root| Suspicion { nodes: vec![(NodeIndex(root), None)], events: Vec::new() })
            .collect();
        let mut metrics = Metrics {
            roots: roots.len() as u32,
            finished: finished.len() as u32,
            orders: orders.len() as u32,
            complete: self.complete_nodes().iter().filter(|node| !is_order(node)).count() as u32,
            items: items.len() as u32,
            ..Metrics::default()
        };
        for (&root, exposure) in roots.iter().zip(graph.exposures(&suspicions, &watched)) {
            let reached = |group: usize| exposure.by_group.get(group).map_or(0, |pair| pair.0);
            let (lots, size) = (reached(0), reached(1));
            metrics.root_to_finished = metrics.root_to_finished.saturating_add(lots.into());
            metrics.root_to_orders = metrics.root_to_orders.saturating_add(size.into());
            let larger = match &metrics.largest_recall {
                None => true,
                Some((item, most)) => {
                    size > *most
                        || (size == *most
                            && self.items.get(root as usize).is_some_and(|i| i < item))
                }
            };
            if larger {
                metrics.largest_recall = self.item_at(root).map(|item| (item, size));
            }
        }
        metrics
    }

    /// No event makes it of something else; returns do not count.
    fn is_root(&self, node: u32) -> bool {
        let mut makers = self.graph.makers(node);
        makers.all(|event| {
            self.graph.kind(event) == EventKind::Return || self.graph.inputs(event).is_empty()
        })
    }

    /// Nodes whose every way back ends in a receipt: received, or made only of such, in time.
    fn complete_nodes(&self) -> Vec<u32> {
        let graph = &self.graph;
        let (mut made, mut broken) = (Bits::new(graph.nodes()), Bits::new(graph.nodes()));
        for event in graph.chronological() {
            let mut good = !graph.inputs(event).is_empty();
            for &node in graph.inputs(event) {
                if !made.contains(node) {
                    broken.insert(node);
                }
                good &= !broken.contains(node);
            }
            // What came from a supplier has a receipt, also where the supplier's own lot is named.
            good |= graph.kind(event) == EventKind::Receive;
            for &node in graph.outputs(event) {
                made.insert(node);
                if !good {
                    broken.insert(node);
                }
            }
        }
        made.iter().filter(|&node| !broken.contains(node)).collect()
    }
}
