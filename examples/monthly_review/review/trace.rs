//! Where the goods of an alarm are, and which delivery they came from.

use std::collections::BTreeSet;

use aftersale::analytics::alarm::{Alarm, Screening};
use aftersale::analytics::month::Month;
use aftersale::label::Language;
use aftersale::lineage::event::Item;
use aftersale::lineage::source::Source;
use aftersale::lineage::suspect::Suspect;

use super::alarms::screening_past;
use super::{Outcomes, count, heads, pick};
use crate::document::{Block, Grid, Section};
use crate::invoices::{Line, MARKETS, Shop};
use crate::lots::{Lots, look_behind};
use crate::support::body::Tone;
use crate::support::text::decimals;

/// Where the units of the strongest alarm are.
pub fn trace(
    shop: &Shop,
    screenings: &[(Month, Screening<usize>)],
    language: Language,
) -> Outcomes<Section> {
    let strongest = screenings
        .iter()
        .flat_map(|(month, s)| s.alarms.iter().map(move |alarm| (*month, alarm)))
        .min_by(|a, b| a.1.p.total_cmp(&b.1.p));
    let name = say!(language, "Trace", "追溯");
    let Some((now, alarm)) = strongest else {
        let heading = say!(language, "No alarm, no trace", "没有预警，无需追溯");
        return Ok(Section { name, heading, blocks: Vec::new() });
    };
    let (code, article) = &shop.codes[alarm.key];
    let first = first_month(now, alarm);
    let sold: Vec<&Line> = shop
        .lines
        .iter()
        .filter(|line| line.code == alarm.key && line.month() >= first && line.month() <= now)
        .collect();
    // Deliveries from before the rise are what to compare with.
    let ever = shop.lines.iter().filter(|line| line.code == alarm.key && line.month() <= now);
    let lots = look_behind(code, &ever.collect::<Vec<_>>())?;
    let finding = lots.origin.summary(language);
    let out = still_out(&sold);
    let named = named_lot(&lots);
    let (scope, caption) = match named.and_then(|lot| lots.lines.get(lot)) {
        Some(lines) => {
            let lot = named.unwrap_or_default();
            (
                lines.as_slice(),
                say!(language, "Lot {lot}, forward trace by market", "批次 {lot} 按市场正向追溯"),
            )
        }
        None => (
            sold.as_slice(),
            say!(language, "All deliveries, forward trace by market", "全部到货按市场正向追溯"),
        ),
    };
    Ok(Section {
        name,
        heading: say!(language, "Where the goods of an alarm are", "预警商品在哪里"),
        blocks: vec![
            Block::Text(say!(
                language,
                "`{code}` {article}, sold from {first} to {now}: {out} units are still with customers.",
                "`{code}` {article}，{first} 至 {now} 售出：仍有 {out} 件在客户手中。"
            )),
            Block::Callout(
                Tone::Note,
                say!(language, "Lots are a fixture", "批次为示例数据"),
                say!(
                    language,
                    "The invoices carry no lot. Each week of sales is taken as one delivery, by two suppliers in turn; every order line and every return is real.",
                    "发票没有批次号。此处把每周的销售视为一次到货，由两家供应商轮流供货；每一订单行与每一次退货均为真实数据。"
                ),
            ),
            Block::Text(finding),
            Block::Text(verdict(named, language)),
            lot_grid(&lots, language),
            market_grid(scope, caption, language),
        ],
    })
}

fn verdict(named: Option<&str>, language: Language) -> String {
    match named {
        Some(lot) => say!(
            language,
            "The returns gather in lot {lot}: only its units are to be looked for.",
            "退货集中在批次 {lot}：只需追查该批次。"
        ),
        None => say!(
            language,
            "The returns are spread over the deliveries: it is the article or its description, not one lot, so the scope is everything sold.",
            "退货分散在各次到货中：问题在商品或其描述，而不在某一批次，因此范围是全部售出商品。"
        ),
    }
}

