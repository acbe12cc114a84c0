//! The rules behind discounts, as they stood at the purchase.
//!
//! A sale records them so that the goods a customer keeps can be priced again without asking
//! today's promotion engine. A rule must reproduce the discount the sale states for it; otherwise
//! the snapshot is refused.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::{OrderLineId, PromotionId};
use crate::money::currency::Currency;
use crate::money::{Money, MoneyError};
use crate::number::{Exact, Rounding};
use crate::sale::draft::TaxDraft;

/// What one promotion gave, and for what.
///
/// ```
/// use aftersale::sale::promotion::PromotionRule;
/// // 满300减40: 40 off once the goods come to 300
/// let rule: PromotionRule = serde_json::from_str(r#"{
///   "promotion": "DOUBLE11",
///   "terms": {"threshold": [{"minimum": {"amount": "300.00", "currency": "CNY"},
///                            "off": {"amount": {"amount": "40.00", "currency": "CNY"}}}]}
/// }"#)?;
/// assert!(rule.lines.is_empty()); // all goods count
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromotionRule {
    /// The promotion, as the discounts of the sale name it.
    pub promotion: PromotionId,
    /// The lines that count; none named means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lines: BTreeSet<OrderLineId>,
    /// What it gave.
    pub terms: PromotionTerms,
}

/// What a promotion gives, computed on the goods that count.
///
/// The value of goods is their list price less the discounts of their own lines other than this
/// promotion's, in the price basis of the sale. Units are whole units.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PromotionTerms {
    /// Off once the goods come to a minimum; the highest step reached counts. Steps ascend. A
    /// coupon without a condition has one step with a minimum of zero.
    Threshold(Vec<ThresholdStep>),
    /// Off for every full `each` of value (每满), at most so many times.
    Every {
        /// The value that earns the discount once.
        each: Money,
        /// What it earns.
        off: Money,
        /// The most times.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        most: Option<u32>,
    },
    /// Of every `buy + free` units the `free` cheapest are free.
    BuyGetFree {
        /// Units to pay.
        buy: u32,
        /// Units free with them.
        free: u32,
    },
    /// A share off all units once there are enough; the highest step reached counts. Steps ascend.
    QuantityBreak(Vec<QuantityStep>),
    /// Off for every complete set.
    Set {
        /// How many units of which lines make a set.
        parts: BTreeMap<OrderLineId, u32>,
        /// What a set earns.
        off: Money,
    },
    /// A gift once the goods come to a minimum; the gift itself does not count.
    Gift {
        /// The value that earns the gift.
        minimum: Money,
        /// The line of the gift, which was free.
        gift: OrderLineId,
        /// The stated price of all of it, tax included.
        price: Money,
    },
}

/// One step of a spend threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdStep {
    /// The value that reaches the step.
    pub minimum: Money,
    /// What it earns.
    pub off: Off,
}

/// One step of a quantity break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantityStep {
    /// The units that reach the step.
    pub units: u32,
    /// The share off, 0 to 1.
    pub share: Exact,
}

/// How much a threshold takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// An amount.
    Amount(Money),
    /// A share of the goods that count, 0 to 1, half up.
    Share(Exact),
}

/// Free delivery above a minimum, and the freight it saved.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeDelivery {
    /// The value of goods that earns it, measured like a promotion on all lines.
    pub minimum: Money,
    /// The freight without it, tax included.
    pub freight: Money,
    /// The taxes inside the freight; computed from their rates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxDraft>,
}

/// Goods that count for a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goods<'a> {
    /// The line.
    pub line: &'a OrderLineId,
    /// Their value.
    pub value: Money,
    /// Whole units.
    pub units: i64,
}

impl PromotionRule {
    /// Whether a line counts for the promotion.
    #[must_use]
    pub fn counts(&self, line: &OrderLineId) -> bool {
        let gift = matches!(&self.terms, PromotionTerms::Gift { gift, .. } if gift == line);
        !gift && (self.lines.is_empty() || self.lines.contains(line))
    }
}

