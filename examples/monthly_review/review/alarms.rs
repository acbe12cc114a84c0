//! Alarms over articles and groups.

use std::collections::BTreeMap;

use aftersale::analytics::alarm::{Options, Screening, Series, screen};
use aftersale::analytics::month::Month;
use aftersale::analytics::rate::{Confidence, Proportion};
use aftersale::analytics::shrinkage::rank;
use aftersale::chart::funnel_chart;
use aftersale::label::Language;
use aftersale::money::Money;
use aftersale::money::currency::Currency;

use super::{
    ALARM_AGE, C95, Outcomes, chance, count, counts, family, heads, month, percent, pick, range,
    returned,
};
use crate::document::{Block, Grid, Section};
use crate::invoices::{Line, MARKETS, Shop};
use crate::support::body::Tone;
use crate::support::text::decimals;

/// One screening per month from April to October: every series against its own past.
pub fn alarms(shop: &Shop, key: fn(&Line) -> usize) -> Outcomes<Vec<(Month, Screening<usize>)>> {
    let start = month(2010, 12);
    let mut cells: BTreeMap<usize, Vec<(u64, u64, i64)>> = BTreeMap::new();
    for line in &shop.lines {
        let place = usize::try_from(line.month().since(start))?;
        let months = cells.entry(key(line)).or_insert_with(|| vec![(0, 0, 0); 13]);
        months[place].1 += 1;
        if let Some((_, pence)) = line.returned.filter(|(age, _)| *age <= ALARM_AGE) {
            months[place].0 += 1;
            months[place].2 += pence;
        }
    }
    let mut screenings = Vec::new();
    for now in 4..=10 {
        let mut family = Vec::new();
        for (code, months) in &cells {
            let of = |cell: &(u64, u64, i64)| Proportion::new(cell.0, cell.1);
            let (returns, pence) =
                months[..=now].iter().fold((0, 0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.2));
            let cost = pence / i64::try_from(returns.max(1))?;
            family.push(Series {
                key: *code,
                past: months[..now].iter().map(of).collect::<Result<_, _>>()?,
                now: of(&months[now])?,
                cost_per_return: Some(Money::new(cost, Currency::GBP)),
            });
        }
        let month = start.plus(i32::try_from(now)?).ok_or("a month")?;
        screenings.push((month, screen(&family, &Options::default())?));
    }
    Ok(screenings)
}

