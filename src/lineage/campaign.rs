//! The recall campaign: notices, responses, effectiveness checks, closing.
//!
//! In: the affected orders, a plan and commands with the time. Out: events, or a refusal. Pure:
//! `decide` looks, `evolve` folds. Always true, and tested: a campaign closes only when every order
//! has answered or was given up with a reason, and the checks that the plan asks for are done; the
//! quantity recovered never passes the quantity out there, where that is known; replaying the events gives the same
//! campaign.

pub mod recovery;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::recall::Recall;
use crate::id::OrderId;
use crate::label::codes;
use crate::number::Ratio;
use crate::quantity::{Quantity, QuantityError, Unit};
use crate::time::{Instant, add_seconds};
use recovery::{Recovery, RecoveryId};

codes! {
    /// How many of the consignees are asked whether the notice reached them and was followed.
    ///
    /// Source: 21 CFR 7.42(b)(3), levels A to E; level B is a share of the host's choosing there
    /// and stands here for one half.
    pub enum CheckLevel "effectiveness check level" {
        /// All.
        All = "a", "Level A: all", "A级：全部";
        /// One half.
        Half = "b", "Level B: one half", "B级：一半";
        /// One in ten.
        Tenth = "c", "Level C: 10 percent", "C级：10%";
        /// One in fifty.
        Fiftieth = "d", "Level D: 2 percent", "D级：2%";
        /// None.
        None = "e", "Level E: none", "E级：不检查";
    }
}

impl CheckLevel {
    /// How many of so many orders must be checked, rounded up.
    #[must_use]
    pub const fn required(self, orders: usize) -> usize {
        match self {
            Self::All => orders,
            Self::Half => orders.div_ceil(2),
            Self::Tenth => orders.div_ceil(10),
            Self::Fiftieth => orders.div_ceil(50),
            Self::None => 0,
        }
    }
}

/// The terms of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignPlan {
    /// Seconds from opening within which every notice must be out.
    pub notify_within_seconds: u32,
    /// Seconds without a response after which a notice is repeated.
    pub remind_after_seconds: u32,
    /// How many reminders are sent before a person must look.
    pub reminders: u32,
    /// How many orders are checked.
    pub check_level: CheckLevel,
}

codes! {
    /// What a customer answered.
    pub enum Answer "recall answer" {
        /// The goods come back, or some of them.
        Returning = "returning", "Returning the goods", "退回";
        /// The goods were destroyed where they were.
        Destroyed = "destroyed", "Destroyed", "已销毁";
        /// The goods were used up.
        Consumed = "consumed", "Used up", "已消耗";
        /// The goods were passed on to others.
        PassedOn = "passed_on", "Passed on", "已转出";
        /// The customer keeps them, against the notice.
        Keeping = "keeping", "Keeping them", "拒绝退回";
    }
}

codes! {
    /// What an effectiveness check found.
    pub enum CheckFinding "check finding" {
        /// The notice arrived and was followed.
        Effective = "effective", "Effective", "有效";
        /// The notice did not arrive.
        NotReached = "not_reached", "Not reached", "未收到通知";
        /// The notice arrived and was not followed.
        NotFollowed = "not_followed", "Not followed", "未执行";
    }
}

/// What a person or system asks of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum CampaignCommand {
    /// A notice went out.
    RecordNotice {
        /// To whom.
        order: OrderId,
    },
    /// A customer answered.
    RecordResponse {
        /// Who.
        order: OrderId,
        /// What.
        answer: Answer,
    },
    /// Goods arrived or were destroyed with proof.
    RecordRecovery {
        /// Whose.
        order: OrderId,
        /// The host's id; recording it again for the order is harmless.
        id: RecoveryId,
        /// How much.
        quantity: Quantity,
    },
    /// Somebody asked whether the notice worked.
    RecordCheck {
        /// Whom.
        order: OrderId,
        /// The finding.
        finding: CheckFinding,
    },
    /// The customer cannot be reached; the campaign goes on without them.
    GiveUp {
        /// Whom.
        order: OrderId,
        /// Why, for the file.
        reason: String,
    },
    /// The campaign is over.
    Close,
}

