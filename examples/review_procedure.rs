//! A review procedure with defects, the same one corrected, its diagram, and a case walking through it,
//! in English and Chinese.

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
use aftersale::preset::review::{AMOUNT, Bands, Procedure, RECALLED};
use aftersale::time::{Instant, Interval};
use aftersale::workflow::builder::{Approval, WorkflowBuilder};
use aftersale::workflow::compiled::Workflow;
use aftersale::workflow::defect::{Defect, DefectCode, Place, Silence, Taken, Witness};
use aftersale::workflow::definition::{Stability, Weight, WorkflowDraft};
use aftersale::workflow::difference::{Part, difference};
use aftersale::workflow::drawing::Drawing;
use aftersale::workflow::hours::OpeningHours;
use aftersale::workflow::journal::{Actor, Cause, Entry};
use aftersale::workflow::rule::{Mode, TimeoutAction};
use aftersale::workflow::span::Span;
use aftersale::workflow::verify::verify;
use aftersale::workflow::{EventName, RoleCode, StateId};

fn yuan(whole: i64) -> Money {
    Money::new(whole * 100, Currency::CNY)
}

fn at(text: &str) -> Result<Instant, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

/// Whether the procedure is written in a hurry, or with the six mistakes put right.
#[derive(Clone, Copy, PartialEq)]
enum Care {
    Hurry,
    Corrected,
}

fn procedure(care: Care) -> Result<WorkflowDraft, Box<dyn Error>> {
    let right = care == Care::Corrected;
    let amount = |check: Check| -> Result<Condition, Box<dyn Error>> {
        Ok(Condition::test(FactName::new(AMOUNT)?, check))
    };
    let limit = Fact::Amount(yuan(200));
    // Mistake 1: a jacket for exactly 200 yuan is neither small nor large.
    let small = if right { Check::AtMost(limit.clone()) } else { Check::Below(limit.clone()) };
    let recalled = Condition::test(FactName::new(RECALLED)?, Check::Is(Fact::Flag(true)));
    // Mistake 2: two people of a role with one member.
    let finance: &[&str] = if right { &["li", "zhao"] } else { &["li"] };
    let remind = TimeoutAction::Remind { times: 3 };
    Ok(WorkflowBuilder::new("returns_desk", if right { 2 } else { 1 })
        .label("Returns desk", "退货审核")
        .fact(AMOUNT, FactType::Amount(Currency::CNY), Stability::Frozen, Weight::Material)
        .fact(RECALLED, FactType::Flag, Stability::Frozen, Weight::Material)
        .guard("small", amount(small)?)
        .guard("large", amount(Check::Above(limit))?)
        .guard("recalled", recalled)
        .role_of("finance", finance.iter().copied())
        .role("service", "Service desk", "客服")
        .role("qc", "Quality control", "质检")
        .choice("band", |s| {
            s.label("By amount", "按金额分流").when("small", "review").when("large", "finance")
        })
        .approval(
            "review",
            Approval::new(Mode::Any, ["service"]).timeout(Span::business_hours(4), remind.clone()),
            |s| {
                let s =
                    s.label("Service review", "客服审核").approved("goods").rejected("declined");
                // Mistake 3: nobody answers, and the case waits for ever.
                if right {
                    s.leaves_after("silent", Span::business_hours(24), "declined")
                } else {
                    s
                }
            },
        )
        .approval(
            "finance",
            Approval::new(Mode::Count(2), ["finance"]).timeout(Span::business_hours(8), remind),
            |s| {
                let s = s
                    .label("Finance review", "财务审核")
                    .approved("goods")
                    .waits_because("finance answers every day");
                // Mistake 4: finance may reject, and then there is no way on.
                if right { s.rejected("declined") } else { s }
            },
        )
        .wait("goods", "customer", |s| {
            // Mistake 5: the reminder comes after the case has left.
            let day = if right { 7 } else { 20 };
            s.label("Goods on their way", "等待寄回")
                .on("received", "inspection")
                .leaves_after("late", Span::days(14), "chase")
                .reminds_after("remember", Span::days(day))
        })
        .wait("chase", "customer", |s| {
            // Mistake 6: the two waits pass the case to each other with nobody acting.
            let next = if right { "lapsed" } else { "goods" };
            s.label("Asked again", "催促寄回").on("received", "inspection").leaves_after(
                "again",
                Span::days(7),
                next,
            )
        })
        .task("inspection", "qc", |s| {
            s.label("Inspection", "质检验收")
                .on_if("inspected", "recalled", "quarantine")
                .on_otherwise("inspected", "refunded")
        })
        .task("quarantine", "qc", |s| {
            // Mistake 7: a recalled batch stays recalled, so inspection sends it back here for ever.
            let next = if right { "refunded" } else { "inspection" };
            s.label("Quarantine", "隔离").on("isolated", next)
        })
        .end_labeled("refunded", "Refunded", "已退款")
        .end_labeled("declined", "Declined", "已拒绝")
        .end_labeled(if right { "lapsed" } else { "never" }, "Lapsed", "逾期关闭")
        .finish()?)
}

