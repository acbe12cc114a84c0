//! Conditions over facts, as data: one language for policies, workflows, deadlines and dispatch.
//!
//! In: a [`Condition`] (deserialized, checked against a [`Schema`](schema::Schema)) and the
//! [`Facts`] of a case. Out: [`Truth`], with every test that was made. Because conditions are data
//! and not code, [`cells`] can say exactly whether two of them overlap and whether a set of them
//! leaves a hole.
//!
//! Always true:
//! 1. Evaluation is total: it never fails and never panics, whatever the condition and the facts.
//! 2. A fact that is missing or of another type makes a test [`Truth::Unknown`], never true; and
//!    `not unknown` is still unknown.
//! 3. Evaluating facts equals evaluating the representative of their cell.

pub mod cells;
pub mod schema;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::explain::Fact;
use crate::id::FactName;

/// How deep conditions may nest. A deeper part evaluates to [`Truth::Unknown`] and is a fault of the
/// definition.
pub const MAX_DEPTH: usize = 32;

/// The facts of one case at one moment, on the wire a map from name to fact.
///
/// Kept as a sorted list: a case event has one fact or two, for which a tree takes half a kilobyte.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "BTreeMap<FactName, Fact>")]
pub struct Facts(Vec<(FactName, Fact)>);

impl From<BTreeMap<FactName, Fact>> for Facts {
    fn from(facts: BTreeMap<FactName, Fact>) -> Self {
        let mut list = Vec::with_capacity(facts.len());
        list.extend(facts);
        Self(list)
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl Facts {
    /// No facts.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds or replaces a fact.
    pub fn set(&mut self, name: FactName, fact: Fact) {
        match self.place(&name) {
            Ok(place) => {
                if let Some((_, old)) = self.0.get_mut(place) {
                    *old = fact;
                }
            }
            Err(place) => {
                if self.0.is_empty() {
                    // One fact is all that most events have.
                    self.0.reserve_exact(1);
                }
                self.0.insert(place, (name, fact));
            }
        }
    }

    /// Adds or replaces a fact.
    #[must_use]
    pub fn with(mut self, name: FactName, fact: Fact) -> Self {
        self.set(name, fact);
        self
    }

    /// A fact by its name.
    #[must_use]
    pub fn get(&self, name: &FactName) -> Option<&Fact> {
        let place = self.place(name).ok()?;
        self.0.get(place).map(|(_, fact)| fact)
    }

    /// Forgets a fact.
    pub fn remove(&mut self, name: &FactName) {
        if let Ok(place) = self.place(name) {
            self.0.remove(place);
        }
    }

    /// All facts in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&FactName, &Fact)> {
        self.0.iter().map(|(name, fact)| (name, fact))
    }

    fn place(&self, name: &FactName) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(name))
    }
}

impl FromIterator<(FactName, Fact)> for Facts {
    fn from_iter<I: IntoIterator<Item = (FactName, Fact)>>(facts: I) -> Self {
        facts.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (name, fact)) in self.iter().enumerate() {
            write!(f, "{}{name} = {fact}", if position == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// The truth of a condition when some facts may be missing (Kleene's three values).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It does not hold.
    Fails,
    /// A fact that decides it is missing or of another type.
    Unknown,
    /// It holds.
    Holds,
}

impl Truth {
    /// Whether it holds; what is unknown does not.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Holds)
    }

    const fn not(self) -> Self {
        match self {
            Self::Holds => Self::Fails,
            Self::Unknown => Self::Unknown,
            Self::Fails => Self::Holds,
        }
    }

    const fn of(truth: bool) -> Self {
        if truth { Self::Holds } else { Self::Fails }
    }
}

/// A condition over facts.
///
/// On the wire: `"always"`, `{"all":[…]}`, `{"any":[…]}`, `{"not":…}`, or a test such as
/// `{"test":{"fact":"amount","at_most":{"type":"amount","value":{"amount":"200.00","currency":"CNY"}}}}`.
///
/// ```
/// use aftersale::condition::{Condition, Facts, Truth};
/// use aftersale::explain::Fact;
/// use aftersale::id::FactName;
/// let opened: Condition = serde_json::from_str(
///     r#"{"any":[{"test":{"fact":"opened","is":{"type":"flag","value":true}}},
///                {"test":{"fact":"days_used","above":{"type":"days","value":0}}}]}"#,
/// )?;
/// let facts = Facts::new().with(FactName::new("opened")?, Fact::Flag(false));
/// assert_eq!(opened.evaluate(&facts), Truth::Unknown); // nobody said how long it was used
/// let facts = facts.with(FactName::new("days_used")?, Fact::Days(3));
/// assert_eq!(opened.evaluate(&facts), Truth::Holds);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Holds in every case.
    Always,
    /// Holds when all parts hold; with no parts it holds.
    All(Vec<Condition>),
    /// Holds when any part holds; with no parts it fails.
    Any(Vec<Condition>),
    /// Holds when the part fails.
    Not(Box<Condition>),
    /// Holds when one fact passes one check.
    Test(Test),
}

