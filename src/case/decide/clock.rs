//! Clocks: timers fire before a command is decided, and are set after it.
//!
//! Everything happens in the order of time. An announced pause moves a deadline at the instant of its
//! announcement; at one instant an announcement comes before an expiry, an expiry before a command.

mod trial;

use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use self::trial::Trial;
use super::super::actor::{Actor, Role};
use super::super::command::{Command, Envelope};
use super::super::duty::duties_of;
use super::super::event::{Cause, Event, EventFact};
use super::super::evolve::preview;
use super::super::refusal::{Obstacle, Refusal};
use super::super::resolution::Resolution;
use super::super::review::Roster;
use super::super::state::ReturnCase;
use super::super::timer::{ExpiryOutcome, Timer, stage};
use super::super::{AfterSale, Answer, Context, Decision};
use super::facts::{case_facts, facts_asked};
use super::{Draft, Scene, judge};
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::{ActorId, CaseId, CommandId, RuleId};
use crate::practice::Practice;
use crate::practice::timer::{ExpiryAction, Stage};
use crate::rules::Rules;
use crate::time::{Instant, Interval, add_seconds};

/// Decides a command of an order with timers, or under rules that set some.
pub(super) fn decide(
    order: &AfterSale,
    context: &Context<'_>,
    roster: &Roster<'_>,
    envelope: &Envelope,
    digest: u64,
) -> Result<Decision, Refusal> {
    let rules = context.rules;
    let (events, findings, idle) = Default::default();
    let mut run = Run { stored: order, live: None, rules, roster, events, findings, idle };
    run.catch_up(context.now);
    let draft = judge(run.order(), context, roster, envelope, order.stream.version)?;
    run.grant(context, envelope, &draft)?;
    let cause = Cause { command: envelope.id.clone(), digest, timer: None };
    run.push(context.now, &envelope.actor, &cause, draft);
    if run.has_due(context.now) {
        run.go_live();
        run.catch_up(context.now);
    }
    let duties = run.events.iter().flat_map(duties_of).collect();
    let (answer, events, findings) = (Answer::Accepted, run.events, run.findings);
    Ok(Decision { answer, events, duties, findings })
}

/// The order while several events are decided one after the other.
struct Run<'a> {
    stored: &'a AfterSale,
    /// A copy that has evolved; made only when something fires.
    live: Option<AfterSale>,
    rules: &'a Rules,
    roster: &'a Roster<'a>,
    events: Vec<Event>,
    findings: Vec<Finding>,
    /// Cases whose review cannot act by itself now.
    idle: BTreeSet<CaseId>,
}

/// What the clocks do next.
enum Next {
    Revise { at: Instant, case: CaseId, timer: RuleId, before: Instant, due: Instant },
    Fire { case: CaseId, timer: Timer },
    Review { case: CaseId, due: Instant },
}

