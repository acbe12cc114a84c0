//! Settlement: what is owed to whom for what came back, to the cent.
//!
//! In: the frozen [`Sale`], the [`MoneyLedger`] of what was refunded so far, and a
//! [`RefundRequest`]. Out: a [`Settlement`], signed and typed entries with one total and the tenders
//! it goes back to; or a [`SettlementRefused`] with everything that stands in the way. [`quote`] is
//! pure, so that a preview and the real thing are the same call.
//!
//! Always true, and tested in `tests/settlement*.rs`:
//! 1. The entries sum to the total exactly, gross and every tax; net is gross less tax.
//! 2. Over all settlements of an order no line, charge or tender gives back more than was paid.
//! 3. Any order and any batching of returned units sums to exactly what was paid.
//! 4. Nobody is paid a negative amount: a debt is an entry and an amount due.
//! 5. Everything payable is placed on a tender, given as credit, or named as a shortfall.
//!
//! Worked examples: `docs/settlement.md`.

pub mod claims;
mod compute;
mod conditions;
mod deductions;
pub mod documents;
mod history;
mod ladder;
pub mod ledger;
mod outgoing;
pub mod recovery;
pub mod refusal;
pub mod request;
mod tenders;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::{OrderLineId, PromotionId, Sku, TenderId};
use crate::label::codes;
use crate::money::{Money, MoneyError};
use crate::number::Exact;
use crate::quantity::Quantity;
use crate::sale::draft::ChargeId;
use crate::sale::{Paid, Sale, TaxAmount};
use crate::settlement::ledger::MoneyLedger;
use crate::settlement::refusal::SettlementRefused;
use crate::settlement::request::RefundRequest;

/// What a request comes to, without committing to anything: the preview is the settlement.
///
/// To commit, put the settlement into an event and [`apply`](MoneyLedger::apply) it to the ledger.
///
/// ```
/// use aftersale::id::OrderLineId;
/// use aftersale::quantity::Quantity;
/// use aftersale::sale::{Sale, draft::SaleDraft};
/// use aftersale::settlement::ledger::MoneyLedger;
/// use aftersale::settlement::request::{Claim, LineRefund, RefundRequest};
/// # let draft: SaleDraft = serde_json::from_str(r#"{
/// #   "order": "SO-1", "currency": "EUR", "placed_at": "2026-03-02T09:00:00Z",
/// #   "prices": "tax_included",
/// #   "lines": [{"id": "1", "sku": "CUP", "quantity": {"amount": "3", "unit": "pcs"},
/// #              "unit_price": "3.34", "discounts": [{"amount": {"amount": "0.02", "currency": "EUR"}}]}],
/// #   "tenders": [{"id": "card", "kind": "card",
/// #                "captured": {"amount": "10.00", "currency": "EUR"}}],
/// #   "total": {"amount": "10.00", "currency": "EUR"}
/// # }"#)?;
/// let sale = Sale::freeze(draft)?; // three cups for 10.00
/// let mut ledger = MoneyLedger::open(&sale);
/// let mut one_cup = RefundRequest::new(serde_json::from_str(r#""2026-03-09T10:00:00Z""#)?);
/// one_cup.lines.push(LineRefund {
///     line: OrderLineId::new("1")?,
///     claim: Claim::Units(Quantity::pieces(1)?),
/// });
/// let mut paid_back = Vec::new();
/// for _ in 0..3 {
///     let settlement = aftersale::settlement::quote(&sale, &ledger, &one_cup)?;
///     ledger.apply(&settlement);
///     paid_back.push(settlement.total.to_string());
/// }
/// assert_eq!(paid_back, ["3.33 EUR", "3.34 EUR", "3.33 EUR"]);
/// assert!(aftersale::settlement::quote(&sale, &ledger, &one_cup).is_err()); // no cup is left
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`SettlementRefused`] with everything that stands in the way.
pub fn quote(
    sale: &Sale,
    ledger: &MoneyLedger,
    request: &RefundRequest,
) -> Result<Settlement, SettlementRefused> {
    compute::quote(sale, ledger, request)
}

