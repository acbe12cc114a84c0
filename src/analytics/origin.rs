//! Where a rise comes from: the lots behind it, and the words in which customers tell of it.
//!
//! In: the combination of dimensions that an [alarm](super::alarm) or the [cause
//! scan](super::cause) names, the units that were looked at with their facets and notes, and the
//! lineage of the goods. Out: an [`Origin`] that a quality manager can read: how many units, which
//! lot, supplier, line, place or day explains the defects among them, which words are new, and
//! findings for each.
//!
//! Always true, and tested in `tests/analytics/origin.rs`: units outside the combination never
//! weigh in the ranking; nothing is named when no candidate passes the accepted value or no word its
//! limit, and then it says so; the order of units changes nothing.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::rate::Proportion;
use super::tally::{Dimension, Facets};
use super::words::{EmergingTerm, Keyness, TermCounts, emerging, examples};
use super::{AnalyticsError, exact};
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::RuleId;
use crate::label::{Coded, Label, Language};
use crate::lineage::Lineage;
use crate::lineage::event::Item;
use crate::lineage::source::Source;
use crate::lineage::suspect::scientific::Probability;
use crate::lineage::suspect::{CandidateKind, Observation, Outcome, Ranking, RankingPlan, Suspect};
use crate::time::Zone;

/// One unit that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenUnit<'a> {
    /// Where it counts.
    pub facets: &'a Facets,
    /// The unit, and what became of it.
    pub observation: Observation,
    /// What the customer wrote.
    pub note: Option<&'a str>,
    /// Whether it belongs to the rise or to the time before it.
    pub when: When,
}

/// Before the rise, or in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// In the time to compare with.
    Before,
    /// In the time of the rise.
    Now,
}

/// How to search.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// What kind of candidates to try, in the order in which they are told.
    pub kinds: Vec<CandidateKind>,
    /// How to rank them.
    pub plan: RankingPlan,
    /// Where the days of production begin.
    pub zone: Zone,
    /// Which words count as new.
    pub keyness: Keyness,
    /// How many notes are shown beside each word.
    pub examples_max: usize,
}

impl Default for Search {
    /// Lots, suppliers, lines, places and days, by the default ranking; five words with two notes.
    fn default() -> Self {
        Self {
            kinds: CandidateKind::ALL.to_vec(),
            plan: RankingPlan::default(),
            zone: Zone::UTC,
            keyness: Keyness { terms_max: 5, ..Keyness::default() },
            examples_max: 2,
        }
    }
}

/// What stands behind a rise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Origin {
    /// The combination: dimension and code.
    pub element: Vec<(Dimension, String)>,
    /// Defective of all units looked at in it, now.
    pub defective: Proportion,
    /// The first ranking of each kind of candidate, in the order of the search.
    pub rankings: Vec<(CandidateKind, Ranking)>,
    /// Words that are new in it, with notes that show them.
    pub words: Vec<NewWord>,
    /// Notes read in it, and notes compared with.
    pub notes: (u64, u64),
    /// Why.
    pub findings: Vec<Finding>,
}

/// A word that is new, with the notes that show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWord {
    /// The word with its counts.
    pub term: EmergingTerm,
    /// Notes with it.
    pub examples: Vec<String>,
}

/// Names the codes of a cause: `cube` lists dimension and codes in the order in which the cube was
/// scanned. None when the cause is of another cube.
#[must_use]
pub fn element_of(
    cause: &Cause,
    cube: &[(Dimension, Vec<String>)],
) -> Option<Vec<(Dimension, String)>> {
    let name = |&(dimension, code): &(usize, u32)| {
        let (dimension, codes) = cube.get(dimension)?;
        Some((*dimension, codes.get(code as usize)?.clone()))
    };
    cause.element.iter().map(name).collect()
}

