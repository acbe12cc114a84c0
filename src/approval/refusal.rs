//! Why a command is refused, or an entry cannot be applied.

use alloc::boxed::Box;

use crate::condition::Facts;
use crate::id::{ActorId, FactName};
use crate::money::Money;
use crate::workflow::journal::{JournalCorrupt, JournalRefusal};
use crate::workflow::token::StuckToken;
use crate::workflow::{EventName, RoleCode, StateId};

use super::change::BackTo;
use super::node::SeatId;

/// A command that the case does not accept; nothing changes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Repeated with another content, stale, or backdated.
    #[error(transparent)]
    Journal(#[from] JournalRefusal),
    /// The case was not submitted yet.
    #[error("the case was not submitted yet")]
    NotSubmitted,
    /// The case was submitted before.
    #[error("the case was submitted already")]
    AlreadySubmitted,
    /// The context holds another definition than the one the case runs under.
    #[error("the case runs under another version of the workflow")]
    OtherWorkflow,
    /// The case is over.
    #[error("the case is over")]
    Over,
    /// The case lies with the requester.
    #[error("the case was sent back; the requester has to submit it again")]
    WithRequester,
    /// The case is stuck.
    #[error("the case is stuck; nobody can approve it until that is resolved")]
    IsStuck,
    /// Nothing to do again.
    #[error("the case is not stuck and was not sent back")]
    NothingToRetry,
    /// Facts that approvals depend on differ from those submitted.
    #[error("`{fact}` differs from what was submitted; declare the change first")]
    FactsDiffer {
        /// One of the facts.
        fact: FactName,
    },
    /// A declared change changes nothing.
    #[error("no fact that matters has changed")]
    NothingChanged,
    /// A fact that is needed is missing.
    #[error("`{fact}` is not known")]
    FactMissing {
        /// The fact.
        fact: FactName,
    },
    /// No approval is open.
    #[error("no approval is open")]
    NoApprovalOpen,
    /// The person holds no active seat.
    #[error("`{person}` is not asked for a decision now")]
    NotYourTurn {
        /// The person.
        person: ActorId,
    },
    /// The requester may not do that.
    #[error("`{person}` asked for it and cannot decide on it")]
    SelfApproval {
        /// The person.
        person: ActorId,
    },
    /// The person approved where the two must differ.
    #[error("`{person}` approved at `{state}` and cannot decide here too")]
    DutyConflict {
        /// The person.
        person: ActorId,
        /// The other approval.
        state: StateId,
    },
    /// The amount is above the person's limit.
    #[error("{amount} is above the limit of `{person}`; transfer the approval")]
    ExceedsLimit {
        /// The person.
        person: ActorId,
        /// The amount.
        amount: Money,
    },
    /// The person has to do with the approval already.
    #[error("`{person}` takes part in this approval already")]
    AlreadyInvolved {
        /// The person.
        person: ActorId,
    },
    /// The seat was passed on too often.
    #[error("the approval was passed on {hops} times already, no more is allowed")]
    TooManyTransfers {
        /// How often.
        hops: u32,
    },
    /// The approval has too many seats, or too many people would have to be looked at for it.
    #[error("the approval would have {seats} signers, at most {most} are allowed")]
    TooManySeats {
        /// How many it would have, those left out included.
        seats: usize,
        /// How many are allowed.
        most: u32,
    },
    /// The case went round too often.
    #[error("the case went {rounds} rounds already, no more is allowed; change it or withdraw it")]
    TooManyRounds {
        /// How many.
        rounds: u32,
    },
    /// An opinion was asked for and not given yet.
    #[error("an opinion of `{of}` is awaited; recall it first")]
    OpinionAwaited {
        /// Of whom.
        of: ActorId,
    },
    /// The person was not asked for an opinion, or awaits none.
    #[error("no opinion is awaited")]
    NoOpinionAwaited,
    /// Nobody was named.
    #[error("nobody was named")]
    NobodyNamed,
    /// Signers beside do not exist where one votes after the other.
    #[error("in an approval one after the other, signers can be added before or after, not beside")]
    NoParallelInSequence,
    /// Only seats that count by the rule can get signers beside them.
    #[error("only an approver of the rule can add signers beside")]
    NotTopLevel,
    /// The person did not add this signer, or the signer has voted.
    #[error("`{person}` is not a signer you added who has not voted yet")]
    NotRemovable {
        /// The signer.
        person: ActorId,
    },
    /// The case was not at that approval before in this round.
    #[error("the case cannot be sent back there: it was not passed in this round")]
    NotPassed {
        /// Where to.
        to: BackTo,
    },
    /// Only the requester may do that.
    #[error("only the requester can do that")]
    RequesterOnly,
    /// Somebody has voted already.
    #[error("somebody has voted already; the case can no longer be withdrawn")]
    VotedAlready,
    /// Not the last approver, or somebody acted since.
    #[error("there is no approval of yours to take back")]
    NothingToTakeBack,
    /// Approvals are given by votes.
    #[error("`{event}` is decided by votes")]
    ByVoteOnly {
        /// The event.
        event: EventName,
    },
    /// The person lacks the role.
    #[error("`{person}` would need the role `{role}`")]
    NotInRole {
        /// The person.
        person: ActorId,
        /// The role.
        role: RoleCode,
    },
    /// The workflow does not lead on.
    #[error(transparent)]
    Token(#[from] StuckToken),
    /// The texts or lists are too long.
    #[error("the text has {bytes} bytes, at most {most} are allowed")]
    TooLong {
        /// The length.
        bytes: usize,
        /// The most.
        most: usize,
    },
    /// The system would go on for ever; a verified workflow does not.
    #[error("the workflow goes on without an end under {facts}")]
    Runaway {
        /// The facts.
        facts: Facts,
    },
    /// The stored state does not fit the definition.
    #[error("the stored case does not fit its workflow: {0}")]
    Inconsistent(Box<Corrupt>),
}

/// An entry that cannot be applied to the state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Corrupt {
    /// The entry is out of place.
    #[error(transparent)]
    Journal(#[from] JournalCorrupt),
    /// The case was not submitted, or twice.
    #[error("a history starts with one submission")]
    NotSubmittedOnce,
    /// The entry speaks of a seat that is not there.
    #[error("there is no seat {seat}")]
    NoSeat {
        /// The seat.
        seat: SeatId,
    },
    /// The entry speaks of an approval that is not open.
    #[error("no approval is open")]
    NoNode,
    /// The entry opens an approval while one is open, or while the case is over.
    #[error("an approval is open already, or the case is over")]
    NodeOpen,
    /// The entry has more seats than there can be.
    #[error("too many seats")]
    TooManySeats,
    /// The entry does not fit the standing of the case.
    #[error("the entry does not fit a case that is {0}")]
    Phase(&'static str),
}

impl From<Corrupt> for Refusal {
    fn from(corrupt: Corrupt) -> Self {
        Self::Inconsistent(Box::new(corrupt))
    }
}
