//! The sweep against the search with a queue, on graphs of many blocks in any order of arrival.

use crate::lineage_model::Dice;
use aftersale::lineage::event::EventKind;
use aftersale::lineage::graph::reach::{Direction, Searcher};
use aftersale::lineage::graph::sweep::Sweep;
use aftersale::lineage::graph::{EventIndex, Graph, Head, NodeIndex, Portion};

fn graph_of(nodes: u32, events: impl IntoIterator<Item = (Vec<u32>, Vec<u32>)>) -> Graph {
    let mut graph = Graph::new();
    for _ in 0..nodes {
        graph.add_node(1).unwrap();
    }
    let portions = |nodes: &[u32]| -> Vec<Portion> {
        nodes.iter().map(|&node| Portion::new(NodeIndex(node), 1)).collect()
    };
    for (time, (ins, outs)) in (0..).zip(events) {
        let head = Head { time, sequence: 0, kind: EventKind::Make };
        graph.append(head, &portions(&ins), &portions(&outs)).unwrap();
    }
    graph
}

fn searched(graph: &Graph, starts: &[NodeIndex]) -> Vec<NodeIndex> {
    let mut searcher = Searcher::new();
    graph.connected(starts, Direction::Forward, &mut searcher);
    let mut nodes: Vec<NodeIndex> = searcher.reached().collect();
    nodes.sort_unstable();
    nodes
}

fn check(graph: &Graph, starts: &[NodeIndex], sweep: &mut Sweep, what: &str) -> usize {
    let expected = searched(graph, starts);
    graph.sweep(starts, sweep);
    let mut swept: Vec<NodeIndex> = sweep.reached().collect();
    swept.sort_unstable();
    assert_eq!(swept, expected, "{what}");
    assert_eq!(sweep.count(), expected.len(), "{what}");
    assert_eq!(graph.sweep_forward(starts), expected, "{what}");
    assert_eq!(graph.count_forward(starts), expected.len(), "{what}");
    expected.len()
}

/// LIN-36: a sweep reaches what a search reaches, with few starts and many, before and after rows are
/// merged, with voided events, and with what an earlier sweep of another graph left behind.
#[test]
fn a_sweep_equals_a_search_on_random_graphs() {
    let mut sweep = Sweep::new();
    let (mut short, mut long) = (0, 0);
    for n in 0..24 {
        let mut dice = Dice(n ^ 0x5eed);
        let nodes = [300, 6_000, 20_000][n as usize % 3];
        let far = n % 4 == 0;
        let event = |place: u64, dice: &mut Dice| {
            let near = |dice: &mut Dice, shift: u64| {
                let back = far && dice.roll(40) == 0;
                let to = if back { dice.roll(place + 1) } else { place + shift + dice.roll(90) };
                (to % u64::from(nodes)) as u32
            };
            let ins = (0..1 + dice.roll(7)).map(|_| near(dice, 0)).collect();
            let outs = (0..[1, 1, 1, 2, 0][dice.roll(5) as usize]).map(|_| near(dice, 9)).collect();
            (ins, outs)
        };
        let events: Vec<(Vec<u32>, Vec<u32>)> =
            (0..nodes).step_by(2).map(|place| event(place.into(), &mut dice)).collect();
        let count = events.len() as u64;
        let mut graph = graph_of(nodes, events);
        if n % 2 == 0 {
            graph.shrink();
        }
        for step in 0..4 {
            let mut some = |number: u64| -> Vec<NodeIndex> {
                (0..number).map(|_| NodeIndex(dice.roll(nodes.into()) as u32)).collect()
            };
            let (one, many) = (some(1), some(u64::from(nodes) / 50));
            let what = format!("graph {n}, step {step}");
            let found = check(&graph, &one, &mut sweep, &what);
            short += usize::from(found > 1 && found < 500);
            long += usize::from(found > 500);
            check(&graph, &many, &mut sweep, &what);
            for _ in 0..3 {
                graph.void(EventIndex(dice.roll(count) as u32));
            }
            if step == 2 {
                graph.shrink();
            }
        }
    }
    assert!(short > 5 && long > 20, "{short} {long}");
}

