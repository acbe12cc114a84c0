//! Timers of cases: what fires when, and that it does not matter how often the host looks.

use std::collections::BTreeMap;

use crate::fixtures::awaiting_waybill;
use crate::support::{Desk, at, case, line, market, pieces, practiced, sale};
use aftersale::case::AfterSale;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::{Evidence, Offer, Ruling};
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ground::Ground;
use aftersale::case::ledger::Location;
use aftersale::case::line::{LineQuantity, SplitOff};
use aftersale::case::resolution::Resolution;
use aftersale::case::timer::ExpiryOutcome;
use aftersale::id::ParcelId;
use aftersale::preset::markets::{B2B, JD, TAOBAO, WECHAT_SHOP};
use aftersale::rules::Rules;
use aftersale::sale::Sale;
use aftersale::time::{Instant, add_seconds};
use proptest::prelude::*;

fn jacket(rules: Rules) -> Desk {
    Desk::under(rules, sale(&[("1", 1, 1, "59.90")]))
}

fn send_back(desk: &mut Desk) -> Result<(), String> {
    let parcel = ParcelId::new("BACK-1").unwrap();
    let lines = vec![LineQuantity { line: line("1"), quantity: pieces(1) }];
    let command = Command::SendBack { case: case("R-1"), parcel, lines };
    desk.give(Role::Customer, command).map(|_| ()).map_err(|refused| refused.to_string())
}

fn tick(desk: &mut Desk) -> Vec<Event> {
    desk.give(Role::System, Command::Tick).unwrap().events
}

/// CAS-20: an act before the deadline wins; at the deadline the timer has fired.
#[test]
fn a_waybill_exactly_after_seven_times_24_hours_is_late() {
    let (desk, due) = awaiting_waybill(market(WECHAT_SHOP));
    let mut early = desk.clone();
    early.now = add_seconds(due, -1).unwrap();
    send_back(&mut early).unwrap();
    assert_eq!(early.status("R-1"), "in_transit");

    let mut late = desk.clone();
    late.now = due;
    assert!(send_back(&mut late).unwrap_err().contains("expired"));
    assert_eq!(late.order, desk.order); // a refused command changes nothing
    late.now = add_seconds(due, 3600).unwrap();
    let events = tick(&mut late);
    assert_eq!(late.status("R-1"), "expired");
    assert!(events.iter().all(|event| event.at == due && event.actor.role == Role::System));
    assert!(events.iter().all(|event| event.cause.timer.is_some()));
    assert_eq!(late.order.next_wakeup(), None);
    assert_eq!(late.order.quantities().balance(&line("1")).unwrap().at(Location::Customer), 1);
}

#[test]
fn a_request_that_nobody_decides_counts_as_agreed_or_is_refunded() {
    let mut desk = jacket(market(WECHAT_SHOP));
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.now = desk.order.next_wakeup().unwrap();
    tick(&mut desk);
    assert_eq!(desk.status("R-1"), "awaiting_return");
    assert_eq!(desk.order.case(&case("R-1")).unwrap().ground, Some(Ground::Timeout));

    let mut desk = jacket(market(WECHAT_SHOP));
    desk.open_as("R-1", Resolution::RefundOnly, &[("1", 1)]).unwrap();
    desk.now = desk.order.next_wakeup().unwrap();
    tick(&mut desk);
    assert_eq!(desk.status("R-1"), "settling");
}

#[test]
fn goods_not_confirmed_in_time_are_refunded_once_also_when_they_arrive_later() {
    let mut desk = jacket(market(WECHAT_SHOP));
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    send_back(&mut desk).unwrap();
    desk.now = desk.order.next_wakeup().unwrap();
    tick(&mut desk);
    let refunded = |desk: &Desk| {
        let planned = |event: &&Event| matches!(event.fact, EventFact::RefundPlanned { .. });
        desk.events.iter().filter(planned).count()
    };
    assert_eq!(refunded(&desk), 1);
    assert_eq!(desk.order.quantities().balance(&line("1")).unwrap().at(Location::Ahead), 1);
    desk.receive("R-1", &[("1", 1)]).unwrap();
    assert_eq!(desk.order.quantities().balance(&line("1")).unwrap().at(Location::Recovered), 1);
    assert!(desk.refund("R-1").is_err());
    assert_eq!(refunded(&desk), 1);
}

