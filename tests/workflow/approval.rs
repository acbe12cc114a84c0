//! Approval: the rules of `docs/workflows.md`, one by one, and the laws over random histories.

use std::collections::{BTreeMap, BTreeSet};

use crate::common::desks::{double, double_of, rules, single};
use crate::common::{Dice, World, at, fact, money, person, role, state};
use aftersale::approval::change::{BackTo, Change, LeftOutReason, MovedBy, Way};
use aftersale::approval::command::Order;
use aftersale::approval::directory::Person;
use aftersale::approval::effect::{EffectBody, effects};
use aftersale::approval::forecast::{Expected, forecast};
use aftersale::approval::node::{Beside, Node, Origin, Run, Seat, Status, Tally, Verdict};
use aftersale::approval::process::Process;
use aftersale::approval::refusal::Refusal;
use aftersale::approval::standing::{Phase, StuckReason};
use aftersale::condition::Facts;
use aftersale::explain::Fact;
use aftersale::number::Ratio;
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::canonical::fingerprint;
use aftersale::workflow::journal::{Actor, Cause, JournalRefusal};
use aftersale::workflow::rule::{
    Mode, OnEmpty, Policy, ReapproveRule, RejectRule, RequesterRule, RunningTotal, SamePersonRule,
    SmallAmount, TimeoutAction, WithdrawRule,
};
use aftersale::workflow::span::Span;
use aftersale::workflow::{RoleCode, StateId};

// ---------------------------------------------------------------- counting (laws 1 to 6, 8, 11)

fn seat(n: usize, group: u32, status: Status) -> Seat {
    let owner = person(&format!("p{n}"));
    Seat {
        holder: owner.clone(),
        owner,
        asked: None,
        origin: Origin::Assigned { group },
        status,
        hops: 0,
        timers: Default::default(),
        voter: None,
    }
}

fn node(mode: Mode, reject: RejectRule, votes: &[Status]) -> Node {
    let seats = votes.iter().enumerate().map(|(n, s)| seat(n, 0, *s)).collect();
    Node { state: state("review"), round: 1, opened: at(0), mode, reject, seats }
}

fn all_votes(n: usize, choices: &[Status]) -> Vec<Vec<Status>> {
    let mut all = vec![vec![]];
    for _ in 0..n {
        all = all
            .into_iter()
            .flat_map(|votes| choices.iter().map(move |c| [votes.clone(), vec![*c]].concat()))
            .collect();
    }
    all
}

const OPEN_YES_NO: [Status; 3] = [Status::Active, Status::Approved, Status::Rejected];

fn modes(n: u32) -> Vec<Mode> {
    let mut modes = vec![Mode::Any, Mode::All, Mode::Sequence, Mode::EachGroup(1)];
    modes.extend((1..=n).map(Mode::Count));
    for q in 1..=4 {
        modes.extend((1..=q).map(|p| Mode::Ratio(Ratio::new(p, q).unwrap())));
    }
    modes
}

/// WFL-1: a share of p/q of N seats is reached with k votes exactly when k*q >= p*N.
#[test]
fn a_ratio_is_counted_in_whole_numbers() {
    for q in 1..=12_i64 {
        for p in 1..=q {
            for n in 1..=40_u32 {
                let needed = Mode::Ratio(Ratio::new(p, q).unwrap()).needed(n);
                for k in 0..=n {
                    assert_eq!(k >= needed, i64::from(k) * q >= p * i64::from(n), "{p}/{q} of {n}");
                }
            }
        }
    }
    // A share of 0.6667 is more than two thirds, and two of three do not reach it.
    assert_eq!(Mode::Ratio(Ratio::new(6_667, 10_000).unwrap()).needed(3), 3);
}

/// WFL-2: once all seats have voted there is exactly one verdict.
#[test]
fn all_votes_give_one_verdict() {
    for n in 1..=5_usize {
        for votes in all_votes(n, &[Status::Approved, Status::Rejected]) {
            for mode in modes(n as u32) {
                for reject in [RejectRule::First, RejectRule::Unanimous] {
                    assert!(node(mode, reject, &votes).verdict().is_some(), "{mode:?} {votes:?}");
                }
            }
        }
    }
}

/// WFL-3: a verdict reached early stays whatever the remaining votes are.
/// WFL-6: one more approval never turns approved into rejected.
#[test]
fn an_early_verdict_is_final() {
    for n in 1..=5_usize {
        for votes in all_votes(n, &OPEN_YES_NO) {
            for mode in modes(n as u32) {
                // Where the first rejection decides, order matters; that is another rule.
                let now = node(mode, RejectRule::Unanimous, &votes).verdict();
                for (i, vote) in votes.iter().enumerate() {
                    if *vote != Status::Active {
                        continue;
                    }
                    for more in [Status::Approved, Status::Rejected] {
                        let mut later = votes.clone();
                        later[i] = more;
                        let then = node(mode, RejectRule::Unanimous, &later).verdict();
                        assert!(now.is_none() || then == now, "{mode:?} {votes:?}");
                    }
                }
                if now == Some(Verdict::Approved) {
                    for i in 0..n {
                        let mut better = votes.clone();
                        better[i] = Status::Approved;
                        assert_eq!(node(mode, RejectRule::Unanimous, &better).verdict(), now);
                    }
                }
            }
        }
    }
}

/// WFL-4: any, all, count and ratio agree where they mean the same number.
#[test]
fn modes_agree_where_they_coincide() {
    for n in 1..=5_usize {
        let k = n as u32;
        for votes in all_votes(n, &OPEN_YES_NO) {
            let verdict = |mode| node(mode, RejectRule::Unanimous, &votes).verdict();
            assert_eq!(verdict(Mode::Any), verdict(Mode::Count(1)));
            assert_eq!(verdict(Mode::All), verdict(Mode::Count(k)));
            assert_eq!(verdict(Mode::Sequence), verdict(Mode::All));
            for count in 1..=k {
                let ratio = Ratio::new(i64::from(count), i64::from(k)).unwrap();
                assert_eq!(verdict(Mode::Ratio(ratio)), verdict(Mode::Count(count)));
                assert_eq!(verdict(Mode::EachGroup(count)), verdict(Mode::Count(count)));
            }
        }
    }
}

/// WFL-5: in a parallel approval the order of votes does not matter.
#[test]
fn the_order_of_votes_does_not_matter() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for votes in all_votes(3, &[Status::Approved, Status::Rejected]) {
        for mode in modes(3) {
            let outcomes: BTreeSet<_> = orders
                .iter()
                .map(|order| {
                    let mut cast = vec![Status::Active; 3];
                    for &i in order {
                        cast[i] = votes[i];
                        if let Some(v) = node(mode, RejectRule::Unanimous, &cast).verdict() {
                            return v;
                        }
                    }
                    panic!("no verdict")
                })
                .collect();
            assert_eq!(outcomes.len(), 1, "{mode:?} {votes:?}");
        }
    }
}

