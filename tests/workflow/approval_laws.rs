//! The laws of approval over random procedures, random people and every kind of command, against a
//! ledger that is kept from the entries alone.
#![allow(clippy::type_complexity, reason = "types of a test are read once")]

use std::collections::{BTreeMap, BTreeSet};

use crate::common::desks::{APPROVALS, Taste, accepted, any_order, is_over, play, republish};
use crate::common::{Dice, STAFF, World, fact, money, person, state};
use aftersale::approval::change::{BackTo, Change, MovedBy, Way};
use aftersale::approval::command::Order;
use aftersale::approval::node::{Beside, Origin, Run, Seat, Status, Verdict, Vote};
use aftersale::approval::process::Process;
use aftersale::approval::refusal::Refusal;
use aftersale::approval::standing::{Phase, Standing};
use aftersale::explain::Fact;
use aftersale::id::ActorId;
use aftersale::workflow::StateId;
use aftersale::workflow::definition::StateKind;
use aftersale::workflow::journal::{Actor, Cause, Entry};
use aftersale::workflow::rule::{ApprovalRule, Mode, RequesterRule, SamePersonRule, WithdrawRule};
use aftersale::workflow::span::Clock;

const ALL: Taste = Taste { events_back: true, caps: None };

fn standing(p: &Process) -> &Standing {
    p.standing().unwrap()
}

fn rule<'a>(w: &'a World, state: &StateId) -> Option<&'a ApprovalRule> {
    match &w.workflow.find(state)?.kind {
        StateKind::Approval(rule) => Some(rule),
        _ => None,
    }
}

// ---------------------------------------------------------------- the ledger

/// One approval of the round, as somebody with a pencil would note it.
#[derive(Clone, Debug, PartialEq)]
struct Given {
    state: StateId,
    counts: bool,
    people: BTreeSet<ActorId>,
}

/// What was approved, kept from the entries by the rules of the guide alone.
#[derive(Clone, Debug, Default)]
struct Ledger {
    given: Vec<Given>,
    /// The human votes for the open approval, by seat.
    yes: BTreeMap<u16, ActorId>,
    open: Option<StateId>,
    here: Option<StateId>,
}

impl Ledger {
    fn place(&self, state: &StateId) -> usize {
        self.given.iter().position(|g| g.state == *state).unwrap_or(self.given.len())
    }

    /// The approvals before the present state that count.
    fn before(&self) -> Vec<&Given> {
        let place = self.here.as_ref().map_or(0, |here| self.place(here));
        self.given[..place].iter().filter(|g| g.counts).collect()
    }

    fn counting(&self) -> Vec<(StateId, BTreeSet<ActorId>)> {
        let counting = self.given.iter().filter(|g| g.counts);
        counting.map(|g| (g.state.clone(), g.people.clone())).collect()
    }

    fn note(&mut self, entry: &Entry<Change>) {
        match &entry.body {
            Change::NodeOpened { state, .. } => {
                assert_eq!(self.open, None, "two approvals open");
                self.open = Some(state.clone());
                self.yes.clear();
            }
            Change::Voted { seat, vote: Vote::Approve, .. } => {
                if let Actor::Human { person, .. } = &entry.actor {
                    self.yes.insert(*seat, person.clone());
                }
            }
            Change::NodeDecided { state, verdict, .. } => {
                let people = std::mem::take(&mut self.yes).into_values().collect();
                self.open = None;
                if *verdict == Verdict::Approved {
                    let given = Given { state: state.clone(), counts: true, people };
                    let place = self.place(state);
                    if place < self.given.len() {
                        self.given[place] = given;
                    } else {
                        self.given.push(given);
                    }
                }
            }
            Change::SentBack { to, way, .. } => {
                self.open = None;
                match (to, way) {
                    (BackTo::Requester, Way::Restart) => self.given.clear(),
                    (BackTo::Requester, Way::Resume) => {}
                    (BackTo::Node(target), Way::Restart) => {
                        let place = self.place(target);
                        self.given.truncate(place);
                    }
                    (BackTo::Node(target), Way::Resume) => {
                        let place = self.place(target);
                        self.given[place].counts = false;
                        self.given[place].people.clear();
                    }
                }
            }
            Change::FactsChanged { restarts: true, .. } => {
                self.open = None;
                self.given.clear();
            }
            Change::Moved { by, moved, .. } => {
                self.open = None;
                self.yes.clear();
                self.here = Some(moved.to.state.clone());
                if !matches!(by, MovedBy::SentBack | MovedBy::Resumed) {
                    let place = self.place(&moved.to.state);
                    self.given.truncate(place);
                }
            }
            Change::Stuck { .. } | Change::Withdrawn | Change::TakenBack { .. } => self.open = None,
            _ => {}
        }
    }
}

