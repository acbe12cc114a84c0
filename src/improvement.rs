//! Learning: from a quality issue to an action whose effect was stated beforehand and checked.
//!
//! In: issues (from alarms, causes, words, or people), actions with owner, department, due date and
//! a [`Plan`]: which rate, from what to what, by which test. Later: the counts of completed
//! cohorts. Out: events, and a [`verify::Verdict`] with findings.
//!
//! Always true, and tested in `tests/analytics/improvement.rs`:
//! 1. An action is verified only by the test stated in its plan, on sales after the plan was made.
//! 2. Counts of cohorts that are still inside their return window are refused.
//! 3. Too few units give "not enough units" with the number needed, never a verdict.
//! 4. A history replays to the same action, and only [`decide`] refuses.
//!
//! [`verify`] holds the tests, [`review`] the packs a department brings to its meeting,
//! [`playbook`] what service staff learn from it.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::analytics::tally::Facets;
use crate::id::{ActorId, text_ids};
use crate::label::codes;
use crate::money::Money;
use crate::time::Instant;

pub mod playbook;
pub mod review;
pub mod verify;

use verify::{Evidence, Plan, Verdict, VerifyError};

text_ids! {
    /// A quality issue: something that makes goods come back.
    IssueId = "issue id";
    /// An improvement action (改进措施).
    ImprovementId = "improvement id";
    /// A department that owns actions.
    DepartmentId = "department id";
}

codes! {
    /// Where an issue came from.
    pub enum Origin "origin of an issue" {
        /// An alarm of the analytics.
        Alarm = "alarm", "Alarm", "预警";
        /// A cause found by the scan.
        Cause = "cause", "Cause analysis", "归因分析";
        /// An emerging term in customer notes.
        Words = "words", "Customer notes", "客户留言";
        /// A suspect lot of the lineage.
        Lineage = "lineage", "Lot tracing", "批次追溯";
        /// A person.
        Person = "person", "Reported by a person", "人工上报";
    }
}

/// Something that makes goods come back, and what is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityIssue {
    /// Its id.
    pub id: IssueId,
    /// When it was seen.
    pub at: Instant,
    /// Where it came from.
    pub origin: Origin,
    /// What it is about: category, supplier, reason and so on.
    pub facets: Facets,
    /// In one sentence.
    pub summary: String,
    /// Returns beyond those expected, when it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_returns: Option<u64>,
    /// What they cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_cost: Option<Money>,
    /// Words of customers that show it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub terms: BTreeSet<String>,
}

codes! {
    /// Where an action stands.
    pub enum Stage "stage of an action" {
        /// Planned, not begun.
        Planned = "planned", "Planned", "已计划";
        /// Under way.
        Started = "started", "Under way", "进行中";
        /// Done; the effect is not known yet.
        Done = "done", "Done, effect open", "已完成待验证";
        /// The stated effect was proven.
        Verified = "verified", "Verified", "效果已验证";
        /// The stated effect was not seen, with enough units to see it.
        NotVerified = "not_verified", "Not verified", "效果未达成";
        /// Given up.
        Dropped = "dropped", "Dropped", "已放弃";
    }
}

/// An improvement action with its history folded in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Improvement {
    /// Its id.
    pub id: ImprovementId,
    /// The issue it answers.
    pub issue: IssueId,
    /// What is to be done.
    pub title: String,
    /// Who sees to it.
    pub owner: ActorId,
    /// Whose budget and meeting.
    pub department: DepartmentId,
    /// By when it is to be done.
    pub due: NaiveDate,
    /// The effect expected, and how it will be checked; fixed when the action is planned.
    pub plan: Plan,
    /// When it was planned; only sales after this instant count.
    pub planned_at: Instant,
    /// Where it stands.
    pub stage: Stage,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Instant>,
    /// The last verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// How often it was reopened.
    #[serde(default)]
    pub reopened: u32,
}

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Plan an action.
    PlanAction(Planning),
    /// Begin.
    StartAction,
    /// The work is done.
    CompleteAction,
    /// Check the effect with these counts.
    VerifyEffect {
        /// The counts of completed cohorts.
        evidence: Evidence,
    },
    /// Work on it again: the effect was not seen, or has worn off.
    ReopenAction {
        /// A new plan; the test starts afresh.
        plan: Plan,
        /// The new due date.
        due: NaiveDate,
    },
    /// Give up.
    DropAction {
        /// Why.
        because: String,
    },
}

