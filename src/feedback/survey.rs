//! Questions, answers, and the scores of one case.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::condition::Facts;
use crate::explain::Fact;
use crate::id::{FactName, IdError, text_ids};
use crate::label::{Label, codes};

text_ids! {
    /// A survey.
    SurveyId = "survey id";
    /// A question of a survey.
    QuestionId = "question id";
}

/// The most questions of one survey.
pub const MAX_QUESTIONS: usize = 100;
/// The longest free answer, in bytes.
pub const MAX_TEXT: usize = 8_000;

/// A survey: what the customer is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// The stable name.
    pub id: SurveyId,
    /// The questions in order.
    pub questions: Vec<Question>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The stable name, unique in the survey.
    pub id: QuestionId,
    /// What is asked.
    pub label: Label,
    /// On which scale it is answered.
    pub scale: Scale,
    /// Whether it may be left out.
    #[serde(default)]
    pub answer: Presence,
}

/// Whether a question may be left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It may be left out.
    #[default]
    Optional,
    /// It must be answered.
    Required,
}

codes! {
    /// The scale of a question.
    pub enum Scale "scale" {
        /// Satisfaction, 1 to 5; 4 and 5 count as satisfied.
        Satisfaction = "csat", "Satisfaction (CSAT, 1 to 5)", "满意度（1-5）";
        /// Would you recommend us, 0 to 10: 9 and 10 promote, 0 to 6 detract.
        Recommendation = "nps", "Recommendation (NPS, 0 to 10)", "推荐意愿（0-10）";
        /// How easy was it, 1 (very hard) to 7 (very easy).
        Effort = "ces", "Effort (CES, 1 to 7)", "费力度（1-7）";
        /// Yes or no.
        YesNo = "yes_no", "Yes or no", "是或否";
        /// In the customer's own words.
        Words = "words", "Free text", "自由文本";
    }
}

impl Scale {
    /// The lowest and the highest number, for scales of numbers.
    #[must_use]
    pub const fn range(self) -> Option<(u8, u8)> {
        match self {
            Self::Satisfaction => Some((1, 5)),
            Self::Recommendation => Some((0, 10)),
            Self::Effort => Some((1, 7)),
            Self::YesNo | Self::Words => None,
        }
    }
}

codes! {
    /// What a recommendation makes of a customer.
    pub enum Promoter "promoter class" {
        /// 9 or 10.
        Promoter = "promoter", "Promoter", "推荐者";
        /// 7 or 8.
        Passive = "passive", "Passive", "中立者";
        /// 0 to 6.
        Detractor = "detractor", "Detractor", "贬损者";
    }
}

/// One answer as it comes in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A number on the scale.
    Number(u8),
    /// Yes or no.
    Flag(bool),
    /// Words.
    Text(String),
}

/// Answers that were accepted, with what they say about the case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// The mean satisfaction in hundredths, rounded down, when asked and answered.
    pub satisfaction_hundredths: Option<i64>,
    /// The recommendation: the lowest where several were asked.
    pub recommendation: Option<u8>,
    /// The mean effort score in hundredths, rounded down; a higher one is an easier case.
    pub effort_hundredths: Option<i64>,
}

/// Answers that cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The survey has no such question.
    #[error("survey `{survey}` has no question `{question}`")]
    UnknownQuestion {
        /// The survey.
        survey: SurveyId,
        /// The question.
        question: QuestionId,
    },
    /// The answer is not on the scale.
    #[error("question `{question}` is answered on the scale `{scale}`")]
    OffScale {
        /// The question.
        question: QuestionId,
        /// Its scale.
        scale: Scale,
    },
    /// A question that must be answered is not.
    #[error("question `{question}` must be answered")]
    Missing {
        /// The question.
        question: QuestionId,
    },
    /// The text is too long.
    #[error("the answer to `{question}` has {bytes} bytes, at most {MAX_TEXT} are allowed")]
    TooLong {
        /// The question.
        question: QuestionId,
        /// The length found.
        bytes: usize,
    },
}