/// Follows a history entry by entry: `each` sees the ledger and the case before and after.
fn follow(
    log: &[Entry<Change>],
    mut each: impl FnMut(&Ledger, &Process, &Entry<Change>, &Ledger, &Process),
) {
    let (mut ledger, mut p) = (Ledger::default(), Process::default());
    for entry in log {
        let (old, was) = (ledger.clone(), p.clone());
        ledger.note(entry);
        p.evolve(entry).unwrap();
        each(&old, &was, entry, &ledger, &p);
    }
}

/// The logs of many random histories, with their worlds.
fn histories(seeds: std::ops::Range<u64>, steps: usize) -> Vec<(World, Process)> {
    seeds.filter_map(|seed| play(seed, steps, ALL, |_, _, _, _| {})).collect()
}

fn seats_that_count(seats: &[Seat]) -> u32 {
    let counts = |seat: &&Seat| {
        seat.status != Status::Removed
            && match seat.origin {
                Origin::Assigned { .. } => true,
                Origin::Added { place, .. } => place == Beside::Parallel,
            }
    };
    seats.iter().filter(counts).count() as u32
}

/// WFL-7: transfer and delegation leave the number of seats, the number needed and all other seats as
/// they are.
/// WFL-8: signers before or after leave the count; signers beside raise it by their number.
/// WFL-10: removing a signer never casts a vote.
#[test]
fn seats_change_only_as_stated() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (w, _) in histories(0..150, 60) {
        follow(&w.log, |_, was, entry, _, now| {
            let nodes = |p: &Process| p.standing().and_then(|s| s.node.clone());
            let (Some(was), Some(now)) = (nodes(was), nodes(now)) else { return };
            let count = (seats_that_count(&was.seats), seats_that_count(&now.seats));
            let others_stay = |seat: usize| {
                for (i, (a, b)) in was.seats.iter().zip(&now.seats).enumerate() {
                    assert!(i == seat || a == b, "seat {i} changed");
                }
                assert_eq!(was.seats.len(), now.seats.len());
                assert_eq!(count.0, count.1);
                assert_eq!(was.tally(), now.tally());
            };
            let kind = match &entry.body {
                Change::Transferred { seat, .. } | Change::HandedOver { seat, .. } => {
                    others_stay(usize::from(*seat));
                    let (a, b) = (&was.seats[usize::from(*seat)], &now.seats[usize::from(*seat)]);
                    assert_eq!((&a.owner, a.status), (&b.owner, b.status));
                    "passed on"
                }
                Change::OpinionAsked { seat, .. }
                | Change::OpinionGiven { seat, .. }
                | Change::OpinionRecalled { seat } => {
                    others_stay(usize::from(*seat));
                    let (a, b) = (&was.seats[usize::from(*seat)], &now.seats[usize::from(*seat)]);
                    assert_eq!((&a.owner, &a.holder, a.status), (&b.owner, &b.holder, b.status));
                    "opinion"
                }
                Change::SeatsAdded { place: Beside::Parallel, people, tally, .. } => {
                    assert_eq!(count.1, count.0 + people.len() as u32);
                    assert_eq!(*tally, now.tally());
                    assert_eq!(tally.needed, now.mode.needed(count.1));
                    "beside"
                }
                Change::SeatsAdded { people, tally, .. } => {
                    assert_eq!(count.0, count.1);
                    assert_eq!((*tally, tally.seats), (now.tally(), count.1));
                    assert_eq!(now.seats.len(), was.seats.len() + people.len());
                    "before or after"
                }
                Change::SeatRemoved { seat, tally } => {
                    assert_eq!(*tally, now.tally());
                    for (i, (a, b)) in was.seats.iter().zip(&now.seats).enumerate() {
                        assert!(i == usize::from(*seat) || a == b);
                        assert_eq!(a.voter, b.voter);
                    }
                    assert!(was.seats[usize::from(*seat)].is_open());
                    "removed"
                }
                _ => return,
            };
            *seen.entry(kind).or_default() += 1;
        });
    }
    assert!(seen.len() == 5 && seen.values().all(|count| *count > 5), "{seen:?}");
}