impl PromotionTerms {
    /// What the promotion takes off these goods, in the price basis of the sale.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] when amounts of absurd size overflow.
    pub fn off(&self, currency: Currency, goods: &[Goods<'_>]) -> Result<Money, MoneyError> {
        let zero = Money::zero(currency);
        let value = Money::sum(currency, goods.iter().map(|goods| goods.value))?;
        let units = goods.iter().map(|goods| goods.units).fold(0, i64::saturating_add);
        let off = match self {
            Self::Threshold(steps) => {
                match steps.iter().rev().find(|step| value.minor() >= step.minimum.minor()) {
                    None => zero,
                    Some(ThresholdStep { off: Off::Amount(amount), .. }) => *amount,
                    Some(ThresholdStep { off: Off::Share(share), .. }) => share_of(value, *share)?,
                }
            }
            Self::Every { each, off, most } => {
                let times = value.minor().checked_div(each.minor()).unwrap_or(0);
                off.checked_mul(times.min(most.map_or(i64::MAX, i64::from)))?
            }
            Self::BuyGetFree { buy, free } => cheapest(currency, goods, units, *buy, *free)?,
            Self::QuantityBreak(steps) => {
                let reached = |step: &&QuantityStep| units >= i64::from(step.units);
                match steps.iter().rev().find(reached) {
                    None => zero,
                    Some(step) => share_of(value, step.share)?,
                }
            }
            Self::Set { parts, off } => off.checked_mul(sets(parts, goods))?,
            Self::Gift { .. } => zero,
        };
        // Nothing takes more off than there is.
        off.checked_min(value)
    }

    /// Whether the goods no longer earn the gift, if there is one: its line and stated price.
    #[must_use]
    pub fn lost_gift(&self, goods: &[Goods<'_>]) -> Option<(&OrderLineId, Money)> {
        let Self::Gift { minimum, gift, price } = self else { return None };
        let value = goods.iter().map(|goods| goods.value.minor()).fold(0, i64::saturating_add);
        (value < minimum.minor()).then_some((gift, *price))
    }

    /// Every amount in the terms.
    pub(super) fn amounts(&self) -> Vec<Money> {
        match self {
            Self::Threshold(steps) => steps
                .iter()
                .flat_map(|step| {
                    let off = match step.off {
                        Off::Amount(amount) => Some(amount),
                        Off::Share(_) => None,
                    };
                    [Some(step.minimum), off]
                })
                .flatten()
                .collect(),
            Self::Every { each, off, .. } => alloc::vec![*each, *off],
            Self::BuyGetFree { .. } | Self::QuantityBreak(_) => Vec::new(),
            Self::Set { off, .. } => alloc::vec![*off],
            Self::Gift { minimum, price, .. } => alloc::vec![*minimum, *price],
        }
    }

    /// Every line the terms name.
    pub(super) fn lines(&self) -> Vec<&OrderLineId> {
        match self {
            Self::Set { parts, .. } => parts.keys().collect(),
            Self::Gift { gift, .. } => alloc::vec![gift],
            Self::Threshold(_)
            | Self::Every { .. }
            | Self::BuyGetFree { .. }
            | Self::QuantityBreak(_) => Vec::new(),
        }
    }

    /// Whether steps ascend, counts are above zero and shares lie between 0 and 1.
    pub(super) fn is_sound(&self) -> bool {
        let is_share = |share: Exact| share >= Exact::from(0) && share <= Exact::from(1);
        match self {
            Self::Threshold(steps) => {
                !steps.is_empty()
                    && steps.is_sorted_by(|one, next| one.minimum.minor() < next.minimum.minor())
                    && steps.iter().all(|step| match step.off {
                        Off::Amount(_) => true,
                        Off::Share(share) => is_share(share),
                    })
            }
            Self::Every { each, most, .. } => each.is_positive() && *most != Some(0),
            Self::BuyGetFree { buy, free } => *buy > 0 && *free > 0,
            Self::QuantityBreak(steps) => {
                !steps.is_empty()
                    && steps.is_sorted_by(|one, next| one.units < next.units)
                    && steps.iter().all(|step| is_share(step.share))
            }
            Self::Set { parts, .. } => !parts.is_empty() && parts.values().all(|&units| units > 0),
            Self::Gift { .. } => true,
        }
    }
}

/// The worth of the free units: the cheapest ones, equals in the order of the lines.
fn cheapest(
    currency: Currency,
    goods: &[Goods<'_>],
    units: i64,
    buy: u32,
    free: u32,
) -> Result<Money, MoneyError> {
    let group = i64::from(buy).saturating_add(free.into());
    let groups = units.checked_div(group).unwrap_or(0);
    let mut open = groups.saturating_mul(free.into());
    let mut by_price: Vec<&Goods<'_>> = goods.iter().filter(|goods| goods.units > 0).collect();
    by_price.sort_by(|one, other| {
        let left = i128::from(one.value.minor()).saturating_mul(other.units.into());
        let right = i128::from(other.value.minor()).saturating_mul(one.units.into());
        left.cmp(&right)
    });
    let mut off = Money::zero(currency);
    for goods in by_price {
        let taken = open.min(goods.units);
        off = off.checked_add(goods.value.ladder(taken, goods.units)?)?;
        open = open.saturating_sub(taken);
    }
    Ok(off)
}

fn sets(parts: &BTreeMap<OrderLineId, u32>, goods: &[Goods<'_>]) -> i64 {
    let complete = |(line, needed): (&OrderLineId, &u32)| {
        let held = goods.iter().find(|goods| goods.line == line).map_or(0, |goods| goods.units);
        held.checked_div(i64::from(*needed)).unwrap_or(0)
    };
    parts.iter().map(complete).min().unwrap_or(0)
}

fn share_of(value: Money, share: Exact) -> Result<Money, MoneyError> {
    let currency = value.currency();
    let exact = value.amount().checked_mul(share.decimal());
    Money::rounded(exact.ok_or(MoneyError::TooLarge { currency })?, currency, Rounding::HalfUp)
}
