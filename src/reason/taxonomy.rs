//! The list of reasons as data: causes, reasons, facets, industry packs, words.
//!
//! In: a [`TaxonomyDraft`], which is what deserializes. Out: a [`Taxonomy`], which exists only after
//! [`Taxonomy::verify`] found no [defect](verify::Defect); else every defect is listed with its
//! place. A host adds its own reasons, aliases and packs to the draft and verifies again.

pub mod verify;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::attribute::{
    Audience, BatchSignal, Controller, Evidence, Fault, FreightPayer, PolicyBasis,
};
use super::history::Standing;
use super::text::wording::Wording;
use super::{CauseCode, FacetKey, FacetValue, PackCode, ReasonCode};
use crate::label::Label;
use verify::Defects;

/// A cause: one of the few groups on the first level, with the function that owns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// The stable code, such as `QLT`.
    pub code: CauseCode,
    /// The name in both languages.
    pub label: Label,
    /// What belongs here and what does not, in both languages.
    pub meaning: Label,
    /// Who owns improvement work on this cause, unless a reason says otherwise.
    pub owner_default: Controller,
    /// Who is at fault, unless a reason says otherwise.
    pub fault_default: Fault,
}

/// Words and phrases that speak for a reason, per language; see
/// [`pattern`](super::text::pattern) for what they may contain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aliases {
    /// English.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub en: Vec<String>,
    /// Simplified Chinese.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zh: Vec<String>,
}

/// A reason that is no longer given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retirement {
    /// The version of the taxonomy that took it out of use.
    pub since: u32,
    /// What to use now, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<ReasonCode>,
}

/// One reason with its defaults. Policies, settlement and cases read these fields.
///
/// Source of the defaults: `docs/reasons.md`, "What a reason says about itself".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// The stable code.
    pub code: ReasonCode,
    /// The cause it belongs to; for a shared code the one that the code names.
    pub cause: CauseCode,
    /// The name in both languages.
    pub label: Label,
    /// Words and phrases that speak for it in any industry, beside its labels.
    #[serde(default)]
    pub aliases: Aliases,
    /// The function that can prevent it.
    pub controllable_by: Controller,
    /// Other functions that have a part in it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub co_controllable_by: BTreeSet<Controller>,
    /// Who is at fault until an event says otherwise.
    pub fault_default: Fault,
    /// Whether the customer must show something.
    pub evidence: Evidence,
    /// Whether it is a defect of the goods as made; see [`Reason::counts_for_lot`].
    pub quality_defect: bool,
    /// How strongly one case speaks against the whole lot.
    pub batch_signal: BatchSignal,
    /// Who pays the freight back until an event says otherwise.
    pub return_shipping_payer_default: FreightPayer,
    /// The kind of right it leans on.
    pub policy_basis: PolicyBasis,
    /// Whether a customer may state it; the others are set by staff or inspection only.
    pub selectable_by_customer: bool,
    /// Whether it goes to the safety desk at once, whatever else happens.
    pub safety_escalation: bool,
    /// The industry packs that offer it; empty for a core reason, which every industry has.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub packs: BTreeSet<PackCode>,
    /// Set when it is no longer given out; old records keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Retirement>,
}

impl Reason {
    /// Whether every industry has it.
    #[must_use]
    pub fn is_core(&self) -> bool {
        self.packs.is_empty()
    }

    /// Whether it is still given out.
    #[must_use]
    pub const fn is_in_use(&self) -> bool {
        self.retired.is_none()
    }

    /// Whether a line with this reason counts against its lot: a quality defect once confirmed, and
    /// one with a strong signal already when stated or suspected.
    #[must_use]
    pub fn counts_for_lot(&self, standing: Standing) -> bool {
        self.quality_defect
            && match standing {
                Standing::Confirmed => true,
                Standing::Stated | Standing::Suspected => self.batch_signal == BatchSignal::Strong,
                Standing::Rejected => false,
            }
    }
}

/// One value on an axis, with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FacetChoice {
    /// The stable code.
    pub code: FacetValue,
    /// The name in both languages.
    pub label: Label,
}

/// An axis that refines reasons, so that the tree stays short: a complaint about the length of a
/// sleeve is `FIT.TOO_LARGE` with `attribute = length`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facet {
    /// The stable key.
    pub key: FacetKey,
    /// The name in both languages.
    pub label: Label,
    /// What it is used for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub used_for: String,
    /// The values; empty when the values are the host's own, such as part numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<FacetChoice>,
}

/// An industry's view of the taxonomy: what it offers, in which order, what it asks beside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The stable code, such as `apparel`.
    pub code: PackCode,
    /// The name in both languages.
    pub label: Label,
    /// The reasons offered first, in this order.
    pub order: Vec<ReasonCode>,
    /// Facets that must be given with a reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub required_facets: BTreeMap<ReasonCode, BTreeSet<FacetKey>>,
    /// Evidence that differs from the reason's default.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence_overrides: BTreeMap<ReasonCode, Evidence>,
    /// Words that speak for a reason in this industry only; they win over the core words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dictionary: BTreeMap<ReasonCode, Aliases>,
    /// Core words that do not speak for their reason in this industry.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub muted: BTreeSet<String>,
    /// What else to know, in both languages.
    #[serde(default)]
    pub note: Label,
}

