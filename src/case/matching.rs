//! Ownerless parcels (无主件): which open cases an unidentified parcel may belong to.
//!
//! In: what can be read from the parcel, and candidate cases. Out: the cases that share a mark with
//! it, the best first, each with an integer score and the findings that make it up. The order is
//! total and does not depend on the order of the candidates. A person decides; several cases may share
//! one parcel, see [`share_out`].

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::AfterSale;
use super::ledger::MAY_TURN_UP;
use super::state::ReturnCase;
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::{CaseId, OrderId, OrderLineId, ParcelId, RuleId, SerialId, Sku};
use crate::quantity::Quantity;

/// What can be read from a parcel that nobody announced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ParcelMarks {
    /// The tracking number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking: Option<ParcelId>,
    /// An order number found in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Serial numbers of its goods.
    pub serials: BTreeSet<SerialId>,
    /// What is in it, as far as it can be read.
    pub contents: BTreeMap<Sku, Quantity>,
    /// Digests of the sender's name and telephone number, made by the host; never the plain text.
    pub sender: BTreeSet<String>,
    /// Its weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grams: Option<u32>,
}

/// A case that a parcel may belong to.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The order of the case.
    pub order: &'a AfterSale,
    /// The case.
    pub case: &'a ReturnCase,
    /// Digests of the customer's names and telephone numbers, made in the same way.
    pub sender: &'a BTreeSet<String>,
    /// What the goods of the case weigh together, when the host knows it.
    pub grams: Option<u32>,
}

/// A case that shares a mark with the parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParcelMatch {
    /// The order.
    pub order: OrderId,
    /// The case.
    pub case: CaseId,
    /// The sum of the points of the findings.
    pub score: u32,
    /// Which mark fits, with its points as `required` of the finding.
    pub findings: Vec<Finding>,
}

/// Points for a tracking number that the customer registered.
pub const TRACKING: u32 = 1_000;
/// Points for a serial number of the case; counted once.
pub const SERIAL: u32 = 700;
/// Points for the order number.
pub const ORDER: u32 = 400;
/// Points for the sender; counted for two digests at most.
pub const SENDER: u32 = 150;
/// Points for an article that the case awaits; counted for three at most.
pub const ARTICLE: u32 = 100;
/// Points for a weight within a tenth.
pub const WEIGHT: u32 = 50;

/// The cases that share a mark with the parcel, the best first.
///
/// Order: score, then the case that was opened first, then the ids. Cases that have ended, were
/// refused, or await no goods are left out.
#[must_use]
pub fn rank<'a>(
    parcel: &ParcelMarks,
    candidates: impl IntoIterator<Item = Candidate<'a>>,
) -> Vec<ParcelMatch> {
    let mut found: Vec<_> = candidates
        .into_iter()
        .filter(|candidate| awaits_goods(candidate.case))
        .filter_map(|candidate| Some((candidate.case.opened_at, score(parcel, &candidate)?)))
        .collect();
    found.sort_by(|(opened, one), (other_opened, other)| {
        let (key, other_key) = ((&one.order, &one.case), (&other.order, &other.case));
        other.score.cmp(&one.score).then(opened.cmp(other_opened)).then(key.cmp(&other_key))
    });
    found.into_iter().map(|(_, found)| found).collect()
}

pub(super) fn awaits_goods(case: &ReturnCase) -> bool {
    let open = case.closing.is_none() && case.approval != super::state::Approval::Declined;
    open && case.lines.iter().any(|line| line.held.over(MAY_TURN_UP) > 0)
}

