//! Random sales, valid by construction, from a seed: shared by the tests of money.

#![allow(dead_code, reason = "every user of this module needs a part of it")]

use std::collections::BTreeSet;

use aftersale::id::{OrderId, OrderLineId, PromotionId, Sku, TenderId};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Exact;
use aftersale::quantity::{Quantity, Unit};
use aftersale::sale::Sale;
use aftersale::sale::draft::{
    ChargeDraft, ChargeId, ChargeKind, LineDiscount, LineDraft, OrderDiscount, PriceBasis,
    SaleDraft, TaxCode, TaxDraft, TaxTotal, Tender, TenderKind, WeightBase,
};
use aftersale::sale::fault::SaleFault;
use aftersale::time::Instant;

/// SplitMix64: the same numbers from the same seed on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `low..=high`.
    pub(crate) fn within(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low + 1) as u64) as i64
    }

    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.within(1, 100) <= percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.within(0, of.len() as i64 - 1) as usize]
    }
}

pub(crate) fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

pub(crate) fn line_id(position: usize) -> OrderLineId {
    OrderLineId::new(format!("L{position}")).unwrap()
}

/// How many cases to run: `AFTERSALE_CASES`, or what is given.
pub(crate) fn cases(usual: u64) -> u64 {
    std::env::var("AFTERSALE_CASES").map_or(usual, |text| text.parse().unwrap())
}

/// A draft whose total is stated as it comes out, with tenders that paid `percent` of it.
pub(crate) fn with_total(mut draft: SaleDraft, tenders: &[(TenderKind, i64)]) -> Option<Sale> {
    draft.tenders.clear();
    draft.total = Money::zero(draft.currency);
    let total = match Sale::freeze(draft.clone()) {
        Ok(_) => Money::zero(draft.currency),
        Err(refused) => match refused.faults.as_slice() {
            [SaleFault::TotalDiffers { found, .. }] => *found,
            _ => return None,
        },
    };
    draft.total = total;
    let weights: Vec<i64> = tenders.iter().map(|tender| tender.1).collect();
    if !tenders.is_empty() {
        let parts = total.allocate(&weights).unwrap();
        for (position, ((kind, _), captured)) in tenders.iter().zip(parts).enumerate() {
            draft.tenders.push(Tender {
                id: TenderId::new(format!("T{position}")).unwrap(),
                kind: *kind,
                captured,
                in_kind: None,
                refunded_outside: None,
                refundable_until: None,
            });
        }
    }
    Some(Sale::freeze(draft).unwrap())
}

fn currency(random: &mut Random) -> Currency {
    random.pick(&[Currency::EUR, Currency::CNY, Currency::JPY, Currency::KWD, Currency::USD])
}

fn tax(code: &str, rate: &str) -> TaxDraft {
    TaxDraft { code: TaxCode::new(code).unwrap(), rate: rate.parse().unwrap(), amount: None }
}

fn taxes(random: &mut Random) -> Vec<TaxDraft> {
    match random.within(0, 5) {
        0 => vec![],
        1 => vec![tax("VAT", "0.07")],
        2 => vec![tax("GST", "0.05"), tax("PST", "0.09975")],
        3 => vec![tax("VAT", "0.13")],
        _ => vec![tax("VAT", "0.19")],
    }
}

pub(crate) fn empty_draft(currency: Currency) -> SaleDraft {
    SaleDraft {
        order: OrderId::new("SO-1").unwrap(),
        version: 1,
        customer: None,
        payer: None,
        channel: None,
        buyer_tier: None,
        country: None,
        currency,
        placed_at: at("2026-03-02T09:00:00Z"),
        prices: PriceBasis::TaxIncluded,
        discount_weights: WeightBase::Gross,
        lines: vec![],
        kits: vec![],
        discounts: vec![],
        promotions: vec![],
        free_delivery: None,
        charges: vec![],
        tax_totals: vec![],
        tenders: vec![],
        shipments: vec![],
        total: Money::zero(currency),
    }
}

pub(crate) fn line(position: usize, quantity: Quantity, unit_price: Exact) -> LineDraft {
    LineDraft {
        id: line_id(position),
        sku: Sku::new(format!("SKU-{position}")).unwrap(),
        tags: BTreeSet::new(),
        quantity,
        unit_price,
        list: None,
        discounts: vec![],
        taxes: vec![],
        components: vec![],
    }
}

