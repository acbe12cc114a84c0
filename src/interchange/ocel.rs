//! Object-centric event logs (OCEL 2.0, JSON): histories for process mining.
//!
//! In: the entries of approvals, or the events of orders with all their returns. Out: an [`Ocel`] value
//! that serializes to the JSON form, with every key that a reader may insist on. Always true:
//! [`projected`] gives back exactly the case, the activity and the time of every entry or event.
//!
//! Some readers drop objects that no event refers to and events without objects; so every event refers
//! to its case, and the people of an approval are attached where they act. Amounts are not part of
//! entries except as facts, which are written as text. Source: OCEL 2.0 specification (ocel-standard.org).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::approval::change::Change;
use crate::case::actor::Role;
use crate::case::event::{Event, EventFact};
use crate::id::{ActorId, CaseId, OrderId};
use crate::time::Instant;
use crate::workflow::journal::{Actor, Entry};

/// An object-centric event log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ocel {
    /// The types of objects.
    pub object_types: Vec<OcelType>,
    /// The types of events.
    pub event_types: Vec<OcelType>,
    /// The objects.
    pub objects: Vec<OcelObject>,
    /// The events, in the order of their times.
    pub events: Vec<OcelEvent>,
}

/// A type with its attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcelType {
    /// The name.
    pub name: String,
    /// The attributes.
    pub attributes: Vec<OcelAttributeType>,
}

/// An attribute of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcelAttributeType {
    /// The name.
    pub name: String,
    /// `string`, `time`, `integer`, `float` or `boolean`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// An object: a case or a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcelObject {
    /// Unique among all objects: the type, a colon, the host's key.
    pub id: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Attributes over time; none are exported.
    pub attributes: Vec<OcelAttribute>,
    /// Related objects; none are exported.
    pub relationships: Vec<OcelRelationship>,
}

/// An event: one entry of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcelEvent {
    /// The case and the number of the entry.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// When.
    pub time: Instant,
    /// The particulars.
    pub attributes: Vec<OcelAttribute>,
    /// The objects it concerns.
    pub relationships: Vec<OcelRelationship>,
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcelAttribute {
    /// The name.
    pub name: String,
    /// The value, as text.
    pub value: String,
}

/// A named reference to an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OcelRelationship {
    /// The object.
    #[serde(rename = "objectId")]
    pub object_id: String,
    /// What it is to the event.
    pub qualifier: String,
}

const CASE: &str = "return_case";
const PERSON: &str = "person";
const ORDER: &str = "order";
const LINE: &str = "order_line";
const PARCEL: &str = "parcel";
const OF_RETURNS: [&str; 5] = ["seq", "command_id", "role", "timer", "rules_version"];
const ATTRIBUTES: [&str; 4] = ["seq", "command_id", "actor_kind", "round_change"];

/// The log of some cases.
///
/// ```
/// use aftersale::interchange::ocel::{ocel, projected};
/// let log = ocel([]);
/// assert!(projected(&log).is_empty());
/// ```
#[must_use]
pub fn ocel<'a>(cases: impl IntoIterator<Item = (&'a CaseId, &'a [Entry<Change>])>) -> Ocel {
    let mut objects: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut kinds: BTreeSet<&'static str> = BTreeSet::new();
    let mut events: Vec<OcelEvent> = Vec::new();
    for (case, entries) in cases {
        let case_object = format!("{CASE}:{case}");
        objects.insert(case_object.clone(), CASE);
        for entry in entries {
            let kind = activity(&entry.body);
            kinds.insert(kind);
            let mut relationships = alloc::vec![OcelRelationship {
                object_id: case_object.clone(),
                qualifier: String::from("case"),
            }];
            for (person, qualifier) in people(entry) {
                let object_id = format!("{PERSON}:{person}");
                objects.insert(object_id.clone(), PERSON);
                let qualifier = String::from(qualifier);
                relationships.push(OcelRelationship { object_id, qualifier });
            }
            events.push(OcelEvent {
                id: format!("{case}#{}", entry.seq),
                kind: String::from(kind),
                time: entry.at,
                attributes: attributes(entry),
                relationships,
            });
        }
    }
    log(&[CASE, PERSON], (&kinds, &ATTRIBUTES), objects, events)
}

