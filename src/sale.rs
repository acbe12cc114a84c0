//! The sale: an immutable snapshot of one order, as it was paid and shipped.
//!
//! In: a [`SaleDraft`], what the host knows. Out: a [`Sale`] in which every order-level amount
//! (discounts, tax totals) is frozen onto lines and charges, once; or a [`SaleRefused`] that names
//! everything that does not add up. All refunds are computed from the frozen amounts alone: changing
//! today's price list or tax table changes nothing.
//!
//! Always true of a [`Sale`], and tested in `tests/settlement/sale.rs`:
//! 1. Line and charge amounts, tax included, sum exactly to the total the host states.
//! 2. The shares of an order discount sum exactly to the discount, and no line falls below zero.
//! 3. Nothing was shipped that was not ordered, and no serial twice.
//! 4. No more is captured on the tenders than the total.
//! 5. A promotion rule gives the discount the sale states for it, and a kit is worth its components
//!    or parts.
//! 6. Reading a sale back from its wire form gives the same sale.

pub mod draft;
pub mod fault;
mod freeze;
pub mod promotion;
mod recorded;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::{LotId, OrderId, OrderLineId, PromotionId, SerialId, Sku};
use crate::money::Money;
use crate::money::currency::Currency;
use crate::number::Exact;
use crate::quantity::Quantity;
use crate::sale::draft::{ChargeDraft, KitDraft, LineDraft, SaleDraft, Shipment, TaxCode, Tender};
use crate::sale::fault::SaleRefused;
use crate::time::Instant;

/// One order as it was paid and shipped, verified and frozen.
///
/// ```
/// use aftersale::sale::{Sale, draft::SaleDraft};
/// let draft: SaleDraft = serde_json::from_str(r#"{
///   "order": "SO-1", "currency": "EUR", "placed_at": "2026-03-02T09:00:00Z",
///   "prices": "tax_included",
///   "lines": [
///     {"id": "1", "sku": "JACKET-M", "quantity": {"amount": "1", "unit": "pcs"},
///      "unit_price": "89.90", "taxes": [{"code": "VAT", "rate": "0.19"}]},
///     {"id": "2", "sku": "SOCKS", "quantity": {"amount": "3", "unit": "pcs"},
///      "unit_price": "4.95", "taxes": [{"code": "VAT", "rate": "0.19"}]}],
///   "discounts": [{"promotion": "SPRING10", "amount": {"amount": "10.00", "currency": "EUR"}}],
///   "tenders": [{"id": "card", "kind": "card",
///                "captured": {"amount": "94.75", "currency": "EUR"}}],
///   "total": {"amount": "94.75", "currency": "EUR"}
/// }"#)?;
/// let sale = Sale::freeze(draft)?;
/// let paid: Vec<String> =
///     sale.lines().map(|line| line.frozen.paid.gross.to_string()).collect();
/// assert_eq!(paid, ["81.32 EUR", "13.43 EUR"]); // 10.00 shared 8.58 and 1.42
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SaleDraft", into = "SaleDraft")]
pub struct Sale {
    draft: SaleDraft,
    lines: Vec<FrozenLine>,
    charges: Vec<Paid>,
    positions: BTreeMap<OrderLineId, usize>,
}

/// What was paid for one line or charge: the gross amount and the tax inside it.
///
/// Net is gross less tax, so that net + tax = gross always.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paid {
    /// What the customer paid, tax included, all discounts taken off.
    pub gross: Money,
    /// The tax inside, one entry for each tax that applies.
    pub taxes: Vec<TaxAmount>,
}

/// The amount of one tax.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxAmount {
    /// Which tax.
    pub code: TaxCode,
    /// Its rate as a fraction: `0.19` is nineteen percent.
    pub rate: Exact,
    /// How much.
    pub amount: Money,
}

/// The part of an order discount that fell on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscountShare {
    /// The position of the discount in [`SaleDraft::discounts`].
    pub discount: usize,
    /// The promotion behind it, if it has a name.
    pub promotion: Option<PromotionId>,
    /// How much it took off this line.
    pub amount: Money,
}

/// What freezing added to an order line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenLine {
    /// List price times quantity, before any discount, in the price basis of the sale.
    pub list: Money,
    /// What was paid for the whole line.
    pub paid: Paid,
    /// The shares of order discounts.
    pub discount_shares: Vec<DiscountShare>,
    /// How much of the line was shipped.
    pub shipped: Quantity,
    /// The shares of the components, when the line is a kit; they sum to what was paid.
    pub components: Vec<FrozenComponent>,
}

/// What was paid for one component of a kit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenComponent {
    /// The article.
    pub sku: Sku,
    /// How much of it is in one kit.
    pub per_kit: Quantity,
    /// How much of it is in all kits of the line.
    pub quantity: Quantity,
    /// Its share of what was paid for the line.
    pub paid: Paid,
}

/// An order line with its frozen amounts.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The line as the host gave it.
    pub ordered: &'a LineDraft,
    /// What was paid and shipped.
    pub frozen: &'a FrozenLine,
}

/// A charge of the order (freight, gift wrap) with its frozen amounts.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The charge as the host gave it.
    pub charged: &'a ChargeDraft,
    /// What was paid.
    pub paid: &'a Paid,
}

