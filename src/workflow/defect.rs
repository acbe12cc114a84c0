//! What can be wrong with a definition, and the proof that it is.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::span::{Clock, Span};
use super::{ArrowId, GuardName, StateId, TimerId};
use crate::condition::Facts;
use crate::label::codes;

codes! {
    /// What is wrong with a definition.
    pub enum DefectCode "defect" {
        /// Two states, two arrows, or two timers of one state share an id.
        DuplicateId = "duplicate_id", "id used twice", "编号重复";
        /// The initial state does not exist.
        MissingInitial = "missing_initial", "no initial state", "缺少起始状态";
        /// No state is final.
        NoFinal = "no_final", "no final state", "缺少结束状态";
        /// An arrow, a timer or a rule names a state that does not exist.
        Dangling = "dangling", "names a state that does not exist", "指向不存在的状态";
        /// An arrow names a guard that does not exist, or a condition cannot be used.
        UnknownGuard = "unknown_guard", "guard cannot be used", "条件不可用";
        /// A duration is not above zero, or longer than ten years.
        BadDuration = "bad_duration", "impossible duration", "时长不合理";
        /// An approval says nothing about who is asked.
        ApprovalUnspecified = "approval_unspecified", "approval without approvers", "审批未指定审批人";
        /// A limit or a fact of the policy cannot be used.
        BadPolicy = "bad_policy", "rule for the case cannot be used", "流程规则不可用";
        /// The definition is of another form, too large, or has too many situations to check.
        TooLarge = "too_large", "too large to check", "规模过大无法校验";
        /// No case can ever reach the state.
        UnreachableState = "unreachable_state", "never reached", "状态不可达";
        /// The arrow or timer can never be taken though its state is reached.
        DeadTransition = "dead_transition", "never taken", "流转永不生效";
        /// A case that gets there has no way out.
        DeadEnd = "dead_end", "no way out", "死胡同";
        /// A case that gets there moves for ever and never ends.
        Livelock = "livelock", "moves for ever without an end", "无法结束的循环";
        /// Two arrows or two timers would both be taken.
        Nondeterministic = "nondeterministic", "two ways at once", "流转不唯一";
        /// A choice has no arrow for some facts.
        NotTotal = "not_total", "choice without a way for some facts", "分支条件有遗漏";
        /// An approval has no arrow for one of its two outcomes.
        ApprovalOutcomeUnhandled = "approval_outcome_unhandled", "outcome without an arrow", "审批结果未处理";
        /// A state waits for somebody, without an end and without a reason.
        MissingTimer = "missing_timer", "waits without an end", "缺少超时设置";
        /// Choices and timers alone keep a case turning.
        SystemCycle = "system_cycle", "turns for ever with nobody acting", "无人参与的循环";
        /// A final state has arrows or timers.
        ImproperCompletion = "improper_completion", "goes on after the end", "结束后仍有流转";
        /// Nobody can give the approval.
        ApprovalUnsatisfiable = "approval_unsatisfiable", "approval nobody can give", "审批无法完成";
        /// Nobody is asked and the approval passes.
        ApprovalVacuous = "approval_vacuous", "approval nobody is asked for", "审批形同虚设";
        /// The threshold is not one.
        ApprovalBadThreshold = "approval_bad_threshold", "impossible threshold", "审批比例或人数不合理";
        /// The constraints on facts allow no case at all.
        ContradictoryGuards = "contradictory_guards", "facts contradict each other", "条件相互矛盾";
    }
}

/// Where a defect is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The definition as a whole.
    Definition,
    /// A state.
    State(StateId),
    /// An arrow.
    Arrow(ArrowId),
    /// A timer of a state.
    Timer(StateId, TimerId),
    /// A guard by name.
    Guard(GuardName),
}

/// One step of a case on its way to a defect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The state it leaves.
    pub from: StateId,
    /// What it takes.
    pub by: Taken,
    /// The state it enters.
    pub to: StateId,
    /// The facts under which it takes it; facts that do not matter are left out.
    pub facts: Facts,
}

/// What a case takes from one state to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// An arrow.
    Arrow(ArrowId),
    /// A timer.
    Timer(TimerId),
}

/// A shortest way to a defect, and the facts under which it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// From the initial state to the defect.
    pub path: Vec<Step>,
    /// The facts at the defect; facts that do not matter are left out.
    pub facts: Facts,
}

/// One thing that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defect {
    /// What.
    pub code: DefectCode,
    /// Where.
    pub at: Place,
    /// The particulars, in English: the name not found, the two arrows, the outcome.
    pub detail: String,
    /// How a case runs into it; none where the definition shows it by itself.
    pub witness: Option<Witness>,
}

