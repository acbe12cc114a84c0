//! Where order systems lose or make a cent, each with its numbers, and what comes out here.
//!
//! The figures were read from the source code, the tests and the documentation of the systems named;
//! `docs/settlement.md`, "Known traps", has the list.

use std::collections::BTreeSet;

use crate::sales::{Random, at, empty_draft, line, line_id, with_total};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::quantity::Quantity;
use aftersale::sale::Sale;
use aftersale::sale::draft::{
    ChargeDraft, ChargeId, ChargeKind, OrderDiscount, PriceBasis, SaleDraft, TaxCode, TaxDraft,
    TenderKind, WeightBase,
};
use aftersale::settlement::documents::TaxDocument;
use aftersale::settlement::ledger::MoneyLedger;
use aftersale::settlement::request::{
    ChargeClaim, ChargeRefund, Claim, LineRefund, RefundRequest, TenderPolicy,
};
use aftersale::settlement::{EntryKind, quote};

fn eur(text: &str) -> Money {
    Money::parse(text, Currency::EUR).unwrap()
}

/// Lines of (pieces, unit price, tax rate).
fn draft(lines: &[(i64, &str, &str)]) -> SaleDraft {
    let mut draft = empty_draft(Currency::EUR);
    for (position, (count, price, rate)) in lines.iter().enumerate() {
        let mut line = line(position, Quantity::pieces(*count).unwrap(), price.parse().unwrap());
        let code = TaxCode::new("VAT").unwrap();
        line.taxes.push(TaxDraft { code, rate: rate.parse().unwrap(), amount: None });
        draft.lines.push(line);
    }
    draft
}

fn discounted(mut draft: SaleDraft, amount: &str) -> SaleDraft {
    let amount = eur(amount);
    draft.discounts.push(OrderDiscount { promotion: None, amount, lines: BTreeSet::new() });
    draft
}

fn paid(draft: SaleDraft) -> Sale {
    with_total(draft, &[(TenderKind::Card, 1)]).unwrap()
}

fn gross(sale: &Sale) -> Vec<i64> {
    sale.lines().map(|line| line.frozen.paid.gross.minor()).collect()
}

fn pieces(position: usize, count: i64) -> RefundRequest {
    let mut request = RefundRequest::new(at("2026-03-20T10:00:00Z"));
    let claim = Claim::Units(Quantity::pieces(count).unwrap());
    request.lines.push(LineRefund { line: line_id(position), claim });
    request
}

fn refund(sale: &Sale, ledger: &mut MoneyLedger, request: &RefundRequest) -> i64 {
    let settlement = quote(sale, ledger, request).unwrap();
    ledger.apply(&settlement);
    settlement.total.minor()
}

/// Vendure weighs a discount with tax-inclusive line prices even when prices exclude tax: with two
/// rates the order comes to 64.46 instead of 64.48. Here the weight base is named.
#[test]
fn vendure_the_weight_base_changes_the_tax() {
    let total = |weights| {
        let mut draft = discounted(draft(&[(1, "55.00", "0.20"), (1, "7.00", "0.05")]), "7.50");
        draft.prices = PriceBasis::TaxExcluded;
        draft.discount_weights = weights;
        paid(draft).total().minor()
    };
    assert_eq!(total(WeightBase::Gross), 6446);
    assert_eq!(total(WeightBase::Net), 6448);
}

/// Vendure recomputes shares when an order is modified. Largest remainder is not monotone: 10 and
/// then 11 over 6:6:2 take a unit from the third part. A frozen share never moves.
#[test]
fn vendure_sharing_a_growing_total_again_moves_a_cent() {
    let shares = |total: i64| {
        let parts = Money::new(total, Currency::EUR).allocate(&[6, 6, 2]).unwrap();
        parts.into_iter().map(Money::minor).collect::<Vec<_>>()
    };
    assert_eq!(shares(10), [4, 4, 2]);
    assert_eq!(shares(11), [5, 5, 1]);
    let sale =
        paid(discounted(draft(&[(1, "6.00", "0"), (1, "6.00", "0"), (1, "2.00", "0")]), "0.10"));
    let before = gross(&sale);
    let mut ledger = MoneyLedger::open(&sale);
    refund(&sale, &mut ledger, &pieces(0, 1));
    assert_eq!(gross(&sale), before);
    assert_eq!(refund(&sale, &mut ledger, &pieces(2, 1)), before[2]);
}

