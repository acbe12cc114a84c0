//! The ledger: how much of each lot stems from the suspect, and where the suspect material is.
//!
//! Perfect mixing, in order of time: what is taken from a lot carries suspect material in
//! proportion, what is made of several inputs carries their average. Beside that "mixed" answer
//! stand the bounds for imperfect mixing. A recall goes by `high > 0`; the mixed share only sets
//! the order of work.
//!
//! Arithmetic is in whole numbers: steps of the item's unit, divided into 2^32 parts (fewer when
//! quantities are very large). Splits are cumulative, so the parts sum exactly, and
//! `on hand + scrapped + not allocated + neglected = injected` holds to the last part. Against exact fractions
//! the ledger is off by at most [`Mixing::roundings`] parts, and is equal where nothing rounds.

mod bounds;

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use serde::Serialize;

use super::Lineage;
use super::audit::Violation;
use super::event::{EventKind, Item};
use super::graph::bits::Bits;
use super::graph::timed::Suspicion;
use super::graph::{Graph, Lines};
use super::source::Source;
use crate::number::Ratio;
use crate::quantity::Quantity;

pub use bounds::Bounds;

/// What one node holds at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// Steps on hand.
    pub hand: i64,
    /// Suspect material that sits here, in parts of the *suspect's* steps.
    pub suspect_material: i64,
    /// How much of what is on hand stems from suspects, in parts of *this* node's steps.
    pub suspect_content: i64,
}

/// An event took more than was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deficit {
    /// The event.
    pub event: u32,
    /// The node.
    pub node: u32,
    /// The steps missing.
    pub steps: i64,
}

/// The result of the ledger in dense numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mixing {
    /// One step has `2^shift` parts.
    pub shift: u32,
    /// By node.
    pub holdings: Vec<Holding>,
    /// All suspect material that ever came in, in parts.
    pub injected: i64,
    /// Suspect material on record as destroyed, in parts.
    pub scrapped: i64,
    /// Suspect material that went into outputs of different or unknown units, in parts.
    pub unallocated: i64,
    /// Suspect material in the heels of vessels that counted as empty when they were filled again, in
    /// parts.
    pub neglected: i64,
    /// How often a share may have been rounded: the most parts by which the suspect material of
    /// a node differs from exact fractions, and the most parts per step for its content.
    pub roundings: u64,
    /// Takings of more than was there, of goods of which all lines have a quantity since they were last
    /// cleaned; in order of time.
    pub deficits: Vec<Deficit>,
}

impl Graph {
    /// Runs the ledger over all events. The times from which suspects are suspect play no part.
    #[must_use]
    pub fn mixing(&self, suspicion: &Suspicion) -> Mixing {
        let suspects = Suspects::new(self, suspicion);
        let mut ledger = Mixing {
            shift: self.shift(&suspects),
            holdings: vec![Holding::default(); self.nodes()],
            ..Mixing::default()
        };
        let emptyings = self.emptyings();
        let mut uncounted = Uncounted::default();
        let mut touched = 0;
        for event in self.chronological() {
            touched = ledger.touch(self.lines_ahead(event, touched), touched);
            if self.kind(event) == EventKind::Clean {
                ledger.empty(self.inputs(event));
                uncounted.clean(self.inputs(event));
                continue;
            }
            let mixed_inputs = self.has_mixed_inputs(event);
            if mixed_inputs {
                uncounted.add(self.input_lines(event), self.nodes());
            }
            let flow = ledger.take(event, self.input_lines(event), mixed_inputs, &uncounted);
            if self.outputs(event).is_empty() {
                ledger.scrapped = ledger.scrapped.saturating_add(flow.material);
                continue;
            }
            if !emptyings.is_empty() {
                let vessels = emptyings.at(self.position(event));
                ledger.neglect(vessels.filter(|&node| !suspects.nodes.contains(node)));
            }
            let source = suspects.events.contains(event);
            let mixed_outputs = self.has_mixed_outputs(event);
            if mixed_outputs {
                uncounted.add(self.output_lines(event), self.nodes());
            }
            ledger.put(&flow, self.output_lines(event), mixed_outputs, source);
            if suspects.any_node {
                ledger.mark(self.outputs(event), &suspects.nodes);
            }
        }
        ledger
    }

