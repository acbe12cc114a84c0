//! Ours and every peer on the same work in one process. `cargo run --release -- lineage 100000`.

mod charts;
mod lineage;
mod sla;
mod workflow;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("charts") => return charts::run(),
        Some("lineage") => lineage::run(&arguments[1..]),
        Some("sla") => sla::run(),
        Some("workflow") => workflow::run(),
        _ => eprintln!("usage: aftersale-peers charts | lineage [edges]... | sla | workflow"),
    }
    ExitCode::SUCCESS
}
