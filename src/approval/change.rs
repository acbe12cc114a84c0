//! What can happen to a case: the bodies of its entries. Each carries its result.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::node::{Beside, MAX_SEATS, SeatId, SeatTimer, Tally, Verdict, Vote};
use super::standing::StuckReason;
use crate::condition::Facts;
use crate::id::{ActorId, CaseId};
use crate::label::codes;
use crate::time::Instant;
use crate::workflow::compiled::Pin;
use crate::workflow::definition::{MAX_PER_STATE, MAX_STATES, few};
use crate::workflow::rule::{Mode, RejectRule};
use crate::workflow::token::{Moved, Token};
use crate::workflow::{EventName, StateId, TimerId};

/// One change of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Somebody submitted the case.
    Submitted {
        /// The case.
        case: CaseId,
        /// Who asked.
        requester: ActorId,
        /// The definition it runs under.
        pin: Pin,
        /// Where it starts.
        initial: StateId,
        /// The facts that are fixed or material.
        facts: Facts,
    },
    /// The case entered a state.
    Moved {
        /// Why.
        by: MovedBy,
        /// The arrows taken and the state entered.
        moved: Moved,
        /// Whether a new round begins.
        new_round: bool,
        /// Approvals that no longer count.
        #[serde(deserialize_with = "few::<_, _, MAX_STATES>")]
        voids: Vec<StateId>,
    },
    /// An approval was opened.
    NodeOpened {
        /// The state.
        state: StateId,
        /// How many must agree.
        mode: Mode,
        /// When one rejection decides.
        reject: RejectRule,
        /// The seats, in order.
        #[serde(deserialize_with = "few::<_, _, MAX_SEATS>")]
        seats: Vec<NewSeat>,
        /// Who was not asked, and why.
        #[serde(deserialize_with = "few::<_, _, MAX_SEATS>")]
        left_out: Vec<LeftOut>,
        /// How the votes stand: the seats that count and how many must agree.
        tally: Tally,
    },
    /// The turn of a seat has come.
    SeatActivated {
        /// The seat.
        seat: SeatId,
        /// Who is asked to decide now.
        person: ActorId,
        /// Its timers.
        #[serde(deserialize_with = "few::<_, _, MAX_PER_STATE>")]
        timers: Vec<SeatTimer>,
    },
    /// A vote was cast on a seat; by the system where the actor is the system.
    Voted {
        /// The seat.
        seat: SeatId,
        /// The vote.
        vote: Vote,
        /// What the voter wrote.
        #[serde(default)]
        comment: String,
    },
    /// A seat was passed on.
    Transferred {
        /// The seat.
        seat: SeatId,
        /// The new holder.
        to: ActorId,
    },
    /// A silent seat was passed on by a timer; its clock starts again.
    HandedOver {
        /// The seat.
        seat: SeatId,
        /// The new holder.
        to: ActorId,
        /// Its timers.
        #[serde(deserialize_with = "few::<_, _, MAX_PER_STATE>")]
        timers: Vec<SeatTimer>,
    },
    /// Somebody was asked for an opinion.
    OpinionAsked {
        /// The seat.
        seat: SeatId,
        /// Who was asked.
        of: ActorId,
    },
    /// The opinion was given; it is no vote.
    OpinionGiven {
        /// The seat.
        seat: SeatId,
        /// The opinion.
        opinion: String,
    },
    /// The holder no longer waits for the opinion.
    OpinionRecalled {
        /// The seat.
        seat: SeatId,
    },
    /// A holder added people.
    SeatsAdded {
        /// The seat of the adder.
        to: SeatId,
        /// Where the new seats stand.
        place: Beside,
        /// Who was added.
        #[serde(deserialize_with = "few::<_, _, MAX_SEATS>")]
        people: Vec<ActorId>,
        /// The timers of the adder, stopped, when the adder waits now.
        #[serde(deserialize_with = "few::<_, _, MAX_PER_STATE>")]
        stopped: Vec<SeatTimer>,
        /// How the votes stand.
        tally: Tally,
    },
    /// An added seat was taken away again; no vote is cast by that.
    SeatRemoved {
        /// The seat.
        seat: SeatId,
        /// How the votes stand.
        tally: Tally,
    },
    /// Seats that no longer matter.
    SeatsClosed {
        /// The seats.
        #[serde(deserialize_with = "few::<_, _, MAX_SEATS>")]
        seats: Vec<SeatId>,
    },
    /// An approval was decided.
    NodeDecided {
        /// The state.
        state: StateId,
        /// The verdict.
        verdict: Verdict,
        /// The votes.
        tally: Tally,
    },
    /// The case was sent back.
    SentBack {
        /// The seat it was sent back from; the approval is closed.
        seat: SeatId,
        /// To whom.
        to: BackTo,
        /// How it goes on afterwards.
        way: Way,
        /// Approvals that no longer count.
        #[serde(deserialize_with = "few::<_, _, MAX_STATES>")]
        voids: Vec<StateId>,
    },
    /// The requester submitted the case again.
    Resubmitted,
    /// The requester withdrew the case.
    Withdrawn,
    /// The last approver took the approval back.
    TakenBack {
        /// The approval.
        state: StateId,
    },
    /// Facts that approvals depend on changed.
    FactsChanged {
        /// The facts that are fixed or material, as they are now.
        facts: Facts,
        /// Whether every approval is void and the case starts again.
        restarts: bool,
    },
    /// People were told.
    Copied {
        /// The people.
        #[serde(deserialize_with = "few::<_, _, MAX_SEATS>")]
        to: Vec<ActorId>,
    },
    /// The holder of a silent seat was reminded.
    SeatReminded {
        /// The seat.
        seat: SeatId,
        /// Who was reminded.
        person: ActorId,
        /// The position of the timeout in the rule.
        timeout: u16,
        /// When it acts again.
        next: Option<Instant>,
    },
    /// Somebody was reminded of a state.
    StateReminded {
        /// The timer.
        timer: TimerId,
    },
    /// A silent seat should have been passed on and nobody may have it.
    TimeoutStuck {
        /// The seat.
        seat: SeatId,
        /// Who still holds it.
        person: ActorId,
        /// The position of the timeout in the rule.
        timeout: u16,
    },
    /// The case cannot go on until somebody acts.
    Stuck {
        /// Why.
        reason: StuckReason,
    },
    /// The definition was replaced.
    Migrated {
        /// The new definition.
        pin: Pin,
        /// Where the case stands in it.
        token: Token,
        /// What the states of earlier approvals are called now.
        #[serde(deserialize_with = "few::<_, _, MAX_STATES>")]
        renamed: Vec<(StateId, StateId)>,
        /// Whether the open approval goes on as it is.
        keeps_node: bool,
        /// Approvals that no longer count, by their old names.
        #[serde(deserialize_with = "few::<_, _, MAX_STATES>")]
        voids: Vec<StateId>,
    },
    /// Old commands were forgotten.
    CommandsForgotten {
        /// The last entry whose command was forgotten.
        last: u64,
    },
}

