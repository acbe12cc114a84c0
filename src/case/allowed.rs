//! What an actor may do now: the buttons of a screen, each agreeing with what would be decided.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::actor::{Actor, Role};
use super::command::{Command, Envelope};
use super::dispute::{Dispute, Evidence, Offer, Ruling};
use super::ground::{AcceptanceBasis, Ground};
use super::ledger::{Location, MAY_TURN_UP, PROMISED, SETTLED_OUTSIDE, WITH_US};
use super::liability::{Liability, Party};
use super::line::{LineQuantity, ReceivedLine, RequestedLine, SplitOff};
use super::obligation::{PaymentState, PaymentWay};
use super::parcel::{InterceptionOutcome, Scan, ScanState, UnexpectedEnd};
use super::recovery::RecoveryDemand;
use super::recovery::{RecoveryResult, is_claimable};
use super::refund::{PaymentResult, RefundLine};
use super::replacement::{ReplacementItem, ReplacementState};
use super::resolution::Resolution;
use super::review::Roster;
use super::state::{CaseLine, ReturnCase};
use super::{AfterSale, Context};
use crate::id::{ActorId, CaseId, CommandId, OrderLineId, ParcelId, TenderId};
use crate::inspection::{Disposition, Grade, Inspection};
use crate::label::Coded;
use crate::money::Money;
use crate::number::Ratio;
use crate::quantity::Quantity;
use crate::sale::draft::{Shipment, Tender, TenderKind};
use crate::settlement::recovery::DebtorId;
use crate::settlement::request::Claim;
use crate::workflow::definition::StateKind;

/// The most colleagues for whom orders of a review that name somebody are listed.
const MAX_COLLEAGUES: usize = 20;

/// Something an actor may do now, with a command that would be accepted as it stands.
///
/// Notes, references and new ids in it are placeholders for what the person fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// A command that [`AfterSale::decide`] accepts now.
    pub command: Command,
}

impl AfterSale {
    /// What an actor may do now about the cases of the order, case by case.
    ///
    /// Every entry is a command that [`decide`](Self::decide) accepts at this moment, for as much as
    /// there is: all units that can be received, accepted or settled. What an actor may do is listed at
    /// least once of each kind, but for what is always possible: opening a case, amending the order,
    /// assigning it, a parcel with nothing but strange goods, refunds of amounts that only a person can
    /// name, and recording reasons, costs and answers.
    #[must_use]
    pub fn allowed(&self, context: &Context<'_>, actor: &Actor) -> Vec<Allowed> {
        let (directory, facts) = Default::default();
        let roster = Roster { directory: &directory, facts: &facts };
        self.allowed_among(context, &roster, actor)
    }

    /// What an actor may do now about one case, for its screen: what [`allowed`](Self::allowed) lists of
    /// it, without the work for the others. Nothing for a case that is not there.
    #[must_use]
    pub fn allowed_in(&self, context: &Context<'_>, actor: &Actor, case: &CaseId) -> Vec<Allowed> {
        let (directory, facts) = Default::default();
        let roster = Roster { directory: &directory, facts: &facts };
        self.allowed_in_among(context, &roster, actor, case)
    }

    /// What an actor may do now where cases go through reviews; orders that name somebody are listed
    /// for the members of the roles that the open approval asks, twenty at most.
    #[must_use]
    pub fn allowed_among(
        &self,
        context: &Context<'_>,
        roster: &Roster<'_>,
        actor: &Actor,
    ) -> Vec<Allowed> {
        self.listed(context, roster, actor, |_| true)
    }

    /// What an actor may do now about one case [where cases go through reviews](Self::allowed_among).
    #[must_use]
    pub fn allowed_in_among(
        &self,
        context: &Context<'_>,
        roster: &Roster<'_>,
        actor: &Actor,
        case: &CaseId,
    ) -> Vec<Allowed> {
        self.listed(context, roster, actor, |own| own.id == *case)
    }

