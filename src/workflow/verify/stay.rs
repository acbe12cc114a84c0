//! How long a case stays in a state that nobody touches, and what time does to it then.
//!
//! Seats of an approval run their timeouts side by side, except in a sequence, where each seat has its
//! turn. A seat that is handed over starts its clock again, as often as the policy allows.

use super::approvals;
use crate::workflow::defect::Stay;
use crate::workflow::definition::{StateDraft, StateKind, TimerAction, WorkflowDraft};
use crate::workflow::rule::{ApprovalRule, Mode, SeatTimeout, TimeoutAction};
use crate::workflow::span::{Clock, Span};

/// What time does in one state while nobody acts.
#[derive(Clone, Copy, Default)]
pub(super) struct ByTime {
    /// The longest stay; none when it has no end that the definition tells.
    pub(super) here: Option<Stay>,
    /// The longest time until silent seats decide.
    pub(super) seats: Option<Stay>,
    /// Whether a leaving timer can be what ends the stay.
    pub(super) leaves: bool,
    /// Whether silent seats can approve.
    pub(super) approves: bool,
    /// Whether silent seats can reject.
    pub(super) rejects: bool,
    /// Whether silent seats can send the case back to the requester.
    pub(super) sends_back: bool,
}

/// Whether the one has surely passed by the time the other has, whatever the calendar.
const fn surely(first: Span, second: Span) -> bool {
    first.seconds() <= second.seconds()
        && (matches!(first.clock(), Clock::Elapsed) || matches!(second.clock(), Clock::Business))
}

/// The longest that the first of some spans can take: elapsed time is sure, business time is not.
fn first_of(spans: impl Iterator<Item = Span> + Clone) -> Option<Span> {
    let elapsed = spans.clone().filter(|span| span.clock() == Clock::Elapsed);
    elapsed.min_by_key(|span| span.seconds()).or_else(|| spans.min_by_key(|span| span.seconds()))
}

pub(super) fn by_time(draft: &WorkflowDraft, state: &StateDraft) -> ByTime {
    let leaving = state
        .timers
        .iter()
        .filter(|timer| matches!(timer.then, TimerAction::Leave { .. }))
        .map(|timer| timer.after);
    let leaving = first_of(leaving);
    let mut found = match &state.kind {
        StateKind::Approval(rule) => silent_seats(draft, rule, leaving),
        StateKind::Task { .. }
        | StateKind::Wait { .. }
        | StateKind::Choice
        | StateKind::Final { .. } => ByTime::default(),
    };
    let stay = leaving.map(Stay::from);
    found.leaves = match (stay, found.seats) {
        // Of one instant, seats act before the timers of the state.
        (Some(stay), Some(seats)) => !seats.is_within(stay),
        (stay, _) => stay.is_some(),
    };
    found.here = match (stay, found.seats) {
        (Some(stay), Some(seats)) => Some(stay.sooner(seats)),
        (stay, seats) => stay.or(seats),
    };
    found
}

fn ends(timeout: &SeatTimeout) -> bool {
    match timeout.then {
        TimeoutAction::Approve | TimeoutAction::Reject | TimeoutAction::SendBack => true,
        TimeoutAction::Remind { .. } | TimeoutAction::HandOver { .. } => false,
    }
}

fn silent_seats(draft: &WorkflowDraft, rule: &ApprovalRule, leaving: Option<Span>) -> ByTime {
    let mut found = ByTime::default();
    let ending = || rule.timeouts.iter().enumerate().filter(|(_, timeout)| ends(timeout));
    let Some(last) = first_of(ending().map(|(_, timeout)| timeout.after)) else { return found };
    for (place, timeout) in ending() {
        let earlier = ending().any(|(other, before)| {
            let sooner = before.after.seconds() < timeout.after.seconds() || other < place;
            other != place && sooner && surely(before.after, timeout.after)
        });
        let left = leaving.is_some_and(|leaving| {
            leaving.seconds() < timeout.after.seconds() && surely(leaving, timeout.after)
        });
        if earlier || left {
            continue;
        }
        match timeout.then {
            TimeoutAction::Approve => found.approves = true,
            TimeoutAction::Reject => found.rejects = true,
            TimeoutAction::SendBack => found.sends_back = true,
            TimeoutAction::Remind { .. } | TimeoutAction::HandOver { .. } => {}
        }
    }
    let hop = rule
        .timeouts
        .iter()
        .filter(|timeout| matches!(timeout.then, TimeoutAction::HandOver { .. }))
        .map(|timeout| timeout.after)
        .filter(|after| after.seconds() < last.seconds() || !surely(last, *after))
        .max_by_key(|after| after.seconds());
    let hops = hop.map_or(Stay::default(), |hop| {
        Stay::from(hop).times(i64::from(draft.policy.transfers_max))
    });
    let turn = Stay::from(last).plus(hops);
    let turns = if rule.mode == Mode::Sequence && found.approves {
        // One seat after the other is approved by time: as many turns as people are asked.
        let people = approvals::seats(draft, rule).map(|groups| {
            groups.iter().fold(0_i64, |sum, group| sum.saturating_add(i64::from(*group)))
        });
        match people {
            Some(people) => people.max(1),
            None => return found,
        }
    } else {
        1
    };
    found.seats = Some(turn.times(turns));
    found
}
