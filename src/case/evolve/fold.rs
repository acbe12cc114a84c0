//! Folding one event into the case it is about.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::approval::standing::Standing;
use crate::case::dispute::{Dispute, Ruling};
use crate::case::event::{Event, EventFact};
use crate::case::ground::Ground;
use crate::case::ledger::{Location, Posting};
use crate::case::obligation::{Obligation, Payment, PaymentState, PaymentWay, payments_of};
use crate::case::parcel::{Interception, InterceptionEnd, InterceptionOutcome, UnexpectedEnd};
use crate::case::recovery::{ClaimState, Cost, RecoveryClaim};
use crate::case::refund::PaymentResult;
use crate::case::replacement::{Advance, AdvanceEnd, Replacement, ReplacementState};
use crate::case::reshape;
use crate::case::review::CaseReview;
use crate::case::state::{Approval, Assignee, CaseLine, Closing, ParcelState, ReturnCase};
use crate::case::timer::{ExpiryOutcome, Timer};
use crate::id::{OrderLineId, ParcelId};
use crate::inspection::Disposition;
use crate::money::Money;
use crate::practice::timer::ExpiryAction;
use crate::time::{Instant, Interval};

pub(super) fn fold(case: &mut ReturnCase, event: &Event) {
    match &event.fact {
        EventFact::CaseWithdrawn { .. } => {
            case.closing = Some(Closing::Withdrawn { at: event.at });
        }
        EventFact::CaseClosed { .. } => case.closing = Some(Closing::Closed { at: event.at }),
        EventFact::ReturnAuthorized { ground, .. } => {
            case.approval = Approval::Authorized;
            case.ground = Some(ground.clone());
        }
        EventFact::ReturnDeclined { note, .. } => {
            case.approval = Approval::Declined;
            case.decline_note = Some(note.clone());
        }
        EventFact::GoodsSentBack { parcel, postings, .. } => {
            let contents = postings.clone();
            case.parcels.insert(parcel.clone(), sent(event.at, contents));
        }
        EventFact::GoodsReceived { parcel, marks, unexpected, postings, .. } => {
            if let Some(state) = parcel.as_ref().and_then(|id| case.parcels.get_mut(id)) {
                state.received_at = Some(event.at);
                state.found.extend(postings.iter().cloned());
            }
            for mark in marks {
                if let Some(line) = case.line_mut(&mark.line) {
                    line.received_serials.extend(mark.serials.iter().cloned());
                    line.received_lots.extend(mark.lots.iter().cloned());
                }
            }
            case.unexpected.extend(unexpected.iter().cloned());
        }
        EventFact::RefundPlanned { obligation, settlement, .. } => {
            let due = |order| Payment { order, state: PaymentState::Due, attempts: 1 };
            case.obligations.push(Obligation {
                number: *obligation,
                payments: payments_of(settlement).into_iter().map(due).collect(),
                settlement: settlement.clone(),
            });
        }
        EventFact::PaymentRecorded { obligation, payment, result, .. } => {
            if let Some(payment) = payment_mut(case, *obligation, *payment) {
                payment.state = match result {
                    PaymentResult::Paid { reference } | PaymentResult::PaidByHand { reference } => {
                        PaymentState::Paid { reference: reference.clone() }
                    }
                    PaymentResult::Collected { tender } => {
                        PaymentState::Paid { reference: String::from(tender.id.as_str()) }
                    }
                    PaymentResult::Failed { error } => {
                        PaymentState::Failed { error: error.clone() }
                    }
                };
            }
        }
        EventFact::PaymentRetried { obligation, order, .. } => {
            if let Some(payment) = payment_mut(case, *obligation, order.number) {
                payment.state = PaymentState::Due;
                payment.attempts = payment.attempts.saturating_add(1);
            }
        }
        EventFact::ReasonAsserted { line, assertion, .. } => record(case, line, assertion),
        EventFact::InfoRequested { .. } => case.approval = Approval::NeedsInfo,
        EventFact::EvidenceAdded { evidence, .. } => {
            case.evidence.push(evidence.clone());
            if case.approval == Approval::NeedsInfo {
                case.approval = Approval::Submitted;
            }
        }
        EventFact::ResolutionOffered { offer, .. } => {
            case.offer = Some(offer.clone());
            case.approval = Approval::Offered;
        }
        EventFact::OfferAccepted { resolution, .. } => {
            case.resolution = *resolution;
            case.approval = Approval::Authorized;
            case.ground = Some(Ground::Offer);
        }
        EventFact::OfferRefused { .. } => {
            case.offer = None;
            case.approval = Approval::Submitted;
        }
        EventFact::CaseHeld { .. } => case.held_since = Some(event.at),
        EventFact::HoldReleased { .. } => {
            let hold = case.held_since.take().and_then(|since| Interval::new(since, event.at).ok());
            if let Some(hold) = hold {
                case.timers.iter_mut().for_each(|timer| timer.held.push(hold));
            }
        }
        EventFact::DisputeOpened { appeal, .. } => {
            case.dispute = Dispute::Open { since: event.at, appeal: *appeal };
        }
        EventFact::DisputeRuled { ruling, appeal_until, postings, .. } => {
            let (ruling, at, appeal_until) = (*ruling, event.at, *appeal_until);
            case.dispute = Dispute::Ruled { ruling, at, appeal_until };
            rule(case, ruling, postings);
        }
        EventFact::InterceptionStarted { parcel, postings, .. } => {
            let (asked_at, contents) = (event.at, postings.clone());
            let replacements = called_back(case, parcel, postings);
            let started = Interception { asked_at, contents, replacements, end: None };
            case.interceptions.insert(parcel.clone(), started);
        }
        EventFact::InterceptionEnded { parcel, outcome, .. } => {
            end_interception(case, parcel, *outcome, event.at);
        }
        EventFact::ParcelScanned { parcel, scan, .. } => {
            if let Some(state) = case.parcels.get_mut(parcel) {
                state.scans.push(scan.clone());
            }
        }
        EventFact::ParcelLost { parcel, postings, .. }
        | EventFact::ShortageRecorded { parcel, postings, .. } => {
            if let Some(state) = case.parcels.get_mut(parcel) {
                state.found.extend(postings.iter().cloned());
            }
        }
        EventFact::UnexpectedResolved { item, end, postings, .. } => {
            case.unexpected_ends.insert(*item, *end);
            note_admitted(case, *item, *end);
            for posting in postings.iter().filter(|part| part.from == Location::Customer) {
                if let Some(line) = case.line_mut(&posting.line) {
                    let more = line.requested.checked_add(posting.quantity);
                    line.requested = more.unwrap_or(line.requested);
                }
            }
        }
        EventFact::CaseAmended { resolution, lines, .. } => {
            reshape::amend(case, *resolution, lines);
        }
        EventFact::CaseSplit { lines, .. } => reshape::shrink(case, lines),
        EventFact::LiabilityAttributed { line, liability, .. } => {
            if let Some(line) = case.line_mut(line) {
                line.liability = Some(liability.clone());
                line.appealed_at = None;
            }
        }
        EventFact::LiabilityAppealed { line, .. } => {
            if let Some(line) = case.line_mut(line) {
                line.appealed_at = Some(event.at);
            }
        }
        EventFact::CostRecorded { line, kind, amount, .. } => {
            if let Some(line) = case.line_mut(line) {
                line.costs.push(Cost { kind: *kind, amount: *amount });
            }
        }
        EventFact::RecoveryClaimOpened { claim, line, party, debtor, amount, .. } => {
            case.claims.push(RecoveryClaim {
                number: *claim,
                line: line.clone(),
                party: *party,
                debtor: debtor.clone(),
                amount: *amount,
                recovered: Money::zero(amount.currency()),
                state: ClaimState::Open,
            });
        }
        EventFact::RecoveryRecorded { claim, result, .. } => {
            if let Some(claim) = case.claims.iter_mut().find(|own| own.number == *claim) {
                claim.note(result);
            }
        }
        EventFact::CaseAssigned { to, rule, .. } | EventFact::CaseReassigned { to, rule, .. } => {
            let (agent, rule) = (to.clone(), rule.clone());
            case.assignee = Some(Assignee { agent, since: event.at, rule });
        }
        EventFact::SurveyRecorded { survey, scores, .. } => {
            case.surveys.insert(survey.clone(), scores.clone());
        }
        EventFact::ReviewStarted { terms, step, .. } => {
            let standing = Standing::submitted(event.at, &step.change).ok();
            let (terms, moved_by) = (terms.clone(), event.sequence);
            let review = |standing| Box::new(CaseReview { terms, standing, moved_by });
            case.review = standing.map(review);
        }
        EventFact::ReviewMoved { step, .. } => {
            if let Some(review) = &mut case.review {
                // A step that cannot follow is not in a checked history; it changes nothing.
                let _ = review.standing.apply(event.at, &step.by, &step.change);
                review.moved_by = event.sequence;
            }
        }
        EventFact::ReviewMigrated { terms, step, .. } => {
            if let Some(review) = &mut case.review
                && review.standing.apply(event.at, &step.by, &step.change).is_ok()
            {
                review.terms = terms.clone();
                review.moved_by = event.sequence;
            }
        }
        EventFact::UnitsInspected { units, inspection, .. } => {
            if let Some(line) = case.line_mut(&units.line) {
                line.inspections.push((units.quantity, inspection.clone()));
            }
        }
        EventFact::DispositionSet { units, from, to, .. } => {
            if let Some(line) = case.line_mut(&units.line) {
                dispose(&mut line.disposed, units.quantity.steps(), *from, *to);
            }
        }
        EventFact::ReplacementPlanned {
            replacement,
            purpose,
            items,
            obligation,
            charge_on,
            ..
        } => {
            let advance = charge_on.map(|charge_on| Advance { charge_on, resolved: None });
            case.replacements.push(Replacement {
                number: *replacement,
                purpose: *purpose,
                items: items.clone(),
                state: ReplacementState::Planned,
                obligation: *obligation,
                advance,
            });
        }
        EventFact::ReplacementShipped { replacement, parcel, .. } => {
            let (at, parcel) = (event.at, parcel.clone());
            set_replacement(case, *replacement, ReplacementState::Shipped { at, parcel });
        }
        EventFact::ReplacementDelivered { replacement, .. } => {
            set_replacement(case, *replacement, ReplacementState::Delivered { at: event.at });
        }
        EventFact::ReplacementTakenBack { replacement, .. }
        | EventFact::ReplacementLost { replacement, .. } => {
            set_replacement(case, *replacement, ReplacementState::Planned);
        }
        EventFact::ReplacementCancelled { replacement, .. } => {
            let obligation = case.replacement(*replacement).and_then(|sent| sent.obligation);
            release_debt(case, obligation);
            set_replacement(case, *replacement, ReplacementState::Cancelled);
        }
        EventFact::AdvanceResolved { replacement, end, .. } => {
            let sent = case.replacement_mut(*replacement);
            if let Some(advance) = sent.and_then(|sent| sent.advance.as_mut()) {
                advance.resolved = Some(*end);
            }
            if *end == AdvanceEnd::ReplacementReturned {
                set_replacement(case, *replacement, ReplacementState::Cancelled);
            }
        }
        EventFact::RepairedReturned { .. } => {
            case.repaired = true;
            case.lines.iter_mut().for_each(CaseLine::forget_dispositions);
        }
        EventFact::UnitsRejected { .. } => {
            case.lines.iter_mut().for_each(CaseLine::forget_dispositions);
        }
        EventFact::CaseReopened { .. } => {
            case.closing = None;
            case.expired = None;
        }
        EventFact::DeadlineSet { timer, stage, action, length, due, .. } => {
            case.timers.retain(|running| running.rule != *timer);
            case.timers.push(Timer {
                rule: timer.clone(),
                stage: *stage,
                action: *action,
                length: *length,
                started_at: event.at,
                due: *due,
                set_by: event.sequence,
                held: Vec::new(),
            });
        }
        EventFact::DeadlineRevised { timer, due, .. } => {
            let running = case.timers.iter_mut().find(|running| running.rule == *timer);
            if let Some(running) = running {
                running.due = *due;
            }
        }
        EventFact::DeadlineBreached { timer, action, outcome, .. } => {
            case.timers.retain(|running| running.rule != *timer);
            if (*action, *outcome) == (ExpiryAction::Close, ExpiryOutcome::CarriedOut) {
                case.expired = Some(timer.clone());
            }
        }
        EventFact::CaseOpened { .. }
        | EventFact::UnitsAccepted { .. }
        | EventFact::UnitsReturned { .. }
        | EventFact::SaleAmended { .. } => {}
    }
}

