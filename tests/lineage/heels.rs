//! Vessels that count as empty at a refill: traces, ledger, bounds, evidence and exposures against
//! the rule walked event by event.

use std::collections::BTreeSet;

use crate::lineage_model::*;
use aftersale::id::{LotId, OrderId};
use aftersale::lineage::Lineage;
use aftersale::lineage::event::{Event, EventId, EventKind, Item, Line, Units};
use aftersale::lineage::graph::NodeIndex;
use aftersale::lineage::graph::exposure::Watched;
use aftersale::lineage::graph::timed::Suspicion;
use aftersale::lineage::heel::{Heel, HeelError};
use aftersale::lineage::source::Source;
use aftersale::number::Ratio;
use aftersale::quantity::{Quantity, Unit};

fn pieces(count: i64) -> Heel {
    Heel { capacity: Quantity::pieces(count).unwrap(), share: Ratio::ONE }
}

/// Two vessels (0, 1) that are filled from four lots (2 to 5) and drawn into a product (6) and orders;
/// mostly no more is drawn than is there. Some events are void, some come late.
fn tank_world(n: u64) -> Vec<En> {
    let mut dice = Dice(n ^ 0x7a4c);
    let mut hand = [0_i64; 2];
    let supply = |raw: usize| Ev {
        id: 50 + raw as u64,
        t: -1,
        seq: 0,
        kind: EventKind::Receive,
        ins: vec![],
        outs: vec![(raw, 60)],
    };
    let mut entries: Vec<En> = (2..6).map(|raw| En::Event(supply(raw))).collect();
    for id in 0..12 + dice.roll(14) {
        let vessel = dice.roll(2) as usize;
        let raw = 2 + dice.roll(4) as usize;
        let (mut ins, mut outs) = (Vec::new(), Vec::new());
        let all = if dice.roll(8) == 0 { 9 } else { hand[vessel] };
        let kind = match dice.roll(14) {
            0..=4 => {
                let q = 1 + dice.roll(9) as i64;
                (ins, outs) = (vec![(raw, q)], vec![(vessel, q)]);
                EventKind::Repack
            }
            5..=8 if all > 0 => {
                let q = 1 + dice.roll(all as u64) as i64;
                (ins, outs) = (vec![(vessel, q)], vec![(LOTS + dice.roll(3) as usize, q)]);
                EventKind::Ship
            }
            9 if all > 0 => {
                let q = 1 + dice.roll(all as u64) as i64;
                (ins, outs) = (vec![(vessel, q)], vec![(6, q)]);
                EventKind::Make
            }
            10 if all > 0 => {
                // Pumped round, with something added: no refill.
                let q = 1 + dice.roll(all as u64) as i64;
                (ins, outs) = (vec![(vessel, q), (raw, 2)], vec![(vessel, q + 2)]);
                EventKind::Rework
            }
            11 => {
                ins = vec![(vessel, 1)];
                EventKind::Clean
            }
            12 if all > 0 => {
                let q = 1 + dice.roll(all as u64) as i64;
                (ins, outs) = (vec![(vessel, q)], vec![(1 - vessel, q)]);
                EventKind::Repack
            }
            _ => {
                outs = vec![(raw, 1 + dice.roll(12) as i64)];
                EventKind::Receive
            }
        };
        for (node, q) in ins.iter().filter(|line| line.0 < 2) {
            let all = if kind == EventKind::Clean { hand[*node] } else { *q };
            hand[*node] = (hand[*node] - all).max(0);
        }
        outs.iter().filter(|line| line.0 < 2).for_each(|line| hand[line.0] += line.1);
        let t = if dice.roll(12) == 0 { dice.roll(12) as i64 } else { id as i64 };
        if dice.roll(16) == 0 {
            entries.push(En::Void(dice.roll(id + 2)));
        }
        entries.push(En::Event(Ev { id, t, seq: 0, kind, ins, outs }));
    }
    if dice.roll(4) == 0 {
        dice.shuffle(&mut entries);
    }
    entries
}

/// A world with heels: of tanks, or random with any lot a vessel.
fn with_heels(n: u64) -> (Vec<Ev>, Lineage, Heels, Dice) {
    let entries = if n.is_multiple_of(4) { world(n, n.is_multiple_of(3)) } else { tank_world(n) };
    let mut lineage = recorded(&entries, 1);
    let mut dice = Dice(n ^ 0x4ee1);
    let mut heels = Heels::new();
    for node in 0..LOTS {
        if dice.roll(4) > 0 {
            let heel = dice.roll(5) as i64;
            lineage.declare_heel(&item(node), pieces(heel)).unwrap();
            heels.insert(node, heel);
        }
    }
    (effective(&entries), lineage, heels, dice)
}

fn numbers(items: &[Item]) -> BTreeSet<usize> {
    items.iter().map(number).collect()
}