/// Looks behind a combination of dimensions.
///
/// ```
/// use aftersale::analytics::origin::{Search, SeenUnit, When, origin};
/// use aftersale::analytics::tally::{Dimension, Facets};
/// use aftersale::label::Language;
/// use aftersale::lineage::Lineage;
/// use aftersale::lineage::event::{Event, EventId, EventKind, Item, Line, Units};
/// use aftersale::lineage::suspect::{Observation, Outcome};
/// use aftersale::id::{LotId, SerialId};
/// use aftersale::quantity::Quantity;
/// let mut lineage = Lineage::new(Units::default());
/// let web = Facets::new().with(Dimension::Channel, "web")?;
/// let mut units = Vec::new();
/// // Forty phones from two lots of cells; every second one with cells of C2 fails.
/// for n in 0..40 {
///     let cells = Item::Lot(LotId::new(if n % 2 == 0 { "C2" } else { "C1" })?);
///     let phone = Item::Serial(SerialId::new(format!("P{n}"))?);
///     let at = serde_json::from_str(r#""2026-03-02T08:00:00Z""#)?;
///     let made = Event::new(EventId::new(format!("M{n}"))?, at, EventKind::Make)
///         .input(Line::new(cells, Quantity::pieces(1)?))
///         .output(Line::unmeasured(phone.clone()));
///     lineage.record(&made.check()?)?;
///     let outcome = if n % 4 == 0 { Outcome::Defective } else { Outcome::Good };
///     let observation = Observation { item: phone, outcome, stratum: None };
///     units.push(SeenUnit { facets: &web, observation, note: None, when: When::Now });
/// }
/// let found = origin(&lineage, &[(Dimension::Channel, "web".into())], &units, &Search::default())?;
/// let text = found.summary(Language::English);
/// assert!(text.contains("lot C2: 10 of 20 units with it did, 0 of 20 without"), "{text}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`AnalyticsError::TooMany`] when the notes have too many words.
pub fn origin(
    lineage: &Lineage,
    element: &[(Dimension, String)],
    units: &[SeenUnit<'_>],
    search: &Search,
) -> Result<Origin, AnalyticsError> {
    let inside = |unit: &SeenUnit<'_>| {
        unit.when == When::Now
            && element.iter().all(|(dimension, code)| unit.facets.code(*dimension) == code)
    };
    let observations: Vec<Observation> =
        units.iter().filter(|unit| inside(unit)).map(|unit| unit.observation.clone()).collect();
    let bad = observations.iter().filter(|seen| seen.outcome == Outcome::Defective).count();
    let mut rankings = Vec::new();
    for kind in &search.kinds {
        let candidates = lineage.candidates(*kind, &observations, search.zone);
        let mut rounds = lineage.rank(&candidates, &observations, &search.plan);
        if !rounds.is_empty() {
            rankings.push((*kind, rounds.swap_remove(0)));
        }
    }
    let (mut here, mut there) = (TermCounts::default(), TermCounts::default());
    for unit in units {
        let counts = if inside(unit) { &mut here } else { &mut there };
        unit.note.map_or(Ok(()), |note| counts.observe(note))?;
    }
    let notes = || units.iter().filter(|unit| inside(unit)).filter_map(|unit| unit.note);
    let mut texts: Vec<&str> = notes().collect();
    texts.sort_unstable();
    let words: Vec<NewWord> = emerging(&here, &there, &search.keyness)
        .into_iter()
        .map(|term| {
            let shown = examples(texts.iter().copied(), &term.term, search.examples_max);
            let examples = shown.into_iter().map(|(_, note)| note.to_string()).collect();
            NewWord { term, examples }
        })
        .collect();
    let mut found = Origin {
        element: element.to_vec(),
        defective: Proportion::new(bad as u64, observations.len() as u64)?,
        rankings,
        words,
        notes: (here.notes(), there.notes()),
        findings: Vec::new(),
    };
    found.findings = found.explain(search);
    Ok(found)
}

impl Origin {
    /// The candidates that explain the defects: of each kind the first, if its corrected value is
    /// accepted, with all that no data can tell apart from it.
    pub fn named(&self) -> impl Iterator<Item = (CandidateKind, Vec<&Suspect>)> {
        self.rankings.iter().filter_map(|(kind, ranking)| {
            let first: Vec<&Suspect> = ranking.first_group().collect();
            let accepted = first.first().is_some_and(|suspect| suspect.q <= ranking.plan.accept);
            // A candidate of the good units explains nothing, however unlikely it is.
            let guilty = first.first().is_some_and(|s| s.exposed_rate() > s.other_rate());
            (accepted && guilty).then_some((*kind, first))
        })
    }

    fn explain(&self, search: &Search) -> Vec<Finding> {
        let rule = |name: &str| RuleId::new(name).ok().map(RuleRef::new);
        let (Some(lineage), Some(word)) = (rule("origin_lineage"), rule("origin_words")) else {
            return Vec::new();
        };
        let mut findings = Vec::new();
        for (kind, ranking) in &self.rankings {
            let Some(suspect) = ranking.suspects.first() else { continue };
            let named = self.named().any(|(named, _)| named == *kind);
            let effect = if named { Effect::Warns } else { Effect::Passes };
            let about = name(&suspect.source, Language::English);
            let share = |part: u32, whole: u32| {
                Fact::Number(exact(f64::from(part) / f64::from(whole.max(1))))
            };
            let counts = &suspect.counts;
            let others = counts.defective.saturating_sub(counts.exposed_defective);
            let observed = share(counts.exposed_defective, counts.exposed);
            let required = share(others, counts.units.saturating_sub(counts.exposed));
            let finding = Finding::new(lineage.clone(), effect);
            findings.push(finding.about(about).observed(observed).required(required));
        }
        for new in &self.words {
            let finding = Finding::new(word.clone(), Effect::Warns).about(new.term.term.clone());
            let limit = Fact::Number(exact(search.keyness.g2_min));
            findings.push(finding.observed(Fact::Number(exact(new.term.g2))).required(limit));
        }
        findings
    }

