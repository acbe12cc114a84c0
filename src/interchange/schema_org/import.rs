//! From a document of schema.org to a policy, with a list of what was lost.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use rust_decimal::Decimal;

use super::convert::{ImportError, Loss, LossKind, NO_PAGE, Season, Side, label, lose};
use super::{
    Fee, MerchantReturnPolicy, MonetaryAmount, RefundType, ReturnCategory, ReturnDays, ReturnFees,
    SeasonalOverride,
};
use crate::condition::schema::Schema;
use crate::condition::{Check, Condition};
use crate::explain::Fact;
use crate::id::{FactName, PolicyId, RuleId};
use crate::label::Coded;
use crate::money::Money;
use crate::money::currency::Currency;
use crate::number::Exact;
use crate::policy::facts::LineFact;
use crate::policy::period::{Anchor, Length, LengthUnit, PeriodTerms};
use crate::policy::set::PolicyDraft;
use crate::policy::terms::{Clause, Deduction, IfUnknown, Remedy, RestockingFee, RuleTerms};
use crate::reason::attribute::{FreightPayer, PolicyBasis};

/// What a document says about the window.
type Window = (Option<ReturnCategory>, Option<ReturnDays>);

impl MerchantReturnPolicy {
    /// The document as a voluntary policy, and what the policy does not say of it.
    ///
    /// Fees told apart by remorse and defect become two rules, told apart by the basis of the
    /// reason; each season with a first or last day becomes a rule of its own for goods sold on its days,
    /// which the ordinary rules then leave out. Windows run from delivery. The id and the version are the host's.
    ///
    /// # Errors
    ///
    /// When the document does not say whether, or how long, goods may come back; when a fee cannot be
    /// read.
    pub fn import(&self, id: PolicyId) -> Result<(PolicyDraft, Vec<Loss>), ImportError> {
        let mut losses = self.without_counterpart();
        let mut rules = Vec::new();
        let seasons = self.seasons(&mut losses);
        if self.return_policy_category.is_some() || self.merchant_return_days.is_some() {
            let window = (self.return_policy_category, self.merchant_return_days);
            self.rules(id.as_str(), None, window, &mut rules, &mut losses)?;
            for &(number, season) in &seasons {
                let when = in_season((season.start_date, season.end_date))?;
                let leaves_out = clause(format!("season_{number}"), when, IfUnknown::Ask);
                for rule in &mut rules {
                    rule.unless.push(leaves_out.clone());
                }
            }
        }
        for (number, season) in seasons {
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

    /// The overrides with their numbers. One without a first or last day would stand in for the ordinary
    /// terms on every day; it is left out.
    fn seasons(&self, losses: &mut Vec<Loss>) -> Vec<(usize, &SeasonalOverride)> {
        let mut seasons = Vec::new();
        for (number, season) in self.return_policy_seasonal_override.iter().enumerate() {
            let is_dated = season.start_date.is_some() || season.end_date.is_some();
            let missing = (!is_dated).then_some("startDate");
            for name in season.other.keys().map(String::as_str).chain(missing) {
                let what = format!("returnPolicySeasonalOverride {number} / {name}");
                lose(losses, what, LossKind::NotUnderstood);
            }
            if is_dated {
                seasons.push((number, season));
            }
        }
        seasons
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

fn money(amount: &MonetaryAmount) -> Result<Money, ImportError> {
    let currency = Currency::iso(&amount.currency)?;
    let amount = Money::exactly(amount.value.0.decimal(), currency)?;
    if amount.is_negative() { Err(ImportError::NegativeFee { amount }) } else { Ok(amount) }
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
