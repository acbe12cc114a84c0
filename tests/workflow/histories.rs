//! Workflows: times, drawings, histories, versions, and what verification promises.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::{Dice, World, at, fact, interval, person, state};
use aftersale::approval::change::{BackTo, Change, Way};
use aftersale::approval::command::Order;
use aftersale::approval::process::Process;
use aftersale::approval::standing::Phase;
use aftersale::condition::cells::{Cells, MAX_CELLS};
use aftersale::condition::schema::{FactType, Schema};
use aftersale::condition::{Check, Condition, Facts};
use aftersale::explain::Fact;
use aftersale::label::Language;
use aftersale::time::Instant;
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::canonical::{fingerprint, write};
use aftersale::workflow::compiled::Workflow;
use aftersale::workflow::defect::{Defect, DefectCode, Place};
use aftersale::workflow::definition::{Stability, StateKind, Weight, WorkflowDraft};
use aftersale::workflow::difference::{Difference, Fate, Part, difference};
use aftersale::workflow::drawing::Drawing;
use aftersale::workflow::hours::OpeningHours;
use aftersale::workflow::journal::Entry;
use aftersale::workflow::migration::{Carry, MigrationDefect, plan};
use aftersale::workflow::rule::{Mode, Policy};
use aftersale::workflow::span::{Clock, Span};
use aftersale::workflow::upcast::{Upcasters, Value};
use aftersale::workflow::verify::verify;
use aftersale::workflow::{EventName, StateId};

fn defects(builder: WorkflowBuilder) -> Vec<(DefectCode, Place)> {
    let draft = builder.finish().unwrap();
    let found: Vec<Defect> = verify(&draft).err().unwrap_or_default();
    found.into_iter().map(|d| (d.code, d.at)).collect()
}

fn at_state(name: &str) -> Place {
    Place::State(state(name))
}

fn flag(name: &str) -> Condition {
    Condition::test(fact(name), Check::Is(Fact::Flag(true)))
}

fn returns() -> WorkflowBuilder {
    crate::common::facts(WorkflowBuilder::new("jacket_returns", 1))
        .label("Jacket returns", "夹克退货")
        .guard(
            "large",
            Condition::test(
                fact("amount"),
                Check::Above(Fact::Amount(crate::common::money(20_000))),
            ),
        )
        .choice("band", |s| s.when("large", "finance").otherwise("service"))
        .approval("service", Approval::new(Mode::Any, ["service"]), |s| {
            s.label("Service review", "客服审核")
                .approved("jacket")
                .rejected("declined")
                .leaves_after("silent", Span::business_hours(16), "declined")
        })
        .approval("finance", Approval::new(Mode::All, ["finance"]), |s| {
            s.approved("jacket").rejected("declined").leaves_after(
                "silent",
                Span::days(3),
                "declined",
            )
        })
        .wait("jacket", "customer", |s| {
            s.on("jacket_received", "refunded").leaves_after("not_sent", Span::days(14), "lapsed")
        })
        .end("refunded", "refunded")
        .end("declined", "declined")
        .end("lapsed", "lapsed")
}

// ---------------------------------------------------------------- defects by name

#[test]
fn a_trap_that_only_one_fixed_fact_opens_is_found() {
    let fixed = WorkflowBuilder::new("trap", 1)
        .fact("recalled", FactType::Flag, Stability::Frozen, Weight::Plain)
        .guard("recalled", flag("recalled"))
        .task("check", "qc", |s| {
            s.on_if("checked", "recalled", "hold").on_otherwise("checked", "done")
        })
        .task("hold", "qc", |s| s.on("rechecked", "check"))
        .end("done", "done");
    let found = defects(fixed);
    assert_eq!(
        found,
        [(DefectCode::Livelock, at_state("check")), (DefectCode::Livelock, at_state("hold"))]
    );
    // The same arrows with a fact that may change are sound: the next look may differ.
    let volatile = WorkflowBuilder::new("trap", 1)
        .fact("recalled", FactType::Flag, Stability::Volatile, Weight::Plain)
        .guard("recalled", flag("recalled"))
        .task("check", "qc", |s| {
            s.on_if("checked", "recalled", "hold").on_otherwise("checked", "done")
        })
        .task("hold", "qc", |s| s.on("rechecked", "check"))
        .end("done", "done");
    assert_eq!(defects(volatile), []);
}

#[test]
fn bands_that_leave_a_hole_or_overlap_are_found_to_the_cent() {
    let amount = |check: fn(Fact) -> Check, minor| {
        Condition::test(fact("amount"), check(Fact::Amount(crate::common::money(minor))))
    };
    let bands = |upper: Condition| {
        crate::common::facts(WorkflowBuilder::new("bands", 1))
            .guard("small", amount(Check::AtMost, 20_000))
            .guard("large", upper)
            .choice("band", |s| s.when("small", "paid").when("large", "board"))
            .task("board", "board", |s| s.on("signed", "paid"))
            .end("paid", "paid")
    };
    assert_eq!(defects(bands(amount(Check::Above, 20_000))), []);
    assert_eq!(
        defects(bands(amount(Check::Above, 20_001))),
        [(DefectCode::NotTotal, at_state("band"))]
    );
    assert_eq!(
        defects(bands(amount(Check::AtLeast, 20_000))),
        [(DefectCode::Nondeterministic, at_state("band"))]
    );
    let draft = bands(amount(Check::Above, 20_001)).finish().unwrap();
    let hole = verify(&draft).unwrap_err().remove(0).witness.unwrap().facts;
    assert_eq!(hole.get(&fact("amount")), Some(&Fact::Amount(crate::common::money(20_001))));
}

