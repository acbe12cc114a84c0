//! One clock of one case: a fold over starts, stops and pauses.
//!
//! `E(t)`, the amount used up to `t`, is the measure of the time that was running and open. The
//! deadline is the first `t` with `E(t)` = target; every mark of the ladder is the first `t` with
//! `E(t)` = another amount, found by the same function.

mod ahead;
mod change;
mod marks;
mod outcome;

use alloc::vec::Vec;
use core::iter;

use ahead::Ahead;
use marks::{Fired, Pending, Upto};

use super::book::CompiledGoal;
use super::evaluation::{CycleEnd, CycleRecord, Trouble, Verdict};
use super::measure::{Clock, DayCountdown, Span};
use super::policy::{OnReopen, Starts, Target};
use crate::calendar::book::Calendars;
use crate::calendar::compiled::instant;
use crate::id::CaseId;

/// For how many running stretches of a cycle there is room at its start.
const USUAL_STRETCHES: usize = 8;

/// What the facts and commands of one instant ask of a clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signals {
    /// How many stops there were.
    pub(crate) stops: u8,
    pub(crate) cancel: bool,
    pub(crate) reset: bool,
    /// A person said so.
    pub(crate) reopen: bool,
    pub(crate) start: bool,
    /// A condition came to hold.
    pub(crate) reopen_held: bool,
    pub(crate) start_held: bool,
}

impl Signals {
    fn are_none(self) -> bool {
        let is_asked = self.reopen || self.start || self.reopen_held || self.start_held;
        self.stops == 0 && !(self.cancel || self.reset || is_asked)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    Running(i64),
    Held,
    Stopped(i64),
    Cancelled(i64),
}

/// What a stretch of a cycle was, for an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Running,
    /// With the reasons held, one bit each.
    Paused(u64),
    Stopped,
}

/// One clock while events are folded.
pub(crate) struct Run<'a> {
    pub(crate) goal: &'a CompiledGoal,
    case: &'a CaseId,
    calendars: &'a Calendars,
    /// Whether each trigger held after the last event.
    pub(crate) held_before: [bool; 5],
    /// The number of the attachment of its policy.
    pub(crate) attached: usize,
    phase: Phase,
    cycle: u32,
    began: i64,
    /// Finished running stretches of the cycle, in order, none empty.
    ran: Vec<Span>,
    /// Honored reasons held now.
    held: u64,
    /// The target rule that holds now.
    rule: Option<usize>,
    /// The target rule that held when the cycle ended.
    rule_at_end: Option<usize>,
    past: Vec<CycleRecord>,
    /// Steps fired in this cycle, under any revision.
    fired: Vec<(u16, u16)>,
    live: Option<Live<'a>>,
    fate: Fate,
    pub(crate) events: Vec<Fired>,
    /// Changes of what it does, when an explanation is asked for.
    pub(crate) trace: Option<Vec<(i64, Doing)>>,
}

/// Whether the clock still counts for its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Current,
    /// Another version's clock took over.
    Replaced,
    /// The policy applies no longer.
    Detached,
}

