//! Verification of workflow definitions, against a slow and obvious checker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

use std::collections::{BTreeMap, BTreeSet};

use aftersale::condition::schema::{FactType, Presence};
use aftersale::condition::{Check, Condition, Facts, Truth};
use aftersale::explain::Fact;
use aftersale::id::{ActorId, FactName};
use aftersale::label::{Coded, Label};
use aftersale::number::Ratio;
use aftersale::workflow::defect::{Defect, DefectCode, Place, Taken};
use aftersale::workflow::definition::{
    ArrowDraft, FactUse, RoleUse, Stability, StateDraft, StateKind, TimerAction, TimerDraft,
    Weight, When, WorkflowDraft,
};
use aftersale::workflow::rule::{
    ApprovalRule, Group, Mode, OnEmpty, Policy, RejectRule, RequesterRule, SamePersonRule,
    SeatTimeout, TimeoutAction,
};
use aftersale::workflow::span::{Clock, Span};
use aftersale::workflow::verify::verify;
use aftersale::workflow::{
    ArrowId, EventName, OutcomeCode, PartyCode, RoleCode, StateId, TimerId, WorkflowId,
};

// ---------------------------------------------------------------- generator

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
    fn once_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }
}

fn state_id(n: u64) -> StateId {
    StateId::new(format!("s{n}")).unwrap()
}

fn fact(name: &str) -> FactName {
    FactName::new(name).unwrap()
}

fn is_flag(name: &str, value: bool) -> Condition {
    Condition::test(fact(name), Check::Is(Fact::Flag(value)))
}

fn guard(dice: &mut Dice, depth: u64) -> Condition {
    match dice.roll(if depth == 0 { 4 } else { 7 }) {
        0 => is_flag("recalled", dice.once_in(2)),
        1 => is_flag("opened", dice.once_in(2)),
        2 => Condition::test(fact("days"), Check::AtMost(Fact::Days(dice.roll(3) as i64))),
        3 => Condition::test(fact("days"), Check::Above(Fact::Days(dice.roll(3) as i64))),
        4 => Condition::Not(Box::new(guard(dice, depth - 1))),
        5 => Condition::All(vec![guard(dice, depth - 1), guard(dice, depth - 1)]),
        _ => Condition::Any(vec![guard(dice, depth - 1), guard(dice, depth - 1)]),
    }
}

fn rule(dice: &mut Dice) -> ApprovalRule {
    let role = |n: u64| {
        RoleCode::new(["qc", "finance", "nobody", "requester", "open"][n as usize]).unwrap()
    };
    let groups = (0..1 + dice.roll(2))
        .map(|_| Group { roles: (0..1 + dice.roll(2)).map(|_| role(dice.roll(5))).collect() })
        .collect();
    ApprovalRule {
        groups,
        mode: match dice.roll(8) {
            0 | 1 => Mode::Any,
            2 => Mode::All,
            3 => Mode::Sequence,
            4 => Mode::Count(dice.roll(4) as u32),
            5 => Mode::Ratio(Ratio::new(dice.roll(5) as i64, 3).unwrap()),
            6 => Mode::EachGroup(dice.roll(3) as u32),
            _ => Mode::Count(1),
        },
        reject: RejectRule::First,
        on_empty: match dice.roll(5) {
            0 => OnEmpty::Approve,
            1 => OnEmpty::Reject,
            2 => OnEmpty::Assign { role: role(dice.roll(5)) },
            _ => OnEmpty::Error,
        },
        requester: match dice.roll(4) {
            0 => RequesterRule::Allowed,
            1 => RequesterRule::Replace { role: role(dice.roll(5)) },
            _ => RequesterRule::Excluded,
        },
        distinct_from: BTreeSet::new(),
        small: None,
        timeouts: if dice.once_in(3) {
            let then = match dice.roll(4) {
                0 => TimeoutAction::Approve,
                1 => TimeoutAction::Reject,
                2 => TimeoutAction::SendBack,
                _ => TimeoutAction::Remind { times: 2 },
            };
            vec![SeatTimeout { after: Span::hours(dice.roll(9) as i64), then }]
        } else {
            vec![]
        },
        copies: BTreeSet::new(),
    }
}

