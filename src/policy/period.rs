//! One record for every period rule: how long, from which event, ended by which act.
//!
//! A seven-day return in China, fourteen days in the European Union, thirty days at the store, two
//! years or 50,000 km for a car: each is one [`PeriodTerms`]. [`Period`] is the same record, checked;
//! [`Period::deadline`](super::deadline) turns it into a last day and an instant, step by step.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::label::codes;
use crate::quantity::{Quantity, Unit};

codes! {
    /// What a length of time is counted in.
    pub enum LengthUnit "unit of a period" {
        /// Hours of 3,600 seconds.
        Hours = "hours", "Hours", "小时";
        /// Civil days; rest days count.
        Days = "days", "Calendar days", "自然日";
        /// Days worked at the place.
        WorkingDays = "working_days", "Working days", "工作日";
        /// Seven civil days each.
        Weeks = "weeks", "Weeks", "周";
        /// Civil months.
        Months = "months", "Months", "月";
        /// Civil years.
        Years = "years", "Years", "年";
    }
}

/// A length of time as a rule states it: 14 days, 2 years, 168 hours.
///
/// The count is at least 1 and at most [`Length::max`] for its unit; [`PeriodTerms::faults`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Length {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: LengthUnit,
}

impl Length {
    /// So many of a unit.
    #[must_use]
    pub const fn new(count: u32, unit: LengthUnit) -> Self {
        Self { count, unit }
    }

    /// The largest count of a unit: a century, and a thousand working days.
    #[must_use]
    pub const fn max(unit: LengthUnit) -> u32 {
        match unit {
            LengthUnit::Hours => 876_600,
            LengthUnit::Days => 36_525,
            LengthUnit::WorkingDays => 1_000,
            LengthUnit::Weeks => 5_218,
            LengthUnit::Months => 1_200,
            LengthUnit::Years => 100,
        }
    }

    const fn is_usable(self) -> bool {
        1 <= self.count && self.count <= Self::max(self.unit)
    }
}

impl core::fmt::Display for Length {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        use crate::label::{Coded, Language};
        write!(f, "{} {}", self.count, self.unit.label(Language::English).to_lowercase())
    }
}

codes! {
    /// Where counting begins.
    pub enum Start "first day" {
        /// The day after the event is day 1 (China, European Union, United Kingdom). For hours: from
        /// the first instant of that day.
        DayAfter = "day_after", "Day after the event", "次日起算";
        /// The day of the event is day 1 (Japan, mail order).
        EventDay = "event_day", "Day of the event", "当日起算";
        /// Hours only: from the next full hour of the local clock (Regulation 1182/71, Art. 3(1)).
        HourAfter = "hour_after", "Hour after the event", "下一小时起算";
        /// Hours only: from the event itself.
        EventInstant = "event_instant", "Moment of the event", "事件时刻起算";
    }
}

codes! {
    /// An event that starts a period.
    pub enum Anchor "anchor" {
        /// The goods of the line were handed over.
        Delivered = "delivered", "Delivered", "交付";
        /// The last of several goods of one order was handed over.
        LastItemDelivered = "last_item_delivered", "Last item of the order delivered", "订单最后一件交付";
        /// The last lot or piece of one good was handed over.
        LastPieceDelivered = "last_piece_delivered", "Last piece delivered", "最后一批交付";
        /// The first good of a regular series was handed over.
        FirstOfSeriesDelivered = "first_of_series", "First of a series delivered", "定期配送首件交付";
        /// The recipient signed for the parcel.
        Signed = "signed", "Signed for", "签收";
        /// The sale was made at the counter, or ownership passed.
        Sold = "sold", "Sold", "售出";
        /// The invoice was issued.
        Invoiced = "invoiced", "Invoiced", "开具发票";
        /// The goods were installed.
        Installed = "installed", "Installed", "安装完成";
        /// The contract was made.
        ContractMade = "contract_made", "Contract made", "合同成立";
        /// The customer sent the statement.
        NoticeSent = "notice_sent", "Notice sent", "通知发出";
        /// The seller received the statement.
        NoticeReceived = "notice_received", "Notice received", "通知到达";
        /// The customer sent the goods back, with proof.
        GoodsSent = "goods_sent", "Goods sent back", "退货寄出";
        /// The seller received the goods back.
        GoodsReceived = "goods_received", "Goods received back", "退货签收";
        /// The seller agreed that money is owed.
        Agreed = "agreed", "Claim agreed", "确认退款";
        /// The recall was announced.
        RecallAnnounced = "recall_announced", "Recall announced", "召回发布";
    }
}

