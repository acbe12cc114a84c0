//! Shares without times: composition and flow, solved exactly, loops allowed.
//!
//! In: sources. Out: for each item the share of it that stems from the sources (composition), or how
//! much of their material ever went into it (flow), as exact fractions. The ledger walks the events
//! in order of time and rounds to parts of a step; this looks at all events of an item at once, as
//! if everything ever made of it had been mixed, and rounds nothing. Where each lot is made by one
//! event and nothing is taken that is not there, both agree.
//!
//! - Composition: a source is 1; any other item is the average of the events that made it, by what
//!   each put out, and an event is the average of its inputs, by how much went in.
//! - Flow: a source is all that was ever made of it; of any other item, each event gives it, by its
//!   part of the outputs, what went in, where an input brings its own flow times the part of it
//!   that the event used.
//!
//! Rework loops make the equations depend on each other. Each strongly connected component is
//! solved by elimination, in fractions. Nothing is cut off quietly: what cannot be solved or held is
//! an error that names the items or the event.
//!
//! Always true, and tested: the result solves the equations exactly; only shares above zero are
//! listed; composition is at most one.

mod solve;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use super::Lineage;
use super::event::{EventId, Item};
use super::fraction::{Fraction, MAX_BITS};
use super::graph::bits::Bits;
use super::graph::{Graph, Lines};
use super::source::Source;
use solve::{Equations, Unknown, Unsolved};

pub use solve::MAX_LOOP;

/// Why shares without times cannot be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompositionError {
    /// An event on the way has lines that cannot be summed: several units, or a missing quantity.
    #[error("event {event} has quantities that are missing or cannot be summed; use the ledger")]
    NotSummable {
        /// The event.
        event: EventId,
    },
    /// More items depend on each other than are solved together.
    #[error("{} items form one loop, at most {MAX_LOOP} are solved; use the ledger", items.len())]
    LoopTooLarge {
        /// The items of the loop, sorted.
        items: Vec<Item>,
    },
    /// A loop takes back all that it puts out: flow through it has no end.
    #[error("the loop of {} items from {} on gives back all that it takes in", items.len(), first(items))]
    Endless {
        /// The items of the loop, sorted.
        items: Vec<Item>,
    },
    /// The exact fractions of these items pass [`MAX_BITS`].
    #[error("the exact share of {} needs more than {MAX_BITS} bits; use the ledger", first(items))]
    TooFine {
        /// The items that are solved together, sorted.
        items: Vec<Item>,
    },
}

fn first(items: &[Item]) -> alloc::string::String {
    items.first().map(|item| alloc::format!("{item}")).unwrap_or_default()
}

/// Which of the two questions is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    Composition,
    Flow,
}

impl Lineage {
    /// The share of each item that stems from the sources, whatever the times say. Only items with a
    /// share are listed.
    ///
    /// The times from which sources are suspect, and cleanings, play no part.
    ///
    /// # Errors
    ///
    /// [`CompositionError`].
    ///
    /// ```
    /// use aftersale::id::LotId;
    /// use aftersale::lineage::Lineage;
    /// use aftersale::lineage::event::{Event, EventId, EventKind, Item, Line, Units};
    /// use aftersale::lineage::source::Source;
    /// use aftersale::quantity::{Quantity, Unit};
    /// use aftersale::time::Instant;
    /// let item = |id| Ok::<_, aftersale::id::IdError>(Item::Lot(LotId::new(id)?));
    /// let kilograms = |text| Quantity::parse(text, Unit::known("kg")?);
    /// let at = Instant::from_timestamp(1_775_980_800, 0).ok_or("range")?;
    /// let mut lineage = Lineage::new(Units::default());
    /// for event in [
    ///     Event::new(EventId::new("R")?, at, EventKind::Receive)
    ///         .output(Line::new(item("COCOA")?, kilograms("30")?))
    ///         .output(Line::new(item("SUGAR")?, kilograms("70")?)),
    ///     // Each batch of chocolate takes 20 kg of the batch before, all called by one lot number.
    ///     Event::new(EventId::new("M")?, at, EventKind::Make)
    ///         .input(Line::new(item("COCOA")?, kilograms("30")?))
    ///         .input(Line::new(item("SUGAR")?, kilograms("50")?))
    ///         .input(Line::new(item("CHOCOLATE")?, kilograms("20")?))
    ///         .output(Line::new(item("CHOCOLATE")?, kilograms("100")?)),
    /// ] {
    ///     lineage.record(&event.check()?)?;
    /// }
    /// let shares = lineage.composition(&[Source::item(item("COCOA")?)])?;
    /// assert_eq!(shares[&item("CHOCOLATE")?].to_string(), "3/8");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn composition(
        &self,
        sources: &[Source],
    ) -> Result<BTreeMap<Item, Fraction>, CompositionError> {
        self.solve(sources, Question::Composition)
    }

    /// How much material of the sources ever went into each item, in steps of the unit of the
    /// source, whatever the times say. Only items with a flow are listed.
    ///
    /// Material that went round a loop counts each time. Sources of several units are added as they
    /// are: ask for one at a time.
    ///
    /// # Errors
    ///
    /// [`CompositionError`].
    pub fn flow(&self, sources: &[Source]) -> Result<BTreeMap<Item, Fraction>, CompositionError> {
        self.solve(sources, Question::Flow)
    }

    fn solve(
        &self,
        sources: &[Source],
        question: Question,
    ) -> Result<BTreeMap<Item, Fraction>, CompositionError> {
        let suspicion = self.resolve(sources).suspicion;
        let mut system = System::new(&self.graph, question);
        for (node, _) in &suspicion.nodes {
            system.suspects.insert(node.0);
        }
        system.sources = suspicion.events.iter().map(|event| event.0).collect();
        let named = |stop: Stop| match stop {
            Stop::Event(event) => {
                self.id_of(event).map(|event| CompositionError::NotSummable { event })
            }
            Stop::Nodes(why, nodes) => {
                let items = self.items_of(nodes.into_iter().map(super::graph::NodeIndex));
                Some(match why {
                    Unsolved::TooLarge => CompositionError::LoopTooLarge { items },
                    Unsolved::Endless => CompositionError::Endless { items },
                    Unsolved::TooFine => CompositionError::TooFine { items },
                })
            }
        };
        let solved = match system.solved() {
            Ok(solved) => solved,
            Err(stop) => {
                return Err(named(stop).unwrap_or(CompositionError::TooFine { items: Vec::new() }));
            }
        };
        let listed = solved.into_iter().filter(|(_, value)| !value.is_zero());
        Ok(listed.filter_map(|(node, value)| Some((self.item_at(node)?, value))).collect())
    }
}

