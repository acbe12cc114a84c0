//! The improvement loop: stated beforehand, checked once there is enough to see.

use aftersale::analytics::rate::{Confidence, Proportion};
use aftersale::analytics::sequential::RateWatch;
use aftersale::analytics::tally::{Dimension, Facets};
use aftersale::explain::{Effect, Fact};
use aftersale::id::ActorId;
use aftersale::improvement::playbook::{Playbook, PlaybookError};
use aftersale::improvement::review::review;
use aftersale::improvement::verify::{Control, Evidence, Outcome, Plan, Test, VerifyError};
use aftersale::improvement::{
    Command, DepartmentId, Event, Improvement, ImprovementId, IssueId, Origin, Planning,
    QualityIssue, Refusal, Stage, decide, evolve, replay,
};
use aftersale::label::Label;
use aftersale::time::{Instant, Interval};
use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;

fn of(part: u64, whole: u64) -> Proportion {
    Proportion::new(part, whole).unwrap()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn plan(from: &str, to: &str, test: Test) -> Plan {
    Plan::new(from.parse().unwrap(), to.parse().unwrap(), test).unwrap()
}

fn planning(id: &str, plan: Plan) -> Planning {
    Planning {
        id: ImprovementId::new(id).unwrap(),
        issue: IssueId::new("jacket-sizes").unwrap(),
        title: "New size chart for jackets".into(),
        owner: ActorId::new("wang").unwrap(),
        department: DepartmentId::new("product").unwrap(),
        due: day("2026-03-31"),
        plan,
    }
}

fn evidence(before: Proportion, after: &[Proportion]) -> Evidence {
    Evidence {
        after_from: day("2026-04-01"),
        before,
        after: after.to_vec(),
        control: None,
        immature: None,
    }
}

/// Given the commands so far, the action; each must be accepted.
fn after(commands: &[Command]) -> Improvement {
    let mut events = Vec::new();
    let mut action = None;
    for (position, command) in commands.iter().enumerate() {
        let now = at("2026-03-02T09:00:00Z") + TimeDelta::days(position as i64);
        let next = decide(action.as_ref(), command, now).unwrap();
        for event in &next {
            action = evolve(action, event);
        }
        events.extend(next);
    }
    let text = serde_json::to_string(&events).unwrap();
    let stored: Vec<Event> = serde_json::from_str(&text).unwrap();
    assert_eq!(replay(&stored), action, "the stored history gives the same action");
    action.unwrap()
}

fn done(plan: Plan) -> Vec<Command> {
    vec![
        Command::PlanAction(planning("size-chart", plan)),
        Command::StartAction,
        Command::CompleteAction,
    ]
}

fn verify(action: &Improvement, evidence: Evidence) -> Result<Outcome, Refusal> {
    let now = at("2026-08-01T09:00:00Z");
    let events = decide(Some(action), &Command::VerifyEffect { evidence }, now)?;
    match &events[..] {
        [Event::EffectChecked { verdict, .. }] => Ok(verdict.outcome),
        other => panic!("{other:?}"),
    }
}

/// IMP-1: the article's stories hold only from some number of units on, and the verdict says which.
/// Numbers: Fleiss' formula evaluated with scipy's normal quantiles.
#[test]
fn the_stories_say_how_many_cases_they_need() {
    let rows = [
        ("8 % to 3 % in three months", "0.08", "0.03", 326),
        ("6 % to 2.5 %", "0.06", "0.025", 521),
        ("return rate down 13 percent, from 8 % to 6.96 %", "0.08", "0.0696", 10_043),
        ("three days to six hours, as done within six hours: 5 % to 50 %", "0.05", "0.5", 15),
    ];
    for (story, from, to, expected) in rows {
        let plan = plan(from, to, Test::BeforeAfter);
        let needed = plan.units_needed().unwrap();
        println!("{story}: {needed} units on each side for 80 % power");
        assert_eq!(needed, expected, "{story}");
        let side =
            |rate: &str, n: u64| of((rate.parse::<f64>().unwrap() * n as f64).round() as u64, n);
        let enough = plan.verify(&evidence(side(from, needed), &[side(to, needed)])).unwrap();
        assert_eq!(enough.outcome, Outcome::Verified, "{story}");
        let small = needed / 5;
        let few = plan.verify(&evidence(side(from, small), &[side(to, small)])).unwrap();
        assert_eq!(few.outcome, Outcome::NotEnoughUnits, "{story}");
        assert_eq!(few.units_needed, Some(needed));
    }
}

/// Both sides of every limit: one young unit, the last unit that is missing, the control's chance.
#[test]
fn limits_of_evidence_are_exact() {
    let usual = plan("0.08", "0.03", Test::BeforeAfter);
    let needed = usual.units_needed().unwrap();
    assert_eq!(plan("0.08", "0.03", Test::AgainstControl).units_needed(), Some(2 * needed));
    let sure = Confidence::new(0.99).unwrap();
    assert_eq!(
        usual.clone().with_confidence(sure).units_needed(),
        Some(485),
        "to be surer takes more"
    );
    let same = |units: u64| evidence(of(units / 12, units), &[of(units / 12, units)]);
    let outcome = |units| usual.verify(&same(units)).unwrap().outcome;
    assert_eq!(
        (outcome(needed), outcome(needed - 1)),
        (Outcome::NotVerified, Outcome::NotEnoughUnits)
    );
    let young = |units| Evidence { immature: Some((units, day("2026-06-01"))), ..same(needed) };
    assert!(matches!(usual.verify(&young(1)), Err(VerifyError::Immature { units: 1, .. })));
    assert!(usual.verify(&young(0)).is_ok());
}

/// Found by breaking the code: the scarcest side decides whether there was enough to see, the stated
/// confidence is the one used, and the findings carry the numbers of the verdict.
#[test]
fn a_verdict_says_why() {
    let share = |units: u64| of(units / 12, units);
    let outcome = |plan: &Plan, evidence: &Evidence| plan.verify(evidence).unwrap().outcome;
    let alone = plan("0.08", "0.03", Test::BeforeAfter);
    let needed = alone.units_needed().unwrap();
    let few_before = evidence(share(needed - 1), &[share(9 * needed)]);
    assert_eq!(outcome(&alone, &few_before), Outcome::NotEnoughUnits);

    let controlled = plan("0.08", "0.06", Test::AgainstControl);
    let needed = controlled.units_needed().unwrap();
    for (before, after, expected) in [
        (needed, needed, Outcome::NotVerified),
        (needed - 1, needed, Outcome::NotEnoughUnits),
        (needed, needed - 1, Outcome::NotEnoughUnits),
    ] {
        let control = Some(Control { before: share(before), after: share(after) });
        let evidence = Evidence { control, ..evidence(share(needed), &[share(needed)]) };
        assert_eq!(outcome(&controlled, &evidence), expected);
    }

    let sure = Confidence::new(0.99).unwrap();
    let weekly = plan("0.08", "0.03", Test::Sequential).with_confidence(sure);
    let verdict = weekly.verify(&evidence(of(0, 0), &[of(11, 400)])).unwrap();
    let mut watch = RateWatch::new(0.08).unwrap();
    watch.observe(of(11, 400)).unwrap();
    let (low, high) = watch.interval(0.01).unwrap();
    assert!(
        (verdict.low - (low - 0.08)).abs() < 1e-9 && (verdict.high - (high - 0.08)).abs() < 1e-9
    );

    let rise = plan("0.03", "0.08", Test::BeforeAfter);
    let needed = rise.units_needed().unwrap();
    let (before, after) = (of(needed / 30, needed), of(needed / 25, needed));
    let verdict = rise.verify(&evidence(before, &[after])).unwrap();
    let change = after.value().unwrap() - before.value().unwrap();
    assert!((verdict.change - change).abs() < 1e-9, "{verdict:?}");
    let [limit, seen, units] = &verdict.findings[..] else { panic!("{:?}", verdict.findings) };
    let number = |value: f64| Some(Fact::Number(format!("{value:.6}").parse().unwrap()));
    assert_eq!(limit.observed, number(verdict.low), "of a rise the lower limit is the nearer one");
    assert_eq!((&seen.observed, &seen.required), (&number(verdict.change), &number(0.05)));
    assert_eq!(units.effect, Effect::Passes, "exactly enough is enough");
}

/// IMP-2: with enough units and no effect the action is not verified, in either direction.
#[test]
fn no_effect_is_not_verified() {
    let plan = plan("0.08", "0.03", Test::BeforeAfter);
    let same = plan.verify(&evidence(of(80, 1000), &[of(78, 1000)])).unwrap();
    assert_eq!(same.outcome, Outcome::NotVerified);
    let worse = plan.verify(&evidence(of(80, 1000), &[of(160, 1000)])).unwrap();
    assert_eq!(worse.outcome, Outcome::NotVerified, "a proven rise is no success");
    assert!(worse.findings.iter().any(|finding| finding.to_string().contains("denies")));
}

/// IMP-3: a fall that the control shares is not an effect.
#[test]
fn a_shared_fall_is_no_effect() {
    let plan = plan("0.08", "0.06", Test::AgainstControl);
    let (before, after) = (of(1600, 20_000), of(1200, 20_000));
    let alone = evidence(before, &[after]);
    assert_eq!(plan.verify(&alone), Err(VerifyError::NoControl));
    let control = Some(Control { before: of(1600, 20_000), after: of(1210, 20_000) });
    let shared = Evidence { control, ..alone.clone() };
    assert_eq!(plan.verify(&shared).unwrap().outcome, Outcome::NotVerified);
    let control = Some(Control { before: of(1600, 20_000), after: of(1590, 20_000) });
    let own = Evidence { control, ..alone };
    assert_eq!(plan.verify(&own).unwrap().outcome, Outcome::Verified);
}

/// IMP-4: the sequential test may be asked every week, and needs no before.
#[test]
fn weekly_looks_are_allowed() {
    let plan = plan("0.08", "0.03", Test::Sequential);
    let weeks = [of(3, 100), of(4, 100), of(2, 100), of(3, 100)];
    let outcomes: Vec<Outcome> = (1..=4)
        .map(|so_far| plan.verify(&evidence(of(0, 0), &weeks[..so_far])).unwrap().outcome)
        .collect();
    assert_eq!(outcomes[0], Outcome::NotEnoughUnits);
    assert_eq!(outcomes[3], Outcome::Verified);
}

/// IMP-5: nothing is verified on sales before the plan, or inside the return window.
#[test]
fn looking_first_and_looking_early_are_refused() {
    let action = after(&done(plan("0.08", "0.03", Test::BeforeAfter)));
    let good = evidence(of(80, 1000), &[of(30, 1000)]);
    let early = Evidence { after_from: day("2026-02-01"), ..good.clone() };
    assert!(matches!(verify(&action, early), Err(Refusal::LookedBefore { .. })));
    let young = Evidence { immature: Some((140, day("2026-09-15"))), ..good.clone() };
    let refusal = verify(&action, young).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "140 units are still inside their return window; wait until 2026-09-15"
    );
    assert_eq!(verify(&action, good), Ok(Outcome::Verified));
}

