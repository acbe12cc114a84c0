//! What people ask for, and what a decision is made with.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::change::{BackTo, Change, Way};
use super::directory::Directory;
use super::node::Beside;
use crate::condition::Facts;
use crate::id::{ActorId, CaseId, CommandId};
use crate::time::Instant;
use crate::workflow::EventName;
use crate::workflow::compiled::Workflow;
use crate::workflow::definition::few;
use crate::workflow::hours::OpeningHours;
use crate::workflow::journal::{Entry, HashDebug, Span};

/// Everything a decision looks at besides the case and the command.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The definition the case runs under.
    pub workflow: &'a Workflow,
    /// The facts of the case now.
    pub facts: &'a Facts,
    /// The people.
    pub directory: &'a Directory,
    /// When business time runs.
    pub hours: &'a OpeningHours,
    /// The hash of the chain, where one is kept.
    pub hash: Option<&'a dyn HashDebug>,
}

/// A command of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The same id with the same content is the same command.
    pub id: CommandId,
    /// The stored version of the case the person saw; none to act on whatever it is. Timers that are due
    /// and not stored yet do not make it stale: the order is judged on what they leave.
    #[serde(default)]
    pub expected_version: Option<u64>,
    /// Who acts.
    pub actor: ActorId,
    /// When.
    pub at: Instant,
    /// What they ask for.
    pub order: Order,
}

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Order {
    /// Submit the case (提交).
    Submit {
        /// The case.
        case: CaseId,
    },
    /// Approve (同意).
    Approve {
        /// What the approver writes.
        #[serde(default)]
        comment: String,
    },
    /// Reject (驳回).
    Reject {
        /// What the approver writes.
        #[serde(default)]
        comment: String,
    },
    /// Pass the seat on (转办).
    Transfer {
        /// To whom.
        to: ActorId,
    },
    /// Ask for an opinion (委派).
    AskOpinion {
        /// Of whom.
        of: ActorId,
    },
    /// Give the opinion asked for.
    GiveOpinion {
        /// The opinion.
        opinion: String,
    },
    /// No longer wait for the opinion.
    RecallOpinion,
    /// Add signers (加签).
    Add {
        /// Where they stand.
        place: Beside,
        /// Who.
        #[serde(deserialize_with = "few::<_, _, 1000>")]
        people: Vec<ActorId>,
    },
    /// Take an added signer away again (减签).
    Remove {
        /// Who.
        person: ActorId,
    },
    /// Send the case back (退回).
    SendBack {
        /// To whom.
        to: BackTo,
        /// How it goes on afterwards.
        way: Way,
    },
    /// Submit a case that came back again.
    Resubmit,
    /// Withdraw the case (撤回).
    Withdraw,
    /// Take one's approval back (取回).
    TakeBack,
    /// Declare that facts changed; the new ones are in the context.
    ChangeFacts,
    /// Tell people (抄送).
    Copy {
        /// Whom.
        #[serde(deserialize_with = "few::<_, _, 1000>")]
        to: Vec<ActorId>,
    },
    /// Report that something happened.
    Fire {
        /// What.
        event: EventName,
    },
    /// Try again what was stuck.
    Retry,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the entries have to be stored and applied"]
pub struct Decision {
    /// What happened, to be stored and applied in order. Empty for a repeated command, and for a tick
    /// before anything is due.
    pub entries: Vec<Entry<Change>>,
    /// The entries of the first time, for a repeated command.
    pub repeats: Option<Span>,
}
