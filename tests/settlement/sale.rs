//! The snapshot of an order: frozen once to the cent, or refused with every fault.

use std::collections::BTreeSet;

use crate::sales::{Random, at, cases, empty_draft, line, line_id, with_total};
use aftersale::id::{LotId, OrderLineId, ParcelId, PromotionId, SerialId, Sku, TenderId};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Exact;
use aftersale::quantity::{Quantity, Unit};
use aftersale::sale::Sale;
use aftersale::sale::draft::{
    ChargeDraft, ChargeId, ChargeKind, ComponentDraft, LineDiscount, LotPart, OrderDiscount,
    PriceBasis, SaleDraft, Shipment, ShippedLine, TaxCode, TaxDraft, TaxTotal, Tender, TenderKind,
    WeightBase,
};
use aftersale::sale::fault::{Place, SaleFault};
use aftersale::sale::promotion::{FreeDelivery, Off, PromotionRule, PromotionTerms, ThresholdStep};
use proptest::prelude::*;

fn eur(text: &str) -> Money {
    Money::parse(text, Currency::EUR).unwrap()
}

fn pieces(count: i64) -> Quantity {
    Quantity::pieces(count).unwrap()
}

fn vat(rate: &str) -> TaxDraft {
    TaxDraft { code: TaxCode::new("VAT").unwrap(), rate: rate.parse().unwrap(), amount: None }
}

/// Two jackets at 50.00 and socks at 4.00, paid by card.
fn draft() -> SaleDraft {
    let mut draft = empty_draft(Currency::EUR);
    draft.lines = vec![
        line(0, pieces(2), "50.00".parse().unwrap()),
        line(1, pieces(1), "4.00".parse().unwrap()),
    ];
    draft.lines[0].taxes.push(vat("0.19"));
    draft.total = eur("104.00");
    draft.tenders.push(Tender {
        id: TenderId::new("card").unwrap(),
        kind: TenderKind::Card,
        captured: eur("104.00"),
        in_kind: None,
        refunded_outside: None,
        refundable_until: None,
    });
    draft
}

fn faults(draft: SaleDraft) -> Vec<SaleFault> {
    Sale::freeze(draft).unwrap_err().faults
}