/// WFL-9: adding signers and removing them, with no votes between, restores the case except for its
/// history and the clocks used.
#[test]
fn adding_and_removing_signers_restores_any_case() {
    let mut tried = BTreeMap::new();
    for seed in 10_000..10_120 {
        play(seed, 40, ALL, |w, _, p, dice| {
            if is_over(p) {
                return;
            }
            for place in [Beside::Before, Beside::After, Beside::Parallel] {
                let actor = w.somebody(p, dice);
                let people: Vec<_> =
                    (0..1 + dice.roll(2)).map(|_| person(STAFF[dice.roll(9)])).collect();
                let add = Order::Add { place, people: people.clone() };
                // Timers that are due act with the first command; they are not what is compared.
                let mut w2 = World { log: vec![], ..copy(w) };
                let mut q = p.clone();
                let now = w2.now;
                w2.tick(&mut q, now);
                if is_over(&q) {
                    continue;
                }
                let before = standing(&q).clone();
                if w2.act(&mut q, actor.as_str(), add).is_err() {
                    continue;
                }
                *tried.entry(place.to_string()).or_insert(0) += 1;
                if dice.roll(3) == 0 {
                    w2.act(&mut q, "hal", Order::Copy { to: vec![person("gil")] }).unwrap();
                }
                let from = w2.log.len();
                for person in people.iter().rev() {
                    let remove = Order::Remove { person: person.clone() };
                    w2.act(&mut q, actor.as_str(), remove).unwrap();
                }
                let voted = |e: &Entry<Change>| matches!(e.body, Change::Voted { .. });
                assert!(!w2.log[from..].iter().any(voted), "a removal voted");
                let mut after = standing(&q).clone();
                let node = after.node.as_mut().unwrap();
                let added = node.seats.split_off(before.node.as_ref().unwrap().seats.len());
                assert!(added.iter().all(|seat| seat.status == Status::Removed));
                assert_eq!(after, before, "{place}");
            }
        });
    }
    assert!(tried.len() == 3 && tried.values().all(|n| *n > 100), "{tried:?}");
}

fn copy(w: &World) -> World {
    w.clone()
}