codes! {
    /// Which of several anchors counts.
    pub enum Choose "choice of anchor" {
        /// The first of the list that is known.
        FirstKnown = "first_known", "First known", "首个已知";
        /// The earliest that is known.
        Earliest = "earliest", "Earliest", "最早";
        /// The latest that is known; one that is still to come holds the start back.
        Latest = "latest", "Latest", "最晚";
    }
}

codes! {
    /// The act that must happen before the end.
    pub enum Act "act that counts" {
        /// The statement was sent (Directive 2011/83/EU, Art. 11(2)).
        NoticeSent = "notice_sent", "Notice sent", "发出通知";
        /// The statement arrived.
        NoticeReceived = "notice_received", "Notice received", "通知到达";
        /// The goods were handed to the carrier.
        GoodsSent = "goods_sent", "Goods sent", "寄出商品";
    }
}

codes! {
    /// When the last day ends.
    pub enum DayEnd "end of a period" {
        /// At 24:00 local time.
        EndOfDay = "end_of_day", "End of the day", "当日24时";
        /// At the closing hour of the place, or at 24:00 where it has none (Civil Code, Art. 203).
        ClosingHour = "closing_hour", "Closing hour", "停止业务活动时";
        /// At the local time of day of the event; for hours, when the last hour is over.
        SameInstant = "same_instant", "Same moment", "对应时刻";
    }
}

codes! {
    /// What happens when the last day is a rest day.
    pub enum Roll "roll of the last day" {
        /// Nothing.
        None = "none", "None", "不顺延";
        /// The next working day is the last day. With worked weekends in the calendar this is also
        /// the Chinese rule, the day after the rest days (Civil Code, Art. 203).
        NextWorkingDay = "next_working_day", "Next working day", "顺延至工作日";
    }
}

codes! {
    /// Why a clock stands still.
    pub enum PauseKind "pause" {
        /// The goods are with the seller for repair.
        Repair = "repair", "Repair", "维修";
        /// The customer waits for a replacement.
        Replacement = "replacement", "Replacement", "换货";
        /// The customer waits for parts or for an answer of the seller.
        Waiting = "waiting", "Waiting for the seller", "等待商家";
    }
}

codes! {
    /// One step of the calculation of a deadline.
    pub enum Step "step of a deadline" {
        /// The event from which the period runs.
        Anchor = "anchor", "Start event", "起算事件";
        /// The length.
        Length = "length", "Length", "期间";
        /// Time that does not count.
        Pause = "pause", "Pause", "中止";
        /// A rest day at the end.
        Roll = "roll", "Roll of the last day", "末日顺延";
        /// Too few working days inside.
        Minimum = "minimum", "Minimum of working days", "最少工作日";
        /// The customer was not informed, or late.
        Extension = "extension", "Extension", "延长";
        /// The end within the last day.
        End = "end", "End of the last day", "截止时刻";
        /// The use that ends the period before its time.
        Usage = "usage", "Usage limit", "使用量上限";
        /// The seller may wait for the goods.
        Withhold = "withhold", "Right to withhold", "暂缓退款";
        /// The act compared with the end.
        Act = "act", "Act that counts", "行为";
        /// The holidays of that year are not announced yet.
        Calendar = "calendar", "Calendar", "日历";
    }
}

