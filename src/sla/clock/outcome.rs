//! What is known about a clock at one moment.

use alloc::vec::Vec;

use super::marks::Mark;
use super::{Fate, Phase, Run};
use crate::calendar::compiled::{Calendar, instant};
use crate::number::Ratio;
use crate::sla::evaluation::{ClockState, GoalEvaluation, NextEvent, Verdict};
use crate::sla::ladder::{BREACH, StepId};
use crate::sla::measure::Clock;

impl Run<'_> {
    /// When the next timer event fires if nothing happens, after `now`; `due` is the deadline.
    fn next_event(&self, now: i64, due: Option<i64>) -> Option<(i64, usize)> {
        let live = self.live.as_ref().filter(|_| self.is_active() && self.fate == Fate::Current)?;
        let is_running = matches!(self.phase, Phase::Running(_));
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

    pub(super) fn step_name(&self, place: usize) -> Option<StepId> {
        let pending = self.live.as_ref()?.pending.get(place)?;
        match pending.step {
            Some(step) => self.goal.goal.ladder.get(usize::from(step)).map(|step| step.id.clone()),
            None => StepId::new(BREACH).ok(),
        }
    }

    /// What is known now, after [`Run::finish`].
    pub(crate) fn outcome(mut self, now: i64) -> GoalEvaluation {
        let past = core::mem::take(&mut self.past);
        let state = match self.phase {
            Phase::Waiting => ClockState::Waiting,
            Phase::Running(_) => ClockState::Running,
            Phase::Held => ClockState::Paused,
            Phase::Stopped(_) => ClockState::Stopped,
            Phase::Cancelled(_) => ClockState::Cancelled,
        };
        let ended = self.ended();
        let is_started = self.phase != Phase::Waiting;
        let record = ended.and_then(|_| past.last()).filter(|last| last.cycle == self.cycle);
        let record = record.map(|last| (last.elapsed, last.due, last.verdict));
        let live = self.live.as_ref();
        let clock = live.and_then(|live| live.clock.as_ref().ok());
        let promised = clock.map(Clock::promised);
        let due = if self.is_active() { self.due() } else { None };
        let used = (is_started && ended.is_none()).then(|| self.used(now).ok()).flatten();
        let elapsed = match record {
            Some((elapsed, _, _)) => elapsed,
            None => self.target().and_then(|target| used.map(|used| target.amount().with(used))),
        };
        let remaining = promised
            .zip(elapsed)
            .map(|(promised, elapsed)| elapsed.with(promised.saturating_sub(elapsed.value())));
        let share = promised
            .zip(elapsed)
            .and_then(|(promised, elapsed)| Ratio::new(elapsed.value(), promised).ok());
        let resumed = || {
            let is_unknown = self.phase == Phase::Held && due.is_none();
            is_unknown.then(|| self.due_if_resumed(now)).flatten()
        };
        let verdict = match record {
            Some((_, _, verdict)) => verdict,
            None if due.is_some_and(|due| due < now) => Verdict::Breached,
            None => Verdict::Pending,
        };
        let trouble = live.and_then(|live| live.clock.as_ref().err().cloned());
        let foreseen = || {
            let Phase::Running(_) = self.phase else { return None };
            self.reach(promised?).err()
        };
        let trouble = trouble.or_else(|| if due.is_none() { foreseen() } else { None });
        let next = self.next_event(now, due);
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
            calendar_revision: clock.and_then(Clock::calendar).map(Calendar::revision),
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
            due: record.map_or_else(|| due.map(instant), |(_, due, _)| due),
            due_if_resumed_now: resumed().map(instant),
            standing: due.and_then(|due| clock.map(|clock| clock.standing(due))),
            paused_by: Vec::new(),
            next: next.and_then(|(at, place)| {
                self.step_name(place).map(|step| NextEvent { step, at: instant(at) })
            }),
            past,
            trouble,
        }
    }
}
