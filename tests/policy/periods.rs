//! Periods: every worked example of the laws, and a model that walks day by day.

use std::collections::BTreeSet;

use aftersale::calendar::working_days::WorkingDays;
use aftersale::explain::{Effect, Fact, RuleRef};
use aftersale::id::RuleId;
use aftersale::policy::deadline::{Deadline, Information, Pause, Place, Timeline, Timing};
use aftersale::policy::period::{
    Act, Anchor, Choose, DayEnd, Length, LengthUnit, PauseKind, Period, PeriodFault, PeriodTerms,
    Roll, Start, Step,
};
use aftersale::policy::set::{PolicyDraft, PolicySet};
use aftersale::preset::policies;
use aftersale::quantity::{Quantity, Unit};
use aftersale::time::{Instant, Interval, Zone};
use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at_utc(text: &str) -> Instant {
    text.parse().unwrap()
}

fn rule() -> RuleRef {
    RuleRef::new(RuleId::new("window").unwrap())
}

/// Ten in the morning, local time.
fn morning(zone: Zone, date: &str) -> Instant {
    zone.start_of(day(date)).unwrap() + chrono::TimeDelta::hours(10)
}

fn place(zone: &str, working_days: WorkingDays) -> Place {
    Place::new(zone.parse().unwrap(), working_days)
}

fn china() -> Place {
    place("Asia/Shanghai", WorkingDays::china())
}

/// Germany, as far as the examples need it.
fn germany() -> Place {
    let mut days = WorkingDays::weekdays();
    for (date, name) in [
        ("2025-12-25", "Christmas Day"),
        ("2025-12-26", "Second day of Christmas"),
        ("2026-01-01", "New Year"),
        ("2026-04-03", "Good Friday"),
        ("2026-04-06", "Easter Monday"),
        ("2026-05-01", "Labor Day"),
    ] {
        days.holidays.insert(day(date), name.into());
    }
    place("Europe/Berlin", days)
}

fn britain() -> Place {
    place("Europe/London", WorkingDays::weekdays())
}

/// The window of a rule that ships with the crate.
fn window(id: &str) -> PeriodTerms {
    let drafts: Vec<PolicyDraft> =
        policies::ALL.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let set = PolicySet::verify(drafts).unwrap();
    set.rule(&RuleId::new(id).unwrap()).unwrap().window.clone().unwrap()
}

fn deadline(terms: &PeriodTerms, timeline: &Timeline, place: &Place) -> Deadline {
    let period = Period::new(terms.clone()).unwrap();
    match period.deadline(timeline, place, &rule()).unwrap() {
        Timing::Until(deadline) => deadline,
        other => panic!("no deadline: {other:?}"),
    }
}

/// The last day of a period whose one event was on a date.
fn last_day(terms: &PeriodTerms, event: &str, place: &Place) -> NaiveDate {
    let at = morning(place.zone, event);
    let timeline = Timeline::new(at).with(terms.anchors[0], at);
    let deadline = deadline(terms, &timeline, place);
    assert_eq!(deadline.ends, place.zone.end_of(deadline.last_day).unwrap());
    deadline.last_day
}

fn days(count: u32) -> PeriodTerms {
    PeriodTerms::new(Length::new(count, LengthUnit::Days), Anchor::Delivered)
}

#[test]
fn china_seven_days_from_the_day_after_signing_roll_past_rest_days() {
    let terms = window("cn_seven_days");
    for (signed, last) in [
        ("2026-03-02", "2026-03-09"),
        ("2026-02-08", "2026-02-24"), // day 7 is 15 February, Spring Festival until the 23rd
        ("2026-02-07", "2026-02-14"), // a worked Saturday
        ("2026-04-25", "2026-05-06"),
        ("2026-05-02", "2026-05-09"), // a worked Saturday
        ("2026-09-24", "2026-10-08"),
    ] {
        assert_eq!(last_day(&terms, signed, &china()), day(last), "signed {signed}");
    }
}

