//! Freezing: every order-level amount is shared out to lines and charges, once.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use rust_decimal::Decimal;

use super::draft::{LineDraft, PriceBasis, SaleDraft, TaxCode, TaxDraft, WeightBase};
use super::fault::{Place, SaleFault, SaleRefused};
use super::recorded;
use super::{DiscountShare, FrozenLine, Paid, Sale, TaxAmount};
use crate::id::{OrderLineId, SerialId};
use crate::money::{Money, MoneyError};
use crate::number::{Exact, Rounding, excerpt};
use crate::quantity::Quantity;

const MAX_LINES: usize = 10_000;
const MAX_ENTRIES: usize = 1_000;

pub(super) fn freeze(draft: SaleDraft) -> Result<Sale, SaleRefused> {
    let mut faults = Vec::new();
    check_sizes(&draft, &mut faults);
    if faults.is_empty() {
        check_header(&draft, &mut faults);
        check_amounts(&draft, &mut faults);
        check_rates(&draft, &mut faults);
    }
    let positions = positions(&draft, &mut faults);
    recorded::check_kits(&draft, &mut faults);
    recorded::check_bundles(&draft, &positions, &mut faults);
    recorded::check_rules(&draft, &positions, &mut faults);
    let shipped = shipped(&draft, &positions, &mut faults);
    // Amounts are computed only once every input is sound.
    let frozen = if faults.is_empty() { amounts(&draft, &positions, &mut faults) } else { None };
    let Some((paid, mut shares, lists)) = frozen.filter(|_| faults.is_empty()) else {
        return Err(SaleRefused { order: draft.order, faults });
    };
    recorded::check_bundle_prices(&draft, &positions, &lists, &mut faults);
    let mut paid = paid.into_iter();
    let mut lines = Vec::with_capacity(draft.lines.len());
    for (position, ((line, shipped), list)) in
        draft.lines.iter().zip(shipped).zip(lists).enumerate()
    {
        let Some(paid) = paid.next() else { break };
        let discount_shares = shares.remove(&position).unwrap_or_default();
        let place = Place::Line(line.id.clone());
        let components = noted(recorded::components(line, &paid), &place, &mut faults);
        let components = components.unwrap_or_default();
        lines.push(FrozenLine { list, paid, discount_shares, shipped, components });
    }
    let charges = paid.collect();
    recorded::check_promises(&draft, &lines, &mut faults);
    if !faults.is_empty() {
        return Err(SaleRefused { order: draft.order, faults });
    }
    Ok(Sale { draft, lines, charges, positions })
}

fn check_sizes(draft: &SaleDraft, faults: &mut Vec<SaleFault>) {
    let mut limit = |what, found, max| {
        if found > max {
            faults.push(SaleFault::TooMany { what, found, max });
        }
    };
    limit("lines", draft.lines.len(), MAX_LINES);
    limit("order discounts", draft.discounts.len(), MAX_ENTRIES);
    limit("charges", draft.charges.len(), MAX_ENTRIES);
    limit("tax totals", draft.tax_totals.len(), MAX_ENTRIES);
    limit("tenders", draft.tenders.len(), MAX_ENTRIES);
    limit("promotion rules", draft.promotions.len(), MAX_ENTRIES);
    limit("kits", draft.kits.len(), MAX_LINES);
    limit("parts of kits", draft.kits.iter().map(|kit| kit.parts.len()).sum(), MAX_LINES);
    for line in &draft.lines {
        limit("components of one line", line.components.len(), MAX_ENTRIES);
    }
    limit("shipments", draft.shipments.len(), MAX_LINES);
    if draft.lines.is_empty() {
        faults.push(SaleFault::NoLines);
    }
}

