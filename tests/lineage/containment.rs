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

fn record(containment: &mut Containment, id: &str, parent: &str, action: PackAction, child: &str) {
    let thing = |name: &str| Item::Serial(SerialId::new(name).unwrap());
    let children = [thing(child)].into();
    let id = EventId::new(id).unwrap();
    let parent = thing(parent);
    assert!(containment.record(Packing { at: day(1), sequence: 0, id, parent, action, children }));
}

/// Of two records of one time and sequence the one that came first was before.
#[test]
fn records_of_one_time_count_as_they_came() {
    let pallet = Item::Serial(SerialId::new("PALLET").unwrap());
    for (first, second, left) in
        [(PackAction::Pack, PackAction::Unpack, 0), (PackAction::Unpack, PackAction::Pack, 1)]
    {
        let mut containment = Containment::default();
        record(&mut containment, "P1", "PALLET", first, "BOX");
        record(&mut containment, "P2", "PALLET", second, "BOX");
        assert_eq!(containment.contents(&pallet, day(1)).len(), left);
    }
}

/// Records may say that a box is in a box that is in it: it is still not in itself.
#[test]
fn nothing_is_in_itself() {
    let mut containment = Containment::default();
    record(&mut containment, "P1", "A", PackAction::Pack, "B");
    record(&mut containment, "P2", "B", PackAction::Pack, "A");
    let thing = |name: &str| Item::Serial(SerialId::new(name).unwrap());
    assert_eq!(containment.all_contents(&thing("A"), day(1)), [thing("B")].into());
    assert_eq!(containment.all_contents(&thing("B"), day(1)), [thing("A")].into());
}
