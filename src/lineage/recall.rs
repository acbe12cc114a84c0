//! Recall: who must be told, what is still here, what came back already, and what a narrower recall
//! would leave out there.
//!
//! In: a scope (sources, and from which share on an order counts). Out: affected orders with
//! customers and quantities, stock to block, and the gaps of the data. Always true, and tested:
//! without a share limit the orders are those of the timed trace; raising the limit only removes
//! orders; what a narrower scope leaves out plus what it keeps is the wider scope.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Lineage;
use super::audit::{TraceBreak, Violation};
use super::event::{EventKind, Item};
use super::graph::bits::Bits;
use super::graph::reach::Direction;
use super::graph::{EventIndex, NodeIndex};
use super::ledger::{Bounds, Mixing};
use super::source::Source;
use crate::id::{CustomerId, OrderId};
use crate::number::Ratio;
use crate::quantity::{Quantity, Unit};

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
    /// What is there now.
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
    /// Goods still here, to block; what came back and was not destroyed is among them.
    pub stock: Vec<AffectedItem>,
    /// What was destroyed on record, by unit.
    pub destroyed: BTreeMap<Unit, Quantity>,
    /// Orders that the share limit left out.
    pub left_out: BTreeSet<OrderId>,
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

/// What a narrower recall would save and what it would leave with customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhatIf {
    /// Orders that the narrower scope spares.
    pub spared: BTreeSet<OrderId>,
    /// Orders that only the narrower scope names (it was not narrower there).
    pub added: BTreeSet<OrderId>,
    /// What the customers of the spared orders have, by unit.
    pub spared_quantity: BTreeMap<Unit, Quantity>,
    /// The share of all suspect material of the wider scope that would stay with them under perfect
    /// mixing.
    pub suspect_left: Ratio,
    /// Suspect goods that would stay with them at worst, by unit.
    pub suspect_left_at_worst: BTreeMap<Unit, Quantity>,
}

struct Shares {
    mixing: Mixing,
    bounds: Vec<Bounds>,
}

impl Lineage {
    /// What a recall of this scope must reach.
    #[must_use]
    pub fn recall(&self, scope: &Scope) -> Recall {
        let resolved = self.resolve(&scope.sources);
        let reach = self.reach(&resolved.suspicion);
        let shares = Shares {
            mixing: self.graph.mixing(&resolved.suspicion),
            bounds: self.graph.bounds(&resolved.suspicion),
        };
        let mut hit = Bits::new(self.graph.events());
        for event in &reach.events {
            hit.insert(event.0);
        }
        let mut recall = Recall::default();
        for &node in &reach.nodes {
            let Some(item) = self.item(node) else { continue };
            let affected = self.affected(item, node.0, &hit, &shares);
            let small = scope.least_share.zip(affected.share_at_worst);
            let small = small.is_some_and(|(least, share)| share < least);
            match item.order() {
                Some(order) if small => {
                    recall.left_out.insert(order.clone());
                }
                Some(order) => {
                    let entry = recall.orders.entry(order.clone()).or_insert_with(|| {
                        AffectedOrder { customers: BTreeSet::new(), items: Vec::new() }
                    });
                    entry.customers.extend(self.customers_of(node.0, &hit));
                    entry.items.push(affected);
                }
                None if small || affected.on_hand.is_none_or(Quantity::is_zero) => {}
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
        let spared: BTreeSet<OrderId> = all.difference(&kept).cloned().collect();
        let suspicion = self.resolve(&wider.sources).suspicion;
        let mixing = self.graph.mixing(&suspicion);
        let bounds = self.graph.bounds(&suspicion);
        let nodes: Vec<u32> =
            spared.iter().flat_map(|order| self.order_nodes(order)).map(|node| node.0).collect();
        let holding = |node: &u32| mixing.holdings.get(*node as usize);
        let left = nodes.iter().filter_map(holding).map(|holding| holding.suspect_material);
        let left = left.fold(0_i64, i64::saturating_add);
        let worst = nodes.iter().map(|&node| {
            self.quantity_of(node, bounds.get(node as usize).map_or(0, |bounds| bounds.high))
        });
        let suspect_left_at_worst = sum_by_unit(worst);
        let items = spared.iter().filter_map(|order| wide.orders.get(order));
        let on_hand = items.flat_map(|order| &order.items).map(|item| item.on_hand);
        WhatIf {
            added: kept.difference(&all).cloned().collect(),
            spared_quantity: sum_by_unit(on_hand),
            suspect_left: Ratio::new(left, mixing.injected.max(1)).unwrap_or(Ratio::ZERO),
            suspect_left_at_worst,
            spared,
        }
    }

    fn affected(&self, item: &Item, node: u32, hit: &Bits, shares: &Shares) -> AffectedItem {
        let made = self.graph.makers(node).filter(|&event| hit.contains(event));
        let received = self.sum_lines(made, node, |event| self.graph.output_lines(event));
        let back = self.graph.uses(node);
        let back = back.filter(|&event| self.graph.kind(event) == EventKind::Return);
        let returned = self.sum_lines(back, node, |event| self.graph.input_lines(event));
        let holding = shares.mixing.holdings.get(node as usize).copied().unwrap_or_default();
        let bounds = shares.bounds.get(node as usize).copied().unwrap_or_default();
        let share = |part: i64, whole: i64| {
            if received.is_none() || whole == 0 { None } else { Ratio::new(part, whole).ok() }
        };
        let parts = holding.hand.checked_shl(shares.mixing.shift).unwrap_or(i64::MAX);
        AffectedItem {
            item: item.clone(),
            received,
            returned: if item.order().is_some() { returned } else { None },
            on_hand: self.quantity_of(node, holding.hand),
            share: share(holding.suspect_content, parts),
            share_at_worst: share(bounds.high, bounds.hand),
        }
    }

    /// The sum of the lines of a node over events; none when one of them has no quantity.
    fn sum_lines<'g>(
        &'g self,
        events: impl Iterator<Item = u32>,
        node: u32,
        lines: impl Fn(u32) -> super::graph::Lines<'g>,
    ) -> Option<Quantity> {
        let mut sum = 0_i64;
        // An event with several lines of the node comes once for each.
        let events: BTreeSet<u32> = events.collect();
        for event in events {
            for (_, &steps) in lines(event).filter(|&(&own, _)| own == node) {
                if steps < 0 {
                    return None;
                }
                sum = sum.saturating_add(steps);
            }
        }
        self.quantity_of(node, sum)
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