/// What stood in the way, in dense numbers.
enum Stop {
    Event(u32),
    Nodes(Unsolved, Vec<u32>),
}

struct System<'g> {
    graph: &'g Graph,
    question: Question,
    /// Steps ever put out, by node.
    made: Vec<i64>,
    /// Nodes of which a quantity put out is not known, with one such event.
    unknown: BTreeMap<u32, u32>,
    suspects: BTreeSet<u32>,
    /// Events whose outputs are suspect.
    sources: BTreeSet<u32>,
}

/// What gets a share above zero, or one that cannot be told.
struct Reached {
    /// Without the suspects.
    nodes: Bits,
    /// The events that pass it on.
    events: BTreeSet<u32>,
}

impl<'g> System<'g> {
    fn new(graph: &'g Graph, question: Question) -> Self {
        let (mut made, mut unknown) = (vec![0_i64; graph.nodes()], BTreeMap::new());
        for event in graph.chronological() {
            for (&node, &steps) in graph.output_lines(event) {
                if steps < 0 {
                    unknown.insert(node, event);
                } else if let Some(sum) = made.get_mut(node as usize) {
                    *sum = sum.saturating_add(steps);
                }
            }
        }
        Self { graph, question, made, unknown, suspects: BTreeSet::new(), sources: BTreeSet::new() }
    }

    fn solved(&self) -> Result<BTreeMap<u32, Fraction>, Stop> {
        let mut values = BTreeMap::new();
        for &node in &self.suspects {
            values.insert(node, self.of_suspect(node)?);
        }
        let reached = self.reached();
        let mut equations = Equations::default();
        for node in reached.nodes.iter() {
            equations.add(Unknown::Item(node));
        }
        for &event in reached.events.iter().filter(|&&event| self.feeds(event, &reached)) {
            self.add_inputs(event, &reached, &values, &mut equations)?;
            self.add_outputs(event, &reached, &mut equations)?;
        }
        let solved = equations.solve().map_err(|(why, nodes)| Stop::Nodes(why, nodes))?;
        values.extend(solved);
        Ok(values)
    }

    fn of_suspect(&self, node: u32) -> Result<Fraction, Stop> {
        match self.question {
            Question::Composition => Ok(Fraction::ONE),
            Question::Flow => Ok(whole(self.made_of(node)?)),
        }
    }

    fn made_of(&self, node: u32) -> Result<i64, Stop> {
        match self.unknown.get(&node) {
            Some(&event) => Err(Stop::Event(event)),
            None => Ok(self.made.get(node as usize).copied().unwrap_or(0)),
        }
    }