#[test]
fn the_european_fourteen_days_roll_to_the_next_working_day() {
    let mut terms = window("eu_withdrawal_goods");
    terms.anchors = vec![Anchor::Delivered];
    for (delivered, last) in [
        ("2026-01-02", "2026-01-16"),
        ("2025-12-20", "2026-01-05"),
        ("2025-12-11", "2025-12-29"), // Christmas, its second day, a weekend
        ("2026-03-20", "2026-04-07"), // Good Friday to Easter Monday
        ("2026-04-17", "2026-05-04"),
    ] {
        assert_eq!(last_day(&terms, delivered, &germany()), day(last), "delivered {delivered}");
    }
}

#[test]
fn two_parcels_of_one_order_share_the_window_of_the_last() {
    let terms = window("eu_withdrawal_goods");
    let place = germany();
    for parcel in ["2026-02-18", "2026-02-20"] {
        let timeline = Timeline::new(morning(place.zone, "2026-03-01"))
            .with(Anchor::Delivered, morning(place.zone, parcel))
            .with(Anchor::LastItemDelivered, morning(place.zone, "2026-02-20"));
        assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2026-03-06"));
    }
}

#[test]
fn while_the_last_parcel_is_under_way_the_window_has_not_begun() {
    let terms = window("eu_withdrawal_goods");
    let place = germany();
    let mut timeline = Timeline::new(morning(place.zone, "2026-03-01"))
        .with(Anchor::Delivered, morning(place.zone, "2026-02-18"));
    timeline.pending.insert(Anchor::LastItemDelivered);
    let timing = Period::new(terms).unwrap().deadline(&timeline, &place, &rule()).unwrap();
    assert_eq!(timing, Timing::NotBegun(vec![Anchor::LastItemDelivered]));
}

#[test]
fn a_customer_never_informed_has_twelve_months_more() {
    let terms = window("eu_withdrawal_goods");
    let place = germany();
    let delivered = morning(place.zone, "2026-01-15");
    let mut timeline = Timeline::new(delivered).with(Anchor::Delivered, delivered);
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2026-01-29"));
    timeline.information = Information::Never;
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2027-01-29"));
    timeline.information = Information::Late(morning(place.zone, "2026-03-10"));
    let late = deadline(&terms, &timeline, &place);
    assert_eq!(late.last_day, day("2026-03-24"));
    let step = late.derivation.iter().find(|f| f.subject.as_deref() == Some("extension")).unwrap();
    assert_eq!(step.rule.source.as_deref(), Some("Directive 2011/83/EU Art. 10"));
    assert_eq!(step.observed, Some(Fact::Date(day("2026-03-10"))));
    // Told before the goods came: the ordinary window.
    timeline.information = Information::Late(morning(place.zone, "2026-01-10"));
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2026-01-29"));
    // Told on the last day of the twelve months: in time still.
    timeline.information = Information::Late(morning(place.zone, "2027-01-29"));
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2027-02-12"));
    // Told after the twelve months: too late to restart anything.
    timeline.information = Information::Late(morning(place.zone, "2027-02-01"));
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2027-01-29"));
}

#[test]
fn a_month_ends_on_the_same_number_or_the_last_day_and_then_rolls() {
    let month = PeriodTerms::new(Length::new(1, LengthUnit::Months), Anchor::Delivered);
    assert_eq!(last_day(&month, "2026-01-31", &germany()), day("2026-02-28"));
    assert_eq!(last_day(&month, "2024-01-31", &germany()), day("2024-02-29"));
    let rolls = PeriodTerms { roll: Roll::NextWorkingDay, ..month.clone() };
    assert_eq!(last_day(&rolls, "2026-01-31", &germany()), day("2026-03-02")); // a Saturday
    // EDPB Guidelines 01/2022: a request on 4 March is due by the end of 4 April.
    assert_eq!(last_day(&month, "2022-03-04", &britain()), day("2022-04-04"));
    let years = PeriodTerms::new(Length::new(2, LengthUnit::Years), Anchor::Delivered);
    assert_eq!(last_day(&years, "2024-02-29", &germany()), day("2026-02-28"));
}