    /// All of it in plain sentences.
    #[must_use]
    pub fn summary(&self, language: Language) -> String {
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = self.write_units(&mut text, language);
        let _ = self.write_suspects(&mut text, language);
        let _ = self.write_words(&mut text, language);
        text
    }

    fn write_units(&self, to: &mut String, language: Language) -> core::fmt::Result {
        let (part, whole) = (self.defective.part(), self.defective.whole());
        let place: Vec<String> = self
            .element
            .iter()
            .map(|(dimension, code)| match language {
                Language::English => alloc::format!("{} {code}", dimension.label(language)),
                Language::Chinese => alloc::format!("{}“{code}”", dimension.label(language)),
            })
            .collect();
        match language {
            Language::English => {
                write!(to, "{}: {part} of {whole} units came back or failed.", place.join(", "))
            }
            Language::Chinese => {
                write!(to, "{}：{whole}件中{part}件退回或不良。", place.join("、"))
            }
        }
    }

    fn write_suspects(&self, to: &mut String, language: Language) -> core::fmt::Result {
        let mut any = false;
        for (_, suspects) in self.named() {
            let Some((first, alike)) = suspects.split_first() else { continue };
            any = true;
            let counts = &first.counts;
            let (with, bad) = (counts.exposed, counts.exposed_defective);
            let without = counts.units.saturating_sub(with);
            let rest = counts.defective.saturating_sub(bad);
            let what = name(&first.source, language);
            let alike: Vec<String> =
                alike.iter().map(|suspect| name(&suspect.source, language)).collect();
            match language {
                Language::English => {
                    write!(
                        to,
                        " Behind it, {what}: {bad} of {with} units with it did, {rest} of {without} without (q {}).",
                        short(first.q)
                    )?;
                    if !alike.is_empty() {
                        write!(to, " No data can tell it apart from {}.", alike.join(", "))?;
                    }
                }
                Language::Chinese => {
                    write!(
                        to,
                        "指向{what}：含该项{with}件中{bad}件，其余{without}件中{rest}件（q {}）。",
                        short(first.q)
                    )?;
                    if !alike.is_empty() {
                        write!(to, "数据无法将其与{}区分。", alike.join("、"))?;
                    }
                }
            }
        }
        if !any {
            to.push_str(match language {
                Language::English => " No lot, supplier, line, place or day stands out.",
                Language::Chinese => "没有批次、供应商、产线、地点或日期明显异常。",
            });
        }
        Ok(())
    }

    fn write_words(&self, to: &mut String, language: Language) -> core::fmt::Result {
        let (here, there) = self.notes;
        for new in &self.words {
            let EmergingTerm { term, here: with, there: other, .. } = &new.term;
            match language {
                Language::English => {
                    write!(
                        to,
                        " New in the notes: “{term}” ({with} of {here}, elsewhere {other} of {there})."
                    )?;
                }
                Language::Chinese => {
                    write!(
                        to,
                        "留言新词“{term}”（{here}条中{with}条，其他{there}条中{other}条）。"
                    )?;
                }
            }
        }
        if self.words.is_empty() && here > 0 {
            to.push_str(match language {
                Language::English => " No word is new in the notes.",
                Language::Chinese => "留言中没有新词。",
            });
        }
        Ok(())
    }
}

/// A probability with two digits, rounded down: `2.1e-8`.
fn short(p: Probability) -> String {
    let text = p.to_string();
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let digits: String = digits.chars().take(3).collect();
            alloc::format!("{}e{exponent}", digits.trim_end_matches('.'))
        }
        None => text,
    }
}

/// A candidate as people call it.
fn name(source: &Source, language: Language) -> String {
    let kinds = |en: &str, zh: &str| Label::new(en, zh);
    let (kind, id) = match source {
        Source::Item { item, .. } => match item {
            Item::Lot(lot) => (kinds("lot", "批次"), lot.to_string()),
            Item::Serial(serial) => (kinds("serial", "序列号"), serial.to_string()),
            Item::Article(sku) => (kinds("article", "商品"), sku.to_string()),
            Item::Order(order) => (kinds("order", "订单"), order.to_string()),
            Item::OrderLine(order, line) => {
                (kinds("order line", "订单行"), alloc::format!("{order}/{line}"))
            }
        },
        Source::Order(order) => (kinds("order", "订单"), order.to_string()),
        Source::Supplier { supplier, .. } => (kinds("supplier", "供应商"), supplier.to_string()),
        Source::Line { line, .. } => (kinds("line", "产线"), line.to_string()),
        Source::Place { place, .. } => (kinds("place", "地点"), place.to_string()),
        Source::Period(period) => {
            let day = alloc::format!("{}", period.start().date_naive());
            (kinds("day", "日期"), day)
        }
        Source::Inspection(event) => (kinds("inspection", "检验"), event.to_string()),
        Source::Document(document) => (kinds("document", "单据"), document.to_string()),
    };
    match language {
        Language::English => alloc::format!("{} {id}", kind.en),
        Language::Chinese => alloc::format!("{}{id}", kind.zh),
    }
}