impl Paid {
    /// The tax of all kinds.
    ///
    /// # Errors
    ///
    /// [`MoneyError`](crate::money::MoneyError) when taxes of absurd size overflow.
    pub fn tax(&self) -> Result<Money, crate::money::MoneyError> {
        Money::sum(self.gross.currency(), self.taxes.iter().map(|tax| tax.amount))
    }

    /// What is left without tax.
    ///
    /// # Errors
    ///
    /// [`MoneyError`](crate::money::MoneyError) when taxes of absurd size overflow.
    pub fn net(&self) -> Result<Money, crate::money::MoneyError> {
        self.gross.checked_sub(self.tax()?)
    }
}

impl Sale {
    /// Verifies a draft and freezes its amounts.
    ///
    /// # Errors
    ///
    /// [`SaleRefused`] with every fault of the draft.
    pub fn freeze(draft: SaleDraft) -> Result<Self, SaleRefused> {
        freeze::freeze(draft)
    }

    /// The snapshot as the host gave it.
    #[must_use]
    pub const fn draft(&self) -> &SaleDraft {
        &self.draft
    }

    /// The order.
    #[must_use]
    pub const fn order(&self) -> &OrderId {
        &self.draft.order
    }

    /// The currency of every amount.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.draft.currency
    }

    /// What the customer was asked to pay: all lines and charges.
    #[must_use]
    pub const fn total(&self) -> Money {
        self.draft.total
    }

    /// The lines in the order of the snapshot.
    #[must_use]
    pub fn lines(&self) -> impl ExactSizeIterator<Item = Line<'_>> {
        self.draft.lines.iter().zip(&self.lines).map(|(ordered, frozen)| Line { ordered, frozen })
    }

    /// The position of a line in [`Sale::lines`].
    #[must_use]
    pub fn position(&self, line: &OrderLineId) -> Option<usize> {
        self.positions.get(line).copied()
    }

    /// The line at a position.
    #[must_use]
    pub fn at(&self, position: usize) -> Option<Line<'_>> {
        let ordered = self.draft.lines.get(position)?;
        let frozen = self.lines.get(position)?;
        Some(Line { ordered, frozen })
    }

    /// A line by its id.
    #[must_use]
    pub fn line(&self, line: &OrderLineId) -> Option<Line<'_>> {
        self.at(self.position(line)?)
    }

    /// The charges in the order of the snapshot.
    #[must_use]
    pub fn charges(&self) -> impl ExactSizeIterator<Item = Charge<'_>> {
        self.draft.charges.iter().zip(&self.charges).map(|(charged, paid)| Charge { charged, paid })
    }

    /// The kits sold as their parts, in the order of the snapshot.
    #[must_use]
    pub fn kits(&self) -> &[KitDraft] {
        &self.draft.kits
    }

    /// The tenders in the order of the snapshot.
    #[must_use]
    pub fn tenders(&self) -> &[Tender] {
        &self.draft.tenders
    }

    /// The shipments in the order of the snapshot.
    #[must_use]
    pub fn shipments(&self) -> &[Shipment] {
        &self.draft.shipments
    }

    /// When the last good of the order reached the customer, if all that was shipped has arrived.
    #[must_use]
    pub fn delivered_at(&self) -> Option<Instant> {
        let arrivals: Option<Vec<Instant>> =
            self.draft.shipments.iter().map(Shipment::arrived_at).collect();
        arrivals?.into_iter().max()
    }

    /// When the last shipped piece of one line reached the customer, if all of it has arrived.
    #[must_use]
    pub fn line_delivered_at(&self, line: &OrderLineId) -> Option<Instant> {
        let mut shipments = self
            .draft
            .shipments
            .iter()
            .filter(|shipment| shipment.lines.iter().any(|shipped| shipped.line == *line))
            .peekable();
        shipments.peek()?;
        let arrivals: Option<Vec<Instant>> = shipments.map(Shipment::arrived_at).collect();
        arrivals?.into_iter().max()
    }

    /// Whether a unit with this serial was shipped on this line.
    #[must_use]
    pub fn shipped_serial(&self, line: &OrderLineId, serial: &SerialId) -> bool {
        self.shipped_of(line).any(|shipped| shipped.serials.contains(serial))
    }

    /// Whether goods of this lot were shipped on this line.
    #[must_use]
    pub fn shipped_lot(&self, line: &OrderLineId, lot: &LotId) -> bool {
        self.shipped_of(line).any(|shipped| shipped.lots.iter().any(|part| part.lot == *lot))
    }

    /// Whether the lots of a line were recorded when it was shipped.
    #[must_use]
    pub fn knows_lots(&self, line: &OrderLineId) -> bool {
        self.shipped_of(line).any(|shipped| !shipped.lots.is_empty())
    }

    fn shipped_of(&self, line: &OrderLineId) -> impl Iterator<Item = &draft::ShippedLine> {
        let line = line.clone();
        self.draft
            .shipments
            .iter()
            .flat_map(|shipment| &shipment.lines)
            .filter(move |shipped| shipped.line == line)
    }
}

impl TryFrom<SaleDraft> for Sale {
    type Error = SaleRefused;
    fn try_from(draft: SaleDraft) -> Result<Self, SaleRefused> {
        Self::freeze(draft)
    }
}

impl From<Sale> for SaleDraft {
    fn from(sale: Sale) -> Self {
        sale.draft
    }
}