fn score(parcel: &ParcelMarks, candidate: &Candidate<'_>) -> Option<ParcelMatch> {
    let (order, case) = (candidate.order, candidate.case);
    let mut marks: Vec<(&'static str, Fact, u32)> = Vec::new();
    if let Some(tracking) = parcel.tracking.as_ref().filter(|id| case.parcels.contains_key(*id)) {
        marks.push(("tracking", Fact::Text(tracking.as_str().into()), TRACKING));
    }
    let own = |serial: &&SerialId| {
        case.lines.iter().any(|line| {
            line.serials.contains(*serial)
                || (line.serials.is_empty() && order.sale().shipped_serial(&line.line, serial))
        })
    };
    if let Some(serial) = parcel.serials.iter().find(own) {
        marks.push(("serial", Fact::Text(serial.as_str().into()), SERIAL));
    }
    if parcel.order.as_ref() == Some(order.sale().order()) {
        marks.push(("order", Fact::Text(order.sale().order().as_str().into()), ORDER));
    }
    let known = parcel.sender.intersection(candidate.sender).count();
    if known > 0 {
        let known = u32::try_from(known.min(2)).unwrap_or(2);
        marks.push(("sender", Fact::Count(known.into()), SENDER.saturating_mul(known)));
    }
    let awaited = awaited(order, case);
    let articles = parcel.contents.keys().filter(|sku| awaited.contains(sku)).count();
    if articles > 0 {
        let articles = u32::try_from(articles.min(3)).unwrap_or(3);
        marks.push(("article", Fact::Count(articles.into()), ARTICLE.saturating_mul(articles)));
    }
    if let (Some(found), Some(expected)) = (parcel.grams, candidate.grams)
        && u64::from(found.abs_diff(expected)).saturating_mul(10) <= u64::from(expected)
    {
        marks.push(("weight", Fact::Count(found.into()), WEIGHT));
    }
    let score = marks.iter().fold(0_u32, |sum, (_, _, points)| sum.saturating_add(*points));
    let findings = marks
        .into_iter()
        .map(|(rule, observed, points)| {
            Finding::new(RuleRef::new(RuleId::fixed(rule)), Effect::Raises)
                .about(&case.id)
                .observed(observed)
                .required(Fact::Count(points.into()))
        })
        .collect();
    let (order, case) = (order.sale().order().clone(), case.id.clone());
    (score > 0).then_some(ParcelMatch { order, case, score, findings })
}

fn awaited<'a>(order: &'a AfterSale, case: &'a ReturnCase) -> BTreeSet<&'a Sku> {
    let lines = case.lines.iter().filter(|line| line.held.over(MAY_TURN_UP) > 0);
    lines.filter_map(|line| article(order, &line.line)).collect()
}

pub(super) fn article<'a>(order: &'a AfterSale, line: &OrderLineId) -> Option<&'a Sku> {
    match order.added(line) {
        Some(added) => Some(&added.sku),
        None => order.sale().line(line).map(|line| &line.ordered.sku),
    }
}

/// Some of the contents of a parcel, for one line of one case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The order.
    pub order: OrderId,
    /// The case.
    pub case: CaseId,
    /// The line.
    pub line: OrderLineId,
    /// How much.
    pub quantity: Quantity,
}

/// Shares the contents of one parcel out to several cases, in the order given, none getting more of a
/// line than it awaits; what is left belongs to nobody yet.
#[must_use]
pub fn share_out<'a>(
    contents: &BTreeMap<Sku, Quantity>,
    cases: impl IntoIterator<Item = (&'a AfterSale, &'a ReturnCase)>,
) -> (Vec<Share>, BTreeMap<Sku, Quantity>) {
    let mut left = contents.clone();
    let mut shares = Vec::new();
    let mut seen = BTreeSet::new();
    for (order, case) in cases {
        if !awaits_goods(case) || !seen.insert((order.sale().order(), &case.id)) {
            continue;
        }
        for line in &case.lines {
            let Some(sku) = article(order, &line.line) else { continue };
            let Some(there) = left.get_mut(sku) else { continue };
            let steps = line.held.over(MAY_TURN_UP).min(there.steps()).max(0);
            if there.unit() != line.requested.unit() || steps == 0 {
                continue;
            }
            let Ok(quantity) = Quantity::new(steps, there.unit()) else { continue };
            let Ok(rest) = there.checked_sub(quantity) else { continue };
            *there = rest;
            shares.push(Share {
                order: order.sale().order().clone(),
                case: case.id.clone(),
                line: line.line.clone(),
                quantity,
            });
        }
    }
    left.retain(|_, quantity| !quantity.is_zero());
    (shares, left)
}
