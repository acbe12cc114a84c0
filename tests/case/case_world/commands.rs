//! Random commands: mostly what somebody could want next, some of them impossible.

use aftersale::approval::command::Order;
use aftersale::case::actor::{Actor, Role};
use aftersale::case::command::{Command, Envelope};
use aftersale::case::dispute::{Dispute, Evidence, Offer, Ruling};
use aftersale::case::ground::{AcceptanceBasis, Ground};
use aftersale::case::ledger::Location;
use aftersale::case::liability::{Liability, Party};
use aftersale::case::line::{LineQuantity, ReceivedLine, RequestedLine, SplitOff};
use aftersale::case::obligation::{PaymentState, PaymentWay};
use aftersale::case::parcel::{Interception, InterceptionOutcome, Scan, ScanState, UnexpectedEnd};
use aftersale::case::parcel::{UnexpectedItem, UnexpectedKind};
use aftersale::case::recovery::RecoveryDemand;
use aftersale::case::recovery::{CostKind, RecoveryResult};
use aftersale::case::refund::{PaymentResult, RefundLine, RefundTerms};
use aftersale::case::replacement::{ReplacementItem, ReplacementState};
use aftersale::case::resolution::Resolution;
use aftersale::case::state::{Approval, CaseLine, ReturnCase};
use aftersale::case::{AfterSale, Context};
use aftersale::explain::RuleRef;
use aftersale::feedback::survey::{Answer, QuestionId, SurveyId};
use aftersale::id::{
    ActorId, CaseId, CommandId, OrderLineId, ParcelId, RuleId, SerialId, TenderId,
};
use aftersale::inspection::{Disposition, Grade, Inspection};
use aftersale::label::Coded;
use aftersale::money::Money;
use aftersale::number::{Ratio, Rounding};
use aftersale::policy::facts::LineFacts;
use aftersale::quantity::{Quantity, Unit};
use aftersale::reason::history::{Assertion, Rank, Source, Standing};
use aftersale::rules::Rules;
use aftersale::sale::Paid;
use aftersale::sale::draft::{Tender, TenderKind};
use aftersale::settlement::request::{
    CashBasis, CashRounding, ChargeClaim, ChargeRefund, Claim, Deduction, DeductionAmount,
    DeductionKind, Excess, Goodwill, GoodwillForm, OutgoingPrice, Standing as FeeStanding,
    TaxTreatment, TenderPolicy,
};
use aftersale::time::{Instant, add_seconds};
use aftersale::workflow::StateId;

use super::reviewed::People;
use super::sales;
use super::sales_support::Random;

/// Every kind of command, by the tag of its wire form.
pub(crate) const KINDS: &[&str] = &[
    "open_case",
    "withdraw",
    "authorize",
    "decline",
    "send_back",
    "receive",
    "accept",
    "reject",
    "return_to_customer",
    "refund",
    "record_payment",
    "retry_payment",
    "request_info",
    "add_evidence",
    "offer",
    "accept_offer",
    "refuse_offer",
    "hold",
    "release",
    "open_dispute",
    "rule_dispute",
    "appeal_ruling",
    "declare_lost",
    "attribute_liability",
    "appeal_liability",
    "inspect",
    "set_disposition",
    "exchange",
    "send_advance",
    "charge_advance",
    "reship",
    "ship_replacement",
    "confirm_replacement",
    "cancel_replacement",
    "take_back_replacement",
    "return_repaired",
    "reopen",
    "close",
    "assert_reason",
    "tick",
    "amend_sale",
    "intercept_parcel",
    "record_interception",
    "update_tracking",
    "record_shortage",
    "resolve_unexpected",
    "amend_case",
    "split",
    "record_cost",
    "open_recovery_claim",
    "record_recovery",
    "assign",
    "reassign",
    "review",
    "migrate_review",
    "record_survey",
];

/// The source of commands of one story.
pub(crate) struct Teller<'a> {
    pub(crate) random: &'a mut Random,
    pub(crate) count: u32,
    pub(crate) rules: &'a Rules,
    pub(crate) people: People,
}

