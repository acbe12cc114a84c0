//! Orders with all their returns as logs for process mining.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::xml::read;
use crate::reviews::{Reviewed, person, reviewed_rules};
use crate::support::{Desk, case, line, pieces, sale, units};
use aftersale::approval::change::Change;
use aftersale::approval::command::Order;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::event::Event;
use aftersale::case::line::SplitOff;
use aftersale::case::review::journal;
use aftersale::id::OrderId;
use aftersale::interchange::ocel::{Ocel, ocel, projected, returns};
use aftersale::interchange::pnml::walk;
use aftersale::interchange::xes;
use aftersale::time::add_seconds;
use aftersale::workflow::verify::verify;
use proptest::prelude::*;

fn order(id: &str) -> OrderId {
    OrderId::new(id).unwrap()
}

/// A return that people decide, with a vote passed on, and a case that was split and came back in a parcel.
fn histories() -> [(OrderId, Vec<Event>); 2] {
    let mut w = Reviewed::new(sale(&[("1", 2, 2, "60.00")]), reviewed_rules());
    w.open(&[("1", 2)]).unwrap();
    w.act("ann", Order::Transfer { to: person("cy") }).unwrap();
    w.approve("cy").unwrap();
    w.desk.now = add_seconds(w.desk.now, 9 * 3_600).unwrap();
    w.as_role(Role::System, Command::Tick).unwrap(); // finance was silent: the board is asked
    w.desk.now = add_seconds(w.desk.now, 60).unwrap();
    let mut desk = Desk::new(sale(&[("1", 3, 3, "60.00"), ("2", 1, 1, "5.00")]));
    desk.open("R-1", &[("1", 2), ("2", 1)]).unwrap();
    let (serials, quantity) = (Default::default(), pieces(1));
    let lines = vec![SplitOff { line: line("1"), quantity, serials }];
    let split = Command::Split { case: case("R-1"), into: case("R-2"), lines };
    desk.give(Role::Agent, split).unwrap();
    desk.authorize("R-1").unwrap();
    let (parcel, lines) = ("BACK-1".parse().unwrap(), units(&[("1", 1), ("2", 1)]));
    desk.give(Role::Customer, Command::SendBack { case: case("R-1"), parcel, lines }).unwrap();
    let mut amended = desk.sale.draft().clone();
    amended.version = 2;
    desk.give(Role::System, Command::AmendSale { sale: Box::new(amended) }).unwrap();
    [(order("SO-1"), w.desk.events), (order("SO-2"), desk.events)]
}

fn borrowed(all: &[(OrderId, Vec<Event>)]) -> Vec<(&OrderId, &[Event])> {
    all.iter().map(|(order, events)| (order, events.as_slice())).collect()
}

/// The name of what happened, as it is on the wire.
fn wire(event: &Event) -> String {
    let value = serde_json::to_value(event).unwrap();
    match event.fact.review_step() {
        Some(step) => {
            let change = serde_json::to_value(&step.change).unwrap();
            format!("review_{}", change["type"].as_str().unwrap())
        }
        None => value["fact"]["type"].as_str().unwrap().to_owned(),
    }
}

/// What readers insist on: unique ids, declared types, known objects, and no object that nothing is about.
fn is_sound(log: &Ocel) {
    let text = serde_json::to_string(log).unwrap();
    assert_eq!(&serde_json::from_str::<Ocel>(&text).unwrap(), log);
    let ids: BTreeSet<_> = log.events.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), log.events.len());
    let objects: BTreeMap<_, _> = log.objects.iter().map(|o| (&o.id, &o.kind)).collect();
    assert_eq!(objects.len(), log.objects.len());
    let declared: BTreeSet<_> = log.object_types.iter().map(|kind| &kind.name).collect();
    assert!(objects.values().all(|kind| declared.contains(kind)));
    let types: BTreeMap<_, _> = log.event_types.iter().map(|t| (&t.name, &t.attributes)).collect();
    let mut met = BTreeSet::new();
    for event in &log.events {
        let names: Vec<_> = types[&event.kind].iter().map(|attribute| &attribute.name).collect();
        assert_eq!(names, event.attributes.iter().map(|own| &own.name).collect::<Vec<_>>());
        let relations: BTreeSet<_> = event.relationships.iter().collect();
        assert_eq!(relations.len(), event.relationships.len(), "one relation twice");
        met.extend(event.relationships.iter().map(|relation| &relation.object_id));
    }
    assert_eq!(met, objects.keys().copied().collect());
    assert!(log.events.is_sorted_by_key(|event| event.time));
}

