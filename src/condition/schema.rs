//! Which facts there are, and of which type: what conditions are checked against.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::{Check, Condition, MAX_DEPTH, Test};
use crate::explain::Fact;
use crate::id::FactName;
use crate::money::currency::Currency;
use crate::quantity::Unit;

/// The type of a fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FactType {
    /// Yes or no.
    Flag,
    /// A whole number, zero or more unless stated otherwise by the host.
    Count,
    /// An exact decimal.
    Number,
    /// Money of one currency.
    Amount(Currency),
    /// Goods in one unit.
    Quantity(Unit),
    /// One of these codes; an empty list admits any code.
    Code(BTreeSet<String>),
    /// Any of these codes together; an empty list admits any code.
    Codes(BTreeSet<String>),
    /// A civil date.
    Date,
    /// A point in time.
    Instant,
    /// Civil days.
    Days,
    /// Seconds.
    Seconds,
}

impl FactType {
    /// Whether a fact is of this type: its kind, its currency or unit, and one of the codes listed.
    #[must_use]
    pub fn admits(&self, fact: &Fact) -> bool {
        match (self, fact) {
            (Self::Flag, Fact::Flag(_))
            | (Self::Count, Fact::Count(_))
            | (Self::Number, Fact::Number(_))
            | (Self::Date, Fact::Date(_))
            | (Self::Instant, Fact::Instant(_))
            | (Self::Days, Fact::Days(_))
            | (Self::Seconds, Fact::Seconds(_)) => true,
            (Self::Amount(currency), Fact::Amount(amount)) => amount.currency() == *currency,
            (Self::Quantity(unit), Fact::Quantity(quantity)) => quantity.unit() == *unit,
            (Self::Code(codes), Fact::Code(code)) => codes.is_empty() || codes.contains(code),
            (Self::Codes(codes), Fact::Codes(given)) => codes.is_empty() || given.is_subset(codes),
            _ => false,
        }
    }
}

impl fmt::Display for FactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("yes or no"),
            Self::Count => f.write_str("a whole number"),
            Self::Number => f.write_str("a decimal"),
            Self::Amount(currency) => write!(f, "an amount in {currency}"),
            Self::Quantity(unit) => write!(f, "a quantity in {unit}"),
            Self::Code(_) => f.write_str("a code"),
            Self::Codes(_) => f.write_str("a set of codes"),
            Self::Date => f.write_str("a date"),
            Self::Instant => f.write_str("a point in time"),
            Self::Days => f.write_str("a number of days"),
            Self::Seconds => f.write_str("a number of seconds"),
        }
    }
}

/// How a fact is declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactDeclaration {
    /// The type.
    #[serde(rename = "type")]
    pub fact_type: FactType,
    /// Whether every case has it. An optional fact may be missing, and a set of conditions must then
    /// say what happens.
    #[serde(default)]
    pub presence: Presence,
}

/// Whether a fact may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Every case has it.
    #[default]
    Always,
    /// A case may lack it.
    Optional,
}

/// The facts that conditions of one rule set may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(BTreeMap<FactName, FactDeclaration>);

/// What is wrong with a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionFault {
    /// The fact is not declared.
    #[error("fact `{fact}` is not declared")]
    UnknownFact {
        /// The fact.
        fact: FactName,
    },
    /// The value compared with is of another type than the fact.
    #[error("fact `{fact}` is {expected}, and cannot be tested by `{test}`")]
    TypeMismatch {
        /// The fact.
        fact: FactName,
        /// The declared type.
        expected: FactType,
        /// The test as written.
        test: Test,
    },
    /// The fact can never have the code compared with.
    #[error("fact `{fact}` can never be `{code}`")]
    UnknownCode {
        /// The fact.
        fact: FactName,
        /// The code.
        code: String,
    },
    /// The parts nest too deep.
    #[error("the condition nests {depth} deep, at most {MAX_DEPTH} are allowed")]
    TooDeep {
        /// The depth found.
        depth: usize,
    },
}