/// A definition; most are unsound, about every tenth is sound. `spoil` adds malformed ones.
fn definition(dice: &mut Dice, spoil: bool) -> WorkflowDraft {
    let count = 2 + dice.roll(5);
    // Half of the definitions lead forward along a spine, so that sound ones occur too.
    let tidy = dice.once_in(2);
    let mut states = Vec::new();
    for n in 0..count {
        let last = n == count - 1;
        let kind = match dice.roll(9) {
            _ if last => StateKind::Final { outcome: OutcomeCode::new("done").unwrap() },
            0 if n > 0 => StateKind::Final { outcome: OutcomeCode::new("other").unwrap() },
            1 | 2 => StateKind::Choice,
            3 | 4 => StateKind::Approval(Box::new(rule(dice))),
            5 | 6 => StateKind::Wait { party: PartyCode::new("customer").unwrap() },
            _ => StateKind::Task { role: RoleCode::new("clerk").unwrap() },
        };
        let is_final = matches!(kind, StateKind::Final { .. });
        let mut timers = Vec::new();
        let bare = matches!(kind, StateKind::Choice) || is_final;
        let timer_count = if bare && (tidy || !dice.once_in(6)) { 0 } else { dice.roll(3) };
        for t in 0..timer_count {
            let clock = if dice.once_in(3) { Clock::Business } else { Clock::Elapsed };
            let then = if dice.once_in(3) {
                TimerAction::Remind
            } else {
                let to = if tidy { n + 1 + dice.roll(count - n) } else { dice.roll(count) };
                TimerAction::Leave { to: state_id(to.min(count - 1)) }
            };
            timers.push(TimerDraft {
                id: TimerId::new(format!("t{t}")).unwrap(),
                after: Span::new(clock, 3_600 * (1 + dice.roll(4) as i64)),
                then,
            });
        }
        states.push(StateDraft {
            id: state_id(n),
            label: Label::default(),
            kind,
            timers,
            no_timer_reason: (tidy || dice.once_in(2)).then(|| "the customer decides".into()),
        });
    }
    let mut arrows = Vec::new();
    for n in 0..count {
        let kind = states[n as usize].kind.clone();
        let (fan, events): (u64, &[Option<&str>]) = match &kind {
            StateKind::Final { .. } if tidy || !dice.once_in(8) => (0, &[]),
            StateKind::Choice => (2, &[None]),
            StateKind::Approval(_) => (2, &[Some("approved"), Some("rejected"), Some("cancel")]),
            _ => (1 + dice.roll(2), &[Some("go"), Some("cancel")]),
        };
        for k in 0..fan {
            let at = if tidy { k } else { dice.roll(events.len() as u64) };
            let on = events[at as usize % events.len()];
            let on = if dice.once_in(60) { Some("go") } else { on };
            let to = if tidy { n + 1 + dice.roll(count - n) } else { dice.roll(count) };
            let when = match dice.roll(6) {
                0 | 1 => When::Condition(guard(dice, 2)),
                2 if tidy && k == 1 => When::Otherwise,
                3 if matches!(kind, StateKind::Choice) => {
                    if k == 0 {
                        When::Condition(guard(dice, 2))
                    } else {
                        When::Otherwise
                    }
                }
                4 if dice.once_in(2) => When::Otherwise,
                _ => When::Always,
            };
            arrows.push(ArrowDraft {
                id: ArrowId::new(format!("a{}", arrows.len())).unwrap(),
                from: state_id(n),
                on: on.map(|on| EventName::new(on).unwrap()),
                to: state_id(to.min(count - 1)),
                when,
                priority: dice.once_in(4).then(|| dice.roll(3) as u32),
                by: None,
            });
        }
    }
    let stability = |dice: &mut Dice| {
        if dice.once_in(2) { Stability::Frozen } else { Stability::Volatile }
    };
    let presence =
        |dice: &mut Dice| if dice.once_in(8) { Presence::Optional } else { Presence::Always };
    let mut facts = BTreeMap::new();
    for (name, fact_type) in
        [("recalled", FactType::Flag), ("opened", FactType::Flag), ("days", FactType::Days)]
    {
        let (presence, stability) = (presence(dice), stability(dice));
        facts.insert(fact(name), FactUse { fact_type, presence, stability, weight: Weight::Plain });
    }
    let constraints = if dice.once_in(5) {
        (0..1 + dice.roll(3)).map(|_| guard(dice, 1)).collect()
    } else {
        vec![]
    };
    let members = |names: &[&str]| RoleUse {
        label: Label::default(),
        members: Some(names.iter().map(|n| ActorId::new(n).unwrap()).collect()),
    };
    let roles = [
        ("qc", members(&["li", "wang"])),
        ("finance", members(&["wang", "zhao"])),
        ("nobody", members(&[])),
        ("open", RoleUse::default()),
    ]
    .into_iter()
    .map(|(name, role)| (RoleCode::new(name).unwrap(), role))
    .collect();
    let same_person = if dice.once_in(6) { SamePersonRule::Adjacent } else { SamePersonRule::Off };
    let mut draft = WorkflowDraft {
        schema: 1,
        id: WorkflowId::new("generated").unwrap(),
        version: 1,
        label: Label::default(),
        initial: state_id(0),
        facts,
        constraints,
        guards: BTreeMap::new(),
        roles,
        states,
        arrows,
        policy: Policy { same_person, ..Policy::default() },
    };
    if spoil {
        spoil_one(dice, &mut draft);
    }
    draft
}

