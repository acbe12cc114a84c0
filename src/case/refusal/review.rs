//! What stands in the way of a step of a review, or of moving it to another version.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::id::RuleId;
use crate::workflow::migration::MigrationDefect;
use crate::workflow::{StateId, WorkflowId};

/// What stands in the way of a step of a review, or of moving it to another version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewObstacle {
    /// A review decides the case.
    #[error("review `{procedure}` stands at `{state}`; {act} waits for it")]
    UnderReview {
        /// The procedure.
        procedure: WorkflowId,
        /// Where it stands.
        state: StateId,
        /// What was attempted, in words.
        act: &'static str,
    },
    /// The case is not under review.
    #[error("the case is not under review")]
    NoReview,
    /// The rules no longer have the definition that the case runs under.
    #[error(
        "the rules have no version {version} of review `{procedure}` as the case runs under it"
    )]
    UnknownProcedure {
        /// The procedure.
        procedure: WorkflowId,
        /// The version.
        version: u32,
    },
    /// The review runs under that version already.
    #[error("review `{procedure}` runs under version {version} already")]
    SameVersion {
        /// The procedure.
        procedure: WorkflowId,
        /// The version.
        version: u32,
    },
    /// The rules no longer have the rule that bound the procedure to the case.
    #[error("the rules no longer bind the review by rule `{rule}`")]
    UnknownReviewRule {
        /// The rule.
        rule: RuleId,
    },
    /// The review cannot be moved to the other version.
    #[error("the review cannot go on under the other version: {}", listed(defects))]
    Migration {
        /// Everything that stands in the way.
        defects: Vec<MigrationDefect>,
    },
    /// A fact that the procedure declares is not known, or not of its type.
    #[error("review `{procedure}` needs `{fact}`, which is not stated as it declares it")]
    ReviewFact {
        /// The procedure.
        procedure: WorkflowId,
        /// The fact.
        fact: crate::id::FactName,
    },
    /// The procedure does not take it.
    #[error(transparent)]
    Procedure(Box<crate::approval::refusal::Refusal>),
}

fn listed(defects: &[MigrationDefect]) -> String {
    let mut text = String::new();
    for (position, defect) in defects.iter().enumerate() {
        text.push_str(if position == 0 { "" } else { "; " });
        text.push_str(&alloc::format!("{defect}"));
    }
    text
}
