//! Liability (责任判定): who bears the cost of what went wrong, in shares that sum to one.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::label::codes;
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

/// Who is liable for one line, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "LiabilityWire", into = "LiabilityWire")]
pub struct Liability(LiabilityWire);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LiabilityWire {
    shares: BTreeMap<Party, Ratio>,
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
        let shares: BTreeMap<Party, Ratio> = shares.into_iter().collect();
        let (basis, evidence) = (basis.into(), evidence.into_iter().collect());
        Self::try_from(LiabilityWire { shares, basis, evidence })
    }

    /// All shares.
    pub fn shares(&self) -> impl Iterator<Item = (Party, Ratio)> + '_ {
        self.0.shares.iter().map(|(party, share)| (*party, *share))
    }

    /// The share of one party, if it has one.
    #[must_use]
    pub fn share(&self, party: Party) -> Option<Ratio> {
        self.0.shares.get(&party).copied()
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
        for (&party, &share) in &wire.shares {
            if share.numerator() <= 0 {
                return Err(LiabilityError::NotAbove { party, share });
            }
        }
        let bytes = wire.basis.len();
        if bytes > Self::MAX_BASIS {
            return Err(LiabilityError::TooLong { bytes });
        }
        // Over the product of all denominators the numerators must sum to it: exact.
        let product = wire.shares.values().try_fold(1_i128, |product, share| {
            product.checked_mul(share.denominator().into()).filter(|&p| p <= i64::MAX.into())
        });
        let sum = product.and_then(|product| {
            wire.shares.values().try_fold(0_i128, |sum, share| {
                let part = product.checked_div(share.denominator().into())?;
                sum.checked_add(part.checked_mul(share.numerator().into())?)
            })
        });
        if wire.shares.is_empty() || product.is_none() || sum != product {
            return Err(LiabilityError::NotOne);
        }
        Ok(Self(wire))
    }
}

impl From<Liability> for LiabilityWire {
    fn from(liability: Liability) -> Self {
        liability.0
    }
}
