//! The return policy of schema.org, read and written.
//!
//! Web shops publish their returns as `MerchantReturnPolicy`, and search engines show it. In: that
//! document, deserialized from JSON-LD. Out: a [`PolicyDraft`](crate::policy::set::PolicyDraft) that
//! judges, and back again. What one side cannot express is listed, never dropped in silence.
//!
//! Source: schema.org, type `MerchantReturnPolicy`. Its fees are told apart by remorse and defect, as
//! [`PolicyBasis`](crate::reason::attribute::PolicyBasis) does for reasons.
//!
//! Always true, and tested in `tests/interchange/schema_org.rs`: a document that imports without losses exports
//! to the same document; lists are sets, written in order.

pub mod convert;
mod export;
mod import;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDate;
use serde::de::{Error as _, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::{Exact, excerpt};

/// A return policy as schema.org writes it.
///
/// One value and a list of one are the same. Terms are read with or without the address of
/// schema.org, and written with it. Properties that are not listed here are kept by name in `other`.
///
/// ```
/// use aftersale::id::PolicyId;
/// use aftersale::interchange::schema_org::MerchantReturnPolicy;
/// let page: MerchantReturnPolicy = serde_json::from_str(r#"{
///     "@context": "https://schema.org", "@type": "MerchantReturnPolicy",
///     "applicableCountry": ["AT", "DE"],
///     "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
///     "merchantReturnDays": 60,
///     "refundType": "FullRefund",
///     "returnFees": "FreeReturn"
/// }"#)?;
/// let (policy, losses) = page.import(PolicyId::new("shop")?)?;
/// assert!(losses.is_empty());
/// assert_eq!(policy.rules[0].window.as_ref().map(|window| window.length.count), Some(60));
/// let (again, losses) = MerchantReturnPolicy::export(&policy);
/// assert!(losses.is_empty());
/// assert_eq!(again, page);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MerchantReturnPolicy {
    /// Always `https://schema.org`.
    #[serde(rename = "@context")]
    pub context: Context,
    /// Always `MerchantReturnPolicy`.
    #[serde(rename = "@type")]
    pub type_name: PolicyType,
    /// Where the customer lives, ISO 3166-1 alpha-2.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub applicable_country: Vec<String>,
    /// Where the goods go back to.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub return_policy_country: Vec<String>,
    /// Whether goods may come back, and for how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_policy_category: Option<ReturnCategory>,
    /// The days from delivery, or the last date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_return_days: Option<ReturnDays>,
    /// The page for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_return_link: Option<String>,
    /// The conditions in which goods are taken back.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub item_condition: Vec<ItemCondition>,
    /// Whether goods may come back to a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_store_returns_offered: Option<bool>,
    /// The ways back.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub return_method: Vec<ReturnMethod>,
    /// What the customer gets.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub refund_type: Vec<RefundType>,
    /// What is kept: an amount, or a number of percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restocking_fee: Option<Fee>,
    /// Who pays the way back, for any reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_fees: Option<ReturnFees>,
    /// The flat sum for the way back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_shipping_fees_amount: Option<MonetaryAmount>,
    /// Where the label comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_label_source: Option<LabelSource>,
    /// Who pays the way back when the customer changed their mind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_remorse_return_fees: Option<ReturnFees>,
    /// The flat sum when the customer changed their mind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_remorse_return_shipping_fees_amount: Option<MonetaryAmount>,
    /// Where the label comes from when the customer changed their mind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_remorse_return_label_source: Option<LabelSource>,
    /// Who pays the way back when the item is faulty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_defect_return_fees: Option<ReturnFees>,
    /// The flat sum when the item is faulty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_defect_return_shipping_fees_amount: Option<MonetaryAmount>,
    /// Where the label comes from when the item is faulty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_defect_return_label_source: Option<LabelSource>,
    /// Other terms for sales of a season.
    #[serde(deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub return_policy_seasonal_override: Vec<SeasonalOverride>,
    /// Everything else, by its name; read to be reported, never written.
    #[serde(flatten, skip_serializing)]
    pub other: BTreeMap<String, Ignored>,
}

