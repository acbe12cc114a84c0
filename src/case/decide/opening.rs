//! From request to end: opening, permitting, refusing, withdrawing, closing, and the reasons said.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::AfterSale;
use super::super::actor::Role;
use super::super::event::EventFact;
use super::super::evolve::posting;
use super::super::ground::Ground;
use super::super::ledger::{Balance, Location, Posting};
use super::super::line::OpenedLine;
use super::super::line::RequestedLine;
use super::super::obligation::Obligation;
use super::super::open_matter::OpenMatter;
use super::super::refusal::Obstacle;
use super::super::replacement::Replacement;
use super::super::resolution::Resolution;
use super::super::state::{Approval, CaseLine, Closing, ReturnCase};
use super::super::status::CaseStatus;
use super::{Draft, MAX_LINES, Scene, not_enough, sweep};
use crate::id::{CaseId, OrderLineId, SerialId};
use crate::money::Money;
use crate::policy::deadline::Timeline;
use crate::policy::judge::Situation;
use crate::policy::period::Anchor;
use crate::practice::{Practice, Reopening};
use crate::quantity::Quantity;
use crate::reason::history::{Assertion, Original, Rank, ReasonHistory, Source, Standing};
use crate::sale::draft::{SaleDraft, Tender};
use crate::sale::fault::Place;
use crate::sale::{Line, Sale};
use crate::time::Instant;

