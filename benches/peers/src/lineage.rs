//! Traces, recall, ledger and suspects against petgraph fed in time order.
//!
//! Eight layers of lots; each lot is made by one event of 1 to 5 lots of the layer before, near its
//! own place in time. petgraph gets the same links in the same order and, in its favor, a visit map
//! that is cleared by walking the result instead of by filling it.

use std::hint::black_box;
use std::time::Instant;

use aftersale::id::{LotId, SupplierId};
use aftersale::lineage::Lineage;
use aftersale::lineage::event::{
    Event, EventFacts, EventId, EventKind, Item, Line, LineId, PlaceId, Units,
};
use aftersale::lineage::graph::exposure::Watched;
use aftersale::lineage::graph::reach::{Direction, Searcher};
use aftersale::lineage::graph::sweep::Sweep;
use aftersale::lineage::graph::timed::Suspicion;
use aftersale::lineage::graph::{Graph, Head, NodeIndex, Portion};
use aftersale::lineage::suspect::{CandidateKind, Observation, Outcome, RankingPlan};
use aftersale::quantity::Quantity;
use aftersale::time::{Instant as Utc, Zone};
use petgraph::visit::{Dfs, Reversed, VisitMap, Visitable};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

const LAYERS: usize = 8;

/// What is linked: for each lot the inputs of the event that made it; none for a received lot.
struct Plan {
    layer: usize,
    first_input: Vec<u32>,
    inputs: Vec<u32>,
}

impl Plan {
    fn new(edges: usize) -> Self {
        let lots = edges * 41 / 100;
        let layer = lots / LAYERS;
        let mut dice = Dice(edges as u64);
        let mut plan = Self { layer, first_input: vec![0], inputs: Vec::with_capacity(edges) };
        let window = (layer / 32).max(8) as u64;
        for level in 0..LAYERS {
            for place in 0..layer {
                if level > 0 {
                    let count = [1, 2, 2, 3, 3, 3, 4, 4, 5][dice.roll(9) as usize];
                    for _ in 0..count {
                        let near = place as u64 + layer as u64 - window / 2 + dice.roll(window);
                        let from = (level - 1) * layer + (near % layer as u64) as usize;
                        plan.inputs.push(from as u32);
                    }
                }
                plan.first_input.push(plan.inputs.len() as u32);
            }
        }
        plan
    }
    fn lots(&self) -> usize {
        self.first_input.len() - 1
    }
    fn inputs(&self, lot: usize) -> &[u32] {
        &self.inputs[self.first_input[lot] as usize..self.first_input[lot + 1] as usize]
    }
}

fn ours(plan: &Plan) -> Graph {
    let mut graph = Graph::new();
    let mut lines = Vec::new();
    for lot in 0..plan.lots() {
        let node = graph.add_node(1).unwrap();
        let inputs = plan.inputs(lot);
        lines.clear();
        lines.extend(inputs.iter().map(|&from| Portion::new(NodeIndex(from), 100)));
        let kind = if inputs.is_empty() { EventKind::Receive } else { EventKind::Make };
        let head = Head { time: lot as i64, sequence: 0, kind };
        graph.append(head, &lines, &[Portion::new(node, 1_000)]).unwrap();
    }
    graph
}

type Theirs = petgraph::Graph<(), (), petgraph::Directed, u32>;

fn theirs(plan: &Plan) -> Theirs {
    let mut graph = Theirs::with_capacity(plan.lots(), plan.inputs.len());
    for lot in 0..plan.lots() {
        let node = graph.add_node(());
        for &from in plan.inputs(lot) {
            graph.add_edge(from.into(), node, ());
        }
    }
    graph
}

/// Seconds that this thread has run so far; where the system does not tell, seconds of the clock.
fn processor_seconds() -> f64 {
    thread_local!(static BEGIN: Instant = Instant::now());
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = stat.and_then(|stat| stat.split(' ').next()?.parse::<f64>().ok());
    nanoseconds.map_or_else(|| BEGIN.with(|begin| begin.elapsed().as_secs_f64()), |n| n / 1e9)
}

/// The best of several runs: other work on the machine only ever adds.
fn best<R>(runs: usize, mut work: impl FnMut() -> R) -> (f64, R) {
    let mut result = None;
    let mut least = f64::INFINITY;
    for _ in 0..runs {
        // The clock of the processor moves in ticks, so short work is repeated.
        let (start, mut times) = (processor_seconds(), 0.0);
        let value = loop {
            let value = black_box(work());
            times += 1.0;
            if processor_seconds() - start > 0.03 {
                break value;
            }
        };
        least = least.min((processor_seconds() - start) / times);
        result = Some(value);
    }
    (least, result.unwrap())
}

/// petgraph's search, cleared between searches by walking the last result.
struct PeerSearch {
    dfs: Dfs<petgraph::graph::NodeIndex, <Theirs as Visitable>::Map>,
    visited: Vec<petgraph::graph::NodeIndex>,
}