fn spoil_one(dice: &mut Dice, draft: &mut WorkflowDraft) {
    match dice.roll(7) {
        0 => draft.initial = state_id(99),
        1 => draft.states[0].id = draft.states[1].id.clone(),
        2 => {
            if let Some(arrow) = draft.arrows.first_mut() {
                arrow.to = state_id(77);
            }
        }
        3 => {
            if let Some(arrow) = draft.arrows.first_mut() {
                arrow.when = When::Guard(aftersale::workflow::GuardName::new("none").unwrap());
            }
        }
        4 => draft.states[0].timers.push(TimerDraft {
            id: TimerId::new("never").unwrap(),
            after: Span::hours(0),
            then: TimerAction::Remind,
        }),
        5 => draft.states.retain(|state| !matches!(state.kind, StateKind::Final { .. })),
        _ => {
            for state in &mut draft.states {
                if let StateKind::Approval(rule) = &mut state.kind {
                    rule.groups.clear();
                }
            }
        }
    }
}

// ---------------------------------------------------------------- the slow checker

type Found = BTreeMap<(DefectCode, Place), Option<usize>>;

fn values(draft: &WorkflowDraft, name: &str) -> Vec<Option<Fact>> {
    let mut values: Vec<Option<Fact>> = match name {
        "days" => (-1..=3).map(|day| Some(Fact::Days(day))).collect(),
        _ => vec![Some(Fact::Flag(false)), Some(Fact::Flag(true))],
    };
    if draft.facts[&fact(name)].presence == Presence::Optional {
        values.push(None);
    }
    values
}

const NAMES: [&str; 3] = ["recalled", "opened", "days"];

/// All values of the facts of one stability, whatever the guards mention.
fn worlds(draft: &WorkflowDraft, stability: Stability) -> Vec<Facts> {
    let mut worlds = vec![Facts::new()];
    for name in NAMES {
        if draft.facts[&fact(name)].stability != stability {
            continue;
        }
        let old = std::mem::take(&mut worlds);
        for facts in old {
            for value in values(draft, name) {
                let mut facts = facts.clone();
                if let Some(value) = value {
                    facts.set(fact(name), value);
                }
                worlds.push(facts);
            }
        }
    }
    worlds
}

fn join(a: &Facts, b: &Facts) -> Facts {
    a.iter().chain(b.iter()).map(|(n, f)| (n.clone(), f.clone())).collect()
}

