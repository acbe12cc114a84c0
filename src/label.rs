//! Stable codes for machines, labels for people.
//!
//! A code is lower `snake_case` ASCII and never renamed. A label is English and Simplified Chinese.
//! Built-in codes are declared with both labels in one table, by one macro, so that none can lack
//! either. Nothing in the crate branches on a label, and no label appears in an error or an event.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// The language of a label.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Simplified Chinese (简体中文).
    #[serde(rename = "zh")]
    Chinese,
}

/// A label that a host supplies for a code of its own.
///
/// ```
/// use aftersale::label::{Label, Language};
/// let label = Label::new("Zip broken", "拉链损坏");
/// assert_eq!(label.text(Language::Chinese), "拉链损坏");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl Label {
    /// A label from its two texts.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// The text in one language.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Chinese => &self.zh,
        }
    }
}

/// A closed set of codes, each with a label in both languages.
pub trait Coded: Sized + Copy + 'static {
    /// What the codes name, in words: `"disposition"`.
    const KIND: &'static str;
    /// All values in the order of declaration.
    const ALL: &'static [Self];
    /// The stable code.
    fn code(self) -> &'static str;
    /// The label in one language.
    fn label(self, language: Language) -> &'static str;
    /// The value of a code, if there is one.
    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.code() == code)
    }
}

/// Declares an enum of codes with its labels:
/// `codes! { /// docs  pub enum Party "liable party" { /// docs  Seller = "seller", "Seller", "商家"; } }`.
///
/// The enum is `Copy`, ordered as declared, serialized as its code, and displayed as its code.
macro_rules! codes {
    ($(#[$doc:meta])* pub enum $name:ident $kind:literal {
        $($(#[$vdoc:meta])* $variant:ident = $code:literal, $en:literal, $zh:literal;)+
    }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $code)] $variant,)+
        }

        impl $crate::label::Coded for $name {
            const KIND: &'static str = $kind;
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
            fn label(self, language: $crate::label::Language) -> &'static str {
                match (self, language) {
                    $((Self::$variant, $crate::label::Language::English) => $en,
                      (Self::$variant, $crate::label::Language::Chinese) => $zh,)+
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad($crate::label::Coded::code(*self))
            }
        }
    };
}
pub(crate) use codes;
