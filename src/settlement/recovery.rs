//! Recovery: what suppliers, carriers and others owe the seller for a return.
//!
//! The cost of a return is shared out once by liability; what is claimed from each party is never
//! more than its share.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::text_ids;
use crate::money::Money;
use crate::money::MoneyError;
use crate::number::Exact;

text_ids! {
    /// Who is to bear a cost: a supplier, a carrier, a platform.
    DebtorId = "debtor id";
}

/// The cost of a return, shared out by liability, and what was claimed of it.
///
/// ```
/// use aftersale::money::{Money, currency::Currency};
/// use aftersale::settlement::recovery::{DebtorId, Recovery};
/// // a phone arrived broken: the carrier bears three quarters, the packer the rest
/// let (carrier, packer) = (DebtorId::new("SF-EXPRESS")?, DebtorId::new("PACKER-7")?);
/// let cost = Money::parse("649.99", Currency::CNY)?;
/// let shares = [(carrier.clone(), "0.75".parse()?), (packer, "0.25".parse()?)];
/// let mut recovery = Recovery::attribute(cost, &shares)?;
/// assert_eq!(recovery.open(&carrier).map(|m| m.to_string()), Some("487.49 CNY".into()));
/// recovery.claim(&carrier, Money::parse("487.49", Currency::CNY)?)?;
/// assert!(recovery.claim(&carrier, Money::parse("0.01", Currency::CNY)?).is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Attributed>", into = "Vec<Attributed>")]
pub struct Recovery {
    parts: Vec<Attributed>,
}

/// What one party bears of a cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attributed {
    /// The party.
    pub debtor: DebtorId,
    /// Its share of the cost.
    pub cost: Money,
    /// What was claimed of it so far, at most the cost.
    pub claimed: Money,
}

/// A recovery that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryRefused {
    /// The shares of liability do not make a whole.
    #[error("the shares of liability sum to {sum}, not to 1")]
    NotWhole {
        /// What they sum to.
        sum: Exact,
    },
    /// A share is below zero.
    #[error("the share of {debtor}, {share}, is below zero")]
    NegativeShare {
        /// The party.
        debtor: DebtorId,
        /// Its share.
        share: Exact,
    },
    /// A party is listed twice.
    #[error("{debtor} is listed twice")]
    Twice {
        /// The party.
        debtor: DebtorId,
    },
    /// The party bears nothing.
    #[error("{debtor} bears no part of the cost")]
    NotLiable {
        /// The party.
        debtor: DebtorId,
    },
    /// More is claimed than the party bears.
    #[error("{debtor}: {asked} claimed, {open} open")]
    ExceedsCost {
        /// The party.
        debtor: DebtorId,
        /// What was asked for.
        asked: Money,
        /// What is open.
        open: Money,
    },
    /// A cost or claim is below zero.
    #[error("{amount} is below zero")]
    Negative {
        /// The amount.
        amount: Money,
    },
    /// An amount cannot be computed.
    #[error(transparent)]
    Amount(#[from] MoneyError),
}

impl Recovery {
    /// Shares out a cost by shares of liability that sum to 1; largest remainder, so that no minor
    /// unit is lost.
    ///
    /// # Errors
    ///
    /// [`RecoveryRefused`] when the shares are no shares of one whole, or the cost is below zero.
    pub fn attribute(cost: Money, shares: &[(DebtorId, Exact)]) -> Result<Self, RecoveryRefused> {
        const STEPS: u32 = 9;
        if cost.is_negative() {
            return Err(RecoveryRefused::Negative { amount: cost });
        }
        let too_large = || MoneyError::TooLarge { currency: cost.currency() };
        let mut sum = rust_decimal::Decimal::ZERO;
        let mut weights = Vec::with_capacity(shares.len());
        for (position, (debtor, share)) in shares.iter().enumerate() {
            let earlier = shares.get(..position).unwrap_or_default();
            if earlier.iter().any(|(known, _)| known == debtor) {
                return Err(RecoveryRefused::Twice { debtor: debtor.clone() });
            }
            if *share < Exact::from(0) {
                let (debtor, share) = (debtor.clone(), *share);
                return Err(RecoveryRefused::NegativeShare { debtor, share });
            }
            sum = sum.checked_add(share.decimal()).ok_or_else(too_large)?;
            // Nine decimals of a share are enough for any liability.
            let scale = rust_decimal::Decimal::from(10_i64.pow(STEPS));
            let weight = share.decimal().checked_mul(scale).ok_or_else(too_large)?;
            weights.push(i64::try_from(weight.trunc()).map_err(|_| too_large())?);
        }
        if sum != rust_decimal::Decimal::ONE {
            return Err(RecoveryRefused::NotWhole { sum: Exact::new(sum) });
        }
        let parts = shares.iter().zip(cost.allocate(&weights)?);
        let claimed = Money::zero(cost.currency());
        let part = |((debtor, _), cost): (&(DebtorId, Exact), Money)| {
            let debtor = debtor.clone();
            Attributed { debtor, cost, claimed }
        };
        Ok(Self { parts: parts.map(part).collect() })
    }

    /// Who bears what.
    #[must_use]
    pub fn parts(&self) -> &[Attributed] {
        &self.parts
    }

    /// What can still be claimed from a party.
    #[must_use]
    pub fn open(&self, debtor: &DebtorId) -> Option<Money> {
        let part = self.parts.iter().find(|part| part.debtor == *debtor)?;
        part.cost.checked_sub(part.claimed).ok()
    }

    /// Notes a claim.
    ///
    /// # Errors
    ///
    /// [`RecoveryRefused`] when the party bears less than all that is claimed from it.
    pub fn claim(&mut self, debtor: &DebtorId, asked: Money) -> Result<(), RecoveryRefused> {
        if asked.is_negative() {
            return Err(RecoveryRefused::Negative { amount: asked });
        }
        let not_liable = || RecoveryRefused::NotLiable { debtor: debtor.clone() };
        let part = self.parts.iter_mut().find(|part| part.debtor == *debtor);
        let part = part.ok_or_else(not_liable)?;
        let open = part.cost.checked_sub(part.claimed)?;
        let claimed = part.claimed.checked_add(asked)?;
        if asked > open {
            return Err(RecoveryRefused::ExceedsCost { debtor: debtor.clone(), asked, open });
        }
        part.claimed = claimed;
        Ok(())
    }
}

impl TryFrom<Vec<Attributed>> for Recovery {
    type Error = RecoveryRefused;
    fn try_from(parts: Vec<Attributed>) -> Result<Self, RecoveryRefused> {
        for (position, part) in parts.iter().enumerate() {
            let earlier = parts.get(..position).unwrap_or_default();
            if earlier.iter().any(|known| known.debtor == part.debtor) {
                return Err(RecoveryRefused::Twice { debtor: part.debtor.clone() });
            }
            let open = part.cost.checked_sub(part.claimed)?;
            if part.claimed.is_negative() {
                return Err(RecoveryRefused::Negative { amount: part.claimed });
            }
            if open.is_negative() {
                let (debtor, asked) = (part.debtor.clone(), part.claimed);
                return Err(RecoveryRefused::ExceedsCost { debtor, asked, open: part.cost });
            }
        }
        Ok(Self { parts })
    }
}

impl From<Recovery> for Vec<Attributed> {
    fn from(recovery: Recovery) -> Self {
        recovery.parts
    }
}