/// Why a case entered a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MovedBy {
    /// It was submitted, or starts again.
    Start,
    /// Something happened.
    Event(EventName),
    /// A timer of the state left was due.
    Timer(TimerId),
    /// An approval was decided.
    Verdict(Verdict),
    /// It was sent back to this state.
    SentBack,
    /// It returned to where it was sent back from.
    Resumed,
    /// An approval was taken back.
    TakenBack,
    /// Somebody asked to try again.
    Retry,
}

/// A seat as it was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSeat {
    /// Who is asked.
    pub person: ActorId,
    /// The group of the rule.
    pub group: u32,
}

/// Somebody who was not asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The person.
    pub person: ActorId,
    /// Why.
    pub because: LeftOutReason,
}

codes! {
    /// Why somebody was not asked.
    pub enum LeftOutReason "reason for leaving out" {
        /// They are away and nobody stands in.
        Absent = "absent", "away", "不在岗";
        /// They asked for it.
        Requester = "requester", "is the requester", "本人申请";
        /// They approved where the two must differ.
        DutyConflict = "duty_conflict", "separation of duties", "职责分离";
        /// The amount is above their limit.
        BelowLimit = "below_limit", "amount above their limit", "超出审批额度";
        /// They are asked already.
        Duplicate = "duplicate", "asked already", "重复";
    }
}

/// To whom a case is sent back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BackTo {
    /// To whoever asked.
    Requester,
    /// To an approval passed before.
    Node(StateId),
}

codes! {
    /// How a case goes on after it was sent back.
    pub enum Way "way after sending back" {
        /// Every approval from the target on is given again.
        Restart = "restart", "step by step again", "重新逐级审批";
        /// From the target it returns to whoever sent it back.
        Resume = "resume", "straight back to the sender", "直达退回人";
    }
}
