//! What liability decides: freight, labels, recovery claims, scorecards; and the people around a case.

use std::collections::BTreeMap;

use crate::reviews::{feedback, person};
use crate::support::{Desk, at, case, line, obstacles, pounds, sale, wanted};
use aftersale::analytics::scorecard::Scorecards;
use aftersale::calendar::book::Calendars;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::Ruling;
use aftersale::case::duty::{DutyAct, duties_of};
use aftersale::case::event::{Event, EventFact};
use aftersale::case::freight::{FreightTerms, WayBack};
use aftersale::case::ground::Ground;
use aftersale::case::liability::{Liability, Party, Shares};
use aftersale::case::open_matter::OpenMatter;
use aftersale::case::recovery::RecoveryDemand;
use aftersale::case::recovery::{ClaimState, CostKind, RecoveryResult};
use aftersale::case::refund::{RefundLine, RefundTerms};
use aftersale::case::refusal::claim::ClaimObstacle;
use aftersale::case::refusal::{Obstacle, Refusal};
use aftersale::case::resolution::Resolution;
use aftersale::case::{AfterSale, Decision, ReplayError};
use aftersale::explain::Fact;
use aftersale::feedback::survey::{Answer, QuestionId, SurveyId};
use aftersale::label::Coded;
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Ratio;
use aftersale::quantity::Unit;
use aftersale::sale::Sale;
use aftersale::settlement::recovery::{DebtorId, Recovery, RecoveryRefused};
use aftersale::settlement::request::{ChargeClaim, ChargeRefund, Claim};
use aftersale::settlement::{EntryKind, Settlement};
use aftersale::time::Instant;
use proptest::prelude::*;

fn ratio(numerator: i64, denominator: i64) -> Ratio {
    Ratio::new(numerator, denominator).unwrap()
}

fn liability(shares: &[(Party, i64, i64)]) -> Liability {
    let shares = shares.iter().map(|(party, n, d)| (*party, ratio(*n, *d)));
    Liability::new(shares, "photos of the box", []).unwrap()
}

/// Two jackets of 30.00, and 10.00 of freight.
fn with_freight() -> Sale {
    let text = r#"{"order":"SO-2","currency":"GBP","placed_at":"2026-03-02T09:00:00Z",
        "prices":"tax_included",
        "lines":[{"id":"1","sku":"JACKET","quantity":{"amount":"2","unit":"pcs"},
                  "unit_price":"30.00"}],
        "charges":[{"id":"freight","kind":"freight","amount":{"amount":"10.00","currency":"GBP"},
                    "standard":{"amount":"6.00","currency":"GBP"}}],
        "tenders":[{"id":"card","kind":"card","captured":{"amount":"70.00","currency":"GBP"}}],
        "shipments":[{"parcel":"OUT-1","shipped_at":"2026-03-02T12:00:00Z",
                      "delivered_at":"2026-03-03T12:00:00Z",
                      "lines":[{"line":"1","quantity":{"amount":"2","unit":"pcs"}}]}],
        "total":{"amount":"70.00","currency":"GBP"}}"#;
    serde_json::from_str(text).unwrap()
}

fn attribute(desk: &mut Desk, of: &str, liability: Liability) -> Result<Decision, Refusal> {
    let command = Command::AttributeLiability { case: case("R-1"), line: line(of), liability };
    desk.give(Role::Supervisor, command)
}

fn settlement_of(decision: &Decision) -> &Settlement {
    let planned = decision.events.iter().find_map(|event| match &event.fact {
        EventFact::RefundPlanned { settlement, .. } => Some(settlement),
        _ => None,
    });
    planned.expect("a refund was planned")
}

fn refund(desk: &mut Desk, freight: FreightTerms) -> Settlement {
    let terms = Box::new(RefundTerms { freight, ..RefundTerms::default() });
    let command = Command::Refund { case: case("R-1"), lines: vec![], terms };
    settlement_of(&desk.give(Role::Finance, command).unwrap()).clone()
}

fn decided(label: &str, paid: &str) -> FreightTerms {
    let some = |text: &str| (!text.is_empty()).then(|| pounds(text));
    FreightTerms::Decided { label: some(label), paid_by_buyer: some(paid) }
}

/// Both jackets opened for a reason, permitted, back and accepted.
fn accepted(reason: &str) -> Desk {
    let mut desk = Desk::new(with_freight());
    let mut both = wanted("1", 2);
    both.reason = reason.parse().unwrap();
    let (resolution, lines) = (Resolution::ReturnAndRefund, vec![both]);
    desk.give(Role::Customer, Command::OpenCase { case: case("R-1"), resolution, lines }).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &[("1", 2)]).unwrap();
    desk.accept("R-1", &[("1", 2)]).unwrap();
    desk
}

