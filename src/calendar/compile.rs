//! From hours as data to a table of UTC seconds.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use chrono::{Datelike, NaiveDate};

use super::compiled::{Calendar, CalendarError};
use super::days::{DayEntry, Days};
use super::holiday;
use super::hours::{BreakPay, BusinessHours, DAY, DateRange, HolidayScope, OverrideBreaks, Window};
use super::offsets::{Offsets, midnight};
use super::spans::{Span, clip, difference, normalize};
use super::table::OpenTable;
use super::time_class::TimeClass;
use super::working_days::WeekdayCode;
use crate::time::{Fold, add_days};

/// The longest range a calendar is compiled for, in civil days: a hundred years.
pub const MAX_DAYS: i64 = 36_525;
/// The most windows that open on one date, and the most breaks of a calendar.
pub const MAX_WINDOWS: usize = 48;
/// The most rules of one kind: holidays, overrides, make-up workdays, rotations, days in a rotation.
pub const MAX_RULES: usize = 10_000;

/// What a calendar remembers in order to explain itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Causes {
    /// Why time outside windows is closed, by the number of the day's rule.
    pub(crate) rules: Vec<TimeClass>,
    /// Breaks inside windows, sorted: when, and the position of the name and pay in `names`.
    pub(crate) breaks: Vec<(Span, usize)>,
    /// Break names and pay.
    pub(crate) names: Vec<(String, BreakPay)>,
}

/// What one date has.
struct DayPlan<'a> {
    rule: u32,
    windows: &'a [Window],
    breaks_of: Option<WeekdayCode>,
    /// Whether the whole civil date is cut out.
    is_cut: bool,
}

impl BusinessHours {
    /// Compiles the calendar for a range of dates. Ten years take about a millisecond.
    ///
    /// # Errors
    ///
    /// [`CalendarError::EmptyRange`], [`CalendarError::RangeTooLong`], [`CalendarError::TooMany`],
    /// or [`CalendarError::Time`] when the range leaves the years 1 to 9999.
    pub fn compile(&self, range: DateRange) -> Result<Calendar, CalendarError> {
        self.check_limits()?;
        let count = range.last.signed_duration_since(range.first).num_days().saturating_add(1);
        if count <= 0 {
            return Err(CalendarError::EmptyRange { range });
        }
        if count > MAX_DAYS {
            return Err(CalendarError::RangeTooLong { days: count });
        }
        // Windows that open the day before reach into the range; one more day for zones.
        let begin = add_days(range.first, -1)?;
        add_days(range.last, 2)?;
        let near =
            |date: NaiveDate, days: i64| midnight(date).saturating_add(days.saturating_mul(DAY));
        let offsets = Offsets::new(self.zone, near(range.first, -4), near(range.last, 5));
        let day_start = |date: NaiveDate, days: i64| {
            offsets.resolve(near(date, days), crate::time::Gap::End, Fold::First)
        };
        let holidays = holiday::dates(
            self,
            begin.year().saturating_sub(1)..=range.last.year().saturating_add(1),
        );

        let mut rules = Rules::default();
        let mut days = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        let mut open: Vec<Span> = Vec::new();
        let mut cuts: Vec<Span> = Vec::new();
        let mut breaks: Vec<(Span, usize)> = Vec::new();
        for date in begin.iter_days().take_while(|date| *date <= range.last) {
            let plan = self.plan(date, &holidays, &mut rules);
            let base = midnight(date);
            let edge = |seconds: i64, fold: Fold| {
                offsets.resolve(base.saturating_add(seconds), self.gap, fold)
            };
            let span = |window: &Window| {
                (edge(window.opens(), Fold::First), edge(window.closes(), self.end_fold))
            };
            open.extend(plan.windows.iter().map(span));
            if let Some(weekday) = plan.breaks_of {
                let taken = self.breaks.iter().enumerate();
                let taken = taken.filter(|(_, b)| b.on.is_empty() || b.on.contains(&weekday));
                breaks.extend(taken.map(|(name, b)| (span(&b.hours), name)));
            }
            if plan.is_cut {
                cuts.push((day_start(date, 0), day_start(date, 1)));
            }
            if date >= range.first {
                days.push(DayEntry {
                    start: day_start(date, 0),
                    is_worked: !plan.windows.is_empty() && !plan.is_cut,
                    rule: plan.rule,
                });
            }
        }

        let (first, last) = (day_start(range.first, 0), day_start(range.last, 1));
        let within = difference(&normalize(open), &normalize(cuts));
        let within = clip(&within, first, last);
        let names: Vec<_> = self.breaks.iter().map(|b| (b.name.clone(), b.pay)).collect();
        let pay = |name: usize| names.get(name).map(|(_, pay)| *pay);
        let unpaid: Vec<Span> = breaks
            .iter()
            .filter(|(_, name)| pay(*name) == Some(BreakPay::Unpaid))
            .map(|(span, _)| *span)
            .collect();
        let open = difference(&within, &normalize(unpaid));
        Ok(Calendar::new(
            self.id.clone(),
            self.revision,
            OpenTable::new(&open, first, last),
            Days::new(range.first, &days, last),
            self.confirmed_until.map(|date| day_start(date, 1)),
            Causes { rules: rules.classes, breaks: inside(&breaks, &within), names },
        ))
    }

