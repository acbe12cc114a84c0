//! Months: rates with intervals and alarms, and one credit note in full.

use aftersale::analytics::rate::Estimate;

use crate::engine::MonthRates;
use crate::matching::Kind;
use crate::read::month_name;
use crate::report::{Report, pounds};
use crate::support::body::{Body, Table, Tone};
use crate::support::charts::columns::{Height, Stacked};
use crate::support::charts::lines::{Lines, Series};
use crate::support::text::{Format, count, percent};
use crate::terminal::flags;

/// What there is to learn from the months.
pub fn heading(report: &Report<'_>) -> String {
    let months = report.figures.months.values();
    let rates: Vec<(f64, f64)> = months
        .map(|part| {
            let explained = part.kind(Kind::Explained).value;
            (
                share(part.credited.value, part.sold.value),
                share(explained, part.sold_after(Kind::Explained)),
            )
        })
        .collect();
    let span = |rates: &[f64]| {
        let low = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let high = rates.iter().copied().fold(0.0, f64::max);
        let percent = Format::Percent(1);
        format!("from {} to {}", percent.full(low), percent.full(high))
    };
    if rates.len() < 2 {
        return "The month of the slice".into();
    }
    let naive: Vec<f64> = rates.iter().map(|(naive, _)| *naive).collect();
    let explained: Vec<f64> = rates.iter().map(|(_, explained)| *explained).collect();
    format!("The naive rate jumps {}; the explained rate moves {}", span(&naive), span(&explained))
}

fn share(part: i128, whole: i128) -> f64 {
    if whole > 0 { part as f64 / whole as f64 } else { 0.0 }
}

/// The section.
pub fn fill(body: &mut Body, report: &Report<'_>) {
    let names: Vec<String> = report.figures.months.keys().map(|month| month_name(*month)).collect();
    charts(body, report, &names);
    body.fold("All months in numbers", |body| {
        body.table(&table(report));
    });
    drill(body, report);
}

fn charts(body: &mut Body, report: &Report<'_>, names: &[String]) {
    let parts: Vec<_> = report.figures.months.values().collect();
    let naive: Vec<f64> =
        parts.iter().map(|part| share(part.credited.value, part.sold.value)).collect();
    let explained: Vec<f64> = parts
        .iter()
        .map(|part| share(part.kind(Kind::Explained).value, part.sold_after(Kind::Explained)))
        .collect();
    let series = |name: &str, values: &[f64]| Series {
        name: name.into(),
        values: values.iter().map(|value| Some(*value)).collect(),
        band: Vec::new(),
    };
    // Two months with slips of the keyboard would flatten all others; they are cut and written out.
    let mut sorted = naive.clone();
    sorted.sort_by(f64::total_cmp);
    let usual = sorted.get(sorted.len() * 3 / 4).copied().unwrap_or(1.0);
    let by_value = Lines {
        title: "Credited share of sales by value".into(),
        names: names.to_vec(),
        series: vec![series("naive: all credit notes", &naive), series("explained", &explained)],
        alarms: Vec::new(),
        alarm: String::new(),
        goal: None,
        format: Format::Percent(2),
        ceiling: Some(usual * 1.25),
    };
    body.figure(&by_value, "By value. Values above the frame are written beside their arrow.");
    let band = |rate: &Option<Estimate>| rate.map(|rate| (rate.low, rate.high));
    let values = |of: fn(&MonthRates) -> Option<Estimate>| -> Vec<Option<f64>> {
        report.rates.iter().map(|rates| of(rates).map(|rate| rate.value)).collect()
    };
    let alarms = report.figures.months.keys().enumerate().filter_map(|(place, month)| {
        let flags = flags(report, *month);
        let first = flags.first()?;
        let more = if flags.len() > 1 { format!(" +{}", flags.len() - 1) } else { String::new() };
        Some((place, format!("{first}{more}")))
    });
    let by_line = Lines {
        title: "Credit lines for each 100 lines sold".into(),
        names: names.to_vec(),
        series: vec![
            Series {
                name: "naive: all lines, with its 95 % interval".into(),
                values: values(|rates| rates.naive),
                band: report.rates.iter().map(|rates| band(&rates.naive)).collect(),
            },
            Series {
                name: "explained: goods, with its 95 % interval".into(),
                values: values(|rates| rates.explained),
                band: report.rates.iter().map(|rates| band(&rates.explained)).collect(),
            },
        ],
        alarms: alarms.collect(),
        alarm: "alarm".into(),
        goal: None,
        format: Format::Percent(2),
        ceiling: None,
    };
    let tested: usize = report.country_alarms.values().map(|screening| screening.tested).sum();
    let products: usize = report.product_alarms.values().map(|screening| screening.tested).sum();
    let product_alarms: usize = report.product_alarms.values().map(|s| s.alarms.len()).sum();
    let month_alarms = report.month_alarms.alarms.len();
    body.figure(&by_line, &format!(
        "By invoice line, with Wilson intervals. An alarm marks a month in which a country sent back more lines than its own past and chance explain. Tested from the fourth month on: {} months as a whole ({} alarms), {} countries by month ({} alarms), {} products by month ({} alarms); a tenth of all alarms is accepted to be false.",
        report.month_alarms.tested, month_alarms,
        count(tested as i128), report.flagged().len(), count(products as i128), product_alarms,
    ));
    ages(body, report, names);
}