/// CAS-95: a log of orders projects back to the case, the activity and the time of every event, with the
/// steps of reviews among them.
#[test]
fn a_log_of_orders_projects_back_to_the_events() {
    let all = histories();
    let log = returns(borrowed(&all));
    is_sound(&log);
    let mut told: Vec<(String, String, _)> = Vec::new();
    for (order, events) in &all {
        for event in events.iter().filter(|event| event.fact.case().is_some()) {
            let case = event.fact.case().unwrap();
            told.push((format!("{order}/{case}"), wire(event), event.at));
        }
    }
    told.sort_by_key(|(.., at)| *at);
    let mut found = projected(&log);
    found.sort();
    let mut wanted = told.clone();
    wanted.sort();
    assert_eq!(found, wanted);
    let count: usize = all.iter().map(|(_, events)| events.len()).sum();
    assert_eq!(log.events.len(), count, "what happens to an order stands there too");
    let relations = |kind: &str| {
        let event = log.events.iter().find(|event| event.kind == kind).unwrap();
        let named = event.relationships.iter();
        let named: Vec<String> =
            named.map(|own| format!("{} {}", own.qualifier, own.object_id)).collect();
        named
    };
    let sent = relations("goods_sent_back");
    let expected = [
        "order order:SO-2",
        "case return_case:SO-2/R-1",
        "line order_line:SO-2/1",
        "line order_line:SO-2/2",
        "parcel parcel:BACK-1",
        "actor person:customer-1",
    ];
    assert_eq!(sent, expected);
    assert!(relations("case_split").contains(&"part return_case:SO-2/R-2".to_owned()));
    let passed = relations("review_transferred");
    assert!(passed.contains(&"actor person:ann".to_owned()), "{passed:?}");
    assert!(passed.contains(&"holder person:cy".to_owned()), "{passed:?}");
    let handed = relations("review_handed_over");
    assert!(handed.iter().all(|own| !own.starts_with("actor")), "time acted: {handed:?}");
}

/// CAS-96: the steps of a review read as a journal: they fit the net of its definition, and are exported
/// like an approval of its own.
#[test]
fn the_steps_of_a_review_read_as_a_journal() {
    let [(_, events), _] = histories();
    let entries = journal(&events, &case("R-1"));
    let steps = events.iter().filter(|event| event.fact.review_step().is_some());
    assert_eq!(entries.len(), steps.count());
    assert!((1_u64..).zip(&entries).all(|(seq, entry)| entry.seq == seq));
    assert!(matches!(entries[0].body, Change::Submitted { .. }));
    assert_eq!(journal(&events, &case("R-2")), []);
    let workflow = verify(&crate::reviews::reviews().procedures[0]).unwrap().workflow;
    let net = walk(&workflow, &entries).unwrap();
    assert!(!net.is_empty());
    let id = case("R-1");
    let log = ocel([(&id, entries.as_slice())]);
    assert_eq!(log.events.len(), entries.len());
    assert!(xes::moves(&workflow, [(&id, entries.as_slice())]).is_ok());
    let voted = entries.iter().find(|entry| matches!(entry.body, Change::Voted { .. })).unwrap();
    assert_eq!(voted.command.as_ref().unwrap().id.as_str(), "r-3");
    let by_time = entries.iter().find(|entry| matches!(entry.body, Change::HandedOver { .. }));
    assert_eq!(by_time.unwrap().command, None);
}

