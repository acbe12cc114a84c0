//! What affected events brought to each node, what came back from it, and whether its stock is known:
//! one pass over all lines, so that an event with many lines costs no more than its lines.

use alloc::vec;
use alloc::vec::Vec;

use crate::lineage::event::EventKind;
use crate::lineage::graph::Graph;
use crate::lineage::graph::bits::Bits;

/// A sum of lines in steps; none once one of them has no quantity.
pub(super) type Sum = Option<i64>;

/// One node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    /// What came in through affected events.
    pub(super) received: Sum,
    /// What came back from it.
    pub(super) returned: Sum,
    /// Whether every line since it was last cleaned has a quantity, so that its stock is known.
    pub(super) is_counted: bool,
}

impl Graph {
    /// The tallies by node; `hit` are the affected events.
    pub(super) fn tallies(&self, hit: &Bits) -> Vec<Tally> {
        let fresh = Tally { received: Some(0), returned: Some(0), is_counted: true };
        let mut tallies = vec![fresh; self.nodes()];
        for event in self.chronological() {
            let kind = self.kind(event);
            for (&node, &steps) in self.input_lines(event) {
                let Some(tally) = tallies.get_mut(node as usize) else { continue };
                if kind == EventKind::Clean {
                    tally.is_counted = true;
                    continue;
                }
                tally.is_counted &= steps >= 0;
                if kind == EventKind::Return {
                    tally.returned = plus(tally.returned, steps);
                }
            }
            let is_hit = hit.contains(event);
            for (&node, &steps) in self.output_lines(event) {
                let Some(tally) = tallies.get_mut(node as usize) else { continue };
                tally.is_counted &= steps >= 0;
                if is_hit {
                    tally.received = plus(tally.received, steps);
                }
            }
        }
        tallies
    }
}

/// Lines without a quantity have steps below zero.
fn plus(sum: Sum, steps: i64) -> Sum {
    sum.filter(|_| steps >= 0).map(|sum| sum.saturating_add(steps))
}
