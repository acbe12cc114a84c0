//! A review procedure with defects, the same one corrected, its diagram, and a case walking through it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "an example may panic"
)]

use std::error::Error;

use aftersale::approval::change::{BackTo, Change, MovedBy, Way};
use aftersale::approval::command::{Command, Context, Order};
use aftersale::approval::directory::{Directory, Person};
use aftersale::approval::forecast::{Expected, forecast};
use aftersale::approval::node::Vote;
use aftersale::approval::process::Process;
use aftersale::condition::schema::FactType;
use aftersale::condition::{Check, Condition, Facts};
use aftersale::explain::Fact;
use aftersale::id::{ActorId, CaseId, CommandId, FactName};
use aftersale::label::{Coded, Language};
use aftersale::money::{Money, currency::Currency};
use aftersale::preset::review::{
    AMOUNT, Bands, DISPUTED, GRANTED, Procedure, REASON, RECALLED, TIER,
};
use aftersale::time::{Instant, Interval};
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::compiled::Workflow;
use aftersale::workflow::definition::{Stability, Weight, WorkflowDraft};
use aftersale::workflow::drawing::Drawing;
use aftersale::workflow::hours::OpeningHours;
use aftersale::workflow::journal::{Actor, Cause, Entry};
use aftersale::workflow::rule::Mode;
use aftersale::workflow::span::Span;
use aftersale::workflow::verify::verify;
use aftersale::workflow::{EventName, RoleCode};

fn yuan(whole: i64) -> Money {
    Money::new(whole * 100, Currency::CNY)
}

fn at(text: &str) -> Result<Instant, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

/// What somebody wrote in a hurry: it looks complete and has six things wrong.
fn first_attempt() -> Result<WorkflowDraft, Box<dyn Error>> {
    let amount = |check: Check| -> Result<Condition, Box<dyn Error>> {
        Ok(Condition::test(FactName::new(AMOUNT)?, check))
    };
    let recalled = Condition::test(FactName::new(RECALLED)?, Check::Is(Fact::Flag(true)));
    Ok(WorkflowBuilder::new("returns_desk", 1)
        .fact(AMOUNT, FactType::Amount(Currency::CNY), Stability::Frozen, Weight::Material)
        .fact(RECALLED, FactType::Flag, Stability::Frozen, Weight::Material)
        .guard("small", amount(Check::Below(Fact::Amount(yuan(200))))?)
        .guard("large", amount(Check::Above(Fact::Amount(yuan(200))))?)
        .guard("recalled", recalled)
        .role_of("finance", ["li"])
        .role("service", "Service desk", "客服")
        .choice("band", |s| s.when("small", "review").when("large", "finance"))
        .approval("review", Approval::new(Mode::Any, ["service"]), |s| {
            s.approved("goods").rejected("declined")
        })
        .approval("finance", Approval::new(Mode::Count(2), ["finance"]), |s| {
            s.approved("goods").waits_because("finance answers every day")
        })
        .wait("goods", "customer", |s| {
            s.on("received", "inspection")
                .leaves_after("late", Span::days(14), "chase")
                .reminds_after("remember", Span::days(20))
        })
        .wait("chase", "customer", |s| {
            s.on("received", "inspection").leaves_after("again", Span::days(7), "goods")
        })
        .task("inspection", "qc", |s| {
            s.on_if("inspected", "recalled", "quarantine").on_otherwise("inspected", "refunded")
        })
        .task("quarantine", "qc", |s| s.on("inspected", "inspection"))
        .end("refunded", "refunded")
        .end("declined", "declined")
        .finish()?)
}

struct Shop {
    workflow: Workflow,
    facts: Facts,
    directory: Directory,
    hours: OpeningHours,
    log: Vec<Entry<Change>>,
    case: Process,
    commands: u32,
}

