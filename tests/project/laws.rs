//! Every law in `docs/laws.md` has its test, and every test of a law names a known law.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::architecture::sources;

/// `ARC-1`: capital letters, a dash, a number.
fn law_id(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_uppercase() || c == '-' || c.is_ascii_digit()))?;
    let (id, rest) = text.split_at(end);
    let (area, number) = id.split_once('-')?;
    let named = area.len() >= 3 && area.bytes().all(|b| b.is_ascii_uppercase());
    let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    (named && numbered && !rest.is_empty()).then_some(id)
}

/// Laws of the page: `- **ARC-1** Sentence. (`tests/project/architecture.rs::test_name`)`, on one or more lines.
fn laws(page: &str) -> BTreeMap<String, Vec<String>> {
    let mut laws: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let joined = page.replace("\n  ", " ");
    for line in joined.lines() {
        let Some(rest) = line.strip_prefix("- **") else { continue };
        let id = law_id(rest).unwrap_or_else(|| panic!("no law id in: {line}"));
        let tests: Vec<String> = rest
            .split('`')
            .filter(|part| part.starts_with("tests/") && part.contains("::"))
            .map(str::to_owned)
            .collect();
        assert!(!tests.is_empty(), "law {id} names no test");
        assert!(laws.insert(id.to_owned(), tests).is_none(), "law {id} is listed twice");
    }
    laws
}

/// Tests whose doc comment starts a line with a law id: (id, `tests/area/file.rs::name`).
fn tests_of_laws(file: &str, text: &str) -> Vec<(String, String)> {
    let mut pending: Vec<String> = Vec::new();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("/// ") {
            pending.extend(law_id(doc).map(str::to_owned));
        } else if let Some(rest) = line.strip_prefix("fn ") {
            let name: String =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.extend(pending.drain(..).map(|id| (id, format!("tests/{file}::{name}"))));
        } else if !line.starts_with("#[") {
            pending.clear();
        }
    }
    found
}

/// ARC-2: every law has a test that names it, and every test of a law names a known law.
#[test]
fn laws_and_tests_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let laws = laws(&fs::read_to_string(root.join("docs/laws.md")).unwrap());
    let mut proven = Vec::new();
    let mut files = Vec::new();
    sources(&root.join("tests"), &mut files);
    for path in files {
        let file = path.strip_prefix(root.join("tests")).unwrap().to_str().unwrap();
        let file = file.replace('\\', "/");
        proven.extend(tests_of_laws(&file, &fs::read_to_string(&path).unwrap()));
    }
    let mut faults = Vec::new();
    for (id, tests) in &laws {
        for test in tests {
            if !proven.iter().any(|(law, name)| law == id && name == test) {
                faults.push(format!("law {id}: no test {test} with a doc line starting {id}"));
            }
        }
    }
    for (id, name) in &proven {
        if !laws.get(id).is_some_and(|tests| tests.contains(name)) {
            faults.push(format!("test {name} names law {id}, which docs/laws.md does not give it"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_law_without_a_test_is_found() {
    let page = "- **ARC-1** Layers hold. (`tests/project/architecture.rs::layers_hold`)\n";
    assert_eq!(laws(page)["ARC-1"], ["tests/project/architecture.rs::layers_hold"]);
    let code = "/// ARC-1: layers hold.\n#[test]\nfn layers_hold() {}\n/// ARC-2 is old.\nlet x = 1;\nfn other() {}";
    assert_eq!(
        tests_of_laws("project/architecture.rs", code),
        [("ARC-1".to_owned(), "tests/project/architecture.rs::layers_hold".to_owned())]
    );
}