    /// The finest parts for which no sum can pass 62 bits.
    fn shift(&self, suspects: &Suspects) -> u32 {
        // Nothing can hold more than all outputs together; mostly that bound is fine enough.
        let coarse = parts_for(self.output_total());
        if coarse >= ENOUGH_PARTS {
            return coarse;
        }
        let mut made = vec![0_i64; self.nodes()];
        let mut suspect_total = 0_i64;
        for event in self.chronological() {
            let source = suspects.events.contains(event);
            for (&node, &steps) in self.output_lines(event) {
                let steps = steps.max(0);
                if source || suspects.nodes.contains(node) {
                    suspect_total = suspect_total.saturating_add(steps);
                }
                if let Some(made) = made.get_mut(node as usize) {
                    *made = made.saturating_add(steps);
                }
            }
        }
        parts_for(made.into_iter().max().unwrap_or(0).max(suspect_total))
    }
}

/// A step has at least `2^28` parts, unless quantities are too large for that.
const ENOUGH_PARTS: u32 = 28;

/// The shift with which the largest sum stays within 62 bits.
fn parts_for(largest: i64) -> u32 {
    largest.max(1).leading_zeros().saturating_sub(2).min(32)
}

struct Suspects {
    nodes: Bits,
    any_node: bool,
    events: Bits,
}

impl Suspects {
    fn new(graph: &Graph, suspicion: &Suspicion) -> Self {
        let (mut nodes, mut events) = (Bits::new(graph.nodes()), Bits::new(0));
        for (node, _) in &suspicion.nodes {
            nodes.insert(node.0);
        }
        if !suspicion.events.is_empty() {
            events.reserve(graph.events());
        }
        for event in &suspicion.events {
            events.insert(event.0);
        }
        Self { nodes, any_node: !suspicion.nodes.is_empty(), events }
    }
}

/// Nodes with a line without a quantity since they were last cleaned: nobody knows what is there.
#[derive(Default)]
struct Uncounted(Bits);

impl Uncounted {
    fn add(&mut self, lines: Lines<'_>, nodes: usize) {
        for (&node, _) in lines.filter(|line| *line.1 < 0) {
            self.0.reserve(nodes);
            self.0.insert(node);
        }
    }

    fn clean(&mut self, nodes: &[u32]) {
        nodes.iter().for_each(|&node| self.0.remove(node));
    }
}

/// What the inputs of one event brought.
#[derive(Default)]
struct Flow {
    taken: i64,
    material: i64,
    content: i64,
    /// Of inputs that cannot be summed, the one with the highest share: (content, steps).
    worst: Option<(i64, i64)>,
}

impl Mixing {
    /// Reads the holdings of the lines to come in one go, so that the reads wait for memory together
    /// instead of one after the other. Gives the place up to which that was done.
    #[inline]
    fn touch(&self, ahead: &[u32], from: usize) -> usize {
        if !ahead.is_empty() {
            let hand = |&node: &u32| self.holdings.get(node as usize).map_or(0, |held| held.hand);
            core::hint::black_box(ahead.iter().fold(0, |sum, node| sum ^ hand(node)));
        }
        from.saturating_add(ahead.len())
    }

    fn empty(&mut self, nodes: &[u32]) {
        for &node in nodes {
            if let Some(holding) = self.holdings.get_mut(node as usize) {
                self.scrapped = self.scrapped.saturating_add(holding.suspect_material);
                *holding = Holding::default();
            }
        }
    }

    /// The goods stay, their suspect material counts no more.
    fn neglect(&mut self, vessels: impl Iterator<Item = u32>) {
        for node in vessels {
            if let Some(holding) = self.holdings.get_mut(node as usize) {
                self.neglected = self.neglected.saturating_add(holding.suspect_material);
                (holding.suspect_material, holding.suspect_content) = (0, 0);
            }
        }
    }

    #[inline]
    fn take(&mut self, event: u32, lines: Lines<'_>, mixed: bool, uncounted: &Uncounted) -> Flow {
        let mut flow = Flow::default();
        for (&node, &steps) in lines {
            let Some(holding) = self.holdings.get_mut(node as usize) else { continue };
            let hand = holding.hand;
            // An input without a quantity may have taken everything.
            let taken = if steps < 0 { hand } else { steps.min(hand) };
            if steps > hand && !uncounted.0.contains(node) {
                let missing = steps.saturating_sub(hand);
                self.deficits.push(Deficit { event, node, steps: missing });
            }
            if taken == 0 {
                continue;
            }
            holding.hand = hand.saturating_sub(taken);
            flow.taken = flow.taken.saturating_add(taken);
            // No test for zero here: which lots are suspect is hard to predict, and a wrong guess
            // costs more than two divisions.
            let (mut material, mut content) = (holding.suspect_material, holding.suspect_content);
            if taken != hand {
                let share = Part::new(taken, hand);
                material = share.of(material, &mut self.roundings);
                content = share.of(content, &mut self.roundings);
            }
            holding.suspect_material = holding.suspect_material.saturating_sub(material);
            holding.suspect_content = holding.suspect_content.saturating_sub(content);
            flow.material = flow.material.saturating_add(material);
            flow.content = flow.content.saturating_add(content);
            if mixed && flow.worst.is_none_or(|worst| is_more((content, taken), worst)) {
                flow.worst = Some((content, taken));
            }
        }
        flow
    }

