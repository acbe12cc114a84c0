//! Lineage against a slow, obvious model, on random worlds with splits, merges, loops, voids,
//! repeats, late events and cleanings; and each rule by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::lineage_model::*;
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::{TraceBreak, Violation};
use aftersale::lineage::event::{EventId, EventKind, Item, Units};
use aftersale::lineage::evidence::Point;
use aftersale::lineage::graph::NodeIndex;
use aftersale::lineage::graph::reach::Direction;
use aftersale::lineage::graph::timed::Suspicion;
use aftersale::lineage::source::Source;

/// How many random worlds; `LINEAGE_WORLDS` sets another number.
fn all_worlds() -> u64 {
    worlds(10_000)
}

fn numbers(items: &[Item]) -> BTreeSet<usize> {
    items.iter().map(number).collect()
}

fn suspects_of(dice: &mut Dice) -> Vec<(usize, Option<i64>)> {
    let count = 1 + dice.roll(2);
    (0..count)
        .map(|_| {
            let since = if dice.roll(2) == 0 { None } else { Some(dice.roll(12) as i64) };
            (dice.roll(LOTS as u64) as usize, since)
        })
        .collect()
}

fn sources(suspects: &[(usize, Option<i64>)]) -> Vec<Source> {
    let source = |&(node, since): &(usize, Option<i64>)| Source::Item {
        item: item(node),
        since: since.map(at),
    };
    suspects.iter().map(source).collect()
}

/// LIN-1: voided events, events of voided ids and later repeats leave no link.
/// LIN-2: the contact set is the plain reachability, forward and backward, with link distances.
/// LIN-3: the timed trace forward is the rule walked event by event.
/// LIN-4: the timed trace backward is the rule walked event by event.
#[test]
fn traces_equal_the_rules_on_random_worlds() {
    for n in 0..all_worlds() {
        let entries = world(n, n % 4 == 0);
        let events = effective(&entries);
        let lineage = recorded(&entries, 1);
        let mut dice = Dice(n);
        let pairs = links(&events);
        let ours: BTreeSet<(usize, usize)> =
            lineage.links().map(|(from, to)| (number(from), number(to))).collect();
        assert_eq!(ours, pairs, "links of world {n}");

        let suspects = suspects_of(&mut dice);
        let starts: Vec<usize> = suspects.iter().map(|s| s.0).collect();
        let far = model_distances(&events, &starts, &pairs);
        let always: Vec<Source> = starts.iter().map(|&s| Source::item(item(s))).collect();
        let ours: BTreeMap<usize, u32> =
            lineage.distances(&always).iter().map(|(item, d)| (number(item), *d)).collect();
        assert_eq!(ours, far, "distances of world {n}");
        let back: BTreeSet<(usize, usize)> = pairs.iter().map(|&(a, b)| (b, a)).collect();
        let up: BTreeSet<usize> = model_distances(&events, &starts, &back).into_keys().collect();
        let contacts = lineage.contacts(&always, Direction::Backward);
        assert_eq!(numbers(&contacts.items), up, "backward contacts of world {n}");
        let nodes: Vec<NodeIndex> = starts.iter().filter_map(|&s| lineage.node(&item(s))).collect();
        let swept: Vec<Item> = lineage
            .graph()
            .sweep_forward(&nodes)
            .into_iter()
            .map(|node| lineage.item(node).unwrap().clone())
            .collect();
        assert_eq!(numbers(&swept), far.into_keys().collect(), "sweep of world {n}");

        let ours = lineage.forward(&sources(&suspects));
        let model = model_forward(&events, &suspects);
        assert_eq!(numbers(&ours.items), model, "timed forward of world {n} from {suspects:?}");

        let target = dice.roll(NODES as u64) as usize;
        let ours = lineage.backward(&[Source::item(item(target))]);
        let model = model_backward(&events, target);
        assert_eq!(numbers(&ours.items), model, "timed backward of world {n} from {target}");
    }
}

