//! Reading free text in Chinese and English: which reasons it speaks for, and with which words.
//!
//! In: the text of a customer or an agent, a taxonomy, the industry, words of the host. Out: a
//! [`Classification`]: several reasons, each with the matched words as byte ranges of the text and a
//! score of whole numbers, and what was matched but dismissed, with why.
//!
//! How it reads: the text is [folded](fold); all words of the dictionaries are found in one pass;
//! longer words win over shorter ones at the same place; host words win over industry words, and
//! these over core words. Then words of denial (`not itchy`, `没有异味`) and of mere possibility
//! (`if it fades`, `怕褪色`) dismiss a match that they reach inside one clause; two denials cancel out.
//!
//! Always true:
//! 1. The same text and dictionaries give the same result, in the same order.
//! 2. Every matched range lies on character boundaries of the text.
//! 3. No text is refused for what it says, only for being longer than [`MAX_TEXT_BYTES`].

mod compile;
pub mod fold;
pub mod pattern;
mod scan;
pub mod wording;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use aho_corasick::AhoCorasick;
use serde::{Deserialize, Serialize};

use self::compile::{LiteralUse, Rule};
use self::pattern::PatternError;
use super::ReasonCode;
use super::defaults::Industry;
use super::taxonomy::{Aliases, Taxonomy};
use crate::label::codes;

/// The longest text that is read, in bytes.
pub const MAX_TEXT_BYTES: usize = 16_000;

/// The words a classifier looks for beside the core words of the taxonomy.
#[derive(Clone, Copy, Debug)]
pub struct Dictionaries<'a> {
    /// The industry, with its own words, pack reasons and muted words.
    pub industry: Industry<'a>,
    /// Words of the host, which win over all others.
    pub host: &'a BTreeMap<ReasonCode, Aliases>,
}

/// Why a classifier cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifierError {
    /// The host has words for a reason that the taxonomy lacks or has retired.
    #[error("reason {code} is not in use in the taxonomy")]
    UnknownReason {
        /// The reason.
        code: ReasonCode,
    },
    /// A word of the host cannot be used.
    #[error("{code}: {fault}")]
    BadPattern {
        /// The reason.
        code: ReasonCode,
        /// Why.
        fault: PatternError,
    },
    /// One word of the host for two reasons.
    #[error("`{pattern}` speaks for {first} and for {second}")]
    Ambiguous {
        /// The word.
        pattern: String,
        /// The first reason.
        first: ReasonCode,
        /// The second reason.
        second: ReasonCode,
    },
    /// One word takes part in too many patterns to be told apart in bounded time.
    #[error("`{literal}` takes part in {found} patterns, at most {max} are allowed", max = Self::MAX_SHARED)]
    TooShared {
        /// The word.
        literal: String,
        /// How many patterns it takes part in.
        found: usize,
    },
    /// The words of all dictionaries together are too many to be searched for at once.
    #[error("there are {found} words and phrases, at most {max} are allowed", max = Taxonomy::MAX_ALIASES)]
    TooMany {
        /// How many there are.
        found: usize,
    },
}

impl ClassifierError {
    /// The most patterns that one word may take part in.
    pub const MAX_SHARED: usize = 256;
}

/// A text that is too long to be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text has {bytes} bytes, at most {MAX_TEXT_BYTES} are read")]
pub struct TextTooLong {
    /// The length found.
    pub bytes: usize,
}

codes! {
    /// Why matched words do not count.
    pub enum Dismissal "dismissal" {
        /// They are denied: `not itchy`, `没有异味`.
        Denied = "denied", "Denied", "被否定";
        /// They are only a possibility: `if it fades`, `怕褪色`.
        Possible = "possible", "Only possible", "仅为假设";
    }
}

/// Words of the text that speak for a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matched {
    /// The pattern of the dictionary, folded.
    pub pattern: String,
    /// Where the words stand in the text, as byte ranges in order; one for each part of the pattern.
    pub spans: Vec<Range<usize>>,
    /// What the words add to the score.
    pub weight: u32,
}

/// A reason that the text speaks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// The reason.
    pub code: ReasonCode,
    /// The sum of the weights, each pattern counted once. Higher is surer.
    pub score: u32,
    /// The words, in the order of the text.
    pub matches: Vec<Matched>,
}

/// Words that would speak for a reason, and why they do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dismissed {
    /// The reason.
    pub code: ReasonCode,
    /// The words.
    pub matched: Matched,
    /// Why they do not count.
    pub why: Dismissal,
}

/// What a text says about reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// The reasons: highest score first, then the one named first in the text, then by code.
    pub tags: Vec<Tag>,
    /// Matches that do not count, in the order of the text.
    pub dismissed: Vec<Dismissed>,
}

impl Classification {
    /// The tag of a reason.
    #[must_use]
    pub fn tag(&self, code: &ReasonCode) -> Option<&Tag> {
        self.tags.iter().find(|tag| tag.code == *code)
    }
}

/// A reader of texts, made once for a taxonomy, an industry and a host, and used for many texts.
///
/// ```
/// use std::collections::BTreeMap;
/// use aftersale::preset::reasons::TAXONOMY;
/// use aftersale::reason::defaults::Industry;
/// use aftersale::reason::taxonomy::Taxonomy;
/// use aftersale::reason::text::{Classifier, Dictionaries};
///
/// let taxonomy: Taxonomy = serde_json::from_str(TAXONOMY)?;
/// let apparel = taxonomy.packs().iter().find(|p| p.code.as_str() == "apparel").ok_or("no pack")?;
/// let words = Dictionaries { industry: Industry::Pack(apparel), host: &BTreeMap::new() };
/// let classifier = Classifier::new(&taxonomy, words)?;
///
/// let jacket = "Not itchy at all, but the zipper broke and it runs small.";
/// let read = classifier.classify(jacket)?;
/// let tags: Vec<&str> = read.tags.iter().map(|tag| tag.code.as_str()).collect();
/// assert_eq!(tags, ["QLT.WORKMANSHIP", "FIT.TOO_SMALL"]);
/// let words: Vec<&str> = read.tags[0].matches[0].spans.iter().map(|s| &jacket[s.clone()]).collect();
/// assert_eq!(words, ["zipper", "broke"]);
/// assert_eq!(read.dismissed[0].code.as_str(), "FIT.COMFORT");
///
/// let read = classifier.classify("没有异味，就是尺码偏小，还掉色")?;
/// let tags: Vec<&str> = read.tags.iter().map(|tag| tag.code.as_str()).collect();
/// assert_eq!(tags, ["FIT.TOO_SMALL", "QLT.COLORFAST"]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Classifier {
    automaton: AhoCorasick,
    literals: Vec<LiteralUse>,
    rules: Vec<Rule>,
}

impl Classifier {
    /// Brings the dictionaries together.
    ///
    /// # Errors
    ///
    /// [`ClassifierError`] when a word of the host cannot be used.
    pub fn new(taxonomy: &Taxonomy, words: Dictionaries<'_>) -> Result<Self, ClassifierError> {
        compile::compile(taxonomy, words)
    }

    /// Reads one text.
    ///
    /// # Errors
    ///
    /// [`TextTooLong`].
    pub fn classify(&self, text: &str) -> Result<Classification, TextTooLong> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(TextTooLong { bytes: text.len() });
        }
        Ok(scan::read(self, text))
    }
}