impl PeerSearch {
    fn new(peer: &Theirs) -> Self {
        Self { dfs: Dfs::empty(peer), visited: Vec::new() }
    }
    fn count(&mut self, peer: &Theirs, start: u32, direction: Direction) -> usize {
        let Self { dfs, visited } = self;
        dfs.move_to(start.into());
        match direction {
            Direction::Forward => {
                while let Some(node) = dfs.next(peer) {
                    visited.push(node);
                }
            }
            Direction::Backward => {
                while let Some(node) = dfs.next(Reversed(peer)) {
                    visited.push(node);
                }
            }
        }
        let seen = visited.len();
        visited.drain(..).for_each(|node| {
            dfs.discovered.unvisit(node);
        });
        seen
    }
}

fn row(name: &str, ours: f64, theirs: Option<f64>, bar: &str) {
    match theirs {
        Some(theirs) => println!(
            "  {name:<34} {:>11.3} ms  {:>11.3} ms  {:>7.1}x   {bar}",
            ours * 1e3,
            theirs * 1e3,
            theirs / ours
        ),
        None => println!("  {name:<34} {:>11.3} ms  {:>14}  {:>8}   {bar}", ours * 1e3, "-", "-"),
    }
}

pub fn run(arguments: &[String]) {
    let mut sizes: Vec<usize> = arguments.iter().filter_map(|text| text.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![100_000, 1_000_000, 10_000_000];
    }
    let given = |word: &str| arguments.iter().any(|text| text == word);
    for edges in sizes {
        if given("names") {
            by_name(edges);
        } else {
            compare(edges, given("alone"));
        }
    }
}

/// The same links under text keys: receipts from 1,000 suppliers, production on 1,000 lines in as
/// many places, over 1,000 calendar days.
fn named(plan: &Plan) -> Lineage {
    let mut lineage = Lineage::new(Units::default());
    let lot = |lot: usize| Item::Lot(LotId::new(format!("L{lot}")).unwrap());
    let portion = |from: usize| Line::new(lot(from), Quantity::pieces(100).unwrap());
    for made in 0..plan.lots() {
        let at = 1_600_000_000 + made as i64 * 86_400_000 / plan.lots() as i64;
        let inputs = plan.inputs(made);
        let kind = if inputs.is_empty() { EventKind::Receive } else { EventKind::Make };
        let at = Utc::from_timestamp(at, 0).unwrap();
        let mut event = Event::new(EventId::new(format!("E{made}")).unwrap(), at, kind);
        let name = |letter: char| format!("{letter}{}", made % 1_000);
        event.facts = if inputs.is_empty() {
            EventFacts { supplier: Some(SupplierId::new(name('S')).unwrap()), ..Default::default() }
        } else {
            let (line, place) = (LineId::new(name('M')), PlaceId::new(name('P')));
            EventFacts { line: line.ok(), place: place.ok(), ..Default::default() }
        };
        event.inputs.extend(inputs.iter().map(|&from| portion(from as usize)));
        event.outputs.push(Line::new(lot(made), Quantity::pieces(1_000).unwrap()));
        lineage.record(&event.check().unwrap()).unwrap();
    }
    lineage
}

/// Suppliers, lines, places and dates as suspects, by name.
fn by_name(edges: usize) {
    let plan = Plan::new(edges);
    let start = processor_seconds();
    let lineage = named(&plan);
    println!(
        "{} edges, {} lots, by name: recorded in {:.1} s",
        plan.inputs.len(),
        plan.lots(),
        processor_seconds() - start
    );
    let units = 20_000.min(plan.layer);
    let observations: Vec<Observation> = (0..units)
        .map(|place| Observation {
            item: Item::Lot(
                LotId::new(format!("L{}", 7 * plan.layer + place * plan.layer / units)).unwrap(),
            ),
            outcome: if place % 50 == 0 { Outcome::Defective } else { Outcome::Good },
            stratum: None,
        })
        .collect();
    for kind in [
        CandidateKind::Suppliers,
        CandidateKind::Lines,
        CandidateKind::Places,
        CandidateKind::Dates,
    ] {
        let start = processor_seconds();
        let candidates = lineage.candidates(kind, &observations, Zone::UTC);
        let listed = processor_seconds() - start;
        let rankings = lineage.rank(&candidates, &observations, &RankingPlan::default());
        println!(
            "  {kind}: {} candidates listed in {:.0} ms, ranked in {:.0} ms",
            rankings[0].tested + rankings[0].below_minimum,
            listed * 1e3,
            (processor_seconds() - start - listed) * 1e3
        );
    }
}