    fn check_limits(&self) -> Result<(), CalendarError> {
        let of_a_day = self
            .weekly
            .values()
            .chain(self.rotations.iter().flat_map(|rotation| &rotation.cycle))
            .map(Vec::len)
            .chain(self.overrides.values().map(|day| day.open.len()))
            .chain([self.breaks.len()])
            .max();
        let rules =
            [self.holidays.len(), self.overrides.len(), self.made_up.len(), self.rotations.len()];
        let rules = rules
            .into_iter()
            .chain(self.rotations.iter().map(|rotation| rotation.cycle.len()))
            .max();
        let over = |count: Option<usize>, limit: usize, what: &'static str| {
            let count = count.unwrap_or(0);
            if count > limit {
                return Err(CalendarError::TooMany { what, count, limit });
            }
            Ok(())
        };
        over(of_a_day, MAX_WINDOWS, "windows or breaks of a day")?;
        over(rules, MAX_RULES, "rules of one kind")
    }

    /// Which rule decides a date, and what it has.
    fn plan<'a>(
        &'a self,
        date: NaiveDate,
        holidays: &BTreeMap<NaiveDate, &str>,
        rules: &mut Rules,
    ) -> DayPlan<'a> {
        let own = WeekdayCode::from(date.weekday());
        let weekly =
            |day: WeekdayCode| self.weekly.get(&day).map(Vec::as_slice).unwrap_or_default();
        if let Some(special) = self.overrides.get(&date) {
            let breaks_of = (special.breaks == OverrideBreaks::Kept).then_some(own);
            let rule = rules.number(TimeClass::ClosedByOverride { name: special.name.clone() });
            return DayPlan { rule, windows: &special.open, breaks_of, is_cut: false };
        }
        if let Some(&hours_of) = self.made_up.get(&date) {
            let rule = rules.number(TimeClass::ClosedOnMakeUpDay { hours_of });
            let windows = weekly(hours_of);
            return DayPlan { rule, windows, breaks_of: Some(hours_of), is_cut: false };
        }
        let (rotation, regular) = self.regular(date, own);
        if let Some(name) = holidays.get(&date) {
            let rule = rules.number(TimeClass::ClosedByHoliday { name: (*name).to_string() });
            let is_cut = self.holiday_scope == HolidayScope::CalendarDay;
            let windows = if is_cut { regular } else { &[] };
            return DayPlan { rule, windows, breaks_of: Some(own), is_cut };
        }
        let rule = rules.number(rotation.map_or(TimeClass::ClosedByWeeklyHours, |name| {
            TimeClass::ClosedByRotation { name: name.to_string() }
        }));
        DayPlan { rule, windows: regular, breaks_of: Some(own), is_cut: false }
    }

    /// The windows without holidays and exceptions, with the name of the rotation if one decides.
    fn regular(&self, date: NaiveDate, own: WeekdayCode) -> (Option<&str>, &[Window]) {
        let covers = self
            .rotations
            .iter()
            .filter(|rotation| !rotation.cycle.is_empty())
            .find(|r| r.from <= date && r.until.is_none_or(|until| date <= until));
        let Some(rotation) = covers else {
            return (None, self.weekly.get(&own).map(Vec::as_slice).unwrap_or_default());
        };
        let since = date.signed_duration_since(rotation.from).num_days();
        let day = usize::try_from(since).ok().and_then(|day| day.checked_rem(rotation.cycle.len()));
        let windows = day.and_then(|day| rotation.cycle.get(day)).map(Vec::as_slice);
        (Some(&rotation.name), windows.unwrap_or_default())
    }
}

/// Rules of days by number, each once.
#[derive(Default)]
struct Rules {
    classes: Vec<TimeClass>,
    numbers: BTreeMap<TimeClass, u32>,
}

impl Rules {
    fn number(&mut self, class: TimeClass) -> u32 {
        if let Some(number) = self.numbers.get(&class) {
            return *number;
        }
        let number = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.classes.push(class.clone());
        self.numbers.insert(class, number);
        number
    }
}

/// The parts of breaks that lie in windows, sorted.
fn inside(breaks: &[(Span, usize)], windows: &[Span]) -> Vec<(Span, usize)> {
    let mut parts: Vec<(Span, usize)> = Vec::new();
    for &((start, end), name) in breaks.iter().filter(|((start, end), _)| start < end) {
        let from = windows.partition_point(|window| window.1 <= start);
        let until = windows.partition_point(|window| window.0 < end);
        for window in windows.get(from..until.max(from)).unwrap_or_default() {
            parts.push(((start.max(window.0), end.min(window.1)), name));
        }
    }
    parts.sort_unstable();
    parts
}
