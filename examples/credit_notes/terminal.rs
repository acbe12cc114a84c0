//! The report for the terminal.

use crate::figures::worth;
use crate::matching::{Extent, Kind};
use crate::read::month_name;
use crate::report::{Report, UNKNOWN, pounds};
use crate::support::terminal::{Columns, Side, bar, heading, paragraph, title};
use crate::support::text::{count, percent, shorten};

use Side::{Left, Right};

/// The whole report as text.
pub fn render(report: &Report<'_>) -> String {
    let mut text = title("CREDIT NOTES EXPLAINED · one wholesaler's invoices, amounts in GBP");
    text.push_str(&opening(report));
    text.push_str(&waterfall(report));
    text.push_str(&months(report));
    text.push_str(&drill(report));
    text.push_str(&verdicts(report));
    text.push_str(&settled(report));
    text.push_str(&pareto(report));
    text.push_str(&reasons(report));
    text.push_str(&heading("WHAT THIS DATA CANNOT KNOW"));
    for point in UNKNOWN {
        text.push_str(&paragraph(&format!("· {}", point.replace("**", ""))));
    }
    text
}

fn opening(report: &Report<'_>) -> String {
    let (figures, frozen) = (&report.figures, &report.frozen);
    let mut text = paragraph(&format!(
        "{} invoice lines read, {} in the slice: {} sales, {} credits on {} notes, {} stock movements.",
        count(report.book.rows.len() as i128),
        count(figures.rows),
        count(figures.all.sold.lines),
        count(figures.all.credited.lines),
        count(figures.notes as i128),
        count(figures.stock_rows),
    ));
    text.push_str(&paragraph(&format!(
        "The engine froze {} invoices with {} lines as sales, total {}.",
        count(frozen.sales as i128),
        count(frozen.lines as i128),
        pounds(frozen.total),
    )));
    for (_, why) in &frozen.refused {
        text.push_str(&paragraph(&format!("Refused: {why}.")));
    }
    text
}

fn waterfall(report: &Report<'_>) -> String {
    let mut table = Columns::new(&[
        ("", Left),
        ("lines", Right),
        ("money", Right),
        ("rate left", Right),
        ("", Left),
    ]);
    let steps = report.steps();
    let first = steps[0].credited.max(1) as f64 / steps[0].sold.max(1) as f64;
    for (place, step) in steps.iter().enumerate() {
        let (sign, rule) =
            if place == 0 || place == 4 { ("", place == 4) } else { ("− ", false) };
        if rule {
            table.rule();
        }
        let rate = step.credited as f64 / step.sold.max(1) as f64;
        table.row([
            step.name.to_owned(),
            count(step.taken.lines),
            format!("{sign}{}", pounds(step.taken.value)),
            percent(step.credited, step.sold, 2),
            bar(rate / first, 16),
        ]);
    }
    let all = &report.figures.all;
    let mut text = heading("1  FROM THE NAIVE RATE TO THE EXPLAINED RATE");
    text.push_str(&table.render());
    text.push_str(&paragraph(&format!(
        "{} credited on {} sold; of goods {} on {}. What was never a sale, or is not a second sale, is taken off both sides.",
        pounds(all.credited.value),
        pounds(all.sold.value),
        pounds(all.goods_credited().value),
        pounds(all.goods_sold.value),
    )));
    let mut table =
        Columns::new(&[("goods credit lines", Left), ("lines", Right), ("money", Right)]);
    for (extent, name) in EXTENTS {
        let sum = report.figures.extents.get(&extent).copied().unwrap_or_default();
        table.row([name.to_owned(), count(sum.lines), pounds(sum.value)]);
    }
    text.push('\n');
    text + &table.render()
}

/// The extents of a match with their names.
pub const EXTENTS: [(Extent, &str); 4] = [
    (Extent::Full, "matched with earlier sales in full"),
    (Extent::Part, "matched in part"),
    (Extent::NoSale, "no earlier sale to the customer"),
    (Extent::NoCustomer, "no customer on the note"),
];