/// The log of orders with all their cases: one event for each thing that happened, with the order, the
/// case, the lines, the parcel and the people it concerns. Steps of a review have the names of
/// [`ocel`] with `review_` before them.
///
/// Cases are named with their order, because a case id need be unique in its order only. Lots and
/// amounts are not exported.
///
/// ```
/// use aftersale::interchange::ocel::{projected, returns};
/// assert!(projected(&returns([])).is_empty());
/// ```
#[must_use]
pub fn returns<'a>(orders: impl IntoIterator<Item = (&'a OrderId, &'a [Event])>) -> Ocel {
    let mut objects: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    let mut events: Vec<OcelEvent> = Vec::new();
    for (order, happened) in orders {
        for event in happened {
            let kind = kind_of(event);
            kinds.insert(kind.clone());
            let mut relationships = Vec::new();
            let mut relate = |kind: &'static str, key: String, qualifier: &str| {
                let object_id = format!("{kind}:{key}");
                objects.insert(object_id.clone(), kind);
                let qualifier = String::from(qualifier);
                relationships.push(OcelRelationship { object_id, qualifier });
            };
            relate(ORDER, order.to_string(), "order");
            if let Some(case) = event.fact.case() {
                relate(CASE, format!("{order}/{case}"), "case");
            }
            if let EventFact::CaseSplit { into, .. } = &event.fact {
                relate(CASE, format!("{order}/{into}"), "part");
            }
            for line in event.fact.lines() {
                relate(LINE, format!("{order}/{line}"), "line");
            }
            if let Some(parcel) = event.fact.parcel() {
                relate(PARCEL, parcel.to_string(), "parcel");
            }
            if event.actor.role != Role::System {
                relate(PERSON, event.actor.id.to_string(), "actor");
            }
            if let Some(step) = event.fact.review_step() {
                let entry = step.entry(event.sequence, event);
                let actor = &event.actor.id;
                for (person, qualifier) in people(&entry) {
                    if (person, qualifier) != (actor, "actor") {
                        relate(PERSON, person.to_string(), qualifier);
                    }
                }
            }
            events.push(OcelEvent {
                id: format!("{order}#{}", event.sequence),
                kind,
                time: event.at,
                attributes: facts_of(event),
                relationships,
            });
        }
    }
    log(&[ORDER, CASE, LINE, PARCEL, PERSON], (&kinds, &OF_RETURNS), objects, events)
}

/// A log in the order of time, with the kinds of its objects, and of its events and their attributes.
fn log<K: AsRef<str>>(
    object_types: &[&str],
    (kinds, attributes): (&BTreeSet<K>, &[&str]),
    objects: BTreeMap<String, &'static str>,
    mut events: Vec<OcelEvent>,
) -> Ocel {
    // A stable sort: events of one instant keep their order.
    events.sort_by_key(|event| event.time);
    let typed = |name: &str, attributes: &[&str]| OcelType {
        name: name.into(),
        attributes: attributes
            .iter()
            .map(|name| OcelAttributeType { name: (*name).into(), kind: "string".into() })
            .collect(),
    };
    let object = |(id, kind): (String, &str)| OcelObject {
        id,
        kind: kind.into(),
        attributes: Vec::new(),
        relationships: Vec::new(),
    };
    Ocel {
        object_types: object_types.iter().map(|name| typed(name, &[])).collect(),
        event_types: kinds.iter().map(|name| typed(name.as_ref(), attributes)).collect(),
        objects: objects.into_iter().map(object).collect(),
        events,
    }
}

/// What happened, in one word: a step of a review by its own name.
pub(super) fn kind_of(event: &Event) -> String {
    match event.fact.review_step() {
        Some(step) => format!("review_{}", activity(&step.change)),
        None => String::from(event.fact.name()),
    }
}

fn facts_of(event: &Event) -> Vec<OcelAttribute> {
    let timer = event.cause.timer.as_ref().map(ToString::to_string);
    let values = [
        event.sequence.to_string(),
        event.cause.command.to_string(),
        event.actor.role.to_string(),
        timer.unwrap_or_default(),
        event.rules_version.to_string(),
    ];
    OF_RETURNS
        .iter()
        .zip(values)
        .map(|(name, value)| OcelAttribute { name: (*name).into(), value })
        .collect()
}