fn check_header(draft: &SaleDraft, faults: &mut Vec<SaleFault>) {
    if draft.version == 0 {
        faults.push(SaleFault::VersionZero);
    }
    if let Some(country) = &draft.country
        && (country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()))
    {
        faults.push(SaleFault::BadCountry { country: excerpt(country) });
    }
    let mut tenders = BTreeSet::new();
    let mut charges = BTreeSet::new();
    for tender in &draft.tenders {
        if !tenders.insert(&tender.id) {
            faults.push(SaleFault::Duplicate { place: Place::Tender(tender.id.clone()) });
        }
    }
    for charge in &draft.charges {
        if !charges.insert(&charge.id) {
            faults.push(SaleFault::Duplicate { place: Place::Charge(charge.id.clone()) });
        }
    }
}

/// Every amount the host states is in the currency of the sale and not below zero.
fn check_amounts(draft: &SaleDraft, faults: &mut Vec<SaleFault>) {
    let mut check = |place: Place, amount: Money| {
        if amount.currency() != draft.currency {
            faults.push(SaleFault::WrongCurrency { place, amount });
        } else if amount.is_negative() {
            faults.push(SaleFault::Negative { place, amount });
        }
    };
    check(Place::Order, draft.total);
    for line in &draft.lines {
        let discounts = line.discounts.iter().map(|discount| discount.amount);
        let taxes = line.taxes.iter().filter_map(|tax| tax.amount);
        for amount in line.list.into_iter().chain(discounts).chain(taxes) {
            check(Place::Line(line.id.clone()), amount);
        }
    }
    for charge in &draft.charges {
        let taxes = charge.taxes.iter().filter_map(|tax| tax.amount);
        for amount in [charge.amount].into_iter().chain(charge.standard).chain(taxes) {
            check(Place::Charge(charge.id.clone()), amount);
        }
    }
    for (position, discount) in draft.discounts.iter().enumerate() {
        check(Place::Discount(position), discount.amount);
    }
    for total in &draft.tax_totals {
        check(Place::TaxTotal(total.code.clone()), total.amount);
    }
    for rule in &draft.promotions {
        for amount in rule.terms.amounts() {
            check(Place::Promotion(rule.promotion.clone()), amount);
        }
    }
    for kit in &draft.kits {
        if let Some(price) = kit.price {
            check(Place::Kit(kit.id.clone()), price);
        }
    }
    if let Some(free) = &draft.free_delivery {
        check(Place::FreeDelivery, free.minimum);
        check(Place::FreeDelivery, free.freight);
    }
    for tender in &draft.tenders {
        for amount in [tender.captured].into_iter().chain(tender.refunded_outside) {
            check(Place::Tender(tender.id.clone()), amount);
        }
    }
    for tender in &draft.tenders {
        if let Some(amount) = tender.in_kind.filter(|amount| amount.is_negative()) {
            let place = Place::Tender(tender.id.clone());
            faults.push(SaleFault::Negative { place, amount });
        }
        if let Some(refunded) = tender.refunded_outside
            && refunded.minor() > tender.captured.minor()
        {
            let (tender, captured) = (tender.id.clone(), tender.captured);
            faults.push(SaleFault::OverRefunded { tender, refunded, captured });
        }
    }
}

fn check_rates(draft: &SaleDraft, faults: &mut Vec<SaleFault>) {
    let sound = |rate: Exact| (Decimal::ZERO..=Decimal::TEN).contains(&rate.decimal());
    let lines = draft
        .lines
        .iter()
        .flat_map(|line| line.taxes.iter().map(|tax| (Place::Line(line.id.clone()), tax.rate)));
    let free = draft.free_delivery.iter().flat_map(|free| &free.taxes);
    let free = free.map(|tax| (Place::FreeDelivery, tax.rate));
    let charges = draft.charges.iter().flat_map(|charge| {
        charge.taxes.iter().map(|tax| (Place::Charge(charge.id.clone()), tax.rate))
    });
    for (place, rate) in lines.chain(charges).chain(free) {
        if !sound(rate) {
            faults.push(SaleFault::BadRate { place, rate });
        }
    }
    for line in &draft.lines {
        if line.unit_price.decimal() < Decimal::ZERO {
            let (line, price) = (line.id.clone(), line.unit_price);
            faults.push(SaleFault::NegativePrice { line, price });
        }
    }
}

