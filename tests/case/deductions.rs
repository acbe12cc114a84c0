//! What is kept back over several settlements of one case.

use crate::support::{Desk, case, line, obstacles, pieces, pounds, sale};
use aftersale::case::Decision;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::event::EventFact;
use aftersale::case::line::LineQuantity;
use aftersale::case::refund::{RefundLine, RefundTerms};
use aftersale::case::replacement::ReplacementItem;
use aftersale::case::resolution::Resolution;
use aftersale::explain::{Effect, Fact, RuleRef};
use aftersale::id::RuleId;
use aftersale::money::Money;
use aftersale::settlement::request::{
    Claim, Deduction, DeductionAmount, DeductionKind, Excess, Standing, TaxTreatment,
};
use aftersale::settlement::{Basis, Entry, Settlement};
use proptest::prelude::*;

fn fee(amount: DeductionAmount, cap: &str) -> Deduction {
    Deduction {
        kind: DeductionKind::RestockingFee,
        line: Some(line("1")),
        amount,
        cap: Some(pounds(cap)),
        tax: TaxTreatment::default(),
        standing: Standing::Applies,
        excess: Excess::Forgive,
        rule: RuleRef::new(RuleId::new("restocking").unwrap()),
    }
}

fn share(text: &str) -> DeductionAmount {
    DeductionAmount::Share(text.parse().unwrap())
}

/// Refunds some accepted units of line 1 on terms.
fn refund(desk: &mut Desk, id: &str, count: i64, deductions: Vec<Deduction>) -> Decision {
    let lines = vec![RefundLine { line: line("1"), claim: Claim::Units(pieces(count)) }];
    let terms = Box::new(RefundTerms { deductions, ..RefundTerms::default() });
    desk.give(Role::Finance, Command::Refund { case: case(id), lines, terms }).unwrap()
}

fn settlement(decision: &Decision) -> &Settlement {
    let planned = decision.events.iter().find_map(|event| match &event.fact {
        EventFact::RefundPlanned { settlement, .. } => Some(settlement),
        _ => None,
    });
    planned.unwrap()
}

fn fees(decision: &Decision) -> Vec<&Entry> {
    let entries = settlement(decision).entries.iter();
    entries.filter(|entry| entry.kind == DeductionKind::RestockingFee.entry()).collect()
}

/// A case with its units back and accepted, none of them settled.
fn back(lines: &[(&str, i64, i64, &str)], resolution: Resolution) -> Desk {
    let mut desk = Desk::new(sale(lines));
    let asked: Vec<(&str, i64)> = lines.iter().map(|line| (line.0, line.1)).collect();
    desk.open_as("R-1", resolution, &asked).unwrap();
    desk.authorize("R-1").unwrap();
    desk.receive("R-1", &asked).unwrap();
    desk.accept("R-1", &asked).unwrap();
    desk
}

/// CAS-98: 15 % of each of two jackets, at most 12.00, is 12.00 for both, together or one by one.
#[test]
fn units_that_come_back_one_by_one_cost_no_more_than_together() {
    let lines = [("1", 2, 2, "60.00"), ("2", 1, 1, "60.00")];
    let terms = || vec![fee(share("0.15"), "12.00")];
    let mut together = back(&lines, Resolution::ReturnAndRefund);
    let once = refund(&mut together, "R-1", 2, terms());
    assert_eq!(fees(&once)[0].gross, pounds("-12.00"));
    let mut apart = back(&lines, Resolution::ReturnAndRefund);
    let first = refund(&mut apart, "R-1", 1, terms());
    assert_eq!(fees(&first)[0].gross, pounds("-9.00"));
    let second = refund(&mut apart, "R-1", 1, terms());
    assert_eq!(fees(&second)[0].gross, pounds("-3.00"));
    let limit = Some(pounds("3.00"));
    let (share, of) = ("0.15".parse().unwrap(), pounds("60.00"));
    assert_eq!(fees(&second)[0].basis, Basis::Share { share, of, limit });
    let said = second.findings.iter().find(|found| found.effect == Effect::Reduces).unwrap();
    assert_eq!(said.observed, Some(Fact::Amount(pounds("9.00"))));
    assert_eq!(said.required, Some(Fact::Amount(pounds("12.00"))));
    apart.replays();
}

