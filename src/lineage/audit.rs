//! Where the records end or contradict each other.
//!
//! A recall answer without its gaps is wrong, so every trace carries what this file finds on its
//! way. None of it stops a trace.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Lineage;
use super::event::{EventId, EventKind, Item};
use super::graph::bits::Bits;
use super::graph::{EventIndex, Lines, NodeIndex};
use crate::number::Ratio;
use crate::quantity::{Quantity, Unit};

/// The share of the inputs by which outputs may differ before it counts as an imbalance.
///
/// Default: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tolerance(pub Ratio);

impl Default for Tolerance {
    fn default() -> Self {
        Self(Ratio::ZERO)
    }
}

/// A place where a trace cannot go on, or only without quantities.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TraceBreak {
    /// The item is an article without lot or serial: all its goods look like one.
    NoLot {
        /// The article.
        item: Item,
    },
    /// The item was used but nothing says where it came from.
    NoSupply {
        /// The item.
        item: Item,
    },
    /// The item was used before anything put it out.
    UsedBeforeMade {
        /// The item.
        item: Item,
        /// The first use.
        used: EventId,
        /// The first event that put it out.
        made: EventId,
    },
    /// A quantity has a unit that cannot be brought to the unit of its item.
    UnitMismatch {
        /// The event.
        event: EventId,
        /// The item.
        item: Item,
        /// The unit the item counts in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<Unit>,
        /// What stood in the way.
        problem: alloc::string::String,
    },
}

/// A quantity that cannot be right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Violation {
    /// Outputs differ from inputs by more than the tolerance.
    Imbalance {
        /// The event.
        event: EventId,
        /// The sum of the inputs.
        inputs: Quantity,
        /// The sum of the outputs.
        outputs: Quantity,
    },
    /// More was used in all than was ever put out, as far as all that was put out has a quantity.
    OverConsumed {
        /// The item.
        item: Item,
        /// How much is missing.
        missing: Quantity,
    },
    /// An event took more than was there at that time. Not told of goods that were put out without a
    /// quantity, until they are cleaned out.
    Deficit {
        /// The event.
        event: EventId,
        /// The item.
        item: Item,
        /// How much was missing.
        missing: Quantity,
    },
}

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Where traces break.
    pub breaks: Vec<TraceBreak>,
    /// Quantities that cannot be right; deficits in order of time.
    pub violations: Vec<Violation>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    hand: i64,
    made: i64,
    used: i64,
    first_used: Option<u32>,
    first_made: Option<u32>,
    /// Something was put out without a quantity: since it was last cleaned, and ever.
    has_uncounted: bool,
    had_uncounted: bool,
}

impl Lineage {
    /// Checks all records.
    #[must_use]
    pub fn audit_all(&self) -> Audit {
        let mut all = Bits::new(self.graph.nodes());
        for node in 0..self.graph.nodes() as u32 {
            all.insert(node);
        }
        self.audit(&all)
    }

    /// Checks the records that name certain nodes.
    pub(crate) fn audit(&self, nodes: &Bits) -> Audit {
        let mut touching = Bits::new(self.graph.events());
        for node in nodes.iter() {
            for event in self.graph.uses(node).chain(self.graph.makers(node)) {
                touching.insert(self.graph.position(event));
            }
        }
        let mut audit = Audit::default();
        let mut accounts: BTreeMap<u32, Account> = BTreeMap::new();
        for position in touching.iter() {
            let event = self.graph.event_at(position);
            self.check_balance(event, &mut audit);
            for (&node, &steps) in self.graph.input_lines(event) {
                if nodes.contains(node) {
                    let account = accounts.entry(node).or_default();
                    account.first_used.get_or_insert(position);
                    self.take(event, node, steps, account, &mut audit);
                }
            }
            for (&node, &steps) in self.graph.output_lines(event) {
                if nodes.contains(node) {
                    let account = accounts.entry(node).or_default();
                    account.first_made.get_or_insert(position);
                    account.has_uncounted |= steps < 0;
                    account.had_uncounted |= steps < 0;
                    account.hand = account.hand.saturating_add(steps.max(0));
                    account.made = account.made.saturating_add(steps.max(0));
                }
            }
        }
        let mut by_item: Vec<(&Item, u32, &Account)> = accounts
            .iter()
            .filter_map(|(&node, account)| Some((self.item(NodeIndex(node))?, node, account)))
            .collect();
        by_item.sort_unstable_by_key(|&(item, ..)| item);
        for (item, node, account) in by_item {
            self.judge(item.clone(), node, account, &mut audit);
        }
        self.list_mismatches(nodes, &mut audit);
        audit.breaks.sort_unstable();
        audit
    }

