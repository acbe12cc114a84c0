//! A report in the terminal: headings, aligned tables, bars made of characters.

use super::text::{shorten, width};

/// Which end of its column a cell keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// The width of the layout in columns.
pub const WIDTH: usize = 92;

/// A heading with a heavy rule below.
pub fn title(text: &str) -> String {
    format!("\n{text}\n{}\n", "━".repeat(WIDTH))
}

/// A section heading within a rule.
pub fn heading(text: &str) -> String {
    let rest = WIDTH.saturating_sub(width(text) + 4);
    format!("\n── {text} {}\n", "─".repeat(rest))
}

/// A paragraph, broken at the width of the layout.
pub fn paragraph(text: &str) -> String {
    let lines = super::text::wrap(text, WIDTH - 2);
    lines.into_iter().map(|line| format!("  {line}\n")).collect()
}

/// A bar whose length is the share of the room, in eighths of a character; a tiny share still shows.
pub fn bar(share: f64, room: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let eighths = (share * room as f64 * 8.0).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

/// An aligned table; columns are as wide as their widest cell, up to a limit.
#[derive(Debug, Default)]
pub struct Columns {
    heads: Vec<(String, Side)>,
    rows: Vec<Row>,
}

#[derive(Debug)]
enum Row {
    Cells(Vec<String>),
    Rule,
}

impl Columns {
    /// A table with these column heads.
    pub fn new(heads: &[(&str, Side)]) -> Self {
        let heads = heads.iter().map(|(head, side)| ((*head).to_owned(), *side)).collect();
        Self { heads, rows: Vec::new() }
    }

    /// Adds a row; missing cells stay empty.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(Row::Cells(cells.into_iter().map(Into::into).collect()));
    }

    /// Adds a rule, such as one above the total.
    pub fn rule(&mut self) {
        self.rows.push(Row::Rule);
    }

    /// The table as text.
    pub fn render(&self) -> String {
        const CELL_MAX: usize = 44;
        let mut widths: Vec<usize> = self.heads.iter().map(|(head, _)| width(head)).collect();
        for row in &self.rows {
            let Row::Cells(cells) = row else { continue };
            for (room, cell) in widths.iter_mut().zip(cells) {
                *room = (*room).max(width(cell)).min(CELL_MAX);
            }
        }
        let line = |cells: &[String]| {
            let mut text = String::from(" ");
            for (position, (room, (_, side))) in widths.iter().zip(&self.heads).enumerate() {
                let cell = shorten(cells.get(position).map_or("", String::as_str), *room);
                let gap = " ".repeat(room.saturating_sub(width(&cell)));
                match side {
                    Side::Left => text.push_str(&format!(" {cell}{gap} ")),
                    Side::Right => text.push_str(&format!(" {gap}{cell} ")),
                }
            }
            format!("{}\n", text.trim_end())
        };
        let rule = format!("  {}\n", "─".repeat(widths.iter().map(|w| w + 2).sum::<usize>() - 2));
        let heads: Vec<String> = self.heads.iter().map(|(head, _)| head.clone()).collect();
        let mut text = String::new();
        if heads.iter().any(|head| !head.is_empty()) {
            text.push_str(&line(&heads));
            text.push_str(&rule);
        }
        for row in &self.rows {
            match row {
                Row::Cells(cells) => text.push_str(&line(cells)),
                Row::Rule => text.push_str(&rule),
            }
        }
        text
    }
}
