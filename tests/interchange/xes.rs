//! Histories as XES logs, definitions as workflow nets, and the one replayed on the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::desks::{Taste, play};
use crate::common::xml::{Element, read};
use crate::common::{Dice, World};
use aftersale::approval::change::Change;
use aftersale::approval::command::Order;
use aftersale::approval::process::Process;
use aftersale::id::CaseId;
use aftersale::interchange::pnml::{Net, NetPlace, WalkError, walk};
use aftersale::interchange::xes;
use aftersale::workflow::builder::WorkflowBuilder;
use aftersale::workflow::compiled::Workflow;
use aftersale::workflow::definition::WorkflowDraft;
use aftersale::workflow::journal::{Actor, Entry};
use aftersale::workflow::verify::verify;

const ALL: Taste = Taste { events_back: true, caps: None };

fn histories(seeds: std::ops::Range<u64>) -> Vec<World> {
    let end = |(mut w, mut p): (World, Process)| {
        // Time finishes what people left.
        for _ in 0..200 {
            let Some(due) = p.next_deadline() else { break };
            let now = due.max(w.now);
            w.tick(&mut p, now);
        }
        w
    };
    seeds
        .filter_map(|seed| play(seed, 5 + seed as usize % 60, ALL, |_, _, _, _| {}).map(end))
        .collect()
}

fn case() -> CaseId {
    CaseId::new("R-1").unwrap()
}

// ---------------------------------------------------------------- XES

/// WFL-50: an XES log has one event per entry, in order, with its time and its lifecycle step.
#[test]
fn an_xes_log_has_every_entry() {
    let mut steps: BTreeMap<String, usize> = BTreeMap::new();
    for w in histories(0..120) {
        let case = case();
        let log = read(&xes::everything([(&case, w.log.as_slice())]));
        let trace = log.only("trace");
        assert_eq!(trace.keyed("concept:name"), Some("R-1"));
        let events = trace.all("event");
        assert_eq!(events.len(), w.log.len());
        // The people who hold seats, as the log alone tells it.
        let mut holders: BTreeMap<String, String> = BTreeMap::new();
        for (event, entry) in events.iter().zip(&w.log) {
            let get = |key: &str| event.keyed(key).unwrap();
            assert_eq!(get("seq"), entry.seq.to_string());
            let at: aftersale::time::Instant = get("time:timestamp").parse().unwrap();
            assert_eq!(at, entry.at);
            let step = get("lifecycle:transition");
            *steps.entry(step.to_owned()).or_default() += 1;
            let actor = match &entry.actor {
                Actor::Human { person, .. } => person.as_str(),
                Actor::System(_) => "system",
            };
            let resource = get("org:resource");
            let instance = event.keyed("concept:instance").map(str::to_owned);
            match &entry.body {
                Change::SeatActivated { person, .. } => {
                    assert_eq!(resource, person.as_str());
                    let known = holders.insert(instance.clone().unwrap(), resource.to_owned());
                    assert_eq!(known.is_some(), step == "resume", "{entry:?}");
                }
                Change::Transferred { to, .. } | Change::HandedOver { to, .. } => {
                    assert_eq!((resource, step), (to.as_str(), "reassign"));
                    let old = holders.insert(instance.clone().unwrap(), resource.to_owned());
                    assert_ne!(old.as_deref(), Some(resource));
                }
                Change::Voted { .. } => {
                    assert_eq!(resource, actor);
                    if actor != "system" {
                        assert_eq!(holders[&instance.clone().unwrap()], actor);
                    }
                }
                _ => assert_eq!(resource, actor),
            }
            if let Some(instance) = instance {
                assert!(instance.starts_with(get("concept:name")));
            }
        }
    }
    let expected = [
        "assign",
        "ate_abort",
        "autoskip",
        "complete",
        "reassign",
        "resume",
        "suspend",
        "withdraw",
    ];
    assert_eq!(steps.keys().map(String::as_str).collect::<Vec<_>>(), expected);
}

// ---------------------------------------------------------------- the net

/// A net as a tool reads it from the document.
struct Read {
    initial: BTreeMap<String, u32>,
    end: String,
    /// Label, places taken from, places put to.
    transitions: Vec<(String, Vec<String>, Vec<String>)>,
    places: BTreeSet<String>,
}

