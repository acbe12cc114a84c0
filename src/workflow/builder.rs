//! A definition in code, for those who prefer it to data.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::definition::{
    APPROVED, ArrowDraft, FactUse, REJECTED, RoleUse, SCHEMA, Stability, StateDraft, StateKind,
    TimerAction, TimerDraft, Weight, When, WorkflowDraft,
};
use super::rule::{
    ApprovalRule, Group, Mode, OnEmpty, Policy, RejectRule, RequesterRule, SeatTimeout,
    TimeoutAction,
};
use super::span::Span;
use super::{
    ArrowId, EventName, GuardName, OutcomeCode, PartyCode, RoleCode, StateId, TimerId, WorkflowId,
};
use crate::condition::Condition;
use crate::condition::schema::{FactType, Presence};
use crate::id::{ActorId, FactName, IdError};
use crate::label::Label;

/// Builds a [`WorkflowDraft`]. A name that is not one is remembered and reported by
/// [`finish`](Self::finish), so that a definition reads without interruptions.
///
/// ```
/// use aftersale::workflow::builder::{Approval, WorkflowBuilder};
/// use aftersale::workflow::rule::Mode;
/// use aftersale::workflow::span::Span;
/// use aftersale::workflow::verify::verify;
/// let draft = WorkflowBuilder::new("jacket_returns", 1)
///     .approval("review", Approval::new(Mode::Any, ["service"]), |state| {
///         state.leaves_after("silent", Span::days(3), "declined").approved("refunded").rejected("declined")
///     })
///     .end("refunded", "refunded")
///     .end("declined", "declined")
///     .finish()?;
/// assert!(verify(&draft).is_ok());
/// # Ok::<(), aftersale::id::IdError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "call `finish`"]
pub struct WorkflowBuilder {
    draft: Result<WorkflowDraft, IdError>,
}

/// One state under construction.
#[derive(Clone, Debug)]
#[must_use = "return it from the closure"]
pub struct StateBuilder {
    timers: Vec<TimerDraft>,
    arrows: Vec<(Option<EventName>, StateId, When, Option<RoleCode>)>,
    label: Label,
    no_timer_reason: Option<alloc::string::String>,
    fault: Option<IdError>,
}

/// The rule of an approval under construction.
#[derive(Clone, Debug)]
#[must_use = "give it to `approval`"]
pub struct Approval(Result<ApprovalRule, IdError>);

impl Approval {
    /// An approval by the members of these roles, one group.
    pub fn new<'a>(mode: Mode, roles: impl IntoIterator<Item = &'a str>) -> Self {
        let roles: Result<Vec<RoleCode>, IdError> = roles.into_iter().map(RoleCode::new).collect();
        Self(roles.map(|roles| ApprovalRule {
            groups: alloc::vec![Group { roles }],
            mode,
            reject: RejectRule::default(),
            on_empty: OnEmpty::default(),
            requester: RequesterRule::default(),
            distinct_from: BTreeSet::new(),
            small: None,
            timeouts: Vec::new(),
            copies: BTreeSet::new(),
        }))
    }

    /// Adds another group.
    pub fn and_group<'a>(self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        let roles: Result<Vec<RoleCode>, IdError> = roles.into_iter().map(RoleCode::new).collect();
        Self(self.0.and_then(|mut rule| {
            rule.groups.push(Group { roles: roles? });
            Ok(rule)
        }))
    }

    /// Keeps its approvers apart from those of another approval.
    pub fn distinct_from(self, state: &str) -> Self {
        Self(self.0.and_then(|mut rule| {
            rule.distinct_from.insert(StateId::new(state)?);
            Ok(rule)
        }))
    }

    /// What a silent seat leads to.
    pub fn timeout(self, after: Span, then: TimeoutAction) -> Self {
        self.with(|rule| rule.timeouts.push(SeatTimeout { after, then }))
    }

    /// Sets anything else of the rule.
    pub fn with(self, change: impl FnOnce(&mut ApprovalRule)) -> Self {
        Self(self.0.map(|mut rule| {
            change(&mut rule);
            rule
        }))
    }
}

impl From<WorkflowDraft> for WorkflowBuilder {
    /// Goes on from a definition.
    fn from(draft: WorkflowDraft) -> Self {
        Self { draft: Ok(draft) }
    }
}

impl WorkflowBuilder {
    /// A definition without states; the first state added is the initial one.
    pub fn new(id: &str, version: u32) -> Self {
        let draft = WorkflowId::new(id).and_then(|id| {
            Ok(WorkflowDraft {
                schema: SCHEMA,
                id,
                version,
                label: Label::default(),
                initial: StateId::new("initial")?,
                facts: BTreeMap::new(),
                constraints: Vec::new(),
                guards: BTreeMap::new(),
                roles: BTreeMap::new(),
                states: Vec::new(),
                arrows: Vec::new(),
                policy: Policy::default(),
            })
        });
        Self { draft }
    }