fn allowed(draft: &WorkflowDraft, facts: &Facts) -> bool {
    draft.constraints.iter().all(|c| c.evaluate(facts) != Truth::Fails)
}

fn winners<'a>(
    draft: &'a WorkflowDraft,
    state: &StateDraft,
    on: Option<&str>,
    facts: &Facts,
) -> Vec<&'a ArrowDraft> {
    if matches!(state.kind, StateKind::Final { .. }) {
        return vec![];
    }
    let mine: Vec<_> = draft
        .arrows
        .iter()
        .filter(|a| a.from == state.id && a.on.as_ref().map(|on| on.as_str()) == on)
        .collect();
    let mut open: Vec<_> = mine
        .iter()
        .copied()
        .filter(|a| match &a.when {
            When::Always => true,
            When::Otherwise => false,
            When::Condition(c) => c.evaluate(facts).holds(),
            When::Guard(name) => draft.guards[name].evaluate(facts).holds(),
        })
        .collect();
    if open.is_empty() {
        open = mine.into_iter().filter(|a| a.when == When::Otherwise).collect();
    }
    if open.iter().all(|a| a.priority.is_some()) {
        let lowest = open.iter().map(|a| a.priority).min().flatten();
        open.retain(|a| a.priority == lowest);
    }
    open
}

fn events(draft: &WorkflowDraft, state: &StateDraft) -> Vec<Option<String>> {
    if matches!(state.kind, StateKind::Choice) {
        return vec![None];
    }
    let all: BTreeSet<Option<String>> = draft
        .arrows
        .iter()
        .filter(|a| a.from == state.id && a.on.is_some())
        .map(|a| a.on.as_ref().map(|on| on.as_str().to_owned()))
        .collect();
    all.into_iter().collect()
}

/// The leaving timers of a state of which one can be the first, by trying all delays that a calendar
/// could put on the business ones: a business hour takes 1 to 9 hours of elapsed time.
fn firing(state: &StateDraft) -> (Vec<usize>, bool) {
    let (mut fires, mut clash) = (BTreeSet::new(), false);
    if matches!(state.kind, StateKind::Choice | StateKind::Final { .. }) {
        return (vec![], false);
    }
    // Business time is stretched by a pause that starts after `open` business hours.
    for open in 0..=5_i64 {
        for pause in 0..=9_i64 {
            let due = |timer: &TimerDraft| {
                let hours = timer.after.seconds() / 3_600;
                match timer.after.clock() {
                    Clock::Elapsed => hours,
                    Clock::Business if hours > open => hours + pause,
                    Clock::Business => hours,
                }
            };
            let leaving: Vec<usize> = (0..state.timers.len())
                .filter(|&t| matches!(state.timers[t].then, TimerAction::Leave { .. }))
                .collect();
            let first = leaving.iter().map(|&t| due(&state.timers[t])).min();
            let at_first: Vec<usize> =
                leaving.iter().copied().filter(|&t| Some(due(&state.timers[t])) == first).collect();
            let targets: BTreeSet<_> =
                at_first.iter().map(|&t| format!("{:?}", state.timers[t].then)).collect();
            if targets.len() > 1 {
                clash = true;
                fires.extend(at_first);
            } else {
                // One target: where elapsed and business time meet, the elapsed one stands for both.
                let chosen = at_first
                    .iter()
                    .copied()
                    .min_by_key(|&t| (state.timers[t].after.clock() != Clock::Elapsed, t));
                fires.extend(chosen);
            }
            for t in 0..state.timers.len() {
                let remind = matches!(state.timers[t].then, TimerAction::Remind);
                if remind && first.is_none_or(|first| due(&state.timers[t]) < first) {
                    fires.insert(t);
                }
            }
        }
    }
    (fires.into_iter().collect(), clash)
}

