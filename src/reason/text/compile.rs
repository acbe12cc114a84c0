//! From dictionaries to one automaton with the uses of every literal.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use aho_corasick::{AhoCorasick, MatchKind};

use super::fold::is_word;
use super::pattern::{Literal, Pattern};
use super::wording::Wording;
use super::{Classifier, ClassifierError, Dictionaries};
use crate::reason::defaults::Industry;
use crate::reason::taxonomy::{Aliases, Reason, Taxonomy};
use crate::reason::{CauseCode, ReasonCode};

/// A pattern with the reason it speaks for.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) code: ReasonCode,
    pub(super) pattern: String,
    pub(super) parts: usize,
    pub(super) weight: u32,
    pub(super) tier: Tier,
}

/// Whose dictionary a word comes from; a later one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    Core,
    Industry,
    Host,
}

/// What a word of the wording does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cue {
    pub(super) negates: Option<u8>,
    pub(super) negates_before: Option<u8>,
    pub(super) supposes: Option<u8>,
    pub(super) exception: bool,
    pub(super) boundary: bool,
}

impl Cue {
    /// Whether the word takes part in denial and doubt; such words hide shorter ones.
    pub(super) const fn competes(&self) -> bool {
        self.negates.is_some()
            || self.negates_before.is_some()
            || self.supposes.is_some()
            || self.exception
    }
}

/// One literal of the automaton.
#[derive(Clone, Debug, Default)]
pub(super) struct LiteralUse {
    pub(super) starts_a_word: bool,
    pub(super) ends_a_word: bool,
    /// Rules that the literal takes part in, with the position of the part.
    pub(super) rules: Vec<(usize, usize)>,
    pub(super) cue: Cue,
}

/// A pattern on its way into the automaton.
struct Word {
    code: ReasonCode,
    tier: Tier,
    weight: u32,
    parts: Vec<Vec<Literal>>,
}

pub(super) fn compile(
    taxonomy: &Taxonomy,
    words: Dictionaries<'_>,
) -> Result<Classifier, ClassifierError> {
    let mut dictionary: BTreeMap<String, Word> = BTreeMap::new();
    let pack = match words.industry {
        Industry::Any => None,
        Industry::Pack(pack) => Some(pack),
    };
    let in_scope = |reason: &&Reason| {
        reason.cause != CauseCode::OTHER
            && reason.is_in_use()
            && (reason.is_core() || pack.is_some_and(|pack| reason.packs.contains(&pack.code)))
    };
    for reason in taxonomy.reasons().iter().filter(in_scope) {
        let labels = [&reason.label.en, &reason.label.zh];
        add(&mut dictionary, &reason.code, Tier::Core, labels)?;
        add(&mut dictionary, &reason.code, Tier::Core, both(&reason.aliases))?;
    }
    if let Some(pack) = pack {
        for text in &pack.muted {
            for key in Pattern::parse(text).iter().flat_map(Pattern::keys) {
                dictionary.remove(&key);
            }
        }
        for (code, aliases) in &pack.dictionary {
            add(&mut dictionary, code, Tier::Industry, both(aliases))?;
        }
    }
    for (code, aliases) in words.host {
        if !taxonomy.reason(code).is_some_and(Reason::is_in_use) {
            return Err(ClassifierError::UnknownReason { code: code.clone() });
        }
        add(&mut dictionary, code, Tier::Host, both(aliases))?;
    }
    assemble(dictionary, taxonomy.wording())
}

fn both(aliases: &Aliases) -> impl Iterator<Item = &String> {
    aliases.en.iter().chain(&aliases.zh)
}

