//! State machines: the same six states, twenty thousand events, in every contender.
//!
//! Contenders without a log or a decision only step; `cqrs-es` decides, applies and keeps events in a
//! list, as ours does in the last rows. Compare inside one run only.

use std::hint::black_box;
use std::time::Instant;

use aftersale::approval::command::{Command, Context, Order};
use aftersale::approval::directory::Directory;
use aftersale::approval::process::Process;
use aftersale::condition::Facts;
use aftersale::id::{ActorId, CaseId, CommandId};
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::chain::Sha256;
use aftersale::workflow::compiled::Workflow;
use aftersale::workflow::hours::OpeningHours;
use aftersale::workflow::journal::HashDebug;
use aftersale::workflow::rule::{Mode, TimeoutAction};
use aftersale::workflow::span::Span;
use aftersale::workflow::token::{fire, start};
use aftersale::workflow::verify::verify;
use aftersale::workflow::{EventName, RoleCode};

const EVENTS: usize = 20_000;
const RUNS: usize = 15;
const NAMES: [&str; 6] = ["opened", "reviewed", "sent", "received", "inspected", "settled"];

/// Mostly on, now and then back to the start.
fn goes_back(step: usize) -> bool {
    step.wrapping_mul(2_654_435_761) % 7 == 0
}

/// The best of several runs, in nanoseconds per event.
fn timed(mut run: impl FnMut() -> usize) -> f64 {
    (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            assert_eq!(black_box(run()), EVENTS);
            begun.elapsed().as_nanos() as f64 / EVENTS as f64
        })
        .fold(f64::INFINITY, f64::min)
}

#[derive(Clone, Copy)]
pub enum Happening {
    Next,
    Back,
}

fn happenings() -> Vec<Happening> {
    (0..EVENTS).map(|s| if goes_back(s) { Happening::Back } else { Happening::Next }).collect()
}

mod written {
    use super::Happening;

    #[derive(Clone, Copy)]
    pub enum State {
        Opened,
        Reviewed,
        Sent,
        Received,
        Inspected,
        Settled,
    }

    #[inline(never)]
    pub fn step(state: State, event: Happening) -> State {
        match (state, event) {
            (_, Happening::Back) => State::Opened,
            (State::Opened, Happening::Next) => State::Reviewed,
            (State::Reviewed, Happening::Next) => State::Sent,
            (State::Sent, Happening::Next) => State::Received,
            (State::Received, Happening::Next) => State::Inspected,
            (State::Inspected, Happening::Next) => State::Settled,
            (State::Settled, Happening::Next) => State::Opened,
        }
    }
}

mod with_rust_fsm {
    rust_fsm::state_machine! {
        pub ring(Opened)

        Opened => { Next => Reviewed, Back => Opened },
        Reviewed => { Next => Sent, Back => Opened },
        Sent => { Next => Received, Back => Opened },
        Received => { Next => Inspected, Back => Opened },
        Inspected => { Next => Settled, Back => Opened },
        Settled => { Next => Opened, Back => Opened },
    }
}

mod with_smlang {
    use smlang::statemachine;

    statemachine! {
        transitions: {
            *Opened + Next = Reviewed,
            Reviewed + Next = Sent,
            Sent + Next = Received,
            Received + Next = Inspected,
            Inspected + Next = Settled,
            Settled + Next = Opened,
            Opened | Reviewed | Sent | Received | Inspected | Settled + Back = Opened,
        }
    }

    pub struct Nothing;
    impl StateMachineContext for Nothing {}
}

mod with_statig {
    use super::Happening;
    use statig::prelude::*;

    #[derive(Default)]
    pub struct Ring;

    #[state_machine(initial = "State::opened()")]
    impl Ring {
        #[superstate]
        fn under_way(event: &Happening) -> Outcome<State> {
            match event {
                Happening::Back => Transition(State::opened()),
                Happening::Next => Handled,
            }
        }
        #[state(superstate = "under_way")]
        fn opened(event: &Happening) -> Outcome<State> {
            match event {
                Happening::Next => Transition(State::reviewed()),
                Happening::Back => Super,
            }
        }
        #[state(superstate = "under_way")]
        fn reviewed(event: &Happening) -> Outcome<State> {
            match event {
                Happening::Next => Transition(State::sent()),
                Happening::Back => Super,
            }
        }
        #[state(superstate = "under_way")]
        fn sent(event: &Happening) -> Outcome<State> {
            match event {
                Happening::Next => Transition(State::received()),
                Happening::Back => Super,
            }
        }
        #[state(superstate = "under_way")]
        fn received(event: &Happening) -> Outcome<State> {
            match event {
                Happening::Next => Transition(State::inspected()),
                Happening::Back => Super,
            }
        }
        #[state(superstate = "under_way")]
        fn inspected(event: &Happening) -> Outcome<State> {
            match event {
                Happening::Next => Transition(State::settled()),
                Happening::Back => Super,
            }
        }
        #[state(superstate = "under_way")]
        fn settled(event: &Happening) -> Outcome<State> {
            match event {
                Happening::Next => Transition(State::opened()),
                Happening::Back => Super,
            }
        }
    }
}