/// The number of a unit that was admitted is one that came back.
fn note_admitted(case: &mut ReturnCase, item: u32, end: UnexpectedEnd) {
    let place = usize::try_from(item).ok().and_then(|item| item.checked_sub(1));
    let Some(found) = place.and_then(|place| case.unexpected.get(place)).cloned() else { return };
    if let (UnexpectedEnd::Admitted, Some(id), Some(serial)) = (end, &found.line, found.serial)
        && let Some(line) = case.line_mut(id)
    {
        line.received_serials.insert(serial);
    }
}

/// The replacements of a case that an interception is about; none when it is about what the order had
/// shipped, which was promised to the case before.
fn called_back(case: &ReturnCase, parcel: &ParcelId, postings: &[Posting]) -> Vec<u32> {
    if postings.iter().any(|posting| posting.from == Location::Requested) {
        return Vec::new();
    }
    let inside = case.replacements.iter().filter(|sent| sent.under_way_in() == Some(parcel));
    inside.map(|sent| sent.number).collect()
}

/// A parcel that turned round is on its way back, and the return is permitted.
fn end_interception(
    case: &mut ReturnCase,
    parcel: &ParcelId,
    outcome: InterceptionOutcome,
    at: Instant,
) {
    let Some(started) = case.interceptions.get_mut(parcel) else { return };
    started.end = Some(InterceptionEnd { outcome, at });
    let (contents, replacements) = (started.contents.clone(), started.replacements.clone());
    for &number in &replacements {
        let state = match outcome {
            InterceptionOutcome::Intercepted => {
                ReplacementState::TurnedRound { at, parcel: parcel.clone() }
            }
            InterceptionOutcome::Failed => ReplacementState::Delivered { at },
        };
        set_replacement(case, number, state);
    }
    if outcome == InterceptionOutcome::Failed || !replacements.is_empty() {
        return;
    }
    case.parcels.insert(parcel.clone(), sent(at, contents));
    if matches!(case.approval, Approval::Submitted | Approval::NeedsInfo) {
        case.approval = Approval::Authorized;
        case.ground = Some(Ground::Interception);
    }
}

