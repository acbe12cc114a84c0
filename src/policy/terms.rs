//! One rule of a policy, as data: when it applies, for how long, and what it gives.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::period::{Anchor, Length, PeriodTerms};
use crate::condition::Condition;
use crate::id::RuleId;
use crate::label::codes;
use crate::money::Money;
use crate::number::Exact;
use crate::reason::attribute::FreightPayer;

codes! {
    /// On what a right to return rests.
    pub enum Basis "basis" {
        /// A promise of the seller.
        Voluntary = "voluntary", "Seller's promise", "商家承诺";
        /// A right to return or withdraw without giving a reason.
        NoReason = "no_reason", "No-reason return", "无理由退货";
        /// Goods that are not as agreed.
        Conformity = "conformity", "Conformity", "质量不符";
        /// The Chinese guarantee of repair, exchange and return.
        ThreeGuarantees = "three_guarantees", "Three guarantees", "三包";
        /// Goods called back because they are dangerous.
        Recall = "recall", "Recall", "召回";
    }
}

codes! {
    /// What the customer may ask for.
    pub enum Remedy "remedy" {
        /// The goods go back, the money comes back.
        Refund = "refund", "Refund", "退货退款";
        /// Another unit for the one sent back.
        Exchange = "exchange", "Exchange", "换货";
        /// The unit is put right.
        Repair = "repair", "Repair", "维修";
        /// A faulty assembly is replaced.
        PartReplacement = "part_replacement", "Replacement of a part", "更换总成";
        /// The goods stay, part of the price comes back.
        PriceReduction = "price_reduction", "Price reduction", "减价";
        /// Credit to spend with the seller.
        StoreCredit = "store_credit", "Store credit", "店铺余额";
    }
}

codes! {
    /// What happens to the freight of the way out.
    pub enum OutboundFreight "outbound freight" {
        /// It stays with the seller, and freight that the rest of the order no longer earns free may
        /// be deducted.
        DeductLostFreeShipping = "deduct_lost_free_shipping", "Kept; lost free shipping deducted", "不退，可扣包邮差额";
        /// It stays with the seller.
        Kept = "kept", "Kept", "不退";
        /// It is refunded up to the cheapest standard delivery offered.
        CheapestStandard = "cheapest_standard", "Refunded up to standard delivery", "按标准运费退还";
        /// It is refunded.
        Refunded = "refunded", "Refunded", "退还";
    }
}

codes! {
    /// What the seller may take off the refund.
    pub enum Deduction "deduction" {
        /// Value lost by handling beyond what a shop would allow.
        DiminishedValue = "diminished_value", "Diminished value", "商品贬值";
        /// The use the customer had.
        UseCompensation = "use_compensation", "Compensation for use", "使用补偿";
        /// A fee for putting the goods back on sale.
        RestockingFee = "restocking_fee", "Restocking fee", "重新上架费";
        /// Depreciation by the day.
        Depreciation = "depreciation", "Depreciation", "折旧费";
        /// A gift that did not come back, at its stated price.
        UnreturnedGift = "unreturned_gift", "Unreturned gift", "未退赠品";
        /// An accessory that did not come back.
        MissingAccessory = "missing_accessory", "Missing accessory", "缺失配件";
        /// The return label that the seller supplied.
        ReturnLabel = "return_label", "Return label", "退货运费";
        /// A card fee that the seller had borne.
        CardFee = "card_fee", "Card fee", "支付手续费";
    }
}

codes! {
    /// By which means money goes back.
    pub enum RefundMeans "means of refund" {
        /// Each tender gets its own share back; points and vouchers in kind.
        EachTenderItsShare = "each_tender_its_share", "Each tender its share", "原路按比例退回";
        /// The means of the payment, unless the customer agrees to another.
        SameMeans = "same_means", "Same means", "原支付方式";
        /// As the seller chooses.
        SellerChooses = "seller_chooses", "Seller chooses", "商家决定";
    }
}

codes! {
    /// Until when the seller may hold a refund back.
    pub enum Withhold "right to withhold" {
        /// Not at all.
        Never = "never", "Never", "不得";
        /// Until the goods are back.
        UntilReceived = "until_received", "Until the goods are back", "收到退货前";
        /// Until the goods are back or the customer has shown that they are under way, whichever is
        /// first.
        UntilReceivedOrSent = "until_received_or_sent", "Until goods are back or sent", "收到退货或寄出凭证前";
    }
}

codes! {
    /// How well the source of a rule is known to the authors of this crate.
    pub enum Certainty "certainty of the source" {
        /// Stated by the host itself.
        Own = "own", "Own rule", "自有规则";
        /// The text was read.
        Read = "read", "Text read", "已核对原文";
        /// A description by others was read.
        Secondary = "secondary", "Secondary source", "二手来源";
        /// Believed from memory. Check it before relying on it; a host may replace it.
        Believed = "believed", "Believed, check before use", "待核实";
    }
}

