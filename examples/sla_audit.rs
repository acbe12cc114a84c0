//! Audits the deadline flag of a real service desk: 141,712 events of 24,918 tickets.
//!
//! The desk's own flag says that nearly every urgent ticket was late. Three clocks are run over the
//! same events: one that stops when a ticket is closed (what the flag measures), one that stops when
//! it is resolved, and one that also stands still while the customer or a supplier must act. The
//! difference is told ticket by ticket.
//!
//! Run with `cargo run --release --example sla_audit`; the page goes to `target/sla_audit.html`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::time::Instant as Stopwatch;

use aftersale::calendar::book::Calendars;
use aftersale::condition::schema::{FactType, Schema};
use aftersale::explain::Fact;
use aftersale::id::{CaseId, FactName, GoalId, PolicyId};
use aftersale::sla::account::{AccountClass, AccountPart};
use aftersale::sla::book::SlaBook;
use aftersale::sla::evaluation::Verdict;
use aftersale::sla::history::{CaseEvent, CaseHistory, Happening};
use aftersale::time::Instant;
use chrono::NaiveDateTime;
use flate2::read::GzDecoder;
use serde_json::json;

#[path = "support/mod.rs"]
mod support;

use support::body::{Table, Tone};
use support::charts::columns::{Height, Stacked};
use support::charts::lines::Steps;
use support::page::{Page, Tile};
use support::terminal::{Columns, Side, heading, paragraph, title};
use support::text::{Format, count, percent};

type Outcome<T> = Result<T, Box<dyn Error>>;

const PRIORITIES: [&str; 4] = ["1 critical", "2 high", "3 moderate", "4 low"];
const CLOCKS: [&str; 3] = ["closing", "resolving", "honest"];

/// One ticket as the log has it.
struct Ticket {
    number: String,
    priority: usize,
    /// The desk's own flag on the last row.
    kept: bool,
    opened: Instant,
    closed: Instant,
    history: CaseHistory,
}

/// What the three clocks say about one ticket.
struct Audit {
    priority: usize,
    kept: bool,
    late: [bool; 3],
    /// Used over promised, in percent; up to now for a clock that never stopped.
    used: [Option<f64>; 3],
    ticket: usize,
}

fn main() -> Outcome<()> {
    let started = Stopwatch::now();
    let tickets = read()?;
    let targets: Vec<(i64, f64)> = (0..4).map(|priority| infer(&tickets, priority)).collect();
    let book = book(&targets)?;
    let calendars = Calendars::new(); // all clocks run on the wall, as the desk's does
    let now = instant("2018-01-01T00:00")?;
    let clock = Stopwatch::now();
    let audits: Vec<Audit> = tickets
        .iter()
        .enumerate()
        .map(|(place, ticket)| audit(&book, &calendars, ticket, place, now))
        .collect();
    let each = clock.elapsed().as_nanos() / tickets.len() as u128;
    let figures: Vec<Figures> =
        (0..4).map(|p| Figures::of(audits.iter().filter(|a| a.priority == p))).collect();
    let all = Figures::of(audits.iter());

    // A ticket worth reading: late only by waiting, with work on both sides of it.
    let example = audits
        .iter()
        .filter(|a| a.late[1] && !a.late[2] && a.used[2].is_some_and(|used| used > 30.0))
        .map(|audit| &tickets[audit.ticket])
        .map(|ticket| (ticket, account(&book, &calendars, ticket, now)))
        .filter(|(_, parts)| parts.len() >= 5)
        .min_by_key(|(ticket, parts)| (parts.len(), ticket.number.clone()));

    print!("{}", terminal(&targets, &figures, &all, example.as_ref()));
    let path = Path::new("target/sla_audit.html");
    std::fs::create_dir_all("target")?;
    std::fs::write(path, page(&targets, &figures, &all, &audits, example.as_ref()))?;
    eprintln!(
        "\n  {} written; {:.2} s in all, {each} ns to evaluate a ticket with three clocks",
        path.display(),
        started.elapsed().as_secs_f64(),
    );
    Ok(())
}

fn instant(text: &str) -> Outcome<Instant> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M");
    Ok(time.map_err(|error| error.to_string())?.and_utc())
}

