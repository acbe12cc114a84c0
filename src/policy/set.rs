//! Policies verified for use: all defects at once, each with its place.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::facts::{self, LineFact};
use super::period::{PeriodFault, PeriodTerms};
use super::terms::{Clause, Deduction, DuePair, RestockingFee, RuleTerms};
use crate::condition::Condition;
use crate::condition::schema::{ConditionFault, Schema};
use crate::explain::RuleRef;
use crate::id::{FactName, PolicyId, RuleId};
use crate::label::{Coded, Label};
use crate::reason::attribute::FreightPayer;

/// A policy as a host writes it: a law, a guarantee, a promise of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDraft {
    /// The stable id.
    pub id: PolicyId,
    /// The version; a case pins it.
    pub version: u32,
    /// What people call it.
    pub label: Label,
    /// Where it comes from.
    pub source: String,
    /// What a reader must know: marks, limits, what to check.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Facts of the host that conditions of this policy test, beside
    /// [`schema`](super::facts::schema).
    #[serde(default, skip_serializing_if = "is_empty")]
    pub facts: Schema,
    /// The rules.
    pub rules: Vec<RuleTerms>,
}

fn is_empty(schema: &Schema) -> bool {
    schema.iter().next().is_none()
}

/// Policies that can be used together: verified, with everything precomputed.
///
/// ```
/// use aftersale::id::{PolicyId, RuleId};
/// use aftersale::label::Label;
/// use aftersale::policy::period::{Anchor, Length, LengthUnit};
/// use aftersale::policy::set::{PolicyDraft, PolicySet};
/// use aftersale::policy::terms::RuleTerms;
///
/// let thirty = Length::new(30, LengthUnit::Days);
/// let store = PolicyDraft {
///     id: PolicyId::new("store")?,
///     version: 1,
///     label: Label::new("Our returns", "本店退货"),
///     source: "https://shop.example/returns".into(),
///     notes: vec![],
///     facts: Default::default(),
///     rules: vec![RuleTerms::store(RuleId::new("store_30")?, "Returns page", thirty, Anchor::Sold)],
/// };
/// let set = PolicySet::verify(vec![store])?;
/// assert_eq!(set.rules().count(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<PolicyDraft>", into = "Vec<PolicyDraft>")]
pub struct PolicySet {
    policies: Vec<PolicyDraft>,
    references: Vec<Vec<RuleRef>>,
    line_facts: Vec<(LineFact, FactName)>,
    host_facts: BTreeSet<FactName>,
}

impl PolicySet {
    /// The most policies in one set.
    pub const MAX_POLICIES: usize = 64;
    /// The most rules in one policy.
    pub const MAX_RULES: usize = 256;
    /// The most clauses, or adjustments, of one rule.
    pub const MAX_CLAUSES: usize = 64;
    /// The most tests in one condition.
    pub const MAX_TESTS: usize = 256;

    /// Checks policies for use together.
    ///
    /// # Errors
    ///
    /// Every defect of every policy.
    pub fn verify(policies: Vec<PolicyDraft>) -> Result<Self, PolicyDefects> {
        let mut check = Verification::default();
        check.limit("policies", policies.len(), Self::MAX_POLICIES);
        if check.defects.is_empty() {
            for policy in &policies {
                check.policy(policy);
            }
        }
        if !check.defects.is_empty() {
            return Err(PolicyDefects(check.defects));
        }
        let reference = |policy: &PolicyDraft, rule: &RuleTerms| RuleRef {
            id: rule.id.clone(),
            version: policy.version,
            source: Some(rule.article.clone()),
        };
        let references = policies
            .iter()
            .map(|policy| policy.rules.iter().map(|rule| reference(policy, rule)).collect())
            .collect();
        let (line_facts, host_facts) = facts_used(&policies);
        Ok(Self { policies, references, line_facts, host_facts })
    }

    /// The policies.
    #[must_use]
    pub fn policies(&self) -> &[PolicyDraft] {
        &self.policies
    }

    /// All rules in the order of the text, with their policies.
    pub fn rules(&self) -> impl Iterator<Item = (&PolicyDraft, &RuleTerms, &RuleRef)> {
        self.policies.iter().zip(&self.references).flat_map(|(policy, references)| {
            policy.rules.iter().zip(references).map(move |(rule, at)| (policy, rule, at))
        })
    }

    /// A rule by its id.
    #[must_use]
    pub fn rule(&self, id: &RuleId) -> Option<&RuleTerms> {
        self.rules().map(|(_, rule, _)| rule).find(|rule| rule.id == *id)
    }

    /// The line facts that any condition of the set tests.
    pub(super) fn line_facts(&self) -> &[(LineFact, FactName)] {
        &self.line_facts
    }

