//! The ledger against stored histories and amended orders.

use alloc::collections::BTreeMap;

use super::ledger::{LineLedger, MoneyLedger, Part, TenderLedger};
use super::{EntryKind, Settlement, Target};
use crate::id::TenderId;
use crate::money::Money;
use crate::quantity::Quantity;
use crate::sale::Sale;
use crate::sale::draft::Tender;

impl MoneyLedger {
    /// Whether a settlement from a stored history can follow: its entries sum to what is paid, and
    /// no line, charge or tender gives more than it has left.
    #[must_use]
    pub fn admits(&self, settlement: &Settlement) -> bool {
        self.adds_up(settlement) == Some(true)
            && self.lines_cover(settlement) == Some(true)
            && self.tenders_cover(settlement) == Some(true)
    }

    fn adds_up(&self, settlement: &Settlement) -> Option<bool> {
        let sum =
            |amounts: &mut dyn Iterator<Item = Money>| Money::sum(self.currency, amounts).ok();
        let entries = sum(&mut settlement.entries.iter().map(|entry| entry.gross))?;
        let paid_out = sum(&mut settlement.allocations.iter().map(|part| part.amount))?;
        let rounding = sum(&mut settlement.allocations.iter().filter_map(|part| part.rounding))?;
        let placed = paid_out.checked_add(rounding).ok()?.checked_add(settlement.shortfall).ok()?;
        let all = [settlement.total, settlement.due, settlement.shortfall];
        let amounts = settlement.allocations.iter().map(|part| part.amount).chain(all);
        let sound = amounts.into_iter().all(|amount| !amount.is_negative());
        Some(sound && entries == settlement.total && placed == settlement.total)
    }

    fn lines_cover(&self, settlement: &Settlement) -> Option<bool> {
        let mut claims: BTreeMap<&Target, (i64, i64)> = BTreeMap::new();
        for entry in &settlement.entries {
            if matches!(entry.kind, EntryKind::Goods | EntryKind::GoodsAmount | EntryKind::Charge) {
                if entry.gross.is_negative() {
                    return Some(false);
                }
                let claim = claims.entry(&entry.target).or_default();
                claim.0 = claim.0.checked_add(entry.units.map_or(0, Quantity::steps))?;
                claim.1 = claim.1.checked_add(entry.gross.minor())?;
            }
        }
        let covered = |(target, (units, gross)): (&Target, (i64, i64))| {
            self.ladder(target).is_some_and(|ladder| {
                ladder.units_left() >= units && ladder.gross_left().minor() >= gross
            })
        };
        Some(claims.into_iter().all(covered))
    }

    fn tenders_cover(&self, settlement: &Settlement) -> Option<bool> {
        let mut claims: BTreeMap<&TenderId, i64> = BTreeMap::new();
        for part in &settlement.allocations {
            if let Some(tender) = &part.tender {
                let claim = claims.entry(tender).or_default();
                *claim = claim.checked_add(part.amount.minor())?;
            }
        }
        let covered = |(tender, amount): (&TenderId, i64)| {
            self.left_on_tender(tender).is_some_and(|left| left.minor() >= amount)
        };
        Some(claims.into_iter().all(covered))
    }

    /// Brings the ledger to an amended sale: lines, units, charges and tenders may be added, what
    /// was refunded stays, and so does what came in after the sale. A line that grew starts a new ladder
    /// over what is left of it.
    pub fn amend(&mut self, before: &Sale, after: &Sale) {
        let grown = Self::open(after);
        for (id, line) in grown.lines {
            match self.lines.get_mut(&id) {
                None => {
                    self.lines.insert(id, line);
                }
                Some(known) => grow(known, line),
            }
        }
        for (id, charge) in grown.charges {
            match self.charges.get_mut(&id) {
                None => {
                    self.charges.insert(id, charge);
                }
                Some(known) => known.grow(charge),
            }
        }
        for tender in grown.tenders {
            let same = |known: &&mut TenderLedger| known.tender.id == tender.tender.id;
            match self.tenders.iter_mut().find(same) {
                None => self.tenders.push(tender),
                Some(known) => {
                    let old = before.tenders().iter().find(|old| old.id == tender.tender.id);
                    known.tender = grown_tender(&known.tender, old, tender.tender);
                }
            }
        }
    }
}

/// A tender as an amended sale states it, with what was [captured](MoneyLedger::capture) on it beside the
/// sale before; one that the sale before did not have may be stated now.
fn grown_tender(known: &Tender, before: Option<&Tender>, stated: Tender) -> Tender {
    let Some(before) = before else {
        let captured = known.captured.max(stated.captured);
        return Tender { captured, ..stated };
    };
    let with = |stated: Money, known: Money, before: Money| {
        let beside = known.checked_sub(before).ok()?;
        stated.checked_add(beside).ok()
    };
    let captured = with(stated.captured, known.captured, before.captured);
    let in_kind = match (stated.in_kind, known.in_kind, before.in_kind) {
        (Some(stated), Some(known), Some(before)) => with(stated, known, before).or(Some(stated)),
        (stated, ..) => stated,
    };
    Tender { captured: captured.unwrap_or(stated.captured), in_kind, ..stated }
}

fn grow(known: &mut LineLedger, grown: LineLedger) {
    let same_parts = |a: &Part, b: &Part| {
        a.component.as_ref().map(|part| &part.sku) == b.component.as_ref().map(|part| &part.sku)
    };
    for part in grown.parts {
        match known.parts.iter_mut().find(|old| same_parts(old, &part)) {
            None => known.parts.push(part),
            Some(old) => old.ladder.grow(part.ladder),
        }
    }
}
