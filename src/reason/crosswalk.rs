//! To and from the reason codes of marketplaces, partners and standards.
//!
//! In: an outside code as it came. Out: our reason with how well it fits, and the outside code kept
//! beside it. An unknown code becomes [`ReasonCode::OTHER`] and is marked unmapped; it is never an
//! error and never lost. The way out sends the original again when it is known.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::history::{Original, ReasonHistory, Standing};
use super::taxonomy::{Reason, Taxonomy};
use super::text::fold::fold;
use super::{FacetKey, FacetValue, ListCode, ReasonCode};
use crate::label::codes;
use crate::number::excerpt;

codes! {
    /// How well two codes fit.
    pub enum Match "match" {
        /// The same meaning.
        Exact = "exact", "Same meaning", "含义相同";
        /// Nearly the same; safe both ways.
        Close = "close", "Nearly the same", "含义接近";
        /// The outside code is narrower.
        Narrow = "narrow", "Outside is narrower", "外部更窄";
        /// The outside code is wider.
        Broad = "broad", "Outside is wider", "外部更宽";
        /// An attribute word without a direction, taken in by a general rule.
        Default = "default", "By default rule", "按默认规则";
        /// On the way out only: detail is lost.
        Fallback = "fallback", "Fallback, loses detail", "降级，丢失细节";
        /// On the way out only: no outside code; our label is sent.
        OwnLabel = "own_label", "Our own label", "使用自有文案";
    }
}

codes! {
    /// One step that makes two spellings of an outside code the same.
    pub enum Folding "folding" {
        /// Take off a leading `CR-` or `AMZ-PG-`.
        AmazonPrefix = "amazon_prefix", "Without report prefix", "去除报表前缀";
        /// `-` becomes `_`.
        DashToUnderscore = "dash_to_underscore", "Dash to underscore", "短横转下划线";
        /// Case, width of characters, white space and apostrophes do not matter.
        Spelling = "spelling", "Without case and width", "忽略大小写与全半角";
        /// Digits at the end do not matter.
        TrailingDigits = "trailing_digits", "Without trailing digits", "去除末尾数字";
    }
}

/// One outside code and what it means here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The outside code as its list writes it.
    pub code: String,
    /// Our reason.
    pub to: ReasonCode,
    /// How well it fits.
    #[serde(rename = "match")]
    pub fit: Match,
    /// What the outside code says beside the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<FacetKey, FacetValue>,
    /// What else to know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// One outside list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeList {
    /// The stable key of the list.
    pub list: ListCode,
    /// What it is called.
    pub title: String,
    /// Where it was read.
    pub source: String,
    /// How far it was checked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub verified: String,
    /// What else to know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Steps, in order, before a code is looked up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folding: Vec<Folding>,
    /// The codes.
    pub codes: Vec<Entry>,
}

/// What is sent to one list for one of our reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    /// The outside code, or our label.
    pub code: String,
    /// How well it fits.
    #[serde(rename = "match")]
    pub fit: Match,
}

/// A crosswalk as written, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrosswalkDraft {
    /// The form of this document: [`Crosswalk::SCHEMA`].
    pub schema: String,
    /// The version of the crosswalk.
    pub version: u32,
    /// The version of the taxonomy it belongs to.
    pub taxonomy_version: u32,
    /// The outside lists.
    pub lists: Vec<CodeList>,
    /// Our reason, then the list, to what is sent.
    pub outgoing: BTreeMap<ReasonCode, BTreeMap<ListCode, Outgoing>>,
}

