//! Changes of target and of version: what happens to time already used.

use alloc::vec::Vec;

use super::ahead::Ahead;
use super::marks::{Mark, Upto};
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
        live.set_marks(&self.goal.goal.ladder);
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
        let count = live.pending.len();
        let ahead = due.or_else(|| self.due_if_resumed(at));
        let is_by = |second: Option<i64>| second.is_some_and(|second| second <= at);
        for place in 0..count {
            let Some(pending) = self.pending(place) else { return };
            let (is_reached, is_behind) = match pending.mark {
                Mark::Amount(amount) if pending.plus == 0 => (amount <= used, amount <= used),
                Mark::Amount(amount) => {
                    let reached = self.reach(amount).ok().filter(|_| amount <= used);
                    (false, is_by(reached.map(|second| second.saturating_add(pending.plus))))
                }
                Mark::After(seconds) => {
                    let is_past = is_by(due.map(|due| due.saturating_add(seconds)));
                    (is_past, is_past)
                }
                Mark::Before(seconds) => {
                    let is_past = is_by(ahead.map(|due| due.saturating_sub(seconds)));
                    (is_past && due.is_some(), is_past)
                }
            };
            let name = pending.step.map(|step| (step, pending.occurrence));
            let is_fired = is_behind && name.is_some_and(|name| self.fired.contains(&name));
            let reached = if name.is_none() { due.unwrap_or(at) } else { at };
            let reached = is_reached.then(|| (reached, self.fires_at(place, at)));
            if let Some(pending) = self.live.as_mut().and_then(|l| l.pending.get_mut(place)) {
                pending.is_fired = is_fired;
                pending.reached = reached.filter(|_| !is_fired);
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
        let is_anew = old.as_ref().is_none_or(|old| old.is_detached());
        // What ended before is judged by the target of its end.
        let rule = if is_anew && self.ended().is_some() { self.rule_at_end } else { self.rule };
        let clock = self.clock_of(rule);
        let mut live = Live {
            revision: 0,
            rule,
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
        if is_anew && self.goal.goal.counts_from == CountsFrom::Attachment {
            self.past.clear();
            live.origin = at;
        }
        if let Some(old) = old {
            old.advance(at, Upto::Excluded);
            let (revision, origin) =
                old.live.as_ref().map_or((0, self.began), |live| (live.revision, live.origin));
            live.revision = revision.saturating_add(1);
            if old.cycle >= self.cycle {
                self.fired = self.fired_by(old);
            }
            if is_anew {
                // What was found before it was detached stays as it was found.
                let gone = old.ended().unwrap_or(at);
                let later = self.past.drain(..).filter(|record| record.ended_at > instant(gone));
                self.past = old.past.iter().cloned().chain(later).collect();
                is_judged = self.ended().is_some_and(|ended| ended <= gone);
            } else {
                before = old.carried(at);
                if old.is_active() || matches!(old.phase, Phase::Stopped(_)) {
                    live.origin = origin.max(self.began);
                }
                is_judged = !old.past.is_empty();
                self.past.clone_from(&old.past);
            }
            self.cycle = self.cycle.max(old.cycle);
            old.fate = Fate::Replaced;
        }
        live.from = live.origin;
        self.live = Some(live);
        match self.phase {
            Phase::Running(_) | Phase::Held => self.carry(at, mode, before),
            // It was judged by the version of its stop; reopened, it goes on by this one.
            Phase::Stopped(_) if is_judged => self.carry(at, mode, before),
            Phase::Stopped(ended) | Phase::Cancelled(ended) => {
                if let Some(live) = &mut self.live {
                    live.set_marks(&self.goal.goal.ladder);
                }
                if !is_judged {
                    self.judge(ended);
                }
            }
            Phase::Waiting => {}
        }
    }

    /// The steps that another clock of the goal fired, by their places in this version's ladder.
    fn fired_by(&self, old: &Self) -> Vec<(u16, u16)> {
        let ladder = &self.goal.goal.ladder;
        let own = |step: u16| {
            let step = old.goal.goal.ladder.get(usize::from(step))?;
            u16::try_from(ladder.iter().position(|own| own.id == step.id)?).ok()
        };
        old.fired.iter().filter_map(|(step, nth)| Some((own(*step)?, *nth))).collect()
    }

    /// A clock that had ended before its policy was attached is judged by the whole timeline.
    fn judge(&mut self, ended: i64) {
        // What was done before a team got the case is not its own.
        if self.past.last().is_none_or(|last| last.ended_at != instant(ended)) {
            return;
        }
        self.measure_again();
        let used = self.used(ended).ok();
        let target = self.target().map(Target::amount);
        let promised =
            self.live.as_ref().and_then(|live| live.clock.as_ref().ok()).map(Clock::promised);
        let due = match (used, promised) {
            (Some(used), Some(promised)) if used >= promised => {
                self.reached_before(promised, ended)
            }
            _ => None,
        };
        if let Some(live) = &mut self.live {
            live.due = due;
        }
        if let Some(last) = self.past.last_mut() {
            last.elapsed = target.and_then(|target| used.map(|used| target.with(used)));
            last.verdict = match (due, last.ended_by) {
                (Some(due), _) if due < ended => Verdict::Breached,
                (_, CycleEnd::Stopped) if promised.is_some() => Verdict::Met,
                _ => Verdict::Pending,
            };
            last.due = due.filter(|_| last.verdict != Verdict::Pending).map(instant);
        }
    }

    /// When it was stopped or called off.
    pub(super) const fn ended(&self) -> Option<i64> {
        match self.phase {
            Phase::Stopped(at) | Phase::Cancelled(at) => Some(at),
            Phase::Waiting | Phase::Running(_) | Phase::Held => None,
        }
    }

    /// Another version or none applies from now on.
    pub(crate) fn retire(&mut self, at: i64) {
        if self.is_active() {
            let used = self.advance(at, Upto::Excluded);
            self.close(at, CycleEnd::Replaced, used);
            self.note(at, Doing::Stopped);
        }
        self.phase = Phase::Cancelled(self.ended().unwrap_or(at));
        self.fate = Fate::Detached;
    }

    /// Whether another version's clock took over.
    pub(crate) fn is_replaced(&self) -> bool {
        self.fate == Fate::Replaced
    }
}