codes! {
    /// What follows when nobody knows a fact of a clause.
    pub enum IfUnknown "answer to the unknown" {
        /// The rule is not decided, and says what it must know.
        Ask = "ask", "Ask", "待补充";
        /// The right is given, subject to what will be found.
        SubjectTo = "subject_to", "Subject to inspection", "以查验为准";
    }
}

/// One exclusion or one requirement of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// A stable code, such as `made_to_order`.
    pub id: String,
    /// The article, where it is not the article of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// The condition.
    pub when: Condition,
    /// What follows when a fact is missing.
    #[serde(default = "ask")]
    pub if_unknown: IfUnknown,
}

const fn ask() -> IfUnknown {
    IfUnknown::Ask
}

/// A due time, and the later time at which the failure counts as a breach.
///
/// China: a refund is due within seven days of receiving the goods (Art. 25), and a delay past
/// fifteen days counts as wilful (Order 73 of 2015, Art. 9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuePair {
    /// When it is due.
    pub due: PeriodTerms,
    /// When it is a breach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<PeriodTerms>,
}

/// When the refund is due, and how long it may be held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundTerms {
    /// The due time.
    pub clock: DuePair,
    /// The right to wait for the goods.
    pub withhold: Withhold,
    /// The means.
    pub means: RefundMeans,
}

/// What is kept when goods are put back on sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestockingFee {
    /// A flat amount.
    Flat(Money),
    /// A share of the price in `0..=1`.
    Share(Exact),
}

/// A change of the terms in some cases: a seller who did not inform pays the way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// A stable code, such as `not_informed`.
    pub id: String,
    /// The article, where it is not the article of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// When it applies; an unknown condition does not.
    pub when: Condition,
    /// Who then pays the way back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_freight: Option<FreightPayer>,
    /// What then happens to the freight of the way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound_freight: Option<OutboundFreight>,
    /// Deductions that are then not allowed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub without: BTreeSet<Deduction>,
    /// Deductions that are then allowed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub with: BTreeSet<Deduction>,
}

/// One rule of a policy.
///
/// A rule gives its remedies when `scope` holds, no clause of `unless` holds, every clause of
/// `provided` holds, and the act is done within `window`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleTerms {
    /// The stable id, unique in a set of policies.
    pub id: RuleId,
    /// On what it rests.
    pub basis: Basis,
    /// Where it is written.
    pub article: String,
    /// How well that is known.
    #[serde(default = "own")]
    pub certainty: Certainty,
    /// To whom and what it applies.
    #[serde(default = "always")]
    pub scope: Condition,
    /// What excludes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<Clause>,
    /// What it demands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provided: Vec<Clause>,
    /// How long; without one, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<PeriodTerms>,
    /// What it gives, at least one.
    pub remedies: BTreeSet<Remedy>,
    /// Who pays the way back.
    pub return_freight: FreightPayer,
    /// A flat sum for the way back, in place of its cost; only where the customer pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_fee: Option<Money>,
    /// What happens to the freight of the way out.
    pub outbound_freight: OutboundFreight,
    /// What may be taken off the refund.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deductions: BTreeSet<Deduction>,
    /// The restocking fee; only where [`Deduction::RestockingFee`] is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restocking_fee: Option<RestockingFee>,
    /// When and how the money goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<RefundTerms>,
    /// When the seller must have answered the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<DuePair>,
    /// When the customer must have sent the goods back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_back: Option<PeriodTerms>,
    /// What the customer must show, as codes: `proof_of_purchase`, `photo`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub evidence: BTreeSet<String>,
    /// Changes in some cases, applied in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjust: Vec<Adjustment>,
}

const fn own() -> Certainty {
    Certainty::Own
}

const fn always() -> Condition {
    Condition::Always
}

impl RuleTerms {
    /// A plain promise of a store: goods come back for a refund or an exchange within a time, with
    /// proof of purchase; the customer pays the way back unless the goods are faulty.
    #[must_use]
    pub fn store(id: RuleId, article: &str, length: Length, anchor: Anchor) -> Self {
        Self {
            id,
            basis: Basis::Voluntary,
            article: article.into(),
            certainty: Certainty::Own,
            scope: Condition::Always,
            unless: Vec::new(),
            provided: Vec::new(),
            window: Some(PeriodTerms::new(length, anchor)),
            remedies: [Remedy::Refund, Remedy::Exchange].into(),
            return_freight: FreightPayer::Customer,
            return_fee: None,
            outbound_freight: OutboundFreight::Kept,
            deductions: BTreeSet::new(),
            restocking_fee: None,
            refund: None,
            answer: None,
            send_back: None,
            evidence: ["proof_of_purchase".into()].into(),
            adjust: Vec::new(),
        }
    }
}