    fn take(&self, event: u32, node: u32, steps: i64, account: &mut Account, audit: &mut Audit) {
        if self.graph.kind(event) == EventKind::Clean {
            (account.hand, account.has_uncounted) = (0, false);
            return;
        }
        let steps = steps.max(0);
        account.used = account.used.saturating_add(steps);
        let missing = steps.saturating_sub(account.hand);
        account.hand = account.hand.saturating_sub(steps).max(0);
        let (Some(id), Some(item)) = (self.id_of(event), self.item_at(node)) else { return };
        if missing > 0
            && !account.has_uncounted
            && let Some(missing) = self.quantity_of(node, missing)
        {
            audit.violations.push(Violation::Deficit { event: id, item, missing });
        }
    }

    fn check_balance(&self, event: u32, audit: &mut Audit) {
        if self.graph.has_mixed_inputs(event) || self.graph.has_mixed_outputs(event) {
            return;
        }
        let total = |lines: Lines<'_>| lines.fold(0_i64, |sum, (_, &q)| sum.saturating_add(q));
        let first = |mut lines: Lines<'_>| lines.next().map(|(&node, _)| node);
        let (ins, outs) = (self.graph.input_lines(event), self.graph.output_lines(event));
        let (Some(from), Some(to)) = (first(ins.clone()), first(outs.clone())) else { return };
        let (inputs, outputs) = (total(ins), total(outs));
        let allowed = self.tolerance.0;
        let gap =
            i128::from(outputs.abs_diff(inputs)).saturating_mul(i128::from(allowed.denominator()));
        let limit = i128::from(inputs).saturating_mul(i128::from(allowed.numerator()));
        if gap <= limit || self.graph.unit(from) != self.graph.unit(to) {
            return;
        }
        let sums = self.quantity_of(from, inputs).zip(self.quantity_of(to, outputs));
        if let (Some(event), Some((inputs, outputs))) = (self.id_of(event), sums) {
            audit.violations.push(Violation::Imbalance { event, inputs, outputs });
        }
    }

    fn judge(&self, item: Item, node: u32, account: &Account, audit: &mut Audit) {
        let missing = account.used.saturating_sub(account.made);
        if missing > 0
            && !account.had_uncounted
            && let Some(missing) = self.quantity_of(node, missing)
        {
            audit.violations.push(Violation::OverConsumed { item: item.clone(), missing });
        }
        if matches!(item, Item::Article(_)) {
            audit.breaks.push(TraceBreak::NoLot { item: item.clone() });
        }
        let at = |position| self.id_of(self.graph.event_at(position));
        match (account.first_used, account.first_made) {
            (Some(_), None) => audit.breaks.push(TraceBreak::NoSupply { item }),
            (Some(used), Some(made)) if used < made => {
                if let (Some(used), Some(made)) = (at(used), at(made)) {
                    audit.breaks.push(TraceBreak::UsedBeforeMade { item, used, made });
                }
            }
            _ => {}
        }
    }

    fn list_mismatches(&self, nodes: &Bits, audit: &mut Audit) {
        for (&node, mismatches) in self.mismatches.iter().filter(|&(&node, _)| nodes.contains(node))
        {
            let unit = self.unit_of(node);
            let alive = mismatches.iter().filter(|mismatch| self.graph.is_alive(mismatch.event));
            for mismatch in alive {
                let named = self.id_of(mismatch.event).zip(self.item_at(node));
                if let Some((event, item)) = named {
                    let problem = alloc::format!("{}", mismatch.problem(unit));
                    audit.breaks.push(TraceBreak::UnitMismatch { event, item, unit, problem });
                }
            }
        }
    }

    pub(crate) fn id_of(&self, event: u32) -> Option<EventId> {
        self.event_id(EventIndex(event)).cloned()
    }

    pub(crate) fn item_at(&self, node: u32) -> Option<Item> {
        self.item(NodeIndex(node)).cloned()
    }
}
