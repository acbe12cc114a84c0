//! The graph of states in one cell of the fixed facts, and every question about it.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;

use super::guards::{Local, Space};
use super::stay::{ByTime, by_time};
use super::timers::{Firing, firing};
use super::{MAX_WORK, plain};
use crate::workflow::StateId;
use crate::workflow::defect::{Defect, DefectCode, Place, Silence, Stay, Step, Taken, Witness};
use crate::workflow::definition::{
    APPROVED, REJECTED, StateDraft, StateKind, TimerAction, WorkflowDraft,
};
use crate::workflow::rule::{OnEmpty, SamePersonRule, TimeoutAction};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Arrow(usize),
    Timer(usize),
}

#[derive(Clone, Copy)]
struct Edge {
    to: usize,
    by: By,
    /// The volatile facts under which it is taken, by combination.
    combination: usize,
    /// Whether it is taken with nobody acting.
    system: bool,
}

/// How a state is reached: the length of the way, and the state and edge before it. None when it is not.
type Way = Option<(usize, Option<(usize, Edge)>)>;

struct Node<'a> {
    draft: &'a StateDraft,
    local: Local,
    firing: Firing,
    by_time: ByTime,
    /// One list per outcome of the state.
    edges: Vec<Vec<Edge>>,
}

/// Where a defect shows first: the length of the way, the fixed facts, the volatile facts.
#[derive(Clone)]
struct Shown {
    depth: usize,
    fixed: usize,
    state: usize,
    combination: Option<usize>,
    detail: String,
}

struct Analysis<'a> {
    draft: &'a WorkflowDraft,
    space: Space,
    nodes: Vec<Node<'a>>,
    initial: usize,
    shown: BTreeMap<(DefectCode, Place), Shown>,
    /// For each state the shortest way to it over all fixed facts.
    best: Vec<Option<(usize, usize)>>,
    taken: BTreeSet<By>,
}

pub(super) fn analyze(draft: &WorkflowDraft) -> Result<(Vec<Defect>, Vec<Silence>), Box<Defect>> {
    let space = Space::new(draft)?;
    let possible = space.possible()?;
    if possible.is_empty() {
        let defect = plain(DefectCode::ContradictoryGuards, Place::Definition, "");
        return Ok((alloc::vec![defect], Vec::new()));
    }
    let nodes = nodes(draft, &space)?;
    let edges = nodes.iter().flat_map(|node| &node.edges).map(Vec::len).max().unwrap_or(0);
    let size = nodes.len().saturating_mul(edges.saturating_add(2));
    if size.saturating_mul(possible.len()) > MAX_WORK {
        let detail = "too many situations for a definition of this size";
        return Err(Box::new(plain(DefectCode::TooLarge, Place::Definition, detail)));
    }
    let initial = draft.states.iter().position(|state| state.id == draft.initial).unwrap_or(0);
    let count = nodes.len();
    let mut analysis = Analysis {
        draft,
        space,
        nodes,
        initial,
        shown: BTreeMap::new(),
        best: alloc::vec![None; count],
        taken: BTreeSet::new(),
    };
    let mut silences = alloc::vec![None; count];
    for fixed in possible {
        analysis.look(fixed, &mut silences);
    }
    analysis.never_taken();
    let found = analysis.found();
    let silences = silences.into_iter().flatten().collect();
    Ok((found, silences))
}

