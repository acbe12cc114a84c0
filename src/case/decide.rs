//! Deciding a command: the envelope first, then the command by its concern.

mod call_back;
mod clock;
mod facts;
mod freight;
mod goods;
mod intercept;
mod migration;
mod money;
mod opening;
mod parcels;
mod recovery;
mod replace;
mod reshape;
mod review;
mod staff;
mod talk;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::actor::{Actor, Role};
use super::command::{Command, Envelope};
use super::digest::digest;
use super::duty::duties_of;
use super::event::{Cause, Event, EventFact};
use super::ledger::{Location, Posting};
use super::line::LineQuantity;
use super::parcel::UnexpectedEnd;
use super::refusal::{Obstacle, Refusal};
use super::review::Roster;
use super::state::{CaseLine, ReturnCase};
use super::{AfterSale, Answer, Context, Decision};
use crate::explain::Finding;
use crate::id::{ActorId, OrderLineId};
use crate::quantity::Quantity;

pub(super) use facts::case_facts;

/// The most lines that one command may name.
const MAX_LINES: usize = 10_000;
/// The longest note, in bytes.
const MAX_NOTE: usize = 4_000;

/// What deciding a command has come to so far.
#[derive(Default)]
struct Draft {
    facts: Vec<EventFact>,
    /// The places of the facts that a rule brought about, not the one who gave the command.
    by_system: BTreeSet<usize>,
    obstacles: Vec<Obstacle>,
    findings: Vec<Finding>,
}

impl From<Vec<EventFact>> for Draft {
    fn from(facts: Vec<EventFact>) -> Self {
        Self { facts, ..Self::default() }
    }
}

impl Draft {
    fn refuse(&mut self, obstacle: impl Into<Obstacle>) {
        self.obstacles.push(obstacle.into());
    }

    /// Takes over what another draft came to.
    fn append(&mut self, mut other: Self) {
        let shift = self.facts.len();
        self.by_system.extend(other.by_system.iter().map(|place| place.saturating_add(shift)));
        self.facts.append(&mut other.facts);
        self.obstacles.append(&mut other.obstacles);
        self.findings.append(&mut other.findings);
    }

    /// Who brought a fact about: who gave the command, or a rule.
    fn author(&self, place: usize, actor: &Actor) -> Actor {
        if self.by_system.contains(&place) {
            Actor { id: ActorId::fixed("review"), role: Role::System }
        } else {
            actor.clone()
        }
    }

    fn note(&mut self, what: &'static str, text: &str) {
        if text.len() > MAX_NOTE {
            let bytes = text.len();
            self.refuse(Obstacle::TextTooLong { what, bytes, max: MAX_NOTE });
        }
    }
}

/// The state, the context and the command, as every rule sees them.
struct Scene<'a> {
    order: &'a AfterSale,
    context: &'a Context<'a>,
    roster: &'a Roster<'a>,
    envelope: &'a Envelope,
}

pub(super) fn decide(
    order: &AfterSale,
    context: &Context<'_>,
    roster: &Roster<'_>,
    envelope: &Envelope,
) -> Result<Decision, Refusal> {
    let digest = digest(&(&envelope.actor, &envelope.command));
    let conflict = |_| Obstacle::CommandConflict { id: envelope.id.clone() };
    if let Some(answer) = order.stream.answer(&envelope.id, digest).map_err(conflict)? {
        return Ok(Decision::repeated(answer));
    }
    // A case on hold has nothing on the agenda: its clocks and its review go on the moment that it ends.
    let case = envelope.command.case().and_then(|case| order.cases.get(case));
    let timed = case.is_some_and(|case| case.review.is_some() || !case.timers.is_empty());
    if context.rules.practice().is_some() || !order.agenda.is_empty() || timed {
        return clock::decide(order, context, roster, envelope, digest);
    }
    let mut draft = judge(order, context, roster, envelope, order.stream.version)?;
    let mut events = Vec::with_capacity(draft.facts.len());
    for (place, fact) in core::mem::take(&mut draft.facts).into_iter().enumerate() {
        let before = u64::try_from(events.len()).unwrap_or(u64::MAX);
        events.push(Event {
            sequence: order.stream.next().saturating_add(before),
            at: context.now,
            actor: draft.author(place, &envelope.actor),
            cause: Cause { command: envelope.id.clone(), digest, timer: None },
            rules_version: context.rules.version(),
            fact,
        });
    }
    let duties = events.iter().flat_map(duties_of).collect();
    Ok(Decision { answer: Answer::Accepted, events, duties, findings: draft.findings })
}

