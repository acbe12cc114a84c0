//! The last day of a period, with every step that led to it.
//!
//! In: a [`Period`], the [`Timeline`] of what happened, the [`Place`] where the act is done. Out: a
//! [`Deadline`], or the event that it still waits for. Always true, and tested against a model that
//! walks day by day: a day-counted deadline never falls on a rest day when the period rolls, never
//! before the period without pauses and extension, and is the same whatever the order of the pauses.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use chrono::{Datelike, Months, NaiveDate, NaiveTime, Timelike};
use serde::{Deserialize, Serialize};

use super::period::{
    Act, Anchor, Choose, DayEnd, Length, LengthUnit, PauseKind, Period, PeriodTerms, Roll, Start,
    Step,
};
use crate::calendar::working_days::WorkingDays;
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::label::Coded;
use crate::quantity::Quantity;
use crate::time::{Fold, Gap, Instant, Interval, TimeError, YEARS, Zone, add_days, add_seconds};

/// The place where the act is done: its clock, its rest days, its closing hour.
///
/// Working days are those of the state where the act is done (Regulation 1182/71, Art. 2(1)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The time zone.
    pub zone: Zone,
    /// Weekends, holidays, worked weekends.
    pub working_days: WorkingDays,
    /// When business stops, where it does; web shops have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<NaiveTime>,
}

impl Place {
    /// A place that never closes.
    #[must_use]
    pub const fn new(zone: Zone, working_days: WorkingDays) -> Self {
        Self { zone, working_days, closing: None }
    }
}

/// What happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeline {
    /// When the customer made the statement: the moment it was sent, not the moment it was read.
    pub requested_at: Instant,
    /// The events known so far. [`Anchor::NoticeSent`] is `requested_at` unless stated here.
    #[serde(default)]
    pub events: BTreeMap<Anchor, Instant>,
    /// Events that are known not to have happened yet. An event in neither list is unknown.
    #[serde(default)]
    pub pending: BTreeSet<Anchor>,
    /// When clocks stood still.
    #[serde(default)]
    pub pauses: Vec<Pause>,
    /// How much the goods were used, one reading per unit.
    #[serde(default)]
    pub usage: Vec<Quantity>,
    /// Whether the customer was informed of the right.
    #[serde(default)]
    pub information: Information,
}

impl Timeline {
    /// A request, and nothing else known.
    #[must_use]
    pub const fn new(requested_at: Instant) -> Self {
        Self {
            requested_at,
            events: BTreeMap::new(),
            pending: BTreeSet::new(),
            pauses: Vec::new(),
            usage: Vec::new(),
            information: Information::InTime,
        }
    }

    /// Adds an event.
    #[must_use]
    pub fn with(mut self, event: Anchor, at: Instant) -> Self {
        self.events.insert(event, at);
        self
    }

    /// When an event happened, if it is known.
    #[must_use]
    pub fn at(&self, event: Anchor) -> Option<Instant> {
        let stated = self.events.get(&event).copied();
        stated.or((event == Anchor::NoticeSent).then_some(self.requested_at))
    }

    /// When the act that counts was done. An act not recorded yet is taken to happen with the
    /// request: the host asks again when the goods are under way.
    #[must_use]
    pub fn acted(&self, act: Act) -> Instant {
        let event = match act {
            Act::NoticeSent => Anchor::NoticeSent,
            Act::NoticeReceived => Anchor::NoticeReceived,
            Act::GoodsSent => Anchor::GoodsSent,
        };
        self.at(event).unwrap_or(self.requested_at)
    }
}

/// A time that does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Why.
    pub kind: PauseKind,
    /// From the request to the day the goods are back with the customer.
    pub time: Interval,
}

/// Whether the customer was told of the right (Directive 2011/83/EU, Art. 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Information {
    /// With the contract, as the law asks.
    #[default]
    InTime,
    /// Later, at this moment.
    Late(Instant),
    /// Not until now.
    Never,
}

/// The end of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    /// The last civil day at the place.
    pub last_day: NaiveDate,
    /// The first instant after the period: an act before it is in time, an act at it is late.
    pub ends: Instant,
    /// The steps, each with its article.
    pub derivation: Vec<Finding>,
}

impl Deadline {
    /// Whether an act at this instant is in time.
    #[must_use]
    pub fn admits(&self, at: Instant) -> bool {
        at < self.ends
    }
}

/// What is known about the end of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// It ends.
    Until(Deadline),
    /// It has not begun: these events are still to come. An act now is in time.
    NotBegun(Vec<Anchor>),
    /// Nobody said when any of these events happened.
    Unknown(Vec<Anchor>),
}

