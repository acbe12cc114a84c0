//! Checklists: what to look at when goods of a kind arrive, and what the answers suggest.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Disposition, Grade};
use crate::explain::{Effect, Explained, Fact, Finding, RuleRef};
use crate::id::RuleId;
use crate::label::{Label, codes};

codes! {
    /// What an inspector brings in support of an answer.
    pub enum EvidenceKind "kind of evidence" {
        /// A picture.
        Photo = "photo", "Photo", "照片";
        /// A film.
        Video = "video", "Video", "视频";
        /// The serial number as read.
        SerialNumber = "serial_number", "Serial number", "序列号";
        /// The lot as read.
        LotNumber = "lot_number", "Lot number", "批号";
        /// The weight as measured.
        Weight = "weight", "Weight", "重量";
        /// The temperature as measured or logged.
        Temperature = "temperature", "Temperature", "温度";
        /// The report of a test.
        TestReport = "test_report", "Test report", "检测报告";
    }
}

codes! {
    /// The answer to a question of a checklist.
    pub enum Answer "answer" {
        /// As it should be.
        Yes = "yes", "Yes", "是";
        /// Not as it should be.
        No = "no", "No", "否";
        /// It does not apply to this unit.
        NotApplicable = "not_applicable", "Not applicable", "不适用";
    }
}

/// A grade with a disposition that fits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suggestion {
    /// The state.
    pub grade: Grade,
    /// What becomes of the unit.
    pub disposition: Disposition,
}

/// What a `no` means.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failing {
    /// The state, at best.
    pub grade: Grade,
    /// What becomes of the unit, when nothing worse is found.
    pub disposition: Disposition,
    /// The code of what was found, for [`Inspection::findings`](super::Inspection::findings).
    pub finding: String,
}

/// One question; `yes` is always the good answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckItem {
    /// Its stable name.
    pub id: RuleId,
    /// The question.
    pub label: Label,
    /// What to bring in support of a `no`.
    #[serde(default)]
    pub evidence: BTreeSet<EvidenceKind>,
    /// What a `no` means.
    pub when_no: Failing,
}

/// A checklist as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChecklistDraft {
    /// Its stable name, such as a category.
    pub id: RuleId,
    /// The questions, in the order in which they are asked.
    pub items: Vec<CheckItem>,
    /// What it means when no answer is `no`.
    pub passed: Suggestion,
}

/// A checklist that can be used: at least one question, each with a name of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ChecklistDraft", into = "ChecklistDraft")]
pub struct Checklist {
    draft: ChecklistDraft,
}

/// A checklist that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChecklistRefused {
    /// It asks nothing.
    #[error("checklist `{id}` has no questions")]
    Empty {
        /// The checklist.
        id: RuleId,
    },
    /// It asks too much.
    #[error("checklist `{id}` has {found} questions, at most {max} are allowed")]
    TooLong {
        /// The checklist.
        id: RuleId,
        /// How many.
        found: usize,
        /// The most.
        max: usize,
    },
    /// Two questions have one name.
    #[error("checklist `{id}` has two questions `{item}`")]
    NamedTwice {
        /// The checklist.
        id: RuleId,
        /// The question.
        item: RuleId,
    },
}

/// What the answers suggest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assessment {
    /// The grade and the disposition; none while a question is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<Suggestion>,
    /// The codes of what was found.
    pub found: BTreeSet<String>,
    /// The evidence to bring, question by question.
    pub evidence: BTreeMap<RuleId, BTreeSet<EvidenceKind>>,
    /// Questions without an answer.
    pub open: BTreeSet<RuleId>,
}

impl Checklist {
    /// The most questions.
    pub const MAX_ITEMS: usize = 200;

    /// The questions.
    #[must_use]
    pub fn items(&self) -> &[CheckItem] {
        &self.draft.items
    }

    /// As it is written down.
    #[must_use]
    pub const fn draft(&self) -> &ChecklistDraft {
        &self.draft
    }

    /// What the answers suggest: the worst grade of all failed questions, with the disposition of the
    /// first question that has it.
    ///
    /// Answers to questions that are not on the list are ignored; the suggestion binds nobody.
    #[must_use]
    pub fn assess(&self, answers: &BTreeMap<RuleId, Answer>) -> Explained<Assessment> {
        let mut suggestion = self.draft.passed;
        let mut findings = Vec::new();
        let mut assessment = Assessment {
            suggestion: None,
            found: BTreeSet::new(),
            evidence: BTreeMap::new(),
            open: BTreeSet::new(),
        };
        for item in &self.draft.items {
            let rule = RuleRef::new(item.id.clone());
            match answers.get(&item.id) {
                None => {
                    assessment.open.insert(item.id.clone());
                    findings.push(Finding::new(rule, Effect::Requires).required(Fact::Flag(true)));
                }
                Some(answer @ (Answer::Yes | Answer::NotApplicable)) => {
                    findings.push(Finding::new(rule, Effect::Passes).observed(Fact::code(answer)));
                }
                Some(Answer::No) => {
                    let failed = &item.when_no;
                    if failed.grade > suggestion.grade {
                        let (grade, disposition) = (failed.grade, failed.disposition);
                        suggestion = Suggestion { grade, disposition };
                    }
                    assessment.found.insert(failed.finding.clone());
                    assessment.evidence.insert(item.id.clone(), item.evidence.clone());
                    findings.push(
                        Finding::new(rule, Effect::Reduces)
                            .observed(Fact::code(&failed.finding))
                            .required(Fact::code(failed.grade)),
                    );
                }
            }
        }
        if assessment.open.is_empty() {
            assessment.suggestion = Some(suggestion);
        }
        Explained::new(assessment, findings)
    }
}

impl TryFrom<ChecklistDraft> for Checklist {
    type Error = ChecklistRefused;
    fn try_from(draft: ChecklistDraft) -> Result<Self, ChecklistRefused> {
        let id = draft.id.clone();
        let (found, max) = (draft.items.len(), Self::MAX_ITEMS);
        if found == 0 {
            return Err(ChecklistRefused::Empty { id });
        }
        if found > max {
            return Err(ChecklistRefused::TooLong { id, found, max });
        }
        let mut seen = BTreeSet::new();
        for item in &draft.items {
            if !seen.insert(&item.id) {
                let item = item.id.clone();
                return Err(ChecklistRefused::NamedTwice { id, item });
            }
        }
        Ok(Self { draft })
    }
}

impl From<Checklist> for ChecklistDraft {
    fn from(checklist: Checklist) -> Self {
        checklist.draft
    }
}
