//! The whole state space of a small order, explored breadth first: two lines of two units, every
//! resolution, four actors. Every invariant is checked in every state.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::support::{Desk, actor, at, case, line, sale, wanted};
use aftersale::case::actor::Role;
use aftersale::case::command::{Command, Envelope};
use aftersale::case::ledger::{Location, is_settled};
use aftersale::case::resolution::Resolution;
use aftersale::case::status::CaseStatus;
use aftersale::case::{AfterSale, Context};
use aftersale::id::CommandId;
use aftersale::label::Coded;
use aftersale::sale::Sale;
use aftersale::time::Instant;

/// How many commands deep the search goes. `AFTERSALE_DEPTH` sets another depth.
const DEPTH: usize = 6;
const ACTORS: [Role; 4] = [Role::Customer, Role::Supervisor, Role::Platform, Role::System];

/// What tells two states apart: everything but counters of events and command ids.
fn fingerprint(order: &AfterSale) -> String {
    let balances: Vec<_> = order.quantities().balances().collect();
    let cases: Vec<String> = order
        .cases()
        .map(|case| {
            let lines: Vec<_> =
                case.lines.iter().map(|line| (&line.line, line.held, &line.disposed)).collect();
            let owed: Vec<Vec<_>> = case
                .obligations
                .iter()
                .map(|owed| owed.payments.iter().map(|p| (&p.order, &p.state)).collect())
                .collect();
            let sent: Vec<_> = case
                .replacements
                .iter()
                .map(|sent| (sent.purpose, plain(&sent.state), sent.advance.map(|a| a.resolved)))
                .collect();
            let called: Vec<_> = case
                .interceptions
                .values()
                .map(|started| started.end.map(|end| end.outcome))
                .collect();
            format!(
                "{:?} {:?} {:?} {:?} {:?} {lines:?} {owed:?} {sent:?} {called:?} {} {}",
                case.id,
                case.resolution,
                case.approval,
                plain(&case.dispute),
                case.closing.is_some(),
                case.held_since.is_some(),
                case.parcels.len(),
            )
        })
        .collect();
    format!("{balances:?} {cases:?} {:?}", order.money().refunded())
}

