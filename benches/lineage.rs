//! Lineage on 100,000 lots in eight layers: append, traces, recall, ledger, suspects.
//! Against petgraph, and larger: the crate in `benches/peers`.

use aftersale::lineage::event::EventKind;
use aftersale::lineage::graph::exposure::Watched;
use aftersale::lineage::graph::reach::{Direction, Searcher};
use aftersale::lineage::graph::sweep::Sweep;
use aftersale::lineage::graph::timed::Suspicion;
use aftersale::lineage::graph::{Graph, Head, NodeIndex, Portion};
use divan::{Bencher, black_box};

const LAYER: u32 = 12_500;
const LAYERS: u32 = 8;

fn main() {
    divan::main();
}

/// Each lot is made of three lots of the layer before, near its own place.
fn build() -> Graph {
    let mut graph = Graph::new();
    for lot in 0..LAYER * LAYERS {
        let node = graph.add_node(1).unwrap();
        let inputs: Vec<Portion> = if lot < LAYER {
            Vec::new()
        } else {
            let near = |step: u32| (lot % LAYER + lot * step % 97) % LAYER;
            let below = (lot / LAYER - 1) * LAYER;
            [7, 31, 61].map(|step| Portion::new(NodeIndex(below + near(step)), 100)).to_vec()
        };
        let kind = if inputs.is_empty() { EventKind::Receive } else { EventKind::Make };
        let head = Head { time: i64::from(lot), sequence: 0, kind };
        graph.append(head, &inputs, &[Portion::new(node, 1_000)]).unwrap();
    }
    graph.shrink();
    graph
}

fn suspicion(nodes: impl IntoIterator<Item = u32>) -> Suspicion {
    let nodes = nodes.into_iter().map(|node| (NodeIndex(node), None)).collect();
    Suspicion { nodes, events: Vec::new() }
}

#[divan::bench(sample_count = 10)]
fn append_387_500_lines() -> Graph {
    build()
}

#[divan::bench(args = [Direction::Forward, Direction::Backward])]
fn trace_of_one_lot(bencher: Bencher<'_, '_>, direction: Direction) {
    let graph = build();
    let mut searcher = Searcher::new();
    let start = match direction {
        Direction::Forward => NodeIndex(LAYER / 2),
        Direction::Backward => NodeIndex(LAYER * LAYERS - LAYER / 2),
    };
    bencher.bench_local(|| {
        graph.connected(black_box(&[start]), direction, &mut searcher);
        searcher.reached().len()
    });
}

#[divan::bench]
fn sweep_of_one_lot(bencher: Bencher<'_, '_>) {
    let graph = build();
    let mut sweep = Sweep::new();
    bencher.bench_local(|| {
        graph.sweep(black_box(&[NodeIndex(LAYER / 2)]), &mut sweep);
        sweep.count()
    });
}

#[divan::bench]
fn timed_trace_of_one_lot(bencher: Bencher<'_, '_>) {
    let graph = build();
    let from = suspicion([LAYER / 2]);
    bencher.bench_local(|| graph.timed_forward(black_box(&from)));
}

#[divan::bench]
fn recall_of_one_percent(bencher: Bencher<'_, '_>) {
    let graph = build();
    let from: Vec<NodeIndex> = (0..LAYER).step_by(100).map(NodeIndex).collect();
    bencher.bench_local(|| graph.count_forward(black_box(&from)));
}

#[divan::bench(sample_count = 20)]
fn full_ledger_of_one_percent(bencher: Bencher<'_, '_>) {
    let graph = build();
    let from = suspicion((0..LAYER).step_by(100));
    bencher.bench_local(|| graph.mixing(black_box(&from)));
}

#[divan::bench(sample_count = 10)]
fn one_thousand_suspects(bencher: Bencher<'_, '_>) {
    let graph = build();
    let candidates: Vec<Suspicion> = (0..1_000).map(|n| suspicion([n * 12])).collect();
    let watched: Vec<Watched> = (0..LAYER)
        .map(|n| Watched {
            node: NodeIndex((LAYERS - 1) * LAYER + n),
            group: 0,
            marked: n % 50 == 0,
        })
        .collect();
    bencher.bench_local(|| graph.exposures(black_box(&candidates), &watched));
}