fn read_net(text: &str) -> Read {
    let document = read(text);
    assert_eq!(document.name, "pnml");
    let net = document.only("net");
    let page = net.only("page");
    let arcs = page.all("arc");
    let mut ids = BTreeSet::new();
    for element in &page.children {
        assert!(ids.insert(element.get("id").to_owned()), "an id twice");
    }
    let ends = |id: &str, at: &str, other: &str| -> Vec<String> {
        let mine = arcs.iter().filter(|arc| arc.get(at) == id);
        mine.map(|arc| arc.get(other).to_owned()).collect()
    };
    let name = |element: &Element| element.only("name").only("text").text.clone();
    let initial = page.all("place").into_iter().filter_map(|place| {
        let marked = place.all("initialMarking");
        let tokens = marked.first()?.only("text").text.parse().unwrap();
        Some((place.get("id").to_owned(), tokens))
    });
    let marking = net.only("finalmarkings").only("marking").only("place");
    Read {
        initial: initial.collect(),
        end: marking.get("idref").to_owned(),
        transitions: page
            .all("transition")
            .into_iter()
            .map(|t| {
                let id = t.get("id");
                (name(t), ends(id, "target", "source"), ends(id, "source", "target"))
            })
            .collect(),
        places: page.all("place").iter().map(|place| place.get("id").to_owned()).collect(),
    }
}

/// Token replay after van der Aalst: tokens produced, consumed, missing, remaining.
fn fitness(net: &Read, labels: &[String], finished: bool) -> (u32, u32, u32, u32) {
    let mut marking: BTreeMap<&str, u32> =
        net.initial.iter().map(|(place, tokens)| (place.as_str(), *tokens)).collect();
    let (mut produced, mut consumed, mut missing) = (marking.values().sum::<u32>(), 0, 0);
    for label in labels {
        let named: Vec<_> = net.transitions.iter().filter(|t| t.0 == *label).collect();
        let enabled = |t: &&&(String, Vec<String>, Vec<String>)| {
            t.1.iter().all(|place| marking.get(place.as_str()).is_some_and(|n| *n > 0))
        };
        let Some(taken) = named.iter().find(enabled).or(named.first()) else {
            missing += 1; // an activity the net does not know
            continue;
        };
        for place in &taken.1 {
            let tokens = marking.entry(place.as_str()).or_default();
            missing += u32::from(*tokens == 0);
            *tokens = tokens.saturating_sub(1);
            consumed += 1;
        }
        for place in &taken.2 {
            *marking.entry(place.as_str()).or_default() += 1;
            produced += 1;
        }
    }
    if finished {
        let end = marking.entry(net.end.as_str()).or_default();
        missing += u32::from(*end == 0);
        *end = end.saturating_sub(1);
        consumed += 1;
    } else {
        // A case under way has its one token somewhere.
        assert_eq!(marking.values().sum::<u32>(), 1);
        marking.clear();
        consumed += 1;
    }
    (produced, consumed, missing, marking.values().sum())
}

fn labels(workflow: &Workflow, log: &[Entry<Change>]) -> Vec<String> {
    let case = case();
    let document = read(&xes::moves(workflow, [(&case, log)]).unwrap());
    let events = document.only("trace").all("event");
    events.iter().map(|event| event.keyed("concept:name").unwrap().to_owned()).collect()
}

