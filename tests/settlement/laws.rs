//! Settlement: laws beside the exact model, and the situations that systems get wrong.

use crate::sales::{Random, at, cases, empty_draft, line, line_id, with_total};
use aftersale::explain::{Effect, RuleRef};
use aftersale::id::{RuleId, Sku, TenderId};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Rounding;
use aftersale::quantity::Quantity;
use aftersale::sale::draft::{
    ChargeDraft, ChargeId, ChargeKind, ComponentDraft, PriceBasis, SaleDraft, TaxCode, TaxDraft,
    Tender, TenderKind,
};
use aftersale::sale::{Paid, Sale, TaxAmount};
use aftersale::settlement::claims::{FreightRule, freight, price_protection};
use aftersale::settlement::documents::{TaxDocument, TaxDocuments};
use aftersale::settlement::ledger::MoneyLedger;
use aftersale::settlement::recovery::{DebtorId, Recovery, RecoveryRefused};
use aftersale::settlement::refusal::Violation;
use aftersale::settlement::request::{
    CashBasis, CashRounding, ChargeClaim, ChargeRefund, Claim, Deduction, DeductionAmount,
    DeductionKind, Excess, Goodwill, GoodwillForm, LineRefund, Outgoing, OutgoingKind,
    OutgoingPrice, RefundRequest, Standing, TaxTreatment, TenderPolicy, Tier,
};
use aftersale::settlement::{Basis, EntryKind, PayoutForm, Settlement, Target, quote};

fn eur(text: &str) -> Money {
    Money::parse(text, Currency::EUR).unwrap()
}

fn rule(id: &str) -> RuleRef {
    RuleRef::new(RuleId::new(id).unwrap())
}

fn request() -> RefundRequest {
    RefundRequest::new(at("2026-03-20T10:00:00Z"))
}

fn pieces(position: usize, count: i64) -> LineRefund {
    let claim = Claim::Units(Quantity::pieces(count).unwrap());
    LineRefund { line: line_id(position), claim }
}

fn amount(position: usize, money: Money) -> LineRefund {
    LineRefund { line: line_id(position), claim: Claim::Amount(money) }
}

fn vat(rate: &str) -> TaxDraft {
    TaxDraft { code: TaxCode::new("VAT").unwrap(), rate: rate.parse().unwrap(), amount: None }
}

/// Lines of (pieces, unit price), 19 % tax included.
fn draft(lines: &[(i64, &str)]) -> SaleDraft {
    let mut draft = empty_draft(Currency::EUR);
    for (position, (count, price)) in lines.iter().enumerate() {
        let mut line = line(position, Quantity::pieces(*count).unwrap(), price.parse().unwrap());
        line.taxes.push(vat("0.19"));
        draft.lines.push(line);
    }
    draft
}

fn by_card(draft: SaleDraft) -> Sale {
    with_total(draft, &[(TenderKind::Card, 1)]).unwrap()
}

fn of(lines: &[(i64, &str)]) -> Sale {
    by_card(draft(lines))
}

fn refund(sale: &Sale, ledger: &mut MoneyLedger, lines: Vec<LineRefund>) -> Settlement {
    let settlement = quote(sale, ledger, &RefundRequest { lines, ..request() }).unwrap();
    assert!(ledger.admits(&settlement));
    ledger.apply(&settlement);
    settlement
}

fn violations(sale: &Sale, ledger: &MoneyLedger, request: &RefundRequest) -> Vec<Violation> {
    quote(sale, ledger, request).unwrap_err().violations
}

fn flat(kind: DeductionKind, money: Money) -> Deduction {
    Deduction {
        kind,
        line: None,
        amount: DeductionAmount::Flat(money),
        cap: None,
        tax: TaxTreatment::Outside,
        standing: Standing::Applies,
        excess: Excess::Forgive,
        rule: rule("fee"),
    }
}

#[test]
fn a_refund_of_one_cent_does_not_burn_the_line() {
    let sale = of(&[(1, "100.00")]);
    let mut ledger = MoneyLedger::open(&sale);
    assert_eq!(refund(&sale, &mut ledger, vec![amount(0, eur("0.01"))]).total, eur("0.01"));
    assert_eq!(ledger.left_on_line(&line_id(0)), Some(eur("99.99")));
    assert_eq!(refund(&sale, &mut ledger, vec![pieces(0, 1)]).total, eur("99.99"));
    assert!(ledger.refundable().is_zero());
}

#[test]
fn a_price_credit_first_leaves_the_rest_for_the_goods() {
    let sale = of(&[(1, "150.00")]);
    let mut ledger = MoneyLedger::open(&sale);
    refund(&sale, &mut ledger, vec![amount(0, eur("50.00"))]);
    assert_eq!(ledger.units_left(&line_id(0)), Some(Quantity::pieces(1).unwrap()));
    assert_eq!(refund(&sale, &mut ledger, vec![pieces(0, 1)]).total, eur("100.00"));
}

#[test]
fn announced_three_received_two_is_at_most_two_units() {
    let sale = of(&[(3, "89.99")]);
    let settlement = refund(&sale, &mut MoneyLedger::open(&sale), vec![pieces(0, 2)]);
    assert_eq!(settlement.total, eur("179.98"));
}

#[test]
fn three_returns_of_one_against_two_sold_refuse_the_third() {
    let sale = of(&[(2, "10.00")]);
    let mut ledger = MoneyLedger::open(&sale);
    refund(&sale, &mut ledger, vec![pieces(0, 1)]);
    refund(&sale, &mut ledger, vec![pieces(0, 1)]);
    let third = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
    let (asked, left) = (Quantity::pieces(1).unwrap(), Quantity::pieces(0).unwrap());
    let refused = vec![Violation::ExceedsUnits { line: line_id(0), asked, left }];
    assert_eq!(violations(&sale, &ledger, &third), refused);
}