fn positions(draft: &SaleDraft, faults: &mut Vec<SaleFault>) -> BTreeMap<OrderLineId, usize> {
    let mut positions = BTreeMap::new();
    for (position, line) in draft.lines.iter().enumerate() {
        if line.quantity.is_zero() {
            faults.push(SaleFault::ZeroQuantity { line: line.id.clone() });
        }
        if positions.insert(line.id.clone(), position).is_some() {
            faults.push(SaleFault::Duplicate { place: Place::Line(line.id.clone()) });
        }
    }
    for (position, discount) in draft.discounts.iter().enumerate() {
        for line in discount.lines.iter().filter(|line| !positions.contains_key(*line)) {
            let (place, line) = (Place::Discount(position), line.clone());
            faults.push(SaleFault::UnknownLine { place, line });
        }
    }
    positions
}

/// What was shipped of each line.
fn shipped(
    draft: &SaleDraft,
    positions: &BTreeMap<OrderLineId, usize>,
    faults: &mut Vec<SaleFault>,
) -> Vec<Quantity> {
    let mut shipped: Vec<Quantity> =
        draft.lines.iter().map(|line| Quantity::zero(line.quantity.unit())).collect();
    let mut parcels = BTreeSet::new();
    let mut serials: BTreeSet<&SerialId> = BTreeSet::new();
    for shipment in &draft.shipments {
        let parcel = &shipment.parcel;
        if !parcels.insert(parcel) {
            faults.push(SaleFault::DuplicateParcel { parcel: parcel.clone() });
        }
        if shipment.arrived_at().is_some_and(|arrived| arrived < shipment.shipped_at) {
            faults.push(SaleFault::ArrivedBeforeShipped { parcel: parcel.clone() });
        }
        for part in &shipment.lines {
            let line = part.line.clone();
            let Some(&position) = positions.get(&part.line) else {
                let parcel = parcel.clone();
                faults.push(SaleFault::UnknownShippedLine { parcel, line });
                continue;
            };
            let (Some(sum), Some(ordered)) = (shipped.get_mut(position), draft.lines.get(position))
            else {
                continue;
            };
            if part.quantity.is_zero() {
                faults.push(SaleFault::ZeroQuantity { line: line.clone() });
            }
            match sum.checked_add(part.quantity) {
                Ok(total) => *sum = total,
                Err(_) => faults.push(SaleFault::WrongUnit {
                    line: line.clone(),
                    expected: ordered.quantity.unit(),
                    found: part.quantity.unit(),
                }),
            }
            for serial in &part.serials {
                if !serials.insert(serial) {
                    faults.push(SaleFault::DuplicateSerial { serial: serial.clone() });
                }
            }
            let count = i64::try_from(part.serials.len()).unwrap_or(i64::MAX);
            if ordered.quantity.unit().digits() == 0 && count > part.quantity.steps() {
                faults.push(SaleFault::TooManySerials {
                    parcel: parcel.clone(),
                    line: line.clone(),
                    serials: part.serials.len(),
                    quantity: part.quantity,
                });
            }
            let mut left = Ok(part.quantity);
            for lot in &part.lots {
                left = left.and_then(|left| left.checked_sub(lot.quantity));
                if left.is_err() {
                    let (parcel, line, lot) = (parcel.clone(), line.clone(), lot.lot.clone());
                    faults.push(SaleFault::TooMuchOfLots { parcel, line, lot });
                    break;
                }
            }
        }
    }
    for (line, shipped) in draft.lines.iter().zip(&shipped) {
        if shipped.steps() > line.quantity.steps() {
            faults.push(SaleFault::OverShipped {
                line: line.id.clone(),
                shipped: *shipped,
                ordered: line.quantity,
            });
        }
    }
    shipped
}

