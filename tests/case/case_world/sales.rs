//! Random orders: several lines, articles twice, serial numbers, lots, discounts, taxes, freight,
//! several tenders, unshipped parts, free gifts.

use std::collections::BTreeSet;

use aftersale::id::{LotId, ParcelId, SerialId, Sku, TenderId};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::number::Exact;
use aftersale::quantity::{Quantity, Unit};
use aftersale::sale::Sale;
use aftersale::sale::draft::{
    ChargeDraft, ChargeId, ChargeKind, ComponentDraft, KitDraft, KitId, KitPart, LineDiscount,
    LineDraft, LotPart, OrderDiscount, PriceBasis, SaleDraft, Shipment, ShippedLine, TaxCode,
    TaxDraft, Tender, TenderKind, WeightBase,
};
use aftersale::sale::fault::SaleFault;
use aftersale::time::{Instant, add_seconds};

use super::sales_support::{Random, empty_draft, line};

const DAY: i64 = 86_400;

/// An order placed some days before `opened`.
pub(crate) fn sale(random: &mut Random, opened: Instant) -> Sale {
    loop {
        if let Some(sale) = attempt(random, opened) {
            return sale;
        }
    }
}

fn attempt(random: &mut Random, opened: Instant) -> Option<Sale> {
    let currency =
        random.pick(&[Currency::CNY, Currency::CNY, Currency::JPY, Currency::KWD, Currency::GBP]);
    let mut draft = empty_draft(currency);
    draft.placed_at = add_seconds(opened, -random.within(1, 9) * DAY).unwrap();
    draft.prices = random.pick(&[PriceBasis::TaxIncluded, PriceBasis::TaxExcluded]);
    draft.discount_weights = random.pick(&[WeightBase::Gross, WeightBase::Net]);
    draft.buyer_tier =
        random.pick(&[None, Some("trusted"), Some("star_3"), Some("plus")]).map(str::to_owned);
    draft.country = Some("CN".to_owned());
    for position in 0..random.within(1, 4) as usize {
        let mut fresh = sold_line(random, position, currency);
        if position > 0 && random.chance(25) {
            fresh.sku = draft.lines[position - 1].sku.clone();
        }
        draft.lines.push(fresh);
    }
    if random.chance(30) {
        let amount = Money::new(random.within(0, 400), currency);
        draft.discounts.push(OrderDiscount { promotion: None, amount, lines: BTreeSet::new() });
    }
    if random.chance(40) {
        draft.charges.push(ChargeDraft {
            id: ChargeId::new("freight").unwrap(),
            kind: ChargeKind::Freight,
            amount: Money::new(random.within(0, 1_500), currency),
            standard: random.chance(50).then(|| Money::new(random.within(0, 900), currency)),
            taxes: taxes(random),
        });
    }
    bundle(random, &mut draft);
    ship(random, &mut draft);
    let shares: Vec<i64> = (0..random.within(1, 3)).map(|_| random.within(1, 9)).collect();
    pay(random, draft, &shares)
}

fn taxes(random: &mut Random) -> Vec<TaxDraft> {
    let tax = |code: &str, rate: &str| TaxDraft {
        code: TaxCode::new(code).unwrap(),
        rate: rate.parse().unwrap(),
        amount: None,
    };
    match random.within(0, 3) {
        0 => vec![],
        1 => vec![tax("GST", "0.05"), tax("PST", "0.09975")],
        _ => vec![tax("VAT", "0.13")],
    }
}

fn sold_line(random: &mut Random, position: usize, currency: Currency) -> LineDraft {
    let quantity = if random.chance(12) {
        Quantity::new(random.within(1, 3_000), Unit::known("kg").unwrap()).unwrap()
    } else {
        Quantity::pieces(random.within(1, 4)).unwrap()
    };
    let minor = if random.chance(12) { 0 } else { random.within(1, 30_000) };
    let scale = u32::from(currency.minor_digits());
    let price = rust_decimal::Decimal::from_i128_with_scale(minor.into(), scale);
    let mut fresh = line(position, quantity, Exact::new(price));
    fresh.taxes = taxes(random);
    fresh.tags = [random.pick(&["apparel", "fresh", "electronics"]).to_owned()].into();
    if random.chance(20) && minor > 9 && quantity.unit() == Unit::PIECE {
        let amount = Money::new(random.within(1, minor / 3), currency);
        fresh.discounts.push(LineDiscount { promotion: None, amount });
    }
    fresh
}

/// Some orders hold a kit that was sold as its parts, or one line that consists of components.
fn bundle(random: &mut Random, draft: &mut SaleDraft) {
    let counted = |line: &LineDraft| line.quantity.unit() == Unit::PIECE;
    let pieces: Vec<usize> =
        (0..draft.lines.len()).filter(|at| counted(&draft.lines[*at])).collect();
    if random.chance(15)
        && let [one, other, ..] = pieces[..]
    {
        let counts = [one, other].map(|at| draft.lines[at].quantity.steps());
        let kits = if counts.iter().all(|count| count % 2 == 0) { 2 } else { 1 };
        let part = |(at, count): (usize, i64)| KitPart {
            line: draft.lines[at].id.clone(),
            per_kit: Quantity::pieces(count / i64::from(kits)).unwrap(),
        };
        let parts = [one, other].into_iter().zip(counts).map(part).collect();
        let (id, sku) = (KitId::new("KIT-1").unwrap(), Sku::new("SET").unwrap());
        draft.kits.push(KitDraft { id, sku, quantity: kits, price: None, parts });
    }
    if random.chance(10)
        && let [.., last] = pieces[..]
    {
        let component = |sku: &str, count, weight| ComponentDraft {
            sku: Sku::new(sku).unwrap(),
            quantity: Quantity::pieces(count).unwrap(),
            weight,
        };
        let weights = [random.within(0, 9), random.within(1, 9)];
        draft.lines[last].components =
            vec![component("CUP", 1, weights[0]), component("SPOON", 2, weights[1])];
    }
}

