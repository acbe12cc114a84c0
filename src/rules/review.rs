//! Review procedures of a rule book: which cases people decide, by which workflow.
//!
//! In: workflow definitions and rules that say which case takes which. Out: verified [`Reviews`], or
//! every defect of every definition with its witness. A case keeps the definition it was opened
//! under; so a rule book may hold several versions of one procedure, of which new cases take the last.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::condition::schema::{ConditionFault, FactType, Schema};
use crate::condition::{Condition, Facts};
use crate::id::{FactName, RuleId};
use crate::label::codes;
use crate::practice::Practice;
use crate::practice::schema as case_schema;
use crate::workflow::compiled::{Pin, Workflow};
use crate::workflow::defect::Defect;
use crate::workflow::definition::{StateKind, WorkflowDraft};
use crate::workflow::hours::OpeningHours;
use crate::workflow::span::{Clock, Span};
use crate::workflow::verify::verify;
use crate::workflow::{StateId, WorkflowId};

/// The most definitions and the most rules.
pub const MAX_ENTRIES: usize = 100;

/// The kind of the reasons stated: `quality`, `no_reason` or `other`; see [`schema`].
pub const REASON_KIND: &str = "reason_kind";

/// What a host writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewsDraft {
    /// The procedures; several versions of one may stand side by side.
    pub procedures: Vec<WorkflowDraft>,
    /// Which case takes which: the first rule whose condition holds decides, none means no review.
    pub rules: Vec<ReviewRule>,
}

/// Which cases take a procedure, and what its states mean for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewRule {
    /// The stable name.
    pub id: RuleId,
    /// Which cases, by the facts of [`schema`] as they are when the case is opened.
    #[serde(default = "always")]
    pub when: Condition,
    /// The procedure, in its last version.
    pub procedure: WorkflowId,
    /// Entering one of these states permits the return. A final state that is none of them refuses
    /// it, where it is not permitted before.
    pub permits: BTreeSet<StateId>,
    /// In which states money may go back or goods go out; with none named the procedure has no say
    /// in that.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub settles: BTreeSet<StateId>,
    /// Who may decide by hand while the procedure is under way.
    #[serde(default)]
    pub overruling: Overruling,
}

fn always() -> Condition {
    Condition::Always
}

codes! {
    /// Who may decide a case by hand while its review is under way.
    #[derive(Default)]
    pub enum Overruling "overruling" {
        /// Nobody.
        #[default]
        Nobody = "nobody", "Nobody", "不允许";
        /// The marketplace.
        Marketplace = "marketplace", "The marketplace", "平台可介入";
    }
}

/// Verified procedures and rules.
///
/// ```
/// use aftersale::condition::Facts;
/// use aftersale::rules::review::{Reviews, ReviewsDraft};
/// let draft: ReviewsDraft = serde_json::from_str(r#"{
///   "procedures": [{
///     "schema": 1, "id": "phone_desk", "version": 1, "initial": "service",
///     "states": [
///       {"id": "service", "no_timer_reason": "the desk answers every day",
///        "kind": {"approval": {"groups": [{"roles": ["service"]}], "mode": "any"}}},
///       {"id": "granted", "kind": {"final": {"outcome": "granted"}}},
///       {"id": "refused", "kind": {"final": {"outcome": "refused"}}}],
///     "arrows": [
///       {"id": "yes", "from": "service", "on": "approved", "to": "granted"},
///       {"id": "no", "from": "service", "on": "rejected", "to": "refused"}]}],
///   "rules": [{"id": "phones", "procedure": "phone_desk", "permits": ["granted"],
///              "when": {"test": {"fact": "tags", "includes": "phone"}}}]
/// }"#)?;
/// let reviews = Reviews::verify(draft, None)?;
/// assert!(reviews.rule(&Facts::new()).is_none()); // not a phone: whoever has the role decides
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reviews {
    draft: ReviewsDraft,
    /// By name and version.
    workflows: BTreeMap<(WorkflowId, u32), Workflow>,
    hours: OpeningHours,
}

/// Everything that is wrong with the reviews of a rule book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ReviewDefects(
    /// At least one.
    pub Vec<ReviewDefect>,
);

