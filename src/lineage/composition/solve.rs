//! Linear equations `x = T x + b` without negative numbers, solved component by component.
//!
//! Items and events both are unknowns: an item depends on the events that made it, an event on its
//! inputs, so an event with I inputs and O outputs has I + O terms and not I * O. Before a component is
//! solved the events in it are replaced by their inputs, and only its items depend on each other.
//!
//! Elimination without pivoting: as long as every pivot `1 - t` stays above zero, all numbers stay
//! zero or above. A pivot of zero or below means that there is no finite solution without negative
//! shares (the matrix `1 - T` of a strongly connected component is then no M-matrix).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use petgraph::graph::{DiGraph, NodeIndex};

use crate::lineage::fraction::Fraction;

/// The most items that are solved together.
pub const MAX_LOOP: usize = 64;

/// Why equations were not solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsolved {
    TooLarge,
    Endless,
    TooFine,
}

/// What an equation is for. Items only depend on events, events only on items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unknown {
    Item(u32),
    Event(u32),
}

impl Unknown {
    const fn item(self) -> Option<u32> {
        match self {
            Self::Item(node) => Some(node),
            Self::Event(_) => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Row {
    terms: BTreeMap<Unknown, Fraction>,
    constant: Fraction,
}

impl Row {
    const fn constant(constant: Fraction) -> Self {
        Self { terms: BTreeMap::new(), constant }
    }

    /// Replaces an unknown by its own row.
    fn replace(&mut self, unknown: Unknown, by: &Self) -> Option<()> {
        let Some(factor) = self.terms.remove(&unknown) else { return Some(()) };
        self.constant = self.constant.checked_add(&factor.checked_mul(&by.constant)?)?;
        for (&other, term) in &by.terms {
            let more = factor.checked_mul(term)?;
            let term = self.terms.entry(other).or_insert(Fraction::ZERO);
            *term = term.checked_add(&more)?;
        }
        Some(())
    }

    /// Replaces all unknowns whose rows are known.
    fn replace_all(&mut self, known: &BTreeMap<Unknown, Self>) -> Option<()> {
        let found: Vec<Unknown> =
            self.terms.keys().copied().filter(|of| known.contains_key(of)).collect();
        found.into_iter().try_for_each(|of| self.replace(of, known.get(&of)?))
    }
}

/// One equation per unknown.
#[derive(Clone, Debug, Default)]
pub(super) struct Equations(BTreeMap<Unknown, Row>);

impl Equations {
    pub(super) fn add(&mut self, unknown: Unknown) {
        self.0.entry(unknown).or_insert_with(|| Row::constant(Fraction::ZERO));
    }

    /// Adds a constant to the equation of an unknown; `None` past the limit of fractions.
    pub(super) fn add_constant(&mut self, unknown: Unknown, part: &Fraction) -> Option<()> {
        let row = self.0.get_mut(&unknown)?;
        row.constant = row.constant.checked_add(part)?;
        Some(())
    }

    /// Adds a multiple of another unknown; `None` past the limit of fractions.
    pub(super) fn add_term(
        &mut self,
        unknown: Unknown,
        of: Unknown,
        factor: &Fraction,
    ) -> Option<()> {
        if !factor.is_zero() {
            let term = self.0.get_mut(&unknown)?.terms.entry(of).or_insert(Fraction::ZERO);
            *term = term.checked_add(factor)?;
        }
        Some(())
    }

    /// The value of every item, or the items that stand in the way.
    pub(super) fn solve(mut self) -> Result<BTreeMap<u32, Fraction>, (Unsolved, Vec<u32>)> {
        let mut known: BTreeMap<Unknown, Row> = BTreeMap::new();
        for component in self.components() {
            match self.solve_component(&component, &known) {
                Ok(solved) => known.extend(solved),
                Err(why) => return Err((why, self.items_of(&component))),
            }
        }
        let items = known.into_iter();
        Ok(items.filter_map(|(unknown, row)| Some((unknown.item()?, row.constant))).collect())
    }

    /// Unknowns that depend on each other, those first that others need.
    fn components(&self) -> Vec<Vec<Unknown>> {
        let mut graph: DiGraph<Unknown, ()> = DiGraph::new();
        let places: BTreeMap<Unknown, NodeIndex> =
            self.0.keys().map(|&unknown| (unknown, graph.add_node(unknown))).collect();
        for (unknown, row) in &self.0 {
            for of in row.terms.keys() {
                if let (Some(&from), Some(&to)) = (places.get(unknown), places.get(of)) {
                    graph.add_edge(from, to, ());
                }
            }
        }
        // Not Tarjan's: petgraph's walks by recursion, and chains of lots can be very long.
        let components = petgraph::algo::kosaraju_scc(&graph).into_iter();
        let names = |component: Vec<NodeIndex>| {
            let mut names: Vec<Unknown> = component
                .into_iter()
                .filter_map(|place| graph.node_weight(place).copied())
                .collect();
            names.sort_unstable();
            names
        };
        components.map(names).collect()
    }

    fn solve_component(
        &mut self,
        component: &[Unknown],
        known: &BTreeMap<Unknown, Row>,
    ) -> Result<Vec<(Unknown, Row)>, Unsolved> {
        let items = component.iter().filter(|unknown| unknown.item().is_some()).count();
        if items > MAX_LOOP {
            return Err(Unsolved::TooLarge);
        }
        let mut rows: Vec<(Unknown, Row)> = Vec::with_capacity(items);
        let mut events: BTreeMap<Unknown, Row> = BTreeMap::new();
        // Events stand behind items, and are replaced first.
        for &unknown in component.iter().rev() {
            let Some(mut row) = self.0.remove(&unknown) else { continue };
            row.replace_all(known).ok_or(Unsolved::TooFine)?;
            row.replace_all(&events).ok_or(Unsolved::TooFine)?;
            match unknown {
                Unknown::Item(_) => rows.push((unknown, row)),
                Unknown::Event(_) => {
                    events.insert(unknown, row);
                }
            }
        }
        let mut solved = eliminate(rows)?;
        for (event, mut row) in events {
            row.replace_all(&solved).ok_or(Unsolved::TooFine)?;
            solved.insert(event, row);
        }
        Ok(solved.into_iter().collect())
    }

    /// The items of a component; of an event alone, the items that it made.
    fn items_of(&self, component: &[Unknown]) -> Vec<u32> {
        let items: Vec<u32> = component.iter().filter_map(|unknown| unknown.item()).collect();
        if !items.is_empty() {
            return items;
        }
        let feeds = |row: &Row| component.iter().any(|event| row.terms.contains_key(event));
        let fed = self.0.iter().filter(|(_, row)| feeds(row));
        fed.filter_map(|(unknown, _)| unknown.item()).collect()
    }
}

/// Solves rows that depend on nothing but each other.
fn eliminate(mut rows: Vec<(Unknown, Row)>) -> Result<BTreeMap<Unknown, Row>, Unsolved> {
    for place in 0..rows.len() {
        let (before, rest) = rows.split_at_mut(place);
        let Some((unknown, row)) = rest.first_mut() else { continue };
        for (other, by) in before.iter() {
            row.replace(*other, by).ok_or(Unsolved::TooFine)?;
        }
        divide_out(*unknown, row)?;
    }
    let mut solved: BTreeMap<Unknown, Row> = BTreeMap::new();
    while let Some((unknown, mut row)) = rows.pop() {
        row.replace_all(&solved).ok_or(Unsolved::TooFine)?;
        solved.insert(unknown, row);
    }
    Ok(solved)
}

/// Brings `x = t x + rest` to `x = rest / (1 - t)`.
fn divide_out(unknown: Unknown, row: &mut Row) -> Result<(), Unsolved> {
    let Some(own) = row.terms.remove(&unknown) else { return Ok(()) };
    if own >= Fraction::ONE {
        return Err(Unsolved::Endless);
    }
    let pivot = Fraction::ONE.checked_sub(&own).ok_or(Unsolved::TooFine)?;
    row.constant = row.constant.checked_div(&pivot).ok_or(Unsolved::TooFine)?;
    for term in row.terms.values_mut() {
        *term = term.checked_div(&pivot).ok_or(Unsolved::TooFine)?;
    }
    Ok(())
}