/// One thing wrong with a crosswalk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrosswalkDefect {
    /// The document says that it is something else.
    #[error("the schema is `{found}`, not `{wanted}`", wanted = Crosswalk::SCHEMA)]
    WrongSchema {
        /// What it says.
        found: String,
    },
    /// It belongs to another version of the taxonomy.
    #[error("the crosswalk belongs to version {stated} of the taxonomy, {version} is given")]
    OtherVersion {
        /// The version stated.
        stated: u32,
        /// The version given.
        version: u32,
    },
    /// There are too many codes.
    #[error("there are {found} codes, at most {max} are allowed", max = Crosswalk::MAX_CODES)]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// A list is declared twice.
    #[error("list `{list}` is declared twice")]
    DuplicateList {
        /// The list.
        list: ListCode,
    },
    /// Two codes of a list are the same after folding.
    #[error("list `{list}`: `{code}` is declared twice")]
    DuplicateCode {
        /// The list.
        list: ListCode,
        /// The outside code.
        code: String,
    },
    /// A code that the taxonomy lacks or has retired.
    #[error("list `{list}`: `{code}` maps to {to}, which is not in use in the taxonomy")]
    UnknownReason {
        /// The list.
        list: ListCode,
        /// The outside code.
        code: String,
        /// Our code.
        to: ReasonCode,
    },
    /// A facet or value that the taxonomy lacks.
    #[error("list `{list}`: `{code}` sets `{facet}` to `{value}`, which the taxonomy lacks")]
    UnknownFacet {
        /// The list.
        list: ListCode,
        /// The outside code.
        code: String,
        /// The facet.
        facet: FacetKey,
        /// The value.
        value: FacetValue,
    },
    /// A way of fitting that makes no sense in this direction.
    #[error("list `{list}`: `{code}` is matched as {fit}, which is not possible in this direction")]
    WrongMatch {
        /// The list.
        list: ListCode,
        /// The outside code.
        code: String,
        /// How it is said to fit.
        fit: Match,
    },
    /// Something is sent to a list that is not declared, or as a code that the list lacks.
    #[error("{reason} is sent to list `{list}` as `{code}`, which is not declared")]
    UnknownTarget {
        /// Our code.
        reason: ReasonCode,
        /// The list.
        list: ListCode,
        /// The outside code.
        code: String,
    },
}

/// Everything wrong with a crosswalk; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrosswalkDefects(Vec<CrosswalkDefect>);

impl CrosswalkDefects {
    /// The list.
    #[must_use]
    pub fn list(&self) -> &[CrosswalkDefect] {
        &self.0
    }
}

impl fmt::Display for CrosswalkDefects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, defect) in self.0.iter().enumerate() {
            write!(f, "{}{defect}", if position == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl core::error::Error for CrosswalkDefects {}

/// Why an outside code cannot be taken in or sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrosswalkError {
    /// The text is too long to be kept.
    #[error("the outside code has {bytes} bytes, at most {max} are kept", max = ReasonHistory::MAX_ORIGINAL_BYTES)]
    TooLong {
        /// The length found.
        bytes: usize,
    },
    /// Nothing is declared to be sent.
    #[error("nothing is declared to be sent to list `{list}` for {code}")]
    NothingToSend {
        /// Our code.
        code: ReasonCode,
        /// The list.
        list: ListCode,
    },
}

/// Whether an outside code was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mapping {
    /// Known, and how well it fits.
    Mapped(Match),
    /// The list has no such code: to be looked at by a person.
    UnknownCode,
    /// There is no such list: to be looked at by a person.
    UnknownList,
}

/// An outside code taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// Our reason.
    pub code: ReasonCode,
    /// How it was found.
    pub mapping: Mapping,
    /// How sure it is: a wide or default match, or none, is only suspected.
    pub standing: Standing,
    /// What the outside code says beside the reason.
    pub facets: BTreeMap<FacetKey, FacetValue>,
    /// The outside code as it came.
    pub original: Original,
}

impl Imported {
    /// Whether the code is unknown and a person must look at it.
    #[must_use]
    pub const fn is_unmapped(&self) -> bool {
        !matches!(self.mapping, Mapping::Mapped(_))
    }
}

/// A verified crosswalk.
///
/// ```
/// use aftersale::preset::reasons::{CROSSWALK, TAXONOMY};
/// use aftersale::reason::ListCode;
/// use aftersale::reason::crosswalk::{Crosswalk, CrosswalkDraft};
/// use aftersale::reason::taxonomy::Taxonomy;
///
/// let taxonomy: Taxonomy = serde_json::from_str(TAXONOMY)?;
/// let draft: CrosswalkDraft = serde_json::from_str(CROSSWALK)?;
/// let crosswalk = Crosswalk::verify(draft, &taxonomy)?;
/// let amazon = ListCode::new("amazon")?;
/// let late = crosswalk.import(&amazon, "CR-MISSED_ESTIMATED_DELIVERY")?;
/// assert_eq!(late.code.as_str(), "DLV.LATE");
/// let odd = crosswalk.import(&amazon, "CR-CAT_ATE_IT")?;
/// assert!(odd.is_unmapped());
/// assert_eq!((odd.code.as_str(), odd.original.text.as_str()), ("OTH.OTHER", "CR-CAT_ATE_IT"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crosswalk {
    draft: CrosswalkDraft,
    index: BTreeMap<ListCode, ListIndex>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct ListIndex {
    list: usize,
    codes: BTreeMap<String, usize>,
}

