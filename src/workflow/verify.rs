//! Verification: every defect of a definition, each with a shortest witness, before a case runs.
//!
//! In: a [`WorkflowDraft`]. Out: a [`Verified`] workflow, or all its defects. Malformed definitions
//! report only what is malformed, because nothing else can be said of them.
//!
//! How: the facts that guards mention are cut into cells (see [`condition::cells`]); in each cell of
//! the facts that a state mentions, the winning arrows are known exactly. Facts that are fixed at
//! submission are taken one cell at a time, since a case cannot leave it; the others may change at
//! every step. For each such cell the states form a plain graph, and every question is linear in it.
//!
//! [`condition::cells`]: crate::condition::cells

mod approvals;
mod graph;
mod guards;
mod malformed;
mod stay;
mod timers;

use alloc::string::String;
use alloc::vec::Vec;

use super::compiled::Workflow;
use super::defect::{Defect, DefectCode, Place, Silence, Warning, WarningCode};
use super::definition::{APPROVED, REJECTED, StateKind, When, WorkflowDraft};

/// The most cells per state, and of the facts fixed at submission.
pub const MAX_CELLS: usize = 100_000;

/// The most steps one verification makes through all graphs together.
const MAX_WORK: usize = 50_000_000;

/// A definition that may run.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The workflow, ready to run.
    pub workflow: Workflow,
    /// What is worth a look.
    pub warnings: Vec<Warning>,
    /// How long a case can stay in each waiting state while nobody acts.
    pub silences: Vec<Silence>,
}

/// Checks a definition.
///
/// ```
/// use aftersale::workflow::defect::DefectCode;
/// use aftersale::workflow::definition::WorkflowDraft;
/// use aftersale::workflow::verify::verify;
/// let draft: WorkflowDraft = serde_json::from_str(r#"{
///   "schema": 1, "id": "phone_returns", "version": 1, "initial": "awaiting_phone",
///   "states": [
///     {"id": "awaiting_phone", "kind": {"wait": {"party": "customer"}}},
///     {"id": "refunded", "kind": {"final": {"outcome": "refunded"}}}
///   ],
///   "arrows": [{"id": "received", "from": "awaiting_phone", "on": "phone_received", "to": "refunded"}]
/// }"#)?;
/// let defects = verify(&draft).err().unwrap_or_default();
/// assert_eq!(defects[0].code, DefectCode::MissingTimer); // the customer may never send the phone
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
///
/// Every defect, in the order of [`DefectCode`], then of place.
pub fn verify(draft: &WorkflowDraft) -> Result<Verified, Vec<Defect>> {
    let defects = malformed::defects(draft);
    if !defects.is_empty() {
        return Err(sorted(defects));
    }
    let mut defects = approvals::defects(draft);
    defects.extend(standing(draft));
    let silences = match graph::analyze(draft) {
        Ok((found, silences)) => {
            defects.extend(found);
            silences
        }
        Err(defect) => {
            defects.push(*defect);
            Vec::new()
        }
    };
    if defects.is_empty() {
        if let Some(workflow) = Workflow::compile(draft) {
            return Ok(Verified { workflow, warnings: warnings(draft), silences });
        }
        defects.push(plain(DefectCode::TooLarge, Place::Definition, "cannot be laid out"));
    }
    Err(sorted(defects))
}

fn sorted(mut defects: Vec<Defect>) -> Vec<Defect> {
    defects.sort_by(|a, b| (a.code, &a.at, &a.detail).cmp(&(b.code, &b.at, &b.detail)));
    defects.dedup_by(|a, b| a.code == b.code && a.at == b.at && a.detail == b.detail);
    defects
}

fn plain(code: DefectCode, at: Place, detail: impl Into<String>) -> Defect {
    Defect { code, at, detail: detail.into(), witness: None }
}

/// Defects that a state shows by itself: arrows after the end, waits without an end.
fn standing(draft: &WorkflowDraft) -> Vec<Defect> {
    let mut defects = Vec::new();
    for state in &draft.states {
        let at = || Place::State(state.id.clone());
        match &state.kind {
            StateKind::Final { .. } => {
                let goes_on = draft.arrows.iter().find(|arrow| arrow.from == state.id);
                if let Some(arrow) = goes_on {
                    let detail = alloc::format!("arrow `{}` leaves it", arrow.id);
                    defects.push(plain(DefectCode::ImproperCompletion, at(), detail));
                } else if let Some(timer) = state.timers.first() {
                    let detail = alloc::format!("timer `{}` runs in it", timer.id);
                    defects.push(plain(DefectCode::ImproperCompletion, at(), detail));
                }
            }
            StateKind::Wait { .. } | StateKind::Approval(_) => {
                if state.no_timer_reason.is_none() && !timers::ends(state) {
                    defects.push(plain(DefectCode::MissingTimer, at(), ""));
                }
            }
            StateKind::Task { .. } | StateKind::Choice => {}
        }
    }
    defects
}

fn warnings(draft: &WorkflowDraft) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for arrow in &draft.arrows {
        let votes = |on: &super::EventName| on.as_str() == APPROVED || on.as_str() == REJECTED;
        let leaves_approval = draft
            .states
            .iter()
            .any(|state| state.id == arrow.from && matches!(state.kind, StateKind::Approval(_)));
        if leaves_approval && arrow.by.is_none() && !arrow.on.as_ref().is_some_and(votes) {
            let at = Place::Arrow(arrow.id.clone());
            warnings.push(Warning { code: WarningCode::ApprovalBypass, at });
        }
    }
    for name in draft.guards.keys() {
        let used = |when: &When| matches!(when, When::Guard(guard) if guard == name);
        if !draft.arrows.iter().any(|arrow| used(&arrow.when)) {
            let at = Place::Guard(name.clone());
            warnings.push(Warning { code: WarningCode::UnusedGuard, at });
        }
    }
    warnings
}
