//! The event graph in dense indices: lines once per event, and both ways from node to event.
//!
//! In: nodes (lots, serials, orders) and events with input and output lines, best in time order.
//! Out: the rows that traces, the ledger and the rankings walk. Always true, and tested: a row is
//! the same whether it lies in the frozen part or in the tail; `position` orders the events by
//! (time, sequence, arrival); a voided event is skipped everywhere.
//!
//! The event is the node of the structure, not the link: an event with I inputs and O outputs costs
//! I + O lines instead of I * O links, and keeps which quantities belonged together. A host with
//! text keys uses [`Lineage`](super::Lineage), which holds one of these; a host that has dense keys
//! already may use this directly.

pub(crate) mod bits;
mod chains;
pub mod exposure;
pub(crate) mod heels;
mod measure;
mod order;
pub mod reach;
pub mod sweep;
pub mod timed;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bits::Bits;
use chains::Chains;
use order::Order;

use super::event::EventKind;

/// A node by its dense number: a lot, a serial, an order, or an article without a lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u32);

/// An event by its dense number, in order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventIndex(pub u32);

/// One line of an event: a node and how much of it, in steps of the node's base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// The node.
    pub node: NodeIndex,
    /// The quantity in steps; `None` when it is not known or not in the node's unit.
    pub steps: Option<i64>,
}

impl Portion {
    /// A line with a quantity.
    #[must_use]
    pub const fn new(node: NodeIndex, steps: i64) -> Self {
        Self { node, steps: Some(steps) }
    }
}

/// When an event happened and what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Seconds, or any other whole number that grows with time; only its order matters.
    pub time: i64,
    /// Decides between events of one time.
    pub sequence: u32,
    /// What happened.
    pub kind: EventKind,
}

/// An event the graph cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The node was not added before.
    #[error("node {node} was not added to the graph")]
    UnknownNode {
        /// The number given.
        node: u32,
    },
    /// The graph is full: 2^31 nodes, 2^31 events or 2^32 lines.
    #[error("the lineage graph is full")]
    Full,
    /// A quantity below zero, or one with which all quantities sum past 2^61 steps.
    #[error("the quantity of node {node} is below zero or too large to be held exactly")]
    BadQuantity {
        /// The node.
        node: u32,
    },
}

/// The most steps that all lines of one direction may sum to, so that no later sum overflows.
pub const MAX_TOTAL_STEPS: i64 = 1 << 61;

/// Marks an entry of a row as an event with several outputs (or none, or one made before).
const COMPLEX: u32 = 1 << 31;
/// No event.
const NONE: u32 = u32::MAX;
/// A quantity that is not known.
const UNMEASURED: i64 = -1;

const DEAD: u8 = 1 << 7;
const MIXED_INPUTS: u8 = 1 << 6;
const MIXED_OUTPUTS: u8 = 1 << 5;
const KIND: u8 = 0b1111;

/// The event graph: columns of events, lines and nodes, with rows from node to event both ways.
///
/// From a node forward, a row entry names the consuming event. When that event has one output that
/// nothing made before, the entry names the output node itself and the event is found as its first
/// maker; a walk then needs two cold reads per node instead of four. New entries go to a linked
/// tail that is merged when it passes an eighth of the frozen part.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    time: Vec<i64>,
    marks: Vec<u8>,
    inputs_at: Vec<u32>,
    outputs_at: Vec<u32>,
    sequence: BTreeMap<u32, u32>,
    line_node: Vec<u32>,
    line_steps: Vec<i64>,
    unit: Vec<u8>,
    maker: Vec<u32>,
    makers_more: Chains,
    uses_at: Vec<u32>,
    uses: Vec<u32>,
    uses_tail: Chains,
    /// The nodes whose frozen rows name an event and not only nodes.
    to_events: Bits,
    order: Order,
    cleans: BTreeMap<u32, Vec<u32>>,
    heels: BTreeMap<u32, i64>,
    dead: u32,
    /// Whether a row may still name an event that was voided.
    dead_in_rows: bool,
    input_total: i64,
    output_total: i64,
}