impl fmt::Display for ReviewDefects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, defect) in self.0.iter().enumerate() {
            write!(f, "{}{defect}", if position == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewDefect {
    /// A definition has a defect.
    #[error("procedure `{procedure}` version {version}: {defect}")]
    Procedure {
        /// The procedure.
        procedure: WorkflowId,
        /// Its version.
        version: u32,
        /// The defect, with its witness.
        defect: Box<Defect>,
    },
    /// One version of a procedure is there twice.
    #[error("procedure `{procedure}` version {version} is there twice")]
    ProcedureTwice {
        /// The procedure.
        procedure: WorkflowId,
        /// Its version.
        version: u32,
    },
    /// A procedure counts business time and nothing says when that runs.
    #[error("procedure `{procedure}` counts business time and the practice has no calendar")]
    NoHours {
        /// The procedure.
        procedure: WorkflowId,
    },
    /// A procedure declares a fact of the case as something else than it is.
    #[error(
        "procedure `{procedure}` declares `{fact}` as {declared}, which is not what cases give"
    )]
    FactType {
        /// The procedure.
        procedure: WorkflowId,
        /// The fact.
        fact: FactName,
        /// What the procedure declares.
        declared: Box<FactType>,
    },
    /// A rule has the name of another.
    #[error("rule `{rule}` is there twice")]
    RuleTwice {
        /// The rule.
        rule: RuleId,
    },
    /// The condition of a rule cannot be used.
    #[error("rule `{rule}`: {fault}")]
    Condition {
        /// The rule.
        rule: RuleId,
        /// What is wrong.
        fault: ConditionFault,
    },
    /// A rule names a procedure that is not there.
    #[error("rule `{rule}` names procedure `{procedure}`, which is not there")]
    UnknownProcedure {
        /// The rule.
        rule: RuleId,
        /// The procedure.
        procedure: WorkflowId,
    },
    /// A rule names a state that its procedure does not have, or that no case waits in.
    #[error("rule `{rule}` names state `{state}`, in which no case of its procedure can stand")]
    UnknownState {
        /// The rule.
        rule: RuleId,
        /// The state.
        state: StateId,
    },
    /// A rule under which no return is ever permitted.
    #[error("rule `{rule}` names no state that permits the return")]
    NothingPermits {
        /// The rule.
        rule: RuleId,
    },
    /// There is too much of something.
    #[error("there are {count} procedures or rules, at most {MAX_ENTRIES} are allowed")]
    TooMany {
        /// How many were found.
        count: usize,
    },
}

/// The facts of a case that conditions of [rules](ReviewRule) may test, and that procedures get under
/// these names: those of a [practice](crate::practice::schema), and `reason_kind`. Other facts that a
/// procedure declares come from the host.
#[must_use]
pub fn schema(currency: Option<crate::money::currency::Currency>) -> Schema {
    let kinds = ["quality", "no_reason", "other"];
    let kinds = FactType::Code(kinds.into_iter().map(String::from).collect());
    case_schema(currency).with(FactName::fixed(REASON_KIND), kinds)
}

impl Reviews {
    /// Verifies procedures and rules. Business time runs while the calendar of the practice is open.
    ///
    /// # Errors
    ///
    /// [`ReviewDefects`] with everything that is wrong.
    pub fn verify(draft: ReviewsDraft, practice: Option<&Practice>) -> Result<Self, ReviewDefects> {
        let count = draft.procedures.len().max(draft.rules.len());
        if count > MAX_ENTRIES {
            return Err(ReviewDefects(alloc::vec![ReviewDefect::TooMany { count }]));
        }
        let hours = OpeningHours::new(practice.into_iter().flat_map(Practice::open_periods));
        let currency = practice.and_then(|practice| practice.draft().currency);
        let mut defects = Vec::new();
        let mut workflows = BTreeMap::new();
        for procedure in &draft.procedures {
            let (id, version) = (procedure.id.clone(), procedure.version);
            if uses_business_time(procedure) && hours == OpeningHours::default() {
                defects.push(ReviewDefect::NoHours { procedure: id.clone() });
            }
            defects.extend(wrong_facts(procedure));
            match verify(procedure) {
                Ok(verified) => {
                    if workflows.insert((id.clone(), version), verified.workflow).is_some() {
                        defects.push(ReviewDefect::ProcedureTwice { procedure: id, version });
                    }
                }
                Err(found) => defects.extend(found.into_iter().map(|defect| {
                    let (procedure, defect) = (id.clone(), Box::new(defect));
                    ReviewDefect::Procedure { procedure, version, defect }
                })),
            }
        }
        let schema = schema(currency);
        let mut names = BTreeSet::new();
        for rule in &draft.rules {
            if !names.insert(&rule.id) {
                defects.push(ReviewDefect::RuleTwice { rule: rule.id.clone() });
            }
            let faults = schema.faults(&rule.when).into_iter();
            let condition = |fault| ReviewDefect::Condition { rule: rule.id.clone(), fault };
            defects.extend(faults.map(condition));
            defects.extend(wrong_states(rule, &draft.procedures));
        }
        if !defects.is_empty() {
            return Err(ReviewDefects(defects));
        }
        Ok(Self { draft, workflows, hours })
    }

