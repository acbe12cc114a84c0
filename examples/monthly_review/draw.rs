//! From the engine's chart data to the pictures of the page: the same data that becomes an ECharts
//! option.

use aftersale::chart::word::Word;
use aftersale::chart::{ChartData, ChartKind, Shape};
use aftersale::label::Coded;

use crate::support::charts::Chart;
use crate::support::charts::bars::Pareto;
use crate::support::charts::heat::Heat;
use crate::support::charts::lines::{Lines, Series};
use crate::support::charts::waterfall::{Kind, Step, Waterfall};
use crate::support::svg::{Anchor, Scale, Svg, fit};
use crate::support::text::Format;

const PERCENT: Format = Format::Percent(2);

/// The picture of a chart.
pub fn picture(data: &ChartData) -> Box<dyn Chart> {
    let title = data.title.clone();
    match data.kind {
        ChartKind::Pareto => {
            let values = data.series.first().map_or(&[][..], |series| &series.values);
            let rows: Vec<(String, f64)> =
                data.names.iter().cloned().zip(values.iter().map(|v| v.unwrap_or(0.0))).collect();
            let whole = rows.iter().map(|(_, value)| value).sum();
            let name = |at: usize| data.series.get(at).map_or(String::new(), |s| s.name.clone());
            Box::new(Pareto {
                title,
                rows,
                whole,
                words: (name(0), name(1)),
                format: Format::Count,
            })
        }
        ChartKind::Trend | ChartKind::Control => {
            let mut bands = data.bands.iter();
            let series = data
                .series
                .iter()
                .map(|series| Series {
                    name: series.name.clone(),
                    values: series.values.clone(),
                    band: match series.shape {
                        Shape::Line => bands.next().map_or(Vec::new(), |band| band.limits.clone()),
                        _ => Vec::new(),
                    },
                })
                .collect();
            let alarms = data.marks.iter().map(|mark| (mark.at, mark.text.clone())).collect();
            let names = data.names.clone();
            Box::new(Lines {
                title,
                names,
                series,
                alarms,
                alarm: Word::Outside.label(data.language).to_owned(),
                goal: None,
                format: PERCENT,
                ceiling: None,
            })
        }
        ChartKind::Waterfall => {
            let values = data.series.first().map_or(&[][..], |series| &series.values);
            let last = data.names.len().saturating_sub(1);
            let steps = data
                .names
                .iter()
                .zip(values)
                .enumerate()
                .map(|(position, (label, value))| Step {
                    label: label.clone(),
                    value: value.unwrap_or(0.0),
                    note: String::new(),
                    kind: if position == 0 || position == last {
                        Kind::Total
                    } else {
                        Kind::Change
                    },
                })
                .collect();
            Box::new(Waterfall { title, steps, format: PERCENT })
        }
        ChartKind::CohortTriangle | ChartKind::HeatMap => {
            let cell = |column: usize, row: usize| {
                data.cells.iter().find(|cell| (cell.0, cell.1) == (column, row)).map(|cell| cell.2)
            };
            let rows = data
                .rows
                .iter()
                .enumerate()
                .map(|(row, name)| {
                    let values = (0..data.names.len()).map(|column| cell(column, row)).collect();
                    (name.clone(), values)
                })
                .collect();
            Box::new(Heat { title, columns: data.names.clone(), rows, format: PERCENT })
        }
        ChartKind::Funnel => Box::new(Funnel(data.clone())),
        ChartKind::Sankey => Box::new(Sankey(data.clone())),
    }
}

/// Points by units and rate between bent limits.
struct Funnel(ChartData);

impl Chart for Funnel {
    fn title(&self) -> &str {
        &self.0.title
    }

    fn description(&self) -> String {
        let outside: Vec<&str> = self.0.marks.iter().map(|mark| mark.text.as_str()).collect();
        let word = Word::Outside.label(self.0.language);
        format!("{word} {} / {} · {}", outside.len(), self.0.points.len(), outside.join(" · "))
    }

