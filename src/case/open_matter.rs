//! What keeps a case from being closed.

use core::fmt;

/// What keeps a case from being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OpenMatter {
    /// Goods are on their way.
    GoodsInTransit,
    /// A parcel is being called back and the carrier has not answered.
    Interception,
    /// Goods arrived and are not decided.
    GoodsUndecided,
    /// Goods were lost and nobody decided who is liable.
    LossUndecided,
    /// Goods were accepted, or lost with somebody else liable, and not settled.
    GoodsUnsettled,
    /// Refused goods are still with us.
    GoodsToReturn,
    /// A payment is owed.
    PaymentOwed,
    /// Goods are to go out, or on their way to the customer.
    ReplacementUnderWay,
    /// An advance replacement waits for its original.
    AdvanceOpen,
    /// A ruling is awaited.
    DisputeOpen,
}

impl fmt::Display for OpenMatter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GoodsInTransit => "goods are on their way back",
            Self::Interception => "a parcel is being called back",
            Self::GoodsUndecided => "received goods are not decided",
            Self::LossUndecided => "who is liable for lost goods is not decided",
            Self::GoodsUnsettled => "accepted or lost goods are not settled",
            Self::GoodsToReturn => "refused goods have not gone back to the customer",
            Self::PaymentOwed => "a payment is owed",
            Self::ReplacementUnderWay => "a replacement has not arrived",
            Self::AdvanceOpen => "an advance replacement waits for its original",
            Self::DisputeOpen => "a ruling is awaited",
        })
    }
}
