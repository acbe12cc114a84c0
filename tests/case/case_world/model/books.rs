//! What was paid for, and what went back of it: every amount worked out from the whole story.

use std::collections::BTreeMap;

use aftersale::case::ledger::Location;
use aftersale::id::{CaseId, Sku};

/// One claim in the story of a payable part.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Units { units: i64, gross: i64 },
    Amount { gross: i64 },
    Grown { paid: i64, units: i64 },
}

/// Something that was paid for: a line, a component of a kit, a charge.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(super) paid: i64,
    pub(super) units: i64,
    pub(super) story: Vec<Told>,
}

/// The story of a part told to its end.
pub(super) struct Standing {
    pub(super) paid: i64,
    pub(super) units: i64,
    pub(super) taken: (i64, i64),
    pub(super) since: (i64, i64),
    pub(super) in_units: bool,
}

impl Part {
    pub(super) fn new(paid: i64, units: i64) -> Self {
        Self { paid, units, story: Vec::new() }
    }

    pub(super) fn standing(&self) -> Standing {
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
    pub(super) fn worth(&self, units: i64) -> i64 {
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

    pub(super) fn is_plain(&self) -> bool {
        self.story.iter().all(|told| matches!(told, Told::Units { .. }))
    }
}

pub(super) fn half_up(over: i128, under: i128) -> i64 {
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

    pub(super) fn left(&self) -> i64 {
        self.parts.values().map(Part::left).sum()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Purse {
    pub(crate) captured: i64,
    pub(crate) outside: i64,
    pub(crate) back: i64,
}

pub(super) fn parts_of(line: &aftersale::sale::Line<'_>) -> BTreeMap<Option<Sku>, Part> {
    if line.frozen.components.is_empty() {
        let paid = line.frozen.paid.gross.minor();
        return [(None, Part::new(paid, line.ordered.quantity.steps()))].into();
    }
    let part = |part: &aftersale::sale::FrozenComponent| {
        (Some(part.sku.clone()), Part::new(part.paid.gross.minor(), part.quantity.steps()))
    };
    line.frozen.components.iter().map(part).collect()
}
