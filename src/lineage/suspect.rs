//! Suspects: which lot, supplier, line or date explains the defects.
//!
//! In: units (serials, orders) that were looked at, each good or defective, and candidates. Out: the
//! candidates in order of the one-sided hypergeometric p, with corrected values, groups that no data
//! can tell apart, and every count behind them. No floats: the numbers hold up in court.
//!
//! Always true, and tested: the ranking is the same whatever the order of candidates and units; a
//! corrected value is never below its p; candidates of one group have equal counts.

pub mod hypergeometric;
pub mod measures;
pub mod scientific;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Lineage;
use super::event::{EventKind, Item};
use super::graph::NodeIndex;
use super::graph::exposure::{Exposure, Watched};
use super::graph::timed::Suspicion;
use super::origin::Named;
use super::source::Source;
use crate::id::text_ids;
use crate::label::codes;
use crate::number::{Exact, Ratio};
use crate::time::{Instant, Interval, Zone};
use hypergeometric::{Counts, mantel_haenszel_z, stratified_p_value};
use measures::Measures;
use scientific::{Big, Probability};

text_ids! {
    /// A stratum: units whose rate of return may differ from others for reasons of their own.
    StratumId = "stratum id";
}

codes! {
    /// What became of a unit.
    pub enum Outcome "outcome" {
        /// No defect known.
        Good = "good", "Good", "正常";
        /// Came back, or was found, with a defect of quality.
        Defective = "defective", "Defective", "不良";
    }
}

codes! {
    /// How p values are corrected for the number of candidates tested.
    pub enum Correction "correction" {
        /// Benjamini-Hochberg: the expected share of false suspects; holds when tests depend
        /// positively, as shared ancestry makes them.
        BenjaminiHochberg = "benjamini_hochberg", "Benjamini-Hochberg", "BH校正";
        /// Benjamini-Yekutieli: holds under any dependence; stricter.
        BenjaminiYekutieli = "benjamini_yekutieli", "Benjamini-Yekutieli", "BY校正";
    }
}

codes! {
    /// What the chance of a defect is compared with.
    pub enum Comparison "comparison" {
        /// All units together.
        Pooled = "pooled", "All units together", "合并";
        /// Only units of the same stratum.
        WithinStrata = "within_strata", "Within strata", "分层";
    }
}

/// A unit that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The unit: a serial, an order, an order line, or a small lot.
    pub item: Item,
    /// What became of it.
    pub outcome: Outcome,
    /// Its stratum, such as the article.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stratum: Option<StratumId>,
}

/// How to rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RankingPlan {
    /// Candidates in fewer units than this are not tested. Applied before testing.
    pub minimum_exposure: u32,
    /// The correction for the number of tests.
    pub correction: Correction,
    /// What to compare with.
    pub comparison: Comparison,
    /// At most so many suspects, each found after the units of the ones before are set aside.
    pub rounds: u32,
    /// A further round is made only after a suspect whose corrected value is at most this.
    pub accept: Probability,
}

impl Default for RankingPlan {
    /// At least 3 exposed units, BH, pooled, one round, acceptance at 0.05.
    fn default() -> Self {
        let accept = Probability::capped(Big::ONE.over(20));
        Self {
            minimum_exposure: 3,
            correction: Correction::BenjaminiHochberg,
            comparison: Comparison::Pooled,
            rounds: 1,
            accept,
        }
    }
}

/// One candidate with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suspect {
    /// The candidate.
    pub source: Source,
    /// All strata together.
    pub counts: Counts,
    /// The chance of at least so many defects among its units if it had nothing to do with them.
    pub p: Probability,
    /// The base-10 logarithm of p, to six decimals: zero or below. For charts and for systems that
    /// would take a very small p for zero.
    pub log10_p: Exact,
    /// The chance p, corrected for the number of candidates tested.
    pub q: Probability,
    /// The signed Cochran-Mantel-Haenszel statistic over the strata compared (one, when pooled): above
    /// zero when the exposed fail more often than the others. None when nothing could vary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub z: Option<Exact>,
    /// Other measures of association, from the counts of all strata together. The order of the
    /// ranking is by p alone.
    pub measures: Measures,
    /// Candidates with the same number here reach exactly the same units: no data can tell them
    /// apart. Numbered from zero in order of the ranking.
    pub group: u32,
}