    fn draw(&self, pen: &mut Svg) {
        let (left, right, top, bottom) = (46.0, pen.width - 10.0, 14.0, 300.0);
        let most = self.0.points.iter().map(|point| point.0).fold(1.0, f64::max);
        let rates = self.0.points.iter().map(|point| point.1);
        let bands = || self.0.bands.iter().flat_map(|band| band.limits.iter().flatten());
        let high = rates.chain(bands().map(|limits| limits.1.min(0.12))).fold(0.01, f64::max);
        let x = Scale::exact(0.0, most, left, right);
        let y = Scale::round(0.0, high, bottom, top);
        pen.level_grid(y, (left, right), PERCENT);
        for tick in x.ticks(5) {
            pen.text((x.at(tick), bottom + 18.0), Anchor::Middle, "t", &Format::Count.short(tick));
        }
        let at: Vec<f64> = self.0.names.iter().map(|name| name.parse().unwrap_or(0.0)).collect();
        for upper in [false, true] {
            let line: Vec<(f64, f64)> = at
                .iter()
                .zip(bands())
                .map(|(units, limits)| {
                    (x.at(*units), y.at(if upper { limits.1 } else { limits.0 }.min(high)))
                })
                .collect();
            pen.path(&line, "k2");
        }
        for (position, (units, rate, name)) in self.0.points.iter().enumerate() {
            let outside = self.0.marks.iter().any(|mark| mark.at == position);
            let units_sold = Format::Count.full(*units);
            let tip = format!("{name} · {} / {units_sold}", PERCENT.full(*rate));
            let class = if outside { "red" } else { "c1 pale" };
            pen.dot((x.at(*units), y.at(*rate)), if outside { 4.5 } else { 2.6 }, class, &tip);
        }
        pen.height = bottom + 28.0;
    }
}

/// Columns of nodes with ribbons between them.
struct Sankey(ChartData);

impl Chart for Sankey {
    fn title(&self) -> &str {
        &self.0.title
    }

    fn description(&self) -> String {
        let name = |node: usize| self.0.names[node].as_str();
        let link = |(from, to, value): &(usize, usize, f64)| {
            format!("{} → {} {}", name(*from), name(*to), Format::Count.full(*value))
        };
        self.0.links.iter().map(link).collect::<Vec<_>>().join("; ")
    }

    fn draw(&self, pen: &mut Svg) {
        let count = self.0.names.len();
        let stage: Vec<usize> = self.0.rows.iter().map(|row| row.parse().unwrap_or(0)).collect();
        let flow = |node: usize| {
            let sum = |end: usize| -> f64 {
                let own = |link: &&(usize, usize, f64)| [link.0, link.1][end] == node;
                self.0.links.iter().filter(own).map(|link| link.2).sum()
            };
            sum(0).max(sum(1))
        };
        let stages = stage.iter().max().map_or(1, |last| last + 1);
        let whole: f64 = (0..count).filter(|node| stage[*node] == 0).map(flow).sum();
        let (room, gap, width) = (300.0, 12.0, 14.0);
        let step = (pen.width - width - 130.0) / (stages.max(2) - 1) as f64;
        let mut tops = vec![0.0; count];
        let mut next = vec![22.0; stages];
        for node in 0..count {
            tops[node] = next[stage[node]];
            next[stage[node]] += flow(node) / whole.max(1.0) * room + gap;
        }
        let mut out = tops.clone();
        let mut into = tops.clone();
        for (from, to, value) in &self.0.links {
            let thick = value / whole.max(1.0) * room;
            let (x0, x1) = (stage[*from] as f64 * step + width, stage[*to] as f64 * step);
            let (y0, y1) = (out[*from], into[*to]);
            let curve = |a: f64, b: f64, back: bool| -> Vec<(f64, f64)> {
                let mut points: Vec<(f64, f64)> = (0..=16)
                    .map(|part| {
                        let t = f64::from(part) / 16.0;
                        let s = t * t * (3.0 - 2.0 * t);
                        (x0 + (x1 - x0) * t, a + (b - a) * s)
                    })
                    .collect();
                if back {
                    points.reverse();
                }
                points
            };
            let outline = [curve(y0, y1, false), curve(y0 + thick, y1 + thick, true)].concat();
            pen.area(&outline, ["b1", "b2", "b3", "b4", "b5", "b6"][from % 6]);
            out[*from] += thick;
            into[*to] += thick;
        }
        for node in 0..count {
            let (x, tall) = (stage[node] as f64 * step, flow(node) / whole.max(1.0) * room);
            let class = ["c1", "c2", "c3", "c4", "c5", "c6"][node % 6];
            let tip = format!("{} · {}", self.0.names[node], Format::Count.full(flow(node)));
            pen.rect((x, tops[node], width, tall.max(1.5)), class, &tip);
            let text = format!("{} {}", self.0.names[node], Format::Count.short(flow(node)));
            let middle = tops[node] + tall / 2.0 + 4.0;
            let space =
                if stage[node] + 1 == stages { 112.0 } else { (step - width - 8.0).max(60.0) };
            pen.text((x + width + 4.0, middle), Anchor::Start, "t", &fit(&text, 12.0, space));
        }
        pen.height = next.iter().copied().fold(0.0, f64::max) + 6.0;
    }
}
