//! A chain of hashes over events: any later edit, insertion, deletion or reordering is noticed.
//!
//! Each event holds the hash of the one before it and its own. What a chain alone cannot notice is
//! that its end was cut off; for that the last hash must be kept somewhere else, as an anchor.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::canonical::{self, Sink};

/// A hash of 256 bits, written as 64 digits of 0 to 9 and a to f.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What stands before the first event.
    pub const START: Self = Self([0; 32]);
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is not a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 digits of 0 to 9 and a to f")]
pub struct DigestError;

impl FromStr for Digest {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Self, DigestError> {
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 64 || !text.bytes().all(lower) {
            return Err(DigestError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = core::str::from_utf8(pair).map_err(|_| DigestError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| DigestError)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut text = [0_u8; 64];
        for (pair, byte) in text.chunks_mut(2).zip(self.0) {
            for (digit, half) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *digit = HEX.get(usize::from(half)).copied().unwrap_or(b'0');
            }
        }
        to.serialize_str(core::str::from_utf8(&text).unwrap_or_default())
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A hash function for chains.
///
/// SHA-256 is [`Sha256`] behind the feature `sha2`; a host with a hardware module implements this
/// trait itself.
pub trait ChainHash {
    /// The hash of some bytes.
    fn hash(&self, bytes: &[u8]) -> Digest;
}

/// SHA-256 (FIPS 180-4).
#[cfg(feature = "sha2")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sha256;

#[cfg(feature = "sha2")]
impl ChainHash for Sha256 {
    fn hash(&self, bytes: &[u8]) -> Digest {
        use sha2::Digest as _;
        Digest(sha2::Sha256::digest(bytes).into())
    }
}

/// The place of an event in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The hash of the event before, [`Digest::START`] for the first.
    pub previous: Digest,
    /// The hash of this event with the one before.
    pub own: Digest,
}

impl Seal {
    /// Seals a value behind `previous`.
    pub fn new<T: Serialize + ?Sized>(hash: &dyn ChainHash, previous: Digest, value: &T) -> Self {
        let mut bytes = alloc::vec::Vec::with_capacity(512);
        bytes.take(&previous.0);
        // Types of this crate always have a canonical form, see `canonical`.
        let _ = canonical::write(value, &mut bytes);
        Self { previous, own: hash.hash(&bytes) }
    }

    /// Whether the seal belongs to this value.
    #[must_use]
    pub fn fits<T: Serialize + ?Sized>(&self, hash: &dyn ChainHash, value: &T) -> bool {
        Self::new(hash, self.previous, value) == *self
    }
}
