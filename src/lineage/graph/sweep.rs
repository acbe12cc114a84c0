//! The set that is connected forward, by a sweep over the nodes in order of arrival, without a queue.
//!
//! Nodes arrive about in order of time, so nearly all links lead to later nodes, and one pass finds
//! nearly everything. What a link back has named stays marked and is found by another pass. A search
//! with a queue takes over where it is faster: from few nodes of a graph too large for the cache of a
//! processor, and after many passes, so that no order of arrival makes this slow.
//!
//! Always true: between two calls nothing is marked, and what is done was followed exactly once.

use alloc::vec::Vec;

use super::bits::{Bits, ones};
use super::reach::{Direction, Searcher};
use super::{COMPLEX, Graph, NodeIndex};

/// Nodes that are taken up together, one bit each in a word.
const BLOCK: usize = 64;
/// With more than one start in so many blocks, looking at each block is cheaper than remembering
/// which ones have marks.
const BLOCKS_A_START: usize = 64;
/// From this mean length on, runs of neighbors are followed at once.
const LONG_RUN: u32 = 3;
/// Most rows have no more entries.
const USUAL_ROW: usize = 4;
/// With more nodes than this, marks of few starts lie too far apart for the second-level caches of
/// today.
const CACHED: usize = 1 << 19;
/// Passes before a search takes over.
const PASSES: usize = 16;

/// What a sweep has reached; reused between sweeps to save clearing.
///
/// ```
/// use aftersale::lineage::event::EventKind;
/// use aftersale::lineage::graph::sweep::Sweep;
/// use aftersale::lineage::graph::{Graph, Head, NodeIndex, Portion};
///
/// let mut graph = Graph::new();
/// let [milk, cheese, other] = [graph.add_node(1)?, graph.add_node(1)?, graph.add_node(1)?];
/// let head = Head { time: 1, sequence: 0, kind: EventKind::Make };
/// graph.append(head, &[Portion::new(milk, 10)], &[Portion::new(cheese, 1)])?;
/// graph.append(Head { time: 2, ..head }, &[], &[Portion::new(other, 1)])?;
///
/// let mut sweep = Sweep::new();
/// graph.sweep(&[milk], &mut sweep);
/// assert_eq!(sweep.reached().collect::<Vec<NodeIndex>>(), [milk, cheese]);
/// # Ok::<(), aftersale::lineage::graph::GraphError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// One byte a node: named by a link, and not taken up since. A byte is set without reading it,
    /// so that links into one block need not wait for each other.
    nodes: Vec<[u8; BLOCK]>,
    /// One byte a block: may have marks. Kept for few starts only.
    blocks: Vec<[u8; BLOCK]>,
    /// One bit a node: reached and followed.
    done: Vec<u64>,
    /// The blocks with anything done, each once.
    found: Vec<u32>,
    count: usize,
    events: Bits,
    events_seen: Vec<u32>,
    searcher: Searcher,
    is_searched: bool,
}