/// SET-11: the same sale priced with and without tax gives the same gross refunds.
#[test]
fn prices_with_and_without_tax_refund_the_same() {
    for seed in 0..cases(2_000) {
        let random = &mut Random(seed ^ 0x11);
        let sale = crate::sales::sale(random);
        // The twin states the frozen gross amounts as its prices and the same taxes.
        let mut twin = empty_draft(sale.currency());
        for found in sale.lines() {
            let mut line = found.ordered.clone();
            let one = Quantity::pieces(1).unwrap();
            let price = aftersale::number::Exact::new(found.frozen.paid.gross.amount());
            // Pieces of a line are its steps here, so that a line price needs no unit price.
            line.discounts.clear();
            line.unit_price = price;
            line.quantity = one;
            for (tax, frozen) in line.taxes.iter_mut().zip(&found.frozen.paid.taxes) {
                tax.amount = Some(frozen.amount);
            }
            twin.lines.push(line);
        }
        let twin = with_total(twin, &[(TenderKind::Card, 1)]).unwrap();
        let (mut one, mut other) = (MoneyLedger::open(&sale), MoneyLedger::open(&twin));
        for (position, found) in sale.lines().enumerate() {
            let gross = found.frozen.paid.gross;
            let part = Money::new(random.within(0, gross.minor()), gross.currency());
            let left = refund(&sale, &mut one, vec![amount(position, part)]);
            let right = refund(&twin, &mut other, vec![amount(position, part)]);
            assert_eq!(left.entries[0].gross, right.entries[0].gross);
            assert_eq!(left.entries[0].taxes, right.entries[0].taxes);
            let all = Claim::Units(found.ordered.quantity);
            let left =
                refund(&sale, &mut one, vec![LineRefund { line: line_id(position), claim: all }]);
            let right = refund(&twin, &mut other, vec![pieces(position, 1)]);
            assert_eq!(left.entries[0].gross, right.entries[0].gross);
            assert_eq!(left.entries[0].taxes, right.entries[0].taxes);
        }
    }
    // And unit by unit: 3 at 33.33 net and 20 % is 119.99 gross, however it is priced.
    let mut net = empty_draft(Currency::EUR);
    net.prices = PriceBasis::TaxExcluded;
    net.lines.push(line(0, Quantity::pieces(3).unwrap(), "33.33".parse().unwrap()));
    net.lines[0].taxes.push(vat("0.20"));
    let mut gross = net.clone();
    gross.prices = PriceBasis::TaxIncluded;
    gross.lines[0].unit_price = "39.9967".parse().unwrap();
    gross.lines[0].taxes[0].amount = Some(eur("20.00"));
    let (net, gross) = (by_card(net), by_card(gross));
    assert_eq!(net.total(), gross.total());
    let (mut one, mut other) = (MoneyLedger::open(&net), MoneyLedger::open(&gross));
    for _ in 0..3 {
        let left = refund(&net, &mut one, vec![pieces(0, 1)]);
        assert_eq!(left, refund(&gross, &mut other, vec![pieces(0, 1)]));
    }
}

/// SET-12: nothing returned, a price of zero and a discount of everything settle to zero.
#[test]
fn zero_stays_zero() {
    let mut draft = draft(&[(2, "0"), (3, "9.99"), (1, "5.00")]);
    draft.lines[1]
        .discounts
        .push(aftersale::sale::draft::LineDiscount { promotion: None, amount: eur("29.97") });
    let sale = by_card(draft);
    let mut ledger = MoneyLedger::open(&sale);
    let fresh = ledger.clone();
    assert!(refund(&sale, &mut ledger, vec![]).entries.is_empty());
    let nothing = refund(&sale, &mut ledger, vec![pieces(2, 0), amount(1, eur("0.00"))]);
    assert!(nothing.total.is_zero() && nothing.allocations.is_empty());
    assert_eq!(ledger, fresh);
    let free = refund(&sale, &mut ledger, vec![pieces(0, 2), pieces(1, 3)]);
    assert!(free.total.is_zero() && free.due.is_zero());
    assert_eq!(ledger.units_left(&line_id(0)), Some(Quantity::pieces(0).unwrap()));
}

fn paid(gross: &str, tax: &str) -> Paid {
    let (code, rate) = (TaxCode::new("VAT").unwrap(), "0.19".parse().unwrap());
    Paid { gross: eur(gross), taxes: vec![TaxAmount { code, rate, amount: eur(tax) }] }
}

fn exchange(position: usize, count: i64, price: OutgoingPrice) -> Outgoing {
    Outgoing {
        line: line_id(position),
        kind: OutgoingKind::Exchange,
        quantity: Quantity::pieces(count).unwrap(),
        price,
        rule: rule("exchange"),
    }
}

/// SET-13: crediting a charge gives exactly its opposite, gross and tax, in any steps.
#[test]
fn a_credit_is_the_opposite_of_its_charge() {
    for seed in 0..cases(2_000) {
        let random = &mut Random(seed ^ 0x13);
        let sale = of(&[(1, "100.00")]);
        let mut ledger = MoneyLedger::open(&sale);
        let (count, gross) = (random.within(1, 9), random.within(0, 50_000));
        let tax = random.within(0, gross / 2);
        let cents = |minor| Money::new(minor, Currency::EUR).amount().to_string();
        let price = OutgoingPrice::Own(paid(&cents(gross), &cents(tax)));
        let out = RefundRequest { outgoing: vec![exchange(7, count, price)], ..request() };
        let charge = quote(&sale, &ledger, &out).unwrap();
        assert_eq!(charge.due.minor(), gross);
        ledger.apply(&charge);
        let (mut back, mut tax_back, mut left) = (0, 0, count);
        while left > 0 {
            let n = random.within(1, left);
            let entry = refund(&sale, &mut ledger, vec![pieces(7, n)]).entries.remove(0);
            back += entry.gross.minor();
            tax_back += entry.taxes[0].amount.minor();
            left -= n;
        }
        assert_eq!(back, -charge.entries[0].gross.minor());
        assert_eq!(tax_back, -charge.entries[0].taxes[0].amount.minor());
    }
}

/// SET-14: an even exchange comes to nothing, tax included, unless a fee was decided.
#[test]
fn an_even_exchange_costs_nothing() {
    let sale = of(&[(3, "33.33")]);
    let ledger = MoneyLedger::open(&sale);
    let mut swap = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
    swap.outgoing.push(exchange(1, 1, OutgoingPrice::EvenWith(line_id(0))));
    let even = quote(&sale, &ledger, &swap).unwrap();
    assert!(even.total.is_zero() && even.due.is_zero() && even.tax().unwrap().is_zero());
    assert!(even.allocations.is_empty());
    swap.deductions.push(flat(DeductionKind::RestockingFee, eur("5.00")));
    let with_fee = quote(&sale, &ledger, &swap).unwrap();
    assert_eq!((with_fee.total, with_fee.due), (eur("0.00"), eur("5.00")));
}

