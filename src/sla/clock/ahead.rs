//! What lies ahead of a clock: as long as it does, nobody needs to look at its marks.
//!
//! A case is folded event by event, and most events reach no mark. How much is used rises by a second
//! a second at most, so that one look tells until when none can be reached.

use super::marks::Mark;
use super::{Live, Run};
use crate::sla::measure::Clock;

/// Until when no mark is reached and no event fires.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// Before this second none does, whatever the clock does.
    second: i64,
    /// Nor before this one as long as less than `amount` is used. Not for days.
    latest: i64,
    amount: i64,
}

impl Ahead {
    /// Nobody looked yet.
    pub(super) const UNKNOWN: Self = Self { second: i64::MIN, latest: i64::MIN, amount: i64::MIN };

    /// Whether the marks need no look at `at`, whatever is used.
    pub(super) const fn is_quiet(&self, at: i64) -> bool {
        at < self.second
    }

    /// Whether they need none at `at`, with so much used.
    pub(super) const fn is_quiet_with(&self, at: i64, used: i64) -> bool {
        at < self.latest && used < self.amount
    }
}

impl Run<'_> {
    /// What lies ahead at `at`, with so much used and every mark up to there looked at.
    pub(super) fn look_ahead(&mut self, at: i64, used: i64) {
        let Some(live) = &mut self.live else { return };
        let Ok(clock) = live.clock else { return };
        let (mut latest, mut amount) = (i64::MAX, i64::MAX);
        // Seconds on the wall before a deadline that is not reached.
        let mut before = 0;
        if live.due.is_none() {
            amount = clock.promised();
        }
        for pending in live.pending.iter().filter(|pending| !pending.is_fired) {
            match (pending.reached, pending.mark, live.due) {
                (Some((_, fires)), ..) => latest = latest.min(fires),
                (None, Mark::Amount(mark), _) => amount = amount.min(mark),
                (None, Mark::Before(seconds), None) => before = before.max(seconds),
                (None, Mark::Before(seconds), Some(due)) => {
                    latest = latest.min(due.saturating_sub(seconds));
                }
                (None, Mark::After(seconds), Some(due)) => {
                    latest = latest.min(due.saturating_add(seconds));
                }
                // The deadline itself comes first.
                (None, Mark::After(_), None) => {}
            }
        }
        live.ahead = match clock {
            Clock::Days(..) => {
                let reached = live.first_second_with(amount, (at, used));
                let due = live.first_second_with(clock.promised(), (at, used));
                let due = due.saturating_sub(before);
                let due = if live.due.is_none() { due } else { i64::MAX };
                let last = clock.calendar().map_or(i64::MIN, |calendar| calendar.table().last());
                let second = latest.min(reached).min(due).min(last);
                Ahead { second, latest: i64::MIN, amount }
            }
            Clock::Open(..) | Clock::Wall(_) => {
                // On the wall at least as much time is left as on the clock.
                let amount = if live.due.is_none() {
                    amount.min(clock.promised().saturating_sub(before))
                } else {
                    amount
                };
                // Behind the end of its calendar a clock has to be looked at.
                let last = clock.calendar().map(|calendar| calendar.table().last());
                let latest = last.map_or(latest, |last| latest.min(last));
                let second = latest.min(at.saturating_add(amount.saturating_sub(used)));
                Ahead { second, latest, amount }
            }
        };
    }
}

impl Live<'_> {
    /// For a clock in days: no earlier second has so many complete days since the start, nor since a
    /// second at which so many were used.
    fn first_second_with(&self, amount: i64, (at, used): (i64, i64)) -> i64 {
        let find = || {
            let Ok(Clock::Days(calendar, _)) = self.clock else { return None };
            let days = calendar.days();
            let left = |used: i64| {
                let left = amount.checked_sub(used).filter(|left| *left > 0)?;
                usize::try_from(left).ok()
            };
            // The first day does not count; the day of a look may.
            let first = days.at(calendar.inside(self.from).ok()?).saturating_add(1);
            let since_start = first.saturating_add(left(self.credit)?);
            let since_look = days.at(calendar.inside(at).ok()?).saturating_add(left(used)?);
            Some(days.start(since_start.max(since_look)).unwrap_or(i64::MAX))
        };
        find().unwrap_or(i64::MIN)
    }
}
