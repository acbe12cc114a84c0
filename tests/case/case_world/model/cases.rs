//! What the model knows of one case.

use std::collections::{BTreeMap, BTreeSet};

use aftersale::case::dispute::Ruling;
use aftersale::case::ledger::{Location, Posting};
use aftersale::case::liability::{Liability, Party};
use aftersale::case::obligation::PaymentOrder;
use aftersale::case::parcel::{Scan, ScanState};
use aftersale::case::replacement::{AdvanceEnd, Purpose, ReplacementItem};
use aftersale::case::resolution::Resolution;
use aftersale::case::review::ReviewTerms;
use aftersale::feedback::survey::SurveyId;
use aftersale::id::{ActorId, CaseId, OrderLineId, ParcelId, RuleId, SerialId};
use aftersale::inspection::Disposition;
use aftersale::money::Money;
use aftersale::practice::length::TimerLength;
use aftersale::practice::timer::{ExpiryAction, Stage};
use aftersale::time::Instant;
use aftersale::workflow::StateId;

use super::books::Line;

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
    TurnedRound,
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
    /// The parcel it left in last.
    pub(crate) parcel: Option<ParcelId>,
}

/// A parcel that is called back.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// What of the case is in it.
    pub(crate) contents: BTreeMap<OrderLineId, i64>,
    /// The replacements in it; none when it is a parcel of the order.
    pub(crate) replacements: Vec<u32>,
    pub(crate) open: bool,
}

/// The procedure by which people decide a case.
#[derive(Clone, Debug)]
pub(crate) struct Reviewing {
    pub(crate) requester: ActorId,
    pub(crate) version: u32,
    pub(crate) state: StateId,
    /// It reached a final state, or the requester withdrew it.
    pub(crate) over: bool,
    pub(crate) terms: ReviewTerms,
}

/// A parcel on its way to us.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcel {
    pub(super) contents: BTreeMap<OrderLineId, i64>,
    pub(super) found: BTreeMap<OrderLineId, i64>,
    pub(super) received: bool,
    pub(super) scans: Vec<Scan>,
}

impl Parcel {
    pub(super) fn missing(&self) -> i64 {
        let rest = |(line, sent): (&OrderLineId, &i64)| {
            (sent - self.found.get(line).copied().unwrap_or(0)).max(0)
        };
        self.contents.iter().map(rest).sum()
    }

    /// What the carrier saw last; of two at one time the one told later.
    pub(super) fn last(&self) -> Option<ScanState> {
        let mut last: Option<&Scan> = None;
        for scan in &self.scans {
            if last.is_none_or(|known| known.at <= scan.at) {
                last = Some(scan);
            }
        }
        last.map(|scan| scan.state)
    }
}

pub(super) fn by_line(postings: &[Posting]) -> BTreeMap<OrderLineId, i64> {
    let mut sums = BTreeMap::new();
    for posting in postings {
        *sums.entry(posting.line.clone()).or_insert(0) += posting.quantity.steps();
    }
    sums
}

#[derive(Clone, Debug)]
pub(crate) struct Clock {
    pub(super) stage: Stage,
    pub(super) length: TimerLength,
    pub(super) action: ExpiryAction,
    pub(super) start: Instant,
    pub(crate) due: Instant,
    pub(super) set_by: u64,
    pub(super) held: Vec<(Instant, Instant)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The request of which it was split off.
    pub(crate) part_of: Option<CaseId>,
    pub(crate) resolution: Resolution,
    pub(crate) said: Said,
    pub(crate) end: Option<End>,
    pub(crate) expired: bool,
    pub(crate) quarrel: Quarrel,
    pub(crate) held: Option<Instant>,
    pub(crate) lines: BTreeMap<OrderLineId, i64>,
    pub(crate) serials: BTreeSet<SerialId>,
    pub(crate) parcels: BTreeMap<ParcelId, Parcel>,
    pub(crate) calls: BTreeMap<ParcelId, Call>,
    pub(crate) payments: BTreeMap<(u32, u32), (PaymentOrder, Paying)>,
    pub(crate) obligations: u32,
    pub(crate) replacements: BTreeMap<u32, Sent>,
    pub(crate) liability: BTreeMap<OrderLineId, Liability>,
    pub(crate) disposed: BTreeMap<(OrderLineId, Disposition), i64>,
    /// Units that came in, and units that left again or were settled, by line.
    pub(crate) came: BTreeMap<OrderLineId, i64>,
    pub(crate) went: BTreeMap<OrderLineId, i64>,
    pub(crate) repaired: bool,
    /// Lines of which something was looked at.
    pub(crate) inspected: BTreeSet<OrderLineId>,
    pub(crate) offered: Option<Money>,
    pub(crate) agreed: Option<Money>,
    /// Claims against liable parties: line, party, asked, recovered, and whether it is given up.
    pub(crate) claims: BTreeMap<u32, (OrderLineId, Party, i64, i64, bool)>,
    /// What the last settlement refunded by line and charged for goods that go out.
    pub(crate) last: (BTreeMap<OrderLineId, i64>, BTreeMap<OrderLineId, i64>),
    pub(crate) given: i64,
    pub(crate) version: u32,
    pub(crate) clocks: BTreeMap<RuleId, Clock>,
    pub(crate) review: Option<Reviewing>,
    /// Whether the review, and nothing else, permitted the case.
    pub(crate) by_review: bool,
    pub(crate) answered: BTreeSet<SurveyId>,
}

impl Case {
    /// A request nobody has done anything about.
    pub(crate) fn fresh(resolution: Resolution, version: u32) -> Self {
        Self {
            part_of: None,
            resolution,
            said: Said::Submitted,
            end: None,
            expired: false,
            quarrel: Quarrel::None,
            held: None,
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
            inspected: BTreeSet::new(),
            offered: None,
            agreed: None,
            claims: BTreeMap::new(),
            last: Default::default(),
            given: 0,
            version,
            clocks: BTreeMap::new(),
            review: None,
            by_review: false,
            answered: BTreeSet::new(),
        }
    }
}

impl Case {
    /// Whether people are still deciding by a procedure.
    pub(crate) fn is_under_review(&self) -> bool {
        let own = match self.said {
            Said::Submitted | Said::NeedsInfo | Said::Offered => true,
            Said::Authorized => self.by_review,
            Said::Declined => false,
        };
        let ruled = matches!(self.quarrel, Quarrel::Ruled { .. });
        own && !ruled
            && self.end.is_none()
            && self.review.as_ref().is_some_and(|review| !review.over)
    }

    /// Whether a replacement is being called back.
    pub(super) fn calls_back(&self, number: u32) -> bool {
        self.calls.values().any(|call| call.open && call.replacements.contains(&number))
    }
}

/// What was to become of units for the time being is forgotten when they leave.
pub(super) fn forget(case: &mut Case, lines: &BTreeMap<OrderLineId, Line>, id: &CaseId) {
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

/// Whether the buyer alone bears a loss.
pub(crate) fn is_buyers(case: &Case, line: &OrderLineId) -> bool {
    case.liability
        .get(line)
        .is_some_and(|who| who.share(Party::Buyer) == Some(aftersale::number::Ratio::ONE))
}
