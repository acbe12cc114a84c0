//! Service levels as data: policies with goals, their clocks, targets and ladders.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::ladder::Step;
use crate::calendar::day_term::DayTerm;
use crate::condition::Condition;
use crate::id::{CalendarId, GoalId, PauseReasonId, PolicyId, RuleId, text_ids};
use crate::label::codes;

text_ids! {
    /// What a goal measures, such as `first_response`; two goals of one metric are compared.
    MetricId = "metric id";
}

/// What a host writes: the reasons for which clocks stand still, and the policies.
///
/// [`SlaBook::verify`](super::book::SlaBook::verify) makes it usable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlaDraft {
    /// Why a clock may stand still.
    #[serde(default)]
    pub pauses: Vec<PauseRule>,
    /// The policies, each version an entry of its own.
    #[serde(default)]
    pub policies: Vec<SlaPolicy>,
}

/// A reason for which clocks stand still. It belongs to the case, not to a policy: each goal says
/// which reasons it honors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PauseRule {
    /// The stable name.
    pub id: PauseReasonId,
    /// Whose turn it is meanwhile.
    pub turn: Turn,
    /// While this holds, the reason is held; without it, events say so.
    #[serde(default, rename = "while", skip_serializing_if = "Option::is_none")]
    pub held_while: Option<Condition>,
}

codes! {
    /// Whose turn it is while a clock stands still.
    pub enum Turn "turn" {
        /// The customer must act.
        Customer = "customer", "Waiting for the customer", "等待客户";
        /// A supplier or manufacturer must act.
        Supplier = "supplier", "Waiting for the supplier", "等待供应商";
        /// The carrier has the goods.
        Carrier = "carrier", "With the carrier", "物流运输中";
        /// A court, a customs office or a laboratory must act.
        Authority = "authority", "Waiting for an authority", "等待主管机构";
        /// We ourselves cannot go on.
        Internal = "internal", "Internal hold", "内部挂起";
    }
}

codes! {
    /// Who made a promise.
    pub enum PolicyKind "kind of policy" {
        /// A law. Internal reasons never pause it, and it wins over later promises.
        Statutory = "statutory", "Statutory", "法定";
        /// A contract or the rules of a marketplace.
        Contract = "contract", "Contract", "合同约定";
        /// A target of our own.
        Internal = "internal", "Internal target", "内部目标";
        /// A figure to compare with, promised to nobody.
        Benchmark = "benchmark", "Benchmark", "行业标杆";
    }
}

/// One version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlaPolicy {
    /// The stable name.
    pub id: PolicyId,
    /// The version; a case keeps the one it was attached to until an event says otherwise.
    #[serde(default = "first_version")]
    pub version: u32,
    /// Who made the promise.
    pub kind: PolicyKind,
    /// Where it is written: a law with its article, a contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Which cases it is for, asked by [`SlaBook::select`](super::book::SlaBook::select).
    #[serde(default = "always")]
    pub applies: Condition,
    /// Its goals.
    pub goals: Vec<Goal>,
}

fn first_version() -> u32 {
    1
}

fn always() -> Condition {
    Condition::Always
}

/// One promise about one clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// The stable name, unique in the policy and kept from version to version.
    pub id: GoalId,
    /// What it measures.
    pub metric: MetricId,
    /// When the clock starts.
    pub start: Trigger,
    /// When it stops.
    pub stop: Trigger,
    /// When it is called off, without a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<Trigger>,
    /// When a running clock begins again from zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<Trigger>,
    /// When a stopped clock goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopen: Option<Trigger>,
    /// For which reasons it stands still.
    #[serde(default)]
    pub honors: Honors,
    /// The targets in order; the first whose condition holds applies.
    pub targets: Vec<TargetRule>,
    /// From when time counts for a case to which the policy is attached later.
    #[serde(default)]
    pub counts_from: CountsFrom,
    /// Whether the clock may start again after it stopped.
    #[serde(default)]
    pub starts: Starts,
    /// What a reopened clock does.
    #[serde(default)]
    pub on_reopen: OnReopen,
    /// What happens to time already used when another target or another version applies.
    #[serde(default)]
    pub on_change: ChangeMode,
    /// Warnings, reminders and escalations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ladder: Vec<Step>,
}

/// A condition that moves a clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// The condition over the facts of the case and of the event.
    pub when: Condition,
    /// When it fires.
    #[serde(default)]
    pub fires: Fires,
}

impl Trigger {
    /// Fires when a condition begins to hold.
    #[must_use]
    pub const fn on(when: Condition) -> Self {
        Self { when, fires: Fires::OnRise }
    }
}

/// When a trigger fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fires {
    /// With the event that makes the condition hold (edge).
    #[default]
    OnRise,
    /// With every event while the condition holds (level).
    WhileTrue,
}

/// For which reasons a clock stands still.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Honors {
    /// For none.
    #[default]
    Nothing,
    /// For every reason; a statutory goal for every reason that is not internal.
    Every,
    /// For these.
    Only(BTreeSet<PauseReasonId>),
}