fn nodes<'a>(draft: &'a WorkflowDraft, space: &Space) -> Result<Vec<Node<'a>>, Box<Defect>> {
    let positions: BTreeMap<&StateId, usize> =
        draft.states.iter().enumerate().map(|(position, state)| (&state.id, position)).collect();
    let mut leaving: Vec<Vec<usize>> = alloc::vec![Vec::new(); draft.states.len()];
    for (arrow, drawn) in draft.arrows.iter().enumerate() {
        if let Some(list) = positions.get(&drawn.from).and_then(|&state| leaving.get_mut(state)) {
            list.push(arrow);
        }
    }
    let mut nodes = Vec::with_capacity(draft.states.len());
    for (state, leaving) in draft.states.iter().zip(leaving) {
        let is_final = matches!(state.kind, StateKind::Final { .. });
        let arrows = if is_final { Vec::new() } else { leaving };
        let at = Place::State(state.id.clone());
        let local = space.local(draft, &state.kind, &arrows, &at)?;
        let firing = firing(state);
        let mut timed = Vec::new();
        for &timer in firing.alive.iter().filter(|_| !is_final) {
            let Some(TimerAction::Leave { to }) = state.timers.get(timer).map(|t| &t.then) else {
                continue;
            };
            let to = positions.get(to).copied().unwrap_or(0);
            timed.push(Edge { to, by: By::Timer(timer), combination: 0, system: true });
        }
        let system = |arrow: usize| acts_alone(draft, state, arrow);
        let edges = local
            .outcomes()
            .iter()
            .map(|outcome| {
                let wins = outcome.wins.iter().filter_map(|&(arrow, combination)| {
                    let to = positions.get(&draft.arrows.get(arrow)?.to).copied()?;
                    Some(Edge { to, by: By::Arrow(arrow), combination, system: system(arrow) })
                });
                wins.chain(timed.iter().copied()).collect()
            })
            .collect();
        let by_time = by_time(draft, state);
        nodes.push(Node { draft: state, local, firing, by_time, edges });
    }
    Ok(nodes)
}

/// Whether an arrow can be taken with nobody acting: out of a choice, or out of an approval that may
/// decide by itself.
fn acts_alone(draft: &WorkflowDraft, state: &StateDraft, arrow: usize) -> bool {
    let on = draft.arrows.get(arrow).and_then(|arrow| arrow.on.as_ref());
    let StateKind::Approval(rule) = &state.kind else {
        return matches!(state.kind, StateKind::Choice);
    };
    let silent = |wanted: &TimeoutAction| rule.timeouts.iter().any(|t| t.then == *wanted);
    match on.map(crate::workflow::EventName::as_str) {
        Some(APPROVED) => {
            rule.small.is_some()
                || rule.on_empty == OnEmpty::Approve
                || silent(&TimeoutAction::Approve)
                || draft.policy.same_person != SamePersonRule::Off
        }
        Some(REJECTED) => rule.on_empty == OnEmpty::Reject || silent(&TimeoutAction::Reject),
        _ => false,
    }
}

impl<'a> Analysis<'a> {
    fn edges(&self, state: usize, cell: &[usize]) -> &[Edge] {
        self.nodes
            .get(state)
            .and_then(|node| node.edges.get(node.local.index(cell)))
            .map_or(&[], Vec::as_slice)
    }

    /// The length of the way to each state, and the edge by which it is first entered.
    fn reach(&self, cell: &[usize]) -> Vec<Way> {
        let mut reached = alloc::vec![None; self.nodes.len()];
        if let Some(start) = reached.get_mut(self.initial) {
            *start = Some((0_usize, None));
        }
        let mut open = VecDeque::from([(self.initial, 0_usize)]);
        while let Some((state, depth)) = open.pop_front() {
            let deeper = depth.saturating_add(1);
            for edge in self.edges(state, cell) {
                if let Some(entry @ None) = reached.get_mut(edge.to) {
                    *entry = Some((deeper, Some((state, *edge))));
                    open.push_back((edge.to, deeper));
                }
            }
        }
        reached
    }

    fn note(&mut self, code: DefectCode, at: Place, shown: Shown) {
        match self.shown.get_mut(&(code, at.clone())) {
            Some(known) if known.depth <= shown.depth => {}
            Some(known) => *known = shown,
            None => {
                self.shown.insert((code, at), shown);
            }
        }
    }

    fn place(&self, state: usize) -> Place {
        self.nodes.get(state).map_or(Place::Definition, |node| Place::State(node.draft.id.clone()))
    }