    /// As it is written down.
    #[must_use]
    pub const fn draft(&self) -> &ReviewsDraft {
        &self.draft
    }

    /// The rule that a case takes, by its facts when it is opened.
    #[must_use]
    pub fn rule(&self, facts: &Facts) -> Option<&ReviewRule> {
        self.draft.rules.iter().find(|rule| rule.when.evaluate(facts).holds())
    }

    /// The last version of a procedure: the one that new cases take.
    #[must_use]
    pub fn latest(&self, procedure: &WorkflowId) -> Option<&Workflow> {
        self.versions(procedure).last()
    }

    /// All versions of a procedure, ascending.
    pub fn versions(&self, procedure: &WorkflowId) -> impl Iterator<Item = &Workflow> {
        let versions = (procedure.clone(), 0)..=(procedure.clone(), u32::MAX);
        self.workflows.range(versions).map(|(_, workflow)| workflow)
    }

    /// One version of a procedure.
    #[must_use]
    pub fn version(&self, procedure: &WorkflowId, version: u32) -> Option<&Workflow> {
        self.workflows.get(&(procedure.clone(), version))
    }

    /// The definition that a case runs under, if it is still there with the same content.
    #[must_use]
    pub fn pinned(&self, pin: &Pin) -> Option<&Workflow> {
        let workflow = self.workflows.get(&(pin.workflow.clone(), pin.version))?;
        (workflow.pin() == pin).then_some(workflow)
    }

    /// When business time runs.
    #[must_use]
    pub const fn hours(&self) -> &OpeningHours {
        &self.hours
    }
}

/// Facts that every case has, declared by a procedure as another type, or as fewer codes than occur.
fn wrong_facts(procedure: &WorkflowDraft) -> Vec<ReviewDefect> {
    let mut defects = Vec::new();
    let given = schema(None);
    for (fact, declared) in &procedure.facts {
        let amount = fact.as_str() == "amount";
        let fits = match (given.get(fact).map(|given| &given.fact_type), &declared.fact_type) {
            (None, FactType::Amount(_)) => true,
            (None, _) => !amount,
            (Some(FactType::Code(all)), FactType::Code(some)) => {
                some.is_empty() || all.is_subset(some)
            }
            (Some(FactType::Codes(_)), FactType::Codes(_)) => true,
            (Some(given), declared) => given == declared,
        };
        if !fits {
            defects.push(ReviewDefect::FactType {
                procedure: procedure.id.clone(),
                fact: fact.clone(),
                declared: Box::new(declared.fact_type.clone()),
            });
        }
    }
    defects
}

fn wrong_states(rule: &ReviewRule, procedures: &[WorkflowDraft]) -> Vec<ReviewDefect> {
    let mut defects = Vec::new();
    let id = || rule.id.clone();
    let versions: Vec<&WorkflowDraft> =
        procedures.iter().filter(|procedure| procedure.id == rule.procedure).collect();
    if rule.permits.is_empty() {
        defects.push(ReviewDefect::NothingPermits { rule: id() });
    }
    let Some(last) = versions.iter().max_by_key(|procedure| procedure.version) else {
        let procedure = rule.procedure.clone();
        defects.push(ReviewDefect::UnknownProcedure { rule: id(), procedure });
        return defects;
    };
    let waits = |state: &StateId| {
        let found = last.states.iter().find(|own| own.id == *state);
        found.is_some_and(|own| own.kind.waits())
    };
    let named: BTreeSet<&StateId> = rule.permits.iter().chain(&rule.settles).collect();
    for state in named.into_iter().filter(|state| !waits(state)) {
        defects.push(ReviewDefect::UnknownState { rule: id(), state: state.clone() });
    }
    defects
}

fn uses_business_time(procedure: &WorkflowDraft) -> bool {
    let business = |span: Span| span.clock() == Clock::Business;
    procedure.states.iter().any(|state| {
        let timeouts = match &state.kind {
            StateKind::Approval(rule) => rule.timeouts.as_slice(),
            StateKind::Task { .. }
            | StateKind::Wait { .. }
            | StateKind::Choice
            | StateKind::Final { .. } => &[],
        };
        state.timers.iter().any(|timer| business(timer.after))
            || timeouts.iter().any(|timeout| business(timeout.after))
    })
}
