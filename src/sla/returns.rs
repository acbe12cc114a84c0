//! The metrics of returns and after-sales work, ready to use, as data.
//!
//! Each metric is a goal whose clock follows one fact, `event`: what happened last. A host reports
//! the events of [`ReturnEvent`] and gets all clocks. Targets are starting points, not law: edit them.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::ladder::{Measured, Offset, RoleId, Step, StepAt, StepId, StepKind};
use super::policy::{
    ChangeMode, CountsFrom, Goal, Honors, MetricId, OnReopen, PauseRule, PolicyKind, SlaDraft,
    SlaPolicy, Starts, Target, TargetRule, Trigger, Turn,
};
use crate::condition::schema::{FactType, Schema};
use crate::condition::{Check, Condition};
use crate::id::{CalendarId, FactName, GoalId, IdError, PauseReasonId, PolicyId, RuleId};
use crate::label::{Coded, codes};

/// The fact that conditions of the presets ask for.
pub const EVENT: &str = "event";
/// The fact with what the customer gets, in the codes of a case's resolution. The result of an
/// inspection starts the clock of the refund or the one of the replacement; where it is not known
/// which, both.
pub const RESOLUTION: &str = "resolution";

codes! {
    /// What happens on the way of a return, as far as clocks care.
    pub enum ReturnEvent "return event" {
        /// The customer asks.
        Requested = "requested", "Return requested", "申请售后";
        /// A person or a decision answers.
        Responded = "responded", "Answered", "首次回复";
        /// The request is permitted.
        Permitted = "permitted", "Return permitted", "审核通过";
        /// The request is refused.
        Refused = "refused", "Return refused", "审核拒绝";
        /// A pickup is ordered.
        PickupOrdered = "pickup_ordered", "Pickup ordered", "预约取件";
        /// The carrier has the goods, handed in or picked up.
        HandedOver = "handed_over", "Handed to the carrier", "已交物流";
        /// The goods are at the door.
        Arrived = "arrived", "Arrived", "到达仓库";
        /// The goods are booked in.
        Received = "received", "Received", "已签收入库";
        /// The goods are looked at, with a result.
        Inspected = "inspected", "Inspected", "质检完成";
        /// The refund is under way.
        Refunded = "refunded", "Refund issued", "已退款";
        /// The replacement is under way.
        ReplacementShipped = "replacement_shipped", "Replacement shipped", "已换货发出";
        /// The case is closed.
        Closed = "closed", "Closed", "已关闭";
        /// The case is open again.
        Reopened = "reopened", "Reopened", "重新打开";
        /// The customer takes the request back.
        Withdrawn = "withdrawn", "Withdrawn", "已撤销";
        /// The customer was asked how it went, or answered.
        FollowedUp = "followed_up", "Followed up", "已回访";
    }
}

codes! {
    /// The metrics of returns.
    pub enum ReturnMetric "metric" {
        /// From the request to the first answer.
        FirstResponse = "first_response", "First response", "首次响应";
        /// From the request to the decision.
        ReviewDecision = "review_decision", "Review decision", "审核时效";
        /// How long the customer may take to send the goods: the customer's turn.
        ReturnBy = "return_by", "Return by", "买家寄回期限";
        /// From ordering a pickup to having the goods.
        Pickup = "pickup", "Pickup", "上门取件";
        /// The time on the road; the carrier's own troubles pause it.
        Transit = "transit", "Carrier transit", "退货运输";
        /// From the door to the books.
        Receipt = "receipt", "Receipt", "签收入库";
        /// From the books to the result.
        Inspection = "inspection", "Inspection", "质检时效";
        /// From the result to the money.
        Refund = "refund", "Refund issued", "退款时效";
        /// From the result to the replacement.
        Replacement = "replacement", "Replacement shipped", "换货时效";
        /// From the request to the end.
        TotalHandling = "total_handling", "Total handling", "处理总时长";
        /// From the end to the question how it went.
        FollowUp = "follow_up", "Follow-up survey", "售后回访";
    }
}

