//! Links of EPCIS documents, derived by hand from their text.

use std::collections::{BTreeMap, BTreeSet};

use crate::epcis_documents::{folder, found, import, links, product, text};
use aftersale::interchange::epcis::key::Key;
use aftersale::interchange::epcis::{EpcisKind, Fault, Import};
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::TraceBreak;
use aftersale::lineage::containment::Containment;
use aftersale::lineage::event::{DocumentId, Entry, Event, EventKind, Item, PlaceId, Units};
use aftersale::lineage::graph::reach::Direction;
use aftersale::lineage::source::Source;
use serde_json::{Value, json};

/// LIN-19: the links of the example documents are those derived by hand from their text.
#[test]
fn a_repair_links_the_old_part_and_the_new_to_the_phone() {
    let import = import("component-replacement");
    let (phone, old, new) = (
        "01/09506000134352/21/ABC123456",
        "01/09506000134369/21/BAT789012",
        "01/09506000134369/21/BAT-NEW-456",
    );
    assert_eq!(found(&import), links(&[(phone, new), (old, phone), (old, new)]));
    assert_eq!(import.self_links().iter().map(Key::as_str).collect::<Vec<_>>(), [phone]);
}

/// LIN-19: five inputs and four outputs of one event make twenty links.
#[test]
fn lists_of_epcs_and_quantities_are_united() {
    let import = import("Combination_of_different_event");
    let inputs = [
        "01/04012345111224/21/25",
        "01/04000001654321/21/99886655",
        "01/04012345111118/10/4444",
        "01/00614141777778/10/987",
        "01/04012345666663",
    ];
    let outputs = ["25", "26", "27", "28"].map(|serial| format!("01/04012345778892/21/{serial}"));
    assert_eq!(found(&import), product(&inputs, &outputs.each_ref().map(String::as_str)));
    assert_eq!(import.inactive(), BTreeSet::from([4]), "the association declared wrong");
    let kinds: Vec<EpcisKind> = import.events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EpcisKind::Object,
            EpcisKind::Aggregation,
            EpcisKind::Transaction,
            EpcisKind::Transformation,
            EpcisKind::Association,
            EpcisKind::Association,
        ]
    );
    let (_, faults) = import.packings("doc");
    assert!(faults.is_empty());
}

/// LIN-19: an event in error gives no links; the one that corrects it does.
#[test]
fn an_error_declaration_takes_its_event_out() {
    let import = import("TransformationEvent_with_error_declaration");
    let inputs = ["01/04012345111118/21/987", "01/04012345222227/10/87545GHGH"];
    let outputs = ["01/04012345333336/21/AGHFG", "01/04012345444445"];
    assert_eq!(found(&import), product(&inputs, &outputs));
    assert_eq!(import.inactive(), BTreeSet::from([0]));
    assert_eq!(import.declared_links().count(), 4);
    let (entries, faults) = import.entries("doc");
    assert!(faults.is_empty());
    let void = "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8";
    assert!(entries.iter().any(|entry| matches!(entry, Entry::Void(id) if id.as_str() == void)));
    assert_eq!(entries.len(), 2, "the void and the correction");
}

/// LIN-19: two events of one transformation id are one process; a third without it stands alone.
#[test]
fn events_of_one_transformation_id_are_one_process() {
    let import = import("epcisDocWithVariousEventTypes");
    let shared = ["01/04012345111224/21/25", "01/04000001654321/21/99886655"];
    let serials = ["25", "26", "27", "28"].map(|serial| format!("01/04012345778892/21/{serial}"));
    let serials = serials.each_ref().map(String::as_str);
    let others = ["01/04012345111118/10/4444", "01/00614141777778/10/987", "01/04012345666663"];
    let mut expected = product(&shared, &serials);
    expected.extend(product(&shared, &["01/04054739999025/10/P20131121"]));
    expected.extend(product(&others, &serials));
    assert_eq!(expected.len(), 22);
    assert_eq!(found(&import), expected);

    let contents: BTreeMap<String, usize> = import
        .final_contents()
        .iter()
        .map(|(key, inside)| (key.to_string(), inside.len()))
        .collect();
    let pallets =
        [("00/040470231111111229".to_owned(), 4), ("00/040123441111111333".to_owned(), 2)];
    assert_eq!(contents, BTreeMap::from(pallets));
    let invoice = "urn:epcglobal:cbv:bt:4012345123456:RE1099";
    let tied = import.document_links().filter(|(_, document)| *document == invoice);
    assert_eq!(
        tied.map(|(key, _)| key.to_string()).collect::<Vec<_>>(),
        ["00/040123441111111449", "01/04012345999884/10/2014-02-10"]
    );
}

