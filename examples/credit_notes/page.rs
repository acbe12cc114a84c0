//! The report as a page: five sections, each with its charts, tables and decisions.

mod months;
mod verdicts;
mod where_it_is;

use crate::figures::worth;
use crate::matching::Kind;
use crate::read::month_name;
use crate::report::{Report, UNKNOWN, pounds};
use crate::support::body::{Body, Table, Tone};
use crate::support::charts::waterfall::{self, Waterfall};
use crate::support::page::{Page, Tile};
use crate::support::text::{Format, count, percent};
use crate::terminal::EXTENTS;

/// The whole page.
pub fn render(report: &Report<'_>) -> String {
    let steps = report.steps();
    let (naive, explained) = (&steps[0], &steps[4]);
    let naive_rate = percent(naive.credited, naive.sold, 2);
    let explained_rate = percent(explained.credited, explained.sold, 2);
    let mut page = Page::new(
        "en",
        &format!("Returns and after-sales · {}", slice(report)),
        "Credit notes explained",
        &format!(
            "On paper **{naive_rate}** of sales went back to customers. Take away what was never a return, and **{explained_rate}** is left: goods that may have come back. Every step, verdict and alarm below can be checked."
        ),
    );
    tiles(&mut page, report);
    page.section(
        "Waterfall",
        &format!(
            "From {naive_rate} to {explained_rate}: {} of the credited money is no return",
            percent(naive.credited - explained.credited, naive.credited, 0)
        ),
        |body| waterfall_section(body, report),
    );
    page.section("Months", &months::heading(report), |body| months::fill(body, report));
    page.section(
        "Verdicts",
        &format!(
            "What a {}-day policy says, line by line, with its reasons",
            report.arguments.policy_days
        ),
        |body| verdicts::fill(body, report),
    );
    page.section("Where and why", &where_it_is::heading(report), |body| {
        where_it_is::fill(body, report);
    });
    page.section("Limits", "What this data cannot know", |body| {
        body.list(&UNKNOWN);
    });
    page.footer("Data: Online Retail, D. Chen, London South Bank University, UCI Machine Learning Repository, data set 352, licence CC BY 4.0. Amounts in GBP as stated in the file, exact to the penny.");
    page.footer("Made by `cargo run --release --example credit_notes` of the crate aftersale; two runs give the same bytes.");
    page.render()
}

/// The slice in words.
fn slice(report: &Report<'_>) -> String {
    let slice = &report.arguments.slice;
    let mut words = Vec::new();
    let months = &report.figures.months;
    if let (Some((first, _)), Some((last, _))) = (months.first_key_value(), months.last_key_value())
    {
        words.push(format!("{} to {}", month_name(*first), month_name(*last)));
    }
    if slice.countries.is_empty() {
        words.push("all countries".into());
    } else {
        words.push(slice.countries.iter().cloned().collect::<Vec<_>>().join(", "));
    }
    if !slice.customers.is_empty() {
        let customers: Vec<_> = slice.customers.iter().cloned().collect();
        words.push(format!("customer {}", customers.join(", ")));
    }
    words.join(" · ")
}

fn tiles(page: &mut Page, report: &Report<'_>) {
    let figures = &report.figures;
    let all = &figures.all;
    let steps = report.steps();
    let rate = |step: &crate::report::Step| percent(step.credited, step.sold, 2);
    let alarms: usize = report.flagged().len();
    page.tile(Tile::new(
        "Sold",
        &format!("£{}", Format::Count.short(all.sold.value as f64 / 1000.0)),
        &format!("{} invoice lines", count(all.sold.lines)),
    ));
    page.tile(Tile::new(
        "Credited",
        &format!("£{}", Format::Count.short(all.credited.value as f64 / 1000.0)),
        &format!(
            "{} credit notes, {} lines",
            count(figures.notes as i128),
            count(all.credited.lines)
        ),
    ));
    page.tile(
        Tile::new("Naive rate", &rate(&steps[0]), "all credit notes over all sales")
            .tone(Tone::Warn),
    );
    page.tile(
        Tile::new("Explained rate", &rate(&steps[4]), "goods that may have come back")
            .tone(Tone::Good),
    );
    page.tile(
        Tile::new(
            "Alarms",
            &count(alarms as i128),
            "country and month with more returns than chance explains",
        )
        .tone(if alarms > 0 { Tone::Bad } else { Tone::Good }),
    );
}

