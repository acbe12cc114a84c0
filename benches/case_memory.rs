//! Memory that cases keep, counted by the allocator of the bench.
//!
//! `cargo bench --bench case_memory`. Each run adds 100 cases to one order; what an order keeps for one
//! of them is `(alloc + grow - dealloc - shrink) / 100` of the bytes shown. The order itself, its sale,
//! and the events that a host stores elsewhere are not in it.

#[path = "../tests/support/mod.rs"]
mod support;

use aftersale::case::actor::Role;
use aftersale::case::command::{Command, Envelope};
use aftersale::case::{AfterSale, Context};
use divan::{AllocProfiler, Bencher};
use support::{Desk, case, sale, wanted};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const CASES: usize = 100;

fn main() {
    divan::main();
}

/// The commands of one hundred cases of one unit each, up to a stage.
fn commands(desk: &mut Desk, stage: &str) -> Vec<Envelope> {
    let mut envelopes = Vec::new();
    let ids: Vec<String> = (0..CASES).map(|number| format!("R-{number}")).collect();
    for id in &ids {
        let resolution = aftersale::case::resolution::Resolution::ReturnAndRefund;
        let lines = vec![wanted("1", 1)];
        let open = Command::OpenCase { case: case(id), resolution, lines };
        envelopes.push(desk.envelope(Role::Customer, open));
    }
    if stage == "opened" {
        return envelopes;
    }
    for id in &ids {
        let mut one = Desk::new(desk.sale.clone());
        one.whole_return(id, &[("1", 1)]).unwrap();
        let settled = if stage == "refunded" { 5 } else { 3 };
        for sent in one.sent.iter().take(settled).skip(1) {
            envelopes.push(desk.envelope(sent.actor.role, sent.command.clone()));
        }
    }
    envelopes
}

/// One hundred cases, opened; received; accepted and refunded.
#[divan::bench(args = ["opened", "received", "refunded"], sample_count = 20, sample_size = 1)]
fn one_hundred_cases(bencher: Bencher<'_, '_>, stage: &str) {
    let mut desk = Desk::new(sale(&[("1", 200, 200, "59.90")]));
    let envelopes = commands(&mut desk, stage);
    let (rules, now) = (desk.rules, desk.now);
    let sale = desk.sale;
    bencher.with_inputs(|| AfterSale::open(sale.clone())).bench_local_values(|mut order| {
        let context = Context { now, rules };
        for envelope in &envelopes {
            drop(order.apply(&context, envelope).unwrap());
        }
        order
    });
}
