//! What stands in the way of a claim against a liable party, or of what is recorded for it.

use crate::case::liability::Party;
use crate::case::recovery::ClaimState;
use crate::id::OrderLineId;
use crate::money::Money;
use crate::money::currency::Currency;
use crate::settlement::recovery::RecoveryRefused;

/// What stands in the way of a claim against a liable party, or of what is recorded for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimObstacle {
    /// The amount is not above zero, or in another currency.
    #[error("{amount} is not an amount above zero in {currency}")]
    BadAmount {
        /// The amount.
        amount: Money,
        /// The currency of the order.
        currency: Currency,
    },
    /// Goods are said to be worth more than their return cost.
    #[error("line {line}: {asked} is more than the {cost} that its return cost")]
    MoreThanCost {
        /// The line.
        line: OrderLineId,
        /// The worth stated.
        asked: Money,
        /// The cost.
        cost: Money,
    },
    /// Nobody decided who is liable, so nothing can be claimed.
    #[error("line {line}: it is not decided who is liable")]
    NoLiability {
        /// The line.
        line: OrderLineId,
    },
    /// The decision about liability is objected to.
    #[error("line {line}: somebody objects to the liability; it is to be decided again first")]
    LiabilityAppealed {
        /// The line.
        line: OrderLineId,
    },
    /// Nothing can be claimed from such a party.
    #[error("nothing can be claimed from the {party}")]
    NotClaimable {
        /// The party.
        party: Party,
    },
    /// The party's part of the cost is claimed already, or there is none.
    #[error("line {line}: nothing is open to be claimed from the {party}")]
    NothingToClaim {
        /// The line.
        line: OrderLineId,
        /// The party.
        party: Party,
    },
    /// What is claimed does not fit what the party bears.
    #[error(transparent)]
    Recovery(RecoveryRefused),
    /// The case has no such claim.
    #[error("the case has no recovery claim {claim}")]
    UnknownClaim {
        /// The number.
        claim: u32,
    },
    /// The claim has ended.
    #[error("recovery claim {claim} is {state} already")]
    ClaimEnded {
        /// The number.
        claim: u32,
        /// How it ended.
        state: ClaimState,
    },
    /// More came in than the claim has open.
    #[error("recovery claim {claim}: {asked} came in, {open} is open")]
    MoreThanClaimed {
        /// The number.
        claim: u32,
        /// What came in.
        asked: Money,
        /// What is open.
        open: Money,
    },
}
