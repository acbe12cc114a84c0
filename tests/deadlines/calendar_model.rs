//! Compiled calendars against a count minute by minute, in zones with unusual clocks.
//!
//! The model resolves every edge with the zone database itself and marks minutes in an array. It
//! shares no code with the compiled table.

use std::collections::{BTreeMap, BTreeSet};

use aftersale::calendar::book::{CalendarDefinition, Calendars, Combine, Combined};
use aftersale::calendar::compiled::{Calendar, CalendarError};
use aftersale::calendar::day_term::{DayCount, DayTerm, Roll};
use aftersale::calendar::holiday::{Holiday, HolidayRule};
use aftersale::calendar::hours::{
    Break, BreakPay, BusinessHours, DateRange, HolidayScope, Override, OverrideBreaks, Rotation,
    WEEK, Window,
};
use aftersale::calendar::working_days::WeekdayCode;
use aftersale::id::CalendarId;
use aftersale::time::{Fold, Gap, Instant};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use proptest::prelude::*;

/// A zone and a date near which its clock changes (or a date of an ordinary week).
const PLACES: [(&str, (i32, u32, u32)); 14] = [
    ("Australia/Lord_Howe", (2026, 4, 5)),
    ("Australia/Lord_Howe", (2026, 10, 4)),
    ("America/Sao_Paulo", (2018, 2, 18)),
    ("America/Sao_Paulo", (2018, 11, 4)),
    ("Asia/Kathmandu", (2026, 3, 8)),
    ("America/New_York", (2026, 3, 8)),
    ("America/New_York", (2026, 11, 1)),
    ("Europe/London", (2026, 3, 29)),
    ("Europe/London", (2026, 10, 25)),
    ("Asia/Shanghai", (2026, 2, 15)),
    ("Africa/Casablanca", (2026, 2, 15)),
    ("Pacific/Apia", (2011, 12, 30)),
    ("Asia/Tehran", (2022, 3, 22)),
    ("Pacific/Chatham", (2026, 4, 5)),
];

fn offset(zone: Tz, at: Instant) -> i64 {
    i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc())
}

/// Looks at every minute of four days for the instants that show this local time.
fn resolve(zone: Tz, local: NaiveDateTime, gap: Gap, fold: Fold) -> i64 {
    // Without a change within a day to either side there is one answer; this only saves time.
    let second = local.and_utc().timestamp();
    let around =
        [-86_400, 86_400].map(|d| offset(zone, DateTime::from_timestamp(second + d, 0).unwrap()));
    if around[0] == around[1] {
        return second - around[0];
    }
    let near = local.and_utc().timestamp() / 60;
    let minutes = || (near - 2880..near + 2880).map(|minute| minute * 60);
    let at = |second: i64| DateTime::from_timestamp(second, 0).unwrap();
    let shown = |second: i64| at(second).naive_utc() + TimeDelta::seconds(offset(zone, at(second)));
    let mut matching = minutes().filter(|second| shown(*second) == local);
    let found = match fold {
        Fold::First => matching.next(),
        Fold::Last => matching.next_back(),
    };
    found.unwrap_or_else(|| {
        let after = minutes().find(|second| shown(*second) > local).unwrap();
        match gap {
            Gap::End => after,
            Gap::Forward => local.and_utc().timestamp() - offset(zone, at(after - 60)),
        }
    })
}

/// One flag a minute, from `first`.
struct Model {
    first: i64,
    open: Vec<bool>,
}

