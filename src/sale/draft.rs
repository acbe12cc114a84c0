//! What a host tells about an order: plain data, checked by [`Sale::freeze`](super::Sale::freeze).

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::{
    ChannelId, CustomerId, LotId, OrderId, OrderLineId, ParcelId, PromotionId, SerialId, Sku,
    TenderId, text_ids,
};
use crate::label::codes;
use crate::money::Money;
use crate::money::currency::Currency;
use crate::number::Exact;
use crate::quantity::Quantity;
use crate::sale::promotion::{FreeDelivery, PromotionRule};
use crate::time::Instant;

text_ids! {
    /// A kind of tax: `VAT`, `GST`, `增值税`.
    TaxCode = "tax code";
    /// A charge of the order beside its goods: freight, gift wrap.
    ChargeId = "charge id";
    /// A kit or bundle that was sold as several lines (套装).
    KitId = "kit id";
}

/// An order as the host knows it.
///
/// All money is in `currency`. Amounts of discounts are positive and lower what is paid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleDraft {
    /// The order.
    pub order: OrderId,
    /// The version of the order: 1 when placed, one more with each amendment.
    #[serde(default = "first_version")]
    pub version: u32,
    /// Who received the goods and may ask for a return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// Who paid, when it is somebody else (a gift): refunds go there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<CustomerId>,
    /// The sales channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The host's class of customer, such as a membership level; a code of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer_tier: Option<String>,
    /// The country of the customer, ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The currency of every amount.
    pub currency: Currency,
    /// When the order was placed.
    pub placed_at: Instant,
    /// Whether unit prices, discounts and charges include tax.
    pub prices: PriceBasis,
    /// Which value of a line weighs when an order discount is shared out.
    #[serde(default)]
    pub discount_weights: WeightBase,
    /// The lines; at least one.
    pub lines: Vec<LineDraft>,
    /// Kits and bundles whose parts stand on lines of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kits: Vec<KitDraft>,
    /// Discounts on the whole order or on several lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<OrderDiscount>,
    /// The rules behind discounts, so that kept goods can be priced again after a partial return.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<PromotionRule>,
    /// The minimum that made delivery free, and the freight it saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_delivery: Option<FreeDelivery>,
    /// Freight, gift wrap and other charges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargeDraft>,
    /// Tax totals of the invoice, for taxes whose amounts the lines do not state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tax_totals: Vec<TaxTotal>,
    /// How it was paid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenders: Vec<Tender>,
    /// What was sent, and when it arrived.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipments: Vec<Shipment>,
    /// What the customer was asked to pay in total, tax included.
    pub total: Money,
}

fn first_version() -> u32 {
    1
}

codes! {
    /// Whether prices include tax.
    pub enum PriceBasis "price basis" {
        /// Prices include tax (gross), as in most consumer trade.
        TaxIncluded = "tax_included", "Tax included", "含税";
        /// Prices exclude tax (net), as in trade between firms.
        TaxExcluded = "tax_excluded", "Tax excluded", "不含税";
    }
}

codes! {
    /// Which value of a line weighs when an order discount is shared out.
    ///
    /// With several tax rates the choice changes the tax.
    pub enum WeightBase "weight base" {
        /// The value with tax.
        Gross = "gross", "With tax", "含税金额";
        /// The value without tax.
        Net = "net", "Without tax", "不含税金额";
    }
}

impl Default for WeightBase {
    /// With tax: what the customer saw.
    fn default() -> Self {
        Self::Gross
    }
}

/// One order line. Two lines of one article stay two lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineDraft {
    /// The line.
    pub id: OrderLineId,
    /// The article.
    pub sku: Sku,
    /// Codes of the category and of properties that policies ask for: `apparel`, `made_to_order`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// How much was ordered, above zero.
    pub quantity: Quantity,
    /// The price of one unit before discounts; may be finer than the currency.
    pub unit_price: Exact,
    /// Price times quantity as invoiced. Without it: computed, half up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<Money>,
    /// Discounts on this line alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<LineDiscount>,
    /// The taxes that apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxDraft>,
    /// What the line consists of, when it is a kit on one line: the price is shared over the components, and
    /// a settlement alone can refund them one by one. In a case the kit comes back as a whole; where its
    /// parts are to come back one by one, sell them as lines of a [kit](KitDraft).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentDraft>,
}

/// One component of a kit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentDraft {
    /// The article.
    pub sku: Sku,
    /// How much of it is in one kit, above zero.
    pub quantity: Quantity,
    /// What it weighs, zero or more, when the price of the kit is shared over its components: its
    /// usual price in any unit common to all of them.
    pub weight: i64,
}

/// A kit that was sold as its parts, each on a line of its own: the parts come back one by one, each
/// with its own price, and the kits that are back are counted from them.
///
/// A kit whose parts come back together only is one line with
/// [components](LineDraft::components) instead.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitDraft {
    /// The kit, once on the order.
    pub id: KitId,
    /// The article number of the kit as a whole.
    pub sku: Sku,
    /// How many kits were ordered, a whole number above zero.
    pub quantity: u32,
    /// What all of them cost before discounts, in the price basis of the sale; the list amounts of the
    /// parts sum to it. Without it nothing is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// The parts; a line is part of one kit at most.
    pub parts: Vec<KitPart>,
}

