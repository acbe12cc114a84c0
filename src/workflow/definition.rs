//! A workflow as data, before it is verified.
//!
//! Everything here deserializes from hostile text: unknown fields are refused and every list has a
//! limit. Whether the definition makes sense is decided by [`verify`](super::verify::verify).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::rule::{ApprovalRule, Policy};
use super::span::Span;
use super::{
    ArrowId, EventName, GuardName, OutcomeCode, PartyCode, RoleCode, StateId, TimerId, WorkflowId,
};
use crate::condition::Condition;
use crate::condition::schema::{FactDeclaration, FactType, Presence, Schema};
use crate::id::{ActorId, FactName};
use crate::label::{Label, codes};

/// The schema of definitions that this version of the crate writes and reads.
pub const SCHEMA: u32 = 1;
/// The most states.
pub const MAX_STATES: usize = 512;
/// The most arrows.
pub const MAX_ARROWS: usize = 4_096;
/// The most guards, facts, roles or constraints, each.
pub const MAX_NAMES: usize = 512;
/// The most timers of one state, groups of one approval, or timeouts of one approval.
pub const MAX_PER_STATE: usize = 32;
/// The event that leaves an approval that was given.
pub const APPROVED: &str = "approved";
/// The event that leaves an approval that was refused.
pub const REJECTED: &str = "rejected";
/// The reserved role whose only member is whoever asked.
pub const REQUESTER: &str = "requester";
/// The reserved role whose only member is the superior of whoever asked.
pub const REQUESTER_MANAGER: &str = "requester_manager";

/// A workflow definition as written.
///
/// ```
/// use aftersale::workflow::definition::WorkflowDraft;
/// use aftersale::workflow::verify::verify;
/// let draft: WorkflowDraft = serde_json::from_str(r#"{
///   "schema": 1, "id": "jacket_returns", "version": 1, "initial": "awaiting_jacket",
///   "states": [
///     {"id": "awaiting_jacket", "kind": {"wait": {"party": "customer"}},
///      "timers": [{"id": "not_sent", "after": {"elapsed": "P14D"}, "then": {"leave": {"to": "lapsed"}}}]},
///     {"id": "refunded", "kind": {"final": {"outcome": "refunded"}}},
///     {"id": "lapsed", "kind": {"final": {"outcome": "lapsed"}}}
///   ],
///   "arrows": [{"id": "received", "from": "awaiting_jacket", "on": "jacket_received", "to": "refunded"}]
/// }"#)?;
/// assert!(verify(&draft).is_ok());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkflowDraft {
    /// The form of the definition, [`SCHEMA`].
    pub schema: u32,
    /// The definition, the same in all versions.
    pub id: WorkflowId,
    /// The version, counted up by whoever publishes it.
    pub version: u32,
    /// What people call it.
    #[serde(default)]
    pub label: Label,
    /// Where a case starts.
    pub initial: StateId,
    /// The facts that guards may use.
    #[serde(default, deserialize_with = "few_names")]
    pub facts: BTreeMap<FactName, FactUse>,
    /// What always holds of the facts; a valuation that fails one of them never occurs.
    #[serde(default, deserialize_with = "few::<_, _, MAX_NAMES>")]
    pub constraints: Vec<Condition>,
    /// Conditions by name.
    #[serde(default, deserialize_with = "few_names")]
    pub guards: BTreeMap<GuardName, Condition>,
    /// Roles, with their members where the definition knows them.
    #[serde(default, deserialize_with = "few_names")]
    pub roles: BTreeMap<RoleCode, RoleUse>,
    /// The states.
    #[serde(deserialize_with = "few::<_, _, MAX_STATES>")]
    pub states: Vec<StateDraft>,
    /// The arrows between them.
    #[serde(deserialize_with = "few::<_, _, MAX_ARROWS>")]
    pub arrows: Vec<ArrowDraft>,
    /// Rules for the whole case.
    #[serde(default)]
    pub policy: Policy,
}

/// A fact and how the workflow may rely on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactUse {
    /// The type.
    #[serde(rename = "type")]
    pub fact_type: FactType,
    /// Whether every case has it.
    #[serde(default)]
    pub presence: Presence,
    /// Whether it may change while the case runs.
    #[serde(default)]
    pub stability: Stability,
    /// Whether approvals were given because of it.
    #[serde(default)]
    pub weight: Weight,
}

codes! {
    /// Whether a fact may change while a case runs.
    #[derive(Default)]
    pub enum Stability "stability" {
        /// It may have another value at each step.
        #[default]
        Volatile = "volatile", "may change", "可变";
        /// It is fixed when the case is submitted; only a declared change of facts, which starts the
        /// case again, can alter it.
        Frozen = "frozen", "fixed at submission", "提交后固定";
    }
}

codes! {
    /// Whether approvals depend on a fact.
    #[derive(Default)]
    pub enum Weight "weight" {
        /// Approvals stand when it changes.
        #[default]
        Plain = "plain", "plain", "普通";
        /// A change voids every approval.
        Material = "material", "material", "关键";
    }
}

