//! Parcels of a case: what the carrier says about them, and parcels under way to the customer that
//! are called back.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::ledger::Posting;
use crate::id::{OrderLineId, SerialId, Sku};
use crate::label::codes;
use crate::quantity::Quantity;
use crate::time::Instant;

codes! {
    /// How far a parcel is, in the words of its carrier.
    ///
    /// What a carrier says never moves units: only a receipt, a loss or a shortage does.
    pub enum ScanState "state of a parcel" {
        /// The carrier knows of it.
        Registered = "registered", "Registered", "已下单";
        /// The carrier has it.
        PickedUp = "picked_up", "Picked up", "已揽收";
        /// Between two depots.
        InTransit = "in_transit", "In transit", "运输中";
        /// Handed over at its address.
        Delivered = "delivered", "Delivered", "已签收";
        /// Stopped: a wrong address, customs, damage.
        Exception = "exception", "Exception", "异常";
    }
}

/// One message of a carrier about a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scan {
    /// When the carrier saw it; messages may come in late and out of order.
    pub at: Instant,
    /// How far the parcel was then.
    pub state: ScanState,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What the carrier adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

codes! {
    /// How an attempt to call a parcel back ended.
    pub enum InterceptionOutcome "outcome of an interception" {
        /// The parcel turned round and comes back.
        Intercepted = "intercepted", "Turned round", "拦截成功";
        /// It was delivered all the same: the customer has the goods.
        Failed = "failed", "Delivered all the same", "拦截失败";
    }
}

/// An attempt to call back a parcel that is under way to the customer (拦截).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interception {
    /// When the carrier was asked.
    pub asked_at: Instant,
    /// The units of the case in the parcel.
    pub contents: Vec<Posting>,
    /// The replacements of the case in the parcel; none when it holds what the order had shipped.
    pub replacements: Vec<u32>,
    /// How it ended.
    pub end: Option<InterceptionEnd>,
}

/// How and when an interception ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InterceptionEnd {
    /// How.
    pub outcome: InterceptionOutcome,
    /// When.
    pub at: Instant,
}

impl Interception {
    /// Whether the carrier has not answered yet.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.end.is_none()
    }
}

codes! {
    /// What became of something that arrived and belongs to no line of the case.
    pub enum UnexpectedEnd "end of an unexpected item" {
        /// Taken as a return of its line by a decision of its own; only then can it be refunded.
        Admitted = "admitted", "Admitted as a return", "准予按退货处理";
        /// Sent back to whoever sent it.
        SentBack = "sent_back", "Sent back", "退回寄件人";
        /// Given to another case, or to the pool of parcels that nobody claimed.
        HandedOn = "handed_on", "Handed on", "转交";
        /// Disposed of.
        Disposed = "disposed", "Disposed of", "处置";
    }
}

/// Something that arrived and does not belong to the lines of the case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnexpectedItem {
    /// What it is, as far as it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    /// How much.
    pub quantity: Quantity,
    /// Its serial number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<SerialId>,
    /// Why it is not a return of this case.
    pub kind: UnexpectedKind,
    /// The line of the case that it was received for, when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<OrderLineId>,
}

codes! {
    /// Why something that arrived is not a return of the case.
    pub enum UnexpectedKind "unexpected item" {
        /// More of a line than the case asked for.
        OverReceipt = "over_receipt", "More than announced", "超收";
        /// Another article.
        WrongItem = "wrong_item", "Wrong item", "错货";
        /// A unit that was not shipped on this order.
        WrongSerial = "wrong_serial", "Wrong serial number", "序列号不符";
        /// Goods of a lot that was not shipped on this order.
        WrongLot = "wrong_lot", "Wrong lot", "批次不符";
    }
}
