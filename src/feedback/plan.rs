//! Who is asked, and when.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::survey::{MAX_QUESTIONS, Survey, SurveyId};
use crate::calendar::book::Calendars;
use crate::calendar::compiled::CalendarError;
use crate::condition::schema::{ConditionFault, Schema};
use crate::condition::{Condition, Facts};
use crate::explain::{Effect, Explained, Fact, Finding, RuleRef};
use crate::id::{CalendarId, CaseId, RuleId};
use crate::label::codes;
use crate::time::{Instant, add_seconds};

/// The most rules and the most surveys of a plan.
pub const MAX_ENTRIES: usize = 1_000;

/// What a host writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedbackDraft {
    /// The version, shown in findings.
    #[serde(default = "first_version")]
    pub version: u32,
    /// The surveys.
    #[serde(default)]
    pub surveys: Vec<Survey>,
    /// The rules; every one that holds plans a follow-up.
    pub rules: Vec<FollowUpRule>,
}

fn first_version() -> u32 {
    1
}

/// One rule: after closing, for frequent returners, for valuable customers, or for whatever the
/// condition says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUpRule {
    /// The stable name.
    pub id: RuleId,
    /// Which closed cases.
    #[serde(default = "always")]
    pub when: Condition,
    /// How the customer is approached.
    pub channel: FollowUpChannel,
    /// What is asked; without one it is a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survey: Option<SurveyId>,
    /// How long after closing, in seconds on the wall, zero or more.
    pub after_seconds: i64,
    /// The calendar inside whose hours the customer may be approached; without one at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_outside: Option<CalendarId>,
    /// How long the follow-up is worth making, in seconds from its due instant, above zero.
    pub expires_after_seconds: i64,
    /// How long a customer who was asked is left in peace, in seconds.
    #[serde(default)]
    pub rest_seconds: i64,
}

fn always() -> Condition {
    Condition::Always
}

codes! {
    /// How a customer is approached.
    pub enum FollowUpChannel "follow-up channel" {
        /// A survey is sent.
        Survey = "survey", "Survey", "问卷";
        /// Somebody calls.
        Call = "call", "Call", "电话回访";
        /// Somebody writes.
        Message = "message", "Message", "消息回访";
    }
}

codes! {
    /// Whether a dispute about the case is open.
    pub enum Dispute "dispute" {
        /// None is open.
        None = "none", "No dispute", "无纠纷";
        /// One is open: the customer is not asked how satisfied they are.
        Open = "open", "Dispute open", "纠纷中";
    }
}

/// A closed case that may be followed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedCase {
    /// The case.
    pub case: CaseId,
    /// When it was closed.
    pub closed_at: Instant,
    /// What rules ask for: the outcome, how often the customer returned goods, the amount.
    pub facts: Facts,
    /// Whether a dispute is open.
    pub dispute: Dispute,
    /// When the customer was asked last, about any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_asked_at: Option<Instant>,
}

/// A follow-up that is planned. Its name is the case and the rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// When the customer is approached.
    pub due: Instant,
    /// The case.
    pub case: CaseId,
    /// The rule that planned it.
    pub rule: RuleId,
    /// How.
    pub channel: FollowUpChannel,
    /// What is asked.
    pub survey: Option<SurveyId>,
    /// From when on it is not made any more.
    pub expires: Instant,
}

/// What became of the customer since a follow-up was planned, as far as it stands in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// Whether a dispute about the case is open.
    pub dispute: Dispute,
    /// When the customer was asked last about another case: of two cases that end close together both
    /// are planned, and the second is left until the rest after the first is over. What is asked about
    /// the same case is one plan, a channel after the other, and needs no rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Instant>,
}

/// What to do with a planned follow-up now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum SendStep {
    /// Make it now.
    Send,
    /// Look again then.
    Wait {
        /// When.
        until: Instant,
    },
    /// A dispute is open: look again when it is over, unless the follow-up has expired by then.
    Hold,
    /// It is too late.
    Drop,
}

