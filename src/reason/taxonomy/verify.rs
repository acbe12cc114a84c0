//! What makes a draft of a taxonomy usable, and everything that can be wrong with one.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::{Aliases, Pack, Reason, Taxonomy, TaxonomyDraft};
use crate::label::Label;
use crate::number::excerpt;
use crate::reason::attribute::{BatchSignal, FreightPayer, PolicyBasis};
use crate::reason::text::pattern::{Pattern, PatternError};
use crate::reason::{CauseCode, FacetKey, PackCode, ReasonCode};

/// One thing wrong with a draft, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The document says that it is something else.
    #[error("the schema is `{found}`, not `{wanted}`", wanted = Taxonomy::SCHEMA)]
    WrongSchema {
        /// What it says.
        found: String,
    },
    /// Versions count from 1.
    #[error("the version is 0; versions count from 1")]
    VersionZero,
    /// A list is too long.
    #[error("there are {found} {what}, at most {max} are allowed")]
    TooMany {
        /// What is listed.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
    /// A code is declared twice.
    #[error("{place} is declared twice")]
    Duplicate {
        /// The code with what it is.
        place: String,
    },
    /// A label lacks a language.
    #[error("{place} lacks a label in English or Chinese")]
    LabelMissing {
        /// What lacks it.
        place: String,
    },
    /// A key is not lower `snake_case`.
    #[error("{place} is not lower snake_case")]
    NotSnakeCase {
        /// The key with what it is.
        place: String,
    },
    /// A reserved reason is missing or retired.
    #[error("the reserved reason {code} is missing or retired")]
    ReservedMissing {
        /// The reason.
        code: ReasonCode,
    },
    /// The cause of a reason is not declared.
    #[error("reason {reason} has the cause {cause}, which is not declared")]
    UnknownCause {
        /// The reason.
        reason: ReasonCode,
        /// The cause.
        cause: CauseCode,
    },
    /// A shared code names one cause and stands under another.
    #[error("reason {reason} stands under the cause {cause}, which its code does not name")]
    CauseDiffers {
        /// The reason.
        reason: ReasonCode,
        /// The cause.
        cause: CauseCode,
    },
    /// A function is both the first and a further controller.
    #[error("reason {reason} lists its controller once more among the others")]
    ControllerTwice {
        /// The reason.
        reason: ReasonCode,
    },
    /// A strong lot signal without a quality defect.
    #[error("reason {reason} has a strong lot signal but is no quality defect")]
    SignalWithoutDefect {
        /// The reason.
        reason: ReasonCode,
    },
    /// Goods that are not as agreed come back at the seller's cost (Directive (EU) 2019/771 Art. 14;
    /// Consumer Rights Protection Law of China Art. 24).
    #[error("reason {reason} is a nonconformity, yet the customer pays the freight")]
    CustomerPaysForNonconformity {
        /// The reason.
        reason: ReasonCode,
    },
    /// A code that is not declared.
    #[error("{place} names {code}, which is not declared")]
    UnknownReason {
        /// Where.
        place: String,
        /// The code.
        code: ReasonCode,
    },
    /// A retired code where only one in use makes sense.
    #[error("{place} names {code}, which is retired")]
    RetiredReason {
        /// Where.
        place: String,
        /// The code.
        code: ReasonCode,
    },
    /// A retirement in a version to come.
    #[error("reason {reason} is retired since version {since}, after this version")]
    RetiredInFuture {
        /// The reason.
        reason: ReasonCode,
        /// The version named.
        since: u32,
    },
    /// A reason names a pack that is not declared.
    #[error("reason {reason} belongs to the pack `{pack}`, which is not declared")]
    UnknownPack {
        /// The reason.
        reason: ReasonCode,
        /// The pack.
        pack: PackCode,
    },
    /// A reason and a pack disagree on whether the pack offers the reason.
    #[error("pack `{pack}` and reason {reason} disagree on whether the pack offers it")]
    PackDisagrees {
        /// The pack.
        pack: PackCode,
        /// The reason.
        reason: ReasonCode,
    },
    /// A pack overrides evidence with what the reason says anyway.
    #[error("pack `{pack}` overrides the evidence of {reason} with its own default")]
    OverrideWithoutEffect {
        /// The pack.
        pack: PackCode,
        /// The reason.
        reason: ReasonCode,
    },
    /// A facet that is not declared.
    #[error("pack `{pack}` asks for the facet `{facet}` with {reason}, which is not declared")]
    UnknownFacet {
        /// The pack.
        pack: PackCode,
        /// The reason.
        reason: ReasonCode,
        /// The facet.
        facet: FacetKey,
    },
    /// A word or phrase that cannot be used.
    #[error("{place}: {fault}")]
    BadPattern {
        /// Where.
        place: String,
        /// Why.
        fault: PatternError,
    },
    /// One word or phrase for two reasons in one dictionary.
    #[error("`{pattern}` speaks for {first} and for {second} ({place})")]
    Ambiguous {
        /// The word or phrase.
        pattern: String,
        /// The first reason.
        first: ReasonCode,
        /// The second reason.
        second: ReasonCode,
        /// The dictionary.
        place: String,
    },
    /// A pack mutes a word that no core reason has.
    #[error("pack `{pack}` mutes `{pattern}`, which no core reason lists")]
    MutesNothing {
        /// The pack.
        pack: PackCode,
        /// The word.
        pattern: String,
    },
}