/// LIN-2: the contact set is the plain reachability, in graphs of many words and rows too.
/// LIN-3: so is the timed trace forward the rule walked event by event.
/// LIN-4: and the timed trace backward.
/// LIN-14: and many candidates in one sweep.
#[test]
fn large_graphs_with_links_back_equal_the_rules() {
    use aftersale::lineage::graph::exposure::Watched;
    use aftersale::lineage::graph::reach::Searcher;
    use aftersale::lineage::graph::{EventIndex, Graph, Head, Portion};
    const LARGE: u64 = 400;
    let mut returns = 0;
    for n in 0..worlds(240) / 12 {
        let mut dice = Dice(n ^ 0x1a49e);
        let mut graph = Graph::new();
        for _ in 0..LARGE {
            graph.add_node(1).unwrap();
        }
        let count = 500 + dice.roll(500);
        let mut events: Vec<Ev> = Vec::new();
        for id in 0..count {
            // Outputs mostly come after inputs; some lead far back.
            let place = id * LARGE / count;
            let near = |dice: &mut Dice, shift: u64| {
                let to = if dice.roll(30) == 0 {
                    dice.roll(LARGE)
                } else {
                    place + shift + dice.roll(9)
                };
                (to % LARGE) as usize
            };
            let is_clean = dice.roll(20) == 0;
            let kind = if is_clean { EventKind::Clean } else { EventKind::Make };
            let ins: Vec<(usize, i64)> = (0..1 + dice.roll(3))
                .map(|_| (near(&mut dice, 0), 1 + dice.roll(9) as i64))
                .collect();
            let outs: Vec<(usize, i64)> = match kind {
                EventKind::Clean => vec![],
                _ => (0..1 + dice.roll(2))
                    .map(|_| (near(&mut dice, 5), 1 + dice.roll(9) as i64))
                    .collect(),
            };
            let t = if dice.roll(15) == 0 { dice.roll(count) as i64 } else { id as i64 };
            let seq = dice.roll(2) as u32;
            let portions = |lines: &[(usize, i64)]| -> Vec<Portion> {
                lines.iter().map(|&(v, q)| Portion::new(NodeIndex(v as u32), q)).collect()
            };
            let head = Head { time: t, sequence: seq, kind };
            graph.append(head, &portions(&ins), &portions(&outs)).unwrap();
            events.push(Ev { id, t, seq, kind, ins, outs });
        }
        for _ in 0..dice.roll(12) {
            let gone = dice.roll(count);
            graph.void(EventIndex(gone as u32));
            events.retain(|ev| ev.id != gone);
        }
        if n % 3 == 0 {
            graph.shrink();
        }
        events.sort_by_key(|ev| (ev.t, ev.seq));
        let set = |nodes: &[NodeIndex]| -> BTreeSet<usize> {
            nodes.iter().map(|node| node.0 as usize).collect()
        };
        let pairs = links(&events);
        returns += usize::from(pairs.iter().any(|&(from, to)| to + 64 < from));
        let mut searcher = Searcher::new();
        for _ in 0..3 {
            let start = dice.roll(LARGE) as usize;
            let node = NodeIndex(start as u32);
            let far = model_distances(&events, &[start], &pairs);
            graph.connected(&[node], Direction::Forward, &mut searcher);
            let ours: BTreeMap<usize, u32> =
                searcher.distances().map(|(node, far)| (node.0 as usize, far)).collect();
            assert_eq!(ours, far, "world {n}");
            assert_eq!(
                set(&graph.sweep_forward(&[node])),
                far.keys().copied().collect(),
                "world {n}"
            );
            assert_eq!(graph.count_forward(&[node]), far.len());
            let back: BTreeSet<(usize, usize)> = pairs.iter().map(|&(a, b)| (b, a)).collect();
            graph.connected(&[node], Direction::Backward, &mut searcher);
            let ours: BTreeSet<usize> = searcher.reached().map(|node| node.0 as usize).collect();
            let up = model_distances(&events, &[start], &back);
            assert_eq!(ours, up.into_keys().collect(), "world {n}");
            let since = if dice.roll(2) == 0 { None } else { Some(dice.roll(count) as i64) };
            let suspicion = Suspicion { nodes: vec![(node, since)], events: vec![] };
            let timed = graph.timed_forward(&suspicion);
            assert_eq!(set(&timed.nodes), model_forward(&events, &[(start, since)]), "world {n}");
            let timed = graph.timed_backward(&[node]);
            assert_eq!(set(&timed.nodes), model_backward(&events, start), "world {n}");
        }
        let candidates: Vec<Suspicion> = (0..300)
            .map(|_| Suspicion {
                nodes: vec![(NodeIndex(dice.roll(LARGE) as u32), None)],
                events: vec![],
            })
            .collect();
        let watched: Vec<Watched> = (0..LARGE as u32)
            .map(|node| Watched { node: NodeIndex(node), group: 0, marked: node % 7 == 0 })
            .collect();
        let exposures = graph.exposures(&candidates, &watched);
        for (candidate, exposure) in candidates.iter().zip(&exposures).step_by(37) {
            let reach = graph.timed_forward(candidate).nodes;
            let marked = reach.iter().filter(|node| node.0 % 7 == 0).count();
            assert_eq!(exposure.by_group, [(reach.len() as u32, marked as u32)], "world {n}");
        }
        let mixing = graph.mixing(candidates.first().unwrap());
        let held: i64 = mixing.holdings.iter().map(|h| h.suspect_material).sum();
        assert_eq!(held + mixing.scrapped + mixing.unallocated, mixing.injected, "world {n}");
    }
    assert!(returns > 0, "no link back over a word");
}

