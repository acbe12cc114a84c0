//! Rates over time with their uncertainty, and step curves.

use super::super::svg::{Anchor, Scale, Svg, text_width};
use super::super::text::Format;
use super::{Chart, PHONE, band, stroke};

/// Lines over named points in time, with confidence bands and alarm marks.
#[derive(Clone, Debug)]
pub struct Lines {
    /// What it shows.
    pub title: String,
    /// The names of the points.
    pub names: Vec<String>,
    /// The lines.
    pub series: Vec<Series>,
    /// Points to look at: position, and why in a word.
    pub alarms: Vec<(usize, String)>,
    /// What such a point is called.
    pub alarm: String,
    /// A level to compare with: value and name.
    pub goal: Option<(f64, String)>,
    /// How values are written.
    pub format: Format,
    /// The highest value shown; higher points are cut off and marked. `None` shows all.
    pub ceiling: Option<f64>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// Its values; `None` leaves a gap.
    pub values: Vec<Option<f64>>,
    /// Lower and upper end of the interval at each point; empty without a band.
    pub band: Vec<Option<(f64, f64)>>,
}

impl Lines {
    fn high(&self) -> f64 {
        let values = self.series.iter().flat_map(|s| s.values.iter().flatten().copied());
        let bands = self.series.iter().flat_map(|s| s.band.iter().flatten().map(|(_, high)| *high));
        let goal = self.goal.iter().map(|(value, _)| *value);
        let high = values.chain(bands).chain(goal).fold(f64::MIN_POSITIVE, f64::max);
        self.ceiling.map_or(high, |ceiling| high.min(ceiling))
    }

    fn line(&self, pen: &mut Svg, number: usize, scale: Scale, at: &dyn Fn(usize) -> f64) {
        let series = &self.series[number];
        let high = self.high();
        let places: Vec<_> = series.band.iter().enumerate().collect();
        for run in places.split(|(_, interval)| interval.is_none()) {
            let upper =
                run.iter().filter_map(|(p, i)| Some((at(*p), scale.at((**i)?.1.min(high)))));
            let lower =
                run.iter().rev().filter_map(|(p, i)| Some((at(*p), scale.at((**i)?.0.min(high)))));
            let edge: Vec<_> = upper.chain(lower).collect();
            if edge.len() > 2 {
                pen.area(&edge, band(number));
            }
        }
        let places: Vec<_> = series.values.iter().enumerate().collect();
        for run in places.split(|(_, value)| value.is_none()) {
            let points: Vec<_> = run
                .iter()
                .filter_map(|(p, v)| Some((at(*p), scale.at((**v)?.min(high)))))
                .collect();
            pen.path(&points, stroke(number));
        }
        for (position, value) in places {
            let Some(value) = value else { continue };
            let interval = series.band.get(position).copied().flatten();
            let range = interval.map_or(String::new(), |(low, high)| {
                format!(" ({}–{})", self.format.full(low), self.format.full(high))
            });
            let tip = format!(
                "{} · {} {}{range}",
                self.names[position],
                series.name,
                self.format.full(*value)
            );
            let place = (at(position), scale.at(value.min(high)));
            pen.dot(place, 3.2, ["c1", "c2", "c3", "c4", "c5", "c6"][number % 6], &tip);
            if *value > high {
                let text = format!("{} ↑", self.format.full(*value));
                pen.text((place.0, place.1 - 8.0), Anchor::Middle, "v", &text);
            }
        }
    }
}

