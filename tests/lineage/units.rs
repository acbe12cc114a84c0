//! The unit that an item counts in, and what a voided event says about it: nothing.

use std::collections::BTreeMap;

use crate::lineage_model::Dice;
use aftersale::id::LotId;
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::TraceBreak;
use aftersale::lineage::event::{Event, EventDraft, EventId, EventKind, Item, Line, Units};
use aftersale::lineage::heel::Heel;
use aftersale::lineage::recall::Scope;
use aftersale::lineage::source::Source;
use aftersale::number::Ratio;
use aftersale::quantity::{Quantity, Unit, UnitTable};
use aftersale::time::Instant;

fn lot(number: u64) -> Item {
    Item::Lot(LotId::new(format!("L{number}")).unwrap())
}

fn unit(name: &str) -> Unit {
    Unit::known(name).unwrap()
}

fn quantity(amount: &str, name: &str) -> Quantity {
    Quantity::parse(amount, unit(name)).unwrap()
}

fn event(id: &str, time: i64, kind: EventKind) -> EventDraft {
    Event::new(EventId::new(id).unwrap(), Instant::from_timestamp(time, 0).unwrap(), kind)
}

/// Kilograms are grams; a piece of lot 0 weighs 250 of them.
fn units() -> Units {
    let kilogram = (unit("kg"), Ratio::new(1_000, 1).unwrap());
    let piece = (Unit::PIECE, Ratio::new(250, 1).unwrap());
    let mass = UnitTable::new(unit("g"), [kilogram]).unwrap();
    let butter = UnitTable::new(unit("g"), [kilogram, piece]).unwrap();
    Units { common: vec![mass], items: BTreeMap::from([(lot(0), butter)]) }
}

fn mismatches(lineage: &Lineage) -> Vec<String> {
    let breaks = lineage.audit_all().breaks;
    let found = breaks.iter().filter_map(|found| match found {
        TraceBreak::UnitMismatch { event, problem, .. } => Some(format!("{event}: {problem}")),
        _ => None,
    });
    found.collect()
}

/// LIN-38: a receipt in the wrong unit, voided and recorded again in the right one, leaves no trace.
#[test]
fn a_wrong_unit_is_corrected_by_a_void() {
    let receipt = |id: &str, name: &str| {
        let line = Line::new(lot(1), quantity("6", name));
        event(id, 1, EventKind::Receive).output(line).check().unwrap()
    };
    let mut lineage = Lineage::new(units());
    lineage.record(&receipt("wrong", "kg")).unwrap();
    assert_eq!(lineage.base_unit(&lot(1)), Some(unit("g")));
    lineage.record(&receipt("right", "l")).unwrap();
    assert_eq!(mismatches(&lineage).len(), 1);
    lineage.void(&EventId::new("wrong").unwrap());
    assert_eq!(lineage.base_unit(&lot(1)), Some(unit("l")));
    assert_eq!(mismatches(&lineage), [""; 0]);
    lineage.void(&EventId::new("right").unwrap());
    assert_eq!(lineage.base_unit(&lot(1)), None);
    lineage.record(&receipt("last", "pcs")).unwrap();
    assert_eq!(lineage.base_unit(&lot(1)), Some(Unit::PIECE));
}

/// LIN-38: the table of an item decides, even when its first line does not fit it.
#[test]
fn a_first_line_that_does_not_fit_the_table_decides_nothing() {
    let mut lineage = Lineage::new(units());
    for (id, name) in [("R1", "l"), ("R2", "kg"), ("R3", "pcs")] {
        let line = Line::new(lot(0), quantity("2", name));
        lineage.record(&event(id, 1, EventKind::Receive).output(line).check().unwrap()).unwrap();
    }
    assert_eq!(lineage.base_unit(&lot(0)), Some(unit("g")));
    let [found] = &mismatches(&lineage)[..] else { panic!("{:?}", mismatches(&lineage)) };
    assert!(found.starts_with("R1"), "{found}");
    let sources = vec![Source::item(lot(0))];
    assert_eq!(lineage.ledger(&sources).items[&lot(0)].on_hand, quantity("2500", "g"));
    let recall = lineage.recall(&Scope { sources, least_share: None });
    assert_eq!(recall.stock[0].on_hand, None, "and two liters that nobody can weigh");
}

