//! Approvals nobody can give, or nobody is asked for, seen from the members a definition fixes.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::plain;
use crate::workflow::RoleCode;
use crate::workflow::defect::{Defect, DefectCode, Place};
use crate::workflow::definition::{REQUESTER, StateKind, WorkflowDraft};
use crate::workflow::rule::{ApprovalRule, Mode, OnEmpty, RequesterRule};

pub(super) fn defects(draft: &WorkflowDraft) -> Vec<Defect> {
    let mut found = Vec::new();
    for state in &draft.states {
        let StateKind::Approval(rule) = &state.kind else { continue };
        let at = || Place::State(state.id.clone());
        if !rule.mode.is_sensible() {
            let detail = match rule.mode {
                Mode::Count(count) => alloc::format!("{count} of the people asked"),
                Mode::EachGroup(count) => alloc::format!("{count} of each group"),
                Mode::Ratio(ratio) => alloc::format!("a share of {ratio}"),
                Mode::Any | Mode::All | Mode::Sequence => continue,
            };
            found.push(plain(DefectCode::ApprovalBadThreshold, at(), detail));
            continue;
        }
        let Some(groups) = seats(draft, rule) else { continue };
        let people: u32 = groups.iter().fold(0, |sum, group| sum.saturating_add(*group));
        if people == 0 {
            match &rule.on_empty {
                OnEmpty::Approve => {
                    found.push(plain(DefectCode::ApprovalVacuous, at(), "nobody may approve"));
                }
                OnEmpty::Error => {
                    let detail = "nobody may approve";
                    found.push(plain(DefectCode::ApprovalUnsatisfiable, at(), detail));
                }
                OnEmpty::Assign { role } => {
                    let nobody = members(draft, rule, role).is_some_and(|people| people.is_empty());
                    if nobody {
                        let detail = alloc::format!("nobody may approve, nor anybody of `{role}`");
                        found.push(plain(DefectCode::ApprovalUnsatisfiable, at(), detail));
                    }
                }
                OnEmpty::Reject => {}
            }
            continue;
        }
        let (needed, there) = match rule.mode {
            Mode::EachGroup(count) => (count, groups.iter().copied().min().unwrap_or(0)),
            Mode::Any | Mode::All | Mode::Sequence | Mode::Count(_) | Mode::Ratio(_) => {
                (rule.mode.needed(people), people)
            }
        };
        if needed > there {
            let detail = alloc::format!("{needed} must approve, {there} can");
            found.push(plain(DefectCode::ApprovalUnsatisfiable, at(), detail));
        }
    }
    found
}

/// How many distinct people each group asks; none where the directory decides.
pub(super) fn seats(draft: &WorkflowDraft, rule: &ApprovalRule) -> Option<Vec<u32>> {
    let mut asked = BTreeSet::new();
    let mut groups = Vec::with_capacity(rule.groups.len());
    for group in &rule.groups {
        let mut count = 0_u32;
        for role in &group.roles {
            for person in members(draft, rule, role)? {
                if asked.insert(person) {
                    count = count.saturating_add(1);
                }
            }
        }
        groups.push(count);
    }
    Some(groups)
}

/// The people a role stands for; the requester is one person with a reserved name.
fn members<'a>(
    draft: &'a WorkflowDraft,
    rule: &'a ApprovalRule,
    role: &RoleCode,
) -> Option<BTreeSet<&'a str>> {
    let fixed = |role: &RoleCode| -> Option<BTreeSet<&'a str>> {
        let members = draft.roles.get(role)?.members.as_ref()?;
        Some(members.iter().map(crate::id::ActorId::as_str).collect())
    };
    if role.as_str() != REQUESTER {
        return fixed(role);
    }
    match &rule.requester {
        RequesterRule::Excluded => Some(BTreeSet::new()),
        RequesterRule::Allowed => Some(BTreeSet::from([REQUESTER])),
        RequesterRule::Replace { role } if role.as_str() == REQUESTER => Some(BTreeSet::new()),
        RequesterRule::Replace { role } => fixed(role),
    }
}
