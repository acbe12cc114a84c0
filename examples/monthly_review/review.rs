//! The review itself: what is computed, and what is said about it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use aftersale::analytics::alarm::{Options, Screening, Series, screen};
use aftersale::analytics::benchmark::{Basis, Scope, comparable, describe};
use aftersale::analytics::cause::{Leaf, Scan, scan};
use aftersale::analytics::cohort::{CohortReport, Triangle};
use aftersale::analytics::control_chart::{Limits, p_chart};
use aftersale::analytics::measure::Outcome;
use aftersale::analytics::mix::{Segment, decompose};
use aftersale::analytics::month::Month;
use aftersale::analytics::pareto::{Kind, pareto};
use aftersale::analytics::rate::{Confidence, Estimate, Proportion, per_exposure};
use aftersale::analytics::shrinkage::rank;
use aftersale::analytics::tally::{Dimension, Facets};
use aftersale::analytics::waiting::Waiting;
use aftersale::analytics::words::{Keyness, TermCounts, emerging, examples};
use aftersale::chart::{
    Unit, cohort_chart, control_chart, funnel_chart, heat_map, pareto_chart, sankey_chart,
    trend_chart, waterfall_chart,
};
use aftersale::improvement::review::review;
use aftersale::improvement::verify::{Control, Test};
use aftersale::improvement::{Improvement, IssueId, Origin, QualityIssue};
use aftersale::label::{Coded, Language};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::time::Interval;

use crate::actions::{Case, live};
use crate::document::{Block, Document, Grid, Section};
use crate::invoices::{BANDS, FAMILIES, Line, MARKETS, Shop, day};
use crate::reviews::{self, Review};
use crate::support::body::Tone;
use crate::support::page::Tile;
use crate::support::text::decimals;
use crate::tickets::{self, Ticket};

const C95: Confidence = Confidence::NINETY_FIVE;
/// Returns are counted up to this many months after the month of sale.
const WINDOW: usize = 2;
/// Alarms look at lines returned in the month of sale or the next.
const ALARM_AGE: usize = 1;

/// The English or the Chinese text, with values filled in.
macro_rules! say {
    ($language:expr, $en:literal, $zh:literal) => {
        match $language {
            Language::English => format!($en),
            Language::Chinese => format!($zh),
        }
    };
}

/// Everything the review is made from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    pub shop: &'a Shop,
    pub tickets: &'a [Ticket],
    pub clothing: &'a [Review],
    pub chinese: &'a [(f64, String)],
}

type Outcomes<T> = Result<T, Box<dyn Error>>;

fn percent(value: f64, digits: usize) -> String {
    format!("{} %", decimals(100.0 * value, digits))
}

fn range(estimate: &Estimate, digits: usize) -> String {
    format!("{}–{}", decimals(100.0 * estimate.low, digits), percent(estimate.high, digits))
}

fn hours(seconds: f64) -> String {
    format!("{} h", decimals(seconds / 3600.0, 1))
}

fn count(number: u64) -> String {
    decimals(number as f64, 0)
}

fn pick(language: Language, (en, zh): (&str, &str)) -> String {
    match language {
        Language::English => en.to_owned(),
        Language::Chinese => zh.to_owned(),
    }
}

fn family(language: Language, place: usize) -> String {
    let (_, en, zh) = FAMILIES[place];
    pick(language, (en, zh))
}

fn month(year: i32, number: u32) -> Month {
    Month::new(year, number).unwrap_or_else(|| unreachable!("a month of the calendar"))
}

/// Returned within an age, of lines sold.
fn returned<'a>(lines: impl Iterator<Item = &'a Line>, age: usize) -> Outcomes<Proportion> {
    let (mut part, mut whole) = (0, 0);
    for line in lines {
        whole += 1;
        part += u64::from(line.returned.is_some_and(|(at, _)| at <= age));
    }
    Ok(Proportion::new(part, whole)?)
}