/// LIN-5: suspect material is conserved to the last part: held, scrapped or not allocated.
/// LIN-6: the ledger differs from exact fractions by no more than the roundings it reports.
/// LIN-7: imbalances, missing supply, over-consumption and deficits are those of the rule.
#[test]
fn the_ledger_equals_exact_fractions_on_random_worlds() {
    let (mut compared, mut exact) = (0, 0);
    for n in 0..all_worlds() {
        let entries = world(n, n % 4 == 0);
        let events = effective(&entries);
        let lineage = recorded(&entries, 1);
        let mut dice = Dice(n ^ 0xabcd);
        let suspects: Vec<usize> = suspects_of(&mut dice).into_iter().map(|s| s.0).collect();
        let nodes = suspects.iter().filter_map(|&s| lineage.node(&item(s)));
        let suspicion =
            Suspicion { nodes: nodes.map(|node| (node, None)).collect(), events: Vec::new() };
        let mixing = lineage.graph().mixing(&suspicion);
        let held: i64 = mixing.holdings.iter().map(|h| h.suspect_material).sum();
        assert_eq!(held + mixing.scrapped + mixing.unallocated, mixing.injected, "world {n}");
        assert_eq!(mixing.unallocated, 0);

        let Some(book) = model_ledger(&events, &suspects) else { continue };
        compared += 1;
        let scale = 1_i128 << mixing.shift;
        let slack = i128::from(mixing.roundings);
        let close = |ours: i64, model: Frac, slack: i128| {
            (i128::from(ours) * model.1 - model.0 * scale).abs() <= slack * model.1
        };
        for node in 0..NODES {
            let held = lineage.node(&item(node)).map(|i| mixing.holdings[i.0 as usize]);
            let held = held.unwrap_or_default();
            assert_eq!(held.hand, book.hand[node], "hand of {node} in world {n}");
            assert!(close(held.suspect_material, book.frac[node], slack), "{node} in world {n}");
            let slack = slack * i128::from(held.hand);
            assert!(close(held.suspect_content, book.comp[node], slack), "{node} in world {n}");
        }
        assert!(close(mixing.injected, book.injected, slack), "world {n}");
        assert!(close(mixing.scrapped, book.scrapped, slack), "world {n}");
        if mixing.roundings == 0 && mixing.injected > 0 {
            exact += 1;
        }

        let audit = lineage.audit_all();
        let mut ours: BTreeSet<String> = BTreeSet::new();
        for violation in &audit.violations {
            ours.insert(match violation {
                Violation::Imbalance { event, inputs, outputs } => {
                    format!("imbalance {event} {} {}", inputs.steps(), outputs.steps())
                }
                Violation::OverConsumed { item, missing } => {
                    format!("over {} {}", number(item), missing.steps())
                }
                Violation::Deficit { event, item, missing } => {
                    format!("deficit {event} {} {}", number(item), missing.steps())
                }
                other => panic!("{other:?}"),
            });
        }
        for found in &audit.breaks {
            if let TraceBreak::NoSupply { item } = found {
                ours.insert(format!("no supply {}", number(item)));
            }
        }
        assert_eq!(ours, model_violations(&events, &book), "violations of world {n}");
        let deficits: Vec<(u64, usize, i64)> = mixing
            .deficits
            .iter()
            .map(|d| {
                let event =
                    lineage.event_id(aftersale::lineage::graph::EventIndex(d.event)).unwrap();
                let item = lineage.item(NodeIndex(d.node)).unwrap();
                (event.as_str()[1..].parse().unwrap(), number(item), d.steps)
            })
            .collect();
        assert_eq!(deficits, book.deficits, "deficits in order, world {n}");
    }
    assert!(compared > all_worlds() * 95 / 100, "only {compared} worlds fit in 128-bit fractions");
    assert!(exact > all_worlds() / 10, "only {exact} worlds without rounding");
}

