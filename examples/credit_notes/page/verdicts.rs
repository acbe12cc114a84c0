//! Verdicts: how many of each, and one of each in full.

use aftersale::explain::Effect;
use aftersale::label::{Coded, Language};

use crate::engine::verdicts::{Outcome, Sample};
use crate::matching::age;
use crate::report::{Report, pounds};
use crate::support::body::{Body, Decision, Finding, Table, Tone};
use crate::support::charts::bars::Bars;
use crate::support::charts::lines::Steps;
use crate::support::text::{Format, count, percent};
use crate::terminal::case;

/// The section.
pub fn fill(body: &mut Body, report: &Report<'_>) {
    let verdicts = &report.verdicts;
    let days = report.arguments.policy_days;
    body.text(&format!(
        "Each credit line of goods is asked for as if on the day of its note: may it come back under a voluntary policy of **{days} calendar days** from the invoice? The policy is data, checked before use; every rule says what it saw and what it wanted."
    ));
    let lines: i128 = verdicts.outcomes.values().map(|sum| sum.lines).sum();
    let row = |(outcome, sum): (&Outcome, &crate::figures::Sum)| {
        (outcome.name().to_owned(), sum.lines as f64, percent(sum.lines, lines, 1))
    };
    let bars = Bars {
        title: "Credit lines of goods by verdict".into(),
        rows: verdicts.outcomes.iter().map(row).collect(),
        format: Format::Count,
    };
    let all: i128 = report.figures.age_days.values().sum();
    let mut so_far = 0;
    let mut curve = vec![(0.0, 0.0)];
    for (day, lines) in &report.figures.age_days {
        so_far += lines;
        curve.push((*day as f64, so_far as f64 / all.max(1) as f64));
    }
    let curve = Steps {
        title: "How soon explained credits come, of those with a sale".into(),
        curves: vec![("credited by then".into(), curve)],
        marks: vec![(f64::from(days), format!("{days} days"))],
        x_format: Format::Plain(0, "d"),
        y_format: Format::Percent(0),
    };
    body.figures(&[
        (&bars, "All credit lines of goods, entries reversed within the hour among them."),
        (&curve, "Days from the newest matched sale to the credit note. Long ages are cut short by the end of the data."),
    ]);
    let mut table = Table::new(
        "Verdicts with their money",
        &["Verdict", "#Lines", "#Share", "#Money", "#Explained lines", "#Explained money"],
    );
    for (outcome, sum) in &verdicts.outcomes {
        let explained = verdicts.explained.get(outcome).copied().unwrap_or_default();
        table.toned(
            tone(*outcome),
            [
                outcome.name().to_owned(),
                count(sum.lines),
                percent(sum.lines, lines, 1),
                pounds(sum.value),
                count(explained.lines),
                pounds(explained.value),
            ],
        );
    }
    body.table(&table);
    body.heading("One of each, decided in full");
    body.small("The largest line of each verdict that is no reversed entry.");
    for (place, sample) in verdicts.samples.iter().enumerate() {
        body.decision(&decision(report, sample, place == 1));
    }
    settled(body, report);
}

/// What the cases come to, beside what the seller credited.
fn settled(body: &mut Body, report: &Report<'_>) {
    let cases = &report.cases;
    body.heading("Settled by what was paid, beside what was credited");
    body.text("Each matched credit is a case on the order it corrects: opened, judged, settled from the amounts frozen at the sale, paid and closed. One order holds all its cases, so nothing is refunded twice.");
    let mut table =
        Table::new("Cases", &["Fate", "#Cases", "#Seller credited", "#Due by what was paid"]);
    report.fates().for_each(|fate| {
        table.row(fate);
    });
    body.table(&table);
    body.small(&report.replayed());
    if let Some(sample) = &cases.sample {
        let credit = &report.matched.credits[sample.credit];
        body.callout(
            Tone::Warn,
            "The credit note that differs most from what was charged",
            &format!(
                "{}. For {} units of order {} the note gives £{}; the invoice charged £{}.",
                case(report, sample.credit),
                count(sample.units.into()),
                sample.order,
                pounds(sample.credited),
                pounds(sample.refunded),
            ),
        );
        body.decision(&Decision {
            tone: Tone::Note,
            verdict: "Settlement".into(),
            case: format!("how £{} comes about", pounds(sample.refunded)),
            facts: vec![
                ("Order".to_owned(), sample.order.clone()),
                ("Units".to_owned(), count(sample.units.into())),
                ("Credited per unit".to_owned(), pounds(report.book.rows[credit.row].price.into())),
            ],
            findings: sample.findings.iter().map(|found| finding(&("", found.clone()))).collect(),
            open: false,
        });
    }
}

const fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::InWindow => Tone::Good,
        Outcome::Late => Tone::Bad,
        Outcome::NoProof | Outcome::PossibleDuplicate | Outcome::Undecided => Tone::Warn,
        Outcome::PriceCorrection => Tone::Note,
    }
}

fn decision(report: &Report<'_>, sample: &Sample, open: bool) -> Decision {
    let credit = &report.matched.credits[sample.credit];
    let row = &report.book.rows[credit.row];
    let mut facts = vec![
        ("Credit note".to_owned(), report.book.invoices.text(row.invoice).to_owned()),
        ("Asked".to_owned(), row.time().format("%Y-%m-%d %H:%M").to_string()),
        ("Country".to_owned(), report.book.countries.text(row.country).to_owned()),
    ];
    let newest =
        credit.used.iter().map(|used| &report.book.rows[used.row]).max_by_key(|sale| sale.at);
    facts.push(match newest {
        Some(sale) => (
            "Newest matched sale".to_owned(),
            format!(
                "{} of {}",
                report.book.invoices.text(sale.invoice),
                sale.time().format("%Y-%m-%d")
            ),
        ),
        None => ("Newest matched sale".to_owned(), "none".to_owned()),
    });
    if let Some(age) = age(report.book, credit) {
        let age = if age < 2 * 86_400 {
            format!("{} hours", age / 3600)
        } else {
            format!("{} days", age / 86_400)
        };
        facts.push(("Age".to_owned(), age));
    }
    if let Some(again) = credit.sold_again.first().map(|place| &report.book.rows[*place]) {
        facts.push((
            "Sold again".to_owned(),
            format!(
                "{} at {}",
                report.book.invoices.text(again.invoice),
                pounds(again.price.into())
            ),
        ));
    }
    Decision {
        tone: tone(sample.outcome),
        verdict: sample.outcome.name().into(),
        case: case(report, sample.credit),
        facts,
        findings: sample.findings.iter().map(finding).collect(),
        open,
    }
}

fn finding((fate, finding): &(&'static str, aftersale::explain::Finding)) -> Finding {
    let tone = match finding.effect {
        Effect::Permits => Tone::Good,
        Effect::Denies => Tone::Bad,
        Effect::Requires | Effect::Warns | Effect::Reduces => Tone::Warn,
        Effect::Raises | Effect::Sets | Effect::Passes => Tone::Plain,
    };
    let text = |fact: &Option<aftersale::explain::Fact>| {
        fact.as_ref().map_or_else(String::new, ToString::to_string)
    };
    let about =
        finding.subject.as_ref().map_or_else(String::new, |subject| format!(" · {subject}"));
    let source = finding.rule.source.as_ref();
    Finding {
        tone,
        effect: finding.effect.label(Language::English).into(),
        rule: format!("`{}`{about}", finding.rule.id),
        observed: text(&finding.observed),
        required: text(&finding.required),
        source: source.map_or_else(String::new, |source| {
            format!("{source}, version {}: the right is {fate}", finding.rule.version)
        }),
    }
}
