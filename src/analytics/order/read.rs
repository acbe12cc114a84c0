//! Reading one order: what was sold, and what each case came to.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::{Beside, OrderError, OrderRows, View, note, open};
use crate::analytics::AnalyticsError;
use crate::analytics::measure::Outcome;
use crate::analytics::month::Month;
use crate::analytics::tally::{Costs, Dimension, Facets, ReturnRow, SaleRow};
use crate::case::AfterSale;
use crate::case::actor::Role;
use crate::case::event::{Event, EventFact};
use crate::case::ledger::Location;
use crate::case::liability::Liability;
use crate::case::obligation::{PaymentState, PaymentWay};
use crate::case::refund::PaymentResult;
use crate::case::state::{CaseLine, Closing, ReturnCase};
use crate::id::{ActorId, CaseId, LotId, OrderLineId, SerialId};
use crate::label::Coded;
use crate::money::Money;
use crate::sale::{Line, Sale};
use crate::sla::evaluation::{Evaluation, Verdict};
use crate::sla::policy::PolicyKind;
use crate::time::Instant;

/// Where units are that came back, or are settled as if they had.
const RETURNED: [Location; 5] = [
    Location::Accepted,
    Location::Settled,
    Location::Ahead,
    Location::Recovered,
    Location::WrittenOff,
];

pub(super) fn read(
    sale: Sale,
    events: &[Event],
    view: &View<'_>,
    beside: &Beside<'_>,
) -> Result<OrderRows, OrderError> {
    let order = AfterSale::replay(sale, events)?;
    let stories = stories(events);
    let sale = order.sale();
    let mut rows = OrderRows {
        order: sale.order().clone(),
        sales: Vec::with_capacity(sale.lines().len()),
        returns: Vec::new(),
        notes: Vec::new(),
        open: Vec::new(),
    };
    for line in sale.lines().filter(|line| !line.frozen.shipped.is_zero()) {
        rows.sales.push(SaleRow {
            facets: sold_facets(sale, &line, view)?,
            units: units(line.frozen.shipped.steps(), is_counted(&line))?,
            value: share(&line, 0, line.frozen.shipped.steps())?,
        });
    }
    let mut cases: Vec<&ReturnCase> = order.cases().collect();
    cases.sort_by_key(|case| (case.opened_at, &case.id));
    let mut seen = Seen::default();
    for case in cases {
        let story = stories.get(&case.id);
        let mut facts = Some(CaseFacts { order: &order, case, story, view, beside });
        for (position, line) in case.lines.iter().enumerate() {
            // What happens once per case counts on its first line.
            let mut row = return_row(&order, case, line, facts.take(), &mut seen, view)?;
            if let Some(handler) = story.and_then(|story| story.handler) {
                row.facets = row.facets.with(Dimension::Handler, handler.as_str())?;
            }
            rows.notes.extend(note::of_line(line, &row.facets));
            if position == 0 {
                rows.open.extend(open::of_case(case, row.facets.clone()));
            }
            rows.returns.push(row);
        }
    }
    Ok(rows)
}

/// What the events of a case say that its state does not keep.
#[derive(Default)]
struct Story<'a> {
    answered_at: Option<Instant>,
    handler: Option<&'a ActorId>,
    corrected: bool,
}

fn stories(events: &[Event]) -> BTreeMap<&CaseId, Story<'_>> {
    let mut stories: BTreeMap<&CaseId, Story<'_>> = BTreeMap::new();
    for event in events {
        let Some(case) = event.fact.case() else { continue };
        let story = stories.entry(case).or_default();
        if matches!(event.actor.role, Role::Agent | Role::Supervisor) {
            story.handler = Some(&event.actor.id);
            story.answered_at = story.answered_at.or(Some(event.at));
        }
        let failed = matches!(
            &event.fact,
            EventFact::PaymentRecorded { result: PaymentResult::Failed { .. }, .. }
        );
        story.corrected |= failed
            || matches!(
                &event.fact,
                EventFact::CaseReopened { .. }
                    | EventFact::DisputeOpened { .. }
                    | EventFact::LiabilityAppealed { .. }
            );
    }
    stories
}

/// What came back in earlier cases: steps by line, and serial numbers.
#[derive(Default)]
struct Seen {
    steps: BTreeMap<OrderLineId, i64>,
    serials: BTreeSet<SerialId>,
}

/// Everything that happens once per case.
struct CaseFacts<'a> {
    order: &'a AfterSale,
    case: &'a ReturnCase,
    story: Option<&'a Story<'a>>,
    view: &'a View<'a>,
    beside: &'a Beside<'a>,
}