/// How one metric is measured.
struct Measure {
    metric: ReturnMetric,
    start: &'static [ReturnEvent],
    stop: &'static [ReturnEvent],
    honors: &'static [&'static str],
    /// Hours, of the desk or of the wall.
    hours: i64,
    is_business: bool,
}

const MEASURES: [Measure; 11] = {
    use ReturnEvent as E;
    use ReturnMetric as M;
    const fn measure(
        metric: ReturnMetric,
        start: &'static [ReturnEvent],
        stop: &'static [ReturnEvent],
        honors: &'static [&'static str],
        hours: i64,
        is_business: bool,
    ) -> Measure {
        Measure { metric, start, stop, honors, hours, is_business }
    }
    [
        measure(
            M::FirstResponse,
            &[E::Requested],
            &[E::Responded, E::Permitted, E::Refused],
            &[],
            4,
            true,
        ),
        measure(
            M::ReviewDecision,
            &[E::Requested],
            &[E::Permitted, E::Refused],
            &["customer"],
            16,
            true,
        ),
        measure(
            M::ReturnBy,
            &[E::Permitted],
            &[E::HandedOver],
            &["carrier", "seller_request"],
            168,
            false,
        ),
        measure(M::Pickup, &[E::PickupOrdered], &[E::HandedOver], &["customer"], 48, false),
        measure(M::Transit, &[E::HandedOver], &[E::Arrived], &["carrier", "customs"], 120, false),
        measure(M::Receipt, &[E::Arrived], &[E::Received], &[], 8, true),
        measure(
            M::Inspection,
            &[E::Received],
            &[E::Inspected],
            &["laboratory", "supplier"],
            16,
            true,
        ),
        measure(M::Refund, &[E::Inspected], &[E::Refunded], &["customer"], 24, false),
        measure(M::Replacement, &[E::Inspected], &[E::ReplacementShipped], &["supplier"], 16, true),
        measure(M::TotalHandling, &[E::Requested], &[E::Closed], &["customer"], 80, true),
        measure(M::FollowUp, &[E::Closed], &[E::FollowedUp], &[], 72, false),
    ]
};

/// Reasons to stand still, and whose turn it is.
const PAUSES: [(&str, Turn); 6] = [
    ("customer", Turn::Customer),
    ("carrier", Turn::Carrier),
    ("customs", Turn::Authority),
    ("laboratory", Turn::Authority),
    ("supplier", Turn::Supplier),
    ("seller_request", Turn::Internal),
];

/// The facts that the presets ask for.
///
/// # Errors
///
/// Never in practice: the names are fixed.
pub fn schema() -> Result<Schema, IdError> {
    let codes = ReturnEvent::ALL.iter().map(|event| event.code().to_string()).collect();
    Ok(Schema::new()
        .with_optional(FactName::new(EVENT)?, FactType::Code(codes))
        .with_optional(FactName::new(RESOLUTION)?, FactType::Code(BTreeSet::new())))
}

/// All metrics as internal targets in the hours of a desk, and the published handling time of a
/// large marketplace as a benchmark.
///
/// ```
/// use aftersale::id::CalendarId;
/// use aftersale::sla::book::SlaBook;
/// use aftersale::sla::returns;
/// let draft = returns::draft(&CalendarId::new("desk")?)?;
/// let book = SlaBook::verify(draft, &returns::schema()?).map_err(|d| format!("{d:?}"))?;
/// assert_eq!(book.draft().policies[0].goals.len(), 11);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Errors
///
/// Never in practice: the names are fixed.
pub fn draft(desk: &CalendarId) -> Result<SlaDraft, IdError> {
    let pauses = PAUSES
        .into_iter()
        .map(|(id, turn)| Ok(PauseRule { id: PauseReasonId::new(id)?, turn, held_while: None }));
    let goals: Vec<Goal> =
        MEASURES.iter().map(|measure| measure.goal(desk)).collect::<Result<_, IdError>>()?;
    let policy = |id: &str, kind, source: Option<String>, goals| {
        Ok(SlaPolicy {
            id: PolicyId::new(id)?,
            version: 1,
            kind,
            source,
            applies: Condition::Always,
            goals,
        })
    };
    // JD.com states an average after-sales handling time of two hours (press figures, 2023).
    let benchmark = Measure {
        metric: ReturnMetric::TotalHandling,
        start: &[ReturnEvent::Requested],
        stop: &[ReturnEvent::Closed],
        honors: &[],
        hours: 2,
        is_business: false,
    };
    let source = Some("average after-sales handling time as JD.com states it".to_string());
    Ok(SlaDraft {
        pauses: pauses.collect::<Result<_, IdError>>()?,
        policies: alloc::vec![
            policy("returns_desk", PolicyKind::Internal, None, goals)?,
            policy(
                "marketplace_average",
                PolicyKind::Benchmark,
                source,
                alloc::vec![benchmark.goal(desk)?]
            )?,
        ],
    })
}