/// A target and the cases it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRule {
    /// The stable name, unique in the goal.
    pub id: RuleId,
    /// Which cases.
    #[serde(default = "always")]
    pub when: Condition,
    /// How long, by which clock.
    pub target: Target,
}

/// How long, and by which clock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "clock", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Target {
    /// Open time of a calendar.
    Business {
        /// The open seconds promised, above zero.
        seconds: i64,
        /// The calendar.
        calendar: CalendarId,
    },
    /// Time of the clock on the wall, day and night.
    Calendar {
        /// The seconds promised, above zero.
        seconds: i64,
    },
    /// Whole days: the first is not counted, the last ends the term. A day that a pause touches is
    /// not counted.
    Days {
        /// The term.
        term: DayTerm,
        /// The calendar, for its zone and its working days.
        calendar: CalendarId,
    },
}

impl Target {
    /// The calendar it needs, if any.
    #[must_use]
    pub const fn calendar(&self) -> Option<&CalendarId> {
        match self {
            Self::Business { calendar, .. } | Self::Days { calendar, .. } => Some(calendar),
            Self::Calendar { .. } => None,
        }
    }

    /// The amount promised, in the unit of the clock.
    #[must_use]
    pub const fn amount(&self) -> Amount {
        match self {
            Self::Business { seconds, .. } => Amount::OpenSeconds(*seconds),
            Self::Calendar { seconds } => Amount::Seconds(*seconds),
            #[expect(clippy::as_conversions, reason = "i64::from is not const; widening is exact")]
            Self::Days { term, .. } => Amount::Days(term.days as i64),
        }
    }
}

/// An amount of time in the unit of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "unit", content = "value", rename_all = "snake_case")]
pub enum Amount {
    /// Seconds of open time.
    OpenSeconds(i64),
    /// Seconds on the wall.
    Seconds(i64),
    /// Counted days.
    Days(i64),
}

impl Amount {
    /// The number, without its unit.
    #[must_use]
    pub const fn value(self) -> i64 {
        match self {
            Self::OpenSeconds(value) | Self::Seconds(value) | Self::Days(value) => value,
        }
    }

    /// Another number in the same unit.
    #[must_use]
    pub const fn with(self, value: i64) -> Self {
        match self {
            Self::OpenSeconds(_) => Self::OpenSeconds(value),
            Self::Seconds(_) => Self::Seconds(value),
            Self::Days(_) => Self::Days(value),
        }
    }
}

impl core::fmt::Display for Amount {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::OpenSeconds(value) => write!(f, "{} of open time", Clockwise(*value)),
            Self::Seconds(value) => write!(f, "{}", Clockwise(*value)),
            Self::Days(1) => f.write_str("1 counted day"),
            Self::Days(value) => write!(f, "{value} counted days"),
        }
    }
}

/// Seconds as hours and minutes: the one place that formats an amount of time.
struct Clockwise(i64);

impl core::fmt::Display for Clockwise {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let seconds = self.0.unsigned_abs();
        let part = |unit: u64, of: u64| {
            seconds.checked_div(unit).and_then(|count| count.checked_rem(of)).unwrap_or(0)
        };
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{} h {:02} min", part(3600, u64::MAX), part(60, 60))?;
        if part(1, 60) == 0 { Ok(()) } else { write!(f, " {:02} s", part(1, 60)) }
    }
}

/// From when time counts for a case to which a policy is attached later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountsFrom {
    /// From the case's own start, as if the policy had been there: for promises to the customer.
    #[default]
    CaseStart,
    /// From the moment it is attached: for a team that inherits a case.
    Attachment,
}

/// Whether a clock may start again after it stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starts {
    /// Once: a first response is a first response.
    #[default]
    Once,
    /// With every start a new cycle, such as an answer to each message.
    EveryTime,
}

/// What a reopened clock does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnReopen {
    /// It goes on; the time between does not count.
    #[default]
    Continue,
    /// It begins a new cycle from zero; the old one keeps its verdict.
    NewCycle,
}

codes! {
    /// What happens to time already used when another target or another version applies.
    pub enum ChangeMode "change mode" {
        /// The whole timeline is measured again by the new clock; pauses are kept.
        Retroactive = "retroactive", "Measured again", "追溯重算";
        /// What was used stays used, the rest runs by the new clock. Where the unit changes, the
        /// share is kept.
        Prospective = "prospective", "From now on", "此后适用";
        /// The clock begins again from zero.
        Restart = "restart", "From zero", "重新计时";
        /// The old target stays.
        Keep = "keep", "Old target kept", "保持原目标";
        /// The share used is carried over, rounded down to the second or the day.
        Scale = "scale", "Share kept", "按比例折算";
    }
}

#[expect(clippy::derivable_impls, reason = "the codes! macro declares the enum")]
impl Default for ChangeMode {
    fn default() -> Self {
        Self::Retroactive
    }
}