/// WFL-2: an approval is decided once, and while it is open somebody can act.
/// WFL-11: in a sequence at most one seat of the rule is active.
/// WFL-12: every vote belongs to the holder of the seat at that time.
/// WFL-13: the requester never approves unless the definition allows it.
/// WFL-14: approvals kept apart never share an approver in a round.
/// WFL-15: nobody approves an amount above their limit.
/// WFL-16: every automatic decision has the system as its actor, and a cause.
/// WFL-18: after a restart exactly the approvals before the target count.
/// WFL-21: at most one approval is open; after the end no seat, clock or timer remains.
/// WFL-24: rounds never decrease, and go up by one at most.
#[test]
fn the_ledger_agrees_with_the_case_at_every_entry() {
    let mut restarts = 0;
    let mut kinds = BTreeSet::new();
    for (w, end) in histories(20_000..20_220, 70) {
        follow(&w.log, |old, was, entry, ledger, now| {
            let now = standing(now);
            let real: Vec<_> = now
                .passed
                .iter()
                .filter(|passed| !passed.void)
                .map(|passed| {
                    let people = passed.people.iter().map(|one| one.person.clone());
                    (passed.state.clone(), people.collect::<BTreeSet<_>>())
                })
                .collect();
            assert_eq!(real, ledger.counting(), "after {:?}", entry.body);
            assert_eq!(now.node.as_ref().map(|node| &node.state), ledger.open.as_ref());
            if entry.command.is_none() {
                assert!(matches!(entry.actor, Actor::System(_)), "time acts as the system");
            }
            let Some(was) = was.standing() else { return };
            assert!(now.round == was.round || now.round == was.round + 1);
            match &entry.body {
                Change::Voted { seat, vote, .. } => {
                    let node = was.node.as_ref().unwrap();
                    let seat = &node.seats[usize::from(*seat)];
                    match &entry.actor {
                        Actor::Human { person, on_behalf_of } => {
                            assert_eq!((seat.status, &seat.holder), (Status::Active, person));
                            assert_eq!(seat.asked, None, "voted while an opinion was awaited");
                            let owner = on_behalf_of.as_ref().unwrap_or(person);
                            assert_eq!(*owner, seat.owner);
                            let rule = rule(&w, &node.state).unwrap();
                            if rule.requester != RequesterRule::Allowed {
                                assert_ne!(person.as_str(), "zhou", "the requester votes");
                                assert_ne!(owner.as_str(), "zhou", "for the requester");
                            }
                            if *vote == Vote::Approve {
                                let amount = now.facts.facts().get(&fact("amount"));
                                let Some(Fact::Amount(amount)) = amount else { panic!() };
                                assert!(w.directory.may_approve(person, *amount));
                            }
                        }
                        Actor::System(cause) => {
                            assert!(matches!(cause, Cause::Timeout | Cause::SamePerson));
                        }
                    }
                }
                Change::NodeDecided { state, .. } if old.open.is_none() => {
                    let alone = Cause::NoApprover;
                    let by_rule = matches!(&entry.actor, Actor::System(c) if *c == alone || matches!(c, Cause::Rule(_)));
                    assert!(by_rule, "{state} was decided by {:?}", entry.actor);
                }
                Change::SentBack { to: BackTo::Node(target), way, .. } => {
                    assert!(old.before().iter().any(|given| given.state == *target));
                    if *way == Way::Restart {
                        restarts += 1;
                        let kept: Vec<_> = old
                            .counting()
                            .into_iter()
                            .take_while(|(state, _)| state != target)
                            .collect();
                        assert_eq!(ledger.counting(), kept);
                    }
                }
                _ => {}
            }
            for (one, people) in ledger.counting() {
                for other in &rule(&w, &one).unwrap().distinct_from {
                    let others = ledger.counting().into_iter().find(|(state, _)| state == other);
                    let others = others.map(|(_, people)| people).unwrap_or_default();
                    assert!(people.is_disjoint(&others), "{one} and {other} share an approver");
                }
            }
            if let Some(node) = &now.node
                && node.mode == Mode::Sequence
            {
                let turn = |s: &&Seat| {
                    s.serves().is_none() && matches!(s.status, Status::Active | Status::Held)
                };
                assert!(node.seats.iter().filter(turn).count() <= 1, "two at once in a sequence");
            }
            if matches!(now.phase, Phase::Done | Phase::Withdrawn) {
                assert!(now.node.is_none() && now.token.timers.is_empty());
                assert_eq!(now.next_deadline(), None);
            }
            let body = serde_json::to_value(&entry.body).unwrap();
            kinds.insert(body["type"].as_str().unwrap().to_owned());
        });
        if let Some(node) = &standing(&end).node {
            assert!(node.seats.iter().any(|seat| seat.status == Status::Active), "nobody can act");
            assert_eq!(node.verdict(), None);
        }
    }
    assert!(restarts > 20, "{restarts} restarts");
    assert!(kinds.len() >= 24, "{kinds:?}");
}

