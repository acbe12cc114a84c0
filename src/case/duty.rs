//! Duties: what the host has to do, derived from events alone.
//!
//! Each duty has a stable id (the event and its place in it), so that a host can carry out the same
//! outbox twice and pay once.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::event::{Event, EventFact};
use super::freight::WayBack;
use super::ledger::{Location, Posting};
use super::liability::{Party, Shares};
use super::obligation::{PaymentOrder, payments_of};
use super::parcel::UnexpectedItem;
use super::parcel::{InterceptionOutcome, UnexpectedEnd};
use super::recovery::RecoveryResult;
use super::replacement::ReplacementItem;
use crate::approval::effect::{EffectBody, of_change, wakes_of};
use crate::id::{CaseId, OrderLineId, ParcelId};
use crate::inspection::Disposition;
use crate::money::Money;
use crate::quantity::Quantity;
use crate::settlement::recovery::DebtorId;
use crate::time::Instant;

/// Something the host has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// Its stable id within the order.
    pub id: DutyId,
    /// For which case.
    pub case: CaseId,
    /// What to do.
    pub act: DutyAct,
}

/// The id of a duty: the event that created it and the place within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DutyId {
    /// The sequence of the event.
    pub sequence: u64,
    /// The place, from 0.
    pub place: u16,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum DutyAct {
    /// Pay or collect an amount, and report the result under the obligation.
    Pay {
        /// The obligation.
        obligation: u32,
        /// What and how.
        payment: PaymentOrder,
    },
    /// Do not ship these units: a case asks to cancel them.
    HoldShipment {
        /// The line.
        line: OrderLineId,
        /// How much.
        quantity: Quantity,
    },
    /// Ship these units after all.
    ReleaseShipment {
        /// The line.
        line: OrderLineId,
        /// How much.
        quantity: Quantity,
    },
    /// Ask the carrier to call back a parcel that is under way to the customer, and report the
    /// outcome.
    InterceptParcel {
        /// The parcel.
        parcel: ParcelId,
    },
    /// Set aside what arrived and belongs to no line, until somebody decides about it.
    SetAside {
        /// What it is.
        item: UnexpectedItem,
    },
    /// Carry out what was decided about an unexpected item.
    ClearItem {
        /// Its place among the unexpected items of the case, from 1.
        item: u32,
        /// What becomes of it.
        end: UnexpectedEnd,
    },
    /// Send a return label or the address to the customer.
    SendReturnInstructions {
        /// Who bears the way back, as it was decided when the return was permitted: whether the label
        /// is prepaid. None in duties of earlier forms of the events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        freight: Option<Shares>,
    },
    /// Take accepted units, or a replacement that came back undelivered, to wherever they belong.
    PutAway {
        /// The line.
        line: OrderLineId,
        /// How much.
        quantity: Quantity,
    },
    /// Send refused units back to the customer.
    ShipBack {
        /// The line.
        line: OrderLineId,
        /// How much.
        quantity: Quantity,
    },
    /// Carry out what was decided about units that came back.
    Dispose {
        /// The line.
        line: OrderLineId,
        /// How much.
        quantity: Quantity,
        /// What becomes of it.
        disposition: Disposition,
    },
    /// Ship a replacement, once it is paid for where it has to be.
    ShipReplacement {
        /// The replacement.
        replacement: u32,
        /// What goes out.
        items: Vec<ReplacementItem>,
    },
    /// Do not ship a replacement.
    StopReplacement {
        /// The replacement.
        replacement: u32,
    },
    /// Give the engine a chance to act at this time.
    WakeAt {
        /// When.
        at: Instant,
    },
    /// Send a claim to whoever is liable.
    SendClaim {
        /// The claim.
        claim: u32,
        /// As what the debtor is liable.
        party: Party,
        /// To whom.
        debtor: DebtorId,
        /// How much.
        amount: Money,
    },
    /// Take back a claim of which the rest is given up.
    DropClaim {
        /// The claim.
        claim: u32,
    },
    /// Plan to ask the customer how it went, by the follow-up rules: they know who was asked lately.
    AskForSurvey,
    /// Do what the review asks for: ask somebody to decide, remind, tell.
    Review {
        /// What.
        effect: EffectBody,
    },
    /// Tell the customer.
    Notify {
        /// About what.
        notice: Notice,
    },
}