#[test]
fn every_kind_of_defect_is_named() {
    let end = |b: WorkflowBuilder| b.end("done", "done");
    let base = || WorkflowBuilder::new("w", 1);
    let review = |rule: Approval| {
        end(base()
            .role_of("nobody", [])
            .role_of("two", ["li", "wang"])
            .approval("a", rule, |s| s.approved("done").rejected("done").waits_because("staffed")))
    };
    let cases: Vec<(WorkflowBuilder, DefectCode)> = vec![
        (
            end(base()
                .task("a", "r", |s| s.on("go", "done"))
                .task("a", "r", |s| s.on("go", "done"))),
            DefectCode::DuplicateId,
        ),
        (base().task("a", "r", |s| s.on("go", "a")), DefectCode::NoFinal),
        (end(base().task("a", "r", |s| s.on("go", "nowhere"))), DefectCode::Dangling),
        (
            end(base().task("a", "r", |s| s.on_if("go", "unheard_of", "done"))),
            DefectCode::UnknownGuard,
        ),
        (
            end(base().task("a", "r", |s| s.on("go", "done").reminds_after("t", Span::hours(0)))),
            DefectCode::BadDuration,
        ),
        (review(Approval::new(Mode::Any, [])), DefectCode::ApprovalUnspecified),
        (
            end(base().task("a", "r", |s| s.on("go", "done")))
                .policy(Policy { seats_max: 0, ..Policy::default() }),
            DefectCode::BadPolicy,
        ),
        (
            end(base()
                .task("a", "r", |s| s.on("go", "done"))
                .task("b", "r", |s| s.on("go", "done"))),
            DefectCode::UnreachableState,
        ),
        (
            end(base().task("a", "r", |s| {
                s.on("go", "done").leaves_after("t", Span::hours(1), "done").leaves_after(
                    "u",
                    Span::hours(2),
                    "done",
                )
            })),
            DefectCode::DeadTransition,
        ),
        (
            end(base().task("a", "r", |s| s.on("go", "b").on("skip", "done")).task(
                "b",
                "r",
                |s| s,
            )),
            DefectCode::DeadEnd,
        ),
        (
            end(base().task("a", "r", |s| s.on("go", "b").on("skip", "done")).task(
                "b",
                "r",
                |s| s.on("again", "b"),
            )),
            DefectCode::Livelock,
        ),
        (
            end(base().task("a", "r", |s| s.on("go", "a").on("go", "done"))),
            DefectCode::Nondeterministic,
        ),
        (
            end(base()
                .fact("x", FactType::Flag, Stability::Volatile, Weight::Plain)
                .guard("x", flag("x"))
                .choice("a", |s| s.when("x", "done"))),
            DefectCode::NotTotal,
        ),
        (
            end(base().approval("a", Approval::new(Mode::Any, ["two"]), |s| {
                s.approved("done").waits_because("staffed")
            })),
            DefectCode::ApprovalOutcomeUnhandled,
        ),
        (end(base().wait("a", "customer", |s| s.on("go", "done"))), DefectCode::MissingTimer),
        (
            end(base()
                .wait("a", "c", |s| s.on("go", "done").leaves_after("t", Span::hours(1), "b"))
                .wait("b", "c", |s| s.leaves_after("t", Span::hours(1), "a"))),
            DefectCode::SystemCycle,
        ),
        (
            base().task("a", "r", |s| s.on("go", "done")).state_after_end(),
            DefectCode::ImproperCompletion,
        ),
        (review(Approval::new(Mode::Count(3), ["two"])), DefectCode::ApprovalUnsatisfiable),
        (review(Approval::new(Mode::Any, ["requester"])), DefectCode::ApprovalUnsatisfiable),
        (
            review(
                Approval::new(Mode::Any, ["nobody"])
                    .with(|r| r.on_empty = aftersale::workflow::rule::OnEmpty::Approve),
            ),
            DefectCode::ApprovalVacuous,
        ),
        (review(Approval::new(Mode::Count(0), ["two"])), DefectCode::ApprovalBadThreshold),
        (
            end(base()
                .fact("x", FactType::Flag, Stability::Frozen, Weight::Plain)
                .constraint(flag("x"))
                .constraint(Condition::Not(Box::new(flag("x"))))
                .task("a", "r", |s| s.on("go", "done"))),
            DefectCode::ContradictoryGuards,
        ),
    ];
    for (builder, code) in cases {
        let found = defects(builder);
        assert!(found.iter().any(|(c, _)| *c == code), "{code}: {found:?}");
    }
    let mut lost = end(base().task("a", "r", |s| s.on("go", "done"))).finish().unwrap();
    lost.initial = state("nowhere");
    assert_eq!(verify(&lost).unwrap_err()[0].code, DefectCode::MissingInitial);
    lost.schema = 7;
    assert_eq!(verify(&lost).unwrap_err()[0].code, DefectCode::TooLarge);
}

trait AfterEnd {
    fn state_after_end(self) -> Self;
}

