//! Histories as object-centric event logs.

use std::collections::BTreeSet;

use crate::common::{Dice, World, at};
use aftersale::id::CaseId;
use aftersale::interchange::ocel::{Ocel, ocel, projected};
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::rule::{Mode, TimeoutAction};
use aftersale::workflow::span::Span;

fn world() -> World {
    World::new(
        crate::common::facts(WorkflowBuilder::new("log", 1))
            .approval(
                "first",
                Approval::new(Mode::All, ["service"])
                    .timeout(Span::hours(30), TimeoutAction::Reject),
                |s| s.approved("paid").rejected("declined"),
            )
            .end("paid", "paid")
            .end("declined", "declined"),
    )
}

/// WFL-46: projecting an exported log back to case, activity and time gives the entries.
#[test]
fn an_exported_log_projects_back_to_the_entries() {
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let mut w = world();
        let mut p = w.submitted("zhou");
        for _ in 0..30 {
            let orders = w.orders(&p);
            let order = orders[dice.roll(orders.len())].clone();
            let actor = w.somebody(&p, &mut dice);
            let _ = w.act(&mut p, actor.as_str(), order);
            w.undeclare(&p);
        }
        w.now = w.now.max(at(40 * 3_600));
        let now = w.now;
        w.tick(&mut p, now);
        let case = CaseId::new("R-1").unwrap();
        let log = ocel([(&case, w.log.as_slice())]);
        let entries: Vec<_> = w
            .log
            .iter()
            .map(|entry| {
                let kind = serde_json::to_value(&entry.body).unwrap()["type"].clone();
                ("R-1".to_owned(), kind.as_str().unwrap().to_owned(), entry.at)
            })
            .collect();
        assert_eq!(projected(&log), entries);
        let text = serde_json::to_string(&log).unwrap();
        assert_eq!(serde_json::from_str::<Ocel>(&text).unwrap(), log);
        // What readers insist on: unique ids, declared types, known objects, every key written.
        let ids: BTreeSet<_> = log.events.iter().map(|e| &e.id).collect();
        assert_eq!(ids.len(), log.events.len());
        let objects: BTreeSet<_> = log.objects.iter().map(|o| &o.id).collect();
        let types: BTreeSet<_> = log.event_types.iter().map(|t| &t.name).collect();
        let mut met = BTreeSet::new();
        for event in &log.events {
            assert!(types.contains(&event.kind) && !event.relationships.is_empty());
            for relation in &event.relationships {
                assert!(objects.contains(&relation.object_id));
                met.insert(&relation.object_id);
            }
        }
        assert_eq!(met, objects);
        for key in ["objectTypes", "eventTypes", "objects", "events", "objectId", "qualifier"] {
            assert!(text.contains(&format!("\"{key}\"")));
        }
    }
}
