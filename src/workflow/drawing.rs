//! A workflow as a drawing: Mermaid, Graphviz DOT, SCXML.
//!
//! All three take names from hostile definitions: what would break the notation is escaped, and shown.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::StateId;
use super::definition::{ArrowDraft, StateDraft, StateKind, TimerAction, When, WorkflowDraft};
use super::rule::Mode;
use super::span::{Clock, Span};
use crate::label::Language;
use crate::markup;

/// What to draw besides the definition.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drawing<'a> {
    /// The language of labels; ids stand where there is no label.
    pub language: Language,
    /// The state a case is in, marked.
    pub at: Option<&'a StateId>,
}

impl Drawing<'_> {
    /// A Mermaid state diagram, for documents and chat.
    #[must_use]
    pub fn mermaid(&self, draft: &WorkflowDraft) -> String {
        let mut text = String::from("stateDiagram-v2\n");
        let node = |id: &StateId| format!("s{}", number(draft, id));
        for state in &draft.states {
            let _ = writeln!(
                text,
                "    state \"{}\" as {}",
                markup::mermaid(&self.caption(state)),
                node(&state.id)
            );
        }
        let _ = writeln!(text, "    [*] --> {}", node(&draft.initial));
        for edge in self.edges(draft) {
            let caption = markup::mermaid(&edge.caption);
            let colon = if caption.is_empty() { "" } else { " : " };
            let _ = writeln!(text, "    {} --> {}{colon}{caption}", node(edge.from), node(edge.to));
        }
        for state in &draft.states {
            if matches!(state.kind, StateKind::Final { .. }) {
                let _ = writeln!(text, "    {} --> [*]", node(&state.id));
            }
        }
        if let Some(at) = self.at {
            text.push_str("    classDef here fill:#ffd54f,stroke:#b26a00,stroke-width:3px\n");
            let _ = writeln!(text, "    class {} here", node(at));
        }
        text
    }

    /// A Graphviz digraph.
    #[must_use]
    pub fn dot(&self, draft: &WorkflowDraft) -> String {
        let mut text =
            String::from("digraph workflow {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n");
        for state in &draft.states {
            let shape = match state.kind {
                StateKind::Task { .. } => "box",
                StateKind::Approval(_) => "hexagon",
                StateKind::Wait { .. } => "ellipse",
                StateKind::Choice => "diamond",
                StateKind::Final { .. } => "doublecircle",
            };
            let mark = if self.at == Some(&state.id) {
                ", style=filled, fillcolor=\"#ffd54f\", penwidth=3"
            } else {
                ""
            };
            let (id, caption) = (markup::dot(state.id.as_str()), markup::dot(&self.caption(state)));
            let _ = writeln!(text, "  \"{id}\" [label=\"{caption}\", shape={shape}{mark}];");
        }
        let initial = markup::dot(draft.initial.as_str());
        let _ = writeln!(text, "  \"\" [shape=point];\n  \"\" -> \"{initial}\";");
        for edge in self.edges(draft) {
            let (from, to) = (markup::dot(edge.from.as_str()), markup::dot(edge.to.as_str()));
            let style = if edge.by_time { ", style=dashed" } else { "" };
            let _ = writeln!(
                text,
                "  \"{from}\" -> \"{to}\" [label=\"{}\"{style}];",
                markup::dot(&edge.caption)
            );
        }
        text.push_str("}\n");
        text
    }

    /// A state chart in SCXML (W3C recommendation of 1 September 2015): states, events and conditions
    /// for tools that read it. Conditions are text in the words of this crate; timers are events named
    /// `timer.` with the state and the timer.
    #[must_use]
    pub fn scxml(&self, draft: &WorkflowDraft) -> String {
        let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let id = |state: &StateId| format!("s{}", number(draft, state));
        let _ = writeln!(
            text,
            "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\" version=\"1.0\" name=\"{}\" initial=\"{}\">",
            markup::xml(draft.id.as_str()),
            id(&draft.initial)
        );
        for state in &draft.states {
            let tag = if matches!(state.kind, StateKind::Final { .. }) { "final" } else { "state" };
            let here = if self.at == Some(&state.id) { " (here)" } else { "" };
            let note = comment(&self.caption(state));
            let _ = writeln!(text, "  <!-- {note}{here} -->\n  <{tag} id=\"{}\">", id(&state.id));
            if tag == "state" {
                for timer in &state.timers {
                    if let TimerAction::Leave { to } = &timer.then {
                        let event = token(&format!("timer.{}.{}", state.id, timer.id));
                        let _ = writeln!(
                            text,
                            "    <transition event=\"{event}\" target=\"{}\"/>",
                            id(to)
                        );
                    }
                }
                let mut leaving: Vec<&ArrowDraft> =
                    draft.arrows.iter().filter(|arrow| arrow.from == state.id).collect();
                // The first transition that holds is taken: by priority, the others last.
                leaving.sort_by_key(|a| (a.when == When::Otherwise, a.priority.unwrap_or(0)));
                for arrow in leaving {
                    let event = arrow.on.as_ref().map_or_else(String::new, |on| {
                        format!(" event=\"{}\"", token(on.as_str()))
                    });
                    let condition =
                        draft.condition_of(&arrow.when).map_or_else(String::new, |condition| {
                            format!(" cond=\"{}\"", markup::xml(&format!("{condition}")))
                        });
                    let to = id(&arrow.to);
                    let _ = writeln!(text, "    <transition{event}{condition} target=\"{to}\"/>");
                }
            }
            let _ = writeln!(text, "  </{tag}>");
        }
        text.push_str("</scxml>\n");
        text
    }

    fn caption(&self, state: &StateDraft) -> String {
        let label = state.label.text(self.language);
        let name = if label.is_empty() { state.id.as_str() } else { label };
        let chinese = self.language == Language::Chinese;
        let mode = match &state.kind {
            StateKind::Approval(rule) => match (rule.mode, chinese) {
                (Mode::Any, false) => "any".into(),
                (Mode::Any, true) => "或签".into(),
                (Mode::All, false) => "all".into(),
                (Mode::All, true) => "会签".into(),
                (Mode::Sequence, false) => "one after another".into(),
                (Mode::Sequence, true) => "依次审批".into(),
                (Mode::Count(count), false) => format!("{count} of them"),
                (Mode::Count(count), true) => format!("{count} 人同意"),
                (Mode::Ratio(ratio), false) => format!("{ratio} of them"),
                (Mode::Ratio(ratio), true) => format!("{ratio} 同意"),
                (Mode::EachGroup(count), false) => format!("{count} of each group"),
                (Mode::EachGroup(count), true) => format!("每组 {count} 人同意"),
            },
            StateKind::Task { role } => format!("{role}"),
            StateKind::Wait { party } => format!("{party}"),
            StateKind::Choice | StateKind::Final { .. } => return name.into(),
        };
        format!("{name} ({mode})")
    }

    fn edges<'a>(&self, draft: &'a WorkflowDraft) -> Vec<Edge<'a>> {
        let chinese = self.language == Language::Chinese;
        let mut edges = Vec::new();
        for arrow in &draft.arrows {
            let event = arrow.on.as_ref().map(|on| format!("{on}"));
            let condition = match &arrow.when {
                When::Always => None,
                When::Guard(name) => Some(format!("[{name}]")),
                When::Condition(condition) => Some(format!("[{condition}]")),
                When::Otherwise => Some(if chinese { "[否则]" } else { "[otherwise]" }.into()),
            };
            let words: Vec<String> = event.into_iter().chain(condition).collect();
            let caption = words.join(" ");
            edges.push(Edge { from: &arrow.from, to: &arrow.to, caption, by_time: false });
        }
        for state in &draft.states {
            for timer in &state.timers {
                if let TimerAction::Leave { to } = &timer.then {
                    let caption = if chinese {
                        format!("超过 {}", in_chinese(timer.after))
                    } else {
                        format!("after {}", timer.after)
                    };
                    edges.push(Edge { from: &state.id, to, caption, by_time: true });
                }
            }
        }
        edges
    }
}

