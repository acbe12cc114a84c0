//! Shipments and returns of EPCIS documents: who got what, and what came back.

use std::collections::BTreeSet;

use crate::epcis_documents::{import, moves};
use aftersale::interchange::epcis::key::Key;
use aftersale::interchange::epcis::{Fault, Import};
use aftersale::lineage::Lineage;
use aftersale::lineage::containment::Containment;
use aftersale::lineage::event::{Entry, EventKind, Item, Units};
use aftersale::lineage::source::Source;
use serde_json::{Value, json};

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

/// The same words in the spellings of CBV 1.2, CBV 2.0 and JSON-LD.
#[test]
fn types_of_documents_and_parties_are_read_in_every_spelling() {
    for spelled in [
        |_: &str, term: &str| term.to_owned(),
        |vocabulary: &str, term: &str| {
            format!("urn:epcglobal:cbv:{}:{term}", vocabulary.to_lowercase())
        },
        |vocabulary: &str, term: &str| format!("https://ref.gs1.org/cbv/{vocabulary}-{term}"),
        |vocabulary: &str, term: &str| format!("cbv:{vocabulary}-{term}"),
    ] {
        let shipped = json!({"type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00Z",
            "action": "OBSERVE", "bizStep": spelled("BizStep", "shipping"), "epcList": ["urn:x:1"],
            "bizTransactionList": [
                {"type": spelled("BTT", "inv"), "bizTransaction": "INV-1"},
                {"type": spelled("BTT", "po"), "bizTransaction": "PO-1"}],
            "destinationList": [
                {"type": spelled("SDT", "location"), "destination": "dock"},
                {"type": spelled("SDT", "owning_party"), "destination": "shop"}]});
        let back = json!({"type": "ObjectEvent", "eventTime": "2026-01-02T00:00:00Z",
            "action": "OBSERVE", "bizStep": spelled("BizStep", "receiving"), "epcList": ["urn:x:1"],
            "bizTransactionList": [{"type": spelled("BTT", "rma"), "bizTransaction": "RMA-1"}],
            "errorDeclaration": {"reason": spelled("ER", "did_not_occur")}});
        let import: Import = serde_json::from_value(json!([shipped, back])).unwrap();
        let error = import.events[1].error.as_ref().unwrap();
        assert_eq!(error.reason.as_deref(), Some("did_not_occur"));
        let mut import = import;
        import.events[1].error = None;
        let found = moves(&import);
        assert_eq!(found[0].2, ["order PO-1"], "the purchase order before the invoice");
        assert_eq!(found[0].3.as_deref(), Some("shop"));
        assert_eq!(
            (found[1].0.as_str(), &found[1].1[..]),
            ("return", &["order PO-1".to_owned()][..])
        );
    }
}

/// One arrival of goods of two orders is two returns; declared wrong, neither counts, also when the
/// declaration comes in a document of its own.
#[test]
fn a_return_from_two_orders_is_taken_back_whole() {
    let event = |hour: u32, step: &str, things: Value, order: Option<&str>| {
        let mut event = json!({"type": "ObjectEvent", "eventID": format!("E{hour}"),
            "eventTime": format!("2026-01-01T{hour:02}:00:00Z"), "action": "OBSERVE",
            "bizStep": step, "epcList": things});
        if let Some(order) = order {
            event["bizTransactionList"] = json!([{"type": "po", "bizTransaction": order}]);
        }
        event
    };
    let mut back = event(3, "receiving", json!(["urn:x:1", "urn:x:2"]), None);
    back["disposition"] = json!("returned");
    let mut wrong = back.clone();
    wrong["errorDeclaration"] = json!({"declarationTime": "2026-01-02T00:00:00Z"});
    let shipped = [
        event(1, "shipping", json!(["urn:x:1"]), Some("PO-1")),
        event(2, "shipping", json!(["urn:x:2"]), Some("PO-2")),
        back,
    ];
    let read = |list: Value| serde_json::from_value::<Import>(list).unwrap();
    let first = read(json!(shipped));
    let found = moves(&first);
    let goods = |number: u8| vec![format!("lot urn:x:{number}")];
    let order = |number: u8| vec![format!("order PO-{number}")];
    assert_eq!(found[2], ("return".into(), order(1), goods(1), None));
    assert_eq!(found[3], ("return".into(), order(2), goods(2), None));
    let mut entries = first.movements("doc").0;
    let count = |entries: &[Entry]| {
        let lineage = Lineage::load(Units::default(), entries.iter().cloned()).unwrap();
        lineage.links().count()
    };
    assert_eq!(count(&entries), 4, "out and back, twice");
    let (voids, faults) = read(json!([wrong])).movements("later");
    assert_eq!(faults, []);
    entries.extend(voids);
    assert_eq!(count(&entries), 2, "both are still with their customers");
}