/// The whole document.
pub fn document(sources: &Sources<'_>, language: Language) -> Outcomes<Document> {
    let shop = sources.shop;
    let as_of = month(2011, 11);
    let mut triangle = Triangle::default();
    for line in &shop.lines {
        triangle.sold(line.month(), 1)?;
        if let Some((age, _)) = line.returned {
            triangle.returned(line.month(), age, 1)?;
        }
    }
    let report = triangle.report(as_of, WINDOW, C95)?;
    let screenings = alarms(shop, |line| line.code)?;
    let groups = alarms(shop, |line| line.family * MARKETS.len() + line.market)?;
    let (first, mut tiles) = figures(sources, &report, language)?;
    let both = || screenings.iter().chain(&groups);
    let alarm_count: usize = both().map(|(_, s)| s.alarms.len()).sum();
    let tested: usize = both().map(|(_, s)| s.tested).sum();
    tiles.push(
        Tile::new(
            &say!(language, "Alarms, seven months", "七个月预警数"),
            &count(alarm_count as u64),
            &say!(
                language,
                "of {tested} tests; at most 10 % false",
                "{tested} 次检验，误报率不超过 10 %"
            ),
        )
        .tone(Tone::Warn),
    );
    let sections = vec![
        first,
        cohorts(shop, &triangle, &report, language),
        reasons(sources, language)?,
        alarm_section(shop, &screenings, &groups, language)?,
        causes(shop, language)?,
        words(sources, language)?,
        service(sources.tickets, language)?,
        improvements(sources, &screenings, language)?,
        trace(shop, &screenings, language),
    ];
    Ok(Document {
        language: if language == Language::Chinese { "zh-Hans" } else { "en" },
        kicker: say!(language, "Monthly review · November 2011", "月度退货评审 · 2011 年 11 月"),
        title: say!(language, "Returns: what is known, and how sure", "退货：已知什么，把握多大"),
        lede: say!(
            language,
            "Real invoices of a gift wholesaler, real service tickets, real customer reviews. Every rate has its interval and its sample; young months are marked; alarms control false discoveries; effects are verified only by the test stated beforehand.",
            "数据全部真实：一家礼品批发商的发票、服务工单与顾客评论。每个比率都附区间与样本量；未成熟的月份会标出；预警控制误报率；改进效果只按事先声明的检验来认定。"
        ),
        tiles,
        sections,
        footer: vec![
            say!(
                language,
                "Data: UCI Online Retail and UCI Incident Management (CC BY 4.0), Women's E-Commerce Clothing Reviews (CC0), ASAP sample (Apache-2.0). Three different companies, put side by side to show one page.",
                "数据来源：UCI Online Retail 与 UCI Incident Management（CC BY 4.0）、女装电商评论（CC0）、ASAP 样本（Apache-2.0）。来自三家不同的公司，仅为展示同一页面而并列。"
            ),
            say!(
                language,
                "Statistics: see `docs/analytics.md`. Same input, same bytes.",
                "统计方法见 `docs/analytics.md`。相同输入得到相同字节。"
            ),
        ],
    })
}

