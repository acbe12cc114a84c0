//! Lineage: which lot went where, what a recall must reach, and which lot is to blame.
//!
//! In: events (receipts, production, shipments, returns and the rest) in any order, with voids, late
//! events and repeats. Out: traces, shares, recall scopes, suspects, each with what the data hides.
//!
//! Always true, and tested:
//! 1. The same set of entries gives the same answers, in whatever order they arrive. What arrives
//!    first decides only where the entries themselves do not: which of two contents of one id
//!    counts, which of two events of one time and sequence was before, and which of two units
//!    without a factor between them an item counts in.
//! 2. A static trace contains the timed trace; the timed trace is what a recall reaches.
//! 3. Suspect material is conserved: on hand somewhere, scrapped, or listed as not allocated.
//! 4. No answer hides its gaps: every trace lists the breaks and violations on its way.

pub mod audit;
pub mod campaign;
pub mod composition;
pub mod containment;
pub mod draw;
pub mod event;
pub mod evidence;
pub mod fraction;
pub mod graph;
pub mod heel;
pub mod ledger;
mod measure;
pub mod metrics;
mod origin;
pub mod recall;
pub mod record;
pub mod source;
pub mod suspect;
pub mod table;
pub mod trace;
pub mod view;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use audit::Tolerance;
use event::{EventFacts, EventId, Item, Units};
use graph::Graph;

use crate::id::OrderId;
use crate::quantity::{Quantity, Unit};

/// The lineage of a host: every lot event, ready to be asked.
///
/// ```
/// use aftersale::id::{LotId, OrderId};
/// use aftersale::lineage::Lineage;
/// use aftersale::lineage::event::{Event, EventId, EventKind, Item, Line, Units};
/// use aftersale::lineage::source::Source;
/// use aftersale::quantity::Quantity;
/// use aftersale::time::Instant;
///
/// let lot = |id| Ok::<_, aftersale::id::IdError>(Item::Lot(LotId::new(id)?));
/// let cells = lot("CELL-7")?;
/// let phones = lot("PHONE-1")?;
/// let order = Item::Order(OrderId::new("SO-9")?);
/// let ten = Quantity::pieces(10)?;
/// let one = Quantity::pieces(1)?;
///
/// let mut lineage = Lineage::new(Units::default());
/// for event in [
///     Event::new(EventId::new("R1")?, Instant::from_timestamp(1_772_352_000, 0).ok_or("range")?, EventKind::Receive)
///         .output(Line::new(cells.clone(), ten)),
///     Event::new(EventId::new("M1")?, Instant::from_timestamp(1_772_438_400, 0).ok_or("range")?, EventKind::Make)
///         .input(Line::new(cells.clone(), ten))
///         .output(Line::new(phones.clone(), ten)),
///     Event::new(EventId::new("S1")?, Instant::from_timestamp(1_772_524_800, 0).ok_or("range")?, EventKind::Ship)
///         .input(Line::new(phones, one))
///         .output(Line::new(order.clone(), one)),
/// ] {
///     lineage.record(&event.check()?)?;
/// }
/// let trace = lineage.forward(&[Source::item(cells)]);
/// assert_eq!(trace.orders().collect::<Vec<_>>(), [&OrderId::new("SO-9")?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    units: Units,
    graph: Graph,
    items: Vec<Item>,
    indices: BTreeMap<Item, u32>,
    base_units: Vec<Unit>,
    event_ids: Vec<EventId>,
    stored: BTreeMap<EventId, record::Stored>,
    voided: BTreeSet<EventId>,
    facts: BTreeMap<u32, EventFacts>,
    order_lines: BTreeMap<OrderId, Vec<u32>>,
    inspections: BTreeMap<EventId, Vec<u32>>,
    origins: origin::Origins,
    mismatches: BTreeMap<u32, Vec<measure::Mismatch>>,
    tolerance: Tolerance,
}

impl Lineage {
    /// An empty lineage with its rules for units.
    #[must_use]
    pub fn new(units: Units) -> Self {
        Self { units, ..Self::default() }
    }

    /// The same lineage with another tolerance for imbalances of quantity (default: none).
    #[must_use]
    pub const fn with_tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The dense graph below.
    #[must_use]
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The item of a node.
    ///
    /// Every node of [`Lineage::graph`] has one.
    #[must_use]
    pub fn item(&self, node: graph::NodeIndex) -> Option<&Item> {
        self.items.get(node.0 as usize)
    }

    /// The node of an item, once an event has named it.
    #[must_use]
    pub fn node(&self, item: &Item) -> Option<graph::NodeIndex> {
        self.indices.get(item).copied().map(graph::NodeIndex)
    }

    /// The id of an event of the graph.
    #[must_use]
    pub fn event_id(&self, event: graph::EventIndex) -> Option<&EventId> {
        self.event_ids.get(event.0 as usize)
    }

    /// The unit that an item counts in, once a quantity of it was recorded.
    #[must_use]
    pub fn base_unit(&self, item: &Item) -> Option<Unit> {
        let node = self.node(item)?;
        self.unit_of(node.0)
    }

    pub(crate) fn unit_of(&self, node: u32) -> Option<Unit> {
        let code = usize::from(self.graph.unit(node)).checked_sub(1)?;
        self.base_units.get(code).copied()
    }

    pub(crate) fn quantity_of(&self, node: u32, steps: i64) -> Option<Quantity> {
        Quantity::new(steps, self.unit_of(node)?).ok()
    }
}
