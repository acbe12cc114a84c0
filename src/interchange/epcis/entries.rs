//! From EPCIS events to entries of a lineage and records of packing.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::contents::Contents;
use super::key::{Key, KeyKind};
use super::measure::Measures;
use super::movements::LEAVING;
use super::{Action, EpcisEvent, EpcisKind, Fault, Import, Thing};
use crate::id::{IdError, LotId, SerialId, Sku, SupplierId};
use crate::lineage::containment::{PackAction, Packing};
use crate::lineage::event::{
    DocumentId, Entry, Event, EventDraft, EventFacts, EventId, EventKind, Item, Line, PlaceId,
};

impl Import {
    /// The entries for a lineage, and what could not become one.
    ///
    /// - A transformation becomes a production event; those that share a transformation id become
    ///   one, at the time of the last. What was used before that time is listed as a break of the
    ///   trace, so nothing is hidden. When only one side of the process is in the document, a fault
    ///   says so: its inputs are gone from stock all the same, its outputs come from nowhere. Put the
    ///   documents together with [`Import::join`] first where you have both.
    /// - An object event that adds things which no transformation puts out becomes a receipt. Its
    ///   supplier is the owning party of the source, else the possessing party.
    /// - An object event becomes scrap when its step is destroying or decommissioning, when its
    ///   disposition is destroyed, and when it deletes things that were not sold.
    /// - An event in error becomes a void of its id.
    /// - The place of an event is where it happened, the read point; without one, where the things
    ///   are after it, the business location. Source: GS1 EPCIS 2.0, definitions of the two. Its
    ///   document is the first business transaction; [`Import::document_links`] has all.
    /// - Everything else makes no link; for shipments and returns see [`Import::movements`].
    ///
    /// Events without an id are named by the prefix and their place. Identifiers above the limit of
    /// this crate are faults.
    #[must_use]
    pub fn entries(&self, prefix: &str) -> (Vec<Entry>, Vec<Fault>) {
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        let measures = Measures::of(self);
        for event in self.events.iter().filter(|event| event.error.is_some()) {
            if let Some(id) = &event.id {
                match EventId::new(id) {
                    Ok(id) => entries.push(Entry::Void(id)),
                    Err(source) => faults.push(Fault::Identifier { index: event.index, source }),
                }
            }
        }
        let mut keep = |index: usize, made: Result<EventDraft, IdError>| match made {
            Ok(draft) => match draft.check() {
                Ok(event) => entries.push(Entry::Event(event)),
                Err(source) => faults.push(Fault::Lines { index, source }),
            },
            Err(source) => faults.push(Fault::Identifier { index, source }),
        };
        let mut halves = Vec::new();
        for process in self.processes() {
            let Some(last) = process.iter().max_by_key(|event| (event.at, event.index)) else {
                continue;
            };
            let (kind, missing) = nature(&process);
            let index = last.index;
            halves.extend(missing.map(|missing| Fault::HalfProcess { index, missing }));
            keep(index, draft(prefix, last, kind, &process, &measures));
        }
        let made: BTreeSet<&Key> =
            self.active().flat_map(|event| &event.outputs).map(|thing| &thing.key).collect();
        for event in self.active().filter(|event| event.kind == EpcisKind::Object) {
            let fresh = |thing: &&Thing| !made.contains(&thing.key);
            let (kind, things): (EventKind, Vec<&Thing>) = match event.action {
                Some(Action::Add) => {
                    (EventKind::Receive, event.objects.iter().filter(fresh).collect())
                }
                Some(Action::Delete | Action::Observe) if is_destroyed(event) => {
                    (EventKind::Scrap, event.objects.iter().collect())
                }
                Some(Action::Delete | Action::Observe) | None => continue,
            };
            if !things.is_empty() {
                keep(event.index, object_draft(prefix, event, kind, &things, &measures));
            }
        }
        faults.append(&mut halves);
        (entries, faults)
    }

    /// The records of packing of active aggregations and associations, by time and then place in the
    /// document, and what could not become one. Sightings without a container are left out. A lot of
    /// which only a part was taken out is still in its container.
    #[must_use]
    pub fn packings(&self, prefix: &str) -> (Vec<Packing>, Vec<Fault>) {
        let (mut packings, mut faults) = (Vec::new(), Vec::new());
        let mut contents = Contents::default();
        for event in self.by_time() {
            let (Some(parent), Some(action)) = (&event.parent, event.action) else { continue };
            if !matches!(event.kind, EpcisKind::Aggregation | EpcisKind::Association) {
                continue;
            }
            contents.apply(event);
            match packing(prefix, event, parent, action, &contents) {
                Ok(packing) => packings.push(packing),
                Err(source) => faults.push(Fault::Identifier { index: event.index, source }),
            }
        }
        (packings, faults)
    }
}

/// What a process is, and which of its sides is missing.
fn nature(process: &[&EpcisEvent]) -> (EventKind, Option<&'static str>) {
    let any = |of: fn(&EpcisEvent) -> bool| process.iter().any(|event| of(event));
    match (any(|event| !event.inputs.is_empty()), any(|event| !event.outputs.is_empty())) {
        (true, true) => (EventKind::Make, None),
        (_, true) => (EventKind::Make, Some("inputs")),
        (false, false) => (EventKind::Make, None),
        _ if any(says_destroyed) => (EventKind::Scrap, None),
        // Used up, but nobody says that it was destroyed.
        _ => (EventKind::Adjust, Some("outputs")),
    }
}