/// A period rule as data.
///
/// Months and years end on the day with the same number, or on the last day of the month when there
/// is none (Civil Code of China, Art. 202; Regulation 1182/71, Art. 3(2)(c)); when the event day
/// itself is day 1, they end on the day before. Weekends and holidays inside a period count; only
/// the last day rolls. The calendar is that of the [`Place`](super::deadline::Place) where the act is
/// done. A period may have a second limit, of usage: whichever comes first ends it.
///
/// ```
/// use aftersale::policy::period::{Anchor, Length, LengthUnit, Period, PeriodTerms};
/// let terms = PeriodTerms::new(Length::new(30, LengthUnit::Days), Anchor::Sold);
/// let period = Period::new(terms).map_err(|faults| faults[0].clone())?;
/// assert_eq!(period.terms().length.to_string(), "30 calendar days");
/// # Ok::<(), aftersale::policy::period::PeriodFault>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodTerms {
    /// How long.
    pub length: Length,
    /// Where counting begins.
    #[serde(default = "day_after")]
    pub start: Start,
    /// The events that may start it, in order of preference.
    pub anchors: Vec<Anchor>,
    /// Which of them counts.
    #[serde(default = "first_known")]
    pub choose: Choose,
    /// The act that must happen before the end.
    #[serde(default = "notice_sent")]
    pub act: Act,
    /// When the last day ends.
    #[serde(default = "end_of_day")]
    pub end: DayEnd,
    /// What happens when the last day is a rest day.
    #[serde(default = "no_roll")]
    pub roll: Roll,
    /// How many working days it must contain at least (Regulation 1182/71, Art. 3(5): 2).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub min_working_days: u32,
    /// Which pauses stop the clock. A civil day that a pause touches does not count.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pauses: BTreeSet<PauseKind>,
    /// How many civil days remain at least after a pause (Consumer Rights Act 2015, s. 22: 7).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub min_days_after_pause: u32,
    /// By how much the period is longer when the customer was not informed. Informed within that
    /// time, the period itself runs again from that day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Length>,
    /// The use at which the period ends, whatever the day; one limit per unit, such as 3,000 km.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage_max: Vec<Quantity>,
    /// The article behind a step, where it is not the article of the rule itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<Step, String>,
}

const fn day_after() -> Start {
    Start::DayAfter
}

const fn first_known() -> Choose {
    Choose::FirstKnown
}

const fn notice_sent() -> Act {
    Act::NoticeSent
}

const fn end_of_day() -> DayEnd {
    DayEnd::EndOfDay
}