/// LIN-32: with heels, traces are the rule walked event by event, and never larger than without.
/// LIN-33: with heels, the ledger is the rule in fractions; what it neglects is listed.
#[test]
fn traces_and_ledger_with_heels_equal_the_rule() {
    let (mut emptied, mut shorter, mut neglected) = (0, 0, 0);
    for n in 0..worlds(6_000) {
        let (events, lineage, heels, mut dice) = with_heels(n);
        emptied += model_emptyings(&events, &heels).len();
        let suspects: Vec<(usize, Option<i64>)> = (0..1 + dice.roll(2))
            .map(|_| {
                let since = if dice.roll(4) > 0 { None } else { Some(dice.roll(12) as i64) };
                let any = n % 4 == 0 || dice.roll(5) == 0;
                let node = if any { dice.roll(LOTS as u64) } else { 2 + dice.roll(4) };
                (node as usize, since)
            })
            .collect();
        let from: Vec<Source> = suspects
            .iter()
            .map(|&(node, since)| Source::Item { item: item(node), since: since.map(at) })
            .collect();
        let forward = numbers(&lineage.forward(&from).items);
        assert_eq!(forward, model_forward_with(&events, &suspects, &heels), "world {n}");
        let strict = model_forward(&events, &suspects);
        assert!(forward.is_subset(&strict), "world {n}");
        shorter += usize::from(forward != strict);
        let target = dice.roll(NODES as u64) as usize;
        let back = numbers(&lineage.backward(&[Source::item(item(target))]).items);
        assert_eq!(back, model_backward_with(&events, target, &heels), "world {n} from {target}");

        let evidence = lineage.evidence(&from);
        let orders: Vec<OrderId> = lineage.forward(&from).orders().cloned().collect();
        assert_eq!(evidence.paths.keys().cloned().collect::<Vec<_>>(), orders, "world {n}");

        let nodes: Vec<usize> = suspects.iter().map(|s| s.0).collect();
        let known = nodes.iter().filter_map(|&s| lineage.node(&item(s)));
        let suspicion =
            Suspicion { nodes: known.map(|node| (node, None)).collect(), events: vec![] };
        let mixing = lineage.graph().mixing(&suspicion);
        let held: i64 = mixing.holdings.iter().map(|h| h.suspect_material).sum();
        let elsewhere = mixing.scrapped + mixing.unallocated + mixing.neglected;
        assert_eq!(held + elsewhere, mixing.injected, "world {n}");
        let Some(book) = model_ledger_with(&events, &nodes, &heels) else { continue };
        neglected += usize::from(mixing.neglected > 0);
        let scale = 1_i128 << mixing.shift;
        let slack = i128::from(mixing.roundings);
        let close = |ours: i64, model: Frac, slack: i128| {
            (i128::from(ours) * model.1 - model.0 * scale).abs() <= slack * model.1
        };
        let bounds = lineage.graph().bounds(&suspicion);
        for node in 0..NODES {
            let Some(index) = lineage.node(&item(node)) else { continue };
            let held = mixing.holdings[index.0 as usize];
            assert_eq!(held.hand, book.hand[node], "hand of {node} in world {n}");
            assert!(close(held.suspect_material, book.frac[node], slack), "{node} in world {n}");
            let slack = slack * i128::from(held.hand);
            assert!(close(held.suspect_content, book.comp[node], slack), "{node} in world {n}");
            let bounds = bounds[index.0 as usize];
            let mixed = i128::from(held.suspect_content);
            assert!(mixed <= i128::from(bounds.high) * scale + slack, "high of {node}, world {n}");
            assert!(i128::from(bounds.low) * scale <= mixed + slack, "low of {node}, world {n}");
        }
        assert!(close(mixing.neglected, book.neglected, slack), "world {n}");
    }
    let least = (worlds(6_000) / 4) as usize;
    assert!(
        emptied > least && shorter > least / 20 && neglected > least / 10,
        "{emptied} {shorter} {neglected}"
    );
}

/// LIN-32: many candidates in one sweep follow the same rule.
#[test]
fn exposures_with_heels_equal_single_traces() {
    for n in 0..1_500 {
        let (_, lineage, _, mut dice) = with_heels(n);
        let graph = lineage.graph();
        let nodes = graph.nodes() as u64;
        let candidates: Vec<Suspicion> = (0..5)
            .map(|_| {
                let node = NodeIndex(dice.roll(nodes) as u32);
                Suspicion { nodes: vec![(node, None)], events: vec![] }
            })
            .collect();
        let watched: Vec<Watched> = (0..nodes as u32)
            .filter(|&node| lineage.item(NodeIndex(node)).unwrap().order().is_some())
            .map(|node| Watched { node: NodeIndex(node), group: 0, marked: false })
            .collect();
        if watched.is_empty() {
            continue;
        }
        for (candidate, exposure) in candidates.iter().zip(graph.exposures(&candidates, &watched)) {
            let reach = graph.timed_forward(candidate).nodes;
            let exposed = watched.iter().filter(|unit| reach.contains(&unit.node)).count();
            assert_eq!(exposure.by_group[0].0, exposed as u32, "world {n}");
        }
    }
}