/// WFL-19: a case goes back only to the requester or to an approval passed in this round before.
#[test]
fn a_case_is_sent_back_exactly_where_it_has_been() {
    let (mut taken, mut refused) = (0, 0);
    for seed in 30_000..30_120 {
        play(seed, 40, ALL, |w, _, p, _| {
            let mut ledger = Ledger::default();
            w.log.iter().for_each(|entry| ledger.note(entry));
            let Some(node) = standing(p).node.clone() else { return };
            // Nothing may be due, so that the ledger is the one the command meets.
            if p.next_deadline().is_some_and(|due| due <= w.now) {
                return;
            }
            let free = node.seats.iter().find(|s| s.status == Status::Active && s.asked.is_none());
            let Some(seat) = free else { return };
            let holder = seat.holder.clone();
            let names = APPROVALS.iter().chain(&["goods", "fix", "paid", "nowhere"]);
            for to in names.map(|name| state(name)) {
                let passed = ledger.before().iter().any(|given| given.state == to);
                for way in [Way::Restart, Way::Resume] {
                    let order = Order::SendBack { to: BackTo::Node(to.clone()), way };
                    match p.would_accept(&w.context(), &holder, w.now, &order) {
                        Ok(()) => {
                            assert!(passed, "{to}");
                            taken += 1;
                        }
                        Err(Refusal::NotPassed { .. }) => {
                            assert!(!passed, "{to}");
                            refused += 1;
                        }
                        Err(Refusal::TooManyRounds { .. }) => assert!(passed),
                        Err(other) => panic!("{other}"),
                    }
                }
            }
            for way in [Way::Restart, Way::Resume] {
                let order = Order::SendBack { to: BackTo::Requester, way };
                assert_eq!(p.would_accept(&w.context(), &holder, w.now, &order), Ok(()));
            }
        });
    }
    assert!(taken > 300 && refused > 300, "{taken} taken, {refused} refused");
}

/// WFL-20: where a material fact changed, resuming is starting again.
#[test]
fn a_changed_fact_makes_every_way_back_the_same() {
    let mut compared = [0, 0];
    for seed in 40_000..40_150 {
        play(seed, 30, ALL, |w, _, p, dice| {
            if is_over(p) || p.next_deadline().is_some_and(|due| due <= w.now) {
                return;
            }
            let mut ledger = Ledger::default();
            w.log.iter().for_each(|entry| ledger.note(entry));
            let before: Vec<_> = ledger.before().iter().map(|g| g.state.clone()).collect();
            let target = match dice.roll(2) {
                0 if !before.is_empty() => BackTo::Node(before[dice.roll(before.len())].clone()),
                _ => BackTo::Requester,
            };
            let actor = w.somebody(p, dice);
            let mut ends = vec![];
            for way in [Way::Resume, Way::Restart] {
                let (mut w, mut q) = (copy(w), p.clone());
                let back = Order::SendBack { to: target.clone(), way };
                if w.act(&mut q, actor.as_str(), back).is_err() {
                    continue;
                }
                if is_over(&q) {
                    continue;
                }
                w.set("amount", Fact::Amount(money(90_000 + dice.roll(2) as i64)));
                if w.act(&mut q, "zhou", Order::ChangeFacts).is_err() {
                    continue;
                }
                let _ = w.act(&mut q, "zhou", Order::Resubmit);
                ends.push(standing(&q).clone());
            }
            // The amount and the number of rounds so far may differ; everything else may not.
            if let [resumed, restarted] = &mut ends[..] {
                resumed.facts = restarted.facts.clone();
                resumed.round = restarted.round;
                if let (Some(one), Some(two)) = (&mut resumed.node, &restarted.node) {
                    one.round = two.round;
                }
                assert_eq!(resumed, restarted);
                compared[usize::from(target == BackTo::Requester)] += 1;
            }
        });
    }
    assert!(compared[0] > 80 && compared[1] > 80, "{compared:?}");
}

/// WFL-22: passing the same person never rests on that approval itself, on a void vote, or on a vote of
/// the system, and nobody who counts is asked again.
#[test]
fn the_same_person_passes_exactly_by_votes_that_count() {
    let (mut passed, mut asked) = (0, 0);
    for (w, _) in histories(50_000..50_400, 60) {
        let policy = w.workflow.draft().policy.same_person;
        let log = &w.log;
        follow(log, |old, was, entry, _, _| {
            // People whose own vote counts, at the approvals the policy looks at.
            let before = old.before();
            let looked: Vec<_> = match policy {
                SamePersonRule::Off => vec![],
                SamePersonRule::Adjacent => before.last().copied().into_iter().collect(),
                SamePersonRule::Any => before,
            };
            let voted = |person: &ActorId| {
                let here = old.here.as_ref();
                looked.iter().any(|g| Some(&g.state) != here && g.people.contains(person))
            };
            match &entry.body {
                Change::Voted { seat, .. } if entry.actor == Actor::System(Cause::SamePerson) => {
                    let seat = &standing(was).node.as_ref().unwrap().seats[usize::from(*seat)];
                    assert!(voted(&seat.owner), "{} passes without a vote", seat.owner);
                    assert!(matches!(seat.origin, Origin::Assigned { .. }));
                    assert_eq!(seat.status, Status::Waiting, "passed when the approval opens");
                    passed += 1;
                }
                Change::SeatActivated { seat, person, .. } => {
                    let seat = &standing(was).node.as_ref().unwrap().seats[usize::from(*seat)];
                    if matches!(seat.origin, Origin::Assigned { .. }) && seat.hops == 0 {
                        assert!(!voted(person), "{person} is asked again");
                        asked += 1;
                    }
                }
                _ => {}
            }
        });
    }
    assert!(passed > 60 && asked > 1_000, "{passed} passed, {asked} asked");
}

