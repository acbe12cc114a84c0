//! The rules of approval and the mistakes of other systems, by name: see the tables in
//! `docs/workflows.md`. What `tests/workflow/approval.rs` shows already is not repeated here.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::desks::{double, double_of, rules, single};
use crate::common::{World, at, fact, interval, money, person, role, state};
use aftersale::approval::change::{BackTo, Change, Way};
use aftersale::approval::command::Order;
use aftersale::approval::directory::Person;
use aftersale::approval::effect::{EffectBody, effects};
use aftersale::approval::node::{Beside, Run, Status};
use aftersale::approval::process::Process;
use aftersale::approval::refusal::Refusal;
use aftersale::approval::standing::{Phase, StuckReason};
use aftersale::condition::schema::FactType;
use aftersale::explain::Fact;
use aftersale::number::Ratio;
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::defect::{DefectCode, WarningCode};
use aftersale::workflow::definition::{Stability, Weight};
use aftersale::workflow::journal::{Actor, Cause, Entry};
use aftersale::workflow::rule::{
    Mode, Policy, RunningTotal, SamePersonRule, SmallAmount, TimeoutAction,
};
use aftersale::workflow::span::Span;
use aftersale::workflow::verify::verify;

fn here(p: &Process) -> &str {
    p.standing().unwrap().token.state.as_str()
}

fn phase(p: &Process) -> &Phase {
    &p.standing().unwrap().phase
}

fn seats(p: &Process) -> Vec<(String, Status)> {
    let node = p.standing().unwrap().node.as_ref().unwrap();
    node.seats.iter().map(|s| (s.holder.as_str().to_owned(), s.status)).collect()
}

fn yes() -> Order {
    Order::Approve { comment: String::new() }
}

fn no() -> Order {
    Order::Reject { comment: String::new() }
}

fn add(place: Beside, names: &[&str]) -> Order {
    Order::Add { place, people: names.iter().map(|name| person(name)).collect() }
}

fn back(to: &str, way: Way) -> Order {
    Order::SendBack { to: BackTo::Node(state(to)), way }
}

// ---------------------------------------------------------------- rules

#[test]
fn the_clock_of_a_sequence_starts_with_each_turn() {
    let rule = rules(Mode::Sequence).timeout(Span::hours(10), TimeoutAction::Reject);
    let mut w = single(rule, Policy::default());
    let mut p = w.submitted("zhou");
    assert_eq!(p.next_deadline(), Some(at(10 * 3_600)));
    w.now = at(7 * 3_600);
    w.approve(&mut p, &["ann"]);
    assert_eq!(p.next_deadline(), Some(at(17 * 3_600)));
    let waiting = &p.standing().unwrap().node.as_ref().unwrap().seats[2];
    assert_eq!((waiting.status, waiting.timers.len()), (Status::Waiting, 0));
}

#[test]
fn a_verdict_is_reached_at_once_and_the_others_are_no_longer_asked() {
    let mut w = single(rules(Mode::Count(2)), Policy::default());
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["cy", "ann"]);
    assert_eq!(here(&p), "paid");
    assert_eq!(w.act(&mut p, "bo", yes()), Err(Refusal::Over));
    let mut p = w.submitted("zhou");
    w.act(&mut p, "ann", no()).unwrap();
    assert_eq!(here(&p), "review"); // two of three may still agree
    w.act(&mut p, "bo", no()).unwrap();
    assert_eq!(here(&p), "declined");
}

#[test]
fn a_seat_is_passed_on_and_lent_only_so_often() {
    let mut w = single(rules(Mode::All), Policy { transfers_max: 2, ..Policy::default() });
    let mut p = w.submitted("zhou");
    w.act(&mut p, "ann", Order::Transfer { to: person("dan") }).unwrap();
    w.act(&mut p, "dan", Order::AskOpinion { of: person("eve") }).unwrap();
    w.act(&mut p, "dan", Order::RecallOpinion).unwrap();
    for order in [Order::Transfer { to: person("fay") }, Order::AskOpinion { of: person("fay") }] {
        assert_eq!(w.act(&mut p, "dan", order), Err(Refusal::TooManyTransfers { hops: 2 }));
    }
    // Another seat has its own count.
    w.act(&mut p, "bo", Order::Transfer { to: person("fay") }).unwrap();
}

