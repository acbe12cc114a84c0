//! Recall: who must be told, what is still here, what came back already, and what a narrower recall
//! would leave out there.
//!
//! In: a scope (sources, and from which share on an order counts). Out: affected orders with
//! customers and quantities, stock to block, and the gaps of the data. Always true, and tested:
//! without a share limit the orders are those of the timed trace; raising the limit only removes
//! orders; what a narrower scope leaves out plus what it keeps is the wider scope, item by item;
//! goods of which nobody counted how many are there are never left out for that.

mod tally;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Lineage;
use super::audit::{TraceBreak, Violation};
use super::event::{EventKind, Item};
use super::graph::bits::Bits;
use super::graph::reach::Direction;
use super::graph::timed::Suspicion;
use super::graph::{EventIndex, Graph, NodeIndex};
use super::ledger::{Bounds, Mixing};
use super::source::Source;
use crate::id::{CustomerId, OrderId};
use crate::number::Ratio;
use crate::quantity::{Quantity, Unit};
use tally::Tally;

/// What to recall.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What is suspect; periods stand in the sources.
    pub sources: Vec<Source>,
    /// Items of which at worst a smaller share is suspect are left out. Without it, any contact
    /// counts. Items whose share cannot be computed are never left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_share: Option<Ratio>,
}

/// What a recall says about one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AffectedItem {
    /// The item: an order, an order line, or stock.
    pub item: Item,
    /// What reached it through affected events; none when a quantity is missing.
    pub received: Option<Quantity>,
    /// What came back from it, for orders.
    pub returned: Option<Quantity>,
    /// What is there now; none when it cannot be told, because a line of the item has no quantity: look.
    pub on_hand: Option<Quantity>,
    /// The share that is suspect under perfect mixing; none when it cannot be computed.
    pub share: Option<Ratio>,
    /// The share that is suspect at worst; none when it cannot be computed.
    pub share_at_worst: Option<Ratio>,
}

/// An order to call back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AffectedOrder {
    /// Who to tell, as far as shipments name a customer.
    pub customers: BTreeSet<CustomerId>,
    /// The order or its lines.
    pub items: Vec<AffectedItem>,
}

impl AffectedOrder {
    /// The highest worst-case share of its items, for the order of work; none counts as all.
    #[must_use]
    pub fn priority(&self) -> Ratio {
        let shares = self.items.iter().map(|item| item.share_at_worst.unwrap_or(Ratio::ONE));
        shares.max().unwrap_or(Ratio::ZERO)
    }
}

/// The scope of a recall, with its gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recall {
    /// Orders to call back.
    pub orders: BTreeMap<OrderId, AffectedOrder>,
    /// Goods still here, to block; what came back and was not destroyed is among them, and so is
    /// what may be here because a quantity is missing.
    pub stock: Vec<AffectedItem>,
    /// What was destroyed on record, by unit.
    pub destroyed: BTreeMap<Unit, Quantity>,
    /// Orders that the share limit left out.
    pub left_out: BTreeSet<OrderId>,
    /// All items that the share limit left out: those orders, lines of orders that are called back
    /// for others of their lines, and stock that is not blocked.
    pub items_left_out: BTreeSet<Item>,
    /// Where the data ends: beyond these points nobody knows.
    pub breaks: Vec<TraceBreak>,
    /// Quantities that cannot be right.
    pub violations: Vec<Violation>,
    /// Sources that name nothing recorded.
    pub unknown: Vec<Source>,
}

impl Recall {
    /// The customers to tell, each once.
    pub fn customers(&self) -> impl Iterator<Item = &CustomerId> {
        let all: BTreeSet<_> = self.orders.values().flat_map(|order| &order.customers).collect();
        all.into_iter()
    }

    /// What customers still have, by unit.
    #[must_use]
    pub fn outstanding(&self) -> BTreeMap<Unit, Quantity> {
        sum_by_unit(self.orders.values().flat_map(|order| &order.items).map(|item| item.on_hand))
    }

    /// What is here or was destroyed, by unit.
    #[must_use]
    pub fn recovered(&self) -> BTreeMap<Unit, Quantity> {
        let destroyed = self.destroyed.values().copied().map(Some);
        sum_by_unit(self.stock.iter().map(|item| item.on_hand).chain(destroyed))
    }