/// WFL-23: a withdrawn case accepts nothing but copies, and only the requester withdraws, when the
/// policy lets them.
#[test]
fn a_withdrawn_case_stays_withdrawn() {
    let (mut withdrawn, mut late) = (0, 0);
    for seed in 60_000..60_080 {
        play(seed, 40, ALL, |w, _, p, dice| {
            if is_over(p) || p.next_deadline().is_some_and(|due| due <= w.now) {
                return;
            }
            let other = Order::Withdraw;
            let refused = p.would_accept(&w.context(), &person("ann"), w.now, &other);
            assert_eq!(refused, Err(Refusal::RequesterOnly));
            let mut ledger = Ledger::default();
            w.log.iter().for_each(|entry| ledger.note(entry));
            let votes = ledger.given.iter().any(|g| g.counts && !g.people.is_empty())
                || standing(p).node.iter().flat_map(|n| &n.seats).any(|s| s.voter.is_some());
            let mut q = p.clone();
            let mut w = copy(w);
            let outcome = w.act(&mut q, "zhou", Order::Withdraw);
            let rule = w.workflow.draft().policy.withdraw;
            if rule == WithdrawRule::BeforeFirstVote && votes {
                assert_eq!(outcome, Err(Refusal::VotedAlready));
                late += 1;
                return;
            }
            outcome.unwrap();
            withdrawn += 1;
            assert_eq!(standing(&q).phase, Phase::Withdrawn);
            assert_eq!(q.next_deadline(), None);
            w.set("amount", Fact::Amount(money(77_000)));
            w.now += chrono::TimeDelta::days(dice.roll(400) as i64);
            assert!(q.tick(&w.context(), w.now).unwrap().entries.is_empty());
            for _ in 0..12 {
                let order = any_order(&w, &q, dice);
                let actor = STAFF[dice.roll(STAFF.len())];
                let outcome = w.act(&mut q, actor, order.clone());
                match order {
                    Order::Copy { .. } => outcome.unwrap(),
                    Order::Submit { .. } => assert_eq!(outcome, Err(Refusal::AlreadySubmitted)),
                    _ => assert_eq!(outcome, Err(Refusal::Over), "{order:?}"),
                }
            }
            republish(&mut w, &mut q);
            assert_eq!(standing(&q).phase, Phase::Withdrawn);
        });
    }
    assert!(withdrawn > 300 && late > 80, "{withdrawn} withdrawn, {late} too late");
}

/// WFL-24: the limits on transfers, seats and rounds bound the number of commands between two changes
/// of facts: a case that somebody keeps busy on purpose comes to an end.
#[test]
fn the_limits_bound_the_number_of_commands() {
    let (transfers, seats, rounds) = (1, 4, 2);
    let taste = Taste { events_back: false, caps: Some((transfers, seats, rounds)) };
    let mut longest = 0;
    for seed in 70_000..70_060 {
        let mut dice = Dice::new(seed);
        let mut w = crate::common::desks::desk(&mut dice, taste);
        let Some(mut p) = crate::common::desks::submitted(&mut w) else { continue };
        // Seats at an opening come from the directory and are not limited; no role has more than four.
        let most = 8_u32.max(seats);
        // One seat: a vote, transfers or opinions with their answer, and an addition and a removal of it.
        let per_node = most * (1 + 2 * transfers + 2) + 1;
        let per_round = 3 * per_node + 4;
        let bound = (rounds + 1) * per_round;
        let mut given = 0;
        loop {
            let mut orders = vec![];
            for actor in STAFF {
                let all = accepted(&w, &p, actor, &mut dice);
                orders.extend(all.into_iter().map(|order| (actor, order)));
            }
            orders.retain(|(_, order)| !matches!(order, Order::Withdraw | Order::ChangeFacts));
            if orders.is_empty() {
                break;
            }
            // Whoever wants to keep it going avoids votes.
            let busy: Vec<_> = orders
                .iter()
                .filter(|(_, o)| !matches!(o, Order::Approve { .. } | Order::Reject { .. }))
                .filter(|(_, o)| dice.roll(8) == 0 || !matches!(o, Order::SendBack { .. }))
                .cloned()
                .collect();
            let from = if busy.is_empty() { &orders } else { &busy };
            let (actor, order) = from[dice.roll(from.len())].clone();
            w.act(&mut p, actor, order).unwrap();
            given += 1;
            assert!(given <= bound, "{given} commands, at most {bound} can be");
            assert!(standing(&p).rounds_used <= rounds);
        }
        longest = longest.max(given);
    }
    assert!(longest > 30, "{longest}");
}

