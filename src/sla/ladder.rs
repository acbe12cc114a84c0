//! Escalation ladders: what happens on the way to a deadline and after it.
//!
//! A step is a target of its own: "two hours before due" is the instant at which two hours remain,
//! found by the same function that finds the deadline, never by subtracting from the deadline by hand.

use serde::{Deserialize, Serialize};

use crate::id::{CalendarId, text_ids};
use crate::label::codes;

text_ids! {
    /// A step of a ladder.
    StepId = "step id";
    /// Whom a step calls: a tier or a role of the host, never interpreted here.
    RoleId = "role id";
}

/// The name of the built-in step that records a breach; no ladder may use it.
pub const BREACH: &str = "breach";
/// The most steps of one ladder.
pub const MAX_STEPS: usize = 32;
/// The most times a step repeats.
pub const MAX_REPEATS: u16 = 100;
/// The largest share of a target, in percent.
pub const MAX_PERCENT: u16 = 1_000;

/// One step of a ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The stable name, unique in the goal.
    pub id: StepId,
    /// When.
    pub at: StepAt,
    /// What it is.
    pub kind: StepKind,
    /// Whom it calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<RoleId>,
    /// Whether it is repeated until the clock stops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// A calendar outside whose hours it waits for the next opening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_outside: Option<CalendarId>,
}

/// When a step is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepAt {
    /// When this many percent of the target are used; rounded up to the second or the counted day.
    PercentUsed(u16),
    /// When this much remains.
    BeforeDue(Offset),
    /// When this much has passed since the deadline.
    AfterDue(Offset),
}

/// A distance from the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offset {
    /// How many seconds, zero or more.
    pub seconds: i64,
    /// By which clock. For goals in days it is always the wall.
    #[serde(default)]
    pub measured: Measured,
}

/// By which clock a distance is measured.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    /// By the clock of the goal: its open hours and its pauses.
    #[default]
    ByTheGoal,
    /// On the wall, day and night.
    OnTheWall,
}

/// A repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// The distance between two, in seconds above zero, by the clock of the step.
    pub every_seconds: i64,
    /// How many in all, the first included.
    pub times: u16,
}

codes! {
    /// What a step is.
    pub enum StepKind "kind of step" {
        /// Attention: the deadline comes closer.
        Warning = "warning", "Warning", "预警";
        /// Somebody is reminded.
        Reminder = "reminder", "Reminder", "催办";
        /// The case is handed to a higher tier.
        Escalation = "escalation", "Escalation", "升级";
        /// The deadline is missed.
        Breach = "breach", "Breach", "超时";
    }
}
