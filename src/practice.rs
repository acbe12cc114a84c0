//! The practice of a marketplace or a store: how long each stage of a case may take, and what
//! happens when nobody acts.
//!
//! In: a [`PracticeDraft`] as data: timers by stage and condition, business hours, announced pauses,
//! and a few rules of conduct. Out: a verified [`Practice`], which tells the timers of a stage and
//! the instant at which each is due. It knows no case; `case` keeps the running timers.
//!
//! Always true, and tested in `tests/policy/practice.rs`:
//! 1. A deadline never falls into a pause that is known; a pause never moves it to an earlier time.
//! 2. Of the rules of a stage the first that applies counts; a rule whose facts are missing does not.
//! 3. A draft with defects is refused with all of them.

pub mod length;
pub mod pause;
pub mod timer;
pub mod verify;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::calendar::hours::{BusinessHours, DateRange};
use crate::calendar::working_days::{WeekdayCode, WorkingDays};
use crate::condition::schema::{FactType, Schema};
use crate::condition::{Condition, Facts};
use crate::id::{FactName, PolicyId, RuleId};
use crate::label::{Label, codes};
use crate::money::currency::Currency;
use crate::practice::length::{DueError, Hours, TimerLength};
use crate::practice::pause::AnnouncedPause;
use crate::practice::timer::{ExpiryAction, Stage, TimerRule};
use crate::practice::verify::PracticeDefects;
use crate::time::{Instant, Interval};

/// The practice of one marketplace or store, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PracticeDraft {
    /// Its stable name, such as `jd`.
    pub id: PolicyId,
    /// Its name for people.
    pub label: Label,
    /// The currency in which conditions state amounts; without one, no condition may test an amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Opening hours, for lengths in open time or working days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Box<PracticeCalendar>>,
    /// The timers. Of those of one stage, the first that applies counts.
    #[serde(default)]
    pub timers: Vec<TimerRule>,
    /// Times in which timers stand still.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<AnnouncedPause>,
    /// The most cases that may ever be opened about one order line; without it there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applications_max: Option<u32>,
    /// Whether an ended case may be opened again.
    #[serde(default)]
    pub reopening: Reopening,
    /// For whom the money may go back before the goods do; without it, for nobody is it limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant_refund: Option<Condition>,
}

/// Opening hours with the dates for which they are compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PracticeCalendar {
    /// The hours.
    pub hours: BusinessHours,
    /// From when until when.
    pub range: DateRange,
    /// Announced working days to apply, each worked like a Monday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<AnnouncedDays>,
}

codes! {
    /// A list of working days that ships with the crate.
    pub enum AnnouncedDays "announced working days" {
        /// Mainland China, see [`WorkingDays::china`].
        China = "china", "Mainland China", "中国大陆";
    }
}

codes! {
    /// Whether an ended case may be opened again.
    #[derive(Default)]
    pub enum Reopening "reopening" {
        /// By those whose role permits it.
        #[default]
        Allowed = "allowed", "Allowed", "允许";
        /// By nobody: a new case is needed.
        Refused = "refused", "Refused", "不允许";
    }
}

/// A practice that can be used.
///
/// ```
/// use aftersale::condition::Facts;
/// use aftersale::practice::Practice;
/// use aftersale::practice::timer::Stage;
/// use chrono::{TimeZone, Utc};
/// let shop: Practice = serde_json::from_str(
///     r#"{"id":"corner_shop","label":{"en":"Corner shop","zh":"街角小店"},
///         "timers":[{"id":"send_back","stage":"awaiting_return",
///                    "length":{"natural":{"seconds":604800}},"on_expiry":"close"}]}"#,
/// )?;
/// let facts = Facts::new();
/// let rules: Vec<_> = shop.rules(Stage::AwaitingReturn, &facts).collect();
/// assert_eq!(rules.len(), 1);
/// let start = Utc.with_ymd_and_hms(2026, 3, 2, 9, 0, 0).unwrap();
/// let due = shop.due(&rules[0].id, rules[0].length, start, &[], start)?;
/// assert_eq!(due.to_rfc3339(), "2026-03-09T09:00:00+00:00");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "PracticeDraft", into = "PracticeDraft")]
pub struct Practice {
    draft: PracticeDraft,
    hours: Option<Hours>,
    announcements: Vec<Instant>,
    asked: BTreeMap<Stage, BTreeSet<FactName>>,
}

impl PartialEq for Practice {
    fn eq(&self, other: &Self) -> bool {
        self.draft == other.draft
    }
}

impl Eq for Practice {}

impl Practice {
    /// Verifies a practice.
    ///
    /// # Errors
    ///
    /// [`PracticeDefects`] with everything that is wrong.
    pub fn verify(draft: PracticeDraft) -> Result<Self, PracticeDefects> {
        verify::verify(draft)
    }

    /// Its stable name.
    #[must_use]
    pub const fn id(&self) -> &PolicyId {
        &self.draft.id
    }

    /// As it is written down.
    #[must_use]
    pub const fn draft(&self) -> &PracticeDraft {
        &self.draft
    }