    fn and(mut self, change: impl FnOnce(&mut WorkflowDraft) -> Result<(), IdError>) -> Self {
        self.draft = self.draft.and_then(|mut draft| {
            change(&mut draft)?;
            Ok(draft)
        });
        self
    }

    /// What people call the workflow.
    pub fn label(self, en: &str, zh: &str) -> Self {
        self.and(|draft| {
            draft.label = Label::new(en, zh);
            Ok(())
        })
    }

    /// Declares a fact that every case has.
    pub fn fact(
        self,
        name: &str,
        fact_type: FactType,
        stability: Stability,
        weight: Weight,
    ) -> Self {
        self.and(|draft| {
            let presence = Presence::Always;
            draft
                .facts
                .insert(FactName::new(name)?, FactUse { fact_type, presence, stability, weight });
            Ok(())
        })
    }

    /// Names a condition.
    pub fn guard(self, name: &str, condition: Condition) -> Self {
        self.and(|draft| {
            draft.guards.insert(GuardName::new(name)?, condition);
            Ok(())
        })
    }

    /// States what always holds of the facts.
    pub fn constraint(self, condition: Condition) -> Self {
        self.and(|draft| {
            draft.constraints.push(condition);
            Ok(())
        })
    }

    /// Declares a role whose members the directory knows.
    pub fn role(self, role: &str, en: &str, zh: &str) -> Self {
        self.and(|draft| {
            let label = Label::new(en, zh);
            draft.roles.insert(RoleCode::new(role)?, RoleUse { label, members: None });
            Ok(())
        })
    }

    /// Declares a role with its members.
    pub fn role_of<'a>(self, role: &str, members: impl IntoIterator<Item = &'a str>) -> Self {
        let members: Result<BTreeSet<ActorId>, IdError> =
            members.into_iter().map(ActorId::new).collect();
        self.and(|draft| {
            let (label, members) = (Label::default(), Some(members?));
            draft.roles.insert(RoleCode::new(role)?, RoleUse { label, members });
            Ok(())
        })
    }

    /// Sets the rules for the whole case.
    pub fn policy(self, policy: Policy) -> Self {
        self.and(|draft| {
            draft.policy = policy;
            Ok(())
        })
    }

    /// Adds a state in which a role has something to do.
    pub fn task(
        self,
        id: &str,
        role: &str,
        state: impl FnOnce(StateBuilder) -> StateBuilder,
    ) -> Self {
        let kind = RoleCode::new(role).map(|role| StateKind::Task { role });
        self.state(id, kind, state)
    }

    /// Adds a state that waits for a party.
    pub fn wait(
        self,
        id: &str,
        party: &str,
        state: impl FnOnce(StateBuilder) -> StateBuilder,
    ) -> Self {
        let kind = PartyCode::new(party).map(|party| StateKind::Wait { party });
        self.state(id, kind, state)
    }

    /// Adds an approval.
    pub fn approval(
        self,
        id: &str,
        rule: Approval,
        state: impl FnOnce(StateBuilder) -> StateBuilder,
    ) -> Self {
        let kind = rule.0.map(|rule| StateKind::Approval(Box::new(rule)));
        self.state(id, kind, state)
    }

    /// Adds a choice.
    pub fn choice(self, id: &str, state: impl FnOnce(StateBuilder) -> StateBuilder) -> Self {
        self.state(id, Ok(StateKind::Choice), state)
    }

    /// Adds a final state.
    pub fn end(self, id: &str, outcome: &str) -> Self {
        let kind = OutcomeCode::new(outcome).map(|outcome| StateKind::Final { outcome });
        self.state(id, kind, |state| state)
    }

    /// Adds a final state with its own label; the outcome has the same code.
    pub fn end_labeled(self, id: &str, en: &str, zh: &str) -> Self {
        let kind = OutcomeCode::new(id).map(|outcome| StateKind::Final { outcome });
        self.state(id, kind, |state| state.label(en, zh))
    }

    fn state(
        self,
        id: &str,
        kind: Result<StateKind, IdError>,
        state: impl FnOnce(StateBuilder) -> StateBuilder,
    ) -> Self {
        let built = state(StateBuilder {
            timers: Vec::new(),
            arrows: Vec::new(),
            label: Label::default(),
            no_timer_reason: None,
            fault: None,
        });
        self.and(|draft| {
            if let Some(fault) = built.fault {
                return Err(fault);
            }
            let id = StateId::new(id)?;
            if draft.states.is_empty() {
                draft.initial = id.clone();
            }
            for (on, to, when, by) in built.arrows {
                // `goods_received` for an event, `band_to_review` out of a choice.
                let named = match &on {
                    Some(on) => alloc::format!("{id}_{on}"),
                    None => alloc::format!("{id}_to_{to}"),
                };
                let mut arrow = named.clone();
                let mut number = 2_u32;
                while draft.arrows.iter().any(|known| known.id.as_str() == arrow) {
                    arrow = alloc::format!("{named}_{number}");
                    number = number.saturating_add(1);
                }
                draft.arrows.push(ArrowDraft {
                    id: ArrowId::new(arrow)?,
                    from: id.clone(),
                    on,
                    to,
                    when,
                    priority: None,
                    by,
                });
            }
            draft.states.push(StateDraft {
                id,
                label: built.label,
                kind: kind?,
                timers: built.timers,
                no_timer_reason: built.no_timer_reason,
            });
            Ok(())
        })
    }

    /// The definition, to be verified.
    ///
    /// # Errors
    ///
    /// [`IdError`] for the first name that is not one.
    pub fn finish(self) -> Result<WorkflowDraft, IdError> {
        self.draft
    }
}

