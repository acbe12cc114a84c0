//! The clocks axis of a case: which timers run, and what the case is waiting for.
//!
//! Timers are values: a due instant that the host is asked to come back at. Before any command at a
//! time, the timers due until then have fired, each at its own due instant; so it does not matter how
//! often, or when, the host looks. At equality of a deadline and an act, the timer has fired.

use alloc::vec::Vec;

use super::ledger::Location;
use super::state::{Approval, ReturnCase};
use super::status::{CaseStatus, is_intercepting, progress};
use crate::id::RuleId;
use crate::label::codes;
use crate::practice::length::TimerLength;
use crate::practice::timer::{ExpiryAction, Stage};
use crate::time::{Instant, Interval};

/// A running timer of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The rule behind it.
    pub rule: RuleId,
    /// The stage it measures; when the case moves on, the timer ends.
    pub stage: Stage,
    /// What happens when it runs out.
    pub action: ExpiryAction,
    /// How long it runs, pinned when it started.
    pub length: TimerLength,
    /// Since when it runs.
    pub started_at: Instant,
    /// When it is due, as far as is known.
    pub due: Instant,
    /// The event that set it.
    pub set_by: u64,
    /// When the case was on hold meanwhile.
    pub held: Vec<Interval>,
}

codes! {
    /// What became of the action of a timer that ran out.
    pub enum ExpiryOutcome "outcome of an expiry" {
        /// It was carried out; the events that follow are its effects.
        CarriedOut = "carried_out", "Carried out", "已执行";
        /// It was not possible; somebody has to act.
        Blocked = "blocked", "Not possible", "无法执行";
    }
}

/// What a case is waiting for; nothing once it has ended. A hold changes nothing: it stops clocks.
#[must_use]
pub fn stage(case: &ReturnCase) -> Option<Stage> {
    if case.closing.is_some() {
        return None;
    }
    if case.dispute.is_open() {
        return Some(Stage::AwaitingRuling);
    }
    Some(match case.approval {
        Approval::Submitted if is_intercepting(case) => Stage::AwaitingInterception,
        Approval::Submitted => Stage::AwaitingDecision,
        Approval::NeedsInfo => Stage::AwaitingEvidence,
        Approval::Offered => Stage::AwaitingOfferAnswer,
        Approval::Declined => Stage::AwaitingAppeal,
        Approval::Authorized => match progress(case) {
            CaseStatus::Settling | CaseStatus::SettlementFailed => Stage::AwaitingPayment,
            CaseStatus::Received | CaseStatus::Inspecting => Stage::AwaitingInspection,
            CaseStatus::AwaitingSettlement => Stage::AwaitingSettlement,
            CaseStatus::AwaitingReshipment => Stage::AwaitingReplacement,
            CaseStatus::Lost => Stage::AwaitingLiability,
            CaseStatus::Intercepting => Stage::AwaitingInterception,
            CaseStatus::InTransit | CaseStatus::AwaitingReceipt => Stage::AwaitingReceipt,
            CaseStatus::AwaitingReturn => Stage::AwaitingReturn,
            CaseStatus::Inspected => Stage::AwaitingShipBack,
            CaseStatus::Approved
            | CaseStatus::Submitted
            | CaseStatus::NeedsInfo
            | CaseStatus::Offered
            | CaseStatus::OnHold
            | CaseStatus::Disputed
            | CaseStatus::Declined
            | CaseStatus::Completed
            | CaseStatus::Closed
            | CaseStatus::Expired
            | CaseStatus::Cancelled => Stage::AwaitingClosing,
        },
    })
}

/// From where to where units move when a timer refunds a return: what is accepted, what is on its way
/// and was not confirmed in time, and what was lost with somebody else liable.
pub(super) const REFUND_ON_EXPIRY: &[(Location, Location)] = &[
    (Location::Accepted, Location::Settled),
    (Location::InTransit, Location::Ahead),
    (Location::Lost, Location::WrittenOff),
];
