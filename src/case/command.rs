//! What a host asks of the engine: commands on the cases of one order.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::dispute::{Evidence, Offer, Ruling};
use super::ground::{AcceptanceBasis, Ground};
use super::liability::Liability;
use super::line::{LineQuantity, ReceivedLine, RequestedLine, SplitOff};
use super::parcel::{InterceptionOutcome, Scan, UnexpectedEnd, UnexpectedItem};
use super::recovery::RecoveryDemand;
use super::recovery::{CostKind, RecoveryResult};
use super::refund::{PaymentResult, RefundLine, RefundTerms};
use super::replacement::ReplacementItem;
use super::resolution::Resolution;
use crate::approval::command::Order;
use crate::explain::Finding;
use crate::feedback::survey::{Answer, QuestionId, SurveyId};
use crate::id::{ActorId, CaseId, CommandId, OrderLineId, ParcelId, RuleId};
use crate::inspection::{Disposition, Inspection};
use crate::money::Money;
use crate::reason::history::Assertion;
use crate::sale::draft::SaleDraft;
use crate::time::Instant;
use crate::workflow::StateId;

/// A command with who gives it and how it may be repeated.
///
/// The same `id` with the same command is one command: the second time has no effect and gets the
/// first answer. The same `id` with another command is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope<C = Command> {
    /// The command's id, chosen by whoever sends it.
    pub id: CommandId,
    /// The version of the stream the sender has seen; when it is stale, the command is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
    /// Who gives the command.
    pub actor: Actor,
    /// The command.
    pub command: C,
}

