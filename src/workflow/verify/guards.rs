//! What each state does in each cell of the facts its guards mention.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::{MAX_CELLS, plain};
use crate::condition::cells::{Axis, axes};
use crate::condition::{Condition, Facts, Truth};
use crate::workflow::EventName;
use crate::workflow::defect::{Defect, DefectCode, Place};
use crate::workflow::definition::{
    APPROVED, ArrowDraft, REJECTED, Stability, StateKind, When, WorkflowDraft,
};

/// A condition with every test answered in advance for every part of its fact.
enum Tree {
    Always,
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    Test { axis: usize, truths: Vec<Truth> },
}

impl Tree {
    /// Depth is bounded: conditions deeper than the language allows were refused before.
    fn truth(&self, cell: &[usize]) -> Truth {
        match self {
            Self::Always => Truth::Holds,
            Self::All(parts) => {
                parts.iter().map(|part| part.truth(cell)).min().unwrap_or(Truth::Holds)
            }
            Self::Any(parts) => {
                parts.iter().map(|part| part.truth(cell)).max().unwrap_or(Truth::Fails)
            }
            Self::Not(part) => match part.truth(cell) {
                Truth::Holds => Truth::Fails,
                Truth::Unknown => Truth::Unknown,
                Truth::Fails => Truth::Holds,
            },
            Self::Test { axis, truths } => {
                let position = cell.get(*axis).copied().unwrap_or(0);
                truths.get(position).copied().unwrap_or(Truth::Unknown)
            }
        }
    }

    fn axes(&self, into: &mut BTreeSet<usize>) {
        match self {
            Self::Always => {}
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.axes(into)),
            Self::Not(part) => part.axes(into),
            Self::Test { axis, .. } => {
                into.insert(*axis);
            }
        }
    }
}

/// All facts that conditions mention, cut into parts.
pub(super) struct Space {
    axes: Vec<Axis>,
    frozen: Vec<bool>,
    constraints: Vec<Tree>,
    constrained: BTreeSet<usize>,
    /// The facts fixed at submission, over the whole definition.
    pub(super) fixed: Grid,
}

/// Some axes with the number of their combinations.
#[derive(Clone, Default)]
pub(super) struct Grid {
    axes: Vec<usize>,
    sizes: Vec<usize>,
    pub(super) count: usize,
}

impl Grid {
    fn new(space: &[Axis], axes: Vec<usize>) -> Option<Self> {
        let sizes: Vec<usize> =
            axes.iter().map(|&axis| space.get(axis).map_or(1, |a| a.values().len())).collect();
        let count = sizes
            .iter()
            .try_fold(1_usize, |count, size| count.checked_mul(*size))
            .filter(|&count| count <= MAX_CELLS)?;
        Some(Self { axes, sizes, count })
    }

    /// Writes one combination into a cell.
    fn set(&self, combination: usize, cell: &mut [usize]) {
        let mut rest = combination;
        for (&axis, &size) in self.axes.iter().zip(&self.sizes) {
            if let Some(position) = cell.get_mut(axis) {
                *position = rest.checked_rem(size).unwrap_or(0);
            }
            rest = rest.checked_div(size).unwrap_or(0);
        }
    }

    /// Which combination a cell is in.
    fn of(&self, cell: &[usize]) -> usize {
        self.axes.iter().zip(&self.sizes).rev().fold(0_usize, |combination, (&axis, &size)| {
            let position = cell.get(axis).copied().unwrap_or(0);
            combination.saturating_mul(size).saturating_add(position)
        })
    }
}

/// What one state does.
pub(super) struct Local {
    frozen: Grid,
    volatile: Grid,
    /// One per combination of the facts fixed at submission that the state mentions.
    outcomes: Vec<Outcome>,
}

/// What one state does while the facts fixed at submission stay in one cell.
#[derive(Default)]
pub(super) struct Outcome {
    /// Arrows that can win, each with a combination of the other facts under which it does.
    pub(super) wins: Vec<(usize, usize)>,
    /// Two arrows that win together.
    pub(super) clash: Option<(usize, usize, usize)>,
    /// Events that must have an arrow and have none: the event, none for a choice.
    pub(super) holes: Vec<(Option<&'static str>, usize)>,
}

impl Space {
    /// Cuts the facts of a definition.
    pub(super) fn new(draft: &WorkflowDraft) -> Result<Self, Box<Defect>> {
        let schema = draft.schema_of_facts();
        let guards = draft.arrows.iter().filter_map(|arrow| draft.condition_of(&arrow.when));
        let axes = axes(&schema, guards.chain(&draft.constraints), MAX_CELLS)
            .map_err(|error| Box::new(too_large(Place::Definition, &error)))?;
        let frozen: Vec<bool> = axes
            .iter()
            .map(|axis| {
                let fact = draft.facts.get(axis.fact());
                fact.is_some_and(|fact| fact.stability == Stability::Frozen)
            })
            .collect();
        let fixed = (0..axes.len()).filter(|&axis| frozen.get(axis) == Some(&true)).collect();
        let fixed = Grid::new(&axes, fixed).ok_or_else(|| {
            let error = crate::condition::cells::CellsError::TooManyCells { limit: MAX_CELLS };
            Box::new(too_large(Place::Definition, &error))
        })?;
        let mut space =
            Self { axes, frozen, constraints: Vec::new(), constrained: BTreeSet::new(), fixed };
        space.constraints = draft.constraints.iter().map(|c| space.tree(c)).collect();
        for constraint in &space.constraints {
            constraint.axes(&mut space.constrained);
        }
        Ok(space)
    }

