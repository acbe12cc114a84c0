//! Recovery: what a return cost, who bears it, and what is claimed back from them.
//!
//! In: the settlements of a case, the costs recorded beside them and the liability of each line. Out:
//! the cost of a line, the exact part of each liable party, and the claims against them.
//!
//! The cost of a line is what the customer was given for it (money, or goods of the same value, with
//! its part of freight paid back, less what was kept back) and every cost recorded, less what the
//! goods that came back are still worth. Each of these amounts is shared out once by the largest
//! remainder and the parts are summed, so that a growing cost never lowers anybody's part.
//!
//! Always true, and tested in `tests/case/recovery.rs`: what is claimed from a party for a line and
//! not given up is at most its part of the cost.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::ledger::Location;
use super::liability::{Party, Shares};
use super::state::{CaseLine, ReturnCase};
use crate::id::OrderLineId;
use crate::label::{Coded, codes};
use crate::money::{Money, MoneyError};
use crate::settlement::recovery::{Attributed, DebtorId, Recovery, RecoveryRefused};
use crate::settlement::{EntryKind, Settlement, Target};

codes! {
    /// What a cost of a return is.
    pub enum CostKind "cost of a return" {
        /// The way back, paid by the seller.
        ReturnFreight = "return_freight", "Return freight", "退货运费";
        /// Receiving, inspecting, repacking.
        Handling = "handling", "Handling", "处理费";
        /// Value that goods lost which came back against other goods.
        Depreciation = "depreciation", "Depreciation", "贬值";
        /// Goods given that no settlement shows, such as missing parts sent again.
        Replacement = "replacement", "Replacement", "补换货成本";
        /// What goods that came back are still worth. It lowers the cost.
        Salvage = "salvage", "Value kept", "残值";
    }
}

/// A cost of a line that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// What it is.
    pub kind: CostKind,
    /// How much, above zero.
    pub amount: Money,
}

/// A claim against a liable party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryClaim {
    /// Its number in the case, from 1.
    pub number: u32,
    /// For which line.
    pub line: OrderLineId,
    /// As what the debtor is liable.
    pub party: Party,
    /// From whom.
    pub debtor: DebtorId,
    /// How much was claimed.
    pub amount: Money,
    /// How much of it came in.
    pub recovered: Money,
    /// How far it is.
    pub state: ClaimState,
}

