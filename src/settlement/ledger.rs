//! The money ledger: what was refunded so far on every line, charge and tender of one order.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::ladder::{Ladder, Run};
use super::{Entry, EntryKind, PayoutForm, Settlement, Target};
use crate::id::{OrderId, OrderLineId, Sku, TenderId};
use crate::money::Money;
use crate::money::currency::Currency;
use crate::quantity::{Quantity, Unit};
use crate::sale::draft::{ChargeId, Tender};
use crate::sale::{FrozenComponent, Paid, Sale, TaxAmount};

/// What was refunded so far, planned or paid, of everything the customer paid for one order.
///
/// A fold over settlements: [`apply`](Self::apply) when one is planned, [`release`](Self::release)
/// when one is given up before anything of it was paid. Needs neither rules nor a clock.
///
/// ```
/// use aftersale::money::{Money, currency::Currency};
/// use aftersale::sale::{Sale, draft::SaleDraft};
/// use aftersale::settlement::ledger::MoneyLedger;
/// # let draft: SaleDraft = serde_json::from_str(r#"{
/// #   "order": "SO-1", "currency": "EUR", "placed_at": "2026-03-02T09:00:00Z",
/// #   "prices": "tax_included",
/// #   "lines": [{"id": "1", "sku": "JACKET-M", "quantity": {"amount": "1", "unit": "pcs"},
/// #              "unit_price": "89.90"}],
/// #   "tenders": [{"id": "card", "kind": "card",
/// #                "captured": {"amount": "89.90", "currency": "EUR"}}],
/// #   "total": {"amount": "89.90", "currency": "EUR"}
/// # }"#)?;
/// let sale = Sale::freeze(draft)?; // a jacket of 89.90, paid by card
/// let ledger = MoneyLedger::open(&sale);
/// assert_eq!(ledger.refundable(), Money::parse("89.90", Currency::EUR)?);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "LedgerWire", into = "LedgerWire")]
pub struct MoneyLedger {
    pub(super) order: OrderId,
    pub(super) currency: Currency,
    pub(super) lines: BTreeMap<OrderLineId, LineLedger>,
    pub(super) charges: BTreeMap<ChargeId, Ladder>,
    pub(super) tenders: Vec<TenderLedger>,
    pub(super) clawbacks: Vec<Clawback>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerWire {
    order: OrderId,
    currency: Currency,
    lines: BTreeMap<OrderLineId, LineLedger>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    charges: BTreeMap<ChargeId, Ladder>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tenders: Vec<TenderLedger>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clawbacks: Vec<Clawback>,
}

/// A stored money ledger whose numbers cannot be: more was refunded than was paid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the money ledger of order {order} holds amounts that cannot be")]
pub struct UnsoundLedger {
    /// The order.
    pub order: OrderId,
}

impl TryFrom<LedgerWire> for MoneyLedger {
    type Error = UnsoundLedger;
    fn try_from(wire: LedgerWire) -> Result<Self, UnsoundLedger> {
        let LedgerWire { order, currency, lines, charges, tenders, clawbacks } = wire;
        let ledger = Self { order, currency, lines, charges, tenders, clawbacks };
        if ledger.is_sound() { Ok(ledger) } else { Err(UnsoundLedger { order: ledger.order }) }
    }
}

impl From<MoneyLedger> for LedgerWire {
    fn from(ledger: MoneyLedger) -> Self {
        let MoneyLedger { order, currency, lines, charges, tenders, clawbacks } = ledger;
        Self { order, currency, lines, charges, tenders, clawbacks }
    }
}

/// One line: a single part, or one part for each component of a kit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineLedger {
    pub(super) unit: Unit,
    pub(super) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// The component of a kit; none for an ordinary line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) component: Option<Component>,
    pub(super) ladder: Ladder,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Component {
    pub(super) sku: Sku,
    pub(super) unit: Unit,
    /// Steps of the component in one step of the line.
    pub(super) per_kit: i64,
}

/// One tender and what went back on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenderLedger {
    pub(super) tender: Tender,
    /// Refunded by cases, in minor units of the order; refunds outside any case come on top.
    #[serde(default)]
    pub(super) refunded: i64,
    /// The same in minor units of the tender's own unit.
    #[serde(default)]
    pub(super) in_kind: i64,
}

/// What was clawed back for one broken promise, by promotion or free delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clawback {
    pub(super) kind: EntryKind,
    pub(super) target: Target,
    pub(super) amount: Paid,
}

impl TenderLedger {
    /// What it can still take back.
    pub(super) fn left(&self) -> i64 {
        let outside = self.tender.refunded_outside.map_or(0, Money::minor);
        let taken = self.refunded.saturating_add(outside);
        self.tender.captured.minor().saturating_sub(taken).max(0)
    }
}