/// The name of a state as people call it.
fn label(draft: &WorkflowDraft, state: &StateId, language: Language) -> String {
    let found = draft.states.iter().find(|drawn| drawn.id == *state);
    let text = found.map(|drawn| drawn.label.text(language)).filter(|text| !text.is_empty());
    text.unwrap_or(state.as_str()).to_owned()
}

/// What is wrong, as the author of the procedure would say it.
fn complaint(draft: &WorkflowDraft, defect: &Defect, language: Language) -> String {
    let zh = language == Language::Chinese;
    let facts = defect.witness.as_ref().map(|w| w.facts.to_string()).unwrap_or_default();
    let name = |state: &StateId| {
        let name = label(draft, state, language);
        if zh { format!("「{name}」") } else { format!("\"{name}\"") }
    };
    let detail = &defect.detail;
    match (&defect.at, defect.code) {
        (Place::State(at), DefectCode::NotTotal) if zh => {
            format!("{}：当 {facts} 时没有可走的分支", name(at))
        }
        (Place::State(at), DefectCode::NotTotal) => {
            format!("{} has no way for a case with {facts}", name(at))
        }
        (Place::State(at), DefectCode::DeadEnd) if zh => {
            format!("{}：有些案件会停在这里，再也无法离开", name(at))
        }
        (Place::State(at), DefectCode::DeadEnd) => {
            format!("{} is where such a case stays for ever", name(at))
        }
        (Place::State(at), DefectCode::Livelock) if zh => {
            format!("{}：当 {facts} 时案件会一直循环，永远不能结束", name(at))
        }
        (Place::State(at), DefectCode::Livelock) => {
            format!("{} goes round for ever for a case with {facts}", name(at))
        }
        (Place::State(at), DefectCode::SystemCycle) if zh => {
            format!("{}：无人处理时，计时器让案件不停地来回流转", name(at))
        }
        (Place::State(at), DefectCode::SystemCycle) => {
            format!("{} is part of a circle that timers alone keep turning", name(at))
        }
        (Place::State(at), DefectCode::ApprovalOutcomeUnhandled) if zh => {
            format!("{}：结果 {detail} 之后没有去向", name(at))
        }
        (Place::State(at), DefectCode::ApprovalOutcomeUnhandled) => {
            format!("{} leads nowhere after {detail}", name(at))
        }
        (Place::State(at), DefectCode::ApprovalUnsatisfiable) if zh => {
            format!("{}：永远无法通过（{detail}）", name(at))
        }
        (Place::State(at), DefectCode::ApprovalUnsatisfiable) => {
            format!("{} can never be approved: {detail}", name(at))
        }
        (Place::State(at), DefectCode::MissingTimer) if zh => {
            format!("{}：可能一直等下去；请设超时或写明理由", name(at))
        }
        (Place::State(at), DefectCode::MissingTimer) => {
            format!("{} may wait for ever; give it a timer, or say why not", name(at))
        }
        (Place::State(at), DefectCode::UnreachableState) if zh => {
            format!("{}：没有任何案件会到达", name(at))
        }
        (Place::State(at), DefectCode::UnreachableState) => {
            format!("{} is never reached by any case", name(at))
        }
        (Place::Timer(at, timer), DefectCode::DeadTransition) if zh => {
            format!("{}的计时器 {timer} 永远不会触发：案件早已离开", name(at))
        }
        (Place::Timer(at, timer), DefectCode::DeadTransition) => {
            format!("timer `{timer}` of {} never acts: the case has left before", name(at))
        }
        (at, code) => format!("{at}: {} {detail}", code.label(language)),
    }
}

