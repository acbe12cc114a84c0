//! What evaluation says about a case: every goal, every timer event, the next time to look.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::ladder::{RoleId, StepId, StepKind};
use super::policy::{Amount, MetricId, PolicyKind, Target};
use crate::calendar::compiled::Standing;
use crate::id::{CalendarId, CaseId, GoalId, PauseReasonId, PolicyId, RuleId};
use crate::label::codes;
use crate::number::Ratio;
use crate::time::Instant;

/// All goals of a case at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The case.
    pub case: CaseId,
    /// The moment.
    pub now: Instant,
    /// Every goal of every policy ever attached, in the order of attachment and of the policy.
    pub goals: Vec<GoalEvaluation>,
    /// Every timer event up to now, in the order of time.
    pub events: Vec<TimerEvent>,
    /// When to evaluate again if nothing happens to the case; none when no timer is left.
    pub next_wakeup: Option<Instant>,
    /// What a person should know.
    pub notices: Vec<Notice>,
}

impl Evaluation {
    /// One goal.
    #[must_use]
    pub fn goal(&self, policy: &PolicyId, goal: &GoalId) -> Option<&GoalEvaluation> {
        self.goals.iter().find(|found| found.policy == *policy && found.goal == *goal)
    }

    /// The earliest deadline of one metric that is still open, over all promises: a statutory term
    /// wins over a later internal target.
    #[must_use]
    pub fn effective_due(&self, metric: &MetricId) -> Option<&GoalEvaluation> {
        self.goals
            .iter()
            .filter(|goal| goal.metric == *metric && goal.kind != PolicyKind::Benchmark)
            .filter(|goal| goal.state.is_active() && goal.due.is_some())
            .min_by_key(|goal| goal.due)
    }
}

codes! {
    /// What a clock does.
    pub enum ClockState "clock state" {
        /// It has not started.
        Waiting = "waiting", "Not started", "未开始";
        /// It runs.
        Running = "running", "Running", "计时中";
        /// It stands still for a reason.
        Paused = "paused", "Paused", "已挂起";
        /// It was stopped.
        Stopped = "stopped", "Stopped", "已停止";
        /// It was called off, or its policy applies no longer.
        Cancelled = "cancelled", "Cancelled", "已取消";
    }
}

impl ClockState {
    /// Whether the clock may still reach its deadline.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

codes! {
    /// Whether a promise was kept.
    pub enum Verdict "verdict" {
        /// Not decided.
        Pending = "pending", "Pending", "未定";
        /// Stopped at the deadline or before.
        Met = "met", "Met", "达标";
        /// The deadline passed.
        Breached = "breached", "Breached", "超时";
    }
}

/// One goal of a case at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalEvaluation {
    /// The policy.
    pub policy: PolicyId,
    /// The version of the policy that applies.
    pub version: u32,
    /// Who made the promise.
    pub kind: PolicyKind,
    /// The goal.
    pub goal: GoalId,
    /// What it measures.
    pub metric: MetricId,
    /// The rule that set the target, if one holds.
    pub rule: Option<RuleId>,
    /// The target, if a rule holds.
    pub target: Option<Target>,
    /// The revision of the calendar that was used, if the clock has one.
    pub calendar_revision: Option<u32>,
    /// How often the clock began again from zero.
    pub cycle: u32,
    /// How often another target or version applied; it never goes back.
    pub revision: u32,
    /// What the clock does.
    pub state: ClockState,
    /// Whether the promise was kept.
    pub verdict: Verdict,
    /// The start of the cycle.
    pub started_at: Option<Instant>,
    /// The stop of the cycle.
    pub stopped_at: Option<Instant>,
    /// How much is used.
    pub elapsed: Option<Amount>,
    /// How much is left; below zero past the deadline.
    pub remaining: Option<Amount>,
    /// Used over promised.
    pub share_used: Option<Ratio>,
    /// The deadline: reached already, or to be reached if nothing changes. Unknown while paused.
    pub due: Option<Instant>,
    /// While paused: the deadline if the clock resumed now.
    pub due_if_resumed_now: Option<Instant>,
    /// Whether the deadline may still move because holidays are not announced.
    pub standing: Option<Standing>,
    /// The reasons for which the clock stands still.
    pub paused_by: Vec<PauseReasonId>,
    /// The next timer event, if nothing changes.
    pub next: Option<NextEvent>,
    /// Finished cycles.
    pub past: Vec<CycleRecord>,
    /// Why there is no deadline, if that is so.
    pub trouble: Option<Trouble>,
}

