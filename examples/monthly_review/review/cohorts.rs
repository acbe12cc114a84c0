//! Rates by month of sale.

use aftersale::analytics::cohort::{CohortReport, Triangle};
use aftersale::analytics::rate::Estimate;
use aftersale::chart::{cohort_chart, trend_chart};
use aftersale::label::Language;

use super::{count, heads, percent, range};
use crate::document::{Block, Grid, Section};
use crate::invoices::Shop;
use crate::support::body::Tone;

/// Rates by month of sale.
pub fn cohorts(
    shop: &Shop,
    triangle: &Triangle,
    report: &CohortReport,
    language: Language,
) -> Section {
    let mut rows = Vec::new();
    for cohort in &report.cohorts {
        let (credits, _) = shop.credited.get(&cohort.month).copied().unwrap_or_default();
        let naive = credits as f64 / cohort.units.whole() as f64;
        let (tone, state) = if cohort.is_mature() {
            (Tone::Plain, say!(language, "mature", "成熟"))
        } else {
            (Tone::Warn, say!(language, "young: projected", "未成熟：外推"))
        };
        let projected = cohort.projected.as_ref();
        rows.push((
            tone,
            vec![
                cohort.month.to_string(),
                count(cohort.units.whole()),
                percent(naive, 2),
                percent(cohort.so_far.value, 2),
                projected.map_or("–".into(), |e| percent(e.value, 2)),
                projected.map_or("–".into(), |e| range(e, 2)),
                state,
            ],
        ));
    }
    let trend: Vec<(String, Option<Estimate>)> =
        report.cohorts.iter().map(|cohort| (cohort.month.to_string(), cohort.projected)).collect();
    Section {
        name: say!(language, "Months", "月份"),
        heading: say!(
            language,
            "By month of sale, not by month of return",
            "按销售月看，而不是按退货月看"
        ),
        blocks: vec![
            Block::Text(say!(
                language,
                "A month read at its end always looks good: most of its returns are still to come. Rates below follow the goods sold in a month; the last two months are projected with the pattern of the older ones.",
                "刚结束的月份总是好看的：它的大部分退货还没有到。下表跟踪同月售出的商品；最后两个月按以往的退货节奏外推。"
            )),
            Block::Pair(vec![
                (
                    trend_chart(
                        &say!(language, "Return rate by month of sale", "按销售月的退货率"),
                        &trend,
                        &[],
                    ),
                    say!(
                        language,
                        "Band: 95 %. The last two months are projections.",
                        "阴影：95 % 区间。最后两个月为外推值。"
                    ),
                ),
                (
                    cohort_chart(
                        &say!(language, "Returned so far, by age in months", "按月龄累计的退货率"),
                        report,
                        triangle.cohorts(),
                    ),
                    say!(
                        language,
                        "Rows: month of sale. Columns: months since.",
                        "行：销售月；列：月龄。"
                    ),
                ),
            ]),
            Block::Grid(Grid {
                caption: say!(
                    language,
                    "Return rate by month of sale, within two months after it",
                    "按销售月、两个月内的退货率"
                ),
                heads: heads(
                    language,
                    &[
                        ("month of sale", "销售月"),
                        ("#lines", "#行数"),
                        ("#calendar month", "#日历月口径"),
                        ("#so far", "#至今"),
                        ("#expected", "#预期"),
                        ("#95 %", "#95 % 区间"),
                        ("state", "状态"),
                    ],
                ),
                rows,
            }),
        ],
    }
}