    fn listed(
        &self,
        context: &Context<'_>,
        roster: &Roster<'_>,
        actor: &Actor,
        about: impl Fn(&ReturnCase) -> bool,
    ) -> Vec<Allowed> {
        let caught_up = self.caught_up(context, roster);
        let order = caught_up.as_ref().unwrap_or(self);
        let accepted = |command: &Command| {
            let (id, expected_version) = (CommandId::fixed("allowed"), None);
            let (actor, command) = (actor.clone(), command.clone());
            let envelope = Envelope { id, expected_version, actor, command };
            order.decide_among(context, roster, &envelope).is_ok()
        };
        let commands = order.cases().filter(|case| about(case)).flat_map(|case| {
            let mut commands = order.candidates(context, case);
            commands.extend(review_candidates(context, roster, case));
            commands.extend(claim_candidates(case));
            commands.extend(judging_candidates(case));
            commands
        });
        commands.filter(accepted).map(|command| Allowed { command }).collect()
    }

    /// The order after what is due has happened, when something is: a refund that a timer brings about
    /// can be paid, a dispute that one opens be ruled.
    fn caught_up(&self, context: &Context<'_>, roster: &Roster<'_>) -> Option<Self> {
        let (id, expected_version, command) = (CommandId::fixed("due"), None, Command::Tick);
        let actor = Actor { id: ActorId::fixed("due"), role: Role::System };
        let envelope = Envelope { id, expected_version, actor, command };
        let due = self.decide_among(context, roster, &envelope).ok()?.events;
        if due.is_empty() {
            return None;
        }
        let mut order = self.clone();
        due.iter().for_each(|event| order.evolve(event));
        Some(order)
    }

    /// One command of each kind for a case, with all that there is for it.
    fn candidates(&self, context: &Context<'_>, case: &ReturnCase) -> Vec<Command> {
        let id = || case.id.clone();
        let note = || String::from("…");
        let lines = |locations: &[Location]| -> Vec<LineQuantity> {
            case.lines.iter().filter_map(|line| at(line, locations)).collect()
        };
        let leaving: Vec<LineQuantity> = case.lines.iter().filter_map(free).collect();
        let later = crate::time::add_seconds(context.now, 86_400).unwrap_or(context.now);
        let offer = Offer { resolution: Resolution::RefundOnly, amount: None, note: note() };
        let mut commands = alloc::vec![
            Command::Withdraw { case: id() },
            Command::Authorize { case: id(), ground: Ground::Policy },
            Command::Authorize { case: id(), ground: Ground::Goodwill { note: note() } },
            Command::Decline { case: id(), note: note() },
            Command::RequestInfo { case: id(), note: note() },
            Command::AddEvidence {
                case: id(),
                evidence: Evidence { kind: note(), reference: note() },
            },
            Command::Offer { case: id(), offer },
            Command::AcceptOffer { case: id() },
            Command::RefuseOffer { case: id() },
            Command::Hold { case: id(), note: note() },
            Command::Release { case: id() },
            Command::OpenDispute { case: id(), note: note() },
            Command::AppealRuling { case: id(), note: note() },
            Command::Accept {
                case: id(),
                lines: lines(&[Location::Received]),
                basis: AcceptanceBasis::Inspected,
            },
            Command::Accept {
                case: id(),
                lines: lines(&[Location::Rejected]),
                basis: AcceptanceBasis::Inspected,
            },
            Command::Reject { case: id(), lines: lines(&[Location::Received]), note: note() },
            Command::Reject { case: id(), lines: leaving.clone(), note: note() },
            Command::ReturnToCustomer { case: id(), lines: lines(&[Location::Rejected]) },
            Command::ReturnRepaired { case: id(), lines: leaving },
            Command::Refund { case: id(), lines: Vec::new(), terms: Box::default() },
            Command::Reopen { case: id(), note: note() },
            Command::Close { case: id() },
        ];
        if let Dispute::Open { .. } = case.dispute {
            let rule = |ruling| Command::RuleDispute {
                case: id(),
                ruling,
                appeal_until: None,
                note: note(),
            };
            commands.extend([rule(Ruling::ForCustomer), rule(Ruling::ForSeller)]);
        }
        commands.extend(self.goods_candidates(case, &lines(&[Location::Requested])));
        commands.extend(self.replacement_candidates(case, later));
        commands.extend(payment_candidates(case));
        commands.extend(self.parcel_candidates(context, case));
        commands.extend(self.reshape_candidates(case));
        commands.extend(case.lines.iter().filter_map(|line| amount_refund(self, case, line)));
        commands
    }

