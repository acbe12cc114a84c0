//! Promotions that a partial return breaks: frozen shares and re-evaluation side by side.

use std::collections::{BTreeMap, BTreeSet};

use crate::sales::{Random, at, cases, empty_draft, line, line_id, with_total};
use aftersale::id::PromotionId;
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Exact;
use aftersale::quantity::Quantity;
use aftersale::sale::Sale;
use aftersale::sale::draft::{
    LineDiscount, OrderDiscount, SaleDraft, TaxCode, TaxDraft, TenderKind,
};
use aftersale::sale::promotion::{
    FreeDelivery, Off, PromotionRule, PromotionTerms, QuantityStep, ThresholdStep,
};
use aftersale::settlement::ledger::MoneyLedger;
use aftersale::settlement::request::{
    Claim, Excess, FreeDeliveryPolicy, LineRefund, PromotionPolicy, RefundRequest,
};
use aftersale::settlement::{EntryKind, Settlement, quote};

fn yuan(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn promotion(position: usize) -> PromotionId {
    PromotionId::new(format!("P{position}")).unwrap()
}

/// What a promotion takes off a pile of single units, each (line, price), in minor units: written
/// down from the words of the promotion, unit by unit.
fn off(terms: &PromotionTerms, units: &[(usize, i64)]) -> i64 {
    let value: i64 = units.iter().map(|unit| unit.1).sum();
    let share = |share: &Exact| {
        // Shares here are whole percents; half up.
        let percent = i64::try_from(
            (share.decimal() * rust_decimal::Decimal::ONE_HUNDRED).mantissa()
                / 10_i128.pow((share.decimal() * rust_decimal::Decimal::ONE_HUNDRED).scale()),
        )
        .unwrap();
        (2 * value * percent + 100) / 200
    };
    let off = match terms {
        PromotionTerms::Threshold(steps) => {
            let mut off = 0;
            for step in steps {
                if value >= step.minimum.minor() {
                    off = match &step.off {
                        Off::Amount(amount) => amount.minor(),
                        Off::Share(part) => share(part),
                    };
                }
            }
            off
        }
        PromotionTerms::Every { each, off, most } => {
            let mut times = value / each.minor();
            if let Some(most) = most {
                times = times.min(i64::from(*most));
            }
            times * off.minor()
        }
        PromotionTerms::BuyGetFree { buy, free } => {
            let mut prices: Vec<i64> = units.iter().map(|unit| unit.1).collect();
            prices.sort_unstable();
            let groups = prices.len() as i64 / i64::from(buy + free);
            prices.iter().take((groups * i64::from(*free)) as usize).sum()
        }
        PromotionTerms::QuantityBreak(steps) => {
            let mut off = 0;
            for step in steps {
                if units.len() as u32 >= step.units {
                    off = share(&step.share);
                }
            }
            off
        }
        PromotionTerms::Set { parts, off } => {
            let mut left: BTreeMap<usize, u32> = BTreeMap::new();
            for unit in units {
                *left.entry(unit.0).or_default() += 1;
            }
            let mut sum = 0;
            while parts.iter().all(|(line, n)| {
                left.iter().any(|(position, held)| line_id(*position) == *line && held >= n)
            }) {
                for (line, n) in parts {
                    let (_, held) =
                        left.iter_mut().find(|(position, _)| line_id(**position) == *line).unwrap();
                    *held -= n;
                }
                sum += off.minor();
            }
            sum
        }
        other => panic!("no such terms here: {other:?}"),
    };
    off.min(value)
}

fn percent(n: i64) -> Exact {
    Exact::new(rust_decimal::Decimal::from_i128_with_scale(n.into(), 2))
}

fn random_terms(random: &mut Random, value: i64, lines: &[(i64, i64)]) -> PromotionTerms {
    match random.within(0, 5) {
        0 => {
            let minimum = random.within(0, value);
            let lower = ThresholdStep {
                minimum: yuan(minimum / 2),
                off: Off::Amount(yuan(random.within(0, value / 20))),
            };
            let off = if random.chance(50) {
                Off::Share(percent(random.within(1, 40)))
            } else {
                Off::Amount(yuan(random.within(0, value / 3)))
            };
            let upper = ThresholdStep { minimum: yuan(minimum / 2 + minimum / 3 + 1), off };
            PromotionTerms::Threshold(vec![lower, upper])
        }
        1 => {
            let each = random.within(value / 5, value).max(1);
            let most = random.chance(30).then_some(2);
            PromotionTerms::Every { each: yuan(each), off: yuan(random.within(0, each / 6)), most }
        }
        2 => PromotionTerms::BuyGetFree {
            buy: random.within(1, 3) as u32,
            free: random.within(1, 2) as u32,
        },
        3 => PromotionTerms::QuantityBreak(vec![
            QuantityStep { units: 2, share: percent(random.within(0, 10)) },
            QuantityStep { units: 5, share: percent(random.within(10, 25)) },
        ]),
        4 => PromotionTerms::Threshold(vec![ThresholdStep {
            minimum: yuan(0), // a coupon without a condition
            off: Off::Amount(yuan(random.within(0, value / 4))),
        }]),
        _ => {
            let parts = lines
                .iter()
                .enumerate()
                .take(2)
                .map(|(position, line)| (line_id(position), random.within(1, line.0) as u32))
                .collect();
            PromotionTerms::Set { parts, off: yuan(random.within(0, value / 10)) }
        }
    }
}

fn units(kept: &[(i64, i64)], counts: impl Fn(usize) -> bool) -> Vec<(usize, i64)> {
    let mut units = vec![];
    for (position, (count, price)) in kept.iter().enumerate().filter(|(p, _)| counts(*p)) {
        units.extend((0..*count).map(|_| (position, *price)));
    }
    units
}

/// What a basket costs under the rules of the purchase, never below zero.
fn price(rules: &[PromotionRule], kept: &[(i64, i64)]) -> i64 {
    let mut sum: i64 = kept.iter().map(|(count, price)| count * price).sum();
    for rule in rules {
        let counted = units(kept, |position| {
            rule.lines.is_empty() || rule.lines.contains(&line_id(position))
        });
        sum -= off(&rule.terms, &counted).min(sum);
    }
    sum
}

fn random_sale(random: &mut Random) -> Option<(Sale, Vec<(i64, i64)>)> {
    let lines: Vec<(i64, i64)> =
        (0..random.within(1, 5)).map(|_| (random.within(1, 5), random.within(1, 30_000))).collect();
    let mut draft = empty_draft(Currency::CNY);
    for (position, (count, price)) in lines.iter().enumerate() {
        let price = Exact::new(yuan(*price).amount());
        let mut line = line(position, Quantity::pieces(*count).unwrap(), price);
        line.taxes.push(TaxDraft {
            code: TaxCode::new("VAT").unwrap(),
            rate: "0.13".parse().unwrap(),
            amount: None,
        });
        draft.lines.push(line);
    }
    let value: i64 = lines.iter().map(|(count, price)| count * price).sum();
    for position in 0..random.within(1, 2) as usize {
        let lines_of: BTreeSet<_> = if random.chance(70) {
            BTreeSet::new()
        } else {
            (0..lines.len()).filter(|_| random.chance(60)).map(line_id).collect()
        };
        let terms = random_terms(random, value, &lines);
        let counted = units(&lines, |p| lines_of.is_empty() || lines_of.contains(&line_id(p)));
        let amount = off(&terms, &counted);
        let promotion = promotion(position);
        draft.discounts.push(OrderDiscount {
            promotion: Some(promotion.clone()),
            amount: yuan(amount),
            lines: lines_of.clone(),
        });
        draft.promotions.push(PromotionRule { promotion, lines: lines_of, terms });
    }
    // Two discounts may take more than there is: such an order is refused, so take another.
    Some((with_total(draft, &[(TenderKind::Wallet, 1)])?, lines))
}

fn reevaluate(lines: Vec<LineRefund>) -> RefundRequest {
    let mut request = RefundRequest::new(at("2026-03-05T10:00:00Z"));
    request.lines = lines;
    request.promotion = PromotionPolicy::Reevaluate;
    request.clawback_excess = Excess::Charge;
    request
}

fn pieces(position: usize, count: i64) -> LineRefund {
    let claim = Claim::Units(Quantity::pieces(count).unwrap());
    LineRefund { line: line_id(position), claim }
}

/// SET-18: under re-evaluation the customer has in the end spent the price of the kept basket under
/// the recorded rules, never below zero, whatever the steps; and a full return gives all back.
#[test]
fn a_customer_spends_the_price_of_the_kept_basket() {
    for seed in 0..cases(6_000) {
        let random = &mut Random(seed ^ 0x18);
        let Some((sale, lines)) = random_sale(random) else { continue };
        let mut ledger = MoneyLedger::open(&sale);
        let mut kept = lines.clone();
        let mut spent = sale.total().minor();
        assert_eq!(price(&sale.draft().promotions, &kept), spent, "seed {seed}");
        for last in [false, false, true] {
            let mut asked = vec![];
            for (position, line) in kept.iter_mut().enumerate() {
                let n = if last { line.0 } else { random.within(0, line.0) };
                line.0 -= n;
                asked.push(pieces(position, n));
            }
            let settlement = quote(&sale, &ledger, &reevaluate(asked)).unwrap();
            ledger.apply(&settlement);
            let sum: i64 = settlement.entries.iter().map(|entry| entry.gross.minor()).sum();
            assert_eq!(sum, settlement.total.minor());
            spent -= settlement.total.minor() - settlement.due.minor();
            assert_eq!(spent, price(&sale.draft().promotions, &kept), "seed {seed}: {kept:?}");
            assert!(spent >= 0);
        }
        assert_eq!(spent, 0);
        assert!(ledger.clawed_back().is_zero());
    }
}

/// SET-19: frozen shares and re-evaluation agree when no promotion is conditional, and every
/// preview shows both figures.
#[test]
fn both_policies_agree_without_conditions() {
    for seed in 0..cases(3_000) {
        let random = &mut Random(seed ^ 0x19);
        let sale = crate::sales::sale(random);
        let ledger = MoneyLedger::open(&sale);
        let mut asked = vec![];
        for (position, line) in sale.lines().enumerate() {
            let quantity = line.ordered.quantity;
            let units = Quantity::new(random.within(0, quantity.steps()), quantity.unit()).unwrap();
            asked.push(LineRefund { line: line_id(position), claim: Claim::Units(units) });
        }
        let mut request = reevaluate(asked);
        let one = quote(&sale, &ledger, &request).unwrap();
        request.promotion = PromotionPolicy::FrozenShare;
        assert_eq!(one, quote(&sale, &ledger, &request).unwrap());
        assert_eq!(one.figures.frozen_share, one.figures.reevaluated);
    }
}

fn threshold(minimum: i64, off: i64) -> PromotionTerms {
    PromotionTerms::Threshold(vec![ThresholdStep {
        minimum: yuan(minimum),
        off: Off::Amount(yuan(off)),
    }])
}

/// Lines of (pieces, unit price in fen) with one promotion on all of them.
fn with_rule(lines: &[(i64, i64)], terms: PromotionTerms) -> Sale {
    let mut draft = lines_of(lines);
    let amount = yuan(off(&terms, &units(lines, |_| true)));
    let lines = BTreeSet::new();
    let promotion = promotion(0);
    draft.discounts.push(OrderDiscount {
        promotion: Some(promotion.clone()),
        amount,
        lines: lines.clone(),
    });
    draft.promotions.push(PromotionRule { promotion, lines, terms });
    with_total(draft, &[(TenderKind::Wallet, 1)]).unwrap()
}

fn lines_of(lines: &[(i64, i64)]) -> SaleDraft {
    let mut draft = empty_draft(Currency::CNY);
    for (position, (count, price)) in lines.iter().enumerate() {
        let price = Exact::new(yuan(*price).amount());
        draft.lines.push(line(position, Quantity::pieces(*count).unwrap(), price));
    }
    draft
}

fn refund(sale: &Sale, ledger: &mut MoneyLedger, request: &RefundRequest) -> Settlement {
    let settlement = quote(sale, ledger, request).unwrap();
    ledger.apply(&settlement);
    settlement
}

#[test]
fn spend_300_save_40_and_return_below_the_threshold() {
    // A coat of 200.00 and a scarf of 120.00, 40.00 off above 300.00; the scarf goes back.
    let sale = with_rule(&[(1, 20_000), (1, 12_000)], threshold(30_000, 4_000));
    let mut ledger = MoneyLedger::open(&sale);
    let frozen =
        RefundRequest { promotion: PromotionPolicy::FrozenShare, ..reevaluate(vec![pieces(1, 1)]) };
    let preview = quote(&sale, &ledger, &frozen).unwrap();
    assert_eq!(preview.total, yuan(10_500)); // 120.00 less its frozen share of 15.00
    assert_eq!(preview.figures.reevaluated, yuan(8_000)); // 280.00 paid, 200.00 kept
    let scarf = refund(&sale, &mut ledger, &reevaluate(vec![pieces(1, 1)]));
    assert_eq!(scarf.total, yuan(8_000));
    assert_eq!(scarf.sum_of(EntryKind::Clawback).unwrap(), yuan(-2_500));
    assert_eq!(scarf.figures.frozen_share, yuan(10_500));
    // Then the coat goes back as well: the clawback is given back.
    let coat = refund(&sale, &mut ledger, &reevaluate(vec![pieces(0, 1)]));
    assert_eq!(coat.total, yuan(20_000));
    assert_eq!(coat.sum_of(EntryKind::Clawback).unwrap(), yuan(2_500));
}

#[test]
fn buy_two_get_one_free_and_return_one() {
    // Three shirts for the price of two; each has a frozen share of 60.00.
    let free = PromotionTerms::BuyGetFree { buy: 2, free: 1 };
    let sale = with_rule(&[(3, 9_000)], free);
    let mut ledger = MoneyLedger::open(&sale);
    let one = refund(&sale, &mut ledger, &reevaluate(vec![pieces(0, 1)]));
    assert_eq!(one.figures.frozen_share, yuan(6_000));
    assert_eq!(one.total, yuan(0)); // two shirts cost 180.00, and 180.00 was paid
}

#[test]
fn a_clawback_above_the_refund_is_a_debt_or_forgiven() {
    // 300.00 off from 1,010.00 on. The pen of 10.00 goes back, and the desk alone earns nothing: it
    // costs 1,000.00 and 710.00 was paid.
    let sale = with_rule(&[(1, 100_000), (1, 1_000)], threshold(101_000, 30_000));
    let ledger = MoneyLedger::open(&sale);
    let mut request = reevaluate(vec![pieces(1, 1)]);
    let charged = quote(&sale, &ledger, &request).unwrap();
    assert_eq!((charged.total, charged.due), (yuan(0), yuan(29_000)));
    assert_eq!(charged.figures.reevaluated, yuan(-29_000));
    request.clawback_excess = Excess::Forgive;
    let mut ledger = ledger;
    let forgiven = refund(&sale, &mut ledger, &request);
    assert_eq!((forgiven.total, forgiven.due), (yuan(0), yuan(0)));
    // Only what was in fact clawed back comes back with the rest.
    let mut rest = reevaluate(vec![pieces(0, 1)]);
    rest.clawback_excess = Excess::Forgive;
    let rest = refund(&sale, &mut ledger, &rest);
    assert_eq!(rest.total, sale.total());
}

#[test]
fn a_gift_kept_without_its_purchase_is_charged_at_its_stated_price() {
    let mut draft = lines_of(&[(2, 20_000), (1, 4_900)]);
    draft.lines[1].discounts.push(LineDiscount { promotion: None, amount: yuan(4_900) });
    draft.promotions.push(PromotionRule {
        promotion: promotion(0),
        lines: BTreeSet::new(),
        terms: PromotionTerms::Gift { minimum: yuan(30_000), gift: line_id(1), price: yuan(3_900) },
    });
    let sale = with_total(draft, &[(TenderKind::Wallet, 1)]).unwrap();
    let mut ledger = MoneyLedger::open(&sale);
    let kept_gift = refund(&sale, &mut ledger, &reevaluate(vec![pieces(0, 1)]));
    assert_eq!(kept_gift.sum_of(EntryKind::Gift).unwrap(), yuan(-3_900));
    assert_eq!(kept_gift.total, yuan(16_100));
    let gift_back = refund(&sale, &mut ledger, &reevaluate(vec![pieces(1, 1)]));
    assert_eq!(gift_back.total, yuan(3_900));
    // With the gift in the same parcel nothing is charged.
    let both = reevaluate(vec![pieces(0, 1), pieces(1, 1)]);
    assert_eq!(quote(&sale, &MoneyLedger::open(&sale), &both).unwrap().total, yuan(20_000));
}

#[test]
fn free_delivery_lost_is_deducted_once() {
    let mut draft = lines_of(&[(1, 6_000), (1, 5_000), (1, 2_000)]);
    draft.free_delivery =
        Some(FreeDelivery { minimum: yuan(9_900), freight: yuan(1_200), taxes: vec![] });
    let sale = with_total(draft, &[(TenderKind::Wallet, 1)]).unwrap();
    let mut ledger = MoneyLedger::open(&sale);
    let deduct =
        |lines| RefundRequest { free_delivery: FreeDeliveryPolicy::Deduct, ..reevaluate(lines) };
    // 110.00 kept: still above the minimum. 60.00 kept: below. Nothing kept: the freight is the
    // seller's again.
    assert_eq!(refund(&sale, &mut ledger, &deduct(vec![pieces(2, 1)])).total, yuan(2_000));
    assert_eq!(refund(&sale, &mut ledger, &deduct(vec![pieces(1, 1)])).total, yuan(3_800));
    assert_eq!(refund(&sale, &mut ledger, &deduct(vec![pieces(0, 1)])).total, yuan(7_200));
    let keep =
        RefundRequest { free_delivery: FreeDeliveryPolicy::Keep, ..deduct(vec![pieces(0, 1)]) };
    assert_eq!(quote(&sale, &MoneyLedger::open(&sale), &keep).unwrap().total, yuan(6_000));
}

#[test]
fn a_clawback_carries_the_tax_of_the_kept_goods() {
    let mut draft = lines_of(&[(1, 20_000), (1, 12_000)]);
    for line in &mut draft.lines {
        line.taxes.push(TaxDraft {
            code: TaxCode::new("VAT").unwrap(),
            rate: "0.13".parse().unwrap(),
            amount: None,
        });
    }
    let terms = threshold(30_000, 4_000);
    draft.discounts.push(OrderDiscount {
        promotion: Some(promotion(0)),
        amount: yuan(4_000),
        lines: BTreeSet::new(),
    });
    draft.promotions.push(PromotionRule { promotion: promotion(0), lines: BTreeSet::new(), terms });
    let sale = with_total(draft, &[(TenderKind::Wallet, 1)]).unwrap();
    let ledger = MoneyLedger::open(&sale);
    let settlement = quote(&sale, &ledger, &reevaluate(vec![pieces(1, 1)])).unwrap();
    let clawback = settlement.entries.iter().find(|e| e.kind == EntryKind::Clawback).unwrap();
    assert_eq!(clawback.gross, yuan(-2_500));
    assert_eq!(clawback.taxes[0].amount, yuan(-288)); // 25.00 * 13 / 113 = 2.876
}