/// Solidus rounds a total down each time: three returns of 96.66 leave two cents of 290.00 behind.
#[test]
fn solidus_three_units_of_290_leave_nothing_behind() {
    let mut sale = draft(&[(3, "96.67", "0.20")]);
    sale.lines[0]
        .discounts
        .push(aftersale::sale::draft::LineDiscount { promotion: None, amount: eur("0.01") });
    let sale = paid(sale);
    assert_eq!(sale.total(), eur("290.00"));
    let mut ledger = MoneyLedger::open(&sale);
    let steps = [0; 3].map(|_| refund(&sale, &mut ledger, &pieces(0, 1)));
    assert_eq!(steps, [9667, 9666, 9667]);
    assert_eq!(steps.iter().sum::<i64>(), 29_000);
}

/// Solidus leaves adjustments of shipping out of a refund. A charge here has its own ladder on what
/// was paid for it.
#[test]
fn solidus_a_charge_refunds_what_was_paid_for_it() {
    let mut draft = draft(&[(1, "20.00", "0.19")]);
    draft.charges.push(ChargeDraft {
        id: ChargeId::new("freight").unwrap(),
        kind: ChargeKind::Freight,
        amount: eur("3.43"), // 4.90 less a coupon on delivery of 30 %
        standard: None,
        taxes: vec![],
    });
    let sale = paid(draft);
    let mut request = pieces(0, 1);
    let charge = ChargeId::new("freight").unwrap();
    request.charges.push(ChargeRefund { charge, claim: ChargeClaim::Full });
    let settlement = quote(&sale, &MoneyLedger::open(&sale), &request).unwrap();
    assert_eq!(settlement.sum_of(EntryKind::Charge).unwrap(), eur("3.43"));
    assert_eq!(settlement.total, eur("23.43"));
}

/// Saleor rounds shares half up and lets the last line take the rest: 5 over 7:3:0 gives 4, 2, -1.
#[test]
fn saleor_no_share_is_negative() {
    let parts = Money::new(5, Currency::EUR).allocate(&[7, 3, 0]).unwrap();
    assert_eq!(parts.into_iter().map(Money::minor).collect::<Vec<_>>(), [4, 1, 0]);
    let sale =
        paid(discounted(draft(&[(1, "0.07", "0"), (1, "0.03", "0"), (1, "0.00", "0")]), "0.05"));
    assert_eq!(gross(&sale), [3, 2, 0]);
}

/// Saleor multiplies a unit price that may be unrounded. Ten at 0.125 are 1.25, one by one as well.
#[test]
fn saleor_an_unrounded_unit_price_is_rounded_once() {
    let sale = paid(draft(&[(10, "0.125", "0")]));
    assert_eq!(sale.total(), eur("1.25"));
    let mut ledger = MoneyLedger::open(&sale);
    let steps = [0; 10].map(|_| refund(&sale, &mut ledger, &pieces(0, 1)));
    assert_eq!(steps, [13, 12, 13, 12, 13, 12, 13, 12, 13, 12]);
}

/// Medusa, before its fix, taxed a tax-inclusive discount twice: 55.00 less 11.00 at 10 % came to
/// 42.90 instead of 44.00.
#[test]
fn medusa_a_discount_with_tax_is_not_taxed_again() {
    let sale = paid(discounted(draft(&[(1, "55.00", "0.10")]), "11.00"));
    assert_eq!(sale.total(), eur("44.00"));
    let line = sale.at(0).unwrap();
    assert_eq!(line.frozen.paid.tax().unwrap(), eur("4.00"));
    assert_eq!(refund(&sale, &mut MoneyLedger::open(&sale), &pieces(0, 1)), 4_400);
}

/// Magento divides what is left by the quantity left, so that the path of credit memos can shift
/// cents: of 10.00 for seven, three and then one give 4.29 + 1.43 there, four at once 5.71. Here four
/// units are 5.71 on any path.
#[test]
fn magento_the_path_of_credit_memos_shifts_no_cent() {
    let mut seven = draft(&[(7, "1.43", "0.19")]);
    seven.lines[0]
        .discounts
        .push(aftersale::sale::draft::LineDiscount { promotion: None, amount: eur("0.01") });
    let sale = paid(seven);
    assert_eq!(sale.total(), eur("10.00"));
    for seed in 0..200 {
        let random = &mut Random(seed);
        let mut ledger = MoneyLedger::open(&sale);
        let (mut units, mut sum) = (0, 0);
        while units < 7 {
            let n = random.within(1, 7 - units);
            sum += refund(&sale, &mut ledger, &pieces(0, n));
            units += n;
            assert_eq!(sum, [0, 143, 286, 429, 571, 714, 857, 1000][units as usize]);
        }
    }
}