/// Judges a command against the order as it is; `seen` is the version that senders can have seen.
fn judge(
    order: &AfterSale,
    context: &Context<'_>,
    roster: &Roster<'_>,
    envelope: &Envelope,
    seen: u64,
) -> Result<Draft, Refusal> {
    let scene = Scene { order, context, roster, envelope };
    let mut draft = Draft::default();
    scene.check_envelope(&mut draft, seen);
    if draft.obstacles.is_empty() {
        scene.dispatch(&mut draft);
    }
    if draft.obstacles.is_empty()
        && let Some(case) = envelope.command.case()
    {
        scene.tell_review(&mut draft, case);
    }
    if draft.obstacles.is_empty() { Ok(draft) } else { Err(Refusal { obstacles: draft.obstacles }) }
}

impl<'a> Scene<'a> {
    fn check_envelope(&self, draft: &mut Draft, found: u64) {
        if let Some(expected) = self.envelope.expected_version
            && expected != found
        {
            draft.refuse(Obstacle::Stale { expected, found });
        }
        let now = self.context.now;
        if let Some(last) = self.order.stream.after(now) {
            draft.refuse(Obstacle::TimeReversed { now, last });
        }
        let max = AfterSale::MAX_EVENTS;
        if found >= max {
            draft.refuse(Obstacle::StreamFull { max });
        }
        let (act, roles) = permission(&self.envelope.command);
        let role = self.envelope.actor.role;
        if !roles.contains(&role) {
            draft.refuse(Obstacle::NotPermitted { role, act });
        }
    }

    /// A fact as the event it will be, for a look ahead.
    fn event(&self, fact: EventFact) -> Event {
        Event {
            sequence: self.order.stream.next(),
            at: self.context.now,
            actor: self.envelope.actor.clone(),
            cause: Cause { command: self.envelope.id.clone(), digest: 0, timer: None },
            rules_version: self.context.rules.version(),
            fact,
        }
    }