/// One change to a sound draft brings exactly one fault.
fn one_fault(change: impl FnOnce(&mut SaleDraft)) -> SaleFault {
    let mut draft = draft();
    change(&mut draft);
    let mut found = faults(draft);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn place(position: usize) -> Place {
    Place::Line(line_id(position))
}

/// SAL-1: lines and charges, tax included, sum exactly to the stated total, and net plus tax is gross
/// everywhere.
/// SAL-2: the shares of an order discount sum exactly to it, and no line falls below zero.
/// SAL-3: a tax is within half a minor unit of its rate, or the lines sum to the stated tax total.
/// SAL-5: a sale read back from its wire form is the same sale.
#[test]
fn a_frozen_sale_adds_up() {
    for seed in 0..cases(3_000) {
        let random = &mut Random(seed ^ 0x5A);
        let sale = crate::sales::sale(random);
        let draft = sale.draft();
        let lines: i64 = sale.lines().map(|line| line.frozen.paid.gross.minor()).sum();
        let charges: i64 = sale.charges().map(|charge| charge.paid.gross.minor()).sum();
        assert_eq!(lines + charges, sale.total().minor());
        for (position, discount) in draft.discounts.iter().enumerate() {
            let shares = sale.lines().flat_map(|line| line.frozen.discount_shares.clone());
            let sum: i64 = shares
                .filter(|share| share.discount == position)
                .map(|share| share.amount.minor())
                .sum();
            assert_eq!(sum, discount.amount.minor(), "seed {seed}");
        }
        for line in sale.lines() {
            let paid = &line.frozen.paid;
            assert!(!paid.gross.is_negative());
            assert!(!paid.net().unwrap().is_negative());
            let own: i64 = line.ordered.discounts.iter().map(|d| d.amount.minor()).sum();
            let shares: i64 = line.frozen.discount_shares.iter().map(|s| s.amount.minor()).sum();
            let value = line.frozen.list.minor() - own - shares;
            let with_tax = match draft.prices {
                PriceBasis::TaxIncluded => value,
                PriceBasis::TaxExcluded => value + paid.tax().unwrap().minor(),
            };
            assert_eq!(paid.gross.minor(), with_tax);
            let rates: rust_decimal::Decimal =
                line.ordered.taxes.iter().map(|tax| tax.rate.decimal()).sum();
            for tax in &paid.taxes {
                let stated = |total: &&TaxTotal| total.code == tax.code && total.rate == tax.rate;
                if draft.tax_totals.iter().any(|total| stated(&total)) {
                    continue;
                }
                // value * rate (over 1 + rates when included), in minor units, times the divisor.
                let scale = rust_decimal::Decimal::from(10_u64.pow(9));
                let whole = |decimal: rust_decimal::Decimal| {
                    i128::try_from((decimal * scale).trunc()).unwrap()
                };
                let below = match draft.prices {
                    PriceBasis::TaxIncluded => whole(rust_decimal::Decimal::ONE + rates),
                    PriceBasis::TaxExcluded => whole(rust_decimal::Decimal::ONE),
                };
                let above = i128::from(value) * whole(tax.rate.decimal());
                let off = (i128::from(tax.amount.minor()) * below - above).abs();
                assert!(2 * off <= below, "seed {seed}: {tax:?} of {value}");
            }
        }
        for total in &draft.tax_totals {
            let lines = sale.lines().flat_map(|line| line.frozen.paid.taxes.clone());
            let charges = sale.charges().flat_map(|charge| charge.paid.taxes.clone());
            let taxed: Vec<_> = lines
                .chain(charges)
                .filter(|tax| tax.code == total.code && tax.rate == total.rate)
                .collect();
            let sum: i64 = taxed.iter().map(|tax| tax.amount.minor()).sum();
            assert_eq!(sum, total.amount.minor());
        }
        if seed % 50 == 0 {
            let text = serde_json::to_string(&sale).unwrap();
            assert_eq!(serde_json::from_str::<Sale>(&text).unwrap(), sale);
        }
    }
}

#[test]
fn a_discount_is_shared_by_largest_remainder_on_the_named_values() {
    let mut draft = draft();
    let lines = BTreeSet::new();
    draft.discounts.push(OrderDiscount { promotion: None, amount: eur("10.00"), lines });
    let sale = with_total(draft, &[]).unwrap();
    let shares: Vec<i64> =
        sale.lines().map(|line| line.frozen.discount_shares[0].amount.minor()).collect();
    assert_eq!(shares, [962, 38]); // 10.00 * 100 / 104 = 9.615
    assert_eq!(sale.lines().next().unwrap().frozen.paid.tax().unwrap(), eur("14.43"));
}

/// SAL-4: a snapshot that does not add up is refused with all its faults.
#[test]
fn all_faults_are_named_at_once() {
    let mut draft = draft();
    draft.version = 0;
    draft.country = Some("germany".into());
    draft.lines[0].unit_price = "-1".parse().unwrap();
    draft.lines[1].quantity = pieces(0);
    draft.lines.push(line(1, pieces(1), "1".parse().unwrap()));
    draft.total = Money::new(1, Currency::USD);
    let lines = BTreeSet::from([line_id(7)]);
    draft.discounts.push(OrderDiscount { promotion: None, amount: eur("-1.00"), lines });
    let price: Exact = "-1".parse().unwrap();
    assert_eq!(
        faults(draft),
        [
            SaleFault::VersionZero,
            SaleFault::BadCountry { country: "germany".into() },
            SaleFault::WrongCurrency { place: Place::Order, amount: Money::new(1, Currency::USD) },
            SaleFault::Negative { place: Place::Discount(0), amount: eur("-1.00") },
            SaleFault::NegativePrice { line: line_id(0), price },
            SaleFault::ZeroQuantity { line: line_id(1) },
            SaleFault::Duplicate { place: place(1) },
            SaleFault::UnknownLine { place: Place::Discount(0), line: line_id(7) },
        ]
    );
}

#[test]
fn an_order_without_lines() {
    assert_eq!(one_fault(|draft| draft.lines.clear()), SaleFault::NoLines);
}

#[test]
fn more_entries_than_an_order_can_have() {
    let found = one_fault(|draft| {
        let discount =
            OrderDiscount { promotion: None, amount: eur("0.00"), lines: BTreeSet::new() };
        draft.discounts = vec![discount; 1_001];
    });
    assert_eq!(found, SaleFault::TooMany { what: "order discounts", found: 1_001, max: 1_000 });
}

#[test]
fn a_tender_or_charge_listed_twice() {
    let found = one_fault(|draft| {
        let mut again = draft.tenders[0].clone();
        again.captured = eur("0.00");
        draft.tenders.push(again);
    });
    let card = TenderId::new("card").unwrap();
    assert_eq!(found, SaleFault::Duplicate { place: Place::Tender(card) });
}

#[test]
fn a_stated_line_amount_that_is_not_price_times_quantity() {
    let found = one_fault(|draft| draft.lines[0].list = Some(eur("100.01")));
    assert_eq!(
        found,
        SaleFault::WrongList {
            line: line_id(0),
            stated: eur("100.01"),
            price: "50".parse().unwrap(),
            quantity: pieces(2),
        }
    );
}

#[test]
fn discounts_above_the_value() {
    let discount = |amount| LineDiscount { promotion: None, amount: eur(amount) };
    let found = one_fault(|draft| draft.lines[1].discounts.push(discount("4.01")));
    let (value, discounts) = (eur("4.00"), eur("4.01"));
    assert_eq!(found, SaleFault::DiscountTooLarge { place: place(1), value, discounts });
    let found = one_fault(|draft| {
        let (amount, lines) = (eur("4.01"), BTreeSet::from([line_id(1)]));
        draft.discounts.push(OrderDiscount { promotion: None, amount, lines });
    });
    let place = Place::Discount(0);
    assert_eq!(found, SaleFault::DiscountTooLarge { place, value, discounts });
}

#[test]
fn a_rate_outside_0_to_10() {
    let rate: Exact = "10.01".parse().unwrap();
    let found = one_fault(|draft| draft.lines[0].taxes[0].rate = rate);
    assert_eq!(found, SaleFault::BadRate { place: place(0), rate });
    draft_with_rate("10");
    draft_with_rate("0");
}

fn draft_with_rate(rate: &str) {
    let mut draft = draft();
    draft.lines[0].taxes[0].rate = rate.parse().unwrap();
    assert!(Sale::freeze(draft).is_ok());
}

#[test]
fn tax_above_its_amount() {
    let found = one_fault(|draft| {
        draft.lines[1].taxes.push(TaxDraft { amount: Some(eur("4.01")), ..vat("0.19") });
    });
    let (tax, gross) = (eur("4.01"), eur("4.00"));
    assert_eq!(found, SaleFault::TaxTooLarge { place: place(1), tax, gross });
}

#[test]
fn tax_totals_that_differ_or_are_stated_in_part() {
    let (code, rate) = (TaxCode::new("VAT").unwrap(), "0.19".parse().unwrap());
    let total = TaxTotal { code: code.clone(), rate, amount: eur("15.98") };
    let found = one_fault(|draft| {
        draft.lines[0].taxes[0].amount = Some(eur("15.97"));
        draft.tax_totals.push(total.clone());
    });
    let (lines, amount) = (eur("15.97"), eur("15.98"));
    assert_eq!(
        found,
        SaleFault::TaxTotalDiffers { code: code.clone(), rate, lines, total: amount }
    );
    let found = one_fault(|draft| {
        draft.lines[0].taxes[0].amount = Some(eur("15.97"));
        draft.lines[1].taxes.push(vat("0.19"));
        draft.tax_totals.push(total);
    });
    assert_eq!(found, SaleFault::TaxPartlyStated { code, rate });
}

#[test]
fn a_total_that_differs() {
    let found = one_fault(|draft| draft.total = eur("104.01"));
    assert_eq!(found, SaleFault::TotalDiffers { found: eur("104.00"), stated: eur("104.01") });
}

#[test]
fn more_captured_than_owed_or_refunded_than_captured() {
    let found = one_fault(|draft| draft.tenders[0].captured = eur("104.01"));
    assert_eq!(found, SaleFault::OverCaptured { captured: eur("104.01"), total: eur("104.00") });
    let found = one_fault(|draft| draft.tenders[0].refunded_outside = Some(eur("104.01")));
    let tender = TenderId::new("card").unwrap();
    let (refunded, captured) = (eur("104.01"), eur("104.00"));
    assert_eq!(found, SaleFault::OverRefunded { tender: tender.clone(), refunded, captured });
    let points = Money::new(-1, Currency::with_digits("PTS", 0).unwrap());
    let found = one_fault(|draft| draft.tenders[0].in_kind = Some(points));
    assert_eq!(found, SaleFault::Negative { place: Place::Tender(tender), amount: points });
}

fn parcel(id: &str, lines: Vec<ShippedLine>) -> Shipment {
    Shipment {
        parcel: ParcelId::new(id).unwrap(),
        shipped_at: at("2026-03-03T09:00:00Z"),
        delivered_at: Some(at("2026-03-05T09:00:00Z")),
        signed_at: None,
        lines,
    }
}

fn shipped(line: OrderLineId, quantity: Quantity) -> ShippedLine {
    ShippedLine { line, quantity, lots: vec![], serials: BTreeSet::new() }
}

#[test]
fn shipments_that_cannot_be() {
    let id = ParcelId::new("A").unwrap();
    let with = |parcels: Vec<Shipment>| one_fault(|draft| draft.shipments = parcels);
    let (three, two) = (pieces(3), pieces(2));
    assert_eq!(
        with(vec![parcel("A", vec![shipped(line_id(0), three)])]),
        SaleFault::OverShipped { line: line_id(0), shipped: three, ordered: two }
    );
    assert_eq!(
        with(vec![parcel("A", vec![shipped(line_id(9), two)])]),
        SaleFault::UnknownShippedLine { parcel: id.clone(), line: line_id(9) }
    );
    assert_eq!(
        with(vec![parcel("A", vec![]), parcel("A", vec![])]),
        SaleFault::DuplicateParcel { parcel: id.clone() }
    );
    let early = Shipment { delivered_at: Some(at("2026-03-03T08:59:59Z")), ..parcel("A", vec![]) };
    assert_eq!(with(vec![early]), SaleFault::ArrivedBeforeShipped { parcel: id.clone() });
    let kilogram = Unit::known("kg").unwrap();
    let weighed = shipped(line_id(0), Quantity::new(1, kilogram).unwrap());
    assert_eq!(
        with(vec![parcel("A", vec![weighed])]),
        SaleFault::WrongUnit { line: line_id(0), expected: Unit::PIECE, found: kilogram }
    );
    assert_eq!(
        with(vec![parcel("A", vec![shipped(line_id(0), pieces(0))])]),
        SaleFault::ZeroQuantity { line: line_id(0) }
    );
    let serials = |list: &[&str]| list.iter().map(|s| SerialId::new(s).unwrap()).collect();
    let numbered =
        ShippedLine { serials: serials(&["S1", "S2"]), ..shipped(line_id(0), pieces(1)) };
    assert_eq!(
        with(vec![parcel("A", vec![numbered])]),
        SaleFault::TooManySerials {
            parcel: id.clone(),
            line: line_id(0),
            serials: 2,
            quantity: pieces(1)
        }
    );
    let once = |id| {
        let line = ShippedLine { serials: serials(&["S1"]), ..shipped(line_id(0), pieces(1)) };
        parcel(id, vec![line])
    };
    assert_eq!(
        with(vec![once("A"), once("B")]),
        SaleFault::DuplicateSerial { serial: SerialId::new("S1").unwrap() }
    );
    let lot = LotId::new("LOT-7").unwrap();
    let part = LotPart { lot: lot.clone(), quantity: pieces(2) };
    let lotted = ShippedLine { lots: vec![part], ..shipped(line_id(0), pieces(1)) };
    assert_eq!(
        with(vec![parcel("A", vec![lotted])]),
        SaleFault::TooMuchOfLots { parcel: id, line: line_id(0), lot }
    );
}

#[test]
fn amounts_too_large_to_compute_with() {
    let found = one_fault(|draft| draft.lines[0].unit_price = "92233720368547758".parse().unwrap());
    assert!(matches!(found, SaleFault::Amount { place: Place::Line(_), .. }), "{found:?}");
    let found = one_fault(|draft| {
        for line in &mut draft.lines {
            line.quantity = pieces(1);
            line.taxes.clear();
            line.unit_price = "90000000000000000".parse().unwrap();
        }
    });
    assert!(matches!(found, SaleFault::Amount { place: Place::Order, .. }), "{found:?}");
}

fn rule(terms: PromotionTerms) -> PromotionRule {
    let promotion = PromotionId::new("SPRING").unwrap();
    PromotionRule { promotion, lines: BTreeSet::new(), terms }
}

fn threshold(minimum: &str, off: &str) -> PromotionTerms {
    let off = Off::Amount(eur(off));
    PromotionTerms::Threshold(vec![ThresholdStep { minimum: eur(minimum), off }])
}

/// SAL-6: a promotion rule gives exactly the discount the sale states for it, and a gift or free
/// delivery was earned; otherwise the sale is refused.
#[test]
fn a_rule_that_does_not_give_the_stated_discount() {
    let promotion = PromotionId::new("SPRING").unwrap();
    let place = Place::Promotion(promotion.clone());
    let found = one_fault(|draft| draft.promotions.push(rule(threshold("100.00", "5.00"))));
    let (given, stated) = (eur("5.00"), eur("0.00"));
    assert_eq!(
        found,
        SaleFault::PromotionDiffers { promotion: promotion.clone(), rule: given, stated }
    );
    let found = one_fault(|draft| draft.promotions.push(rule(PromotionTerms::Threshold(vec![]))));
    assert_eq!(found, SaleFault::BadPromotion { promotion });
    let gift = |minimum: &str, line| {
        let (minimum, price) = (eur(minimum), eur("4.00"));
        rule(PromotionTerms::Gift { minimum, gift: line_id(line), price })
    };
    let found = one_fault(|draft| draft.promotions.push(gift("50.00", 1)));
    assert_eq!(found, SaleFault::GiftPaid { line: line_id(1), paid: eur("4.00") });
    let found = one_fault(|draft| draft.promotions.push(gift("50.00", 7)));
    assert_eq!(found, SaleFault::UnknownLine { place: place.clone(), line: line_id(7) });
    let found = one_fault(|draft| {
        draft.lines[1].discounts.push(LineDiscount { promotion: None, amount: eur("4.00") });
        draft.total = eur("100.00");
        draft.tenders[0].captured = eur("100.00");
        draft.promotions.push(gift("100.01", 1));
    });
    assert_eq!(found, SaleFault::BelowMinimum { place, minimum: eur("100.01") });
    let found = one_fault(|draft| {
        let (minimum, freight) = (eur("104.01"), eur("4.90"));
        draft.free_delivery = Some(FreeDelivery { minimum, freight, taxes: vec![] });
    });
    let minimum = eur("104.01");
    assert_eq!(found, SaleFault::BelowMinimum { place: Place::FreeDelivery, minimum });
}

/// SAL-7: the shares of the components of a kit sum to what was paid for it, gross and every tax.
#[test]
fn a_kit_is_worth_its_components() {
    for seed in 0..cases(2_000) {
        let random = &mut Random(seed ^ 0x57);
        let mut draft = draft();
        draft.lines[0].components = (0..random.within(1, 6))
            .map(|position| ComponentDraft {
                sku: Sku::new(format!("PART-{position}")).unwrap(),
                quantity: pieces(random.within(1, 4)),
                weight: random.within(0, 50),
            })
            .collect();
        let sale = Sale::freeze(draft).unwrap();
        let frozen = sale.at(0).unwrap().frozen;
        let gross: i64 = frozen.components.iter().map(|part| part.paid.gross.minor()).sum();
        let tax: i64 = frozen.components.iter().map(|p| p.paid.tax().unwrap().minor()).sum();
        assert_eq!(gross, frozen.paid.gross.minor());
        assert_eq!(tax, frozen.paid.tax().unwrap().minor());
        for part in &frozen.components {
            assert_eq!(part.quantity.steps(), 2 * part.per_kit.steps());
        }
    }
}

#[test]
fn kits_that_cannot_be() {
    let part = |sku: &str, quantity, weight| ComponentDraft {
        sku: Sku::new(sku).unwrap(),
        quantity: pieces(quantity),
        weight,
    };
    let bad = SaleFault::BadComponent { line: line_id(0), sku: Sku::new("CUP").unwrap() };
    for components in [
        vec![part("CUP", 0, 1)],
        vec![part("CUP", 1, -1)],
        vec![part("CUP", 1, 1), part("CUP", 1, 1)],
        vec![part("CUP", i64::MAX, 1)],
    ] {
        assert_eq!(one_fault(|draft| draft.lines[0].components = components), bad);
    }
    let found = one_fault(|draft| {
        let kilogram = Unit::known("kg").unwrap();
        draft.lines[0].quantity = Quantity::new(2_000, kilogram).unwrap();
        draft.lines[0].components = vec![part("CUP", 1, 1)];
    });
    assert_eq!(found, SaleFault::KitNotWhole { line: line_id(0) });
}

#[test]
fn charges_are_frozen_beside_the_lines() {
    let mut draft = draft();
    draft.charges.push(ChargeDraft {
        id: ChargeId::new("freight").unwrap(),
        kind: ChargeKind::Freight,
        amount: eur("4.90"),
        standard: Some(eur("3.90")),
        taxes: vec![vat("0.19")],
    });
    draft.discount_weights = WeightBase::Net;
    let sale = with_total(draft, &[]).unwrap();
    let charge = sale.charges().next().unwrap();
    assert_eq!(charge.paid.gross, eur("4.90"));
    assert_eq!(charge.paid.tax().unwrap(), eur("0.78"));
}

#[test]
fn arrivals_serials_and_lots_are_found() {
    let mut draft = draft();
    let lot = LotPart { lot: LotId::new("LOT-7").unwrap(), quantity: pieces(1) };
    let serials = BTreeSet::from([SerialId::new("S1").unwrap()]);
    let first = ShippedLine { lots: vec![lot], serials, ..shipped(line_id(0), pieces(1)) };
    let late = Shipment {
        signed_at: Some(at("2026-03-09T12:00:00Z")),
        ..parcel("B", vec![shipped(line_id(0), pieces(1))])
    };
    draft.shipments = vec![parcel("A", vec![first]), late];
    let sale = Sale::freeze(draft.clone()).unwrap();
    assert_eq!(sale.line_delivered_at(&line_id(0)), Some(at("2026-03-09T12:00:00Z")));
    assert_eq!(sale.line_delivered_at(&line_id(1)), None);
    assert_eq!(sale.delivered_at(), Some(at("2026-03-09T12:00:00Z")));
    assert!(sale.shipped_serial(&line_id(0), &SerialId::new("S1").unwrap()));
    assert!(!sale.shipped_serial(&line_id(1), &SerialId::new("S1").unwrap()));
    assert!(sale.shipped_lot(&line_id(0), &LotId::new("LOT-7").unwrap()));
    assert_eq!(sale.line(&line_id(0)).unwrap().frozen.shipped, pieces(2));
    draft.shipments[1].signed_at = None;
    draft.shipments[1].delivered_at = None;
    assert_eq!(Sale::freeze(draft).unwrap().line_delivered_at(&line_id(0)), None);
}

/// One value somewhere in a JSON tree, replaced.
fn poison(value: &mut serde_json::Value, target: &mut usize, with: &serde_json::Value) {
    if *target == 0 {
        *value = with.clone();
    }
    *target = target.wrapping_sub(1);
    match value {
        serde_json::Value::Array(list) => list.iter_mut().for_each(|v| poison(v, target, with)),
        serde_json::Value::Object(map) => map.values_mut().for_each(|v| poison(v, target, with)),
        _ => {}
    }
}

proptest! {
    /// SAL-8: a hostile snapshot gives a typed error or a sound sale, never a panic.
    #[test]
    fn hostile_snapshots_never_panic(
        seed in any::<u64>(),
        target in 0_usize..200,
        poisoned in prop_oneof![
            Just(serde_json::json!(null)),
            Just(serde_json::json!([])),
            Just(serde_json::json!({})),
            Just(serde_json::json!(-1)),
            Just(serde_json::json!(u64::MAX)),
            Just(serde_json::json!("")),
            Just(serde_json::json!("-92233720368547758.08")),
            Just(serde_json::json!("9999999999999999999999999999")),
            Just(serde_json::json!("tax_excluded")),
            Just(serde_json::json!("L1")),
            Just(serde_json::json!("EUR:6")),
            any::<i64>().prop_map(|n| serde_json::json!(n.to_string())),
        ],
    ) {
        let sale = crate::sales::sale(&mut Random(seed));
        let mut value = serde_json::to_value(&sale).unwrap();
        poison(&mut value, &mut target.clone(), &poisoned);
        if let Ok(sale) = serde_json::from_value::<Sale>(value.clone()) {
            let gross = sale.lines().map(|line| line.frozen.paid.gross);
            let charges = sale.charges().map(|charge| charge.paid.gross);
            prop_assert_eq!(Money::sum(sale.currency(), gross.chain(charges)), Ok(sale.total()));
        }
        if let Ok(draft) = serde_json::from_value::<SaleDraft>(value)
            && let Err(refused) = Sale::freeze(draft) {
                prop_assert!(!refused.faults.is_empty() && !refused.to_string().is_empty());
            }
    }
}