/// A role that approvals name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleUse {
    /// What people call it.
    #[serde(default)]
    pub label: Label,
    /// The members, where the definition itself fixes them: then it is checked that approvals can be
    /// given at all. Without them the host's directory decides at run time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<BTreeSet<ActorId>>,
}

/// A state as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateDraft {
    /// The id.
    pub id: StateId,
    /// What people call it.
    #[serde(default)]
    pub label: Label,
    /// What it is.
    pub kind: StateKind,
    /// Its timers; they start when the case enters the state.
    #[serde(default, deserialize_with = "few::<_, _, MAX_PER_STATE>")]
    pub timers: Vec<TimerDraft>,
    /// Why a state that waits for somebody may wait without an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_timer_reason: Option<String>,
}

/// What a state is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StateKind {
    /// Somebody of a role has something to do.
    Task {
        /// The role.
        role: RoleCode,
    },
    /// People decide; left by `approved` and `rejected`.
    Approval(Box<ApprovalRule>),
    /// The case waits for a party outside.
    Wait {
        /// The party.
        party: PartyCode,
    },
    /// Left at once by its arrows without an event.
    Choice,
    /// The case is over.
    Final {
        /// How it ended.
        outcome: OutcomeCode,
    },
}

/// An arrow as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrowDraft {
    /// The id.
    pub id: ArrowId,
    /// The state it leaves.
    pub from: StateId,
    /// What moves the case along it; nothing for arrows out of a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<EventName>,
    /// The state it enters.
    pub to: StateId,
    /// When it may be taken.
    #[serde(default)]
    pub when: When,
    /// Among arrows that may all be taken, the lowest number wins if all of them have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// Who may fire it; anybody the host lets through when nothing is stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<RoleCode>,
}

/// When an arrow may be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// Always.
    #[default]
    Always,
    /// While a named condition holds.
    Guard(GuardName),
    /// While this condition holds.
    Condition(Condition),
    /// When no other arrow of the same state and event may be taken.
    Otherwise,
}

/// A timer as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimerDraft {
    /// The id, unique within the state.
    pub id: TimerId,
    /// How long after entering the state.
    pub after: Span,
    /// What happens then.
    pub then: TimerAction,
}

/// What a timer does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TimerAction {
    /// The case leaves the state.
    Leave {
        /// The state it enters.
        to: StateId,
    },
    /// Somebody is reminded; the case stays.
    Remind,
}

impl WorkflowDraft {
    /// The declared facts in the form that conditions are checked against.
    #[must_use]
    pub fn schema_of_facts(&self) -> Schema {
        self.facts
            .iter()
            .map(|(name, fact)| {
                let declaration =
                    FactDeclaration { fact_type: fact.fact_type.clone(), presence: fact.presence };
                (name.clone(), declaration)
            })
            .collect()
    }

    /// The condition of an arrow, if it has one that is declared.
    #[must_use]
    pub fn condition_of<'a>(&'a self, when: &'a When) -> Option<&'a Condition> {
        match when {
            When::Always | When::Otherwise => None,
            When::Guard(name) => self.guards.get(name),
            When::Condition(condition) => Some(condition),
        }
    }
}

impl StateKind {
    /// Whether a case may stand in the state between two decisions.
    #[must_use]
    pub const fn waits(&self) -> bool {
        match self {
            Self::Task { .. } | Self::Approval(_) | Self::Wait { .. } | Self::Final { .. } => true,
            Self::Choice => false,
        }
    }
}

/// Reads a list of at most `N` items.
pub(crate) fn few<'de, D, T, const N: usize>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Few<T, const N: usize>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Few<T, N> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {N} items")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                if list.len() >= N {
                    return Err(A::Error::custom(alloc::format!("more than {N} items")));
                }
                list.push(item);
            }
            Ok(list)
        }
    }
    from.deserialize_seq(Few::<T, N>(PhantomData))
}

/// Reads a map of at most [`MAX_NAMES`] entries; a name that occurs twice is refused.
fn few_names<'de, D, K, V>(from: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
{
    struct FewNames<K, V>(PhantomData<(K, V)>);
    impl<'de, K, V> Visitor<'de> for FewNames<K, V>
    where
        K: Deserialize<'de> + Ord + fmt::Display,
        V: Deserialize<'de>,
    {
        type Value = BTreeMap<K, V>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MAX_NAMES} named entries")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((name, value)) = items.next_entry::<K, V>()? {
                if map.len() >= MAX_NAMES {
                    return Err(A::Error::custom(alloc::format!("more than {MAX_NAMES} entries")));
                }
                if map.contains_key(&name) {
                    return Err(A::Error::custom(alloc::format!("`{name}` is given twice")));
                }
                map.insert(name, value);
            }
            Ok(map)
        }
    }
    from.deserialize_map(FewNames(PhantomData))
}