    fn goods_candidates(&self, case: &ReturnCase, expected: &[LineQuantity]) -> Vec<Command> {
        let id = || case.id.clone();
        let mut commands = Vec::new();
        for places in [MAY_TURN_UP, SETTLED_OUTSIDE] {
            let received = |line: &CaseLine| {
                let LineQuantity { line, quantity } = at(line, places)?;
                let (serials, lots) = Default::default();
                Some(ReceivedLine { line, quantity, serials, lots })
            };
            let lines: Vec<ReceivedLine> = case.lines.iter().filter_map(received).collect();
            if !lines.is_empty() {
                let (parcel, unexpected) = (None, Vec::new());
                commands.push(Command::Receive { case: id(), parcel, lines, unexpected });
            }
        }
        if let (Ok(parcel), false) = (ParcelId::new("…"), expected.is_empty()) {
            commands.push(Command::SendBack { case: id(), parcel, lines: expected.to_vec() });
        }
        commands.extend(
            case.parcels
                .keys()
                .map(|parcel| Command::DeclareLost { case: id(), parcel: parcel.clone() }),
        );
        commands
    }

    /// Calling parcels back, what carriers say, and what was in parcels beside the lines.
    fn parcel_candidates(&self, context: &Context<'_>, case: &ReturnCase) -> Vec<Command> {
        let id = || case.id.clone();
        let mut commands = Vec::new();
        let under_way = |shipment: &&Shipment| shipment.arrived_at().is_none();
        for shipment in self.sale().shipments().iter().filter(under_way) {
            let (parcel, lines) = (shipment.parcel.clone(), Vec::new());
            commands.push(Command::InterceptParcel { case: id(), parcel, lines });
        }
        for parcel in case.interceptions.keys() {
            for &outcome in InterceptionOutcome::ALL {
                let (case, parcel) = (id(), parcel.clone());
                commands.push(Command::RecordInterception { case, parcel, outcome });
            }
        }
        for parcel in case.parcels.keys() {
            let (at, state, place, note) = (context.now, ScanState::InTransit, None, None);
            let scan = Scan { at, state, place, note };
            commands.push(Command::UpdateTracking { case: id(), parcel: parcel.clone(), scan });
            commands.push(Command::RecordShortage { case: id(), parcel: parcel.clone() });
        }
        for (item, _) in case.undecided_items() {
            let ends = UnexpectedEnd::ALL.iter();
            commands.extend(ends.map(|&end| Command::ResolveUnexpected { case: id(), item, end }));
        }
        commands
    }

    /// The same request again as an amendment, and everything open of one line as a case of its own.
    fn reshape_candidates(&self, case: &ReturnCase) -> Vec<Command> {
        let again = |line: &CaseLine| {
            let said = line.reasons.assertions().first()?;
            let (line, quantity) = (line.line.clone(), line.requested);
            let (reason, serials, facts) =
                (said.code.clone(), Default::default(), Default::default());
            Some(RequestedLine { line, quantity, serials, reason, note: None, facts })
        };
        let mut commands = alloc::vec![Command::AmendCase {
            case: case.id.clone(),
            resolution: case.resolution,
            lines: case.lines.iter().filter_map(again).collect(),
        }];
        let first = case.lines.iter().find_map(|line| Some((line, at(line, PROMISED)?)));
        let numbered = (1..=1_000_u32).map(|n| CaseId::new(alloc::format!("{}/{n}", case.id)));
        let fresh = numbered.flatten().find(|id| self.case(id).is_none());
        if let (Some((line, all)), Some(into)) = (first, fresh) {
            // Something has to stay: all of the line when the case has more, else all but one step.
            let whole = case.lines.len() > 1 || all.quantity < line.requested;
            let steps = all.quantity.steps().saturating_sub(i64::from(!whole));
            let quantity = Quantity::new(steps, line.requested.unit()).unwrap_or(all.quantity);
            let serials = line.serials.difference(&line.received_serials);
            let count = usize::try_from(steps).unwrap_or(usize::MAX);
            let serials = serials.take(count).cloned().collect();
            let lines = alloc::vec![SplitOff { line: line.line.clone(), quantity, serials }];
            commands.push(Command::Split { case: case.id.clone(), into, lines });
        }
        commands
    }

