//! How an approval is reached, as data: who is asked, how many must agree, what else may happen.
//!
//! The workflow only checks these rules; `approval` carries them out with people.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::definition::{MAX_PER_STATE, few};
use super::span::Span;
use super::{RoleCode, StateId};
use crate::id::{FactName, RuleId};
use crate::label::codes;
use crate::money::Money;
use crate::number::Ratio;

/// The rule of one approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    /// Who is asked: groups of roles, in order. Most approvals have one group; `k of each group`
    /// wants several.
    #[serde(deserialize_with = "few::<_, _, MAX_PER_STATE>")]
    pub groups: Vec<Group>,
    /// How many must agree.
    pub mode: Mode,
    /// When one rejection ends an approval by anyone.
    #[serde(default)]
    pub reject: RejectRule,
    /// What happens when nobody is left to ask.
    #[serde(default)]
    pub on_empty: OnEmpty,
    /// Whether the requester may be asked.
    #[serde(default)]
    pub requester: RequesterRule,
    /// Approvals that must not share an approver with this one, in either direction.
    #[serde(default)]
    pub distinct_from: BTreeSet<StateId>,
    /// Amounts that pass without asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub small: Option<SmallAmount>,
    /// What happens when a seat is silent.
    #[serde(default, deserialize_with = "few::<_, _, MAX_PER_STATE>")]
    pub timeouts: Vec<SeatTimeout>,
    /// Roles that receive a copy when the approval opens; no right, no duty.
    #[serde(default)]
    pub copies: BTreeSet<RoleCode>,
}

/// Roles that together fill one group of seats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The roles, in the order in which their members are asked.
    #[serde(deserialize_with = "few::<_, _, MAX_PER_STATE>")]
    pub roles: Vec<RoleCode>,
}

/// How many must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// One (或签).
    Any,
    /// Everybody, at the same time (会签).
    All,
    /// Everybody, one after another (依次审批).
    Sequence,
    /// This many.
    Count(u32),
    /// This share, rounded up exactly: 2/3 of 4 seats are 3.
    Ratio(Ratio),
    /// This many of each group.
    EachGroup(u32),
}

codes! {
    /// What a rejection does where one approval suffices.
    #[derive(Default)]
    pub enum RejectRule "reject rule" {
        /// The first rejection decides.
        #[default]
        First = "first", "first rejection decides", "一票否决";
        /// Only rejection by everybody decides.
        Unanimous = "unanimous", "all must reject", "全部驳回";
    }
}

/// What happens when nobody is left to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OnEmpty {
    /// The case is stuck until somebody acts; never approved.
    #[default]
    Error,
    /// The system approves and says so.
    Approve,
    /// The system rejects and says so.
    Reject,
    /// Another role is asked.
    Assign {
        /// The role.
        role: RoleCode,
    },
}

/// Whether the requester may approve their own case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RequesterRule {
    /// They are left out.
    #[default]
    Excluded,
    /// They may be asked like anybody else.
    Allowed,
    /// Somebody of this role is asked in their place.
    Replace {
        /// The role.
        role: RoleCode,
    },
}

/// Amounts that the system approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallAmount {
    /// The rule, named in the approval.
    pub rule: RuleId,
    /// Up to and including this amount.
    pub at_most: Money,
    /// A running total that must be below a limit too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningTotal>,
}

/// What a customer was granted lately without anybody asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningTotal {
    /// The fact with the total, supplied by the host.
    pub fact: FactName,
    /// The total must be below this amount.
    pub below: Money,
}

/// What happens when a seat is silent for some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatTimeout {
    /// How long the seat may be active; time during which it is held does not count.
    pub after: Span,
    /// What happens then.
    pub then: TimeoutAction,
}

/// What a silent seat leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TimeoutAction {
    /// The holder is reminded, and again after the same time.
    Remind {
        /// How often in all, 1 to 100.
        times: u32,
    },
    /// The system approves on the seat.
    Approve,
    /// The system rejects on the seat.
    Reject,
    /// The seat goes to the first person of a role who may have it.
    HandOver {
        /// The role.
        role: RoleCode,
    },
    /// The case goes back to the requester.
    SendBack,
}

