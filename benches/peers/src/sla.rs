//! Business time against `ule-hours` and `workclock`: one calendar, one thread, one process.
//!
//! Europe/London, Monday to Friday 09-12 and 13-18, twenty holidays a year, 2020 to 2045. Each
//! question starts at 64 instants spread over 2022, open or closed. Before anything is timed, all
//! must agree on every answer.
//!
//! `ule-hours` can hold the holidays in three forms, and looks through them for every day it walks:
//! as 520 dates of holiday rules (which is how announced holidays arrive, and what the ratios ask
//! for), as a set of closed dates, and as twenty yearly rules. `workclock` holds dates.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aftersale::calendar::compiled::Calendar;
use aftersale::calendar::holiday::{Holiday, HolidayRule, Observed};
use aftersale::calendar::hours::{BusinessHours, DateRange, WEEK};
use aftersale::id::CalendarId;
use chrono::{DateTime, NaiveDate, Utc};
use jiff::civil::{Date, date, time};
use jiff::{SignedDuration, Timestamp};
use workclock::{Holidays, Weekdays, WorkDay};

const FIRST: i16 = 2020;
const LAST: i16 = 2045;

/// Month and day of twenty holidays.
fn holidays() -> impl Iterator<Item = (i8, i8)> {
    (0..20_i8).map(|n| (n % 12 + 1, n + 3))
}

/// The same holidays as dates.
fn dates() -> impl Iterator<Item = Date> {
    (FIRST..=LAST).flat_map(|year| holidays().map(move |(month, day)| date(year, month, day)))
}

fn ours() -> Calendar {
    let windows = ["09:00-12:00", "13:00-18:00"].map(|window| window.parse().expect("a window"));
    let id = CalendarId::new("desk").expect("an id");
    let mut hours = BusinessHours::new(id, "Europe/London".parse().expect("a zone"))
        .with_weekly(WEEK.into_iter().take(5), &windows);
    let day = |year: i16, m, d| NaiveDate::from_ymd_opt(year.into(), m, d).expect("a date");
    hours.holidays = dates()
        .map(|date| Holiday {
            name: "holiday".into(),
            rule: HolidayRule::Date(day(date.year(), date.month() as u32, date.day() as u32)),
            observed: Observed::OnTheDate,
            from_year: None,
            until_year: None,
        })
        .collect();
    hours.compile(DateRange { first: day(FIRST, 1, 1), last: day(LAST, 12, 31) }).expect("compiles")
}

/// The forms in which `ule-hours` can hold the holidays.
const FORMS: [&str; 3] = ["dates", "set", "rules"];

fn ule(form: &str) -> ule_hours::Schedule {
    use ule_hours::Holiday as Rule;
    let builder = ule_hours::Schedule::builder("Europe/London").expect("a zone");
    let builder = builder.mon_fri("09:00-12:00, 13:00-18:00").expect("windows");
    let builder = match form {
        "dates" => builder.holidays(dates().map(Rule::On)),
        "set" => dates().fold(builder, ule_hours::Builder::closed_on),
        _ => builder.holidays(holidays().map(|(month, day)| Rule::Fixed { month, day })),
    };
    builder.horizon_days(36_500).build()
}

fn clock() -> workclock::Schedule {
    let window =
        |from, until| WorkDay::new(time(from, 0, 0, 0), time(until, 0, 0, 0), Weekdays::MON_TO_FRI);
    let builder = workclock::Schedule::builder().time_zone("Europe/London");
    let builder = builder.rule(window(9, 12)).rule(window(13, 18)).rule(Holidays::new(dates()));
    builder.build().expect("a schedule")
}

/// One question: a start, open time from there, and where it ends.
struct Question {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    open: i64,
    from: Timestamp,
    until: Timestamp,
    amount: SignedDuration,
}

