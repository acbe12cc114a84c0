//! Key figures with intervals and benchmarks.

use aftersale::analytics::benchmark::{Basis, Scope, comparable, describe};
use aftersale::analytics::cohort::CohortReport;
use aftersale::analytics::rate::{Estimate, per_exposure};
use aftersale::analytics::waiting::Waiting;
use aftersale::label::Language;

use super::{C95, Outcomes, Sources, count, heads, hours, month, percent, range};
use crate::document::{Block, Grid, Section};
use crate::invoices::Line;
use crate::reviews;
use crate::support::body::Tone;
use crate::support::page::Tile;
use crate::support::text::decimals;
use crate::tickets;
use crate::tickets::Ticket;

type Row = (Tone, Vec<String>);

/// A share with its interval and sample, to so many decimals of a percent.
fn row(name: String, (share, digits): (&Estimate, usize), note: String) -> Row {
    let value = percent(share.value, digits);
    (Tone::Plain, vec![name, value, range(share, digits), count(share.sample), note])
}

/// A time with its interval and sample.
fn timed(name: String, time: &Estimate, note: String, language: Language) -> Row {
    let hours = |seconds| hours(seconds, language);
    let interval = format!("{}–{}", decimals(time.low / 3600.0, 1), hours(time.high));
    (Tone::Plain, vec![name, hours(time.value), interval, count(time.sample), note])
}

/// Key figures with intervals and benchmarks.
pub fn figures(
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
    let published = |basis, scope, value: &dyn Fn(f64) -> String| {
        comparable(basis, scope)
            .first()
            .map_or(String::new(), |b| format!("{} {}", value(b.value), describe(b, language)))
    };
    let benchmark = published(Basis::Value, Scope::Online, &|share| percent(share, 1));
    let of_marketplaces =
        published(Basis::HandlingHours, Scope::Marketplace, &|time| hours(time * 3600.0, language));
    let mut naive_row = row(
        say!(language, "November as the calendar shows it", "按日历月看的 11 月"),
        (&naive, 2),
        say!(
            language,
            "returns of all earlier sales over sales of November: do not compare",
            "分子来自以往销售，分母是当月销售：不可比"
        ),
    );
    naive_row.0 = Tone::Warn;
    let by_value = Estimate { value: value_rate, ..rate };
    let mut value_row =
        row(say!(language, "The same by value", "退货率（按金额）"), (&by_value, 2), benchmark);
    // Amounts of one order move together: no interval.
    "–".clone_into(&mut value_row.1[2]);
    let rows = vec![
        row(
            say!(
                language,
                "Return rate by lines, mature months of sale",
                "退货率（按行，成熟销售月）"
            ),
            (&rate, 2),
            say!(language, "no published unit rate is comparable", "没有可比的公开件数口径"),
        ),
        value_row,
        naive_row,
        timed(
            say!(language, "Handling time of tickets, median", "工单处理时长，中位数"),
            &median,
            of_marketplaces,
            language,
        ),
        timed(
            say!(language, "Handling time, 90th percentile", "处理时长，第 90 百分位"),
            &slow,
            say!(language, "the mean, {{}}, hides it", "均值掩盖了它：{{}}")
                .replace("{}", &hours(mean.value, language)),
            language,
        ),
        row(
            say!(language, "Done within 24 hours, open ones included", "24 小时内完成（含未结）"),
            (&within, 1),
            say!(language, "calendar hours; the log has no zone", "自然小时；日志没有时区"),
        ),
        row(
            say!(language, "Service goal met", "SLA 达成率"),
            (&goals, 1),
            say!(language, "the log's own flag", "日志自带标志"),
        ),
        row(
            say!(language, "Right the first time (never reopened)", "一次解决率（未重开）"),
            (&right, 1),
            String::new(),
        ),
        row(
            say!(language, "Satisfied customers (4 and 5 of 5)", "满意度（4–5 分）"),
            (&csat, 1),
            say!(language, "even sample of the clothing reviews", "女装评论的等距抽样"),
        ),
    ];
    let grid = Grid {
        caption: say!(language, "Key figures with 95 % intervals", "关键指标与 95 % 区间"),
        heads: heads(
            language,
            &[
                ("figure", "指标"),
                ("#value", "#数值"),
                ("#95 %", "#95 % 区间"),
                ("#sample", "#样本"),
                ("compared with", "对照"),
            ],
        ),
        rows,
    };
    let (matched, unmatched, wrong) = shop.credits;
    let [matched, unmatched, wrong] = [matched, unmatched, wrong].map(count);
    let lines = count(shop.lines.len() as u64);
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
            &hours(median.value, language),
            &say!(language, "90th percentile {{}}", "第 90 百分位 {{}}")
                .replace("{}", &hours(slow.value, language)),
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
