//! What a case is and waits for, by the books of the model.

use aftersale::case::ledger::Location;
use aftersale::case::liability::Liability;
use aftersale::case::parcel::ScanState;
use aftersale::case::resolution::Resolution;
use aftersale::id::CaseId;
use aftersale::practice::timer::Stage;

use super::Model;
use super::cases::{Case, End, Paying, Quarrel, Said, Sending, Sent};

impl Model<'_> {
    /// What a case is waiting for, by the books of the model.
    pub(crate) fn stage(&self, id: &CaseId) -> Option<Stage> {
        let case = self.cases.get(id)?;
        if case.end.is_some() {
            return None;
        }
        if matches!(case.quarrel, Quarrel::Open { .. }) {
            return Some(Stage::AwaitingRuling);
        }
        Some(match case.said {
            Said::Submitted if case.calls.values().any(|call| call.open) => {
                Stage::AwaitingInterception
            }
            Said::Submitted => Stage::AwaitingDecision,
            Said::NeedsInfo => Stage::AwaitingEvidence,
            Said::Offered => Stage::AwaitingOfferAnswer,
            Said::Declined => Stage::AwaitingAppeal,
            Said::Authorized => match self.progress(id, case) {
                "settling" | "settlement_failed" => Stage::AwaitingPayment,
                "received" | "inspecting" => Stage::AwaitingInspection,
                "awaiting_settlement" => Stage::AwaitingSettlement,
                "awaiting_reshipment" => Stage::AwaitingReplacement,
                "lost" => Stage::AwaitingLiability,
                "in_transit" | "awaiting_receipt" => Stage::AwaitingReceipt,
                "intercepting" => Stage::AwaitingInterception,
                "awaiting_return" => Stage::AwaitingReturn,
                "inspected" => Stage::AwaitingShipBack,
                _ => Stage::AwaitingClosing,
            },
        })
    }

    pub(super) fn has(&self, id: &CaseId, case: &Case, place: Location) -> bool {
        case.lines
            .keys()
            .any(|line| self.lines.get(line).is_some_and(|line| line.here(place, Some(id)) > 0))
    }

    pub(super) fn progress(&self, id: &CaseId, case: &Case) -> &'static str {
        let paying = |state| case.payments.values().any(|(_, known)| *known == state);
        let has = |place| self.has(id, case, place);
        let out = |sent: &Sent| !matches!(sent.state, Sending::Delivered | Sending::Cancelled);
        let sending = case.replacements.values().any(out);
        let coming = matches!(
            case.resolution,
            Resolution::ReturnAndRefund
                | Resolution::Exchange
                | Resolution::Repair
                | Resolution::RefusedAtDoor
                | Resolution::AdvanceReplacement
                | Resolution::InstantRefund
        );
        let first = matches!(
            case.resolution,
            Resolution::RefundOnly
                | Resolution::PriceProtection
                | Resolution::PartialRefund
                | Resolution::InstantRefund
        );
        let mut waiting =
            case.parcels.values().filter(|known| !known.received && known.missing() > 0);
        let there = waiting.clone().next().is_some()
            && waiting.all(|known| known.last() == Some(ScanState::Delivered));
        let begun = case.inspected.iter().any(|line| {
            self.lines.get(line).is_some_and(|line| line.here(Location::Received, Some(id)) > 0)
        });
        // Nothing is owed for what the buyer alone lost; what another one lost is to be settled.
        let lost = |bearer: fn(Option<&Liability>) -> bool| {
            case.lines.keys().any(|line| {
                let own = self.lines.get(line);
                let gone = own.is_some_and(|own| own.here(Location::Lost, Some(id)) > 0);
                gone && bearer(case.liability.get(line))
            })
        };
        let owed = |who: Option<&Liability>| who.is_some_and(|who| !who.is_all_the_buyers());
        let order: [(bool, &'static str); 14] = [
            (paying(Paying::Failed), "settlement_failed"),
            (paying(Paying::Due), "settling"),
            (begun, "inspecting"),
            (has(Location::Received), "received"),
            (has(Location::Accepted) || lost(owed), "awaiting_settlement"),
            (sending, "awaiting_reshipment"),
            (lost(|who| who.is_none()), "lost"),
            (has(Location::Intercepting) && !first, "intercepting"),
            (has(Location::InTransit) && there, "awaiting_receipt"),
            (has(Location::InTransit), "in_transit"),
            (has(Location::Requested) && coming, "awaiting_return"),
            (
                (has(Location::Requested)
                    || has(Location::HeldBack)
                    || has(Location::Intercepting))
                    && first,
                "awaiting_settlement",
            ),
            (has(Location::Rejected), "inspected"),
            (true, "approved"),
        ];
        order.into_iter().find(|(applies, _)| *applies).unwrap().1
    }

    /// The status that the axes of a case come to.
    pub(crate) fn status(&self, id: &CaseId) -> &'static str {
        let case = self.cases.get(id).unwrap();
        let delivered = case.replacements.values().any(|sent| sent.state == Sending::Delivered);
        let fulfilled = case.obligations > 0 || delivered || case.repaired;
        match case.end {
            Some(End::Withdrawn) => return "cancelled",
            Some(End::Closed) if fulfilled => return "completed",
            Some(End::Closed) if case.expired => return "expired",
            Some(End::Closed) => return "closed",
            None => {}
        }
        if matches!(case.quarrel, Quarrel::Open { .. }) {
            return "disputed";
        }
        if case.held.is_some() {
            return "on_hold";
        }
        match case.said {
            Said::Submitted if case.calls.values().any(|call| call.open) => "intercepting",
            Said::Submitted => "submitted",
            Said::NeedsInfo => "needs_info",
            Said::Offered => "offered",
            Said::Declined => "declined",
            Said::Authorized => self.progress(id, case),
        }
    }
}