/// A new action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planning {
    /// Its id.
    pub id: ImprovementId,
    /// The issue it answers.
    pub issue: IssueId,
    /// What is to be done.
    pub title: String,
    /// Who sees to it.
    pub owner: ActorId,
    /// Whose budget and meeting.
    pub department: DepartmentId,
    /// By when.
    pub due: NaiveDate,
    /// The effect expected and its test.
    pub plan: Plan,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// An action was planned.
    ActionPlanned {
        /// When.
        at: Instant,
        /// The action.
        action: Planning,
    },
    /// Work began.
    ActionStarted {
        /// When.
        at: Instant,
    },
    /// Work was done.
    ActionCompleted {
        /// When.
        at: Instant,
    },
    /// The effect was checked.
    EffectChecked {
        /// When.
        at: Instant,
        /// The result.
        verdict: Verdict,
    },
    /// Work goes on.
    ActionReopened {
        /// When.
        at: Instant,
        /// The new plan.
        plan: Plan,
        /// The new due date.
        due: NaiveDate,
    },
    /// Given up.
    ActionDropped {
        /// When.
        at: Instant,
        /// Why.
        because: String,
    },
}

/// A command that the action does not accept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no action yet.
    #[error("the action was not planned yet")]
    NotPlanned,
    /// The action exists already.
    #[error("action {id} was planned already; reopen it instead")]
    AlreadyPlanned {
        /// Its id.
        id: ImprovementId,
    },
    /// The stage does not admit the command.
    #[error("action {id} is {stage}; that does not allow this step")]
    WrongStage {
        /// Its id.
        id: ImprovementId,
        /// Where it stands.
        stage: Stage,
    },
    /// The sales looked at began before the plan was made.
    #[error(
        "the sales after begin on {from}, before the plan of {planned}; state the effect first"
    )]
    LookedBefore {
        /// The first day of the sales looked at.
        from: NaiveDate,
        /// The day of the plan.
        planned: NaiveDate,
    },
    /// The plan or the counts do not make a test.
    #[error(transparent)]
    Test(#[from] VerifyError),
}

/// Decides on a command; the result is the events to store.
///
/// Starting, completing or dropping twice returns no events; verifying again is a new check.
///
/// # Errors
///
/// [`Refusal`] names what stands in the way.
pub fn decide(
    action: Option<&Improvement>,
    command: &Command,
    now: Instant,
) -> Result<Vec<Event>, Refusal> {
    let Some(action) = action else {
        return match command {
            Command::PlanAction(planning) => {
                planning.plan.check()?;
                let action = planning.clone();
                Ok(alloc::vec![Event::ActionPlanned { at: now, action }])
            }
            Command::StartAction
            | Command::CompleteAction
            | Command::VerifyEffect { .. }
            | Command::ReopenAction { .. }
            | Command::DropAction { .. } => Err(Refusal::NotPlanned),
        };
    };
    let id = || action.id.clone();
    let wrong = || Refusal::WrongStage { id: id(), stage: action.stage };
    match (action.stage, command) {
        (_, Command::PlanAction(_)) => Err(Refusal::AlreadyPlanned { id: id() }),
        (Stage::Planned, Command::StartAction) => Ok(alloc::vec![Event::ActionStarted { at: now }]),
        (Stage::Started, Command::StartAction)
        | (Stage::Done, Command::CompleteAction)
        | (Stage::Dropped, Command::DropAction { .. }) => Ok(Vec::new()),
        (Stage::Planned | Stage::Started, Command::CompleteAction) => {
            Ok(alloc::vec![Event::ActionCompleted { at: now }])
        }
        (Stage::Done | Stage::NotVerified, Command::VerifyEffect { evidence }) => {
            let planned = action.planned_at.date_naive();
            if evidence.after_from < planned {
                return Err(Refusal::LookedBefore { from: evidence.after_from, planned });
            }
            let verdict = action.plan.verify(evidence)?;
            Ok(alloc::vec![Event::EffectChecked { at: now, verdict }])
        }
        (
            Stage::NotVerified | Stage::Verified | Stage::Dropped,
            Command::ReopenAction { plan, due },
        ) => {
            plan.check()?;
            Ok(alloc::vec![Event::ActionReopened { at: now, plan: plan.clone(), due: *due }])
        }
        (
            Stage::Planned | Stage::Started | Stage::Done | Stage::NotVerified,
            Command::DropAction { because },
        ) => Ok(alloc::vec![Event::ActionDropped { at: now, because: because.clone() }]),
        (
            Stage::Done | Stage::Verified | Stage::NotVerified | Stage::Dropped,
            Command::StartAction,
        )
        | (Stage::Verified | Stage::NotVerified | Stage::Dropped, Command::CompleteAction)
        | (
            Stage::Planned | Stage::Started | Stage::Verified | Stage::Dropped,
            Command::VerifyEffect { .. },
        )
        | (Stage::Planned | Stage::Started | Stage::Done, Command::ReopenAction { .. })
        | (Stage::Verified, Command::DropAction { .. }) => Err(wrong()),
    }
}

