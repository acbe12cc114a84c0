//! The unit that an item counts in, and the lines that are not in it.
//!
//! The table of an item decides; without one, the first line that was recorded and still counts. A
//! voided line decides nothing: when it was the only one, the next line decides, and lines that did
//! not fit before are measured. The same unit with other decimals fits where it comes out whole.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::Lineage;
use super::event::{EventDraft, EventId, Item, Line};
use super::graph::{NodeIndex, Portion};
use super::record::RecordError;
use crate::quantity::{Quantity, QuantityError, Unit};

/// A quantity in the unit that its item would count in if this were its first line.
pub(super) type Based = Result<Quantity, QuantityError>;

/// The steps of a quantity in the unit of an item: in that very unit, or in the same with other
/// decimals where it comes out whole.
pub(super) fn steps_in(based: &Based, unit: Option<Unit>) -> Option<i64> {
    let (based, to) = (based.as_ref().ok()?, unit?);
    let from = based.unit();
    if from.code() != to.code() {
        return None;
    }
    let factor = 10_i64.checked_pow(from.digits().abs_diff(to.digits()).into())?;
    if from.digits() <= to.digits() {
        return based.steps().checked_mul(factor);
    }
    let steps = based.steps().checked_div(factor)?;
    (steps.checked_mul(factor) == Some(based.steps())).then_some(steps)
}

/// A line whose quantity could not be brought to the unit of its item.
#[derive(Clone, Debug)]
pub(super) struct Mismatch {
    pub(super) event: u32,
    line: u32,
    based: Based,
}

impl Mismatch {
    /// What stands in the way of the unit that the item counts in.
    pub(super) fn problem(&self, base: Option<Unit>) -> QuantityError {
        match &self.based {
            Err(error) => error.clone(),
            Ok(based) => {
                let left = based.unit();
                QuantityError::UnitMismatch { left, right: base.unwrap_or(left) }
            }
        }
    }
}

impl Lineage {
    /// The lines of one side in dense numbers, the first of them at a place of the graph.
    pub(super) fn portions(
        &mut self,
        (event, id): (u32, &EventId),
        first: usize,
        lines: &[Line],
        mismatches: &mut Vec<(u32, Mismatch)>,
    ) -> Result<Vec<Portion>, RecordError> {
        let mut portions = Vec::with_capacity(lines.len());
        for (place, line) in (first..).zip(lines) {
            let (portion, misfit) = self.portion(line, id)?;
            if let Some(based) = misfit {
                mismatches.push((portion.node.0, Mismatch { event, line: place as u32, based }));
            }
            portions.push(portion);
        }
        Ok(portions)
    }

    /// A line in dense numbers, and its quantity when that is not in the unit of the item.
    fn portion(
        &mut self,
        line: &Line,
        id: &EventId,
    ) -> Result<(Portion, Option<Based>), RecordError> {
        let node = self
            .node_of(&line.item)
            .map_err(|source| RecordError::Graph { event: id.clone(), source })?;
        let one = || Quantity::pieces(1).ok().filter(|_| matches!(line.item, Item::Serial(_)));
        let Some(quantity) = line.quantity.or_else(one) else {
            return Ok((Portion { node: NodeIndex(node), steps: None }, None));
        };
        let based = self.units.to_base(&line.item, quantity);
        let base = match (self.unit_of(node), &based) {
            (None, Ok(based)) => {
                let full = RecordError::TooManyUnits { event: id.clone(), unit: quantity.unit() };
                Some(self.settle_unit(node, based.unit()).ok_or(full)?)
            }
            (known, _) => known,
        };
        let steps = steps_in(&based, base);
        let misfit = steps.is_none().then_some(based);
        Ok((Portion { node: NodeIndex(node), steps }, misfit))
    }

    /// Sets the unit that a node counts in; none when there are too many units.
    pub(super) fn settle_unit(&mut self, node: u32, base: Unit) -> Option<Unit> {
        let code = self.unit_code(base)?;
        self.graph.set_unit(NodeIndex(node), code);
        Some(base)
    }

    fn unit_code(&mut self, base: Unit) -> Option<u8> {
        let known = self.base_units.iter().position(|&known| known == base);
        let place = known.unwrap_or(self.base_units.len());
        let code = u8::try_from(place.saturating_add(1)).ok()?;
        if known.is_none() {
            self.base_units.push(base);
        }
        Some(code)
    }

    /// Takes back the units of what an event named that was not recorded after all.
    pub(super) fn forget_units(&mut self, parts: &EventDraft) {
        for line in parts.inputs.iter().chain(&parts.outputs) {
            if let Some(&node) = self.indices.get(&line.item)
                && !self.graph.is_unit_used(node)
            {
                self.graph.set_unit(NodeIndex(node), 0);
            }
        }
    }

    /// Settles the units of what an event named, once the event counts no more.
    pub(super) fn reconsider_units(&mut self, event: u32) {
        let lines = self.graph.inputs(event).iter().chain(self.graph.outputs(event));
        let nodes: BTreeSet<u32> =
            lines.copied().filter(|&node| !self.graph.has_heel(node)).collect();
        for node in nodes {
            if let Some(mismatches) = self.mismatches.remove(&node) {
                self.settle_anew(node, mismatches);
            } else if self.graph.unit(node) != 0 && !self.graph.is_unit_used(node) {
                self.graph.set_unit(NodeIndex(node), 0);
            }
        }
    }

    /// Gives a node the unit of the first line left, and measures the lines that fit it.
    fn settle_anew(&mut self, node: u32, mut lines: Vec<Mismatch>) {
        lines.retain(|mismatch| self.graph.is_alive(mismatch.event));
        let mut events: BTreeSet<u32> = lines.iter().map(|mismatch| mismatch.event).collect();
        for (event, line, steps) in self.graph.measured_lines(node) {
            if let Some(quantity) = self.quantity_of(node, steps) {
                lines.push(Mismatch { event, line, based: Ok(quantity) });
                events.insert(event);
                self.graph.measure(event, line, None);
            }
        }
        lines.sort_unstable_by_key(|mismatch| mismatch.line);
        let unit = lines.iter().find_map(|mismatch| Some(mismatch.based.as_ref().ok()?.unit()));
        let code = unit.and_then(|unit| self.unit_code(unit));
        self.graph.set_unit(NodeIndex(node), code.unwrap_or_default());
        lines.retain(|mismatch| {
            let steps = steps_in(&mismatch.based, unit);
            !steps.is_some_and(|_| self.graph.measure(mismatch.event, mismatch.line, steps))
        });
        events.into_iter().for_each(|event| self.graph.remark(event));
        if !lines.is_empty() {
            self.mismatches.insert(node, lines);
        }
    }
}
