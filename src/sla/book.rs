//! Verified service levels: what evaluation runs on.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::ladder::{BREACH, MAX_PERCENT, MAX_REPEATS, MAX_STEPS, Step, StepAt, StepId};
use super::policy::{
    Fires, Goal, Honors, PauseRule, PolicyKind, SlaDraft, SlaPolicy, Target, Trigger, Turn,
};
use super::program::{Compiler, FactState, Program, TestSet, Tests};
use crate::calendar::book::Calendars;
use crate::condition::schema::{ConditionFault, Schema};
use crate::condition::{Condition, Facts, Truth};
use crate::explain::{Effect, Explained, Fact, Finding, RuleRef};
use crate::id::{CalendarId, GoalId, PauseReasonId, PolicyId, RuleId};

/// The most reasons to stand still.
pub const MAX_PAUSES: usize = 64;
/// The most policies, the most goals of one, the most rules of one goal.
pub const MAX_ENTRIES: usize = 1_000;

/// Verified policies, compiled for evaluation.
///
/// ```
/// use aftersale::condition::schema::{FactType, Schema};
/// use aftersale::id::FactName;
/// use aftersale::sla::book::SlaBook;
/// let schema = Schema::new().with_optional(FactName::new("event")?, FactType::Code(Default::default()));
/// let draft = serde_json::from_str(
///     r#"{"policies":[{"id":"house","kind":"internal","goals":[
///         {"id":"answer","metric":"first_response",
///          "start":{"when":{"test":{"fact":"event","is":{"type":"code","value":"requested"}}}},
///          "stop":{"when":{"test":{"fact":"event","is":{"type":"code","value":"answered"}}}},
///          "targets":[{"id":"all","target":{"clock":"calendar","seconds":14400}}]}]}]}"#,
/// )?;
/// let book = SlaBook::verify(draft, &schema).map_err(|defects| format!("{defects:?}"))?;
/// assert_eq!(book.draft().policies.len(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaBook {
    draft: SlaDraft,
    pub(crate) tests: Tests,
    /// The condition of each pause rule, by the number of the rule.
    pub(crate) pauses: Vec<Option<Program>>,
    /// The tests of all pause rules.
    pub(crate) paused_by: TestSet,
    /// Pause reasons held while nothing is known of a case, one bit each.
    pub(crate) held_at_first: u64,
    pub(crate) policies: BTreeMap<(PolicyId, u32), Vec<CompiledGoal>>,
}

/// A goal with its conditions compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CompiledGoal {
    pub(crate) policy: PolicyId,
    pub(crate) version: u32,
    pub(crate) kind: PolicyKind,
    pub(crate) goal: Goal,
    /// Stop, cancel, reset, reopen, start.
    pub(crate) triggers: [Option<(Program, Fires)>; 5],
    /// The tests of all triggers.
    pub(crate) triggered_by: TestSet,
    /// Whether a trigger fires with every event while it holds.
    pub(crate) has_levels: bool,
    pub(crate) targets: Vec<Program>,
    /// The tests of all target rules.
    pub(crate) targeted_by: TestSet,
    /// Which triggers hold, and which target rule, while nothing is known of a case.
    pub(crate) at_first: ([bool; 5], Option<usize>),
    /// Pause rules it honors, one bit each.
    pub(crate) honors: u64,
    pub(crate) ranks: Ranks,
}

/// The places of a goal's names among all names of the book in the order of the text: timer events of
/// one instant are sorted by numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranks {
    /// Of the policy and the goal; versions of one goal share it.
    pub(crate) goal: usize,
    breach: usize,
    steps: Vec<usize>,
}

impl Ranks {
    /// Of a step by its position in the ladder; none is the breach.
    pub(crate) fn step(&self, step: Option<u16>) -> usize {
        let rank = step.map_or(Some(&self.breach), |step| self.steps.get(usize::from(step)));
        rank.copied().unwrap_or(usize::MAX)
    }

    /// Gives every goal its ranks.
    fn set<'a>(goals: impl Iterator<Item = &'a mut CompiledGoal>) {
        let mut goals: Vec<_> = goals.collect();
        goals.sort_by(|one, other| one.name().cmp(&other.name()));
        let steps = goals.iter().flat_map(|goal| &goal.goal.ladder).map(|step| step.id.clone());
        let names: BTreeSet<StepId> = steps.chain([StepId::fixed(BREACH)]).collect();
        let names: Vec<StepId> = names.into_iter().collect();
        let place = |step: &StepId| names.binary_search(step).unwrap_or(usize::MAX);
        let mut last: Option<(PolicyId, GoalId)> = None;
        let mut rank = 0_usize;
        for goal in goals {
            let name = (goal.policy.clone(), goal.goal.id.clone());
            if last.as_ref().is_some_and(|last| *last != name) {
                rank = rank.saturating_add(1);
            }
            last = Some(name);
            goal.ranks = Self {
                goal: rank,
                breach: place(&StepId::fixed(BREACH)),
                steps: goal.goal.ladder.iter().map(|step| place(&step.id)).collect(),
            };
        }
    }
}

