//! Settlements: every amount is worked out again, and every limit held.

use std::collections::BTreeMap;

use aftersale::case::event::{Event, EventFact};
use aftersale::case::ledger::{Location, Posting};
use aftersale::case::obligation::{PaymentOrder, PaymentWay};
use aftersale::case::resolution::Resolution;
use aftersale::id::{CaseId, Sku};
use aftersale::money::Money;
use aftersale::settlement::{Basis, Entry, EntryKind, PayoutForm, Settlement, Target};

use super::books::{Line, Part, Told, half_up};
use super::cases::{Case, Paying};
use super::table::invariant_33;
use super::{Broken, Held, Model, hold, steps};

impl Model<'_> {
    /// A settlement: every amount is worked out again, and every limit held.
    pub(super) fn planned(&mut self, event: &Event, id: &CaseId) -> Held {
        let EventFact::RefundPlanned { obligation, postings, settlement, .. } = &event.fact else {
            return Ok(());
        };
        self.invariant_22(settlement)?;
        self.invariant_16(settlement)?;
        self.invariant_18(settlement)?;
        self.invariant_27(settlement)?;
        let case = self.cases.get(id).unwrap().clone();
        invariant_33(&case, event)?;
        for posting in postings.iter().filter(|posting| posting.to == Location::WrittenOff) {
            let bearer = case.liability.get(&posting.line);
            let decided = bearer.is_some_and(|who| !who.is_all_the_buyers());
            hold!(35, decided, "a loss of {} settled without a decision", posting.line);
        }
        let mut amounts = 0;
        for entry in &settlement.entries {
            self.entry(entry, postings, id)?;
            let keeps =
                matches!(case.resolution, Resolution::PartialRefund | Resolution::PriceProtection);
            if entry.kind == EntryKind::GoodsAmount && keeps {
                amounts += entry.gross.minor();
            }
        }
        // Movements and money go together: as many units settled as are paid for.
        for line in case.lines.keys() {
            let moved = steps(postings, line);
            let paid: i64 = settlement
                .entries
                .iter()
                .filter(|entry| entry.kind == EntryKind::Goods)
                .filter(|entry| entry.target == Target::Line(line.clone()))
                .filter_map(|entry| entry.units)
                .map(aftersale::quantity::Quantity::steps)
                .sum();
            let kit = self.lines.get(line).is_some_and(|line| line.parts.len() > 1);
            hold!(13, kit || moved == paid, "line {line}: {moved} settled, {paid} paid for");
        }
        let money = settlement.total.minor() - settlement.due.minor();
        self.paid_out += settlement.total.minor();
        self.asked_in += settlement.due.minor();
        for entry in &settlement.entries {
            let moves_value = matches!(
                entry.kind,
                EntryKind::Goods
                    | EntryKind::GoodsAmount
                    | EntryKind::Charge
                    | EntryKind::Exchange
                    | EntryKind::AdvanceReplacement
                    | EntryKind::CustomerPays
            );
            if !moves_value {
                self.beside += entry.gross.minor();
            }
        }
        for part in &settlement.allocations {
            let Some(tender) = &part.tender else { continue };
            let purse = self.purses.get_mut(tender).unwrap();
            purse.back += part.amount.minor();
            hold!(
                11,
                purse.back + purse.outside <= purse.captured,
                "tender {tender}: {} of {} goes back",
                purse.back + purse.outside,
                purse.captured
            );
        }
        self.invariant_24(settlement, &case, event)?;
        let (mut back, mut out) = (BTreeMap::new(), BTreeMap::new());
        for entry in &settlement.entries {
            let (Target::Line(line) | Target::Component { line, .. }) = &entry.target else {
                continue;
            };
            match entry.kind {
                EntryKind::Goods => {
                    *back.entry(line.clone()).or_insert(0) += entry.gross.minor();
                }
                EntryKind::Exchange => {
                    *out.entry(line.clone()).or_insert(0) -= entry.gross.minor();
                }
                _ => {}
            }
        }
        let case = self.cases.get_mut(id).unwrap();
        case.last = (back, out);
        case.given += amounts;
        if let Some(agreed) = case.agreed {
            hold!(13, case.given <= agreed.minor(), "{} given, {agreed} agreed", case.given);
        }
        hold!(28, *obligation == case.obligations + 1, "obligation {obligation} again");
        case.obligations = *obligation;
        let orders = payments(settlement);
        let mut sum = 0;
        for order in orders {
            let collect = order.way == PaymentWay::Collect;
            sum += if collect { -order.amount.minor() } else { order.amount.minor() };
            case.payments.insert((*obligation, order.number), (order, Paying::Due));
        }
        hold!(27, sum == money, "payments of {sum} for a settlement of {money}");
        self.invariant_25()
    }

    pub(super) fn entry(&mut self, entry: &Entry, postings: &[Posting], id: &CaseId) -> Held {
        self.invariant_53(entry)?;
        let gross = entry.gross.minor();
        let part = match &entry.target {
            Target::Line(line) => {
                self.lines.get_mut(line).and_then(|line| line.parts.get_mut(&None))
            }
            Target::Component { line, sku } => {
                let own = self.lines.get_mut(line);
                own.and_then(|line| line.parts.get_mut(&Some(sku.clone())))
            }
            Target::Charge(charge) => self.charges.get_mut(charge),
            Target::Promotion(_) | Target::Order => None,
        };
        match entry.kind {
            EntryKind::Goods => {
                let units = entry.units.unwrap().steps();
                let Some(part) = part else {
                    return Err(Broken { invariant: 13, what: "goods of no line".into() });
                };
                let worth = part.worth(units);
                hold!(
                    15,
                    gross == worth,
                    "{units} steps refund {gross}, the model says {worth}: {part:?}"
                );
                hold!(26, part.left() > 0 || gross == 0, "{gross} for what costs nothing");
                if units != 0 || gross != 0 {
                    part.story.push(Told::Units { units, gross });
                }
                let now = part.standing();
                hold!(13, now.taken.1 <= now.paid, "{} of {} refunded", now.taken.1, now.paid);
                hold!(13, now.taken.0 <= now.units, "{} of {} units", now.taken.0, now.units);
                if now.taken.0 == now.units {
                    hold!(14, now.taken.1 == now.paid, "all back, {} of {}", now.taken.1, now.paid);
                }
                if part.is_plain() {
                    let direct = half_up(
                        i128::from(part.paid) * i128::from(now.taken.0),
                        i128::from(part.units.max(1)),
                    );
                    hold!(
                        15,
                        now.taken.1 == direct,
                        "{} along the way, {direct} at once",
                        now.taken.1
                    );
                }
                let _ = (postings, id);
            }
            EntryKind::GoodsAmount | EntryKind::Charge => {
                let Some(part) = part else {
                    return Err(Broken { invariant: 13, what: "an amount of nothing".into() });
                };
                if gross != 0 {
                    part.story.push(Told::Amount { gross });
                }
                let now = part.standing();
                hold!(13, now.taken.1 <= now.paid, "{} of {} refunded", now.taken.1, now.paid);
            }
            EntryKind::Exchange | EntryKind::AdvanceReplacement => {
                let Target::Line(line) = &entry.target else {
                    return Err(Broken { invariant: 25, what: "goods of no line go out".into() });
                };
                let units = entry.units.unwrap().steps();
                let part = Part::new(-gross, units);
                let known = self.lines.entry(line.clone()).or_insert_with(|| Line {
                    sku: Sku::new("?").unwrap(),
                    made: 0,
                    at: BTreeMap::new(),
                    parts: BTreeMap::new(),
                    added: true,
                });
                hold!(25, !known.parts.contains_key(&None), "line {line} is charged twice");
                known.parts.insert(None, part);
            }
            _ => {
                if entry.basis == Basis::Waived {
                    hold!(19, gross == 0, "a waived fee of {gross}");
                }
            }
        }
        Ok(())
    }

    /// Goods minus what goes out, fees and goodwill: the entries sum to what is paid less what is due.
    pub(super) fn invariant_16(&self, settlement: &Settlement) -> Held {
        let sum: i64 = settlement.entries.iter().map(|entry| entry.gross.minor()).sum();
        hold!(
            16,
            sum == settlement.total.minor(),
            "entries sum to {sum}, not {}",
            settlement.total
        );
        for entry in &settlement.entries {
            let tax: i64 = entry.taxes.iter().map(|tax| tax.amount.minor()).sum();
            let net = entry.net().unwrap().minor();
            hold!(
                16,
                net + tax == entry.gross.minor(),
                "net {net} and tax {tax} of {}",
                entry.gross
            );
        }
        Ok(())
    }

    pub(super) fn invariant_18(&self, settlement: &Settlement) -> Held {
        hold!(18, !settlement.total.is_negative(), "a payout of {}", settlement.total);
        hold!(18, !settlement.due.is_negative(), "{} due", settlement.due);
        let both = settlement.total.is_positive() && settlement.due.is_positive();
        hold!(18, !both, "{} to pay and {} due", settlement.total, settlement.due);
        for part in &settlement.allocations {
            hold!(18, !part.amount.is_negative(), "{} to a tender", part.amount);
        }
        Ok(())
    }

    pub(super) fn invariant_22(&self, settlement: &Settlement) -> Held {
        let currency = self.sale.currency();
        let mut amounts = vec![settlement.total, settlement.due, settlement.shortfall];
        amounts.extend(settlement.entries.iter().map(|entry| entry.gross));
        let taxes = settlement.entries.iter().flat_map(|entry| &entry.taxes);
        amounts.extend(taxes.map(|tax| tax.amount));
        amounts.extend(settlement.allocations.iter().map(|part| part.amount));
        for amount in amounts {
            hold!(22, amount.currency() == currency, "{amount} in an order of {currency}");
        }
        Ok(())
    }

    /// The difference of an even exchange is nothing when no fee was decided.
    pub(super) fn invariant_24(&self, settlement: &Settlement, case: &Case, event: &Event) -> Held {
        let out: Vec<&Entry> =
            settlement.entries.iter().filter(|entry| entry.kind == EntryKind::Exchange).collect();
        let _ = (case, event);
        let even =
            !out.is_empty() && out.iter().all(|entry| entry.rule.id.as_str() == "replacement");
        let plain = settlement.entries.iter().all(|entry| {
            matches!(entry.kind, EntryKind::Goods | EntryKind::Exchange | EntryKind::CustomerPays)
        });
        if even && plain {
            let gone: i64 = out.iter().map(|entry| -entry.gross.minor()).sum();
            let back: i64 = settlement
                .entries
                .iter()
                .filter(|entry| entry.kind == EntryKind::Goods)
                .map(|entry| entry.gross.minor())
                .sum();
            let net = settlement.total.minor() - settlement.due.minor();
            hold!(24, net == back - gone, "{back} back, {gone} out, {net} between them");
        }
        Ok(())
    }

    /// What is left of everything is what was paid in less what was paid out, along every chain.
    pub(super) fn invariant_25(&self) -> Held {
        let (left, kept) = (self.left(), self.paid_out - self.asked_in - self.beside);
        hold!(25, left == self.began_with - kept, "{left} left of {} less {kept}", self.began_with);
        Ok(())
    }

    pub(super) fn invariant_27(&self, settlement: &Settlement) -> Held {
        let placed: i64 = settlement
            .allocations
            .iter()
            .map(|part| part.amount.minor() + part.rounding.map_or(0, Money::minor))
            .sum();
        let all = placed + settlement.shortfall.minor();
        hold!(27, all == settlement.total.minor(), "{all} placed of {}", settlement.total);
        Ok(())
    }

    /// The numbers of an explanation give the amount again.
    pub(super) fn invariant_53(&self, entry: &Entry) -> Held {
        let gross = entry.gross.minor();
        match &entry.basis {
            Basis::Units { from, to, of, value } => {
                let rung = |n: i64| {
                    half_up(i128::from(value.minor()) * i128::from(n), i128::from((*of).max(1)))
                };
                let step = rung(from + to) - rung(*from);
                let last = rung(*to) - rung(*from);
                hold!(53, gross == step || gross == last, "{gross} explained by {:?}", entry.basis);
            }
            Basis::Stated { asked, limit } => {
                let most = limit.map_or(asked.minor(), |limit| asked.minor().min(limit.minor()));
                hold!(53, gross.abs() == most.abs(), "{gross} explained by {:?}", entry.basis);
            }
            Basis::Share { share, of, limit } => {
                let exact = share.decimal() * of.amount();
                let places = u32::from(of.currency().minor_digits());
                let strategy = rust_decimal::RoundingStrategy::MidpointAwayFromZero;
                let rounded = exact.round_dp_with_strategy(places, strategy);
                let minor = Money::exactly(rounded, of.currency()).unwrap().minor();
                let most = limit.map_or(minor, |limit| minor.min(limit.minor()));
                hold!(53, gross.abs() == most.abs(), "{gross} explained by {:?}", entry.basis);
            }
            Basis::Difference { target, booked, limit } => {
                let minor = target.minor() - booked.minor();
                let most = limit.map_or(minor, |limit| minor.min(limit.minor()));
                hold!(53, gross.abs() == most.abs(), "{gross} explained by {:?}", entry.basis);
            }
            Basis::Waived | Basis::NotPermitted => hold!(53, gross == 0, "{gross} for nothing"),
            other => hold!(53, false, "an unknown basis {other:?}"),
        }
        Ok(())
    }
}

/// The payments of a settlement: one for each tender, one by hand, one to collect.
pub(super) fn payments(settlement: &Settlement) -> Vec<PaymentOrder> {
    let mut orders = Vec::new();
    let mut add = |way, amount, in_kind| {
        let number = orders.len() as u32 + 1;
        orders.push(PaymentOrder { number, way, amount, in_kind });
    };
    for part in &settlement.allocations {
        let way = match (part.form, &part.tender) {
            (PayoutForm::Original, Some(tender)) => PaymentWay::Tender(tender.clone()),
            (PayoutForm::CreditInstead, Some(tender)) => PaymentWay::CreditFor(tender.clone()),
            _ => PaymentWay::NewCredit,
        };
        let rounding = part.rounding.map_or(0, Money::minor);
        let amount = Money::new(part.amount.minor() + rounding, part.amount.currency());
        add(way, amount, part.in_kind);
    }
    if settlement.shortfall.is_positive() {
        add(PaymentWay::ByHand, settlement.shortfall, None);
    }
    if settlement.due.is_positive() {
        add(PaymentWay::Collect, settlement.due, None);
    }
    orders
}
