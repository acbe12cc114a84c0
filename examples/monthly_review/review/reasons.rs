//! Reasons, and who answers for them.

use aftersale::analytics::pareto::{Kind, pareto};
use aftersale::chart::{pareto_chart, sankey_chart};
use aftersale::label::{Coded, Language};

use super::{C95, Outcomes, Sources, count, heads, percent, range};
use crate::document::{Block, Grid, Section};
use crate::reviews;
use crate::support::body::Tone;

/// How many reasons are shown by name.
const SHOWN: usize = 12;

/// Pareto of reasons and who answers for them.
pub fn reasons(sources: &Sources<'_>, language: Language) -> Outcomes<Section> {
    let found = reviews::reasons(sources.clothing, language)?;
    let mut counts: Vec<(String, u64, Kind)> =
        found.counts.iter().map(|(label, n)| (label.clone(), *n, Kind::Named)).collect();
    counts.push((say!(language, "no reason found", "未识别"), found.without, Kind::Unknown));
    let table = pareto(&counts, found.read, C95).ok_or("no reasons")?;
    let mut rows: Vec<(Tone, Vec<String>)> = table
        .items
        .iter()
        .take(SHOWN)
        .chain(table.items.iter().skip(SHOWN).filter(|item| item.class.code() == "unranked"))
        .map(|item| {
            (
                Tone::Plain,
                vec![
                    item.key.clone(),
                    count(item.count),
                    percent(item.share.value, 1),
                    range(&item.share, 1),
                    percent(item.cumulative.value, 1),
                    item.class.label(language).to_owned(),
                ],
            )
        })
        .collect();
    let tail: Vec<u64> = table.items.iter().skip(SHOWN).map(|item| item.count).collect();
    let tail_reasons = tail.len().saturating_sub(1);
    let others = say!(language, "{tail_reasons} other reasons", "其他 {tail_reasons} 个原因");
    let mut shown: Vec<(String, u64, Kind)> = table
        .items
        .iter()
        .take(SHOWN)
        .map(|item| (item.key.clone(), item.count, Kind::Named))
        .collect();
    shown.push((
        others.clone(),
        tail.iter().sum::<u64>().saturating_sub(found.without),
        Kind::Unknown,
    ));
    shown.extend(counts.last().cloned());
    let drawn = pareto(&shown, found.read, C95).ok_or("no reasons")?;
    // Before the row of no reason found, so that the counts add up.
    let rest = drawn.items.iter().find(|item| item.key == others);
    if let Some(rest) = rest.filter(|rest| rest.count > 0) {
        let cells = vec![
            others.clone(),
            count(rest.count),
            percent(rest.share.value, 1),
            range(&rest.share, 1),
            String::from("–"),
            String::from("–"),
        ];
        rows.insert(SHOWN.min(rows.len()), (Tone::Plain, cells));
    }
    let (low, high) = table.vital_few_range;
    let cut = if low == high {
        say!(language, "stays at {low} reasons", "稳定在第 {low} 个原因")
    } else {
        say!(language, "lies between {low} and {high} reasons", "在第 {low} 到第 {high} 个原因之间")
    };
    let (few, read) = (table.vital_few, count(found.read));
    let title = say!(language, "Reasons in unhappy reviews", "差评中的退货原因");
    Ok(Section {
        name: say!(language, "Reasons", "原因"),
        heading: say!(
            language,
            "{few} reasons make four fifths of what is named",
            "{few} 个原因占已识别的八成"
        ),
        blocks: vec![
            Block::Text(say!(
                language,
                "Read from the text of {read} reviews that do not recommend the article, by the words of the reason taxonomy. By the intervals of the cumulative shares the cut {cut}. Shares count reviews without a reason too, the classes what is named only; a review can name several.",
                "由原因分类的词库从 {read} 条不推荐的评论中读出。按累计占比的区间，八成的分界{cut}。占比的分母包含未识别的评论，类别只按已识别的原因划分；一条评论可有多个原因。"
            )),
            Block::Pair(vec![
                (
                    pareto_chart(&title, &drawn, Clone::clone),
                    say!(language, "A review can have several reasons.", "一条评论可有多个原因。"),
                ),
                (
                    sankey_chart(
                        &say!(
                            language,
                            "Reason, liable party, who pays the way back",
                            "原因 → 责任方 → 退回运费"
                        ),
                        &found.flows,
                    ),
                    say!(
                        language,
                        "Defaults of the taxonomy; a case decides for itself.",
                        "分类的默认值；具体以个案裁定为准。"
                    ),
                ),
            ]),
            Block::Grid(Grid {
                caption: say!(language, "Pareto of reasons", "原因帕累托"),
                heads: heads(
                    language,
                    &[
                        ("reason", "原因"),
                        ("#reviews", "#评论"),
                        ("#share", "#占比"),
                        ("#95 %", "#95 % 区间"),
                        ("#cumulative", "#累计"),
                        ("class", "类别"),
                    ],
                ),
                rows,
            }),
        ],
    })
}
