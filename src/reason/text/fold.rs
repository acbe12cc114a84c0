//! Folding: what two spellings of one text have in common.
//!
//! Full-width letters, digits and punctuation become ASCII, letters become lower case, typographic
//! apostrophes become plain, and white space becomes one space. Every folded byte knows the byte of
//! the text that it stands for, so that a match can be shown in the customer's own words.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// A text with its folded form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    text: String,
    /// For every folded byte, and for the end, the byte of the original it comes from.
    origin: Vec<u32>,
}

impl Folded {
    /// Folds a text of less than four gigabytes; what lies beyond is not read.
    #[must_use]
    pub fn new(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut origin = Vec::with_capacity(original.len().saturating_add(1));
        let mut space = true;
        for (position, c) in original.char_indices() {
            let Ok(at) = u32::try_from(position) else { break };
            let c = plain(c);
            if c.is_whitespace() && c != '\n' {
                if !space {
                    text.push(' ');
                    origin.push(at);
                }
                space = true;
                continue;
            }
            space = c == '\n';
            for lower in c.to_lowercase() {
                text.push(lower);
                origin.extend(core::iter::repeat_n(at, lower.len_utf8()));
            }
        }
        origin.push(u32::try_from(original.len()).unwrap_or(u32::MAX));
        Self { text, origin }
    }

    /// The folded text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes of the original behind a range of the folded text.
    #[must_use]
    pub fn original(&self, folded: &Range<usize>) -> Range<usize> {
        let at = |position: usize| {
            let last = self.origin.last().copied().unwrap_or(0);
            usize::try_from(self.origin.get(position).copied().unwrap_or(last)).unwrap_or(0)
        };
        let start = at(folded.start);
        start..at(folded.end).max(start)
    }
}

/// The ASCII twin of a full-width or typographic character.
fn plain(c: char) -> char {
    match c {
        '\u{3000}' | '\u{a0}' => ' ',
        '\u{2018}' | '\u{2019}' | '\u{2bc}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c)
        }
        c => c,
    }
}

/// Folds a text for comparison only.
#[must_use]
pub fn fold(text: &str) -> String {
    Folded::new(text).text.trim_end().into()
}

/// Whether a character is written without spaces between words: Han, kana.
#[must_use]
pub const fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether a character is part of a word that has spaces around it.
#[must_use]
pub fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric() && !is_ideograph(c))
}
