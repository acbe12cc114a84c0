//! From a request to a settlement: check everything, then compute in a fixed order.

use alloc::vec::Vec;

use super::conditions;
use super::deductions;
use super::ledger::{LineLedger, MoneyLedger, Part, negated};
use super::outgoing;
use super::refusal::{SettlementRefused, Violation};
use super::request::{
    CashBasis, CashRounding, ChargeClaim, ChargeRefund, Claim, GoodwillForm, LineRefund,
    PromotionPolicy, RefundRequest,
};
use super::tenders;
use super::{
    Basis, Document, Entry, EntryKind, Figures, PayoutForm, Settlement, Target, TenderAllocation,
};
use crate::explain::RuleRef;
use crate::id::{OrderLineId, RuleId};
use crate::money::{Money, MoneyError};
use crate::quantity::Quantity;
use crate::sale::draft::{ChargeId, TenderKind};
use crate::sale::{Paid, Sale};

pub(super) const UNIT_LADDER: RuleRef = RuleRef::new(RuleId::fixed("unit_ladder"));
pub(super) const AMOUNT_CLAIM: RuleRef = RuleRef::new(RuleId::fixed("amount_claim"));
const CHARGE_REFUND: RuleRef = RuleRef::new(RuleId::fixed("charge_refund"));
const BALANCE: RuleRef = RuleRef::new(RuleId::fixed("balance_due"));
const CASH: RuleRef = RuleRef::new(RuleId::fixed("cash_rounding"));

pub(super) fn quote(
    sale: &Sale,
    ledger: &MoneyLedger,
    request: &RefundRequest,
) -> Result<Settlement, SettlementRefused> {
    let mut violations = Vec::new();
    if ledger.belongs_to(sale) {
        check(ledger, request, &mut violations);
    } else {
        violations.push(Violation::ForeignLedger { order: sale.order().clone() });
    }
    if violations.is_empty() {
        match settle(sale, ledger, request) {
            Ok(settlement) => return Ok(settlement),
            Err(error) => violations.push(Violation::Amount(error)),
        }
    }
    Err(SettlementRefused { order: sale.order().clone(), violations })
}

fn check(ledger: &MoneyLedger, request: &RefundRequest, violations: &mut Vec<Violation>) {
    for (position, refund) in request.lines.iter().enumerate() {
        let earlier = request.lines.get(..position).unwrap_or_default();
        if earlier.iter().any(|other| overlaps(other, refund)) {
            violations.push(Violation::LineTwice { line: refund.line.clone() });
        }
        check_line(ledger, refund, violations);
    }
    for (position, refund) in request.charges.iter().enumerate() {
        let earlier = request.charges.get(..position).unwrap_or_default();
        if earlier.iter().any(|other| other.charge == refund.charge) {
            violations.push(Violation::ChargeTwice { charge: refund.charge.clone() });
        }
        check_charge(ledger, refund, violations);
    }
    for goodwill in &request.goodwill {
        check_amount(ledger, "goodwill", goodwill.amount, violations);
        if let Some(line) = &goodwill.line
            && !ledger.lines.contains_key(line)
        {
            violations.push(Violation::UnknownLine { line: line.clone() });
        }
    }
    deductions::check(ledger, request, violations);
    outgoing::check(ledger, request, violations);
    tenders::check(ledger, &request.tenders, violations);
    if let Some(cash) = &request.cash {
        if cash.step <= 0 {
            violations.push(Violation::BadCashStep { step: cash.step });
        }
        if let CashBasis::Change { handed_over } = cash.on {
            check_amount(ledger, "cash handed over", handed_over, violations);
        }
    }
}

/// Two claims on one line exclude each other, except on different components of a kit.
fn overlaps(one: &LineRefund, other: &LineRefund) -> bool {
    one.line == other.line
        && match (&one.claim, &other.claim) {
            (Claim::Component { sku, .. }, Claim::Component { sku: other, .. }) => sku == other,
            _ => true,
        }
}

fn check_line(ledger: &MoneyLedger, refund: &LineRefund, violations: &mut Vec<Violation>) {
    let line = &refund.line;
    let Some(known) = ledger.lines.get(line) else {
        violations.push(Violation::UnknownLine { line: line.clone() });
        return;
    };
    match &refund.claim {
        Claim::Units(asked) => {
            check_units(line, *asked, known.unit, known.units_left(), violations);
        }
        Claim::Amount(asked) => {
            check_amount(ledger, "refund on a line", *asked, violations);
            let left = known.gross_left(ledger.currency);
            if asked.currency() == left.currency() && *asked > left {
                let (line, asked) = (line.clone(), *asked);
                violations.push(Violation::ExceedsAmount { line, asked, left });
            }
        }
        Claim::Component { sku, units } => {
            let part = known.parts.iter().find_map(|part| {
                let component = part.component.as_ref()?;
                (component.sku == *sku).then_some((component, part))
            });
            let Some((component, part)) = part else {
                let (line, sku) = (line.clone(), sku.clone());
                violations.push(Violation::UnknownComponent { line, sku });
                return;
            };
            check_units(line, *units, component.unit, part.ladder.units_left(), violations);
        }
    }
}

