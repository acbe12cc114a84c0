//! A verified workflow, laid out as tables.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::canonical::{Fingerprint, fingerprint};
use super::definition::{ArrowDraft, StateDraft, StateKind, When, WorkflowDraft};
use super::{EventName, StateId, WorkflowId};
use crate::condition::{Condition, Facts};

/// A verified workflow. It exists only as the result of [`verify`](super::verify::verify).
#[derive(Clone, Debug)]
pub struct Workflow {
    draft: Box<WorkflowDraft>,
    pin: Pin,
    states: BTreeMap<StateId, StateIndex>,
    events: BTreeMap<EventName, EventIndex>,
    /// One entry per state and event; events without a name (choices) are the first column.
    table: Vec<Cell>,
    columns: usize,
    rows: Vec<Row>,
    /// Approvals that must not share an approver with another, in both directions.
    apart: BTreeMap<StateId, Vec<StateId>>,
}

/// Which definition a case runs under.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The definition.
    pub workflow: WorkflowId,
    /// Its version.
    pub version: u32,
    /// A fingerprint of its content: another content under the same version is noticed.
    pub fingerprint: Fingerprint,
}

/// The position of a state in a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateIndex(u16);

/// The position of an event in a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventIndex(u16);

/// The position of an arrow in a workflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArrowIndex(u16);

/// What one state does on one event.
#[derive(Clone, Copy, Debug)]
enum Cell {
    /// Nothing.
    Empty,
    /// One arrow without a condition.
    Always(ArrowIndex, StateIndex),
    /// Several arrows, or one with a condition: a range of rows.
    Rows(u16, u16),
}

/// An arrow with its priority.
type Ranked = (Option<u32>, ArrowIndex);

#[derive(Clone, Debug)]
struct Row {
    arrow: ArrowIndex,
    to: StateIndex,
    when: Guard,
}

#[derive(Clone, Debug)]
enum Guard {
    Always,
    Condition(Box<Condition>),
    Otherwise,
}

impl Workflow {
    /// Lays out a definition that has no defects.
    pub(super) fn compile(draft: &WorkflowDraft) -> Option<Self> {
        let mut states = BTreeMap::new();
        for (position, state) in draft.states.iter().enumerate() {
            states.insert(state.id.clone(), StateIndex(u16::try_from(position).ok()?));
        }
        let mut events = BTreeMap::new();
        for on in draft.arrows.iter().filter_map(|arrow| arrow.on.as_ref()) {
            let next = u16::try_from(events.len()).ok()?.checked_add(1)?;
            events.entry(on.clone()).or_insert(EventIndex(next));
        }
        let columns = events.len().checked_add(1)?;
        let mut groups: BTreeMap<(u16, u16), Vec<Ranked>> = BTreeMap::new();
        for (position, arrow) in draft.arrows.iter().enumerate() {
            let from = states.get(&arrow.from)?;
            let on = match &arrow.on {
                Some(on) => events.get(on)?.0,
                None => 0,
            };
            let index = ArrowIndex(u16::try_from(position).ok()?);
            groups.entry((from.0, on)).or_default().push((arrow.priority, index));
        }
        let size = columns.checked_mul(draft.states.len())?;
        let mut table = alloc::vec![Cell::Empty; size];
        let mut rows: Vec<Row> = Vec::new();
        for ((from, on), mut group) in groups {
            // By priority, so that the first row that holds is the winner.
            group.sort_by_key(|(priority, _)| *priority);
            let start = u16::try_from(rows.len()).ok()?;
            for (_, index) in group {
                let arrow = draft.arrows.get(usize::from(index.0))?;
                let when = match &arrow.when {
                    When::Always => Guard::Always,
                    When::Otherwise => Guard::Otherwise,
                    when @ (When::Guard(_) | When::Condition(_)) => {
                        Guard::Condition(Box::new(draft.condition_of(when)?.clone()))
                    }
                };
                rows.push(Row { arrow: index, to: *states.get(&arrow.to)?, when });
            }
            let end = u16::try_from(rows.len()).ok()?;
            let cell = match rows.get(usize::from(start)..)? {
                [Row { arrow, to, when: Guard::Always | Guard::Otherwise }] => {
                    Cell::Always(*arrow, *to)
                }
                _ => Cell::Rows(start, end),
            };
            let place = usize::from(from).checked_mul(columns)?.checked_add(usize::from(on))?;
            *table.get_mut(place)? = cell;
        }
        let mut apart: BTreeMap<StateId, Vec<StateId>> = BTreeMap::new();
        for state in &draft.states {
            let StateKind::Approval(rule) = &state.kind else { continue };
            for other in &rule.distinct_from {
                for (one, two) in [(&state.id, other), (other, &state.id)] {
                    let list = apart.entry(one.clone()).or_default();
                    if !list.contains(two) {
                        list.push(two.clone());
                    }
                }
            }
        }
        let pin = Pin {
            workflow: draft.id.clone(),
            version: draft.version,
            fingerprint: fingerprint(draft),
        };
        Some(Self {
            draft: Box::new(draft.clone()),
            pin,
            states,
            events,
            table,
            columns,
            rows,
            apart,
        })
    }