/// Reads the log. Event time is the time of the update: the other times stand on every row, also
/// before they happened.
fn read() -> Outcome<Vec<Ticket>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/data/incident-sla/incident_events.csv.gz");
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(path)?));
    let heads = reader.headers()?.clone();
    let column =
        |name: &str| heads.iter().position(|head| head == name).ok_or("a column is missing");
    let (number, state, kept) = (column("number")?, column("incident_state")?, column("made_sla")?);
    let (opened, closed) = (column("opened_at")?, column("closed_at")?);
    let (updated, priority) = (column("sys_updated_at")?, column("priority")?);
    let name = |text: &str| FactName::new(text);

    let mut rows: BTreeMap<String, Vec<csv::StringRecord>> = BTreeMap::new();
    for row in reader.records() {
        let row = row?;
        rows.entry(row[number].to_owned()).or_default().push(row);
    }
    let mut tickets = Vec::with_capacity(rows.len());
    for (id, rows) in rows {
        let (first, last) = rows.first().zip(rows.last()).ok_or("a ticket without rows")?;
        let start = instant(&last[opened])?;
        let mut events = vec![
            CaseEvent {
                at: start,
                what: Happening::Attached {
                    policy: PolicyId::new("desk")?,
                    version: 1,
                    mode: None,
                },
            },
            // The first row may be written after the ticket was opened, and with its resolution.
            CaseEvent {
                at: start,
                what: Happening::set(name("priority")?, Fact::Count(first[priority].parse()?)),
            },
            CaseEvent { at: start, what: Happening::once(name("event")?, Fact::code("opened")) },
        ];
        for row in &rows {
            // A few rows carry a state that is not one; they change nothing.
            if &row[state] == "-100" {
                continue;
            }
            let facts = [
                (name("state")?, Fact::code(row[state].to_lowercase().replace(' ', "_"))),
                (name("priority")?, Fact::Count(row[priority].parse()?)),
            ];
            let set = facts.into_iter().collect();
            let what =
                Happening::Facts { set, unset: Default::default(), once: Default::default() };
            events.push(CaseEvent { at: instant(&row[updated])?.max(start), what });
        }
        tickets.push(Ticket {
            priority: last[priority].parse::<usize>()? - 1,
            kept: &last[kept] == "true",
            opened: start,
            closed: instant(&last[closed])?,
            history: CaseHistory::new(CaseId::new(&id)?, events)?,
            number: id,
        });
    }
    Ok(tickets)
}

/// The whole number of hours from opening to closing that agrees best with the desk's flag, and how
/// well it agrees; the longest of several that agree alike. The desk does not publish its targets.
fn infer(tickets: &[Ticket], priority: usize) -> (i64, f64) {
    let mut own: Vec<(i64, bool)> = tickets
        .iter()
        .filter(|ticket| ticket.priority == priority)
        .map(|ticket| ((ticket.closed - ticket.opened).num_seconds(), ticket.kept))
        .collect();
    own.sort_unstable();
    // With a target below all durations, every ticket would be late.
    let mut agree = own.iter().filter(|(_, kept)| !kept).count();
    let (mut best, mut next) = ((1, 0), 0);
    for hours in 1..=3_000 {
        while let Some((_, kept)) = own.get(next).filter(|(seconds, _)| *seconds <= hours * 3600) {
            agree = if *kept { agree + 1 } else { agree - 1 };
            next += 1;
        }
        if agree >= best.1 {
            best = (hours, agree);
        }
    }
    (best.0, best.1 as f64 / own.len().max(1) as f64)
}

/// One policy with three clocks; the targets are the desk's, by priority.
fn book(targets: &[(i64, f64)]) -> Outcome<SlaBook> {
    let is = |fact: &str, value: &str| json!({"test": {"fact": fact, "is": {"type": "code", "value": value}}});
    let done = json!({"test": {"fact": "state", "one_of": ["resolved", "closed"]}});
    let closed = is("state", "closed");
    let rules: Vec<_> = targets
        .iter()
        .zip(1..)
        .map(|((hours, _), priority)| {
            json!({"id": format!("priority_{priority}"),
                   "when": {"test": {"fact": "priority", "is": {"type": "count", "value": priority}}},
                   "target": {"clock": "calendar", "seconds": hours * 3600}})
        })
        .collect();
    let goal = |id: &str, stop: &serde_json::Value, honors: &str| {
        json!({"id": id, "metric": "resolution", "start": {"when": is("event", "opened")},
               "stop": {"when": stop}, "reopen": {"when": {"not": stop}}, "honors": honors,
               "targets": rules})
    };
    let pause = |id: &str, turn: &str| json!({"id": id, "turn": turn, "while": is("state", id)});
    let draft = json!({
        "pauses": [pause("awaiting_user_info", "customer"), pause("awaiting_evidence", "customer"),
                   pause("awaiting_vendor", "supplier")],
        "policies": [{"id": "desk", "kind": "internal", "goals": [
            goal("closing", &closed, "nothing"), goal("resolving", &done, "nothing"),
            goal("honest", &done, "every")]}],
    });
    let schema = Schema::new()
        .with_optional(FactName::new("event")?, FactType::Code(Default::default()))
        .with_optional(FactName::new("state")?, FactType::Code(Default::default()))
        .with_optional(FactName::new("priority")?, FactType::Count);
    SlaBook::verify(serde_json::from_value(draft)?, &schema)
        .map_err(|defects| format!("{defects:?}").into())
}

