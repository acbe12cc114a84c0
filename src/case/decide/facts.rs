//! The facts of a case that conditions of practices, reviews and follow-ups test.

use alloc::string::String;
use alloc::vec::Vec;

use crate::case::AfterSale;
use crate::case::ledger::Location;
use crate::case::state::{CaseLine, ReturnCase};
use crate::condition::Facts;
use crate::explain::Fact;
use crate::id::FactName;
use crate::label::Coded;
use crate::money::Money;
use crate::money::currency::Currency;

/// The facts that conditions of a practice test, see [`schema`](crate::practice::schema); the amount
/// where conditions state amounts in the currency of the order.
pub(in crate::case) fn case_facts(
    order: &AfterSale,
    currency: Option<Currency>,
    case: &ReturnCase,
) -> Facts {
    facts_asked(order, currency, case, |_| true)
}

/// Of these facts those that are asked for.
pub(super) fn facts_asked(
    order: &AfterSale,
    currency: Option<Currency>,
    case: &ReturnCase,
    asks: impl Fn(&str) -> bool,
) -> Facts {
    let sale = order.sale.draft();
    let mut facts = Facts::new();
    let mut set = |name: &'static str, fact: &dyn Fn() -> Option<Fact>| {
        if asks(name)
            && let Some(fact) = fact()
        {
            facts.set(FactName::fixed(name), fact);
        }
    };
    set("resolution", &|| Some(Fact::code(case.resolution.code())));
    set("goods", &|| Some(Fact::code(goods(order, case))));
    set("channel", &|| sale.channel.as_ref().map(Fact::code));
    set("country", &|| sale.country.as_ref().map(Fact::code));
    set("buyer_tier", &|| sale.buyer_tier.as_ref().map(Fact::code));
    set("tags", &|| {
        let sold = case.lines.iter().filter_map(|line| order.sold_as(&line.line));
        Some(Fact::Codes(sold.flat_map(|line| line.ordered.tags.iter().cloned()).collect()))
    });
    set("reasons", &|| {
        let said = case.lines.iter().flat_map(|line| line.reasons.assertions());
        Some(Fact::codes(said.map(|said| String::from(said.code.as_str()))))
    });
    set("application", &|| {
        let application = case.lines.iter().map(|line| applications(order, case, line)).max();
        Some(Fact::Count(application.unwrap_or(0)))
    });
    set("since_order", &|| {
        Some(Fact::Seconds(case.opened_at.signed_duration_since(sale.placed_at).num_seconds()))
    });
    set("amount", &|| {
        let stated = currency == Some(order.sale.currency());
        stated.then(|| amount(order, case)).flatten().map(Fact::Amount)
    });
    facts
}

/// What was paid for the units of a case.
fn amount(order: &AfterSale, case: &ReturnCase) -> Option<Money> {
    let paid = case.lines.iter().map(|line| {
        let sold = order.sold_as(&line.line)?;
        let ordered = sold.ordered.quantity.steps();
        sold.frozen.paid.gross.ladder(line.requested.steps().min(ordered), ordered).ok()
    });
    let parts: Vec<Money> = paid.collect::<Option<_>>()?;
    parts
        .into_iter()
        .try_fold(Money::zero(order.sale.currency()), |sum, part| sum.checked_add(part).ok())
}

/// How far the goods of a case had come: the least advanced of its lines.
fn goods(order: &AfterSale, case: &ReturnCase) -> &'static str {
    let held_back = case.lines.iter().any(|line| line.held.at(Location::HeldBack) > 0);
    let under_way = case.lines.iter().any(|line| {
        let arrived = match order.added(&line.line) {
            Some(added) => added.delivered_at,
            None => order.sale.line_delivered_at(&line.line),
        };
        arrived.is_none()
    });
    if held_back {
        "unshipped"
    } else if under_way {
        "shipped"
    } else {
        "received"
    }
}

/// Which request about its line this case belongs to, from 1.
fn applications(order: &AfterSale, case: &ReturnCase, line: &CaseLine) -> i64 {
    let own = (case.opened_at, order.root(case));
    let before = order.requests_about(&line.line).range(..own).count();
    i64::try_from(before).unwrap_or(i64::MAX).saturating_add(1)
}