    /// The definition as it was verified.
    #[must_use]
    pub fn draft(&self) -> &WorkflowDraft {
        &self.draft
    }

    /// What a case remembers of the definition it runs under.
    #[must_use]
    pub const fn pin(&self) -> &Pin {
        &self.pin
    }

    /// The position of a state.
    #[must_use]
    pub fn state_index(&self, state: &StateId) -> Option<StateIndex> {
        self.states.get(state).copied()
    }

    /// The position of an event.
    #[must_use]
    pub fn event_index(&self, event: &EventName) -> Option<EventIndex> {
        self.events.get(event).copied()
    }

    /// A state by its position.
    #[must_use]
    pub fn state(&self, index: StateIndex) -> Option<&StateDraft> {
        self.draft.states.get(usize::from(index.0))
    }

    /// A state by its id.
    #[must_use]
    pub fn find(&self, state: &StateId) -> Option<&StateDraft> {
        self.state(self.state_index(state)?)
    }

    /// An arrow by its position.
    #[must_use]
    pub fn arrow(&self, index: ArrowIndex) -> Option<&ArrowDraft> {
        self.draft.arrows.get(usize::from(index.0))
    }

    /// The arrow that wins and the state it enters; none when the event does not move the case.
    ///
    /// The event is none for a choice. This is the bare step: it passes no choices.
    #[must_use]
    #[inline]
    pub fn step(
        &self,
        state: StateIndex,
        event: Option<EventIndex>,
        facts: &Facts,
    ) -> Option<(ArrowIndex, StateIndex)> {
        let column = event.map_or(0, |event| usize::from(event.0));
        let place = usize::from(state.0).wrapping_mul(self.columns).wrapping_add(column);
        match *self.table.get(place)? {
            Cell::Empty => None,
            Cell::Always(arrow, to) => Some((arrow, to)),
            Cell::Rows(start, end) => self.step_rows(start, end, facts),
        }
    }

    /// The arrow of a cell with guards. Kept out of [`step`](Self::step), which stays small enough to
    /// become part of its caller.
    #[inline(never)]
    fn step_rows(&self, start: u16, end: u16, facts: &Facts) -> Option<(ArrowIndex, StateIndex)> {
        let rows = self.rows.get(usize::from(start)..usize::from(end))?;
        let holding = rows.iter().find(|row| match &row.when {
            Guard::Always => true,
            Guard::Condition(condition) => condition.evaluate(facts).holds(),
            Guard::Otherwise => false,
        });
        let row =
            holding.or_else(|| rows.iter().find(|row| matches!(row.when, Guard::Otherwise)))?;
        Some((row.arrow, row.to))
    }

    /// The events that some arrow of a state waits for, in the order of their names.
    pub fn events_of(&self, state: &StateId) -> impl Iterator<Item = &EventName> {
        let row = self.state_index(state).map_or(0, |state| usize::from(state.0));
        self.events.iter().filter_map(move |(name, event)| {
            let place = row.wrapping_mul(self.columns).wrapping_add(usize::from(event.0));
            match self.table.get(place) {
                Some(Cell::Always(..) | Cell::Rows(..)) => Some(name),
                Some(Cell::Empty) | None => None,
            }
        })
    }

    /// Approvals that must not share an approver with this one.
    #[must_use]
    pub fn kept_apart(&self, state: &StateId) -> &[StateId] {
        self.apart.get(state).map_or(&[], Vec::as_slice)
    }

    /// Whether a state is final.
    #[must_use]
    pub fn is_final(&self, state: &StateId) -> bool {
        self.find(state).is_some_and(|state| matches!(state.kind, StateKind::Final { .. }))
    }
}