/// What is wrong with a draft, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlaDefect {
    /// A condition cannot be used.
    #[error("policy `{policy}`, goal `{goal}`: {fault}")]
    Condition {
        /// The policy.
        policy: PolicyId,
        /// The goal.
        goal: GoalId,
        /// What is wrong.
        fault: ConditionFault,
    },
    /// The condition under which a policy applies cannot be used.
    #[error("policy `{policy}`: {fault}")]
    Applies {
        /// The policy.
        policy: PolicyId,
        /// What is wrong.
        fault: ConditionFault,
    },
    /// The condition of a pause cannot be used.
    #[error("pause `{pause}`: {fault}")]
    Pause {
        /// The reason.
        pause: PauseReasonId,
        /// What is wrong.
        fault: ConditionFault,
    },
    /// A pause reason is declared twice.
    #[error("pause `{pause}` is declared twice")]
    PauseTwice {
        /// The reason.
        pause: PauseReasonId,
    },
    /// One version of a policy is there twice.
    #[error("version {version} of policy `{policy}` is there twice")]
    PolicyTwice {
        /// The policy.
        policy: PolicyId,
        /// The version.
        version: u32,
    },
    /// A goal is there twice in a policy.
    #[error("policy `{policy}` has goal `{goal}` twice")]
    GoalTwice {
        /// The policy.
        policy: PolicyId,
        /// The goal.
        goal: GoalId,
    },
    /// A goal honors a reason that is not declared.
    #[error("policy `{policy}`, goal `{goal}` honors pause `{pause}`, which is not declared")]
    UnknownPause {
        /// The policy.
        policy: PolicyId,
        /// The goal.
        goal: GoalId,
        /// The reason.
        pause: PauseReasonId,
    },
    /// A statutory goal honors an internal reason.
    #[error(
        "policy `{policy}`, goal `{goal}` is statutory and cannot be paused by the internal reason `{pause}`"
    )]
    StatutoryPausedInternally {
        /// The policy.
        policy: PolicyId,
        /// The goal.
        goal: GoalId,
        /// The reason.
        pause: PauseReasonId,
    },
    /// A goal has no target.
    #[error("policy `{policy}`, goal `{goal}` has no target")]
    NoTarget {
        /// The policy.
        policy: PolicyId,
        /// The goal.
        goal: GoalId,
    },
    /// A rule stands behind one that always applies, or has the name of another.
    #[error("policy `{policy}`, goal `{goal}`: rule `{rule}` can never be reached")]
    UnreachableRule {
        /// The policy.
        policy: PolicyId,
        /// The goal.
        goal: GoalId,
        /// The rule.
        rule: RuleId,
    },
    /// A target is not above zero.
    #[error("policy `{policy}`, goal `{goal}`: the target of rule `{rule}` is not above zero")]
    TargetNotPositive {
        /// The policy.
        policy: PolicyId,
        /// The goal.
        goal: GoalId,
        /// The rule.
        rule: RuleId,
    },
    /// A step has a name that is taken, or numbers out of range.
    #[error("policy `{policy}`, goal `{goal}`: step `{step}` {what}")]
    Step {
        /// The policy.
        policy: PolicyId,
        /// The goal.
        goal: GoalId,
        /// The step.
        step: StepId,
        /// What is wrong, in words.
        what: &'static str,
    },
    /// There is too much of something.
    #[error("there are {count} {what}, at most {limit} are allowed")]
    TooMany {
        /// Of what, in words.
        what: &'static str,
        /// How many were found.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
}

