//! Review packs: what a department brings to its periodic meeting.
//!
//! In: issues, actions, a period, a day. Out: per department the new issues, what is open, overdue,
//! verified and not verified, in a total order.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{DepartmentId, Improvement, IssueId, QualityIssue, Stage};
use crate::time::Interval;

/// What one department has to talk about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewPack {
    /// Issues seen in the period that its actions answer.
    pub issues: Vec<QualityIssue>,
    /// Overdue actions, the longest overdue first.
    pub overdue: Vec<Improvement>,
    /// Open actions that are not overdue, by due date.
    pub open: Vec<Improvement>,
    /// Actions whose effect was proven, by due date.
    pub verified: Vec<Improvement>,
    /// Actions whose effect was not seen, by due date: to be reopened or dropped.
    pub not_verified: Vec<Improvement>,
}

/// All packs, and what nobody answers yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// By department.
    pub departments: BTreeMap<DepartmentId, ReviewPack>,
    /// Issues of the period that no action answers but those given up, most extra returns first.
    pub unanswered: Vec<QualityIssue>,
}

/// Makes the packs for a period as of a day.
#[must_use]
pub fn review(
    issues: &[QualityIssue],
    actions: &[Improvement],
    period: Interval,
    today: NaiveDate,
) -> Review {
    let mut review = Review::default();
    let mut answered: BTreeMap<&IssueId, Vec<&DepartmentId>> = BTreeMap::new();
    let mut order: Vec<&Improvement> = actions.iter().collect();
    order.sort_by(|a, b| a.due.cmp(&b.due).then_with(|| a.id.cmp(&b.id)));
    // What was given up answers nothing.
    for action in order.into_iter().filter(|action| action.stage != Stage::Dropped) {
        let departments = answered.entry(&action.issue).or_default();
        if !departments.contains(&&action.department) {
            departments.push(&action.department);
        }
        let pack = review.departments.entry(action.department.clone()).or_default();
        let list = match action.stage {
            _ if action.is_overdue(today) => &mut pack.overdue,
            Stage::Planned | Stage::Started | Stage::Done => &mut pack.open,
            Stage::Verified => &mut pack.verified,
            Stage::NotVerified => &mut pack.not_verified,
            Stage::Dropped => continue,
        };
        list.push(action.clone());
    }
    let mut seen: Vec<&QualityIssue> =
        issues.iter().filter(|issue| period.contains(issue.at)).collect();
    seen.sort_by(|a, b| b.extra_returns.cmp(&a.extra_returns).then_with(|| a.id.cmp(&b.id)));
    for issue in seen {
        match answered.get(&issue.id) {
            None => review.unanswered.push(issue.clone()),
            Some(departments) => {
                for department in departments {
                    if let Some(pack) = review.departments.get_mut(*department) {
                        pack.issues.push(issue.clone());
                    }
                }
            }
        }
    }
    review
}