    /// The recovered share of all that is affected in one unit; none when nothing is.
    #[must_use]
    pub fn recovered_share(&self, unit: Unit) -> Option<Ratio> {
        let steps = |sums: BTreeMap<Unit, Quantity>| sums.get(&unit).map_or(0, |q| q.steps());
        let (out, back) = (steps(self.outstanding()), steps(self.recovered()));
        Ratio::new(back, out.saturating_add(back)).ok()
    }
}

/// Sums by unit; what does not fit in one quantity is left at the largest sum that does.
fn sum_by_unit(quantities: impl Iterator<Item = Option<Quantity>>) -> BTreeMap<Unit, Quantity> {
    let mut sums: BTreeMap<Unit, Quantity> = BTreeMap::new();
    for quantity in quantities.flatten().filter(|quantity| !quantity.is_zero()) {
        let sum = sums.entry(quantity.unit()).or_insert(Quantity::zero(quantity.unit()));
        *sum = sum.checked_add(quantity).unwrap_or(*sum);
    }
    sums
}

/// Goods that the wider recall names and the narrower one does not, and what that risks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remainder {
    /// The goods.
    pub items: BTreeSet<Item>,
    /// How much of them is there, by unit.
    pub quantity: BTreeMap<Unit, Quantity>,
    /// The share of all suspect material of the wider scope that is in them under perfect mixing.
    pub suspect: Ratio,
    /// Suspect goods among them at worst, by unit.
    pub suspect_at_worst: BTreeMap<Unit, Quantity>,
    /// Those whose quantity nobody knows; they are not in the numbers above.
    pub uncounted: BTreeSet<Item>,
}

/// What a narrower recall would save and what it would leave out there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhatIf {
    /// Orders that the narrower scope spares.
    pub spared: BTreeSet<OrderId>,
    /// Orders that only the narrower scope names (it was not narrower there).
    pub added: BTreeSet<OrderId>,
    /// What stays with customers: the spared orders, and spared lines of orders that are called back.
    pub with_customers: Remainder,
    /// What is not blocked: stock that may be shipped on.
    pub in_stock: Remainder,
}

struct Shares {
    mixing: Mixing,
    bounds: Vec<Bounds>,
}

impl Shares {
    fn new(graph: &Graph, suspicion: &Suspicion) -> Self {
        Self { mixing: graph.mixing(suspicion), bounds: graph.bounds(suspicion) }
    }
}

/// What a recall says of one node.
struct Finding {
    affected: AffectedItem,
    /// It is known that nothing of it is there.
    is_gone: bool,
}

impl Lineage {
    /// What a recall of this scope must reach.
    #[must_use]
    pub fn recall(&self, scope: &Scope) -> Recall {
        let resolved = self.resolve(&scope.sources);
        let reach = self.reach(&resolved.suspicion);
        let shares = Shares::new(&self.graph, &resolved.suspicion);
        let mut hit = Bits::new(self.graph.events());
        for event in &reach.events {
            hit.insert(event.0);
        }
        let tallies = self.graph.tallies(&hit);
        let mut recall = Recall::default();
        for &node in &reach.nodes {
            let Some(item) = self.item(node) else { continue };
            let Some(tally) = tallies.get(node.0 as usize) else { continue };
            let Finding { affected, is_gone } = self.finding(item, node.0, tally, &shares);
            let small = scope.least_share.zip(affected.share_at_worst);
            let is_small = small.is_some_and(|(least, share)| share < least);
            if is_small && (item.order().is_some() || !is_gone) {
                recall.items_left_out.insert(item.clone());
            }
            match item.order() {
                Some(order) if is_small => {
                    recall.left_out.insert(order.clone());
                }
                Some(order) => {
                    let entry = recall.orders.entry(order.clone()).or_insert_with(|| {
                        AffectedOrder { customers: BTreeSet::new(), items: Vec::new() }
                    });
                    entry.customers.extend(self.customers_of(node.0, &hit));
                    entry.items.push(affected);
                }
                None if is_small || is_gone => {}
                None => recall.stock.push(affected),
            }
        }
        recall.left_out.retain(|order| !recall.orders.contains_key(order));
        recall.stock.sort_by(|a, b| a.item.cmp(&b.item));
        for order in recall.orders.values_mut() {
            order.items.sort_by(|a, b| a.item.cmp(&b.item));
        }
        recall.destroyed = self.destroyed(&reach.events, &reach.nodes);
        let trace = self.trace(Direction::Forward, &reach, resolved.unknown);
        recall.breaks = trace.breaks;
        recall.violations = trace.violations;
        recall.unknown = trace.unknown;
        recall
    }

