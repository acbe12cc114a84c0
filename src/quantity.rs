//! Quantities: whole numbers of the smallest step of a unit, and exact conversion between units.
//!
//! A quantity is never negative, never a float, and never finer than its unit. A conversion that
//! does not come out whole is refused, so nothing is lost between boxes, pieces and kilograms.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use core::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::number::{NumberError, Ratio, excerpt, parse_decimal};

/// A unit of measure: a short code and how many decimals are counted.
///
/// Built-in codes: `pcs`, `pair`, `set`, `box`, `carton` (whole); `kg`, `l`, `m` (3 decimals);
/// `g`, `ml`, `mm`, `cm` (whole). Any other code states its decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Unit {
    code: [u8; Self::MAX_BYTES],
    digits: u8,
}

impl Unit {
    /// The longest code, in bytes.
    pub const MAX_BYTES: usize = 12;
    /// The most decimals of a unit.
    pub const MAX_DIGITS: u8 = 6;
    /// Pieces: the unit of most goods.
    pub const PIECE: Self = Self { code: *b"pcs\0\0\0\0\0\0\0\0\0", digits: 0 };

    /// A built-in unit.
    ///
    /// # Errors
    ///
    /// [`QuantityError::UnknownUnit`].
    pub fn known(code: &str) -> Result<Self, QuantityError> {
        let digits =
            known_digits(code).ok_or_else(|| QuantityError::UnknownUnit { code: excerpt(code) })?;
        Self::with_digits(code, digits)
    }

    /// A unit with stated decimals.
    ///
    /// # Errors
    ///
    /// [`QuantityError::NotAUnit`] unless the code is 1 to 12 lower-case letters, digits or `_`;
    /// also for more than [`Self::MAX_DIGITS`] decimals.
    pub fn with_digits(code: &str, digits: u8) -> Result<Self, QuantityError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let not_a_unit = || QuantityError::NotAUnit { code: excerpt(code) };
        if digits > Self::MAX_DIGITS || code.is_empty() || !code.bytes().all(plain) {
            return Err(not_a_unit());
        }
        let mut bytes = [0; Self::MAX_BYTES];
        bytes.get_mut(..code.len()).ok_or_else(not_a_unit)?.copy_from_slice(code.as_bytes());
        Ok(Self { code: bytes, digits })
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        let text = core::str::from_utf8(&self.code).unwrap_or_default();
        text.trim_end_matches('\0')
    }

    /// How many decimals are counted.
    #[must_use]
    pub const fn digits(self) -> u8 {
        self.digits
    }
}

