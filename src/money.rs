//! Money: whole minor units of a currency, checked arithmetic, allocation without loss.
//!
//! Positive means owed to the customer. Every operation is exact or names its rounding; mixing
//! currencies is an error; nothing overflows silently.

pub mod allocation;
pub mod currency;

use alloc::string::{String, ToString};
use core::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::money::currency::{Currency, CurrencyError};
use crate::number::{NumberError, Ratio, Rounding, divide, parse_decimal};

/// An amount of money: a whole number of minor units of one currency.
///
/// On the wire `{"amount":"12.30","currency":"GBP"}`; an amount finer than the minor unit is
/// refused, never rounded.
///
/// ```
/// use aftersale::money::{Money, MoneyError, currency::Currency};
/// let jacket = Money::parse("59.90", Currency::EUR)?;
/// let postage = Money::parse("4.95", Currency::EUR)?;
/// assert_eq!(jacket.checked_add(postage)?.to_string(), "64.85 EUR");
/// # Ok::<(), MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "MoneyWire", into = "MoneyWire")]
pub struct Money {
    minor: i64,
    currency: Currency,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoneyWire {
    amount: String,
    currency: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minor_digits: Option<u8>,
}

impl TryFrom<MoneyWire> for Money {
    type Error = MoneyError;
    fn try_from(wire: MoneyWire) -> Result<Self, MoneyError> {
        Self::parse(&wire.amount, Currency::from_wire(&wire.currency, wire.minor_digits)?)
    }
}

impl From<Money> for MoneyWire {
    fn from(money: Money) -> Self {
        Self {
            amount: money.amount().to_string(),
            currency: money.currency.code().into(),
            minor_digits: money.currency.unusual_digits(),
        }
    }
}

/// An amount that cannot be read or computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Two amounts of different currencies met; there is no implicit conversion.
    #[error("{left} and {right} cannot be added: there is no exchange rate here")]
    MixedCurrencies {
        /// The currency so far.
        left: Currency,
        /// The other currency.
        right: Currency,
    },
    /// The amount has more decimals than the currency.
    #[error("{amount} is finer than the smallest unit of {currency}")]
    TooFine {
        /// The amount as written.
        amount: String,
        /// The currency.
        currency: Currency,
    },
    /// The amount does not fit in 63 bits of minor units.
    #[error("the amount in {currency} is too large to be held exactly")]
    TooLarge {
        /// The currency.
        currency: Currency,
    },
    /// The currency cannot be used.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    /// The number cannot be read.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// A weight of an allocation is below zero.
    #[error("weight {position} of the allocation is below zero")]
    NegativeWeight {
        /// The position of the weight, from 0.
        position: usize,
    },
    /// An amount was to be shared among nobody.
    #[error("{amount} cannot be shared among no parts")]
    NoParts {
        /// The amount.
        amount: Money,
    },
    /// A ladder was asked for more units than the whole has.
    #[error("{part} of {whole} units: the part must lie between none and all")]
    NotAPart {
        /// The units asked for.
        part: i64,
        /// All units.
        whole: i64,
    },
}

impl Money {
    /// `minor` smallest units: `Money::new(1230, Currency::GBP)` is 12.30 GBP.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Reads a plain decimal such as `12.30`.
    ///
    /// # Errors
    ///
    /// When the text is not a plain decimal, finer than the minor unit, or too large.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Self::exactly(parse_decimal(text)?, currency)
    }

    /// A decimal that is a whole number of minor units.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooFine`] when it is not, [`MoneyError::TooLarge`] when it does not fit.
    pub fn exactly(value: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let (whole, parts) = in_minor(value, currency)?;
        if whole.checked_rem(parts) != Some(0) {
            return Err(MoneyError::TooFine { amount: value.to_string(), currency });
        }
        Self::rounded(value, currency, Rounding::Down)
    }

    /// A decimal rounded to the minor unit.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooLarge`] when it does not fit.
    pub fn rounded(
        value: Decimal,
        currency: Currency,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let (whole, parts) = in_minor(value, currency)?;
        Self::from_wide(divide(whole, parts, rounding)?, currency)
    }

    /// `minor` smallest units, from a wide intermediate result.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooLarge`] when it does not fit.
    pub fn from_wide(minor: i128, currency: Currency) -> Result<Self, MoneyError> {
        let minor = i64::try_from(minor).map_err(|_| MoneyError::TooLarge { currency })?;
        Ok(Self { minor, currency })
    }

    /// The number of smallest units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in major units with all decimals of the currency.
    #[must_use]
    pub fn amount(self) -> Decimal {
        Decimal::from_i128_with_scale(self.minor.into(), self.currency.minor_digits().into())
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether it is below zero: owed by the customer.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Whether it is above zero: owed to the customer.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// `self + other`.
    ///
    /// # Errors
    ///
    /// [`MoneyError::MixedCurrencies`], [`MoneyError::TooLarge`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        let other = self.same(other)?;
        let minor = self.minor.checked_add(other.minor);
        self.with(minor)
    }

    /// `self - other`.
    ///
    /// # Errors
    ///
    /// [`MoneyError::MixedCurrencies`], [`MoneyError::TooLarge`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        let other = self.same(other)?;
        let minor = self.minor.checked_sub(other.minor);
        self.with(minor)
    }

    /// The same amount the other way round.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooLarge`] for the one amount without an opposite.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    /// `self * count`.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooLarge`].
    pub fn checked_mul(self, count: i64) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_mul(count))
    }

    /// `self * ratio`, rounded to the minor unit.
    ///
    /// # Errors
    ///
    /// [`MoneyError::TooLarge`].
    pub fn scaled(self, ratio: Ratio, rounding: Rounding) -> Result<Self, MoneyError> {
        let minor = ratio.of(self.minor, rounding).ok();
        self.with(minor)
    }

    /// The sum of amounts of one currency; nothing sums to zero.
    ///
    /// # Errors
    ///
    /// [`MoneyError::MixedCurrencies`], [`MoneyError::TooLarge`].
    pub fn sum(
        currency: Currency,
        amounts: impl IntoIterator<Item = Self>,
    ) -> Result<Self, MoneyError> {
        let mut total: i128 = 0;
        for amount in amounts {
            let amount = Self::zero(currency).same(amount)?;
            total =
                total.checked_add(amount.minor.into()).ok_or(MoneyError::TooLarge { currency })?;
        }
        Self::from_wide(total, currency)
    }

    /// The smaller of two amounts of one currency.
    ///
    /// # Errors
    ///
    /// [`MoneyError::MixedCurrencies`].
    pub fn checked_min(self, other: Self) -> Result<Self, MoneyError> {
        Ok(self.min(self.same(other)?))
    }

    fn same(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency == other.currency {
            return Ok(other);
        }
        Err(MoneyError::MixedCurrencies { left: self.currency, right: other.currency })
    }

    fn with(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        let currency = self.currency;
        minor.map(|minor| Self { minor, currency }).ok_or(MoneyError::TooLarge { currency })
    }
}

/// A decimal as a fraction of minor units.
fn in_minor(value: Decimal, currency: Currency) -> Result<(i128, i128), MoneyError> {
    let scale = |digits: u32| 10_i128.checked_pow(digits).ok_or(MoneyError::TooLarge { currency });
    let whole = value
        .mantissa()
        .checked_mul(scale(currency.minor_digits().into())?)
        .ok_or(MoneyError::TooLarge { currency })?;
    Ok((whole, scale(value.scale())?))
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}
