//! What was packed in what, and when.

use std::collections::BTreeSet;

use crate::lineage_model::{Dice, day};
use aftersale::id::SerialId;
use aftersale::lineage::containment::{Containment, PackAction, Packing};
use aftersale::lineage::event::{EventId, Item};

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