/// Key figures with intervals and benchmarks.
fn figures(
    sources: &Sources<'_>,
    report: &CohortReport,
    language: Language,
) -> Outcomes<(Section, Vec<Tile>)> {
    let shop = sources.shop;
    let mature = report.mature_units();
    let rate = mature.wilson(C95).ok_or("no mature month")?;
    let november = month(2011, 11);
    let sold = shop.lines.iter().filter(|line| line.month() == november);
    let lines = sold.count() as u64;
    let (credits, _) = shop.credited.get(&november).copied().unwrap_or_default();
    let naive = per_exposure(credits, lines, C95).ok_or("nothing sold")?;
    let old = |line: &&Line| line.month() <= month(2011, 9);
    let all: i64 = shop.lines.iter().filter(old).map(|line| line.pence).sum();
    let back: i64 = shop
        .lines
        .iter()
        .filter(old)
        .filter_map(|line| line.returned)
        .map(|(_, pence)| pence)
        .sum();
    let value_rate = back as f64 / all as f64;
    let desk = tickets::desk(sources.tickets)?;
    let handling = desk.handling_time.histogram();
    let waits: Vec<_> = sources.tickets.iter().map(Ticket::wait).collect();
    let within = Waiting::of(&waits).done_within(24 * 3600, C95).ok_or("no tickets")?;
    let median = handling.percentile_estimate(50, C95).ok_or("no tickets")?;
    let slow = handling.percentile_estimate(90, C95).ok_or("no tickets")?;
    let mean = desk.handling_time.mean(C95).ok_or("no tickets")?;
    let goals = desk.goals.share(C95).ok_or("no tickets")?;
    let right = desk.first_time_right.share(C95).ok_or("no tickets")?;
    let answers = reviews::satisfaction(sources.clothing)?;
    let csat = answers.csat(C95).ok_or("no answers")?;
    let times = |e: &Estimate| format!("{}–{}", decimals(e.low / 3600.0, 1), hours(e.high));
    let mut rows: Vec<(Tone, Vec<String>)> = Vec::new();
    let mut row =
        |tone, name: String, value: String, interval: String, sample: u64, note: String| {
            rows.push((tone, vec![name, value, interval, count(sample), note]));
        };
    let online = comparable(Basis::Value, Scope::Online);
    let benchmark = online
        .first()
        .map_or(String::new(), |b| format!("{} {}", percent(b.value, 1), describe(b, language)));
    row(
        Tone::Plain,
        say!(language, "Return rate by lines, mature months of sale", "退货率（按行，成熟销售月）"),
        percent(rate.value, 2),
        range(&rate, 2),
        rate.sample,
        say!(language, "no published unit rate is comparable", "没有可比的公开件数口径"),
    );
    row(
        Tone::Plain,
        say!(language, "The same by value", "退货率（按金额）"),
        percent(value_rate, 2),
        "–".into(),
        rate.sample,
        benchmark,
    );
    row(
        Tone::Warn,
        say!(language, "November as the calendar shows it", "按日历月看的 11 月"),
        percent(naive.value, 2),
        range(&naive, 2),
        naive.sample,
        say!(
            language,
            "returns of all earlier sales over sales of November: do not compare",
            "分子来自以往销售，分母是当月销售：不可比"
        ),
    );
    row(
        Tone::Plain,
        say!(language, "Handling time of tickets, median", "工单处理时长，中位数"),
        hours(median.value),
        times(&median),
        median.sample,
        comparable(Basis::HandlingHours, Scope::Marketplace).first().map_or(String::new(), |b| {
            format!("{} {}", hours(b.value * 3600.0), describe(b, language))
        }),
    );
    row(
        Tone::Plain,
        say!(language, "Handling time, 90th percentile", "处理时长，第 90 百分位"),
        hours(slow.value),
        times(&slow),
        slow.sample,
        say!(language, "the mean, {{}}, hides it", "均值掩盖了它：{{}}")
            .replace("{}", &hours(mean.value)),
    );
    row(
        Tone::Plain,
        say!(language, "Done within 24 hours, open ones included", "24 小时内完成（含未结）"),
        percent(within.value, 1),
        range(&within, 1),
        within.sample,
        say!(language, "calendar hours; the log has no zone", "自然小时；日志没有时区"),
    );
    row(
        Tone::Plain,
        say!(language, "Service goal met", "SLA 达成率"),
        percent(goals.value, 1),
        range(&goals, 1),
        goals.sample,
        say!(language, "the log's own flag", "日志自带标志"),
    );
    row(
        Tone::Plain,
        say!(language, "Right the first time (never reopened)", "一次解决率（未重开）"),
        percent(right.value, 1),
        range(&right, 1),
        right.sample,
        String::new(),
    );
    row(
        Tone::Plain,
        say!(language, "Satisfied customers (4 and 5 of 5)", "满意度（4–5 分）"),
        percent(csat.value, 1),
        range(&csat, 1),
        csat.sample,
        say!(language, "even sample of the clothing reviews", "女装评论的等距抽样"),
    );
    let grid = Grid {
        caption: say!(language, "Key figures with 95 % intervals", "关键指标与 95 % 区间"),
        heads: vec![
            say!(language, "figure", "指标"),
            say!(language, "#value", "#数值"),
            say!(language, "#95 %", "#95 % 区间"),
            say!(language, "#sample", "#样本"),
            say!(language, "compared with", "对照"),
        ],
        rows,
    };
    let (matched, unmatched, wrong) = shop.credits;
    let lines = shop.lines.len();
    let section = Section {
        name: say!(language, "Figures", "指标"),
        heading: say!(
            language,
            "The figures of the month, each with its interval",
            "本月指标，逐项附区间"
        ),
        blocks: vec![
            Block::Grid(grid),
            Block::Small(say!(
                language,
                "Counted are order lines of goods with a known customer ({lines}). {matched} credit lines were matched with an earlier sale, {unmatched} have none in the data and are left out; {wrong} sales reversed within the hour count as wrong entries. Each line is one event, because its units come back together.",
                "统计对象是客户已知的商品订单行（{lines} 行）。{matched} 条贷项匹配到先前销售，{unmatched} 条在数据中没有销售而剔除；{wrong} 笔一小时内冲销的销售视为录入错误。一行的商品往往一起退回，因此一行算一次事件。"
            )),
        ],
    };
    let tiles = vec![
        Tile::new(
            &say!(language, "Return rate, mature months", "退货率（成熟月份）"),
            &percent(rate.value, 2),
            &say!(language, "95 %: {{}}, {{}} lines", "95 %：{{}}，{{}} 行")
                .replacen("{}", &range(&rate, 2), 1)
                .replacen("{}", &count(rate.sample), 1),
        ),
        Tile::new(
            &say!(language, "Median handling", "处理时长中位数"),
            &hours(median.value),
            &say!(language, "90th percentile {{}}", "第 90 百分位 {{}}")
                .replace("{}", &hours(slow.value)),
        ),
        Tile::new(
            &say!(language, "Service goal met", "SLA 达成"),
            &percent(goals.value, 1),
            &say!(language, "95 %: {{}}", "95 %：{{}}").replace("{}", &range(&goals, 1)),
        ),
        Tile::new(
            &say!(language, "Satisfied", "满意度"),
            &percent(csat.value, 1),
            &say!(language, "{{}} answers", "{{}} 份").replace("{}", &count(csat.sample)),
        ),
    ];
    Ok((section, tiles))
}

