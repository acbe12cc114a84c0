//! How fast calendars answer, cases are evaluated and agents are found.

use std::hint::black_box;

use aftersale::calendar::book::{CalendarDefinition, Calendars};
use aftersale::calendar::compiled::Calendar;
use aftersale::calendar::hours::{BusinessHours, DateRange};
use aftersale::condition::Facts;
use aftersale::condition::schema::{FactType, Schema};
use aftersale::dispatch::assign::Ticket;
use aftersale::dispatch::board::Board;
use aftersale::dispatch::rules::DispatchBook;
use aftersale::explain::Fact;
use aftersale::id::{CaseId, FactName, PauseReasonId, PolicyId};
use aftersale::sla::book::SlaBook;
use aftersale::sla::history::{CaseEvent, CaseHistory, Happening};
use aftersale::time::Instant;
use chrono::{DateTime, NaiveDate, TimeDelta};
use divan::Bencher;
use divan::counter::ItemsCount;
use serde_json::{Value, json};

fn main() {
    divan::main();
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn at(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// London, Monday to Friday, 09-12 and 13-18, twenty holidays a year.
fn hours() -> BusinessHours {
    let week = json!(["09:00-12:00", "13:00-18:00"]);
    let holidays: Vec<Value> = (0..20)
        .map(|n| {
            json!({"name": format!("holiday {n}"),
                   "rule": {"yearly": {"month": n % 12 + 1, "day": 3 + n}}})
        })
        .collect();
    serde_json::from_value(json!({
        "id": "desk", "zone": "Europe/London", "holidays": holidays,
        "weekly": {"mon": week, "tue": week, "wed": week, "thu": week, "fri": week},
    }))
    .unwrap()
}

fn calendar() -> Calendar {
    hours().compile(DateRange { first: day(2020, 1, 1), last: day(2045, 12, 31) }).unwrap()
}

/// Open hours to add: four, a year, ten years.
const SPANS: [i64; 3] = [4, 1_950, 19_500];

#[divan::bench(args = SPANS)]
fn add(bencher: Bencher, hours: i64) {
    let (calendar, start) = (calendar(), at("2026-03-06T15:12:00Z"));
    bencher.bench(|| calendar.add(black_box(start), black_box(hours * 3600)).unwrap());
}

#[divan::bench(args = SPANS)]
fn between(bencher: Bencher, hours: i64) {
    let (calendar, start) = (calendar(), at("2026-03-06T15:12:00Z"));
    let end = calendar.add(start, hours * 3600).unwrap().value;
    bencher.bench(|| calendar.between(black_box(start), black_box(end)).unwrap());
}

#[divan::bench]
fn compile_ten_years(bencher: Bencher) {
    let (hours, range) = (hours(), DateRange { first: day(2020, 1, 1), last: day(2029, 12, 31) });
    bencher.bench(|| black_box(&hours).compile(range).unwrap());
}

fn code(fact: &str, value: &str) -> Value {
    json!({"test": {"fact": fact, "is": {"type": "code", "value": value}}})
}

/// Five goals: two in business time, two on the wall, one in days; each with a ladder.
fn book() -> SlaBook {
    let targets = [
        json!({"clock": "business", "seconds": 4 * 3600, "calendar": "desk"}),
        json!({"clock": "business", "seconds": 40 * 3600, "calendar": "desk"}),
        json!({"clock": "calendar", "seconds": 86_400}),
        json!({"clock": "calendar", "seconds": 604_800}),
        json!({"clock": "days", "term": {"days": 7, "count": "working"}, "calendar": "desk"}),
    ];
    let goals: Vec<Value> = targets
        .into_iter()
        .enumerate()
        .map(|(n, target)| {
            json!({
                "id": format!("goal_{n}"), "metric": format!("metric_{n}"), "honors": "every",
                "start": {"when": code("event", "requested")},
                "stop": {"when": code("event", if n == 0 { "answered" } else { "solved" })},
                "reopen": {"when": code("event", "reopened")},
                "targets": [
                    {"id": "urgent", "when": {"test": {"fact": "priority", "is": {"type": "count", "value": 0}}},
                     "target": {"clock": "calendar", "seconds": 7_200}},
                    {"id": "all", "target": target}],
                "ladder": [
                    {"id": "half", "at": {"percent_used": 50}, "kind": "warning"},
                    {"id": "hour", "at": {"before_due": {"seconds": 3_600}}, "kind": "reminder"},
                    {"id": "late", "at": {"after_due": {"seconds": 3_600}}, "kind": "escalation"}],
            })
        })
        .collect();
    let draft = json!({
        "pauses": [{"id": "customer", "turn": "customer", "while": code("status", "waiting")},
                   {"id": "parts", "turn": "supplier"}],
        "policies": [{"id": "house", "kind": "internal", "goals": goals}],
    });
    let name = |text: &str| FactName::new(text).unwrap();
    let schema = Schema::new()
        .with_optional(name("event"), FactType::Code(Default::default()))
        .with_optional(name("status"), FactType::Code(Default::default()))
        .with_optional(name("priority"), FactType::Count);
    SlaBook::verify(serde_json::from_value(draft).unwrap(), &schema).unwrap()
}

fn calendars(revision: u32) -> Calendars {
    let mut hours = hours();
    hours.revision = revision;
    let range = DateRange { first: day(2025, 1, 1), last: day(2034, 12, 31) };
    Calendars::compile(&[CalendarDefinition::Hours(hours)], range).unwrap()
}

/// Twenty events: the attachment, the request, an answer, changes of status, priority and pauses.
fn history(number: i64) -> CaseHistory {
    let start = at("2026-03-02T09:00:00Z") + TimeDelta::minutes(number % 40_000);
    let name = |text: &str| FactName::new(text).unwrap();
    let once = |value: &str| Happening::once(name("event"), Fact::code(value));
    let status = |value: &str| Happening::set(name("status"), Fact::code(value));
    let parts = || PauseReasonId::new("parts").unwrap();
    let mut what = vec![
        Happening::Attached { policy: PolicyId::new("house").unwrap(), version: 1, mode: None },
        once("requested"),
        Happening::set(name("priority"), Fact::Count(2)),
        once("answered"),
    ];
    for round in 0..4 {
        what.push(status("waiting"));
        what.push(status("in_progress"));
        what.push(Happening::Paused { reason: parts() });
        what.push(Happening::Resumed { reason: parts() });
        if round == 3 {
            what.truncate(20);
        }
    }
    let events = what
        .into_iter()
        .zip(0_i32..)
        .map(|(what, n)| CaseEvent { at: start + TimeDelta::minutes(i64::from(n) * 97), what })
        .collect();
    CaseHistory::new(CaseId::new(format!("case-{number}")).unwrap(), events).unwrap()
}

#[divan::bench]
fn evaluate_five_goals_twenty_events(bencher: Bencher) {
    let (book, calendars, history) = (book(), calendars(1), history(7));
    assert_eq!(history.events().len(), 20);
    let now = at("2026-03-05T12:00:00Z");
    bencher.bench(|| black_box(&book).evaluate(&calendars, black_box(&history), now));
}

/// A calendar is edited: every open case is evaluated again, one after the other on one thread.
#[divan::bench(sample_count = 5)]
fn evaluate_100_000_open_cases(bencher: Bencher) {
    let (book, calendars) = (book(), calendars(2));
    let cases: Vec<CaseHistory> = (0..100_000).map(history).collect();
    let now = at("2026-04-05T12:00:00Z");
    bencher.counter(ItemsCount::new(cases.len())).bench(|| {
        let wakeups = cases.iter().map(|case| book.evaluate(&calendars, case, now).next_wakeup);
        wakeups.flatten().min()
    });
}

fn board() -> Board {
    let agents: Vec<Value> = (0..1_000)
        .map(|n| {
            json!({"id": format!("agent_{n:04}"), "capacity": 1_000_000, "tier": n % 4, "load": n % 17,
                   "skills": [format!("skill_{}", n % 12), format!("skill_{}", (n + 5) % 12)],
                   "languages": [(["zh", "en", "de"][n % 3])], "shift": "desk"})
        })
        .collect();
    Board::new(serde_json::from_value(json!(agents)).unwrap()).unwrap()
}

#[divan::bench]
fn dispatch_among_1_000_agents(bencher: Bencher) {
    let name = |text: &str| FactName::new(text).unwrap();
    let schema = Schema::new()
        .with_optional(name("reason"), FactType::Code(Default::default()))
        .with_optional(name("language"), FactType::Code(Default::default()));
    let rules = json!({"rules": [
        {"id": "safety", "when": code("reason", "overheats"), "skills": ["skill_3"], "tier_min": 3},
        {"id": "all", "skills": ["skill_7"], "language": "language", "tier_min": 1}]});
    let book = DispatchBook::verify(serde_json::from_value(rules).unwrap(), &schema).unwrap();
    let calendars = calendars(1);
    let mut board = board();
    let facts = Facts::new()
        .with(name("reason"), Fact::code("wrong_size"))
        .with(name("language"), Fact::code("zh"));
    let ticket = Ticket { case: CaseId::new("case").unwrap(), facts, owner: None, due: None };
    let now = at("2026-03-05T10:00:00Z");
    bencher.bench_local(|| board.assign(&book, &calendars, black_box(&ticket), now));
}