impl Measure {
    fn starts(&self) -> Result<Trigger, IdError> {
        let begun = on(self.start)?;
        // Whoever had the money or the goods before the inspection waits for nothing after it.
        let paid_after: &[&str] = match self.metric {
            ReturnMetric::Refund => &["return_and_refund", "refused_at_door"],
            ReturnMetric::Replacement => &["exchange"],
            _ => return Ok(begun),
        };
        let resolution = FactName::new(RESOLUTION)?;
        let codes = paid_after.iter().map(ToString::to_string).collect();
        let is_it = Condition::Any(alloc::vec![
            Condition::test(resolution.clone(), Check::Known(false)),
            Condition::test(resolution, Check::OneOf(codes)),
        ]);
        Ok(Trigger::on(Condition::All(alloc::vec![begun.when, is_it])))
    }

    fn goal(&self, desk: &CalendarId) -> Result<Goal, IdError> {
        let code = self.metric.code();
        let seconds = self.hours.saturating_mul(3600);
        let target = if self.is_business {
            Target::Business { seconds, calendar: desk.clone() }
        } else {
            Target::Calendar { seconds }
        };
        let honors: BTreeSet<PauseReasonId> =
            self.honors.iter().map(PauseReasonId::new).collect::<Result<_, _>>()?;
        let follows_closing = self.metric == ReturnMetric::FollowUp;
        Ok(Goal {
            id: GoalId::new(code)?,
            metric: MetricId::new(code)?,
            start: self.starts()?,
            stop: on(self.stop)?,
            cancel: if follows_closing { None } else { Some(on(&[ReturnEvent::Withdrawn])?) },
            reset: None,
            reopen: match self.metric {
                ReturnMetric::TotalHandling => Some(on(&[ReturnEvent::Reopened])?),
                _ => None,
            },
            honors: if honors.is_empty() { Honors::Nothing } else { Honors::Only(honors) },
            targets: alloc::vec![TargetRule {
                id: RuleId::new(code)?,
                when: Condition::Always,
                target,
            }],
            counts_from: CountsFrom::CaseStart,
            starts: Starts::Once,
            on_reopen: OnReopen::Continue,
            on_change: ChangeMode::Retroactive,
            ladder: ladder(desk)?,
        })
    }
}

/// Warn at three quarters, escalate when missed, remind a day later inside desk hours.
fn ladder(desk: &CalendarId) -> Result<Vec<Step>, IdError> {
    let step = |id: &str, at, kind, to: &str| {
        Ok(Step {
            id: StepId::new(id)?,
            at,
            kind,
            to: Some(RoleId::new(to)?),
            repeat: None,
            quiet_outside: Some(desk.clone()),
        })
    };
    let after = |seconds| StepAt::AfterDue(Offset { seconds, measured: Measured::OnTheWall });
    Ok(alloc::vec![
        step("warning", StepAt::PercentUsed(75), StepKind::Warning, "owner")?,
        step("missed", after(1), StepKind::Escalation, "team_lead")?,
        step("day_late", after(86_400), StepKind::Reminder, "manager")?,
    ])
}

fn on(events: &[ReturnEvent]) -> Result<Trigger, IdError> {
    let codes: BTreeSet<String> = events.iter().map(|event| event.code().to_string()).collect();
    Ok(Trigger::on(Condition::test(FactName::new(EVENT)?, Check::OneOf(codes))))
}
