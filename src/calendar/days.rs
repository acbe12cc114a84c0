//! The civil days of a compiled calendar: where each begins, whether it is worked, and by which rule.

use alloc::vec::Vec;

use chrono::NaiveDate;

use super::hours::DAY;
use crate::time::add_days;

/// One entry per civil day of the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Days {
    first: NaiveDate,
    /// The UTC second at which each day begins, and at the end the one after the last day.
    starts: Vec<i64>,
    /// How many days before each are worked, and at the end how many in all.
    worked_before: Vec<u32>,
    /// The number of the rule that decides each day.
    rules: Vec<u32>,
}

/// One day as it is entered.
pub(crate) struct DayEntry {
    /// The UTC second at which it begins.
    pub(crate) start: i64,
    /// Whether a window opens on it.
    pub(crate) is_worked: bool,
    /// The number of the rule that decides it.
    pub(crate) rule: u32,
}

impl Days {
    pub(crate) fn new(first: NaiveDate, days: &[DayEntry], end: i64) -> Self {
        let mut worked = 0_u32;
        let mut worked_before = Vec::with_capacity(days.len().saturating_add(1));
        for day in days {
            worked_before.push(worked);
            worked = worked.saturating_add(u32::from(day.is_worked));
        }
        worked_before.push(worked);
        Self {
            first,
            starts: days.iter().map(|day| day.start).chain([end]).collect(),
            worked_before,
            rules: days.iter().map(|day| day.rule).collect(),
        }
    }

    /// How many days there are.
    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// The UTC second at which a day begins; for the day after the last, the end.
    pub(crate) fn start(&self, day: usize) -> Option<i64> {
        self.starts.get(day).copied()
    }

    /// The number of the rule that decides a day.
    pub(crate) fn rule(&self, day: usize) -> Option<u32> {
        self.rules.get(day).copied()
    }

    /// The day in which a second lies; the last day for the end and all after it.
    pub(crate) fn at(&self, second: i64) -> usize {
        let begin = self.starts.first().copied().unwrap_or(0);
        let guess = second.saturating_sub(begin).checked_div(DAY).unwrap_or(0);
        let mut day = usize::try_from(guess).unwrap_or(0).min(self.len().saturating_sub(1));
        // Clock changes move a start by a day at most, so that each loop runs a few times at most.
        while day > 0 && self.start(day).is_some_and(|start| start > second) {
            day = day.saturating_sub(1);
        }
        while day.saturating_add(1) < self.len()
            && self.start(day.saturating_add(1)).is_some_and(|start| start <= second)
        {
            day = day.saturating_add(1);
        }
        day
    }

    /// The date of a day.
    pub(crate) fn date(&self, day: usize) -> Option<NaiveDate> {
        add_days(self.first, i64::try_from(day).ok()?).ok()
    }

    /// The position of a date.
    pub(crate) fn position(&self, date: NaiveDate) -> Option<usize> {
        let days = date.signed_duration_since(self.first).num_days();
        usize::try_from(days).ok().filter(|day| *day < self.len())
    }

    /// Whether a window opens on a day.
    pub(crate) fn is_worked(&self, day: usize) -> bool {
        self.worked_up_to(day.saturating_add(1)) > self.worked_up_to(day)
    }

    /// How many days before a day are worked.
    pub(crate) fn worked_up_to(&self, day: usize) -> u32 {
        let known = self.worked_before.get(day).or_else(|| self.worked_before.last());
        known.copied().unwrap_or(0)
    }

    /// The first worked day, of this day and all after it.
    pub(crate) fn worked_from(&self, day: usize) -> Option<usize> {
        self.nth_worked(self.worked_up_to(day).saturating_add(1))
    }

    /// The `nth` worked day of the range, from 1.
    pub(crate) fn nth_worked(&self, nth: u32) -> Option<usize> {
        // The first day up to whose end `nth` days are worked.
        let past = self.worked_before.partition_point(|worked| *worked < nth);
        let day = past.checked_sub(1)?;
        (day < self.len()).then_some(day)
    }
}