#[test]
fn a_trusted_buyer_of_unshipped_goods_is_refunded_at_once() {
    let mut draft = sale(&[("1", 1, 0, "59.90")]).draft().clone();
    draft.shipments.clear();
    draft.buyer_tier = Some("trusted".to_owned());
    let trusted = Sale::freeze(draft.clone()).unwrap();
    draft.buyer_tier = None;
    let unknown = Sale::freeze(draft).unwrap();
    let mut desk = Desk::under(market(TAOBAO), trusted);
    desk.open_as("R-1", Resolution::RefundOnly, &[("1", 1)]).unwrap();
    assert_eq!(desk.status("R-1"), "settling");
    let mut desk = Desk::under(market(TAOBAO), unknown);
    let opened = desk.now;
    desk.open_as("R-1", Resolution::RefundOnly, &[("1", 1)]).unwrap();
    assert_eq!(desk.status("R-1"), "submitted");
    assert_eq!(desk.order.next_wakeup(), add_seconds(opened, 24 * 3600).ok());
}

/// CAS-21: a pause announced after the clock started moves the deadline by the overlap.
#[test]
fn the_spring_festival_of_2019_announced_after_the_clock_started() {
    let mut desk = jacket(market(JD));
    desk.now = at("2019-01-27T01:00:00Z");
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.now = at("2019-01-27T02:00:00Z");
    let ground = Ground::Goodwill { note: "test".to_owned() };
    desk.give(Role::Agent, Command::Authorize { case: case("R-1"), ground }).unwrap();
    assert_eq!(desk.order.next_wakeup(), Some(at("2019-02-03T02:00:00Z")));
    desk.now = at("2019-02-03T02:00:00Z"); // woken at the old deadline
    let events = tick(&mut desk);
    let moved = EventFact::DeadlineRevised {
        case: case("R-1"),
        timer: "buyer_waybill".parse().unwrap(),
        before: at("2019-02-03T02:00:00Z"),
        due: at("2019-02-12T02:00:00Z"),
    };
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].at, &events[0].fact), (at("2019-01-28T00:00:00Z"), &moved));
    desk.now = at("2019-02-12T01:59:59Z");
    send_back(&mut desk).unwrap();
}

#[test]
fn a_claim_between_businesses_escalates_after_five_working_days() {
    let mut desk = jacket(market(B2B));
    desk.now = at("2026-03-12T03:00:00Z"); // Thursday
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.now = at("2026-03-19T16:00:00Z");
    tick(&mut desk);
    assert_eq!(desk.status("R-1"), "disputed");
}

#[test]
fn time_on_hold_does_not_count() {
    let mut desk = jacket(market(WECHAT_SHOP));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let due = desk.order.next_wakeup().unwrap();
    desk.give(Role::Agent, Command::Hold { case: case("R-1"), note: "stocktake".into() }).unwrap();
    assert_eq!(desk.order.next_wakeup(), None);
    let held = desk.order.case(&case("R-1")).unwrap().held_since.unwrap();
    desk.now = add_seconds(held, 90 * 3600).unwrap(); // longer than the timer runs
    desk.give(Role::Agent, Command::Release { case: case("R-1") }).unwrap();
    assert_eq!(desk.status("R-1"), "submitted");
    assert_eq!(desk.order.next_wakeup(), add_seconds(due, 90 * 3600).ok());
}

/// CAS-22: a practice limits how often a line is asked for; earlier requests stay on record [41].
#[test]
fn a_sixth_application_is_refused() {
    let mut desk = jacket(market(WECHAT_SHOP));
    for number in 1..=5 {
        let id = format!("R-{number}");
        desk.open(&id, &[("1", 1)]).unwrap();
        desk.give(Role::Customer, Command::Withdraw { case: case(&id) }).unwrap();
    }
    let refused = desk.open("R-6", &[("1", 1)]).unwrap_err().to_string();
    assert!(refused.contains("asked for 5 times already, at most 5"), "{refused}");
    assert_eq!(desk.order.cases().len(), 5);
}

