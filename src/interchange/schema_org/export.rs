//! From a policy to a document of schema.org, with a list of what was lost.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rust_decimal::Decimal;

use super::convert::{Loss, LossKind, NO_PAGE, Season, Side, label, lose};
use super::{
    AmountType, Fee, ItemCondition, MerchantReturnPolicy, MonetaryAmount, PlainNumber, RefundType,
    ReturnCategory, ReturnDays, ReturnFees, SeasonalOverride,
};
use crate::condition::{Check, Condition, Test};
use crate::explain::Fact;
use crate::label::Coded;
use crate::money::Money;
use crate::number::Exact;
use crate::policy::facts::LineFact;
use crate::policy::period::{Anchor, Length, LengthUnit, PeriodTerms};
use crate::policy::set::PolicyDraft;
use crate::policy::terms::{
    Basis, Clause, Deduction, OutboundFreight, Remedy, RestockingFee, RuleTerms,
};
use crate::reason::attribute::{FreightPayer, PolicyBasis};

impl MerchantReturnPolicy {
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

const fn refund_type(remedy: Remedy) -> Option<RefundType> {
    match remedy {
        Remedy::Refund => Some(RefundType::Full),
        Remedy::Exchange => Some(RefundType::Exchange),
        Remedy::StoreCredit => Some(RefundType::StoreCredit),
        Remedy::Repair | Remedy::PartReplacement | Remedy::PriceReduction => None,
    }
}

fn monetary(amount: Money) -> MonetaryAmount {
    MonetaryAmount {
        type_name: AmountType,
        value: PlainNumber(Exact::new(amount.amount())),
        currency: amount.currency().code().to_string(),
    }
}

fn percent_of(share: Exact) -> Exact {
    Exact::new(share.decimal().checked_mul(Decimal::ONE_HUNDRED).unwrap_or(share.decimal()))
}
