//! The table of what may follow what: movements, transitions, and who makes them.

use aftersale::case::actor::Role;
use aftersale::case::dispute::Ruling;
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ground::Ground;
use aftersale::case::ledger::{Location, Posting};
use aftersale::case::parcel::InterceptionOutcome;
use aftersale::case::replacement::AdvanceEnd;
use aftersale::case::resolution::Resolution;
use aftersale::id::CaseId;

use super::cases::{Case, End, Quarrel, Said};
use super::{Held, hold, name};

/// Which movements an event of a kind may make.
pub(super) fn is_legal(event: &Event, from: Location, to: Location) -> bool {
    use Location::{
        Accepted, Ahead, Cancelled, Customer, HeldBack, InTransit, Intercepting, Kept, Lost,
        Received, Recovered, Rejected, Requested, Settled, Stock, Unshipped, WrittenOff,
    };
    let freed = matches!((from, to), (Requested, Customer) | (HeldBack, Unshipped));
    match &event.fact {
        EventFact::CaseOpened { resolution, .. } => match (from, to) {
            (Customer, Requested) => true,
            (Unshipped, HeldBack) => *resolution == Resolution::RefundOnly,
            _ => false,
        },
        EventFact::CaseWithdrawn { .. } | EventFact::ReturnDeclined { .. } => freed,
        EventFact::CaseClosed { .. } => freed || (from, to) == (Lost, Customer),
        EventFact::CaseReopened { .. } => {
            matches!((from, to), (Customer, Requested) | (Unshipped, HeldBack))
        }
        EventFact::GoodsSentBack { .. } => (from, to) == (Requested, InTransit),
        EventFact::GoodsReceived { .. } => matches!(
            (from, to),
            (InTransit | Requested | Lost, Received) | (Ahead | WrittenOff | Kept, Recovered)
        ),
        EventFact::UnitsAccepted { .. } => matches!((from, to), (Received | Rejected, Accepted)),
        EventFact::UnitsRejected { .. } => matches!((from, to), (Received | Accepted, Rejected)),
        EventFact::UnitsReturned { .. } => (from, to) == (Rejected, Customer),
        EventFact::RefundPlanned { .. } => matches!(
            (from, to),
            (Accepted, Settled)
                | (HeldBack, Cancelled)
                | (Lost, WrittenOff)
                | (Requested, Kept)
                | (Requested | InTransit | Intercepting, Ahead)
                | (Received, Recovered)
        ),
        EventFact::DisputeRuled { ruling, .. } => match ruling {
            Ruling::ForCustomer => {
                matches!((from, to), (Customer, Requested) | (Unshipped, HeldBack))
            }
            Ruling::ForSeller => freed,
        },
        EventFact::ParcelLost { .. } => (from, to) == (InTransit, Lost),
        EventFact::ShortageRecorded { .. } => (from, to) == (InTransit, Requested),
        EventFact::InterceptionStarted { .. } => {
            matches!((from, to), (Requested | Customer, Intercepting))
        }
        EventFact::ReplacementTakenBack { .. } => (from, to) == (InTransit, Stock),
        EventFact::ReplacementLost { .. } => matches!((from, to), (Customer | InTransit, Lost)),
        EventFact::InterceptionEnded { outcome, .. } => match outcome {
            InterceptionOutcome::Intercepted => (from, to) == (Intercepting, InTransit),
            InterceptionOutcome::Failed => {
                matches!((from, to), (Intercepting, Requested | Customer) | (Ahead, Kept))
            }
        },
        EventFact::UnexpectedResolved { .. } => {
            matches!((from, to), (InTransit | Requested | Lost, Received) | (Customer, Requested))
        }
        EventFact::CaseAmended { resolution, .. } => match (from, to) {
            (Customer, Requested) => true,
            (Unshipped, HeldBack) => *resolution == Resolution::RefundOnly,
            _ => freed,
        },
        EventFact::ReplacementShipped { .. } => (from, to) == (Stock, Customer),
        EventFact::AdvanceResolved { end, .. } => match (from, to) {
            (Requested, Customer) => {
                matches!(end, AdvanceEnd::Charged | AdvanceEnd::ReplacementReturned)
            }
            (Customer, Stock) => *end == AdvanceEnd::ReplacementReturned,
            _ => false,
        },
        EventFact::RepairedReturned { .. } => (from, to) == (Accepted, Customer),
        _ => false,
    }
}

