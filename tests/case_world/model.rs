//! A slow, obvious model of one order: it follows the events, keeps books of its own, and says which
//! invariant an event or a state breaks.
//!
//! Every amount is worked out again from the whole story of its line; every unit is booked under who
//! has it and for which case; clocks are walked interval by interval.

use std::collections::{BTreeMap, BTreeSet};

use aftersale::case::actor::Role;
use aftersale::case::dispute::Ruling;
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ground::{AcceptanceBasis, Ground};
use aftersale::case::ledger::{Location, Posting};
use aftersale::case::liability::{Liability, Party};
use aftersale::case::obligation::{PaymentOrder, PaymentWay};
use aftersale::case::parcel::UnexpectedKind;
use aftersale::case::parcel::{InterceptionOutcome, Scan, ScanState, UnexpectedEnd};
use aftersale::case::recovery::RecoveryResult;
use aftersale::case::refund::PaymentResult;
use aftersale::case::replacement::{AdvanceEnd, Purpose, ReplacementItem};
use aftersale::case::resolution::Resolution;
use aftersale::case::timer::ExpiryOutcome;
use aftersale::id::{CaseId, OrderLineId, ParcelId, RuleId, SerialId, Sku, TenderId};
use aftersale::inspection::Disposition;
use aftersale::money::Money;
use aftersale::practice::Practice;
use aftersale::practice::length::TimerLength;
use aftersale::practice::timer::{ExpiryAction, Stage};
use aftersale::sale::Sale;
use aftersale::sale::draft::ChargeId;
use aftersale::settlement::{Basis, Entry, EntryKind, PayoutForm, Settlement, Target};
use aftersale::time::Instant;

/// Where units are that were paid for: nothing more is ever owed for them.
pub(crate) const PAID_FOR: &[Location] = &[
    Location::Settled,
    Location::Kept,
    Location::Cancelled,
    Location::WrittenOff,
    Location::Ahead,
    Location::Recovered,
];

/// Which invariant is broken, and how.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) invariant: u16,
    pub(crate) what: String,
}

pub(crate) type Held = Result<(), Broken>;

/// Unless it holds, invariant `number` is broken.
macro_rules! hold {
    ($number:expr, $truth:expr, $($what:tt)+) => {
        if !core::convert::identity::<bool>($truth) {
            return Err(Broken { invariant: $number, what: format!($($what)+) });
        }
    };
}
pub(crate) use hold;

/// One claim in the story of a payable part.
#[derive(Clone, Debug)]
enum Told {
    Units { units: i64, gross: i64 },
    Amount { gross: i64 },
    Grown { paid: i64, units: i64 },
}

/// Something that was paid for: a line, a component of a kit, a charge.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    paid: i64,
    units: i64,
    story: Vec<Told>,
}

/// The story of a part told to its end.
struct Standing {
    paid: i64,
    units: i64,
    taken: (i64, i64),
    since: (i64, i64),
    in_units: bool,
}

impl Part {
    fn new(paid: i64, units: i64) -> Self {
        Self { paid, units, story: Vec::new() }
    }

    fn standing(&self) -> Standing {
        let (paid, units) = (self.paid, self.units);
        let mut now = Standing { paid, units, taken: (0, 0), since: (0, 0), in_units: true };
        for told in &self.story {
            match *told {
                Told::Units { units, gross } => {
                    if !now.in_units {
                        now.since = now.taken;
                    }
                    now.in_units = true;
                    now.taken = (now.taken.0 + units, now.taken.1 + gross);
                }
                Told::Amount { gross } => {
                    if now.in_units {
                        now.since = now.taken;
                    }
                    now.in_units = false;
                    now.taken.1 += gross;
                }
                Told::Grown { paid, units } => {
                    (now.paid, now.units) = (paid, units);
                    now.since = now.taken;
                }
            }
        }
        now
    }

    /// What the next units are worth: the value that is left over the units that are left, half up,
    /// from where the present run of units began.
    fn worth(&self, units: i64) -> i64 {
        let now = self.standing();
        let since = if now.in_units { now.since } else { now.taken };
        let (value, whole) = (now.paid - since.1, now.units - since.0);
        let reached = now.taken.0 - since.0 + units;
        if units == 0 || whole == 0 {
            return 0;
        }
        let share = half_up(i128::from(value) * i128::from(reached), i128::from(whole));
        (share + since.1 - now.taken.1).max(0)
    }

    pub(crate) fn refunded(&self) -> i64 {
        self.standing().taken.1
    }

    pub(crate) fn units_gone(&self) -> i64 {
        self.standing().taken.0
    }

    pub(crate) fn units(&self) -> i64 {
        self.standing().units
    }

    pub(crate) fn left(&self) -> i64 {
        let now = self.standing();
        now.paid - now.taken.1
    }

    fn is_plain(&self) -> bool {
        self.story.iter().all(|told| matches!(told, Told::Units { .. }))
    }
}

fn half_up(over: i128, under: i128) -> i64 {
    i64::try_from((2 * over + under).div_euclid(2 * under)).unwrap()
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) sku: Sku,
    pub(crate) made: i64,
    pub(crate) at: BTreeMap<(Location, Option<CaseId>), i64>,
    pub(crate) parts: BTreeMap<Option<Sku>, Part>,
    pub(crate) added: bool,
}