/// What happened in a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum CampaignEvent {
    /// A notice went out.
    NoticeSent {
        /// To whom.
        order: OrderId,
        /// When.
        at: Instant,
    },
    /// A customer answered.
    ResponseReceived {
        /// Who.
        order: OrderId,
        /// What.
        answer: Answer,
        /// When.
        at: Instant,
    },
    /// Goods were recovered.
    GoodsRecovered {
        /// Whose.
        order: OrderId,
        /// Which recovery; none in histories of before recoveries had ids.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<RecoveryId>,
        /// How much.
        quantity: Quantity,
        /// When.
        at: Instant,
    },
    /// A check was made.
    CheckMade {
        /// Whom.
        order: OrderId,
        /// The finding.
        finding: CheckFinding,
        /// When.
        at: Instant,
    },
    /// An order was given up.
    GivenUp {
        /// Whom.
        order: OrderId,
        /// Why.
        reason: String,
        /// When.
        at: Instant,
    },
    /// The campaign is over.
    Closed {
        /// When.
        at: Instant,
    },
}

/// Why a command is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CampaignRefusal {
    /// The order is not part of the recall.
    #[error("order {order} is not part of this recall")]
    NotAffected {
        /// The order.
        order: OrderId,
    },
    /// The campaign is closed.
    #[error("the recall campaign was closed at {at}")]
    Closed {
        /// When.
        at: Instant,
    },
    /// A response or check comes before any notice.
    #[error("no notice went out for order {order} yet")]
    NotNotified {
        /// The order.
        order: OrderId,
    },
    /// More would be recovered than is out there.
    #[error("{quantity} cannot be recovered from order {order}, only {left} are out there")]
    TooMuch {
        /// The order.
        order: OrderId,
        /// The quantity given.
        quantity: Quantity,
        /// The quantity left.
        left: Quantity,
    },
    /// The recovery was recorded before, with another quantity.
    #[error("recovery {id} of order {order} was recorded before, with {recorded}")]
    OtherRecovery {
        /// The order.
        order: OrderId,
        /// The recovery.
        id: RecoveryId,
        /// The quantity on record.
        recorded: Quantity,
    },
    /// The quantity is in a unit in which nothing of the order is out there, or cannot be summed.
    #[error(transparent)]
    Quantity(#[from] QuantityError),
    /// A reason is needed.
    #[error("giving up order {order} needs a reason")]
    NoReason {
        /// The order.
        order: OrderId,
    },
    /// The campaign cannot close yet.
    #[error(
        "the campaign cannot close: {unanswered} orders have not answered, {missing_checks} checks \
         are missing"
    )]
    NotDone {
        /// Orders without an answer that were not given up.
        unanswered: usize,
        /// Checks that the plan still asks for.
        missing_checks: usize,
    },
}

/// One order in a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderProgress {
    /// What was out there when the campaign opened, by unit.
    #[serde(default)]
    pub outstanding: Vec<Quantity>,
    /// How much was out there is not known in full, so that any recovery is taken.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub uncounted: bool,
    /// What was recovered since, one by one.
    #[serde(default)]
    pub recovered: Vec<Recovery>,
    /// When notices went out.
    #[serde(default)]
    pub notices: Vec<Instant>,
    /// The last answer.
    #[serde(default)]
    pub answer: Option<Answer>,
    /// What checks found.
    #[serde(default)]
    pub checks: Vec<CheckFinding>,
    /// Why it was given up.
    #[serde(default)]
    pub given_up: Option<String>,
}

impl OrderProgress {
    fn recovered_quantities(&self) -> impl Iterator<Item = Quantity> {
        self.recovered.iter().map(|recovery| recovery.quantity)
    }

    fn recovery(&self, id: &RecoveryId) -> Option<&Recovery> {
        self.recovered.iter().find(|recovery| recovery.id.as_ref() == Some(id))
    }

