//! Charts: one plain struct each, drawn as SVG for the width they are given.
//!
//! Values are floats because they only become coordinates; tables beside a chart carry the exact
//! numbers. A missing value is `None` and leaves a gap.

pub mod bars;
pub mod columns;
pub mod heat;
pub mod lines;
pub mod waterfall;

use super::svg::Svg;

/// Something that can be drawn on the page.
pub trait Chart {
    /// What the chart shows, in a few words.
    fn title(&self) -> &str;

    /// What a person who cannot see the chart should know: the main values in words.
    fn description(&self) -> String;

    /// Draws into the width of the pen and sets its height.
    fn draw(&self, pen: &mut Svg);

    /// The finished element.
    fn svg(&self, width: f64, id: &str) -> String {
        let mut pen = Svg::new(width);
        self.draw(&mut pen);
        pen.finish(id, self.title(), &self.description())
    }
}

/// Below this inner width a chart draws its phone form.
const PHONE: f64 = 450.0;

/// The color class of the n-th series: `fill` classes `c1`.. `c6`.
const fn fill(series: usize) -> &'static str {
    ["bar c1", "bar c2", "bar c3", "bar c4", "bar c5", "bar c6"][series % 6]
}

const fn stroke(series: usize) -> &'static str {
    ["k1", "k2", "k3", "k4", "k5", "k6"][series % 6]
}

const fn band(series: usize) -> &'static str {
    ["b1", "b2", "b3", "b4", "b5", "b6"][series % 6]
}
