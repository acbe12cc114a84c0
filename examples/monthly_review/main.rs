//! The monthly review of a returns team, from real invoices, tickets and reviews.
//!
//! Run with `cargo run --release --example monthly_review` (Chinese: add `-- zh`). It prints the review
//! and writes `target/monthly_review.html` (one file, no script) and, for portals, every chart as an
//! ECharts option in `target/monthly_review/`.
mod actions;
mod document;
mod draw;
mod invoices;
mod lots;
mod review;
mod reviews;
#[path = "../support/mod.rs"]
mod support;
mod tickets;

use std::error::Error;
use std::io::Write;
use std::path::Path;

use aftersale::chart::echarts;
use aftersale::label::{Coded, Language};

fn main() -> Result<(), Box<dyn Error>> {
    let chinese = std::env::args().skip(1).any(|argument| argument == "zh");
    let language = if chinese { Language::Chinese } else { Language::English };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = |file: &str| root.join("examples/data").join(file).display().to_string();
    let start = std::time::Instant::now();
    let shop = invoices::read(&data("online-retail/online_retail.csv.gz"))?;
    let tickets = tickets::read(&data("incident-sla/incident_events.csv.gz"))?;
    let clothing = reviews::clothing(&data("clothing-reviews/reviews.csv.gz"))?;
    let chinese_notes = reviews::chinese(&data("asap-zh/reviews.csv"))?;
    let read = start.elapsed().as_secs_f64();
    let sources = review::Sources {
        shop: &shop,
        tickets: &tickets,
        clothing: &clothing,
        chinese: &chinese_notes,
    };
    let document = review::document(&sources, language)?;

    let target = root.join("target");
    let charts = target.join("monthly_review");
    std::fs::create_dir_all(&charts)?;
    let page = target.join("monthly_review.html");
    std::fs::write(&page, document.page())?;
    for (number, chart) in document.charts().enumerate() {
        let name = format!("{:02}_{}.json", number + 1, chart.kind.code());
        std::fs::write(charts.join(name), serde_json::to_string(&echarts::option(chart))?)?;
    }
    std::io::stdout().write_all(document.terminal().as_bytes())?;
    // Times differ from run to run; the review must not.
    let whole = start.elapsed().as_secs_f64();
    eprintln!(
        "\n  {} written; {read:.2} s to read, {:.2} s to judge",
        page.display(),
        whole - read
    );
    Ok(())
}
