//! Judging one request by all policies.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::deadline::{Place, Timeline, Timing, end_of, step};
use super::due::{Clock, incomputable};
use super::facts::LineFacts;
use super::period::{Anchor, LengthUnit, PeriodTerms, Step};
use super::set::{PolicyDraft, PolicySet};
use super::terms::{Clause, Deduction, IfUnknown, Remedy, RuleTerms};
use super::verdict::{Entitlement, Ground, GroundKind, Refused, Undecided, Verdict};
use crate::condition::{Check, Condition, Facts, Test, TestMade, Truth};
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::{FactName, PolicyId};
use crate::quantity::Unit;
use crate::reason::attribute::FreightPayer;

/// One request about one line: what is known, and when it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    /// What is known about the line.
    pub line: LineFacts,
    /// What happened when.
    pub timeline: Timeline,
}

impl PolicySet {
    /// Judges one request by every rule of every policy.
    ///
    /// Total: a rule whose deadline cannot be computed is undecided, with that as its ground.
    ///
    /// ```
    /// use aftersale::calendar::working_days::WorkingDays;
    /// use aftersale::policy::deadline::{Place, Timeline};
    /// use aftersale::policy::facts::LineFacts;
    /// use aftersale::policy::judge::Situation;
    /// use aftersale::policy::period::Anchor;
    /// use aftersale::policy::set::PolicySet;
    /// use aftersale::policy::terms::Remedy;
    /// use aftersale::time::{Instant, TimeError};
    ///
    /// let set: PolicySet = serde_json::from_str(&format!("[{}]", aftersale::preset::policies::STORE))?;
    /// let place = Place::new("Europe/London".parse()?, WorkingDays::weekdays());
    /// let at = |text: &str| text.parse::<Instant>().map_err(|_| TimeError::OutOfRange);
    /// let mug = |asked: &str| -> Result<Situation, TimeError> {
    ///     let timeline = Timeline::new(at(asked)?).with(Anchor::Sold, at("2011-03-01T10:00:00Z")?);
    ///     Ok(Situation { line: LineFacts::default(), timeline })
    /// };
    /// let verdict = set.judge(&mug("2011-03-31T09:00:00Z")?, &place);
    /// assert!(verdict.remedies().contains(&Remedy::Refund));
    /// let late = set.judge(&mug("2011-04-02T09:00:00Z")?, &place);
    /// assert_eq!(
    ///     late.refused[0].grounds[0].findings[1].to_string(),
    ///     "rule `store_window` denies (days elapsed): 32 days observed, 30 days required [Store returns page]",
    /// );
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn judge(&self, situation: &Situation, place: &Place) -> Verdict {
        let facts = self.facts(situation, place);
        let mut verdict = Verdict::default();
        for (policy, rule, reference) in self.rules() {
            let judgment = Judgment {
                rule,
                reference,
                timeline: &situation.timeline,
                place,
                facts: &facts,
                findings: Vec::new(),
                subject_to: Vec::new(),
                refusals: Vec::new(),
                open: Open::default(),
            };
            judgment.conclude(policy, &mut verdict);
        }
        verdict.entitlements.sort_by_cached_key(|right| Reverse(favor(right)));
        verdict
    }

    /// The facts that the conditions of this set test.
    fn facts(&self, situation: &Situation, place: &Place) -> Facts {
        let mut facts = Facts::new();
        for (fact, name) in self.line_facts() {
            if let Some(fact) = situation.line.fact(*fact, &situation.timeline, place.zone) {
                facts.set(name.clone(), fact);
            }
        }
        for name in self.host_facts() {
            if let Some(fact) = situation.line.more.get(name) {
                facts.set(name.clone(), fact.clone());
            }
        }
        facts
    }
}

/// How favorable a right is; a greater value is better for the customer.
fn favor(right: &Entitlement) -> impl Ord + use<> {
    let ends = match &right.window {
        None => (1, None),
        Some(timing) => match timing {
            Timing::Until(deadline) => (0, Some(deadline.ends)),
            Timing::NotBegun(_) | Timing::Unknown(_) => (1, None),
        },
    };
    (
        right.remedies.contains(&Remedy::Refund),
        right.subject_to.is_empty(),
        right.remedies.len(),
        right.return_freight == FreightPayer::Seller,
        right.outbound_freight,
        Reverse(right.deductions.len()),
        ends,
    )
}