impl Shop {
    fn context(&self) -> Context<'_> {
        Context {
            workflow: &self.workflow,
            facts: &self.facts,
            directory: &self.directory,
            hours: &self.hours,
            hash: None,
        }
    }

    fn act(&mut self, at: Instant, who: &str, order: Order) -> Result<(), Box<dyn Error>> {
        self.commands += 1;
        let command = Command {
            id: CommandId::new(format!("cmd-{}", self.commands))?,
            expected_version: None,
            actor: ActorId::new(who)?,
            at,
            order,
        };
        match self.case.decide(&self.context(), &command) {
            Ok(decision) => self.store(decision.entries)?,
            Err(refusal) => println!("  {}  {who:<9} refused: {refusal}", at.format("%m-%d %H:%M")),
        }
        Ok(())
    }

    fn time(&mut self, at: Instant) -> Result<(), Box<dyn Error>> {
        let entries = self.case.tick(&self.context(), at)?.entries;
        self.store(entries)
    }

    fn store(&mut self, entries: Vec<Entry<Change>>) -> Result<(), Box<dyn Error>> {
        for entry in entries {
            self.case.evolve(&entry)?;
            let (en, zh) =
                (self.told(&entry, Language::English), self.told(&entry, Language::Chinese));
            if let (Some(en), Some(zh)) = (en, zh) {
                println!("  {}  {en}\n               {zh}", entry.at.format("%m-%d %H:%M"));
            }
            self.log.push(entry);
        }
        Ok(())
    }

    fn label(&self, state: &aftersale::workflow::StateId, language: Language) -> String {
        let found = self.workflow.find(state).map(|state| state.label.text(language));
        found.filter(|text| !text.is_empty()).unwrap_or(state.as_str()).to_owned()
    }

    /// One entry in words.
    fn told(&self, entry: &Entry<Change>, language: Language) -> Option<String> {
        let zh = language == Language::Chinese;
        let who = match &entry.actor {
            Actor::Human { person, on_behalf_of: Some(owner) } if zh => {
                format!("{person}（代{owner}）")
            }
            Actor::Human { person, on_behalf_of: Some(owner) } => format!("{person} for {owner}"),
            Actor::Human { person, .. } => person.to_string(),
            Actor::System(cause) => {
                let why = match (cause, zh) {
                    (Cause::Timeout, false) => "a timer",
                    (Cause::Timeout, true) => "计时器",
                    (Cause::SamePerson, false) => "approved before",
                    (Cause::SamePerson, true) => "已审批过",
                    (Cause::Rule(rule), _) => rule.as_str(),
                    (Cause::NoApprover, false) => "nobody to ask",
                    (Cause::NoApprover, true) => "无审批人",
                    (Cause::Migration, false) => "new version",
                    (Cause::Migration, true) => "版本迁移",
                };
                if zh { format!("系统（{why}）") } else { format!("the system ({why})") }
            }
        };
        let told = match &entry.body {
            Change::Submitted { case, .. } if zh => format!("{who} 提交 {case}"),
            Change::Submitted { case, .. } => format!("{who} submits {case}"),
            Change::Moved { by: MovedBy::Verdict(verdict), moved, .. } => {
                let (verdict, to) =
                    (verdict.label(language), self.label(&moved.to.state, language));
                if zh {
                    format!("{verdict}，进入「{to}」")
                } else {
                    format!("{verdict}; now: {to}")
                }
            }
            Change::Moved { moved, .. } => {
                let to = self.label(&moved.to.state, language);
                if zh {
                    format!("{who} 使流程进入「{to}」")
                } else {
                    format!("{who} moves it on; now: {to}")
                }
            }
            Change::SeatActivated { person, .. } if zh => format!("待 {person} 处理"),
            Change::SeatActivated { person, .. } => format!("{person} is asked"),
            Change::Voted { vote, comment, .. } => {
                let vote = match (vote, zh) {
                    (Vote::Approve, true) => "同意",
                    (Vote::Reject, true) => "驳回",
                    (Vote::Approve, false) => "approves",
                    (Vote::Reject, false) => "rejects",
                };
                let said =
                    if comment.is_empty() { String::new() } else { format!(": \"{comment}\"") };
                format!("{who} {vote}{said}")
            }
            Change::Transferred { to, .. } if zh => format!("{who} 转办给 {to}"),
            Change::Transferred { to, .. } => format!("{who} passes it on to {to}"),
            Change::SentBack { to: BackTo::Requester, .. } if zh => format!("{who} 退回申请人"),
            Change::SentBack { to: BackTo::Requester, .. } => {
                format!("{who} sends it back to the requester")
            }
            Change::Resubmitted if zh => format!("{who} 重新提交"),
            Change::Resubmitted => format!("{who} submits it again"),
            Change::SeatReminded { person, .. } if zh => format!("提醒 {person}"),
            Change::SeatReminded { person, .. } => format!("{person} is reminded"),
            Change::StateReminded { .. } if zh => "提醒买家".into(),
            Change::StateReminded { .. } => "the customer is reminded".into(),
            _ => return None,
        };
        Some(told)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("1. A first attempt\n");
    let defects = verify(&first_attempt()?).err().unwrap_or_default();
    for (number, defect) in defects.iter().enumerate() {
        println!("  {}. {defect}", number + 1);
        println!("     {}（{}）", defect.code.label(Language::Chinese), defect.at);
    }

    println!("\n2. The preset `{}`, with limits of 50 and 2000 yuan\n", Procedure::ReturnsDesk);
    let bands = Bands { small: yuan(50), granted_below: yuan(200), large: yuan(2_000) };
    let draft = Procedure::ReturnsDesk.draft(&bands)?;
    let verified = verify(&draft).map_err(|defects| defects[0].to_string())?;
    println!("  {} states, {} arrows, no defects.", draft.states.len(), draft.arrows.len());
    println!("  The longest a case can lie while nobody acts:");
    for silence in &verified.silences {
        let here =
            silence.here.map_or_else(|| "until somebody acts".into(), |span| span.to_string());
        let then = if silence.until == silence.state {
            String::new()
        } else {
            format!(", then on to `{}`", silence.until)
        };
        println!("    {:<16} {here}{then}", silence.state.as_str());
    }

    let hours = (0..60).map(|day| -> Result<Interval, Box<dyn Error>> {
        let start = at("2026-03-02T01:00:00Z")?; // 9 to 17 o'clock in Shanghai
        let open = start + chrono::TimeDelta::days(day);
        Ok(Interval::new(open, open + chrono::TimeDelta::hours(8))?)
    });
    let hours = OpeningHours::new(hours.collect::<Result<Vec<_>, _>>()?);
    let people = |names: &[&str]| -> Result<Vec<ActorId>, Box<dyn Error>> {
        Ok(names.iter().map(ActorId::new).collect::<Result<_, _>>()?)
    };
    let mut directory = Directory::default();
    for (role, members) in [
        ("service", &["wang", "chen"][..]),
        ("supervisor", &["zhao"]),
        ("finance", &["li", "wang"]),
        ("qc", &["sun"]),
        ("key_accounts", &["qian"]),
        ("expert", &["zhou", "wu"]),
    ] {
        directory = directory.with_role(RoleCode::new(role)?, people(members)?);
    }
    let limit = Some(yuan(1_000));
    directory = directory.with_person(ActorId::new("chen")?, Person { limit, ..Person::default() });
    let facts = Facts::new()
        .with(FactName::new(AMOUNT)?, Fact::Amount(yuan(3_199)))
        .with(FactName::new(GRANTED)?, Fact::Amount(yuan(0)))
        .with(FactName::new(REASON)?, Fact::code("quality"))
        .with(FactName::new(RECALLED)?, Fact::Flag(false))
        .with(FactName::new(TIER)?, Fact::code("standard"))
        .with(FactName::new(DISPUTED)?, Fact::Flag(false));
    let mut shop = Shop {
        workflow: verified.workflow,
        facts,
        directory,
        hours,
        log: vec![],
        case: Process::default(),
        commands: 0,
    };

    println!(
        "\n3. The way of a phone for 3199 yuan with a quality reason, before it is submitted\n"
    );
    let start = at("2026-03-02T01:30:00Z")?;
    for stop in forecast(&shop.context(), &ActorId::new("liu")?, start)? {
        let en = shop.label(&stop.state, Language::English);
        let zh = shop.label(&stop.state, Language::Chinese);
        let expected = match stop.expected {
            Expected::Asked { seats, left_out } => {
                let asked: Vec<_> = seats.iter().map(|seat| seat.person.to_string()).collect();
                let left: Vec<_> = left_out
                    .iter()
                    .map(|l| format!("{} ({})", l.person, l.because.label(Language::English)))
                    .collect();
                let left = if left.is_empty() {
                    String::new()
                } else {
                    format!("; not {}", left.join(", "))
                };
                format!("{}{left}", asked.join(", "))
            }
            Expected::Automatic { .. } => "decided by the system".into(),
            Expected::Stuck(reason) => reason.label(Language::English).into(),
            Expected::Awaited(events) => {
                let events: Vec<_> = events.iter().map(ToString::to_string).collect();
                format!("awaits {}", events.join(" or "))
            }
            Expected::Final(outcome) => format!("ends as {outcome}"),
        };
        println!("  {en} / {zh}: {expected}");
    }

    println!("\n4. The case\n");
    let approve = |comment: &str| Order::Approve { comment: comment.into() };
    shop.act(start, "liu", Order::Submit { case: CaseId::new("R-2026-0042")? })?;
    let back = Order::SendBack { to: BackTo::Requester, way: Way::Resume };
    shop.act(at("2026-03-02T02:00:00Z")?, "sun", back)?;
    shop.act(at("2026-03-02T05:00:00Z")?, "liu", Order::Resubmit)?;
    shop.time(at("2026-03-03T02:00:00Z")?)?;
    shop.act(at("2026-03-03T02:05:00Z")?, "sun", approve("screen fault confirmed"))?;
    shop.act(at("2026-03-03T02:10:00Z")?, "chen", approve(""))?;
    shop.act(at("2026-03-03T02:20:00Z")?, "wang", approve("as described"))?;
    shop.act(at("2026-03-03T02:30:00Z")?, "wang", approve("and for finance"))?;
    shop.act(at("2026-03-03T03:00:00Z")?, "li", approve(""))?;
    println!("\n5. Where it is now (Mermaid)\n");
    let here = shop.case.standing().map(|standing| standing.token.state.clone());
    let drawing = Drawing { language: Language::Chinese, at: here.as_ref() };
    for line in drawing.mermaid(&draft).lines() {
        println!("  {line}");
    }
    println!();
    shop.time(at("2026-03-11T00:00:00Z")?)?;
    let event = |name: &str| -> Result<Order, Box<dyn Error>> {
        Ok(Order::Fire { event: EventName::new(name)? })
    };
    shop.act(at("2026-03-11T06:00:00Z")?, "warehouse", event("received")?)?;
    shop.act(at("2026-03-11T07:00:00Z")?, "sun", event("inspected")?)?;
    let replayed = Process::replay(&shop.log)?;
    println!(
        "\n{} entries; replayed without definition or clock they give the same state: {}",
        shop.log.len(),
        replayed == shop.case
    );
    Ok(())
}
