//! The facts that timers made: written once, never changed.
//!
//! Deadlines are derived and move when a calendar or a policy is edited. A breach or a warning that
//! was recorded is a fact and stays; the ledger says which recorded facts the present rules would no
//! longer produce.

use alloc::collections::{BTreeMap, btree_map};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::evaluation::{Evaluation, TimerEvent, TimerId};
use crate::id::CaseId;

/// Recorded timer events by their stable names, of one case or of many: what one case has costs
/// nothing to the others.
///
/// ```
/// # use aftersale::sla::ledger::SlaLedger;
/// # use aftersale::sla::evaluation::Evaluation;
/// # fn host(evaluation: &Evaluation) {
/// let mut ledger = SlaLedger::default();
/// let first = ledger.absorb(evaluation);
/// assert_eq!(first.new, evaluation.events);
/// assert!(ledger.absorb(evaluation).new.is_empty()); // a second tick changes nothing
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<TimerEvent>", into = "Vec<TimerEvent>")]
pub struct SlaLedger {
    recorded: BTreeMap<CaseId, BTreeMap<TimerId, TimerEvent>>,
}

impl From<Vec<TimerEvent>> for SlaLedger {
    fn from(events: Vec<TimerEvent>) -> Self {
        let mut ledger = Self::default();
        for event in events {
            ledger.record(event);
        }
        ledger
    }
}

impl From<SlaLedger> for Vec<TimerEvent> {
    fn from(ledger: SlaLedger) -> Self {
        ledger.recorded.into_values().flat_map(BTreeMap::into_values).collect()
    }
}

/// What an evaluation added to a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Absorbed {
    /// Events that were not recorded before, in the order of time.
    pub new: Vec<TimerEvent>,
    /// Recorded events of the case that the evaluation does not have, or has at another instant.
    pub outdated: Vec<TimerEvent>,
}

impl SlaLedger {
    /// Records an event unless its name is known; whether it was new.
    fn record(&mut self, event: TimerEvent) -> bool {
        match self.recorded.entry(event.id.case.clone()).or_default().entry(event.id.clone()) {
            btree_map::Entry::Occupied(_) => false,
            btree_map::Entry::Vacant(place) => {
                place.insert(event);
                true
            }
        }
    }

    /// Records the events of an evaluation; a second call with it adds nothing.
    pub fn absorb(&mut self, evaluation: &Evaluation) -> Absorbed {
        let mut absorbed = Absorbed::default();
        for event in &evaluation.events {
            let own = self.recorded.get(&event.id.case);
            let is_known = own.is_some_and(|own| own.contains_key(&event.id));
            if !is_known && self.record(event.clone()) {
                absorbed.new.push(event.clone());
            }
        }
        let produced: BTreeMap<&TimerId, &TimerEvent> =
            evaluation.events.iter().map(|event| (&event.id, event)).collect();
        let own = self.recorded.get(&evaluation.case).into_iter().flat_map(BTreeMap::values);
        absorbed.outdated = own
            .filter(|event| event.at <= evaluation.now)
            .filter(|event| produced.get(&event.id).is_none_or(|now| now.reached != event.reached))
            .cloned()
            .collect();
        absorbed
    }

    /// All recorded events in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &TimerEvent> {
        self.recorded.values().flat_map(BTreeMap::values)
    }
}
