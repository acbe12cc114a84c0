//! What customers write: emerging terms, without a word segmenter.
//!
//! In: notes in Chinese or English. Out: terms that a period, a category or a batch uses far more
//! than the rest, with the notes that show them. Han text is cut into overlapping pairs and triples
//! of characters inside runs of Han; other text into lower-case words and pairs of words. A term
//! counts once per note. Negation stays inside the term ("没有声音", "not fit"), so that it is not
//! read as its opposite. Full-width letters are letters of their own: a host that has both brings them
//! to one form first (NFKC).
//!
//! Sources: T. Dunning, Computational Linguistics 19 (1993) 61 (the G2 statistic).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::state::{Measure, Reader, add, write_text, write_unsigned};
use super::{AnalyticsError, math};

/// The longest part of a note that is read, in characters.
pub const NOTE_CHARACTERS: usize = 4_000;
/// The most different terms of one count.
pub const MAX_TERMS: usize = 4_000_000;
/// The longest term, in bytes; longer words are skipped.
pub const TERM_BYTES: usize = 64;

/// English words that say nothing alone. Negations are not among them.
const EMPTY_WORDS: &[&str] = &[
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "because", "been", "before", "being", "but", "by", "can", "could", "did", "do", "does", "for",
    "from", "get", "got", "had", "has", "have", "he", "her", "here", "him", "his", "how", "i",
    "i'd", "i'll", "i'm", "i've", "if", "in", "into", "is", "it", "it's", "its", "just", "me",
    "more", "most", "my", "of", "on", "one", "only", "or", "other", "our", "out", "over", "re",
    "really", "she", "should", "so", "some", "such", "than", "that", "the", "their", "them",
    "then", "there", "these", "they", "this", "those", "to", "too", "up", "us", "very", "was",
    "we", "were", "what", "when", "which", "who", "will", "with", "would", "you", "your",
];

/// Whether a character belongs to Han text (CJK unified ideographs with extensions A to H, and the
/// compatibility block).
#[must_use]
pub const fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// The terms of one note, each once.
///
/// ```
/// use aftersale::analytics::words::terms;
/// let found = terms("充电口松动, broken zipper");
/// assert!(found.contains("充电口") && found.contains("松动"));
/// assert!(found.contains("zipper") && found.contains("broken zipper"));
/// assert!(!found.contains("动b"));
/// ```
#[must_use]
pub fn terms(note: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut han: Vec<char> = Vec::new();
    let mut word = String::new();
    let mut last: Option<String> = None;
    for c in note.chars().take(NOTE_CHARACTERS).chain(core::iter::once('\n')) {
        let c = if c == '\u{2019}' { '\'' } else { c };
        let in_word = (c.is_alphanumeric() && !is_han(c)) || (c == '\'' && !word.is_empty());
        if !is_han(c) && !han.is_empty() {
            for width in [2, 3] {
                found.extend(han.windows(width).map(|gram| gram.iter().collect::<String>()));
            }
            han.clear();
        }
        if in_word {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            let whole = core::mem::take(&mut word);
            last = take_word(whole.trim_end_matches('\''), last.as_deref(), &mut found);
        }
        if is_han(c) {
            han.push(c);
        }
        // A pair of words does not cross punctuation.
        if !matches!(c, ' ' | '-' | '\'') {
            last = None;
        }
    }
    found
}

/// Adds a word and the pair it makes with the one before; the word, for the next pair.
fn take_word(word: &str, last: Option<&str>, found: &mut BTreeSet<String>) -> Option<String> {
    let digits_only = word.bytes().all(|b| b.is_ascii_digit());
    if word.is_empty() || word.len() > TERM_BYTES || digits_only {
        return None;
    }
    let empty = |word: &str| EMPTY_WORDS.binary_search(&word).is_ok();
    if word.chars().count() > 1 && !empty(word) {
        found.insert(word.into());
    }
    let short = |last: &&str| last.len().saturating_add(word.len()) < TERM_BYTES;
    if let Some(last) = last.filter(|last| !empty(word) && !empty(last)).filter(short) {
        found.insert(alloc::format!("{last} {word}"));
    }
    Some(word.into())
}