    #[inline]
    fn put(&mut self, flow: &Flow, lines: Lines<'_>, mixed: bool, source: bool) {
        let total = lines.clone().fold(0_i64, |sum, (_, &steps)| sum.saturating_add(steps.max(0)));
        let divisible = !mixed && total > 0;
        if !divisible {
            self.unallocated = self.unallocated.saturating_add(flow.material);
        }
        let (mut so_far, mut given) = (0_i64, 0_i64);
        for (&node, &steps) in lines {
            let steps = steps.max(0);
            let Some(holding) = self.holdings.get_mut(node as usize) else { continue };
            let whole = steps.checked_shl(self.shift).unwrap_or(i64::MAX);
            so_far = so_far.saturating_add(steps);
            let mut material = 0;
            if divisible && flow.material != 0 {
                let upto = if so_far == total {
                    flow.material
                } else {
                    Part::new(so_far, total).of(flow.material, &mut self.roundings)
                };
                material = upto.saturating_sub(given);
                given = upto;
            }
            let mut content = match flow.worst {
                Some((content, taken)) => {
                    // Rounded up, so that a mixed share never looks smaller than it can be.
                    let before = self.roundings;
                    let down = Part::new(steps, taken).of(content, &mut self.roundings);
                    down.saturating_add((self.roundings != before).into()).min(whole)
                }
                None if flow.taken == steps => flow.content,
                None => Part::new(steps, flow.taken).of(flow.content, &mut self.roundings),
            };
            if source {
                let injected = whole.saturating_sub(material).max(0);
                self.injected = self.injected.saturating_add(injected);
                material = material.saturating_add(injected);
                content = whole;
            }
            holding.hand = holding.hand.saturating_add(steps);
            holding.suspect_material = holding.suspect_material.saturating_add(material);
            holding.suspect_content = holding.suspect_content.saturating_add(content);
        }
    }

    /// Whatever is in a suspect lot after an event put it out is suspect.
    fn mark(&mut self, outputs: &[u32], suspects: &Bits) {
        for &node in outputs.iter().filter(|&&node| suspects.contains(node)) {
            let Some(holding) = self.holdings.get_mut(node as usize) else { continue };
            let whole = holding.hand.checked_shl(self.shift).unwrap_or(i64::MAX);
            holding.suspect_content = whole;
            let gap = whole.saturating_sub(holding.suspect_material).max(0);
            holding.suspect_material = holding.suspect_material.saturating_add(gap);
            self.injected = self.injected.saturating_add(gap);
        }
    }
}

/// A share `steps / whole` to take of several amounts, each rounded down. All are zero or more.
struct Part {
    steps: u64,
    whole: u64,
    /// `2^64 / whole`, so that one division serves all amounts.
    inverse: u64,
}

impl Part {
    #[inline]
    fn new(steps: i64, whole: i64) -> Self {
        // Nothing is ever taken of a whole of zero, so the amount is zero then too.
        let (steps, whole) = (steps as u64, (whole as u64).max(1));
        Self { steps, whole, inverse: u64::MAX.checked_div(whole).unwrap_or(0) }
    }

    #[inline]
    fn of(&self, amount: i64, roundings: &mut u64) -> i64 {
        let amount = amount as u64;
        let Some(product) = amount.checked_mul(self.steps) else {
            return self.of_wide(amount, roundings);
        };
        // With inverse = (2^64 - 1 - r) / whole and r < whole, the estimate falls short of the exact
        // quotient by product * (1 + r) / (whole * 2^64), which is below one: at most one step is
        // missing. No branch, because which amounts need it is hard to predict.
        let wide = u128::from(product).wrapping_mul(u128::from(self.inverse));
        let estimate = (wide >> 64) as u64;
        let rest = product.wrapping_sub(estimate.wrapping_mul(self.whole));
        let short = u64::from(rest >= self.whole);
        let quotient = estimate.wrapping_add(short);
        let rest = rest.wrapping_sub(self.whole & short.wrapping_neg());
        *roundings = roundings.wrapping_add(u64::from(rest != 0));
        quotient as i64
    }

    #[cold]
    #[inline(never)]
    fn of_wide(&self, amount: u64, roundings: &mut u64) -> i64 {
        let product = u128::from(amount).saturating_mul(u128::from(self.steps));
        let whole = u128::from(self.whole);
        let rounds = product.checked_rem(whole) != Some(0);
        *roundings = roundings.saturating_add(rounds.into());
        i64::try_from(product.checked_div(whole).unwrap_or(0)).unwrap_or(i64::MAX)
    }
}