fn months(report: &Report<'_>) -> String {
    let mut table = Columns::new(&[
        ("month", Left),
        ("sold", Right),
        ("naive", Right),
        ("explained", Right),
        ("naive lines", Right),
        ("lines back", Right),
        ("95 % interval", Left),
        ("alarm", Left),
    ]);
    for ((month, part), rates) in report.figures.months.iter().zip(&report.rates) {
        let explained = part.kind(Kind::Explained);
        let interval = rates.explained.map_or_else(String::new, |rate| {
            format!("{:.2} to {:.2} %", rate.low * 100.0, rate.high * 100.0)
        });
        let naive = rates.naive.map_or_else(String::new, |rate| {
            format!("{:.1}-{:.1} %", rate.low * 100.0, rate.high * 100.0)
        });
        table.row([
            month_name(*month),
            pounds(part.sold.value),
            percent(part.credited.value, part.sold.value, 2),
            percent(explained.value, part.sold_after(Kind::Explained), 2),
            naive,
            percent(explained.lines, part.goods_sold.lines, 2),
            interval,
            flags(report, *month).join(", "),
        ]);
    }
    let mut text = heading("2  MONTHS");
    text.push_str(&table.render());
    text.push_str(&paragraph(
        "Naive and explained are by value; \"naive lines\" is the 95 % Wilson interval of all credit lines for all lines sold; \"lines back\" is explained credit lines for goods lines sold, with its Wilson interval. Alarms: months, countries and products whose lines back are more than their own past and chance explain, a tenth of alarms accepted as false.",
    ));
    text
}

/// The alarms of a month in words: the month itself, then countries, then products.
pub fn flags(report: &Report<'_>, month: i32) -> Vec<String> {
    let mut found = Vec::new();
    if report.month_alarms.alarms.iter().any(|alarm| alarm.key == month) {
        found.push("month".to_owned());
    }
    if let Some(screening) = report.country_alarms.get(&month) {
        found.extend(screening.alarms.iter().map(|a| report.book.countries.text(a.key).to_owned()));
    }
    if let Some(screening) = report.product_alarms.get(&month) {
        found.extend(screening.alarms.iter().map(|a| report.book.codes.text(a.key).to_owned()));
    }
    found
}

fn drill(report: &Report<'_>) -> String {
    let Some(drill) = &report.drill else { return String::new() };
    let number = |place| report.book.invoices.text(place);
    let mut text = heading(&format!(
        "2b  LOOKING INTO {}: CREDIT NOTE {} AND INVOICE {}, {} MINUTES LATER",
        month_name(drill.lines[0].credited.month),
        number(drill.note),
        number(drill.invoice),
        drill.seconds / 60,
    ));
    let mut table = Columns::new(&[
        ("code", Left),
        ("sold again as", Left),
        ("units", Right),
        ("credited at", Right),
        ("sold at", Right),
        ("reduction", Right),
    ]);
    for pair in &drill.lines {
        let again = pair.again;
        table.row([
            report.book.codes.text(pair.credited.code).to_owned(),
            again.map_or("not sold again".into(), |row| {
                let slip = if pair.is_other_code() { "  ← other code" } else { "" };
                format!("{}{slip}", report.book.codes.text(row.code))
            }),
            count((-pair.credited.quantity).into()),
            pounds(pair.credited.price.into()),
            again.map_or(String::new(), |row| pounds(row.price.into())),
            again.map_or(String::new(), |row| pounds(-pair.credited.value() - row.value())),
        ]);
    }
    table.rule();
    let reduction = drill.credited() - drill.rebilled();
    table.row([
        "".to_owned(),
        format!("{} credited", pounds(drill.credited())),
        String::new(),
        String::new(),
        pounds(drill.rebilled()),
        pounds(reduction),
    ]);
    text.push_str(&table.render());
    text.push_str(&paragraph(&format!(
        "The true price reduction is {}, {} of the credit note.",
        pounds(reduction),
        percent(reduction, drill.credited(), 1)
    )));
    if let Some(note) = report.notes_on(number(drill.note)).first() {
        text.push_str(&paragraph(&format!("A stock note of the same file says: \"{note}\".")));
    }
    text
}

fn verdicts(report: &Report<'_>) -> String {
    let verdicts = &report.verdicts;
    let mut text = heading(&format!(
        "3  VERDICTS OF A VOLUNTARY POLICY, {} DAYS FROM INVOICE",
        report.arguments.policy_days
    ));
    let mut table = Columns::new(&[
        ("verdict", Left),
        ("lines", Right),
        ("money", Right),
        ("of these explained", Right),
        ("money", Right),
    ]);
    for (outcome, sum) in &verdicts.outcomes {
        let explained = verdicts.explained.get(outcome).copied().unwrap_or_default();
        table.row([
            outcome.name().to_owned(),
            count(sum.lines),
            pounds(sum.value),
            count(explained.lines),
            pounds(explained.value),
        ]);
    }
    text.push_str(&table.render());
    for sample in &verdicts.samples {
        text.push('\n');
        text.push_str(&paragraph(&format!(
            "{}: {}",
            sample.outcome.name(),
            case(report, sample.credit)
        )));
        for (fate, finding) in &sample.findings {
            text.push_str(&format!("    {fate:9}  {finding}\n"));
        }
    }
    text
}

