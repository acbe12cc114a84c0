//! Our SCXML drawings, read, checked and walked by the `scxml` crate: every preset definition, and
//! random sound ones.
//!
//! Its simulator and our table get the same events and facts, drawn at random, and must agree on
//! every state reached and every event refused.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::rc::Rc;

use aftersale::condition::schema::FactType;
use aftersale::condition::{Condition, Facts};
use aftersale::explain::Fact;
use aftersale::label::{Coded, Language};
use aftersale::money::{Money, currency::Currency};
use aftersale::preset::review::{Bands, Procedure};
use aftersale::workflow::StateId;
use aftersale::workflow::compiled::Workflow;
use aftersale::workflow::definition::{StateKind, TimerAction, WorkflowDraft};
use aftersale::workflow::drawing::Drawing;
use aftersale::workflow::verify::verify;
use scxml::model::Statechart;
use scxml::simulate::Simulator;

#[path = "../../../tests/common/definitions.rs"]
#[allow(dead_code, reason = "the generator serves several tests")]
mod definitions;
use definitions::Dice;

const WALKS: usize = 200;
const STEPS: usize = 60;
/// The simulator takes no transition without an event: those of choices get this one.
const CHOOSE: &str = "choose";

/// What the crate finds wrong with the drawing of a definition, if anything, and the chart it read.
fn read(draft: &WorkflowDraft, language: Language) -> Result<Statechart, Vec<String>> {
    let drawing = Drawing { language, at: Some(&draft.initial) };
    let chart = scxml::parse_xml(&drawing.scxml(draft)).map_err(|fault| vec![fault.to_string()])?;
    let mut faults: Vec<String> =
        scxml::validate_all(&chart).iter().map(ToString::to_string).collect();
    let timers = draft.states.iter().flat_map(|state| &state.timers);
    let leaving = timers.filter(|timer| matches!(timer.then, TimerAction::Leave { .. }));
    let drawn = (draft.states.len(), draft.arrows.len() + leaving.count());
    let stats = scxml::stats(&chart);
    let found = (stats.total_states, stats.total_transitions);
    if found != drawn {
        faults.push(format!("{found:?} states and transitions were read, {drawn:?} were drawn"));
    }
    if faults.is_empty() { Ok(chart) } else { Err(faults) }
}

/// Every condition that the drawing writes out, by its text.
fn conditions(draft: &WorkflowDraft) -> BTreeMap<String, Condition> {
    let written = draft.arrows.iter().filter_map(|arrow| draft.condition_of(&arrow.when));
    written.map(|condition| (condition.to_string(), condition.clone())).collect()
}

/// Values for every fact: those that some test compares with, and what lies beside them.
fn facts(draft: &WorkflowDraft, written: &BTreeMap<String, Condition>, dice: &mut Dice) -> Facts {
    let numbers =
        written.keys().flat_map(|text| text.split(|c: char| !c.is_ascii_digit() && c != '.'));
    let named: BTreeSet<i64> = numbers
        .filter_map(|word| word.parse::<f64>().ok())
        .flat_map(|number| [number as i64 - 1, number as i64, number as i64 + 1])
        .chain([0, 1])
        .collect();
    let numbers: Vec<i64> = named.into_iter().filter(|number| *number >= 0).collect();
    let mut facts = Facts::new();
    for (name, fact) in &draft.facts {
        let mut number = || numbers[dice.roll(numbers.len() as u64) as usize];
        let value = match &fact.fact_type {
            FactType::Flag => Fact::Flag(dice.once_in(2)),
            FactType::Days => Fact::Days(number()),
            FactType::Count => Fact::Count(number()),
            FactType::Amount(currency) => Fact::Amount(Money::new(number() * 100, *currency)),
            FactType::Code(codes) => {
                let place = dice.roll(codes.len() as u64) as usize;
                Fact::code(codes.iter().nth(place).expect("a code"))
            }
            other => panic!("no value for {other}"),
        };
        facts.set(name.clone(), value);
    }
    facts
}

/// What one walk came to.
#[derive(Default)]
struct Walked {
    steps: usize,
    refused: usize,
    ended: bool,
    visited: BTreeSet<StateId>,
}