    fn tree(&self, condition: &Condition) -> Tree {
        match condition {
            Condition::Always => Tree::Always,
            Condition::All(parts) => Tree::All(parts.iter().map(|part| self.tree(part)).collect()),
            Condition::Any(parts) => Tree::Any(parts.iter().map(|part| self.tree(part)).collect()),
            Condition::Not(part) => Tree::Not(Box::new(self.tree(part))),
            Condition::Test(test) => {
                let found = self.axes.binary_search_by(|axis| axis.fact().cmp(&test.fact));
                let axis = found.unwrap_or(usize::MAX);
                let values = self.axes.get(axis).map(Axis::values).unwrap_or_default();
                let truths = values.iter().map(|fact| test.check.passes(fact.as_ref())).collect();
                Tree::Test { axis, truths }
            }
        }
    }

    fn allowed(&self, cell: &[usize]) -> bool {
        self.constraints.iter().all(|constraint| constraint.truth(cell) != Truth::Fails)
    }

    /// Which combinations of fixed facts can occur at all.
    pub(super) fn possible(&self) -> Result<Vec<usize>, Box<Defect>> {
        if self.constraints.is_empty() {
            return Ok((0..self.fixed.count).collect());
        }
        let loose = self.constrained.iter().copied();
        let loose = loose.filter(|&axis| self.frozen.get(axis) != Some(&true)).collect();
        let loose = self.grid(loose, &Place::Definition)?;
        let work = self.fixed.count.saturating_mul(loose.count);
        if work > MAX_CELLS.saturating_mul(10) {
            return Err(self.over(&Place::Definition));
        }
        let mut cell = alloc::vec![0_usize; self.axes.len()];
        let mut possible = Vec::new();
        for fixed in 0..self.fixed.count {
            self.fixed.set(fixed, &mut cell);
            let occurs = (0..loose.count).any(|combination| {
                loose.set(combination, &mut cell);
                self.allowed(&cell)
            });
            if occurs {
                possible.push(fixed);
            }
        }
        Ok(possible)
    }

    fn over(&self, at: &Place) -> Box<Defect> {
        let error = crate::condition::cells::CellsError::TooManyCells { limit: MAX_CELLS };
        Box::new(too_large(at.clone(), &error))
    }

    fn grid(&self, axes: Vec<usize>, at: &Place) -> Result<Grid, Box<Defect>> {
        Grid::new(&self.axes, axes).ok_or_else(|| self.over(at))
    }

    /// What one state does in every cell.
    pub(super) fn local(
        &self,
        draft: &WorkflowDraft,
        kind: &StateKind,
        arrows: &[usize],
        at: &Place,
    ) -> Result<Local, Box<Defect>> {
        let mut mentioned = self.constrained.clone();
        let mut groups: BTreeMap<Option<&EventName>, Vec<Candidate>> = BTreeMap::new();
        for &position in arrows {
            let Some(arrow) = draft.arrows.get(position) else { continue };
            // A choice is left without an event, everything else by one.
            if matches!(kind, StateKind::Choice) != arrow.on.is_none() {
                continue;
            }
            let candidate = Candidate::new(self, draft, position, arrow);
            if let Some(tree) = &candidate.tree {
                tree.axes(&mut mentioned);
            }
            groups.entry(arrow.on.as_ref()).or_default().push(candidate);
        }
        let required: &[Option<&'static str>] = match kind {
            StateKind::Choice => &[None],
            StateKind::Approval(_) => &[Some(APPROVED), Some(REJECTED)],
            StateKind::Task { .. } | StateKind::Wait { .. } | StateKind::Final { .. } => &[],
        };
        let (frozen, volatile): (Vec<usize>, Vec<usize>) =
            mentioned.into_iter().partition(|&axis| self.frozen.get(axis) == Some(&true));
        let (frozen, volatile) = (self.grid(frozen, at)?, self.grid(volatile, at)?);
        if frozen.count.saturating_mul(volatile.count) > MAX_CELLS {
            return Err(self.over(at));
        }
        let mut cell = alloc::vec![0_usize; self.axes.len()];
        let mut outcomes = Vec::with_capacity(frozen.count);
        for fixed in 0..frozen.count {
            frozen.set(fixed, &mut cell);
            let mut outcome = Outcome::default();
            for combination in 0..volatile.count {
                volatile.set(combination, &mut cell);
                if self.allowed(&cell) {
                    outcome.add(&groups, required, &cell, combination);
                }
            }
            outcomes.push(outcome);
        }
        Ok(Local { frozen, volatile, outcomes })
    }