/// LIN-36: and where every link leads back, or back and forth over the whole graph; neither is slow.
#[test]
fn no_order_of_arrival_stops_a_sweep() {
    const NODES: u32 = 60_000;
    let mut sweep = Sweep::new();
    let all: Vec<NodeIndex> = (NODES - 2_000..NODES).map(NodeIndex).collect();
    let plain = graph_of(NODES, [(vec![NODES - 2], vec![NODES - 1])]);

    let back = graph_of(NODES, (1..NODES).rev().map(|node| (vec![node], vec![node - 1])));
    assert_eq!(check(&back, &[NodeIndex(NODES - 1)], &mut sweep, "back"), NODES as usize);
    assert_eq!(check(&plain, &all, &mut sweep, "after back"), 2);

    // 59,999 -> 0 -> 59,998 -> 1 -> ...
    let place = |step: u32| if step.is_multiple_of(2) { NODES - 1 - step / 2 } else { step / 2 };
    let zigzag = graph_of(NODES, (1..NODES).map(|step| (vec![place(step - 1)], vec![place(step)])));
    assert_eq!(check(&zigzag, &[NodeIndex(NODES - 1)], &mut sweep, "zigzag"), NODES as usize);
    assert_eq!(check(&plain, &all, &mut sweep, "after zigzag"), 2);
    check(&zigzag, &all, &mut sweep, "zigzag from many");
    assert_eq!(check(&plain, &all, &mut sweep, "after zigzag from many"), 2);

    // Within one block too, both ways, and through an event with two outputs.
    let within = graph_of(NODES, [(vec![5], vec![9]), (vec![9], vec![3, 7]), (vec![7], vec![63])]);
    assert_eq!(check(&within, &[NodeIndex(5)], &mut sweep, "within"), 5);
    assert_eq!(check(&within, &[NodeIndex(8)], &mut sweep, "unnamed"), 0);
}

/// LIN-36: and in a graph too large for a cache, from few nodes and from many.
#[test]
fn a_large_graph_is_swept_from_few_and_many() {
    const NODES: u32 = 540_000;
    let mut sweep = Sweep::new();
    let small = graph_of(300, [(vec![1], vec![2])]);
    let graph = graph_of(NODES, (0..NODES - 900).map(|node| (vec![node], vec![node + 900])));
    let many: Vec<NodeIndex> = (0..300).map(NodeIndex).collect();
    assert_eq!(check(&graph, &many, &mut sweep, "many"), NODES as usize / 3);
    check(&small, &[NodeIndex(1)], &mut sweep, "small after many");
    assert_eq!(check(&graph, &[NodeIndex(5)], &mut sweep, "few"), NODES as usize / 900);
    check(&small, &[NodeIndex(1)], &mut sweep, "small after few");
}

/// LIN-36: rows that end at, before and after the usual length are followed to their last entry.
#[test]
fn rows_of_every_length_are_followed() {
    let mut sweep = Sweep::new();
    for length in 0..12 {
        // The node before and the node after have rows of their own.
        let star = (0..length).map(|place| (vec![100], vec![200 + place * 64]));
        let around = [(vec![99], vec![190]), (vec![101], vec![191]), (vec![100], vec![])];
        let mut graph = graph_of(8_000, star.chain(around));
        for _ in 0..2 {
            let found = check(&graph, &[NodeIndex(100)], &mut sweep, "one row");
            assert_eq!(found, length as usize + 1);
            let three = [99, 100, 101].map(NodeIndex);
            assert_eq!(check(&graph, &three, &mut sweep, "three rows"), length as usize + 5);
            graph.shrink();
        }
    }
}
