//! What a lineage is told by: metrics, drawings, tables.

use crate::lineage_model::dairy::{dairy, event, order};
use crate::lineage_model::{
    LOTS, effective, liters, lot, model_forward, order_id, recorded, world,
};
use aftersale::id::SerialId;
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::Violation;
use aftersale::lineage::draw::Format;
use aftersale::lineage::event::{EventKind, Item, Line, Units};
use aftersale::lineage::evidence::{MAX_STEPS, Point};
use aftersale::lineage::recall::Scope;
use aftersale::lineage::source::Source;
use aftersale::lineage::table::TraceRow;
use aftersale::number::Ratio;
use aftersale::quantity::Quantity;

/// LIN-24: dispersion and recall sizes are those of one timed trace per root lot.
#[test]
fn metrics_equal_one_trace_per_root() {
    for n in 0..800 {
        let entries = world(n, n % 4 == 0);
        let events = effective(&entries);
        let metrics = recorded(&entries, 1).metrics();
        let is_named = |node: usize| {
            events.iter().any(|ev| ev.ins.iter().chain(&ev.outs).any(|line| line.0 == node))
        };
        let roots: Vec<usize> = (0..LOTS)
            .filter(|&node| is_named(node))
            .filter(|&node| {
                events
                    .iter()
                    .filter(|ev| ev.outs.iter().any(|line| line.0 == node))
                    .all(|ev| ev.kind == EventKind::Return || ev.ins.is_empty())
            })
            .collect();
        let shipped = |node: usize| {
            let ships = events.iter().filter(|ev| ev.kind == EventKind::Ship);
            ships.flat_map(|ev| &ev.ins).any(|line| line.0 == node)
        };
        let (mut to_finished, mut to_orders, mut largest) = (0, 0, 0);
        for &root in &roots {
            let reached = model_forward(&events, &[(root, None)]);
            to_finished += reached.iter().filter(|&&n| n < LOTS && shipped(n)).count() as u64;
            let orders = reached.iter().filter(|&&n| n >= LOTS).count();
            to_orders += orders as u64;
            largest = largest.max(orders);
        }
        assert_eq!(metrics.roots as usize, roots.len(), "world {n}");
        assert_eq!(metrics.root_to_orders, to_orders, "world {n}");
        assert_eq!(metrics.largest_recall.map_or(0, |l| l.1) as usize, largest, "world {n}");
        assert_eq!(metrics.root_to_finished, to_finished, "world {n}");
        assert!(metrics.complete <= metrics.items);
    }
    let metrics = dairy().metrics();
    assert_eq!(metrics.largest_recall, Some((lot("MILK-2"), 3)));
    // Of what was shipped MILK-1 reaches the tank and both cheeses, MILK-2 itself too, MILK-3 the tank,
    // and what came back nothing: 8 over four roots, and over four finished lots.
    assert_eq!((metrics.roots, metrics.finished, metrics.root_to_finished), (4, 4, 8));
    let text = |share: Option<Ratio>| share.map(|share| share.to_string());
    assert_eq!(text(metrics.downward_dispersion()), Some("2/1".into()));
    assert_eq!(text(metrics.upward_dispersion()), Some("2/1".into()));
    assert_eq!(
        (metrics.complete, metrics.items),
        (5, 7),
        "MILK-3 has no receipt, so the tank neither"
    );
}

