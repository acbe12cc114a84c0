//! Conditions over facts: truth, explanation, and exact analysis by cells.

use std::collections::BTreeSet;

use aftersale::condition::cells::{Cells, CellsError, MAX_CELLS, hole, overlaps, satisfying};
use aftersale::condition::schema::{ConditionFault, FactType, Schema};
use aftersale::condition::{Check, Condition, Facts, MAX_DEPTH, Truth};
use aftersale::explain::Fact;
use aftersale::id::FactName;
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Exact;
use proptest::prelude::*;

fn name(text: &str) -> FactName {
    FactName::new(text).unwrap()
}

fn yuan(minor: i64) -> Fact {
    Fact::Amount(Money::new(minor, Currency::CNY))
}

fn number(tenths: i64) -> Fact {
    Fact::Number(format!("{}.{}", tenths / 10, tenths % 10).parse::<Exact>().unwrap())
}

fn schema() -> Schema {
    let tiers = ["gold", "silver", "plain"].map(String::from).into();
    Schema::new()
        .with(name("opened"), FactType::Flag)
        .with_optional(name("amount"), FactType::Amount(Currency::CNY))
        .with(name("weight"), FactType::Number)
        .with_optional(name("tier"), FactType::Code(tiers))
        .with(name("tags"), FactType::Codes(BTreeSet::new()))
        .with(name("days"), FactType::Days)
}

fn code(tier: u8) -> String {
    ["gold", "silver", "plain"][usize::from(tier) % 3].to_owned()
}

fn tag(number: u8) -> String {
    ["food", "custom", "sealed"][usize::from(number) % 3].to_owned()
}

fn bound(check: u8, fact: Fact) -> Check {
    match check % 6 {
        0 => Check::Is(fact),
        1 => Check::IsNot(fact),
        2 => Check::Below(fact),
        3 => Check::AtMost(fact),
        4 => Check::Above(fact),
        _ => Check::AtLeast(fact),
    }
}

fn test() -> impl Strategy<Value = Condition> {
    prop_oneof![
        any::<bool>().prop_map(|flag| Condition::test(name("opened"), Check::Is(Fact::Flag(flag)))),
        (any::<u8>(), 0..5_i64)
            .prop_map(|(check, minor)| Condition::test(name("amount"), bound(check, yuan(minor)))),
        (any::<u8>(), 0..25_i64).prop_map(|(check, tenths)| Condition::test(
            name("weight"),
            bound(check, number(tenths))
        )),
        (any::<u8>(), 0..4_i64).prop_map(|(check, days)| Condition::test(
            name("days"),
            bound(check, Fact::Days(days))
        )),
        prop::collection::btree_set(any::<u8>().prop_map(code), 0..3)
            .prop_map(|codes| Condition::test(name("tier"), Check::OneOf(codes))),
        any::<u8>()
            .prop_map(|tier| Condition::test(name("tier"), Check::Is(Fact::Code(code(tier))))),
        any::<u8>().prop_map(|n| Condition::test(name("tags"), Check::Includes(tag(n)))),
        any::<bool>().prop_map(|known| Condition::test(name("amount"), Check::Known(known))),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![8 => test(), 1 => Just(Condition::Always)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::Any),
            inner.prop_map(|part| Condition::Not(Box::new(part))),
        ]
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    let tags = prop::collection::btree_set(any::<u8>().prop_map(tag), 0..3);
    let optional = |fact: BoxedStrategy<Fact>| prop::option::of(fact);
    (
        any::<bool>(),
        optional((-2..8_i64).prop_map(yuan).boxed()),
        0..30_i64,
        optional(any::<u8>().prop_map(|tier| Fact::Code(code(tier))).boxed()),
        tags,
        -1..6_i64,
    )
        .prop_map(|(opened, amount, weight, tier, tags, days)| {
            let mut facts = Facts::new();
            facts.set(name("opened"), Fact::Flag(opened));
            facts.set(name("weight"), number(weight));
            facts.set(name("tags"), Fact::Codes(tags));
            facts.set(name("days"), Fact::Days(days));
            amount.into_iter().for_each(|amount| facts.set(name("amount"), amount));
            tier.into_iter().for_each(|tier| facts.set(name("tier"), tier));
            facts
        })
}

