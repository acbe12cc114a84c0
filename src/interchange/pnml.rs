//! A verified definition as a workflow net (PNML), and histories as walks through it.
//!
//! In: a [`Workflow`] and the entries of its cases. Out: a [`Net`] with one token, whose transitions
//! have names that a person can read, and for each history the names of the transitions it takes
//! ([`walk`]). Process-mining tools can score a log against the net; our own logs fit it fully, which
//! is a test of the whole chain from definition to export.
//!
//! Always true: the net has one source and one sink, and every place and transition lies on a way
//! from the one to the other. Conditions on facts are left out, so the net allows more than the
//! definition. What people can do anywhere (send back, take back, change facts, withdraw, try again)
//! has transitions of its own.
//!
//! Source: ISO/IEC 15909-2 (PNML), place/transition nets; final markings as process-mining tools
//! write them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use crate::approval::change::{BackTo, Change, MovedBy};
use crate::markup::xml;
use crate::time::Instant;
use crate::workflow::compiled::Workflow;
use crate::workflow::definition::{ArrowDraft, StateKind, TimerAction};
use crate::workflow::journal::{Actor, Entry};
use crate::workflow::{ArrowId, StateId, TimerId};

/// Where the token of a case can be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetPlace {
    /// Before the case is submitted.
    Start,
    /// In a state.
    State(StateId),
    /// With the requester, who was sent the case back.
    Requester,
    /// Stuck in a state.
    Stuck(StateId),
    /// Over: every final state, and withdrawn.
    End,
}

/// A step that moves the token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetTransition {
    /// Where the token is taken from.
    pub from: NetPlace,
    /// Where it is put.
    pub to: NetPlace,
    /// What happens: `review: approved -> goods`.
    pub label: String,
}

/// A workflow net with one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    /// The name of the definition with its version.
    pub name: String,
    /// The transitions, sorted and without repetition; the places are those they name.
    pub transitions: Vec<NetTransition>,
}

/// One step of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetStep {
    /// The transition taken.
    pub transition: NetTransition,
    /// When.
    pub at: Instant,
    /// Who made the case take it.
    pub actor: Actor,
}

/// Why a history is not one of a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WalkError {
    /// An entry names an arrow that the definition does not have.
    #[error("entry {seq} takes arrow `{arrow}`, which the definition does not have")]
    UnknownArrow {
        /// The entry.
        seq: u64,
        /// The arrow.
        arrow: ArrowId,
    },
    /// An entry names a timer that the definition does not have.
    #[error("entry {seq} leaves by timer `{timer}`, which the definition does not have")]
    UnknownTimer {
        /// The entry.
        seq: u64,
        /// The timer.
        timer: TimerId,
    },
    /// An entry moves a case that is not where it would have to be.
    #[error("entry {seq} does not follow from where the case was")]
    Misplaced {
        /// The entry.
        seq: u64,
    },
}

impl fmt::Display for NetPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::State(state) => write!(f, "{state}"),
            Self::Requester => f.write_str("with the requester"),
            Self::Stuck(state) => write!(f, "{state}, stuck"),
            Self::End => f.write_str("end"),
        }
    }
}

/// What a case does, besides the arrows and timers of its definition.
#[derive(Clone, Copy)]
enum Deed {
    Submitted,
    SentBack,
    Resubmitted,
    Returned,
    TakenBack,
    FactsChanged,
    Withdrawn,
    Stuck,
    TriedAgain,
}

impl Deed {
    const fn words(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::SentBack => "sent back",
            Self::Resubmitted => "submitted again",
            Self::Returned => "approved, back to the sender",
            Self::TakenBack => "taken back",
            Self::FactsChanged => "facts changed",
            Self::Withdrawn => "withdrawn",
            Self::Stuck => "stuck",
            Self::TriedAgain => "tried again",
        }
    }
}

impl NetTransition {
    /// Whether the requester withdraws the case.
    #[must_use]
    pub fn withdraws(&self) -> bool {
        *self == deed(self.from.clone(), Deed::Withdrawn, NetPlace::End)
    }
}

fn deed(from: NetPlace, deed: Deed, to: NetPlace) -> NetTransition {
    let label = format!("{from}: {} -> {to}", deed.words());
    NetTransition { from, to, label }
}