fn sent(sent_at: Instant, contents: Vec<Posting>) -> ParcelState {
    let (found, scans) = (Vec::new(), Vec::new());
    ParcelState { sent_at, received_at: None, contents, found, scans }
}

/// A ruling for the customer permits; one for the seller refuses when it released the units.
fn rule(case: &mut ReturnCase, ruling: Ruling, postings: &[Posting]) {
    match ruling {
        Ruling::ForCustomer if case.approval != Approval::Authorized => {
            case.approval = Approval::Authorized;
            case.ground = Some(Ground::Ruling);
        }
        Ruling::ForSeller if !postings.is_empty() => case.approval = Approval::Declined,
        Ruling::ForCustomer | Ruling::ForSeller => {}
    }
}

fn dispose(
    disposed: &mut BTreeMap<Disposition, i64>,
    steps: i64,
    from: Option<Disposition>,
    to: Disposition,
) {
    if let Some(before) = from.and_then(|from| disposed.get_mut(&from)) {
        *before = before.saturating_sub(steps);
    }
    let after = disposed.entry(to).or_insert(0);
    *after = after.saturating_add(steps);
}

/// What was to be collected for goods that do not go out is no longer owed.
fn release_debt(case: &mut ReturnCase, obligation: Option<u32>) {
    let owed = case.obligations.iter_mut().find(|owed| Some(owed.number) == obligation);
    for payment in owed.into_iter().flat_map(|owed| &mut owed.payments) {
        let paid = matches!(payment.state, PaymentState::Paid { .. });
        if payment.order.way == PaymentWay::Collect && !paid {
            payment.state = PaymentState::Released;
        }
    }
}

fn set_replacement(case: &mut ReturnCase, number: u32, state: ReplacementState) {
    if let Some(replacement) = case.replacement_mut(number) {
        replacement.state = state;
    }
}

fn record(
    case: &mut ReturnCase,
    line: &OrderLineId,
    assertion: &crate::reason::history::Assertion,
) {
    if let Some(line) = case.line_mut(line) {
        line.reasons.record(assertion.clone());
    }
}

fn payment_mut(case: &mut ReturnCase, obligation: u32, payment: u32) -> Option<&mut Payment> {
    let owed = case.obligations.iter_mut().find(|owed| owed.number == obligation)?;
    owed.payments.iter_mut().find(|owed| owed.order.number == payment)
}
