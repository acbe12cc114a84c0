//! Identifiers: every key that a host gives us, each with a type of its own.
//!
//! In: the host's own keys as text. Out: newtypes that cannot be mixed up. Always true: an
//! identifier is 1 to 128 bytes of text without control characters and without white space at
//! either end. Short keys (up to 23 bytes) are stored inline, so copying one allocates nothing.

use core::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserializer, Serializer};
use smol_str::SmolStr;

/// The longest identifier accepted, in bytes of UTF-8.
pub const MAX_BYTES: usize = 128;

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Nothing was given.
    #[error("{kind} is empty")]
    Empty {
        /// What was to be named, in words.
        kind: &'static str,
    },
    /// The text is longer than [`MAX_BYTES`].
    #[error("{kind} has {bytes} bytes, at most {MAX_BYTES} are allowed")]
    TooLong {
        /// What was to be named, in words.
        kind: &'static str,
        /// The length found.
        bytes: usize,
    },
    /// The text has a control character, or white space at one end.
    #[error("{kind} `{text}` has a control character or white space at one end")]
    Unprintable {
        /// What was to be named, in words.
        kind: &'static str,
        /// The text, with control characters escaped.
        text: alloc::string::String,
    },
}

/// The text behind every identifier, checked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IdText(SmolStr);

impl IdText {
    pub(crate) fn new(kind: &'static str, text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty { kind });
        }
        if text.len() > MAX_BYTES {
            return Err(IdError::TooLong { kind, bytes: text.len() });
        }
        if text.trim().len() != text.len() || text.chars().any(char::is_control) {
            let text = text.chars().flat_map(char::escape_debug).collect();
            return Err(IdError::Unprintable { kind, text });
        }
        Ok(Self(SmolStr::new(text)))
    }

    /// A text of the source itself; allocates nothing.
    pub(crate) const fn fixed(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        kind: &'static str,
        from: D,
    ) -> Result<Self, D::Error> {
        struct Text(&'static str);
        impl Visitor<'_> for Text {
            type Value = IdText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} as text", self.0)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<IdText, E> {
                IdText::new(self.0, text).map_err(E::custom)
            }
        }
        from.deserialize_str(Text(kind)).map_err(D::Error::custom)
    }
}

/// Declares identifier types: `text_ids! { /// docs  CaseId = "case id"; }`.
macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::id::IdText);

        impl $name {
            /// Checks the text and makes the identifier.
            ///
            /// # Errors
            ///
            /// [`IdError`](crate::id::IdError) when the text is empty, too long, or has control
            /// characters or white space at one end.
            pub fn new(text: impl AsRef<str>) -> Result<Self, $crate::id::IdError> {
                $crate::id::IdText::new($kind, text.as_ref()).map(Self)
            }

            /// An identifier of the engine itself, written in the source and known to be sound.
            #[allow(dead_code, reason = "most identifiers come from hosts alone")]
            pub(crate) const fn fixed(text: &'static str) -> Self {
                Self($crate::id::IdText::fixed(text))
            }

            /// The text as the host wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        impl core::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::id::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $crate::id::IdText::deserialize($kind, from).map(Self)
            }
        }
    )+};
}
#[allow(unused_imports, reason = "modules that declare identifiers of their own use it")]
pub(crate) use text_ids;

text_ids! {
    /// An order of the host, the unit of consistency: all its cases share one event stream.
    ///
    /// ```
    /// use aftersale::id::{IdError, OrderId};
    /// let order = OrderId::new("SO-2026-0042")?;
    /// assert_eq!(order.as_str(), "SO-2026-0042");
    /// assert_eq!(OrderId::new(""), Err(IdError::Empty { kind: "order id" }));
    /// # Ok::<(), IdError>(())
    /// ```
    OrderId = "order id";
    /// One line of an order; two lines of one article stay two lines.
    OrderLineId = "order line id";
    /// A return case (售后单).
    CaseId = "case id";
    /// A command; the same id with the same body is the same command.
    CommandId = "command id";
    /// A person or a system that acts.
    ActorId = "actor id";
    /// A customer of the host.
    CustomerId = "customer id";
    /// An article number: what a customer orders.
    Sku = "article number";
    /// A lot or batch (批次).
    LotId = "lot id";
    /// One unit with a number of its own (序列号).
    SerialId = "serial number";
    /// A parcel under way, in either direction.
    ParcelId = "parcel id";
    /// A promotion, coupon or campaign that lowered a price.
    PromotionId = "promotion id";
    /// A means of payment on one order (支付方式).
    TenderId = "tender id";
    /// An amount owed, paid at most once.
    ObligationId = "obligation id";
    /// A rule that took part in a decision.
    RuleId = "rule id";
    /// A policy of the host or of the law.
    PolicyId = "policy id";
    /// The name of a fact in conditions.
    FactName = "fact name";
    /// A supplier.
    SupplierId = "supplier id";
    /// A sales channel.
    ChannelId = "channel id";
    /// A business calendar (工作日历).
    CalendarId = "calendar id";
    /// A goal of a service level agreement: one promise about one clock.
    GoalId = "goal id";
    /// A reason for which a clock stands still (挂起原因).
    PauseReasonId = "pause reason id";
}
