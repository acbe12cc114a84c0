//! Definitions of which nothing more can be said: names used twice or not at all, impossible times.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::plain;
use crate::condition::Condition;
use crate::condition::schema::{FactType, Presence};
use crate::id::FactName;
use crate::money::currency::Currency;
use crate::workflow::RoleCode;
use crate::workflow::defect::{Defect, DefectCode, Place};
use crate::workflow::definition::{
    MAX_ARROWS, MAX_NAMES, MAX_PER_STATE, MAX_STATES, REQUESTER, REQUESTER_MANAGER, SCHEMA,
    StateDraft, StateKind, TimerAction, When, WorkflowDraft,
};
use crate::workflow::rule::{ApprovalRule, LIMIT_MAX, OnEmpty, RequesterRule, TimeoutAction};

pub(super) fn defects(draft: &WorkflowDraft) -> Vec<Defect> {
    let mut found = sizes(draft);
    if !found.is_empty() {
        return found;
    }
    let mut states = BTreeSet::new();
    for state in &draft.states {
        let at = || Place::State(state.id.clone());
        if !states.insert(&state.id) {
            found.push(plain(DefectCode::DuplicateId, at(), ""));
        }
        let mut timers = BTreeSet::new();
        for timer in &state.timers {
            let at = || Place::Timer(state.id.clone(), timer.id.clone());
            if !timers.insert(&timer.id) {
                found.push(plain(DefectCode::DuplicateId, at(), ""));
            }
            if !timer.after.is_usable() {
                let detail = alloc::format!("{}", timer.after);
                found.push(plain(DefectCode::BadDuration, at(), detail));
            }
        }
    }
    if !states.contains(&draft.initial) {
        let detail = alloc::format!("`{}` is not a state", draft.initial);
        found.push(plain(DefectCode::MissingInitial, Place::Definition, detail));
    }
    if !draft.states.iter().any(|state| matches!(state.kind, StateKind::Final { .. })) {
        found.push(plain(DefectCode::NoFinal, Place::Definition, ""));
    }
    let mut arrows = BTreeSet::new();
    for arrow in &draft.arrows {
        if !arrows.insert(&arrow.id) {
            found.push(plain(DefectCode::DuplicateId, Place::Arrow(arrow.id.clone()), ""));
        }
        for end in [&arrow.from, &arrow.to] {
            if !states.contains(end) {
                let at = Place::Arrow(arrow.id.clone());
                found.push(plain(DefectCode::Dangling, at, alloc::format!("`{end}`")));
            }
        }
    }
    for state in &draft.states {
        for timer in &state.timers {
            if let TimerAction::Leave { to } = &timer.then
                && !states.contains(to)
            {
                let at = Place::Timer(state.id.clone(), timer.id.clone());
                found.push(plain(DefectCode::Dangling, at, alloc::format!("`{to}`")));
            }
        }
        if let StateKind::Approval(rule) = &state.kind {
            found.extend(approval(draft, state, rule));
        }
    }
    found.extend(conditions(draft));
    found.extend(policy(draft));
    found
}

fn sizes(draft: &WorkflowDraft) -> Vec<Defect> {
    let mut found = Vec::new();
    let mut limit = |what: &str, count: usize, most: usize| {
        if count > most {
            let detail = alloc::format!("{count} {what}, at most {most} are allowed");
            found.push(plain(DefectCode::TooLarge, Place::Definition, detail));
        }
    };
    limit("states", draft.states.len(), MAX_STATES);
    limit("arrows", draft.arrows.len(), MAX_ARROWS);
    limit("facts", draft.facts.len(), MAX_NAMES);
    limit("guards", draft.guards.len(), MAX_NAMES);
    limit("roles", draft.roles.len(), MAX_NAMES);
    limit("constraints", draft.constraints.len(), MAX_NAMES);
    for state in &draft.states {
        limit("timers of one state", state.timers.len(), MAX_PER_STATE);
        if let StateKind::Approval(rule) = &state.kind {
            limit("groups of one approval", rule.groups.len(), MAX_PER_STATE);
            limit("timeouts of one approval", rule.timeouts.len(), MAX_PER_STATE);
            for group in &rule.groups {
                limit("roles of one group", group.roles.len(), MAX_PER_STATE);
            }
        }
    }
    if draft.schema != SCHEMA {
        let detail = alloc::format!("form {} is not known, form {SCHEMA} is", draft.schema);
        found.push(plain(DefectCode::TooLarge, Place::Definition, detail));
    }
    found
}

