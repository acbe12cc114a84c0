//! What it costs to judge one line.

use aftersale::calendar::working_days::WorkingDays;
use aftersale::policy::deadline::{Place, Timeline};
use aftersale::policy::facts::{Buyer, ContractChannel, LineFacts};
use aftersale::policy::judge::Situation;
use aftersale::policy::period::Anchor;
use aftersale::policy::set::PolicySet;
use aftersale::preset::policies;
use aftersale::reason::attribute::PolicyBasis;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

fn set(texts: &[&str]) -> PolicySet {
    serde_json::from_str(&format!("[{}]", texts.join(","))).unwrap()
}

fn situation(asked: &str) -> Situation {
    let delivered = "2026-03-02T04:00:00Z".parse().unwrap();
    let timeline = Timeline::new(asked.parse().unwrap())
        .with(Anchor::Sold, delivered)
        .with(Anchor::Delivered, delivered);
    let line = LineFacts {
        country: Some("CN".into()),
        channel: Some(ContractChannel::Online),
        buyer: Some(Buyer::Consumer),
        reason_basis: Some(PolicyBasis::Withdrawal),
        made_to_order: Some(false),
        ..LineFacts::default()
    };
    Situation { line, timeline }
}

fn place() -> Place {
    Place::new("Asia/Shanghai".parse().unwrap(), WorkingDays::china())
}

/// The promise of a store, in time and late.
#[divan::bench(args = ["2026-03-05T00:00:00Z", "2026-05-05T00:00:00Z"])]
fn store(bencher: Bencher, asked: &str) {
    let (set, situation, place) = (set(&[policies::STORE]), situation(asked), place());
    bencher.bench_local(|| black_box(&set).judge(black_box(&situation), black_box(&place)));
}

/// The seven days of China.
#[divan::bench]
fn china_seven_days(bencher: Bencher) {
    let set = set(&[policies::CN_NO_REASON]);
    let (situation, place) = (situation("2026-03-05T00:00:00Z"), place());
    bencher.bench_local(|| black_box(&set).judge(black_box(&situation), black_box(&place)));
}

/// Every rule of every policy that ships with the crate.
#[divan::bench]
fn all_policies(bencher: Bencher) {
    let set = set(policies::ALL);
    let (situation, place) = (situation("2026-03-05T00:00:00Z"), place());
    bencher.bench_local(|| black_box(&set).judge(black_box(&situation), black_box(&place)));
}