proptest! {
    /// CND-1: evaluating any facts equals evaluating the representative of some cell, for all
    /// conditions at once, so that what no cell shows cannot happen.
    #[test]
    fn cells_show_every_combination_of_truths(
        conditions in prop::collection::vec(condition(), 1..4),
        facts in facts(),
    ) {
        let cells = Cells::of(&schema(), &conditions, MAX_CELLS).unwrap();
        let truths = |facts: &Facts| -> Vec<Truth> {
            conditions.iter().map(|condition| condition.evaluate(facts)).collect()
        };
        let found = truths(&facts);
        prop_assert!(cells.iter().any(|cell| truths(&cell) == found), "{facts}");
    }

    /// CND-2: an overlap and a hole come with facts that prove them, and none is missed.
    #[test]
    fn overlaps_and_holes_are_proven(
        conditions in prop::collection::vec(condition(), 1..4),
        facts in facts(),
    ) {
        let holding: Vec<usize> = (0..conditions.len())
            .filter(|&place| conditions[place].evaluate(&facts).holds())
            .collect();
        let found = overlaps(&schema(), &conditions).unwrap();
        for overlap in &found {
            prop_assert!(conditions[overlap.first].evaluate(&overlap.witness).holds());
            prop_assert!(conditions[overlap.second].evaluate(&overlap.witness).holds());
        }
        for pair in holding.windows(2) {
            let listed = found.iter().any(|o| (o.first, o.second) == (pair[0], pair[1]));
            prop_assert!(listed, "{pair:?} under {facts}");
        }
        match hole(&schema(), &conditions).unwrap() {
            Some(witness) => {
                prop_assert!(conditions.iter().all(|c| !c.evaluate(&witness).holds()));
            }
            None => prop_assert!(!holding.is_empty(), "an unnoticed hole at {facts}"),
        }
    }

    /// CND-3: a fact that is missing never makes a condition hold that does not hold for every value.
    #[test]
    fn what_is_unknown_never_decides(condition in condition(), facts in facts(), minor in 0..5_i64) {
        let mut without = facts.clone();
        without.remove(&name("amount"));
        let asks_presence = condition.tests().iter().any(|test| matches!(test.check, Check::Known(_)));
        if !asks_presence && condition.evaluate(&without) != Truth::Unknown {
            let with = without.clone().with(name("amount"), yuan(minor));
            prop_assert_eq!(condition.evaluate(&with), condition.evaluate(&without));
        }
    }

    /// CND-4: the wire form of a condition gives the condition back, and the same truth.
    #[test]
    fn conditions_survive_their_wire_form(condition in condition(), facts in facts()) {
        let text = serde_json::to_string(&condition).unwrap();
        let back: Condition = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&back, &condition);
        let (truth, made) = back.explain(&facts);
        prop_assert_eq!(truth, condition.evaluate(&facts));
        prop_assert_eq!(made.len(), condition.tests().len());
    }
}

#[test]
fn amount_bands_that_meet_leave_neither_overlap_nor_hole() {
    let schema = Schema::new().with(name("amount"), FactType::Amount(Currency::CNY));
    let small = Condition::test(name("amount"), Check::AtMost(yuan(20_000)));
    let large = Condition::test(name("amount"), Check::Above(yuan(20_000)));
    let both = [small.clone(), large];
    assert_eq!(overlaps(&schema, &both), Ok(vec![]));
    assert_eq!(hole(&schema, &both), Ok(None));
    let from_limit = Condition::test(name("amount"), Check::AtLeast(yuan(20_000)));
    let witness = overlaps(&schema, &[small.clone(), from_limit]).unwrap().remove(0).witness;
    assert_eq!(witness.to_string(), "amount = 200.00 CNY");
    let beyond = Condition::test(name("amount"), Check::Above(yuan(20_001)));
    let missed = hole(&schema, &[small, beyond]).unwrap().unwrap();
    assert_eq!(missed.to_string(), "amount = 200.01 CNY");
}