fn people(draft: &WorkflowDraft, rule: &ApprovalRule, role: &str) -> Option<BTreeSet<String>> {
    let listed = |role: &str| -> Option<BTreeSet<String>> {
        let members = draft.roles.get(role)?.members.as_ref()?;
        Some(members.iter().map(|m| m.as_str().to_owned()).collect())
    };
    if role != "requester" {
        return listed(role);
    }
    match &rule.requester {
        RequesterRule::Excluded => Some(BTreeSet::new()),
        RequesterRule::Allowed => Some(["the requester".to_owned()].into()),
        RequesterRule::Replace { role } if role.as_str() == "requester" => Some(BTreeSet::new()),
        RequesterRule::Replace { role } => listed(role.as_str()),
    }
}

fn approval_defects(draft: &WorkflowDraft, rule: &ApprovalRule) -> Option<DefectCode> {
    let bad = match rule.mode {
        Mode::Count(k) | Mode::EachGroup(k) => k < 1,
        Mode::Ratio(r) => r.numerator() <= 0 || r.numerator() > r.denominator(),
        _ => false,
    };
    if bad {
        return Some(DefectCode::ApprovalBadThreshold);
    }
    let mut seen = BTreeSet::new();
    let mut sizes = vec![];
    for group in &rule.groups {
        let before = seen.len();
        for role in &group.roles {
            seen.extend(people(draft, rule, role.as_str())?);
        }
        sizes.push(seen.len() - before);
    }
    let n = seen.len();
    if n == 0 {
        return match &rule.on_empty {
            OnEmpty::Approve => Some(DefectCode::ApprovalVacuous),
            OnEmpty::Error => Some(DefectCode::ApprovalUnsatisfiable),
            OnEmpty::Reject => None,
            OnEmpty::Assign { role } => people(draft, rule, role.as_str())
                .filter(BTreeSet::is_empty)
                .map(|_| DefectCode::ApprovalUnsatisfiable),
        };
    }
    let short = match rule.mode {
        Mode::Count(k) => k as usize > n,
        Mode::EachGroup(k) => sizes.iter().any(|&size| size < k as usize),
        _ => false,
    };
    short.then_some(DefectCode::ApprovalUnsatisfiable)
}

fn alone(draft: &WorkflowDraft, state: &StateDraft, arrow: &ArrowDraft) -> bool {
    match (&state.kind, arrow.on.as_ref().map(|on| on.as_str())) {
        (StateKind::Choice, _) => true,
        (StateKind::Approval(rule), Some("approved")) => {
            rule.on_empty == OnEmpty::Approve
                || rule.small.is_some()
                || rule.timeouts.iter().any(|t| t.then == TimeoutAction::Approve)
                || draft.policy.same_person != SamePersonRule::Off
        }
        (StateKind::Approval(rule), Some("rejected")) => {
            rule.on_empty == OnEmpty::Reject
                || rule.timeouts.iter().any(|t| t.then == TimeoutAction::Reject)
        }
        _ => false,
    }
}