#[test]
fn a_month_whose_first_day_is_the_event_day_ends_a_day_earlier() {
    let month = PeriodTerms {
        start: Start::EventDay,
        ..PeriodTerms::new(Length::new(1, LengthUnit::Months), Anchor::Delivered)
    };
    assert_eq!(last_day(&month, "2026-03-01", &britain()), day("2026-03-31"));
    assert_eq!(last_day(&month, "2026-01-31", &britain()), day("2026-02-28"));
}

#[test]
fn awareness_day_is_day_zero_and_weekends_count() {
    // MDCG 2023-3 rev. 2, question 14: a 15-day period starts at 00:00 of the next day and ends with
    // day 15, weekends included.
    assert_eq!(last_day(&days(15), "2024-06-03", &britain()), day("2024-06-18"));
    assert_eq!(last_day(&days(15), "2024-06-01", &britain()), day("2024-06-16")); // a Sunday
}

#[test]
fn the_united_kingdom_does_not_roll() {
    let mut terms = window("uk_cancel");
    terms.anchors = vec![Anchor::Delivered];
    assert_eq!(last_day(&terms, "2025-12-20", &britain()), day("2026-01-03")); // a Saturday
    assert_eq!(last_day(&terms, "2026-03-20", &britain()), day("2026-04-03")); // Good Friday
}

#[test]
fn in_japan_the_delivery_day_is_day_one() {
    let terms = window("jp_eight_days");
    let tokyo = place("Asia/Tokyo", WorkingDays::weekdays());
    assert_eq!(last_day(&terms, "2026-03-02", &tokyo), day("2026-03-09"));
}

#[test]
fn the_platform_counts_168_hours_and_ends_before_the_law_at_holidays() {
    let platform = window("cn_platform_168_hours");
    let place = china();
    let signed = morning(place.zone, "2026-02-08");
    let timeline = Timeline::new(signed).with(Anchor::Signed, signed);
    let hours = deadline(&platform, &timeline, &place);
    assert_eq!(hours.last_day, day("2026-02-15"));
    assert_eq!(hours.ends, place.zone.start_of(day("2026-02-16")).unwrap());
    let law = deadline(&window("cn_seven_days"), &timeline, &place);
    assert_eq!(law.last_day, day("2026-02-24"));
    assert!(hours.ends < law.ends);
}

#[test]
fn a_period_of_two_days_contains_two_working_days() {
    // Regulation 1182/71, Art. 3(5): from Friday, two days end on Sunday, so on Tuesday.
    let terms = PeriodTerms { roll: Roll::NextWorkingDay, min_working_days: 2, ..days(2) };
    assert_eq!(last_day(&terms, "2026-01-09", &germany()), day("2026-01-13"));
    let rolled = PeriodTerms { min_working_days: 0, ..terms };
    assert_eq!(last_day(&rolled, "2026-01-09", &germany()), day("2026-01-12"));
}

#[test]
fn working_days_count_worked_saturdays() {
    let ten = PeriodTerms::new(Length::new(3, LengthUnit::WorkingDays), Anchor::NoticeReceived);
    // 12 and 13 February, and Saturday the 14th, worked in exchange.
    assert_eq!(last_day(&ten, "2026-02-11", &china()), day("2026-02-14"));
    assert_eq!(last_day(&ten, "2026-02-12", &china()), day("2026-02-24"));
}

