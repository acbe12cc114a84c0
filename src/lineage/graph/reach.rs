//! Static traces: what is connected at all, whatever the times say. Never misses.

use alloc::vec::Vec;

use super::bits::Bits;
use super::{COMPLEX, Graph, NONE, NodeIndex};

/// How many nodes are looked up together.
const BATCH: usize = 32;

/// Which way a trace goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a lot to what was made of it and who got it.
    Forward,
    /// From an order or lot to what it was made of.
    Backward,
}

/// The nodes and events that a search has seen; reused between searches to save clearing.
#[derive(Clone, Debug, Default)]
pub struct Searcher {
    nodes: Bits,
    events: Bits,
    queue: Queue,
    events_seen: Vec<u32>,
    levels: Vec<usize>,
}

/// Nodes in the order they were found. Whether a node is new is hard to predict, so every node is
/// written behind the last and only the end moves when it is.
#[derive(Clone, Debug, Default)]
struct Queue {
    slots: Vec<u32>,
    len: usize,
}

impl Queue {
    #[inline]
    fn push_if(&mut self, node: u32, is_new: bool) {
        match self.slots.get_mut(self.len) {
            Some(slot) => *slot = node,
            None => self.grow(node),
        }
        self.len = self.len.saturating_add(is_new.into());
    }

    #[cold]
    fn grow(&mut self, node: u32) {
        self.slots.push(node);
        let room = self.slots.len().saturating_mul(2).max(64);
        self.slots.resize(room, 0);
    }

    fn nodes(&self) -> &[u32] {
        self.slots.get(..self.len).unwrap_or_default()
    }
}

impl Searcher {
    /// A searcher without memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn begin(&mut self, graph: &Graph, starts: &[NodeIndex]) {
        for &node in self.queue.nodes() {
            self.nodes.remove(node);
        }
        for &event in &self.events_seen {
            self.events.remove(event);
        }
        self.queue.len = 0;
        self.events_seen.clear();
        self.levels.clear();
        self.nodes.reserve(graph.nodes());
        self.events.reserve(graph.events());
        for start in starts {
            if graph.is_named(start.0) {
                self.visit(start.0);
            }
        }
    }

    #[inline]
    fn visit(&mut self, node: u32) {
        let is_new = self.nodes.insert(node);
        self.queue.push_if(node, is_new);
    }

    fn enter(&mut self, event: u32) -> bool {
        let fresh = self.events.insert(event);
        if fresh {
            self.events_seen.push(event);
        }
        fresh
    }

    /// The nodes reached by the last search, the starts first, nearest first.
    pub fn reached(&self) -> impl ExactSizeIterator<Item = NodeIndex> + '_ {
        self.queue.nodes().iter().copied().map(NodeIndex)
    }

    /// The nodes reached with their distance in links from the nearest start.
    pub fn distances(&self) -> impl Iterator<Item = (NodeIndex, u32)> + '_ {
        let mut level = 0_u32;
        let mut ends = self.levels.iter().peekable();
        self.queue.nodes().iter().enumerate().map(move |(place, &node)| {
            while ends.next_if(|&&end| end <= place).is_some() {
                level = level.saturating_add(1);
            }
            (NodeIndex(node), level)
        })
    }
}

impl Graph {
    /// All nodes connected to the starts in one direction, the starts included; nothing for a start
    /// that no event names. Nearest first.
    pub fn connected(&self, starts: &[NodeIndex], direction: Direction, searcher: &mut Searcher) {
        searcher.begin(self, starts);
        let mut place = 0;
        let mut level_end = searcher.queue.len;
        while place < searcher.queue.len {
            if place == level_end {
                searcher.levels.push(level_end);
                level_end = searcher.queue.len;
            }
            let mut batch = [0; BATCH];
            let ready = searcher.queue.nodes().get(place..level_end).unwrap_or_default();
            let taken = batch.iter_mut().zip(ready).map(|(slot, &node)| *slot = node).count();
            place = place.saturating_add(taken);
            let batch = batch.get(..taken).unwrap_or_default();
            match direction {
                Direction::Forward => self.step_forward(batch, searcher),
                Direction::Backward => self.step_backward(batch, searcher),
            }
        }
        searcher.levels.push(level_end);
    }

    /// The rows of the whole batch are looked up before any is followed, so that the reads wait for
    /// memory together instead of one after the other.
    #[inline]
    fn step_forward(&self, batch: &[u32], searcher: &mut Searcher) {
        let mut rows: [&[u32]; BATCH] = [&[]; BATCH];
        let mut firsts = [0; BATCH];
        for (row, &node) in rows.iter_mut().zip(batch) {
            *row = self.frozen_uses(node);
        }
        for (first, row) in firsts.iter_mut().zip(&rows) {
            *first = row.first().copied().unwrap_or(0);
        }
        for (row, first) in rows.iter().zip(firsts).take(batch.len()) {
            let Some((_, rest)) = row.split_first() else { continue };
            self.follow(first, searcher);
            rest.iter().for_each(|&entry| self.follow(entry, searcher));
        }
        if self.uses_tail.len() > 0 {
            for &node in batch {
                for entry in self.uses_tail.iter(node) {
                    self.follow(entry, searcher);
                }
            }
        }
    }

    #[inline]
    fn step_backward(&self, batch: &[u32], searcher: &mut Searcher) {
        let mut makers = [NONE; BATCH];
        let mut rows: [&[u32]; BATCH] = [&[]; BATCH];
        let mut firsts = [0; BATCH];
        for (maker, &node) in makers.iter_mut().zip(batch) {
            *maker = self.maker.get(node as usize).copied().unwrap_or(NONE);
        }
        for (row, &event) in rows.iter_mut().zip(&makers) {
            if event != NONE {
                *row = self.inputs(event);
            }
        }
        for (first, row) in firsts.iter_mut().zip(&rows) {
            *first = row.first().copied().unwrap_or(0);
        }
        for ((row, first), &event) in rows.iter().zip(firsts).zip(&makers).take(batch.len()) {
            let Some((_, rest)) = row.split_first() else { continue };
            // An event with one output is met once, with that output.
            let is_new = self.outputs(event).len() == 1 || searcher.enter(event);
            if is_new && self.is_alive(event) {
                searcher.visit(first);
                rest.iter().for_each(|&input| searcher.visit(input));
            }
        }
        if self.makers_more.len() > 0 {
            for &node in batch {
                for event in self.makers_more.iter(node) {
                    if self.is_alive(event) && searcher.enter(event) {
                        self.inputs(event).iter().for_each(|&input| searcher.visit(input));
                    }
                }
            }
        }
    }

    #[inline]
    fn follow(&self, entry: u32, searcher: &mut Searcher) {
        if self.dead != 0 && !self.is_alive(self.event_of(entry)) {
            return;
        }
        if entry & COMPLEX == 0 {
            searcher.visit(entry);
        } else if searcher.enter(entry & !COMPLEX) {
            for &output in self.outputs(entry & !COMPLEX) {
                searcher.visit(output);
            }
        }
    }

    /// The distinct nodes one link away, without the node itself, ascending.
    pub(crate) fn neighbors(&self, node: u32, direction: Direction) -> Vec<u32> {
        let mut found = Vec::new();
        match direction {
            Direction::Forward => {
                for event in self.uses(node) {
                    found.extend_from_slice(self.outputs(event));
                }
            }
            Direction::Backward => {
                for event in self.makers(node) {
                    found.extend_from_slice(self.inputs(event));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|&other| other != node && other != NONE);
        found
    }
}
