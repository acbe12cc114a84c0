//! Bringing every case to its end: by what permitted actors may do, from any state.

use aftersale::approval::command::Order;
use aftersale::case::AfterSale;
use aftersale::case::actor::Role;
use aftersale::case::command::{Command, Envelope};
use aftersale::case::dispute::Ruling;
use aftersale::case::ground::{AcceptanceBasis, Ground};
use aftersale::case::ledger::Location;
use aftersale::case::liability::{Liability, Party};
use aftersale::case::line::{LineQuantity, ReceivedLine, RequestedLine};
use aftersale::case::obligation::{PaymentState, PaymentWay};
use aftersale::case::parcel::{InterceptionOutcome, UnexpectedEnd};
use aftersale::case::refund::PaymentResult;
use aftersale::case::replacement::ReplacementState;
use aftersale::case::resolution::Resolution;
use aftersale::case::state::{Approval, ReturnCase};
use aftersale::id::{CaseId, CommandId, OrderLineId, ParcelId, TenderId};
use aftersale::number::Ratio;
use aftersale::policy::facts::LineFacts;
use aftersale::quantity::Quantity;
use aftersale::sale::draft::{Tender, TenderKind};
use aftersale::time::{Instant, add_seconds};

use super::commands::actor;
use super::model::{Broken, hold};
use super::{Coverage, Step, World};

pub(crate) fn tick(id: &str) -> Envelope {
    let (id, expected_version) = (CommandId::new(id).unwrap(), None);
    Envelope { id, expected_version, actor: actor(Role::System), command: Command::Tick }
}

/// A request for units of a line, to probe.
pub(crate) fn opening(line: &OrderLineId, quantity: Quantity) -> Envelope {
    let request = RequestedLine {
        line: line.clone(),
        quantity,
        serials: Default::default(),
        reason: "CUS.CHANGED_MIND".parse().unwrap(),
        note: None,
        facts: LineFacts::default(),
    };
    let command = Command::OpenCase {
        case: CaseId::new("R-PROBE").unwrap(),
        resolution: Resolution::ReturnAndRefund,
        lines: vec![request],
    };
    let (id, expected_version) = (CommandId::new("probe").unwrap(), None);
    Envelope { id, expected_version, actor: actor(Role::Customer), command }
}

/// Every case of an order can be brought to its end: there is no dead end.
pub(crate) fn invariant_31(
    world: &mut World<'_>,
    now: Instant,
    coverage: &mut Coverage,
) -> Result<(), Broken> {
    let ids: Vec<CaseId> = world.order.cases().map(|case| case.id.clone()).collect();
    let mut at = now;
    let mut count = 0;
    for id in ids {
        let (mut tried, mut done) = (Vec::new(), Vec::new());
        let mut rounds = 0;
        while let Some(case) = world.order.case(&id).filter(|case| !case.status().is_final()) {
            rounds += 1;
            tried.clear();
            let mut moved = false;
            for (role, command) in ways_on(&world.order, case, at, rounds) {
                count += 1;
                at = add_seconds(at, 61).unwrap();
                let (expected_version, actor) = (None, actor(role));
                let name = CommandId::new(format!("end-{count}")).unwrap();
                let envelope = Envelope { id: name, expected_version, actor, command };
                let step = Step { now: at, envelope };
                // When nothing else can be done, time passes.
                if step.envelope.command == Command::Tick {
                    at = add_seconds(at, 5 * 86_400).unwrap();
                }
                match world.give(&step, coverage)? {
                    Ok(_) => {
                        done.push(step.envelope.command);
                        moved = true;
                        break;
                    }
                    Err(refusal) => tried.push(format!("{:?}: {refusal}", step.envelope.command)),
                }
            }
            let status = world.order.case(&id).unwrap().status();
            let last = done.last();
            hold!(
                31,
                moved && rounds < 60,
                "{id} is {status} and does not end after {last:?}: {tried:#?}"
            );
        }
    }
    Ok(())
}

