//! Our SCXML drawings, read and checked by the `scxml` crate: the presets, and random sound definitions.

use std::process::ExitCode;

use aftersale::label::{Coded, Language};
use aftersale::money::{Money, currency::Currency};
use aftersale::preset::review::{Bands, Procedure};
use aftersale::workflow::definition::{StateKind, TimerAction, WorkflowDraft};
use aftersale::workflow::drawing::Drawing;
use aftersale::workflow::verify::verify;

#[path = "../../../tests/common/definitions.rs"]
#[allow(dead_code, reason = "the generator serves several tests")]
mod definitions;

/// What the crate finds wrong with the drawing of a definition, if anything.
fn faults(draft: &WorkflowDraft, language: Language) -> Vec<String> {
    let drawing = Drawing { language, at: Some(&draft.initial) };
    let chart = match scxml::parse_xml(&drawing.scxml(draft)) {
        Ok(chart) => chart,
        Err(error) => return vec![error.to_string()],
    };
    let mut faults: Vec<String> =
        scxml::validate_all(&chart).iter().map(ToString::to_string).collect();
    let is_final = |kind: &StateKind| matches!(kind, StateKind::Final { .. });
    let leaving = draft.states.iter().flat_map(|state| &state.timers);
    let leaving = leaving.filter(|timer| matches!(timer.then, TimerAction::Leave { .. }));
    let drawn = (draft.states.len(), draft.arrows.len() + leaving.count());
    let stats = scxml::stats(&chart);
    let read = (stats.total_states, stats.total_transitions);
    if read != drawn {
        faults.push(format!("{read:?} states and transitions were read, {drawn:?} were drawn"));
    }
    if !draft.states.iter().any(|state| is_final(&state.kind)) {
        faults.push("nothing is final".into());
    }
    faults
}

/// Checks all and prints what was found; fails when anything was.
pub fn run() -> ExitCode {
    let yuan = |whole: i64| Money::new(whole * 100, Currency::CNY);
    let bands = Bands { small: yuan(50), granted_below: yuan(200), large: yuan(2_000) };
    let mut all: Vec<(String, WorkflowDraft)> = Procedure::ALL
        .iter()
        .map(|preset| (preset.to_string(), preset.draft(&bands).expect("a preset")))
        .collect();
    let presets = all.len();
    let mut dice = definitions::Dice(0x5c_4a27);
    for round in 0..10_000 {
        let draft = definitions::definition(&mut dice, false);
        if verify(&draft).is_ok() {
            all.push((format!("random definition {round}"), draft));
        }
    }
    let mut wrong = 0;
    for (name, draft) in &all {
        for language in [Language::English, Language::Chinese] {
            for fault in faults(draft, language) {
                wrong += 1;
                if wrong <= 20 {
                    println!("{name}: {fault}");
                }
            }
        }
    }
    println!("{presets} presets and {} random definitions, {wrong} faults", all.len() - presets);
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