impl Sweep {
    /// A sweep without memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many nodes the last sweep reached, the starts included.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The nodes that the last sweep reached, the starts included, in no particular order.
    pub fn reached(&self) -> impl Iterator<Item = NodeIndex> + '_ {
        let searched = self.is_searched.then(|| self.searcher.reached());
        let swept = self.found.iter().flat_map(|&block| {
            let word = self.done.get(block as usize).copied().unwrap_or_default();
            ones(word).map(move |bit| NodeIndex((block << 6) | bit))
        });
        swept.chain(searched.into_iter().flatten())
    }

    fn begin(&mut self, graph: &Graph) {
        for block in self.found.drain(..) {
            if let Some(word) = self.done.get_mut(block as usize) {
                *word = 0;
            }
        }
        for event in self.events_seen.drain(..) {
            self.events.remove(event);
        }
        self.count = 0;
        self.is_searched = false;
        self.events.reserve(graph.events());
    }

    fn reserve(&mut self, blocks: usize) {
        if self.done.len() < blocks {
            self.done.resize(blocks, 0);
            self.nodes.resize(blocks, [0; BLOCK]);
            self.blocks.resize(blocks.div_ceil(BLOCK), [0; BLOCK]);
        }
    }

    fn marks<const FEW: bool>(&mut self) -> Marks<'_, FEW> {
        Marks { nodes: self.nodes.as_flattened_mut(), blocks: self.blocks.as_flattened_mut() }
    }

    /// The first block from here on that may have marks; past the last when there is none.
    fn next_marked(&self, from: usize) -> usize {
        let span = from / BLOCK;
        let here = self.blocks.get(span).map_or(0, gather) >> (from % BLOCK);
        if here != 0 {
            return from.saturating_add(here.trailing_zeros() as usize);
        }
        let later = self.blocks.get(span.saturating_add(1)..).unwrap_or_default();
        let skipped = later.iter().take_while(|span| is_empty(span)).count();
        let first = later.get(skipped).map_or(0, |span| gather(span).trailing_zeros() as usize);
        let span = span.saturating_add(1).saturating_add(skipped);
        span.saturating_mul(BLOCK).saturating_add(first)
    }

    /// The first block with marks.
    fn first_marked<const FEW: bool>(&self) -> Option<usize> {
        if FEW {
            return Some(self.next_marked(0)).filter(|&block| block < self.done.len());
        }
        self.nodes.iter().position(|block| !is_empty(block))
    }

    /// Takes the marks of a block and returns those of them that are new.
    #[inline]
    fn take(&mut self, at: usize) -> u64 {
        if let Some(marked) = self.blocks.as_flattened_mut().get_mut(at) {
            *marked = 0;
        }
        let (Some(block), Some(done)) = (self.nodes.get_mut(at), self.done.get_mut(at)) else {
            return 0;
        };
        if is_empty(block) {
            return 0;
        }
        let fresh = gather(&core::mem::replace(block, [0; BLOCK])) & !*done;
        if *done == 0 && fresh != 0 {
            self.found.push(at as u32);
        }
        *done |= fresh;
        self.count = self.count.saturating_add(fresh.count_ones() as usize);
        fresh
    }

    /// Whether an event was not met before.
    fn enter(&mut self, event: u32) -> bool {
        let is_new = self.events.insert(event);
        if is_new {
            self.events_seen.push(event);
        }
        is_new
    }
}

/// Whether no byte is set; without a call, which comparing arrays would be.
#[inline]
fn is_empty(block: &[u8; BLOCK]) -> bool {
    let (eights, _) = block.as_chunks::<8>();
    eights.iter().fold(0, |any, &eight| any | u64::from_le_bytes(eight)) == 0
}

/// The lowest bit of each byte.
#[inline]
fn gather(block: &[u8; BLOCK]) -> u64 {
    let (eights, _) = block.as_chunks::<8>();
    eights.iter().rev().fold(0, |word, &eight| {
        let packed = u64::from_le_bytes(eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word << 8 | packed
    })
}

/// Where links are marked. `FEW`: remember the blocks too.
struct Marks<'s, const FEW: bool> {
    nodes: &'s mut [u8],
    blocks: &'s mut [u8],
}

impl<const FEW: bool> Marks<'_, FEW> {
    #[inline]
    fn set(&mut self, entry: u32) {
        if let Some(node) = self.nodes.get_mut(entry as usize) {
            *node = 1;
        }
        if FEW && let Some(block) = self.blocks.get_mut(entry as usize / BLOCK) {
            *block = 1;
        }
    }

    /// Marks the entries of many rows. Marking twice does no harm, so the last four may overlap.
    #[inline]
    fn set_all(&mut self, entries: &[u32]) {
        for four in entries.as_chunks::<4>().0 {
            four.iter().for_each(|&entry| self.set(entry));
        }
        match entries.last_chunk::<4>() {
            Some(tail) => tail.iter().for_each(|&entry| self.set(entry)),
            None => entries.iter().for_each(|&entry| self.set(entry)),
        }
    }

    /// Marks the entries of one row. Its length is hard to predict, so the last entry of a short row
    /// is marked again until it has the usual length.
    #[inline]
    fn set_row(&mut self, row: &[u32]) {
        let Some(last) = row.len().checked_sub(1) else { return };
        for place in 0..USUAL_ROW {
            if let Some(&entry) = row.get(place.min(last)) {
                self.set(entry);
            }
        }
        if last >= USUAL_ROW
            && let Some(rest) = row.get(USUAL_ROW..)
        {
            rest.iter().for_each(|&entry| self.set(entry));
        }
    }
}

impl Graph {
    /// Finds all nodes connected forward from the starts, the starts included; nothing for a start
    /// that no event names. The same set as [`Graph::connected`], without distances.
    pub fn sweep(&self, starts: &[NodeIndex], sweep: &mut Sweep) {
        sweep.begin(self);
        let blocks = self.nodes().div_ceil(BLOCK);
        let few = starts.len().saturating_mul(BLOCKS_A_START) < blocks;
        let is_done = match (few, self.nodes() > CACHED) {
            (true, true) => false,
            (true, false) => self.sweep_from::<true>(starts, blocks, sweep),
            (false, _) => self.sweep_from::<false>(starts, blocks, sweep),
        };
        if !is_done {
            self.connected(starts, Direction::Forward, &mut sweep.searcher);
            sweep.count = sweep.searcher.reached().len();
            sweep.is_searched = true;
        }
    }

