//! Policies that ship with the crate, as JSON texts of [`PolicyDraft`](crate::policy::set::PolicyDraft).
//!
//! Rules as understood from the sources named in each text, not legal advice. A rule whose certainty
//! is `believed` comes from memory: check it, and replace it in the text where it is wrong. Article
//! tags that the rules look for (`perishable`, `sealed_hygiene`, `family_car`) are listed in
//! `docs/policies.md`.
//!
//! ```
//! use aftersale::policy::set::{PolicyDraft, PolicySet};
//! use aftersale::preset::policies;
//! let drafts: Vec<PolicyDraft> =
//!     policies::ALL.iter().map(|text| serde_json::from_str(text)).collect::<Result<_, _>>()?;
//! let set = PolicySet::verify(drafts)?;
//! assert!(set.rules().count() > 20);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

/// A voluntary promise of a store: 30 days from the sale, refund or exchange, with proof of purchase.
///
/// Change the days, the anchor, the fee in the text, or build one with
/// [`RuleTerms::store`](crate::policy::terms::RuleTerms::store).
pub const STORE: &str = include_str!("policy/store.json");

/// China: seven-day return without reason, refund due after 7 days and in breach after 15.
pub const CN_NO_REASON: &str = include_str!("policy/cn_no_reason.json");

/// China: the practice of platforms, 168 hours from midnight after signing. Believed.
pub const CN_PLATFORM: &str = include_str!("policy/cn_platform.json");

/// China: goods not as agreed, seven days to return, exchange or repair later.
pub const CN_QUALITY: &str = include_str!("policy/cn_quality.json");

/// China: three guarantees for listed goods, by invoice date less repair time.
pub const CN_THREE_GUARANTEES: &str = include_str!("policy/cn_three_guarantees.json");

/// China: three guarantees for family cars, time or kilometers, whichever is first.
pub const CN_FAMILY_CARS: &str = include_str!("policy/cn_family_cars.json");

/// A unit under recall: the seller bears the costs, without a window.
pub const RECALL: &str = include_str!("policy/recall.json");

/// European Union: withdrawal within 14 days, with exemptions and the 12 month extension.
pub const EU_WITHDRAWAL: &str = include_str!("policy/eu_withdrawal.json");

/// European Union: conformity of goods for two years. Believed.
pub const EU_CONFORMITY: &str = include_str!("policy/eu_conformity.json");

/// United Kingdom: cancellation, short-term and final rejection, repair. Believed.
pub const UK: &str = include_str!("policy/uk.json");

/// Japan: mail order without a displayed return term, eight days. Believed.
pub const JP_MAIL_ORDER: &str = include_str!("policy/jp_mail_order.json");

/// All of them.
pub const ALL: &[&str] = &[
    STORE,
    CN_NO_REASON,
    CN_PLATFORM,
    CN_QUALITY,
    CN_THREE_GUARANTEES,
    CN_FAMILY_CARS,
    RECALL,
    EU_WITHDRAWAL,
    EU_CONFORMITY,
    UK,
    JP_MAIL_ORDER,
];