impl Suspect {
    /// The share of defective among the exposed.
    #[must_use]
    pub fn exposed_rate(&self) -> Ratio {
        ratio(self.counts.exposed_defective, self.counts.exposed)
    }

    /// The share of defective among the others.
    #[must_use]
    pub fn other_rate(&self) -> Ratio {
        ratio(
            self.counts.defective.saturating_sub(self.counts.exposed_defective),
            self.counts.units.saturating_sub(self.counts.exposed),
        )
    }
}

fn ratio(part: u32, whole: u32) -> Ratio {
    Ratio::new(part.into(), i64::from(whole).max(1)).unwrap_or(Ratio::ZERO)
}

/// The candidates in order, and what was done to find it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ranking {
    /// All units in this round.
    pub units: u32,
    /// The defective among them.
    pub defective: u32,
    /// Candidates tested: the number that the correction is for.
    pub tested: u32,
    /// Candidates left out because they are in too few units.
    pub below_minimum: u32,
    /// Observed units that no event names; they are not counted.
    pub unknown_units: u32,
    /// How it was done.
    pub plan: RankingPlan,
    /// By p, then by the higher share of defective, then by name.
    pub suspects: Vec<Suspect>,
}

impl Ranking {
    /// The candidates that no data can tell apart from the first.
    pub fn first_group(&self) -> impl Iterator<Item = &Suspect> {
        self.suspects.iter().filter(|suspect| suspect.group == 0)
    }
}

codes! {
    /// What kind of candidates to propose.
    pub enum CandidateKind "candidate kind" {
        /// Lots, serials and articles that went into defective units.
        Items = "items", "Lots and serials", "批次与序列号";
        /// Suppliers that delivered anything.
        Suppliers = "suppliers", "Suppliers", "供应商";
        /// Production lines and machines.
        Lines = "lines", "Production lines", "产线";
        /// Places where something was put out.
        Places = "places", "Places", "地点";
        /// Civil days on which something was received or made.
        Dates = "dates", "Dates", "日期";
    }
}

impl Lineage {
    /// Candidates worth testing: of items, only what went into a defective unit; of the others, all
    /// on record. Dates are civil days in the zone given.
    #[must_use]
    pub fn candidates(
        &self,
        kind: CandidateKind,
        observations: &[Observation],
        zone: Zone,
    ) -> Vec<Source> {
        let found: BTreeSet<Source> = match kind {
            CandidateKind::Items => {
                let bad = observations.iter().filter(|seen| seen.outcome == Outcome::Defective);
                let units: Vec<NodeIndex> = bad.filter_map(|seen| self.node(&seen.item)).collect();
                let reach = self.graph.timed_backward(&units);
                let own: BTreeSet<&NodeIndex> = units.iter().collect();
                let items = reach.nodes.iter().filter(|node| !own.contains(node));
                let items = items.filter_map(|&node| self.item(node));
                items.filter(|item| item.order().is_none()).cloned().map(Source::item).collect()
            }
            CandidateKind::Suppliers => self
                .names(&self.origins.suppliers, |_| true)
                .map(|supplier| Source::Supplier { supplier, window: None })
                .collect(),
            CandidateKind::Lines => self
                .names(&self.origins.lines, |_| true)
                .map(|line| Source::Line { line, window: None })
                .collect(),
            CandidateKind::Places => self
                .names(&self.origins.places, |kind| kind != EventKind::Ship)
                .map(|place| Source::Place { place, window: None })
                .collect(),
            CandidateKind::Dates => self.dates(zone).into_iter().map(Source::Period).collect(),
        };
        found.into_iter().collect()
    }