/// LIN-38: with units of all kinds and voids at any time, every answer is that of a lineage that never
/// saw the voided events.
#[test]
fn what_was_voided_has_no_say_in_units() {
    let (mut voids, mut broken) = (0, 0);
    for n in 0..1_500 {
        let mut dice = Dice(n ^ 0x00_1735);
        let line = |dice: &mut Dice, item: u64| {
            let names = ["kg", "g", "l", "pcs"];
            match dice.roll(9) {
                0 => Line::unmeasured(lot(item)),
                roll => {
                    let name = names[(roll as usize + item as usize) % 5 % 4];
                    // Amounts so large that the ledger needs coarser parts.
                    let large = if dice.roll(6) == 0 { 3_000_000_000 } else { 0 };
                    let amount = 1 + dice.roll(20) + large;
                    Line::new(lot(item), quantity(&amount.to_string(), name))
                }
            }
        };
        let count = 3 + dice.roll(12);
        let events: Vec<Event> = (0..count)
            .map(|id| {
                let kind =
                    [EventKind::Receive, EventKind::Make, EventKind::Scrap][dice.roll(3) as usize];
                let mut draft = event(&format!("E{id}"), dice.roll(9) as i64, kind);
                draft = draft.sequence(id as u32);
                for _ in 0..1 + dice.roll(2) {
                    let item = dice.roll(4);
                    if kind != EventKind::Receive {
                        draft = draft.input(line(&mut dice, item));
                    }
                    let item = dice.roll(4);
                    if kind != EventKind::Scrap {
                        draft = draft.output(line(&mut dice, item));
                    }
                }
                draft.check().unwrap()
            })
            .collect();
        let gone: Vec<bool> = events.iter().map(|_| dice.roll(3) == 0).collect();
        let (mut ours, mut fresh) = (Lineage::new(units()), Lineage::new(units()));
        let mut waiting: Vec<&Event> = Vec::new();
        for (event, &gone) in events.iter().zip(&gone) {
            ours.record(event).unwrap();
            if gone {
                waiting.push(event);
            } else {
                fresh.record(event).unwrap();
            }
            if dice.roll(2) == 0 && !waiting.is_empty() {
                let place = dice.roll(waiting.len() as u64) as usize;
                ours.void(waiting.swap_remove(place).id());
                voids += 1;
            }
        }
        for event in waiting {
            ours.void(event.id());
        }
        broken += usize::from(!mismatches(&fresh).is_empty());
        for item in 0..4 {
            assert_eq!(
                ours.base_unit(&lot(item)),
                fresh.base_unit(&lot(item)),
                "world {n}, {item}"
            );
            let sources = [Source::item(lot(item))];
            assert_eq!(ours.ledger(&sources), fresh.ledger(&sources), "world {n}, {item}");
            let scope =
                aftersale::lineage::recall::Scope { sources: sources.to_vec(), least_share: None };
            assert_eq!(ours.recall(&scope), fresh.recall(&scope), "world {n}, {item}");
        }
        assert_eq!(ours.audit_all(), fresh.audit_all(), "world {n}");
    }
    assert!(voids > 1_000 && broken > 500, "{voids} {broken}");
}

/// The same unit with more or fewer decimals is the same unit, as long as nothing is rounded.
#[test]
fn decimals_of_one_unit_make_no_other_unit() {
    let fine = Unit::with_digits("kg", 6).unwrap();
    let in_fine = |amount: &str| Quantity::parse(amount, fine).unwrap();
    let receipts = |amounts: [Quantity; 3]| {
        let mut lineage = Lineage::new(Units::default());
        for (place, amount) in (0..).zip(amounts) {
            let id = format!("R{place}");
            let receipt = event(&id, place, EventKind::Receive).output(Line::new(lot(1), amount));
            lineage.record(&receipt.check().unwrap()).unwrap();
        }
        let held = lineage.ledger(&[Source::item(lot(1))]).items[&lot(1)].on_hand;
        (held.to_string(), mismatches(&lineage).len())
    };
    let coarse = quantity("2.5", "kg");
    let sum = receipts([coarse, in_fine("1.25"), coarse]);
    assert_eq!(sum, ("6.250 kg".into(), 0));
    assert_eq!(receipts([in_fine("1.25"), coarse, coarse]), ("6.250000 kg".into(), 0));
    let too_fine = receipts([coarse, in_fine("0.0005"), coarse]);
    assert_eq!(too_fine, ("5.000 kg".into(), 1), "half a gram is no whole number of grams");
    assert_eq!(receipts([in_fine("0.0005"), coarse, coarse]), ("5.000500 kg".into(), 0));
    let much = Quantity::new(i64::MAX / 8, unit("kg")).unwrap();
    assert_eq!(receipts([in_fine("1"), much, coarse]).1, 1, "too much for the finer unit");
}