impl Line {
    pub(crate) fn here(&self, place: Location, case: Option<&CaseId>) -> i64 {
        self.at.get(&(place, case.cloned())).copied().unwrap_or(0)
    }

    pub(crate) fn all(&self, place: Location) -> i64 {
        self.at.iter().filter(|(key, _)| key.0 == place).map(|(_, count)| count).sum()
    }

    pub(crate) fn refunded(&self) -> i64 {
        self.parts.values().map(Part::refunded).sum()
    }

    fn left(&self) -> i64 {
        self.parts.values().map(Part::left).sum()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Purse {
    pub(crate) captured: i64,
    pub(crate) outside: i64,
    pub(crate) back: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Submitted,
    Authorized,
    NeedsInfo,
    Offered,
    Declined,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quarrel {
    None,
    Open { appeal: bool },
    Ruled { until: Option<Instant>, ruling: Ruling },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Withdrawn,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paying {
    Due,
    Failed,
    Paid,
    Released,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    Planned,
    Shipped,
    Delivered,
    Cancelled,
}

#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) purpose: Purpose,
    pub(crate) items: Vec<ReplacementItem>,
    pub(crate) state: Sending,
    pub(crate) advance: Option<Option<AdvanceEnd>>,
    pub(crate) obligation: Option<u32>,
}

/// A parcel on its way to us.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcel {
    contents: BTreeMap<OrderLineId, i64>,
    found: BTreeMap<OrderLineId, i64>,
    received: bool,
    scans: Vec<Scan>,
}

impl Parcel {
    fn missing(&self) -> i64 {
        let rest = |(line, sent): (&OrderLineId, &i64)| {
            (sent - self.found.get(line).copied().unwrap_or(0)).max(0)
        };
        self.contents.iter().map(rest).sum()
    }

    /// What the carrier saw last; of two at one time the one told later.
    fn last(&self) -> Option<ScanState> {
        let mut last: Option<&Scan> = None;
        for scan in &self.scans {
            if last.is_none_or(|known| known.at <= scan.at) {
                last = Some(scan);
            }
        }
        last.map(|scan| scan.state)
    }
}

fn by_line(postings: &[Posting]) -> BTreeMap<OrderLineId, i64> {
    let mut sums = BTreeMap::new();
    for posting in postings {
        *sums.entry(posting.line.clone()).or_insert(0) += posting.quantity.steps();
    }
    sums
}

#[derive(Clone, Debug)]
pub(crate) struct Clock {
    stage: Stage,
    length: TimerLength,
    action: ExpiryAction,
    start: Instant,
    pub(crate) due: Instant,
    set_by: u64,
    held: Vec<(Instant, Instant)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) resolution: Resolution,
    pub(crate) said: Said,
    pub(crate) end: Option<End>,
    pub(crate) expired: bool,
    pub(crate) quarrel: Quarrel,
    pub(crate) held: Option<Instant>,
    pub(crate) lines: BTreeMap<OrderLineId, i64>,
    pub(crate) serials: BTreeSet<SerialId>,
    pub(crate) parcels: BTreeMap<ParcelId, Parcel>,
    /// Parcels that are called back, and what of the case is in them.
    pub(crate) calls: BTreeMap<ParcelId, (BTreeMap<OrderLineId, i64>, bool)>,
    pub(crate) payments: BTreeMap<(u32, u32), (PaymentOrder, Paying)>,
    pub(crate) obligations: u32,
    pub(crate) replacements: BTreeMap<u32, Sent>,
    pub(crate) liability: BTreeMap<OrderLineId, Liability>,
    pub(crate) disposed: BTreeMap<(OrderLineId, Disposition), i64>,
    /// Units that came in, and units that left again or were settled, by line.
    pub(crate) came: BTreeMap<OrderLineId, i64>,
    pub(crate) went: BTreeMap<OrderLineId, i64>,
    pub(crate) repaired: bool,
    pub(crate) offered: Option<Money>,
    pub(crate) agreed: Option<Money>,
    /// Claims against liable parties: line, party, asked, recovered, and whether it is given up.
    pub(crate) claims: BTreeMap<u32, (OrderLineId, Party, i64, i64, bool)>,
    /// What the last settlement refunded by line and charged for goods that go out.
    pub(crate) last: (BTreeMap<OrderLineId, i64>, BTreeMap<OrderLineId, i64>),
    pub(crate) given: i64,
    pub(crate) version: u32,
    pub(crate) clocks: BTreeMap<RuleId, Clock>,
}

pub(crate) struct Model<'a> {
    pub(crate) practice: Option<&'a Practice>,
    pub(crate) sale: Sale,
    pub(crate) lines: BTreeMap<OrderLineId, Line>,
    pub(crate) charges: BTreeMap<ChargeId, Part>,
    pub(crate) purses: BTreeMap<TenderId, Purse>,
    pub(crate) cases: BTreeMap<CaseId, Case>,
    pub(crate) version: u64,
    pub(crate) last: Option<Instant>,
    pub(crate) fired: BTreeSet<(CaseId, u64)>,
    /// All that went out and came in by settlements, in minor units.
    paid_out: i64,
    asked_in: i64,
    /// What fees kept and goodwill added, in minor units.
    beside: i64,
    began_with: i64,
}

fn steps(postings: &[Posting], line: &OrderLineId) -> i64 {
    let own = postings.iter().filter(|posting| posting.line == *line);
    own.map(|posting| posting.quantity.steps()).sum()
}

