//! What happened: events of one order, enough to rebuild every state without rules or clock.
//!
//! Events carry results: amounts, movements, verdicts. They are a wire contract: internally tagged,
//! `snake_case`, fields only added with a default; `tests/golden/` fails when the form changes.

mod name;
mod parts;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::actor::Actor;
use super::dispute::{Evidence, Offer, Ruling};
use super::freight::WayBack;
use super::ground::{AcceptanceBasis, Ground};
use super::ledger::Posting;
use super::liability::{Liability, Party};
use super::line::LineQuantity;
use super::line::{OpenedLine, ReadMarks, SplitLine};
use super::obligation::PaymentOrder;
use super::parcel::UnexpectedItem;
use super::parcel::{InterceptionOutcome, Scan, UnexpectedEnd};
use super::recovery::{CostKind, RecoveryResult};
use super::refund::PaymentResult;
use super::replacement::{AdvanceEnd, Purpose, ReplacementItem};
use super::resolution::Resolution;
use super::review::{ReviewStep, ReviewTerms};
use super::timer::ExpiryOutcome;
use crate::explain::Finding;
use crate::feedback::survey::{Answer, QuestionId, Scores, SurveyId};
use crate::id::{ActorId, CaseId, CommandId, OrderLineId, ParcelId, RuleId};
use crate::inspection::{Disposition, Inspection};
use crate::money::Money;
use crate::practice::length::TimerLength;
use crate::practice::timer::{ExpiryAction, Stage};
use crate::reason::history::Assertion;
use crate::sale::draft::SaleDraft;
use crate::settlement::Settlement;
use crate::settlement::recovery::DebtorId;
use crate::time::Instant;

/// One thing that happened to one order, with who, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its place in the stream of the order, from 1, without gaps.
    pub sequence: u64,
    /// When it happened.
    pub at: Instant,
    /// Who made it happen.
    pub actor: Actor,
    /// The command that caused it.
    pub cause: Cause,
    /// The version of the rules in force.
    pub rules_version: u32,
    /// What happened.
    pub fact: EventFact,
}