#[test]
fn repair_stops_the_british_clock_and_leaves_seven_days() {
    let terms = window("uk_short_reject");
    let place = britain();
    let at = |date: &str| morning(place.zone, date);
    let timeline = |pause: Option<(&str, &str)>| {
        let mut timeline =
            Timeline::new(at("2026-03-01")).with(Anchor::Delivered, at("2026-03-01"));
        timeline.pauses.extend(pause.map(|(from, to)| Pause {
            kind: PauseKind::Repair,
            time: Interval::new(at(from), at(to)).unwrap(),
        }));
        timeline
    };
    assert_eq!(deadline(&terms, &timeline(None), &place).last_day, day("2026-03-31"));
    // Ten civil days are touched, 5 to 14 March.
    let paused = deadline(&terms, &timeline(Some(("2026-03-05", "2026-03-14"))), &place);
    assert_eq!(paused.last_day, day("2026-04-10"));
    // Two days before the end a repair of four days would leave two; seven remain.
    let short = deadline(&terms, &timeline(Some(("2026-03-30", "2026-04-02"))), &place);
    assert_eq!(short.last_day, day("2026-04-09"));
    // A pause after the end changes nothing.
    let after = deadline(&terms, &timeline(Some(("2026-04-01", "2026-04-09"))), &place);
    assert_eq!(after.last_day, day("2026-03-31"));
}

#[test]
fn the_british_clock_waits_for_delivery_and_installation() {
    let terms = window("uk_short_reject");
    let place = britain();
    let at = |date: &str| morning(place.zone, date);
    let mut timeline = Timeline::new(at("2026-03-01"))
        .with(Anchor::Sold, at("2026-02-01"))
        .with(Anchor::Delivered, at("2026-02-10"));
    timeline.pending.insert(Anchor::Installed);
    let period = Period::new(terms.clone()).unwrap();
    let timing = period.deadline(&timeline, &place, &rule()).unwrap();
    assert_eq!(timing, Timing::NotBegun(vec![Anchor::Installed]));
    timeline.pending.clear();
    timeline = timeline.with(Anchor::Installed, at("2026-02-20"));
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2026-03-22"));
}

#[test]
fn the_chinese_guarantee_is_longer_by_the_days_in_repair() {
    let terms = window("cn_tg_repair");
    let place = china();
    let at = |date: &str| morning(place.zone, date);
    let mut timeline = Timeline::new(at("2025-06-01")).with(Anchor::Invoiced, at("2025-03-03"));
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2026-03-03"));
    timeline.pauses.push(Pause {
        kind: PauseKind::Repair,
        time: Interval::new(at("2025-06-01"), at("2025-06-10")).unwrap(),
    });
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2026-03-13"));
    // A repair that begins on the last day stops the clock, one that begins the day after does not.
    let repair = |from: &str, to: &str| Pause {
        kind: PauseKind::Repair,
        time: Interval::new(at(from), at(to)).unwrap(),
    };
    timeline.pauses = vec![repair("2026-03-03", "2026-03-05")];
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2026-03-06"));
    timeline.pauses = vec![repair("2026-03-04", "2026-03-05")];
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2026-03-03"));
}

#[test]
fn a_shop_that_closes_ends_the_day_at_its_closing_hour() {
    let terms = PeriodTerms { end: DayEnd::ClosingHour, ..days(7) };
    let mut shop = china();
    let at = morning(shop.zone, "2026-03-02");
    let timeline = Timeline::new(at).with(Anchor::Delivered, at);
    assert_eq!(
        deadline(&terms, &timeline, &shop).ends,
        shop.zone.end_of(day("2026-03-09")).unwrap()
    );
    shop.closing = NaiveTime::from_hms_opt(21, 0, 0);
    let closes = deadline(&terms, &timeline, &shop);
    assert_eq!(closes.ends, "2026-03-09T13:00:00Z".parse::<Instant>().unwrap());
}

#[test]
fn days_may_end_at_the_time_of_day_of_the_event() {
    let terms = PeriodTerms { end: DayEnd::SameInstant, ..days(1) };
    // The clock goes forward in the night of 29 March: the same time of day, an hour less of time.
    let event = at_utc("2026-03-28T09:30:00Z");
    let found = deadline(&terms, &Timeline::new(event).with(Anchor::Delivered, event), &germany());
    assert_eq!(found.ends, at_utc("2026-03-29T08:30:00Z"));
}