/// From which month on the rate fits best as raised.
fn first_month(now: Month, alarm: &Alarm<usize>) -> Month {
    let whole = |number: usize| i32::try_from(number).unwrap_or(0);
    now.plus(whole(alarm.since) - whole(screening_past(now))).unwrap_or(now)
}

fn still_out(lines: &[&Line]) -> String {
    count(lines.iter().map(|line| line.units - line.units_back).sum::<i64>())
}

fn lot_of(suspect: &Suspect) -> Option<&str> {
    match &suspect.source {
        Source::Item { item: Item::Lot(lot), .. } => Some(lot.as_str()),
        _ => None,
    }
}

/// The lot that explains the returns, if one does.
fn named_lot<'a>(lots: &'a Lots<'_>) -> Option<&'a str> {
    lots.origin.named().flat_map(|(_, suspects)| suspects).find_map(lot_of)
}

/// The deliveries with the highest share of lines that came back.
fn lot_grid(lots: &Lots<'_>, language: Language) -> Block {
    let ranked = lots.origin.rankings.iter().flat_map(|(_, ranking)| &ranking.suspects);
    let row = |suspect: &Suspect| {
        let lot = lot_of(suspect)?;
        let counts = &suspect.counts;
        let (here, others) = (counts.exposed, counts.units - counts.exposed);
        let q = suspect.q.to_string();
        let (digits, exponent) = q.split_once('e').unwrap_or((&q, "0"));
        let q: f64 = format!("{}e{exponent}", digits.get(..4).unwrap_or(digits)).parse().ok()?;
        let tone = if named_lot(lots) == Some(lot) { Tone::Bad } else { Tone::Plain };
        Some((
            tone,
            vec![
                lot.to_owned(),
                format!("{} / {}", count(counts.exposed_defective), count(here)),
                format!(
                    "{} / {}",
                    count(counts.defective - counts.exposed_defective),
                    count(others)
                ),
                decimals(q, if q < 0.01 { 4 } else { 2 }),
                still_out(lots.lines.get(lot).map_or(&[], Vec::as_slice)),
            ],
        ))
    };
    Block::Grid(Grid {
        caption: say!(
            language,
            "Deliveries by the chance of so many returns",
            "按退货概率排列的到货批次"
        ),
        heads: heads(
            language,
            &[
                ("lot", "批次"),
                ("#lines back / sold", "#退货行 / 售出行"),
                ("#in other lots", "#其他批次"),
                ("#q", "#q 值"),
                ("#units still out", "#在外件数"),
            ],
        ),
        rows: ranked.filter_map(row).take(5).collect(),
    })
}

fn market_grid(scope: &[&Line], caption: String, language: Language) -> Block {
    let row = |market: usize| {
        let here: Vec<&&Line> = scope.iter().filter(|line| line.market == market).collect();
        let units: i64 = here.iter().map(|line| line.units).sum();
        let back: i64 = here.iter().map(|line| line.units_back).sum();
        let customers: BTreeSet<u32> = here.iter().map(|line| line.customer).collect();
        let open: BTreeSet<u32> = here
            .iter()
            .filter(|line| line.units_back < line.units)
            .map(|line| line.customer)
            .collect();
        let cells = || {
            vec![
                pick(language, MARKETS[market]),
                count(customers.len() as u64),
                count(here.len() as u64),
                count(units),
                count(back),
                count(units - back),
                count(open.len() as u64),
            ]
        };
        (units > 0).then(|| (Tone::Plain, cells()))
    };
    Block::Grid(Grid {
        caption,
        heads: heads(
            language,
            &[
                ("market", "市场"),
                ("#customers", "#客户"),
                ("#lines", "#订单行"),
                ("#units sold", "#售出件数"),
                ("#back", "#已退"),
                ("#still out", "#在外"),
                ("#customers to tell", "#需通知客户"),
            ],
        ),
        rows: (0..MARKETS.len()).filter_map(row).collect(),
    })
}
