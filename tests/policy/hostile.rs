//! Hostile policies and situations: a typed error or an answer, never a panic.

use std::sync::LazyLock;

use aftersale::calendar::working_days::WorkingDays;
use aftersale::policy::deadline::{Pause, Place, Timeline};
use aftersale::policy::facts::LineFacts;
use aftersale::policy::judge::Situation;
use aftersale::policy::period::{Anchor, PauseKind, Period};
use aftersale::policy::set::{PolicyDraft, PolicySet};
use aftersale::policy::verdict::{GroundKind, Verdict};
use aftersale::preset::policies;
use aftersale::time::{Instant, Interval, Zone};
use proptest::prelude::*;
use serde_json::{Value, json};

static ALL: LazyLock<PolicySet> = LazyLock::new(|| {
    let drafts = policies::ALL.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    PolicySet::verify(drafts).unwrap()
});

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn period(change: &[(&str, Value)]) -> Result<Period, serde_json::Error> {
    let mut value = json!({"length": {"count": 7, "unit": "days"}, "anchors": ["signed"]});
    for (name, part) in change {
        value[name] = part.clone();
    }
    serde_json::from_value(value)
}

#[test]
fn a_period_that_deserializes_is_valid() {
    assert!(period(&[]).is_ok());
    let error = |change: &[(&str, Value)]| period(change).unwrap_err().to_string();
    assert_eq!(
        error(&[("length", json!({"count": 0, "unit": "days"}))]),
        "a period of 0 calendar days cannot be used: 1 to 36525 are allowed"
    );
    assert!(error(&[("length", json!({"count": -1, "unit": "days"}))]).contains("-1"));
    assert!(
        error(&[("length", json!({"count": 4_294_967_296_u64, "unit": "days"}))]).contains("u32")
    );
    assert!(error(&[("length", json!({"count": 7, "unit": "fortnights"}))]).contains("fortnights"));
    assert!(error(&[("anchors", json!([]))]).contains("0 events"));
    assert!(error(&[("anchors", json!(vec!["signed"; 9]))]).contains("9 events"));
    assert!(error(&[("rol", json!("none"))]).contains("unknown field"));
    assert!(error(&[("usage_max", json!([{"amount": "-1", "unit": "km:0"}]))]).contains("-1"));
}

#[test]
fn a_set_that_deserializes_is_valid() {
    let wrong = json!([{"id": "x", "version": 1, "label": {"en": "x", "zh": "x"}, "source": "x", "rules": []}]);
    let error = serde_json::from_value::<PolicySet>(wrong).unwrap_err().to_string();
    assert_eq!(error, "x: the policy has no rules");
}

#[test]
fn times_at_the_end_of_the_calendar_are_answered() {
    for time in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "+262142-12-31T23:59:59Z"] {
        let mut timeline = Timeline::new(at(time));
        timeline.events = anchors().map(|anchor| (anchor, at(time))).collect();
        timeline.pauses = vec![Pause {
            kind: PauseKind::Repair,
            time: Interval::new(at("0001-01-01T00:00:00Z"), at("9999-12-31T23:59:59Z")).unwrap(),
        }];
        let line = LineFacts {
            country: Some("GB".into()),
            tags: ["three_guarantees".into(), "family_car".into()].into(),
            ..LineFacts::default()
        };
        let place = Place::new("Asia/Shanghai".parse().unwrap(), WorkingDays::china());
        let verdict = ALL.judge(&Situation { line, timeline }, &place);
        assert!(!verdict.refused.is_empty() || !verdict.undecided.is_empty());
    }
}

fn anchors() -> impl Iterator<Item = Anchor> {
    use aftersale::label::Coded;
    Anchor::ALL.iter().copied()
}

#[test]
fn a_calendar_without_working_days_leaves_the_rule_open() {
    let every_day = r#"{"weekend":["mon","tue","wed","thu","fri","sat","sun"]}"#;
    let place = Place::new(Zone::UTC, serde_json::from_str(every_day).unwrap());
    let mut policy: PolicyDraft = serde_json::from_str(policies::STORE).unwrap();
    let window = policy.rules[0].window.as_mut().unwrap();
    window.roll = aftersale::policy::period::Roll::NextWorkingDay;
    let timeline =
        Timeline::new(at("2026-01-05T00:00:00Z")).with(Anchor::Sold, at("2026-01-01T00:00:00Z"));
    let situation = Situation { line: LineFacts::default(), timeline };
    let verdict = PolicySet::verify(vec![policy]).unwrap().judge(&situation, &place);
    assert_eq!(verdict.undecided[0].grounds[0].kind, GroundKind::Incomputable);
}