#[test]
fn an_opinion_is_no_vote_can_be_recalled_and_does_not_stop_the_clock() {
    let rule = rules(Mode::All).timeout(Span::hours(10), TimeoutAction::Approve);
    let mut w = single(rule, Policy::default());
    w.directory = w.directory.with_role(role("service"), [person("ann")]);
    let mut p = w.submitted("zhou");
    w.act(&mut p, "ann", Order::AskOpinion { of: person("eve") }).unwrap();
    let refused = w.act(&mut p, "eve", yes());
    assert_eq!(refused, Err(Refusal::NotYourTurn { person: person("eve") }));
    w.act(&mut p, "ann", Order::RecallOpinion).unwrap();
    let late = w.act(&mut p, "eve", Order::GiveOpinion { opinion: "repair it".into() });
    assert_eq!(late, Err(Refusal::NoOpinionAwaited));
    w.act(&mut p, "ann", Order::AskOpinion { of: person("eve") }).unwrap();
    assert_eq!(p.next_deadline(), Some(at(10 * 3_600)));
    w.tick(&mut p, at(10 * 3_600));
    assert_eq!(here(&p), "paid"); // the time of the opinion counted for the seat
}

#[test]
fn only_seats_of_the_rule_get_signers_beside_them() {
    let mut w = single(rules(Mode::All), Policy::default());
    let mut p = w.submitted("zhou");
    w.act(&mut p, "ann", add(Beside::Before, &["dan"])).unwrap();
    assert_eq!(w.act(&mut p, "dan", add(Beside::Parallel, &["eve"])), Err(Refusal::NotTopLevel));
    w.act(&mut p, "dan", add(Beside::After, &["eve"])).unwrap();
    assert_eq!(w.act(&mut p, "bo", add(Beside::After, &[])), Err(Refusal::NobodyNamed));
    let twice = w.act(&mut p, "bo", add(Beside::After, &["fay", "fay"]));
    assert_eq!(twice, Err(Refusal::AlreadyInvolved { person: person("fay") }));
}

#[test]
fn removing_a_signer_before_gives_the_adder_their_turn_and_what_was_left() {
    let rule = rules(Mode::Any).timeout(Span::hours(10), TimeoutAction::Reject);
    let mut w = single(rule, Policy::default());
    w.directory = w.directory.with_role(role("service"), [person("ann")]);
    let mut p = w.submitted("zhou");
    w.now = at(3 * 3_600);
    w.act(&mut p, "ann", add(Beside::Before, &["dan", "eve"])).unwrap();
    w.now = at(8 * 3_600);
    w.act(&mut p, "dan", yes()).unwrap();
    let voted = w.act(&mut p, "ann", Order::Remove { person: person("dan") });
    assert_eq!(voted, Err(Refusal::NotRemovable { person: person("dan") }));
    w.act(&mut p, "ann", Order::Remove { person: person("eve") }).unwrap();
    let ann = &p.standing().unwrap().node.as_ref().unwrap().seats[0];
    assert_eq!((ann.status, ann.timers[0].run), (Status::Active, Run::Due(at(15 * 3_600))));
}

#[test]
fn a_rejection_ends_goes_to_the_requester_or_to_a_named_approval() {
    // It ends: `single`. It goes back to an approval: `double`.
    let mut w = double(Policy::default());
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann", "bo", "cy"]);
    w.act(&mut p, "eve", no()).unwrap();
    let s = p.standing().unwrap();
    assert_eq!((here(&p), s.round, s.passed.len()), ("first", 2, 0));
    // It goes to the requester: a task of theirs.
    let mut w = World::new(
        crate::common::facts(WorkflowBuilder::new("fix", 1))
            .approval("review", rules(Mode::Any), |s| {
                s.approved("paid").rejected("fix").waits_because("staffed")
            })
            .task("fix", "requester", |s| s.on("fixed", "review").on("dropped", "declined"))
            .end("paid", "paid")
            .end("declined", "declined"),
    );
    let mut p = w.submitted("zhou");
    w.act(&mut p, "ann", no()).unwrap();
    assert_eq!(here(&p), "fix");
    let event = aftersale::workflow::EventName::new("fixed").unwrap();
    w.act(&mut p, "zhou", Order::Fire { event }).unwrap();
    assert_eq!((here(&p), p.standing().unwrap().round), ("review", 2));
}

