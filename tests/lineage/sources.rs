//! Where traces start: items, names, periods, papers; and where a cleaning ends them.

use std::collections::BTreeSet;

use crate::lineage_model::dairy::{dairy, event, order, orders_of};
use crate::lineage_model::{Dice, day, liters, lot, order_id};
use aftersale::id::SupplierId;
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::TraceBreak;
use aftersale::lineage::event::{
    DocumentId, Entry, Event, EventFacts, EventId, EventKind, Line, LineId, PlaceId, Units,
};
use aftersale::lineage::graph::reach::Direction;
use aftersale::lineage::source::Source;
use aftersale::lineage::suspect::CandidateKind;
use aftersale::time::{Interval, Zone};

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
    let contacts = dairy.contacts(&[Source::item(lot("MILK-1"))], Direction::Forward);
    assert!(contacts.contains(&order("SO-4")));
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
fn a_voided_inspection_starts_no_trace() {
    let mut lineage = dairy();
    let found = event("LAB-9", 9, EventKind::Inspect).input(Line::unmeasured(lot("MILK-1")));
    lineage.record(&found.check().unwrap()).unwrap();
    let source = Source::Inspection(EventId::new("LAB-9").unwrap());
    assert!(!orders_of(&lineage, source.clone()).is_empty());
    lineage.void(&EventId::new("LAB-9").unwrap());
    assert_eq!(lineage.forward(std::slice::from_ref(&source)).unknown, [source]);
}

/// An inspection of something that no event names starts nothing, and the trace says so.
#[test]
fn an_inspection_of_what_no_event_names_is_unknown() {
    let mut lineage = dairy();
    let seen = event("LAB-8", 9, EventKind::Inspect).input(Line::unmeasured(lot("NOWHERE")));
    lineage.record(&seen.check().unwrap()).unwrap();
    let source = Source::Inspection(EventId::new("LAB-8").unwrap());
    let trace = lineage.forward(std::slice::from_ref(&source));
    assert_eq!((trace.items.len(), trace.unknown), (0, vec![source]));
}

