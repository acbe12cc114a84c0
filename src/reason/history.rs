//! The history of reasons of one line: who said what, when, and which reason counts.
//!
//! In: assertions by the customer, an agent, text analysis, inspection and the supplier. Out: the
//! reason that counts under a stated [preference](Preference), with findings.
//!
//! Always true:
//! 1. The history only grows: an assertion that was recorded is found again unchanged, with the
//!    outside code and the words it came with.
//! 2. What counts depends only on the assertions and the preference, not on when it is asked.
//! 3. A reason that a preferred layer rejected never counts from a less preferred one.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::taxonomy::Taxonomy;
use super::{FacetKey, FacetValue, ListCode, ReasonCode};
use crate::explain::{Effect, Explained, Fact, Finding, RuleRef};
use crate::id::{ActorId, RuleId};
use crate::label::codes;
use crate::time::Instant;

codes! {
    /// Who says so (认定来源): the layer of the history.
    pub enum Source "source of a reason" {
        /// The customer, in the request.
        Customer = "customer", "Customer", "顾客";
        /// An agent of customer service.
        Agent = "agent", "Agent", "客服";
        /// Read from free text by rules.
        Text = "text_analysis", "Text analysis", "文本识别";
        /// Inspection of the goods.
        Inspection = "inspection", "Inspection", "质检";
        /// The supplier's answer.
        Supplier = "supplier", "Supplier", "供应商";
    }
}

codes! {
    /// How sure the source is (置信度).
    pub enum Standing "standing of a reason" {
        /// Said, not looked into.
        Stated = "stated", "Stated", "陈述";
        /// Likely, from text or from a wide outside code.
        Suspected = "suspected", "Suspected", "疑似";
        /// Found to be so.
        Confirmed = "confirmed", "Confirmed", "确认";
        /// Found not to be so.
        Rejected = "rejected", "Rejected", "否定";
    }
}

codes! {
    /// Whether it is the one reason of the line or one beside it.
    pub enum Rank "rank of a reason" {
        /// The one that is counted for the line.
        Primary = "primary", "Primary", "主因";
        /// One of any number beside it.
        Secondary = "secondary", "Secondary", "次因";
    }
}

/// What an outside system or a person said in its own words, kept as it came.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// The list the code belongs to, if it is a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListCode>,
    /// The code or the words, unchanged.
    pub text: String,
}

/// One source naming one reason for one line at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// The reason.
    pub code: ReasonCode,
    /// The version of the taxonomy that the code was chosen from.
    pub taxonomy_version: u32,
    /// Who says so.
    pub source: Source,
    /// How sure the source is.
    pub standing: Standing,
    /// Whether it is the one reason or one beside it.
    pub rank: Rank,
    /// When it was said.
    pub at: Instant,
    /// The person or system that wrote it down.
    pub author: ActorId,
    /// What refines it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facets: BTreeMap<FacetKey, FacetValue>,
    /// The outside code or the words it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
}

/// Why an assertion cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssertionFault {
    /// The history is full.
    #[error("the line has {max} reasons recorded already", max = ReasonHistory::MAX_ASSERTIONS)]
    HistoryFull,
    /// The code is not in the taxonomy.
    #[error("reason {code} is not in version {version} of the taxonomy")]
    UnknownReason {
        /// The code.
        code: ReasonCode,
        /// The version of the taxonomy in force.
        version: u32,
    },
    /// The code was chosen from another version.
    #[error(
        "reason {code} was chosen from version {stated} of the taxonomy, {version} is in force"
    )]
    OtherVersion {
        /// The code.
        code: ReasonCode,
        /// The version stated.
        stated: u32,
        /// The version in force.
        version: u32,
    },
    /// The code is no longer given out.
    #[error("reason {code} is retired{}", instead(.replaced_by.as_ref()))]
    Retired {
        /// The code.
        code: ReasonCode,
        /// What to use now.
        replaced_by: Option<ReasonCode>,
    },
    /// A customer may not state this reason.
    #[error("reason {code} is set by staff or inspection only")]
    NotForCustomers {
        /// The code.
        code: ReasonCode,
    },
    /// A source is surer than it can be: a customer states, rules read from text suspect.
    #[error("{source_layer} cannot say {standing}; only inspection, the supplier or an agent can")]
    TooSure {
        /// The source.
        source_layer: Source,
        /// The standing claimed.
        standing: Standing,
    },
    /// The facet is not declared.
    #[error("facet `{facet}` is not in the taxonomy")]
    UnknownFacet {
        /// The facet.
        facet: FacetKey,
    },
    /// The facet does not have this value.
    #[error("facet `{facet}` has no value `{value}`")]
    UnknownFacetValue {
        /// The facet.
        facet: FacetKey,
        /// The value.
        value: FacetValue,
    },
    /// The outside words are too long.
    #[error("the original words have {bytes} bytes, at most {max} are kept", max = ReasonHistory::MAX_ORIGINAL_BYTES)]
    OriginalTooLong {
        /// The length found.
        bytes: usize,
    },
}

