//! What happened to lots: one event per movement, with what went in and what came out.
//!
//! In: the host's records of receipts, production, shipments, returns. Out: checked events. Always
//! true: the lines of an event fit its kind (a shipment ends in orders, scrap puts nothing out).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{CustomerId, LotId, OrderId, OrderLineId, SerialId, Sku, SupplierId, text_ids};
use crate::label::codes;
use crate::quantity::{Quantity, QuantityError, UnitTable};
use crate::time::Instant;

text_ids! {
    /// An event of the lineage; the same id is the same event.
    EventId = "lot event id";
    /// A production line, machine or work center.
    LineId = "production line id";
    /// A place where goods are handled.
    PlaceId = "place id";
    /// A document of the host: a delivery note, a production order, an inspection report.
    DocumentId = "document id";
}

codes! {
    /// What an event did.
    pub enum EventKind "lot event kind" {
        /// Goods came in from a supplier.
        Receive = "receive", "Receipt", "收货";
        /// Goods were looked at; nothing moved. The inspected items stand as inputs.
        Inspect = "inspect", "Inspection", "检验";
        /// Inputs became outputs.
        Make = "make", "Production", "生产";
        /// One item became several of its kind.
        Split = "split", "Split", "拆分";
        /// Several items became one of their kind.
        Merge = "merge", "Merge", "合并";
        /// Goods changed their package or article number.
        Repack = "repack", "Repacking", "换包装";
        /// Goods were repaired or run again; an item may be input and output.
        Rework = "rework", "Rework", "返工";
        /// Goods left for orders.
        Ship = "ship", "Shipment", "发货";
        /// Goods came back from orders.
        Return = "return", "Return", "退货";
        /// Goods were destroyed, on record.
        Scrap = "scrap", "Scrap", "报废";
        /// A count was corrected: found (outputs) or lost (inputs).
        Adjust = "adjust", "Adjustment", "盘点调整";
        /// A vessel was emptied and cleaned: what comes later is not touched by what was in it.
        Clean = "clean", "Cleaning", "清洗";
    }
}

impl EventKind {
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn of_number(number: u8) -> Self {
        use crate::label::Coded;
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Make)
    }
}

/// A thing that lineage follows. All kinds share one space of nodes.
///
/// On the wire `{"lot":"MILK-0412"}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A lot. Where lot numbers repeat between articles, the id holds both.
    Lot(LotId),
    /// One unit with a number of its own; it counts as one piece when no quantity is given.
    Serial(SerialId),
    /// An article without lot or serial: a trace through it is broken, and says so.
    Article(Sku),
    /// An order of a customer.
    Order(OrderId),
    /// One line of an order, for orders whose lines have different units.
    OrderLine(OrderId, OrderLineId),
}

impl Item {
    /// The order, when the item is one or a line of one.
    #[must_use]
    pub fn order(&self) -> Option<&OrderId> {
        match self {
            Self::Order(order) | Self::OrderLine(order, _) => Some(order),
            Self::Lot(_) | Self::Serial(_) | Self::Article(_) => None,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lot(id) => write!(f, "lot {id}"),
            Self::Serial(id) => write!(f, "serial {id}"),
            Self::Article(id) => write!(f, "article {id}"),
            Self::Order(id) => write!(f, "order {id}"),
            Self::OrderLine(id, line) => write!(f, "order {id} line {line}"),
        }
    }
}

/// One line of an event: an item and how much of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The item.
    pub item: Item,
    /// How much; without it, only traces (not quantities and shares) work through this line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
}

impl Line {
    /// A line with a quantity.
    #[must_use]
    pub const fn new(item: Item, quantity: Quantity) -> Self {
        Self { item, quantity: Some(quantity) }
    }

    /// A line without a quantity (one piece for a serial).
    #[must_use]
    pub const fn unmeasured(item: Item) -> Self {
        Self { item, quantity: None }
    }
}

