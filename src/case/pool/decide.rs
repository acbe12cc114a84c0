//! Deciding about parcels without an owner, and checking a stored history before it is trusted.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::super::actor::Role;
use super::super::command::Envelope;
use super::super::digest::digest;
use super::super::event::Cause;
use super::super::ledger::MAY_TURN_UP;
use super::super::matching::{
    Candidate, ParcelMarks, ParcelMatch, Share, article, awaits_goods, rank,
};
use super::super::refusal::Refusal;
use super::super::{Answer, Decision};
use super::command::PoolCommand;
use super::duty::duties_of;
use super::event::{MatchedShare, PoolEvent, PoolFact};
use super::refusal::{PoolObstacle, PoolReplayError};
use super::{Arrival, PoolContext, PoolDecision, ReceiptPool};
use crate::explain::{Effect, Finding, RuleRef};
use crate::id::{RuleId, SerialId, Sku};
use crate::quantity::Quantity;

/// The most articles, serial numbers or shares of one parcel.
const MAX_ENTRIES: usize = 10_000;
/// The most digests of a sender.
const MAX_SENDER: usize = 100;
/// The longest note or digest, in bytes.
const MAX_TEXT: usize = 4_000;

type Obstacles = Vec<PoolObstacle>;

pub(super) fn decide(
    pool: &ReceiptPool,
    context: &PoolContext<'_>,
    envelope: &Envelope<PoolCommand>,
) -> Result<PoolDecision, Refusal<PoolObstacle>> {
    let digest = digest(&(&envelope.actor, &envelope.command));
    let conflict = |_| PoolObstacle::CommandConflict { id: envelope.id.clone() };
    if let Some(answer) = pool.stream.answer(&envelope.id, digest).map_err(conflict)? {
        return Ok(Decision::repeated(answer));
    }
    let mut obstacles = Vec::new();
    check_envelope(pool, context, envelope, &mut obstacles);
    let mut findings = Vec::new();
    let fact = if obstacles.is_empty() {
        judge(pool, context, &envelope.command, &mut obstacles, &mut findings)
    } else {
        None
    };
    let Some(fact) = fact.filter(|_| obstacles.is_empty()) else {
        return Err(Refusal { obstacles });
    };
    let event = PoolEvent {
        sequence: pool.stream.next(),
        at: context.now,
        actor: envelope.actor.clone(),
        cause: Cause { command: envelope.id.clone(), digest, timer: None },
        fact,
    };
    let duties = duties_of(&event);
    let events = alloc::vec![event];
    Ok(PoolDecision { answer: Answer::Accepted, events, duties, findings })
}

fn check_envelope(
    pool: &ReceiptPool,
    context: &PoolContext<'_>,
    envelope: &Envelope<PoolCommand>,
    obstacles: &mut Obstacles,
) {
    let found = pool.stream.version;
    if let Some(expected) = envelope.expected_version.filter(|expected| *expected != found) {
        obstacles.push(PoolObstacle::Stale { expected, found });
    }
    let now = context.now;
    if let Some(last) = pool.stream.after(now) {
        obstacles.push(PoolObstacle::TimeReversed { now, last });
    }
    let max = ReceiptPool::MAX_EVENTS;
    if found >= max {
        obstacles.push(PoolObstacle::TooMany { what: "events", found, max });
    }
    let (act, roles) = permission(&envelope.command);
    let role = envelope.actor.role;
    if !roles.contains(&role) {
        obstacles.push(PoolObstacle::NotPermitted { role, act });
    }
}

fn permission(command: &PoolCommand) -> (&'static str, &'static [Role]) {
    use Role::{Agent, Inspector, Supervisor, System, Warehouse};
    match command {
        PoolCommand::ReceiveUnidentified { .. } => {
            ("take in a parcel", &[Warehouse, Inspector, Supervisor, System])
        }
        PoolCommand::Describe { .. } => {
            ("describe a parcel", &[Warehouse, Inspector, Supervisor, System])
        }
        PoolCommand::MatchParcel { .. } => ("match a parcel", &[Warehouse, Agent, Supervisor]),
        PoolCommand::ConfirmReceipt { .. } => {
            ("confirm a receipt", &[Warehouse, Supervisor, System])
        }
        PoolCommand::ReturnToSender { .. } => ("return a parcel", &[Warehouse, Supervisor]),
        PoolCommand::Dispose { .. } => ("dispose of a parcel", &[Supervisor]),
    }
}