impl<'a> Model<'a> {
    pub(crate) fn new(sale: &Sale, practice: Option<&'a Practice>) -> Self {
        let mut model = Self {
            practice,
            sale: sale.clone(),
            lines: BTreeMap::new(),
            charges: BTreeMap::new(),
            purses: BTreeMap::new(),
            cases: BTreeMap::new(),
            version: 0,
            last: None,
            fired: BTreeSet::new(),
            paid_out: 0,
            asked_in: 0,
            beside: 0,
            began_with: 0,
        };
        for charge in sale.charges() {
            let part = Part::new(charge.paid.gross.minor(), 0);
            model.charges.insert(charge.charged.id.clone(), part);
        }
        for tender in sale.tenders() {
            let outside = tender.refunded_outside.map_or(0, Money::minor);
            let purse = Purse { captured: tender.captured.minor(), outside, back: 0 };
            model.purses.insert(tender.id.clone(), purse);
        }
        for line in sale.lines() {
            let (all, gone) = (line.ordered.quantity.steps(), line.frozen.shipped.steps());
            let mut at = BTreeMap::new();
            at.insert((Location::Customer, None), gone);
            at.insert((Location::Unshipped, None), all - gone);
            let parts = parts_of(&line);
            let (sku, added) = (line.ordered.sku.clone(), false);
            let sold = Line { sku, made: all, at, parts, added };
            model.lines.insert(line.ordered.id.clone(), sold);
        }
        model.began_with = model.left();
        model
    }

    /// What was paid for and did not go back yet.
    fn left(&self) -> i64 {
        let lines: i64 = self.lines.values().map(Line::left).sum();
        lines + self.charges.values().map(Part::left).sum::<i64>()
    }

    /// Takes an event in; says what it breaks.
    pub(crate) fn take(&mut self, event: &Event, rules_version: u32) -> Held {
        self.invariant_50(event, rules_version)?;
        hold!(
            44,
            self.last.is_none_or(|last| last <= event.at),
            "time went backwards at {}",
            event.sequence
        );
        let before = event.fact.case().and_then(|id| self.cases.get(id)).cloned();
        if let (Some(case), Some(before)) = (event.fact.case(), &before) {
            invariant_29(before, event)?;
            invariant_30(before, event, case)?;
            invariant_40(before, event)?;
        }
        roles(event)?;
        self.moves(event)?;
        self.tell(event)?;
        self.version = event.sequence;
        self.last = Some(event.at);
        let part = match &event.fact {
            EventFact::CaseSplit { into, .. } => Some(into),
            _ => None,
        };
        for id in event.fact.case().into_iter().chain(part) {
            let stage = self.stage(id);
            if let Some(case) = self.cases.get_mut(id) {
                case.clocks.retain(|_, clock| Some(clock.stage) == stage);
            }
        }
        Ok(())
    }

    fn invariant_50(&self, event: &Event, rules_version: u32) -> Held {
        hold!(
            50,
            event.sequence == self.version + 1,
            "event {} after {}",
            event.sequence,
            self.version
        );
        hold!(50, event.rules_version == rules_version, "rules {} noted", event.rules_version);
        hold!(50, !event.actor.id.as_str().is_empty(), "no actor");
        hold!(50, !event.cause.command.as_str().is_empty(), "no cause");
        if event.cause.timer.is_some() {
            hold!(50, event.actor.role == Role::System, "a timer acts as {}", event.actor.role);
        }
        Ok(())
    }

    /// Books the movements of an event: from places that the event may take from, never below zero.
    fn moves(&mut self, event: &Event) -> Held {
        let Some(id) = event.fact.case() else { return Ok(()) };
        for posting in event.fact.postings() {
            let (from, to, steps) = (posting.from, posting.to, posting.quantity.steps());
            hold!(1, steps > 0, "a movement of nothing");
            hold!(10, is_legal(event, from, to), "{from} -> {to} in event {}", event.sequence);
            let owner = |place: Location| {
                let free = [Location::Customer, Location::Unshipped, Location::Stock];
                (!free.contains(&place)).then(|| id.clone())
            };
            let Some(line) = self.lines.get_mut(&posting.line) else {
                return Err(Broken { invariant: 9, what: format!("no line {}", posting.line) });
            };
            let there = line.at.entry((from, owner(from))).or_insert(0);
            *there -= steps;
            hold!(
                1,
                *there >= 0 || from == Location::Stock,
                "line {}: {there} left {from} in event {}",
                posting.line,
                event.sequence
            );
            *line.at.entry((to, owner(to))).or_insert(0) += steps;
            if let Some(case) = self.cases.get_mut(id)
                && case.lines.contains_key(&posting.line)
            {
                const IN: &[Location] =
                    &[Location::Received, Location::Accepted, Location::Rejected];
                let (came, goes) = (IN.contains(&to), IN.contains(&from));
                if came && !goes {
                    *case.came.entry(posting.line.clone()).or_insert(0) += steps;
                }
                if goes && !came {
                    *case.went.entry(posting.line.clone()).or_insert(0) += steps;
                }
            }
        }
        Ok(())
    }