/// Verified surveys and rules.
///
/// ```
/// use aftersale::calendar::book::Calendars;
/// use aftersale::condition::{Facts, schema::Schema};
/// use aftersale::feedback::plan::{ClosedCase, Dispute, FeedbackBook};
/// use aftersale::id::CaseId;
/// use chrono::{TimeZone, Utc};
/// let book = FeedbackBook::verify(
///     serde_json::from_str(
///         r#"{"rules":[{"id":"after_closing","channel":"call","after_seconds":86400,
///                       "expires_after_seconds":604800}]}"#,
///     )?,
///     &Schema::new(),
/// )
/// .map_err(|defects| format!("{defects:?}"))?;
/// let closed_at = Utc.with_ymd_and_hms(2026, 3, 2, 15, 0, 0).unwrap();
/// let mut case = ClosedCase {
///     case: CaseId::new("RMA-7")?, closed_at, facts: Facts::new(),
///     dispute: Dispute::None, last_asked_at: None,
/// };
/// assert_eq!(book.plan(&case, &Calendars::new())?.value.len(), 1);
/// case.dispute = Dispute::Open;
/// assert!(book.plan(&case, &Calendars::new())?.value.is_empty());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackBook(FeedbackDraft);

/// What is wrong with a draft.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackDefect {
    /// A condition cannot be used.
    #[error("rule `{rule}`: {fault}")]
    Condition {
        /// The rule.
        rule: RuleId,
        /// What is wrong.
        fault: ConditionFault,
    },
    /// A rule asks with a survey that is not there.
    #[error("rule `{rule}` asks with survey `{survey}`, which is not there")]
    UnknownSurvey {
        /// The rule.
        rule: RuleId,
        /// The survey.
        survey: SurveyId,
    },
    /// A rule has the name of another.
    #[error("rule `{rule}` is there twice")]
    RuleTwice {
        /// The rule.
        rule: RuleId,
    },
    /// A survey or one of its questions is there twice, or it has no or too many questions.
    #[error("survey `{survey}` {what}")]
    Survey {
        /// The survey.
        survey: SurveyId,
        /// What is wrong, in words.
        what: &'static str,
    },
    /// A length of time is below zero.
    #[error("rule `{rule}` has a length of time below zero")]
    NegativeTime {
        /// The rule.
        rule: RuleId,
    },
    /// A follow-up would expire the moment it is due, and nobody would ever be asked.
    #[error("rule `{rule}` plans follow-ups that expire the moment they are due")]
    ExpiresAtOnce {
        /// The rule.
        rule: RuleId,
    },
    /// There is too much of something.
    #[error("there are {count} rules or surveys, at most {MAX_ENTRIES} are allowed")]
    TooMany {
        /// How many were found.
        count: usize,
    },
}

impl FeedbackBook {
    /// Verifies a draft against the facts that conditions may use.
    ///
    /// # Errors
    ///
    /// All defects.
    pub fn verify(draft: FeedbackDraft, schema: &Schema) -> Result<Self, Vec<FeedbackDefect>> {
        let count = draft.rules.len().max(draft.surveys.len());
        if count > MAX_ENTRIES {
            return Err(alloc::vec![FeedbackDefect::TooMany { count }]);
        }
        let mut defects = Vec::new();
        let mut surveys = BTreeSet::new();
        for survey in &draft.surveys {
            let names: BTreeSet<_> = survey.questions.iter().map(|question| &question.id).collect();
            let is_twice = !surveys.insert(&survey.id) || names.len() < survey.questions.len();
            let is_size = survey.questions.is_empty() || survey.questions.len() > MAX_QUESTIONS;
            let what = match (is_twice, is_size) {
                (true, _) => Some("or one of its questions is there twice"),
                (_, true) => Some("has no question, or more than 100"),
                (false, false) => None,
            };
            let fault = |what| FeedbackDefect::Survey { survey: survey.id.clone(), what };
            defects.extend(what.map(fault));
        }
        let mut names = BTreeSet::new();
        for rule in &draft.rules {
            let id = || rule.id.clone();
            let faults = schema.faults(&rule.when).into_iter();
            defects.extend(faults.map(|fault| FeedbackDefect::Condition { rule: id(), fault }));
            if let Some(survey) = rule.survey.clone().filter(|survey| !surveys.contains(survey)) {
                defects.push(FeedbackDefect::UnknownSurvey { rule: id(), survey });
            }
            if !names.insert(&rule.id) {
                defects.push(FeedbackDefect::RuleTwice { rule: id() });
            }
            if rule.after_seconds.min(rule.expires_after_seconds).min(rule.rest_seconds) < 0 {
                defects.push(FeedbackDefect::NegativeTime { rule: id() });
            } else if rule.expires_after_seconds == 0 {
                defects.push(FeedbackDefect::ExpiresAtOnce { rule: id() });
            }
        }
        if defects.is_empty() { Ok(Self(draft)) } else { Err(defects) }
    }