struct Edge<'a> {
    from: &'a StateId,
    to: &'a StateId,
    caption: String,
    by_time: bool,
}

fn number(draft: &WorkflowDraft, id: &StateId) -> usize {
    draft.states.iter().position(|state| state.id == *id).unwrap_or(usize::MAX)
}

/// A duration in Chinese: days, hours, minutes and seconds, of business time where it is.
fn in_chinese(span: Span) -> String {
    let business = span.clock() == Clock::Business;
    let mut rest = span.seconds().max(0);
    let mut words: Vec<String> = Vec::new();
    for (size, word) in [(86_400, "天"), (3_600, "小时"), (60, "分钟"), (1, "秒")] {
        // A business day has no fixed length.
        if business && size == 86_400 {
            continue;
        }
        let count = rest.checked_div(size).unwrap_or(0);
        rest = rest.checked_rem(size).unwrap_or(0);
        if count > 0 {
            words.push(format!("{count} {word}"));
        }
    }
    if words.is_empty() {
        words.push("0 秒".into());
    }
    let kind = if business { "工作时间 " } else { "" };
    format!("{kind}{}", words.join(" "))
}

/// A text inside an XML comment, which must not have two hyphens in a row or one at its end.
fn comment(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in markup::xml(text).chars() {
        if c == '-' && safe.ends_with('-') {
            safe.push(' ');
        }
        safe.push(c);
    }
    safe
}

/// An event descriptor in XML: without white space, and without a star of its own.
fn token(text: &str) -> String {
    let gap = |c: char| c.is_whitespace() || c == '*';
    markup::xml(text).chars().map(|c| if gap(c) { '_' } else { c }).collect()
}