/// Who, where and by which paper; none of it changes a trace, all of it can start one or be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventFacts {
    /// Who delivered, on a receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<SupplierId>,
    /// Who ordered, on a shipment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The production line or machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
    /// The place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceId>,
    /// The paper behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentId>,
}

impl EventFacts {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One movement of goods, as the host records it.
///
/// A value has lines that fit its kind; see [`Event::new`].
///
/// ```
/// use aftersale::id::{LotId, OrderId};
/// use aftersale::lineage::event::{Event, EventError, EventId, EventKind, Item, Line};
/// use aftersale::quantity::{Quantity, Unit};
/// use aftersale::time::Instant;
/// let milk = Item::Lot(LotId::new("MILK-0412")?);
/// let order = Item::Order(OrderId::new("SO-17")?);
/// let six = Quantity::parse("6", Unit::known("l")?)?;
/// let at = Instant::from_timestamp(1_775_980_800, 0).ok_or("range")?;
/// let shipped = Event::new(EventId::new("E-1")?, at, EventKind::Ship)
///     .input(Line::new(milk, six))
///     .output(Line::new(order, six))
///     .check()?;
/// assert_eq!(shipped.kind(), EventKind::Ship);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "EventDraft", into = "EventDraft")]
pub struct Event(EventDraft);

/// An event as written, not yet checked against its kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventDraft {
    /// The host's id; sending it again is harmless.
    pub id: EventId,
    /// When it happened (not when it was recorded).
    pub at: Instant,
    /// Decides between events of one instant; lower first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sequence: u32,
    /// What happened.
    pub kind: EventKind,
    /// What went in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Line>,
    /// What came out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Line>,
    /// Who, where and by which paper.
    #[serde(default, skip_serializing_if = "EventFacts::is_empty")]
    pub facts: EventFacts,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(sequence: &u32) -> bool {
    *sequence == 0
}

/// The most lines of one event, inputs and outputs together.
pub const MAX_LINES: usize = 100_000;

/// Lines that do not fit the kind of their event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// The kind needs other lines.
    #[error("event {event} of kind {kind} needs {needs}")]
    Lines {
        /// The event.
        event: EventId,
        /// Its kind.
        kind: EventKind,
        /// What the kind needs, in words.
        needs: &'static str,
    },
    /// There are more than [`MAX_LINES`] lines.
    #[error("event {event} has {lines} lines, at most {MAX_LINES} are allowed")]
    TooManyLines {
        /// The event.
        event: EventId,
        /// The number found.
        lines: usize,
    },
}

impl Event {
    /// Starts a draft.
    #[expect(clippy::new_ret_no_self, reason = "a draft becomes an event by its check")]
    #[must_use]
    pub fn new(id: EventId, at: Instant, kind: EventKind) -> EventDraft {
        let facts = EventFacts::default();
        EventDraft { id, at, sequence: 0, kind, inputs: Vec::new(), outputs: Vec::new(), facts }
    }

    /// The id.
    #[must_use]
    pub const fn id(&self) -> &EventId {
        &self.0.id
    }

    /// What happened.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        self.0.kind
    }

    /// All parts, to read.
    #[must_use]
    pub const fn parts(&self) -> &EventDraft {
        &self.0
    }
}

impl EventDraft {
    /// Adds an input line.
    #[must_use]
    pub fn input(mut self, line: Line) -> Self {
        self.inputs.push(line);
        self
    }

    /// Adds an output line.
    #[must_use]
    pub fn output(mut self, line: Line) -> Self {
        self.outputs.push(line);
        self
    }

    /// Sets who, where and by which paper.
    #[must_use]
    pub fn facts(mut self, facts: EventFacts) -> Self {
        self.facts = facts;
        self
    }

    /// Sets the place among events of one instant.
    #[must_use]
    pub const fn sequence(mut self, sequence: u32) -> Self {
        self.sequence = sequence;
        self
    }

