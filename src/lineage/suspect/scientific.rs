//! Probabilities far below what a float can hold, in whole numbers.
//!
//! Inside, a value is `mantissa * 2^exponent` with a 64-bit mantissa, each step rounded once (an
//! error below 2^-63 of the value). Outside, a [`Probability`] is 18 decimal digits and a base-10
//! exponent. No float; the logarithm is worked out bit by bit.

use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::{Exact, NumberError, excerpt};

/// A probability: a mantissa of 18 digits and a base-10 exponent, in `0..=1`.
///
/// ```
/// use aftersale::lineage::suspect::scientific::Probability;
/// let p: Probability = "3.25e-117".parse()?;
/// assert!(p < Probability::ONE);
/// assert_eq!(p.to_string(), "3.25e-117");
/// assert_eq!(format!("{p:.1}"), "3.2e-117");
/// # Ok::<(), aftersale::number::NumberError>(())
/// ```
///
/// On the wire: text as displayed, `"3.25e-117"`. Read as well: `"0.05"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Probability {
    /// The digits, as a whole number of 18 digits; zero only for the value zero.
    mantissa: u64,
    /// The power of ten of the first digit.
    exponent: i32,
}

const DIGITS: u32 = 18;
const LOW: u64 = 10_u64.pow(DIGITS - 1);
const HIGH: u64 = 10_u64.pow(DIGITS);

impl Probability {
    /// Certain.
    pub const ONE: Self = Self { mantissa: LOW, exponent: 0 };

    /// The digits as a whole number of 18 digits: the value is `mantissa * 10^(exponent - 17)`.
    #[must_use]
    pub const fn mantissa(self) -> u64 {
        self.mantissa
    }

    /// The power of ten of the first digit: `-117` for `3.25e-117`.
    #[must_use]
    pub const fn exponent(self) -> i32 {
        self.exponent
    }

    /// The base-10 logarithm, to six decimals (the nearest); none of zero.
    ///
    /// ```
    /// use aftersale::lineage::suspect::scientific::Probability;
    /// let p: Probability = "3.25e-117".parse()?;
    /// assert_eq!(p.log10().map(|log| log.to_string()).as_deref(), Some("-116.488117"));
    /// # Ok::<(), aftersale::number::NumberError>(())
    /// ```
    #[must_use]
    pub fn log10(self) -> Option<Exact> {
        const POINT: u32 = 60;
        const BITS: u32 = 40;
        const DECIMALS: u32 = 6;
        if self.mantissa == 0 {
            return None;
        }
        // The digits as a number from one to ten. Each squaring doubles the logarithm; where that
        // passes ten, the next binary digit of the logarithm is one.
        let ten = 10_u128 << POINT;
        let mut digits = (u128::from(self.mantissa) << POINT).checked_div(LOW.into())?;
        let mut fraction = 0_i128;
        for _ in 0..BITS {
            digits = digits.checked_mul(digits)? >> POINT;
            fraction <<= 1;
            if digits >= ten {
                digits = digits.checked_div(10)?;
                fraction |= 1;
            }
        }
        let million = 10_i128.pow(DECIMALS);
        let half = 1_i128 << (BITS - 1);
        let rounded = fraction.saturating_mul(million).saturating_add(half) >> BITS;
        let all = i128::from(self.exponent).saturating_mul(million).saturating_add(rounded);
        Some(Exact::new(Decimal::try_from_i128_with_scale(all, DECIMALS).ok()?))
    }

    /// A value of at most one; larger ones count as one.
    pub(crate) fn capped(value: Big) -> Self {
        value.to_decimal().min(Self::ONE)
    }

    pub(crate) fn big(self) -> Big {
        let mut value = Big::new(self.mantissa, 0);
        let power = self.exponent.saturating_sub(DIGITS.cast_signed().saturating_sub(1));
        for _ in 0..power.unsigned_abs() {
            value = if power < 0 { value.over(10) } else { value.times(10) };
        }
        value
    }
}

impl PartialOrd for Probability {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Probability {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |p: &Self| (p.mantissa != 0, p.exponent, p.mantissa);
        key(self).cmp(&key(other))
    }
}

impl fmt::Display for Probability {
    /// All digits without trailing zeros, or as many decimals as the precision asks (cut, not
    /// rounded, so a value never looks smaller than a limit it passed).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.mantissa / LOW;
        let rest = alloc::format!("{:017}", self.mantissa % LOW);
        let shown = match f.precision() {
            Some(decimals) => rest.get(..decimals.min(rest.len())).unwrap_or(&rest),
            None => rest.trim_end_matches('0'),
        };
        let dot = if shown.is_empty() { "" } else { "." };
        f.pad_integral(true, "", &alloc::format!("{first}{dot}{shown}e{}", self.exponent))
    }
}