impl SlaBook {
    /// Verifies a draft against the facts that conditions may use.
    ///
    /// # Errors
    ///
    /// All defects, in the order of the draft.
    pub fn verify(draft: SlaDraft, schema: &Schema) -> Result<Self, Vec<SlaDefect>> {
        let mut defects = sizes(&draft);
        if !defects.is_empty() {
            return Err(defects);
        }
        pause_defects(&draft, schema, &mut defects);
        let mut seen = BTreeSet::new();
        for policy in &draft.policies {
            let (id, version) = (policy.id.clone(), policy.version);
            if !seen.insert((&policy.id, version)) {
                defects.push(SlaDefect::PolicyTwice { policy: id.clone(), version });
            }
            let faults = schema.faults(&policy.applies).into_iter();
            defects.extend(faults.map(|fault| SlaDefect::Applies { policy: id.clone(), fault }));
            let mut goals = BTreeSet::new();
            for goal in &policy.goals {
                if !goals.insert(&goal.id) {
                    let goal = goal.id.clone();
                    defects.push(SlaDefect::GoalTwice { policy: id.clone(), goal });
                }
                goal_defects(policy, goal, &draft.pauses, schema, &mut defects);
            }
        }
        if defects.is_empty() { Ok(Self::compile(draft)) } else { Err(defects) }
    }

    fn compile(draft: SlaDraft) -> Self {
        let mut compiler = Compiler::default();
        let pauses: Vec<Option<Program>> = draft
            .pauses
            .iter()
            .map(|pause| pause.held_while.as_ref().map(|held| compiler.compile(held)))
            .collect();
        let mut policies = BTreeMap::new();
        for policy in &draft.policies {
            let goals: Vec<CompiledGoal> = policy
                .goals
                .iter()
                .map(|goal| CompiledGoal::new(policy, goal, &draft.pauses, &mut compiler))
                .collect();
            policies.insert((policy.id.clone(), policy.version), goals);
        }
        let tests = compiler.finish();
        let facts = FactState::new(&tests);
        for goal in policies.values_mut().flatten() {
            goal.at_first = (goal.held_triggers(&facts), goal.target_rule(&facts));
        }
        Ranks::set(policies.values_mut().flatten());
        let held_at_first = held(&pauses, &facts);
        let paused_by = TestSet::of(pauses.iter().flatten());
        Self { tests, pauses, paused_by, held_at_first, policies, draft }
    }

    /// The pause reasons held by conditions, one bit each.
    pub(crate) fn held(&self, facts: &FactState<'_>) -> u64 {
        held(&self.pauses, facts)
    }

    /// What was verified.
    #[must_use]
    pub const fn draft(&self) -> &SlaDraft {
        &self.draft
    }

    /// The number of a pause reason, which is its bit in a set of held reasons.
    pub(crate) fn pause_number(&self, reason: &PauseReasonId) -> Option<u32> {
        let place = self.draft.pauses.iter().position(|pause| pause.id == *reason)?;
        u32::try_from(place).ok()
    }

    /// The calendars that some target or ladder names and that are not there.
    #[must_use]
    pub fn missing_calendars(&self, calendars: &Calendars) -> BTreeSet<CalendarId> {
        let goals = self.draft.policies.iter().flat_map(|policy| &policy.goals);
        goals
            .flat_map(|goal| {
                let targets = goal.targets.iter().filter_map(|rule| rule.target.calendar());
                let quiet = goal.ladder.iter().filter_map(|step| step.quiet_outside.as_ref());
                targets.chain(quiet)
            })
            .filter(|calendar| calendars.get(calendar).is_none())
            .cloned()
            .collect()
    }

    /// The policies for a case, in the order of the draft, each in its highest version that applies.
    ///
    /// Every policy that was looked at has a finding: whether it applies, and by how many tests
    /// (the more tests, the more specific).
    #[must_use]
    pub fn select(&self, facts: &Facts) -> Explained<Vec<(PolicyId, u32)>> {
        let mut chosen: Vec<(PolicyId, u32)> = Vec::new();
        let mut findings = Vec::new();
        for policy in &self.draft.policies {
            let truth = policy.applies.evaluate(facts);
            // A policy id is a valid rule id: both are identifiers.
            if let Ok(rule) = RuleId::new(policy.id.as_str()) {
                let weight = Fact::Count(specificity(&policy.applies));
                findings.push(finding(rule, policy, truth).observed(weight));
            }
            if !truth.holds() {
                continue;
            }
            match chosen.iter_mut().find(|(id, _)| *id == policy.id) {
                Some((_, version)) => *version = policy.version.max(*version),
                None => chosen.push((policy.id.clone(), policy.version)),
            }
        }
        Explained::new(chosen, findings)
    }