fn add<'a>(
    dictionary: &mut BTreeMap<String, Word>,
    code: &ReasonCode,
    tier: Tier,
    texts: impl IntoIterator<Item = &'a String>,
) -> Result<(), ClassifierError> {
    for text in texts {
        let pattern = Pattern::parse(text)
            .map_err(|fault| ClassifierError::BadPattern { code: code.clone(), fault })?;
        let word = |weight, parts| Word { code: code.clone(), tier, weight, parts };
        let bonus = if tier == Tier::Core { 0 } else { TIER_BONUS };
        let entries: Vec<(String, Word)> = match pattern.parts() {
            [only] => only
                .iter()
                .map(|literal| {
                    let weight = literal.weight().saturating_add(bonus);
                    (literal.key(), word(weight, alloc::vec![alloc::vec![literal.clone()]]))
                })
                .collect(),
            parts => {
                let weight = pattern.weight().saturating_add(bonus);
                alloc::vec![(pattern.text().to_string(), word(weight, parts.to_vec()))]
            }
        };
        for (key, word) in entries {
            if let Some(first) = dictionary.get(&key)
                && first.tier == tier
                && first.code != word.code
            {
                let (first, second) = (first.code.clone(), word.code);
                return Err(ClassifierError::Ambiguous { pattern: key, first, second });
            }
            dictionary.insert(key, word);
        }
    }
    Ok(())
}

/// What an industry's or a host's own word says more than a core word.
const TIER_BONUS: u32 = 2;

fn assemble(
    dictionary: BTreeMap<String, Word>,
    wording: &Wording,
) -> Result<Classifier, ClassifierError> {
    let mut index: BTreeMap<(String, bool), usize> = BTreeMap::new();
    let mut literals: Vec<LiteralUse> = Vec::new();
    let mut rules = Vec::new();
    let mut slot = |literals: &mut Vec<LiteralUse>, text: &str, goes_on: bool| {
        *index.entry((text.to_string(), goes_on)).or_insert_with(|| {
            literals.push(LiteralUse {
                starts_a_word: text.chars().next().is_some_and(is_word),
                ends_a_word: !goes_on && text.chars().next_back().is_some_and(is_word),
                ..LiteralUse::default()
            });
            literals.len().saturating_sub(1)
        })
    };
    for (pattern, word) in dictionary {
        let rule = rules.len();
        for (position, part) in word.parts.iter().enumerate() {
            for literal in part {
                let at = slot(&mut literals, &literal.text, literal.goes_on);
                if let Some(used) = literals.get_mut(at) {
                    used.rules.push((rule, position));
                }
            }
        }
        let (code, weight, tier, parts) = (word.code, word.weight, word.tier, word.parts.len());
        rules.push(Rule { code, pattern, parts, weight, tier });
    }
    let mut cue = |text: &str, set: &dyn Fn(&mut Cue)| {
        // The wording was checked with the taxonomy; what cannot be used is not there.
        if let Ok(text) = Pattern::parse_literal(text) {
            let at = slot(&mut literals, &text, false);
            if let Some(used) = literals.get_mut(at) {
                set(&mut used.cue);
            }
        }
    };
    for negator in &wording.negators {
        cue(&negator.text, &|cue| cue.negates = Some(negator.reach));
    }
    for negator in &wording.trailing_negators {
        cue(&negator.text, &|cue| cue.negates_before = Some(negator.reach));
    }
    for hypothesis in &wording.hypotheses {
        cue(&hypothesis.text, &|cue| cue.supposes = Some(hypothesis.reach));
    }
    for text in &wording.exceptions {
        cue(text, &|cue| cue.exception = true);
    }
    for text in &wording.boundaries {
        cue(text, &|cue| cue.boundary = true);
    }
    let mut texts: Vec<(&str, usize)> =
        index.iter().map(|((text, _), at)| (text.as_str(), *at)).collect();
    texts.sort_unstable_by_key(|&(_, at)| at);
    let found = texts.len();
    if found > MAX_LITERALS {
        return Err(ClassifierError::TooMany { found });
    }
    let shared = |&&(_, at): &&(&str, usize)| {
        literals.get(at).is_some_and(|used| used.rules.len() > ClassifierError::MAX_SHARED)
    };
    if let Some(&(literal, at)) = texts.iter().find(shared) {
        let found = literals.get(at).map_or(0, |used| used.rules.len());
        return Err(ClassifierError::TooShared { literal: literal.to_string(), found });
    }
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(texts.iter().map(|(text, _)| text))
        .map_err(|_| ClassifierError::TooMany { found })?;
    Ok(Classifier { automaton, literals, rules })
}

/// The most literals of one automaton: every pattern may have several alternatives.
const MAX_LITERALS: usize = 4 * Taxonomy::MAX_ALIASES;
