//! Currencies: ISO 4217 codes with their number of decimals, and host overrides.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::number::excerpt;

/// A currency: three letters and how many decimals its smallest unit has.
///
/// The decimals of ISO 4217 are built in. Payment systems deviate for some currencies, and points or
/// vouchers have units of their own: [`Currency::with_digits`] states the decimals. Two currencies
/// with one code and different decimals are different currencies.
///
/// On the wire the code as text; with unusual decimals `"ISK:0"` form, code and decimals.
///
/// ```
/// use aftersale::money::currency::{Currency, CurrencyError};
/// assert_eq!(Currency::iso("JPY")?.minor_digits(), 0);
/// assert_eq!(Currency::iso("KWD")?.minor_digits(), 3);
/// let points = Currency::with_digits("PTS", 0)?;
/// assert_eq!(points.to_string(), "PTS");
/// # Ok::<(), CurrencyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency {
    code: [u8; 3],
    digits: u8,
}

/// A currency that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CurrencyError {
    /// The code is not in the ISO 4217 table here, and no decimals were given.
    #[error("`{code}` is not an ISO 4217 currency code; state its decimals to use it")]
    Unknown {
        /// The code, shortened.
        code: String,
    },
    /// A code is three capital letters.
    #[error("`{code}` is not a currency code of three capital letters")]
    NotACode {
        /// The code, shortened.
        code: String,
    },
    /// More decimals than money has.
    #[error("{digits} decimals are more than the {max} a currency can have here", max = Currency::MAX_DIGITS)]
    TooManyDigits {
        /// The decimals asked for.
        digits: u8,
    },
}

impl Currency {
    /// The most decimals of a currency.
    pub const MAX_DIGITS: u8 = 6;
    /// Renminbi yuan.
    pub const CNY: Self = Self { code: *b"CNY", digits: 2 };
    /// Euro.
    pub const EUR: Self = Self { code: *b"EUR", digits: 2 };
    /// Pound sterling.
    pub const GBP: Self = Self { code: *b"GBP", digits: 2 };
    /// Yen: no decimals.
    pub const JPY: Self = Self { code: *b"JPY", digits: 0 };
    /// Kuwaiti dinar: three decimals.
    pub const KWD: Self = Self { code: *b"KWD", digits: 3 };
    /// United States dollar.
    pub const USD: Self = Self { code: *b"USD", digits: 2 };

    /// A currency of ISO 4217 with its standard decimals.
    ///
    /// # Errors
    ///
    /// [`CurrencyError::Unknown`], [`CurrencyError::NotACode`].
    pub fn iso(code: &str) -> Result<Self, CurrencyError> {
        let letters = letters(code)?;
        let digits =
            iso_digits(code).ok_or_else(|| CurrencyError::Unknown { code: code.into() })?;
        Ok(Self { code: letters, digits })
    }

    /// A currency with stated decimals: a host's override, or points and vouchers.
    ///
    /// # Errors
    ///
    /// [`CurrencyError::NotACode`], [`CurrencyError::TooManyDigits`].
    pub fn with_digits(code: &str, digits: u8) -> Result<Self, CurrencyError> {
        if digits > Self::MAX_DIGITS {
            return Err(CurrencyError::TooManyDigits { digits });
        }
        Ok(Self { code: letters(code)?, digits })
    }

    pub(crate) fn from_wire(code: &str, digits: Option<u8>) -> Result<Self, CurrencyError> {
        digits.map_or_else(|| Self::iso(code), |digits| Self::with_digits(code, digits))
    }

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        // Three capital letters are text always; the constructors see to it.
        core::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// How many decimals the smallest unit has.
    #[must_use]
    pub const fn minor_digits(self) -> u8 {
        self.digits
    }

    /// The decimals, when they differ from ISO 4217.
    #[must_use]
    pub fn unusual_digits(self) -> Option<u8> {
        (iso_digits(self.code()) != Some(self.digits)).then_some(self.digits)
    }
}

fn letters(code: &str) -> Result<[u8; 3], CurrencyError> {
    <[u8; 3]>::try_from(code.as_bytes())
        .ok()
        .filter(|letters| letters.iter().all(u8::is_ascii_uppercase))
        .ok_or_else(|| CurrencyError::NotACode { code: excerpt(code) })
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;
    fn try_from(text: String) -> Result<Self, CurrencyError> {
        let Some((code, digits)) = text.split_once(':') else {
            return Self::iso(&text);
        };
        let not_a_code = || CurrencyError::NotACode { code: excerpt(&text) };
        Self::with_digits(code, digits.parse().map_err(|_| not_a_code())?)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        match currency.unusual_digits() {
            None => currency.code().into(),
            Some(digits) => alloc::format!("{}:{digits}", currency.code()),
        }
    }
}

/// The decimals of an ISO 4217 code. Source: ISO 4217 list one, active codes.
fn iso_digits(code: &str) -> Option<u8> {
    let listed = |list: &str| list.split_ascii_whitespace().any(|known| known == code);
    if listed(TWO) {
        Some(2)
    } else if listed(NONE) {
        Some(0)
    } else if listed(THREE) {
        Some(3)
    } else if listed(FOUR) {
        Some(4)
    } else {
        None
    }
}

const NONE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR: &str = "CLF UYW";
const TWO: &str = "\
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD \
CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS \
GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL \
MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK \
PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS \
TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";
