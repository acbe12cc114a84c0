//! Practice as data: deadlines against a slow model, defects, the order of rules.

use aftersale::case::resolution::Resolution;
use aftersale::condition::Facts;
use aftersale::explain::Fact;
use aftersale::id::{FactName, RuleId};
use aftersale::label::Coded;
use aftersale::practice::length::TimerLength;
use aftersale::practice::timer::{ExpiryAction, Stage};
use aftersale::practice::{Practice, PracticeDraft, RESOLUTIONS};
use aftersale::preset::markets::{JD, Market};
use aftersale::time::{Instant, Interval, add_seconds};
use chrono::{Datelike, Timelike, Weekday};
use proptest::prelude::*;

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

const DESK: &str = r#"{"hours":{"id":"desk","zone":"Asia/Shanghai",
    "weekly":{"mon":["09:00-18:00"],"tue":["09:00-18:00"],"wed":["09:00-18:00"],
              "thu":["09:00-18:00"],"fri":["09:00-18:00"]}},
    "range":{"first":"2026-01-01","last":"2027-12-31"}}"#;

fn practice(rest: &str) -> Practice {
    let text = format!(r#"{{"id":"p","label":{{"en":"P","zh":"P"}},"calendar":{DESK}{rest}}}"#);
    serde_json::from_str(&text).unwrap()
}

fn pauses(times: &[(i64, i64)], base: Instant) -> String {
    let one = |(number, (start, minutes)): (usize, &(i64, i64))| {
        let start = add_seconds(base, start * 60).unwrap();
        let end = add_seconds(start, minutes * 60).unwrap();
        format!(
            r#"{{"id":"pause-{number}","label":{{"en":"x","zh":"x"}},
                "announced_at":"2026-01-01T00:00:00Z",
                "time":{{"start":"{}","end":"{}"}}}}"#,
            start.to_rfc3339(),
            end.to_rfc3339()
        )
    };
    let all: Vec<String> = times.iter().enumerate().map(one).collect();
    format!(r#","pauses":[{}]"#, all.join(","))
}

/// Opening hours by the clock on the wall: Monday to Friday, 9 to 18, eight hours ahead of UTC.
fn is_open(minute: Instant) -> bool {
    let local = add_seconds(minute, 8 * 3600).unwrap();
    let weekend = matches!(local.weekday(), Weekday::Sat | Weekday::Sun);
    !weekend && (9..18).contains(&local.hour())
}

/// Minute by minute: a paused minute never counts and nothing is due in it.
fn slow(length: TimerLength, start: Instant, pauses: &[Interval]) -> Instant {
    let paused = |minute: Instant| pauses.iter().any(|pause| pause.contains(minute));
    let next = |minute: Instant| add_seconds(minute, 60).unwrap();
    let mut minute = start;
    let (mut left, natural) = match length {
        TimerLength::Natural { seconds } => (seconds / 60, true),
        TimerLength::FromOpening { seconds } => {
            while paused(minute) || !is_open(minute) {
                minute = next(minute);
            }
            (seconds / 60, true)
        }
        TimerLength::Business { minutes } => (minutes, false),
        TimerLength::WorkingDays { .. } => unreachable!(),
    };
    loop {
        if !paused(minute) {
            if left == 0 {
                return minute;
            }
            if natural || is_open(minute) {
                left -= 1;
            }
        }
        minute = next(minute);
    }
}

fn lengths() -> impl Strategy<Value = TimerLength> {
    // Half hours, so that ends, openings and pauses often meet at one instant.
    let minutes = (0..70_i64).prop_map(|halves| halves * 30);
    prop_oneof![
        minutes.clone().prop_map(|minutes| TimerLength::Natural { seconds: minutes * 60 }),
        minutes.clone().prop_map(|minutes| TimerLength::FromOpening { seconds: minutes * 60 }),
        minutes.prop_map(|minutes| TimerLength::Business { minutes }),
    ]
}