/// Rules for a whole case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The fact with the amount that limits and small-amount rules look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<FactName>,
    /// Until when the requester may withdraw.
    pub withdraw: WithdrawRule,
    /// Which change of material facts voids approvals.
    pub reapprove: ReapproveRule,
    /// Whether one person's approval counts again at a later approval.
    pub same_person: SamePersonRule,
    /// How often a seat may be passed on or lent for an opinion.
    pub transfers_max: u32,
    /// How many seats one approval may have, removed ones included.
    pub seats_max: u32,
    /// How many rounds a case may have between two changes of facts.
    pub rounds_max: u32,
    /// How many commands are remembered, so that a repeated one does nothing.
    pub commands_kept: u32,
    /// How long they are remembered.
    pub commands_kept_for: Span,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            amount: None,
            withdraw: WithdrawRule::default(),
            reapprove: ReapproveRule::default(),
            same_person: SamePersonRule::default(),
            transfers_max: 5,
            seats_max: 50,
            rounds_max: 20,
            commands_kept: 64,
            commands_kept_for: Span::days(30),
        }
    }
}

/// The most that any of the limits in a [`Policy`] may be.
pub const LIMIT_MAX: u32 = 1_000;

codes! {
    /// Until when a requester may withdraw.
    #[derive(Default)]
    pub enum WithdrawRule "withdraw rule" {
        /// Until the case is over.
        #[default]
        AnyTime = "any_time", "any time", "随时可撤回";
        /// Until somebody has voted.
        BeforeFirstVote = "before_first_vote", "before the first vote", "首次审批前可撤回";
    }
}

codes! {
    /// Which change of a material fact voids approvals.
    #[derive(Default)]
    pub enum ReapproveRule "reapproval rule" {
        /// Any change.
        #[default]
        AnyChange = "any_change", "any change", "任何变更";
        /// Any change but a decrease of the amount alone.
        Increase = "increase", "increase of the amount", "金额增加";
    }
}

codes! {
    /// Whether a person who approved before is asked again.
    #[derive(Default)]
    pub enum SamePersonRule "same-person rule" {
        /// They are asked every time.
        #[default]
        Off = "off", "asked every time", "每次审批";
        /// Not when they approved at the approval just before.
        Adjacent = "adjacent", "passes if adjacent", "连续节点自动通过";
        /// Not when they approved at any earlier approval of the round.
        Any = "any", "passes if earlier", "任意节点自动通过";
    }
}

impl Mode {
    /// How many approvals are needed from `seats` seats, except for [`Mode::EachGroup`], where it is
    /// the number needed from each group.
    ///
    /// ```
    /// use aftersale::number::Ratio;
    /// use aftersale::workflow::rule::Mode;
    /// let two_thirds = Mode::Ratio(Ratio::new(2, 3)?);
    /// assert_eq!((two_thirds.needed(3), two_thirds.needed(4)), (2, 3));
    /// # Ok::<(), aftersale::number::NumberError>(())
    /// ```
    #[must_use]
    pub fn needed(self, seats: u32) -> u32 {
        match self {
            Self::Any => 1,
            Self::All | Self::Sequence => seats,
            Self::Count(count) | Self::EachGroup(count) => count,
            Self::Ratio(ratio) => {
                let share = ratio.of(i64::from(seats), crate::number::Rounding::Up);
                share.ok().and_then(|needed| u32::try_from(needed).ok()).unwrap_or(u32::MAX)
            }
        }
    }

    /// Whether the threshold can be one: a count of at least 1, a ratio above 0 and at most 1.
    #[must_use]
    pub fn is_sensible(self) -> bool {
        match self {
            Self::Any | Self::All | Self::Sequence => true,
            Self::Count(count) | Self::EachGroup(count) => count >= 1,
            Self::Ratio(ratio) => Ratio::ZERO < ratio && ratio <= Ratio::ONE,
        }
    }
}
