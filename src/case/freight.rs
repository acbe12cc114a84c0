//! Freight: who bears the way out and the way back of returned goods, and why.
//!
//! In: the lines of a case. Out: [`Bearers`], exact shares with one finding for each line. A decision
//! about liability decides; without one the most favorable right the policies gave; without one the
//! default of the reason that counts. Pure: the same lines give the same answer.
//!
//! One parcel has one freight. Where its lines differ, the one counts that leaves the buyer the
//! smallest share, because the parcel would have traveled for that line alone.

use alloc::vec::Vec;
use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::liability::{Party, Shares};
use super::state::CaseLine;
use crate::explain::{Effect, Explained, Fact, Finding, RuleRef};
use crate::id::RuleId;
use crate::money::Money;
use crate::number::Ratio;
use crate::policy::terms::{Deduction, OutboundFreight};
use crate::policy::verdict::Entitlement;
use crate::reason::attribute::{FreightPayer, PolicyBasis};
use crate::reason::history::Preference;
use crate::reason::taxonomy::Taxonomy;
use crate::settlement::claims::FreightRule;
use crate::settlement::request::FreeDeliveryPolicy;

/// Who bears the freight of a return, both ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearers {
    /// The way out. The buyer's share stays with the seller, the rest is paid back.
    pub outbound: Shares,
    /// How much of the way out can be paid back at all.
    pub outbound_rule: FreightRule,
    /// What happens to delivery that was free and would not have been for what is kept.
    pub free_delivery: FreeDeliveryPolicy,
    /// The way back.
    pub back: Shares,
    /// What may be kept back for a label that the seller supplied.
    pub label: LabelRule,
    /// The rule that decided.
    pub rule: RuleRef,
}

/// What may be kept back for a label that the seller supplied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelRule {
    /// Nothing: no rule permits it.
    Never,
    /// The buyer's share of what it cost.
    Cost,
    /// This sum in place of the cost, where the buyer bears the way back.
    Flat(Money),
}

/// The freight terms of a refund.
///
/// ```
/// use aftersale::case::refund::RefundTerms;
/// // the seller supplied a label of 8.00; liability decides who bears it
/// let terms: RefundTerms = serde_json::from_str(
///     r#"{"freight": {"decided": {"label": {"amount": "8.00", "currency": "CNY"}}}}"#,
/// )?;
/// assert!(!terms.freight.is_stated());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FreightTerms {
    /// Only the charges and deductions that are stated.
    #[default]
    Stated,
    /// As liability, policy or reason decide: beside what is stated, freight of the way out is paid
    /// back, the buyer's share of the label is kept back, and the others' share of what the buyer
    /// paid for the way back is given on top.
    Decided {
        /// What the label cost that the seller supplied, tax included.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<Money>,
        /// What the buyer paid for the way back and has shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paid_by_buyer: Option<Money>,
    },
}

impl FreightTerms {
    /// Whether only what is stated counts.
    #[must_use]
    pub const fn is_stated(&self) -> bool {
        matches!(self, Self::Stated)
    }
}

/// What comes back of a permitted return, and who bears its way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WayBack {
    /// Not recorded: earlier forms of the events do not say.
    #[default]
    Unstated,
    /// Nothing has to come back.
    Nothing,
    /// Goods come back, and these bear the freight.
    Borne(Shares),
}

impl WayBack {
    /// Whether nothing was recorded.
    #[must_use]
    pub const fn is_unstated(&self) -> bool {
        matches!(self, Self::Unstated)
    }
}

/// Who bears the freight of one line.
#[must_use]
pub fn of_line(line: &CaseLine, taxonomy: &Taxonomy) -> Explained<Bearers> {
    let bearers = match (&line.liability, line.verdict.best()) {
        (Some(liability), _) => by_liability(liability.whole()),
        (None, Some(right)) => by_right(right),
        (None, None) => by_reason(line, taxonomy),
    };
    let finding = |way: &str, shares: &Shares| {
        Finding::new(bearers.rule.clone(), Effect::Sets)
            .about(format_args!("line {}, freight {way}", line.line))
            .required(Fact::Text(alloc::format!("{shares}")))
    };
    let findings = alloc::vec![finding("out", &bearers.outbound), finding("back", &bearers.back)];
    Explained::new(bearers, findings)
}