/// Other terms for goods sold in a season.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SeasonalOverride {
    /// Always `MerchantReturnPolicySeasonalOverride`.
    #[serde(rename = "@type")]
    pub type_name: SeasonType,
    /// The first day of sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<NaiveDate>,
    /// The last day of sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<NaiveDate>,
    /// Whether goods may come back, and for how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_policy_category: Option<ReturnCategory>,
    /// The days from delivery, or the last date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_return_days: Option<ReturnDays>,
    /// Everything else, by its name; read to be reported, never written.
    #[serde(flatten, skip_serializing)]
    pub other: BTreeMap<String, Ignored>,
}

/// The value of a property that is not understood: any value, not kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(from).map(|_| Self)
    }
}

/// Declares terms of schema.org: read with or without the address, written with it.
macro_rules! terms {
    ($($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$vdoc:meta])* $variant:ident = $term:literal;)+
    })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// All terms.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The term, without the address of schema.org.
            #[must_use]
            pub const fn term(self) -> &'static str {
                match self { $(Self::$variant => $term),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.term())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(&format_args!("https://schema.org/{}", self.term()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                let bare = bare(&text);
                Self::ALL.iter().copied().find(|value| value.term() == bare).ok_or_else(|| {
                    D::Error::custom(format_args!(
                        "`{}` is not a {} of schema.org", excerpt(&text), stringify!($name)
                    ))
                })
            }
        }
    )+};
}

fn bare(text: &str) -> &str {
    ["https://schema.org/", "http://schema.org/", "schema:"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .unwrap_or(text)
}

terms! {
    /// Whether goods may come back.
    pub enum ReturnCategory {
        /// Within a number of days, or until a date.
        Finite = "MerchantReturnFiniteReturnWindow";
        /// Without a limit.
        Unlimited = "MerchantReturnUnlimitedWindow";
        /// Not at all.
        NotPermitted = "MerchantReturnNotPermitted";
        /// Not said.
        Unspecified = "MerchantReturnUnspecified";
    }

    /// The way back.
    pub enum ReturnMethod {
        /// By mail.
        Mail = "ReturnByMail";
        /// In a store.
        Store = "ReturnInStore";
        /// At a kiosk.
        Kiosk = "ReturnAtKiosk";
        /// The customer keeps the goods.
        KeepProduct = "KeepProduct";
    }

    /// What the customer gets.
    pub enum RefundType {
        /// The money.
        Full = "FullRefund";
        /// Another item.
        Exchange = "ExchangeRefund";
        /// Credit with the seller.
        StoreCredit = "StoreCreditRefund";
    }

    /// Who pays the way back.
    pub enum ReturnFees {
        /// The seller.
        Free = "FreeReturn";
        /// The customer, at cost.
        CustomerResponsibility = "ReturnFeesCustomerResponsibility";
        /// The customer, a flat sum.
        ShippingFees = "ReturnShippingFees";
        /// The freight of the way out is kept.
        OriginalShippingFees = "OriginalShippingFees";
        /// A fee for restocking.
        RestockingFees = "RestockingFees";
    }

    /// Where the return label comes from.
    pub enum LabelSource {
        /// In the box.
        InBox = "ReturnLabelInBox";
        /// To download and print.
        Download = "ReturnLabelDownloadAndPrint";
        /// The customer gets one.
        Customer = "ReturnLabelCustomerResponsibility";
    }

    /// The condition of an item.
    pub enum ItemCondition {
        /// New.
        New = "NewCondition";
        /// Used.
        Used = "UsedCondition";
        /// Damaged.
        Damaged = "DamagedCondition";
        /// Refurbished.
        Refurbished = "RefurbishedCondition";
    }
}

impl ItemCondition {
    /// The code of the fact `item_condition`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Used => "used",
            Self::Damaged => "damaged",
            Self::Refurbished => "refurbished",
        }
    }
}

/// How long goods may come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnDays {
    /// So many days from delivery.
    Days(u32),
    /// Until this date, whenever the goods were bought.
    Until(NaiveDate),
}