    /// Checks the lines against the kind.
    ///
    /// # Errors
    ///
    /// [`EventError`].
    pub fn check(self) -> Result<Event, EventError> {
        let lines = self.inputs.len().saturating_add(self.outputs.len());
        if lines > MAX_LINES {
            return Err(EventError::TooManyLines { event: self.id, lines });
        }
        match self.missing() {
            Some(needs) => Err(EventError::Lines { event: self.id, kind: self.kind, needs }),
            None => Ok(Event(self)),
        }
    }

    fn missing(&self) -> Option<&'static str> {
        let (ins, outs) = (self.inputs.len(), self.outputs.len());
        let no_orders = |lines: &[Line]| lines.iter().all(|line| line.item.order().is_none());
        let orders = |lines: &[Line]| lines.iter().all(|line| line.item.order().is_some());
        let goods = no_orders(&self.inputs) && no_orders(&self.outputs);
        let (fits, needs) = match self.kind {
            EventKind::Receive => (outs > 0 && goods, "at least one output, and no orders"),
            EventKind::Inspect => (ins > 0 && outs == 0 && goods, "inputs only, and no orders"),
            EventKind::Make | EventKind::Repack | EventKind::Rework => {
                (outs > 0 && goods, "at least one output, and no orders")
            }
            EventKind::Split => {
                (ins == 1 && outs > 0 && goods, "one input, at least one output, and no orders")
            }
            EventKind::Merge => {
                (ins > 0 && outs == 1 && goods, "at least one input, one output, and no orders")
            }
            EventKind::Ship => (
                ins > 0 && outs > 0 && no_orders(&self.inputs) && orders(&self.outputs),
                "goods as inputs and orders as outputs",
            ),
            EventKind::Return => (
                ins > 0 && outs > 0 && orders(&self.inputs) && no_orders(&self.outputs),
                "orders as inputs and goods as outputs",
            ),
            EventKind::Scrap | EventKind::Clean => {
                (ins > 0 && outs == 0 && goods, "inputs only, and no orders")
            }
            EventKind::Adjust => ((ins == 0) != (outs == 0) && goods, "either inputs or outputs"),
        };
        (!fits).then_some(needs)
    }
}

impl TryFrom<EventDraft> for Event {
    type Error = EventError;
    fn try_from(draft: EventDraft) -> Result<Self, EventError> {
        draft.check()
    }
}

impl From<Event> for EventDraft {
    fn from(event: Event) -> Self {
        event.0
    }
}

/// One entry of the host's log: an event, or the word that one never happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// Something happened.
    Event(Event),
    /// The event of that id never happened; may arrive before the event itself.
    Void(EventId),
}

/// How quantities are brought to one unit per item, exactly.
///
/// An item counts in the base of its own table if it has one; else in the base of the first common
/// table that knows the unit of its first line; else in that unit itself. The first line is the first
/// that was recorded and was not voided. Lines in the same unit with other decimals fit without a
/// table, unless something would have to be rounded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Units {
    /// Tables for every item, such as kilograms and grams.
    #[serde(default)]
    pub common: Vec<UnitTable>,
    /// Tables of single items, such as the weight of one piece of an article.
    #[serde(default, with = "pairs")]
    pub items: BTreeMap<Item, UnitTable>,
}

impl Units {
    /// The quantity in the base unit that an item would count in.
    pub(crate) fn to_base(
        &self,
        item: &Item,
        quantity: Quantity,
    ) -> Result<Quantity, QuantityError> {
        if let Some(table) = self.items.get(item) {
            return table.to_base(quantity);
        }
        let knows = |table: &&UnitTable| table.to_base(Quantity::zero(quantity.unit())).is_ok();
        match self.common.iter().find(knows) {
            Some(table) => table.to_base(quantity),
            None => Ok(quantity),
        }
    }
}

/// A map whose keys are not text, written as a list of pairs.
mod pairs {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::Item;
    use crate::quantity::UnitTable;

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<Item, UnitTable>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Item, UnitTable>, D::Error> {
        Ok(Vec::<(Item, UnitTable)>::deserialize(from)?.into_iter().collect())
    }
}