    fn replacement_candidates(
        &self,
        case: &ReturnCase,
        charge_on: crate::time::Instant,
    ) -> Vec<Command> {
        let id = || case.id.clone();
        let mut commands = Vec::new();
        for sent in &case.replacements {
            let replacement = sent.number;
            if let (Ok(parcel), ReplacementState::Planned) = (ParcelId::new("…"), &sent.state) {
                commands.push(Command::ShipReplacement { case: id(), replacement, parcel });
            }
            if let Some(parcel) = sent.under_way_in() {
                let (parcel, lines) = (parcel.clone(), Vec::new());
                commands.push(Command::InterceptParcel { case: id(), parcel, lines });
            }
            if let ReplacementState::Shipped { parcel, .. }
            | ReplacementState::TurnedRound { parcel, .. } = &sent.state
            {
                commands.push(Command::DeclareLost { case: id(), parcel: parcel.clone() });
            }
            commands.extend([
                Command::ConfirmReplacement { case: id(), replacement },
                Command::CancelReplacement { case: id(), replacement },
                Command::ChargeAdvance { case: id(), replacement },
                Command::TakeBackReplacement { case: id(), replacement },
            ]);
        }
        let accepted = |line: &CaseLine| at(line, &[Location::Accepted]).map(|part| part.quantity);
        let back = self.even_items(case, accepted);
        let items = self.even_items(case, |line| Some(line.requested));
        commands.extend([
            Command::Exchange { case: id(), lines: Vec::new(), items: back, terms: Box::default() },
            Command::SendAdvance { case: id(), items: items.clone(), charge_on },
            Command::Reship { case: id(), items },
        ]);
        commands
    }

    /// The same articles again, as an even exchange, for as much of each line as is told.
    fn even_items(
        &self,
        case: &ReturnCase,
        much: impl Fn(&CaseLine) -> Option<Quantity>,
    ) -> Vec<ReplacementItem> {
        let fresh = |line: &OrderLineId| {
            let numbered = (1..=1_000_u32).map(|n| OrderLineId::new(alloc::format!("{line}/{n}")));
            numbered.flatten().find(|id| self.quantities.slot(id).is_none())
        };
        let again = |line: &CaseLine| {
            Some(ReplacementItem {
                line: fresh(&line.line)?,
                replaces: line.line.clone(),
                sku: self.sold_as(&line.line)?.ordered.sku.clone(),
                quantity: much(line)?,
                price: None,
            })
        };
        case.lines.iter().filter_map(again).collect()
    }
}

/// All of a line that stands at some locations.
fn at(line: &CaseLine, locations: &[Location]) -> Option<LineQuantity> {
    steps_of(line, line.held.over(locations))
}

/// Accepted units of a line that may still go elsewhere.
fn free(line: &CaseLine) -> Option<LineQuantity> {
    steps_of(line, line.held.at(Location::Accepted).min(line.free()))
}

fn steps_of(line: &CaseLine, steps: i64) -> Option<LineQuantity> {
    let quantity = Quantity::new(steps, line.requested.unit()).ok()?;
    (!quantity.is_zero()).then(|| LineQuantity { line: line.line.clone(), quantity })
}

fn payment_candidates(case: &ReturnCase) -> Vec<Command> {
    let mut commands = Vec::new();
    for owed in &case.obligations {
        for payment in &owed.payments {
            let (case, obligation) = (case.id.clone(), owed.number);
            let payment_number = payment.order.number;
            if matches!(payment.state, PaymentState::Failed { .. }) {
                let case = case.clone();
                let payment = payment_number;
                commands.push(Command::RetryPayment { case, obligation, payment });
            }
            let text = || String::from("…");
            let collected = TenderId::new("…").map(|id| Tender {
                id,
                kind: TenderKind::Card,
                captured: payment.order.amount,
                in_kind: None,
                refunded_outside: None,
                refundable_until: None,
            });
            let made = match (&payment.order.way, collected) {
                (PaymentWay::Collect, Ok(tender)) => {
                    PaymentResult::Collected { tender: Box::new(tender) }
                }
                _ => PaymentResult::Paid { reference: text() },
            };
            for result in [made, PaymentResult::Failed { error: text() }] {
                let (case, payment) = (case.clone(), payment_number);
                commands.push(Command::RecordPayment { case, obligation, payment, result });
            }
        }
    }
    commands
}