/// LIN-8: with units that cannot be summed, nothing is lost: what cannot be shared out is listed.
/// LIN-9: the mixed share lies between the bounds, and both are zero outside the contact set.
#[test]
fn bounds_hold_the_mixed_share_on_random_worlds() {
    let mut unallocated = 0;
    for n in 0..2_000 {
        let units = if n % 2 == 0 { 1 } else { 3 };
        let entries = world(n, n % 4 == 0);
        let lineage = recorded(&entries, units);
        let mut dice = Dice(n ^ 0x77);
        let suspects: Vec<usize> = suspects_of(&mut dice).into_iter().map(|s| s.0).collect();
        let nodes: Vec<NodeIndex> =
            suspects.iter().filter_map(|&s| lineage.node(&item(s))).collect();
        let suspicion =
            Suspicion { nodes: nodes.iter().map(|&node| (node, None)).collect(), events: vec![] };
        let mixing = lineage.graph().mixing(&suspicion);
        let bounds = lineage.graph().bounds(&suspicion);
        let held: i64 = mixing.holdings.iter().map(|h| h.suspect_material).sum();
        assert_eq!(held + mixing.scrapped + mixing.unallocated, mixing.injected, "world {n}");
        unallocated += usize::from(mixing.unallocated > 0);
        let contacts = lineage.graph().sweep_forward(&nodes);
        for (node, (holding, bounds)) in mixing.holdings.iter().zip(&bounds).enumerate() {
            assert_eq!(holding.hand, bounds.hand, "hand of {node} in world {n}");
            let slack = i128::from(mixing.roundings) * i128::from(holding.hand.max(1));
            let mixed = i128::from(holding.suspect_content);
            let scale = 1_i128 << mixing.shift;
            assert!(bounds.low <= bounds.high && bounds.high <= bounds.hand, "world {n}");
            assert!(i128::from(bounds.low) * scale <= mixed + slack, "low of {node}, world {n}");
            assert!(mixed <= i128::from(bounds.high) * scale + slack, "high of {node}, world {n}");
            if !contacts.contains(&NodeIndex(node as u32)) {
                assert_eq!((bounds.high, holding.suspect_material), (0, 0), "world {n}");
            }
        }
    }
    assert!(unallocated > 50, "{unallocated}");
}