/// Which request about its line a case is counts requests, not cases: two of the same second are told
/// apart, and a part that was split off belongs to the request it came from.
#[test]
fn a_timer_may_go_by_the_number_of_the_request() {
    let text = r#"{"id":"p","label":{"en":"P","zh":"P"},"timers":[
        {"id":"first","stage":"awaiting_decision","length":{"natural":{"seconds":3600}},
         "when":{"test":{"fact":"application","is":{"type":"count","value":1}}},"on_expiry":"report"},
        {"id":"second","stage":"awaiting_decision","length":{"natural":{"seconds":3600}},
         "when":{"test":{"fact":"application","is":{"type":"count","value":2}}},"on_expiry":"report"},
        {"id":"return","stage":"awaiting_return","length":{"natural":{"seconds":3600}},
         "when":{"test":{"fact":"application","is":{"type":"count","value":1}}},"on_expiry":"report"}]}"#;
    let rules = practiced(serde_json::from_str(text).unwrap());
    let mut desk = Desk::under(rules, sale(&[("1", 4, 4, "59.90")]));
    let timers = |desk: &Desk, id: &str| -> Vec<String> {
        let own = &desk.order.case(&case(id)).unwrap().timers;
        own.iter().map(|timer| timer.rule.to_string()).collect()
    };
    let opened = desk.now;
    desk.open("R-1", &[("1", 2)]).unwrap();
    let lines =
        vec![SplitOff { line: line("1"), quantity: pieces(1), serials: Default::default() }];
    desk.now = opened;
    desk.give(Role::Agent, Command::Split { case: case("R-1"), into: case("R-1b"), lines })
        .unwrap();
    desk.now = opened;
    desk.open("R-2", &[("1", 1)]).unwrap();
    assert_eq!(timers(&desk, "R-2"), ["second"]);
    for part in ["R-1", "R-1b"] {
        assert_eq!(timers(&desk, part), ["first"], "{part}");
        desk.authorize(part).unwrap();
        assert_eq!(timers(&desk, part), ["return"], "{part}");
    }
}

/// CAS-23: money goes back before goods only for those to whom the practice grants it [33].
#[test]
fn an_instant_refund_needs_a_grant() {
    let mut draft = sale(&[("1", 1, 1, "59.90")]).draft().clone();
    draft.buyer_tier = Some("star_3".to_owned());
    let mut desk = Desk::under(market(JD), Sale::freeze(draft).unwrap());
    let refused = desk.open_as("R-1", Resolution::InstantRefund, &[("1", 1)]).unwrap_err();
    assert!(refused.to_string().contains("before the goods")); // pounds are not yuan
    let granting = r#"{"id":"p","label":{"en":"P","zh":"P"},"currency":"GBP","instant_refund":
        {"test":{"fact":"amount","at_most":{"type":"amount","value":{"amount":"59.90","currency":"GBP"}}}}}"#;
    desk.change_rules(practiced(serde_json::from_str(granting).unwrap()));
    desk.open_as("R-1", Resolution::InstantRefund, &[("1", 1)]).unwrap();
}

#[test]
fn a_practice_may_refuse_reopening() {
    let text = r#"{"id":"p","label":{"en":"P","zh":"P"},"reopening":"refused"}"#;
    let mut desk = jacket(practiced(serde_json::from_str(text).unwrap()));
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    desk.close("R-1").unwrap();
    let reopen = Command::Reopen { case: case("R-1"), note: "please".into() };
    let refused = desk.give(Role::Supervisor, reopen).unwrap_err().to_string();
    assert!(refused.contains("open a new one"), "{refused}");
}

#[test]
fn an_expiry_that_is_not_possible_is_recorded_and_left_to_people() {
    let text = r#"{"id":"p","label":{"en":"P","zh":"P"},"timers":[
        {"id":"t","stage":"awaiting_receipt","length":{"natural":{"seconds":3600}},"on_expiry":"close"}]}"#;
    let mut desk = jacket(practiced(serde_json::from_str(text).unwrap()));
    desk.open("R-1", &[("1", 1)]).unwrap();
    desk.authorize("R-1").unwrap();
    send_back(&mut desk).unwrap();
    desk.now = desk.order.next_wakeup().unwrap();
    let events = tick(&mut desk); // goods in transit: the case cannot end
    let blocked = ExpiryOutcome::Blocked;
    assert!(
        matches!(&events[0].fact, EventFact::DeadlineBreached { outcome, .. } if *outcome == blocked)
    );
    assert_eq!(desk.status("R-1"), "in_transit");
    assert!(tick(&mut desk).is_empty());
    desk.receive("R-1", &[("1", 1)]).unwrap();
}