/// A tank of 1,000 l: filled with OIL-1, drained to what is left, filled with OIL-2, sold.
fn tank_drained_to(left: u32) -> Lineage {
    let lot = |name: &str| Item::Lot(LotId::new(name).unwrap());
    let order = |name: &str| Item::Order(OrderId::new(name).unwrap());
    let mut lineage = Lineage::new(Units::default());
    let mut time = 0;
    let mut record = |id: &str, kind, from: Option<&Item>, to: &Item, amount: &str| {
        time += 1;
        let mut draft = Event::new(EventId::new(id).unwrap(), at(time), kind);
        draft.inputs.extend(from.map(|from| Line::new(from.clone(), liters(amount))));
        draft.outputs.push(Line::new(to.clone(), liters(amount)));
        lineage.record(&draft.check().unwrap()).unwrap();
    };
    let tank = lot("TANK");
    record("R1", EventKind::Receive, None, &lot("OIL-1"), "900");
    record("R2", EventKind::Receive, None, &lot("OIL-2"), "500");
    record("F1", EventKind::Repack, Some(&lot("OIL-1")), &tank, "900");
    record("S1", EventKind::Ship, Some(&tank), &order("SO-1"), &(900 - left).to_string());
    record("F2", EventKind::Repack, Some(&lot("OIL-2")), &tank, "500");
    record("S2", EventKind::Ship, Some(&tank), &order("SO-2"), "200");
    let heel = Heel { capacity: liters("1000"), share: Ratio::new(2, 100).unwrap() };
    lineage.declare_heel(&tank, heel).unwrap();
    lineage
}

#[test]
fn a_tank_at_its_heel_counts_as_empty_and_one_liter_above_does_not() {
    for (left, orders, neglected) in [(20, 1, "1/45"), (21, 2, "0/1"), (0, 1, "0/1")] {
        let lineage = tank_drained_to(left);
        let oil = [Source::item(Item::Lot("OIL-1".parse().unwrap()))];
        assert_eq!(lineage.forward(&oil).orders().count(), orders, "{left} l left");
        let ledger = lineage.ledger(&oil);
        assert_eq!(ledger.neglected.to_string(), neglected, "{left} l left");
        let back = lineage.backward(&[Source::Order("SO-2".parse().unwrap())]);
        assert_eq!(back.contains(&oil_item("OIL-1")), orders == 2, "{left} l left");
        assert!(back.contains(&oil_item("OIL-2")));
        // A suspect tank stays suspect: only a cleaning ends that.
        let tank = [Source::item(oil_item("TANK"))];
        assert_eq!(lineage.forward(&tank).orders().count(), 2);
    }
}

fn oil_item(name: &str) -> Item {
    Item::Lot(LotId::new(name).unwrap())
}

#[test]
fn heels_that_cannot_be_are_refused() {
    let mut lineage = tank_drained_to(20);
    let tank = oil_item("TANK");
    let heel = |capacity, share| Heel { capacity, share };
    let (low, high) = (Ratio::new(-1, 2).unwrap(), Ratio::new(3, 2).unwrap());
    for share in [low, high] {
        let error = lineage.declare_heel(&tank, heel(liters("1"), share)).unwrap_err();
        assert_eq!(error, HeelError::BadShare { share });
    }
    let order = Item::Order("SO-1".parse().unwrap());
    assert!(matches!(
        lineage.declare_heel(&order, heel(liters("1"), Ratio::ONE)),
        Err(HeelError::NoVessel { .. })
    ));
    let one = Quantity::pieces(1).unwrap();
    assert!(matches!(
        lineage.declare_heel(&tank, heel(one, Ratio::ONE)),
        Err(HeelError::Capacity(_))
    ));
    // A vessel may be declared before it is used; its unit is then that of its capacity.
    lineage.declare_heel(&oil_item("NEW"), heel(one, Ratio::ONE)).unwrap();
    assert_eq!(lineage.base_unit(&oil_item("NEW")), Some(one.unit()));
    assert!(lineage.forward(&[Source::item(oil_item("NEW"))]).items.is_empty());
}

/// Liters with six decimals are liters: the capacity fits where it comes out whole.
#[test]
fn a_capacity_may_have_other_decimals_than_its_vessel() {
    let mut lineage = tank_drained_to(20);
    let fine = |amount: &str| Quantity::parse(amount, Unit::with_digits("l", 6).unwrap()).unwrap();
    let declare = |lineage: &mut Lineage, capacity| {
        let heel = Heel { capacity, share: Ratio::new(1, 100).unwrap() };
        lineage.declare_heel(&oil_item("TANK"), heel)
    };
    let orders = |lineage: &Lineage| {
        let oil = [Source::item(oil_item("OIL-1"))];
        lineage.forward(&oil).orders().count()
    };
    declare(&mut lineage, fine("1000")).unwrap();
    assert_eq!(orders(&lineage), 2, "10 l may be left and 20 were");
    declare(&mut lineage, fine("2000")).unwrap();
    assert_eq!(orders(&lineage), 1);
    assert!(declare(&mut lineage, fine("0.0005")).is_err(), "half a milliliter is no step");
    assert_eq!(orders(&lineage), 1, "nothing changed");
}