impl Serialize for ReturnDays {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Days(days) => to.serialize_u32(*days),
            Self::Until(date) => date.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for ReturnDays {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = ReturnDays;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of days or a date")
            }
            fn visit_u64<E: serde::de::Error>(self, days: u64) -> Result<ReturnDays, E> {
                u32::try_from(days).map(ReturnDays::Days).map_err(E::custom)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ReturnDays, E> {
                if let Ok(days) = text.parse() {
                    return Ok(ReturnDays::Days(days));
                }
                // A date and time counts by its date.
                let date = text.split('T').next().unwrap_or(text);
                date.parse().map(ReturnDays::Until).map_err(|_| {
                    E::custom(format_args!("`{}` is not a number of days or a date", excerpt(text)))
                })
            }
        }
        from.deserialize_any(Either)
    }
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct MonetaryAmount {
    /// Always `MonetaryAmount`.
    #[serde(rename = "@type", default)]
    pub type_name: AmountType,
    /// The value.
    pub value: PlainNumber,
    /// The currency, ISO 4217.
    pub currency: String,
}

/// A number that may stand in JSON as a number or as text; written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainNumber(pub Exact);

impl Serialize for PlainNumber {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de> Deserialize<'de> for PlainNumber {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NumberVisitor).map(Self)
    }
}

/// What is kept of the price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fee {
    /// A flat amount.
    Amount(MonetaryAmount),
    /// Percent of the price.
    Percent(Exact),
}

impl Serialize for Fee {
    /// Percent is a JSON number, as schema.org asks; that is how a reader tells it from an amount.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Amount(amount) => amount.serialize(to),
            Self::Percent(percent) => {
                let text = percent.to_string();
                match text.parse::<i64>() {
                    Ok(whole) => to.serialize_i64(whole),
                    Err(_) => text
                        .parse::<f64>()
                        .map_err(serde::ser::Error::custom)
                        .and_then(|number| to.serialize_f64(number)),
                }
            }
        }
    }
}

impl<'de> Deserialize<'de> for Fee {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Amount(MonetaryAmount),
            Percent(PlainNumber),
        }
        Ok(match Either::deserialize(from)? {
            Either::Amount(amount) => Self::Amount(amount),
            Either::Percent(percent) => Self::Percent(percent.0),
        })
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Exact;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain number")
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Exact, E> {
        i64::try_from(number).map(Exact::from).map_err(E::custom)
    }
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Exact, E> {
        Ok(Exact::from(number))
    }
    /// The shortest decimal that reads as this number is what the page said.
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Exact, E> {
        number.to_string().parse().map_err(E::custom)
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Exact, E> {
        text.parse().map_err(E::custom)
    }
}

/// One value, or a list of them.
fn one_or_many<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match Either::deserialize(from)? {
        Either::Many(values) => values,
        Either::One(value) => alloc::vec![value],
    })
}

/// Declares the fixed texts of JSON-LD: anything else in their place is refused.
macro_rules! fixed {
    ($($(#[$doc:meta])* pub struct $name:ident = $written:literal, reads $($read:literal)|+;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str($written)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                match text.as_str() {
                    $($read)|+ => Ok(Self),
                    _ => Err(D::Error::custom(format_args!(
                        "`{}` stands where `{}` is expected", excerpt(&text), $written
                    ))),
                }
            }
        }
    )+};
}

fixed! {
    /// The vocabulary: `https://schema.org`.
    pub struct Context = "https://schema.org",
        reads "https://schema.org" | "https://schema.org/" | "http://schema.org" | "http://schema.org/";
    /// The type of a policy.
    pub struct PolicyType = "MerchantReturnPolicy",
        reads "MerchantReturnPolicy" | "https://schema.org/MerchantReturnPolicy";
    /// The type of a seasonal override.
    pub struct SeasonType = "MerchantReturnPolicySeasonalOverride",
        reads "MerchantReturnPolicySeasonalOverride"
            | "https://schema.org/MerchantReturnPolicySeasonalOverride";
    /// The type of an amount.
    pub struct AmountType = "MonetaryAmount",
        reads "MonetaryAmount" | "https://schema.org/MonetaryAmount";
}
