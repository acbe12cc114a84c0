//! Open actions with verified effects. The actions are made up; every count is real.

use std::error::Error;

use aftersale::analytics::rate::Proportion;
use aftersale::id::ActorId;
use aftersale::improvement::verify::{Control, Evidence, Plan, Test};
use aftersale::improvement::{
    Command, DepartmentId, Improvement, ImprovementId, IssueId, Planning, decide, evolve,
};
use aftersale::time::Instant;
use chrono::{NaiveDate, NaiveTime};

/// What an action is and what is known about its effect.
pub struct Case {
    pub id: &'static str,
    pub issue: String,
    pub title: String,
    pub owner: &'static str,
    pub department: &'static str,
    pub planned: NaiveDate,
    pub due: NaiveDate,
    pub from: String,
    pub to: String,
    pub test: Test,
    pub done: bool,
    pub after_from: NaiveDate,
    pub before: Proportion,
    pub after: Vec<Proportion>,
    pub control: Option<Control>,
}

fn noon(day: NaiveDate) -> Instant {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Takes an action through its life; the second part is what the engine refused, if it did.
pub fn live(case: &Case) -> Result<(Improvement, Option<String>), Box<dyn Error>> {
    let plan = Plan::new(case.from.parse()?, case.to.parse()?, case.test)?;
    let planning = Planning {
        id: ImprovementId::new(case.id)?,
        issue: IssueId::new(&case.issue)?,
        title: case.title.clone(),
        owner: ActorId::new(case.owner)?,
        department: DepartmentId::new(case.department)?,
        due: case.due,
        plan,
    };
    let evidence = Evidence {
        after_from: case.after_from,
        before: case.before,
        after: case.after.clone(),
        control: case.control,
        immature: None,
    };
    let mut commands = vec![Command::PlanAction(planning), Command::StartAction];
    if case.done {
        commands.push(Command::CompleteAction);
        commands.push(Command::VerifyEffect { evidence });
    }
    let mut action: Option<Improvement> = None;
    let mut refused = None;
    for command in &commands {
        match decide(action.as_ref(), command, noon(case.planned)) {
            Ok(events) => {
                for event in &events {
                    action = evolve(action, event);
                }
            }
            Err(refusal) => refused = Some(refusal.to_string()),
        }
    }
    Ok((action.ok_or("the action was not planned")?, refused))
}
