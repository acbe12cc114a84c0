//! Charts as data: what to draw, without drawing it.
//!
//! In: results of [`crate::analytics`]. Out: a neutral [`ChartData`] (kind, axes, series, bands,
//! marks, links), and from it an ECharts option without functions ([`echarts`]), plain JSON that a
//! portal can embed as it is, or a Vega-Lite specification ([`vega_lite`]). The same data draws the
//! pages of the examples.
//!
//! Always true: the same result gives the same bytes; every list of values is as long as its axis.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use self::word::Word;
use crate::analytics::benchmark::funnel_limits;
use crate::analytics::cohort::CohortReport;
use crate::analytics::control_chart::ControlChart;
use crate::analytics::mix::Decomposition;
use crate::analytics::pareto::Pareto;
use crate::analytics::rate::{Confidence, Estimate, Proportion};
use crate::label::{Coded, Language, codes};

pub mod echarts;
pub mod vega_lite;
pub mod word;

codes! {
    /// The kind of a chart.
    pub enum ChartKind "chart" {
        /// Bars by falling count with the cumulative share.
        Pareto = "pareto", "Pareto", "帕累托图";
        /// A rate over time with its interval and alarms.
        Trend = "trend", "Trend with alarms", "趋势与预警";
        /// A control chart.
        Control = "control", "Control chart", "控制图";
        /// What a change is made of.
        Waterfall = "waterfall", "Waterfall", "瀑布图";
        /// Rates by month of sale and age.
        CohortTriangle = "cohort_triangle", "Cohort triangle", "销售批次三角";
        /// Rates over units, with limits.
        Funnel = "funnel", "Funnel", "漏斗图";
        /// A number for every pair of codes.
        HeatMap = "heat_map", "Heat map", "热力图";
        /// Flows between stages: reason, liable party, action.
        Sankey = "sankey", "Flow", "桑基图";
    }
}

/// How numbers of an axis are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Whole numbers.
    Count,
    /// Fractions shown as percent.
    Share,
    /// Amounts in minor units.
    Money,
    /// Hours.
    Hours,
}

/// A chart.
///
/// ```
/// use aftersale::analytics::pareto::{Kind, pareto};
/// use aftersale::analytics::rate::Confidence;
/// use aftersale::chart::{ChartKind, echarts, pareto_chart};
/// let reasons = [("Wrong size", 48, Kind::Named), ("Broken zip", 12, Kind::Named)];
/// let table = pareto(&reasons, 60, Confidence::NINETY_FIVE).ok_or("empty")?;
/// let chart = pareto_chart("Jackets in March", &table, |reason| reason.to_string());
/// assert_eq!(chart.kind, ChartKind::Pareto);
/// let option = serde_json::to_string(&echarts::option(&chart))?;
/// assert!(option.contains(r#""type":"bar""#) && option.contains("Wrong size"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChartData {
    /// The kind.
    pub kind: ChartKind,
    /// The language of its own words.
    #[serde(default, skip_serializing_if = "is_english")]
    pub language: Language,
    /// One line above.
    pub title: String,
    /// Names along the horizontal axis; empty where it is a number.
    pub names: Vec<String>,
    /// Names along the vertical axis, for triangles and heat maps.
    pub rows: Vec<String>,
    /// Units of the vertical axis, and of a second one if there is one.
    pub units: Vec<Unit>,
    /// The numbers.
    pub series: Vec<Series>,
    /// Ranges around a series.
    pub bands: Vec<Band>,
    /// Places that need attention.
    pub marks: Vec<Mark>,
    /// Cells of triangles and heat maps: column, row, value.
    pub cells: Vec<(usize, usize, f64)>,
    /// Flows: from, to, how much; positions in `names`.
    pub links: Vec<(usize, usize, f64)>,
    /// Points of a funnel: units, rate, name.
    pub points: Vec<(f64, f64, String)>,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Bars.
    Bars,
    /// A line.
    Line,
    /// A dashed line.
    Dashes,
    /// Bars that float on the running total.
    Steps,
}