#[test]
fn one_of_each_group_needs_every_group() {
    let mut two =
        node(Mode::EachGroup(1), RejectRule::First, &[Status::Approved, Status::Approved]);
    two.seats.push(seat(2, 1, Status::Active));
    assert_eq!(two.verdict(), None);
    two.seats[2].status = Status::Approved;
    assert_eq!(two.verdict(), Some(Verdict::Approved));
    two.seats[2].status = Status::Rejected;
    assert_eq!(two.verdict(), Some(Verdict::Rejected));
}

#[test]
fn the_first_rejection_decides_an_approval_by_anyone_unless_it_must_be_unanimous() {
    let votes = [Status::Rejected, Status::Active, Status::Active];
    assert_eq!(node(Mode::Any, RejectRule::First, &votes).verdict(), Some(Verdict::Rejected));
    assert_eq!(node(Mode::Any, RejectRule::Unanimous, &votes).verdict(), None);
}

// ---------------------------------------------------------------- named rules

fn phase(p: &Process) -> &Phase {
    &p.standing().unwrap().phase
}

fn here(p: &Process) -> &str {
    p.standing().unwrap().token.state.as_str()
}

fn seats(p: &Process) -> Vec<(String, Status)> {
    let node = p.standing().unwrap().node.as_ref().unwrap();
    node.seats.iter().map(|s| (s.holder.as_str().to_owned(), s.status)).collect()
}

#[test]
fn rule_1_seats_leave_out_absent_requester_barred_and_low_limits() {
    let mut w = single(rules(Mode::All), Policy::default());
    w.directory = w
        .directory
        .with_role(role("service"), ["zhou", "ann", "bo", "low", "away", "ann"].map(person))
        .with_person(person("low"), Person { limit: Some(money(10_000)), ..Person::default() })
        .with_person(
            person("away"),
            Person {
                absent: vec![crate::common::interval(0, 1_000)],
                substitute: Some(person("cy")),
                ..Person::default()
            },
        );
    let p = w.submitted("zhou");
    assert_eq!(seats(&p).iter().map(|s| s.0.as_str()).collect::<Vec<_>>(), ["ann", "bo", "cy"]);
    let entry = w.log.iter().find(|e| matches!(e.body, Change::NodeOpened { .. })).unwrap();
    let Change::NodeOpened { left_out, .. } = &entry.body else { unreachable!() };
    let reasons: Vec<_> = left_out.iter().map(|l| (l.person.as_str(), l.because)).collect();
    assert_eq!(
        reasons,
        [
            ("zhou", LeftOutReason::Requester),
            ("low", LeftOutReason::BelowLimit),
            ("ann", LeftOutReason::Duplicate)
        ]
    );
}

#[test]
fn rule_1_with_nobody_left_the_case_is_stuck_and_can_be_tried_again() {
    let mut w = single(rules(Mode::All), Policy::default());
    w.directory = w.directory.with_role(role("service"), [person("zhou")]);
    let mut p = w.submitted("zhou");
    assert_eq!(*phase(&p), Phase::Stuck { reason: StuckReason::NobodyLeft });
    w.directory = w.directory.clone().with_role(role("service"), [person("ann")]);
    w.act(&mut p, "ann", Order::Retry).unwrap();
    w.act(&mut p, "ann", Order::Approve { comment: String::new() }).unwrap();
    assert_eq!(here(&p), "paid");
}

#[test]
fn rule_1_nobody_left_may_approve_reject_or_ask_another_role_and_the_system_says_so() {
    for (on_empty, end) in [(OnEmpty::Approve, "paid"), (OnEmpty::Reject, "declined")] {
        let rule = rules(Mode::All).with(|r| r.on_empty = on_empty);
        let mut w = single(rule, Policy::default());
        w.directory = w.directory.with_role(role("service"), []);
        let p = w.submitted("zhou");
        assert_eq!(here(&p), end);
        let decided = w.log.iter().find(|e| matches!(e.body, Change::NodeDecided { .. })).unwrap();
        assert_eq!(decided.actor, Actor::System(Cause::NoApprover));
    }
    let assign = OnEmpty::Assign { role: role("finance") };
    let mut w = single(rules(Mode::All).with(|r| r.on_empty = assign), Policy::default());
    w.directory = w.directory.with_role(role("service"), []);
    w.directory = w.directory.with_role(role("finance"), ["zhou", "eve"].map(person));
    assert_eq!(seats(&w.submitted("zhou")), [("eve".to_owned(), Status::Active)]);
}

#[test]
fn fewer_people_than_needed_leave_the_case_stuck_never_decided() {
    let mut w = single(rules(Mode::Count(3)), Policy::default());
    w.directory = w.directory.with_role(role("service"), ["ann", "bo"].map(person));
    let p = w.submitted("zhou");
    assert_eq!(*phase(&p), Phase::Stuck { reason: StuckReason::TooFewPeople });
}

/// WFL-7: transfer and delegation leave the number of seats, the number needed and all other seats
/// as they are.
#[test]
fn transfer_and_opinion_do_not_change_the_count() {
    // P1: a history of transfers must not raise the number of seats. P7: nor reach the requester.
    let mut w = single(rules(Mode::Ratio(Ratio::new(2, 3).unwrap())), Policy::default());
    let mut p = w.submitted("zhou");
    let tally = |p: &Process| p.standing().unwrap().node.as_ref().unwrap().tally();
    let before = tally(&p);
    assert_eq!(before, Tally { seats: 3, needed: 2, yes: 0, no: 0 });
    w.act(&mut p, "ann", Order::Transfer { to: person("dan") }).unwrap();
    w.act(&mut p, "dan", Order::AskOpinion { of: person("eve") }).unwrap();
    let refused = w.act(&mut p, "dan", Order::Approve { comment: String::new() });
    assert_eq!(refused, Err(Refusal::OpinionAwaited { of: person("eve") }));
    w.act(&mut p, "eve", Order::GiveOpinion { opinion: "the zip is broken".into() }).unwrap();
    assert_eq!(tally(&p), before);
    assert_eq!(
        w.act(&mut p, "ann", Order::Approve { comment: String::new() }),
        Err(Refusal::NotYourTurn { person: person("ann") })
    );
    for to in ["zhou", "bo", "ann", "dan"] {
        let refused = w.act(&mut p, "dan", Order::Transfer { to: person(to) });
        assert!(
            matches!(refused, Err(Refusal::SelfApproval { .. } | Refusal::AlreadyInvolved { .. })),
            "{to}: {refused:?}"
        );
    }
    w.act(&mut p, "dan", Order::Approve { comment: String::new() }).unwrap();
    let vote = w.log.iter().find(|e| matches!(e.body, Change::Voted { .. })).unwrap();
    let on_behalf_of = Some(person("ann"));
    assert_eq!(vote.actor, Actor::Human { person: person("dan"), on_behalf_of });
    w.act(&mut p, "bo", Order::Approve { comment: String::new() }).unwrap();
    assert_eq!(here(&p), "paid");
}