    /// The positions of a combination of fixed facts.
    pub(super) fn fixed_cell(&self, fixed: usize) -> Vec<usize> {
        let mut cell = alloc::vec![0_usize; self.axes.len()];
        self.fixed.set(fixed, &mut cell);
        cell
    }

    /// The facts of a combination of fixed facts.
    pub(super) fn fixed_facts(&self, fixed: usize) -> Facts {
        let cell = self.fixed_cell(fixed);
        self.facts(&cell, self.fixed.axes.iter())
    }

    /// The facts a state looked at.
    pub(super) fn local_facts(&self, fixed: usize, local: &Local, combination: usize) -> Facts {
        let mut cell = self.fixed_cell(fixed);
        local.volatile.set(combination, &mut cell);
        self.facts(&cell, local.frozen.axes.iter().chain(&local.volatile.axes))
    }

    fn facts<'a>(&self, cell: &[usize], axes: impl Iterator<Item = &'a usize>) -> Facts {
        let mut facts = Facts::new();
        for &position in axes {
            let axis = self.axes.get(position).zip(cell.get(position));
            if let Some((axis, &value)) = axis
                && let Some(Some(fact)) = axis.values().get(value)
            {
                facts.set(axis.fact().clone(), fact.clone());
            }
        }
        facts
    }
}

impl Local {
    /// Which of the outcomes a combination of fixed facts, given as a cell, leads to.
    pub(super) fn index(&self, cell: &[usize]) -> usize {
        self.frozen.of(cell)
    }

    /// What the state does, one per combination of the fixed facts it mentions.
    pub(super) fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }
}

/// An arrow that competes for one event of one state.
struct Candidate {
    arrow: usize,
    tree: Option<Tree>,
    otherwise: bool,
    priority: Option<u32>,
}

impl Candidate {
    fn new(space: &Space, draft: &WorkflowDraft, arrow: usize, drawn: &ArrowDraft) -> Self {
        Self {
            arrow,
            tree: draft.condition_of(&drawn.when).map(|condition| space.tree(condition)),
            otherwise: matches!(drawn.when, When::Otherwise),
            priority: drawn.priority,
        }
    }

    fn holds(&self, cell: &[usize]) -> bool {
        !self.otherwise && self.tree.as_ref().is_none_or(|tree| tree.truth(cell).holds())
    }
}

/// The arrows that win: those that hold, or else the ones for otherwise; the lowest priority among
/// them when all have one.
fn winners(group: &[Candidate], cell: &[usize], into: &mut Vec<usize>) {
    into.clear();
    let mut open: Vec<&Candidate> = group.iter().filter(|one| one.holds(cell)).collect();
    if open.is_empty() {
        open = group.iter().filter(|one| one.otherwise).collect();
    }
    let lowest = open.iter().map(|one| one.priority).min().flatten();
    into.extend(
        open.iter().filter(|one| lowest.is_none() || one.priority == lowest).map(|c| c.arrow),
    );
}

impl Outcome {
    fn add(
        &mut self,
        groups: &BTreeMap<Option<&EventName>, Vec<Candidate>>,
        required: &[Option<&'static str>],
        cell: &[usize],
        combination: usize,
    ) {
        let mut won = Vec::new();
        for group in groups.values() {
            winners(group, cell, &mut won);
            if let (None, [first, second, ..]) = (self.clash, won.as_slice()) {
                self.clash = Some((*first, *second, combination));
            }
            for &arrow in &won {
                if !self.wins.iter().any(|(known, _)| *known == arrow) {
                    self.wins.push((arrow, combination));
                }
            }
        }
        for &event in required {
            if self.holes.iter().any(|(known, _)| *known == event) {
                continue;
            }
            let handled = groups.iter().find(|(name, _)| name.map(EventName::as_str) == event);
            won.clear();
            if let Some((_, group)) = handled {
                winners(group, cell, &mut won);
            }
            if won.is_empty() {
                self.holes.push((event, combination));
            }
        }
    }
}

fn too_large(at: Place, error: &crate::condition::cells::CellsError) -> Defect {
    plain(DefectCode::TooLarge, at, alloc::format!("{error}"))
}
