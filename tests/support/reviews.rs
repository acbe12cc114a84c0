//! A rule book with a review and a survey, and the people of a small desk.
#![allow(dead_code, reason = "every user of this module needs a part of it")]

use aftersale::approval::command::Order;
use aftersale::approval::directory::Directory;
use aftersale::case::Decision;
use aftersale::case::actor::{Actor, Role};
use aftersale::case::command::{Command, Envelope};
use aftersale::case::refusal::Refusal;
use aftersale::case::review::Roster;
use aftersale::case::state::Approval;
use aftersale::condition::Facts;
use aftersale::explain::Fact;
use aftersale::feedback::plan::FeedbackBook;
use aftersale::id::{ActorId, CommandId, FactName};
use aftersale::rules::review::{Reviews, ReviewsDraft};
use aftersale::rules::{Rules, follow_up_schema};
use aftersale::sale::Sale;
use aftersale::workflow::RoleCode;

use super::support::{self, Desk, case};

/// Up to 10.00 passes by itself, up to 100.00 service decides, above finance too. Silent service is
/// reminded after 4 hours and refuses after 24; silent finance hands over to the board.
pub const DESK_REVIEW: &str = r#"{
  "procedures": [{
    "schema": 1, "id": "desk_review", "version": 1, "initial": "service",
    "facts": {
      "amount": {"type": {"amount": "GBP"}, "stability": "frozen", "weight": "material"},
      "vip": {"type": "flag", "stability": "frozen", "weight": "material"}
    },
    "guards": {"large": {"test": {"fact": "amount",
      "above": {"type": "amount", "value": {"amount": "100.00", "currency": "GBP"}}}}},
    "policy": {"amount": "amount"},
    "states": [
      {"id": "service", "kind": {"approval": {"groups": [{"roles": ["service"]}], "mode": "any",
        "small": {"rule": "small_amount", "at_most": {"amount": "10.00", "currency": "GBP"}},
        "timeouts": [{"after": {"elapsed": "PT4H"}, "then": {"remind": {"times": 2}}},
                     {"after": {"elapsed": "PT24H"}, "then": "reject"}]}},
        "no_timer_reason": "a silent desk refuses"},
      {"id": "finance", "kind": {"approval": {"groups": [{"roles": ["finance"]}], "mode": "all",
        "timeouts": [{"after": {"elapsed": "PT8H"}, "then": {"hand_over": {"role": "board"}}}]}},
        "no_timer_reason": "the board answers for it"},
      {"id": "granted", "kind": {"final": {"outcome": "granted"}}},
      {"id": "refused", "kind": {"final": {"outcome": "refused"}}}
    ],
    "arrows": [
      {"id": "a1", "from": "service", "on": "approved", "to": "finance", "when": {"guard": "large"}},
      {"id": "a2", "from": "service", "on": "approved", "to": "granted", "when": "otherwise"},
      {"id": "a3", "from": "service", "on": "rejected", "to": "refused"},
      {"id": "a4", "from": "finance", "on": "approved", "to": "granted"},
      {"id": "a5", "from": "finance", "on": "rejected", "to": "refused"}
    ]
  }],
  "rules": [{"id": "all_returns", "procedure": "desk_review", "permits": ["granted"],
             "overruling": "marketplace"}]
}"#;

pub const SURVEY: &str = r#"{
  "surveys": [{"id": "after_return", "questions": [
    {"id": "overall", "scale": "csat", "answer": "required",
     "label": {"en": "How did we handle your return?", "zh": "您对本次售后满意吗？"}},
    {"id": "words", "scale": "words", "label": {"en": "Anything else?", "zh": "其他意见"}}]}],
  "rules": [{"id": "after_closing", "channel": "survey", "survey": "after_return",
             "when": {"test": {"fact": "status", "is": {"type": "code", "value": "completed"}}},
             "after_seconds": 86400, "expires_after_seconds": 604800}]
}"#;

pub fn reviews() -> ReviewsDraft {
    serde_json::from_str(DESK_REVIEW).unwrap()
}

pub fn feedback() -> FeedbackBook {
    let draft = serde_json::from_str(SURVEY).unwrap();
    FeedbackBook::verify(draft, &follow_up_schema(None)).unwrap()
}

/// The rules of the desk with a review and a survey.
pub fn reviewed_rules() -> Rules {
    let reviews = Reviews::verify(reviews(), None).unwrap();
    support::rules().clone().with_reviews(reviews).with_feedback(feedback())
}

/// A desk where returns are reviewed by people.
#[derive(Clone)]
pub struct Reviewed {
    pub desk: Desk,
    pub directory: Directory,
    pub facts: Facts,
    commands: u32,
}

pub fn person(name: &str) -> ActorId {
    ActorId::new(name).unwrap()
}

pub fn agent(name: &str) -> Actor {
    Actor { id: person(name), role: Role::Agent }
}

impl Reviewed {
    pub fn new(sale: Sale, rules: Rules) -> Self {
        let desk = Desk::under(rules, sale);
        let role = |name| RoleCode::new(name).unwrap();
        let directory = Directory::default()
            .with_role(role("service"), ["ann", "bo", "customer-1"].map(person))
            .with_role(role("finance"), ["eve", "ann"].map(person))
            .with_role(role("board"), [person("gil")]);
        let facts = Facts::new().with(FactName::new("vip").unwrap(), Fact::Flag(false));
        Self { desk, directory, facts, commands: 0 }
    }

    /// How far the approval of the case is.
    pub fn approval(&self) -> Approval {
        self.desk.order.case(&case("R-1")).unwrap().approval
    }

    pub fn give(&mut self, actor: Actor, command: Command) -> Result<Decision, Refusal> {
        self.commands += 1;
        let id = CommandId::new(format!("r-{}", self.commands)).unwrap();
        let envelope = Envelope { id, expected_version: None, actor, command };
        let roster = Roster { directory: &self.directory, facts: &self.facts };
        self.desk.send_among(&roster, &envelope)
    }

    pub fn as_role(&mut self, role: Role, command: Command) -> Result<Decision, Refusal> {
        self.give(support::actor(role), command)
    }

    pub fn act(&mut self, name: &str, order: Order) -> Result<Decision, Refusal> {
        self.give(agent(name), Command::Review { case: case("R-1"), order })
    }

    pub fn approve(&mut self, name: &str) -> Result<Decision, Refusal> {
        self.act(name, Order::Approve { comment: "fine".into() })
    }

    pub fn open(&mut self, lines: &[(&str, i64)]) -> Result<Decision, Refusal> {
        let lines = lines.iter().map(|(id, count)| support::wanted(id, *count)).collect();
        let resolution = aftersale::case::resolution::Resolution::ReturnAndRefund;
        let command = Command::OpenCase { case: case("R-1"), resolution, lines };
        self.as_role(Role::Customer, command)
    }
}
