//! Reading EPCIS documents: spellings of keys, shapes of documents, and hostile ones.

use std::fs;

use crate::epcis_documents::{folder, import, text};
use crate::lineage_model::Dice;
use aftersale::interchange::epcis::key::{Key, KeyKind};
use aftersale::interchange::epcis::{Action, Fault, Import};
use aftersale::lineage::Lineage;
use aftersale::lineage::event::Units;
use serde_json::{Value, json};

/// LIN-20: a URN and a Digital Link of the same thing have the same key.
#[test]
fn both_spellings_have_one_key() {
    let all = import("epcisDocWithAllGS1Keys");
    let keys: Vec<String> =
        all.events[0].objects.iter().map(|thing| thing.key.to_string()).collect();
    assert_eq!(keys[1], keys[2], "the pallet, once as URN and once as link");
    for (urn, link, canonical, kind) in [
        (
            "urn:epc:id:sgtin:4012345.012345.12",
            "https://id.gs1.org/01/04012345123456/21/12",
            "01/04012345123456/21/12",
            KeyKind::Instance,
        ),
        (
            "urn:epc:class:lgtin:4012345.012345.998877",
            "http://shop.example/a/01/4012345123456/10/998877?17=261231#top",
            "01/04012345123456/10/998877",
            KeyKind::Lot,
        ),
        (
            "urn:epc:idpat:sgtin:4012345.012345.*",
            "https://id.gs1.org/01/4012345123456",
            "01/04012345123456",
            KeyKind::Class,
        ),
        (
            "urn:epc:id:grai:4012345.55555.987",
            "https://id.gs1.org/8003/04012345555554987",
            "8003/04012345555554987",
            KeyKind::Asset,
        ),
        (
            "urn:epc:id:giai:4000001.12345",
            "https://id.gs1.org/8004/400000112345",
            "8004/400000112345",
            KeyKind::Asset,
        ),
        (
            "urn:epc:id:sgln:4012345.00002.0",
            "https://id.gs1.org/414/4012345000023",
            "414/4012345000023",
            KeyKind::Location,
        ),
        (
            "urn:epc:id:sgln:4012345.00002.0",
            "https://id.gs1.org/414/4012345000023/254/0",
            "414/4012345000023",
            KeyKind::Location,
        ),
        (
            "urn:epc:id:sgln:4012345.00011.987",
            "https://id.gs1.org/414/4012345000115/254/987",
            "414/4012345000115/254/987",
            KeyKind::Location,
        ),
    ] {
        assert_eq!(Key::parse(urn).as_str(), canonical);
        assert_eq!(Key::parse(urn), Key::parse(link), "{urn} and {link}");
        assert_eq!(Key::parse(urn).kind(), kind);
    }
    for odd in
        ["urn:epc:id:sgtin:1.2", "urn:epc:id:gdti:4012345.55555.98", "https://x.example/01/12"]
    {
        assert_eq!(Key::parse(odd).kind(), KeyKind::Other);
        assert_eq!(Key::parse(odd).as_str(), odd);
    }
}

/// LIN-21: an event that cannot be read costs only itself, and is named by its place.
#[test]
fn one_bad_event_costs_only_itself() {
    let names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".json"))
        .collect();
    assert_eq!(names.len(), 15);
    let mut dice = Dice(99);
    for name in names {
        let document: Value = serde_json::from_str(&text(&name)).unwrap();
        let good: Import = serde_json::from_value(document.clone()).unwrap();
        for _ in 0..60 {
            let mut broken = document.clone();
            let body = &mut broken["epcisBody"];
            let list = if body.get("eventList").is_some() {
                &mut body["eventList"]
            } else {
                &mut body["queryResults"]["resultsBody"]["eventList"]
            };
            let list = list.as_array_mut().unwrap();
            let place = dice.roll(list.len() as u64) as usize;
            let junk = [
                json!(null),
                json!(7),
                json!("x"),
                json!([]),
                json!([[1]]),
                json!({}),
                json!({"id": 3}),
                json!(-1.5e300),
                json!("\u{0}"),
                json!(true),
            ];
            let junk = dice.pick(&junk).clone();
            let fields: Vec<String> = list[place].as_object().unwrap().keys().cloned().collect();
            let field = dice.pick(&fields).clone();
            if dice.roll(5) == 0 {
                list[place] = junk;
            } else if dice.roll(4) == 0 {
                list[place].as_object_mut().unwrap().remove(&field);
            } else {
                list[place][&field] = junk;
            }
            let import: Import = serde_json::from_value(broken).unwrap();
            assert!(import.faults.iter().all(|fault| fault.index() == Some(place)));
            let others = |import: &Import| -> Vec<_> {
                import.events.iter().filter(|event| event.index != place).cloned().collect()
            };
            assert_eq!(others(&import), others(&good), "{name}");
            let is_kept = import.events.iter().any(|event| event.index == place);
            assert!(is_kept || !import.faults.is_empty(), "{name}: an event went missing quietly");
            let (entries, _) = import.entries("doc");
            Lineage::load(Units::default(), entries).unwrap();
            let (moved, _) = import.movements("doc");
            Lineage::load(Units::default(), moved).unwrap();
            let _ =
                (import.packings("doc"), import.document_links().count(), import.final_contents());
        }
    }
}

