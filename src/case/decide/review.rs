//! Reviews: people decide a case by a verified procedure, whose steps are facts of the case.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use super::super::actor::Role;
use super::super::dispute::{Dispute, Ruling};
use super::super::event::{Event, EventFact};
use super::super::evolve::preview;
use super::super::ground::Ground;
use super::super::refusal::Obstacle;
use super::super::refusal::review::ReviewObstacle;
use super::super::review::{CaseReview, ReviewStep, ReviewTerms};
use super::super::state::ReturnCase;
use super::facts::case_facts;
use super::opening::{is_undecided, released};
use super::{Draft, Scene};
use crate::approval::change::Change;
use crate::approval::command::{Context as ReviewContext, Order};
use crate::approval::standing::Standing;
use crate::approval::step::Step;
use crate::condition::Facts;
use crate::explain::{Effect, Fact, Finding, RuleRef};
use crate::id::{CaseId, FactName};
use crate::reason::attribute::PolicyBasis;
use crate::rules::review::{Overruling, REASON_KIND, Reviews};
use crate::time::Instant;
use crate::workflow::compiled::Workflow;
use crate::workflow::hours::OpeningHours;
use crate::workflow::journal::Actor;
use crate::workflow::{EventName, StateId};

impl<'a> Scene<'a> {
    /// Starts the procedure that the rules ask for, on the case as it is just being opened.
    pub(super) fn start_review(&self, draft: &mut Draft, id: &CaseId) {
        let Some(reviews) = self.context.rules.reviews() else { return };
        if !draft.obstacles.is_empty() {
            return;
        }
        let Some(case) = self.opened(draft, id) else { return };
        let facts = self.facts(&case, &Facts::new());
        let Some(rule) = reviews.rule(&facts) else { return };
        let Some(workflow) = reviews.latest(&rule.procedure) else { return };
        let requester = &self.envelope.actor.id;
        let (facts, now) = (self.facts_for(&case, workflow), self.context.now);
        if let Some(fact) = misfit(workflow, &facts) {
            let procedure = rule.procedure.clone();
            return draft.refuse(ReviewObstacle::ReviewFact { procedure, fact });
        }
        let begun = self
            .with(workflow, &facts, |context| Standing::begin(context, &case.id, requester, now));
        let steps = match begun {
            Ok(steps) => steps,
            Err(refusal) => {
                return draft.refuse(ReviewObstacle::Procedure(Box::new(refusal)));
            }
        };
        draft.findings.push(
            Finding::new(RuleRef::new(rule.id.clone()), Effect::Requires)
                .about(&case.id)
                .required(Fact::code(&rule.procedure)),
        );
        let terms = ReviewTerms::of(rule);
        let mut steps = steps.into_iter();
        let Some(first) = steps.next() else { return };
        let step = ReviewStep { by: first.actor, change: Box::new(first.change) };
        draft.facts.push(EventFact::ReviewStarted {
            case: case.id.clone(),
            terms: terms.clone(),
            step,
        });
        self.take_steps(draft, &case, &terms, steps.collect());
    }

    /// Carries out what a person asks of the procedure.
    pub(super) fn review(&self, draft: &mut Draft, case: &ReturnCase, order: &Order) {
        let Some(review) = case.running_review() else {
            return draft.refuse(ReviewObstacle::NoReview);
        };
        let Some(workflow) = self.workflow_of(draft, review) else { return };
        let facts = self.facts_for(case, workflow);
        if let Some(fact) = misfit(workflow, &facts) {
            let procedure = review.standing.pin.workflow.clone();
            return draft.refuse(ReviewObstacle::ReviewFact { procedure, fact });
        }
        let (person, now) = (&self.envelope.actor.id, self.context.now);
        let obeyed = self
            .with(workflow, &facts, |context| review.standing.obey(context, person, now, order));
        match obeyed {
            Ok(steps) => self.take_steps(draft, case, &review.terms, steps),
            Err(refusal) => {
                draft.refuse(ReviewObstacle::Procedure(Box::new(refusal)));
            }
        }
    }

    /// Lets the timers of the procedure act; nothing when it cannot.
    pub(super) fn tick_review(&self, draft: &mut Draft, case: &ReturnCase, at: Instant) {
        let Some(review) = case.running_review() else { return };
        let Some(workflow) = self.workflow_of(draft, review) else { return };
        let facts = pinned_over(self.facts_for(case, workflow), review);
        if let Some(fact) = misfit(workflow, &facts) {
            let procedure = review.standing.pin.workflow.clone();
            return draft.refuse(ReviewObstacle::ReviewFact { procedure, fact });
        }
        match self.with(workflow, &facts, |context| review.standing.tick(context, at)) {
            Ok(steps) => self.take_steps(draft, case, &review.terms, steps),
            Err(refusal) => {
                draft.refuse(ReviewObstacle::Procedure(Box::new(refusal)));
            }
        }
    }