    fn dispatch(&self, draft: &mut Draft) {
        if let Command::OpenCase { case, resolution, lines } = &self.envelope.command {
            return self.open_case(draft, case, *resolution, lines);
        }
        if let Command::AmendSale { sale } = &self.envelope.command {
            return self.amend_sale(draft, sale);
        }
        let Some(id) = self.envelope.command.case() else { return };
        let Some(case) = self.order.cases.get(id) else {
            return draft.refuse(Obstacle::UnknownCase { case: id.clone() });
        };
        if self.is_frozen(draft, case) {
            return;
        }
        match &self.envelope.command {
            Command::Withdraw { .. } => self.withdraw(draft, case),
            Command::Authorize { ground, .. } => self.authorize(draft, case, ground),
            Command::Decline { note, .. } => self.decline(draft, case, note),
            Command::SendBack { parcel, lines, .. } => self.send_back(draft, case, parcel, lines),
            Command::Receive { parcel, lines, unexpected, .. } => {
                self.receive(draft, case, parcel.as_ref(), lines, unexpected);
            }
            Command::Accept { lines, basis, .. } => self.accept(draft, case, lines, *basis),
            Command::Reject { lines, note, .. } => self.reject(draft, case, lines, note),
            Command::ReturnToCustomer { lines, .. } => self.return_units(draft, case, lines),
            Command::Refund { lines, terms, .. } => self.refund(draft, case, lines, terms),
            Command::RecordPayment { obligation, payment, result, .. } => {
                self.record_payment(draft, case, *obligation, *payment, result);
            }
            Command::RetryPayment { obligation, payment, .. } => {
                self.retry_payment(draft, case, *obligation, *payment);
            }
            Command::RequestInfo { note, .. } => self.request_info(draft, case, note),
            Command::AddEvidence { evidence, .. } => self.add_evidence(draft, case, evidence),
            Command::Offer { offer, .. } => self.offer(draft, case, offer),
            Command::AcceptOffer { .. } => self.answer_offer(draft, case, talk::Taken::Yes),
            Command::RefuseOffer { .. } => self.answer_offer(draft, case, talk::Taken::No),
            Command::Hold { note, .. } => self.hold(draft, case, note),
            Command::Release { .. } => self.release(draft, case),
            Command::OpenDispute { note, .. } => self.open_dispute(draft, case, note),
            Command::RuleDispute { ruling, appeal_until, note, .. } => {
                self.rule(draft, case, *ruling, *appeal_until, note);
            }
            Command::AppealRuling { note, .. } => self.appeal(draft, case, note),
            Command::DeclareLost { parcel, .. } => self.declare_lost(draft, case, parcel),
            Command::InterceptParcel { parcel, lines, .. } => {
                self.intercept(draft, case, parcel, lines);
            }
            Command::RecordInterception { parcel, outcome, .. } => {
                self.end_interception(draft, case, parcel, *outcome);
            }
            Command::UpdateTracking { parcel, scan, .. } => self.track(draft, case, parcel, scan),
            Command::RecordShortage { parcel, .. } => self.record_shortage(draft, case, parcel),
            Command::ResolveUnexpected { item, end, .. } => {
                self.resolve_unexpected(draft, case, *item, *end);
            }
            Command::AmendCase { resolution, lines, .. } => {
                self.amend_case(draft, case, *resolution, lines);
            }
            Command::Split { into, lines, .. } => self.split(draft, case, into, lines),
            Command::AttributeLiability { line, liability, .. } => {
                self.attribute(draft, case, line, liability);
            }
            Command::AppealLiability { line, note, .. } => {
                self.appeal_liability(draft, case, line, note);
            }
            Command::RecordCost { line, kind, amount, note, .. } => {
                self.record_cost(draft, case, line, (*kind, *amount), note);
            }
            Command::OpenRecoveryClaim { demand, .. } => self.open_claim(draft, case, demand),
            Command::RecordRecovery { claim, result, .. } => {
                self.record_recovery(draft, case, *claim, result);
            }
            Command::Assign { to, rule, findings, .. } => {
                self.assign(draft, case, to, (rule.as_ref(), findings));
            }
            Command::Reassign { to, rule, findings, note, .. } => {
                self.reassign(draft, case, to, (rule.as_ref(), findings), note);
            }
            Command::RecordSurvey { survey, answers, .. } => {
                self.record_survey(draft, case, survey, answers);
            }
            Command::Review { order, .. } => self.review(draft, case, order),
            Command::MigrateReview { version, map, .. } => {
                self.migrate_review(draft, case, *version, map);
            }
            Command::Inspect { units, inspection, .. } => {
                self.inspect(draft, case, units, inspection);
            }
            Command::SetDisposition { units, from, to, .. } => {
                self.set_disposition(draft, case, units, *from, *to);
            }
            Command::Exchange { lines, items, terms, .. } => {
                self.exchange(draft, case, lines, items, terms);
            }
            Command::SendAdvance { items, charge_on, .. } => {
                self.send_advance(draft, case, items, *charge_on);
            }
            Command::ChargeAdvance { replacement, .. } => {
                self.charge_advance(draft, case, *replacement);
            }
            Command::Reship { items, .. } => self.reship(draft, case, items),
            Command::ShipReplacement { replacement, parcel, .. } => {
                self.ship(draft, case, *replacement, parcel);
            }
            Command::ConfirmReplacement { replacement, .. } => {
                self.confirm(draft, case, *replacement);
            }
            Command::CancelReplacement { replacement, .. } => {
                self.cancel(draft, case, *replacement);
            }
            Command::TakeBackReplacement { replacement, .. } => {
                self.take_back(draft, case, *replacement);
            }
            Command::ReturnRepaired { lines, .. } => self.return_repaired(draft, case, lines),
            Command::Reopen { note, .. } => self.reopen(draft, case, note),
            Command::Close { .. } => self.close(draft, case),
            Command::AssertReason { line, assertion, .. } => {
                self.assert_reason(draft, case, line, assertion);
            }
            Command::OpenCase { .. } | Command::AmendSale { .. } | Command::Tick => {}
        }
    }

