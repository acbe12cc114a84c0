//! Service tickets: how long, whether within the service goal, whether right the first time.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;

use aftersale::analytics::measure::{Desk, Outcome};
use aftersale::analytics::waiting::Wait;
use chrono::{Datelike, NaiveDateTime};

/// One ticket as its last row leaves it.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// When it was opened.
    pub opened: NaiveDateTime,
    /// When it was resolved, if it was.
    pub resolved: Option<NaiveDateTime>,
    /// The last thing known about it.
    pub seen: NaiveDateTime,
    /// The flag of the service goal.
    pub goal: Outcome,
    /// How often it was reopened.
    pub reopened: u32,
    /// From 1, critical, to 4, low.
    pub priority: u8,
}

impl Ticket {
    /// Calendar seconds from opening to resolution, or so far.
    pub fn wait(&self) -> Wait {
        let seconds =
            |end: NaiveDateTime| u64::try_from((end - self.opened).num_seconds()).unwrap_or(0);
        self.resolved.map_or_else(|| Wait::Open(seconds(self.seen)), |end| Wait::Done(seconds(end)))
    }

    /// ISO week of opening.
    pub fn week(&self) -> String {
        let week = self.opened.date().iso_week();
        format!("{}-W{:02}", week.year(), week.week())
    }
}

fn time(text: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok()
}

/// Reads the log; the last row of a ticket counts.
pub fn read(path: &str) -> Result<Vec<Ticket>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(File::open(path)?));
    let heads = reader.headers()?.clone();
    let place = |name: &str| heads.iter().position(|head| head == name).ok_or(name.to_owned());
    let (number, opened, resolved, seen) =
        (place("number")?, place("opened_at")?, place("resolved_at")?, place("sys_updated_at")?);
    let (goal, reopened, priority) =
        (place("made_sla")?, place("reopen_count")?, place("priority")?);
    let mut tickets: BTreeMap<String, Ticket> = BTreeMap::new();
    for record in reader.records() {
        let record = record?;
        let field = |at: usize| record.get(at).unwrap_or("");
        let (Some(opened), Some(seen)) = (time(field(opened)), time(field(seen))) else { continue };
        let ticket = Ticket {
            opened,
            resolved: time(field(resolved)).filter(|end| *end >= opened),
            seen,
            goal: if field(goal) == "true" { Outcome::Yes } else { Outcome::No },
            reopened: field(reopened).parse().unwrap_or(0),
            priority: field(priority).parse().unwrap_or(0),
        };
        tickets.insert(field(number).to_owned(), ticket);
    }
    Ok(tickets.into_values().collect())
}

/// Counts tickets as a returns desk counts cases.
pub fn desk(tickets: &[Ticket]) -> Result<Desk, Box<dyn Error>> {
    let mut desk = Desk::default();
    for ticket in tickets {
        if let Wait::Done(seconds) = ticket.wait() {
            desk.handling_time.observe(seconds)?;
        }
        desk.goals.observe(ticket.goal)?;
        let right = if ticket.reopened == 0 { Outcome::Yes } else { Outcome::No };
        desk.first_time_right.observe(right)?;
    }
    Ok(desk)
}
