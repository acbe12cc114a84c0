//! The words of the crate: identifiers, labels, numbers, times, working days.

use std::collections::BTreeSet;

use aftersale::calendar::working_days::{DayKind, WorkingDays};
use aftersale::case::actor::Role;
use aftersale::case::liability::Party;
use aftersale::case::resolution::Resolution;
use aftersale::case::status::CaseStatus;
use aftersale::explain::{Effect, Fact, Finding};
use aftersale::id::{CaseId, IdError, MAX_BYTES, Sku};
use aftersale::inspection::{Disposition, Grade, StockAction};
use aftersale::label::{Coded, Label, Language};
use aftersale::number::{Exact, Ratio, Rounding, divide};
use aftersale::sale::draft::{ChargeKind, PriceBasis, TenderKind};
use aftersale::time::{Fold, Gap, Instant, Interval, TimeError, Zone, add_days, add_seconds};
use chrono::{NaiveDate, NaiveDateTime};
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn local(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn codes_are_complete<C: Coded + std::fmt::Display + serde::Serialize>() {
    let mut seen = BTreeSet::new();
    assert!(!C::ALL.is_empty());
    for &value in C::ALL {
        let code = value.code();
        let plain = code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        assert!(plain && !code.is_empty(), "{} `{code}` is not snake_case", C::KIND);
        assert!(seen.insert(code), "{} `{code}` is listed twice", C::KIND);
        assert_eq!(C::from_code(code).map(Coded::code), Some(code));
        assert_eq!(value.to_string(), code);
        assert_eq!(serde_json::to_value(value).unwrap(), code);
        assert!(!value.label(Language::English).is_empty());
        let chinese = value.label(Language::Chinese);
        assert!(
            chinese.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
            "{code}: {chinese}"
        );
    }
}

/// WRD-1: every code is snake_case, unique, and has a label in English and in Chinese.
#[test]
fn no_code_lacks_a_label() {
    codes_are_complete::<CaseStatus>();
    codes_are_complete::<Resolution>();
    codes_are_complete::<Role>();
    codes_are_complete::<Party>();
    codes_are_complete::<Grade>();
    codes_are_complete::<Disposition>();
    codes_are_complete::<StockAction>();
    codes_are_complete::<Effect>();
    codes_are_complete::<Rounding>();
    codes_are_complete::<ChargeKind>();
    codes_are_complete::<PriceBasis>();
    codes_are_complete::<TenderKind>();
    codes_are_complete::<aftersale::case::ledger::Location>();
    codes_are_complete::<aftersale::reason::attribute::PolicyBasis>();
    codes_are_complete::<aftersale::reason::history::Source>();
    codes_are_complete::<aftersale::policy::terms::Remedy>();
    codes_are_complete::<aftersale::settlement::EntryKind>();
    assert_eq!(Label::new("Zip", "拉链").text(Language::English), "Zip");
}

#[test]
fn identifiers_are_printable_and_short() {
    assert_eq!(CaseId::new("R-1").unwrap().as_str(), "R-1");
    assert!(matches!(CaseId::new(" R-1"), Err(IdError::Unprintable { .. })));
    assert!(matches!(CaseId::new("R\n1"), Err(IdError::Unprintable { .. })));
    assert!(Sku::new("x".repeat(MAX_BYTES)).is_ok());
    assert_eq!(
        Sku::new("x".repeat(MAX_BYTES + 1)).unwrap_err().to_string(),
        "article number has 129 bytes, at most 128 are allowed",
    );
    assert!(serde_json::from_str::<CaseId>("\"\"").is_err());
    assert!(serde_json::from_str::<CaseId>("7").is_err());
}

proptest! {
    /// WRD-2: rounding is within one step, exact numbers stay, and a half goes where its name says.
    #[test]
    fn rounding_keeps_to_its_name(above in -10_000_i128..10_000, below in 1_i128..500) {
        for &rounding in Rounding::ALL {
            let found = divide(above, below, rounding).unwrap();
            let distance = (found * below - above).abs();
            prop_assert!(distance < below);
            if above % below == 0 {
                prop_assert_eq!(distance, 0);
            }
            let nearest = matches!(rounding, Rounding::HalfUp | Rounding::HalfEven | Rounding::HalfDown);
            prop_assert!(!nearest || distance * 2 <= below);
            if distance * 2 == below {
                match rounding {
                    Rounding::HalfUp | Rounding::Up => prop_assert!(found.abs() * below > above.abs()),
                    Rounding::HalfDown | Rounding::Down => {
                        prop_assert!(found.abs() * below < above.abs());
                    }
                    Rounding::HalfEven => prop_assert_eq!(found % 2, 0),
                }
            }
        }
    }

    /// WRD-3: a day of a zone starts where the day before it ends, and holds every instant of its date.
    #[test]
    fn days_of_a_zone_meet(days in 0_i64..20_000, seconds in 0_i64..86_400, place in 0_usize..6) {
        let names = ["Asia/Shanghai", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu",
                     "Pacific/Apia", "Africa/Cairo"];
        let zone = zone(names[place]);
        let date = add_days(day("1975-01-01"), days).unwrap();
        let (start, end) = (zone.start_of(date).unwrap(), zone.end_of(date).unwrap());
        prop_assert_eq!(end, zone.start_of(add_days(date, 1).unwrap()).unwrap());
        prop_assert!(start <= end);
        let at = add_seconds(start, seconds).unwrap();
        if at < end {
            prop_assert_eq!(zone.date(at), date);
        }
    }
}

#[test]
fn skipped_and_repeated_times_have_a_rule() {
    let berlin = zone("Europe/Berlin");
    let skipped = local("2026-03-29T02:30:00");
    let at = |gap| berlin.resolve(skipped, gap, Fold::First).unwrap().to_rfc3339();
    assert_eq!(at(Gap::Forward), "2026-03-29T01:30:00+00:00");
    assert_eq!(at(Gap::End), "2026-03-29T01:00:00+00:00");
    let repeated = local("2026-10-25T02:30:00");
    let at = |fold| berlin.resolve(repeated, Gap::Forward, fold).unwrap().to_rfc3339();
    assert_eq!(at(Fold::First), "2026-10-25T00:30:00+00:00");
    assert_eq!(at(Fold::Last), "2026-10-25T01:30:00+00:00");
    // São Paulo skipped midnight; the day began at one o'clock.
    let sao_paulo = zone("America/Sao_Paulo").start_of(day("2018-11-04")).unwrap();
    assert_eq!(sao_paulo.to_rfc3339(), "2018-11-04T03:00:00+00:00");
}

#[test]
fn times_outside_the_calendar_are_refused() {
    assert!("Mars/Olympus".parse::<Zone>().is_err());
    assert_eq!(add_days(day("9999-12-31"), 1), Err(TimeError::OutOfRange));
    assert_eq!(add_days(day("2026-01-01"), i64::MIN), Err(TimeError::OutOfRange));
    let now: Instant = "2026-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(add_seconds(now, i64::MAX), Err(TimeError::OutOfRange));
    let earlier = add_seconds(now, -1).unwrap();
    assert!(matches!(Interval::new(now, earlier), Err(TimeError::Reversed { .. })));
    let text = r#"{"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}"#;
    assert!(serde_json::from_str::<Interval>(text).is_err());
}

/// WRD-4: the working days of China agree with the published number of each year, 2020 to 2026.
#[test]
fn china_works_as_many_days_as_announced() {
    let china = WorkingDays::china();
    let counts = [249, 250, 249, 249, 251, 248, 248];
    for (year, expected) in (2020..).zip(counts) {
        let (first, last) = (day(&format!("{year}-01-01")), day(&format!("{year}-12-31")));
        assert_eq!(china.count(first, last), expected, "{year}");
    }
    assert_eq!(china.kind(day("2026-02-14")), DayKind::MadeUp);
    assert_eq!(china.kind(day("2026-10-01")), DayKind::Holiday("国庆节"));
    assert_eq!(china.add_working_days(day("2026-09-30"), 1).unwrap(), day("2026-10-08"));
    assert!(!china.is_confirmed(day("2027-01-01")));
    // Spring Festival, 15 to 23; the working Saturday before it is the last day worked.
    assert_eq!(china.on_or_before(day("2026-02-20")), Ok(day("2026-02-14")));
    assert_eq!(china.on_or_before(day("2026-02-24")), Ok(day("2026-02-24")));
    let never = WorkingDays {
        weekend: serde_json::from_str(r#"["mon","tue","wed","thu","fri","sat","sun"]"#).unwrap(),
        ..WorkingDays::default()
    };
    assert_eq!(never.on_or_after(day("2026-01-01")), Err(TimeError::OutOfRange));
    assert_eq!(never.on_or_before(day("2026-01-01")), Err(TimeError::OutOfRange));
}

#[test]
fn hostile_words_are_answered_with_errors() {
    for text in
        ["{}", "null", "7", "\"\"", "\"1e5\"", "\"١\"", "\"1.\"", "\".5\"", "\"--1\"", "\"NaN\""]
    {
        assert!(serde_json::from_str::<Exact>(text).is_err(), "{text}");
    }
    for text in
        ["{\"numerator\":1,\"denominator\":0}", "{\"numerator\":1,\"denominator\":-3}", "\"1/2\""]
    {
        assert!(serde_json::from_str::<Ratio>(text).is_err(), "{text}");
    }
    for text in ["{\"weekend\":[\"someday\"]}", "{\"holidays\":[]}", "{\"weekend\":[],\"more\":1}"]
    {
        assert!(serde_json::from_str::<WorkingDays>(text).is_err(), "{text}");
    }
    for text in [
        "{\"type\":\"days\",\"value\":\"7\"}",
        "{\"type\":\"mood\",\"value\":1}",
        "{\"type\":\"date\",\"value\":\"2026-02-30\"}",
    ] {
        assert!(serde_json::from_str::<Fact>(text).is_err(), "{text}");
    }
    let finding = r#"{"rule":{"id":"x"},"effect":"shrugs"}"#;
    assert!(serde_json::from_str::<Finding>(finding).is_err());
}

/// Found by breaking the code: random fractions hardly ever meet an exact half.
#[test]
fn every_exact_half_goes_where_its_name_says() {
    for whole in -7_i128..=7 {
        for half in [1_i128, 3, 50] {
            // whole + 1/2, away from zero for numbers below it.
            let above = (2 * whole + whole.signum() + i128::from(whole == 0)) * half;
            let (low, high) = (whole, whole + above.signum());
            let goes = |rounding| divide(above, 2 * half, rounding).unwrap();
            assert_eq!(goes(Rounding::HalfUp), high, "{above}/{}", 2 * half);
            assert_eq!(goes(Rounding::HalfDown), low);
            assert_eq!(goes(Rounding::HalfEven), if whole % 2 == 0 { low } else { high });
            assert_eq!(goes(Rounding::Up), high);
            assert_eq!(goes(Rounding::Down), low);
        }
    }
}

/// Found by breaking the code: days of 23 and of 25 hours, and a midnight that comes twice.
#[test]
fn days_on_which_clocks_change() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let hours = |zone: Zone, text: &str| {
        let (start, end) = (zone.start_of(day(text)).unwrap(), zone.end_of(day(text)).unwrap());
        end.signed_duration_since(start).num_hours()
    };
    let london: Zone = "Europe/London".parse().unwrap();
    assert_eq!(hours(london, "2026-03-28"), 24);
    assert_eq!(hours(london, "2026-03-29"), 23);
    assert_eq!(hours(london, "2026-10-25"), 25);
    // In Havana clocks go from one o'clock back to midnight: the day starts with the first of the two.
    let havana: Zone = "America/Havana".parse().unwrap();
    assert_eq!(
        havana.start_of(day("2025-11-02")).unwrap(),
        "2025-11-02T04:00:00Z".parse::<Instant>().unwrap()
    );
    assert_eq!(hours(havana, "2025-11-02"), 25);
}
