//! The data in `docs/deadlines.md` and `docs/dispatch.md` is real: every block is read and verified.

use std::path::Path;

use aftersale::calendar::hours::{BusinessHours, DateRange};
use aftersale::condition::schema::{FactType, Schema};
use aftersale::dispatch::rules::DispatchBook;
use aftersale::feedback::plan::FeedbackBook;
use aftersale::id::FactName;
use aftersale::money::currency::Currency;
use aftersale::sla::book::SlaBook;
use chrono::NaiveDate;

/// The JSON blocks of a guide, in order.
fn blocks(guide: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(guide);
    let text = std::fs::read_to_string(path).unwrap();
    let parts = text.split("```json\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

fn schema() -> Schema {
    let name = |text: &str| FactName::new(text).unwrap();
    let codes = || FactType::Code(Default::default());
    ["event", "status", "tier", "reason", "language"]
        .into_iter()
        .fold(Schema::new(), |schema, fact| schema.with_optional(name(fact), codes()))
        .with_optional(name("order_value"), FactType::Amount(Currency::CNY))
}

#[test]
fn the_calendar_and_the_policies_of_the_guide_are_real() {
    let blocks = blocks("deadlines.md");
    assert_eq!(blocks.len(), 2);
    let hours: BusinessHours = serde_json::from_str(&blocks[0]).unwrap();
    let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
    let calendar = hours.compile(DateRange { first: day(1, 1), last: day(12, 31) }).unwrap();
    assert!(calendar.is_working_day(day(2, 14)).unwrap(), "worked instead");
    assert!(!calendar.is_working_day(day(4, 3)).unwrap(), "Good Friday");
    assert!(!calendar.is_working_day(day(7, 3)).unwrap(), "the third day of the rotation is free");
    SlaBook::verify(serde_json::from_str(&blocks[1]).unwrap(), &schema()).unwrap();
}

#[test]
fn the_rules_and_the_survey_of_the_guide_are_real() {
    let blocks = blocks("dispatch.md");
    assert_eq!(blocks.len(), 2);
    DispatchBook::verify(serde_json::from_str(&blocks[0]).unwrap(), &schema()).unwrap();
    FeedbackBook::verify(serde_json::from_str(&blocks[1]).unwrap(), &schema()).unwrap();
}
