//! From a document of schema.org to a policy and back, with a list of what was lost.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    AmountType, Fee, ItemCondition, MerchantReturnPolicy, MonetaryAmount, PlainNumber, RefundType,
    ReturnCategory, ReturnDays, ReturnFees, SeasonalOverride,
};
use crate::condition::schema::Schema;
use crate::condition::{Check, Condition, Test};
use crate::explain::Fact;
use crate::id::{FactName, IdError, PolicyId, RuleId};
use crate::label::{Coded, Label, codes};
use crate::money::currency::{Currency, CurrencyError};
use crate::money::{Money, MoneyError};
use crate::number::Exact;
use crate::policy::facts::LineFact;
use crate::policy::period::{Anchor, Length, LengthUnit, PeriodTerms};
use crate::policy::set::PolicyDraft;
use crate::policy::terms::{
    Basis, Clause, Deduction, IfUnknown, OutboundFreight, Remedy, RestockingFee, RuleTerms,
};
use crate::reason::attribute::{FreightPayer, PolicyBasis};

codes! {
    /// Why something is missing on the other side.
    pub enum LossKind "loss" {
        /// The other side has no words for it.
        NoCounterpart = "no_counterpart", "No counterpart", "无对应项";
        /// The document does not say it, and a value was assumed.
        Assumed = "assumed", "Assumed", "默认假定";
        /// The property is not known here.
        NotUnderstood = "not_understood", "Not understood", "无法识别";
    }
}

/// One thing that the other side does not say, or says by assumption.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// The property of the document, or the rule with its field: `store_window / evidence`.
    pub what: String,
    /// Why.
    pub kind: LossKind,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.kind)
    }
}

/// A document that cannot become a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Neither the policy nor a season says whether goods may come back.
    #[error("the document does not say whether goods may come back")]
    SaysNothing,
    /// A finite window without days, or with none.
    #[error(
        "a finite return window needs `merchantReturnDays` of 1 to {}",
        Length::max(LengthUnit::Days)
    )]
    NoDays,
    /// A percentage outside 0 to 100.
    #[error("a restocking fee of {percent} percent is not between 0 and 100")]
    Percent {
        /// The number found.
        percent: Exact,
    },
    /// An amount below zero.
    #[error("a fee of {amount} is below zero")]
    NegativeFee {
        /// The amount.
        amount: Money,
    },
    /// The currency is not known.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    /// The amount cannot be held.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The rule ids made from the policy id are too long.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// Where a policy comes from that names no page.
const NO_PAGE: &str = "schema.org MerchantReturnPolicy";

fn label() -> Label {
    Label::new("Return policy", "退货政策")
}

fn lose(losses: &mut Vec<Loss>, what: impl Into<String>, kind: LossKind) {
    losses.push(Loss { what: what.into(), kind });
}

/// For which reasons a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Any,
    Remorse,
    Defect,
}

/// The first and the last day of sale of a season.
type Season = (Option<NaiveDate>, Option<NaiveDate>);

/// What a document says about the window.
type Window = (Option<ReturnCategory>, Option<ReturnDays>);

impl MerchantReturnPolicy {
    /// The document as a voluntary policy, and what the policy does not say of it.
    ///
    /// Fees told apart by remorse and defect become two rules, told apart by the basis of the
    /// reason; each season becomes a rule of its own for goods sold on its days, which the ordinary
    /// rules then leave out. Windows run from delivery. The id and the version are the host's.
    ///
    /// # Errors
    ///
    /// When the document does not say whether, or how long, goods may come back; when a fee cannot be
    /// read.
    pub fn import(&self, id: PolicyId) -> Result<(PolicyDraft, Vec<Loss>), ImportError> {
        let mut losses = self.without_counterpart();
        let mut rules = Vec::new();
        let seasons = &self.return_policy_seasonal_override;
        if self.return_policy_category.is_some() || self.merchant_return_days.is_some() {
            let window = (self.return_policy_category, self.merchant_return_days);
            self.rules(id.as_str(), None, window, &mut rules, &mut losses)?;
            for (number, season) in seasons.iter().enumerate() {
                let when = in_season((season.start_date, season.end_date))?;
                let leaves_out = clause(format!("season_{number}"), when, IfUnknown::Ask);
                for rule in &mut rules {
                    rule.unless.push(leaves_out.clone());
                }
            }
        }
        for (number, season) in seasons.iter().enumerate() {
            for name in season.other.keys() {
                let what = format!("returnPolicySeasonalOverride {number} / {name}");
                lose(&mut losses, what, LossKind::NotUnderstood);
            }
            let name = format!("{id}_season_{number}");
            let days = (season.start_date, season.end_date);
            let window = (season.return_policy_category, season.merchant_return_days);
            self.rules(&name, Some(days), window, &mut rules, &mut losses)?;
        }
        if rules.is_empty() {
            return Err(ImportError::SaysNothing);
        }
        losses.sort();
        losses.dedup();
        let source = self.merchant_return_link.clone().unwrap_or_else(|| NO_PAGE.into());
        let (facts, notes) = (Schema::new(), Vec::new());
        let draft = PolicyDraft { id, version: 1, label: label(), source, notes, facts, rules };
        Ok((draft, losses))
    }