    /// The facts of the host that any condition of the set tests.
    pub(super) const fn host_facts(&self) -> &BTreeSet<FactName> {
        &self.host_facts
    }
}

impl TryFrom<Vec<PolicyDraft>> for PolicySet {
    type Error = PolicyDefects;
    fn try_from(policies: Vec<PolicyDraft>) -> Result<Self, PolicyDefects> {
        Self::verify(policies)
    }
}

impl From<PolicySet> for Vec<PolicyDraft> {
    fn from(set: PolicySet) -> Self {
        set.policies
    }
}

/// Every condition of a rule.
fn conditions(rule: &RuleTerms) -> impl Iterator<Item = &Condition> {
    let clauses = rule.unless.iter().chain(&rule.provided).map(|clause| &clause.when);
    let adjustments = rule.adjust.iter().map(|adjustment| &adjustment.when);
    core::iter::once(&rule.scope).chain(clauses).chain(adjustments)
}

/// The facts that the conditions of a set test: those of every line, and those of the host.
fn facts_used(policies: &[PolicyDraft]) -> (Vec<(LineFact, FactName)>, BTreeSet<FactName>) {
    let mut names: BTreeSet<FactName> = policies
        .iter()
        .flat_map(|policy| &policy.rules)
        .flat_map(conditions)
        .flat_map(Condition::tests)
        .map(|test| test.fact.clone())
        .collect();
    let mut own = Vec::new();
    for fact in LineFact::ALL {
        if let Some(name) = names.take(fact.code()) {
            own.push((*fact, name));
        }
    }
    (own, names)
}

/// One defect of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct PolicyDefect {
    /// Where: `cn_no_reason / cn_seven_days / unless made_to_order`.
    pub place: String,
    /// What.
    pub fault: PolicyFault,
}

/// What is wrong at one place of a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFault {
    /// More parts than allowed.
    #[error("{count} {what}, at most {max} are allowed")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many.
        count: usize,
        /// The most allowed.
        max: usize,
    },
    /// A policy without rules.
    #[error("the policy has no rules")]
    NoRules,
    /// An id is used twice.
    #[error("the id is used twice in the set")]
    DuplicateId,
    /// A declared fact has the name of a built-in one, or another type in another policy.
    #[error("fact `{fact}` is declared already")]
    FactDeclaredTwice {
        /// The fact.
        fact: FactName,
    },
    /// A condition cannot be used.
    #[error(transparent)]
    Condition(#[from] ConditionFault),
    /// A period cannot be used.
    #[error(transparent)]
    Period(#[from] PeriodFault),
    /// A rule that gives nothing.
    #[error("the rule gives no remedy")]
    NoRemedy,
    /// The article is empty.
    #[error("the rule names no article")]
    NoArticle,
    /// A flat sum for the way back where the seller pays it, or a negative one.
    #[error("a return fee needs a customer who pays the way back, and an amount of zero or more")]
    ReturnFee,
    /// A restocking fee that is not allowed by the deductions, negative, or a share above one.
    #[error(
        "a restocking fee needs the deduction `restocking_fee`, and a share from 0 to 1 or an amount of zero or more"
    )]
    RestockingFee,
    /// The breach comes before the due time.
    #[error("the breach after {breach} comes before the due time after {due}")]
    BreachBeforeDue {
        /// The due time.
        due: super::period::Length,
        /// The breach.
        breach: super::period::Length,
    },
}

/// All defects of a set of policies, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDefects(Vec<PolicyDefect>);

impl PolicyDefects {
    /// The defects in the order of the text.
    #[must_use]
    pub fn defects(&self) -> &[PolicyDefect] {
        &self.0
    }
}