/// Rates by month of sale.
fn cohorts(shop: &Shop, triangle: &Triangle, report: &CohortReport, language: Language) -> Section {
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
                heads: vec![
                    say!(language, "month of sale", "销售月"),
                    say!(language, "#lines", "#行数"),
                    say!(language, "#calendar month", "#日历月口径"),
                    say!(language, "#so far", "#至今"),
                    say!(language, "#expected", "#预期"),
                    say!(language, "#95 %", "#95 % 区间"),
                    say!(language, "state", "状态"),
                ],
                rows,
            }),
        ],
    }
}

/// Pareto of reasons and who answers for them.
fn reasons(sources: &Sources<'_>, language: Language) -> Outcomes<Section> {
    let found = reviews::reasons(sources.clothing, language)?;
    let mut counts: Vec<(String, u64, Kind)> =
        found.counts.iter().map(|(label, n)| (label.clone(), *n, Kind::Named)).collect();
    counts.push((say!(language, "no reason found", "未识别"), found.without, Kind::Unknown));
    let table = pareto(&counts, found.read, C95).ok_or("no reasons")?;
    let rows = table
        .items
        .iter()
        .take(12)
        .chain(table.items.iter().skip(12).filter(|item| item.class.code() == "unranked"))
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
    let (low, high) = table.vital_few_range;
    let (few, read) = (table.vital_few, found.read);
    let title = say!(language, "Reasons in unhappy reviews", "差评中的退货原因");
    Ok(Section {
        name: say!(language, "Reasons", "原因"),
        heading: say!(
            language,
            "{few} reasons make four fifths of the complaints",
            "{few} 个原因占了八成"
        ),
        blocks: vec![
            Block::Text(say!(
                language,
                "Read from the text of {read} reviews that do not recommend the article, by the words of the reason taxonomy. By the intervals of the cumulative shares the cut lies between {low} and {high} reasons.",
                "由原因分类的词库从 {read} 条不推荐的评论中读出。按累计占比的区间，八成的分界在第 {low} 到第 {high} 个原因之间。"
            )),
            Block::Pair(vec![
                (
                    pareto_chart(&title, &table, Clone::clone),
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
                heads: vec![
                    say!(language, "reason", "原因"),
                    say!(language, "#reviews", "#评论"),
                    say!(language, "#share", "#占比"),
                    say!(language, "#95 %", "#95 % 区间"),
                    say!(language, "#cumulative", "#累计"),
                    say!(language, "class", "类别"),
                ],
                rows,
            }),
        ],
    })
}

/// One screening per month from April to October: every series against its own past.
fn alarms(shop: &Shop, key: fn(&Line) -> usize) -> Outcomes<Vec<(Month, Screening<usize>)>> {
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

fn alarm_section(
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
                    format!("{} / {}", alarm.seen.part(), alarm.seen.whole()),
                    decimals(alarm.expected, 1),
                    since.map_or(String::new(), |since| since.to_string()),
                    if alarm.q < 0.0005 { "< 0.001".into() } else { decimals(alarm.q, 3) },
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
    let tested = last.tested;
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
                    format!("{} / {}", own.units.part(), own.units.whole()),
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
                heads: vec![
                    say!(language, "month", "月份"),
                    say!(language, "article, or family and market", "商品或品类·市场"),
                    say!(language, "#returned / sold", "#退回 / 售出"),
                    say!(language, "#expected", "#预期"),
                    say!(language, "since", "起始"),
                    "#q".to_owned(),
                    say!(language, "#extra (95 %)", "#多退（95 %）"),
                    say!(language, "#worth", "#金额"),
                ],
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
                heads: vec![
                    say!(language, "article", "商品"),
                    say!(language, "#returned / sold", "#退回 / 售出"),
                    say!(language, "#raw", "#原始"),
                    say!(language, "#shrunken", "#收缩后"),
                    say!(language, "#95 %", "#95 % 区间"),
                ],
                rows: worst,
            }),
        ],
    })
}

fn screening_past(now: Month) -> usize {
    usize::try_from(now.since(month(2010, 12))).unwrap_or(0)
}

