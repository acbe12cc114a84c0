//! Event logs in XES: histories for process mining with one trace per case.
//!
//! In: the entries of approvals, or the events of orders. Out: an XES document. [`returns`] has one event
//! for each thing that happened to a case. Of approvals there are two grains: [`everything`] has one event
//! per entry, with the work of each seat in the words of the lifecycle extension; [`moves`] has one
//! event per transition of the workflow net of the definition (see [`pnml`](super::pnml)), so that a
//! tool can replay it there.
//!
//! Always true: the events of a trace are in the order of the entries, each with a name, a time, a
//! lifecycle step and a resource; hostile names cannot break the document.
//!
//! Source: IEEE 1849-2023 (XES) with its concept, time, organizational and lifecycle extensions.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::ocel::kind_of;
use super::pnml::{WalkError, walk};
use crate::approval::change::Change;
use crate::approval::node::Beside;
use crate::case::event::Event as Happened;
use crate::id::{ActorId, CaseId, OrderId};
use crate::markup::xml;
use crate::time::Instant;
use crate::workflow::compiled::Workflow;
use crate::workflow::journal::{Actor, Cause, Entry};

/// Steps of the standard lifecycle model that events use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lifecycle {
    /// A seat is given to a person.
    Assign,
    /// A seat is passed on.
    Reassign,
    /// A seat waits for signers added before it.
    Suspend,
    /// Its turn has come again.
    Resume,
    /// Done.
    Complete,
    /// The system approved because the same person had approved before.
    Autoskip,
    /// A seat was taken away or closed without a vote.
    AteAbort,
    /// The requester withdrew the case.
    Withdraw,
}

impl Lifecycle {
    /// The name in the lifecycle extension.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Assign => "assign",
            Self::Reassign => "reassign",
            Self::Suspend => "suspend",
            Self::Resume => "resume",
            Self::Complete => "complete",
            Self::Autoskip => "autoskip",
            Self::AteAbort => "ate_abort",
            Self::Withdraw => "withdraw",
        }
    }
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<log xes.version=\"1849-2016\" xes.features=\"\" xmlns=\"http://www.xes-standard.org/\">\n\
\x20 <extension name=\"Concept\" prefix=\"concept\" uri=\"http://www.xes-standard.org/concept.xesext\"/>\n\
\x20 <extension name=\"Time\" prefix=\"time\" uri=\"http://www.xes-standard.org/time.xesext\"/>\n\
\x20 <extension name=\"Organizational\" prefix=\"org\" uri=\"http://www.xes-standard.org/org.xesext\"/>\n\
\x20 <extension name=\"Lifecycle\" prefix=\"lifecycle\" uri=\"http://www.xes-standard.org/lifecycle.xesext\"/>\n\
\x20 <global scope=\"trace\">\n    <string key=\"concept:name\" value=\"\"/>\n  </global>\n\
\x20 <global scope=\"event\">\n    <string key=\"concept:name\" value=\"\"/>\n\
\x20   <date key=\"time:timestamp\" value=\"1970-01-01T00:00:00.000Z\"/>\n\
\x20   <string key=\"org:resource\" value=\"\"/>\n\
\x20   <string key=\"lifecycle:transition\" value=\"complete\"/>\n  </global>\n\
\x20 <classifier name=\"Activity\" keys=\"concept:name\"/>\n\
\x20 <classifier name=\"Activity and step\" keys=\"concept:name lifecycle:transition\"/>\n\
\x20 <string key=\"lifecycle:model\" value=\"standard\"/>\n";

struct Event<'a> {
    name: &'a str,
    instance: Option<String>,
    step: Lifecycle,
    resource: String,
    at: Instant,
    seq: Option<u64>,
}

fn write(text: &mut String, event: &Event<'_>) {
    text.push_str("    <event>\n");
    let mut string = |key: &str, value: &str| {
        let _ = writeln!(text, "      <string key=\"{key}\" value=\"{}\"/>", xml(value));
    };
    string("concept:name", event.name);
    if let Some(instance) = &event.instance {
        string("concept:instance", instance);
    }
    string("lifecycle:transition", event.step.name());
    string("org:resource", &event.resource);
    if let Some(seq) = event.seq {
        let _ = writeln!(text, "      <int key=\"seq\" value=\"{seq}\"/>");
    }
    let at = event.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let _ = writeln!(text, "      <date key=\"time:timestamp\" value=\"{at}\"/>\n    </event>");
}

fn begin(text: &mut String, case: &str) {
    let case = xml(case);
    let _ = writeln!(text, "  <trace>\n    <string key=\"concept:name\" value=\"{case}\"/>");
}

/// Who acted: the person, or the system.
fn resource(actor: &Actor) -> String {
    match actor {
        Actor::Human { person, .. } => person.to_string(),
        Actor::System(_) => String::from("system"),
    }
}

/// A log with one event per entry.
///
/// The events of a seat carry the state as their name, the seat as their instance, and the person
/// whose work it is as their resource; all other events carry the name of the change.
///
/// ```
/// let empty = aftersale::interchange::xes::everything([]);
/// assert!(empty.ends_with("</log>\n"));
/// ```
#[must_use]
pub fn everything<'a>(
    cases: impl IntoIterator<Item = (&'a CaseId, &'a [Entry<Change>])>,
) -> String {
    let mut text = String::from(HEAD);
    for (case, entries) in cases {
        begin(&mut text, case.as_str());
        let mut desk = Desk::new();
        for entry in entries {
            let event = desk.event(entry);
            write(&mut text, &event);
            desk.follow(&entry.body);
        }
        text.push_str("  </trace>\n");
    }
    text.push_str("</log>\n");
    text
}