mod with_cqrs {
    use super::Happening;
    use cqrs_es::event_sink::EventSink;
    use cqrs_es::{Aggregate, DomainEvent};
    use serde::{Deserialize, Serialize};
    use std::convert::Infallible;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub enum State {
        #[default]
        Opened,
        Reviewed,
        Sent,
        Received,
        Inspected,
        Settled,
    }

    #[derive(Debug, Default, Serialize, Deserialize)]
    pub struct Ring {
        state: State,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct Moved {
        to: State,
    }

    impl DomainEvent for Moved {
        fn event_type(&self) -> String {
            "moved".into()
        }
        fn event_version(&self) -> String {
            "1".into()
        }
    }

    impl Aggregate for Ring {
        const TYPE: &'static str = "ring";
        type Command = Happening;
        type Event = Moved;
        type Error = Infallible;
        type Services = ();

        async fn handle(
            &mut self,
            command: Happening,
            (): &(),
            sink: &EventSink<Self>,
        ) -> Result<(), Infallible> {
            let to = match (self.state, command) {
                (_, Happening::Back) | (State::Settled, Happening::Next) => State::Opened,
                (State::Opened, Happening::Next) => State::Reviewed,
                (State::Reviewed, Happening::Next) => State::Sent,
                (State::Sent, Happening::Next) => State::Received,
                (State::Received, Happening::Next) => State::Inspected,
                (State::Inspected, Happening::Next) => State::Settled,
            };
            sink.write(Moved { to }, self).await;
            Ok(())
        }

        fn apply(&mut self, event: Moved) {
            self.state = event.to;
        }
    }

    /// Nothing here waits, so one poll finishes.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("an aggregate waited"),
        }
    }

    pub fn run(events: &[Happening]) -> usize {
        let mut ring = Ring::default();
        let mut log = Vec::with_capacity(events.len());
        for event in events {
            let sink = EventSink::default();
            now(ring.handle(*event, &(), &sink)).expect("infallible");
            log.extend(now(sink.collect()));
        }
        log.len()
    }
}

fn ours() -> Workflow {
    let mut builder = WorkflowBuilder::new("ring", 1);
    for (i, name) in NAMES.iter().enumerate() {
        let next = NAMES[(i + 1) % NAMES.len()];
        builder = builder
            .task(name, "clerk", |s| s.on("next", next).on("back", NAMES[0]).on("stop", "closed"));
    }
    let draft = builder.end("closed", "closed").finish().expect("names are identifiers");
    verify(&draft).expect("the ring is sound").workflow
}

/// One vote in an approval by three people, with thirty commands remembered, over so many cases: the
/// best of many rounds, in nanoseconds. Copies of the case are made before the clock starts.
fn vote(hash: Option<&dyn HashDebug>, count: usize) -> f64 {
    let draft = WorkflowBuilder::new("review", 1)
        .approval(
            "review",
            Approval::new(Mode::All, ["service"]).timeout(Span::hours(48), TimeoutAction::Reject),
            |s| s.approved("paid").rejected("declined"),
        )
        .end("paid", "paid")
        .end("declined", "declined")
        .finish()
        .expect("names are identifiers");
    let workflow = verify(&draft).expect("a sound definition").workflow;
    let person = |name: &str| ActorId::new(name).expect("a name");
    let directory = Directory::default()
        .with_role(RoleCode::new("service").expect("a role"), ["ann", "bo", "cy"].map(person));
    let (facts, hours) = (Facts::new(), OpeningHours::default());
    let context =
        Context { workflow: &workflow, facts: &facts, directory: &directory, hours: &hours, hash };
    let command = |actor: &str, n: usize, order| Command {
        id: CommandId::new(format!("command-{n}")).expect("an id"),
        expected_version: None,
        actor: person(actor),
        at: "2026-03-02T10:00:00Z".parse().expect("an instant"),
        order,
    };
    let mut case = Process::default();
    let mut apply = |command: &Command| {
        for entry in case.decide(&context, command).expect("accepted").entries {
            case.evolve(&entry).expect("follows");
        }
    };
    apply(&command("zhou", 0, Order::Submit { case: CaseId::new("R-1").expect("an id") }));
    for n in 1..30 {
        apply(&command("zhou", n, Order::Copy { to: vec![person("dan")] }));
    }
    let vote = command("ann", 30, Order::Approve { comment: String::new() });
    let runs = RUNS * 2_000 / count;
    let mut log = Vec::with_capacity(count * 2);
    (0..runs)
        .map(|_| {
            let mut cases = vec![case.clone(); count];
            log.clear();
            let begun = Instant::now();
            for case in &mut cases {
                let decision = case.decide(&context, black_box(&vote)).expect("accepted");
                for entry in decision.entries {
                    case.evolve(&entry).expect("follows");
                    log.push(entry);
                }
            }
            let elapsed = begun.elapsed().as_nanos() as f64 / count as f64;
            black_box((&cases, &log));
            elapsed
        })
        .fold(f64::INFINITY, f64::min)
}