/// In how many notes each term occurs. Merges exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TermCounts {
    notes: u64,
    counts: BTreeMap<SmolStr, u64>,
}

impl TermCounts {
    /// Counts one note.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooMany`] past [`MAX_TERMS`]; [`TermCounts::forget_rare`] makes room.
    pub fn observe(&mut self, note: &str) -> Result<(), AnalyticsError> {
        self.observe_terms(&terms(note))
    }

    /// Counts one note whose terms are known.
    ///
    /// # Errors
    ///
    /// As [`TermCounts::observe`], and for a term longer than [`TERM_BYTES`]; nothing is counted then.
    pub fn observe_terms(&mut self, terms: &BTreeSet<String>) -> Result<(), AnalyticsError> {
        if terms.iter().any(|term| term.len() > TERM_BYTES) {
            return Err(AnalyticsError::TooMany { name: "the bytes of a term", limit: TERM_BYTES });
        }
        if self.counts.len().saturating_add(terms.len()) > MAX_TERMS {
            return Err(AnalyticsError::TooMany { name: "terms", limit: MAX_TERMS });
        }
        self.notes = add(self.notes, 1, "notes")?;
        for term in terms {
            if let Some(count) = self.counts.get_mut(term.as_str()) {
                *count = add(*count, 1, "notes")?;
            } else {
                self.counts.insert(SmolStr::new(term), 1);
            }
        }
        Ok(())
    }

    /// How many notes.
    #[must_use]
    pub const fn notes(&self) -> u64 {
        self.notes
    }

    /// How many notes have a term.
    #[must_use]
    pub fn count(&self, term: &str) -> u64 {
        self.counts.get(term).copied().unwrap_or(0)
    }

    /// Drops terms seen in fewer notes. Do it at the end: counts forgotten in one shard are missing
    /// after merging.
    pub fn forget_rare(&mut self, notes_min: u64) {
        self.counts.retain(|_, count| *count >= notes_min);
    }
}

impl Measure for TermCounts {
    const KIND: u8 = 9;

    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        self.notes = add(self.notes, other.notes, "notes")?;
        for (term, count) in &other.counts {
            let own = self.counts.entry(term.clone()).or_insert(0);
            *own = add(*own, *count, "notes")?;
        }
        if self.counts.len() > MAX_TERMS {
            return Err(AnalyticsError::TooMany { name: "terms", limit: MAX_TERMS });
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.notes == 0
    }