    /// What happened to the goods, the money or the proof may be what the procedure waits for. It never
    /// stands in the way of the fact itself.
    pub(super) fn tell_review(&self, draft: &mut Draft, id: &CaseId) {
        let Some(case) = self.order.cases.get(id) else { return };
        let events: Vec<EventName> = draft.facts.iter().filter_map(told).collect();
        if events.is_empty() || case.running_review().is_none() {
            return;
        }
        for event in events {
            // The case as the facts of this decision so far leave it.
            let Some(case) = self.opened(draft, id) else { return };
            let Some(review) = case.running_review() else { return };
            let mut quiet = Draft::default();
            let Some(workflow) = self.workflow_of(&mut quiet, review) else { return };
            let facts = pinned_over(self.facts_for(&case, workflow), review);
            let now = self.context.now;
            if let Some(fact) = misfit(workflow, &facts) {
                let rule = RuleRef::new(review.terms.rule.clone());
                let missing = Finding::new(rule, Effect::Warns).about(&case.id);
                draft.findings.push(missing.required(Fact::code(fact)));
                return;
            }
            let occurred =
                self.with(workflow, &facts, |context| review.standing.occur(context, now, &event));
            let mut taken = Draft::default();
            let said = match occurred {
                Ok(steps) => {
                    self.take_steps(&mut taken, &case, &review.terms, steps);
                    taken.obstacles.first().map(|obstacle| format!("{obstacle}"))
                }
                Err(refusal) => Some(format!("{refusal}")),
            };
            match said {
                None => draft.append(taken),
                Some(said) => draft.findings.push(
                    Finding::new(RuleRef::new(review.terms.rule.clone()), Effect::Warns)
                        .about(&case.id)
                        .observed(Fact::Text(said)),
                ),
            }
        }
    }

    /// Nobody decides by hand while a procedure does, but a marketplace that may overrule it.
    pub(super) fn left_to_review(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        act: &'static str,
    ) -> bool {
        let Some(review) = case.running_review() else { return false };
        let overrules = review.terms.overruling == Overruling::Marketplace
            && self.envelope.actor.role == Role::Platform;
        if !overrules {
            draft.refuse(in_the_way(review, act));
        }
        !overrules
    }

    /// What people are deciding about keeps its shape until they have decided, or the customer takes the
    /// request back.
    pub(super) fn fixed_by_review(&self, draft: &mut Draft, case: &ReturnCase, act: &'static str) {
        if let Some(review) = case.running_review() {
            draft.refuse(in_the_way(review, act));
        }
    }

    /// A procedure that has a say in settling keeps money and goods back until it stands where it lets
    /// them go. A case that something else permitted, or that was ruled for the customer, is not held up.
    pub(super) fn keeps_back(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        act: &'static str,
    ) -> bool {
        let Some(review) = case.review.as_deref() else { return false };
        let permitted = matches!(case.ground, Some(Ground::Review { .. }));
        let overrules = review.terms.overruling == Overruling::Marketplace
            && self.envelope.actor.role == Role::Platform;
        // A ruling for the customer decides that too.
        let for_customer =
            matches!(case.dispute, Dispute::Ruled { ruling: Ruling::ForCustomer, .. });
        let settles = &review.terms.settles;
        let keeps = permitted
            && !for_customer
            && !settles.is_empty()
            && !settles.contains(&review.standing.token.state)
            && !overrules;
        if keeps {
            draft.refuse(in_the_way(review, act));
        }
        keeps
    }

    /// Notes steps, and what they mean for the case.
    pub(super) fn take_steps(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        terms: &ReviewTerms,
        steps: Vec<Step>,
    ) {
        let mut undecided = is_undecided(case.approval);
        for Step { actor, change, .. } in steps {
            let by_system = matches!(actor, Actor::System(_));
            let decided = if undecided { self.meaning(draft, case, terms, &change) } else { None };
            undecided = undecided && decided.is_none();
            let step = ReviewStep { by: actor, change: Box::new(change) };
            let moved = EventFact::ReviewMoved { case: case.id.clone(), step };
            for fact in core::iter::once(moved).chain(decided) {
                if by_system {
                    draft.by_system.insert(draft.facts.len());
                }
                draft.facts.push(fact);
            }
        }
    }

    /// What a step means for a case that is not decided yet.
    fn meaning(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        terms: &ReviewTerms,
        change: &Change,
    ) -> Option<EventFact> {
        let id = case.id.clone();
        if *change == Change::Withdrawn {
            // Nobody knows yet where goods are that are called back.
            self.nothing_called_back(draft, case);
            return Some(EventFact::CaseWithdrawn { case: id, postings: released(case) });
        }
        let Change::Moved { moved, .. } = change else { return None };
        if let Some(permitted) = self.permission(draft, case, terms, &moved.to.state) {
            return Some(permitted);
        }
        let outcome = moved.to.outcome.as_ref()?;
        self.nothing_called_back(draft, case);
        let (note, postings) = (format!("{}: {outcome}", terms.rule), released(case));
        Some(EventFact::ReturnDeclined { case: id, note, postings })
    }