fn judge(
    pool: &ReceiptPool,
    context: &PoolContext<'_>,
    command: &PoolCommand,
    obstacles: &mut Obstacles,
    findings: &mut Vec<Finding>,
) -> Option<PoolFact> {
    if let PoolCommand::ReceiveUnidentified { arrival, marks } = command {
        if pool.arrivals.contains_key(arrival) {
            obstacles.push(PoolObstacle::ArrivalExists { arrival: arrival.clone() });
        }
        limit(
            "parcels",
            pool.arrivals.len().saturating_add(1),
            ReceiptPool::MAX_ARRIVALS,
            obstacles,
        );
        check_marks(marks, obstacles);
        let (arrival, marks) = (arrival.clone(), marks.clone());
        return Some(PoolFact::ParcelArrived { arrival, marks });
    }
    let arrival = command.arrival().clone();
    let Some(known) = pool.arrivals.get(&arrival) else {
        obstacles.push(PoolObstacle::UnknownArrival { arrival });
        return None;
    };
    if let PoolCommand::ConfirmReceipt { duty, .. } = command {
        // A receipt may be confirmed after the parcel was given out in full.
        if !known.receipts.contains_key(duty) {
            obstacles.push(PoolObstacle::UnknownReceipt { duty: *duty });
        }
        return Some(PoolFact::ReceiptConfirmed { arrival, duty: *duty });
    }
    if let Some(end) = known.end {
        obstacles.push(PoolObstacle::Ended { arrival, status: end.status });
        return None;
    }
    match command {
        PoolCommand::ReceiveUnidentified { .. } | PoolCommand::ConfirmReceipt { .. } => None,
        PoolCommand::Describe { marks, .. } => {
            check_marks(marks, obstacles);
            check_given(known, marks, obstacles);
            Some(PoolFact::ParcelDescribed { arrival, marks: marks.clone() })
        }
        PoolCommand::MatchParcel { shares, .. } => {
            let matched = matched(pool, known, context, shares, obstacles);
            let grounds = grounds(known, context, &matched);
            explain(&matched, &grounds, findings);
            Some(PoolFact::ParcelMatched { arrival, shares: matched, grounds })
        }
        PoolCommand::ReturnToSender { note, .. } => {
            check_text("note", note, obstacles);
            Some(PoolFact::ParcelReturned { arrival, note: note.clone() })
        }
        PoolCommand::Dispose { disposition, note, .. } => {
            check_text("note", note, obstacles);
            let (disposition, note) = (*disposition, note.clone());
            Some(PoolFact::ParcelDisposed { arrival, disposition, note })
        }
    }
}

fn limit(what: &'static str, found: usize, max: usize, obstacles: &mut Obstacles) {
    if found > max {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (found, max) = (count(found), count(max));
        obstacles.push(PoolObstacle::TooMany { what, found, max });
    }
}

fn check_text(what: &'static str, text: &str, obstacles: &mut Obstacles) {
    if text.len() > MAX_TEXT {
        obstacles.push(PoolObstacle::TextTooLong { what, bytes: text.len(), max: MAX_TEXT });
    }
}

fn check_marks(marks: &ParcelMarks, obstacles: &mut Obstacles) {
    limit("articles", marks.contents.len(), MAX_ENTRIES, obstacles);
    limit("serial numbers", marks.serials.len(), MAX_ENTRIES, obstacles);
    limit("digests of the sender", marks.sender.len(), MAX_SENDER, obstacles);
    marks.sender.iter().for_each(|text| check_text("digest of the sender", text, obstacles));
    for (sku, _) in marks.contents.iter().filter(|(_, quantity)| quantity.is_zero()) {
        obstacles.push(PoolObstacle::ZeroQuantity { sku: sku.clone() });
    }
}