fn chart() -> String {
    let mut text = String::from(
        "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\" version=\"1.0\" initial=\"opened\">",
    );
    for (i, name) in NAMES.iter().enumerate() {
        let next = NAMES[(i + 1) % NAMES.len()];
        text += &format!(
            "<state id=\"{name}\"><transition event=\"next\" target=\"{next}\"/><transition event=\"back\" target=\"opened\"/></state>"
        );
    }
    text + "</scxml>"
}

/// Runs every contender and prints nanoseconds per event and the ratio to a written match.
pub fn run() {
    let events = happenings();
    let mut rows: Vec<(&str, f64)> = Vec::new();
    let base = timed(|| {
        let mut state = written::State::Opened;
        for event in black_box(&events) {
            state = written::step(state, *event);
        }
        black_box(state);
        events.len()
    });
    rows.push(("written match", base));
    rows.push((
        "statig 0.4.1, one superstate",
        timed(|| {
            use statig::prelude::*;
            let mut machine = with_statig::Ring.state_machine();
            for event in black_box(&events) {
                machine.handle(event);
            }
            black_box(&machine);
            events.len()
        }),
    ));
    rows.push((
        "smlang 0.8.0",
        timed(|| {
            use with_smlang::{Events, Nothing, StateMachine};
            let mut machine = StateMachine::new(Nothing);
            let mut accepted = 0;
            for event in black_box(&events) {
                let event = match event {
                    Happening::Next => Events::Next,
                    Happening::Back => Events::Back,
                };
                accepted += usize::from(machine.process_event(event).is_ok());
            }
            accepted
        }),
    ));
    rows.push((
        "rust-fsm 0.8.0",
        timed(|| {
            use with_rust_fsm::ring::{Input, StateMachine};
            let mut machine = StateMachine::new();
            let mut accepted = 0;
            for event in black_box(&events) {
                let event = match event {
                    Happening::Next => Input::Next,
                    Happening::Back => Input::Back,
                };
                accepted += usize::from(machine.consume(&event).is_ok());
            }
            accepted
        }),
    ));
    let workflow = ours();
    let facts = Facts::new();
    let name = |text: &str| EventName::new(text).expect("a name");
    let (next, back) = (name("next"), name("back"));
    let index = |event: &EventName| workflow.event_index(event).expect("an event of the ring");
    let (next_index, back_index) = (index(&next), index(&back));
    let opened = workflow.state_index(&workflow.draft().initial).expect("a state of the ring");
    let indexed: Vec<_> =
        (0..EVENTS).map(|s| if goes_back(s) { back_index } else { next_index }).collect();
    rows.push((
        "aftersale: verified table, bare step",
        timed(|| {
            let (mut state, mut accepted) = (opened, 0);
            for event in black_box(&indexed) {
                if let Some((_, to)) = workflow.step(state, Some(*event), &facts) {
                    state = to;
                    accepted += 1;
                }
            }
            black_box(state);
            accepted
        }),
    ));
    let hours = OpeningHours::default();
    let at = "2026-03-02T10:00:00Z".parse().expect("an instant");
    rows.push((
        "aftersale: event by name, moved, logged",
        timed(|| {
            let mut token = start(&workflow, &facts, &hours, at).expect("a start").to;
            let mut log = Vec::with_capacity(EVENTS);
            for event in black_box(&events) {
                let event = match event {
                    Happening::Next => &next,
                    Happening::Back => &back,
                };
                let moved = fire(&workflow, &token, event, &facts, &hours, at).expect("an arrow");
                token = moved.to.clone();
                log.push(moved);
            }
            log.len()
        }),
    ));
    rows.push((
        "cqrs-es 0.5.0, aggregate: handled, applied, logged",
        timed(|| with_cqrs::run(&events)),
    ));
    let chart = scxml::parse_xml(&chart()).expect("a chart");
    rows.push((
        "scxml 0.2.3 simulator",
        timed(|| {
            let mut simulator = scxml::simulate::Simulator::new(&chart);
            let mut accepted = 0;
            for event in black_box(&events) {
                let event = match event {
                    Happening::Next => "next",
                    Happening::Back => "back",
                };
                accepted += usize::from(simulator.send(event).is_ok());
            }
            accepted
        }),
    ));
    // The other contenders step one machine that stays in the cache; so do a hundred cases here.
    rows.push(("aftersale: one vote of three, decided, applied, logged", vote(None, 100)));
    rows.push(("aftersale: the same with a SHA-256 chain", vote(Some(&Sha256), 100)));
    rows.push(("aftersale: the vote in one of 2,000 cases, out of cache", vote(None, 2_000)));
    println!("{:<54} {:>10} {:>10}", "contender", "ns/event", "x match");
    for (name, nanoseconds) in rows {
        println!("{name:<54} {nanoseconds:>10.2} {:>10.1}", nanoseconds / base);
    }
}