/// A line or a charge while its amounts are being computed.
struct Item<'a> {
    place: Place,
    value: Money,
    taxes: &'a [TaxDraft],
}

type Shares = BTreeMap<usize, Vec<DiscountShare>>;

/// What was paid for lines and then charges, the discount shares, and the list values of lines.
fn amounts(
    draft: &SaleDraft,
    positions: &BTreeMap<OrderLineId, usize>,
    faults: &mut Vec<SaleFault>,
) -> Option<(Vec<Paid>, Shares, Vec<Money>)> {
    let mut items = Vec::with_capacity(draft.lines.len().saturating_add(draft.charges.len()));
    let mut lists = Vec::with_capacity(draft.lines.len());
    for line in &draft.lines {
        let list = list_value(line, draft, faults)?;
        let place = Place::Line(line.id.clone());
        let discounts = line.discounts.iter().map(|discount| discount.amount);
        let discounts = noted(Money::sum(draft.currency, discounts), &place, faults)?;
        let value = noted(list.checked_sub(discounts), &place, faults)?;
        if value.is_negative() {
            let value = list;
            faults.push(SaleFault::DiscountTooLarge { place, value, discounts });
            return None;
        }
        items.push(Item { place, value, taxes: &line.taxes });
        lists.push(list);
    }
    let shares = share_discounts(draft, positions, &mut items, faults)?;
    items.extend(draft.charges.iter().map(|charge| Item {
        place: Place::Charge(charge.id.clone()),
        value: charge.amount,
        taxes: &charge.taxes,
    }));
    let taxes = tax_amounts(draft, &items, faults)?;
    let mut paid = Vec::with_capacity(items.len());
    for (item, taxes) in items.iter().zip(taxes) {
        let tax = Money::sum(draft.currency, taxes.iter().map(|tax| tax.amount));
        let tax = noted(tax, &item.place, faults)?;
        let gross = match draft.prices {
            PriceBasis::TaxIncluded => item.value,
            PriceBasis::TaxExcluded => noted(item.value.checked_add(tax), &item.place, faults)?,
        };
        if tax.minor() > gross.minor() {
            let place = item.place.clone();
            faults.push(SaleFault::TaxTooLarge { place, tax, gross });
        }
        paid.push(Paid { gross, taxes });
    }
    check_totals(draft, &paid, faults)?;
    Some((paid, shares, lists))
}

fn noted<T>(
    result: Result<T, MoneyError>,
    place: &Place,
    faults: &mut Vec<SaleFault>,
) -> Option<T> {
    result.map_err(|error| faults.push(SaleFault::Amount { place: place.clone(), error })).ok()
}

/// Price times quantity, and the stated amount when it is within one minor unit of it.
fn list_value(line: &LineDraft, draft: &SaleDraft, faults: &mut Vec<SaleFault>) -> Option<Money> {
    let place = Place::Line(line.id.clone());
    let too_large = MoneyError::TooLarge { currency: draft.currency };
    let product = line.unit_price.decimal().checked_mul(line.quantity.amount()).ok_or(too_large);
    let product = noted(product, &place, faults)?;
    let rounded = |rounding| Money::rounded(product, draft.currency, rounding);
    let Some(stated) = line.list else {
        return noted(rounded(Rounding::HalfUp), &place, faults);
    };
    let low = noted(rounded(Rounding::Down), &place, faults)?;
    let high = noted(rounded(Rounding::Up), &place, faults)?;
    if stated < low || stated > high {
        faults.push(SaleFault::WrongList {
            line: line.id.clone(),
            stated,
            price: line.unit_price,
            quantity: line.quantity,
        });
        return None;
    }
    Some(stated)
}