/// The measured side of a clock: it exists from the attachment of the policy on.
struct Live<'a> {
    revision: u32,
    rule: Option<usize>,
    clock: Result<Clock<'a>, Trouble>,
    /// Used before `from`, carried over.
    credit: i64,
    /// From when running time counts.
    from: i64,
    /// From when it counts in the whole cycle, before any change of target.
    origin: i64,
    /// When the revision began, or the clock was last reopened: none of its events fires earlier.
    since: i64,
    /// Used up to the start of the present running stretch; for days the credit.
    used: i64,
    due: Option<i64>,
    pending: Vec<Pending>,
    ahead: Ahead,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        goal: &'a CompiledGoal,
        case: &'a CaseId,
        calendars: &'a Calendars,
        attached: usize,
    ) -> Self {
        Self {
            goal,
            case,
            calendars,
            held_before: [false; 5],
            attached,
            phase: Phase::Waiting,
            cycle: 0,
            began: 0,
            ran: Vec::new(),
            held: 0,
            rule: None,
            rule_at_end: None,
            past: Vec::new(),
            fired: Vec::new(),
            live: None,
            fate: Fate::Current,
            events: Vec::new(),
            trace: None,
        }
    }

    fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Running(_) | Phase::Held)
    }

    /// Whether the policy is attached and not replaced.
    pub(crate) fn is_live(&self) -> bool {
        self.live.is_some() && self.fate == Fate::Current
    }

    /// Whether the policy applies no longer, and was not attached again.
    pub(crate) fn is_detached(&self) -> bool {
        self.live.is_some() && self.fate == Fate::Detached
    }

    /// Whether the policy was ever attached in this version.
    pub(crate) const fn was_live(&self) -> bool {
        self.live.is_some()
    }

    /// Everything one instant asks, in the fixed order: stop, cancel, pauses, target, reset, reopen,
    /// start. A stop that found nothing to stop ends what starts or reopens at the instant: logs with
    /// coarse times have a start and its stop in one minute.
    pub(crate) fn apply(&mut self, at: i64, held: u64, rule: Option<usize>, signals: Signals) {
        let held = held & self.goal.honors;
        if self.fate != Fate::Current {
            return;
        }
        let aims = self.live.as_ref().map_or(self.rule, |live| live.rule);
        if signals.are_none() && rule == self.rule && rule == aims {
            if held != self.held {
                self.hold(at, held);
            }
            return;
        }
        // What held for a moment before the stop of a running clock, and no longer does while the
        // stop does, is over: it neither reopens nor starts.
        let [stop, _, _, reopen, start] = self.held_before;
        let is_over = |holds: bool| stop && !holds && signals.stops > 0 && self.is_active();
        let reopens = signals.reopen || (signals.reopen_held && !is_over(reopen));
        let starts = signals.start || (signals.start_held && !is_over(start));
        let mut stops = signals.stops;
        if stops > 0 && self.is_active() {
            self.stop(at);
            stops = stops.saturating_sub(1);
        }
        if signals.cancel {
            self.cancel(at);
        }
        self.hold(at, held);
        self.retarget(at, rule);
        if signals.reset && self.is_active() {
            let used = self.advance(at, Upto::Excluded);
            self.close(at, CycleEnd::Reset, used);
            self.begin(at);
        }
        if reopens {
            self.reopen(at);
        }
        if starts {
            match (self.phase, self.goal.goal.starts) {
                (Phase::Waiting, _) => self.begin(at),
                (Phase::Stopped(_) | Phase::Cancelled(_), Starts::EveryTime) => {
                    self.cycle = self.cycle.saturating_add(1);
                    self.begin(at);
                }
                (Phase::Stopped(_) | Phase::Cancelled(_), Starts::Once)
                | (Phase::Running(_) | Phase::Held, _) => {}
            }
        }
        if stops > 0 && (starts || reopens) {
            self.stop(at);
        }
    }

    fn note(&mut self, at: i64, doing: Doing) {
        if let Some(trace) = &mut self.trace {
            trace.push((at, doing));
        }
    }

    fn begin(&mut self, at: i64) {
        self.began = at;
        self.ran.clear();
        self.ran.reserve(USUAL_STRETCHES);
        self.fired.clear();
        if let Some(trace) = &mut self.trace {
            trace.clear();
        }
        let clock = self.clock_of(self.rule);
        if let Some(live) = &mut self.live {
            (live.rule, live.clock) = (self.rule, clock);
            (live.credit, live.used, live.due) = (0, 0, None);
            (live.from, live.origin, live.since) = (at, at, at);
            live.set_marks(&self.goal.goal.ladder);
        }
        self.resume(at);
    }

    /// Runs from now on, or is held at once.
    fn resume(&mut self, at: i64) {
        if self.held == 0 {
            self.phase = Phase::Running(at);
            self.note(at, Doing::Running);
        } else {
            // A mark at zero is reached by starting, also when the start is held.
            self.phase = Phase::Running(at);
            self.advance(at, Upto::Included);
            self.phase = Phase::Held;
            self.note(at, Doing::Paused(self.held));
        }
    }

    fn hold(&mut self, at: i64, held: u64) {
        let before = core::mem::replace(&mut self.held, held);
        match self.phase {
            Phase::Running(since) if held != 0 => {
                let used = self.advance(at, Upto::Included);
                self.settle(since, at, used);
                self.phase = Phase::Held;
            }
            Phase::Held if held == 0 => self.phase = Phase::Running(at),
            _ => {}
        }
        if self.is_active() && before != held {
            self.note(at, if held == 0 { Doing::Running } else { Doing::Paused(held) });
        }
    }

    /// Ends a running stretch that counts from its start; `used` is `E(at)` where it is known.
    fn settle(&mut self, since: i64, at: i64, used: Option<i64>) {
        if let Some(live) = &mut self.live
            && let Ok(clock) = &live.clock
            && !clock.is_days()
        {
            let ran = || clock.ran((since, at));
            match used.map_or_else(|| Ok(live.used.saturating_add(ran()?)), Ok) {
                Ok(used) => live.used = used,
                Err(trouble) => live.clock = Err(trouble),
            }
        }
        self.settle_unmeasured(since, at);
    }

    fn stop(&mut self, at: i64) {
        if !self.is_active() {
            return;
        }
        let used = self.advance(at, Upto::Excluded);
        self.close(at, CycleEnd::Stopped, used);
        self.phase = Phase::Stopped(at);
        self.note(at, Doing::Stopped);
    }

    fn cancel(&mut self, at: i64) {
        if self.is_active() || self.phase == Phase::Waiting {
            let is_active = self.is_active();
            if is_active {
                let used = self.advance(at, Upto::Excluded);
                self.close(at, CycleEnd::Cancelled, used);
            }
            self.phase = Phase::Cancelled(at);
            if is_active {
                self.note(at, Doing::Stopped);
            }
        }
    }

    /// Writes the record of a cycle that ends; `used` is `E(at)` where it is known.
    fn close(&mut self, at: i64, ended_by: CycleEnd, used: Option<i64>) {
        let due = self.due();
        self.rule_at_end = self.rule;
        if let Phase::Running(since) = self.phase {
            self.settle(since, at, used);
            self.phase = Phase::Held;
        }
        let is_late = due.is_some_and(|due| due < at);
        if is_late {
            // A stop one second after the deadline comes before the timer of that second, and is
            // late all the same.
            self.fire(|pending| pending.step.is_none(), at, Upto::Included);
        }
        if let Some(live) = &mut self.live {
            // A deadline that was only foreseen is forgotten: the clock may be reopened.
            live.due = live.due.filter(|due| *due <= at);
            live.ahead = Ahead::UNKNOWN;
        }
        let verdict = match (ended_by, is_late) {
            (_, true) => Verdict::Breached,
            (CycleEnd::Stopped, false)
                if self.live.as_ref().is_some_and(|live| live.clock.is_ok()) =>
            {
                Verdict::Met
            }
            (_, false) => Verdict::Pending,
        };
        let amount = self.used(at).ok();
        let target = self.target().map(Target::amount);
        self.past.push(CycleRecord {
            cycle: self.cycle,
            revision: self.live.as_ref().map_or(0, |live| live.revision),
            started_at: instant(self.began),
            ended_at: instant(at),
            ended_by,
            elapsed: target.and_then(|target| amount.map(|amount| target.with(amount))),
            // Called off before it was reached, a deadline is none.
            due: due.filter(|_| verdict != Verdict::Pending).map(instant),
            verdict,
        });
        if ended_by == CycleEnd::Reset {
            self.cycle = self.cycle.saturating_add(1);
        }
    }

    fn reopen(&mut self, at: i64) {
        if !matches!(self.phase, Phase::Stopped(_)) {
            return;
        }
        match self.goal.goal.on_reopen {
            OnReopen::Continue => {
                // The verdict of the cycle is open again; a breach that was recorded stays so.
                if self.past.last().is_some_and(|last| last.cycle == self.cycle) {
                    self.past.pop();
                }
                // No event fires while a clock is stopped; those that wait fire now at the earliest.
                self.put_off(at);
                self.resume(at);
                // The target may have changed meanwhile.
                self.retarget(at, self.rule);
            }
            OnReopen::NewCycle => {
                self.cycle = self.cycle.saturating_add(1);
                self.begin(at);
            }
        }
    }

    /// The count of days, for a clock in days; a clock that stands still does so until `resumed`.
    fn countdown(
        &self,
        resumed: i64,
    ) -> Option<DayCountdown<'a, impl Iterator<Item = Span> + Clone>> {
        let live = self.live.as_ref()?;
        let Ok(Clock::Days(calendar, term)) = live.clock else { return None };
        let present = match self.phase {
            Phase::Running(since) => since,
            Phase::Waiting | Phase::Held | Phase::Stopped(_) | Phase::Cancelled(_) => resumed,
        };
        let ends = iter::once(self.began).chain(self.ran.iter().map(|ran| ran.1));
        let starts = self.ran.iter().map(|ran| ran.0).chain([present]);
        Some(DayCountdown { calendar, term, from: live.from, gaps: ends.zip(starts) })
    }

    /// The count of days of a clock that stands still from now on: every day is touched.
    fn days(&self) -> Option<DayCountdown<'a, impl Iterator<Item = Span> + Clone>> {
        let calendar = self.live.as_ref()?.clock.as_ref().ok()?.calendar()?;
        self.countdown(calendar.table().last())
    }

    /// `E(at)`, for `at` not before the last change.
    fn used(&self, at: i64) -> Result<i64, Trouble> {
        let live = self.live.as_ref().ok_or(Trouble::NoTarget)?;
        let clock = live.clock.clone()?;
        if clock.is_days() {
            let days = self.days().ok_or(Trouble::NoTarget)?;
            return Ok(live.credit.saturating_add(days.counted(at)?));
        }
        match self.phase {
            Phase::Running(since) => {
                let ran = clock.ran((since.max(live.from).min(at), at))?;
                Ok(live.used.saturating_add(ran))
            }
            Phase::Waiting | Phase::Held | Phase::Stopped(_) | Phase::Cancelled(_) => Ok(live.used),
        }
    }

    /// The first second with `E` = `amount` if the present stretch goes on.
    fn reach(&self, amount: i64) -> Result<i64, Trouble> {
        let live = self.live.as_ref().ok_or(Trouble::NoTarget)?;
        let clock = live.clock.clone()?;
        if clock.is_days() {
            let days = self.days().ok_or(Trouble::NoTarget)?;
            let left = amount.saturating_sub(live.credit);
            if left <= 0 && amount > 0 {
                return Ok(live.from);
            }
            return days.reach(left, amount == clock.promised());
        }
        let Phase::Running(since) = self.phase else { return Err(Trouble::NoTarget) };
        clock.reach(since.max(live.from), amount.saturating_sub(live.used))
    }

    /// The deadline: reached, or foreseen while running.
    fn due(&self) -> Option<i64> {
        let live = self.live.as_ref()?;
        let foreseen = || {
            let Phase::Running(_) = self.phase else { return None };
            self.reach(live.clock.as_ref().ok()?.promised()).ok()
        };
        live.due.or_else(foreseen)
    }

    /// The deadline if the clock runs on from `at`, after the last change.
    fn due_if_resumed(&self, at: i64) -> Option<i64> {
        let live = self.live.as_ref()?;
        let clock = live.clock.as_ref().ok()?;
        match clock {
            Clock::Days(..) => {
                // The gap that is open ends then.
                let left = clock.promised().saturating_sub(live.credit);
                self.countdown(at)?.reach(left, true).ok()
            }
            Clock::Open(..) | Clock::Wall(_) => {
                clock.reach(at, clock.promised().saturating_sub(live.used)).ok()
            }
        }
    }

    fn target(&self) -> Option<&'a Target> {
        let rule = self.live.as_ref()?.rule?;
        self.goal.goal.targets.get(rule).map(|rule| &rule.target)
    }

    /// The reasons held that the goal honors.
    pub(crate) const fn held(&self) -> u64 {
        self.held
    }

    /// The clock with its calendar, if there is one.
    pub(crate) fn clock(&self) -> Option<Clock<'a>> {
        self.live.as_ref().and_then(|live| live.clock.as_ref().ok()).copied()
    }
}
