//! Verifying a practice: all defects at once, each with its place.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

use super::length::{Hours, TimerLength};
use super::timer::Stage;
use super::{Practice, PracticeDraft, schema};
use crate::calendar::compiled::CalendarError;
use crate::condition::Condition;
use crate::condition::schema::ConditionFault;
use crate::id::{FactName, RuleId};

/// The most timers, and the most pauses, of one practice.
pub const MAX_ENTRIES: usize = 1_000;

/// A practice that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct PracticeDefects {
    /// What is wrong; at least one.
    pub defects: Vec<PracticeDefect>,
}

/// One thing that is wrong with a practice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PracticeDefect {
    /// There are too many timers or pauses.
    #[error("{found} {what}, at most {MAX_ENTRIES} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
    },
    /// Two timers or two pauses have one name.
    #[error("`{id}` is the name of two {what}")]
    NamedTwice {
        /// Of what.
        what: &'static str,
        /// The name.
        id: RuleId,
    },
    /// A condition does not fit the facts there are.
    #[error("`{place}`: {fault}")]
    Condition {
        /// The timer, or `instant_refund`.
        place: RuleId,
        /// What is wrong.
        fault: ConditionFault,
    },
    /// A length is below its least or above its most.
    #[error("timer `{timer}` has a length out of range")]
    Length {
        /// The timer.
        timer: RuleId,
    },
    /// A timer counts open time and there are no opening hours.
    #[error("timer `{timer}` counts open time and the practice has no calendar")]
    NoCalendar {
        /// The timer.
        timer: RuleId,
    },
    /// A timer can never run: an earlier one of its stage applies to every case.
    #[error("timer `{timer}` never runs: `{before}` applies to every case of its stage")]
    NeverRuns {
        /// The timer.
        timer: RuleId,
        /// The earlier timer.
        before: RuleId,
    },
    /// A pause names a timer that is not there.
    #[error("pause `{pause}` stops timer `{timer}`, which is not there")]
    UnknownTimer {
        /// The pause.
        pause: RuleId,
        /// The timer.
        timer: RuleId,
    },
    /// A pause without length.
    #[error("pause `{pause}` is empty")]
    EmptyPause {
        /// The pause.
        pause: RuleId,
    },
    /// A limit of no applications at all.
    #[error("at most 0 applications are allowed per line; at least 1 is needed")]
    NoApplications,
    /// The opening hours cannot be compiled.
    #[error("calendar: {0}")]
    Calendar(CalendarError),
}

impl fmt::Display for PracticeDefects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the practice cannot be used")?;
        for (position, defect) in self.defects.iter().enumerate() {
            write!(f, "{} {defect}", if position == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

/// The facts that the conditions of each stage test.
fn asked(draft: &PracticeDraft) -> BTreeMap<Stage, BTreeSet<FactName>> {
    let mut asked: BTreeMap<Stage, BTreeSet<FactName>> = BTreeMap::new();
    for rule in &draft.timers {
        let tests = rule.when.tests().into_iter().map(|test| test.fact.clone());
        asked.entry(rule.stage).or_default().extend(tests);
    }
    asked
}

pub(super) fn verify(draft: PracticeDraft) -> Result<Practice, PracticeDefects> {
    let mut defects = Vec::new();
    let counts = [("timers", draft.timers.len()), ("pauses", draft.pauses.len())];
    for (what, found) in counts.into_iter().filter(|(_, found)| *found > MAX_ENTRIES) {
        defects.push(PracticeDefect::TooMany { what, found });
    }
    if !defects.is_empty() {
        return Err(PracticeDefects { defects });
    }
    check_timers(&draft, &mut defects);
    check_pauses(&draft, &mut defects);
    if draft.applications_max == Some(0) {
        defects.push(PracticeDefect::NoApplications);
    }
    let compiled = draft.calendar.as_ref().map(|part| {
        let calendar = part.effective().compile(part.range)?;
        Ok(Hours { calendar, zone: part.hours.zone })
    });
    let hours = compiled.transpose().map_err(|fault| {
        defects.push(PracticeDefect::Calendar(fault));
    });
    match hours {
        Ok(hours) if defects.is_empty() => {
            let announced: BTreeSet<_> =
                draft.pauses.iter().map(|pause| pause.announced_at).collect();
            let announcements = announced.into_iter().collect();
            let asked = asked(&draft);
            Ok(Practice { draft, hours, announcements, asked })
        }
        _ => Err(PracticeDefects { defects }),
    }
}

fn check_timers(draft: &PracticeDraft, defects: &mut Vec<PracticeDefect>) {
    let schema = schema(draft.currency);
    let mut names = BTreeSet::new();
    for (position, rule) in draft.timers.iter().enumerate() {
        let timer = rule.id.clone();
        if !names.insert(&rule.id) {
            let (what, id) = ("timers", timer.clone());
            defects.push(PracticeDefect::NamedTwice { what, id });
        }
        for fault in schema.faults(&rule.when) {
            defects.push(PracticeDefect::Condition { place: timer.clone(), fault });
        }
        if !rule.length.is_sound() {
            defects.push(PracticeDefect::Length { timer: timer.clone() });
        }
        if TimerLength::needs_calendar(rule.length) && draft.calendar.is_none() {
            defects.push(PracticeDefect::NoCalendar { timer: timer.clone() });
        }
        let reports = |action| action == super::timer::ExpiryAction::Report;
        let before = draft.timers.iter().take(position).find(|earlier| {
            earlier.stage == rule.stage
                && reports(earlier.on_expiry) == reports(rule.on_expiry)
                && earlier.when == Condition::Always
        });
        if let Some(before) = before {
            defects.push(PracticeDefect::NeverRuns { timer, before: before.id.clone() });
        }
    }
    if let Some(grant) = &draft.instant_refund {
        let place = RuleId::fixed("instant_refund");
        for fault in schema.faults(grant) {
            defects.push(PracticeDefect::Condition { place: place.clone(), fault });
        }
    }
}

fn check_pauses(draft: &PracticeDraft, defects: &mut Vec<PracticeDefect>) {
    let timers: BTreeSet<&RuleId> = draft.timers.iter().map(|rule| &rule.id).collect();
    let mut names = BTreeSet::new();
    for pause in &draft.pauses {
        if !names.insert(&pause.id) {
            let (what, id) = ("pauses", pause.id.clone());
            defects.push(PracticeDefect::NamedTwice { what, id });
        }
        if pause.time.start() >= pause.time.end() {
            defects.push(PracticeDefect::EmptyPause { pause: pause.id.clone() });
        }
        for timer in pause.timers.iter().filter(|timer| !timers.contains(timer)) {
            let (pause, timer) = (pause.id.clone(), timer.clone());
            defects.push(PracticeDefect::UnknownTimer { pause, timer });
        }
    }
}