/// The way there, in the names people use.
fn way(draft: &WorkflowDraft, witness: &Witness, language: Language) -> Option<String> {
    let (first, _) = witness.path.split_first()?;
    let mut told = label(draft, &first.from, language);
    for step in &witness.path {
        let by = match &step.by {
            Taken::Arrow(id) => {
                let arrow = draft.arrows.iter().find(|arrow| arrow.id == *id)?;
                arrow.on.as_ref().map(ToString::to_string).unwrap_or_default()
            }
            Taken::Timer(timer) => format!("{timer}"),
        };
        let facts = step.facts.to_string();
        let why = if by.is_empty() { facts } else { by };
        told += &format!(" -({why})-> {}", label(draft, &step.to, language));
    }
    Some(told)
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

    /// The way of a case that somebody would submit.
    fn foretell(&self, who: &str, at: Instant) -> Result<(), Box<dyn Error>> {
        for stop in forecast(&self.context(), &ActorId::new(who)?, at)? {
            let name = |language| self.label(&stop.state, language);
            let told = |language| expectation(stop.expected.clone(), language);
            println!("  {}: {}", name(Language::English), told(Language::English));
            println!("  {}：{}", name(Language::Chinese), told(Language::Chinese));
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

    fn label(&self, state: &StateId, language: Language) -> String {
        label(self.workflow.draft(), state, language)
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
                    (Cause::Occurred, false) => "something that happened",
                    (Cause::Occurred, true) => "外部事件",
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

/// The people of the shop.
fn people() -> Result<Directory, Box<dyn Error>> {
    let ids = |names: &[&str]| -> Result<Vec<ActorId>, Box<dyn Error>> {
        Ok(names.iter().map(ActorId::new).collect::<Result<_, _>>()?)
    };
    let mut directory = Directory::default();
    for (role, members) in
        [("service", &["wang", "chen"][..]), ("finance", &["li", "zhao"]), ("qc", &["sun"])]
    {
        directory = directory.with_role(RoleCode::new(role)?, ids(members)?);
    }
    // Wang stands in for zhao, who is away on the second day.
    let away = Interval::new(at("2026-03-02T12:00:00Z")?, at("2026-03-04T00:00:00Z")?)?;
    let substitute = Some(ActorId::new("wang")?);
    let zhao = Person { absent: vec![away], substitute, ..Person::default() };
    Ok(directory.with_person(ActorId::new("zhao")?, zhao))
}

/// 9 to 17 o'clock in Shanghai, every day of two months.
fn opening_hours() -> Result<OpeningHours, Box<dyn Error>> {
    let first = at("2026-03-02T01:00:00Z")?;
    let hours = (0..60).map(|day| -> Result<Interval, Box<dyn Error>> {
        let open = first + chrono::TimeDelta::days(day);
        Ok(Interval::new(open, open + chrono::TimeDelta::hours(8))?)
    });
    Ok(OpeningHours::new(hours.collect::<Result<Vec<_>, _>>()?))
}

fn expectation(expected: Expected, language: Language) -> String {
    let zh = language == Language::Chinese;
    let list = |names: Vec<String>| names.join(if zh { "、" } else { ", " });
    match expected {
        Expected::Asked { seats, left_out } => {
            let asked = list(seats.iter().map(|seat| seat.person.to_string()).collect());
            let left: Vec<String> = left_out
                .iter()
                .map(|l| format!("{} ({})", l.person, l.because.label(language)))
                .collect();
            match (left.is_empty(), zh) {
                (true, false) => format!("{asked} will be asked"),
                (true, true) => format!("由 {asked} 审批"),
                (false, false) => format!("{asked} will be asked, not {}", list(left)),
                (false, true) => format!("由 {asked} 审批，不含 {}", list(left)),
            }
        }
        Expected::Automatic { .. } if zh => "系统自动处理".into(),
        Expected::Automatic { .. } => "decided by the system".into(),
        Expected::Stuck(reason) => reason.label(language).into(),
        Expected::Awaited(events) => {
            let events = list(events.iter().map(ToString::to_string).collect());
            if zh { format!("等待 {events}") } else { format!("waits for {events}") }
        }
        Expected::Final(outcome) if zh => format!("结束：{outcome}"),
        Expected::Final(outcome) => format!("ends: {outcome}"),
    }
}

fn show_defects(draft: &WorkflowDraft) {
    let defects = verify(draft).err().unwrap_or_default();
    println!("  {} complaints. The procedure cannot be put to use.\n", defects.len());
    for (number, defect) in defects.iter().enumerate() {
        println!("  {}. {}", number + 1, complaint(draft, defect, Language::English));
        println!("     {}", complaint(draft, defect, Language::Chinese));
        let way_of = |language| defect.witness.as_ref().and_then(|w| way(draft, w, language));
        if let (Some(en), Some(zh)) = (way_of(Language::English), way_of(Language::Chinese)) {
            println!("     how a case gets there: {en}");
            println!("     路径：{zh}");
        }
    }
}

fn show_silences(draft: &WorkflowDraft, silences: &[Silence]) {
    println!("\n  The longest a case can lie while nobody acts:");
    for silence in silences {
        let state = label(draft, &silence.state, Language::English);
        let here =
            silence.here.map_or_else(|| "until somebody acts".into(), |stay| stay.to_string());
        let onward = if silence.until == silence.state {
            String::new()
        } else {
            let end = label(draft, &silence.until, Language::English);
            format!("; untouched it gets to \"{end}\" in {}", silence.total)
        };
        println!("    {state:<20} {here}{onward}");
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("1. A returns procedure, written in a hurry\n");
    show_defects(&procedure(Care::Hurry)?);

    println!("\n2. The same procedure, corrected\n");
    let (hurried, draft) = (procedure(Care::Hurry)?, procedure(Care::Corrected)?);
    let verified = verify(&draft).map_err(|defects| defects[0].to_string())?;
    println!("  {} states, {} arrows, no defects.", draft.states.len(), draft.arrows.len());
    let changed = difference(&hurried, &draft).into_iter().filter_map(|one| match one.part {
        Part::State(state) => Some(format!("`{state}` {}", one.fate.label(Language::English))),
        Part::Role(role) => Some(format!("role `{role}` {}", one.fate.label(Language::English))),
        _ => None,
    });
    println!("  Changed: {}.", changed.collect::<Vec<_>>().join(", "));
    show_silences(&draft, &verified.silences);

    let facts = Facts::new()
        .with(FactName::new(AMOUNT)?, Fact::Amount(yuan(3_199)))
        .with(FactName::new(RECALLED)?, Fact::Flag(false));
    let mut shop = Shop {
        workflow: verified.workflow,
        facts,
        directory: people()?,
        hours: opening_hours()?,
        log: vec![],
        case: Process::default(),
        commands: 0,
    };

    println!("\n3. What awaits a phone for 3199 yuan, told before it is submitted\n");
    let start = at("2026-03-02T01:30:00Z")?;
    for stop in forecast(&shop.context(), &ActorId::new("li")?, start)? {
        let (en, zh) = (
            shop.label(&stop.state, Language::English),
            shop.label(&stop.state, Language::Chinese),
        );
        println!("  {en}: {}", expectation(stop.expected.clone(), Language::English));
        println!("  {zh}：{}", expectation(stop.expected, Language::Chinese));
    }
    println!(
        "\n  Li works in finance and cannot approve a case of their own, and zhao alone is too few.\n  \
         So liu of the front desk submits it.\n  \
         李在财务，不能审批自己的申请，只剩赵一人不够；改由前台刘提交，再看一次：\n"
    );

    shop.foretell("liu", start)?;

    println!("\n4. The case (times in UTC)\n");
    let approve = |comment: &str| Order::Approve { comment: comment.into() };
    let back = Order::SendBack { to: BackTo::Requester, way: Way::Resume };
    shop.act(start, "liu", Order::Submit { case: CaseId::new("R-2026-0042")? })?;
    shop.act(at("2026-03-02T01:40:00Z")?, "liu", approve(""))?;
    shop.act(at("2026-03-02T02:00:00Z")?, "li", back)?;
    shop.act(at("2026-03-02T12:30:00Z")?, "liu", Order::Resubmit)?;
    shop.time(at("2026-03-03T10:00:00Z")?)?;
    shop.act(at("2026-03-04T01:05:00Z")?, "li", approve("the photo shows the fault"))?;
    shop.act(at("2026-03-04T01:10:00Z")?, "li", approve("and once more"))?;
    shop.act(at("2026-03-04T02:20:00Z")?, "wang", approve("for zhao, who is away"))?;

    println!("\n5. Where it is now (Mermaid)\n");
    let here = shop.case.standing().map(|standing| standing.token.state.clone());
    let drawing = Drawing { language: Language::Chinese, at: here.as_ref() };
    for line in drawing.mermaid(&draft).lines() {
        println!("  {line}");
    }

    println!("\n6. The phone comes back\n");
    shop.time(at("2026-03-12T00:00:00Z")?)?;
    let event = |name: &str| -> Result<Order, Box<dyn Error>> {
        Ok(Order::Fire { event: EventName::new(name)? })
    };
    shop.act(at("2026-03-12T06:00:00Z")?, "warehouse", event("received")?)?;
    shop.act(at("2026-03-12T07:00:00Z")?, "sun", event("inspected")?)?;
    let replayed = Process::replay(&shop.log)?;
    assert_eq!(replayed, shop.case);
    println!(
        "\n  {} entries are stored; replayed without definition or clock they give the same state.",
        shop.log.len()
    );

    println!("\n7. Procedures that come with the crate\n");
    let bands = Bands { small: yuan(50), granted_below: yuan(200), large: yuan(2_000) };
    for procedure in Procedure::ALL {
        let draft = procedure.draft(&bands)?;
        let verdict = if verify(&draft).is_ok() { "sound" } else { "defective" };
        let (en, zh) = (draft.label.text(Language::English), draft.label.text(Language::Chinese));
        println!("  {procedure:<16} {en} / {zh}: {} states, {verdict}", draft.states.len());
    }
    Ok(())
}
