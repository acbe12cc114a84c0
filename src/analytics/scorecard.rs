//! Scorecards: what each liable party cost, and what came back from each debtor.
//!
//! In: orders with their cases, as replayed from their events. Out: sums of whole numbers, mergeable
//! across orders and shards in any order. Count each order once; fold it again after more events by
//! building its scorecards anew.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::case::AfterSale;
use crate::case::liability::Party;
use crate::case::recovery::{ClaimState, RecoveryClaim, party_of};
use crate::id::CaseId;
use crate::money::currency::Currency;
use crate::quantity::Unit;
use crate::settlement::recovery::{DebtorId, Recovery};

/// The scorecards of all liable parties and all debtors, by currency.
///
/// ```
/// use aftersale::analytics::scorecard::Scorecards;
/// use aftersale::case::AfterSale;
/// # use aftersale::sale::{Sale, draft::SaleDraft};
/// # let draft: SaleDraft = serde_json::from_str(r#"{
/// #   "order": "SO-1", "currency": "EUR", "placed_at": "2026-03-02T09:00:00Z",
/// #   "prices": "tax_included",
/// #   "lines": [{"id": "1", "sku": "PHONE", "quantity": {"amount": "1", "unit": "pcs"},
/// #              "unit_price": "649.99"}],
/// #   "total": {"amount": "649.99", "currency": "EUR"}
/// # }"#)?;
/// # let (one, other) = (AfterSale::open(Sale::freeze(draft.clone())?), AfterSale::open(Sale::freeze(draft)?));
/// let both = Scorecards::of(&one).merge(Scorecards::of(&other)); // two orders, perhaps on two shards
/// assert!(both.parties.is_empty()); // nobody was found liable yet
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scorecards {
    /// What liability decisions laid on each kind of party.
    pub parties: BTreeMap<(Currency, Party), PartyScore>,
    /// What was claimed from each debtor, and what came of it.
    pub debtors: BTreeMap<(Currency, Party, DebtorId), DebtorScore>,
}

/// What liability decisions laid on one kind of party.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartyScore {
    /// In how many cases it bears a share.
    pub cases: u64,
    /// Of how many lines.
    pub lines: u64,
    /// The quantities asked back on those lines, in steps of each unit.
    pub units: BTreeMap<Unit, i128>,
    /// Its part of what they cost as far as is known, in minor units.
    pub cost: i128,
}

/// What was claimed from one debtor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DebtorScore {
    /// In how many cases.
    pub cases: u64,
    /// How many claims.
    pub claims: u64,
    /// How many of them stand refused.
    pub refused: u64,
    /// What was claimed, in minor units.
    pub claimed: i128,
    /// What came in.
    pub recovered: i128,
    /// What was given up.
    pub written_off: i128,
}

impl Scorecards {
    /// The scorecards of one order.
    #[must_use]
    pub fn of(order: &AfterSale) -> Self {
        let mut cards = Self::default();
        let currency = order.sale().currency();
        let mut of_party: BTreeSet<(Party, &CaseId)> = BTreeSet::new();
        let mut of_debtor: BTreeSet<(Party, &DebtorId, &CaseId)> = BTreeSet::new();
        for case in order.cases() {
            for line in &case.lines {
                let Some(liability) = &line.liability else { continue };
                let recovery = case.recovery(&line.line).ok().flatten();
                let parts = recovery.iter().flat_map(Recovery::parts);
                let costs: BTreeMap<Party, i128> = parts
                    .filter_map(|part| Some((party_of(&part.debtor)?, part.cost.minor().into())))
                    .collect();
                for (party, _) in liability.shares() {
                    let score = cards.parties.entry((currency, party)).or_default();
                    score.cases = plus(score.cases, of_party.insert((party, &case.id)));
                    score.lines = score.lines.saturating_add(1);
                    let units = score.units.entry(line.requested.unit()).or_default();
                    *units = units.saturating_add(line.requested.steps().into());
                    let cost = costs.get(&party).copied().unwrap_or(0);
                    score.cost = score.cost.saturating_add(cost);
                }
            }
            for claim in &case.claims {
                let new = of_debtor.insert((claim.party, &claim.debtor, &case.id));
                let key = (currency, claim.party, claim.debtor.clone());
                let score = cards.debtors.entry(key).or_default();
                score.cases = plus(score.cases, new);
                score.count(claim);
            }
        }
        cards
    }

    /// The sum of two; the order does not matter.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (key, theirs) in other.parties {
            let own = self.parties.entry(key).or_default();
            own.cases = own.cases.saturating_add(theirs.cases);
            own.lines = own.lines.saturating_add(theirs.lines);
            own.cost = own.cost.saturating_add(theirs.cost);
            for (unit, steps) in theirs.units {
                let sum = own.units.entry(unit).or_default();
                *sum = sum.saturating_add(steps);
            }
        }
        for (key, theirs) in other.debtors {
            let own = self.debtors.entry(key).or_default();
            own.cases = own.cases.saturating_add(theirs.cases);
            own.claims = own.claims.saturating_add(theirs.claims);
            own.refused = own.refused.saturating_add(theirs.refused);
            own.claimed = own.claimed.saturating_add(theirs.claimed);
            own.recovered = own.recovered.saturating_add(theirs.recovered);
            own.written_off = own.written_off.saturating_add(theirs.written_off);
        }
        self
    }
}

impl DebtorScore {
    fn count(&mut self, claim: &RecoveryClaim) {
        let (amount, recovered) =
            (i128::from(claim.amount.minor()), claim.recovered.minor().into());
        self.claims = self.claims.saturating_add(1);
        self.refused = plus(self.refused, claim.state == ClaimState::Refused);
        self.claimed = self.claimed.saturating_add(amount);
        self.recovered = self.recovered.saturating_add(recovered);
        if claim.state == ClaimState::WrittenOff {
            let lost = amount.saturating_sub(recovered);
            self.written_off = self.written_off.saturating_add(lost);
        }
    }
}

fn plus(count: u64, more: bool) -> u64 {
    count.saturating_add(u64::from(more))
}