    /// The properties that no rule holds.
    fn without_counterpart(&self) -> Vec<Loss> {
        let mut losses = Vec::new();
        let both =
            self.customer_remorse_return_fees.is_some() && self.item_defect_return_fees.is_some();
        let present = [
            ("returnPolicyCountry", !self.return_policy_country.is_empty()),
            ("inStoreReturnsOffered", self.in_store_returns_offered.is_some()),
            ("returnMethod", !self.return_method.is_empty()),
            ("returnLabelSource", self.return_label_source.is_some()),
            (
                "customerRemorseReturnLabelSource",
                self.customer_remorse_return_label_source.is_some(),
            ),
            ("itemDefectReturnLabelSource", self.item_defect_return_label_source.is_some()),
            ("returnFees", both && self.return_fees.is_some()),
        ];
        for (what, _) in present.into_iter().filter(|(_, present)| *present) {
            lose(&mut losses, what, LossKind::NoCounterpart);
        }
        for name in self.other.keys() {
            lose(&mut losses, name.clone(), LossKind::NotUnderstood);
        }
        losses
    }

    const fn is_split(&self) -> bool {
        self.customer_remorse_return_fees.is_some() || self.item_defect_return_fees.is_some()
    }

    /// The rules of one window: one, or one for remorse and one for defects.
    fn rules(
        &self,
        name: &str,
        season: Option<Season>,
        window: Window,
        rules: &mut Vec<RuleTerms>,
        losses: &mut Vec<Loss>,
    ) -> Result<(), ImportError> {
        if window.0 == Some(ReturnCategory::Unspecified) {
            lose(losses, format!("{name} / returnPolicyCategory"), LossKind::NoCounterpart);
            return Ok(());
        }
        let sides: &[Side] =
            if self.is_split() { &[Side::Remorse, Side::Defect] } else { &[Side::Any] };
        for side in sides {
            let id = match side {
                Side::Any => RuleId::new(name)?,
                Side::Remorse => RuleId::new(format!("{name}_remorse"))?,
                Side::Defect => RuleId::new(format!("{name}_defect"))?,
            };
            let mut rule = self.terms(id, *side, losses)?;
            rule.scope = self.scope(*side, season)?;
            set_window(&mut rule, window)?;
            rules.push(rule);
        }
        Ok(())
    }

    fn scope(&self, side: Side, season: Option<Season>) -> Result<Condition, ImportError> {
        let mut tests = Vec::new();
        if !self.applicable_country.is_empty() {
            let countries = self.applicable_country.iter().cloned().collect();
            tests.push(test(LineFact::Country, Check::OneOf(countries))?);
        }
        let defect = Fact::code(PolicyBasis::Nonconformity);
        match side {
            Side::Any => {}
            Side::Remorse => tests.push(test(LineFact::ReasonBasis, Check::IsNot(defect))?),
            Side::Defect => tests.push(test(LineFact::ReasonBasis, Check::Is(defect))?),
        }
        if let Some(season) = season {
            tests.push(in_season(season)?);
        }
        Ok(if tests.is_empty() { Condition::Always } else { Condition::All(tests) })
    }