/// All of most lines in one parcel, the rest of some later, some units with serial numbers or lots.
fn ship(random: &mut Random, draft: &mut SaleDraft) {
    let lines = draft.lines.iter().filter_map(|line| {
        let all = line.quantity.steps();
        let steps = if random.chance(70) { all } else { random.within(0, all) };
        (steps > 0).then(|| shipped(random, line, steps, 0))
    });
    let lines: Vec<ShippedLine> = lines.collect();
    if lines.is_empty() {
        return;
    }
    let shipped_at = add_seconds(draft.placed_at, 3_600).unwrap();
    let delivered_at = random.chance(75).then(|| add_seconds(shipped_at, 20 * 3_600).unwrap());
    let parcel = ParcelId::new("OUT-1").unwrap();
    draft.shipments.push(Shipment { parcel, shipped_at, delivered_at, signed_at: None, lines });
}

fn shipped(random: &mut Random, line: &LineDraft, steps: i64, from: i64) -> ShippedLine {
    let quantity = Quantity::new(steps, line.quantity.unit()).unwrap();
    let mut shipped =
        ShippedLine { line: line.id.clone(), quantity, lots: vec![], serials: BTreeSet::new() };
    if quantity.unit() == Unit::PIECE && random.chance(40) {
        shipped.serials = (from..from + steps)
            .map(|unit| SerialId::new(format!("SN-{}-{unit}", line.id)).unwrap())
            .collect();
    }
    if random.chance(30) {
        let lot = LotId::new(format!("LOT-{}", line.sku)).unwrap();
        shipped.lots.push(LotPart { lot, quantity });
    }
    shipped
}

/// The draft with the total that it comes to, paid in shares; some of it not paid yet, some refunded
/// outside any case.
fn pay(random: &mut Random, mut draft: SaleDraft, shares: &[i64]) -> Option<Sale> {
    let total = total_of(&mut draft)?;
    let parts = total.allocate(shares).ok()?;
    let kinds = [TenderKind::Wallet, TenderKind::Card, TenderKind::GiftCard, TenderKind::Cash];
    for (position, mut captured) in parts.into_iter().enumerate() {
        if random.chance(4) {
            captured = Money::new(captured.minor() / 2, draft.currency);
        }
        let outside = random.chance(6) && captured.minor() > 3;
        draft.tenders.push(Tender {
            id: TenderId::new(format!("T{position}")).unwrap(),
            kind: random.pick(&kinds),
            captured,
            in_kind: None,
            refunded_outside: outside
                .then(|| Money::new(random.within(1, captured.minor() / 3), draft.currency)),
            refundable_until: None,
        });
    }
    Sale::freeze(draft).ok()
}

fn total_of(draft: &mut SaleDraft) -> Option<Money> {
    draft.tenders.clear();
    draft.total = Money::zero(draft.currency);
    let total = match Sale::freeze(draft.clone()) {
        Ok(_) => draft.total,
        Err(refused) => match refused.faults.as_slice() {
            [SaleFault::TotalDiffers { found, .. }] => *found,
            _ => return None,
        },
    };
    draft.total = total;
    Some(total)
}

/// A next version of an order: more units, one more line, or what was missing is shipped now.
pub(crate) fn amended(random: &mut Random, sale: &Sale, now: Instant) -> Option<SaleDraft> {
    let mut draft = sale.draft().clone();
    draft.version += u32::from(!random.chance(15));
    match random.within(0, 2) {
        0 => {
            let position = random.within(0, draft.lines.len() as i64 - 1) as usize;
            let line = &mut draft.lines[position];
            let more = line.quantity.steps() + random.within(1, 2);
            line.quantity = Quantity::new(more, line.quantity.unit()).unwrap();
        }
        1 if draft.lines.len() < 6 => {
            draft.lines.push(sold_line(random, draft.lines.len(), sale.currency()));
        }
        _ => {
            let missing = sale.lines().filter_map(|line| {
                let (all, gone) = (line.ordered.quantity.steps(), line.frozen.shipped.steps());
                (all > gone).then(|| shipped(random, line.ordered, all - gone, gone))
            });
            let lines: Vec<ShippedLine> = missing.collect();
            if lines.is_empty() {
                return None;
            }
            let parcel = ParcelId::new(format!("OUT-{}", draft.version)).unwrap();
            let (shipped_at, delivered_at) = (now, Some(now));
            draft.shipments.push(Shipment {
                parcel,
                shipped_at,
                delivered_at,
                signed_at: None,
                lines,
            });
        }
    }
    let tenders = draft.tenders.clone();
    let before = sale.total().minor();
    let after = total_of(&mut draft)?.minor();
    draft.tenders = tenders;
    if after > before
        && let Some(first) = draft.tenders.first_mut()
    {
        first.captured = Money::new(first.captured.minor() + after - before, draft.currency);
    }
    Some(draft)
}

/// A new article that an exchange may send.
pub(crate) fn sku(random: &mut Random) -> Sku {
    Sku::new(random.pick(&["SKU-NEW-M", "SKU-NEW-L", "SKU-0"])).unwrap()
}
