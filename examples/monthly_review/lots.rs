//! A small fixture: lots for goods whose invoices carry none.
//!
//! Made up: each week of sales of an article is taken as one delivery, a lot of its own, by two
//! suppliers in turn. Real: every order line, and whether it came back. The lineage is recorded as a
//! host would record it: received, shipped.

use std::collections::BTreeMap;
use std::error::Error;

use aftersale::analytics::origin::{Origin, Search, SeenUnit, When, origin};
use aftersale::analytics::tally::{Dimension, Facets};
use aftersale::id::{LotId, OrderId, SupplierId};
use aftersale::lineage::Lineage;
use aftersale::lineage::event::{
    Event, EventFacts, EventId, EventKind, Item, Line as Moved, Units,
};
use aftersale::lineage::suspect::{CandidateKind, Observation, Outcome};
use aftersale::quantity::Quantity;
use aftersale::time::Instant;

use crate::invoices::Line;

/// What stands behind the returns of one article, and its lots.
#[derive(Debug)]
pub struct Lots<'a> {
    /// The finding.
    pub origin: Origin,
    /// The lines of each lot.
    pub lines: BTreeMap<String, Vec<&'a Line>>,
}

/// Records the lots of an article and looks behind its returns.
pub fn look_behind<'a>(code: &str, sold: &[&'a Line]) -> Result<Lots<'a>, Box<dyn Error>> {
    let mut lineage = Lineage::new(Units::default());
    let facets = Facets::new().with(Dimension::Sku, code)?;
    let mut lines: BTreeMap<String, Vec<&Line>> = BTreeMap::new();
    for line in sold {
        lines.entry(name(line)).or_default().push(line);
    }
    let mut units = Vec::new();
    for (number, (lot, sold)) in lines.iter().enumerate() {
        let of_lot = || LotId::new(lot).map(Item::Lot);
        let quantity: i64 = sold.iter().map(|line| line.units).sum();
        let supplier = SupplierId::new(["mill A", "mill B"][number % 2])?;
        let facts = EventFacts { supplier: Some(supplier), ..EventFacts::default() };
        let first = sold.iter().map(|line| line.at).min().ok_or("a lot without lines")?;
        let received =
            Event::new(id("in", lot)?, at(first) - chrono::TimeDelta::days(1), EventKind::Receive)
                .output(Moved::new(of_lot()?, Quantity::pieces(quantity)?))
                .facts(facts);
        lineage.record(&received.check()?)?;
        for (position, line) in sold.iter().enumerate() {
            let order = Item::Order(OrderId::new(format!("{lot}-{position}"))?);
            let pieces = Quantity::pieces(line.units)?;
            let shipped =
                Event::new(id("out", &format!("{lot}-{position}"))?, at(line.at), EventKind::Ship)
                    .input(Moved::new(of_lot()?, pieces))
                    .output(Moved::new(order.clone(), pieces));
            lineage.record(&shipped.check()?)?;
            let back = line.units_back > 0;
            let outcome = if back { Outcome::Defective } else { Outcome::Good };
            let observation = Observation { item: order, outcome, stratum: None };
            units.push(SeenUnit { facets: &facets, observation, note: None, when: When::Now });
        }
    }
    let search =
        Search { kinds: vec![CandidateKind::Items, CandidateKind::Suppliers], ..Search::default() };
    let element = [(Dimension::Sku, code.to_owned())];
    let origin = origin(&lineage, &element, &units, &search)?;
    Ok(Lots { origin, lines })
}

/// The week as a lot number: `L-2011-41`.
fn name(line: &Line) -> String {
    use chrono::Datelike as _;
    format!("L-{}-{:02}", line.at.year(), line.at.ordinal0() / 7 + 1)
}

fn id(kind: &str, name: &str) -> Result<EventId, aftersale::id::IdError> {
    EventId::new(format!("{kind}-{name}"))
}

fn at(time: chrono::NaiveDateTime) -> Instant {
    time.and_utc()
}
