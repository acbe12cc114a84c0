//! The stock notes read for reasons, by the warehouse's own words and nothing else.

use std::collections::BTreeMap;
use std::error::Error;

use aftersale::reason::defaults::Industry;
use aftersale::reason::taxonomy::Taxonomy;
use aftersale::reason::text::{Classifier, Dictionaries};

use crate::notes::Note;

/// The warehouse's reasons and words as data: the shipped taxonomy is about returns, not shelves.
const WORDS: &str = include_str!("../stock_reasons.json");

/// What the notes say.
#[derive(Debug, Default)]
pub struct Reasons {
    /// Notes read.
    pub notes: usize,
    /// Notes with at least one reason.
    pub read: usize,
    /// Name of the reason, notes, units moved, and the texts with how often each stands; most
    /// notes first.
    pub found: Vec<Found>,
    /// Texts without a reason and how often each stands, most frequent first.
    pub silent: Vec<(String, usize)>,
}

/// One reason.
#[derive(Debug, Default)]
pub struct Found {
    /// Its stable code.
    pub code: String,
    /// Its English name.
    pub name: String,
    /// Notes that speak for it; a note may speak for several.
    pub notes: usize,
    /// Units written off by these notes.
    pub written_off: i64,
    /// The texts, most frequent first.
    pub texts: Vec<(String, usize)>,
}

/// Reads the notes.
///
/// # Errors
///
/// When a note is longer than the engine reads.
pub fn reasons(notes: &[Note]) -> Result<Reasons, Box<dyn Error>> {
    let taxonomy: Taxonomy = serde_json::from_str(WORDS)?;
    let classifier = Classifier::new(
        &taxonomy,
        Dictionaries { industry: Industry::Any, host: &BTreeMap::new() },
    )?;
    let mut all = Reasons { notes: notes.len(), ..Reasons::default() };
    let mut found: BTreeMap<String, (Found, BTreeMap<String, usize>)> = BTreeMap::new();
    let mut silent: BTreeMap<String, usize> = BTreeMap::new();
    for note in notes {
        let text = note.text.to_lowercase();
        let tags = classifier.classify(&note.text)?.tags;
        if tags.is_empty() {
            *silent.entry(text).or_default() += 1;
            continue;
        }
        all.read += 1;
        for tag in tags {
            let code = tag.code.to_string();
            let (reason, texts) = found.entry(code.clone()).or_default();
            if let Some(known) = taxonomy.reason(&tag.code) {
                reason.name.clone_from(&known.label.en);
            }
            reason.code = code;
            reason.notes += 1;
            reason.written_off += (-note.quantity).max(0);
            *texts.entry(text.clone()).or_default() += 1;
        }
    }
    all.found = found
        .into_values()
        .map(|(reason, texts)| Found { texts: ranked(texts), ..reason })
        .collect();
    all.found.sort_by(|a, b| b.notes.cmp(&a.notes).then_with(|| a.code.cmp(&b.code)));
    all.silent = ranked(silent);
    Ok(all)
}

fn ranked(texts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut texts: Vec<_> = texts.into_iter().collect();
    texts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    texts
}
