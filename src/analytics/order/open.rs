//! Cases of an order that have not ended: what they wait for, and for how long.
//!
//! A review that looks at ended cases alone calls a desk fast that leaves its hard cases lying.

use serde::{Deserialize, Serialize};

use super::{OrderError, View};
use crate::analytics::tally::Facets;
use crate::case::state::ReturnCase;
use crate::case::status::CaseStatus;
use crate::case::timer::stage;
use crate::id::CaseId;
use crate::practice::timer::Stage;
use crate::time::Instant;

/// A case that has not ended, as its events stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenCase {
    /// The case.
    pub case: CaseId,
    /// The codes of its first line.
    pub facets: Facets,
    /// What a person sees.
    pub status: CaseStatus,
    /// What it waits for.
    pub stage: Stage,
    /// When it was opened.
    pub opened_at: Instant,
}

impl OpenCase {
    /// How long it has waited by now, in seconds of [`View::calendar`]'s business hours, or of all
    /// hours without one; 0 before it was opened.
    ///
    /// # Errors
    ///
    /// [`OrderError::Calendar`] for a time outside the calendar.
    pub fn waited(&self, now: Instant, view: &View<'_>) -> Result<u64, OrderError> {
        view.seconds(self.opened_at, now)
    }
}

/// A case, if it is open.
pub(super) fn of_case(case: &ReturnCase, facets: Facets) -> Option<OpenCase> {
    let (id, opened_at) = (case.id.clone(), case.opened_at);
    stage(case).map(|stage| OpenCase { case: id, facets, status: case.status(), stage, opened_at })
}
