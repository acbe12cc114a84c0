//! Folding events into the state, and checking a stored history before it is trusted.

pub(super) mod check;
mod fold;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use self::fold::fold;
use super::dispute::Dispute;
use super::event::{Event, EventFact};
use super::ledger::{Balance, Location, Posting, QuantityLedger, is_movement};
use super::line::OpenedLine;
use super::parcel::InterceptionOutcome;
use super::refund::PaymentResult;
use super::replacement::{Purpose, ReplacementItem};
use super::state::{Approval, CaseLine, ReturnCase};
use super::timer::stage;
use super::{AddedLine, AfterSale, reshape};
use crate::id::{CaseId, OrderLineId, RuleId};
use crate::reason::history::ReasonHistory;
use crate::sale::Sale;
use crate::time::Instant;

pub(super) fn evolve(order: &mut AfterSale, event: &Event) {
    order.stream.take(event.sequence, event.at, &event.cause);
    if let EventFact::SaleAmended { sale } = &event.fact {
        // A sale that does not add up cannot be in a checked history; it changes nothing.
        if let Ok(sale) = Sale::freeze((**sale).clone()) {
            order.quantities.amend(&order.sale, &sale);
            order.money.amend(&order.sale, &sale);
            order.sale = sale;
        }
        return;
    }
    if let Some(opened) = opened(&order.quantities, event) {
        order.cases.insert(opened.id.clone(), opened);
    }
    if let EventFact::ReplacementPlanned { purpose, items, .. } = &event.fact
        && *purpose != Purpose::MissingPart
    {
        items.iter().for_each(|item| add_line(order, item));
    }
    if let EventFact::CaseSplit { case, into, lines } = &event.fact
        && let Some(source) = order.cases.get(case)
    {
        let mut part = reshape::split_off(source, into, lines);
        keep_agenda(&mut order.agenda, &mut part, &[]);
        order.cases.insert(into.clone(), part);
    }
    let Some(case) = event.fact.case().and_then(|case| order.cases.get_mut(case)) else { return };
    reshape::prepare(&order.quantities, case, event);
    for posting in event.fact.postings() {
        if let Some(line) = case.line_mut(&posting.line) {
            line.held.shift(posting);
            order.quantities.post(line.slot, posting);
        } else if let Some(slot) = order.quantities.slot(&posting.line) {
            order.quantities.post(slot, posting);
        }
    }
    match &event.fact {
        EventFact::ReplacementDelivered { replacement, .. } => {
            arrive(&mut order.added, case, &[*replacement], event.at);
        }
        EventFact::InterceptionEnded { parcel, outcome: InterceptionOutcome::Failed, .. } => {
            let called = case.interceptions.get(parcel);
            let inside = called.map_or(&[][..], |called| called.replacements.as_slice());
            arrive(&mut order.added, case, inside, event.at);
        }
        EventFact::PaymentRecorded { result: PaymentResult::Collected { tender }, .. } => {
            order.money.capture(tender);
        }
        _ => {}
    }
    if let EventFact::RefundPlanned { settlement, .. } = &event.fact {
        order.money.apply(settlement);
    }
    let starts =
        matches!(event.fact, EventFact::DeadlineSet { .. } | EventFact::ReviewStarted { .. });
    if case.timers.is_empty() && case.review.is_none() && !starts {
        return fold(case, event);
    }
    let before = appointments(case);
    fold(case, event);
    keep_agenda(&mut order.agenda, case, &before);
}

/// Replacements are with the customer: from now on the periods of their lines run.
fn arrive(
    added: &mut BTreeMap<OrderLineId, AddedLine>,
    case: &ReturnCase,
    numbers: &[u32],
    at: Instant,
) {
    let sent = numbers.iter().filter_map(|number| case.replacement(*number));
    for item in sent.flat_map(|sent| &sent.items) {
        if let Some(added) = added.get_mut(&item.line) {
            added.delivered_at = Some(at);
        }
    }
}

/// What a case has on the agenda: nothing of its own while it is on hold.
fn appointments(case: &ReturnCase) -> Vec<(Instant, Option<RuleId>)> {
    let review = case.review_due().map(|due| (due, None));
    let held = case.held_since.is_some();
    let timers = case.timers.iter().filter(|_| !held);
    let timers = timers.map(|timer| (timer.due, Some(timer.rule.clone())));
    review.into_iter().chain(timers).collect()
}