/// What would bring a case nearer to its end, the best first.
fn ways_on(
    order: &AfterSale,
    case: &ReturnCase,
    now: Instant,
    rounds: u32,
) -> Vec<(Role, Command)> {
    let id = || case.id.clone();
    let note = || "to end it".to_owned();
    let mut ways: Vec<(Role, Command)> = Vec::new();
    if case.held_since.is_some() {
        ways.push((Role::Agent, Command::Release { case: id() }));
    }
    if case.dispute.is_open() {
        let mut rulings = [Ruling::ForSeller, Ruling::ForCustomer];
        if case.review.is_some() {
            // What a procedure keeps back for good only a ruling for the customer lets go.
            rulings.reverse();
        }
        for ruling in rulings {
            let appeal_until = None;
            let rule = Command::RuleDispute { case: id(), ruling, appeal_until, note: note() };
            ways.push((Role::Platform, rule));
        }
    }
    for (parcel, call) in &case.interceptions {
        if call.is_open() {
            let outcome = InterceptionOutcome::Failed;
            let (case, parcel) = (id(), parcel.clone());
            ways.push((Role::Warehouse, Command::RecordInterception { case, parcel, outcome }));
        }
    }
    if case.running_review().is_some() {
        // Everybody who may be asked agrees; where that is not enough, somebody rules.
        for role in [Role::Agent, Role::Inspector, Role::Finance, Role::Supervisor, Role::Platform]
        {
            let order = Order::Approve { comment: String::new() };
            ways.push((role, Command::Review { case: id(), order }));
            ways.push((role, Command::Review { case: id(), order: Order::RecallOpinion }));
        }
        for role in [Role::Customer, Role::Agent, Role::Supervisor, Role::Platform] {
            ways.push((role, Command::Review { case: id(), order: Order::Resubmit }));
        }
    }
    match case.approval {
        Approval::Offered => ways.push((Role::Customer, Command::RefuseOffer { case: id() })),
        Approval::Submitted | Approval::NeedsInfo => {
            if rounds.is_multiple_of(2) {
                ways.push((Role::Agent, Command::Decline { case: id(), note: note() }));
            }
            let ground = Ground::Goodwill { note: note() };
            ways.push((Role::Agent, Command::Authorize { case: id(), ground }));
        }
        Approval::Declined | Approval::Authorized => {}
    }
    ways.extend(goods(case));
    for sent in &case.replacements {
        let replacement = sent.number;
        let parcel = ParcelId::new(format!("LAST-{replacement}")).unwrap();
        match sent.state {
            ReplacementState::Planned => {
                ways.push((
                    Role::Warehouse,
                    Command::ShipReplacement { case: id(), replacement, parcel },
                ));
            }
            ReplacementState::Shipped { .. } => {
                ways.push((
                    Role::Customer,
                    Command::ConfirmReplacement { case: id(), replacement },
                ));
            }
            ReplacementState::TurnedRound { .. } => ways
                .push((Role::Warehouse, Command::TakeBackReplacement { case: id(), replacement })),
            ReplacementState::Delivered { .. } | ReplacementState::Cancelled => {}
        }
    }
    ways.extend(payments(order, case));
    ways.push((Role::Agent, Command::Close { case: id() }));
    for sent in &case.replacements {
        let replacement = sent.number;
        if sent.state == ReplacementState::Planned {
            ways.push((Role::Warehouse, Command::CancelReplacement { case: id(), replacement }));
        }
        if sent.advance.is_some_and(|advance| advance.resolved.is_none()) {
            ways.push((Role::System, Command::ChargeAdvance { case: id(), replacement }));
            ways.push((Role::Warehouse, Command::TakeBackReplacement { case: id(), replacement }));
        }
    }
    let _ = now;
    if case.review.is_some() {
        ways.push((Role::Agent, Command::OpenDispute { case: id(), note: note() }));
    }
    // Time alone may be what is missing: an advance is charged from a date on.
    ways.push((Role::System, Command::Tick));
    ways
}