fn card(id: &str, captured: Money) -> Tender {
    Tender {
        id: TenderId::new(id).unwrap(),
        kind: TenderKind::Card,
        captured,
        in_kind: None,
        refunded_outside: None,
        refundable_until: None,
    }
}

/// SET-15: along a chain of exchanges the last article refunds what was paid in less what was paid
/// out for that unit.
#[test]
fn a_chain_of_exchanges_refunds_what_was_paid_along_it() {
    for seed in 0..cases(1_000) {
        let random = &mut Random(seed ^ 0x15);
        let sale = of(&[(1, "100.00"), (2, "20.00")]);
        let mut ledger = MoneyLedger::open(&sale);
        // What the customer has in the chain: the jacket, then whatever replaced it.
        let (mut held, mut paid_in, mut paid_out) = (0, 10_000_i64, 0_i64);
        for next in 10..10 + random.within(1, 6) as usize {
            let price = random.within(0, 20_000);
            let cents = Money::new(price, Currency::EUR);
            let price = Paid { gross: cents, taxes: vec![] };
            let mut swap = RefundRequest { lines: vec![pieces(held, 1)], ..request() };
            swap.outgoing.push(exchange(next, 1, OutgoingPrice::Own(price)));
            let settlement = quote(&sale, &ledger, &swap).unwrap();
            ledger.apply(&settlement);
            assert!(settlement.shortfall.is_zero());
            paid_out += settlement.total.minor();
            if settlement.due.is_positive() {
                paid_in += settlement.due.minor();
                ledger.capture(&card(&format!("extra-{next}"), settlement.due));
            }
            held = next;
        }
        let last = refund(&sale, &mut ledger, vec![pieces(held, 1)]);
        assert_eq!(last.total.minor(), paid_in - paid_out);
        assert!(last.shortfall.is_zero());
        // The other line is untouched and still covered by the tenders.
        assert_eq!(refund(&sale, &mut ledger, vec![pieces(1, 2)]).total, eur("40.00"));
        assert!(ledger.refundable().is_zero());
    }
}

/// SET-16: what a given-up plan had taken can be claimed again, once, and all still sums to what was
/// paid.
#[test]
fn a_plan_given_up_frees_what_it_had_taken() {
    for seed in 0..cases(4_000) {
        let random = &mut Random(seed ^ 0x16);
        let sale = crate::sales::sale(random);
        let mut ledger = MoneyLedger::open(&sale);
        let fresh = ledger.clone();
        let mut open: Vec<Settlement> = vec![];
        for _ in 0..random.within(1, 6) {
            if !open.is_empty() && random.chance(40) {
                let position = random.within(0, open.len() as i64 - 1) as usize;
                ledger.release(&open.remove(position));
                continue;
            }
            let mut lines = vec![];
            for (position, found) in sale.lines().enumerate() {
                if random.chance(50) {
                    continue;
                }
                let line = line_id(position);
                let claim = if random.chance(70) {
                    let left = ledger.units_left(&line).unwrap();
                    let n = random.within(0, left.steps());
                    Claim::Units(Quantity::new(n, found.ordered.quantity.unit()).unwrap())
                } else {
                    let left = ledger.left_on_line(&line).unwrap().minor();
                    Claim::Amount(Money::new(random.within(0, left), sale.currency()))
                };
                lines.push(LineRefund { line, claim });
            }
            open.push(refund(&sale, &mut ledger, lines));
        }
        let kept = ledger.clone();
        for settlement in &open {
            ledger.release(settlement);
        }
        assert_eq!(ledger.refundable(), fresh.refundable());
        for position in 0..sale.lines().len() {
            let line = line_id(position);
            assert_eq!(ledger.left_on_line(&line), fresh.left_on_line(&line));
            assert_eq!(ledger.units_left(&line), fresh.units_left(&line));
        }
        // From the state with plans still open, the rest sums to what was paid.
        let mut ledger = kept;
        for (position, found) in sale.lines().enumerate() {
            let line = line_id(position);
            let left = ledger.units_left(&line).unwrap();
            let claim = Claim::Units(left);
            refund(&sale, &mut ledger, vec![LineRefund { line: line.clone(), claim }]);
            let rest = ledger.left_on_line(&line).unwrap();
            assert!(!rest.is_negative());
            refund(&sale, &mut ledger, vec![amount(position, rest)]);
            assert_eq!(ledger.refunded_on_line(&line), Some(found.frozen.paid.gross));
        }
    }
}

#[test]
fn a_return_given_up_after_a_credit_is_shared_over_what_is_left() {
    let sale = of(&[(3, "50.00")]);
    let mut ledger = MoneyLedger::open(&sale);
    let first = refund(&sale, &mut ledger, vec![pieces(0, 1)]);
    refund(&sale, &mut ledger, vec![amount(0, eur("40.00"))]);
    assert_eq!(refund(&sale, &mut ledger, vec![pieces(0, 1)]).total, eur("30.00"));
    ledger.release(&first);
    // 80.00 are left over two units.
    assert_eq!(refund(&sale, &mut ledger, vec![pieces(0, 1)]).total, eur("40.00"));
    assert_eq!(refund(&sale, &mut ledger, vec![pieces(0, 1)]).total, eur("40.00"));
}

/// A jacket of 100.00 paid with a gift card of 30.00, 1,000 points worth 10.00 and a card.
fn mixed() -> Sale {
    let mut draft = draft(&[(4, "25.00")]);
    draft.total = eur("100.00");
    let tender = |id: &str, kind, captured| Tender { kind, ..card(id, eur(captured)) };
    draft.tenders = vec![
        tender("gift", TenderKind::GiftCard, "30.00"),
        tender("points", TenderKind::Points, "10.00"),
        tender("card", TenderKind::Card, "60.00"),
    ];
    let points = Currency::with_digits("PTS", 0).unwrap();
    draft.tenders[1].in_kind = Some(Money::new(1_000, points));
    Sale::freeze(draft).unwrap()
}