fn audit(
    book: &SlaBook,
    calendars: &Calendars,
    ticket: &Ticket,
    place: usize,
    now: Instant,
) -> Audit {
    let found = book.evaluate(calendars, &ticket.history, now);
    let goal = |n: usize| &found.goals[n];
    let used = |n: usize| {
        let share = goal(n).share_used?;
        Some(share.numerator() as f64 / share.denominator() as f64 * 100.0)
    };
    Audit {
        priority: ticket.priority,
        kept: ticket.kept,
        late: [0, 1, 2].map(|n| goal(n).verdict == Verdict::Breached),
        used: [0, 1, 2].map(used),
        ticket: place,
    }
}

/// Where the time of one ticket went, by the honest clock.
fn account(
    book: &SlaBook,
    calendars: &Calendars,
    ticket: &Ticket,
    now: Instant,
) -> Vec<AccountPart> {
    let (policy, goal) = (PolicyId::new("desk").unwrap(), GoalId::new("honest").unwrap());
    let until = ticket.closed.min(now);
    book.account(calendars, &ticket.history, &policy, &goal, until).unwrap_or_default()
}

/// Counts of one group of tickets.
#[derive(Clone, Copy, Default)]
struct Figures {
    tickets: i128,
    flagged: i128,
    late: [i128; 3],
    /// Flagged late, resolved in time.
    by_closing: i128,
    /// Flagged late, in time once waiting is left out.
    by_waiting: i128,
    /// Flagged late, and late.
    truly: i128,
    /// Flagged as kept, and late.
    unseen: i128,
    /// The flag and the closing clock agree.
    agree: i128,
}

impl Figures {
    fn of<'a>(audits: impl Iterator<Item = &'a Audit>) -> Self {
        let mut sum = Self::default();
        for audit in audits {
            let flagged = !audit.kept;
            let add = |to: &mut i128, holds: bool| *to += i128::from(holds);
            add(&mut sum.tickets, true);
            add(&mut sum.flagged, flagged);
            for (late, holds) in sum.late.iter_mut().zip(audit.late) {
                add(late, holds);
            }
            add(&mut sum.by_closing, flagged && !audit.late[1]);
            add(&mut sum.by_waiting, flagged && audit.late[1] && !audit.late[2]);
            add(&mut sum.truly, flagged && audit.late[2]);
            add(&mut sum.unseen, !flagged && audit.late[2]);
            add(&mut sum.agree, flagged == audit.late[0]);
        }
        sum
    }
}

const HEADS: [&str; 7] =
    ["priority", "tickets", "target", "flag: late", "closing", "resolving", "honest"];

/// Shares of tickets late, per priority and in all.
fn rows(targets: &[(i64, f64)], figures: &[Figures], all: &Figures) -> Vec<Vec<String>> {
    let row = |name: &str, target: String, f: &Figures| {
        let share = |part: i128| percent(part, f.tickets, 1);
        vec![
            name.to_owned(),
            count(f.tickets),
            target,
            share(f.flagged),
            share(f.late[0]),
            share(f.late[1]),
            share(f.late[2]),
        ]
    };
    let mut rows: Vec<Vec<String>> = PRIORITIES
        .iter()
        .zip(targets)
        .zip(figures)
        .map(|((name, (hours, _)), f)| row(name, format!("{hours} h"), f))
        .collect();
    rows.push(row("all", String::new(), all));
    rows
}

const REASONS: [&str; 5] = ["priority", "flagged late", "closed late", "waiting", "truly late"];

/// Why tickets were flagged late, per priority and in all.
fn reasons(figures: &[Figures], all: &Figures) -> Vec<Vec<String>> {
    let row = |(name, f): (&str, &Figures)| {
        let mut row = vec![name.to_owned()];
        row.extend([f.flagged, f.by_closing, f.by_waiting, f.truly].map(count));
        row
    };
    PRIORITIES.into_iter().zip(figures).chain([("all", all)]).map(row).collect()
}

