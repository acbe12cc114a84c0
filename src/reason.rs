//! Reasons: why goods come back, as a short tree of codes with defaults, facets and a history.
//!
//! In: a [taxonomy](taxonomy::Taxonomy) (data, verified once), what people said and found about one
//! line, outside codes of marketplaces and partners, free text in Chinese and English. Out: the
//! reason that counts, its defaults (fault, evidence, freight payer, quality signal) with findings,
//! outside codes to send, tags with the matched words.
//!
//! Always true, and tested in `tests/reason/`:
//! 1. Problem, cause and remedy are separate. Nothing said about a line is ever overwritten: the
//!    [history](history::ReasonHistory) only grows, and which entry counts is computed from it.
//! 2. An outside code is kept beside ours, also when nobody knows what it means.
//! 3. Mapping one version of a taxonomy to the next conserves every count.
//! 4. Classifying text is deterministic and never fails for what the text says.

pub mod attribute;
pub mod counts;
pub mod crosswalk;
pub mod defaults;
pub mod history;
pub mod migration;
pub mod taxonomy;
pub mod text;

use core::fmt;

use smol_str::SmolStr;

use crate::id::text_ids;
use crate::number::excerpt;

/// A text that is not a code of a taxonomy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// Not a level-1 code.
    #[error("`{text}` is not a cause code: 2 to 8 capital letters such as QLT")]
    NotACause {
        /// The text, shortened.
        text: alloc::string::String,
    },
    /// Not a level-2 code.
    #[error(
        "`{text}` is not a reason code: a cause and a name in capitals such as QLT.ODOR (at most \
         {max} bytes), or X.<host>.<NAME> for a code of the host (at most {host_max} bytes)",
        max = ReasonCode::MAX_BYTES,
        host_max = ReasonCode::MAX_HOST_BYTES
    )]
    NotAReason {
        /// The text, shortened.
        text: alloc::string::String,
    },
}

/// The common part of checked codes: text in, text out.
macro_rules! code_text {
    ($name:ident) => {
        impl $name {
            /// The code as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl core::str::FromStr for $name {
            type Err = CodeError;
            fn from_str(text: &str) -> Result<Self, CodeError> {
                Self::new(text)
            }
        }

        impl core::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = SmolStr::from(<alloc::string::String>::deserialize(from)?);
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A cause: the first level of a taxonomy (大类), such as `QLT` for a product quality defect.
///
/// Two to eight capital ASCII letters. Never renamed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CauseCode(SmolStr);

code_text!(CauseCode);

impl CauseCode {
    /// The reserved cause for what is not stated or fits nowhere: never a target of improvement.
    pub const OTHER: Self = Self(SmolStr::new_static("OTH"));

    /// Checks the text and makes the code.
    ///
    /// # Errors
    ///
    /// [`CodeError::NotACause`].
    pub fn new(text: impl AsRef<str>) -> Result<Self, CodeError> {
        let text = text.as_ref();
        if !is_cause(text) {
            return Err(CodeError::NotACause { text: excerpt(text) });
        }
        Ok(Self(SmolStr::new(text)))
    }
}

/// A reason: the second level of a taxonomy (小类), such as `QLT.ODOR` for an unpleasant smell.
///
/// Either `CAUSE.NAME` of a shared taxonomy, at most 24 bytes, or `X.<host>.<NAME>` of one host,
/// at most 64 bytes, which its taxonomy maps to one cause. Codes are stable: never reused, never
/// renamed; a code out of use is retired and names what replaces it.
///
/// ```
/// use aftersale::reason::{CodeError, ReasonCode};
/// let smell: ReasonCode = "QLT.ODOR".parse()?;
/// assert_eq!(smell.cause().map(|cause| cause.to_string()), Some("QLT".into()));
/// let own: ReasonCode = "X.milkbar.CREAM.SOUR".parse()?;
/// assert_eq!((own.host(), own.cause()), (Some("milkbar"), None));
/// assert!("qlt.odor".parse::<ReasonCode>().is_err());
/// # Ok::<(), CodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReasonCode(SmolStr);

code_text!(ReasonCode);

impl ReasonCode {
    /// The longest shared code, in bytes.
    pub const MAX_BYTES: usize = 24;
    /// The longest code of a host, in bytes.
    pub const MAX_HOST_BYTES: usize = 64;
    /// Something that no code names; the raw words stand beside it. Every taxonomy has this code.
    pub const OTHER: Self = Self(SmolStr::new_static("OTH.OTHER"));
    /// Nobody said why. Every taxonomy has this code.
    pub const UNKNOWN: Self = Self(SmolStr::new_static("OTH.UNKNOWN"));

    /// Checks the text and makes the code.
    ///
    /// # Errors
    ///
    /// [`CodeError::NotAReason`].
    pub fn new(text: impl AsRef<str>) -> Result<Self, CodeError> {
        let text = text.as_ref();
        if !(is_shared(text) || is_of_host(text)) {
            return Err(CodeError::NotAReason { text: excerpt(text) });
        }
        Ok(Self(SmolStr::new(text)))
    }

    /// The cause that the code itself names; none for a code of a host, whose taxonomy knows it.
    #[must_use]
    pub fn cause(&self) -> Option<CauseCode> {
        let (first, _) = self.0.split_once('.')?;
        is_cause(first).then(|| CauseCode(SmolStr::new(first)))
    }

    /// The host, for a code of a host.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let (host, _) = self.0.strip_prefix("X.")?.split_once('.')?;
        Some(host)
    }
}

fn is_cause(text: &str) -> bool {
    (2..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

fn is_shared(text: &str) -> bool {
    text.len() <= ReasonCode::MAX_BYTES
        && text.split_once('.').is_some_and(|(cause, name)| is_cause(cause) && is_name(name))
}

fn is_of_host(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    text.len() <= ReasonCode::MAX_HOST_BYTES
        && text.strip_prefix("X.").and_then(|rest| rest.split_once('.')).is_some_and(
            |(host, names)| {
                !host.is_empty() && host.bytes().all(plain) && names.split('.').all(is_name)
            },
        )
}

text_ids! {
    /// An axis that refines a reason (维度), such as `direction` or `discovered_at`.
    FacetKey = "facet";
    /// A value on an axis, such as `too_low`, or a part number of the host.
    FacetValue = "facet value";
    /// An industry pack (行业包), such as `apparel`.
    PackCode = "industry pack";
    /// An outside list of reason codes, such as `x12_1293`.
    ListCode = "code list";
}
