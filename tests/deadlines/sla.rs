//! Service levels: named situations, and every fault reported in other systems.

use std::collections::BTreeSet;

use aftersale::calendar::book::{CalendarDefinition, Calendars};
use aftersale::calendar::hours::DateRange;
use aftersale::condition::Facts;
use aftersale::condition::schema::{FactType, Schema};
use aftersale::explain::{Effect, Fact};
use aftersale::id::{CaseId, FactName, GoalId, PauseReasonId, PolicyId};
use aftersale::label::Coded;
use aftersale::sla::account::AccountClass;
use aftersale::sla::book::{SlaBook, SlaDefect};
use aftersale::sla::evaluation::{
    ClockState, Evaluation, GoalEvaluation, Notice, TimerEvent, Trouble, Verdict,
};
use aftersale::sla::history::{CaseEvent, CaseHistory, ClockCommand, Happening};
use aftersale::sla::ledger::SlaLedger;
use aftersale::sla::policy::{Amount, ChangeMode, MetricId};
use aftersale::sla::returns::{self, ReturnEvent, ReturnMetric};
use aftersale::sla::what_if::Scenario;
use aftersale::time::Instant;
use chrono::{DateTime, NaiveDate};
use serde_json::{Value, json};

fn at(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// March 2026; the 2nd is a Monday.
fn march(day: u32, hour: u32, minute: u32) -> Instant {
    at(&format!("2026-03-{day:02}T{hour:02}:{minute:02}:00Z"))
}

fn calendars_with(holidays: Value, revision: u32) -> Calendars {
    let week = |hours: Value| json!({"mon": hours, "tue": hours, "wed": hours, "thu": hours, "fri": hours});
    let definitions: Vec<CalendarDefinition> = serde_json::from_value(json!([
        {"hours": {"id": "desk", "zone": "UTC", "revision": revision, "weekly": week(json!(["09:00-17:00"])), "holidays": holidays}},
        {"hours": {"id": "long", "zone": "UTC", "weekly": week(json!(["06:00-22:00"]))}},
        {"hours": {"id": "shanghai", "zone": "Asia/Shanghai", "weekly": week(json!(["09:00-18:00"]))}},
    ]))
    .unwrap();
    let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
    Calendars::compile(&definitions, DateRange { first: day(1, 1), last: day(12, 31) }).unwrap()
}

fn calendars() -> Calendars {
    calendars_with(json!([]), 1)
}

fn schema() -> Schema {
    let name = |text: &str| FactName::new(text).unwrap();
    Schema::new()
        .with_optional(name("event"), FactType::Code(Default::default()))
        .with_optional(name("status"), FactType::Code(Default::default()))
        .with_optional(name("priority"), FactType::Count)
        .with_optional(name("by"), FactType::Code(Default::default()))
        .with_optional(name("channel"), FactType::Code(Default::default()))
        .with_optional(name("group"), FactType::Code(Default::default()))
}

fn code(fact: &str, value: &str) -> Value {
    json!({"test": {"fact": fact, "is": {"type": "code", "value": value}}})
}

fn business(hours: i64) -> Value {
    json!({"clock": "business", "seconds": hours * 3600, "calendar": "desk"})
}

fn rules(target: Value) -> Value {
    json!([{"id": "all", "target": target}])
}

/// A goal that starts with `requested` and stops with `solved`.
fn goal(id: &str, targets: Value, more: Value) -> Value {
    let mut goal = json!({
        "id": id, "metric": "solution",
        "start": {"when": code("event", "requested")},
        "stop": {"when": code("event", "solved")},
        "honors": "every",
        "targets": targets,
    });
    for (key, value) in more.as_object().unwrap() {
        goal[key] = value.clone();
    }
    goal
}

fn policy(id: &str, version: u32, kind: &str, goals: Vec<Value>) -> Value {
    json!({"id": id, "version": version, "kind": kind, "goals": goals})
}

fn draft(policies: Vec<Value>) -> Value {
    json!({
        "pauses": [
            {"id": "customer", "turn": "customer", "while": code("status", "waiting_for_customer")},
            {"id": "parts", "turn": "supplier"},
            {"id": "backlog", "turn": "internal"},
        ],
        "policies": policies,
    })
}

fn try_book(policies: Vec<Value>) -> Result<SlaBook, Vec<SlaDefect>> {
    SlaBook::verify(serde_json::from_value(draft(policies)).unwrap(), &schema())
}

fn book(policies: Vec<Value>) -> SlaBook {
    try_book(policies).unwrap()
}

fn house(goals: Vec<Value>) -> SlaBook {
    book(vec![policy("house", 1, "internal", goals)])
}

fn attached(at: Instant, policy: &str, version: u32) -> CaseEvent {
    let policy = PolicyId::new(policy).unwrap();
    CaseEvent { at, what: Happening::Attached { policy, version, mode: None } }
}

fn event(at: Instant, value: &str) -> CaseEvent {
    CaseEvent { at, what: Happening::once(FactName::new("event").unwrap(), Fact::code(value)) }
}

fn fact(at: Instant, name: &str, value: Fact) -> CaseEvent {
    CaseEvent { at, what: Happening::set(FactName::new(name).unwrap(), value) }
}

fn paused(at: Instant, reason: &str) -> CaseEvent {
    CaseEvent { at, what: Happening::Paused { reason: PauseReasonId::new(reason).unwrap() } }
}

fn resumed(at: Instant, reason: &str) -> CaseEvent {
    CaseEvent { at, what: Happening::Resumed { reason: PauseReasonId::new(reason).unwrap() } }
}

fn history(events: Vec<CaseEvent>) -> CaseHistory {
    CaseHistory::new(CaseId::new("RMA-1").unwrap(), events).unwrap()
}

/// Attached to `house` and requested on Monday at nine.
fn opened(mut more: Vec<CaseEvent>) -> CaseHistory {
    let start = march(2, 9, 0);
    let mut events = vec![attached(start, "house", 1), event(start, "requested")];
    events.append(&mut more);
    history(events)
}

fn only(evaluation: &Evaluation) -> &GoalEvaluation {
    assert_eq!(evaluation.goals.len(), 1, "{:?}", evaluation.goals);
    &evaluation.goals[0]
}

fn hours(hours: i64) -> Option<Amount> {
    Some(Amount::OpenSeconds(hours * 3600))
}

// ---- rules of the clock

/// SLA-8: a stop at the deadline is met, one second later it is breached.
#[test]
fn a_stop_at_the_deadline_is_met_and_a_second_later_breached() {
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let stop = |second: u32| {
        let stop = at(&format!("2026-03-02T17:00:{second:02}Z"));
        let found =
            book.evaluate(&calendars(), &opened(vec![event(stop, "solved")]), march(3, 9, 0));
        (only(&found).verdict, found.events.len())
    };
    assert_eq!(stop(0), (Verdict::Met, 0));
    assert_eq!(stop(1), (Verdict::Breached, 1));
}

/// SLA-9: past the deadline a case is breached also in closed hours, though no more time was used
/// than promised.
#[test]
fn past_the_deadline_a_case_is_breached_also_while_all_is_closed() {
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let (calendars, history) = (calendars(), opened(vec![]));
    let at_due = book.evaluate(&calendars, &history, march(2, 17, 0));
    assert_eq!(only(&at_due).verdict, Verdict::Pending);
    assert_eq!(at_due.next_wakeup, Some(at("2026-03-02T17:00:01Z")), "due plus one tick");
    let evening = book.evaluate(&calendars, &history, march(2, 20, 0));
    assert_eq!(only(&evening).verdict, Verdict::Breached);
    assert_eq!(only(&evening).elapsed, hours(8));
    assert_eq!(evening.events[0].reached, march(2, 17, 0));
}

/// SLA-10: while paused the deadline is unknown unless it was reached; what is left and the deadline
/// of a resumption now are told instead.
#[test]
fn no_deadline_is_invented_while_paused() {
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let history = opened(vec![paused(march(2, 12, 0), "parts")]);
    let found = book.evaluate(&calendars(), &history, march(3, 10, 0));
    let goal = only(&found);
    assert_eq!(goal.state, ClockState::Paused);
    assert_eq!(goal.due, None);
    assert_eq!(goal.remaining, hours(5));
    assert_eq!(goal.due_if_resumed_now, Some(march(3, 15, 0)));
    assert_eq!(goal.paused_by, [PauseReasonId::new("parts").unwrap()]);
    assert_eq!(found.next_wakeup, None);
    let late = opened(vec![paused(march(3, 12, 0), "parts")]);
    let found = book.evaluate(&calendars(), &late, march(4, 10, 0));
    assert_eq!(only(&found).due, Some(march(2, 17, 0)), "it was reached before the pause");
}

#[test]
fn a_clock_is_paused_while_any_reason_is_held() {
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let history = opened(vec![
        paused(march(2, 10, 0), "parts"),
        fact(march(2, 11, 0), "status", Fact::code("waiting_for_customer")),
        resumed(march(2, 12, 0), "parts"),
        fact(march(2, 13, 0), "status", Fact::code("in_progress")),
    ]);
    let found = book.evaluate(&calendars(), &history, march(2, 14, 0));
    assert_eq!(only(&found).elapsed, hours(2));
    assert_eq!(only(&found).due, Some(march(3, 12, 0)));
}

#[test]
fn an_account_tells_where_the_time_went() {
    let book = house(vec![goal("solve", rules(business(16)), json!({}))]);
    let calendars =
        calendars_with(json!([{"name": "Founding Day", "rule": {"date": "2026-03-03"}}]), 1);
    let history = opened(vec![paused(march(2, 12, 0), "parts"), resumed(march(4, 10, 0), "parts")]);
    let ids = (PolicyId::new("house").unwrap(), GoalId::new("solve").unwrap());
    let parts = book.account(&calendars, &history, &ids.0, &ids.1, march(4, 11, 0)).unwrap();
    let told: Vec<_> = parts
        .iter()
        .map(|part| format!("{} {}", part.period.seconds() / 3600, part.class))
        .collect();
    assert_eq!(
        told,
        [
            "3 counted",
            "5 paused: parts",
            "7 outside the weekly hours",
            "24 holiday Founding Day",
            "9 outside the weekly hours",
            "1 paused: parts",
            "1 counted"
        ]
    );
}

/// SLA-11: at one instant a stop comes first, then pauses and resumptions, then a change of target,
/// then a reset, a reopening, a start, and timers last; a stop that finds nothing to stop ends what
/// starts at that instant.
#[test]
fn the_order_of_one_instant_is_fixed() {
    let book = house(vec![goal(
        "solve",
        rules(business(8)),
        json!({"starts": "every_time", "reset": {"when": code("event", "reset")}}),
    )]);
    // Stop and start at one instant: the old cycle ends, a new one begins.
    let noon = march(2, 12, 0);
    for events in [["solved", "requested"], ["requested", "solved"]] {
        let history = opened(events.iter().map(|name| event(noon, name)).collect());
        let found = book.evaluate(&calendars(), &history, march(2, 13, 0));
        assert_eq!(only(&found).cycle, 1);
        assert_eq!(only(&found).elapsed, hours(1));
        assert_eq!(only(&found).past[0].verdict, Verdict::Met);
    }
    // A first start and its stop in one instant of a coarse log: a cycle of no length, in time.
    let start = march(2, 9, 0);
    for events in [["requested", "solved"], ["solved", "requested"]] {
        let mut list = vec![attached(start, "house", 1)];
        list.extend(events.iter().map(|name| event(start, name)));
        let found = book.evaluate(&calendars(), &history(list), march(9, 9, 0));
        assert_eq!(only(&found).state, ClockState::Stopped, "{events:?}");
        assert_eq!((only(&found).verdict, only(&found).elapsed), (Verdict::Met, hours(0)));
    }
    // A timer of the instant of a stop does not fire.
    let warned = house(vec![goal(
        "solve",
        rules(business(8)),
        json!({"ladder": [{"id": "half", "at": {"percent_used": 50}, "kind": "warning"}]}),
    )]);
    let stopped = opened(vec![event(march(2, 13, 0), "solved")]);
    assert!(warned.evaluate(&calendars(), &stopped, march(3, 9, 0)).events.is_empty());
    let second_later = opened(vec![event(at("2026-03-02T13:00:01Z"), "solved")]);
    assert_eq!(warned.evaluate(&calendars(), &second_later, march(3, 9, 0)).events.len(), 1);
    // Nor with a pause of the same instant, which comes after the stop.
    for first in [0, 1] {
        let mut both = vec![event(march(2, 13, 0), "solved"), paused(march(2, 13, 0), "parts")];
        both.rotate_left(first);
        assert!(warned.evaluate(&calendars(), &opened(both), march(3, 9, 0)).events.is_empty());
    }
    // What is used at the instant of a pause is used: the timer fires, at that instant.
    let held = opened(vec![paused(march(2, 13, 0), "parts")]);
    let found = warned.evaluate(&calendars(), &held, march(3, 9, 0));
    assert_eq!(found.events.iter().map(|e| e.at).collect::<Vec<_>>(), [march(2, 13, 0)]);
    let at_due = opened(vec![paused(march(2, 17, 0), "parts")]);
    let found = warned.evaluate(&calendars(), &at_due, march(3, 9, 0));
    assert_eq!(only(&found).due, Some(march(2, 17, 0)), "reached, so it is known while paused");
    assert_eq!(only(&found).verdict, Verdict::Breached);
}

#[test]
fn shares_of_a_target_are_rounded_up_to_the_second() {
    let target = json!({"clock": "calendar", "seconds": 10});
    let ladder = json!([{"id": "most", "at": {"percent_used": 75}, "kind": "warning"},
                        {"id": "twice", "at": {"percent_used": 200}, "kind": "escalation"}]);
    let book = house(vec![goal("solve", rules(target), json!({"ladder": ladder}))]);
    let found = book.evaluate(&calendars(), &opened(vec![]), march(2, 10, 0));
    let after = |e: &TimerEvent| (e.at - march(2, 9, 0)).num_seconds();
    let told: Vec<_> = found.events.iter().map(|e| (e.id.step.as_str(), after(e))).collect();
    assert_eq!(told, [("most", 8), ("breach", 11), ("twice", 20)]);
}

#[test]
fn a_step_that_fired_does_not_fire_again_under_another_target() {
    let rules = json!([
        {"id": "high", "when": {"test": {"fact": "priority", "is": {"type": "count", "value": 1}}}, "target": business(6)},
        {"id": "low", "target": business(8)},
    ]);
    let ladder = json!([{"id": "half", "at": {"percent_used": 50}, "kind": "warning"},
                        {"id": "most", "at": {"percent_used": 75}, "kind": "warning"}]);
    let book = house(vec![goal("solve", rules, json!({"ladder": ladder}))]);
    // Half of eight hours at 13:00; at 14:30 half of six is past, and three quarters are, too.
    let change = fact(march(2, 14, 30), "priority", Fact::Count(1));
    let found = book.evaluate(&calendars(), &opened(vec![change]), march(2, 14, 45));
    let told: Vec<_> =
        found.events.iter().map(|e| (e.id.step.as_str(), e.id.revision, e.at)).collect();
    assert_eq!(told, [("half", 0, march(2, 13, 0)), ("most", 1, march(2, 14, 30))]);
}

#[test]
fn the_ledger_tells_recorded_facts_that_moved() {
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let history = opened(vec![paused(march(2, 12, 0), "parts"), resumed(march(2, 14, 0), "parts")]);
    let mut ledger = SlaLedger::default();
    let before = book.evaluate(&calendars(), &history, march(4, 9, 0));
    assert_eq!(ledger.absorb(&before).new.len(), 1);
    assert!(ledger.absorb(&before).outdated.is_empty());
    // The pause turns out to have been shorter: the same breach, two hours earlier.
    let plain = book.evaluate(&calendars(), &opened(vec![]), march(4, 9, 0));
    let absorbed = ledger.absorb(&plain);
    assert!(absorbed.new.is_empty(), "one breach has one name");
    let told: Vec<_> = absorbed.outdated.iter().map(|event| event.reached).collect();
    assert_eq!(told, [march(3, 11, 0)], "as it was recorded");
}

// ---- faults reported in other systems, one test each

/// SLA-12: what is used is running and open time; closed hours inside a pause are not counted, and a
/// pause is never added twice. (frappe/erpnext 47029, 47172, 47884, 49414, 51111, 52489;
/// frappe/helpdesk 1554, 1675, 2449.)
#[test]
fn erpnext_closed_hours_inside_a_pause_do_not_count() {
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    // Friday 15:00 to Monday 11:00: four open hours, 68 on the wall.
    let start = march(6, 9, 0);
    let history = history(vec![
        attached(start, "house", 1),
        event(start, "requested"),
        paused(march(6, 15, 0), "parts"),
        resumed(march(9, 11, 0), "parts"),
    ]);
    let found = book.evaluate(&calendars(), &history, march(9, 12, 0));
    assert_eq!(only(&found).elapsed, hours(7));
    assert_eq!(only(&found).due, Some(march(9, 13, 0)));
}

/// SLA-13: waiting and working time of a day target are measured by one clock. (glpi 10594, 14937.)
#[test]
fn glpi_waiting_time_of_a_day_target_is_counted_in_days() {
    let target =
        json!({"clock": "days", "term": {"days": 3, "count": "working"}, "calendar": "desk"});
    let book = house(vec![goal("solve", rules(target), json!({}))]);
    let due = |events| only(&book.evaluate(&calendars(), &opened(events), march(13, 0, 0))).due;
    // Monday is not counted; Tuesday, Wednesday, Thursday.
    assert_eq!(due(vec![]), Some(march(6, 0, 0)));
    // A pause from Tuesday ten to Wednesday eleven touches both days.
    let pause = vec![paused(march(3, 10, 0), "parts"), resumed(march(4, 11, 0), "parts")];
    assert_eq!(due(pause), Some(march(10, 0, 0)));
    // A pause over the weekend touches no working day.
    let weekend = vec![paused(march(7, 1, 0), "parts"), resumed(march(8, 20, 0), "parts")];
    assert_eq!(due(weekend), Some(march(6, 0, 0)));
}

/// SLA-14: a change of priority keeps the pauses. (glpi 6902, 15605.)
#[test]
fn glpi_a_change_of_priority_keeps_the_pauses() {
    let rules = json!([
        {"id": "high", "when": {"test": {"fact": "priority", "is": {"type": "count", "value": 1}}}, "target": business(8)},
        {"id": "low", "target": business(16)},
    ]);
    for (mode, used) in
        [("retroactive", 4), ("prospective", 4), ("keep", 4), ("restart", 1), ("scale", 2)]
    {
        let book = house(vec![goal("solve", rules.clone(), json!({"on_change": mode}))]);
        let history = opened(vec![
            paused(march(2, 12, 0), "parts"),
            resumed(march(3, 9, 0), "parts"),
            fact(march(3, 9, 0), "priority", Fact::Count(1)),
        ]);
        let found = book.evaluate(&calendars(), &history, march(3, 10, 0));
        // Three hours before the pause, one after; scaled, three of sixteen are one and a half of
        // eight.
        let expected = if mode == "scale" { used * 3600 + 1800 } else { used * 3600 };
        assert_eq!(only(&found).elapsed, Some(Amount::OpenSeconds(expected)), "{mode}");
        assert_eq!(only(&found).revision, u32::from(mode != "keep"), "{mode}");
    }
}

/// SLA-15: a goal counts from the start of the case or from its attachment, as it says. (glpi 1911.)
#[test]
fn glpi_a_new_group_does_not_inherit_a_used_clock_unless_asked() {
    let run = |from: &str| {
        let book = house(vec![goal("solve", rules(business(8)), json!({"counts_from": from}))]);
        let history = history(vec![
            event(march(2, 9, 0), "requested"),
            attached(march(2, 15, 0), "house", 1),
        ]);
        let found = book.evaluate(&calendars(), &history, march(2, 16, 0));
        (only(&found).elapsed, only(&found).due)
    };
    assert_eq!(run("case_start"), (hours(7), Some(march(2, 17, 0))));
    assert_eq!(run("attachment"), (hours(1), Some(march(3, 15, 0))));
}

/// SLA-16: a step before the deadline is the instant at which that much remains, in open time.
/// (glpi 15357, 22678, 15429.)
#[test]
fn glpi_steps_before_the_deadline_fall_in_open_hours() {
    let ladder = json!([
        {"id": "two_left", "at": {"before_due": {"seconds": 7200}}, "kind": "warning", "to": "owner"},
        {"id": "wall", "at": {"before_due": {"seconds": 7200, "measured": "on_the_wall"}}, "kind": "warning"},
        {"id": "late", "at": {"after_due": {"seconds": 3600}}, "kind": "escalation", "to": "lead"},
        {"id": "late_wall", "at": {"after_due": {"seconds": 3600, "measured": "on_the_wall"}}, "kind": "escalation",
         "repeat": {"every_seconds": 3600, "times": 2}},
    ]);
    let book = house(vec![goal("solve", rules(business(9)), json!({"ladder": ladder}))]);
    let found = book.evaluate(&calendars(), &opened(vec![]), march(5, 0, 0));
    // Nine hours: due on Tuesday at ten; two open hours before is Monday at four.
    let told: Vec<_> = found.events.iter().map(|e| (e.id.step.as_str(), e.at)).collect();
    assert_eq!(
        told,
        [
            ("two_left", march(2, 16, 0)),
            ("wall", march(3, 8, 0)),
            ("breach", at("2026-03-03T10:00:01Z")),
            ("late", march(3, 11, 0)),
            ("late_wall", march(3, 11, 0)),
            ("late_wall", march(3, 12, 0)),
        ]
    );
    // More before the deadline than the target is long: at the start, not at midnight.
    let long =
        json!([{"id": "early", "at": {"before_due": {"seconds": 360_000}}, "kind": "warning"}]);
    let book = house(vec![goal("solve", rules(business(9)), json!({"ladder": long}))]);
    assert_eq!(
        book.evaluate(&calendars(), &opened(vec![]), march(2, 9, 0)).events[0].at,
        march(2, 9, 0)
    );
}

/// SLA-17: each goal has a clock of its own; the earliest is only a view. (zammad 5177.)
#[test]
fn zammad_an_update_goal_does_not_override_the_first_response() {
    let first = json!({"metric": "first_response", "stop": {"when": code("event", "answered")}});
    let update = json!({
        "metric": "update", "starts": "every_time",
        "start": {"when": {"any": [code("event", "requested"), code("event", "asked")]}},
        "stop": {"when": code("event", "updated")},
    });
    let book = house(vec![
        goal("first", rules(business(2)), first),
        goal("update", rules(business(4)), update),
    ]);
    let history = opened(vec![event(march(2, 10, 0), "updated"), event(march(2, 10, 30), "asked")]);
    let found = book.evaluate(&calendars(), &history, march(2, 10, 30));
    assert_eq!(found.goals[0].due, Some(march(2, 11, 0)));
    assert_eq!(found.goals[1].due, Some(march(2, 14, 30)));
    assert_eq!(found.next_wakeup, Some(at("2026-03-02T11:00:01Z")));
    let metric = MetricId::new("update").unwrap();
    assert_eq!(found.effective_due(&metric).unwrap().due, Some(march(2, 14, 30)));
}

/// SLA-18: whose turn it is follows from facts of events, whatever the channel. (zammad 3140, 2082,
/// 1322.)
#[test]
fn zammad_an_answer_counts_on_every_channel() {
    let stop = json!({"stop": {"when": {"all": [code("event", "message"), code("by", "agent")]}}});
    let book = house(vec![goal("first", rules(business(2)), stop)]);
    for channel in ["email", "phone", "chat", "counter"] {
        let message = |by: &str| {
            let facts = |pairs: &[(&str, &str)]| {
                pairs
                    .iter()
                    .map(|(n, v)| (FactName::new(n).unwrap(), Fact::code(v)))
                    .collect::<Facts>()
            };
            Happening::Facts {
                set: Facts::new(),
                unset: Default::default(),
                once: facts(&[("event", "message"), ("by", by), ("channel", channel)]),
            }
        };
        let customer = CaseEvent { at: march(2, 9, 30), what: message("customer") };
        let agent = CaseEvent { at: march(2, 10, 0), what: message("agent") };
        let found = book.evaluate(&calendars(), &opened(vec![customer, agent]), march(2, 12, 0));
        assert_eq!(only(&found).verdict, Verdict::Met, "{channel}");
        assert_eq!(only(&found).stopped_at, Some(march(2, 10, 0)));
    }
}

#[test]
fn zammad_the_clock_stands_still_in_the_customers_turn() {
    // Whose turn it is follows from the status that a message leaves behind, on any channel.
    let book = house(vec![goal("solve", rules(business(4)), json!({}))]);
    for channel in ["email", "phone", "chat", "counter"] {
        let message = |at, status: &str| CaseEvent {
            at,
            what: Happening::Facts {
                set: [(FactName::new("status").unwrap(), Fact::code(status))].into_iter().collect(),
                unset: Default::default(),
                once: [(FactName::new("channel").unwrap(), Fact::code(channel))]
                    .into_iter()
                    .collect(),
            },
        };
        let events = vec![
            message(march(2, 10, 0), "waiting_for_customer"),
            message(march(2, 16, 0), "in_progress"),
        ];
        let told = |now| {
            let found = book.evaluate(&calendars(), &opened(events.clone()), now);
            (only(&found).elapsed, only(&found).due, only(&found).state)
        };
        assert_eq!(told(march(2, 15, 0)), (hours(1), None, ClockState::Paused), "{channel}");
        let due = Some(march(3, 11, 0));
        assert_eq!(told(march(2, 17, 0)), (hours(2), due, ClockState::Running), "{channel}");
    }
}

/// SLA-19: deadlines are derived: another calendar, a detached policy or an event put in later leaves
/// no old deadline behind; recorded facts stay. (zammad 4353, 534, 904.)
#[test]
fn zammad_no_old_deadline_survives_an_edit() {
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let history = opened(vec![]);
    let mut ledger = SlaLedger::default();
    let before = book.evaluate(&calendars(), &history, march(3, 9, 0));
    assert_eq!(ledger.absorb(&before).new.len(), 1);
    let edited =
        calendars_with(json!([{"name": "Founding Day", "rule": {"date": "2026-03-02"}}]), 2);
    let after = book.evaluate(&edited, &history, march(3, 9, 0));
    assert_eq!(only(&after).due, Some(march(3, 17, 0)));
    assert_eq!(only(&after).calendar_revision, Some(2));
    assert_eq!(only(&after).verdict, Verdict::Pending);
    // The breach that was recorded under revision 1 stays, and is told to be outdated.
    let absorbed = ledger.absorb(&after);
    assert!(absorbed.new.is_empty());
    assert_eq!(absorbed.outdated.len(), 1);
    assert_eq!(absorbed.outdated[0].calendar_revision, Some(1));
    let detached = CaseEvent {
        at: march(2, 10, 0),
        what: Happening::Detached { policy: PolicyId::new("house").unwrap() },
    };
    let found = book.evaluate(&calendars(), &history.with(detached).unwrap(), march(4, 9, 0));
    assert_eq!(only(&found).state, ClockState::Cancelled);
    assert_eq!(only(&found).due, None);
    assert!(found.events.is_empty() && found.next_wakeup.is_none());
}

/// SLA-20: a reminder waits for the end of its quiet hours and keeps its true instant. (zammad 4432,
/// 2157, 3837.)
#[test]
fn zammad_reminders_wait_for_the_morning() {
    let wall = json!({"clock": "calendar", "seconds": 36_000});
    let ladder = json!([{"id": "half", "at": {"percent_used": 100}, "kind": "reminder", "quiet_outside": "desk"}]);
    let book = house(vec![goal("solve", rules(wall), json!({"ladder": ladder}))]);
    let found = book.evaluate(&calendars(), &opened(vec![]), march(3, 8, 0));
    assert_eq!(found.events.len(), 1, "the breach; the reminder waits");
    assert_eq!(found.next_wakeup, Some(march(3, 9, 0)));
    let found = book.evaluate(&calendars(), &opened(vec![]), march(3, 9, 0));
    let reminder = found.events.iter().find(|e| e.id.step.as_str() == "half").unwrap();
    assert_eq!((reminder.reached, reminder.at), (march(2, 19, 0), march(3, 9, 0)));
    assert_eq!(only(&found).elapsed.unwrap().to_string(), "24 h 00 min");
}

/// SLA-21: an explanation names the rule that closed each day. (zammad 390.)
#[test]
fn zammad_a_holiday_feed_shows_what_it_closes() {
    let book = house(vec![goal("solve", rules(business(40)), json!({}))]);
    let calendars = calendars_with(
        json!([{"name": "feed entry A", "rule": {"date": "2026-03-03"}}, {"name": "feed entry B", "rule": {"date": "2026-03-05"}}]),
        1,
    );
    let ids = (PolicyId::new("house").unwrap(), GoalId::new("solve").unwrap());
    let parts = book.account(&calendars, &opened(vec![]), &ids.0, &ids.1, march(6, 12, 0)).unwrap();
    let closed: Vec<_> = parts
        .iter()
        .filter_map(|part| match &part.class {
            AccountClass::Closed { by } => Some(by.to_string()),
            _ => None,
        })
        .filter(|name| name.starts_with("holiday"))
        .collect();
    assert_eq!(closed, ["holiday feed entry A", "holiday feed entry B"]);
}

/// SLA-22: a zone has a name and clock changes; no offset is frozen. (erpnext 38745, chatwoot 2882,
/// RocketChat 32047 and 32287, dbt_zendesk 25, oncall 3261, azure-devops-docs 8675.)
#[test]
fn chatwoot_a_clock_change_between_start_and_deadline_is_seen() {
    let definitions: Vec<CalendarDefinition> = serde_json::from_value(json!([
        {"hours": {"id": "desk", "zone": "America/New_York", "weekly": {"fri": ["09:00-17:00"], "mon": ["09:00-17:00"]}}}
    ]))
    .unwrap();
    let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
    let calendars =
        Calendars::compile(&definitions, DateRange { first: day(1, 1), last: day(12, 31) })
            .unwrap();
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let start = at("2026-03-06T18:00:00Z"); // Friday 13:00 there, clocks change on Sunday
    let history = history(vec![attached(start, "house", 1), event(start, "requested")]);
    let found = book.evaluate(&calendars, &history, start);
    assert_eq!(only(&found).due, Some(at("2026-03-09T17:00:00Z"))); // Monday 13:00 there
}

/// SLA-23: a calendar that never opens and one that ends are typed decisions at once.
/// (moment-business-time 58 and 17, vue-business-hours 26, businesstimedelta 9 and 10,
/// ts-business-time 5.)
#[test]
fn businesstimedelta_no_search_runs_for_ever() {
    let definitions: Vec<CalendarDefinition> =
        serde_json::from_value(json!([{"hours": {"id": "desk", "zone": "UTC"}}])).unwrap();
    let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
    let range = DateRange { first: day(1, 1), last: day(12, 31) };
    let calendars = Calendars::compile(&definitions, range).unwrap();
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let found = book.evaluate(&calendars, &opened(vec![]), march(3, 9, 0));
    let end = at("2027-01-01T00:00:00Z");
    assert_eq!(only(&found).trouble, Some(Trouble::BeyondCalendar { end }));
    assert_eq!(only(&found).due, None);
    let found = book.evaluate(&calendars, &opened(vec![]), at("2030-01-01T00:00:00Z"));
    assert_eq!(only(&found).trouble, Some(Trouble::BeyondCalendar { end }));
}

/// SLA-24: overnight windows, and spans with both ends outside, are right. (businesstimedelta 5 and
/// 6, bokmann/business_time 227, seatgeek/businesstime 5, 6, 13, 26; the minute walk of
/// `tests/deadlines/calendar_model.rs` covers the rest.)
#[test]
fn business_time_both_ends_outside_and_overnight() {
    let definitions: Vec<CalendarDefinition> = serde_json::from_value(json!([
        {"hours": {"id": "desk", "zone": "UTC", "weekly": {"mon": ["22:00-06:00"], "tue": ["22:00-06:00"]}}}
    ]))
    .unwrap();
    let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
    let range = DateRange { first: day(1, 1), last: day(12, 31) };
    let calendars = Calendars::compile(&definitions, range).unwrap();
    let book = house(vec![goal("solve", rules(business(4)), json!({}))]);
    // Two in the night is inside Monday's shift.
    let start = march(3, 2, 0);
    let inside = history(vec![attached(start, "house", 1), event(start, "requested")]);
    assert_eq!(only(&book.evaluate(&calendars, &inside, start)).due, Some(march(3, 6, 0)));
    let outside =
        history(vec![attached(march(2, 12, 0), "house", 1), event(march(2, 12, 0), "requested")]);
    let found = book.evaluate(&calendars, &outside, march(4, 12, 0));
    assert_eq!(only(&found).elapsed, hours(16));
}

/// SLA-25: long spans see every holiday. (pandas 16867, 23542, 29901, 30593, 26381.)
#[test]
fn pandas_long_spans_do_not_skip_holidays() {
    let all: Vec<Value> = (1..=28)
        .map(|d| json!({"name": "closed", "rule": {"date": format!("2026-04-{d:02}")}}))
        .collect();
    let calendars = calendars_with(json!(all), 1);
    let book = house(vec![goal("solve", rules(business(8 * 26)), json!({}))]);
    // March has 22 working days from the 2nd; April gives two more (29, 30), May the last two.
    let found = book.evaluate(&calendars, &opened(vec![]), march(2, 9, 0));
    assert_eq!(only(&found).due, Some(at("2026-05-04T17:00:00Z")));
}

/// SLA-26: a missing calendar and a missing target are typed decisions, and the other goals go on.
/// (OCA/helpdesk 885.)
#[test]
fn oca_a_missing_calendar_is_a_decision() {
    let nowhere = json!({"clock": "business", "seconds": 3600, "calendar": "nowhere"});
    let narrow = json!([{"id": "vip", "when": code("group", "vip"), "target": business(1)}]);
    let book = house(vec![
        goal("a", rules(nowhere), json!({})),
        goal("b", narrow, json!({})),
        goal("c", rules(business(8)), json!({})),
    ]);
    let found = book.evaluate(&calendars(), &opened(vec![]), march(2, 10, 0));
    assert!(
        matches!(&found.goals[0].trouble, Some(Trouble::NoCalendar { calendar }) if calendar.as_str() == "nowhere")
    );
    assert_eq!(found.goals[1].trouble, Some(Trouble::NoTarget));
    assert_eq!(found.goals[2].due, Some(march(2, 17, 0)));
    assert_eq!(book.missing_calendars(&calendars()).len(), 1);
}

/// SLA-27: one case may have clocks of both kinds, and terms in days. (osTicket 1168, 4969.)
#[test]
fn osticket_business_and_wall_clocks_run_side_by_side() {
    let wall = json!({"clock": "calendar", "seconds": 86_400});
    let days = json!({"clock": "days", "term": {"days": 7, "roll": "next_working_day"}, "calendar": "shanghai"});
    let book = house(vec![
        goal("business", rules(business(12)), json!({})),
        goal("wall", rules(wall), json!({})),
        goal("days", rules(days), json!({})),
    ]);
    let found = book.evaluate(&calendars(), &opened(vec![]), march(2, 9, 0));
    assert_eq!(found.goals[0].due, Some(march(3, 13, 0)));
    assert_eq!(found.goals[1].due, Some(march(3, 9, 0)));
    assert_eq!(found.goals[2].due, Some(march(9, 16, 0)), "the end of 9 March in Shanghai");
}

/// SLA-28: another version of a policy makes new records and keeps the old ones. (Atlassian KB
/// 954252774.)
#[test]
fn atlassian_a_rebuild_keeps_met_and_breached_history() {
    let version = |version, hours| {
        policy(
            "house",
            version,
            "internal",
            vec![goal("solve", rules(business(hours)), json!({"starts": "every_time"}))],
        )
    };
    let book = book(vec![version(1, 2), version(2, 1)]);
    let second = march(2, 13, 0);
    let done = vec![event(march(2, 10, 30), "solved"), event(second, "requested")];
    let under_one = book.evaluate(&calendars(), &opened(done.clone()), march(2, 14, 30));
    assert_eq!(only(&under_one).past[0].verdict, Verdict::Met);
    let mut changed = done;
    changed.push(attached(march(2, 14, 30), "house", 2));
    let under_two = book.evaluate(&calendars(), &opened(changed), march(2, 14, 30));
    let goal = only(&under_two);
    assert_eq!(goal.version, 2);
    // Ninety minutes met two hours, and stay met though version 2 promises one.
    assert_eq!(goal.past[0].verdict, Verdict::Met);
    assert_eq!(goal.due, Some(march(2, 14, 0)), "measured again from the start of the cycle");
    assert_eq!(goal.verdict, Verdict::Breached);
    assert_eq!(goal.revision, 1);
    assert_eq!(under_two.events.iter().map(|e| e.id.revision).collect::<Vec<_>>(), [1]);
    assert_eq!(under_two.events[0].at, march(2, 14, 30), "known with the change, not before");
    assert_eq!(under_two.events[0].reached, march(2, 14, 0));
}

// ---- statutory terms, selection, what if, presets

/// SLA-29: a statutory term is not paused for internal reasons, wins over a later promise, and the
/// conflict is told.
#[test]
fn statutory_terms_win_and_conflicts_are_told() {
    let days = json!({"clock": "days", "term": {"days": 3}, "calendar": "desk"});
    let law = policy("law", 1, "statutory", vec![goal("refund", rules(days), json!({}))]);
    let own = policy("house", 1, "internal", vec![goal("refund", rules(business(40)), json!({}))]);
    let book = book(vec![law, own]);
    let start = march(2, 9, 0);
    let history = history(vec![
        attached(start, "law", 1),
        attached(start, "house", 1),
        event(start, "requested"),
        paused(march(3, 9, 0), "backlog"),
        resumed(march(4, 9, 0), "backlog"),
    ]);
    let found = book.evaluate(&calendars(), &history, march(4, 12, 0));
    assert_eq!(
        found.goals[0].due,
        Some(march(6, 0, 0)),
        "three days after the 2nd, internal pause or not"
    );
    assert_eq!(found.goals[1].due, Some(march(9, 17, 0)));
    assert!(
        matches!(&found.notices[..], [Notice::LaterThanStatutory { statutory_due, .. }] if *statutory_due == march(6, 0, 0))
    );
    let metric = MetricId::new("solution").unwrap();
    assert_eq!(found.effective_due(&metric).unwrap().policy.as_str(), "law");
    // A contract may not be later either; a figure to compare with may.
    let later = |kind: &str| {
        let days = json!({"clock": "days", "term": {"days": 3}, "calendar": "desk"});
        let law = policy("law", 1, "statutory", vec![goal("refund", rules(days), json!({}))]);
        let own = policy("house", 1, kind, vec![goal("refund", rules(business(40)), json!({}))]);
        try_book(vec![law, own]).unwrap().evaluate(&calendars(), &history, start).notices.len()
    };
    assert_eq!((later("contract"), later("benchmark")), (1, 0));
    // A promise of our own that is not later is no conflict.
    let days = json!({"clock": "days", "term": {"days": 3}, "calendar": "desk"});
    let law = policy("law", 1, "statutory", vec![goal("refund", rules(days.clone()), json!({}))]);
    for own in [business(8), days] {
        let own = policy("house", 1, "internal", vec![goal("refund", rules(own), json!({}))]);
        let book = try_book(vec![law.clone(), own]).unwrap();
        assert!(book.evaluate(&calendars(), &history, march(2, 10, 0)).notices.is_empty());
    }
    let named = policy(
        "law",
        1,
        "statutory",
        vec![goal("refund", rules(business(8)), json!({"honors": {"only": ["backlog"]}}))],
    );
    assert!(matches!(
        &try_book(vec![named]).unwrap_err()[..],
        [SlaDefect::StatutoryPausedInternally { .. }]
    ));
}

#[test]
fn selection_shows_specificity_and_shadowed_rules() {
    let narrow = json!({"all": [code("group", "vip"), code("channel", "phone")]});
    let targets = json!([
        {"id": "vip", "when": code("group", "vip"), "target": business(4)},
        {"id": "vip_phone", "when": narrow, "target": business(1)},
        {"id": "all", "target": business(8)},
    ]);
    let mut special = policy("contract", 1, "contract", vec![goal("solve", targets, json!({}))]);
    special["applies"] = code("group", "vip");
    let general =
        policy("house", 3, "internal", vec![goal("solve", rules(business(8)), json!({}))]);
    let book = book(vec![special, general]);
    let facts: Facts = [("group", "vip"), ("channel", "phone")]
        .iter()
        .map(|(name, value)| (FactName::new(name).unwrap(), Fact::code(value)))
        .collect();
    let chosen = book.select(&facts);
    assert_eq!(chosen.value.len(), 2);
    assert_eq!(book.select(&Facts::new()).value, [(PolicyId::new("house").unwrap(), 3)]);
    let ids = (PolicyId::new("contract").unwrap(), GoalId::new("solve").unwrap());
    let target = book.select_target(&ids.0, 1, &ids.1, &facts);
    assert_eq!(
        target.value.unwrap().amount(),
        Amount::OpenSeconds(4 * 3600),
        "the first that holds"
    );
    assert_eq!(target.findings[1].effect, Effect::Warns, "a more specific rule stands behind it");
}

/// SLA-30: what if is the same evaluation on altered input, with the difference.
#[test]
fn what_if_tells_the_difference() {
    let slow = house(vec![goal("solve", rules(business(16)), json!({}))]);
    let fast = house(vec![goal("solve", rules(business(4)), json!({}))]);
    let (calendars, history) = (calendars(), opened(vec![]));
    let now = march(2, 14, 0);
    let present = Scenario { book: &slow, calendars: &calendars, history: &history };
    let stricter = Scenario { book: &fast, ..present };
    assert!(present.compare(&present, now).is_empty());
    let difference = present.compare(&stricter, now);
    assert_eq!(difference.goals[0].due_moves_by, Some(-(28 * 3600)));
    assert_eq!(difference.more_breaches(), 1);
    assert_eq!((difference.gone.len(), difference.added.len()), (0, 1));
    // A breach that would come at another time is one breach gone and another added.
    let paused = opened(vec![paused(march(2, 10, 0), "parts"), resumed(march(2, 11, 0), "parts")]);
    let delayed = Scenario { history: &paused, ..stricter };
    let difference = stricter.compare(&delayed, march(2, 16, 0));
    assert_eq!((difference.gone.len(), difference.added.len()), (1, 1));
    assert_eq!(difference.goals[0].due_moves_by, Some(3600));
}

/// SLA-31: a change of version follows its mode: measured again, from now on, from zero, kept, scaled.
#[test]
fn a_change_of_version_follows_its_mode() {
    let long = json!({"clock": "business", "seconds": 16 * 3600, "calendar": "long"});
    let book = book(vec![
        policy("house", 1, "internal", vec![goal("solve", rules(business(8)), json!({}))]),
        policy("house", 2, "internal", vec![goal("solve", rules(long), json!({}))]),
    ]);
    let due = |mode: ChangeMode| {
        let what = Happening::Attached {
            policy: PolicyId::new("house").unwrap(),
            version: 2,
            mode: Some(mode),
        };
        let change = CaseEvent { at: march(3, 9, 0), what };
        let found = book.evaluate(
            &calendars(),
            &opened(vec![
                paused(march(2, 13, 0), "parts"),
                resumed(march(3, 9, 0), "parts"),
                change,
            ]),
            march(3, 9, 0),
        );
        (
            only(&found).version,
            only(&found).elapsed.unwrap().value() / 3600,
            only(&found).due.unwrap(),
        )
    };
    // Four hours used on Monday; the long calendar is open from six to ten in the evening.
    assert_eq!(due(ChangeMode::Retroactive), (2, 4, march(3, 21, 0)));
    assert_eq!(due(ChangeMode::Prospective), (2, 4, march(3, 21, 0)));
    assert_eq!(due(ChangeMode::Restart), (2, 0, march(4, 9, 0)));
    assert_eq!(due(ChangeMode::Keep), (1, 4, march(3, 13, 0)));
    assert_eq!(due(ChangeMode::Scale), (2, 8, march(3, 17, 0)));
}

#[test]
fn a_statutory_term_that_switches_to_hours_keeps_its_share() {
    let days = json!({"clock": "days", "term": {"days": 4}, "calendar": "desk"});
    let book = book(vec![
        policy("house", 1, "internal", vec![goal("solve", rules(days), json!({}))]),
        policy(
            "house",
            2,
            "internal",
            vec![goal(
                "solve",
                rules(json!({"clock": "calendar", "seconds": 40 * 3600})),
                json!({"on_change": "prospective"}),
            )],
        ),
    ]);
    let found = book.evaluate(
        &calendars(),
        &opened(vec![attached(march(4, 0, 0), "house", 2)]),
        march(4, 0, 0),
    );
    // One of four days was over (the 3rd): ten of forty hours.
    assert_eq!(only(&found).elapsed, Some(Amount::Seconds(10 * 3600)));
}

/// SLA-32: every return metric has a preset, a label in both languages, and a clock that starts and
/// stops with its events.
#[test]
fn every_return_metric_has_a_clock_that_starts_and_stops() {
    let calendar = aftersale::id::CalendarId::new("desk").unwrap();
    let book =
        SlaBook::verify(returns::draft(&calendar).unwrap(), &returns::schema().unwrap()).unwrap();
    use ReturnEvent::*;
    let way = [
        Requested,
        Responded,
        Permitted,
        PickupOrdered,
        HandedOver,
        Arrived,
        Received,
        Inspected,
        Refunded,
        ReplacementShipped,
        Closed,
        FollowedUp,
    ];
    let start = march(2, 9, 0);
    let mut events =
        vec![attached(start, "returns_desk", 1), attached(start, "marketplace_average", 1)];
    events.extend(
        way.iter().zip(0..).map(|(step, minutes)| event(march(2, 9, minutes), step.code())),
    );
    let found = book.evaluate(&calendars(), &history(events), march(2, 12, 0));
    for metric in ReturnMetric::ALL {
        let goal = found.goals.iter().find(|goal| goal.metric.as_str() == metric.code()).unwrap();
        assert_eq!((goal.state, goal.verdict), (ClockState::Stopped, Verdict::Met), "{metric}");
        assert!(goal.elapsed.unwrap().value() > 0, "{metric}");
    }
    let requested = history(vec![attached(start, "returns_desk", 1), event(start, "requested")]);
    let found = book.evaluate(&calendars(), &requested, march(2, 9, 0));
    let running = found.goals.iter().filter(|goal| goal.state == ClockState::Running).count();
    assert_eq!(running, 3, "first response, review decision, total handling");
}

/// SLA-33: reopening continues the clock without the time between, or begins a new cycle.
#[test]
fn reopening_follows_the_goal() {
    let run = |mode: &str| {
        let book = house(vec![goal(
            "solve",
            rules(business(8)),
            json!({"on_reopen": mode, "reopen": {"when": code("event", "reopened")}}),
        )]);
        let history =
            opened(vec![event(march(2, 11, 0), "solved"), event(march(3, 9, 0), "reopened")]);
        let found = book.evaluate(&calendars(), &history, march(3, 10, 0));
        (only(&found).elapsed, only(&found).due, only(&found).cycle, only(&found).past.len())
    };
    assert_eq!(run("continue"), (hours(3), Some(march(3, 15, 0)), 0, 0));
    assert_eq!(run("new_cycle"), (hours(1), Some(march(3, 17, 0)), 1, 1));
}

/// Steps and instants of all timer events.
fn fired(found: &Evaluation) -> Vec<(&str, Instant)> {
    found.events.iter().map(|event| (event.id.step.as_str(), event.at)).collect()
}

fn step(id: &str, at: Value) -> Value {
    json!({"id": id, "at": at, "kind": "reminder"})
}

/// Two civil days that end with a working day, half of them warned of, and six hours before the end.
fn two_days() -> SlaBook {
    let term = json!({"days": 2, "roll": "next_working_day"});
    let ladder = [
        step("half", json!({"percent_used": 50})),
        step("soon", json!({"before_due": {"seconds": 6 * 3600}})),
    ];
    let more = json!({"reopen": {"when": code("event", "reopened")}, "ladder": ladder});
    let target = json!({"clock": "days", "term": term, "calendar": "desk"});
    house(vec![goal("solve", rules(target), more)])
}

/// A look at a clock tells until when no mark can be reached; none is missed at the very end of that.
#[test]
fn a_look_hides_no_mark() {
    let pause = |from, until| [paused(from, "parts"), resumed(until, "parts")];
    let late = step("late", json!({"after_due": {"seconds": 3 * 3600, "measured": "on_the_wall"}}));
    let ladder = json!({"ladder": [step("half", json!({"percent_used": 50})), late]});
    let book = house(vec![goal("solve", rules(business(8)), ladder)]);
    // Half an hour's pause puts four hours of work at half past one.
    let early = pause(march(2, 10, 0), march(2, 10, 30)).to_vec();
    let half = march(2, 13, 30);
    let found = book.evaluate(&calendars(), &opened(early), half);
    assert_eq!(fired(&found), [("half", half)]);
    // The deadline was at five; the clock is looked at, and stands still, from six on.
    let found = book.evaluate(
        &calendars(),
        &opened(vec![paused(march(2, 18, 0), "parts")]),
        march(2, 21, 0),
    );
    assert_eq!(fired(&found).last(), Some(&("late", march(2, 20, 0))));
    // The day after the first is whole; the clock stands still in the next.
    let mut looked = pause(march(2, 10, 0), march(2, 11, 0)).to_vec();
    looked.push(paused(march(4, 12, 0), "parts"));
    let found = two_days().evaluate(&calendars(), &opened(looked), march(4, 13, 0));
    assert_eq!(fired(&found), [("half", march(4, 0, 0))]);
}

/// A term in days that is complete on a Saturday ends with Monday, whatever happens on Monday.
#[test]
fn a_known_deadline_that_lies_ahead_stays_known() {
    let (thursday, due) = (march(5, 9, 0), march(10, 0, 0));
    let after = |events: Vec<CaseEvent>, now| {
        let start = [attached(thursday, "house", 1), event(thursday, "requested")];
        let history = history(start.into_iter().chain(events).collect());
        two_days().evaluate(&calendars(), &history, now)
    };
    let pause = || vec![paused(march(9, 10, 0), "parts")];
    let found = after(pause(), march(9, 12, 0));
    assert_eq!(only(&found).due, Some(due));
    assert_eq!(found.next_wakeup, Some(march(9, 18, 0)));
    let found = after(pause(), march(9, 18, 0));
    assert_eq!(fired(&found).last(), Some(&("soon", march(9, 18, 0))));
    // Looked at on Sunday, stopped and reopened on Monday, and standing still again.
    let events = vec![
        paused(march(8, 10, 0), "parts"),
        resumed(march(8, 11, 0), "parts"),
        event(march(9, 10, 0), "solved"),
        event(march(9, 11, 0), "reopened"),
        paused(march(9, 12, 0), "parts"),
    ];
    assert_eq!(only(&after(events, march(9, 13, 0))).due, Some(due));
}

/// No event is dated into the time in which a clock was stopped.
#[test]
fn events_of_the_time_stopped_fire_at_the_reopening() {
    let reopened = march(5, 9, 0);
    let found = |book: &SlaBook, stop| {
        let events = vec![event(stop, "solved"), event(reopened, "reopened")];
        let found = book.evaluate(&calendars(), &opened(events), march(5, 9, 30));
        let last = found.events.last().unwrap();
        (last.id.step.to_string(), last.reached, last.at)
    };
    // Stopped at the very instant of the mark, before it fired.
    let stop = march(4, 0, 0);
    assert_eq!(found(&two_days(), stop), ("half".into(), reopened, reopened));
    // Stopped an hour late; two hours later somebody would have been told.
    let late = step("late", json!({"after_due": {"seconds": 3 * 3600, "measured": "on_the_wall"}}));
    let more = json!({"reopen": {"when": code("event", "reopened")}, "ladder": [late]});
    let book = house(vec![goal("solve", rules(business(8)), more)]);
    assert_eq!(found(&book, march(2, 18, 0)), ("late".into(), march(2, 20, 0), reopened));
}

/// More repeats than fit before the deadline are told at the start; the first stands for those that
/// would lie before it.
#[test]
fn a_ladder_longer_than_its_target_begins_at_the_start() {
    let mut often = step("often", json!({"before_due": {"seconds": 12 * 3600 + 1}}));
    often["repeat"] = json!({"every_seconds": 4 * 3600, "times": 4});
    let mut even = step("even", json!({"before_due": {"seconds": 12 * 3600}}));
    even["repeat"] = json!({"every_seconds": 4 * 3600, "times": 4});
    let book = house(vec![goal("solve", rules(business(8)), json!({"ladder": [often, even]}))]);
    let found = book.evaluate(&calendars(), &opened(vec![]), march(2, 17, 0));
    let told = |step: &str| -> Vec<_> {
        let own = found.events.iter().filter(|event| event.id.step.as_str() == step);
        own.map(|event| (event.id.occurrence, event.at)).collect()
    };
    let second = chrono::TimeDelta::seconds(1);
    let (start, noon, end) = (march(2, 9, 0), march(2, 13, 0), march(2, 17, 0));
    assert_eq!(told("often"), [(0, start), (2, noon - second), (3, end - second)]);
    assert_eq!(told("even"), [(0, start), (1, start), (2, noon), (3, end)]);
}

/// A history that would take minutes to evaluate is refused, and many pauses take no time.
#[test]
fn histories_are_bounded() {
    let attachments = |count: i64| {
        let start = march(2, 9, 0);
        let all = (0..count).map(|n| attached(start + chrono::TimeDelta::seconds(n), "house", 1));
        CaseHistory::new(CaseId::new("RMA-1").unwrap(), all.collect())
    };
    assert!(attachments(256).is_ok());
    let refused = attachments(257).unwrap_err().to_string();
    assert_eq!(refused, "case `RMA-1` has policies attached 257 times, at most 256 are allowed");
    let text = serde_json::to_string(&attachments(256).unwrap()).unwrap();
    let more = text.replacen("{\"at\"", &format!("{}{{\"at\"", r#"{"at":"2026-03-02T08:00:00Z","what":{"type":"attached","policy":"house","version":1}},"#), 1);
    assert!(serde_json::from_str::<CaseHistory>(&text).is_ok());
    assert!(serde_json::from_str::<CaseHistory>(&more).unwrap_err().to_string().contains("257"));
    // Twenty thousand pauses of a term in days, and as many for reasons nobody declared.
    let pauses = (0..20_000_i64).flat_map(|n| {
        let from = march(2, 9, 0) + chrono::TimeDelta::seconds(n * 600 + 60);
        let reason = format!("reason_{n}");
        [
            paused(from, "parts"),
            resumed(from + chrono::TimeDelta::seconds(60), "parts"),
            paused(from, &reason),
        ]
    });
    let found =
        two_days().evaluate(&calendars(), &opened(pauses.collect()), at("2026-07-20T00:00:00Z"));
    assert_eq!(only(&found).elapsed, Some(Amount::Days(0)));
    assert_eq!(found.notices.len(), 20_000);
}

/// Timer events of one instant come in the order of their names.
#[test]
fn events_of_one_instant_are_sorted_by_name() {
    let ladder: Vec<Value> = ["zz", "aa"]
        .map(|id| step(id, json!({"after_due": {"seconds": 1, "measured": "on_the_wall"}})))
        .to_vec();
    let goals = ["b", "a"].map(|id| goal(id, rules(business(8)), json!({"ladder": ladder})));
    let found = house(goals.to_vec()).evaluate(&calendars(), &opened(vec![]), march(3, 0, 0));
    let names: Vec<_> =
        found.events.iter().map(|e| (e.id.goal.as_str(), e.id.step.as_str())).collect();
    let steps = ["aa", "breach", "zz"];
    assert_eq!(names, ["a", "b"].map(|goal| steps.map(|step| (goal, step))).concat());
}

/// What is known of a case to which nothing happened yet.
#[test]
fn an_attached_goal_has_its_target_before_anything_happens() {
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let history = history(vec![attached(march(2, 9, 0), "house", 1)]);
    let found = book.evaluate(&calendars(), &history, march(2, 10, 0));
    assert_eq!(only(&found).state, ClockState::Waiting);
    assert_eq!(only(&found).rule.as_ref().map(ToString::to_string).as_deref(), Some("all"));
    assert_eq!((only(&found).trouble.as_ref(), found.next_wakeup), (None, None));
}

/// Past the end of its calendar a clock is in trouble, whether it was looked at before or not.
#[test]
fn a_look_does_not_hide_the_end_of_the_calendar() {
    let book = house(vec![goal("solve", rules(business(500)), json!({}))]);
    let start = at("2026-12-01T09:00:00Z");
    let found = |more: Vec<CaseEvent>| {
        let events = [attached(start, "house", 1), event(start, "requested")];
        let history = history(events.into_iter().chain(more).collect());
        book.evaluate(&calendars(), &history, at("2027-01-02T09:00:00Z"))
    };
    let sunday = |hour: u32| at(&format!("2026-12-20T{hour}:00:00Z"));
    let looked = found(vec![paused(sunday(10), "parts"), resumed(sunday(11), "parts")]);
    assert_eq!(looked, found(vec![]));
    let end = at("2027-01-01T00:00:00Z");
    assert_eq!(only(&looked).trouble, Some(Trouble::BeyondCalendar { end }));
}

/// SLA-34: a clock that was stopped when its policy, or another version of it, was attached goes on with
/// what it used and with every mark when it is reopened.
#[test]
fn a_clock_attached_while_stopped_goes_on_when_reopened() {
    let goal = |hours: i64| {
        let more = json!({"reopen": {"when": code("event", "reopened")},
                          "ladder": [{"id": "half", "at": {"percent_used": 50}, "kind": "warning"}]});
        vec![goal("solve", rules(business(hours)), more)]
    };
    let book = book(vec![
        policy("house", 1, "internal", goal(8)),
        policy("house", 2, "internal", goal(6)),
    ]);
    let solved = |start| vec![event(start, "requested"), event(march(2, 14, 0), "solved")];
    let found = |attachments: Vec<CaseEvent>| {
        let mut events = solved(march(2, 9, 0));
        events.extend(attachments);
        events.push(event(march(3, 9, 0), "reopened"));
        let found = book.evaluate(&calendars(), &history(events), march(3, 13, 0));
        let fired: Vec<_> =
            found.events.iter().map(|e| (e.id.step.to_string(), e.reached, e.at)).collect();
        (only(&found).elapsed, only(&found).due, fired)
    };
    // Five hours were used on the 2nd: half of eight is passed when the clock is reopened.
    let half = |at| (String::from("half"), at, at);
    let breach = |due: Instant| (String::from("breach"), due, due + chrono::TimeDelta::seconds(1));
    let reopened = march(3, 9, 0);
    let due = march(3, 12, 0);
    assert_eq!(
        found(vec![attached(march(2, 15, 0), "house", 1)]),
        (hours(9), Some(due), vec![half(reopened), breach(due)])
    );
    // Under the second version an hour is left; its half was passed under the first.
    let due = march(3, 10, 0);
    let half = half(march(2, 13, 0));
    assert_eq!(
        found(vec![attached(march(2, 9, 0), "house", 1), attached(march(2, 15, 0), "house", 2)]),
        (hours(9), Some(due), vec![half, breach(due)])
    );
}

/// Found by the audit of a real log, in which a ticket was activated and resolved in one minute.
#[test]
fn a_state_passed_through_at_the_instant_of_the_stop_does_not_reopen() {
    let solved = code("status", "solved");
    let more = json!({"stop": {"when": solved}, "reopen": {"when": {"not": solved}}});
    let book = house(vec![goal("solve", rules(business(8)), more)]);
    let status = |value: &str| fact(march(2, 10, 0), "status", Fact::code(value));
    let state = |events: Vec<CaseEvent>| {
        only(&book.evaluate(&calendars(), &opened(events), march(2, 12, 0))).state
    };
    assert_eq!(state(vec![status("active"), status("solved")]), ClockState::Stopped);
    assert_eq!(state(vec![status("solved"), status("active")]), ClockState::Running);
    assert_eq!(state(vec![status("solved")]), ClockState::Stopped);
}

#[test]
fn triggers_fire_on_the_rise_or_with_every_event_while_they_hold() {
    let working = json!({"any": [code("status", "in_progress"), code("status", "in_test")]});
    let cycles = |fires: &str, events: Vec<CaseEvent>| {
        let reset = json!({"reset": {"when": working, "fires": fires}});
        let book = house(vec![goal("solve", rules(business(8)), reset)]);
        only(&book.evaluate(&calendars(), &opened(events), march(2, 16, 0))).cycle
    };
    let status = |hour, value: &str| fact(march(2, hour, 0), "status", Fact::code(value));
    // It holds from ten on, first for one reason, then for another; at noon something else happens.
    let events = || {
        vec![
            status(10, "in_progress"),
            status(11, "in_test"),
            fact(march(2, 12, 0), "priority", Fact::Count(2)),
        ]
    };
    assert_eq!(cycles("on_rise", events()), 1);
    assert_eq!(cycles("while_true", events()), 3);
    let mut again = events();
    again.extend([status(13, "new"), status(14, "in_test")]);
    assert_eq!(cycles("on_rise", again.clone()), 2, "it rises again after it fell");
    assert_eq!(cycles("while_true", again), 4);
}

#[test]
fn a_priority_changed_while_stopped_applies_when_reopened() {
    let rules = json!([
        {"id": "high", "when": {"test": {"fact": "priority", "is": {"type": "count", "value": 1}}}, "target": business(4)},
        {"id": "low", "target": business(8)},
    ]);
    let more =
        |mode: &str| json!({"on_change": mode, "reopen": {"when": code("event", "reopened")}});
    for (mode, due) in [
        ("retroactive", march(3, 11, 0)),
        ("prospective", march(3, 11, 0)),
        ("restart", march(3, 13, 0)),
        ("scale", march(3, 12, 0)),
        ("keep", march(3, 15, 0)),
    ] {
        let book = house(vec![goal("solve", rules.clone(), more(mode))]);
        let history = opened(vec![
            event(march(2, 11, 0), "solved"),
            fact(march(2, 12, 0), "priority", Fact::Count(1)),
            event(march(3, 9, 0), "reopened"),
        ]);
        let found = book.evaluate(&calendars(), &history, march(3, 9, 0));
        assert_eq!(only(&found).due, Some(due), "{mode}: two hours were used");
        // Another event changes nothing more.
        let later = history.with(event(march(3, 9, 30), "looked_at")).unwrap();
        let found = book.evaluate(&calendars(), &later, march(3, 10, 0));
        assert_eq!(only(&found).due, Some(due), "{mode}");
    }
}

#[test]
fn a_draft_tells_all_its_defects() {
    let bad = json!([
        {"id": "always", "target": business(0)},
        {"id": "never", "target": {"clock": "calendar", "seconds": 1}},
    ]);
    let ladder = json!([
        {"id": "breach", "at": {"percent_used": 50}, "kind": "warning"},
        {"id": "x", "at": {"percent_used": 1001}, "kind": "warning"},
        {"id": "y", "at": {"before_due": {"seconds": 1}}, "kind": "warning", "repeat": {"every_seconds": 0, "times": 1}},
    ]);
    let more = json!({"honors": {"only": ["weather"]}, "ladder": ladder, "start": {"when": code("unknown", "x")}});
    let one =
        policy("house", 1, "internal", vec![goal("a", bad, more), goal("a", json!([]), json!({}))]);
    let defects = try_book(vec![one.clone(), one]).unwrap_err();
    let told: Vec<String> = defects.iter().map(ToString::to_string).collect();
    for part in [
        "is not declared",
        "not above zero",
        "never be reached",
        "name that is taken",
        "out of range",
        "repeats 1 to 100",
        "weather",
        "goal `a` twice",
        "has no target",
        "version 1 of policy `house` is there twice",
    ] {
        assert!(told.iter().any(|text| text.contains(part)), "{part}: {told:?}");
    }
}

#[test]
fn a_person_may_move_one_clock_by_hand() {
    let book = house(vec![
        goal("a", rules(business(8)), json!({})),
        goal("b", rules(business(8)), json!({})),
    ]);
    let what = Happening::Moved { goal: GoalId::new("a").unwrap(), command: ClockCommand::Stop };
    let history = opened(vec![CaseEvent { at: march(2, 10, 0), what }]);
    let found = book.evaluate(&calendars(), &history, march(2, 11, 0));
    assert_eq!(found.goals[0].state, ClockState::Stopped);
    assert_eq!(found.goals[1].state, ClockState::Running);
}

#[test]
fn unknown_names_in_a_history_are_told() {
    let book = house(vec![goal("a", rules(business(8)), json!({}))]);
    let history =
        opened(vec![paused(march(2, 10, 0), "weather"), attached(march(2, 10, 0), "house", 9)]);
    let found = book.evaluate(&calendars(), &history, march(2, 11, 0));
    assert_eq!(found.notices.len(), 2);
    assert_eq!(only(&found).state, ClockState::Running);
}

#[test]
fn the_worked_example_of_the_guide_holds() {
    let book = house(vec![goal("solve", rules(business(8)), json!({}))]);
    let history = opened(vec![
        paused(march(2, 12, 0), "customer"),
        resumed(march(3, 11, 0), "customer"),
        event(march(3, 16, 0), "solved"),
    ]);
    let calendars = calendars();
    let told = |now| {
        let found = book.evaluate(&calendars, &history, now);
        let goal = only(&found).clone();
        (goal.elapsed, goal.due, goal.due_if_resumed_now, goal.verdict)
    };
    let pending = Verdict::Pending;
    assert_eq!(told(march(2, 9, 0)), (hours(0), Some(march(2, 17, 0)), None, pending));
    assert_eq!(told(march(2, 12, 0)), (hours(3), None, Some(march(2, 17, 0)), pending));
    assert_eq!(told(march(3, 10, 0)), (hours(3), None, Some(march(3, 15, 0)), pending));
    assert_eq!(told(march(3, 11, 0)), (hours(3), Some(march(3, 16, 0)), None, pending));
    assert_eq!(told(march(3, 16, 0)), (hours(8), Some(march(3, 16, 0)), None, Verdict::Met));
}

// ---- attached again, attached at once

fn detached(at: Instant, policy: &str) -> CaseEvent {
    CaseEvent { at, what: Happening::Detached { policy: PolicyId::new(policy).unwrap() } }
}

/// A goal of some hours with a warning at half.
fn warned(hours: i64, more: Value) -> Value {
    let mut goal = goal("solve", rules(business(hours)), json!({"ladder": [half()]}));
    for (key, value) in more.as_object().unwrap() {
        goal[key] = value.clone();
    }
    goal
}

fn half() -> Value {
    json!({"id": "half", "at": {"percent_used": 50}, "kind": "warning"})
}

fn names(found: &Evaluation) -> Vec<(&str, u32, Instant)> {
    found.events.iter().map(|e| (e.id.step.as_str(), e.id.revision, e.at)).collect()
}

/// A message delivered twice in one second attaches a policy once.
#[test]
fn a_policy_attached_twice_in_one_second_is_attached_once() {
    let book = house(vec![warned(8, json!({}))]);
    let once = opened(vec![]);
    let twice = opened(vec![attached(march(2, 9, 0), "house", 1)]);
    let now = march(2, 14, 0);
    assert_eq!(book.evaluate(&calendars(), &twice, now), book.evaluate(&calendars(), &once, now));
}

/// Whoever changes a version and changes it back within a second ends with the first.
#[test]
fn a_version_changed_and_changed_back_in_one_second_applies() {
    let version =
        |version, hours| policy("house", version, "internal", vec![warned(hours, json!({}))]);
    let book = book(vec![version(1, 8), version(2, 4)]);
    let change = march(2, 10, 0);
    let history = opened(vec![attached(change, "house", 2), attached(change, "house", 1)]);
    let found = book.evaluate(&calendars(), &history, march(2, 11, 0));
    assert_eq!((only(&found).version, only(&found).revision), (1, 2));
    assert_eq!(only(&found).state, ClockState::Running);
    assert_eq!(only(&found).due, Some(march(2, 17, 0)));
}

/// Of two goals one keeps its old target and one does not; whoever goes back to the first version goes
/// back with both.
#[test]
fn a_version_that_was_kept_in_part_is_left_as_a_whole() {
    let version = |version, hours| {
        let one = goal("one", rules(business(hours)), json!({"on_change": "keep"}));
        policy(
            "house",
            version,
            "internal",
            vec![one, goal("two", rules(business(hours)), json!({}))],
        )
    };
    let book = book(vec![version(1, 8), version(2, 4)]);
    let versions = |events: Vec<CaseEvent>| {
        let found = book.evaluate(&calendars(), &opened(events), march(2, 12, 0));
        let told = |goal: &GoalEvaluation| (goal.goal.to_string(), goal.version, goal.due.unwrap());
        found.goals.iter().map(told).collect::<BTreeSet<_>>()
    };
    let told = |goal: &str, version, hour| (goal.to_owned(), version, march(2, hour, 0));
    let second = || attached(march(2, 10, 0), "house", 2);
    assert_eq!(versions(vec![second()]), [told("one", 1, 17), told("two", 2, 13)].into());
    let again = vec![second(), attached(march(2, 11, 0), "house", 2)];
    assert_eq!(versions(again), versions(vec![second()]), "once more changes nothing");
    let back = vec![second(), attached(march(2, 11, 0), "house", 1)];
    assert_eq!(versions(back), [told("one", 1, 17), told("two", 1, 17)].into());
}

/// SLA-35: a policy that is attached again after it was detached goes on as one goal: it has one
/// evaluation, keeps what was found before, and no two of its timer events share a name.
#[test]
fn a_policy_attached_again_is_one_goal() {
    let book = house(vec![warned(8, json!({}))]);
    let away = vec![detached(march(2, 14, 0), "house"), attached(march(2, 15, 0), "house", 1)];
    let now = march(3, 10, 0);
    let found = book.evaluate(&calendars(), &opened(away.clone()), now);
    // As if it had been there all the time, and nobody is warned twice.
    assert_eq!(only(&found).due, Some(march(2, 17, 0)));
    assert_eq!((only(&found).state, only(&found).revision), (ClockState::Running, 1));
    let breach = march(2, 17, 0) + chrono::TimeDelta::seconds(1);
    assert_eq!(names(&found), [("half", 0, march(2, 13, 0)), ("breach", 1, breach)]);
    assert_eq!(only(&found).past.len(), 1, "the stretch until it was detached");
    let ids = (PolicyId::new("house").unwrap(), GoalId::new("solve").unwrap());
    assert_eq!(found.goal(&ids.0, &ids.1), Some(only(&found)));
    let (calendars, history) = (calendars(), opened(away.clone()));
    let same = Scenario { book: &book, calendars: &calendars, history: &history };
    assert!(same.compare(&same, now).is_empty());
    // Attached twice, it has an account of its own time and of no other.
    let twice =
        opened(vec![attached(march(2, 10, 0), "house", 1), detached(march(2, 11, 0), "house")]);
    let once = opened(vec![detached(march(2, 11, 0), "house")]);
    let account = |history| book.account(&calendars, history, &ids.0, &ids.1, now).unwrap();
    assert_eq!(account(&twice), account(&once));
    // A team that had the case, lost it and has it again counts from now on.
    let own = house(vec![warned(4, json!({"counts_from": "attachment"}))]);
    let found = own.evaluate(&calendars, &history, now);
    assert_eq!(only(&found).due, Some(march(3, 11, 0)));
    // Stopped before it was detached, it keeps its verdict and its stop.
    let mut stopped = vec![event(march(2, 11, 0), "solved")];
    stopped.extend(away);
    let found = book.evaluate(&calendars, &opened(stopped), now);
    assert_eq!((only(&found).verdict, only(&found).elapsed), (Verdict::Met, hours(2)));
    assert_eq!(only(&found).past.len(), 1);
}

/// A clock that had stopped when its policy was detached tells when it stopped, not when that was.
#[test]
fn a_detached_policy_keeps_the_time_of_the_stop() {
    let book = house(vec![warned(8, json!({}))]);
    let events = vec![event(march(2, 11, 0), "solved"), detached(march(2, 15, 0), "house")];
    let found = book.evaluate(&calendars(), &opened(events), march(3, 9, 0));
    assert_eq!(only(&found).stopped_at, Some(march(2, 11, 0)));
    assert_eq!((only(&found).state, only(&found).verdict), (ClockState::Cancelled, Verdict::Met));
}

/// A step is known by its name, wherever it stands in the ladder of another version.
#[test]
fn another_version_knows_the_steps_that_fired_by_their_names() {
    let quarter = json!({"id": "quarter", "at": {"percent_used": 25}, "kind": "warning"});
    let version = |version, ladder: Value| {
        policy("house", version, "internal", vec![warned(8, json!({"ladder": ladder}))])
    };
    let book = book(vec![version(1, json!([half()])), version(2, json!([quarter, half()]))]);
    let change = march(2, 14, 0);
    let found =
        book.evaluate(&calendars(), &opened(vec![attached(change, "house", 2)]), march(2, 15, 0));
    assert_eq!(names(&found), [("half", 0, march(2, 13, 0)), ("quarter", 1, change)]);
}

/// SLA-36: what fired before a change and lies behind it does not fire again: neither a warning on the
/// wall, nor a reminder that repeats while days are counted, nor while the clock stands still.
#[test]
fn nothing_that_lies_behind_a_change_fires_again() {
    let is_one = json!({"test": {"fact": "priority", "is": {"type": "count", "value": 1}}});
    let two = |high: Value, low: Value| json!([{"id": "high", "when": is_one, "target": high}, {"id": "low", "target": low}]);
    let wall = |minutes: i64| json!({"clock": "calendar", "seconds": minutes * 60});
    let hour = step("hour", json!({"before_due": {"seconds": 3600, "measured": "on_the_wall"}}));
    let book = house(vec![goal("solve", two(wall(470), wall(480)), json!({"ladder": [hour]}))]);
    let high = |at| fact(at, "priority", Fact::Count(1));
    // Due at 17:00, warned of at 16:00; from 16:30 on due at 16:50.
    let now = march(2, 16, 45);
    let found = book.evaluate(&calendars(), &opened(vec![high(march(2, 16, 30))]), now);
    assert_eq!(only(&found).due, Some(march(2, 16, 50)));
    assert_eq!(names(&found), [("hour", 0, march(2, 16, 0))]);
    // The same while it stands still.
    let still = vec![
        paused(march(2, 16, 10), "parts"),
        high(march(2, 16, 30)),
        resumed(march(2, 16, 40), "parts"),
    ];
    let found = book.evaluate(&calendars(), &opened(still), march(2, 17, 0));
    assert_eq!(names(&found), [("hour", 0, march(2, 16, 0))]);
    // A mark that the change puts into the future fires again, under its own revision.
    let later = house(vec![goal(
        "solve",
        two(wall(600), wall(480)),
        json!({"ladder": [step("hour", json!({"before_due": {"seconds": 3600, "measured": "on_the_wall"}}))]}),
    )]);
    let found =
        later.evaluate(&calendars(), &opened(vec![high(march(2, 16, 30))]), march(2, 18, 30));
    assert_eq!(names(&found), [("hour", 0, march(2, 16, 0)), ("hour", 1, march(2, 18, 0))]);
    // Days: half of two is over on Wednesday at midnight, and told again each hour.
    let days = |days: u32| json!({"clock": "days", "term": {"days": days}, "calendar": "desk"});
    let mut nag = step("nag", json!({"percent_used": 50}));
    nag["repeat"] = json!({"every_seconds": 3600, "times": 4});
    let book = house(vec![goal("solve", two(days(1), days(2)), json!({"ladder": [nag]}))]);
    let change = march(4, 2, 30);
    let found = book.evaluate(&calendars(), &opened(vec![high(change)]), march(4, 2, 40));
    let nags: Vec<_> =
        names(&found).into_iter().filter(|(step, ..)| *step == "nag").map(|n| n.2).collect();
    assert_eq!(nags, [march(4, 0, 0), march(4, 1, 0), march(4, 2, 0)]);
}

/// A term in days that is complete on a Saturday ends with Monday; what comes six hours before its end
/// waits for that, also when the target changes on Sunday.
#[test]
fn a_change_before_the_end_of_a_term_does_not_bring_its_marks_forward() {
    let is_one = json!({"test": {"fact": "priority", "is": {"type": "count", "value": 1}}});
    let term = |days: u32| json!({"clock": "days", "term": {"days": days, "roll": "next_working_day"}, "calendar": "desk"});
    let rules = json!([{"id": "high", "when": is_one, "target": term(2)}, {"id": "low", "target": term(9)}]);
    let soon = step("soon", json!({"before_due": {"seconds": 6 * 3600}}));
    let book = house(vec![goal("solve", rules, json!({"ladder": [soon]}))]);
    let thursday = march(5, 9, 0);
    let history = history(vec![
        attached(thursday, "house", 1),
        event(thursday, "requested"),
        fact(march(8, 12, 0), "priority", Fact::Count(1)),
    ]);
    let found = book.evaluate(&calendars(), &history, march(8, 13, 0));
    assert_eq!(only(&found).due, Some(march(10, 0, 0)));
    assert_eq!((fired(&found), found.next_wakeup), (vec![], Some(march(9, 18, 0))));
}

/// A change or a reopening in the night wakes nobody whose step has quiet hours.
#[test]
fn changes_and_reopenings_in_the_night_keep_the_quiet_hours() {
    let is_one = json!({"test": {"fact": "priority", "is": {"type": "count", "value": 1}}});
    let wall = |hours: i64| json!({"clock": "calendar", "seconds": hours * 3600});
    let rules = json!([{"id": "high", "when": is_one, "target": wall(20)}, {"id": "low", "target": wall(80)}]);
    let mut quiet = half();
    quiet["quiet_outside"] = json!("desk");
    let more = json!({"ladder": [quiet], "reopen": {"when": code("event", "reopened")}});
    let book = house(vec![goal("solve", rules, more)]);
    let (night, morning) = (march(3, 3, 0), march(3, 9, 0));
    let high = opened(vec![fact(night, "priority", Fact::Count(1))]);
    let found = book.evaluate(&calendars(), &high, night);
    assert_eq!(
        (fired(&found), found.next_wakeup),
        (vec![], Some(march(3, 5, 0) + chrono::TimeDelta::seconds(1)))
    );
    let found = book.evaluate(&calendars(), &high, morning);
    assert_eq!(fired(&found).last(), Some(&("half", morning)));
    // Half of twenty hours is reached at 19:00, at the very instant of the stop.
    let events = vec![
        fact(march(2, 9, 0), "priority", Fact::Count(1)),
        event(march(2, 19, 0), "solved"),
        event(night, "reopened"),
    ];
    let found = book.evaluate(&calendars(), &opened(events), morning);
    assert_eq!(fired(&found), [("half", morning)]);
    // Reached in the evening, it would have waited for the morning; stopped meanwhile, and reopened in
    // another night, it waits for another morning.
    let events = vec![
        fact(march(2, 9, 0), "priority", Fact::Count(1)),
        event(march(2, 20, 0), "solved"),
        event(march(4, 3, 0), "reopened"),
    ];
    let found = book.evaluate(&calendars(), &opened(events), march(4, 9, 0));
    let told = &found.events[0];
    assert_eq!((told.reached, told.at), (march(2, 19, 0), march(4, 9, 0)));
    // The policy comes to the case in the night.
    let late = history(vec![
        event(march(2, 9, 0), "requested"),
        fact(march(2, 9, 0), "priority", Fact::Count(1)),
        attached(night, "house", 1),
    ]);
    assert_eq!(
        fired(&book.evaluate(&calendars(), &late, morning)).last(),
        Some(&("half", morning))
    );
}

/// A clock that was called off late, or judged by another target, before its policy was attached is
/// judged as if the policy had been there.
#[test]
fn what_ended_before_the_attachment_is_judged_as_if_the_policy_had_been_there() {
    let is_one = json!({"test": {"fact": "priority", "is": {"type": "count", "value": 1}}});
    let rules = json!([{"id": "high", "when": is_one, "target": business(4)}, {"id": "low", "target": business(8)}]);
    let more = json!({"cancel": {"when": code("event", "withdrawn")}});
    let book = house(vec![goal("solve", rules, more)]);
    let start = march(2, 9, 0);
    let found = |attachment: Instant, end: &str, end_at: Instant| {
        let history = history(vec![
            event(start, "requested"),
            fact(start, "priority", Fact::Count(1)),
            event(end_at, end),
            fact(march(2, 15, 30), "priority", Fact::Count(2)),
            attached(attachment, "house", 1),
        ]);
        let found = book.evaluate(&calendars(), &history, march(3, 9, 0));
        let goal = only(&found).clone();
        // A stop before the deadline tells it where it was foreseen.
        let due = goal.due.filter(|_| goal.verdict == Verdict::Breached);
        (goal.state, goal.verdict, goal.elapsed, due, goal.rule)
    };
    for (end, end_at) in [
        ("solved", march(2, 12, 0)),
        ("solved", march(2, 13, 0)),
        ("solved", march(2, 15, 0)),
        ("withdrawn", march(2, 12, 0)),
        ("withdrawn", march(2, 15, 0)),
    ] {
        let (late, early) = (found(march(2, 16, 0), end, end_at), found(start, end, end_at));
        assert_eq!(late, early, "{end} at {end_at}");
    }
}

/// The result of an inspection starts the clock of what the customer gets, and no other.
#[test]
fn an_inspection_starts_the_clock_of_the_resolution() {
    let calendar = aftersale::id::CalendarId::new("desk").unwrap();
    let book =
        SlaBook::verify(returns::draft(&calendar).unwrap(), &returns::schema().unwrap()).unwrap();
    let running = |resolution: Option<&str>| {
        let mut events = vec![attached(march(2, 9, 0), "returns_desk", 1)];
        events.extend(resolution.map(|r| fact(march(2, 9, 0), returns::RESOLUTION, Fact::code(r))));
        events.push(event(march(2, 9, 0), "inspected"));
        let found = book.evaluate(&calendars(), &history(events), march(2, 10, 0));
        let running = found.goals.iter().filter(|goal| goal.state == ClockState::Running);
        running.map(|goal| goal.metric.to_string()).collect::<Vec<_>>()
    };
    use aftersale::case::resolution::Resolution;
    for resolution in Resolution::ALL {
        let expected: &[&str] = match resolution {
            Resolution::ReturnAndRefund | Resolution::RefusedAtDoor => &["refund"],
            Resolution::Exchange => &["replacement"],
            _ => &[],
        };
        assert_eq!(running(Some(resolution.code())), expected, "{resolution}");
    }
    assert_eq!(running(None), ["refund", "replacement"], "nobody said which");
}
