//! One clock of one case: a fold over starts, stops and pauses.
//!
//! `E(t)`, the amount used up to `t`, is the measure of the time that was running and open. The
//! deadline is the first `t` with `E(t)` = target; every mark of the ladder is the first `t` with
//! `E(t)` = another amount, found by the same function.

use alloc::vec::Vec;

use super::book::CompiledGoal;
use super::evaluation::{
    ClockState, CycleEnd, CycleRecord, GoalEvaluation, NextEvent, TimerEvent, TimerId, Trouble,
    Verdict,
};
use super::ladder::{BREACH, Measured, StepAt, StepId, StepKind};
use super::measure::{Clock, DayCountdown, Span};
use super::policy::{ChangeMode, CountsFrom, OnReopen, Starts, Target};
use crate::calendar::book::Calendars;
use crate::calendar::compiled::instant;
use crate::id::CaseId;
use crate::number::Ratio;

/// What the facts and commands of one instant ask of a clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signals {
    /// How many stops there were.
    pub(crate) stops: u8,
    pub(crate) cancel: bool,
    pub(crate) reset: bool,
    pub(crate) reopen: bool,
    pub(crate) start: bool,
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
    /// When the policy is attached, and how.
    pub(crate) attached: (i64, Option<ChangeMode>),
    phase: Phase,
    cycle: u32,
    began: i64,
    /// Finished running stretches of the cycle, in order, none empty.
    ran: Vec<Span>,
    /// Honored reasons held now.
    held: u64,
    /// The target rule that holds now.
    rule: Option<usize>,
    past: Vec<CycleRecord>,
    /// Steps fired in this cycle, under any revision.
    fired: Vec<(u16, u16)>,
    live: Option<Live<'a>>,
    fate: Fate,
    pub(crate) events: Vec<TimerEvent>,
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
    /// When the revision began: none of its events fires earlier.
    since: i64,
    /// Used up to the start of the present running stretch; for days the credit.
    used: i64,
    due: Option<i64>,
    pending: Vec<Pending>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    /// The position in the ladder; none is the breach.
    step: Option<u16>,
    occurrence: u16,
    mark: Mark,
    /// Seconds on the wall after the mark.
    plus: i64,
    /// When the mark was reached and when the event fires.
    reached: Option<(i64, i64)>,
    is_fired: bool,
}

#[derive(Clone, Copy, Debug)]
enum Mark {
    Amount(i64),
    /// Seconds before the deadline.
    Before(i64),
    /// Seconds after the deadline.
    After(i64),
}