impl Run<'_> {
    fn order(&self) -> &AfterSale {
        self.live.as_ref().unwrap_or(self.stored)
    }

    fn go_live(&mut self) {
        if self.live.is_none() {
            let mut live = self.stored.clone();
            self.events.iter().for_each(|event| live.evolve(event));
            self.live = Some(live);
        }
    }

    /// Whether something may be due after the command that was not before it: a deadline set in the past,
    /// or a review that goes on again.
    fn has_due(&self, now: Instant) -> bool {
        let reviewed = |case| self.stored.cases.get(case).is_some_and(|case| case.review.is_some());
        self.events.iter().any(|event| match &event.fact {
            EventFact::DeadlineSet { due, .. } => *due <= now,
            EventFact::HoldReleased { case }
            | EventFact::InterceptionEnded { case, .. }
            | EventFact::DisputeRuled { case, .. }
            | EventFact::CaseReopened { case, .. }
            | EventFact::ReviewMigrated { case, .. } => reviewed(case),
            _ => false,
        })
    }

    /// Everything the clocks do until `now`, in the order of time, case and timer.
    fn catch_up(&mut self, now: Instant) {
        while let Some(next) = self.next(now) {
            self.go_live();
            match next {
                Next::Revise { at, case, timer, before, due } => {
                    let (actor, cause) = (clock(), self.cause_of(&case, &timer));
                    let fact = EventFact::DeadlineRevised { case, timer, before, due };
                    self.push(at, &actor, &cause, Draft::from(alloc::vec![fact]));
                }
                Next::Fire { case, timer } => self.fire(&case, &timer),
                Next::Review { case, due } => self.let_review_act(&case, due),
            }
        }
    }

    fn next(&self, now: Instant) -> Option<Next> {
        let order = self.order();
        let acts = |(_, case, rule): &&(Instant, CaseId, Option<RuleId>)| {
            rule.is_some() || !self.idle.contains(case)
        };
        let first = order.agenda.iter().find(acts).filter(|(due, ..)| *due <= now);
        let revision = self.next_revision(now);
        if let Some(Next::Revise { at, .. }) = &revision
            && first.is_none_or(|(due, ..)| at <= due)
        {
            return revision;
        }
        let (due, case, rule) = first?;
        let Some(rule) = rule else {
            return Some(Next::Review { case: case.clone(), due: *due });
        };
        let timer = self.timer(case, rule)?.clone();
        Some(Next::Fire { case: case.clone(), timer })
    }

    /// A running timer of a case.
    fn timer(&self, case: &CaseId, rule: &RuleId) -> Option<&Timer> {
        let timers = &self.order().cases.get(case)?.timers;
        timers.iter().find(|timer| timer.rule == *rule)
    }

    /// The earliest announcement until `now` that moves a running deadline.
    fn next_revision(&self, now: Instant) -> Option<Next> {
        let practice = self.rules.practice()?;
        if practice.announcements().is_empty() {
            return None;
        }
        let order = self.order();
        let mut first: Option<(Instant, &CaseId, &Timer, Instant)> = None;
        for (due, case, rule) in &order.agenda {
            let timer = rule.as_ref().and_then(|rule| self.timer(case, rule));
            let Some(timer) = timer else { continue };
            let known = practice.announcements().iter().filter(|at| **at <= now && *at <= due);
            for announced in known {
                let moved = told(practice, timer, *announced);
                if let Some(moved) = moved.filter(|moved| *moved > timer.due) {
                    let at = order.stream.last_at.map_or(*announced, |last| last.max(*announced));
                    let found = (at, case, timer, moved);
                    let earlier = first.is_none_or(|(before, case, timer, _)| {
                        (at, found.1, &found.2.rule) < (before, case, &timer.rule)
                    });
                    first = if earlier { Some(found) } else { first };
                    break;
                }
            }
        }
        let (at, case, timer, due) = first?;
        let (case, before) = (case.clone(), timer.due);
        Some(Next::Revise { at, case, timer: timer.rule.clone(), before, due })
    }

    fn cause_of(&self, case: &CaseId, rule: &RuleId) -> Cause {
        let set_by = self.timer(case, rule).map_or(0, |timer| timer.set_by);
        let command =
            CommandId::new(format!("timer-{set_by}")).unwrap_or(CommandId::fixed("timer"));
        Cause { command, digest: 0, timer: Some(rule.clone()) }
    }

    fn fire(&mut self, id: &CaseId, timer: &Timer) {
        let cause = self.cause_of(id, &timer.rule);
        let effects = self.effects(id, timer);
        let outcome = match effects {
            Some(_) => ExpiryOutcome::CarriedOut,
            None => ExpiryOutcome::Blocked,
        };
        let (case, rule, action) = (id.clone(), timer.rule.clone(), timer.action);
        let breached = EventFact::DeadlineBreached { case, timer: rule, action, outcome };
        let facts = core::iter::once(breached).chain(effects.unwrap_or_default());
        self.push(timer.due, &clock(), &cause, Draft::from(facts.collect::<Vec<_>>()));
    }

    /// The timers of a review act at their own instant, or when a hold or a dispute ends.
    fn let_review_act(&mut self, id: &CaseId, due: Instant) {
        let now = self.order().stream.last_at.map_or(due, |last| last.max(due));
        let context = Context { now, rules: self.rules };
        let envelope = timer_command();
        let order = self.order();
        let scene = Scene { order, context: &context, roster: self.roster, envelope: &envelope };
        let mut draft = Draft::default();
        let Some(case) = order.cases.get(id) else { return };
        scene.tick_review(&mut draft, case, due);
        let Some(review) = &case.review else { return };
        let command = CommandId::new(format!("timer-{}", review.moved_by));
        let command = command.unwrap_or(CommandId::fixed("timer"));
        let cause = Cause { command, digest: 0, timer: Some(review.terms.rule.clone()) };
        if draft.obstacles.is_empty() && !draft.facts.is_empty() {
            return self.push(now, &clock(), &cause, draft);
        }
        let rule = RuleRef::new(review.terms.rule.clone());
        for obstacle in &draft.obstacles {
            let said = Fact::Text(format!("{obstacle}"));
            self.findings.push(Finding::new(rule.clone(), Effect::Warns).about(id).observed(said));
        }
        self.idle.insert(id.clone());
    }

    /// What an expiry leads to; nothing when it is not possible.
    fn effects(&mut self, id: &CaseId, timer: &Timer) -> Option<Vec<EventFact>> {
        let mut trial = Trial {
            order: Cow::Borrowed(self.order()),
            rules: self.rules,
            roster: self.roster,
            id,
            now: timer.due,
            facts: Vec::new(),
            told: 0,
        };
        match timer.action {
            ExpiryAction::Report => {}
            ExpiryAction::Agree => {
                if !trial.permit()? {
                    return None;
                }
            }
            ExpiryAction::Close => trial.close()?,
            ExpiryAction::Escalate => {
                let note = format!("timer {}", timer.rule);
                trial.step(|scene, draft, case| scene.open_dispute(draft, case, &note))?;
            }
            ExpiryAction::Refund => {
                trial.permit()?;
                trial.accept_received()?;
                trial.refund()?;
                if trial.facts.is_empty() {
                    return None;
                }
            }
        }
        let facts = trial.facts;
        self.findings.push(
            Finding::new(RuleRef::new(timer.rule.clone()), Effect::Sets)
                .about(id)
                .observed(Fact::Instant(timer.due))
                .required(Fact::code(timer.action)),
        );
        Some(facts)
    }

    /// Stamps facts, and sets the timers of the stage that the case has come to.
    fn push(&mut self, at: Instant, actor: &Actor, cause: &Cause, mut draft: Draft) {
        self.findings.append(&mut draft.findings);
        let facts = core::mem::take(&mut draft.facts);
        let at = self.order().stream.last_at.map_or(at, |last| last.max(at));
        let id = facts.iter().find_map(|fact| fact.case().cloned());
        let part = facts.iter().find_map(|fact| match fact {
            EventFact::CaseSplit { into, .. } => Some(into.clone()),
            _ => None,
        });
        let before = id.as_ref().and_then(|id| self.order().cases.get(id)).and_then(stage);
        let from = self.events.len();
        for (place, fact) in facts.into_iter().enumerate() {
            self.stamp(at, &draft.author(place, actor), cause, fact);
        }
        // A part that was split off takes the running clocks along; it gets others for another stage.
        for id in id.into_iter().chain(part) {
            self.follow(&id, before, from, at, actor, cause);
        }
    }

    /// Moves and sets the clocks of a case after events from a place on.
    fn follow(
        &mut self,
        id: &CaseId,
        before: Option<Stage>,
        from: usize,
        at: Instant,
        actor: &Actor,
        cause: &Cause,
    ) {
        let new = self.events.get(from..).unwrap_or_default();
        let Some(case) = (match &self.live {
            Some(live) => live.cases.get(id).cloned(),
            None => preview(self.stored, id, new),
        }) else {
            return;
        };
        let released = new.iter().any(|event| matches!(event.fact, EventFact::HoldReleased { .. }));
        let amended = new.iter().any(|event| matches!(event.fact, EventFact::CaseAmended { .. }));
        let after = stage(&case);
        let mut clocks = Vec::new();
        if released {
            self.move_by_hold(&case, at, &mut clocks);
        }
        if (before != after || amended)
            && let Some(stage) = after
            && let Some(practice) = self.rules.practice()
        {
            self.set_timers(practice, &case, stage, at, &mut clocks);
        }
        for fact in clocks {
            self.stamp(at, actor, cause, fact);
        }
    }

    fn stamp(&mut self, at: Instant, actor: &Actor, cause: &Cause, fact: EventFact) {
        let before = u64::try_from(self.events.len()).unwrap_or(u64::MAX);
        let event = Event {
            sequence: self.stored.stream.next().saturating_add(before),
            at,
            actor: actor.clone(),
            cause: cause.clone(),
            rules_version: self.rules.version(),
            fact,
        };
        if let Some(live) = &mut self.live {
            live.evolve(&event);
        }
        self.events.push(event);
    }

    /// Time on hold does not count: the deadlines move when the hold ends.
    fn move_by_hold(&self, case: &ReturnCase, at: Instant, clocks: &mut Vec<EventFact>) {
        for timer in &case.timers {
            // Where the rules of now cannot tell, the hold moves the deadline by its own length.
            let told = self.rules.practice().and_then(|practice| told(practice, timer, at));
            let due = told.unwrap_or_else(|| after_last_hold(timer));
            if due != timer.due {
                let (case, rule, before) = (case.id.clone(), timer.rule.clone(), timer.due);
                clocks.push(EventFact::DeadlineRevised { case, timer: rule, before, due });
            }
        }
    }

    fn set_timers(
        &mut self,
        practice: &Practice,
        case: &ReturnCase,
        stage: Stage,
        at: Instant,
        clocks: &mut Vec<EventFact>,
    ) {
        let Some(asked) = practice.asked(stage) else { return };
        let asks = |name: &str| asked.contains(name);
        let facts = facts_asked(self.order(), practice.draft().currency, case, asks);
        for rule in practice.rules(stage, &facts) {
            match practice.due(&rule.id, rule.length, at, &[], at) {
                Ok(due) => clocks.push(EventFact::DeadlineSet {
                    case: case.id.clone(),
                    timer: rule.id.clone(),
                    stage,
                    action: rule.on_expiry,
                    length: rule.length,
                    due,
                }),
                // Past the end of the calendar nobody knows the deadline: say so, set none.
                Err(fault) => self.findings.push(
                    Finding::new(RuleRef::new(rule.id.clone()), Effect::Warns)
                        .about(&case.id)
                        .observed(Fact::Text(format!("{fault}"))),
                ),
            }
        }
    }

    /// Money before goods is for those to whom the practice grants it.
    fn grant(
        &self,
        context: &Context<'_>,
        envelope: &Envelope,
        draft: &Draft,
    ) -> Result<(), Refusal> {
        let (Command::OpenCase { case: id, resolution: Resolution::InstantRefund, .. }
        | Command::AmendCase { case: id, resolution: Resolution::InstantRefund, .. }) =
            &envelope.command
        else {
            return Ok(());
        };
        let Some(practice) = self.rules.practice() else { return Ok(()) };
        let scene = Scene { order: self.order(), context, roster: self.roster, envelope };
        let granted = scene.opened(draft, id).is_some_and(|case| {
            let currency = practice.draft().currency;
            practice.grants_instant_refund(&case_facts(self.order(), currency, &case))
        });
        if granted { Ok(()) } else { Err(Obstacle::NoInstantRefund.into()) }
    }
}

/// When a timer is due by what is known at a time, never earlier than it was; none where the practice
/// cannot tell.
fn told(practice: &Practice, timer: &Timer, known_at: Instant) -> Option<Instant> {
    let due = practice.due(&timer.rule, timer.length, timer.started_at, &timer.held, known_at);
    due.ok().map(|due| due.max(timer.due))
}

/// Without a practice that can tell, a hold moves the deadline by its own length.
fn after_last_hold(timer: &Timer) -> Instant {
    let Some(hold) = timer.held.last() else { return timer.due };
    let counted = Interval::new(hold.start().max(timer.started_at), hold.end());
    let seconds = counted.map_or(0, Interval::seconds);
    add_seconds(timer.due, seconds).unwrap_or(timer.due)
}

/// The command that a timer stands for.
fn timer_command() -> Envelope {
    let (id, actor) = (CommandId::fixed("timer"), clock());
    Envelope { id, expected_version: None, actor, command: Command::Tick }
}

/// Who acts when a timer does.
fn clock() -> Actor {
    Actor { id: ActorId::fixed("timer"), role: Role::System }
}
