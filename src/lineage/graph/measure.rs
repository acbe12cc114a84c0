//! Quantities of lines that change after they were recorded, when the unit of a node changes.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::{
    Graph, Lines, MAX_TOTAL_STEPS, MIXED_INPUTS, MIXED_OUTPUTS, NodeIndex, Portion, UNMEASURED,
};

/// A line of an event that counts: the event, the place of the line, and its steps.
pub(crate) type Measured = (u32, u32, i64);

impl Graph {
    /// The lines with a quantity that name a node, of events that count, in order of arrival.
    pub(crate) fn measured_lines(&self, node: u32) -> Vec<Measured> {
        let events: BTreeSet<u32> = self.uses(node).chain(self.makers(node)).collect();
        let mut found = Vec::new();
        for event in events {
            let (first, end) = (self.input_range(event).0, self.output_range(event).1);
            let nodes = self.line_node.get(first..end).unwrap_or_default();
            let steps = self.line_steps.get(first..end).unwrap_or_default();
            for ((line, &own), &steps) in (first as u32..).zip(nodes).zip(steps) {
                if own == node && steps >= 0 {
                    found.push((event, line, steps));
                }
            }
        }
        found
    }

    /// Whether the unit of a node is in use: by a line with a quantity of an event that counts, or by a
    /// heel.
    pub(crate) fn is_unit_used(&self, node: u32) -> bool {
        let measures = |(&own, &steps): (&u32, &i64)| own == node && steps >= 0;
        self.has_heel(node)
            || self.uses(node).any(|event| self.input_lines(event).any(measures))
            || self.makers(node).any(|event| self.output_lines(event).any(measures))
    }

    /// Whether a heel was declared for a node.
    pub(crate) fn has_heel(&self, node: u32) -> bool {
        self.heels.contains_key(&node)
    }

    /// Gives a line of an event that counts another quantity, or none; false, and nothing changes, when
    /// all quantities together would be too large to be held exactly. [`Graph::remark`] its event when
    /// all its lines are done.
    pub(crate) fn measure(&mut self, event: u32, line: u32, steps: Option<i64>) -> bool {
        let is_input = self.input_range(event).1 > line as usize;
        let total = if is_input { &mut self.input_total } else { &mut self.output_total };
        let Some(slot) = self.line_steps.get_mut(line as usize) else { return false };
        let rest = total.saturating_sub((*slot).max(0));
        let sum = rest.checked_add(steps.unwrap_or(0)).filter(|&sum| sum <= MAX_TOTAL_STEPS);
        let Some(sum) = sum else { return false };
        (*total, *slot) = (sum, steps.unwrap_or(UNMEASURED));
        true
    }

    /// Looks anew whether the lines of an event can be summed.
    pub(crate) fn remark(&mut self, event: u32) {
        let mixed = self.mixed_marks(event);
        if let Some(marks) = self.marks.get_mut(event as usize) {
            *marks = (*marks & !(MIXED_INPUTS | MIXED_OUTPUTS)) | mixed;
        }
    }

    fn mixed_marks(&self, event: u32) -> u8 {
        let portions = |lines: Lines<'_>| -> Vec<Portion> {
            let known = |steps: i64| Some(steps).filter(|&steps| steps >= 0);
            let lines = lines.map(|(&node, &steps)| (NodeIndex(node), known(steps)));
            lines.map(|(node, steps)| Portion { node, steps }).collect()
        };
        let inputs = self.is_mixed(&portions(self.input_lines(event)));
        let outputs = self.is_mixed(&portions(self.output_lines(event)));
        (if inputs { MIXED_INPUTS } else { 0 }) | (if outputs { MIXED_OUTPUTS } else { 0 })
    }
}
