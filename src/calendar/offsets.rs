//! The offsets of a zone over a range, found once, so that no edge asks the zone again.

use alloc::vec::Vec;

use chrono::{DateTime, NaiveDate};

use super::hours::DAY;
use crate::time::{Fold, Gap, Zone};

/// Offsets by the instant from which they hold.
pub(crate) struct Offsets {
    /// From which UTC second, how many seconds ahead of UTC.
    spans: Vec<(i64, i64)>,
}

impl Offsets {
    /// The offsets from `first` to `last`. Two changes within one day that cancel each other would
    /// not be seen; no zone of the database has them.
    pub(crate) fn new(zone: Zone, first: i64, last: i64) -> Self {
        let offset = |at: i64| {
            DateTime::from_timestamp(at, 0).map_or(0, |instant| zone.offset_seconds(instant))
        };
        let mut spans = alloc::vec![(i64::MIN, offset(first))];
        let (mut at, mut current) = (first, offset(first));
        while at < last {
            let next = at.saturating_add(DAY);
            let reached = offset(next);
            while current != reached {
                let (mut low, mut high) = (at, next);
                while high.saturating_sub(low) > 1 {
                    let middle = low.midpoint(high);
                    if offset(middle) == current { low = middle } else { high = middle }
                }
                current = offset(high);
                spans.push((high, current));
                at = high;
            }
            at = next;
        }
        Self { spans }
    }

    /// The UTC second of a local second (counted as if it were UTC), as
    /// [`Zone::resolve`](crate::time::Zone::resolve) has it.
    pub(crate) fn resolve(&self, local: i64, gap: Gap, fold: Fold) -> i64 {
        // Local time is at most 26 hours away from UTC.
        let reach = DAY.saturating_mul(2);
        let sure = local.saturating_sub(reach);
        let from = self.spans.partition_point(|span| span.0 <= sure).saturating_sub(1);
        let near = self.spans.get(from..).unwrap_or_default();
        let mut found: Option<i64> = None;
        let mut skipped: Option<(i64, i64)> = None;
        for (position, &(start, offset)) in near.iter().enumerate() {
            if start > local.saturating_add(reach) {
                break;
            }
            let end = near.get(position.saturating_add(1)).map_or(i64::MAX, |next| next.0);
            let utc = local.saturating_sub(offset);
            if start <= utc && utc < end {
                found = match fold {
                    Fold::First => found.or(Some(utc)),
                    Fold::Last => Some(utc),
                };
            } else if utc >= end {
                // Past this span; if the next one does not reach back to it, it is skipped.
                skipped = Some((utc, end));
            }
        }
        found.unwrap_or(match (skipped, gap) {
            (Some((moved, _)), Gap::Forward) => moved,
            (Some((_, end)), Gap::End) => end,
            (None, _) => local,
        })
    }
}

/// A date as the local second of its midnight.
pub(crate) fn midnight(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days().saturating_mul(DAY)
}