impl Chart for Lines {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        let mut parts = Vec::new();
        for series in &self.series {
            let point = |(name, value): (&String, &Option<f64>)| {
                value.map(|value| format!("{name} {}", self.format.full(value)))
            };
            let points: Vec<_> = self.names.iter().zip(&series.values).filter_map(point).collect();
            parts.push(format!("{} · {}", series.name, points.join(" · ")));
        }
        for (position, why) in &self.alarms {
            parts.push(format!("{} {} · {why}", self.alarm, self.names[*position]));
        }
        parts.join(". ")
    }

    fn draw(&self, pen: &mut Svg) {
        let (left, right) = (52.0, pen.width - 8.0);
        let classes = ["c1", "c2", "c3", "c4", "c5", "c6"];
        let mut keys: Vec<_> = self
            .series
            .iter()
            .enumerate()
            .map(|(n, s)| (classes[n % 6], s.name.as_str()))
            .collect();
        if !self.alarms.is_empty() {
            keys.push(("red", &self.alarm));
        }
        let room = if self.alarms.is_empty() { 20.0 } else { 44.0 };
        let top = pen.legend(&keys, 0.0, 0.0) + room;
        let bottom = top + if pen.width < PHONE { 200.0 } else { 260.0 };
        let scale = Scale::round(0.0, self.high(), bottom, top);
        pen.level_grid(scale, (left, right), self.format);
        let room = (right - left) / self.names.len().max(1) as f64;
        let at = |position: usize| left + room * (position as f64 + 0.5);
        if let Some((value, name)) = &self.goal {
            pen.line((left, scale.at(*value)), (right, scale.at(*value)), "goal");
            pen.text((right, scale.at(*value) - 6.0), Anchor::End, "t", name);
        }
        // Names of alarms stand in two rows, each where its row is free.
        let mut used = [f64::MIN; 2];
        for (position, why) in &self.alarms {
            let x = at(*position);
            pen.line((x, top - 8.0), (x, bottom), "alarm");
            let half = text_width(why, 12.5) / 2.0;
            let middle = x.clamp(left + half, (right - half).max(left + half));
            if let Some(row) = used.iter().position(|end| middle - half > *end) {
                pen.text((middle, top - 14.0 - 15.0 * row as f64), Anchor::Middle, "flag", why);
                used[row] = middle + half + 14.0;
            }
        }
        for number in 0..self.series.len() {
            self.line(pen, number, scale, &at);
        }
        for (position, _) in &self.alarms {
            let Some(value) = self.series.last().and_then(|s| s.values[*position]) else {
                continue;
            };
            pen.dot((at(*position), scale.at(value.min(self.high()))), 6.0, "hollow", &self.alarm);
        }
        pen.names_below(&self.names, bottom + 20.0, at);
        pen.height = bottom + 28.0;
    }
}

/// Step curves over a number axis: a share that changes at certain points, such as goods returned
/// by age.
#[derive(Clone, Debug)]
pub struct Steps {
    /// What it shows.
    pub title: String,
    /// The curves: name, and points in order of `x`; each holds until the next.
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
    /// Marked places on the number axis: value and name.
    pub marks: Vec<(f64, String)>,
    /// How values on the axis below are written.
    pub x_format: Format,
    /// How values of the curves are written.
    pub y_format: Format,
}

impl Chart for Steps {
    fn title(&self) -> &str {
        &self.title
    }

    fn description(&self) -> String {
        let curve = |(name, points): &(String, Vec<(f64, f64)>)| {
            let last = points.last().map_or(String::new(), |(x, y)| {
                format!("{} at {}", self.y_format.full(*y), self.x_format.full(*x))
            });
            format!("{name}: {last}")
        };
        self.curves.iter().map(curve).collect::<Vec<_>>().join("; ")
    }

    fn draw(&self, pen: &mut Svg) {
        let classes = ["c1", "c2", "c3", "c4", "c5", "c6"];
        let keys =
            self.curves.iter().enumerate().map(|(n, (name, _))| (classes[n % 6], name.as_str()));
        let top = pen.legend(&keys.collect::<Vec<_>>(), 0.0, 0.0) + 26.0;
        let bottom = top + if pen.width < PHONE { 190.0 } else { 250.0 };
        let (left, right) = (52.0, pen.width - 12.0);
        let points = || self.curves.iter().flat_map(|(_, points)| points.iter());
        let far = points().map(|(x, _)| *x).fold(f64::MIN_POSITIVE, f64::max);
        let high = points().map(|(_, y)| *y).fold(f64::MIN_POSITIVE, f64::max);
        let (across, up) =
            (Scale::exact(0.0, far, left, right), Scale::round(0.0, high, bottom, top));
        pen.level_grid(up, (left, right), self.y_format);
        for tick in across.ticks(if pen.width < PHONE { 4 } else { 8 }) {
            pen.line((across.at(tick), bottom), (across.at(tick), bottom + 5.0), "base");
            let text = self.x_format.short(tick);
            pen.text((across.at(tick), bottom + 20.0), Anchor::Middle, "t", &text);
        }
        for (value, name) in &self.marks {
            let x = across.at(*value);
            pen.line((x, top - 6.0), (x, bottom), "goal");
            let anchor = if x > (left + right) / 2.0 { Anchor::End } else { Anchor::Start };
            pen.text((x, top - 11.0), anchor, "t", name);
        }
        for (number, (_, points)) in self.curves.iter().enumerate() {
            let mut path: Vec<(f64, f64)> = Vec::new();
            for (x, y) in points {
                let place = (across.at(*x), up.at(*y));
                if let Some((_, before)) = path.last().copied() {
                    path.push((place.0, before));
                }
                path.push(place);
            }
            if let Some((_, last)) = path.last().copied() {
                path.push((right, last));
            }
            pen.path(&path, stroke(number));
        }
        pen.height = bottom + 28.0;
    }
}