/// Everything wrong with a well-formed definition, each with the length of a shortest way to it.
fn slow(draft: &WorkflowDraft) -> Found {
    let mut found: Found = BTreeMap::new();
    let n = draft.states.len();
    let index = |id: &StateId| draft.states.iter().position(|s| s.id == *id).unwrap();
    let place = |s: usize| Place::State(draft.states[s].id.clone());
    let mut note = |code, at, depth: Option<usize>| {
        let entry = found.entry((code, at)).or_insert(depth);
        *entry = (*entry).min(depth);
    };
    for (s, state) in draft.states.iter().enumerate() {
        let leaves = state.timers.iter().any(|t| matches!(t.then, TimerAction::Leave { .. }));
        match &state.kind {
            StateKind::Final { .. } => {
                if !state.timers.is_empty() || draft.arrows.iter().any(|a| a.from == state.id) {
                    note(DefectCode::ImproperCompletion, place(s), None);
                }
            }
            StateKind::Wait { .. } if !leaves && state.no_timer_reason.is_none() => {
                note(DefectCode::MissingTimer, place(s), None);
            }
            StateKind::Approval(rule) => {
                let ends = rule.timeouts.iter().any(|t| {
                    matches!(
                        t.then,
                        TimeoutAction::Approve | TimeoutAction::Reject | TimeoutAction::SendBack
                    )
                });
                if !leaves && !ends && state.no_timer_reason.is_none() {
                    note(DefectCode::MissingTimer, place(s), None);
                }
                if let Some(code) = approval_defects(draft, rule) {
                    note(code, place(s), None);
                }
            }
            _ => {}
        }
    }
    let volatile = worlds(draft, Stability::Volatile);
    let mut any_world = false;
    let mut depth_anywhere = vec![usize::MAX; n];
    let mut won: BTreeSet<ArrowId> = BTreeSet::new();
    for fixed in worlds(draft, Stability::Frozen) {
        let all: Vec<Facts> = volatile
            .iter()
            .map(|v| join(&fixed, v))
            .filter(|facts| allowed(draft, facts))
            .collect();
        if all.is_empty() {
            continue;
        }
        any_world = true;
        // edges[s] = (target, arrow id, needs nobody)
        let mut edges: Vec<Vec<(usize, Option<ArrowId>, bool)>> = vec![vec![]; n];
        let mut local: Vec<Vec<DefectCode>> = vec![vec![]; n];
        for (s, state) in draft.states.iter().enumerate() {
            for facts in &all {
                for on in events(draft, state) {
                    let winners = winners(draft, state, on.as_deref(), facts);
                    if winners.len() > 1 {
                        local[s].push(DefectCode::Nondeterministic);
                    }
                    for a in winners {
                        edges[s].push((index(&a.to), Some(a.id.clone()), alone(draft, state, a)));
                    }
                }
                let none = |on| winners(draft, state, on, facts).is_empty();
                match state.kind {
                    StateKind::Choice if none(None) => local[s].push(DefectCode::NotTotal),
                    StateKind::Approval(_) if none(Some("approved")) || none(Some("rejected")) => {
                        local[s].push(DefectCode::ApprovalOutcomeUnhandled);
                    }
                    _ => {}
                }
            }
            let (fires, clash) = firing(state);
            if clash {
                local[s].push(DefectCode::Nondeterministic);
            }
            for t in fires {
                if let TimerAction::Leave { to } = &state.timers[t].then {
                    edges[s].push((index(to), None, true));
                }
            }
        }
        let closure = |keep: &dyn Fn(&(usize, Option<ArrowId>, bool)) -> bool| {
            let mut can = vec![vec![false; n]; n];
            for s in 0..n {
                for edge in edges[s].iter().filter(|e| keep(e)) {
                    can[s][edge.0] = true;
                }
            }
            for k in 0..n {
                for i in 0..n {
                    for j in 0..n {
                        can[i][j] |= can[i][k] && can[k][j];
                    }
                }
            }
            can
        };
        let (can, turn) = (closure(&|_| true), closure(&|edge| edge.2));
        let mut depth = vec![usize::MAX; n];
        depth[index(&draft.initial)] = 0;
        for _ in 0..n {
            for s in 0..n {
                for (to, ..) in &edges[s] {
                    depth[*to] = depth[*to].min(depth[s].saturating_add(1));
                }
            }
        }
        let is_final = |s: usize| matches!(draft.states[s].kind, StateKind::Final { .. });
        for s in (0..n).filter(|&s| depth[s] < usize::MAX) {
            depth_anywhere[s] = depth_anywhere[s].min(depth[s]);
            won.extend(edges[s].iter().filter_map(|e| e.1.clone()));
            for code in &local[s] {
                note(*code, place(s), Some(depth[s]));
            }
            if edges[s].is_empty() && !is_final(s) {
                note(DefectCode::DeadEnd, place(s), Some(depth[s]));
            }
            let follows: Vec<usize> = (0..n).filter(|&t| can[s][t]).collect();
            let trap = !follows.is_empty() && follows.iter().all(|&t| can[t][s] && !is_final(t));
            if trap {
                note(DefectCode::Livelock, place(s), Some(depth[s]));
            }
            if turn[s][s] {
                note(DefectCode::SystemCycle, place(s), Some(depth[s]));
            }
        }
    }
    if !any_world {
        note(DefectCode::ContradictoryGuards, Place::Definition, None);
        return found;
    }
    for s in 0..n {
        let state = &draft.states[s];
        if depth_anywhere[s] == usize::MAX {
            note(DefectCode::UnreachableState, place(s), None);
            continue;
        }
        if matches!(state.kind, StateKind::Final { .. }) {
            continue;
        }
        for a in draft.arrows.iter().filter(|a| a.from == state.id && !won.contains(&a.id)) {
            let at = Place::Arrow(a.id.clone());
            note(DefectCode::DeadTransition, at, Some(depth_anywhere[s]));
        }
        let (fires, _) = firing(state);
        for (t, timer) in state.timers.iter().enumerate() {
            if !fires.contains(&t) {
                let at = Place::Timer(state.id.clone(), timer.id.clone());
                note(DefectCode::DeadTransition, at, Some(depth_anywhere[s]));
            }
        }
    }
    found
}