/// A new description still holds what was given out.
fn check_given(known: &Arrival, marks: &ParcelMarks, obstacles: &mut Obstacles) {
    for (sku, given) in given(known) {
        let holds = marks.contents.get(&sku).is_some_and(|there| there.checked_sub(given).is_ok());
        if !holds {
            obstacles.push(PoolObstacle::GivenOut { sku, given });
        }
    }
}

/// What was given out, by article.
fn given(known: &Arrival) -> BTreeMap<Sku, Quantity> {
    let mut given: BTreeMap<Sku, Quantity> = BTreeMap::new();
    for share in &known.matched {
        let sum = given.entry(share.sku.clone()).or_insert(Quantity::zero(share.quantity.unit()));
        *sum = sum.checked_add(share.quantity).unwrap_or(*sum);
    }
    given
}

/// The shares with what their receipts have to say; obstacles for those that cannot be.
fn matched(
    pool: &ReceiptPool,
    known: &Arrival,
    context: &PoolContext<'_>,
    shares: &[Share],
    obstacles: &mut Obstacles,
) -> Vec<MatchedShare> {
    if shares.is_empty() {
        obstacles.push(PoolObstacle::NoShares);
    }
    let entries = known.matched.len().saturating_add(shares.len());
    limit("shares", entries, MAX_ENTRIES, obstacles);
    if entries > MAX_ENTRIES {
        return Vec::new();
    }
    let marks = known.open_marks();
    let mut left = marks.contents;
    let mut serials = marks.serials;
    let mut awaited: BTreeMap<super::Place, i64> = BTreeMap::new();
    let mut matched = Vec::with_capacity(shares.len());
    for share in shares {
        let owner = context.candidates.iter().find(|candidate| {
            *candidate.order.sale().order() == share.order && candidate.case.id == share.case
        });
        let Some(owner) = owner.filter(|owner| awaits_goods(owner.case)) else {
            let (order, case) = (share.order.clone(), share.case.clone());
            obstacles.push(PoolObstacle::NotAwaiting { order, case });
            continue;
        };
        let line = owner.case.line(&share.line);
        let line = line.filter(|line| line.requested.unit() == share.quantity.unit());
        let (Some(line), Some(sku)) = (line, article(owner.order, &share.line)) else {
            let Share { order, case, line, .. } = share.clone();
            obstacles.push(PoolObstacle::NotInCase { order, case, line });
            continue;
        };
        if share.quantity.is_zero() {
            obstacles.push(PoolObstacle::ZeroQuantity { sku: sku.clone() });
        }
        let place = (share.order.clone(), share.case.clone(), share.line.clone());
        let given = pool.pending.get(&place).copied().unwrap_or(0);
        let rest = awaited
            .entry(place)
            .or_insert(line.held.over(MAY_TURN_UP).saturating_sub(given).max(0));
        if share.quantity.steps() > *rest {
            let (asked, unit) = (share.quantity, share.quantity.unit());
            let awaited = Quantity::new(*rest, unit).unwrap_or(Quantity::zero(unit));
            let Share { order, case, line, .. } = share.clone();
            obstacles.push(PoolObstacle::MoreThanAwaited { order, case, line, asked, awaited });
        }
        *rest = rest.saturating_sub(share.quantity.steps()).max(0);
        take(&mut left, sku, share.quantity, obstacles);
        let sku = sku.clone();
        matched.push(matched_share(owner, share, sku, &known.marks, &mut serials));
    }
    matched
}

/// Takes some of an article out of what is left.
fn take(left: &mut BTreeMap<Sku, Quantity>, sku: &Sku, asked: Quantity, obstacles: &mut Obstacles) {
    let there = left.get_mut(sku).filter(|there| there.unit() == asked.unit());
    let Some(there) = there else {
        return obstacles.push(PoolObstacle::NotInside { sku: sku.clone() });
    };
    match there.checked_sub(asked) {
        Ok(rest) => *there = rest,
        Err(_) => {
            let (sku, left) = (sku.clone(), *there);
            obstacles.push(PoolObstacle::MoreThanLeft { sku, asked, left });
        }
    }
}

