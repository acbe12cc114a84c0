//! Every credit line of goods judged by the voluntary policy of the shop.

use std::collections::BTreeMap;
use std::error::Error;

use aftersale::calendar::working_days::WorkingDays;
use aftersale::explain::{Fact, Finding};
use aftersale::id::FactName;
use aftersale::policy::deadline::{Place, Timeline};
use aftersale::policy::facts::LineFacts;
use aftersale::policy::judge::Situation;
use aftersale::policy::period::Anchor;
use aftersale::policy::set::{PolicyDraft, PolicySet};
use aftersale::policy::terms::Remedy;
use aftersale::policy::verdict::{GroundKind, Verdict};

use super::Shop;
use crate::figures::{Figures, Sum, worth};
use crate::matching::{Credit, Kind, Matched, reduction};

/// The policy as data; the days of its window are an argument.
const POLICY: &str = include_str!("../policy.json");

/// What the verdict on a credit line comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Asked for within the days of the policy.
    InWindow,
    /// Asked for after them.
    Late,
    /// No earlier sale of the code to the customer.
    NoProof,
    /// The same units of the code at the same price were credited shortly before.
    PossibleDuplicate,
    /// Sold again within a day: only the difference in price is due.
    PriceCorrection,
    /// A fact is missing.
    Undecided,
}

impl Outcome {
    /// Its name on the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InWindow => "In window",
            Self::Late => "Late",
            Self::NoProof => "No proof of purchase",
            Self::PossibleDuplicate => "Possible duplicate",
            Self::PriceCorrection => "Price correction",
            Self::Undecided => "Undecided",
        }
    }

    fn of(verdict: &Verdict) -> Self {
        let refused = |kind| verdict.refused.iter().any(|refused| refused.has(kind));
        if verdict.best_for(Remedy::PriceReduction).is_some() {
            Self::PriceCorrection
        } else if verdict.best_for(Remedy::Refund).is_some() {
            Self::InWindow
        } else if refused(GroundKind::RequirementUnmet) {
            Self::NoProof
        } else if refused(GroundKind::Excluded) {
            Self::PossibleDuplicate
        } else if refused(GroundKind::TooLate) {
            Self::Late
        } else {
            Self::Undecided
        }
    }
}

/// All verdicts of the slice.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// Money and lines by outcome.
    pub outcomes: BTreeMap<Outcome, Sum>,
    /// The same for what is left at the end of the waterfall.
    pub explained: BTreeMap<Outcome, Sum>,
    /// The largest credit line of each outcome, decided in full.
    pub samples: Vec<Sample>,
    /// The outcome of each credit, by its position.
    pub by_credit: BTreeMap<usize, Outcome>,
}

/// One credit line with its verdict in full.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Position in the list of credits.
    pub credit: usize,
    /// What it comes to.
    pub outcome: Outcome,
    /// What each rule had to say, with the rule's fate in front.
    pub findings: Vec<(&'static str, Finding)>,
}

/// The shop's policy, ready to judge.
pub struct Judge {
    policies: PolicySet,
    place: Place,
    names: [FactName; 3],
}

impl Judge {
    /// Verifies the policy with this many days of window.
    ///
    /// # Errors
    ///
    /// Every defect of the policy.
    pub fn new(shop: &Shop<'_>, days: u16) -> Result<Self, Box<dyn Error>> {
        let mut drafts: Vec<PolicyDraft> = serde_json::from_str(POLICY)?;
        for window in drafts
            .iter_mut()
            .flat_map(|draft| &mut draft.rules)
            .filter_map(|rule| rule.window.as_mut())
        {
            window.length.count = days.into();
        }
        let name = |text| FactName::new(text);
        Ok(Self {
            policies: PolicySet::verify(drafts)?,
            place: Place::new(shop.zone, WorkingDays::weekdays()),
            names: [name("proof_of_purchase")?, name("credited_before")?, name("sold_again")?],
        })
    }

    /// Judges one credit line. The anchor is the newest sale it corrects.
    ///
    /// # Errors
    ///
    /// When a time is outside the years 1 to 9999.
    pub fn judge(&self, shop: &Shop<'_>, credit: &Credit) -> Result<Verdict, Box<dyn Error>> {
        let row = &shop.book.rows[credit.row];
        let mut timeline = Timeline::new(shop.instant(row.time())?);
        let newest =
            credit.used.iter().map(|used| &shop.book.rows[used.row]).max_by_key(|sale| sale.at);
        if let Some(sale) = newest {
            timeline = timeline.with(Anchor::Sold, shop.instant(sale.time())?);
        }
        let line = LineFacts { more: self.known(credit), ..LineFacts::default() };
        Ok(self.policies.judge(&Situation { line, timeline }, &self.place))
    }

    /// What the host knows about a credit line that the policy asks for.
    pub fn known(&self, credit: &Credit) -> BTreeMap<FactName, Fact> {
        let known = [!credit.used.is_empty(), credit.twin.is_some(), !credit.sold_again.is_empty()];
        self.names.iter().cloned().zip(known.map(Fact::Flag)).collect()
    }

    /// Where days are counted.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The set of policies.
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }
}

/// Judges every credit line of goods in the slice.
///
/// # Errors
///
/// When a time is outside the years 1 to 9999.
pub fn verdicts(
    shop: &Shop<'_>,
    judge: &Judge,
    matched: &Matched,
    figures: &Figures,
) -> Result<Verdicts, Box<dyn Error>> {
    let mut all = Verdicts::default();
    let mut largest: BTreeMap<Outcome, (i128, Sample)> = BTreeMap::new();
    for position in &figures.counted {
        let credit = &matched.credits[*position];
        if !credit.is_goods {
            continue;
        }
        let verdict = judge.judge(shop, credit)?;
        let outcome = Outcome::of(&verdict);
        let value = worth(shop.book, credit);
        all.outcomes.entry(outcome).or_default().add(value);
        all.by_credit.insert(*position, outcome);
        // Entries reversed within the hour say nothing about returns, so no sample is taken there.
        if credit.kind == Kind::Reversed {
            continue;
        }
        if credit.kind == Kind::Explained {
            all.explained.entry(outcome).or_default().add(value);
        }
        let value =
            if outcome == Outcome::PriceCorrection { reduction(shop.book, credit) } else { value };
        if largest.get(&outcome).is_none_or(|(most, _)| value > *most) {
            let sample = Sample { credit: *position, outcome, findings: findings(&verdict) };
            largest.insert(outcome, (value, sample));
        }
    }
    all.samples = largest.into_values().map(|(_, sample)| sample).collect();
    Ok(all)
}

fn findings(verdict: &Verdict) -> Vec<(&'static str, Finding)> {
    let mut found = Vec::new();
    for right in &verdict.entitlements {
        found.extend(right.findings.iter().map(|finding| ("granted", finding.clone())));
        found.extend(right.subject_to.iter().map(|finding| ("subject to", finding.clone())));
    }
    for refused in &verdict.refused {
        let grounds = refused.grounds.iter().flat_map(|ground| &ground.findings);
        found.extend(grounds.map(|finding| ("refused", finding.clone())));
    }
    for open in &verdict.undecided {
        let grounds = open.grounds.iter().flat_map(|ground| &ground.findings);
        found.extend(grounds.map(|finding| ("undecided", finding.clone())));
    }
    found
}