    /// Everything but scope and window.
    fn terms(
        &self,
        id: RuleId,
        side: Side,
        losses: &mut Vec<Loss>,
    ) -> Result<RuleTerms, ImportError> {
        let article = self.merchant_return_link.as_deref().unwrap_or(NO_PAGE);
        let any = Length::new(1, LengthUnit::Days);
        let mut rule = RuleTerms::store(id, article, any, Anchor::Delivered);
        rule.evidence.clear();
        rule.remedies = self.refund_type.iter().map(|refund| remedy(*refund)).collect();
        if rule.remedies.is_empty() {
            lose(losses, "refundType", LossKind::Assumed);
            rule.remedies.insert(Remedy::Refund);
        }
        if !self.item_condition.is_empty() {
            let codes = self.item_condition.iter().map(|item| item.code().into()).collect();
            let when = test(LineFact::ItemCondition, Check::OneOf(codes))?;
            rule.provided.push(clause("item_condition", when, IfUnknown::SubjectTo));
        }
        if let Some(fee) = &self.restocking_fee {
            rule.deductions.insert(Deduction::RestockingFee);
            rule.restocking_fee = Some(restocking(fee)?);
        }
        self.freight(&mut rule, side, losses)?;
        Ok(rule)
    }

    fn freight(
        &self,
        rule: &mut RuleTerms,
        side: Side,
        losses: &mut Vec<Loss>,
    ) -> Result<(), ImportError> {
        let general = (self.return_fees, &self.return_shipping_fees_amount);
        let (stated, property) = match side {
            Side::Any => (general, "returnFees"),
            Side::Remorse => (
                (
                    self.customer_remorse_return_fees,
                    &self.customer_remorse_return_shipping_fees_amount,
                ),
                "customerRemorseReturnFees",
            ),
            Side::Defect => (
                (self.item_defect_return_fees, &self.item_defect_return_shipping_fees_amount),
                "itemDefectReturnFees",
            ),
        };
        let (fees, amount) = if stated.0.is_none() { general } else { stated };
        if stated.0.is_none() {
            lose(losses, property, LossKind::Assumed);
        }
        rule.return_freight = match fees {
            Some(ReturnFees::Free | ReturnFees::RestockingFees) => FreightPayer::Seller,
            Some(
                ReturnFees::CustomerResponsibility
                | ReturnFees::ShippingFees
                | ReturnFees::OriginalShippingFees,
            )
            | None => FreightPayer::Customer,
        };
        if matches!(fees, Some(ReturnFees::RestockingFees | ReturnFees::OriginalShippingFees)) {
            lose(losses, property, LossKind::NoCounterpart);
        }
        match (fees, amount) {
            (Some(ReturnFees::ShippingFees), Some(amount)) => {
                rule.return_fee = Some(money(amount)?);
            }
            (Some(ReturnFees::ShippingFees), None) => {
                lose(losses, format!("{property} / amount"), LossKind::Assumed);
            }
            (_, Some(_)) => lose(losses, format!("{property} / amount"), LossKind::NoCounterpart),
            (_, None) => {}
        }
        Ok(())
    }

    /// A policy as a document, and what the document does not say of it.
    ///
    /// The first rule gives the terms; rules for defects and for seasons fill the properties made for
    /// them. Everything else is listed as lost.
    #[must_use]
    pub fn export(policy: &PolicyDraft) -> (Self, Vec<Loss>) {
        let mut export = Export::default();
        if policy.source.starts_with("http") {
            export.document.merchant_return_link = Some(policy.source.clone());
        } else if policy.source != NO_PAGE {
            export.lose("source", LossKind::NoCounterpart);
        }
        if policy.label != label() {
            export.lose("label", LossKind::NoCounterpart);
        }
        if !policy.notes.is_empty() {
            export.lose("notes", LossKind::NoCounterpart);
        }
        let parts: Vec<(Part, &RuleTerms)> =
            policy.rules.iter().map(|rule| (export.part(rule), rule)).collect();
        let split = parts.iter().any(|(part, _)| part.side != Side::Any);
        let mut first: Option<&RuleTerms> = None;
        let mut filled = BTreeSet::new();
        for (part, rule) in &parts {
            if !filled.insert((part.side, part.season)) || (split && part.side == Side::Any) {
                export.lose(rule.id.as_str(), LossKind::NoCounterpart);
                continue;
            }
            let base = *first.get_or_insert(rule);
            if base.id == rule.id {
                export.base(part, rule);
            } else if !same_terms(base, rule) {
                let what = format!("{} / terms unlike those of {}", rule.id, base.id);
                export.lose(what, LossKind::NoCounterpart);
            }
            match (part.season, part.side) {
                (None, side) => export.fees(side, rule),
                (Some(season), Side::Any | Side::Remorse) => export.season(season, part),
                (Some(_), Side::Defect) => {}
            }
        }
        let Export { document, mut losses } = export;
        losses.sort();
        losses.dedup();
        (document, losses)
    }
}

