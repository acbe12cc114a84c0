//! Charts: golden ECharts options and Vega-Lite specifications, and lists that fit their axes.
//!
//! The golden files are rewritten when `GOLDEN_WRITE` is set; look at the difference before keeping it.

use std::fs;
use std::path::Path;

use aftersale::analytics::cohort::Triangle;
use aftersale::analytics::control_chart::{Limits, p_chart};
use aftersale::analytics::mix::{Segment, decompose};
use aftersale::analytics::month::Month;
use aftersale::analytics::pareto::{Kind, pareto};
use aftersale::analytics::rate::{Confidence, Proportion};
use aftersale::chart::word::Word;
use aftersale::chart::{
    ChartData, ChartKind, Unit, cohort_chart, control_chart, echarts, funnel_chart, heat_map,
    pareto_chart, sankey_chart, trend_chart, vega_lite, waterfall_chart,
};
use aftersale::label::{Coded, Language};
use serde_json::Value;

const C95: Confidence = Confidence::NINETY_FIVE;

fn of(part: u64, whole: u64) -> Proportion {
    Proportion::new(part, whole).unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// One chart of every kind.
fn gallery() -> Vec<ChartData> {
    let reasons = [
        ("wrong size", 48, Kind::Named),
        ("color differs", 21, Kind::Named),
        ("broken zip", 16, Kind::Named),
        ("other", 15, Kind::Unknown),
    ];
    let table = pareto(&reasons, 100, C95).unwrap();
    let months = names(&["2026-01", "2026-02", "2026-03", "2026-04"]);
    let rates = [of(8, 200), of(9, 200), of(0, 0), of(22, 200)];
    let periods: Vec<_> = months.iter().cloned().zip(rates.map(|rate| rate.wilson(C95))).collect();
    let chart = p_chart(&[of(8, 200), of(9, 300), of(10, 250), of(40, 220)], Limits::Binomial, 3.0);
    let change = decompose(&[
        Segment { key: "jackets", before: of(60, 1000), after: of(90, 1000) },
        Segment { key: "phones", before: of(30, 1000), after: of(20, 800) },
        Segment { key: "socks", before: of(5, 500), after: of(5, 700) },
    ]);
    let mut triangle = Triangle::default();
    for (row, returned) in [vec![20, 40, 10], vec![30, 45], vec![18]].into_iter().enumerate() {
        let month = Month::new(2026, 1 + row as u32).unwrap();
        triangle.sold(month, 1000).unwrap();
        for (age, units) in returned.into_iter().enumerate() {
            triangle.returned(month, age, units).unwrap();
        }
    }
    let report = triangle.report(Month::new(2026, 3).unwrap(), 2, C95).unwrap();
    let articles =
        [("A-1", of(9, 200)), ("A-2", of(33, 400)), ("A-3", of(2, 90)), ("A-4", of(0, 0))];
    let articles: Vec<(String, Proportion)> =
        articles.iter().map(|(name, own)| ((*name).to_owned(), *own)).collect();
    let flow = |reason, party, action, count| (names(&[reason, party, action]), count);
    vec![
        pareto_chart("Reasons", &table, |reason| (*reason).to_owned()),
        trend_chart("Return rate", &periods, &[(3, "q = 0.004".to_owned())]),
        control_chart("Phones", &months, &chart.unwrap()),
        waterfall_chart("February to March", &change.unwrap(), 0.001, |key| (*key).to_owned()),
        cohort_chart("By month of sale", &report, triangle.cohorts()),
        funnel_chart("Articles", &articles, 0.05, C95),
        heat_map(
            "Category by reason",
            names(&["size", "defect"]),
            names(&["jackets", "phones"]),
            Unit::Count,
            |column, row| (column + row < 2).then_some((column * 10 + row) as f64),
        ),
        sankey_chart(
            "Who pays",
            &[
                flow("defect", "supplier", "replace", 30),
                flow("defect", "carrier", "refund", 8),
                flow("wrong size", "customer", "refund", 21),
                flow("other", "other", "refund", 3),
            ],
        ),
    ]
}

/// CHT-1: every kind of chart has its golden option, byte for byte.
#[test]
fn options_are_golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/chart");
    let gallery = gallery();
    assert_eq!(gallery.len(), ChartKind::ALL.len());
    for chart in &gallery {
        let text = serde_json::to_string_pretty(&echarts::option(chart)).unwrap() + "\n";
        golden(&folder.join(format!("{}.json", chart.kind.code())), &text);
    }
}