/// CAS-98: another rule, another line, another kind and another case count by themselves.
#[test]
fn a_cap_counts_its_own_rule_line_kind_and_case() {
    let mut desk = back(&[("1", 4, 4, "60.00"), ("2", 1, 1, "60.00")], Resolution::ReturnAndRefund);
    let own = fee(share("0.15"), "9.00");
    refund(&mut desk, "R-1", 1, vec![own.clone()]);
    let others = [
        Deduction { rule: RuleRef::new(RuleId::new("second_rule").unwrap()), ..own.clone() },
        Deduction { line: None, ..own.clone() },
        Deduction { kind: DeductionKind::DiminishedValue, ..own.clone() },
    ];
    for other in others {
        let mut fresh = desk.clone();
        let decision = refund(&mut fresh, "R-1", 1, vec![other.clone(), own.clone()]);
        let taken = |of: &Deduction| {
            let entries = settlement(&decision).entries.iter();
            let found = entries.filter(|e| e.kind == of.kind.entry() && e.rule.id == of.rule.id);
            found.map(|entry| entry.gross.minor()).sum::<i64>()
        };
        assert_eq!(taken(&other), -900, "{other:?}");
    }
    // A newer version of the rule is the same rule.
    let mut newer = own.clone();
    newer.rule.version = 2;
    assert_eq!(fees(&refund(&mut desk, "R-1", 1, vec![newer]))[0].gross, pounds("0.00"));
    let mut other = Desk::new(sale(&[("1", 2, 2, "60.00")]));
    for id in ["R-1", "R-2"] {
        other.open(id, &[("1", 1)]).unwrap();
        other.authorize(id).unwrap();
        other.receive(id, &[("1", 1)]).unwrap();
        other.accept(id, &[("1", 1)]).unwrap();
        let decision = refund(&mut other, id, 1, vec![own.clone()]);
        assert_eq!(fees(&decision)[0].gross, pounds("-9.00"), "each case returns by itself");
    }
}

/// CAS-98: an exchange keeps back under the same cap.
#[test]
fn an_exchange_keeps_back_under_the_same_cap() {
    let mut desk = back(&[("1", 2, 2, "60.00")], Resolution::Exchange);
    let mut kept = Vec::new();
    for new in ["1b", "1c"] {
        let item = ReplacementItem {
            line: line(new),
            replaces: line("1"),
            sku: "OTHER".parse().unwrap(),
            quantity: pieces(1),
            price: None,
        };
        let lines = vec![LineQuantity { line: line("1"), quantity: pieces(1) }];
        let deductions = vec![fee(DeductionAmount::Flat(pounds("8.00")), "12.00")];
        let terms = Box::new(RefundTerms { deductions, ..RefundTerms::default() });
        let (case, items) = (case("R-1"), vec![item]);
        let decision = desk.give(Role::Agent, Command::Exchange { case, lines, items, terms });
        kept.push(fees(&decision.unwrap())[0].gross);
    }
    assert_eq!(kept, [pounds("-8.00"), pounds("-4.00")]);
}

/// A cap below zero stays an amount that cannot be, whatever was kept back before.
#[test]
fn a_cap_below_zero_is_refused_the_second_time_too() {
    let mut desk = back(&[("1", 2, 2, "60.00")], Resolution::ReturnAndRefund);
    refund(&mut desk, "R-1", 1, vec![fee(share("0.15"), "12.00")]);
    let mut below = fee(share("0.15"), "12.00");
    below.cap = Some(pounds("-0.01"));
    let terms = Box::new(RefundTerms { deductions: vec![below], ..RefundTerms::default() });
    let (case, lines) = (case("R-1"), Vec::new());
    let refused = desk.give(Role::Finance, Command::Refund { case, lines, terms });
    assert!(format!("{:?}", obstacles(refused)).contains("cap of a deduction"));
}

/// Half up, of a share in thousandths: exact, in whole numbers.
fn half_up(amount: i64, thousandths: i64) -> i64 {
    (2 * amount * thousandths + 1_000).div_euclid(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// CAS-98: what is kept back of a line is what an exact model gives: each time the share of what
    /// goes back, at most what is left of the cap; over all settlements never more than the cap.
    #[test]
    fn a_cap_holds_over_all_settlements_of_a_case(
        price in 1_i64..9_000, batches in prop::collection::vec(1_i64..4, 1..5),
        thousandths in 0_i64..=1_000, cap in 0_i64..12_000, charges in any::<bool>(),
        flat in prop::option::of(0_i64..9_000),
    ) {
        let count = batches.iter().sum();
        let unit = format!("{}.{:02}", price / 100, price % 100);
        let mut desk = back(&[("1", count, count, &unit)], Resolution::ReturnAndRefund);
        let minor = |minor| Money::new(minor, desk.sale.currency());
        let amount = match flat {
            Some(flat) => DeductionAmount::Flat(minor(flat)),
            None => share(&format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)),
        };
        let mut terms = fee(amount, "0.00");
        terms.cap = Some(minor(cap));
        terms.excess = if charges { Excess::Charge } else { Excess::Forgive };
        let mut kept = 0;
        for batch in batches {
            let goods = price * batch;
            let wanted = flat.unwrap_or_else(|| half_up(goods, thousandths));
            let most = if charges { wanted } else { wanted.min(goods) };
            let expected = most.min(cap - kept);
            let decision = refund(&mut desk, "R-1", batch, vec![terms.clone()]);
            prop_assert_eq!(fees(&decision)[0].gross.minor(), -expected);
            kept += expected;
            prop_assert!(kept <= cap);
        }
        desk.replays();
    }
}
