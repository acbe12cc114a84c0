//! Liability (责任判定): who bears the cost of what went wrong, in shares that sum to one.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::label::codes;
use crate::money::{Money, MoneyError};
use crate::number::Ratio;

codes! {
    /// Who is liable.
    pub enum Party "liable party" {
        /// The seller.
        Seller = "seller", "Seller", "商责";
        /// The buyer.
        Buyer = "buyer", "Buyer", "客责";
        /// The carrier.
        Carrier = "carrier", "Carrier", "物流责任";
        /// The marketplace.
        Platform = "platform", "Marketplace", "平台责任";
        /// A supplier.
        Supplier = "supplier", "Supplier", "供应商责任";
        /// The manufacturer.
        Manufacturer = "manufacturer", "Manufacturer", "生产责任";
        /// The warehouse.
        Warehouse = "warehouse", "Warehouse", "仓储责任";
        /// Nobody can tell.
        Undetermined = "undetermined", "Undetermined", "责任不明";
    }
}

/// Who bears something, in shares above zero that sum to exactly one.
///
/// ```
/// use aftersale::case::liability::{LiabilityError, Party, Shares};
/// use aftersale::money::{Money, currency::Currency};
/// use aftersale::number::Ratio;
/// let third = Ratio::new(1, 3)?;
/// let shares = Shares::new([(Party::Carrier, third), (Party::Seller, Ratio::new(2, 3)?)])?;
/// let label = Money::parse("10.00", Currency::CNY)?;
/// let parts: Vec<String> =
///     shares.split(label)?.iter().map(|(party, part)| format!("{party} {part}")).collect();
/// assert_eq!(parts, ["seller 6.67 CNY", "carrier 3.33 CNY"]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<Party, Ratio>", into = "BTreeMap<Party, Ratio>")]
pub struct Shares(BTreeMap<Party, Ratio>);

/// Who is liable for one line, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "LiabilityWire", into = "LiabilityWire")]
pub struct Liability(LiabilityWire);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LiabilityWire {
    shares: Shares,
    basis: String,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    evidence: BTreeSet<String>,
}

/// Shares that cannot stand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LiabilityError {
    /// A share is not above zero.
    #[error("the share of the {party} is {share}; leave a party without a share out")]
    NotAbove {
        /// The party.
        party: Party,
        /// Its share.
        share: Ratio,
    },
    /// The shares do not sum to one.
    #[error("the shares of liability do not sum to one")]
    NotOne,
    /// A text is too long.
    #[error("the basis of the liability has {bytes} bytes, at most {max} are kept", max = Liability::MAX_BASIS)]
    TooLong {
        /// The length.
        bytes: usize,
    },
}

impl Liability {
    /// The longest basis, in bytes.
    pub const MAX_BASIS: usize = 2_000;

    /// Liability in shares above zero that sum to exactly one.
    ///
    /// ```
    /// use aftersale::case::liability::{Liability, LiabilityError, Party};
    /// use aftersale::number::Ratio;
    /// let half = Ratio::new(1, 2).map_err(|_| LiabilityError::NotOne)?;
    /// let shared = [(Party::Carrier, half), (Party::Seller, half)];
    /// let liability = Liability::new(shared, "crushed box, thin carton", [])?;
    /// assert!(liability.share(Party::Buyer).is_none());
    /// # Ok::<(), LiabilityError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LiabilityError`] when a share is not above zero or the sum is not one.
    pub fn new(
        shares: impl IntoIterator<Item = (Party, Ratio)>,
        basis: impl Into<String>,
        evidence: impl IntoIterator<Item = String>,
    ) -> Result<Self, LiabilityError> {
        let shares = Shares::new(shares)?;
        let (basis, evidence) = (basis.into(), evidence.into_iter().collect());
        Self::try_from(LiabilityWire { shares, basis, evidence })
    }

    /// All shares.
    pub fn shares(&self) -> impl Iterator<Item = (Party, Ratio)> + '_ {
        self.0.shares.iter()
    }

    /// The shares as one whole.
    #[must_use]
    pub const fn whole(&self) -> &Shares {
        &self.0.shares
    }

    /// The share of one party, if it has one.
    #[must_use]
    pub fn share(&self, party: Party) -> Option<Ratio> {
        self.0.shares.of(party)
    }

    /// What it rests on.
    #[must_use]
    pub fn basis(&self) -> &str {
        &self.0.basis
    }

    /// References to what proves it.
    #[must_use]
    pub const fn evidence(&self) -> &BTreeSet<String> {
        &self.0.evidence
    }

    /// Whether the buyer bears all of it.
    #[must_use]
    pub fn is_all_the_buyers(&self) -> bool {
        self.share(Party::Buyer) == Some(Ratio::ONE)
    }
}