impl Schema {
    /// No facts.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Declares a fact that every case has.
    #[must_use]
    pub fn with(mut self, name: FactName, fact_type: FactType) -> Self {
        self.0.insert(name, FactDeclaration { fact_type, presence: Presence::Always });
        self
    }

    /// Declares a fact that a case may lack.
    #[must_use]
    pub fn with_optional(mut self, name: FactName, fact_type: FactType) -> Self {
        self.0.insert(name, FactDeclaration { fact_type, presence: Presence::Optional });
        self
    }

    /// The declaration of a fact.
    #[must_use]
    pub fn get(&self, name: &FactName) -> Option<&FactDeclaration> {
        self.0.get(name)
    }

    /// All declarations in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&FactName, &FactDeclaration)> {
        self.0.iter()
    }

    /// Everything that is wrong with a condition; nothing when it can be used.
    #[must_use]
    pub fn faults(&self, condition: &Condition) -> Vec<ConditionFault> {
        let depth = condition.depth();
        if depth > MAX_DEPTH {
            return alloc::vec![ConditionFault::TooDeep { depth }];
        }
        condition.tests().into_iter().flat_map(|test| self.test_faults(test)).collect()
    }

    /// The first fact that is missing though every case has it, or is not of its type.
    #[must_use]
    pub fn misfit(&self, facts: &super::Facts) -> Option<&FactName> {
        let misfits = |name: &FactName, declared: &FactDeclaration| match facts.get(name) {
            Some(fact) => !declared.fact_type.admits(fact),
            None => declared.presence == Presence::Always,
        };
        self.0.iter().find(|(name, declared)| misfits(name, declared)).map(|(name, _)| name)
    }

    fn test_faults(&self, test: &Test) -> Vec<ConditionFault> {
        let fact = test.fact.clone();
        let Some(declared) = self.0.get(&fact) else {
            return alloc::vec![ConditionFault::UnknownFact { fact }];
        };
        let expected = declared.fact_type.clone();
        let unknown_codes = |codes: &mut dyn Iterator<Item = &String>, among: &BTreeSet<String>| {
            codes
                .filter(|code| !among.is_empty() && !among.contains(*code))
                .map(|code| ConditionFault::UnknownCode { fact: fact.clone(), code: code.clone() })
                .collect()
        };
        let fits = match (&test.check, &expected) {
            (Check::Known(_), _) => true,
            (Check::OneOf(codes), FactType::Code(among)) => {
                return unknown_codes(&mut codes.iter(), among);
            }
            (Check::Includes(code), FactType::Codes(among)) => {
                return unknown_codes(&mut core::iter::once(code), among);
            }
            (
                Check::Is(Fact::Code(code)) | Check::IsNot(Fact::Code(code)),
                FactType::Code(among),
            ) => {
                return unknown_codes(&mut core::iter::once(code), among);
            }
            (check, expected) => check.bound().is_some_and(|bound| is_ordered(bound, expected)),
        };
        if fits {
            Vec::new()
        } else {
            alloc::vec![ConditionFault::TypeMismatch { fact, expected, test: test.clone() }]
        }
    }
}

/// Whether a bound is of a declared type that has an order a person would expect.
fn is_ordered(bound: &Fact, declared: &FactType) -> bool {
    match (bound, declared) {
        (Fact::Flag(_), FactType::Flag)
        | (Fact::Count(_), FactType::Count)
        | (Fact::Number(_), FactType::Number)
        | (Fact::Date(_), FactType::Date)
        | (Fact::Instant(_), FactType::Instant)
        | (Fact::Days(_), FactType::Days)
        | (Fact::Seconds(_), FactType::Seconds) => true,
        (Fact::Amount(amount), FactType::Amount(currency)) => amount.currency() == *currency,
        (Fact::Quantity(quantity), FactType::Quantity(unit)) => quantity.unit() == *unit,
        _ => false,
    }
}

impl FromIterator<(FactName, FactDeclaration)> for Schema {
    fn from_iter<I: IntoIterator<Item = (FactName, FactDeclaration)>>(facts: I) -> Self {
        Self(facts.into_iter().collect())
    }
}