    fn left(&self, unit: Unit) -> Result<Quantity, QuantityError> {
        let out = of_unit(unit, self.outstanding.iter().copied())?;
        let back = of_unit(unit, self.recovered_quantities())?;
        if self.uncounted && back > out { Ok(Quantity::zero(unit)) } else { out.checked_sub(back) }
    }

    const fn is_settled(&self) -> bool {
        self.answer.is_some() || self.given_up.is_some()
    }
}

fn of_unit(
    unit: Unit,
    quantities: impl Iterator<Item = Quantity>,
) -> Result<Quantity, QuantityError> {
    Quantity::sum(unit, quantities.filter(|quantity| quantity.unit() == unit))
}

/// A notice that is due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DueNotice {
    /// When it is due.
    pub at: Instant,
    /// To whom.
    pub order: OrderId,
    /// Zero for the first notice, then the number of the reminder.
    pub reminder: u32,
}

/// A running recall campaign.
///
/// ```
/// use aftersale::id::OrderId;
/// use aftersale::lineage::campaign::{
///     Campaign, CampaignCommand, CampaignPlan, CheckLevel,
/// };
/// use aftersale::time::Instant;
/// let plan = CampaignPlan {
///     notify_within_seconds: 86_400,
///     remind_after_seconds: 7 * 86_400,
///     reminders: 2,
///     check_level: CheckLevel::All,
/// };
/// let order = OrderId::new("SO-9")?;
/// let opened = Instant::from_timestamp(1_775_034_000, 0).ok_or("range")?;
/// let mut campaign = Campaign::new([(order.clone(), vec![])], plan, opened);
/// assert_eq!(campaign.due_notices().len(), 1);
/// let notice = CampaignCommand::RecordNotice { order: order.clone() };
/// for event in campaign.decide(&notice, opened)? {
///     campaign.evolve(&event);
/// }
/// assert!(campaign.decide(&CampaignCommand::Close, opened).is_err(), "nobody has answered");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    plan: CampaignPlan,
    opened_at: Instant,
    orders: BTreeMap<OrderId, OrderProgress>,
    closed_at: Option<Instant>,
}

impl Campaign {
    /// Opens a campaign for orders with what is out there; an order that comes twice is one with both.
    pub fn new(
        orders: impl IntoIterator<Item = (OrderId, Vec<Quantity>)>,
        plan: CampaignPlan,
        opened_at: Instant,
    ) -> Self {
        let mut all: BTreeMap<OrderId, OrderProgress> = BTreeMap::new();
        for (order, outstanding) in orders {
            all.entry(order).or_default().outstanding.extend(outstanding);
        }
        Self { plan, opened_at, orders: all, closed_at: None }
    }

    /// Opens a campaign for all orders of a recall. What may be recovered from an order has no limit
    /// where the recall cannot tell how much is out there.
    #[must_use]
    pub fn for_recall(recall: &Recall, plan: CampaignPlan, opened_at: Instant) -> Self {
        let orders = recall.orders.iter().map(|(order, affected)| {
            let on_hand = affected.items.iter().filter_map(|item| item.on_hand);
            (order.clone(), on_hand.filter(|quantity| !quantity.is_zero()).collect())
        });
        let mut campaign = Self::new(orders, plan, opened_at);
        for (order, affected) in &recall.orders {
            let uncounted = affected.items.iter().any(|item| item.on_hand.is_none());
            campaign.with(order, |progress| progress.uncounted = uncounted);
        }
        campaign
    }

    /// The orders with their progress.
    #[must_use]
    pub const fn orders(&self) -> &BTreeMap<OrderId, OrderProgress> {
        &self.orders
    }

    /// When the campaign was closed.
    #[must_use]
    pub const fn closed_at(&self) -> Option<Instant> {
        self.closed_at
    }