fn placed(
    sale: &Sale,
    ledger: &MoneyLedger,
    units: i64,
    policy: TenderPolicy,
) -> Vec<(String, i64)> {
    let lines = vec![pieces(0, units)];
    let settlement = quote(sale, ledger, &RefundRequest { lines, tenders: policy, ..request() });
    let settlement = settlement.unwrap();
    let name = |tender: &Option<TenderId>| tender.as_ref().unwrap().as_str().to_owned();
    settlement.allocations.iter().map(|part| (name(&part.tender), part.amount.minor())).collect()
}

fn parts(list: &[(&str, i64)]) -> Vec<(String, i64)> {
    list.iter().map(|(name, minor)| ((*name).to_owned(), *minor)).collect()
}

#[test]
fn each_tender_policy_fills_the_tenders_in_its_way() {
    let sale = mixed();
    let ledger = MoneyLedger::open(&sale);
    let at = |policy| placed(&sale, &ledger, 2, policy);
    assert_eq!(
        at(TenderPolicy::Proportional),
        parts(&[("gift", 1500), ("points", 500), ("card", 3000)])
    );
    let kinds = vec![TenderKind::Points, TenderKind::Card];
    assert_eq!(at(TenderPolicy::Sequential(kinds)), parts(&[("points", 1000), ("card", 4000)]));
    assert_eq!(
        at(TenderPolicy::LowestFirst),
        parts(&[("gift", 3000), ("points", 1000), ("card", 1000)])
    );
    assert_eq!(at(TenderPolicy::LargestFirst), parts(&[("card", 5000)]));
    let gift = vec![TenderId::new("gift").unwrap()];
    assert_eq!(
        at(TenderPolicy::SelectedThenSpill(gift)),
        parts(&[("gift", 3000), ("points", 1000), ("card", 1000)])
    );
    let original = TenderPolicy::OriginalElseCredit { days: Some(14) };
    let lines = vec![pieces(0, 2)];
    let late = quote(&sale, &ledger, &RefundRequest { lines, tenders: original, ..request() });
    // 18 days after the order everything is credit, in place of the tenders.
    let late = late.unwrap();
    assert_eq!(late.allocations.len(), 3);
    assert!(late.allocations.iter().all(|part| part.form == PayoutForm::CreditInstead));
    assert!(late.allocations.iter().all(|part| part.in_kind.is_none()));
}

/// SET-17: filling tenders one after the other depends on the cumulative amount alone, and points
/// come back in kind to the last one.
#[test]
fn tenders_in_sequence_depend_on_the_sum_alone() {
    for seed in 0..cases(2_000) {
        let random = &mut Random(seed ^ 0x17);
        let sale = mixed();
        let mut ledger = MoneyLedger::open(&sale);
        let order = [("points", 1000), ("gift", 3000), ("card", 6000)];
        let policy = TenderPolicy::Sequential(vec![TenderKind::Points, TenderKind::GiftCard]);
        let (mut sum, mut points) = (0, 0);
        while sum < 10_000 {
            let lines = vec![amount(0, Money::new(random.within(1, 10_000 - sum), Currency::EUR))];
            let ask = RefundRequest { lines, tenders: policy.clone(), ..request() };
            let settlement = quote(&sale, &ledger, &ask).unwrap();
            ledger.apply(&settlement);
            sum += settlement.total.minor();
            points += settlement
                .allocations
                .iter()
                .filter_map(|p| p.in_kind)
                .map(Money::minor)
                .sum::<i64>();
            let mut before = 0;
            for (name, captured) in order {
                let target = (sum - before).clamp(0, captured);
                let id = TenderId::new(name).unwrap();
                assert_eq!(ledger.refunded_on_tender(&id).unwrap().minor(), target);
                before += captured;
            }
            assert_eq!(points, sum.min(1000), "one point for each cent");
        }
    }
}

#[test]
fn refunds_outside_any_case_count_against_the_tender() {
    let mut draft = crate::sales::empty_draft(Currency::EUR);
    draft.lines.push(line(0, Quantity::pieces(1).unwrap(), "100.00".parse().unwrap()));
    draft.total = eur("100.00");
    draft
        .tenders
        .push(Tender { refunded_outside: Some(eur("40.00")), ..card("card", eur("100.00")) });
    let sale = Sale::freeze(draft).unwrap();
    let mut ledger = MoneyLedger::open(&sale);
    assert_eq!(ledger.refundable(), eur("60.00"));
    let settlement = refund(&sale, &mut ledger, vec![pieces(0, 1)]);
    assert_eq!((settlement.total, settlement.shortfall), (eur("100.00"), eur("40.00")));
    assert!(ledger.refundable().is_zero());
}

#[test]
fn an_expired_tender_takes_nothing_and_is_named_as_a_shortfall_or_becomes_credit() {
    let mut draft = crate::sales::empty_draft(Currency::EUR);
    draft.lines.push(line(0, Quantity::pieces(1).unwrap(), "80.00".parse().unwrap()));
    draft.total = eur("80.00");
    let end = at("2026-03-20T10:00:00Z");
    draft.tenders.push(Tender { refundable_until: Some(end), ..card("voucher", eur("30.00")) });
    draft.tenders.push(card("card", eur("50.00")));
    let sale = Sale::freeze(draft).unwrap();
    let ledger = MoneyLedger::open(&sale);
    let mut ask = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
    assert!(
        quote(&sale, &ledger, &ask).unwrap().shortfall.is_zero(),
        "at the very end it still takes"
    );
    ask.at = at("2026-03-20T10:00:01Z");
    let late = quote(&sale, &ledger, &ask).unwrap();
    assert_eq!(late.shortfall, eur("30.00"));
    ask.tenders = TenderPolicy::OriginalElseCredit { days: None };
    let credit = quote(&sale, &ledger, &ask).unwrap();
    assert!(credit.shortfall.is_zero());
    assert_eq!(credit.allocations[0].form, PayoutForm::CreditInstead);
    assert_eq!(credit.allocations[1].form, PayoutForm::Original);
}