    /// The nodes connected forward from the starts, the starts included. Ascending.
    #[must_use]
    pub fn sweep_forward(&self, starts: &[NodeIndex]) -> Vec<NodeIndex> {
        let mut sweep = Sweep::new();
        self.sweep(starts, &mut sweep);
        let mut nodes: Vec<NodeIndex> = sweep.reached().collect();
        nodes.sort_unstable();
        nodes
    }

    /// How many nodes are connected forward from the starts, the starts included.
    #[must_use]
    pub fn count_forward(&self, starts: &[NodeIndex]) -> usize {
        let mut sweep = Sweep::new();
        self.sweep(starts, &mut sweep);
        sweep.count()
    }

    /// Whether a few passes found everything; else nothing is found.
    fn sweep_from<const FEW: bool>(
        &self,
        starts: &[NodeIndex],
        blocks: usize,
        sweep: &mut Sweep,
    ) -> bool {
        sweep.reserve(blocks);
        let mut marks = sweep.marks::<FEW>();
        for start in starts.iter().filter(|start| self.is_named(start.0)) {
            marks.set(start.0);
        }
        for _ in 0..PASSES {
            let Some(first) = sweep.first_marked::<FEW>() else { return true };
            self.pass::<FEW>(first, sweep);
        }
        sweep.nodes.fill([0; BLOCK]);
        sweep.blocks.fill([0; BLOCK]);
        sweep.begin(self);
        false
    }

    /// Takes up block after block. A link within a block is seen by looking at the block again.
    fn pass<const FEW: bool>(&self, first: usize, sweep: &mut Sweep) {
        let blocks = self.nodes().div_ceil(BLOCK);
        let mut at = first;
        while at < blocks {
            match sweep.take(at) {
                0 if FEW => at = sweep.next_marked(at),
                0 => at = at.saturating_add(1),
                fresh => self.mark_block::<FEW>(at, fresh, sweep),
            }
        }
    }

    /// Marks what the nodes of a block lead to.
    #[inline]
    fn mark_block<const FEW: bool>(&self, at: usize, fresh: u64, sweep: &mut Sweep) {
        let base = (at as u32) << 6;
        if self.dead_in_rows {
            ones(fresh).for_each(|bit| self.mark_row(base | bit, sweep));
            return;
        }
        let mut marks = sweep.marks::<FEW>();
        let runs = (fresh & !(fresh << 1)).count_ones();
        if fresh.count_ones() >= runs.saturating_mul(LONG_RUN) {
            for (skip, length) in runs_of(fresh) {
                let first = base.saturating_add(skip);
                marks.set_all(self.frozen_rows(first, first.saturating_add(length)));
            }
        } else {
            ones(fresh).for_each(|bit| marks.set_row(self.frozen_uses(base | bit)));
        }
        let single = if self.uses_tail.len() > 0 { fresh } else { fresh & self.to_events.word(at) };
        ones(single).for_each(|bit| self.mark_row(base | bit, sweep));
    }

    /// Marks what one node leads to, entry by entry.
    fn mark_row(&self, node: u32, sweep: &mut Sweep) {
        for entry in self.row(node) {
            if self.dead_in_rows && !self.is_alive(self.event_of(entry)) {
                continue;
            }
            if entry & COMPLEX == 0 {
                sweep.marks::<true>().set(entry);
            } else if sweep.enter(entry & !COMPLEX) {
                let mut marks = sweep.marks::<true>();
                self.outputs(entry & !COMPLEX).iter().for_each(|&output| marks.set(output));
            }
        }
    }
}

/// The runs of ones in a word: where each starts and how long it is.
#[inline]
fn runs_of(mut word: u64) -> impl Iterator<Item = (u32, u32)> {
    let mut place = 0_u32;
    core::iter::from_fn(move || {
        let skip = (word != 0).then(|| word.trailing_zeros())?;
        word >>= skip;
        let length = word.trailing_ones();
        word = word.checked_shr(length).unwrap_or(0);
        let first = place.saturating_add(skip);
        place = first.saturating_add(length);
        Some((first, length))
    })
}