impl Timing {
    /// The deadline, if there is one.
    #[must_use]
    pub const fn deadline(&self) -> Option<&Deadline> {
        match self {
            Self::Until(deadline) => Some(deadline),
            Self::NotBegun(_) | Self::Unknown(_) => None,
        }
    }
}

impl Period {
    /// When the period ends, with the steps of the calculation.
    ///
    /// The steps carry the rule given, with the article of the step where the period states one.
    ///
    /// ```
    /// use aftersale::calendar::working_days::WorkingDays;
    /// use aftersale::explain::RuleRef;
    /// use aftersale::id::RuleId;
    /// use aftersale::policy::deadline::{Place, Timeline};
    /// use aftersale::policy::period::{Anchor, Length, LengthUnit, Period, PeriodTerms, Roll};
    /// use aftersale::time::{Instant, TimeError};
    ///
    /// // A jacket signed for on Sunday 8 February 2026; day 7 lies in the Spring Festival.
    /// let mut terms = PeriodTerms::new(Length::new(7, LengthUnit::Days), Anchor::Signed);
    /// terms.roll = Roll::NextWorkingDay;
    /// let period = Period::try_from(terms)?;
    /// let place = Place::new("Asia/Shanghai".parse()?, WorkingDays::china());
    /// let at = |text: &str| text.parse::<Instant>().map_err(|_| TimeError::OutOfRange);
    /// let timeline = Timeline::new(at("2026-02-20T03:00:00Z")?)
    ///     .with(Anchor::Signed, at("2026-02-08T02:00:00Z")?);
    /// let timing = period.deadline(&timeline, &place, &RuleRef::new(RuleId::new("seven_days")?))?;
    /// let deadline = timing.deadline().ok_or("not begun")?;
    /// assert_eq!(deadline.last_day.to_string(), "2026-02-24");
    /// assert!(deadline.admits(timeline.requested_at));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TimeError::OutOfRange`] when a date leaves the years 1 to 9999, or a calendar has no
    /// working day.
    pub fn deadline(
        &self,
        timeline: &Timeline,
        place: &Place,
        rule: &RuleRef,
    ) -> Result<Timing, TimeError> {
        end_of(self.terms(), timeline, place, rule)
    }
}

/// The end of a period whose record was checked.
pub(super) fn end_of(
    terms: &PeriodTerms,
    timeline: &Timeline,
    place: &Place,
    rule: &RuleRef,
) -> Result<Timing, TimeError> {
    let (anchor, event) = match anchor_of(terms, timeline) {
        Ok(found) => found,
        Err(timing) => return Ok(timing),
    };
    let mut run = Run { terms, timeline, place, rule, steps: Vec::with_capacity(4) };
    run.note(Step::Anchor, Effect::Sets, Some(Fact::code(anchor)), Fact::Instant(event));
    let (last_day, ends) =
        if terms.length.unit == LengthUnit::Hours { run.hours(event)? } else { run.days(event)? };
    if (terms.roll != Roll::None || terms.length.unit == LengthUnit::WorkingDays)
        && !place.working_days.is_confirmed(last_day)
    {
        let known = place.working_days.confirmed_until.map(Fact::Date);
        run.note(Step::Calendar, Effect::Warns, known, Fact::Date(last_day));
    }
    Ok(Timing::Until(Deadline { last_day, ends, derivation: run.steps }))
}

/// The event from which a period runs, or why there is none yet.
fn anchor_of(terms: &PeriodTerms, timeline: &Timeline) -> Result<(Anchor, Instant), Timing> {
    let known =
        || terms.anchors.iter().filter_map(|anchor| timeline.at(*anchor).map(|at| (*anchor, at)));
    let pending = || -> Vec<Anchor> {
        terms.anchors.iter().copied().filter(|anchor| timeline.pending.contains(anchor)).collect()
    };
    let found = match terms.choose {
        // A better anchor that is still to come holds the start back.
        Choose::FirstKnown => {
            let decisive = |anchor: &&Anchor| {
                timeline.at(**anchor).is_some() || timeline.pending.contains(anchor)
            };
            terms
                .anchors
                .iter()
                .find(decisive)
                .and_then(|anchor| timeline.at(*anchor).map(|at| (*anchor, at)))
        }
        Choose::Earliest => known().min_by_key(|(_, at)| *at),
        Choose::Latest => {
            let pending = pending();
            if !pending.is_empty() {
                return Err(Timing::NotBegun(pending));
            }
            known().max_by_key(|(_, at)| *at)
        }
    };
    found.ok_or_else(|| {
        let pending = pending();
        if pending.is_empty() {
            Timing::Unknown(terms.anchors.clone())
        } else {
            Timing::NotBegun(pending)
        }
    })
}

