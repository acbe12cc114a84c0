//! Random definitions, sound and unsound, with every kind of defect.

use std::collections::{BTreeMap, BTreeSet};

use aftersale::condition::schema::{FactType, Presence};
use aftersale::condition::{Check, Condition};
use aftersale::explain::Fact;
use aftersale::id::{ActorId, FactName};
use aftersale::label::Label;
use aftersale::number::Ratio;
use aftersale::workflow::definition::{
    ArrowDraft, FactUse, RoleUse, Stability, StateDraft, StateKind, TimerAction, TimerDraft,
    Weight, When, WorkflowDraft,
};
use aftersale::workflow::rule::{
    ApprovalRule, Group, Mode, OnEmpty, Policy, RejectRule, RequesterRule, SamePersonRule,
    SeatTimeout, TimeoutAction,
};
use aftersale::workflow::span::{Clock, Span};
use aftersale::workflow::{
    ArrowId, EventName, OutcomeCode, PartyCode, RoleCode, StateId, TimerId, WorkflowId,
};

pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
    pub fn once_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }
}

pub fn state_id(n: u64) -> StateId {
    StateId::new(format!("s{n}")).unwrap()
}

pub fn fact(name: &str) -> FactName {
    FactName::new(name).unwrap()
}

pub fn is_flag(name: &str, value: bool) -> Condition {
    Condition::test(fact(name), Check::Is(Fact::Flag(value)))
}

pub fn guard(dice: &mut Dice, depth: u64) -> Condition {
    match dice.roll(if depth == 0 { 4 } else { 7 }) {
        0 => is_flag("recalled", dice.once_in(2)),
        1 => is_flag("opened", dice.once_in(2)),
        2 => Condition::test(fact("days"), Check::AtMost(Fact::Days(dice.roll(3) as i64))),
        3 => Condition::test(fact("days"), Check::Above(Fact::Days(dice.roll(3) as i64))),
        4 => Condition::Not(Box::new(guard(dice, depth - 1))),
        5 => Condition::All(vec![guard(dice, depth - 1), guard(dice, depth - 1)]),
        _ => Condition::Any(vec![guard(dice, depth - 1), guard(dice, depth - 1)]),
    }
}

pub fn rule(dice: &mut Dice) -> ApprovalRule {
    let role = |n: u64| {
        RoleCode::new(["qc", "finance", "nobody", "requester", "open"][n as usize]).unwrap()
    };
    let groups = (0..1 + dice.roll(2))
        .map(|_| Group { roles: (0..1 + dice.roll(2)).map(|_| role(dice.roll(5))).collect() })
        .collect();
    ApprovalRule {
        groups,
        mode: match dice.roll(8) {
            0 | 1 => Mode::Any,
            2 => Mode::All,
            3 => Mode::Sequence,
            4 => Mode::Count(dice.roll(4) as u32),
            5 => Mode::Ratio(Ratio::new(dice.roll(5) as i64, 3).unwrap()),
            6 => Mode::EachGroup(dice.roll(3) as u32),
            _ => Mode::Count(1),
        },
        reject: RejectRule::First,
        on_empty: match dice.roll(5) {
            0 => OnEmpty::Approve,
            1 => OnEmpty::Reject,
            2 => OnEmpty::Assign { role: role(dice.roll(5)) },
            _ => OnEmpty::Error,
        },
        requester: match dice.roll(4) {
            0 => RequesterRule::Allowed,
            1 => RequesterRule::Replace { role: role(dice.roll(5)) },
            _ => RequesterRule::Excluded,
        },
        distinct_from: BTreeSet::new(),
        small: None,
        timeouts: if dice.once_in(3) {
            let then = match dice.roll(4) {
                0 => TimeoutAction::Approve,
                1 => TimeoutAction::Reject,
                2 => TimeoutAction::SendBack,
                _ => TimeoutAction::Remind { times: 2 },
            };
            vec![SeatTimeout { after: Span::hours(dice.roll(9) as i64), then }]
        } else {
            vec![]
        },
        copies: BTreeSet::new(),
    }
}

