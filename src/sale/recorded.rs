//! Kits and promotion rules of a snapshot: their checks, and the shares of components.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::draft::{LineDraft, SaleDraft};
use super::fault::{Place, SaleFault};
use super::promotion::{Goods, PromotionRule, PromotionTerms};
use super::{FrozenComponent, FrozenLine, Line, Paid, Sale, TaxAmount};
use crate::id::{OrderLineId, PromotionId};
use crate::money::{Money, MoneyError};
use crate::quantity::{Quantity, QuantityError};

pub(super) fn check_kits(draft: &SaleDraft, faults: &mut Vec<SaleFault>) {
    for line in draft.lines.iter().filter(|line| !line.components.is_empty()) {
        if line.quantity.unit().digits() != 0 {
            faults.push(SaleFault::KitNotWhole { line: line.id.clone() });
        }
        let mut known = BTreeSet::new();
        for component in &line.components {
            let fresh = known.insert(&component.sku);
            let counted = all_of(line, component.quantity).is_ok();
            if !fresh || component.quantity.is_zero() || component.weight < 0 || !counted {
                let (line, sku) = (line.id.clone(), component.sku.clone());
                faults.push(SaleFault::BadComponent { line, sku });
            }
        }
    }
}

/// How much of a component is in all kits of a line.
fn all_of(line: &LineDraft, per_kit: Quantity) -> Result<Quantity, QuantityError> {
    let steps = per_kit.steps().checked_mul(line.quantity.steps());
    Quantity::new(steps.ok_or(QuantityError::TooLarge { unit: per_kit.unit() })?, per_kit.unit())
}

/// Shares what was paid for a kit over its components.
pub(super) fn components(
    line: &LineDraft,
    paid: &Paid,
) -> Result<Vec<FrozenComponent>, MoneyError> {
    if line.components.is_empty() {
        return Ok(Vec::new());
    }
    let weights: Vec<i64> = line.components.iter().map(|component| component.weight).collect();
    let gross = paid.gross.allocate(&weights)?;
    let values: Vec<i64> = gross.iter().map(|part| part.minor()).collect();
    let taxes: Vec<(&TaxAmount, Vec<Money>)> = paid
        .taxes
        .iter()
        .map(|tax| Ok((tax, tax.amount.allocate(&values)?)))
        .collect::<Result<_, MoneyError>>()?;
    let mut frozen = Vec::with_capacity(line.components.len());
    for (position, (component, gross)) in line.components.iter().zip(gross).enumerate() {
        let share = |(tax, parts): &(&TaxAmount, Vec<Money>)| {
            let amount = parts.get(position).copied()?;
            Some(TaxAmount { code: tax.code.clone(), rate: tax.rate, amount })
        };
        frozen.push(FrozenComponent {
            sku: component.sku.clone(),
            per_kit: component.quantity,
            quantity: all_of(line, component.quantity)
                .unwrap_or(Quantity::zero(component.quantity.unit())),
            paid: Paid { gross, taxes: taxes.iter().filter_map(share).collect() },
        });
    }
    Ok(frozen)
}

/// Kits sold as their parts: every line is there once, and holds what the kits hold.
pub(super) fn check_bundles(
    draft: &SaleDraft,
    positions: &BTreeMap<OrderLineId, usize>,
    faults: &mut Vec<SaleFault>,
) {
    let (mut kits, mut lines) = (BTreeSet::new(), BTreeSet::new());
    for bundle in &draft.kits {
        let kit = bundle.id.clone();
        if !kits.insert(&bundle.id) {
            faults.push(SaleFault::Duplicate { place: Place::Kit(kit.clone()) });
        }
        let mut sound = bundle.quantity > 0 && !bundle.parts.is_empty();
        for part in &bundle.parts {
            sound &= lines.insert(&part.line) && !part.per_kit.is_zero();
            let ordered = positions.get(&part.line).and_then(|at| draft.lines.get(*at));
            let Some(ordered) = ordered else {
                let (place, line) = (Place::Kit(kit.clone()), part.line.clone());
                faults.push(SaleFault::UnknownLine { place, line });
                continue;
            };
            let all = part.per_kit.steps().checked_mul(bundle.quantity.into());
            let all = all.and_then(|steps| Quantity::new(steps, part.per_kit.unit()).ok());
            if all != Some(ordered.quantity) {
                let (kit, line, found) = (kit.clone(), part.line.clone(), ordered.quantity);
                let expected = all.unwrap_or(part.per_kit);
                faults.push(SaleFault::KitDiffers { kit, line, found, expected });
            }
        }
        if !sound {
            faults.push(SaleFault::BadKit { kit });
        }
    }
}