/// Short timers in every stage, pauses announced in the middle, every action.
fn busy() -> &'static Rules {
    static RULES: std::sync::OnceLock<Rules> = std::sync::OnceLock::new();
    RULES.get_or_init(|| {
        let timer = |id: &str, stage: &str, hours: i64, action: &str| {
            format!(
                r#"{{"id":"{id}","stage":"{stage}","length":{{"natural":{{"seconds":{}}}}},"on_expiry":"{action}"}}"#,
                hours * 3600
            )
        };
        let timers = [
            timer("decide", "awaiting_decision", 6, "agree"),
            timer("promise", "awaiting_decision", 2, "report"),
            timer("evidence", "awaiting_evidence", 5, "close"),
            timer("offer", "awaiting_offer_answer", 4, "agree"),
            timer("appeal", "awaiting_appeal", 7, "close"),
            timer("return", "awaiting_return", 9, "close"),
            timer("receipt", "awaiting_receipt", 5, "refund"),
            timer("inspection", "awaiting_inspection", 3, "refund"),
            timer("settle", "awaiting_settlement", 0, "refund"),
            timer("ruling", "awaiting_ruling", 8, "close"),
            timer("closing", "awaiting_closing", 4, "close"),
        ];
        let pause = |id: &str, announced: &str, start: &str, end: &str, timers: &str| {
            format!(
                r#"{{"id":"{id}","label":{{"en":"x","zh":"x"}},"announced_at":"2026-03-{announced}:00:00Z",
                    "time":{{"start":"2026-03-{start}:00:00Z","end":"2026-03-{end}:00:00Z"}},"timers":[{timers}]}}"#
            )
        };
        let pauses = [
            pause("a", "10T15", "10T18", "11T04", ""),
            pause("b", "10T13", "10T14", "10T20", r#""decide","return""#),
            pause("c", "11T08", "11T06", "11T12", r#""return","receipt","inspection""#),
        ];
        let text = format!(
            r#"{{"id":"busy","label":{{"en":"Busy","zh":"忙"}},"timers":[{}],"pauses":[{}]}}"#,
            timers.join(","),
            pauses.join(",")
        );
        practiced(serde_json::from_str(&text).unwrap())
    })
}

/// The `number`-th of some acts on a case.
fn act(number: u8, id: &str) -> (Role, Command) {
    let case = case(id);
    let note = String::from("note");
    let lines = vec![LineQuantity { line: line("1"), quantity: pieces(1) }];
    match number {
        0 => (Role::Agent, Command::Authorize { case, ground: Ground::Policy }),
        1 => (Role::Agent, Command::Decline { case, note }),
        2 => (Role::Agent, Command::RequestInfo { case, note }),
        3 => {
            let evidence = Evidence { kind: "photo".into(), reference: "p-1".into() };
            (Role::Customer, Command::AddEvidence { case, evidence })
        }
        4 => {
            let offer = Offer { resolution: Resolution::RefundOnly, amount: None, note };
            (Role::Agent, Command::Offer { case, offer })
        }
        5 => (Role::Customer, Command::RefuseOffer { case }),
        6 => {
            let parcel = ParcelId::new(format!("BACK-{id}")).unwrap();
            (Role::Customer, Command::SendBack { case, parcel, lines })
        }
        7 => (Role::Agent, Command::Hold { case, note }),
        8 => (Role::Agent, Command::Release { case }),
        9 => (Role::Customer, Command::OpenDispute { case, note }),
        10 => {
            let (ruling, appeal_until) = (Ruling::ForCustomer, None);
            (Role::Platform, Command::RuleDispute { case, ruling, appeal_until, note })
        }
        11 => (Role::Customer, Command::Withdraw { case }),
        12 => (Role::Supervisor, Command::Reopen { case, note }),
        _ => (Role::Agent, Command::Close { case }),
    }
}

#[derive(Clone, Debug)]
struct Step {
    minutes: i64,
    number: u8,
    second: bool,
    ticks: Vec<i64>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Whole hours, so that acts, deadlines and announcements often meet at one instant.
    let step = (0..6_i64, 0..14_u8, any::<bool>(), proptest::collection::vec(0..360_i64, 0..3));
    let step = step.prop_map(|(hours, number, second, ticks)| Step {
        minutes: hours * 60,
        number,
        second,
        ticks,
    });
    proptest::collection::vec(step, 1..14)
}

