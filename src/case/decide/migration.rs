//! Moving the running review of a case to another version of its procedure: an explicit act, never a
//! side effect of new rules.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::super::event::EventFact;
use super::super::refusal::review::ReviewObstacle;
use super::super::review::{ReviewStep, ReviewTerms};
use super::super::state::ReturnCase;
use super::review::{misfit, pinned_over};
use super::{Draft, Scene};
use crate::approval::change::Change;
use crate::approval::step::Step;
use crate::workflow::StateId;
use crate::workflow::migration::plan;

impl Scene<'_> {
    /// The review goes on under the version given, or the last, bound to the case as the same rule binds
    /// it now. Timers that were due have acted under the old version before.
    pub(super) fn migrate_review(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        version: Option<u32>,
        map: &BTreeMap<StateId, StateId>,
    ) {
        let Some(review) = case.running_review() else {
            return draft.refuse(ReviewObstacle::NoReview);
        };
        let Some(old) = self.workflow_of(draft, review) else { return };
        let procedure = &review.standing.pin.workflow;
        let reviews = self.context.rules.reviews();
        let new = reviews.and_then(|reviews| match version {
            Some(version) => reviews.version(procedure, version),
            None => reviews.latest(procedure),
        });
        let Some(new) = new else {
            let (procedure, version) = (procedure.clone(), version.unwrap_or(0));
            return draft.refuse(ReviewObstacle::UnknownProcedure { procedure, version });
        };
        if new.pin() == old.pin() {
            let (procedure, version) = (procedure.clone(), old.pin().version);
            return draft.refuse(ReviewObstacle::SameVersion { procedure, version });
        }
        let terms = reviews.and_then(|reviews| {
            let rules = reviews.draft().rules.iter();
            let mut same = rules.filter(|rule| rule.id == review.terms.rule);
            same.find(|rule| rule.procedure == *procedure).map(ReviewTerms::of)
        });
        let Some(terms) = terms else {
            let rule = review.terms.rule.clone();
            return draft.refuse(ReviewObstacle::UnknownReviewRule { rule });
        };
        let plan = match plan(old, new, map) {
            Ok(plan) => plan,
            Err(defects) => {
                return draft.refuse(ReviewObstacle::Migration { defects });
            }
        };
        let facts = pinned_over(self.facts_for(case, new), review);
        if let Some(fact) = misfit(new, &facts) {
            let procedure = procedure.clone();
            return draft.refuse(ReviewObstacle::ReviewFact { procedure, fact });
        }
        let now = self.context.now;
        let moved = self.with(new, &facts, |context| review.standing.migrate(context, &plan, now));
        let mut steps = match moved {
            Ok(steps) => steps.into_iter(),
            Err(refusal) => {
                return draft.refuse(ReviewObstacle::Procedure(Box::new(refusal)));
            }
        };
        let Some(Step { actor, change, .. }) = steps.next() else { return };
        let decided = match &change {
            // Where the approval is opened again, the state is entered by a step of its own.
            Change::Migrated { token, keeps_node: true, .. } => {
                self.permission(draft, case, &terms, &token.state)
            }
            _ => None,
        };
        let step = ReviewStep { by: actor, change: Box::new(change) };
        let case_id = case.id.clone();
        draft.facts.push(EventFact::ReviewMigrated { case: case_id, terms: terms.clone(), step });
        if let Some(permitted) = decided {
            draft.by_system.insert(draft.facts.len());
            draft.facts.push(permitted);
            return;
        }
        self.take_steps(draft, case, &terms, steps.collect());
    }
}
