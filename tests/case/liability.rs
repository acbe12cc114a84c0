//! What liability decides about freight and labels.

use crate::support::rules;
use crate::support::{Desk, at, case, line, pounds, sale, wanted};
use aftersale::case::Decision;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::Ruling;
use aftersale::case::duty::{DutyAct, duties_of};
use aftersale::case::event::EventFact;
use aftersale::case::freight::{FreightTerms, WayBack};
use aftersale::case::ground::Ground;
use aftersale::case::liability::{Liability, Party, Shares};
use aftersale::case::refund::{RefundLine, RefundTerms};
use aftersale::case::refusal::Refusal;
use aftersale::case::resolution::Resolution;
use aftersale::number::Ratio;
use aftersale::policy::set::PolicySet;
use aftersale::preset::policies::STORE;
use aftersale::rules::Rules;
use aftersale::sale::Sale;
use aftersale::settlement::request::{ChargeClaim, ChargeRefund, Claim};
use aftersale::settlement::{EntryKind, Settlement};

pub fn ratio(numerator: i64, denominator: i64) -> Ratio {
    Ratio::new(numerator, denominator).unwrap()
}

pub fn liability(shares: &[(Party, i64, i64)]) -> Liability {
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

pub fn attribute(desk: &mut Desk, of: &str, liability: Liability) -> Result<Decision, Refusal> {
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

pub fn refund(desk: &mut Desk, freight: FreightTerms) -> Settlement {
    let terms = Box::new(RefundTerms { freight, ..RefundTerms::default() });
    let command = Command::Refund { case: case("R-1"), lines: vec![], terms };
    settlement_of(&desk.give(Role::Finance, command).unwrap()).clone()
}

pub fn decided(label: &str, paid: &str) -> FreightTerms {
    let some = |text: &str| (!text.is_empty()).then(|| pounds(text));
    FreightTerms::Decided { label: some(label), paid_by_buyer: some(paid) }
}

/// Both jackets opened for a reason, permitted, back and accepted.
pub fn accepted(reason: &str) -> Desk {
    accepted_under(rules().clone(), reason)
}

fn accepted_under(rules: Rules, reason: &str) -> Desk {
    let mut desk = Desk::under(rules, with_freight());
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

/// A flat fee for the way back is kept back in place of what the label cost, and only for a label.
#[test]
fn a_flat_fee_stands_for_the_cost_of_the_label() {
    let store = STORE.replace(
        r#""return_freight": "customer","#,
        r#""return_freight": "customer", "return_fee": {"amount": "4.95", "currency": "GBP"},
           "deductions": ["return_label"],"#,
    );
    let policies: PolicySet = serde_json::from_str(&format!("[{store}]")).unwrap();
    let (taxonomy, place) = (rules().taxonomy().clone(), rules().place().clone());
    for (label, kept) in [("8.00", "-4.95"), ("", "0.00")] {
        let under = Rules::new(1, taxonomy.clone(), policies.clone(), place.clone());
        let mut desk = accepted_under(under, "CUS.CHANGED_MIND");
        assert_eq!(sums(&refund(&mut desk, decided(label, "")))[2], kept);
    }
}