    /// A hold and an open dispute freeze deciding, settling and ending; goods and facts go on.
    fn is_frozen(&self, draft: &mut Draft, case: &ReturnCase) -> bool {
        let freezes = matches!(
            self.envelope.command,
            Command::Withdraw { .. }
                | Command::Authorize { .. }
                | Command::Decline { .. }
                | Command::Offer { .. }
                | Command::AcceptOffer { .. }
                | Command::Refund { .. }
                | Command::Exchange { .. }
                | Command::SendAdvance { .. }
                | Command::ChargeAdvance { .. }
                | Command::CancelReplacement { .. }
                | Command::Reship { .. }
                | Command::AmendCase { .. }
                | Command::Split { .. }
                | Command::Review { .. }
                | Command::MigrateReview { .. }
                | Command::Close { .. }
        );
        let act = permission(&self.envelope.command).0;
        if freezes && case.dispute.is_open() {
            draft.refuse(Obstacle::InDispute { act });
        }
        if freezes && case.held_since.is_some() {
            draft.refuse(Obstacle::OnHold { act });
        }
        !draft.obstacles.is_empty()
    }

    /// The case is open, else an obstacle.
    fn open(&self, draft: &mut Draft, case: &ReturnCase, act: &'static str) -> bool {
        let status = case.status();
        if status.is_final() {
            draft.refuse(Obstacle::WrongStatus { status, act });
        }
        !status.is_final()
    }

    /// The case is permitted and open, else an obstacle.
    fn authorized(&self, draft: &mut Draft, case: &ReturnCase, act: &'static str) -> bool {
        let ready = case.closing.is_none() && case.approval == super::state::Approval::Authorized;
        if !ready {
            draft.refuse(Obstacle::WrongStatus { status: case.status(), act });
        }
        ready
    }

    /// The lines of a command, each one of the case, once, above zero, in the unit of its line.
    fn case_lines<'c>(
        &self,
        draft: &mut Draft,
        case: &'c ReturnCase,
        lines: &[LineQuantity],
    ) -> Vec<(&'c CaseLine, Quantity)> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::with_capacity(lines.len());
        if lines.is_empty() {
            draft.refuse(Obstacle::NoLines);
        }
        if lines.len() > MAX_LINES {
            let (what, found, max) = ("lines", lines.len(), MAX_LINES);
            draft.refuse(Obstacle::TooMany { what, found, max });
            return Vec::new();
        }
        for LineQuantity { line, quantity } in lines {
            if !seen.insert(line) {
                draft.refuse(Obstacle::LineTwice { line: line.clone() });
            }
            if quantity.is_zero() {
                draft.refuse(Obstacle::ZeroQuantity { line: line.clone() });
            }
            match case.line(line) {
                None => draft.refuse(Obstacle::NotInCase { line: line.clone() }),
                Some(own) if own.requested.unit() != quantity.unit() => {
                    draft.refuse(Obstacle::WrongUnit { line: line.clone(), quantity: *quantity });
                }
                Some(own) => found.push((own, *quantity)),
            }
        }
        found
    }
}