/// WFL-28: a held seat loses no time, and none is gained: a timer acts exactly when the seat was
/// active for as long as the rule says, over all its spells.
#[test]
fn seats_are_timed_by_the_time_they_were_active() {
    let (mut acted, mut resumed) = (0, 0);
    for (w, _) in histories(80_000..80_250, 70) {
        // A timer that was due before a new version was published acts after it, later than told.
        if w.workflow.draft().version > 1 {
            continue;
        }
        // For each seat: since when it is active, and the seconds of each clock used before.
        let mut clocks: BTreeMap<u16, (Option<aftersale::time::Instant>, [i64; 2])> =
            BTreeMap::new();
        let index = |clock: Clock| usize::from(clock == Clock::Business);
        let hours = &w.hours;
        follow(&w.log, |_, was, entry, _, now| {
            let used = |clocks: &BTreeMap<u16, (Option<aftersale::time::Instant>, [i64; 2])>,
                        seat: u16,
                        clock: Clock| {
                let (since, before) = clocks.get(&seat).copied().unwrap_or_default();
                before[index(clock)]
                    + since.map_or(0, |since| hours.between(clock, since, entry.at))
            };
            let held_before = was.standing().and_then(|s| s.node.as_ref());
            match &entry.body {
                Change::NodeOpened { .. } => clocks.clear(),
                Change::SeatActivated { seat, .. } => {
                    let held = held_before.unwrap().seats[usize::from(*seat)].status;
                    resumed += usize::from(held == Status::Held);
                    clocks.entry(*seat).or_default().0 = Some(entry.at);
                }
                Change::SeatsAdded { to, place: Beside::Before, .. } => {
                    let both = [Clock::Elapsed, Clock::Business].map(|c| used(&clocks, *to, c));
                    clocks.insert(*to, (None, both));
                }
                Change::HandedOver { seat, .. } => {
                    clocks.insert(*seat, (Some(entry.at), [0, 0]));
                    acted += 1;
                }
                _ => {}
            }
            // The timeout that acted, and how often it has by now.
            let due = match &entry.body {
                Change::SeatReminded { seat, timeout, .. }
                | Change::TimeoutStuck { seat, timeout, .. } => Some((*seat, *timeout)),
                _ => None,
            };
            if let Some((seat, timeout)) = due {
                let node = held_before.unwrap();
                let rule = rule(&w, &node.state).unwrap();
                let after = rule.timeouts[usize::from(timeout)].after;
                let timers = &node.seats[usize::from(seat)].timers;
                let times = timers.iter().find(|t| t.timeout == timeout).unwrap().acted + 1;
                assert_eq!(
                    used(&clocks, seat, after.clock()),
                    after.seconds() * i64::from(times),
                    "timeout {timeout}, {times} times"
                );
                acted += 1;
            }
            // No running timer is late, and none of a waiting seat runs.
            let Some(node) = now.standing().and_then(|s| s.node.as_ref()) else { return };
            for seat in &node.seats {
                for timer in &seat.timers {
                    match (seat.status, timer.run) {
                        (Status::Active, Run::Due(due)) => assert!(due >= entry.at),
                        (Status::Active, Run::Over) | (Status::Held, Run::Left(_) | Run::Over) => {}
                        other => panic!("{other:?}"),
                    }
                }
            }
        });
    }
    assert!(acted > 40 && resumed > 10, "{acted} acted, {resumed} went on");
}