/// WFL-51: the exported net is a workflow net, and every history fits it fully in a token replay.
#[test]
fn our_own_logs_fit_the_exported_net_fully() {
    let (mut ended, mut deeds, mut spoilt_fits, mut spoilt) = (0, BTreeSet::new(), 0, 0);
    let mut dice = Dice::new(5);
    for w in histories(1_000..1_250) {
        let net = read_net(&Net::of(&w.workflow).pnml());
        // A workflow net: one source, one sink, everything on a way from one to the other.
        let into: BTreeSet<&String> = net.transitions.iter().flat_map(|t| &t.2).collect();
        let out: BTreeSet<&String> = net.transitions.iter().flat_map(|t| &t.1).collect();
        let sources: Vec<_> = net.places.iter().filter(|p| !into.contains(p)).collect();
        let sinks: Vec<_> = net.places.iter().filter(|p| !out.contains(p)).collect();
        assert_eq!(sources, net.initial.keys().collect::<Vec<_>>());
        assert_eq!(sinks, [&net.end]);
        for forward in [true, false] {
            let start = if forward { sources[0] } else { sinks[0] };
            let mut met = BTreeSet::from([start]);
            loop {
                let size = met.len();
                for t in &net.transitions {
                    let (from, to) = if forward { (&t.1, &t.2) } else { (&t.2, &t.1) };
                    if from.iter().all(|p| met.contains(p)) {
                        met.extend(to);
                    }
                }
                if met.len() == size {
                    break;
                }
            }
            assert_eq!(met.len(), net.places.len(), "every place is on a way");
        }
        let labels = labels(&w.workflow, &w.log);
        let p = Process::replay(&w.log).unwrap();
        let finished = crate::common::desks::is_over(&p);
        ended += usize::from(finished);
        let (produced, consumed, missing, remaining) = fitness(&net, &labels, finished);
        assert_eq!((missing, remaining, produced), (0, 0, consumed), "{labels:?}");
        for label in &labels {
            let (_, deed) = label.split_once(": ").unwrap_or(("", label));
            deeds.insert(deed.split(" -> ").next().unwrap().to_owned());
        }
        // A log in which one step was lost does not fit, unless the step led nowhere.
        if labels.len() > 2 {
            let mut lost = labels.clone();
            lost.remove(dice.roll(labels.len() - 1));
            let (_, _, missing, _) = fitness(&net, &lost, true);
            spoilt += 1;
            spoilt_fits += usize::from(missing == 0);
        }
    }
    for deed in [
        "submitted",
        "approved",
        "rejected",
        "sent back",
        "submitted again",
        "approved, back to the sender",
        "taken back",
        "facts changed",
        "withdrawn",
        "stuck",
        "tried again",
        "received",
        "after never_sent",
    ] {
        assert!(deeds.contains(deed), "no history has `{deed}`: {deeds:?}");
    }
    assert!(ended > 100, "{ended} ended");
    assert!(spoilt_fits * 5 < spoilt, "{spoilt_fits} of {spoilt} spoilt logs fit");
}

#[test]
fn a_history_of_another_definition_is_not_a_walk() {
    let w = histories(1_000..1_001).remove(0);
    let other = WorkflowBuilder::new("other", 1)
        .task("first", "r", |s| s.on("go", "done"))
        .end("done", "done")
        .finish()
        .unwrap();
    let other = verify(&other).unwrap().workflow;
    assert!(walk(&other, &w.log).is_err());
    let lost = walk(&w.workflow, &w.log[3..]);
    assert!(matches!(lost, Err(WalkError::Misplaced { .. })), "{lost:?}");
    let places = Net::of(&w.workflow);
    assert!(places.places().contains(&NetPlace::Requester));
}

#[test]
fn hostile_names_do_not_break_documents() {
    let draft = WorkflowBuilder::new("w", 1)
        .task("stay", "r", |s| s.on("go", "done"))
        .end("done", "done")
        .finish()
        .unwrap();
    let hostile = r#"<x a=\"1\">&amp;]]>'--> \u2028 \ufffe 退货"#;
    let text =
        serde_json::to_string(&draft).unwrap().replace("\"stay\"", &format!("\"{hostile}\""));
    let draft: WorkflowDraft = serde_json::from_str(&text).unwrap();
    let workflow = verify(&draft).unwrap().workflow;
    let net = read_net(&Net::of(&workflow).pnml());
    assert!(net.transitions.iter().any(|t| t.0.contains("&amp;]]>'-->")), "{:?}", net.transitions);
    let mut w = World::of(workflow);
    let mut p = w.submitted("zhou");
    let event = aftersale::workflow::EventName::new("go").unwrap();
    w.act(&mut p, "ann", Order::Fire { event }).unwrap();
    let case = CaseId::new("<R>&\"1").unwrap();
    let log = read(&xes::everything([(&case, w.log.as_slice())]));
    assert_eq!(log.only("trace").keyed("concept:name"), Some("<R>&\"1"));
    let moves = read(&xes::moves(&w.workflow, [(&case, w.log.as_slice())]).unwrap());
    assert_eq!(moves.only("trace").all("event").len(), 2);
}