impl AfterEnd for WorkflowBuilder {
    /// A final state with a timer, which the builder does not offer.
    fn state_after_end(self) -> Self {
        self.task("done", "r", |s| s.on("again", "a")).end("over", "over").make_final("done")
    }
}

trait MakeFinal {
    fn make_final(self, state: &str) -> Self;
}

impl MakeFinal for WorkflowBuilder {
    fn make_final(self, _: &str) -> Self {
        let mut draft = self.finish().unwrap();
        let outcome = aftersale::workflow::OutcomeCode::new("done").unwrap();
        draft.states[1].kind = StateKind::Final { outcome };
        Self::from(draft)
    }
}

#[test]
fn the_longest_silence_is_told_per_state() {
    let verified = verify(&returns().finish().unwrap()).unwrap();
    let of = |name: &str| verified.silences.iter().find(|s| s.state.as_str() == name).unwrap();
    assert_eq!(of("jacket").here, Some(Span::days(14).into()));
    assert_eq!(of("service").total, Span::business_hours(16).into());
    assert_eq!(of("finance").until.as_str(), "declined");
}

/// WFL-42: an unreachable state more, or other names, change no other verdict.
#[test]
fn names_and_unreachable_states_do_not_matter() {
    let draft = returns().finish().unwrap();
    assert!(verify(&draft).is_ok());
    let mut more = draft.clone();
    more.states.push(returns().end("island", "island").finish().unwrap().states.pop().unwrap());
    let found = verify(&more).unwrap_err();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].code, &found[0].at), (DefectCode::UnreachableState, &at_state("island")));
    let text = serde_json::to_string(&draft).unwrap();
    let renamed = text.replace("jacket", "telephone").replace("finance", "treasury");
    let renamed: WorkflowDraft = serde_json::from_str(&renamed).unwrap();
    assert!(verify(&renamed).is_ok());
}

// ---------------------------------------------------------------- walks

/// Every event of the present state, or the timers, at random, with random volatile facts.
fn walk(
    workflow: &Workflow,
    hours: &OpeningHours,
    dice: &mut Dice,
    steps: usize,
) -> (bool, StateId) {
    use aftersale::workflow::token::{expire, fire, start};
    let facts = |dice: &mut Dice| {
        let amount = Fact::Amount(crate::common::money([0, 20_000, 20_001, 90_000][dice.roll(4)]));
        Facts::new().with(fact("amount"), amount).with(fact("recalled"), Fact::Flag(true))
    };
    let mut now = at(0);
    let mut token = start(workflow, &facts(dice), hours, now).unwrap().to;
    for _ in 0..steps {
        if token.outcome.is_some() {
            return (true, token.state);
        }
        let events: Vec<EventName> = workflow.events_of(&token.state).cloned().collect();
        let moved = if events.is_empty() || dice.roll(4) == 0 {
            let Some(timer) = token.timers.iter().find(|t| t.leaves).cloned() else { continue };
            now = timer.due;
            expire(workflow, &token, &timer.timer, &facts(dice), hours, now)
        } else {
            let event = &events[dice.roll(events.len())];
            now += chrono::TimeDelta::minutes(5);
            fire(workflow, &token, event, &facts(dice), hours, now)
        };
        if let Ok(moved) = moved {
            let kind = &workflow.find(&moved.to.state).unwrap().kind;
            assert!(kind.waits(), "a stored state waits");
            token = moved.to;
        }
    }
    (false, token.state)
}

/// WFL-38: random walks in verified definitions always keep a way to a final state.
#[test]
fn walks_of_any_length_keep_a_way_to_the_end() {
    let looping = crate::common::facts(WorkflowBuilder::new("looping", 1))
        .guard(
            "large",
            Condition::test(
                fact("amount"),
                Check::Above(Fact::Amount(crate::common::money(20_000))),
            ),
        )
        .task("check", "qc", |s| s.on("checked", "band"))
        .choice("band", |s| s.when("large", "review").otherwise("goods"))
        .approval("review", Approval::new(Mode::Any, ["service"]), |s| {
            s.approved("goods").rejected("check").waits_because("staffed")
        })
        .wait("goods", "customer", |s| {
            s.on("lost", "check").on("received", "paid").leaves_after("t", Span::days(9), "lapsed")
        })
        .end("paid", "paid")
        .end("lapsed", "lapsed");
    let hours = OpeningHours::new((0..3_000).map(|d| interval(d * 86_400, d * 86_400 + 28_800)));
    for builder in [returns(), looping] {
        let workflow = verify(&builder.finish().unwrap()).unwrap().workflow;
        let draft = workflow.draft();
        // Which states lead to a final one, by any arrow or timer.
        let mut hopeful: BTreeSet<&StateId> = BTreeSet::new();
        loop {
            let size = hopeful.len();
            for s in &draft.states {
                let timers = s.timers.iter().filter_map(|t| match &t.then {
                    aftersale::workflow::definition::TimerAction::Leave { to } => Some(to),
                    aftersale::workflow::definition::TimerAction::Remind => None,
                });
                let arrows = draft.arrows.iter().filter(|a| a.from == s.id).map(|a| &a.to);
                let is_final = matches!(s.kind, StateKind::Final { .. });
                if is_final || timers.chain(arrows).any(|to| hopeful.contains(to)) {
                    hopeful.insert(&s.id);
                }
            }
            if hopeful.len() == size {
                break;
            }
        }
        let mut ended = 0;
        for seed in 0..300 {
            let mut dice = Dice::new(seed);
            let steps = dice.roll(60);
            let (end, last) = walk(&workflow, &hours, &mut dice, steps);
            ended += usize::from(end);
            assert!(hopeful.contains(&last), "{last} leads nowhere");
        }
        assert!(ended > 100);
    }
}