fn instead(code: Option<&ReasonCode>) -> String {
    code.map_or_else(String::new, |code| alloc::format!("; use {code}"))
}

/// Everything that was ever said about why one line came back, in the order of recording.
///
/// ```
/// use aftersale::id::ActorId;
/// use aftersale::preset::reasons::TAXONOMY;
/// use aftersale::reason::history::{Assertion, Preference, Rank, ReasonHistory, Source, Standing};
/// use aftersale::reason::taxonomy::Taxonomy;
///
/// let taxonomy: Taxonomy = serde_json::from_str(TAXONOMY)?;
/// let mut history = ReasonHistory::new();
/// let customer = Assertion {
///     code: "QLT.FUNCTION".parse()?,
///     taxonomy_version: taxonomy.version(),
///     source: Source::Customer,
///     standing: Standing::Stated,
///     rank: Rank::Primary,
///     at: chrono::DateTime::from_timestamp(1_772_442_000, 0).ok_or("no such time")?,
///     author: ActorId::new("customer-7")?,
///     facets: Default::default(),
///     original: None,
/// };
/// assert_eq!(history.faults(&taxonomy, &customer), []);
/// history.record(customer.clone());
/// history.record(Assertion {
///     code: "USE.MISUSE".parse()?,
///     source: Source::Inspection,
///     standing: Standing::Confirmed,
///     at: chrono::DateTime::from_timestamp(1_773_070_200, 0).ok_or("no such time")?,
///     author: ActorId::new("inspector-2")?,
///     ..customer
/// });
/// let counted = history.counted(&Preference::default()).value;
/// assert_eq!(counted.primary.map(|a| a.code.to_string()), Some("USE.MISUSE".into()));
/// assert_eq!(history.first_by(Source::Customer).map(|a| a.code.to_string()), Some("QLT.FUNCTION".into()));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReasonHistory(Vec<Assertion>);

impl ReasonHistory {
    /// The most assertions that [`faults`](Self::faults) lets pass for one line.
    pub const MAX_ASSERTIONS: usize = 1_000;
    /// The longest original kept, in bytes.
    pub const MAX_ORIGINAL_BYTES: usize = 4_000;