/// A rule that can be carried out.
fn careful_rule(dice: &mut Dice) -> ApprovalRule {
    let role = RoleCode::new(["qc", "finance", "open"][dice.roll(3) as usize]).unwrap();
    let mode = match dice.roll(4) {
        0 => Mode::Any,
        1 => Mode::All,
        2 => Mode::Ratio(Ratio::new(1 + dice.roll(3) as i64, 3).unwrap()),
        _ => Mode::Count(1 + dice.roll(2) as u32),
    };
    let (on_empty, requester) = (OnEmpty::Error, RequesterRule::Excluded);
    ApprovalRule {
        groups: vec![Group { roles: vec![role] }],
        mode,
        on_empty,
        requester,
        ..rule(dice)
    }
}

/// A definition; about every fourth is sound. `spoil` adds malformed ones.
pub fn definition(dice: &mut Dice, spoil: bool) -> WorkflowDraft {
    let count = 2 + dice.roll(5);
    // Most definitions lead forward along a spine, half of those with care, so that sound ones occur
    // too; now and then an arrow leads back.
    let style = dice.roll(5);
    let (tidy, careful) = (style > 0, style > 2);
    let mut states = Vec::new();
    for n in 0..count {
        let last = n == count - 1;
        let kind = match dice.roll(9) {
            _ if last => StateKind::Final { outcome: OutcomeCode::new("done").unwrap() },
            0 if n > 0 && !careful => {
                StateKind::Final { outcome: OutcomeCode::new("other").unwrap() }
            }
            1 | 2 => StateKind::Choice,
            3 | 4 if careful => StateKind::Approval(Box::new(careful_rule(dice))),
            3 | 4 => StateKind::Approval(Box::new(rule(dice))),
            5 | 6 => StateKind::Wait { party: PartyCode::new("customer").unwrap() },
            _ => StateKind::Task { role: RoleCode::new("clerk").unwrap() },
        };
        let is_final = matches!(kind, StateKind::Final { .. });
        let mut timers = Vec::new();
        let bare = matches!(kind, StateKind::Choice) || is_final;
        let timer_count = if bare && (tidy || !dice.once_in(6)) {
            0
        } else {
            dice.roll(if careful { 2 } else { 3 })
        };
        for t in 0..timer_count {
            let clock = if dice.once_in(3) { Clock::Business } else { Clock::Elapsed };
            let then = if dice.once_in(3) {
                TimerAction::Remind
            } else {
                let to = if tidy { n + 1 + dice.roll(count - n) } else { dice.roll(count) };
                TimerAction::Leave { to: state_id(to.min(count - 1)) }
            };
            timers.push(TimerDraft {
                id: TimerId::new(format!("t{t}")).unwrap(),
                after: Span::new(clock, 3_600 * (1 + dice.roll(4) as i64)),
                then,
            });
        }
        states.push(StateDraft {
            id: state_id(n),
            label: Label::default(),
            kind,
            timers,
            no_timer_reason: (tidy || dice.once_in(2)).then(|| "the customer decides".into()),
        });
    }
    let mut arrows = Vec::new();
    for n in 0..count {
        let kind = states[n as usize].kind.clone();
        let (fan, events): (u64, &[Option<&str>]) = match &kind {
            StateKind::Final { .. } if tidy || !dice.once_in(8) => (0, &[]),
            StateKind::Choice => (2, &[None]),
            StateKind::Approval(_) => (2, &[Some("approved"), Some("rejected"), Some("cancel")]),
            _ => (1 + dice.roll(2), &[Some("go"), Some("cancel")]),
        };
        for k in 0..fan {
            let at = if tidy { k } else { dice.roll(events.len() as u64) };
            let on = events[at as usize % events.len()];
            let on = if dice.once_in(60) { Some("go") } else { on };
            let back = dice.once_in(if careful { 10 } else { 40 });
            let to = match (tidy && !back, careful && k == 0) {
                (true, true) => n + 1,
                (true, false) => n + 1 + dice.roll(count - n),
                (false, _) => dice.roll(count),
            };
            let when = match dice.roll(6) {
                _ if careful && matches!(kind, StateKind::Choice) && k == 0 => {
                    When::Condition(guard(dice, 1))
                }
                _ if careful && matches!(kind, StateKind::Choice) => When::Otherwise,
                _ if careful => When::Always,
                0 | 1 => When::Condition(guard(dice, 2)),
                2 if tidy && k == 1 => When::Otherwise,
                3 if matches!(kind, StateKind::Choice) => {
                    if k == 0 {
                        When::Condition(guard(dice, 2))
                    } else {
                        When::Otherwise
                    }
                }
                4 if dice.once_in(2) => When::Otherwise,
                _ => When::Always,
            };
            arrows.push(ArrowDraft {
                id: ArrowId::new(format!("a{}", arrows.len())).unwrap(),
                from: state_id(n),
                on: on.map(|on| EventName::new(on).unwrap()),
                to: state_id(to.min(count - 1)),
                when,
                priority: dice.once_in(4).then(|| dice.roll(3) as u32),
                by: None,
            });
        }
    }
    let stability = |dice: &mut Dice| {
        if dice.once_in(2) { Stability::Frozen } else { Stability::Volatile }
    };
    let presence =
        |dice: &mut Dice| if dice.once_in(8) { Presence::Optional } else { Presence::Always };
    let mut facts = BTreeMap::new();
    for (name, fact_type) in
        [("recalled", FactType::Flag), ("opened", FactType::Flag), ("days", FactType::Days)]
    {
        let (presence, stability) = (presence(dice), stability(dice));
        facts.insert(fact(name), FactUse { fact_type, presence, stability, weight: Weight::Plain });
    }
    let constraints = if dice.once_in(5) {
        (0..1 + dice.roll(3)).map(|_| guard(dice, 1)).collect()
    } else {
        vec![]
    };
    let members = |names: &[&str]| RoleUse {
        label: Label::default(),
        members: Some(names.iter().map(|n| ActorId::new(n).unwrap()).collect()),
    };
    let roles = [
        ("qc", members(&["li", "wang"])),
        ("finance", members(&["wang", "zhao"])),
        ("nobody", members(&[])),
        ("open", RoleUse::default()),
    ]
    .into_iter()
    .map(|(name, role)| (RoleCode::new(name).unwrap(), role))
    .collect();
    let same_person = if dice.once_in(6) { SamePersonRule::Adjacent } else { SamePersonRule::Off };
    let mut draft = WorkflowDraft {
        schema: 1,
        id: WorkflowId::new("generated").unwrap(),
        version: 1,
        label: Label::default(),
        initial: state_id(0),
        facts,
        constraints,
        guards: BTreeMap::new(),
        roles,
        states,
        arrows,
        policy: Policy { same_person, ..Policy::default() },
    };
    if spoil {
        spoil_one(dice, &mut draft);
    }
    draft
}

