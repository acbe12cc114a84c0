//! Kits sold as their parts: how many whole kits are back, counted from the ledger of units.

use alloc::vec::Vec;

use super::AfterSale;
use super::ledger::OURS;
use crate::id::OrderLineId;
use crate::inspection::kit::{KitComponent, whole_kits};
use crate::quantity::Quantity;
use crate::sale::draft::KitId;

/// What is back of a kit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitReturn {
    /// Whole kits: the least over the parts, each rounded down.
    pub kits: i64,
    /// What is back of each part, in the order of the kit.
    pub parts: Vec<(OrderLineId, Quantity)>,
}

impl AfterSale {
    /// What is back of a kit over all cases: a part is returned on its own and refunded at its own
    /// price; the kit counts as returned as often as all its parts are.
    ///
    /// None for a kit that the order does not have.
    #[must_use]
    pub fn kit_return(&self, kit: &KitId) -> Option<KitReturn> {
        let sold = self.sale().kits().iter().find(|known| known.id == *kit)?;
        let mut parts = Vec::with_capacity(sold.parts.len());
        let mut components = Vec::with_capacity(sold.parts.len());
        for part in &sold.parts {
            let steps = self.quantities().balance(&part.line)?.over(OURS);
            let returned = Quantity::new(steps, part.per_kit.unit()).ok()?;
            parts.push((part.line.clone(), returned));
            components.push(KitComponent { per_kit: part.per_kit, returned });
        }
        let kits = whole_kits(&components).ok()?;
        Some(KitReturn { kits, parts })
    }
}