/// The case, the activity and the time of every event, in the order of the log.
#[must_use]
pub fn projected(log: &Ocel) -> Vec<(String, String, Instant)> {
    let case = |event: &OcelEvent| {
        let found = event.relationships.iter().find(|relation| relation.qualifier == "case");
        found.and_then(|relation| relation.object_id.strip_prefix("return_case:")).map(String::from)
    };
    log.events
        .iter()
        .filter_map(|event| Some((case(event)?, event.kind.clone(), event.time)))
        .collect()
}

fn attributes(entry: &Entry<Change>) -> Vec<OcelAttribute> {
    let actor = match &entry.actor {
        Actor::Human { .. } => String::from("human"),
        Actor::System(cause) => format!("system {}", cause_code(cause)),
    };
    let command = entry.command.as_ref().map(|command| command.id.to_string());
    let round = matches!(&entry.body, Change::Moved { new_round: true, .. });
    [
        ("seq", entry.seq.to_string()),
        ("command_id", command.unwrap_or_default()),
        ("actor_kind", actor),
        ("round_change", String::from(if round { "yes" } else { "no" })),
    ]
    .into_iter()
    .map(|(name, value)| OcelAttribute { name: name.into(), value })
    .collect()
}

fn cause_code(cause: &crate::workflow::journal::Cause) -> &str {
    use crate::workflow::journal::Cause;
    match cause {
        Cause::Timeout => "timeout",
        Cause::SamePerson => "same_person",
        Cause::Rule(rule) => rule.as_str(),
        Cause::NoApprover => "no_approver",
        Cause::Migration => "migration",
        Cause::Occurred => "occurred",
    }
}

/// The people an entry concerns, with what they are to it.
fn people(entry: &Entry<Change>) -> Vec<(&ActorId, &'static str)> {
    let mut people = Vec::new();
    if let Actor::Human { person, on_behalf_of } = &entry.actor {
        people.push((person, "actor"));
        people.extend(on_behalf_of.iter().map(|owner| (owner, "owner")));
    }
    match &entry.body {
        Change::Submitted { requester, .. } => people.push((requester, "requester")),
        Change::NodeOpened { seats, .. } => {
            people.extend(seats.iter().map(|seat| (&seat.person, "asked")));
        }
        Change::SeatActivated { person, .. }
        | Change::SeatReminded { person, .. }
        | Change::TimeoutStuck { person, .. } => people.push((person, "asked")),
        Change::Transferred { to, .. } | Change::HandedOver { to, .. } => {
            people.push((to, "holder"));
        }
        Change::OpinionAsked { of, .. } => people.push((of, "adviser")),
        Change::SeatsAdded { people: added, .. } => {
            people.extend(added.iter().map(|person| (person, "added")));
        }
        Change::Copied { to } => people.extend(to.iter().map(|person| (person, "copied"))),
        _ => {}
    }
    people
}

/// The stable name of a change: its `type` on the wire.
pub(super) fn activity(change: &Change) -> &'static str {
    match change {
        Change::Submitted { .. } => "submitted",
        Change::Moved { .. } => "moved",
        Change::NodeOpened { .. } => "node_opened",
        Change::SeatActivated { .. } => "seat_activated",
        Change::Voted { .. } => "voted",
        Change::Transferred { .. } => "transferred",
        Change::HandedOver { .. } => "handed_over",
        Change::OpinionAsked { .. } => "opinion_asked",
        Change::OpinionGiven { .. } => "opinion_given",
        Change::OpinionRecalled { .. } => "opinion_recalled",
        Change::SeatsAdded { .. } => "seats_added",
        Change::SeatRemoved { .. } => "seat_removed",
        Change::SeatsClosed { .. } => "seats_closed",
        Change::NodeDecided { .. } => "node_decided",
        Change::SentBack { .. } => "sent_back",
        Change::Resubmitted => "resubmitted",
        Change::Withdrawn => "withdrawn",
        Change::TakenBack { .. } => "taken_back",
        Change::FactsChanged { .. } => "facts_changed",
        Change::Copied { .. } => "copied",
        Change::SeatReminded { .. } => "seat_reminded",
        Change::StateReminded { .. } => "state_reminded",
        Change::TimeoutStuck { .. } => "timeout_stuck",
        Change::Stuck { .. } => "stuck",
        Change::Migrated { .. } => "migrated",
        Change::CommandsForgotten { .. } => "commands_forgotten",
    }
}