impl FromStr for Probability {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        let wrong = || NumberError::NotADecimal { text: excerpt(text) };
        let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (first, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if first.len() != 1 || rest.len() > 17 || !plain(first) || !plain(rest) {
            return Err(wrong());
        }
        // A limit that a person writes, such as 0.05, is 5e-2.
        let zeros = rest.len().saturating_sub(rest.trim_start_matches('0').len());
        let leading = if first == "0" { rest.split_at_checked(zeros) } else { None };
        let shifted = leading.and_then(|(_, digits)| digits.split_at_checked(1));
        let (first, rest) = shifted.unwrap_or((first, rest));
        let places = shifted.map_or(0, |_| zeros.saturating_add(1));
        let exponent: i32 = exponent.parse().map_err(|_| wrong())?;
        let exponent = exponent.checked_sub(i32::try_from(places).map_err(|_| wrong())?);
        let exponent = exponent.ok_or_else(wrong)?;
        let mantissa: u64 = alloc::format!("{first}{rest:0<17}").parse().map_err(|_| wrong())?;
        let value = Self { mantissa, exponent: if mantissa == 0 { 0 } else { exponent } };
        let in_range = exponent >= -1_000_000_000 && value <= Self::ONE;
        if in_range && (mantissa == 0 || mantissa >= LOW) { Ok(value) } else { Err(wrong()) }
    }
}

impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A number of zero or more with a wide exponent: `mantissa * 2^exponent`, top bit set unless zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Big {
    mantissa: u64,
    exponent: i64,
}

impl Big {
    pub(crate) const ZERO: Self = Self { mantissa: 0, exponent: 0 };
    pub(crate) const ONE: Self = Self { mantissa: 1 << 63, exponent: -63 };

    pub(crate) const fn new(mantissa: u64, exponent: i64) -> Self {
        if mantissa == 0 {
            return Self::ZERO;
        }
        let shift = mantissa.leading_zeros();
        Self { mantissa: mantissa << shift, exponent: exponent.saturating_sub(shift as i64) }
    }

    fn wide(value: u128, exponent: i64) -> Self {
        let excess = 64_u32.saturating_sub(value.leading_zeros());
        if excess == 0 {
            return Self::new(value as u64, exponent);
        }
        let rounded = (value >> excess).saturating_add(value >> excess.saturating_sub(1) & 1);
        let exponent = exponent.saturating_add(excess.into());
        match u64::try_from(rounded) {
            Ok(mantissa) => Self::new(mantissa, exponent),
            Err(_) => Self::new(1 << 63, exponent.saturating_add(1)),
        }
    }

    pub(crate) fn times(self, factor: u64) -> Self {
        Self::wide(u128::from(self.mantissa).saturating_mul(factor.into()), self.exponent)
    }

    /// Divided by a number above zero; dividing by zero leaves the value as it is.
    pub(crate) fn over(self, divisor: u64) -> Self {
        let divisor = u128::from(divisor.max(1));
        let quotient = (u128::from(self.mantissa) << 64).checked_div(divisor).unwrap_or(0);
        Self::wide(quotient, self.exponent.saturating_sub(64))
    }

    pub(crate) fn product(self, other: Self) -> Self {
        let wide = u128::from(self.mantissa).saturating_mul(other.mantissa.into());
        Self::wide(wide, self.exponent.saturating_add(other.exponent))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let (large, small) = if self >= other { (self, other) } else { (other, self) };
        let apart = large.exponent.saturating_sub(small.exponent);
        if small.mantissa == 0 || apart > 63 {
            return large;
        }
        let sum = (u128::from(large.mantissa) << 63)
            .saturating_add((u128::from(small.mantissa) << 63) >> apart);
        Self::wide(sum, large.exponent.saturating_sub(63))
    }

    /// Whether adding this to `sum` changes nothing any more.
    pub(crate) fn is_lost_in(self, sum: Self) -> bool {
        self.mantissa == 0 || sum.exponent.saturating_sub(self.exponent) > 70
    }

    fn to_decimal(self) -> Probability {
        if self.mantissa == 0 {
            return Probability { mantissa: 0, exponent: 0 };
        }
        // Bring the value into [10^17, 10^18) by powers of ten, then cut the binary fraction.
        let (low, high) = (Self::new(LOW, 0), Self::new(HIGH, 0));
        let (mut value, mut exponent) = (self, 17_i32);
        while value >= high {
            let far = value.exponent > 64;
            value = if far { value.over(10_u64.pow(15)) } else { value.over(10) };
            exponent = exponent.saturating_add(if far { 15 } else { 1 });
        }
        while value < low {
            let far = value.exponent < -64;
            value = if far { value.times(10_u64.pow(15)) } else { value.times(10) };
            exponent = exponent.saturating_sub(if far { 15 } else { 1 });
        }
        let shift = u32::try_from(value.exponent.saturating_neg()).unwrap_or(0).min(63);
        let half = 1_u64.checked_shl(shift).unwrap_or(0) >> 1;
        let mantissa = value.mantissa.saturating_add(half) >> shift;
        if mantissa >= HIGH {
            return Probability { mantissa: LOW, exponent: exponent.saturating_add(1) };
        }
        Probability { mantissa, exponent }
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Big {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |b: &Self| (b.mantissa != 0, b.exponent, b.mantissa);
        key(self).cmp(&key(other))
    }
}
