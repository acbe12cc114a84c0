//! From EPCIS events to shipments and returns: who got what, as far as the document says so.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::contents::{Contents, Way, sum};
use super::entries::{line, owner, started};
use super::key::{Key, KeyKind};
use super::measure::Measures;
use super::{Action, EpcisEvent, EpcisKind, Fault, Import, Thing};
use crate::id::{CustomerId, IdError, OrderId};
use crate::lineage::event::{Entry, EventDraft, EventId, EventKind, Item, Line};

/// Business steps with which goods leave for a customer. Source: GS1 CBV 2.0, 7.1.
pub(super) const LEAVING: [&str; 4] = ["shipping", "departing", "retail_selling", "dispensing"];
/// Business steps with which goods arrive.
const ARRIVING: [&str; 4] = ["receiving", "arriving", "accepting", "returning"];
/// Types of business transaction that name an order best first. Source: GS1 CBV 2.0, 7.3.
const ORDERS: [&str; 6] = ["po", "poc", "desadv", "inv", "bol", "recadv"];

impl Import {
    /// The shipments and returns of the seller whose document this is, and what could not become one.
    ///
    /// Beside [`Import::entries`], for documents of one's own: what a supplier's document ships has
    /// not reached a customer, so leave this out there.
    ///
    /// - Goods with the business step shipping, departing, retail selling or dispensing go to an
    ///   order: the purchase order among the business transactions, else the despatch advice, the
    ///   invoice, the bill of lading, any other; without any, the event itself stands for the order.
    ///   The customer is the owning party of the destination, else the possessing party.
    /// - What is in a shipped container at that time, by the packing before it, goes with it; a lot in
    ///   several of the containers with the sum of its amounts.
    /// - A single thing (serial, pallet, asset), and what is in a container, leaves once: what others
    ///   record of its way later counts only after it came back, or was packed anew.
    /// - Goods that arrive with the disposition returned or under a return authorization, and
    ///   goods whose shipping is voided, come back from the order that they went to. Of several orders
    ///   that a lot went to, it is the one that the event names, else the last. When the shipment is not
    ///   in the document it is the order that the event names; else the event is a fault.
    ///
    /// The entries are named as the events with `#moved` behind; events in error void them. A declaration
    /// in a document of its own voids as many returns as its event names things: [`Import::join`] it to
    /// the document of the event when what came back was packed in containers.
    #[must_use]
    pub fn movements(&self, prefix: &str) -> (Vec<Entry>, Vec<Fault>) {
        let mut walk = Walk {
            prefix,
            measures: Measures::of(self),
            contents: Contents::default(),
            out: BTreeMap::new(),
            entries: Vec::new(),
            faults: Vec::new(),
        };
        for event in self.events.iter().filter(|event| event.error.is_some()) {
            walk.take_out(event);
        }
        for event in self.by_time() {
            if event.kind == EpcisKind::Aggregation {
                walk.contents.apply(event);
            }
            let tied_off =
                event.kind == EpcisKind::Transaction && event.action == Some(Action::Delete);
            if event.kind == EpcisKind::Transformation || tied_off {
                continue;
            }
            let step = event.step.as_deref().unwrap_or_default();
            if is_return(event) {
                walk.take_back(event);
            } else if LEAVING.contains(&step) {
                walk.ship(event);
            }
        }
        (walk.entries, walk.faults)
    }
}

fn is_return(event: &EpcisEvent) -> bool {
    let step = event.step.as_deref().unwrap_or_default();
    let returned = event.disposition.as_deref() == Some("returned");
    let authorized = event.transactions.iter().any(|(kind, _)| kind.as_deref() == Some("rma"));
    step == "void_shipping" || (ARRIVING.contains(&step) && (returned || authorized))
}

/// The name of the entries that an event becomes: one for each order that things come back from.
fn moved(id: &str, place: usize) -> Result<EventId, IdError> {
    EventId::new(match place {
        0 => alloc::format!("{id}#moved"),
        more => alloc::format!("{id}#moved-{more}"),
    })
}

fn is_single(key: &Key) -> bool {
    matches!(key.kind(), KeyKind::Instance | KeyKind::Logistic | KeyKind::Asset)
}

struct Walk<'i> {
    prefix: &'i str,
    measures: Measures<'i>,
    contents: Contents,
    /// Where things went that left.
    out: BTreeMap<Key, Shipped>,
    entries: Vec<Entry>,
    faults: Vec<Fault>,
}

/// The orders that a thing went to.
struct Shipped {
    last: OrderId,
    all: BTreeSet<OrderId>,
}

impl Shipped {
    /// The order that a thing came back from.
    fn order(&self, named: Option<OrderId>) -> OrderId {
        named.filter(|named| self.all.contains(named)).unwrap_or_else(|| self.last.clone())
    }
}

