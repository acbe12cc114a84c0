//! Service levels: goals, clocks, pauses, ladders, and why a deadline is where it is.
//!
//! In: policies as data ([`policy`], verified into a [`SlaBook`](book::SlaBook)), compiled calendars,
//! the events of a case ([`history`]) and the time. Out: an [`Evaluation`](evaluation::Evaluation)
//! with every goal, every timer event, and the next time to look; on request an account of every
//! stretch of time ([`account`]) and the difference another rule would make ([`what_if`]).
//!
//! Always true, and tested in `tests/deadlines/sla.rs` and `tests/deadlines/sla_model.rs`:
//! 1. `E(t)` is the measure of the time before `t` that was running and open. The deadline is the
//!    first `t` with `E(t)` = target; warnings, reminders and escalations use the same function.
//! 2. A stop at the deadline is met, a second later it is breached; past the deadline a case is
//!    breached also while everything is closed.
//! 3. While a clock stands still its deadline is unknown unless it was reached; no date is invented.
//! 4. Evaluation is a pure function of its input: early, late and repeated calls agree, and timer
//!    events have stable names.
//! 5. A statutory term cannot be paused for internal reasons.

pub mod account;
pub mod book;
mod clock;
mod evaluate;
pub mod evaluation;
pub mod history;
pub mod ladder;
pub mod ledger;
mod measure;
pub mod policy;
mod program;
pub mod returns;
pub mod what_if;