/// Looking at what came back, deciding what becomes of it, and who is liable.
fn judging_candidates(case: &ReturnCase) -> Vec<Command> {
    let id = || case.id.clone();
    let mut commands = Vec::new();
    for own in &case.lines {
        let line = || own.line.clone();
        if let Some(units) = at(own, WITH_US) {
            let (findings, evidence) = Default::default();
            let inspection = Inspection { grade: Grade::AsNew, findings, evidence };
            commands.push(Command::Inspect { case: id(), units, inspection });
        }
        let dispose = |steps: i64, from, to| {
            let quantity = Quantity::new(steps, own.requested.unit()).ok()?;
            let units = LineQuantity { line: line(), quantity };
            (!quantity.is_zero()).then(|| Command::SetDisposition { case: id(), units, from, to })
        };
        commands.extend(dispose(own.undisposed(), None, Disposition::Restock));
        for (&from, &steps) in &own.disposed {
            commands.extend(dispose(steps, Some(from), Disposition::Restock));
        }
        // Who is liable stays as it is by the same decision again.
        let seller = Liability::new([(Party::Seller, Ratio::ONE)], "…", []).ok();
        if let Some(liability) = own.liability.clone().or(seller) {
            let line = line();
            commands.push(Command::AttributeLiability { case: id(), line, liability });
        }
        let (line, note) = (line(), String::from("…"));
        commands.push(Command::AppealLiability { case: id(), line, note });
    }
    commands
}

fn claim_candidates(case: &ReturnCase) -> Vec<Command> {
    let mut commands = Vec::new();
    for claim in &case.claims {
        let (amount, reference) = (claim.open(), String::from("…"));
        let note = || String::from("…");
        let results = [
            RecoveryResult::Recovered { amount, reference },
            RecoveryResult::Refused { note: note() },
            RecoveryResult::WrittenOff { note: note() },
        ];
        let command = |result| {
            let (case, claim) = (case.id.clone(), claim.number);
            Command::RecordRecovery { case, claim, result }
        };
        commands.extend(results.into_iter().map(command));
    }
    let Ok(debtor) = DebtorId::new("…") else { return commands };
    for line in &case.lines {
        let parties = line.liability.iter().flat_map(Liability::shares);
        for (party, _) in parties.filter(|(party, _)| is_claimable(*party, line)) {
            let (line, note) = (line.line.clone(), String::from("…"));
            let demand = RecoveryDemand { line, party, debtor: debtor.clone(), amount: None, note };
            commands.push(Command::OpenRecoveryClaim { case: case.id.clone(), demand });
        }
    }
    commands
}

fn review_candidates(
    context: &Context<'_>,
    roster: &Roster<'_>,
    case: &ReturnCase,
) -> Vec<Command> {
    let Some(review) = case.running_review() else { return Vec::new() };
    let reviews = context.rules.reviews();
    let workflow = reviews.and_then(|reviews| reviews.pinned(&review.standing.pin));
    let Some(workflow) = workflow else { return Vec::new() };
    let state = workflow.find(&review.standing.token.state);
    let groups = match state.map(|state| &state.kind) {
        Some(StateKind::Approval(rule)) => rule.groups.as_slice(),
        _ => &[],
    };
    let mut colleagues: Vec<ActorId> = Vec::new();
    for member in
        groups.iter().flat_map(|group| &group.roles).flat_map(|role| roster.directory.members(role))
    {
        if !colleagues.contains(member) && colleagues.len() < MAX_COLLEAGUES {
            colleagues.push(member.clone());
        }
    }
    let orders = review.standing.orders(workflow, &colleagues).into_iter();
    let pin = &review.standing.pin;
    let others = reviews.into_iter().flat_map(|reviews| reviews.versions(&pin.workflow));
    let others = others.map(|other| other.pin().version).filter(|version| *version != pin.version);
    let moves = others.map(|version| {
        let (case, version, map) = (case.id.clone(), Some(version), Default::default());
        Command::MigrateReview { case, version, map }
    });
    orders.map(|order| Command::Review { case: case.id.clone(), order }).chain(moves).collect()
}

/// A refund of money without goods, for the smallest amount there is.
fn amount_refund(order: &AfterSale, case: &ReturnCase, line: &CaseLine) -> Option<Command> {
    let keeps = case.resolution.keeps_goods();
    let claim = Claim::Amount(Money::new(1, order.sale().currency()));
    keeps.then(|| Command::Refund {
        case: case.id.clone(),
        lines: alloc::vec![RefundLine { line: line.line.clone(), claim }],
        terms: Box::default(),
    })
}
