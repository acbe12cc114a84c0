//! What a refund costs to work out: one line, a mixed order, promotions, and a batch of a million.

use aftersale::id::OrderLineId;
use aftersale::quantity::Quantity;
use aftersale::sale::Sale;
use aftersale::settlement::ledger::MoneyLedger;
use aftersale::settlement::quote;
use aftersale::settlement::request::{Claim, LineRefund, PromotionPolicy, RefundRequest};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

const ONE_LINE: &str = r#"{
  "order": "SO-1", "currency": "EUR", "placed_at": "2026-03-02T09:00:00Z", "prices": "tax_included",
  "lines": [{"id": "1", "sku": "CUP", "quantity": {"amount": "3", "unit": "pcs"},
             "unit_price": "33.33", "taxes": [{"code": "VAT", "rate": "0.19"}]}],
  "tenders": [{"id": "card", "kind": "card", "captured": {"amount": "99.99", "currency": "EUR"}}],
  "total": {"amount": "99.99", "currency": "EUR"}
}"#;

/// Five lines, two order discounts, two tenders.
const FIVE_LINES: &str = r#"{
  "order": "SO-2", "currency": "EUR", "placed_at": "2026-03-02T09:00:00Z", "prices": "tax_included",
  "lines": [
    {"id": "1", "sku": "JACKET", "quantity": {"amount": "1", "unit": "pcs"}, "unit_price": "89.90",
     "taxes": [{"code": "VAT", "rate": "0.19"}]},
    {"id": "2", "sku": "SOCKS", "quantity": {"amount": "3", "unit": "pcs"}, "unit_price": "4.95",
     "taxes": [{"code": "VAT", "rate": "0.19"}]},
    {"id": "3", "sku": "BOOK", "quantity": {"amount": "2", "unit": "pcs"}, "unit_price": "12.00",
     "taxes": [{"code": "VAT", "rate": "0.07"}]},
    {"id": "4", "sku": "LAMP", "quantity": {"amount": "1", "unit": "pcs"}, "unit_price": "49.00",
     "taxes": [{"code": "VAT", "rate": "0.19"}]},
    {"id": "5", "sku": "TEA", "quantity": {"amount": "4", "unit": "pcs"}, "unit_price": "3.49",
     "taxes": [{"code": "VAT", "rate": "0.07"}]}],
  "discounts": [
    {"promotion": "SPRING", "amount": {"amount": "20.00", "currency": "EUR"}},
    {"promotion": "BOOKS", "amount": {"amount": "2.40", "currency": "EUR"}, "lines": ["3"]}PROMISES
  "tenders": [
    {"id": "gift", "kind": "gift_card", "captured": {"amount": "50.00", "currency": "EUR"}},
    {"id": "card", "kind": "card", "captured": {"amount": "119.31", "currency": "EUR"}}],
  "total": {"amount": "169.31", "currency": "EUR"}
}"#;

const RULES: &str = r#"],
  "promotions": [
    {"promotion": "SPRING", "terms": {"threshold": [
      {"minimum": {"amount": "150.00", "currency": "EUR"},
       "off": {"amount": {"amount": "20.00", "currency": "EUR"}}}]}},
    {"promotion": "BOOKS", "lines": ["3"], "terms": {"quantity_break": [
      {"units": 2, "share": "0.1"}]}}],"#;

fn five_lines(promises: &str) -> Sale {
    serde_json::from_str(&FIVE_LINES.replace("PROMISES", promises)).unwrap()
}

fn request(lines: &[(&str, i64)]) -> RefundRequest {
    let mut request = RefundRequest::new(serde_json::from_str("\"2026-03-20T10:00:00Z\"").unwrap());
    for (line, count) in lines {
        request.lines.push(LineRefund {
            line: OrderLineId::new(line).unwrap(),
            claim: Claim::Units(Quantity::pieces(*count).unwrap()),
        });
    }
    request
}

/// One of three units of one line, one tender.
#[divan::bench]
fn one_line_one_tender(bencher: Bencher<'_, '_>) {
    let sale: Sale = serde_json::from_str(ONE_LINE).unwrap();
    let (ledger, request) = (MoneyLedger::open(&sale), request(&[("1", 1)]));
    bencher.bench(|| quote(&sale, &ledger, &request).unwrap());
}

/// Noting that settlement in the ledger.
#[divan::bench]
fn apply_one_line(bencher: Bencher<'_, '_>) {
    let sale: Sale = serde_json::from_str(ONE_LINE).unwrap();
    let ledger = MoneyLedger::open(&sale);
    let settlement = quote(&sale, &ledger, &request(&[("1", 1)])).unwrap();
    bencher.with_inputs(|| ledger.clone()).bench_values(|mut ledger| {
        ledger.apply(&settlement);
        ledger
    });
}

/// A part of every line of an order with two discounts and two tenders.
#[divan::bench]
fn five_lines_two_discounts_two_tenders(bencher: Bencher<'_, '_>) {
    let sale = five_lines("],");
    let ledger = MoneyLedger::open(&sale);
    let request = request(&[("1", 1), ("2", 2), ("3", 1), ("4", 1), ("5", 3)]);
    bencher.bench(|| quote(&sale, &ledger, &request).unwrap());
}

/// The same with both discounts priced again under their recorded rules, and both figures shown.
#[divan::bench]
fn five_lines_reevaluated(bencher: Bencher<'_, '_>) {
    let sale = five_lines(RULES);
    let ledger = MoneyLedger::open(&sale);
    let mut request = request(&[("2", 2), ("3", 1), ("4", 1), ("5", 3)]);
    request.promotion = PromotionPolicy::Reevaluate;
    bencher.bench(|| quote(&sale, &ledger, &request).unwrap());
}

/// Freezing the order itself: discounts shared, taxes computed.
#[divan::bench]
fn freeze_five_lines(bencher: Bencher<'_, '_>) {
    let draft = five_lines("],").draft().clone();
    bencher.with_inputs(|| draft.clone()).bench_values(|draft| Sale::freeze(draft).unwrap());
}

/// A million one-line cases: opened, quoted, noted.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn a_million_cases(bencher: Bencher<'_, '_>) {
    const CASES: usize = 1_000_000;
    let sale: Sale = serde_json::from_str(ONE_LINE).unwrap();
    let request = request(&[("1", 1)]);
    bencher.counter(ItemsCount::new(CASES)).bench(|| {
        let mut sum = 0;
        for _ in 0..CASES {
            let mut ledger = MoneyLedger::open(&sale);
            let settlement = quote(&sale, &ledger, &request).unwrap();
            ledger.apply(&settlement);
            sum += settlement.total.minor();
        }
        assert_eq!(sum, 33_330_000 * 100);
        sum
    });
}
