//! Approval: a workflow bound to people, their limits, their absences and their deadlines.
//!
//! In: a verified [`Workflow`](crate::workflow::compiled::Workflow), the facts of a case, a
//! [`Directory`](directory::Directory) of people, opening hours, a command and its time. Out: entries
//! to store, or a refusal that says why. [`Process`](process::Process) is the state of one case.
//!
//! Always true, and tested in `tests/workflow/approval.rs`:
//! 1. Nobody approves what they asked for, nor beyond their limit, nor where they are kept apart.
//! 2. An approval is never given by nobody: without people left the case is stuck, unless the
//!    definition says otherwise, and then the system is the recorded actor.
//! 3. Entries carry results. Replaying them needs no definition, no directory and no clock.
//! 4. A refused command changes nothing; a repeated one does nothing.
//! 5. Timers act at their own instants, whenever the host comes to ask.

pub mod allowed;
pub mod change;
pub mod command;
mod desk;
pub mod directory;
pub mod effect;
pub mod forecast;
pub mod migrate;
pub mod node;
mod orders;
pub mod process;
pub mod refusal;
pub mod standing;
pub mod step;
mod timers;
