//! Marks on the way to a deadline and after it: when they are reached, when their events fire.

use alloc::vec::Vec;

use super::ahead::Ahead;
use super::{Fate, Live, Phase, Run};
use crate::calendar::compiled::{Calendar, instant};
use crate::sla::evaluation::{TimerEvent, TimerId, Trouble};
use crate::sla::ladder::{BREACH, Measured, Step, StepAt, StepId, StepKind};
use crate::sla::measure::Clock;
use crate::sla::policy::Amount;

impl<'a> Run<'a> {
    /// Lets time pass: finds the marks that are reached and fires what is due. Returns `E(at)` where it
    /// was looked at.
    pub(super) fn advance(&mut self, at: i64, upto: Upto) -> Option<i64> {
        if self.fate != Fate::Current || !self.is_active() {
            return None;
        }
        let live = self.live.as_ref()?;
        let clock = live.clock.as_ref().ok()?;
        if live.ahead.is_quiet(at) {
            return None;
        }
        let promised = clock.promised();
        let used = match self.used(at) {
            Ok(used) => used,
            Err(trouble) => return self.trouble(trouble),
        };
        if live.ahead.is_quiet_with(at, used) {
            return Some(used);
        }
        if let Phase::Running(since) = self.phase {
            if live.due.is_none() && used >= promised {
                match self.reach(promised) {
                    // A count of days that is complete stays so, also when its end rolls on.
                    Ok(due) if due <= at || clock.is_days() => {
                        if let Some(live) = &mut self.live {
                            live.due = Some(due);
                        }
                    }
                    Ok(_) => {}
                    Err(trouble) => return self.trouble(trouble),
                }
            }
            self.find_reached(since, at, used, upto);
        } else {
            self.find_around(at, upto);
        }
        self.fire(|_| true, at, upto);
        self.look_ahead(at, used);
        Some(used)
    }

    fn trouble(&mut self, trouble: Trouble) -> Option<i64> {
        if let Some(live) = &mut self.live {
            live.clock = Err(trouble);
        }
        None
    }

    /// Marks reached in the present running stretch.
    pub(super) fn find_reached(&mut self, since: i64, at: i64, used: i64, upto: Upto) {
        let Some(live) = &self.live else { return };
        let is_before =
            live.pending.iter().any(|p| matches!(p.mark, Mark::Before(_)) && p.reached.is_none());
        let foreseen = if is_before { self.due() } else { live.due };
        let due = live.due;
        let start = since.max(live.from);
        for place in 0..live.pending.len() {
            let Some(pending) = self.live.as_ref().and_then(|live| live.pending.get(place)) else {
                return;
            };
            if pending.is_fired || pending.reached.is_some() {
                continue;
            }
            let reached = match pending.mark {
                // What was reached at the very end of an earlier stretch is noticed in this one.
                Mark::Amount(amount) if amount <= used => {
                    let reached = self.reach(amount).ok();
                    reached.map(|reached| reached.saturating_add(pending.plus).max(start))
                }
                Mark::Amount(_) => None,
                Mark::Before(seconds) => foreseen.map(|due| due.saturating_sub(seconds).max(start)),
                Mark::After(seconds) => due.map(|due| due.saturating_add(seconds)),
            };
            self.reached(place, reached, at, upto);
        }
    }

    /// Marks on the wall around a deadline that is known, while standing still.
    pub(super) fn find_around(&mut self, at: i64, upto: Upto) {
        let Some(live) = &self.live else { return };
        let Some(due) = live.due else { return };
        for place in 0..live.pending.len() {
            let Some(pending) = self.live.as_ref().and_then(|live| live.pending.get(place)) else {
                return;
            };
            let reached = match pending.mark {
                Mark::After(seconds) => due.saturating_add(seconds),
                Mark::Before(seconds) => due.saturating_sub(seconds),
                Mark::Amount(_) => continue,
            };
            if pending.reached.is_none() && !pending.is_fired {
                self.reached(place, Some(reached), at, upto);
            }
        }
    }

    pub(super) fn reached(&mut self, place: usize, reached: Option<i64>, at: i64, upto: Upto) {
        let Some(reached) = reached.filter(|reached| is_upto(*reached, at, upto)) else { return };
        let since = self.live.as_ref().map_or(reached, |live| live.since);
        let fires = self.fires_at(place, reached.max(since));
        let due = self.live.as_ref().and_then(|live| live.due);
        if let Some(pending) = self.live.as_mut().and_then(|live| live.pending.get_mut(place)) {
            let mark = if pending.step.is_none() { due.unwrap_or(reached) } else { reached };
            pending.reached = Some((mark, fires));
        }
    }