/// WFL-8: signers added before or after leave the count; signers beside raise it by their number.
#[test]
fn adding_signers_counts_as_stated() {
    let mut w = single(rules(Mode::All), Policy::default());
    let mut p = w.submitted("zhou");
    let seats = |p: &Process| p.standing().unwrap().node.as_ref().unwrap().tally().seats;
    let add = |place, name: &str| Order::Add { place, people: vec![person(name)] };
    w.act(&mut p, "ann", add(Beside::After, "dan")).unwrap();
    w.act(&mut p, "ann", add(Beside::Before, "eve")).unwrap();
    assert_eq!(seats(&p), 3);
    w.act(&mut p, "bo", add(Beside::Parallel, "fay")).unwrap();
    assert_eq!(seats(&p), 4);
    for name in ["eve", "ann", "bo", "cy", "fay"] {
        assert_eq!(here(&p), "review");
        w.act(&mut p, name, Order::Approve { comment: String::new() }).unwrap();
    }
    assert_eq!(here(&p), "review"); // dan, added after ann, is asked now
    w.act(&mut p, "dan", Order::Approve { comment: String::new() }).unwrap();
    assert_eq!(here(&p), "paid");
}

#[test]
fn a_no_of_an_added_signer_is_the_no_of_the_adder() {
    for place in [Beside::Before, Beside::After] {
        let mut w = single(rules(Mode::All), Policy::default());
        let mut p = w.submitted("zhou");
        w.act(&mut p, "ann", Order::Add { place, people: vec![person("dan")] }).unwrap();
        if place == Beside::After {
            w.act(&mut p, "ann", Order::Approve { comment: String::new() }).unwrap();
        }
        w.act(&mut p, "dan", Order::Reject { comment: String::new() }).unwrap();
        assert_eq!(here(&p), "declined");
    }
}

/// WFL-9: adding a signer and taking them away again restores the approval, except for its history.
/// WFL-10: taking a signer away never casts a vote.
#[test]
fn add_then_remove_restores() {
    for place in [Beside::Before, Beside::After, Beside::Parallel] {
        let mut w = single(rules(Mode::All), Policy::default());
        let mut p = w.submitted("zhou");
        let before = p.standing().unwrap().node.clone().unwrap();
        w.act(&mut p, "ann", Order::Add { place, people: vec![person("dan")] }).unwrap();
        assert!(w.act(&mut p, "bo", Order::Remove { person: person("dan") }).is_err());
        w.act(&mut p, "ann", Order::Remove { person: person("dan") }).unwrap();
        let after = p.standing().unwrap().node.clone().unwrap();
        assert_eq!(before.seats[..], after.seats[..3], "{place}");
        assert_eq!(before.tally(), after.tally());
        assert!(!w.log.iter().any(|e| matches!(e.body, Change::Voted { .. })));
    }
}

#[test]
fn removing_the_last_signer_beside_completes_an_approval_that_waited_only_for_them() {
    // P9: the count is tested again after a removal. P12: an adder who has not voted has not voted.
    let mut w = single(rules(Mode::All), Policy::default());
    let mut p = w.submitted("zhou");
    let dan = || vec![person("dan")];
    w.act(&mut p, "ann", Order::Add { place: Beside::Parallel, people: dan() }).unwrap();
    for name in ["ann", "bo", "cy"] {
        w.act(&mut p, name, Order::Approve { comment: String::new() }).unwrap();
    }
    assert_eq!(here(&p), "review");
    w.act(&mut p, "ann", Order::Remove { person: person("dan") }).unwrap();
    assert_eq!(here(&p), "paid");
    let mut w = single(rules(Mode::Any), Policy::default());
    let mut p = w.submitted("zhou");
    w.act(&mut p, "ann", Order::Add { place: Beside::After, people: dan() }).unwrap();
    w.act(&mut p, "ann", Order::Remove { person: person("dan") }).unwrap();
    assert_eq!(here(&p), "review");
}

#[test]
fn in_a_sequence_the_next_is_asked_when_the_one_before_agreed() {
    let mut w = single(rules(Mode::Sequence), Policy::default());
    let mut p = w.submitted("zhou");
    let refused = w.act(&mut p, "bo", Order::Approve { comment: String::new() });
    assert_eq!(refused, Err(Refusal::NotYourTurn { person: person("bo") }));
    let beside = Order::Add { place: Beside::Parallel, people: vec![person("dan")] };
    assert_eq!(w.act(&mut p, "ann", beside), Err(Refusal::NoParallelInSequence));
    w.act(&mut p, "ann", Order::Add { place: Beside::After, people: vec![person("dan")] }).unwrap();
    for name in ["ann", "dan", "bo", "cy"] {
        w.act(&mut p, name, Order::Approve { comment: String::new() }).unwrap();
    }
    assert_eq!(here(&p), "paid");
}

/// WFL-18: after a restart at an approval, exactly the approvals before it count.
/// WFL-19: a case goes back only to the requester or to an approval passed in this round.
#[test]
fn sending_back_to_an_approval_starts_again_there() {
    let mut w = double(Policy::default());
    let mut p = w.submitted("zhou");
    let ahead = Order::SendBack { to: BackTo::Node(state("second")), way: Way::Restart };
    assert!(matches!(w.act(&mut p, "ann", ahead), Err(Refusal::NotPassed { .. })));
    w.approve(&mut p, &["ann", "bo", "cy"]);
    let back = Order::SendBack { to: BackTo::Node(state("first")), way: Way::Restart };
    w.act(&mut p, "eve", back).unwrap();
    let s = p.standing().unwrap();
    assert_eq!((here(&p), s.passed.len(), s.round), ("first", 0, 2));
    w.approve(&mut p, &["ann", "bo", "cy"]);
    assert_eq!(here(&p), "second");
}

#[test]
fn resuming_returns_to_the_sender_and_keeps_what_lies_between() {
    let mut w = World::new(
        crate::common::facts(WorkflowBuilder::new("three", 1))
            .approval("one", Approval::new(Mode::Any, ["service"]), |s| {
                s.approved("two").rejected("no").waits_because("staffed")
            })
            .approval("two", Approval::new(Mode::Any, ["finance"]), |s| {
                s.approved("three").rejected("no").waits_because("staffed")
            })
            .approval("three", Approval::new(Mode::Any, ["board"]), |s| {
                s.approved("yes").rejected("no").waits_because("staffed")
            })
            .end("yes", "yes")
            .end("no", "no"),
    );
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann", "eve"]);
    let back = Order::SendBack { to: BackTo::Node(state("one")), way: Way::Resume };
    w.act(&mut p, "gil", back).unwrap();
    assert_eq!(here(&p), "one");
    w.approve(&mut p, &["bo"]);
    assert_eq!(here(&p), "three"); // two is not asked again
    let passed: Vec<_> = p.standing().unwrap().passed.iter().map(|x| x.state.as_str()).collect();
    assert_eq!(passed, ["one", "two"]);
    w.approve(&mut p, &["gil"]);
    assert_eq!(here(&p), "yes");
}

