//! What changed between two versions of a definition, in the terms of the definition.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::definition::WorkflowDraft;
use super::{ArrowId, RoleCode, StateId};
use crate::id::FactName;
use crate::label::codes;

codes! {
    /// What happened to a part.
    pub enum Fate "change" {
        /// Only the new version has it.
        Added = "added", "added", "新增";
        /// Only the old version has it.
        Removed = "removed", "removed", "删除";
        /// Both have it, with different content.
        Altered = "altered", "altered", "修改";
    }
}

/// A part of a definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The initial state.
    Initial,
    /// A state with its timers and its rule.
    State(StateId),
    /// An arrow with its condition, spelled out.
    Arrow(ArrowId),
    /// A fact.
    Fact(FactName),
    /// A role.
    Role(RoleCode),
    /// The constraints on facts.
    Constraints,
    /// The rules for the whole case.
    Policy,
    /// What people call the workflow.
    Label,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    /// Which part.
    pub part: Part,
    /// What happened to it.
    pub fate: Fate,
}

/// What differs between two versions. The order of lists and the names of guards do not matter: an
/// arrow is compared with its condition, not with the name of it.
#[must_use]
pub fn difference(old: &WorkflowDraft, new: &WorkflowDraft) -> Vec<Difference> {
    let mut found = Vec::new();
    let states = |draft: &'_ WorkflowDraft| -> BTreeMap<StateId, super::definition::StateDraft> {
        draft.states.iter().map(|state| (state.id.clone(), state.clone())).collect()
    };
    compare(&states(old), &states(new), Part::State, &mut found);
    let arrows = |draft: &WorkflowDraft| -> BTreeMap<ArrowId, _> {
        let spelled = draft.arrows.iter().map(|arrow| {
            let condition = draft.condition_of(&arrow.when).cloned();
            let otherwise = arrow.when == super::definition::When::Otherwise;
            let (from, on, to) = (arrow.from.clone(), arrow.on.clone(), arrow.to.clone());
            (
                arrow.id.clone(),
                (from, on, to, condition, otherwise, arrow.priority, arrow.by.clone()),
            )
        });
        spelled.collect()
    };
    compare(&arrows(old), &arrows(new), Part::Arrow, &mut found);
    compare(&old.facts, &new.facts, Part::Fact, &mut found);
    compare(&old.roles, &new.roles, Part::Role, &mut found);
    let mut altered = |part: Part, differs: bool| {
        if differs {
            found.push(Difference { part, fate: Fate::Altered });
        }
    };
    altered(Part::Initial, old.initial != new.initial);
    altered(Part::Constraints, old.constraints != new.constraints);
    altered(Part::Policy, old.policy != new.policy);
    altered(Part::Label, old.label != new.label);
    found.sort();
    found
}

fn compare<K: Ord + Clone, V: PartialEq>(
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    part: impl Fn(K) -> Part,
    found: &mut Vec<Difference>,
) {
    for (key, before) in old {
        match new.get(key) {
            None => found.push(Difference { part: part(key.clone()), fate: Fate::Removed }),
            Some(after) if after != before => {
                found.push(Difference { part: part(key.clone()), fate: Fate::Altered });
            }
            Some(_) => {}
        }
    }
    for key in new.keys().filter(|key| !old.contains_key(*key)) {
        found.push(Difference { part: part(key.clone()), fate: Fate::Added });
    }
}