impl Model {
    fn of(hours: &BusinessHours, range: DateRange) -> Self {
        let zone: Tz = hours.zone.name().parse().unwrap();
        let start = |date: NaiveDate| {
            resolve(zone, date.and_hms_opt(0, 0, 0).unwrap(), Gap::End, Fold::First)
        };
        let (first, last) = (start(range.first), start(range.last + Days::new(1)));
        let mut open = vec![false; usize::try_from((last - first) / 60).unwrap()];
        let mut mark = |span: (i64, i64), value: bool| {
            for second in (span.0.max(first)..span.1.min(last)).step_by(60) {
                open[usize::try_from((second - first) / 60).unwrap()] = value;
            }
        };
        let span = |date: NaiveDate, window: &Window| {
            let edge = |seconds: i64, fold: Fold| {
                let local = date.and_hms_opt(0, 0, 0).unwrap() + TimeDelta::seconds(seconds);
                resolve(zone, local, hours.gap, fold)
            };
            (edge(window.opens(), Fold::First), edge(window.closes(), hours.end_fold))
        };
        let dates = || (range.first - Days::new(1)).iter_days().take_while(|d| *d <= range.last);
        for date in dates() {
            for window in windows(hours, date) {
                mark(span(date, &window), true);
            }
        }
        for date in dates() {
            let holiday = is_plain_holiday(hours, date);
            if holiday && hours.holiday_scope == HolidayScope::CalendarDay {
                mark((start(date), start(date + Days::new(1))), false);
            }
        }
        for date in dates() {
            let weekday = hours.made_up.get(&date).copied().unwrap_or(date.weekday().into());
            if hours.overrides.get(&date).is_some_and(|o| o.breaks == OverrideBreaks::Dropped) {
                continue;
            }
            let weekday =
                if hours.overrides.contains_key(&date) { date.weekday().into() } else { weekday };
            for pause in &hours.breaks {
                let taken = pause.on.is_empty() || pause.on.contains(&weekday);
                if taken && pause.pay == BreakPay::Unpaid {
                    mark(span(date, &pause.hours), false);
                }
            }
        }
        Self { first, open }
    }

    fn last(&self) -> i64 {
        self.first + self.open.len() as i64 * 60
    }

    fn minute(&self, second: i64) -> bool {
        self.open[usize::try_from((second - self.first) / 60).unwrap()]
    }

    /// Open seconds between two seconds, added up minute by minute.
    fn between(&self, from: i64, until: i64) -> i64 {
        if until < from {
            return -self.between(until, from);
        }
        let mut sum = 0;
        let mut at = from;
        while at < until {
            let next = ((at - self.first) / 60 + 1) * 60 + self.first;
            if self.minute(at) {
                sum += next.min(until) - at;
            }
            at = next;
        }
        sum
    }
}

fn is_plain_holiday(hours: &BusinessHours, date: NaiveDate) -> bool {
    let named = hours.holidays.iter().any(|holiday| holiday.rule == HolidayRule::Date(date));
    named && !hours.overrides.contains_key(&date) && !hours.made_up.contains_key(&date)
}

/// The windows that open on a date, by the stated precedence.
fn windows(hours: &BusinessHours, date: NaiveDate) -> Vec<Window> {
    let weekly = |day: WeekdayCode| hours.weekly.get(&day).cloned().unwrap_or_default();
    if let Some(own) = hours.overrides.get(&date) {
        return own.open.clone();
    }
    if let Some(day) = hours.made_up.get(&date) {
        return weekly(*day);
    }
    if is_plain_holiday(hours, date) && hours.holiday_scope == HolidayScope::ShiftDay {
        return Vec::new();
    }
    for rotation in &hours.rotations {
        if rotation.from <= date && rotation.until.is_none_or(|until| date <= until) {
            let day = (date - rotation.from).num_days() as usize % rotation.cycle.len();
            return rotation.cycle[day].clone();
        }
    }
    weekly(date.weekday().into())
}

fn window() -> impl Strategy<Value = Window> {
    let edge = 0_u32..96;
    (edge.clone(), edge, any::<bool>()).prop_filter_map("equal ends", |(a, b, midnight)| {
        let text = |quarter: u32| format!("{:02}:{:02}", quarter / 4, quarter % 4 * 15);
        let end = if midnight && b > 80 { "24:00".to_owned() } else { text(b) };
        format!("{}-{end}", text(a)).parse().ok()
    })
}