/// WFL-41: a condition has the same truth for facts and for the representative of their cell.
#[test]
fn facts_and_their_cell_agree() {
    let schema = Schema::new()
        .with(fact("amount"), FactType::Amount(aftersale::money::currency::Currency::CNY))
        .with(fact("recalled"), FactType::Flag);
    let bound = |minor| Fact::Amount(crate::common::money(minor));
    let conditions = [
        Condition::test(fact("amount"), Check::AtMost(bound(20_000))),
        Condition::test(fact("amount"), Check::Above(bound(50_000))),
        flag("recalled"),
    ];
    let cells = Cells::of(&schema, &conditions, MAX_CELLS).unwrap();
    let signature = |facts: &Facts| conditions.each_ref().map(|c| c.evaluate(facts));
    let known: BTreeSet<_> = cells.iter().map(|facts| signature(&facts)).collect();
    for minor in (0..60_000).step_by(7).chain([20_000, 20_001, 50_000, 50_001]) {
        for recalled in [false, true] {
            let facts = Facts::new()
                .with(fact("amount"), bound(minor))
                .with(fact("recalled"), Fact::Flag(recalled));
            assert!(known.contains(&signature(&facts)));
        }
    }
}

// ---------------------------------------------------------------- times

#[test]
fn spans_are_read_and_written_as_iso_durations() {
    for (text, seconds) in
        [("P2D", 172_800), ("PT36H", 129_600), ("P1DT1H1M1S", 90_061), ("PT0S", 0), ("-PT5M", -300)]
    {
        let span: Span = serde_json::from_str(&format!("{{\"elapsed\":\"{text}\"}}")).unwrap();
        assert_eq!((span.clock(), span.seconds()), (Clock::Elapsed, seconds));
        let back: Span = serde_json::from_str(&serde_json::to_string(&span).unwrap()).unwrap();
        assert_eq!(back, span);
    }
    for text in ["P", "PT", "P1W", "PT1H1H", "P1DT", "5h", "P-1D", "PT1.5H", "P99999999999999999D"]
    {
        assert!(
            serde_json::from_str::<Span>(&format!("{{\"elapsed\":\"{text}\"}}")).is_err(),
            "{text}"
        );
    }
    // A business day has no fixed length.
    assert!(serde_json::from_str::<Span>("{\"business\":\"P1D\"}").is_err());
    assert_eq!(Span::new(Clock::Elapsed, 90_061).to_string(), "1 day 1 hour 1 minute 1 second");
}

#[test]
fn business_time_agrees_with_counting_seconds() {
    let periods = [interval(10, 20), interval(30, 31), interval(31, 35), interval(50, 60)];
    let hours = OpeningHours::new(periods);
    let open = |s: i64| periods.iter().any(|p| p.contains(at(s)));
    for from in 0..70 {
        for length in 1..30 {
            let counted = {
                let (mut left, mut s) = (length, from);
                loop {
                    if s > 70 {
                        break None;
                    }
                    left -= i64::from(open(s));
                    s += 1;
                    if left == 0 {
                        break Some(at(s));
                    }
                }
            };
            assert_eq!(hours.after(at(from), Span::new(Clock::Business, length)), counted);
        }
        for to in from..70 {
            let counted = (from..to).filter(|s| open(*s)).count() as i64;
            assert_eq!(hours.between(Clock::Business, at(from), at(to)), counted);
        }
    }
}

// ---------------------------------------------------------------- chain, canonical form, upcasting

#[cfg(feature = "sha2")]
mod chain {
    use super::*;
    use aftersale::workflow::chain::Sha256;
    use aftersale::workflow::journal::verify_chain;

    fn sealed() -> World {
        let mut w = World::new(returns());
        w.hash = Some(&Sha256);
        let mut p = w.submitted("zhou");
        w.approve(&mut p, &["eve", "fay"]);
        let event = EventName::new("jacket_received").unwrap();
        w.act(&mut p, "hal", Order::Fire { event }).unwrap();
        w
    }

    /// WFL-37: any edit, insertion, deletion or reordering of stored entries is noticed.
    #[test]
    fn any_change_of_a_sealed_history_is_noticed() {
        let log = sealed().log;
        verify_chain(&log, &Sha256, None).unwrap();
        let head = log.last().unwrap().seal.unwrap().own;
        verify_chain(&log, &Sha256, Some(head)).unwrap();
        let text = serde_json::to_string(&log).unwrap();
        let mut read = 0;
        for position in 0..text.len() {
            for replacement in [b'0', b'7', b'a', b'"'] {
                let mut bytes = text.clone().into_bytes();
                if bytes[position] == replacement {
                    continue;
                }
                bytes[position] = replacement;
                let Ok(edited) = serde_json::from_slice::<Vec<Entry<Change>>>(&bytes) else {
                    continue;
                };
                read += 1;
                // What reads as the same values is the same history.
                let noticed = verify_chain(&edited, &Sha256, None).is_err();
                assert!(noticed || edited == log, "byte {position}");
            }
        }
        assert!(read > 1_000, "{read} edits could be read");
        for i in 0..log.len() {
            let mut cut = log.clone();
            cut.remove(i);
            let anchor = (i == log.len() - 1).then_some(head);
            assert!(verify_chain(&cut, &Sha256, anchor).is_err(), "deletion of {i}");
            let mut doubled = log.clone();
            doubled.insert(i, log[i].clone());
            assert!(verify_chain(&doubled, &Sha256, None).is_err());
            for j in 0..i {
                let mut swapped = log.clone();
                swapped.swap(i, j);
                assert!(verify_chain(&swapped, &Sha256, None).is_err());
            }
        }
    }

