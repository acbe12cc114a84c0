//! ECharts options (Apache ECharts 5 and 6) as plain JSON, without functions.
//!
//! `echarts.init(element).setOption(option)` draws it. Only options that carry data are used, so
//! the JSON can be stored, sent and compared.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

use super::word::Word;
use super::{ChartData, ChartKind, Series, Shape, Unit};

/// An option object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EchartsOption {
    title: Title,
    tooltip: Tooltip,
    #[serde(skip_serializing_if = "Option::is_none")]
    legend: Option<Legend>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grid: Option<Grid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_axis: Option<Axis>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    y_axis: Vec<Axis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visual_map: Option<VisualMap>,
    series: Vec<Drawn>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Title {
    text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Tooltip {
    trigger: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Legend {
    bottom: u8,
    data: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Grid {
    contain_label: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Axis {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inverse: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct VisualMap {
    min: f64,
    max: f64,
    orient: &'static str,
    left: &'static str,
    bottom: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Drawn {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "is_zero")]
    y_axis_index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<&'static str>,
    /// Stacked whatever the signs, so that steps also hang below the ground.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack_strategy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_style: Option<LineStyle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area_style: Option<AreaStyle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item_style: Option<ItemStyle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark_point: Option<MarkPoint>,
    data: Vec<Datum>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<Link>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(axis: &usize) -> bool {
    *axis == 0
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct LineStyle {
    #[serde(rename = "type")]
    kind: &'static str,
    opacity: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct AreaStyle {
    opacity: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct ItemStyle {
    color: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct MarkPoint {
    data: Vec<Marked>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Marked {
    name: String,
    coord: (String, f64),
    value: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Datum {
    Number(f64),
    Gap(&'static str),
    Cell(usize, usize, f64),
    Point { value: (f64, f64), name: String },
    Node { name: String, depth: usize },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Link {
    source: String,
    target: String,
    value: f64,
}

/// What ECharts takes for "nothing here".
const GAP: Datum = Datum::Gap("-");

impl Drawn {
    fn new(kind: &'static str, name: &str, data: Vec<Datum>) -> Self {
        Self {
            kind,
            name: name.to_string(),
            y_axis_index: 0,
            stack: None,
            stack_strategy: None,
            line_style: None,
            area_style: None,
            item_style: None,
            symbol: None,
            mark_point: None,
            data,
            links: Vec::new(),
        }
    }
}

/// The option of a chart.
#[must_use]
pub fn option(chart: &ChartData) -> EchartsOption {
    match chart.kind {
        ChartKind::Pareto | ChartKind::Trend | ChartKind::Control => lines(chart),
        ChartKind::Waterfall => waterfall(chart),
        ChartKind::CohortTriangle | ChartKind::HeatMap => cells(chart),
        ChartKind::Funnel => funnel(chart),
        ChartKind::Sankey => sankey(chart),
    }
}

fn frame(chart: &ChartData, trigger: &'static str) -> EchartsOption {
    EchartsOption {
        title: Title { text: chart.title.clone() },
        tooltip: Tooltip { trigger },
        legend: None,
        grid: Some(Grid { contain_label: true }),
        x_axis: None,
        y_axis: Vec::new(),
        visual_map: None,
        series: Vec::new(),
    }
}

fn names(names: &[String]) -> Axis {
    Axis { kind: "category", data: names.to_vec(), name: None, max: None, inverse: None }
}

fn numbers(chart: &ChartData, unit: Unit) -> Axis {
    let name = match unit {
        Unit::Count => None,
        Unit::Share => Some(chart.word(Word::Share)),
        Unit::Money => Some(chart.word(Word::MinorUnits)),
        Unit::Hours => Some(chart.word(Word::Hours)),
    };
    Axis { kind: "value", data: Vec::new(), name, max: None, inverse: None }
}

/// A number that was computed from rounded ones, rounded again.
fn number(value: f64) -> Datum {
    Datum::Number(libm::round(value * 1e9) / 1e9)
}

fn data(values: &[Option<f64>]) -> Vec<Datum> {
    values.iter().map(|value| value.map_or(GAP, number)).collect()
}

fn line(series: &Series) -> Drawn {
    let kind = match series.shape {
        Shape::Bars | Shape::Steps => "bar",
        Shape::Line | Shape::Dashes => "line",
    };
    let mut drawn = Drawn::new(kind, &series.name, data(&series.values));
    drawn.y_axis_index = series.axis;
    if series.shape == Shape::Dashes {
        drawn.line_style = Some(LineStyle { kind: "dashed", opacity: 1.0 });
        drawn.symbol = Some("none");
    }
    drawn
}

/// A band is two stacked lines: an invisible lower one, and the width above it, filled.
fn bands(chart: &ChartData, axis: usize) -> Vec<Drawn> {
    let mut drawn = Vec::new();
    for band in &chart.bands {
        let part = |value: fn((f64, f64)) -> f64| {
            data(&band.limits.iter().map(|limits| limits.map(value)).collect::<Vec<_>>())
        };
        for (values, opacity) in
            [(part(|(low, _)| low), 0.0), (part(|(low, high)| high - low), 0.15)]
        {
            let mut line = Drawn::new("line", &band.name, values);
            line.y_axis_index = axis;
            line.stack = Some("band");
            line.line_style = Some(LineStyle { kind: "solid", opacity: 0.0 });
            line.area_style = Some(AreaStyle { opacity });
            line.symbol = Some("none");
            drawn.push(line);
        }
    }
    drawn
}

fn lines(chart: &ChartData) -> EchartsOption {
    let mut option = frame(chart, "axis");
    option.x_axis = Some(names(&chart.names));
    option.y_axis = chart.units.iter().map(|unit| numbers(chart, *unit)).collect();
    if chart.kind == ChartKind::Pareto
        && let Some(axis) = option.y_axis.get_mut(1)
    {
        axis.max = Some(1.0);
    }
    let data = chart.series.iter().map(|series| series.name.clone()).collect();
    option.legend = Some(Legend { bottom: 0, data });
    option.series = chart.series.iter().map(line).collect();
    if let Some(first) = option.series.first_mut().filter(|_| !chart.marks.is_empty()) {
        let marked = |mark: &super::Mark| {
            let name = chart.names.get(mark.at)?.clone();
            Some(Marked { name: name.clone(), coord: (name, mark.value), value: mark.text.clone() })
        };
        first.mark_point =
            Some(MarkPoint { data: chart.marks.iter().filter_map(marked).collect() });
    }
    let axis = chart.units.len().saturating_sub(1);
    option.series.extend(bands(chart, axis));
    option
}

/// Invisible bars carry the visible ones; first and last stand on the ground.
fn waterfall(chart: &ChartData) -> EchartsOption {
    let mut option = frame(chart, "axis");
    option.x_axis = Some(names(&chart.names));
    option.y_axis = chart.units.iter().map(|unit| numbers(chart, *unit)).collect();
    let values: Vec<f64> = chart
        .series
        .first()
        .map(|series| series.values.iter().map(|value| value.unwrap_or(0.0)).collect())
        .unwrap_or_default();
    let last = values.len().saturating_sub(1);
    let (mut ground, mut up, mut down) = (Vec::new(), Vec::new(), Vec::new());
    let mut sum = 0.0;
    for (position, value) in values.iter().enumerate() {
        let whole = position == 0 || position == last;
        let next = if whole { *value } else { sum + value };
        let base = if whole { 0.0 } else { f64::min(sum, next) };
        ground.push(number(base));
        let rises = whole || *value >= 0.0;
        up.push(if rises { number((next - base).abs()) } else { GAP });
        down.push(if rises { GAP } else { number(sum - next) });
        sum = next;
    }
    let stacked = |name: &str, data: Vec<Datum>, color: &'static str| {
        let mut drawn = Drawn::new("bar", name, data);
        drawn.stack = Some("steps");
        drawn.stack_strategy = Some("all");
        drawn.item_style = Some(ItemStyle { color });
        drawn
    };
    option.series = alloc::vec![
        stacked("ground", ground, "transparent"),
        stacked(chart.word(Word::Up), up, "#c23531"),
        stacked(chart.word(Word::Down), down, "#2f9e6e"),
    ];
    option
}

fn cells(chart: &ChartData) -> EchartsOption {
    let mut option = frame(chart, "item");
    option.x_axis = Some(names(&chart.names));
    let mut rows = names(&chart.rows);
    rows.inverse = Some(true);
    option.y_axis = alloc::vec![rows];
    let value = |cell: &(usize, usize, f64)| cell.2;
    let least = chart.cells.iter().map(value).fold(f64::INFINITY, f64::min);
    let most = chart.cells.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
    let (min, max) = if least <= most { (least, most) } else { (0.0, 1.0) };
    option.visual_map =
        Some(VisualMap { min, max, orient: "horizontal", left: "center", bottom: 0 });
    let data = chart.cells.iter().map(|(x, y, value)| Datum::Cell(*x, *y, *value)).collect();
    option.series = alloc::vec![Drawn::new("heatmap", &chart.title, data)];
    option
}

fn funnel(chart: &ChartData) -> EchartsOption {
    let mut option = frame(chart, "item");
    option.x_axis = Some(numbers(chart, Unit::Count));
    option.y_axis = alloc::vec![numbers(chart, Unit::Share)];
    let at: Vec<f64> = chart.names.iter().map(|name| name.parse().unwrap_or(0.0)).collect();
    let curve = |name: &str, values: &[Option<f64>]| {
        let point = |(x, value): (&f64, &Option<f64>)| {
            value.map(|y| Datum::Point { value: (*x, y), name: String::new() })
        };
        let mut drawn = Drawn::new("line", name, at.iter().zip(values).filter_map(point).collect());
        drawn.line_style = Some(LineStyle { kind: "dashed", opacity: 1.0 });
        drawn.symbol = Some("none");
        drawn
    };
    let point =
        |(x, y, name): &(f64, f64, String)| Datum::Point { value: (*x, *y), name: name.clone() };
    let marked = |position: usize| chart.marks.iter().any(|mark| mark.at == position);
    let group = |outside: bool| {
        (0..)
            .zip(&chart.points)
            .filter(|(position, _)| marked(*position) == outside)
            .map(|(_, own)| point(own))
            .collect()
    };
    let mut outside = Drawn::new("scatter", chart.word(Word::Outside), group(true));
    outside.item_style = Some(ItemStyle { color: "#c23531" });
    option.series =
        alloc::vec![Drawn::new("scatter", chart.word(Word::Inside), group(false)), outside];
    for series in &chart.series {
        option.series.push(curve(&series.name, &series.values));
    }
    for band in &chart.bands {
        let low: Vec<Option<f64>> = band.limits.iter().map(|l| l.map(|(low, _)| low)).collect();
        let high: Vec<Option<f64>> = band.limits.iter().map(|l| l.map(|(_, high)| high)).collect();
        option.series.push(curve(chart.word(Word::Lower), &low));
        option.series.push(curve(chart.word(Word::Upper), &high));
    }
    option
}

fn sankey(chart: &ChartData) -> EchartsOption {
    let mut option = frame(chart, "item");
    option.grid = None;
    let stage = |position: usize| {
        chart.rows.get(position).and_then(|stage| stage.parse::<usize>().ok()).unwrap_or(0)
    };
    // ECharts knows nodes by name: the same name in a later stage gets thin spaces, one per stage.
    let name = |position: usize| -> String {
        let own = chart.names.get(position).map_or("", String::as_str);
        let earlier = chart.names.iter().take(position).filter(|name| *name == own).count();
        own.chars().chain(core::iter::repeat_n('\u{2009}', earlier)).collect()
    };
    let nodes = (0..chart.names.len())
        .map(|position| Datum::Node { name: name(position), depth: stage(position) })
        .collect();
    let mut drawn = Drawn::new("sankey", &chart.title, nodes);
    drawn.links = chart
        .links
        .iter()
        .map(|(from, to, value)| Link { source: name(*from), target: name(*to), value: *value })
        .collect();
    option.series = alloc::vec![drawn];
    option
}