fn sums(settlement: &Settlement) -> [String; 4] {
    let kinds = [EntryKind::Goods, EntryKind::Charge, EntryKind::ReturnLabel, EntryKind::Goodwill];
    kinds.map(|kind| settlement.sum_of(kind).unwrap().amount().to_string())
}

/// CAS-70: freight goes by liability, else by the customer's right, else by the reason; and it says why.
#[test]
fn freight_goes_by_liability_then_right_then_reason() {
    // Nothing decided: the right of the store keeps both ways with the buyer, and permits no label.
    let mut desk = accepted("CUS.CHANGED_MIND");
    assert_eq!(
        sums(&refund(&mut desk, decided("8.00", "4.00"))),
        ["60.00", "0.00", "0.00", "0.00"]
    );
    // Goods that are not as agreed: the right lays both ways on the seller.
    let mut desk = accepted("QLT.WORKMANSHIP");
    assert_eq!(
        sums(&refund(&mut desk, decided("8.00", "4.00"))),
        ["60.00", "10.00", "0.00", "4.00"]
    );
    // Three quarters with the carrier, one with the buyer: exactly so, both ways.
    let shares = [(Party::Carrier, 3, 4), (Party::Buyer, 1, 4)];
    let mut desk = accepted("QLT.WORKMANSHIP");
    attribute(&mut desk, "1", liability(&shares)).unwrap();
    assert_eq!(
        sums(&refund(&mut desk, decided("8.00", "4.00"))),
        ["60.00", "7.50", "-2.00", "3.00"]
    );
    // All the buyer's: nothing goes back, the label is theirs.
    let mut desk = accepted("QLT.WORKMANSHIP");
    attribute(&mut desk, "1", liability(&[(Party::Buyer, 1, 1)])).unwrap();
    let terms = RefundTerms { freight: decided("8.00", ""), ..RefundTerms::default() };
    let (lines, terms) = (vec![], Box::new(terms));
    let decision =
        desk.give(Role::Finance, Command::Refund { case: case("R-1"), lines, terms }).unwrap();
    assert_eq!(sums(settlement_of(&decision)), ["60.00", "0.00", "-8.00", "0.00"]);
    let why: Vec<String> = decision.findings.iter().map(ToString::to_string).collect();
    assert!(
        why.contains(
            &"rule `liability_decision` sets (line 1, freight back): \"buyer 1/1\" required".into()
        ),
        "{why:#?}"
    );
    // Stated terms alone change nothing about freight.
    let mut desk = accepted("QLT.WORKMANSHIP");
    assert_eq!(sums(&refund(&mut desk, FreightTerms::Stated))[1], "0.00");
}

/// What went back of the freight before is not paid again, and what the command states stays as stated.
#[test]
fn freight_that_went_back_before_is_counted() {
    let shares = [(Party::Carrier, 3, 4), (Party::Buyer, 1, 4)];
    let mut desk = accepted("QLT.WORKMANSHIP");
    attribute(&mut desk, "1", liability(&shares)).unwrap();
    let part = |amount: &str, freight| {
        let (charge, claim) = ("freight".parse().unwrap(), ChargeClaim::Amount(pounds(amount)));
        let charges = vec![ChargeRefund { charge, claim }];
        Box::new(RefundTerms { charges, freight, ..RefundTerms::default() })
    };
    let one = RefundLine { line: line("1"), claim: Claim::Units(crate::support::pieces(1)) };
    let (owner, lines) = (|| case("R-1"), vec![one]);
    let terms = part("4.00", FreightTerms::Stated);
    let first = Command::Refund { case: owner(), lines, terms };
    assert_eq!(sums(settlement_of(&desk.give(Role::Finance, first).unwrap()))[1], "4.00");
    // 6.00 are left; the buyer keeps bearing 2.50 of the 10.00.
    let mut stated = desk.clone();
    assert_eq!(sums(&refund(&mut desk, decided("", "")))[1], "3.50");
    let (lines, terms) = (vec![], part("1.00", decided("", "")));
    let second = Command::Refund { case: owner(), lines, terms };
    assert_eq!(sums(settlement_of(&stated.give(Role::Finance, second).unwrap()))[1], "1.00");
}

#[test]
fn freight_out_comes_back_with_the_last_unit_and_once() {
    let mut desk = accepted("QLT.WORKMANSHIP");
    let one = aftersale::settlement::request::Claim::Units(crate::support::pieces(1));
    let lines = vec![aftersale::case::refund::RefundLine { line: line("1"), claim: one }];
    let terms = RefundTerms { freight: decided("", ""), ..RefundTerms::default() };
    let command = Command::Refund { case: case("R-1"), lines, terms: Box::new(terms.clone()) };
    let first = desk.give(Role::Finance, command).unwrap();
    assert_eq!(sums(settlement_of(&first)), ["30.00", "0.00", "0.00", "0.00"]);
    assert_eq!(sums(&refund(&mut desk, decided("", ""))), ["30.00", "10.00", "0.00", "0.00"]);
    assert_eq!(desk.order.money().refunded(), pounds("70.00"));
}

