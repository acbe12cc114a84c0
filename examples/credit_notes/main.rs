//! Credit notes explained: what 13 months of real invoices say about returns, and what they cannot.
//!
//! The host side reads the file, matches credits with sales and adds up (`read`, `matching`,
//! `figures`, `drill`, `notes`); everything that is a judgment is asked of the engine (`engine`).
//! `terminal` and `page` show the result. `--help` lists the choices.
mod arguments;
mod drill;
mod engine;
mod figures;
mod matching;
mod notes;
mod page;
mod read;
mod report;
#[path = "../support/mod.rs"]
mod support;
mod terminal;

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use arguments::{Arguments, HELP};
use report::Report;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(arguments) = Arguments::parse(std::env::args().skip(1))? else {
        print!("{HELP}");
        return Ok(());
    };
    let start = Instant::now();
    let book = read::read(&arguments.data, arguments.rules.duplicates)?;
    let report = Report::new(&book, &arguments)?;
    let text = terminal::render(&report);
    let page = page::render(&report);
    if let Some(folder) = arguments.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&arguments.out, page)?;
    std::io::stdout().write_all(text.as_bytes())?;
    let seconds = start.elapsed().as_secs_f64();
    let speed = book.rows.len() as f64 / seconds;
    // The time taken differs from run to run; the report must not.
    eprintln!(
        "\n  {} written; {seconds:.2} s, {speed:.0} lines per second",
        arguments.out.display()
    );
    Ok(())
}
