//! What explains a change.

use std::collections::BTreeMap;

use aftersale::analytics::cause::{Leaf, Scan, scan};
use aftersale::analytics::mix::{Segment, decompose};
use aftersale::analytics::rate::Proportion;
use aftersale::chart::{Unit, heat_map, waterfall_chart};
use aftersale::label::Language;

use super::{ALARM_AGE, Outcomes, chance, counts, family, heads, month, percent, pick, returned};
use crate::document::{Block, Grid, Section};
use crate::invoices::{BANDS, FAMILIES, Line, MARKETS, Shop};
use crate::support::body::Tone;
use crate::support::text::decimals;

/// Spring against late summer and autumn: what explains the change.
pub fn causes(shop: &Shop, language: Language) -> Outcomes<Section> {
    let side = |line: &Line| match line.month() {
        m if m >= month(2011, 3) && m <= month(2011, 6) => Some(0),
        m if m >= month(2011, 7) && m <= month(2011, 10) => Some(1),
        _ => None,
    };
    let mut cells: BTreeMap<[usize; 3], [(u64, u64); 2]> = BTreeMap::new();
    for line in &shop.lines {
        if let Some(side) = side(line) {
            let cell = &mut cells.entry([line.family, line.market, line.band]).or_default()[side];
            cell.1 += 1;
            cell.0 += u64::from(line.returned.is_some_and(|(age, _)| age <= ALARM_AGE));
        }
    }
    let mut leaves = Vec::new();
    let mut segments: BTreeMap<usize, [(u64, u64); 2]> = BTreeMap::new();
    for (codes, sides) in &cells {
        let of = |side: usize| Proportion::new(sides[side].0, sides[side].1);
        let codes_32 = codes.iter().map(|code| u32::try_from(*code)).collect::<Result<_, _>>()?;
        leaves.push(Leaf { codes: codes_32, before: of(0)?, after: of(1)? });
        let segment = segments.entry(codes[0]).or_default();
        for (sum, side) in segment.iter_mut().zip(sides) {
            *sum = (sum.0 + side.0, sum.1 + side.1);
        }
    }
    let sizes = [FAMILIES.len(), MARKETS.len(), BANDS.len()];
    let sizes: Vec<u32> =
        sizes.iter().map(|size| u32::try_from(*size)).collect::<Result<_, _>>()?;
    let found = scan(&sizes, &leaves, &Scan::default())?;
    let name = |(dimension, code): &(usize, u32)| match dimension {
        0 => family(language, *code as usize),
        1 => pick(language, MARKETS[*code as usize]),
        _ => pick(language, BANDS[*code as usize]),
    };
    let rows: Vec<_> = found
        .iter()
        .map(|cause| {
            (
                Tone::Bad,
                vec![
                    cause.element.iter().map(name).collect::<Vec<_>>().join(" × "),
                    counts(cause.before),
                    counts(cause.after),
                    decimals(cause.expected, 1),
                    chance(cause.p),
                ],
            )
        })
        .collect();
    let parts: Vec<Segment<usize>> = segments
        .iter()
        .map(|(key, sides)| {
            let of = |side: usize| Proportion::new(sides[side].0, sides[side].1);
            Ok(Segment { key: *key, before: of(0)?, after: of(1)? })
        })
        .collect::<Result<_, aftersale::analytics::AnalyticsError>>()?;
    let change = decompose(&parts).ok_or("nothing sold")?;
    let (before, after) = (percent(change.before, 2), percent(change.after, 2));
    let points = |value: f64| decimals(100.0 * value, 2);
    let (rate, mix) = (points(change.rate), points(change.mix));
    let waterfall = waterfall_chart(
        &say!(language, "March to June against July to October", "3–6 月对比 7–10 月"),
        &change,
        0.0002,
        |place| family(language, *place),
    );
    let by = |f: usize, m: usize| {
        let lines = shop.lines.iter().filter(|line| line.family == f && line.market == m);
        returned(lines, 99).ok().filter(|own| own.whole() >= 50).and_then(Proportion::value)
    };
    let heat = heat_map(
        &say!(language, "Return rate by family and market", "品类 × 市场退货率"),
        MARKETS.iter().map(|market| pick(language, *market)).collect(),
        (0..FAMILIES.len()).map(|place| family(language, place)).collect(),
        Unit::Share,
        |column, row| by(row, column),
    );
    let mut blocks = vec![
        Block::Text(say!(
            language,
            "Returns within a month of the month of sale went from {before} (sold March to June) to {after} (July to October): {rate} percentage points through the rates of the families, {mix} through what was sold.",
            "销售月及次月内的退货率：3–6 月为 {before}，7–10 月为 {after}；其中品类自身变化 {rate} 个百分点，销售结构 {mix} 个百分点。"
        )),
        Block::Pair(vec![
            (
                waterfall,
                say!(
                    language,
                    "Rate parts and mix add up exactly.",
                    "各部分与结构之和恰等于总变化。"
                ),
            ),
            (
                heat,
                say!(
                    language,
                    "Cells with fewer than 50 lines stay empty.",
                    "少于 50 行的单元格留空。"
                ),
            ),
        ]),
    ];
    if rows.is_empty() {
        blocks.push(Block::Callout(Tone::Good, say!(language, "No cause named", "未指出原因"), say!(language, "No combination of family, market and price band rose against the rest beyond chance (risk 1 % over all combinations).", "没有任何“品类 × 市场 × 价位”组合的上升超出偶然（全部组合合计风险 1 %）。")));
    } else {
        blocks.push(Block::Grid(Grid {
            caption: say!(
                language,
                "Combinations that rose against everything else, mix removed",
                "剔除结构后相对其余上升的组合"
            ),
            heads: heads(
                language,
                &[
                    ("combination", "组合"),
                    ("#before", "#之前"),
                    ("#after", "#之后"),
                    ("#expected after", "#之后预期"),
                    ("#p", "#p"),
                ],
            ),
            rows,
        }));
    }
    Ok(Section {
        name: say!(language, "Causes", "归因"),
        heading: say!(language, "What the change is made of", "变化由什么构成"),
        blocks,
    })
}