impl fmt::Display for PolicyDefects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, defect) in self.0.iter().enumerate() {
            write!(f, "{}{defect}", if position == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl core::error::Error for PolicyDefects {}

/// The state of a verification.
#[derive(Default)]
struct Verification {
    defects: Vec<PolicyDefect>,
    policy_ids: BTreeSet<PolicyId>,
    rule_ids: BTreeSet<RuleId>,
    declared: BTreeMap<FactName, crate::condition::schema::FactDeclaration>,
    place: Vec<String>,
}

impl Verification {
    fn fault(&mut self, fault: impl Into<PolicyFault>) {
        self.defects.push(PolicyDefect { place: self.place.join(" / "), fault: fault.into() });
    }

    fn limit(&mut self, what: &'static str, count: usize, max: usize) {
        if count > max {
            self.fault(PolicyFault::TooMany { what, count, max });
        }
    }

    fn at(&mut self, place: String, check: impl FnOnce(&mut Self)) {
        self.place.push(place);
        check(self);
        self.place.pop();
    }

    fn policy(&mut self, policy: &PolicyDraft) {
        self.at(policy.id.as_str().into(), |check| {
            if !check.policy_ids.insert(policy.id.clone()) {
                check.fault(PolicyFault::DuplicateId);
            }
            if policy.rules.is_empty() {
                check.fault(PolicyFault::NoRules);
            }
            let schema = check.schema(&policy.facts);
            check.limit("rules", policy.rules.len(), PolicySet::MAX_RULES);
            for rule in policy.rules.iter().take(PolicySet::MAX_RULES) {
                check.at(rule.id.as_str().into(), |check| check.rule(rule, &schema));
            }
        });
    }

    /// The facts that conditions of one policy may test.
    fn schema(&mut self, host: &Schema) -> Schema {
        let built_in = facts::schema();
        for (name, declaration) in host.iter() {
            let earlier = self.declared.insert(name.clone(), declaration.clone());
            if built_in.get(name).is_some() || earlier.is_some_and(|known| known != *declaration) {
                self.fault(PolicyFault::FactDeclaredTwice { fact: name.clone() });
            }
        }
        let all = built_in.iter().chain(host.iter());
        all.map(|(name, declaration)| (name.clone(), declaration.clone())).collect()
    }

    fn rule(&mut self, rule: &RuleTerms, schema: &Schema) {
        if !self.rule_ids.insert(rule.id.clone()) {
            self.fault(PolicyFault::DuplicateId);
        }
        if rule.article.trim().is_empty() {
            self.fault(PolicyFault::NoArticle);
        }
        if rule.remedies.is_empty() {
            self.fault(PolicyFault::NoRemedy);
        }
        self.fees(rule);
        self.at("scope".into(), |check| check.condition(&rule.scope, schema));
        self.clauses("unless", &rule.unless, schema);
        self.clauses("provided", &rule.provided, schema);
        self.limit("adjustments", rule.adjust.len(), PolicySet::MAX_CLAUSES);
        for adjustment in rule.adjust.iter().take(PolicySet::MAX_CLAUSES) {
            let place = alloc::format!("adjust {}", adjustment.id);
            self.at(place, |check| check.condition(&adjustment.when, schema));
        }
        self.period("window", rule.window.as_ref());
        self.period("send_back", rule.send_back.as_ref());
        self.due_pair("refund", rule.refund.as_ref().map(|refund| &refund.clock));
        self.due_pair("answer", rule.answer.as_ref());
    }

    fn fees(&mut self, rule: &RuleTerms) {
        let fee = rule.return_fee;
        if fee.is_some_and(|fee| fee.is_negative() || rule.return_freight == FreightPayer::Seller) {
            self.fault(PolicyFault::ReturnFee);
        }
        let allowed = rule.deductions.contains(&Deduction::RestockingFee)
            || rule.adjust.iter().any(|adjust| adjust.with.contains(&Deduction::RestockingFee));
        let usable = match rule.restocking_fee {
            None => true,
            Some(RestockingFee::Flat(fee)) => allowed && !fee.is_negative(),
            Some(RestockingFee::Share(share)) => {
                allowed && (Decimal::ZERO..=Decimal::ONE).contains(&share.decimal())
            }
        };
        if !usable {
            self.fault(PolicyFault::RestockingFee);
        }
    }

    fn clauses(&mut self, what: &'static str, clauses: &[Clause], schema: &Schema) {
        self.limit("clauses", clauses.len(), PolicySet::MAX_CLAUSES);
        let mut ids = BTreeSet::new();
        for clause in clauses.iter().take(PolicySet::MAX_CLAUSES) {
            let repeated = !ids.insert(&clause.id);
            self.at(alloc::format!("{what} {}", clause.id), |check| {
                if repeated {
                    check.fault(PolicyFault::DuplicateId);
                }
                check.condition(&clause.when, schema);
            });
        }
    }

    fn condition(&mut self, condition: &Condition, schema: &Schema) {
        for fault in schema.faults(condition) {
            self.fault(fault);
        }
        self.limit("tests in one condition", condition.tests().len(), PolicySet::MAX_TESTS);
    }

    fn period(&mut self, what: &str, period: Option<&PeriodTerms>) {
        let Some(period) = period else { return };
        self.at(what.into(), |check| {
            for fault in period.faults() {
                check.fault(fault);
            }
        });
    }

    fn due_pair(&mut self, what: &str, pair: Option<&DuePair>) {
        let Some(pair) = pair else { return };
        self.at(what.into(), |check| {
            check.period("due", Some(&pair.due));
            check.period("breach", pair.breach.as_ref());
            let (due, breach) = (pair.due.length, pair.breach.as_ref().map(|later| later.length));
            if let Some(breach) = breach.filter(|b| b.unit == due.unit && b.count < due.count) {
                check.fault(PolicyFault::BreachBeforeDue { due, breach });
            }
        });
    }
}
