//! A heat map: how strong something is in each cell of a grid.

use super::super::svg::{Anchor, Svg, fit, text_width};
use super::super::text::Format;
use super::{Chart, PHONE};

/// Rows and columns of cells in shades of one color.
#[derive(Clone, Debug)]
pub struct Heat {
    /// What it shows.
    pub title: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// Name of the row, and a value per column; `None` stays empty.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
    /// How values are written.
    pub format: Format,
}

impl Chart for Heat {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        let row = |(name, values): &(String, Vec<Option<f64>>)| {
            let strongest = values
                .iter()
                .zip(&self.columns)
                .filter_map(|(value, column)| value.map(|value| (value, column)))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            strongest.map_or_else(
                || format!("{name} –"),
                |(value, column)| format!("{name} · {column} {} ▲", self.format.full(value)),
            )
        };
        self.rows.iter().map(row).collect::<Vec<_>>().join("; ")
    }

    fn draw(&self, pen: &mut Svg) {
        let widest = self.rows.iter().map(|(name, _)| text_width(name, 13.0)).fold(0.0, f64::max);
        let left = (widest + 14.0).min(pen.width * if pen.width < PHONE { 0.3 } else { 0.36 });
        let room = (pen.width - left) / self.columns.len().max(1) as f64;
        let tall = 30.0;
        let values = || self.rows.iter().flat_map(|(_, values)| values.iter().flatten().copied());
        let high = values().fold(f64::MIN_POSITIVE, f64::max);
        let longest = values().map(|v| text_width(&self.format.full(v), 12.0)).fold(0.0, f64::max);
        pen.names_below(&self.columns, 12.0, |column| left + room * (column as f64 + 0.5));
        let mut y = 22.0;
        for (name, cells) in &self.rows {
            let text = fit(name, 13.0, left - 12.0);
            pen.text((left - 10.0, y + tall / 2.0 + 4.0), Anchor::End, "l", &text);
            for (column, value) in cells.iter().enumerate() {
                let place = (left + room * column as f64 + 1.0, y + 1.0, room - 2.0, tall - 2.0);
                let Some(value) = value else {
                    pen.rect(place, "ghost", "");
                    continue;
                };
                // The root keeps small values apart that one large value would flatten.
                let strength = 0.04 + 0.96 * (value / high).clamp(0.0, 1.0).sqrt();
                let tip =
                    format!("{name} · {} · {}", self.columns[column], self.format.full(*value));
                pen.tint(place, strength, &tip);
                if longest + 6.0 < room {
                    let class = if strength > 0.6 { "on" } else { "m" };
                    let middle = (place.0 + place.2 / 2.0, y + tall / 2.0 + 4.0);
                    pen.text(middle, Anchor::Middle, class, &self.format.full(*value));
                }
            }
            y += tall;
        }
        pen.height = y + 2.0;
    }
}
