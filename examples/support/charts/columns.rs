//! Columns over time: plain with a line, or stacked.

use super::super::svg::{Anchor, Scale, Svg};
use super::super::text::Format;
use super::{Chart, PHONE, fill, stroke};

/// Columns on the left axis, and a line on the right axis.
#[derive(Clone, Debug)]
pub struct ColumnsLine {
    /// What it shows.
    pub title: String,
    /// The names of the columns.
    pub names: Vec<String>,
    /// What the columns are.
    pub column_name: String,
    /// Their values.
    pub columns: Vec<f64>,
    /// How they are written.
    pub column_format: Format,
    /// What the line is; no line when its values are empty.
    pub line_name: String,
    /// Its values.
    pub line: Vec<Option<f64>>,
    /// How they are written.
    pub line_format: Format,
}

impl Chart for ColumnsLine {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        let pair =
            |(name, value): (&String, &f64)| format!("{name} {}", self.column_format.full(*value));
        let columns = self.names.iter().zip(&self.columns).map(pair).collect::<Vec<_>>().join(", ");
        let pair = |(name, value): (&String, &Option<f64>)| {
            value.map(|value| format!("{name} {}", self.line_format.full(value)))
        };
        let line =
            self.names.iter().zip(&self.line).filter_map(pair).collect::<Vec<_>>().join(", ");
        if line.is_empty() {
            return format!("{}: {columns}", self.column_name);
        }
        format!("{}: {columns}. {}: {line}", self.column_name, self.line_name)
    }

    fn draw(&self, pen: &mut Svg) {
        let (left, right) = (56.0, pen.width - if self.line.is_empty() { 4.0 } else { 46.0 });
        let mut keys = vec![("c1", self.column_name.as_str())];
        if !self.line.is_empty() {
            keys.push(("c2", self.line_name.as_str()));
        }
        let top = pen.legend(&keys, 0.0, 0.0) + 12.0;
        let bottom = top + if pen.width < PHONE { 190.0 } else { 250.0 };
        let low = self.columns.iter().copied().fold(0.0, f64::min);
        let high = self.columns.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let scale = Scale::round(low, high, bottom, top);
        pen.level_grid(scale, (left, right), self.column_format);
        let room = (right - left) / self.columns.len().max(1) as f64;
        let at = |position: usize| left + room * (position as f64 + 0.5);
        for (position, value) in self.columns.iter().enumerate() {
            let tip = format!("{}: {}", self.names[position], self.column_format.full(*value));
            let y = scale.at(*value);
            pen.rect(
                (at(position) - room * 0.34, y, room * 0.68, scale.at(0.0) - y),
                "bar c1",
                &tip,
            );
        }
        if !self.line.is_empty() {
            let high = self.line.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
            let scale = Scale::round(0.0, high, bottom, top);
            for tick in scale.ticks(5) {
                let text = self.line_format.short(tick);
                pen.text((right + 8.0, scale.at(tick) + 4.0), Anchor::Start, "t", &text);
            }
            let dots: Vec<_> = self.line.iter().enumerate().collect();
            for run in dots.split(|(_, value)| value.is_none()) {
                let points: Vec<_> =
                    run.iter().filter_map(|(p, v)| Some((at(*p), scale.at((**v)?)))).collect();
                pen.path(&points, stroke(1));
            }
            for (position, value) in self.line.iter().enumerate() {
                let Some(value) = value else { continue };
                let tip = format!("{}: {}", self.names[position], self.line_format.full(*value));
                pen.dot((at(position), scale.at(*value)), 3.4, "c2", &tip);
            }
        }
        pen.names_below(&self.names, bottom + 20.0, at);
        pen.height = bottom + 28.0;
    }
}

/// Columns made of parts.
#[derive(Clone, Debug)]
pub struct Stacked {
    /// What it shows.
    pub title: String,
    /// The names of the columns.
    pub names: Vec<String>,
    /// The parts: name and a value for each column, none below zero.
    pub parts: Vec<(String, Vec<f64>)>,
    /// How values are written.
    pub format: Format,
    /// Whether columns show amounts or shares of their sum.
    pub height: Height,
}

/// What the height of a stacked column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Height {
    /// The amount.
    Amount,
    /// Shares that sum to one.
    Share,
}

impl Stacked {
    fn sum(&self, column: usize) -> f64 {
        self.parts.iter().map(|(_, values)| values[column]).sum()
    }
}

impl Chart for Stacked {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        let part = |(name, values): &(String, Vec<f64>)| {
            format!("{name} {} in all", self.format.full(values.iter().sum()))
        };
        self.parts.iter().map(part).collect::<Vec<_>>().join("; ")
    }

    fn draw(&self, pen: &mut Svg) {
        let keys = self.parts.iter().enumerate().map(|(n, (name, _))| (fill(n), name.as_str()));
        let top = pen.legend(&keys.collect::<Vec<_>>(), 0.0, 0.0) + 12.0;
        let bottom = top + if pen.width < PHONE { 190.0 } else { 250.0 };
        let (left, right) = (56.0, pen.width - 4.0);
        let sums: Vec<f64> = (0..self.names.len()).map(|column| self.sum(column)).collect();
        let (scale, format) = match self.height {
            Height::Amount => {
                let high = sums.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
                (Scale::round(0.0, high, bottom, top), self.format)
            }
            Height::Share => (Scale::exact(0.0, 1.0, bottom, top), Format::Percent(0)),
        };
        pen.level_grid(scale, (left, right), format);
        let room = (right - left) / self.names.len().max(1) as f64;
        let at = |position: usize| left + room * (position as f64 + 0.5);
        for (column, sum) in sums.iter().enumerate() {
            let mut level = 0.0;
            for (number, (name, values)) in self.parts.iter().enumerate() {
                let share = if *sum > 0.0 { values[column] / sum } else { 0.0 };
                let value = if self.height == Height::Share { share } else { values[column] };
                let (y1, y2) = (scale.at(level), scale.at(level + value));
                level += value;
                let full = self.format.full(values[column]);
                let share = Format::Percent(1).full(share);
                let tip = format!("{}, {name}: {full} ({share})", self.names[column]);
                if value > 0.0 {
                    let x = at(column) - room * 0.36;
                    pen.rect((x, y2, room * 0.72, y1 - y2), fill(number), &tip);
                }
            }
        }
        pen.names_below(&self.names, bottom + 20.0, at);
        pen.height = bottom + 28.0;
    }
}
