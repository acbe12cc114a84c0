//! Reviews and surveys: what people decide by a procedure, and what customers answer.

use aftersale::approval::change::Change;
use aftersale::approval::node::Vote;
use aftersale::case::actor::Role;
use aftersale::case::dispute::Ruling;
use aftersale::case::event::{Event, EventFact};
use aftersale::case::ground::Ground;
use aftersale::rules::review::Overruling;
use aftersale::workflow::journal::Actor;

use super::cases::{Case, Quarrel, Reviewing, Said};
use super::{Broken, Held, Model, hold, name};

impl Model<'_> {
    /// Follows the steps of a review; a survey is answered once.
    pub(super) fn reviewed(&mut self, event: &Event) -> Held {
        let id = event.fact.case().unwrap();
        let Some(case) = self.cases.get_mut(id) else {
            return Err(Broken { invariant: 43, what: format!("an event of unknown case {id}") });
        };
        match &event.fact {
            EventFact::SurveyRecorded { survey, .. } => {
                hold!(51, case.answered.insert(survey.clone()), "{survey} is answered twice");
            }
            EventFact::ReviewStarted { terms, step, .. } => {
                let Change::Submitted { requester, pin, initial, .. } = &*step.change else {
                    return Err(Broken { invariant: 29, what: "a review of nothing".into() });
                };
                hold!(29, case.review.is_none(), "{id} is reviewed twice");
                hold!(42, *requester == event.actor.id, "{requester} asks for another");
                case.review = Some(Reviewing {
                    requester: requester.clone(),
                    version: pin.version,
                    state: initial.clone(),
                    over: false,
                    terms: terms.clone(),
                });
            }
            EventFact::ReviewMoved { step, .. } => {
                let (quarrel, held) = (case.quarrel, case.held);
                let Some(review) = &mut case.review else {
                    return Err(Broken { invariant: 29, what: "a step of no review".into() });
                };
                match &*step.change {
                    Change::Moved { moved, .. } => {
                        review.state = moved.to.state.clone();
                        review.over = moved.to.outcome.is_some();
                    }
                    Change::Withdrawn => review.over = true,
                    Change::Voted { vote, .. } => {
                        let person = match &step.by {
                            Actor::Human { person, .. } => Some(person),
                            Actor::System(_) => None,
                        };
                        let own = person == Some(&review.requester) && *vote == Vote::Approve;
                        hold!(42, !own, "{} approves what they asked for", review.requester);
                        let quiet = matches!(quarrel, Quarrel::Open { .. }) || held.is_some();
                        hold!(40, !quiet || person.is_none(), "a vote in a dispute or on hold");
                    }
                    Change::Migrated { .. } => {
                        hold!(49, false, "a review moves to another version by the way");
                    }
                    _ => {}
                }
            }
            EventFact::ReviewMigrated { step, terms, .. } => {
                let Some(review) = &mut case.review else {
                    return Err(Broken { invariant: 29, what: "a move of no review".into() });
                };
                let Change::Migrated { pin, token, .. } = &*step.change else {
                    return Err(Broken { invariant: 49, what: "a move to nowhere".into() });
                };
                hold!(49, pin.version != review.version, "moved to version {}", pin.version);
                review.version = pin.version;
                review.state = token.state.clone();
                review.terms = terms.clone();
            }
            _ => {}
        }
        Ok(())
    }
}

/// While people decide by a procedure nobody else does, but a clock, a ruling, and a marketplace that
/// may; and money waits for the state that lets it go.
pub(super) fn by_procedure(case: &Case, event: &Event) -> Held {
    let Some(review) = &case.review else { return Ok(()) };
    let overrules =
        review.terms.overruling == Overruling::Marketplace && event.actor.role == Role::Platform;
    match &event.fact {
        EventFact::ReturnAuthorized { ground: Ground::Review { state, .. }, .. } => {
            let permits = review.terms.permits.contains(state) && review.state == *state;
            hold!(29, permits, "permitted by `{state}`, and the review is at `{}`", review.state);
        }
        EventFact::ReturnAuthorized { .. }
        | EventFact::ResolutionOffered { .. }
        | EventFact::ReturnDeclined { .. }
            if case.is_under_review() =>
        {
            let free = overrules || event.cause.timer.is_some();
            hold!(29, free, "{} while people decide", name(event));
        }
        EventFact::ReturnDeclined { .. } if case.said != Said::Declined => {
            let free = overrules || event.cause.timer.is_some();
            let refused = review.over && !review.terms.permits.contains(&review.state);
            let by_hand = !case.is_under_review() && !review.over;
            hold!(29, free || refused || by_hand, "refused at `{}`", review.state);
        }
        EventFact::RefundPlanned { .. } | EventFact::ReplacementPlanned { .. } => {
            let settles = &review.terms.settles;
            let ruled = matches!(case.quarrel, Quarrel::Ruled { ruling: Ruling::ForCustomer, .. });
            let waits =
                case.by_review && !ruled && !settles.is_empty() && !settles.contains(&review.state);
            let free = overrules || event.cause.timer.is_some();
            hold!(33, !waits || free, "{} at `{}`", name(event), review.state);
        }
        _ => {}
    }
    Ok(())
}