/// SET-20: on a full return the credit notes sum to the invoice, rate by rate, and the difference
/// to a recomputed tax is named.
#[test]
fn credit_notes_of_a_full_return_mirror_the_invoice() {
    for seed in 0..cases(2_000) {
        let random = &mut Random(seed ^ 0x20);
        let sale = crate::sales::sale(random);
        let mut ledger = MoneyLedger::open(&sale);
        let invoice = TaxDocument::of_sale(&sale).unwrap();
        let mut sums: std::collections::BTreeMap<_, (i64, i64)> = std::collections::BTreeMap::new();
        let (mut net, mut tax, mut gross) = (0, 0, 0);
        for last in [false, true] {
            let mut ask = request();
            for (position, found) in sale.lines().enumerate() {
                let left = ledger.units_left(&line_id(position)).unwrap().steps();
                let n = if last { left } else { random.within(0, left) };
                let units = Quantity::new(n, found.ordered.quantity.unit()).unwrap();
                ask.lines.push(LineRefund { line: line_id(position), claim: Claim::Units(units) });
            }
            if last {
                for charge in sale.charges() {
                    let charge = charge.charged.id.clone();
                    ask.charges.push(ChargeRefund { charge, claim: ChargeClaim::Full });
                }
            }
            let settlement = quote(&sale, &ledger, &ask).unwrap();
            ledger.apply(&settlement);
            let documents = TaxDocuments::of(&settlement).unwrap();
            assert!(documents.invoice.groups.is_empty());
            let note = documents.credit_note;
            for group in &note.groups {
                let sum = sums.entry((group.code.clone(), group.rate)).or_default();
                *sum = (sum.0 + group.net.minor(), sum.1 + group.tax.minor());
            }
            assert_eq!(note.net.minor() + note.tax.minor(), note.gross.minor());
            (net, tax, gross) =
                (net + note.net.minor(), tax + note.tax.minor(), gross + note.gross.minor());
        }
        assert_eq!(
            (net, tax, gross),
            (invoice.net.minor(), invoice.tax.minor(), invoice.gross.minor())
        );
        for group in &invoice.groups {
            let sum = sums[&(group.code.clone(), group.rate)];
            assert_eq!(sum, (group.net.minor(), group.tax.minor()));
        }
    }
}

#[test]
fn a_fee_is_credited_or_invoiced_as_its_tax_treatment_says() {
    let sale = of(&[(1, "119.00")]);
    let ledger = MoneyLedger::open(&sale);
    let mut ask = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
    let fee =
        Deduction { line: Some(line_id(0)), ..flat(DeductionKind::RestockingFee, eur("11.90")) };
    let documents = |tax| {
        let ask =
            RefundRequest { deductions: vec![Deduction { tax, ..fee.clone() }], ..ask.clone() };
        let settlement = quote(&sale, &ledger, &ask).unwrap();
        assert_eq!(settlement.total, eur("107.10"));
        let documents = TaxDocuments::of(&settlement).unwrap();
        (documents.credit_note.tax, documents.invoice.tax)
    };
    assert_eq!(documents(TaxTreatment::ReducesBase), (eur("17.10"), eur("0.00")));
    let code = TaxCode::new("VAT").unwrap();
    let separate = TaxTreatment::SeparateSupply { code, rate: "0.19".parse().unwrap() };
    assert_eq!(documents(separate), (eur("19.00"), eur("1.90")));
    assert_eq!(documents(TaxTreatment::Outside), (eur("19.00"), eur("0.00")));
    ask.lines.clear();
    assert!(quote(&sale, &ledger, &ask).unwrap().entries.is_empty());
}

/// SET-21: cash rounding is a last entry of its own, touches neither lines nor tax, and says whether
/// the total or the change is rounded.
#[test]
fn cash_is_rounded_last_and_apart() {
    let mut draft = draft(&[(1, "9.97")]);
    draft.total = eur("9.97");
    draft.tenders.push(Tender { kind: TenderKind::Cash, ..card("till", eur("9.97")) });
    let sale = Sale::freeze(draft).unwrap();
    let ledger = MoneyLedger::open(&sale);
    let mut ask = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
    let plain = quote(&sale, &ledger, &ask).unwrap();
    ask.cash = Some(CashRounding { step: 5, rounding: Rounding::HalfUp, on: CashBasis::Total });
    let rounded = quote(&sale, &ledger, &ask).unwrap();
    assert_eq!(rounded.total, eur("9.95"));
    assert!(ledger.admits(&rounded));
    assert_eq!(rounded.entries[..1], plain.entries[..]);
    let last = rounded.entries.last().unwrap();
    assert_eq!(
        (last.kind, last.gross, last.taxes.len()),
        (EntryKind::CashRounding, eur("-0.02"), 0)
    );
    assert_eq!(rounded.allocations[0].amount, eur("9.97"));
    assert_eq!(rounded.allocations[0].rounding, Some(eur("-0.02")));
    // The customer owes 9.95 and hands over 20.00; coins of 0.10. Total up: 10.00. Change up: 10.10
    // back, so 9.90.
    let owed = |on| {
        let price = Paid { gross: eur("9.95"), taxes: vec![] };
        let mut ask = RefundRequest { ..request() };
        ask.outgoing.push(exchange(5, 1, OutgoingPrice::Own(price)));
        ask.cash = Some(CashRounding { step: 10, rounding: Rounding::HalfUp, on });
        let settlement = quote(&sale, &ledger, &ask).unwrap();
        let sum: i64 = settlement.entries.iter().map(|entry| entry.gross.minor()).sum();
        assert_eq!(sum, 0);
        settlement.due
    };
    assert_eq!(owed(CashBasis::Total), eur("10.00"));
    assert_eq!(owed(CashBasis::Change { handed_over: eur("20.00") }), eur("9.90"));
}

/// Found by random stories: what is owed was rounded down to nothing, and the total fell below zero.
#[test]
fn a_cent_owed_in_cash_is_rounded_to_nothing() {
    let mut draft = draft(&[(1, "9.97")]);
    draft.total = eur("9.97");
    draft.tenders.push(Tender { kind: TenderKind::Cash, ..card("till", eur("9.97")) });
    let sale = Sale::freeze(draft).unwrap();
    let ledger = MoneyLedger::open(&sale);
    let price = Paid { gross: eur("0.01"), taxes: vec![] };
    let mut ask = RefundRequest { ..request() };
    ask.outgoing.push(exchange(5, 1, OutgoingPrice::Own(price)));
    ask.cash = Some(CashRounding { step: 5, rounding: Rounding::HalfUp, on: CashBasis::Total });
    let settlement = quote(&sale, &ledger, &ask).unwrap();
    assert_eq!((settlement.total, settlement.due), (eur("0.00"), eur("0.00")));
    let sum: i64 = settlement.entries.iter().map(|entry| entry.gross.minor()).sum();
    assert_eq!(sum, 0);
}

