//! The rule book: everything a host configures, verified together before it is used.
//!
//! In: a [`RulesDraft`], which deserializes. Out: [`Rules`], which exists only when every part is
//! sound, or [`RulesRefused`] with all defects and their places. A case records the version of the
//! rules it was opened under.

pub mod review;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::condition::schema::{FactType, Schema};
use crate::feedback::plan::{FeedbackBook, FeedbackDefect, FeedbackDraft};
use crate::id::FactName;
use crate::money::currency::Currency;
use crate::policy::deadline::Place;
use crate::policy::set::{PolicyDefects, PolicyDraft, PolicySet};
use crate::practice::verify::PracticeDefects;
use crate::practice::{Practice, PracticeDraft};
use crate::reason::taxonomy::verify::Defects as TaxonomyDefects;
use crate::reason::taxonomy::{Taxonomy, TaxonomyDraft};
use crate::rules::review::{ReviewDefects, Reviews, ReviewsDraft};

/// What a host configures.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesDraft {
    /// The version of the rule book, from 1.
    pub version: u32,
    /// The reasons.
    pub taxonomy: TaxonomyDraft,
    /// The policies.
    pub policies: Vec<PolicyDraft>,
    /// Zone, working days and closing hour by which periods are counted.
    pub place: Place,
    /// How long each stage of a case may take; without it no timer runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practice: Option<Box<PracticeDraft>>,
    /// Which cases people decide, and by which procedure; without it, whoever has the role decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviews: Option<Box<ReviewsDraft>>,
    /// Surveys, and when a customer is asked after a case has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Box<FeedbackDraft>>,
}

/// A rule book that can be used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "RulesDraft", into = "RulesDraft")]
pub struct Rules {
    version: u32,
    taxonomy: Taxonomy,
    policies: PolicySet,
    place: Place,
    practice: Option<Box<Practice>>,
    reviews: Option<Box<Reviews>>,
    feedback: Option<Box<FeedbackBook>>,
}

/// A rule book that cannot be used, with the defects of every part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RulesRefused {
    /// What is wrong, part by part; at least one.
    pub defects: Vec<RulesDefect>,
}

/// What is wrong with one part of a rule book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesDefect {
    /// Versions count from 1.
    #[error("the version of the rules is 0; versions count from 1")]
    VersionZero,
    /// The reasons.
    #[error("reasons: {0}")]
    Taxonomy(Box<TaxonomyDefects>),
    /// The policies.
    #[error("policies: {0}")]
    Policies(PolicyDefects),
    /// The practice.
    #[error("practice: {0}")]
    Practice(PracticeDefects),
    /// The reviews.
    #[error("reviews: {0}")]
    Reviews(ReviewDefects),
    /// The surveys and when they are asked.
    #[error("feedback: {0}")]
    Feedback(FeedbackDefect),
}

/// The facts that conditions of follow-up rules may test: those of a
/// [practice](crate::practice::schema), and
///
/// | fact | type | meaning |
/// | --- | --- | --- |
/// | `status` | code | how the case ended, by the codes of `case::status` |
/// | `refunded` | amount, optional | what it gave back, in the practice's currency |
#[must_use]
pub fn follow_up_schema(currency: Option<Currency>) -> Schema {
    let ended = ["completed", "closed", "expired", "cancelled"].into_iter().map(Into::into);
    let schema = crate::practice::schema(currency)
        .with(FactName::fixed("status"), FactType::Code(ended.collect()));
    match currency {
        Some(currency) => {
            schema.with_optional(FactName::fixed("refunded"), FactType::Amount(currency))
        }
        None => schema,
    }
}