fn totals<K: Ord>(shop: &Shop, key: impl Fn(&Line) -> K) -> BTreeMap<K, Proportion> {
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

/// Spring against late summer and autumn: what explains the change.
fn causes(shop: &Shop, language: Language) -> Outcomes<Section> {
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
                    format!("{} / {}", cause.before.part(), cause.before.whole()),
                    format!("{} / {}", cause.after.part(), cause.after.whole()),
                    decimals(cause.expected, 1),
                    if cause.p < 0.0005 { "< 0.001".into() } else { decimals(cause.p, 3) },
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
    let (rate, mix) = (percent(change.rate, 2), percent(change.mix, 2));
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
            "The rate went from {before} to {after}: {rate} through the rates of the families, {mix} through what was sold.",
            "退货率从 {before} 变为 {after}：其中品类自身变化 {rate}，销售结构 {mix}。"
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
            heads: vec![
                say!(language, "combination", "组合"),
                say!(language, "#before", "#之前"),
                say!(language, "#after", "#之后"),
                say!(language, "#expected after", "#之后预期"),
                "#p".to_owned(),
            ],
            rows,
        }));
    }
    Ok(Section {
        name: say!(language, "Causes", "归因"),
        heading: say!(language, "What the change is made of", "变化由什么构成"),
        blocks,
    })
}

/// Emerging words, in both languages.
fn words(sources: &Sources<'_>, language: Language) -> Outcomes<Section> {
    let mut blocks = Vec::new();
    for department in ["Dresses", "Bottoms"] {
        let [here, there] = reviews::words(sources.clothing, department)?;
        let notes: Vec<&str> = sources
            .clothing
            .iter()
            .filter(|review| !review.happy && review.department == department)
            .map(|review| review.text.as_str())
            .collect();
        let caption = say!(
            language,
            "{department}: words of unhappy reviews, against happy ones",
            "{department}：差评用词，对比好评"
        );
        blocks.push(Block::Grid(word_grid(caption, &here, &there, &notes, language, 7)));
    }
    let [mut low, mut high] = [TermCounts::default(), TermCounts::default()];
    for (stars, text) in sources.chinese {
        let side = if *stars <= 3.0 { &mut low } else { &mut high };
        side.observe(text)?;
    }
    let notes: Vec<&str> = sources
        .chinese
        .iter()
        .filter(|(stars, _)| *stars <= 3.0)
        .map(|(_, text)| text.as_str())
        .collect();
    let caption = say!(
        language,
        "Chinese notes: words of guests with three stars or fewer",
        "中文评论：三星及以下顾客的用词"
    );
    blocks.push(Block::Grid(word_grid(caption, &low, &high, &notes, language, 8)));
    blocks.push(Block::Small(say!(language, "Each term counts once per note; terms need five notes and G² above 15.13 (level 0.0001). Han text is read in pairs and triples of characters, without a segmenter.", "每个词在一条评论中只计一次；至少五条评论且 G² 高于 15.13（0.0001 水平）。汉字按二元、三元组读取，不用分词器。")));
    Ok(Section {
        name: say!(language, "Words", "用词"),
        heading: say!(language, "Words that stand out", "突出的用词"),
        blocks,
    })
}

fn word_grid(
    caption: String,
    here: &TermCounts,
    there: &TermCounts,
    notes: &[&str],
    language: Language,
    most: usize,
) -> Grid {
    let settings = Keyness { terms_max: most, ..Keyness::default() };
    let around = |note: &str, term: &str| {
        let lower = note.to_lowercase();
        let at = lower.find(term).unwrap_or(0);
        let shown: String = lower
            .char_indices()
            .filter(|(place, _)| place + 36 >= at && *place < at + term.len() + 40)
            .map(|(_, letter)| letter)
            .collect();
        format!("…{}…", shown.trim())
    };
    let rows = emerging(here, there, &settings)
        .into_iter()
        .map(|term| {
            let example = examples(notes.iter().copied(), &term.term, 1);
            let shown = example.first().map_or(String::new(), |(_, note)| around(note, &term.term));
            (
                Tone::Plain,
                vec![
                    term.term.clone(),
                    format!("{} / {}", term.here, here.notes()),
                    format!("{} / {}", term.there, there.notes()),
                    decimals(term.g2, 1),
                    shown.replace(['`', '*'], ""),
                ],
            )
        })
        .collect();
    Grid {
        caption,
        heads: vec![
            say!(language, "term", "词"),
            say!(language, "#here", "#此处"),
            say!(language, "#compared", "#对照"),
            "#G²".to_owned(),
            say!(language, "in a note", "例句"),
        ],
        rows,
    }
}