/// A log of orders with one trace per case, named with its order, and one event for each thing that
/// happened to the case. The steps of its review are in the words of the lifecycle extension, as in
/// [`everything`]; all others are `complete`.
///
/// ```
/// let empty = aftersale::interchange::xes::returns([]);
/// assert!(empty.ends_with("</log>\n"));
/// ```
#[must_use]
pub fn returns<'a>(orders: impl IntoIterator<Item = (&'a OrderId, &'a [Happened])>) -> String {
    let mut text = String::from(HEAD);
    for (order, happened) in orders {
        let mut traces: BTreeMap<&CaseId, (Desk, Vec<&Happened>)> = BTreeMap::new();
        for event in happened {
            if let Some(case) = event.fact.case() {
                traces.entry(case).or_insert_with(|| (Desk::new(), Vec::new())).1.push(event);
            }
        }
        for (case, (mut desk, own)) in traces {
            begin(&mut text, &format!("{order}/{case}"));
            for event in own {
                write_happened(&mut text, &mut desk, event);
            }
            text.push_str("  </trace>\n");
        }
    }
    text.push_str("</log>\n");
    text
}

fn write_happened(text: &mut String, desk: &mut Desk, event: &Happened) {
    let Some(step) = event.fact.review_step() else {
        let (resource, seq) = (event.actor.id.to_string(), Some(event.sequence));
        let (name, step) = (event.fact.name(), Lifecycle::Complete);
        return write(text, &Event { name, instance: None, step, resource, at: event.at, seq });
    };
    let entry = step.entry(event.sequence, event);
    let named = desk.event(&entry);
    if named.instance.is_some() {
        write(text, &named);
    } else {
        let name = kind_of(event);
        write(text, &Event { name: &name, ..named });
    }
    desk.follow(&entry.body);
}

/// A log with one event per transition of the workflow net.
///
/// # Errors
///
/// [`WalkError`] when a history was not made under this definition.
pub fn moves<'a>(
    workflow: &Workflow,
    cases: impl IntoIterator<Item = (&'a CaseId, &'a [Entry<Change>])>,
) -> Result<String, WalkError> {
    let mut text = String::from(HEAD);
    for (case, entries) in cases {
        begin(&mut text, case.as_str());
        for step in walk(workflow, entries)? {
            let withdraws = step.transition.withdraws();
            let event = Event {
                name: &step.transition.label,
                instance: None,
                step: if withdraws { Lifecycle::Withdraw } else { Lifecycle::Complete },
                resource: resource(&step.actor),
                at: step.at,
                seq: None,
            };
            write(&mut text, &event);
        }
        text.push_str("  </trace>\n");
    }
    text.push_str("</log>\n");
    Ok(text)
}

/// What has to be remembered of a case to name its events.
struct Desk {
    state: String,
    round: u32,
    held: BTreeSet<u16>,
}

impl Desk {
    const fn new() -> Self {
        Self { state: String::new(), round: 1, held: BTreeSet::new() }
    }

    fn event<'a>(&'a self, entry: &'a Entry<Change>) -> Event<'a> {
        let of_seat = |seat: u16, step: Lifecycle, person: Option<&ActorId>| {
            let resource = person.map_or_else(|| resource(&entry.actor), ToString::to_string);
            (Some(seat), step, resource)
        };
        let (seat, step, resource) = match &entry.body {
            Change::SeatActivated { seat, person, .. } => {
                let again = self.held.contains(seat);
                let step = if again { Lifecycle::Resume } else { Lifecycle::Assign };
                of_seat(*seat, step, Some(person))
            }
            Change::Transferred { seat, to } | Change::HandedOver { seat, to, .. } => {
                of_seat(*seat, Lifecycle::Reassign, Some(to))
            }
            Change::SeatsAdded { to, place: Beside::Before, .. } => {
                of_seat(*to, Lifecycle::Suspend, None)
            }
            Change::Voted { seat, .. } => {
                let step = match entry.actor {
                    Actor::System(Cause::SamePerson) => Lifecycle::Autoskip,
                    Actor::System(_) | Actor::Human { .. } => Lifecycle::Complete,
                };
                of_seat(*seat, step, None)
            }
            Change::SeatRemoved { seat, .. } => of_seat(*seat, Lifecycle::AteAbort, None),
            Change::SeatsClosed { .. } => (None, Lifecycle::AteAbort, resource(&entry.actor)),
            Change::Withdrawn => (None, Lifecycle::Withdraw, resource(&entry.actor)),
            _ => (None, Lifecycle::Complete, resource(&entry.actor)),
        };
        let name = match seat {
            Some(_) => self.state.as_str(),
            None => super::ocel::activity(&entry.body),
        };
        let instance = seat.map(|seat| format!("{}/{}/{seat}", self.state, self.round));
        Event { name, instance, step, resource, at: entry.at, seq: Some(entry.seq) }
    }

    fn follow(&mut self, change: &Change) {
        match change {
            Change::Moved { moved, new_round, .. } => {
                self.state = moved.to.state.to_string();
                self.round = self.round.saturating_add(u32::from(*new_round));
                self.held.clear();
            }
            Change::SeatsAdded { to, place: Beside::Before, .. } => {
                self.held.insert(*to);
            }
            Change::SeatActivated { seat, .. } => {
                self.held.remove(seat);
            }
            Change::Migrated { token, .. } => self.state = token.state.to_string(),
            _ => {}
        }
    }
}