pub fn alarm_section(
    shop: &Shop,
    screenings: &[(Month, Screening<usize>)],
    groups: &[(Month, Screening<usize>)],
    language: Language,
) -> Outcomes<Section> {
    let mut rows = Vec::new();
    let article = |key: usize| format!("`{}` {}", shop.codes[key].0, shop.codes[key].1);
    let group = |key: usize| {
        let market = pick(language, MARKETS[key % MARKETS.len()]);
        format!("{} · {market}", family(language, key / MARKETS.len()))
    };
    let all = screenings
        .iter()
        .map(|(month, screening)| (month, screening, &article as &dyn Fn(usize) -> String))
        .chain(groups.iter().map(|(month, s)| (month, s, &group as &dyn Fn(usize) -> String)));
    for (month, screening, name) in all {
        for alarm in &screening.alarms {
            let since =
                month.plus(i32::try_from(alarm.since)? - i32::try_from(screening_past(*month))?);
            rows.push((
                Tone::Bad,
                vec![
                    month.to_string(),
                    name(alarm.key),
                    counts(alarm.seen),
                    decimals(alarm.expected, 1),
                    since.map_or(String::new(), |since| since.to_string()),
                    chance(alarm.q),
                    format!(
                        "{} ({}…{})",
                        decimals(alarm.extra.value, 0),
                        decimals(alarm.extra.low, 0),
                        decimals(alarm.extra.high, 0)
                    ),
                    alarm.extra_cost.map_or(String::new(), |cost| {
                        format!("£{}", decimals(cost.minor() as f64 / 100.0, 2))
                    }),
                ],
            ));
        }
    }
    let last = &screenings.last().ok_or("no screening")?.1;
    let tested = count(last.tested as u64);
    let rho = decimals(last.family.rho, 4);
    let rate = percent(last.family.rate, 2);
    let series: Vec<(String, Proportion)> = totals(shop, |line| line.code)
        .into_iter()
        .filter(|(_, own)| own.whole() >= 100)
        .map(|(code, own)| (shop.codes[code].1.clone(), own))
        .collect();
    let whole = returned(shop.lines.iter(), 99)?;
    let target = whole.value().unwrap_or(0.0);
    let funnel = funnel_chart(
        &say!(language, "Articles with 100 lines and more", "100 行以上的商品"),
        &series,
        target,
        Confidence::new(0.998)?,
    );
    let articles: Vec<(usize, Proportion)> = totals(shop, |line| line.code).into_iter().collect();
    let ranking = rank(&articles, C95).ok_or("too few articles")?;
    let worst = ranking
        .iter()
        .take(8)
        .map(|own| {
            let (code, name) = &shop.codes[own.key];
            (
                Tone::Plain,
                vec![
                    format!("`{code}` {name}"),
                    counts(own.units),
                    percent(own.units.value().unwrap_or(0.0), 1),
                    percent(own.rate.value, 1),
                    range(&own.rate, 1),
                ],
            )
        })
        .collect();
    let found = rows.len();
    Ok(Section {
        name: say!(language, "Alarms", "预警"),
        heading: say!(
            language,
            "{found} alarms in seven months, not hundreds",
            "七个月只有 {found} 个预警，而不是几百个"
        ),
        blocks: vec![
            Block::Text(say!(
                language,
                "Two families are watched: every article, and every family of goods in every market; each is compared with its own past, month by month. The usual spread between months is pooled over all articles (last month: {tested} tested, rate {rate}, correlation {rho}), and of all alarms at most one in ten is expected to be false.",
                "监控两组序列：每件商品，以及每个“品类 × 市场”；逐月与自己的过去比较。月间波动由全部商品共同估计（最近一月：检验 {tested} 件，退货率 {rate}，相关系数 {rho}），预计误报不超过十分之一。"
            )),
            Block::Grid(Grid {
                caption: say!(
                    language,
                    "Alarms: returned within a month of the month of sale",
                    "预警：销售月及次月内退回"
                ),
                heads: heads(
                    language,
                    &[
                        ("month", "月份"),
                        ("article, or family and market", "商品或品类·市场"),
                        ("#returned / sold", "#退回 / 售出"),
                        ("#expected", "#预期"),
                        ("since", "起始"),
                        ("#q", "#q"),
                        ("#extra (95 %)", "#多退（95 %）"),
                        ("#worth", "#金额"),
                    ],
                ),
                rows,
            }),
            Block::Figure(
                funnel,
                say!(
                    language,
                    "Red: outside the 99.8 % limits around the mean rate. Most red articles have always been so: a fact about the article, not an alarm of the month.",
                    "红点：超出平均退货率 99.8 % 界限。多数红点一贯如此：是商品的特性，不是当月的预警。"
                ),
            ),
            Block::Grid(Grid {
                caption: say!(language, "Worst articles, luck taken out", "剔除运气后的高退货商品"),
                heads: heads(
                    language,
                    &[
                        ("article", "商品"),
                        ("#returned / sold", "#退回 / 售出"),
                        ("#raw", "#原始"),
                        ("#shrunken", "#收缩后"),
                        ("#95 %", "#95 % 区间"),
                    ],
                ),
                rows: worst,
            }),
        ],
    })
}

pub fn screening_past(now: Month) -> usize {
    usize::try_from(now.since(month(2010, 12))).unwrap_or(0)
}

pub fn totals<K: Ord>(shop: &Shop, key: impl Fn(&Line) -> K) -> BTreeMap<K, Proportion> {
    let mut sums: BTreeMap<K, (u64, u64)> = BTreeMap::new();
    for line in &shop.lines {
        let sum = sums.entry(key(line)).or_default();
        sum.1 += 1;
        sum.0 += u64::from(line.returned.is_some());
    }
    sums.into_iter()
        .filter_map(|(key, (part, whole))| Some((key, Proportion::new(part, whole).ok()?)))
        .collect()
}