const BEFORE: u64 = 5;
const LENGTH: u64 = 12;

/// Hours of a week or so around a clock change, with everything that can be set.
fn hours() -> impl Strategy<Value = (BusinessHours, DateRange)> {
    let weekly = proptest::collection::vec(proptest::collection::vec(window(), 0..3), 7);
    let breaks = proptest::collection::vec(
        (window(), any::<bool>(), proptest::collection::btree_set(0_usize..7, 0..3)),
        0..3,
    );
    let day = 0..LENGTH;
    let overrides = proptest::collection::btree_map(
        day.clone(),
        (proptest::collection::vec(window(), 0..2), any::<bool>()),
        0..3,
    );
    let holidays = proptest::collection::btree_set(day.clone(), 0..4);
    let made_up = proptest::collection::btree_map(day.clone(), 0_usize..7, 0..2);
    let rotation = proptest::option::of((
        day.clone(),
        day,
        proptest::collection::vec(proptest::collection::vec(window(), 0..2), 1..5),
    ));
    let policies = (any::<bool>(), any::<bool>(), any::<bool>());
    (0..PLACES.len(), weekly, breaks, overrides, holidays, made_up, rotation, policies).prop_map(
        |(place, weekly, breaks, overrides, holidays, made_up, rotation, policies)| {
            let (zone, (year, month, day)) = PLACES[place];
            let change = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            let first = change - Days::new(BEFORE);
            let date = |days: u64| first + Days::new(days);
            let mut hours =
                BusinessHours::new(CalendarId::new("model").unwrap(), zone.parse().unwrap());
            hours.weekly = WEEK.into_iter().zip(weekly).collect();
            hours.breaks = breaks
                .into_iter()
                .map(|(window, paid, on)| Break {
                    name: "tea".into(),
                    hours: window,
                    on: on.into_iter().map(|day| WEEK[day]).collect::<BTreeSet<_>>(),
                    pay: if paid { BreakPay::Paid } else { BreakPay::Unpaid },
                })
                .collect();
            hours.overrides = overrides
                .into_iter()
                .map(|(day, (open, kept))| {
                    let breaks = if kept { OverrideBreaks::Kept } else { OverrideBreaks::Dropped };
                    (date(day), Override { name: "special".into(), open, breaks })
                })
                .collect();
            hours.holidays = holidays
                .into_iter()
                .map(|day| Holiday {
                    name: format!("holiday {day}"),
                    rule: HolidayRule::Date(date(day)),
                    observed: Default::default(),
                    from_year: None,
                    until_year: None,
                })
                .collect();
            hours.made_up =
                made_up.into_iter().map(|(day, weekday)| (date(day), WEEK[weekday])).collect();
            hours.rotations = rotation
                .into_iter()
                .map(|(from, until, cycle)| Rotation {
                    name: "shifts".into(),
                    from: date(from),
                    until: Some(date(until)),
                    cycle,
                })
                .collect();
            hours.holiday_scope =
                if policies.0 { HolidayScope::CalendarDay } else { HolidayScope::ShiftDay };
            hours.gap = if policies.1 { Gap::End } else { Gap::Forward };
            hours.end_fold = if policies.2 { Fold::Last } else { Fold::First };
            (hours, DateRange { first, last: date(LENGTH - 1) })
        },
    )
}

fn at(second: i64) -> Instant {
    DateTime::from_timestamp(second, 0).unwrap()
}

/// A second of the range, from a share of it.
fn pick(model: &Model, share: u32) -> i64 {
    let length = model.last() - model.first;
    model.first + i64::from(share) * length / i64::from(u32::MAX)
}

