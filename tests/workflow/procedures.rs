//! The review procedures: sound, and right on both sides of every limit.

use std::collections::BTreeSet;

use aftersale::approval::command::Context;
use aftersale::approval::directory::Directory;
use aftersale::approval::forecast::{Expected, forecast};
use aftersale::condition::Facts;
use aftersale::explain::Fact;
use aftersale::id::{ActorId, FactName};
use aftersale::label::Coded;
use aftersale::money::{Money, currency::Currency};
use aftersale::preset::review::{
    AMOUNT, Bands, DISPUTED, GRANTED, Procedure, REASON, RECALLED, TIER,
};
use aftersale::time::Interval;
use aftersale::workflow::RoleCode;
use aftersale::workflow::definition::{TimerAction, When, WorkflowDraft};
use aftersale::workflow::hours::OpeningHours;
use aftersale::workflow::verify::verify;

fn yuan(whole: i64) -> Money {
    Money::new(whole * 100, Currency::CNY)
}

fn bands() -> Bands {
    Bands { small: yuan(50), granted_below: yuan(200), large: yuan(2_000) }
}

#[derive(Clone, Copy)]
struct Asked {
    amount: i64,
    granted: i64,
    reason: &'static str,
    recalled: bool,
    tier: &'static str,
}

const PLAIN: Asked =
    Asked { amount: 300, granted: 0, reason: "no_reason", recalled: false, tier: "standard" };

fn facts_of(asked: Asked) -> Facts {
    let name = |name: &str| FactName::new(name).unwrap();
    Facts::new()
        .with(name(AMOUNT), Fact::Amount(yuan(asked.amount)))
        .with(name(GRANTED), Fact::Amount(yuan(asked.granted)))
        .with(name(REASON), Fact::code(asked.reason))
        .with(name(RECALLED), Fact::Flag(asked.recalled))
        .with(name(TIER), Fact::code(asked.tier))
        .with(name(DISPUTED), Fact::Flag(false))
}

/// The states of the predicted route, with a star where the system decides alone.
fn route(procedure: Procedure, asked: Asked) -> Vec<String> {
    let verified = verify(&procedure.draft(&bands()).unwrap()).unwrap();
    let facts = facts_of(asked);
    let mut directory = Directory::default();
    for role in ["service", "supervisor", "finance", "qc", "key_accounts", "expert"] {
        let people = ["a", "b"].map(|n| ActorId::new(format!("{role}_{n}")).unwrap());
        directory = directory.with_role(RoleCode::new(role).unwrap(), people);
    }
    let from = "2026-03-02T00:00:00Z".parse().unwrap();
    let hours = Interval::new(from, "2027-03-02T00:00:00Z".parse().unwrap()).unwrap();
    let hours = OpeningHours::new([hours]);
    let context = Context {
        workflow: &verified.workflow,
        facts: &facts,
        directory: &directory,
        hours: &hours,
        hash: None,
    };
    let stops = forecast(&context, &ActorId::new("zhou").unwrap(), from).unwrap();
    stops
        .iter()
        .map(|stop| match stop.expected {
            Expected::Automatic { .. } => format!("{}*", stop.state),
            _ => stop.state.to_string(),
        })
        .collect()
}

/// WFL-48: every review procedure is sound.
#[test]
fn every_procedure_verifies() {
    for procedure in Procedure::ALL {
        let draft = procedure.draft(&bands()).unwrap();
        let verified = verify(&draft).unwrap_or_else(|defects| {
            panic!("{procedure}: {}", defects.iter().map(|d| format!("{d}\n")).collect::<String>())
        });
        assert_eq!(verified.warnings, [], "{procedure}");
        for state in &draft.states {
            assert!(!state.label.en.is_empty() && !state.label.zh.is_empty(), "{}", state.id);
        }
    }
}

