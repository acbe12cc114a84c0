//! What is asked of a settlement: plain data, checked by [`quote`](super::quote).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::EntryKind;
use crate::explain::RuleRef;
use crate::id::{OrderLineId, Sku, TenderId};
use crate::label::codes;
use crate::money::Money;
use crate::number::{Exact, Rounding};
use crate::quantity::Quantity;
use crate::sale::Paid;
use crate::sale::draft::{ChargeId, TaxCode, TenderKind};
use crate::time::Instant;

/// Everything one settlement is about: what goes back, what is kept, what goes out, and how.
///
/// Start with [`RefundRequest::new`] and fill in what applies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// The time of the settlement: decides which tenders still take refunds.
    pub at: Instant,
    /// Goods and money-only refunds, at most one claim for a line (or for a component of a kit).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineRefund>,
    /// Freight and other charges to pay back, each at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargeRefund>,
    /// What is kept back; applied in the order of [`DeductionKind`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deductions: Vec<Deduction>,
    /// What is given on top.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goodwill: Vec<Goodwill>,
    /// What the customer gets and pays for: exchange goods, an advance replacement never matched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outgoing: Vec<Outgoing>,
    /// How promotions are treated that a partial return breaks.
    #[serde(default)]
    pub promotion: PromotionPolicy,
    /// How free delivery is treated that a partial return breaks.
    #[serde(default)]
    pub free_delivery: FreeDeliveryPolicy,
    /// What happens when a promotion clawback is more than the refund.
    #[serde(default)]
    pub clawback_excess: Excess,
    /// Which tenders the money goes back to.
    #[serde(default)]
    pub tenders: TenderPolicy,
    /// How amounts in cash are rounded, where small coins are not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash: Option<CashRounding>,
}

impl RefundRequest {
    /// A request for nothing yet: frozen promotion shares, tenders in proportion.
    #[must_use]
    pub const fn new(at: Instant) -> Self {
        Self {
            at,
            lines: Vec::new(),
            charges: Vec::new(),
            deductions: Vec::new(),
            goodwill: Vec::new(),
            outgoing: Vec::new(),
            promotion: PromotionPolicy::FrozenShare,
            free_delivery: FreeDeliveryPolicy::Keep,
            clawback_excess: Excess::Forgive,
            tenders: TenderPolicy::Proportional,
            cash: None,
        }
    }
}

/// What is claimed on one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineRefund {
    /// The order line, or a line that an earlier exchange made.
    pub line: OrderLineId,
    /// How much of it.
    pub claim: Claim,
}

/// How much of a line is refunded.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Claim {
    /// Units that were accepted back, in the unit of the line: their share of what was paid.
    Units(Quantity),
    /// Money without goods, tax included: a price reduction, price protection, a part refund.
    Amount(Money),
    /// Units of one component of a kit.
    Component {
        /// The component.
        sku: Sku,
        /// How many, in the unit of the component.
        units: Quantity,
    },
}

/// What is paid back of one charge.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeRefund {
    /// The charge of the order.
    pub charge: ChargeId,
    /// How much of it.
    pub claim: ChargeClaim,
}

/// How much of a charge is refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChargeClaim {
    /// All that is left of it: the goods were not as agreed.
    Full,
    /// What is left, but in all no more than the cheapest standard way would have cost: the whole
    /// order was withdrawn. Source: Directive 2011/83/EU, Article 13(2).
    UpToStandard,
    /// A stated amount, tax included.
    Amount(Money),
}

/// An amount kept back from a refund.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deduction {
    /// What for.
    pub kind: DeductionKind,
    /// The line it belongs to; without one, the settlement as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<OrderLineId>,
    /// How much.
    pub amount: DeductionAmount,
    /// The most it may be, tax included: in this settlement, as far as a quote by itself knows. A case
    /// counts what its earlier settlements kept back for the same kind, line and rule, so that units
    /// that come back one by one cost no more than together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Money>,
    /// How it is taxed.
    #[serde(default)]
    pub tax: TaxTreatment,
    /// Whether it may be taken at all.
    #[serde(default)]
    pub standing: Standing,
    /// What happens with the part that is more than the refund it is taken from.
    #[serde(default)]
    pub excess: Excess,
    /// The rule that asks for it.
    pub rule: RuleRef,
}

