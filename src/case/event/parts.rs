//! What every fact has in common: its case, and its movements of goods.

use super::EventFact;
use crate::case::ledger::Posting;
use crate::id::CaseId;

impl EventFact {
    /// The case it happened to; none for an event of the order.
    #[must_use]
    pub const fn case(&self) -> Option<&CaseId> {
        match self {
            Self::CaseOpened { case, .. }
            | Self::CaseWithdrawn { case, .. }
            | Self::ReturnAuthorized { case, .. }
            | Self::ReturnDeclined { case, .. }
            | Self::GoodsSentBack { case, .. }
            | Self::GoodsReceived { case, .. }
            | Self::UnitsAccepted { case, .. }
            | Self::UnitsRejected { case, .. }
            | Self::UnitsReturned { case, .. }
            | Self::RefundPlanned { case, .. }
            | Self::PaymentRecorded { case, .. }
            | Self::PaymentRetried { case, .. }
            | Self::InfoRequested { case, .. }
            | Self::EvidenceAdded { case, .. }
            | Self::ResolutionOffered { case, .. }
            | Self::OfferAccepted { case, .. }
            | Self::OfferRefused { case }
            | Self::CaseHeld { case, .. }
            | Self::HoldReleased { case }
            | Self::DisputeOpened { case, .. }
            | Self::DisputeRuled { case, .. }
            | Self::ParcelLost { case, .. }
            | Self::InterceptionStarted { case, .. }
            | Self::InterceptionEnded { case, .. }
            | Self::ParcelScanned { case, .. }
            | Self::ShortageRecorded { case, .. }
            | Self::UnexpectedResolved { case, .. }
            | Self::CaseAmended { case, .. }
            | Self::CaseSplit { case, .. }
            | Self::LiabilityAttributed { case, .. }
            | Self::LiabilityAppealed { case, .. }
            | Self::CostRecorded { case, .. }
            | Self::RecoveryClaimOpened { case, .. }
            | Self::RecoveryRecorded { case, .. }
            | Self::CaseAssigned { case, .. }
            | Self::CaseReassigned { case, .. }
            | Self::SurveyRecorded { case, .. }
            | Self::ReviewStarted { case, .. }
            | Self::ReviewMoved { case, .. }
            | Self::ReviewMigrated { case, .. }
            | Self::UnitsInspected { case, .. }
            | Self::DispositionSet { case, .. }
            | Self::ReplacementPlanned { case, .. }
            | Self::ReplacementShipped { case, .. }
            | Self::ReplacementDelivered { case, .. }
            | Self::ReplacementTakenBack { case, .. }
            | Self::ReplacementLost { case, .. }
            | Self::ReplacementCancelled { case, .. }
            | Self::AdvanceResolved { case, .. }
            | Self::RepairedReturned { case, .. }
            | Self::CaseReopened { case, .. }
            | Self::CaseClosed { case, .. }
            | Self::DeadlineSet { case, .. }
            | Self::DeadlineRevised { case, .. }
            | Self::DeadlineBreached { case, .. }
            | Self::ReasonAsserted { case, .. } => Some(case),
            Self::SaleAmended { .. } => None,
        }
    }

    /// The movements of goods in it.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        match self {
            Self::CaseOpened { postings, .. }
            | Self::CaseWithdrawn { postings, .. }
            | Self::ReturnDeclined { postings, .. }
            | Self::GoodsSentBack { postings, .. }
            | Self::GoodsReceived { postings, .. }
            | Self::UnitsAccepted { postings, .. }
            | Self::UnitsRejected { postings, .. }
            | Self::UnitsReturned { postings, .. }
            | Self::RefundPlanned { postings, .. }
            | Self::DisputeRuled { postings, .. }
            | Self::ParcelLost { postings, .. }
            | Self::InterceptionStarted { postings, .. }
            | Self::InterceptionEnded { postings, .. }
            | Self::ShortageRecorded { postings, .. }
            | Self::UnexpectedResolved { postings, .. }
            | Self::CaseAmended { postings, .. }
            | Self::ReplacementShipped { postings, .. }
            | Self::ReplacementTakenBack { postings, .. }
            | Self::ReplacementLost { postings, .. }
            | Self::AdvanceResolved { postings, .. }
            | Self::RepairedReturned { postings, .. }
            | Self::CaseReopened { postings, .. }
            | Self::CaseClosed { postings, .. } => postings,
            Self::ReturnAuthorized { .. }
            | Self::PaymentRecorded { .. }
            | Self::PaymentRetried { .. }
            | Self::InfoRequested { .. }
            | Self::EvidenceAdded { .. }
            | Self::ResolutionOffered { .. }
            | Self::OfferAccepted { .. }
            | Self::OfferRefused { .. }
            | Self::CaseHeld { .. }
            | Self::HoldReleased { .. }
            | Self::DisputeOpened { .. }
            | Self::ParcelScanned { .. }
            | Self::CaseSplit { .. }
            | Self::LiabilityAttributed { .. }
            | Self::LiabilityAppealed { .. }
            | Self::CostRecorded { .. }
            | Self::RecoveryClaimOpened { .. }
            | Self::RecoveryRecorded { .. }
            | Self::CaseAssigned { .. }
            | Self::CaseReassigned { .. }
            | Self::SurveyRecorded { .. }
            | Self::ReviewStarted { .. }
            | Self::ReviewMoved { .. }
            | Self::ReviewMigrated { .. }
            | Self::UnitsInspected { .. }
            | Self::DispositionSet { .. }
            | Self::ReplacementPlanned { .. }
            | Self::ReplacementDelivered { .. }
            | Self::ReplacementCancelled { .. }
            | Self::ReasonAsserted { .. }
            | Self::DeadlineSet { .. }
            | Self::DeadlineRevised { .. }
            | Self::DeadlineBreached { .. }
            | Self::SaleAmended { .. } => &[],
        }
    }
}
