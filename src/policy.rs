//! Return rights: windows, entitlements, refusals, from the law and from the seller's promise.
//!
//! In: verified policies ([`set::PolicySet`]), what is known about a line ([`facts::LineFacts`]), what
//! happened when ([`deadline::Timeline`]), and where ([`deadline::Place`]). Out: a
//! [`verdict::Verdict`]: every right that applies, with its remedies, its deadline and the steps to it,
//! who pays the freight, what may be deducted, when the money is due; every right refused, with all
//! grounds and their numbers; every right that waits for a fact.
//!
//! Policies are data. Those that ship with the crate are rules as understood from the sources they
//! name. They are not legal advice; a host checks, changes and versions them. The guide is
//! `docs/policies.md`.
//!
//! Always true, and tested in `tests/policy/judging.rs`:
//! 1. Every rule of the set is answered exactly once: nothing is silently dropped.
//! 2. Laws add up: another policy in the set never takes a right away.
//! 3. A missing fact never grants and never refuses; it is asked for, or the right stands subject to it.
//! 4. The order of the policies changes neither what is granted nor what is refused.

pub mod deadline;
mod due;
pub mod facts;
pub mod judge;
pub mod period;
pub mod set;
pub mod terms;
pub mod verdict;

/// The guide's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../docs/policies.md")]
pub struct Guide;