fn return_row(
    order: &AfterSale,
    case: &ReturnCase,
    line: &CaseLine,
    once: Option<CaseFacts<'_>>,
    seen: &mut Seen,
    view: &View<'_>,
) -> Result<ReturnRow, OrderError> {
    let sold = order.sold_as(&line.line).ok_or(OrderError::NoLine { line: line.line.clone() })?;
    let replacement = order.added(&line.line).is_some();
    let steps = line.held.over(&RETURNED);
    let marks = || line.serials.iter().chain(&line.received_serials);
    let again = replacement || marks().any(|serial| seen.serials.contains(serial));
    seen.serials.extend(marks().cloned());
    let counted = is_counted(&sold);
    let zero = Money::zero(order.sale().currency());
    let (mut own, mut repeated, mut value) = (0, 0, zero);
    if replacement {
        repeated = units(steps, counted)?;
    } else {
        let before = seen.steps.entry(line.line.clone()).or_default();
        let after = before.saturating_add(steps);
        let shipped = sold.frozen.shipped.steps();
        if after > shipped {
            let whole = u64::try_from(shipped).unwrap_or(0);
            let part = u64::try_from(after).unwrap_or(0);
            return Err(AnalyticsError::PartAboveWhole { part, whole }.into());
        }
        own = units(after, counted)?.saturating_sub(units(*before, counted)?);
        value = share(&sold, *before, after)?;
        *before = after;
    }
    let mut row = ReturnRow {
        facets: return_facets(order, case, line, &sold, view)?,
        units: own,
        repeat_units: repeated,
        value,
        costs: None,
        handling_seconds: None,
        first_response_seconds: None,
        goal_met: None,
        first_time_right: None,
        repeat: Some(if again { Outcome::Yes } else { Outcome::No }),
        survey: None,
    };
    if let Some(facts) = once {
        facts.count_into(&mut row)?;
    }
    Ok(row)
}

impl CaseFacts<'_> {
    fn count_into(&self, row: &mut ReturnRow) -> Result<(), OrderError> {
        let ended = match self.case.closing {
            Some(Closing::Closed { at }) => Some(at),
            // A request taken back was never handled to its end.
            Some(Closing::Withdrawn { .. }) | None => None,
        };
        row.costs = Some(self.costs()?);
        row.handling_seconds = ended.map(|at| self.seconds_until(at)).transpose()?;
        let answered = self.story.and_then(|story| story.answered_at);
        row.first_response_seconds = answered.map(|at| self.seconds_until(at)).transpose()?;
        let evaluations = self.beside.evaluations.iter();
        row.goal_met = goal_met(evaluations.filter(|found| found.case == self.case.id));
        let corrected = self.story.is_some_and(|story| story.corrected);
        let right = if corrected { Outcome::No } else { Outcome::Yes };
        row.first_time_right = ended.map(|_| right);
        row.survey = self.beside.surveys.and_then(|sent| sent.get(&self.case.id)).copied();
        Ok(())
    }

    /// Seconds from the request, in business hours where there are any.
    fn seconds_until(&self, at: Instant) -> Result<u64, OrderError> {
        self.view.seconds(self.case.opened_at, at)
    }

    /// What was paid to the customer, less what was collected, and what the host says beside it.
    fn costs(&self) -> Result<Costs, OrderError> {
        let zero = Money::zero(self.order.sale().currency());
        let mut refund = zero;
        for payment in self.case.obligations.iter().flat_map(|owed| &owed.payments) {
            if !matches!(payment.state, PaymentState::Paid { .. }) {
                continue;
            }
            refund = match payment.order.way {
                PaymentWay::Collect => refund.checked_sub(payment.order.amount)?,
                PaymentWay::Tender(_)
                | PaymentWay::CreditFor(_)
                | PaymentWay::NewCredit
                | PaymentWay::ByHand => refund.checked_add(payment.order.amount)?,
            };
        }
        let told = self.beside.costs.and_then(|costs| costs.get(&self.case.id));
        Ok(Costs {
            refund,
            freight: told.map_or(zero, |told| told.freight),
            depreciation: told.map_or(zero, |told| told.depreciation),
            handling: told.map_or(zero, |told| told.handling),
            recovered: told.map_or(zero, |told| told.recovered),
        })
    }
}

/// Whether every promise of a case was kept, as far as it is decided; benchmarks are no promises.
fn goal_met<'a>(evaluations: impl Iterator<Item = &'a Evaluation>) -> Option<Outcome> {
    let mut met = None;
    for goal in evaluations.flat_map(|evaluation| &evaluation.goals) {
        if goal.kind == PolicyKind::Benchmark {
            continue;
        }
        let past = goal.past.iter().map(|cycle| cycle.verdict);
        for verdict in past.chain([goal.verdict]) {
            match verdict {
                Verdict::Breached => return Some(Outcome::No),
                Verdict::Met => met = Some(Outcome::Yes),
                Verdict::Pending => {}
            }
        }
    }
    met
}