/// CHT-7: in Chinese no word of a chart's own is left in English, what the host named stays, and back
/// in English the chart is the same.
#[test]
fn own_words_are_in_the_language_asked_for() {
    for chart in gallery() {
        let chinese = chart.clone().in_language(Language::Chinese);
        let bands = chinese.bands.iter().map(|band| &band.name);
        for name in chinese.series.iter().map(|series| &series.name).chain(bands) {
            assert!(name.chars().all(|c| !c.is_ascii()), "{:?}: {name}", chart.kind);
        }
        let option = serde_json::to_string(&echarts::option(&chinese)).unwrap();
        for word in Word::ALL {
            let quoted = format!("\"name\":\"{}\"", word.label(Language::English));
            assert!(!option.contains(&quoted), "{:?}: {quoted}", chart.kind);
        }
        assert_eq!(chinese.title, chart.title);
        let hosts_own = |chart: &ChartData| match chart.kind {
            // First, the mix, and last are the chart's.
            ChartKind::Waterfall => chart.names[1..chart.names.len() - 2].to_vec(),
            _ => chart.names.clone(),
        };
        assert_eq!(hosts_own(&chinese), hosts_own(&chart));
        assert_eq!(chinese.in_language(Language::English), chart);
    }
    let waterfall = &gallery()[3].clone().in_language(Language::Chinese);
    let ends = [0, waterfall.names.len() - 2, waterfall.names.len() - 1];
    assert_eq!(ends.map(|at| waterfall.names[at].as_str()), ["之前", "结构", "之后"]);
    let steps = serde_json::to_string(&vega_lite::specification(waterfall)).unwrap();
    assert!(steps.contains("合计") && !steps.contains("\"total\""));
}

fn golden(path: &Path, text: &str) {
    if std::env::var_os("GOLDEN_WRITE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), text, "{}", path.display());
}

/// CHT-5: every kind of chart has its golden Vega-Lite specification, byte for byte.
#[test]
fn specifications_are_golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/chart/vega_lite");
    for chart in &gallery() {
        let text = serde_json::to_string_pretty(&vega_lite::specification(chart)).unwrap() + "\n";
        golden(&folder.join(format!("{}.json", chart.kind.code())), &text);
    }
}

/// Amounts are minor units, which are whole: an axis shows 19900, not 19,900.00.
#[test]
fn amounts_are_written_as_whole_minor_units() {
    let mut chart = gallery().swap_remove(0);
    chart.units[0] = Unit::Money;
    let specification = serde_json::to_string(&vega_lite::specification(&chart)).unwrap();
    assert!(specification.contains("\",d\"") && !specification.contains(".2f"), "{specification}");
}

/// Every object in a JSON value.
fn objects<'a>(value: &'a Value, found: &mut Vec<&'a serde_json::Map<String, Value>>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| objects(value, found)),
        Value::Object(object) => {
            found.push(object);
            object.values().for_each(|value| objects(value, found));
        }
        _ => {}
    }
}

/// CHT-6: a Vega-Lite specification carries every number of the chart: each value of a series, each cell, each flow.
#[test]
fn a_specification_carries_every_number() {
    for chart in gallery() {
        let specification = serde_json::to_value(vega_lite::specification(&chart)).unwrap();
        let mut found = Vec::new();
        objects(&specification, &mut found);
        let count = |row: &[(&str, Value)]| {
            let same = |object: &&&serde_json::Map<String, Value>| {
                row.iter().all(|(key, value)| object.get(*key) == Some(value))
            };
            found.iter().filter(same).count()
        };
        for series in chart.series.iter().filter(|_| chart.names.len() == series_names(&chart)) {
            for (name, value) in chart.names.iter().zip(&series.values) {
                let Some(value) = value else { continue };
                assert!(count(&[("name", name.as_str().into()), ("value", (*value).into())]) > 0);
            }
        }
        for (column, row, value) in &chart.cells {
            let (column, row) = (chart.names[*column].as_str(), chart.rows[*row].as_str());
            let cell = [("column", column.into()), ("row", row.into()), ("value", (*value).into())];
            assert_eq!(count(&cell), 1);
        }
        for (units, rate, name) in &chart.points {
            let point = [
                ("units", (*units).into()),
                ("rate", (*rate).into()),
                ("name", name.as_str().into()),
            ];
            assert_eq!(count(&point), 1);
        }
        for mark in chart.marks.iter().filter(|_| chart.kind != ChartKind::Funnel) {
            let place = [("value", mark.value.into()), ("text", mark.text.as_str().into())];
            assert_eq!(count(&place), 2, "a point and its text");
        }
        let flows =
            found.iter().filter(|row| row.contains_key("from") && row.contains_key("value"));
        assert_eq!(flows.count(), chart.links.len());
        // A waterfall's bars follow each other: each starts where the one before ended.
        if chart.kind == ChartKind::Waterfall {
            let ends: Vec<(f64, f64)> = found
                .iter()
                .filter_map(|row| Some((row.get("from")?.as_f64()?, row.get("to")?.as_f64()?)))
                .collect();
            assert_eq!(ends.len(), chart.names.len());
            let steps = &ends[..ends.len() - 1];
            assert!(steps.windows(2).all(|pair| pair[0].1 == pair[1].0), "{ends:?}");
            let last = ends.last().unwrap();
            assert!(last.0 == 0.0 && (last.1 - steps.last().unwrap().1).abs() < 1e-8, "{ends:?}");
        }
    }
}

/// How many names a chart has whose series are drawn by name; funnels and waterfalls are not.
fn series_names(chart: &ChartData) -> usize {
    match chart.kind {
        ChartKind::Funnel | ChartKind::Waterfall => usize::MAX,
        _ => chart.names.len(),
    }
}

