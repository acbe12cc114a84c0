//! Canonical keys: one spelling for what GS1 writes as an EPC URN or as a Digital Link.
//!
//! The canonical form is the GS1 element string as a path: `01/GTIN14/21/SERIAL` (one instance),
//! `01/GTIN14/10/LOT` (a lot), `01/GTIN14` (an article), `00/SSCC18` (a logistic unit), `8003/..` and
//! `8004/..` (assets), `414/GLN13` or `414/GLN13/254/EXTENSION` (a place). Anything else keeps its
//! text. It is the form that both spellings can reach: a URN needs the length of the company prefix,
//! which a Digital Link does not carry.
//!
//! Check digits of Digital Links are taken as written; those of URNs are computed.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Serialize, Serializer};

use crate::label::codes;

codes! {
    /// What a key names, told by the key itself and never by the list it stands in.
    pub enum KeyKind "key kind" {
        /// One thing with a serial number.
        Instance = "instance", "Instance", "单品";
        /// A lot of an article.
        Lot = "lot", "Lot", "批次";
        /// An article without lot or serial: its goods cannot be told apart.
        Class = "class", "Article", "品类";
        /// A pallet, case or other logistic unit.
        Logistic = "logistic", "Logistic unit", "物流单元";
        /// A returnable or individual asset.
        Asset = "asset", "Asset", "资产";
        /// A place.
        Location = "location", "Location", "地点";
        /// Anything else.
        Other = "other", "Other", "其他";
    }
}

/// The canonical key of a thing, a place or anything else that is named.
///
/// ```
/// use aftersale::interchange::epcis::key::{Key, KeyKind};
/// let urn = Key::parse("urn:epc:id:sgtin:9521234.000801.A%2F7");
/// let link = Key::parse("https://shop.example/some/path/01/09521234008019/21/A%2F7?x=1");
/// assert_eq!(urn, link);
/// assert_eq!(urn.to_string(), "01/09521234008019/21/A/7");
/// assert_eq!(urn.kind(), KeyKind::Instance);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    text: String,
    kind: KeyKind,
}

impl Key {
    /// Reads any spelling; what is not a GS1 key of the forms above keeps its text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let known = if let Some(rest) = strip_prefix_ignoring_case(text, "urn:epc:") {
            from_urn(rest)
        } else if let Some((scheme, rest)) = text.split_once("://") {
            let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
            if web { from_link(rest) } else { None }
        } else {
            None
        };
        known.unwrap_or_else(|| Self { text: text.into(), kind: KeyKind::Other })
    }

    /// What it names.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn new(kind: KeyKind, text: String) -> Option<Self> {
        Some(Self { text, kind })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    if head.eq_ignore_ascii_case(prefix) { text.get(prefix.len()..) } else { None }
}

/// `id:sgtin:9521234.000801.A7`, after `urn:epc:`.
fn from_urn(rest: &str) -> Option<Key> {
    let (form, rest) = rest.split_once(':')?;
    let (scheme, body) = rest.split_once(':')?;
    let mut parts = body.splitn(3, '.');
    let (company, reference) = (parts.next()?, parts.next()?);
    let serial = parts.next();
    match (form, scheme) {
        ("id", "sgtin") => {
            let (gtin, serial) = (gtin_of(company, reference)?, decoded(serial?)?);
            Key::new(KeyKind::Instance, alloc::format!("01/{gtin}/21/{serial}"))
        }
        ("class", "lgtin") => {
            let (gtin, lot) = (gtin_of(company, reference)?, decoded(serial?)?);
            Key::new(KeyKind::Lot, alloc::format!("01/{gtin}/10/{lot}"))
        }
        ("idpat", "sgtin") if serial == Some("*") => {
            let gtin = gtin_of(company, reference)?;
            Key::new(KeyKind::Class, alloc::format!("01/{gtin}"))
        }
        ("id", "sscc") if serial.is_none() => {
            let digits = moved_indicator(company, reference, 17)?;
            Key::new(KeyKind::Logistic, alloc::format!("00/{digits}"))
        }
        ("id", "grai") => {
            let digits = with_check_digit(&alloc::format!("{company}{reference}"), 12)?;
            let serial = decoded(serial?)?;
            Key::new(KeyKind::Asset, alloc::format!("8003/0{digits}{serial}"))
        }
        ("id", "giai") => {
            // The reference may hold dots of its own.
            let (company, reference) = body.split_once('.')?;
            let reference = decoded(reference)?;
            Key::new(KeyKind::Asset, alloc::format!("8004/{company}{reference}"))
        }
        ("id", "sgln") => {
            let gln = with_check_digit(&alloc::format!("{company}{reference}"), 12)?;
            let extension = decoded(serial.unwrap_or("0"))?;
            place(&gln, Some(extension))
        }
        _ => None,
    }
}

