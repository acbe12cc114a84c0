//! Requests that change their shape: amended before a decision, split while something is open.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::super::AfterSale;
use super::super::event::EventFact;
use super::super::evolve::posting;
use super::super::ledger::{Location, PROMISED, Posting};
use super::super::line::SplitLine;
use super::super::line::{RequestedLine, SplitOff};
use super::super::refusal::Obstacle;
use super::super::replacement::Replacement;
use super::super::resolution::Resolution;
use super::super::state::{Approval, CaseLine, ReturnCase};
use super::{Draft, MAX_LINES, Scene, not_enough};
use crate::id::{CaseId, SerialId};
use crate::quantity::Quantity;

/// The most amendments of one request.
const MAX_AMENDMENTS: usize = 100;

impl Scene<'_> {
    /// The request as a whole is asked for anew: nothing has moved yet, so only promises change.
    pub(super) fn amend_case(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        resolution: Resolution,
        lines: &[RequestedLine],
    ) {
        let act = "amending the request";
        let undecided = matches!(case.approval, Approval::Submitted | Approval::NeedsInfo);
        let moved = |line: &CaseLine| promised(line) != line.requested.steps();
        if case.closing.is_some() || !undecided || case.lines.iter().any(moved) {
            return draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        self.fixed_by_review(draft, case, act);
        let (what, found, max) = ("amendments", case.earlier_requests.len(), MAX_AMENDMENTS);
        if found >= max {
            draft.refuse(Obstacle::TooMany { what, found, max });
        }
        let (opened, wanted) = self.request(draft, resolution, lines, Some(case));
        if !draft.obstacles.is_empty() {
            return;
        }
        let postings = difference(case, &wanted);
        let (case, lines) = (case.id.clone(), opened);
        draft.facts.push(EventFact::CaseAmended { case, resolution, lines, postings });
    }

    /// Units that have not left for us go over to a case of their own; the ledger does not change.
    pub(super) fn split(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        into: &CaseId,
        lines: &[SplitOff],
    ) {
        let act = "splitting";
        let may = match case.approval {
            Approval::Submitted | Approval::NeedsInfo | Approval::Authorized => true,
            Approval::Offered | Approval::Declined => false,
        };
        let tied = case.replacements.iter().any(is_pending);
        if case.closing.is_some() || !may || tied {
            return draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        self.fixed_by_review(draft, case, act);
        if self.order.cases.contains_key(into) {
            draft.refuse(Obstacle::CaseExists { case: into.clone() });
        }
        let (found, max) = (self.order.cases.len(), AfterSale::MAX_CASES);
        if found >= max {
            draft.refuse(Obstacle::TooManyCases { found, max });
        }
        if let Some(agreed) = case.offer.as_ref().and_then(|offer| offer.amount) {
            draft.refuse(Obstacle::AmountAgreed { agreed });
        }
        if lines.is_empty() {
            draft.refuse(Obstacle::NoLines);
        }
        if lines.len() > MAX_LINES {
            let (what, found, max) = ("lines", lines.len(), MAX_LINES);
            return draft.refuse(Obstacle::TooMany { what, found, max });
        }
        let mut seen = BTreeSet::new();
        let mut moved = Vec::new();
        for wanted in lines {
            if !seen.insert(&wanted.line) {
                draft.refuse(Obstacle::LineTwice { line: wanted.line.clone() });
            }
            match case.line(&wanted.line) {
                None => draft.refuse(Obstacle::NotInCase { line: wanted.line.clone() }),
                Some(own) => split_line(draft, own, wanted, &mut moved),
            }
        }
        let gone = |line: &CaseLine| {
            let own = moved.iter().filter(|part| part.line == line.line);
            own.fold(0_i64, |sum, part| sum.saturating_add(part.quantity.steps()))
        };
        let leaves_nothing = |line: &CaseLine| gone(line) >= line.requested.steps();
        // A claim against somebody liable is about a line of this case.
        let claimed = |line: &CaseLine| case.claims.iter().any(|claim| claim.line == line.line);
        if case.lines.iter().any(|line| leaves_nothing(line) && claimed(line)) {
            draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        if draft.obstacles.is_empty() && case.lines.iter().all(leaves_nothing) {
            draft.refuse(Obstacle::NothingLeft);
        }
        let (case, into) = (case.id.clone(), into.clone());
        draft.facts.push(EventFact::CaseSplit { case, into, lines: moved });
    }
}

/// What of a line goes over, unshipped units last: they are the first to be cancelled.
fn split_line(draft: &mut Draft, own: &CaseLine, wanted: &SplitOff, moved: &mut Vec<SplitLine>) {
    let (line, quantity) = (&own.line, wanted.quantity);
    if quantity.is_zero() {
        return draft.refuse(Obstacle::ZeroQuantity { line: line.clone() });
    }
    if quantity.unit() != own.requested.unit() {
        return draft.refuse(Obstacle::WrongUnit { line: line.clone(), quantity });
    }
    let open = promised(own);
    if quantity.steps() > open {
        return draft.refuse(not_enough(line, quantity, open, Location::Requested));
    }
    let mut serials = serials(draft, own, wanted, open);
    let mut left = quantity.steps();
    for location in [Location::Requested, Location::HeldBack] {
        let part = left.min(own.held.at(location)).max(0);
        if let Ok(quantity) = Quantity::new(part, quantity.unit())
            && part > 0
        {
            let (line, serials) = (line.clone(), core::mem::take(&mut serials));
            moved.push(SplitLine { line, location, quantity, serials });
            left = left.saturating_sub(part);
        }
    }
}

/// Which named units go over; no side may be left with more numbers than units.
fn serials(draft: &mut Draft, own: &CaseLine, wanted: &SplitOff, open: i64) -> BTreeSet<SerialId> {
    let awaited: BTreeSet<SerialId> =
        own.serials.difference(&own.received_serials).cloned().collect();
    let moving = if wanted.serials.is_empty() && wanted.quantity.steps() == open {
        awaited.clone()
    } else {
        wanted.serials.clone()
    };
    for serial in moving.difference(&awaited) {
        let (line, serial) = (own.line.clone(), serial.clone());
        draft.refuse(Obstacle::SerialNotAwaited { line, serial });
    }
    let unit = own.requested.unit();
    let rest = open.saturating_sub(wanted.quantity.steps()).max(0);
    let rest = Quantity::new(rest, unit).unwrap_or(Quantity::zero(unit));
    let staying = awaited.difference(&moving).count();
    for (serials, quantity) in [(moving.len(), wanted.quantity), (staying, rest)] {
        if i64::try_from(serials).unwrap_or(i64::MAX) > quantity.steps() {
            let line = own.line.clone();
            draft.refuse(Obstacle::TooManySerials { line, serials, quantity });
        }
    }
    moving
}

/// From the promises of a case to those that are wanted now, by the shortest way.
fn difference(case: &ReturnCase, wanted: &[Posting]) -> Vec<Posting> {
    const PROMISES: [(Location, Location); 2] =
        [(Location::HeldBack, Location::Unshipped), (Location::Requested, Location::Customer)];
    let mut lines: Vec<_> = case.lines.iter().map(|line| &line.line).collect();
    for posting in wanted {
        if !lines.contains(&&posting.line) {
            lines.push(&posting.line);
        }
    }
    let (mut freed, mut taken) = (Vec::new(), Vec::new());
    for line in lines {
        for (promise, home) in PROMISES {
            let own = case.line(line);
            let before = own.map_or(0, |own| own.held.at(promise));
            let asked = wanted.iter().filter(|part| part.line == *line && part.to == promise);
            let after =
                asked.clone().fold(0_i64, |sum, part| sum.saturating_add(part.quantity.steps()));
            let unit = own.map(|own| own.requested.unit());
            let unit = unit.or_else(|| asked.clone().next().map(|part| part.quantity.unit()));
            let Some(unit) = unit else { continue };
            let steps = |steps: i64| Quantity::new(steps, unit).ok().filter(|q| !q.is_zero());
            if let Some(less) = steps(before.saturating_sub(after)) {
                freed.push(posting(line, promise, home, less));
            }
            if let Some(more) = steps(after.saturating_sub(before)) {
                taken.push(posting(line, home, promise, more));
            }
        }
    }
    freed.append(&mut taken);
    freed
}

/// What of a line is promised to the case and has not left for us.
fn promised(line: &CaseLine) -> i64 {
    line.held.over(PROMISED)
}

/// Whether something about goods that go out is still open: it belongs to the case as a whole.
fn is_pending(sent: &Replacement) -> bool {
    sent.is_pending() || sent.advance.is_some_and(|advance| advance.resolved.is_none())
}