impl Teller<'_> {
    /// The next command about an order, with its role.
    pub(crate) fn next(&mut self, order: &AfterSale, now: Instant) -> Envelope {
        let cases: Vec<&ReturnCase> = order.cases().collect();
        let open_new = cases.is_empty() || (cases.len() < 6 && self.random.chance(10));
        let case = (!cases.is_empty())
            .then(|| cases[self.random.within(0, cases.len() as i64 - 1) as usize]);
        let kind = if open_new {
            "open_case"
        } else if self.random.chance(15) {
            self.random.pick(KINDS)
        } else {
            self.likely(case.unwrap())
        };
        let (role, command) = self.command(kind, order, case, now);
        let role = if self.random.chance(3) { self.random.pick(Role::ALL) } else { role };
        let expected_version = match self.random.within(0, 19) {
            0 => Some(order.version()),
            1 => Some(order.version().saturating_sub(1)),
            _ => None,
        };
        let actor = actor(role);
        Envelope { id: self.id("c"), expected_version, actor, command }
    }

    fn id(&mut self, prefix: &str) -> CommandId {
        self.count += 1;
        CommandId::new(format!("{prefix}-{}", self.count)).unwrap()
    }

    fn fresh(&mut self, prefix: &str) -> String {
        self.count += 1;
        format!("{prefix}-{}", self.count)
    }

    /// A kind of command that moves the case on.
    fn likely(&mut self, case: &ReturnCase) -> &'static str {
        let mut some: Vec<&'static str> = vec!["tick"];
        let held = |location| case.lines.iter().any(|line| line.held.at(location) > 0);
        let mut add = |when: bool, kinds: &[&'static str]| {
            if when {
                some.extend(kinds);
            }
        };
        let open = case.closing.is_none();
        let ready = open && case.approval == Approval::Authorized;
        add(!open, &["reopen", "receive", "assert_reason", "attribute_liability", "open_case"]);
        add(case.held_since.is_some(), &["release"; 5]);
        add(case.dispute.is_open(), &["rule_dispute"; 6]);
        add(matches!(case.dispute, Dispute::Ruled { .. }), &["appeal_ruling"]);
        let asked = open && matches!(case.approval, Approval::Submitted | Approval::NeedsInfo);
        add(asked, &["authorize"; 12]);
        add(asked, &["offer", "decline", "amend_case", "split"]);
        add(asked || ready, &["intercept_parcel"]);
        add(case.running_review().is_some(), &["review"; 24]);
        add(case.running_review().is_some(), &["migrate_review"]);
        add(!open && self.rules.feedback().is_some(), &["record_survey", "record_survey"]);
        let called = case.interceptions.values().any(Interception::is_open);
        add(called, &["record_interception"; 6]);
        add(ready && !case.parcels.is_empty(), &["update_tracking", "record_shortage"]);
        let short = case.parcels.values().any(|known| {
            known.received_at.is_some() && known.contents.iter().any(|c| known.missing(&c.line) > 0)
        });
        add(ready && short && held(Location::InTransit), &["record_shortage"; 8]);
        add(case.undecided_items().next().is_some(), &["resolve_unexpected"]);
        add(ready && held(Location::Requested), &["split"]);
        let liable = case.lines.iter().any(|line| line.liability.is_some());
        add(ready, &["assign", "reassign", "attribute_liability"]);
        add(liable, &["record_cost", "open_recovery_claim", "open_recovery_claim"]);
        add(!case.claims.is_empty(), &["record_recovery", "record_recovery"]);
        add(asked, &["request_info", "add_evidence", "withdraw", "hold", "open_dispute"]);
        add(open && case.approval == Approval::Offered, &["accept_offer", "refuse_offer"]);
        add(open && case.approval == Approval::Declined, &["close", "open_dispute"]);
        let back = case.resolution.needs_return();
        let coming = ready && back && held(Location::Requested);
        add(coming, &["send_back", "send_back", "send_back", "receive", "receive", "receive"]);
        add(ready && held(Location::Requested), &["withdraw", "close"]);
        add(ready && held(Location::InTransit), &["receive", "receive", "receive", "declare_lost"]);
        add(ready && held(Location::Lost), &["attribute_liability", "refund", "receive"]);
        add(ready && held(Location::Received), &["accept"; 8]);
        add(ready && held(Location::Received), &["reject", "inspect"]);
        add(ready && held(Location::Rejected), &["return_to_customer", "accept"]);
        add(ready && held(Location::Accepted), &["set_disposition", "reject"]);
        add(ready && !back, &["refund", "refund", "refund"]);
        let settled = [Location::Settled, Location::Recovered];
        add(settled.iter().any(|place| held(*place)), &["set_disposition", "inspect"]);
        let outside = [Location::Ahead, Location::WrittenOff, Location::Kept];
        add(outside.iter().any(|place| held(*place)), &["receive"]);
        let accepted = ready && held(Location::Accepted);
        match case.resolution {
            Resolution::Exchange => {
                add(accepted, &["exchange"; 8]);
                add(accepted, &["refund"]);
            }
            Resolution::Repair => add(accepted, &["return_repaired"; 4]),
            Resolution::Reship => add(ready, &["reship"]),
            Resolution::AdvanceReplacement => add(ready, &["send_advance", "refund"]),
            Resolution::InstantRefund => add(ready, &["refund"]),
            _ => add(accepted, &["refund"; 6]),
        }
        for sent in &case.replacements {
            add(
                sent.state == ReplacementState::Planned,
                &["ship_replacement", "cancel_replacement"],
            );
            let gone = matches!(sent.state, ReplacementState::Shipped { .. });
            add(gone, &["confirm_replacement", "intercept_parcel", "declare_lost"]);
            let turned = matches!(sent.state, ReplacementState::TurnedRound { .. });
            add(turned, &["take_back_replacement"; 3]);
            add(turned, &["declare_lost"]);
            let waits = sent.advance.is_some_and(|advance| advance.resolved.is_none());
            add(waits, &["charge_advance", "take_back_replacement", "send_back"]);
        }
        let payments = || case.obligations.iter().flat_map(|owed| &owed.payments);
        add(payments().any(|owed| owed.state == PaymentState::Due), &["record_payment"; 3]);
        let failed = payments().any(|owed| matches!(owed.state, PaymentState::Failed { .. }));
        add(failed, &["retry_payment", "record_payment"]);
        add(ready && !case.obligations.is_empty(), &["close", "close"]);
        self.random.pick(&some)
    }

    /// A command of one kind, filled in for a case of the order.
    pub(crate) fn command(
        &mut self,
        kind: &str,
        order: &AfterSale,
        case: Option<&ReturnCase>,
        now: Instant,
    ) -> (Role, Command) {
        let Some(own) = case else { return self.open(order) };
        let case =
            if self.random.chance(1) { CaseId::new("R-NONE").unwrap() } else { own.id.clone() };
        let note = String::from("because");
        match kind {
            "open_case" => self.open(order),
            "withdraw" => (Role::Customer, Command::Withdraw { case }),
            "authorize" => {
                let ground = match self.random.within(0, 9) {
                    0 => Ground::Ruling,
                    1 => Ground::Timeout,
                    2..=5 => Ground::Policy,
                    _ => Ground::Goodwill { note },
                };
                (
                    self.random.pick(&[Role::Agent, Role::System]),
                    Command::Authorize { case, ground },
                )
            }
            "decline" => (Role::Agent, Command::Decline { case, note }),
            "send_back" => {
                let known = own.parcels.keys().next().cloned();
                let parcel = match known {
                    Some(known) if self.random.chance(5) => known,
                    _ => ParcelId::new(self.fresh("BACK")).unwrap(),
                };
                let lines = self.parts(own, &[Location::Requested]);
                (Role::Customer, Command::SendBack { case, parcel, lines })
            }
            "receive" => self.receive(order, own, case),
            "accept" => {
                let lines = self.parts(own, &[Location::Received, Location::Rejected]);
                let basis = match self.random.within(0, 9) {
                    0 => AcceptanceBasis::Ruling,
                    1 | 2 => AcceptanceBasis::Waived,
                    _ => AcceptanceBasis::Inspected,
                };
                let role = self.random.pick(&[Role::Inspector, Role::Supervisor, Role::System]);
                (role, Command::Accept { case, lines, basis })
            }
            "reject" => {
                let lines = self.parts(own, &[Location::Received, Location::Accepted]);
                (Role::Inspector, Command::Reject { case, lines, note })
            }
            "return_to_customer" => {
                let lines = self.parts(own, &[Location::Rejected]);
                (Role::Warehouse, Command::ReturnToCustomer { case, lines })
            }
            "refund" => self.refund(order, own, case),
            "record_payment" => self.record_payment(order, own, case),
            "retry_payment" => {
                let (obligation, payment, ..) = self.payment(own);
                (Role::Finance, Command::RetryPayment { case, obligation, payment })
            }
            "request_info" => (Role::Agent, Command::RequestInfo { case, note }),
            "add_evidence" => {
                let evidence = Evidence { kind: "photo".into(), reference: self.fresh("blob") };
                (Role::Customer, Command::AddEvidence { case, evidence })
            }
            "offer" => {
                let most = order.sale().total().minor().max(1);
                let amount = Money::new(self.random.within(-1, most), order.sale().currency());
                let resolution = self.random.pick(Resolution::ALL);
                let most = if resolution.keeps_goods() { 60 } else { 5 };
                let amount = self.random.chance(most).then_some(amount);
                let offer = Offer { resolution, amount, note };
                (Role::Agent, Command::Offer { case, offer })
            }
            "accept_offer" => (Role::Customer, Command::AcceptOffer { case }),
            "refuse_offer" => (Role::Customer, Command::RefuseOffer { case }),
            "hold" => (Role::Agent, Command::Hold { case, note }),
            "release" => (Role::Agent, Command::Release { case }),
            "open_dispute" => (Role::Customer, Command::OpenDispute { case, note }),
            "rule_dispute" => {
                let ruling = self.random.pick(&[Ruling::ForCustomer, Ruling::ForSeller]);
                let days = self.random.within(-1, 4);
                let until = add_seconds(now, days * 86_400).unwrap();
                let appeal_until = self.random.chance(60).then_some(until);
                (Role::Platform, Command::RuleDispute { case, ruling, appeal_until, note })
            }
            "appeal_ruling" => (Role::Customer, Command::AppealRuling { case, note }),
            "declare_lost" => {
                let mut parcels: Vec<&ParcelId> = own.parcels.keys().collect();
                parcels.extend(own.replacements.iter().filter_map(|sent| match &sent.state {
                    ReplacementState::Shipped { parcel, .. }
                    | ReplacementState::TurnedRound { parcel, .. } => Some(parcel),
                    _ => None,
                }));
                let parcel = match parcels.as_slice() {
                    [] => ParcelId::new("BACK-NONE").unwrap(),
                    some => self.random.pick(some).clone(),
                };
                (Role::Warehouse, Command::DeclareLost { case, parcel })
            }
            "attribute_liability" => {
                let line = self.line(own);
                let liability = self.liability();
                (Role::Supervisor, Command::AttributeLiability { case, line, liability })
            }
            "appeal_liability" => {
                let line = self.line(own);
                (Role::Customer, Command::AppealLiability { case, line, note })
            }
            "inspect" => {
                let with_us = [
                    Location::Received,
                    Location::Accepted,
                    Location::Rejected,
                    Location::Settled,
                    Location::Recovered,
                ];
                let units = self.part(own, &with_us);
                let grade = self.random.pick(Grade::ALL);
                let findings = ["sleeve_torn".to_owned()].into();
                let inspection = Inspection { grade, findings, evidence: Default::default() };
                (Role::Inspector, Command::Inspect { case, units, inspection })
            }
            "set_disposition" => {
                let ours = [Location::Accepted, Location::Settled, Location::Recovered];
                let units = self.part(own, &ours);
                let known = own.line(&units.line).and_then(|line| line.disposed.keys().next());
                let from = known.copied().filter(|_| self.random.chance(50));
                let to = self.random.pick(Disposition::ALL);
                (Role::Warehouse, Command::SetDisposition { case, units, from, to })
            }
            "exchange" => {
                let lines = if self.random.chance(70) {
                    vec![]
                } else {
                    self.parts(own, &[Location::Accepted])
                };
                let items = self.items(order, own, Location::Accepted);
                let terms =
                    if self.random.chance(80) { Box::default() } else { self.terms(order, own) };
                (Role::Agent, Command::Exchange { case, lines, items, terms })
            }
            "send_advance" => {
                let items = self.items(order, own, Location::Requested);
                let charge_on = add_seconds(now, self.random.within(0, 9) * 43_200).unwrap();
                (Role::Agent, Command::SendAdvance { case, items, charge_on })
            }
            "charge_advance" => {
                let replacement = self.replacement(own);
                (Role::System, Command::ChargeAdvance { case, replacement })
            }
            "reship" => {
                let items = self.items(order, own, Location::Requested);
                (Role::Agent, Command::Reship { case, items })
            }
            "ship_replacement" => {
                let (replacement, parcel) = (self.replacement(own), self.fresh("OUT"));
                let parcel = ParcelId::new(parcel).unwrap();
                (Role::Warehouse, Command::ShipReplacement { case, replacement, parcel })
            }
            "confirm_replacement" => {
                let replacement = self.replacement(own);
                (Role::Customer, Command::ConfirmReplacement { case, replacement })
            }
            "cancel_replacement" => {
                let replacement = self.replacement(own);
                (Role::Warehouse, Command::CancelReplacement { case, replacement })
            }
            "take_back_replacement" => {
                let replacement = self.replacement(own);
                (Role::Warehouse, Command::TakeBackReplacement { case, replacement })
            }
            "return_repaired" => {
                let lines = self.parts(own, &[Location::Accepted]);
                (Role::Warehouse, Command::ReturnRepaired { case, lines })
            }
            "reopen" => (Role::Supervisor, Command::Reopen { case, note }),
            "close" => (Role::Agent, Command::Close { case }),
            "assert_reason" => {
                let line = self.line(own);
                let assertion = assertion(self.random, now);
                (Role::Inspector, Command::AssertReason { case, line, assertion })
            }
            "amend_sale" => match sales::amended(self.random, order.sale(), now) {
                Some(sale) => (Role::System, Command::AmendSale { sale: Box::new(sale) }),
                None => (Role::System, Command::Tick),
            },
            "tick" => (Role::System, Command::Tick),
            "record_cost" => {
                let line = self.line(own);
                let amount = Money::new(self.random.within(0, 900), order.sale().currency());
                let kind = self.random.pick(CostKind::ALL);
                (Role::Finance, Command::RecordCost { case, line, kind, amount, note })
            }
            "open_recovery_claim" => {
                let amount = Money::new(self.random.within(0, 2_000), order.sale().currency());
                let line = self.line(own);
                let decided = own.line(&line).and_then(|line| line.liability.as_ref());
                let party = decided.and_then(|who| who.shares().next()).map(|(party, _)| party);
                let demand = RecoveryDemand {
                    line,
                    party: party.unwrap_or(Party::Carrier),
                    debtor: "carrier-1".parse().unwrap(),
                    amount: self.random.chance(50).then_some(amount),
                    note,
                };
                (Role::Finance, Command::OpenRecoveryClaim { case, demand })
            }
            "record_recovery" => {
                let claim = self.random.within(1, own.claims.len().max(1) as i64) as u32;
                let amount = Money::new(self.random.within(0, 2_000), order.sale().currency());
                let result = match self.random.within(0, 3) {
                    0 => RecoveryResult::Refused { note },
                    1 => RecoveryResult::WrittenOff { note },
                    _ => RecoveryResult::Recovered { amount, reference: note },
                };
                (Role::Finance, Command::RecordRecovery { case, claim, result })
            }
            "assign" => {
                let to = ActorId::new(self.random.pick(&["agent-1", "agent-2"])).unwrap();
                let (rule, findings) = (None, vec![]);
                (Role::Agent, Command::Assign { case, to, rule, findings })
            }
            "reassign" => {
                let to = ActorId::new(self.random.pick(&["agent-1", "agent-2"])).unwrap();
                let (rule, findings) = (None, vec![]);
                (Role::Supervisor, Command::Reassign { case, to, rule, findings, note })
            }
            "review" => self.review(order, own, case, now),
            "migrate_review" => {
                let version = self.random.chance(80).then(|| self.random.within(1, 3) as u32);
                let map = match self.random.chance(10) {
                    true => {
                        let state = |name| StateId::new(name).unwrap();
                        [(state("service"), state("check"))].into()
                    }
                    false => Default::default(),
                };
                (Role::Supervisor, Command::MigrateReview { case, version, map })
            }
            "record_survey" => {
                let survey = self.random.pick(&["after_return", "after_return", "other"]);
                let survey = SurveyId::new(survey).unwrap();
                let stars = Answer::Number(self.random.within(0, 6) as u8);
                let overall = QuestionId::new("overall").unwrap();
                let answers = [(overall, stars)].into();
                (Role::Customer, Command::RecordSurvey { case, survey, answers })
            }
            "intercept_parcel" => {
                let mut sent: Vec<ParcelId> = own
                    .replacements
                    .iter()
                    .filter_map(|sent| sent.under_way_in())
                    .cloned()
                    .collect();
                if sent.is_empty() || self.random.chance(30) {
                    sent.extend(order.sale().shipments().iter().map(|sent| sent.parcel.clone()));
                    let others = order.cases().flat_map(|case| &case.replacements);
                    sent.extend(others.filter_map(|sent| sent.under_way_in()).cloned());
                }
                let parcel = match sent.as_slice() {
                    [] => ParcelId::new("OUT-NONE").unwrap(),
                    some => {
                        let place = self.random.within(0, some.len() as i64 - 1) as usize;
                        some[place].clone()
                    }
                };
                let lines = match self.random.chance(75) {
                    true => vec![],
                    false => self.parts(own, &[Location::Requested]),
                };
                (Role::Agent, Command::InterceptParcel { case, parcel, lines })
            }
            "record_interception" => {
                let called: Vec<&ParcelId> = own.interceptions.keys().collect();
                let parcel = match called.as_slice() {
                    [] => ParcelId::new("OUT-1").unwrap(),
                    some => self.random.pick(some).clone(),
                };
                let outcome = self.random.pick(InterceptionOutcome::ALL);
                (Role::Warehouse, Command::RecordInterception { case, parcel, outcome })
            }
            "update_tracking" => {
                let parcel = self.parcel_of(own);
                let at = add_seconds(now, -self.random.within(-60, 9_000)).unwrap();
                let state = self.random.pick(ScanState::ALL);
                let scan = Scan { at, state, place: None, note: None };
                (Role::System, Command::UpdateTracking { case, parcel, scan })
            }
            "record_shortage" => {
                let parcel = self.parcel_of(own);
                (Role::Warehouse, Command::RecordShortage { case, parcel })
            }
            "resolve_unexpected" => {
                let item = self.random.within(1, own.unexpected.len().max(1) as i64) as u32;
                let end = self.random.pick(UnexpectedEnd::ALL);
                (Role::Supervisor, Command::ResolveUnexpected { case, item, end })
            }
            "amend_case" => {
                let (role, open) = self.open(order);
                match open {
                    Command::OpenCase { resolution, lines, .. } => {
                        (role, Command::AmendCase { case, resolution, lines })
                    }
                    other => (role, other),
                }
            }
            "split" => {
                let into = CaseId::new(self.fresh("R")).unwrap();
                let parts = self.parts(own, &[Location::Requested, Location::HeldBack]);
                let mut lines = Vec::new();
                for LineQuantity { line, quantity } in parts {
                    let named = own.line(&line).map(|line| line.serials.clone());
                    let serials = match self.random.chance(50) {
                        true => named.unwrap_or_default().into_iter().take(1).collect(),
                        false => Default::default(),
                    };
                    lines.push(SplitOff { line, quantity, serials });
                    if self.random.chance(50) {
                        break;
                    }
                }
                (Role::Agent, Command::Split { case, into, lines })
            }
            other => panic!("no way to make a command of kind {other}"),
        }
    }

    fn parcel_of(&mut self, own: &ReturnCase) -> ParcelId {
        let parcels: Vec<&ParcelId> = own.parcels.keys().collect();
        match parcels.as_slice() {
            [] => ParcelId::new("BACK-NONE").unwrap(),
            some => self.random.pick(some).clone(),
        }
    }

    fn open(&mut self, order: &AfterSale) -> (Role, Command) {
        let resolution = if self.random.chance(25) {
            Resolution::ReturnAndRefund
        } else if self.random.chance(30) {
            self.random.pick(&[Resolution::Exchange, Resolution::AdvanceReplacement])
        } else {
            self.random.pick(Resolution::ALL)
        };
        let ids = known_lines(order);
        let mut lines = Vec::new();
        for _ in 0..self.random.within(1, 2) {
            let line = ids[self.random.within(0, ids.len() as i64 - 1) as usize].clone();
            let slot = order.quantities().slot(&line).unwrap();
            let unit = order.quantities().unit(slot).unwrap();
            let balance = order.quantities().at(slot).unwrap();
            let free = balance.at(Location::Customer)
                + match resolution {
                    Resolution::RefundOnly => balance.at(Location::Unshipped),
                    _ => 0,
                };
            let quantity = self.share(free.max(0), unit);
            let serials = self.serials_of(order, &line, quantity);
            lines.push(RequestedLine {
                line,
                quantity,
                serials,
                reason: match self.random.chance(3) {
                    true => "NO.SUCH_REASON".parse().unwrap(),
                    false => "CUS.CHANGED_MIND".parse().unwrap(),
                },
                note: None,
                facts: LineFacts::default(),
            });
        }
        if lines.len() == 2 && lines[0].line == lines[1].line && self.random.chance(80) {
            lines.pop();
        }
        let taken = self.random.chance(3) && order.cases().len() > 0;
        let case = if taken {
            order.cases().next().unwrap().id.clone()
        } else {
            CaseId::new(self.fresh("R")).unwrap()
        };
        (Role::Customer, Command::OpenCase { case, resolution, lines })
    }

    /// Some of the serial numbers that were shipped on a line, or one that was not.
    fn serials_of(
        &mut self,
        order: &AfterSale,
        line: &OrderLineId,
        quantity: Quantity,
    ) -> std::collections::BTreeSet<SerialId> {
        let shipped = order.sale().shipments().iter().flat_map(|shipment| &shipment.lines);
        let all: Vec<&SerialId> = shipped
            .filter(|shipped| shipped.line == *line)
            .flat_map(|part| &part.serials)
            .collect();
        if all.is_empty() || quantity.unit() != Unit::PIECE || self.random.chance(30) {
            return match self.random.chance(2) {
                true => [SerialId::new("SN-FOREIGN").unwrap()].into(),
                false => Default::default(),
            };
        }
        let count = quantity.steps().min(all.len() as i64) as usize;
        (0..count).map(|_| self.random.pick(&all).clone()).collect()
    }

    /// Mostly all or a part of what there is, sometimes one step too much, sometimes nothing.
    fn share(&mut self, there: i64, unit: Unit) -> Quantity {
        let steps = match self.random.within(0, 19) {
            0 => there + 1,
            1 => 0,
            2..=7 if there > 1 => self.random.within(1, there),
            _ => there.max(i64::from(self.random.chance(20))),
        };
        Quantity::new(steps, unit).unwrap()
    }

    fn parts(&mut self, case: &ReturnCase, from: &[Location]) -> Vec<LineQuantity> {
        let there: Vec<&CaseLine> =
            case.lines.iter().filter(|line| line.held.over(from) > 0).collect();
        if there.is_empty() {
            return vec![self.part(case, from)];
        }
        let mut parts = Vec::new();
        for line in there {
            if parts.is_empty() || self.random.chance(70) {
                let quantity = self.share(line.held.over(from), line.requested.unit());
                parts.push(LineQuantity { line: line.line.clone(), quantity });
            }
        }
        parts
    }

    fn part(&mut self, case: &ReturnCase, from: &[Location]) -> LineQuantity {
        let there: Vec<&CaseLine> =
            case.lines.iter().filter(|line| line.held.over(from) > 0).collect();
        let all: Vec<&CaseLine> = case.lines.iter().collect();
        let line = self.random.pick(if there.is_empty() { &all } else { &there });
        let quantity = self.share(line.held.over(from).max(0), line.requested.unit());
        LineQuantity { line: line.line.clone(), quantity }
    }

    fn line(&mut self, case: &ReturnCase) -> OrderLineId {
        let all: Vec<&CaseLine> = case.lines.iter().collect();
        self.random.pick(&all).line.clone()
    }

    fn receive(&mut self, order: &AfterSale, own: &ReturnCase, case: CaseId) -> (Role, Command) {
        const COMING: &[Location] = &[
            Location::InTransit,
            Location::Requested,
            Location::Lost,
            Location::Ahead,
            Location::WrittenOff,
            Location::Kept,
        ];
        let mut lines = Vec::new();
        for LineQuantity { line, mut quantity } in self.parts(own, COMING) {
            if self.random.chance(8) {
                quantity = Quantity::new(quantity.steps() + 1, quantity.unit()).unwrap();
            }
            let mut serials = match own.line(&line) {
                Some(asked) if !asked.serials.is_empty() && self.random.chance(80) => {
                    asked.serials.iter().take(quantity.steps() as usize).cloned().collect()
                }
                _ => self.serials_of(order, &line, quantity),
            };
            if self.random.chance(3) {
                serials.insert(SerialId::new("SN-FOREIGN").unwrap());
            }
            let lot = order.sold_as(&line).map(|sold| sold.ordered.sku.clone());
            let lots = match (lot, self.random.within(0, 19)) {
                (Some(sku), 0..=7) => [format!("LOT-{sku}").parse().unwrap()].into(),
                (_, 8) => ["LOT-FOREIGN".parse().unwrap()].into(),
                _ => Default::default(),
            };
            lines.push(ReceivedLine { line, quantity, serials, lots });
        }
        let mut unexpected = Vec::new();
        if self.random.chance(8) {
            unexpected.push(UnexpectedItem {
                sku: Some(sales::sku(self.random)),
                quantity: Quantity::pieces(1).unwrap(),
                serial: None,
                kind: UnexpectedKind::WrongItem,
                line: None,
            });
        }
        let known: Vec<&ParcelId> = own.parcels.keys().collect();
        let parcel = match self.random.within(0, 9) {
            0 => Some(ParcelId::new("BACK-X").unwrap()),
            1..=5 if !known.is_empty() => Some(self.random.pick(&known).clone()),
            _ => None,
        };
        (Role::Warehouse, Command::Receive { case, parcel, lines, unexpected })
    }

    fn refund(&mut self, order: &AfterSale, own: &ReturnCase, case: CaseId) -> (Role, Command) {
        const FROM: &[Location] = &[
            Location::Accepted,
            Location::HeldBack,
            Location::Requested,
            Location::Lost,
            Location::InTransit,
        ];
        let keeps =
            matches!(own.resolution, Resolution::PartialRefund | Resolution::PriceProtection);
        let mut lines = Vec::new();
        if keeps || self.random.chance(3) {
            let line = self.line(own);
            let left = order.money().left_on_line(&line).map_or(0, Money::minor);
            let asked = match self.random.within(0, 9) {
                0 => left + 1,
                1 => left,
                2 => 1.min(left),
                _ => self.random.within(0, left.max(0) / 2),
            };
            let claim = Claim::Amount(Money::new(asked, order.sale().currency()));
            lines.push(RefundLine { line, claim });
        } else if self.random.chance(30) {
            let parts = self.parts(own, FROM);
            let units = |part: LineQuantity| RefundLine {
                line: part.line,
                claim: Claim::Units(part.quantity),
            };
            lines.extend(parts.into_iter().map(units));
        }
        let terms = if self.random.chance(65) { Box::default() } else { self.terms(order, own) };
        (Role::Finance, Command::Refund { case, lines, terms })
    }

    fn terms(&mut self, order: &AfterSale, own: &ReturnCase) -> Box<RefundTerms> {
        let currency = order.sale().currency();
        let mut terms = Box::<RefundTerms>::default();
        let rule = |name: &str| RuleRef::new(RuleId::new(name).unwrap());
        if let Some(charge) = order.sale().charges().next()
            && self.random.chance(40)
        {
            let left = order.money().left_on_charge(&charge.charged.id).map_or(0, Money::minor);
            let part = Money::new(self.random.within(0, left + 1), currency);
            let claim = match self.random.within(0, 2) {
                0 => ChargeClaim::Full,
                1 => ChargeClaim::UpToStandard,
                _ => ChargeClaim::Amount(part),
            };
            terms.charges.push(ChargeRefund { charge: charge.charged.id.clone(), claim });
        }
        if self.random.chance(40) {
            let flat = Money::new(self.random.within(0, 2_000), currency);
            let amount = match self.random.within(0, 1) {
                0 => DeductionAmount::Flat(flat),
                _ => DeductionAmount::Share("0.15".parse().unwrap()),
            };
            let line = self.random.chance(40).then(|| self.line(own));
            terms.deductions.push(Deduction {
                kind: self.random.pick(DeductionKind::ALL),
                line,
                amount,
                cap: None,
                tax: TaxTreatment::ReducesBase,
                standing: self.random.pick(FeeStanding::ALL),
                excess: self.random.pick(Excess::ALL),
                rule: rule("fee"),
            });
        }
        if self.random.chance(20) {
            terms.goodwill.push(Goodwill {
                line: None,
                amount: Money::new(self.random.within(0, 500), currency),
                form: self.random.pick(GoodwillForm::ALL),
                rule: rule("goodwill"),
            });
        }
        terms.tenders = match self.random.within(0, 6) {
            0 => TenderPolicy::LowestFirst,
            1 => TenderPolicy::LargestFirst,
            2 => TenderPolicy::Sequential(vec![TenderKind::GiftCard, TenderKind::Card]),
            3 => TenderPolicy::SelectedThenSpill(vec![TenderId::new("T0").unwrap()]),
            4 => TenderPolicy::OriginalElseCredit { days: Some(5) },
            _ => TenderPolicy::Proportional,
        };
        if self.random.chance(8) {
            let (rounding, on) = (Rounding::HalfUp, CashBasis::Total);
            terms.cash = Some(CashRounding { step: 5, rounding, on });
        }
        terms
    }

    /// A payment of the case: one that is not made, if there is one.
    fn payment(&mut self, own: &ReturnCase) -> (u32, u32, Money, PaymentWay) {
        let all = own.obligations.iter().flat_map(|owed| {
            let number = owed.number;
            owed.payments.iter().map(move |payment| (number, payment))
        });
        let all: Vec<_> = all.collect();
        let waiting: Vec<_> = all
            .iter()
            .filter(|(_, payment)| !matches!(payment.state, PaymentState::Paid { .. }))
            .copied()
            .collect();
        let from = if waiting.is_empty() || self.random.chance(10) { &all } else { &waiting };
        if from.is_empty() {
            let zero = Money::zero(aftersale::money::currency::Currency::CNY);
            return (1, 1, zero, PaymentWay::ByHand);
        }
        let (number, payment) = self.random.pick(from);
        let order = &payment.order;
        (number, order.number, order.amount, order.way.clone())
    }

    fn record_payment(
        &mut self,
        order: &AfterSale,
        own: &ReturnCase,
        case: CaseId,
    ) -> (Role, Command) {
        let (obligation, payment, amount, way) = self.payment(own);
        let failed = PaymentResult::Failed { error: "declined".into() };
        let result = match self.random.within(0, 9) {
            0 | 1 => failed,
            2 => PaymentResult::PaidByHand { reference: self.fresh("hand") },
            _ if way == PaymentWay::Collect || self.random.chance(2) => {
                let id = match self.random.chance(30) {
                    true => "T0".to_owned(),
                    false => self.fresh("C"),
                };
                let wrong = i64::from(self.random.chance(10));
                PaymentResult::Collected {
                    tender: Box::new(Tender {
                        id: TenderId::new(id).unwrap(),
                        kind: TenderKind::Wallet,
                        captured: Money::new(amount.minor() + wrong, order.sale().currency()),
                        in_kind: None,
                        refunded_outside: None,
                        refundable_until: None,
                    }),
                }
            }
            _ => PaymentResult::Paid { reference: self.fresh("bank") },
        };
        (Role::Finance, Command::RecordPayment { case, obligation, payment, result })
    }

    /// Mostly something that a person may do in the review now, else anything that anybody might.
    fn review(
        &mut self,
        order: &AfterSale,
        own: &ReturnCase,
        case: CaseId,
        now: Instant,
    ) -> (Role, Command) {
        const ROLES: &[Role] = &[
            Role::Agent,
            Role::Inspector,
            Role::Finance,
            Role::Supervisor,
            Role::Customer,
            Role::Platform,
        ];
        let role = self.random.pick(ROLES);
        let any = Command::Review { case, order: Order::Approve { comment: String::new() } };
        if order.last_at().is_some_and(|last| now < last) {
            return (role, any);
        }
        let context = Context { now, rules: self.rules };
        let mut from = self.random.within(0, ROLES.len() as i64 - 1) as usize;
        for _ in 0..ROLES.len() {
            from = (from + 1) % ROLES.len();
            let listed = order.allowed_among(&context, &self.people.roster(), &actor(ROLES[from]));
            let mine = |command: &Command| match command {
                Command::Review { case, .. } => *case == own.id,
                _ => false,
            };
            let listed = listed.into_iter().map(|allowed| allowed.command).filter(mine);
            let orders: Vec<Command> = listed.collect();
            let (plain, other): (Vec<Command>, Vec<Command>) =
                orders.into_iter().partition(|own| {
                    matches!(own, Command::Review { order: Order::Approve { .. }, .. })
                });
            let list = if self.random.chance(60) && !plain.is_empty() { plain } else { other };
            if !list.is_empty() && self.random.chance(80) {
                let place = self.random.within(0, list.len() as i64 - 1) as usize;
                return (ROLES[from], list[place].clone());
            }
        }
        (role, any)
    }

    fn liability(&mut self) -> Liability {
        let half = Ratio::new(1, 2).unwrap();
        let party = self.random.pick(Party::ALL);
        let shares = match self.random.chance(70) || party == Party::Seller {
            true => vec![(party, Ratio::ONE)],
            false => vec![(party, half), (Party::Seller, half)],
        };
        Liability::new(shares, "scan", []).unwrap()
    }

    fn replacement(&mut self, own: &ReturnCase) -> u32 {
        let last = own.replacements.len() as i64;
        self.random.within(1, last.max(1)) as u32 + u32::from(self.random.chance(2))
    }

    /// Articles that go out for what is at a place; sometimes two for one line, sometimes dearer.
    fn items(&mut self, order: &AfterSale, own: &ReturnCase, at: Location) -> Vec<ReplacementItem> {
        let mut items = Vec::new();
        for line in &own.lines {
            let there = line.held.at(at).max(0);
            let steps = if there > 0 { there } else { line.requested.steps() };
            let unit = line.requested.unit();
            let parts = match self.random.chance(20) && steps > 1 {
                true => vec![1, steps - 1],
                false => vec![steps + i64::from(self.random.chance(4))],
            };
            for part in parts {
                let currency = order.sale().currency();
                let worth = order.money().left_on_line(&line.line).map_or(0, Money::minor);
                let gross = self.random.within(0, worth.max(1) * 2);
                let gross = Money::new(gross, currency);
                let own_price = OutgoingPrice::Own(Paid { gross, taxes: vec![] });
                let fresh = self.fresh("X");
                items.push(ReplacementItem {
                    line: OrderLineId::new(fresh).unwrap(),
                    replaces: line.line.clone(),
                    sku: sales::sku(self.random),
                    quantity: Quantity::new(part, unit).unwrap(),
                    price: self.random.chance(40).then_some(own_price),
                });
            }
            if self.random.chance(30) {
                break;
            }
        }
        items
    }
}

/// All lines that can be asked for: of the sale, and those that replacements added.
fn known_lines(order: &AfterSale) -> Vec<OrderLineId> {
    let mut ids: Vec<OrderLineId> =
        order.sale().lines().map(|line| line.ordered.id.clone()).collect();
    for case in order.cases() {
        let items = case.replacements.iter().flat_map(|sent| &sent.items);
        ids.extend(items.map(|item| item.line.clone()).filter(|id| order.added(id).is_some()));
    }
    ids
}

fn assertion(random: &mut Random, at: Instant) -> Assertion {
    Assertion {
        code: "CUS.CHANGED_MIND".parse().unwrap(),
        taxonomy_version: 1,
        source: random.pick(Source::ALL),
        standing: random.pick(Standing::ALL),
        rank: random.pick(Rank::ALL),
        at,
        author: ActorId::new("inspector-1").unwrap(),
        facets: Default::default(),
        original: None,
    }
}

pub(crate) fn actor(role: Role) -> Actor {
    Actor { id: ActorId::new(format!("{role}-1")).unwrap(), role }
}