impl Part {
    pub(super) fn sku(&self) -> Option<&Sku> {
        self.component.as_ref().map(|component| &component.sku)
    }
}

impl LineLedger {
    /// Whole units of the line of which every part is left.
    pub(super) fn units_left(&self) -> i64 {
        let left = |part: &Part| {
            let per_kit = part.component.as_ref().map_or(1, |component| component.per_kit);
            part.ladder.units_left().checked_div(per_kit).unwrap_or(0)
        };
        self.parts.iter().map(left).min().unwrap_or(0)
    }

    pub(super) fn gross_left(&self, currency: Currency) -> Money {
        let left = self.parts.iter().map(|part| part.ladder.gross_left().minor());
        Money::new(left.fold(0, i64::saturating_add), currency)
    }
}

impl MoneyLedger {
    /// The ledger of an order of which nothing was refunded by a case.
    #[must_use]
    pub fn open(sale: &Sale) -> Self {
        let line = |line: crate::sale::Line<'_>| {
            let quantity = line.ordered.quantity;
            let parts = parts(line, quantity);
            (line.ordered.id.clone(), LineLedger { unit: quantity.unit(), parts })
        };
        let charge = |charge: crate::sale::Charge<'_>| {
            (charge.charged.id.clone(), Ladder::new(charge.paid.clone(), 0))
        };
        let tender =
            |tender: &Tender| TenderLedger { tender: tender.clone(), refunded: 0, in_kind: 0 };
        Self {
            order: sale.order().clone(),
            currency: sale.currency(),
            lines: sale.lines().map(line).collect(),
            charges: sale.charges().map(charge).collect(),
            tenders: sale.tenders().iter().map(tender).collect(),
            clawbacks: Vec::new(),
        }
    }

    /// Notes a settlement that was planned. Total: what the ledger does not know is left out, and
    /// nothing falls below zero.
    pub fn apply(&mut self, settlement: &Settlement) {
        for entry in &settlement.entries {
            self.note(entry, Direction::Forth);
        }
        self.note_payouts(settlement, Direction::Forth);
    }

    /// Takes back a settlement that was given up before anything of it was paid: units and money
    /// can be claimed again.
    pub fn release(&mut self, settlement: &Settlement) {
        for entry in &settlement.entries {
            self.note(entry, Direction::Back);
        }
        self.note_payouts(settlement, Direction::Back);
    }

    /// Notes money that came in after the sale, such as the price difference of an exchange. More
    /// on a known tender raises what it can take back.
    pub fn capture(&mut self, tender: &Tender) {
        if tender.captured.currency() != self.currency || tender.captured.is_negative() {
            return;
        }
        if let Some(known) = self.tenders.iter_mut().find(|known| known.tender.id == tender.id) {
            let sum = known.tender.captured.checked_add(tender.captured);
            known.tender.captured = sum.unwrap_or(known.tender.captured);
            known.tender.in_kind = match (known.tender.in_kind, tender.in_kind) {
                (Some(held), Some(more)) => held.checked_add(more).ok().or(Some(held)),
                (held, _) => held,
            };
            return;
        }
        self.tenders.push(TenderLedger { tender: tender.clone(), refunded: 0, in_kind: 0 });
    }

    /// What all tenders together can still take back, expired ones included.
    #[must_use]
    pub fn refundable(&self) -> Money {
        let left = self.tenders.iter().map(TenderLedger::left).fold(0, i64::saturating_add);
        Money::new(left, self.currency)
    }

    /// What went back on all tenders by cases, planned or paid.
    #[must_use]
    pub fn refunded(&self) -> Money {
        let gone = self.tenders.iter().map(|tender| tender.refunded).fold(0, i64::saturating_add);
        Money::new(gone, self.currency)
    }

    /// What one tender can still take back, if the order has it.
    #[must_use]
    pub fn left_on_tender(&self, tender: &TenderId) -> Option<Money> {
        let found = self.tenders.iter().find(|known| known.tender.id == *tender)?;
        Some(Money::new(found.left(), self.currency))
    }

    /// What went back on one tender by cases, planned or paid.
    #[must_use]
    pub fn refunded_on_tender(&self, tender: &TenderId) -> Option<Money> {
        let found = self.tenders.iter().find(|known| known.tender.id == *tender)?;
        Some(Money::new(found.refunded, self.currency))
    }

    /// Units of a line whose value was not refunded; whole kits for a kit.
    #[must_use]
    pub fn units_left(&self, line: &OrderLineId) -> Option<Quantity> {
        let found = self.lines.get(line)?;
        Quantity::new(found.units_left(), found.unit).ok()
    }

    /// What was paid for a line and not refunded, tax included.
    #[must_use]
    pub fn left_on_line(&self, line: &OrderLineId) -> Option<Money> {
        Some(self.lines.get(line)?.gross_left(self.currency))
    }

    /// What was refunded on a line before deductions, tax included.
    #[must_use]
    pub fn refunded_on_line(&self, line: &OrderLineId) -> Option<Money> {
        let parts = self.lines.get(line)?.parts.iter();
        let gone = parts.map(|part| part.ladder.taken.gross).fold(0, i64::saturating_add);
        Some(Money::new(gone, self.currency))
    }

    /// What was paid for a charge and not refunded, tax included.
    #[must_use]
    pub fn left_on_charge(&self, charge: &ChargeId) -> Option<Money> {
        Some(self.charges.get(charge)?.gross_left())
    }

    /// What was clawed back for broken promotions and free delivery, tax included.
    #[must_use]
    pub fn clawed_back(&self) -> Money {
        let sum = self.clawbacks.iter().map(|clawback| clawback.amount.gross.minor());
        Money::new(sum.fold(0, i64::saturating_add), self.currency)
    }

    /// Whether the ledger belongs to a sale.
    pub(super) fn belongs_to(&self, sale: &Sale) -> bool {
        self.order == *sale.order() && self.currency == sale.currency()
    }

    /// Whether nothing is above what was paid, below zero, or in another currency.
    fn is_sound(&self) -> bool {
        let ours = |money: Money| money.currency() == self.currency;
        let ladder = |ladder: &Ladder| ours(ladder.paid.gross) && ladder.is_sound();
        let part = |part: &Part| {
            let per_kit = part.component.as_ref().map_or(1, |component| component.per_kit);
            per_kit > 0 && ladder(&part.ladder)
        };
        let tender = |known: &TenderLedger| {
            let tender = &known.tender;
            let captured = tender.captured.minor();
            let outside = tender.refunded_outside.unwrap_or(Money::zero(self.currency));
            let in_kind = tender.in_kind.map_or(0, Money::minor);
            ours(tender.captured)
                && ours(outside)
                && (0..=captured).contains(&outside.minor())
                && (0..=captured).contains(&known.refunded)
                && (0..=in_kind).contains(&known.in_kind)
        };
        let clawback = |clawback: &Clawback| {
            let Paid { gross, taxes } = &clawback.amount;
            ours(*gross) && taxes.iter().all(|tax| ours(tax.amount))
        };
        self.lines.values().flat_map(|line| &line.parts).all(part)
            && self.charges.values().all(ladder)
            && self.tenders.iter().all(tender)
            && self.clawbacks.iter().all(clawback)
    }

    fn note(&mut self, entry: &Entry, direction: Direction) {
        let gross = entry.gross.minor();
        match entry.kind {
            EntryKind::Goods | EntryKind::GoodsAmount | EntryKind::Charge => {
                let run = if entry.kind == EntryKind::Goods { Run::Units } else { Run::Amounts };
                if let Some(ladder) = self.ladder_mut(&entry.target) {
                    let units = entry.units.map_or(0, Quantity::steps);
                    direction.note(ladder, run, units, gross, &entry.taxes);
                }
            }
            EntryKind::Clawback | EntryKind::Gift | EntryKind::FreeDelivery => {
                self.note_clawback(entry, direction);
            }
            EntryKind::Exchange | EntryKind::AdvanceReplacement => {
                self.note_outgoing(entry, direction);
            }
            EntryKind::Goodwill
            | EntryKind::CreditGoodwill
            | EntryKind::DiminishedValue
            | EntryKind::UseCompensation
            | EntryKind::RestockingFee
            | EntryKind::Unreturned
            | EntryKind::ReturnLabel
            | EntryKind::CardFee
            | EntryKind::CustomerPays
            | EntryKind::CashRounding => {}
        }
    }

    /// The ladder that an entry moves.
    pub(super) fn ladder(&self, target: &Target) -> Option<&Ladder> {
        let (line, sku) = match target {
            Target::Charge(charge) => return self.charges.get(charge),
            Target::Line(line) => (line, None),
            Target::Component { line, sku } => (line, Some(sku)),
            Target::Promotion(_) | Target::Order => return None,
        };
        let parts = &self.lines.get(line)?.parts;
        parts.iter().find(|part| part.sku() == sku).map(|part| &part.ladder)
    }

    fn ladder_mut(&mut self, target: &Target) -> Option<&mut Ladder> {
        let (line, sku) = match target {
            Target::Charge(charge) => return self.charges.get_mut(charge),
            Target::Line(line) => (line, None),
            Target::Component { line, sku } => (line, Some(sku)),
            Target::Promotion(_) | Target::Order => return None,
        };
        let parts = &mut self.lines.get_mut(line)?.parts;
        parts.iter_mut().find(|part| part.sku() == sku).map(|part| &mut part.ladder)
    }

    fn note_outgoing(&mut self, entry: &Entry, direction: Direction) {
        let (Target::Line(line), Some(units)) = (&entry.target, entry.units) else { return };
        match direction {
            Direction::Forth => {
                let Some(paid) = negated(entry.gross, &entry.taxes) else { return };
                let ladder = Ladder::new(paid, units.steps());
                let parts = alloc::vec![Part { component: None, ladder }];
                let fresh = LineLedger { unit: units.unit(), parts };
                self.lines.entry(line.clone()).or_insert(fresh);
            }
            Direction::Back => {
                let untouched = |known: &LineLedger| {
                    known
                        .parts
                        .iter()
                        .all(|part| part.ladder.taken.units == 0 && part.ladder.taken.gross == 0)
                };
                if self.lines.get(line).is_some_and(untouched) {
                    self.lines.remove(line);
                }
            }
        }
    }

    /// A clawback entry is below zero; the ledger keeps what was clawed back as a positive amount.
    fn note_clawback(&mut self, entry: &Entry, direction: Direction) {
        let Some(amount) = (match direction {
            Direction::Forth => negated(entry.gross, &entry.taxes),
            Direction::Back => Some(Paid { gross: entry.gross, taxes: entry.taxes.clone() }),
        }) else {
            return;
        };
        let same = |known: &&mut Clawback| known.kind == entry.kind && known.target == entry.target;
        let Some(known) = self.clawbacks.iter_mut().find(same) else {
            let (kind, target) = (entry.kind, entry.target.clone());
            self.clawbacks.push(Clawback { kind, target, amount });
            return;
        };
        known.amount.gross =
            known.amount.gross.checked_add(amount.gross).unwrap_or(known.amount.gross);
        for tax in amount.taxes {
            let same = |held: &&mut TaxAmount| held.code == tax.code && held.rate == tax.rate;
            match known.amount.taxes.iter_mut().find(same) {
                Some(held) => {
                    held.amount = held.amount.checked_add(tax.amount).unwrap_or(held.amount);
                }
                None => known.amount.taxes.push(tax),
            }
        }
    }

    fn note_payouts(&mut self, settlement: &Settlement, direction: Direction) {
        for allocation in &settlement.allocations {
            if allocation.form == PayoutForm::NewCredit {
                continue;
            }
            let same =
                |known: &&mut TenderLedger| Some(&known.tender.id) == allocation.tender.as_ref();
            let Some(known) = self.tenders.iter_mut().find(same) else { continue };
            let amount = allocation.amount.minor();
            let in_kind = allocation.in_kind.map_or(0, Money::minor);
            known.refunded = direction.moved(known.refunded, amount);
            known.in_kind = direction.moved(known.in_kind, in_kind);
        }
    }
}