impl TryFrom<LiabilityWire> for Liability {
    type Error = LiabilityError;
    fn try_from(wire: LiabilityWire) -> Result<Self, LiabilityError> {
        let bytes = wire.basis.len();
        if bytes > Self::MAX_BASIS {
            return Err(LiabilityError::TooLong { bytes });
        }
        Ok(Self(wire))
    }
}

impl From<Liability> for LiabilityWire {
    fn from(liability: Liability) -> Self {
        liability.0
    }
}

impl Shares {
    /// Shares above zero that sum to exactly one.
    ///
    /// # Errors
    ///
    /// [`LiabilityError`] when a share is not above zero or the sum is not one.
    pub fn new(shares: impl IntoIterator<Item = (Party, Ratio)>) -> Result<Self, LiabilityError> {
        Self::try_from(shares.into_iter().collect::<BTreeMap<_, _>>())
    }

    /// One party bears all of it.
    #[must_use]
    pub fn only(party: Party) -> Self {
        Self([(party, Ratio::ONE)].into())
    }

    /// All shares, in the order of the parties.
    pub fn iter(&self) -> impl Iterator<Item = (Party, Ratio)> + '_ {
        self.0.iter().map(|(party, share)| (*party, *share))
    }

    /// The share of one party, if it has one.
    #[must_use]
    pub fn of(&self, party: Party) -> Option<Ratio> {
        self.0.get(&party).copied()
    }

    /// The shares as whole weights of one common sum.
    pub(super) fn weights(&self) -> Vec<(Party, i64)> {
        // The product of the denominators fits, or the value would not exist.
        let product = self.0.values().fold(1_i64, |p, share| p.saturating_mul(share.denominator()));
        let weight = |share: Ratio| {
            let unit = product.checked_div(share.denominator()).unwrap_or(0);
            unit.saturating_mul(share.numerator())
        };
        self.iter().map(|(party, share)| (party, weight(share))).collect()
    }

    /// Shares an amount out, each part whole in minor units, by the largest remainder.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] for an amount of absurd size.
    pub fn split(&self, amount: Money) -> Result<Vec<(Party, Money)>, MoneyError> {
        let weights: Vec<i64> = self.weights().into_iter().map(|(_, weight)| weight).collect();
        Ok(self.0.keys().copied().zip(amount.allocate(&weights)?).collect())
    }

    /// What one party bears of an amount.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] for an amount of absurd size.
    pub fn part(&self, party: Party, amount: Money) -> Result<Money, MoneyError> {
        let parts = self.split(amount)?;
        let own = parts.into_iter().find(|(of, _)| *of == party);
        Ok(own.map_or(Money::zero(amount.currency()), |(_, part)| part))
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (party, share)) in self.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{party} {share}")?;
        }
        Ok(())
    }
}

impl TryFrom<BTreeMap<Party, Ratio>> for Shares {
    type Error = LiabilityError;
    fn try_from(shares: BTreeMap<Party, Ratio>) -> Result<Self, LiabilityError> {
        for (&party, &share) in &shares {
            if share.numerator() <= 0 {
                return Err(LiabilityError::NotAbove { party, share });
            }
        }
        // Over the product of all denominators the numerators must sum to it: exact.
        let product = shares.values().try_fold(1_i128, |product, share| {
            product.checked_mul(share.denominator().into()).filter(|&p| p <= i64::MAX.into())
        });
        let sum = product.and_then(|product| {
            shares.values().try_fold(0_i128, |sum, share| {
                let part = product.checked_div(share.denominator().into())?;
                sum.checked_add(part.checked_mul(share.numerator().into())?)
            })
        });
        if shares.is_empty() || product.is_none() || sum != product {
            return Err(LiabilityError::NotOne);
        }
        Ok(Self(shares))
    }
}

impl From<Shares> for BTreeMap<Party, Ratio> {
    fn from(shares: Shares) -> Self {
        shares.0
    }
}