/// Whether the host looks only when it has a command, or often in between.
#[derive(Clone, Copy, PartialEq)]
enum Looks {
    Seldom,
    Often,
}

fn run(steps: &[Step], looks: Looks) -> Desk {
    let mut desk = Desk::new(sale(&[("1", 2, 2, "59.90")]));
    desk.rules = busy();
    let mut now = desk.now;
    let lines = [("1", 1)];
    desk.open("R-1", &lines).unwrap();
    desk.now = now;
    desk.open_as("R-2", Resolution::RefundOnly, &lines).unwrap();
    for step in steps {
        let until = add_seconds(now, step.minutes * 60).unwrap();
        if looks == Looks::Often {
            let mut between: Vec<Instant> = step
                .ticks
                .iter()
                .map(|minutes| add_seconds(now, minutes * 60).unwrap())
                .filter(|at| *at <= until)
                .collect();
            between.sort_unstable();
            for at in between {
                desk.now = at;
                let envelope = desk.envelope(Role::System, Command::Tick);
                desk.send(&envelope).unwrap();
            }
        }
        now = until;
        desk.now = now;
        let (role, command) = act(step.number, if step.second { "R-2" } else { "R-1" });
        let mut envelope = desk.envelope(role, command);
        envelope.id = format!("act-{}-{}", now.timestamp(), step.number).parse().unwrap();
        let _ = desk.send(&envelope);
    }
    desk.now = add_seconds(now, 40 * 3600).unwrap();
    tick(&mut desk);
    desk
}

/// Follows the deadlines through the events.
fn check(events: &[Event], order: &AfterSale) {
    let practice = busy().practice().unwrap();
    let mut running: BTreeMap<(String, String), Instant> = BTreeMap::new();
    let mut fired: Vec<String> = Vec::new();
    let mut before = None;
    for event in events {
        assert!(before <= Some(event.at), "time goes backwards");
        before = Some(event.at);
        match &event.fact {
            EventFact::DeadlineSet { case, timer, due, .. } => {
                running.insert((case.to_string(), timer.to_string()), *due);
            }
            EventFact::DeadlineRevised { case, timer, before, due } => {
                let known = running.insert((case.to_string(), timer.to_string()), *due);
                assert_eq!(known, Some(*before));
                assert!(due > before, "a deadline moved earlier");
            }
            EventFact::DeadlineBreached { case, timer, .. } => {
                let due = running.remove(&(case.to_string(), timer.to_string()));
                assert_eq!(due, Some(event.at), "not at its own due instant");
                assert!(!fired.contains(&event.cause.command.to_string()), "fired twice");
                fired.push(event.cause.command.to_string());
                let inside = practice.draft().pauses.iter().any(|pause| {
                    pause.announced_at <= event.at
                        && pause.stops(timer)
                        && pause.time.contains(event.at)
                });
                assert!(!inside, "an expiry inside a pause");
            }
            _ => {}
        }
    }
    assert!(order.next_wakeup().is_none_or(|due| Some(due) > order.last_at()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]
    /// CAS-24: it does not matter when and how often the host looks: the events are the same [47].
    /// CAS-25: a timer fires at most once, at its due instant, never in a pause, never moved earlier [46, 47].
    /// CAS-26: a history with timers replays, through its wire form, to the same order [43].
    #[test]
    fn looking_more_often_changes_nothing(steps in steps()) {
        let (seldom, often) = (run(&steps, Looks::Seldom), run(&steps, Looks::Often));
        prop_assert_eq!(&seldom.events, &often.events);
        check(&seldom.events, &seldom.order);
        let text = serde_json::to_string(&seldom.events).unwrap();
        let stored: Vec<Event> = serde_json::from_str(&text).unwrap();
        let replayed = AfterSale::replay(seldom.sale.clone(), &stored).unwrap();
        prop_assert_eq!(&replayed, &seldom.order);
        prop_assert_eq!(&replayed, &often.order);
    }
}

#[test]
fn without_a_practice_there_are_no_timers() {
    let mut desk = jacket(crate::support::rules().clone());
    desk.whole_return("R-1", &[("1", 1)]).unwrap();
    assert_eq!(desk.order.next_wakeup(), None);
    let timed = |event: &Event| matches!(event.fact, EventFact::DeadlineSet { .. });
    assert!(!desk.events.iter().any(timed));
    assert!(tick(&mut desk).is_empty());
}