/// Everything wrong with a draft, in the order of the draft; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defects(Vec<Defect>);

impl Defects {
    /// The list.
    #[must_use]
    pub fn list(&self) -> &[Defect] {
        &self.0
    }
}

impl fmt::Display for Defects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, defect) in self.0.iter().enumerate() {
            write!(f, "{}{defect}", if position == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl core::error::Error for Defects {}

/// All defects of a draft.
pub(super) fn check(draft: &TaxonomyDraft) -> Result<(), Defects> {
    let mut found = Vec::new();
    if sizes(draft, &mut found) {
        let reasons: BTreeMap<&ReasonCode, &Reason> =
            draft.reasons.iter().map(|reason| (&reason.code, reason)).collect();
        document(draft, &reasons, &mut found);
        causes(draft, &mut found);
        let offered = draft
            .packs
            .iter()
            .flat_map(|pack| pack.order.iter().map(move |code| (&pack.code, code)))
            .collect();
        for reason in &draft.reasons {
            check_reason(draft, reason, &reasons, &offered, &mut found);
        }
        duplicates(draft.reasons.iter().map(|reason| &reason.code), "reason", &mut found);
        facets(draft, &mut found);
        duplicates(draft.packs.iter().map(|pack| &pack.code), "pack", &mut found);
        for pack in &draft.packs {
            check_pack(draft, pack, &reasons, &mut found);
        }
        words(draft, &mut found);
        for (place, text) in draft.wording.texts() {
            if let Err(fault) = Pattern::parse_literal(text) {
                found.push(Defect::BadPattern { place: alloc::format!("wording {place}"), fault });
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(Defects(found)) }
}

/// Sizes first: a draft that is too long is not looked at further.
fn sizes(draft: &TaxonomyDraft, found: &mut Vec<Defect>) -> bool {
    let words = |aliases: &Aliases| aliases.en.len().saturating_add(aliases.zh.len());
    let aliases = draft
        .reasons
        .iter()
        .map(|reason| words(&reason.aliases))
        .chain(draft.packs.iter().flat_map(|pack| pack.dictionary.values().map(words)))
        .fold(draft.wording.len(), usize::saturating_add);
    let choices = draft.facets.iter().fold(0, |sum: usize, f| sum.saturating_add(f.choices.len()));
    let order = draft.packs.iter().fold(0, |sum: usize, p| sum.saturating_add(p.order.len()));
    for (what, count, max) in [
        ("causes", draft.causes.len(), Taxonomy::MAX_CAUSES),
        ("reasons", draft.reasons.len(), Taxonomy::MAX_REASONS),
        ("facets", draft.facets.len(), Taxonomy::MAX_CAUSES),
        ("facet values", choices, Taxonomy::MAX_REASONS),
        ("packs", draft.packs.len(), Taxonomy::MAX_PACKS),
        ("reasons in packs", order, Taxonomy::MAX_ALIASES),
        ("words and phrases", aliases, Taxonomy::MAX_ALIASES),
    ] {
        if count > max {
            found.push(Defect::TooMany { what, found: count, max });
        }
    }
    found.is_empty()
}

fn document(
    draft: &TaxonomyDraft,
    reasons: &BTreeMap<&ReasonCode, &Reason>,
    found: &mut Vec<Defect>,
) {
    if draft.schema != Taxonomy::SCHEMA {
        found.push(Defect::WrongSchema { found: excerpt(&draft.schema) });
    }
    if draft.version == 0 {
        found.push(Defect::VersionZero);
    }
    for code in [ReasonCode::OTHER, ReasonCode::UNKNOWN] {
        if !reasons.get(&code).is_some_and(|reason| reason.is_in_use()) {
            found.push(Defect::ReservedMissing { code });
        }
    }
}

fn duplicates<'a, C: Ord + fmt::Display + 'a>(
    codes: impl Iterator<Item = &'a C>,
    what: &str,
    found: &mut Vec<Defect>,
) {
    let mut seen = BTreeSet::new();
    for code in codes {
        if !seen.insert(code) {
            found.push(Defect::Duplicate { place: alloc::format!("{what} {code}") });
        }
    }
}

fn labelled(label: &Label, place: impl fmt::Display, found: &mut Vec<Defect>) {
    if label.en.trim().is_empty() || label.zh.trim().is_empty() {
        found.push(Defect::LabelMissing { place: place.to_string() });
    }
}

fn snake_case(text: &str, what: &str, found: &mut Vec<Defect>) {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !text.bytes().next().is_some_and(|b| b.is_ascii_lowercase()) || !text.bytes().all(plain) {
        found.push(Defect::NotSnakeCase { place: alloc::format!("{what} `{text}`") });
    }
}

fn causes(draft: &TaxonomyDraft, found: &mut Vec<Defect>) {
    for cause in &draft.causes {
        labelled(&cause.label, format_args!("cause {}", cause.code), found);
    }
    duplicates(draft.causes.iter().map(|cause| &cause.code), "cause", found);
}

fn check_reason(
    draft: &TaxonomyDraft,
    reason: &Reason,
    reasons: &BTreeMap<&ReasonCode, &Reason>,
    offered: &BTreeSet<(&PackCode, &ReasonCode)>,
    found: &mut Vec<Defect>,
) {
    let code = || reason.code.clone();
    labelled(&reason.label, format_args!("reason {}", reason.code), found);
    if !draft.causes.iter().any(|cause| cause.code == reason.cause) {
        found.push(Defect::UnknownCause { reason: code(), cause: reason.cause.clone() });
    }
    if reason.code.cause().is_some_and(|cause| cause != reason.cause) {
        found.push(Defect::CauseDiffers { reason: code(), cause: reason.cause.clone() });
    }
    if reason.co_controllable_by.contains(&reason.controllable_by) {
        found.push(Defect::ControllerTwice { reason: code() });
    }
    if reason.batch_signal == BatchSignal::Strong && !reason.quality_defect {
        found.push(Defect::SignalWithoutDefect { reason: code() });
    }
    if reason.policy_basis == PolicyBasis::Nonconformity
        && reason.return_shipping_payer_default == FreightPayer::Customer
    {
        found.push(Defect::CustomerPaysForNonconformity { reason: code() });
    }
    if let Some(retirement) = &reason.retired {
        if retirement.since > draft.version {
            found.push(Defect::RetiredInFuture { reason: code(), since: retirement.since });
        }
        if let Some(next) = &retirement.replaced_by {
            let place = || alloc::format!("the replacement of {}", reason.code);
            match reasons.get(next) {
                None => found.push(Defect::UnknownReason { place: place(), code: next.clone() }),
                Some(next) if !next.is_in_use() => {
                    found.push(Defect::RetiredReason { place: place(), code: next.code.clone() });
                }
                Some(_) => {}
            }
        }
    }
    for pack in &reason.packs {
        if !draft.packs.iter().any(|declared| declared.code == *pack) {
            found.push(Defect::UnknownPack { reason: code(), pack: pack.clone() });
        } else if reason.is_in_use() && !offered.contains(&(pack, &reason.code)) {
            found.push(Defect::PackDisagrees { pack: pack.clone(), reason: code() });
        }
    }
}

fn facets(draft: &TaxonomyDraft, found: &mut Vec<Defect>) {
    for facet in &draft.facets {
        snake_case(facet.key.as_str(), "facet", found);
        labelled(&facet.label, format_args!("facet `{}`", facet.key), found);
        for choice in &facet.choices {
            snake_case(choice.code.as_str(), "facet value", found);
            labelled(
                &choice.label,
                format_args!("value `{}` of {}", choice.code, facet.key),
                found,
            );
        }
        duplicates(facet.choices.iter().map(|choice| &choice.code), "facet value", found);
    }
    duplicates(draft.facets.iter().map(|facet| &facet.key), "facet", found);
}

fn check_pack(
    draft: &TaxonomyDraft,
    pack: &Pack,
    reasons: &BTreeMap<&ReasonCode, &Reason>,
    found: &mut Vec<Defect>,
) {
    let place = |what: &str| alloc::format!("the {what} of pack `{}`", pack.code);
    snake_case(pack.code.as_str(), "pack", found);
    labelled(&pack.label, format_args!("pack `{}`", pack.code), found);
    duplicates(pack.order.iter(), &alloc::format!("pack `{}`:", pack.code), found);
    for code in &pack.order {
        match reasons.get(code) {
            None => {
                found.push(Defect::UnknownReason { place: place("order"), code: code.clone() });
            }
            Some(reason) if !reason.is_in_use() => {
                found.push(Defect::RetiredReason { place: place("order"), code: code.clone() });
            }
            Some(reason) if !reason.is_core() && !reason.packs.contains(&pack.code) => {
                found.push(Defect::PackDisagrees { pack: pack.code.clone(), reason: code.clone() });
            }
            Some(_) => {}
        }
    }
    let named = pack
        .required_facets
        .keys()
        .map(|code| ("required facets", code))
        .chain(pack.evidence_overrides.keys().map(|code| ("evidence overrides", code)))
        .chain(pack.dictionary.keys().map(|code| ("dictionary", code)));
    for (what, code) in named {
        if !reasons.contains_key(code) {
            found.push(Defect::UnknownReason { place: place(what), code: code.clone() });
        }
    }
    for (code, evidence) in &pack.evidence_overrides {
        if reasons.get(code).is_some_and(|reason| reason.evidence == *evidence) {
            let (pack, reason) = (pack.code.clone(), code.clone());
            found.push(Defect::OverrideWithoutEffect { pack, reason });
        }
    }
    for (reason, keys) in &pack.required_facets {
        for facet in keys {
            if !draft.facets.iter().any(|declared| declared.key == *facet) {
                let (pack, reason) = (pack.code.clone(), reason.clone());
                found.push(Defect::UnknownFacet { pack, reason, facet: facet.clone() });
            }
        }
    }
}

/// All words parse, and within one dictionary no word speaks for two reasons.
fn words(draft: &TaxonomyDraft, found: &mut Vec<Defect>) {
    let mut core: BTreeMap<String, ReasonCode> = BTreeMap::new();
    for reason in draft.reasons.iter().filter(|reason| reason.is_in_use()) {
        let labels = [reason.label.en.as_str(), reason.label.zh.as_str()];
        let labels = labels
            .into_iter()
            .filter(|label| reason.cause != CauseCode::OTHER && !label.trim().is_empty());
        for text in labels.chain(texts(&reason.aliases)) {
            word(text, &reason.code, "the core words", &mut core, found);
        }
    }
    // A pack may still mute words of a retired reason; nobody else needs them.
    let mut retired = BTreeMap::new();
    for reason in draft.reasons.iter().filter(|reason| !reason.is_in_use()) {
        for text in texts(&reason.aliases) {
            word(text, &reason.code, "the words of retired reasons", &mut retired, &mut Vec::new());
        }
    }
    for pack in &draft.packs {
        let place = alloc::format!("the dictionary of pack `{}`", pack.code);
        let mut own = BTreeMap::new();
        for (code, aliases) in &pack.dictionary {
            for text in texts(aliases) {
                word(text, code, &place, &mut own, found);
            }
        }
        for text in &pack.muted {
            let known = Pattern::parse(text).is_ok_and(|parsed| {
                parsed.keys().iter().all(|key| core.contains_key(key) || retired.contains_key(key))
            });
            if !known {
                let (pack, pattern) = (pack.code.clone(), excerpt(text));
                found.push(Defect::MutesNothing { pack, pattern });
            }
        }
    }
}

fn texts(aliases: &Aliases) -> impl Iterator<Item = &str> {
    aliases.en.iter().chain(&aliases.zh).map(String::as_str)
}

fn word(
    text: &str,
    code: &ReasonCode,
    place: &str,
    dictionary: &mut BTreeMap<String, ReasonCode>,
    found: &mut Vec<Defect>,
) {
    match Pattern::parse(text) {
        Err(fault) => {
            found.push(Defect::BadPattern { place: alloc::format!("{code} in {place}"), fault });
        }
        Ok(pattern) => {
            for pattern in pattern.keys() {
                match dictionary.get(&pattern) {
                    Some(first) if first != code => found.push(Defect::Ambiguous {
                        pattern,
                        first: first.clone(),
                        second: code.clone(),
                        place: place.to_string(),
                    }),
                    Some(_) => {}
                    None => {
                        dictionary.insert(pattern, code.clone());
                    }
                }
            }
        }
    }
}