fn says_destroyed(event: &EpcisEvent) -> bool {
    let step = event.step.as_deref().unwrap_or_default();
    ["destroying", "decommissioning", "killing"].contains(&step)
        || event.disposition.as_deref() == Some("destroyed")
}

/// Things that are deleted are gone, unless the step says that they were sold; things that are seen
/// are gone when the event says so.
fn is_destroyed(event: &EpcisEvent) -> bool {
    let is_sold = event.step.as_deref().is_some_and(|step| LEAVING.contains(&step));
    says_destroyed(event) || (event.action == Some(Action::Delete) && !is_sold)
}

fn packing(
    prefix: &str,
    event: &EpcisEvent,
    parent: &Key,
    action: Action,
    after: &Contents,
) -> Result<Packing, IdError> {
    let stays = |thing: &Thing| action == Action::Delete && after.holds(parent, &thing.key);
    let things: Vec<&Thing> = event.objects.iter().filter(|thing| !stays(thing)).collect();
    let action = match action {
        Action::Add => PackAction::Pack,
        Action::Observe => PackAction::See,
        // Something of all that was named stays; an unpacking that names nothing takes all out.
        Action::Delete if things.is_empty() && !event.objects.is_empty() => PackAction::See,
        Action::Delete => PackAction::Unpack,
    };
    Ok(Packing {
        at: event.at,
        sequence: u32::try_from(event.index).unwrap_or(u32::MAX),
        id: id_of(prefix, event)?,
        parent: item_of(parent)?,
        action,
        children: things.into_iter().map(|thing| item_of(&thing.key)).collect::<Result<_, _>>()?,
    })
}

fn id_of(prefix: &str, event: &EpcisEvent) -> Result<EventId, IdError> {
    match &event.id {
        Some(id) => EventId::new(id),
        None => EventId::new(alloc::format!("{prefix}#{}", event.index)),
    }
}

/// The item of a lineage that a key names.
///
/// # Errors
///
/// [`IdError`] when the key is longer than an identifier may be.
pub(super) fn item_of(key: &Key) -> Result<Item, IdError> {
    Ok(match key.kind() {
        KeyKind::Instance | KeyKind::Logistic | KeyKind::Asset => {
            Item::Serial(SerialId::new(key.as_str())?)
        }
        KeyKind::Class => Item::Article(Sku::new(key.as_str())?),
        KeyKind::Lot | KeyKind::Location | KeyKind::Other => Item::Lot(LotId::new(key.as_str())?),
    })
}

fn draft(
    prefix: &str,
    last: &EpcisEvent,
    kind: EventKind,
    process: &[&EpcisEvent],
    measures: &Measures<'_>,
) -> Result<EventDraft, IdError> {
    let mut draft = started(prefix, last, kind)?;
    for event in process {
        for thing in &event.inputs {
            draft.inputs.push(line(thing, measures)?);
        }
        for thing in &event.outputs {
            draft.outputs.push(line(thing, measures)?);
        }
    }
    Ok(draft)
}

fn object_draft(
    prefix: &str,
    event: &EpcisEvent,
    kind: EventKind,
    things: &[&Thing],
    measures: &Measures<'_>,
) -> Result<EventDraft, IdError> {
    let mut draft = started(prefix, event, kind)?;
    let lines = things.iter().map(|thing| line(thing, measures)).collect::<Result<_, _>>()?;
    if kind == EventKind::Receive {
        let supplier = owner(&event.sources).map(|party| SupplierId::new(party.as_str()));
        draft.facts.supplier = supplier.transpose()?;
        draft.outputs = lines;
    } else {
        draft.inputs = lines;
    }
    Ok(draft)
}

pub(super) fn started(
    prefix: &str,
    event: &EpcisEvent,
    kind: EventKind,
) -> Result<EventDraft, IdError> {
    let place = event.read_point.as_ref().or(event.location.as_ref());
    let document = event.transactions.first().map(|(_, id)| DocumentId::new(id)).transpose()?;
    let facts = EventFacts {
        place: place.map(|key| PlaceId::new(key.as_str())).transpose()?,
        document,
        ..EventFacts::default()
    };
    let sequence = u32::try_from(event.index).unwrap_or(u32::MAX);
    Ok(Event::new(id_of(prefix, event)?, event.at, kind).sequence(sequence).facts(facts))
}

/// The party that owns the things, else the one that has them.
pub(super) fn owner(parties: &[(Option<String>, Key)]) -> Option<&Key> {
    let of = |wanted: &str| {
        let found = parties.iter().find(|(kind, _)| kind.as_deref() == Some(wanted));
        found.map(|(_, party)| party)
    };
    of("owning_party").or_else(|| of("possessing_party"))
}

pub(super) fn line(thing: &Thing, measures: &Measures<'_>) -> Result<Line, IdError> {
    Ok(Line { item: item_of(&thing.key)?, quantity: measures.quantity(thing) })
}
