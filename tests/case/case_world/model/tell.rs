//! What an event means beside its movements.

use std::collections::{BTreeMap, BTreeSet};

use aftersale::case::dispute::Ruling;
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ground::{AcceptanceBasis, Ground};
use aftersale::case::ledger::Location;
use aftersale::case::obligation::{PaymentOrder, PaymentWay};
use aftersale::case::parcel::{InterceptionOutcome, UnexpectedEnd, UnexpectedKind};
use aftersale::case::recovery::RecoveryResult;
use aftersale::case::refund::PaymentResult;
use aftersale::case::replacement::{AdvanceEnd, Purpose, ReplacementItem};
use aftersale::case::timer::ExpiryOutcome;
use aftersale::id::{CaseId, SerialId};
use aftersale::money::Money;
use aftersale::practice::timer::ExpiryAction;
use aftersale::sale::Sale;
use aftersale::time::Instant;

use super::books::{Line, Part, Purse, Told, parts_of};
use super::cases::{
    Call, Case, End, Parcel, Paying, Quarrel, Said, Sending, Sent, by_line, forget,
};
use super::{Broken, Held, Model, PAID_FOR, hold, steps};

impl Model<'_> {
    /// What an event means beside its movements.
    pub(super) fn tell(&mut self, event: &Event) -> Held {
        let at = event.at;
        match &event.fact {
            EventFact::SaleAmended { sale } => return self.amend((**sale).clone(), at),
            EventFact::CaseOpened { case, .. } => return self.opened(event, case),
            EventFact::RefundPlanned { case, .. } => {
                let case = case.clone();
                self.planned(event, &case)?;
            }
            EventFact::ReplacementPlanned { items, purpose, .. } => {
                self.sending(items, *purpose)?;
            }
            EventFact::PaymentRecorded { result: PaymentResult::Collected { tender }, .. } => {
                let amount = tender.captured.minor();
                let fresh = Purse { captured: 0, outside: 0, back: 0 };
                self.purses.entry(tender.id.clone()).or_insert(fresh).captured += amount;
            }
            EventFact::DeadlineSet { .. } | EventFact::DeadlineRevised { .. } => {
                self.clocked(event)?;
            }
            EventFact::DeadlineBreached { .. } => self.fire(event)?,
            EventFact::ReviewStarted { .. }
            | EventFact::ReviewMoved { .. }
            | EventFact::ReviewMigrated { .. }
            | EventFact::SurveyRecorded { .. } => return self.reviewed(event),
            _ => {}
        }
        let Some(id) = event.fact.case().cloned() else { return Ok(()) };
        let Some(case) = self.cases.get_mut(&id) else {
            return Err(Broken { invariant: 43, what: format!("an event of unknown case {id}") });
        };
        match &event.fact {
            EventFact::CaseWithdrawn { .. } => case.end = Some(End::Withdrawn),
            EventFact::CaseClosed { .. } => case.end = Some(End::Closed),
            EventFact::CaseReopened { .. } => (case.end, case.expired) = (None, false),
            EventFact::ReturnAuthorized { ground, .. } => {
                let by_timer = *ground == Ground::Timeout;
                case.by_review = matches!(ground, Ground::Review { .. });
                let fits = case.by_review || by_timer == event.cause.timer.is_some();
                hold!(29, fits, "permitted by {ground:?}");
                case.said = Said::Authorized;
            }
            EventFact::ReturnDeclined { .. } => case.said = Said::Declined,
            EventFact::InfoRequested { .. } => case.said = Said::NeedsInfo,
            EventFact::EvidenceAdded { .. } if case.said == Said::NeedsInfo => {
                case.said = Said::Submitted;
            }
            EventFact::ResolutionOffered { offer, .. } => {
                case.said = Said::Offered;
                case.offered = offer.amount;
            }
            EventFact::OfferAccepted { resolution, .. } => {
                case.said = Said::Authorized;
                case.resolution = *resolution;
                case.agreed = case.offered;
            }
            EventFact::OfferRefused { .. } => {
                case.said = Said::Submitted;
                case.offered = None;
            }
            EventFact::CaseHeld { .. } => case.held = Some(at),
            EventFact::HoldReleased { .. } => {
                let since = case.held.take().unwrap();
                for clock in case.clocks.values_mut() {
                    clock.held.push((since, at));
                }
            }
            EventFact::DisputeOpened { appeal, .. } => {
                case.quarrel = Quarrel::Open { appeal: *appeal };
            }
            EventFact::DisputeRuled { ruling, appeal_until, postings, .. } => {
                let appeal = case.quarrel == Quarrel::Open { appeal: true };
                hold!(40, !(appeal && appeal_until.is_some()), "an appeal of an appeal");
                hold!(40, appeal_until.is_none_or(|until| until > at), "a window that is over");
                case.quarrel = Quarrel::Ruled { until: *appeal_until, ruling: *ruling };
                case.said = match ruling {
                    Ruling::ForCustomer => Said::Authorized,
                    Ruling::ForSeller if postings.is_empty() => case.said,
                    Ruling::ForSeller => Said::Declined,
                };
            }
            EventFact::RecoveryClaimOpened { claim, line, party, amount, attributed, .. } => {
                let live =
                    case.claims.values().filter(|known| known.0 == *line && known.1 == *party);
                let before: i64 = live.map(|known| if known.4 { known.3 } else { known.2 }).sum();
                let all = before + amount.minor();
                hold!(56, all <= attributed.minor(), "{all} claimed of {attributed}");
                let fresh = (line.clone(), *party, amount.minor(), 0, false);
                hold!(50, case.claims.insert(*claim, fresh).is_none(), "claim {claim} twice");
            }
            EventFact::RecoveryRecorded { claim, result, .. } => {
                let known = case.claims.get_mut(claim).unwrap();
                match result {
                    RecoveryResult::Recovered { amount, .. } => known.3 += amount.minor(),
                    RecoveryResult::WrittenOff { .. } => known.4 = true,
                    RecoveryResult::Refused { .. } => {}
                }
                hold!(56, known.3 <= known.2, "{} recovered of {}", known.3, known.2);
            }
            EventFact::GoodsSentBack { parcel, postings, .. } => {
                let sent = Parcel { contents: by_line(postings), ..Parcel::default() };
                hold!(
                    29,
                    case.parcels.insert(parcel.clone(), sent).is_none(),
                    "{parcel} sent twice"
                );
            }
            EventFact::InterceptionStarted { parcel, postings, .. } => {
                let of_order = postings.iter().any(|part| part.from == Location::Requested);
                let sent = case.replacements.iter().filter(|(_, sent)| {
                    !of_order
                        && sent.state == Sending::Shipped
                        && sent.parcel.as_ref() == Some(parcel)
                });
                let replacements: Vec<u32> = sent.map(|(number, _)| *number).collect();
                hold!(29, of_order || !replacements.is_empty(), "nothing is called back");
                let call = Call { contents: by_line(postings), replacements, open: true };
                let known = case.calls.insert(parcel.clone(), call);
                hold!(29, known.is_none(), "{parcel} is called back twice");
            }
            EventFact::InterceptionEnded { parcel, outcome, .. } => {
                let Some(call) = case.calls.get_mut(parcel) else {
                    return Err(Broken { invariant: 29, what: "the end of no call".into() });
                };
                hold!(29, call.open, "a call that ended ends again");
                call.open = false;
                for number in &call.replacements {
                    let sent = case.replacements.get_mut(number).unwrap();
                    sent.state = match outcome {
                        InterceptionOutcome::Intercepted => Sending::TurnedRound,
                        InterceptionOutcome::Failed => Sending::Delivered,
                    };
                }
                if *outcome == InterceptionOutcome::Intercepted && call.replacements.is_empty() {
                    let sent = Parcel { contents: call.contents.clone(), ..Parcel::default() };
                    case.parcels.insert(parcel.clone(), sent);
                    if matches!(case.said, Said::Submitted | Said::NeedsInfo) {
                        case.said = Said::Authorized;
                    }
                }
            }
            EventFact::ParcelScanned { parcel, scan, .. } => {
                hold!(44, scan.at <= at, "a scan of the future");
                case.parcels.get_mut(parcel).unwrap().scans.push(scan.clone());
            }
            EventFact::ParcelLost { parcel, postings, .. }
            | EventFact::ShortageRecorded { parcel, postings, .. } => {
                let known = case.parcels.get_mut(parcel).unwrap();
                for (line, count) in by_line(postings) {
                    *known.found.entry(line).or_insert(0) += count;
                }
            }
            EventFact::UnexpectedResolved { end, postings, .. } => {
                let admitted = *end == UnexpectedEnd::Admitted;
                hold!(6, admitted || postings.is_empty(), "{end} moves units");
                for posting in postings.iter().filter(|part| part.from == Location::Customer) {
                    *case.lines.get_mut(&posting.line).unwrap() += posting.quantity.steps();
                }
            }
            EventFact::CaseAmended { resolution, lines, .. } => {
                case.resolution = *resolution;
                case.lines =
                    lines.iter().map(|line| (line.line.clone(), line.quantity.steps())).collect();
                case.serials = lines.iter().flat_map(|line| line.serials.iter().cloned()).collect();
                case.clocks.clear();
                for line in lines {
                    let promised: i64 = [Location::Requested, Location::HeldBack]
                        .iter()
                        .map(|place| self.lines[&line.line].here(*place, Some(&id)))
                        .sum();
                    hold!(4, promised == line.quantity.steps(), "{promised} promised anew");
                }
            }
            EventFact::CaseSplit { into, lines, .. } => {
                // What is decided goes along, what was done stays.
                let mut part = Case {
                    part_of: Some(case.part_of.clone().unwrap_or(id.clone())),
                    said: case.said,
                    end: case.end,
                    expired: case.expired,
                    quarrel: case.quarrel,
                    held: case.held,
                    offered: case.offered,
                    agreed: case.agreed,
                    last: case.last.clone(),
                    clocks: case.clocks.clone(),
                    review: case.review.clone(),
                    by_review: case.by_review,
                    ..Case::fresh(case.resolution, case.version)
                };
                let before: i64 = case.lines.values().sum();
                for moved in lines {
                    let steps = moved.quantity.steps();
                    let line = self.lines.get_mut(&moved.line).unwrap();
                    let from = (moved.location, Some(id.clone()));
                    let there = line.at.entry(from).or_insert(0);
                    hold!(4, *there >= steps, "{steps} split off, {there} there");
                    *there -= steps;
                    *line.at.entry((moved.location, Some(into.clone()))).or_insert(0) += steps;
                    *part.lines.entry(moved.line.clone()).or_insert(0) += steps;
                    *case.lines.get_mut(&moved.line).unwrap() -= steps;
                    for serial in &moved.serials {
                        hold!(5, case.serials.remove(serial), "{serial} is not of the case");
                        part.serials.insert(serial.clone());
                    }
                }
                // Who is liable for a line goes along with it, when it goes as a whole.
                for line in part.lines.keys().filter(|line| case.lines[*line] == 0) {
                    part.liability.extend(case.liability.remove_entry(line));
                }
                case.lines.retain(|_, steps| *steps > 0);
                let after: i64 = case.lines.values().chain(part.lines.values()).sum();
                hold!(4, before == after, "{before} before the split, {after} after it");
                hold!(4, !case.lines.is_empty(), "nothing is left of {id}");
                hold!(4, !self.cases.contains_key(into), "{into} exists");
                self.cases.insert(into.clone(), part);
            }
            EventFact::LiabilityAttributed { line, liability, .. } => {
                case.liability.insert(line.clone(), liability.clone());
            }
            EventFact::LiabilityAppealed { line, .. } => {
                hold!(29, case.liability.contains_key(line), "an appeal of no decision");
            }
            EventFact::DispositionSet { units, from, to, .. } => {
                let line = units.line.clone();
                let count = units.quantity.steps();
                if let Some(from) = from {
                    let before = case.disposed.entry((line.clone(), *from)).or_insert(0);
                    *before -= count;
                    hold!(3, *before >= 0, "line {line}: {before} disposed as {from}");
                }
                *case.disposed.entry((line, *to)).or_insert(0) += count;
            }
            EventFact::UnitsAccepted { basis: AcceptanceBasis::Ruling, .. } => {
                let ruled =
                    matches!(case.quarrel, Quarrel::Ruled { ruling: Ruling::ForCustomer, .. });
                hold!(34, ruled, "accepted by a ruling that there is not");
            }
            EventFact::GoodsReceived { marks, unexpected, postings, parcel, .. } => {
                if let Some(known) = parcel.as_ref().and_then(|id| case.parcels.get_mut(id)) {
                    known.received = true;
                    for (line, count) in by_line(postings) {
                        *known.found.entry(line).or_insert(0) += count;
                    }
                }
                for read in marks {
                    let sold = self.lines.get(&read.line).unwrap();
                    let shipped = |serial: &&SerialId| {
                        sold.added || self.sale.shipped_serial(&read.line, serial)
                    };
                    let foreign = read.serials.iter().filter(|serial| !shipped(serial));
                    for serial in foreign {
                        let noted = unexpected.iter().any(|item| {
                            item.serial.as_ref() == Some(serial)
                                && item.kind == UnexpectedKind::WrongSerial
                        });
                        hold!(6, noted, "foreign {serial} is not recorded as unexpected");
                    }
                    let knows = self.sale.knows_lots(&read.line);
                    let strange =
                        read.lots.iter().any(|lot| !self.sale.shipped_lot(&read.line, lot));
                    if knows && strange {
                        hold!(
                            6,
                            steps(postings, &read.line) == 0,
                            "goods of a foreign lot received"
                        );
                    }
                }
            }
            EventFact::PaymentRecorded { obligation, payment, result, .. } => {
                let Some((owed, state)) = case.payments.get_mut(&(*obligation, *payment)) else {
                    return Err(Broken { invariant: 28, what: "a payment of nothing".into() });
                };
                hold!(28, *state != Paying::Paid, "payment {payment} of {obligation} made twice");
                hold!(
                    28,
                    *state != Paying::Released,
                    "payment {payment} of {obligation} is not owed"
                );
                *state = match result {
                    PaymentResult::Failed { .. } => Paying::Failed,
                    PaymentResult::Collected { tender } => {
                        hold!(28, owed.way == PaymentWay::Collect, "collected what is to be paid");
                        hold!(28, tender.captured == owed.amount, "collected another amount");
                        Paying::Paid
                    }
                    PaymentResult::Paid { .. } => {
                        hold!(28, owed.way != PaymentWay::Collect, "paid what is to be collected");
                        Paying::Paid
                    }
                    PaymentResult::PaidByHand { .. } => Paying::Paid,
                };
            }
            EventFact::PaymentRetried { obligation, order, .. } => {
                let known = case.payments.get_mut(&(*obligation, order.number));
                let Some((owed, state)) = known else {
                    return Err(Broken { invariant: 28, what: "a retry of nothing".into() });
                };
                hold!(28, *state == Paying::Failed && owed == order, "a retry of {state:?}");
                *state = Paying::Due;
            }
            EventFact::ReplacementPlanned {
                replacement,
                purpose,
                items,
                obligation,
                charge_on,
                ..
            } => {
                let even = items.iter().filter(|_| *purpose == Purpose::Exchange);
                for replaced in even.clone().map(|item| &item.replaces).collect::<BTreeSet<_>>() {
                    let own = even.clone().filter(|item| item.replaces == *replaced);
                    if own.clone().all(|item| item.price.is_none()) {
                        let back = case.last.0.get(replaced).copied().unwrap_or(0);
                        let out: i64 = own.clone().map(|item| case.last.1[&item.line]).sum();
                        hold!(24, back == out, "{out} charged for what is even with {back}");
                    }
                }
                let (purpose, items, obligation) = (*purpose, items.clone(), *obligation);
                let advance = charge_on.map(|_| None);
                let state = Sending::Planned;
                let sent = Sent { purpose, items, state, advance, obligation, parcel: None };
                let twice = case.replacements.insert(*replacement, sent).is_some();
                hold!(50, !twice, "replacement {replacement} planned twice");
            }
            EventFact::ReplacementShipped { replacement, parcel, .. } => {
                let sent = case.replacements.get_mut(replacement).unwrap();
                hold!(29, sent.state == Sending::Planned, "shipped from {:?}", sent.state);
                hold!(29, !case.calls.contains_key(parcel), "{parcel} left before");
                (sent.state, sent.parcel) = (Sending::Shipped, Some(parcel.clone()));
                if let Some(owed) = sent.obligation {
                    let open = |(key, (_, state)): (&(u32, u32), &(PaymentOrder, Paying))| {
                        key.0 == owed && !matches!(state, Paying::Paid | Paying::Released)
                    };
                    hold!(24, !case.payments.iter().any(open), "left before it was paid");
                }
            }
            EventFact::ReplacementTakenBack { replacement, .. } => {
                let sent = case.replacements.get_mut(replacement).unwrap();
                hold!(29, sent.state == Sending::TurnedRound, "back from {:?}", sent.state);
                sent.state = Sending::Planned;
            }
            EventFact::ReplacementLost { replacement, parcel, .. } => {
                let called = case.calls_back(*replacement);
                let sent = case.replacements.get_mut(replacement).unwrap();
                let gone = matches!(sent.state, Sending::Shipped | Sending::TurnedRound);
                hold!(29, gone && !called, "lost from {:?}, called back: {called}", sent.state);
                hold!(29, sent.parcel.as_ref() == Some(parcel), "lost in another parcel");
                sent.state = Sending::Planned;
            }
            EventFact::ReplacementDelivered { replacement, .. } => {
                let called = case.calls_back(*replacement);
                hold!(29, !called, "delivered, and nobody knows how the call ended");
                let sent = case.replacements.get_mut(replacement).unwrap();
                hold!(29, sent.state == Sending::Shipped, "delivered from {:?}", sent.state);
                sent.state = Sending::Delivered;
            }
            EventFact::ReplacementCancelled { replacement, .. } => {
                let sent = case.replacements.get_mut(replacement).unwrap();
                hold!(29, sent.state == Sending::Planned, "cancelled from {:?}", sent.state);
                sent.state = Sending::Cancelled;
                let owed = sent.obligation;
                for (key, (order, state)) in &mut case.payments {
                    let debt = Some(key.0) == owed && order.way == PaymentWay::Collect;
                    if debt && *state != Paying::Paid {
                        *state = Paying::Released;
                    }
                }
            }
            EventFact::AdvanceResolved { replacement, end, .. } => {
                let called = case.calls_back(*replacement);
                let sent = case.replacements.get_mut(replacement).unwrap();
                hold!(
                    37,
                    sent.advance == Some(None),
                    "advance {replacement} resolved {:?} twice",
                    sent.advance
                );
                let out = matches!(sent.state, Sending::Shipped | Sending::Delivered) && !called;
                hold!(37, *end != AdvanceEnd::Charged || out, "charged from {:?}", sent.state);
                sent.advance = Some(Some(*end));
                if *end == AdvanceEnd::ReplacementReturned {
                    sent.state = Sending::Cancelled;
                }
            }
            EventFact::UnitsInspected { units, .. } => {
                case.inspected.insert(units.line.clone());
            }
            EventFact::RepairedReturned { .. } => {
                case.repaired = true;
                forget(case, &self.lines, &id);
            }
            EventFact::UnitsRejected { .. } => forget(case, &self.lines, &id),
            EventFact::DeadlineBreached { action, outcome, .. }
                if (*action, *outcome) == (ExpiryAction::Close, ExpiryOutcome::CarriedOut) =>
            {
                case.expired = true;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn opened(&mut self, event: &Event, id: &CaseId) -> Held {
        let EventFact::CaseOpened { resolution, lines, postings, .. } = &event.fact else {
            return Ok(());
        };
        let mut serials = BTreeSet::new();
        for line in lines {
            hold!(
                9,
                steps(postings, &line.line) == line.quantity.steps(),
                "line {}: {} asked for, {} promised",
                line.line,
                line.quantity,
                steps(postings, &line.line)
            );
            serials.extend(line.serials.iter().cloned());
            for serial in &line.serials {
                let known = self.lines.get(&line.line).unwrap().added
                    || self.sale.shipped_serial(&line.line, serial);
                hold!(6, known, "{serial} was not shipped on {}", line.line);
            }
            if let Some(most) = self.practice.and_then(|practice| practice.draft().applications_max)
            {
                // A part that was split off is no application of its own.
                let about =
                    self.cases.iter().filter(|(_, case)| case.lines.contains_key(&line.line));
                let asked: BTreeSet<&CaseId> =
                    about.map(|(id, case)| case.part_of.as_ref().unwrap_or(id)).collect();
                let before = asked.len();
                hold!(41, before < most as usize, "application {} of at most {most}", before + 1);
            }
        }
        for (other, case) in &self.cases {
            let open = case.end.is_none() && case.said != Said::Declined;
            let shared = case.serials.intersection(&serials).next();
            hold!(5, !(open && shared.is_some()), "{shared:?} is in {other} too");
        }
        for line in lines {
            for serial in &line.serials {
                let known = &self.lines[&line.line];
                let back = |(other, case): &(&CaseId, &Case)| {
                    let asked = case.lines.get(&line.line).copied().unwrap_or(0);
                    let paid: i64 = PAID_FOR.iter().map(|at| known.here(*at, Some(other))).sum();
                    case.serials.contains(serial) && asked > 0 && paid == asked
                };
                let back = self.cases.iter().find(back).map(|(other, _)| other);
                hold!(5, back.is_none(), "{serial} came back in {back:?} and did not go out again");
            }
        }
        let opened = Case {
            lines: lines.iter().map(|line| (line.line.clone(), line.quantity.steps())).collect(),
            serials,
            ..Case::fresh(*resolution, event.rules_version)
        };
        self.cases.insert(id.clone(), opened);
        Ok(())
    }

    pub(super) fn sending(&mut self, items: &[ReplacementItem], purpose: Purpose) -> Held {
        if purpose == Purpose::MissingPart {
            return Ok(());
        }
        for item in items {
            let known = self.lines.entry(item.line.clone()).or_insert_with(|| Line {
                sku: item.sku.clone(),
                made: 0,
                at: BTreeMap::new(),
                parts: BTreeMap::new(),
                added: true,
            });
            known.sku = item.sku.clone();
            hold!(9, known.added, "line {} is in the order", item.line);
        }
        Ok(())
    }

    pub(super) fn amend(&mut self, draft: aftersale::sale::draft::SaleDraft, _: Instant) -> Held {
        let sale = Sale::freeze(draft).unwrap();
        let mut added = 0;
        for line in sale.lines() {
            let id = &line.ordered.id;
            let (all, gone) = (line.ordered.quantity.steps(), line.frozen.shipped.steps());
            let old = self.sale.line(id);
            let (was, shipped) = old
                .map_or((0, 0), |old| (old.ordered.quantity.steps(), old.frozen.shipped.steps()));
            let known = self.lines.entry(id.clone()).or_insert_with(|| Line {
                sku: line.ordered.sku.clone(),
                made: 0,
                at: BTreeMap::new(),
                parts: BTreeMap::new(),
                added: false,
            });
            known.made += all - was;
            *known.at.entry((Location::Customer, None)).or_insert(0) += gone - shipped;
            let waiting = known.at.entry((Location::Unshipped, None)).or_insert(0);
            *waiting += (all - was) - (gone - shipped);
            hold!(1, *waiting >= 0, "line {id}: {waiting} unshipped after an amendment");
            for (sku, fresh) in parts_of(&line) {
                match known.parts.get_mut(&sku) {
                    Some(part) => {
                        let now = part.standing();
                        if (now.paid, now.units) != (fresh.paid, fresh.units) {
                            added += fresh.paid - now.paid;
                            let (paid, units) = (fresh.paid, fresh.units);
                            part.story.push(Told::Grown { paid, units });
                        }
                    }
                    None => {
                        added += fresh.paid;
                        known.parts.insert(sku, fresh);
                    }
                }
            }
        }
        for charge in sale.charges() {
            let paid = charge.paid.gross.minor();
            let part = self.charges.entry(charge.charged.id.clone()).or_insert(Part::new(paid, 0));
            let now = part.standing();
            if now.paid != paid {
                added += paid - now.paid;
                part.story.push(Told::Grown { paid, units: 0 });
            }
        }
        for tender in sale.tenders() {
            let before = self.sale.tenders().iter().find(|known| known.id == tender.id);
            let more = tender.captured.minor() - before.map_or(0, |known| known.captured.minor());
            let fresh = Purse { captured: 0, outside: 0, back: 0 };
            let purse = self.purses.entry(tender.id.clone()).or_insert(fresh);
            purse.captured += more;
            purse.outside = tender.refunded_outside.map_or(0, Money::minor);
        }
        self.began_with += added;
        self.sale = sale;
        Ok(())
    }
}
