//! One order as rows of a tally: its sale, and its return cases as their events tell them.
//!
//! In: the sale snapshot and the stored events of one order, and what the host knows beside them
//! (categories, service goals, surveys, costs). Out: [`OrderRows`], one [`SaleRow`] per line, one
//! [`ReturnRow`] per line of a case, what people wrote about it, and the cases still open.
//!
//! Always true, and tested in `tests/analytics/order.rs`:
//! 1. No more units and no more value come back than were sold: what returned is a part of what was
//!    sold, month of sale by month of sale. A return of a replacement counts apart, as a repeat.
//! 2. Counting all orders in one pass, shard by shard, or order by order as their events arrive
//!    (taking the old rows out and putting the new ones in) gives the same bytes.
//!
//! What counts as what:
//! - *Sold*: units shipped, in the month the order was placed (local to [`View::zone`]); an amended
//!   sale counts as it stands last.
//! - *Returned*: units accepted as a return, or settled as one ahead of it or lost on the way back.
//!   Units kept by the customer, repaired, rejected, or cancelled before shipping did not return.
//! - Goods sold by weight, volume or length count one unit per line, returned with its first part.
//! - What happens once per case (refund, times, goals, answers) counts on the first line of the case.
//! - The *month* of a return is that of the request: the wish is what an alarm should hear first.

pub mod note;
pub mod open;
mod read;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use self::note::Note;
use self::open::OpenCase;
use super::AnalyticsError;
use super::cohort::Triangle;
use super::measure::Desk;
use super::month::Month;
use super::tally::{Answered, Dimension, ReturnRow, SaleRow, Tally};
use super::waiting::Wait;
use crate::calendar::compiled::{Calendar, CalendarError};
use crate::case::ReplayError;
use crate::case::event::Event;
use crate::id::{CaseId, OrderId, OrderLineId, Sku};
use crate::money::{Money, MoneyError};
use crate::reason::FacetKey;
use crate::reason::history::Preference;
use crate::reason::taxonomy::Taxonomy;
use crate::sale::Sale;
use crate::sla::evaluation::Evaluation;
use crate::time::{Instant, Zone};

/// How orders are read: the same for all orders of one tally.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// Where months begin.
    pub zone: Zone,
    /// Whose word on a reason counts.
    pub preference: Preference,
    /// The taxonomy that the reasons are chosen from: it knows the cause of a host's own reason. Without
    /// it such a reason counts under itself on the first level too.
    pub taxonomy: Option<&'a Taxonomy>,
    /// Which facet of the reason is counted under [`Dimension::ReasonFacet`].
    pub facet: Option<FacetKey>,
    /// Category and supplier by article; an article that is not listed is unknown.
    pub articles: &'a BTreeMap<Sku, Article>,
    /// The business hours in which times count; without them, all hours do.
    pub calendar: Option<&'a Calendar>,
}

impl View<'_> {
    /// Seconds from one time to another, in business hours where there are any; 0 backward.
    fn seconds(&self, from: Instant, to: Instant) -> Result<u64, OrderError> {
        if to <= from {
            return Ok(0);
        }
        let seconds = match self.calendar {
            Some(calendar) => calendar.between(from, to)?.value,
            None => to.signed_duration_since(from).num_seconds(),
        };
        Ok(u64::try_from(seconds).unwrap_or(0))
    }
}

/// What a host knows of an article.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Article {
    /// Its category.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub category: String,
    /// Who delivers it to us.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub supplier: String,
}

/// What a host knows of one order beside its events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The service goals of its cases, evaluated last.
    pub evaluations: &'a [Evaluation],
    /// Surveys that were sent, by case, with the answers that came.
    pub surveys: Option<&'a BTreeMap<CaseId, Answered>>,
    /// What cases cost beside the refund; a case that is not listed cost nothing else.
    pub costs: Option<&'a BTreeMap<CaseId, CaseCosts>>,
}

/// What one case cost the seller beside the refund, in the currency of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseCosts {
    /// Freight back and out again.
    pub freight: Money,
    /// Loss of value of the goods.
    pub depreciation: Money,
    /// Work.
    pub handling: Money,
    /// Recovered from resale, repair, insurance or supplier.
    pub recovered: Money,
}

