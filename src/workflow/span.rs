//! Lengths of time on one of two clocks: elapsed time, or business time.

use alloc::string::String;
use core::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::label::codes;
use crate::number::excerpt;

/// The longest span a definition may state: ten years of 366 days.
pub const MAX_SECONDS: i64 = 10 * 366 * 86_400;

codes! {
    /// Which clock a span is measured on.
    pub enum Clock "clock" {
        /// Every second counts.
        Elapsed = "elapsed", "elapsed time", "自然时间";
        /// Only seconds within opening hours count.
        Business = "business", "business time", "工作时间";
    }
}

/// A length of time on one clock.
///
/// On the wire `{"elapsed":"P2D"}` or `{"business":"PT8H"}`: an ISO 8601 duration of days (24 hours
/// each, elapsed time only), hours, minutes and seconds.
///
/// ```
/// use aftersale::workflow::span::{Clock, Span};
/// let span: Span = serde_json::from_str(r#"{"elapsed":"P2DT12H"}"#)?;
/// assert_eq!((span.clock(), span.seconds()), (Clock::Elapsed, 216_000));
/// assert_eq!(serde_json::to_string(&Span::business_hours(8))?, r#"{"business":"PT8H"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    clock: Clock,
    seconds: i64,
}

impl Span {
    /// A span in seconds; [`is_usable`](Self::is_usable) says whether a definition may state it.
    #[must_use]
    pub const fn new(clock: Clock, seconds: i64) -> Self {
        Self { clock, seconds }
    }

    /// Hours of elapsed time.
    #[must_use]
    pub const fn hours(hours: i64) -> Self {
        Self::new(Clock::Elapsed, hours.saturating_mul(3_600))
    }

    /// Days of 24 hours of elapsed time.
    #[must_use]
    pub const fn days(days: i64) -> Self {
        Self::new(Clock::Elapsed, days.saturating_mul(86_400))
    }

    /// Hours of business time.
    #[must_use]
    pub const fn business_hours(hours: i64) -> Self {
        Self::new(Clock::Business, hours.saturating_mul(3_600))
    }

    /// The clock.
    #[must_use]
    pub const fn clock(self) -> Clock {
        self.clock
    }

    /// The length.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Whether it is above zero and at most [`MAX_SECONDS`].
    #[must_use]
    pub const fn is_usable(self) -> bool {
        self.seconds > 0 && self.seconds <= MAX_SECONDS
    }

    fn iso(self) -> String {
        use core::fmt::Write as _;
        let mut text = String::new();
        let mut rest = self.seconds.unsigned_abs();
        if self.seconds < 0 {
            text.push('-');
        }
        text.push('P');
        let mut take = |unit: u64| {
            let whole = rest.checked_div(unit).unwrap_or(0);
            rest = rest.checked_rem(unit).unwrap_or(0);
            whole
        };
        if self.clock == Clock::Elapsed {
            let days = take(86_400);
            if days > 0 {
                let _ = write!(text, "{days}D");
            }
        }
        let (hours, minutes, seconds) = (take(3_600), take(60), take(1));
        if hours > 0 || minutes > 0 || seconds > 0 || text.ends_with('P') {
            text.push('T');
        }
        for (count, letter) in [(hours, 'H'), (minutes, 'M'), (seconds, 'S')] {
            if count > 0 {
                let _ = write!(text, "{count}{letter}");
            }
        }
        if text.ends_with('T') {
            text.push_str("0S");
        }
        text
    }

    fn parse(clock: Clock, text: &str) -> Option<Self> {
        if text.len() > 40 {
            return None;
        }
        let (negative, body) = match text.strip_prefix('-') {
            Some(body) => (true, body),
            None => (false, text),
        };
        let body = body.strip_prefix('P')?;
        let (days, time) = match body.split_once('T') {
            Some((days, time)) if !time.is_empty() => (days, time),
            Some(_) => return None,
            None => (body, ""),
        };
        if days.is_empty() && time.is_empty() {
            return None;
        }
        let mut seconds = 0_i64;
        if !days.is_empty() {
            let count: i64 = digits(days.strip_suffix('D')?)?;
            if clock == Clock::Business {
                return None;
            }
            seconds = count.checked_mul(86_400)?;
        }
        let mut rest = time;
        for (letter, unit) in [('H', 3_600_i64), ('M', 60), ('S', 1)] {
            if let Some((count, after)) = rest.split_once(letter) {
                seconds = seconds.checked_add(digits(count)?.checked_mul(unit)?)?;
                rest = after;
            }
        }
        let seconds = if negative { seconds.checked_neg()? } else { seconds };
        rest.is_empty().then_some(Self { clock, seconds })
    }
}

fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.seconds.unsigned_abs();
        let mut wrote = false;
        if self.seconds < 0 {
            f.write_str("minus ")?;
        }
        let units: &[(u64, &str)] = match self.clock {
            Clock::Elapsed => &[(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")],
            Clock::Business => {
                &[(3_600, "business hour"), (60, "business minute"), (1, "business second")]
            }
        };
        for &(unit, name) in units {
            let count = rest.checked_div(unit).unwrap_or(0);
            rest = rest.checked_rem(unit).unwrap_or(0);
            if count > 0 || (unit == 1 && !wrote) {
                let (gap, plural) =
                    (if wrote { " " } else { "" }, if count == 1 { "" } else { "s" });
                write!(f, "{gap}{count} {name}{plural}")?;
                wrote = true;
            }
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Wire {
    Elapsed(String),
    Business(String),
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.clock {
            Clock::Elapsed => Wire::Elapsed(self.iso()),
            Clock::Business => Wire::Business(self.iso()),
        }
        .serialize(to)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (clock, text) = match Wire::deserialize(from)? {
            Wire::Elapsed(text) => (Clock::Elapsed, text),
            Wire::Business(text) => (Clock::Business, text),
        };
        Self::parse(clock, &text).ok_or_else(|| {
            D::Error::custom(alloc::format!(
                "`{}` is not a duration such as P2D (elapsed time) or PT8H",
                excerpt(&text)
            ))
        })
    }
}