#[test]
fn faults_name_what_is_wrong() {
    let read = |event: Value| {
        let import: Import = serde_json::from_value(json!([event])).unwrap();
        (import.events.len(), import.faults)
    };
    let time = "2026-01-01T00:00:00Z";
    let cases = [
        (json!("x"), Fault::NotAnObject { index: 0 }),
        (json!({}), Fault::UnknownType { index: 0, found: String::new() }),
        (json!({"type": "Cat"}), Fault::UnknownType { index: 0, found: "Cat".into() }),
        (
            json!({"type": "ObjectEvent", "action": "ADD"}),
            Fault::Missing { index: 0, field: "eventTime" },
        ),
        (
            json!({"type": "ObjectEvent", "eventTime": time}),
            Fault::Missing { index: 0, field: "action" },
        ),
        (
            json!({"type": "AggregationEvent", "eventTime": time, "action": "ADD"}),
            Fault::Missing { index: 0, field: "parentID" },
        ),
        (
            json!({"type": "ObjectEvent", "eventTime": time, "action": "EAT"}),
            Fault::Invalid {
                index: 0,
                found: "EAT".into(),
                expected: "action (ADD, OBSERVE or DELETE)",
            },
        ),
    ];
    for (event, fault) in cases {
        assert_eq!(read(event), (0, vec![fault]));
    }
    // A sighting needs no container, and an unreadable quantity costs only itself.
    let seen = json!({"isA": "AggregationEvent", "eventTime": time, "action": "OBSERVE"});
    assert_eq!(read(seen), (1, vec![]));
    let odd = json!({"type": "ObjectEvent", "eventTime": time, "action": "ADD",
        "quantityList": {"epcClass": "urn:x:1", "quantity": "many"}});
    assert_eq!(read(odd), (1, vec![Fault::QuantityDropped { index: 0, found: "many".into() }]));
}

#[test]
fn a_document_that_nests_without_end_is_refused() {
    for depth in [63, 64, 65, 200, 100_000] {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(serde_json::from_str::<Import>(&text).is_ok(), depth <= 64, "{depth}");
    }
    assert_eq!(serde_json::from_str::<Import>("{}").unwrap().faults, [Fault::NoEvents]);
    assert!(serde_json::from_str::<Import>("{\"a\":").is_err());
}

#[test]
fn a_bare_event_a_list_and_a_document_give_the_same() {
    let event = json!({"type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00+01:00",
        "action": "DELETE", "epcList": "urn:epc:id:sgtin:4012345.012345.12",
        "bizStep": "https://ref.gs1.org/cbv/BizStep-destroying"});
    let bare: Import = serde_json::from_value(event.clone()).unwrap();
    assert_eq!(bare.events[0].action, Some(Action::Delete));
    assert_eq!(bare.events[0].step.as_deref(), Some("destroying"));
    let shapes = [
        json!([event]),
        json!({"type": "EPCISDocument", "epcisBody": {"eventList": [event]}}),
        json!({"type": "EPCISDocument", "epcisBody": {"eventList": event}}),
        json!({"type": "EPCISDocument", "epcisBody": {"event": event}}),
        json!({"epcisBody": {"queryResults": {"resultsBody": {"eventList": [event]}}}}),
    ];
    for shape in shapes {
        assert_eq!(serde_json::from_value::<Import>(shape).unwrap(), bare);
    }
}
