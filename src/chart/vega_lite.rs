//! Vega-Lite specifications (versions 5 and 6) as plain JSON: for notebooks, and wherever a chart is
//! to be checked against a published schema.
//!
//! The same [`ChartData`] that [`echarts`](super::echarts) draws; every layer carries its own rows.
//! Vega-Lite has no mark for flows: they become circles at from and to, as large as what flows.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

use super::word::Word;
use super::{Band, ChartData, ChartKind, Series, Shape, Unit};

/// The schema that specifications name.
pub const SCHEMA: &str = "https://vega.github.io/schema/vega-lite/v5.json";

const RED: &str = "#c23531";
const GREEN: &str = "#2f9e6e";
const BLUE: &str = "#4c78a8";

/// A specification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Specification {
    #[serde(rename = "$schema")]
    schema: &'static str,
    title: String,
    width: &'static str,
    height: u16,
    layer: Vec<Layer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolve: Option<Resolve>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Layer {
    /// Layers that share their axes.
    Group {
        layer: Vec<Layer>,
    },
    Mark {
        data: Data,
        mark: Mark,
        encoding: BTreeMap<&'static str, Channel>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Data {
    values: Vec<Row>,
}

type Row = BTreeMap<&'static str, Value>;

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Text(String),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    #[serde(rename = "type")]
    kind: &'static str,
    tooltip: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    opacity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stroke_dash: Option<[u8; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dy: Option<i8>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Channel {
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    datum: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    axis: Option<Axis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<Scale>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Axis {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    title: Option<&'static str>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Scale {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    domain: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    range: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Resolve {
    scale: BTreeMap<&'static str, &'static str>,
}

/// The specification of a chart.
///
/// ```
/// use aftersale::analytics::rate::{Confidence, Proportion};
/// use aftersale::chart::{trend_chart, vega_lite};
/// let rate = |x| Proportion::new(x, 200).map(|part| part.wilson(Confidence::NINETY_FIVE));
/// let months = [("2026-02".to_string(), rate(8)?), ("2026-03".to_string(), rate(22)?)];
/// let chart = trend_chart("Jackets", &months, &[(1, "q = 0.004".to_string())]);
/// let text = serde_json::to_string(&vega_lite::specification(&chart))?;
/// assert!(text.contains(r#""name":"2026-03","value":0.11"#), "{text}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn specification(chart: &ChartData) -> Specification {
    let layer = match chart.kind {
        ChartKind::Pareto | ChartKind::Trend | ChartKind::Control => lines(chart),
        ChartKind::Waterfall => waterfall(chart),
        ChartKind::CohortTriangle | ChartKind::HeatMap => cells(chart),
        ChartKind::Funnel => funnel(chart),
        ChartKind::Sankey => flows(chart),
    };
    let independent = || Resolve { scale: [("y", "independent")].into() };
    let resolve = (chart.units.len() > 1).then(independent);
    let title = chart.title.clone();
    Specification { schema: SCHEMA, title, width: "container", height: 320, layer, resolve }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_string())
}

/// A number that was computed from rounded ones, rounded again.
fn number(value: f64) -> Value {
    Value::Number(libm::round(value * 1e9) / 1e9)
}

fn mark(kind: &'static str) -> Mark {
    Mark { kind, tooltip: true, ..Mark::default() }
}

fn layer(
    mark: Mark,
    values: Vec<Row>,
    encoding: impl IntoIterator<Item = (&'static str, Channel)>,
) -> Layer {
    Layer::Mark { data: Data { values }, mark, encoding: encoding.into_iter().collect() }
}

const fn format(unit: Unit) -> &'static str {
    match unit {
        // Minor units are whole.
        Unit::Count | Unit::Money => ",d",
        Unit::Share => ".1%",
        Unit::Hours => ",.2f",
    }
}

/// A channel of numbers.
fn numbers(field: &'static str, unit: Unit) -> Channel {
    let axis = Axis { format: Some(format(unit)), title: None };
    let kind = Some("quantitative");
    Channel { field: Some(field), kind, axis: Some(axis), ..Channel::default() }
}

/// A channel of names in their own order, also those without a value.
fn names(field: &'static str, names: &[String]) -> Channel {
    let axis = Some(Axis { format: None, title: None });
    let mut domain: Vec<Value> = Vec::with_capacity(names.len());
    for name in names.iter().map(|name| text(name)) {
        if !domain.contains(&name) {
            domain.push(name);
        }
    }
    let scale = Some(Scale { domain, ..Scale::default() });
    Channel { field: Some(field), kind: Some("nominal"), axis, scale, ..Channel::default() }
}

fn other_end(field: &'static str) -> Channel {
    Channel { field: Some(field), ..Channel::default() }
}

fn called(name: &str) -> Channel {
    let datum = Some(name.to_string());
    Channel { datum, kind: Some("nominal"), ..Channel::default() }
}

fn unit(chart: &ChartData, axis: usize) -> Unit {
    chart.units.get(axis).copied().unwrap_or(Unit::Count)
}

fn lines(chart: &ChartData) -> Vec<Layer> {
    let mut layers: Vec<Layer> = (0..chart.units.len())
        .map(|axis| {
            let last = axis.saturating_add(1) == chart.units.len();
            let bands = chart.bands.iter().filter(|_| last).map(|own| band(chart, own, axis));
            let own = chart.series.iter().filter(|series| series.axis == axis);
            Layer::Group { layer: bands.chain(own.map(|own| line(chart, own))).collect() }
        })
        .collect();
    if let Some(Layer::Group { layer }) = layers.first_mut().filter(|_| !chart.marks.is_empty()) {
        layer.extend(marks(chart));
    }
    layers
}

fn line(chart: &ChartData, series: &Series) -> Layer {
    let rows = chart.names.iter().zip(&series.values).filter_map(|(name, value)| {
        Some([("name", text(name)), ("value", number((*value)?))].into())
    });
    let drawn = match series.shape {
        Shape::Bars | Shape::Steps => mark("bar"),
        Shape::Line => mark("line"),
        Shape::Dashes => Mark { stroke_dash: Some([4, 3]), ..mark("line") },
    };
    let mut value = numbers("value", unit(chart, series.axis));
    if chart.kind == ChartKind::Pareto && series.axis == 1 {
        value.scale = Some(share_of_all());
    }
    let x = names("name", &chart.names);
    layer(drawn, rows.collect(), [("x", x), ("y", value), ("color", called(&series.name))])
}

/// From nothing to all.
fn share_of_all() -> Scale {
    Scale { domain: alloc::vec![Value::Number(0.0), Value::Number(1.0)], ..Scale::default() }
}

fn band(chart: &ChartData, band: &Band, axis: usize) -> Layer {
    let rows = chart.names.iter().zip(&band.limits).filter_map(|(name, limits)| {
        let (low, high) = (*limits)?;
        Some([("name", text(name)), ("low", number(low)), ("high", number(high))].into())
    });
    let mut low = numbers("low", unit(chart, axis));
    if chart.kind == ChartKind::Pareto {
        low.scale = Some(share_of_all());
    }
    let x = names("name", &chart.names);
    let drawn = Mark { opacity: Some(0.15), color: Some(BLUE), ..mark("area") };
    layer(drawn, rows.collect(), [("x", x), ("y", low), ("y2", other_end("high"))])
}

/// Places that need attention: a point, and what to say above it.
fn marks(chart: &ChartData) -> [Layer; 2] {
    let rows: Vec<Row> = chart
        .marks
        .iter()
        .filter_map(|own| {
            let name = chart.names.get(own.at)?;
            Some(
                [("name", text(name)), ("value", number(own.value)), ("text", text(&own.text))]
                    .into(),
            )
        })
        .collect();
    let place = || [("x", names("name", &chart.names)), ("y", numbers("value", unit(chart, 0)))];
    let point = Mark { color: Some(RED), ..mark("point") };
    let said = Mark { color: Some(RED), dy: Some(-10), ..mark("text") };
    let words = Channel { field: Some("text"), kind: Some("nominal"), ..Channel::default() };
    [
        layer(point, rows.clone(), place()),
        layer(said, rows, place().into_iter().chain([("text", words)])),
    ]
}

/// Bars from the running total to the next; first and last stand on the ground.
fn waterfall(chart: &ChartData) -> Vec<Layer> {
    let values = chart.series.first().map(|series| series.values.as_slice()).unwrap_or_default();
    let last = values.len().saturating_sub(1);
    let [total, up, down] = [Word::Total, Word::Up, Word::Down].map(|word| chart.word(word));
    let mut sum = 0.0;
    let mut rows: Vec<Row> = Vec::with_capacity(values.len());
    for (position, (name, value)) in chart.names.iter().zip(values).enumerate() {
        let value = value.unwrap_or(0.0);
        let whole = position == 0 || position == last;
        let (from, to) = if whole { (0.0, value) } else { (sum, sum + value) };
        let kind = match (whole, value >= 0.0) {
            (true, _) => total,
            (false, true) => up,
            (false, false) => down,
        };
        let ends = [("from", number(from)), ("to", number(to))];
        rows.push(ends.into_iter().chain([("name", text(name)), ("kind", text(kind))]).collect());
        sum = to;
    }
    let scale = Scale {
        domain: [total, up, down].iter().map(|kind| text(kind)).collect(),
        range: alloc::vec![BLUE, RED, GREEN],
    };
    let kind = Some("nominal");
    let color = Channel { field: Some("kind"), kind, scale: Some(scale), ..Channel::default() };
    let x = names("name", &chart.names);
    let y = numbers("from", unit(chart, 0));
    alloc::vec![layer(
        mark("bar"),
        rows,
        [("x", x), ("y", y), ("y2", other_end("to")), ("color", color)]
    )]
}

fn cells(chart: &ChartData) -> Vec<Layer> {
    let rows = chart.cells.iter().filter_map(|(column, row, value)| {
        let (column, row) = (chart.names.get(*column)?, chart.rows.get(*row)?);
        Some([("column", text(column)), ("row", text(row)), ("value", number(*value))].into())
    });
    let (x, y) = (names("column", &chart.names), names("row", &chart.rows));
    let kind = Some("quantitative");
    let color = Channel { field: Some("value"), kind, ..Channel::default() };
    alloc::vec![layer(mark("rect"), rows.collect(), [("x", x), ("y", y), ("color", color)])]
}

fn funnel(chart: &ChartData) -> Vec<Layer> {
    let place = || [("x", numbers("units", Unit::Count)), ("y", numbers("rate", Unit::Share))];
    let at: Vec<f64> = chart.names.iter().map(|name| name.parse().unwrap_or(0.0)).collect();
    let curve = |values: Vec<Option<f64>>| {
        let point = |(units, rate): (&f64, Option<f64>)| {
            Some([("units", number(*units)), ("rate", number(rate?))].into())
        };
        let rows = at.iter().zip(values).filter_map(point).collect();
        layer(Mark { stroke_dash: Some([4, 3]), ..mark("line") }, rows, place())
    };
    let mut layers: Vec<Layer> =
        chart.series.iter().map(|series| curve(series.values.clone())).collect();
    for band in &chart.bands {
        let end = |end: fn((f64, f64)) -> f64| {
            band.limits.iter().map(|limits| limits.map(end)).collect::<Vec<_>>()
        };
        layers.push(curve(end(|(low, _)| low)));
        layers.push(curve(end(|(_, high)| high)));
    }
    let group = |outside: bool| -> Vec<Row> {
        let marked = |position: usize| chart.marks.iter().any(|own| own.at == position);
        (0..)
            .zip(&chart.points)
            .filter(|(position, _)| marked(*position) == outside)
            .map(|(_, (units, rate, name))| {
                [("units", number(*units)), ("rate", number(*rate)), ("name", text(name))].into()
            })
            .collect()
    };
    let points = |color, rows| layer(Mark { color: Some(color), ..mark("point") }, rows, place());
    layers.extend([points(BLUE, group(false)), points(RED, group(true))]);
    layers
}

fn flows(chart: &ChartData) -> Vec<Layer> {
    let stage = |position: usize| chart.rows.get(position).map_or("", String::as_str);
    // The same name in two stages stays two places.
    let name = |position: usize| {
        let own = chart.names.get(position).map_or("", String::as_str);
        alloc::format!("{}. {own}", stage(position).parse::<usize>().unwrap_or(0).saturating_add(1))
    };
    let ends = |end: fn(&(usize, usize, f64)) -> usize| -> Vec<String> {
        let used = |position: &usize| chart.links.iter().any(|link| end(link) == *position);
        (0..chart.names.len()).filter(used).map(name).collect()
    };
    let rows = chart.links.iter().map(|(from, to, value)| {
        [("from", text(&name(*from))), ("to", text(&name(*to))), ("value", number(*value))].into()
    });
    let kind = Some("quantitative");
    let size = Channel { field: Some("value"), kind, ..Channel::default() };
    let (x, y) = (names("to", &ends(|link| link.1)), names("from", &ends(|link| link.0)));
    alloc::vec![layer(mark("circle"), rows.collect(), [("x", x), ("y", y), ("size", size)])]
}