/// What one settlement comes to: every amount, where it goes, and what is owed instead.
///
/// Positive amounts are owed to the customer. It goes into events as it is: reading it back needs
/// no rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// Every amount with its sign, in the order in which they were computed.
    pub entries: Vec<Entry>,
    /// The sum of the entries: what is paid to the customer, zero or more.
    pub total: Money,
    /// What the customer owes instead, zero or more; one of the two is zero.
    pub due: Money,
    /// Where the total goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<TenderAllocation>,
    /// The part of the total that no tender can take back: nothing was captured for it, or the
    /// tender expired. A manual way out is needed.
    pub shortfall: Money,
    /// The total under each promotion policy, for the preview.
    pub figures: Figures,
}

/// What the same request comes to under each promotion policy, what the customer owes as negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Under [`FrozenShare`](request::PromotionPolicy::FrozenShare).
    pub frozen_share: Money,
    /// Under [`Reevaluate`](request::PromotionPolicy::Reevaluate).
    pub reevaluated: Money,
}

/// One amount of a settlement with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What kind of amount.
    pub kind: EntryKind,
    /// What it is for.
    pub target: Target,
    /// The units it settles, where it settles units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Quantity>,
    /// The amount with tax; positive is owed to the customer.
    pub gross: Money,
    /// The taxes inside, with the sign of the gross amount.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxAmount>,
    /// The tax document it belongs on.
    pub document: Document,
    /// How the amount came about, with the numbers to compute it again.
    pub basis: Basis,
    /// The rule that asked for it.
    pub rule: RuleRef,
}

codes! {
    /// What an amount of a settlement is.
    pub enum EntryKind "settlement entry" {
        /// The share of what was paid for units that came back.
        Goods = "goods", "Goods returned", "退货款";
        /// Money back on a line without goods.
        GoodsAmount = "goods_amount", "Money back without goods", "仅退款";
        /// Freight or another charge paid back.
        Charge = "charge", "Charge paid back", "费用退还";
        /// Given on top, as a refund.
        Goodwill = "goodwill", "Goodwill", "补偿";
        /// Given on top, as new store credit.
        CreditGoodwill = "credit_goodwill", "Goodwill as store credit", "补偿余额";
        /// A discount that the kept goods no longer earn, or its giving back.
        Clawback = "clawback", "Promotion clawback", "优惠回收";
        /// A gift kept without the purchase that earned it, or its giving back.
        Gift = "gift", "Gift kept", "赠品追回";
        /// Freight saved by a purchase that was returned in part, or its giving back.
        FreeDelivery = "free_delivery", "Free delivery lost", "补收去程运费";
        /// Lost value by handling.
        DiminishedValue = "diminished_value", "Diminished value", "贬值扣款";
        /// Compensation for use.
        UseCompensation = "use_compensation", "Compensation for use", "使用补偿";
        /// Restocking fee.
        RestockingFee = "restocking_fee", "Restocking fee", "折旧费";
        /// A gift or accessory that did not come back.
        Unreturned = "unreturned", "Unreturned gift or accessory", "赠品未退扣款";
        /// The label of the return parcel.
        ReturnLabel = "return_label", "Return label", "退货运费";
        /// The fee of the payment.
        CardFee = "card_fee", "Card fee", "支付手续费";
        /// Goods that go out in exchange.
        Exchange = "exchange", "Exchange goods", "换货商品";
        /// An advance replacement whose original never came back.
        AdvanceReplacement = "advance_replacement", "Advance replacement", "先行换货";
        /// What the customer pays because the rest is below zero.
        CustomerPays = "customer_pays", "Customer pays", "买家补款";
        /// Rounding to the coins in use.
        CashRounding = "cash_rounding", "Cash rounding", "现金尾差";
    }
}

codes! {
    /// The tax document an amount belongs on.
    pub enum Document "tax document" {
        /// It corrects the invoice of the sale.
        CreditNote = "credit_note", "Credit note", "红字发票";
        /// It is a supply of its own.
        Invoice = "invoice", "Invoice", "发票";
        /// It is outside the tax, or a payment.
        NoDocument = "no_document", "None", "无";
    }
}

/// What an amount is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A line of the order or of an earlier exchange.
    Line(OrderLineId),
    /// One component of a kit.
    Component {
        /// The line of the kit.
        line: OrderLineId,
        /// The component.
        sku: Sku,
    },
    /// A charge of the order.
    Charge(ChargeId),
    /// A promotion.
    Promotion(PromotionId),
    /// The order as a whole.
    Order,
}