/// WFL-20: where a material fact changed, resuming is the same as starting again.
#[test]
fn a_changed_amount_turns_resume_into_restart() {
    let ends: Vec<_> = [Way::Resume, Way::Restart]
        .into_iter()
        .map(|way| {
            let mut w = double(Policy::default());
            let mut p = w.submitted("zhou");
            w.approve(&mut p, &["ann", "bo", "cy"]);
            w.act(&mut p, "eve", Order::SendBack { to: BackTo::Requester, way }).unwrap();
            w.set("amount", Fact::Amount(money(40_000)));
            w.act(&mut p, "zhou", Order::ChangeFacts).unwrap();
            w.act(&mut p, "zhou", Order::Resubmit).unwrap();
            p.standing().unwrap().clone()
        })
        .collect();
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0].token.state, state("first"));
}

#[test]
fn without_a_change_resume_goes_straight_back_to_the_sender() {
    let mut w = double(Policy::default());
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann", "bo", "cy"]);
    let back = Order::SendBack { to: BackTo::Requester, way: Way::Resume };
    w.act(&mut p, "eve", back).unwrap();
    assert_eq!(w.act(&mut p, "ann", Order::Resubmit), Err(Refusal::RequesterOnly));
    assert_eq!(
        w.act(&mut p, "eve", Order::Approve { comment: String::new() }),
        Err(Refusal::WithRequester)
    );
    w.act(&mut p, "zhou", Order::Resubmit).unwrap();
    assert_eq!((here(&p), p.standing().unwrap().passed.len()), ("second", 1));
}

/// WFL-22: passing the same person never rests on that approval itself or on a void vote.
#[test]
fn a_node_sent_back_to_does_not_pass_itself() {
    // P5: the person sent back to has to decide again.
    let policy = Policy { same_person: SamePersonRule::Any, ..Policy::default() };
    let first = Approval::new(Mode::Any, ["finance"]);
    let mut w = World::new(
        crate::common::facts(WorkflowBuilder::new("same", 1))
            .approval("one", first.clone(), |s| {
                s.approved("two").rejected("no").waits_because("staffed")
            })
            .approval("two", Approval::new(Mode::Any, ["board"]), |s| {
                s.approved("three").rejected("no").waits_because("staffed")
            })
            .approval("three", first, |s| s.approved("yes").rejected("no").waits_because("staffed"))
            .end("yes", "yes")
            .end("no", "no")
            .policy(policy),
    );
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["eve"]);
    let back = Order::SendBack { to: BackTo::Node(state("one")), way: Way::Restart };
    w.act(&mut p, "gil", back).unwrap();
    assert_eq!(here(&p), "one"); // not passed by the vote that was just voided
    w.approve(&mut p, &["eve", "gil"]);
    assert_eq!(here(&p), "yes"); // three passes: eve approved one in this round
    let passing: Vec<_> =
        w.log.iter().filter(|e| e.actor == Actor::System(Cause::SamePerson)).collect();
    assert!(passing.iter().any(|e| matches!(e.body, Change::Voted { .. })));
}

/// WFL-23: a withdrawn case accepts nothing but copies.
#[test]
fn withdrawing_ends_the_case() {
    let mut w = double(Policy { withdraw: WithdrawRule::BeforeFirstVote, ..Policy::default() });
    let mut p = w.submitted("zhou");
    assert_eq!(w.act(&mut p, "ann", Order::Withdraw), Err(Refusal::RequesterOnly));
    let mut voted = p.clone();
    w.act(&mut voted, "ann", Order::Approve { comment: String::new() }).unwrap();
    assert_eq!(w.act(&mut voted, "zhou", Order::Withdraw), Err(Refusal::VotedAlready));
    w.act(&mut p, "zhou", Order::Withdraw).unwrap();
    assert_eq!(*phase(&p), Phase::Withdrawn);
    for order in w.orders(&p) {
        let outcome = w.act(&mut p, "ann", order.clone());
        match order {
            Order::Copy { .. } => assert!(outcome.is_ok()),
            Order::Submit { .. } => assert_eq!(outcome, Err(Refusal::AlreadySubmitted)),
            _ => assert_eq!(outcome, Err(Refusal::Over), "{order:?}"),
        }
    }
}

#[test]
fn the_last_approver_takes_back_while_nobody_has_voted_since() {
    let mut w =
        double_of(rules(Mode::Any), Approval::new(Mode::All, ["finance"]), Policy::default());
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann"]);
    assert_eq!(w.act(&mut p, "bo", Order::TakeBack), Err(Refusal::NothingToTakeBack));
    w.act(&mut p, "ann", Order::TakeBack).unwrap();
    let s = p.standing().unwrap();
    assert_eq!((here(&p), s.round, s.passed.len()), ("first", 2, 0));
    w.approve(&mut p, &["ann", "eve"]);
    assert_eq!(w.act(&mut p, "ann", Order::TakeBack), Err(Refusal::NothingToTakeBack));
}

#[test]
fn a_small_amount_passes_by_rule_with_both_limits() {
    let small = SmallAmount {
        rule: aftersale::id::RuleId::new("small").unwrap(),
        at_most: money(20_000),
        running: Some(RunningTotal { fact: fact("granted"), below: money(50_000) }),
    };
    let cases = [(20_000, 0, true), (20_001, 0, false), (20_000, 49_999, true), (1, 50_000, false)];
    for (amount, granted, passes) in cases {
        let rule = rules(Mode::All).with(|r| r.small = Some(small.clone()));
        let mut w = single(rule, Policy::default());
        w.set("amount", Fact::Amount(money(amount)));
        w.set("granted", Fact::Amount(money(granted)));
        let p = w.submitted("zhou");
        assert_eq!(here(&p) == "paid", passes, "{amount} with {granted}");
        let ruled = w
            .log
            .iter()
            .any(|e| matches!(&e.actor, Actor::System(Cause::Rule(r)) if r.as_str() == "small"));
        assert_eq!(ruled, passes);
    }
}

#[test]
fn a_changed_amount_voids_approvals_unless_only_increases_do() {
    for (rule, amount, restarts) in [
        (ReapproveRule::AnyChange, 29_999, true),
        (ReapproveRule::Increase, 29_999, false),
        (ReapproveRule::Increase, 30_001, true),
    ] {
        let mut w = double(Policy { reapprove: rule, ..Policy::default() });
        let mut p = w.submitted("zhou");
        w.approve(&mut p, &["ann", "bo", "cy"]);
        assert_eq!(w.act(&mut p, "zhou", Order::ChangeFacts), Err(Refusal::NothingChanged));
        w.set(
            "amount",
            Fact::Amount(
                aftersale::money::Money::parse("300.0", aftersale::money::currency::Currency::CNY)
                    .unwrap(),
            ),
        );
        assert_eq!(w.act(&mut p, "zhou", Order::ChangeFacts), Err(Refusal::NothingChanged));
        w.set("amount", Fact::Amount(money(amount)));
        let undeclared = w.act(&mut p, "eve", Order::Approve { comment: String::new() });
        assert_eq!(undeclared, Err(Refusal::FactsDiffer { fact: fact("amount") }));
        w.act(&mut p, "zhou", Order::ChangeFacts).unwrap();
        let s = p.standing().unwrap();
        assert_eq!(s.passed.is_empty(), restarts);
        assert_eq!(s.round, if restarts { 2 } else { 1 });
        assert_eq!(here(&p), if restarts { "first" } else { "second" });
    }
}