/// Whether two rules differ in nothing but id, scope, window and freight.
fn same_terms(base: &RuleTerms, rule: &RuleTerms) -> bool {
    base.remedies == rule.remedies
        && base.deductions == rule.deductions
        && base.restocking_fee == rule.restocking_fee
        && item_condition(base) == item_condition(rule)
}

fn item_condition(rule: &RuleTerms) -> Option<&Condition> {
    rule.provided.iter().find(|clause| clause.id == "item_condition").map(|clause| &clause.when)
}

/// What the scope and the window of a rule say in words of schema.org.
struct Part {
    countries: Vec<String>,
    side: Side,
    season: Option<Season>,
    category: ReturnCategory,
    days: Option<ReturnDays>,
    conditions: Vec<ItemCondition>,
}

/// A document in the making.
#[derive(Default)]
struct Export {
    document: MerchantReturnPolicy,
    losses: Vec<Loss>,
}

impl Export {
    fn lose(&mut self, what: impl Into<String>, kind: LossKind) {
        lose(&mut self.losses, what, kind);
    }

    fn without(&mut self, rule: &RuleTerms, field: &str) {
        self.lose(format!("{} / {field}", rule.id), LossKind::NoCounterpart);
    }

    fn part(&mut self, rule: &RuleTerms) -> Part {
        let mut part = Part {
            countries: Vec::new(),
            side: Side::Any,
            season: None,
            category: ReturnCategory::Unlimited,
            days: None,
            conditions: Vec::new(),
        };
        for test in flat(&rule.scope) {
            if !test.is_some_and(|test| part.reads(test)) {
                self.without(rule, "scope");
            }
        }
        if let Some(window) = &rule.window {
            let days = window.length.count;
            let plain = PeriodTerms::new(Length::new(days, LengthUnit::Days), Anchor::Delivered);
            if *window != plain {
                self.without(rule, "window");
            }
            if window.length.unit == LengthUnit::Days {
                part.category = ReturnCategory::Finite;
                part.days = Some(ReturnDays::Days(days));
            } else {
                part.category = ReturnCategory::Unspecified;
            }
        }
        for clause in &rule.provided {
            if !part.requires(clause) {
                self.without(rule, &format!("provided {}", clause.id));
            }
        }
        for clause in &rule.unless {
            if clause.id == "not_permitted" && clause.when == Condition::Always {
                part.category = ReturnCategory::NotPermitted;
                part.days = None;
            } else if !leaves_season_out(clause) {
                self.without(rule, &format!("unless {}", clause.id));
            }
        }
        self.other_terms(rule);
        part
    }

    /// The fields that schema.org has no property for.
    fn other_terms(&mut self, rule: &RuleTerms) {
        let expressible = |remedy: &Remedy| refund_type(*remedy).is_some();
        let lost = [
            ("basis", rule.basis != Basis::Voluntary),
            ("remedies", !rule.remedies.iter().all(expressible)),
            ("outbound_freight", rule.outbound_freight != OutboundFreight::Kept),
            ("deductions", rule.deductions.iter().any(|kept| *kept != Deduction::RestockingFee)),
            ("refund", rule.refund.is_some()),
            ("answer", rule.answer.is_some()),
            ("send_back", rule.send_back.is_some()),
            ("evidence", !rule.evidence.is_empty()),
            ("adjust", !rule.adjust.is_empty()),
        ];
        for (field, _) in lost.into_iter().filter(|(_, lost)| *lost) {
            self.without(rule, field);
        }
    }

