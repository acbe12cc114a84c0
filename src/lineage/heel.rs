//! Bulk vessels: what may be left in a tank that counts as empty.
//!
//! In: a vessel, its capacity and a share of it. Out: nothing of its own; traces, the ledger and the
//! bounds follow the declaration from then on. Default: no vessel has a heel, and every earlier
//! filling counts until the vessel is cleaned. The exact rule stands at
//! [`Lineage::declare_heel`]. Always true, and tested: a heel never adds anything to a trace, and
//! the suspect material it neglects is listed in the ledger.

use serde::{Deserialize, Serialize};

use super::Lineage;
use super::event::Item;
use super::graph::{GraphError, NodeIndex};
use super::measure::steps_in;
use crate::number::{Ratio, Rounding};
use crate::quantity::{Quantity, QuantityError, Unit};

/// When a vessel that is filled again counts as empty.
///
/// Practice: a share of the capacity, such as 2 percent; the stricter rule is to have no heel and to
/// count every earlier filling until the vessel is cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heel {
    /// How much the vessel holds when full.
    pub capacity: Quantity,
    /// The share of it that may be left, `0..=1`; the quantity is rounded down to a step.
    pub share: Ratio,
}

/// A heel that cannot be declared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeelError {
    /// Orders are no vessels.
    #[error("{item} is no vessel")]
    NoVessel {
        /// The item.
        item: Item,
    },
    /// The share is below zero or above one.
    #[error("a heel of {share} of the capacity cannot be; use a share from 0 to 1")]
    BadShare {
        /// The share.
        share: Ratio,
    },
    /// The capacity cannot be brought to the unit that the vessel counts in.
    #[error(transparent)]
    Capacity(#[from] QuantityError),
    /// More than 255 base units are in use.
    #[error("the capacity would bring a base unit number 256, {unit}")]
    TooManyUnits {
        /// The unit.
        unit: Unit,
    },
    /// The lineage is full.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl Lineage {
    /// Declares that a vessel counts as empty when it is filled again at or below its heel. A later
    /// declaration replaces an earlier one; a share of zero still counts a drained vessel as empty.
    ///
    /// The rule, exactly: an event that puts something into the vessel and takes nothing out of it
    /// finds the vessel emptied when the vessel was filled before and its book shows no more than the
    /// heel at that moment. The book must be sound: after a line without a quantity, or a taking of
    /// more than was there, the vessel never counts as emptied until it is cleaned. Then:
    ///
    /// - contamination that came with earlier fillings ends, forward and backward;
    /// - the goods of the heel stay on the books; their suspect material is neglected, and listed as
    ///   such in the ledger;
    /// - suspicion of the vessel itself (a source that names it) does not end: only a cleaning ends it.
    ///
    /// Contact sets, composition and flow look at no times and know no heels.
    ///
    /// # Errors
    ///
    /// [`HeelError`]; nothing changes then.
    ///
    /// ```
    /// use aftersale::id::LotId;
    /// use aftersale::lineage::Lineage;
    /// use aftersale::lineage::event::{Item, Units};
    /// use aftersale::lineage::heel::Heel;
    /// use aftersale::number::Ratio;
    /// use aftersale::quantity::{Quantity, Unit};
    /// let mut lineage = Lineage::new(Units::default());
    /// let tank = Item::Lot(LotId::new("OIL-TANK-3")?);
    /// let capacity = Quantity::parse("20000", Unit::known("l")?)?;
    /// lineage.declare_heel(&tank, Heel { capacity, share: Ratio::new(2, 100)? })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn declare_heel(&mut self, vessel: &Item, heel: Heel) -> Result<(), HeelError> {
        if vessel.order().is_some() {
            return Err(HeelError::NoVessel { item: vessel.clone() });
        }
        if heel.share < Ratio::ZERO || heel.share > Ratio::ONE {
            return Err(HeelError::BadShare { share: heel.share });
        }
        let capacity = self.units.to_base(vessel, heel.capacity)?;
        let known = self.base_unit(vessel);
        let unit = known.unwrap_or(capacity.unit());
        let (left, right) = (heel.capacity.unit(), unit);
        let capacity = steps_in(&Ok(capacity), Some(unit));
        let capacity = capacity.ok_or(QuantityError::UnitMismatch { left, right })?;
        let node = self.node_of(vessel)?;
        if known.is_none() {
            self.settle_unit(node, unit).ok_or(HeelError::TooManyUnits { unit })?;
        }
        // A share of at most one of a quantity fits.
        let steps = heel.share.of(capacity, Rounding::Down).unwrap_or(0);
        self.graph.set_heel(NodeIndex(node), steps);
        Ok(())
    }
}