#[test]
fn the_hour_of_the_event_does_not_count_where_the_rule_says_so() {
    let terms = PeriodTerms {
        start: Start::HourAfter,
        end: DayEnd::SameInstant,
        ..PeriodTerms::new(Length::new(24, LengthUnit::Hours), Anchor::NoticeReceived)
    };
    let at = |text: &str| text.parse::<Instant>().unwrap();
    for (event, ends) in [
        ("2026-01-09T10:20:30Z", "2026-01-10T11:00:00Z"),
        ("2026-01-09T10:00:00Z", "2026-01-10T11:00:00Z"),
        ("2026-01-09T10:20:30.500Z", "2026-01-10T11:00:00Z"), // parts of a second too
        ("2026-03-28T10:59:59Z", "2026-03-29T11:00:00Z"),     // hours elapse, clocks change
    ] {
        let timeline = Timeline::new(at(event)).with(Anchor::NoticeReceived, at(event));
        assert_eq!(deadline(&terms, &timeline, &germany()).ends, at(ends));
    }
}

#[test]
fn past_the_announced_holidays_the_deadline_says_so() {
    let terms = window("cn_seven_days");
    let place = china();
    let at = morning(place.zone, "2026-12-28");
    let deadline = deadline(&terms, &Timeline::new(at).with(Anchor::Signed, at), &place);
    let warning = deadline.derivation.iter().find(|f| f.effect == Effect::Warns).unwrap();
    assert_eq!(warning.observed, Some(Fact::Date(day("2026-12-31"))));
}

/// POL-1: the first instant after the last day is late, the one before is in time.
#[test]
fn the_last_second_is_in_time_and_midnight_is_late() {
    let place = china();
    let at = morning(place.zone, "2026-03-02");
    let timeline = Timeline::new(at).with(Anchor::Signed, at);
    let deadline = deadline(&window("cn_seven_days"), &timeline, &place);
    let midnight = place.zone.start_of(day("2026-03-10")).unwrap();
    assert!(deadline.admits(midnight - chrono::TimeDelta::nanoseconds(1)));
    assert!(!deadline.admits(midnight));
}

/// POL-2: every step of a deadline is a finding that leads from one value to the next, with its
/// article.
#[test]
fn the_steps_of_a_deadline_form_a_chain() {
    let place = china();
    let at = morning(place.zone, "2026-02-08");
    let timeline = Timeline::new(at).with(Anchor::Signed, at);
    let found = deadline(&window("cn_seven_days"), &timeline, &place);
    let steps: Vec<&str> = found.derivation.iter().filter_map(|f| f.subject.as_deref()).collect();
    assert_eq!(steps, ["anchor", "length", "roll", "end"]);
    assert_eq!(found.derivation[0].required, Some(Fact::Instant(at)));
    assert_eq!(found.derivation[1].required, Some(Fact::Date(day("2026-02-15"))));
    assert_eq!(found.derivation[2].observed, found.derivation[1].required);
    assert_eq!(found.derivation[2].required, Some(Fact::Date(day("2026-02-24"))));
    assert_eq!(found.derivation[2].rule.source.as_deref(), Some("Civil Code of China Art. 203"));
    assert_eq!(found.derivation[3].observed, found.derivation[2].required);
    assert_eq!(found.derivation[3].required, Some(Fact::Instant(found.ends)));
    assert_eq!(
        found.derivation[2].to_string(),
        "rule `window` raises (roll): 2026-02-15 observed, 2026-02-24 required [Civil Code of China Art. 203]"
    );
}