/// WFL-32: a refusal changes nothing.
/// WFL-31: applying the entries of a decision gives the state that was decided.
#[test]
fn refusals_change_nothing_and_entries_say_everything() {
    let mut refused = 0;
    for seed in 90_000..90_060 {
        play(seed, 50, ALL, |w, before, p, dice| {
            if before.version() == p.version() {
                refused += 1;
                assert_eq!(before, p);
            }
            let order = any_order(w, p, dice);
            let command = w.command(STAFF[dice.roll(STAFF.len())], order);
            let kept = p.clone();
            let decision = p.decide(&w.context(), &command);
            assert_eq!(*p, kept);
            let would = p.would_accept(&w.context(), &command.actor, command.at, &command.order);
            assert_eq!(decision.as_ref().err(), would.as_ref().err());
            if let Ok(decision) = decision {
                let mut q = p.clone();
                decision.entries.iter().for_each(|entry| q.evolve(entry).unwrap());
                assert_eq!(Process::replay(w.log.iter().chain(&decision.entries)).unwrap(), q);
            }
        });
    }
    assert!(refused > 100, "{refused}");
}

/// WFL-44: moving a case along the identity changes nothing but the version, at any point of any
/// history, and moving and replaying commute.
#[test]
fn a_new_version_of_the_same_content_changes_nothing_else() {
    let mut compared = 0;
    for seed in 100_000..100_060 {
        play(seed, 40, ALL, |w, _, p, dice| {
            if is_over(p) || dice.roll(4) != 0 {
                return;
            }
            let same =
                aftersale::workflow::migration::plan(&w.workflow, &w.workflow, &BTreeMap::new())
                    .unwrap();
            assert!(p.migrate(&w.context(), &same, w.now).unwrap().entries.is_empty());
            let (mut moved, mut q) = (copy(w), p.clone());
            republish(&mut moved, &mut q);
            let with_pin = |mut s: Standing, of: &Process| {
                s.pin = standing(of).pin.clone();
                s
            };
            assert_eq!(with_pin(standing(&q).clone(), p), *standing(p));
            // Moving, then replaying all: replaying, then moving.
            assert_eq!(Process::replay(&moved.log).unwrap(), q);
            let (mut other, mut replayed) = (copy(w), Process::replay(&w.log).unwrap());
            republish(&mut other, &mut replayed);
            assert_eq!(replayed, q);
            // Both go on alike.
            let (mut w2, mut p2) = (copy(w), p.clone());
            for _ in 0..6 {
                if is_over(&p2) {
                    break;
                }
                let order = any_order(&w2, &p2, dice);
                let actor = w2.somebody(&p2, dice);
                let one = w2.act(&mut p2, actor.as_str(), order.clone());
                let two = moved.act(&mut q, actor.as_str(), order);
                assert_eq!(one, two);
                w2.undeclare(&p2);
                moved.undeclare(&q);
                assert_eq!(with_pin(standing(&q).clone(), &p2), *standing(&p2));
            }
            compared += 1;
        });
    }
    assert!(compared > 200, "{compared}");
}

/// WFL-25: a tick at t2 after a tick at t1 is a tick at t2.
/// WFL-26: a command at t is a tick at t and then the command.
/// WFL-27: the next deadline is the least instant at which time changes the case.
#[test]
fn time_acts_once_and_at_its_own_instants_in_any_procedure() {
    let mut acted = 0;
    for seed in 110_000..110_120 {
        play(seed, 30, ALL, |w, _, p, dice| {
            if dice.roll(3) != 0 {
                return;
            }
            let (t1, t2) = (dice.roll(30_000) as i64, dice.roll(30_000) as i64);
            let (t1, t2) = (t1.min(t2), t1.max(t2));
            let order = any_order(w, p, dice);
            let command = w.command(STAFF[dice.roll(STAFF.len())], order);
            acted += usize::from(w.time_acts_once(p, (t1, t2), command));
        });
    }
    assert!(acted > 200, "{acted}");
}