impl Crosswalk {
    /// The form of the document.
    pub const SCHEMA: &'static str = "aftersale/reason-crosswalk";
    /// The most outside codes of all lists together.
    pub const MAX_CODES: usize = 100_000;

    /// Checks a crosswalk against its taxonomy.
    ///
    /// # Errors
    ///
    /// [`CrosswalkDefects`]: everything that is wrong, in the order of the draft.
    pub fn verify(draft: CrosswalkDraft, taxonomy: &Taxonomy) -> Result<Self, CrosswalkDefects> {
        let mut found = Vec::new();
        if draft.schema != Self::SCHEMA {
            found.push(CrosswalkDefect::WrongSchema { found: excerpt(&draft.schema) });
        }
        let (stated, version) = (draft.taxonomy_version, taxonomy.version());
        if stated != version {
            found.push(CrosswalkDefect::OtherVersion { stated, version });
        }
        let count = draft.lists.iter().fold(0_usize, |sum, l| sum.saturating_add(l.codes.len()));
        if count > Self::MAX_CODES {
            found.push(CrosswalkDefect::TooMany { found: count });
            return Err(CrosswalkDefects(found));
        }
        let mut index = BTreeMap::new();
        for (position, list) in draft.lists.iter().enumerate() {
            let codes = check_list(list, taxonomy, &mut found);
            if index.insert(list.list.clone(), ListIndex { list: position, codes }).is_some() {
                found.push(CrosswalkDefect::DuplicateList { list: list.list.clone() });
            }
        }
        let crosswalk = Self { draft, index };
        crosswalk.check_outgoing(taxonomy, &mut found);
        if found.is_empty() { Ok(crosswalk) } else { Err(CrosswalkDefects(found)) }
    }

    fn check_outgoing(&self, taxonomy: &Taxonomy, found: &mut Vec<CrosswalkDefect>) {
        for (reason, lists) in &self.draft.outgoing {
            let known = taxonomy.reason(reason).is_some();
            for (list, sent) in lists {
                let (list_code, code) = (list.clone(), sent.code.clone());
                if !known {
                    let to = reason.clone();
                    found.push(CrosswalkDefect::UnknownReason { list: list_code, code, to });
                } else if sent.fit == Match::Default {
                    let fit = sent.fit;
                    found.push(CrosswalkDefect::WrongMatch { list: list_code, code, fit });
                } else if !self.can_send(list, sent) {
                    let reason = reason.clone();
                    found.push(CrosswalkDefect::UnknownTarget { reason, list: list_code, code });
                }
            }
        }
    }

    /// Whether a list is declared, and has the code, unless our own label is sent.
    fn can_send(&self, list: &ListCode, sent: &Outgoing) -> bool {
        match sent.fit {
            Match::OwnLabel => self.index.contains_key(list),
            _ => self.entry(list, &sent.code).is_some(),
        }
    }