fn waterfall_section(body: &mut Body, report: &Report<'_>) {
    let steps = report.steps();
    let rate = |credited: i128, sold: i128| credited as f64 / sold.max(1) as f64;
    let labels = ["All credit notes", "Not goods", "Reversed at once", "Sold again", "Explained"];
    let mut bars = Vec::new();
    let mut before = 0.0;
    for (place, (step, label)) in steps.iter().zip(labels).enumerate() {
        let now = rate(step.credited, step.sold);
        let is_total = place == 0 || place == 4;
        bars.push(waterfall::Step {
            label: label.into(),
            value: if is_total { now } else { now - before },
            note: format!("£{}\n{} lines", pounds(step.taken.value), count(step.taken.lines)),
            kind: if is_total { waterfall::Kind::Total } else { waterfall::Kind::Change },
        });
        before = now;
    }
    let chart = Waterfall {
        title: "Credited share of sales, by value".into(),
        steps: bars,
        format: Format::Percent(2),
    };
    body.figure(&chart, "What is not goods leaves credits and sales alike. A reversed entry was never a sale and a rebill is no second sale, so each takes the same amount off both. In percentage points; below each bar its money and invoice lines.");
    let mut table = Table::new(
        "Step by step",
        &["Step", "#Lines", "#Money", "#Credited left", "#Sold left", "#Rate"],
    );
    for (place, step) in steps.iter().enumerate() {
        let taken = if place == 0 || place == 4 {
            pounds(step.taken.value)
        } else {
            pounds(-step.taken.value)
        };
        let cells = [
            step.name.to_owned(),
            count(step.taken.lines),
            taken,
            pounds(step.credited),
            pounds(step.sold),
            percent(step.credited, step.sold, 2),
        ];
        if place == 4 {
            table.total(cells)
        } else {
            table.row(cells)
        };
    }
    body.table(&table);
    entry_errors(body, report);
    body.heading("How sure the match is");
    body.text("A credit note never names the invoice it corrects. Each credit of goods is matched with the newest earlier sale of the same code to the same customer, and each sale is used up by its units.");
    let goods = report.figures.all.goods_credited();
    let mut table =
        Table::new("Credit lines of goods by match", &["Match", "#Lines", "#Share", "#Money"]);
    for (extent, name) in EXTENTS {
        let sum = report.figures.extents.get(&extent).copied().unwrap_or_default();
        table.row([
            name.to_owned(),
            count(sum.lines),
            percent(sum.lines, goods.lines, 1),
            pounds(sum.value),
        ]);
    }
    table.total([
        "all goods".to_owned(),
        count(goods.lines),
        percent(goods.lines, goods.lines, 1),
        pounds(goods.value),
    ]);
    body.table(&table);
    let frozen = &report.frozen;
    body.small(&format!(
        "The engine froze {} invoices of the file with {} lines as sales and refused {}, each with its reasons.",
        count(frozen.sales as i128),
        count(frozen.lines as i128),
        count(frozen.refused.len() as i128),
    ));
    if !frozen.refused.is_empty() {
        body.fold("Invoices refused", |body| {
            let reasons: Vec<&str> = frozen.refused.iter().map(|(_, why)| why.as_str()).collect();
            body.list(&reasons);
        });
    }
}

/// The reversed entries that matter most, when they outweigh all the rest.
fn entry_errors(body: &mut Body, report: &Report<'_>) {
    let reversed = report.figures.all.kind(Kind::Reversed).value;
    let mut sum = 0;
    let mut lines = Vec::new();
    for position in report.figures.entry_errors.iter().take(2) {
        let credit = &report.matched.credits[*position];
        let row = &report.book.rows[credit.row];
        sum += worth(report.book, credit);
        let minutes = crate::matching::age(report.book, credit).unwrap_or(0) / 60;
        lines.push(format!(
            "{} units of {} (£{}) on {}, taken back {minutes} minutes later",
            count((-row.quantity).into()),
            report.product(row.code),
            pounds(worth(report.book, credit)),
            row.time().format("%Y-%m-%d"),
        ));
    }
    if sum * 2 > reversed && lines.len() == 2 {
        let title = format!(
            "Two slips of the keyboard are {} of all reversed entries",
            percent(sum, reversed, 0)
        );
        body.callout(Tone::Warn, &title, &format!("{}.", lines.join("; and ")));
    }
}
