//! Business calendars: named situations. The laws are in `tests/deadlines/calendar_model.rs` too.

use aftersale::calendar::book::{CalendarDefinition, Calendars, Combine, Combined};
use aftersale::calendar::compiled::{Calendar, CalendarError, Standing};
use aftersale::calendar::day_term::{DayCount, DayTerm, Roll};
use aftersale::calendar::holiday::{Holiday, HolidayRule, Observed};
use aftersale::calendar::hours::{
    Break, BreakPay, BusinessHours, DateRange, HolidayScope, HoursError, Override, Rotation, WEEK,
    Window,
};
use aftersale::calendar::time_class::TimeClass;
use aftersale::calendar::working_days::{WeekdayCode, WorkingDays};
use aftersale::id::CalendarId;
use aftersale::time::{Fold, Gap, Instant};
use chrono::{DateTime, NaiveDate};
use proptest::prelude::*;

fn at(text: &str) -> Instant {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn window(text: &str) -> Window {
    text.parse().unwrap()
}

fn years(first: i32, last: i32) -> DateRange {
    DateRange {
        first: NaiveDate::from_ymd_opt(first, 1, 1).unwrap(),
        last: NaiveDate::from_ymd_opt(last, 12, 31).unwrap(),
    }
}

fn hours(zone: &str, windows: &[&str]) -> BusinessHours {
    let windows: Vec<Window> = windows.iter().map(|text| window(text)).collect();
    BusinessHours::new(CalendarId::new("desk").unwrap(), zone.parse().unwrap())
        .with_weekly(WEEK.into_iter().take(5), &windows)
}

fn open(calendar: &Calendar, from: &str, until: &str) -> i64 {
    calendar.between(at(from), at(until)).unwrap().value
}

fn yearly(name: &str, month: u32, day: u32, observed: Observed) -> Holiday {
    let rule = HolidayRule::Yearly { month, day };
    Holiday { name: name.into(), rule, observed, from_year: None, until_year: None }
}

/// CAL-5: periods are half open: the first instant of a window is open and its last is closed;
/// touching windows are one period.
#[test]
fn windows_are_half_open_and_merge() {
    let calendar =
        hours("UTC", &["09:00-12:00", "12:00-17:00"]).compile(years(2026, 2026)).unwrap();
    let is_open = |text| calendar.is_open(at(text)).unwrap().value;
    assert!(!is_open("2026-03-02T08:59:59Z"));
    assert!(is_open("2026-03-02T09:00:00Z"));
    assert!(is_open("2026-03-02T12:00:00Z"));
    assert!(is_open("2026-03-02T16:59:59Z"));
    assert!(!is_open("2026-03-02T17:00:00Z"));
    let first = calendar.open_periods().next().unwrap();
    assert_eq!(first.seconds(), 8 * 3600);
}

#[test]
fn a_window_says_what_it_means() {
    assert_eq!(window("00:00-24:00").seconds(), 86_400);
    assert_eq!(window("22:00-06:00").seconds(), 8 * 3600);
    assert_eq!(window("23:59:30-24:00").seconds(), 30);
    assert_eq!(
        "08:00-08:00".parse::<Window>(),
        Err(HoursError::EqualEnds { text: "08:00-08:00".into() })
    );
    for wrong in [
        "",
        "9:00-17:00",
        "09:00",
        "24:00-06:00",
        "09:00-24:30",
        "09:60-10:00",
        "09:00-17:00 ",
        "+9:00-17:00",
        "09:00:00:00-10:00",
    ] {
        assert!(wrong.parse::<Window>().is_err(), "{wrong}");
    }
    for text in ["09:00-17:30", "22:00-06:00", "00:00-24:00", "22:00-24:00", "08:15:30-09:00"] {
        assert_eq!(window(text).to_string(), text);
    }
}

/// CAL-6: an override decides before a make-up workday, that before a holiday, that before a
/// rotation, that before the weekly hours.
#[test]
fn the_precedence_of_rules_is_fixed() {
    let date = day("2026-03-04"); // a Wednesday
    let measure = |hours: &BusinessHours| {
        let calendar = hours.compile(years(2026, 2026)).unwrap();
        open(&calendar, "2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z") / 3600
    };
    let mut desk = hours("UTC", &["09:00-17:00"]);
    assert_eq!(measure(&desk), 8);
    let cycle = vec![vec![window("06:00-10:00")]];
    desk.rotations.push(Rotation { name: "early".into(), from: date, until: None, cycle });
    assert_eq!(measure(&desk), 4);
    desk.holidays.push(yearly("Founding Day", 3, 4, Observed::OnTheDate));
    assert_eq!(measure(&desk), 0);
    desk.weekly.insert(WeekdayCode::Sat, vec![window("10:00-13:00")]);
    desk.made_up.insert(date, WeekdayCode::Sat);
    assert_eq!(measure(&desk), 3);
    let special = Override {
        name: "stocktaking".into(),
        open: vec![window("10:00-11:00")],
        breaks: Default::default(),
    };
    desk.overrides.insert(date, special);
    assert_eq!(measure(&desk), 1);
}

/// CAL-7: the scope of a holiday matters for windows that pass midnight, and only for them.
#[test]
fn holiday_scope_differs_for_night_shifts_only() {
    let mut desk = hours("UTC", &["22:00-06:00"]);
    desk.holidays.push(yearly("Founding Day", 3, 4, Observed::OnTheDate));
    let by_shift = desk.compile(years(2026, 2026)).unwrap();
    desk.holiday_scope = HolidayScope::CalendarDay;
    let by_date = desk.compile(years(2026, 2026)).unwrap();
    // By shift: last night's shift is finished, tonight's does not begin.
    assert_eq!(open(&by_shift, "2026-03-04T00:00:00Z", "2026-03-04T06:00:00Z"), 6 * 3600);
    assert_eq!(open(&by_shift, "2026-03-04T22:00:00Z", "2026-03-05T06:00:00Z"), 0);
    // By date: midnight to midnight is closed, whatever shift.
    assert_eq!(open(&by_date, "2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z"), 0);
    assert_eq!(open(&by_date, "2026-03-05T00:00:00Z", "2026-03-05T06:00:00Z"), 6 * 3600);

    let mut desk = hours("UTC", &["09:00-17:00"]);
    desk.holidays.push(yearly("Founding Day", 3, 4, Observed::OnTheDate));
    let by_shift: Vec<_> = desk.compile(years(2026, 2026)).unwrap().open_periods().collect();
    desk.holiday_scope = HolidayScope::CalendarDay;
    assert_eq!(
        by_shift,
        desk.compile(years(2026, 2026)).unwrap().open_periods().collect::<Vec<_>>()
    );
}

/// CAL-8: an edge in a skipped hour moves forward by the gap or to the end of the gap, an edge in a
/// repeated hour is the first occurrence or, for an end and by choice, the last.
#[test]
fn edges_in_skipped_and_repeated_hours_follow_the_policy() {
    // London skips 01:00 to 02:00 on 29 March 2026, and repeats 01:00 to 02:00 on 25 October.
    let mut desk =
        BusinessHours::new(CalendarId::new("night").unwrap(), "Europe/London".parse().unwrap())
            .with_weekly(WEEK, &[window("01:30-05:00")]);
    let first_open = |desk: &BusinessHours, from: &str| {
        desk.compile(years(2026, 2026)).unwrap().next_open(at(from)).unwrap().value.to_rfc3339()
    };
    assert_eq!(first_open(&desk, "2026-03-29T00:00:00Z"), "2026-03-29T01:30:00+00:00");
    desk.gap = Gap::End;
    assert_eq!(first_open(&desk, "2026-03-29T00:00:00Z"), "2026-03-29T01:00:00+00:00");
    assert_eq!(first_open(&desk, "2026-10-25T00:00:00Z"), "2026-10-25T00:30:00+00:00");

    let mut desk =
        BusinessHours::new(CalendarId::new("late").unwrap(), "Europe/London".parse().unwrap())
            .with_weekly(WEEK, &[window("22:00-01:30")]);
    let shift = |desk: &BusinessHours| {
        let calendar = desk.compile(years(2026, 2026)).unwrap();
        open(&calendar, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z")
    };
    assert_eq!(shift(&desk), 3 * 3600 + 1800);
    desk.end_fold = Fold::Last;
    assert_eq!(shift(&desk), 4 * 3600 + 1800);
}

#[test]
fn a_shift_over_a_clock_change_is_an_hour_shorter_or_longer() {
    let desk =
        BusinessHours::new(CalendarId::new("night").unwrap(), "America/New_York".parse().unwrap())
            .with_weekly(WEEK, &[window("22:00-06:00")]);
    let calendar = desk.compile(years(2026, 2026)).unwrap();
    assert_eq!(open(&calendar, "2026-03-07T17:00:00Z", "2026-03-08T17:00:00Z"), 7 * 3600);
    assert_eq!(open(&calendar, "2026-10-31T17:00:00Z", "2026-11-01T17:00:00Z"), 9 * 3600);
}

#[test]
fn lord_howe_moves_by_half_an_hour_and_sao_paulo_at_midnight() {
    let whole = |zone: &str| {
        BusinessHours::new(CalendarId::new("always").unwrap(), zone.parse().unwrap())
            .with_weekly(WEEK, &[window("00:00-24:00")])
    };
    let howe = whole("Australia/Lord_Howe").compile(years(2026, 2026)).unwrap();
    let days: Vec<_> = howe.open_periods().collect();
    assert_eq!(days.len(), 1, "whole days touch, also over a change of half an hour");
    let brazil = whole("America/Sao_Paulo").compile(years(2018, 2018)).unwrap();
    assert_eq!(brazil.open_periods().count(), 1, "midnight that does not exist leaves no hole");
    let date = |text| brazil.date(at(text)).unwrap().to_string();
    assert_eq!(date("2018-11-04T02:59:59Z"), "2018-11-03");
    assert_eq!(date("2018-11-04T03:00:00Z"), "2018-11-04"); // 01:00 there, the day's first instant
}

#[test]
fn the_day_that_samoa_skipped_has_no_time() {
    let desk =
        BusinessHours::new(CalendarId::new("apia").unwrap(), "Pacific/Apia".parse().unwrap())
            .with_weekly(WEEK, &[window("00:00-24:00")]);
    let calendar = desk.compile(years(2011, 2012)).unwrap();
    let parts = calendar.explain(at("2011-12-29T00:00:00Z"), at("2012-01-02T00:00:00Z")).unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(calendar.date(at("2011-12-30T09:59:59Z")).unwrap(), day("2011-12-29"));
    assert_eq!(calendar.date(at("2011-12-30T10:00:00Z")).unwrap(), day("2011-12-31"));
}

#[test]
fn easter_and_nth_weekdays_fall_where_they_should() {
    let on = |rule: HolidayRule, year: i32| {
        Holiday {
            name: "x".into(),
            rule,
            observed: Observed::OnTheDate,
            from_year: None,
            until_year: None,
        }
        .in_year(year)
        .map(|day| day.to_string())
    };
    // Dates of the United States Naval Observatory and of the Greek state.
    for (year, easter) in [
        (2000, "2000-04-23"),
        (2008, "2008-03-23"),
        (2019, "2019-04-21"),
        (2026, "2026-04-05"),
        (2038, "2038-04-25"),
        (2049, "2049-04-18"),
    ] {
        assert_eq!(on(HolidayRule::Easter(0), year).unwrap(), easter);
    }
    for (year, easter) in
        [(2019, "2019-04-28"), (2024, "2024-05-05"), (2025, "2025-04-20"), (2026, "2026-04-12")]
    {
        assert_eq!(on(HolidayRule::OrthodoxEaster(0), year).unwrap(), easter);
    }
    let nth = |month, weekday, nth, year| on(HolidayRule::NthWeekday { month, weekday, nth }, year);
    assert_eq!(nth(11, WeekdayCode::Thu, 4, 2026).unwrap(), "2026-11-26");
    assert_eq!(nth(5, WeekdayCode::Mon, -1, 2026).unwrap(), "2026-05-25");
    assert_eq!(nth(2, WeekdayCode::Mon, 5, 2026), None);
    assert_eq!(nth(2, WeekdayCode::Mon, 0, 2026), None);
    assert_eq!(on(HolidayRule::Yearly { month: 2, day: 29 }, 2026), None);
}

#[test]
fn holidays_on_a_weekend_are_observed_on_free_days() {
    // Christmas 2021 fell on a Saturday and Boxing Day on a Sunday.
    let mut london = hours("Europe/London", &["09:00-17:00"]);
    london.holidays.push(yearly("Christmas Day", 12, 25, Observed::NextFreeDay));
    london.holidays.push(yearly("Boxing Day", 12, 26, Observed::NextFreeDay));
    let calendar = london.compile(years(2021, 2021)).unwrap();
    let parts = calendar.explain(at("2021-12-27T00:00:00Z"), at("2021-12-29T00:00:00Z")).unwrap();
    let names: Vec<_> = parts.iter().map(|part| part.class.to_string()).collect();
    assert_eq!(names, ["holiday Christmas Day", "holiday Boxing Day"]);

    // 4 July 2026 is a Saturday, observed on Friday.
    let mut boston = hours("America/New_York", &["09:00-17:00"]);
    boston.holidays.push(yearly("Independence Day", 7, 4, Observed::NearestDay));
    let calendar = boston.compile(years(2026, 2026)).unwrap();
    assert!(!calendar.is_working_day(day("2026-07-03")).unwrap());
    assert!(calendar.is_working_day(day("2026-07-06")).unwrap());
}

#[test]
fn china_works_the_weekend_days_it_announced() {
    let desk = hours("Asia/Shanghai", &["09:00-12:00", "13:00-18:00"])
        .with_working_days(&WorkingDays::china(), WeekdayCode::Mon);
    let calendar = desk.compile(years(2020, 2027)).unwrap();
    // Saturday 14 February 2026 is worked, Spring Festival runs from the 15th to the 23rd.
    let due = calendar.add(at("2026-02-13T09:00:00Z"), 9 * 3600 + 1).unwrap();
    assert_eq!(due.value, at("2026-02-24T01:00:01Z"));
    assert_eq!(due.standing, Standing::Confirmed);
    let late = calendar.add(at("2026-12-31T09:30:00Z"), 3600).unwrap();
    assert_eq!(late.standing, Standing::Provisional);
    let china = WorkingDays::china();
    for date in day("2020-01-01").iter_days().take_while(|d| *d <= day("2026-12-31")) {
        assert_eq!(calendar.is_working_day(date).unwrap(), china.is_worked(date), "{date}");
    }
}

#[test]
fn the_last_announced_second_is_confirmed_and_the_next_is_not() {
    let mut desk = hours("UTC", &["00:00-24:00"]);
    desk.confirmed_until = Some(day("2026-03-04"));
    let calendar = desk.compile(years(2026, 2026)).unwrap();
    let start = at("2026-03-04T23:59:00Z");
    assert_eq!(calendar.confirmed_end(), Some(at("2026-03-05T00:00:00Z")));
    let after = |seconds| calendar.add(start, seconds).unwrap();
    assert_eq!(after(60).value, at("2026-03-05T00:00:00Z"));
    assert_eq!(after(60).standing, Standing::Confirmed);
    assert_eq!(after(61).standing, Standing::Provisional);
    let until = |text| calendar.between(start, at(text)).unwrap().standing;
    assert_eq!(until("2026-03-05T00:00:00Z"), Standing::Confirmed);
    assert_eq!(until("2026-03-05T00:00:01Z"), Standing::Provisional);
    // Whether it is open in a second depends on that second.
    let is_open = |text| calendar.is_open(at(text)).unwrap().standing;
    assert_eq!(is_open("2026-03-04T23:59:59Z"), Standing::Confirmed);
    assert_eq!(is_open("2026-03-05T00:00:00Z"), Standing::Provisional);
}

#[test]
fn working_day_terms_agree_with_the_plain_list_of_days() {
    let china = WorkingDays::china();
    let desk = hours("Asia/Shanghai", &["09:00-18:00"]).with_working_days(&china, WeekdayCode::Mon);
    let calendar = desk.compile(years(2020, 2027)).unwrap();
    for date in day("2024-09-01").iter_days().take(60) {
        let from = date.and_hms_opt(4, 0, 0).unwrap().and_utc(); // noon there
        for days in [1, 3, 7, 15] {
            let term = DayTerm { days, count: DayCount::Working, roll: Roll::Stay };
            let end = calendar.term_end(from, term).unwrap().value;
            let last = china.add_working_days(date, days).unwrap();
            let next =
                "Asia/Shanghai".parse::<aftersale::time::Zone>().unwrap().end_of(last).unwrap();
            assert_eq!(end, next);
        }
    }
}

/// CAL-10: a question past the range is a typed error, never a partial or saturated value, also when
/// the calendar never opens.
#[test]
fn a_question_past_the_range_is_an_error() {
    let calendar = hours("UTC", &["09:00-17:00"]).compile(years(2026, 2026)).unwrap();
    let end = at("2027-01-01T00:00:00Z");
    let start = at("2026-01-01T00:00:00Z");
    let beyond = CalendarError::BeyondCalendar { end };
    assert_eq!(calendar.add(at("2026-12-31T12:00:00Z"), 6 * 3600).unwrap_err(), beyond);
    assert_eq!(calendar.add(at("2026-12-31T12:00:00Z"), i64::MAX).unwrap_err(), beyond);
    assert!(calendar.add(at("2026-12-31T12:00:00Z"), 5 * 3600).is_ok());
    assert_eq!(calendar.between(start, at("2027-01-01T00:00:01Z")).unwrap_err(), beyond);
    assert!(calendar.between(start, end).is_ok());
    assert_eq!(calendar.is_open(end).unwrap_err(), beyond);
    let before = CalendarError::BeforeCalendar { start };
    assert_eq!(calendar.sub(at("2026-01-02T12:00:00Z"), 100 * 3600).unwrap_err(), before);
    assert_eq!(calendar.sub(at("2026-01-02T12:00:00Z"), i64::MIN).unwrap_err(), beyond);
    assert_eq!(calendar.next_open(at("2025-12-31T23:59:59Z")).unwrap_err(), before);

    let never = BusinessHours::new(CalendarId::new("never").unwrap(), "UTC".parse().unwrap());
    let never = never.compile(years(2026, 2035)).unwrap();
    assert!(matches!(never.add(start, 1), Err(CalendarError::BeyondCalendar { .. })));
    assert!(matches!(never.next_open(start), Err(CalendarError::BeyondCalendar { .. })));
    assert_eq!(never.between(start, at("2030-01-01T00:00:00Z")).unwrap().value, 0);
}

#[test]
fn breaks_belong_to_their_own_date_and_may_be_paid() {
    let mut night = BusinessHours::new(CalendarId::new("night").unwrap(), "UTC".parse().unwrap())
        .with_weekly([WeekdayCode::Mon], &[window("22:00-06:00")]);
    let pause = |pay| Break {
        name: "meal".into(),
        hours: window("02:00-02:30"),
        on: [WeekdayCode::Tue].into(),
        pay,
    };
    night.breaks.push(pause(BreakPay::Unpaid));
    let calendar = night.compile(years(2026, 2026)).unwrap();
    assert_eq!(open(&calendar, "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z"), 7 * 3600 + 1800);
    night.breaks[0] = pause(BreakPay::Paid);
    let calendar = night.compile(years(2026, 2026)).unwrap();
    assert_eq!(open(&calendar, "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z"), 8 * 3600);
    let parts = calendar.explain(at("2026-03-03T01:00:00Z"), at("2026-03-03T03:00:00Z")).unwrap();
    assert_eq!(parts[1].class, TimeClass::PaidBreak { name: "meal".into() });
}

#[test]
fn every_closed_day_names_the_rule_that_closed_it() {
    let mut desk = hours("UTC", &["09:00-12:00", "13:00-17:00"]);
    desk.holidays.push(yearly("Founding Day", 3, 4, Observed::OnTheDate));
    let special = Override { name: "stocktaking".into(), open: vec![], breaks: Default::default() };
    desk.overrides.insert(day("2026-03-05"), special);
    let calendar = desk.compile(years(2026, 2026)).unwrap();
    let parts = calendar.explain(at("2026-03-03T12:00:00Z"), at("2026-03-07T00:00:00Z")).unwrap();
    let told: Vec<_> =
        parts.iter().map(|p| format!("{} {}", p.period.seconds() / 3600, p.class)).collect();
    assert_eq!(
        told,
        [
            "1 outside the weekly hours",
            "4 open",
            "7 outside the weekly hours",
            "24 holiday Founding Day",
            "24 outside the hours of stocktaking",
            "9 outside the weekly hours",
            "3 open",
            "1 outside the weekly hours",
            "4 open",
            "7 outside the weekly hours"
        ]
    );
}

#[test]
fn combinations_of_combinations_resolve_and_circles_are_refused() {
    let id = |text: &str| CalendarId::new(text).unwrap();
    let place = |name: &str, zone: &str| {
        let mut hours = hours(zone, &["09:00-17:00"]);
        hours.id = id(name);
        CalendarDefinition::Hours(hours)
    };
    let combined = |name: &str, combine, parts: &[&str]| {
        CalendarDefinition::Combined(Combined {
            id: id(name),
            revision: 1,
            combine,
            parts: parts.iter().map(|part| id(part)).collect(),
        })
    };
    let parts = vec![
        combined("world", Combine::Union, &["west", "tokyo"]),
        combined("west", Combine::Union, &["london", "new_york"]),
        place("london", "Europe/London"),
        place("new_york", "America/New_York"),
        place("tokyo", "Asia/Tokyo"),
    ];
    let calendars = Calendars::compile(&parts, years(2026, 2026)).unwrap();
    let world = calendars.find(&id("world")).unwrap();
    // Tokyo 00-08, London 09-17, New York 14-22 UTC.
    assert_eq!(open(world, "2026-01-06T00:00:00Z", "2026-01-07T00:00:00Z"), 21 * 3600);
    let circle = [combined("a", Combine::Union, &["b"]), combined("b", Combine::Union, &["a"])];
    assert!(matches!(
        Calendars::compile(&circle, years(2026, 2026)),
        Err(CalendarError::UnknownCalendar { .. })
    ));
    let missing = [combined("a", Combine::Union, &["nowhere"])];
    assert_eq!(
        Calendars::compile(&missing, years(2026, 2026)).unwrap_err(),
        CalendarError::UnknownCalendar { calendar: id("nowhere") }
    );
    let twice = [place("a", "UTC"), place("a", "UTC")];
    assert_eq!(
        Calendars::compile(&twice, years(2026, 2026)).unwrap_err(),
        CalendarError::Twice { calendar: id("a") }
    );
    let empty = [combined("a", Combine::Union, &[])];
    assert!(matches!(
        Calendars::compile(&empty, years(2026, 2026)),
        Err(CalendarError::NoCommonRange { .. })
    ));
    // A combination is announced as far as all its parts are.
    let until = |name: &str, date: &str| {
        let mut hours = hours("UTC", &["09:00-17:00"]);
        (hours.id, hours.confirmed_until) = (id(name), Some(day(date)));
        CalendarDefinition::Hours(hours)
    };
    let both = [
        until("a", "2026-06-30"),
        until("b", "2026-03-31"),
        place("c", "UTC"),
        combined("all", Combine::Union, &["a", "b", "c"]),
    ];
    let calendars = Calendars::compile(&both, years(2026, 2026)).unwrap();
    let all = calendars.find(&id("all")).unwrap();
    assert_eq!(all.confirmed_end(), Some(at("2026-04-01T00:00:00Z")));
    // A list of the same part a million times is short to write and long to work through.
    let many = [place("a", "UTC"), combined("b", Combine::Union, &["a"; 101])];
    assert_eq!(
        Calendars::compile(&many, years(2026, 2026)).unwrap_err(),
        CalendarError::TooMany { what: "parts of a combination", count: 101, limit: 100 }
    );
}

#[test]
fn ranges_and_lists_have_limits() {
    let desk = hours("UTC", &["09:00-17:00"]);
    let turned = DateRange { first: day("2026-01-02"), last: day("2026-01-01") };
    assert!(matches!(desk.compile(turned), Err(CalendarError::EmptyRange { .. })));
    assert!(matches!(desk.compile(years(1900, 2026)), Err(CalendarError::RangeTooLong { .. })));
    let one = DateRange { first: day("2026-01-01"), last: day("2026-01-01") };
    assert_eq!(desk.compile(one).unwrap().open_periods().count(), 1);
    let mut many = desk.clone();
    many.weekly.insert(WeekdayCode::Mon, vec![window("09:00-10:00"); 49]);
    assert!(matches!(many.compile(one), Err(CalendarError::TooMany { count: 49, .. })));
    let ends = DateRange { first: NaiveDate::MIN, last: NaiveDate::MIN };
    assert!(desk.compile(ends).is_err());
    let ends = DateRange { first: NaiveDate::MAX, last: NaiveDate::MAX };
    assert!(desk.compile(ends).is_err());
}

#[test]
fn a_definition_survives_the_wire() {
    let mut desk = hours("Asia/Kathmandu", &["09:00-12:00", "22:00-06:00"])
        .with_working_days(&WorkingDays::china(), WeekdayCode::Mon);
    desk.breaks.push(Break {
        name: "tea".into(),
        hours: window("10:00-10:15"),
        on: Default::default(),
        pay: BreakPay::Paid,
    });
    let text = serde_json::to_string(&CalendarDefinition::Hours(desk.clone())).unwrap();
    let back: CalendarDefinition = serde_json::from_str(&text).unwrap();
    assert_eq!(back, CalendarDefinition::Hours(desk));
}

proptest! {
    /// CAL-14: whatever a definition on the wire says, compiling and asking it returns or is refused.
    #[test]
    fn hostile_definitions_never_panic(
        month in 0_u32..40, of_month in any::<u32>(), nth in any::<i8>(), easter in any::<i16>(),
        first in -400_000_i64..4_000_000, length in -10_i64..800,
        from in any::<i64>(), amount in any::<i64>(),
    ) {
        let mut desk = hours("Pacific/Apia", &["00:00-24:00"]);
        let rules = [
            HolidayRule::Yearly { month, day: of_month },
            HolidayRule::NthWeekday { month, weekday: WeekdayCode::Sun, nth },
            HolidayRule::Easter(easter),
            HolidayRule::OrthodoxEaster(easter),
        ];
        desk.holidays.extend(rules.map(|rule| Holiday {
            name: "h".into(), rule, observed: Observed::NextFreeDay, from_year: None, until_year: None,
        }));
        let date = |days: i64| {
            NaiveDate::default().checked_add_signed(chrono::TimeDelta::days(days)).unwrap()
        };
        let range = DateRange { first: date(first), last: date(first + length) };
        if let Ok(calendar) = desk.compile(range) {
            let from = DateTime::from_timestamp(from % 8_000_000_000_000, 0)
                .unwrap_or(DateTime::<chrono::Utc>::MIN_UTC);
            for at in [from, calendar.range().start(), calendar.range().end()] {
                let _ = calendar.add(at, amount);
                let _ = calendar.sub(at, amount);
                let _ = calendar.next_open(at);
                let _ = calendar.prev_transition(at);
                let term = DayTerm { days: month, count: DayCount::Working, roll: Roll::NextWorkingDay };
                let _ = calendar.term_end(at, term);
            }
        }
    }
}