/// SET-22: a refusal names everything that stands in the way, with the numbers.
#[test]
fn a_refusal_names_everything() {
    let mut draft = draft(&[(2, "10.00"), (1, "5.00")]);
    draft.charges.push(ChargeDraft {
        id: ChargeId::new("freight").unwrap(),
        kind: ChargeKind::Freight,
        amount: eur("4.90"),
        standard: None,
        taxes: vec![],
    });
    let sale = by_card(draft);
    let ledger = MoneyLedger::open(&sale);
    let freight = ChargeId::new("freight").unwrap();
    let mut ask = request();
    ask.lines = vec![
        pieces(0, 3),
        pieces(0, 1),
        amount(1, eur("5.01")),
        pieces(8, 1),
        LineRefund {
            line: line_id(1),
            claim: Claim::Component {
                sku: Sku::new("LID").unwrap(),
                units: Quantity::pieces(1).unwrap(),
            },
        },
    ];
    let charge = |claim| ChargeRefund { charge: freight.clone(), claim };
    ask.charges = vec![charge(ChargeClaim::Amount(eur("9.00"))), charge(ChargeClaim::Full)];
    ask.goodwill.push(Goodwill {
        line: None,
        amount: eur("-1.00"),
        form: GoodwillForm::Refund,
        rule: rule("sorry"),
    });
    let share = DeductionAmount::Share("1.5".parse().unwrap());
    ask.deductions = vec![
        Deduction { line: Some(line_id(9)), ..flat(DeductionKind::CardFee, eur("1.00")) },
        Deduction { amount: share, ..flat(DeductionKind::CardFee, eur("1.00")) },
        Deduction {
            amount: DeductionAmount::Tiers { days: 3, tiers: vec![] },
            ..flat(DeductionKind::CardFee, eur("1.00"))
        },
    ];
    ask.outgoing = vec![
        exchange(0, 1, OutgoingPrice::Own(paid("1.00", "0.10"))),
        exchange(5, 0, OutgoingPrice::EvenWith(line_id(8))),
        exchange(6, 1, OutgoingPrice::EvenWith(line_id(7))),
        exchange(4, 1, OutgoingPrice::Own(paid("1.00", "1.01"))),
    ];
    let nobody = TenderId::new("nobody").unwrap();
    ask.tenders = TenderPolicy::SelectedThenSpill(vec![nobody.clone()]);
    ask.cash = Some(CashRounding { step: 0, rounding: Rounding::HalfUp, on: CashBasis::Total });
    let count = |n| Quantity::pieces(n).unwrap();
    assert_eq!(
        violations(&sale, &ledger, &ask),
        [
            Violation::ExceedsUnits { line: line_id(0), asked: count(3), left: count(2) },
            Violation::LineTwice { line: line_id(0) },
            Violation::ExceedsAmount { line: line_id(1), asked: eur("5.01"), left: eur("5.00") },
            Violation::UnknownLine { line: line_id(8) },
            Violation::LineTwice { line: line_id(1) },
            Violation::UnknownComponent { line: line_id(1), sku: Sku::new("LID").unwrap() },
            Violation::ExceedsCharge {
                charge: freight.clone(),
                asked: eur("9.00"),
                left: eur("4.90")
            },
            Violation::ChargeTwice { charge: freight },
            Violation::Negative { what: "goodwill", amount: eur("-1.00") },
            Violation::NotRefundedHere { line: line_id(9) },
            Violation::OutOfRange {
                what: "share of a deduction",
                value: "1.5".parse().unwrap(),
                max: 1
            },
            Violation::BadTiers,
            Violation::LineExists { line: line_id(0) },
            Violation::NothingGoesOut { line: line_id(5) },
            Violation::NotRefundedHere { line: line_id(7) },
            Violation::TaxTooLarge { line: line_id(4), tax: eur("1.01"), gross: eur("1.00") },
            Violation::UnknownTender { tender: nobody },
            Violation::BadCashStep { step: 0 },
        ]
    );
}

/// SET-23: amounts of another currency are refused; nothing is converted. What the host gives in the
/// tender's own currency goes back in it.
#[test]
fn nothing_is_converted() {
    let sale = of(&[(1, "10.00")]);
    let ledger = MoneyLedger::open(&sale);
    let dollars = Money::parse("1.00", Currency::USD).unwrap();
    let ask = RefundRequest { lines: vec![amount(0, dollars)], ..request() };
    let what = "refund on a line";
    assert_eq!(
        violations(&sale, &ledger, &ask),
        [Violation::WrongCurrency { what, amount: dollars }]
    );
    let mut draft = draft(&[(3, "10.00")]);
    draft.total = eur("30.00");
    draft.tenders.push(Tender {
        in_kind: Some(Money::parse("32.47", Currency::USD).unwrap()),
        ..card("card", eur("30.00"))
    });
    let sale = Sale::freeze(draft).unwrap();
    let mut ledger = MoneyLedger::open(&sale);
    let settled: Vec<String> = (0..3)
        .map(|_| refund(&sale, &mut ledger, vec![pieces(0, 1)]).allocations[0].in_kind.unwrap())
        .map(|money| money.to_string())
        .collect();
    assert_eq!(settled, ["10.82 USD", "10.83 USD", "10.82 USD"]);
}

/// Two gift sets of 29.99: a cup (weight 2) and two spoons (weight 1 together).
fn kits() -> Sale {
    let mut draft = draft(&[(2, "29.99")]);
    let component = |sku: &str, count, weight| ComponentDraft {
        sku: Sku::new(sku).unwrap(),
        quantity: Quantity::pieces(count).unwrap(),
        weight,
    };
    draft.lines[0].components = vec![component("CUP", 1, 2), component("SPOON", 2, 1)];
    by_card(draft)
}

