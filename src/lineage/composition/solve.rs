//! Linear equations `x = T x + b` without negative numbers, solved component by component.
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

#[derive(Clone, Debug)]
struct Row {
    terms: BTreeMap<u32, Fraction>,
    constant: Fraction,
}

impl Row {
    /// Replaces an unknown by its own row.
    fn replace(&mut self, unknown: u32, by: &Self) -> Option<()> {
        let Some(factor) = self.terms.remove(&unknown) else { return Some(()) };
        self.constant = self.constant.checked_add(&factor.checked_mul(&by.constant)?)?;
        for (&other, term) in &by.terms {
            let more = factor.checked_mul(term)?;
            let term = self.terms.entry(other).or_insert(Fraction::ZERO);
            *term = term.checked_add(&more)?;
        }
        Some(())
    }
}

/// One equation per unknown.
#[derive(Clone, Debug, Default)]
pub(super) struct Equations(BTreeMap<u32, Row>);

impl Equations {
    pub(super) fn add(&mut self, unknown: u32) {
        let row = || Row { terms: BTreeMap::new(), constant: Fraction::ZERO };
        self.0.entry(unknown).or_insert_with(row);
    }

    /// Adds a constant to the equation of an unknown; `None` past the limit of fractions.
    pub(super) fn add_constant(&mut self, unknown: u32, part: &Fraction) -> Option<()> {
        let row = self.0.get_mut(&unknown)?;
        row.constant = row.constant.checked_add(part)?;
        Some(())
    }

    /// Adds a multiple of another unknown; `None` past the limit of fractions.
    pub(super) fn add_term(&mut self, unknown: u32, of: u32, factor: &Fraction) -> Option<()> {
        if !factor.is_zero() {
            let term = self.0.get_mut(&unknown)?.terms.entry(of).or_insert(Fraction::ZERO);
            *term = term.checked_add(factor)?;
        }
        Some(())
    }

    /// The value of every unknown, or the unknowns that stand in the way.
    pub(super) fn solve(mut self) -> Result<BTreeMap<u32, Fraction>, (Unsolved, Vec<u32>)> {
        let mut values = BTreeMap::new();
        for component in self.components() {
            let solved = self.solve_component(&component, &values);
            values.extend(solved.map_err(|why| (why, component))?);
        }
        Ok(values)
    }

    /// Unknowns that depend on each other, those first that others need.
    fn components(&self) -> Vec<Vec<u32>> {
        let mut graph: DiGraph<u32, ()> = DiGraph::new();
        let places: BTreeMap<u32, NodeIndex> =
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
            let mut names: Vec<u32> = component
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
        component: &[u32],
        values: &BTreeMap<u32, Fraction>,
    ) -> Result<Vec<(u32, Fraction)>, Unsolved> {
        if component.len() > MAX_LOOP {
            return Err(Unsolved::TooLarge);
        }
        let mut rows: Vec<(u32, Row)> = Vec::with_capacity(component.len());
        for unknown in component {
            let Some(mut row) = self.0.remove(unknown) else { continue };
            let known: Vec<u32> =
                row.terms.keys().copied().filter(|of| values.contains_key(of)).collect();
            for of in known {
                let value = values.get(&of).cloned().unwrap_or(Fraction::ZERO);
                let by = Row { terms: BTreeMap::new(), constant: value };
                row.replace(of, &by).ok_or(Unsolved::TooFine)?;
            }
            rows.push((*unknown, row));
        }
        for place in 0..rows.len() {
            let (before, rest) = rows.split_at_mut(place);
            let Some((unknown, row)) = rest.first_mut() else { continue };
            for (other, by) in before.iter() {
                row.replace(*other, by).ok_or(Unsolved::TooFine)?;
            }
            divide_out(*unknown, row)?;
        }
        let mut solved: Vec<(u32, Fraction)> = Vec::with_capacity(rows.len());
        while let Some((unknown, mut row)) = rows.pop() {
            for (other, value) in &solved {
                let by = Row { terms: BTreeMap::new(), constant: value.clone() };
                row.replace(*other, &by).ok_or(Unsolved::TooFine)?;
            }
            solved.push((unknown, row.constant));
        }
        Ok(solved)
    }
}

/// Brings `x = t x + rest` to `x = rest / (1 - t)`.
fn divide_out(unknown: u32, row: &mut Row) -> Result<(), Unsolved> {
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
