//! Which timers of a state can fire, seen without a calendar.
//!
//! A business span never ends before an elapsed span of the same length. So an elapsed timer is known
//! to come first only against a business timer that is at least as long; in every other mixture the
//! calendar decides, and two different targets are then not one definition but two.

use alloc::vec::Vec;

use crate::workflow::StateId;
use crate::workflow::definition::{StateDraft, StateKind, TimerAction, TimerDraft};
use crate::workflow::rule::TimeoutAction;
use crate::workflow::span::Clock;

/// What the timers of one state come to.
pub(super) struct Firing {
    /// Timers that can fire, by position.
    pub(super) alive: Vec<usize>,
    /// Timers that never fire, by position.
    pub(super) dead: Vec<usize>,
    /// Two leaving timers with different targets of which either may be first.
    pub(super) tie: Option<(usize, usize)>,
}

fn target(timer: &TimerDraft) -> Option<&StateId> {
    match &timer.then {
        TimerAction::Leave { to } => Some(to),
        TimerAction::Remind => None,
    }
}

/// Whether `first` has surely fired by the time `second` would.
fn surely_before(first: &TimerDraft, second: &TimerDraft) -> bool {
    first.after.seconds() <= second.after.seconds()
        && (first.after.clock() == Clock::Elapsed || second.after.clock() == Clock::Business)
}

pub(super) fn firing(state: &StateDraft) -> Firing {
    let mut firing = Firing { alive: Vec::new(), dead: Vec::new(), tie: None };
    if matches!(state.kind, StateKind::Choice) {
        firing.dead = (0..state.timers.len()).collect();
        return firing;
    }
    for (position, timer) in state.timers.iter().enumerate() {
        let behind = state.timers.iter().enumerate().any(|(other, earlier)| {
            let Some(goes) = target(earlier) else { return false };
            if other == position || !surely_before(earlier, timer) {
                return false;
            }
            match target(timer) {
                None => true,
                // The same instant on both clocks: a tie if they differ, else the first stands.
                Some(to) if surely_before(timer, earlier) => goes == to && other < position,
                Some(to) => goes == to || earlier.after.seconds() < timer.after.seconds(),
            }
        });
        if behind { firing.dead.push(position) } else { firing.alive.push(position) }
    }
    for (place, &first) in firing.alive.iter().enumerate() {
        for &second in firing.alive.iter().skip(place.saturating_add(1)) {
            let (Some(a), Some(b)) = (state.timers.get(first), state.timers.get(second)) else {
                continue;
            };
            if let (Some(left), Some(right)) = (target(a), target(b))
                && left != right
            {
                firing.tie.get_or_insert((first, second));
            }
        }
    }
    firing
}

/// Whether the state ends by itself: a leaving timer, or a silent seat that decides.
pub(super) fn ends(state: &StateDraft) -> bool {
    let leaves = state.timers.iter().any(|timer| target(timer).is_some());
    let decides = match &state.kind {
        StateKind::Approval(rule) => rule.timeouts.iter().any(|timeout| match timeout.then {
            TimeoutAction::Approve | TimeoutAction::Reject | TimeoutAction::SendBack => true,
            TimeoutAction::Remind { .. } | TimeoutAction::HandOver { .. } => false,
        }),
        StateKind::Task { .. }
        | StateKind::Wait { .. }
        | StateKind::Choice
        | StateKind::Final { .. } => false,
    };
    leaves || decides
}
