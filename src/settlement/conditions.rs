//! Promises that a partial return breaks: promotions, gifts and free delivery, priced again.
//!
//! Each is computed as what should be clawed back in all, given the goods that are kept, less what
//! was clawed back before. Returning more can therefore give a clawback back again, and the customer
//! ends up paying the price of the kept goods under the rules recorded at the purchase.

use alloc::vec::Vec;

use rust_decimal::Decimal;

use super::deductions::add_tax;
use super::ledger::{LineLedger, MoneyLedger};
use super::request::{Claim, Excess, FreeDeliveryPolicy, PromotionPolicy, RefundRequest};
use super::{Basis, Document, Entry, EntryKind, Target};
use crate::explain::RuleRef;
use crate::id::{OrderLineId, RuleId};
use crate::money::{Money, MoneyError};
use crate::number::{Exact, Rounding};
use crate::quantity::Quantity;
use crate::sale::draft::{PriceBasis, TaxDraft};
use crate::sale::promotion::{Goods, PromotionRule, PromotionTerms};
use crate::sale::{Line, Paid, Sale, TaxAmount};

const CLAWBACK: RuleRef = RuleRef::new(RuleId::fixed("promotion_reevaluated"));
const GIFT: RuleRef = RuleRef::new(RuleId::fixed("gift_kept"));
const FREE_DELIVERY: RuleRef = RuleRef::new(RuleId::fixed("free_delivery_lost"));

/// A line and how much of it the customer keeps after this settlement.
struct Kept<'a> {
    line: Line<'a>,
    quantity: Quantity,
}

/// Adds the clawbacks that a request brings under a promotion policy.
pub(super) fn claw_back(
    sale: &Sale,
    ledger: &MoneyLedger,
    request: &RefundRequest,
    policy: PromotionPolicy,
    entries: &mut Vec<Entry>,
) -> Result<(), MoneyError> {
    if !sale.has_conditions() {
        return Ok(());
    }
    let kept: Vec<Kept<'_>> = sale
        .lines()
        .map(|line| Kept { line, quantity: quantity_kept(ledger, request, line) })
        .collect();
    let mut promises = Vec::new();
    if policy == PromotionPolicy::Reevaluate {
        let mut basket = Basket::new(sale, &kept)?;
        for rule in &sale.draft().promotions {
            promises.push(promotion(sale, rule, &kept, &mut basket)?);
        }
    }
    if request.free_delivery == FreeDeliveryPolicy::Deduct {
        promises.extend(free_delivery(sale, &kept)?);
    }
    for (kind, target, amount) in promises {
        let excess = request.clawback_excess;
        entries.extend(entry(ledger, excess, kind, target, &amount, entries)?);
    }
    Ok(())
}

fn quantity_kept(ledger: &MoneyLedger, request: &RefundRequest, line: Line<'_>) -> Quantity {
    let id = &line.ordered.id;
    let steps = ledger.lines.get(id).map_or(0, |known| steps_kept(known, request, id));
    let steps = steps.clamp(0, line.ordered.quantity.steps());
    Quantity::new(steps, line.ordered.quantity.unit()).unwrap_or(line.ordered.quantity)
}

/// A kit counts as kept while any component of it is.
fn steps_kept(known: &LineLedger, request: &RefundRequest, line: &OrderLineId) -> i64 {
    let claims = || request.lines.iter().filter(|refund| refund.line == *line);
    let mut most = 0;
    for part in &known.parts {
        let component = part.component.as_ref();
        let per_kit = component.map_or(1, |component| component.per_kit);
        let claimed = claims().map(|refund| match &refund.claim {
            Claim::Units(units) => units.steps().saturating_mul(per_kit),
            Claim::Component { sku, units } if component.is_some_and(|c| c.sku == *sku) => {
                units.steps()
            }
            Claim::Component { .. } | Claim::Amount(_) => 0,
        });
        let left = part.ladder.units_left().saturating_sub(claimed.fold(0, i64::saturating_add));
        let up = left.saturating_add(per_kit.saturating_sub(1)).checked_div(per_kit).unwrap_or(0);
        most = most.max(up);
    }
    most
}

type Promise = (EntryKind, Target, Paid);

/// The value of lines while promotions are taken off one after the other, in the price basis.
struct Basket {
    /// Line by line: what was paid, plus the frozen shares of the promotions looked at so far.
    values: Vec<Money>,
    /// What the kept goods are still worth: no promotion takes more off.
    room: Money,
}