    /// The timers that run in a stage: the first acting rule that applies, and the first promise.
    pub fn rules<'a>(
        &'a self,
        stage: Stage,
        facts: &'a Facts,
    ) -> impl Iterator<Item = &'a TimerRule> {
        let first = move |acts: bool| {
            self.draft.timers.iter().find(move |rule| {
                let track = (rule.on_expiry != ExpiryAction::Report) == acts;
                rule.stage == stage && track && rule.when.evaluate(facts).holds()
            })
        };
        [first(true), first(false)].into_iter().flatten()
    }

    /// The facts that decide which timers run in a stage: no other changes what [`rules`](Self::rules)
    /// answers, so a host need not gather it. None for a stage without conditions.
    #[must_use]
    pub fn asked(&self, stage: Stage) -> Option<&BTreeSet<FactName>> {
        self.asked.get(&stage)
    }

    /// When a timer is due, by the pauses announced until `known_at` and the times in which the case
    /// itself stood still.
    ///
    /// # Errors
    ///
    /// [`DueError`] when the calendar ends before, or the time leaves the years 1 to 9999.
    pub fn due(
        &self,
        rule: &RuleId,
        length: TimerLength,
        start: Instant,
        held: &[Interval],
        known_at: Instant,
    ) -> Result<Instant, DueError> {
        let announced = self
            .draft
            .pauses
            .iter()
            .filter(|pause| pause.announced_at <= known_at && pause.stops(rule))
            .map(|pause| pause.time);
        let stopped = pause::union(announced.chain(held.iter().copied()));
        length::due(self.hours.as_ref(), length, start, &stopped)
    }

    /// When the desk is open, as far as its calendar reaches; nothing without one.
    pub fn open_periods(&self) -> impl Iterator<Item = Interval> + '_ {
        self.hours.iter().flat_map(|hours| hours.calendar.open_periods())
    }

    /// When pauses were announced, in order, each time once.
    #[must_use]
    pub fn announcements(&self) -> &[Instant] {
        &self.announcements
    }

    /// Whether the money may go back before the goods, as far as this practice has a say.
    #[must_use]
    pub fn grants_instant_refund(&self, facts: &Facts) -> bool {
        self.draft.instant_refund.as_ref().is_none_or(|grant| grant.evaluate(facts).holds())
    }
}

/// The facts that conditions of a practice may test.
///
/// | fact | type | meaning |
/// | --- | --- | --- |
/// | `resolution` | code | what the customer gets, by the codes of `case::resolution` |
/// | `goods` | code | `unshipped`, `shipped`, `received`: the least advanced line of the case |
/// | `channel` | code, optional | the sales channel of the order |
/// | `country` | code, optional | the country of the order |
/// | `buyer_tier` | code, optional | the host's class of customer |
/// | `amount` | amount, optional | what was paid for the units of the case, in the practice's currency |
/// | `tags` | codes | the tags of the articles of the case |
/// | `reasons` | codes | the reasons stated |
/// | `application` | count | which request about its line this is, from 1; the highest of its lines |
/// | `since_order` | seconds | from the order to the opening of the case |
#[must_use]
pub fn schema(currency: Option<Currency>) -> Schema {
    let name = FactName::fixed;
    let any = || FactType::Code(Default::default());
    let among = |codes: &[&str]| FactType::Code(codes.iter().copied().map(String::from).collect());
    let schema = Schema::new()
        .with(name("resolution"), among(RESOLUTIONS))
        .with(name("goods"), among(GOODS))
        .with_optional(name("channel"), any())
        .with_optional(name("country"), any())
        .with_optional(name("buyer_tier"), any())
        .with(name("tags"), FactType::Codes(Default::default()))
        .with(name("reasons"), FactType::Codes(Default::default()))
        .with(name("application"), FactType::Count)
        .with(name("since_order"), FactType::Seconds);
    match currency {
        Some(currency) => schema.with_optional(name("amount"), FactType::Amount(currency)),
        None => schema,
    }
}

/// The codes of `case::resolution::Resolution`; a test keeps the two alike.
pub const RESOLUTIONS: &[&str] = &[
    "refund_only",
    "return_and_refund",
    "exchange",
    "reship",
    "repair",
    "refused_at_door",
    "price_protection",
    "partial_refund",
    "advance_replacement",
    "instant_refund",
];

/// How far the goods of a case had come when it was opened.
pub const GOODS: &[&str] = &["unshipped", "shipped", "received"];

impl PracticeCalendar {
    /// The hours with the announced working days applied.
    fn effective(&self) -> BusinessHours {
        let days = self.announced.map(|announced| match announced {
            AnnouncedDays::China => WorkingDays::china(),
        });
        let hours = self.hours.clone();
        match days {
            Some(days) => hours.with_working_days(&days, WeekdayCode::Mon),
            None => hours,
        }
    }
}

impl TryFrom<PracticeDraft> for Practice {
    type Error = PracticeDefects;
    fn try_from(draft: PracticeDraft) -> Result<Self, PracticeDefects> {
        Self::verify(draft)
    }
}

impl From<Practice> for PracticeDraft {
    fn from(practice: Practice) -> Self {
        practice.draft
    }
}
