//! Where the explained credits are: products, countries, and the few words about why.

use crate::matching::Kind;
use crate::read::month_name;
use crate::report::{Report, pounds};
use crate::support::body::{Body, Table, Tone};
use crate::support::charts::bars::{Bars, Pareto};
use crate::support::charts::heat::Heat;
use crate::support::text::{Format, count, percent};

/// What there is to learn.
pub fn heading(report: &Report<'_>) -> String {
    let explained = report.figures.all.kind(Kind::Explained).value;
    let products = &report.figures.products;
    let half = products.iter().scan(0, |sum, (_, part)| {
        *sum += part.value;
        Some(*sum)
    });
    let needed = half.take_while(|sum| sum * 2 < explained).count() + 1;
    format!(
        "{} of {} products make half of the explained credits",
        count(needed.min(products.len()) as i128),
        count(products.len() as i128)
    )
}

/// The section.
pub fn fill(body: &mut Body, report: &Report<'_>) {
    let whole = report.figures.all.kind(Kind::Explained).value as f64 / 1000.0;
    let top = report.arguments.top;
    let products = Pareto {
        title: format!("Products: the first {top} by explained value"),
        rows: report
            .figures
            .products
            .iter()
            .take(top)
            .map(|(code, sum)| (report.product(*code).to_owned(), sum.value as f64 / 1000.0))
            .collect(),
        whole,
        words: ("value".into(), "running share of the whole".into()),
        format: Format::Money("£", 0),
    };
    body.figure(&products, "Bars: explained credits in pounds. Line: their running share of all explained credits, on the scale above; the mark stands at 80 %.");
    let countries = report.countries();
    let chart = Pareto {
        title: "Countries by explained value".into(),
        rows: countries
            .iter()
            .take(top.min(8))
            .map(|(name, part)| {
                ((*name).to_owned(), part.kind(Kind::Explained).value as f64 / 1000.0)
            })
            .collect(),
        whole,
        words: ("value".into(), "running share of the whole".into()),
        format: Format::Money("£", 0),
    };
    if countries.len() > 1 {
        body.figure(&chart, "By value. The rates of each country stand in the table below.");
    }
    let mut table = Table::new(
        "Countries",
        &["Country", "#Sold", "#Explained", "#Share", "#Of sales", "#Lines back"],
    );
    for (name, part) in countries.iter().take(top) {
        let sum = part.kind(Kind::Explained);
        table.row([
            (*name).to_owned(),
            pounds(part.sold.value),
            pounds(sum.value),
            percent(sum.value, report.figures.all.kind(Kind::Explained).value, 1),
            percent(sum.value, part.sold_after(Kind::Explained), 2),
            percent(sum.lines, part.goods_sold.lines, 2),
        ]);
    }
    body.table(&table);
    heat(body, report);
    alarms(body, report);
    reasons(body, report);
}

fn heat(body: &mut Body, report: &Report<'_>) {
    let months: Vec<i32> = report.figures.months.keys().copied().collect();
    if months.len() < 2 || report.figures.countries.len() < 2 {
        return;
    }
    let mut busy: Vec<_> = report.figures.countries.iter().collect();
    busy.sort_by_key(|(place, part)| (std::cmp::Reverse(part.goods_sold.lines), **place));
    let rows = busy.into_iter().take(10).map(|(place, _)| {
        let cell = |month: &i32| {
            let part = report.figures.country_months.get(&(*place, *month))?;
            let sold = part.goods_sold.lines;
            // A rate of a handful of lines says nothing; the cell stays empty.
            (sold >= 20).then(|| (part.kind(Kind::Explained).lines as f64 / sold as f64).min(1.0))
        };
        (report.book.countries.text(*place).to_owned(), months.iter().map(cell).collect())
    });
    let chart = Heat {
        title: "Lines back for 100 goods lines sold, the ten busiest countries by month".into(),
        columns: months.iter().map(|month| month_name(*month)).collect(),
        rows: rows.collect(),
        format: Format::Percent(1),
    };
    body.figure(&chart, "Gray: fewer than twenty goods lines sold in the month.");
}

fn alarms(body: &mut Body, report: &Report<'_>) {
    let flagged = report.flagged();
    if flagged.is_empty() {
        return;
    }
    body.heading("Alarms, with the numbers behind them");
    let mut table = Table::new(
        "Countries whose month their own past and chance do not explain",
        &[
            "Month",
            "Country",
            "#Lines back",
            "#Of lines sold",
            "#Expected",
            "#Extra, 95 % interval",
            "#q",
        ],
    );
    for (month, alarm) in flagged {
        let extra = alarm.extra;
        let q = if alarm.q < 0.0001 { "< 0.0001".to_owned() } else { format!("{:.4}", alarm.q) };
        table.toned(
            Tone::Bad,
            [
                month_name(month),
                report.book.countries.text(alarm.key).to_owned(),
                count(alarm.seen.part().into()),
                count(alarm.seen.whole().into()),
                format!("{:.1}", alarm.expected),
                format!("{:.1} ({:.0} to {:.0})", extra.value, extra.low, extra.high),
                q,
            ],
        );
    }
    body.table(&table);
    body.small("q is the smallest accepted share of false alarms at which the alarm would still be raised. Prediction from the country's own past months, shrunk toward all countries, with a spread between months estimated from all of them.");
}

/// The stock notes: counts of what somebody typed, and no guess beyond.
fn reasons(body: &mut Body, report: &Report<'_>) {
    let reasons = &report.reasons;
    body.heading("Why: the only words there are");
    body.text(&format!(
        "No credit note says why. But {} movements of stock without a customer carry a note somebody typed. Read with the warehouse's own words, given as data, {} of them hold a reason, and a note may hold several.",
        count(reasons.notes as i128),
        count(reasons.read as i128),
    ));
    let mut rows: Vec<(String, f64, String)> = reasons
        .found
        .iter()
        .map(|found| {
            let units = format!("{} units off", count(found.written_off.into()));
            (found.name.clone(), found.notes as f64, units)
        })
        .collect();
    rows.push((
        "No reason in the words".into(),
        (reasons.notes - reasons.read) as f64,
        String::new(),
    ));
    let bars = Bars { title: "Stock notes by reason".into(), rows, format: Format::Count };
    let most = |texts: &[(String, usize)]| {
        let shown: Vec<String> = texts
            .iter()
            .take(3)
            .map(|(text, times)| format!("\u{201c}{text}\u{201d} {times}"))
            .collect();
        shown.join(", ")
    };
    body.figure(
        &bars,
        &format!(
            "Notes of the whole file, whatever the slice. Without a reason: {}.",
            most(&reasons.silent)
        ),
    );
    body.fold("The words behind each reason", |body| {
        let mut table = Table::new("", &["Reason", "#Notes", "Most frequent words"]);
        for found in &reasons.found {
            table.row([found.name.clone(), count(found.notes as i128), most(&found.texts)]);
        }
        body.table(&table);
    });
}
