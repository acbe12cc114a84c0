//! The links between nodes as a graph that every petgraph algorithm can walk, without a copy.
//!
//! ```
//! use aftersale::lineage::event::EventKind;
//! use aftersale::lineage::graph::{Graph, GraphError, Head, Portion};
//! use aftersale::lineage::view::Links;
//! let mut graph = Graph::new();
//! let (milk, cheese) = (graph.add_node(1)?, graph.add_node(1)?);
//! let head = Head { time: 0, sequence: 0, kind: EventKind::Make };
//! graph.append(head, &[Portion::new(milk, 10)], &[Portion::new(cheese, 1)])?;
//! let order = petgraph::algo::toposort(&Links::new(&graph), None);
//! assert_eq!(order, Ok(vec![milk, cheese]));
//! # Ok::<(), GraphError>(())
//! ```

use alloc::vec::{IntoIter, Vec};

use petgraph::visit::{
    Data, GraphBase, GraphProp, GraphRef, IntoEdgeReferences, IntoEdges, IntoNeighbors,
    IntoNeighborsDirected, IntoNodeIdentifiers, NodeCompactIndexable, NodeCount, NodeIndexable,
    VisitMap, Visitable,
};
use petgraph::{Directed, Incoming, Outgoing};

use super::graph::bits::Bits;
use super::graph::reach::Direction;
use super::graph::{Graph, NodeIndex};

/// The links of a graph: from each input of an event to each output. Two nodes are linked once,
/// however many events link them; a node is not linked to itself.
#[derive(Clone, Copy, Debug)]
pub struct Links<'g> {
    graph: &'g Graph,
}

impl<'g> Links<'g> {
    /// Looks at a graph.
    #[must_use]
    pub const fn new(graph: &'g Graph) -> Self {
        Self { graph }
    }

    /// A petgraph graph with the same links; node weights are our node numbers.
    #[must_use]
    pub fn to_petgraph(self) -> petgraph::Graph<NodeIndex, (), Directed, u32> {
        let mut copy = petgraph::Graph::with_capacity(self.graph.nodes(), self.graph.lines());
        for node in 0..self.graph.nodes() as u32 {
            copy.add_node(NodeIndex(node));
        }
        for node in 0..self.graph.nodes() as u32 {
            for target in self.graph.neighbors(node, Direction::Forward) {
                copy.add_edge(node.into(), target.into(), ());
            }
        }
        copy
    }
}

/// Nodes and events both as nodes, the events behind the others: a step leads from an input to its event,
/// and from an event to its outputs. As many steps as lines, where links are inputs times outputs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps<'g> {
    graph: &'g Graph,
    nodes: u32,
    all: u32,
}

impl<'g> Steps<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        // Both are below 2^31.
        let nodes = graph.nodes() as u32;
        Self { graph, nodes, all: nodes.saturating_add(graph.events() as u32) }
    }
}

impl GraphBase for Steps<'_> {
    type NodeId = NodeIndex;
    type EdgeId = (NodeIndex, NodeIndex);
}

impl GraphRef for Steps<'_> {}

impl Visitable for Steps<'_> {
    type Map = Seen;
    fn visit_map(&self) -> Seen {
        Seen(Bits::new(self.all as usize))
    }
    fn reset_map(&self, map: &mut Seen) {
        *map = self.visit_map();
    }
}

impl IntoNodeIdentifiers for Steps<'_> {
    type NodeIdentifiers = Nodes;
    fn node_identifiers(self) -> Nodes {
        Nodes(0..self.all)
    }
}

impl IntoNeighbors for Steps<'_> {
    type Neighbors = Neighbors;
    fn neighbors(self, node: NodeIndex) -> Neighbors {
        self.neighbors_directed(node, Outgoing)
    }
}

impl IntoNeighborsDirected for Steps<'_> {
    type NeighborsDirected = Neighbors;
    fn neighbors_directed(self, node: NodeIndex, direction: petgraph::Direction) -> Neighbors {
        let behind = |event: u32| event.saturating_add(self.nodes);
        let found: Vec<u32> = match (node.0.checked_sub(self.nodes), direction) {
            (None, Outgoing) => self.graph.uses(node.0).map(behind).collect(),
            (None, Incoming) => self.graph.makers(node.0).map(behind).collect(),
            (Some(event), _) if !self.graph.is_alive(event) => Vec::new(),
            (Some(event), Outgoing) => self.graph.outputs(event).to_vec(),
            (Some(event), Incoming) => self.graph.inputs(event).to_vec(),
        };
        Neighbors(found.into_iter())
    }
}