    pub(super) fn pending(&self, place: usize) -> Option<Pending> {
        self.live.as_ref().and_then(|live| live.pending.get(place)).copied()
    }

    /// No event fires before `at`, nor in its quiet hours: those that wait fire later.
    pub(super) fn put_off(&mut self, at: i64) {
        let Some(live) = &mut self.live else { return };
        live.since = live.since.max(at);
        for place in 0..live.pending.len() {
            let waiting = self.pending(place).filter(|pending| !pending.is_fired);
            let Some((_, fires)) = waiting.and_then(|pending| pending.reached) else { continue };
            let fires = self.fires_at(place, fires.max(at));
            let pending = self.live.as_mut().and_then(|live| live.pending.get_mut(place));
            if let Some(reached) = pending.and_then(|pending| pending.reached.as_mut()) {
                reached.1 = fires;
            }
        }
    }

    /// When an event fires whose mark is reached: at once, or when its quiet hours end.
    pub(super) fn fires_at(&self, place: usize, reached: i64) -> i64 {
        let step = self.live.as_ref().and_then(|live| live.pending.get(place)?.step);
        let step = step.and_then(|step| self.goal.goal.ladder.get(usize::from(step)));
        let quiet = step.and_then(|step| step.quiet_outside.as_ref());
        let calendar = quiet.and_then(|calendar| self.calendars.get(calendar));
        let open = calendar.and_then(|calendar| calendar.next_open(instant(reached)).ok());
        open.map_or(reached, |open| open.value.timestamp())
    }

    pub(super) fn fire(&mut self, which: impl Fn(&Pending) -> bool, at: i64, upto: Upto) {
        let Some(live) = &mut self.live else { return };
        let (revision, due, count) = (live.revision, live.due, live.pending.len());
        let calendar = live.clock.as_ref().ok().and_then(Clock::calendar);
        let target = live.rule.and_then(|rule| self.goal.goal.targets.get(rule));
        let Some(target) = target.map(|rule| &rule.target) else { return };
        for pending in live.pending.iter_mut().filter(|pending| !pending.is_fired && which(pending))
        {
            if pending.step.is_none() && pending.reached.is_none() && which(pending) {
                // The breach of a stop one second late was not looked for yet.
                let breach = due.map(|due| (due, due.saturating_add(1)));
                pending.reached = breach.filter(|(_, fires)| is_upto(*fires, at, upto));
            }
            let Some((reached, fires)) = pending.reached else { continue };
            if !is_upto(fires, at, upto) {
                continue;
            }
            pending.is_fired = true;
            if self.events.is_empty() {
                // Where one fires, often all do.
                self.events.reserve(count);
            }
            if let Some(step) = pending.step {
                self.fired.push((step, pending.occurrence));
            }
            self.events.push(Fired {
                at: fires,
                reached,
                step: pending.step,
                occurrence: pending.occurrence,
                cycle: self.cycle,
                revision,
                calendar_revision: calendar.map(Calendar::revision),
                promised: target.amount(),
            });
        }
    }

    /// The step of a timer event; none for the breach.
    fn step_of(&self, fired: &Fired) -> Option<&'a Step> {
        fired.step.and_then(|step| self.goal.goal.ladder.get(usize::from(step)))
    }

    /// What timer events of a case are sorted by: the time, then the parts of the name.
    pub(crate) fn order_of(&self, fired: &Fired) -> impl Ord + use<> {
        let step = self.goal.ranks.step(fired.step);
        (fired.at, self.goal.ranks.goal, fired.cycle, fired.revision, step, fired.occurrence)
    }

    /// A timer event with its names.
    pub(crate) fn timer_event(&self, fired: &Fired) -> TimerEvent {
        let step = self.step_of(fired);
        let at = instant(fired.at);
        TimerEvent {
            id: TimerId {
                case: self.case.clone(),
                policy: self.goal.policy.clone(),
                goal: self.goal.goal.id.clone(),
                cycle: fired.cycle,
                revision: fired.revision,
                step: step.map_or(StepId::fixed(BREACH), |step| step.id.clone()),
                occurrence: fired.occurrence,
            },
            at,
            reached: if fired.reached == fired.at { at } else { instant(fired.reached) },
            kind: step.map_or(StepKind::Breach, |step| step.kind),
            to: step.and_then(|step| step.to.clone()),
            version: self.goal.version,
            calendar_revision: fired.calendar_revision,
            promised: fired.promised,
        }
    }

    /// Lets time pass up to now, which belongs to it.
    pub(crate) fn finish(&mut self, now: i64) {
        self.advance(now, Upto::Included);
    }
}

