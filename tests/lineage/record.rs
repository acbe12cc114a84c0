//! Recording: which events are refused, what a repeat and a void do, how units come together.

use std::collections::BTreeMap;

use crate::lineage_model::dairy::{event, order};
use crate::lineage_model::{liters, lot};
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::{Tolerance, TraceBreak, Violation};
use aftersale::lineage::event::{Entry, Event, EventId, EventKind, Line, Units};
use aftersale::lineage::record::{Recorded, VoidOutcome};
use aftersale::lineage::source::Source;
use aftersale::number::Ratio;
use aftersale::quantity::{Quantity, Unit, UnitTable};

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
