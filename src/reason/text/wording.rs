//! Words of denial, doubt and division: what turns "itchy" into "not itchy".

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// A word of denial and how far it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Negator {
    /// The word, such as `not` or `没有`.
    pub text: String,
    /// How many words (or characters, where words have no spaces) may stand between it and what it
    /// denies.
    pub reach: u8,
}

/// The words of denial, doubt and division of both languages.
///
/// A longer word wins over a shorter one at the same place, so that an exception such as `不错`
/// hides the denial in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// Words that deny what follows: `not`, `never`, `没有`.
    #[serde(default)]
    pub negators: Vec<Negator>,
    /// Words that deny what stands before them at the end of a clause: `没有` in `色差没有`.
    #[serde(default)]
    pub trailing_negators: Vec<Negator>,
    /// Phrases that look like a denial and are none: `not only`, `不错`.
    #[serde(default)]
    pub exceptions: Vec<String>,
    /// Words that make what follows a mere possibility: `if`, `如果`.
    #[serde(default)]
    pub hypotheses: Vec<Negator>,
    /// Words that begin a new clause, beside punctuation: `but`, `但是`.
    #[serde(default)]
    pub boundaries: Vec<String>,
}

impl Wording {
    /// How many words there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts().count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every word with the list it stands in.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.negators
            .iter()
            .map(|cue| ("negators", cue.text.as_str()))
            .chain(
                self.trailing_negators.iter().map(|cue| ("trailing negators", cue.text.as_str())),
            )
            .chain(self.exceptions.iter().map(|text| ("exceptions", text.as_str())))
            .chain(self.hypotheses.iter().map(|cue| ("hypotheses", cue.text.as_str())))
            .chain(self.boundaries.iter().map(|text| ("boundaries", text.as_str())))
    }
}
