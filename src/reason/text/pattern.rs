//! Patterns: the words and phrases that speak for a reason.
//!
//! A pattern is a text with three signs:
//!
//! | sign | means | example |
//! | --- | --- | --- |
//! | `*` at the end of a word | the word may go on | `rip*` finds *ripped*, not *trip* |
//! | `~` | the parts stand in this order in one clause, near each other | `zip*~broke` |
//! | `\|` | any of these | `sleeve*\|arm*~too long` |
//!
//! Everything else is found as written, after [folding](super::fold), and only as whole words where
//! words have spaces around them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::fold::{fold, is_ideograph, is_word};
use crate::number::excerpt;

/// The longest pattern, in bytes.
pub const MAX_BYTES: usize = 200;
/// The most parts of a pattern.
pub const MAX_PARTS: usize = 3;
/// The most alternatives of a part.
pub const MAX_ALTERNATIVES: usize = 12;

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Too long.
    #[error("`{text}` has {bytes} bytes, at most {MAX_BYTES} are allowed")]
    TooLong {
        /// The text, shortened.
        text: String,
        /// The length found.
        bytes: usize,
    },
    /// Nothing, or a single letter: it would be found everywhere.
    #[error("`{text}` has a part that is empty or a single letter")]
    TooShort {
        /// The text, shortened.
        text: String,
    },
    /// Too many parts or alternatives.
    #[error(
        "`{text}` has more than {MAX_PARTS} parts or more than {MAX_ALTERNATIVES} alternatives"
    )]
    TooManyParts {
        /// The text, shortened.
        text: String,
    },
    /// A sign where it means nothing.
    #[error("`{text}` has a `*` that does not end a word, or a sign where none is allowed")]
    MisplacedSign {
        /// The text, shortened.
        text: String,
    },
}

/// A checked pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    parts: Vec<Vec<Literal>>,
}

/// Words found as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The folded words.
    pub(super) text: String,
    /// Whether the last word may go on.
    pub(super) goes_on: bool,
}

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    ///
    /// [`PatternError`] says what cannot be used.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_BYTES {
            return Err(PatternError::TooLong { text: excerpt(text), bytes: text.len() });
        }
        let folded = fold(text);
        let many = || PatternError::TooManyParts { text: excerpt(text) };
        let mut parts = Vec::new();
        for part in folded.split('~') {
            let alternatives: Vec<Literal> =
                part.split('|').map(literal).collect::<Result<_, _>>()?;
            if alternatives.len() > MAX_ALTERNATIVES {
                return Err(many());
            }
            parts.push(alternatives);
        }
        if parts.len() > MAX_PARTS {
            return Err(many());
        }
        Ok(Self { text: folded, parts })
    }

    /// Checks words without signs, and folds them.
    ///
    /// # Errors
    ///
    /// [`PatternError`]; also for any sign.
    pub fn parse_literal(text: &str) -> Result<String, PatternError> {
        if text.len() > MAX_BYTES {
            return Err(PatternError::TooLong { text: excerpt(text), bytes: text.len() });
        }
        let folded = fold(text);
        if folded.is_empty() {
            return Err(PatternError::TooShort { text: excerpt(text) });
        }
        if folded.contains(['*', '~', '|']) {
            return Err(PatternError::MisplacedSign { text: excerpt(text) });
        }
        Ok(folded)
    }

    /// The pattern, folded: equal patterns have equal texts.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What no two reasons of one dictionary may share: every alternative of a pattern of one part,
    /// else the whole pattern.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        match self.parts.as_slice() {
            [only] => only.iter().map(Literal::key).collect(),
            _ => alloc::vec![self.text.clone()],
        }
    }

    pub(super) fn parts(&self) -> &[Vec<Literal>] {
        &self.parts
    }

    /// How much the pattern says: the sum over its parts, the first alternative counting, at most
    /// ten. See [`Literal::weight`].
    #[must_use]
    pub fn weight(&self) -> u32 {
        let first = self.parts.iter().filter_map(|part| part.first());
        first.map(Literal::weight).fold(0, u32::saturating_add).clamp(1, MAX_WEIGHT)
    }
}

/// The most that one pattern adds to a score.
pub const MAX_WEIGHT: u32 = 10;

impl Literal {
    /// How much the words say: two for every word, one for every character written without spaces,
    /// at most ten.
    #[must_use]
    pub fn weight(&self) -> u32 {
        let text = &self.text;
        let is_break = |c: char| !is_word(c) && c != '\'';
        let words = text.split(is_break).filter(|word| !word.is_empty()).count();
        let ideographs = text.chars().filter(|&c| is_ideograph(c)).count();
        let total = words.saturating_mul(2).saturating_add(ideographs);
        u32::try_from(total).unwrap_or(MAX_WEIGHT).clamp(1, MAX_WEIGHT)
    }

    pub(super) fn key(&self) -> String {
        let mut key = self.text.clone();
        if self.goes_on {
            key.push('*');
        }
        key
    }
}

fn literal(part: &str) -> Result<Literal, PatternError> {
    let part = part.trim();
    let (text, goes_on) = part.strip_suffix('*').map_or((part, false), |text| (text, true));
    let ends_a_word = text.chars().next_back().is_some_and(is_word);
    if text.contains('*') || (goes_on && !ends_a_word) {
        return Err(PatternError::MisplacedSign { text: excerpt(part) });
    }
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(only), None) if is_ideograph(only) => {}
        (Some(_), Some(_)) => {}
        _ => return Err(PatternError::TooShort { text: excerpt(part) }),
    }
    Ok(Literal { text: text.to_string(), goes_on })
}