fn approval(draft: &WorkflowDraft, state: &StateDraft, rule: &ApprovalRule) -> Vec<Defect> {
    let mut found = Vec::new();
    let at = || Place::State(state.id.clone());
    if rule.groups.is_empty() || rule.groups.iter().any(|group| group.roles.is_empty()) {
        found.push(plain(DefectCode::ApprovalUnspecified, at(), ""));
    }
    for timeout in &rule.timeouts {
        let repeats = match timeout.then {
            TimeoutAction::Remind { times } => (1..=100).contains(&times),
            TimeoutAction::Approve
            | TimeoutAction::Reject
            | TimeoutAction::HandOver { .. }
            | TimeoutAction::SendBack => true,
        };
        if !timeout.after.is_usable() || !repeats {
            let detail = alloc::format!("{}", timeout.after);
            found.push(plain(DefectCode::BadDuration, at(), detail));
        }
    }
    for other in &rule.distinct_from {
        let known = draft
            .states
            .iter()
            .any(|state| state.id == *other && matches!(state.kind, StateKind::Approval(_)));
        if !known || *other == state.id {
            let detail = alloc::format!("`{other}` is not another approval");
            found.push(plain(DefectCode::Dangling, at(), detail));
        }
    }
    if draft.roles.is_empty() {
        return found;
    }
    for role in roles(rule) {
        let reserved = role.as_str() == REQUESTER || role.as_str() == REQUESTER_MANAGER;
        if !reserved && !draft.roles.contains_key(role) {
            let detail = alloc::format!("role `{role}` is not declared");
            found.push(plain(DefectCode::Dangling, at(), detail));
        }
    }
    found
}

/// Every role an approval names.
fn roles(rule: &ApprovalRule) -> impl Iterator<Item = &RoleCode> {
    let empty = match &rule.on_empty {
        OnEmpty::Assign { role } => Some(role),
        OnEmpty::Error | OnEmpty::Approve | OnEmpty::Reject => None,
    };
    let replaced = match &rule.requester {
        RequesterRule::Replace { role } => Some(role),
        RequesterRule::Allowed | RequesterRule::Excluded => None,
    };
    let handed = rule.timeouts.iter().filter_map(|timeout| match &timeout.then {
        TimeoutAction::HandOver { role } => Some(role),
        TimeoutAction::Remind { .. }
        | TimeoutAction::Approve
        | TimeoutAction::Reject
        | TimeoutAction::SendBack => None,
    });
    rule.groups
        .iter()
        .flat_map(|group| &group.roles)
        .chain(empty)
        .chain(replaced)
        .chain(handed)
        .chain(&rule.copies)
}

fn conditions(draft: &WorkflowDraft) -> Vec<Defect> {
    let schema = draft.schema_of_facts();
    let mut found = Vec::new();
    let mut check = |condition: &Condition, at: Place| {
        for fault in schema.faults(condition) {
            let detail = alloc::format!("{fault}");
            found.push(plain(DefectCode::UnknownGuard, at.clone(), detail));
        }
    };
    for (name, condition) in &draft.guards {
        check(condition, Place::Guard(name.clone()));
    }
    for constraint in &draft.constraints {
        check(constraint, Place::Definition);
    }
    for arrow in &draft.arrows {
        if let When::Condition(condition) = &arrow.when {
            check(condition, Place::Arrow(arrow.id.clone()));
        }
    }
    for arrow in &draft.arrows {
        if let When::Guard(name) = &arrow.when
            && !draft.guards.contains_key(name)
        {
            let at = Place::Arrow(arrow.id.clone());
            let detail = alloc::format!("guard `{name}` is not declared");
            found.push(plain(DefectCode::UnknownGuard, at, detail));
        }
    }
    found
}

fn policy(draft: &WorkflowDraft) -> Vec<Defect> {
    let mut found = Vec::new();
    let mut wrong = |at: Place, detail: alloc::string::String| {
        found.push(plain(DefectCode::BadPolicy, at, detail));
    };
    let policy = &draft.policy;
    for (name, value) in [
        ("transfers_max", policy.transfers_max),
        ("seats_max", policy.seats_max),
        ("rounds_max", policy.rounds_max),
        ("commands_kept", policy.commands_kept),
    ] {
        if !(1..=LIMIT_MAX).contains(&value) {
            let detail = alloc::format!("{name} is {value}, 1 to {LIMIT_MAX} is allowed");
            wrong(Place::Definition, detail);
        }
    }
    if !policy.commands_kept_for.is_usable() {
        wrong(Place::Definition, "commands_kept_for is not a usable time".into());
    }
    // The currency of a fact that is an amount and always there.
    let currency = |name: &FactName| -> Option<Currency> {
        let fact = draft.facts.get(name)?;
        match &fact.fact_type {
            FactType::Amount(currency) if fact.presence == Presence::Always => Some(*currency),
            _ => None,
        }
    };
    let amount = policy.amount.as_ref().map(|name| (name, currency(name)));
    if let Some((name, None)) = amount {
        let detail = alloc::format!("fact `{name}` is not an amount that every case has");
        wrong(Place::Definition, detail);
    }
    let amount = amount.and_then(|(_, currency)| currency);
    for state in &draft.states {
        let StateKind::Approval(rule) = &state.kind else { continue };
        let Some(small) = &rule.small else { continue };
        let at = || Place::State(state.id.clone());
        if amount != Some(small.at_most.currency()) {
            wrong(at(), alloc::format!("{} cannot be compared with the amount", small.at_most));
        }
        if let Some(running) = &small.running
            && currency(&running.fact) != Some(running.below.currency())
        {
            wrong(
                at(),
                alloc::format!("{} cannot be compared with `{}`", running.below, running.fact),
            );
        }
    }
    found
}