/// What was packed twice is summed where both amounts are known and in one unit, else nobody knows.
#[test]
fn goods_packed_twice_are_summed_in_one_unit_only() {
    let lot = "urn:epc:class:lgtin:4012345.012345.7";
    let shipped = |amounts: &[Value]| {
        let packed = |(hour, amount): (usize, &Value)| {
            let mut line = amount.clone();
            line["epcClass"] = json!(lot);
            json!({"type": "AggregationEvent", "eventTime": format!("2026-01-01T{hour:02}:00:00Z"),
                "action": "ADD", "parentID": "urn:x:box", "childQuantityList": [line]})
        };
        let mut list: Vec<Value> = amounts.iter().enumerate().map(packed).collect();
        list.push(json!({"type": "ObjectEvent", "eventTime": "2026-01-02T00:00:00Z",
            "action": "OBSERVE", "bizStep": "shipping", "epcList": ["urn:x:box"]}));
        let import: Import = serde_json::from_value(json!(list)).unwrap();
        let (entries, _) = import.movements("doc");
        let Entry::Event(event) = &entries[0] else { panic!() };
        let lines = event.parts().inputs.iter();
        let found = lines.filter_map(|line| Some(line.quantity?.to_string()));
        found.collect::<Vec<_>>()
    };
    let (two, three) = (json!({"quantity": 2, "uom": "KGM"}), json!({"quantity": 3, "uom": "KGM"}));
    let boxes = json!({"quantity": 3, "uom": "BX"});
    assert_eq!(shipped(&[two.clone(), three]), ["5.000 kg"]);
    assert!(shipped(&[two.clone(), boxes]).is_empty());
    assert!(shipped(&[two, json!({})]).is_empty());
}

/// Taking out without naming anything takes all out: nothing of it is shipped with the box later.
#[test]
fn a_box_that_was_emptied_takes_nothing_along() {
    let packed = |hour: u32, action: &str, children: Value| {
        json!({"type": "AggregationEvent", "eventTime": format!("2026-01-01T{hour:02}:00:00Z"),
            "action": action, "parentID": "urn:x:box", "childEPCs": children})
    };
    let shipped = json!({"type": "ObjectEvent", "eventTime": "2026-01-02T00:00:00Z",
        "action": "OBSERVE", "bizStep": "shipping", "epcList": ["urn:x:box"]});
    for (taken, left) in [(json!([]), vec![]), (json!(["urn:x:1"]), vec!["urn:x:2"])] {
        let list = json!([
            packed(1, "ADD", json!(["urn:x:1", "urn:x:2"])),
            packed(2, "DELETE", taken),
            shipped
        ]);
        let import: Import = serde_json::from_value(list).unwrap();
        let inside: Vec<Key> = import.final_contents().into_values().flatten().collect();
        assert_eq!(inside, left.iter().map(|key| Key::parse(key)).collect::<Vec<_>>());
        assert_eq!(moves(&import)[0].1.len(), 1 + left.len());
    }
}

/// A list of events, one an hour.
fn document(events: &[Value]) -> Import {
    let timed = events.iter().enumerate().map(|(hour, event)| {
        let mut event = event.clone();
        event["eventTime"] = json!(format!("2026-03-01T{hour:02}:00:00Z"));
        event
    });
    serde_json::from_value(Value::Array(timed.collect())).unwrap()
}

const LOT: &str = "urn:epc:class:lgtin:4012345.012345.LOT-7";