/// Magento caps the refunded tax at the invoiced tax, because its rounding can pass it. A ladder
/// ends at the invoiced tax by itself.
#[test]
fn magento_refunded_tax_ends_at_the_invoiced_tax() {
    let sale = paid(draft(&[(3, "0.99", "0.19")]));
    let invoiced = TaxDocument::of_sale(&sale).unwrap().tax;
    let mut ledger = MoneyLedger::open(&sale);
    let mut tax = 0;
    for _ in 0..3 {
        let settlement = quote(&sale, &ledger, &pieces(0, 1)).unwrap();
        ledger.apply(&settlement);
        tax += settlement.tax().unwrap().minor();
        assert!(tax <= invoiced.minor());
    }
    assert_eq!(tax, invoiced.minor());
}

/// The refund plugin of Sylius refuses an amount above what is left of a unit. So do we, for the
/// line, and the amount left is named.
#[test]
fn sylius_an_amount_above_the_rest_is_refused() {
    let sale = paid(draft(&[(2, "10.00", "0.19")]));
    let mut ledger = MoneyLedger::open(&sale);
    refund(&sale, &mut ledger, &pieces(0, 1));
    let mut request = pieces(0, 0);
    request.lines[0].claim = Claim::Amount(eur("10.01"));
    let refused = quote(&sale, &ledger, &request).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "order SO-1 cannot be settled so: line L0: 10.01 EUR asked for, 10.00 EUR left of what was paid"
    );
}

/// PrestaShop takes a voucher whole from the first refund: 8.48 less 5.30 is 3.18. A share of it
/// belongs to every line.
#[test]
fn prestashop_a_voucher_is_not_taken_whole_from_the_first_refund() {
    let sale = paid(discounted(draft(&[(1, "8.48", "0.20"), (1, "12.72", "0.20")]), "5.30"));
    let mut ledger = MoneyLedger::open(&sale);
    assert_eq!(refund(&sale, &mut ledger, &pieces(0, 1)), 848 - 212);
    assert_eq!(refund(&sale, &mut ledger, &pieces(1, 1)), 1272 - 318);
    // As a means of payment it is a tender of its own and comes back as a voucher.
    let tenders = [(TenderKind::Voucher, 530), (TenderKind::Card, 1590)];
    let sale = with_total(draft(&[(1, "8.48", "0.20"), (1, "12.72", "0.20")]), &tenders).unwrap();
    let settlement = quote(&sale, &MoneyLedger::open(&sale), &pieces(0, 1)).unwrap();
    let parts: Vec<i64> = settlement.allocations.iter().map(|part| part.amount.minor()).collect();
    assert_eq!(parts, [212, 636]);
}

/// VTEX refunds the tender with the lowest value first, IBM and Salesforce follow a configured order,
/// Spree takes the newest first: the choice is data here, and no tender is overdrawn.
#[test]
fn vtex_and_ibm_orders_of_tenders_are_data() {
    let tenders = [(TenderKind::Card, 70), (TenderKind::GiftCard, 30)];
    let sale = with_total(draft(&[(2, "50.00", "0.19")]), &tenders).unwrap();
    let parts = |policy| {
        let mut request = pieces(0, 1);
        request.tenders = policy;
        let settlement = quote(&sale, &MoneyLedger::open(&sale), &request).unwrap();
        let parts = settlement.allocations.iter();
        parts.map(|p| (p.tender.clone().unwrap().to_string(), p.amount.minor())).collect::<Vec<_>>()
    };
    let (card, gift) = ("T0".to_owned(), "T1".to_owned());
    assert_eq!(parts(TenderPolicy::LowestFirst), [(card.clone(), 2000), (gift, 3000)]);
    assert_eq!(parts(TenderPolicy::Sequential(vec![TenderKind::Card])), [(card, 5000)]);
}

/// EN 16931: totals of a document are sums of rounded amounts and are not rounded again. Three lines
/// of 0.99 carry 0.16 tax each, 0.48 together; 19 % of the group would be 0.47.
#[test]
fn en_16931_sums_of_rounded_amounts_are_not_rounded_again() {
    let sale = paid(draft(&[(1, "0.99", "0.19"), (1, "0.99", "0.19"), (1, "0.99", "0.19")]));
    let invoice = TaxDocument::of_sale(&sale).unwrap();
    let group = &invoice.groups[0];
    assert_eq!((group.net, group.tax, group.recomputed), (eur("2.49"), eur("0.48"), eur("0.47")));
    assert_eq!((invoice.net, invoice.tax, invoice.gross), (eur("2.49"), eur("0.48"), eur("2.97")));
}