/// CHT-2: lists are as long as their axis, positions lie inside, and chart data survives its wire.
#[test]
fn lists_fit_their_axes() {
    for chart in gallery() {
        for series in &chart.series {
            assert_eq!(series.values.len(), chart.names.len(), "{} {}", chart.kind, series.name);
            assert!(series.axis < chart.units.len());
        }
        for band in &chart.bands {
            assert_eq!(band.limits.len(), chart.names.len());
        }
        for (column, row, _) in &chart.cells {
            assert!(*column < chart.names.len() && *row < chart.rows.len());
        }
        for (from, to, value) in &chart.links {
            assert!(*from < chart.names.len() && *to < chart.names.len() && *value > 0.0);
        }
        let text = serde_json::to_string(&chart).unwrap();
        assert_eq!(serde_json::from_str::<ChartData>(&text).unwrap(), chart);
    }
}

/// CHT-3: the steps of a waterfall lead from the rate before to the rate after.
#[test]
fn a_waterfall_closes() {
    let chart = gallery().into_iter().find(|chart| chart.kind == ChartKind::Waterfall).unwrap();
    let values: Vec<f64> = chart.series[0].values.iter().map(|value| value.unwrap()).collect();
    let (after, steps) = values.split_last().unwrap();
    assert!((steps.iter().sum::<f64>() - after).abs() < 1e-8);
}

/// Steps that pass below zero on their way are stacked from where the last one ended, in ECharts too,
/// which by itself stacks negative and positive numbers apart.
#[test]
fn a_waterfall_may_dip_below_the_ground() {
    // Nearly all sales move to a segment whose rate falls to nothing, away from one that falls too.
    let change = decompose(&[
        Segment { key: "a", before: of(5, 100), after: of(0, 9000) },
        Segment { key: "b", before: of(9, 900), after: of(15, 1000) },
    ]);
    let chart = waterfall_chart("Dip", &change.unwrap(), 0.0, |key| (*key).to_owned());
    let option = serde_json::to_value(echarts::option(&chart)).unwrap();
    let series = option["series"].as_array().unwrap();
    let values = |at: usize, column: usize| series[at]["data"][column].as_f64().unwrap_or(0.0);
    let mut sum = 0.0;
    let mut lowest: f64 = 0.0;
    let steps = chart.series[0].values.iter().map(|value| value.unwrap());
    for (column, step) in steps.enumerate().take(chart.names.len() - 1) {
        let (ground, tall) = (values(0, column), values(1, column) + values(2, column));
        let next = sum + step;
        assert!((ground - f64::min(sum, next)).abs() < 1e-8, "{column}");
        assert!((tall - step.abs()).abs() < 1e-8, "{column}");
        lowest = lowest.min(ground);
        sum = next;
    }
    assert!(lowest < 0.0, "the example dips: {chart:?}");
    assert!(series.iter().all(|series| series["stackStrategy"] == "all"));
}

/// Found by breaking the code: a step exactly as large as the least, a rate below its limits, an article
/// sold once, a flow told in two rows.
#[test]
fn edges_of_charts_are_drawn() {
    // One of eight on half of the sales: a step of exactly 0.0625.
    let change = decompose(&[
        Segment { key: "a", before: of(0, 8), after: of(1, 8) },
        Segment { key: "b", before: of(0, 8), after: of(0, 8) },
    ]);
    let chart = waterfall_chart("Edge", &change.unwrap(), 0.0625, |key| (*key).to_owned());
    assert_eq!(chart.names, ["before", "a", "mix", "after"]);
    let articles = [("never", of(0, 400)), ("once", of(0, 1))];
    let articles = articles.map(|(name, own)| (name.to_owned(), own));
    let chart = funnel_chart("Edge", &articles, 0.05, C95);
    assert_eq!(chart.points.len(), 2);
    assert_eq!(
        chart.marks.iter().map(|mark| mark.at).collect::<Vec<_>>(),
        [0],
        "better than chance"
    );
    let flow = |count| (names(&["defect", "refund"]), count);
    assert_eq!(sankey_chart("Edge", &[flow(2), flow(3)]).links, [(0, 1, 5.0)]);
}

/// CHT-4: what flows into a node in the middle flows out of it, and equal names stay apart.
#[test]
fn flows_are_kept() {
    let chart = gallery().into_iter().find(|chart| chart.kind == ChartKind::Sankey).unwrap();
    for (node, stage) in chart.rows.iter().enumerate() {
        let sum = |end: fn(&(usize, usize, f64)) -> usize| {
            chart.links.iter().filter(|link| end(link) == node).map(|link| link.2).sum::<f64>()
        };
        if stage == "1" {
            assert_eq!(sum(|link| link.0), sum(|link| link.1));
        }
    }
    assert_eq!(chart.names.iter().filter(|name| *name == "other").count(), 2);
    let option = serde_json::to_value(echarts::option(&chart)).unwrap();
    let nodes = option["series"][0]["data"].as_array().unwrap();
    let mut unique: Vec<&str> = nodes.iter().map(|node| node["name"].as_str().unwrap()).collect();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), nodes.len());
}