    /// Nothing said yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Everything that stands against recording an assertion; nothing when it can be recorded.
    #[must_use]
    pub fn faults(&self, taxonomy: &Taxonomy, assertion: &Assertion) -> Vec<AssertionFault> {
        let mut found = Vec::new();
        if self.0.len() >= Self::MAX_ASSERTIONS {
            found.push(AssertionFault::HistoryFull);
        }
        let (code, version) = (|| assertion.code.clone(), taxonomy.version());
        if assertion.taxonomy_version != version {
            let stated = assertion.taxonomy_version;
            found.push(AssertionFault::OtherVersion { code: code(), stated, version });
        }
        match taxonomy.reason(&assertion.code) {
            None => found.push(AssertionFault::UnknownReason { code: code(), version }),
            Some(reason) => {
                if let Some(retired) = &reason.retired {
                    let replaced_by = retired.replaced_by.clone();
                    found.push(AssertionFault::Retired { code: code(), replaced_by });
                }
                if assertion.source == Source::Customer && !reason.selectable_by_customer {
                    found.push(AssertionFault::NotForCustomers { code: code() });
                }
            }
        }
        let too_sure = match (assertion.source, assertion.standing) {
            (Source::Customer | Source::Text, Standing::Confirmed | Standing::Rejected)
            | (Source::Text, Standing::Stated) => true,
            (Source::Customer | Source::Text, Standing::Stated | Standing::Suspected)
            | (Source::Agent | Source::Inspection | Source::Supplier, _) => false,
        };
        if too_sure {
            let (source_layer, standing) = (assertion.source, assertion.standing);
            found.push(AssertionFault::TooSure { source_layer, standing });
        }
        for (facet, value) in &assertion.facets {
            match taxonomy.facet(facet) {
                None => found.push(AssertionFault::UnknownFacet { facet: facet.clone() }),
                Some(declared)
                    if !declared.choices.is_empty()
                        && !declared.choices.iter().any(|choice| choice.code == *value) =>
                {
                    let (facet, value) = (facet.clone(), value.clone());
                    found.push(AssertionFault::UnknownFacetValue { facet, value });
                }
                Some(_) => {}
            }
        }
        let bytes = assertion.original.as_ref().map_or(0, |original| original.text.len());
        if bytes > Self::MAX_ORIGINAL_BYTES {
            found.push(AssertionFault::OriginalTooLong { bytes });
        }
        found
    }

    /// Adds an assertion. Replaying what was recorded once never fails; ask
    /// [`faults`](Self::faults) before a new one.
    pub fn record(&mut self, assertion: Assertion) {
        self.0.push(assertion);
    }

    /// All assertions in the order of recording.
    #[must_use]
    pub fn assertions(&self) -> &[Assertion] {
        &self.0
    }

    /// What a source said first.
    #[must_use]
    pub fn first_by(&self, source: Source) -> Option<&Assertion> {
        self.0.iter().find(|assertion| assertion.source == source)
    }

    /// The reason that counts, and those beside it, under a preference.
    ///
    /// Each layer speaks with its latest word on each code (the latest instant; of two at one
    /// instant the one recorded last). The layers are asked in the order of the preference. The
    /// first with a primary reason that no layer asked so far has rejected gives the primary;
    /// primary reasons of later layers give way to it. Secondary reasons of every layer stay, unless
    /// rejected in the same way.
    #[must_use]
    pub fn counted(&self, preference: &Preference) -> Explained<Counted> {
        let mut counted = Counted::default();
        let mut findings = Vec::new();
        let mut rejected = BTreeSet::new();
        let mut named = BTreeSet::new();
        for layer in &preference.0 {
            let latest = self.latest_by(layer.source);
            for assertion in latest.values() {
                if assertion.standing == Standing::Rejected {
                    rejected.insert(&assertion.code);
                }
            }
            // The latest primary word of the layer comes first; total order by code at the end.
            let mut words: Vec<_> = latest.into_iter().collect();
            words.sort_by(|((_, a), left), ((_, b), right)| {
                (left.rank, right.at, b).cmp(&(right.rank, left.at, a))
            });
            for (_, assertion) in words {
                let effect = if !layer.standings.contains(&assertion.standing) {
                    Effect::Passes
                } else if rejected.contains(&assertion.code) {
                    Effect::Denies
                } else if named.contains(&assertion.code) {
                    Effect::Permits
                } else if assertion.rank == Rank::Secondary {
                    Effect::Raises
                } else if counted.primary.is_none() {
                    Effect::Sets
                } else {
                    Effect::Passes
                };
                match effect {
                    Effect::Sets => counted.primary = Some(assertion.clone()),
                    Effect::Raises => counted.secondary.push(assertion.clone()),
                    _ => {}
                }
                if matches!(effect, Effect::Sets | Effect::Raises) {
                    named.insert(&assertion.code);
                }
                findings.extend(finding(assertion, effect));
            }
        }
        Explained::new(counted, findings)
    }