/// LIN-19: two logs, one table.
#[test]
fn two_logs_make_one_table() {
    let logs = ["01/09521234000020/21/LOG-2025-001", "01/09521234000020/21/LOG-2025-002"];
    let table = ["01/09521234000037/21/TABLE-2025-001"];
    assert_eq!(found(&import("dpp-ready__processing")), product(&logs, &table));
}

/// LIN-19: bottles without lots become flake without a lot, and the trace says that it breaks.
#[test]
fn articles_without_lots_break_the_trace() {
    let import = import("dpp-ready__recovery");
    assert_eq!(found(&import), links(&[("01/09521004005019", "01/09521004005026")]));
    let (entries, _) = import.entries("doc");
    let lineage = Lineage::load(Units::default(), entries).unwrap();
    let bottles = lineage.links().next().unwrap().0.clone();
    let trace = lineage.forward(&[Source::item(bottles.clone())]);
    assert!(trace.breaks.contains(&TraceBreak::NoLot { item: bottles.clone() }));
    assert!(trace.breaks.contains(&TraceBreak::NoSupply { item: bottles }));
}

/// LIN-19: a yarn, a fabric, a laminate, a jacket: lot ids inside EPC lists are lots.
#[test]
fn a_jacket_is_traced_back_to_its_fiber() {
    let import = import("fjordline-aurora-lifecycle");
    let chain = [
        "01/09521234008002/10/RPET-2026-011",
        "01/09521234008019/10/YARN-2026-021",
        "01/09521234008026/10/GREIGE-2026-031",
        "01/09521234008033/10/LAMINATE-2026-041",
        "01/09521234003007/21/AUR-2026-000001",
    ];
    let pairs: Vec<(&str, &str)> = chain.windows(2).map(|pair| (pair[0], pair[1])).collect();
    assert_eq!(found(&import), links(&pairs));
    assert_eq!(import.events[3].attributes["gs1:hasBatchLotNumber"], "LOT-2026-FJ03");
    let (entries, faults) = import.entries("doc");
    assert!(faults.is_empty());
    let lineage = Lineage::load(Units::default(), entries).unwrap();
    let jacket = Item::Serial(chain[4].parse().unwrap());
    let back = lineage.backward(&[Source::item(jacket)]);
    assert_eq!(back.items.len(), 5);
    assert!(back.items.contains(&Item::Lot(chain[0].parse().unwrap())));
    // The commissioning of a jacket that a transformation put out already makes no second one.
    assert_eq!(lineage.graph().events(), 4);
}

/// LIN-19: sixteen cells and a battery management system make a battery, which goes on a pallet.
#[test]
fn a_battery_is_made_packed_and_shipped() {
    let import = import("amperia-staxwall-lifecycle");
    let (cells, asset) = ("01/09521234007005", "8004/95212340BMS26001");
    let battery = "01/09521234002000/21/STAX10-2026-000001";
    assert_eq!(found(&import), links(&[(cells, battery), (asset, battery)]));
    let (packings, faults) = import.packings("doc");
    assert!(faults.is_empty());
    let mut containment = Containment::default();
    for packing in packings {
        assert!(containment.record(packing));
    }
    let pallet = Item::Serial("00/095212340000000174".parse().unwrap());
    let bms = Item::Serial(asset.parse().unwrap());
    let at = |text: &str| text.parse().unwrap();
    assert_eq!(containment.all_contents(&pallet, at("2026-02-01T07:29:59Z")).len(), 0);
    let inside = containment.all_contents(&pallet, at("2026-02-01T07:30:00Z"));
    assert!(inside.contains(&bms), "the module inside the battery on the pallet");
    let stack = Item::Serial(battery.parse().unwrap());
    assert_eq!(containment.containers(&stack, at("2026-03-01T00:00:00Z")), [pallet].into());
}