/// IMP-6: every stage accepts the commands of its row and refuses all others; all pairs.
#[test]
fn every_stage_accepts_only_its_commands() {
    let plan = || plan("0.08", "0.03", Test::BeforeAfter);
    let check =
        |after: u64| Command::VerifyEffect { evidence: evidence(of(80, 1000), &[of(after, 1000)]) };
    let drop = || Command::DropAction { because: "supplier left".into() };
    let reopen = || Command::ReopenAction { plan: plan(), due: day("2026-06-30") };
    let histories: Vec<(Stage, Vec<Command>)> = vec![
        (Stage::Planned, done(plan())[..1].to_vec()),
        (Stage::Started, done(plan())[..2].to_vec()),
        (Stage::Done, done(plan())),
        (Stage::Verified, [done(plan()), vec![check(30)]].concat()),
        (Stage::NotVerified, [done(plan()), vec![check(79)]].concat()),
        (Stage::Dropped, [done(plan()), vec![drop()]].concat()),
    ];
    // plan, start, complete, verify, reopen, drop: `+` an event, `.` nothing new, `-` refused.
    let table = ["-++--+", "-.+--+", "--.+-+", "----+-", "---+++", "----+."];
    let commands = [
        Command::PlanAction(planning("size-chart", plan())),
        Command::StartAction,
        Command::CompleteAction,
        check(30),
        reopen(),
        drop(),
    ];
    for ((stage, history), row) in histories.iter().zip(table) {
        let action = after(history);
        assert_eq!(action.stage, *stage);
        let found: String = commands
            .iter()
            .map(|command| match decide(Some(&action), command, at("2026-08-01T09:00:00Z")) {
                Ok(events) if events.is_empty() => '.',
                Ok(_) => '+',
                Err(_) => '-',
            })
            .collect();
        assert_eq!(found, row, "{stage}");
    }
    for command in &commands[1..] {
        assert_eq!(decide(None, command, at("2026-08-01T09:00:00Z")), Err(Refusal::NotPlanned));
    }
    let again = after(&[histories[4].1.clone(), vec![reopen()]].concat());
    assert_eq!((again.stage, again.reopened, again.verdict), (Stage::Started, 1, None));
}

