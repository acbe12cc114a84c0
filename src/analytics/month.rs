//! Calendar months as whole numbers, so that periods compare, subtract and index.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use chrono::{Datelike, NaiveDate};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::excerpt;

/// A calendar month of the years 1 to 9999, written `2026-03`.
///
/// ```
/// use aftersale::analytics::month::Month;
/// let march: Month = "2026-03".parse()?;
/// let december = march.plus(-3).ok_or("before the year 1")?;
/// assert_eq!(december.to_string(), "2025-12");
/// assert_eq!(march.since(december), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(u32);

/// A text that is not a month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a month of the years 1 to 9999 such as 2026-03")]
pub struct MonthError {
    /// The text, shortened.
    pub text: String,
}

impl Month {
    /// The month of a civil date.
    ///
    /// # Errors
    ///
    /// [`MonthError`] outside the years 1 to 9999.
    pub fn of(date: NaiveDate) -> Result<Self, MonthError> {
        Self::new(date.year(), date.month())
            .ok_or_else(|| MonthError { text: alloc::format!("{date}") })
    }

    /// A month by year (1 to 9999) and number (1 to 12).
    #[must_use]
    pub fn new(year: i32, month: u32) -> Option<Self> {
        let year = u32::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
        let month = month.checked_sub(1).filter(|month| *month < 12)?;
        Some(Self(year.saturating_mul(12).saturating_add(month)))
    }

    /// The year.
    #[must_use]
    pub const fn year(self) -> u32 {
        self.0 / 12
    }

    /// The number in the year, 1 to 12.
    #[must_use]
    pub const fn number(self) -> u32 {
        (self.0 % 12).saturating_add(1)
    }

    /// The month so many months later, or earlier for a negative number.
    #[must_use]
    pub fn plus(self, months: i32) -> Option<Self> {
        let moved = self.0.checked_add_signed(months)?;
        (12..=9999 * 12 + 11).contains(&moved).then_some(Self(moved))
    }

    /// How many months this one is after the other.
    #[must_use]
    pub fn since(self, other: Self) -> i32 {
        (self.0 as i32).saturating_sub(other.0 as i32)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&alloc::format!("{:04}-{:02}", self.year(), self.number()))
    }
}

impl FromStr for Month {
    type Err = MonthError;
    fn from_str(text: &str) -> Result<Self, MonthError> {
        let read = || {
            let (year, month) = text.split_once('-')?;
            let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
            if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
                return None;
            }
            Self::new(year.parse().ok()?, month.parse().ok()?)
        };
        read().ok_or_else(|| MonthError { text: excerpt(text) })
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