/// LIN-19: a phone taken apart becomes four materials, whose malformed keys keep their text.
#[test]
fn a_scrapped_phone_becomes_materials() {
    let import = import("weee-disposal");
    let material =
        |name: &str| format!("urn:epc:class:lgtin:6000001.recycled-{name}.batch-2032-03");
    let materials = ["aluminum", "copper", "precious", "plastics"].map(material);
    let expected =
        product(&["01/09506000134352/21/ABC123456"], &materials.each_ref().map(String::as_str));
    assert_eq!(found(&import), expected);
    let (entries, faults) = import.entries("doc");
    assert!(faults.is_empty());
    let Entry::Event(event) = &entries[0] else { panic!("{entries:?}") };
    let gold = &event.parts().outputs[2];
    assert_eq!(gold.quantity.unwrap().to_string(), "0.145 g", "finer than the built-in gram");
}

#[test]
fn documents_without_transformations_make_no_links() {
    for (name, events) in [
        ("AggregationEvent", 1),
        ("TransactionEvent", 2),
        ("QueryDocumentWithMultipleEvents", 2),
        ("PackingEventDocument", 1),
        ("epcisDocWithAllGS1Keys", 1),
        ("epcisDocWithShippingAndTransportingEvent", 2),
    ] {
        let import = import(name);
        assert_eq!(import.events.len(), events, "{name}");
        assert!(found(&import).is_empty(), "{name}");
    }
    assert!(import("AggregationEvent").final_contents().is_empty(), "seen is not packed");
    let packed = import("PackingEventDocument").final_contents();
    let lot = Key::parse("https://id.gs1.org/01/04012345123456/10/6");
    assert!(packed[&Key::parse("https://id.gs1.org/00/340123456502308804")].contains(&lot));
}

#[test]
fn importing_twice_changes_nothing() {
    let import = import("epcisDocWithVariousEventTypes");
    let (entries, _) = import.entries("doc");
    let mut lineage = Lineage::new(Units::default());
    for entry in entries.iter().chain(&entries) {
        lineage.apply(entry).unwrap();
    }
    let once = Lineage::load(Units::default(), entries.clone()).unwrap();
    let from = [Source::item(Item::Serial("01/04012345111224/21/25".parse().unwrap()))];
    assert_eq!(lineage.forward(&from), once.forward(&from));
    let process: BTreeSet<(String, String)> =
        once.links().map(|(a, b)| (a.to_string(), b.to_string())).collect();
    assert_eq!(process.len(), found(&import).len(), "the lineage has the links of the document");
    assert_eq!(once.contacts(&from, Direction::Forward).items.len(), 6);
}

#[test]
fn an_event_declared_wrong_under_its_id_does_not_count_and_a_process_ends_with_its_last_event() {
    let event = |hour: u32, id: &str, fields: Value| {
        let mut event = json!({"type": "TransformationEvent", "eventID": id,
            "eventTime": format!("2026-03-01T{hour:02}:00:00Z")});
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        event
    };
    let wrong = json!({"inputEPCList": ["urn:x:1"], "outputEPCList": ["urn:x:2"]});
    let declared = json!({"inputEPCList": ["urn:x:1"], "outputEPCList": ["urn:x:2"],
        "errorDeclaration": {"declarationTime": "2026-03-02T00:00:00Z"}});
    let first = json!({"inputEPCList": ["urn:x:3"], "transformationID": "T"});
    let last = json!({"outputEPCList": ["urn:x:4"], "transformationID": "T"});
    let list = json!([
        event(1, "W", wrong),
        event(1, "W", declared),
        event(5, "L", last),
        event(2, "F", first)
    ]);
    let import: Import = serde_json::from_value(list).unwrap();
    assert_eq!(import.inactive(), [0, 1].into());
    assert_eq!(found(&import), links(&[("urn:x:3", "urn:x:4")]));
    let (entries, faults) = import.entries("doc");
    assert_eq!(faults, []);
    let made: Vec<_> = entries
        .iter()
        .filter_map(|entry| if let Entry::Event(event) = entry { Some(event) } else { None })
        .collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].id().as_str(), "L");
    assert_eq!(made[0].parts().at.to_rfc3339(), "2026-03-01T05:00:00+00:00");
}

fn read(list: Value) -> Import {
    serde_json::from_value(list).unwrap()
}