/// Tickets by week.
fn service(tickets: &[Ticket], language: Language) -> Outcomes<Section> {
    let mut weeks: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for ticket in tickets
        .iter()
        .filter(|t| t.opened.date() >= day(2016, 2, 29) && t.opened.date() < day(2016, 5, 30))
    {
        let sum = weeks.entry(ticket.week()).or_default();
        sum.1 += 1;
        sum.0 += u64::from(ticket.goal == Outcome::No);
    }
    let names: Vec<String> = weeks.keys().cloned().collect();
    let periods: Vec<Proportion> =
        weeks.values().map(|(x, n)| Proportion::new(*x, *n)).collect::<Result<_, _>>()?;
    let chart = p_chart(&periods, Limits::Laney, 3.0).ok_or("no tickets")?;
    let plain = p_chart(&periods, Limits::Binomial, 3.0).ok_or("no tickets")?;
    let outside = |chart: &aftersale::analytics::control_chart::ControlChart| {
        chart.points.iter().flatten().filter(|point| point.outside).count()
    };
    let (sigma, laney, binomial) = (decimals(chart.sigma_z, 1), outside(&chart), outside(&plain));
    let runs = chart.runs;
    let shift = if runs.shifted() {
        say!(
            language,
            "The runs around the median show a shift (longest run {{}}, at most {{}} expected).",
            "中位数两侧的游程显示有漂移（最长 {{}}，预期不超过 {{}}）。"
        )
    } else {
        say!(
            language,
            "The runs around the median show no shift (longest run {{}}, at most {{}} expected).",
            "中位数两侧的游程没有显示漂移（最长 {{}}，预期不超过 {{}}）。"
        )
    };
    let shift = shift.replacen("{}", &runs.longest.to_string(), 1).replacen(
        "{}",
        &runs.longest_limit.to_string(),
        1,
    );
    Ok(Section {
        name: say!(language, "Service", "服务"),
        heading: say!(language, "Service goal missed, week by week", "每周未达 SLA 的比例"),
        blocks: vec![
            Block::Figure(
                control_chart(
                    &say!(language, "Share of tickets that missed the goal", "未达标工单占比"),
                    &names,
                    &chart,
                ),
                say!(
                    language,
                    "Laney's p'-chart: limits allow for the usual variation between weeks, {sigma} times what chance alone gives.",
                    "Laney p′ 图：控制限考虑了周间的正常波动，为纯偶然的 {sigma} 倍。"
                ),
            ),
            Block::Text(say!(
                language,
                "Outside the limits: {laney} weeks; a plain p-chart would flag {binomial}. {shift}",
                "超出控制限：{laney} 周；普通 p 图会报 {binomial} 周。{shift}"
            )),
        ],
    })
}