fn compiled(hours: &BusinessHours, range: DateRange) -> (Calendar, Model) {
    let (calendar, model) = (hours.compile(range).unwrap(), Model::of(hours, range));
    assert_eq!(calendar.range().start().timestamp(), model.first);
    assert_eq!(calendar.range().end().timestamp(), model.last());
    (calendar, model)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// CAL-1: the compiled table is open in exactly the minutes that the rules open.
    #[test]
    fn every_minute_is_as_the_rules_say((hours, range) in hours()) {
        let (calendar, model) = compiled(&hours, range);
        let mut open = vec![false; model.open.len()];
        let mut end_before = None;
        for period in calendar.open_periods() {
            prop_assert!(period.seconds() > 0);
            prop_assert!(end_before < Some(period.start()), "periods touch or overlap");
            end_before = Some(period.end());
            for second in (period.start().timestamp()..period.end().timestamp()).step_by(60) {
                open[usize::try_from((second - model.first) / 60).unwrap()] = true;
            }
        }
        prop_assert_eq!(&open, &model.open);
        for (minute, open) in open.iter().enumerate().step_by(7) {
            let second = at(model.first + minute as i64 * 60 + 59);
            prop_assert_eq!(calendar.is_open(second).unwrap().value, *open);
        }
    }

    /// CAL-2: open time between two instants is the sum of the open minutes, signed and additive.
    #[test]
    fn between_is_the_sum_of_minutes_and_adds_up(
        (hours, range) in hours(),
        shares in proptest::collection::vec(any::<u32>(), 3),
    ) {
        let (calendar, model) = compiled(&hours, range);
        let [a, b, c] = [0, 1, 2].map(|i| pick(&model, shares[i]));
        let between = |from, until| calendar.between(at(from), at(until)).unwrap().value;
        prop_assert_eq!(between(a, b), model.between(a, b));
        prop_assert_eq!(between(a, b), -between(b, a));
        prop_assert_eq!(between(a, c), between(a, b) + between(b, c));
    }

    /// CAL-3: `add` finds the earliest and `sub` the latest instant with that much open time
    /// between; nothing added stays where it is.
    #[test]
    fn adding_and_measuring_are_dual(
        (hours, range) in hours(),
        share in any::<u32>(),
        amount in 1_i64..400_000,
    ) {
        let (calendar, model) = compiled(&hours, range);
        let from = pick(&model, share);
        prop_assert_eq!(calendar.add(at(from), 0).unwrap().value, at(from));
        // Exactly to every opening and closing: the earliest is where a window closes, the latest
        // where one opens.
        for edge in calendar.open_periods().flat_map(|p| [p.start(), p.end()]) {
            let between = model.between(from, edge.timestamp());
            let (early, late) = (calendar.add(at(from), between), calendar.sub(at(from), -between));
            let (early, late) = (early.unwrap().value, late.unwrap().value);
            if between == 0 {
                prop_assert_eq!((early, late), (at(from), at(from)));
                continue;
            }
            prop_assert_eq!(early, late, "one question in two words");
            let found = early.timestamp();
            prop_assert_eq!(model.between(from, found), between);
            let beside = found - between.signum();
            prop_assert_ne!(model.between(from, beside), between, "not the nearest");
        }
        match calendar.add(at(from), amount) {
            Ok(found) => {
                let found = found.value.timestamp();
                prop_assert_eq!(model.between(from, found), amount);
                prop_assert_eq!(model.between(from, found - 1), amount - 1, "not the earliest");
            }
            Err(error) => {
                prop_assert_eq!(error, CalendarError::BeyondCalendar { end: at(model.last()) });
                prop_assert!(model.between(from, model.last()) < amount);
            }
        }
        match calendar.sub(at(from), amount) {
            Ok(found) => {
                let found = found.value.timestamp();
                prop_assert_eq!(model.between(found, from), amount);
                prop_assert_eq!(model.between(found + 1, from), amount - 1, "not the latest");
            }
            Err(error) => {
                prop_assert_eq!(error, CalendarError::BeforeCalendar { start: at(model.first) });
                prop_assert!(model.between(model.first, from) < amount);
            }
        }
    }

    /// CAL-4: the next and the previous opening, closing and change are those that a walk finds.
    #[test]
    fn neighbors_are_those_a_walk_finds((hours, range) in hours(), share in any::<u32>()) {
        let (calendar, model) = compiled(&hours, range);
        let edges = || (model.first + 60..model.last()).step_by(60);
        let changes = |second: &i64| model.minute(*second) != model.minute(*second - 60);
        let ends = [model.first, model.first + 1, model.last() - 1, model.last()];
        let opened = calendar.open_periods().take(2).chain(calendar.open_periods().last());
        let around = |instant: Instant| [-1, 0, 1].map(|d| instant.timestamp() + d);
        let at_edges = opened.flat_map(|p| [around(p.start()), around(p.end())]).flatten();
        let froms = ends.into_iter().chain(at_edges).chain([pick(&model, share)]);
        for from in froms.filter(|from| (model.first..=model.last()).contains(from)) {
            let later = |open: bool| {
                let now = (from < model.last() && model.minute(from) == open).then_some(from);
                now.or_else(|| edges().filter(|s| *s > from).find(|s| model.minute(*s) == open))
            };
            let sooner = |open: bool| {
                let now = (from > model.first && model.minute(from - 1) == open).then_some(from);
                now.or_else(|| {
                    let before = edges().take_while(|s| *s < from);
                    before.filter(|s| model.minute(*s - 60) == open).last()
                })
            };
            let found = |answer: Result<aftersale::calendar::compiled::Reckoned<Instant>, _>| {
                answer.ok().map(|answer| answer.value.timestamp())
            };
            let start = at(from);
            prop_assert_eq!(found(calendar.next_open(start)), later(true));
            prop_assert_eq!(found(calendar.next_close(start)), later(false));
            prop_assert_eq!(found(calendar.prev_open(start)), sooner(true));
            prop_assert_eq!(found(calendar.prev_close(start)), sooner(false));
            let next = edges().filter(|s| *s > from).find(changes);
            prop_assert_eq!(found(calendar.next_transition(start)), next);
            let previous = edges().take_while(|s| *s < from).filter(changes).last();
            prop_assert_eq!(found(calendar.prev_transition(start)), previous);
        }
    }

    /// CAL-9: a union, an intersection and a difference of calendars in different zones are open in
    /// exactly the minutes that the parts say; its days are those of the first part, and worked when any
    /// of their minutes is open.
    #[test]
    fn combinations_hold_minute_by_minute(
        (one, range) in hours(),
        (other, _) in hours(),
        combine in prop_oneof![
            Just(Combine::Union), Just(Combine::Intersection), Just(Combine::Difference)
        ],
    ) {
        let mut other = other;
        other.id = CalendarId::new("other").unwrap();
        let combined = Combined {
            id: CalendarId::new("combined").unwrap(),
            revision: 1,
            combine,
            parts: vec![one.id.clone(), other.id.clone()],
        };
        let first_id = one.id.clone();
        let (left, right) = (Model::of(&one, range), Model::of(&other, range));
        let definitions = [
            CalendarDefinition::Combined(combined),
            CalendarDefinition::Hours(one),
            CalendarDefinition::Hours(other),
        ];
        let calendars = Calendars::compile(&definitions, range).unwrap();
        let calendar = calendars.find(&CalendarId::new("combined").unwrap()).unwrap();
        let (first, last) = (left.first.max(right.first), left.last().min(right.last()));
        prop_assert_eq!(calendar.range().start(), at(first));
        prop_assert_eq!(calendar.range().end(), at(last));
        let part = calendars.find(&first_id).unwrap();
        let mut worked = BTreeMap::new();
        for second in (first..last).step_by(60) {
            let (a, b) = (left.minute(second), right.minute(second));
            let expected = match combine {
                Combine::Union => a || b,
                Combine::Intersection => a && b,
                Combine::Difference => a && !b,
            };
            prop_assert_eq!(calendar.is_open(at(second)).unwrap().value, expected);
            let date = part.date(at(second)).unwrap();
            *worked.entry(date).or_insert(false) |= expected;
        }
        for (date, worked) in worked {
            prop_assert_eq!(calendar.is_working_day(date), Ok(worked), "{}", date);
        }
    }

    /// CAL-12: an explanation is made of touching parts that sum to the wall span; what it calls
    /// open is what counts.
    #[test]
    fn explanations_sum_to_the_wall_span(
        (hours, range) in hours(),
        shares in (any::<u32>(), any::<u32>()),
    ) {
        let (calendar, model) = compiled(&hours, range);
        let (a, b) = (pick(&model, shares.0), pick(&model, shares.1));
        let (from, until) = (a.min(b), a.max(b));
        let parts = calendar.explain(at(from), at(until)).unwrap();
        let mut reached = at(from);
        for part in &parts {
            prop_assert_eq!(part.period.start(), reached);
            prop_assert!(part.period.seconds() > 0);
            reached = part.period.end();
        }
        prop_assert_eq!(reached, at(until));
        for pair in parts.windows(2) {
            prop_assert_ne!(&pair[0].class, &pair[1].class);
        }
        let open: i64 =
            parts.iter().filter(|p| p.class.is_open()).map(|p| p.period.seconds()).sum();
        prop_assert_eq!(open, model.between(from, until));
    }

    /// CAL-11: a term in days ends where counting the days one by one ends.
    #[test]
    fn day_terms_are_counted_day_by_day(
        (hours, range) in hours(),
        share in any::<u32>(),
        days in 0_u32..8,
        working in any::<bool>(),
        roll in any::<bool>(),
    ) {
        let (calendar, model) = compiled(&hours, range);
        let zone: Tz = hours.zone.name().parse().unwrap();
        let from = pick(&model, share);
        let worked = |date: NaiveDate| {
            let closed = is_plain_holiday(&hours, date)
                && hours.holiday_scope == HolidayScope::CalendarDay;
            !closed && !windows(&hours, date).is_empty()
        };
        let mut date = (at(from).naive_utc() + TimeDelta::seconds(offset(zone, at(from)))).date();
        let mut left = days;
        while left > 0 && date <= range.last {
            date = date + Days::new(1);
            if !working || worked(date) {
                left -= 1;
            }
        }
        while roll && date <= range.last && !worked(date) {
            date = date + Days::new(1);
        }
        let term = DayTerm {
            days,
            count: if working { DayCount::Working } else { DayCount::Civil },
            roll: if roll { Roll::NextWorkingDay } else { Roll::Stay },
        };
        let next = (date + Days::new(1)).and_hms_opt(0, 0, 0).unwrap();
        match calendar.term_end(at(from), term) {
            Ok(end) => {
                prop_assert_eq!(end.value.timestamp(), resolve(zone, next, Gap::End, Fold::First));
            }
            Err(_) => prop_assert!(date > range.last || from == model.last()),
        }
    }

    /// CAL-13: an answer is provisional exactly when it reaches past the last announced date.
    #[test]
    fn answers_past_the_announced_dates_are_provisional(
        (hours, range) in hours(),
        share in any::<u32>(),
        announced in 0..LENGTH,
        amount in 1_i64..100_000,
    ) {
        let mut hours = hours;
        hours.confirmed_until = Some(range.first + Days::new(announced));
        let (calendar, model) = compiled(&hours, range);
        let end = calendar.confirmed_end().unwrap();
        let from = at(pick(&model, share));
        if let Ok(answer) = calendar.add(from, amount) {
            let is_past = answer.value > end || from > end;
            let standing = answer.standing;
            prop_assert_eq!(
                standing == aftersale::calendar::compiled::Standing::Provisional, is_past
            );
        }
    }
}