/// The nodes and steps of the lines of one side of an event, side by side.
pub(crate) type Lines<'g> = core::iter::Zip<core::slice::Iter<'g, u32>, core::slice::Iter<'g, i64>>;

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node whose base unit has a code of the host's choosing; 0 stands for "not known yet".
    ///
    /// # Errors
    ///
    /// [`GraphError::Full`].
    pub fn add_node(&mut self, unit: u8) -> Result<NodeIndex, GraphError> {
        let index = u32::try_from(self.maker.len()).ok().filter(|&index| index < COMPLEX);
        let index = index.ok_or(GraphError::Full)?;
        self.maker.push(NONE);
        self.unit.push(unit);
        Ok(NodeIndex(index))
    }

    /// Sets the unit code of a node of which no line has a quantity; 0 for none.
    pub(crate) fn set_unit(&mut self, node: NodeIndex, unit: u8) {
        if let Some(slot) = self.unit.get_mut(node.0 as usize) {
            *slot = unit;
        }
    }

    /// The unit code of a node.
    pub(crate) fn unit(&self, node: u32) -> u8 {
        self.unit.get(node as usize).copied().unwrap_or_default()
    }

    /// Appends an event with its lines. Late events (earlier than the newest) are welcome; each
    /// costs a shift of the events after it.
    ///
    /// # Errors
    ///
    /// [`GraphError`]; the graph is unchanged then.
    pub fn append(
        &mut self,
        head: Head,
        inputs: &[Portion],
        outputs: &[Portion],
    ) -> Result<EventIndex, GraphError> {
        let room = self.line_node.len().saturating_add(inputs.len()).saturating_add(outputs.len());
        let event = u32::try_from(self.marks.len()).ok().filter(|&event| event < COMPLEX);
        let (Some(event), true) = (event, u32::try_from(room).is_ok()) else {
            return Err(GraphError::Full);
        };
        let input_total = self.checked_total(self.input_total, inputs)?;
        let output_total = self.checked_total(self.output_total, outputs)?;
        (self.input_total, self.output_total) = (input_total, output_total);

        let marks = head.kind.number()
            | if self.is_mixed(inputs) { MIXED_INPUTS } else { 0 }
            | if self.is_mixed(outputs) { MIXED_OUTPUTS } else { 0 };
        self.order.place(event, head.time, head.sequence, &self.time, &self.sequence);
        if head.sequence != 0 {
            self.sequence.insert(event, head.sequence);
        }
        self.time.push(head.time);
        self.marks.push(marks);
        self.inputs_at.push(self.line_node.len() as u32);
        self.push_lines(inputs);
        self.outputs_at.push(self.line_node.len() as u32);
        self.push_lines(outputs);

        let single = match outputs {
            [only] if self.maker.get(only.node.0 as usize) == Some(&NONE) => Some(only.node.0),
            _ => None,
        };
        let since = self.makers_more.len();
        for output in outputs {
            self.add_maker(output.node.0, event, since);
        }
        let (entry, since) = (single.unwrap_or(event | COMPLEX), self.uses_tail.len());
        for input in inputs {
            self.uses_tail.push_once(input.node.0, entry, since);
        }
        if head.kind == EventKind::Clean {
            for input in inputs {
                self.cleans.entry(input.node.0).or_default().push(event);
            }
        }
        if self.uses_tail.len() > 1024 && self.uses_tail.len() > self.uses.len() / 8 {
            self.freeze();
        }
        Ok(EventIndex(event))
    }

    fn checked_total(&self, start: i64, lines: &[Portion]) -> Result<i64, GraphError> {
        let nodes = self.maker.len();
        lines.iter().try_fold(start, |total, line| {
            let node = line.node.0;
            if node as usize >= nodes {
                return Err(GraphError::UnknownNode { node });
            }
            let steps = line.steps.unwrap_or(0);
            let sum = total.checked_add(steps).filter(|&sum| steps >= 0 && sum <= MAX_TOTAL_STEPS);
            sum.ok_or(GraphError::BadQuantity { node })
        })
    }

    fn is_mixed(&self, lines: &[Portion]) -> bool {
        let mut lines = lines.iter();
        let Some(first) = lines.next() else { return false };
        let unit = self.unit(first.node.0);
        first.steps.is_none()
            || lines.any(|line| line.steps.is_none() || self.unit(line.node.0) != unit)
    }

    fn push_lines(&mut self, lines: &[Portion]) {
        self.line_node.extend(lines.iter().map(|line| line.node.0));
        self.line_steps.extend(lines.iter().map(|line| line.steps.unwrap_or(UNMEASURED)));
    }

    fn add_maker(&mut self, node: u32, event: u32, since: usize) {
        match self.maker.get_mut(node as usize) {
            Some(first) if *first == NONE => *first = event,
            Some(first) if *first == event => {}
            _ => self.makers_more.push_once(node, event, since),
        }
    }

    /// Merges the tail into the frozen rows and drops what was voided; happens by itself as the tail
    /// grows.
    pub fn freeze(&mut self) {
        let nodes = self.maker.len();
        let total = self.uses.len().saturating_add(self.uses_tail.len());
        let (mut starts, mut merged) = (Vec::with_capacity(nodes.saturating_add(1)), Vec::new());
        let mut to_events = Bits::new(nodes);
        merged.reserve_exact(total);
        starts.push(0);
        for node in 0..nodes as u32 {
            let row = merged.len();
            let counts = |entry: &u32| self.is_alive(self.event_of(*entry));
            if self.dead_in_rows {
                merged.extend(self.frozen_uses(node).iter().copied().filter(counts));
            } else {
                merged.extend_from_slice(self.frozen_uses(node));
            }
            let from = merged.len();
            merged.extend(self.uses_tail.iter(node).filter(counts));
            if let Some(added) = merged.get_mut(from..) {
                added.reverse();
            }
            let row = merged.get(row..).unwrap_or_default();
            if row.iter().any(|entry| entry & COMPLEX != 0) {
                to_events.insert(node);
            }
            starts.push(merged.len() as u32);
        }
        (self.uses_at, self.uses, self.to_events) = (starts, merged, to_events);
        self.uses_tail.clear();
        self.dead_in_rows = false;
    }

    /// Gives back the room that growth reserved; worth it after a bulk load.
    pub fn shrink(&mut self) {
        self.freeze();
        self.time.shrink_to_fit();
        self.marks.shrink_to_fit();
        self.inputs_at.shrink_to_fit();
        self.outputs_at.shrink_to_fit();
        self.line_node.shrink_to_fit();
        self.line_steps.shrink_to_fit();
        self.unit.shrink_to_fit();
        self.maker.shrink_to_fit();
    }

    /// The bytes held, without the room reserved for growth.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let four = [
            self.inputs_at.len(),
            self.outputs_at.len(),
            self.line_node.len(),
            self.maker.len(),
            self.uses_at.len(),
            self.uses.len(),
        ];
        let eight = [self.time.len(), self.line_steps.len()];
        let one = self.marks.len().saturating_add(self.unit.len());
        four.iter()
            .sum::<usize>()
            .saturating_mul(4)
            .saturating_add(eight.iter().sum::<usize>().saturating_mul(8))
            .saturating_add(one)
            .saturating_add(self.uses_tail.bytes())
            .saturating_add(self.makers_more.bytes())
            .saturating_add(self.order.bytes())
            .saturating_add(self.to_events.words().saturating_mul(8))
    }

    /// Makes an event as if it had never been. Doing so twice changes nothing.
    pub fn void(&mut self, event: EventIndex) {
        if let Some(marks) = self.marks.get_mut(event.0 as usize)
            && *marks & DEAD == 0
        {
            *marks |= DEAD;
            self.dead = self.dead.saturating_add(1);
            self.dead_in_rows = true;
            let total = |lines: Lines<'_>| lines.map(|(_, &steps)| steps.max(0)).sum::<i64>();
            let (ins, outs) = (total(self.input_lines(event.0)), total(self.output_lines(event.0)));
            self.input_total = self.input_total.saturating_sub(ins);
            self.output_total = self.output_total.saturating_sub(outs);
        }
    }

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.maker.len()
    }

    /// How many events there are, voided ones included.
    #[must_use]
    pub fn events(&self) -> usize {
        self.marks.len()
    }

    /// How many lines there are, those of voided events included.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.line_node.len()
    }

    /// The steps of all outputs of all events that count, whatever their units.
    pub(crate) fn output_total(&self) -> i64 {
        self.output_total
    }

    /// Whether an event counts.
    pub(crate) fn is_alive(&self, event: u32) -> bool {
        self.dead == 0 || self.marks.get(event as usize).is_some_and(|marks| marks & DEAD == 0)
    }

    /// The time of an event.
    pub(crate) fn time(&self, event: u32) -> i64 {
        self.time.get(event as usize).copied().unwrap_or_default()
    }

    /// What an event was.
    pub(crate) fn kind(&self, event: u32) -> EventKind {
        let marks = self.marks.get(event as usize).copied().unwrap_or_default();
        EventKind::of_number(marks & KIND)
    }

    /// Whether the inputs have several units or a quantity is missing among them.
    pub(crate) fn has_mixed_inputs(&self, event: u32) -> bool {
        self.marks.get(event as usize).is_some_and(|marks| marks & MIXED_INPUTS != 0)
    }

    /// Whether the outputs have several units or a quantity is missing among them.
    pub(crate) fn has_mixed_outputs(&self, event: u32) -> bool {
        self.marks.get(event as usize).is_some_and(|marks| marks & MIXED_OUTPUTS != 0)
    }

    /// The input nodes of an event.
    pub(crate) fn inputs(&self, event: u32) -> &[u32] {
        let (from, to) = self.input_range(event);
        self.line_node.get(from..to).unwrap_or_default()
    }

    /// The output nodes of an event.
    pub(crate) fn outputs(&self, event: u32) -> &[u32] {
        let (from, to) = self.output_range(event);
        self.line_node.get(from..to).unwrap_or_default()
    }

    /// The input lines of an event; steps below zero are not known.
    pub(crate) fn input_lines(&self, event: u32) -> Lines<'_> {
        self.lines_of(self.input_range(event))
    }

    /// The output lines of an event; steps below zero are not known.
    pub(crate) fn output_lines(&self, event: u32) -> Lines<'_> {
        self.lines_of(self.output_range(event))
    }

    /// The nodes of the next lines in order of arrival, once an event has come to the place up to
    /// which they were looked at; else none.
    #[inline]
    pub(crate) fn lines_ahead(&self, event: u32, looked: usize) -> &[u32] {
        const AHEAD: usize = 64;
        if self.input_range(event).1 < looked {
            return &[];
        }
        let to = looked.saturating_add(AHEAD).min(self.line_node.len());
        self.line_node.get(looked..to).unwrap_or_default()
    }

    fn lines_of(&self, (from, to): (usize, usize)) -> Lines<'_> {
        let nodes = self.line_node.get(from..to).unwrap_or_default();
        nodes.iter().zip(self.line_steps.get(from..to).unwrap_or_default())
    }

    fn input_range(&self, event: u32) -> (usize, usize) {
        let from = self.inputs_at.get(event as usize).copied().unwrap_or_default();
        let to = self.outputs_at.get(event as usize).copied().unwrap_or_default();
        (from as usize, to as usize)
    }

    fn output_range(&self, event: u32) -> (usize, usize) {
        let from = self.outputs_at.get(event as usize).copied().unwrap_or_default();
        let next = self.inputs_at.get((event as usize).saturating_add(1)).copied();
        (from as usize, next.map_or(self.line_node.len(), |next| next as usize))
    }

    fn frozen_uses(&self, node: u32) -> &[u32] {
        let from = self.uses_at.get(node as usize);
        let to = self.uses_at.get((node as usize).saturating_add(1));
        match (from, to) {
            (Some(&from), Some(&to)) => {
                self.uses.get(from as usize..to as usize).unwrap_or_default()
            }
            _ => &[],
        }
    }

    /// The frozen rows of neighbors, one behind the other.
    #[inline]
    fn frozen_rows(&self, first: u32, end: u32) -> &[u32] {
        let at = |node: u32| {
            self.uses_at.get(node as usize).map_or(self.uses.len(), |&from| from as usize)
        };
        self.uses.get(at(first)..at(end)).unwrap_or_default()
    }

    /// The raw row of a node: a node, or an event marked [`COMPLEX`].
    #[inline]
    fn row(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        self.frozen_uses(node).iter().copied().chain(self.uses_tail.iter(node))
    }

    /// The event behind an entry of a row.
    #[inline]
    fn event_of(&self, entry: u32) -> u32 {
        if entry & COMPLEX != 0 {
            return entry & !COMPLEX;
        }
        self.maker.get(entry as usize).copied().unwrap_or(NONE)
    }

    /// The events that consumed a node, each once, voided ones left out, in no particular order.
    pub(crate) fn uses(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        self.row(node).map(|entry| self.event_of(entry)).filter(|&event| self.is_alive(event))
    }

    /// The events that put a node out, each once, voided ones left out, in no particular order.
    pub(crate) fn makers(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.maker.get(node as usize).copied().filter(|&first| first != NONE);
        first.into_iter().chain(self.makers_more.iter(node)).filter(|&event| self.is_alive(event))
    }

    /// Whether an event that counts names the node.
    pub(crate) fn is_named(&self, node: u32) -> bool {
        self.uses(node).next().is_some() || self.makers(node).next().is_some()
    }

    /// The place of an event in the order of (time, sequence, arrival).
    pub(crate) fn position(&self, event: u32) -> u32 {
        self.order.position(event)
    }

    /// The event at a place of that order.
    pub(crate) fn event_at(&self, position: u32) -> u32 {
        self.order.event_at(position)
    }

    /// The events that count, in order of (time, sequence, arrival).
    pub(crate) fn chronological(&self) -> impl Iterator<Item = u32> + '_ {
        let events = self.marks.len() as u32;
        (0..events).map(|position| self.event_at(position)).filter(|&event| self.is_alive(event))
    }

    /// The events that count from a time on and before another, in the same order.
    pub(crate) fn between(&self, from: i64, until: i64) -> impl Iterator<Item = u32> + '_ {
        let first = self.order.first_at(from, &self.time);
        let last = self.order.first_at(until, &self.time);
        (first..last).map(|position| self.event_at(position)).filter(|&event| self.is_alive(event))
    }

    /// Whether any vessel was ever cleaned.
    pub(crate) fn has_cleans(&self) -> bool {
        !self.cleans.is_empty()
    }

    /// The places at which a node was cleaned, in no particular order.
    pub(crate) fn clean_positions(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let cleans = self.cleans.get(&node).map(Vec::as_slice).unwrap_or_default();
        cleans.iter().copied().filter(|&event| self.is_alive(event)).map(|e| self.position(e))
    }
}