/// Takes `quantity` of a line from locations in turn, all to one place; an obstacle names what is
/// missing at the first of them.
fn take(
    draft: &mut Draft,
    line: &CaseLine,
    quantity: Quantity,
    from: &[Location],
    to: Location,
    postings: &mut Vec<Posting>,
) {
    let mut left = quantity.steps();
    let mut taken = Vec::new();
    for &location in from {
        let part = left.min(line.held.at(location)).max(0);
        if part > 0
            && let Ok(quantity) = Quantity::new(part, quantity.unit())
        {
            taken.push(super::evolve::posting(&line.line, location, to, quantity));
            left = left.saturating_sub(part);
        }
    }
    if left == 0 {
        postings.extend(taken);
        return;
    }
    if let Some(&location) = from.first() {
        draft.refuse(not_enough(&line.line, quantity, line.held.over(from), location));
    }
}

/// More of a line is asked for than there is of it at a location, in steps.
fn not_enough(line: &OrderLineId, asked: Quantity, there: i64, location: Location) -> Obstacle {
    let available = Quantity::new(there.max(0), asked.unit());
    let available = available.unwrap_or(Quantity::zero(asked.unit()));
    Obstacle::NotEnough { line: line.clone(), asked, available, location }
}

/// Everything of a case at one location, to another.
fn sweep(case: &ReturnCase, from: Location, to: Location) -> Vec<Posting> {
    let moved = |line: &CaseLine| {
        let quantity = Quantity::new(line.held.at(from), line.requested.unit()).ok()?;
        (!quantity.is_zero()).then(|| super::evolve::posting(&line.line, from, to, quantity))
    };
    case.lines.iter().filter_map(moved).collect()
}

