//! The order of events by (time, sequence, arrival).
//!
//! While events arrive in order, arrival is the order and nothing is stored. From the first late
//! event on, two columns map between arrival and place; a late event shifts the events after it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Both directions between arrival and place; empty while they are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    event_at: Vec<u32>,
    position: Vec<u32>,
}

impl Order {
    /// Places a new event after all that are not later.
    pub(super) fn place(
        &mut self,
        event: u32,
        time: i64,
        sequence: u32,
        times: &[i64],
        sequences: &BTreeMap<u32, u32>,
    ) {
        let key = |event: u32| {
            let time = times.get(event as usize).copied().unwrap_or_default();
            (time, sequences.get(&event).copied().unwrap_or_default())
        };
        let newest = event.checked_sub(1).map(|last| key(self.event_at(last)));
        let in_order = newest.is_none_or(|newest| newest <= (time, sequence));
        if in_order {
            if !self.event_at.is_empty() {
                self.event_at.push(event);
                self.position.push(event);
            }
            return;
        }
        if self.event_at.is_empty() {
            self.event_at = (0..event).collect();
            self.position = (0..event).collect();
        }
        let place = self.event_at.partition_point(|&other| key(other) <= (time, sequence));
        self.event_at.insert(place, event);
        self.position.push(0);
        let moved = self.event_at.get(place..).unwrap_or_default().iter();
        for (position, &event) in (place as u32..).zip(moved) {
            if let Some(slot) = self.position.get_mut(event as usize) {
                *slot = position;
            }
        }
    }

    #[inline]
    pub(super) fn position(&self, event: u32) -> u32 {
        if self.position.is_empty() {
            return event;
        }
        self.position.get(event as usize).copied().unwrap_or(event)
    }

    #[inline]
    pub(super) fn event_at(&self, position: u32) -> u32 {
        if self.event_at.is_empty() {
            return position;
        }
        self.event_at.get(position as usize).copied().unwrap_or(position)
    }

    /// The first place whose event is not before a time.
    pub(super) fn first_at(&self, time: i64, times: &[i64]) -> u32 {
        let place = if self.event_at.is_empty() {
            times.partition_point(|&other| other < time)
        } else {
            let of = |event: u32| times.get(event as usize).copied().unwrap_or_default();
            self.event_at.partition_point(|&event| of(event) < time)
        };
        place as u32
    }

    pub(super) fn bytes(&self) -> usize {
        self.event_at.len().saturating_add(self.position.len()).saturating_mul(4)
    }
}
