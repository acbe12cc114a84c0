//! What if: the same evaluation on an altered calendar, policy or history, with the difference.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::book::SlaBook;
use super::evaluation::{Evaluation, GoalEvaluation, TimerEvent, Verdict};
use super::history::CaseHistory;
use crate::calendar::book::Calendars;
use crate::id::{GoalId, PolicyId};
use crate::time::Instant;

/// Everything an evaluation depends on, beside the time.
#[derive(Clone, Copy, Debug)]
pub struct Scenario<'a> {
    /// The policies.
    pub book: &'a SlaBook,
    /// The calendars.
    pub calendars: &'a Calendars,
    /// What happened.
    pub history: &'a CaseHistory,
}

/// How one goal differs between two scenarios.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalDifference {
    /// The policy.
    pub policy: PolicyId,
    /// The goal.
    pub goal: GoalId,
    /// As it is; none when only the other scenario has the goal.
    pub before: Option<GoalEvaluation>,
    /// As it would be.
    pub after: Option<GoalEvaluation>,
    /// By how many seconds the deadline would move; below zero it comes earlier. None when one of
    /// the two is unknown.
    pub due_moves_by: Option<i64>,
}

/// The difference between two evaluations of one case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Goals that differ.
    pub goals: Vec<GoalDifference>,
    /// Timer events that would not have happened.
    pub gone: Vec<TimerEvent>,
    /// Timer events that would have happened.
    pub added: Vec<TimerEvent>,
}

impl Difference {
    /// Whether nothing differs.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.goals.is_empty() && self.gone.is_empty() && self.added.is_empty()
    }

    /// How many more goals would be breached; below zero fewer.
    #[must_use]
    pub fn more_breaches(&self) -> i64 {
        let breached = |goal: &Option<GoalEvaluation>| {
            goal.as_ref().is_some_and(|goal| goal.verdict == Verdict::Breached)
        };
        self.goals.iter().fold(0_i64, |sum, goal| {
            let (before, after) = (breached(&goal.before), breached(&goal.after));
            sum.saturating_add(i64::from(after)).saturating_sub(i64::from(before))
        })
    }
}

impl Scenario<'_> {
    /// The evaluation of this scenario.
    #[must_use]
    pub fn evaluate(&self, now: Instant) -> Evaluation {
        self.book.evaluate(self.calendars, self.history, now)
    }

    /// What would be different at `now` in another scenario.
    #[must_use]
    pub fn compare(&self, other: &Scenario<'_>, now: Instant) -> Difference {
        difference(&self.evaluate(now), &other.evaluate(now))
    }
}

/// What is different between two evaluations.
#[must_use]
pub fn difference(before: &Evaluation, after: &Evaluation) -> Difference {
    let mut found = Difference::default();
    let pair = |old: Option<&GoalEvaluation>, new: Option<&GoalEvaluation>| {
        let goal = old.or(new)?;
        let dues = old.and_then(|old| old.due).zip(new.and_then(|new| new.due));
        Some(GoalDifference {
            policy: goal.policy.clone(),
            goal: goal.goal.clone(),
            before: old.cloned(),
            after: new.cloned(),
            due_moves_by: dues.map(|(old, new)| new.signed_duration_since(old).num_seconds()),
        })
    };
    for old in &before.goals {
        let new = after.goal(&old.policy, &old.goal);
        if new != Some(old) {
            found.goals.extend(pair(Some(old), new));
        }
    }
    for new in &after.goals {
        if before.goal(&new.policy, &new.goal).is_none() {
            found.goals.extend(pair(None, Some(new)));
        }
    }
    let only = |these: &[TimerEvent], those: &[TimerEvent]| {
        let known: BTreeSet<_> = those.iter().map(|other| (&other.id, other.reached)).collect();
        let is_there = |event: &&TimerEvent| known.contains(&(&event.id, event.reached));
        these.iter().filter(|event| !is_there(event)).cloned().collect::<Vec<_>>()
    };
    found.gone = only(&before.events, &after.events);
    found.added = only(&after.events, &before.events);
    found
}
