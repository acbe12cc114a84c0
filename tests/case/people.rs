//! People around a case: who works on it, and what the customer says afterwards.

use crate::reviews::{feedback, person};
use crate::support::{Desk, case, obstacles, pounds, sale};
use aftersale::calendar::book::Calendars;
use aftersale::case::actor::Role;
use aftersale::case::command::Command;
use aftersale::case::dispute::Ruling;
use aftersale::case::duty::{DutyAct, duties_of};
use aftersale::case::event::{Event, EventFact};
use aftersale::case::refusal::Obstacle;
use aftersale::explain::Fact;
use aftersale::feedback::survey::{Answer, QuestionId, SurveyId};

/// CAS-77: a case is given to one person at a time, and who chose them and why stays on record.
#[test]
fn a_case_is_assigned_once_and_passed_on() {
    let mut desk = Desk::new(sale(&[("1", 1, 1, "10.00")]));
    desk.open("R-1", &[("1", 1)]).unwrap();
    let rule = || Some("phones_to_experts".parse().unwrap());
    let finding = aftersale::explain::Finding::new(
        aftersale::explain::RuleRef::new("phones_to_experts".parse().unwrap()),
        aftersale::explain::Effect::Sets,
    );
    let assign = |to: &str| Command::Assign {
        case: case("R-1"),
        to: person(to),
        rule: rule(),
        findings: vec![finding.clone()],
    };
    let reassign = |to: &str| Command::Reassign {
        case: case("R-1"),
        to: person(to),
        rule: None,
        findings: vec![],
        note: "ill".to_owned(),
    };
    assert_eq!(obstacles(desk.give(Role::Supervisor, reassign("li"))), [Obstacle::NotAssigned]);
    let decision = desk.give(Role::System, assign("li")).unwrap();
    assert_eq!(decision.findings, std::slice::from_ref(&finding));
    assert_eq!(
        obstacles(desk.give(Role::System, assign("ada"))),
        [Obstacle::Assigned { to: person("li") }]
    );
    assert_eq!(
        obstacles(desk.give(Role::Supervisor, reassign("li"))),
        [Obstacle::Assigned { to: person("li") }]
    );
    desk.give(Role::Supervisor, reassign("ada")).unwrap();
    let assignee = desk.order.case(&case("R-1")).unwrap().assignee.clone().unwrap();
    assert_eq!((assignee.agent, assignee.rule), (person("ada"), None));
    assert!(matches!(
        &desk.events.last().unwrap().fact,
        EventFact::CaseReassigned { from, .. } if *from == person("li")
    ));
}

/// CAS-78: the duty to ask for a survey comes with the end of a case, never while a dispute is open; its
/// answers are scored once.
#[test]
fn the_customer_is_asked_once_the_case_has_ended() {
    let rules = crate::support::rules().clone().with_feedback(feedback());
    let mut desk = Desk::under(rules, sale(&[("1", 1, 1, "10.00")]));
    desk.whole_return("R-1", &[("1", 1)]).unwrap();
    desk.pay("R-1", 1).unwrap();
    let note = || "the colour".to_owned();
    desk.give(Role::Customer, Command::OpenDispute { case: case("R-1"), note: note() }).unwrap();
    assert!(obstacles(desk.close("R-1")).iter().any(|o| matches!(o, Obstacle::InDispute { .. })));
    assert!(desk.order.closed_case(&case("R-1"), None).is_none());
    let (ruling, appeal_until) = (Ruling::ForSeller, None);
    let rule = Command::RuleDispute { case: case("R-1"), ruling, appeal_until, note: note() };
    desk.give(Role::Platform, rule).unwrap();
    let closed = desk.close("R-1").unwrap();
    assert!(closed.duties.iter().any(|duty| duty.act == DutyAct::AskForSurvey));
    let asked: Vec<&Event> = desk
        .events
        .iter()
        .filter(|event| duties_of(event).iter().any(|duty| duty.act == DutyAct::AskForSurvey))
        .collect();
    assert_eq!(asked.len(), 1);
    // The follow-up rules decide when, and whether the customer was asked lately.
    let ended = desk.order.closed_case(&case("R-1"), None).unwrap();
    let fact = |name: &str| ended.facts.get(&name.parse().unwrap()).cloned();
    assert_eq!(fact("status"), Some(Fact::code("completed")));
    assert_eq!(fact("refunded"), Some(Fact::Amount(pounds("10.00"))), "what the customer got");
    let book = desk.rules.feedback().unwrap();
    let planned = book.plan(&ended, &Calendars::new()).unwrap().value;
    assert_eq!(planned[0].survey, Some(SurveyId::new("after_return").unwrap()));
    let answer = |survey: &str, stars: u8| Command::RecordSurvey {
        case: case("R-1"),
        survey: SurveyId::new(survey).unwrap(),
        answers: [(QuestionId::new("overall").unwrap(), Answer::Number(stars))].into(),
    };
    assert!(matches!(
        obstacles(desk.give(Role::Customer, answer("other", 5)))[0],
        Obstacle::UnknownSurvey { .. }
    ));
    assert!(matches!(
        obstacles(desk.give(Role::Customer, answer("after_return", 6)))[0],
        Obstacle::Answer(_)
    ));
    desk.give(Role::Customer, answer("after_return", 4)).unwrap();
    let scores = &desk.order.case(&case("R-1")).unwrap().surveys;
    assert_eq!(scores.values().next().unwrap().satisfaction_hundredths, Some(400));
    assert!(matches!(
        obstacles(desk.give(Role::Customer, answer("after_return", 5)))[0],
        Obstacle::SurveyAnswered { .. }
    ));
}