/// A timer event to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextEvent {
    /// The step, or `breach`.
    pub step: StepId,
    /// When it fires.
    pub at: Instant,
}

/// A cycle that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CycleRecord {
    /// Which.
    pub cycle: u32,
    /// Under which revision it ended.
    pub revision: u32,
    /// Its start.
    pub started_at: Instant,
    /// Its end.
    pub ended_at: Instant,
    /// How it ended.
    pub ended_by: CycleEnd,
    /// How much was used.
    pub elapsed: Option<Amount>,
    /// The deadline as far as it is known.
    pub due: Option<Instant>,
    /// Whether the promise was kept.
    pub verdict: Verdict,
}

codes! {
    /// How a cycle ended.
    pub enum CycleEnd "end of a cycle" {
        /// Stopped.
        Stopped = "stopped", "Stopped", "已停止";
        /// Begun again from zero.
        Reset = "reset", "Reset", "已重置";
        /// Called off.
        Cancelled = "cancelled", "Cancelled", "已取消";
        /// Another version of the policy took over, or none.
        Replaced = "replaced", "Replaced", "已替换";
    }
}

/// Why a clock has no deadline: a decision with a type, never a failure of the whole case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trouble {
    /// No target rule holds.
    NoTarget,
    /// The calendar is not there.
    NoCalendar {
        /// Its name.
        calendar: CalendarId,
    },
    /// The deadline or the moment lies past the compiled range.
    BeyondCalendar {
        /// The first instant that the calendar does not know.
        end: Instant,
    },
    /// The clock started before the compiled range.
    BeforeCalendar {
        /// The first instant that the calendar knows.
        start: Instant,
    },
    /// The numbers leave the years 1 to 9999.
    OutOfRange,
}

/// The stable name of a timer event: the same event has the same name in every evaluation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimerId {
    /// The case.
    pub case: CaseId,
    /// The policy.
    pub policy: PolicyId,
    /// The goal.
    pub goal: GoalId,
    /// The cycle of the clock.
    pub cycle: u32,
    /// The revision of the target.
    pub revision: u32,
    /// The step, or `breach`.
    pub step: StepId,
    /// Which repetition, from zero.
    pub occurrence: u16,
}

impl fmt::Display for TimerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, policy, goal, cycle, revision, step, occurrence } = self;
        write!(f, "{case}/{policy}/{goal}/{cycle}/{revision}/{step}/{occurrence}")
    }
}

/// Something that became due by the passing of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimerEvent {
    /// Its stable name.
    pub id: TimerId,
    /// When it fires: `reached`, or later when a change or quiet hours put it off.
    pub at: Instant,
    /// When the mark was reached; for a breach the deadline itself.
    pub reached: Instant,
    /// What it is.
    pub kind: StepKind,
    /// Whom it calls.
    pub to: Option<RoleId>,
    /// The version of the policy.
    pub version: u32,
    /// The revision of the calendar, if the clock has one.
    pub calendar_revision: Option<u32>,
    /// How much was promised.
    pub promised: Amount,
}

/// What a person should know beside the numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// A target of our own is later than a statutory term for the same thing.
    LaterThanStatutory {
        /// What both measure.
        metric: MetricId,
        /// The policy with the later deadline.
        policy: PolicyId,
        /// Its deadline.
        due: Instant,
        /// The statutory policy.
        statutory: PolicyId,
        /// The statutory deadline, which wins.
        statutory_due: Instant,
    },
    /// An event pauses for a reason that is not declared; no clock honors it.
    UnknownPause {
        /// The reason.
        reason: PauseReasonId,
    },
    /// An event attaches a version of a policy that is not in the book.
    UnknownPolicy {
        /// The policy.
        policy: PolicyId,
        /// The version.
        version: u32,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LaterThanStatutory { metric, policy, due, statutory, statutory_due } => write!(
                f,
                "`{metric}`: policy `{policy}` is due {due}, later than `{statutory}` by law, due {statutory_due}"
            ),
            Self::UnknownPause { reason } => {
                write!(f, "pause `{reason}` is not declared and changes nothing")
            }
            Self::UnknownPolicy { policy, version } => {
                write!(f, "version {version} of policy `{policy}` is not in the book")
            }
        }
    }
}
