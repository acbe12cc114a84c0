//! The status a person sees: a pure function of the axes of a case, never stored.

use super::ledger::Location;
use super::obligation::PaymentState;
use super::parcel::{Interception, ScanState};
use super::replacement::{Replacement, ReplacementState};
use super::state::{Approval, CaseLine, Closing, ParcelState, ReturnCase};
use crate::label::codes;

codes! {
    /// The summary of a case in one word.
    pub enum CaseStatus "case status" {
        /// Asked for, not yet decided.
        Submitted = "submitted", "Submitted", "待审核";
        /// The customer is to bring proof.
        NeedsInfo = "needs_info", "Needs information", "待补充凭证";
        /// The customer is to answer an offer.
        Offered = "offered", "Offered", "待买家确认协商";
        /// Put on hold.
        OnHold = "on_hold", "On hold", "已挂起";
        /// A ruling is awaited.
        Disputed = "disputed", "Disputed", "平台介入中";
        /// A replacement is to be sent, or under way.
        AwaitingReshipment = "awaiting_reshipment", "Awaiting reshipment", "待补发/换货发出";
        /// Lost on the way back; who is liable is to be decided.
        Lost = "lost", "Lost in transit", "退货丢失";
        /// Refused, and not yet closed.
        Declined = "declined", "Declined", "已拒绝";
        /// Permitted; nothing has to come back.
        Approved = "approved", "Approved", "已同意";
        /// Permitted; the customer is to send the goods back.
        AwaitingReturn = "awaiting_return", "Awaiting return", "待买家寄回";
        /// A parcel under way to the customer is being called back.
        Intercepting = "intercepting", "Being intercepted", "拦截中";
        /// The goods are on their way back.
        InTransit = "in_transit", "In transit", "退货在途";
        /// The carrier delivered the goods; the seller has not confirmed them.
        AwaitingReceipt = "awaiting_receipt", "Awaiting receipt", "待商家收货";
        /// The goods arrived and are to be inspected.
        Received = "received", "Received", "已收货";
        /// Goods that arrived were looked at, and are not all decided.
        Inspecting = "inspecting", "Inspecting", "质检中";
        /// Everything that arrived is decided; refused units are to go back.
        Inspected = "inspected", "Inspected", "已质检";
        /// Accepted goods are to be settled.
        AwaitingSettlement = "awaiting_settlement", "Awaiting settlement", "待退款";
        /// A payment is under way.
        Settling = "settling", "Settling", "退款中";
        /// A payment failed and is still owed.
        SettlementFailed = "settlement_failed", "Settlement failed", "退款失败";
        /// Ended with what was agreed.
        Completed = "completed", "Completed", "已完成";
        /// Ended without settlement.
        Closed = "closed", "Closed", "已关闭";
        /// Ended without settlement, because nobody acted in time.
        Expired = "expired", "Expired", "超时关闭";
        /// Taken back by the customer.
        Cancelled = "cancelled", "Cancelled", "买家撤销";
    }
}

impl CaseStatus {
    /// Whether the case has ended.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Closed | Self::Expired | Self::Cancelled)
    }
}

/// The status of a case. The first line that applies:
///
/// 1. ended: completed when something was settled, cancelled when taken back, expired when a
///    timer closed it, else closed;
/// 2. in dispute; on hold;
/// 3. refused, or not yet decided: while a parcel is called back, that;
/// 4. a payment failed; a payment is under way;
/// 5. received goods undecided, looked at or not; accepted goods unsettled, or lost ones that are owed;
///    a replacement to be sent;
/// 6. goods lost for which nobody is found liable; a parcel called back; goods on their way, all delivered or not; goods expected;
/// 7. refused goods with us; else approved.
#[must_use]
pub fn status(case: &ReturnCase) -> CaseStatus {
    match case.closing {
        Some(Closing::Withdrawn { .. }) => return CaseStatus::Cancelled,
        Some(Closing::Closed { .. }) if !is_fulfilled(case) => {
            return if case.expired.is_some() { CaseStatus::Expired } else { CaseStatus::Closed };
        }
        Some(Closing::Closed { .. }) => return CaseStatus::Completed,
        None => {}
    }
    if case.dispute.is_open() {
        return CaseStatus::Disputed;
    }
    if case.held_since.is_some() {
        return CaseStatus::OnHold;
    }
    match case.approval {
        Approval::NeedsInfo => CaseStatus::NeedsInfo,
        Approval::Offered => CaseStatus::Offered,
        Approval::Submitted if is_intercepting(case) => CaseStatus::Intercepting,
        Approval::Submitted => CaseStatus::Submitted,
        Approval::Declined => CaseStatus::Declined,
        Approval::Authorized => progress(case),
    }
}

/// How far an open, permitted case is, by its payments and goods.
pub(super) fn progress(case: &ReturnCase) -> CaseStatus {
    let payments = || case.obligations.iter().flat_map(|obligation| &obligation.payments);
    if payments().any(|payment| matches!(payment.state, PaymentState::Failed { .. })) {
        return CaseStatus::SettlementFailed;
    }
    if payments().any(|payment| payment.state == PaymentState::Due) {
        return CaseStatus::Settling;
    }
    let held = |location| case.lines.iter().any(|line| line.held.at(location) > 0);
    if held(Location::Received) {
        let begun =
            |line: &CaseLine| line.held.at(Location::Received) > 0 && !line.inspections.is_empty();
        if case.lines.iter().any(begun) { CaseStatus::Inspecting } else { CaseStatus::Received }
    } else if held(Location::Accepted) || case.lines.iter().any(CaseLine::has_owed_loss) {
        CaseStatus::AwaitingSettlement
    } else if replacing(case) {
        CaseStatus::AwaitingReshipment
    } else if case.lines.iter().any(CaseLine::has_open_loss) {
        CaseStatus::Lost
    } else if held(Location::Intercepting) && !case.resolution.pays_before_receipt() {
        CaseStatus::Intercepting
    } else if held(Location::InTransit) {
        if all_delivered(case) { CaseStatus::AwaitingReceipt } else { CaseStatus::InTransit }
    } else if held(Location::Requested) && case.resolution.needs_return() {
        CaseStatus::AwaitingReturn
    } else if [Location::Requested, Location::HeldBack, Location::Intercepting]
        .into_iter()
        .any(held)
        && case.resolution.pays_before_receipt()
    {
        CaseStatus::AwaitingSettlement
    } else if held(Location::Rejected) {
        CaseStatus::Inspected
    } else {
        CaseStatus::Approved
    }
}

/// Whether the carrier is asked to call a parcel back and has not answered.
pub(super) fn is_intercepting(case: &ReturnCase) -> bool {
    case.interceptions.values().any(Interception::is_open)
}

/// Whether the carrier says of every parcel that has not been received that it was delivered.
fn all_delivered(case: &ReturnCase) -> bool {
    let mut waiting = case.parcels.values().filter(|parcel| parcel.is_awaited());
    let delivered = |parcel: &ParcelState| {
        parcel.latest_scan().is_some_and(|scan| scan.state == ScanState::Delivered)
    };
    waiting.clone().next().is_some() && waiting.all(delivered)
}

/// Whether something was settled, replaced or repaired.
fn is_fulfilled(case: &ReturnCase) -> bool {
    let sent =
        |replacement: &Replacement| matches!(replacement.state, ReplacementState::Delivered { .. });
    !case.obligations.is_empty() || case.replacements.iter().any(sent) || case.repaired
}

/// Whether goods are to go out, under way to the customer, or turned round on their way.
fn replacing(case: &ReturnCase) -> bool {
    case.replacements.iter().any(Replacement::is_pending)
}
