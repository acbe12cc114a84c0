//! Who acts: people by their role, and the system by its cause.

use serde::{Deserialize, Serialize};

use crate::id::ActorId;
use crate::label::codes;

codes! {
    /// What an actor is in after-sales work.
    pub enum Role "role" {
        /// Whoever bought or received the goods.
        Customer = "customer", "Customer", "买家";
        /// Service staff of the seller.
        Agent = "agent", "Service agent", "客服";
        /// Senior staff who may overrule.
        Supervisor = "supervisor", "Supervisor", "主管";
        /// Whoever takes parcels in.
        Warehouse = "warehouse", "Warehouse", "仓库";
        /// Whoever inspects what came back.
        Inspector = "inspector", "Inspector", "质检员";
        /// Whoever pays and collects.
        Finance = "finance", "Finance", "财务";
        /// The marketplace that rules in disputes.
        Platform = "platform", "Marketplace", "平台";
        /// A timer, a rule or a callback, never a person.
        System = "system", "System", "系统";
    }
}

/// Who gives a command.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The person or system.
    pub id: ActorId,
    /// As what they act.
    pub role: Role,
}