/// A line that cannot be recorded has no say in units either.
#[test]
fn what_was_refused_has_no_say_in_units() {
    let mut lineage = Lineage::new(units());
    let receipt = |id: &str, amount: &str, name: &str| {
        let line = Line::new(lot(1), quantity(amount, name));
        event(id, 1, EventKind::Receive).output(line).check().unwrap()
    };
    let most = Quantity::new(i64::MAX, unit("l")).unwrap();
    let too_much = event("R1", 1, EventKind::Receive)
        .output(Line::new(lot(1), quantity("1", "pcs")))
        .output(Line::new(lot(2), most));
    let refused = lineage.record(&too_much.check().unwrap()).unwrap_err();
    assert!(refused.to_string().starts_with("event R1 cannot be recorded"), "{refused}");
    assert_eq!((lineage.base_unit(&lot(1)), lineage.base_unit(&lot(2))), (None, None));
    lineage.record(&receipt("R2", "6", "kg")).unwrap();
    assert_eq!(lineage.base_unit(&lot(1)), Some(unit("g")));
    // What had a unit before keeps it.
    let again = event("R3", 1, EventKind::Receive)
        .output(Line::new(lot(1), quantity("1", "kg")))
        .output(Line::new(lot(2), most));
    lineage.record(&again.check().unwrap()).unwrap_err();
    assert_eq!(lineage.base_unit(&lot(1)), Some(unit("g")));
    assert_eq!(mismatches(&lineage), [""; 0]);
}

/// An event with forty thousand lines of one lot, a few of them in no unit that fits: a void measures each
/// line once, and its event once.
#[test]
fn a_void_measures_the_lines_of_a_wide_event_once() {
    const WIDE: usize = 40_000;
    for misfit in [Line::new(lot(1), quantity("1", "l")), Line::unmeasured(lot(1))] {
        let mut lineage = Lineage::new(units());
        let mut wide = event("W", 1, EventKind::Receive);
        let line = if misfit.quantity.is_some() { quantity("1", "kg") } else { quantity("1", "g") };
        wide.outputs.push(Line::new(lot(1), line));
        wide.outputs.extend((1..WIDE).map(|n| match (n % 4, misfit.quantity) {
            (_, None) | (0, _) => misfit.clone(),
            _ => Line::new(lot(1), line),
        }));
        lineage.record(&wide.check().unwrap()).unwrap();
        for n in 0..40 {
            let id = format!("V{n}");
            let line = Line::new(lot(1), quantity("1", "kg"));
            lineage
                .record(&event(&id, 2, EventKind::Receive).output(line).check().unwrap())
                .unwrap();
            lineage.void(&EventId::new(&id).unwrap());
        }
        let wrong = if misfit.quantity.is_some() { WIDE / 4 - 1 } else { 0 };
        assert!(mismatches(&lineage).len().abs_diff(wrong) <= 1, "{}", mismatches(&lineage).len());
    }
}

/// A vessel whose heel was declared counts in the unit of it, whatever is voided.
#[test]
fn the_unit_of_a_heel_stays() {
    let mut lineage = Lineage::new(Units::default());
    let heel = Heel { capacity: quantity("100", "l"), share: Ratio::new(1, 10).unwrap() };
    lineage.declare_heel(&lot(1), heel).unwrap();
    for (id, name) in [("K", "kg"), ("L", "l")] {
        let filled =
            event(id, 1, EventKind::Receive).output(Line::new(lot(1), quantity("6", name)));
        lineage.record(&filled.check().unwrap()).unwrap();
    }
    assert_eq!(mismatches(&lineage).len(), 1);
    lineage.void(&EventId::new("L").unwrap());
    assert_eq!(lineage.base_unit(&lot(1)), Some(unit("l")));
    assert_eq!(mismatches(&lineage).len(), 1, "kilograms are still no liters");
}