/// Who bears the freight of several lines that travel together; none without a line.
#[must_use]
pub fn of_lines<'a>(
    lines: impl IntoIterator<Item = &'a CaseLine>,
    taxonomy: &Taxonomy,
) -> Option<Explained<Bearers>> {
    let mut found: Option<Bearers> = None;
    let mut findings = Vec::new();
    for line in lines {
        let own = of_line(line, taxonomy);
        findings.extend(own.findings);
        let kinder = found.as_ref().is_none_or(|best| burden(&own.value, best).is_lt());
        found = if kinder { Some(own.value) } else { found };
    }
    Some(Explained::new(found?, findings))
}

/// By the buyer's share of the way back, then of the way out.
fn burden(a: &Bearers, b: &Bearers) -> Ordering {
    let share = |shares: &Shares| shares.of(Party::Buyer).unwrap_or(Ratio::ZERO);
    let key = |bearers: &Bearers| (share(&bearers.back), share(&bearers.outbound));
    key(a).cmp(&key(b))
}

fn by_liability(shares: &Shares) -> Bearers {
    let all_the_buyers = shares.of(Party::Buyer) == Some(Ratio::ONE);
    Bearers {
        outbound: shares.clone(),
        outbound_rule: if all_the_buyers {
            FreightRule::Never
        } else {
            FreightRule::WholeOrderFull
        },
        free_delivery: FreeDeliveryPolicy::Keep,
        back: shares.clone(),
        label: LabelRule::Cost,
        rule: RuleRef::new(RuleId::fixed("liability_decision")),
    }
}

fn by_right(right: &Entitlement) -> Bearers {
    let (bearer, outbound_rule) = match right.outbound_freight {
        OutboundFreight::DeductLostFreeShipping | OutboundFreight::Kept => {
            (Party::Buyer, FreightRule::Never)
        }
        OutboundFreight::CheapestStandard => (Party::Seller, FreightRule::WholeOrderStandard),
        OutboundFreight::Refunded => (Party::Seller, FreightRule::WholeOrderFull),
    };
    let free_delivery = match right.outbound_freight {
        OutboundFreight::DeductLostFreeShipping => FreeDeliveryPolicy::Deduct,
        OutboundFreight::Kept | OutboundFreight::CheapestStandard | OutboundFreight::Refunded => {
            FreeDeliveryPolicy::Keep
        }
    };
    let label = match right.return_fee {
        Some(fee) => LabelRule::Flat(fee),
        None if right.deductions.contains(&Deduction::ReturnLabel) => LabelRule::Cost,
        None => LabelRule::Never,
    };
    Bearers {
        outbound: Shares::only(bearer),
        outbound_rule,
        free_delivery,
        back: Shares::only(payer(right.return_freight)),
        label,
        rule: right.rule.clone(),
    }
}

/// Nobody has a right: a return out of goodwill goes by the default of its reason. A reason that
/// these rules do not know costs the buyer nothing for the way back.
fn by_reason(line: &CaseLine, taxonomy: &Taxonomy) -> Bearers {
    let code = line.reasons.counted(&Preference::default()).value.code();
    let reason = taxonomy.reason(&code);
    let back = reason.map_or(Party::Seller, |r| payer(r.return_shipping_payer_default));
    let not_as_agreed = reason.is_some_and(|r| r.policy_basis == PolicyBasis::Nonconformity);
    let (bearer, outbound_rule) = if not_as_agreed {
        (Party::Seller, FreightRule::WholeOrderFull)
    } else {
        (Party::Buyer, FreightRule::Never)
    };
    let source = Some(code.as_str().into());
    let version = taxonomy.version();
    Bearers {
        outbound: Shares::only(bearer),
        outbound_rule,
        free_delivery: FreeDeliveryPolicy::Keep,
        back: Shares::only(back),
        label: LabelRule::Cost,
        rule: RuleRef { id: RuleId::fixed("reason_default"), version, source },
    }
}

const fn payer(payer: FreightPayer) -> Party {
    match payer {
        FreightPayer::Seller => Party::Seller,
        FreightPayer::Customer => Party::Buyer,
    }
}