/// Instants are told apart to the nanosecond, as they are compared.
#[test]
fn conditions_that_meet_at_one_instant_overlap_there_and_nowhere_else() {
    let schema = Schema::new().with(name("at"), FactType::Instant);
    let at = |text: &str| Fact::Instant(text.parse().unwrap());
    for text in ["2026-03-02T09:00:00Z", "2026-03-02T09:00:00.000000001Z"] {
        let until = Condition::test(name("at"), Check::AtMost(at(text)));
        let from = Condition::test(name("at"), Check::AtLeast(at(text)));
        let after = Condition::test(name("at"), Check::Above(at(text)));
        let found = overlaps(&schema, &[until.clone(), from]).unwrap();
        assert_eq!(found[0].witness.get(&name("at")), Some(&at(text)));
        let both = [until, after];
        assert_eq!((overlaps(&schema, &both), hole(&schema, &both)), (Ok(vec![]), Ok(None)));
    }
    let between = Condition::All(vec![
        Condition::test(name("at"), Check::Above(at("2026-03-02T09:00:00.000000001Z"))),
        Condition::test(name("at"), Check::Below(at("2026-03-02T09:00:00.000000003Z"))),
    ]);
    assert!(satisfying(&schema, &between).unwrap().is_some());
}

#[test]
fn an_optional_fact_leaves_a_hole_until_somebody_says_what_happens() {
    let schema = Schema::new().with_optional(name("days"), FactType::Days);
    let early = Condition::test(name("days"), Check::AtMost(Fact::Days(7)));
    let late = Condition::test(name("days"), Check::Above(Fact::Days(7)));
    let unknown = Condition::test(name("days"), Check::Known(false));
    let missed = hole(&schema, &[early.clone(), late.clone()]).unwrap().unwrap();
    assert_eq!(missed.to_string(), "");
    assert_eq!(hole(&schema, &[early, late, unknown]), Ok(None));
}

#[test]
fn a_contradiction_is_found() {
    let schema = Schema::new().with(name("days"), FactType::Days);
    let never = Condition::All(vec![
        Condition::test(name("days"), Check::Above(Fact::Days(3))),
        Condition::test(name("days"), Check::Below(Fact::Days(4))),
    ]);
    assert_eq!(satisfying(&schema, &never), Ok(None), "no whole day lies between 3 and 4");
}

#[test]
fn conditions_are_checked_against_the_declared_facts() {
    let schema = schema();
    let wrong_type = Condition::test(name("opened"), Check::Below(Fact::Days(3)));
    assert!(matches!(schema.faults(&wrong_type)[0], ConditionFault::TypeMismatch { .. }));
    let wrong_currency =
        Condition::test(name("amount"), Check::Below(Fact::Amount(Money::new(1, Currency::EUR))));
    assert_eq!(
        schema.faults(&wrong_currency)[0].to_string(),
        "fact `amount` is an amount in CNY, and cannot be tested by `amount is below 0.01 EUR`",
    );
    let unknown = Condition::test(name("color"), Check::Known(true));
    assert_eq!(schema.faults(&unknown).len(), 1);
    let tier = Condition::test(name("tier"), Check::Is(Fact::Code("bronze".into())));
    assert_eq!(schema.faults(&tier)[0].to_string(), "fact `tier` can never be `bronze`");
}

#[test]
fn too_many_situations_are_refused_and_never_sampled() {
    let schema = (0..20)
        .fold(Schema::new(), |schema, n| schema.with(name(&format!("flag-{n}")), FactType::Flag));
    let all = Condition::All(
        (0..20)
            .map(|n| Condition::test(name(&format!("flag-{n}")), Check::Is(Fact::Flag(true))))
            .collect(),
    );
    assert_eq!(overlaps(&schema, &[all]), Err(CellsError::TooManyCells { limit: MAX_CELLS }),);
}

