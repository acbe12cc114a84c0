//! The bounds for imperfect mixing: the least and the most suspect material a part can hold.
//!
//! Taking `q` of a lot of size `Q` that holds between `low` and `high` suspect material, the part
//! holds at least `low - (Q - q)` and at most `min(q, high)`. Steps are whole, so nothing rounds
//! except where an event changes the unit or gains weight; there `low` rounds down, `high` up.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Suspects;
use crate::lineage::event::EventKind;
use crate::lineage::graph::Graph;
use crate::lineage::graph::timed::Suspicion;

/// The least and the most suspect steps that a node can hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// What is on hand, in steps of its unit.
    pub hand: i64,
    /// At least this much of it is suspect.
    pub low: i64,
    /// At most this much of it is suspect; above zero is the criterion of a recall.
    pub high: i64,
}

impl Bounds {
    /// Takes a part out, which is returned; the rest stays.
    fn take(&mut self, steps: i64) -> Self {
        let rest = self.hand.saturating_sub(steps);
        let part = Self {
            hand: steps,
            low: self.low.saturating_sub(rest).max(0),
            high: self.high.min(steps),
        };
        self.low = self.low.saturating_sub(steps).max(0);
        self.high = self.high.min(rest);
        self.hand = rest;
        part
    }
}

impl Graph {
    /// Runs the bounds over all events; by node.
    #[must_use]
    pub fn bounds(&self, suspicion: &Suspicion) -> Vec<Bounds> {
        let suspects = Suspects::new(self, suspicion);
        let mut nodes = vec![Bounds::default(); self.nodes()];
        let emptyings = self.emptyings();
        for event in self.chronological() {
            if self.kind(event) == EventKind::Clean {
                for &node in self.inputs(event) {
                    nodes.get_mut(node as usize).map(core::mem::take);
                }
                continue;
            }
            let mut pool = Bounds::default();
            let mut all_suspect = true;
            for (&node, &steps) in self.input_lines(event) {
                let Some(from) = nodes.get_mut(node as usize) else { continue };
                let taken = if steps < 0 { from.hand } else { steps.min(from.hand) };
                let part = from.take(taken);
                all_suspect &= part.low == part.hand;
                pool.hand = pool.hand.saturating_add(part.hand);
                pool.low = pool.low.saturating_add(part.low);
                pool.high = pool.high.saturating_add(part.high);
            }
            for node in emptyings.at(self.position(event)) {
                if let Some(vessel) = nodes.get_mut(node as usize) {
                    (vessel.low, vessel.high) = (0, 0);
                }
            }
            self.put(event, pool, all_suspect, &suspects, &mut nodes);
        }
        nodes
    }

    fn put(
        &self,
        event: u32,
        pool: Bounds,
        all_suspect: bool,
        suspects: &Suspects,
        nodes: &mut [Bounds],
    ) {
        let mixed = self.has_mixed_inputs(event) || self.has_mixed_outputs(event);
        let total: i64 = self.output_lines(event).map(|(_, &steps)| steps.max(0)).sum();
        let changes_unit = self.unit_change(event);
        let pool = if total > pool.hand || changes_unit { scale(pool, total) } else { pool };
        let source = suspects.events.contains(event);
        for (&node, &steps) in self.output_lines(event) {
            let steps = steps.max(0);
            let Some(to) = nodes.get_mut(node as usize) else { continue };
            let part = if source {
                Bounds { hand: steps, low: steps, high: steps }
            } else if mixed {
                // Shares cannot be told: anything from none to all, unless all was suspect.
                let low = if all_suspect && pool.low > 0 { steps } else { 0 };
                Bounds { hand: steps, low, high: if pool.high > 0 { steps } else { 0 } }
            } else {
                let mut copy = pool;
                copy.take(steps)
            };
            to.hand = to.hand.saturating_add(steps);
            to.low = to.low.saturating_add(part.low);
            to.high = to.high.saturating_add(part.high);
        }
        for &node in self.outputs(event).iter().filter(|&&node| suspects.nodes.contains(node)) {
            if let Some(suspect) = nodes.get_mut(node as usize) {
                (suspect.low, suspect.high) = (suspect.hand, suspect.hand);
            }
        }
    }

    fn unit_change(&self, event: u32) -> bool {
        let first = |nodes: &[u32]| nodes.first().map(|&node| self.unit(node));
        first(self.inputs(event)) != first(self.outputs(event))
    }
}

/// The same pool in another measure: `total` instead of what went in.
fn scale(pool: Bounds, total: i64) -> Bounds {
    let whole = i128::from(pool.hand);
    let times = |amount: i64| i128::from(amount).saturating_mul(i128::from(total));
    let down = times(pool.low).checked_div(whole).unwrap_or(0);
    let up = times(pool.high).saturating_add(whole.saturating_sub(1)).checked_div(whole);
    Bounds {
        hand: total,
        low: i64::try_from(down).unwrap_or(i64::MAX),
        high: i64::try_from(up.unwrap_or(0)).unwrap_or(i64::MAX).min(total),
    }
}