/// What the customer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// Something is missing.
    InfoRequested,
    /// The seller offers something else.
    OfferMade,
    /// A dispute was ruled.
    Ruled,
    /// A replacement is on its way.
    ReplacementUnderWay,
    /// The request arrived: an acknowledgement with date and time (Directive 2011/83/EU, Art. 11a).
    RequestReceived,
    /// The return is permitted.
    Authorized,
    /// A parcel was called back: it will not be delivered.
    ParcelCalledBack,
    /// The request was changed.
    RequestAmended,
    /// A part of the request goes on as a case of its own.
    CaseSplit,
    /// The return is refused.
    Declined,
    /// The goods arrived.
    GoodsReceived,
    /// Units were not accepted.
    UnitsRejected,
    /// The refund is on its way.
    RefundUnderWay,
    /// The case ended.
    Closed,
}

/// The duties that an event creates.
#[must_use]
pub fn duties_of(event: &Event) -> Vec<Duty> {
    let Some(case) = event.fact.case() else { return Vec::new() };
    let mut acts = Vec::new();
    let moved = |posting: &Posting| (posting.line.clone(), posting.quantity);
    for posting in event.fact.postings() {
        let (line, quantity) = moved(posting);
        match (posting.from, posting.to) {
            (_, Location::HeldBack) => acts.push(DutyAct::HoldShipment { line, quantity }),
            (Location::HeldBack, Location::Unshipped) => {
                acts.push(DutyAct::ReleaseShipment { line, quantity });
            }
            (_, Location::Accepted) | (Location::InTransit, Location::Stock) => {
                acts.push(DutyAct::PutAway { line, quantity });
            }
            (Location::Received | Location::Accepted, Location::Rejected) => {
                acts.push(DutyAct::ShipBack { line, quantity });
            }
            _ => {}
        }
    }
    let notify = |notice| DutyAct::Notify { notice };
    match &event.fact {
        EventFact::CaseOpened { .. } => acts.push(notify(Notice::RequestReceived)),
        EventFact::ReturnAuthorized { way_back, .. } => {
            acts.push(notify(Notice::Authorized));
            acts.extend(instructions(way_back, Older::Always));
        }
        EventFact::ReturnDeclined { .. } => acts.push(notify(Notice::Declined)),
        EventFact::GoodsReceived { unexpected, .. } => {
            acts.push(notify(Notice::GoodsReceived));
            let aside = unexpected.iter().cloned().map(|item| DutyAct::SetAside { item });
            acts.extend(aside);
        }
        EventFact::InterceptionStarted { parcel, .. } => {
            acts.push(DutyAct::InterceptParcel { parcel: parcel.clone() });
        }
        EventFact::InterceptionEnded { outcome: InterceptionOutcome::Intercepted, .. } => {
            acts.push(notify(Notice::ParcelCalledBack));
        }
        EventFact::UnexpectedResolved { item, end, .. } => {
            acts.push(DutyAct::ClearItem { item: *item, end: *end });
        }
        EventFact::CaseAmended { .. } => acts.push(notify(Notice::RequestAmended)),
        EventFact::CaseSplit { .. } => acts.push(notify(Notice::CaseSplit)),
        EventFact::UnitsRejected { .. } => acts.push(notify(Notice::UnitsRejected)),
        EventFact::RefundPlanned { obligation, settlement, .. } => {
            let obligation = *obligation;
            let pay = |payment| DutyAct::Pay { obligation, payment };
            acts.extend(payments_of(settlement).into_iter().map(pay));
            acts.push(notify(Notice::RefundUnderWay));
        }
        EventFact::PaymentRetried { obligation, order, .. } => {
            acts.push(DutyAct::Pay { obligation: *obligation, payment: order.clone() });
        }
        EventFact::CaseClosed { .. } => {
            acts.extend([notify(Notice::Closed), DutyAct::AskForSurvey]);
        }
        EventFact::InfoRequested { .. } => acts.push(notify(Notice::InfoRequested)),
        EventFact::ResolutionOffered { .. } => acts.push(notify(Notice::OfferMade)),
        EventFact::OfferAccepted { resolution, way_back, .. } => {
            let older = if resolution.needs_return() { Older::Always } else { Older::Never };
            acts.extend(instructions(way_back, older));
        }
        EventFact::DisputeRuled { way_back, .. } => {
            acts.push(notify(Notice::Ruled));
            acts.extend(instructions(way_back, Older::Never));
        }
        EventFact::RecoveryClaimOpened { claim, party, debtor, amount, .. } => {
            let (claim, party, debtor, amount) = (*claim, *party, debtor.clone(), *amount);
            acts.push(DutyAct::SendClaim { claim, party, debtor, amount });
        }
        EventFact::RecoveryRecorded {
            claim, result: RecoveryResult::WrittenOff { .. }, ..
        } => {
            acts.push(DutyAct::DropClaim { claim: *claim });
        }
        EventFact::ReviewStarted { step, .. }
        | EventFact::ReviewMoved { step, .. }
        | EventFact::ReviewMigrated { step, .. } => {
            let effects = of_change(&step.change).into_iter();
            acts.extend(effects.map(|effect| DutyAct::Review { effect }));
            let wakes = wakes_of(&step.change).into_iter();
            acts.extend(wakes.map(|at| DutyAct::WakeAt { at }));
        }
        EventFact::DispositionSet { units, to, .. } => acts.push(DutyAct::Dispose {
            line: units.line.clone(),
            quantity: units.quantity,
            disposition: *to,
        }),
        EventFact::ReplacementPlanned { replacement, items, charge_on, .. } => {
            let (replacement, items) = (*replacement, items.clone());
            acts.push(DutyAct::ShipReplacement { replacement, items });
            acts.extend(charge_on.map(|at| DutyAct::WakeAt { at }));
        }
        EventFact::ReplacementShipped { .. } => acts.push(notify(Notice::ReplacementUnderWay)),
        EventFact::ReplacementCancelled { replacement, .. } => {
            acts.push(DutyAct::StopReplacement { replacement: *replacement });
        }
        EventFact::DeadlineSet { due, .. } | EventFact::DeadlineRevised { due, .. } => {
            acts.push(DutyAct::WakeAt { at: *due });
        }
        EventFact::DeadlineBreached { .. }
        | EventFact::CostRecorded { .. }
        | EventFact::RecoveryRecorded { .. }
        | EventFact::CaseAssigned { .. }
        | EventFact::CaseReassigned { .. }
        | EventFact::SurveyRecorded { .. }
        | EventFact::EvidenceAdded { .. }
        | EventFact::OfferRefused { .. }
        | EventFact::CaseHeld { .. }
        | EventFact::HoldReleased { .. }
        | EventFact::DisputeOpened { .. }
        | EventFact::ParcelLost { .. }
        | EventFact::InterceptionEnded { outcome: InterceptionOutcome::Failed, .. }
        | EventFact::ParcelScanned { .. }
        | EventFact::ShortageRecorded { .. }
        | EventFact::LiabilityAttributed { .. }
        | EventFact::LiabilityAppealed { .. }
        | EventFact::UnitsInspected { .. }
        | EventFact::ReplacementDelivered { .. }
        | EventFact::ReplacementTakenBack { .. }
        | EventFact::ReplacementLost { .. }
        | EventFact::AdvanceResolved { .. }
        | EventFact::RepairedReturned { .. }
        | EventFact::CaseReopened { .. }
        | EventFact::CaseWithdrawn { .. }
        | EventFact::GoodsSentBack { .. }
        | EventFact::UnitsAccepted { .. }
        | EventFact::UnitsReturned { .. }
        | EventFact::PaymentRecorded { .. }
        | EventFact::ReasonAsserted { .. }
        | EventFact::SaleAmended { .. } => {}
    }
    let sequence = event.sequence;
    let duty = |(place, act)| Duty { id: DutyId { sequence, place }, case: case.clone(), act };
    (0..=u16::MAX).zip(acts).map(duty).collect()
}

/// What an event of an earlier form, which does not say who bears the way back, asked for.
enum Older {
    Always,
    Never,
}

fn instructions(way_back: &WayBack, older: Older) -> Option<DutyAct> {
    match (way_back, older) {
        (WayBack::Borne(shares), _) => {
            Some(DutyAct::SendReturnInstructions { freight: Some(shares.clone()) })
        }
        (WayBack::Unstated, Older::Always) => {
            Some(DutyAct::SendReturnInstructions { freight: None })
        }
        (WayBack::Unstated, Older::Never) | (WayBack::Nothing, _) => None,
    }
}
