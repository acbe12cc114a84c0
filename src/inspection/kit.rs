//! Kits and bundles: how many whole kits the returned components make.

use super::KitError;
use crate::quantity::Quantity;

/// One component of a kit: how much one kit holds, and how much came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KitComponent {
    /// How much one kit holds, above zero.
    pub per_kit: Quantity,
    /// How much came back.
    pub returned: Quantity,
}

/// How many whole kits came back: the least over the components, each rounded down.
///
/// A kit without components has none that could come back: zero.
///
/// ```
/// use aftersale::inspection::kit::{KitComponent, whole_kits};
/// use aftersale::quantity::Quantity;
/// // A tea set is one pot and six cups; two pots and eleven cups came back.
/// let pot = KitComponent { per_kit: Quantity::pieces(1)?, returned: Quantity::pieces(2)? };
/// let cups = KitComponent { per_kit: Quantity::pieces(6)?, returned: Quantity::pieces(11)? };
/// assert_eq!(whole_kits(&[pot, cups])?, 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`KitError`] when a component is counted in two units, or a kit holds nothing of it.
pub fn whole_kits(components: &[KitComponent]) -> Result<i64, KitError> {
    let mut least = None;
    for KitComponent { per_kit, returned } in components {
        if per_kit.unit() != returned.unit() {
            return Err(KitError::TwoUnits { per_kit: *per_kit, returned: *returned });
        }
        let whole = returned.steps().checked_div(per_kit.steps()).ok_or(KitError::Nothing)?;
        least = Some(least.map_or(whole, |least: i64| least.min(whole)));
    }
    Ok(least.unwrap_or(0))
}