    /// Everything that can be said in one cell of the fixed facts.
    fn look(&mut self, fixed: usize, silences: &mut [Option<Silence>]) {
        let cell = self.space.fixed_cell(fixed);
        let reached = self.reach(&cell);
        let mut notes: Vec<(DefectCode, Shown)> = Vec::new();
        for (state, way) in reached.iter().enumerate() {
            let (Some((depth, _)), Some(node)) = (way, self.nodes.get(state)) else { continue };
            let shown = |combination: Option<usize>, detail: String| Shown {
                depth: *depth,
                fixed,
                state,
                combination,
                detail,
            };
            if let Some(best) = self.best.get_mut(state)
                && best.is_none_or(|(known, _)| *depth < known)
            {
                *best = Some((*depth, fixed));
            }
            let index = node.local.index(&cell);
            let edges = node.edges.get(index).map_or(&[][..], Vec::as_slice);
            self.taken.extend(edges.iter().filter_map(|edge| match edge.by {
                by @ By::Arrow(_) => Some(by),
                By::Timer(_) => None,
            }));
            let Some(outcome) = node.local.outcomes().get(index) else { continue };
            let is_final = matches!(node.draft.kind, StateKind::Final { .. });
            if edges.is_empty() && !is_final {
                notes.push((DefectCode::DeadEnd, shown(None, String::new())));
            }
            if let Some((first, second, combination)) = outcome.clash {
                let name = |arrow: usize| self.draft.arrows.get(arrow).map(|a| a.id.as_str());
                let detail = alloc::format!(
                    "arrows `{}` and `{}`",
                    name(first).unwrap_or_default(),
                    name(second).unwrap_or_default()
                );
                notes.push((DefectCode::Nondeterministic, shown(Some(combination), detail)));
            } else if let Some((first, second)) = node.firing.tie.filter(|_| !is_final) {
                let name = |timer: usize| node.draft.timers.get(timer).map(|t| t.id.as_str());
                let detail = alloc::format!(
                    "timers `{}` and `{}`",
                    name(first).unwrap_or_default(),
                    name(second).unwrap_or_default()
                );
                notes.push((DefectCode::Nondeterministic, shown(None, detail)));
            }
            for &(event, combination) in &outcome.holes {
                let code = match event {
                    None => DefectCode::NotTotal,
                    Some(_) => DefectCode::ApprovalOutcomeUnhandled,
                };
                let detail = event.map(|event| alloc::format!("`{event}`")).unwrap_or_default();
                notes.push((code, shown(Some(combination), detail)));
            }
        }
        let depth =
            |state: usize| reached.get(state).and_then(|way| way.as_ref().map(|(depth, _)| *depth));
        let (trapped, turning) = (self.traps(&cell, &reached), self.turning(&cell, &reached));
        for (code, states) in [
            (DefectCode::Livelock, trapped),
            (DefectCode::SystemCycle, turning.iter().copied().collect()),
        ] {
            for state in states {
                let Some(depth) = depth(state) else { continue };
                let shown = Shown { depth, fixed, state, combination: None, detail: String::new() };
                notes.push((code, shown));
            }
        }
        if turning.is_empty() {
            self.silences(&cell, &reached, silences);
        }
        for (code, shown) in notes {
            let at = self.place(shown.state);
            self.note(code, at, shown);
        }
    }

    /// States that move and cannot reach a final state, in groups that cannot be left.
    fn traps(&self, cell: &[usize], reached: &[Way]) -> Vec<usize> {
        let mut entering: Vec<Vec<usize>> = alloc::vec![Vec::new(); self.nodes.len()];
        let mut hopeful = alloc::vec![false; self.nodes.len()];
        let mut open = Vec::new();
        for (state, node) in self.nodes.iter().enumerate() {
            if !matches!(reached.get(state), Some(Some(_))) {
                continue;
            }
            for edge in self.edges(state, cell) {
                if let Some(list) = entering.get_mut(edge.to) {
                    list.push(state);
                }
            }
            if matches!(node.draft.kind, StateKind::Final { .. }) {
                open.push(state);
            }
        }
        while let Some(state) = open.pop() {
            match hopeful.get_mut(state) {
                Some(known @ false) => *known = true,
                _ => continue,
            }
            open.extend(entering.get(state).into_iter().flatten());
        }
        let lost: Vec<usize> = (0..self.nodes.len())
            .filter(|&state| matches!(reached.get(state), Some(Some(_))))
            .filter(|&state| hopeful.get(state) == Some(&false))
            .collect();
        if lost.is_empty() {
            return lost;
        }
        let inside = |state: usize| lost.binary_search(&state).is_ok();
        let groups = groups(&lost, |state| self.edges(state, cell).iter().map(|edge| edge.to));
        groups
            .into_iter()
            .filter(|group| {
                group.iter().all(|&state| {
                    let edges = self.edges(state, cell);
                    !edges.is_empty()
                        && edges.iter().all(|edge| inside(edge.to) && group.contains(&edge.to))
                })
            })
            .flatten()
            .collect()
    }

