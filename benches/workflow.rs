//! Workflows: a table step beside a written match, whole decisions, replay, verification.

use std::hint::black_box;

use aftersale::approval::change::Change;
use aftersale::approval::command::{Command, Context, Order};
use aftersale::approval::directory::Directory;
use aftersale::approval::process::Process;
use aftersale::condition::schema::FactType;
use aftersale::condition::{Check, Condition, Facts};
use aftersale::explain::Fact;
use aftersale::id::{ActorId, CaseId, CommandId, FactName};
use aftersale::money::{Money, currency::Currency};
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::compiled::{EventIndex, Workflow};
use aftersale::workflow::definition::{Stability, Weight, WorkflowDraft};
use aftersale::workflow::hours::OpeningHours;
use aftersale::workflow::journal::{Entry, HashDebug};
use aftersale::workflow::rule::{Mode, Policy};
use aftersale::workflow::span::Span;
use aftersale::workflow::verify::verify;
use aftersale::workflow::{EventName, RoleCode, StateId};
use divan::Bencher;

fn main() {
    divan::main();
}

fn fact(name: &str) -> FactName {
    FactName::new(name).unwrap()
}

fn above(minor: i64) -> Condition {
    let bound = Fact::Amount(Money::new(minor, Currency::CNY));
    Condition::test(fact("amount"), Check::Above(bound))
}

