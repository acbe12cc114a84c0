//! Rules of dispatch as data: which cases need whom, and how one of several is chosen.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::condition::schema::{ConditionFault, Schema};
use crate::explain::RuleRef;
use crate::id::{FactName, RuleId, text_ids};
use crate::label::codes;

text_ids! {
    /// Something an agent can do, such as `electronics` or `refund_over_1000`.
    SkillId = "skill id";
    /// A language an agent speaks, such as `zh` or `en`.
    LanguageId = "language id";
}

/// The most rules of a book.
pub const MAX_RULES: usize = 1_000;

/// What a host writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DispatchDraft {
    /// The version, shown in findings.
    #[serde(default = "first_version")]
    pub version: u32,
    /// The rules in order; the first whose condition holds decides.
    pub rules: Vec<DispatchRule>,
}

fn first_version() -> u32 {
    1
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DispatchRule {
    /// The stable name.
    pub id: RuleId,
    /// Which cases: by reason, amount, customer tier, channel, category, or any other fact.
    #[serde(default = "always")]
    pub when: Condition,
    /// What the agent must be able to do.
    #[serde(default)]
    pub skills: BTreeSet<SkillId>,
    /// The fact that holds the language of the case; the agent must speak it. A case without the fact
    /// needs no language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<FactName>,
    /// The lowest tier that may have the case: complex cases go to senior staff.
    #[serde(default)]
    pub tier_min: u8,
    /// Which tier is asked first among those that may.
    #[serde(default = "lowest_first")]
    pub tier_order: TierOrder,
    /// How one of several is chosen.
    #[serde(default = "least_loaded")]
    pub strategy: Strategy,
    /// Whether the agent who had the case, or the customer, before is asked first.
    #[serde(default = "owner_first")]
    pub owner: OwnerRule,
    /// How much of an agent's capacity the case takes.
    #[serde(default = "one")]
    pub effort: u32,
    /// What happens when nobody can take it.
    #[serde(default = "wait")]
    pub nobody: Nobody,
}

fn always() -> Condition {
    Condition::Always
}
fn lowest_first() -> TierOrder {
    TierOrder::LowestFirst
}
fn least_loaded() -> Strategy {
    Strategy::LeastLoaded
}
fn owner_first() -> OwnerRule {
    OwnerRule::First
}
fn one() -> u32 {
    1
}
fn wait() -> Nobody {
    Nobody::Wait
}

codes! {
    /// How one of several agents is chosen. Ties are settled by the longest time without a new case,
    /// then by id.
    pub enum Strategy "dispatch strategy" {
        /// Whoever has waited longest for a new case.
        RoundRobin = "round_robin", "Round robin", "轮询";
        /// Whoever has the smallest share of the capacity in use.
        LeastLoaded = "least_loaded", "Least loaded", "最少负载";
        /// Whoever has the fewest cases so far for the weight.
        Weighted = "weighted", "Weighted", "加权";
    }
}

codes! {
    /// Which tier is asked first.
    pub enum TierOrder "tier order" {
        /// The lowest that may, so that senior staff stay free.
        LowestFirst = "lowest_first", "Lowest tier first", "先低级别";
        /// The highest.
        HighestFirst = "highest_first", "Highest tier first", "先高级别";
        /// All tiers alike.
        Any = "any", "Any tier", "不分级别";
    }
}

codes! {
    /// Whether the earlier owner is asked first.
    pub enum OwnerRule "owner rule" {
        /// If the owner may and can take it.
        First = "first", "Owner first", "优先原负责人";
        /// The owner is one of all.
        Ignored = "ignored", "Owner ignored", "不考虑原负责人";
    }
}

codes! {
    /// What happens when nobody can take a case.
    pub enum Nobody "nobody rule" {
        /// It waits.
        Wait = "wait", "Wait", "等待";
        /// The next rule that holds is tried.
        NextRule = "next_rule", "Try the next rule", "尝试下一规则";
    }
}

/// Verified rules.
///
/// ```
/// use aftersale::condition::schema::{FactType, Schema};
/// use aftersale::dispatch::rules::DispatchBook;
/// use aftersale::id::FactName;
/// let schema = Schema::new().with(FactName::new("reason")?, FactType::Code(Default::default()));
/// let book = DispatchBook::verify(
///     serde_json::from_str(
///         r#"{"rules":[
///             {"id":"safety","when":{"test":{"fact":"reason","is":{"type":"code","value":"overheats"}}},
///              "skills":["electronics"],"tier_min":3},
///             {"id":"everything_else"}]}"#,
///     )?,
///     &schema,
/// )
/// .map_err(|defects| format!("{defects:?}"))?;
/// assert_eq!(book.rules().len(), 2);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DispatchBook(DispatchDraft);

/// What is wrong with a draft.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchDefect {
    /// A condition cannot be used.
    #[error("rule `{rule}`: {fault}")]
    Condition {
        /// The rule.
        rule: RuleId,
        /// What is wrong.
        fault: ConditionFault,
    },
    /// The fact that should hold the language is not declared.
    #[error("rule `{rule}`: fact `{fact}` is not declared")]
    UnknownLanguageFact {
        /// The rule.
        rule: RuleId,
        /// The fact.
        fact: FactName,
    },
    /// A rule has the name of another, or stands behind one that always decides.
    #[error("rule `{rule}` can never be reached")]
    UnreachableRule {
        /// The rule.
        rule: RuleId,
    },
    /// There are too many rules.
    #[error("there are {count} rules, at most {MAX_RULES} are allowed")]
    TooMany {
        /// How many were found.
        count: usize,
    },
}

impl DispatchBook {
    /// Verifies a draft against the facts that conditions may use.
    ///
    /// # Errors
    ///
    /// All defects, in the order of the rules.
    pub fn verify(draft: DispatchDraft, schema: &Schema) -> Result<Self, Vec<DispatchDefect>> {
        if draft.rules.len() > MAX_RULES {
            return Err(alloc::vec![DispatchDefect::TooMany { count: draft.rules.len() }]);
        }
        let mut defects = Vec::new();
        let mut names = BTreeSet::new();
        let mut is_closed = false;
        for rule in &draft.rules {
            let id = || rule.id.clone();
            let faults = schema.faults(&rule.when).into_iter();
            defects.extend(faults.map(|fault| DispatchDefect::Condition { rule: id(), fault }));
            if let Some(fact) = rule.language.clone().filter(|fact| schema.get(fact).is_none()) {
                defects.push(DispatchDefect::UnknownLanguageFact { rule: id(), fact });
            }
            if !names.insert(&rule.id) || is_closed {
                defects.push(DispatchDefect::UnreachableRule { rule: id() });
            }
            is_closed |= rule.when == Condition::Always && rule.nobody == Nobody::Wait;
        }
        if defects.is_empty() { Ok(Self(draft)) } else { Err(defects) }
    }

    /// The rules in order.
    #[must_use]
    pub fn rules(&self) -> &[DispatchRule] {
        &self.0.rules
    }

    pub(crate) fn reference(&self, rule: &DispatchRule) -> RuleRef {
        RuleRef { version: self.0.version, ..RuleRef::new(rule.id.clone()) }
    }
}
