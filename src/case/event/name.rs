//! The stable names of what happened, the `type` of a fact on the wire, and what a fact is about.

use alloc::collections::BTreeSet;

use super::EventFact;
use crate::case::review::ReviewStep;
use crate::id::{OrderLineId, ParcelId};

impl EventFact {
    /// The name under which the fact is stored and exported, such as `goods_received`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CaseOpened { .. } => "case_opened",
            Self::CaseWithdrawn { .. } => "case_withdrawn",
            Self::ReturnAuthorized { .. } => "return_authorized",
            Self::ReturnDeclined { .. } => "return_declined",
            Self::GoodsSentBack { .. } => "goods_sent_back",
            Self::GoodsReceived { .. } => "goods_received",
            Self::UnitsAccepted { .. } => "units_accepted",
            Self::UnitsRejected { .. } => "units_rejected",
            Self::UnitsReturned { .. } => "units_returned",
            Self::RefundPlanned { .. } => "refund_planned",
            Self::PaymentRecorded { .. } => "payment_recorded",
            Self::PaymentRetried { .. } => "payment_retried",
            Self::InfoRequested { .. } => "info_requested",
            Self::EvidenceAdded { .. } => "evidence_added",
            Self::ResolutionOffered { .. } => "resolution_offered",
            Self::OfferAccepted { .. } => "offer_accepted",
            Self::OfferRefused { .. } => "offer_refused",
            Self::CaseHeld { .. } => "case_held",
            Self::HoldReleased { .. } => "hold_released",
            Self::DisputeOpened { .. } => "dispute_opened",
            Self::DisputeRuled { .. } => "dispute_ruled",
            Self::ParcelLost { .. } => "parcel_lost",
            Self::InterceptionStarted { .. } => "interception_started",
            Self::InterceptionEnded { .. } => "interception_ended",
            Self::ParcelScanned { .. } => "parcel_scanned",
            Self::ShortageRecorded { .. } => "shortage_recorded",
            Self::UnexpectedResolved { .. } => "unexpected_resolved",
            Self::CaseAmended { .. } => "case_amended",
            Self::CaseSplit { .. } => "case_split",
            Self::LiabilityAttributed { .. } => "liability_attributed",
            Self::LiabilityAppealed { .. } => "liability_appealed",
            Self::CostRecorded { .. } => "cost_recorded",
            Self::RecoveryClaimOpened { .. } => "recovery_claim_opened",
            Self::RecoveryRecorded { .. } => "recovery_recorded",
            Self::CaseAssigned { .. } => "case_assigned",
            Self::CaseReassigned { .. } => "case_reassigned",
            Self::SurveyRecorded { .. } => "survey_recorded",
            Self::ReviewStarted { .. } => "review_started",
            Self::ReviewMoved { .. } => "review_moved",
            Self::ReviewMigrated { .. } => "review_migrated",
            Self::UnitsInspected { .. } => "units_inspected",
            Self::DispositionSet { .. } => "disposition_set",
            Self::ReplacementPlanned { .. } => "replacement_planned",
            Self::ReplacementShipped { .. } => "replacement_shipped",
            Self::ReplacementDelivered { .. } => "replacement_delivered",
            Self::ReplacementTakenBack { .. } => "replacement_taken_back",
            Self::ReplacementLost { .. } => "replacement_lost",
            Self::ReplacementCancelled { .. } => "replacement_cancelled",
            Self::AdvanceResolved { .. } => "advance_resolved",
            Self::RepairedReturned { .. } => "repaired_returned",
            Self::CaseReopened { .. } => "case_reopened",
            Self::CaseClosed { .. } => "case_closed",
            Self::ReasonAsserted { .. } => "reason_asserted",
            Self::DeadlineSet { .. } => "deadline_set",
            Self::DeadlineRevised { .. } => "deadline_revised",
            Self::DeadlineBreached { .. } => "deadline_breached",
            Self::SaleAmended { .. } => "sale_amended",
        }
    }

    /// The step of a review in it.
    #[must_use]
    pub const fn review_step(&self) -> Option<&ReviewStep> {
        match self {
            Self::ReviewStarted { step, .. }
            | Self::ReviewMoved { step, .. }
            | Self::ReviewMigrated { step, .. } => Some(step),
            _ => None,
        }
    }

    /// The parcel that it is about.
    #[must_use]
    pub const fn parcel(&self) -> Option<&ParcelId> {
        match self {
            Self::GoodsReceived { parcel, .. } => parcel.as_ref(),
            Self::GoodsSentBack { parcel, .. }
            | Self::ParcelLost { parcel, .. }
            | Self::InterceptionStarted { parcel, .. }
            | Self::InterceptionEnded { parcel, .. }
            | Self::ParcelScanned { parcel, .. }
            | Self::ShortageRecorded { parcel, .. }
            | Self::ReplacementShipped { parcel, .. }
            | Self::ReplacementLost { parcel, .. } => Some(parcel),
            _ => None,
        }
    }

    /// The lines that it is about, in order, each once: those whose units move, and those it names.
    #[must_use]
    pub fn lines(&self) -> BTreeSet<&OrderLineId> {
        let mut lines: BTreeSet<&OrderLineId> =
            self.postings().iter().map(|posting| &posting.line).collect();
        match self {
            Self::CaseOpened { lines: named, .. } | Self::CaseAmended { lines: named, .. } => {
                lines.extend(named.iter().map(|line| &line.line));
            }
            Self::CaseSplit { lines: named, .. } => {
                lines.extend(named.iter().map(|line| &line.line));
            }
            Self::ReplacementPlanned { items, .. } => {
                lines.extend(items.iter().map(|item| &item.replaces));
            }
            Self::LiabilityAttributed { line, .. }
            | Self::LiabilityAppealed { line, .. }
            | Self::CostRecorded { line, .. }
            | Self::RecoveryClaimOpened { line, .. }
            | Self::ReasonAsserted { line, .. } => {
                lines.insert(line);
            }
            Self::UnitsInspected { units, .. } | Self::DispositionSet { units, .. } => {
                lines.insert(&units.line);
            }
            _ => {}
        }
        lines
    }
}
