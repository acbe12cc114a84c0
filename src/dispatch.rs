//! Dispatch (自动分配工单): which agent gets which case, and why.
//!
//! In: rules as data ([`rules`]), a [`Board`](board::Board) of agents with their skills, languages,
//! tiers, shifts, capacity and load, and the facts of a case. Out: an assignment, or the typed reason
//! why the case waits, with findings that count why agents were left out.
//!
//! Always true, and tested in `tests/deadlines/dispatch.rs`:
//! 1. Nobody gets a case without the skills, the language and the tier that the rule asks for, while
//!    absent, outside the shift, or above capacity.
//! 2. The order of candidates is total: the same board and the same case give the same agent.
//! 3. A batch is the same as its cases one by one, in the order of their deadlines, whatever order it
//!    is handed over in.

pub mod agent;
pub mod assign;
pub mod board;
pub mod rules;
