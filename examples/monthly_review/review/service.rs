//! Handling times of the tickets.

use std::collections::BTreeMap;

use aftersale::analytics::control_chart::{Limits, p_chart};
use aftersale::analytics::measure::Outcome;
use aftersale::analytics::rate::Proportion;
use aftersale::chart::control_chart;
use aftersale::label::Language;

use super::Outcomes;
use crate::document::{Block, Section};
use crate::invoices::day;
use crate::support::text::decimals;
use crate::tickets::Ticket;

/// Tickets by week.
pub fn service(tickets: &[Ticket], language: Language) -> Outcomes<Section> {
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
                "Weeks outside the limits: {laney}; a plain p-chart would flag {binomial}. {shift}",
                "超出控制限：{laney} 周；普通 p 图会报 {binomial} 周。{shift}"
            )),
        ],
    })
}