    fn reached(&self) -> Reached {
        let mut nodes = Bits::new(self.graph.nodes());
        let mut open: Vec<u32> = self.suspects.iter().copied().collect();
        let alive = |event: &u32| self.graph.is_alive(*event);
        let mut events: BTreeSet<u32> = self.sources.iter().copied().filter(alive).collect();
        let enter = |event: u32, open: &mut Vec<u32>, nodes: &mut Bits| {
            for (&node, &steps) in self.graph.output_lines(event) {
                if steps != 0 && !self.suspects.contains(&node) && nodes.insert(node) {
                    open.push(node);
                }
            }
        };
        events.iter().for_each(|&event| enter(event, &mut open, &mut nodes));
        // The inputs of an event that it took anything of, once it was looked at.
        let mut taken: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        while let Some(node) = open.pop() {
            if !self.brings(node) {
                continue;
            }
            for event in self.graph.uses(node) {
                if events.contains(&event) {
                    continue;
                }
                let lines = self.graph.input_lines(event).filter(|line| *line.1 != 0);
                let taken =
                    taken.entry(event).or_insert_with(|| lines.map(|line| *line.0).collect());
                if taken.contains(&node) {
                    events.insert(event);
                    enter(event, &mut open, &mut nodes);
                }
            }
        }
        Reached { nodes, events }
    }

    /// Whether a node can hand anything on: what was never made has no flow.
    fn brings(&self, node: u32) -> bool {
        self.question == Question::Composition
            || self.unknown.contains_key(&node)
            || self.made.get(node as usize).is_some_and(|&made| made > 0)
    }

    /// The equation of an event: what its inputs bring.
    fn add_inputs(
        &self,
        event: u32,
        reached: &Reached,
        values: &BTreeMap<u32, Fraction>,
        equations: &mut Equations,
    ) -> Result<(), Stop> {
        let (graph, unknown) = (self.graph, Unknown::Event(event));
        equations.add(unknown);
        if self.sources.contains(&event) {
            let all = match self.question {
                Question::Composition => Fraction::ONE,
                Question::Flow => whole(sum(graph.output_lines(event))),
            };
            return equations
                .add_constant(unknown, &all)
                .ok_or_else(|| self.too_fine(event, reached));
        }
        let touched = |from: &u32| reached.nodes.contains(*from) || self.suspects.contains(from);
        let inputs = || graph.input_lines(event).filter(|line| touched(line.0) && *line.1 != 0);
        let mixed = match self.question {
            Question::Composition => graph.has_mixed_inputs(event),
            Question::Flow => graph.has_mixed_outputs(event),
        };
        if mixed || inputs().any(|line| *line.1 < 0) {
            return Err(Stop::Event(event));
        }
        let all = sum(graph.input_lines(event));
        for (&from, &steps) in inputs() {
            let part = match self.question {
                Question::Composition => share(steps, all),
                Question::Flow => share(steps, self.made_of(from)?),
            };
            let added = match values.get(&from) {
                Some(known) => {
                    part.checked_mul(known).and_then(|part| equations.add_constant(unknown, &part))
                }
                None => equations.add_term(unknown, Unknown::Item(from), &part),
            };
            added.ok_or_else(|| self.too_fine(event, reached))?;
        }
        Ok(())
    }

    /// Adds to the equations of the nodes that an event put out what it gives them.
    fn add_outputs(
        &self,
        event: u32,
        reached: &Reached,
        equations: &mut Equations,
    ) -> Result<(), Stop> {
        let mut put: BTreeMap<u32, i64> = BTreeMap::new();
        let lines = self.graph.output_lines(event).filter(|line| reached.nodes.contains(*line.0));
        for (&node, &steps) in lines {
            let sum = put.entry(node).or_insert(0);
            *sum = sum.saturating_add(steps);
        }
        let all = sum(self.graph.output_lines(event));
        for (node, put) in put {
            let made = self.made_of(node)?;
            let part = match self.question {
                Question::Composition => share(put, made),
                Question::Flow => share(put, all),
            };
            let added = equations.add_term(Unknown::Item(node), Unknown::Event(event), &part);
            added.ok_or_else(|| Stop::Nodes(Unsolved::TooFine, vec![node]))?;
        }
        Ok(())
    }

    /// Whether an event gives a node something.
    fn feeds(&self, event: u32, reached: &Reached) -> bool {
        let mut lines = self.graph.output_lines(event);
        lines.any(|(&node, &steps)| steps != 0 && reached.nodes.contains(node))
    }

    fn too_fine(&self, event: u32, reached: &Reached) -> Stop {
        let outputs = self.graph.outputs(event).iter().copied();
        let fed = outputs.filter(|&node| reached.nodes.contains(node));
        Stop::Nodes(Unsolved::TooFine, fed.collect())
    }
}

fn sum(lines: Lines<'_>) -> i64 {
    lines.fold(0_i64, |sum, (_, &steps)| sum.saturating_add(steps.max(0)))
}

fn whole(steps: i64) -> Fraction {
    share(steps, 1)
}

/// A part of a whole; nothing of nothing is nothing.
fn share(part: i64, all: i64) -> Fraction {
    let part = u64::try_from(part).unwrap_or(0);
    Fraction::new(part, u64::try_from(all).unwrap_or(0)).unwrap_or(Fraction::ZERO)
}
