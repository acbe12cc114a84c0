//! Changes of target and of version: what happens to time already used.

use alloc::vec::Vec;

use super::ahead::Ahead;
use super::marks::{Mark, Upto, marks};
use super::{Doing, Fate, Live, Phase, Run};
use crate::calendar::compiled::instant;
use crate::sla::evaluation::{CycleEnd, Trouble, Verdict};
use crate::sla::measure::Clock;
use crate::sla::policy::{ChangeMode, CountsFrom, Target};

impl<'a> Run<'a> {
    /// Another rule may hold now.
    pub(super) fn retarget(&mut self, at: i64, rule: Option<usize>) {
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
    pub(super) fn adopt(&mut self, rule: Option<usize>) {
        let clock = self.clock_of(rule);
        if let Some(live) = &mut self.live {
            (live.rule, live.clock) = (rule, clock);
            live.revision = live.revision.saturating_add(1);
        }
    }

    pub(super) fn clock_of(&self, rule: Option<usize>) -> Result<Clock<'a>, Trouble> {
        let rule = rule.and_then(|rule| self.goal.goal.targets.get(rule));
        Clock::of(&rule.ok_or(Trouble::NoTarget)?.target, self.calendars)
    }

    /// What a change carries over: the clock and how much of it is used.
    pub(super) fn carried(&self, at: i64) -> Option<(Clock<'a>, i64)> {
        let live = self.live.as_ref()?;
        let clock = *live.clock.as_ref().ok()?;
        Some((clock, self.used(at).ok()?))
    }

    /// Sets what is used under a new target, by the mode, and the marks that are left.
    pub(super) fn carry(&mut self, at: i64, mode: ChangeMode, before: Option<(Clock<'a>, i64)>) {
        let Some(live) = &mut self.live else { return };
        let scaled = |clock: &Clock<'_>, (old, used): (Clock<'_>, i64)| {
            let product = i128::from(used).saturating_mul(clock.promised().into());
            let share = product.checked_div(old.promised().into()).unwrap_or(0);
            i64::try_from(share).unwrap_or(i64::MAX)
        };
        (live.credit, live.from, live.since, live.due) = (0, at, at, None);
        live.ahead = Ahead::UNKNOWN;
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
                self.settle(since.max(from), at, None);
            } else {
                self.settle_unmeasured(since, at);
            }
            self.phase = Phase::Running(at);
        }
        self.mark_what_is_past(at);
    }

    /// Adds a running stretch that no longer counts.
    pub(super) fn settle_unmeasured(&mut self, since: i64, at: i64) {
        match self.ran.last_mut() {
            Some(last) if last.1 == since => last.1 = at,
            _ if since < at => self.ran.push((since, at)),
            _ => {}
        }
    }

    /// Sums finished stretches again by the present clock, and finds a deadline that lies in them.
    pub(super) fn measure_again(&mut self) {
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
    pub(super) fn mark_what_is_past(&mut self, at: i64) {
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
    pub(super) fn reached_before(&self, amount: i64, at: i64) -> Option<i64> {
        let live = self.live.as_ref()?;
        let clock = live.clock.as_ref().ok()?;
        let mut left = amount.saturating_sub(live.credit);
        if left <= 0 {
            return Some(live.from.max(self.began));
        }
        if clock.is_days() {
            return self.days().and_then(|days| days.reach(left, amount == clock.promised()).ok());
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
            ahead: Ahead::UNKNOWN,
        };
        let mut before = None;
        let mut is_judged = false;
        if let Some(old) = old {
            old.advance(at, Upto::Excluded);
            before = old.carried(at);
            let (revision, origin) =
                old.live.as_ref().map_or((0, self.began), |live| (live.revision, live.origin));
            live.revision = revision.saturating_add(1);
            if old.is_active() || matches!(old.phase, Phase::Stopped(_)) {
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
            // It was judged by the version of its stop; reopened, it goes on by this one.
            Phase::Stopped(_) if is_judged => self.carry(at, mode, before),
            Phase::Stopped(stopped) => {
                if let Some(live) = &mut self.live {
                    live.pending = marks(&live.clock, &self.goal.goal.ladder);
                }
                self.judge(stopped);
            }
            Phase::Waiting | Phase::Cancelled(_) => {}
        }
    }

    /// A clock that had stopped before its policy was attached is judged by the whole timeline.
    pub(super) fn judge(&mut self, stopped: i64) {
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
            let used = self.advance(at, Upto::Excluded);
            self.close(at, CycleEnd::Replaced, used);
            self.note(at, Doing::Stopped);
        }
        self.phase = Phase::Cancelled(at);
        self.fate = Fate::Detached;
    }

    /// Whether another version's clock took over.
    pub(crate) fn is_replaced(&self) -> bool {
        self.fate == Fate::Replaced
    }
}
