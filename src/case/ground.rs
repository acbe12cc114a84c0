//! On what a decision of a case rests: what permits a return, what makes a unit accepted.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::id::RuleId;
use crate::label::codes;
use crate::workflow::StateId;

/// On which ground a return is permitted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// The policy entitles the customer to it.
    Policy,
    /// The customer took the seller's offer.
    Offer,
    /// A ruling permits it.
    Ruling,
    /// Nobody decided in time (超时自动同意).
    Timeout,
    /// The parcel was called back before it was delivered (拦截成功).
    Interception,
    /// The review of the case permits it, by entering this state.
    Review {
        /// The rule that asked for the review.
        rule: RuleId,
        /// The state.
        state: StateId,
    },
    /// The seller permits it although no policy asks for it; the note says why.
    Goodwill {
        /// Why.
        note: String,
    },
}

codes! {
    /// What the acceptance of a returned unit rests on.
    pub enum AcceptanceBasis "acceptance basis" {
        /// Somebody looked at it.
        Inspected = "inspected", "Inspected", "已质检";
        /// The policy waives the inspection.
        Waived = "waived", "Inspection waived", "免检";
        /// A ruling decided it.
        Ruling = "ruling", "By ruling", "裁决";
    }
}
