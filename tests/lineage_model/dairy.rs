//! A dairy, small enough to be worked out by hand.

use aftersale::id::{CustomerId, SupplierId};
use aftersale::lineage::Lineage;
use aftersale::lineage::event::{
    DocumentId, Event, EventDraft, EventFacts, EventId, EventKind, Item, Line, LineId, Units,
};
use aftersale::lineage::source::Source;

use super::{day, liters, lot, order_id};

pub fn order(name: &str) -> Item {
    Item::Order(order_id(name))
}

pub fn event(id: &str, on: u32, kind: EventKind) -> EventDraft {
    Event::new(EventId::new(id).unwrap(), day(on), kind)
}

pub fn facts() -> EventFacts {
    EventFacts::default()
}

/// A dairy: two deliveries of milk, one tank, two batches of cheese, four orders, one return.
pub fn dairy() -> Lineage {
    let mut lineage = Lineage::new(Units::default());
    let supplier = |name: &str| EventFacts {
        supplier: Some(SupplierId::new(name).unwrap()),
        document: Some(DocumentId::new(format!("DN-{name}")).unwrap()),
        ..facts()
    };
    let on_line = |name: &str| EventFacts { line: Some(LineId::new(name).unwrap()), ..facts() };
    let to = |name: &str| EventFacts { customer: Some(CustomerId::new(name).unwrap()), ..facts() };
    let ship = |id: &str, on, from: &str, amount: &str, to_order: &str| {
        event(id, on, EventKind::Ship)
            .input(Line::new(lot(from), liters(amount)))
            .output(Line::new(order(to_order), liters(amount)))
    };
    for draft in [
        event("R1", 1, EventKind::Receive)
            .output(Line::new(lot("MILK-1"), liters("100")))
            .facts(supplier("Alm")),
        event("R2", 2, EventKind::Receive)
            .output(Line::new(lot("MILK-2"), liters("300")))
            .facts(supplier("Berg")),
        event("Q1", 2, EventKind::Inspect)
            .input(Line::unmeasured(lot("MILK-2")))
            .facts(EventFacts { document: Some(DocumentId::new("LAB-7").unwrap()), ..facts() }),
        event("T1", 3, EventKind::Merge)
            .input(Line::new(lot("MILK-1"), liters("100")))
            .input(Line::new(lot("MILK-2"), liters("100")))
            .output(Line::new(lot("TANK"), liters("200"))),
        event("C1", 4, EventKind::Make)
            .input(Line::new(lot("TANK"), liters("100")))
            .output(Line::new(lot("CHEESE-1"), liters("100")))
            .facts(on_line("press-1")),
        event("C2", 5, EventKind::Make)
            .input(Line::new(lot("TANK"), liters("50")))
            .input(Line::new(lot("MILK-2"), liters("150")))
            .output(Line::new(lot("CHEESE-2"), liters("200")))
            .facts(on_line("press-2")),
        ship("S1", 6, "CHEESE-1", "60", "SO-1").facts(to("Anna")),
        ship("S2", 7, "CHEESE-2", "120", "SO-2").facts(to("Bo")),
        ship("S3", 8, "MILK-2", "50", "SO-3").facts(to("Chen")),
        event("B1", 9, EventKind::Return)
            .input(Line::new(order("SO-1"), liters("20")))
            .output(Line::new(lot("BACK-1"), liters("20"))),
        event("CLEAN", 10, EventKind::Clean).input(Line::unmeasured(lot("TANK"))),
        event("R3", 11, EventKind::Make)
            .input(Line::new(lot("MILK-3"), liters("10")))
            .output(Line::new(lot("TANK"), liters("10"))),
        ship("S4", 12, "TANK", "10", "SO-4").facts(to("Anna")),
    ] {
        lineage.record(&draft.check().unwrap()).unwrap();
    }
    lineage
}

pub fn orders_of(lineage: &Lineage, source: Source) -> Vec<String> {
    lineage.forward(&[source]).orders().map(ToString::to_string).collect()
}
