//! The fold: events of a case in, every goal and every timer event out.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::book::SlaBook;
use super::clock::{Run, Signals};
use super::evaluation::{Evaluation, GoalEvaluation, Notice, TimerEvent};
use super::history::{CaseEvent, CaseHistory, ClockCommand, Happening};
use super::policy::{ChangeMode, Fires, PolicyKind};
use super::program::{FactState, TestSet};
use crate::calendar::book::Calendars;
use crate::condition::Facts;
use crate::id::{PauseReasonId, PolicyId};
use crate::time::Instant;

impl SlaBook {
    /// Evaluates every goal of a case at `now`. Events after `now` are not looked at.
    ///
    /// A pure function: the same input gives the same output, so that calling early, late or twice is
    /// harmless. A late call has all timer events that were missed, in order, with their true
    /// instants; [`SlaLedger`](super::ledger::SlaLedger) tells which are new.
    #[must_use]
    pub fn evaluate(
        &self,
        calendars: &Calendars,
        history: &CaseHistory,
        now: Instant,
    ) -> Evaluation {
        let mut fold = Fold::new(self, calendars, history, now, Trace::Off);
        fold.run(history, now);
        fold.evaluation(history, now)
    }

    /// The clocks of a case after its events, each with a trace of what it did.
    pub(crate) fn traced<'a>(
        &'a self,
        calendars: &'a Calendars,
        history: &'a CaseHistory,
        now: Instant,
    ) -> Vec<Run<'a>> {
        let mut fold = Fold::new(self, calendars, history, now, Trace::On);
        fold.run(history, now);
        fold.runs
    }

    /// The reasons behind a set of bits.
    pub(crate) fn reasons(&self, held: u64) -> Vec<PauseReasonId> {
        let named = self.draft().pauses.iter().zip(0_u32..);
        named
            .filter(|(_, bit)| held & 1_u64.wrapping_shl(*bit) != 0)
            .map(|(pause, _)| pause.id.clone())
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Trace {
    Off,
    On,
}

struct Fold<'a> {
    book: &'a SlaBook,
    facts: FactState<'a>,
    /// Reasons held by events and by conditions, one bit each.
    held: (u64, u64),
    runs: Vec<Run<'a>>,
    /// How many attachments were carried out.
    attachments: usize,
    signals: Vec<Signals>,
    rules: Vec<Option<usize>>,
    notices: Vec<Notice>,
    /// Reasons told of in a notice.
    unknown: BTreeSet<&'a PauseReasonId>,
    /// Tests that some trigger, that some target rule makes.
    listens: (TestSet, TestSet),
    has_levels: bool,
    /// Whether something that clocks listen to changed at the present instant.
    is_touched: bool,
    /// Facts of one event, and what they hide.
    hidden: Vec<(usize, Option<&'a crate::explain::Fact>)>,
}

impl<'a> Fold<'a> {
    fn new(
        book: &'a SlaBook,
        calendars: &'a Calendars,
        history: &'a CaseHistory,
        now: Instant,
        trace: Trace,
    ) -> Self {
        let mut notices = Vec::new();
        let mut runs: Vec<Run<'a>> = Vec::new();
        let events = history.events().iter().take_while(|event| event.at <= now);
        let attachments = events.filter_map(|event| match &event.what {
            Happening::Attached { policy, version, .. } => Some((policy, *version)),
            _ => None,
        });
        for (number, (policy, version)) in attachments.enumerate() {
            let Some(goals) = book.policies.get(&(policy.clone(), version)) else {
                notices.push(Notice::UnknownPolicy { policy: policy.clone(), version });
                continue;
            };
            runs.extend(goals.iter().map(|goal| {
                let mut run = Run::new(goal, history.case(), calendars, number);
                run.trace = (trace == Trace::On).then(Vec::new);
                run
            }));
        }
        let facts = FactState::new(&book.tests);
        for run in &mut runs {
            run.held_before = run.goal.at_first.0;
        }
        let rules = runs.iter().map(|run| run.goal.at_first.1).collect();
        let signals = alloc::vec![Signals::default(); runs.len()];
        let held = (0, book.held_at_first);
        let mut listens = (TestSet::default(), TestSet::default());
        for run in &runs {
            listens.0.add(&run.goal.triggered_by);
            listens.1.add(&run.goal.targeted_by);
        }
        Self {
            book,
            facts,
            held,
            signals,
            rules,
            notices,
            unknown: BTreeSet::new(),
            listens,
            has_levels: runs.iter().any(|run| run.goal.has_levels),
            // The first instant tells every clock what holds.
            is_touched: true,
            hidden: Vec::new(),
            attachments: 0,
            runs,
        }
    }

    fn run(&mut self, history: &'a CaseHistory, now: Instant) {
        let events = history.events().iter().take_while(|event| event.at <= now);
        let mut events = events.map(|event| (event.at.timestamp(), event)).peekable();
        let mut attachments: Vec<&'a Happening> = Vec::new();
        while let Some((at, first)) = events.next() {
            self.note(first);
            attachments.extend(attachment(first));
            while let Some((_, event)) = events.next_if(|(second, _)| *second == at) {
                self.note(event);
                attachments.extend(attachment(event));
            }
            if core::mem::take(&mut self.is_touched) {
                self.apply(at);
            }
            for happening in attachments.drain(..) {
                self.attach(at, happening);
            }
        }
        for run in &mut self.runs {
            run.finish(now.timestamp());
        }
    }

    /// Tells every clock what one instant asks of it.
    fn apply(&mut self, at: i64) {
        let held = self.held.0 | self.held.1;
        let parts = self.runs.iter_mut().zip(&self.rules).zip(&mut self.signals);
        for ((run, rule), signals) in parts {
            run.apply(at, held, *rule, core::mem::take(signals));
        }
    }

    /// Takes in one event: facts, triggers, reasons to stand still.
    fn note(&mut self, event: &'a CaseEvent) {
        match &event.what {
            Happening::Facts { set, unset, once } => self.change(set, unset, once),
            Happening::Paused { reason } => self.hold(reason, true),
            Happening::Resumed { reason } => self.hold(reason, false),
            Happening::Moved { goal, command } => {
                self.is_touched = true;
                for (run, signals) in self.runs.iter().zip(&mut self.signals) {
                    if run.goal.goal.id == *goal {
                        match command {
                            ClockCommand::Start => signals.start = true,
                            ClockCommand::Stop => signals.stops = signals.stops.saturating_add(1),
                            ClockCommand::Cancel => signals.cancel = true,
                            ClockCommand::Reset => signals.reset = true,
                            ClockCommand::Reopen => signals.reopen = true,
                        }
                    }
                }
            }
            Happening::Attached { .. } | Happening::Detached { .. } => {}
        }
    }

    fn hold(&mut self, reason: &'a PauseReasonId, is_held: bool) {
        let Some(number) = self.book.pause_number(reason) else {
            if self.unknown.insert(reason) {
                self.notices.push(Notice::UnknownPause { reason: reason.clone() });
            }
            return;
        };
        let bit = 1_u64.wrapping_shl(number);
        self.held.0 = if is_held { self.held.0 | bit } else { self.held.0 & !bit };
        self.is_touched = true;
    }

    fn change(
        &mut self,
        set: &'a Facts,
        unset: &'a BTreeSet<crate::id::FactName>,
        once: &'a Facts,
    ) {
        for (name, fact) in set.iter() {
            if let Some(number) = self.facts.number(name) {
                self.facts.put(number, Some(fact));
            }
        }
        for name in unset {
            if let Some(number) = self.facts.number(name) {
                self.facts.put(number, None);
            }
        }
        self.hidden.clear();
        for (name, fact) in once.iter() {
            if let Some(number) = self.facts.number(name) {
                let old = self.facts.put(number, Some(fact));
                self.hidden.push((number, old));
            }
        }
        let is_triggered = self.listens.0.touches(&self.facts.changed);
        if is_triggered || self.has_levels {
            self.is_touched = true;
            for (run, signals) in self.runs.iter().zip(&mut self.signals) {
                if run.goal.has_levels || run.goal.triggered_by.touches(&self.facts.changed) {
                    signal(&self.facts, run, signals);
                }
            }
        }
        for (number, old) in self.hidden.drain(..).rev() {
            self.facts.put(number, old);
        }
        if is_triggered {
            for run in &mut self.runs {
                if run.goal.triggered_by.touches(&self.facts.changed) {
                    remember(&self.facts, run);
                }
            }
        }
        if self.listens.1.touches(&self.facts.changed) {
            self.is_touched = true;
            for (run, rule) in self.runs.iter().zip(&mut self.rules) {
                if run.goal.targeted_by.touches(&self.facts.changed) {
                    *rule = run.goal.target_rule(&self.facts);
                }
            }
        }
        if self.book.paused_by.touches(&self.facts.changed) {
            self.held.1 = self.book.held(&self.facts);
            self.is_touched = true;
        }
        self.facts.settle();
    }

    /// A policy is attached or detached; a version that follows another takes over its clocks.
    fn attach(&mut self, at: i64, happening: &Happening) {
        match happening {
            Happening::Attached { policy, version, mode } => {
                let number = self.attachments;
                self.attachments = number.saturating_add(1);
                self.attach_version((at, number), policy, *version, *mode);
            }
            Happening::Detached { policy } => {
                for run in self.runs.iter_mut().filter(|run| run.goal.policy == *policy) {
                    if run.is_live() {
                        run.retire(at);
                    }
                }
            }
            Happening::Facts { .. }
            | Happening::Paused { .. }
            | Happening::Resumed { .. }
            | Happening::Moved { .. } => {}
        }
    }

    fn attach_version(
        &mut self,
        (at, number): (i64, usize),
        policy: &PolicyId,
        version: u32,
        mode: Option<ChangeMode>,
    ) {
        if !self.book.policies.contains_key(&(policy.clone(), version)) {
            return;
        }
        let mut taken: Vec<usize> = Vec::new();
        for place in 0..self.runs.len() {
            let Some(run) = self.runs.get(place).filter(|run| run.attached == number) else {
                continue;
            };
            let goal = &run.goal.goal;
            // The goal's clock until now: of another version, or detached.
            let old = self.runs.iter().position(|other| {
                (other.is_live() || other.is_detached())
                    && other.goal.policy == *policy
                    && other.goal.goal.id == goal.id
            });
            let before = old.and_then(|old| self.runs.get(old)).filter(|old| old.is_live());
            let change = match before {
                // Attached already: once more changes nothing.
                Some(before) if before.goal.version == version => ChangeMode::Keep,
                Some(_) => mode.unwrap_or(goal.on_change),
                None => ChangeMode::Retroactive,
            };
            if change == ChangeMode::Keep {
                taken.extend(old);
                continue;
            }
            taken.push(place);
            match old.map(|old| self.runs.get_disjoint_mut([place, old])) {
                Some(Ok([run, old])) => run.go_live(at, change, Some(old)),
                Some(Err(_)) | None => {
                    if let Some(run) = self.runs.get_mut(place) {
                        run.go_live(at, change, None);
                    }
                }
            }
        }
        for (place, run) in self.runs.iter_mut().enumerate() {
            if run.goal.policy == *policy && run.is_live() && !taken.contains(&place) {
                run.retire(at);
            }
        }
    }

    /// All timer events by time, those of one instant by name.
    fn events(&self) -> Vec<TimerEvent> {
        let count = self.runs.iter().map(|run| run.events.len()).sum();
        let mut all = Vec::with_capacity(count);
        all.extend(
            self.runs.iter().flat_map(|run| run.events.iter().map(move |fired| (run, fired))),
        );
        all.sort_by_key(|(run, fired)| run.order_of(fired));
        all.into_iter().map(|(run, fired)| run.timer_event(fired)).collect()
    }

    fn evaluation(self, history: &CaseHistory, now: Instant) -> Evaluation {
        let events = self.events();
        let mut goals: Vec<GoalEvaluation> = Vec::with_capacity(self.runs.len());
        let mut next_wakeup: Option<Instant> = None;
        for run in self.runs {
            if run.is_replaced() || !run.was_live() {
                continue;
            }
            let held = run.held();
            let mut goal = run.outcome(now.timestamp());
            if held != 0 && goal.state.is_active() {
                goal.paused_by = self.book.reasons(held);
            }
            let next = goal.next.as_ref().map(|next| next.at);
            next_wakeup = match (next_wakeup, next) {
                (Some(first), Some(next)) => Some(first.min(next)),
                (first, next) => first.or(next),
            };
            goals.push(goal);
        }
        let mut notices = self.notices;
        notices.extend(conflicts(&goals));
        Evaluation { case: history.case().clone(), now, goals, events, next_wakeup, notices }
    }
}

fn attachment(event: &CaseEvent) -> Option<&Happening> {
    let is = matches!(event.what, Happening::Attached { .. } | Happening::Detached { .. });
    is.then_some(&event.what)
}

/// Which triggers fire with the facts of an event.
fn signal(facts: &FactState<'_>, run: &Run<'_>, signals: &mut Signals) {
    let fired = [0, 1, 2, 3, 4].map(|place| {
        let Some(Some((program, fires))) = run.goal.triggers.get(place) else { return false };
        let before = run.held_before.get(place).copied().unwrap_or(false);
        let now = if program.needs.touches(&facts.changed) { facts.holds(program) } else { before };
        now && (*fires == Fires::WhileTrue || !before)
    });
    let [stop, cancel, reset, reopen, start] = fired;
    signals.stops = signals.stops.saturating_add(u8::from(stop));
    signals.cancel |= cancel;
    signals.reset |= reset;
    signals.reopen_held |= reopen;
    signals.start_held |= start;
}

/// Which triggers hold without the facts of the event.
fn remember(facts: &FactState<'_>, run: &mut Run<'_>) {
    for (trigger, before) in run.goal.triggers.iter().zip(&mut run.held_before) {
        if let Some((program, _)) = trigger
            && program.needs.touches(&facts.changed)
        {
            *before = facts.holds(program);
        }
    }
}

/// Promises of our own that are later than a law for the same thing.
fn conflicts(goals: &[GoalEvaluation]) -> Vec<Notice> {
    let open = |goal: &&GoalEvaluation| goal.state.is_active() && goal.due.is_some();
    let mut notices = Vec::new();
    for law in goals.iter().filter(open).filter(|goal| goal.kind == PolicyKind::Statutory) {
        let own = goals.iter().filter(open).filter(|goal| {
            matches!(goal.kind, PolicyKind::Internal | PolicyKind::Contract)
                && goal.metric == law.metric
                && goal.due > law.due
        });
        notices.extend(own.filter_map(|goal| {
            Some(Notice::LaterThanStatutory {
                metric: law.metric.clone(),
                policy: goal.policy.clone(),
                due: goal.due?,
                statutory: law.policy.clone(),
                statutory_due: law.due?,
            })
        }));
    }
    notices
}