    fn base(&mut self, part: &Part, rule: &RuleTerms) {
        let document = &mut self.document;
        document.applicable_country.clone_from(&part.countries);
        if part.season.is_none() {
            document.return_policy_category = Some(part.category);
            document.merchant_return_days = part.days;
        }
        document.item_condition.clone_from(&part.conditions);
        document.refund_type = rule.remedies.iter().filter_map(|r| refund_type(*r)).collect();
        document.restocking_fee = rule.restocking_fee.map(|fee| match fee {
            RestockingFee::Flat(amount) => Fee::Amount(monetary(amount)),
            RestockingFee::Share(share) => Fee::Percent(percent_of(share)),
        });
    }

    fn fees(&mut self, side: Side, rule: &RuleTerms) {
        let fees = match (rule.return_freight, rule.return_fee) {
            (FreightPayer::Seller, _) => ReturnFees::Free,
            (FreightPayer::Customer, None) => ReturnFees::CustomerResponsibility,
            (FreightPayer::Customer, Some(_)) => ReturnFees::ShippingFees,
        };
        let amount = rule.return_fee.map(monetary);
        let document = &mut self.document;
        let (to_fees, to_amount) = match side {
            Side::Any => (&mut document.return_fees, &mut document.return_shipping_fees_amount),
            Side::Remorse => (
                &mut document.customer_remorse_return_fees,
                &mut document.customer_remorse_return_shipping_fees_amount,
            ),
            Side::Defect => (
                &mut document.item_defect_return_fees,
                &mut document.item_defect_return_shipping_fees_amount,
            ),
        };
        *to_fees = Some(fees);
        *to_amount = amount;
    }

    fn season(&mut self, (start_date, end_date): Season, part: &Part) {
        self.document.return_policy_seasonal_override.push(SeasonalOverride {
            start_date,
            end_date,
            return_policy_category: Some(part.category),
            merchant_return_days: part.days,
            ..SeasonalOverride::default()
        });
    }
}

impl Part {
    /// Takes a test of the scope over, if schema.org has words for it.
    fn reads(&mut self, test: &Test) -> bool {
        let defect = Fact::code(PolicyBasis::Nonconformity);
        match &test.check {
            Check::OneOf(codes) if is(test, LineFact::Country) && self.countries.is_empty() => {
                self.countries = codes.iter().cloned().collect();
            }
            Check::Is(Fact::Code(code))
                if is(test, LineFact::Country) && self.countries.is_empty() =>
            {
                self.countries = alloc::vec![code.clone()];
            }
            Check::Is(basis) if is(test, LineFact::ReasonBasis) && *basis == defect => {
                self.side = Side::Defect;
            }
            Check::IsNot(basis) if is(test, LineFact::ReasonBasis) && *basis == defect => {
                self.side = Side::Remorse;
            }
            Check::AtLeast(Fact::Date(day)) if is(test, LineFact::SoldOn) => {
                self.season.get_or_insert((None, None)).0 = Some(*day);
            }
            Check::AtMost(Fact::Date(day)) if is(test, LineFact::SoldOn) => {
                self.season.get_or_insert((None, None)).1 = Some(*day);
            }
            _ => return false,
        }
        true
    }

    /// Takes a requirement over, if schema.org has words for it.
    fn requires(&mut self, clause: &Clause) -> bool {
        let Condition::Test(test) = &clause.when else { return false };
        match &test.check {
            Check::OneOf(codes) if is(test, LineFact::ItemCondition) => {
                let known = |code: &String| {
                    ItemCondition::ALL.iter().copied().find(|item| item.code() == code)
                };
                self.conditions = codes.iter().filter_map(known).collect();
                self.conditions.sort_unstable();
                self.conditions.len() == codes.len()
            }
            Check::AtMost(Fact::Date(day)) if is(test, LineFact::RequestedOn) => {
                self.category = ReturnCategory::Finite;
                self.days = Some(ReturnDays::Until(*day));
                true
            }
            _ => false,
        }
    }
}

/// Whether an exclusion only makes room for the rule of a season.
fn leaves_season_out(clause: &Clause) -> bool {
    let of_season = |test: &Option<&Test>| test.is_some_and(|test| is(test, LineFact::SoldOn));
    clause.id.starts_with("season_") && flat(&clause.when).iter().all(of_season)
}