/// One fact and the check it must pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The fact.
    pub fact: FactName,
    /// The check.
    #[serde(flatten)]
    pub check: Check,
}

/// What a fact is compared with.
///
/// Two values compare only when they are of one type (and one currency or unit); else the test is
/// unknown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Equal.
    Is(Fact),
    /// Not equal.
    IsNot(Fact),
    /// Less than.
    Below(Fact),
    /// Less than or equal.
    AtMost(Fact),
    /// Greater than.
    Above(Fact),
    /// Greater than or equal.
    AtLeast(Fact),
    /// One of several codes.
    OneOf(BTreeSet<String>),
    /// A set of codes that includes this one.
    Includes(String),
    /// Whether the fact is there at all.
    Known(bool),
}

/// One test as it was made, for an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestMade {
    /// The test.
    pub test: Test,
    /// The fact found, if any.
    pub observed: Option<Fact>,
    /// How it came out.
    pub truth: Truth,
}

impl fmt::Display for TestMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let truth = match self.truth {
            Truth::Holds => "holds",
            Truth::Unknown => "cannot be decided",
            Truth::Fails => "fails",
        };
        write!(f, "{} {truth}: ", self.test)?;
        match &self.observed {
            Some(fact) => write!(f, "{fact} observed"),
            None => f.write_str("nothing is known"),
        }
    }
}

impl Condition {
    /// One test.
    #[must_use]
    pub const fn test(fact: FactName, check: Check) -> Self {
        Self::Test(Test { fact, check })
    }

    /// Whether the condition holds for these facts.
    #[must_use]
    pub fn evaluate(&self, facts: &Facts) -> Truth {
        self.walk(facts, MAX_DEPTH, &mut |_, _, _| {})
    }

    /// Whether the condition holds, with every test that was made, in the order of the text.
    ///
    /// All tests are listed, also those that no longer mattered.
    #[must_use]
    pub fn explain(&self, facts: &Facts) -> (Truth, Vec<TestMade>) {
        let mut made = Vec::new();
        let truth = self.walk(facts, MAX_DEPTH, &mut |test, observed, truth| {
            made.push(TestMade { test: test.clone(), observed: observed.cloned(), truth });
        });
        (truth, made)
    }

    fn walk(
        &self,
        facts: &Facts,
        depth: usize,
        note: &mut impl FnMut(&Test, Option<&Fact>, Truth),
    ) -> Truth {
        let Some(deeper) = depth.checked_sub(1) else { return Truth::Unknown };
        match self {
            Self::Always => Truth::Holds,
            Self::All(parts) => parts
                .iter()
                .fold(Truth::Holds, |truth, part| truth.min(part.walk(facts, deeper, note))),
            Self::Any(parts) => parts
                .iter()
                .fold(Truth::Fails, |truth, part| truth.max(part.walk(facts, deeper, note))),
            Self::Not(part) => part.walk(facts, deeper, note).not(),
            Self::Test(test) => {
                let observed = facts.get(&test.fact);
                let truth = test.check.passes(observed);
                note(test, observed, truth);
                truth
            }
        }
    }

    /// Every test in the condition, in the order of the text; parts deeper than [`MAX_DEPTH`] are
    /// left out.
    #[must_use]
    pub fn tests(&self) -> Vec<&Test> {
        let mut tests = Vec::new();
        let mut open = alloc::vec![(self, MAX_DEPTH)];
        while let Some((condition, depth)) = open.pop() {
            let Some(deeper) = depth.checked_sub(1) else { continue };
            match condition {
                Self::Always => {}
                Self::All(parts) | Self::Any(parts) => {
                    open.extend(parts.iter().rev().map(|part| (part, deeper)));
                }
                Self::Not(part) => open.push((part, deeper)),
                Self::Test(test) => tests.push(test),
            }
        }
        tests
    }

    /// How deep the condition nests; a single test has depth 1.
    #[must_use]
    pub fn depth(&self) -> usize {
        let mut deepest = 0_usize;
        let mut open = alloc::vec![(self, 1_usize)];
        while let Some((condition, depth)) = open.pop() {
            deepest = deepest.max(depth);
            let deeper = depth.saturating_add(1);
            match condition {
                Self::Always | Self::Test(_) => {}
                Self::All(parts) | Self::Any(parts) => {
                    open.extend(parts.iter().map(|part| (part, deeper)));
                }
                Self::Not(part) => open.push((part, deeper)),
            }
        }
        deepest
    }
}