fn check_units(
    line: &OrderLineId,
    asked: Quantity,
    unit: crate::quantity::Unit,
    left: i64,
    violations: &mut Vec<Violation>,
) {
    if asked.unit() != unit {
        let (line, found) = (line.clone(), asked.unit());
        violations.push(Violation::WrongUnit { line, expected: unit, found });
    } else if asked.steps() > left {
        let left = Quantity::new(left, unit).unwrap_or(Quantity::zero(unit));
        violations.push(Violation::ExceedsUnits { line: line.clone(), asked, left });
    }
}

fn check_charge(ledger: &MoneyLedger, refund: &ChargeRefund, violations: &mut Vec<Violation>) {
    let charge = &refund.charge;
    let Some(known) = ledger.charges.get(charge) else {
        violations.push(Violation::UnknownCharge { charge: charge.clone() });
        return;
    };
    if let ChargeClaim::Amount(asked) = refund.claim {
        check_amount(ledger, "refund of a charge", asked, violations);
        let left = known.gross_left();
        if asked.currency() == left.currency() && asked > left {
            let charge = charge.clone();
            violations.push(Violation::ExceedsCharge { charge, asked, left });
        }
    }
}

pub(super) fn check_amount(
    ledger: &MoneyLedger,
    what: &'static str,
    amount: Money,
    violations: &mut Vec<Violation>,
) {
    if amount.currency() != ledger.currency {
        violations.push(Violation::WrongCurrency { what, amount });
    } else if amount.is_negative() {
        violations.push(Violation::Negative { what, amount });
    }
}

fn settle(
    sale: &Sale,
    ledger: &MoneyLedger,
    request: &RefundRequest,
) -> Result<Settlement, MoneyError> {
    let policy = request.promotion;
    let (entries, credit) = entries(sale, ledger, request, policy)?;
    let balance = Money::sum(ledger.currency, entries.iter().map(|entry| entry.gross))?;
    let mut figures = Figures { frozen_share: balance, reevaluated: balance };
    if !sale.draft().promotions.is_empty() {
        // The preview shows the other policy as well.
        let other = |policy| -> Result<Money, MoneyError> {
            let (entries, _) = self::entries(sale, ledger, request, policy)?;
            Money::sum(ledger.currency, entries.iter().map(|entry| entry.gross))
        };
        match policy {
            PromotionPolicy::FrozenShare => {
                figures.reevaluated = other(PromotionPolicy::Reevaluate)?;
            }
            PromotionPolicy::Reevaluate => {
                figures.frozen_share = other(PromotionPolicy::FrozenShare)?;
            }
        }
    }
    pay_out(sale, ledger, request, entries, credit, figures)
}

/// All amounts before the balance, in their fixed order, and the goodwill given as credit.
fn entries(
    sale: &Sale,
    ledger: &MoneyLedger,
    request: &RefundRequest,
    policy: PromotionPolicy,
) -> Result<(Vec<Entry>, Money), MoneyError> {
    let claims = request.lines.len().saturating_add(request.charges.len());
    let mut entries = Vec::with_capacity(claims.saturating_add(request.deductions.len()).max(1));
    for refund in &request.lines {
        if let Some(known) = ledger.lines.get(&refund.line) {
            claim(known, refund, &mut entries)?;
        }
    }
    for refund in &request.charges {
        entries.extend(charge(sale, ledger, refund)?);
    }
    conditions::claw_back(sale, ledger, request, policy, &mut entries)?;
    deductions::take(request, &mut entries, ledger.currency)?;
    let credit = goodwill(ledger, request, &mut entries)?;
    outgoing::charge(request, &mut entries, ledger.currency)?;
    Ok((entries, credit))
}