/// The case that an event opens, before its postings.
fn opened(quantities: &QuantityLedger, event: &Event) -> Option<ReturnCase> {
    let EventFact::CaseOpened { case, resolution, lines, .. } = &event.fact else { return None };
    Some(ReturnCase {
        id: case.clone(),
        opened_at: event.at,
        opened_by: event.actor.clone(),
        rules_version: event.rules_version,
        resolution: *resolution,
        approval: Approval::Submitted,
        ground: None,
        decline_note: None,
        lines: lines.iter().filter_map(|line| open_line(quantities, line)).collect(),
        parcels: BTreeMap::new(),
        interceptions: BTreeMap::new(),
        unexpected: Vec::new(),
        unexpected_ends: BTreeMap::new(),
        earlier_requests: Vec::new(),
        split_from: None,
        obligations: Vec::new(),
        offer: None,
        evidence: Vec::new(),
        held_since: None,
        dispute: Dispute::None,
        replacements: Vec::new(),
        repaired: false,
        claims: Vec::new(),
        assignee: None,
        review: None,
        surveys: BTreeMap::new(),
        timers: Vec::new(),
        expired: None,
        closing: None,
    })
}

/// One case as it will be after events that are not evolved yet.
pub(super) fn preview(order: &AfterSale, id: &CaseId, events: &[Event]) -> Option<ReturnCase> {
    let mut case = match order.cases.get(id) {
        Some(case) => case.clone(),
        None => events.iter().find_map(|event| match &event.fact {
            EventFact::CaseSplit { case, into, lines } if into == id => {
                Some(reshape::split_off(order.cases.get(case)?, into, lines))
            }
            _ => opened(&order.quantities, event),
        })?,
    };
    for event in events.iter().filter(|event| event.fact.case() == Some(id)) {
        reshape::prepare(&order.quantities, &mut case, event);
        for posting in event.fact.postings() {
            if let Some(line) = case.line_mut(&posting.line) {
                line.held.shift(posting);
            }
        }
        fold(&mut case, event);
    }
    Some(case)
}

/// Keeps the agenda of the order as the timers of a case are: those of a case on hold do not fire.
fn keep_agenda(
    agenda: &mut BTreeSet<(Instant, CaseId, Option<RuleId>)>,
    case: &mut ReturnCase,
    before: &[(Instant, Option<RuleId>)],
) {
    let current = stage(case);
    case.timers.retain(|timer| current == Some(timer.stage));
    for (due, rule) in before {
        agenda.remove(&(*due, case.id.clone(), rule.clone()));
    }
    for (due, rule) in appointments(case) {
        agenda.insert((due, case.id.clone(), rule));
    }
}

/// A line for goods that go out, by which they can be asked back later.
fn add_line(order: &mut AfterSale, item: &ReplacementItem) {
    order.quantities.add_line(&item.line, item.quantity.unit());
    let origin = order.added.get(&item.replaces).map(|added| added.replaces.clone());
    let replaces = origin.unwrap_or_else(|| item.replaces.clone());
    let added = AddedLine { sku: item.sku.clone(), replaces, delivered_at: None };
    order.added.insert(item.line.clone(), added);
}

pub(super) fn open_line(quantities: &QuantityLedger, opened: &OpenedLine) -> Option<CaseLine> {
    let mut reasons = ReasonHistory::new();
    reasons.record(opened.assertion.clone());
    Some(CaseLine {
        line: opened.line.clone(),
        slot: quantities.slot(&opened.line)?,
        requested: opened.quantity,
        held: Balance::default(),
        serials: opened.serials.clone(),
        received_serials: Default::default(),
        received_lots: Default::default(),
        reasons,
        liability: None,
        appealed_at: None,
        costs: Vec::new(),
        inspections: Vec::new(),
        disposed: BTreeMap::new(),
        verdict: opened.verdict.clone(),
    })
}

/// A posting of a line from one location to another.
pub(super) fn posting(
    line: &OrderLineId,
    from: Location,
    to: Location,
    quantity: crate::quantity::Quantity,
) -> Posting {
    debug_assert!(is_movement(from, to), "a movement that the engine does not know");
    Posting { line: line.clone(), from, to, quantity }
}