/// The rows of one order.
///
/// ```
/// use aftersale::analytics::measure::Desk;
/// use aftersale::analytics::order::{Beside, OrderRows, View};
/// use aftersale::analytics::tally::{Dimension, Tally};
/// use aftersale::sale::{Sale, draft::SaleDraft};
/// # let sale: Sale = serde_json::from_str(r#"{
/// #   "order": "SO-1", "currency": "EUR", "channel": "web", "placed_at": "2026-03-02T09:00:00Z",
/// #   "prices": "tax_included",
/// #   "lines": [{"id": "1", "sku": "JACKET-M", "quantity": {"amount": "2", "unit": "pcs"},
/// #              "unit_price": "89.90", "taxes": [{"code": "VAT", "rate": "0.19"}]}],
/// #   "shipments": [{"parcel": "P1", "shipped_at": "2026-03-02T12:00:00Z",
/// #     "lines": [{"line": "1", "quantity": {"amount": "2", "unit": "pcs"}}]}],
/// #   "tenders": [{"id": "card", "kind": "card", "captured": {"amount": "179.80", "currency": "EUR"}}],
/// #   "total": {"amount": "179.80", "currency": "EUR"}
/// # }"#)?;
/// let jacket = aftersale::id::Sku::new("JACKET-M")?;
/// let articles = [(jacket, serde_json::from_str(r#"{"category":"jackets"}"#)?)].into();
/// let view = View {
///     zone: "Europe/Berlin".parse()?,
///     preference: Default::default(),
///     taxonomy: None,
///     facet: None,
///     articles: &articles,
///     calendar: None,
/// };
/// // Two jackets sold; no events stored yet.
/// let rows = OrderRows::read(sale, &[], &view, &Beside::default())?;
/// let mut tally: Tally<Desk> = Tally::new(&[Dimension::SoldMonth, Dimension::Category], 1_000)?;
/// tally.observe_order(&rows)?;
/// let jackets = tally.at(&["2026-03", "jackets"]).ok_or("nothing sold")?;
/// assert_eq!(jackets.sold_units.total(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRows {
    /// The order.
    pub order: OrderId,
    /// One row per line shipped.
    pub sales: Vec<SaleRow>,
    /// One row per line of a case, in the order in which the cases were opened.
    pub returns: Vec<ReturnRow>,
    /// What people wrote about the lines of its cases, in the order of `returns`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Its cases that have not ended, in the order in which they were opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenCase>,
}

/// Why an order cannot be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The events do not fit together.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A case names a line that the sale does not have.
    #[error("line {line} of a case is not in the sale")]
    NoLine {
        /// The line.
        line: OrderLineId,
    },
    /// A time lies outside the calendar.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// An amount does not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A count or a code does not fit.
    #[error(transparent)]
    Count(#[from] AnalyticsError),
}

impl OrderRows {
    /// Reads one order from its snapshot and its stored events, which are verified.
    ///
    /// # Errors
    ///
    /// [`OrderError`].
    pub fn read(
        sale: Sale,
        events: &[Event],
        view: &View<'_>,
        beside: &Beside<'_>,
    ) -> Result<Self, OrderError> {
        read::read(sale, events, view, beside)
    }

    /// How long each case took or has taken so far, for an estimate that does not drop the open
    /// ones. A case that was taken back counts nowhere.
    ///
    /// # Errors
    ///
    /// As [`OpenCase::waited`].
    pub fn waits(&self, now: Instant, view: &View<'_>) -> Result<Vec<Wait>, OrderError> {
        let done = self.returns.iter().filter_map(|row| row.handling_seconds);
        let mut waits: Vec<Wait> = done.map(Wait::Done).collect();
        for case in &self.open {
            waits.push(Wait::Open(case.waited(now, view)?));
        }
        Ok(waits)
    }

    /// Counts units by month of sale and age in a triangle.
    ///
    /// # Errors
    ///
    /// As [`Triangle::sold`] and [`Triangle::returned`].
    pub fn count_cohorts(&self, triangle: &mut Triangle) -> Result<(), AnalyticsError> {
        let month =
            |row: &super::tally::Facets, dimension| row.code(dimension).parse::<Month>().ok();
        for row in &self.sales {
            if let Some(sold) = month(&row.facets, Dimension::SoldMonth) {
                triangle.sold(sold, row.units.into())?;
            }
        }
        for row in self.returns.iter().filter(|row| row.units > 0) {
            let sold = month(&row.facets, Dimension::SoldMonth);
            let returned = month(&row.facets, Dimension::Period);
            if let Some((sold, returned)) = sold.zip(returned) {
                // A request is never before the order it is about.
                let age = usize::try_from(returned.since(sold)).unwrap_or(0);
                triangle.returned(sold, age, row.units.into())?;
            }
        }
        Ok(())
    }
}

impl Tally<Desk> {
    /// Counts an order.
    ///
    /// # Errors
    ///
    /// As [`Tally::observe_sale`] and [`Tally::observe_return`]; the tally is then half filled and
    /// must be thrown away.
    pub fn observe_order(&mut self, rows: &OrderRows) -> Result<(), AnalyticsError> {
        rows.sales.iter().try_for_each(|row| self.observe_sale(row))?;
        rows.returns.iter().try_for_each(|row| self.observe_return(row))
    }

    /// Takes an order out again, exactly as it was counted: to count it anew after more of its
    /// events arrived. Everything is whole numbers, so nothing of it stays behind.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::NotCounted`] when the rows were never counted here.
    pub fn take_out_order(&mut self, rows: &OrderRows) -> Result<(), AnalyticsError> {
        let mut counted = Self::new(self.dimensions(), super::tally::MAX_CELLS)?;
        counted.observe_order(rows)?;
        self.take_out(&counted)
    }
}