    /// What follows from a command: events, none when it was recorded before.
    ///
    /// A further notice at another time is a reminder. A check before the goods came back is welcome;
    /// each one is recorded, the last one counts. A second answer replaces the first.
    ///
    /// # Errors
    ///
    /// [`CampaignRefusal`].
    pub fn decide(
        &self,
        command: &CampaignCommand,
        now: Instant,
    ) -> Result<Vec<CampaignEvent>, CampaignRefusal> {
        if let Some(at) = self.closed_at {
            return match command {
                CampaignCommand::Close => Ok(Vec::new()),
                _ => Err(CampaignRefusal::Closed { at }),
            };
        }
        let at = now;
        let event = match command {
            CampaignCommand::RecordNotice { order } => {
                let progress = self.progress(order)?;
                if progress.notices.contains(&now) {
                    return Ok(Vec::new());
                }
                CampaignEvent::NoticeSent { order: order.clone(), at }
            }
            CampaignCommand::RecordResponse { order, answer } => {
                if self.notified(order)?.answer == Some(*answer) {
                    return Ok(Vec::new());
                }
                CampaignEvent::ResponseReceived { order: order.clone(), answer: *answer, at }
            }
            CampaignCommand::RecordRecovery { order, id, quantity } => {
                let progress = self.progress(order)?;
                if let Some(known) = progress.recovery(id) {
                    let (order, id, recorded) = (order.clone(), id.clone(), known.quantity);
                    return match recorded == *quantity {
                        true => Ok(Vec::new()),
                        false => Err(CampaignRefusal::OtherRecovery { order, id, recorded }),
                    };
                }
                let left = progress.left(quantity.unit())?;
                if !progress.uncounted && quantity.steps() > left.steps() {
                    let (order, quantity) = (order.clone(), *quantity);
                    return Err(CampaignRefusal::TooMuch { order, quantity, left });
                }
                let (order, id) = (order.clone(), Some(id.clone()));
                CampaignEvent::GoodsRecovered { order, id, quantity: *quantity, at }
            }
            CampaignCommand::RecordCheck { order, finding } => {
                self.notified(order)?;
                CampaignEvent::CheckMade { order: order.clone(), finding: *finding, at }
            }
            CampaignCommand::GiveUp { order, reason } => {
                if self.progress(order)?.given_up.is_some() {
                    return Ok(Vec::new());
                }
                if reason.trim().is_empty() {
                    return Err(CampaignRefusal::NoReason { order: order.clone() });
                }
                CampaignEvent::GivenUp { order: order.clone(), reason: reason.clone(), at }
            }
            CampaignCommand::Close => {
                let unanswered = self.orders.values().filter(|order| !order.is_settled()).count();
                let missing_checks = self.missing_checks();
                if unanswered > 0 || missing_checks > 0 {
                    return Err(CampaignRefusal::NotDone { unanswered, missing_checks });
                }
                CampaignEvent::Closed { at }
            }
        };
        Ok(Vec::from([event]))
    }

    /// Folds one event. Events of orders that are not part of the campaign change nothing.
    pub fn evolve(&mut self, event: &CampaignEvent) {
        match event {
            CampaignEvent::NoticeSent { order, at } => {
                self.with(order, |progress| progress.notices.push(*at));
            }
            CampaignEvent::ResponseReceived { order, answer, .. } => {
                self.with(order, |progress| progress.answer = Some(*answer));
            }
            CampaignEvent::GoodsRecovered { order, id, quantity, .. } => {
                let recovery = Recovery { id: id.clone(), quantity: *quantity };
                self.with(order, |progress| progress.recovered.push(recovery));
            }
            CampaignEvent::CheckMade { order, finding, .. } => {
                self.with(order, |progress| progress.checks.push(*finding));
            }
            CampaignEvent::GivenUp { order, reason, .. } => {
                self.with(order, |progress| progress.given_up = Some(reason.clone()));
            }
            CampaignEvent::Closed { at } => self.closed_at = Some(*at),
        }
    }

    fn with(&mut self, order: &OrderId, change: impl FnOnce(&mut OrderProgress)) {
        if let Some(progress) = self.orders.get_mut(order) {
            change(progress);
        }
    }