#[test]
fn four_eyes_hold_at_every_door() {
    let mut w =
        double_of(rules(Mode::Any), Approval::new(Mode::Any, ["finance"]), Policy::default());
    w.directory = w.directory.with_role(role("finance"), ["ann", "eve"].map(person));
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann"]);
    assert_eq!(seats(&p), [("eve".to_owned(), Status::Active)]); // ann is left out at second
    let add = |place| Order::Add { place, people: vec![person("ann")] };
    for order in [
        Order::Transfer { to: person("ann") },
        Order::AskOpinion { of: person("ann") },
        add(Beside::Before),
        add(Beside::After),
        add(Beside::Parallel),
    ] {
        let refused = w.act(&mut p, "eve", order);
        assert!(matches!(refused, Err(Refusal::DutyConflict { .. })), "{refused:?}");
    }
}

#[test]
fn limits_bind_approvals_and_not_rejections() {
    let mut w = single(rules(Mode::Any), Policy::default());
    w.directory = w
        .directory
        .with_person(person("dan"), Person { limit: Some(money(29_999)), ..Person::default() });
    let mut p = w.submitted("zhou");
    w.act(&mut p, "ann", Order::Transfer { to: person("dan") }).unwrap();
    let refused = w.act(&mut p, "dan", Order::Approve { comment: String::new() });
    assert_eq!(
        refused,
        Err(Refusal::ExceedsLimit { person: person("dan"), amount: money(30_000) })
    );
    w.act(&mut p, "dan", Order::Reject { comment: String::new() }).unwrap();
    assert_eq!(here(&p), "declined");
}

#[test]
fn a_timer_acts_before_a_command_of_the_same_instant() {
    for (then, end) in [(TimeoutAction::Approve, "paid"), (TimeoutAction::Reject, "declined")] {
        let mut w = single(rules(Mode::Any).timeout(Span::hours(4), then), Policy::default());
        let p0 = w.submitted("zhou");
        let due = p0.next_deadline().unwrap();
        w.now = due - chrono::TimeDelta::microseconds(1);
        let in_time = w.command("ann", Order::Approve { comment: String::new() });
        assert!(p0.decide(&w.context(), &in_time).is_ok());
        let mut p = p0;
        w.now = due;
        let late = w.act(&mut p, "ann", Order::Approve { comment: String::new() });
        assert_eq!(late, Err(Refusal::Over));
        w.tick(&mut p, due);
        assert_eq!(here(&p), end);
        // P6: the system never acts in a person's name.
        let vote = w.log.iter().find(|e| matches!(e.body, Change::Voted { .. })).unwrap();
        assert_eq!(vote.actor, Actor::System(Cause::Timeout));
    }
}