/// The entries of a document that must have no faults.
fn events(import: &Import) -> Vec<Event> {
    let (entries, faults) = import.entries("doc");
    assert_eq!(faults, []);
    let event = |entry| if let Entry::Event(event) = entry { Some(event) } else { None };
    entries.into_iter().filter_map(event).collect()
}

/// The read point is where an event took place; the business location is where the things are after
/// it, and stands in only where nobody says where it happened.
#[test]
fn the_place_of_an_event_is_where_it_happened() {
    let place = |event: &Event| event.parts().facts.place.clone().map(|place| place.to_string());
    let repair = events(&import("component-replacement"));
    let station = "414/9521234000020/254/repair-station-3";
    assert_eq!(place(&repair[0]).as_deref(), Some(station), "not the plant of that station");
    let lineage = Lineage::load(Units::default(), repair.into_iter().map(Entry::Event)).unwrap();
    let source = Source::Place { place: PlaceId::new(station).unwrap(), window: None };
    assert!(!lineage.forward(&[source]).items.is_empty());
    for (point, location, expected) in [
        (Some("dock"), Some("plant"), Some("dock")),
        (Some("dock"), None, Some("dock")),
        (None, Some("plant"), Some("plant")),
        (None, None, None),
    ] {
        let mut event = json!({"type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00Z",
            "action": "ADD", "epcList": ["urn:x:1"]});
        for (field, place) in [("readPoint", point), ("bizLocation", location)] {
            if let Some(place) = place {
                event[field] = json!({"id": place});
            }
        }
        event["bizTransactionList"] =
            json!([{"type": "desadv", "bizTransaction": "DN-1"}, {"bizTransaction": "PO-1"}]);
        let received = events(&read(event));
        assert_eq!(place(&received[0]).as_deref(), expected);
        let paper = received[0].parts().facts.document.as_ref().map(DocumentId::as_str);
        assert_eq!(paper, Some("DN-1"), "the first of its papers");
    }
}

/// LIN-41: documents that are joined say what one document with all their events says.
#[test]
fn documents_that_are_joined_are_one_document() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.contains(".json") {
            continue;
        }
        let document: Value = serde_json::from_str(&text(&name)).unwrap();
        let body = &document["epcisBody"];
        let list =
            body.get("eventList").unwrap_or(&body["queryResults"]["resultsBody"]["eventList"]);
        let mut list = list.as_array().unwrap().clone();
        list.insert(1, json!({"type": "Cat"}));
        let whole = read(json!(list));
        for cut in 0..=list.len() {
            let mut joined = read(json!(list[..cut]));
            joined.join(read(json!(list[cut..])));
            assert_eq!(joined, whole, "{name}, cut at {cut}");
        }
    }
}

/// A process whose other side stands in another document is half a process: nothing is called
/// destroyed that was only used, and the fault says what is missing.
#[test]
fn half_a_process_is_told_and_made_whole_by_its_other_document() {
    let event = |hour: u32, id: &str, side: &str, thing: &str| {
        json!([{"type": "TransformationEvent", "transformationID": "T", "eventID": id,
            "eventTime": format!("2026-03-01T{hour:02}:00:00Z"), side: [thing]}])
    };
    let used = read(event(1, "IN", "inputEPCList", "urn:x:milk"));
    let made = read(event(2, "OUT", "outputEPCList", "urn:x:cheese"));
    for (import, kind, missing) in
        [(&used, EventKind::Adjust, "outputs"), (&made, EventKind::Make, "inputs")]
    {
        let (entries, faults) = import.entries("doc");
        let Entry::Event(event) = &entries[0] else { panic!("{entries:?}") };
        assert_eq!(event.kind(), kind);
        assert_eq!(faults, [Fault::HalfProcess { index: 0, missing }]);
        assert!(faults[0].to_string().contains(missing));
    }
    let mut whole = used;
    whole.join(made);
    let one = events(&whole);
    assert_eq!((one.len(), one[0].kind()), (1, EventKind::Make));
    assert_eq!(found(&whole), links(&[("urn:x:milk", "urn:x:cheese")]));
    let destroyed = json!([{"type": "TransformationEvent", "bizStep": "destroying",
        "eventTime": "2026-03-01T00:00:00Z", "inputEPCList": ["urn:x:milk"]}]);
    assert_eq!(events(&read(destroyed))[0].kind(), EventKind::Scrap);
}

