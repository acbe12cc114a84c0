//! The layers that `src/lib.rs` declares are the only allowed import directions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module name to layer number, read from the blank lines in `src/lib.rs`.
fn layers(lib: &str) -> BTreeMap<String, usize> {
    let mut layer = 0;
    let mut layers = BTreeMap::new();
    for line in lib.lines() {
        if line.trim().is_empty() {
            layer += 1;
        } else if let Some(name) = line.strip_prefix("pub mod ") {
            layers.insert(name.trim_end_matches(';').to_owned(), layer);
        }
    }
    layers
}

/// Every Rust file below a folder.
pub fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The crate modules a source file names in code, outside comments and doc text.
fn uses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for part in line.split("crate::").skip(1) {
            if let Some(group) = part.strip_prefix('{') {
                let names = group.split('}').next().unwrap_or(group);
                found.extend(names.split(',').map(|name| name.trim().to_owned()));
            }
            let name: String =
                part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push(name);
        }
    }
    found
}

fn forbidden(lib: &str, files: &[(String, String)]) -> Vec<String> {
    let layers = layers(lib);
    let mut edges = Vec::new();
    for (module, text) in files {
        let Some(own) = layers.get(module) else {
            edges.push(format!("{module} is not declared in src/lib.rs"));
            continue;
        };
        for used in uses(text) {
            let allowed = used == *module || layers.get(&used).is_none_or(|layer| layer < own);
            if !allowed {
                edges.push(format!("{module} uses {used}, which is not in an earlier layer"));
            }
        }
    }
    edges
}

/// ARC-1: a module uses modules of earlier layers only, never a sibling.
#[test]
fn modules_use_earlier_layers_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
    let mut paths = Vec::new();
    sources(&source, &mut paths);
    let files: Vec<(String, String)> = paths
        .iter()
        .filter(|path| !path.ends_with("lib.rs"))
        .map(|path| {
            let below = path.strip_prefix(&source).unwrap();
            let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
            (first.trim_end_matches(".rs").to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(files.len() > 5, "the sources were not found");
    let edges = forbidden(&lib, &files);
    assert!(edges.is_empty(), "{}", edges.join("\n"));
}

#[test]
fn a_use_of_a_sibling_is_found() {
    let lib = "pub mod id;\n\npub mod money;\npub mod quantity;\n";
    let file = |text: &str| vec![("money".to_owned(), text.to_owned())];
    assert!(forbidden(lib, &file("use crate::id::Sku;")).is_empty());
    assert_eq!(forbidden(lib, &file("use crate::quantity::Unit;")).len(), 1);
    assert_eq!(forbidden(lib, &file("fn f() -> crate::quantity::Unit {}")).len(), 1);
    assert_eq!(forbidden(lib, &file("use crate::{id, quantity};")).len(), 1);
}
