//! Cases: from request to refund, one command in mid-life, and replay of a stored history.
//!
//! `cargo bench --bench case`. Replay counts events, the others whole operations.

#[path = "../tests/support/mod.rs"]
mod support;

use aftersale::case::actor::Role;
use aftersale::case::command::{Command, Envelope};
use aftersale::case::dispute::Evidence;
use aftersale::case::event::Event;
use aftersale::case::ground::{AcceptanceBasis, Ground};
use aftersale::case::line::ReceivedLine;
use aftersale::case::refund::PaymentResult;
use aftersale::case::resolution::Resolution;
use aftersale::case::{AfterSale, Context};
use aftersale::id::{ActorId, ParcelId};
use aftersale::inspection::{Grade, Inspection};
use aftersale::preset::markets::WECHAT_SHOP;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use support::{Desk, case, sale};

fn main() {
    divan::main();
}

fn jacket() -> Desk {
    Desk::new(sale(&[("1", 1, 1, "59.90")]))
}

/// Open, authorize, receive, accept, refund: five commands, decided and evolved.
#[divan::bench]
fn open_to_refund_of_one_line(bencher: Bencher<'_, '_>) {
    bencher.with_inputs(jacket).bench_local_values(|mut desk| {
        desk.whole_return("R-1", &[("1", 1)]).unwrap();
        desk
    });
}

/// Twelve commands from request to end, decided and evolved: open, assign, ask for proof, proof, permit,
/// send back, receive, inspect, accept, refund, pay, close.
fn twelve() -> Vec<(Role, Command)> {
    let id = || case("R-1");
    let note = || String::from("a photo of the seam");
    let units = || support::units(&[("1", 1)]);
    let inspection = Inspection {
        grade: Grade::Opened,
        findings: Default::default(),
        evidence: Default::default(),
    };
    let received = ReceivedLine {
        line: support::line("1"),
        quantity: support::pieces(1),
        serials: Default::default(),
        lots: Default::default(),
    };
    let parcel = ParcelId::new("BACK-1").unwrap();
    let evidence = Evidence { kind: "photo".into(), reference: "blob-7".into() };
    let looked_at = units().remove(0);
    let result = PaymentResult::Paid { reference: "bank-1".into() };
    let (basis, resolution) = (AcceptanceBasis::Inspected, Resolution::ReturnAndRefund);
    let (to, rule, findings) = (ActorId::new("li").unwrap(), None, vec![]);
    let (obligation, payment) = (1, 1);
    vec![
        (
            Role::Customer,
            Command::OpenCase { case: id(), resolution, lines: vec![support::wanted("1", 1)] },
        ),
        (Role::System, Command::Assign { case: id(), to, rule, findings }),
        (Role::Agent, Command::RequestInfo { case: id(), note: note() }),
        (Role::Customer, Command::AddEvidence { case: id(), evidence }),
        (Role::Agent, Command::Authorize { case: id(), ground: Ground::Policy }),
        (Role::Customer, Command::SendBack { case: id(), parcel: parcel.clone(), lines: units() }),
        (
            Role::Warehouse,
            Command::Receive {
                case: id(),
                parcel: Some(parcel),
                lines: vec![received],
                unexpected: vec![],
            },
        ),
        (Role::Inspector, Command::Inspect { case: id(), units: looked_at, inspection }),
        (Role::Inspector, Command::Accept { case: id(), lines: units(), basis }),
        (Role::Finance, Command::Refund { case: id(), lines: vec![], terms: Box::default() }),
        (Role::System, Command::RecordPayment { case: id(), obligation, payment, result }),
        (Role::Agent, Command::Close { case: id() }),
    ]
}

/// Open to close of a typical case in twelve commands.
#[divan::bench]
fn open_to_close_in_twelve_commands(bencher: Bencher<'_, '_>) {
    let mut desk = jacket();
    let envelopes: Vec<Envelope> =
        twelve().into_iter().map(|(role, command)| desk.envelope(role, command)).collect();
    let (order, rules, now) = (desk.order.clone(), desk.rules, desk.now);
    bencher.with_inputs(|| order.clone()).bench_local_values(|mut order| {
        for (minutes, envelope) in (0_i32..).zip(&envelopes) {
            let now = now + chrono::TimeDelta::minutes(minutes.into());
            black_box(order.apply(&Context { now, rules }, envelope).unwrap());
        }
        order
    });
}

/// One command to an order as the desk has it, decided and evolved.
fn give(bencher: Bencher<'_, '_>, mut desk: Desk, role: Role, command: Command) {
    let envelope = desk.envelope(role, command);
    let (order, rules, now) = (desk.order.clone(), desk.rules, desk.now);
    bencher.with_inputs(|| order.clone()).bench_local_values(|mut order| {
        black_box(order.apply(&Context { now, rules }, &envelope).unwrap());
        order
    });
}

/// A command in the middle of that life, decided and evolved: the receipt, the acceptance, the refund.
#[divan::bench(args = ["receive", "accept", "refund"])]
fn mid_life_command(bencher: Bencher<'_, '_>, name: &str) {
    let place = match name {
        "receive" => 6,
        "accept" => 8,
        _ => 9,
    };
    let mut desk = jacket();
    let mut commands = twelve();
    commands.truncate(place + 1);
    let (role, command) = commands.pop().unwrap();
    for (role, command) in commands {
        desk.give(role, command).unwrap();
    }
    give(bencher, desk, role, command);
}

/// Deciding one mid-life command and evolving its event.
#[divan::bench]
fn authorize_one_case(bencher: Bencher<'_, '_>) {
    let mut desk = jacket();
    desk.open("R-1", &[("1", 1)]).unwrap();
    let authorize = Command::Authorize { case: case("R-1"), ground: Ground::Policy };
    give(bencher, desk, Role::Agent, authorize);
}

/// The same under the practice of a marketplace: the deadline of the next stage is set too.
#[divan::bench]
fn authorize_one_case_with_timers(bencher: Bencher<'_, '_>) {
    let mut desk = jacket();
    desk.change_rules(support::market(WECHAT_SHOP));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let authorize = Command::Authorize { case: case("R-1"), ground: Ground::Policy };
    give(bencher, desk, Role::Agent, authorize);
}

/// A history of 200 return cases of one order, one thousand two hundred events.
fn long_history() -> (Desk, Vec<Event>) {
    let mut desk = Desk::new(sale(&[("1", 200, 200, "59.90"), ("2", 200, 200, "7.49")]));
    for number in 0..200 {
        let id = format!("R-{number}");
        desk.whole_return(&id, &[("1", 1)]).unwrap();
        desk.pay(&id, 1).unwrap();
    }
    let events = desk.events.clone();
    (desk, events)
}

/// Events folded per second, each checked before it is trusted.
#[divan::bench]
fn replay_checked(bencher: Bencher<'_, '_>) {
    let (desk, events) = long_history();
    bencher
        .counter(ItemsCount::new(events.len()))
        .with_inputs(|| desk.sale.clone())
        .bench_local_values(|sale| AfterSale::replay(sale, black_box(&events)).unwrap());
}

/// Events folded per second from a trusted store.
#[divan::bench]
fn replay_trusted(bencher: Bencher<'_, '_>) {
    let (desk, events) = long_history();
    bencher
        .counter(ItemsCount::new(events.len()))
        .with_inputs(|| AfterSale::open(desk.sale.clone()))
        .bench_local_values(|mut order| {
            for event in black_box(&events) {
                order.evolve(event);
            }
            order
        });
}