/// Only transitions of the table: by what was said before, who has ended, and the quarrel.
pub(super) fn invariant_29(case: &Case, event: &Event) -> Held {
    let undecided = matches!(case.said, Said::Submitted | Said::NeedsInfo);
    let authorized = case.said == Said::Authorized && case.end.is_none();
    let sequence = event.sequence;
    let fits = match &event.fact {
        EventFact::ReturnAuthorized { .. }
        | EventFact::ReturnDeclined { .. }
        | EventFact::ResolutionOffered { .. } => undecided,
        EventFact::CaseAmended { .. } => undecided,
        EventFact::CaseSplit { .. } => undecided || case.said == Said::Authorized,
        // A replacement that left is called back whatever was decided since.
        EventFact::InterceptionStarted { postings, .. } => {
            let of_order = postings.iter().any(|part| part.from == Location::Requested);
            !of_order || undecided || case.said == Said::Authorized
        }
        EventFact::ShortageRecorded { .. } => authorized,
        EventFact::InfoRequested { .. } => case.said == Said::Submitted,
        EventFact::OfferAccepted { .. } | EventFact::OfferRefused { .. } => {
            case.said == Said::Offered
        }
        EventFact::CaseHeld { .. } => case.held.is_none(),
        EventFact::HoldReleased { .. } => case.held.is_some(),
        EventFact::DisputeOpened { appeal: false, .. } => case.quarrel == Quarrel::None,
        EventFact::DisputeRuled { .. } => matches!(case.quarrel, Quarrel::Open { .. }),
        EventFact::GoodsSentBack { .. }
        | EventFact::UnitsAccepted { .. }
        | EventFact::UnitsRejected { .. }
        | EventFact::UnitsReturned { .. }
        | EventFact::ParcelLost { .. }
        | EventFact::ReplacementShipped { .. }
        | EventFact::RepairedReturned { .. } => authorized,
        EventFact::GoodsReceived { .. } => case.said == Said::Authorized,
        EventFact::CaseReopened { .. } => case.end == Some(End::Closed),
        EventFact::CaseClosed { .. } => {
            event.cause.timer.is_some() || !undecided && case.said != Said::Offered
        }
        EventFact::CaseOpened { .. } => false,
        _ => true,
    };
    hold!(29, fits, "event {sequence} does not follow: {:?} in {:?}", name(event), case.said);
    Ok(())
}

/// An ended case takes facts about goods and reasons, and nothing that decides.
pub(super) fn invariant_30(case: &Case, event: &Event, id: &CaseId) -> Held {
    let may = matches!(
        event.fact,
        EventFact::CaseReopened { .. }
            | EventFact::ReasonAsserted { .. }
            | EventFact::GoodsReceived { .. }
            | EventFact::UnitsInspected { .. }
            | EventFact::DispositionSet { .. }
            | EventFact::LiabilityAttributed { .. }
            | EventFact::LiabilityAppealed { .. }
            | EventFact::UnexpectedResolved { .. }
            | EventFact::CostRecorded { .. }
            | EventFact::RecoveryClaimOpened { .. }
            | EventFact::RecoveryRecorded { .. }
            | EventFact::CaseAssigned { .. }
            | EventFact::CaseReassigned { .. }
            | EventFact::SurveyRecorded { .. }
    );
    hold!(30, case.end.is_none() || may, "{} of ended {id}", name(event));
    Ok(())
}

/// Money before acceptance only where the resolution is that, or where a timer says so.
pub(super) fn invariant_33(case: &Case, event: &Event) -> Held {
    let before = |posting: &&Posting| {
        matches!(
            posting.from,
            Location::Requested | Location::InTransit | Location::Intercepting | Location::Received
        )
    };
    let early = event.fact.postings().iter().find(before);
    let granted = match case.resolution {
        Resolution::InstantRefund | Resolution::RefundOnly => true,
        _ => event.cause.timer.is_some(),
    };
    hold!(33, early.is_none() || granted, "a {} settled from {early:?}", case.resolution);
    Ok(())
}

