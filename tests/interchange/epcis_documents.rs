//! EPCIS documents of public repositories, and what an import says of them.
#![allow(dead_code, reason = "every user of this module needs a part of it")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use aftersale::interchange::epcis::Import;
use aftersale::lineage::event::{Entry, Line};

pub fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/epcis")
}

pub fn text(name: &str) -> String {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.to_str().unwrap().contains(name)).unwrap();
    fs::read_to_string(file).unwrap()
}

pub fn import(name: &str) -> Import {
    let import: Import = serde_json::from_str(&text(name)).unwrap();
    assert_eq!(import.faults, [], "{name}");
    import
}

pub fn links(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

/// Every input to every output.
pub fn product(inputs: &[&str], outputs: &[&str]) -> BTreeSet<(String, String)> {
    let pairs = inputs.iter().flat_map(|i| outputs.iter().map(move |o| (*i, *o)));
    links(&pairs.collect::<Vec<_>>())
}

pub fn found(import: &Import) -> BTreeSet<(String, String)> {
    let links = import.transformation_links();
    links.map(|(from, to)| (from.to_string(), to.to_string())).collect()
}

/// What moved where: event kind, inputs, outputs, customer.
pub type Move = (String, Vec<String>, Vec<String>, Option<String>);

pub fn moves(import: &Import) -> Vec<Move> {
    let (entries, faults) = import.movements("doc");
    assert_eq!(faults, []);
    let names = |lines: &[Line]| -> Vec<String> {
        lines.iter().map(|line| line.item.to_string()).collect()
    };
    let named = |entry: &Entry| match entry {
        Entry::Event(event) => {
            let parts = event.parts();
            let customer = parts.facts.customer.as_ref().map(ToString::to_string);
            Some((parts.kind.to_string(), names(&parts.inputs), names(&parts.outputs), customer))
        }
        Entry::Void(_) => None,
    };
    entries.iter().filter_map(named).collect()
}
