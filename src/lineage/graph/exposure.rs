//! Which units hold material of which candidate, for many candidates in one sweep.
//!
//! Each candidate is a lane, one bit; a sweep carries [`LANES`] lanes through all events in order of
//! time. The same answers as one timed trace per candidate.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use super::timed::Suspicion;
use super::{Graph, NodeIndex};
use crate::lineage::event::EventKind;

/// Words per node in one sweep.
const WORDS: usize = 4;
/// Candidates per sweep.
pub const LANES: usize = WORDS * 64;

/// How a candidate is spread over the units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// The exposed units by group (the caller's numbering), and the marked ones among them.
    pub by_group: Vec<(u32, u32)>,
    /// The same for two candidates exactly when they reach the same units (up to a chance of 2^-128
    /// per pair).
    pub print: u128,
}

/// A unit to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The node.
    pub node: NodeIndex,
    /// The group it is counted in, such as a stratum; numbered from zero without gaps.
    pub group: u32,
    /// Whether it counts as marked (defective).
    pub marked: bool,
}

impl Graph {
    /// For each candidate, the watched units that it reaches in time, those cleaned later included.
    ///
    /// A candidate's times from which nodes are suspect play no part; cleaning does.
    #[must_use]
    pub fn exposures(&self, candidates: &[Suspicion], watched: &[Watched]) -> Vec<Exposure> {
        let groups = watched
            .iter()
            .map(|unit| unit.group)
            .max()
            .map_or(1, |most| (most as usize).saturating_add(1));
        let mut found = Vec::with_capacity(candidates.len());
        for batch in candidates.chunks(LANES) {
            let lanes = self.carry(batch);
            let mut batch_found =
                vec![Exposure { by_group: vec![(0, 0); groups], print: 0 }; batch.len()];
            for unit in watched {
                let Some(lanes) = lanes.get(unit.node.0 as usize) else { continue };
                let print = scramble(unit.node.0);
                for (word, &bits) in lanes.iter().enumerate() {
                    for bit in super::bits::ones(bits) {
                        let lane = word.saturating_mul(64).saturating_add(bit as usize);
                        let Some(exposure) = batch_found.get_mut(lane) else { continue };
                        exposure.print = exposure.print.wrapping_add(print);
                        if let Some(group) = exposure.by_group.get_mut(unit.group as usize) {
                            group.0 = group.0.saturating_add(1);
                            group.1 = group.1.saturating_add(unit.marked.into());
                        }
                    }
                }
            }
            found.append(&mut batch_found);
        }
        found
    }

    fn carry(&self, batch: &[Suspicion]) -> Vec<[u64; WORDS]> {
        let mut lanes = vec![[0; WORDS]; self.nodes()];
        let emptyings = self.emptyings();
        // Vessels that are suspect themselves stay so until they are cleaned.
        let mut own: BTreeMap<u32, [u64; WORDS]> = BTreeMap::new();
        // What was in a vessel before it was cleaned or emptied: it was reached all the same.
        let mut before: BTreeMap<u32, [u64; WORDS]> = BTreeMap::new();
        let mut starts: Vec<(u32, usize)> = Vec::new();
        for (lane, candidate) in batch.iter().enumerate() {
            for (node, _) in &candidate.nodes {
                if let Some(mask) = lanes.get_mut(node.0 as usize)
                    && self.is_named(node.0)
                {
                    set(mask, lane);
                }
            }
            let alive = candidate.events.iter().filter(|event| self.is_alive(event.0));
            starts.extend(alive.map(|event| (self.position(event.0), lane)));
        }
        if !emptyings.is_empty() {
            let vessels = emptyings.in_order().iter().map(|entry| entry.1);
            own.extend(vessels.filter_map(|node| Some((node, *lanes.get(node as usize)?))));
        }
        starts.sort_unstable();
        let mut starts = starts.into_iter().peekable();
        for position in 0..self.events() as u32 {
            let event = self.event_at(position);
            if !self.is_alive(event) {
                continue;
            }
            for node in emptyings.at(position) {
                if let Some(to) = lanes.get_mut(node as usize) {
                    join(before.entry(node).or_default(), to);
                    *to = own.get(&node).copied().unwrap_or_default();
                }
            }
            let mut mask = [0; WORDS];
            for &node in self.inputs(event) {
                if let Some(from) = lanes.get(node as usize) {
                    join(&mut mask, from);
                }
            }
            while let Some((_, lane)) = starts.next_if(|start| start.0 <= position) {
                set(&mut mask, lane);
            }
            if mask == [0; WORDS] {
                continue;
            }
            if self.has_cleans() && self.kind(event) == EventKind::Clean {
                for &node in self.inputs(event) {
                    if let Some(from) = lanes.get_mut(node as usize) {
                        join(before.entry(node).or_default(), &core::mem::take(from));
                    }
                    own.remove(&node);
                }
            }
            for &node in self.outputs(event) {
                if let Some(to) = lanes.get_mut(node as usize) {
                    join(to, &mask);
                }
            }
        }
        for (node, mask) in before {
            if let Some(to) = lanes.get_mut(node as usize) {
                join(to, &mask);
            }
        }
        lanes
    }
}

#[inline]
fn set(mask: &mut [u64; WORDS], lane: usize) {
    if let Some(word) = mask.get_mut(lane / 64) {
        *word |= 1 << (lane % 64);
    }
}

#[inline]
fn join(into: &mut [u64; WORDS], from: &[u64; WORDS]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into |= from;
    }
}

/// Two rounds of SplitMix64 over a number, side by side.
fn scramble(number: u32) -> u128 {
    let mix = |seed: u64| {
        let z = seed
            .wrapping_add(u64::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (u128::from(mix(0)) << 64) | u128::from(mix(0x6a09_e667_f3bc_c908))
}
