//! A drawing of a trace, as Graphviz DOT or Mermaid text, small enough to read.
//!
//! Items are drawn with the arrows between them; what does not fit is counted in one box, so a
//! drawing never looks complete when it is not.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::Lineage;
use super::graph::timed::TimedReach;
use super::graph::{EventIndex, NodeIndex};
use super::source::Source;
use crate::markup;

/// The text format of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Graphviz DOT.
    Dot,
    /// A Mermaid flowchart, as many document sites draw it.
    Mermaid,
}

/// A drawing and what it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawing {
    /// The text.
    pub text: String,
    /// Items drawn.
    pub drawn: usize,
    /// Items of the trace that are not drawn; the text says so too.
    pub left_out: usize,
}

impl Lineage {
    /// Draws the timed trace forward from sources, at most so many items, nearest first.
    #[must_use]
    pub fn draw(&self, sources: &[Source], format: Format, most_items: usize) -> Drawing {
        let resolved = self.resolve(sources);
        let reach = self.reach(&resolved.suspicion);
        let starts: BTreeSet<NodeIndex> = self.starts(&resolved.suspicion).into_iter().collect();
        let drawn = self.nearest(&reach, &starts, most_items);
        let links = self.links_between(&drawn, &reach.events);
        let left_out = reach.nodes.len().saturating_sub(drawn.len());
        let text = self.write_drawing(format, &drawn, &starts, &links, left_out);
        Drawing { text, drawn: drawn.len(), left_out }
    }

    /// The starts, then what is linked to them, level by level, by name within a level. Each event is
    /// passed once, so that one with many lines costs no more than its lines.
    fn nearest(&self, reach: &TimedReach, starts: &BTreeSet<NodeIndex>, most: usize) -> Vec<u32> {
        let mut uses: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for event in reach.events.iter().map(|event| event.0) {
            for &node in self.graph.inputs(event) {
                uses.entry(node).or_default().push(event);
            }
        }
        let mut level: Vec<u32> =
            reach.nodes.iter().filter(|node| starts.contains(node)).map(|node| node.0).collect();
        let mut seen: BTreeSet<u32> = level.iter().copied().collect();
        let mut passed: BTreeSet<u32> = BTreeSet::new();
        let mut drawn = Vec::new();
        while !level.is_empty() && drawn.len() < most {
            level.sort_by_key(|&node| self.items.get(node as usize));
            drawn.extend(level.iter().copied().take(most.saturating_sub(drawn.len())));
            let events = level.iter().filter_map(|node| uses.get(node)).flatten();
            let events = events.filter(|&&event| passed.insert(event));
            let next = events.flat_map(|&event| self.graph.outputs(event)).copied();
            level = next.filter(|&node| seen.insert(node)).collect();
        }
        drawn
    }

    fn links_between(&self, drawn: &[u32], events: &[EventIndex]) -> BTreeMap<u32, BTreeSet<u32>> {
        let drawn: BTreeSet<u32> = drawn.iter().copied().collect();
        let among = |nodes: &[u32]| -> BTreeSet<u32> {
            nodes.iter().copied().filter(|node| drawn.contains(node)).collect()
        };
        let mut links: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for event in events.iter().map(|event| event.0) {
            let outputs = among(self.graph.outputs(event));
            if !outputs.is_empty() {
                for from in among(self.graph.inputs(event)) {
                    links.entry(from).or_default().extend(&outputs);
                }
            }
        }
        links
    }

    fn write_drawing(
        &self,
        format: Format,
        drawn: &[u32],
        starts: &BTreeSet<NodeIndex>,
        links: &BTreeMap<u32, BTreeSet<u32>>,
        left_out: usize,
    ) -> String {
        let mut text = String::from(match format {
            Format::Dot => "digraph trace {\n  rankdir=LR;\n  node [shape=box];\n",
            Format::Mermaid => "flowchart LR\n",
        });
        let place: BTreeMap<u32, usize> =
            drawn.iter().enumerate().map(|(place, &node)| (node, place)).collect();
        // Writing to a String cannot fail.
        for (place, &node) in drawn.iter().enumerate() {
            let name = self.items.get(node as usize).map(|item| format!("{item}"));
            let name = name.unwrap_or_default();
            let label = match format {
                Format::Dot => markup::dot(&name),
                Format::Mermaid => markup::mermaid(&name),
            };
            let start = starts.contains(&NodeIndex(node));
            let _ = match (format, start) {
                (Format::Dot, true) => {
                    writeln!(text, "  n{place} [label=\"{label}\", style=bold, color=red];")
                }
                (Format::Dot, false) => writeln!(text, "  n{place} [label=\"{label}\"];"),
                (Format::Mermaid, true) => writeln!(text, "  n{place}[[\"{label}\"]]"),
                (Format::Mermaid, false) => writeln!(text, "  n{place}[\"{label}\"]"),
            };
        }
        for (&from, tos) in links {
            let Some(from) = place.get(&from) else { continue };
            for to in tos.iter().filter_map(|to| place.get(to)).filter(|to| *to != from) {
                let _ = match format {
                    Format::Dot => writeln!(text, "  n{from} -> n{to};"),
                    Format::Mermaid => writeln!(text, "  n{from} --> n{to}"),
                };
            }
        }
        if left_out > 0 {
            let _ = match format {
                Format::Dot => {
                    writeln!(text, "  more [label=\"{left_out} more not drawn\", style=dashed];")
                }
                Format::Mermaid => writeln!(text, "  more([\"{left_out} more not drawn\"])"),
            };
        }
        if format == Format::Dot {
            text.push_str("}\n");
        }
        text
    }
}