    /// Compares a recall with a narrower one: what it spares, and the risk it leaves if the wider
    /// suspicion is right.
    #[must_use]
    pub fn what_if(&self, wider: &Scope, narrower: &Scope) -> WhatIf {
        let (wide, narrow) = (self.recall(wider), self.recall(narrower));
        let keys = |recall: &Recall| recall.orders.keys().cloned().collect::<BTreeSet<_>>();
        let (all, kept) = (keys(&wide), keys(&narrow));
        let shares = Shares::new(&self.graph, &self.resolve(&wider.sources).suspicion);
        let sold = |recall: &Recall| {
            recall.orders.values().flat_map(|order| order.items.clone()).collect::<Vec<_>>()
        };
        WhatIf {
            spared: all.difference(&kept).cloned().collect(),
            added: kept.difference(&all).cloned().collect(),
            with_customers: self.remainder(&sold(&wide), &sold(&narrow), &shares),
            in_stock: self.remainder(&wide.stock, &narrow.stock, &shares),
        }
    }

    /// What the first list holds and the second does not.
    fn remainder(
        &self,
        wide: &[AffectedItem],
        narrow: &[AffectedItem],
        shares: &Shares,
    ) -> Remainder {
        let kept: BTreeSet<&Item> = narrow.iter().map(|affected| &affected.item).collect();
        let left: Vec<&AffectedItem> =
            wide.iter().filter(|affected| !kept.contains(&affected.item)).collect();
        let counted = left.iter().filter(|affected| affected.on_hand.is_some());
        let nodes: Vec<u32> =
            counted.filter_map(|affected| self.node(&affected.item)).map(|node| node.0).collect();
        let holdings = nodes.iter().filter_map(|&node| shares.mixing.holdings.get(node as usize));
        let material = holdings.fold(0_i64, |sum, held| sum.saturating_add(held.suspect_material));
        let worst = nodes.iter().map(|&node| {
            let high = shares.bounds.get(node as usize).map_or(0, |bounds| bounds.high);
            self.quantity_of(node, high)
        });
        let whole = shares.mixing.injected.max(1);
        Remainder {
            items: left.iter().map(|affected| affected.item.clone()).collect(),
            quantity: sum_by_unit(left.iter().map(|affected| affected.on_hand)),
            suspect: Ratio::new(material, whole).unwrap_or(Ratio::ZERO),
            suspect_at_worst: sum_by_unit(worst),
            uncounted: left
                .iter()
                .filter(|affected| affected.on_hand.is_none())
                .map(|affected| affected.item.clone())
                .collect(),
        }
    }

    fn finding(&self, item: &Item, node: u32, tally: &Tally, shares: &Shares) -> Finding {
        let holding = shares.mixing.holdings.get(node as usize).copied().unwrap_or_default();
        let bounds = shares.bounds.get(node as usize).copied().unwrap_or_default();
        let quantity = |steps: i64| self.quantity_of(node, steps);
        let share = |part: i64, whole: i64| {
            let can_be_told = tally.is_counted && tally.received.is_some() && whole != 0;
            can_be_told.then(|| Ratio::new(part, whole).ok()).flatten()
        };
        let parts = holding.hand.checked_shl(shares.mixing.shift).unwrap_or(i64::MAX);
        let affected = AffectedItem {
            item: item.clone(),
            received: tally.received.and_then(quantity),
            returned: item.order().and_then(|_| tally.returned.and_then(quantity)),
            on_hand: quantity(holding.hand).filter(|_| tally.is_counted),
            share: share(holding.suspect_content, parts),
            share_at_worst: share(bounds.high, bounds.hand),
        };
        Finding { affected, is_gone: tally.is_counted && holding.hand == 0 }
    }

    /// What affected scrap events took of affected items.
    fn destroyed(&self, events: &[EventIndex], nodes: &[NodeIndex]) -> BTreeMap<Unit, Quantity> {
        let scraps = events.iter().filter(|event| self.graph.kind(event.0) == EventKind::Scrap);
        let lines = scraps.flat_map(|event| self.graph.input_lines(event.0));
        let affected = lines.filter(|&(&node, _)| nodes.binary_search(&NodeIndex(node)).is_ok());
        sum_by_unit(affected.map(|(&node, &steps)| self.quantity_of(node, steps)))
    }

    fn customers_of(&self, node: u32, hit: &Bits) -> impl Iterator<Item = CustomerId> {
        self.graph
            .makers(node)
            .filter(|&event| hit.contains(event))
            .filter_map(|event| self.facts.get(&event)?.customer.clone())
    }
}