codes! {
    /// What is allowed in a definition and yet worth a look.
    pub enum WarningCode "warning" {
        /// An arrow leaves an approval past its two outcomes and names no role that may take it.
        ApprovalBypass = "approval_bypass", "leaves an approval without a vote", "可绕过审批";
        /// A guard is declared and no arrow uses it.
        UnusedGuard = "unused_guard", "guard not used", "条件未使用";
    }
}

/// What is worth a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What.
    pub code: WarningCode,
    /// Where.
    pub at: Place,
}

/// A length of time: first so many seconds by one clock, then so many by the other.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    /// Seconds of elapsed time.
    pub elapsed_seconds: i64,
    /// Seconds of business time.
    pub business_seconds: i64,
}

impl From<Span> for Stay {
    fn from(span: Span) -> Self {
        match span.clock() {
            Clock::Elapsed => Self { elapsed_seconds: span.seconds(), business_seconds: 0 },
            Clock::Business => Self { elapsed_seconds: 0, business_seconds: span.seconds() },
        }
    }
}

impl Stay {
    /// Both, one after the other; more than a clock can count stays at the most it can.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            elapsed_seconds: self.elapsed_seconds.saturating_add(other.elapsed_seconds),
            business_seconds: self.business_seconds.saturating_add(other.business_seconds),
        }
    }

    pub(super) const fn times(self, times: i64) -> Self {
        Self {
            elapsed_seconds: self.elapsed_seconds.saturating_mul(times),
            business_seconds: self.business_seconds.saturating_mul(times),
        }
    }

    /// The seconds of both clocks together: a measure for comparing, not a time.
    pub(super) const fn seconds(self) -> i64 {
        self.elapsed_seconds.saturating_add(self.business_seconds)
    }

    /// Whether it has surely passed by the time the other has, whatever the calendar.
    pub(super) const fn is_within(self, other: Self) -> bool {
        self.seconds() <= other.seconds()
            && (self.business_seconds == 0 || other.elapsed_seconds == 0)
    }

    /// The longest that two things take of which the first to happen counts.
    pub(super) const fn sooner(self, other: Self) -> Self {
        if self.is_within(other) || (self.business_seconds == 0 && !other.is_within(self)) {
            self
        } else {
            other
        }
    }
}

impl fmt::Display for Stay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elapsed = Span::new(Clock::Elapsed, self.elapsed_seconds);
        let business = Span::new(Clock::Business, self.business_seconds);
        match (self.elapsed_seconds, self.business_seconds) {
            (_, 0) => write!(f, "{elapsed}"),
            (0, _) => write!(f, "{business}"),
            _ => write!(f, "{elapsed} and {business}"),
        }
    }
}

/// How long a case can stay in a state while nobody acts, and where it goes then.
///
/// Counted are the timers of the state and the timeouts of silent seats, at their latest: a seat that
/// can be handed over is, as often as the policy allows. A case that is stuck because nobody can be
/// asked waits for somebody and is not counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// The state.
    pub state: StateId,
    /// The longest stay in this state. None when it has no end, and when its end depends on how many
    /// people the directory names (a sequence that time approves seat by seat).
    pub here: Option<Stay>,
    /// The longest time from this state to one that waits without an end, to the requester, or to a
    /// final state, on timers, silent seats and choices alone.
    pub total: Stay,
    /// Where that way ends.
    pub until: StateId,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definition => f.write_str("the definition"),
            Self::State(state) => write!(f, "state `{state}`"),
            Self::Arrow(arrow) => write!(f, "arrow `{arrow}`"),
            Self::Timer(state, timer) => write!(f, "timer `{timer}` of state `{state}`"),
            Self::Guard(guard) => write!(f, "guard `{guard}`"),
        }
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.path.iter().enumerate() {
            if position == 0 {
                write!(f, "{}", step.from)?;
            }
            match &step.by {
                Taken::Arrow(arrow) => write!(f, " -{arrow}-> {}", step.to)?,
                Taken::Timer(timer) => write!(f, " -after {timer}-> {}", step.to)?,
            }
        }
        if self.path.is_empty() {
            f.write_str("at the start")?;
        }
        if self.facts.iter().next().is_some() {
            write!(f, ", with {}", self.facts)?;
        }
        Ok(())
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::label::{Coded, Language};
        write!(f, "{}: {}", self.at, self.code.label(Language::English))?;
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail)?;
        }
        match &self.witness {
            Some(witness) => write!(f, "; shown by {witness}"),
            None => Ok(()),
        }
    }
}
