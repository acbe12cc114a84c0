//! Which orders a person may give now: what drives the buttons.

use alloc::string::String;
use alloc::vec::Vec;

use super::change::{BackTo, Way};
use super::command::{Context, Order};
use super::node::{Beside, Origin};
use super::process::Process;
use super::refusal::Refusal;
use super::standing::Standing;
use crate::id::ActorId;
use crate::time::Instant;
use crate::workflow::compiled::Workflow;
use crate::workflow::definition::{APPROVED, REJECTED};

impl Process {
    /// Every order that could concern a person now, each with what stands in its way.
    ///
    /// Orders that name another person are listed for each of `colleagues`. An order without a refusal
    /// is accepted by [`decide`](Self::decide) at the same time.
    #[must_use]
    pub fn allowed(
        &self,
        context: &Context<'_>,
        actor: &ActorId,
        colleagues: &[ActorId],
        at: Instant,
    ) -> Vec<(Order, Option<Refusal>)> {
        let Some(standing) = self.standing() else { return Vec::new() };
        standing
            .orders(context.workflow, colleagues)
            .into_iter()
            .map(|order| {
                let refusal = self.would_accept(context, actor, at, &order).err();
                (order, refusal)
            })
            .collect()
    }
}

impl Standing {
    /// Every order that somebody could give in a standing like this, whether or not it is accepted.
    ///
    /// Orders that name another person are listed for each of `colleagues`.
    #[must_use]
    pub fn orders(&self, workflow: &Workflow, colleagues: &[ActorId]) -> Vec<Order> {
        let mut orders = alloc::vec![
            Order::Approve { comment: String::new() },
            Order::Reject { comment: String::new() },
            Order::GiveOpinion { opinion: String::new() },
            Order::RecallOpinion,
            Order::Resubmit,
            Order::Withdraw,
            Order::TakeBack,
            Order::Retry,
            Order::ChangeFacts,
        ];
        let targets = self.passed_before().map(|passed| BackTo::Node(passed.state.clone()));
        for to in core::iter::once(BackTo::Requester).chain(targets) {
            for way in [Way::Restart, Way::Resume] {
                orders.push(Order::SendBack { to: to.clone(), way });
            }
        }
        for colleague in colleagues {
            orders.push(Order::Transfer { to: colleague.clone() });
            orders.push(Order::AskOpinion { of: colleague.clone() });
            for place in [Beside::Before, Beside::After, Beside::Parallel] {
                orders.push(Order::Add { place, people: alloc::vec![colleague.clone()] });
            }
        }
        for seat in self.node.iter().flat_map(|node| &node.seats) {
            if matches!(seat.origin, Origin::Added { .. }) {
                orders.push(Order::Remove { person: seat.owner.clone() });
            }
        }
        for event in workflow.events_of(&self.token.state) {
            if event.as_str() != APPROVED && event.as_str() != REJECTED {
                orders.push(Order::Fire { event: event.clone() });
            }
        }
        orders
    }
}