fn goods(case: &ReturnCase) -> Vec<(Role, Command)> {
    let id = || case.id.clone();
    let at = |places: &[Location]| -> Vec<LineQuantity> {
        let part = |line: &aftersale::case::state::CaseLine| {
            let steps = line.held.over(places);
            let quantity = Quantity::new(steps.max(0), line.requested.unit()).unwrap();
            (steps > 0).then(|| LineQuantity { line: line.line.clone(), quantity })
        };
        case.lines.iter().filter_map(part).collect()
    };
    let mut ways = Vec::new();
    let lost = at(&[Location::Lost]);
    for part in &lost {
        let known = case.line(&part.line).and_then(|line| line.liability.as_ref());
        if known.is_none_or(Liability::is_all_the_buyers) {
            let liability = Liability::new([(Party::Carrier, Ratio::ONE)], "scan", []).unwrap();
            let line = part.line.clone();
            ways.push((
                Role::Supervisor,
                Command::AttributeLiability { case: id(), line, liability },
            ));
        }
    }
    // What is missing is lost; only what nobody can lose any more is received.
    for (parcel, state) in &case.parcels {
        let _ = state;
        ways.push((Role::Warehouse, Command::DeclareLost { case: id(), parcel: parcel.clone() }));
    }
    for (item, _) in case.undecided_items() {
        let end = UnexpectedEnd::SentBack;
        ways.push((Role::Agent, Command::ResolveUnexpected { case: id(), item, end }));
    }
    let received = at(&[Location::Received]);
    if !received.is_empty() {
        let basis = AcceptanceBasis::Inspected;
        let lines = received.clone();
        ways.push((Role::Inspector, Command::Accept { case: id(), lines, basis }));
    }
    let accepted = at(&[Location::Accepted]);
    // A marketplace may overrule a procedure that keeps money back and that a ruling has stopped.
    for role in [Role::Finance, Role::Platform] {
        let refund = Command::Refund { case: id(), lines: vec![], terms: Box::default() };
        ways.push((role, refund));
    }
    if !accepted.is_empty() {
        let lines = accepted.clone();
        ways.push((Role::Warehouse, Command::ReturnRepaired { case: id(), lines }));
        let note = "not a return".to_owned();
        ways.push((Role::Inspector, Command::Reject { case: id(), lines: accepted, note }));
    }
    let rejected = at(&[Location::Rejected]);
    if !rejected.is_empty() {
        ways.push((Role::Warehouse, Command::ReturnToCustomer { case: id(), lines: rejected }));
    }
    ways
}

fn payments(order: &AfterSale, case: &ReturnCase) -> Vec<(Role, Command)> {
    let mut ways = Vec::new();
    for owed in &case.obligations {
        for payment in &owed.payments {
            if matches!(payment.state, PaymentState::Paid { .. } | PaymentState::Released) {
                continue;
            }
            let (obligation, number) = (owed.number, payment.order.number);
            let result = match payment.order.way {
                PaymentWay::Collect => PaymentResult::Collected {
                    tender: Box::new(Tender {
                        id: TenderId::new(format!("LAST-{}-{obligation}", case.id)).unwrap(),
                        kind: TenderKind::Card,
                        captured: payment.order.amount,
                        in_kind: None,
                        refunded_outside: None,
                        refundable_until: None,
                    }),
                },
                _ => PaymentResult::Paid { reference: "bank".into() },
            };
            let _ = order;
            let (case, payment) = (case.id.clone(), number);
            ways.push((
                Role::Finance,
                Command::RecordPayment { case, obligation, payment, result },
            ));
        }
    }
    ways
}

/// What arrives of everything that may still come.
pub(crate) fn arrives(case: &ReturnCase) -> Vec<ReceivedLine> {
    let part = |line: &aftersale::case::state::CaseLine| {
        let steps = line.held.over(&[Location::InTransit, Location::Requested]).max(0);
        let quantity = Quantity::new(steps, line.requested.unit()).unwrap();
        let (serials, lots) = Default::default();
        (steps > 0).then(|| ReceivedLine { line: line.line.clone(), quantity, serials, lots })
    };
    case.lines.iter().filter_map(part).collect()
}