    /// What entering a state permits, where the case is not decided yet.
    pub(super) fn permission(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        terms: &ReviewTerms,
        state: &StateId,
    ) -> Option<EventFact> {
        if !is_undecided(case.approval) || !terms.permits.contains(state) {
            return None;
        }
        let way_back = self.way_back(draft, case, case.resolution);
        let ground = Ground::Review { rule: terms.rule.clone(), state: state.clone() };
        Some(EventFact::ReturnAuthorized { case: case.id.clone(), ground, way_back })
    }

    pub(super) fn workflow_of(
        &self,
        draft: &mut Draft,
        review: &CaseReview,
    ) -> Option<&'a Workflow> {
        let pin = &review.standing.pin;
        let reviews = self.context.rules.reviews();
        let found = reviews.and_then(|reviews| reviews.pinned(pin));
        if found.is_none() {
            let (procedure, version) = (pin.workflow.clone(), pin.version);
            draft.refuse(ReviewObstacle::UnknownProcedure { procedure, version });
        }
        found
    }

    pub(super) fn with<T>(
        &self,
        workflow: &Workflow,
        facts: &Facts,
        act: impl FnOnce(&ReviewContext<'_>) -> T,
    ) -> T {
        let never = OpeningHours::default();
        let hours = self.context.rules.reviews().map_or(&never, Reviews::hours);
        let directory = self.roster.directory;
        act(&ReviewContext { workflow, facts, directory, hours, hash: None })
    }

    /// A case with the facts decided so far.
    pub(super) fn opened(&self, draft: &Draft, id: &CaseId) -> Option<ReturnCase> {
        let events: Vec<Event> = draft.facts.iter().map(|fact| self.event(fact.clone())).collect();
        preview(self.order, id, &events)
    }

    /// The facts that the procedure declares.
    pub(super) fn facts_for(&self, case: &ReturnCase, workflow: &Workflow) -> Facts {
        let all = self.facts(case, self.roster.facts);
        let declared = workflow.draft().facts.keys();
        declared.filter_map(|name| Some((name.clone(), all.get(name)?.clone()))).collect()
    }

    /// What the host knows, and over it what the order says.
    fn facts(&self, case: &ReturnCase, stated: &Facts) -> Facts {
        let mut facts = stated.clone();
        let own = case_facts(self.order, Some(self.order.sale.currency()), case);
        for (name, fact) in own.iter() {
            facts.set(name.clone(), fact.clone());
        }
        let kind = Fact::code(self.reason_kind(case));
        facts.set(FactName::fixed(REASON_KIND), kind);
        facts
    }

    /// `quality` when a reason is that goods are not as agreed, `no_reason` when all of them withdraw
    /// without one.
    fn reason_kind(&self, case: &ReturnCase) -> &'static str {
        let taxonomy = self.context.rules.taxonomy();
        let said = case.lines.iter().flat_map(|line| line.reasons.assertions());
        let bases: Vec<PolicyBasis> =
            said.filter_map(|said| Some(taxonomy.reason(&said.code)?.policy_basis)).collect();
        if bases.contains(&PolicyBasis::Nonconformity) {
            "quality"
        } else if !bases.is_empty() && bases.iter().all(|b| *b == PolicyBasis::Withdrawal) {
            "no_reason"
        } else {
            "other"
        }
    }
}

/// Facts that are fixed or that approvals depend on, as they were when the review began.
pub(super) fn pinned_over(mut facts: Facts, review: &CaseReview) -> Facts {
    for (name, fact) in review.standing.facts.facts().iter() {
        facts.set(name.clone(), fact.clone());
    }
    facts
}

/// A declared fact that nobody stated, or not as declared: a missing fact must not decide the way.
pub(super) fn misfit(workflow: &Workflow, facts: &Facts) -> Option<FactName> {
    workflow.draft().schema_of_facts().misfit(facts).cloned()
}

fn in_the_way(review: &CaseReview, act: &'static str) -> Obstacle {
    let procedure = review.standing.pin.workflow.clone();
    let state = review.standing.token.state.clone();
    Obstacle::Review(ReviewObstacle::UnderReview { procedure, state, act })
}

/// What the procedure may wait for, by the name of the event that moves it.
fn told(fact: &EventFact) -> Option<EventName> {
    let name = if let EventFact::GoodsSentBack { .. } = fact {
        "goods_sent"
    } else if let EventFact::GoodsReceived { .. } = fact {
        "received"
    } else if let EventFact::UnitsInspected { .. } = fact {
        "inspected"
    } else if let EventFact::UnitsAccepted { .. } = fact {
        "accepted"
    } else if let EventFact::UnitsRejected { .. } = fact {
        "refused"
    } else if let EventFact::ParcelLost { .. } = fact {
        "lost"
    } else if let EventFact::RefundPlanned { .. } = fact {
        "settled"
    } else if let EventFact::EvidenceAdded { .. } = fact {
        "evidence_added"
    } else {
        return None;
    };
    Some(EventName::fixed(name))
}