/// LIN-8: the share of an output whose inputs cannot be summed is never rounded below its value.
#[test]
fn the_share_of_mixed_inputs_is_rounded_up() {
    use aftersale::lineage::graph::{Graph, Head, Portion};
    let mut graph = Graph::new();
    let [bad, good, thread, cloth, jacket] =
        [1, 1, 1, 2, 1].map(|unit| graph.add_node(unit).unwrap());
    let make = |graph: &mut Graph, ins: &[Portion], out: Portion| {
        let kind = if ins.is_empty() { EventKind::Receive } else { EventKind::Make };
        graph.append(Head { time: 1, sequence: 0, kind }, ins, &[out]).unwrap();
    };
    for (node, steps) in [(bad, 1), (good, 2), (cloth, 1)] {
        make(&mut graph, &[], Portion::new(node, steps));
    }
    make(&mut graph, &[Portion::new(bad, 1), Portion::new(good, 2)], Portion::new(thread, 3));
    make(&mut graph, &[Portion::new(thread, 3), Portion::new(cloth, 1)], Portion::new(jacket, 2));
    let mixing = graph.mixing(&Suspicion { nodes: vec![(bad, None)], events: vec![] });
    let content = mixing.holdings[jacket.0 as usize].suspect_content;
    // A third of two steps; exact would be two thirds of a step.
    assert!(content * 3 >= 2 << mixing.shift, "{content} parts of 2^{}", mixing.shift);
    assert!(content * 3 - (2 << mixing.shift) <= 3);
}

/// LIN-10: the order of arrival changes no answer, nor does bulk loading.
#[test]
fn the_order_of_arrival_changes_nothing() {
    for n in 0..2_000 {
        let mut entries = world(n, n % 4 == 0);
        // One order of time for every arrival, and one content per id.
        for en in &mut entries {
            if let En::Event(ev) = en {
                ev.seq = ev.id as u32;
            }
        }
        let mut seen = BTreeSet::new();
        entries.retain(|en| !matches!(en, En::Event(ev) if !seen.insert(ev.id)));
        let first = recorded(&entries, 1);
        let mut dice = Dice(n ^ 0x1234);
        dice.shuffle(&mut entries);
        let second = recorded(&entries, 1);
        let third = Lineage::load(Units::default(), entries.iter().map(|en| entry(en, 1))).unwrap();
        let sources = sources(&suspects_of(&mut dice));
        for other in [&second, &third] {
            assert_eq!(first.forward(&sources), other.forward(&sources), "world {n}");
            assert_eq!(first.backward(&sources), other.backward(&sources), "world {n}");
            assert_eq!(first.ledger(&sources), other.ledger(&sources), "world {n}");
            assert_eq!(first.evidence(&sources), other.evidence(&sources), "world {n}");
            assert_eq!(first.audit_all(), other.audit_all(), "world {n}");
            assert_eq!(first.cycles(), other.cycles(), "world {n}");
        }
    }
}