/// LIN-39: a name or a period stands for the events on record that say so and count, whatever the
/// order of arrival; the candidates of a ranking are those names.
#[test]
fn names_and_periods_stand_for_the_events_that_say_so() {
    const NAMES: [&str; 3] = ["A", "B", "C"];
    for seed in 0..400 {
        let mut dice = Dice(seed);
        // Each event puts out a thing of its own, so that the trace tells which events were found.
        let mut events: Vec<Event> = (0..24)
            .map(|n| {
                let kind = *dice.pick(&[EventKind::Receive, EventKind::Make, EventKind::Ship]);
                let mut draft = event(&format!("E{n}"), 1 + dice.roll(6) as u32, kind);
                draft = draft.sequence(n);
                draft = match kind {
                    EventKind::Ship => draft
                        .input(Line::unmeasured(lot("STOCK")))
                        .output(Line::unmeasured(order(&format!("O{n}")))),
                    _ => draft.output(Line::unmeasured(lot(&format!("L{n}")))),
                };
                let name = *dice.pick(&NAMES);
                draft
                    .facts(EventFacts {
                        supplier: SupplierId::new(name).ok(),
                        line: LineId::new(name).ok().filter(|_| dice.roll(2) == 0),
                        place: PlaceId::new(name).ok().filter(|_| dice.roll(2) == 0),
                        document: DocumentId::new(name).ok().filter(|_| dice.roll(2) == 0),
                        ..EventFacts::default()
                    })
                    .check()
                    .unwrap()
            })
            .collect();
        dice.shuffle(&mut events);
        let voided: BTreeSet<EventId> = (0..dice.roll(12))
            .map(|_| EventId::new(format!("E{}", dice.roll(30))).unwrap())
            .collect();
        let mut entries: Vec<Entry> = events.iter().cloned().map(Entry::Event).collect();
        for id in &voided {
            entries.insert(dice.roll(entries.len() as u64) as usize, Entry::Void(id.clone()));
        }
        let mut lineage = Lineage::new(Units::default());
        entries.iter().for_each(|entry| lineage.apply(entry).unwrap());
        let alive: Vec<&Event> = events.iter().filter(|e| !voided.contains(e.id())).collect();
        let first = 1 + dice.roll(5) as u32;
        let period = Interval::new(day(first), day(first + 1 + dice.roll(2) as u32)).unwrap();
        let window = Some(period).filter(|_| dice.roll(2) == 0);
        let within = |e: &Event| window.is_none_or(|window| window.contains(e.parts().at));
        for name in NAMES {
            let is = |id: Option<&str>| id == Some(name);
            let (supplier, line) = (SupplierId::new(name).unwrap(), LineId::new(name).unwrap());
            let (place, paper) = (PlaceId::new(name).unwrap(), DocumentId::new(name).unwrap());
            let check = |source: Source, matches: &dyn Fn(&Event) -> bool| {
                let expected: BTreeSet<_> = alive
                    .iter()
                    .filter(|e| matches(e))
                    .flat_map(|e| e.parts().outputs.iter().map(|line| line.item.clone()))
                    .collect();
                let trace = lineage.forward(std::slice::from_ref(&source));
                assert_eq!(trace.items.into_iter().collect::<BTreeSet<_>>(), expected, "{seed}");
                assert_eq!(trace.unknown.is_empty(), !expected.is_empty(), "{seed} {source:?}");
            };
            check(Source::Supplier { supplier, window }, &|e| {
                let by = e.parts().facts.supplier.as_ref().map(SupplierId::as_str);
                e.kind() == EventKind::Receive && is(by) && within(e)
            });
            check(Source::Line { line, window }, &|e| {
                is(e.parts().facts.line.as_ref().map(LineId::as_str)) && within(e)
            });
            check(Source::Place { place, window }, &|e| {
                is(e.parts().facts.place.as_ref().map(PlaceId::as_str)) && within(e)
            });
            check(Source::Document(paper), &|e| {
                is(e.parts().facts.document.as_ref().map(DocumentId::as_str))
            });
            check(Source::Period(period), &|e| {
                e.kind() != EventKind::Ship && period.contains(e.parts().at)
            });
        }
        let candidates = |kind| lineage.candidates(kind, &[], Zone::UTC);
        let goods = |e: &&&Event| e.kind() != EventKind::Ship;
        let receipts = alive.iter().filter(|e| e.kind() == EventKind::Receive);
        let suppliers: BTreeSet<_> =
            receipts.filter_map(|e| e.parts().facts.supplier.clone()).collect();
        let lines: BTreeSet<_> =
            alive.iter().filter_map(|e| e.parts().facts.line.clone()).collect();
        let places: BTreeSet<_> =
            alive.iter().filter(goods).filter_map(|e| e.parts().facts.place.clone()).collect();
        let days: BTreeSet<_> =
            alive.iter().filter(goods).map(|e| e.parts().at.date_naive()).collect();
        let window = None;
        let named = suppliers.into_iter().map(|supplier| Source::Supplier { supplier, window });
        assert_eq!(candidates(CandidateKind::Suppliers), named.collect::<Vec<_>>(), "{seed}");
        let named = lines.into_iter().map(|line| Source::Line { line, window });
        assert_eq!(candidates(CandidateKind::Lines), named.collect::<Vec<_>>(), "{seed}");
        let named = places.into_iter().map(|place| Source::Place { place, window });
        assert_eq!(candidates(CandidateKind::Places), named.collect::<Vec<_>>(), "{seed}");
        let found = candidates(CandidateKind::Dates);
        let starts = found.iter().filter_map(|source| match source {
            Source::Period(day) => Some(day.start().date_naive()),
            _ => None,
        });
        assert_eq!(starts.collect::<BTreeSet<_>>(), days, "{seed}");
        assert_eq!(found.len(), days.len(), "{seed}");
    }
}
