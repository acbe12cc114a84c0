//! From EPCIS events to entries of a lineage and records of packing.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::key::{Key, KeyKind};
use super::movements::LEAVING;
use super::{Action, EpcisEvent, EpcisKind, Fault, Import, Thing};
use crate::id::{IdError, LotId, SerialId, Sku};
use crate::lineage::containment::{PackAction, Packing};
use crate::lineage::event::{
    DocumentId, Entry, Event, EventDraft, EventFacts, EventId, EventKind, Item, Line, PlaceId,
};
use crate::quantity::{Quantity, Unit};

impl Import {
    /// The entries for a lineage, and what could not become one.
    ///
    /// - A transformation becomes a production event; those that share a transformation id become
    ///   one, at the time of the last. What was used before that time is listed as a break of the
    ///   trace, so nothing is hidden.
    /// - An object event that adds things which no transformation puts out becomes a receipt.
    /// - An object event becomes scrap when its step is destroying or decommissioning, when its
    ///   disposition is destroyed, and when it deletes things that were not sold.
    /// - An event in error becomes a void of its id.
    /// - Everything else makes no link; for shipments and returns see [`Import::movements`].
    ///
    /// Events without an id are named by the prefix and their place. Identifiers above the limit of
    /// this crate are faults.
    #[must_use]
    pub fn entries(&self, prefix: &str) -> (Vec<Entry>, Vec<Fault>) {
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
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
        for process in self.processes() {
            let Some(last) = process.iter().max_by_key(|event| (event.at, event.index)) else {
                continue;
            };
            let has_output = process.iter().any(|event| !event.outputs.is_empty());
            let kind = if has_output { EventKind::Make } else { EventKind::Scrap };
            keep(last.index, draft(prefix, last, kind, &process));
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
                keep(event.index, object_draft(prefix, event, kind, &things));
            }
        }
        (entries, faults)
    }

    /// The records of packing of active aggregations and associations, and what could not become
    /// one. Sightings without a container are left out.
    #[must_use]
    pub fn packings(&self, prefix: &str) -> (Vec<Packing>, Vec<Fault>) {
        let (mut packings, mut faults) = (Vec::new(), Vec::new());
        let contains = |event: &&EpcisEvent| {
            matches!(event.kind, EpcisKind::Aggregation | EpcisKind::Association)
        };
        for event in self.active().filter(contains) {
            let (Some(parent), Some(action)) = (&event.parent, event.action) else { continue };
            match packing(prefix, event, parent, action) {
                Ok(packing) => packings.push(packing),
                Err(source) => faults.push(Fault::Identifier { index: event.index, source }),
            }
        }
        (packings, faults)
    }
}

/// Things that are deleted are gone, unless the step says that they were sold; things that are seen
/// are gone when the event says so.
fn is_destroyed(event: &EpcisEvent) -> bool {
    let step = event.step.as_deref().unwrap_or_default();
    let destroyed = ["destroying", "decommissioning", "killing"].contains(&step)
        || event.disposition.as_deref() == Some("destroyed");
    destroyed || (event.action == Some(Action::Delete) && !LEAVING.contains(&step))
}

fn packing(
    prefix: &str,
    event: &EpcisEvent,
    parent: &Key,
    action: Action,
) -> Result<Packing, IdError> {
    let children = event.objects.iter().map(|thing| item_of(&thing.key));
    Ok(Packing {
        at: event.at,
        sequence: u32::try_from(event.index).unwrap_or(u32::MAX),
        id: id_of(prefix, event)?,
        parent: item_of(parent)?,
        action: match action {
            Action::Add => PackAction::Pack,
            Action::Delete => PackAction::Unpack,
            Action::Observe => PackAction::See,
        },
        children: children.collect::<Result<_, _>>()?,
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
) -> Result<EventDraft, IdError> {
    let mut draft = started(prefix, last, kind)?;
    for event in process {
        for thing in &event.inputs {
            draft.inputs.push(line(thing)?);
        }
        for thing in &event.outputs {
            draft.outputs.push(line(thing)?);
        }
    }
    Ok(draft)
}

fn object_draft(
    prefix: &str,
    event: &EpcisEvent,
    kind: EventKind,
    things: &[&Thing],
) -> Result<EventDraft, IdError> {
    let mut draft = started(prefix, event, kind)?;
    let lines = things.iter().map(|thing| line(thing)).collect::<Result<_, _>>()?;
    if kind == EventKind::Receive {
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

pub(super) fn line(thing: &Thing) -> Result<Line, IdError> {
    let quantity = thing.quantity.and_then(|amount| {
        let text = alloc::format!("{amount}");
        let unit = known_unit(thing.unit.as_deref());
        let finer = |unit: Unit| Unit::with_digits(unit.code(), Unit::MAX_DIGITS).ok();
        let plain = unit.and_then(|unit| Quantity::parse(&text, unit).ok());
        plain.or_else(|| Quantity::parse(&text, finer(unit?)?).ok())
    });
    Ok(Line { item: item_of(&thing.key)?, quantity })
}

/// UN/CEFACT Recommendation 20 codes to units; another code keeps its letters, with six decimals.
/// Without a code, pieces.
fn known_unit(code: Option<&str>) -> Option<Unit> {
    let name = match code {
        None | Some("H87" | "EA" | "C62" | "PCE") => "pcs",
        Some("KGM") => "kg",
        Some("GRM") => "g",
        Some("LTR") => "l",
        Some("MLT") => "ml",
        Some("MTR") => "m",
        Some("CMT") => "cm",
        Some("MMT") => "mm",
        Some("PR") => "pair",
        Some("SET") => "set",
        Some("BX") => "box",
        Some("CT") => "carton",
        Some(other) => {
            let letters: String = other.to_ascii_lowercase();
            return Unit::with_digits(&letters, Unit::MAX_DIGITS).ok();
        }
    };
    Unit::known(name).ok()
}
