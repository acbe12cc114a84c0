//! One byte form of a value, for fingerprints and hash chains.
//!
//! The form is fixed: fields in the order of declaration with a mark for those left out, texts and
//! lists with their length, variants by name, whole numbers in little-endian order at their declared
//! width, instants as RFC 3339 in UTC. Equal values have equal bytes on every platform, and no two
//! different values of one type share bytes.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::Error as _;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a value has no canonical form: a float, or a list of unknown length. No type of this crate
/// has either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no canonical form: {0}")]
pub struct NoCanonicalForm(String);

impl serde::ser::Error for NoCanonicalForm {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Where canonical bytes go: a list, or a hash.
pub trait Sink {
    /// Takes the next bytes.
    fn take(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn take(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Writes the canonical bytes of a value.
///
/// # Errors
///
/// [`NoCanonicalForm`] for floats and for lists of unknown length.
pub fn write<T: Serialize + ?Sized, S: Sink>(
    value: &T,
    sink: &mut S,
) -> Result<(), NoCanonicalForm> {
    value.serialize(Writer(sink))
}

/// A fingerprint of a value: 128 bits of FNV-1a over its canonical bytes.
///
/// It notices accidents and changed content. It is not a cryptographic hash; against somebody who
/// wants to deceive use a chain (see [`chain`](super::chain)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u128);

impl Fingerprint {
    const START: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
}

impl Sink for Fingerprint {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(Self::PRIME);
        }
    }
}

/// The fingerprint of a value; a value without a canonical form has the fingerprint of its beginning.
pub fn fingerprint<T: Serialize + ?Sized>(value: &T) -> Fingerprint {
    let mut print = Fingerprint(Fingerprint::START);
    let _ = write(value, &mut print);
    print
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(lower) {
            return Err(FingerprintError);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| FingerprintError)
    }
}

/// A text that is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 32 digits of 0 to 9 and a to f")]
pub struct FingerprintError;

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A serializer into canonical bytes.
struct Writer<'a, S>(&'a mut S);

impl<S: Sink> Writer<'_, S> {
    fn count(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.0.take(&count.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.take(text.as_bytes());
    }
}

macro_rules! whole {
    ($($name:ident $number:ty;)+) => {$(
        fn $name(self, value: $number) -> Result<(), NoCanonicalForm> {
            self.0.take(&value.to_le_bytes());
            Ok(())
        }
    )+};
}

impl<'a, S: Sink> Serializer for Writer<'a, S> {
    type Ok = ();
    type Error = NoCanonicalForm;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    whole! {
        serialize_i8 i8; serialize_i16 i16; serialize_i32 i32; serialize_i64 i64;
        serialize_i128 i128; serialize_u8 u8; serialize_u16 u16; serialize_u32 u32;
        serialize_u64 u64; serialize_u128 u128;
    }

    fn serialize_bool(self, value: bool) -> Result<(), NoCanonicalForm> {
        self.0.take(&[u8::from(value)]);
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Result<(), NoCanonicalForm> {
        Err(NoCanonicalForm::custom("a float"))
    }

    fn serialize_f64(self, _: f64) -> Result<(), NoCanonicalForm> {
        Err(NoCanonicalForm::custom("a float"))
    }

    fn serialize_char(self, value: char) -> Result<(), NoCanonicalForm> {
        self.serialize_u32(u32::from(value))
    }

    fn serialize_str(mut self, value: &str) -> Result<(), NoCanonicalForm> {
        self.text(value);
        Ok(())
    }

    fn collect_str<T: fmt::Display + ?Sized>(mut self, value: &T) -> Result<(), NoCanonicalForm> {
        // Most displayed values are instants and short numbers: no heap for those.
        let mut short = Short { bytes: [0; 64], length: 0 };
        if fmt::write(&mut short, format_args!("{value}")).is_ok() {
            let length = short.length;
            self.count(length);
            self.0.take(short.bytes.get(..length).unwrap_or_default());
        } else {
            self.text(&format!("{value}"));
        }
        Ok(())
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Result<(), NoCanonicalForm> {
        self.count(value.len());
        self.0.take(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), NoCanonicalForm> {
        self.0.take(&[0]);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NoCanonicalForm> {
        self.0.take(&[1]);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NoCanonicalForm> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NoCanonicalForm> {
        Ok(())
    }

    fn serialize_unit_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), NoCanonicalForm> {
        self.text(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NoCanonicalForm> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NoCanonicalForm> {
        self.text(variant);
        value.serialize(self)
    }

    fn serialize_seq(mut self, length: Option<usize>) -> Result<Self, NoCanonicalForm> {
        self.count(length.ok_or_else(|| NoCanonicalForm::custom("a list of unknown length"))?);
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, NoCanonicalForm> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, NoCanonicalForm> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, NoCanonicalForm> {
        self.text(variant);
        Ok(self)
    }

    fn serialize_map(mut self, length: Option<usize>) -> Result<Self, NoCanonicalForm> {
        // A flattened struct does not know its length; every entry is marked instead.
        self.count(length.unwrap_or(0));
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NoCanonicalForm> {
        Ok(self)
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, NoCanonicalForm> {
        self.text(variant);
        Ok(self)
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

struct Short {
    bytes: [u8; 64],
    length: usize,
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length.checked_add(text.len()).ok_or(fmt::Error)?;
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

macro_rules! sequence {
    ($($implemented:ident $method:ident;)+) => {$(
        impl<S: Sink> $implemented for Writer<'_, S> {
            type Ok = ();
            type Error = NoCanonicalForm;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoCanonicalForm> {
                value.serialize(Writer(self.0))
            }
            fn end(self) -> Result<(), NoCanonicalForm> {
                Ok(())
            }
        }
    )+};
}

sequence! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! fields {
    ($($implemented:ident)+) => {$(
        impl<S: Sink> $implemented for Writer<'_, S> {
            type Ok = ();
            type Error = NoCanonicalForm;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Result<(), NoCanonicalForm> {
                self.0.take(&[1]);
                value.serialize(Writer(self.0))
            }
            fn skip_field(&mut self, _: &'static str) -> Result<(), NoCanonicalForm> {
                self.0.take(&[0]);
                Ok(())
            }
            fn end(self) -> Result<(), NoCanonicalForm> {
                Ok(())
            }
        }
    )+};
}

fields! { SerializeStruct SerializeStructVariant }

impl<S: Sink> SerializeMap for Writer<'_, S> {
    type Ok = ();
    type Error = NoCanonicalForm;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoCanonicalForm> {
        self.0.take(&[1]);
        key.serialize(Writer(self.0))
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoCanonicalForm> {
        value.serialize(Writer(self.0))
    }
    fn end(self) -> Result<(), NoCanonicalForm> {
        self.0.take(&[0]);
        Ok(())
    }
}