#[test]
fn each_fault_of_a_period_is_named() {
    let faults = |change: fn(&mut PeriodTerms)| {
        let mut terms = days(7);
        change(&mut terms);
        terms.faults()
    };
    assert!(faults(|_| ()).is_empty());
    assert!(matches!(faults(|t| t.length.count = 0)[..], [PeriodFault::Length { .. }]));
    assert!(faults(|t| t.length.count = 36_525).is_empty());
    assert!(matches!(faults(|t| t.length.count = 36_526)[..], [PeriodFault::Length { .. }]));
    assert!(matches!(faults(|t| t.anchors.clear())[..], [PeriodFault::Anchors { count: 0 }]));
    assert!(matches!(faults(|t| t.start = Start::EventInstant)[..], [PeriodFault::Start { .. }]));
    assert!(matches!(faults(|t| t.min_days_after_pause = 7)[..], [PeriodFault::AfterPause { .. }]));
    assert!(matches!(faults(|t| t.min_working_days = 367)[..], [PeriodFault::Minimum { .. }]));
    let km = Quantity::parse("3000", Unit::with_digits("km", 0).unwrap()).unwrap();
    let mut terms = days(7);
    terms.usage_max = vec![km, km];
    assert_eq!(terms.faults(), [PeriodFault::UsageTwice]);
    let hours = faults(|t| {
        t.length.unit = LengthUnit::Hours;
        t.roll = Roll::NextWorkingDay;
        t.extension = Some(Length::new(12, LengthUnit::Months));
    });
    assert_eq!(
        hours,
        [
            PeriodFault::HoursEnd { end: DayEnd::EndOfDay },
            PeriodFault::HoursRoll,
            PeriodFault::HourExtension
        ]
    );
}

// The model: walk day by day.

#[derive(Clone, Debug)]
struct Case {
    terms: PeriodTerms,
    event: NaiveDate,
    /// First and last day of each pause.
    pauses: Vec<(NaiveDate, NaiveDate)>,
    working_days: WorkingDays,
    information: Information,
}

/// Count the days that count, one after the other.
fn walk(case: &Case, from: NaiveDate, restart: bool) -> NaiveDate {
    let terms = &case.terms;
    let paused = |day: NaiveDate| {
        !terms.pauses.is_empty() && case.pauses.iter().any(|(a, b)| *a <= day && day <= *b)
    };
    let mut current = from;
    if terms.start != Start::EventDay {
        current = current + Days::new(1);
    }
    let first = current;
    // Days, weeks and working days: tick off one counted day after the other.
    let mut left = match terms.length.unit {
        LengthUnit::Weeks => terms.length.count * 7,
        _ => terms.length.count,
    };
    let mut last;
    if matches!(terms.length.unit, LengthUnit::Months | LengthUnit::Years) {
        let months = match terms.length.unit {
            LengthUnit::Years => terms.length.count * 12,
            _ => terms.length.count,
        };
        last = calendar_months(case, from, months);
        // Each paused day inside moves the end by one day.
        let mut look = first;
        while look <= last {
            if paused(look) {
                last = last + Days::new(1);
            }
            look = look + Days::new(1);
        }
    } else {
        last = current;
        while left > 0 {
            let counts = match terms.length.unit {
                LengthUnit::WorkingDays => case.working_days.is_worked(current),
                _ => true,
            };
            if counts && !paused(current) {
                left -= 1;
                last = current;
            }
            current = current + Days::new(1);
        }
    }
    if terms.roll == Roll::NextWorkingDay {
        while !case.working_days.is_worked(last) {
            last = last + Days::new(1);
        }
    }
    while case.working_days.count(first, last) < terms.min_working_days as usize {
        last = last + Days::new(1);
    }
    if restart { last } else { with_extension(case, last) }
}

fn calendar_months(case: &Case, from: NaiveDate, months: u32) -> NaiveDate {
    let mut month = from.with_day(1).unwrap();
    for _ in 0..months {
        month = (month + Days::new(31)).with_day(1).unwrap();
    }
    let last_of_month = (month + Days::new(31)).with_day(1).unwrap() - Days::new(1);
    match month.with_day(from.day()) {
        Some(day) if case.terms.start == Start::EventDay => day - Days::new(1),
        Some(day) => day,
        None => last_of_month,
    }
}

