//! Workflows: what happens next to a case, as data that is proven before it runs.
//!
//! In: a [`WorkflowDraft`](definition::WorkflowDraft): states, arrows, guards over typed facts,
//! timers, approvals. [`verify`](verify::verify) returns every defect with a shortest witness, or a
//! [`Workflow`](compiled::Workflow) that can run. Out: the arrow that wins, the state that follows,
//! the timers that start, drawings, differences, migration plans.
//!
//! This module knows nothing of returns and nothing of people beyond role codes; `approval` binds a
//! definition to people and their limits.
//!
//! Always true, and tested in `tests/workflow/histories.rs`:
//! 1. A verified workflow never stands still without a way to a final state, whatever the facts.
//! 2. In every state and for every event at most one arrow wins.
//! 3. Every stored position is a state that waits: choices are passed within one decision.
//! 4. A position holds the instants of its timers, so that no later change of the definition moves
//!    a deadline that was announced.

pub mod builder;
pub mod canonical;
pub mod chain;
pub mod compiled;
pub mod defect;
pub mod definition;
pub mod difference;
pub mod drawing;
pub mod hours;
pub mod journal;
pub mod migration;
pub mod rule;
pub mod span;
pub mod token;
pub mod upcast;
pub mod verify;

use crate::id::text_ids;

text_ids! {
    /// A workflow definition, the same in all its versions.
    WorkflowId = "workflow id";
    /// A state of a workflow.
    StateId = "state id";
    /// An arrow from one state to another.
    ArrowId = "arrow id";
    /// A timer of a state.
    TimerId = "timer id";
    /// What happens to a case and may move it: `goods_received`, `approved`.
    EventName = "event name";
    /// A named condition.
    GuardName = "guard name";
    /// A role of people, opaque to the workflow.
    RoleCode = "role code";
    /// Whom a state waits for, opaque to the workflow: `customer`, `carrier`.
    PartyCode = "party code";
    /// How a case ended, opaque to the workflow: `refunded`, `declined`.
    OutcomeCode = "outcome code";
}
