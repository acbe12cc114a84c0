//! Reading entries that older versions wrote.
//!
//! A stored entry is read as a [`Value`], lifted form by form to the present one, and only then turned
//! into its type. Each upcaster is a pure function for one type of entry and one form; a chain of them
//! is followed until the present form is reached. An unknown type is an error and never skipped.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    DeserializeOwned, Error as _, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

/// How deep a stored value may nest.
const MAX_DEPTH: usize = 64;
/// The most parts a stored value may have.
const MAX_PARTS: usize = 200_000;

/// A stored value before its type is known: what JSON can hold, without floats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Whole(i128),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Named values, in the order of their names.
    Map(BTreeMap<String, Value>),
}

/// Why a stored value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpcastError {
    /// The value lacks `schema`, or `body.type`.
    #[error("the entry does not say its form and its type")]
    Untyped,
    /// No upcaster leads on from this form.
    #[error("an entry `{kind}` of form {schema} cannot be read by this version")]
    NoWay {
        /// The type of the entry.
        kind: String,
        /// Its form.
        schema: u16,
    },
    /// An upcaster did not find what it needs.
    #[error("an entry `{kind}` of form {schema} lacks `{field}`")]
    Missing {
        /// The type of the entry.
        kind: String,
        /// Its form.
        schema: u16,
        /// The field.
        field: String,
    },
    /// The lifted value does not have the present form.
    #[error("the entry does not have the form it should have: {0}")]
    Shape(String),
}

impl serde::de::Error for UpcastError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Shape(message.to_string())
    }
}

/// Lifts one type of entry from one form to the next: the body in, the body out.
pub type Lift = fn(&mut BTreeMap<String, Value>) -> Result<(), String>;

/// The upcasters of one reader.
///
/// ```
/// use aftersale::workflow::upcast::{Upcasters, Value};
/// // Form 1 of `noted` lacked the language.
/// let upcasters = Upcasters::new(2).with("noted", 1, |body| {
///     body.insert("language".into(), Value::Text("en".into()));
///     Ok(())
/// });
/// let old: Value = serde_json::from_str(r#"{"schema":1,"body":{"type":"noted","text":"zip broken"}}"#)?;
/// let new = upcasters.lift(old)?;
/// assert_eq!(new.at(&["body", "language"]), Some(&Value::Text("en".into())));
/// assert_eq!(new.at(&["schema"]), Some(&Value::Whole(2)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Upcasters {
    present: u16,
    lifts: BTreeMap<(String, u16), Lift>,
}

impl Upcasters {
    /// Upcasters that lead to a form.
    #[must_use]
    pub const fn new(present: u16) -> Self {
        Self { present, lifts: BTreeMap::new() }
    }

    /// Adds the upcaster of one type of entry from one form.
    #[must_use]
    pub fn with(mut self, kind: &str, from: u16, lift: Lift) -> Self {
        self.lifts.insert((kind.into(), from), lift);
        self
    }

    /// Lifts a stored value to the present form.
    ///
    /// # Errors
    ///
    /// [`UpcastError`] when the value does not say what it is or no upcaster leads on.
    pub fn lift(&self, mut value: Value) -> Result<Value, UpcastError> {
        loop {
            let Some(Value::Whole(schema)) = value.at(&["schema"]) else {
                return Err(UpcastError::Untyped);
            };
            let schema = u16::try_from(*schema).map_err(|_| UpcastError::Untyped)?;
            if schema == self.present {
                return Ok(value);
            }
            let Some(Value::Text(kind)) = value.at(&["body", "type"]) else {
                return Err(UpcastError::Untyped);
            };
            let kind = kind.clone();
            let found = self.lifts.get(&(kind.clone(), schema)).copied();
            let lift = found.ok_or_else(|| UpcastError::NoWay { kind: kind.clone(), schema })?;
            let Value::Map(entry) = &mut value else { return Err(UpcastError::Untyped) };
            if let Some(Value::Map(body)) = entry.get_mut("body") {
                lift(body).map_err(|field| UpcastError::Missing { kind, schema, field })?;
            }
            entry.insert("schema".into(), Value::Whole(i128::from(schema.saturating_add(1))));
        }
    }

    /// Lifts a stored value and reads it.
    ///
    /// # Errors
    ///
    /// As [`lift`](Self::lift), and [`UpcastError::Shape`] when the result is not of the type.
    pub fn read<T: DeserializeOwned>(&self, value: Value) -> Result<T, UpcastError> {
        T::deserialize(self.lift(value)?)
    }
}

impl Value {
    /// The value under a path of names.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, name| match value {
            Self::Map(map) => map.get(*name),
            Self::Null | Self::Bool(_) | Self::Whole(_) | Self::Text(_) | Self::List(_) => None,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut parts = 0;
        serde::de::DeserializeSeed::deserialize(Seed { depth: MAX_DEPTH, parts: &mut parts }, from)
    }
}

struct Seed<'a> {
    depth: usize,
    parts: &'a mut usize,
}

impl<'de> serde::de::DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl Seed<'_> {
    fn deeper<E: serde::de::Error>(&mut self) -> Result<Seed<'_>, E> {
        *self.parts = self.parts.saturating_add(1);
        let depth = self.depth.checked_sub(1).filter(|_| *self.parts <= MAX_PARTS);
        let depth = depth.ok_or_else(|| E::custom("the stored value is too deep or too large"))?;
        Ok(Seed { depth, parts: self.parts })
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored value without floats")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(i128::from(value)))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Whole(i128::from(value)))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(name) = items.next_key::<String>()? {
            let value = items.next_value_seed(self.deeper()?)?;
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a name is given twice"));
            }
        }
        Ok(Value::Map(map))
    }
}

impl IntoDeserializer<'_, UpcastError> for Value {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value {
    type Error = UpcastError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UpcastError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Whole(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_u64(value),
                _ => visitor.visit_i128(value),
            },
            Self::Text(value) => visitor.visit_string(value),
            Self::List(items) => SeqDeserializer::new(items.into_iter()).deserialize_any(visitor),
            Self::Map(map) => MapDeserializer::new(map.into_iter()).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, UpcastError> {
        match self {
            Self::Null => visitor.visit_none(),
            other => visitor.visit_some(other),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, UpcastError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, UpcastError> {
        let (name, content) = match self {
            Self::Text(name) => (name, Self::Null),
            Self::Map(map) if map.len() == 1 => {
                map.into_iter().next().ok_or_else(|| UpcastError::custom("an empty variant"))?
            }
            _ => return Err(UpcastError::custom("a variant by name")),
        };
        visitor.visit_enum(Named { name, content })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct Named {
    name: String,
    content: Value,
}

impl<'de> serde::de::EnumAccess<'de> for Named {
    type Error = UpcastError;
    type Variant = Content;
    fn variant_seed<S: serde::de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content), UpcastError> {
        let name = seed.deserialize(Value::Text(self.name))?;
        Ok((name, Content(self.content)))
    }
}

struct Content(Value);

impl<'de> VariantAccess<'de> for Content {
    type Error = UpcastError;
    fn unit_variant(self) -> Result<(), UpcastError> {
        match self.0 {
            Value::Null => Ok(()),
            _ => Err(UpcastError::custom("a variant without content")),
        }
    }
    fn newtype_variant_seed<S: serde::de::DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, UpcastError> {
        seed.deserialize(self.0)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, UpcastError> {
        self.0.deserialize_any(visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, UpcastError> {
        self.0.deserialize_any(visitor)
    }
}