/// The parts of a kit cost what the kit cost.
pub(super) fn check_bundle_prices(
    draft: &SaleDraft,
    positions: &BTreeMap<OrderLineId, usize>,
    lists: &[Money],
    faults: &mut Vec<SaleFault>,
) {
    for bundle in &draft.kits {
        let Some(stated) = bundle.price else { continue };
        let list = |part: &super::draft::KitPart| lists.get(*positions.get(&part.line)?).copied();
        match Money::sum(draft.currency, bundle.parts.iter().filter_map(list)) {
            Ok(parts) if parts == stated => {}
            Ok(parts) => {
                let kit = bundle.id.clone();
                faults.push(SaleFault::KitPriceDiffers { kit, parts, stated });
            }
            Err(error) => {
                faults.push(SaleFault::Amount { place: Place::Kit(bundle.id.clone()), error });
            }
        }
    }
}

pub(super) fn check_rules(
    draft: &SaleDraft,
    positions: &BTreeMap<OrderLineId, usize>,
    faults: &mut Vec<SaleFault>,
) {
    let mut known = BTreeSet::new();
    for rule in &draft.promotions {
        let promotion = &rule.promotion;
        if !known.insert(promotion) || !rule.terms.is_sound() {
            faults.push(SaleFault::BadPromotion { promotion: promotion.clone() });
        }
        for line in rule.lines.iter().chain(rule.terms.lines()) {
            if !positions.contains_key(line) {
                let place = Place::Promotion(promotion.clone());
                faults.push(SaleFault::UnknownLine { place, line: line.clone() });
            }
        }
    }
}

/// Rules give what the sale states, gifts were free, and minimums were reached.
pub(super) fn check_promises(
    draft: &SaleDraft,
    frozen: &[FrozenLine],
    faults: &mut Vec<SaleFault>,
) {
    if draft.promotions.is_empty() && draft.free_delivery.is_none() {
        return;
    }
    let lines: Vec<Line<'_>> =
        draft.lines.iter().zip(frozen).map(|(ordered, frozen)| Line { ordered, frozen }).collect();
    for rule in &draft.promotions {
        let place = Place::Promotion(rule.promotion.clone());
        if let Err(error) = check_promise(draft, rule, &lines, faults) {
            faults.push(SaleFault::Amount { place, error });
        }
    }
    if let Some(free) = &draft.free_delivery {
        let values = lines.iter().map(|line| line.measured(None, line.ordered.quantity));
        let sum = values
            .collect::<Result<Vec<_>, _>>()
            .and_then(|values| Money::sum(draft.currency, values));
        match sum {
            Ok(sum) if sum < free.minimum => {
                let (place, minimum) = (Place::FreeDelivery, free.minimum);
                faults.push(SaleFault::BelowMinimum { place, minimum });
            }
            Ok(_) => {}
            Err(error) => faults.push(SaleFault::Amount { place: Place::FreeDelivery, error }),
        }
    }
}

