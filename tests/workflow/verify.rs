//! Verification of workflow definitions, against a slow and obvious checker.
#![allow(
    clippy::type_complexity,
    clippy::needless_range_loop,
    reason = "types of a test are read once"
)]

use std::collections::{BTreeMap, BTreeSet};

use crate::common::definitions::{Dice, definition, fact, guard};
use aftersale::condition::cells::{Cells, MAX_CELLS};
use aftersale::condition::schema::Presence;
use aftersale::condition::{Check, Condition, Facts, Truth};
use aftersale::explain::Fact;
use aftersale::id::{ActorId, FactName};
use aftersale::label::Coded;
use aftersale::time::Interval;
use aftersale::workflow::canonical::fingerprint;
use aftersale::workflow::defect::{Defect, DefectCode, Place, Taken};
use aftersale::workflow::definition::{
    ArrowDraft, Stability, StateDraft, StateKind, TimerAction, TimerDraft, When, WorkflowDraft,
};
use aftersale::workflow::hours::OpeningHours;
use aftersale::workflow::rule::{
    ApprovalRule, Mode, OnEmpty, RequesterRule, SamePersonRule, TimeoutAction,
};
use aftersale::workflow::span::Clock;
use aftersale::workflow::token::{expire, fire, start};
use aftersale::workflow::verify::{Verified, verify};
use aftersale::workflow::{ArrowId, EventName, OutcomeCode, RoleCode, StateId, TimerId};

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
        .filter(|a| {
            a.from == state.id && a.on.as_ref().map(aftersale::workflow::EventName::as_str) == on
        })
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
    match (&state.kind, arrow.on.as_ref().map(aftersale::workflow::EventName::as_str)) {
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
            StateKind::Final { .. }
                if (!state.timers.is_empty()
                    || draft.arrows.iter().any(|a| a.from == state.id)) =>
            {
                note(DefectCode::ImproperCompletion, place(s), None);
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
    if draft.schema != 1 || draft.constraints.len() > 512 {
        return [DefectCode::TooLarge].into();
    }
    let policy = &draft.policy;
    let days = policy.amount.as_ref().is_some_and(|name| name.as_str() == "days");
    if days || policy.seats_max == 0 || policy.rounds_max > 1_000 {
        codes.insert(DefectCode::BadPolicy);
    }
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
                let on = arrow.on.as_ref().map(aftersale::workflow::EventName::as_str);
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

/// How many definitions the slow checker reads; more with the variable `DEFINITIONS`.
fn rounds(usual: u64) -> u64 {
    let more = std::env::var("DEFINITIONS").ok().and_then(|text| text.parse().ok());
    more.unwrap_or(usual)
}

/// WFL-40: verification agrees with a brute-force checker on generated definitions.
/// WFL-39: each defect has a shortest witness that reproduces it in the unverified definition.
#[test]
fn verification_agrees_with_a_slow_checker_on_twenty_thousand_definitions() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut seen: BTreeMap<DefectCode, usize> = BTreeMap::new();
    let (mut sound, mut malformed_ones, mut followed) = (0, 0, 0);
    let rounds = rounds(20_500);
    for round in 0..rounds {
        let draft = definition(&mut dice, round % 12 == 0);
        let ours = verify(&draft);
        let malformed = slow_malformed(&draft);
        let defects = ours.as_ref().err().map_or(&[][..], Vec::as_slice);
        for code in defects.iter().map(|d| d.code).collect::<BTreeSet<_>>() {
            *seen.entry(code).or_default() += 1;
        }
        if !malformed.is_empty() {
            let codes: BTreeSet<_> = defects.iter().map(|d| d.code).collect();
            assert_eq!(codes, malformed, "round {round}");
            malformed_ones += 1;
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
        // Following a witness through the slow checker is slow: those of every twelfth definition, and
        // the first hundred of every code; all of them where more definitions are asked for.
        for defect in defects {
            if rounds > 20_500 || round % 12 == 1 || seen[&defect.code] <= 100 {
                reproduces(&draft, defect);
                followed += 1;
            }
        }
    }
    println!("{rounds} definitions: {sound} sound, {malformed_ones} malformed, the others unsound");
    println!("{followed} witnesses followed; definitions with each defect:");
    for (code, count) in &seen {
        println!("  {count:>6} {code}");
    }
    assert!(sound > 1_000, "{sound} sound definitions");
    for code in DefectCode::ALL {
        assert!(seen.get(code).is_some_and(|count| *count >= 50), "{code} is rare: {seen:?}");
    }
}

// ---------------------------------------------------------------- the same definition in other words

fn reversed(text: &str) -> String {
    format!("n{}", text.chars().rev().collect::<String>())
}

/// The same definition with other names for states, arrows, timers, events and people, and with its
/// states and arrows in another order.
fn renamed(draft: &WorkflowDraft) -> WorkflowDraft {
    let mut new = draft.clone();
    let state = |id: &StateId| StateId::new(reversed(id.as_str())).unwrap();
    let event = |on: &EventName| match on.as_str() {
        "approved" | "rejected" => on.clone(),
        other => EventName::new(reversed(other)).unwrap(),
    };
    new.initial = state(&draft.initial);
    for drawn in &mut new.states {
        drawn.id = state(&drawn.id);
        for timer in &mut drawn.timers {
            timer.id = TimerId::new(reversed(timer.id.as_str())).unwrap();
            if let TimerAction::Leave { to } = &mut timer.then {
                *to = state(to);
            }
        }
        if let StateKind::Approval(rule) = &mut drawn.kind {
            rule.distinct_from = rule.distinct_from.iter().map(state).collect();
        }
    }
    for arrow in &mut new.arrows {
        arrow.id = ArrowId::new(reversed(arrow.id.as_str())).unwrap();
        arrow.from = state(&arrow.from);
        arrow.to = state(&arrow.to);
        arrow.on = arrow.on.as_ref().map(event);
    }
    for role in new.roles.values_mut() {
        let members = role.members.take();
        role.members = members.map(|members| {
            members.iter().map(|m| ActorId::new(reversed(m.as_str())).unwrap()).collect()
        });
    }
    new.states.reverse();
    new.arrows.reverse();
    new
}

/// WFL-42: an unreachable state more, or other names, change no other verdict.
#[test]
fn other_names_and_unreachable_states_change_no_verdict() {
    let mut dice = Dice(0x0123_4567_89ab_cdef);
    let mut unsound = 0;
    for _ in 0..rounds(1_500) {
        let draft = definition(&mut dice, false);
        if !slow_malformed(&draft).is_empty() {
            continue;
        }
        let found = as_found(&verify(&draft).err().unwrap_or_default());
        unsound += usize::from(!found.is_empty());
        let place = |at: &Place| match at {
            Place::State(id) => Place::State(StateId::new(reversed(id.as_str())).unwrap()),
            Place::Arrow(id) => Place::Arrow(ArrowId::new(reversed(id.as_str())).unwrap()),
            Place::Timer(state, id) => Place::Timer(
                StateId::new(reversed(state.as_str())).unwrap(),
                TimerId::new(reversed(id.as_str())).unwrap(),
            ),
            Place::Definition | Place::Guard(_) => at.clone(),
        };
        let expected: BTreeMap<_, _> =
            found.iter().map(|((code, at), depth)| ((*code, place(at)), *depth)).collect();
        let new = verify(&renamed(&draft)).err().unwrap_or_default();
        // Of two timers that end one state alike, the first one written stands.
        let twin = |at: &Place| matches!(at, Place::Timer(..));
        let without_twins = |found: Found| -> Found {
            found.into_iter().filter(|((_, at), _)| !twin(at)).collect()
        };
        assert_eq!(without_twins(as_found(&new)), without_twins(expected));

        let mut more = draft.clone();
        let island = StateId::new("island").unwrap();
        let kind = match dice.roll(3) {
            0 => StateKind::Task { role: RoleCode::new("clerk").unwrap() },
            1 => StateKind::Final { outcome: OutcomeCode::new("done").unwrap() },
            _ => StateKind::Choice,
        };
        if !matches!(kind, StateKind::Final { .. }) {
            // It leads into the definition, or round to itself: both ways nobody gets there.
            for (n, guarded) in [(0, true), (1, false)] {
                let to = if dice.once_in(3) { island.clone() } else { draft.initial.clone() };
                let when =
                    if guarded { When::Condition(guard(&mut dice, 1)) } else { When::Otherwise };
                let on =
                    (!matches!(kind, StateKind::Choice)).then(|| EventName::new("go").unwrap());
                let id = ArrowId::new(format!("from_island_{n}")).unwrap();
                let (from, priority, by) = (island.clone(), None, None);
                more.arrows.push(ArrowDraft { id, from, on, to, when, priority, by });
            }
        }
        let place = dice.roll(more.states.len() as u64 + 1) as usize;
        let (label, timers) = (Default::default(), vec![]);
        let state = StateDraft { id: island.clone(), label, kind, timers, no_timer_reason: None };
        more.states.insert(place, state);
        let mut with_island = as_found(&verify(&more).err().unwrap_or_default());
        if !found.contains_key(&(DefectCode::ContradictoryGuards, Place::Definition)) {
            let lost = with_island.remove(&(DefectCode::UnreachableState, Place::State(island)));
            assert_eq!(lost, Some(None), "{found:?} {with_island:?}");
        }
        assert_eq!(with_island, found);
    }
    assert!(unsound > 500);
}

// ---------------------------------------------------------------- walks, conditions, storage

/// The verified ones among many definitions.
fn sound(seed: u64, rounds: u64) -> Vec<Verified> {
    let mut dice = Dice(seed);
    (0..rounds).filter_map(|_| verify(&definition(&mut dice, false)).ok()).collect()
}

/// The facts of a world that differ only in what may change from `fixed`.
fn facts_now(draft: &WorkflowDraft, fixed: &Facts, dice: &mut Dice) -> Facts {
    loop {
        let volatile = worlds(draft, Stability::Volatile);
        let facts = join(fixed, &volatile[dice.roll(volatile.len() as u64) as usize]);
        if allowed(draft, &facts) {
            return facts;
        }
    }
}

/// WFL-38: random walks in verified definitions always keep a way to a final state, and end with
/// nothing open.
#[test]
fn walks_in_generated_definitions_always_keep_a_way_to_the_end() {
    let always = Interval::new(
        "2026-01-01T00:00:00Z".parse().unwrap(),
        "2226-01-01T00:00:00Z".parse().unwrap(),
    );
    let hours = OpeningHours::new([always.unwrap()]);
    let mut dice = Dice(0xfeed_5eed);
    let (mut walks, mut ended) = (0, 0);
    let mut longest = 0;
    for verified in sound(0x5eed_1234_5678, rounds(1_500)) {
        let (workflow, draft) = (&verified.workflow, verified.workflow.draft());
        let mut fixed: Vec<Facts> = worlds(draft, Stability::Frozen);
        fixed.retain(|fixed| {
            let volatile = worlds(draft, Stability::Volatile);
            volatile.iter().any(|facts| allowed(draft, &join(fixed, facts)))
        });
        for _ in 0..4 {
            let fixed = &fixed[dice.roll(fixed.len() as u64) as usize];
            let all: Vec<Facts> = worlds(draft, Stability::Volatile)
                .iter()
                .map(|facts| join(fixed, facts))
                .filter(|facts| allowed(draft, facts))
                .collect();
            let mut now = "2026-03-02T10:00:00Z".parse().unwrap();
            let facts = facts_now(draft, fixed, &mut dice);
            let mut token = start(workflow, &facts, &hours, now).unwrap().to;
            let most = if dice.once_in(2) { dice.roll(5) } else { 200 };
            let mut steps = 0;
            while token.outcome.is_none() && steps < most {
                steps += 1;
                let facts = facts_now(draft, fixed, &mut dice);
                let events: Vec<EventName> = workflow.events_of(&token.state).cloned().collect();
                let leaving = token.timers.iter().filter(|t| t.leaves).min_by_key(|t| t.due);
                let moved = match (leaving.cloned(), events.is_empty() || dice.once_in(4)) {
                    (Some(timer), true) => {
                        now = timer.due;
                        expire(workflow, &token, &timer.timer, &facts, &hours, now)
                    }
                    (None, true) if events.is_empty() => panic!("{} has no way out", token.state),
                    _ => {
                        let event = &events[dice.roll(events.len() as u64) as usize];
                        fire(workflow, &token, event, &facts, &hours, now)
                    }
                };
                let Ok(moved) = moved else { continue };
                token = moved.to;
            }
            longest = longest.max(steps);
            walks += 1;
            if token.outcome.is_some() {
                ended += 1;
                assert!(token.timers.is_empty(), "a timer runs after the end");
                continue;
            }
            // From here some happening leads to some end, whatever is fixed.
            let mut hopeful = BTreeSet::from([token.state.clone()]);
            let mut open = vec![token.state.clone()];
            let mut end = false;
            while let Some(id) = open.pop() {
                let state = workflow.find(&id).unwrap();
                end |= matches!(state.kind, StateKind::Final { .. });
                let arrows = all.iter().flat_map(|facts| {
                    let events = events(draft, state).into_iter();
                    events.flat_map(move |on| winners(draft, state, on.as_deref(), facts))
                });
                let mut next: Vec<StateId> = arrows.map(|arrow| arrow.to.clone()).collect();
                for timer in &state.timers {
                    if let TimerAction::Leave { to } = &timer.then {
                        next.push(to.clone());
                    }
                }
                for to in next {
                    if hopeful.insert(to.clone()) {
                        open.push(to);
                    }
                }
            }
            assert!(end, "{} leads to no end", token.state);
        }
    }
    assert!(ended > 500 && walks > ended + 200 && longest > 10, "{walks} {ended} {longest}");
}

/// WFL-41: a condition has the same truth for facts and for the representative of their cell.
#[test]
fn any_facts_and_their_cell_agree() {
    let mut dice = Dice(0xce11);
    for _ in 0..400 {
        let draft = definition(&mut dice, false);
        let conditions: Vec<Condition> =
            (0..1 + dice.roll(4)).map(|_| guard(&mut dice, 2)).collect();
        let cells = Cells::of(&draft.schema_of_facts(), &conditions, MAX_CELLS).unwrap();
        let signature =
            |facts: &Facts| conditions.iter().map(|c| c.evaluate(facts)).collect::<Vec<_>>();
        let met: BTreeSet<_> = cells.iter().map(|facts| signature(&facts)).collect();
        let mut real = BTreeSet::new();
        for fixed in worlds(&draft, Stability::Frozen) {
            for volatile in worlds(&draft, Stability::Volatile) {
                real.insert(signature(&join(&fixed, &volatile)));
            }
        }
        // Every real case is in some cell, and every cell is of some real case.
        assert_eq!(met, real);
    }
}

/// Puts an unknown key into every object of a value in turn.
fn spoilt(value: &serde_json::Value) -> Vec<serde_json::Value> {
    let mut all = vec![];
    match value {
        serde_json::Value::Object(fields) => {
            let mut more = fields.clone();
            more.insert("colour".into(), 1.into());
            all.push(more.into());
            for (key, inner) in fields {
                for inner in spoilt(inner) {
                    let mut new = fields.clone();
                    new.insert(key.clone(), inner);
                    all.push(new.into());
                }
            }
        }
        serde_json::Value::Array(items) => {
            for (place, inner) in items.iter().enumerate() {
                for inner in spoilt(inner) {
                    let mut new = items.clone();
                    new[place] = inner;
                    all.push(new.into());
                }
            }
        }
        _ => {}
    }
    all
}

/// WFL-43: definitions survive being stored, with the same fingerprint; an unknown field anywhere is
/// refused.
#[test]
fn any_definition_survives_being_stored() {
    let mut dice = Dice(0x5707e);
    for round in 0..400 {
        let draft = definition(&mut dice, round % 4 == 0);
        if draft.constraints.len() > 512 {
            continue;
        }
        let text = serde_json::to_string(&draft).unwrap();
        let read: WorkflowDraft = serde_json::from_str(&text).unwrap();
        assert_eq!(read, draft);
        assert_eq!(fingerprint(&read), fingerprint(&draft));
        if round % 8 == 0 {
            for spoilt in spoilt(&serde_json::to_value(&draft).unwrap()) {
                assert!(
                    serde_json::from_value::<WorkflowDraft>(spoilt.clone()).is_err(),
                    "{spoilt}"
                );
            }
        }
    }
}