codes! {
    /// How far a claim is.
    pub enum ClaimState "recovery claim" {
        /// Sent, and not answered in full.
        Open = "open", "Open", "待追偿";
        /// The debtor refuses; it may still pay, or be written off.
        Refused = "refused", "Refused", "被拒绝";
        /// Paid in full.
        Recovered = "recovered", "Recovered", "已追偿";
        /// What did not come in was given up.
        WrittenOff = "written_off", "Written off", "已核销";
    }
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RecoveryResult {
    /// Money, or a credit, came in.
    Recovered {
        /// How much, above zero.
        amount: Money,
        /// The reference of the bank or the credit note.
        reference: String,
    },
    /// The debtor refuses what is open.
    Refused {
        /// What the debtor says.
        note: String,
    },
    /// What is open is given up; it can be claimed anew.
    WrittenOff {
        /// Why.
        note: String,
    },
}

impl RecoveryClaim {
    /// What is still awaited of it.
    #[must_use]
    pub fn open(&self) -> Money {
        match self.state {
            ClaimState::Open | ClaimState::Refused => {
                self.amount.checked_sub(self.recovered).unwrap_or(self.amount)
            }
            ClaimState::Recovered | ClaimState::WrittenOff => Money::zero(self.amount.currency()),
        }
    }

    /// What of it counts against the party's part of the cost: all that came in or is awaited.
    #[must_use]
    pub fn counted(&self) -> Money {
        match self.state {
            ClaimState::Open | ClaimState::Refused | ClaimState::Recovered => self.amount,
            ClaimState::WrittenOff => self.recovered,
        }
    }

    pub(super) fn note(&mut self, result: &RecoveryResult) {
        match result {
            RecoveryResult::Recovered { amount, .. } => {
                self.recovered = self.recovered.checked_add(*amount).unwrap_or(self.amount);
                if self.recovered >= self.amount {
                    self.state = ClaimState::Recovered;
                }
            }
            RecoveryResult::Refused { .. } => self.state = ClaimState::Refused,
            RecoveryResult::WrittenOff { .. } => self.state = ClaimState::WrittenOff,
        }
    }
}

/// Whether a claim can be made against a party for a line: not against the seller, nor against nobody
/// in particular. The buyer's part is kept back in the settlement; only where the money went ahead of
/// the goods, and they came back damaged or not at all, is there nothing to keep it back from.
#[must_use]
pub fn is_claimable(party: Party, line: &CaseLine) -> bool {
    match party {
        Party::Carrier
        | Party::Platform
        | Party::Supplier
        | Party::Manufacturer
        | Party::Warehouse => true,
        Party::Buyer => line.held.over(&[Location::Ahead, Location::Recovered]) > 0,
        Party::Seller | Party::Undetermined => false,
    }
}

/// Every amount that a line of a case cost, in the order in which they came; and what it is still
/// worth.
struct Costs {
    parts: Vec<Money>,
    salvage: Vec<Money>,
}

fn costs_of(case: &ReturnCase, line: &CaseLine) -> Result<Costs, MoneyError> {
    let mut costs = Costs { parts: Vec::new(), salvage: Vec::new() };
    for owed in &case.obligations {
        let given = given(case, &owed.settlement, &line.line)?;
        if given.is_positive() {
            costs.parts.push(given);
        }
    }
    for cost in &line.costs {
        match cost.kind {
            CostKind::Salvage => costs.salvage.push(cost.amount),
            CostKind::ReturnFreight
            | CostKind::Handling
            | CostKind::Depreciation
            | CostKind::Replacement => costs.parts.push(cost.amount),
        }
    }
    Ok(costs)
}

/// What one settlement gave the customer for a line of the case: its own entries, and its part of
/// those of the order as a whole, in proportion to what the lines of the case were given.
fn given(
    case: &ReturnCase,
    settlement: &Settlement,
    line: &OrderLineId,
) -> Result<Money, MoneyError> {
    let zero = Money::zero(settlement.total.currency());
    let mut own: BTreeMap<&OrderLineId, Money> = BTreeMap::new();
    let mut whole = zero;
    for entry in settlement.entries.iter().filter(|entry| is_given(entry.kind)) {
        match &entry.target {
            Target::Line(of) | Target::Component { line: of, .. } => {
                let sum = own.entry(of).or_insert(zero);
                *sum = sum.checked_add(entry.gross)?;
            }
            Target::Charge(_) | Target::Promotion(_) | Target::Order => {
                whole = whole.checked_add(entry.gross)?;
            }
        }
    }
    let of = |line: &OrderLineId| own.get(line).copied().unwrap_or(zero);
    let weights: Vec<i64> = case.lines.iter().map(|l| of(&l.line).minor().max(0)).collect();
    let shared = whole.allocate(&weights)?;
    let position = case.lines.iter().position(|own| own.line == *line);
    let part = position.and_then(|position| shared.get(position)).copied().unwrap_or(zero);
    of(line).checked_add(part)
}

/// Whether an entry gives the customer something, or keeps it back; not what they pay for new goods.
const fn is_given(kind: EntryKind) -> bool {
    match kind {
        EntryKind::Goods
        | EntryKind::GoodsAmount
        | EntryKind::Charge
        | EntryKind::Goodwill
        | EntryKind::CreditGoodwill
        | EntryKind::Clawback
        | EntryKind::Gift
        | EntryKind::FreeDelivery
        | EntryKind::DiminishedValue
        | EntryKind::UseCompensation
        | EntryKind::RestockingFee
        | EntryKind::Unreturned
        | EntryKind::ReturnLabel
        | EntryKind::CardFee => true,
        EntryKind::Exchange
        | EntryKind::AdvanceReplacement
        | EntryKind::CustomerPays
        | EntryKind::CashRounding => false,
    }
}

impl ReturnCase {
    /// What a line cost, as far as is known; none when the case has no such line.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] for amounts of absurd size.
    pub fn cost_of(&self, line: &OrderLineId) -> Result<Option<Money>, MoneyError> {
        let (Some(line), Some(currency)) = (self.line(line), self.currency()) else {
            return Ok(None);
        };
        let Costs { parts, salvage } = costs_of(self, line)?;
        let cost = Money::sum(currency, parts)?;
        let worth = Money::sum(currency, salvage)?;
        Ok(Some(cost.checked_sub(worth)?.max(Money::zero(currency))))
    }

    /// The cost of a line shared out by its liability, with what is claimed already; the parties stand
    /// under their codes. None when the line is not there, or nobody decided who is liable.
    ///
    /// # Errors
    ///
    /// [`RecoveryRefused`] when what is claimed does not fit, which no decided case comes to.
    pub fn recovery(&self, line: &OrderLineId) -> Result<Option<Recovery>, RecoveryRefused> {
        let Some(line) = self.line(line) else { return Ok(None) };
        let Some(liability) = &line.liability else { return Ok(None) };
        self.recovery_under(line, liability.whole(), &[]).map(Some)
    }

    /// The same under other shares, and with more salvage.
    pub(super) fn recovery_under(
        &self,
        line: &CaseLine,
        shares: &Shares,
        salvage: &[Money],
    ) -> Result<Recovery, RecoveryRefused> {
        let mut parts: BTreeMap<Party, Money> = BTreeMap::new();
        let costs = costs_of(self, line)?;
        for cost in costs.parts {
            for (party, part) in shares.split(cost)? {
                let sum = parts.entry(party).or_insert(Money::zero(part.currency()));
                *sum = sum.checked_add(part)?;
            }
        }
        for worth in costs.salvage.iter().chain(salvage) {
            for (party, part) in shares.split(*worth)? {
                let sum = parts.entry(party).or_insert(Money::zero(part.currency()));
                *sum = sum.checked_sub(part)?.max(Money::zero(part.currency()));
            }
        }
        let attributed = |(party, cost): (Party, Money)| {
            let claimed = Money::zero(cost.currency());
            Some(Attributed { debtor: debtor_of(party)?, cost, claimed })
        };
        let mut recovery = Recovery::try_from(
            parts.into_iter().filter_map(attributed).collect::<Vec<Attributed>>(),
        )?;
        for claim in self.claims.iter().filter(|claim| claim.line == line.line) {
            if claim.counted().is_positive()
                && let Some(debtor) = debtor_of(claim.party)
            {
                recovery.claim(&debtor, claim.counted())?;
            }
        }
        Ok(recovery)
    }

    /// A claim by its number.
    #[must_use]
    pub fn claim(&self, number: u32) -> Option<&RecoveryClaim> {
        self.claims.iter().find(|claim| claim.number == number)
    }

    /// The currency of what the case cost, once something did.
    fn currency(&self) -> Option<crate::money::currency::Currency> {
        let settled = self.obligations.first().map(|owed| owed.settlement.total.currency());
        let recorded = || self.lines.iter().flat_map(|line| &line.costs).next();
        settled.or_else(|| recorded().map(|cost| cost.amount.currency()))
    }
}

/// The party behind a part of a [recovery](ReturnCase::recovery).
#[must_use]
pub fn party_of(debtor: &DebtorId) -> Option<Party> {
    Party::ALL.iter().copied().find(|party| party.code() == debtor.as_str())
}

/// A party as a debtor among the parts of one cost.
pub(super) fn debtor_of(party: Party) -> Option<DebtorId> {
    DebtorId::new(party.code()).ok()
}

/// A claim against a liable party.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryDemand {
    /// For which line.
    pub line: OrderLineId,
    /// As what the debtor is liable.
    pub party: Party,
    /// From whom: the carrier, the supplier by name.
    pub debtor: DebtorId,
    /// How much; none for everything that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// What the claim says.
    pub note: String,
}
