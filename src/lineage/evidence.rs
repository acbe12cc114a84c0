//! Evidence: for each affected order the shortest chain of events, and the points all chains pass.
//!
//! Both follow the order of time: a chain never uses what happened later, and a lot that was
//! touched twice counts from the touch that came first.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use serde::Serialize;

use super::Lineage;
use super::event::{EventId, EventKind, Item};
use super::graph::timed::{Suspicion, TimedReach};
use super::source::Source;
use crate::id::OrderId;

/// One step of a chain of evidence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Step {
    /// The input; none where the event itself is suspect.
    pub from: Option<Item>,
    /// The event.
    pub event: EventId,
    /// The output.
    pub to: Item,
}

/// A point that every chain passes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// An item.
    Item(Item),
    /// An event.
    Event(EventId),
}

/// How the affected orders were reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// For each affected order the chain with the fewest events; of several items of the order the first
    /// that is reached by so few.
    pub paths: BTreeMap<OrderId, Vec<Step>>,
    /// Affected orders whose chains are not listed, because all together have more than [`MAX_STEPS`]
    /// steps: ask for one by [`Lineage::path_to`].
    pub without_path: BTreeSet<OrderId>,
    /// What all chains to all affected orders have in common, the source first. Whoever must check
    /// a suspicion starts here.
    pub common: Vec<Point>,
}

/// The most steps that the chains of all orders have together. A lineage of rework rounds, each shipped
/// from, has as many as the square of its rounds.
pub const MAX_STEPS: usize = 1_000_000;

/// The most points of a chain that are tried one by one.
const MAX_TRIED: usize = 256;

/// The last step to a node: how many events, and which one was last.
type Arrival = (u32, Option<u32>);

/// The shortest way to each event: the input and the event that input came from.
#[derive(Default)]
struct Shortest {
    best: BTreeMap<u32, Arrival>,
    into: BTreeMap<u32, (Option<u32>, Option<u32>)>,
}

impl Lineage {
    /// The evidence for every order that a timed trace from the sources reaches.
    #[must_use]
    pub fn evidence(&self, sources: &[Source]) -> Evidence {
        let resolved = self.resolve(sources);
        let reach = self.reach(&resolved.suspicion);
        let live = Live::new(self, &resolved.suspicion);
        let shortest = self.shortest(&reach, &live);
        let targets: Vec<u32> =
            self.order_arrivals(&reach, &shortest).map(|(_, node, _)| node).collect();
        let nearest = self.nearest_items(&reach, &shortest);
        let mut evidence =
            Evidence { common: self.common_points(&reach, &live, &targets), ..Evidence::default() };
        if let Some(&(node, arrival)) = nearest.values().next() {
            let path = self.path(node, arrival, &shortest);
            self.add_common_items(&resolved.suspicion, &targets, &path, &mut evidence.common);
        }
        let mut steps = 0_usize;
        for (order, (node, arrival)) in nearest {
            steps = steps.saturating_add(arrival.0 as usize);
            if steps > MAX_STEPS {
                evidence.without_path.insert(order.clone());
            } else {
                evidence.paths.insert(order.clone(), self.path(node, arrival, &shortest));
            }
        }
        evidence
    }

    /// The chain with the fewest events from the sources to one order; none when a timed trace does not
    /// reach it.
    #[must_use]
    pub fn path_to(&self, order: &OrderId, sources: &[Source]) -> Option<Vec<Step>> {
        let resolved = self.resolve(sources);
        let reach = self.reach(&resolved.suspicion);
        let shortest = self.shortest(&reach, &Live::new(self, &resolved.suspicion));
        let (node, arrival) = *self.nearest_items(&reach, &shortest).get(order)?;
        Some(self.path(node, arrival, &shortest))
    }

