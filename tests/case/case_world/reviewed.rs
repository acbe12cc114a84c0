//! Rules under which people decide, the people, and what customers are asked.

use aftersale::approval::directory::Directory;
use aftersale::case::review::Roster;
use aftersale::condition::Facts;
use aftersale::explain::Fact;
use aftersale::feedback::plan::FeedbackBook;
use aftersale::id::{ActorId, FactName};
use aftersale::practice::Practice;
use aftersale::rules::review::{Reviews, ReviewsDraft};
use aftersale::rules::{Rules, follow_up_schema};
use aftersale::workflow::RoleCode;

/// Service decides, above that finance; what service grants is permitted at once. Money waits until the
/// goods came and somebody of finance looked, or for ever when they did not.
const STORY_DESK: &str = r#"{
  "schema": 1, "id": "story_desk", "version": 1, "initial": "service",
  "facts": {"vip": {"type": "flag", "stability": "frozen", "weight": "material"}},
  "states": [
    {"id": "service", "no_timer_reason": "a silent desk refuses",
     "kind": {"approval": {"groups": [{"roles": ["service"]}], "mode": "any",
       "timeouts": [{"after": {"elapsed": "PT9H"}, "then": {"remind": {"times": 2}}},
                    {"after": {"elapsed": "P3D"}, "then": "reject"}]}}},
    {"id": "goods", "kind": {"wait": {"party": "customer"}},
     "timers": [{"id": "not_sent", "after": {"elapsed": "P6D"}, "then": {"leave": {"to": "refused"}}}]},
    {"id": "check", "no_timer_reason": "the board answers for it",
     "kind": {"approval": {"groups": [{"roles": ["finance"]}], "mode": "any",
       "timeouts": [{"after": {"elapsed": "P1D"}, "then": {"hand_over": {"role": "board"}}}]}}},
    {"id": "granted", "kind": {"final": {"outcome": "granted"}}},
    {"id": "refused", "kind": {"final": {"outcome": "refused"}}}],
  "arrows": [
    {"id": "a1", "from": "service", "on": "approved", "to": "goods"},
    {"id": "a2", "from": "service", "on": "rejected", "to": "refused"},
    {"id": "a3", "from": "goods", "on": "received", "to": "check"},
    {"id": "a4", "from": "goods", "on": "lost", "to": "check"},
    {"id": "a5", "from": "goods", "on": "evidence_added", "to": "check"},
    {"id": "a6", "from": "check", "on": "approved", "to": "granted"},
    {"id": "a7", "from": "check", "on": "rejected", "to": "refused"}]}"#;

/// Two who ask nobody but people: one that says only yes or no, one that has a say in settling too.
const RULES: [&str; 2] = [
    r#"{"id": "yes_or_no", "procedure": "story_desk", "permits": ["goods", "granted"]}"#,
    r#"{"id": "to_the_end", "procedure": "story_desk", "permits": ["goods"],
        "settles": ["granted"], "overruling": "marketplace"}"#,
];

const SURVEY: &str = r#"{
  "surveys": [{"id": "after_return", "questions": [
    {"id": "overall", "scale": "csat", "answer": "required",
     "label": {"en": "How did we handle your return?", "zh": "您对本次售后满意吗？"}}]}],
  "rules": [{"id": "after_closing", "channel": "survey", "survey": "after_return",
             "when": {"test": {"fact": "status", "is": {"type": "code", "value": "completed"}}},
             "after_seconds": 86400, "expires_after_seconds": 604800}]
}"#;

/// Rules with a procedure in two versions, and a survey.
pub(crate) fn reviewed(plain: &Rules, rule: usize, practice: Option<&Practice>) -> Rules {
    let first = STORY_DESK;
    // Under the second version all of service have to agree, and the goods have longer.
    let second = STORY_DESK
        .replace("\"version\": 1", "\"version\": 2")
        .replace(r#"["service"]}], "mode": "any""#, r#"["service"]}], "mode": "all""#)
        .replace("\"P6D\"", "\"P8D\"");
    let text = format!(r#"{{"procedures": [{first}, {second}], "rules": [{}]}}"#, RULES[rule]);
    let draft: ReviewsDraft = serde_json::from_str(&text).unwrap();
    let reviews = Reviews::verify(draft, practice).unwrap();
    let draft = serde_json::from_str(SURVEY).unwrap();
    let book = FeedbackBook::verify(draft, &follow_up_schema(None)).unwrap();
    let rules = plain.clone().with_reviews(reviews).with_feedback(book);
    match practice {
        Some(practice) => rules.with_practice(practice.clone()),
        None => rules,
    }
}

/// The people of all stories, under the names by which commands are given.
pub(crate) struct People {
    directory: Directory,
    facts: Facts,
}

impl People {
    pub(crate) fn new() -> Self {
        let role = |name| RoleCode::new(name).unwrap();
        let person = |name: &str| ActorId::new(name).unwrap();
        let directory = Directory::default()
            .with_role(role("service"), ["agent-1", "inspector-1", "customer-1"].map(person))
            .with_role(role("finance"), ["finance-1", "agent-1"].map(person))
            .with_role(role("board"), [person("supervisor-1")]);
        let facts = Facts::new().with(FactName::new("vip").unwrap(), Fact::Flag(false));
        Self { directory, facts }
    }

    pub(crate) fn roster(&self) -> Roster<'_> {
        Roster { directory: &self.directory, facts: &self.facts }
    }
}