/// A finding about one step of a period.
pub(super) fn step(
    terms: &PeriodTerms,
    rule: &RuleRef,
    step: Step,
    effect: Effect,
    observed: Option<Fact>,
    required: Option<Fact>,
) -> Finding {
    let source = terms.sources.get(&step).or(rule.source.as_ref()).cloned();
    Finding {
        rule: RuleRef { id: rule.id.clone(), version: rule.version, source },
        effect,
        subject: Some(String::from(step.code())),
        observed,
        required,
    }
}

struct Run<'a> {
    terms: &'a PeriodTerms,
    timeline: &'a Timeline,
    place: &'a Place,
    rule: &'a RuleRef,
    steps: Vec<Finding>,
}

impl Run<'_> {
    fn note(&mut self, at: Step, effect: Effect, observed: Option<Fact>, required: Fact) {
        let finding = step(self.terms, self.rule, at, effect, observed, Some(required));
        self.steps.push(finding);
    }

    /// A period in hours: elapsed time, so that a clock change does not matter.
    fn hours(&mut self, event: Instant) -> Result<(NaiveDate, Instant), TimeError> {
        let zone = self.place.zone;
        let start = match self.terms.start {
            Start::DayAfter => zone.end_of(zone.date(event))?,
            Start::HourAfter => next_hour(zone, event)?,
            Start::EventInstant | Start::EventDay => event,
        };
        let seconds = i64::from(self.terms.length.count).saturating_mul(3600);
        let mut ends = add_seconds(start, seconds)?;
        self.note(
            Step::Length,
            Effect::Sets,
            Some(length_fact(self.terms.length)),
            Fact::Instant(ends),
        );
        let mut free = start;
        for pause in self.pauses() {
            if pause.start() >= ends {
                break;
            }
            let from = pause.start().max(free);
            if from >= pause.end() {
                continue;
            }
            let before = ends;
            ends = add_seconds(ends, pause.end().signed_duration_since(from).num_seconds())?;
            free = pause.end();
            self.note(
                Step::Pause,
                Effect::Raises,
                Some(Fact::Instant(before)),
                Fact::Instant(ends),
            );
        }
        let last_day = zone.date(add_seconds(ends, -1)?);
        Ok((last_day, ends))
    }

    /// A period in days or longer.
    fn days(&mut self, event: Instant) -> Result<(NaiveDate, Instant), TimeError> {
        let zone = self.place.zone;
        let event_day = zone.date(event);
        let mut last = self.run_from(event_day)?;
        if let (Some(by), true) =
            (self.terms.extension, self.timeline.information != Information::InTime)
        {
            last = self.extended(last, by)?;
        }
        let ends = match (self.terms.end, self.place.closing) {
            (DayEnd::ClosingHour, Some(closing)) => {
                zone.resolve(last.and_time(closing), Gap::Forward, Fold::First)?
            }
            (DayEnd::EndOfDay, _) | (DayEnd::ClosingHour, None) => zone.end_of(last)?,
            (DayEnd::SameInstant, _) => {
                let time = zone.local(event).time();
                zone.resolve(last.and_time(time), Gap::Forward, Fold::First)?
            }
        };
        self.note(Step::End, Effect::Sets, Some(Fact::Date(last)), Fact::Instant(ends));
        Ok((last, ends))
    }

    /// The last day of the period itself: length, pauses, roll, minimum.
    fn run_from(&mut self, event_day: NaiveDate) -> Result<NaiveDate, TimeError> {
        let first =
            if self.terms.start == Start::EventDay { event_day } else { add_days(event_day, 1)? };
        let length = self.terms.length;
        let mut last = last_of(self.terms.start, first, length, &self.place.working_days)?;
        self.note(Step::Length, Effect::Sets, Some(length_fact(length)), Fact::Date(last));
        if !self.terms.pauses.is_empty() {
            last = self.after_pauses(first, last)?;
        }
        last = self.rolled(last)?;
        if self.terms.min_working_days > 0 {
            let enough = self
                .place
                .working_days
                .add_working_days(add_days(first, -1)?, self.terms.min_working_days)?;
            if enough > last {
                self.note(
                    Step::Minimum,
                    Effect::Raises,
                    Some(Fact::Date(last)),
                    Fact::Date(enough),
                );
                last = enough;
            }
        }
        Ok(last)
    }

    fn rolled(&mut self, last: NaiveDate) -> Result<NaiveDate, TimeError> {
        if self.terms.roll == Roll::None {
            return Ok(last);
        }
        let worked = self.place.working_days.on_or_after(last)?;
        let effect = if worked == last { Effect::Passes } else { Effect::Raises };
        self.note(Step::Roll, effect, Some(Fact::Date(last)), Fact::Date(worked));
        Ok(worked)
    }

    /// Every civil day that a pause touches does not count, the day it ends included.
    fn after_pauses(&mut self, first: NaiveDate, last: NaiveDate) -> Result<NaiveDate, TimeError> {
        let zone = self.place.zone;
        let (mut last, mut free) = (last, first);
        for pause in self.pauses() {
            let (from, to) = (zone.date(pause.start()).max(free), zone.date(pause.end()));
            if from > last {
                break;
            }
            if to < from {
                continue;
            }
            free = add_days(to, 1)?;
            let before = last;
            last = if self.terms.length.unit == LengthUnit::WorkingDays {
                let lost = u32::try_from(self.place.working_days.count(from, to));
                let lost = lost.map_err(|_| TimeError::OutOfRange)?;
                self.place.working_days.add_working_days(last, lost)?
            } else {
                add_days(last, free.signed_duration_since(from).num_days())?
            };
            last = last.max(add_days(to, self.terms.min_days_after_pause.into())?);
            self.note(Step::Pause, Effect::Raises, Some(Fact::Date(before)), Fact::Date(last));
        }
        Ok(last)
    }

    /// The pauses that stop this clock, in order of their start.
    fn pauses(&self) -> Vec<Interval> {
        let stops = |pause: &&Pause| self.terms.pauses.contains(&pause.kind);
        let mut pauses: Vec<Interval> =
            self.timeline.pauses.iter().filter(stops).map(|pause| pause.time).collect();
        pauses.sort_unstable();
        pauses
    }

    /// The period of a customer who was informed late or never.
    fn extended(&mut self, last: NaiveDate, by: Length) -> Result<NaiveDate, TimeError> {
        let working_days = &self.place.working_days;
        let full = last_of(Start::DayAfter, add_days(last, 1)?, by, working_days)?;
        let full = if self.terms.roll == Roll::None {
            full
        } else {
            self.place.working_days.on_or_after(full)?
        };
        let informed = match self.timeline.information {
            Information::Late(at) => Some(self.place.zone.date(at)).filter(|day| *day <= full),
            Information::InTime | Information::Never => None,
        };
        let until = match informed {
            Some(day) => {
                let quiet = core::mem::take(&mut self.steps);
                let again = self.run_from(day);
                self.steps = quiet;
                again?.max(last)
            }
            None => full,
        };
        let observed = Fact::Date(informed.unwrap_or(last));
        self.note(Step::Extension, Effect::Raises, Some(observed), Fact::Date(until));
        Ok(until)
    }
}

