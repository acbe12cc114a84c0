//! Evolving a case whose shape changes: lines added and dropped by an amendment, a part split off.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::AfterSale;
use super::event::{Event, EventFact};
use super::ledger::{Balance, Location, PROMISED, Posting, QuantityLedger, is_movement};
use super::line::LineQuantity;
use super::line::{OpenedLine, SplitLine};
use super::resolution::Resolution;
use super::state::{CaseLine, ReturnCase};
use crate::id::{CaseId, OrderLineId};
use crate::quantity::Quantity;
use crate::time::Instant;

/// Before the postings of an amendment: what was asked for so far is kept, and new lines come in.
pub(super) fn prepare(quantities: &QuantityLedger, case: &mut ReturnCase, event: &Event) {
    let EventFact::CaseAmended { lines, .. } = &event.fact else { return };
    let asked =
        |line: &CaseLine| LineQuantity { line: line.line.clone(), quantity: line.requested };
    case.earlier_requests.push(super::state::EarlierRequest {
        until: event.at,
        resolution: case.resolution,
        lines: case.lines.iter().map(asked).collect(),
    });
    for opened in lines {
        if case.line(&opened.line).is_none() {
            case.lines.extend(super::evolve::open_line(quantities, opened));
        }
    }
}

/// After the postings: the request is as the amendment says, and its clocks start again.
pub(super) fn amend(case: &mut ReturnCase, resolution: Resolution, lines: &[OpenedLine]) {
    case.resolution = resolution;
    case.timers.clear();
    case.lines.retain(|line| lines.iter().any(|opened| opened.line == line.line));
    for opened in lines {
        let Some(line) = case.line_mut(&opened.line) else { continue };
        line.requested = opened.quantity;
        line.serials.clone_from(&opened.serials);
        line.verdict = opened.verdict.clone();
        let said = &opened.assertion;
        let last = line.reasons.assertions().iter().rev().find(|last| last.source == said.source);
        if last.is_none_or(|last| last.code != said.code || last.original != said.original) {
            line.reasons.record(said.clone());
        }
    }
}

/// The case that a split makes: decided as the one it comes from, with the units that go over.
pub(super) fn split_off(source: &ReturnCase, into: &CaseId, parts: &[SplitLine]) -> ReturnCase {
    let mut lines: Vec<CaseLine> = Vec::new();
    for part in parts {
        let Some(own) = source.line(&part.line) else { continue };
        let known = lines.iter().position(|line| line.line == part.line);
        let place = known.unwrap_or(lines.len());
        if known.is_none() {
            lines.push(fresh(own, parts));
        }
        if let Some(line) = lines.get_mut(place) {
            let sum = line.requested.checked_add(part.quantity);
            line.requested = sum.unwrap_or(line.requested);
            line.held.shift(&promise(part, home(part.location), part.location));
            line.serials.extend(part.serials.iter().cloned());
        }
    }
    ReturnCase {
        id: into.clone(),
        lines,
        parcels: BTreeMap::new(),
        interceptions: BTreeMap::new(),
        unexpected: Vec::new(),
        unexpected_ends: BTreeMap::new(),
        earlier_requests: Vec::new(),
        split_from: Some(source.id.clone()),
        obligations: Vec::new(),
        replacements: Vec::new(),
        repaired: false,
        claims: Vec::new(),
        surveys: BTreeMap::new(),
        ..source.clone()
    }
}

/// A line of a part before its units: what was recorded of units that came back stays behind; who is
/// liable, and what it cost, goes over only with the line as a whole.
fn fresh(own: &CaseLine, parts: &[SplitLine]) -> CaseLine {
    let moving = parts.iter().filter(|part| part.line == own.line);
    let moving = moving.fold(0_i64, |sum, part| sum.saturating_add(part.quantity.steps()));
    let mut line = CaseLine {
        requested: Quantity::zero(own.requested.unit()),
        held: Balance::default(),
        serials: Default::default(),
        received_serials: Default::default(),
        received_lots: Default::default(),
        inspections: Vec::new(),
        disposed: BTreeMap::new(),
        ..own.clone()
    };
    if moving < own.requested.steps() {
        line.liability = None;
        line.appealed_at = None;
        line.costs.clear();
    }
    line
}