codes! {
    /// What is kept back, in the order in which it is taken.
    pub enum DeductionKind "deduction" {
        /// The goods lost value by handling beyond what a test needs.
        DiminishedValue = "diminished_value", "Diminished value", "贬值扣款";
        /// Use before the return.
        UseCompensation = "use_compensation", "Compensation for use", "使用补偿";
        /// Taking the goods back into stock.
        RestockingFee = "restocking_fee", "Restocking fee", "折旧费";
        /// A gift or accessory that did not come back, at its stated price.
        Unreturned = "unreturned", "Unreturned gift or accessory", "赠品未退扣款";
        /// The label of the return parcel.
        ReturnLabel = "return_label", "Return label", "退货运费";
        /// The fee of the payment that the seller had borne.
        CardFee = "card_fee", "Card fee", "支付手续费";
    }
}

impl DeductionKind {
    /// What an entry of a settlement says that shows it.
    #[must_use]
    pub const fn entry(self) -> EntryKind {
        match self {
            Self::DiminishedValue => EntryKind::DiminishedValue,
            Self::UseCompensation => EntryKind::UseCompensation,
            Self::RestockingFee => EntryKind::RestockingFee,
            Self::Unreturned => EntryKind::Unreturned,
            Self::ReturnLabel => EntryKind::ReturnLabel,
            Self::CardFee => EntryKind::CardFee,
        }
    }
}

/// How much is kept back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeductionAmount {
    /// A stated amount, tax included.
    Flat(Money),
    /// A share, 0 to 1, of what the line (or the settlement) refunds before deductions; half up.
    Share(Exact),
    /// The first tier whose days are not passed; past the last tier, the last.
    Tiers {
        /// How many days the customer had the goods.
        days: u32,
        /// The tiers, days ascending; at least one.
        tiers: Vec<Tier>,
    },
}

/// One tier of a deduction that grows with time.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The last day of the tier.
    pub up_to_days: u32,
    /// The share, 0 to 1, kept back in it.
    pub share: Exact,
}

/// How a deduction or a charge is taxed. The host decides; the law differs between countries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaxTreatment {
    /// It lowers the taxable amount: its tax is the share of the tax in the refund.
    #[default]
    ReducesBase,
    /// A supply of its own at this rate, inside the amount.
    SeparateSupply {
        /// Which tax.
        code: TaxCode,
        /// Its rate.
        rate: Exact,
    },
    /// Outside the tax, such as damages.
    Outside,
}

codes! {
    /// Whether a deduction may be taken.
    pub enum Standing "standing of a deduction" {
        /// It may be taken.
        Applies = "applies", "Applies", "适用";
        /// It was waived, and stays zero unless a new decision says otherwise.
        Waived = "waived", "Waived", "已免除";
        /// The basis of the return does not permit it, or the customer was not informed of it.
        NotPermitted = "not_permitted", "Not permitted", "不允许";
    }
}

impl Default for Standing {
    /// It may be taken, unless somebody says otherwise.
    fn default() -> Self {
        Self::Applies
    }
}

codes! {
    /// What happens with the part of a deduction that is more than the refund.
    pub enum Excess "excess" {
        /// It is forgiven: a deduction never pushes a refund below zero.
        Forgive = "forgive", "Forgive", "免收";
        /// It is owed by the customer, as an explicit amount due.
        Charge = "charge", "Charge", "向买家收取";
    }
}

impl Default for Excess {
    /// Forgive: a debt of the customer needs an explicit decision.
    fn default() -> Self {
        Self::Forgive
    }
}

/// An amount given on top of what is owed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goodwill {
    /// The line it is given for, if for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<OrderLineId>,
    /// How much, zero or more.
    pub amount: Money,
    /// In which form.
    pub form: GoodwillForm,
    /// The rule or agreement behind it.
    pub rule: RuleRef,
}

