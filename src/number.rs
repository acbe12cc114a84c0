//! Exact numbers: decimals as text on the wire, ratios of whole numbers, named rounding.
//!
//! A bare [`Decimal`] is never serialized: another crate in the host's build can switch its wire
//! form to a float. [`Exact`] always writes text.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::label::codes;

/// An exact decimal, written as text: `"0.15"`.
///
/// At most 28 significant digits. `1.0` and `1.00` are equal; the wire keeps no trailing zeros.
///
/// ```
/// use aftersale::number::Exact;
/// let share: Exact = "0.150".parse()?;
/// assert_eq!(share.to_string(), "0.15");
/// # Ok::<(), aftersale::number::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exact(Decimal);

impl Exact {
    /// Wraps a decimal.
    #[must_use]
    pub fn new(value: Decimal) -> Self {
        Self(value.normalize())
    }

    /// The decimal.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        self.0
    }
}

impl From<i64> for Exact {
    fn from(value: i64) -> Self {
        Self(Decimal::from(value))
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl FromStr for Exact {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        parse_decimal(text).map(Self::new)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Reads a plain decimal: an optional minus sign, digits, an optional fraction; nothing else.
///
/// # Errors
///
/// [`NumberError::NotADecimal`] for anything else, and for more than 28 significant digits.
pub fn parse_decimal(text: &str) -> Result<Decimal, NumberError> {
    let wrong = || NumberError::NotADecimal { text: excerpt(text) };
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if text.len() > 32 || !plain(whole) || !plain(fraction) {
        return Err(wrong());
    }
    Decimal::from_str_exact(text).map_err(|_| wrong())
}

/// The first characters of a text that was not understood, for an error message.
pub(crate) fn excerpt(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// A ratio of two whole numbers, such as a unit factor (12 pieces to 1 box) or a threshold (2 of 3).
///
/// The lower number is above zero; the ratio is kept in lowest terms, so equal ratios are equal
/// values.
///
/// ```
/// use aftersale::number::Ratio;
/// let two_thirds = Ratio::new(4, 6)?;
/// assert_eq!((two_thirds.numerator(), two_thirds.denominator()), (2, 3));
/// # Ok::<(), aftersale::number::NumberError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RatioWire", into = "RatioWire")]
pub struct Ratio {
    numerator: i64,
    denominator: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RatioWire {
    numerator: i64,
    denominator: i64,
}

impl TryFrom<RatioWire> for Ratio {
    type Error = NumberError;
    fn try_from(wire: RatioWire) -> Result<Self, NumberError> {
        Self::new(wire.numerator, wire.denominator)
    }
}

impl From<Ratio> for RatioWire {
    fn from(ratio: Ratio) -> Self {
        Self { numerator: ratio.numerator, denominator: ratio.denominator }
    }
}

impl Ratio {
    /// One.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };
    /// Zero.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// `numerator / denominator` in lowest terms.
    ///
    /// # Errors
    ///
    /// [`NumberError::BadRatio`] when the denominator is not above zero.
    pub fn new(numerator: i64, denominator: i64) -> Result<Self, NumberError> {
        if denominator <= 0 || numerator == i64::MIN {
            return Err(NumberError::BadRatio { numerator, denominator });
        }
        let common = greatest_common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs());
        let common = i64::try_from(common).unwrap_or(1).max(1);
        Ok(Self {
            numerator: numerator.checked_div(common).unwrap_or(numerator),
            denominator: denominator.checked_div(common).unwrap_or(denominator),
        })
    }

    /// The upper number.
    #[must_use]
    pub const fn numerator(self) -> i64 {
        self.numerator
    }

    /// The lower number, above zero.
    #[must_use]
    pub const fn denominator(self) -> i64 {
        self.denominator
    }

    /// `value * self`, rounded.
    ///
    /// # Errors
    ///
    /// [`NumberError::TooLarge`] when the result does not fit.
    pub fn of(self, value: i64, rounding: Rounding) -> Result<i64, NumberError> {
        let product = i128::from(value)
            .checked_mul(i128::from(self.numerator))
            .ok_or(NumberError::TooLarge)?;
        let rounded = divide(product, i128::from(self.denominator), rounding)?;
        i64::try_from(rounded).map_err(|_| NumberError::TooLarge)
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        let left = i128::from(self.numerator).saturating_mul(i128::from(other.denominator));
        let right = i128::from(other.numerator).saturating_mul(i128::from(self.denominator));
        left.cmp(&right)
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// The greatest common divisor; of zero and `n` it is `n`.
#[must_use]
pub const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = match a.checked_rem(b) {
            Some(rest) => (b, rest),
            None => (a, 0),
        };
    }
    a
}

codes! {
    /// How a value between two steps is settled.
    pub enum Rounding "rounding" {
        /// To the nearest step; an exact half goes away from zero (commercial rounding).
        HalfUp = "half_up", "Half up", "四舍五入";
        /// To the nearest step; an exact half goes to the even step (banker's rounding).
        HalfEven = "half_even", "Half to even", "四舍六入五成双";
        /// To the nearest step; an exact half goes toward zero.
        HalfDown = "half_down", "Half down", "五舍六入";
        /// Away from zero.
        Up = "up", "Away from zero", "进位";
        /// Toward zero.
        Down = "down", "Toward zero", "截位";
    }
}

/// `numerator / denominator` rounded to a whole number.
///
/// # Errors
///
/// [`NumberError::TooLarge`] when the denominator is not above zero or the result does not fit.
pub fn divide(numerator: i128, denominator: i128, rounding: Rounding) -> Result<i128, NumberError> {
    if denominator <= 0 {
        return Err(NumberError::TooLarge);
    }
    let quotient = numerator.checked_div(denominator).ok_or(NumberError::TooLarge)?;
    let rest = numerator.checked_rem(denominator).ok_or(NumberError::TooLarge)?;
    let away = match rounding {
        _ if rest == 0 => false,
        Rounding::Up => true,
        Rounding::Down => false,
        Rounding::HalfUp => !below_half(rest, denominator),
        Rounding::HalfDown => above_half(rest, denominator),
        Rounding::HalfEven => {
            above_half(rest, denominator)
                || (!below_half(rest, denominator) && quotient.checked_rem(2) != Some(0))
        }
    };
    if !away {
        return Ok(quotient);
    }
    quotient.checked_add(numerator.signum()).ok_or(NumberError::TooLarge)
}

fn below_half(rest: i128, whole: i128) -> bool {
    let rest = rest.unsigned_abs();
    rest < whole.unsigned_abs().abs_diff(rest)
}

fn above_half(rest: i128, whole: i128) -> bool {
    let rest = rest.unsigned_abs();
    rest > whole.unsigned_abs().abs_diff(rest)
}

/// A number that cannot be read or held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// The text is not a plain decimal of at most 28 digits.
    #[error("`{text}` is not a plain decimal such as 12.50")]
    NotADecimal {
        /// The text, shortened.
        text: String,
    },
    /// The denominator of a ratio is not above zero.
    #[error("{numerator}/{denominator} is not a ratio: the lower number must be above zero")]
    BadRatio {
        /// The upper number.
        numerator: i64,
        /// The lower number.
        denominator: i64,
    },
    /// The result is larger than this crate can hold.
    #[error("the number is too large to be held exactly")]
    TooLarge,
}
