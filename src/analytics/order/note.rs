//! What people wrote about the lines of an order's cases, for [`words`](crate::analytics::words).

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::analytics::tally::Facets;
use crate::case::state::CaseLine;
use crate::reason::history::Source;

/// Words about one line of a case, with where they count.
///
/// They are a person's own words: keep them under the rules of the case they come from, and no
/// longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The codes of the line's [`ReturnRow`](crate::analytics::tally::ReturnRow): its month,
    /// category, reason and so on.
    pub facets: Facets,
    /// Who said it.
    pub source: Source,
    /// The words, unchanged.
    pub text: String,
}

/// The words of a line. Codes of outside lists are no words, and words repeated by the same source
/// are one note.
pub(super) fn of_line(line: &CaseLine, facets: &Facets) -> Vec<Note> {
    let mut seen = BTreeSet::new();
    let mut notes = Vec::new();
    for assertion in line.reasons.assertions() {
        let words = assertion.original.as_ref().filter(|original| original.list.is_none());
        let Some(original) = words.filter(|original| !original.text.trim().is_empty()) else {
            continue;
        };
        if seen.insert((assertion.source, original.text.as_str())) {
            let (source, text) = (assertion.source, original.text.clone());
            notes.push(Note { facets: facets.clone(), source, text });
        }
    }
    notes
}