const MALFORMED: [DefectCode; 9] = [
    DefectCode::DuplicateId,
    DefectCode::MissingInitial,
    DefectCode::NoFinal,
    DefectCode::Dangling,
    DefectCode::UnknownGuard,
    DefectCode::BadDuration,
    DefectCode::ApprovalUnspecified,
    DefectCode::BadPolicy,
    DefectCode::TooLarge,
];

fn as_found(defects: &[Defect]) -> Found {
    let mut found = Found::new();
    for defect in defects {
        let depth = defect.witness.as_ref().map(|w| w.path.len());
        found.insert((defect.code, defect.at.clone()), depth);
    }
    found
}

/// The codes of a malformed definition, by the simplest reading.
fn slow_malformed(draft: &WorkflowDraft) -> BTreeSet<DefectCode> {
    let mut codes = BTreeSet::new();
    let ids: Vec<_> = draft.states.iter().map(|s| &s.id).collect();
    let distinct: BTreeSet<_> = ids.iter().collect();
    if distinct.len() != ids.len() {
        codes.insert(DefectCode::DuplicateId);
    }
    if !ids.contains(&&draft.initial) {
        codes.insert(DefectCode::MissingInitial);
    }
    if !draft.states.iter().any(|s| matches!(s.kind, StateKind::Final { .. })) {
        codes.insert(DefectCode::NoFinal);
    }
    for arrow in &draft.arrows {
        if !ids.contains(&&arrow.from) || !ids.contains(&&arrow.to) {
            codes.insert(DefectCode::Dangling);
        }
        if let When::Guard(name) = &arrow.when
            && !draft.guards.contains_key(name)
        {
            codes.insert(DefectCode::UnknownGuard);
        }
    }
    for state in &draft.states {
        for timer in &state.timers {
            if timer.after.seconds() < 1 {
                codes.insert(DefectCode::BadDuration);
            }
            if let TimerAction::Leave { to } = &timer.then
                && !ids.contains(&to)
            {
                codes.insert(DefectCode::Dangling);
            }
        }
        if let StateKind::Approval(rule) = &state.kind {
            if rule.groups.is_empty() {
                codes.insert(DefectCode::ApprovalUnspecified);
            }
            if rule.timeouts.iter().any(|t| t.after.seconds() < 1) {
                codes.insert(DefectCode::BadDuration);
            }
        }
    }
    codes
}