/// IMP-10: an event that no history has at this place changes nothing: one that arrives twice, or late,
/// never moves an action. All pairs of stage and event.
#[test]
fn an_event_out_of_place_changes_nothing() {
    let plan = || plan("0.08", "0.03", Test::BeforeAfter);
    let check =
        |after: u64| Command::VerifyEffect { evidence: evidence(of(80, 1000), &[of(after, 1000)]) };
    let drop = || Command::DropAction { because: "supplier left".into() };
    let reopen = || Command::ReopenAction { plan: plan(), due: day("2026-06-30") };
    let histories = [
        done(plan())[..1].to_vec(),
        done(plan())[..2].to_vec(),
        done(plan()),
        [done(plan()), vec![check(30)]].concat(),
        [done(plan()), vec![check(79)]].concat(),
        [done(plan()), vec![drop()]].concat(),
    ];
    // Each command with the event it gives where it is accepted.
    let commands = [
        (histories[0].clone(), None, Command::PlanAction(planning("size-chart", plan()))),
        (histories[0].clone(), Some(()), Command::StartAction),
        (histories[1].clone(), Some(()), Command::CompleteAction),
        (histories[2].clone(), Some(()), check(30)),
        (histories[3].clone(), Some(()), reopen()),
        (histories[1].clone(), Some(()), drop()),
    ];
    let now = at("2026-08-01T09:00:00Z");
    for (before, exists, command) in &commands {
        let accepting = exists.map(|()| after(before));
        let [event] = &decide(accepting.as_ref(), command, now).unwrap()[..] else {
            panic!("{command:?}")
        };
        for history in &histories {
            let action = after(history);
            let admitted =
                decide(Some(&action), command, now).is_ok_and(|events| !events.is_empty());
            let next = evolve(Some(action.clone()), event).unwrap();
            assert_eq!(next != action, admitted, "{:?} {event:?}", action.stage);
        }
        let fresh = evolve(None, event);
        assert_eq!(fresh.is_some(), exists.is_none());
    }
}

