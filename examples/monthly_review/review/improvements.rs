//! Actions with stated effects, and the packs of the departments.

use std::collections::BTreeSet;

use aftersale::analytics::alarm::Screening;
use aftersale::analytics::measure::Outcome;
use aftersale::analytics::month::Month;
use aftersale::analytics::rate::Proportion;
use aftersale::analytics::tally::{Dimension, Facets};
use aftersale::improvement::review::review;
use aftersale::improvement::verify::{Control, Test};
use aftersale::improvement::{Improvement, IssueId, Origin, QualityIssue};
use aftersale::label::{Coded, Language};
use aftersale::time::Interval;

use super::{ALARM_AGE, Outcomes, Sources, count, heads, month, percent, returned};
use crate::actions::{Case, live};
use crate::document::{Block, Grid, Section};
use crate::invoices::day;
use crate::support::body::Tone;
use crate::support::text::decimals;

/// A change of a share in percentage points, with its sign.
fn points(change: f64) -> String {
    let sign = if change > 0.0 { "+" } else { "" };
    format!("{sign}{}", decimals(100.0 * change, 2))
}

/// The name of a department.
fn called(department: &str, language: Language) -> String {
    match department {
        "service" => say!(language, "Service", "客服"),
        "purchasing" => say!(language, "Purchasing", "采购"),
        "product" => say!(language, "Product", "商品"),
        _ => department.to_owned(),
    }
}

/// Actions with stated effects, and the packs of the departments.
pub fn improvements(
    sources: &Sources<'_>,
    screenings: &[(Month, Screening<usize>)],
    groups: &[(Month, Screening<usize>)],
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
            issue: "bags-handles".into(),
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
                format!("{} · {}", called(action.department.as_str(), language), action.owner),
                action.due.to_string().replace('-', "\u{2011}"),
                format!("{} → {}", share(&case.from), share(&case.to)),
                action.plan.test().label(language).to_owned(),
                verdict.map_or("–".into(), |v| {
                    format!("{} ({}…{})", points(v.change), points(v.low), points(v.high))
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
    let alarms = issues.len() + groups.iter().map(|(_, s)| s.alarms.len()).sum::<usize>();
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
                    called(department.as_str(), language),
                    pack.issues.len().to_string(),
                    pack.overdue.len().to_string(),
                    pack.open.len().to_string(),
                    pack.verified.len().to_string(),
                    pack.not_verified.len().to_string(),
                ],
            )
        })
        .collect();
    let answered = issues.len() - packs.unanswered.len();
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
                heads: heads(
                    language,
                    &[
                        ("action", "措施"),
                        ("department · owner", "部门 · 负责人"),
                        ("due", "期限"),
                        ("stated", "声明"),
                        ("test", "检验"),
                        ("#change in points (95 %)", "#变化，百分点（95 %）"),
                        ("#units / needed", "#样本 / 所需"),
                        ("verdict", "结论"),
                    ],
                ),
                rows,
            }),
            Block::Grid(Grid {
                caption: say!(language, "Packs by department", "部门评审包"),
                heads: heads(
                    language,
                    &[
                        ("department", "部门"),
                        ("#new issues", "#新问题"),
                        ("#overdue", "#逾期"),
                        ("#open", "#进行中"),
                        ("#verified", "#已验证"),
                        ("#not verified", "#未验证"),
                    ],
                ),
                rows: pack_rows,
            }),
            Block::Text(say!(
                language,
                "Alarms in seven months: {alarms}; with an action: {answered}. What the alarms of families and markets have in common stands under Causes.",
                "七个月共 {alarms} 个预警，其中 {answered} 个已有措施；品类与市场的预警见“归因”一节。"
            )),
        ],
    })
}