/// Actions with stated effects, and the packs of the departments.
fn improvements(
    sources: &Sources<'_>,
    screenings: &[(Month, Screening<usize>)],
    language: Language,
) -> Outcomes<Section> {
    let tickets = sources.tickets;
    let quick = |from: (u32, u32), priority: &dyn Fn(u8) -> bool| -> Outcomes<Proportion> {
        let mut sums = (0, 0);
        for ticket in tickets.iter().filter(|t| priority(t.priority)) {
            let date = ticket.opened.date();
            if date >= day(2016, from.0, 1) && date < day(2016, from.1, 1) {
                sums.1 += 1;
                sums.0 += u64::from(ticket.goal == Outcome::Yes);
            }
        }
        Ok(Proportion::new(sums.0, sums.1)?)
    };
    let every = |_: u8| true;
    let (treated, others) = (|p: u8| p == 3, |p: u8| p != 3);
    let shop = sources.shop;
    let cohort = |from: u32, to: u32, family: Option<usize>, not: Option<usize>| {
        let lines = shop.lines.iter().filter(|line| {
            line.month() >= month(2011, from)
                && line.month() <= month(2011, to)
                && family.is_none_or(|f| line.family == f)
                && not.is_none_or(|f| line.family != f)
        });
        returned(lines, ALARM_AGE)
    };
    let issue = screenings
        .iter()
        .rev()
        .find_map(|(_, s)| s.alarms.first())
        .map_or("alarm".to_owned(), |alarm| format!("alarm-{}", shop.codes[alarm.key].0));
    let bags = 1;
    let cases = [
        Case {
            id: "goal-all",
            issue: "goal-missed".into(),
            title: say!(language, "Second line joins the morning shift", "二线加入早班"),
            owner: "liu",
            department: "service",
            planned: day(2016, 3, 31),
            due: day(2016, 4, 30),
            from: "0.66".into(),
            to: "0.72".into(),
            test: Test::BeforeAfter,
            done: true,
            after_from: day(2016, 5, 1),
            before: quick((3, 4), &every)?,
            after: vec![quick((5, 6), &every)?],
            control: None,
        },
        Case {
            id: "goal-p3",
            issue: "goal-missed".into(),
            title: say!(language, "Priority 3 gets its own queue", "三级工单单独排队"),
            owner: "chen",
            department: "service",
            planned: day(2016, 3, 31),
            due: day(2016, 4, 30),
            from: "0.66".into(),
            to: "0.72".into(),
            test: Test::AgainstControl,
            done: true,
            after_from: day(2016, 5, 1),
            before: quick((3, 4), &treated)?,
            after: vec![quick((5, 6), &treated)?],
            control: Some(Control {
                before: quick((3, 4), &others)?,
                after: quick((5, 6), &others)?,
            }),
        },
        Case {
            id: "bags-handles",
            issue: issue.clone(),
            title: say!(language, "Bags: check handles at goods-in", "包袋：入库检查提手"),
            owner: "zhao",
            department: "purchasing",
            planned: day(2011, 6, 30),
            due: day(2011, 7, 15),
            from: "0.015".into(),
            to: "0.010".into(),
            test: Test::AgainstControl,
            done: true,
            after_from: day(2011, 7, 1),
            before: cohort(2, 6, Some(bags), None)?,
            after: vec![cohort(7, 10, Some(bags), None)?],
            control: Some(Control {
                before: cohort(2, 6, None, Some(bags))?,
                after: cohort(7, 10, None, Some(bags))?,
            }),
        },
        Case {
            id: "photos",
            issue,
            title: say!(
                language,
                "New photographs for the article of the alarm",
                "为预警商品重拍图片"
            ),
            owner: "wang",
            department: "product",
            planned: day(2011, 10, 31),
            due: day(2011, 11, 20),
            from: "0.05".into(),
            to: "0.02".into(),
            test: Test::Sequential,
            done: false,
            after_from: day(2011, 11, 1),
            before: Proportion::default(),
            after: Vec::new(),
            control: None,
        },
    ];
    let mut actions: Vec<Improvement> = Vec::new();
    let mut rows = Vec::new();
    for case in &cases {
        let (action, refused) = live(case)?;
        let verdict = action.verdict.as_ref();
        let tone = match action.stage.code() {
            "verified" => Tone::Good,
            "not_verified" => Tone::Bad,
            _ => Tone::Note,
        };
        let share = |text: &str| text.parse::<f64>().map(|v| percent(v, 1)).unwrap_or_default();
        let outcome = verdict.map_or_else(
            || refused.clone().unwrap_or_else(|| action.stage.label(language).to_owned()),
            |v| v.outcome.label(language).to_owned(),
        );
        rows.push((
            tone,
            vec![
                action.title.clone(),
                format!("{} · {}", action.department, action.owner),
                action.due.to_string(),
                format!("{} → {}", share(&case.from), share(&case.to)),
                action.plan.test().label(language).to_owned(),
                verdict.map_or("–".into(), |v| {
                    format!(
                        "{:+.2} ({:+.2}…{:+.2})",
                        100.0 * v.change,
                        100.0 * v.low,
                        100.0 * v.high
                    )
                }),
                action.plan.units_needed().map_or("–".into(), |needed| {
                    format!("{} / {}", count(verdict.map_or(0, |v| v.units)), count(needed))
                }),
                outcome,
            ],
        ));
        actions.push(action);
    }
    let mut issues = Vec::new();
    for (month, screening) in screenings {
        for alarm in &screening.alarms {
            let (code, name) = &shop.codes[alarm.key];
            issues.push(QualityIssue {
                id: IssueId::new(format!("alarm-{code}"))?,
                at: day(2011, 11, 30).and_time(chrono::NaiveTime::MIN).and_utc(),
                origin: Origin::Alarm,
                facets: Facets::new().with(Dimension::Sku, code)?.in_month(*month),
                summary: name.clone(),
                extra_returns: Some(alarm.extra.value.max(0.0) as u64),
                extra_cost: alarm.extra_cost,
                terms: BTreeSet::new(),
            });
        }
    }
    let at = |date: chrono::NaiveDate| date.and_time(chrono::NaiveTime::MIN).and_utc();
    let period = Interval::new(at(day(2011, 11, 1)), at(day(2011, 12, 1)))?;
    let packs = review(&issues, &actions, period, day(2011, 12, 1));
    let pack_rows = packs
        .departments
        .iter()
        .map(|(department, pack)| {
            (
                if pack.overdue.is_empty() { Tone::Plain } else { Tone::Warn },
                vec![
                    department.to_string(),
                    pack.issues.len().to_string(),
                    pack.overdue.len().to_string(),
                    pack.open.len().to_string(),
                    pack.verified.len().to_string(),
                    pack.not_verified.len().to_string(),
                ],
            )
        })
        .collect();
    let unanswered = packs.unanswered.len();
    Ok(Section {
        name: say!(language, "Actions", "改进"),
        heading: say!(language, "Actions, and whether they worked", "改进措施及其效果"),
        blocks: vec![
            Block::Callout(
                Tone::Note,
                say!(language, "What is real here", "哪些是真实的"),
                say!(
                    language,
                    "The actions are made up to show the loop; every count behind a verdict is from the data.",
                    "措施是为演示而虚构的；裁定所依据的数字全部来自数据。"
                ),
            ),
            Block::Grid(Grid {
                caption: say!(
                    language,
                    "Effect stated beforehand, and what the stated test says",
                    "事先声明的效果与检验结论"
                ),
                heads: vec![
                    say!(language, "action", "措施"),
                    say!(language, "department · owner", "部门 · 负责人"),
                    say!(language, "due", "期限"),
                    say!(language, "stated", "声明"),
                    say!(language, "test", "检验"),
                    say!(language, "#change in points (95 %)", "#变化，百分点（95 %）"),
                    say!(language, "#units / needed", "#样本 / 所需"),
                    say!(language, "verdict", "结论"),
                ],
                rows,
            }),
            Block::Grid(Grid {
                caption: say!(language, "Packs by department", "部门评审包"),
                heads: vec![
                    say!(language, "department", "部门"),
                    say!(language, "#new issues", "#新问题"),
                    say!(language, "#overdue", "#逾期"),
                    say!(language, "#open", "#进行中"),
                    say!(language, "#verified", "#已验证"),
                    say!(language, "#not verified", "#未达成"),
                ],
                rows: pack_rows,
            }),
            Block::Text(say!(
                language,
                "{unanswered} alarms have no action yet.",
                "还有 {unanswered} 个预警没有对应措施。"
            )),
        ],
    })
}