fn pallet(number: u8) -> String {
    format!("urn:epc:id:sscc:4012345.111222333{number}")
}

/// Kilograms of the lot, packed in a pallet or taken out of it.
fn packed(action: &str, number: u8, kilograms: u32) -> Value {
    json!({"type": "AggregationEvent", "action": action, "parentID": pallet(number),
        "childQuantityList": [{"epcClass": LOT, "quantity": kilograms, "uom": "KGM"}]})
}

fn moved(step: &str, things: &[String], order: Option<&str>) -> Value {
    let mut event = json!({"type": "ObjectEvent", "action": "OBSERVE", "bizStep": step,
        "epcList": things});
    if let Some(order) = order {
        event["bizTransactionList"] = json!([{"type": "po", "bizTransaction": order}]);
    }
    event
}

/// Kilograms of the lot that come back.
fn returned(kilograms: u32, order: Option<&str>) -> Value {
    let mut event = moved("receiving", &[], order);
    event["quantityList"] = json!([{"epcClass": LOT, "quantity": kilograms, "uom": "KGM"}]);
    event["disposition"] = json!("returned");
    event
}

/// Kind, order and amount of each movement of the lot.
fn of_lot(import: &Import) -> Vec<(String, String, String)> {
    let (entries, faults) = import.movements("doc");
    assert_eq!(faults, []);
    let key = Item::Lot(Key::parse(LOT).as_str().parse().unwrap());
    let mut found = Vec::new();
    for entry in &entries {
        let Entry::Event(event) = entry else { continue };
        let parts = event.parts();
        let (goods, orders) = match parts.kind {
            EventKind::Ship => (&parts.inputs, &parts.outputs),
            _ => (&parts.outputs, &parts.inputs),
        };
        for (line, order) in goods.iter().zip(orders).filter(|(line, _)| line.item == key) {
            let amount = line.quantity.map_or_else(String::new, |quantity| quantity.to_string());
            let order = order.item.order().unwrap().to_string();
            found.push((parts.kind.to_string(), order, amount));
        }
    }
    found
}

fn movement(kind: &str, order: &str, amount: &str) -> (String, String, String) {
    (kind.into(), order.into(), amount.into())
}

/// LIN-35: a lot that stands on two pallets leaves with what is on both, and a lot of which a part was
/// taken off leaves with the rest.
#[test]
fn a_lot_on_two_pallets_leaves_with_both_amounts() {
    let both = [packed("ADD", 1, 40), packed("ADD", 2, 30), packed("DELETE", 2, 10)];
    let shipped = moved("shipping", &[pallet(1), pallet(2)], Some("PO-1"));
    let import = document(&[&both[..], &[shipped]].concat());
    assert_eq!(of_lot(&import), [movement("ship", "PO-1", "60.000 kg")]);
    let inside: Vec<usize> = import.final_contents().values().map(BTreeSet::len).collect();
    assert_eq!(inside, [1, 1], "20 kilograms stayed on the second");
    // Where the amount is not known, or all of it, nothing stays.
    let mut unknown = packed("DELETE", 1, 1);
    unknown["childQuantityList"][0].as_object_mut().unwrap().remove("quantity");
    let mut other = packed("DELETE", 1, 1);
    other["childQuantityList"][0]["uom"] = json!("BX");
    for taken in [packed("DELETE", 1, 40), packed("DELETE", 1, 41), unknown, other] {
        let import = document(&[packed("ADD", 1, 40), taken]);
        assert!(import.final_contents().is_empty());
    }
}