/// From entries to a total that is never below zero, and where it goes.
fn pay_out(
    sale: &Sale,
    ledger: &MoneyLedger,
    request: &RefundRequest,
    mut entries: Vec<Entry>,
    credit: Money,
    figures: Figures,
) -> Result<Settlement, MoneyError> {
    let zero = Money::zero(ledger.currency);
    let balance = Money::sum(ledger.currency, entries.iter().map(|entry| entry.gross))?;
    let (mut total, mut due) = (balance.max(zero), zero);
    if balance.is_negative() {
        due = balance.checked_neg()?;
        let basis = Basis::Difference { target: zero, booked: balance, limit: None };
        entries.push(whole_order(EntryKind::CustomerPays, due, basis, BALANCE));
    }
    // Goodwill as credit is paid first; what is left of the total goes to the tenders.
    let credit = credit.checked_min(total)?;
    let refund = total.checked_sub(credit)?;
    let (mut allocations, shortfall) = tenders::allocate(sale, ledger, request, refund)?;
    if credit.is_positive() {
        allocations.push(TenderAllocation {
            tender: None,
            form: PayoutForm::NewCredit,
            amount: credit,
            in_kind: None,
            rounding: None,
        });
    }
    if let Some(cash) = &request.cash {
        // Decided before rounding: an amount due may be rounded to nothing.
        let owes = due.is_positive();
        let rounding = if owes {
            round_due(cash, &mut due)?
        } else {
            round_payout(cash, ledger, &mut allocations)?
        };
        if !rounding.is_zero() {
            // A payout grows by the rounding; an amount due grows against the customer, and the
            // entries still sum to the total of zero.
            if owes {
                let against = rounding.checked_neg()?;
                let basis = Basis::Stated { asked: against, limit: None };
                entries.push(whole_order(EntryKind::CashRounding, against, basis, CASH));
                let basis = Basis::Difference { target: zero, booked: against, limit: None };
                entries.push(whole_order(EntryKind::CustomerPays, rounding, basis, BALANCE));
            } else {
                total = total.checked_add(rounding)?;
                let basis = Basis::Stated { asked: rounding, limit: None };
                entries.push(whole_order(EntryKind::CashRounding, rounding, basis, CASH));
            }
        }
    }
    Ok(Settlement { entries, total, due, allocations, shortfall, figures })
}

/// Rounds what the customer owes in cash; the difference is the result.
fn round_due(cash: &CashRounding, due: &mut Money) -> Result<Money, MoneyError> {
    let rounded = match cash.on {
        CashBasis::Total => due.to_step(cash.step, cash.rounding)?,
        CashBasis::Change { handed_over } => {
            let change = handed_over.checked_sub(*due)?;
            if change.is_negative() {
                return Ok(Money::zero(due.currency()));
            }
            handed_over.checked_sub(change.to_step(cash.step, cash.rounding)?)?
        }
    };
    let difference = rounded.checked_sub(*due)?;
    *due = rounded;
    Ok(difference)
}

/// Rounds what is handed out in cash; the sum of the differences is the result.
fn round_payout(
    cash: &CashRounding,
    ledger: &MoneyLedger,
    allocations: &mut [TenderAllocation],
) -> Result<Money, MoneyError> {
    let mut sum = Money::zero(ledger.currency);
    for allocation in allocations {
        let is_cash = |known: &&super::ledger::TenderLedger| {
            Some(&known.tender.id) == allocation.tender.as_ref()
                && known.tender.kind == TenderKind::Cash
        };
        let coins = allocation.form == PayoutForm::Original && allocation.in_kind.is_none();
        if !coins || !ledger.tenders.iter().any(|known| is_cash(&known)) {
            continue;
        }
        let rounded = allocation.amount.to_step(cash.step, cash.rounding)?;
        let difference = rounded.checked_sub(allocation.amount)?;
        if !difference.is_zero() {
            allocation.rounding = Some(difference);
            sum = sum.checked_add(difference)?;
        }
    }
    Ok(sum)
}

pub(super) fn whole_order(kind: EntryKind, gross: Money, basis: Basis, rule: RuleRef) -> Entry {
    let taxes = Vec::new();
    let (target, document) = (Target::Order, Document::NoDocument);
    Entry { kind, target, units: None, gross, taxes, document, basis, rule }
}

/// The entries of one claim: one, or one for each component of a kit.
fn claim(
    known: &LineLedger,
    refund: &LineRefund,
    entries: &mut Vec<Entry>,
) -> Result<(), MoneyError> {
    let line = &refund.line;
    match &refund.claim {
        Claim::Units(units) => {
            for part in &known.parts {
                let per_kit = part.component.as_ref().map_or(1, |component| component.per_kit);
                entries.push(units_of(line, part, *units, units.steps().saturating_mul(per_kit))?);
            }
        }
        Claim::Component { sku, units } => {
            let named = |part: &&Part| {
                part.component.as_ref().is_some_and(|component| component.sku == *sku)
            };
            if let Some(part) = known.parts.iter().find(named) {
                entries.push(units_of(line, part, *units, units.steps())?);
            }
        }
        Claim::Amount(amount) => amount_of(line, known, *amount, entries)?,
    }
    Ok(())
}