#[test]
fn a_return_out_of_goodwill_goes_by_its_reason() {
    let mut desk = Desk::new(with_freight());
    desk.now = at("2026-06-10T09:00:00Z"); // the window of the store is over: nobody has a right
    desk.open("R-1", &[("1", 2)]).unwrap();
    let ground = Ground::Goodwill { note: "a regular".into() };
    let decision =
        desk.give(Role::Agent, Command::Authorize { case: case("R-1"), ground }).unwrap();
    let label = DutyAct::SendReturnInstructions { freight: Some(Shares::only(Party::Buyer)) };
    assert!(decision.duties.iter().any(|duty| duty.act == label));
    assert!(decision.findings.iter().any(|f| f.rule.id.as_str() == "reason_default"));
}

/// CAS-71: the duty to send a label says who bears the way back; where nothing comes back there is none.
#[test]
fn a_label_names_who_bears_it() {
    let labels = |decision: &Decision| -> Vec<DutyAct> {
        let acts = decision.duties.iter().map(|duty| duty.act.clone());
        acts.filter(|act| matches!(act, DutyAct::SendReturnInstructions { .. })).collect()
    };
    let borne = |party| DutyAct::SendReturnInstructions { freight: Some(Shares::only(party)) };
    let mut desk = Desk::new(sale(&[("1", 1, 1, "10.00"), ("2", 1, 1, "5.00")]));
    // One faulty line in the parcel is enough for the seller to bear the way of all of it.
    let mut faulty = wanted("2", 1);
    faulty.reason = "QLT.WORKMANSHIP".parse().unwrap();
    let (resolution, lines) = (Resolution::ReturnAndRefund, vec![wanted("1", 1), faulty]);
    desk.give(Role::Customer, Command::OpenCase { case: case("R-1"), resolution, lines }).unwrap();
    let authorized = desk.authorize("R-1").unwrap();
    assert_eq!(labels(&authorized), [borne(Party::Seller)]);
    let mut desk = Desk::new(sale(&[("1", 2, 1, "10.00")]));
    desk.open_as("R-1", Resolution::RefundOnly, &[("1", 1)]).unwrap();
    assert_eq!(labels(&desk.authorize("R-1").unwrap()), []);
    // A ruling that permits a return asks for one too; an older event without the field still does.
    let mut desk = Desk::new(sale(&[("1", 1, 1, "10.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let (note, appeal_until) = (String::from("why"), None);
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note.clone() })
        .unwrap();
    let ruling = Ruling::ForCustomer;
    let rule = Command::RuleDispute { case: case("R-1"), ruling, appeal_until, note };
    assert_eq!(labels(&desk.give(Role::Platform, rule).unwrap()), [borne(Party::Buyer)]);
    let mut old = authorized.events[0].clone();
    if let EventFact::ReturnAuthorized { way_back, .. } = &mut old.fact {
        *way_back = WayBack::Unstated;
    }
    assert!(!serde_json::to_string(&old).unwrap().contains("way_back"));
    let bare = DutyAct::SendReturnInstructions { freight: None };
    assert!(duties_of(&old).iter().any(|duty| duty.act == bare));
}

// ---------------------------------------------------------------- recovery

fn demand(of: &str, party: Party, amount: Option<&str>) -> Command {
    let debtor = DebtorId::new(format!("{party}-1")).unwrap();
    let (amount, note) = (amount.map(pounds), "broken on arrival".to_owned());
    let demand = RecoveryDemand { line: line(of), party, debtor, amount, note };
    Command::OpenRecoveryClaim { case: case("R-1"), demand }
}

fn result(claim: u32, result: RecoveryResult) -> Command {
    Command::RecordRecovery { case: case("R-1"), claim, result }
}

fn cost(of: &str, kind: CostKind, amount: &str) -> Command {
    let (amount, note) = (pounds(amount), "invoice 7".to_owned());
    Command::RecordCost { case: case("R-1"), line: line(of), kind, amount, note }
}

/// A phone of 100.00 that came back broken and was refunded.
fn refunded() -> Desk {
    let mut desk = Desk::new(sale(&[("1", 1, 1, "100.00")]));
    desk.whole_return("R-1", &[("1", 1)]).unwrap();
    desk
}

fn cost_of(desk: &Desk, of: &str) -> Money {
    desk.order.case(&case("R-1")).unwrap().cost_of(&line(of)).unwrap().unwrap()
}

/// CAS-74: a claim comes in by parts, is refused, or is given up, never beyond what is open of it.
#[test]
fn a_claim_ends_recovered_or_written_off() {
    let mut desk = refunded();
    desk.give(Role::Warehouse, cost("1", CostKind::ReturnFreight, "8.00")).unwrap();
    assert_eq!(cost_of(&desk, "1"), pounds("108.00"));
    attribute(&mut desk, "1", liability(&[(Party::Carrier, 3, 4), (Party::Seller, 1, 4)])).unwrap();
    let opened = desk.give(Role::Finance, demand("1", Party::Carrier, None)).unwrap();
    let send = DutyAct::SendClaim {
        claim: 1,
        party: Party::Carrier,
        debtor: DebtorId::new("carrier-1").unwrap(),
        amount: pounds("81.00"),
    };
    assert_eq!(opened.duties[0].act, send);
    let came = |amount: &str| RecoveryResult::Recovered {
        amount: pounds(amount),
        reference: "credit note 3".into(),
    };
    desk.give(Role::Finance, result(1, came("50.00"))).unwrap();
    assert_eq!(
        obstacles(desk.give(Role::Finance, result(1, came("31.01")))),
        [Obstacle::Claim(ClaimObstacle::MoreThanClaimed {
            claim: 1,
            asked: pounds("31.01"),
            open: pounds("31.00")
        })]
    );
    let note = || "insured up to 50".to_owned();
    desk.give(Role::Finance, result(1, RecoveryResult::Refused { note: note() })).unwrap();
    desk.give(Role::Finance, result(1, came("1.00"))).unwrap();
    let given_up = result(1, RecoveryResult::WrittenOff { note: note() });
    let dropped = desk.give(Role::Supervisor, given_up).unwrap();
    assert_eq!(dropped.duties[0].act, DutyAct::DropClaim { claim: 1 });
    let state = ClaimState::WrittenOff;
    assert_eq!(
        obstacles(desk.give(Role::Finance, result(1, came("1.00")))),
        [Obstacle::Claim(ClaimObstacle::ClaimEnded { claim: 1, state })]
    );
    // What was given up may be claimed anew, and no more than that.
    let exceeds = obstacles(desk.give(Role::Finance, demand("1", Party::Carrier, Some("30.01"))));
    assert!(matches!(
        exceeds[0],
        Obstacle::Claim(ClaimObstacle::Recovery(RecoveryRefused::ExceedsCost { open, .. })) if open == pounds("30.00")
    ));
    desk.give(Role::Finance, demand("1", Party::Carrier, Some("30.00"))).unwrap();
    desk.give(Role::Finance, result(2, came("30.00"))).unwrap();
    let claims = &desk.order.case(&case("R-1")).unwrap().claims;
    assert_eq!(claims[1].state, ClaimState::Recovered);
}

/// CAS-75: a claim waits for a decision about liability that nobody objects to, and a later decision
/// stands only where what is claimed still fits.
#[test]
fn claims_wait_for_liability() {
    let mut desk = refunded();
    let carrier = || demand("1", Party::Carrier, Some("40.00"));
    let none = Obstacle::Claim(ClaimObstacle::NoLiability { line: line("1") });
    assert_eq!(obstacles(desk.give(Role::Finance, carrier())), [none]);
    attribute(&mut desk, "1", liability(&[(Party::Carrier, 1, 2), (Party::Seller, 1, 2)])).unwrap();
    for party in [Party::Seller, Party::Buyer, Party::Undetermined] {
        let found = obstacles(desk.give(Role::Finance, demand("1", party, Some("1.00"))));
        assert!(
            found.contains(&Obstacle::Claim(ClaimObstacle::NotClaimable { party })),
            "{found:?}"
        );
    }
    let note = || "the carton was thin".to_owned();
    let appeal = Command::AppealLiability { case: case("R-1"), line: line("1"), note: note() };
    desk.give(Role::Agent, appeal).unwrap();
    let appealed = Obstacle::Claim(ClaimObstacle::LiabilityAppealed { line: line("1") });
    assert_eq!(obstacles(desk.give(Role::Finance, carrier())), [appealed]);
    attribute(&mut desk, "1", liability(&[(Party::Carrier, 2, 5), (Party::Seller, 3, 5)])).unwrap();
    desk.give(Role::Finance, carrier()).unwrap();
    let less = || liability(&[(Party::Carrier, 1, 4), (Party::Seller, 3, 4)]);
    assert!(matches!(
        obstacles(attribute(&mut desk, "1", less()))[0],
        Obstacle::Claim(ClaimObstacle::Recovery(RecoveryRefused::ExceedsCost { .. }))
    ));
    assert!(matches!(
        obstacles(attribute(&mut desk, "1", liability(&[(Party::Seller, 1, 1)])))[0],
        Obstacle::Claim(ClaimObstacle::Recovery(RecoveryRefused::NotLiable { .. }))
    ));
    // So does a value of the goods that would leave less than what is claimed.
    let worth = obstacles(desk.give(Role::Agent, cost("1", CostKind::Salvage, "0.10")));
    assert!(matches!(worth[0], Obstacle::Claim(ClaimObstacle::Recovery(_))), "{worth:?}");
    desk.give(Role::Finance, result(1, RecoveryResult::WrittenOff { note: note() })).unwrap();
    desk.give(Role::Agent, cost("1", CostKind::Salvage, "20.00")).unwrap();
    assert_eq!(cost_of(&desk, "1"), pounds("80.00"));
    let more = Obstacle::Claim(ClaimObstacle::MoreThanCost {
        line: line("1"),
        asked: pounds("80.01"),
        cost: pounds("80.00"),
    });
    assert_eq!(obstacles(desk.give(Role::Agent, cost("1", CostKind::Salvage, "80.01"))), [more]);
    attribute(&mut desk, "1", less()).unwrap();
}

#[test]
fn a_cost_has_its_part_of_freight_and_of_what_was_kept_back() {
    let mut desk = accepted("QLT.WORKMANSHIP");
    attribute(&mut desk, "1", liability(&[(Party::Supplier, 3, 4), (Party::Buyer, 1, 4)])).unwrap();
    refund(&mut desk, decided("8.00", ""));
    // 60.00 of goods and 7.50 of freight, less 2.00 of the label.
    assert_eq!(cost_of(&desk, "1"), pounds("65.50"));
    let zero = pounds("0.00");
    let obstacle =
        Obstacle::Claim(ClaimObstacle::BadAmount { amount: zero, currency: Currency::GBP });
    assert_eq!(
        obstacles(desk.give(Role::Agent, cost("1", CostKind::Handling, "0.00"))),
        [obstacle]
    );
}

/// One random step about costs and claims.
#[derive(Clone, Debug)]
enum Step {
    Cost(usize, usize, i64),
    Attribute(usize, usize),
    Claim(usize, usize, Option<i64>),
    Result(u32, usize, i64),
    Refund,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..2_usize, 0..CostKind::ALL.len(), 1..2_000_i64)
            .prop_map(|(line, kind, amount)| Step::Cost(line, kind, amount)),
        2 => (0..2_usize, 0..SHARES.len()).prop_map(|(line, shares)| Step::Attribute(line, shares)),
        6 => (0..2_usize, 0..Party::ALL.len(), prop::option::of(1..3_000_i64))
            .prop_map(|(line, party, amount)| Step::Claim(line, party, amount)),
        4 => (1..6_u32, 0..3_usize, 1..2_000_i64).prop_map(|(c, r, a)| Step::Result(c, r, a)),
        1 => Just(Step::Refund),
    ];
    prop::collection::vec(step, 1..40)
}