/// Packing over time says the same: a lot of which a part was taken out is still on its pallet.
#[test]
fn a_part_taken_out_leaves_the_lot_in_its_container() {
    let box_of = |children: Value| {
        json!({"type": "AggregationEvent", "action": "DELETE",
        "parentID": pallet(1), "childEPCs": children,
        "childQuantityList": [{"epcClass": LOT, "quantity": 10, "uom": "KGM"}]})
    };
    let mut first = packed("ADD", 1, 40);
    first["childEPCs"] = json!(["urn:x:1"]);
    let import = document(&[first, box_of(json!([])), box_of(json!(["urn:x:1"]))]);
    let (packings, faults) = import.packings("doc");
    assert_eq!(faults, []);
    let mut containment = Containment::default();
    for packing in packings {
        containment.record(packing);
    }
    let parent = Item::Serial(Key::parse(&pallet(1)).as_str().parse().unwrap());
    let inside = |hour: u32| {
        let at = format!("2026-03-01T{hour:02}:30:00Z").parse().unwrap();
        containment
            .contents(&parent, at)
            .into_iter()
            .map(|item| item.to_string())
            .collect::<Vec<_>>()
    };
    let lot = "lot 01/04012345123456/10/LOT-7".to_owned();
    assert_eq!(inside(0), [lot.clone(), "lot urn:x:1".into()]);
    assert_eq!(inside(1), inside(0));
    assert_eq!(inside(2), [lot]);
}

/// LIN-35: what is on a pallet leaves once, whatever steps of the way are recorded, until it came back
/// or the pallet was packed anew.
#[test]
fn the_contents_of_a_pallet_leave_once() {
    let ship = |step: &str, order: &str| moved(step, &[pallet(1)], Some(order));
    let mut back = moved("receiving", &[pallet(1)], None);
    back["disposition"] = json!("returned");
    let import = document(&[
        packed("ADD", 1, 40),
        ship("shipping", "PO-1"),
        ship("departing", "PO-1"),
        back,
        ship("shipping", "PO-2"),
        packed("ADD", 1, 7),
        ship("shipping", "PO-3"),
        ship("departing", "PO-3"),
    ]);
    assert_eq!(
        of_lot(&import),
        [
            movement("ship", "PO-1", "40.000 kg"),
            movement("return", "PO-1", "40.000 kg"),
            movement("ship", "PO-2", "40.000 kg"),
            movement("ship", "PO-3", "7.000 kg"),
        ]
    );
}

/// LIN-35: parts of a lot that went to several orders come back from the order that the event names,
/// else from the last, as often as they come.
#[test]
fn parts_of_a_lot_come_back_from_the_order_that_is_named() {
    let import = document(&[
        packed("ADD", 1, 40),
        packed("ADD", 2, 30),
        moved("shipping", &[pallet(1)], Some("PO-1")),
        moved("shipping", &[pallet(2)], Some("PO-2")),
        returned(5, Some("PO-1")),
        returned(4, Some("PO-1")),
        returned(3, None),
        // The paper of the way back is no order of ours.
        returned(2, Some("RETURN-NOTE-9")),
    ]);
    let back = |order: &str, amount: &str| movement("return", order, amount);
    assert_eq!(
        of_lot(&import)[2..],
        [
            back("PO-1", "5.000 kg"),
            back("PO-1", "4.000 kg"),
            back("PO-2", "3.000 kg"),
            back("PO-2", "2.000 kg"),
        ]
    );
}

/// A container and its contents that came back from three orders are voided with all three.
#[test]
fn a_return_in_a_container_that_is_named_is_taken_back_whole() {
    let things = ["urn:x:box", "urn:x:1", "urn:x:2"];
    let mut list: Vec<Value> = things
        .iter()
        .map(|thing| moved("shipping", &[(*thing).to_owned()], Some(&format!("PO-{thing}"))))
        .collect();
    let back = json!({"type": "AggregationEvent", "action": "OBSERVE", "bizStep": "receiving",
        "disposition": "returned", "parentID": "urn:x:box", "childEPCs": ["urn:x:1", "urn:x:2"],
        "eventID": "BACK"});
    list.push(back.clone());
    let mut entries = document(&list).movements("doc").0;
    let count = |entries: &[Entry]| {
        Lineage::load(Units::default(), entries.iter().cloned()).unwrap().links().count()
    };
    assert_eq!(count(&entries), 6, "out and back, three times");
    let mut wrong = back;
    wrong["errorDeclaration"] = json!({"declarationTime": "2026-03-02T00:00:00Z"});
    entries.extend(document(&[wrong]).movements("later").0);
    assert_eq!(count(&entries), 3);
}