#[test]
fn a_condition_nested_too_deep_decides_nothing_and_is_a_fault() {
    let mut deep = Condition::Always;
    for _ in 0..=MAX_DEPTH {
        deep = Condition::Not(Box::new(deep));
    }
    assert_eq!(deep.evaluate(&Facts::new()), Truth::Unknown);
    assert!(matches!(schema().faults(&deep)[0], ConditionFault::TooDeep { .. }));
}

#[test]
fn an_explanation_names_what_was_seen() {
    let condition = Condition::Any(vec![
        Condition::test(name("opened"), Check::Is(Fact::Flag(true))),
        Condition::test(name("days"), Check::Above(Fact::Days(7))),
    ]);
    assert_eq!(condition.to_string(), "(opened is yes or days is above 7 days)");
    let facts = Facts::new().with(name("days"), Fact::Days(12));
    let (truth, made) = condition.explain(&facts);
    assert_eq!(truth, Truth::Holds);
    let lines: Vec<String> = made.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "opened is yes cannot be decided: nothing is known",
            "days is above 7 days holds: 12 days observed",
        ]
    );
}

#[test]
fn hostile_conditions_are_answered_with_errors() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "\"sometimes\"",
        "{\"all\":{}}",
        "{\"not\":[]}",
        "{\"test\":{\"fact\":\"\",\"is\":{\"type\":\"flag\",\"value\":true}}}",
        "{\"test\":{\"fact\":\"x\"}}",
        "{\"test\":{\"fact\":\"x\",\"is\":{\"type\":\"amount\",\"value\":{\"amount\":\"1e9\",\"currency\":\"CNY\"}}}}",
        "{\"test\":{\"fact\":\"x\",\"is\":{\"type\":\"count\",\"value\":99999999999999999999}}}",
    ] {
        assert!(serde_json::from_str::<Condition>(text).is_err(), "{text}");
    }
    let deep = format!("{}\"always\"{}", "{\"not\":".repeat(5_000), "}".repeat(5_000));
    assert!(serde_json::from_str::<Condition>(&deep).is_err());
}

/// Found by breaking the code: the words of a condition, each alone, over facts that are there, missing
/// or of another kind.
#[test]
fn every_word_of_a_condition_has_its_truth() {
    let test = |check| Condition::Test(aftersale::condition::Test { fact: name("price"), check });
    let mut here = Facts::new();
    here.set(name("price"), yuan(10_000));
    let none = Facts::new();
    let holds = test(Check::Is(yuan(10_000)));
    assert_eq!(holds.evaluate(&here), Truth::Holds);
    assert_eq!(Condition::Not(Box::new(holds.clone())).evaluate(&here), Truth::Fails);
    assert_eq!(Condition::Not(Box::new(holds.clone())).evaluate(&none), Truth::Unknown);
    assert_eq!(Condition::Any(vec![]).evaluate(&here), Truth::Fails, "any of nothing is never");
    assert_eq!(Condition::All(vec![]).evaluate(&here), Truth::Holds, "all of nothing is always");
    let fails = test(Check::Is(yuan(1)));
    assert_eq!(Condition::Any(vec![fails.clone()]).evaluate(&here), Truth::Fails);
    assert_eq!(Condition::Any(vec![fails, holds]).evaluate(&here), Truth::Holds);
    assert_eq!(
        test(Check::Known(true)).evaluate(&none),
        Truth::Fails,
        "a missing fact is not known"
    );
    assert_eq!(test(Check::Known(false)).evaluate(&none), Truth::Holds);
    assert_eq!(test(Check::Known(true)).evaluate(&here), Truth::Holds);
    assert_eq!(test(Check::Known(false)).evaluate(&here), Truth::Fails);
    let euros = Fact::Amount(Money::new(10_000, Currency::EUR));
    assert_eq!(
        test(Check::Is(euros.clone())).evaluate(&here),
        Truth::Unknown,
        "nothing is converted"
    );
    assert_eq!(test(Check::AtLeast(euros)).evaluate(&here), Truth::Unknown);
}