    /// As it is written down.
    #[must_use]
    pub const fn draft(&self) -> &FeedbackDraft {
        &self.0
    }

    /// A survey by name.
    #[must_use]
    pub fn survey(&self, id: &SurveyId) -> Option<&Survey> {
        self.0.surveys.iter().find(|survey| survey.id == *id)
    }

    /// The follow-ups for a closed case, the earliest first; one per channel, by the first rule that
    /// holds. Every rule has a finding.
    ///
    /// # Errors
    ///
    /// [`CalendarError`] when a calendar is missing or does not reach.
    pub fn plan(
        &self,
        case: &ClosedCase,
        calendars: &Calendars,
    ) -> Result<Explained<Vec<FollowUp>>, CalendarError> {
        let mut planned: Vec<FollowUp> = Vec::new();
        let mut findings = Vec::new();
        for rule in &self.0.rules {
            let reference = RuleRef { version: self.0.version, ..RuleRef::new(rule.id.clone()) };
            let finding = |effect| Finding::new(reference.clone(), effect);
            let is_taken = planned.iter().any(|other| other.channel == rule.channel);
            if is_taken || !rule.when.evaluate(&case.facts).holds() {
                findings.push(finding(Effect::Passes));
                continue;
            }
            if case.dispute == Dispute::Open {
                findings.push(finding(Effect::Denies).observed(Fact::code(Dispute::Open)));
                continue;
            }
            let wanted = add_seconds(case.closed_at, rule.after_seconds)?;
            let due = match &rule.quiet_outside {
                Some(calendar) => calendars.find(calendar)?.next_open(wanted)?.value,
                None => wanted,
            };
            if let Some(asked) = case.last_asked_at {
                let free = add_seconds(asked, rule.rest_seconds)?;
                if due < free {
                    let rest = finding(Effect::Denies).observed(Fact::Instant(asked));
                    findings.push(rest.required(Fact::Seconds(rule.rest_seconds)));
                    continue;
                }
            }
            findings.push(finding(Effect::Sets).observed(Fact::Instant(due)));
            planned.push(FollowUp {
                due,
                case: case.case.clone(),
                rule: rule.id.clone(),
                channel: rule.channel,
                survey: rule.survey.clone(),
                expires: add_seconds(due, rule.expires_after_seconds)?,
            });
        }
        planned.sort();
        Ok(Explained::new(planned, findings))
    }

    /// What to do with a planned follow-up at `now`: what happened since it was planned counts too.
    ///
    /// # Errors
    ///
    /// [`CalendarError`] when the calendar of its rule is missing or does not reach.
    pub fn step(
        &self,
        follow_up: &FollowUp,
        since: Since,
        calendars: &Calendars,
        now: Instant,
    ) -> Result<SendStep, CalendarError> {
        if now >= follow_up.expires {
            return Ok(SendStep::Drop);
        }
        if since.dispute == Dispute::Open {
            return Ok(SendStep::Hold);
        }
        let rule = self.0.rules.iter().find(|rule| rule.id == follow_up.rule);
        let rested = match (since.asked_at, rule) {
            (Some(asked), Some(rule)) => add_seconds(asked, rule.rest_seconds)?,
            _ => follow_up.due,
        };
        let earliest = follow_up.due.max(rested);
        if earliest >= follow_up.expires {
            return Ok(SendStep::Drop);
        }
        if now < earliest {
            return Ok(SendStep::Wait { until: earliest });
        }
        let Some(calendar) = rule.and_then(|rule| rule.quiet_outside.as_ref()) else {
            return Ok(SendStep::Send);
        };
        let open = calendars.find(calendar)?.next_open(now)?.value;
        Ok(match open {
            open if open <= now => SendStep::Send,
            open if open >= follow_up.expires => SendStep::Drop,
            until => SendStep::Wait { until },
        })
    }
}
