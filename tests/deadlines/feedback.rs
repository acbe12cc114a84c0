//! Feedback: who is asked, when, and what answers say.

use aftersale::calendar::book::{CalendarDefinition, Calendars};
use aftersale::calendar::hours::DateRange;
use aftersale::condition::Facts;
use aftersale::condition::schema::{FactType, Schema};
use aftersale::explain::{Effect, Fact};
use aftersale::feedback::plan::{
    ClosedCase, Dispute, FeedbackBook, FeedbackDefect, FollowUpChannel, SendStep, Since,
};
use aftersale::feedback::survey::{Answer, AnswerError, Promoter, QuestionId, SurveyId};
use aftersale::id::{CaseId, FactName};
use aftersale::label::Coded;
use aftersale::money::{Money, currency::Currency};
use aftersale::time::Instant;
use chrono::{DateTime, NaiveDate, TimeDelta};
use proptest::prelude::*;
use serde_json::{Value, json};

fn at(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn calendars() -> Calendars {
    let day = json!(["10:00-20:00"]);
    let week = json!({"mon": day, "tue": day, "wed": day, "thu": day, "fri": day});
    let definitions: Vec<CalendarDefinition> = serde_json::from_value(
        json!([{"hours": {"id": "polite", "zone": "Asia/Shanghai", "weekly": week}}]),
    )
    .unwrap();
    let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
    Calendars::compile(&definitions, DateRange { first: day(1, 1), last: day(12, 31) }).unwrap()
}

fn schema() -> Schema {
    let name = |text: &str| FactName::new(text).unwrap();
    Schema::new()
        .with_optional(name("returns_in_90_days"), FactType::Count)
        .with_optional(name("order_value"), FactType::Amount(Currency::CNY))
}

fn draft() -> Value {
    let question = |id: &str, scale: &str, answer: &str| json!({"id": id, "scale": scale, "answer": answer, "label": {"en": id, "zh": id}});
    json!({
        "surveys": [{"id": "after_return", "questions": [
            question("overall", "csat", "required"), question("speed", "csat", "optional"),
            question("recommend", "nps", "optional"), question("ease", "ces", "optional"),
            question("again", "yes_no", "optional"), question("words", "words", "optional"),
        ]}],
        "rules": [
            {"id": "valuable", "when": {"test": {"fact": "order_value", "at_least": {"type": "amount", "value": {"amount": "5000.00", "currency": "CNY"}}}},
             "channel": "call", "after_seconds": 3600, "quiet_outside": "polite", "expires_after_seconds": 259_200},
            {"id": "frequent", "when": {"test": {"fact": "returns_in_90_days", "at_least": {"type": "count", "value": 3}}},
             "channel": "call", "after_seconds": 172_800, "quiet_outside": "polite", "expires_after_seconds": 604_800},
            {"id": "everyone", "channel": "survey", "survey": "after_return", "after_seconds": 86_400,
             "quiet_outside": "polite", "expires_after_seconds": 1_209_600, "rest_seconds": 2_592_000},
        ],
    })
}

fn book() -> FeedbackBook {
    FeedbackBook::verify(serde_json::from_value(draft()).unwrap(), &schema()).unwrap()
}

fn closed(closed_at: &str, facts: &[(&str, Fact)]) -> ClosedCase {
    let facts: Facts = facts.iter().map(|(n, f)| (FactName::new(n).unwrap(), f.clone())).collect();
    ClosedCase {
        case: CaseId::new("RMA-1").unwrap(),
        closed_at: at(closed_at),
        facts,
        dispute: Dispute::None,
        last_asked_at: None,
    }
}

#[test]
fn everyone_is_asked_a_day_later_in_polite_hours() {
    // Closed on Friday 18:00 in Shanghai; a day later is Saturday, so Monday at ten.
    let plan = book().plan(&closed("2026-03-06T10:00:00Z", &[]), &calendars()).unwrap();
    assert_eq!(plan.value.len(), 1);
    assert_eq!(plan.value[0].channel, FollowUpChannel::Survey);
    assert_eq!(plan.value[0].due, at("2026-03-09T02:00:00Z"));
    assert_eq!(plan.findings.len(), 3, "every rule was asked");
}

#[test]
fn valuable_customers_and_frequent_returners_are_called_once() {
    let value = ("order_value", Fact::Amount(Money::new(500_000, Currency::CNY)));
    let often = ("returns_in_90_days", Fact::Count(3));
    let plan = |facts: &[(&str, Fact)]| {
        let plan = book().plan(&closed("2026-03-02T04:00:00Z", facts), &calendars()).unwrap();
        plan.value.iter().map(|f| f.rule.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(plan(std::slice::from_ref(&value)), ["valuable", "everyone"]);
    assert_eq!(plan(std::slice::from_ref(&often)), ["everyone", "frequent"]);
    assert_eq!(plan(&[value, often]), ["valuable", "everyone"], "one call, by the first rule");
}

/// DSP-6: nobody is asked while a dispute is open, neither when planning nor when sending.
#[test]
fn nobody_is_asked_while_a_dispute_is_open() {
    let mut case = closed("2026-03-02T04:00:00Z", &[("returns_in_90_days", Fact::Count(9))]);
    let planned = book().plan(&case, &calendars()).unwrap().value;
    case.dispute = Dispute::Open;
    let refused = book().plan(&case, &calendars()).unwrap();
    assert!(refused.value.is_empty());
    assert_eq!(refused.with_effect(Effect::Denies).count(), 2);
    for follow_up in &planned {
        let step = |dispute, now| {
            let since = Since { dispute, asked_at: None };
            book().step(follow_up, since, &calendars(), now).unwrap()
        };
        assert_eq!(step(Dispute::None, follow_up.due), SendStep::Send);
        assert_eq!(step(Dispute::Open, follow_up.due), SendStep::Hold);
        assert_eq!(step(Dispute::Open, follow_up.expires), SendStep::Drop);
        let early = follow_up.due - TimeDelta::seconds(1);
        assert_eq!(step(Dispute::None, early), SendStep::Wait { until: follow_up.due });
        assert_eq!(step(Dispute::None, follow_up.expires - TimeDelta::seconds(1)), SendStep::Send);
    }
}

#[test]
fn a_customer_who_was_asked_is_left_in_peace() {
    let mut case = closed("2026-03-02T04:00:00Z", &[]);
    case.last_asked_at = Some(at("2026-02-10T04:00:00Z"));
    assert!(book().plan(&case, &calendars()).unwrap().value.is_empty());
    case.last_asked_at = Some(at("2026-02-01T04:00:00Z"));
    assert_eq!(book().plan(&case, &calendars()).unwrap().value.len(), 1, "thirty days are over");
    case.last_asked_at = Some(at("2026-02-01T04:00:01Z"));
    assert!(book().plan(&case, &calendars()).unwrap().value.is_empty(), "a second too early");
    // What counts is when the customer would be asked: a day after Friday is in the rest, which ends on
    // Sunday, and nobody is asked before Monday at ten.
    let mut case = closed("2026-03-06T10:00:00Z", &[]);
    case.last_asked_at = Some(at("2026-02-06T12:00:00Z"));
    let planned = book().plan(&case, &calendars()).unwrap().value;
    assert_eq!(planned[0].due, at("2026-03-09T02:00:00Z"));
}

/// DSP-11: two cases of one customer end on one day; both are planned, because nobody was asked yet. The
/// second waits out the rest after the first, inside polite hours, or is dropped where that is too late.
#[test]
fn two_cases_that_end_together_ask_once_within_the_rest() {
    let plan = |closed_at| book().plan(&closed(closed_at, &[]), &calendars()).unwrap().value;
    let (first, second) = (plan("2026-03-02T04:00:00Z"), plan("2026-03-02T05:00:00Z"));
    let (first, mut second) = (first[0].clone(), second[0].clone());
    let quiet = Since { dispute: Dispute::None, asked_at: None };
    let step = |of: &_, since, now| book().step(of, since, &calendars(), now).unwrap();
    assert_eq!(step(&first, quiet, first.due), SendStep::Send);
    let asked = Since { asked_at: Some(first.due), ..quiet };
    // The rest of thirty days is longer than the fourteen for which the follow-up is worth making.
    assert_eq!(step(&second, quiet, second.due), SendStep::Send, "it would be, had nobody asked");
    assert_eq!(step(&second, asked, second.due), SendStep::Drop);
    // Worth making for longer, it waits until the rest is over: asked again not a second before.
    let rested = first.due + TimeDelta::seconds(2_592_000);
    second.expires = rested + TimeDelta::days(7);
    assert_eq!(step(&second, asked, second.due), SendStep::Wait { until: rested });
    let early = rested - TimeDelta::seconds(1);
    assert_eq!(step(&second, asked, early), SendStep::Wait { until: rested });
    assert_eq!(step(&second, asked, rested), SendStep::Send);
    // It expires at the very end of the rest: there is no instant left.
    second.expires = rested;
    assert_eq!(step(&second, asked, second.due), SendStep::Drop);
    let disputed = Since { dispute: Dispute::Open, ..asked };
    assert_eq!(step(&first, disputed, first.due), SendStep::Hold);
}

fn answers(list: &[(&str, Answer)]) -> std::collections::BTreeMap<QuestionId, Answer> {
    list.iter().map(|(id, answer)| (QuestionId::new(id).unwrap(), answer.clone())).collect()
}

#[test]
fn answers_become_facts() {
    let book = book();
    let survey = book.survey(&SurveyId::new("after_return").unwrap()).unwrap();
    let given = answers(&[
        ("overall", Answer::Number(5)),
        ("speed", Answer::Number(4)),
        ("recommend", Answer::Number(9)),
        ("ease", Answer::Number(6)),
        ("again", Answer::Flag(true)),
        ("words", Answer::Text("很快".into())),
    ]);
    let scores = survey.score(&given).unwrap();
    assert_eq!(scores.satisfaction_hundredths, Some(450));
    assert_eq!(scores.is_satisfied(), Some(true));
    assert_eq!(scores.promoter(), Some(Promoter::Promoter));
    assert_eq!(scores.effort_hundredths, Some(600));
    let facts = scores.facts().unwrap();
    assert_eq!(facts.get(&FactName::new("nps_class").unwrap()), Some(&Fact::code("promoter")));
    assert_eq!(facts.iter().count(), 5);
    let two = |overall, speed| {
        let given =
            answers(&[("overall", Answer::Number(overall)), ("speed", Answer::Number(speed))]);
        survey.score(&given).unwrap().is_satisfied()
    };
    assert_eq!((two(4, 4), two(3, 5), two(3, 4)), (Some(true), Some(true), Some(false)));
    let silent = survey.score(&answers(&[("overall", Answer::Number(1))])).unwrap();
    assert_eq!(silent.promoter(), None);
    assert_eq!(silent.facts().unwrap().iter().count(), 2);
}

#[test]
fn promoter_classes_have_their_published_limits() {
    let book = book();
    let survey = book.survey(&SurveyId::new("after_return").unwrap()).unwrap();
    for number in 0..=10 {
        let given =
            answers(&[("overall", Answer::Number(3)), ("recommend", Answer::Number(number))]);
        let class = survey.score(&given).unwrap().promoter().unwrap();
        let expected = match number {
            0..=6 => Promoter::Detractor,
            7 | 8 => Promoter::Passive,
            _ => Promoter::Promoter,
        };
        assert_eq!(class, expected, "{number}");
    }
    assert_eq!(Promoter::ALL.len(), 3);
}

#[test]
fn of_several_recommendations_the_lowest_counts_and_means_are_rounded_down() {
    let mut asked = draft();
    let questions = asked["surveys"][0]["questions"].as_array_mut().unwrap();
    for (question, scale) in [(3, "csat"), (4, "nps")] {
        questions[question]["scale"] = json!(scale);
    }
    let book = FeedbackBook::verify(serde_json::from_value(asked).unwrap(), &schema()).unwrap();
    let survey = book.survey(&SurveyId::new("after_return").unwrap()).unwrap();
    let given = answers(&[
        ("overall", Answer::Number(5)),
        ("speed", Answer::Number(4)),
        ("ease", Answer::Number(5)),
        ("recommend", Answer::Number(10)),
        ("again", Answer::Number(6)),
    ]);
    let scores = survey.score(&given).unwrap();
    assert_eq!((scores.recommendation, scores.promoter()), (Some(6), Some(Promoter::Detractor)));
    assert_eq!(scores.satisfaction_hundredths, Some(466), "14 of 3");
}

#[test]
fn wrong_answers_are_all_told() {
    let book = book();
    let survey = book.survey(&SurveyId::new("after_return").unwrap()).unwrap();
    let given = answers(&[
        ("speed", Answer::Number(0)),
        ("recommend", Answer::Number(11)),
        ("again", Answer::Number(1)),
        ("words", Answer::Text("x".repeat(8_001))),
        ("weather", Answer::Flag(true)),
    ]);
    let faults = survey.score(&given).unwrap_err();
    assert_eq!(faults.len(), 6);
    assert!(
        matches!(&faults[0], AnswerError::Missing { question } if question.as_str() == "overall")
    );
    assert!(matches!(&faults[5], AnswerError::UnknownQuestion { .. }));
}

#[test]
fn drafts_are_checked() {
    let mut bad = draft();
    bad["rules"][2]["survey"] = json!("nowhere");
    bad["rules"][1]["id"] = json!("valuable");
    bad["rules"][0]["after_seconds"] = json!(-1);
    bad["surveys"][0]["questions"] = json!([]);
    let defects =
        FeedbackBook::verify(serde_json::from_value(bad).unwrap(), &schema()).unwrap_err();
    assert_eq!(defects.len(), 4, "{defects:?}");
    assert!(defects.iter().any(|d| matches!(d, FeedbackDefect::UnknownSurvey { .. })));
    // A follow-up that expires the moment it is due is never made.
    let mut never = draft();
    never["rules"][1]["expires_after_seconds"] = json!(0);
    let defects =
        FeedbackBook::verify(serde_json::from_value(never).unwrap(), &schema()).unwrap_err();
    assert!(
        matches!(&defects[..], [FeedbackDefect::ExpiresAtOnce { rule }] if rule.as_str() == "frequent"),
        "{defects:?}"
    );
}

proptest! {
    /// DSP-7: a follow-up is due at the first open instant at or after the wanted one, and planning
    /// twice plans the same.
    #[test]
    fn follow_ups_are_due_in_open_hours(hours in 0_i64..5_000, count in 0_i64..6, value in 0_i64..1_000_000) {
        let start = at("2026-01-10T00:00:00Z") + TimeDelta::minutes(hours * 37 % 250_000);
        let facts = [
            ("returns_in_90_days", Fact::Count(count)),
            ("order_value", Fact::Amount(Money::new(value, Currency::CNY))),
        ];
        let mut case = closed("2026-03-02T04:00:00Z", &facts);
        case.closed_at = start;
        let (book, calendars) = (book(), calendars());
        let plan = book.plan(&case, &calendars).unwrap();
        prop_assert_eq!(&book.plan(&case, &calendars).unwrap(), &plan);
        let polite = calendars.iter().next().unwrap();
        for follow_up in &plan.value {
            prop_assert!(polite.is_open(follow_up.due).unwrap().value);
            let wanted = case.closed_at + TimeDelta::seconds(match follow_up.rule.as_str() {
                "valuable" => 3_600, "frequent" => 172_800, _ => 86_400,
            });
            let mut minute = wanted;
            while !polite.is_open(minute).unwrap().value {
                minute += TimeDelta::minutes(1);
            }
            prop_assert_eq!(follow_up.due, minute);
        }
        let channels: std::collections::BTreeSet<_> = plan.value.iter().map(|f| f.channel).collect();
        prop_assert_eq!(channels.len(), plan.value.len());
    }

    /// DSP-11: a planned follow-up is sent at no other instant than an open one between its due and
    /// its expiry, with no dispute open and the rest after what was asked about another case over;
    /// whoever looks again when told to misses no such instant.
    #[test]
    fn a_follow_up_is_sent_in_polite_hours_or_not_at_all(
        minutes in 0_i64..250_000, count in 0_i64..6, value in 0_i64..1_000_000,
        offset in -3_000_i64..25_000, is_disputed in any::<bool>(),
        asked in prop::option::of(-70_000_i64..3_000),
    ) {
        let facts = [
            ("returns_in_90_days", Fact::Count(count)),
            ("order_value", Fact::Amount(Money::new(value, Currency::CNY))),
        ];
        let mut case = closed("2026-03-02T04:00:00Z", &facts);
        case.closed_at = at("2026-01-10T00:00:00Z") + TimeDelta::minutes(minutes);
        let (book, calendars) = (book(), calendars());
        let polite = calendars.iter().next().unwrap();
        let is_open = |now| polite.is_open(now).unwrap().value;
        for follow_up in book.plan(&case, &calendars).unwrap().value {
            let now = follow_up.due + TimeDelta::minutes(offset);
            let dispute = if is_disputed { Dispute::Open } else { Dispute::None };
            let asked_at = asked.map(|minutes| follow_up.due + TimeDelta::minutes(minutes));
            let since = Since { dispute, asked_at };
            let step = book.step(&follow_up, since, &calendars, now).unwrap();
            let rest = if follow_up.rule.as_str() == "everyone" { 30 } else { 0 };
            let rested = asked_at.map(|asked| asked + TimeDelta::days(rest));
            let earliest = rested.into_iter().chain([follow_up.due]).max().unwrap();
            let expected = if now >= follow_up.expires {
                SendStep::Drop
            } else if is_disputed {
                SendStep::Hold
            } else if earliest >= follow_up.expires {
                SendStep::Drop
            } else if now < earliest {
                SendStep::Wait { until: earliest }
            } else {
                let mut minute = now;
                while minute < follow_up.expires && !is_open(minute) {
                    minute += TimeDelta::minutes(1);
                }
                match minute {
                    minute if minute == now => SendStep::Send,
                    minute if minute >= follow_up.expires => SendStep::Drop,
                    until => SendStep::Wait { until },
                }
            };
            prop_assert_eq!(step, expected);
        }
    }
}