fn parts(line: crate::sale::Line<'_>, quantity: Quantity) -> Vec<Part> {
    if line.frozen.components.is_empty() {
        let ladder = Ladder::new(line.frozen.paid.clone(), quantity.steps());
        return alloc::vec![Part { component: None, ladder }];
    }
    let part = |frozen: &FrozenComponent| Part {
        component: Some(Component {
            sku: frozen.sku.clone(),
            unit: frozen.quantity.unit(),
            per_kit: frozen.per_kit.steps(),
        }),
        ladder: Ladder::new(frozen.paid.clone(), frozen.quantity.steps()),
    };
    line.frozen.components.iter().map(part).collect()
}

/// Whether a settlement is noted or taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forth,
    Back,
}

impl Direction {
    fn moved(self, at: i64, by: i64) -> i64 {
        match self {
            Self::Forth => at.saturating_add(by),
            Self::Back => at.saturating_sub(by).max(0),
        }
    }

    fn note(self, ladder: &mut Ladder, run: Run, units: i64, gross: i64, taxes: &[TaxAmount]) {
        match self {
            Self::Forth => ladder.book(run, units, gross, taxes),
            Self::Back => ladder.unbook(units, gross, taxes),
        }
    }
}

/// The same amounts the other way round.
pub(super) fn negated(gross: Money, taxes: &[TaxAmount]) -> Option<Paid> {
    let tax = |tax: &TaxAmount| {
        let amount = tax.amount.checked_neg().ok()?;
        Some(TaxAmount { code: tax.code.clone(), rate: tax.rate, amount })
    };
    Some(Paid {
        gross: gross.checked_neg().ok()?,
        taxes: taxes.iter().map(tax).collect::<Option<Vec<_>>>()?,
    })
}
