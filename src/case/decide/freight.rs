//! Freight in a refund: what liability, policy or reason say about it becomes charges and deductions.

use super::super::freight::{Bearers, FreightTerms, LabelRule, WayBack, of_lines};
use super::super::liability::Party;
use super::super::refusal::Obstacle;
use super::super::resolution::Resolution;
use super::super::state::ReturnCase;
use super::{Draft, Scene};
use crate::money::{Money, MoneyError};
use crate::settlement::claims;
use crate::settlement::request::{
    ChargeClaim, ChargeRefund, Deduction, DeductionAmount, DeductionKind, Excess,
    FreeDeliveryPolicy, Goodwill, GoodwillForm, RefundRequest, Standing, TaxTreatment,
};

impl Scene<'_> {
    /// Who bears the way back of a case, for the label; nothing when nothing comes back.
    pub(super) fn way_back(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        resolution: Resolution,
    ) -> WayBack {
        if !resolution.needs_return() {
            return WayBack::Nothing;
        }
        let Some(found) = of_lines(&case.lines, self.context.rules.taxonomy()) else {
            return WayBack::Nothing;
        };
        draft.findings.extend(found.findings);
        WayBack::Borne(found.value.back)
    }

    /// Adds to a request what the freight terms ask for.
    pub(super) fn add_freight(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        terms: FreightTerms,
        request: &mut RefundRequest,
    ) {
        let FreightTerms::Decided { label, paid_by_buyer } = terms else { return };
        let named = |line: &&super::super::state::CaseLine| {
            request.lines.iter().any(|claim| claim.line == line.line)
        };
        let lines = case.lines.iter().filter(named);
        let Some(found) = of_lines(lines, self.context.rules.taxonomy()) else { return };
        draft.findings.extend(found.findings);
        let added = self
            .add_outbound(&found.value, request)
            .and_then(|()| add_label(&found.value, label, request))
            .and_then(|()| add_paid(&found.value, paid_by_buyer, request));
        if let Err(error) = added {
            draft.refuse(Obstacle::Amount(error));
        }
    }

    /// Freight of the way out that is paid back: all but the buyer's share of what was paid, less
    /// what went back before. A charge that is stated already stays as stated.
    fn add_outbound(
        &self,
        bearers: &Bearers,
        request: &mut RefundRequest,
    ) -> Result<(), MoneyError> {
        let (sale, money) = (&self.order.sale, &self.order.money);
        if bearers.free_delivery == FreeDeliveryPolicy::Deduct {
            request.free_delivery = FreeDeliveryPolicy::Deduct;
        }
        let buyers = bearers.outbound.of(Party::Buyer);
        for refund in claims::freight(sale, money, &request.lines, bearers.outbound_rule) {
            let stated = request.charges.iter().any(|known| known.charge == refund.charge);
            let left = money.left_on_charge(&refund.charge);
            let charged = sale.charges().find(|charge| charge.charged.id == refund.charge);
            let (Some(left), Some(charged), false) = (left, charged, stated) else { continue };
            let claim = match (buyers, refund.claim) {
                (Some(_), ChargeClaim::Full) => {
                    let paid = charged.paid.gross;
                    let kept = bearers.outbound.part(Party::Buyer, paid)?;
                    let back = left.checked_sub(kept)?;
                    ChargeClaim::Amount(back.max(Money::zero(paid.currency())))
                }
                (_, claim) => claim,
            };
            if left.is_positive() && claim != ChargeClaim::Amount(Money::zero(left.currency())) {
                request.charges.push(ChargeRefund { charge: refund.charge, claim });
            }
        }
        Ok(())
    }
}

/// The buyer's share of the label that the seller supplied is kept back.
fn add_label(
    bearers: &Bearers,
    label: Option<Money>,
    request: &mut RefundRequest,
) -> Result<(), MoneyError> {
    let (Some(cost), Some(_)) = (label, bearers.back.of(Party::Buyer)) else { return Ok(()) };
    let (amount, standing) = match bearers.label {
        LabelRule::Never => (cost, Standing::NotPermitted),
        LabelRule::Cost => (bearers.back.part(Party::Buyer, cost)?, Standing::Applies),
        LabelRule::Flat(fee) => (fee, Standing::Applies),
    };
    request.deductions.push(Deduction {
        kind: DeductionKind::ReturnLabel,
        line: None,
        amount: DeductionAmount::Flat(amount),
        cap: None,
        tax: TaxTreatment::default(),
        standing,
        excess: Excess::Forgive,
        rule: bearers.rule.clone(),
    });
    Ok(())
}

/// What the buyer paid for the way back is given back, less the buyer's own share.
fn add_paid(
    bearers: &Bearers,
    paid: Option<Money>,
    request: &mut RefundRequest,
) -> Result<(), MoneyError> {
    let Some(paid) = paid else { return Ok(()) };
    let amount = paid.checked_sub(bearers.back.part(Party::Buyer, paid)?)?;
    if amount.is_positive() {
        let (line, form, rule) = (None, GoodwillForm::Refund, bearers.rule.clone());
        request.goodwill.push(Goodwill { line, amount, form, rule });
    }
    Ok(())
}