#[test]
fn a_case_is_withdrawn_while_pending_returned_or_stuck() {
    let mut w = single(rules(Mode::All), Policy::default());
    let mut returned = w.submitted("zhou");
    let order = Order::SendBack { to: BackTo::Requester, way: Way::Resume };
    w.act(&mut returned, "ann", order).unwrap();
    w.act(&mut returned, "zhou", Order::Withdraw).unwrap();
    w.directory = w.directory.clone().with_role(role("service"), []);
    let mut stuck = w.submitted("zhou");
    assert_eq!(*phase(&stuck), Phase::Stuck { reason: StuckReason::NobodyLeft });
    w.act(&mut stuck, "zhou", Order::Withdraw).unwrap();
    assert_eq!((phase(&returned), phase(&stuck)), (&Phase::Withdrawn, &Phase::Withdrawn));
}

#[test]
fn due_timers_act_in_the_order_of_their_instants_and_of_the_seats() {
    let rule = rules(Mode::All)
        .timeout(Span::hours(2), TimeoutAction::Remind { times: 2 })
        .timeout(Span::hours(3), TimeoutAction::Remind { times: 1 })
        .timeout(Span::hours(5), TimeoutAction::SendBack);
    let mut w = single(rule, Policy::default());
    let mut p = w.submitted("zhou");
    let from = w.log.len();
    w.tick(&mut p, at(90 * 3_600));
    let acts: Vec<_> = w.log[from..]
        .iter()
        .map(|e| {
            assert_eq!(e.actor, Actor::System(Cause::Timeout));
            let hour = (e.at - at(0)).num_hours();
            match &e.body {
                Change::SeatReminded { seat, .. } => (hour, format!("remind {seat}")),
                Change::SentBack { to: BackTo::Requester, .. } => (hour, "back".into()),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    let expected: Vec<(i64, String)> = [2, 3, 4]
        .iter()
        .flat_map(|hour| (0..3).map(move |seat| (*hour, format!("remind {seat}"))))
        .chain([(5, "back".to_owned())])
        .collect();
    assert_eq!(acts, expected);
    assert_eq!(*phase(&p), Phase::Returned { resume: None });
}

#[test]
fn the_same_person_passes_next_door_or_anywhere() {
    for (policy, passes) in [(SamePersonRule::Adjacent, false), (SamePersonRule::Any, true)] {
        let same = Approval::new(Mode::Any, ["service"]);
        let mut w = World::new(
            crate::common::facts(WorkflowBuilder::new("same", 1))
                .approval("one", same.clone(), |s| {
                    s.approved("two").rejected("no").waits_because("staffed")
                })
                .approval("two", Approval::new(Mode::Any, ["board"]), |s| {
                    s.approved("three").rejected("no").waits_because("staffed")
                })
                .approval("three", same, |s| {
                    s.approved("yes").rejected("no").waits_because("staffed")
                })
                .end("yes", "yes")
                .end("no", "no")
                .policy(Policy { same_person: policy, ..Policy::default() }),
        );
        let mut p = w.submitted("zhou");
        w.approve(&mut p, &["ann", "gil"]);
        assert_eq!(here(&p) == "yes", passes);
        let human = p.standing().unwrap().passed.iter().flat_map(|passed| &passed.people);
        // Never counted as a vote of a person.
        assert_eq!(human.filter(|one| one.person.as_str() == "ann").count(), 1);
    }
}

#[test]
fn any_material_fact_voids_approvals() {
    for (name, value) in [
        ("reason", Fact::code("quality")),
        ("payee", Fact::code("card")),
        ("lines", Fact::Count(2)),
    ] {
        let builder = crate::common::facts(WorkflowBuilder::new("material", 1))
            .fact(
                "reason",
                FactType::Code(Default::default()),
                Stability::Volatile,
                Weight::Material,
            )
            .fact(
                "payee",
                FactType::Code(Default::default()),
                Stability::Volatile,
                Weight::Material,
            )
            .fact("lines", FactType::Count, Stability::Volatile, Weight::Material)
            .approval("one", Approval::new(Mode::Any, ["service"]), |s| {
                s.approved("two").rejected("no").waits_because("staffed")
            })
            .approval("two", Approval::new(Mode::Any, ["finance"]), |s| {
                s.approved("yes").rejected("no").waits_because("staffed")
            })
            .end("yes", "yes")
            .end("no", "no");
        let mut w = World::new(builder);
        w.set("reason", Fact::code("no_reason"));
        w.set("payee", Fact::code("wallet"));
        w.set("lines", Fact::Count(1));
        let mut p = w.submitted("zhou");
        w.approve(&mut p, &["ann"]);
        w.set("granted", Fact::Amount(money(1)));
        let plain = w.act(&mut p, "zhou", Order::ChangeFacts);
        assert_eq!(plain, Err(Refusal::NothingChanged));
        w.set(name, value);
        let undeclared = w.act(&mut p, "eve", yes());
        assert_eq!(undeclared, Err(Refusal::FactsDiffer { fact: fact(name) }));
        w.act(&mut p, "zhou", Order::ChangeFacts).unwrap();
        let s = p.standing().unwrap();
        assert_eq!((here(&p), s.passed.len(), s.round), ("one", 0, 2));
    }
}

#[test]
fn a_small_amount_is_looked_at_again_when_the_facts_change() {
    let small = SmallAmount {
        rule: aftersale::id::RuleId::new("small").unwrap(),
        at_most: money(20_000),
        running: Some(RunningTotal { fact: fact("granted"), below: money(50_000) }),
    };
    let first = rules(Mode::Any).with(|r| r.small = Some(small));
    let mut w = double_of(first, Approval::new(Mode::Any, ["finance"]), Policy::default());
    w.set("amount", Fact::Amount(money(20_000)));
    let mut p = w.submitted("zhou");
    assert_eq!(here(&p), "second");
    w.set("amount", Fact::Amount(money(20_001)));
    w.act(&mut p, "zhou", Order::ChangeFacts).unwrap();
    assert_eq!(here(&p), "first");
    w.set("amount", Fact::Amount(money(19_999)));
    w.act(&mut p, "zhou", Order::ChangeFacts).unwrap();
    assert_eq!(here(&p), "second");
}

#[test]
fn copies_give_no_right_and_stop_nothing() {
    let mut w = single(rules(Mode::Any), Policy::default());
    let mut p = w.submitted("zhou");
    let before = p.standing().unwrap().clone();
    let copy = || Order::Copy { to: vec![person("hal")] };
    w.act(&mut p, "ann", copy()).unwrap();
    assert_eq!(*p.standing().unwrap(), before);
    let told = effects(&before.case, w.log.last().unwrap());
    assert_eq!(told[0].body, EffectBody::Inform(person("hal")));
    assert_eq!(w.act(&mut p, "hal", yes()), Err(Refusal::NotYourTurn { person: person("hal") }));
    w.approve(&mut p, &["ann"]);
    assert_eq!(here(&p), "paid");
    w.act(&mut p, "ann", copy()).unwrap(); // after the end too
    assert_eq!(*phase(&p), Phase::Done);
}

#[test]
fn four_eyes_hold_when_a_seat_is_handed_over_and_when_an_approval_opens_again() {
    // Hand-over: ann approved first and is skipped, hal gets the seat.
    let second = Approval::new(Mode::Any, ["finance"])
        .timeout(Span::hours(2), TimeoutAction::HandOver { role: role("board") });
    let mut w = double_of(rules(Mode::Any), second, Policy::default());
    w.directory = w.directory.with_role(role("finance"), [person("eve")]);
    w.directory = w.directory.with_role(role("board"), ["zhou", "ann", "eve", "hal"].map(person));
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann"]);
    w.tick(&mut p, at(2 * 3_600));
    assert_eq!(seats(&p), [("hal".to_owned(), Status::Active)]);
    // Who gave the first approval in somebody's place is left out of the second when it opens again.
    let mut w =
        double_of(rules(Mode::Any), Approval::new(Mode::All, ["finance"]), Policy::default());
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann"]);
    w.act(&mut p, "fay", back("first", Way::Resume)).unwrap();
    w.act(&mut p, "bo", Order::Transfer { to: person("eve") }).unwrap();
    w.approve(&mut p, &["eve"]);
    assert_eq!(seats(&p), [("fay".to_owned(), Status::Active)]); // eve is left out
}

#[test]
fn seats_are_limited_by_number() {
    let mut w = single(rules(Mode::All), Policy { seats_max: 4, ..Policy::default() });
    let mut p = w.submitted("zhou");
    let refused = w.act(&mut p, "ann", add(Beside::After, &["dan", "eve"]));
    assert_eq!(refused, Err(Refusal::TooManySeats { seats: 5, most: 4 }));
    w.act(&mut p, "ann", add(Beside::After, &["dan"])).unwrap();
    w.act(&mut p, "ann", Order::Remove { person: person("dan") }).unwrap();
    let again = w.act(&mut p, "ann", add(Beside::After, &["eve"]));
    assert_eq!(again, Err(Refusal::TooManySeats { seats: 5, most: 4 })); // removed ones count
}

#[test]
fn a_refused_command_may_be_given_again_under_its_id() {
    let mut w = single(rules(Mode::All), Policy::default());
    let mut p = w.submitted("zhou");
    let early = w.command("dan", yes());
    assert!(p.decide(&w.context(), &early).is_err());
    w.act(&mut p, "ann", Order::Transfer { to: person("dan") }).unwrap();
    assert!(p.decide(&w.context(), &early).is_ok());
}

#[test]
fn a_repeated_command_names_all_its_first_entries() {
    let mut w = single(rules(Mode::All), Policy::default());
    let mut p = Process::default();
    let case = aftersale::id::CaseId::new("R-1").unwrap();
    let submit = w.command("zhou", Order::Submit { case });
    let first = p.decide(&w.context(), &submit).unwrap();
    assert!(first.entries.len() > 3);
    w.apply(&mut p, &first);
    let span = p.decide(&w.context(), &submit).unwrap().repeats.unwrap();
    assert_eq!((span.first, span.last), (1, first.entries.len() as u64));
}

#[test]
fn the_window_forgets_half_at_once_and_entries_are_in_time() {
    let mut w = single(rules(Mode::All), Policy { commands_kept: 8, ..Policy::default() });
    let mut p = w.submitted("zhou");
    let mut sizes = vec![];
    for _ in 0..12 {
        w.act(&mut p, "ann", Order::Copy { to: vec![person("dan")] }).unwrap();
        sizes.push(p.journal().remembered());
    }
    // Eight are kept; then four stay, with the command that made room.
    assert_eq!(sizes, [2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8, 5]);
    let mut early = w.log.clone();
    early.last_mut().unwrap().at = at(-1);
    assert!(Process::replay(&early).is_err());
}

#[test]
fn seats_act_before_the_timers_of_the_state_at_one_instant() {
    let rule = rules(Mode::Any).timeout(Span::hours(5), TimeoutAction::Approve);
    let draft = crate::common::facts(WorkflowBuilder::new("tie", 1))
        .approval("review", rule, |s| {
            s.approved("paid").rejected("declined").leaves_after("t", Span::hours(5), "declined")
        })
        .end("paid", "paid")
        .end("declined", "declined");
    let mut w = World::new(draft);
    let mut p = w.submitted("zhou");
    w.tick(&mut p, at(5 * 3_600));
    assert_eq!(here(&p), "paid");
}

#[test]
fn whose_seat_it_was_counts_for_four_eyes_too() {
    // Bo approves for ann; ann is kept apart from the second approval as well as bo.
    let mut w =
        double_of(rules(Mode::Any), Approval::new(Mode::Any, ["finance"]), Policy::default());
    w.directory = w.directory.with_role(role("service"), [person("ann")]);
    w.directory = w.directory.with_role(role("finance"), ["ann", "bo", "eve"].map(person));
    let mut p = w.submitted("zhou");
    w.act(&mut p, "ann", Order::Transfer { to: person("bo") }).unwrap();
    w.approve(&mut p, &["bo"]);
    assert_eq!(seats(&p), [("eve".to_owned(), Status::Active)]);
}

// ---------------------------------------------------------------- mistakes of others

#[test]
fn one_rejection_does_not_end_a_vote_by_ratio() {
    let mut w = single(rules(Mode::Ratio(Ratio::new(2, 3).unwrap())), Policy::default());
    let mut p = w.submitted("zhou");
    w.act(&mut p, "ann", no()).unwrap();
    assert_eq!(here(&p), "review");
    w.approve(&mut p, &["bo", "cy"]);
    assert_eq!(here(&p), "paid");
}

#[test]
fn two_votes_seen_from_one_version_are_not_both_accepted() {
    let mut w = single(rules(Mode::Count(2)), Policy::default());
    let mut p = w.submitted("zhou");
    let (mut one, mut two) = (w.command("ann", yes()), w.command("bo", yes()));
    one.expected_version = Some(p.version());
    two.expected_version = Some(p.version());
    let decision = p.decide(&w.context(), &one).unwrap();
    w.apply(&mut p, &decision);
    assert!(p.decide(&w.context(), &two).is_err());
    two.expected_version = Some(p.version());
    let decision = p.decide(&w.context(), &two).unwrap();
    w.apply(&mut p, &decision);
    assert_eq!(here(&p), "paid"); // counted once each, decided once
    let decided = w.log.iter().filter(|e| matches!(e.body, Change::NodeDecided { .. })).count();
    assert_eq!(decided, 1);
}

#[test]
fn sending_back_between_two_joint_approvals_neither_loses_nor_doubles_tasks() {
    for way in [Way::Restart, Way::Resume] {
        let first = rules(Mode::All);
        let mut w = double_of(first, Approval::new(Mode::All, ["finance"]), Policy::default());
        let mut p = w.submitted("zhou");
        w.approve(&mut p, &["ann", "bo", "cy"]);
        w.approve(&mut p, &["eve"]);
        let from = w.log.len();
        w.act(&mut p, "fay", back("first", way)).unwrap();
        let open = |p: &Process| {
            let seats = seats(p);
            assert!(seats.iter().all(|(_, status)| *status == Status::Active));
            seats.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!((here(&p), open(&p)), ("first", ["ann", "bo", "cy"].map(String::from).into()));
        let asked = w.log[from..].iter().flat_map(|e| effects(&p.standing().unwrap().case, e));
        let asked = asked.filter(|e| matches!(e.body, EffectBody::AskDecision(_))).count();
        assert_eq!(asked, 3);
        w.approve(&mut p, &["ann", "bo", "cy"]);
        // Both of the second approval are asked again, each once; no earlier vote is left over.
        assert_eq!((here(&p), open(&p)), ("second", ["eve", "fay"].map(String::from).into()));
        w.approve(&mut p, &["eve", "fay"]);
        assert_eq!(here(&p), "goods");
    }
}

#[test]
fn what_the_host_is_told_is_in_the_stored_entries() {
    let mut w = double(Policy::default());
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann", "bo"]);
    let command = w.command("cy", yes());
    let before = p.clone();
    let decision = p.decide(&w.context(), &command).unwrap();
    assert_eq!(p, before); // nothing has happened until the entries are applied
    let case = before.standing().unwrap().case.clone();
    let told: Vec<_> = decision.entries.iter().flat_map(|e| effects(&case, e)).collect();
    let mut stored = w.log.clone();
    stored.extend(decision.entries.clone());
    let replayed = Process::replay(&stored).unwrap();
    for effect in told {
        let EffectBody::AskDecision(asked) = &effect.body else { continue };
        let node = replayed.standing().unwrap().node.as_ref().unwrap();
        let asks =
            |s: &aftersale::approval::node::Seat| s.status == Status::Active && s.holder == *asked;
        assert!(node.seats.iter().any(asks), "{asked} is asked for something that is not open");
    }
}

#[test]
fn an_approval_that_may_wait_for_ever_is_a_defect_and_the_absent_are_not_asked() {
    let draft = WorkflowBuilder::new("w", 1)
        .approval("a", rules(Mode::Any), |s| s.approved("done"))
        .end("done", "done")
        .finish()
        .unwrap();
    let codes: Vec<_> = verify(&draft).unwrap_err().into_iter().map(|d| d.code).collect();
    assert_eq!(codes, [DefectCode::ApprovalOutcomeUnhandled, DefectCode::MissingTimer]);
    let mut w = single(rules(Mode::All), Policy::default());
    let away = Person { absent: vec![interval(0, 1_000)], ..Person::default() };
    w.directory = w.directory.with_person(person("bo"), away);
    let asked: Vec<_> = seats(&w.submitted("zhou")).into_iter().map(|(name, _)| name).collect();
    assert_eq!(asked, ["ann", "cy"]);
}

#[test]
fn a_third_arrow_past_the_vote_is_pointed_out_and_bound_to_a_role() {
    let draft = |open: bool| {
        WorkflowBuilder::new("w", 1)
            .approval("a", rules(Mode::Any), |s| {
                let s = s.approved("done").rejected("done").waits_because("staffed");
                if open { s.on("skip", "done") } else { s.on_by("skip", "board", "done") }
            })
            .end("done", "done")
            .finish()
            .unwrap()
    };
    let warned = verify(&draft(true)).unwrap().warnings;
    assert_eq!(warned[0].code, WarningCode::ApprovalBypass);
    let verified = verify(&draft(false)).unwrap();
    assert_eq!(verified.warnings, []);
    let mut w = World::of(verified.workflow);
    let mut p = w.submitted("zhou");
    let skip = || Order::Fire { event: aftersale::workflow::EventName::new("skip").unwrap() };
    let refused = w.act(&mut p, "ann", skip());
    assert_eq!(refused, Err(Refusal::NotInRole { person: person("ann"), role: role("board") }));
    w.act(&mut p, "gil", skip()).unwrap();
    assert_eq!(here(&p), "done");
}

// ---------------------------------------------------------------- the tables

/// The tests that the guide names for every rule and every mistake are there.
#[test]
fn the_guide_names_a_test_for_every_rule_and_mistake() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(root.join("docs/workflows.md")).unwrap();
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in guide.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let tests = line.split('`').filter(|part| part.contains("::"));
        let tests: Vec<String> = tests.map(str::to_owned).collect();
        if !tests.is_empty() {
            rows.insert(cells[1].to_owned(), tests);
        }
    }
    let rules = (1..=23).map(|n| format!("S{n}"));
    let outcomes = (1..=12).map(|n| format!("O{n}"));
    let traps = (1..=16).map(|n| format!("P{n}"));
    let laws = (1..=46).map(|n| format!("law {n}"));
    for id in rules.chain(outcomes).chain(traps).chain(laws) {
        let tests = rows.get(&id).unwrap_or_else(|| panic!("{id} has no test"));
        for test in tests {
            let (file, name) = test.split_once("::").unwrap();
            let folder = if file.contains('/') { "tests" } else { "tests/workflow" };
            let file = root.join(folder).join(format!("{file}.rs"));
            let text = std::fs::read_to_string(file).unwrap();
            assert!(text.contains(&format!("fn {name}(")), "{id}: no test {test}");
        }
    }
}

/// What an approval writes can be read again: it asks no more people than an entry holds, and tells
/// however many there are, in several entries where one is not enough.
#[test]
fn an_approval_writes_nothing_that_cannot_be_read_again() {
    let crowd = |count: usize| (0..count).map(|n| person(&format!("p{n}"))).collect::<Vec<_>>();
    let case = || aftersale::id::CaseId::new("R-1").unwrap();
    let submit = |w: &mut World| {
        let mut p = Process::default();
        w.act(&mut p, "zhou", Order::Submit { case: case() }).map(|()| p)
    };
    let readable = |w: &World| {
        w.log.iter().all(|entry| {
            let text = serde_json::to_string(entry).unwrap();
            serde_json::from_str(&text).is_ok_and(|again: Entry<Change>| again == *entry)
        })
    };
    let mut w = single(rules(Mode::Any), Policy::default());
    w.directory = w.directory.with_role(role("service"), crowd(1_001));
    assert_eq!(submit(&mut w).unwrap_err(), Refusal::TooManySeats { seats: 1_001, most: 1_000 });
    // Whoever is left out is written down, too.
    let asker = vec![person("zhou"); 1];
    let mixed = crowd(1_000).into_iter().chain(asker);
    w.directory = w.directory.with_role(role("service"), mixed);
    assert_eq!(submit(&mut w).unwrap_err(), Refusal::TooManySeats { seats: 1_001, most: 1_000 });
    w.directory = w.directory.with_role(role("service"), crowd(1_000));
    let mut p = submit(&mut w).unwrap();
    w.act(&mut p, "p0", Order::Copy { to: crowd(2_500) }).unwrap();
    assert!(readable(&w));
    let told = w.log.iter().flat_map(|entry| effects(&case(), entry));
    let told = told.filter(|effect| matches!(effect.body, EffectBody::Inform(_))).count();
    assert_eq!(told, 2_500);
    assert_eq!(Process::replay(&w.log).unwrap(), p);
    // A role that gets copies may be as large.
    let rule = rules(Mode::Any).with(|rule| rule.copies = [role("finance")].into());
    let mut w = single(rule, Policy::default());
    w.directory = w.directory.with_role(role("finance"), crowd(1_500));
    submit(&mut w).unwrap();
    assert!(readable(&w));
    let told = w.log.iter().flat_map(|entry| effects(&case(), entry));
    let told = told.filter(|effect| matches!(effect.body, EffectBody::Inform(_))).count();
    assert_eq!(told, 1_500);
}