fn with_extension(case: &Case, last: NaiveDate) -> NaiveDate {
    let Some(by) = case.terms.extension else { return last };
    assert_eq!(by.unit, LengthUnit::Days);
    let mut full = last + Days::new(by.count.into());
    if case.terms.roll == Roll::NextWorkingDay {
        while !case.working_days.is_worked(full) {
            full = full + Days::new(1);
        }
    }
    match case.information {
        Information::InTime => last,
        Information::Never => full,
        Information::Late(at) => {
            let told = Zone::UTC.date(at);
            if told > full { full } else { walk(case, told, true).max(last) }
        }
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let units = prop::sample::select(vec![
        LengthUnit::Days,
        LengthUnit::WorkingDays,
        LengthUnit::Weeks,
        LengthUnit::Months,
        LengthUnit::Years,
    ]);
    let base = day("2026-01-01");
    let shape = (
        units,
        1u32..20,
        prop::bool::ANY,
        prop::bool::ANY,
        0u32..4,
        prop::bool::ANY,
        prop::option::of(1u32..400),
        0usize..3,
        0u64..900,
    );
    let around = (
        0u64..700,
        prop::collection::vec((0u64..60, 0u64..30), 0..4),
        prop::collection::btree_set(0u64..1200, 0..40),
        prop::collection::btree_set(0u64..1200, 0..10),
    );
    (shape, around).prop_map(move |(shape, around)| {
        let (unit, count, event_day, roll, minimum, stops, extension, informed, told) = shape;
        let (event, pauses, holidays, made_up) = around;
        let at = |offset: u64| base + Days::new(offset);
        let event = at(event);
        let count = if unit == LengthUnit::Years { count.min(3) } else { count };
        let mut terms = PeriodTerms::new(Length::new(count, unit), Anchor::Delivered);
        terms.start = if event_day { Start::EventDay } else { Start::DayAfter };
        terms.roll = if roll { Roll::NextWorkingDay } else { Roll::None };
        terms.min_working_days = minimum;
        terms.pauses = if stops { BTreeSet::from([PauseKind::Repair]) } else { BTreeSet::new() };
        terms.extension = extension.map(|count| Length::new(count, LengthUnit::Days));
        let mut working_days = WorkingDays::weekdays();
        working_days.holidays = holidays.iter().map(|d| (at(*d), "holiday".into())).collect();
        working_days.made_up = made_up.iter().map(|d| at(*d)).collect();
        let pauses = pauses
            .iter()
            .map(|(from, length)| {
                let from = event + Days::new(*from);
                (from, from + Days::new(*length))
            })
            .collect();
        let information = match informed {
            0 => Information::InTime,
            1 => Information::Never,
            _ => Information::Late(Zone::UTC.start_of(at(told)).unwrap()),
        };
        Case { terms, event, pauses, working_days, information }
    })
}

fn timeline(case: &Case) -> Timeline {
    let at = |day: NaiveDate| day.and_hms_opt(12, 0, 0).unwrap().and_utc();
    let mut timeline = Timeline::new(at(case.event)).with(Anchor::Delivered, at(case.event));
    timeline.information = case.information;
    timeline.pauses = case
        .pauses
        .iter()
        .map(|(from, to)| Pause {
            kind: PauseKind::Repair,
            time: Interval::new(at(*from), at(*to)).unwrap(),
        })
        .collect();
    timeline
}

proptest! {
    /// POL-3: a deadline equals counting the days one by one.
    #[test]
    fn deadlines_equal_counting_day_by_day(case in cases()) {
        let place = Place::new(Zone::UTC, case.working_days.clone());
        let found = deadline(&case.terms, &timeline(&case), &place);
        prop_assert_eq!(found.last_day, walk(&case, case.event, false));
        prop_assert_eq!(found.ends, Zone::UTC.end_of(found.last_day).unwrap());
    }

    /// POL-4: the order and the overlap of pauses do not matter, and a pause never shortens a period.
    #[test]
    fn pauses_in_any_order_never_shorten(case in cases()) {
        let place = Place::new(Zone::UTC, case.working_days.clone());
        let mut shuffled = timeline(&case);
        let whole = deadline(&case.terms, &shuffled, &place).last_day;
        shuffled.pauses.reverse();
        let again = shuffled.pauses.clone();
        shuffled.pauses.extend(again);
        prop_assert_eq!(deadline(&case.terms, &shuffled, &place).last_day, whole);
        shuffled.pauses.clear();
        shuffled.information = Information::InTime;
        prop_assert!(deadline(&case.terms, &shuffled, &place).last_day <= whole);
    }

    /// POL-5: a period that rolls ends on a working day.
    #[test]
    fn a_period_that_rolls_ends_on_a_working_day(case in cases()) {
        let terms = PeriodTerms { roll: Roll::NextWorkingDay, ..case.terms.clone() };
        let place = Place::new(Zone::UTC, case.working_days.clone());
        let found = deadline(&terms, &timeline(&case), &place);
        prop_assert!(case.working_days.is_worked(found.last_day));
    }

    /// POL-6: an event on a later day never ends a period in days earlier.
    #[test]
    fn later_events_never_end_earlier(case in cases(), later in 0u64..50) {
        let place = Place::new(Zone::UTC, case.working_days.clone());
        let mut moved = case.clone();
        moved.event = case.event + Days::new(later);
        moved.terms.pauses.clear();
        moved.terms.extension = None;
        let first = Case { event: case.event, ..moved.clone() };
        let first = deadline(&first.terms, &timeline(&first), &place).last_day;
        prop_assert!(first <= deadline(&moved.terms, &timeline(&moved), &place).last_day);
    }

    /// POL-3: hours are counted one by one, and those in a pause are left out.
    #[test]
    fn hours_equal_counting_hour_by_hour(
        count in 1u32..100,
        pauses in prop::collection::vec((-20i64..150, 0i64..40), 0..5),
    ) {
        let hour = |n: i64| at_utc("2026-03-28T00:00:00Z") + chrono::TimeDelta::hours(n);
        let mut terms = PeriodTerms::new(Length::new(count, LengthUnit::Hours), Anchor::NoticeReceived);
        terms.start = Start::EventInstant;
        terms.end = DayEnd::SameInstant;
        terms.pauses = [PauseKind::Waiting].into();
        let mut timeline = Timeline::new(hour(0)).with(Anchor::NoticeReceived, hour(0));
        timeline.pauses = pauses
            .iter()
            .map(|(from, length)| Pause {
                kind: PauseKind::Waiting,
                time: Interval::new(hour(*from), hour(from + length)).unwrap(),
            })
            .collect();
        let paused = |n: i64| pauses.iter().any(|(from, length)| *from <= n && n < from + length);
        let (mut now, mut left) = (0, count);
        while left > 0 {
            left -= u32::from(!paused(now));
            now += 1;
        }
        prop_assert_eq!(deadline(&terms, &timeline, &germany()).ends, hour(now));
    }

    /// A period record survives the wire.
    #[test]
    fn periods_survive_the_wire(case in cases()) {
        let text = serde_json::to_string(&case.terms).unwrap();
        prop_assert_eq!(serde_json::from_str::<PeriodTerms>(&text).unwrap(), case.terms);
    }
}

#[test]
fn the_earliest_anchor_counts_where_the_rule_says_so() {
    let terms = PeriodTerms {
        anchors: vec![Anchor::GoodsReceived, Anchor::GoodsSent],
        choose: Choose::Earliest,
        act: Act::NoticeReceived,
        ..days(14)
    };
    let place = britain();
    let timeline = Timeline::new(morning(place.zone, "2026-03-01"))
        .with(Anchor::GoodsReceived, morning(place.zone, "2026-03-09"))
        .with(Anchor::GoodsSent, morning(place.zone, "2026-03-05"));
    assert_eq!(deadline(&terms, &timeline, &place).last_day, day("2026-03-19"));
    assert_eq!(Step::Anchor.to_string(), "anchor");
}
