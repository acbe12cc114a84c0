//! Cases: from request to refund, one command in mid-life, and replay of a stored history.
//!
//! `cargo bench --bench case`. Replay counts events, the others whole operations.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a bench may panic"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use aftersale::case::actor::Role;
use aftersale::case::command::{Command, Ground};
use aftersale::case::event::Event;
use aftersale::case::{AfterSale, Context};
use aftersale::preset::markets::{Market, WECHAT_SHOP};
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

/// Deciding one mid-life command and evolving its event.
#[divan::bench]
fn authorize_one_case(bencher: Bencher<'_, '_>) {
    let mut desk = jacket();
    desk.open("R-1", &[("1", 1)]).unwrap();
    let authorize = Command::Authorize { case: case("R-1"), ground: Ground::Policy };
    let envelope = desk.envelope(Role::Agent, authorize);
    let (order, rules, now) = (desk.order.clone(), desk.rules, desk.now);
    bencher.with_inputs(|| order.clone()).bench_local_values(|mut order| {
        let context = Context { now, rules };
        black_box(order.apply(&context, &envelope).unwrap());
        order
    });
}

/// The same under the practice of a marketplace: the deadline of the next stage is set too.
#[divan::bench]
fn authorize_one_case_with_timers(bencher: Bencher<'_, '_>) {
    let market: Market = serde_json::from_str(WECHAT_SHOP).unwrap();
    let rules = support::rules().clone().with_practice(market.practice().clone());
    let mut desk = jacket();
    desk.rules = Box::leak(Box::new(rules));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let authorize = Command::Authorize { case: case("R-1"), ground: Ground::Policy };
    let envelope = desk.envelope(Role::Agent, authorize);
    let (order, rules, now) = (desk.order.clone(), desk.rules, desk.now);
    bencher.with_inputs(|| order.clone()).bench_local_values(|mut order| {
        let context = Context { now, rules };
        black_box(order.apply(&context, &envelope).unwrap());
        order
    });
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