/// The last day of a run of civil time.
///
/// `first` is day 1. Months and years run from the event day: the day before `first`, unless the
/// event day itself is day 1.
fn last_of(
    start: Start,
    first: NaiveDate,
    length: Length,
    working_days: &WorkingDays,
) -> Result<NaiveDate, TimeError> {
    let before = add_days(first, -1)?;
    let count = i64::from(length.count);
    let months = match length.unit {
        LengthUnit::Hours => return Err(TimeError::OutOfRange),
        LengthUnit::Days => return add_days(before, count),
        LengthUnit::Weeks => return add_days(before, count.saturating_mul(7)),
        LengthUnit::WorkingDays => return working_days.add_working_days(before, length.count),
        LengthUnit::Months => length.count,
        LengthUnit::Years => length.count.saturating_mul(12),
    };
    if start != Start::EventDay {
        return add_months(before, months);
    }
    let same_number = add_months(first, months)?;
    if same_number.day() == first.day() { add_days(same_number, -1) } else { Ok(same_number) }
}

/// The day with the same number, else the last day of the month.
fn add_months(day: NaiveDate, months: u32) -> Result<NaiveDate, TimeError> {
    day.checked_add_months(Months::new(months))
        .filter(|day| YEARS.contains(&day.year()))
        .ok_or(TimeError::OutOfRange)
}

/// The start of the next full hour of the local clock.
fn next_hour(zone: Zone, event: Instant) -> Result<Instant, TimeError> {
    let local = zone.local(event);
    let into = i64::from(local.minute()).saturating_mul(60).saturating_add(local.second().into());
    let whole = event.with_nanosecond(0).ok_or(TimeError::OutOfRange)?;
    add_seconds(whole, 3600_i64.saturating_sub(into))
}

fn length_fact(length: Length) -> Fact {
    match length.unit {
        LengthUnit::Days => Fact::Days(length.count.into()),
        LengthUnit::Hours => Fact::Seconds(i64::from(length.count).saturating_mul(3600)),
        LengthUnit::WorkingDays | LengthUnit::Weeks | LengthUnit::Months | LengthUnit::Years => {
            Fact::Text(alloc::format!("{length}"))
        }
    }
}