fn story(figures: &[Figures], all: &Figures) -> Vec<String> {
    let critical = &figures[0];
    vec![
        format!(
            "The flag calls {} of all tickets late, and {} of the critical ones. A clock that stops when the ticket is resolved, and stands still while the user or a vendor must act, calls {} and {} late.",
            percent(all.flagged, all.tickets, 1),
            percent(critical.flagged, critical.tickets, 1),
            percent(all.late[2], all.tickets, 1),
            percent(critical.late[2], critical.tickets, 1),
        ),
        format!(
            "Of {} tickets flagged late, {} were resolved in time and only closed late, {} were in time once waiting is left out, and {} were late by any clock.",
            count(all.flagged),
            count(all.by_closing),
            count(all.by_waiting),
            count(all.truly),
        ),
        format!(
            "The flag is the closing clock: the two agree on {} of the tickets. {} that the flag calls kept {} late by the honest clock.",
            percent(all.agree, all.tickets, 2),
            if all.unseen == 0 {
                "No ticket".to_owned()
            } else {
                format!("{} tickets", count(all.unseen))
            },
            if all.unseen == 0 { "was" } else { "were" },
        ),
    ]
}

fn told(part: &AccountPart) -> (String, String) {
    let minutes = part.period.seconds() / 60;
    let class = match &part.class {
        AccountClass::Counted => "counted".to_owned(),
        AccountClass::Stopped => "resolved, not closed yet".to_owned(),
        other => other.to_string().replace('_', " "),
    };
    (class, format!("{} h {:02} min", minutes / 60, minutes % 60))
}

type Example<'a> = (&'a Ticket, Vec<AccountPart>);

fn terminal(
    targets: &[(i64, f64)],
    figures: &[Figures],
    all: &Figures,
    example: Option<&Example<'_>>,
) -> String {
    let mut out = title("Was the deadline missed? A service desk's flag against three clocks");
    for line in story(figures, all) {
        out.push_str(&paragraph(&line));
    }
    let table = |heads: &[&'static str], rows: Vec<Vec<String>>| {
        let side = |n: usize| if n == 0 { Side::Left } else { Side::Right };
        let sides: Vec<(&str, Side)> =
            heads.iter().enumerate().map(|(n, head)| (*head, side(n))).collect();
        let mut table = Columns::new(&sides);
        for (n, row) in rows.into_iter().enumerate() {
            if n == PRIORITIES.len() {
                table.rule();
            }
            table.row(row);
        }
        table.render()
    };
    out.push_str(&heading("Share of tickets late, per priority"));
    out.push_str(&table(&HEADS, rows(targets, figures, all)));
    out.push_str(&paragraph(
        "Targets are not published: each is the whole number of hours from opening to closing that agrees best with the flag, the longest of several that agree alike.",
    ));
    out.push_str(&heading("Why they were flagged late, per priority"));
    out.push_str(&table(&REASONS, reasons(figures, all)));
    out.push_str(&paragraph(
        "Closed late: resolved in time, only closed late. Waiting: in time once the waiting for the user or a vendor is left out. Truly late: late by any clock.",
    ));
    if let Some((ticket, parts)) = example {
        out.push_str(&heading(&format!("Where the time of ticket {} went", ticket.number)));
        let mut table =
            Columns::new(&[("from", Side::Left), ("class", Side::Left), ("length", Side::Right)]);
        for part in parts {
            let (class, length) = told(part);
            table.row([part.period.start().format("%Y-%m-%d %H:%M").to_string(), class, length]);
        }
        out.push_str(&table.render());
    }
    out
}

/// Rows of priorities and, last, of all.
fn fill(table: &mut Table, mut rows: Vec<Vec<String>>) {
    let total = rows.pop();
    for row in rows {
        table.row(row);
    }
    if let Some(total) = total {
        table.total(total);
    }
}

/// The share of tickets that would be late if the target were a share of what it is.
fn breaches(audits: &[Audit], clock: usize) -> Vec<(f64, f64)> {
    let mut used: Vec<f64> = audits.iter().filter_map(|audit| audit.used[clock]).collect();
    used.sort_by(f64::total_cmp);
    let all = audits.len() as f64;
    (0..=60)
        .map(|step| {
            let limit = f64::from(step) * 5.0;
            (limit, 1.0 - used.partition_point(|used| *used <= limit) as f64 / all)
        })
        .collect()
}