/// Whether the share `a.0 / a.1` is above `b.0 / b.1`.
fn is_more(a: (i64, i64), b: (i64, i64)) -> bool {
    let left = i128::from(a.0).saturating_mul(i128::from(b.1));
    left > i128::from(b.0).saturating_mul(i128::from(a.1))
}

/// What the ledger says about one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ItemShare {
    /// What is in it at the end: on hand of a lot, with the customer for an order.
    pub on_hand: Quantity,
    /// The share of it that stems from the suspects under perfect mixing, `0..=1`.
    pub share: Ratio,
    /// The share of all suspect material that sits here, `0..=1`.
    pub of_suspect: Ratio,
    /// The least and the most of it that can be suspect, whatever the mixing.
    pub bounds: Bounds,
}

/// The ledger of a set of suspects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// By item, those that hold suspect material now under perfect mixing or at worst.
    #[serde(serialize_with = "as_pairs")]
    pub items: BTreeMap<Item, ItemShare>,
    /// The share of all suspect material that is on record as destroyed.
    pub scrapped: Ratio,
    /// The share that went into outputs of different or unknown units.
    pub unallocated: Ratio,
    /// The share in the heels of vessels that counted as empty when they were filled again.
    pub neglected: Ratio,
    /// Takings of more than was there, in order of time.
    pub deficits: Vec<Violation>,
    /// Sources that name nothing recorded.
    pub unknown: Vec<Source>,
}

fn as_pairs<S: serde::Serializer>(
    map: &BTreeMap<Item, ItemShare>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.collect_seq(map)
}

impl Lineage {
    /// How much of every item stems from the sources, and where their material is.
    ///
    /// A source with a time counts as suspect from the beginning: shares look at material, not at
    /// when it was touched. Sources that name events count what those events put out.
    #[must_use]
    pub fn ledger(&self, sources: &[Source]) -> Ledger {
        let resolved = self.resolve(sources);
        let mixing = self.graph.mixing(&resolved.suspicion);
        let bounds = self.graph.bounds(&resolved.suspicion);
        let of_all = |amount: i64| {
            let whole = mixing.injected.max(1);
            Ratio::new(amount, whole).unwrap_or(Ratio::ZERO)
        };
        let mut items = BTreeMap::new();
        for (node, (holding, bounds)) in (0_u32..).zip(mixing.holdings.iter().zip(&bounds)) {
            if holding.suspect_material | holding.suspect_content | bounds.high == 0 {
                continue;
            }
            let unit = self.quantity_of(node, holding.hand);
            let (Some(item), Some(on_hand)) = (self.item_at(node), unit) else { continue };
            let whole = holding.hand.checked_shl(mixing.shift).unwrap_or(i64::MAX);
            let share = Ratio::new(holding.suspect_content, whole.max(1)).unwrap_or(Ratio::ZERO);
            let of_suspect = of_all(holding.suspect_material);
            items.insert(item, ItemShare { on_hand, share, of_suspect, bounds: *bounds });
        }
        let deficits = mixing.deficits.iter().filter_map(|deficit| {
            let names = self.id_of(deficit.event).zip(self.item_at(deficit.node));
            let missing = self.quantity_of(deficit.node, deficit.steps);
            let ((event, item), missing) = names.zip(missing)?;
            Some(Violation::Deficit { event, item, missing })
        });
        Ledger {
            items,
            scrapped: of_all(mixing.scrapped),
            unallocated: of_all(mixing.unallocated),
            neglected: of_all(mixing.neglected),
            deficits: deficits.collect(),
            unknown: resolved.unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    /// The multiplication by the inverse is the division, at the edges of every size.
    #[test]
    fn a_part_is_the_exact_quotient_rounded_down() {
        let edges: alloc::vec::Vec<i64> = (0..62_u32)
            .flat_map(|bits| [-1, 0, 1].map(|by| (1_i64 << bits).saturating_add(by)))
            .chain([3, 5, 7, 10, 999_983, 1_000_000_007])
            .collect();
        for &whole in edges.iter().filter(|&&whole| whole > 0) {
            for &steps in edges.iter().filter(|&&steps| (0..=whole).contains(&steps)) {
                for &amount in edges.iter().filter(|&&amount| amount >= 0) {
                    let mut roundings = 0;
                    let ours = Part::new(steps, whole).of(amount, &mut roundings);
                    let product = i128::from(amount) * i128::from(steps);
                    assert_eq!(i128::from(ours), product / i128::from(whole));
                    assert_eq!(roundings, u64::from(product % i128::from(whole) != 0));
                }
            }
        }
    }
}
