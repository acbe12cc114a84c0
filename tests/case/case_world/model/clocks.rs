//! Clocks, walked interval by interval.

use aftersale::case::event::{Event, EventFact};
use aftersale::id::RuleId;
use aftersale::practice::length::TimerLength;
use aftersale::time::Instant;

use super::cases::Clock;
use super::{Broken, Held, Model, hold};

impl Model<'_> {
    pub(super) fn clocked(&mut self, event: &Event) -> Held {
        let practice = self.practice;
        let Some(case) = event.fact.case().and_then(|id| self.cases.get_mut(id)) else {
            return Ok(());
        };
        let known = |until: Instant, timer: &RuleId, held: &[(Instant, Instant)]| {
            let pauses = practice.iter().flat_map(|practice| &practice.draft().pauses);
            let mut stopped: Vec<(Instant, Instant)> = pauses
                .filter(|pause| pause.announced_at <= until && pause.stops(timer))
                .map(|pause| (pause.time.start(), pause.time.end()))
                .collect();
            stopped.extend(held.iter().copied());
            stopped
        };
        match &event.fact {
            EventFact::DeadlineSet { timer, stage, action, length, due, .. } => {
                let stopped = known(event.at, timer, &[]);
                let inside = stopped.iter().any(|(from, to)| from <= due && due < to);
                hold!(46, !inside, "deadline {due} of {timer} inside a pause");
                if let TimerLength::Natural { seconds } = length {
                    let walked = walk(event.at, *seconds, &stopped);
                    hold!(45, walked == *due, "{timer}: due {due}, the model says {walked}");
                }
                let clock = Clock {
                    stage: *stage,
                    length: *length,
                    action: *action,
                    start: event.at,
                    due: *due,
                    set_by: event.sequence,
                    held: Vec::new(),
                };
                case.clocks.insert(timer.clone(), clock);
            }
            EventFact::DeadlineRevised { timer, before, due, .. } => {
                let Some(clock) = case.clocks.get_mut(timer) else {
                    return Err(Broken { invariant: 46, what: format!("{timer} does not run") });
                };
                hold!(46, clock.due == *before, "{timer} was due {}", clock.due);
                hold!(46, due > before, "{timer} moved from {before} back to {due}");
                let stopped = known(event.at, timer, &clock.held);
                let inside = stopped.iter().any(|(from, to)| from <= due && due < to);
                hold!(46, !inside, "deadline {due} of {timer} inside a pause");
                if let TimerLength::Natural { seconds } = clock.length {
                    let walked = walk(clock.start, seconds, &stopped).max(*before);
                    hold!(45, walked == *due, "{timer}: due {due}, the model says {walked}");
                }
                clock.due = *due;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn fire(&mut self, event: &Event) -> Held {
        let EventFact::DeadlineBreached { case, timer, action, .. } = &event.fact else {
            return Ok(());
        };
        let last = self.last;
        let running = self.cases.get_mut(case).and_then(|case| {
            let held = case.held.is_some();
            case.clocks.remove(timer).map(|clock| (clock, held))
        });
        let Some((clock, held)) = running else {
            return Err(Broken { invariant: 47, what: format!("{timer} fired and does not run") });
        };
        hold!(47, self.fired.insert((case.clone(), clock.set_by)), "{timer} fired twice");
        let due = last.map_or(clock.due, |last| last.max(clock.due));
        hold!(47, event.at == due, "{timer} fired at {} and was due {}", event.at, clock.due);
        hold!(47, !held, "{timer} fired on hold");
        hold!(49, *action == clock.action, "{timer} was set to {}", clock.action);
        let inside =
            self.practice.iter().flat_map(|practice| &practice.draft().pauses).any(|pause| {
                pause.announced_at <= event.at
                    && pause.stops(timer)
                    && pause.time.contains(event.at)
            });
        hold!(46, !inside, "{timer} fired in a pause");
        Ok(())
    }
}

/// Walks through time: what is stopped does not count, and an end on a stop falls on its end.
pub(super) fn walk(start: Instant, seconds: i64, stopped: &[(Instant, Instant)]) -> Instant {
    let (mut at, mut left) = (start, chrono::TimeDelta::seconds(seconds));
    loop {
        if let Some((_, end)) = stopped.iter().find(|(from, to)| *from <= at && at < *to) {
            at = *end;
            continue;
        }
        let next = stopped.iter().map(|(from, _)| *from).filter(|from| *from > at).min();
        match next {
            Some(next) if at + left >= next => {
                left -= next - at;
                at = next;
            }
            _ => return at + left,
        }
    }
}