fn by_arrow(workflow: &Workflow, arrow: &ArrowDraft) -> NetTransition {
    let label = match &arrow.on {
        Some(on) => format!("{}: {on} -> {}", arrow.from, arrow.to),
        None => format!("{} -> {}", arrow.from, arrow.to),
    };
    let from = NetPlace::State(arrow.from.clone());
    NetTransition { from, to: place(workflow, &arrow.to), label }
}

fn by_timer(workflow: &Workflow, from: &StateId, timer: &TimerId, to: &StateId) -> NetTransition {
    let label = format!("{from}: after {timer} -> {to}");
    NetTransition { from: NetPlace::State(from.clone()), to: place(workflow, to), label }
}

/// The place of a state: all final states are one.
fn place(workflow: &Workflow, state: &StateId) -> NetPlace {
    if workflow.is_final(state) { NetPlace::End } else { NetPlace::State(state.clone()) }
}

impl Net {
    /// The net of a verified definition.
    ///
    /// ```
    /// use aftersale::interchange::pnml::Net;
    /// use aftersale::workflow::builder::WorkflowBuilder;
    /// use aftersale::workflow::verify::verify;
    /// let draft = WorkflowBuilder::new("jackets", 1)
    ///     .task("inspect", "qc", |s| s.on("inspected", "refunded"))
    ///     .end("refunded", "refunded")
    ///     .finish()?;
    /// let verified = verify(&draft).map_err(|defects| defects[0].to_string())?;
    /// let net = Net::of(&verified.workflow);
    /// assert!(net.transitions.iter().any(|t| t.label == "inspect: inspected -> refunded"));
    /// assert!(net.pnml().contains("<net id=\"net\""));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of(workflow: &Workflow) -> Self {
        let draft = workflow.draft();
        let initial = NetPlace::State(draft.initial.clone());
        let mut found: BTreeSet<NetTransition> = BTreeSet::new();
        found.insert(deed(NetPlace::Start, Deed::Submitted, place(workflow, &draft.initial)));
        found.extend(draft.arrows.iter().map(|arrow| by_arrow(workflow, arrow)));
        let is_approval = |kind: &StateKind| matches!(kind, StateKind::Approval(_));
        let approvals: Vec<NetPlace> = draft
            .states
            .iter()
            .filter(|state| is_approval(&state.kind))
            .map(|state| NetPlace::State(state.id.clone()))
            .collect();
        for state in &draft.states {
            let here = NetPlace::State(state.id.clone());
            let waits = match &state.kind {
                StateKind::Task { .. } | StateKind::Approval(_) | StateKind::Wait { .. } => true,
                StateKind::Choice | StateKind::Final { .. } => false,
            };
            if !waits {
                continue;
            }
            for timer in &state.timers {
                if let TimerAction::Leave { to } = &timer.then {
                    found.insert(by_timer(workflow, &state.id, &timer.id, to));
                }
            }
            let stuck = NetPlace::Stuck(state.id.clone());
            found.insert(deed(here.clone(), Deed::Stuck, stuck.clone()));
            found.insert(deed(stuck.clone(), Deed::TriedAgain, here.clone()));
            for place in [&here, &stuck] {
                found.insert(deed(place.clone(), Deed::FactsChanged, initial.clone()));
                found.insert(deed(place.clone(), Deed::Withdrawn, NetPlace::End));
            }
            for approval in &approvals {
                found.insert(deed(here.clone(), Deed::TakenBack, approval.clone()));
                if is_approval(&state.kind) {
                    found.insert(deed(here.clone(), Deed::SentBack, approval.clone()));
                    found.insert(deed(here.clone(), Deed::Returned, approval.clone()));
                }
            }
            if is_approval(&state.kind) {
                found.insert(deed(here.clone(), Deed::SentBack, NetPlace::Requester));
                found.insert(deed(NetPlace::Requester, Deed::Resubmitted, here));
            }
        }
        if !approvals.is_empty() {
            found.insert(deed(NetPlace::Requester, Deed::Resubmitted, initial));
            found.insert(deed(NetPlace::Requester, Deed::Withdrawn, NetPlace::End));
        }
        let name = format!("{} {}", draft.id, draft.version);
        Self { name, transitions: found.into_iter().collect() }
    }

    /// The places, in their order.
    #[must_use]
    pub fn places(&self) -> BTreeSet<&NetPlace> {
        self.transitions.iter().flat_map(|one| [&one.from, &one.to]).collect()
    }

    /// The net as a PNML document.
    #[must_use]
    pub fn pnml(&self) -> String {
        let mut text = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <pnml xmlns=\"http://www.pnml.org/version-2009/grammar/pnml\">\n\
             \x20 <net id=\"net\" type=\"http://www.pnml.org/version-2009/grammar/ptnet\">\n",
        );
        let _ = writeln!(text, "    <name><text>{}</text></name>", xml(&self.name));
        text.push_str("    <page id=\"page\">\n");
        let ids: BTreeMap<&NetPlace, String> =
            self.places().into_iter().zip(0_u32..).map(|(p, n)| (p, format!("p{n}"))).collect();
        for (place, id) in &ids {
            let name = xml(&place.to_string());
            let marking = match place {
                NetPlace::Start => "<initialMarking><text>1</text></initialMarking>",
                _ => "",
            };
            let _ = writeln!(
                text,
                "      <place id=\"{id}\"><name><text>{name}</text></name>{marking}</place>"
            );
        }
        for (one, number) in self.transitions.iter().zip(0_u32..) {
            let label = xml(&one.label);
            let _ = writeln!(
                text,
                "      <transition id=\"t{number}\"><name><text>{label}</text></name></transition>"
            );
            let (Some(from), Some(to)) = (ids.get(&one.from), ids.get(&one.to)) else { continue };
            let _ = writeln!(
                text,
                "      <arc id=\"i{number}\" source=\"{from}\" target=\"t{number}\"/>\n\
                 \x20     <arc id=\"o{number}\" source=\"t{number}\" target=\"{to}\"/>"
            );
        }
        text.push_str("    </page>\n");
        if let Some(end) = ids.get(&NetPlace::End) {
            let _ = writeln!(
                text,
                "    <finalmarkings><marking><place idref=\"{end}\"><text>1</text></place></marking></finalmarkings>"
            );
        }
        text.push_str("  </net>\n</pnml>\n");
        text
    }
}

