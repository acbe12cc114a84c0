//! When business time runs: opening hours as a list of periods with running totals.

use alloc::vec::Vec;

use crate::time::{Instant, Interval, add_seconds};

use super::span::{Clock, Span};

/// The periods in which business time runs, compiled by the host from its calendar.
///
/// A query is two binary searches. Outside the periods given, no business time runs; a deadline that
/// would lie past the last period cannot be told and is [`None`].
///
/// ```
/// use aftersale::time::{Instant, Interval};
/// use aftersale::workflow::{hours::OpeningHours, span::Span};
/// let at = |text: &str| text.parse::<Instant>().map_err(|error| error.to_string());
/// let monday = Interval::new(at("2026-03-02T01:00:00Z")?, at("2026-03-02T10:00:00Z")?)?;
/// let tuesday = Interval::new(at("2026-03-03T01:00:00Z")?, at("2026-03-03T10:00:00Z")?)?;
/// let hours = OpeningHours::new([monday, tuesday]);
/// let due = hours.after(at("2026-03-02T08:00:00Z")?, Span::business_hours(4));
/// assert_eq!(due, Some(at("2026-03-03T03:00:00Z")?)); // two hours on Monday, two on Tuesday
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpeningHours {
    /// Sorted, disjoint, not empty; with the seconds open before each.
    periods: Vec<(Interval, i64)>,
}

impl OpeningHours {
    /// Joins periods that touch or overlap; empty ones are left out.
    #[must_use]
    pub fn new(periods: impl IntoIterator<Item = Interval>) -> Self {
        let mut given: Vec<Interval> = periods.into_iter().filter(|p| p.seconds() > 0).collect();
        given.sort();
        let mut joined: Vec<Interval> = Vec::with_capacity(given.len());
        for period in given {
            match joined.last_mut() {
                Some(last) if period.start() <= last.end() => {
                    if let Ok(longer) = Interval::new(last.start(), last.end().max(period.end())) {
                        *last = longer;
                    }
                }
                _ => joined.push(period),
            }
        }
        let mut open = 0_i64;
        let periods = joined
            .into_iter()
            .map(|period| {
                let before = open;
                open = open.saturating_add(period.seconds());
                (period, before)
            })
            .collect();
        Self { periods }
    }

    /// Seconds of business time from the first period to an instant.
    fn open_until(&self, at: Instant) -> i64 {
        let next = self.periods.partition_point(|(period, _)| period.start() <= at);
        let Some((period, before)) = next.checked_sub(1).and_then(|last| self.periods.get(last))
        else {
            return 0;
        };
        let inside = at.min(period.end()).signed_duration_since(period.start()).num_seconds();
        before.saturating_add(inside)
    }

    /// The instant at which a span that starts at `from` has passed.
    #[must_use]
    pub fn after(&self, from: Instant, span: Span) -> Option<Instant> {
        match span.clock() {
            Clock::Elapsed => add_seconds(from, span.seconds()).ok(),
            Clock::Business => {
                let wanted = self.open_until(from).checked_add(span.seconds())?;
                let next = self.periods.partition_point(|(_, before)| *before < wanted);
                let (period, before) = self.periods.get(next.checked_sub(1)?)?;
                let due = add_seconds(period.start(), wanted.checked_sub(*before)?).ok()?;
                // Fractions of a second before opening never make a deadline earlier than its start.
                (due <= period.end()).then(|| due.max(from))
            }
        }
    }

    /// How much of a clock runs between two instants, in whole seconds; zero when reversed.
    ///
    /// Rounded down, and so that a clock stopped and started again never ends later than it would
    /// have without the stop.
    #[must_use]
    pub fn between(&self, clock: Clock, from: Instant, to: Instant) -> i64 {
        match clock {
            Clock::Elapsed => to.signed_duration_since(from).num_seconds().max(0),
            Clock::Business => self.open_until(to).saturating_sub(self.open_until(from)).max(0),
        }
    }
}