/// The neighbors of one node; of [`Links`] ascending.
#[derive(Clone, Debug)]
pub struct Neighbors(IntoIter<u32>);

impl Iterator for Neighbors {
    type Item = NodeIndex;
    fn next(&mut self) -> Option<NodeIndex> {
        self.0.next().map(NodeIndex)
    }
}

/// All nodes, ascending.
#[derive(Clone, Debug)]
pub struct Nodes(core::ops::Range<u32>);

impl Iterator for Nodes {
    type Item = NodeIndex;
    fn next(&mut self) -> Option<NodeIndex> {
        self.0.next().map(NodeIndex)
    }
}

/// The links that leave one node, or all links.
#[derive(Clone, Debug)]
pub struct Edges(IntoIter<(NodeIndex, NodeIndex)>);

impl Iterator for Edges {
    type Item = (NodeIndex, NodeIndex, &'static ());
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(from, to)| (from, to, &()))
    }
}

impl GraphBase for Links<'_> {
    type NodeId = NodeIndex;
    type EdgeId = (NodeIndex, NodeIndex);
}

impl Data for Links<'_> {
    type NodeWeight = ();
    type EdgeWeight = ();
}

impl GraphRef for Links<'_> {}

impl GraphProp for Links<'_> {
    type EdgeType = Directed;
}

impl NodeCount for Links<'_> {
    fn node_count(&self) -> usize {
        self.graph.nodes()
    }
}

impl NodeIndexable for Links<'_> {
    fn node_bound(&self) -> usize {
        self.graph.nodes()
    }
    fn to_index(&self, node: NodeIndex) -> usize {
        node.0 as usize
    }
    fn from_index(&self, index: usize) -> NodeIndex {
        NodeIndex(index as u32)
    }
}

impl NodeCompactIndexable for Links<'_> {}

impl Visitable for Links<'_> {
    type Map = Seen;
    fn visit_map(&self) -> Seen {
        Seen(Bits::new(self.graph.nodes()))
    }
    fn reset_map(&self, map: &mut Seen) {
        *map = self.visit_map();
    }
}

/// The nodes an algorithm has visited.
#[derive(Clone, Debug, Default)]
pub struct Seen(Bits);

impl VisitMap<NodeIndex> for Seen {
    fn visit(&mut self, node: NodeIndex) -> bool {
        self.0.insert(node.0)
    }
    fn is_visited(&self, node: &NodeIndex) -> bool {
        self.0.contains(node.0)
    }
    fn unvisit(&mut self, node: NodeIndex) -> bool {
        let was = self.0.contains(node.0);
        self.0.remove(node.0);
        was
    }
}

impl IntoNodeIdentifiers for Links<'_> {
    type NodeIdentifiers = Nodes;
    fn node_identifiers(self) -> Nodes {
        Nodes(0..self.graph.nodes() as u32)
    }
}

impl IntoNeighbors for Links<'_> {
    type Neighbors = Neighbors;
    fn neighbors(self, node: NodeIndex) -> Neighbors {
        self.neighbors_directed(node, Outgoing)
    }
}

impl IntoNeighborsDirected for Links<'_> {
    type NeighborsDirected = Neighbors;
    fn neighbors_directed(self, node: NodeIndex, direction: petgraph::Direction) -> Neighbors {
        let direction = match direction {
            Outgoing => Direction::Forward,
            Incoming => Direction::Backward,
        };
        Neighbors(self.graph.neighbors(node.0, direction).into_iter())
    }
}

impl Links<'_> {
    fn edges_of(self, nodes: impl Iterator<Item = NodeIndex>) -> Edges {
        let mut edges = Vec::new();
        for node in nodes {
            edges.extend(self.neighbors(node).map(|target| (node, target)));
        }
        Edges(edges.into_iter())
    }
}

impl IntoEdgeReferences for Links<'_> {
    type EdgeRef = (NodeIndex, NodeIndex, &'static ());
    type EdgeReferences = Edges;
    fn edge_references(self) -> Edges {
        self.edges_of(self.node_identifiers())
    }
}

impl IntoEdges for Links<'_> {
    type Edges = Edges;
    fn edges(self, node: NodeIndex) -> Edges {
        self.edges_of(core::iter::once(node))
    }
}