    /// The affected items of orders, with the last step to each.
    fn order_arrivals<'a>(
        &'a self,
        reach: &'a TimedReach,
        shortest: &'a Shortest,
    ) -> impl Iterator<Item = (&'a OrderId, u32, Arrival)> {
        reach.nodes.iter().filter_map(|node| {
            let order = self.item(*node).and_then(Item::order)?;
            Some((order, node.0, *shortest.best.get(&node.0)?))
        })
    }

    /// For each affected order its item with the shortest chain; of several the first by name.
    fn nearest_items<'a>(
        &'a self,
        reach: &'a TimedReach,
        shortest: &'a Shortest,
    ) -> BTreeMap<&'a OrderId, (u32, Arrival)> {
        let mut nearest: BTreeMap<&OrderId, (u32, Arrival)> = BTreeMap::new();
        let key = |(node, arrival): (u32, Arrival)| (arrival.0, self.items.get(node as usize));
        for (order, node, arrival) in self.order_arrivals(reach, shortest) {
            let held = nearest.entry(order).or_insert((node, arrival));
            if key((node, arrival)) < key(*held) {
                *held = (node, arrival);
            }
        }
        nearest
    }

    /// Items that lie on every chain, but on different chains at different times (a tank): each
    /// item of one chain is tried by leaving it out. Such a point stands where the chain has it.
    fn add_common_items(
        &self,
        suspicion: &Suspicion,
        targets: &[u32],
        path: &[Step],
        common: &mut Vec<Point>,
    ) {
        let mut place = 0;
        let items = path.iter().flat_map(|step| {
            [step.from.clone().map(Point::Item), Some(Point::Event(step.event.clone()))]
        });
        let last = path.last().map(|step| Point::Item(step.to.clone()));
        for point in items.chain([last]).flatten().take(MAX_TRIED) {
            if let Some(known) = common.iter().position(|known| *known == point) {
                place = known.saturating_add(1);
                continue;
            }
            let Point::Item(item) = &point else { continue };
            let barred = self.node(item).map(|node| node.0);
            let left = self.graph.timed_forward_without(suspicion, barred).nodes;
            let reaches = |target: &u32| left.binary_search_by_key(target, |node| node.0).is_ok();
            if !targets.iter().any(reaches) {
                common.insert(place, point);
                place = place.saturating_add(1);
            }
        }
    }

    fn shortest(&self, reach: &TimedReach, live: &Live) -> Shortest {
        let mut shortest = Shortest::default();
        let emptyings = self.graph.emptyings();
        let mut emptyings = emptyings.in_order().iter().peekable();
        for &event in &reach.events {
            let event = event.0;
            let position = self.graph.position(event);
            while let Some((_, vessel)) = emptyings.next_if(|entry| entry.0 <= position) {
                shortest.best.remove(vessel);
            }
            if self.graph.kind(event) == EventKind::Clean {
                self.graph.inputs(event).iter().for_each(|node| {
                    shortest.best.remove(node);
                });
                continue;
            }
            let mut chosen: Option<(u32, &Item, u32, Option<u32>)> = None;
            for &node in self.graph.inputs(event) {
                let seed = live.is_live(self, node, event).then_some((0, None));
                let arrival = seed.or_else(|| shortest.best.get(&node).copied());
                let item = self.items.get(node as usize);
                if let (Some((far, via)), Some(item)) = (arrival, item)
                    && chosen.is_none_or(|(best, held, ..)| (far, item) < (best, held))
                {
                    chosen = Some((far, item, node, via));
                }
            }
            let source = live.events.contains(&event);
            let (far, into) = match chosen {
                Some((far, _, node, via)) if !source => (far, (Some(node), via)),
                _ => (0, (None, None)),
            };
            shortest.into.insert(event, into);
            let far = far.saturating_add(1);
            for &node in self.graph.outputs(event) {
                let arrival = shortest.best.entry(node).or_insert((far, Some(event)));
                if far < arrival.0 {
                    *arrival = (far, Some(event));
                }
            }
        }
        shortest
    }

    fn path(&self, node: u32, arrival: Arrival, shortest: &Shortest) -> Vec<Step> {
        let (mut node, mut via) = (node, arrival.1);
        let mut steps = Vec::new();
        while let Some(event) = via {
            let (from, before) = shortest.into.get(&event).copied().unwrap_or_default();
            if let (Some(event), Some(to)) = (self.id_of(event), self.item_at(node)) {
                let from = from.and_then(|from| self.item_at(from));
                steps.push(Step { from, event, to });
            }
            let Some(from) = from else { break };
            (node, via) = (from, before);
        }
        steps.reverse();
        steps
    }

    /// The dominators that all targets share, from the source on.
    fn common_points(&self, reach: &TimedReach, live: &Live, targets: &[u32]) -> Vec<Point> {
        let mut tree = Dominators::default();
        let mut current: BTreeMap<u32, usize> = BTreeMap::new();
        let mut seeds: BTreeMap<u32, usize> = BTreeMap::new();
        let emptyings = self.graph.emptyings();
        let mut emptyings = emptyings.in_order().iter().peekable();
        for &event in &reach.events {
            let event = event.0;
            let position = self.graph.position(event);
            while let Some((_, vessel)) = emptyings.next_if(|entry| entry.0 <= position) {
                current.remove(vessel);
            }
            if self.graph.kind(event) == EventKind::Clean {
                self.graph.inputs(event).iter().for_each(|node| {
                    current.remove(node);
                });
                continue;
            }
            let mut before: Vec<Option<usize>> = Vec::new();
            for &node in self.graph.inputs(event) {
                before.extend(current.get(&node).copied().map(Some));
                if live.is_live(self, node, event) {
                    let seed = *seeds.entry(node).or_insert_with(|| tree.add(Of::Node(node), None));
                    before.push(Some(seed));
                }
            }
            if live.events.contains(&event) {
                before.push(None);
            }
            let parent = tree.meet(before);
            let here = tree.add(Of::Event(event), parent);
            for &node in self.graph.outputs(event) {
                let mut ways = Vec::from([Some(here)]);
                ways.extend(current.get(&node).copied().map(Some));
                let parent = tree.meet(ways);
                current.insert(node, tree.add(Of::Node(node), parent));
            }
        }
        let ends = targets.iter().filter_map(|node| current.get(node).copied().map(Some));
        let mut at = tree.meet(ends);
        let (mut points, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some(vertex) = tree.vertex(at) {
            let point = match vertex.of {
                Of::Node(node) => self.item_at(node).map(Point::Item),
                Of::Event(event) => self.id_of(event).map(Point::Event),
            };
            points.extend(point.filter(|point| seen.insert(point.clone())));
            at = vertex.parent;
        }
        points.reverse();
        points
    }
}