fn check_promise(
    draft: &SaleDraft,
    rule: &PromotionRule,
    lines: &[Line<'_>],
    faults: &mut Vec<SaleFault>,
) -> Result<(), MoneyError> {
    let promotion = &rule.promotion;
    let mut goods = Vec::with_capacity(lines.len());
    for line in lines.iter().filter(|line| rule.counts(&line.ordered.id)) {
        goods.push(line.goods(Some(promotion), line.ordered.quantity)?);
    }
    if let PromotionTerms::Gift { minimum, gift, .. } = &rule.terms {
        if rule.terms.lost_gift(&goods).is_some() {
            let (place, minimum) = (Place::Promotion(promotion.clone()), *minimum);
            faults.push(SaleFault::BelowMinimum { place, minimum });
        }
        let gifts = lines.iter().filter(|line| line.ordered.id == *gift);
        for line in gifts.filter(|line| !line.frozen.paid.gross.is_zero()) {
            let (line, paid) = (line.ordered.id.clone(), line.frozen.paid.gross);
            faults.push(SaleFault::GiftPaid { line, paid });
        }
        return Ok(());
    }
    let given = rule.terms.off(draft.currency, &goods)?;
    let mut shares = Vec::with_capacity(lines.len());
    for line in lines {
        shares.push(line.discount_of(promotion)?);
    }
    let stated = Money::sum(draft.currency, shares)?;
    if given != stated {
        let promotion = promotion.clone();
        faults.push(SaleFault::PromotionDiffers { promotion, rule: given, stated });
    }
    Ok(())
}

impl<'a> Line<'a> {
    /// What one promotion took off the line, as a line discount or a share of an order discount.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when amounts of absurd size overflow.
    pub fn discount_of(&self, promotion: &PromotionId) -> Result<Money, MoneyError> {
        let own = self.ordered.discounts.iter();
        let own = own.filter(|discount| discount.promotion.as_ref() == Some(promotion));
        let shares = self.frozen.discount_shares.iter();
        let shares = shares.filter(|share| share.promotion.as_ref() == Some(promotion));
        let amounts = own.map(|discount| discount.amount).chain(shares.map(|share| share.amount));
        Money::sum(self.frozen.list.currency(), amounts)
    }

    /// What a part of the line counts for a promotion: its list price less the discounts of the
    /// line other than the promotion's own, without the shares of order discounts.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when the part is more than the line, or amounts of absurd size overflow.
    pub fn measured(
        &self,
        promotion: Option<&PromotionId>,
        part: Quantity,
    ) -> Result<Money, MoneyError> {
        let own = self.ordered.discounts.iter();
        let others =
            own.filter(|discount| promotion.is_none() || discount.promotion.as_ref() != promotion);
        let others =
            Money::sum(self.frozen.list.currency(), others.map(|discount| discount.amount))?;
        let value = self.frozen.list.checked_sub(others)?;
        kept(value, part, self.ordered.quantity)
    }

    /// A part of the line as goods of a promotion.
    ///
    /// # Errors
    ///
    /// As [`measured`](Self::measured).
    pub fn goods(
        &self,
        promotion: Option<&PromotionId>,
        part: Quantity,
    ) -> Result<Goods<'a>, MoneyError> {
        let whole = 10_i64.checked_pow(part.unit().digits().into()).unwrap_or(i64::MAX);
        Ok(Goods {
            line: &self.ordered.id,
            value: self.measured(promotion, part)?,
            units: part.steps().checked_div(whole).unwrap_or(0),
        })
    }
}

/// The value of the part that stays when the rest goes back on the ladder.
fn kept(value: Money, part: Quantity, whole: Quantity) -> Result<Money, MoneyError> {
    let back = whole.steps().saturating_sub(part.steps());
    value.checked_sub(value.ladder(back, whole.steps())?)
}

impl Sale {
    /// Whether something was recorded that a partial return can break.
    #[must_use]
    pub fn has_conditions(&self) -> bool {
        !self.draft().promotions.is_empty() || self.draft().free_delivery.is_some()
    }
}
