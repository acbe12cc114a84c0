//! Strategies for property tests of hosts: valid values by construction, with shrinking.
//!
//! Only with the feature `proptest`, which switches the dependency on and changes nothing else.
//! Small orders come often, large ones of up to 30 lines now and then; currencies have no, two and
//! three decimals; prices include tax or do not; lines have no tax, one or two.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use chrono::TimeZone;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::id::{OrderId, OrderLineId, PromotionId, Sku, TenderId};
use crate::money::Money;
use crate::money::currency::Currency;
use crate::number::{Exact, Rounding};
use crate::quantity::{Quantity, Unit};
use crate::sale::Sale;
use crate::sale::draft::{
    ChargeDraft, ChargeId, ChargeKind, LineDraft, OrderDiscount, PriceBasis, SaleDraft, TaxCode,
    TaxDraft, Tender, TenderKind, WeightBase,
};
use crate::sale::fault::SaleFault;
use crate::settlement::request::{Claim, LineRefund, RefundRequest};
use crate::time::Instant;

/// Currencies of no, two and three decimals.
pub fn currencies() -> impl Strategy<Value = Currency> + Clone {
    select(&[Currency::EUR, Currency::CNY, Currency::USD, Currency::JPY, Currency::KWD][..])
}

/// Orders that were paid in full.
///
/// ```
/// use aftersale::{settlement::ledger::MoneyLedger, strategies::sales};
/// use proptest::prelude::*;
/// use proptest::test_runner::{TestError, TestRunner};
/// // A host's own property: what was paid can be refunded.
/// TestRunner::default().run(&sales(), |sale| {
///     prop_assert_eq!(MoneyLedger::open(&sale).refundable(), sale.total());
///     Ok(())
/// })?;
/// # Ok::<(), TestError<aftersale::sale::Sale>>(())
/// ```
pub fn sales() -> impl Strategy<Value = Sale> {
    let count = prop_oneof![8 => 1_usize..=4, 1 => 5_usize..=30];
    let lines = count.prop_flat_map(|count| vec(lines(), count));
    let parts = (currencies(), select(&[PriceBasis::TaxIncluded, PriceBasis::TaxExcluded][..]));
    let weights = select(&[WeightBase::Gross, WeightBase::Net][..]);
    let discounts = vec(0_i64..=40, 0..=2);
    let charges = vec((0_i64..5_000, taxes()), 0..=2);
    let kinds = [TenderKind::Card, TenderKind::Wallet, TenderKind::GiftCard, TenderKind::Cash];
    let tenders = vec((select(kinds.to_vec()), 1_i64..10), 1..=3);
    (parts, weights, lines, discounts, charges, tenders).prop_filter_map(
        "the order adds up",
        |((currency, prices), weights, lines, discounts, charges, tenders)| {
            let mut draft = draft(currency, prices, weights)?;
            for (position, line) in lines.into_iter().enumerate() {
                draft.lines.push(order_line(position, line, currency)?);
            }
            for (position, percent) in discounts.into_iter().enumerate() {
                draft.discounts.push(order_discount(position, percent, &draft)?);
            }
            for (position, (minor, taxes)) in charges.into_iter().enumerate() {
                draft.charges.push(ChargeDraft {
                    id: ChargeId::new(format!("charge-{position}")).ok()?,
                    kind: ChargeKind::Freight,
                    amount: Money::new(minor, currency),
                    standard: None,
                    taxes,
                });
            }
            paid(draft, &tenders)
        },
    )
}

/// Requests for some units of some lines that an untouched order can refund.
pub fn unit_refunds(sale: &Sale, at: Instant) -> impl Strategy<Value = RefundRequest> + use<> {
    let lines: Vec<(OrderLineId, Quantity)> =
        sale.lines().map(|line| (line.ordered.id.clone(), line.ordered.quantity)).collect();
    let counts: Vec<_> = lines.iter().map(|(_, quantity)| 0..=quantity.steps()).collect();
    counts.prop_map(move |counts| {
        let mut request = RefundRequest::new(at);
        for ((line, quantity), steps) in lines.iter().zip(counts) {
            if let Ok(units) = Quantity::new(steps, quantity.unit())
                && !units.is_zero()
            {
                request.lines.push(LineRefund { line: line.clone(), claim: Claim::Units(units) });
            }
        }
        request
    })
}