    /// States on a cycle of edges that need nobody.
    fn turning(&self, cell: &[usize], reached: &[Way]) -> BTreeSet<usize> {
        let next = |state: usize| {
            self.edges(state, cell).iter().filter(|edge| edge.system).map(|edge| edge.to)
        };
        let states: Vec<usize> = (0..self.nodes.len())
            .filter(|&state| matches!(reached.get(state), Some(Some(_))))
            .filter(|&state| next(state).next().is_some())
            .collect();
        if states.is_empty() {
            return BTreeSet::new();
        }
        groups(&states, next)
            .into_iter()
            .filter(|group| match group.as_slice() {
                [alone] => next(*alone).any(|to| to == *alone),
                _ => true,
            })
            .flatten()
            .collect()
    }

    /// Arrows and timers whose state is reached and that are never taken.
    fn never_taken(&mut self) {
        let mut notes = Vec::new();
        for (arrow, drawn) in self.draft.arrows.iter().enumerate() {
            let from = self.draft.states.iter().position(|state| state.id == drawn.from);
            let Some(state) = from else { continue };
            let Some(Some((depth, fixed))) = self.best.get(state).copied() else { continue };
            let is_final = self
                .nodes
                .get(state)
                .is_some_and(|node| matches!(node.draft.kind, StateKind::Final { .. }));
            if !is_final && !self.taken.contains(&By::Arrow(arrow)) {
                let shown = Shown { depth, fixed, state, combination: None, detail: String::new() };
                notes.push((Place::Arrow(drawn.id.clone()), shown));
            }
        }
        for (state, node) in self.nodes.iter().enumerate() {
            let Some(Some((depth, fixed))) = self.best.get(state).copied() else { continue };
            if matches!(node.draft.kind, StateKind::Final { .. }) {
                continue;
            }
            for &timer in &node.firing.dead {
                let Some(timer) = node.draft.timers.get(timer) else { continue };
                let at = Place::Timer(node.draft.id.clone(), timer.id.clone());
                let detail = String::from("the case has left before");
                notes.push((at, Shown { depth, fixed, state, combination: None, detail }));
            }
        }
        for (at, shown) in notes {
            self.note(DefectCode::DeadTransition, at, shown);
        }
    }

    fn found(&self) -> Vec<Defect> {
        let mut found = Vec::new();
        for (state, best) in self.best.iter().enumerate() {
            if best.is_none() {
                found.push(plain(DefectCode::UnreachableState, self.place(state), ""));
            }
        }
        for ((code, at), shown) in &self.shown {
            let path = self.path(shown);
            let facts = match (shown.combination, self.nodes.get(shown.state)) {
                (Some(combination), Some(node)) => {
                    self.space.local_facts(shown.fixed, &node.local, combination)
                }
                _ => self.space.fixed_facts(shown.fixed),
            };
            let (code, at, detail) = (*code, at.clone(), shown.detail.clone());
            found.push(Defect { code, at, detail, witness: Some(Witness { path, facts }) });
        }
        found
    }

    fn path(&self, shown: &Shown) -> Vec<Step> {
        let cell = self.space.fixed_cell(shown.fixed);
        let reached = self.reach(&cell);
        let mut path = Vec::new();
        let mut at = shown.state;
        while let Some(Some((_, Some((from, edge))))) = reached.get(at) {
            let (Some(before), Some(after)) = (self.nodes.get(*from), self.nodes.get(at)) else {
                break;
            };
            let (by, facts) = match edge.by {
                By::Arrow(arrow) => {
                    let Some(arrow) = self.draft.arrows.get(arrow) else { break };
                    let facts =
                        self.space.local_facts(shown.fixed, &before.local, edge.combination);
                    (Taken::Arrow(arrow.id.clone()), facts)
                }
                By::Timer(timer) => {
                    let Some(timer) = before.draft.timers.get(timer) else { break };
                    (Taken::Timer(timer.id.clone()), Default::default())
                }
            };
            let (from_id, to) = (before.draft.id.clone(), after.draft.id.clone());
            path.push(Step { from: from_id, by, to, facts });
            at = *from;
        }
        path.reverse();
        path
    }

