//! From one total to another, step by step.

use super::super::svg::{Anchor, Scale, Svg, text_width};
use super::super::text::{Format, wrap};
use super::{Chart, PHONE};

/// A waterfall: totals stand on the ground, changes hang between them.
#[derive(Clone, Debug)]
pub struct Waterfall {
    /// What it shows.
    pub title: String,
    /// The steps from left to right.
    pub steps: Vec<Step>,
    /// How values are written.
    pub format: Format,
}

/// One column of a waterfall.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name.
    pub label: String,
    /// The total, or the change.
    pub value: f64,
    /// Small print below the value, such as money and count.
    pub note: String,
    /// Which of the two.
    pub kind: Kind,
}

/// What a step of a waterfall is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A total, from the ground up.
    Total,
    /// A change from where the last step ended.
    Change,
}

impl Waterfall {
    /// Start and end of every step.
    fn spans(&self) -> Vec<(f64, f64)> {
        let mut level = 0.0;
        let span = |step: &Step| {
            let from = if step.kind == Kind::Total { 0.0 } else { level };
            level = from + step.value;
            (from, level)
        };
        self.steps.iter().map(span).collect()
    }

    fn class(step: &Step) -> &'static str {
        match step.kind {
            Kind::Total => "bar c1",
            Kind::Change if step.value < 0.0 => "bar c2",
            Kind::Change => "bar c4",
        }
    }

    fn scale(&self, from: f64, to: f64) -> Scale {
        let spans = self.spans();
        let low = spans.iter().map(|(a, b)| a.min(*b)).fold(0.0, f64::min);
        let high = spans.iter().map(|(a, b)| a.max(*b)).fold(f64::MIN_POSITIVE, f64::max);
        Scale::exact(low, high, from, to)
    }

    fn columns(&self, pen: &mut Svg) {
        let (top, bottom) = (34.0, 320.0);
        let room = pen.width / self.steps.len().max(1) as f64;
        let bar = (room * 0.64).min(120.0);
        let scale = self.scale(bottom, top);
        let spans = self.spans();
        pen.line((0.0, scale.at(0.0)), (pen.width, scale.at(0.0)), "base");
        let mut deepest: f64 = 0.0;
        for (position, (step, (from, to))) in self.steps.iter().zip(&spans).enumerate() {
            let middle = room * (position as f64 + 0.5);
            let (y1, y2) = (scale.at(*from), scale.at(*to));
            let tip = format!("{} · {} {}", step.label, self.format.full(step.value), step.note);
            let tall = if (y2 - y1).abs() < 1.5 { 1.5 } else { y2 - y1 };
            pen.rect((middle - bar / 2.0, y1, bar, tall), Self::class(step), &tip);
            if position + 1 < self.steps.len() {
                pen.line((middle + bar / 2.0, y2), (middle + room - bar / 2.0, y2), "tie");
            }
            let value = self.format.full(step.value);
            pen.text((middle, y1.min(y2) - 9.0), Anchor::Middle, "v", &value);
            let mut y = bottom + 22.0;
            for line in wrap(&step.label, (room / 7.2) as usize) {
                pen.text((middle, y), Anchor::Middle, "l", &line);
                y += 17.0;
            }
            for line in step.note.split('\n') {
                pen.text((middle, y), Anchor::Middle, "t", line);
                y += 16.0;
            }
            deepest = deepest.max(y);
        }
        pen.height = deepest;
    }

    fn rows(&self, pen: &mut Svg) {
        let widest = self.steps.iter().map(|s| text_width(&self.format.full(s.value), 12.5));
        let room = pen.width - widest.fold(0.0, f64::max) - 16.0;
        let scale = self.scale(0.0, room);
        let mut y = 0.0;
        for (step, (from, to)) in self.steps.iter().zip(self.spans()) {
            pen.text((0.0, y + 13.0), Anchor::Start, "l", &step.label);
            pen.text((pen.width, y + 35.0), Anchor::End, "v", &self.format.full(step.value));
            pen.rect((0.0, y + 21.0, room, 18.0), "ghost", "");
            let (a, b) = (scale.at(from), scale.at(to));
            let wide = if (b - a).abs() < 2.0 { 2.0 } else { b - a };
            pen.rect((a, y + 21.0, wide, 18.0), Self::class(step), &step.note);
            pen.text((0.0, y + 53.0), Anchor::Start, "u", &step.note.replace('\n', " · "));
            y += 68.0;
        }
        pen.height = y;
    }
}

impl Chart for Waterfall {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        let step = |s: &Step| format!("{} {}", s.label, self.format.full(s.value));
        self.steps.iter().map(step).collect::<Vec<_>>().join("; ")
    }

    fn draw(&self, pen: &mut Svg) {
        if pen.width < PHONE { self.rows(pen) } else { self.columns(pen) }
    }
}