fn component(sku: &str, count: i64) -> LineRefund {
    let claim =
        Claim::Component { sku: Sku::new(sku).unwrap(), units: Quantity::pieces(count).unwrap() };
    LineRefund { line: line_id(0), claim }
}

/// SET-24: the components of a kit sum to its price, and a kit is back only when all of them are.
#[test]
fn a_component_of_a_kit_comes_back_alone() {
    let sale = kits();
    let mut ledger = MoneyLedger::open(&sale);
    let spoon = refund(&sale, &mut ledger, vec![component("SPOON", 1)]);
    assert_eq!(spoon.total, eur("5.00")); // 19.99 over four spoons
    assert_eq!(ledger.units_left(&line_id(0)), Some(Quantity::pieces(1).unwrap()));
    let kit = refund(&sale, &mut ledger, vec![pieces(0, 1)]);
    assert_eq!(kit.entries.len(), 2);
    let over = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
    assert_eq!(violations(&sale, &ledger, &over).len(), 1, "a spoon of the second kit is gone");
    let rest = refund(&sale, &mut ledger, vec![component("CUP", 1), component("SPOON", 1)]);
    let sum = spoon.total.minor() + kit.total.minor() + rest.total.minor();
    assert_eq!(sum, eur("59.98").minor());
    assert!(ledger.refundable().is_zero());
}

/// SET-25: the shares of liability of a cost sum to it, and no more is claimed than a share.
#[test]
fn recovery_never_exceeds_the_attributed_cost() {
    let debtor = |id: &str| DebtorId::new(id).unwrap();
    let shares = [
        (debtor("supplier"), "0.333".parse().unwrap()),
        (debtor("carrier"), "0.333".parse().unwrap()),
        (debtor("packer"), "0.334".parse().unwrap()),
    ];
    let mut recovery = Recovery::attribute(eur("100.00"), &shares).unwrap();
    let sum: i64 = recovery.parts().iter().map(|part| part.cost.minor()).sum();
    assert_eq!(sum, 10_000);
    assert_eq!(recovery.open(&debtor("packer")), Some(eur("33.40")));
    recovery.claim(&debtor("packer"), eur("30.00")).unwrap();
    let over = recovery.claim(&debtor("packer"), eur("3.41"));
    let (asked, open) = (eur("3.41"), eur("3.40"));
    assert_eq!(over, Err(RecoveryRefused::ExceedsCost { debtor: debtor("packer"), asked, open }));
    assert_eq!(
        Recovery::attribute(eur("1.00"), &shares[..2]),
        Err(RecoveryRefused::NotWhole { sum: "0.666".parse().unwrap() })
    );
    let text = serde_json::to_string(&recovery).unwrap();
    assert_eq!(serde_json::from_str::<Recovery>(&text).unwrap(), recovery);
    assert!(serde_json::from_str::<Recovery>(&text.replace("30.00", "33.41")).is_err());
}

/// SET-27: a stored ledger whose numbers cannot be is refused; nothing stored makes a quote panic.
#[test]
fn an_unsound_ledger_is_refused() {
    let sale = of(&[(2, "10.00")]);
    let mut ledger = MoneyLedger::open(&sale);
    refund(&sale, &mut ledger, vec![pieces(0, 1)]);
    let text = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<MoneyLedger>(&text).unwrap(), ledger);
    for (from, to) in [
        ("\"gross\":1000", "\"gross\":2001"),
        ("\"gross\":1000", "\"gross\":-1"),
        ("\"units\":1", "\"units\":3"),
        ("\"refunded\":1000", "\"refunded\":2001"),
        ("\"currency\":\"EUR\",\"lines\"", "\"currency\":\"USD\",\"lines\""),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(serde_json::from_str::<MoneyLedger>(&changed).is_err(), "{to}");
    }
    let other = {
        let mut draft = draft(&[(2, "10.00")]);
        draft.order = aftersale::id::OrderId::new("SO-2").unwrap();
        by_card(draft)
    };
    let foreign = vec![Violation::ForeignLedger { order: other.order().clone() }];
    assert_eq!(violations(&other, &ledger, &request()), foreign);
    // A settlement of another order, or twice the same: noted without a panic, nothing to pay left.
    let settlement =
        quote(&sale, &ledger, &RefundRequest { lines: vec![pieces(0, 1)], ..request() });
    let settlement = settlement.unwrap();
    for _ in 0..3 {
        ledger.apply(&settlement);
    }
    assert!(!ledger.refundable().is_negative());
    let again = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
    assert!(quote(&sale, &ledger, &again).is_err());
    for _ in 0..9 {
        ledger.release(&settlement);
    }
    let _ = quote(&sale, &ledger, &again);
}

#[test]
fn deductions_come_in_their_order_and_stop_at_zero() {
    let sale = of(&[(1, "100.00")]);
    let ledger = MoneyLedger::open(&sale);
    let share = |kind, text: &str| Deduction {
        amount: DeductionAmount::Share(text.parse().unwrap()),
        line: Some(line_id(0)),
        ..flat(kind, eur("0.00"))
    };
    let mut ask = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
    ask.deductions = vec![
        flat(DeductionKind::CardFee, eur("90.00")),
        Deduction { cap: Some(eur("12.00")), ..share(DeductionKind::RestockingFee, "0.15") },
        share(DeductionKind::DiminishedValue, "0.30"),
    ];
    let settlement = quote(&sale, &ledger, &ask).unwrap();
    let taken: Vec<(EntryKind, Money)> =
        settlement.entries.iter().skip(1).map(|entry| (entry.kind, entry.gross)).collect();
    assert_eq!(
        taken,
        [
            (EntryKind::DiminishedValue, eur("-30.00")),
            (EntryKind::RestockingFee, eur("-12.00")),
            (EntryKind::CardFee, eur("-58.00")), // 90.00 wanted, 58.00 left
        ]
    );
    assert!(settlement.total.is_zero() && settlement.due.is_zero());
    // An excess that is charged becomes an explicit amount due.
    ask.deductions[0].excess = Excess::Charge;
    let charged = quote(&sale, &ledger, &ask).unwrap();
    assert_eq!((charged.total, charged.due), (eur("0.00"), eur("32.00")));
    assert_eq!(charged.entries.last().unwrap().kind, EntryKind::CustomerPays);
}