/// What a split leaves in the case; a line of which nothing is left goes.
pub(super) fn shrink(source: &mut ReturnCase, parts: &[SplitLine]) {
    for part in parts {
        if let Some(line) = source.line_mut(&part.line) {
            let rest = line.requested.checked_sub(part.quantity);
            line.requested = rest.unwrap_or(line.requested);
            line.held.shift(&promise(part, part.location, home(part.location)));
            line.serials.retain(|serial| !part.serials.contains(serial));
        }
    }
    source.lines.retain(|line| !line.requested.is_zero());
}

/// Where units promised to a case come from.
const fn home(location: Location) -> Location {
    match location {
        Location::HeldBack => Location::Unshipped,
        _ => Location::Customer,
    }
}

fn promise(part: &SplitLine, from: Location, to: Location) -> Posting {
    debug_assert!(is_movement(from, to), "a split moves promises only");
    Posting { line: part.line.clone(), from, to, quantity: part.quantity }
}

/// Whether a stored split fits the case it splits: a new case, and units that are there.
pub(super) fn is_split(
    order: &AfterSale,
    case: &CaseId,
    into: &CaseId,
    parts: &[SplitLine],
) -> bool {
    let Some(source) = order.cases.get(case) else { return false };
    let mut asked: BTreeMap<(&crate::id::OrderLineId, Location), i64> = BTreeMap::new();
    for part in parts {
        let known = source.line(&part.line);
        let fits = known.is_some_and(|own| own.requested.unit() == part.quantity.unit());
        if !fits || !matches!(part.location, Location::Requested | Location::HeldBack) {
            return false;
        }
        let sum = asked.entry((&part.line, part.location)).or_insert(0);
        *sum = sum.saturating_add(part.quantity.steps());
    }
    let there = |((line, location), steps): (&(&crate::id::OrderLineId, Location), &i64)| {
        *steps > 0 && source.line(line).is_some_and(|own| own.held.at(*location) >= *steps)
    };
    !order.cases.contains_key(into) && !parts.is_empty() && asked.iter().all(there)
}

/// Whether a stored amendment promises what its lines say, and leaves nothing behind.
pub(super) fn is_amendment(order: &AfterSale, event: &Event) -> bool {
    let EventFact::CaseAmended { case, lines, postings, .. } = &event.fact else { return true };
    let Some(case) = order.cases.get(case) else { return false };
    let mut trial = case.clone();
    prepare(&order.quantities, &mut trial, event);
    for posting in postings {
        let Some(line) = trial.line_mut(&posting.line) else { return false };
        line.held.shift(posting);
    }
    let promised = |line: &CaseLine| line.held.over(PROMISED);
    let asked = |line: &CaseLine| {
        let opened = lines.iter().find(|opened| opened.line == line.line);
        opened.map_or(0, |opened| opened.quantity.steps())
    };
    let fits = |line: &CaseLine| promised(line) == asked(line);
    let known = |opened: &OpenedLine| {
        trial.line(&opened.line).is_some_and(|own| own.requested.unit() == opened.quantity.unit())
    };
    !lines.is_empty() && lines.iter().all(known) && trial.lines.iter().all(fits)
}

impl AfterSale {
    /// The requests about a line, in the order in which they were made; a part that was split off
    /// belongs to the request it was split off from.
    pub(super) fn requests_about(&self, line: &OrderLineId) -> BTreeSet<(Instant, &CaseId)> {
        let about = self.cases.values().filter(|case| case.line(line).is_some());
        about.map(|case| (case.opened_at, self.root(case))).collect()
    }

    /// The case that a case was first asked for as: itself, unless it was split off.
    pub(super) fn root<'a>(&'a self, case: &'a ReturnCase) -> &'a CaseId {
        let mut root = case;
        // A case is split off from an earlier one, so the walk ends; the bound is for forged histories.
        for _ in 0..self.cases.len() {
            let Some(before) = root.split_from.as_ref().and_then(|id| self.cases.get(id)) else {
                break;
            };
            root = before;
        }
        &root.id
    }
}
