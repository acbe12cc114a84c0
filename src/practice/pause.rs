//! Announced pauses: times in which timers stand still, known from their announcement on.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::RuleId;
use crate::label::Label;
use crate::policy::terms::Certainty;
use crate::time::{Instant, Interval};

/// A pause that was announced, such as for the Spring Festival.
///
/// Before its announcement nobody knows of it; from then on, running timers move too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnnouncedPause {
    /// Its stable name.
    pub id: RuleId,
    /// Its name for people.
    pub label: Label,
    /// When it was announced.
    pub announced_at: Instant,
    /// From when until when; the end does not belong to it.
    pub time: Interval,
    /// Which timers stand still; none named means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub timers: BTreeSet<RuleId>,
    /// How sure the source is.
    #[serde(default = "own")]
    pub certainty: Certainty,
    /// Where it was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

const fn own() -> Certainty {
    Certainty::Own
}

impl AnnouncedPause {
    /// Whether a timer stands still in it.
    #[must_use]
    pub fn stops(&self, timer: &RuleId) -> bool {
        self.timers.is_empty() || self.timers.contains(timer)
    }
}

/// Intervals in order, without overlap; touching ones are one, empty ones are gone.
pub(super) fn union(intervals: impl Iterator<Item = Interval>) -> Vec<Interval> {
    let mut sorted: Vec<Interval> = intervals.filter(|time| time.start() < time.end()).collect();
    sorted.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(sorted.len());
    for next in sorted {
        match merged.last_mut() {
            Some(last) if next.start() <= last.end() => {
                let end = last.end().max(next.end());
                *last = Interval::new(last.start(), end).unwrap_or(*last);
            }
            _ => merged.push(next),
        }
    }
    merged
}