/// Follows the witness in the unverified definition, step by step.
fn reproduces(draft: &WorkflowDraft, defect: &Defect) {
    let Some(witness) = &defect.witness else { return };
    let at = |id: &StateId| draft.states.iter().find(|s| s.id == *id).unwrap();
    let mut here = at(&draft.initial);
    let mut fixed = Facts::new();
    let mut keep = |facts: &Facts| {
        for (name, value) in facts.iter() {
            if draft.facts[name].stability == Stability::Frozen {
                assert!(fixed.get(name).is_none_or(|old| old == value), "a fixed fact changed");
                fixed.set(name.clone(), value.clone());
            }
        }
    };
    for step in &witness.path {
        assert_eq!(step.from, here.id);
        keep(&step.facts);
        match &step.by {
            Taken::Arrow(id) => {
                let arrow = draft.arrows.iter().find(|a| a.id == *id).unwrap();
                let on = arrow.on.as_ref().map(|on| on.as_str());
                let won = winners(draft, here, on, &step.facts);
                assert!(won.iter().any(|a| a.id == *id), "{id} does not win under {}", step.facts);
                assert_eq!(arrow.to, step.to);
            }
            Taken::Timer(id) => {
                let (fires, _) = firing(here);
                let timer = fires.iter().find(|&&t| here.timers[t].id == *id).unwrap();
                assert_eq!(here.timers[*timer].then, TimerAction::Leave { to: step.to.clone() });
            }
        }
        here = at(&step.to);
    }
    keep(&witness.facts);
    match defect.code {
        DefectCode::NotTotal => assert!(winners(draft, here, None, &witness.facts).is_empty()),
        DefectCode::ApprovalOutcomeUnhandled => {
            let none = |on| winners(draft, here, Some(on), &witness.facts).is_empty();
            assert!(none("approved") || none("rejected"));
        }
        DefectCode::Nondeterministic if !defect.detail.starts_with("timers") => {
            let two =
                |on: Option<String>| winners(draft, here, on.as_deref(), &witness.facts).len() > 1;
            assert!(events(draft, here).into_iter().any(two));
        }
        DefectCode::DeadEnd | DefectCode::Livelock | DefectCode::SystemCycle => {
            // The same definition with these facts as constraints has the same defect.
            let mut narrowed = draft.clone();
            for (name, value) in witness.facts.iter() {
                let check = Check::Is(value.clone());
                narrowed.constraints.push(Condition::test(name.clone(), check));
            }
            for (name, fact) in &draft.facts {
                let absent = fact.presence == Presence::Optional
                    && fact.stability == Stability::Frozen
                    && witness.facts.get(name).is_none();
                if absent && mentioned(draft, name) {
                    narrowed.constraints.push(Condition::test(name.clone(), Check::Known(false)));
                }
            }
            assert!(slow(&narrowed).contains_key(&(defect.code, defect.at.clone())));
        }
        _ => {}
    }
}

fn mentioned(draft: &WorkflowDraft, name: &FactName) -> bool {
    let guards = draft.arrows.iter().filter_map(|a| draft.condition_of(&a.when));
    guards.chain(&draft.constraints).flat_map(Condition::tests).any(|t| t.fact == *name)
}

/// WFL-40: verification agrees with a brute-force checker on generated definitions.
/// WFL-39: each defect has a shortest witness that reproduces it in the unverified definition.
#[test]
fn verification_agrees_with_a_slow_checker_on_twenty_thousand_definitions() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut seen: BTreeMap<DefectCode, usize> = BTreeMap::new();
    let mut sound = 0;
    for round in 0..20_500 {
        let draft = definition(&mut dice, round % 16 == 0);
        let ours = verify(&draft);
        let malformed = slow_malformed(&draft);
        let defects = ours.as_ref().err().map_or(&[][..], Vec::as_slice);
        for defect in defects {
            *seen.entry(defect.code).or_default() += 1;
        }
        if !malformed.is_empty() {
            let codes: BTreeSet<_> = defects.iter().map(|d| d.code).collect();
            assert_eq!(codes, malformed, "round {round}");
            continue;
        }
        let slow = slow(&draft);
        assert_eq!(
            as_found(defects),
            slow,
            "round {round}: {}",
            serde_json::to_string(&draft).unwrap()
        );
        sound += usize::from(slow.is_empty());
        // Following every witness is slow; every eighth definition suffices.
        if round % 8 == 1 {
            defects.iter().for_each(|defect| reproduces(&draft, defect));
        }
    }
    println!("{sound} sound; {seen:?}");
    assert!(sound > 1_000, "{sound} sound definitions");
    for code in DefectCode::ALL {
        let generated = !matches!(code, DefectCode::BadPolicy | DefectCode::TooLarge);
        assert!(!generated || seen.contains_key(code), "{code} never occurred");
    }
    assert!(MALFORMED.iter().all(|code| DefectCode::ALL.contains(code)));
}