fn units_of(
    line: &OrderLineId,
    part: &Part,
    units: Quantity,
    steps: i64,
) -> Result<Entry, MoneyError> {
    let (from, value, of) = part.ladder.units_run();
    let Paid { gross, taxes } = part.ladder.next_units(steps)?;
    let unit = part.component.as_ref().map_or(units.unit(), |component| component.unit);
    let basis = Basis::Units { from, to: from.saturating_add(steps), of, value };
    Ok(Entry {
        kind: EntryKind::Goods,
        target: target(line, part),
        units: Quantity::new(steps, unit).ok(),
        gross,
        taxes,
        document: Document::CreditNote,
        basis,
        rule: UNIT_LADDER,
    })
}

/// Money without goods; on a kit shared over the components by what is left of them.
fn amount_of(
    line: &OrderLineId,
    known: &LineLedger,
    amount: Money,
    entries: &mut Vec<Entry>,
) -> Result<(), MoneyError> {
    let mut push = |part: &Part, amount: Money| -> Result<(), MoneyError> {
        let Paid { gross, taxes } = part.ladder.next_amount(amount)?;
        let limit = Some(part.ladder.gross_left());
        entries.push(Entry {
            kind: EntryKind::GoodsAmount,
            target: target(line, part),
            units: None,
            gross,
            taxes,
            document: Document::CreditNote,
            basis: Basis::Stated { asked: amount, limit },
            rule: AMOUNT_CLAIM,
        });
        Ok(())
    };
    if let [only] = known.parts.as_slice() {
        return push(only, amount);
    }
    let left: Vec<i64> = known.parts.iter().map(|part| part.ladder.gross_left().minor()).collect();
    for (part, share) in known.parts.iter().zip(amount.allocate(&left)?) {
        push(part, share)?;
    }
    Ok(())
}

fn target(line: &OrderLineId, part: &Part) -> Target {
    match &part.component {
        None => Target::Line(line.clone()),
        Some(component) => Target::Component { line: line.clone(), sku: component.sku.clone() },
    }
}

fn charge(
    sale: &Sale,
    ledger: &MoneyLedger,
    refund: &ChargeRefund,
) -> Result<Option<Entry>, MoneyError> {
    let Some(known) = ledger.charges.get(&refund.charge) else { return Ok(None) };
    let left = known.gross_left();
    let (asked, limit) = match refund.claim {
        ChargeClaim::Full => (left, left),
        ChargeClaim::Amount(amount) => (amount, left),
        ChargeClaim::UpToStandard => {
            let standard = standard(sale, &refund.charge, &known.paid)?;
            let gone = Money::new(known.taken.gross, left.currency());
            (left, standard.checked_sub(gone)?.max(Money::zero(left.currency())))
        }
    };
    let Paid { gross, taxes } = known.next_amount(asked.checked_min(limit)?)?;
    Ok(Some(Entry {
        kind: EntryKind::Charge,
        target: Target::Charge(refund.charge.clone()),
        units: None,
        gross,
        taxes,
        document: Document::CreditNote,
        basis: Basis::Stated { asked, limit: Some(limit) },
        rule: CHARGE_REFUND,
    }))
}

/// What the cheapest standard way would have cost, tax included; without one, all that was paid.
fn standard(sale: &Sale, charge: &ChargeId, paid: &Paid) -> Result<Money, MoneyError> {
    let charged = sale.charges().find(|known| known.charged.id == *charge);
    let Some((charged, standard)) =
        charged.and_then(|known| Some((known.charged, known.charged.standard?)))
    else {
        return Ok(paid.gross);
    };
    // In a sale without tax in its prices the standard price grows by the same tax.
    if charged.amount.is_zero() || standard >= charged.amount {
        return Ok(paid.gross);
    }
    paid.gross.ladder(standard.minor(), charged.amount.minor())
}

/// Goodwill entries; the part given as credit is the result.
fn goodwill(
    ledger: &MoneyLedger,
    request: &RefundRequest,
    entries: &mut Vec<Entry>,
) -> Result<Money, MoneyError> {
    let mut credit = Money::zero(ledger.currency);
    for goodwill in &request.goodwill {
        let kind = match goodwill.form {
            GoodwillForm::Refund => EntryKind::Goodwill,
            GoodwillForm::StoreCredit => {
                credit = credit.checked_add(goodwill.amount)?;
                EntryKind::CreditGoodwill
            }
        };
        entries.push(Entry {
            kind,
            target: goodwill.line.clone().map_or(Target::Order, Target::Line),
            units: None,
            gross: goodwill.amount,
            taxes: Vec::new(),
            document: Document::NoDocument,
            basis: Basis::Stated { asked: goodwill.amount, limit: None },
            rule: goodwill.rule.clone(),
        });
    }
    Ok(credit)
}

pub(super) fn opposite(paid: &Paid) -> Result<Paid, MoneyError> {
    let currency = paid.gross.currency();
    negated(paid.gross, &paid.taxes).ok_or(MoneyError::TooLarge { currency })
}
