//! The review of a case: the procedure by which people decide it, inside the case's own history.
//!
//! A rule book may send a case through a verified workflow ([`rules::review`](crate::rules::review)).
//! The case then carries the standing of that workflow, every step is an event of the order, and the
//! states the rule names permit or refuse the return. While it is under way nobody decides by hand.
//!
//! Always true, and tested in `tests/case/review.rs`: replaying the events gives the same standing,
//! and a case under review is permitted by its procedure, a ruling, a marketplace's clock or an
//! overruling marketplace, and by nothing else.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::dispute::Dispute;
use super::event::Event;
use super::ground::Ground;
use super::state::{Approval, ReturnCase};
use super::status::is_intercepting;
use crate::approval::change::Change;
use crate::approval::directory::Directory;
use crate::approval::standing::{Phase, Standing};
use crate::condition::Facts;
use crate::id::{CaseId, RuleId};
use crate::rules::review::{Overruling, ReviewRule};
use crate::time::Instant;
use crate::workflow::StateId;
use crate::workflow::canonical::fingerprint;
use crate::workflow::journal::{Actor, CommandRef, ENTRY_SCHEMA, Entry};

/// What a review looks at beside the order and the rules.
///
/// What was looked up of people is recorded in the events; facts that are fixed or that approvals
/// depend on are recorded when the review begins. Facts of the case itself come from the order: where
/// the host states one of the same name, the order's counts.
#[derive(Clone, Copy, Debug)]
pub struct Roster<'a> {
    /// The people.
    pub directory: &'a Directory,
    /// What only the host knows of the case: whether its batch is under recall, what the customer was
    /// granted lately.
    pub facts: &'a Facts,
}

/// The review of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseReview {
    /// How the rule book binds the procedure to the case, as it was when the case was opened or its
    /// review was moved to another version.
    pub terms: ReviewTerms,
    /// Where the procedure stands, and under which definition it runs.
    pub standing: Standing,
    /// The event that moved it last.
    pub moved_by: u64,
}

/// How a rule binds a procedure to a case, pinned when the case is opened and when its review is moved
/// to another version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewTerms {
    /// The rule.
    pub rule: RuleId,
    /// The states that permit the return.
    pub permits: BTreeSet<StateId>,
    /// The states in which money may go back or goods go out; none named means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub settles: BTreeSet<StateId>,
    /// Who may decide by hand meanwhile.
    #[serde(default)]
    pub overruling: Overruling,
}

impl ReviewTerms {
    /// The terms of a rule as it stands.
    #[must_use]
    pub fn of(rule: &ReviewRule) -> Self {
        Self {
            rule: rule.id.clone(),
            permits: rule.permits.clone(),
            settles: rule.settles.clone(),
            overruling: rule.overruling,
        }
    }
}

/// One step of a procedure as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewStep {
    /// Who made it, in the words of the procedure: a person, for whom, or the system, why.
    pub by: Actor,
    /// What changed.
    pub change: Box<Change>,
}

/// The review of a case as the entries of a journal, numbered from 1: for whatever reads journals, such
/// as the exports for process mining. The steps of a case that was split off before stand with the case
/// it was split from.
#[must_use]
pub fn journal(events: &[Event], case: &CaseId) -> Vec<Entry<Change>> {
    let own = events.iter().filter(|event| event.fact.case() == Some(case));
    let steps = own.filter_map(|event| Some((event, event.fact.review_step()?)));
    (1_u64..).zip(steps).map(|(seq, (event, step))| step.entry(seq, event)).collect()
}

impl ReviewStep {
    /// The step as an entry of a journal.
    #[must_use]
    pub fn entry(&self, seq: u64, event: &Event) -> Entry<Change> {
        let by_person = event.cause.timer.is_none();
        let command = by_person.then(|| CommandRef {
            id: event.cause.command.clone(),
            body: fingerprint(&event.cause.digest),
        });
        let (at, actor, body) = (event.at, self.by.clone(), (*self.change).clone());
        Entry { seq, at, actor, command, schema: ENTRY_SCHEMA, body, seal: None }
    }
}

impl CaseReview {
    /// Whether the procedure can still go on.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        match self.standing.phase {
            Phase::Pending | Phase::Returned { .. } | Phase::Stuck { .. } => true,
            Phase::Done | Phase::Withdrawn => false,
        }
    }
}

impl ReturnCase {
    /// The review that goes on: it is under way, the case has not ended, and nothing else decided it. A
    /// ruling does.
    #[must_use]
    pub fn running_review(&self) -> Option<&CaseReview> {
        let review = self.review.as_deref()?;
        let own = match self.approval {
            Approval::Submitted | Approval::NeedsInfo | Approval::Offered => true,
            Approval::Authorized => matches!(self.ground, Some(Ground::Review { .. })),
            Approval::Declined => false,
        };
        let ruled = matches!(self.dispute, Dispute::Ruled { .. });
        (own && !ruled && self.closing.is_none() && review.is_under_way()).then_some(review)
    }

    /// When the review acts by itself; not while the case is on hold or in dispute, nor while an undecided
    /// case waits for a carrier to answer: what was due then acts when that ends.
    #[must_use]
    pub(super) fn review_due(&self) -> Option<Instant> {
        let waits = self.approval != Approval::Authorized && is_intercepting(self);
        if self.held_since.is_some() || self.dispute.is_open() || waits {
            return None;
        }
        self.running_review()?.standing.next_deadline()
    }
}