impl Walk<'_> {
    /// Voids whatever an event in error may have become: when things came back, there is one entry for
    /// each order they came from, which is not more than there are things.
    fn take_out(&mut self, event: &EpcisEvent) {
        let Some(id) = &event.id else { return };
        let named = event.objects.len().saturating_add(event.parent.is_some().into());
        let most = if is_return(event) { named.max(1) } else { 1 };
        for place in 0..most {
            match moved(id, place) {
                Ok(id) => self.entries.push(Entry::Void(id)),
                Err(source) => {
                    self.faults.push(Fault::Identifier { index: event.index, source });
                    return;
                }
            }
        }
    }

    fn keep_draft(&mut self, index: usize, made: Result<EventDraft, IdError>) {
        match made.map(EventDraft::check) {
            Ok(Ok(event)) => self.entries.push(Entry::Event(event)),
            Ok(Err(source)) => self.faults.push(Fault::Lines { index, source }),
            Err(source) => self.faults.push(Fault::Identifier { index, source }),
        }
    }

    /// The things an event names, its container too, and what goes with them.
    fn things(&mut self, event: &EpcisEvent, way: Way) -> Vec<Thing> {
        let whole = |key: &Key| Thing { key: key.clone(), quantity: None, unit: None };
        let parent = event.parent.as_ref().filter(|_| event.kind == EpcisKind::Aggregation);
        let named = parent.map(whole).into_iter().chain(event.objects.iter().cloned());
        let mut things: BTreeMap<Key, Thing> = BTreeMap::new();
        for thing in named {
            let both = things.get(&thing.key).map(|held| sum(held, &thing));
            things.insert(thing.key.clone(), both.unwrap_or(thing));
        }
        self.contents.moved(things.into_values().collect(), way)
    }

    fn ship(&mut self, event: &EpcisEvent) {
        let mut things = self.things(event, Way::Out);
        things.retain(|thing| !is_single(&thing.key) || !self.out.contains_key(&thing.key));
        if things.is_empty() {
            return;
        }
        let made = order_of(event).and_then(|named| match named {
            Some(order) => Ok(order),
            None => OrderId::new(started(self.prefix, event, EventKind::Ship)?.id.as_str()),
        });
        let draft = made.and_then(|order| {
            let mut draft = self.draft(event, EventKind::Ship, 0)?;
            draft.facts.customer = customer(event)?;
            for thing in &things {
                let line = line(thing, &self.measures)?;
                // One line per thing: an order may hold goods of several units.
                draft
                    .outputs
                    .push(Line { item: Item::Order(order.clone()), quantity: line.quantity });
                draft.inputs.push(line);
                let first = || Shipped { last: order.clone(), all: BTreeSet::new() };
                let shipped = self.out.entry(thing.key.clone()).or_insert_with(first);
                shipped.last = order.clone();
                shipped.all.insert(order.clone());
            }
            Ok(draft)
        });
        self.keep_draft(event.index, draft);
    }

    fn take_back(&mut self, event: &EpcisEvent) {
        let mut by_order: BTreeMap<OrderId, Vec<Thing>> = BTreeMap::new();
        let (index, named) = (event.index, order_of(event));
        for thing in self.things(event, Way::Back) {
            let order = match (self.out.get(&thing.key), &named) {
                (Some(known), _) => known.order(named.as_ref().ok().cloned().flatten()),
                (None, Ok(Some(order))) => order.clone(),
                (None, Ok(None)) => {
                    self.faults.push(Fault::UnknownShipment { index, thing: thing.key });
                    continue;
                }
                (None, Err(source)) => {
                    self.faults.push(Fault::Identifier { index, source: source.clone() });
                    continue;
                }
            };
            by_order.entry(order).or_default().push(thing);
        }
        for (place, (order, things)) in by_order.into_iter().enumerate() {
            // One event of a lineage returns from one order.
            let draft = self.draft(event, EventKind::Return, place).and_then(|mut draft| {
                for thing in &things {
                    let line = line(thing, &self.measures)?;
                    let item = Item::Order(order.clone());
                    draft.inputs.push(Line { item, quantity: line.quantity });
                    draft.outputs.push(line);
                    if is_single(&thing.key) {
                        self.out.remove(&thing.key);
                    }
                }
                Ok(draft)
            });
            self.keep_draft(event.index, draft);
        }
    }

    fn draft(
        &self,
        event: &EpcisEvent,
        kind: EventKind,
        place: usize,
    ) -> Result<EventDraft, IdError> {
        let mut draft = started(self.prefix, event, kind)?;
        draft.id = moved(draft.id.as_str(), place)?;
        Ok(draft)
    }
}

/// The business transaction that names an order best; a return authorization names none.
fn order_of(event: &EpcisEvent) -> Result<Option<OrderId>, IdError> {
    let rank = |kind: &Option<String>| {
        let known = kind.as_deref().and_then(|kind| ORDERS.iter().position(|known| *known == kind));
        known.unwrap_or(ORDERS.len())
    };
    let named = event.transactions.iter().filter(|(kind, _)| kind.as_deref() != Some("rma"));
    let best = named.min_by_key(|(kind, _)| rank(kind));
    best.map(|(_, id)| OrderId::new(id)).transpose()
}

fn customer(event: &EpcisEvent) -> Result<Option<CustomerId>, IdError> {
    owner(&event.destinations).map(|party| CustomerId::new(party.as_str())).transpose()
}
