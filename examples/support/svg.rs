//! A thin pen over SVG text: shapes with classes (the page's style sheet colors them), axes, scales.

use std::fmt::Write as _;

use super::text::{Format, columns, escape};

/// A drawing of fixed inner size; the page scales it to its place.
#[derive(Debug)]
pub struct Svg {
    /// Inner width; one unit is one pixel at full size.
    pub width: f64,
    /// Inner height, set by the chart.
    pub height: f64,
    body: String,
}

/// Where a text hangs on its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The point is the left end.
    Start,
    /// The point is the middle.
    Middle,
    /// The point is the right end.
    End,
}

impl Svg {
    /// An empty drawing.
    pub fn new(width: f64) -> Self {
        Self { width, height: 0.0, body: String::new() }
    }

    /// A box; negative sides are turned round. The tip shows when the pointer rests on it.
    pub fn rect(&mut self, (x, y, w, h): (f64, f64, f64, f64), class: &str, tip: &str) {
        let (x, w) = if w < 0.0 { (x + w, -w) } else { (x, w) };
        let (y, h) = if h < 0.0 { (y + h, -h) } else { (y, h) };
        let round = if class.contains("bar") { (w.min(h) / 2.0).min(2.5) } else { 0.0 };
        let _ = write!(
            self.body,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}" rx="{round:.1}" class="{class}""#
        );
        self.close("rect", tip);
    }

    /// A box of one color in a strength from 0 to 1.
    pub fn tint(&mut self, (x, y, w, h): (f64, f64, f64, f64), strength: f64, tip: &str) {
        let _ = write!(
            self.body,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}" rx="2" class="c1" fill-opacity="{strength:.3}""#
        );
        self.close("rect", tip);
    }

    fn close(&mut self, tag: &str, tip: &str) {
        if tip.is_empty() {
            self.body.push_str("/>");
        } else {
            let _ = write!(self.body, "><title>{}</title></{tag}>", escape(tip));
        }
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = write!(
            self.body,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" class="{class}"/>"#
        );
    }

    /// A line through points.
    pub fn path(&mut self, points: &[(f64, f64)], class: &str) {
        let d = trace(points);
        let _ = write!(self.body, r#"<path d="{d}" class="{class}"/>"#);
    }

    /// A closed area.
    pub fn area(&mut self, points: &[(f64, f64)], class: &str) {
        let d = trace(points);
        let _ = write!(self.body, r#"<path d="{d}Z" class="{class}"/>"#);
    }

    /// A dot.
    pub fn dot(&mut self, (x, y): (f64, f64), radius: f64, class: &str, tip: &str) {
        let _ =
            write!(self.body, r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius:.1}" class="{class}""#);
        self.close("circle", tip);
    }

    /// One line of text.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " am",
            Anchor::End => " ae",
        };
        let text = escape(text);
        let _ = write!(
            self.body,
            r#"<text x="{x:.1}" y="{y:.1}" class="{class}{anchor}">{text}</text>"#
        );
    }

    /// The finished element, with title and description for people who hear the page.
    pub fn finish(self, id: &str, title: &str, description: &str) -> String {
        let (title, description) = (escape(title), escape(description));
        format!(
            r#"<svg viewBox="0 0 {:.0} {:.0}" role="img" aria-labelledby="{id}t {id}d"><title id="{id}t">{title}</title><desc id="{id}d">{description}</desc>{}</svg>"#,
            self.width, self.height, self.body
        )
    }

    /// Level grid lines with their numbers on the left.
    pub fn level_grid(&mut self, scale: Scale, (left, right): (f64, f64), format: Format) {
        for tick in scale.ticks(5) {
            let y = scale.at(tick);
            self.line((left, y), (right, y), if tick == 0.0 { "base" } else { "grid" });
            self.text((left - 8.0, y + 4.0), Anchor::End, "t", &format.short(tick));
        }
    }

    /// Names below the columns; every n-th when they would touch.
    pub fn names_below<S: AsRef<str>>(&mut self, names: &[S], y: f64, at: impl Fn(usize) -> f64) {
        let widest = names.iter().map(|name| text_width(name.as_ref(), 12.0)).fold(1.0, f64::max);
        let room = if names.len() > 1 { at(1) - at(0) } else { self.width };
        let every = ((widest + 8.0) / room).ceil().max(1.0) as usize;
        for (position, name) in names.iter().enumerate().step_by(every) {
            self.text((at(position), y), Anchor::Middle, "t", name.as_ref());
        }
    }

    /// A row of colored keys; returns the height it took.
    pub fn legend(&mut self, keys: &[(&str, &str)], left: f64, top: f64) -> f64 {
        let (mut x, mut y) = (left, top + 10.0);
        for (class, name) in keys {
            let wide = 16.0 + text_width(name, 12.0) + 18.0;
            if x > left && x + wide > self.width {
                (x, y) = (left, y + 19.0);
            }
            self.rect((x, y - 9.0, 11.0, 11.0), class, "");
            self.text((x + 16.0, y + 1.0), Anchor::Start, "t", name);
            x += wide;
        }
        y - top + 14.0
    }
}

fn trace(points: &[(f64, f64)]) -> String {
    let mut d = String::new();
    for (position, (x, y)) in points.iter().enumerate() {
        let _ = write!(d, "{}{x:.1} {y:.1}", if position == 0 { "M" } else { "L" });
    }
    d
}

/// The width of a text in pixels, good enough to keep labels apart without a font at hand.
pub fn text_width(text: &str, size: f64) -> f64 {
    let one = |letter: char| match letter {
        c if columns(c) == 2 => 1.0,
        'i' | 'l' | 'j' | 't' | 'f' | 'r' | ' ' | '.' | ',' | ':' | '\'' | '|' | '(' | ')' => 0.33,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.88,
        c if c.is_uppercase() => 0.67,
        _ => 0.56,
    };
    text.chars().map(one).sum::<f64>() * size
}

/// A text cut to so many pixels.
pub fn fit(text: &str, size: f64, room: f64) -> String {
    if text_width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while !kept.is_empty() && text_width(&kept, size) + size * 0.9 > room {
        kept.pop();
    }
    format!("{}…", kept.trim_end())
}

/// A straight map from values to places.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Values `low..high` on places `from..to`; the values are widened to round numbers.
    pub fn round(low: f64, high: f64, from: f64, to: f64) -> Self {
        let (low, high) = if high > low { (low, high) } else { (low, low + 1.0) };
        let step = step(high - low, 5);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, from, to }
    }

    /// Values `low..high` on places `from..to`, as they are.
    pub fn exact(low: f64, high: f64, from: f64, to: f64) -> Self {
        Self { low, high: if high > low { high } else { low + 1.0 }, from, to }
    }

    /// The place of a value.
    pub fn at(self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.from + share.clamp(-0.02, 1.02) * (self.to - self.from)
    }

    /// Round values for an axis, about so many.
    pub fn ticks(self, about: usize) -> Vec<f64> {
        let step = step(self.high - self.low, about);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).map(|n| n as f64 * step).collect()
    }
}

/// A round step (1, 2, 2.5 or 5 times a power of ten) that gives about so many intervals.
fn step(range: f64, about: usize) -> f64 {
    let raw = range / about.max(1) as f64;
    let power = 10_f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|f| f * power >= raw * 0.999);
    factor.unwrap_or(10.0) * power
}