impl fmt::Display for RulesRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the rules cannot be used")?;
        for (position, defect) in self.defects.iter().enumerate() {
            write!(f, "{} {defect}", if position == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl Rules {
    /// Verifies a rule book as a whole.
    ///
    /// # Errors
    ///
    /// [`RulesRefused`] with the defects of every part.
    pub fn verify(draft: RulesDraft) -> Result<Self, RulesRefused> {
        let mut defects = Vec::new();
        if draft.version == 0 {
            defects.push(RulesDefect::VersionZero);
        }
        let taxonomy = Taxonomy::verify(draft.taxonomy)
            .map_err(|found| defects.push(RulesDefect::Taxonomy(Box::new(found))));
        let policies = PolicySet::verify(draft.policies)
            .map_err(|found| defects.push(RulesDefect::Policies(found)));
        let currency = draft.practice.as_ref().and_then(|practice| practice.currency);
        let practice = draft.practice.map(|practice| Practice::verify(*practice)).transpose();
        let practice = practice.map_err(|found| defects.push(RulesDefect::Practice(found)));
        // Reviews are judged without hours when the practice that should give them is refused.
        let hours = practice.as_ref().ok().and_then(Option::as_ref);
        let reviews = draft.reviews.map(|reviews| Reviews::verify(*reviews, hours)).transpose();
        let reviews = reviews.map_err(|found| defects.push(RulesDefect::Reviews(found)));
        let schema = follow_up_schema(currency);
        let feedback = draft.feedback.map(|plan| FeedbackBook::verify(*plan, &schema)).transpose();
        let feedback =
            feedback.map_err(|found| defects.extend(found.into_iter().map(RulesDefect::Feedback)));
        let (Ok(taxonomy), Ok(policies), Ok(practice), Ok(reviews), Ok(feedback)) =
            (taxonomy, policies, practice, reviews, feedback)
        else {
            return Err(RulesRefused { defects });
        };
        if !defects.is_empty() {
            return Err(RulesRefused { defects });
        }
        Ok(Self {
            version: draft.version,
            taxonomy,
            policies,
            place: draft.place,
            practice: practice.map(Box::new),
            reviews: reviews.map(Box::new),
            feedback: feedback.map(Box::new),
        })
    }

    /// A rule book from parts that are verified already.
    #[must_use]
    pub const fn new(version: u32, taxonomy: Taxonomy, policies: PolicySet, place: Place) -> Self {
        let (practice, reviews, feedback) = (None, None, None);
        Self { version, taxonomy, policies, place, practice, reviews, feedback }
    }

    /// The same rule book with the practice of a marketplace.
    #[must_use]
    pub fn with_practice(mut self, practice: Practice) -> Self {
        self.practice = Some(Box::new(practice));
        self
    }

    /// The same rule book with review procedures.
    #[must_use]
    pub fn with_reviews(mut self, reviews: Reviews) -> Self {
        self.reviews = Some(Box::new(reviews));
        self
    }

    /// The same rule book with surveys, verified against [`follow_up_schema`].
    #[must_use]
    pub fn with_feedback(mut self, feedback: FeedbackBook) -> Self {
        self.feedback = Some(Box::new(feedback));
        self
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The reasons.
    #[must_use]
    pub const fn taxonomy(&self) -> &Taxonomy {
        &self.taxonomy
    }

    /// The policies.
    #[must_use]
    pub const fn policies(&self) -> &PolicySet {
        &self.policies
    }

    /// How long each stage of a case may take, when timers are to run.
    #[must_use]
    pub fn practice(&self) -> Option<&Practice> {
        self.practice.as_deref()
    }

    /// Which cases people decide, and by which procedure.
    #[must_use]
    pub fn reviews(&self) -> Option<&Reviews> {
        self.reviews.as_deref()
    }

    /// Surveys, and when a customer is asked.
    #[must_use]
    pub fn feedback(&self) -> Option<&FeedbackBook> {
        self.feedback.as_deref()
    }

    /// Zone, working days and closing hour.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }
}

impl TryFrom<RulesDraft> for Rules {
    type Error = RulesRefused;
    fn try_from(draft: RulesDraft) -> Result<Self, RulesRefused> {
        Self::verify(draft)
    }
}

impl From<Rules> for RulesDraft {
    fn from(rules: Rules) -> Self {
        Self {
            version: rules.version,
            taxonomy: rules.taxonomy.into_draft(),
            policies: rules.policies.into(),
            place: rules.place,
            practice: rules.practice.map(|practice| Box::new((*practice).into())),
            reviews: rules.reviews.map(|reviews| Box::new(reviews.draft().clone())),
            feedback: rules.feedback.map(|feedback| Box::new(feedback.draft().clone())),
        }
    }
}