/// What is asked for. Each variant names the case it is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Command {
    /// Ask for a return, an exchange, a refund or a repair (申请售后).
    OpenCase {
        /// The new case.
        case: CaseId,
        /// What the customer wants.
        resolution: Resolution,
        /// Of which lines how much, and why.
        lines: Vec<RequestedLine>,
    },
    /// Take the request back (买家撤销).
    Withdraw {
        /// The case.
        case: CaseId,
    },
    /// Permit the return (同意).
    Authorize {
        /// The case.
        case: CaseId,
        /// On which ground.
        ground: Ground,
    },
    /// Refuse the return (拒绝). What was promised to the case is free again.
    Decline {
        /// The case.
        case: CaseId,
        /// Why, in the seller's words.
        note: String,
    },
    /// Say that goods are on their way back (填写退货物流).
    SendBack {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// What is in it.
        lines: Vec<LineQuantity>,
    },
    /// Record what arrived (收货).
    Receive {
        /// The case.
        case: CaseId,
        /// In which parcel, if it had a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parcel: Option<ParcelId>,
        /// What arrived of the lines of the case.
        lines: Vec<ReceivedLine>,
        /// What arrived beside them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unexpected: Vec<UnexpectedItem>,
    },
    /// Accept received units as a return (质检通过).
    Accept {
        /// The case.
        case: CaseId,
        /// How much of which lines.
        lines: Vec<LineQuantity>,
        /// What the acceptance rests on.
        basis: AcceptanceBasis,
    },
    /// Do not accept received units; they go back to the customer (质检不通过).
    Reject {
        /// The case.
        case: CaseId,
        /// How much of which lines.
        lines: Vec<LineQuantity>,
        /// Why.
        note: String,
    },
    /// Send refused units back to the customer (退回客户).
    ReturnToCustomer {
        /// The case.
        case: CaseId,
        /// How much of which lines.
        lines: Vec<LineQuantity>,
    },
    /// Settle: refund what is accepted (退款).
    Refund {
        /// The case.
        case: CaseId,
        /// What to settle; none named means everything that can be settled.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<RefundLine>,
        /// Charges, deductions and tenders.
        #[serde(default)]
        terms: Box<RefundTerms>,
    },
    /// Record what the bank or wallet said about one payment.
    RecordPayment {
        /// The case.
        case: CaseId,
        /// The obligation.
        obligation: u32,
        /// The payment of the obligation, from 1.
        payment: u32,
        /// What happened.
        result: PaymentResult,
    },
    /// Try a failed payment again, under the same obligation.
    RetryPayment {
        /// The case.
        case: CaseId,
        /// The obligation.
        obligation: u32,
        /// The payment of the obligation, from 1.
        payment: u32,
    },
    /// Ask the customer for proof or an answer (要求补充凭证).
    RequestInfo {
        /// The case.
        case: CaseId,
        /// What is missing.
        note: String,
    },
    /// Add proof or an answer (补充凭证).
    AddEvidence {
        /// The case.
        case: CaseId,
        /// What supports the request.
        evidence: Evidence,
    },
    /// Offer the customer something else (协商).
    Offer {
        /// The case.
        case: CaseId,
        /// What is offered.
        offer: Offer,
    },
    /// Take the offer.
    AcceptOffer {
        /// The case.
        case: CaseId,
    },
    /// Do not take the offer; the request stands as it was.
    RefuseOffer {
        /// The case.
        case: CaseId,
    },
    /// Stop deciding, settling and ending until released (挂起).
    Hold {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
    },
    /// Go on after a hold.
    Release {
        /// The case.
        case: CaseId,
    },
    /// Ask the marketplace to rule (申请平台介入).
    OpenDispute {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
    },
    /// Rule in a dispute (裁决).
    RuleDispute {
        /// The case.
        case: CaseId,
        /// How.
        ruling: Ruling,
        /// Until when it can be appealed; without it the ruling is final.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        appeal_until: Option<Instant>,
        /// Why.
        note: String,
    },
    /// Appeal a ruling, once (申诉).
    AppealRuling {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
    },
    /// Say that a parcel is lost: one on its way back (退货丢失), or one with a replacement, which is then
    /// sent again or cancelled.
    DeclareLost {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
    },
    /// Ask the carrier to call back a parcel that is under way to the customer (拦截): one of the order,
    /// or one in which the case sent a replacement.
    InterceptParcel {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// How much of which lines; none named means all of the case that is in it. A replacement comes
        /// back as a whole: none is named.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<LineQuantity>,
    },
    /// Record how calling a parcel back ended. When it turned round, the return is permitted.
    RecordInterception {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// How it ended.
        outcome: InterceptionOutcome,
    },
    /// Record what the carrier says about a parcel of the case; it moves no units.
    UpdateTracking {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// What the carrier saw.
        scan: Scan,
    },
    /// Say that what a received parcel announced and did not hold was never sent (少件).
    RecordShortage {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
    },
    /// Decide about something that arrived and is not a return of the case.
    ResolveUnexpected {
        /// The case.
        case: CaseId,
        /// Its place among the unexpected items of the case, from 1.
        item: u32,
        /// What becomes of it.
        end: UnexpectedEnd,
    },
    /// Change a request that nobody has decided: it is judged anew as a whole (修改申请).
    AmendCase {
        /// The case.
        case: CaseId,
        /// What the customer wants now.
        resolution: Resolution,
        /// Of which lines how much, and why: the whole request as it is now.
        lines: Vec<RequestedLine>,
    },
    /// Move some of what has not come back to a new case of the same order (拆分).
    Split {
        /// The case.
        case: CaseId,
        /// The new case.
        into: CaseId,
        /// How much of which lines.
        lines: Vec<SplitOff>,
    },
    /// Decide who is liable for a line (责任判定); a later decision replaces the earlier one.
    AttributeLiability {
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// Who, in shares, and why.
        liability: Liability,
    },
    /// Object to a decision about liability (判责申诉).
    AppealLiability {
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// Why.
        note: String,
    },
    /// Record a cost of a return, or what goods that came back are still worth (退货成本).
    RecordCost {
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// What it is.
        kind: CostKind,
        /// How much, above zero.
        amount: Money,
        /// Where it is known from.
        note: String,
    },
    /// Claim from a liable party what a return cost (追偿).
    OpenRecoveryClaim {
        /// The case.
        case: CaseId,
        /// What is claimed.
        demand: RecoveryDemand,
    },
    /// Record what became of a claim: money came in, it was refused, or it is given up.
    RecordRecovery {
        /// The case.
        case: CaseId,
        /// The claim, from 1.
        claim: u32,
        /// What became of it.
        result: RecoveryResult,
    },
    /// Give the case to somebody (分派).
    Assign {
        /// The case.
        case: CaseId,
        /// To whom.
        to: ActorId,
        /// The rule of dispatch that chose them, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<RuleId>,
        /// Why them, as dispatch found it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Finding>,
    },
    /// Pass the case on to somebody else (改派).
    Reassign {
        /// The case.
        case: CaseId,
        /// To whom.
        to: ActorId,
        /// The rule of dispatch that chose them, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<RuleId>,
        /// Why them, as dispatch found it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Finding>,
        /// Why it is passed on.
        note: String,
    },
    /// Record what the customer answered to a survey of the rules (回访).
    RecordSurvey {
        /// The case.
        case: CaseId,
        /// The survey.
        survey: SurveyId,
        /// The answers.
        answers: BTreeMap<QuestionId, Answer>,
    },
    /// Act in the review of the case: vote, pass on, add signers, send back, withdraw (审批).
    Review {
        /// The case.
        case: CaseId,
        /// What is asked of the procedure.
        order: Order,
    },
    /// Let the running review of the case go on under another version of its procedure (流程迁移).
    MigrateReview {
        /// The case.
        case: CaseId,
        /// The version; none for the last that the rules have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<u32>,
        /// Where states go that do not keep their name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        map: BTreeMap<StateId, StateId>,
    },
    /// Record what an inspection found (质检).
    Inspect {
        /// The case.
        case: CaseId,
        /// Of which line how much was looked at.
        units: LineQuantity,
        /// What was found.
        inspection: Inspection,
    },
    /// Decide what becomes of units that came back (处置).
    SetDisposition {
        /// The case.
        case: CaseId,
        /// Of which line how much.
        units: LineQuantity,
        /// What they were disposed to before, such as quarantine; none when for the first time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Disposition>,
        /// What becomes of them.
        to: Disposition,
    },
    /// Settle an exchange: what came back against what goes out (换货).
    Exchange {
        /// The case.
        case: CaseId,
        /// How much of which lines; none named means everything accepted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<LineQuantity>,
        /// What goes out.
        items: Vec<ReplacementItem>,
        /// Deductions and tenders.
        #[serde(default)]
        terms: Box<RefundTerms>,
    },
    /// Send the replacement before the goods are settled (先换后退), once in a case and for what is not
    /// settled in any other way. What is back already goes against it at once.
    SendAdvance {
        /// The case.
        case: CaseId,
        /// What goes out, each even with a line of the case.
        items: Vec<ReplacementItem>,
        /// From when on it is charged when the goods have not come back.
        charge_on: Instant,
    },
    /// Charge an advance replacement whose original has not come back in time.
    ChargeAdvance {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
    },
    /// Send what was missing (补发).
    Reship {
        /// The case.
        case: CaseId,
        /// What goes out, free of charge.
        items: Vec<ReplacementItem>,
    },
    /// Say that a replacement left (换货发出).
    ShipReplacement {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
        /// In which parcel.
        parcel: ParcelId,
    },
    /// Say that a replacement arrived.
    ConfirmReplacement {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
    },
    /// Do not send a replacement after all, such as when it is out of stock: an exchange falls back to
    /// a refund.
    CancelReplacement {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
    },
    /// Take back an advance replacement that the customer sent back, keeping the original; or a
    /// replacement that was called back on its way and is here again, to be sent anew or cancelled.
    TakeBackReplacement {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
    },
    /// Send repaired units home (维修完成寄回).
    ReturnRepaired {
        /// The case.
        case: CaseId,
        /// How much of which lines.
        lines: Vec<LineQuantity>,
    },
    /// Open an ended case again. One that ended without settlement and was not refused asks for its goods
    /// again, as far as nothing else has them meanwhile.
    Reopen {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
    },
    /// End the case (关闭).
    Close {
        /// The case.
        case: CaseId,
    },
    /// Add a reason that somebody stated, suspected, confirmed or rejected.
    AssertReason {
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// The reason, and who says so.
        assertion: Assertion,
    },
    /// Let the timers fire that are due; nothing else happens.
    Tick,
    /// Take over a new version of the order.
    AmendSale {
        /// The order as it is now.
        sale: Box<SaleDraft>,
    },
}