    /// WFL-37: somebody who seals a changed entry again cannot hide it: the entry after it, or the head,
    /// does not fit.
    #[test]
    fn an_entry_sealed_again_is_noticed() {
        use aftersale::workflow::chain::{Digest, Seal};
        let log = sealed().log;
        let head = log.last().unwrap().seal.unwrap().own;
        let reseal = |entry: &mut Entry<Change>, previous: Digest| {
            entry.seal = None;
            entry.seal = Some(Seal::new(&Sha256, previous, &*entry));
        };
        for place in 1..log.len() {
            // With a wrong predecessor.
            let mut cut = log.clone();
            reseal(&mut cut[place], Digest::START);
            assert!(verify_chain(&cut, &Sha256, None).is_err());
            assert!(Process::replay(&cut).is_err(), "replayed over a broken chain");
            // With the whole rest sealed again: only the head, kept elsewhere, tells.
            let mut forged = log.clone();
            forged[place].at += chrono::TimeDelta::microseconds(1);
            for later in place..forged.len() {
                let previous = forged[later - 1].seal.unwrap().own;
                reseal(&mut forged[later], previous);
            }
            verify_chain(&forged, &Sha256, None).unwrap();
            assert!(verify_chain(&forged, &Sha256, Some(head)).is_err(), "entry {place}");
        }
    }

