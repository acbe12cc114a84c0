//! Ranked things with long names: bars in rows, and the Pareto chart.

use super::super::svg::{Anchor, Scale, Svg, fit, text_width};
use super::super::text::Format;
use super::{Chart, PHONE};

/// Bars in rows.
#[derive(Clone, Debug)]
pub struct Bars {
    /// What it shows.
    pub title: String,
    /// Name, value, and a note behind the value.
    pub rows: Vec<(String, f64, String)>,
    /// How values are written.
    pub format: Format,
}

/// Bars in rows, largest first, and the running share of the whole as a line from top to bottom.
#[derive(Clone, Debug)]
pub struct Pareto {
    /// What it shows.
    pub title: String,
    /// Name and value, largest first, none below zero.
    pub rows: Vec<(String, f64)>,
    /// The sum of all, also of those not shown.
    pub whole: f64,
    /// What the bars are called, and the line.
    pub words: (String, String),
    /// How values are written.
    pub format: Format,
}

/// Where names, bars and values go.
struct Layout {
    names: f64,
    left: f64,
    right: f64,
    tall: f64,
    names_above: bool,
}

fn layout<'a>(width: f64, names: impl Iterator<Item = &'a str>, values: f64) -> Layout {
    let widest = names.map(|name| text_width(name, 13.0)).fold(0.0, f64::max);
    if width < PHONE {
        return Layout {
            names: width,
            left: 0.0,
            right: width - values,
            tall: 42.0,
            names_above: true,
        };
    }
    let room = (widest + 14.0).min(width * 0.4);
    Layout { names: room - 14.0, left: room, right: width - values, tall: 27.0, names_above: false }
}

impl Layout {
    /// Writes the name of a row and returns top and height of its bar.
    fn name(&self, pen: &mut Svg, name: &str, y: f64) -> (f64, f64) {
        let text = fit(name, 13.0, self.names);
        if self.names_above {
            pen.text((0.0, y + 12.0), Anchor::Start, "l", &text);
            return (y + 18.0, 15.0);
        }
        pen.text((self.left - 12.0, y + 17.5), Anchor::End, "l", &text);
        (y + 4.0, 19.0)
    }
}

impl Chart for Bars {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        let row = |(name, value, note): &(String, f64, String)| {
            format!("{name} {} {note}", self.format.full(*value)).trim_end().to_owned()
        };
        self.rows.iter().map(row).collect::<Vec<_>>().join("; ")
    }

    fn draw(&self, pen: &mut Svg) {
        let behind = |(_, value, note): &(String, f64, String)| {
            format!("{}    {note}", self.format.full(*value)).trim_end().to_owned()
        };
        let values = self.rows.iter().map(|row| text_width(&behind(row), 12.5)).fold(0.0, f64::max);
        let place =
            layout(pen.width, self.rows.iter().map(|(name, ..)| name.as_str()), values + 12.0);
        let high = self.rows.iter().map(|(_, value, _)| *value).fold(f64::MIN_POSITIVE, f64::max);
        let scale = Scale::exact(0.0, high, place.left, place.right);
        let mut y = 0.0;
        for row in &self.rows {
            let (top, tall) = place.name(pen, &row.0, y);
            let wide = (scale.at(row.1) - place.left).max(1.5);
            let tip = format!("{} · {}", row.0, behind(row));
            pen.rect((place.left, top, wide, tall), "bar c1", &tip);
            let value = self.format.full(row.1);
            let x = place.left + wide + 8.0;
            pen.text((x, top + tall - 4.5), Anchor::Start, "v", &value);
            pen.text(
                (x + text_width(&value, 12.5) * 1.1 + 10.0, top + tall - 4.5),
                Anchor::Start,
                "t",
                &row.2,
            );
            y += place.tall;
        }
        pen.height = y + 4.0;
    }
}

impl Chart for Pareto {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        let row = |(name, value): &(String, f64)| format!("{name} {}", self.format.full(*value));
        let shown: f64 = self.rows.iter().map(|(_, value)| value).sum();
        let share = Format::Percent(1).full(shown / self.whole.max(f64::MIN_POSITIVE));
        let rows = self.rows.iter().map(row).collect::<Vec<_>>().join("; ");
        format!("{rows} · {} {share}", self.words.1)
    }

    fn draw(&self, pen: &mut Svg) {
        const SHARES: f64 = 52.0;
        let widest = self.rows.iter().map(|(_, value)| text_width(&self.format.full(*value), 12.5));
        let values = widest.fold(0.0, f64::max) * 1.08 + SHARES;
        let names = self.rows.iter().map(|(name, _)| name.as_str());
        let place = layout(pen.width, names, values + 16.0);
        let whole = self.whole.max(f64::MIN_POSITIVE);
        let high = self.rows.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
        let scale = Scale::exact(0.0, high, place.left, place.right);
        let shares = Scale::exact(0.0, 1.0, place.left, place.right);
        let top = pen.legend(&[("c1", &self.words.0), ("c2", &self.words.1)], 0.0, 0.0) + 22.0;
        let bottom = top + place.tall * self.rows.len() as f64;
        for tick in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
            let x = shares.at(tick);
            pen.line((x, top - 4.0), (x, bottom), if tick == 0.8 { "goal" } else { "grid" });
            pen.text((x, top - 9.0), Anchor::Middle, "t", &Format::Percent(0).short(tick));
        }
        let mut line = Vec::new();
        let mut running = 0.0;
        let mut y = top;
        for (name, value) in &self.rows {
            let (bar, tall) = place.name(pen, name, y);
            let wide = (scale.at(*value) - place.left).max(1.5);
            let text = self.format.full(*value);
            running += value;
            let share = Format::Percent(1).full(running / whole);
            pen.rect(
                (place.left, bar, wide, tall),
                "bar c1",
                &format!("{name} · {text} · {} {share}", self.words.1),
            );
            pen.text((pen.width - SHARES, bar + tall - 4.5), Anchor::End, "v", &text);
            line.push((shares.at(running / whole), bar + tall / 2.0));
            pen.text((pen.width, bar + tall - 4.5), Anchor::End, "t", &share);
            y += place.tall;
        }
        pen.path(&line, "k2");
        for place in line {
            pen.dot(place, 3.2, "c2", "");
        }
        pen.height = bottom + 4.0;
    }
}