fn ages(body: &mut Body, report: &Report<'_>, names: &[String]) {
    let ends = &report.arguments.rules.age_classes;
    let hours = |end: &i64| {
        let hours = end / 3600;
        if hours > 48 { format!("{} days", hours / 24) } else { format!("{hours} h") }
    };
    let mut classes: Vec<String> = ends.iter().map(|end| format!("up to {}", hours(end))).collect();
    classes.push(ends.last().map_or("any age".into(), |end| format!("older than {}", hours(end))));
    let value = |part: &crate::figures::Part, class: usize| {
        part.ages.get(class).map_or(0.0, |sum| sum.lines as f64)
    };
    let parts = classes.into_iter().enumerate().map(|(class, name)| {
        (name, report.figures.months.values().map(|part| value(part, class)).collect())
    });
    let chart = Stacked {
        title: "Matched credit lines of goods by age of the sale they correct".into(),
        names: names.to_vec(),
        parts: parts.collect(),
        format: Format::Count,
        height: Height::Share,
    };
    body.figure(
        &chart,
        "Old sales are rare in the first months of the data because earlier sales are not in it.",
    );
}

fn table(report: &Report<'_>) -> Table {
    let mut table = Table::new(
        "",
        &[
            "Month",
            "#Sold",
            "#Credited",
            "#Naive",
            "#Explained",
            "#Rate",
            "#Naive, lines",
            "95 % interval",
            "#Lines back",
            "95 % interval",
            "Alarms",
        ],
    );
    for ((month, part), rates) in report.figures.months.iter().zip(&report.rates) {
        let explained = part.kind(Kind::Explained);
        let percent_of = Format::Percent(2);
        let interval = |rate: Option<Estimate>| {
            rate.map_or_else(String::new, |rate| {
                format!("{} to {}", percent_of.full(rate.low), percent_of.full(rate.high))
            })
        };
        let flags = flags(report, *month);
        let cells = [
            month_name(*month),
            pounds(part.sold.value),
            pounds(part.credited.value),
            percent(part.credited.value, part.sold.value, 2),
            pounds(explained.value),
            percent(explained.value, part.sold_after(Kind::Explained), 2),
            percent(part.credited.lines, part.sold.lines, 2),
            interval(rates.naive),
            percent(explained.lines, part.goods_sold.lines, 2),
            interval(rates.explained),
            flags.join(", "),
        ];
        table.toned(if flags.is_empty() { Tone::Plain } else { Tone::Bad }, cells);
    }
    table
}

fn drill(body: &mut Body, report: &Report<'_>) {
    let Some(drill) = &report.drill else { return };
    let number = |place| report.book.invoices.text(place);
    let first = &drill.lines[0].credited;
    let reduction = drill.credited() - drill.rebilled();
    body.heading(&format!(
        "Looking into {}: one note credits £{}, the true price reduction is £{}",
        month_name(first.month),
        pounds(drill.credited()),
        pounds(reduction)
    ));
    body.text(&format!(
        "Credit note **{}** of {} takes goods back on paper; invoice **{}** sells them again {} minutes later{}. A report of credit notes counts a return of £{}. What the customer got is £{}, {}.",
        number(drill.note),
        first.time().format("%Y-%m-%d %H:%M"),
        number(drill.invoice),
        drill.seconds / 60,
        if reduction > 0 { " at lower prices" } else { "" },
        pounds(drill.credited()),
        pounds(reduction),
        percent(reduction, drill.credited(), 1),
    ));
    let mut table = Table::new(
        &format!("{} beside {}", number(drill.note), number(drill.invoice)),
        &[
            "Product",
            "Sold again as",
            "#Units",
            "#Credited at",
            "#Sold at",
            "#Credited",
            "#Sold again",
            "#Reduction",
        ],
    );
    for pair in &drill.lines {
        let code = report.book.codes.text(pair.credited.code);
        let again = pair.again.map_or_else(
            || "not sold again".to_owned(),
            |row| format!("`{}`", report.book.codes.text(row.code)),
        );
        let price = |price: i64| pounds(price.into());
        let cells = [
            format!("`{code}` {}", report.product(pair.credited.code)),
            again,
            count((-pair.credited.quantity).into()),
            price(pair.credited.price),
            pair.again.map_or(String::new(), |row| price(row.price)),
            pounds(-pair.credited.value()),
            pair.again.map_or(String::new(), |row| pounds(row.value())),
            pair.again.map_or(String::new(), |row| pounds(-pair.credited.value() - row.value())),
        ];
        table.toned(if pair.is_other_code() { Tone::Warn } else { Tone::Plain }, cells);
    }
    let empty = String::new;
    table.total([
        "Total".to_owned(),
        empty(),
        empty(),
        empty(),
        empty(),
        pounds(drill.credited()),
        pounds(drill.rebilled()),
        pounds(reduction),
    ]);
    body.table(&table);
    for pair in drill.lines.iter().filter(|pair| pair.is_other_code()) {
        let Some(again) = pair.again else { continue };
        body.callout(
            Tone::Warn,
            "One code is wrong by one sign",
            &format!(
                "`{}` was credited and `{}` ({}) sold, the same {} units. A rule by code cannot see that the two belong together, so £{} of this note stays in the explained rate.",
                report.book.codes.text(pair.credited.code),
                report.book.codes.text(again.code),
                report.product(again.code),
                count(again.quantity.into()),
                pounds(-pair.credited.value()),
            ),
        );
    }
    if let Some(text) = report.notes_on(number(drill.note)).first() {
        body.callout(
            Tone::Note,
            "Somebody noticed",
            &format!("A stock note of the same file says: \u{201c}{text}\u{201d}."),
        );
    }
}