/// Walks both from the start to the end, or so many steps; both get the same events and facts.
fn walk(workflow: &Workflow, chart: &Statechart, dice: &mut Dice) -> Result<Walked, String> {
    let draft = workflow.draft();
    let written = conditions(draft);
    let valued = Rc::new(RefCell::new(Facts::new()));
    let (known, seen) = (written.clone(), Rc::clone(&valued));
    let mut theirs = Simulator::new(chart).with_guard_fn(move |text| {
        known.get(text).expect("a condition that was drawn").evaluate(&seen.borrow()).holds()
    });
    let drawn_as = |id: &StateId| {
        let place = draft.states.iter().position(|state| state.id == *id).expect("a state");
        format!("s{place}")
    };
    let mut ours = draft.initial.clone();
    let mut walked = Walked::default();
    for _ in 0..STEPS {
        walked.visited.insert(ours.clone());
        let state = workflow.find(&ours).expect("a state");
        if let StateKind::Final { .. } = state.kind {
            walked.ended = true;
            return if theirs.is_final() {
                Ok(walked)
            } else {
                Err(format!("{ours} is not final"))
            };
        }
        *valued.borrow_mut() = facts(draft, &written, dice);
        // Each event that leaves the state: its name in the drawing, and where it leads in ours.
        let index = workflow.state_index(&ours).expect("a state");
        let lead = |event| {
            let (_, to) = workflow.step(index, event, &valued.borrow())?;
            workflow.state(to).map(|state| state.id.clone())
        };
        let mut ways: Vec<(String, Option<StateId>)> = Vec::new();
        if state.kind == StateKind::Choice {
            ways.push((CHOOSE.into(), lead(None)));
        }
        for event in workflow.events_of(&ours) {
            ways.push((event.to_string(), lead(workflow.event_index(event))));
        }
        for timer in &state.timers {
            if let TimerAction::Leave { to } = &timer.then {
                ways.push((format!("timer.{ours}.{}", timer.id), Some(to.clone())));
            }
        }
        let (event, to) = ways[dice.roll(ways.len() as u64) as usize].clone();
        let answer = theirs.send(&event).map(str::to_owned);
        match (to, answer) {
            (Some(to), Ok(reached)) if reached == drawn_as(&to) => ours = to,
            (None, Err(_)) => walked.refused += 1,
            (to, answer) => {
                return Err(format!("{ours}, `{event}`: ours leads to {to:?}, theirs {answer:?}"));
            }
        }
        walked.steps += 1;
    }
    Ok(walked)
}

/// The chart with an event on each transition that has none.
fn with_choices_named(mut chart: Statechart) -> Statechart {
    let transitions = chart.states.iter_mut().flat_map(|state| &mut state.transitions);
    for transition in transitions.filter(|transition| transition.event.is_none()) {
        transition.event = Some(CHOOSE.into());
    }
    chart
}

/// Checks and walks all and prints what was found; fails when anything was.
pub fn run() -> ExitCode {
    let yuan = |whole: i64| Money::new(whole * 100, Currency::CNY);
    let bands = Bands { small: yuan(50), granted_below: yuan(200), large: yuan(2_000) };
    let mut all: Vec<(String, WorkflowDraft)> = Procedure::ALL
        .iter()
        .map(|preset| (preset.to_string(), preset.draft(&bands).expect("a preset")))
        .collect();
    let presets = all.len();
    let mut dice = Dice(0x5c_4a27);
    for round in 0..10_000 {
        let draft = definitions::definition(&mut dice, false);
        if verify(&draft).is_ok() {
            all.push((format!("random definition {round}"), draft));
        }
    }
    let mut faults = Vec::new();
    let (mut steps, mut refused, mut ended) = (0, 0, 0);
    for (place, (name, draft)) in all.iter().enumerate() {
        let workflow = verify(draft).expect("sound").workflow;
        let mut visited = BTreeSet::new();
        for language in [Language::English, Language::Chinese] {
            let chart = match read(draft, language) {
                Ok(chart) => with_choices_named(chart),
                Err(found) => {
                    faults.extend(found.iter().map(|fault| format!("{name}: {fault}")));
                    continue;
                }
            };
            for _ in 0..if place < presets { WALKS } else { 5 } {
                match walk(&workflow, &chart, &mut dice) {
                    Ok(walked) => {
                        steps += walked.steps;
                        refused += walked.refused;
                        ended += usize::from(walked.ended);
                        visited.extend(walked.visited);
                    }
                    Err(fault) => faults.push(format!("{name}: {fault}")),
                }
            }
        }
        if place < presets {
            println!("{name}: {} of {} states reached", visited.len(), draft.states.len());
        }
    }
    faults.iter().take(20).for_each(|fault| println!("{fault}"));
    println!(
        "{presets} presets and {} random definitions: {steps} steps, {refused} of them refused by \
         both, {ended} walks to an end, {} faults",
        all.len() - presets,
        faults.len()
    );
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