/// The variant of a state without its times and references.
fn plain(state: &impl std::fmt::Debug) -> String {
    let text = format!("{state:?}");
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

/// Two lines of two units: the first delivered, one of the second under way, one not shipped.
fn half_delivered() -> Sale {
    let mut draft = sale(&[("1", 2, 2, "10.01"), ("2", 2, 1, "3.33")]).draft().clone();
    let mut under_way = draft.shipments[0].clone();
    under_way.parcel = "OUT-2".parse().unwrap();
    under_way.delivered_at = None;
    draft.shipments[0].lines.retain(|shipped| shipped.line == line("1"));
    under_way.lines.retain(|shipped| shipped.line == line("2"));
    draft.shipments.push(under_way);
    Sale::freeze(draft).unwrap()
}

fn openings() -> Vec<Command> {
    let mut commands = Vec::new();
    for &resolution in Resolution::ALL {
        for (id, lines) in [("R-1", vec![("1", 2)]), ("R-1", vec![("1", 1), ("2", 1)])] {
            let lines = lines.into_iter().map(|(id, count)| wanted(id, count)).collect();
            commands.push(Command::OpenCase { case: case(id), resolution, lines });
        }
    }
    let lines = vec![wanted("1", 1)];
    let resolution = Resolution::ReturnAndRefund;
    commands.push(Command::OpenCase { case: case("R-2"), resolution, lines });
    commands
}

/// Commands that do not end up in a state of their own: notes of the same kind again and again, the
/// same request once more; and splits beyond the first.
fn is_noise(command: &Command, order: &AfterSale) -> bool {
    match command {
        Command::Split { .. } => order.cases().len() > 1,
        Command::AddEvidence { .. }
        | Command::Hold { .. }
        | Command::Release { .. }
        | Command::AmendCase { .. }
        | Command::UpdateTracking { .. } => true,
        _ => false,
    }
}

fn check(order: &AfterSale) {
    let total = order.sale().total();
    assert!(order.money().refunded() <= total, "more refunded than paid");
    for (slot, balance) in order.quantities().balances().enumerate() {
        for &location in Location::ALL {
            if location != Location::Stock {
                assert!(balance.at(location) >= 0, "slot {slot}: {location} below zero");
            }
        }
    }
    for id in ["1", "2"] {
        let balance = order.quantities().balance(&line(id)).unwrap();
        assert_eq!(balance.total(), 2, "units of line {id} are conserved");
        let left = order.money().left_on_line(&line(id)).unwrap();
        assert!(!left.is_negative());
        let settled: i64 =
            Location::ALL.iter().filter(|l| is_settled(**l)).map(|l| balance.at(*l)).sum();
        let units_left = order.money().units_left(&line(id)).unwrap().steps();
        assert!(settled + units_left <= 2, "a unit was settled and can still be refunded");
    }
    for case in order.cases() {
        let status = case.status();
        assert_eq!(status.is_final(), case.closing.is_some(), "{status}");
        for owed in &case.obligations {
            assert!(!owed.settlement.total.is_negative());
            assert!(owed.settlement.total.is_zero() || owed.settlement.due.is_zero());
        }
    }
}

/// CAS-16: in every state reached, every invariant of units and money holds [1-3, 9-13, 18, 32].
/// CAS-17: from every open state some permitted actor can go on: there are no dead ends [31].
#[test]
fn every_state_of_a_small_order_is_sound() {
    let depth = std::env::var("AFTERSALE_DEPTH").ok().and_then(|d| d.parse().ok()).unwrap_or(DEPTH);
    let start = Desk::new(half_delivered());
    let rules = start.rules;
    let now: Instant = at("2026-03-10T09:00:00Z");
    let mut seen: HashSet<String> = HashSet::from([fingerprint(&start.order)]);
    let mut open: VecDeque<(AfterSale, usize)> = VecDeque::from([(start.order.clone(), 0)]);
    let mut statuses: BTreeMap<CaseStatus, usize> = BTreeMap::new();
    let (mut states, mut steps, mut dead) = (0_usize, 0_usize, Vec::new());
    while let Some((order, reached)) = open.pop_front() {
        states += 1;
        check(&order);
        for case in order.cases() {
            *statuses.entry(case.status()).or_default() += 1;
        }
        // Time passes with every step, so that an advance falls due within the search.
        let later = now + chrono::TimeDelta::hours(13 * reached as i64);
        let context = Context { now: later, rules };
        let mut ways_on = 0;
        for role in ACTORS {
            let who = actor(role);
            let mut commands: Vec<Command> =
                order.allowed(&context, &who).into_iter().map(|allowed| allowed.command).collect();
            if role == Role::Customer && order.cases().len() < 2 && reached < 3 {
                commands.extend(openings());
            }
            for command in commands {
                if is_noise(&command, &order) {
                    continue;
                }
                let id = CommandId::new(format!("c-{reached}-{}", order.version())).unwrap();
                let on_case = command.case().cloned();
                let envelope = Envelope { id, expected_version: None, actor: who.clone(), command };
                let mut next = order.clone();
                if next.apply(&context, &envelope).is_err() {
                    continue;
                }
                ways_on += usize::from(on_case.is_some());
                steps += 1;
                if reached < depth && seen.insert(fingerprint(&next)) {
                    open.push_back((next, reached + 1));
                }
            }
        }
        let waiting = order.cases().any(|case| !case.status().is_final());
        if waiting && ways_on == 0 {
            dead.push(fingerprint(&order));
        }
    }
    println!("{states} states, {steps} commands accepted, to a depth of {depth}; {statuses:?}");
    assert!(dead.is_empty(), "dead ends: {dead:#?}");
    assert!(states > 1_000, "the search did not get anywhere");
    for status in [
        CaseStatus::Completed,
        CaseStatus::AwaitingReshipment,
        CaseStatus::Disputed,
        CaseStatus::Intercepting,
    ] {
        assert!(statuses.contains_key(&status), "{status} was never reached");
    }
}