impl Scene<'_> {
    pub(super) fn open_case(
        &self,
        draft: &mut Draft,
        id: &CaseId,
        resolution: Resolution,
        lines: &[RequestedLine],
    ) {
        if self.order.cases.contains_key(id) {
            draft.refuse(Obstacle::CaseExists { case: id.clone() });
        }
        let (found, max) = (self.order.cases.len(), AfterSale::MAX_CASES);
        if found >= max {
            draft.refuse(Obstacle::TooManyCases { found, max });
        }
        let (lines, postings) = self.request(draft, resolution, lines, None);
        let case = id.clone();
        draft.facts.push(EventFact::CaseOpened { case, resolution, lines, postings });
        self.start_review(draft, id);
    }

    /// The lines of a request, judged, and what is promised to it: for a new case, or as the whole
    /// request of a case that is amended.
    pub(super) fn request(
        &self,
        draft: &mut Draft,
        resolution: Resolution,
        lines: &[RequestedLine],
        amended: Option<&ReturnCase>,
    ) -> (Vec<OpenedLine>, Vec<Posting>) {
        if lines.is_empty() {
            draft.refuse(Obstacle::NoLines);
        }
        if lines.len() > MAX_LINES {
            let (what, found, max) = ("lines", lines.len(), MAX_LINES);
            draft.refuse(Obstacle::TooMany { what, found, max });
            return (Vec::new(), Vec::new());
        }
        let mut seen = BTreeSet::new();
        let mut postings = Vec::with_capacity(lines.len());
        let mut opened = Vec::with_capacity(lines.len());
        for request in lines {
            if !seen.insert(&request.line) {
                draft.refuse(Obstacle::LineTwice { line: request.line.clone() });
            }
            let before = amended.and_then(|case| case.line(&request.line));
            if before.is_none() {
                self.check_applications(draft, &request.line);
            }
            let Some(slot) = self.order.quantities.slot(&request.line) else {
                draft.refuse(Obstacle::UnknownLine { line: request.line.clone() });
                continue;
            };
            let wanted = (&request.line, request.quantity);
            self.promise(draft, slot, resolution, wanted, before, &mut postings);
            self.check_serials(draft, request, amended.map(|case| &case.id));
            // What was asked for in time stays in time; more of it, and other lines, are asked for now.
            let asked = |line: &&CaseLine| request.quantity <= line.requested;
            let since = before.filter(asked).and(amended).map(|case| case.opened_at);
            let at = since.unwrap_or(self.context.now);
            opened.extend(self.opened_line(draft, request, at));
        }
        (opened, postings)
    }

    /// Promises units to a case: those with the customer, or, for a refund only, also those not yet
    /// shipped.
    pub(super) fn promise(
        &self,
        draft: &mut Draft,
        slot: usize,
        resolution: Resolution,
        (line, quantity): (&OrderLineId, Quantity),
        before: Option<&CaseLine>,
        postings: &mut Vec<Posting>,
    ) {
        let Some(unit) = self.order.quantities.unit(slot) else { return };
        if quantity.is_zero() {
            return draft.refuse(Obstacle::ZeroQuantity { line: line.clone() });
        }
        if quantity.unit() != unit {
            return draft.refuse(Obstacle::WrongUnit { line: line.clone(), quantity });
        }
        let balance = self.order.quantities.at(slot).copied().unwrap_or_default();
        // What is promised to the same request already is free for it.
        let own = |location| before.map_or(0, |line| line.held.at(location));
        let with_customer = balance.at(Location::Customer).saturating_add(own(Location::Requested));
        let unshipped = match resolution {
            Resolution::RefundOnly => {
                balance.at(Location::Unshipped).saturating_add(own(Location::HeldBack))
            }
            _ => 0,
        };
        let available = with_customer.saturating_add(unshipped).max(0);
        if quantity.steps() > available {
            return draft.refuse(not_enough(line, quantity, available, Location::Customer));
        }
        // Unshipped units first: cancelling what has not left costs nobody a parcel.
        let held_back = quantity.steps().min(unshipped);
        let requested = quantity.steps().saturating_sub(held_back);
        let mut book = |steps: i64, from, to| {
            if let Ok(quantity) = Quantity::new(steps, unit)
                && steps > 0
            {
                postings.push(posting(line, from, to, quantity));
            }
        };
        book(held_back, Location::Unshipped, Location::HeldBack);
        book(requested, Location::Customer, Location::Requested);
    }

    /// A practice may limit how often a line is asked for; earlier requests stay on record.
    fn check_applications(&self, draft: &mut Draft, line: &OrderLineId) {
        let practice = self.context.rules.practice();
        let Some(max) = practice.and_then(|practice| practice.draft().applications_max) else {
            return;
        };
        let found = self.order.requests_about(line).len();
        if found >= usize::try_from(max).unwrap_or(usize::MAX) {
            draft.refuse(Obstacle::TooManyApplications { line: line.clone(), found, max });
        }
    }

    fn check_serials(&self, draft: &mut Draft, request: &RequestedLine, amended: Option<&CaseId>) {
        let count = i64::try_from(request.serials.len()).unwrap_or(i64::MAX);
        if count > request.quantity.steps() {
            let (line, serials) = (request.line.clone(), request.serials.len());
            let quantity = request.quantity;
            draft.refuse(Obstacle::TooManySerials { line, serials, quantity });
        }
        for serial in &request.serials {
            let added = self.order.added(&request.line).is_some();
            if !added && !self.order.sale.shipped_serial(&request.line, serial) {
                let (line, serial) = (request.line.clone(), serial.clone());
                draft.refuse(Obstacle::SerialNotShipped { line, serial });
            } else if let Some(case) = self.holder_of(&request.line, serial, amended) {
                let (serial, case) = (serial.clone(), case.clone());
                draft.refuse(Obstacle::SerialInUse { serial, case });
            }
        }
    }

    /// The case that has a unit, other than `own`: an open one that asked for it, or an ended one that
    /// kept it on this line. A unit that went home is free again, and one that was kept is so once it
    /// went out anew, which is on another line.
    pub(super) fn holder_of(
        &self,
        asked: &OrderLineId,
        serial: &SerialId,
        own: Option<&CaseId>,
    ) -> Option<&CaseId> {
        let holds = |case: &&ReturnCase| {
            if own == Some(&case.id) {
                return false;
            }
            let open = is_open(case);
            let kept = |line: &CaseLine| line.line == *asked && self.has_kept(case, line, serial);
            let named = case.lines.iter().filter(|line| line.names(serial));
            named.into_iter().any(|line| open || kept(line))
        };
        self.order.cases.values().find(holds).map(|case| &case.id)
    }

    /// Whether an ended case kept a unit that its line names. Numbers that turned up in a later case left
    /// it; as long as there are more of the others than units kept, nobody knows which ones went home.
    fn has_kept(&self, case: &ReturnCase, line: &CaseLine, serial: &SerialId) -> bool {
        let settled = settled_steps(&line.held);
        // Those asked for, or else those read that were shipped: a foreign number was no return.
        let numbers = if line.serials.is_empty() { &line.received_serials } else { &line.serials };
        let added = self.order.added(&line.line).is_some();
        let own = |serial: &&SerialId| added || self.order.sale.shipped_serial(&line.line, serial);
        let count = i64::try_from(numbers.iter().filter(own).count()).unwrap_or(i64::MAX);
        if settled <= 0 || count <= settled {
            return settled > 0;
        }
        let later = |serial: &&SerialId| {
            self.order.cases.values().any(|other| {
                other.id != case.id
                    && other.opened_at > case.opened_at
                    && other.lines.iter().any(|line| line.received_serials.contains(*serial))
            })
        };
        let left = numbers.iter().filter(own).filter(later).count();
        !later(&serial) && count.saturating_sub(i64::try_from(left).unwrap_or(i64::MAX)) <= settled
    }

    /// The reason as stated and what the policies say.
    fn opened_line(
        &self,
        draft: &mut Draft,
        request: &RequestedLine,
        at: Instant,
    ) -> Option<OpenedLine> {
        let assertion = self.stated_reason(request);
        let faults = ReasonHistory::new().faults(self.context.rules.taxonomy(), &assertion);
        for fault in faults {
            draft.refuse(Obstacle::Reason { line: request.line.clone(), fault });
        }
        let ordered = self.order.sold_as(&request.line)?;
        let verdict = self.judge(ordered, request, at);
        for right in &verdict.entitlements {
            draft.findings.extend(right.findings.iter().cloned());
        }
        for refused in &verdict.refused {
            let findings = refused.grounds.iter().flat_map(|ground| &ground.findings);
            draft.findings.extend(findings.cloned());
        }
        Some(OpenedLine {
            line: request.line.clone(),
            quantity: request.quantity,
            serials: request.serials.clone(),
            assertion,
            verdict: Arc::new(verdict),
        })
    }

    fn stated_reason(&self, request: &RequestedLine) -> Assertion {
        let source = match self.envelope.actor.role {
            Role::Customer => Source::Customer,
            Role::Agent
            | Role::Supervisor
            | Role::Warehouse
            | Role::Finance
            | Role::Platform
            | Role::System => Source::Agent,
            Role::Inspector => Source::Inspection,
        };
        Assertion {
            code: request.reason.clone(),
            taxonomy_version: self.context.rules.taxonomy().version(),
            source,
            standing: Standing::Stated,
            rank: Rank::Primary,
            at: self.context.now,
            author: self.envelope.actor.id.clone(),
            facets: Default::default(),
            original: request.note.as_ref().map(|text| Original { list: None, text: text.clone() }),
        }
    }

    fn judge(
        &self,
        line: Line<'_>,
        request: &RequestedLine,
        at: Instant,
    ) -> crate::policy::verdict::Verdict {
        let sale = self.order.sale.draft();
        let rules = self.context.rules;
        let mut situation =
            Situation { line: request.facts.clone(), timeline: self.timeline(&request.line, at) };
        let facts = &mut situation.line;
        if let Some(country) = &sale.country {
            facts.country = Some(country.clone());
        }
        facts.tags.extend(line.ordered.tags.iter().cloned());
        facts.reason = Some(String::from(request.reason.as_str()));
        if let Some(reason) = rules.taxonomy().reason(&request.reason) {
            facts.reason_basis = Some(reason.policy_basis);
        }
        rules.policies().judge(&situation, rules.place())
    }

    /// The events of an order that periods count from. Goods sent in exchange count from their own
    /// arrival.
    fn timeline(&self, line: &OrderLineId, at: Instant) -> Timeline {
        let mut timeline = Timeline::new(at);
        let sale = &self.order.sale;
        let (placed, added) = (sale.draft().placed_at, self.order.added(line));
        timeline.events.insert(Anchor::Sold, placed);
        timeline.events.insert(Anchor::ContractMade, placed);
        let arrived = match added {
            Some(added) => added.delivered_at,
            None => sale.line_delivered_at(line),
        };
        if let Some(arrived) = arrived {
            timeline.events.insert(Anchor::Delivered, arrived);
            timeline.events.insert(Anchor::Signed, arrived);
        }
        let last = if added.is_some() { arrived } else { sale.delivered_at() };
        if let Some(last) = last {
            timeline.events.insert(Anchor::LastItemDelivered, last);
        }
        timeline
    }

    pub(super) fn authorize(&self, draft: &mut Draft, case: &ReturnCase, ground: &Ground) {
        if case.closing.is_some() || !is_undecided(case.approval) {
            let (status, act) = (case.status(), "permitting a return");
            return draft.refuse(Obstacle::WrongStatus { status, act });
        }
        if self.left_to_review(draft, case, "permitting a return by hand") {
            return;
        }
        match ground {
            Ground::Goodwill { note } => draft.note("note", note),
            // An offer taken, a ruling and a timer permit by events of their own.
            Ground::Offer
            | Ground::Ruling
            | Ground::Timeout
            | Ground::Interception
            | Ground::Review { .. } => {
                let (status, act) = (case.status(), "permitting a return on this ground");
                draft.refuse(Obstacle::WrongStatus { status, act });
            }
            Ground::Policy => {
                let without = |line: &&super::super::state::CaseLine| !line.verdict.is_entitled();
                for line in case.lines.iter().filter(without) {
                    draft.refuse(Obstacle::NotEntitled { line: line.line.clone() });
                }
            }
        }
        let way_back = self.way_back(draft, case, case.resolution);
        let (case, ground) = (case.id.clone(), ground.clone());
        draft.facts.push(EventFact::ReturnAuthorized { case, ground, way_back });
    }

    pub(super) fn decline(&self, draft: &mut Draft, case: &ReturnCase, note: &str) {
        if case.closing.is_some() || !is_undecided(case.approval) {
            let (status, act) = (case.status(), "refusing a return");
            return draft.refuse(Obstacle::WrongStatus { status, act });
        }
        draft.note("note", note);
        self.nothing_called_back(draft, case);
        if self.left_to_review(draft, case, "refusing a return by hand") {
            return;
        }
        let postings = released(case);
        let (case, note) = (case.id.clone(), String::from(note));
        draft.facts.push(EventFact::ReturnDeclined { case, note, postings });
    }

    /// Taking a request back is possible until goods are under way or money is owed.
    pub(super) fn withdraw(&self, draft: &mut Draft, case: &ReturnCase) {
        let act = "withdrawing";
        if !self.open(draft, case, act) {
            return;
        }
        let idle =
            [Location::Requested, Location::HeldBack, Location::Customer, Location::Unshipped];
        let moved = |line: &CaseLine| line.held.over(&idle) != 0 || settled_steps(&line.held) > 0;
        if case.lines.iter().any(moved)
            || !case.obligations.is_empty()
            || !case.replacements.is_empty()
        {
            return draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        let postings = released(case);
        draft.facts.push(EventFact::CaseWithdrawn { case: case.id.clone(), postings });
    }

    pub(super) fn close(&self, draft: &mut Draft, case: &ReturnCase) {
        if !self.open(draft, case, "closing") {
            return;
        }
        if is_undecided(case.approval) || case.approval == Approval::Offered {
            let (status, act) = (case.status(), "closing");
            return draft.refuse(Obstacle::WrongStatus { status, act });
        }
        self.end(draft, case);
    }

    /// Closing by a timer, which may also end what was never decided.
    pub(super) fn close_overdue(&self, draft: &mut Draft, case: &ReturnCase) {
        if self.open(draft, case, "closing") {
            self.end(draft, case);
        }
    }

    /// Ends a case when nothing of it is open.
    fn end(&self, draft: &mut Draft, case: &ReturnCase) {
        let waiting = |sent: &Replacement| sent.advance.is_some_and(|open| open.resolved.is_none());
        let held = |location| case.lines.iter().any(|line| line.held.at(location) > 0);
        let matters = [
            (held(Location::InTransit), OpenMatter::GoodsInTransit),
            (super::intercept::called_back(case).is_some(), OpenMatter::Interception),
            (held(Location::Received), OpenMatter::GoodsUndecided),
            (held(Location::Accepted), OpenMatter::GoodsUnsettled),
            (case.lines.iter().any(CaseLine::has_open_loss), OpenMatter::LossUndecided),
            (case.lines.iter().any(CaseLine::has_owed_loss), OpenMatter::GoodsUnsettled),
            (held(Location::Rejected), OpenMatter::GoodsToReturn),
            (!case.obligations.iter().all(Obligation::is_discharged), OpenMatter::PaymentOwed),
            (
                case.replacements.iter().any(Replacement::is_pending),
                OpenMatter::ReplacementUnderWay,
            ),
            (case.replacements.iter().any(waiting), OpenMatter::AdvanceOpen),
            (case.dispute.is_open(), OpenMatter::DisputeOpen),
        ];
        for (_, open) in matters.into_iter().filter(|(is_open, _)| *is_open) {
            draft.refuse(Obstacle::StillOpen { open });
        }
        let postings = released(case);
        draft.facts.push(EventFact::CaseClosed { case: case.id.clone(), postings });
    }

    /// A supervisor may open an ended case again; one that the customer took back stays ended.
    pub(super) fn reopen(&self, draft: &mut Draft, case: &ReturnCase, note: &str) {
        draft.note("note", note);
        let practice = self.context.rules.practice().map(Practice::draft);
        if practice.is_some_and(|practice| practice.reopening == Reopening::Refused) {
            draft.refuse(Obstacle::NoReopening);
        }
        if !matches!(case.closing, Some(Closing::Closed { .. })) {
            let (status, act) = (case.status(), "reopening");
            draft.refuse(Obstacle::WrongStatus { status, act });
        }
        let ended_unsettled = matches!(case.status(), CaseStatus::Closed | CaseStatus::Expired);
        let postings = match case.approval {
            // What was refused stays refused: a ruling promises the units again.
            Approval::Declined => Vec::new(),
            _ if ended_unsettled => self.promised_again(draft, case),
            _ => {
                self.names_free_units(draft, case);
                Vec::new()
            }
        };
        let (case, note) = (case.id.clone(), String::from(note));
        draft.facts.push(EventFact::CaseReopened { case, note, postings });
    }

    /// What a case asked for is promised to it again, as it was; an obstacle where something else has it
    /// meanwhile.
    pub(super) fn promised_again(&self, draft: &mut Draft, case: &ReturnCase) -> Vec<Posting> {
        self.names_free_units(draft, case);
        let mut postings = Vec::new();
        for line in &case.lines {
            let (resolution, wanted) = (case.resolution, (&line.line, line.requested));
            self.promise(draft, line.slot, resolution, wanted, None, &mut postings);
        }
        postings
    }

    /// No other open case has a unit that a case names, else an obstacle for each.
    fn names_free_units(&self, draft: &mut Draft, case: &ReturnCase) {
        for serial in case.lines.iter().flat_map(|line| line.serials.union(&line.received_serials))
        {
            let others = self.order.cases.values().filter(|other| other.id != case.id);
            let mut holders = others.filter(|other| is_open(other) && names(other, serial));
            if let Some(other) = holders.next() {
                let (serial, case) = (serial.clone(), other.id.clone());
                draft.refuse(Obstacle::SerialInUse { serial, case });
            }
        }
    }

    /// A reason may be added at any time, also to an ended case: what was said before stays.
    pub(super) fn assert_reason(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        line: &OrderLineId,
        assertion: &Assertion,
    ) {
        let Some(own) = case.line(line) else {
            return draft.refuse(Obstacle::NotInCase { line: line.clone() });
        };
        for fault in own.reasons.faults(self.context.rules.taxonomy(), assertion) {
            draft.refuse(Obstacle::Reason { line: line.clone(), fault });
        }
        let (case, line, assertion) = (case.id.clone(), line.clone(), assertion.clone());
        draft.facts.push(EventFact::ReasonAsserted { case, line, assertion });
    }

    /// An amendment may add lines, units, shipments and payments; it takes nothing away.
    pub(super) fn amend_sale(&self, draft: &mut Draft, amended: &SaleDraft) {
        let before = &self.order.sale;
        let current = before.draft().version;
        let follows = amended.order == *before.order() && amended.version > current;
        if !follows {
            let (order, found) = (amended.order.clone(), amended.version);
            draft.refuse(Obstacle::NotAnAmendment { order, found, current });
        }
        let after = match Sale::freeze(amended.clone()) {
            Ok(sale) => sale,
            Err(refused) => return draft.refuse(Obstacle::Sale(refused)),
        };
        let (found, current) = (after.currency(), before.currency());
        if found != current {
            return draft.refuse(Obstacle::OtherCurrency { found, current });
        }
        keeps_lines(draft, before, &after);
        keeps_payments(draft, before, &after);
        for (line, asked, available) in self.order.quantities.overshipped(before, &after) {
            let (line, location) = (line.clone(), Location::Unshipped);
            draft.refuse(Obstacle::NotEnough { line, asked, available, location });
        }
        let sale = alloc::boxed::Box::new(amended.clone());
        draft.facts.push(EventFact::SaleAmended { sale });
    }
}