    #[test]
    fn the_hash_is_sha_256() {
        use aftersale::workflow::chain::ChainHash;
        assert_eq!(
            Sha256.hash(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_chain_does_not_change_the_state_except_its_head() {
        let (sealed, mut plain) = (sealed(), World::new(returns()));
        let mut p = plain.submitted("zhou");
        plain.approve(&mut p, &["eve", "fay"]);
        let event = EventName::new("jacket_received").unwrap();
        plain.act(&mut p, "hal", Order::Fire { event }).unwrap();
        let with = Process::replay(&sealed.log).unwrap();
        assert_eq!(with.standing(), p.standing());
        assert!(with.journal().head().is_some() && p.journal().head().is_none());
    }
}

#[test]
fn canonical_bytes_tell_left_out_fields_apart() {
    #[derive(serde::Serialize)]
    struct Two {
        #[serde(skip_serializing_if = "Option::is_none")]
        a: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        b: Option<u8>,
    }
    let bytes = |value: &Two| {
        let mut bytes = vec![];
        write(value, &mut bytes).unwrap();
        bytes
    };
    assert_ne!(bytes(&Two { a: Some(1), b: None }), bytes(&Two { a: None, b: Some(1) }));
    assert!(write(&1.5_f64, &mut vec![]).is_err());
    assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
}

/// The history of one case in form 1, as released.
fn fixture() -> &'static str {
    include_str!("../golden/workflow_entries_1.json")
}

fn fixture_log() -> Vec<Entry<Change>> {
    let mut w = World::new(returns());
    let mut p = w.submitted("zhou");
    w.act(&mut p, "eve", Order::Transfer { to: person("hal") }).unwrap();
    w.approve(&mut p, &["hal"]);
    w.act(&mut p, "fay", Order::SendBack { to: BackTo::Requester, way: Way::Resume }).unwrap();
    w.act(&mut p, "zhou", Order::Resubmit).unwrap();
    w.now = at(4 * 86_400);
    let now = w.now;
    w.tick(&mut p, now);
    w.log
}

/// WFL-36: stored entries of every released form replay to the recorded state for ever.
#[test]
fn old_histories_replay_to_the_recorded_state() {
    if std::env::var_os("WRITE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&fixture_log()).unwrap();
        std::fs::write("tests/golden/workflow_entries_1.json", text + "\n").unwrap();
    }
    let values: Vec<Value> = serde_json::from_str(fixture()).unwrap();
    let upcasters = Upcasters::new(1);
    let log: Vec<Entry<Change>> = values.into_iter().map(|v| upcasters.read(v).unwrap()).collect();
    let process = Process::replay(&log).unwrap();
    assert_eq!(process.fingerprint().to_string(), RECORDED);
    assert_eq!(process.standing().unwrap().token.state.as_str(), "declined");
}

const RECORDED: &str = "25a57a92b2aa8a6b765d5c0fdea7eae3";

#[test]
fn an_older_form_is_lifted_and_an_unknown_one_is_an_error() {
    // A form 0 in which a vote was called `approved: true` and no comment was kept.
    let upcasters = Upcasters::new(1)
        .with("voted", 0, |body| {
            let Some(Value::Bool(yes)) = body.remove("approved") else {
                return Err("approved".into());
            };
            let vote = if yes { "approve" } else { "reject" };
            body.insert("vote".into(), Value::Text(vote.into()));
            Ok(())
        })
        .with("resubmitted", 0, |_| Ok(()));
    let entry = |body: &str| {
        let text = format!(
            r#"{{"seq":4,"at":"2026-03-02T10:00:00Z","actor":{{"human":{{"person":"ann"}}}},"schema":0,"body":{body}}}"#
        );
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let voted: Entry<Change> =
        upcasters.read(entry(r#"{"type":"voted","seat":1,"approved":true}"#)).unwrap();
    assert_eq!(voted.schema, 1);
    assert!(matches!(voted.body, Change::Voted { seat: 1, .. }));
    let unit: Entry<Change> = upcasters.read(entry(r#"{"type":"resubmitted"}"#)).unwrap();
    assert_eq!(unit.body, Change::Resubmitted);
    assert!(upcasters.read::<Entry<Change>>(entry(r#"{"type":"voted","seat":1}"#)).is_err());
    assert!(upcasters.read::<Entry<Change>>(entry(r#"{"type":"unheard_of"}"#)).is_err());
}

/// WFL-45: hostile text never panics; sizes are capped.
#[test]
fn hostile_text_is_refused() {
    let draft = serde_json::to_string(&returns().finish().unwrap()).unwrap();
    let log = serde_json::to_string(&fixture_log()).unwrap();
    let snapshot = serde_json::to_string(&Process::replay(&fixture_log()).unwrap()).unwrap();
    let mut dice = Dice::new(7);
    for text in [&draft, &log, &snapshot] {
        for _ in 0..1_500 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..1 + dice.roll(3) {
                let place = dice.roll(bytes.len());
                match dice.roll(3) {
                    0 => bytes[place] = b"{}[]\",:0-9nulltrue\\"[dice.roll(18)],
                    1 => drop(bytes.remove(place)),
                    _ => bytes.truncate(place.max(1)),
                }
            }
            if let Ok(draft) = serde_json::from_slice::<WorkflowDraft>(&bytes) {
                let _ = verify(&draft);
            }
            if let Ok(log) = serde_json::from_slice::<Vec<Entry<Change>>>(&bytes) {
                let _ = Process::replay(&log);
            }
            if let Ok(mut process) = serde_json::from_slice::<Process>(&bytes) {
                for entry in fixture_log() {
                    let _ = process.evolve(&entry);
                }
                let _ = process.next_deadline();
            }
        }
    }
    let many = format!(
        "{{\"schema\":1,\"id\":\"w\",\"version\":1,\"initial\":\"s\",\"arrows\":[],\"states\":[{}]}}",
        vec!["{\"id\":\"s\",\"kind\":\"choice\"}"; 513].join(",")
    );
    let error = serde_json::from_str::<WorkflowDraft>(&many).unwrap_err().to_string();
    assert!(error.contains("512"), "{error}");
    let unknown = draft.replacen("\"schema\"", "\"color\":1,\"schema\"", 1);
    assert!(serde_json::from_str::<WorkflowDraft>(&unknown).is_err());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(serde_json::from_str::<Value>(&deep).is_err());
}

// ---------------------------------------------------------------- versions

/// WFL-44: moving along the identity changes nothing, and moving and replaying commute.
#[test]
fn migration_along_the_identity_is_the_identity() {
    let mut w = World::new(returns());
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["eve"]);
    let same = plan(&w.workflow, &w.workflow, &BTreeMap::new()).unwrap();
    assert!(p.migrate(&w.context(), &same, w.now).unwrap().entries.is_empty());
    // The same content under a new version: only the pin differs afterwards.
    let old = w.workflow.clone();
    let mut draft = returns().finish().unwrap();
    draft.version = 2;
    w.workflow = verify(&draft).unwrap().workflow;
    let moved = plan(&old, &w.workflow, &BTreeMap::new()).unwrap();
    let before = p.standing().unwrap().clone();
    let decision = p.migrate(&w.context(), &moved, w.now).unwrap();
    w.apply(&mut p, &decision);
    let mut after = p.standing().unwrap().clone();
    assert_eq!(after.pin.version, 2);
    after.pin = before.pin.clone();
    assert_eq!(after, before);
    assert_eq!(Process::replay(&w.log).unwrap(), p);
    w.approve(&mut p, &["fay"]);
    assert_eq!(p.standing().unwrap().token.state.as_str(), "jacket");
}

#[test]
fn a_migration_reopens_what_was_given_under_another_rule() {
    let mut w = World::new(returns());
    let mut cases = vec![];
    for votes in [&[][..], &["eve"], &["eve", "fay"]] {
        let mut p = w.submitted("zhou");
        w.approve(&mut p, votes);
        cases.push(p);
    }
    let old = w.workflow.clone();
    let text = serde_json::to_string(&returns().finish().unwrap()).unwrap();
    let text = text
        .replace("\"version\":1", "\"version\":2")
        .replace("\"finance\"", "\"treasury\"")
        .replace(
            "\"groups\":[{\"roles\":[\"treasury\"]}],\"mode\":\"all\"",
            "\"groups\":[{\"roles\":[\"finance\"]}],\"mode\":\"any\"",
        );
    let new: WorkflowDraft = serde_json::from_str(&text).unwrap();
    let new = verify(&new).unwrap().workflow;
    let unmapped = plan(&old, &new, &BTreeMap::new()).unwrap_err();
    assert_eq!(unmapped, [MigrationDefect::Unmapped { state: state("finance") }]);
    let map = BTreeMap::from([(state("finance"), state("treasury"))]);
    let plan = plan(&old, &new, &map).unwrap();
    assert_eq!(plan.states[&state("finance")], (state("treasury"), Carry::Reopened));
    w.workflow = new;
    for (case, expected) in cases.iter().zip(["treasury", "treasury", "treasury"]) {
        let mut p = case.clone();
        let dry = p.migrate(&w.context(), &plan, w.now).unwrap();
        assert_eq!(p, *case); // a dry run changes nothing
        dry.entries.iter().for_each(|e| p.evolve(e).unwrap());
        let s = p.standing().unwrap();
        assert_eq!((s.token.state.as_str(), s.passed.len()), (expected, 0));
        assert!(s.node.as_ref().unwrap().seats.iter().all(|seat| seat.voter.is_none()));
        w.approve(&mut p, &["fay"]);
        assert_eq!(p.standing().unwrap().phase, Phase::Pending);
    }
}

#[test]
fn running_timers_go_on_as_they_were_and_other_workflows_are_refused() {
    let mut w = World::new(returns());
    w.set("amount", Fact::Amount(crate::common::money(100)));
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann"]);
    let old = w.workflow.clone();
    let text = serde_json::to_string(&returns().finish().unwrap()).unwrap();
    let longer = text.replace("\"version\":1", "\"version\":2").replace("P14D", "P21D");
    let longer: WorkflowDraft = serde_json::from_str(&longer).unwrap();
    w.workflow = verify(&longer).unwrap().workflow;
    let moved = plan(&old, &w.workflow, &BTreeMap::new()).unwrap();
    assert_eq!(moved.states[&state("jacket")], (state("jacket"), Carry::Timers));
    assert_eq!(p.next_deadline(), Some(at(14 * 86_400)));
    let decision = p.migrate(&w.context(), &moved, w.now).unwrap();
    w.apply(&mut p, &decision);
    assert_eq!(p.next_deadline(), Some(at(14 * 86_400))); // told to the customer, and kept
    let other: WorkflowDraft =
        serde_json::from_str(&text.replace("\"jacket_returns\"", "\"phone_returns\"")).unwrap();
    let other = verify(&other).unwrap().workflow;
    assert_eq!(plan(&old, &other, &BTreeMap::new()), Err(vec![MigrationDefect::OtherWorkflow]));
}

#[test]
fn a_difference_speaks_of_parts_and_ignores_order_and_guard_names() {
    let old = returns().finish().unwrap();
    let mut shuffled = old.clone();
    shuffled.states.reverse();
    shuffled.arrows.reverse();
    let text = serde_json::to_string(&shuffled).unwrap().replace("\"large\"", "\"above_200\"");
    let shuffled: WorkflowDraft = serde_json::from_str(&text).unwrap();
    assert_eq!(difference(&old, &shuffled), []);
    let mut new = old.clone();
    new.states.retain(|s| s.id.as_str() != "lapsed");
    new.states[3].timers.clear();
    assert_eq!(
        difference(&old, &new),
        [
            Difference { part: Part::State(state("jacket")), fate: Fate::Altered },
            Difference { part: Part::State(state("lapsed")), fate: Fate::Removed },
        ]
    );
}

// ---------------------------------------------------------------- drawings

#[test]
fn drawings_mark_where_the_case_is() {
    let draft = returns().finish().unwrap();
    let here = state("finance");
    let drawing = Drawing { language: Language::Chinese, at: Some(&here) };
    let mermaid = drawing.mermaid(&draft);
    assert!(mermaid.contains("state \"客服审核 (或签)\" as s1"), "{mermaid}");
    assert!(mermaid.contains("class s2 here"));
    assert!(mermaid.contains("s1 --> s5 : 超过 工作时间 16 小时"), "{mermaid}");
    assert!(mermaid.contains("超过 14 天"), "{mermaid}");
    let dot = drawing.dot(&draft);
    assert!(
        dot.contains("\"finance\" [label=\"finance (会签)\", shape=hexagon, style=filled"),
        "{dot}"
    );
    let scxml = drawing.scxml(&draft);
    assert!(scxml.contains("cond=\"amount is above") && scxml.contains("(here)"), "{scxml}");
    assert_eq!(scxml.matches("<state ").count() + scxml.matches("<final ").count(), 7);
    for arrow in &draft.arrows {
        if let Some(on) = &arrow.on {
            assert!(mermaid.contains(on.as_str()) && dot.contains(on.as_str()));
        }
    }
}

/// A random text of marks that mean something in some notation.
fn hostile(dice: &mut Dice) -> String {
    const MARKS: [&str; 28] = [
        "\"", "'", "`", "<", ">", "&", "&amp;", "-", "--", "-->", "->", "]]>", "<!--", "\\", "\\n",
        ";", ":", "#", "%%", "{", "}", "[*]", "退货", "state ", " as ", "\u{2028}", "\u{fffe}",
        "*",
    ];
    let inner: String = (0..1 + dice.roll(6)).map(|_| MARKS[dice.roll(MARKS.len())]).collect();
    format!("x{inner}x")
}

/// WFL-57: drawings of definitions with hostile names have exactly the states and arrows drawn, and
/// nothing in a name reaches the notation.
#[test]
fn hostile_names_do_not_break_drawings() {
    use crate::common::xml::read;
    let mut dice = Dice::new(31);
    for _ in 0..400 {
        let mut draft = returns().finish().unwrap();
        let names: Vec<StateId> = draft
            .states
            .iter()
            .enumerate()
            .map(|(n, _)| StateId::new(format!("{}{n}", hostile(&mut dice))).unwrap())
            .collect();
        let old: Vec<StateId> = draft.states.iter().map(|s| s.id.clone()).collect();
        let new = |id: &StateId| names[old.iter().position(|o| o == id).unwrap()].clone();
        draft.initial = new(&draft.initial);
        for s in &mut draft.states {
            s.id = new(&s.id);
            for timer in &mut s.timers {
                timer.id = aftersale::workflow::TimerId::new(hostile(&mut dice)).unwrap();
                if let aftersale::workflow::definition::TimerAction::Leave { to } = &mut timer.then
                {
                    *to = new(to);
                }
            }
            if dice.roll(2) == 0 {
                s.label.en = format!("{}\n\u{1}{}", hostile(&mut dice), hostile(&mut dice));
            }
        }
        for arrow in &mut draft.arrows {
            (arrow.from, arrow.to) = (new(&arrow.from), new(&arrow.to));
            if arrow.on.as_ref().is_some_and(|on| on.as_str() == "jacket_received") {
                arrow.on = Some(EventName::new(hostile(&mut dice)).unwrap());
            }
        }
        let here = draft.states[dice.roll(draft.states.len())].id.clone();
        let drawing = Drawing { language: Language::English, at: Some(&here) };
        let leaving = draft.states.iter().flat_map(|s| &s.timers).count();
        let finals = 3;
        let edges = draft.arrows.len() + leaving;

        let scxml = read(&drawing.scxml(&draft));
        let (states, ends) = (scxml.all("state"), scxml.all("final"));
        assert_eq!((states.len(), ends.len()), (draft.states.len() - finals, finals));
        let ids: BTreeSet<&str> = states.iter().chain(&ends).map(|s| s.get("id")).collect();
        assert_eq!(ids.len(), draft.states.len());
        assert!(ids.contains(scxml.get("initial")));
        let transitions: Vec<_> = states.iter().flat_map(|s| s.all("transition")).collect();
        assert_eq!(transitions.len(), edges);
        for t in transitions {
            assert!(ids.contains(t.get("target")));
            let event = t.attributes.get("event").map_or("", String::as_str);
            assert!(!event.contains(char::is_whitespace) && !event.contains('*'), "{event}");
        }

        // DOT: outside of quoted texts only the notation itself is left.
        let dot = drawing.dot(&draft);
        let mut outside = String::new();
        let (mut quoted, mut escaped) = (false, false);
        for c in dot.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                c if !quoted => outside.push(c),
                _ => {}
            }
        }
        assert!(!quoted);
        assert_eq!(outside.matches("->").count(), edges + 1);
        assert_eq!(outside.matches("label=").count(), draft.states.len() + edges);
        let known = "digraph workflow rankdir=LR node fontname label shape box hexagon ellipse diamond \
                     doublecircle point style filled dashed fillcolor penwidth 3 >";
        for word in outside.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            assert!(known.contains(word), "{word} in {dot}");
        }

        // Mermaid: every line is one of the forms that are drawn.
        let mermaid = drawing.mermaid(&draft);
        let mut counts = [0; 3];
        for line in mermaid.lines().skip(1) {
            let line = line.trim_start();
            let number = |text: &str| {
                text.strip_prefix('s').is_some_and(|n| n.parse::<usize>().is_ok_and(|n| n < 7))
            };
            if let Some(rest) = line.strip_prefix("state \"") {
                let (caption, id) = rest.rsplit_once("\" as ").unwrap();
                assert!(!caption.contains('"') && number(id), "{line}");
                counts[0] += 1;
            } else if line.starts_with("class") {
                assert!(line.starts_with("classDef here ") || number(&line[6..8]), "{line}");
            } else {
                let (from, rest) = line.split_once(" --> ").unwrap();
                let (to, caption) = rest.split_once(" : ").unwrap_or((rest, ""));
                assert!(from == "[*]" || number(from), "{line}");
                assert!(to == "[*]" || number(to), "{line}");
                // A mark is written as a character code alone.
                let codes = caption.split(';').rev().skip(1);
                let all = |part: &str| {
                    part.rsplit_once('#').is_some_and(|(before, code)| {
                        !before.contains('#') && code.parse::<u32>().is_ok()
                    })
                };
                assert!(codes.into_iter().all(all), "{line}");
                assert!(!caption.contains([':', '{', '}', '"', '<', '>']), "{line}");
                counts[if from == "[*]" || to == "[*]" { 1 } else { 2 }] += 1;
            }
        }
        assert_eq!(counts, [draft.states.len(), 1 + finals, edges]);
    }
}

#[test]
fn both_ways_of_writing_a_definition_are_one() {
    let built = returns().finish().unwrap();
    let text = serde_json::to_string(&built).unwrap();
    let read: WorkflowDraft = serde_json::from_str(&text).unwrap();
    assert_eq!(read, built);
    assert_eq!(fingerprint(&read), fingerprint(&built));
    assert!(WorkflowBuilder::new("", 1).end("done", "done").finish().is_err());
    let _: Option<Instant> = None;
}