    /// The version of the crosswalk.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.draft.version
    }

    /// The lists, in the order of the draft.
    #[must_use]
    pub fn lists(&self) -> &[CodeList] {
        &self.draft.lists
    }

    /// What a list says of a code, as it came.
    #[must_use]
    pub fn entry(&self, list: &ListCode, code: &str) -> Option<&Entry> {
        let index = self.index.get(list)?;
        let list = self.draft.lists.get(index.list)?;
        index.codes.get(&folded(&list.folding, code)).and_then(|&at| list.codes.get(at))
    }

    /// Takes an outside code in. An unknown code or list is a result, not an error.
    ///
    /// # Errors
    ///
    /// [`CrosswalkError::TooLong`] when the text is too long to be kept whole.
    pub fn import(&self, list: &ListCode, text: &str) -> Result<Imported, CrosswalkError> {
        if text.len() > ReasonHistory::MAX_ORIGINAL_BYTES {
            return Err(CrosswalkError::TooLong { bytes: text.len() });
        }
        let original = Original { list: Some(list.clone()), text: text.to_string() };
        let Some(entry) = self.entry(list, text) else {
            let known = self.index.contains_key(list);
            let mapping = if known { Mapping::UnknownCode } else { Mapping::UnknownList };
            return Ok(Imported {
                code: ReasonCode::OTHER,
                mapping,
                standing: Standing::Suspected,
                facets: BTreeMap::new(),
                original,
            });
        };
        let standing = match entry.fit {
            Match::Exact | Match::Close | Match::Narrow => Standing::Stated,
            Match::Broad | Match::Default | Match::Fallback | Match::OwnLabel => {
                Standing::Suspected
            }
        };
        Ok(Imported {
            code: entry.to.clone(),
            mapping: Mapping::Mapped(entry.fit),
            standing,
            facets: entry.facets.clone(),
            original,
        })
    }

    /// What to send to a list for one of our reasons that came from somewhere else.
    ///
    /// # Errors
    ///
    /// [`CrosswalkError::NothingToSend`] when nothing is declared.
    pub fn export(&self, code: &ReasonCode, list: &ListCode) -> Result<&Outgoing, CrosswalkError> {
        self.draft
            .outgoing
            .get(code)
            .and_then(|lists| lists.get(list))
            .ok_or_else(|| CrosswalkError::NothingToSend { code: code.clone(), list: list.clone() })
    }

    /// What to send to a list for a reason that came with an original: the original itself when it
    /// is of the same list, else as [`export`](Self::export).
    ///
    /// # Errors
    ///
    /// [`CrosswalkError::NothingToSend`] when nothing is declared.
    pub fn export_original(
        &self,
        code: &ReasonCode,
        original: &Original,
        list: &ListCode,
    ) -> Result<Outgoing, CrosswalkError> {
        if original.list.as_ref() == Some(list) {
            return Ok(Outgoing { code: original.text.clone(), fit: Match::Exact });
        }
        self.export(code, list).cloned()
    }
}

fn check_list(
    list: &CodeList,
    taxonomy: &Taxonomy,
    found: &mut Vec<CrosswalkDefect>,
) -> BTreeMap<String, usize> {
    let mut codes = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (at, entry) in list.codes.iter().enumerate() {
        let (name, code) = (|| list.list.clone(), || entry.code.clone());
        let key = folded(&list.folding, &entry.code);
        if !seen.insert(key.clone()) {
            found.push(CrosswalkDefect::DuplicateCode { list: name(), code: code() });
        }
        codes.insert(key, at);
        if !taxonomy.reason(&entry.to).is_some_and(Reason::is_in_use) {
            let to = entry.to.clone();
            found.push(CrosswalkDefect::UnknownReason { list: name(), code: code(), to });
        }
        if matches!(entry.fit, Match::Fallback | Match::OwnLabel) {
            let fit = entry.fit;
            found.push(CrosswalkDefect::WrongMatch { list: name(), code: code(), fit });
        }
        for (facet, value) in &entry.facets {
            let known = taxonomy.facet(facet).is_some_and(|declared| {
                declared.choices.is_empty()
                    || declared.choices.iter().any(|choice| choice.code == *value)
            });
            if !known {
                let (facet, value) = (facet.clone(), value.clone());
                found.push(CrosswalkDefect::UnknownFacet {
                    list: name(),
                    code: code(),
                    facet,
                    value,
                });
            }
        }
    }
    codes
}

fn folded(steps: &[Folding], text: &str) -> String {
    steps.iter().fold(text.trim().to_string(), |text, step| match step {
        Folding::AmazonPrefix => ["CR-", "AMZ-PG-"]
            .iter()
            .find_map(|prefix| text.strip_prefix(prefix))
            .map(ToString::to_string)
            .unwrap_or(text),
        Folding::DashToUnderscore => text.replace('-', "_"),
        Folding::Spelling => fold(&text),
        Folding::TrailingDigits => text.trim_end_matches(|c: char| c.is_ascii_digit()).to_string(),
    })
}