/// What is missing for a decision.
#[derive(Default)]
struct Open {
    facts: BTreeSet<FactName>,
    events: Vec<Anchor>,
    usage: Vec<Unit>,
    grounds: Vec<Ground>,
}

/// One rule at work on one request.
struct Judgment<'a> {
    rule: &'a RuleTerms,
    reference: &'a RuleRef,
    timeline: &'a Timeline,
    place: &'a Place,
    facts: &'a Facts,
    findings: Vec<Finding>,
    subject_to: Vec<Finding>,
    refusals: Vec<Ground>,
    open: Open,
}

impl Judgment<'_> {
    fn conclude(mut self, policy: &PolicyDraft, verdict: &mut Verdict) {
        let window = self.ask();
        let (rule, basis) = (self.reference.clone(), self.rule.basis);
        let policy = policy.id.clone();
        if !self.refusals.is_empty() {
            let mut grounds = self.refusals;
            grounds.append(&mut self.open.grounds);
            verdict.refused.push(Refused { policy, rule, basis, grounds });
        } else if !self.open.grounds.is_empty() {
            let Open { facts, events, usage, grounds } = self.open;
            verdict.undecided.push(Undecided {
                policy,
                rule,
                basis,
                facts,
                events,
                usage,
                grounds,
            });
        } else {
            match self.grant(policy.clone(), window) {
                Ok(right) => verdict.entitlements.push(right),
                Err(ground) => {
                    let grounds = alloc::vec![ground];
                    let Open { facts, events, usage, .. } = Open::default();
                    let undecided =
                        Undecided { policy, rule, basis, facts, events, usage, grounds };
                    verdict.undecided.push(undecided);
                }
            }
        }
    }

    /// Asks every part of the rule; the answers are in `refusals`, `open` and `findings`.
    fn ask(&mut self) -> Option<Timing> {
        let rule = self.rule;
        match rule.scope.evaluate(self.facts) {
            Truth::Holds => self.permits("scope", None),
            Truth::Fails => {
                let findings = self.tests("scope", None, &rule.scope, Truth::Fails);
                self.refusals.push(Ground { kind: GroundKind::OutOfScope, findings });
                return None;
            }
            Truth::Unknown => self.missing("scope", None, &rule.scope),
        }
        for clause in &rule.unless {
            match clause.when.evaluate(self.facts) {
                Truth::Fails => self.permits(&clause.id, clause.article.as_ref()),
                Truth::Holds => self.refuse(GroundKind::Excluded, clause, Truth::Holds),
                Truth::Unknown => self.unknown(clause),
            }
        }
        for clause in &rule.provided {
            match clause.when.evaluate(self.facts) {
                Truth::Holds => self.permits(&clause.id, clause.article.as_ref()),
                Truth::Fails => self.refuse(GroundKind::RequirementUnmet, clause, Truth::Fails),
                Truth::Unknown => self.unknown(clause),
            }
        }
        let terms = rule.window.as_ref()?;
        self.usage(terms);
        self.window(terms)
    }

    /// Compares the act that counts with the end of the window.
    fn window(&mut self, terms: &PeriodTerms) -> Option<Timing> {
        let timing = match end_of(terms, self.timeline, self.place, self.reference) {
            Ok(timing) => timing,
            Err(error) => {
                self.open.grounds.push(incomputable(self.reference, terms, &error));
                return None;
            }
        };
        match &timing {
            Timing::Until(deadline) => {
                let acted = self.timeline.acted(terms.act);
                let zone = self.place.zone;
                let effect = if deadline.admits(acted) { Effect::Permits } else { Effect::Denies };
                let (observed, required) = if terms.length.unit == LengthUnit::Hours {
                    (Fact::Instant(acted), Fact::Instant(deadline.ends))
                } else {
                    (Fact::Date(zone.date(acted)), Fact::Date(deadline.last_day))
                };
                let compared =
                    step(terms, self.reference, Step::Act, effect, Some(observed), Some(required));
                if effect == Effect::Permits {
                    self.findings.push(compared);
                } else {
                    let mut findings = alloc::vec![compared];
                    findings.extend(self.elapsed(terms, &deadline.derivation, zone.date(acted)));
                    findings.extend(deadline.derivation.iter().cloned());
                    self.refusals.push(Ground { kind: GroundKind::TooLate, findings });
                }
            }
            Timing::NotBegun(waiting) => {
                let waiting = Fact::codes(waiting.iter().map(|anchor| format!("{anchor}")));
                let finding =
                    step(terms, self.reference, Step::Anchor, Effect::Permits, None, Some(waiting));
                self.findings.push(finding);
            }
            Timing::Unknown(missing) => {
                let codes = Fact::codes(missing.iter().map(|anchor| format!("{anchor}")));
                let finding =
                    step(terms, self.reference, Step::Anchor, Effect::Requires, None, Some(codes));
                self.open.events.extend(missing.iter().copied());
                let findings = alloc::vec![finding];
                self.open.grounds.push(Ground { kind: GroundKind::EventMissing, findings });
            }
        }
        Some(timing)
    }

    /// For a window in civil days: the days from the event to the act.
    fn elapsed(
        &self,
        terms: &PeriodTerms,
        derivation: &[Finding],
        acted: NaiveDate,
    ) -> Option<Finding> {
        let started = derivation.iter().find_map(|finding| match finding.required {
            Some(Fact::Instant(at)) => Some(at),
            _ => None,
        })?;
        if terms.length.unit != LengthUnit::Days {
            return None;
        }
        let days = acted.signed_duration_since(self.place.zone.date(started)).num_days();
        Some(
            Finding::new(self.reference.clone(), Effect::Denies)
                .about("days elapsed")
                .observed(Fact::Days(days))
                .required(Fact::Days(terms.length.count.into())),
        )
    }

    fn usage(&mut self, terms: &PeriodTerms) {
        for limit in &terms.usage_max {
            let reading = self.timeline.usage.iter().find(|reading| reading.unit() == limit.unit());
            let effect = match reading {
                None => Effect::Requires,
                Some(reading) if reading.steps() > limit.steps() => Effect::Denies,
                Some(_) => Effect::Permits,
            };
            let observed = reading.map(|reading| Fact::Quantity(*reading));
            let required = Some(Fact::Quantity(*limit));
            let finding = step(terms, self.reference, Step::Usage, effect, observed, required);
            if effect == Effect::Permits {
                self.findings.push(finding);
                continue;
            }
            let findings = alloc::vec![finding];
            if effect == Effect::Denies {
                self.refusals.push(Ground { kind: GroundKind::UsedTooMuch, findings });
            } else {
                self.open.usage.push(limit.unit());
                self.open.grounds.push(Ground { kind: GroundKind::UsageMissing, findings });
            }
        }
    }

    fn permits(&mut self, clause: &str, article: Option<&String>) {
        if clause == "scope" && self.rule.scope == Condition::Always {
            return;
        }
        let mut finding = Finding::new(self.cited(article), Effect::Permits);
        finding.subject = Some(clause.into());
        self.findings.push(finding);
    }

    fn refuse(&mut self, kind: GroundKind, clause: &Clause, decisive: Truth) {
        let findings = self.tests(&clause.id, clause.article.as_ref(), &clause.when, decisive);
        self.refusals.push(Ground { kind, findings });
    }

    fn unknown(&mut self, clause: &Clause) {
        match clause.if_unknown {
            IfUnknown::Ask => self.missing(&clause.id, clause.article.as_ref(), &clause.when),
            IfUnknown::SubjectTo => {
                let article = clause.article.as_ref();
                let mut findings = self.tests(&clause.id, article, &clause.when, Truth::Unknown);
                self.subject_to.append(&mut findings);
            }
        }
    }

    fn missing(&mut self, clause: &str, article: Option<&String>, condition: &Condition) {
        let (_, made) = condition.explain(self.facts);
        let unknown = made.iter().filter(|test| test.truth == Truth::Unknown);
        self.open.facts.extend(unknown.map(|test| test.test.fact.clone()));
        let findings = self.tests(clause, article, condition, Truth::Unknown);
        self.open.grounds.push(Ground { kind: GroundKind::FactMissing, findings });
    }

    /// The tests that came out in one way. Under a `not` the decisive tests come out the other way;
    /// where none came out so, all are listed.
    fn tests(
        &self,
        clause: &str,
        article: Option<&String>,
        condition: &Condition,
        decisive: Truth,
    ) -> Vec<Finding> {
        let (_, made) = condition.explain(self.facts);
        let matching = || made.iter().filter(|test| test.truth == decisive);
        let shown: Vec<&TestMade> =
            if matching().next().is_some() { matching().collect() } else { made.iter().collect() };
        let effect = if decisive == Truth::Unknown { Effect::Requires } else { Effect::Denies };
        let show = |test: &&TestMade| {
            let mut finding = Finding::new(self.cited(article), effect);
            finding.subject = Some(format!("{clause}: {}", test.test));
            finding.observed.clone_from(&test.observed);
            if decisive == Truth::Fails {
                finding.required = bound(&test.test);
            }
            finding
        };
        let mut findings: Vec<Finding> = shown.iter().map(show).collect();
        if findings.is_empty() {
            let mut finding = Finding::new(self.cited(article), effect);
            finding.subject = Some(format!("{clause}: {condition}"));
            findings.push(finding);
        }
        findings
    }

    /// The rule with the article of one of its parts.
    fn cited(&self, article: Option<&String>) -> RuleRef {
        let mut rule = self.reference.clone();
        if let Some(article) = article {
            rule.source = Some(article.clone());
        }
        rule
    }

    /// The right with its terms, adjusted; or why a due time cannot be computed.
    fn grant(mut self, policy: PolicyId, window: Option<Timing>) -> Result<Entitlement, Ground> {
        let rule = self.rule;
        let mut right = Entitlement {
            policy,
            rule: self.reference.clone(),
            basis: rule.basis,
            certainty: rule.certainty,
            remedies: rule.remedies.clone(),
            window,
            return_freight: rule.return_freight,
            return_fee: rule.return_fee,
            outbound_freight: rule.outbound_freight,
            deductions: rule.deductions.clone(),
            restocking_fee: rule.restocking_fee,
            refund: None,
            answer: None,
            send_back: None,
            evidence: rule.evidence.clone(),
            subject_to: Vec::new(),
            findings: Vec::new(),
        };
        self.adjust(&mut right);
        let clock = Clock { timeline: self.timeline, place: self.place, rule: self.reference };
        right.refund = rule.refund.as_ref().map(|terms| clock.refund(terms)).transpose()?;
        right.answer = rule.answer.as_ref().map(|pair| clock.due(pair)).transpose()?;
        right.send_back = rule.send_back.as_ref().map(|terms| clock.timing(terms)).transpose()?;
        right.subject_to = self.subject_to;
        right.findings = self.findings;
        Ok(right)
    }

    fn adjust(&mut self, right: &mut Entitlement) {
        for adjustment in &self.rule.adjust {
            let effect = match adjustment.when.evaluate(self.facts) {
                Truth::Holds => Effect::Sets,
                Truth::Fails => continue,
                Truth::Unknown => Effect::Passes,
            };
            let mut finding = Finding::new(self.cited(adjustment.article.as_ref()), effect);
            finding.subject = Some(adjustment.id.clone());
            self.findings.push(finding);
            if effect == Effect::Passes {
                continue;
            }
            right.return_freight = adjustment.return_freight.unwrap_or(right.return_freight);
            right.outbound_freight = adjustment.outbound_freight.unwrap_or(right.outbound_freight);
            right.deductions.retain(|deduction| !adjustment.without.contains(deduction));
            right.deductions.extend(adjustment.with.iter().copied());
        }
        if right.return_freight == FreightPayer::Seller {
            right.return_fee = None;
        }
        if !right.deductions.contains(&Deduction::RestockingFee) {
            right.restocking_fee = None;
        }
    }
}

/// The value a test asks for, as far as it is one value.
fn bound(test: &Test) -> Option<Fact> {
    match &test.check {
        Check::Is(bound)
        | Check::IsNot(bound)
        | Check::Below(bound)
        | Check::AtMost(bound)
        | Check::Above(bound)
        | Check::AtLeast(bound) => Some(bound.clone()),
        Check::OneOf(codes) => Some(Fact::Codes(codes.clone())),
        Check::Includes(code) => Some(Fact::Code(code.clone())),
        Check::Known(known) => Some(Fact::Flag(*known)),
    }
}