    fn write(&self, to: &mut Vec<u8>) {
        write_unsigned(to, u128::from(self.notes));
        write_unsigned(to, self.counts.len() as u128);
        for (term, count) in &self.counts {
            write_text(to, term);
            write_unsigned(to, u128::from(*count));
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError> {
        let notes = from.count()?;
        let length = from.count()?;
        if length > MAX_TERMS as u64 {
            return Err(AnalyticsError::TooMany { name: "terms", limit: MAX_TERMS });
        }
        let mut counts: BTreeMap<SmolStr, u64> = BTreeMap::new();
        for _ in 0..length {
            let term = from.text(TERM_BYTES.saturating_mul(2))?;
            if counts.last_key_value().is_some_and(|(last, _)| last.as_str() >= term) {
                return Err(from.damaged("ascending terms"));
            }
            let count = from.count()?;
            if count == 0 || count > notes {
                return Err(from.damaged("a count of notes above zero"));
            }
            counts.insert(SmolStr::new(term), count);
        }
        Ok(Self { notes, counts })
    }
}

/// Dunning's log-likelihood ratio of a two by two table: `a` of `a + b` here, `c` of `c + d` there.
///
/// ```
/// use aftersale::analytics::words::log_likelihood;
/// // "the swiss" in Dunning (1993), table 2.
/// assert!((log_likelihood(110.0, 2442.0, 111.0, 29114.0) - 270.72).abs() < 0.005);
/// ```
#[must_use]
pub fn log_likelihood(a: f64, b: f64, c: f64, d: f64) -> f64 {
    let total = a + b + c + d;
    let part = |seen: f64, row: f64, column: f64| {
        if seen > 0.0 { seen * math::ln(seen * total / (row * column)) } else { 0.0 }
    };
    let parts = part(a, a + b, a + c) + part(b, a + b, b + d);
    2.0 * (parts + part(c, c + d, a + c) + part(d, c + d, b + d)).max(0.0)
}

/// A term that is used far more here than there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergingTerm {
    /// The term.
    pub term: String,
    /// Notes with it here.
    pub here: u64,
    /// Notes with it there.
    pub there: u64,
    /// Dunning's statistic.
    pub g2: f64,
    /// Share of notes here over share of notes there, with half a note added there.
    pub ratio: f64,
}

/// What counts as emerging.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyness {
    /// Fewer notes than this are not enough.
    pub notes_min: u64,
    /// The statistic must be above; 15.13 is the 0.0001 level of one term.
    pub g2_min: f64,
    /// The most terms reported.
    pub terms_max: usize,
}

impl Default for Keyness {
    fn default() -> Self {
        Self { notes_min: 5, g2_min: 15.13, terms_max: 50 }
    }
}

/// The terms of `here` that are over-represented against `there`, by falling statistic, then term.
///
/// A term inside a longer reported one that occurs in as many notes is left out: "充电" and "电口"
/// say nothing beside "充电口".
#[must_use]
pub fn emerging(here: &TermCounts, there: &TermCounts, settings: &Keyness) -> Vec<EmergingTerm> {
    let (n, m) = (here.notes as f64, there.notes as f64);
    let mut found: Vec<EmergingTerm> = here
        .counts
        .iter()
        .filter(|(_, count)| **count >= settings.notes_min)
        .filter_map(|(term, count)| {
            let other = there.count(term);
            let (a, c) = (*count as f64, other as f64);
            if a * m <= c * n {
                return None;
            }
            let g2 = log_likelihood(a, n - a, c, m - c);
            let ratio = (a / n) / ((c + 0.5) / (m + 0.5));
            let term = term.as_str().into();
            (g2 > settings.g2_min).then_some(EmergingTerm {
                term,
                here: *count,
                there: other,
                g2,
                ratio,
            })
        })
        .collect();
    let inside: BTreeSet<(String, u64)> = found
        .iter()
        .flat_map(|longer| parts(&longer.term).into_iter().map(|part| (part, longer.here)))
        .collect();
    found.retain(|term| !inside.contains(&(term.term.clone(), term.here)));
    found.sort_by(|a, b| {
        b.g2.partial_cmp(&a.g2).unwrap_or(Ordering::Equal).then_with(|| a.term.cmp(&b.term))
    });
    found.truncate(settings.terms_max);
    found
}

/// The shorter terms inside a term: of Han text its runs of two characters and more, of other text its
/// words and runs of words.
fn parts(term: &str) -> Vec<String> {
    if term.chars().all(is_han) {
        let han: Vec<char> = term.chars().collect();
        let runs = |width: usize| han.windows(width).map(|run| run.iter().collect());
        return (2..han.len()).flat_map(runs).collect();
    }
    let words: Vec<&str> = term.split(' ').collect();
    (1..words.len()).flat_map(|width| words.windows(width).map(|run| run.join(" "))).collect()
}

/// The first notes that show a term, by their position.
pub fn examples<'a>(
    notes: impl IntoIterator<Item = &'a str>,
    term: &str,
    most: usize,
) -> Vec<(usize, &'a str)> {
    notes
        .into_iter()
        .enumerate()
        .filter(|(_, note)| terms(note).contains(term))
        .take(most)
        .collect()
}