/// The command behind an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    /// Its id.
    pub command: CommandId,
    /// A digest of its body, to tell a retry from another command under the same id. It depends on
    /// the version of this crate: a retry across an upgrade is refused, and so has no second effect.
    pub digest: u64,
    /// The timer, when no command but a timer is behind it; the id is then `timer-` and the
    /// sequence of the event that set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<RuleId>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum EventFact {
    /// A case was opened; its quantities are promised to it.
    CaseOpened {
        /// The case.
        case: CaseId,
        /// What is wanted.
        resolution: Resolution,
        /// The lines.
        lines: Vec<OpenedLine>,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// The customer took the request back.
    CaseWithdrawn {
        /// The case.
        case: CaseId,
        /// What is free again.
        postings: Vec<Posting>,
    },
    /// The return was permitted.
    ReturnAuthorized {
        /// The case.
        case: CaseId,
        /// On which ground.
        ground: Ground,
        /// What comes back, and who bears its way.
        #[serde(default, skip_serializing_if = "WayBack::is_unstated")]
        way_back: WayBack,
    },
    /// The return was refused.
    ReturnDeclined {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
        /// What is free again.
        postings: Vec<Posting>,
    },
    /// Goods are on their way back.
    GoodsSentBack {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// Goods arrived.
    GoodsReceived {
        /// The case.
        case: CaseId,
        /// In which parcel.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parcel: Option<ParcelId>,
        /// The movements.
        postings: Vec<Posting>,
        /// Serial numbers and lots as read.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        marks: Vec<ReadMarks>,
        /// What arrived beside.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unexpected: Vec<UnexpectedItem>,
    },
    /// Received units were accepted as a return.
    UnitsAccepted {
        /// The case.
        case: CaseId,
        /// What it rests on.
        basis: AcceptanceBasis,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// Received units were not accepted.
    UnitsRejected {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// Refused units went back to the customer.
    UnitsReturned {
        /// The case.
        case: CaseId,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// A refund was worked out and is owed.
    RefundPlanned {
        /// The case.
        case: CaseId,
        /// Its number in the case, from 1.
        obligation: u32,
        /// The units it settles: movements into a settled location.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        postings: Vec<Posting>,
        /// What is paid, line by line and tender by tender.
        settlement: Arc<Settlement>,
    },
    /// A payment was made, or failed.
    PaymentRecorded {
        /// The case.
        case: CaseId,
        /// The obligation.
        obligation: u32,
        /// The payment of the obligation, from 1.
        payment: u32,
        /// What happened.
        result: PaymentResult,
    },
    /// A failed payment is tried again.
    PaymentRetried {
        /// The case.
        case: CaseId,
        /// The obligation.
        obligation: u32,
        /// What is to be paid.
        order: PaymentOrder,
    },
    /// The customer was asked for proof or an answer.
    InfoRequested {
        /// The case.
        case: CaseId,
        /// What is missing.
        note: String,
    },
    /// Proof or an answer came.
    EvidenceAdded {
        /// The case.
        case: CaseId,
        /// What it is.
        evidence: Evidence,
    },
    /// The seller offered something else.
    ResolutionOffered {
        /// The case.
        case: CaseId,
        /// What.
        offer: Offer,
    },
    /// The customer took the offer; the case goes on under it.
    OfferAccepted {
        /// The case.
        case: CaseId,
        /// What was agreed.
        resolution: Resolution,
        /// What comes back, and who bears its way.
        #[serde(default, skip_serializing_if = "WayBack::is_unstated")]
        way_back: WayBack,
    },
    /// The customer did not take the offer.
    OfferRefused {
        /// The case.
        case: CaseId,
    },
    /// The case was put on hold.
    CaseHeld {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
    },
    /// The hold ended.
    HoldReleased {
        /// The case.
        case: CaseId,
    },
    /// A ruling was asked for.
    DisputeOpened {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
        /// Whether it is the appeal of a ruling.
        appeal: bool,
    },
    /// A dispute was ruled.
    DisputeRuled {
        /// The case.
        case: CaseId,
        /// How.
        ruling: Ruling,
        /// Until when it can be appealed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        appeal_until: Option<Instant>,
        /// Why.
        note: String,
        /// What is promised again, or free again.
        postings: Vec<Posting>,
        /// What comes back, and who bears its way; nothing unless the ruling permits a return.
        #[serde(default, skip_serializing_if = "WayBack::is_unstated")]
        way_back: WayBack,
    },
    /// A parcel on its way back was lost.
    ParcelLost {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// The carrier was asked to call a parcel back.
    InterceptionStarted {
        /// The case.
        case: CaseId,
        /// The parcel, under way to the customer.
        parcel: ParcelId,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// The carrier answered: the parcel comes back and the return is permitted, or it was delivered.
    InterceptionEnded {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// How it ended.
        outcome: InterceptionOutcome,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// The carrier said something about a parcel on its way back.
    ParcelScanned {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// What the carrier saw.
        scan: Scan,
    },
    /// Something announced in a parcel was never sent.
    ShortageRecorded {
        /// The case.
        case: CaseId,
        /// The parcel.
        parcel: ParcelId,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// It was decided what becomes of something that arrived beside the lines.
    UnexpectedResolved {
        /// The case.
        case: CaseId,
        /// Its place among the unexpected items of the case, from 1.
        item: u32,
        /// What becomes of it.
        end: UnexpectedEnd,
        /// The movements, when it is admitted as a return.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        postings: Vec<Posting>,
    },
    /// The request was changed; it stands as if it had been asked for in this way.
    CaseAmended {
        /// The case.
        case: CaseId,
        /// What is wanted now.
        resolution: Resolution,
        /// The lines as they are now.
        lines: Vec<OpenedLine>,
        /// What is free again, and what is promised.
        postings: Vec<Posting>,
    },
    /// A part of the case became a case of its own; the units stay where they are.
    CaseSplit {
        /// The case.
        case: CaseId,
        /// The new case.
        into: CaseId,
        /// What goes over to it.
        lines: Vec<SplitLine>,
    },
    /// It was decided who is liable.
    LiabilityAttributed {
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// Who, in shares.
        liability: Liability,
    },
    /// Somebody objects to a decision about liability.
    LiabilityAppealed {
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// Why.
        note: String,
    },
    /// A return cost something, or goods that came back are still worth something.
    CostRecorded {
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// What it is.
        kind: CostKind,
        /// How much.
        amount: Money,
        /// Where it is known from.
        note: String,
    },
    /// A liable party is to pay.
    RecoveryClaimOpened {
        /// The case.
        case: CaseId,
        /// Its number in the case, from 1.
        claim: u32,
        /// The line.
        line: OrderLineId,
        /// As what the debtor is liable.
        party: Party,
        /// From whom.
        debtor: DebtorId,
        /// How much.
        amount: Money,
        /// The party's part of the cost as far as it was known then.
        attributed: Money,
        /// What the claim says.
        note: String,
    },
    /// Something became of a claim.
    RecoveryRecorded {
        /// The case.
        case: CaseId,
        /// The claim.
        claim: u32,
        /// What became of it.
        result: RecoveryResult,
    },
    /// Somebody has the case now.
    CaseAssigned {
        /// The case.
        case: CaseId,
        /// Who.
        to: ActorId,
        /// The rule of dispatch that chose them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<RuleId>,
        /// Why them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Finding>,
    },
    /// The case passed from one to another.
    CaseReassigned {
        /// The case.
        case: CaseId,
        /// Who had it.
        from: ActorId,
        /// Who has it now.
        to: ActorId,
        /// The rule of dispatch that chose them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<RuleId>,
        /// Why them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        findings: Vec<Finding>,
        /// Why it was passed on.
        note: String,
    },
    /// The customer answered a survey.
    SurveyRecorded {
        /// The case.
        case: CaseId,
        /// The survey.
        survey: SurveyId,
        /// The answers.
        answers: BTreeMap<QuestionId, Answer>,
        /// What they come to.
        scores: Scores,
    },
    /// The case goes through a review.
    ReviewStarted {
        /// The case.
        case: CaseId,
        /// How the procedure is bound to the case.
        terms: ReviewTerms,
        /// The submission.
        step: ReviewStep,
    },
    /// The review went on.
    ReviewMoved {
        /// The case.
        case: CaseId,
        /// The step.
        step: ReviewStep,
    },
    /// The review goes on under another version of its procedure.
    ReviewMigrated {
        /// The case.
        case: CaseId,
        /// How that version is bound to the case.
        terms: ReviewTerms,
        /// The move.
        step: ReviewStep,
    },
    /// Units were inspected.
    UnitsInspected {
        /// The case.
        case: CaseId,
        /// Of which line how much.
        units: LineQuantity,
        /// What was found.
        inspection: Inspection,
    },
    /// It was decided what becomes of units.
    DispositionSet {
        /// The case.
        case: CaseId,
        /// Of which line how much.
        units: LineQuantity,
        /// What they were disposed to before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Disposition>,
        /// What becomes of them.
        to: Disposition,
    },
    /// Goods are to go out.
    ReplacementPlanned {
        /// The case.
        case: CaseId,
        /// Its number in the case, from 1.
        replacement: u32,
        /// Why it goes out.
        purpose: Purpose,
        /// What goes out.
        items: Vec<ReplacementItem>,
        /// The obligation to be discharged before it leaves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        obligation: Option<u32>,
        /// For an advance: from when on it is charged.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        charge_on: Option<Instant>,
    },
    /// Goods went out.
    ReplacementShipped {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
        /// In which parcel.
        parcel: ParcelId,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// Goods that went out arrived.
    ReplacementDelivered {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
    },
    /// Goods that were called back on their way out are here again.
    ReplacementTakenBack {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
        /// The movements.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        postings: Vec<Posting>,
    },
    /// Goods that went out were lost on their way.
    ReplacementLost {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
        /// The parcel.
        parcel: ParcelId,
        /// The movements.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        postings: Vec<Posting>,
    },
    /// Goods will not go out.
    ReplacementCancelled {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
    },
    /// What an advance replacement left open is resolved.
    AdvanceResolved {
        /// The case.
        case: CaseId,
        /// The replacement.
        replacement: u32,
        /// How it ended.
        end: AdvanceEnd,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// Repaired units went home.
    RepairedReturned {
        /// The case.
        case: CaseId,
        /// The movements.
        postings: Vec<Posting>,
    },
    /// An ended case was opened again.
    CaseReopened {
        /// The case.
        case: CaseId,
        /// Why.
        note: String,
        /// What is promised to it again; nothing in earlier forms of the event.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        postings: Vec<Posting>,
    },
    /// The case ended.
    CaseClosed {
        /// The case.
        case: CaseId,
        /// What is free again.
        postings: Vec<Posting>,
    },
    /// Somebody said why.
    ReasonAsserted {
        /// The case.
        case: CaseId,
        /// The line.
        line: OrderLineId,
        /// The reason.
        assertion: Assertion,
    },
    /// A timer runs: by this time somebody has to act.
    DeadlineSet {
        /// The case.
        case: CaseId,
        /// The timer, by its rule.
        timer: RuleId,
        /// What the case is waiting for.
        stage: Stage,
        /// What happens when it runs out.
        action: ExpiryAction,
        /// How long it runs.
        length: TimerLength,
        /// When it is due.
        due: Instant,
    },
    /// A deadline moved, because of a pause or a hold.
    DeadlineRevised {
        /// The case.
        case: CaseId,
        /// The timer.
        timer: RuleId,
        /// When it was due before.
        before: Instant,
        /// When it is due now.
        due: Instant,
    },
    /// A timer ran out; what follows from it stands in the events after this one.
    DeadlineBreached {
        /// The case.
        case: CaseId,
        /// The timer.
        timer: RuleId,
        /// What it asks for.
        action: ExpiryAction,
        /// Whether that was possible.
        outcome: ExpiryOutcome,
    },
    /// The order has a new version.
    SaleAmended {
        /// The order as it is now.
        sale: Box<SaleDraft>,
    },
}
