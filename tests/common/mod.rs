//! A small world for tests of workflows and approval: people, facts, a clock, a log.
#![allow(dead_code, reason = "every user of this module needs a part of it")]

use aftersale::approval::change::{BackTo, Change, Way};
use aftersale::approval::command::{Command, Context, Decision, Order};
use aftersale::approval::directory::Directory;
use aftersale::approval::node::Beside;
use aftersale::approval::process::Process;
use aftersale::approval::refusal::Refusal;
use aftersale::condition::Facts;
use aftersale::condition::schema::FactType;
use aftersale::explain::Fact;
use aftersale::id::{ActorId, CaseId, CommandId, FactName};
use aftersale::money::Money;
use aftersale::money::currency::Currency;
use aftersale::time::{Instant, Interval};
use aftersale::workflow::builder::WorkflowBuilder;
use aftersale::workflow::compiled::Workflow;
use aftersale::workflow::definition::{Stability, Weight};
use aftersale::workflow::hours::OpeningHours;
use aftersale::workflow::journal::{Entry, HashDebug};
use aftersale::workflow::verify::verify;
use aftersale::workflow::{EventName, RoleCode, StateId};

pub const STAFF: [&str; 9] = ["zhou", "ann", "bo", "cy", "dan", "eve", "fay", "gil", "hal"];

pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % sides as u64) as usize
    }
}

pub fn person(name: &str) -> ActorId {
    ActorId::new(name).unwrap()
}
pub fn role(name: &str) -> RoleCode {
    RoleCode::new(name).unwrap()
}
pub fn state(name: &str) -> StateId {
    StateId::new(name).unwrap()
}
pub fn fact(name: &str) -> FactName {
    FactName::new(name).unwrap()
}
pub fn money(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}
/// Seconds after Monday, 2 March 2026, 00:00 UTC.
pub fn at(seconds: i64) -> Instant {
    let start: Instant = "2026-03-02T00:00:00Z".parse().unwrap();
    start + chrono::TimeDelta::seconds(seconds)
}
pub fn interval(from: i64, to: i64) -> Interval {
    Interval::new(at(from), at(to)).unwrap()
}

/// The facts of the test workflows.
pub fn facts(builder: WorkflowBuilder) -> WorkflowBuilder {
    let cny = || FactType::Amount(Currency::CNY);
    builder.fact("amount", cny(), Stability::Volatile, Weight::Material).fact(
        "granted",
        cny(),
        Stability::Volatile,
        Weight::Plain,
    )
}

pub mod definitions;
pub mod desks;
pub mod xml;

#[derive(Clone)]
pub struct World {
    pub workflow: Workflow,
    pub facts: Facts,
    pub directory: Directory,
    pub hours: OpeningHours,
    pub now: Instant,
    pub log: Vec<Entry<Change>>,
    pub commands: usize,
    pub hash: Option<&'static dyn HashDebug>,
}

impl World {
    pub fn new(builder: WorkflowBuilder) -> Self {
        let draft = builder.finish().unwrap();
        let verified = verify(&draft).unwrap_or_else(|defects| {
            panic!("{}", defects.iter().map(|d| format!("{d}\n")).collect::<String>())
        });
        Self::of(verified.workflow)
    }

    /// The people and hours of all worlds around a workflow.
    pub fn of(workflow: Workflow) -> Self {
        let facts = Facts::new()
            .with(fact("amount"), Fact::Amount(money(30_000)))
            .with(fact("granted"), Fact::Amount(money(0)));
        let directory = Directory::default()
            .with_role(role("service"), ["ann", "bo", "cy"].map(person))
            .with_role(role("finance"), ["eve", "fay"].map(person))
            .with_role(role("board"), [person("gil")]);
        // Open from 9 to 17 every day.
        let days = (0..400).map(|day| interval(day * 86_400 + 32_400, day * 86_400 + 61_200));
        Self {
            workflow,
            facts,
            directory,
            hours: OpeningHours::new(days),
            now: at(0),
            log: vec![],
            commands: 0,
            hash: None,
        }
    }

