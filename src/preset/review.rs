//! Review procedures that a returns desk needs, as workflow definitions to start from.
//!
//! In: the amounts that separate the bands. Out: a
//! [`WorkflowDraft`], which verifies, serializes and may be changed like any other. The roles are
//! `service`, `supervisor`, `finance`, `qc`, `key_accounts` and `expert`; the directory says who they are.
//!
//! Always true, and tested in `tests/workflow/procedures.rs`: every procedure verifies without a defect; with
//! a batch under recall no amount, however small, passes without the recall route; above the limit no
//! amount passes without finance, however long anybody is silent.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::condition::schema::FactType;
use crate::condition::{Check, Condition};
use crate::explain::Fact;
use crate::id::{FactName, IdError, RuleId};
use crate::label::codes;
use crate::money::Money;
use crate::workflow::builder::{Approval, StateBuilder, WorkflowBuilder};
use crate::workflow::definition::{Stability, Weight, WorkflowDraft};
use crate::workflow::rule::{
    Mode, Policy, RunningTotal, SamePersonRule, SmallAmount, TimeoutAction,
};
use crate::workflow::span::Span;

/// The fact with the amount asked for.
pub const AMOUNT: &str = "amount";
/// The fact with what the customer was granted lately without a review.
pub const GRANTED: &str = "granted_lately";
/// The fact with the kind of the reason: `quality`, `no_reason` or `other`.
pub const REASON: &str = "reason_kind";
/// The fact that says whether a batch of the case is under recall.
pub const RECALLED: &str = "batch_recalled";
/// The fact with the tier of the customer: `standard` or `premium`.
pub const TIER: &str = "customer_tier";
/// The fact that says whether the findings contradict what the customer states.
pub const DISPUTED: &str = "findings_disputed";

/// The amounts that separate the bands, all in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bands {
    /// Up to and including this amount nobody has to look.
    pub small: Money,
    /// Unless the customer was granted this much lately.
    pub granted_below: Money,
    /// Above this amount finance signs too.
    pub large: Money,
}

codes! {
    /// A review procedure.
    pub enum Procedure "review procedure" {
        /// Small amounts pass, the others go to the service desk.
        SmallAmount = "small_amount", "Small amounts pass", "小额免审";
        /// Service, and finance above a limit.
        AmountBands = "amount_bands", "Amount bands", "按金额分级审批";
        /// Quality reasons go to quality control first.
        QualityFirst = "quality_first", "Quality reasons to quality control", "质量问题转质检";
        /// A batch under recall takes the recall route whatever the amount.
        RecallRoute = "recall_route", "Recall route", "召回批次强制走召回";
        /// Premium customers have reviewers of their own.
        CustomerTier = "customer_tier", "Reviewers by customer tier", "按客户等级审批";
        /// Disputed findings go to two experts.
        ExpertTier = "expert_tier", "Experts for hard cases", "疑难问题专家会审";
        /// All of these together, with the goods on their way.
        ReturnsDesk = "returns_desk", "Returns desk", "退货售后审核";
    }
}

impl Procedure {
    /// The version of the definition: 2 where the first let a large amount pass by silence alone.
    const fn version(self) -> u32 {
        match self {
            Self::AmountBands | Self::ReturnsDesk => 2,
            Self::SmallAmount
            | Self::QualityFirst
            | Self::RecallRoute
            | Self::CustomerTier
            | Self::ExpertTier => 1,
        }
    }

