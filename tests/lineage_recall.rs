//! Recall scope, what-if, campaign, metrics, drawings, tables, containment, and where traces start.

mod lineage_model;

use std::collections::{BTreeMap, BTreeSet};

use aftersale::id::{CustomerId, OrderId, SerialId, SupplierId};
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::{Tolerance, TraceBreak, Violation};
use aftersale::lineage::containment::{Containment, PackAction, Packing};
use aftersale::lineage::draw::Format;
use aftersale::lineage::event::{
    DocumentId, Entry, Event, EventDraft, EventFacts, EventId, EventKind, Item, Line, LineId, Units,
};
use aftersale::lineage::recall::Scope;
use aftersale::lineage::source::Source;
use aftersale::lineage::table::TraceRow;
use aftersale::number::Ratio;
use aftersale::quantity::{Quantity, Unit, UnitTable};
use aftersale::time::Interval;
use lineage_model::{
    Dice, LOTS, day, effective, liters, lot, model_forward, number, order_id, recorded, world,
};

fn order(name: &str) -> Item {
    Item::Order(OrderId::new(name).unwrap())
}

fn event(id: &str, on: u32, kind: EventKind) -> EventDraft {
    Event::new(EventId::new(id).unwrap(), day(on), kind)
}

fn facts() -> EventFacts {
    EventFacts::default()
}