fn compare(edges: usize, alone: bool) {
    let plan = Plan::new(edges);
    let (edges, layer) = (plan.inputs.len(), plan.layer);
    let runs = if edges > 20_000_000 {
        1
    } else if edges > 5_000_000 {
        5
    } else {
        9
    };
    let (append, mut graph) = best(runs.min(3), || ours(&plan));
    let lines = graph.lines();
    let (freeze, ()) = best(1, || graph.shrink());
    println!("{edges} edges, {} lots, {lines} lines", plan.lots());
    println!("  {:<34} {:>14}  {:>14}", "", "aftersale", "petgraph");
    println!(
        "  append: {:.1} M lines/s; shrink {:.0} ms; {:.1} bytes a line, {:.1} an edge",
        lines as f64 / append / 1e6,
        freeze * 1e3,
        graph.bytes() as f64 / lines as f64,
        graph.bytes() as f64 / edges as f64
    );
    let (their_build, peer) =
        if alone { (f64::NAN, Theirs::default()) } else { best(runs.min(3), || theirs(&plan)) };
    let peer_bytes = (edges * 16 + plan.lots() * 8) as f64 / edges as f64;
    println!("  petgraph, no quantities and no events: {peer_bytes:.1} bytes an edge");
    row("append all", append, Some(their_build), "5 M lines/s, 24 bytes a line");

    let mut dice = Dice(1);
    let sources: Vec<u32> = (0..200).map(|_| dice.roll(layer as u64) as u32).collect();
    let targets: Vec<u32> =
        (0..200).map(|_| (7 * layer) as u32 + dice.roll(layer as u64) as u32).collect();
    let mut searcher = Searcher::new();
    let mut sweep = Sweep::new();
    let mut peer_search = PeerSearch::new(&peer);
    for (name, starts, direction, nearest_first) in [
        ("200 forward traces", &sources, Direction::Forward, false),
        ("the same, nearest first", &sources, Direction::Forward, true),
        ("200 backward traces, nearest first", &targets, Direction::Backward, true),
    ] {
        let (mine, seen) = best(runs, || {
            let mut seen = 0;
            for &start in starts {
                if nearest_first {
                    graph.connected(&[NodeIndex(start)], direction, &mut searcher);
                    seen += searcher.reached().len();
                } else {
                    graph.sweep(&[NodeIndex(start)], &mut sweep);
                    seen += sweep.count();
                }
            }
            seen
        });
        let bar = format!("{:.1} ns a lot, {} lots a trace", mine * 1e9 / seen as f64, seen / 200);
        if alone {
            row(name, mine, None, &bar);
            continue;
        }
        let (other, peer_seen) = best(runs, || {
            starts.iter().map(|&start| peer_search.count(&peer, start, direction)).sum::<usize>()
        });
        assert_eq!(seen, peer_seen);
        row(name, mine, Some(other), &bar);
    }
    let suspicion =
        |node: u32| Suspicion { nodes: vec![(NodeIndex(node), None)], events: Vec::new() };
    let (mine, _) = best(runs.min(3), || {
        sources.iter().map(|&s| graph.timed_forward(&suspicion(s)).nodes.len()).sum::<usize>()
    });
    row("200 timed forward traces", mine, None, "");

    let recall: Vec<NodeIndex> =
        (0..layer / 100).map(|_| NodeIndex(dice.roll(layer as u64) as u32)).collect();
    let (mine, seen) = best(runs, || graph.count_forward(&recall));
    let roots = || recall.iter().map(|node| node.0.into()).collect();
    let other = (!alone).then(|| {
        let (other, peer_seen) = best(runs, || {
            let mut dfs = Dfs::from_parts(roots(), peer.visit_map());
            let mut seen = 0;
            while dfs.next(&peer).is_some() {
                seen += 1;
            }
            seen
        });
        assert_eq!(seen, peer_seen);
        other
    });
    let bar = format!("{:.1} ns a lot, {seen} lots; bar 20x", mine * 1e9 / seen as f64);
    row("recall of 1 % of the supplier lots", mine, other, &bar);
    let (mine, list) = best(runs, || graph.sweep_forward(&recall));
    let other = (!alone).then(|| {
        let (other, mut peer_list) = best(runs, || {
            let mut dfs = Dfs::from_parts(roots(), peer.visit_map());
            let mut list = Vec::new();
            while let Some(node) = dfs.next(&peer) {
                list.push(NodeIndex(node.index() as u32));
            }
            list
        });
        peer_list.sort_unstable();
        assert!(list == peer_list, "the same lots");
        other
    });
    row("the same, as a list", mine, other, "");
    let all =
        Suspicion { nodes: recall.iter().map(|&node| (node, None)).collect(), events: Vec::new() };
    let (mine, timed) = best(runs, || graph.timed_forward(&all).nodes.len());
    assert_eq!(seen, timed, "in time order both are the same");
    row("the same by time, with its events", mine, None, "");

    let (mine, mixing) = best(runs.min(3), || graph.mixing(&all));
    let held: i64 = mixing.holdings.iter().map(|holding| holding.suspect_material).sum();
    assert_eq!(held + mixing.scrapped, mixing.injected);
    row("full ledger of these suspects", mine, None, "bar 300 ms at 1e7");

    let candidates: Vec<Suspicion> =
        (0..1_000).map(|_| suspicion(dice.roll(layer as u64) as u32)).collect();
    let watched: Vec<Watched> = (0..20_000.min(layer))
        .map(|place| Watched {
            node: NodeIndex((7 * layer + place * layer / 20_000.min(layer)) as u32),
            group: 0,
            marked: place % 50 == 0,
        })
        .collect();
    let (mine, found) = best(runs.min(3), || graph.exposures(&candidates, &watched));
    assert_eq!(found.len(), 1_000);
    row("1,000 suspects over 20,000 units", mine, None, "bar 1,000 ms at 1e7");
    println!();
}