#[test]
fn an_xes_log_of_orders_has_one_trace_per_case() {
    let all = histories();
    let log = read(&xes::returns(borrowed(&all)));
    let traces: Vec<(String, usize)> = log
        .all("trace")
        .iter()
        .map(|trace| (trace.keyed("concept:name").unwrap().to_owned(), trace.all("event").len()))
        .collect();
    let count = |(order, events): &(OrderId, Vec<Event>), id: &str| {
        let own = events.iter().filter(|event| event.fact.case() == Some(&case(id))).count();
        (format!("{order}/{id}"), own)
    };
    // The part of a split has nothing of its own yet.
    assert_eq!(traces, [count(&all[0], "R-1"), count(&all[1], "R-1")]);
    let review = log.all("trace")[0].all("event");
    let named: Vec<(String, String, String)> = review
        .iter()
        .map(|event| {
            let get = |key: &str| event.keyed(key).unwrap().to_owned();
            (get("concept:name"), get("lifecycle:transition"), get("org:resource"))
        })
        .collect();
    let has = |name: &str, step: &str, who: &str| {
        named.contains(&(name.to_owned(), step.to_owned(), who.to_owned()))
    };
    assert!(has("case_opened", "complete", "customer-1"), "{named:?}");
    assert!(has("review_submitted", "complete", "customer-1"), "{named:?}");
    assert!(has("service", "assign", "ann"), "{named:?}");
    assert!(has("service", "reassign", "cy"), "{named:?}");
    assert!(has("service", "complete", "cy"), "{named:?}");
    assert!(has("finance", "reassign", "gil"), "{named:?}");
}

/// Every kind of fact there is, by the golden file of events.
#[test]
fn a_fact_is_named_as_on_the_wire() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/case/events.json");
    let samples: BTreeMap<String, Event> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (name, event) in &samples {
        assert_eq!(event.fact.name(), name);
        let json = serde_json::to_value(event).unwrap();
        let parcel = json["fact"]["parcel"].as_str();
        assert_eq!(event.fact.parcel().map(aftersale::id::ParcelId::as_str), parcel, "{name}");
        let line = json["fact"]["line"].as_str();
        let lines = event.fact.lines();
        assert!(line.is_none_or(|line| lines.iter().any(|own| own.as_str() == line)), "{name}");
        let unit = json["fact"]["units"]["line"].as_str();
        assert!(unit.is_none_or(|unit| lines.iter().any(|own| own.as_str() == unit)), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_walk_through_a_review_is_exported_whole(
        choices in prop::collection::vec((0..5_usize, any::<u16>(), 0..9_i64), 1..14),
    ) {
        const PEOPLE: [&str; 5] = ["ann", "bo", "eve", "gil", "customer-1"];
        let mut w = Reviewed::new(sale(&[("1", 2, 2, "60.00")]), reviewed_rules());
        w.open(&[("1", 2)]).unwrap();
        for (who, pick, hours) in choices {
            w.desk.now += chrono::TimeDelta::hours(hours);
            let actor = crate::reviews::agent(PEOPLE[who]);
            let context = aftersale::case::Context { now: w.desk.now, rules: w.desk.rules };
            let roster = aftersale::case::review::Roster {
                directory: &w.directory,
                facts: &w.facts,
            };
            let listed = w.desk.order.allowed_among(&context, &roster, &actor);
            let orders: Vec<Command> = listed
                .into_iter()
                .map(|allowed| allowed.command)
                .filter(|command| matches!(command, Command::Review { .. }))
                .collect();
            if !orders.is_empty() {
                w.give(actor, orders[usize::from(pick) % orders.len()].clone()).unwrap();
            }
        }
        let all = [(order("SO-1"), w.desk.events.clone())];
        let log = returns(borrowed(&all));
        is_sound(&log);
        prop_assert_eq!(log.events.len(), w.desk.events.len());
        let trace = read(&xes::returns(borrowed(&all)));
        prop_assert_eq!(trace.only("trace").all("event").len(), w.desk.events.len());
        let workflow = verify(&crate::reviews::reviews().procedures[0]).unwrap().workflow;
        let entries = journal(&w.desk.events, &case("R-1"));
        prop_assert!(walk(&workflow, &entries).is_ok());
    }
}