/// Folds one event in. Never refuses: an event that no history of [`decide`] has at this place
/// changes nothing.
#[must_use]
pub fn evolve(action: Option<Improvement>, event: &Event) -> Option<Improvement> {
    let Some(mut action) = action else {
        return match event {
            Event::ActionPlanned { at, action } => Some(Improvement::planned(*at, action.clone())),
            Event::ActionStarted { .. }
            | Event::ActionCompleted { .. }
            | Event::EffectChecked { .. }
            | Event::ActionReopened { .. }
            | Event::ActionDropped { .. } => None,
        };
    };
    if !action.stage.admits(event) {
        return Some(action);
    }
    match event {
        Event::ActionPlanned { .. } => {}
        Event::ActionStarted { .. } => action.stage = Stage::Started,
        Event::ActionCompleted { at } => {
            action.stage = Stage::Done;
            action.done_at = Some(*at);
        }
        Event::EffectChecked { verdict, .. } => {
            match verdict.outcome {
                verify::Outcome::Verified => action.stage = Stage::Verified,
                verify::Outcome::NotVerified => action.stage = Stage::NotVerified,
                verify::Outcome::NotEnoughUnits => {}
            }
            action.verdict = Some(verdict.clone());
        }
        Event::ActionReopened { at, plan, due } => {
            action.stage = Stage::Started;
            action.plan = plan.clone();
            action.due = *due;
            action.planned_at = *at;
            action.done_at = None;
            action.verdict = None;
            action.reopened = action.reopened.saturating_add(1);
        }
        Event::ActionDropped { .. } => action.stage = Stage::Dropped,
    }
    Some(action)
}

impl Stage {
    /// Whether a history of [`decide`] can have the event at this stage.
    const fn admits(self, event: &Event) -> bool {
        match event {
            Event::ActionPlanned { .. } => false,
            Event::ActionStarted { .. } => matches!(self, Self::Planned),
            Event::ActionCompleted { .. } => matches!(self, Self::Planned | Self::Started),
            Event::EffectChecked { .. } => matches!(self, Self::Done | Self::NotVerified),
            Event::ActionReopened { .. } => {
                matches!(self, Self::NotVerified | Self::Verified | Self::Dropped)
            }
            Event::ActionDropped { .. } => {
                matches!(self, Self::Planned | Self::Started | Self::Done | Self::NotVerified)
            }
        }
    }
}

/// The action after a stored history.
#[must_use]
pub fn replay(events: &[Event]) -> Option<Improvement> {
    events.iter().fold(None, evolve)
}

impl Improvement {
    fn planned(at: Instant, planning: Planning) -> Self {
        let Planning { id, issue, title, owner, department, due, plan } = planning;
        Self {
            id,
            issue,
            title,
            owner,
            department,
            due,
            plan,
            planned_at: at,
            stage: Stage::Planned,
            done_at: None,
            verdict: None,
            reopened: 0,
        }
    }

    /// Whether the work is late on a day.
    #[must_use]
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        matches!(self.stage, Stage::Planned | Stage::Started) && self.due < today
    }

    /// Whether somebody still has something to do.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Planned | Stage::Started | Stage::Done)
    }
}
