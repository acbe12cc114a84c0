//! Timers as data: for which stage and whom, how long, and what happens then.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::length::TimerLength;
use crate::condition::Condition;
use crate::id::RuleId;
use crate::label::codes;
use crate::policy::terms::Certainty;

codes! {
    /// What a case is waiting for.
    pub enum Stage "stage" {
        /// The seller's decision on the request.
        AwaitingDecision = "awaiting_decision", "Awaiting decision", "待商家审核";
        /// The customer's proof or answer.
        AwaitingEvidence = "awaiting_evidence", "Awaiting evidence", "待补充凭证";
        /// The customer's answer to an offer.
        AwaitingOfferAnswer = "awaiting_offer_answer", "Awaiting answer to offer", "待买家确认协商";
        /// After a refusal: whether the customer asks for a ruling.
        AwaitingAppeal = "awaiting_appeal", "Awaiting escalation by the buyer", "待买家申请介入";
        /// The marketplace's ruling.
        AwaitingRuling = "awaiting_ruling", "Awaiting ruling", "待平台裁决";
        /// The customer to send the goods back.
        AwaitingReturn = "awaiting_return", "Awaiting return", "待买家寄回";
        /// The carrier to turn round a parcel that is under way to the customer.
        AwaitingInterception = "awaiting_interception", "Awaiting interception", "拦截中";
        /// The seller to confirm what is on its way back.
        AwaitingReceipt = "awaiting_receipt", "Awaiting receipt", "待商家收货";
        /// The inspection of what arrived.
        AwaitingInspection = "awaiting_inspection", "Awaiting inspection", "待质检";
        /// The seller to settle.
        AwaitingSettlement = "awaiting_settlement", "Awaiting settlement", "待退款";
        /// A bank or wallet to pay.
        AwaitingPayment = "awaiting_payment", "Awaiting payment", "退款中";
        /// A replacement to be sent or to arrive.
        AwaitingReplacement = "awaiting_replacement", "Awaiting replacement", "待换货发出";
        /// A decision about who is liable for a loss.
        AwaitingLiability = "awaiting_liability", "Awaiting liability decision", "待判责";
        /// Refused units to go back to the customer.
        AwaitingShipBack = "awaiting_ship_back", "Awaiting shipment back", "待退回客户";
        /// Nothing more than its closing.
        AwaitingClosing = "awaiting_closing", "Awaiting closing", "待关闭";
    }
}

codes! {
    /// What happens when a timer runs out.
    pub enum ExpiryAction "expiry action" {
        /// The request counts as permitted, an offer as taken.
        Agree = "agree", "Counts as agreed", "超时自动同意";
        /// The case ends; what was promised to it is free again.
        Close = "close", "Case closes", "超时自动关闭";
        /// The money goes back for whatever the case holds.
        Refund = "refund", "Refund proceeds", "超时自动退款";
        /// A ruling is asked for.
        Escalate = "escalate", "Escalates to the marketplace", "超时自动升级";
        /// The breach is recorded, nothing else: a promise.
        Report = "report", "Breach is recorded", "记录超时";
    }
}

/// One timer of a practice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimerRule {
    /// Its stable name.
    pub id: RuleId,
    /// In which stage it runs.
    pub stage: Stage,
    /// For which cases, over the facts of [`schema`](super::schema).
    #[serde(default = "always", skip_serializing_if = "is_always")]
    pub when: Condition,
    /// How long.
    pub length: TimerLength,
    /// What happens then.
    pub on_expiry: ExpiryAction,
    /// How sure the source is.
    #[serde(default = "own")]
    pub certainty: Certainty,
    /// Where it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

const fn always() -> Condition {
    Condition::Always
}

fn is_always(condition: &Condition) -> bool {
    *condition == Condition::Always
}

const fn own() -> Certainty {
    Certainty::Own
}