#[test]
fn a_silent_seat_is_reminded_then_handed_over_or_reported() {
    let rule = rules(Mode::Any)
        .timeout(Span::hours(2), TimeoutAction::Remind { times: 2 })
        .timeout(Span::hours(10), TimeoutAction::HandOver { role: role("board") });
    let mut w = single(rule.clone(), Policy::default());
    w.directory = w.directory.with_role(role("service"), [person("ann")]);
    let mut p = w.submitted("zhou");
    let mut acts = vec![];
    while let Some(due) = p.next_deadline().filter(|due| *due < at(15 * 3_600)) {
        w.tick(&mut p, due);
        acts.push((due, w.log.last().unwrap().body.clone()));
    }
    let kinds: Vec<_> = acts
        .iter()
        .map(|(due, body)| {
            let hour = (*due - at(0)).num_hours();
            match body {
                Change::SeatReminded { .. } => (hour, "reminded"),
                Change::HandedOver { .. } => (hour, "handed over"),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    // The clock starts again with the new holder.
    assert_eq!(
        kinds,
        [(2, "reminded"), (4, "reminded"), (10, "handed over"), (12, "reminded"), (14, "reminded")]
    );
    assert_eq!(seats(&p), [("gil".to_owned(), Status::Active)]);
    // Nobody who may have it: reported, and nothing else happens.
    let mut w = single(rule, Policy::default());
    w.directory = w.directory.with_role(role("board"), [person("zhou")]);
    let mut p = w.submitted("zhou");
    w.tick(&mut p, at(11 * 3_600));
    let stuck = w.log.iter().filter(|e| matches!(e.body, Change::TimeoutStuck { .. })).count();
    assert_eq!((stuck, seats(&p).len()), (3, 3));
}

/// WFL-28: a seat that waits for added signers loses no time: its active time never exceeds the limit.
#[test]
fn a_held_seat_keeps_what_was_left() {
    let rule = rules(Mode::Any).timeout(Span::hours(10), TimeoutAction::Reject);
    let mut w = single(rule, Policy::default());
    w.directory = w.directory.with_role(role("service"), [person("ann")]);
    let mut p = w.submitted("zhou");
    w.now = at(4 * 3_600);
    w.act(&mut p, "ann", Order::Add { place: Beside::Before, people: vec![person("dan")] })
        .unwrap();
    let held = &p.standing().unwrap().node.as_ref().unwrap().seats[0];
    assert_eq!((held.status, held.timers[0].run), (Status::Held, Run::Left(6 * 3_600)));
    w.now = at(9 * 3_600); // P8: the added signer has a clock of their own, until 14 o'clock
    w.approve(&mut p, &["dan"]);
    assert_eq!(p.next_deadline(), Some(at(15 * 3_600))); // 4 hours used, 6 left from 9 o'clock
    w.tick(&mut p, at(15 * 3_600));
    assert_eq!(here(&p), "declined");
}

#[test]
fn commands_are_remembered_and_versions_guarded() {
    let mut w = single(rules(Mode::All), Policy::default());
    let mut p = w.submitted("zhou");
    let approve = w.command("ann", Order::Approve { comment: "fine".into() });
    let first = p.decide(&w.context(), &approve).unwrap();
    w.apply(&mut p, &first);
    let again = p.decide(&w.context(), &approve).unwrap();
    assert!(again.entries.is_empty());
    let span = again.repeats.unwrap();
    assert_eq!((span.first, span.last), (first.entries[0].seq, first.entries.last().unwrap().seq));
    let mut other = approve.clone();
    other.order = Order::Reject { comment: "fine".into() };
    let conflict = p.decide(&w.context(), &other);
    assert!(matches!(conflict, Err(Refusal::Journal(JournalRefusal::CommandConflict { .. }))));
    let mut stale = w.command("bo", Order::Approve { comment: String::new() });
    stale.expected_version = Some(p.version() - 1);
    let refused = p.decide(&w.context(), &stale);
    assert!(matches!(refused, Err(Refusal::Journal(JournalRefusal::Stale { .. }))));
    stale.expected_version = Some(p.version());
    assert!(p.decide(&w.context(), &stale).is_ok()); // refusals are not remembered
}

/// The version compared is the stored one: a timer that is due and not stored yet makes nobody stale, and
/// the command is judged on the case as the timer leaves it.
#[test]
fn a_due_timer_makes_nobody_stale_until_it_is_stored() {
    let rule = rules(Mode::Any)
        .timeout(Span::hours(2), TimeoutAction::Remind { times: 1 })
        .timeout(Span::hours(10), TimeoutAction::Reject);
    let w = &mut single(rule, Policy::default());
    let mut p = w.submitted("zhou");
    w.now = at(3 * 3_600);
    let mut approve = w.command("ann", Order::Approve { comment: String::new() });
    approve.expected_version = Some(p.version());
    let decision = p.decide(&w.context(), &approve).unwrap();
    assert!(matches!(decision.entries[0].body, Change::SeatReminded { .. }));
    // Once the reminder is stored, the sender has to look again.
    let before = p.version();
    w.tick(&mut p, at(3 * 3_600));
    let refused = p.decide(&w.context(), &approve);
    let stale = JournalRefusal::Stale { expected: before, found: p.version() };
    assert_eq!(refused, Err(Refusal::Journal(stale)));
    // Too late is refused for what happened, not for a number.
    let mut late = w.command("ann", Order::Approve { comment: String::new() });
    (late.at, late.expected_version) = (at(11 * 3_600), Some(p.version()));
    assert_eq!(p.decide(&w.context(), &late), Err(Refusal::Over));
}

#[test]
fn the_window_of_commands_is_bounded_and_replays() {
    let policy = Policy { commands_kept: 8, ..Policy::default() };
    let mut w = double(policy);
    let mut p = w.submitted("zhou");
    for _ in 0..60 {
        w.act(&mut p, "ann", Order::Copy { to: vec![person("dan")] }).unwrap();
        assert!(p.journal().remembered() <= 8);
    }
    assert!(w.log.iter().any(|e| matches!(e.body, Change::CommandsForgotten { .. })));
    assert_eq!(Process::replay(&w.log).unwrap(), p);
}

#[test]
fn only_a_vote_leaves_an_approval_by_its_outcome() {
    let mut w = double(Policy::default());
    let mut p = w.submitted("zhou");
    for event in ["approved", "rejected"] {
        let event = aftersale::workflow::EventName::new(event).unwrap();
        assert!(matches!(
            w.act(&mut p, "ann", Order::Fire { event }),
            Err(Refusal::ByVoteOnly { .. })
        ));
    }
}

#[test]
fn the_route_is_told_before_submitting() {
    let w = double(Policy::default());
    let stops = forecast(&w.context(), &person("zhou"), at(0)).unwrap();
    let names: Vec<_> = stops.iter().map(|stop| stop.state.as_str()).collect();
    assert_eq!(names, ["first", "second", "goods", "paid"]);
    let Expected::Asked { seats, .. } = &stops[0].expected else { panic!() };
    assert_eq!(seats.len(), 3);
}

#[test]
fn rounds_are_capped() {
    let mut w = double(Policy { rounds_max: 3, ..Policy::default() });
    let mut p = w.submitted("zhou");
    let back = || Order::SendBack { to: BackTo::Requester, way: Way::Restart };
    for round in 0..3 {
        w.act(&mut p, "ann", back()).unwrap();
        w.act(&mut p, "zhou", Order::Resubmit).unwrap_or_else(|e| panic!("{round}: {e}"));
    }
    w.act(&mut p, "ann", back()).unwrap();
    let refused = w.act(&mut p, "zhou", Order::Resubmit);
    assert_eq!(refused, Err(Refusal::TooManyRounds { rounds: 3 }));
    w.act(&mut p, "zhou", Order::Withdraw).unwrap();
}

#[test]
fn the_requester_may_be_replaced_or_allowed_where_the_definition_says_so() {
    let replace = RequesterRule::Replace { role: role("board") };
    let mut w = single(rules(Mode::All).with(|r| r.requester = replace), Policy::default());
    w.directory = w.directory.with_role(role("service"), ["zhou", "ann"].map(person));
    let names: Vec<_> = seats(&w.submitted("zhou")).into_iter().map(|s| s.0).collect();
    assert_eq!(names, ["gil", "ann"]);
    let rule = rules(Mode::All).with(|r| r.requester = RequesterRule::Allowed);
    let mut w = single(rule, Policy::default());
    w.directory = w.directory.with_role(role("service"), [person("zhou")]);
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["zhou"]);
    assert_eq!(here(&p), "paid");
}

// ---------------------------------------------------------------- random histories

/// A world with every feature at once.
fn rich(mode: Mode, same_person: SamePersonRule) -> World {
    let first = rules(mode)
        .timeout(Span::hours(3), TimeoutAction::Remind { times: 2 })
        .timeout(Span::hours(9), TimeoutAction::HandOver { role: role("board") })
        .timeout(Span::business_hours(20), TimeoutAction::Reject);
    let second = Approval::new(Mode::All, ["finance", "service"])
        .timeout(Span::hours(30), TimeoutAction::SendBack)
        .with(|r| {
            r.copies.insert(RoleCode::new("board").unwrap());
        });
    let policy = Policy {
        same_person,
        transfers_max: 2,
        seats_max: 8,
        rounds_max: 4,
        commands_kept: 12,
        ..Policy::default()
    };
    let mut w = double_of(first, second, policy);
    w.directory = w
        .directory
        .with_person(person("cy"), Person { limit: Some(money(31_000)), ..Person::default() });
    w
}

fn check_step(w: &World, before: &Process, after: &Process, from: usize) {
    let (mut live, mut rounds) = (before.clone(), before.standing().map_or(1, |s| s.round));
    for entry in &w.log[from..] {
        let old = live.standing().cloned();
        live.evolve(entry).unwrap();
        let now = live.standing().unwrap();
        assert!(now.round >= rounds, "rounds decrease");
        rounds = now.round;
        if let (Change::Voted { seat, .. }, Some(old)) = (&entry.body, &old) {
            let seat = &old.node.as_ref().unwrap().seats[usize::from(*seat)];
            match &entry.actor {
                Actor::Human { person, .. } => {
                    assert_eq!((seat.status, &seat.holder), (Status::Active, person));
                }
                Actor::System(cause) => {
                    assert!(matches!(cause, Cause::Timeout | Cause::SamePerson));
                }
            }
        }
        if let (Change::Voted { vote, .. }, Actor::Human { person, .. }) =
            (&entry.body, &entry.actor)
            && *vote == aftersale::approval::node::Vote::Approve
        {
            assert_ne!(person.as_str(), "zhou", "the requester approved");
            let Some(Fact::Amount(amount)) = now.facts.facts().get(&fact("amount")) else {
                panic!("no amount")
            };
            assert!(w.directory.may_approve(person, *amount), "beyond the limit");
        }
        if entry.command.is_none() {
            assert!(matches!(entry.actor, Actor::System(_)), "time acts as the system");
        }
        if let Change::SentBack { to: BackTo::Node(to), .. } = &entry.body {
            let old = old.as_ref().unwrap();
            assert!(old.passed_before().any(|passed| passed.state == *to));
        }
        if let Some(node) = &now.node
            && node.mode == Mode::Sequence
        {
            let active = node.seats.iter().filter(|s| {
                s.serves().is_none() && matches!(s.status, Status::Active | Status::Held)
            });
            assert!(active.count() <= 1, "two at once in a sequence");
        }
        let over = matches!(now.phase, Phase::Done | Phase::Withdrawn);
        if over {
            assert!(now.node.is_none() && now.token.timers.is_empty());
            assert_eq!(live.next_deadline(), None);
        }
        let people = |name: &str| -> BTreeSet<_> {
            let passed = now.passed.iter().filter(|p| !p.void && p.state.as_str() == name);
            passed.flat_map(|p| &p.people).map(|a| a.person.clone()).collect()
        };
        assert!(people("first").is_disjoint(&people("second")), "one person approved both");
    }
    assert_eq!(live, *after);
}

fn play(seed: u64, steps: usize, mut each: impl FnMut(&mut World, &mut Process, &mut Dice)) {
    let mut dice = Dice::new(seed);
    let mode = [
        Mode::Any,
        Mode::All,
        Mode::Sequence,
        Mode::Count(2),
        Mode::Ratio(Ratio::new(2, 3).unwrap()),
    ][dice.roll(5)];
    let same = [SamePersonRule::Off, SamePersonRule::Adjacent, SamePersonRule::Any][dice.roll(3)];
    let mut w = rich(mode, same);
    let mut p = w.submitted("zhou");
    for _ in 0..steps {
        let orders = w.orders(&p);
        let order = orders[dice.roll(orders.len())].clone();
        let actor = w.somebody(&p, &mut dice);
        let actor = actor.as_str();
        if dice.roll(6) == 0 {
            w.now += chrono::TimeDelta::minutes(dice.roll(400) as i64);
        }
        if order == Order::ChangeFacts && dice.roll(3) == 0 {
            w.set("amount", Fact::Amount(money(30_000 + dice.roll(3) as i64 * 1_000)));
        }
        if matches!(order, Order::Withdraw) && dice.roll(20) != 0 {
            continue;
        }
        let (before, from) = (p.clone(), w.log.len());
        if w.act(&mut p, actor, order).is_err() {
            assert_eq!(p, before); // WFL-32
            w.undeclare(&p);
        }
        check_step(&w, &before, &p, from);
        each(&mut w, &mut p, &mut dice);
        if matches!(p.standing().unwrap().phase, Phase::Done | Phase::Withdrawn) {
            break;
        }
    }
}

/// WFL-12: every vote belongs to who held the seat.
/// WFL-13: the requester never approves, over all sequences of commands.
/// WFL-14: approvals kept apart never share an approver in a round.
/// WFL-15: nobody approves an amount above their limit.
/// WFL-16: every automatic decision has the system as its actor, and a cause.
/// WFL-11: in a sequence at most one seat of the rule is active.
/// WFL-21: at most one approval is open, and nothing remains open after the end.
/// WFL-24: rounds never decrease.
/// WFL-31: applying the entries of a decision gives the state that was decided.
/// WFL-32: a refusal changes nothing.
#[test]
fn random_histories_keep_the_duties() {
    let mut ends = BTreeMap::new();
    for seed in 0..200 {
        let mut last = None;
        play(seed, 100, |_, p, _| last = Some(here(p).to_owned()));
        *ends.entry(last.unwrap()).or_insert(0) += 1;
    }
    assert!(ends.len() >= 4, "{ends:?}"); // the histories go to many places
}

/// WFL-17: an order is allowed exactly when it is accepted.
#[test]
fn allowed_orders_are_the_accepted_ones() {
    for seed in 0..25 {
        play(seed, 20, |w, p, dice| {
            let actor = person(crate::common::STAFF[dice.roll(crate::common::STAFF.len())]);
            let colleagues: Vec<_> = crate::common::STAFF.iter().map(|name| person(name)).collect();
            for (order, refusal) in p.allowed(&w.context(), &actor, &colleagues, w.now) {
                let command = w.command(actor.as_str(), order);
                assert_eq!(p.decide(&w.context(), &command).err(), refusal);
            }
        });
    }
}

/// WFL-25: asking twice for what time did is asking once, at the later time.
/// WFL-26: a command at an instant is a tick at that instant and then the command.
/// WFL-27: the next deadline is the least instant at which time changes the case.
/// WFL-29: no timer acts twice, and the effects of a replay have the same ids.
#[test]
fn time_acts_once_and_at_its_own_instants() {
    for seed in 1_000..1_060 {
        play(seed, 25, |w, p, dice| {
            let (t1, t2) = (dice.roll(3_000) as i64, dice.roll(3_000) as i64);
            let (t1, t2) = (t1.min(t2), t1.max(t2));
            let orders = w.orders(p);
            let order = orders[dice.roll(orders.len())].clone();
            let actor = crate::common::STAFF[dice.roll(crate::common::STAFF.len())];
            let command = w.command(actor, order);
            w.time_acts_once(p, (t1, t2), command);
            let case = &p.standing().unwrap().case;
            let ids: Vec<_> =
                w.log.iter().flat_map(|e| effects(case, e)).map(|e| (e.seq, e.number)).collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        });
    }
}

/// WFL-30: equal inputs give equal decisions.
/// WFL-33: the same command twice is the same command once; with another body it is refused.
/// WFL-34: of two commands meant for one version exactly one is accepted.
/// WFL-35: replaying in any split gives the same state.
/// WFL-43: definitions, entries and states survive being stored; unknown fields are refused.
#[test]
fn stored_histories_are_the_same_case() {
    for seed in 2_000..2_060 {
        let mut last = None;
        play(seed, 25, |w, p, dice| {
            let orders = w.orders(p);
            let order = orders[dice.roll(orders.len())].clone();
            let actor = crate::common::STAFF[dice.roll(crate::common::STAFF.len())];
            let mut command = w.command(actor, order);
            command.expected_version = Some(p.version());
            let (one, two) = (p.decide(&w.context(), &command), p.decide(&w.context(), &command));
            assert_eq!(one, two);
            if let Ok(decision) = one {
                let mut q = p.clone();
                decision.entries.iter().for_each(|e| q.evolve(e).unwrap());
                let again = q.decide(&w.context(), &command).unwrap();
                assert!(again.entries.is_empty() && again.repeats.is_some());
                let mut rival = w.command(actor, command.order.clone());
                rival.expected_version = Some(p.version());
                let stale = q.decide(&w.context(), &rival);
                assert!(matches!(stale, Err(Refusal::Journal(JournalRefusal::Stale { .. }))));
            }
            last = Some((w.log.clone(), p.clone()));
        });
        let (log, live) = last.unwrap();
        let text = serde_json::to_string(&log).unwrap();
        let stored: Vec<aftersale::workflow::journal::Entry<Change>> =
            serde_json::from_str(&text).unwrap();
        assert_eq!(stored, log);
        for split in [0, log.len() / 3, log.len() / 2, log.len()] {
            let snapshot = Process::replay(&stored[..split]).unwrap();
            let snapshot = serde_json::to_string(&snapshot).unwrap();
            let mut process: Process = serde_json::from_str(&snapshot).unwrap();
            stored[split..].iter().for_each(|e| process.evolve(e).unwrap());
            assert_eq!(process, live);
            assert_eq!(process.fingerprint(), live.fingerprint());
        }
        let spoilt = text.replacen("\"seq\":1,", "\"seq\":1,\"colour\":1,", 1);
        assert!(
            serde_json::from_str::<Vec<aftersale::workflow::journal::Entry<Change>>>(&spoilt)
                .is_err()
        );
    }
}

#[test]
fn a_corrupt_history_is_refused_and_changes_nothing() {
    let mut w = single(rules(Mode::All), Policy::default());
    let mut p = w.submitted("zhou");
    w.approve(&mut p, &["ann"]);
    let mut gap = w.log.clone();
    gap.remove(1);
    assert!(Process::replay(&gap).is_err());
    let mut swapped = w.log.clone();
    swapped.swap(0, 1);
    assert!(Process::replay(&swapped).is_err());
    let mut unknown = w.log.clone();
    unknown[0].schema = 9;
    assert!(Process::replay(&unknown).is_err());
    let mut wild = w.log.last().unwrap().clone();
    wild.seq = p.version() + 1;
    wild.body = Change::SeatRemoved { seat: 99, tally: Tally::default() };
    let before = p.clone();
    assert!(p.evolve(&wild).is_err());
    assert_eq!(p, before);
}

// ---------------------------------------------------------------- every state of a small approval

/// WFL-47: in every state that an approval of three people can reach with all commands, some verdict,
/// or the requester, can still end it, and the duties hold.
#[test]
fn every_state_of_a_three_person_approval_can_still_end() {
    for (name, mode) in [
        ("any", Mode::Any),
        ("all", Mode::All),
        ("sequence", Mode::Sequence),
        ("two of them", Mode::Count(2)),
    ] {
        let policy = Policy { transfers_max: 1, seats_max: 4, rounds_max: 1, ..Policy::default() };
        let mut w = single(rules(mode), policy);
        let start = w.submitted("zhou");
        let actors = ["ann", "bo", "cy", "dan", "zhou"];
        let mut known = BTreeMap::new();
        let mut states: Vec<Process> = vec![start];
        let mut next: Vec<Vec<usize>> = vec![];
        known.insert(fingerprint(states[0].standing().unwrap()), 0);
        let mut at = 0;
        while at < states.len() {
            let p = states[at].clone();
            let mut follows = BTreeSet::new();
            for actor in actors {
                for order in explored() {
                    let command = w.command(actor, order);
                    let Ok(decision) = p.decide(&w.context(), &command) else { continue };
                    let mut q = p.clone();
                    decision.entries.iter().for_each(|e| q.evolve(e).unwrap());
                    let s = q.standing().unwrap();
                    let voters = s.passed.iter().flat_map(|p| &p.people);
                    assert!(voters.map(|a| a.person.as_str()).all(|name| name != "zhou"));
                    let id = *known.entry(fingerprint(s)).or_insert_with(|| {
                        states.push(q.clone());
                        states.len() - 1
                    });
                    follows.insert(id);
                }
            }
            next.push(follows.into_iter().collect());
            at += 1;
            assert!(states.len() < 60_000, "the space is not finite");
        }
        // Backwards from the ends: every state must be met. Withdrawal alone does not count.
        let mut ends: BTreeSet<usize> =
            (0..states.len()).filter(|&s| *phase(&states[s]) == Phase::Done).collect();
        loop {
            let more: Vec<usize> = (0..states.len())
                .filter(|s| !ends.contains(s) && next[*s].iter().any(|t| ends.contains(t)))
                .collect();
            if more.is_empty() {
                break;
            }
            ends.extend(more);
        }
        let lost: Vec<_> = (0..states.len())
            .filter(|s| !ends.contains(s))
            .filter(|&s| !matches!(phase(&states[s]), Phase::Withdrawn | Phase::Returned { .. }))
            .collect();
        let steps: usize = next.iter().map(Vec::len).sum();
        println!("{name}: {} states, {steps} steps", states.len());
        assert!(lost.is_empty(), "{name}: {:#?}", states[lost[0]].standing());
        assert!(states.len() > 100);
    }
}

fn explored() -> Vec<Order> {
    let dan = || person("dan");
    let mut orders = vec![
        Order::Approve { comment: String::new() },
        Order::Reject { comment: String::new() },
        Order::Transfer { to: dan() },
        Order::AskOpinion { of: dan() },
        Order::GiveOpinion { opinion: String::new() },
        Order::RecallOpinion,
        Order::Remove { person: dan() },
        Order::Resubmit,
        Order::Withdraw,
        Order::TakeBack,
        Order::SendBack { to: BackTo::Requester, way: Way::Restart },
        Order::SendBack { to: BackTo::Requester, way: Way::Resume },
    ];
    for place in [Beside::Before, Beside::After, Beside::Parallel] {
        orders.push(Order::Add { place, people: vec![dan()] });
    }
    orders
}

#[test]
fn effects_tell_the_host_what_to_do() {
    let mut w = double(Policy::default());
    let mut p = w.submitted("zhou");
    let case = p.standing().unwrap().case.clone();
    let bodies: Vec<_> = w.log.iter().flat_map(|e| effects(&case, e)).map(|e| e.body).collect();
    let asked = bodies.iter().filter(|b| matches!(b, EffectBody::AskDecision(_))).count();
    assert_eq!((asked, &bodies[0]), (3, &EffectBody::Entered(state("first"))));
    let from = w.log.len();
    w.act(&mut p, "zhou", Order::Withdraw).unwrap();
    assert_eq!(effects(&case, &w.log[from])[0].body, EffectBody::Stopped);
    let moved = w.log.iter().find_map(|e| match &e.body {
        Change::Moved { by, .. } => Some(by),
        _ => None,
    });
    assert_eq!(moved, Some(&MovedBy::Start));
    let _: (&StateId, &Facts) = (&state("first"), &w.facts);
}