/// LIN-11: the timed trace never leaves the contact set, and every affected order has a chain of
/// events in order of time from a suspect, no longer than any other.
/// LIN-12: a point is common exactly when no affected order is reached without it.
#[test]
fn evidence_is_a_shortest_chain_and_common_points_are_unavoidable() {
    let mut points = 0;
    for n in 0..3_000 {
        let entries = world(n, n % 4 == 0);
        let events = effective(&entries);
        let lineage = recorded(&entries, 1);
        let mut dice = Dice(n ^ 0x4242);
        let suspects = suspects_of(&mut dice);
        let from = sources(&suspects);
        let trace = lineage.forward(&from);
        let contacts = lineage.contacts(&from, Direction::Forward);
        assert!(trace.items.iter().all(|item| contacts.contains(item)), "world {n}");
        let evidence = lineage.evidence(&from);
        let place: BTreeMap<EventId, usize> =
            events.iter().enumerate().map(|(place, ev)| (event_id(ev.id), place)).collect();
        assert_eq!(
            evidence.paths.keys().collect::<Vec<_>>(),
            trace.orders().collect::<Vec<_>>(),
            "world {n}"
        );
        let fewest = model_fewest_events(&events, &suspects);
        for (order, path) in &evidence.paths {
            let node: usize = order.as_str()[1..].parse().unwrap();
            assert_eq!(Some(&path.len()), fewest.get(&node), "world {n} order {order}");
            assert!(suspects.iter().any(|s| path[0].from == Some(item(s.0))), "world {n}");
            for pair in path.windows(2) {
                assert_eq!(pair[1].from.as_ref(), Some(&pair[0].to), "world {n}");
                assert!(place[&pair[0].event] < place[&pair[1].event], "world {n}");
            }
        }
        if evidence.paths.is_empty() {
            assert!(evidence.common.is_empty());
            continue;
        }
        let reached = |events: &[Ev], barred: Option<usize>| {
            let events: Vec<Ev> = events
                .iter()
                .map(|ev| {
                    let mut ev = ev.clone();
                    if ev.kind != EventKind::Clean {
                        ev.ins.retain(|line| Some(line.0) != barred);
                    }
                    ev.outs.retain(|line| Some(line.0) != barred);
                    ev
                })
                .collect();
            model_forward(&events, &suspects).into_iter().any(|node| node >= LOTS)
        };
        for node in 0..NODES {
            let is_common = evidence.common.contains(&Point::Item(item(node)));
            assert_eq!(is_common, !reached(&events, Some(node)), "world {n} item {node}");
            points += usize::from(is_common);
        }
        for ev in events.iter().filter(|ev| ev.kind != EventKind::Clean) {
            let rest: Vec<Ev> = events.iter().filter(|other| other.id != ev.id).cloned().collect();
            let is_common = evidence.common.contains(&Point::Event(event_id(ev.id)));
            assert_eq!(is_common, !reached(&rest, None), "world {n} event {}", ev.id);
        }
    }
    assert!(points > 1_000, "{points}");
}

/// The fewest events from a suspect to each node, by order of time.
fn model_fewest_events(events: &[Ev], suspects: &[(usize, Option<i64>)]) -> BTreeMap<usize, usize> {
    let mut best: BTreeMap<usize, usize> = BTreeMap::new();
    let mut ever: BTreeMap<usize, usize> = BTreeMap::new();
    let mut acquitted = BTreeSet::new();
    for ev in events {
        let live = |node: usize| {
            suspects.iter().any(|s| {
                s.0 == node && s.1.is_none_or(|since| ev.t >= since) && !acquitted.contains(s)
            })
        };
        let way = |node: usize| if live(node) { Some(0) } else { best.get(&node).copied() };
        let far = ev.ins.iter().filter_map(|line| way(line.0)).min();
        if let Some(far) = far {
            for (node, _) in &ev.outs {
                for map in [&mut best, &mut ever] {
                    let held = map.entry(*node).or_insert(usize::MAX);
                    *held = (*held).min(far + 1);
                }
            }
        }
        if ev.kind == EventKind::Clean {
            for (node, _) in &ev.ins {
                best.remove(node);
                let hit = suspects
                    .iter()
                    .filter(|s| s.0 == *node && s.1.is_none_or(|since| ev.t >= since));
                acquitted.extend(hit.copied().collect::<Vec<_>>());
            }
        }
    }
    ever
}

