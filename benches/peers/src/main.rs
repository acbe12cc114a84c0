//! Ours and every peer on the same work in one process. `cargo run --release -- sla`.

mod sla;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("sla") => sla::run(),
        _ => eprintln!("usage: aftersale-peers sla"),
    }
}