/// IMP-7: packs list every open action once, overdue ones first, and issues nobody answers.
#[test]
fn packs_list_what_a_department_must_talk_about() {
    let issue = |id: &str, extra: u64| QualityIssue {
        id: IssueId::new(id).unwrap(),
        at: at("2026-03-10T00:00:00Z"),
        origin: Origin::Alarm,
        facets: Facets::new().with(Dimension::Category, "jackets").unwrap(),
        summary: "More returns than expected".into(),
        extra_returns: Some(extra),
        extra_cost: None,
        terms: ["拉链".to_owned()].into(),
    };
    let late = after(&done(plan("0.08", "0.03", Test::BeforeAfter))[..2]);
    let mut ready = after(&done(plan("0.06", "0.025", Test::BeforeAfter)));
    ready.id = ImprovementId::new("zip").unwrap();
    let period = Interval::new(at("2026-03-01T00:00:00Z"), at("2026-04-01T00:00:00Z")).unwrap();
    let issues = [issue("jacket-sizes", 20), issue("loose-port", 31), issue("late", 44)];
    let found = review(&issues, &[late.clone(), ready.clone()], period, day("2026-04-02"));
    let pack = &found.departments[&DepartmentId::new("product").unwrap()];
    assert_eq!((&pack.overdue, &pack.open), (&vec![late], &vec![ready]));
    assert_eq!(pack.issues.len(), 1);
    let unanswered: Vec<&str> = found.unanswered.iter().map(|issue| issue.id.as_str()).collect();
    assert_eq!(unanswered, ["late", "loose-port"]);
    // An action that was given up answers nothing, and its department has nothing to talk about.
    let drop = Command::DropAction { because: "supplier left".into() };
    let dropped = after(&[done(plan("0.08", "0.03", Test::BeforeAfter)), vec![drop]].concat());
    let found = review(&issues[..1], &[dropped], period, day("2026-04-02"));
    assert_eq!((found.departments.len(), found.unanswered.len()), (0, 1));
}