const SHARES: &[&[(Party, i64, i64)]] = &[
    &[(Party::Carrier, 1, 3), (Party::Supplier, 1, 3), (Party::Seller, 1, 3)],
    &[(Party::Supplier, 6, 14), (Party::Manufacturer, 6, 14), (Party::Warehouse, 2, 14)],
    &[(Party::Platform, 1, 7), (Party::Carrier, 6, 7)],
    &[(Party::Supplier, 1, 1)],
];

/// The slow model: each amount shared out alone, the missing minor units one by one to the largest
/// fraction, the first party first.
fn shared(amount: i64, shares: &[(Party, i64, i64)]) -> BTreeMap<Party, i64> {
    let mut shares: Vec<_> = shares.to_vec();
    shares.sort();
    let mut parts: BTreeMap<Party, i64> =
        shares.iter().map(|(party, n, d)| (*party, amount * n / d)).collect();
    let fraction = |(_, n, d): &(Party, i64, i64)| ratio(amount * n % d, *d);
    let mut order: Vec<_> = shares.iter().collect();
    order.sort_by_key(|share| std::cmp::Reverse(fraction(share)));
    let missing = amount - parts.values().sum::<i64>();
    for (party, _, _) in order.iter().take(missing as usize) {
        *parts.get_mut(party).unwrap() += 1;
    }
    parts
}