/// One series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// How it is drawn.
    pub shape: Shape,
    /// Which of the units.
    pub axis: usize,
    /// One value per name; none where there is nothing to show.
    pub values: Vec<Option<f64>>,
}

/// A range around a series: low and high per name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its name.
    pub name: String,
    /// Low and high per name.
    pub limits: Vec<Option<(f64, f64)>>,
}

/// A place that needs attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Position along the horizontal axis.
    pub at: usize,
    /// The value there.
    pub value: f64,
    /// What to say.
    pub text: String,
}

impl ChartData {
    fn new(kind: ChartKind, title: &str, names: Vec<String>, units: Vec<Unit>) -> Self {
        Self {
            kind,
            language: Language::English,
            title: title.to_string(),
            names,
            rows: Vec::new(),
            units,
            series: Vec::new(),
            bands: Vec::new(),
            marks: Vec::new(),
            cells: Vec::new(),
            links: Vec::new(),
            points: Vec::new(),
        }
    }

    /// Rounds every number to nine places: enough for any screen, shorter on the wire, and the same
    /// bytes after reading back.
    fn tidy(mut self) -> Self {
        let round = |value: &mut f64| *value = libm::round(*value * 1e9) / 1e9;
        self.series
            .iter_mut()
            .flat_map(|series| series.values.iter_mut().flatten())
            .for_each(round);
        for (low, high) in self.bands.iter_mut().flat_map(|band| band.limits.iter_mut().flatten()) {
            round(low);
            round(high);
        }
        self.marks.iter_mut().for_each(|mark| round(&mut mark.value));
        self.cells.iter_mut().for_each(|cell| round(&mut cell.2));
        self.points.iter_mut().for_each(|point| round(&mut point.1));
        self
    }

    fn with(mut self, name: Word, shape: Shape, axis: usize, values: Vec<Option<f64>>) -> Self {
        self.series.push(Series { name: own(name), shape, axis, values });
        self
    }
}