/// Starts and lengths of pauses in minutes.
fn times(least: usize) -> impl Strategy<Value = Vec<(i64, i64)>> {
    let halves = |range: std::ops::Range<i64>| range.prop_map(|halves| halves * 30);
    proptest::collection::vec((halves(0..150), halves(1..60)), least..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// PRA-1: a deadline equals counting minute by minute, in every measure, with any pauses.
    #[test]
    fn deadlines_equal_counting_minutes(
        start in (0..336_i64).prop_map(|halves| halves * 30),
        length in lengths(),
        times in times(0),
    ) {
        let base = at("2026-03-09T00:00:00Z");
        let start = add_seconds(base, start * 60).unwrap();
        let practice = practice(&pauses(&times, base));
        let stopped: Vec<Interval> =
            practice.draft().pauses.iter().map(|pause| pause.time).collect();
        let timer = RuleId::new("t").unwrap();
        let due = practice.due(&timer, length, start, &[], start).unwrap();
        prop_assert_eq!(due, slow(length, start, &stopped));
    }

    /// PRA-2: no deadline falls into a known pause, and one more pause never moves it earlier.
    #[test]
    fn a_pause_never_hurries(
        start in (0..336_i64).prop_map(|halves| halves * 30),
        length in prop_oneof![
            lengths(),
            (1..6_u32).prop_map(|days| TimerLength::WorkingDays { days })
        ],
        times in times(1),
    ) {
        let base = at("2026-03-09T00:00:00Z");
        let start = add_seconds(base, start * 60).unwrap();
        let timer = RuleId::new("t").unwrap();
        let mut before = start;
        for count in 0..=times.len() {
            let practice = practice(&pauses(&times[..count], base));
            let due = practice.due(&timer, length, start, &[], start).unwrap();
            prop_assert!(due >= before);
            prop_assert!(!practice.draft().pauses.iter().any(|pause| pause.time.contains(due)));
            before = due;
        }
    }
}

#[test]
fn a_fresh_food_claim_filed_on_friday_evening() {
    let filed = at("2026-03-13T09:30:00Z"); // Friday 17:30 in Shanghai
    let timer = RuleId::new("t").unwrap();
    let due = |length| practice("").due(&timer, length, filed, &[], filed).unwrap();
    let snapped = due(TimerLength::FromOpening { seconds: 6_000 });
    assert_eq!(snapped, at("2026-03-13T11:10:00Z")); // Friday 19:10
    let business = due(TimerLength::Business { minutes: 100 });
    assert_eq!(business, at("2026-03-16T02:10:00Z")); // Monday 10:10
    let jd: Market = serde_json::from_str(JD).unwrap();
    let rule = &jd.practice().draft().timers[0];
    let claimed =
        |filed: &str| jd.practice().due(&rule.id, rule.length, at(filed), &[], at(filed)).unwrap();
    assert_eq!(claimed("2026-03-13T09:30:00Z"), snapped);
    assert_eq!(claimed("2026-03-13T10:00:00Z"), at("2026-03-16T02:40:00Z")); // 18:00 is closed
    assert_eq!(claimed("2026-02-16T03:00:00Z"), at("2026-02-24T02:40:00Z")); // Spring Festival
}

#[test]
fn a_deadline_at_the_first_instant_of_a_pause_falls_on_its_end() {
    let start = at("2026-03-09T00:00:00Z");
    let practice = practice(&pauses(&[(60, 30)], start));
    let timer = RuleId::new("t").unwrap();
    let due = |seconds| {
        practice.due(&timer, TimerLength::Natural { seconds }, start, &[], start).unwrap()
    };
    assert_eq!(due(3_599), at("2026-03-09T00:59:59Z"));
    assert_eq!(due(3_600), at("2026-03-09T01:30:00Z"));
    assert_eq!(due(3_601), at("2026-03-09T01:30:01Z"));
}

#[test]
fn five_working_days_end_with_the_fifth() {
    let timer = RuleId::new("t").unwrap();
    let length = TimerLength::WorkingDays { days: 5 };
    let filed = at("2026-03-12T03:00:00Z"); // a Thursday
    let due = practice("").due(&timer, length, filed, &[], filed).unwrap();
    assert_eq!(due, at("2026-03-19T16:00:00Z")); // Thursday is over in Shanghai
}

/// PRA-3: a practice with defects is refused, and every defect is listed.
#[test]
fn every_defect_of_a_practice_is_listed() {
    let draft: PracticeDraft = serde_json::from_str(
        r#"{"id":"p","label":{"en":"P","zh":"P"},"applications_max":0,
            "timers":[
              {"id":"a","stage":"awaiting_return","length":{"natural":{"seconds":-1}},"on_expiry":"close"},
              {"id":"a","stage":"awaiting_return","length":{"business":{"minutes":5}},"on_expiry":"close"},
              {"id":"b","stage":"awaiting_receipt","length":{"natural":{"seconds":5}},"on_expiry":"close",
               "when":{"test":{"fact":"color","is":{"type":"code","value":"red"}}}}],
            "pauses":[{"id":"x","label":{"en":"X","zh":"X"},"announced_at":"2026-01-01T00:00:00Z",
                       "time":{"start":"2026-02-01T00:00:00Z","end":"2026-02-01T00:00:00Z"},
                       "timers":["z"]}]}"#,
    )
    .unwrap();
    let text = Practice::verify(draft).unwrap_err().to_string();
    for part in [
        "at most 0 applications",
        "timer `a` has a length out of range",
        "`a` is the name of two timers",
        "timer `a` counts open time",
        "timer `a` never runs: `a` applies",
        "`color` is not declared",
        "stops timer `z`, which is not there",
        "pause `x` is empty",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

/// PRA-4: of the rules of a stage the first that applies counts, and promises run beside them.
#[test]
fn the_first_rule_that_applies_counts() {
    let practice = practice(
        r#","timers":[
          {"id":"promise","stage":"awaiting_decision","length":{"business":{"minutes":100}},"on_expiry":"report"},
          {"id":"trusted","stage":"awaiting_decision","length":{"natural":{"seconds":0}},"on_expiry":"refund",
           "when":{"test":{"fact":"buyer_tier","is":{"type":"code","value":"trusted"}}}},
          {"id":"others","stage":"awaiting_decision","length":{"natural":{"seconds":9}},"on_expiry":"refund"}]"#,
    );
    let ids = |facts: &Facts| -> Vec<String> {
        let rules = practice.rules(Stage::AwaitingDecision, facts);
        rules.map(|rule| rule.id.to_string()).collect()
    };
    let tier = |tier: &str| {
        Facts::new().with(FactName::new("buyer_tier").unwrap(), Fact::Code(tier.to_owned()))
    };
    assert_eq!(ids(&tier("trusted")), ["trusted", "promise"]);
    assert_eq!(ids(&tier("new")), ["others", "promise"]);
    assert_eq!(ids(&Facts::new()), ["others", "promise"]); // an unknown tier is not trusted
    assert!(practice.rules(Stage::AwaitingReturn, &Facts::new()).next().is_none());
}

#[test]
fn the_schema_knows_the_resolutions_of_cases() {
    let codes: Vec<&str> = Resolution::ALL.iter().map(|resolution| resolution.code()).collect();
    assert_eq!(codes, RESOLUTIONS);
    assert_eq!(ExpiryAction::ALL.len(), 5);
}

#[test]
fn rules_without_a_practice_still_load() {
    let place = r#"{"zone":"Europe/London","working_days":{"weekend":["sat","sun"]}}"#;
    let rules = |practice: &str| {
        format!(
            r#"{{"version":1,"taxonomy":{},"policies":[{}],"place":{place}{practice}}}"#,
            aftersale::preset::reasons::TAXONOMY,
            aftersale::preset::policies::STORE
        )
    };
    let old: aftersale::rules::Rules = serde_json::from_str(&rules("")).unwrap();
    assert!(old.practice().is_none());
    let bad = r#","practice":{"id":"p","label":{"en":"P","zh":"P"},"applications_max":0}"#;
    let refused = serde_json::from_str::<aftersale::rules::Rules>(&rules(bad)).unwrap_err();
    assert!(refused.to_string().contains("at most 0 applications"));
}

/// A working day of which a part is stopped does not count, wherever in the day it is; and nothing is due
/// in a pause, also where two touch.
#[test]
fn working_days_count_whole_and_end_outside_pauses() {
    let rule: RuleId = "t".parse().unwrap();
    let start = at("2026-03-09T02:00:00Z"); // Monday morning in Shanghai
    let due = |times: &[(i64, i64)]| {
        let practice = practice(&pauses(times, start));
        practice.due(&rule, TimerLength::WorkingDays { days: 2 }, start, &[], start).unwrap()
    };
    assert_eq!(due(&[]), at("2026-03-11T16:00:00Z"), "Tuesday, Wednesday");
    // Tuesday from 14:00 to 15:00: Wednesday and Thursday count.
    assert_eq!(due(&[(28 * 60, 60)]), at("2026-03-12T16:00:00Z"));
    // From the very end of Wednesday for twelve hours, in one piece or in two that touch.
    let end = (2 * 24 + 14) * 60;
    assert_eq!(due(&[(end, 720)]), at("2026-03-12T04:00:00Z"));
    assert_eq!(due(&[(end, 240), (end + 240, 480)]), at("2026-03-12T04:00:00Z"));
}