/// The extension zero is none. Source: GS1 EPC Tag Data Standard, SGLN.
fn place(gln: &str, extension: Option<String>) -> Option<Key> {
    let text = match extension.filter(|extension| extension != "0") {
        Some(extension) => alloc::format!("414/{gln}/254/{extension}"),
        None => alloc::format!("414/{gln}"),
    };
    Key::new(KeyKind::Location, text)
}

/// `host/path/01/GTIN/21/SERIAL?query`, after `https://`.
fn from_link(rest: &str) -> Option<Key> {
    let path = rest.split(['?', '#']).next()?;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    (0..segments.len()).find_map(|at| {
        let (name, value) = (segments.get(at)?, segments.get(at.checked_add(1)?)?);
        let qualifiers = segments.get(at.checked_add(2)?..).unwrap_or_default();
        let qualifier = |name: &str| {
            let found = qualifiers.chunks_exact(2).find(|pair| pair.first() == Some(&name));
            found.and_then(|pair| pair.last()).and_then(|value| decoded(value))
        };
        match *name {
            "01" | "gtin" => {
                let gtin = padded_gtin(value)?;
                if let Some(serial) = qualifier("21").or_else(|| qualifier("ser")) {
                    Key::new(KeyKind::Instance, alloc::format!("01/{gtin}/21/{serial}"))
                } else if let Some(lot) = qualifier("10").or_else(|| qualifier("lot")) {
                    Key::new(KeyKind::Lot, alloc::format!("01/{gtin}/10/{lot}"))
                } else {
                    Key::new(KeyKind::Class, alloc::format!("01/{gtin}"))
                }
            }
            "00" | "sscc" if is_digits(value, 18) => {
                Key::new(KeyKind::Logistic, alloc::format!("00/{value}"))
            }
            "414" | "gln" if is_digits(value, 13) => place(value, qualifier("254")),
            "8003" | "8004" if !value.is_empty() => {
                let value = decoded(value)?;
                Key::new(KeyKind::Asset, alloc::format!("{name}/{value}"))
            }
            _ => None,
        }
    })
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Numbers of 8, 12 and 13 digits are the same article with zeros in front.
fn padded_gtin(text: &str) -> Option<String> {
    [8, 12, 13, 14].contains(&text.len()).then_some(())?;
    is_digits(text, text.len()).then(|| alloc::format!("{text:0>14}"))
}

fn gtin_of(company: &str, reference: &str) -> Option<String> {
    moved_indicator(company, reference, 13)
}

/// The first digit of the reference goes in front of the company prefix; a check digit ends it.
fn moved_indicator(company: &str, reference: &str, length: usize) -> Option<String> {
    let first = reference.get(..1)?;
    with_check_digit(&alloc::format!("{first}{company}{}", reference.get(1..)?), length)
}

/// Digits with their check digit: weights 3 and 1 from the right, to the next multiple of ten.
fn with_check_digit(digits: &str, length: usize) -> Option<String> {
    is_digits(digits, length).then_some(())?;
    let weighted = digits.bytes().rev().enumerate().map(|(place, byte)| {
        let weight = if place % 2 == 0 { 3 } else { 1 };
        u32::from(byte.saturating_sub(b'0')).saturating_mul(weight)
    });
    let sum: u32 = weighted.sum();
    let check = 10_u32.saturating_sub(sum % 10) % 10;
    Some(alloc::format!("{digits}{check}"))
}

/// Percent escapes decoded; none when an escape is malformed, or the result is empty or not text.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let value = digit(rest.next()?)?.checked_mul(16)?.checked_add(digit(rest.next()?)?)?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}