/// Where the units of the strongest alarm are.
fn trace(shop: &Shop, screenings: &[(Month, Screening<usize>)], language: Language) -> Section {
    let strongest = screenings
        .iter()
        .flat_map(|(month, s)| s.alarms.iter().map(move |alarm| (*month, alarm)))
        .min_by(|a, b| a.1.p.total_cmp(&b.1.p));
    let Some((now, alarm)) = strongest else {
        return Section {
            name: say!(language, "Trace", "追溯"),
            heading: say!(language, "No alarm, no trace", "没有预警，无需追溯"),
            blocks: Vec::new(),
        };
    };
    let (code, name) = &shop.codes[alarm.key];
    let first = now
        .plus(
            i32::try_from(alarm.since).unwrap_or(0)
                - i32::try_from(screening_past(now)).unwrap_or(0),
        )
        .unwrap_or(now);
    let sold: Vec<&Line> = shop
        .lines
        .iter()
        .filter(|line| line.code == alarm.key && line.month() >= first && line.month() <= now)
        .collect();
    let rows = (0..MARKETS.len())
        .filter_map(|market| {
            let here: Vec<&&Line> = sold.iter().filter(|line| line.market == market).collect();
            let units: i64 = here.iter().map(|line| line.units).sum();
            let back: i64 = here.iter().map(|line| line.units_back).sum();
            let customers: BTreeSet<u32> = here.iter().map(|line| line.customer).collect();
            let open: BTreeSet<u32> = here
                .iter()
                .filter(|line| line.units_back < line.units)
                .map(|line| line.customer)
                .collect();
            (units > 0).then(|| {
                (
                    Tone::Plain,
                    vec![
                        pick(language, MARKETS[market]),
                        customers.len().to_string(),
                        here.len().to_string(),
                        decimals(units as f64, 0),
                        decimals(back as f64, 0),
                        decimals((units - back) as f64, 0),
                        open.len().to_string(),
                    ],
                )
            })
        })
        .collect();
    let units: i64 = sold.iter().map(|line| line.units).sum();
    let back: i64 = sold.iter().map(|line| line.units_back).sum();
    let out = decimals((units - back) as f64, 0);
    Section {
        name: say!(language, "Trace", "追溯"),
        heading: say!(
            language,
            "Where the goods of the strongest alarm are",
            "最强预警的商品在哪里"
        ),
        blocks: vec![
            Block::Text(say!(
                language,
                "`{code}` {name}, sold from {first} to {now}: {out} units are still with customers. The invoices carry no lot, so the scope is all units of the period; with lots, the lineage module narrows it.",
                "`{code}` {name}，{first} 至 {now} 售出：仍有 {out} 件在客户手中。发票没有批次号，范围只能是该时段的全部商品；有批次时由 lineage 模块缩小范围。"
            )),
            Block::Grid(Grid {
                caption: say!(language, "Forward trace by market", "按市场正向追溯"),
                heads: vec![
                    say!(language, "market", "市场"),
                    say!(language, "#customers", "#客户"),
                    say!(language, "#lines", "#订单行"),
                    say!(language, "#units sold", "#售出件数"),
                    say!(language, "#back", "#已退"),
                    say!(language, "#still out", "#在外"),
                    say!(language, "#customers to tell", "#需通知客户"),
                ],
                rows,
            }),
        ],
    }
}
