//! The sixty invariants of return cases, over random orders and random commands under every practice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test may panic"
)]

mod case_world;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use case_world::{Coverage, all_rules, shrink, story};

/// How many stories are told; `AFTERSALE_CASES` sets another number.
const STORIES: u64 = 420;

struct Outcome {
    broken: BTreeMap<u16, String>,
    coverage: Coverage,
}

fn outcome() -> &'static Outcome {
    static OUTCOME: OnceLock<Outcome> = OnceLock::new();
    OUTCOME.get_or_init(|| {
        let all = all_rules();
        let mut coverage = Coverage::default();
        let mut broken: BTreeMap<u16, String> = BTreeMap::new();
        let first: u64 = std::env::var("AFTERSALE_FIRST").map_or(0, |text| text.parse().unwrap());
        let stories = case_world::sales_support::cases(STORIES);
        for seed in first..first + stories {
            let (sale, rules, steps, told) = story(seed, &all, &mut coverage);
            let Err(found) = told else { continue };
            if broken.contains_key(&found.invariant) {
                continue;
            }
            let (steps, fault) = shrink(&sale, rules, steps, seed, found.invariant);
            let mut text =
                format!("story {seed}: {} (first seen as: {})\n", fault.what, found.what);
            for step in steps {
                let command = serde_json::to_string(&step.envelope.command).unwrap();
                text.push_str(&format!("  {} {} {command}\n", step.now, step.envelope.actor.role));
            }
            text.push_str(&serde_json::to_string(sale.draft()).unwrap());
            broken.insert(found.invariant, text);
        }
        Outcome { broken, coverage }
    })
}

/// No story breaks the invariant.
fn holds(invariant: u16) {
    if let Some(text) = outcome().broken.get(&invariant) {
        panic!("invariant {invariant}: {text}");
    }
}

#[test]
fn all_of_them() {
    let outcome = outcome();
    let coverage = &outcome.coverage;
    println!("{} stories under {:?}", coverage.stories, coverage.practices);
    println!("accepted {:?}", coverage.accepted);
    println!("refused {:?}", coverage.refused);
    println!("events {:?}", coverage.events);
    println!("statuses {:?}", coverage.statuses);
    println!("obstacles {:?}", coverage.obstacles);
    for (number, text) in &outcome.broken {
        println!("==== invariant {number}: {text}");
    }
    assert!(outcome.broken.is_empty());
}