/// Shares out every order discount over the lines it applied to, lowering their values.
fn share_discounts(
    draft: &SaleDraft,
    positions: &BTreeMap<OrderLineId, usize>,
    items: &mut [Item<'_>],
    faults: &mut Vec<SaleFault>,
) -> Option<Shares> {
    let mut shares = Shares::new();
    for (discount, order_discount) in draft.discounts.iter().enumerate() {
        let place = Place::Discount(discount);
        let lines: Vec<usize> = if order_discount.lines.is_empty() {
            (0..items.len()).collect()
        } else {
            order_discount.lines.iter().filter_map(|line| positions.get(line).copied()).collect()
        };
        let values = lines.iter().filter_map(|&line| items.get(line)).map(|item| item.value);
        let value = noted(Money::sum(draft.currency, values), &place, faults)?;
        if order_discount.amount.minor() > value.minor() {
            let discounts = order_discount.amount;
            faults.push(SaleFault::DiscountTooLarge { place, value, discounts });
            return None;
        }
        let weights: Option<Vec<i64>> =
            lines.iter().map(|&line| weight(draft, items.get(line)?)).collect();
        let too_large = MoneyError::TooLarge { currency: draft.currency };
        let weights = noted(weights.ok_or(too_large), &place, faults)?;
        let parts = noted(order_discount.amount.allocate(&weights), &place, faults)?;
        for (line, amount) in spill(&lines, &parts, items) {
            if let Some(item) = items.get_mut(line) {
                item.value = noted(item.value.checked_sub(amount), &place, faults)?;
            }
            let promotion = order_discount.promotion.clone();
            shares.entry(line).or_default().push(DiscountShare { discount, promotion, amount });
        }
    }
    Some(shares)
}

/// Weights other than the values themselves, and rounding, can give a line a share above its value:
/// what is too much goes to the next lines that still have value. The discount is never above the
/// value of all lines, so everything finds a place.
fn spill(lines: &[usize], parts: &[Money], items: &[Item<'_>]) -> Vec<(usize, Money)> {
    let mut over = 0_i64;
    let mut placed: Vec<(usize, i64, i64)> = Vec::with_capacity(lines.len());
    for (&line, part) in lines.iter().zip(parts) {
        let value = items.get(line).map_or(0, |item| item.value.minor());
        let taken = part.minor().min(value);
        over = over.saturating_add(part.minor().saturating_sub(taken));
        placed.push((line, taken, value.saturating_sub(taken)));
    }
    for (_, taken, room) in &mut placed {
        let more = over.min(*room);
        *taken = taken.saturating_add(more);
        over = over.saturating_sub(more);
    }
    let currency = parts.first().map(|part| part.currency());
    placed
        .into_iter()
        .filter_map(|(line, taken, _)| Some((line, Money::new(taken, currency?))))
        .filter(|(_, amount)| !amount.is_zero())
        .collect()
}

/// What a line weighs when a discount is shared: its value with or without tax.
fn weight(draft: &SaleDraft, item: &Item<'_>) -> Option<i64> {
    let rates: Decimal =
        item.taxes.iter().try_fold(Decimal::ONE, |sum, tax| sum.checked_add(tax.rate.decimal()))?;
    let value = item.value.amount();
    let weighed = match (draft.prices, draft.discount_weights) {
        (PriceBasis::TaxIncluded, WeightBase::Gross)
        | (PriceBasis::TaxExcluded, WeightBase::Net) => value,
        (PriceBasis::TaxIncluded, WeightBase::Net) => value.checked_div(rates)?,
        (PriceBasis::TaxExcluded, WeightBase::Gross) => value.checked_mul(rates)?,
    };
    Money::rounded(weighed, draft.currency, Rounding::HalfUp).ok().map(Money::minor)
}

/// The amount of every tax on every item: as stated, as a share of the invoice total, or computed.
fn tax_amounts(
    draft: &SaleDraft,
    items: &[Item<'_>],
    faults: &mut Vec<SaleFault>,
) -> Option<Vec<Vec<TaxAmount>>> {
    let mut amounts: Vec<Vec<Option<Money>>> =
        items.iter().map(|item| item.taxes.iter().map(|tax| tax.amount).collect()).collect();
    for total in &draft.tax_totals {
        share_tax(
            draft,
            total.code.clone(),
            total.rate,
            total.amount,
            items,
            &mut amounts,
            faults,
        )?;
    }
    let mut taxes = Vec::with_capacity(items.len());
    for (item, amounts) in items.iter().zip(amounts) {
        let mut frozen = Vec::with_capacity(amounts.len());
        for (tax, amount) in item.taxes.iter().zip(amounts) {
            let amount = match amount {
                Some(amount) => amount,
                None => noted(computed_tax(draft, item, tax), &item.place, faults)?,
            };
            frozen.push(TaxAmount { code: tax.code.clone(), rate: tax.rate, amount });
        }
        taxes.push(frozen);
    }
    Some(taxes)
}

/// Shares one tax total of the invoice over the items that have this tax.
fn share_tax(
    draft: &SaleDraft,
    code: TaxCode,
    rate: Exact,
    total: Money,
    items: &[Item<'_>],
    amounts: &mut [Vec<Option<Money>>],
    faults: &mut Vec<SaleFault>,
) -> Option<()> {
    let place = Place::TaxTotal(code.clone());
    let mut slots: Vec<(&mut Option<Money>, i64)> = Vec::new();
    for (item, amounts) in items.iter().zip(amounts) {
        for (tax, amount) in item.taxes.iter().zip(amounts) {
            if tax.code == code && tax.rate == rate {
                slots.push((amount, item.value.minor()));
            }
        }
    }
    let stated = slots.iter().filter(|(amount, _)| amount.is_some()).count();
    if stated == 0 {
        let weights: Vec<i64> = slots.iter().map(|&(_, weight)| weight).collect();
        let parts = noted(total.allocate(&weights), &place, faults)?;
        for ((slot, _), part) in slots.into_iter().zip(parts) {
            *slot = Some(part);
        }
        return Some(());
    }
    if stated < slots.len() {
        faults.push(SaleFault::TaxPartlyStated { code, rate });
        return None;
    }
    let stated = slots.iter().filter_map(|(amount, _)| **amount);
    let lines = noted(Money::sum(draft.currency, stated), &place, faults)?;
    if lines != total {
        faults.push(SaleFault::TaxTotalDiffers { code, rate, lines, total });
        return None;
    }
    Some(())
}

/// Tax from its rate: on top of a net value, or inside a gross one beside the other taxes.
fn computed_tax(draft: &SaleDraft, item: &Item<'_>, tax: &TaxDraft) -> Result<Money, MoneyError> {
    let too_large = || MoneyError::TooLarge { currency: draft.currency };
    let exact = item.value.amount().checked_mul(tax.rate.decimal()).ok_or_else(too_large)?;
    let exact = match draft.prices {
        PriceBasis::TaxExcluded => exact,
        PriceBasis::TaxIncluded => {
            let all = item
                .taxes
                .iter()
                .try_fold(Decimal::ONE, |sum, tax| sum.checked_add(tax.rate.decimal()));
            all.and_then(|all| exact.checked_div(all)).ok_or_else(too_large)?
        }
    };
    Money::rounded(exact, draft.currency, Rounding::HalfUp)
}

/// Lines and charges sum to the total, and no more is captured than that.
fn check_totals(draft: &SaleDraft, paid: &[Paid], faults: &mut Vec<SaleFault>) -> Option<()> {
    let sum = Money::sum(draft.currency, paid.iter().map(|paid| paid.gross));
    let found = noted(sum, &Place::Order, faults)?;
    if found != draft.total {
        faults.push(SaleFault::TotalDiffers { found, stated: draft.total });
    }
    let captured = draft.tenders.iter().map(|tender| tender.captured);
    let captured = noted(Money::sum(draft.currency, captured), &Place::Order, faults)?;
    if captured.minor() > draft.total.minor() {
        faults.push(SaleFault::OverCaptured { captured, total: draft.total });
    }
    Some(())
}