const fn no_roll() -> Roll {
    Roll::None
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl PeriodTerms {
    /// The plainest period: counted from the day after one event to the end of the last day.
    #[must_use]
    pub fn new(length: Length, anchor: Anchor) -> Self {
        Self {
            length,
            start: Start::DayAfter,
            anchors: alloc::vec![anchor],
            choose: Choose::FirstKnown,
            act: Act::NoticeSent,
            end: DayEnd::EndOfDay,
            roll: Roll::None,
            min_working_days: 0,
            pauses: BTreeSet::new(),
            min_days_after_pause: 0,
            extension: None,
            usage_max: Vec::new(),
            sources: BTreeMap::new(),
        }
    }

    /// Everything that is wrong with the record; nothing when it can be used.
    #[must_use]
    pub fn faults(&self) -> Vec<PeriodFault> {
        let mut faults = Vec::new();
        let mut lengths = alloc::vec![self.length];
        lengths.extend(self.extension);
        for length in lengths {
            if !length.is_usable() {
                faults.push(PeriodFault::Length { length, max: Length::max(length.unit) });
            }
        }
        if self.anchors.is_empty() || self.anchors.len() > Self::MAX_ANCHORS {
            faults.push(PeriodFault::Anchors { count: self.anchors.len() });
        }
        let hours = self.length.unit == LengthUnit::Hours;
        let fits = match self.start {
            Start::DayAfter => true,
            Start::EventDay => !hours,
            Start::HourAfter | Start::EventInstant => hours,
        };
        if !fits {
            faults.push(PeriodFault::Start { start: self.start, unit: self.length.unit });
        }
        if hours {
            self.hour_faults(&mut faults);
        } else if self.extension.is_some_and(|by| by.unit == LengthUnit::Hours) {
            faults.push(PeriodFault::HourExtension);
        }
        if self.min_working_days > Self::MAX_MIN_DAYS {
            faults.push(PeriodFault::Minimum { days: self.min_working_days });
        }
        if self.min_days_after_pause > Self::MAX_MIN_DAYS
            || (self.min_days_after_pause > 0 && self.pauses.is_empty())
        {
            faults.push(PeriodFault::AfterPause { days: self.min_days_after_pause });
        }
        let units: BTreeSet<Unit> = self.usage_max.iter().map(|limit| limit.unit()).collect();
        if units.len() != self.usage_max.len() {
            faults.push(PeriodFault::UsageTwice);
        }
        faults
    }

    fn hour_faults(&self, faults: &mut Vec<PeriodFault>) {
        if self.end != DayEnd::SameInstant {
            faults.push(PeriodFault::HoursEnd { end: self.end });
        }
        if self.roll != Roll::None || self.min_working_days > 0 {
            faults.push(PeriodFault::HoursRoll);
        }
        if self.extension.is_some() {
            faults.push(PeriodFault::HourExtension);
        }
    }

    /// The most anchors of one period.
    pub const MAX_ANCHORS: usize = 8;
    /// The most days of a minimum.
    pub const MAX_MIN_DAYS: u32 = 366;
}

/// What is wrong with a period record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodFault {
    /// The length is nothing, or longer than a century.
    #[error("a period of {length} cannot be used: 1 to {max} are allowed")]
    Length {
        /// The length.
        length: Length,
        /// The largest count of that unit.
        max: u32,
    },
    /// No event starts it, or too many may.
    #[error("{count} events start the period, 1 to {} are allowed", PeriodTerms::MAX_ANCHORS)]
    Anchors {
        /// How many are listed.
        count: usize,
    },
    /// The first day does not fit the unit.
    #[error("a period in {unit} cannot begin with `{start}`")]
    Start {
        /// The start.
        start: Start,
        /// The unit.
        unit: LengthUnit,
    },
    /// A period in hours ends when its last hour is over.
    #[error("a period in hours ends with `same_instant`, not with `{end}`")]
    HoursEnd {
        /// The end.
        end: DayEnd,
    },
    /// A period in hours neither rolls nor has a minimum of working days.
    #[error("a period in hours does not roll and has no minimum of working days")]
    HoursRoll,
    /// Extensions are in days or longer, of periods in days or longer.
    #[error("a period in hours has no extension, and no extension is in hours")]
    HourExtension,
    /// The minimum of working days is out of range.
    #[error(
        "a minimum of {days} working days is too large, at most {} are allowed",
        PeriodTerms::MAX_MIN_DAYS
    )]
    Minimum {
        /// The minimum.
        days: u32,
    },
    /// The minimum after a pause is out of range, or nothing pauses the period.
    #[error(
        "a minimum of {days} days after a pause needs a pause, and at most {} days",
        PeriodTerms::MAX_MIN_DAYS
    )]
    AfterPause {
        /// The minimum.
        days: u32,
    },
    /// Two usage limits in one unit.
    #[error("two usage limits are in one unit")]
    UsageTwice,
}

/// A period rule that can be used: checked [`PeriodTerms`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PeriodTerms", into = "PeriodTerms")]
pub struct Period(PeriodTerms);

impl Period {
    /// Checks the record.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn new(terms: PeriodTerms) -> Result<Self, Vec<PeriodFault>> {
        let faults = terms.faults();
        if faults.is_empty() { Ok(Self(terms)) } else { Err(faults) }
    }

    /// The record.
    #[must_use]
    pub const fn terms(&self) -> &PeriodTerms {
        &self.0
    }
}

impl TryFrom<PeriodTerms> for Period {
    type Error = PeriodFault;
    fn try_from(terms: PeriodTerms) -> Result<Self, PeriodFault> {
        Self::new(terms).map_err(|faults| {
            faults.into_iter().next().unwrap_or(PeriodFault::Anchors { count: 0 })
        })
    }
}

impl From<Period> for PeriodTerms {
    fn from(period: Period) -> Self {
        period.0
    }
}
