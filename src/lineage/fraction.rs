//! Exact fractions of any size, zero or more.
//!
//! Shares that are worked out without times (see [`composition`](super::composition)) have
//! denominators that no machine integer holds. A fraction is always in lowest terms, so equal
//! fractions are equal values; an operation that would pass [`MAX_BITS`] gives `None` instead of
//! running away.

mod natural;

use core::cmp::Ordering;
use core::fmt;

use serde::{Serialize, Serializer};

use crate::number::Ratio;
use natural::Natural;

/// The most bits of a numerator or denominator: more than 1,200 decimal digits.
pub const MAX_BITS: usize = 4_096;

/// A fraction of two whole numbers of any size, zero or more, in lowest terms.
///
/// ```
/// use aftersale::lineage::fraction::Fraction;
/// let eighth = Fraction::new(25, 200).ok_or("zero")?;
/// assert_eq!(eighth.to_string(), "1/8");
/// assert_eq!(eighth.to_decimal(4), "0.1250");
/// assert!(eighth < Fraction::ONE);
/// # Ok::<(), &str>(())
/// ```
///
/// On the wire: text as displayed, `"1/8"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fraction {
    numerator: Natural,
    denominator: Natural,
}

impl Fraction {
    /// Nothing.
    pub const ZERO: Self = Self { numerator: Natural::ZERO, denominator: Natural::ONE };
    /// All.
    pub const ONE: Self = Self { numerator: Natural::ONE, denominator: Natural::ONE };

    /// `numerator / denominator`; none when the denominator is zero.
    #[must_use]
    pub fn new(numerator: u64, denominator: u64) -> Option<Self> {
        Self::reduced(&Natural::from(numerator), &Natural::from(denominator))
    }

    fn reduced(numerator: &Natural, denominator: &Natural) -> Option<Self> {
        if denominator.is_zero() {
            return None;
        }
        let common = numerator.gcd(denominator);
        let (numerator, denominator) = (numerator.over(&common), denominator.over(&common));
        let bits = numerator.bits().max(denominator.bits());
        (bits <= MAX_BITS).then_some(Self { numerator, denominator })
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.numerator.is_zero()
    }

    /// The sum; none past [`MAX_BITS`].
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        if self.is_zero() {
            return Some(other.clone());
        }
        let left = self.numerator.times(&other.denominator);
        let right = other.numerator.times(&self.denominator);
        Self::reduced(&left.plus(&right), &self.denominator.times(&other.denominator))
    }

    /// The difference; none below zero and past [`MAX_BITS`].
    #[must_use]
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        let left = self.numerator.times(&other.denominator);
        let right = other.numerator.times(&self.denominator);
        Self::reduced(&left.minus(&right)?, &self.denominator.times(&other.denominator))
    }

    /// The product; none past [`MAX_BITS`].
    #[must_use]
    pub fn checked_mul(&self, other: &Self) -> Option<Self> {
        let numerator = self.numerator.times(&other.numerator);
        Self::reduced(&numerator, &self.denominator.times(&other.denominator))
    }

    /// The quotient; none for a division by zero and past [`MAX_BITS`].
    #[must_use]
    pub fn checked_div(&self, other: &Self) -> Option<Self> {
        let numerator = self.numerator.times(&other.denominator);
        Self::reduced(&numerator, &self.denominator.times(&other.numerator))
    }

    /// The same number as a ratio of machine integers, where it fits.
    #[must_use]
    pub fn to_ratio(&self) -> Option<Ratio> {
        let small = |part: &Natural| part.to_u64().and_then(|part| i64::try_from(part).ok());
        Ratio::new(small(&self.numerator)?, small(&self.denominator)?).ok()
    }

    /// The value in decimals, cut after so many places: for people to read.
    #[must_use]
    pub fn to_decimal(&self, places: usize) -> alloc::string::String {
        let (whole, mut rest) = self.numerator.divided(&self.denominator);
        let mut text = alloc::format!("{whole}");
        if places > 0 {
            text.push('.');
        }
        for _ in 0..places {
            let (digit, after) = rest.times(&Natural::from(10)).divided(&self.denominator);
            text.push_str(&alloc::format!("{digit}"));
            rest = after;
        }
        text
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = self.numerator.times(&other.denominator);
        left.cmp(&other.numerator.times(&self.denominator))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