/// LIN-13: loops are the sets of items that reach each other, as petgraph finds them on a copy.
#[test]
fn loops_and_petgraph_views_agree_with_a_copy() {
    for n in 0..1_000 {
        let lineage = recorded(&world(n, false), 1);
        let view = aftersale::lineage::view::Links::new(lineage.graph());
        let copy = view.to_petgraph();
        let mut theirs: Vec<Vec<Item>> = petgraph::algo::tarjan_scc(&copy)
            .into_iter()
            .filter(|component| component.len() > 1)
            .map(|component| {
                let mut items: Vec<Item> =
                    component.iter().map(|&i| lineage.item(copy[i]).unwrap().clone()).collect();
                items.sort();
                items
            })
            .collect();
        theirs.sort();
        assert_eq!(lineage.cycles(), theirs, "world {n}");
        assert_eq!(
            petgraph::algo::is_cyclic_directed(view),
            petgraph::algo::is_cyclic_directed(&copy)
        );
        let Some(node) = lineage.node(&item(0)) else { continue };
        let swept = lineage.graph().sweep_forward(&[node]);
        if swept.is_empty() {
            continue; // only voided events name it
        }
        let mut visits = Vec::new();
        let mut search = petgraph::visit::Dfs::new(view, node);
        while let Some(found) = search.next(view) {
            visits.push(found);
        }
        visits.sort();
        assert_eq!(visits, swept, "world {n}");
        let ours = petgraph::algo::dominators::simple_fast(view, node);
        let theirs = petgraph::algo::dominators::simple_fast(&copy, node.0.into());
        for other in 0..copy.node_count() as u32 {
            assert_eq!(
                ours.immediate_dominator(NodeIndex(other)).map(|d| d.0),
                theirs.immediate_dominator(other.into()).map(|d| d.index() as u32)
            );
        }
    }
}

/// LIN-14: many candidates in one sweep reach the same units as one timed trace each, and two have
/// the same print exactly when they reach the same units.
#[test]
fn exposures_equal_single_traces() {
    use aftersale::lineage::graph::EventIndex;
    use aftersale::lineage::graph::exposure::Watched;
    for n in 0..1_500 {
        let lineage = recorded(&world(n, n % 4 == 0), 1);
        let graph = lineage.graph();
        let mut dice = Dice(n ^ 0x1122);
        let nodes = graph.nodes() as u64;
        let candidates: Vec<Suspicion> = (0..6)
            .map(|_| {
                let node = NodeIndex(dice.roll(nodes) as u32);
                let event = EventIndex(dice.roll(graph.events() as u64) as u32);
                match dice.roll(3) {
                    0 => Suspicion { nodes: vec![(node, None)], events: vec![] },
                    1 => Suspicion { nodes: vec![], events: vec![event] },
                    _ => Suspicion { nodes: vec![(node, None)], events: vec![event] },
                }
            })
            .collect();
        let is_order = |node: u32| lineage.item(NodeIndex(node)).unwrap().order().is_some();
        let watched: Vec<Watched> = (0..nodes as u32)
            .filter(|&node| is_order(node))
            .map(|node| Watched { node: NodeIndex(node), group: node % 2, marked: node % 3 == 0 })
            .collect();
        if watched.is_empty() {
            continue;
        }
        let mut sets: Vec<(Vec<NodeIndex>, u128)> = Vec::new();
        for (candidate, exposure) in candidates.iter().zip(graph.exposures(&candidates, &watched)) {
            let reach = graph.timed_forward(candidate).nodes;
            let units: Vec<&Watched> =
                watched.iter().filter(|unit| reach.contains(&unit.node)).collect();
            for (group, &(exposed, marked)) in exposure.by_group.iter().enumerate() {
                let own = units.iter().filter(|unit| unit.group == group as u32);
                let bad = own.clone().filter(|unit| unit.marked).count();
                assert_eq!((exposed, marked), (own.count() as u32, bad as u32), "world {n}");
            }
            sets.push((units.iter().map(|unit| unit.node).collect(), exposure.print));
        }
        for a in &sets {
            for b in &sets {
                assert_eq!(a.0 == b.0, a.1 == b.1, "world {n}");
            }
        }
    }
}