/// The tests of a condition that is a test, or all of several; anything else is none.
fn flat(condition: &Condition) -> Vec<Option<&Test>> {
    let mut tests = Vec::new();
    let mut open = alloc::vec![condition];
    while let Some(condition) = open.pop() {
        match condition {
            Condition::Always => {}
            Condition::All(parts) => open.extend(parts.iter().rev()),
            Condition::Test(test) => tests.push(Some(test)),
            Condition::Any(_) | Condition::Not(_) => tests.push(None),
        }
    }
    tests
}

fn is(test: &Test, fact: LineFact) -> bool {
    test.fact.as_str() == fact.code()
}

fn test(fact: LineFact, check: Check) -> Result<Condition, ImportError> {
    Ok(Condition::test(FactName::new(fact.code())?, check))
}

fn clause(id: impl Into<String>, when: Condition, if_unknown: IfUnknown) -> Clause {
    Clause { id: id.into(), article: None, when, if_unknown }
}

fn in_season((start, end): Season) -> Result<Condition, ImportError> {
    let mut tests = Vec::new();
    if let Some(start) = start {
        tests.push(test(LineFact::SoldOn, Check::AtLeast(Fact::Date(start)))?);
    }
    if let Some(end) = end {
        tests.push(test(LineFact::SoldOn, Check::AtMost(Fact::Date(end)))?);
    }
    Ok(Condition::All(tests))
}

fn set_window(rule: &mut RuleTerms, (category, days): Window) -> Result<(), ImportError> {
    rule.window = None;
    match (category, days) {
        (Some(ReturnCategory::Unlimited | ReturnCategory::Unspecified), _) => {}
        (Some(ReturnCategory::NotPermitted), _) => {
            rule.unless.push(clause("not_permitted", Condition::Always, IfUnknown::Ask));
        }
        (Some(ReturnCategory::Finite) | None, Some(ReturnDays::Days(days))) => {
            if days == 0 || days > Length::max(LengthUnit::Days) {
                return Err(ImportError::NoDays);
            }
            let length = Length::new(days, LengthUnit::Days);
            rule.window = Some(PeriodTerms::new(length, Anchor::Delivered));
        }
        (Some(ReturnCategory::Finite) | None, Some(ReturnDays::Until(day))) => {
            let when = test(LineFact::RequestedOn, Check::AtMost(Fact::Date(day)))?;
            rule.provided.push(clause("until_date", when, IfUnknown::Ask));
        }
        (Some(ReturnCategory::Finite) | None, None) => return Err(ImportError::NoDays),
    }
    Ok(())
}

const fn remedy(refund: RefundType) -> Remedy {
    match refund {
        RefundType::Full => Remedy::Refund,
        RefundType::Exchange => Remedy::Exchange,
        RefundType::StoreCredit => Remedy::StoreCredit,
    }
}

const fn refund_type(remedy: Remedy) -> Option<RefundType> {
    match remedy {
        Remedy::Refund => Some(RefundType::Full),
        Remedy::Exchange => Some(RefundType::Exchange),
        Remedy::StoreCredit => Some(RefundType::StoreCredit),
        Remedy::Repair | Remedy::PartReplacement | Remedy::PriceReduction => None,
    }
}

fn money(amount: &MonetaryAmount) -> Result<Money, ImportError> {
    let currency = Currency::iso(&amount.currency)?;
    let amount = Money::exactly(amount.value.0.decimal(), currency)?;
    if amount.is_negative() { Err(ImportError::NegativeFee { amount }) } else { Ok(amount) }
}

fn monetary(amount: Money) -> MonetaryAmount {
    MonetaryAmount {
        type_name: AmountType,
        value: PlainNumber(Exact::new(amount.amount())),
        currency: amount.currency().code().to_string(),
    }
}

fn restocking(fee: &Fee) -> Result<RestockingFee, ImportError> {
    match fee {
        Fee::Amount(amount) => money(amount).map(RestockingFee::Flat),
        Fee::Percent(percent) => {
            let share = percent.decimal().checked_div(Decimal::ONE_HUNDRED);
            let share = share.filter(|share| (Decimal::ZERO..=Decimal::ONE).contains(share));
            let share = share.ok_or(ImportError::Percent { percent: *percent })?;
            Ok(RestockingFee::Share(Exact::new(share)))
        }
    }
}

fn percent_of(share: Exact) -> Exact {
    Exact::new(share.decimal().checked_mul(Decimal::ONE_HUNDRED).unwrap_or(share.decimal()))
}