#[derive(Default)]
struct Model {
    costs: [Vec<i64>; 2],
    salvage: [Vec<i64>; 2],
    shares: [Option<usize>; 2],
    /// Line, party, claimed, recovered, whether it was given up.
    claims: Vec<(usize, Party, i64, i64, bool)>,
}

impl Model {
    fn parts(&self, of: usize) -> BTreeMap<Party, i64> {
        let mut sum = BTreeMap::new();
        let Some(shares) = self.shares[of] else { return sum };
        for cost in &self.costs[of] {
            for (party, part) in shared(*cost, SHARES[shares]) {
                *sum.entry(party).or_insert(0) += part;
            }
        }
        for worth in &self.salvage[of] {
            for (party, part) in shared(*worth, SHARES[shares]) {
                let sum = sum.entry(party).or_insert(0);
                *sum = (*sum - part).max(0);
            }
        }
        sum
    }

    fn counted(&self, of: usize, party: Party) -> i64 {
        let own = self.claims.iter().filter(|claim| claim.0 == of && claim.1 == party);
        own.map(|claim| if claim.4 { claim.3 } else { claim.2 }).sum()
    }
}

fn check(desk: &Desk, model: &Model) {
    let found = desk.order.case(&case("R-1")).unwrap();
    for (of, id) in ["1", "2"].into_iter().enumerate() {
        let parts = model.parts(of);
        let recovery = found.recovery(&line(id)).unwrap();
        let own: BTreeMap<String, (i64, i64)> = recovery
            .iter()
            .flat_map(Recovery::parts)
            .filter(|part| !part.cost.is_zero())
            .map(|part| (part.debtor.to_string(), (part.cost.minor(), part.claimed.minor())))
            .collect();
        let wanted: BTreeMap<String, (i64, i64)> = parts
            .iter()
            .filter(|(_, part)| **part != 0)
            .map(|(party, part)| (party.to_string(), (*part, model.counted(of, *party))))
            .collect();
        assert_eq!(own, wanted);
        for &party in Party::ALL {
            let part = parts.get(&party).copied().unwrap_or(0);
            assert!(
                model.counted(of, party) <= part,
                "more claimed from the {party} than it bears"
            );
        }
        if model.salvage[of].is_empty() && model.shares[of].is_some() {
            let cost: i64 = model.costs[of].iter().sum();
            assert_eq!(parts.values().sum::<i64>(), cost, "the parts sum to the cost");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]
    /// CAS-72: what is claimed from a party is never more than its part of the cost, whatever happens [56].
    /// CAS-73: the parts of a cost sum to it exactly, and a growing cost lowers nobody's part.
    /// CAS-76: a history with costs and claims replays, through its wire form, to the same order.
    #[test]
    fn claims_stay_within_the_attributed_cost(steps in steps()) {
        let mut desk = Desk::new(sale(&[("1", 1, 1, "10.01"), ("2", 2, 2, "3.33")]));
        desk.open("R-1", &[("1", 1), ("2", 2)]).unwrap();
        desk.authorize("R-1").unwrap();
        desk.receive("R-1", &[("1", 1), ("2", 2)]).unwrap();
        desk.accept("R-1", &[("1", 1), ("2", 2)]).unwrap();
        let mut model = Model::default();
        let id = |of: usize| ["1", "2"][of];
        let money = |minor: i64| Money::new(minor, Currency::GBP);
        for step in steps {
            let before = [model.parts(0), model.parts(1)];
            let mut grows = None;
            match step {
                Step::Cost(of, kind, amount) => {
                    let kind = CostKind::ALL[kind];
                    let text = money(amount).amount().to_string();
                    let done = desk.give(Role::Agent, cost(id(of), kind, &text)).is_ok();
                    if kind == CostKind::Salvage {
                        let mut trial = model.salvage[of].clone();
                        trial.push(amount);
                        let known: i64 = model.costs[of].iter().sum();
                        let kept = core::mem::replace(&mut model.salvage[of], trial);
                        let whole = model.salvage[of].iter().sum::<i64>() <= known;
                        let parts = model.parts(of);
                        let fits = Party::ALL.iter().all(|party| {
                            model.counted(of, *party) <= parts.get(party).copied().unwrap_or(0)
                        });
                        prop_assert_eq!(done, whole && fits);
                        if !done {
                            model.salvage[of] = kept;
                        }
                    } else {
                        prop_assert!(done);
                        model.costs[of].push(amount);
                        grows = Some(of);
                    }
                }
                Step::Attribute(of, shares) => {
                    let before = model.shares[of].replace(shares);
                    let parts = model.parts(of);
                    let fits = Party::ALL.iter().all(|party| {
                        model.counted(of, *party) <= parts.get(party).copied().unwrap_or(0)
                    });
                    let done = attribute(&mut desk, id(of), liability(SHARES[shares])).is_ok();
                    prop_assert_eq!(done, fits);
                    if !done {
                        model.shares[of] = before;
                    }
                }
                Step::Claim(of, party, amount) => {
                    let party = Party::ALL[party];
                    let part = model.parts(of).get(&party).copied().unwrap_or(0);
                    let open = part - model.counted(of, party);
                    let asked = amount.unwrap_or(open);
                    let claimable = !matches!(party, Party::Seller | Party::Buyer | Party::Undetermined);
                    let fits = claimable && asked > 0 && asked <= open;
                    let text = amount.map(|minor| money(minor).amount().to_string());
                    let done = desk.give(Role::Finance, demand(id(of), party, text.as_deref()));
                    prop_assert_eq!(done.is_ok(), fits);
                    if fits {
                        model.claims.push((of, party, asked, 0, false));
                    }
                }
                Step::Result(claim, kind, amount) => {
                    let result_of = match kind {
                        0 => RecoveryResult::Recovered { amount: money(amount), reference: "r".into() },
                        1 => RecoveryResult::Refused { note: "no".into() },
                        _ => RecoveryResult::WrittenOff { note: "gone".into() },
                    };
                    let done = desk.give(Role::Finance, result(claim, result_of)).is_ok();
                    let own = model.claims.get_mut(claim as usize - 1);
                    let open = own.as_ref().map_or(0, |c| if c.4 { 0 } else { c.2 - c.3 });
                    prop_assert_eq!(done, open > 0 && (kind != 0 || amount <= open));
                    if let (true, Some(own)) = (done, own) {
                        match kind {
                            0 => own.3 += amount,
                            1 => {}
                            _ => own.4 = true,
                        }
                    }
                }
                Step::Refund => {
                    if desk.refund("R-1").is_ok() {
                        model.costs[0].push(1_001);
                        model.costs[1].push(666);
                    }
                }
            }
            check(&desk, &model);
            if let Some(of) = grows {
                let after = model.parts(of);
                prop_assert!(before[of].iter().all(|(party, part)| after[party] >= *part));
            }
        }
        let text = serde_json::to_string(&desk.events).unwrap();
        let events: Vec<Event> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(AfterSale::replay(desk.sale.clone(), &events).unwrap(), desk.order);
    }
}

#[test]
fn a_forged_claim_does_not_replay() {
    let mut desk = refunded();
    attribute(&mut desk, "1", liability(&[(Party::Carrier, 1, 2), (Party::Seller, 1, 2)])).unwrap();
    desk.give(Role::Finance, demand("1", Party::Carrier, None)).unwrap();
    let mut events = desk.events.clone();
    AfterSale::replay(desk.sale.clone(), &events).unwrap();
    let sequence = events.last().unwrap().sequence;
    if let EventFact::RecoveryClaimOpened { amount, .. } = &mut events.last_mut().unwrap().fact {
        *amount = pounds("50.01");
    }
    let refused = AfterSale::replay(desk.sale.clone(), &events);
    assert_eq!(refused, Err(ReplayError::DoesNotAddUp { sequence }));
}

/// CAS-79: scorecards of orders merge in any order to those of all, and show cost and recovery by debtor.
#[test]
fn scorecards_merge_in_any_order() {
    let order = |price: &str, came: &str| {
        let mut desk = Desk::new(sale(&[("1", 1, 1, price)]));
        desk.whole_return("R-1", &[("1", 1)]).unwrap();
        attribute(&mut desk, "1", liability(&[(Party::Carrier, 1, 3), (Party::Seller, 2, 3)]))
            .unwrap();
        desk.give(Role::Finance, demand("1", Party::Carrier, None)).unwrap();
        let (amount, reference) = (pounds(came), "bank".to_owned());
        desk.give(Role::Finance, result(1, RecoveryResult::Recovered { amount, reference }))
            .unwrap();
        let note = "enough".to_owned();
        desk.give(Role::Finance, result(1, RecoveryResult::WrittenOff { note })).unwrap();
        Scorecards::of(&desk.order)
    };
    let (a, b, c) = (order("10.00", "3.00"), order("20.00", "1.00"), order("0.10", "0.01"));
    let one = a.clone().merge(b.clone()).merge(c.clone());
    assert_eq!(one, c.merge(a.merge(b)));
    let carrier = &one.parties[&(Currency::GBP, Party::Carrier)];
    assert_eq!((carrier.cases, carrier.lines, carrier.cost), (3, 3, 333 + 667 + 3));
    assert_eq!(carrier.units[&Unit::PIECE], 3);
    assert_eq!(one.parties[&(Currency::GBP, Party::Seller)].cost, 667 + 1_333 + 7);
    let debtor = DebtorId::new("carrier-1").unwrap();
    let score = &one.debtors[&(Currency::GBP, Party::Carrier, debtor)];
    assert_eq!((score.cases, score.claims, score.refused), (3, 3, 0));
    assert_eq!((score.claimed, score.recovered, score.written_off), (1_003, 401, 602));
}

// ---------------------------------------------------------------- people

/// CAS-77: a case is given to one person at a time, and who chose them and why stays on record.
#[test]
fn a_case_is_assigned_once_and_passed_on() {
    let mut desk = Desk::new(sale(&[("1", 1, 1, "10.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let rule = || Some("phones_to_experts".parse().unwrap());
    let finding = aftersale::explain::Finding::new(
        aftersale::explain::RuleRef::new("phones_to_experts".parse().unwrap()),
        aftersale::explain::Effect::Sets,
    );
    let assign = |to: &str| Command::Assign {
        case: case("R-1"),
        to: person(to),
        rule: rule(),
        findings: vec![finding.clone()],
    };
    let reassign = |to: &str| Command::Reassign {
        case: case("R-1"),
        to: person(to),
        rule: None,
        findings: vec![],
        note: "ill".to_owned(),
    };
    assert_eq!(obstacles(desk.give(Role::Supervisor, reassign("li"))), [Obstacle::NotAssigned]);
    let decision = desk.give(Role::System, assign("li")).unwrap();
    assert_eq!(decision.findings, std::slice::from_ref(&finding));
    assert_eq!(
        obstacles(desk.give(Role::System, assign("ada"))),
        [Obstacle::Assigned { to: person("li") }]
    );
    assert_eq!(
        obstacles(desk.give(Role::Supervisor, reassign("li"))),
        [Obstacle::Assigned { to: person("li") }]
    );
    desk.give(Role::Supervisor, reassign("ada")).unwrap();
    let assignee = desk.order.case(&case("R-1")).unwrap().assignee.clone().unwrap();
    assert_eq!((assignee.agent, assignee.rule), (person("ada"), None));
    assert!(matches!(
        &desk.events.last().unwrap().fact,
        EventFact::CaseReassigned { from, .. } if *from == person("li")
    ));
}

/// CAS-78: the duty to ask for a survey comes with the end of a case, never while a dispute is open; its
/// answers are scored once.
#[test]
fn the_customer_is_asked_once_the_case_has_ended() {
    let rules = crate::support::rules().clone().with_feedback(feedback());
    let mut desk = Desk::under(rules, sale(&[("1", 1, 1, "10.00")]));
    desk.whole_return("R-1", &[("1", 1)]).unwrap();
    desk.pay("R-1", 1).unwrap();
    let note = || "the colour".to_owned();
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    assert!(obstacles(desk.close("R-1")).iter().any(|o| matches!(o, Obstacle::InDispute { .. })));
    assert!(desk.order.closed_case(&case("R-1"), None).is_none());
    let (ruling, appeal_until) = (Ruling::ForSeller, None);
    let rule = Command::RuleDispute { case: case("R-1"), ruling, appeal_until, note: note() };
    desk.give(Role::Platform, rule).unwrap();
    let closed = desk.close("R-1").unwrap();
    assert!(closed.duties.iter().any(|duty| duty.act == DutyAct::AskForSurvey));
    let asked: Vec<&Event> = desk
        .events
        .iter()
        .filter(|event| duties_of(event).iter().any(|duty| duty.act == DutyAct::AskForSurvey))
        .collect();
    assert_eq!(asked.len(), 1);
    // The follow-up rules decide when, and whether the customer was asked lately.
    let ended = desk.order.closed_case(&case("R-1"), None).unwrap();
    let fact = |name: &str| ended.facts.get(&name.parse().unwrap()).cloned();
    assert_eq!(fact("status"), Some(Fact::code("completed")));
    assert_eq!(fact("refunded"), Some(Fact::Amount(pounds("10.00"))), "what the customer got");
    let book = desk.rules.feedback().unwrap();
    let planned = book.plan(&ended, &Calendars::new()).unwrap().value;
    assert_eq!(planned[0].survey, Some(SurveyId::new("after_return").unwrap()));
    let answer = |survey: &str, stars: u8| Command::RecordSurvey {
        case: case("R-1"),
        survey: SurveyId::new(survey).unwrap(),
        answers: [(QuestionId::new("overall").unwrap(), Answer::Number(stars))].into(),
    };
    assert!(matches!(
        obstacles(desk.give(Role::Customer, answer("other", 5)))[0],
        Obstacle::UnknownSurvey { .. }
    ));
    assert!(matches!(
        obstacles(desk.give(Role::Customer, answer("after_return", 6)))[0],
        Obstacle::Answer(_)
    ));
    desk.give(Role::Customer, answer("after_return", 4)).unwrap();
    let scores = &desk.order.case(&case("R-1")).unwrap().surveys;
    assert_eq!(scores.values().next().unwrap().satisfaction_hundredths, Some(400));
    assert!(matches!(
        obstacles(desk.give(Role::Customer, answer("after_return", 5)))[0],
        Obstacle::SurveyAnswered { .. }
    ));
}

#[test]
fn a_timer_does_not_end_a_case_in_dispute() {
    let practice = r#"{"id":"shop","label":{"en":"Shop","zh":"小店"},"timers":[
        {"id":"ruling","stage":"awaiting_ruling","length":{"natural":{"seconds":3600}},
         "on_expiry":"close"}]}"#;
    let rules = crate::support::practiced(serde_json::from_str(practice).unwrap());
    let mut desk = Desk::under(rules, sale(&[("1", 1, 1, "10.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let note = "late".to_owned();
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note }).unwrap();
    let later: Instant = at("2026-03-11T09:00:00Z");
    desk.now = later;
    desk.give(Role::System, Command::Tick).unwrap();
    assert_eq!(desk.status("R-1"), "disputed");
    let open = OpenMatter::DisputeOpen;
    assert_eq!(open.to_string(), "a ruling is awaited");
}