/// What a command does, in words, and the roles that may give it.
fn permission(command: &Command) -> (&'static str, &'static [Role]) {
    use Role::{Agent, Customer, Finance, Inspector, Platform, Supervisor, System, Warehouse};
    match command {
        Command::OpenCase { .. } => {
            ("open a case", &[Customer, Agent, Supervisor, Platform, System])
        }
        Command::Withdraw { .. } => ("withdraw a case", &[Customer, Agent, Supervisor]),
        Command::Authorize { .. } => ("permit a return", &[Agent, Supervisor, Platform, System]),
        Command::Decline { .. } => ("refuse a return", &[Agent, Supervisor, Platform]),
        Command::SendBack { .. } => {
            ("register a parcel", &[Customer, Agent, Supervisor, Warehouse, System])
        }
        Command::Receive { .. } => {
            ("record a receipt", &[Warehouse, Inspector, Supervisor, System])
        }
        Command::Accept { .. } => {
            ("accept returned units", &[Inspector, Supervisor, Platform, System])
        }
        Command::Reject { .. } => ("refuse returned units", &[Inspector, Supervisor, Platform]),
        Command::ReturnToCustomer { .. } => {
            ("send units back", &[Warehouse, Agent, Supervisor, System])
        }
        Command::Refund { .. } => {
            ("settle a case", &[Agent, Supervisor, Finance, Platform, System])
        }
        Command::RecordPayment { .. } => ("record a payment", &[Finance, System]),
        Command::RetryPayment { .. } => ("retry a payment", &[Finance, Supervisor, System]),
        Command::RequestInfo { .. } => ("ask for information", &[Agent, Supervisor, Platform]),
        Command::AddEvidence { .. } => {
            ("add evidence", &[Customer, Agent, Supervisor, Warehouse, Inspector, Platform])
        }
        Command::Offer { .. } => ("make an offer", &[Agent, Supervisor]),
        Command::AcceptOffer { .. } => ("take an offer", &[Customer]),
        Command::RefuseOffer { .. } => ("refuse an offer", &[Customer]),
        Command::Hold { .. } => ("put a case on hold", &[Agent, Supervisor, Platform, System]),
        Command::Release { .. } => ("release a case", &[Agent, Supervisor, Platform, System]),
        Command::OpenDispute { .. } => ("open a dispute", &[Customer, Agent, Supervisor]),
        Command::RuleDispute { .. } => ("rule in a dispute", &[Platform]),
        Command::AppealRuling { .. } => ("appeal a ruling", &[Customer, Agent, Supervisor]),
        Command::DeclareLost { .. } => {
            ("declare a parcel lost", &[Agent, Supervisor, Warehouse, System])
        }
        Command::InterceptParcel { .. } => {
            ("call a parcel back", &[Agent, Supervisor, Platform, System])
        }
        Command::RecordInterception { .. } => {
            ("record an interception", &[Agent, Supervisor, Warehouse, System])
        }
        Command::UpdateTracking { .. } => {
            ("track a parcel", &[Agent, Supervisor, Warehouse, Platform, System])
        }
        Command::RecordShortage { .. } => {
            ("record a shortage", &[Warehouse, Inspector, Supervisor])
        }
        Command::ResolveUnexpected { end: UnexpectedEnd::Admitted, .. } => {
            ("admit goods that nobody announced", &[Supervisor, Platform])
        }
        Command::ResolveUnexpected { .. } => {
            ("decide about an unexpected item", &[Agent, Supervisor, Warehouse])
        }
        Command::AmendCase { .. } => ("amend a request", &[Customer, Agent, Supervisor]),
        Command::Split { .. } => ("split a case", &[Agent, Supervisor, System]),
        Command::AttributeLiability { .. } => {
            ("decide who is liable", &[Supervisor, Inspector, Platform])
        }
        Command::AppealLiability { .. } => {
            ("object to a liability", &[Customer, Agent, Supervisor, Warehouse])
        }
        Command::RecordCost { .. } => {
            ("record a cost", &[Agent, Supervisor, Warehouse, Inspector, Finance, System])
        }
        Command::OpenRecoveryClaim { .. } => {
            ("claim from who is liable", &[Agent, Supervisor, Finance, System])
        }
        Command::RecordRecovery { .. } => {
            ("record what became of a claim", &[Supervisor, Finance, System])
        }
        Command::Assign { .. } => ("assign a case", &[Agent, Supervisor, Platform, System]),
        Command::Reassign { .. } => ("reassign a case", &[Supervisor, Platform, System]),
        Command::RecordSurvey { .. } => ("record answers", &[Customer, Agent, Supervisor, System]),
        // Who may do what in a review is for its procedure to say.
        // The system acts in it by timers and facts, never as one of the people asked.
        Command::Review { .. } => (
            "act in a review",
            &[Customer, Agent, Supervisor, Warehouse, Inspector, Finance, Platform],
        ),
        Command::MigrateReview { .. } => {
            ("move a review to another version", &[Supervisor, Platform, System])
        }
        Command::Inspect { .. } => ("record an inspection", &[Inspector, Warehouse, Supervisor]),
        Command::SetDisposition { .. } => {
            ("dispose of units", &[Inspector, Warehouse, Supervisor, System])
        }
        Command::Exchange { .. } => ("settle an exchange", &[Agent, Supervisor, Finance, System]),
        Command::SendAdvance { .. } => ("send an advance", &[Agent, Supervisor]),
        Command::ChargeAdvance { .. } => ("charge an advance", &[Finance, Supervisor, System]),
        Command::Reship { .. } => ("send missing parts", &[Agent, Supervisor]),
        Command::ShipReplacement { .. } => ("ship a replacement", &[Warehouse, Supervisor, System]),
        Command::ConfirmReplacement { .. } => {
            ("confirm a replacement", &[Customer, Agent, Supervisor, System])
        }
        Command::CancelReplacement { .. } => {
            ("cancel a replacement", &[Agent, Supervisor, Warehouse, System])
        }
        Command::TakeBackReplacement { .. } => {
            ("take a replacement back", &[Warehouse, Supervisor])
        }
        Command::ReturnRepaired { .. } => ("return repaired units", &[Warehouse, Supervisor]),
        Command::Reopen { .. } => ("reopen a case", &[Supervisor, Platform]),
        Command::Close { .. } => ("close a case", &[Agent, Supervisor, Platform, System]),
        Command::AssertReason { .. } => (
            "record a reason",
            &[Customer, Agent, Supervisor, Warehouse, Inspector, Platform, System],
        ),
        Command::Tick => ("let timers fire", &[Agent, Supervisor, Platform, System]),
        Command::AmendSale { .. } => ("amend the order", &[Agent, Supervisor, System]),
    }
}
