//! Why: decisions with the findings that produced them.
//!
//! Every verdict, amount, deadline, assignment, alarm and refusal carries findings: which rule in
//! which version, what was observed, what was required, and the effect. Rules that did not object
//! are listed too. Findings are typed first: a host translates from the codes; `Display` gives a
//! plain English sentence.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::id::RuleId;
use crate::label::codes;
use crate::money::Money;
use crate::number::Exact;
use crate::quantity::Quantity;
use crate::time::Instant;

/// One typed value that took part in a decision.
///
/// On the wire `{"type":"days","value":12}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fact {
    /// Yes or no.
    Flag(bool),
    /// A whole number of things.
    Count(i64),
    /// An exact decimal without a unit, such as a share.
    Number(Exact),
    /// An amount of money.
    Amount(Money),
    /// A quantity of goods.
    Quantity(Quantity),
    /// A stable code, such as a reason or a tier.
    Code(String),
    /// Several stable codes, such as the tags of an article.
    Codes(BTreeSet<String>),
    /// Free text; never compared, only shown.
    Text(String),
    /// A civil date.
    Date(NaiveDate),
    /// A point in time.
    Instant(Instant),
    /// A number of civil days.
    Days(i64),
    /// A length of time in seconds.
    Seconds(i64),
}

impl Fact {
    /// A code, from anything that prints as one.
    pub fn code(code: impl fmt::Display) -> Self {
        Self::Code(code.to_string())
    }

    /// Several codes.
    pub fn codes<C: Into<String>>(codes: impl IntoIterator<Item = C>) -> Self {
        Self::Codes(codes.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(true) => f.write_str("yes"),
            Self::Flag(false) => f.write_str("no"),
            Self::Count(count) => write!(f, "{count}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Amount(amount) => write!(f, "{amount}"),
            Self::Quantity(quantity) => write!(f, "{quantity}"),
            Self::Code(code) => write!(f, "`{code}`"),
            Self::Codes(codes) => {
                for (position, code) in codes.iter().enumerate() {
                    write!(f, "{}`{code}`", if position == 0 { "" } else { ", " })?;
                }
                if codes.is_empty() { f.write_str("none") } else { Ok(()) }
            }
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Date(date) => write!(f, "{date}"),
            Self::Instant(at) => write!(f, "{}", at.format("%Y-%m-%d %H:%M:%S UTC")),
            Self::Days(1) => f.write_str("1 day"),
            Self::Days(days) => write!(f, "{days} days"),
            Self::Seconds(seconds) => write!(f, "{seconds} s"),
        }
    }
}

codes! {
    /// What a rule does to a decision.
    pub enum Effect "effect" {
        /// The rule permits what was asked.
        Permits = "permits", "permits", "允许";
        /// The rule stands in the way.
        Denies = "denies", "denies", "拒绝";
        /// The rule demands something more before it permits.
        Requires = "requires", "requires", "要求";
        /// The rule makes an amount or a limit smaller.
        Reduces = "reduces", "reduces", "扣减";
        /// The rule makes an amount or a limit larger.
        Raises = "raises", "raises", "增加";
        /// The rule sets a value.
        Sets = "sets", "sets", "设定";
        /// The rule was looked at and does not apply.
        Passes = "passes", "does not apply", "不适用";
        /// The rule draws attention without changing the decision.
        Warns = "warns", "warns", "提示";
    }
}

/// A rule by name, version and source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRef {
    /// The stable id.
    pub id: RuleId,
    /// The version of the rule set the rule stands in.
    #[serde(default = "first_version")]
    pub version: u32,
    /// Where the rule is written: a law with its article, a page, a contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

fn first_version() -> u32 {
    1
}

impl RuleRef {
    /// A rule without a stated source, version 1.
    #[must_use]
    pub const fn new(id: RuleId) -> Self {
        Self { id, version: 1, source: None }
    }
}

/// What one rule had to say about one decision.
///
/// ```
/// use aftersale::explain::{Effect, Fact, Finding, RuleRef};
/// use aftersale::id::{IdError, RuleId};
/// let finding = Finding::new(RuleRef::new(RuleId::new("return_window")?), Effect::Denies)
///     .observed(Fact::Days(12))
///     .required(Fact::Days(7));
/// assert_eq!(
///     finding.to_string(),
///     "rule `return_window` denies: 12 days observed, 7 days required",
/// );
/// # Ok::<(), IdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The rule.
    pub rule: RuleRef,
    /// What it does.
    pub effect: Effect,
    /// What part of the case it looked at, such as an order line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Fact>,
    /// What the rule asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<Fact>,
}

impl Finding {
    /// A finding without values.
    #[must_use]
    pub const fn new(rule: RuleRef, effect: Effect) -> Self {
        Self { rule, effect, subject: None, observed: None, required: None }
    }

    /// Adds what part of the case the rule looked at.
    #[must_use]
    pub fn about(mut self, subject: impl fmt::Display) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    /// Adds what was found.
    #[must_use]
    pub fn observed(mut self, fact: Fact) -> Self {
        self.observed = Some(fact);
        self
    }

    /// Adds what the rule asks for.
    #[must_use]
    pub fn required(mut self, fact: Fact) -> Self {
        self.required = Some(fact);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use crate::label::{Coded, Language};
        write!(f, "rule `{}` {}", self.rule.id, self.effect.label(Language::English))?;
        if let Some(subject) = &self.subject {
            write!(f, " ({subject})")?;
        }
        match (&self.observed, &self.required) {
            (Some(observed), Some(required)) => {
                write!(f, ": {observed} observed, {required} required")?;
            }
            (Some(observed), None) => write!(f, ": {observed} observed")?,
            (None, Some(required)) => write!(f, ": {required} required")?,
            (None, None) => {}
        }
        self.rule.source.as_ref().map_or(Ok(()), |source| write!(f, " [{source}]"))
    }
}

/// A result with the findings that led to it, in the order in which the rules were asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explained<T> {
    /// The result.
    pub value: T,
    /// What each rule had to say.
    pub findings: Vec<Finding>,
}

impl<T> Explained<T> {
    /// A result with its findings.
    #[must_use]
    pub const fn new(value: T, findings: Vec<Finding>) -> Self {
        Self { value, findings }
    }

    /// The findings with one effect.
    pub fn with_effect(&self, effect: Effect) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.effect == effect)
    }
}
