//! EPCIS documents of public repositories, with links derived by hand; and hostile ones.

mod lineage_model;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use aftersale::interchange::epcis::key::{Key, KeyKind};
use aftersale::interchange::epcis::{Action, EpcisKind, Fault, Import};
use aftersale::lineage::Lineage;
use aftersale::lineage::audit::TraceBreak;
use aftersale::lineage::containment::Containment;
use aftersale::lineage::event::{Entry, Item, Units};
use aftersale::lineage::graph::reach::Direction;
use aftersale::lineage::source::Source;
use lineage_model::Dice;
use serde_json::{Value, json};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/epcis")
}

fn text(name: &str) -> String {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.to_str().unwrap().contains(name)).unwrap();
    fs::read_to_string(file).unwrap()
}

fn import(name: &str) -> Import {
    let import: Import = serde_json::from_str(&text(name)).unwrap();
    assert_eq!(import.faults, [], "{name}");
    import
}

fn links(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

/// Every input to every output.
fn product(inputs: &[&str], outputs: &[&str]) -> BTreeSet<(String, String)> {
    let pairs = inputs.iter().flat_map(|i| outputs.iter().map(move |o| (*i, *o)));
    links(&pairs.collect::<Vec<_>>())
}

fn found(import: &Import) -> BTreeSet<(String, String)> {
    let links = import.transformation_links().into_iter();
    links.map(|(from, to)| (from.to_string(), to.to_string())).collect()
}

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
    assert_eq!(import.declared_links().len(), 4);
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
    let tied = import.document_links().into_iter().filter(|(_, document)| document == invoice);
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
    assert_eq!(gold.quantity.unwrap().to_string(), "0.145000 g", "finer than the built-in gram");
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

/// What moved where: event kind, inputs, outputs, customer.
type Move = (String, Vec<String>, Vec<String>, Option<String>);

fn moves(import: &Import) -> Vec<Move> {
    let (entries, faults) = import.movements("doc");
    assert_eq!(faults, []);
    let names = |lines: &[aftersale::lineage::event::Line]| -> Vec<String> {
        lines.iter().map(|line| line.item.to_string()).collect()
    };
    let named = |entry: &Entry| match entry {
        Entry::Event(event) => {
            let parts = event.parts();
            let customer = parts.facts.customer.as_ref().map(ToString::to_string);
            Some((parts.kind.to_string(), names(&parts.inputs), names(&parts.outputs), customer))
        }
        Entry::Void(_) => None,
    };
    entries.iter().filter_map(named).collect()
}

/// LIN-34: the shipments of the example documents, derived by hand from their text: a jacket and a
/// battery under their despatch advice, two phones under a purchase order.
#[test]
fn shipments_go_to_the_order_that_the_document_names() {
    let order = |id: &str, count: usize| vec![format!("order {id}"); count];
    let own = |text: &str| text.to_owned();
    assert_eq!(
        moves(&import("fjordline-aurora-lifecycle")),
        [(
            own("ship"),
            vec![own("serial 01/09521234003007/21/AUR-2026-000001")],
            order("https://www.fjordline.example/despatch/DA-2026-0119", 1),
            Some(own("https://id.gs1.org/417/9521234000211")),
        )]
    );
    assert_eq!(
        moves(&import("QueryDocumentWithMultipleEvents")),
        [(
            own("ship"),
            vec![own("serial 01/10614141073464/21/2017"), own("serial 01/10614141073464/21/2018"),],
            order("http://transaction.acme.com/po/12345678", 2),
            None,
        )],
        "what the buyer records of the receipt is no second movement"
    );
    assert_eq!(
        moves(&import("epcisDocWithVariousEventTypes"))
            .into_iter()
            .map(|(kind, goods, orders, _)| (kind, goods.len(), orders[0].clone()))
            .collect::<Vec<_>>(),
        [
            (own("ship"), 2, own("order urn:epcglobal:cbv:bt:4012345123456:RE100099")),
            (own("ship"), 1, own("order urn:epcglobal:cbv:bt:5200001000008:4711")),
        ],
        "in order of time, not of the document"
    );
    // From the fiber to whoever got the jacket.
    let import = import("fjordline-aurora-lifecycle");
    let mut entries = import.entries("doc").0;
    entries.extend(import.movements("doc").0);
    let lineage = Lineage::load(Units::default(), entries).unwrap();
    let fiber = Item::Lot("01/09521234008002/10/RPET-2026-011".parse().unwrap());
    let trace = lineage.forward(&[Source::item(fiber)]);
    let orders: Vec<String> = trace.orders().map(ToString::to_string).collect();
    assert_eq!(orders, ["https://www.fjordline.example/despatch/DA-2026-0119"]);
}

/// LIN-35: what is packed goes with its container, comes back from where it went, and leaves once.
#[test]
fn contents_move_with_their_container_and_come_back() {
    let lot = "urn:epc:class:lgtin:4012345.012345.LOT-7";
    let phone = "urn:epc:id:sgtin:4012345.012345.12";
    let pallet = "urn:epc:id:sscc:4012345.1112223334";
    let time = |hour: u32| format!("2026-03-01T{hour:02}:00:00Z");
    let po = json!([{"type": "inv", "bizTransaction": "INV-1"},
        {"type": "urn:epcglobal:cbv:btt:po", "bizTransaction": "PO-9"}]);
    let event = |hour, kind: &str, action: &str, step: &str| json!({"type": kind, "eventTime": time(hour), "action": action, "bizStep": step});
    let with = |mut event: Value, fields: Value| {
        let more = fields.as_object().unwrap().clone();
        event.as_object_mut().unwrap().extend(more);
        event
    };
    let packed = with(
        event(1, "AggregationEvent", "ADD", "packing"),
        json!({"parentID": pallet, "childEPCs": [phone],
            "childQuantityList": [{"epcClass": lot, "quantity": 40, "uom": "KGM"}]}),
    );
    let shipped = with(
        event(2, "ObjectEvent", "OBSERVE", "shipping"),
        json!({"epcList": [pallet], "bizTransactionList": po, "destinationList":
            [{"type": "possessing_party", "destination": "carrier"},
             {"type": "owning_party", "destination": "shop-4"}]}),
    );
    // The shop sells the phone on: that is no second shipment of ours.
    let sold =
        with(event(3, "ObjectEvent", "OBSERVE", "retail_selling"), json!({"epcList": [phone]}));
    let back = with(
        event(4, "ObjectEvent", "OBSERVE", "receiving"),
        json!({"epcList": [phone], "disposition": "urn:epcglobal:cbv:disp:returned"}),
    );
    let again = with(
        event(5, "ObjectEvent", "DELETE", "retail_selling"),
        json!({"epcList": [phone], "eventID": "SALE-2"}),
    );
    let read = |list: Vec<Value>| serde_json::from_value::<Import>(json!(list)).unwrap();
    let import = read(vec![packed, shipped, sold, back, again.clone()]);
    let goods = [
        "serial 00/140123451122233341".to_owned(),
        "serial 01/04012345123456/21/12".to_owned(),
        "lot 01/04012345123456/10/LOT-7".to_owned(),
    ];
    let found = moves(&import);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found[0].0, "ship");
    let shipped_goods: BTreeSet<String> = found[0].1.iter().cloned().collect();
    assert_eq!(shipped_goods, goods.iter().cloned().collect());
    assert!(found[0].2.iter().all(|order| order == "order PO-9"));
    assert_eq!(found[0].3.as_deref(), Some("shop-4"));
    let phone_name = vec![goods[1].clone()];
    assert_eq!(found[1], ("return".into(), vec!["order PO-9".into()], phone_name.clone(), None));
    assert_eq!(found[2], ("ship".into(), phone_name, vec!["order SALE-2".into()], None));
    let (entries, _) = import.movements("doc");
    let Entry::Event(first) = &entries[0] else { panic!() };
    let kilograms = first.parts().inputs.iter().find_map(|line| line.quantity).unwrap();
    assert_eq!(kilograms.to_string(), "40.000 kg");
    // Sold things are not destroyed; destroyed ones are.
    assert_eq!(import.entries("doc").0, []);
    let destroyed = json!({"type": "ObjectEvent", "eventTime": time(6), "action": "OBSERVE",
        "bizStep": "destroying", "epcList": [phone]});
    let (entries, _) = read(vec![destroyed]).entries("doc");
    let Entry::Event(scrap) = &entries[0] else { panic!() };
    assert_eq!(scrap.kind().to_string(), "scrap");
}