codes! {
    /// In which form goodwill is given.
    pub enum GoodwillForm "form of goodwill" {
        /// Money on the tenders; together with all refunds never more than was captured.
        Refund = "refund", "Refund", "退款";
        /// New store credit, which no tender limits.
        StoreCredit = "store_credit", "Store credit", "余额";
    }
}

/// Goods that go out to the customer against payment.
///
/// They become a line of the money ledger with a ladder of their own, so that a chain of exchanges
/// refunds what was paid along the chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outgoing {
    /// A new line id, not used in the order before.
    pub line: OrderLineId,
    /// Why it goes out.
    pub kind: OutgoingKind,
    /// How much.
    pub quantity: Quantity,
    /// What it costs.
    pub price: OutgoingPrice,
    /// The rule or agreement behind it.
    pub rule: RuleRef,
}

codes! {
    /// Why goods are charged in a settlement.
    pub enum OutgoingKind "outgoing goods" {
        /// The article the customer wants instead.
        Exchange = "exchange", "Exchange", "换货";
        /// A replacement sent in advance whose original never came back.
        AdvanceReplacement = "advance_replacement", "Advance replacement", "先行换货";
    }
}

/// What outgoing goods cost.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutgoingPrice {
    /// Their own price, tax included, all discounts taken off.
    Own(Paid),
    /// Exactly what the goods of this line refund in the same settlement: an even exchange. Several
    /// articles that are even with one line share it by their quantities.
    EvenWith(OrderLineId),
}

codes! {
    /// How promotions are treated that a partial return breaks.
    pub enum PromotionPolicy "promotion policy" {
        /// Every unit keeps its frozen share of every discount.
        FrozenShare = "frozen_share", "Frozen share", "按分摊比例";
        /// The kept goods are priced again under the recorded promotion rules; what was given too
        /// much is clawed back as an explicit entry.
        Reevaluate = "reevaluate", "Re-evaluate", "按购买时规则重算";
    }
}

impl Default for PromotionPolicy {
    /// The share that was frozen at the sale.
    fn default() -> Self {
        Self::FrozenShare
    }
}

codes! {
    /// How free delivery is treated that a partial return breaks.
    pub enum FreeDeliveryPolicy "free delivery policy" {
        /// It stays free.
        Keep = "keep", "Stays free", "保持免运费";
        /// The freight that was saved is deducted while the kept goods are below the threshold.
        Deduct = "deduct", "Deducted", "扣除去程运费";
    }
}

impl Default for FreeDeliveryPolicy {
    /// Free delivery stays free.
    fn default() -> Self {
        Self::Keep
    }
}

/// Which tenders a refund goes back to. Source: `docs/settlement.md`, "Tenders".
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TenderPolicy {
    /// Shared over what is left on each tender, largest remainder.
    #[default]
    Proportional,
    /// One after the other by kind; kinds not named come last, equals in the order of the sale.
    Sequential(Vec<TenderKind>),
    /// The tender with the least left first.
    LowestFirst,
    /// The tender with the most left first.
    LargestFirst,
    /// The named tenders first, in this order; the rest spills to the others in the order of the
    /// sale.
    SelectedThenSpill(Vec<TenderId>),
    /// Shared like [`Proportional`](Self::Proportional), but what a tender can no longer take back
    /// becomes store credit; with `days`, all of it does once more than so many days of 24 hours
    /// passed since the order.
    OriginalElseCredit {
        /// The days from the order after which all refunds are store credit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        days: Option<u32>,
    },
}

/// How cash is rounded: a last, separate entry that touches neither lines nor tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashRounding {
    /// The smallest coin, in minor units: 5 for Swiss five-centime pieces.
    pub step: i64,
    /// How amounts between two steps are settled.
    pub rounding: Rounding,
    /// What is rounded.
    #[serde(default)]
    pub on: CashBasis,
}

/// What cash rounding rounds; the two differ on the exact half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CashBasis {
    /// The amount to be paid.
    #[default]
    Total,
    /// The change on what the customer hands over.
    Change {
        /// What is handed over.
        handed_over: Money,
    },
}