/// Six states that go round for ever, the same as the written match.
fn ring() -> Workflow {
    let names = ["opened", "reviewed", "sent", "received", "inspected", "settled"];
    let mut builder = WorkflowBuilder::new("ring", 1);
    for (i, name) in names.iter().enumerate() {
        let next = names[(i + 1) % names.len()];
        builder = builder
            .task(name, "clerk", |s| s.on("next", next).on("back", names[0]).on("stop", "closed"));
    }
    verify(&builder.end("closed", "closed").finish().unwrap()).unwrap().workflow
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Written {
    Opened,
    Reviewed,
    Sent,
    Received,
    Inspected,
    Settled,
    Closed,
}

#[derive(Clone, Copy)]
enum Happening {
    Next,
    Back,
    Stop,
}

#[inline(never)]
fn written(state: Written, event: Happening) -> Option<Written> {
    use Written::{Closed, Inspected, Opened, Received, Reviewed, Sent, Settled};
    Some(match (state, event) {
        (Closed, _) => return None,
        (_, Happening::Stop) => Closed,
        (_, Happening::Back) => Opened,
        (Opened, Happening::Next) => Reviewed,
        (Reviewed, Happening::Next) => Sent,
        (Sent, Happening::Next) => Received,
        (Received, Happening::Next) => Inspected,
        (Inspected, Happening::Next) => Settled,
        (Settled, Happening::Next) => Opened,
    })
}

const STEPS: usize = 1_000;

/// A fixed mixture of events: mostly on, now and then back.
fn goes_back(step: usize) -> bool {
    (step * 2_654_435_761).is_multiple_of(7)
}

#[divan::bench]
fn step_1000_written_match(bencher: Bencher) {
    let events: Vec<Happening> =
        (0..STEPS).map(|s| if goes_back(s) { Happening::Back } else { Happening::Next }).collect();
    bencher.bench_local(|| {
        let mut state = Written::Opened;
        for event in black_box(&events) {
            state = written(state, *event).unwrap_or(Written::Closed);
        }
        let _ = Happening::Stop;
        state
    });
}

#[divan::bench]
fn step_1000_table(bencher: Bencher) {
    let workflow = ring();
    let index = |name: &str| workflow.event_index(&EventName::new(name).unwrap()).unwrap();
    let (next, back) = (index("next"), index("back"));
    let events: Vec<EventIndex> =
        (0..STEPS).map(|s| if goes_back(s) { back } else { next }).collect();
    let facts = Facts::new();
    let opened = workflow.state_index(&StateId::new("opened").unwrap()).unwrap();
    bencher.bench_local(|| {
        let mut state = opened;
        for event in black_box(&events) {
            if let Some((_, to)) = workflow.step(state, Some(*event), &facts) {
                state = to;
            }
        }
        state
    });
}

fn review() -> Workflow {
    let draft = WorkflowBuilder::new("review", 1)
        .fact("amount", FactType::Amount(Currency::CNY), Stability::Frozen, Weight::Material)
        .guard("large", above(20_000))
        .choice("band", |s| s.when("large", "review").otherwise("paid"))
        .approval(
            "review",
            Approval::new(Mode::All, ["service"])
                .timeout(Span::hours(48), aftersale::workflow::rule::TimeoutAction::Reject),
            |s| s.approved("goods").rejected("declined"),
        )
        .wait("goods", "customer", |s| {
            s.on("received", "paid").leaves_after("t", Span::days(14), "declined")
        })
        .end("paid", "paid")
        .end("declined", "declined")
        .policy(Policy { amount: Some(fact("amount")), ..Policy::default() })
        .finish()
        .unwrap();
    verify(&draft).unwrap().workflow
}

struct Desk {
    workflow: Workflow,
    facts: Facts,
    directory: Directory,
    hours: OpeningHours,
}

impl Desk {
    fn new() -> Self {
        let people = ["ann", "bo", "cy"].map(|name| ActorId::new(name).unwrap());
        Self {
            workflow: review(),
            facts: Facts::new()
                .with(fact("amount"), Fact::Amount(Money::new(30_000, Currency::CNY))),
            directory: Directory::default().with_role(RoleCode::new("service").unwrap(), people),
            hours: OpeningHours::default(),
        }
    }

    fn context<'a>(&'a self, hash: Option<&'a dyn HashDebug>) -> Context<'a> {
        Context {
            workflow: &self.workflow,
            facts: &self.facts,
            directory: &self.directory,
            hours: &self.hours,
            hash,
        }
    }

    fn commands(&self) -> Vec<Command> {
        let order = |actor: &str, n: usize, order| Command {
            id: CommandId::new(format!("c{n}")).unwrap(),
            expected_version: None,
            actor: ActorId::new(actor).unwrap(),
            at: "2026-03-02T10:00:00Z".parse().unwrap(),
            order,
        };
        let approve = || Order::Approve { comment: String::new() };
        vec![
            order("zhou", 1, Order::Submit { case: CaseId::new("R-1").unwrap() }),
            order("ann", 2, approve()),
            order("bo", 3, approve()),
            order("cy", 4, approve()),
            order("zhou", 5, Order::Fire { event: EventName::new("received").unwrap() }),
        ]
    }

    /// The state after a number of commands, with a window of `window` earlier ones.
    fn after(&self, count: usize, window: usize, hash: Option<&dyn HashDebug>) -> Process {
        let mut process = Process::default();
        let context = self.context(hash);
        let apply = |process: &mut Process, command: &Command| {
            let decision = process.decide(&context, command).unwrap();
            decision.entries.iter().for_each(|entry| process.evolve(entry).unwrap());
        };
        let commands = self.commands();
        apply(&mut process, &commands[0]);
        for n in 0..window {
            let mut copy = commands[0].clone();
            copy.id = CommandId::new(format!("w{n}")).unwrap();
            copy.order = Order::Copy { to: vec![ActorId::new("dan").unwrap()] };
            apply(&mut process, &copy);
        }
        commands[1..count].iter().for_each(|command| apply(&mut process, command));
        process
    }
}

fn vote(bencher: Bencher, hash: Option<&'static dyn HashDebug>) {
    let desk = Desk::new();
    let process = desk.after(2, 30, hash);
    let command = desk.commands()[2].clone();
    let mut log: Vec<Entry<Change>> = Vec::with_capacity(1 << 20);
    bencher.with_inputs(|| process.clone()).bench_local_values(|mut process| {
        let decision = process.decide(&desk.context(hash), &command).unwrap();
        for entry in decision.entries {
            process.evolve(&entry).unwrap();
            if log.len() == log.capacity() {
                log.clear();
            }
            log.push(entry);
        }
        process
    });
}

/// One vote in an approval by three: decided, applied, logged, with thirty commands remembered.
#[divan::bench(sample_size = 100)]
fn vote_with_log_and_window(bencher: Bencher) {
    vote(bencher, None);
}

#[cfg(feature = "sha2")]
#[divan::bench(sample_size = 100)]
fn vote_with_log_window_and_chain(bencher: Bencher) {
    vote(bencher, Some(&aftersale::workflow::chain::Sha256));
}

/// A whole case of five commands and their entries.
#[divan::bench]
fn whole_case(bencher: Bencher) {
    let desk = Desk::new();
    bencher.bench_local(|| desk.after(5, 0, None));
}

/// The entries of ten cases, replayed.
#[divan::bench]
fn replay(bencher: Bencher) {
    let desk = Desk::new();
    let mut log: Vec<Entry<Change>> = vec![];
    let mut process = Process::default();
    for command in desk.commands() {
        let decision = process.decide(&desk.context(None), &command).unwrap();
        decision.entries.iter().for_each(|entry| process.evolve(entry).unwrap());
        log.extend(decision.entries);
    }
    bencher.counter(divan::counter::ItemsCount::new(log.len() * 10)).bench_local(|| {
        (0..10).map(|_| Process::replay(black_box(&log)).unwrap().version()).sum::<u64>()
    });
}

/// Thirty states: bands, reviews, waits, inspections, with guards over five facts, three of them fixed.
fn thirty_states() -> WorkflowDraft {
    let flag = |name: &str| Condition::test(fact(name), Check::Is(Fact::Flag(true)));
    let mut builder = WorkflowBuilder::new("thirty", 1)
        .fact("amount", FactType::Amount(Currency::CNY), Stability::Frozen, Weight::Material)
        .fact("recalled", FactType::Flag, Stability::Frozen, Weight::Material)
        .fact("premium", FactType::Flag, Stability::Frozen, Weight::Plain)
        .fact("opened", FactType::Flag, Stability::Volatile, Weight::Plain)
        .fact("days", FactType::Days, Stability::Volatile, Weight::Plain)
        .guard("above_200", above(20_000))
        .guard("above_2000", above(200_000))
        .guard("recalled", flag("recalled"))
        .guard("premium", flag("premium"))
        .guard("opened", flag("opened"))
        .guard("late", Condition::test(fact("days"), Check::Above(Fact::Days(7))));
    let guards = ["above_200", "recalled", "opened", "premium", "late", "above_2000"];
    for stage in 0..7 {
        let (choice, review, wait, task) =
            (format!("c{stage}"), format!("r{stage}"), format!("w{stage}"), format!("t{stage}"));
        let next = if stage == 6 { "paid".to_owned() } else { format!("c{}", stage + 1) };
        builder = builder
            .choice(&choice, |s| s.when(guards[stage % 6], &review).otherwise(&wait))
            .approval(&review, Approval::new(Mode::All, ["service"]), |s| {
                s.approved(&wait).rejected("declined").leaves_after(
                    "silent",
                    Span::days(3),
                    "declined",
                )
            })
            .wait(&wait, "customer", |s| {
                s.on("received", &task).leaves_after("silent", Span::days(14), "declined")
            })
            .task(&task, "qc", |s| {
                s.on_if("checked", guards[(stage + 2) % 6], &wait).on_otherwise("checked", &next)
            });
    }
    builder.end("paid", "paid").end("declined", "declined").finish().unwrap()
}

#[divan::bench]
fn verify_thirty_states(bencher: Bencher) {
    let draft = thirty_states();
    assert_eq!(draft.states.len(), 30);
    bencher.bench_local(|| verify(black_box(&draft)).is_ok());
}