/// A dispute freezes deciding, settling and ending until the ruling; a hold does too.
pub(super) fn invariant_40(case: &Case, event: &Event) -> Held {
    let frozen = matches!(
        event.fact,
        EventFact::CaseWithdrawn { .. }
            | EventFact::ReturnAuthorized { .. }
            | EventFact::ReturnDeclined { .. }
            | EventFact::ResolutionOffered { .. }
            | EventFact::OfferAccepted { .. }
            | EventFact::RefundPlanned { .. }
            | EventFact::CaseAmended { .. }
            | EventFact::CaseSplit { .. }
            | EventFact::CaseClosed { .. }
    );
    let quarrel = matches!(case.quarrel, Quarrel::Open { .. });
    let by_timer = event.cause.timer.is_some();
    hold!(40, !(frozen && quarrel) || by_timer, "{} in a dispute", name(event));
    hold!(40, !(frozen && case.held.is_some()), "{} on hold", name(event));
    if let EventFact::DisputeOpened { appeal: true, .. } = event.fact {
        let until = match case.quarrel {
            Quarrel::Ruled { until, .. } => until,
            _ => None,
        };
        hold!(40, until.is_some_and(|until| event.at < until), "an appeal after {until:?}");
    }
    Ok(())
}

/// Who may make what happen, told from the other side: what each role never does.
pub(super) fn roles(case: Option<&Case>, event: &Event) -> Held {
    let role = event.actor.role;
    if event.cause.timer.is_some() {
        return Ok(());
    }
    // Timers are set by the command that they follow, whoever gave it.
    let follows = matches!(
        event.fact,
        EventFact::DeadlineSet { .. }
            | EventFact::DeadlineRevised { .. }
            | EventFact::DeadlineBreached { .. }
    );
    let customer = matches!(
        event.fact,
        EventFact::CaseOpened { .. }
            | EventFact::CaseWithdrawn { .. }
            | EventFact::CaseAmended { .. }
            | EventFact::GoodsSentBack { .. }
            | EventFact::EvidenceAdded { .. }
            | EventFact::OfferAccepted { .. }
            | EventFact::OfferRefused { .. }
            | EventFact::DisputeOpened { .. }
            | EventFact::LiabilityAppealed { .. }
            | EventFact::ReasonAsserted { .. }
            | EventFact::ReplacementDelivered { .. }
            | EventFact::ReviewStarted { .. }
            | EventFact::ReviewMoved { .. }
            | EventFact::SurveyRecorded { .. }
    );
    let money = matches!(
        event.fact,
        EventFact::RefundPlanned { .. }
            | EventFact::PaymentRecorded { .. }
            | EventFact::PaymentRetried { .. }
            | EventFact::ReplacementPlanned { .. }
            | EventFact::AdvanceResolved { .. }
            | EventFact::CostRecorded { .. }
            | EventFact::RecoveryClaimOpened { .. }
            | EventFact::RecoveryRecorded { .. }
            | EventFact::ReviewMoved { .. }
    );
    // The last vote of a review decides, whoever casts it.
    let voted = case.is_some_and(|case| case.is_under_review() || case.review.is_some())
        && matches!(
            event.fact,
            EventFact::ReturnAuthorized { ground: Ground::Review { .. }, .. }
                | EventFact::ReturnDeclined { .. }
                | EventFact::CaseWithdrawn { .. }
        );
    let fits = match role {
        Role::Customer => customer,
        Role::Finance => money,
        Role::Warehouse => !matches!(
            event.fact,
            EventFact::CaseOpened { .. }
                | EventFact::ReturnAuthorized { .. }
                | EventFact::ReturnDeclined { .. }
                | EventFact::CaseClosed { .. }
                | EventFact::PaymentRecorded { .. }
                | EventFact::DisputeRuled { .. }
                | EventFact::UnitsAccepted { .. }
        ),
        Role::Platform => true,
        Role::Agent | Role::Supervisor | Role::Inspector | Role::System => {
            !matches!(event.fact, EventFact::DisputeRuled { .. })
        }
    };
    hold!(29, fits || follows || voted, "{} by a {role}", name(event));
    Ok(())
}