    /// The names with an event that counts.
    fn names<K: Clone>(
        &self,
        names: &Named<K>,
        counts: impl Fn(EventKind) -> bool,
    ) -> impl Iterator<Item = K> {
        let counts =
            move |&event: &u32| self.graph.is_alive(event) && counts(self.graph.kind(event));
        names.iter().filter(move |(_, events)| events.iter().any(&counts)).map(|(k, _)| k.clone())
    }

    fn dates(&self, zone: Zone) -> Vec<Interval> {
        let mut days: Vec<Interval> = Vec::new();
        let mut listed = i64::MIN;
        for event in self.graph.chronological() {
            let time = self.graph.time(event);
            let moves = matches!(self.graph.kind(event), EventKind::Ship | EventKind::Return);
            if time < listed || moves || self.graph.outputs(event).is_empty() {
                continue;
            }
            let Some(day) = Instant::from_timestamp_micros(time).map(|at| zone.date(at)) else {
                continue;
            };
            let ends = zone.start_of(day).ok().zip(zone.end_of(day).ok());
            if let Some(day) = ends.and_then(|(start, end)| Interval::new(start, end).ok()) {
                listed = day.end().timestamp_micros();
                days.push(day);
            }
        }
        days
    }

    /// Ranks the candidates by how well they explain the defective units. One ranking per round;
    /// each later round sets aside all units of the suspect before it, so that its relatives do not
    /// fill the list and a second cause can show.
    ///
    /// An item observed twice counts once, as defective if any observation says so, and in the first by
    /// name of the strata given for it.
    #[must_use]
    pub fn rank(
        &self,
        candidates: &[Source],
        observations: &[Observation],
        plan: &RankingPlan,
    ) -> Vec<Ranking> {
        let (mut watched, unknown_units) = self.watch(observations, plan.comparison);
        let sources: Vec<Source> = {
            let unique: BTreeSet<&Source> = candidates.iter().collect();
            unique.into_iter().cloned().collect()
        };
        let resolved: Vec<Suspicion> = sources
            .iter()
            .map(|source| self.resolve(core::slice::from_ref(source)).suspicion)
            .collect();
        let mut rankings = Vec::new();
        for _ in 0..plan.rounds.max(1) {
            let exposures = self.graph.exposures(&resolved, &watched);
            let ranking = rank_exposures(&sources, &exposures, &watched, unknown_units, plan);
            let accepted = ranking.suspects.first().filter(|first| first.q <= plan.accept);
            let place = accepted.and_then(|first| sources.binary_search(&first.source).ok());
            rankings.push(ranking);
            let Some(suspicion) = place.and_then(|place| resolved.get(place)) else { break };
            let reach = self.graph.timed_forward(suspicion).nodes;
            watched.retain(|unit| reach.binary_search(&unit.node).is_err());
        }
        rankings
    }

    fn watch(&self, observations: &[Observation], comparison: Comparison) -> (Vec<Watched>, u32) {
        let mut units: BTreeMap<NodeIndex, (bool, Option<&StratumId>)> = BTreeMap::new();
        let mut unknown: BTreeSet<&Item> = BTreeSet::new();
        for seen in observations {
            let Some(node) = self.node(&seen.item).filter(|node| self.graph.is_named(node.0))
            else {
                unknown.insert(&seen.item);
                continue;
            };
            let unit = units.entry(node).or_default();
            unit.0 |= seen.outcome == Outcome::Defective;
            // Of several strata the first by name, whatever the order of observations.
            unit.1 = unit.1.into_iter().chain(&seen.stratum).min();
        }
        let strata: BTreeSet<Option<&StratumId>> = match comparison {
            Comparison::Pooled => BTreeSet::new(),
            Comparison::WithinStrata => units.values().map(|&(_, stratum)| stratum).collect(),
        };
        let groups: BTreeMap<Option<&StratumId>, u32> = strata.into_iter().zip(0..).collect();
        let watched = units.into_iter().map(|(node, (marked, stratum))| Watched {
            node,
            group: groups.get(&stratum).copied().unwrap_or_default(),
            marked,
        });
        (watched.collect(), u32::try_from(unknown.len()).unwrap_or(u32::MAX))
    }
}