/// Every line is still there, in its unit, with at least what was ordered, paid and shipped.
fn keeps_lines(draft: &mut Draft, before: &Sale, after: &Sale) {
    for (position, old) in before.lines().enumerate() {
        let line = old.ordered.id.clone();
        let Some(new) = after.at(position).filter(|new| new.ordered.id == line) else {
            draft.refuse(Obstacle::AmendmentShrinks { line });
            continue;
        };
        let quantity = new.ordered.quantity;
        if quantity.unit() != old.ordered.quantity.unit() {
            draft.refuse(Obstacle::WrongUnit { line, quantity });
        } else if quantity < old.ordered.quantity
            || new.frozen.shipped < old.frozen.shipped
            || new.frozen.paid.gross < old.frozen.paid.gross
        {
            draft.refuse(Obstacle::AmendmentShrinks { line });
        }
    }
}

/// Charges and tenders are still there with at least what was paid: some of it may have gone back.
fn keeps_payments(draft: &mut Draft, before: &Sale, after: &Sale) {
    for old in before.charges() {
        let id = &old.charged.id;
        let new = after.charges().find(|new| new.charged.id == *id);
        let paid = new.map_or(0, |new| new.paid.gross.minor());
        if paid < old.paid.gross.minor() {
            draft.refuse(Obstacle::AmendmentTakesBack { place: Place::Charge(id.clone()) });
        }
    }
    for old in before.tenders() {
        let new = after.tenders().iter().find(|new| new.id == old.id);
        let captured = new.map_or(0, |new| new.captured.minor());
        let in_kind = |tender: &Tender| tender.in_kind.map_or(0, Money::minor);
        if captured < old.captured.minor() || new.map_or(0, in_kind) < in_kind(old) {
            draft.refuse(Obstacle::AmendmentTakesBack { place: Place::Tender(old.id.clone()) });
        }
    }
}

/// Everything still promised to a case goes back to where it came from.
pub(super) fn released(case: &ReturnCase) -> Vec<Posting> {
    let mut postings = sweep(case, Location::HeldBack, Location::Unshipped);
    postings.extend(sweep(case, Location::Requested, Location::Customer));
    postings.extend(sweep(case, Location::Lost, Location::Customer));
    postings
}

/// Whether a case goes on and was not refused: the units that it names are its own.
fn is_open(case: &ReturnCase) -> bool {
    case.closing.is_none() && case.approval != Approval::Declined
}

fn names(case: &ReturnCase, serial: &SerialId) -> bool {
    case.lines.iter().any(|line| line.names(serial))
}

pub(super) const fn is_undecided(approval: Approval) -> bool {
    matches!(approval, Approval::Submitted | Approval::NeedsInfo)
}

fn settled_steps(held: &Balance) -> i64 {
    held.over(&[
        Location::Settled,
        Location::Kept,
        Location::WrittenOff,
        Location::Ahead,
        Location::Recovered,
        Location::Cancelled,
    ])
}
