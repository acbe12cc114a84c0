//! What the policies say about one line: rights given, rights refused, rights not decided yet.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::deadline::Timing;
use super::period::Anchor;
use super::terms::{
    Basis, Certainty, Deduction, OutboundFreight, RefundMeans, Remedy, RestockingFee, Withhold,
};
use crate::explain::{Finding, RuleRef};
use crate::id::{FactName, PolicyId};
use crate::label::codes;
use crate::money::Money;
use crate::quantity::Unit;
use crate::reason::attribute::FreightPayer;

/// The answer of all policies to one request: every rule of the set is in exactly one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// What the customer may have, the most favorable first. Laws add up: each stands on its own.
    pub entitlements: Vec<Entitlement>,
    /// What the customer asked for and may not have on this basis, and why.
    pub refused: Vec<Refused>,
    /// What cannot be said before somebody supplies a fact.
    pub undecided: Vec<Undecided>,
}

impl Verdict {
    /// Whether there is any right at all.
    #[must_use]
    pub fn is_entitled(&self) -> bool {
        !self.entitlements.is_empty()
    }

    /// The most favorable right: that to a refund before others, then the one that depends on
    /// nothing more, gives more remedies, costs the customer less and lasts longer.
    #[must_use]
    pub fn best(&self) -> Option<&Entitlement> {
        self.entitlements.first()
    }

    /// The most favorable right to one remedy.
    #[must_use]
    pub fn best_for(&self, remedy: Remedy) -> Option<&Entitlement> {
        self.entitlements.iter().find(|right| right.remedies.contains(&remedy))
    }

    /// Everything the customer may ask for on any basis.
    #[must_use]
    pub fn remedies(&self) -> BTreeSet<Remedy> {
        self.entitlements.iter().flat_map(|right| right.remedies.iter().copied()).collect()
    }
}

/// A right, with its terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entitlement {
    /// The policy.
    pub policy: PolicyId,
    /// The rule, with its article.
    pub rule: RuleRef,
    /// On what it rests.
    pub basis: Basis,
    /// How well the source is known.
    pub certainty: Certainty,
    /// What the customer may choose from.
    pub remedies: BTreeSet<Remedy>,
    /// When the right ends; none when it does not.
    pub window: Option<Timing>,
    /// Who pays the way back.
    pub return_freight: FreightPayer,
    /// A flat sum the customer pays for it, in place of its cost.
    pub return_fee: Option<Money>,
    /// What happens to the freight of the way out.
    pub outbound_freight: OutboundFreight,
    /// What may be taken off the refund.
    pub deductions: BTreeSet<Deduction>,
    /// The restocking fee, where it may be taken.
    pub restocking_fee: Option<RestockingFee>,
    /// When the money is due, if the rule says so.
    pub refund: Option<RefundDue>,
    /// When the answer is due, if the rule says so.
    pub answer: Option<Due>,
    /// When the goods must be on their way, if the rule says so.
    pub send_back: Option<Timing>,
    /// What the customer must show.
    pub evidence: BTreeSet<String>,
    /// What must still turn out true: the right falls when it does not.
    pub subject_to: Vec<Finding>,
    /// What each part of the rule had to say.
    pub findings: Vec<Finding>,
}

/// A due time and its breach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// When it is due.
    pub due: Timing,
    /// When it is a breach.
    pub breach: Option<Timing>,
}

/// When a refund is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundDue {
    /// The due time and its breach.
    pub clock: Due,
    /// By which means.
    pub means: RefundMeans,
    /// Until when the seller may wait for the goods.
    pub withhold: Withhold,
    /// Events that end the seller's right to wait, when none of them is known yet.
    pub awaiting: Vec<Anchor>,
}

codes! {
    /// Why a rule gives nothing, or nothing yet.
    pub enum GroundKind "ground" {
        /// The rule is not for such a sale or request.
        OutOfScope = "out_of_scope", "Out of scope", "不适用";
        /// An exclusion of the rule holds.
        Excluded = "excluded", "Excluded", "除外";
        /// A requirement of the rule is not met.
        RequirementUnmet = "requirement_unmet", "Requirement not met", "条件不满足";
        /// The act came after the last day.
        TooLate = "too_late", "Too late", "超过期限";
        /// The goods were used more than the rule allows.
        UsedTooMuch = "used_too_much", "Used too much", "超过使用量";
        /// A fact is not known.
        FactMissing = "fact_missing", "Fact missing", "缺少事实";
        /// Nobody said when the period began.
        EventMissing = "event_missing", "Event missing", "缺少事件时间";
        /// Nobody read how much the goods were used.
        UsageMissing = "usage_missing", "Usage reading missing", "缺少使用读数";
        /// The deadline leaves the calendar.
        Incomputable = "incomputable", "Cannot be computed", "无法计算";
    }
}

/// One ground, with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ground {
    /// Which kind.
    pub kind: GroundKind,
    /// What was observed and required, with the article.
    pub findings: Vec<Finding>,
}

/// A right that is not given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The policy.
    pub policy: PolicyId,
    /// The rule, with its article.
    pub rule: RuleRef,
    /// On what it would rest.
    pub basis: Basis,
    /// Every reason, at least one. A rule out of scope names that alone.
    pub grounds: Vec<Ground>,
}

impl Refused {
    /// Whether this ground is among the reasons.
    #[must_use]
    pub fn has(&self, kind: GroundKind) -> bool {
        self.grounds.iter().any(|ground| ground.kind == kind)
    }
}

/// A right that cannot be decided yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undecided {
    /// The policy.
    pub policy: PolicyId,
    /// The rule, with its article.
    pub rule: RuleRef,
    /// On what it would rest.
    pub basis: Basis,
    /// Facts that somebody must supply.
    pub facts: BTreeSet<FactName>,
    /// Events whose time somebody must supply; any one of a rule's anchors will do.
    pub events: Vec<Anchor>,
    /// Units in which the use must be read.
    pub usage: Vec<Unit>,
    /// The grounds.
    pub grounds: Vec<Ground>,
}