    /// The definition.
    ///
    /// ```
    /// use aftersale::money::{Money, currency::Currency};
    /// use aftersale::preset::review::{Bands, Procedure};
    /// use aftersale::workflow::verify::verify;
    /// let yuan = |whole: i64| Money::new(whole * 100, Currency::CNY);
    /// let bands = Bands { small: yuan(50), granted_below: yuan(200), large: yuan(2_000) };
    /// let draft = Procedure::ReturnsDesk.draft(&bands)?;
    /// assert!(verify(&draft).is_ok());
    /// # Ok::<(), aftersale::id::IdError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`IdError`]; the names used here are identifiers, so none occurs.
    pub fn draft(self, bands: &Bands) -> Result<WorkflowDraft, IdError> {
        use crate::label::{Coded, Language};
        let (en, zh) = (self.label(Language::English), self.label(Language::Chinese));
        let start =
            WorkflowBuilder::new(self.code(), self.version()).label(en, zh).policy(Policy {
                amount: Some(FactName::new(AMOUNT)?),
                same_person: SamePersonRule::Adjacent,
                ..Policy::default()
            });
        let facts = facts(roles(start), bands)?;
        let drawn = match self {
            Self::SmallAmount => service(facts, Some(small(bands)?), "granted", "granted"),
            Self::AmountBands => {
                let facts = facts
                    .guard("large", test(AMOUNT, Check::Above(Fact::Amount(bands.large)))?)
                    .choice("band", |s| {
                        s.label("By amount", "按金额").when("large", "finance").otherwise("review")
                    });
                finance(service(facts, Some(small(bands)?), "granted", "granted"), "granted")
            }
            Self::QualityFirst => {
                let facts = facts.guard("quality", quality()?).choice("kind", |s| {
                    s.label("By reason", "按原因").when("quality", "qc").otherwise("review")
                });
                service(quality_control(facts, "review"), None, "granted", "granted")
            }
            Self::RecallRoute => {
                let facts = facts.guard("recalled", recalled()?).choice("batch", |s| {
                    s.label("Batch under recall?", "批次是否召回")
                        .when("recalled", "isolate")
                        .otherwise("review")
                });
                let recall = recall(service(facts, Some(small(bands)?), "granted", "granted"));
                recall.end_labeled("recalled", "Recalled", "按召回处理")
            }
            Self::CustomerTier => {
                let premium = test(TIER, Check::Is(Fact::code("premium")))?;
                let facts = facts.guard("premium", premium).choice("tier", |s| {
                    s.label("By customer tier", "按客户等级")
                        .when("premium", "premium_review")
                        .otherwise("review")
                });
                service(premium_review(facts, "granted"), None, "granted", "granted")
            }
            Self::ExpertTier => {
                let facts = facts.guard("disputed", disputed()?).task("inspection", "qc", |s| {
                    s.label("Inspection", "收货检验")
                        .on_if("inspected", "disputed", "experts")
                        .on_otherwise("inspected", "granted")
                });
                experts(facts, "granted")
            }
            Self::ReturnsDesk => returns_desk(facts, bands)?,
        };
        let ended = match self {
            Self::ReturnsDesk => drawn
                .end_labeled("granted", "Refunded", "已退款")
                .end_labeled("lapsed", "Goods never sent", "逾期未寄回")
                .end_labeled("recalled", "Recalled", "按召回处理"),
            _ => drawn.end_labeled("granted", "Granted", "已同意"),
        };
        ended.end_labeled("declined", "Declined", "已拒绝").finish()
    }
}

fn returns_desk(facts: WorkflowBuilder, bands: &Bands) -> Result<WorkflowBuilder, IdError> {
    let not_recalled = |others: Vec<Condition>| -> Result<Condition, IdError> {
        let mut all = alloc::vec![Condition::Not(Box::new(recalled()?))];
        all.extend(others);
        Ok(Condition::All(all))
    };
    let premium = || test(TIER, Check::Is(Fact::code("premium")));
    let large = || test(AMOUNT, Check::Above(Fact::Amount(bands.large)));
    let not = |condition: Condition| Condition::Not(Box::new(condition));
    let guarded = facts
        .guard("recalled", recalled()?)
        .guard("quality", not_recalled(alloc::vec![quality()?])?)
        .guard("large", large()?)
        .guard("premium", Condition::All(alloc::vec![premium()?, not(large()?)]))
        .guard("disputed", disputed()?)
        .choice("kind", |s| {
            s.label("By batch and reason", "按批次与原因")
                .when("recalled", "isolate")
                .when("quality", "qc")
                .otherwise("band")
        });
    let reviewed = quality_control(recall(guarded), "band").choice("band", |s| {
        s.label("By amount and tier", "按金额与等级")
            .when("large", "review_large")
            .when("premium", "premium_review")
            .otherwise("review")
    });
    let reviewed = service(reviewed, Some(small(bands)?), "goods", "overdue_band");
    // The supervisor answers for whoever was silent, and not for finance.
    let reviewed = reviewed.choice("overdue_band", |s| {
        s.label("By amount, overdue", "逾期件按金额").when("large", "finance").otherwise("goods")
    });
    let reviewed = premium_review(reviewed, "goods");
    let reviewed = reviewed.approval("review_large", desk(Mode::Any, &["service"]), |s| {
        silent(s.label("Service review", "客服审核")).approved("finance").rejected("declined")
    });
    let signed = finance_apart(reviewed, "goods", "review_large");
    let moving = signed
        .wait("goods", "customer", |s| {
            s.label("Waiting for the goods", "等待买家寄回")
                .on("received", "inspection")
                .reminds_after("remember", Span::days(7))
                .leaves_after("never_sent", Span::days(14), "lapsed")
        })
        .task("inspection", "qc", |s| {
            s.label("Inspection", "收货检验")
                .on_if("inspected", "disputed", "experts")
                .on_otherwise("inspected", "granted")
        });
    Ok(experts(moving, "granted"))
}

fn test(fact: &str, check: Check) -> Result<Condition, IdError> {
    Ok(Condition::test(FactName::new(fact)?, check))
}

fn quality() -> Result<Condition, IdError> {
    test(REASON, Check::Is(Fact::code("quality")))
}

fn recalled() -> Result<Condition, IdError> {
    test(RECALLED, Check::Is(Fact::Flag(true)))
}