/// Which suspects are suspect at which event.
struct Live {
    nodes: BTreeMap<u32, (Option<i64>, Option<u32>)>,
    events: BTreeSet<u32>,
}

impl Live {
    fn new(lineage: &Lineage, suspicion: &Suspicion) -> Self {
        let graph = &lineage.graph;
        let mut nodes: BTreeMap<u32, (Option<i64>, Option<u32>)> = BTreeMap::new();
        for &(node, since) in &suspicion.nodes {
            let counts =
                |place: &u32| since.is_none_or(|s| graph.time(graph.event_at(*place)) >= s);
            let until = graph.clean_positions(node.0).filter(counts).min();
            // Without a time sorts first and is the wider suspicion.
            nodes.entry(node.0).or_insert((since, until));
        }
        Self { nodes, events: suspicion.events.iter().map(|event| event.0).collect() }
    }

    fn is_live(&self, lineage: &Lineage, node: u32, event: u32) -> bool {
        self.nodes.get(&node).is_some_and(|&(since, until)| {
            since.is_none_or(|since| lineage.graph.time(event) >= since)
                && until.is_none_or(|until| lineage.graph.position(event) <= until)
        })
    }
}

#[derive(Clone, Copy)]
enum Of {
    Node(u32),
    Event(u32),
}

/// A dominator tree grown in topological order. A place is a vertex; none is the root above all.
///
/// Beside its parent each vertex knows one of its ancestors farther up, so that a common ancestor is found
/// in steps as many as the logarithm of the depth (Myers 1983): a rework loop makes deep trees.
#[derive(Default)]
struct Dominators {
    vertices: Vec<Vertex>,
}

struct Vertex {
    of: Of,
    parent: Option<usize>,
    jump: Option<usize>,
    depth: usize,
}

impl Dominators {
    fn add(&mut self, of: Of, parent: Option<usize>) -> usize {
        let near = self.jump(parent);
        let far = self.jump(near);
        let length = |from, to| self.depth(from).saturating_sub(self.depth(to));
        let jump = if length(parent, near) == length(near, far) { far } else { parent };
        let depth = self.depth(parent).saturating_add(1);
        self.vertices.push(Vertex { of, parent, jump, depth });
        self.vertices.len().saturating_sub(1)
    }

    fn vertex(&self, place: Option<usize>) -> Option<&Vertex> {
        self.vertices.get(place?)
    }

    fn depth(&self, place: Option<usize>) -> usize {
        self.vertex(place).map_or(0, |vertex| vertex.depth)
    }

    fn parent(&self, place: Option<usize>) -> Option<usize> {
        self.vertex(place)?.parent
    }

    fn jump(&self, place: Option<usize>) -> Option<usize> {
        self.vertex(place)?.jump
    }

    /// The nearest place at or above all of these.
    fn meet(&self, ways: impl IntoIterator<Item = Option<usize>>) -> Option<usize> {
        ways.into_iter().reduce(|a, b| self.meet_two(a, b)).flatten()
    }

    fn meet_two(&self, a: Option<usize>, b: Option<usize>) -> Option<usize> {
        let depth = self.depth(a).min(self.depth(b));
        let (mut a, mut b) = (self.lifted(a, depth), self.lifted(b, depth));
        // Places of one depth have jumps of one length.
        while a != b {
            let (high_a, high_b) = (self.jump(a), self.jump(b));
            (a, b) =
                if high_a == high_b { (self.parent(a), self.parent(b)) } else { (high_a, high_b) };
        }
        a
    }

    /// The place at or above this one that has this depth.
    fn lifted(&self, mut place: Option<usize>, depth: usize) -> Option<usize> {
        while self.depth(place) > depth {
            let high = self.jump(place);
            place = if self.depth(high) >= depth { high } else { self.parent(place) };
        }
        place
    }
}