impl Basket {
    fn new(sale: &Sale, kept: &[Kept<'_>]) -> Result<Self, MoneyError> {
        let mut values = Vec::with_capacity(kept.len());
        let mut room = Money::zero(sale.currency());
        for kept in kept {
            let paid = &kept.line.frozen.paid;
            let value = match sale.draft().prices {
                PriceBasis::TaxIncluded => paid.gross,
                PriceBasis::TaxExcluded => paid.net()?,
            };
            let mut before = value;
            for rule in &sale.draft().promotions {
                before = before.checked_add(kept.line.discount_of(&rule.promotion)?)?;
            }
            values.push(value);
            room = room.checked_add(kept_of(before, kept)?)?;
        }
        Ok(Self { values, room })
    }

    /// The parts of the frozen shares of one promotion that stay with the kept units.
    fn frozen_shares(
        &mut self,
        rule: &PromotionRule,
        kept: &[Kept<'_>],
    ) -> Result<Vec<Money>, MoneyError> {
        let mut shares = Vec::with_capacity(kept.len());
        for (kept, value) in kept.iter().zip(&mut self.values) {
            let raised = value.checked_add(kept.line.discount_of(&rule.promotion)?)?;
            shares.push(kept_of(raised, kept)?.checked_sub(kept_of(*value, kept)?)?);
            *value = raised;
        }
        Ok(shares)
    }
}

/// What should be clawed back in all for one promotion.
fn promotion(
    sale: &Sale,
    rule: &PromotionRule,
    kept: &[Kept<'_>],
    basket: &mut Basket,
) -> Result<Promise, MoneyError> {
    let counting = || kept.iter().filter(|kept| rule.counts(&kept.line.ordered.id));
    let goods: Vec<Goods<'_>> = counting()
        .map(|kept| kept.line.goods(Some(&rule.promotion), kept.quantity))
        .collect::<Result<_, _>>()?;
    let target = Target::Promotion(rule.promotion.clone());
    if let Some((gift, price)) = rule.terms.lost_gift(&goods) {
        let held = kept.iter().find(|kept| kept.line.ordered.id == *gift);
        let owed = match held {
            Some(held) => {
                let gross = kept_of(price, held)?;
                included(gross, &held.line.ordered.taxes)?
            }
            None => nothing(sale),
        };
        return Ok((EntryKind::Gift, target, owed));
    }
    if matches!(rule.terms, PromotionTerms::Gift { .. }) {
        return Ok((EntryKind::Gift, target, nothing(sale)));
    }
    let frozen = basket.frozen_shares(rule, kept)?;
    let earned = rule.terms.off(sale.currency(), &goods)?.checked_min(basket.room)?;
    basket.room = basket.room.checked_sub(earned)?;
    let earned = spread(earned, rule, kept, &frozen)?;
    let mut owed = nothing(sale);
    for ((kept, frozen), earned) in kept.iter().zip(frozen).zip(earned) {
        let lost = frozen.checked_sub(earned)?;
        if lost.is_zero() {
            continue;
        }
        let taxes = &kept.line.ordered.taxes;
        let paid = match sale.draft().prices {
            PriceBasis::TaxIncluded => included(lost, taxes)?,
            PriceBasis::TaxExcluded => on_top(lost, taxes)?,
        };
        owed.gross = owed.gross.checked_add(paid.gross)?;
        for tax in &paid.taxes {
            add_tax(&mut owed.taxes, tax)?;
        }
    }
    Ok((EntryKind::Clawback, target, owed))
}

/// What is left of a value when the units that are not kept went back on its ladder.
fn kept_of(value: Money, kept: &Kept<'_>) -> Result<Money, MoneyError> {
    let whole = kept.line.ordered.quantity.steps();
    let back = whole.saturating_sub(kept.quantity.steps());
    value.checked_sub(value.ladder(back, whole)?)
}

/// Shares what the kept goods still earn over the lines, by their frozen shares, so that a basket
/// that lost nothing has no difference on any line.
fn spread(
    earned: Money,
    rule: &PromotionRule,
    kept: &[Kept<'_>],
    frozen: &[Money],
) -> Result<Vec<Money>, MoneyError> {
    if earned.is_zero() {
        return Ok(frozen.iter().map(|_| earned).collect());
    }
    let by_share: Vec<i64> = frozen.iter().map(|share| share.minor().max(0)).collect();
    if by_share.iter().any(|&weight| weight > 0) {
        return earned.allocate(&by_share);
    }
    let mut by_value = Vec::with_capacity(kept.len());
    for kept in kept {
        by_value.push(if rule.counts(&kept.line.ordered.id) {
            kept.line.measured(Some(&rule.promotion), kept.quantity)?.minor()
        } else {
            0
        });
    }
    earned.allocate(&by_value)
}

/// The freight that free delivery saved, while something is kept that no longer earns it.
fn free_delivery(sale: &Sale, kept: &[Kept<'_>]) -> Result<Option<Promise>, MoneyError> {
    let Some(free) = &sale.draft().free_delivery else { return Ok(None) };
    let mut value = Money::zero(sale.currency());
    for kept in kept {
        value = value.checked_add(kept.line.measured(None, kept.quantity)?)?;
    }
    let keeps = kept.iter().any(|kept| !kept.quantity.is_zero());
    let lost = keeps && value < free.minimum;
    let amount = if lost { included(free.freight, &free.taxes)? } else { nothing(sale) };
    Ok(Some((EntryKind::FreeDelivery, Target::Order, amount)))
}

/// The entry that brings what was clawed back before to what it should be now.
fn entry(
    ledger: &MoneyLedger,
    excess: Excess,
    kind: EntryKind,
    target: Target,
    amount: &Paid,
    entries: &[Entry],
) -> Result<Option<Entry>, MoneyError> {
    let same = |known: &&super::ledger::Clawback| known.kind == kind && known.target == target;
    let booked = ledger.clawbacks.iter().find(same).map(|known| &known.amount);
    let zero = Money::zero(ledger.currency);
    let before = booked.map_or(zero, |booked| booked.gross);
    // What the customer gets: booked before less what it should be.
    let mut gross = before.checked_sub(amount.gross)?;
    let mut taxes: Vec<TaxAmount> = Vec::with_capacity(amount.taxes.len());
    for tax in booked.iter().flat_map(|booked| &booked.taxes) {
        add_tax(&mut taxes, tax)?;
    }
    for tax in &amount.taxes {
        let amount = tax.amount.checked_neg()?;
        add_tax(&mut taxes, &TaxAmount { code: tax.code.clone(), rate: tax.rate, amount })?;
    }
    taxes.retain(|tax| !tax.amount.is_zero());
    if gross.is_zero() && taxes.is_empty() {
        return Ok(None);
    }
    let mut limit = None;
    if excess == Excess::Forgive && gross.is_negative() {
        let all = Money::sum(ledger.currency, entries.iter().map(|entry| entry.gross))?.max(zero);
        limit = Some(all);
        let most = all.checked_neg()?;
        if gross < most {
            let (part, whole) = (all.minor(), gross.checked_neg()?.minor());
            for tax in &mut taxes {
                tax.amount = tax.amount.ladder(part, whole)?;
            }
            gross = most;
        }
    }
    let rule = match kind {
        EntryKind::Gift => GIFT,
        EntryKind::FreeDelivery => FREE_DELIVERY,
        _ => CLAWBACK,
    };
    let basis = Basis::Difference { target: amount.gross, booked: before, limit };
    let document = Document::CreditNote;
    Ok(Some(Entry { kind, target, units: None, gross, taxes, document, basis, rule }))
}

fn nothing(sale: &Sale) -> Paid {
    Paid { gross: Money::zero(sale.currency()), taxes: Vec::new() }
}

/// An amount that includes taxes of these rates.
fn included(gross: Money, taxes: &[TaxDraft]) -> Result<Paid, MoneyError> {
    let currency = gross.currency();
    let too_large = || MoneyError::TooLarge { currency };
    let all = taxes.iter().try_fold(Decimal::ONE, |sum, tax| sum.checked_add(tax.rate.decimal()));
    let all = all.ok_or_else(too_large)?;
    let inside = |rate: Exact| {
        gross.amount().checked_mul(rate.decimal()).and_then(|exact| exact.checked_div(all))
    };
    Ok(Paid { gross, taxes: taxes_of(gross, taxes, inside)? })
}

/// An amount on which taxes of these rates come.
fn on_top(net: Money, taxes: &[TaxDraft]) -> Result<Paid, MoneyError> {
    let taxes = taxes_of(net, taxes, |rate| net.amount().checked_mul(rate.decimal()))?;
    let tax = Money::sum(net.currency(), taxes.iter().map(|tax| tax.amount))?;
    Ok(Paid { gross: net.checked_add(tax)?, taxes })
}

fn taxes_of(
    amount: Money,
    taxes: &[TaxDraft],
    exact: impl Fn(Exact) -> Option<Decimal>,
) -> Result<Vec<TaxAmount>, MoneyError> {
    let currency = amount.currency();
    let one = |tax: &TaxDraft| {
        let exact = exact(tax.rate).ok_or(MoneyError::TooLarge { currency })?;
        let amount = Money::rounded(exact, currency, Rounding::HalfUp)?;
        Ok(TaxAmount { code: tax.code.clone(), rate: tax.rate, amount })
    };
    taxes.iter().map(one).collect()
}