fn spoil_one(dice: &mut Dice, draft: &mut WorkflowDraft) {
    match dice.roll(10) {
        0 => draft.initial = state_id(99),
        1 => draft.states[0].id = draft.states[1].id.clone(),
        2 => {
            if let Some(arrow) = draft.arrows.first_mut() {
                arrow.to = state_id(77);
            }
        }
        3 => {
            if let Some(arrow) = draft.arrows.first_mut() {
                arrow.when = When::Guard(aftersale::workflow::GuardName::new("none").unwrap());
            }
        }
        4 => draft.states[0].timers.push(TimerDraft {
            id: TimerId::new("never").unwrap(),
            after: Span::hours(0),
            then: TimerAction::Remind,
        }),
        7 => match dice.roll(3) {
            0 => draft.policy.seats_max = 0,
            1 => draft.policy.rounds_max = 1_001,
            _ => draft.policy.amount = Some(fact("days")),
        },
        8 => draft.schema = 2 + dice.roll(3) as u32,
        9 => draft.constraints = vec![is_flag("recalled", true); 513],
        5 => draft.states.retain(|state| !matches!(state.kind, StateKind::Final { .. })),
        _ => {
            for state in &mut draft.states {
                if let StateKind::Approval(rule) = &mut state.kind {
                    rule.groups.clear();
                }
            }
        }
    }
}