#[test]
fn diminished_value_is_zero_where_the_basis_does_not_permit_it() {
    let sale = of(&[(1, "100.00")]);
    let mut ask = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
    ask.deductions.push(Deduction {
        standing: Standing::NotPermitted,
        ..flat(DeductionKind::DiminishedValue, eur("30.00"))
    });
    let settlement = quote(&sale, &MoneyLedger::open(&sale), &ask).unwrap();
    assert_eq!(settlement.total, eur("100.00"));
    assert_eq!(settlement.entries[1].basis, Basis::NotPermitted);
    assert_eq!(settlement.findings()[1].effect, Effect::Passes);
}

#[test]
fn a_restocking_fee_grows_by_tiers() {
    let sale = of(&[(1, "100.00")]);
    let tier = |up_to_days, share: &str| Tier { up_to_days, share: share.parse().unwrap() };
    let tiers = vec![tier(7, "0"), tier(14, "0.10"), tier(30, "0.25")];
    let kept = |days| {
        let mut ask = RefundRequest { lines: vec![pieces(0, 1)], ..request() };
        let amount = DeductionAmount::Tiers { days, tiers: tiers.clone() };
        ask.deductions
            .push(Deduction { amount, ..flat(DeductionKind::RestockingFee, eur("0.00")) });
        quote(&sale, &MoneyLedger::open(&sale), &ask).unwrap().total
    };
    let refunds = [7, 8, 14, 15, 30, 99].map(kept);
    assert_eq!(refunds, ["100", "90", "90", "75", "75", "75"].map(eur));
}

#[test]
fn goodwill_as_credit_needs_no_tender_and_as_refund_it_does() {
    let sale = of(&[(1, "100.00")]);
    let mut ledger = MoneyLedger::open(&sale);
    refund(&sale, &mut ledger, vec![pieces(0, 1)]);
    let give = |form| {
        let mut ask = request();
        let amount = eur("10.00");
        ask.goodwill.push(Goodwill { line: None, amount, form, rule: rule("sorry") });
        quote(&sale, &ledger, &ask).unwrap()
    };
    let refund = give(GoodwillForm::Refund);
    assert_eq!((refund.total, refund.shortfall), (eur("10.00"), eur("10.00")));
    let credit = give(GoodwillForm::StoreCredit);
    assert!(credit.shortfall.is_zero());
    assert_eq!(credit.allocations[0].form, PayoutForm::NewCredit);
    assert_eq!(credit.allocations[0].tender, None);
}

#[test]
fn freight_goes_back_by_the_basis_of_the_return() {
    let mut draft = draft(&[(2, "30.00"), (1, "10.00")]);
    draft.charges.push(ChargeDraft {
        id: ChargeId::new("express").unwrap(),
        kind: ChargeKind::Freight,
        amount: eur("12.00"),
        standard: Some(eur("4.90")),
        taxes: vec![vat("0.19")],
    });
    let sale = by_card(draft);
    let ledger = MoneyLedger::open(&sale);
    let freight_for = |lines: Vec<LineRefund>, rule| {
        let charges = freight(&sale, &ledger, &lines, rule);
        let ask = RefundRequest { lines, charges, ..request() };
        quote(&sale, &ledger, &ask).unwrap().sum_of(EntryKind::Charge).unwrap()
    };
    let all = || vec![pieces(0, 2), pieces(1, 1)];
    let part = || vec![pieces(0, 2)];
    assert_eq!(freight_for(all(), FreightRule::WholeOrderStandard), eur("4.90"));
    assert_eq!(freight_for(part(), FreightRule::WholeOrderStandard), eur("0.00"));
    assert_eq!(freight_for(all(), FreightRule::WholeOrderFull), eur("12.00"));
    assert_eq!(freight_for(part(), FreightRule::Always), eur("12.00"));
    assert_eq!(freight_for(all(), FreightRule::Never), eur("0.00"));
}

#[test]
fn an_advance_replacement_never_matched_is_charged_and_refunded_when_the_original_comes() {
    let sale = of(&[(1, "80.00")]);
    let mut ledger = MoneyLedger::open(&sale);
    let mut ask = request();
    ask.outgoing.push(Outgoing {
        kind: OutgoingKind::AdvanceReplacement,
        ..exchange(1, 1, OutgoingPrice::Own(paid("80.00", "12.77")))
    });
    let charge = quote(&sale, &ledger, &ask).unwrap();
    assert_eq!(charge.due, eur("80.00"));
    ledger.apply(&charge);
    ledger.capture(&card("card", charge.due));
    assert_eq!(ledger.refundable(), eur("160.00"));
    assert_eq!(refund(&sale, &mut ledger, vec![pieces(1, 1)]).total, eur("80.00"));
    assert_eq!(ledger.refundable(), eur("80.00"));
}

#[test]
fn price_protection_is_money_without_goods() {
    let sale = of(&[(3, "100.00")]);
    let mut ledger = MoneyLedger::open(&sale);
    let two = Quantity::pieces(2).unwrap();
    let claim = price_protection(&ledger, &line_id(0), two, eur("85.00")).unwrap().unwrap();
    assert_eq!(refund(&sale, &mut ledger, vec![claim]).total, eur("30.00"));
    let dearer = price_protection(&ledger, &line_id(0), two, eur("120.00")).unwrap().unwrap();
    assert_eq!(dearer.claim, Claim::Amount(eur("0.00")));
    let four = Quantity::pieces(4).unwrap();
    assert_eq!(price_protection(&ledger, &line_id(0), four, eur("1.00")), Ok(None));
    assert_eq!(refund(&sale, &mut ledger, vec![pieces(0, 3)]).total, eur("270.00"));
}

#[test]
fn every_entry_says_why() {
    let sale = of(&[(3, "33.33")]);
    let settlement = refund(&sale, &mut MoneyLedger::open(&sale), vec![pieces(0, 1)]);
    let finding = settlement.entries[0].finding();
    assert_eq!(
        finding.to_string(),
        "rule `unit_ladder` sets (line L0): 99.99 EUR observed, 33.33 EUR required"
    );
    assert_eq!(settlement.entries[0].target, Target::Line(line_id(0)));
}
