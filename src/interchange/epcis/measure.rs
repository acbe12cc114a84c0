//! From amounts with a UN/CEFACT unit code to quantities.

use alloc::collections::BTreeMap;

use super::{Import, Thing};
use crate::number::Exact;
use crate::quantity::{Quantity, Unit};

/// The unit of each code of a document, fine enough for every amount in it. Lines of one lot must be
/// in one unit: half a gram in one event must not set that lot apart from its kilograms elsewhere.
pub(super) struct Measures<'i>(BTreeMap<Option<&'i str>, Unit>);

impl<'i> Measures<'i> {
    pub(super) fn of(import: &'i Import) -> Self {
        let mut units: BTreeMap<Option<&str>, Unit> = BTreeMap::new();
        for event in &import.events {
            for thing in event.inputs.iter().chain(&event.outputs).chain(&event.objects) {
                let code = thing.unit.as_deref();
                if let Some(unit) = thing.quantity.and_then(|amount| unit_for(amount, code)) {
                    let known = units.entry(code).or_insert(unit);
                    *known = if known.digits() < unit.digits() { unit } else { *known };
                }
            }
        }
        Self(units)
    }

    /// None for a thing without a quantity.
    pub(super) fn quantity(&self, thing: &Thing) -> Option<Quantity> {
        let amount = thing.quantity?;
        let code = thing.unit.as_deref();
        // Too large for the finer unit: its own unit, and a trace says that the two do not fit.
        let listed = self.0.get(&code).and_then(|&unit| quantity(amount, unit));
        listed.or_else(|| quantity(amount, unit_for(amount, code)?))
    }
}

/// Whether an amount can be a quantity: not below zero, at most six decimals, not too large, and in a
/// unit whose code is a word.
pub(super) fn can_count(amount: Exact, code: Option<&str>) -> bool {
    unit_for(amount, code).is_some_and(|unit| quantity(amount, unit).is_some())
}

fn quantity(amount: Exact, unit: Unit) -> Option<Quantity> {
    Quantity::parse(&alloc::format!("{amount}"), unit).ok()
}

/// The usual unit of a code, with more decimals where the amount has them.
fn unit_for(amount: Exact, code: Option<&str>) -> Option<Unit> {
    let usual = usual_unit(code)?;
    let needed = u8::try_from(amount.decimal().normalize().scale()).ok()?;
    if needed <= usual.digits() {
        Some(usual)
    } else {
        Unit::with_digits(usual.code(), needed).ok()
    }
}

/// UN/CEFACT Recommendation 20 codes to units; another code keeps its letters, with six decimals.
/// Without a code, pieces.
fn usual_unit(code: Option<&str>) -> Option<Unit> {
    let name = match code {
        None | Some("H87" | "EA" | "C62" | "PCE") => "pcs",
        Some("KGM") => "kg",
        Some("GRM") => "g",
        Some("LTR") => "l",
        Some("MLT") => "ml",
        Some("MTR") => "m",
        Some("CMT") => "cm",
        Some("MMT") => "mm",
        Some("PR") => "pair",
        Some("SET") => "set",
        Some("BX") => "box",
        Some("CT") => "carton",
        Some(other) => {
            return Unit::with_digits(&other.to_ascii_lowercase(), Unit::MAX_DIGITS).ok();
        }
    };
    Unit::known(name).ok()
}