    /// The target of one goal for a case: the first rule that holds. None when no rule holds or the
    /// goal is not there.
    ///
    /// Every rule has a finding with its specificity; a rule behind the chosen one that also holds
    /// and is more specific is a warning.
    #[must_use]
    pub fn select_target(
        &self,
        policy: &PolicyId,
        version: u32,
        goal: &GoalId,
        facts: &Facts,
    ) -> Explained<Option<Target>> {
        let entry = self.draft.policies.iter().find(|p| p.id == *policy && p.version == version);
        let found = entry.and_then(|policy| {
            policy.goals.iter().find(|candidate| candidate.id == *goal).map(|goal| (policy, goal))
        });
        let Some((policy, goal)) = found else { return Explained::new(None, Vec::new()) };
        let mut chosen: Option<(&Target, i64)> = None;
        let mut findings = Vec::new();
        for rule in &goal.targets {
            let truth = rule.when.evaluate(facts);
            let weight = specificity(&rule.when);
            let mut finding = finding(rule.id.clone(), policy, truth).observed(Fact::Count(weight));
            match chosen {
                None if truth.holds() => chosen = Some((&rule.target, weight)),
                Some((_, first)) if truth.holds() && weight > first => {
                    finding.effect = Effect::Warns;
                    finding.required = Some(Fact::Count(first));
                }
                Some(_) => finding.effect = Effect::Passes,
                None => {}
            }
            findings.push(finding);
        }
        Explained::new(chosen.map(|(target, _)| target.clone()), findings)
    }
}

fn finding(id: RuleId, policy: &SlaPolicy, truth: Truth) -> Finding {
    let rule = RuleRef { id, version: policy.version, source: policy.source.clone() };
    Finding::new(rule, if truth.holds() { Effect::Sets } else { Effect::Passes })
}

/// How many tests a condition makes: the more, the more specific.
#[must_use]
pub fn specificity(condition: &Condition) -> i64 {
    i64::try_from(condition.tests().len()).unwrap_or(i64::MAX)
}

impl CompiledGoal {
    fn new(policy: &SlaPolicy, goal: &Goal, pauses: &[PauseRule], compiler: &mut Compiler) -> Self {
        let mut compile = |trigger: &Trigger| (compiler.compile(&trigger.when), trigger.fires);
        let triggers = [
            Some(&goal.stop),
            goal.cancel.as_ref(),
            goal.reset.as_ref(),
            goal.reopen.as_ref(),
            Some(&goal.start),
        ];
        let triggers = triggers.map(|trigger| trigger.map(&mut compile));
        let has_levels = triggers.iter().flatten().any(|(_, fires)| *fires == Fires::WhileTrue);
        let targets: Vec<Program> =
            goal.targets.iter().map(|rule| compiler.compile(&rule.when)).collect();
        let is_honored = |pause: &PauseRule| match &goal.honors {
            Honors::Nothing => false,
            Honors::Every => policy.kind != PolicyKind::Statutory || pause.turn != Turn::Internal,
            Honors::Only(reasons) => reasons.contains(&pause.id),
        };
        let honors = pauses.iter().zip(0_u32..).fold(0_u64, |bits, (pause, bit)| {
            if is_honored(pause) { bits | 1_u64.wrapping_shl(bit) } else { bits }
        });
        Self {
            policy: policy.id.clone(),
            version: policy.version,
            kind: policy.kind,
            goal: goal.clone(),
            triggered_by: TestSet::of(triggers.iter().flatten().map(|(program, _)| program)),
            has_levels,
            triggers,
            targeted_by: TestSet::of(&targets),
            targets,
            at_first: ([false; 5], None),
            honors,
            ranks: Ranks::default(),
        }
    }

    fn name(&self) -> (&PolicyId, &GoalId) {
        (&self.policy, &self.goal.id)
    }

    /// Which triggers hold.
    pub(crate) fn held_triggers(&self, facts: &FactState<'_>) -> [bool; 5] {
        self.triggers
            .each_ref()
            .map(|trigger| trigger.as_ref().is_some_and(|(program, _)| facts.holds(program)))
    }

    /// The first target rule that holds.
    pub(crate) fn target_rule(&self, facts: &FactState<'_>) -> Option<usize> {
        self.targets.iter().position(|program| facts.holds(program))
    }
}

fn held(pauses: &[Option<Program>], facts: &FactState<'_>) -> u64 {
    let named = pauses.iter().zip(0_u32..);
    let held = named.filter(|(pause, _)| pause.as_ref().is_some_and(|pause| facts.holds(pause)));
    held.fold(0, |bits, (_, bit)| bits | 1_u64.wrapping_shl(bit))
}