/// A dairy: two deliveries of milk, one tank, two batches of cheese, four orders, one return.
fn dairy() -> Lineage {
    let mut lineage = Lineage::new(Units::default());
    let supplier = |name: &str| EventFacts {
        supplier: Some(SupplierId::new(name).unwrap()),
        document: Some(DocumentId::new(format!("DN-{name}")).unwrap()),
        ..facts()
    };
    let on_line = |name: &str| EventFacts { line: Some(LineId::new(name).unwrap()), ..facts() };
    let to = |name: &str| EventFacts { customer: Some(CustomerId::new(name).unwrap()), ..facts() };
    let ship = |id: &str, on, from: &str, amount: &str, to_order: &str| {
        event(id, on, EventKind::Ship)
            .input(Line::new(lot(from), liters(amount)))
            .output(Line::new(order(to_order), liters(amount)))
    };
    for draft in [
        event("R1", 1, EventKind::Receive)
            .output(Line::new(lot("MILK-1"), liters("100")))
            .facts(supplier("Alm")),
        event("R2", 2, EventKind::Receive)
            .output(Line::new(lot("MILK-2"), liters("300")))
            .facts(supplier("Berg")),
        event("Q1", 2, EventKind::Inspect)
            .input(Line::unmeasured(lot("MILK-2")))
            .facts(EventFacts { document: Some(DocumentId::new("LAB-7").unwrap()), ..facts() }),
        event("T1", 3, EventKind::Merge)
            .input(Line::new(lot("MILK-1"), liters("100")))
            .input(Line::new(lot("MILK-2"), liters("100")))
            .output(Line::new(lot("TANK"), liters("200"))),
        event("C1", 4, EventKind::Make)
            .input(Line::new(lot("TANK"), liters("100")))
            .output(Line::new(lot("CHEESE-1"), liters("100")))
            .facts(on_line("press-1")),
        event("C2", 5, EventKind::Make)
            .input(Line::new(lot("TANK"), liters("50")))
            .input(Line::new(lot("MILK-2"), liters("150")))
            .output(Line::new(lot("CHEESE-2"), liters("200")))
            .facts(on_line("press-2")),
        ship("S1", 6, "CHEESE-1", "60", "SO-1").facts(to("Anna")),
        ship("S2", 7, "CHEESE-2", "120", "SO-2").facts(to("Bo")),
        ship("S3", 8, "MILK-2", "50", "SO-3").facts(to("Chen")),
        event("B1", 9, EventKind::Return)
            .input(Line::new(order("SO-1"), liters("20")))
            .output(Line::new(lot("BACK-1"), liters("20"))),
        event("CLEAN", 10, EventKind::Clean).input(Line::unmeasured(lot("TANK"))),
        event("R3", 11, EventKind::Make)
            .input(Line::new(lot("MILK-3"), liters("10")))
            .output(Line::new(lot("TANK"), liters("10"))),
        ship("S4", 12, "TANK", "10", "SO-4").facts(to("Anna")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    lineage
}

fn orders_of(lineage: &Lineage, source: Source) -> Vec<String> {
    lineage.forward(&[source]).orders().map(ToString::to_string).collect()
}

#[test]
fn traces_start_from_lots_suppliers_lines_papers_and_inspections() {
    let dairy = dairy();
    let of = |source| orders_of(&dairy, source);
    let supplier =
        |name: &str, window| Source::Supplier { supplier: SupplierId::new(name).unwrap(), window };
    assert_eq!(of(Source::item(lot("MILK-1"))), ["SO-1", "SO-2"]);
    assert_eq!(of(supplier("Alm", None)), ["SO-1", "SO-2"]);
    assert_eq!(of(supplier("Berg", None)), ["SO-1", "SO-2", "SO-3"]);
    let early = Interval::new(day(1), day(2)).unwrap();
    assert!(of(supplier("Berg", Some(early))).is_empty(), "received on the second, half open");
    let line = Source::Line { line: LineId::new("press-2").unwrap(), window: None };
    assert_eq!(of(line), ["SO-2"]);
    assert_eq!(of(Source::Document(DocumentId::new("DN-Alm").unwrap())), ["SO-1", "SO-2"]);
    assert_eq!(of(Source::Inspection(EventId::new("Q1").unwrap())), ["SO-1", "SO-2", "SO-3"]);
    assert_eq!(of(Source::Document(DocumentId::new("LAB-7").unwrap())), ["SO-1", "SO-2", "SO-3"]);
    let since = Source::Item { item: lot("MILK-2"), since: Some(day(5)) };
    assert_eq!(of(since), ["SO-2", "SO-3"], "the tank was filled before");
    let made = Source::Period(Interval::new(day(4), day(5)).unwrap());
    assert_eq!(of(made), ["SO-1"], "one batch of cheese on that day");
    let nothing = dairy.forward(&[Source::item(lot("MILK-9"))]);
    assert_eq!((nothing.items.len(), nothing.unknown.len()), (0, 1));
}

#[test]
fn a_cleaned_tank_passes_nothing_on_and_the_contact_set_says_it_might() {
    let dairy = dairy();
    assert!(!orders_of(&dairy, Source::item(lot("MILK-1"))).contains(&"SO-4".to_owned()));
    let back = dairy.backward(&[Source::Order(order_id("SO-4"))]);
    let names: Vec<String> = back.items.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["lot MILK-3", "lot TANK", "order SO-4"]);
    assert_eq!(back.breaks, [TraceBreak::NoSupply { item: lot("MILK-3") }]);
    let direction = aftersale::lineage::graph::reach::Direction::Forward;
    let contacts = dairy.contacts(&[Source::item(lot("MILK-1"))], direction);
    assert!(contacts.contains(&order("SO-4")));
}

#[test]
fn shares_and_bounds_of_the_dairy_are_those_worked_out_by_hand() {
    // MILK-1 is half of the tank. CHEESE-1 is half suspect; CHEESE-2 a quarter of a half: 25 of 200.
    let ledger = dairy().ledger(&[Source::item(lot("MILK-1"))]);
    let share = |item: Item| ledger.items.get(&item).map(|share| share.share.to_string());
    assert_eq!(share(order("SO-1")), Some("1/2".into()));
    assert_eq!(share(order("SO-2")), Some("1/8".into()));
    assert_eq!(share(lot("BACK-1")), Some("1/2".into()));
    assert_eq!(share(order("SO-3")), None);
    let of_suspect = |item: Item| ledger.items[&item].of_suspect.to_string();
    assert_eq!(of_suspect(order("SO-2")), "3/20", "15 of 100 liters");
    assert_eq!(ledger.scrapped.to_string(), "1/4", "25 liters went down the drain at the cleaning");
    // At worst all 100 suspect liters are in CHEESE-1, at best 0: 100 others could be.
    let bounds = ledger.items[&order("SO-1")].bounds;
    assert_eq!((bounds.low, bounds.high), (0, 40_000));
}

#[test]
fn a_recall_lists_orders_customers_stock_and_what_came_back() {
    let dairy = dairy();
    let scope = Scope { sources: vec![Source::item(lot("MILK-1"))], least_share: None };
    let recall = dairy.recall(&scope);
    assert_eq!(recall.orders.keys().map(OrderId::as_str).collect::<Vec<_>>(), ["SO-1", "SO-2"]);
    assert_eq!(recall.customers().map(CustomerId::as_str).collect::<Vec<_>>(), ["Anna", "Bo"]);
    let first = &recall.orders[&order_id("SO-1")].items[0];
    assert_eq!(first.received, Some(liters("60")));
    assert_eq!(first.returned, Some(liters("20")));
    assert_eq!(first.on_hand, Some(liters("40")));
    let stock: Vec<String> = recall.stock.iter().map(|item| item.item.to_string()).collect();
    assert_eq!(stock, ["lot BACK-1", "lot CHEESE-1", "lot CHEESE-2"]);
    let unit = Unit::known("l").unwrap();
    assert_eq!(recall.outstanding()[&unit], liters("160"));
    assert_eq!(recall.recovered()[&unit], liters("140"), "20 back, 40 and 80 of cheese");
    assert_eq!(recall.recovered_share(unit).unwrap().to_string(), "7/15");
}

#[test]
fn what_if_tells_what_a_share_limit_would_leave() {
    let dairy = dairy();
    let sources = vec![Source::item(lot("MILK-1"))];
    let wide = Scope { sources: sources.clone(), least_share: None };
    let narrow = Scope { sources, least_share: Some(Ratio::new(1, 2).unwrap()) };
    let left = dairy.what_if(&wide, &narrow);
    assert_eq!(left.spared.iter().map(OrderId::as_str).collect::<Vec<_>>(), ["SO-2"]);
    assert_eq!(left.spared_quantity[&Unit::known("l").unwrap()], liters("120"));
    assert_eq!(left.suspect_left.to_string(), "3/20");
    assert_eq!(left.suspect_left_at_worst[&Unit::known("l").unwrap()], liters("50"));
    assert!(left.added.is_empty());
}

/// LIN-22: without a limit a recall names the orders of the timed trace; a limit only removes some,
/// and lists them; what-if splits the wider scope into kept and spared.
#[test]
fn a_recall_names_the_orders_of_the_timed_trace() {
    for n in 0..1_500 {
        let entries = world(n, n % 4 == 0);
        let lineage = recorded(&entries, if n % 3 == 0 { 3 } else { 1 });
        let mut dice = Dice(n ^ 0x9999);
        let suspect = dice.roll(LOTS as u64) as usize;
        let sources = vec![Source::item(lineage_model::item(suspect))];
        let wide = Scope { sources: sources.clone(), least_share: None };
        let recall = lineage.recall(&wide);
        let model: BTreeSet<usize> = model_forward(&effective(&entries), &[(suspect, None)])
            .into_iter()
            .filter(|&node| node >= LOTS)
            .collect();
        let named: BTreeSet<usize> =
            recall.orders.keys().map(|id| number(&Item::Order(id.clone()))).collect();
        assert_eq!(named, model, "world {n}");
        let mut before = recall.clone();
        for percent in [1, 25, 50, 75, 100] {
            let least_share = Some(Ratio::new(percent, 100).unwrap());
            let narrow = Scope { sources: sources.clone(), least_share };
            let after = lineage.recall(&narrow);
            assert!(after.orders.keys().all(|id| before.orders.contains_key(id)), "world {n}");
            let mut all: BTreeSet<&OrderId> = after.orders.keys().collect();
            all.extend(&after.left_out);
            assert_eq!(all, recall.orders.keys().collect(), "world {n}");
            let what_if = lineage.what_if(&wide, &narrow);
            assert_eq!(what_if.spared, after.left_out, "world {n}");
            assert!(what_if.added.is_empty());
            before = after;
        }
    }
}

#[test]
fn units_are_brought_together_exactly_or_the_trace_says_so() {
    let kilogram = Unit::known("kg").unwrap();
    let gram = Unit::known("g").unwrap();
    let mass = UnitTable::new(gram, [(kilogram, Ratio::new(1_000, 1).unwrap())]).unwrap();
    let piece = UnitTable::new(
        gram,
        [(kilogram, Ratio::new(1_000, 1).unwrap()), (Unit::PIECE, Ratio::new(250, 1).unwrap())],
    );
    let units =
        Units { common: vec![mass], items: BTreeMap::from([(lot("BUTTER"), piece.unwrap())]) };
    let text = serde_json::to_string(&units).unwrap();
    assert_eq!(serde_json::from_str::<Units>(&text).unwrap(), units);
    let mut lineage = Lineage::new(units).with_tolerance(Tolerance(Ratio::new(1, 100).unwrap()));
    let quantity = |amount: &str, unit: Unit| Quantity::parse(amount, unit).unwrap();
    for draft in [
        event("R", 1, EventKind::Receive).output(Line::new(lot("CREAM"), quantity("10", kilogram))),
        event("M", 2, EventKind::Make)
            .input(Line::new(lot("CREAM"), quantity("9500", gram)))
            .output(Line::new(lot("BUTTER"), quantity("38", Unit::PIECE))),
        event("N", 3, EventKind::Make)
            .input(Line::new(lot("CREAM"), quantity("500", gram)))
            .output(Line::new(lot("BUTTER"), quantity("3", Unit::PIECE))),
        event("X", 4, EventKind::Scrap).input(Line::new(lot("CREAM"), liters("1"))),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let trace = lineage.forward(&[Source::item(lot("CREAM"))]);
    let [Violation::Imbalance { event, inputs, outputs }] = &trace.violations[..] else {
        panic!("{:?}", trace.violations)
    };
    assert_eq!(event.as_str(), "N");
    assert_eq!((inputs.to_string(), outputs.to_string()), ("500 g".into(), "750 g".into()));
    let [TraceBreak::UnitMismatch { event, unit, .. }] = &trace.breaks[..] else {
        panic!("{:?}", trace.breaks)
    };
    assert_eq!((event.as_str(), *unit), ("X", Some(gram)));
}

#[test]
fn an_event_whose_lines_do_not_fit_its_kind_is_refused() {
    let six = liters("6");
    let goods = || Line::new(lot("MILK-1"), six);
    let sale = || Line::new(order("SO-1"), six);
    for draft in [
        event("E", 1, EventKind::Receive).input(goods()),
        event("E", 1, EventKind::Receive).output(sale()),
        event("E", 1, EventKind::Make).input(goods()),
        event("E", 1, EventKind::Split).output(goods()),
        event("E", 1, EventKind::Merge).input(goods()).output(goods()).output(goods()),
        event("E", 1, EventKind::Ship).input(goods()).output(goods()),
        event("E", 1, EventKind::Ship).input(goods()),
        event("E", 1, EventKind::Return).input(goods()).output(goods()),
        event("E", 1, EventKind::Scrap).input(goods()).output(goods()),
        event("E", 1, EventKind::Adjust).input(goods()).output(goods()),
        event("E", 1, EventKind::Adjust),
        event("E", 1, EventKind::Clean).output(goods()),
        event("E", 1, EventKind::Inspect).input(goods()).output(goods()),
    ] {
        let text = serde_json::to_string(&draft).unwrap();
        assert!(serde_json::from_str::<Event>(&text).is_err(), "{text}");
        assert!(draft.check().is_err());
    }
    let shipped = event("E", 1, EventKind::Ship).input(goods()).output(sale()).check().unwrap();
    let entry = Entry::Event(shipped);
    let text = serde_json::to_string(&entry).unwrap();
    assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
}

#[test]
fn repeats_contradictions_and_voids_are_told_apart() {
    use aftersale::lineage::record::{Recorded, VoidOutcome};
    let mut lineage = Lineage::new(Units::default());
    let receipt = |amount: &str| {
        event("R1", 1, EventKind::Receive)
            .output(Line::new(lot("MILK-1"), liters(amount)))
            .check()
            .unwrap()
    };
    let id = EventId::new("R1").unwrap();
    assert_eq!(lineage.record(&receipt("5")), Ok(Recorded::Added));
    assert_eq!(lineage.record(&receipt("5")), Ok(Recorded::Repeated));
    assert_eq!(lineage.record(&receipt("6")), Ok(Recorded::Contradicts));
    assert_eq!(lineage.void(&id), VoidOutcome::Removed);
    assert_eq!(lineage.void(&id), VoidOutcome::Repeated);
    assert_eq!(lineage.record(&receipt("5")), Ok(Recorded::Voided));
    assert_eq!(lineage.void(&EventId::new("R2").unwrap()), VoidOutcome::Awaited);
}

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
        if n % 4 != 0 {
            assert_eq!(metrics.root_to_finished, to_finished, "world {n}");
        }
        assert!(metrics.complete <= metrics.items);
    }
    let metrics = dairy().metrics();
    assert_eq!(metrics.largest_recall, Some((lot("MILK-2"), 3)));
    assert_eq!(
        (metrics.complete, metrics.items),
        (5, 7),
        "MILK-3 has no receipt, so the tank neither"
    );
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

/// LIN-26: the contents of a container at a time are the records up to then, replayed in order,
/// however late they arrive.
#[test]
fn containment_is_a_replay_of_the_records_up_to_then() {
    for seed in 0..2_000 {
        let mut dice = Dice(seed);
        let thing = |n: u64| Item::Serial(SerialId::new(format!("T{n}")).unwrap());
        let mut records: Vec<Packing> = (0..8)
            .map(|n| Packing {
                at: day(1 + dice.roll(6) as u32),
                sequence: n,
                id: EventId::new(format!("P{n}")).unwrap(),
                parent: thing(dice.roll(2)),
                action: *dice.pick(&[
                    PackAction::Pack,
                    PackAction::Pack,
                    PackAction::Unpack,
                    PackAction::See,
                ]),
                children: (0..dice.roll(3)).map(|_| thing(2 + dice.roll(3))).collect(),
            })
            .collect();
        let voided = format!("P{}", dice.roll(12));
        let now = day(1 + dice.roll(7) as u32);
        let mut contents: BTreeSet<Item> = BTreeSet::new();
        let mut sorted = records.clone();
        sorted.sort_by_key(|record| (record.at, record.sequence));
        for record in &sorted {
            if record.at > now || record.parent != thing(0) || record.id.as_str() == voided {
                continue;
            }
            match record.action {
                PackAction::Pack => contents.extend(record.children.iter().cloned()),
                PackAction::Unpack if record.children.is_empty() => contents.clear(),
                PackAction::Unpack => contents.retain(|item| !record.children.contains(item)),
                PackAction::See => {}
            }
        }
        dice.shuffle(&mut records);
        let mut containment = Containment::default();
        for record in &records {
            assert!(containment.record(record.clone()));
            assert!(!containment.record(record.clone()), "once");
        }
        containment.void(&EventId::new(&voided).unwrap());
        assert_eq!(containment.contents(&thing(0), now), contents, "seed {seed}");
        for child in &contents {
            assert!(containment.containers(child, now).contains(&thing(0)));
        }
    }
}

#[test]
fn an_order_with_several_lines_in_one_event_is_counted_once() {
    let mut lineage = Lineage::new(Units::default());
    let (milk, so) = (|amount| Line::new(lot("MILK"), liters(amount)), order("SO-1"));
    let to = |amount| Line::new(so.clone(), liters(amount));
    for draft in [
        event("R", 1, EventKind::Receive).output(milk("100")),
        event("S1", 2, EventKind::Ship).input(milk("10")).output(to("10")),
        event("S2", 3, EventKind::Ship).input(milk("8")).output(to("5")).output(to("3")),
        event("B", 4, EventKind::Return).input(to("4")).input(to("2")).output(milk("6")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let scope = Scope { sources: vec![Source::item(lot("MILK"))], least_share: None };
    let affected = &lineage.recall(&scope).orders[&order_id("SO-1")].items[0];
    assert_eq!(affected.received, Some(liters("18")));
    assert_eq!(affected.returned, Some(liters("6")));
    assert_eq!(affected.on_hand, Some(liters("12")));
}

#[test]
fn a_tank_contaminated_again_after_its_cleaning_passes_on_again() {
    let mut lineage = Lineage::new(Units::default());
    let part = |name: &str| Line::new(lot(name), liters("10"));
    let fill = |id: &str, on, from: &str| {
        event(id, on, EventKind::Repack).input(part(from)).output(part("TANK"))
    };
    let ship = |id: &str, on, to: &str| {
        let out = Line::new(order(to), liters("10"));
        event(id, on, EventKind::Ship).input(part("TANK")).output(out)
    };
    for draft in [
        event("R", 1, EventKind::Receive).output(Line::new(lot("BAD"), liters("50"))),
        event("R2", 1, EventKind::Receive).output(Line::new(lot("GOOD"), liters("50"))),
        fill("F1", 2, "BAD"),
        ship("S1", 3, "SO-1"),
        event("C1", 4, EventKind::Clean).input(Line::unmeasured(lot("TANK"))),
        fill("F2", 5, "GOOD"),
        ship("S2", 6, "SO-2"),
        fill("F3", 7, "BAD"),
        ship("S3", 8, "SO-3"),
        event("C2", 9, EventKind::Clean).input(Line::unmeasured(lot("TANK"))),
        fill("F4", 10, "GOOD"),
        ship("S4", 11, "SO-4"),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    assert_eq!(orders_of(&lineage, Source::item(lot("BAD"))), ["SO-1", "SO-3"]);
    let trace = lineage.forward(&[Source::item(lot("BAD"))]);
    let events: Vec<String> = trace.events.iter().map(ToString::to_string).collect();
    assert_eq!(events, ["F1", "S1", "C1", "F3", "S3", "C2"], "the cleanings are part of it");
    for (target, reaches) in [("SO-1", true), ("SO-2", false), ("SO-3", true), ("SO-4", false)] {
        let back = lineage.backward(&[Source::Order(order_id(target))]);
        assert_eq!(back.contains(&lot("BAD")), reaches, "{target}");
    }
}

#[test]
fn a_limit_keeps_what_is_at_it_and_an_order_with_one_line_above_it() {
    let mut lineage = Lineage::new(Units::default());
    let line = |name: &str, row: &str| {
        Item::OrderLine(order_id(name), aftersale::id::OrderLineId::new(row).unwrap())
    };
    let ship = |id: &str, from: &str, to: Item| {
        event(id, 3, EventKind::Ship)
            .input(Line::new(lot(from), liters("10")))
            .output(Line::new(to, liters("10")))
    };
    for draft in [
        event("R1", 1, EventKind::Receive).output(Line::new(lot("BAD"), liters("20"))),
        event("R2", 1, EventKind::Receive).output(Line::new(lot("GOOD"), liters("20"))),
        event("M", 2, EventKind::Make)
            .input(Line::new(lot("BAD"), liters("5")))
            .input(Line::new(lot("GOOD"), liters("15")))
            .output(Line::new(lot("MIX"), liters("20"))),
        ship("S1", "MIX", line("SO-1", "1")),
        ship("S2", "BAD", line("SO-1", "2")),
        ship("S3", "MIX", line("SO-2", "1")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let recall = |above: i64, below: i64| {
        let least_share = Some(Ratio::new(above, below).unwrap());
        lineage.recall(&Scope { sources: vec![Source::item(lot("BAD"))], least_share })
    };
    // At worst all 5 l that are suspect went into one of the two shipments of 10 l: one half.
    let at = recall(1, 2);
    assert_eq!((at.orders.len(), at.left_out.len()), (2, 0));
    let above = recall(51, 100);
    assert_eq!(above.orders.keys().collect::<Vec<_>>(), [&order_id("SO-1")]);
    assert_eq!(above.orders[&order_id("SO-1")].items.len(), 1, "the line of the mix is left out");
    assert_eq!(above.left_out, [order_id("SO-2")].into());
}

#[test]
fn a_voided_inspection_starts_no_trace() {
    let mut lineage = dairy();
    let found = event("LAB-9", 9, EventKind::Inspect).input(Line::unmeasured(lot("MILK-1")));
    lineage.record(&found.check().unwrap()).unwrap();
    let source = Source::Inspection(EventId::new("LAB-9").unwrap());
    assert!(!orders_of(&lineage, source.clone()).is_empty());
    lineage.void(&EventId::new("LAB-9").unwrap());
    assert_eq!(lineage.forward(std::slice::from_ref(&source)).unknown, [source]);
}

/// LIN-22: what an order received, who has it and what was destroyed counts as far as the suspect
/// reached it.
#[test]
fn goods_that_were_never_touched_do_not_count() {
    let mut lineage = Lineage::new(Units::default());
    let milk = |name: &str, amount| Line::new(lot(name), liters(amount));
    let to = |amount| Line::new(order("SO-1"), liters(amount));
    let customer = |name: &str| EventFacts {
        customer: Some(CustomerId::new(name).unwrap()),
        ..EventFacts::default()
    };
    for draft in [
        event("R1", 1, EventKind::Receive).output(milk("BAD", "50")),
        event("R2", 1, EventKind::Receive).output(milk("GOOD", "50")),
        event("S1", 2, EventKind::Ship)
            .input(milk("GOOD", "7"))
            .output(to("7"))
            .facts(customer("before")),
        event("S2", 3, EventKind::Ship)
            .input(milk("BAD", "5"))
            .output(to("5"))
            .facts(customer("reached")),
        event("S3", 4, EventKind::Ship)
            .input(milk("GOOD", "9"))
            .output(to("9"))
            .facts(customer("after")),
        event("X", 5, EventKind::Scrap).input(milk("BAD", "4")).input(milk("GOOD", "11")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    let scope = Scope { sources: vec![Source::item(lot("BAD"))], least_share: None };
    let recall = lineage.recall(&scope);
    let affected = &recall.orders[&order_id("SO-1")];
    assert_eq!(affected.items[0].received, Some(liters("5")));
    let customers: Vec<&str> = recall.customers().map(CustomerId::as_str).collect();
    assert_eq!(customers, ["reached"]);
    assert_eq!(recall.destroyed[&liters("1").unit()], liters("4"));
}