/// One part of a kit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitPart {
    /// The line of the part; all of it belongs to the kits.
    pub line: OrderLineId,
    /// How much of it is in one kit, above zero, in the unit of the line.
    pub per_kit: Quantity,
}

/// A tax on a line or charge.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxDraft {
    /// Which tax.
    pub code: TaxCode,
    /// Its rate as a fraction, 0 to 10: `0.19` is nineteen percent.
    pub rate: Exact,
    /// The amount as invoiced, after all discounts. Without it: a share of the tax total of the
    /// invoice if there is one, else computed from the rate, half up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// The amount of one tax at one rate over the whole invoice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxTotal {
    /// Which tax.
    pub code: TaxCode,
    /// Its rate.
    pub rate: Exact,
    /// The amount as invoiced.
    pub amount: Money,
}

/// A discount on one line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineDiscount {
    /// The promotion behind it, if it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionId>,
    /// How much it takes off, zero or more.
    pub amount: Money,
}

/// A discount on the order, shared out to lines once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderDiscount {
    /// The promotion behind it, if it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<PromotionId>,
    /// How much it takes off, zero or more.
    pub amount: Money,
    /// The lines it applied to; none named means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lines: BTreeSet<OrderLineId>,
}

/// Freight or another charge of the order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeDraft {
    /// The charge.
    pub id: ChargeId,
    /// What it is for.
    pub kind: ChargeKind,
    /// The amount after discounts, zero or more, in the price basis of the sale.
    pub amount: Money,
    /// What the cheapest standard way would have cost: a law may cap the refund there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<Money>,
    /// The taxes that apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxDraft>,
}

codes! {
    /// What a charge of an order is for.
    pub enum ChargeKind "charge kind" {
        /// Delivery to the customer.
        Freight = "freight", "Outbound freight", "去程运费";
        /// Insurance of the freight.
        FreightInsurance = "freight_insurance", "Freight insurance", "运费险";
        /// Gift wrapping.
        GiftWrap = "gift_wrap", "Gift wrapping", "礼品包装";
        /// Installation or assembly.
        Installation = "installation", "Installation", "安装费";
        /// A fee of the payment method.
        PaymentFee = "payment_fee", "Payment fee", "支付手续费";
        /// Handling and anything else.
        Handling = "handling", "Handling", "手续费";
    }
}

/// One means of payment on the order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tender {
    /// The tender.
    pub id: TenderId,
    /// What it is.
    pub kind: TenderKind,
    /// How much of the order it paid, in the currency of the sale.
    pub captured: Money,
    /// The same in the tender's own unit: points, vouchers, another currency. Refunds of such a
    /// tender go back in kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_kind: Option<Money>,
    /// What was refunded on it outside any case, zero or more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded_outside: Option<Money>,
    /// Until when it takes refunds; without it, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refundable_until: Option<Instant>,
}

codes! {
    /// What a tender is.
    pub enum TenderKind "tender kind" {
        /// A debit or credit card.
        Card = "card", "Card", "银行卡";
        /// A wallet such as Alipay or WeChat Pay.
        Wallet = "wallet", "Wallet", "电子钱包";
        /// A bank transfer.
        BankTransfer = "bank_transfer", "Bank transfer", "银行转账";
        /// Cash.
        Cash = "cash", "Cash", "现金";
        /// Invoice on account.
        OnAccount = "on_account", "On account", "挂账";
        /// Loyalty points.
        Points = "points", "Points", "积分";
        /// A voucher or coupon that counts as payment.
        Voucher = "voucher", "Voucher", "代金券";
        /// A gift card.
        GiftCard = "gift_card", "Gift card", "礼品卡";
        /// Store credit.
        StoreCredit = "store_credit", "Store credit", "余额";
    }
}

/// A parcel sent to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shipment {
    /// The parcel.
    pub parcel: ParcelId,
    /// When it left.
    pub shipped_at: Instant,
    /// When the carrier delivered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Instant>,
    /// When the customer signed for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Instant>,
    /// What was in it.
    pub lines: Vec<ShippedLine>,
}

impl Shipment {
    /// When it reached the customer: the signature where there is one, else the delivery.
    #[must_use]
    pub fn arrived_at(&self) -> Option<Instant> {
        self.signed_at.or(self.delivered_at)
    }
}

/// How much of an order line was in a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippedLine {
    /// The order line.
    pub line: OrderLineId,
    /// How much, above zero, in the unit of the line.
    pub quantity: Quantity,
    /// From which lots, as far as known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<LotPart>,
    /// Which units, as far as known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<SerialId>,
}

/// A part of a shipped quantity that came from one lot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LotPart {
    /// The lot.
    pub lot: LotId,
    /// How much, in the unit of the line.
    pub quantity: Quantity,
}