    /// The latest word of a source on each code, with the position of recording.
    fn latest_by(&self, source: Source) -> BTreeMap<(&ReasonCode, usize), &Assertion> {
        let mut latest: BTreeMap<&ReasonCode, (usize, &Assertion)> = BTreeMap::new();
        for (position, assertion) in self.0.iter().enumerate() {
            if assertion.source != source {
                continue;
            }
            let known = latest.get(&assertion.code);
            if known.is_none_or(|(_, before)| before.at <= assertion.at) {
                latest.insert(&assertion.code, (position, assertion));
            }
        }
        latest.into_iter().map(|(code, (position, word))| ((code, position), word)).collect()
    }
}

fn finding(assertion: &Assertion, effect: Effect) -> Option<Finding> {
    let rule = RuleRef::new(RuleId::new("reason_layers").ok()?);
    let said = alloc::format!("{} by {}", assertion.standing, assertion.source);
    Some(Finding::new(rule, effect).about(said).observed(Fact::code(&assertion.code)))
}

/// The reason that counts for a line, and those beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// The one reason; none when nobody preferred said anything that still stands.
    pub primary: Option<Assertion>,
    /// The reasons beside it, each code once, in the order of the preference.
    pub secondary: Vec<Assertion>,
}

impl Counted {
    /// The code to count the line under: the primary's, else [`ReasonCode::UNKNOWN`].
    #[must_use]
    pub fn code(&self) -> ReasonCode {
        self.primary.as_ref().map_or(ReasonCode::UNKNOWN, |assertion| assertion.code.clone())
    }
}

/// One layer of a preference: a source and how sure it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The source.
    pub source: Source,
    /// The standings that count.
    pub standings: BTreeSet<Standing>,
}

/// Whose word counts, the most trusted first.
///
/// The default: inspection when sure, then the supplier when sure, an agent, the customer, text
/// analysis; nothing that is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Layer>", into = "Vec<Layer>")]
pub struct Preference(Vec<Layer>);

/// Why a list of layers is not a preference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PreferenceError {
    /// A source stands in the list twice.
    #[error("the preference lists {source_layer} twice")]
    Twice {
        /// The source.
        source_layer: Source,
    },
    /// A layer that counts what it rejected.
    #[error("the preference counts what {source_layer} rejected")]
    CountsRejected {
        /// The source.
        source_layer: Source,
    },
}

impl Preference {
    /// Checks a list of layers, the most trusted first.
    ///
    /// # Errors
    ///
    /// [`PreferenceError`] when a source is listed twice or a rejected reason would count.
    pub fn new(layers: Vec<Layer>) -> Result<Self, PreferenceError> {
        let mut seen = BTreeSet::new();
        for layer in &layers {
            let source_layer = layer.source;
            if !seen.insert(source_layer) {
                return Err(PreferenceError::Twice { source_layer });
            }
            if layer.standings.contains(&Standing::Rejected) {
                return Err(PreferenceError::CountsRejected { source_layer });
            }
        }
        Ok(Self(layers))
    }

    /// The layers, the most trusted first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.0
    }
}

impl Default for Preference {
    fn default() -> Self {
        let sure = BTreeSet::from([Standing::Confirmed]);
        let said = BTreeSet::from([Standing::Stated, Standing::Suspected, Standing::Confirmed]);
        let layer =
            |source, standings: &BTreeSet<Standing>| Layer { source, standings: standings.clone() };
        Self(alloc::vec![
            layer(Source::Inspection, &sure),
            layer(Source::Supplier, &sure),
            layer(Source::Agent, &said),
            layer(Source::Customer, &said),
            layer(Source::Text, &said),
        ])
    }
}

impl TryFrom<Vec<Layer>> for Preference {
    type Error = PreferenceError;
    fn try_from(layers: Vec<Layer>) -> Result<Self, PreferenceError> {
        Self::new(layers)
    }
}

impl From<Preference> for Vec<Layer> {
    fn from(preference: Preference) -> Self {
        preference.0
    }
}