fn settled(report: &Report<'_>) -> String {
    let cases = &report.cases;
    let mut table = Columns::new(&[
        ("cases on the orders they correct", Left),
        ("cases", Right),
        ("seller credited", Right),
        ("due by what was paid", Right),
    ]);
    report.fates().for_each(|fate| table.row(fate));
    let mut text = heading("3b  SETTLED BY WHAT WAS PAID");
    text.push_str(&table.render());
    text.push_str(&paragraph(&report.replayed()));
    for (why, times) in &cases.obstacles {
        text.push_str(&paragraph(&format!("Refused {times} times: {why}.")));
    }
    if let Some(sample) = &cases.sample {
        text.push_str(&paragraph(&format!(
            "Largest difference: {}; for {} units of order {} the note gives {}, the invoice charged {}.",
            case(report, sample.credit),
            count(sample.units.into()),
            sample.order,
            pounds(sample.credited),
            pounds(sample.refunded),
        )));
        for finding in &sample.findings {
            text.push_str(&format!("    {finding}\n"));
        }
    }
    text
}

fn reasons(report: &Report<'_>) -> String {
    let reasons = &report.reasons;
    let mut table = Columns::new(&[
        ("reason in the stock notes", Left),
        ("notes", Right),
        ("units off", Right),
        ("most frequent words", Left),
    ]);
    for found in &reasons.found {
        let words: Vec<&str> = found.texts.iter().take(2).map(|(text, _)| text.as_str()).collect();
        table.row([
            found.name.clone(),
            count(found.notes as i128),
            count(found.written_off.into()),
            words.join(", "),
        ]);
    }
    table.row([
        "no reason in the words".to_owned(),
        count((reasons.notes - reasons.read) as i128),
        String::new(),
        reasons.silent.first().map_or(String::new(), |(text, _)| text.clone()),
    ]);
    let mut text = String::from("\n");
    text.push_str(&table.render());
    text + &paragraph(&format!(
        "{} of {} notes have words for a reason; a note may have several. They are about stock, never about a customer's return, and are always of the whole file.",
        count(reasons.read as i128),
        count(reasons.notes as i128),
    ))
}

/// A credit line in one line of text.
pub fn case(report: &Report<'_>, position: usize) -> String {
    let credit = &report.matched.credits[position];
    let row = &report.book.rows[credit.row];
    let names = |place| report.book.codes.text(place);
    format!(
        "{} of {}, {} units of {} {}, {}",
        report.book.invoices.text(row.invoice),
        row.time().format("%Y-%m-%d"),
        count((-row.quantity).into()),
        names(row.code),
        report.product(row.code),
        pounds(worth(report.book, credit)),
    )
}

fn pareto(report: &Report<'_>) -> String {
    let explained = report.figures.all.kind(Kind::Explained).value;
    let mut text = heading("4  WHERE THE EXPLAINED CREDITS ARE");
    let mut table = Columns::new(&[
        ("product", Left),
        ("money", Right),
        ("share", Right),
        ("running", Right),
        ("", Left),
    ]);
    let mut running = 0;
    let most = report.figures.products.first().map_or(1, |(_, sum)| sum.value.max(1)) as f64;
    for (code, sum) in report.figures.products.iter().take(report.arguments.top) {
        running += sum.value;
        table.row([
            shorten(&format!("{} {}", report.book.codes.text(*code), report.product(*code)), 40),
            pounds(sum.value),
            percent(sum.value, explained, 1),
            percent(running, explained, 1),
            bar(sum.value as f64 / most, 14),
        ]);
    }
    text.push_str(&table.render());
    text.push('\n');
    let mut table = Columns::new(&[
        ("country", Left),
        ("money", Right),
        ("share", Right),
        ("of sales", Right),
        ("lines back", Right),
    ]);
    for (name, part) in report.countries().into_iter().take(report.arguments.top) {
        let sum = part.kind(Kind::Explained);
        table.row([
            name.to_owned(),
            pounds(sum.value),
            percent(sum.value, explained, 1),
            percent(sum.value, part.sold_after(Kind::Explained), 2),
            percent(sum.lines, part.goods_sold.lines, 2),
        ]);
    }
    text + &table.render()
}