/// Whether marks reached at the very instant belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Upto {
    Included,
    Excluded,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        goal: &'a CompiledGoal,
        case: &'a CaseId,
        calendars: &'a Calendars,
        attached: (i64, Option<ChangeMode>),
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

    /// Whether the policy was ever attached in this version.
    pub(crate) const fn was_live(&self) -> bool {
        self.live.is_some()
    }

    /// Everything one instant asks, in the fixed order: stop, cancel, pauses, target, reset, reopen,
    /// start. A stop that found nothing to stop ends what starts or reopens at the instant: logs with
    /// coarse times have a start and its stop in one minute.
    pub(crate) fn apply(&mut self, at: i64, held: u64, rule: Option<usize>, signals: Signals) {
        if self.fate != Fate::Current {
            return;
        }
        let mut stops = signals.stops;
        if stops > 0 && self.is_active() {
            self.stop(at);
            stops = stops.saturating_sub(1);
        }
        if signals.cancel {
            self.cancel(at);
        }
        self.hold(at, held & self.goal.honors);
        self.retarget(at, rule);
        if signals.reset && self.is_active() {
            self.advance(at, Upto::Excluded);
            self.close(at, CycleEnd::Reset);
            self.begin(at);
        }
        if signals.reopen {
            self.reopen(at);
        }
        if signals.start {
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
        if stops > 0 && (signals.start || signals.reopen) {
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
        self.fired.clear();
        if let Some(trace) = &mut self.trace {
            trace.clear();
        }
        let clock = self.clock_of(self.rule);
        if let Some(live) = &mut self.live {
            (live.rule, live.clock) = (self.rule, clock);
            (live.credit, live.used, live.due) = (0, 0, None);
            (live.from, live.origin, live.since) = (at, at, at);
            live.pending = marks(&live.clock, &self.goal.goal.ladder);
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
                self.advance(at, Upto::Included);
                self.settle(since, at);
                self.phase = Phase::Held;
            }
            Phase::Held if held == 0 => self.phase = Phase::Running(at),
            _ => {}
        }
        if self.is_active() && before != held {
            self.note(at, if held == 0 { Doing::Running } else { Doing::Paused(held) });
        }
    }

    /// Ends a running stretch.
    fn settle(&mut self, since: i64, at: i64) {
        if let Some(live) = &mut self.live
            && let Ok(clock) = &live.clock
            && !clock.is_days()
        {
            match clock.ran((since.max(live.from).min(at), at)) {
                Ok(seconds) => live.used = live.used.saturating_add(seconds),
                Err(trouble) => live.clock = Err(trouble),
            }
        }
        match self.ran.last_mut() {
            Some(last) if last.1 == since => last.1 = at,
            _ if since < at => self.ran.push((since, at)),
            _ => {}
        }
    }

    fn stop(&mut self, at: i64) {
        if !self.is_active() {
            return;
        }
        self.advance(at, Upto::Excluded);
        self.close(at, CycleEnd::Stopped);
        self.phase = Phase::Stopped(at);
        self.note(at, Doing::Stopped);
    }

    fn cancel(&mut self, at: i64) {
        if self.is_active() || self.phase == Phase::Waiting {
            let is_active = self.is_active();
            if is_active {
                self.advance(at, Upto::Excluded);
                self.close(at, CycleEnd::Cancelled);
            }
            self.phase = Phase::Cancelled(at);
            if is_active {
                self.note(at, Doing::Stopped);
            }
        }
    }

    /// Writes the record of a cycle that ends.
    fn close(&mut self, at: i64, ended_by: CycleEnd) {
        let due = self.due();
        if let Phase::Running(since) = self.phase {
            self.settle(since, at);
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
                self.resume(at);
            }
            OnReopen::NewCycle => {
                self.cycle = self.cycle.saturating_add(1);
                self.begin(at);
            }
        }
    }

    /// Another rule may hold now.
    fn retarget(&mut self, at: i64, rule: Option<usize>) {
        self.rule = rule;
        let Some(live) = &self.live else { return };
        if live.rule == rule {
            return;
        }
        if !self.is_active() {
            // It takes the target that holds when it starts; a finished one keeps the target it was
            // judged by.
            return;
        }
        let target_of = |rule: Option<usize>| {
            rule.and_then(|rule| self.goal.goal.targets.get(rule)).map(|rule| &rule.target)
        };
        if target_of(live.rule) == target_of(rule) {
            // Another reason for the same promise changes nothing.
            if let Some(live) = &mut self.live {
                live.rule = rule;
            }
            return;
        }
        let mode =
            if live.rule.is_none() { ChangeMode::Retroactive } else { self.goal.goal.on_change };
        if mode == ChangeMode::Keep {
            return;
        }
        self.advance(at, Upto::Excluded);
        let before = self.carried(at);
        self.adopt(rule);
        self.carry(at, mode, before);
    }

    /// A new revision of a running clock, nothing used yet.
    fn adopt(&mut self, rule: Option<usize>) {
        let clock = self.clock_of(rule);
        if let Some(live) = &mut self.live {
            (live.rule, live.clock) = (rule, clock);
            live.revision = live.revision.saturating_add(1);
        }
    }

    fn clock_of(&self, rule: Option<usize>) -> Result<Clock<'a>, Trouble> {
        let rule = rule.and_then(|rule| self.goal.goal.targets.get(rule));
        Clock::of(&rule.ok_or(Trouble::NoTarget)?.target, self.calendars)
    }

    /// What a change carries over: the clock and how much of it is used.
    fn carried(&self, at: i64) -> Option<(Clock<'a>, i64)> {
        let live = self.live.as_ref()?;
        let clock = *live.clock.as_ref().ok()?;
        Some((clock, self.used(at).ok()?))
    }

    /// Sets what is used under a new target, by the mode, and the marks that are left.
    fn carry(&mut self, at: i64, mode: ChangeMode, before: Option<(Clock<'a>, i64)>) {
        let Some(live) = &mut self.live else { return };
        let scaled = |clock: &Clock<'_>, (old, used): (Clock<'_>, i64)| {
            let product = i128::from(used).saturating_mul(clock.promised().into());
            let share = product.checked_div(old.promised().into()).unwrap_or(0);
            i64::try_from(share).unwrap_or(i64::MAX)
        };
        (live.credit, live.from, live.since, live.due) = (0, at, at, None);
        if let Ok(clock) = &live.clock {
            match (mode, before) {
                (ChangeMode::Restart, _) => {}
                (ChangeMode::Scale, Some(before)) => live.credit = scaled(clock, before),
                (ChangeMode::Prospective, Some(before)) => {
                    live.credit =
                        if before.0.same_unit(clock) { before.1 } else { scaled(clock, before) };
                }
                (ChangeMode::Retroactive | ChangeMode::Keep, _) | (_, None) => {
                    live.from = live.origin;
                }
            }
        }
        live.used = live.credit;
        let from = live.from;
        live.pending = marks(&live.clock, &self.goal.goal.ladder);
        self.measure_again();
        if let Phase::Running(since) = self.phase {
            // The stretch up to now is measured; a new one begins.
            if from < at {
                self.settle(since.max(from), at);
            } else {
                self.settle_unmeasured(since, at);
            }
            self.phase = Phase::Running(at);
        }
        self.mark_what_is_past(at);
    }

    /// Adds a running stretch that no longer counts.
    fn settle_unmeasured(&mut self, since: i64, at: i64) {
        match self.ran.last_mut() {
            Some(last) if last.1 == since => last.1 = at,
            _ if since < at => self.ran.push((since, at)),
            _ => {}
        }
    }

    /// Sums finished stretches again by the present clock, and finds a deadline that lies in them.
    fn measure_again(&mut self) {
        let Some(live) = &mut self.live else { return };
        let Ok(clock) = live.clock.clone() else { return };
        if clock.is_days() {
            return;
        }
        live.used = live.credit;
        for &(start, end) in &self.ran {
            if end <= live.from {
                continue;
            }
            match clock.ran((start.max(live.from), end)) {
                Ok(seconds) => live.used = live.used.saturating_add(seconds),
                Err(trouble) => {
                    live.clock = Err(trouble);
                    return;
                }
            }
        }
    }

    /// After a change at `at`: the deadline may be past already, and marks that lie behind are
    /// reached now, unless they fired before in this cycle.
    fn mark_what_is_past(&mut self, at: i64) {
        let Ok(used) = self.used(at) else { return };
        let promised = match &self.live {
            Some(Live { clock: Ok(clock), .. }) => clock.promised(),
            _ => return,
        };
        let due = if used >= promised { self.reached_before(promised, at) } else { None };
        let Some(live) = &mut self.live else { return };
        live.due = due;
        for pending in &mut live.pending {
            let past = match pending.mark {
                Mark::Amount(amount) => amount <= used && pending.plus == 0,
                Mark::After(seconds) => due.is_some_and(|due| due.saturating_add(seconds) <= at),
                Mark::Before(_) => due.is_some(),
            };
            if !past {
                continue;
            }
            let name = pending.step.map(|step| (step, pending.occurrence));
            if name.is_some_and(|name| self.fired.contains(&name)) {
                pending.is_fired = true;
            } else {
                let reached = if pending.step.is_none() { due.unwrap_or(at) } else { at };
                pending.reached = Some((reached, at));
            }
        }
    }

    /// When an amount that is used by `at` was reached: inside finished stretches, or at the change.
    fn reached_before(&self, amount: i64, at: i64) -> Option<i64> {
        let live = self.live.as_ref()?;
        let clock = live.clock.as_ref().ok()?;
        let mut left = amount.saturating_sub(live.credit);
        if left <= 0 {
            return Some(live.from.max(self.began));
        }
        if clock.is_days() {
            return self
                .countdown()
                .and_then(|days| days.reach(left, amount == clock.promised()).ok());
        }
        for &(start, end) in &self.ran {
            if end <= live.from {
                continue;
            }
            let start = start.max(live.from);
            let ran = clock.ran((start, end)).ok()?;
            if ran >= left {
                return clock.reach(start, left).ok();
            }
            left = left.saturating_sub(ran);
        }
        Some(at)
    }

    /// The count of days, for a clock in days.
    fn countdown(&self) -> Option<DayCountdown<'a>> {
        let live = self.live.as_ref()?;
        let Ok(Clock::Days(calendar, term)) = &live.clock else { return None };
        let mut gaps = Vec::new();
        let mut until = self.began;
        let present = match self.phase {
            Phase::Running(since) => Some((since, i64::MAX)),
            _ => None,
        };
        for (start, end) in self.ran.iter().copied().chain(present) {
            gaps.push((until.max(live.from), start));
            until = end;
        }
        if present.is_none() && until < i64::MAX {
            // Standing still: every day from here on is touched.
            gaps.push((until.max(live.from), calendar.table().last()));
        }
        Some(DayCountdown { calendar, term: *term, from: live.from, gaps })
    }

    /// `E(at)`, for `at` not before the last change.
    fn used(&self, at: i64) -> Result<i64, Trouble> {
        let live = self.live.as_ref().ok_or(Trouble::NoTarget)?;
        let clock = live.clock.clone()?;
        if clock.is_days() {
            let days = self.countdown().ok_or(Trouble::NoTarget)?;
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
            let days = self.countdown().ok_or(Trouble::NoTarget)?;
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

    /// Lets time pass: finds the marks that are reached and fires what is due.
    fn advance(&mut self, at: i64, upto: Upto) {
        if self.fate != Fate::Current || !self.is_active() {
            return;
        }
        let Some(live) = &self.live else { return };
        let Ok(clock) = &live.clock else { return };
        let promised = clock.promised();
        let used = match self.used(at) {
            Ok(used) => used,
            Err(trouble) => return self.trouble(trouble),
        };
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
            self.find_after(at, upto);
        }
        self.fire(|_| true, at, upto);
    }

    fn trouble(&mut self, trouble: Trouble) {
        if let Some(live) = &mut self.live {
            live.clock = Err(trouble);
        }
    }

    /// Marks reached in the present running stretch.
    fn find_reached(&mut self, since: i64, at: i64, used: i64, upto: Upto) {
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
                Mark::Amount(amount) if amount <= used => self.reach(amount).ok(),
                Mark::Amount(_) => None,
                Mark::Before(seconds) => foreseen.map(|due| due.saturating_sub(seconds).max(start)),
                Mark::After(seconds) => due.map(|due| due.saturating_add(seconds)),
            };
            let reached = reached.map(|reached| reached.saturating_add(pending.plus));
            self.reached(place, reached, at, upto);
        }
    }

    /// Marks on the wall after a deadline that is reached, while standing still.
    fn find_after(&mut self, at: i64, upto: Upto) {
        let Some(live) = &self.live else { return };
        let Some(due) = live.due else { return };
        for place in 0..live.pending.len() {
            let Some(pending) = self.live.as_ref().and_then(|live| live.pending.get(place)) else {
                return;
            };
            if let (Mark::After(seconds), None, false) =
                (pending.mark, pending.reached, pending.is_fired)
            {
                self.reached(place, Some(due.saturating_add(seconds)), at, upto);
            }
        }
    }

    fn reached(&mut self, place: usize, reached: Option<i64>, at: i64, upto: Upto) {
        let Some(reached) = reached.filter(|reached| is_upto(*reached, at, upto)) else { return };
        let since = self.live.as_ref().map_or(reached, |live| live.since);
        let fires = self.fires_at(place, reached.max(since));
        let due = self.live.as_ref().and_then(|live| live.due);
        if let Some(pending) = self.live.as_mut().and_then(|live| live.pending.get_mut(place)) {
            let mark = if pending.step.is_none() { due.unwrap_or(reached) } else { reached };
            pending.reached = Some((mark, fires));
        }
    }

    /// When an event fires whose mark is reached: at once, or when its quiet hours end.
    fn fires_at(&self, place: usize, reached: i64) -> i64 {
        let step = self.live.as_ref().and_then(|live| live.pending.get(place)?.step);
        let step = step.and_then(|step| self.goal.goal.ladder.get(usize::from(step)));
        let quiet = step.and_then(|step| step.quiet_outside.as_ref());
        let calendar = quiet.and_then(|calendar| self.calendars.get(calendar));
        let open = calendar.and_then(|calendar| calendar.next_open(instant(reached)).ok());
        open.map_or(reached, |open| open.value.timestamp())
    }

    fn fire(&mut self, which: impl Fn(&Pending) -> bool, at: i64, upto: Upto) {
        let Some(live) = &mut self.live else { return };
        let (revision, due) = (live.revision, live.due);
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
            let step = pending.step.and_then(|step| self.goal.goal.ladder.get(usize::from(step)));
            let Some(name) = step.map(|step| step.id.clone()).or_else(|| StepId::new(BREACH).ok())
            else {
                continue;
            };
            if let Some(step) = pending.step {
                self.fired.push((step, pending.occurrence));
            }
            self.events.push(TimerEvent {
                id: TimerId {
                    case: self.case.clone(),
                    policy: self.goal.policy.clone(),
                    goal: self.goal.goal.id.clone(),
                    cycle: self.cycle,
                    revision,
                    step: name,
                    occurrence: pending.occurrence,
                },
                at: instant(fires),
                reached: instant(reached),
                kind: step.map_or(StepKind::Breach, |step| step.kind),
                to: step.and_then(|step| step.to.clone()),
                version: self.goal.version,
                calendar_revision: calendar.map(crate::calendar::compiled::Calendar::revision),
                promised: target.amount(),
            });
        }
    }

    fn target(&self) -> Option<&'a Target> {
        let rule = self.live.as_ref()?.rule?;
        self.goal.goal.targets.get(rule).map(|rule| &rule.target)
    }

    /// The policy is attached now, for the first time or in place of another version's clock.
    pub(crate) fn go_live(&mut self, at: i64, mode: ChangeMode, old: Option<&mut Self>) {
        let clock = self.clock_of(self.rule);
        let mut live = Live {
            revision: 0,
            rule: self.rule,
            clock,
            credit: 0,
            from: self.began,
            origin: self.began,
            since: at,
            used: 0,
            due: None,
            pending: Vec::new(),
        };
        let mut before = None;
        let mut is_judged = false;
        if let Some(old) = old {
            old.advance(at, Upto::Excluded);
            before = old.carried(at);
            let (revision, origin) =
                old.live.as_ref().map_or((0, self.began), |live| (live.revision, live.origin));
            live.revision = revision.saturating_add(1);
            if old.is_active() {
                self.fired.clone_from(&old.fired);
                live.origin = origin.max(self.began);
            }
            is_judged = !old.past.is_empty();
            self.past.clone_from(&old.past);
            self.cycle = self.cycle.max(old.cycle);
            old.fate = Fate::Replaced;
        } else if self.goal.goal.counts_from == CountsFrom::Attachment {
            self.past.clear();
            live.origin = at;
        }
        live.from = live.origin;
        self.live = Some(live);
        match self.phase {
            Phase::Running(_) | Phase::Held => self.carry(at, mode, before),
            Phase::Stopped(stopped) if !is_judged => self.judge(stopped),
            Phase::Stopped(_) | Phase::Waiting | Phase::Cancelled(_) => {}
        }
    }

    /// A clock that had stopped before its policy was attached is judged by the whole timeline.
    fn judge(&mut self, stopped: i64) {
        if self.past.is_empty() {
            // What was done before a team got the case is not its own.
            return;
        }
        self.measure_again();
        let used = self.used(stopped).ok();
        let target = self.target().map(Target::amount);
        let promised =
            self.live.as_ref().and_then(|live| live.clock.as_ref().ok()).map(Clock::promised);
        let due = match (used, promised) {
            (Some(used), Some(promised)) if used >= promised => {
                self.reached_before(promised, stopped)
            }
            _ => None,
        };
        if let Some(live) = &mut self.live {
            live.due = due;
        }
        if let Some(last) = self.past.last_mut() {
            last.elapsed = target.and_then(|target| used.map(|used| target.with(used)));
            last.due = due.map(instant);
            last.verdict = match (due, promised) {
                (_, None) => Verdict::Pending,
                (Some(due), _) if due < stopped => Verdict::Breached,
                _ => Verdict::Met,
            };
        }
    }

    /// Another version or none applies from now on.
    pub(crate) fn retire(&mut self, at: i64) {
        if self.is_active() {
            self.advance(at, Upto::Excluded);
            self.close(at, CycleEnd::Replaced);
            self.note(at, Doing::Stopped);
        }
        self.phase = Phase::Cancelled(at);
        self.fate = Fate::Detached;
    }

    /// Whether another version's clock took over.
    pub(crate) fn is_replaced(&self) -> bool {
        self.fate == Fate::Replaced
    }

    /// Lets time pass up to now, which belongs to it.
    pub(crate) fn finish(&mut self, now: i64) {
        self.advance(now, Upto::Included);
    }

    /// When the next timer event fires if nothing happens, after `now`.
    fn next_event(&self, now: i64) -> Option<(i64, usize)> {
        let live = self.live.as_ref().filter(|_| self.is_active() && self.fate == Fate::Current)?;
        let is_running = matches!(self.phase, Phase::Running(_));
        let due = self.due();
        let mut next: Option<(i64, usize)> = None;
        for (place, pending) in live.pending.iter().enumerate().filter(|(_, p)| !p.is_fired) {
            let mark = match (pending.reached, pending.mark) {
                (Some((_, fires)), _) => Some(fires),
                (None, Mark::Amount(amount)) if is_running => self.reach(amount).ok(),
                (None, Mark::Amount(_)) => None,
                (None, Mark::Before(seconds)) => due.map(|due| due.saturating_sub(seconds)),
                (None, Mark::After(seconds)) => due.map(|due| due.saturating_add(seconds)),
            };
            let at = mark.map(|mark| match pending.reached {
                Some(_) => mark,
                None => self.fires_at(place, mark.saturating_add(pending.plus)),
            });
            // What is not fired lies ahead; a deadline foreseen behind the end of a calendar is none.
            let at = at.filter(|at| *at > now);
            next = match (next, at) {
                (Some(first), Some(at)) if first.0 <= at => Some(first),
                (first, None) => first,
                (_, Some(at)) => Some((at, place)),
            };
        }
        next
    }

    fn step_name(&self, place: usize) -> Option<StepId> {
        let pending = self.live.as_ref()?.pending.get(place)?;
        match pending.step {
            Some(step) => self.goal.goal.ladder.get(usize::from(step)).map(|step| step.id.clone()),
            None => StepId::new(BREACH).ok(),
        }
    }

    /// The reasons held that the goal honors.
    pub(crate) const fn held(&self) -> u64 {
        self.held
    }

    /// What is known now, after [`Run::finish`].
    pub(crate) fn outcome(&self, now: i64) -> GoalEvaluation {
        let state = match self.phase {
            Phase::Waiting => ClockState::Waiting,
            Phase::Running(_) => ClockState::Running,
            Phase::Held => ClockState::Paused,
            Phase::Stopped(_) => ClockState::Stopped,
            Phase::Cancelled(_) => ClockState::Cancelled,
        };
        let ended = match self.phase {
            Phase::Stopped(at) | Phase::Cancelled(at) => Some(at),
            Phase::Waiting | Phase::Running(_) | Phase::Held => None,
        };
        let is_started = self.phase != Phase::Waiting;
        let record = ended.and_then(|_| self.past.last()).filter(|last| last.cycle == self.cycle);
        let live = self.live.as_ref();
        let clock = live.and_then(|live| live.clock.as_ref().ok());
        let promised = clock.map(Clock::promised);
        let due = if self.is_active() { self.due() } else { None };
        let used = (is_started && ended.is_none()).then(|| self.used(now).ok()).flatten();
        let elapsed = match record {
            Some(record) => record.elapsed,
            None => self.target().and_then(|target| used.map(|used| target.amount().with(used))),
        };
        let remaining = promised
            .zip(elapsed)
            .map(|(promised, elapsed)| elapsed.with(promised.saturating_sub(elapsed.value())));
        let share = promised
            .zip(elapsed)
            .and_then(|(promised, elapsed)| Ratio::new(elapsed.value(), promised).ok());
        let resumed = || {
            let clock = clock.filter(|_| self.phase == Phase::Held && due.is_none())?;
            match clock {
                Clock::Days(..) => {
                    let mut days = self.countdown()?;
                    // The gap that is open ends now.
                    if let Some(last) = days.gaps.last_mut() {
                        last.1 = now.max(last.0);
                    }
                    let left = clock.promised().saturating_sub(live?.credit);
                    days.reach(left, true).ok()
                }
                Clock::Open(..) | Clock::Wall(_) => {
                    clock.reach(now, clock.promised().saturating_sub(live?.used)).ok()
                }
            }
        };
        let verdict = match record {
            Some(record) => record.verdict,
            None if due.is_some_and(|due| due < now) => Verdict::Breached,
            None => Verdict::Pending,
        };
        let trouble = live.and_then(|live| live.clock.as_ref().err().cloned());
        let foreseen = || {
            let Phase::Running(_) = self.phase else { return None };
            self.reach(promised?).err()
        };
        let next = self.next_event(now);
        GoalEvaluation {
            policy: self.goal.policy.clone(),
            version: self.goal.version,
            kind: self.goal.kind,
            goal: self.goal.goal.id.clone(),
            metric: self.goal.goal.metric.clone(),
            rule: live
                .and_then(|live| self.goal.goal.targets.get(live.rule?))
                .map(|rule| rule.id.clone()),
            target: self.target().cloned(),
            calendar_revision: clock
                .and_then(Clock::calendar)
                .map(crate::calendar::compiled::Calendar::revision),
            cycle: self.cycle,
            revision: live.map_or(0, |live| live.revision),
            state,
            verdict,
            started_at: is_started
                .then(|| instant(self.began))
                .filter(|_| !(ended.is_some() && record.is_none())),
            stopped_at: ended.map(instant),
            elapsed,
            remaining,
            share_used: share,
            due: record.map_or_else(|| due.map(instant), |record| record.due),
            due_if_resumed_now: resumed().map(instant),
            standing: due.and_then(|due| clock.map(|clock| clock.standing(due))),
            paused_by: Vec::new(),
            next: next.and_then(|(at, place)| {
                self.step_name(place).map(|step| NextEvent { step, at: instant(at) })
            }),
            past: self.past.clone(),
            trouble: trouble.or_else(|| if due.is_none() { foreseen() } else { None }),
        }
    }

    /// The clock with its calendar, if there is one.
    pub(crate) fn clock(&self) -> Option<Clock<'a>> {
        self.live.as_ref().and_then(|live| live.clock.as_ref().ok()).copied()
    }
}

fn is_upto(time: i64, at: i64, upto: Upto) -> bool {
    match upto {
        Upto::Included => time <= at,
        Upto::Excluded => time < at,
    }
}

/// The marks of a ladder and of the breach.
fn marks(clock: &Result<Clock<'_>, Trouble>, ladder: &[super::ladder::Step]) -> Vec<Pending> {
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
