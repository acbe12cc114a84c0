//! What was packed in what, and when: pallets, boxes, assemblies.
//!
//! In: packing, unpacking and sightings, in any order of arrival. Out: the contents of a container
//! and the containers of an item at any time. Always true, and tested: the state at a time depends
//! only on the records up to it, in order of (time, sequence, arrival); nothing is in two places
//! because one record says so twice.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::event::{EventId, Item};
use crate::label::codes;
use crate::time::Instant;

codes! {
    /// What a containment record does.
    pub enum PackAction "pack action" {
        /// The children are in the parent from now on.
        Pack = "pack", "Packed", "装入";
        /// The children are no longer in the parent; naming none takes all out.
        Unpack = "unpack", "Unpacked", "取出";
        /// The children were seen in the parent; changes nothing.
        See = "see", "Seen", "盘点";
    }
}

/// One record of packing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packing {
    /// When.
    pub at: Instant,
    /// Decides between records of one instant.
    #[serde(default)]
    pub sequence: u32,
    /// The host's id.
    pub id: EventId,
    /// The container.
    pub parent: Item,
    /// What happened.
    pub action: PackAction,
    /// The contents concerned.
    #[serde(default)]
    pub children: BTreeSet<Item>,
}

/// Containment over time.
///
/// ```
/// use aftersale::id::{LotId, SerialId};
/// use aftersale::lineage::containment::{Containment, PackAction, Packing};
/// use aftersale::lineage::event::{EventId, Item};
/// use aftersale::time::Instant;
/// let pallet = Item::Serial(SerialId::new("PALLET-7")?);
/// let milk = Item::Lot(LotId::new("MILK-0412")?);
/// let mut containment = Containment::default();
/// containment.record(Packing {
///     at: Instant::from_timestamp(1_775_980_800, 0).ok_or("range")?,
///     sequence: 0,
///     id: EventId::new("P-1")?,
///     parent: pallet.clone(),
///     action: PackAction::Pack,
///     children: [milk.clone()].into(),
/// });
/// assert!(containment.contents(&pallet, Instant::from_timestamp(1_776_038_400, 0).ok_or("range")?).contains(&milk));
/// assert!(containment.contents(&pallet, Instant::from_timestamp(1_775_980_799, 0).ok_or("range")?).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Containment {
    by_parent: BTreeMap<Item, Vec<Packing>>,
    parents: BTreeMap<Item, BTreeSet<Item>>,
    seen: BTreeSet<EventId>,
    voided: BTreeSet<EventId>,
}

impl Containment {
    /// Records packing; a repeat of an id changes nothing and gives `false`.
    pub fn record(&mut self, packing: Packing) -> bool {
        if !self.seen.insert(packing.id.clone()) {
            return false;
        }
        for child in &packing.children {
            self.parents.entry(child.clone()).or_default().insert(packing.parent.clone());
        }
        let records = self.by_parent.entry(packing.parent.clone()).or_default();
        let key = (packing.at, packing.sequence);
        let place = records.partition_point(|other| (other.at, other.sequence) <= key);
        records.insert(place, packing);
        true
    }

    /// Makes a record as if it had never been, now or when it comes.
    pub fn void(&mut self, id: &EventId) {
        self.voided.insert(id.clone());
    }

    /// What was directly in a container at an instant; records of that very instant count.
    #[must_use]
    pub fn contents(&self, parent: &Item, at: Instant) -> BTreeSet<Item> {
        let mut inside = BTreeSet::new();
        let records = self.by_parent.get(parent).map(Vec::as_slice).unwrap_or_default();
        let until = records.partition_point(|record| record.at <= at);
        for record in records.iter().take(until).filter(|record| !self.voided.contains(&record.id))
        {
            match record.action {
                PackAction::Pack => inside.extend(record.children.iter().cloned()),
                PackAction::Unpack if record.children.is_empty() => inside.clear(),
                PackAction::Unpack => {
                    for child in &record.children {
                        inside.remove(child);
                    }
                }
                PackAction::See => {}
            }
        }
        inside
    }

    /// Everything in a container at an instant, through all inner containers.
    #[must_use]
    pub fn all_contents(&self, parent: &Item, at: Instant) -> BTreeSet<Item> {
        let mut found = BTreeSet::new();
        let mut open = Vec::from([parent.clone()]);
        while let Some(container) = open.pop() {
            for child in self.contents(&container, at) {
                if found.insert(child.clone()) {
                    open.push(child);
                }
            }
        }
        found.remove(parent);
        found
    }

    /// The containers that an item was directly in at an instant.
    #[must_use]
    pub fn containers(&self, item: &Item, at: Instant) -> BTreeSet<Item> {
        let parents = self.parents.get(item).into_iter().flatten();
        parents.filter(|parent| self.contents(parent, at).contains(item)).cloned().collect()
    }
}