    pub fn context(&self) -> Context<'_> {
        Context {
            workflow: &self.workflow,
            facts: &self.facts,
            directory: &self.directory,
            hours: &self.hours,
            hash: self.hash,
        }
    }

    pub fn command(&mut self, actor: &str, order: Order) -> Command {
        self.commands += 1;
        Command {
            id: CommandId::new(format!("c{}", self.commands)).unwrap(),
            expected_version: None,
            actor: person(actor),
            at: self.now,
            order,
        }
    }

    pub fn apply(&mut self, process: &mut Process, decision: &Decision) {
        for entry in &decision.entries {
            process.evolve(entry).unwrap();
            self.log.push(entry.clone());
        }
    }

    pub fn act(&mut self, process: &mut Process, actor: &str, order: Order) -> Result<(), Refusal> {
        let command = self.command(actor, order);
        let decision = process.decide(&self.context(), &command)?;
        self.apply(process, &decision);
        Ok(())
    }

    pub fn tick(&mut self, process: &mut Process, now: Instant) {
        self.now = now;
        let decision = process.tick(&self.context(), now).unwrap();
        self.apply(process, &decision);
    }

    /// What time does to a case: asking at `t1` and again at `t2` minutes from now is asking at `t2`;
    /// nothing happens before the next deadline, and something at it; a command at `t2` is a tick and
    /// then the command. Tells whether the case waits for a deadline.
    pub fn time_acts_once(&self, p: &Process, (t1, t2): (i64, i64), mut command: Command) -> bool {
        let tick = |p: &Process, at: Instant| {
            let mut p = p.clone();
            let decision = p.tick(&self.context(), at).unwrap();
            decision.entries.iter().for_each(|entry| p.evolve(entry).unwrap());
            (p, decision.entries)
        };
        let later = |minutes| self.now + chrono::TimeDelta::minutes(minutes);
        let (ticked, by_time) = tick(p, later(t2));
        assert_eq!(tick(&tick(p, later(t1)).0, later(t2)).0, ticked);
        let due = p.next_deadline();
        if let Some(due) = due {
            let before = due - chrono::TimeDelta::microseconds(1);
            if before >= self.now {
                assert!(tick(p, before).1.is_empty());
            }
            assert!(!tick(p, due.max(self.now)).1.is_empty());
        }
        command.at = later(t2);
        let direct = p.decide(&self.context(), &command);
        match (direct, ticked.decide(&self.context(), &command)) {
            (Ok(direct), Ok(after)) => {
                assert_eq!(direct.entries, [by_time, after.entries].concat());
            }
            (Err(a), Err(b)) => assert_eq!(a, b),
            (a, b) => panic!("{a:?} and {b:?}"),
        }
        due.is_some()
    }

    pub fn submitted(&mut self, requester: &str) -> Process {
        let mut process = Process::default();
        let case = CaseId::new("R-1").unwrap();
        self.act(&mut process, requester, Order::Submit { case }).unwrap();
        process
    }

    pub fn approve(&mut self, process: &mut Process, people: &[&str]) {
        for name in people {
            self.act(process, name, Order::Approve { comment: String::new() })
                .unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        }
    }

    /// Mostly somebody who has something to do.
    pub fn somebody(&self, process: &Process, dice: &mut Dice) -> ActorId {
        let standing = process.standing().unwrap();
        let mut busy: Vec<ActorId> = Vec::new();
        for seat in standing.node.iter().flat_map(|node| &node.seats) {
            if seat.status == aftersale::approval::node::Status::Active {
                busy.push(seat.asked.clone().unwrap_or_else(|| seat.holder.clone()));
            }
        }
        if busy.is_empty() || dice.roll(4) == 0 {
            let among = if dice.roll(2) == 0 { 1 } else { STAFF.len() };
            return person(STAFF[dice.roll(among)]);
        }
        busy[dice.roll(busy.len())].clone()
    }

    pub fn set(&mut self, name: &str, value: Fact) {
        self.facts.set(fact(name), value);
    }

    /// Takes back facts that were changed and not declared.
    pub fn undeclare(&mut self, process: &Process) {
        for (name, value) in process.standing().unwrap().facts.facts().iter() {
            self.facts.set(name.clone(), value.clone());
        }
    }

    /// Every order there is, with every colleague.
    pub fn orders(&self, process: &Process) -> Vec<Order> {
        let mut orders = vec![
            Order::GiveOpinion { opinion: "keep the box".into() },
            Order::RecallOpinion,
            Order::Resubmit,
            Order::Withdraw,
            Order::TakeBack,
            Order::ChangeFacts,
            Order::Retry,
            Order::Submit { case: CaseId::new("R-1").unwrap() },
            Order::Copy { to: vec![person("hal")] },
            Order::Fire { event: EventName::new("received").unwrap() },
        ];
        for _ in 0..8 {
            orders.push(Order::Approve { comment: String::new() });
            orders.push(Order::Resubmit);
        }
        orders.push(Order::Reject { comment: String::new() });
        let targets = ["first", "second"].map(|name| BackTo::Node(state(name)));
        for to in targets.into_iter().chain([BackTo::Requester]) {
            for way in [Way::Restart, Way::Resume] {
                orders.push(Order::SendBack { to: to.clone(), way });
            }
        }
        for name in STAFF {
            orders.push(Order::Transfer { to: person(name) });
            orders.push(Order::AskOpinion { of: person(name) });
            orders.push(Order::Remove { person: person(name) });
            for place in [Beside::Before, Beside::After, Beside::Parallel] {
                orders.push(Order::Add { place, people: vec![person(name)] });
            }
        }
        let _ = process;
        orders
    }
}
