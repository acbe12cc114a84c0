//! People around a case: who works on it, and what the customer answered afterwards.

use alloc::collections::BTreeMap;

use super::super::event::EventFact;
use super::super::refusal::Obstacle;
use super::super::state::ReturnCase;
use super::talk::MAX_ENTRIES;
use super::{Draft, Scene};
use crate::explain::{Fact, Finding};
use crate::feedback::survey::{Answer, MAX_QUESTIONS, QuestionId, SurveyId};
use crate::id::{ActorId, RuleId};

impl Scene<'_> {
    /// A case that nobody has is given to somebody.
    pub(super) fn assign(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        to: &ActorId,
        (rule, findings): (Option<&RuleId>, &[Finding]),
    ) {
        check_findings(draft, findings);
        self.open(draft, case, "assigning");
        if let Some(assignee) = &case.assignee {
            draft.refuse(Obstacle::Assigned { to: assignee.agent.clone() });
        }
        draft.findings.extend(findings.iter().cloned());
        let (case, to, rule) = (case.id.clone(), to.clone(), rule.cloned());
        let findings = findings.to_vec();
        draft.facts.push(EventFact::CaseAssigned { case, to, rule, findings });
    }

    /// A case passes from one to another.
    pub(super) fn reassign(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        to: &ActorId,
        (rule, findings): (Option<&RuleId>, &[Finding]),
        note: &str,
    ) {
        draft.note("note", note);
        check_findings(draft, findings);
        self.open(draft, case, "reassigning");
        let Some(assignee) = &case.assignee else {
            return draft.refuse(Obstacle::NotAssigned);
        };
        if assignee.agent == *to {
            draft.refuse(Obstacle::Assigned { to: to.clone() });
        }
        draft.findings.extend(findings.iter().cloned());
        draft.facts.push(EventFact::CaseReassigned {
            case: case.id.clone(),
            from: assignee.agent.clone(),
            to: to.clone(),
            rule: rule.cloned(),
            findings: findings.to_vec(),
            note: note.into(),
        });
    }

    /// Answers are checked against the survey of the rules and scored; each survey once for a case.
    pub(super) fn record_survey(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        survey: &SurveyId,
        answers: &BTreeMap<QuestionId, Answer>,
    ) {
        let (what, found, max) = ("answers", answers.len(), MAX_QUESTIONS);
        if found > max {
            return draft.refuse(Obstacle::TooMany { what, found, max });
        }
        if case.surveys.contains_key(survey) {
            draft.refuse(Obstacle::SurveyAnswered { survey: survey.clone() });
        }
        let book = self.context.rules.feedback();
        let Some(asked) = book.and_then(|book| book.survey(survey)) else {
            return draft.refuse(Obstacle::UnknownSurvey { survey: survey.clone() });
        };
        match asked.score(answers) {
            Err(faults) => faults.into_iter().for_each(|fault| {
                draft.refuse(Obstacle::Answer(fault));
            }),
            Ok(scores) => draft.facts.push(EventFact::SurveyRecorded {
                case: case.id.clone(),
                survey: survey.clone(),
                answers: answers.clone(),
                scores,
            }),
        }
    }
}

fn check_findings(draft: &mut Draft, findings: &[Finding]) {
    let (what, found, max) = ("findings", findings.len(), MAX_ENTRIES);
    if found > max {
        draft.refuse(Obstacle::TooMany { what, found, max });
    }
    for finding in findings {
        finding.subject.iter().for_each(|text| draft.note("subject of a finding", text));
        for fact in finding.observed.iter().chain(&finding.required) {
            if let Fact::Text(text) = fact {
                draft.note("fact of a finding", text);
            }
        }
    }
}