impl Survey {
    /// Checks answers against the questions and scores them. All faults are told.
    ///
    /// ```
    /// use aftersale::feedback::survey::{Answer, QuestionId, Survey};
    /// let survey: Survey = serde_json::from_str(
    ///     r#"{"id":"after_return","questions":[
    ///         {"id":"overall","scale":"csat","answer":"required",
    ///          "label":{"en":"How did we handle your return?","zh":"您对本次售后满意吗？"}}]}"#,
    /// )?;
    /// let answers = [(QuestionId::new("overall")?, Answer::Number(5))].into();
    /// let scores = survey.score(&answers).map_err(|faults| format!("{faults:?}"))?;
    /// assert_eq!(scores.satisfaction_hundredths, Some(500));
    /// assert!(survey.score(&[(QuestionId::new("overall")?, Answer::Number(6))].into()).is_err());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every [`AnswerError`], in the order of the questions.
    pub fn score(
        &self,
        answers: &BTreeMap<QuestionId, Answer>,
    ) -> Result<Scores, Vec<AnswerError>> {
        let mut faults = Vec::new();
        let asked: BTreeSet<&QuestionId> = self.questions.iter().map(|q| &q.id).collect();
        for question in &self.questions {
            match answers.get(&question.id) {
                None if question.answer == Presence::Required => {
                    faults.push(AnswerError::Missing { question: question.id.clone() });
                }
                None => {}
                Some(answer) => faults.extend(question.fault(answer)),
            }
        }
        for question in answers.keys().filter(|question| !asked.contains(question)) {
            let (survey, question) = (self.id.clone(), question.clone());
            faults.push(AnswerError::UnknownQuestion { survey, question });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let numbers = |scale: Scale| {
            let own = self.questions.iter().filter(move |question| question.scale == scale);
            own.filter_map(|question| match answers.get(&question.id) {
                Some(Answer::Number(number)) => Some(*number),
                _ => None,
            })
        };
        let mean = |scale: Scale| {
            let (sum, count) = numbers(scale).fold((0_i64, 0_i64), |(sum, count), number| {
                (sum.saturating_add(number.into()), count.saturating_add(1))
            });
            sum.saturating_mul(100).checked_div(count)
        };
        Ok(Scores {
            satisfaction_hundredths: mean(Scale::Satisfaction),
            recommendation: numbers(Scale::Recommendation).min(),
            effort_hundredths: mean(Scale::Effort),
        })
    }
}

impl Question {
    fn fault(&self, answer: &Answer) -> Option<AnswerError> {
        let question = || self.id.clone();
        let fits = match (answer, self.scale) {
            (Answer::Number(number), scale) => {
                scale.range().is_some_and(|(low, high)| (low..=high).contains(number))
            }
            (Answer::Flag(_), scale) => scale == Scale::YesNo,
            (Answer::Text(text), Scale::Words) => {
                if text.len() > MAX_TEXT {
                    return Some(AnswerError::TooLong { question: question(), bytes: text.len() });
                }
                true
            }
            (Answer::Text(_), _) => false,
        };
        (!fits).then(|| AnswerError::OffScale { question: question(), scale: self.scale })
    }
}

impl Scores {
    /// Whether the customer is satisfied: 4 or 5 of 5, in the mean.
    #[must_use]
    pub fn is_satisfied(&self) -> Option<bool> {
        self.satisfaction_hundredths.map(|mean| mean >= 400)
    }

    /// What the recommendation makes of the customer.
    #[must_use]
    pub const fn promoter(&self) -> Option<Promoter> {
        match self.recommendation {
            Some(9..) => Some(Promoter::Promoter),
            Some(7 | 8) => Some(Promoter::Passive),
            Some(0..=6) => Some(Promoter::Detractor),
            None => None,
        }
    }

    /// The scores as facts of the case, for conditions and analytics: `csat_hundredths`,
    /// `csat_satisfied`, `nps`, `nps_class`, `ces_hundredths`; what was not answered is missing.
    ///
    /// # Errors
    ///
    /// Never in practice: the names are fixed.
    pub fn facts(&self) -> Result<Facts, IdError> {
        let mut facts = Facts::new();
        let mut set = |name: &str, fact: Option<Fact>| -> Result<(), IdError> {
            if let Some(fact) = fact {
                facts.set(FactName::new(name)?, fact);
            }
            Ok(())
        };
        set("csat_hundredths", self.satisfaction_hundredths.map(Fact::Count))?;
        set("csat_satisfied", self.is_satisfied().map(Fact::Flag))?;
        set("nps", self.recommendation.map(|number| Fact::Count(number.into())))?;
        set("nps_class", self.promoter().map(Fact::code))?;
        set("ces_hundredths", self.effort_hundredths.map(Fact::Count))?;
        Ok(facts)
    }
}
