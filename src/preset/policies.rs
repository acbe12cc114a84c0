//! Policies that ship with the crate, as JSON texts of [`PolicyDraft`](crate::policy::set::PolicyDraft).
//!
//! Rules as understood from the sources named in each text, not legal advice. A rule whose certainty
//! is `believed` comes from memory: check it, and replace it in the text where it is wrong.

/// A voluntary promise of a store: 30 days from the sale, refund or exchange, with proof of purchase.
///
/// Change the days, the anchor, the fee in the text, or build one with
/// [`RuleTerms::store`](crate::policy::terms::RuleTerms::store).
pub const STORE: &str = include_str!("policy/store.json");