impl StateBuilder {
    fn and(mut self, change: impl FnOnce(&mut Self) -> Result<(), IdError>) -> Self {
        if let Err(fault) = change(&mut self) {
            self.fault.get_or_insert(fault);
        }
        self
    }

    fn arrow(self, on: Option<&str>, to: &str, when: When) -> Self {
        self.and(|state| {
            let on = on.map(EventName::new).transpose()?;
            state.arrows.push((on, StateId::new(to)?, when, None));
            Ok(())
        })
    }

    /// What people call the state.
    pub fn label(self, en: &str, zh: &str) -> Self {
        self.and(|state| {
            state.label = Label::new(en, zh);
            Ok(())
        })
    }

    /// An arrow on an event.
    pub fn on(self, event: &str, to: &str) -> Self {
        self.arrow(Some(event), to, When::Always)
    }

    /// An arrow on an event while a named condition holds.
    pub fn on_if(self, event: &str, guard: &str, to: &str) -> Self {
        match GuardName::new(guard) {
            Ok(guard) => self.arrow(Some(event), to, When::Guard(guard)),
            Err(fault) => self.and(|_| Err(fault)),
        }
    }

    /// An arrow on an event when no other is taken.
    pub fn on_otherwise(self, event: &str, to: &str) -> Self {
        self.arrow(Some(event), to, When::Otherwise)
    }

    /// An arrow on an event that only a role may fire.
    pub fn on_by(self, event: &str, role: &str, to: &str) -> Self {
        self.arrow(Some(event), to, When::Always).and(|state| {
            if let Some((_, _, _, by)) = state.arrows.last_mut() {
                *by = Some(RoleCode::new(role)?);
            }
            Ok(())
        })
    }

    /// The arrow of an approval that was given.
    pub fn approved(self, to: &str) -> Self {
        self.on(APPROVED, to)
    }

    /// The arrow of an approval that was refused.
    pub fn rejected(self, to: &str) -> Self {
        self.on(REJECTED, to)
    }

    /// An arrow of a choice while a named condition holds.
    pub fn when(self, guard: &str, to: &str) -> Self {
        match GuardName::new(guard) {
            Ok(guard) => self.arrow(None, to, When::Guard(guard)),
            Err(fault) => self.and(|_| Err(fault)),
        }
    }

    /// The arrow of a choice when no other is taken.
    pub fn otherwise(self, to: &str) -> Self {
        self.arrow(None, to, When::Otherwise)
    }

    /// A timer after which the case leaves the state.
    pub fn leaves_after(self, id: &str, after: Span, to: &str) -> Self {
        self.and(|state| {
            let then = TimerAction::Leave { to: StateId::new(to)? };
            state.timers.push(TimerDraft { id: TimerId::new(id)?, after, then });
            Ok(())
        })
    }

    /// A timer after which somebody is reminded.
    pub fn reminds_after(self, id: &str, after: Span) -> Self {
        self.and(|state| {
            let then = TimerAction::Remind;
            state.timers.push(TimerDraft { id: TimerId::new(id)?, after, then });
            Ok(())
        })
    }

    /// Why the state may wait without an end.
    pub fn waits_because(self, reason: &str) -> Self {
        self.and(|state| {
            state.no_timer_reason = Some(reason.into());
            Ok(())
        })
    }
}