/// How an amount came about, with the numbers to compute it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// A step of a ladder: `value * to / of` less `value * from / of`, each rounded half up.
    Units {
        /// Steps of the unit settled before, since the ladder began.
        from: i64,
        /// Steps settled with this entry.
        to: i64,
        /// All steps of the ladder.
        of: i64,
        /// What all of them are worth, tax included.
        value: Money,
    },
    /// A stated amount.
    Stated {
        /// The amount asked for.
        asked: Money,
        /// The most it could have been, where something limits it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<Money>,
    },
    /// A share of an amount, half up.
    Share {
        /// The share.
        share: Exact,
        /// Of what.
        of: Money,
        /// The most it could have been, where something limits it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<Money>,
    },
    /// What an amount should be in all, less what was booked before.
    Difference {
        /// What it should be in all.
        target: Money,
        /// What was booked before.
        booked: Money,
        /// The most it could have been, where something limits it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<Money>,
    },
    /// Waived: zero.
    Waived,
    /// Not permitted: zero.
    NotPermitted,
}

/// A part of the total and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenderAllocation {
    /// The tender whose captured money it is; none for new store credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tender: Option<TenderId>,
    /// In which form it is paid.
    pub form: PayoutForm,
    /// How much, in the currency of the sale.
    pub amount: Money,
    /// The same in the tender's own unit (points, a voucher, another currency), if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_kind: Option<Money>,
    /// Cash rounding on top: what is handed out is `amount + rounding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Money>,
}

codes! {
    /// In which form a part of a refund is paid.
    pub enum PayoutForm "form of payout" {
        /// Back on the tender it was paid with.
        Original = "original", "Original tender", "原路退回";
        /// As store credit in place of a tender that can no longer take it.
        CreditInstead = "credit_instead", "Store credit instead", "改退余额";
        /// As new store credit.
        NewCredit = "new_credit", "New store credit", "发放余额";
    }
}

impl Settlement {
    /// The gross sum of all entries of one kind.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when a settlement from outside overflows.
    pub fn sum_of(&self, kind: EntryKind) -> Result<Money, MoneyError> {
        let of_kind = self.entries.iter().filter(|entry| entry.kind == kind);
        Money::sum(self.total.currency(), of_kind.map(|entry| entry.gross))
    }

    /// The tax of all entries.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when a settlement from outside overflows.
    pub fn tax(&self) -> Result<Money, MoneyError> {
        let taxes = self.entries.iter().flat_map(|entry| &entry.taxes);
        Money::sum(self.total.currency(), taxes.map(|tax| tax.amount))
    }

    /// What every entry has to say, in order.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.entries.iter().map(Entry::finding).collect()
    }
}

impl Entry {
    /// The amount without tax.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when an entry from outside overflows.
    pub fn net(&self) -> Result<Money, MoneyError> {
        Paid { gross: self.gross, taxes: self.taxes.clone() }.net()
    }

    /// The entry as a finding: the rule, what it looked at, and the amount that came out.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let effect = match &self.basis {
            Basis::Waived | Basis::NotPermitted => Effect::Passes,
            _ if self.gross.is_negative() => Effect::Reduces,
            _ if self.kind == EntryKind::Goodwill => Effect::Raises,
            _ => Effect::Sets,
        };
        let observed = match &self.basis {
            Basis::Units { value, .. } => Fact::Amount(*value),
            Basis::Stated { asked, .. } => Fact::Amount(*asked),
            Basis::Share { share, .. } => Fact::Number(*share),
            Basis::Difference { target, .. } => Fact::Amount(*target),
            Basis::Waived => Fact::code("waived"),
            Basis::NotPermitted => Fact::code("not_permitted"),
        };
        let finding = Finding::new(self.rule.clone(), effect)
            .observed(observed)
            .required(Fact::Amount(self.gross));
        match &self.target {
            Target::Line(line) => finding.about(format_args!("line {line}")),
            Target::Component { line, sku } => finding.about(format_args!("line {line}, {sku}")),
            Target::Charge(charge) => finding.about(format_args!("charge {charge}")),
            Target::Promotion(promotion) => finding.about(format_args!("promotion {promotion}")),
            Target::Order => finding,
        }
    }
}