impl Command {
    /// The case the command is about; none for a command on the order.
    #[must_use]
    pub const fn case(&self) -> Option<&CaseId> {
        match self {
            Self::OpenCase { case, .. }
            | Self::Withdraw { case }
            | Self::Authorize { case, .. }
            | Self::Decline { case, .. }
            | Self::SendBack { case, .. }
            | Self::Receive { case, .. }
            | Self::Accept { case, .. }
            | Self::Reject { case, .. }
            | Self::ReturnToCustomer { case, .. }
            | Self::Refund { case, .. }
            | Self::RecordPayment { case, .. }
            | Self::RetryPayment { case, .. }
            | Self::RequestInfo { case, .. }
            | Self::AddEvidence { case, .. }
            | Self::Offer { case, .. }
            | Self::AcceptOffer { case }
            | Self::RefuseOffer { case }
            | Self::Hold { case, .. }
            | Self::Release { case }
            | Self::OpenDispute { case, .. }
            | Self::RuleDispute { case, .. }
            | Self::AppealRuling { case, .. }
            | Self::DeclareLost { case, .. }
            | Self::InterceptParcel { case, .. }
            | Self::RecordInterception { case, .. }
            | Self::UpdateTracking { case, .. }
            | Self::RecordShortage { case, .. }
            | Self::ResolveUnexpected { case, .. }
            | Self::AmendCase { case, .. }
            | Self::Split { case, .. }
            | Self::AttributeLiability { case, .. }
            | Self::AppealLiability { case, .. }
            | Self::RecordCost { case, .. }
            | Self::OpenRecoveryClaim { case, .. }
            | Self::RecordRecovery { case, .. }
            | Self::Assign { case, .. }
            | Self::Reassign { case, .. }
            | Self::RecordSurvey { case, .. }
            | Self::Review { case, .. }
            | Self::MigrateReview { case, .. }
            | Self::Inspect { case, .. }
            | Self::SetDisposition { case, .. }
            | Self::Exchange { case, .. }
            | Self::SendAdvance { case, .. }
            | Self::ChargeAdvance { case, .. }
            | Self::Reship { case, .. }
            | Self::ShipReplacement { case, .. }
            | Self::ConfirmReplacement { case, .. }
            | Self::CancelReplacement { case, .. }
            | Self::TakeBackReplacement { case, .. }
            | Self::ReturnRepaired { case, .. }
            | Self::Reopen { case, .. }
            | Self::Close { case }
            | Self::AssertReason { case, .. } => Some(case),
            Self::AmendSale { .. } | Self::Tick => None,
        }
    }
}