/// A taxonomy as it is written and sent, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxonomyDraft {
    /// The form of this document: [`Taxonomy::SCHEMA`].
    pub schema: String,
    /// The name of the taxonomy.
    pub name: String,
    /// The version, counted from 1.
    pub version: u32,
    /// The first level.
    pub causes: Vec<Cause>,
    /// The second level, in the order in which it is shown.
    pub reasons: Vec<Reason>,
    /// The axes.
    #[serde(default)]
    pub facets: Vec<Facet>,
    /// The industries.
    #[serde(default)]
    pub packs: Vec<Pack>,
    /// Words of denial, doubt and division in both languages, for reading free text.
    #[serde(default)]
    pub wording: Wording,
}

/// A verified taxonomy: every code it names exists, every code is named once.
///
/// ```
/// use aftersale::label::Language;
/// use aftersale::preset::reasons::TAXONOMY;
/// use aftersale::reason::attribute::{Evidence, FreightPayer};
/// use aftersale::reason::taxonomy::Taxonomy;
///
/// let taxonomy: Taxonomy = serde_json::from_str(TAXONOMY)?;
/// let smell = taxonomy.reason(&"QLT.ODOR".parse()?).ok_or("no such reason")?;
/// assert_eq!(smell.label.text(Language::Chinese), "有异味");
/// assert_eq!(smell.return_shipping_payer_default, FreightPayer::Seller);
/// assert_eq!(smell.evidence, Evidence::Optional);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TaxonomyDraft", into = "TaxonomyDraft")]
pub struct Taxonomy {
    draft: TaxonomyDraft,
    index: BTreeMap<ReasonCode, usize>,
}

impl Taxonomy {
    /// The form of the document.
    pub const SCHEMA: &'static str = "aftersale/reason-taxonomy";
    /// The most reasons of one taxonomy.
    pub const MAX_REASONS: usize = 2_000;
    /// The most causes, and the most facets, of one taxonomy.
    pub const MAX_CAUSES: usize = 64;
    /// The most packs of one taxonomy.
    pub const MAX_PACKS: usize = 200;
    /// The most words and phrases of one taxonomy, with all packs.
    pub const MAX_ALIASES: usize = 50_000;

    /// Checks a draft.
    ///
    /// # Errors
    ///
    /// [`Defects`]: everything that is wrong, in the order of the draft, each with its place.
    pub fn verify(draft: TaxonomyDraft) -> Result<Self, Defects> {
        verify::check(&draft)?;
        let index = draft
            .reasons
            .iter()
            .enumerate()
            .map(|(position, reason)| (reason.code.clone(), position))
            .collect();
        Ok(Self { draft, index })
    }

    /// The name of the taxonomy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.draft.name
    }

    /// The version, counted from 1.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.draft.version
    }

    /// A reason by its code; a retired reason is still found.
    #[must_use]
    pub fn reason(&self, code: &ReasonCode) -> Option<&Reason> {
        self.index.get(code).and_then(|&position| self.draft.reasons.get(position))
    }

    /// All reasons in the order of the draft, retired ones too.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.draft.reasons
    }

    /// A cause by its code.
    #[must_use]
    pub fn cause(&self, code: &CauseCode) -> Option<&Cause> {
        self.draft.causes.iter().find(|cause| cause.code == *code)
    }

    /// All causes in the order of the draft.
    #[must_use]
    pub fn causes(&self) -> &[Cause] {
        &self.draft.causes
    }

    /// The cause of a reason.
    #[must_use]
    pub fn cause_of(&self, code: &ReasonCode) -> Option<&Cause> {
        self.reason(code).and_then(|reason| self.cause(&reason.cause))
    }

    /// A facet by its key.
    #[must_use]
    pub fn facet(&self, key: &FacetKey) -> Option<&Facet> {
        self.draft.facets.iter().find(|facet| facet.key == *key)
    }

    /// All facets in the order of the draft.
    #[must_use]
    pub fn facets(&self) -> &[Facet] {
        &self.draft.facets
    }

    /// An industry pack by its code.
    #[must_use]
    pub fn pack(&self, code: &PackCode) -> Option<&Pack> {
        self.draft.packs.iter().find(|pack| pack.code == *code)
    }

    /// All industry packs in the order of the draft.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.draft.packs
    }

    /// Words of denial, doubt and division.
    #[must_use]
    pub const fn wording(&self) -> &Wording {
        &self.draft.wording
    }

    /// The core reasons to offer, in the order of the draft; retired reasons are left out.
    #[must_use]
    pub fn choices(&self, audience: Audience) -> Vec<&Reason> {
        self.draft
            .reasons
            .iter()
            .filter(|reason| reason.is_core() && is_offered(reason, audience))
            .collect()
    }

    /// The reasons to offer in one industry: those of the pack in its order, then the other core
    /// reasons in the order of the draft.
    #[must_use]
    pub fn choices_in(&self, pack: &Pack, audience: Audience) -> Vec<&Reason> {
        let first = pack.order.iter().filter_map(|code| self.reason(code));
        let rest = self
            .draft
            .reasons
            .iter()
            .filter(|reason| reason.is_core() && !pack.order.contains(&reason.code));
        first.chain(rest).filter(|reason| is_offered(reason, audience)).collect()
    }

    /// The draft that was checked, to change and verify again.
    #[must_use]
    pub fn into_draft(self) -> TaxonomyDraft {
        self.draft
    }
}

fn is_offered(reason: &Reason, audience: Audience) -> bool {
    reason.is_in_use()
        && match audience {
            Audience::Customer => reason.selectable_by_customer,
            Audience::Staff => true,
        }
}

impl TryFrom<TaxonomyDraft> for Taxonomy {
    type Error = Defects;
    fn try_from(draft: TaxonomyDraft) -> Result<Self, Defects> {
        Self::verify(draft)
    }
}

impl From<Taxonomy> for TaxonomyDraft {
    fn from(taxonomy: Taxonomy) -> Self {
        taxonomy.draft
    }
}