    /// What an event means beside its movements.
    fn tell(&mut self, event: &Event) -> Held {
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
                hold!(29, by_timer == event.cause.timer.is_some(), "permitted by {ground:?}");
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
                let known = case.calls.insert(parcel.clone(), (by_line(postings), true));
                hold!(29, known.is_none(), "{parcel} is called back twice");
            }
            EventFact::InterceptionEnded { parcel, outcome, .. } => {
                let Some((contents, open)) = case.calls.get_mut(parcel) else {
                    return Err(Broken { invariant: 29, what: "the end of no call".into() });
                };
                hold!(29, *open, "a call that ended ends again");
                *open = false;
                if *outcome == InterceptionOutcome::Intercepted {
                    let sent = Parcel { contents: contents.clone(), ..Parcel::default() };
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
                let mut part = Case {
                    lines: BTreeMap::new(),
                    serials: BTreeSet::new(),
                    parcels: BTreeMap::new(),
                    calls: BTreeMap::new(),
                    payments: BTreeMap::new(),
                    obligations: 0,
                    replacements: BTreeMap::new(),
                    liability: BTreeMap::new(),
                    disposed: BTreeMap::new(),
                    came: BTreeMap::new(),
                    went: BTreeMap::new(),
                    repaired: false,
                    claims: BTreeMap::new(),
                    given: 0,
                    ..case.clone()
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
                let sent = Sent { purpose, items, state, advance, obligation };
                let twice = case.replacements.insert(*replacement, sent).is_some();
                hold!(50, !twice, "replacement {replacement} planned twice");
            }
            EventFact::ReplacementShipped { replacement, .. } => {
                let sent = case.replacements.get_mut(replacement).unwrap();
                hold!(29, sent.state == Sending::Planned, "shipped from {:?}", sent.state);
                sent.state = Sending::Shipped;
                if let Some(owed) = sent.obligation {
                    let open = |(key, (_, state)): (&(u32, u32), &(PaymentOrder, Paying))| {
                        key.0 == owed && !matches!(state, Paying::Paid | Paying::Released)
                    };
                    hold!(24, !case.payments.iter().any(open), "left before it was paid");
                }
            }
            EventFact::ReplacementDelivered { replacement, .. } => {
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
                let sent = case.replacements.get_mut(replacement).unwrap();
                hold!(
                    37,
                    sent.advance == Some(None),
                    "advance {replacement} resolved {:?} twice",
                    sent.advance
                );
                sent.advance = Some(Some(*end));
                if *end == AdvanceEnd::ReplacementReturned {
                    sent.state = Sending::Cancelled;
                }
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

    fn opened(&mut self, event: &Event, id: &CaseId) -> Held {
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
                let before = self.cases.values().filter(|case| case.lines.contains_key(&line.line));
                let before = before.count();
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
            resolution: *resolution,
            said: Said::Submitted,
            end: None,
            expired: false,
            quarrel: Quarrel::None,
            held: None,
            lines: lines.iter().map(|line| (line.line.clone(), line.quantity.steps())).collect(),
            serials,
            parcels: BTreeMap::new(),
            calls: BTreeMap::new(),
            payments: BTreeMap::new(),
            obligations: 0,
            replacements: BTreeMap::new(),
            liability: BTreeMap::new(),
            disposed: BTreeMap::new(),
            came: BTreeMap::new(),
            went: BTreeMap::new(),
            repaired: false,
            offered: None,
            agreed: None,
            claims: BTreeMap::new(),
            last: Default::default(),
            given: 0,
            version: event.rules_version,
            clocks: BTreeMap::new(),
        };
        self.cases.insert(id.clone(), opened);
        Ok(())
    }

    /// A settlement: every amount is worked out again, and every limit held.
    fn planned(&mut self, event: &Event, id: &CaseId) -> Held {
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

    fn entry(&mut self, entry: &Entry, postings: &[Posting], id: &CaseId) -> Held {
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
    fn invariant_16(&self, settlement: &Settlement) -> Held {
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

    fn invariant_18(&self, settlement: &Settlement) -> Held {
        hold!(18, !settlement.total.is_negative(), "a payout of {}", settlement.total);
        hold!(18, !settlement.due.is_negative(), "{} due", settlement.due);
        let both = settlement.total.is_positive() && settlement.due.is_positive();
        hold!(18, !both, "{} to pay and {} due", settlement.total, settlement.due);
        for part in &settlement.allocations {
            hold!(18, !part.amount.is_negative(), "{} to a tender", part.amount);
        }
        Ok(())
    }

    fn invariant_22(&self, settlement: &Settlement) -> Held {
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
    fn invariant_24(&self, settlement: &Settlement, case: &Case, event: &Event) -> Held {
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
    fn invariant_25(&self) -> Held {
        let (left, kept) = (self.left(), self.paid_out - self.asked_in - self.beside);
        hold!(25, left == self.began_with - kept, "{left} left of {} less {kept}", self.began_with);
        Ok(())
    }

    fn invariant_27(&self, settlement: &Settlement) -> Held {
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
    fn invariant_53(&self, entry: &Entry) -> Held {
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

    fn sending(&mut self, items: &[ReplacementItem], purpose: Purpose) -> Held {
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

    fn amend(&mut self, draft: aftersale::sale::draft::SaleDraft, _: Instant) -> Held {
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

    fn clocked(&mut self, event: &Event) -> Held {
        let practice = self.practice;
        let Some(case) = event.fact.case().and_then(|id| self.cases.get_mut(id)) else {
            return Ok(());
        };
        let known = |until: Instant, timer: &RuleId, held: &[(Instant, Instant)]| {
            let pauses = practice.iter().flat_map(|practice| &practice.draft().pauses);
            let mut stopped: Vec<(Instant, Instant)> = pauses
                .filter(|pause| pause.announced_at <= until && pause.stops(timer))
                .map(|pause| (pause.time.start(), pause.time.end()))
                .collect();
            stopped.extend(held.iter().copied());
            stopped
        };
        match &event.fact {
            EventFact::DeadlineSet { timer, stage, action, length, due, .. } => {
                let stopped = known(event.at, timer, &[]);
                let inside = stopped.iter().any(|(from, to)| from <= due && due < to);
                hold!(46, !inside, "deadline {due} of {timer} inside a pause");
                if let TimerLength::Natural { seconds } = length {
                    let walked = walk(event.at, *seconds, &stopped);
                    hold!(45, walked == *due, "{timer}: due {due}, the model says {walked}");
                }
                let clock = Clock {
                    stage: *stage,
                    length: *length,
                    action: *action,
                    start: event.at,
                    due: *due,
                    set_by: event.sequence,
                    held: Vec::new(),
                };
                case.clocks.insert(timer.clone(), clock);
            }
            EventFact::DeadlineRevised { timer, before, due, .. } => {
                let Some(clock) = case.clocks.get_mut(timer) else {
                    return Err(Broken { invariant: 46, what: format!("{timer} does not run") });
                };
                hold!(46, clock.due == *before, "{timer} was due {}", clock.due);
                hold!(46, due > before, "{timer} moved from {before} back to {due}");
                let stopped = known(event.at, timer, &clock.held);
                let inside = stopped.iter().any(|(from, to)| from <= due && due < to);
                hold!(46, !inside, "deadline {due} of {timer} inside a pause");
                if let TimerLength::Natural { seconds } = clock.length {
                    let walked = walk(clock.start, seconds, &stopped).max(*before);
                    hold!(45, walked == *due, "{timer}: due {due}, the model says {walked}");
                }
                clock.due = *due;
            }
            _ => {}
        }
        Ok(())
    }

    fn fire(&mut self, event: &Event) -> Held {
        let EventFact::DeadlineBreached { case, timer, action, .. } = &event.fact else {
            return Ok(());
        };
        let last = self.last;
        let running = self.cases.get_mut(case).and_then(|case| {
            let held = case.held.is_some();
            case.clocks.remove(timer).map(|clock| (clock, held))
        });
        let Some((clock, held)) = running else {
            return Err(Broken { invariant: 47, what: format!("{timer} fired and does not run") });
        };
        hold!(47, self.fired.insert((case.clone(), clock.set_by)), "{timer} fired twice");
        let due = last.map_or(clock.due, |last| last.max(clock.due));
        hold!(47, event.at == due, "{timer} fired at {} and was due {}", event.at, clock.due);
        hold!(47, !held, "{timer} fired on hold");
        hold!(49, *action == clock.action, "{timer} was set to {}", clock.action);
        let inside =
            self.practice.iter().flat_map(|practice| &practice.draft().pauses).any(|pause| {
                pause.announced_at <= event.at
                    && pause.stops(timer)
                    && pause.time.contains(event.at)
            });
        hold!(46, !inside, "{timer} fired in a pause");
        Ok(())
    }

    /// What a case is waiting for, by the books of the model.
    pub(crate) fn stage(&self, id: &CaseId) -> Option<Stage> {
        let case = self.cases.get(id)?;
        if case.end.is_some() {
            return None;
        }
        if matches!(case.quarrel, Quarrel::Open { .. }) {
            return Some(Stage::AwaitingRuling);
        }
        Some(match case.said {
            Said::Submitted if case.calls.values().any(|call| call.1) => {
                Stage::AwaitingInterception
            }
            Said::Submitted => Stage::AwaitingDecision,
            Said::NeedsInfo => Stage::AwaitingEvidence,
            Said::Offered => Stage::AwaitingOfferAnswer,
            Said::Declined => Stage::AwaitingAppeal,
            Said::Authorized => match self.progress(id, case) {
                "settling" | "settlement_failed" => Stage::AwaitingPayment,
                "received" => Stage::AwaitingInspection,
                "awaiting_settlement" => Stage::AwaitingSettlement,
                "awaiting_reshipment" => Stage::AwaitingReplacement,
                "lost" => Stage::AwaitingLiability,
                "in_transit" | "awaiting_receipt" => Stage::AwaitingReceipt,
                "intercepting" => Stage::AwaitingInterception,
                "awaiting_return" => Stage::AwaitingReturn,
                "inspected" => Stage::AwaitingShipBack,
                _ => Stage::AwaitingClosing,
            },
        })
    }

    fn has(&self, id: &CaseId, case: &Case, place: Location) -> bool {
        case.lines
            .keys()
            .any(|line| self.lines.get(line).is_some_and(|line| line.here(place, Some(id)) > 0))
    }

    fn progress(&self, id: &CaseId, case: &Case) -> &'static str {
        let paying = |state| case.payments.values().any(|(_, known)| *known == state);
        let has = |place| self.has(id, case, place);
        let sending = case
            .replacements
            .values()
            .any(|sent| matches!(sent.state, Sending::Planned | Sending::Shipped));
        let coming = matches!(
            case.resolution,
            Resolution::ReturnAndRefund
                | Resolution::Exchange
                | Resolution::Repair
                | Resolution::RefusedAtDoor
                | Resolution::AdvanceReplacement
                | Resolution::InstantRefund
        );
        let first = matches!(
            case.resolution,
            Resolution::RefundOnly
                | Resolution::PriceProtection
                | Resolution::PartialRefund
                | Resolution::InstantRefund
        );
        let mut waiting =
            case.parcels.values().filter(|known| !known.received && known.missing() > 0);
        let there = waiting.clone().next().is_some()
            && waiting.all(|known| known.last() == Some(ScanState::Delivered));
        let order: [(bool, &'static str); 13] = [
            (paying(Paying::Failed), "settlement_failed"),
            (paying(Paying::Due), "settling"),
            (has(Location::Received), "received"),
            (has(Location::Accepted), "awaiting_settlement"),
            (sending, "awaiting_reshipment"),
            (has(Location::Lost), "lost"),
            (has(Location::Intercepting) && !first, "intercepting"),
            (has(Location::InTransit) && there, "awaiting_receipt"),
            (has(Location::InTransit), "in_transit"),
            (has(Location::Requested) && coming, "awaiting_return"),
            (
                (has(Location::Requested)
                    || has(Location::HeldBack)
                    || has(Location::Intercepting))
                    && first,
                "awaiting_settlement",
            ),
            (has(Location::Rejected), "inspected"),
            (true, "approved"),
        ];
        order.into_iter().find(|(applies, _)| *applies).unwrap().1
    }

    /// The status that the axes of a case come to.
    pub(crate) fn status(&self, id: &CaseId) -> &'static str {
        let case = self.cases.get(id).unwrap();
        let delivered = case.replacements.values().any(|sent| sent.state == Sending::Delivered);
        let fulfilled = case.obligations > 0 || delivered || case.repaired;
        match case.end {
            Some(End::Withdrawn) => return "cancelled",
            Some(End::Closed) if fulfilled => return "completed",
            Some(End::Closed) if case.expired => return "expired",
            Some(End::Closed) => return "closed",
            None => {}
        }
        if matches!(case.quarrel, Quarrel::Open { .. }) {
            return "disputed";
        }
        if case.held.is_some() {
            return "on_hold";
        }
        match case.said {
            Said::Submitted if case.calls.values().any(|call| call.1) => "intercepting",
            Said::Submitted => "submitted",
            Said::NeedsInfo => "needs_info",
            Said::Offered => "offered",
            Said::Declined => "declined",
            Said::Authorized => self.progress(id, case),
        }
    }
}

fn parts_of(line: &aftersale::sale::Line<'_>) -> BTreeMap<Option<Sku>, Part> {
    if line.frozen.components.is_empty() {
        let paid = line.frozen.paid.gross.minor();
        return [(None, Part::new(paid, line.ordered.quantity.steps()))].into();
    }
    let part = |part: &aftersale::sale::FrozenComponent| {
        (Some(part.sku.clone()), Part::new(part.paid.gross.minor(), part.quantity.steps()))
    };
    line.frozen.components.iter().map(part).collect()
}

/// The payments of a settlement: one for each tender, one by hand, one to collect.
fn payments(settlement: &Settlement) -> Vec<PaymentOrder> {
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

/// Walks through time: what is stopped does not count, and an end on a stop falls on its end.
fn walk(start: Instant, seconds: i64, stopped: &[(Instant, Instant)]) -> Instant {
    let (mut at, mut left) = (start, chrono::TimeDelta::seconds(seconds));
    loop {
        if let Some((_, end)) = stopped.iter().find(|(from, to)| *from <= at && at < *to) {
            at = *end;
            continue;
        }
        let next = stopped.iter().map(|(from, _)| *from).filter(|from| *from > at).min();
        match next {
            Some(next) if at + left >= next => {
                left -= next - at;
                at = next;
            }
            _ => return at + left,
        }
    }
}

/// Which movements an event of a kind may make.
fn is_legal(event: &Event, from: Location, to: Location) -> bool {
    use Location::{
        Accepted, Ahead, Cancelled, Customer, HeldBack, InTransit, Intercepting, Kept, Lost,
        Received, Recovered, Rejected, Requested, Settled, Stock, Unshipped, WrittenOff,
    };
    let freed = matches!((from, to), (Requested, Customer) | (HeldBack, Unshipped));
    match &event.fact {
        EventFact::CaseOpened { resolution, .. } => match (from, to) {
            (Customer, Requested) => true,
            (Unshipped, HeldBack) => *resolution == Resolution::RefundOnly,
            _ => false,
        },
        EventFact::CaseWithdrawn { .. } | EventFact::ReturnDeclined { .. } => freed,
        EventFact::CaseClosed { .. } => freed || (from, to) == (Lost, Customer),
        EventFact::GoodsSentBack { .. } => (from, to) == (Requested, InTransit),
        EventFact::GoodsReceived { .. } => matches!(
            (from, to),
            (InTransit | Requested | Lost, Received) | (Ahead | WrittenOff | Kept, Recovered)
        ),
        EventFact::UnitsAccepted { .. } => matches!((from, to), (Received | Rejected, Accepted)),
        EventFact::UnitsRejected { .. } => matches!((from, to), (Received | Accepted, Rejected)),
        EventFact::UnitsReturned { .. } => (from, to) == (Rejected, Customer),
        EventFact::RefundPlanned { .. } => matches!(
            (from, to),
            (Accepted, Settled)
                | (HeldBack, Cancelled)
                | (Lost, WrittenOff)
                | (Requested, Kept)
                | (Requested | InTransit | Intercepting, Ahead)
                | (Received, Recovered)
        ),
        EventFact::DisputeRuled { ruling, .. } => match ruling {
            Ruling::ForCustomer => {
                matches!((from, to), (Customer, Requested) | (Unshipped, HeldBack))
            }
            Ruling::ForSeller => freed,
        },
        EventFact::ParcelLost { .. } => (from, to) == (InTransit, Lost),
        EventFact::ShortageRecorded { .. } => (from, to) == (InTransit, Requested),
        EventFact::InterceptionStarted { .. } => (from, to) == (Requested, Intercepting),
        EventFact::InterceptionEnded { outcome, .. } => match outcome {
            InterceptionOutcome::Intercepted => (from, to) == (Intercepting, InTransit),
            InterceptionOutcome::Failed => {
                matches!((from, to), (Intercepting, Requested) | (Ahead, Kept))
            }
        },
        EventFact::UnexpectedResolved { .. } => {
            matches!((from, to), (InTransit | Requested | Lost, Received) | (Customer, Requested))
        }
        EventFact::CaseAmended { resolution, .. } => match (from, to) {
            (Customer, Requested) => true,
            (Unshipped, HeldBack) => *resolution == Resolution::RefundOnly,
            _ => freed,
        },
        EventFact::ReplacementShipped { .. } => (from, to) == (Stock, Customer),
        EventFact::AdvanceResolved { end, .. } => match (from, to) {
            (Requested, Customer) => {
                matches!(end, AdvanceEnd::Charged | AdvanceEnd::ReplacementReturned)
            }
            (Customer, Stock) => *end == AdvanceEnd::ReplacementReturned,
            _ => false,
        },
        EventFact::RepairedReturned { .. } => (from, to) == (Accepted, Customer),
        _ => false,
    }
}

/// Only transitions of the table: by what was said before, who has ended, and the quarrel.
fn invariant_29(case: &Case, event: &Event) -> Held {
    let undecided = matches!(case.said, Said::Submitted | Said::NeedsInfo);
    let authorized = case.said == Said::Authorized && case.end.is_none();
    let sequence = event.sequence;
    let fits = match &event.fact {
        EventFact::ReturnAuthorized { .. }
        | EventFact::ReturnDeclined { .. }
        | EventFact::ResolutionOffered { .. } => undecided,
        EventFact::CaseAmended { .. } => undecided,
        EventFact::CaseSplit { .. } => undecided || case.said == Said::Authorized,
        EventFact::InterceptionStarted { .. } => undecided || case.said == Said::Authorized,
        EventFact::ShortageRecorded { .. } => authorized,
        EventFact::InfoRequested { .. } => case.said == Said::Submitted,
        EventFact::OfferAccepted { .. } | EventFact::OfferRefused { .. } => {
            case.said == Said::Offered
        }
        EventFact::CaseHeld { .. } => case.held.is_none(),
        EventFact::HoldReleased { .. } => case.held.is_some(),
        EventFact::DisputeOpened { appeal: false, .. } => case.quarrel == Quarrel::None,
        EventFact::DisputeRuled { .. } => matches!(case.quarrel, Quarrel::Open { .. }),
        EventFact::GoodsSentBack { .. }
        | EventFact::UnitsAccepted { .. }
        | EventFact::UnitsRejected { .. }
        | EventFact::UnitsReturned { .. }
        | EventFact::ParcelLost { .. }
        | EventFact::RepairedReturned { .. } => authorized,
        EventFact::GoodsReceived { .. } => case.said == Said::Authorized,
        EventFact::CaseReopened { .. } => case.end == Some(End::Closed),
        EventFact::CaseClosed { .. } => {
            event.cause.timer.is_some() || !undecided && case.said != Said::Offered
        }
        EventFact::CaseOpened { .. } => false,
        _ => true,
    };
    hold!(29, fits, "event {sequence} does not follow: {:?} in {:?}", name(event), case.said);
    Ok(())
}

/// An ended case takes facts about goods and reasons, and nothing that decides.
fn invariant_30(case: &Case, event: &Event, id: &CaseId) -> Held {
    let may = matches!(
        event.fact,
        EventFact::CaseReopened { .. }
            | EventFact::ReasonAsserted { .. }
            | EventFact::GoodsReceived { .. }
            | EventFact::UnitsInspected { .. }
            | EventFact::DispositionSet { .. }
            | EventFact::LiabilityAttributed { .. }
            | EventFact::LiabilityAppealed { .. }
            | EventFact::UnexpectedResolved { .. }
            | EventFact::CostRecorded { .. }
            | EventFact::RecoveryClaimOpened { .. }
            | EventFact::RecoveryRecorded { .. }
            | EventFact::CaseAssigned { .. }
            | EventFact::CaseReassigned { .. }
            | EventFact::SurveyRecorded { .. }
    );
    hold!(30, case.end.is_none() || may, "{} of ended {id}", name(event));
    Ok(())
}

/// Money before acceptance only where the resolution is that, or where a timer says so.
fn invariant_33(case: &Case, event: &Event) -> Held {
    let before = |posting: &&Posting| {
        matches!(
            posting.from,
            Location::Requested | Location::InTransit | Location::Intercepting | Location::Received
        )
    };
    let early = event.fact.postings().iter().find(before);
    let granted = match case.resolution {
        Resolution::InstantRefund | Resolution::RefundOnly => true,
        _ => event.cause.timer.is_some(),
    };
    hold!(33, early.is_none() || granted, "a {} settled from {early:?}", case.resolution);
    Ok(())
}

/// A dispute freezes deciding, settling and ending until the ruling; a hold does too.
fn invariant_40(case: &Case, event: &Event) -> Held {
    let frozen = matches!(
        event.fact,
        EventFact::CaseWithdrawn { .. }
            | EventFact::ReturnAuthorized { .. }
            | EventFact::ReturnDeclined { .. }
            | EventFact::ResolutionOffered { .. }
            | EventFact::OfferAccepted { .. }
            | EventFact::RefundPlanned { .. }
            | EventFact::CaseAmended { .. }
            | EventFact::CaseSplit { .. }
            | EventFact::CaseClosed { .. }
    );
    let quarrel = matches!(case.quarrel, Quarrel::Open { .. });
    let by_timer = event.cause.timer.is_some();
    hold!(40, !(frozen && quarrel) || by_timer, "{} in a dispute", name(event));
    hold!(40, !(frozen && case.held.is_some()), "{} on hold", name(event));
    if let EventFact::DisputeOpened { appeal: true, .. } = event.fact {
        let until = match case.quarrel {
            Quarrel::Ruled { until, .. } => until,
            _ => None,
        };
        hold!(40, until.is_some_and(|until| event.at < until), "an appeal after {until:?}");
    }
    Ok(())
}

/// Who may make what happen, told from the other side: what each role never does.
fn roles(event: &Event) -> Held {
    let role = event.actor.role;
    if event.cause.timer.is_some() {
        return Ok(());
    }
    // Timers are set by the command that they follow, whoever gave it.
    let follows = matches!(
        event.fact,
        EventFact::DeadlineSet { .. }
            | EventFact::DeadlineRevised { .. }
            | EventFact::DeadlineBreached { .. }
    );
    let customer = matches!(
        event.fact,
        EventFact::CaseOpened { .. }
            | EventFact::CaseWithdrawn { .. }
            | EventFact::CaseAmended { .. }
            | EventFact::GoodsSentBack { .. }
            | EventFact::EvidenceAdded { .. }
            | EventFact::OfferAccepted { .. }
            | EventFact::OfferRefused { .. }
            | EventFact::DisputeOpened { .. }
            | EventFact::LiabilityAppealed { .. }
            | EventFact::ReasonAsserted { .. }
            | EventFact::ReplacementDelivered { .. }
    );
    let money = matches!(
        event.fact,
        EventFact::RefundPlanned { .. }
            | EventFact::PaymentRecorded { .. }
            | EventFact::PaymentRetried { .. }
            | EventFact::ReplacementPlanned { .. }
            | EventFact::AdvanceResolved { .. }
            | EventFact::CostRecorded { .. }
            | EventFact::RecoveryClaimOpened { .. }
            | EventFact::RecoveryRecorded { .. }
    );
    let fits = match role {
        Role::Customer => customer,
        Role::Finance => money,
        Role::Warehouse => !matches!(
            event.fact,
            EventFact::CaseOpened { .. }
                | EventFact::ReturnAuthorized { .. }
                | EventFact::ReturnDeclined { .. }
                | EventFact::CaseClosed { .. }
                | EventFact::PaymentRecorded { .. }
                | EventFact::DisputeRuled { .. }
                | EventFact::UnitsAccepted { .. }
        ),
        Role::Platform => true,
        Role::Agent | Role::Supervisor | Role::Inspector | Role::System => {
            !matches!(event.fact, EventFact::DisputeRuled { .. })
        }
    };
    hold!(29, fits || follows, "{} by a {role}", name(event));
    Ok(())
}

/// What was to become of units for the time being is forgotten when they leave.
fn forget(case: &mut Case, lines: &BTreeMap<OrderLineId, Line>, id: &CaseId) {
    const FOR_NOW: &[Disposition] =
        &[Disposition::Rework, Disposition::Quarantine, Disposition::ReturnToCustomer];
    for line in case.lines.keys() {
        let ours = [Location::Accepted, Location::Settled, Location::Recovered];
        let ours: i64 = ours.iter().map(|place| lines[line].here(*place, Some(id))).sum();
        let of = |(key, _): &(&(OrderLineId, Disposition), &i64)| key.0 == *line;
        let all: i64 = case.disposed.iter().filter(of).map(|(_, count)| count).sum();
        let mut excess = (all - ours).max(0);
        for place in FOR_NOW {
            if let Some(count) = case.disposed.get_mut(&(line.clone(), *place)) {
                let part = excess.min(*count);
                *count -= part;
                excess -= part;
            }
        }
    }
}

fn name(event: &Event) -> String {
    let text = format!("{:?}", event.fact);
    text.split([' ', '{']).next().unwrap().to_owned()
}

/// Whether the buyer alone bears a loss.
pub(crate) fn is_buyers(case: &Case, line: &OrderLineId) -> bool {
    case.liability
        .get(line)
        .is_some_and(|who| who.share(Party::Buyer) == Some(aftersale::number::Ratio::ONE))
}