/// IMP-8: the playbook learns from verified actions only, once, and detailed reasons fall back.
#[test]
fn the_playbook_learns_from_proven_actions() {
    let check = Command::VerifyEffect { evidence: evidence(of(80, 1000), &[of(30, 1000)]) };
    let open = after(&done(plan("0.08", "0.03", Test::BeforeAfter)));
    let proven = after(&[done(plan("0.08", "0.03", Test::BeforeAfter)), vec![check]].concat());
    let offer = || Label::new("Send the size table and offer an exchange", "发送尺码表并建议换货");
    let mut playbook = Playbook::default();
    assert!(matches!(
        playbook.learn("fit", offer(), &open),
        Err(PlaybookError::NotVerified { .. })
    ));
    playbook.learn("fit", offer(), &proven).unwrap();
    playbook.learn("fit", offer(), &proven).unwrap();
    let entry = playbook.entry(&["fit.too_small", "fit"]).unwrap();
    assert_eq!((entry.offer.len(), entry.learnt_from.len()), (1, 1));
    assert!(playbook.entry(&["late"]).is_none());
    let text = serde_json::to_string(&playbook).unwrap();
    assert_eq!(serde_json::from_str::<Playbook>(&text).unwrap(), playbook);
}

#[test]
fn a_plan_without_a_change_is_refused() {
    for (from, to) in [("0.08", "0.08"), ("0", "0.03"), ("0.08", "1"), ("-0.1", "0.2")] {
        let plan = Plan::new(from.parse().unwrap(), to.parse().unwrap(), Test::BeforeAfter);
        assert!(matches!(plan, Err(VerifyError::NoChange { .. })), "{from} {to}");
        let wire =
            format!(r#"{{"from":"{from}","to":"{to}","test":"before_after","confidence":0.95}}"#);
        assert!(serde_json::from_str::<Plan>(&wire).is_err());
    }
}

proptest! {
    /// IMP-9: "verified" means that the interval lies past zero on the side stated, always.
    #[test]
    fn verified_means_proven(x0 in 0_u64..200, n0 in 200_u64..2000, x1 in 0_u64..200, n1 in 200_u64..2000, down in any::<bool>()) {
        let plan = if down { plan("0.08", "0.03", Test::BeforeAfter) } else { plan("0.03", "0.08", Test::BeforeAfter) };
        let verdict = plan.verify(&evidence(of(x0, n0), &[of(x1, n1)])).unwrap();
        let proven = if down { verdict.high < 0.0 } else { verdict.low > 0.0 };
        prop_assert_eq!(verdict.outcome == Outcome::Verified, proven);
        prop_assert!(verdict.low <= verdict.change && verdict.change <= verdict.high);
        if verdict.outcome == Outcome::NotEnoughUnits {
            prop_assert!(n0.min(n1) < verdict.units_needed.unwrap());
        }
    }
}