/// A timer event that fired, without its names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fired {
    at: i64,
    reached: i64,
    /// The position in the ladder; none is the breach.
    step: Option<u16>,
    occurrence: u16,
    cycle: u32,
    revision: u32,
    calendar_revision: Option<u32>,
    promised: Amount,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    /// The position in the ladder; none is the breach.
    pub(super) step: Option<u16>,
    pub(super) occurrence: u16,
    pub(super) mark: Mark,
    /// Seconds on the wall after the mark.
    pub(super) plus: i64,
    /// When the mark was reached and when the event fires.
    pub(super) reached: Option<(i64, i64)>,
    pub(super) is_fired: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Amount(i64),
    /// Seconds before the deadline.
    Before(i64),
    /// Seconds after the deadline.
    After(i64),
}

/// Whether marks reached at the very instant belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upto {
    Included,
    Excluded,
}

fn is_upto(time: i64, at: i64, upto: Upto) -> bool {
    match upto {
        Upto::Included => time <= at,
        Upto::Excluded => time < at,
    }
}

impl Live<'_> {
    /// The marks of a ladder for the present clock, none of them looked at.
    pub(super) fn set_marks(&mut self, ladder: &[Step]) {
        self.pending = marks(&self.clock, ladder);
        self.ahead = Ahead::UNKNOWN;
    }
}

/// The marks of a ladder and of the breach.
fn marks(clock: &Result<Clock<'_>, Trouble>, ladder: &[Step]) -> Vec<Pending> {
    let Ok(clock) = clock else { return Vec::new() };
    let promised = clock.promised();
    let pending = |step, occurrence, mark, plus| Pending {
        step,
        occurrence,
        mark,
        plus,
        reached: None,
        is_fired: false,
    };
    let mut list = Vec::with_capacity(ladder.len().saturating_add(1));
    list.push(pending(None, 0, Mark::After(1), 0));
    for (step, place) in ladder.iter().zip(0_u16..) {
        let (times, every) =
            step.repeat.map_or((1, 0), |repeat| (repeat.times, repeat.every_seconds));
        for occurrence in 0..times {
            let more = every.saturating_mul(occurrence.into());
            let by_wall = |seconds: i64| {
                if seconds < 0 {
                    Mark::Before(seconds.saturating_neg())
                } else {
                    Mark::After(seconds)
                }
            };
            let (mark, plus) = match step.at {
                StepAt::PercentUsed(percent) => {
                    let amount = share_of(promised, percent);
                    if clock.is_days() {
                        (Mark::Amount(amount), more)
                    } else {
                        (Mark::Amount(amount.saturating_add(more)), 0)
                    }
                }
                StepAt::BeforeDue(offset)
                    if clock.is_days() || offset.measured == Measured::OnTheWall =>
                {
                    (by_wall(more.saturating_sub(offset.seconds)), 0)
                }
                StepAt::AfterDue(offset)
                    if clock.is_days() || offset.measured == Measured::OnTheWall =>
                {
                    (by_wall(more.saturating_add(offset.seconds)), 0)
                }
                StepAt::BeforeDue(offset) => {
                    let amount = promised.saturating_sub(offset.seconds).saturating_add(more);
                    if amount < 0 && occurrence > 0 {
                        continue;
                    }
                    (Mark::Amount(amount.max(0)), 0)
                }
                StepAt::AfterDue(offset) => {
                    (Mark::Amount(promised.saturating_add(offset.seconds).saturating_add(more)), 0)
                }
            };
            list.push(pending(Some(place), occurrence, mark, plus));
        }
    }
    list
}

/// A share of the target, rounded up.
fn share_of(promised: i64, percent: u16) -> i64 {
    let product = i128::from(promised).saturating_mul(percent.into()).saturating_add(99);
    i64::try_from(product.checked_div(100).unwrap_or(0)).unwrap_or(i64::MAX)
}
