//! Business time against `ule-hours` and `workclock`: one calendar, one thread, one process.
//!
//! Europe/London, Monday to Friday 09-12 and 13-18, twenty holidays a year, 2020 to 2045. Each
//! question starts at one of 64 instants. Before anything is timed, all three must agree on every
//! answer. The peers hold the calendar in their best form: `ule-hours` as yearly rules, `workclock`
//! as dates.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aftersale::calendar::compiled::Calendar;
use aftersale::calendar::holiday::{Holiday, HolidayRule, Observed};
use aftersale::calendar::hours::{BusinessHours, DateRange, WEEK};
use aftersale::id::CalendarId;
use chrono::{DateTime, NaiveDate, Utc};
use jiff::civil::{date, time};
use jiff::{SignedDuration, Timestamp};
use workclock::{Holidays, Weekdays, WorkDay};

const FIRST: i16 = 2020;
const LAST: i16 = 2045;

/// Month and day of twenty holidays.
fn holidays() -> impl Iterator<Item = (i8, i8)> {
    (0..20_i8).map(|n| (n % 12 + 1, n + 3))
}

fn ours() -> Calendar {
    let windows = ["09:00-12:00", "13:00-18:00"].map(|window| window.parse().expect("a window"));
    let id = CalendarId::new("desk").expect("an id");
    let mut hours = BusinessHours::new(id, "Europe/London".parse().expect("a zone"))
        .with_weekly(WEEK.into_iter().take(5), &windows);
    hours.holidays = holidays()
        .map(|(month, day)| Holiday {
            name: "holiday".into(),
            rule: HolidayRule::Yearly { month: month as u32, day: day as u32 },
            observed: Observed::OnTheDate,
            from_year: None,
            until_year: None,
        })
        .collect();
    let day = |year: i16, m, d| NaiveDate::from_ymd_opt(year.into(), m, d).expect("a date");
    hours.compile(DateRange { first: day(FIRST, 1, 1), last: day(LAST, 12, 31) }).expect("compiles")
}

fn ule() -> ule_hours::Schedule {
    let builder = ule_hours::Schedule::builder("Europe/London").expect("a zone");
    let builder = builder.mon_fri("09:00-12:00, 13:00-18:00").expect("windows");
    let rule = |(month, day)| ule_hours::Holiday::Fixed { month, day };
    builder.holidays(holidays().map(rule)).horizon_days(36_500).build()
}

fn clock() -> workclock::Schedule {
    let days = (FIRST..=LAST).flat_map(|year| holidays().map(move |(m, d)| date(year, m, d)));
    let window =
        |from, until| WorkDay::new(time(from, 0, 0, 0), time(until, 0, 0, 0), Weekdays::MON_TO_FRI);
    let builder = workclock::Schedule::builder().time_zone("Europe/London");
    let builder = builder.rule(window(9, 12)).rule(window(13, 18)).rule(Holidays::new(days));
    builder.build().expect("a schedule")
}

/// Nanoseconds for one call: the median of five rounds of at least 50 ms.
fn nanoseconds(mut call: impl FnMut(usize)) -> f64 {
    let mut rounds: Vec<f64> = (0..5)
        .map(|_| {
            let (start, mut calls) = (Instant::now(), 0_usize);
            while start.elapsed() < Duration::from_millis(50) {
                for _ in 0..16 {
                    call(calls);
                    calls += 1;
                }
            }
            start.elapsed().as_nanos() as f64 / calls as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[2]
}

/// Runs the comparison and prints one line per question.
pub fn run() {
    let (ours, ule, clock) = (ours(), ule(), clock());
    let base = 1_641_200_000_i64; // January 2022
    let starts: Vec<i64> = (0..64).map(|n| base + n * 1_234_567 % 31_000_000).collect();
    let utc =
        |second: i64| -> DateTime<Utc> { DateTime::from_timestamp(second, 0).expect("in range") };
    let stamp = |second: i64| Timestamp::from_second(second).expect("in range");
    println!(
        "{:<24}{:>12}{:>14}{:>14}{:>10}{:>10}",
        "question", "ours", "ule-hours", "workclock", "ratio", "ratio"
    );
    for (name, hours) in [
        ("half an hour", 0.5),
        ("4 hours", 4.0),
        ("40 hours", 40.0),
        ("1 year", 1_950.0),
        ("10 years", 19_500.0),
    ] {
        let seconds = (hours * 3600.0) as i64;
        let amount = SignedDuration::from_secs(seconds);
        let mut ends = Vec::new();
        for &start in &starts {
            let end = ours.add(utc(start), seconds).expect("in range").value.timestamp();
            assert_eq!(ule.add(stamp(start), amount).expect("ule-hours").as_second(), end);
            assert_eq!(clock.add(stamp(start), amount).expect("workclock").as_second(), end);
            assert_eq!(ours.between(utc(start), utc(end)).expect("in range").value, seconds);
            assert_eq!(ule.between(stamp(start), stamp(end)), amount);
            assert_eq!(clock.between(stamp(start), stamp(end)), amount);
            ends.push(end);
        }
        let pairs: Vec<_> = starts
            .iter()
            .zip(&ends)
            .map(|(a, b)| (utc(*a), utc(*b), stamp(*a), stamp(*b)))
            .collect();
        let at = |call: usize| &pairs[call % pairs.len()];
        let line = |question: &str, own: f64, ule: f64, clock: f64| {
            println!(
                "{:<24}{own:>9.0} ns{ule:>11.0} ns{clock:>11.0} ns{:>9.0}x{:>9.0}x",
                format!("{question} {name}"),
                ule / own,
                clock / own
            );
        };
        line(
            "add",
            nanoseconds(|n| drop(black_box(ours.add(black_box(at(n).0), seconds)))),
            nanoseconds(|n| drop(black_box(ule.add(black_box(at(n).2), amount)))),
            nanoseconds(|n| drop(black_box(clock.add(black_box(at(n).2), amount)))),
        );
        line(
            "between",
            nanoseconds(|n| drop(black_box(ours.between(black_box(at(n).0), at(n).1)))),
            nanoseconds(|n| {
                black_box(ule.between(black_box(at(n).2), at(n).3));
            }),
            nanoseconds(|n| {
                black_box(clock.between(black_box(at(n).2), at(n).3));
            }),
        );
    }
}