#[test]
fn a_return_without_a_shipment_is_a_fault_unless_it_names_an_order() {
    let (entries, faults) = import("weee-disposal").movements("doc");
    assert_eq!(entries, []);
    let thing = Key::parse("https://id.gs1.org/01/09506000134352/21/ABC123456");
    assert_eq!(faults, [Fault::UnknownShipment { index: 0, thing }]);
    let back = |list: Value| {
        let event = json!({"type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00Z",
            "action": "OBSERVE", "bizStep": "receiving", "epcList": ["urn:x:1"],
            "bizTransactionList": list});
        serde_json::from_value::<Import>(event).unwrap().movements("doc")
    };
    let rma = json!({"type": "rma", "bizTransaction": "RMA-1"});
    let po = json!({"type": "po", "bizTransaction": "PO-1"});
    assert_eq!(back(json!([rma])).1.len(), 1);
    let (entries, faults) = back(json!([rma, po]));
    assert_eq!((entries.len(), faults.len()), (1, 0));
    assert_eq!(back(json!([po])), (vec![], vec![]), "an ordinary receipt");
}

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
            let _ = (import.packings("doc"), import.document_links(), import.final_contents());
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

#[test]
fn untying_goods_from_an_order_ships_nothing() {
    for (action, shipped) in [("ADD", 1), ("OBSERVE", 1), ("DELETE", 0)] {
        let event = json!({"type": "TransactionEvent", "eventTime": "2026-01-01T00:00:00Z",
            "action": action, "bizStep": "shipping", "epcList": ["urn:x:1"],
            "bizTransactionList": [{"type": "po", "bizTransaction": "PO-1"}]});
        let import: Import = serde_json::from_value(event).unwrap();
        assert_eq!(moves(&import).len(), shipped, "{action}");
    }
}
