//! Damaged and hostile documents: commands, events, sales and rules answer with typed errors.

use crate::support::{Desk, sale};
use aftersale::case::command::Envelope;
use aftersale::case::event::Event;
use aftersale::case::{AfterSale, Context};
use aftersale::rules::{Rules, RulesDraft};
use aftersale::sale::Sale;
use aftersale::sale::draft::SaleDraft;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Values that a careless or hostile sender might put anywhere.
fn hostile() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(-1)),
        Just(json!(0)),
        Just(json!(i64::MAX)),
        Just(json!(1e308)),
        Just(json!("")),
        Just(json!("-0.01")),
        Just(json!("99999999999999999999999999.99")),
        Just(json!("9223372036854775807")),
        Just(json!("x".repeat(5_000))),
        Just(json!("\u{0}")),
        Just(json!("9999-12-31T23:59:59Z")),
        Just(json!("+262142-12-31T23:59:59Z")),
        Just(json!("0001-01-01T00:00:00Z")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[[[[[]]]]]])),
        Just(json!({"type": "nonsense"})),
    ]
}

/// The places of a document: every path to a value.
fn places(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    found.push(path.clone());
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, child) in children {
        path.push(key);
        places(child, path, found);
        path.pop();
    }
}

/// Puts something else at a place, or removes it.
fn damage(document: &Value, place: usize, put: Option<Value>) -> Value {
    let mut found = Vec::new();
    places(document, &mut Vec::new(), &mut found);
    let path = &found[place % found.len()];
    let mut damaged = document.clone();
    let Some((last, way)) = path.split_last() else { return put.unwrap_or(Value::Null) };
    let mut at = &mut damaged;
    for key in way {
        at = match at {
            Value::Object(map) => map.get_mut(key).unwrap(),
            Value::Array(items) => &mut items[key.parse::<usize>().unwrap()],
            _ => unreachable!(),
        };
    }
    match (at, put) {
        (Value::Object(map), Some(value)) => {
            map.insert(last.clone(), value);
        }
        (Value::Object(map), None) => {
            map.remove(last);
        }
        (Value::Array(items), Some(value)) => items[last.parse::<usize>().unwrap()] = value,
        (Value::Array(items), None) => {
            items.remove(last.parse::<usize>().unwrap());
        }
        _ => unreachable!(),
    }
    damaged
}

fn returned() -> Desk {
    let mut desk = Desk::new(sale(&[("1", 3, 3, "10.00"), ("2", 1, 1, "5.00")]));
    desk.whole_return("R-1", &[("1", 2), ("2", 1)]).unwrap();
    desk.pay("R-1", 1).unwrap();
    desk.close("R-1").unwrap();
    desk
}

/// An order built from nothing but damaged input must still keep its promises.
fn check(order: &AfterSale) {
    assert!(order.money().refunded() <= order.sale().total());
    for case in order.cases() {
        let _ = case.status();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// CAS-40: a damaged history is refused at the first event that does not fit, and never panics.
    #[test]
    fn damaged_histories_are_answered(damages in prop::collection::vec((any::<usize>(), prop::option::of(hostile())), 1..4)) {
        let desk = returned();
        let mut stored = serde_json::to_value(&desk.events).unwrap();
        for (place, put) in damages {
            stored = damage(&stored, place, put);
        }
        if let Ok(events) = serde_json::from_value::<Vec<Event>>(stored)
            && let Ok(order) = AfterSale::replay(desk.sale.clone(), &events)
        {
            check(&order);
        }
    }

    /// CAS-41: a damaged command is refused or decided, and never panics.
    #[test]
    fn damaged_commands_are_answered(which in any::<usize>(), place in any::<usize>(), put in prop::option::of(hostile())) {
        let desk = returned();
        let envelope = &desk.sent[which % desk.sent.len()];
        let stored = damage(&serde_json::to_value(envelope).unwrap(), place, put);
        if let Ok(envelope) = serde_json::from_value::<Envelope>(stored) {
            let mut order = AfterSale::open(desk.sale.clone());
            let context = Context { now: desk.now, rules: desk.rules };
            for sent in desk.sent.iter().take(which % desk.sent.len()) {
                let _ = order.apply(&context, sent);
            }
            let _ = order.apply(&context, &envelope);
            check(&order);
        }
    }

    /// CAS-42: a damaged snapshot is refused with its faults, and never panics.
    #[test]
    fn damaged_sales_are_answered(damages in prop::collection::vec((any::<usize>(), prop::option::of(hostile())), 1..3)) {
        let mut stored = serde_json::to_value(sale(&[("1", 3, 2, "10.00")])).unwrap();
        for (place, put) in damages {
            stored = damage(&stored, place, put);
        }
        if let Ok(draft) = serde_json::from_value::<SaleDraft>(stored) {
            match Sale::freeze(draft) {
                Ok(sale) => check(&AfterSale::open(sale)),
                Err(refused) => prop_assert!(!refused.faults.is_empty()),
            }
        }
    }
}

#[test]
fn rules_name_the_defects_of_every_part() {
    let rules = crate::support::rules();
    let stored = serde_json::to_value(rules).unwrap();
    let back: Rules = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(back).unwrap(), stored);
    let mut broken = stored;
    broken["version"] = json!(0);
    broken["taxonomy"]["reasons"][1]["code"] = broken["taxonomy"]["reasons"][0]["code"].clone();
    broken["policies"][0]["rules"][0]["remedies"] = json!([]);
    let draft: RulesDraft = serde_json::from_value(broken).unwrap();
    let refused = Rules::verify(draft).unwrap_err();
    assert_eq!(refused.defects.len(), 3, "{refused}");
}