/// A receipt that names the lot of the supplier is a receipt all the same.
#[test]
fn a_lot_received_under_a_number_of_its_own_is_complete() {
    let mut lineage = Lineage::new(Units::default());
    let ten = |name: &str| Line::new(lot(name), liters("10"));
    for draft in [
        event("R", 1, EventKind::Receive).input(ten("ALM-77")).output(ten("MILK")),
        event("M", 2, EventKind::Make).input(ten("MILK")).output(ten("CHEESE")),
        event("N", 3, EventKind::Make).input(ten("FOUND")).output(ten("WHEY")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let metrics = lineage.metrics();
    // ALM-77 and FOUND have no receipt, WHEY is made of one of them.
    assert_eq!((metrics.complete, metrics.items), (2, 5));
    assert_eq!(metrics.roots, 2);
}

/// LIN-25: a drawing shows or counts every item of the trace, and no name can break out of it.
#[test]
fn a_drawing_counts_what_it_leaves_out() {
    let dairy = dairy();
    let from = [Source::item(lot("MILK-1"))];
    let items = dairy.forward(&from).items.len();
    for format in [Format::Dot, Format::Mermaid] {
        for most in 0..items + 2 {
            let drawing = dairy.draw(&from, format, most);
            assert_eq!(drawing.drawn, most.min(items));
            assert_eq!(drawing.drawn + drawing.left_out, items);
            let says = drawing.text.contains(&format!("{} more not drawn", drawing.left_out));
            assert_eq!(says, drawing.left_out > 0);
        }
    }
    let dot = dairy.draw(&from, Format::Dot, 3).text;
    assert_eq!(
        dot,
        "digraph trace {\n  rankdir=LR;\n  node [shape=box];\n  n0 [label=\"lot MILK-1\", \
         style=bold, color=red];\n  n1 [label=\"lot TANK\"];\n  n2 [label=\"lot CHEESE-1\"];\n  n0 \
         -> n1;\n  n1 -> n2;\n  more [label=\"4 more not drawn\", style=dashed];\n}\n"
    );
    let mut lineage = Lineage::new(Units::default());
    let evil = lot("\"]; x[\"<b>#quot;\\");
    let receipt = event("R", 1, EventKind::Receive).output(Line::new(evil.clone(), liters("1")));
    lineage.record(&receipt.check().unwrap()).unwrap();
    let mermaid = lineage.draw(&[Source::item(evil.clone())], Format::Mermaid, 9).text;
    assert_eq!(mermaid.matches('"').count(), 2, "{mermaid}");
    assert!(mermaid.contains(r#"["lot #34;]"#), "{mermaid}");
    let dot = lineage.draw(&[Source::item(evil)], Format::Dot, 9).text;
    assert!(dot.contains(r#"label="lot \"]; x[\"<b>#quot;\\", "#), "{dot}");
}

#[test]
fn the_table_has_one_row_for_each_lot_of_each_event() {
    let rows = dairy().trace_table(&[Source::item(lot("CHEESE-1"))]);
    let shown: Vec<String> = rows.iter().map(|row| row.cells()[1..7].join(" ")).collect();
    assert_eq!(
        shown,
        [
            "R1 receive output lot MILK-1 100 l",
            "R2 receive output lot MILK-2 300 l",
            "T1 merge input lot MILK-1 100 l",
            "T1 merge input lot MILK-2 100 l",
            "T1 merge output lot TANK 200 l",
            "C1 make input lot TANK 100 l",
            "C1 make output lot CHEESE-1 100 l",
            "S1 ship input lot CHEESE-1 60 l",
            "S1 ship output order SO-1 60 l",
            "B1 return input order SO-1 20 l",
            "B1 return output lot BACK-1 20 l",
        ]
    );
    assert_eq!(rows[0].cells()[8], "Alm");
    assert_eq!(rows[7].cells()[9], "Anna");
    assert_eq!(TraceRow::COLUMNS.len(), rows[0].cells().len());
}

/// A batch of twenty thousand numbered parts in one event, to as many products: each answer reads its
/// lines, not every pair of them.
#[test]
fn an_event_with_many_lines_costs_no_more_than_its_lines() {
    const PARTS: usize = 20_000;
    let serial = |kind: &str, n| Item::Serial(SerialId::new(format!("{kind}{n}")).unwrap());
    let mut lineage = Lineage::new(Units::default());
    let mut made = event("M", 2, EventKind::Make);
    made.inputs.extend((0..PARTS).map(|n| Line::unmeasured(serial("part", n))));
    made.outputs.extend((0..PARTS).map(|n| Line::unmeasured(serial("phone", n))));
    lineage.record(&made.check().unwrap()).unwrap();
    let shipped = event("S", 3, EventKind::Ship)
        .input(Line::unmeasured(serial("phone", 7)))
        .output(Line::new(order("SO-1"), Quantity::pieces(1).unwrap()));
    lineage.record(&shipped.check().unwrap()).unwrap();
    let sources: Vec<Source> = (0..PARTS).map(|n| Source::item(serial("part", n))).collect();
    let recall = lineage.recall(&Scope { sources: sources.clone(), least_share: None });
    assert_eq!((recall.orders.len(), recall.stock.len()), (1, PARTS - 1));
    let drawing = lineage.draw(&sources, Format::Dot, 3);
    assert_eq!((drawing.drawn, drawing.left_out), (3, 2 * PARTS - 2));
    // One part and the first two phones that it went into.
    let drawing = lineage.draw(&sources[..1], Format::Dot, 3);
    assert_eq!(drawing.text.matches(" -> ").count(), 2, "{}", drawing.text);
}

/// LIN-43: links are inputs times outputs; what does not list links costs the lines of an event, and what
/// does list them does so one by one.
#[test]
fn links_of_a_wide_event_are_never_held_together() {
    const WIDE: usize = 30_000;
    let name = |kind: &str, n: usize| lot(&format!("{kind}{n}"));
    let mut made = event("M", 2, EventKind::Make);
    made.inputs.extend((0..WIDE).map(|n| Line::new(name("IN", n), liters("1"))));
    made.outputs.extend((0..WIDE).map(|n| Line::new(name("OUT", n), liters("1"))));
    let mut lineage = Lineage::new(Units::default());
    let receipt = event("R", 1, EventKind::Receive).output(Line::new(name("IN", 3), liters("1")));
    lineage.record(&receipt.check().unwrap()).unwrap();
    lineage.record(&made.check().unwrap()).unwrap();
    // All of it goes back into one lot of many lines, and out again.
    let mut back = event("N", 3, EventKind::Make);
    back.inputs.extend((0..WIDE).map(|_| Line::new(name("OUT", 7), liters("1"))));
    back.outputs.extend((0..WIDE).map(|n| Line::new(name("END", n), liters("1"))));
    lineage.record(&back.check().unwrap()).unwrap();
    let shares = lineage.composition(&[Source::item(name("IN", 3))]).unwrap();
    assert_eq!(shares.len(), 1 + 2 * WIDE);
    assert_eq!(shares[&name("END", 5)].to_string(), format!("1/{WIDE}"));
    let flow = lineage.flow(&[Source::item(name("IN", 3))]).unwrap();
    assert_eq!(flow[&name("OUT", 5)].to_string(), format!("1/{}", WIDE / 1_000));
    assert!(lineage.cycles().is_empty());
    let of_first = lineage.links().take_while(|(from, _)| **from == name("IN", 3));
    assert_eq!(of_first.count(), WIDE);
    let mut cleared = event("L", 4, EventKind::Make);
    cleared.inputs.extend((0..WIDE).map(|n| Line::new(name("LOOP", n), liters("1"))));
    cleared.outputs = cleared.inputs.clone();
    lineage.record(&cleared.check().unwrap()).unwrap();
    assert_eq!(lineage.cycles()[0].len(), WIDE);
}

/// LIN-7: of goods that were put out without a quantity nobody knows that too much was taken, until they
/// are cleaned out.
#[test]
fn nobody_takes_too_much_of_what_was_not_counted() {
    let mut lineage = Lineage::new(Units::default());
    let five = |name: &str| Line::new(lot(name), liters("5"));
    let records = [
        event("R", 1, EventKind::Receive).output(five("MILK")),
        event("M", 2, EventKind::Make).input(five("MILK")).output(Line::unmeasured(lot("VAT"))),
        event("S", 3, EventKind::Ship)
            .input(five("VAT"))
            .output(Line::new(order("SO-1"), liters("5"))),
        // What a taking without a quantity left, nobody knows: but never more than there was.
        event("P", 3, EventKind::Receive).output(five("CREAM")),
        event("Q", 4, EventKind::Make).input(Line::unmeasured(lot("CREAM"))).output(five("BUTTER")),
        event("T", 5, EventKind::Scrap).input(five("CREAM")),
    ];
    for draft in records {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let found = |lineage: &Lineage| {
        let from = [Source::item(lot("MILK")), Source::item(lot("CREAM"))];
        let ledger = lineage.ledger(&from).deficits;
        let shown = |found: &[Violation]| -> Vec<String> {
            let told = found.iter().map(|violation| serde_json::to_value(violation).unwrap());
            told.map(|told| format!("{} {}", told["type"].as_str().unwrap(), told["event"]))
                .collect()
        };
        (shown(&lineage.audit_all().violations), shown(&ledger))
    };
    assert_eq!(found(&lineage), (vec![], vec![]));
    for draft in [
        event("U", 6, EventKind::Scrap).input(Line::new(lot("CREAM"), liters("6"))),
        event("C", 7, EventKind::Clean).input(Line::unmeasured(lot("VAT"))),
        event("X", 8, EventKind::Scrap).input(five("VAT")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let (audit, ledger) = found(&lineage);
    // Of CREAM eleven liters were taken on record and five were there; the VAT was empty.
    assert_eq!(audit, ["deficit \"U\"", "deficit \"X\"", "over_consumed null"],);
    assert_eq!(ledger, ["deficit \"X\""]);
}

/// A rework loop of a hundred thousand rounds that fills one tank each time: what all ways pass is found
/// without walking every way.
#[test]
fn points_that_all_ways_pass_are_found_in_deep_lineages() {
    const ROUNDS: usize = 60_000;
    let mut lineage = Lineage::new(Units::default());
    let some = |name: &str| Line::unmeasured(lot(name));
    let round = |n: usize| format!("ROUND-{n}");
    for n in 0..ROUNDS {
        let draft = event(&format!("E{n}"), 1, EventKind::Rework)
            .sequence(n as u32)
            .input(some(&round(n)))
            .output(some(&round(n + 1)))
            .output(some("TANK"));
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let ship =
        event("S", 2, EventKind::Ship).input(some("TANK")).output(Line::unmeasured(order("SO-1")));
    lineage.record(&ship.check().unwrap()).unwrap();
    let evidence = lineage.evidence(&[Source::item(lot(&round(0)))]);
    let common: Vec<Point> = ["ROUND-0", "TANK"].map(|name| Point::Item(lot(name))).into();
    assert_eq!(evidence.common.len(), 5, "{:?}", evidence.common);
    assert_eq!(evidence.paths[&order_id("SO-1")].len(), 2);
    assert!(common.iter().all(|point| evidence.common.contains(point)));
}

/// LIN-11: chains that would fill the memory are left out and named, and each can be asked for alone.
#[test]
fn chains_without_end_are_left_out_and_named() {
    const ROUNDS: usize = 3_000;
    let mut lineage = Lineage::new(Units::default());
    let some = |name: String| Line::unmeasured(lot(&name));
    for n in 0..ROUNDS {
        let made = event(&format!("E{n:04}"), 1, EventKind::Rework)
            .sequence(2 * n as u32)
            .input(some(format!("ROUND-{n}")))
            .output(some(format!("ROUND-{}", n + 1)));
        let shipped = event(&format!("S{n:04}"), 1, EventKind::Ship)
            .sequence(2 * n as u32 + 1)
            .input(some(format!("ROUND-{}", n + 1)))
            .output(Line::unmeasured(order(&format!("SO-{n:04}"))));
        lineage.record(&made.check().unwrap()).unwrap();
        lineage.record(&shipped.check().unwrap()).unwrap();
    }
    let from = [Source::item(lot("ROUND-0"))];
    let evidence = lineage.evidence(&from);
    // The chain to order n has n + 2 steps; so many orders have a million together.
    let listed = (1..)
        .scan(0, |sum, n| {
            *sum += n + 1;
            (*sum <= MAX_STEPS).then_some(n)
        })
        .count();
    assert_eq!(evidence.paths.len(), listed);
    assert_eq!(evidence.without_path.len(), ROUNDS - listed);
    let (last, first) = (evidence.paths.last_key_value().unwrap(), evidence.without_path.first());
    assert!(Some(last.0) < first);
    assert_eq!(lineage.path_to(last.0, &from).as_ref(), Some(last.1));
    assert_eq!(lineage.path_to(&order_id("SO-2999"), &from).map(|path| path.len()), Some(3_001));
    assert_eq!(lineage.path_to(&order_id("SO-9999"), &from), None);
    assert_eq!(lineage.path_to(last.0, &[Source::item(lot("ROUND-3000"))]), None);
}