fn disputed() -> Result<Condition, IdError> {
    test(DISPUTED, Check::Is(Fact::Flag(true)))
}

fn roles(builder: WorkflowBuilder) -> WorkflowBuilder {
    builder
        .role("service", "Service desk", "客服")
        .role("supervisor", "Supervisor", "客服主管")
        .role("finance", "Finance", "财务")
        .role("qc", "Quality control", "质检")
        .role("key_accounts", "Key accounts", "大客户经理")
        .role("expert", "Experts", "专家组")
}

fn facts(builder: WorkflowBuilder, bands: &Bands) -> Result<WorkflowBuilder, IdError> {
    let codes = |codes: &[&str]| FactType::Code(codes.iter().map(|c| String::from(*c)).collect());
    let amount = || FactType::Amount(bands.small.currency());
    let (fixed, moving) = (Stability::Frozen, Stability::Volatile);
    Ok(builder
        .fact(AMOUNT, amount(), fixed, Weight::Material)
        .fact(GRANTED, amount(), moving, Weight::Plain)
        .fact(REASON, codes(&["quality", "no_reason", "other"]), fixed, Weight::Material)
        .fact(RECALLED, FactType::Flag, fixed, Weight::Material)
        .fact(TIER, codes(&["standard", "premium"]), fixed, Weight::Plain)
        .fact(DISPUTED, FactType::Flag, moving, Weight::Plain))
}

fn small(bands: &Bands) -> Result<SmallAmount, IdError> {
    let running = RunningTotal { fact: FactName::new(GRANTED)?, below: bands.granted_below };
    let rule = RuleId::new("small_amount")?;
    Ok(SmallAmount { rule, at_most: bands.small, running: Some(running) })
}

/// An approval at the desk: reminded after four business hours.
fn desk(mode: Mode, roles: &[&str]) -> Approval {
    let remind = TimeoutAction::Remind { times: 3 };
    Approval::new(mode, roles.iter().copied()).timeout(Span::business_hours(4), remind)
}

/// What a silent approval leads to: the supervisor, after three business days of eight hours.
fn silent(state: StateBuilder) -> StateBuilder {
    state.leaves_after("silent", Span::business_hours(24), "overdue")
}

/// The desk, and the supervisor for what was left lying there or anywhere else.
fn service(
    builder: WorkflowBuilder,
    small: Option<SmallAmount>,
    then: &'static str,
    after_supervisor: &'static str,
) -> WorkflowBuilder {
    let rule = desk(Mode::Any, &["service"]).with(|rule| rule.small = small);
    builder
        .approval("review", rule, |s| {
            silent(s.label("Service review", "客服审核")).approved(then).rejected("declined")
        })
        .approval("overdue", Approval::new(Mode::Any, ["supervisor"]), |s| {
            s.label("Supervisor", "主管处理")
                .approved(after_supervisor)
                .rejected("declined")
                .waits_because("the supervisor answers for the desk")
        })
}

/// Above the limit nobody decides in place of finance, not even time.
fn unskipped(state: StateBuilder, then: &str) -> StateBuilder {
    state
        .label("Finance", "财务审核")
        .approved(then)
        .rejected("declined")
        .waits_because("above the limit nobody but finance may let it pass")
}

fn finance(builder: WorkflowBuilder, then: &'static str) -> WorkflowBuilder {
    let rule = desk(Mode::All, &["service", "finance"]);
    builder.approval("finance", rule, |s| unskipped(s, then))
}

fn finance_apart(
    builder: WorkflowBuilder,
    then: &'static str,
    other: &'static str,
) -> WorkflowBuilder {
    let rule = desk(Mode::Any, &["finance"]).distinct_from(other);
    builder.approval("finance", rule, |s| unskipped(s, then))
}

fn quality_control(builder: WorkflowBuilder, then: &'static str) -> WorkflowBuilder {
    builder.approval("qc", desk(Mode::Any, &["qc"]), |s| {
        silent(s.label("Quality control", "质检审核")).approved(then).rejected("declined")
    })
}

fn recall(builder: WorkflowBuilder) -> WorkflowBuilder {
    builder.task("isolate", "qc", |s| {
        s.label("Isolate the batch", "隔离召回批次").on("isolated", "recalled")
    })
}

fn premium_review(builder: WorkflowBuilder, then: &'static str) -> WorkflowBuilder {
    builder.approval("premium_review", desk(Mode::Any, &["key_accounts"]), |s| {
        silent(s.label("Key account review", "大客户审核")).approved(then).rejected("declined")
    })
}

fn experts(builder: WorkflowBuilder, then: &'static str) -> WorkflowBuilder {
    builder.approval("experts", desk(Mode::Count(2), &["expert"]), |s| {
        s.label("Two experts", "专家会审")
            .approved(then)
            .rejected("declined")
            .waits_because("experts are named case by case")
    })
}