    fn progress(&self, order: &OrderId) -> Result<&OrderProgress, CampaignRefusal> {
        let found = self.orders.get(order);
        found.ok_or_else(|| CampaignRefusal::NotAffected { order: order.clone() })
    }

    fn notified(&self, order: &OrderId) -> Result<&OrderProgress, CampaignRefusal> {
        let progress = self.progress(order)?;
        if progress.notices.is_empty() {
            return Err(CampaignRefusal::NotNotified { order: order.clone() });
        }
        Ok(progress)
    }

    /// The next notice of every order that still needs one, earliest first. A time past the years
    /// that this crate computes with is never due.
    #[must_use]
    pub fn due_notices(&self) -> Vec<DueNotice> {
        if self.closed_at.is_some() {
            return Vec::new();
        }
        let open = self.orders.iter().filter(|(_, progress)| !progress.is_settled());
        let mut due: Vec<DueNotice> = open
            .filter_map(|(order, progress)| {
                let sent = u32::try_from(progress.notices.len()).unwrap_or(u32::MAX);
                let (from, wait) = match progress.notices.iter().max() {
                    None => (self.opened_at, self.plan.notify_within_seconds),
                    Some(_) if sent > self.plan.reminders => return None,
                    Some(last) => (*last, self.plan.remind_after_seconds),
                };
                let at = add_seconds(from, wait.into()).ok()?;
                Some(DueNotice { at, order: order.clone(), reminder: sent })
            })
            .collect();
        due.sort_unstable();
        due
    }

    /// The next instant at which a notice is due.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Instant> {
        self.due_notices().first().map(|due| due.at)
    }

    /// Orders whose reminders are used up without an answer: a person must look.
    pub fn silent_orders(&self) -> impl Iterator<Item = &OrderId> {
        let limit = usize::try_from(self.plan.reminders).unwrap_or(usize::MAX);
        let silent = move |progress: &OrderProgress| {
            !progress.is_settled() && progress.notices.len() > limit
        };
        self.orders.iter().filter(move |(_, progress)| silent(progress)).map(|(order, _)| order)
    }

    /// Checks still to be made: orders with an effective or failed finding count, orders that were
    /// not reached do not.
    #[must_use]
    pub fn missing_checks(&self) -> usize {
        let required = self.plan.check_level.required(self.orders.len());
        let counts = |progress: &&OrderProgress| {
            progress.checks.iter().any(|&finding| finding != CheckFinding::NotReached)
                || progress.given_up.is_some()
        };
        required.saturating_sub(self.orders.values().filter(counts).count())
    }

    /// The share of checked orders at which the notice arrived and was followed (by their last
    /// check); none before any check.
    #[must_use]
    pub fn effectiveness(&self) -> Option<Ratio> {
        let last = self.orders.values().filter_map(|progress| progress.checks.last());
        let (all, good) = last.fold((0_i64, 0_i64), |(all, good), finding| {
            let effective = i64::from(*finding == CheckFinding::Effective);
            (all.saturating_add(1), good.saturating_add(effective))
        });
        Ratio::new(good, all).ok()
    }

    /// The recovered share of what was out there, in one unit, over the orders of which it is known
    /// how much that was; none when nothing was.
    #[must_use]
    pub fn recovered_share(&self, unit: Unit) -> Option<Ratio> {
        let counted = || self.orders.values().filter(|order| !order.uncounted);
        let back = of_unit(unit, counted().flat_map(OrderProgress::recovered_quantities)).ok()?;
        let out = counted().flat_map(|order| order.outstanding.iter().copied());
        Ratio::new(back.steps(), of_unit(unit, out).ok()?.steps()).ok()
    }

    /// The units in which something is out there.
    #[must_use]
    pub fn units(&self) -> BTreeSet<Unit> {
        let all = self.orders.values().flat_map(|order| &order.outstanding);
        all.map(|quantity| quantity.unit()).collect()
    }
}