/// One to thirty lines, all tax and discount shapes, currencies of no, two and three decimals.
pub(crate) fn sale(random: &mut Random) -> Sale {
    loop {
        if let Some(sale) = try_sale(random) {
            return sale;
        }
    }
}

fn try_sale(random: &mut Random) -> Option<Sale> {
    let currency = currency(random);
    let mut draft = empty_draft(currency);
    draft.prices = random.pick(&[PriceBasis::TaxIncluded, PriceBasis::TaxExcluded]);
    draft.discount_weights = random.pick(&[WeightBase::Gross, WeightBase::Net]);
    // Small orders are common, large ones are not.
    let most = if random.chance(10) { 30 } else { 4 };
    let one = 10_i64.pow(currency.minor_digits().into());
    for position in 0..random.within(1, most) as usize {
        draft.lines.push(random_line(random, position, currency, one));
    }
    let mut open: i64 = draft.lines.iter().map(|line| worth(line, currency)).sum();
    for discount in 0..random.within(0, 2) {
        let amount = random.within(0, (open / 3).max(0));
        open -= amount;
        let lines = if random.chance(70) {
            BTreeSet::new()
        } else {
            let some = draft.lines.iter().filter(|_| random.chance(50));
            some.map(|line| line.id.clone()).collect()
        };
        draft.discounts.push(OrderDiscount {
            promotion: Some(PromotionId::new(format!("P{discount}")).unwrap()),
            amount: Money::new(amount, currency),
            lines,
        });
    }
    for charge in 0..random.within(0, 2) {
        draft.charges.push(ChargeDraft {
            id: ChargeId::new(format!("C{charge}")).unwrap(),
            kind: random.pick(&[ChargeKind::Freight, ChargeKind::GiftWrap]),
            amount: Money::new(random.within(0, 20 * one), currency),
            standard: None,
            taxes: taxes(random),
        });
    }
    if random.chance(15) {
        // An invoice that states its tax by rate: the lines share it.
        let code = TaxCode::new("VAT").unwrap();
        let rate: Exact = "0.19".parse().unwrap();
        let amount = Money::new(random.within(0, (open / 8).max(0)), currency);
        draft.tax_totals.push(TaxTotal { code, rate, amount });
    }
    let kinds = [TenderKind::Card, TenderKind::Wallet, TenderKind::GiftCard, TenderKind::Points];
    let tenders: Vec<(TenderKind, i64)> =
        (0..random.within(1, 3)).map(|_| (random.pick(&kinds), random.within(1, 9))).collect();
    with_total(draft, &tenders)
}

fn random_line(random: &mut Random, position: usize, currency: Currency, one: i64) -> LineDraft {
    let quantity = if random.chance(10) {
        Quantity::new(random.within(1, 5_000), Unit::known("kg").unwrap()).unwrap()
    } else {
        Quantity::pieces(if random.chance(70) { random.within(1, 4) } else { random.within(1, 50) })
            .unwrap()
    };
    let minor = match random.within(0, 9) {
        0 => 0,
        1 => random.within(1, 9),
        2 => random.within(1, 100_000 * one),
        _ => random.within(1, 200 * one),
    };
    // A tenth of the prices is finer than the currency.
    let finer = random.chance(10);
    let scale = u32::from(currency.minor_digits()) + u32::from(finer);
    let price = rust_decimal::Decimal::from_i128_with_scale(minor.into(), scale);
    let mut line = line(position, quantity, Exact::new(price));
    line.taxes = taxes(random);
    if random.chance(20) {
        let most = worth(&line, currency);
        let amount = if random.chance(10) { most } else { random.within(0, most) };
        let amount = Money::new(amount, currency);
        line.discounts.push(LineDiscount { promotion: None, amount });
    }
    line
}

/// What a line costs before order discounts, in minor units.
fn worth(line: &LineDraft, currency: Currency) -> i64 {
    let exact = line.unit_price.decimal() * line.quantity.amount();
    let list = Money::rounded(exact, currency, aftersale::number::Rounding::HalfUp).unwrap();
    list.minor() - line.discounts.iter().map(|discount| discount.amount.minor()).sum::<i64>()
}