fn rank_exposures(
    sources: &[Source],
    exposures: &[Exposure],
    watched: &[Watched],
    unknown_units: u32,
    plan: &RankingPlan,
) -> Ranking {
    let groups = watched
        .iter()
        .map(|unit| unit.group)
        .max()
        .map_or(1, |most| (most as usize).saturating_add(1));
    let mut totals = vec![(0_u32, 0_u32); groups];
    for unit in watched {
        if let Some(total) = totals.get_mut(unit.group as usize) {
            total.0 = total.0.saturating_add(1);
            total.1 = total.1.saturating_add(unit.marked.into());
        }
    }
    let sum = |pairs: &[(u32, u32)]| {
        pairs.iter().fold((0_u32, 0_u32), |sum, pair| {
            (sum.0.saturating_add(pair.0), sum.1.saturating_add(pair.1))
        })
    };
    let (units, defective) = sum(&totals);
    let mut below_minimum = 0_u32;
    let mut tested: Vec<(Suspect, u128)> = Vec::new();
    for (source, exposure) in sources.iter().zip(exposures) {
        let (exposed, exposed_defective) = sum(&exposure.by_group);
        if exposed < plan.minimum_exposure.max(1) {
            below_minimum = below_minimum.saturating_add(1);
            continue;
        }
        let counts = Counts { units, exposed, defective, exposed_defective };
        let (p, z) = match plan.comparison {
            Comparison::Pooled => (counts.p_value(), mantel_haenszel_z(&[counts])),
            Comparison::WithinStrata => {
                let strata: Vec<Counts> = totals
                    .iter()
                    .zip(&exposure.by_group)
                    .map(|(&(units, defective), &(exposed, exposed_defective))| Counts {
                        units,
                        exposed,
                        defective,
                        exposed_defective,
                    })
                    .collect();
                (stratified_p_value(&strata), mantel_haenszel_z(&strata))
            }
        };
        let measures = counts.measures();
        let source = source.clone();
        let log10_p = p.log10().unwrap_or_default();
        let suspect = Suspect { source, counts, p, log10_p, q: p, z, measures, group: 0 };
        tested.push((suspect, exposure.print));
    }
    tested.sort_by(|(a, _), (b, _)| {
        let order = a.p.cmp(&b.p).then_with(|| b.exposed_rate().cmp(&a.exposed_rate()));
        order.then_with(|| a.source.cmp(&b.source))
    });
    let mut prints: BTreeMap<u128, u32> = BTreeMap::new();
    for (suspect, print) in &mut tested {
        let next = prints.len() as u32;
        suspect.group = *prints.entry(*print).or_insert(next);
    }
    let mut suspects: Vec<Suspect> = tested.into_iter().map(|(suspect, _)| suspect).collect();
    correct(&mut suspects, plan.correction);
    let tested = suspects.len() as u32;
    Ranking { units, defective, tested, below_minimum, unknown_units, plan: *plan, suspects }
}

/// Corrected values of a list in ascending order of p: `p * m / rank`, never falling down the list.
fn correct(suspects: &mut [Suspect], correction: Correction) {
    let tests = suspects.len() as u64;
    let factor = match correction {
        Correction::BenjaminiHochberg => Big::ONE,
        Correction::BenjaminiYekutieli => {
            (1..=tests).fold(Big::ZERO, |sum, rank| sum.plus(Big::ONE.over(rank)))
        }
    };
    let mut least = Probability::ONE;
    for (place, suspect) in suspects.iter_mut().enumerate().rev() {
        let rank = (place as u64).saturating_add(1);
        let value = suspect.p.big().times(tests).over(rank).product(factor);
        least = least.min(Probability::capped(value));
        suspect.q = least.max(suspect.p);
    }
}