#[test]
fn deep_conditions_are_a_defect_and_not_a_crash() {
    let mut condition = json!("always");
    for _ in 0..60 {
        condition = json!({ "not": condition });
    }
    let mut policy: Value = serde_json::from_str(policies::STORE).unwrap();
    policy["rules"][0]["scope"] = condition;
    let draft: PolicyDraft = serde_json::from_value(policy).unwrap();
    let error = PolicySet::verify(vec![draft]).unwrap_err();
    assert!(error.to_string().contains("nests"), "{error}");
}

/// Changes one value somewhere in a document.
fn damage(value: &mut Value, path: &[usize], with: &Value) {
    let Some((step, rest)) = path.split_first() else {
        *value = with.clone();
        return;
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            let position = step % map.len();
            if let Some(inner) = map.values_mut().nth(position) {
                damage(inner, rest, with);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let position = step % list.len();
            damage(&mut list[position], rest, with);
        }
        _ => *value = with.clone(),
    }
}

fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(-1)),
        Just(json!(4_294_967_295_u32)),
        Just(json!(1e308)),
        Just(json!("")),
        Just(json!("\u{0}")),
        Just(json!("a".repeat(10_000))),
        Just(json!([])),
        Just(json!({})),
        Just(json!("always")),
        Just(json!({"any": []})),
        Just(json!({"test": {"fact": "opened", "is": {"type": "flag", "value": true}}})),
        Just(json!("years")),
        Just(json!("same_instant")),
        Just(json!("9999-12-31T23:59:59Z")),
    ]
}

proptest! {
    /// A damaged policy is refused with a message, or is a policy that judges.
    #[test]
    fn damaged_policies_never_panic(
        which in 0usize..11,
        path in prop::collection::vec(0usize..40, 1..8),
        with in junk(),
    ) {
        let mut value: Value = serde_json::from_str(policies::ALL[which]).unwrap();
        damage(&mut value, &path, &with);
        let Ok(draft) = serde_json::from_value::<PolicyDraft>(value) else { return Ok(()) };
        let Ok(set) = PolicySet::verify(vec![draft]) else { return Ok(()) };
        let timeline = Timeline::new(at("2026-03-05T00:00:00Z"))
            .with(Anchor::Signed, at("2026-03-02T00:00:00Z"))
            .with(Anchor::Delivered, at("2026-03-02T00:00:00Z"));
        let line = LineFacts { country: Some("CN".into()), ..LineFacts::default() };
        let place = Place::new(Zone::UTC, WorkingDays::weekdays());
        let rules = set.rules().count();
        let verdict = set.judge(&Situation { line, timeline }, &place);
        prop_assert_eq!(
            verdict.entitlements.len() + verdict.refused.len() + verdict.undecided.len(),
            rules
        );
    }

    /// A damaged situation or verdict is refused with a message, or is one.
    #[test]
    fn damaged_situations_never_panic(
        path in prop::collection::vec(0usize..40, 1..8),
        with in junk(),
    ) {
        let mut timeline = Timeline::new(at("2026-03-05T00:00:00Z"))
            .with(Anchor::Delivered, at("2026-03-02T00:00:00Z"));
        timeline.pauses.push(Pause {
            kind: PauseKind::Repair,
            time: Interval::new(timeline.requested_at, timeline.requested_at).unwrap(),
        });
        let situation = Situation { line: LineFacts::default(), timeline };
        let place = Place::new(Zone::UTC, WorkingDays::weekdays());
        let verdict = ALL.judge(&situation, &place);
        let mut value = serde_json::to_value(&situation).unwrap();
        damage(&mut value, &path, &with);
        if let Ok(situation) = serde_json::from_value::<Situation>(value) {
            let _ = ALL.judge(&situation, &place);
        }
        let mut value = serde_json::to_value(&verdict).unwrap();
        damage(&mut value, &path, &with);
        if let Ok(verdict) = serde_json::from_value::<Verdict>(value) {
            let _ = verdict.best();
        }
    }
}