    /// The longest time without anybody acting, from each waiting state.
    fn silences(&self, cell: &[usize], reached: &[Way], worst: &mut [Option<Silence>]) {
        let mut known: Vec<Option<(Stay, usize)>> = alloc::vec![None; self.nodes.len()];
        // There is no cycle, so a state is settled once all its followers are.
        // States that are not reached may turn, and are left out.
        for start in (0..self.nodes.len()).filter(|&s| matches!(reached.get(s), Some(Some(_)))) {
            let mut open = alloc::vec![start];
            while let Some(&state) = open.last() {
                if matches!(known.get(state), Some(Some(_))) {
                    open.pop();
                    continue;
                }
                let silent = || {
                    let edges = self.edges(state, cell).iter();
                    edges.filter_map(|edge| Some((edge.to, self.silent(state, edge)?)))
                };
                let wanting =
                    silent().map(|(to, _)| to).find(|&to| matches!(known.get(to), Some(None)));
                if let Some(next) = wanting {
                    open.push(next);
                    continue;
                }
                let onward = silent().filter_map(|(to, stay)| {
                    let (rest, end) = known.get(to).copied().flatten()?;
                    Some((rest.plus(stay), end))
                });
                let longest = onward
                    .chain(self.sent_back(state).map(|stay| (stay, state)))
                    .max_by_key(|(stay, _)| stay.seconds());
                if let Some(entry) = known.get_mut(state) {
                    *entry = Some(longest.unwrap_or((Stay::default(), state)));
                }
                open.pop();
            }
        }
        for (state, node) in self.nodes.iter().enumerate() {
            let waits = match node.draft.kind {
                StateKind::Task { .. } | StateKind::Approval(_) | StateKind::Wait { .. } => true,
                StateKind::Choice | StateKind::Final { .. } => false,
            };
            let is_reached = matches!(reached.get(state), Some(Some(_)));
            let Some((total, end)) = known.get(state).copied().flatten() else { continue };
            let (Some(entry), Some(until), true) =
                (worst.get_mut(state), self.nodes.get(end), waits && is_reached)
            else {
                continue;
            };
            if entry.as_ref().is_none_or(|old| old.total.seconds() < total.seconds()) {
                let (here, until) = (node.by_time.here, until.draft.id.clone());
                *entry = Some(Silence { state: node.draft.id.clone(), here, total, until });
            }
        }
    }

    /// How long the case stays before it takes an edge with nobody acting; none when it does not.
    fn silent(&self, state: usize, edge: &Edge) -> Option<Stay> {
        let node = self.nodes.get(state).filter(|_| edge.system)?;
        let arrow = match edge.by {
            By::Timer(timer) => {
                let span = node.draft.timers.get(timer)?.after;
                return node.by_time.leaves.then(|| span.into());
            }
            By::Arrow(arrow) => self.draft.arrows.get(arrow)?,
        };
        let StateKind::Approval(rule) = &node.draft.kind else { return Some(Stay::default()) };
        let (by_seats, at_once) = match arrow.on.as_ref().map(crate::workflow::EventName::as_str) {
            Some(APPROVED) => (
                node.by_time.approves,
                rule.small.is_some()
                    || rule.on_empty == OnEmpty::Approve
                    || self.draft.policy.same_person != SamePersonRule::Off,
            ),
            Some(REJECTED) => (node.by_time.rejects, rule.on_empty == OnEmpty::Reject),
            _ => (false, false),
        };
        let seats = node.by_time.seats.filter(|_| by_seats);
        seats.or_else(|| at_once.then(Stay::default))
    }

    /// How long silent seats wait before they send the case back to the requester.
    fn sent_back(&self, state: usize) -> Option<Stay> {
        let by_time = self.nodes.get(state)?.by_time;
        by_time.seats.filter(|_| by_time.sends_back)
    }
}

/// The strongly connected groups among some states.
fn groups<I: Iterator<Item = usize>>(
    states: &[usize],
    next: impl Fn(usize) -> I,
) -> Vec<Vec<usize>> {
    let mut graph: DiGraph<usize, ()> = DiGraph::new();
    let index: BTreeMap<usize, _> =
        states.iter().map(|&state| (state, graph.add_node(state))).collect();
    for (&state, &from) in &index {
        for to in next(state) {
            if let Some(&to) = index.get(&to) {
                graph.add_edge(from, to, ());
            }
        }
    }
    let named =
        |group: Vec<_>| group.iter().filter_map(|&n| graph.node_weight(n).copied()).collect();
    kosaraju_scc(&graph).into_iter().map(named).collect()
}