/// Kilograms of one lot are one unit, however fine one of the lines is; what is finer than six
/// decimals or in no unit is a fault.
#[test]
fn amounts_of_one_document_are_in_one_unit() {
    let event = |hour: u32, amount: Value, unit: &str| {
        json!({"type": "ObjectEvent", "eventTime": format!("2026-03-01T{hour:02}:00:00Z"),
            "action": "ADD", "quantityList":
            [{"epcClass": "urn:epc:class:lgtin:4012345.012345.7", "quantity": amount, "uom": unit}]})
    };
    let import = read(json!([event(1, json!(40), "KGM"), event(2, json!("0.0005"), "KGM")]));
    let lineage = Lineage::load(Units::default(), import.entries("doc").0).unwrap();
    let lot = Item::Lot("01/04012345123456/10/7".parse().unwrap());
    let source = [Source::item(lot.clone())];
    assert_eq!(lineage.forward(&source).breaks, []);
    assert_eq!(lineage.ledger(&source).items[&lot].on_hand.to_string(), "40.0005 kg");
    for (amount, unit) in [(json!("0.0000005"), "KGM"), (json!(1), "one sack"), (json!(-1), "KGM")]
    {
        let import = read(json!([event(1, amount, unit)]));
        assert!(matches!(import.faults[..], [Fault::QuantityDropped { index: 0, .. }]), "{unit}");
        assert_eq!(import.events[0].objects[0].quantity, None);
    }
}

/// The party that owned the things before is the supplier of their receipt.
#[test]
fn a_receipt_names_its_supplier() {
    for (sources, supplier) in [
        (json!([["possessing_party", "carrier"], ["owning_party", "alm"]]), Some("alm")),
        (json!([["possessing_party", "carrier"]]), Some("carrier")),
        (json!([["location", "dock"]]), None),
        (json!([]), None),
    ] {
        let pairs = sources.as_array().unwrap().iter();
        let list: Vec<Value> =
            pairs.map(|pair| json!({"type": pair[0], "source": pair[1]})).collect();
        let import = read(json!([{"type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00Z",
            "action": "ADD", "epcList": ["urn:x:milk"], "sourceList": list}]));
        let receipt = &events(&import)[0];
        let found = receipt.parts().facts.supplier.as_ref().map(ToString::to_string);
        assert_eq!(found.as_deref(), supplier);
    }
}

/// LIN-43: links are inputs times outputs; they are made one by one, in the room of the document.
#[test]
fn links_of_a_wide_document_are_made_as_they_are_asked_for() {
    const WIDE: usize = 30_000;
    let names =
        |kind: &str| -> Vec<String> { (0..WIDE).map(|n| format!("urn:x:{kind}:{n:05}")).collect() };
    let papers: Vec<Value> =
        names("paper").into_iter().map(|paper| json!({"bizTransaction": paper})).collect();
    let import = read(json!([{"type": "TransformationEvent", "eventTime": "2026-01-01T00:00:00Z",
        "inputEPCList": names("in"), "outputEPCList": names("out"),
        "bizTransactionList": papers}]));
    let shown = |(from, to): (&Key, &Key)| format!("{from} {to}");
    let first = "urn:x:in:00000 urn:x:out:00000";
    assert_eq!(import.transformation_links().next().map(shown).as_deref(), Some(first));
    let of_two = "urn:x:in:00001 urn:x:out:00000";
    assert_eq!(import.declared_links().nth(WIDE).map(shown).as_deref(), Some(of_two));
    assert_eq!(import.document_links().nth(WIDE).unwrap().1, "urn:x:paper:00000");
}

/// Ten thousand small documents are joined in no time.
#[test]
fn many_documents_are_joined() {
    let event = |n: usize| {
        json!([{"type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00Z",
        "action": "ADD", "epcList": [format!("urn:x:{n}")]}, {"type": "Cat"}])
    };
    let mut all = Import::default();
    for n in 0..10_000 {
        all.join(read(event(n)));
    }
    assert_eq!(all.events.last().unwrap().index, 19_998);
    assert_eq!(all.faults.last().unwrap().index(), Some(19_999));
}