#[test]
fn bands_turn_at_their_limits() {
    let desk = Procedure::ReturnsDesk;
    let small = |amount, granted| route(desk, Asked { amount, granted, ..PLAIN });
    assert_eq!(small(50, 199)[0], "review*");
    assert_eq!(small(51, 0)[0], "review");
    assert_eq!(small(50, 200)[0], "review");
    assert_eq!(small(2_000, 0)[0], "review");
    assert_eq!(small(2_001, 0)[..2], ["review_large", "finance"]);
    assert_eq!(route(Procedure::AmountBands, Asked { amount: 2_001, ..PLAIN })[0], "finance");
    assert_eq!(
        route(Procedure::SmallAmount, Asked { amount: 50, ..PLAIN }),
        ["review*", "granted"]
    );
}

#[test]
fn reasons_and_tiers_choose_the_reviewer() {
    let quality = Asked { reason: "quality", ..PLAIN };
    assert_eq!(route(Procedure::QualityFirst, quality)[0], "qc");
    assert_eq!(route(Procedure::ReturnsDesk, quality)[..2], ["qc", "review"]);
    let premium = Asked { tier: "premium", ..PLAIN };
    assert_eq!(route(Procedure::CustomerTier, premium)[0], "premium_review");
    assert_eq!(route(Procedure::ReturnsDesk, premium)[0], "premium_review");
}

/// WFL-49: a batch under recall takes the recall route whatever amount, reason and tier.
#[test]
fn a_recalled_batch_takes_the_recall_route() {
    for amount in [1, 50, 51, 2_000, 2_001] {
        for reason in ["quality", "no_reason", "other"] {
            for tier in ["standard", "premium"] {
                let asked = Asked { amount, reason, tier, recalled: true, granted: 0 };
                for procedure in [Procedure::RecallRoute, Procedure::ReturnsDesk] {
                    assert_eq!(route(procedure, asked), ["isolate", "recalled"]);
                }
            }
        }
    }
}

/// WFL-58: above the limit no amount passes without finance, whatever else is decided and however long
/// anybody is silent.
#[test]
fn no_large_amount_passes_without_finance() {
    let holds = |draft: &WorkflowDraft, when: &When, facts: &Facts| {
        draft.condition_of(when).is_none_or(|condition| condition.evaluate(facts).holds())
    };
    let mut passed = 0;
    for procedure in [Procedure::AmountBands, Procedure::ReturnsDesk] {
        let draft = procedure.draft(&bands()).unwrap();
        for amount in [2_000, 2_001] {
            for reason in ["quality", "no_reason", "other"] {
                for tier in ["standard", "premium"] {
                    let asked = Asked { amount, granted: 0, reason, recalled: false, tier };
                    let facts = facts_of(asked);
                    // Every way that people and timers may take, but finance agrees to nothing.
                    let mut open = vec![draft.initial.clone()];
                    let mut seen = BTreeSet::new();
                    while let Some(state) = open.pop() {
                        if !seen.insert(state.clone()) {
                            continue;
                        }
                        for arrow in draft.arrows.iter().filter(|arrow| arrow.from == state) {
                            let agrees =
                                arrow.on.as_ref().is_some_and(|on| on.as_str() == "approved");
                            if !(agrees && state.as_str() == "finance")
                                && holds(&draft, &arrow.when, &facts)
                                && (arrow.when != When::Otherwise
                                    || !draft.arrows.iter().any(|other| {
                                        other.from == state
                                            && other.on == arrow.on
                                            && other.when != When::Otherwise
                                            && holds(&draft, &other.when, &facts)
                                    }))
                            {
                                open.push(arrow.to.clone());
                            }
                        }
                        let drawn = draft.states.iter().find(|drawn| drawn.id == state).unwrap();
                        for timer in &drawn.timers {
                            if let TimerAction::Leave { to } = &timer.then {
                                open.push(to.clone());
                            }
                        }
                    }
                    let passes =
                        seen.iter().any(|state| matches!(state.as_str(), "goods" | "granted"));
                    assert_eq!(passes, amount == 2_000, "{procedure}, {reason}, {tier}, {amount}");
                    passed += usize::from(passes);
                }
            }
        }
    }
    assert_eq!(passed, 12);
}