fn sizes(draft: &SlaDraft) -> Vec<SlaDefect> {
    let mut defects = Vec::new();
    let mut check = |what, count, limit| {
        if count > limit {
            defects.push(SlaDefect::TooMany { what, count, limit });
        }
    };
    check("pauses", draft.pauses.len(), MAX_PAUSES);
    check("policies", draft.policies.len(), MAX_ENTRIES);
    for policy in &draft.policies {
        check("goals of a policy", policy.goals.len(), MAX_ENTRIES);
        for goal in &policy.goals {
            check("rules of a goal", goal.targets.len(), MAX_ENTRIES);
            check("steps of a ladder", goal.ladder.len(), MAX_STEPS);
        }
    }
    defects
}

fn pause_defects(draft: &SlaDraft, schema: &Schema, defects: &mut Vec<SlaDefect>) {
    let mut seen = BTreeSet::new();
    for pause in &draft.pauses {
        if !seen.insert(&pause.id) {
            defects.push(SlaDefect::PauseTwice { pause: pause.id.clone() });
        }
        let faults = pause.held_while.iter().flat_map(|held| schema.faults(held));
        defects.extend(faults.map(|fault| SlaDefect::Pause { pause: pause.id.clone(), fault }));
    }
}

fn goal_defects(
    policy: &SlaPolicy,
    goal: &Goal,
    pauses: &[PauseRule],
    schema: &Schema,
    defects: &mut Vec<SlaDefect>,
) {
    let place = || (policy.id.clone(), goal.id.clone());
    let triggers = [Some(&goal.start), Some(&goal.stop)].into_iter();
    let triggers =
        triggers.chain([goal.cancel.as_ref(), goal.reset.as_ref(), goal.reopen.as_ref()]).flatten();
    let conditions =
        triggers.map(|trigger| &trigger.when).chain(goal.targets.iter().map(|rule| &rule.when));
    for fault in conditions.flat_map(|condition| schema.faults(condition)) {
        let (policy, goal) = place();
        defects.push(SlaDefect::Condition { policy, goal, fault });
    }
    if let Honors::Only(reasons) = &goal.honors {
        for reason in reasons {
            let (id, goal) = place();
            match pauses.iter().find(|pause| pause.id == *reason) {
                None => defects.push(SlaDefect::UnknownPause {
                    policy: id,
                    goal,
                    pause: reason.clone(),
                }),
                Some(pause)
                    if policy.kind == PolicyKind::Statutory && pause.turn == Turn::Internal =>
                {
                    let pause = reason.clone();
                    defects.push(SlaDefect::StatutoryPausedInternally { policy: id, goal, pause });
                }
                Some(_) => {}
            }
        }
    }
    if goal.targets.is_empty() {
        let (policy, goal) = place();
        defects.push(SlaDefect::NoTarget { policy, goal });
    }
    let mut names = BTreeSet::new();
    let mut is_closed = false;
    for rule in &goal.targets {
        let (policy, goal) = place();
        let id = rule.id.clone();
        if !names.insert(&rule.id) || is_closed {
            defects.push(SlaDefect::UnreachableRule {
                policy: policy.clone(),
                goal: goal.clone(),
                rule: id.clone(),
            });
        }
        is_closed |= rule.when == Condition::Always;
        let is_wrong = match rule.target.amount() {
            super::policy::Amount::Days(days) => days < 0,
            amount => amount.value() <= 0,
        };
        if is_wrong {
            defects.push(SlaDefect::TargetNotPositive { policy, goal, rule: id });
        }
    }
    let mut steps = BTreeSet::new();
    for step in &goal.ladder {
        let is_taken = !steps.insert(&step.id) || step.id.as_str() == BREACH;
        if let Some(what) = step_fault(step, is_taken) {
            let (policy, goal) = place();
            defects.push(SlaDefect::Step { policy, goal, step: step.id.clone(), what });
        }
    }
}

fn step_fault(step: &Step, is_taken: bool) -> Option<&'static str> {
    if is_taken {
        return Some("has a name that is taken");
    }
    let is_bad_offset = match step.at {
        StepAt::PercentUsed(percent) => percent > MAX_PERCENT,
        StepAt::BeforeDue(offset) | StepAt::AfterDue(offset) => offset.seconds < 0,
    };
    if is_bad_offset {
        return Some("is out of range: at most 1000 percent, or zero or more seconds");
    }
    let repeat = step.repeat?;
    let is_bad = repeat.every_seconds <= 0 || repeat.times == 0 || repeat.times > MAX_REPEATS;
    is_bad.then_some("repeats 1 to 100 times, with more than zero seconds between")
}