/// A line: pieces or grams of a kilogram price, the price in minor units, and the taxes.
type LineParts = (bool, i64, i64, Vec<TaxDraft>);

fn lines() -> impl Strategy<Value = LineParts> {
    let price =
        prop_oneof![1 => Just(0_i64), 2 => 1_i64..10, 6 => 1_i64..20_000, 1 => 1_i64..9_000_000];
    (prop::bool::weighted(0.1), 1_i64..=20, price, taxes())
}

fn taxes() -> impl Strategy<Value = Vec<TaxDraft>> {
    let known: [&[(&str, i64)]; 5] =
        [&[], &[("VAT", 1900)], &[("VAT", 700)], &[("VAT", 1300)], &[("GST", 500), ("PST", 998)]];
    select(known.to_vec()).prop_map(|taxes| {
        let tax = |&(code, rate): &(&str, i64)| {
            let rate = Exact::new(rust_decimal::Decimal::from_i128_with_scale(rate.into(), 4));
            Some(TaxDraft { code: TaxCode::new(code).ok()?, rate, amount: None })
        };
        taxes.iter().filter_map(tax).collect()
    })
}

fn draft(currency: Currency, prices: PriceBasis, weights: WeightBase) -> Option<SaleDraft> {
    Some(SaleDraft {
        order: OrderId::new("SO-1").ok()?,
        version: 1,
        customer: None,
        payer: None,
        buyer_tier: None,
        channel: None,
        country: None,
        currency,
        placed_at: chrono::Utc.with_ymd_and_hms(2026, 3, 2, 9, 0, 0).single()?,
        prices,
        discount_weights: weights,
        lines: Vec::new(),
        kits: Vec::new(),
        discounts: Vec::new(),
        promotions: Vec::new(),
        free_delivery: None,
        charges: Vec::new(),
        tax_totals: Vec::new(),
        tenders: Vec::new(),
        shipments: Vec::new(),
        total: Money::zero(currency),
    })
}

fn order_line(
    position: usize,
    (weighed, count, price, taxes): LineParts,
    currency: Currency,
) -> Option<LineDraft> {
    let quantity = if weighed {
        Quantity::new(count.checked_mul(125)?, Unit::known("kg").ok()?)
    } else {
        Quantity::pieces(count)
    };
    Some(LineDraft {
        id: OrderLineId::new(format!("{position}")).ok()?,
        sku: Sku::new(format!("ARTICLE-{position}")).ok()?,
        tags: BTreeSet::new(),
        quantity: quantity.ok()?,
        unit_price: Exact::new(Money::new(price, currency).amount()),
        list: None,
        discounts: Vec::new(),
        taxes,
        components: Vec::new(),
    })
}

/// A share of what the lines cost, at most 40 of 100, so that two discounts never pass it.
fn order_discount(position: usize, percent: i64, draft: &SaleDraft) -> Option<OrderDiscount> {
    let mut value = Money::zero(draft.currency);
    for line in &draft.lines {
        let exact = line.unit_price.decimal().checked_mul(line.quantity.amount())?;
        let list = Money::rounded(exact, draft.currency, Rounding::HalfUp).ok()?;
        value = value.checked_add(list).ok()?;
    }
    Some(OrderDiscount {
        promotion: PromotionId::new(format!("promotion-{position}")).ok(),
        amount: value.ladder(percent, 100).ok()?,
        lines: BTreeSet::new(),
    })
}

/// The sale with its total stated as it comes out, paid in full on these tenders.
fn paid(mut draft: SaleDraft, tenders: &[(TenderKind, i64)]) -> Option<Sale> {
    if let Err(refused) = Sale::freeze(draft.clone()) {
        let [SaleFault::TotalDiffers { found, .. }] = refused.faults.as_slice() else {
            return None;
        };
        draft.total = *found;
    }
    let weights: Vec<i64> = tenders.iter().map(|&(_, weight)| weight).collect();
    let parts = draft.total.allocate(&weights).ok()?;
    for (position, (&(kind, _), captured)) in tenders.iter().zip(parts).enumerate() {
        draft.tenders.push(Tender {
            id: TenderId::new(format!("tender-{position}")).ok()?,
            kind,
            captured,
            in_kind: None,
            refunded_outside: None,
            refundable_until: None,
        });
    }
    Sale::freeze(draft).ok()
}