/// Nanoseconds for one question: the best of many rounds through all questions, so that other work
/// on the machine disturbs nobody's figure.
fn nanoseconds(questions: &[Question], mut ask: impl FnMut(&Question)) -> f64 {
    let mut best = f64::INFINITY;
    let (started, mut rounds, mut passes) = (Instant::now(), 0, 1);
    while rounds < 3 || started.elapsed() < Duration::from_millis(200) {
        let round = Instant::now();
        for _ in 0..passes {
            for question in questions {
                ask(black_box(question));
            }
        }
        let asked = passes * questions.len();
        best = best.min(round.elapsed().as_nanos() as f64 / asked as f64);
        // A round of a few microseconds would measure the clock.
        passes = if best < 100.0 { 32 } else { 1 };
        rounds += 1;
    }
    best
}

/// Runs the comparison and prints one line per question.
pub fn run() {
    let (ours, ules, clock) = (ours(), FORMS.map(ule), clock());
    let base = 1_641_200_000_i64; // January 2022
    let starts: Vec<i64> = (0..64).map(|n| base + n * 1_234_567 % 31_000_000).collect();
    let utc =
        |second: i64| -> DateTime<Utc> { DateTime::from_timestamp(second, 0).expect("in range") };
    let stamp = |second: i64| Timestamp::from_second(second).expect("in range");
    println!("nanoseconds a question, and how many times slower than ours");
    print!("{:<22}{:>8}", "", "ours");
    FORMS.iter().for_each(|form| print!("{:>20}", format!("ule-hours {form}")));
    println!("{:>20}", "workclock");
    let mixed = |n: usize| 1_800 + n as i64 * 142_200 / 63; // half an hour to forty hours
    let fixed = |hours: f64| move |_: usize| (hours * 3600.0) as i64;
    let spans: [(&str, Box<dyn Fn(usize) -> i64>); 6] = [
        ("0.5 to 40 hours", Box::new(mixed)),
        ("half an hour", Box::new(fixed(0.5))),
        ("4 hours", Box::new(fixed(4.0))),
        ("40 hours", Box::new(fixed(40.0))),
        ("1 year", Box::new(fixed(1_950.0))),
        ("10 years", Box::new(fixed(19_500.0))),
    ];
    for (name, span) in spans {
        let mut questions = Vec::new();
        for (n, &start) in starts.iter().enumerate() {
            // 37 and 64 have no factor in common: long and short spans from everywhere.
            let open = span(n * 37 % 64);
            let amount = SignedDuration::from_secs(open);
            let end = ours.add(utc(start), open).expect("in range").value.timestamp();
            assert_eq!(ours.between(utc(start), utc(end)).expect("in range").value, open);
            for ule in &ules {
                assert_eq!(ule.add(stamp(start), amount).expect("ule-hours").as_second(), end);
                assert_eq!(ule.between(stamp(start), stamp(end)), amount);
            }
            assert_eq!(clock.add(stamp(start), amount).expect("workclock").as_second(), end);
            assert_eq!(clock.between(stamp(start), stamp(end)), amount);
            let (from, until) = (stamp(start), stamp(end));
            questions.push(Question {
                start: utc(start),
                end: utc(end),
                open,
                from,
                until,
                amount,
            });
        }
        let line = |question: &str, own: f64, peers: &[f64]| {
            print!("{:<22}{own:>8.1}", format!("{question} {name}"));
            for peer in peers {
                print!("{:>20}", format!("{peer:.0} {:>6.0}x", peer / own));
            }
            println!();
        };
        let own = nanoseconds(&questions, |q| drop(black_box(ours.add(q.start, q.open))));
        let mut peers: Vec<f64> = ules
            .iter()
            .map(|ule| nanoseconds(&questions, |q| drop(black_box(ule.add(q.from, q.amount)))))
            .collect();
        peers.push(nanoseconds(&questions, |q| drop(black_box(clock.add(q.from, q.amount)))));
        line("add", own, &peers);
        let own = nanoseconds(&questions, |q| drop(black_box(ours.between(q.start, q.end))));
        let mut peers: Vec<f64> = ules
            .iter()
            .map(|ule| {
                nanoseconds(&questions, |q| {
                    black_box(ule.between(q.from, q.until));
                })
            })
            .collect();
        peers.push(nanoseconds(&questions, |q| {
            black_box(clock.between(q.from, q.until));
        }));
        line("between", own, &peers);
    }
}
