//! Claims that follow from a rule: freight by the basis of the return, price protection.

use alloc::vec::Vec;

use super::ledger::MoneyLedger;
use super::request::{ChargeClaim, ChargeRefund, Claim, LineRefund};
use crate::id::OrderLineId;
use crate::label::codes;
use crate::money::{Money, MoneyError};
use crate::quantity::Quantity;
use crate::sale::Sale;
use crate::sale::draft::ChargeKind;

codes! {
    /// When outbound freight is paid back. Which one holds is a matter of law and policy.
    pub enum FreightRule "freight rule" {
        /// Never: the goods were as agreed and the policy keeps it.
        Never = "never", "Never", "不退";
        /// Up to the cheapest standard way once the whole order is returned (withdrawal under
        /// Directive 2011/83/EU, Article 13).
        WholeOrderStandard = "whole_order_standard", "Standard freight for the whole order", "整单退货退标准运费";
        /// All of it once the whole order is returned.
        WholeOrderFull = "whole_order_full", "Full freight for the whole order", "整单退货退全部运费";
        /// All of it at once: everything in the parcel was not as agreed.
        Always = "always", "Always", "全额退还";
    }
}

/// The refunds of freight that a return brings under a rule.
///
/// The whole order is returned when, with these claims, no unit of any line is left.
#[must_use]
pub fn freight(
    sale: &Sale,
    ledger: &MoneyLedger,
    lines: &[LineRefund],
    rule: FreightRule,
) -> Vec<ChargeRefund> {
    let claim = match rule {
        FreightRule::Never => return Vec::new(),
        FreightRule::Always => ChargeClaim::Full,
        FreightRule::WholeOrderStandard | FreightRule::WholeOrderFull => {
            if !sale.lines().all(|line| is_all(ledger, lines, &line.ordered.id)) {
                return Vec::new();
            }
            if rule == FreightRule::WholeOrderFull {
                ChargeClaim::Full
            } else {
                ChargeClaim::UpToStandard
            }
        }
    };
    sale.charges()
        .filter(|charge| charge.charged.kind == ChargeKind::Freight)
        .map(|charge| ChargeRefund { charge: charge.charged.id.clone(), claim })
        .collect()
}

/// Whether nothing of a line is left after these claims.
fn is_all(ledger: &MoneyLedger, lines: &[LineRefund], line: &OrderLineId) -> bool {
    let Some(known) = ledger.lines.get(line) else { return true };
    known.parts.iter().all(|part| {
        let component = part.component.as_ref();
        let per_kit = component.map_or(1, |component| component.per_kit);
        let claimed =
            lines.iter().filter(|refund| refund.line == *line).map(|refund| match &refund.claim {
                Claim::Units(units) => units.steps().saturating_mul(per_kit),
                Claim::Component { sku, units } if component.is_some_and(|c| c.sku == *sku) => {
                    units.steps()
                }
                Claim::Component { .. } | Claim::Amount(_) => 0,
            });
        part.ladder.units_left() <= claimed.fold(0, i64::saturating_add)
    })
}

/// The money-only refund that brings units of a line down to a lower price: what they are worth
/// now less the new price, never below zero. None when the line is unknown or has fewer units left.
///
/// ```
/// # use aftersale::sale::{Sale, draft::SaleDraft};
/// # use aftersale::{id::OrderLineId, quantity::Quantity};
/// # use aftersale::money::{Money, currency::Currency};
/// use aftersale::settlement::claims::price_protection;
/// use aftersale::settlement::{ledger::MoneyLedger, request::Claim};
/// # let draft: SaleDraft = serde_json::from_str(r#"{
/// #   "order": "SO-7", "currency": "CNY", "placed_at": "2026-06-01T09:00:00Z",
/// #   "prices": "tax_included",
/// #   "lines": [{"id": "1", "sku": "PHONE", "quantity": {"amount": "2", "unit": "pcs"},
/// #              "unit_price": "2999.00"}],
/// #   "total": {"amount": "5998.00", "currency": "CNY"}
/// # }"#)?;
/// let sale = Sale::freeze(draft)?; // two phones at 2999.00; a week later they cost 2799.00
/// let (line, now) = (OrderLineId::new("1")?, Money::parse("2799.00", Currency::CNY)?);
/// let claim = price_protection(&MoneyLedger::open(&sale), &line, Quantity::pieces(2)?, now)?;
/// let difference = Claim::Amount(Money::parse("400.00", Currency::CNY)?);
/// assert_eq!(claim.map(|refund| refund.claim), Some(difference));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`MoneyError`] for another currency, or amounts of absurd size.
pub fn price_protection(
    ledger: &MoneyLedger,
    line: &OrderLineId,
    units: Quantity,
    unit_price_now: Money,
) -> Result<Option<LineRefund>, MoneyError> {
    let (Some(left), Some(value)) = (ledger.units_left(line), ledger.left_on_line(line)) else {
        return Ok(None);
    };
    if units.unit() != left.unit() || units.steps() > left.steps() || units.is_zero() {
        return Ok(None);
    }
    let worth = value.ladder(units.steps(), left.steps())?;
    let whole = 10_i64.checked_pow(units.unit().digits().into()).unwrap_or(i64::MAX);
    // A price is for one whole unit; a part of it is rounded half up.
    let wide = i128::from(unit_price_now.minor()).saturating_mul(units.steps().into());
    let now = crate::number::divide(wide, whole.into(), crate::number::Rounding::HalfUp)?;
    let now = Money::from_wide(now, unit_price_now.currency())?;
    let difference = worth.checked_sub(now)?.max(Money::zero(value.currency()));
    Ok(Some(LineRefund { line: line.clone(), claim: Claim::Amount(difference) }))
}