impl Check {
    /// Whether a fact passes; a missing fact or one of another type is unknown.
    #[must_use]
    pub fn passes(&self, observed: Option<&Fact>) -> Truth {
        let Some(fact) = observed else {
            return match self {
                Self::Known(known) => Truth::of(!known),
                Self::Is(_)
                | Self::IsNot(_)
                | Self::Below(_)
                | Self::AtMost(_)
                | Self::Above(_)
                | Self::AtLeast(_)
                | Self::OneOf(_)
                | Self::Includes(_) => Truth::Unknown,
            };
        };
        let by_order = |bound: &Fact, wanted: fn(Ordering) -> bool| {
            compare(fact, bound).map_or(Truth::Unknown, |order| Truth::of(wanted(order)))
        };
        match self {
            Self::Known(known) => Truth::of(*known),
            Self::Is(bound) => by_order(bound, Ordering::is_eq),
            Self::IsNot(bound) => by_order(bound, Ordering::is_ne),
            Self::Below(bound) => by_order(bound, Ordering::is_lt),
            Self::AtMost(bound) => by_order(bound, Ordering::is_le),
            Self::Above(bound) => by_order(bound, Ordering::is_gt),
            Self::AtLeast(bound) => by_order(bound, Ordering::is_ge),
            Self::OneOf(codes) => match fact {
                Fact::Code(code) => Truth::of(codes.contains(code)),
                _ => Truth::Unknown,
            },
            Self::Includes(code) => match fact {
                Fact::Codes(codes) => Truth::of(codes.contains(code)),
                _ => Truth::Unknown,
            },
        }
    }

    /// The value the check compares with, if it is one value.
    #[must_use]
    pub const fn bound(&self) -> Option<&Fact> {
        match self {
            Self::Is(bound)
            | Self::IsNot(bound)
            | Self::Below(bound)
            | Self::AtMost(bound)
            | Self::Above(bound)
            | Self::AtLeast(bound) => Some(bound),
            Self::OneOf(_) | Self::Includes(_) | Self::Known(_) => None,
        }
    }
}

/// The order of two facts of one type; free text does not compare.
#[must_use]
pub fn compare(left: &Fact, right: &Fact) -> Option<Ordering> {
    match (left, right) {
        (Fact::Flag(a), Fact::Flag(b)) => Some(a.cmp(b)),
        (Fact::Count(a), Fact::Count(b))
        | (Fact::Days(a), Fact::Days(b))
        | (Fact::Seconds(a), Fact::Seconds(b)) => Some(a.cmp(b)),
        (Fact::Number(a), Fact::Number(b)) => Some(a.cmp(b)),
        (Fact::Amount(a), Fact::Amount(b)) => (a.currency() == b.currency()).then(|| a.cmp(b)),
        (Fact::Quantity(a), Fact::Quantity(b)) => (a.unit() == b.unit()).then(|| a.cmp(b)),
        (Fact::Code(a), Fact::Code(b)) => Some(a.cmp(b)),
        (Fact::Codes(a), Fact::Codes(b)) => Some(a.cmp(b)),
        (Fact::Date(a), Fact::Date(b)) => Some(a.cmp(b)),
        (Fact::Instant(a), Fact::Instant(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fact = &self.fact;
        match &self.check {
            Check::Is(bound) => write!(f, "{fact} is {bound}"),
            Check::IsNot(bound) => write!(f, "{fact} is not {bound}"),
            Check::Below(bound) => write!(f, "{fact} is below {bound}"),
            Check::AtMost(bound) => write!(f, "{fact} is at most {bound}"),
            Check::Above(bound) => write!(f, "{fact} is above {bound}"),
            Check::AtLeast(bound) => write!(f, "{fact} is at least {bound}"),
            Check::OneOf(codes) => {
                write!(f, "{fact} is one of {}", Fact::Codes(codes.clone()))
            }
            Check::Includes(code) => write!(f, "{fact} includes `{code}`"),
            Check::Known(true) => write!(f, "{fact} is known"),
            Check::Known(false) => write!(f, "{fact} is not known"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            f.write_str("(")?;
            for (position, part) in parts.iter().enumerate() {
                if position > 0 {
                    write!(f, " {word} ")?;
                }
                write!(f, "{part}")?;
            }
            f.write_str(")")
        };
        match self {
            Self::Always => f.write_str("always"),
            Self::All(parts) if parts.is_empty() => f.write_str("always"),
            Self::Any(parts) if parts.is_empty() => f.write_str("never"),
            Self::All(parts) => list(f, parts, "and"),
            Self::Any(parts) => list(f, parts, "or"),
            Self::Not(part) => write!(f, "not {part}"),
            Self::Test(test) => write!(f, "{test}"),
        }
    }
}