fn known_digits(code: &str) -> Option<u8> {
    match code {
        "pcs" | "pair" | "set" | "box" | "carton" | "g" | "ml" | "mm" | "cm" => Some(0),
        "kg" | "l" | "m" => Some(3),
        _ => None,
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl TryFrom<String> for Unit {
    type Error = QuantityError;
    fn try_from(text: String) -> Result<Self, QuantityError> {
        let Some((code, digits)) = text.split_once(':') else {
            return Self::known(&text);
        };
        let digits = digits.parse();
        Self::with_digits(
            code,
            digits.map_err(|_| QuantityError::NotAUnit { code: excerpt(&text) })?,
        )
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        if known_digits(unit.code()) == Some(unit.digits) {
            unit.code().into()
        } else {
            alloc::format!("{}:{}", unit.code(), unit.digits)
        }
    }
}

/// How much of something: zero or more, in whole steps of the unit.
///
/// On the wire `{"amount":"1.250","unit":"kg"}`.
///
/// ```
/// use aftersale::quantity::{Quantity, QuantityError, Unit};
/// let milk = Quantity::parse("1.250", Unit::known("l")?)?;
/// assert_eq!(milk.steps(), 1250);
/// assert_eq!(Quantity::pieces(3)?.to_string(), "3 pcs");
/// # Ok::<(), QuantityError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "QuantityWire", into = "QuantityWire")]
pub struct Quantity {
    steps: i64,
    unit: Unit,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuantityWire {
    amount: String,
    unit: Unit,
}

impl TryFrom<QuantityWire> for Quantity {
    type Error = QuantityError;
    fn try_from(wire: QuantityWire) -> Result<Self, QuantityError> {
        Self::parse(&wire.amount, wire.unit)
    }
}

impl From<Quantity> for QuantityWire {
    fn from(quantity: Quantity) -> Self {
        Self { amount: quantity.amount().to_string(), unit: quantity.unit }
    }
}

/// A quantity that cannot be read or computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantityError {
    /// The code is not a built-in unit.
    #[error("`{code}` is not a built-in unit; state its decimals to use it")]
    UnknownUnit {
        /// The code, shortened.
        code: String,
    },
    /// The code cannot name a unit.
    #[error("`{code}` cannot name a unit: 1 to 12 small letters and digits, at most 6 decimals")]
    NotAUnit {
        /// The code, shortened.
        code: String,
    },
    /// A quantity is zero or more.
    #[error("the quantity would be {steps} steps of {unit}, below zero")]
    Negative {
        /// The steps found.
        steps: i64,
        /// The unit.
        unit: Unit,
    },
    /// The number has more decimals than the unit counts.
    #[error("{amount} is finer than {unit} is counted")]
    TooFine {
        /// The number as written.
        amount: String,
        /// The unit.
        unit: Unit,
    },
    /// The quantity does not fit in 63 bits of steps.
    #[error("the quantity in {unit} is too large to be held exactly")]
    TooLarge {
        /// The unit.
        unit: Unit,
    },
    /// Two units met that have no factor between them.
    #[error("{left} and {right} have no factor between them")]
    UnitMismatch {
        /// The unit at hand.
        left: Unit,
        /// The other unit.
        right: Unit,
    },
    /// The conversion does not come out whole.
    #[error("{quantity} is not a whole number of steps of {unit}")]
    Inexact {
        /// The quantity given.
        quantity: Quantity,
        /// The unit asked for.
        unit: Unit,
    },
    /// A factor between units is above zero.
    #[error("the factor {factor} between units is not above zero")]
    BadFactor {
        /// The factor given.
        factor: Ratio,
    },
    /// The number cannot be read.
    #[error(transparent)]
    Number(#[from] NumberError),
}

impl Quantity {
    /// `steps` smallest steps of a unit.
    ///
    /// # Errors
    ///
    /// [`QuantityError::Negative`] below zero.
    pub const fn new(steps: i64, unit: Unit) -> Result<Self, QuantityError> {
        if steps < 0 {
            return Err(QuantityError::Negative { steps, unit });
        }
        Ok(Self { steps, unit })
    }

    /// `count` pieces.
    ///
    /// # Errors
    ///
    /// [`QuantityError::Negative`] below zero.
    pub const fn pieces(count: i64) -> Result<Self, QuantityError> {
        Self::new(count, Unit::PIECE)
    }

    /// Nothing of a unit.
    #[must_use]
    pub const fn zero(unit: Unit) -> Self {
        Self { steps: 0, unit }
    }

    /// Reads a plain decimal such as `1.250`.
    ///
    /// # Errors
    ///
    /// When it is not a plain decimal, finer than the unit, below zero, or too large.
    pub fn parse(text: &str, unit: Unit) -> Result<Self, QuantityError> {
        let value = parse_decimal(text)?.normalize();
        let digits = u32::from(unit.digits);
        let Some(missing) = digits.checked_sub(value.scale()) else {
            return Err(QuantityError::TooFine { amount: excerpt(text), unit });
        };
        let steps = 10_i128
            .checked_pow(missing)
            .and_then(|factor| value.mantissa().checked_mul(factor))
            .and_then(|steps| i64::try_from(steps).ok())
            .ok_or(QuantityError::TooLarge { unit })?;
        Self::new(steps, unit)
    }

    /// The number of smallest steps.
    #[must_use]
    pub const fn steps(self) -> i64 {
        self.steps
    }

    /// The unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        self.unit
    }

    /// The amount in whole units.
    #[must_use]
    pub fn amount(self) -> Decimal {
        Decimal::from_i128_with_scale(self.steps.into(), self.unit.digits.into())
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.steps == 0
    }

    /// `self + other`.
    ///
    /// # Errors
    ///
    /// [`QuantityError::UnitMismatch`], [`QuantityError::TooLarge`].
    pub fn checked_add(self, other: Self) -> Result<Self, QuantityError> {
        let other = self.same(other)?;
        let steps = self.steps.checked_add(other.steps);
        let steps = steps.ok_or(QuantityError::TooLarge { unit: self.unit })?;
        Self::new(steps, self.unit)
    }

    /// `self - other`.
    ///
    /// # Errors
    ///
    /// [`QuantityError::UnitMismatch`], [`QuantityError::Negative`].
    pub fn checked_sub(self, other: Self) -> Result<Self, QuantityError> {
        let other = self.same(other)?;
        Self::new(self.steps.saturating_sub(other.steps), self.unit)
    }

    /// The sum of quantities of one unit; nothing sums to zero.
    ///
    /// # Errors
    ///
    /// [`QuantityError::UnitMismatch`], [`QuantityError::TooLarge`].
    pub fn sum(
        unit: Unit,
        quantities: impl IntoIterator<Item = Self>,
    ) -> Result<Self, QuantityError> {
        quantities.into_iter().try_fold(Self::zero(unit), Self::checked_add)
    }

    fn same(self, other: Self) -> Result<Self, QuantityError> {
        if self.unit == other.unit {
            return Ok(other);
        }
        Err(QuantityError::UnitMismatch { left: self.unit, right: other.unit })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.unit)
    }
}

/// The units of one article: a base unit and, for each other unit, how many base units it is.
///
/// ```
/// use aftersale::number::Ratio;
/// use aftersale::quantity::{Quantity, QuantityError, Unit, UnitTable};
/// let carton = Unit::known("carton")?;
/// let table = UnitTable::new(Unit::PIECE, [(carton, Ratio::new(12, 1)?)])?;
/// let two = Quantity::new(2, carton)?;
/// assert_eq!(table.convert(two, Unit::PIECE)?, Quantity::pieces(24)?);
/// assert!(table.convert(Quantity::pieces(30)?, carton).is_err()); // two and a half cartons
/// # Ok::<(), QuantityError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "UnitTableWire", into = "UnitTableWire")]
pub struct UnitTable {
    base: Unit,
    factors: BTreeMap<Unit, Ratio>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitTableWire {
    base: Unit,
    #[serde(default)]
    factors: BTreeMap<Unit, Ratio>,
}

impl TryFrom<UnitTableWire> for UnitTable {
    type Error = QuantityError;
    fn try_from(wire: UnitTableWire) -> Result<Self, QuantityError> {
        Self::new(wire.base, wire.factors)
    }
}

impl From<UnitTable> for UnitTableWire {
    fn from(table: UnitTable) -> Self {
        Self { base: table.base, factors: table.factors }
    }
}

impl UnitTable {
    /// A table from the base unit and the factors of the others to it.
    ///
    /// # Errors
    ///
    /// [`QuantityError::BadFactor`] for a factor that is not above zero.
    pub fn new(
        base: Unit,
        factors: impl IntoIterator<Item = (Unit, Ratio)>,
    ) -> Result<Self, QuantityError> {
        let factors: BTreeMap<_, _> = factors.into_iter().collect();
        if let Some(&factor) = factors.values().find(|factor| factor.numerator() <= 0) {
            return Err(QuantityError::BadFactor { factor });
        }
        Ok(Self { base, factors })
    }

    /// The base unit.
    #[must_use]
    pub const fn base(&self) -> Unit {
        self.base
    }

    /// The same quantity in another unit, exactly.
    ///
    /// # Errors
    ///
    /// [`QuantityError::UnitMismatch`] without a factor; [`QuantityError::Inexact`] when it does not
    /// come out whole; [`QuantityError::TooLarge`].
    pub fn convert(&self, quantity: Quantity, to: Unit) -> Result<Quantity, QuantityError> {
        let from = quantity.unit;
        if from == to {
            return Ok(quantity);
        }
        let mismatch = QuantityError::UnitMismatch { left: from, right: to };
        let factor = |unit: Unit| {
            if unit == self.base { Some(Ratio::ONE) } else { self.factors.get(&unit).copied() }
        };
        let (Some(up), Some(down)) = (factor(from), factor(to)) else { return Err(mismatch) };
        let wide = || -> Option<(i128, i128)> {
            let above = i128::from(quantity.steps)
                .checked_mul(up.numerator().into())?
                .checked_mul(down.denominator().into())?
                .checked_mul(10_i128.checked_pow(to.digits.into())?)?;
            let below = i128::from(up.denominator())
                .checked_mul(down.numerator().into())?
                .checked_mul(10_i128.checked_pow(from.digits.into())?)?;
            Some((above, below))
        };
        let (above, below) = wide().ok_or(QuantityError::TooLarge { unit: to })?;
        if above.checked_rem(below) != Some(0) {
            return Err(QuantityError::Inexact { quantity, unit: to });
        }
        let steps = above.checked_div(below).and_then(|steps| i64::try_from(steps).ok());
        Quantity::new(steps.ok_or(QuantityError::TooLarge { unit: to })?, to)
    }

    /// The same quantity in the base unit.
    ///
    /// # Errors
    ///
    /// As [`UnitTable::convert`].
    pub fn to_base(&self, quantity: Quantity) -> Result<Quantity, QuantityError> {
        self.convert(quantity, self.base)
    }
}
