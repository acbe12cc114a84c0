//! The review itself: what is computed, and what is said about it, section by section.

use std::error::Error;

use aftersale::analytics::cohort::Triangle;
use aftersale::analytics::month::Month;
use aftersale::analytics::rate::{Confidence, Estimate, Proportion};
use aftersale::label::Language;

use crate::document::{Document, Section};
use crate::invoices::{FAMILIES, Line, MARKETS, Shop};
use crate::reviews::Review;
use crate::support::body::Tone;
use crate::support::page::Tile;
use crate::support::text::{self, decimals};
use crate::tickets::Ticket;

/// The English or the Chinese text, with values filled in.
macro_rules! say {
    ($language:expr, $en:literal, $zh:literal) => {
        match $language {
            Language::English => format!($en),
            Language::Chinese => format!($zh),
        }
    };
}

mod alarms;
mod causes;
mod cohorts;
mod figures;
mod improvements;
mod reasons;
mod service;
mod trace;
mod words;

const C95: Confidence = Confidence::NINETY_FIVE;
/// Returns are counted up to this many months after the month of sale.
const WINDOW: usize = 2;
/// Alarms look at lines returned in the month of sale or the next.
const ALARM_AGE: usize = 1;

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
    // A percent sign never stands alone on a line.
    format!("{}\u{a0}%", decimals(100.0 * value, digits))
}

fn range(estimate: &Estimate, digits: usize) -> String {
    format!("{}–{}", decimals(100.0 * estimate.low, digits), percent(estimate.high, digits))
}

fn hours(seconds: f64, language: Language) -> String {
    let hours = decimals(seconds / 3600.0, 1);
    say!(language, "{hours} h", "{hours} 小时")
}

fn count(number: impl TryInto<i128>) -> String {
    number.try_into().map_or_else(|_| String::from("–"), text::count)
}

/// Part and whole: `12 / 3,456`.
fn counts(own: Proportion) -> String {
    format!("{} / {}", count(own.part()), count(own.whole()))
}

/// A p or q with three decimals.
fn chance(p: f64) -> String {
    if p < 0.0005 { String::from("< 0.001") } else { decimals(p, 3) }
}

/// The heads of a table in one language.
fn heads(language: Language, pairs: &[(&str, &str)]) -> Vec<String> {
    pairs.iter().map(|pair| pick(language, *pair)).collect()
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
    let screenings = alarms::alarms(shop, |line| line.code)?;
    let groups = alarms::alarms(shop, |line| line.family * MARKETS.len() + line.market)?;
    let (first, mut tiles) = figures::figures(sources, &report, language)?;
    let both = || screenings.iter().chain(&groups);
    let alarm_count: usize = both().map(|(_, s)| s.alarms.len()).sum();
    let tested: usize = both().map(|(_, s)| s.tested).sum();
    let tests = count(tested as u64);
    tiles.push(
        Tile::new(
            &say!(language, "Alarms, seven months", "七个月预警数"),
            &count(alarm_count as u64),
            &say!(
                language,
                "of {tests} tests; about 10 % of alarms false at most",
                "{tests} 次检验，预警中误报不超过约 10 %"
            ),
        )
        .tone(Tone::Warn),
    );
    let mut sections = vec![
        first,
        cohorts::cohorts(shop, &triangle, &report, language),
        reasons::reasons(sources, language)?,
        alarms::alarm_section(shop, &screenings, &groups, language)?,
        causes::causes(shop, language)?,
        words::words(sources, language)?,
        service::service(sources.tickets, language)?,
        improvements::improvements(sources, &screenings, &groups, language)?,
        trace::trace(shop, &screenings, language)?,
    ];
    for chart in sections.iter_mut().flat_map(Section::charts_mut) {
        *chart = chart.clone().in_language(language);
    }
    Ok(Document {
        language: if language == Language::Chinese { "zh-Hans" } else { "en" },
        kicker: say!(language, "Monthly review · November 2011", "月度退货评审 · 2011 年 11 月"),
        title: say!(language, "Returns: what is known, and how sure", "退货：已知什么，把握多大"),
        lede: say!(
            language,
            "Real invoices of a gift wholesaler, real service tickets, real customer reviews. Every share of units has its interval and its sample; young months are marked; alarms control false discoveries; effects are verified only by the test stated beforehand.",
            "数据全部真实：一家礼品批发商的发票、服务工单与顾客评论。每个按件数计的比率都附区间与样本量；未成熟的月份会标出；预警控制误报占比；改进效果只按事先声明的检验来认定。"
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