fn sold_facets(sale: &Sale, line: &Line<'_>, view: &View<'_>) -> Result<Facets, OrderError> {
    let draft = sale.draft();
    let month = month(draft.placed_at, view)?;
    let mut facets = Facets::new()
        .in_month(month)
        .with(Dimension::SoldMonth, alloc::format!("{month}"))?
        .with(Dimension::Sku, line.ordered.sku.as_str())?
        .with(Dimension::Currency, draft.currency.code())?;
    if let Some(channel) = &draft.channel {
        facets = facets.with(Dimension::Channel, channel.as_str())?;
    }
    if let Some(country) = &draft.country {
        facets = facets.with(Dimension::Region, country)?;
    }
    if let Some(tier) = &draft.buyer_tier {
        facets = facets.with(Dimension::Segment, tier)?;
    }
    if let Some(article) = view.articles.get(&line.ordered.sku) {
        facets = facets
            .with(Dimension::Category, &article.category)?
            .with(Dimension::Supplier, &article.supplier)?;
    }
    if let Some(lot) = sole_lot(sale, line) {
        facets = facets.with(Dimension::Lot, lot.as_str())?;
    }
    Ok(facets)
}

fn return_facets(
    order: &AfterSale,
    case: &ReturnCase,
    line: &CaseLine,
    sold: &Line<'_>,
    view: &View<'_>,
) -> Result<Facets, OrderError> {
    let reason = line.reasons.counted(&view.preference).value;
    let code = reason.code();
    let known = view.taxonomy.and_then(|taxonomy| taxonomy.reason(&code));
    let cause = known.map(|reason| reason.cause.clone()).or_else(|| code.cause());
    let mut facets = sold_facets(order.sale(), sold, view)?
        .in_month(month(case.opened_at, view)?)
        .with(Dimension::Reason, cause.as_ref().map_or(code.as_str(), |cause| cause.as_str()))?
        .with(Dimension::ReasonDetail, code.as_str())?
        .with(Dimension::Action, case.resolution.code())?;
    let said = reason.primary.as_ref().zip(view.facet.as_ref());
    if let Some(value) = said.and_then(|(said, facet)| said.facets.get(facet)) {
        facets = facets.with(Dimension::ReasonFacet, value.as_str())?;
    }
    // The party with the largest share; of equal ones the first of the list of parties.
    let shares = line.liability.iter().flat_map(Liability::shares);
    let largest = shares.reduce(|best, next| if next.1 > best.1 { next } else { best });
    if let Some((party, _)) = largest {
        facets = facets.with(Dimension::Party, party.code())?;
    }
    Ok(facets)
}

/// The lot of a line, if all that was shipped of it came from one.
fn sole_lot<'a>(sale: &'a Sale, line: &Line<'_>) -> Option<&'a LotId> {
    let shipped = sale.shipments().iter().flat_map(|shipment| &shipment.lines);
    let mut lot: Option<&LotId> = None;
    for part in shipped.filter(|part| part.line == line.ordered.id) {
        if part.lots.is_empty() {
            return None;
        }
        for found in &part.lots {
            if lot.is_some_and(|known| *known != found.lot) {
                return None;
            }
            lot = Some(&found.lot);
        }
    }
    lot
}

fn month(at: Instant, view: &View<'_>) -> Result<Month, OrderError> {
    let out = AnalyticsError::TooLarge { name: "a year" };
    Month::of(view.zone.date(at)).map_err(|_| out.into())
}

/// Whether a line is sold by the piece.
fn is_counted(line: &Line<'_>) -> bool {
    line.ordered.quantity.unit().digits() == 0
}

/// Steps as units: pieces by their number, anything measured as one.
fn units(steps: i64, counted: bool) -> Result<u32, AnalyticsError> {
    let units = if counted { steps } else { steps.min(1) };
    u32::try_from(units).map_err(|_| AnalyticsError::TooLarge { name: "the units of a line" })
}

/// What was paid for the steps from one to another of a line: parts sum to the whole exactly.
fn share(line: &Line<'_>, from: i64, to: i64) -> Result<Money, OrderError> {
    let (gross, of) = (line.frozen.paid.gross, i128::from(line.ordered.quantity.steps()).max(1));
    let rung = |steps: i64| {
        let worth = i128::from(gross.minor()).saturating_mul(steps.into());
        worth.checked_div(of).and_then(|worth| i64::try_from(worth).ok())
    };
    let part = rung(to).zip(rung(from)).and_then(|(to, from)| to.checked_sub(from));
    let minor = part.ok_or(AnalyticsError::TooLarge { name: "the value of a line" })?;
    Ok(Money::new(minor, gross.currency()))
}