/// The transitions that a history takes through the net of its definition.
///
/// # Errors
///
/// [`WalkError`] when the history was not made under this definition, or not from its beginning.
pub fn walk(workflow: &Workflow, entries: &[Entry<Change>]) -> Result<Vec<NetStep>, WalkError> {
    let net = Net::of(workflow).transitions;
    let mut walker = Walker { workflow, net, at: NetPlace::Start, cause: None, steps: Vec::new() };
    for entry in entries {
        walker.note(entry)?;
    }
    Ok(walker.steps)
}

struct Walker<'a> {
    workflow: &'a Workflow,
    /// Sorted.
    net: Vec<NetTransition>,
    at: NetPlace,
    /// What made the case go to another place; the entry after it says where.
    cause: Option<Deed>,
    steps: Vec<NetStep>,
}

impl Walker<'_> {
    fn step(&mut self, entry: &Entry<Change>, transition: NetTransition) -> Result<(), WalkError> {
        if transition.from != self.at || self.net.binary_search(&transition).is_err() {
            return Err(WalkError::Misplaced { seq: entry.seq });
        }
        self.at = transition.to.clone();
        self.steps.push(NetStep { transition, at: entry.at, actor: entry.actor.clone() });
        Ok(())
    }

    fn jump(&mut self, entry: &Entry<Change>, by: Deed, to: NetPlace) -> Result<(), WalkError> {
        let transition = deed(self.at.clone(), by, to);
        self.step(entry, transition)
    }

    fn note(&mut self, entry: &Entry<Change>) -> Result<(), WalkError> {
        match &entry.body {
            Change::Submitted { .. } => self.cause = Some(Deed::Submitted),
            Change::Moved { by, moved, .. } => {
                let cause = self.cause.take();
                let mut arrows = moved.arrows.as_slice();
                let initial = place(self.workflow, &self.workflow.draft().initial);
                // With choices behind it a jump goes to the first of them.
                let first = moved.arrows.first().and_then(|arrow| self.find(arrow));
                let target = first.map_or_else(
                    || place(self.workflow, &moved.to.state),
                    |arrow| NetPlace::State(arrow.from.clone()),
                );
                match by {
                    MovedBy::Start => {
                        self.jump(entry, cause.unwrap_or(Deed::FactsChanged), initial)?;
                    }
                    MovedBy::SentBack => self.jump(entry, Deed::SentBack, target)?,
                    MovedBy::Resumed => {
                        self.jump(entry, cause.unwrap_or(Deed::Returned), target)?;
                    }
                    MovedBy::TakenBack => self.jump(entry, Deed::TakenBack, target)?,
                    MovedBy::Retry => self.jump(entry, Deed::TriedAgain, target)?,
                    MovedBy::Timer(timer) => {
                        let transition = self.timed(entry, timer)?;
                        self.step(entry, transition)?;
                    }
                    MovedBy::Event(_) | MovedBy::Verdict(_) => {
                        let [arrow, rest @ ..] = arrows else {
                            return Err(WalkError::Misplaced { seq: entry.seq });
                        };
                        arrows = rest;
                        self.arrow(entry, arrow)?;
                    }
                }
                for arrow in arrows {
                    self.arrow(entry, arrow)?;
                }
                if self.at != place(self.workflow, &moved.to.state) {
                    return Err(WalkError::Misplaced { seq: entry.seq });
                }
            }
            Change::SentBack { to: BackTo::Requester, .. } => {
                self.jump(entry, Deed::SentBack, NetPlace::Requester)?;
            }
            Change::Resubmitted => self.cause = Some(Deed::Resubmitted),
            Change::Withdrawn => self.jump(entry, Deed::Withdrawn, NetPlace::End)?,
            Change::Stuck { .. } => {
                let NetPlace::State(state) = self.at.clone() else {
                    return Err(WalkError::Misplaced { seq: entry.seq });
                };
                self.jump(entry, Deed::Stuck, NetPlace::Stuck(state))?;
            }
            Change::NodeOpened { .. }
            | Change::SeatActivated { .. }
            | Change::Voted { .. }
            | Change::Transferred { .. }
            | Change::HandedOver { .. }
            | Change::OpinionAsked { .. }
            | Change::OpinionGiven { .. }
            | Change::OpinionRecalled { .. }
            | Change::SeatsAdded { .. }
            | Change::SeatRemoved { .. }
            | Change::SeatsClosed { .. }
            | Change::NodeDecided { .. }
            | Change::SentBack { to: BackTo::Node(_), .. }
            | Change::TakenBack { .. }
            | Change::FactsChanged { .. }
            | Change::Copied { .. }
            | Change::SeatReminded { .. }
            | Change::StateReminded { .. }
            | Change::TimeoutStuck { .. }
            | Change::Migrated { .. }
            | Change::CommandsForgotten { .. } => {}
        }
        Ok(())
    }

    fn find(&self, arrow: &ArrowId) -> Option<&ArrowDraft> {
        self.workflow.draft().arrows.iter().find(|drawn| drawn.id == *arrow)
    }

    fn arrow(&mut self, entry: &Entry<Change>, arrow: &ArrowId) -> Result<(), WalkError> {
        let unknown = || WalkError::UnknownArrow { seq: entry.seq, arrow: arrow.clone() };
        let transition = by_arrow(self.workflow, self.find(arrow).ok_or_else(unknown)?);
        self.step(entry, transition)
    }

    fn timed(&self, entry: &Entry<Change>, timer: &TimerId) -> Result<NetTransition, WalkError> {
        let unknown = || WalkError::UnknownTimer { seq: entry.seq, timer: timer.clone() };
        let NetPlace::State(state) = &self.at else { return Err(unknown()) };
        let drawn = self.workflow.find(state).ok_or_else(unknown)?;
        let leaving = drawn.timers.iter().find_map(|drawn| match &drawn.then {
            TimerAction::Leave { to } if drawn.id == *timer => Some(to),
            TimerAction::Leave { .. } | TimerAction::Remind => None,
        });
        Ok(by_timer(self.workflow, state, timer, leaving.ok_or_else(unknown)?))
    }
}
