//! Conditions compiled for one fold over many events.
//!
//! Each distinct test gets a number and is made again only when its fact changes; a condition is
//! evaluated again only when one of its tests was.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::condition::{Check, Condition, MAX_DEPTH, Test, Truth};
use crate::explain::Fact;
use crate::id::FactName;

/// A set of tests by number, folded into 256 bits: two tests may share a bit, which costs an
/// evaluation too many and never one too few.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TestSet([u64; 4]);

impl TestSet {
    fn insert(&mut self, test: usize) {
        let word = test.checked_rem(256).and_then(|bit| bit.checked_div(64)).unwrap_or(0);
        let bit = u32::try_from(test.checked_rem(64).unwrap_or(0)).unwrap_or(0);
        if let Some(word) = self.0.get_mut(word) {
            *word |= 1_u64.wrapping_shl(bit);
        }
    }

    /// The tests of several conditions.
    pub(crate) fn of<'a>(programs: impl IntoIterator<Item = &'a Program>) -> Self {
        programs.into_iter().fold(Self::default(), |mut all, program| {
            all.add(&program.needs);
            all
        })
    }

    pub(crate) fn add(&mut self, more: &Self) {
        self.0.iter_mut().zip(more.0).for_each(|(all, own)| *all |= own);
    }

    pub(crate) fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(one, other)| one & other != 0)
    }

    fn clear(&mut self) {
        self.0 = [0; 4];
    }
}

/// All distinct tests of a book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tests {
    /// Fact names in order.
    names: Vec<FactName>,
    /// The tests of each fact.
    of_name: Vec<Vec<usize>>,
    checks: Vec<Check>,
    /// How each test comes out when its fact is missing.
    missing: Vec<Truth>,
}

/// Collects tests and compiles conditions.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    numbers: BTreeMap<Test, usize>,
}

/// One condition as a list of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    ops: Vec<Op>,
    pub(crate) needs: TestSet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Value(Truth),
    Test(usize),
    Open(Join),
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Join {
    All,
    Any,
    Not,
}

impl Compiler {
    pub(crate) fn compile(&mut self, condition: &Condition) -> Program {
        enum Todo<'a> {
            Visit(&'a Condition, usize),
            Close,
        }
        let mut program = Program { ops: Vec::new(), needs: TestSet::default() };
        let mut todo = alloc::vec![Todo::Visit(condition, MAX_DEPTH)];
        while let Some(next) = todo.pop() {
            let Todo::Visit(condition, depth) = next else {
                program.ops.push(Op::Close);
                continue;
            };
            let Some(deeper) = depth.checked_sub(1) else {
                program.ops.push(Op::Value(Truth::Unknown));
                continue;
            };
            match condition {
                Condition::Always => program.ops.push(Op::Value(Truth::Holds)),
                Condition::Test(test) => {
                    let count = self.numbers.len();
                    let number = *self.numbers.entry(test.clone()).or_insert(count);
                    program.needs.insert(number);
                    program.ops.push(Op::Test(number));
                }
                Condition::All(parts) | Condition::Any(parts) => {
                    let is_all = matches!(condition, Condition::All(_));
                    program.ops.push(Op::Open(if is_all { Join::All } else { Join::Any }));
                    todo.push(Todo::Close);
                    todo.extend(parts.iter().rev().map(|part| Todo::Visit(part, deeper)));
                }
                Condition::Not(part) => {
                    program.ops.push(Op::Open(Join::Not));
                    todo.push(Todo::Close);
                    todo.push(Todo::Visit(part, deeper));
                }
            }
        }
        program
    }

    pub(crate) fn finish(self) -> Tests {
        let mut tests = Tests::default();
        let mut by_number: Vec<(usize, Test)> =
            self.numbers.into_iter().map(|(test, number)| (number, test)).collect();
        by_number.sort_unstable_by_key(|(number, _)| *number);
        let mut of_name: BTreeMap<FactName, Vec<usize>> = BTreeMap::new();
        for (number, test) in by_number {
            tests.missing.push(test.check.passes(None));
            tests.checks.push(test.check);
            of_name.entry(test.fact).or_default().push(number);
        }
        (tests.names, tests.of_name) = of_name.into_iter().unzip();
        tests
    }
}

/// Nested parts and the outermost one.
const LEVELS: usize = MAX_DEPTH.saturating_add(1);

/// Facts as tests see them, while events are folded.
pub(crate) struct FactState<'a> {
    tests: &'a Tests,
    values: Vec<Option<&'a Fact>>,
    truths: Vec<Truth>,
    /// Tests made again since the last [`FactState::settle`].
    pub(crate) changed: TestSet,
}

impl<'a> FactState<'a> {
    pub(crate) fn new(tests: &'a Tests) -> Self {
        let values = alloc::vec![None; tests.names.len()];
        Self { tests, values, truths: tests.missing.clone(), changed: TestSet::default() }
    }

    /// The number of a fact that some test asks for.
    pub(crate) fn number(&self, name: &FactName) -> Option<usize> {
        self.tests.names.binary_search(name).ok()
    }

    /// Sets a fact or forgets it; returns what it was.
    pub(crate) fn put(&mut self, number: usize, fact: Option<&'a Fact>) -> Option<&'a Fact> {
        let value = self.values.get_mut(number)?;
        let old = core::mem::replace(value, fact);
        for &test in self.tests.of_name.get(number).map(Vec::as_slice).unwrap_or_default() {
            let (Some(check), Some(truth)) =
                (self.tests.checks.get(test), self.truths.get_mut(test))
            else {
                continue;
            };
            let now = check.passes(fact);
            if now != *truth {
                *truth = now;
                self.changed.insert(test);
            }
        }
        old
    }

    /// All changes are known to everyone.
    pub(crate) fn settle(&mut self) {
        self.changed.clear();
    }

    /// Whether a condition holds.
    pub(crate) fn holds(&self, program: &Program) -> bool {
        match program.ops.as_slice() {
            [Op::Value(truth)] => truth.holds(),
            [Op::Test(test)] => self.truth(*test).holds(),
            ops => self.joined(ops).holds(),
        }
    }

    fn truth(&self, test: usize) -> Truth {
        self.truths.get(test).copied().unwrap_or(Truth::Unknown)
    }

    fn joined(&self, ops: &[Op]) -> Truth {
        let mut open = [(Join::All, Truth::Holds); LEVELS];
        let mut depth = 0_usize;
        for op in ops {
            let value = match op {
                Op::Value(truth) => *truth,
                Op::Test(test) => self.truth(*test),
                Op::Open(join) => {
                    depth = depth.saturating_add(1);
                    if let Some(level) = open.get_mut(depth) {
                        let start = if *join == Join::Any { Truth::Fails } else { Truth::Holds };
                        *level = (*join, start);
                    }
                    continue;
                }
                Op::Close => {
                    let (join, truth) =
                        open.get(depth).copied().unwrap_or((Join::All, Truth::Unknown));
                    depth = depth.saturating_sub(1);
                    match (join, truth) {
                        (Join::Not, Truth::Holds) => Truth::Fails,
                        (Join::Not, Truth::Fails) => Truth::Holds,
                        (_, truth) => truth,
                    }
                }
            };
            if let Some((join, truth)) = open.get_mut(depth) {
                *truth = match join {
                    Join::All => (*truth).min(value),
                    Join::Any => (*truth).max(value),
                    Join::Not => value,
                };
            }
        }
        open.first().map_or(Truth::Unknown, |(_, truth)| *truth)
    }
}