fn page(
    targets: &[(i64, f64)],
    figures: &[Figures],
    all: &Figures,
    audits: &[Audit],
    example: Option<&Example<'_>>,
) -> String {
    let mut page = Page::new(
        "en",
        "Deadline audit",
        "Was the deadline missed?",
        "24,918 real tickets, one flag, three clocks: one stops at closing, one at resolving, and the honest one also stands still while the user or a vendor must act.",
    );
    page.tile(
        Tile::new("Flagged late", &percent(all.flagged, all.tickets, 1), "by the desk's own flag")
            .tone(Tone::Bad),
    );
    page.tile(Tile::new(
        "Late by closing",
        &percent(all.late[0], all.tickets, 1),
        "agrees with the flag",
    ));
    page.tile(
        Tile::new(
            "Late by resolving",
            &percent(all.late[1], all.tickets, 1),
            "work was done later than promised",
        )
        .tone(Tone::Warn),
    );
    page.tile(
        Tile::new(
            "Late, honestly",
            &percent(all.late[2], all.tickets, 1),
            "waiting for others left out",
        )
        .tone(Tone::Good),
    );
    page.section("Finding", "The flag measures when somebody pressed Close", |body| {
        for line in story(figures, all) {
            body.text(&line);
        }
        let heads =
            ["priority", "#tickets", "#target", "#flag", "#closing", "#resolving", "#honest"];
        let mut table = Table::new("Share of tickets late, by clock", &heads);
        fill(&mut table, rows(targets, figures, all));
        body.table(&table);
    });
    page.section("Why", "Why tickets were flagged late", |body| {
        let part = |name: &str, value: fn(&Figures) -> i128| {
            (name.to_owned(), figures.iter().map(|f| value(f) as f64).collect())
        };
        let chart = Stacked {
            title: "Tickets flagged late, by what made them late".into(),
            names: PRIORITIES.iter().map(|name| (*name).to_owned()).collect(),
            parts: vec![
                part("closed late", |f| f.by_closing),
                part("waiting", |f| f.by_waiting),
                part("truly late", |f| f.truly),
            ],
            format: Format::Percent(0),
            height: Height::Share,
        };
        body.figure(
            &chart,
            "Each column is one priority. Closed late: resolved in time, only closed late. Waiting: in time once the waiting for the user or a vendor is left out. Truly late: late by any clock.",
        );
        let heads = ["priority", "#flagged late", "#closed late", "#waiting", "#truly late"];
        let mut table = Table::new("Tickets flagged late, and why", &heads);
        fill(&mut table, reasons(figures, all));
        body.table(&table);
    });
    page.section("Breach curve", "How late, and by how much", |body| {
        let chart = Steps {
            title: "Share of tickets late, if the target were longer or shorter".into(),
            curves: CLOCKS
                .iter()
                .enumerate()
                .map(|(n, name)| ((*name).to_owned(), breaches(audits, n)))
                .collect(),
            marks: vec![(100.0, "the target".into())],
            x_format: Format::Plain(0, "%"),
            y_format: Format::Percent(0),
        };
        body.figure(&chart, "Read upwards at any share of the target: that many tickets took longer, by that clock. At 100 % the three curves show the shares of the table. The distance between them is the time between resolving and closing, and the time spent waiting.");
    });
    if let Some((ticket, parts)) = example {
        page.section("One ticket", &format!("Where the time of ticket {} went", ticket.number), |body| {
            let mut table = Table::new("The honest clock, stretch by stretch", &["from", "what it was", "#length"]);
            for part in parts {
                let (class, length) = told(part);
                let tone = if part.class == AccountClass::Counted { Tone::Plain } else { Tone::Note };
                let from = part.period.start().format("%Y-%m-%d %H:%M").to_string();
                table.toned(tone, [from, class, length]);
            }
            body.table(&table);
            body.small("The stretches touch and sum to the whole time; only what is counted uses up the target.");
        });
    }
    page.section("Limits", "What this data cannot know", |body| {
        let agreement: Vec<String> = PRIORITIES
            .iter()
            .zip(targets)
            .map(|(name, (hours, share))| format!("{name}: {hours} h, agrees with the flag on {:.1} %", share * 100.0))
            .collect();
        body.list(&[
            "The desk's targets are not published; they are inferred from the flag, per priority.",
            "Times have minutes only and no zone, so business hours cannot be told; all clocks run on the wall.",
            "1,556 tickets carry no time of resolution; the state of each event is used instead.",
        ]);
        body.list(&agreement);
    });
    page.footer("Data: Incident management process enriched event log, UCI Machine Learning Repository 498 (Amaral, Fantinato, Peres), CC BY 4.0.");
    page.footer("Made by `cargo run --release --example sla_audit`.");
    page.render()
}