/// A share with the tracking number, when the case knows it, and the serial numbers of its line.
fn matched_share(
    owner: &Candidate<'_>,
    share: &Share,
    sku: Sku,
    marks: &ParcelMarks,
    serials: &mut BTreeSet<SerialId>,
) -> MatchedShare {
    let named = owner.case.line(&share.line).map(|line| &line.serials);
    let sale = owner.order.sale();
    let own = |serial: &&SerialId| {
        named.is_some_and(|named| named.contains(*serial))
            || sale.shipped_serial(&share.line, serial)
    };
    let most = usize::try_from(share.quantity.steps()).unwrap_or(usize::MAX);
    let found: BTreeSet<SerialId> = serials.iter().filter(own).take(most).cloned().collect();
    serials.retain(|serial| !found.contains(serial));
    let registered = |parcel: &&crate::id::ParcelId| owner.case.parcels.contains_key(*parcel);
    let Share { order, case, line, quantity } = share.clone();
    let parcel = marks.tracking.as_ref().filter(registered).cloned();
    MatchedShare { order, case, line, sku, quantity, parcel, serials: found }
}

/// The marks that speak for the cases chosen.
fn grounds(
    known: &Arrival,
    context: &PoolContext<'_>,
    matched: &[MatchedShare],
) -> Vec<ParcelMatch> {
    let chosen = |candidate: &&Candidate<'_>| {
        let order = candidate.order.sale().order();
        matched.iter().any(|share| share.order == *order && share.case == candidate.case.id)
    };
    rank(&known.open_marks(), context.candidates.iter().filter(chosen).copied())
}

fn explain(matched: &[MatchedShare], grounds: &[ParcelMatch], findings: &mut Vec<Finding>) {
    findings.extend(grounds.iter().flat_map(|ground| ground.findings.iter().cloned()));
    let mut cases: BTreeSet<_> =
        matched.iter().map(|share| (share.order.clone(), share.case.clone())).collect();
    for ground in grounds {
        cases.remove(&(ground.order.clone(), ground.case.clone()));
    }
    // The contents are a mark, so this is for cases named against every mark.
    for (order, case) in cases {
        findings.push(
            Finding::new(RuleRef::new(RuleId::fixed("no_mark")), Effect::Warns)
                .about(format_args!("case {case} of order {order}")),
        );
    }
}

/// Whether an event may follow the pool: for stored histories, which may be damaged or forged.
pub(super) fn check(pool: &ReceiptPool, event: &PoolEvent) -> Result<(), PoolReplayError> {
    let sequence = event.sequence;
    pool.stream.check(sequence, event.at)?;
    let known = pool.arrivals.get(event.fact.arrival());
    if let PoolFact::ReceiptConfirmed { duty, .. } = &event.fact {
        let awaited = known.is_some_and(|known| known.receipts.contains_key(duty));
        return if awaited { Ok(()) } else { Err(PoolReplayError::Unknown { sequence }) };
    }
    let arrives = matches!(event.fact, PoolFact::ParcelArrived { .. });
    if known.is_some() == arrives || known.is_some_and(|known| known.end.is_some()) {
        return Err(PoolReplayError::Unknown { sequence });
    }
    let Some(known) = known else { return Ok(()) };
    let mut obstacles = Vec::new();
    match &event.fact {
        PoolFact::ParcelMatched { shares, .. } => {
            let mut left = known.left();
            for share in shares {
                take(&mut left, &share.sku, share.quantity, &mut obstacles);
            }
        }
        PoolFact::ParcelDescribed { marks, .. } => check_given(known, marks, &mut obstacles),
        PoolFact::ParcelArrived { .. }
        | PoolFact::ReceiptConfirmed { .. }
        | PoolFact::ParcelReturned { .. }
        | PoolFact::ParcelDisposed { .. } => {}
    }
    match obstacles.into_iter().next() {
        None => Ok(()),
        Some(
            PoolObstacle::MoreThanLeft { sku, .. }
            | PoolObstacle::NotInside { sku }
            | PoolObstacle::GivenOut { sku, .. },
        ) => Err(PoolReplayError::MoreThanLeft { sequence, sku }),
        Some(_) => Err(PoolReplayError::Unknown { sequence }),
    }
}