/// A word of a chart's own, in the language in which charts are made.
fn own(word: Word) -> String {
    word.label(Language::English).to_string()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_english(language: &Language) -> bool {
    *language == Language::English
}

/// Counts by falling size, with the cumulative share on a second axis.
#[must_use]
pub fn pareto_chart<K>(title: &str, table: &Pareto<K>, label: impl Fn(&K) -> String) -> ChartData {
    let names = table.items.iter().map(|item| label(&item.key)).collect();
    let counts = table.items.iter().map(|item| Some(item.count as f64)).collect();
    let shares = table.items.iter().map(|item| Some(item.cumulative.value)).collect();
    let limits =
        table.items.iter().map(|item| Some((item.cumulative.low, item.cumulative.high))).collect();
    let mut chart =
        ChartData::new(ChartKind::Pareto, title, names, alloc::vec![Unit::Count, Unit::Share])
            .with(Word::Count, Shape::Bars, 0, counts)
            .with(Word::CumulativeShare, Shape::Line, 1, shares);
    chart.bands.push(Band { name: own(Word::ShareInterval), limits });
    chart.tidy()
}

/// A rate over time with its interval; `alarms` are positions with a text.
#[must_use]
pub fn trend_chart(
    title: &str,
    periods: &[(String, Option<Estimate>)],
    alarms: &[(usize, String)],
) -> ChartData {
    let names = periods.iter().map(|(name, _)| name.clone()).collect();
    let values = periods.iter().map(|(_, rate)| rate.map(|rate| rate.value)).collect();
    let limits = periods.iter().map(|(_, rate)| rate.map(|rate| (rate.low, rate.high))).collect();
    let mut chart = ChartData::new(ChartKind::Trend, title, names, alloc::vec![Unit::Share]).with(
        Word::Rate,
        Shape::Line,
        0,
        values,
    );
    chart.bands.push(Band { name: own(Word::Interval), limits });
    chart.marks = alarms
        .iter()
        .filter_map(|(at, text)| {
            let value = periods.get(*at)?.1?.value;
            Some(Mark { at: *at, value, text: text.clone() })
        })
        .collect();
    chart.tidy()
}

/// A control chart with limits that follow the units of each period.
#[must_use]
pub fn control_chart(title: &str, names: &[String], chart: &ControlChart) -> ChartData {
    let names: Vec<String> = names.iter().take(chart.points.len()).cloned().collect();
    let of = |value: fn(&crate::analytics::control_chart::Point) -> f64| {
        chart.points.iter().take(names.len()).map(|point| point.as_ref().map(value)).collect()
    };
    let (rates, low, high) = (of(|p| p.rate), of(|p| p.low), of(|p| p.high));
    let center = names.iter().map(|_| Some(chart.center)).collect();
    let marks = (0..names.len())
        .filter_map(|at| {
            let point = chart.points.get(at).copied().flatten()?;
            let text = alloc::format!("{:+.1} σ", point.z);
            point.outside.then_some(Mark { at, value: point.rate, text })
        })
        .collect();
    let mut data = ChartData::new(ChartKind::Control, title, names, alloc::vec![Unit::Share])
        .with(Word::Rate, Shape::Line, 0, rates)
        .with(Word::Mean, Shape::Dashes, 0, center)
        .with(Word::Upper, Shape::Dashes, 0, high)
        .with(Word::Lower, Shape::Dashes, 0, low);
    data.marks = marks;
    data.tidy()
}

/// From the rate before to the rate after: first, per segment through its rate and through the mix,
/// last. Segments below `least` of the change (in rate points) are put together.
#[must_use]
pub fn waterfall_chart<K>(
    title: &str,
    change: &Decomposition<K>,
    least: f64,
    label: impl Fn(&K) -> String,
) -> ChartData {
    let mut steps: Vec<(String, f64)> = Vec::new();
    let mut small = 0.0;
    for part in &change.parts {
        if part.rate.abs() >= least {
            steps.push((label(&part.key), part.rate));
        } else {
            small += part.rate;
        }
    }
    steps.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
    if small != 0.0 {
        steps.push(("…".to_string(), small));
    }
    steps.push((own(Word::Mix), change.mix));
    let names = core::iter::once(own(Word::Before))
        .chain(steps.iter().map(|(name, _)| name.clone()))
        .chain(core::iter::once(own(Word::After)))
        .collect();
    let values = core::iter::once(Some(change.before))
        .chain(steps.iter().map(|(_, step)| Some(*step)))
        .chain(core::iter::once(Some(change.after)))
        .collect();
    ChartData::new(ChartKind::Waterfall, title, names, alloc::vec![Unit::Share])
        .with(Word::Rate, Shape::Steps, 0, values)
        .tidy()
}

/// Cumulative rates by month of sale and age; young cohorts simply end earlier.
///
/// `triangle` gives, per cohort of the report, units sold and returned by age, as
/// [`crate::analytics::cohort::Triangle::cohorts`] does.
#[must_use]
pub fn cohort_chart<'a>(
    title: &str,
    report: &CohortReport,
    triangle: impl Iterator<Item = (crate::analytics::month::Month, u64, &'a [u64])>,
) -> ChartData {
    let ages = (0..=report.window).map(|age| age.to_string()).collect();
    let mut chart =
        ChartData::new(ChartKind::CohortTriangle, title, ages, alloc::vec![Unit::Share]);
    for (month, sold, returned) in triangle {
        let Some(cohort) = report.cohorts.iter().find(|cohort| cohort.month == month) else {
            continue;
        };
        let row = chart.rows.len();
        chart.rows.push(month.to_string());
        let mut sum = 0_u64;
        for age in 0..=cohort.age {
            sum = sum.saturating_add(returned.get(age).copied().unwrap_or(0));
            chart.cells.push((age, row, sum as f64 / sold.max(1) as f64));
        }
    }
    chart.tidy()
}

/// Series by units and rate, with limits around a target; those outside are marked.
///
/// Limits are drawn at up to 40 numbers of units from the smallest to the largest series.
#[must_use]
pub fn funnel_chart(
    title: &str,
    series: &[(String, Proportion)],
    target: f64,
    confidence: Confidence,
) -> ChartData {
    const STEPS: u64 = 40;
    let known = || series.iter().filter(|(_, own)| own.whole() > 0);
    let sizes = || known().map(|(_, own)| own.whole());
    let (least, most) = (sizes().min().unwrap_or(1), sizes().max().unwrap_or(1));
    let width = most.saturating_sub(least);
    let mut at: Vec<u64> = (0..=STEPS)
        .map(|step| {
            // Closer together where units are few, because limits bend there.
            let squared = u128::from(step.saturating_mul(step));
            let all = u128::from(STEPS.saturating_mul(STEPS));
            let part = u128::from(width).saturating_mul(squared).checked_div(all).unwrap_or(0);
            least.saturating_add(u64::try_from(part).unwrap_or(width))
        })
        .collect();
    at.dedup();
    let limits: Vec<Option<(f64, f64)>> =
        at.iter().map(|units| funnel_limits(target, *units, confidence)).collect();
    let names = at.iter().map(ToString::to_string).collect();
    let mut chart = ChartData::new(ChartKind::Funnel, title, names, alloc::vec![Unit::Share]).with(
        Word::Target,
        Shape::Dashes,
        0,
        at.iter().map(|_| Some(target)).collect(),
    );
    chart.bands.push(Band { name: own(Word::Limits), limits });
    for (name, own) in known() {
        let Some(rate) = own.value() else { continue };
        let limits = funnel_limits(target, own.whole(), confidence);
        if limits.is_some_and(|(low, high)| rate < low || rate > high) {
            chart.marks.push(Mark { at: chart.points.len(), value: rate, text: name.clone() });
        }
        chart.points.push((own.whole() as f64, rate, name.clone()));
    }
    chart.tidy()
}

/// A number for every pair of column and row; pairs without a number are left out.
#[must_use]
pub fn heat_map(
    title: &str,
    columns: Vec<String>,
    rows: Vec<String>,
    unit: Unit,
    value: impl Fn(usize, usize) -> Option<f64>,
) -> ChartData {
    let mut chart = ChartData::new(ChartKind::HeatMap, title, columns, alloc::vec![unit]);
    for row in 0..rows.len() {
        for column in 0..chart.names.len() {
            chart.cells.extend(value(column, row).map(|value| (column, row, value)));
        }
    }
    chart.rows = rows;
    chart.tidy()
}

/// Flows through stages, such as reason, liable party, action: one row of names per case group with
/// its count. The same name in two stages stays two nodes.
///
/// Rows of another length than the first are left out.
#[must_use]
pub fn sankey_chart(title: &str, flows: &[(Vec<String>, u64)]) -> ChartData {
    use alloc::collections::BTreeMap;
    let stages = flows.first().map_or(0, |(names, _)| names.len());
    let mut nodes: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    let mut links: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for (names, _) in flows.iter().filter(|(names, _)| names.len() == stages) {
        for (stage, name) in names.iter().enumerate() {
            nodes.insert((stage, name.as_str()), 0);
        }
    }
    for (position, place) in nodes.values_mut().enumerate() {
        *place = position;
    }
    for (names, count) in flows.iter().filter(|(names, _)| names.len() == stages) {
        for (stage, pair) in names.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            let from = nodes.get(&(stage, from.as_str()));
            let to = nodes.get(&(stage.saturating_add(1), to.as_str()));
            if let (Some(from), Some(to)) = (from, to) {
                let sum = links.entry((*from, *to)).or_insert(0);
                *sum = sum.saturating_add(*count);
            }
        }
    }
    let names = nodes.keys().map(|(_, name)| (*name).to_string()).collect();
    let mut chart = ChartData::new(ChartKind::Sankey, title, names, alloc::vec![Unit::Count]);
    chart.rows = nodes.keys().map(|(stage, _)| stage.to_string()).collect();
    chart.links = links.into_iter().map(|((from, to), count)| (from, to, count as f64)).collect();
    chart
}
