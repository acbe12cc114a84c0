//! The playbook of service staff: per reason what to ask, check, offer, and when to escalate.
//!
//! An entry belongs to a reason code; a detailed reason without an entry falls back to the reason
//! above it. Entries cite the verified actions they come from.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Improvement, ImprovementId, Stage};
use crate::label::Label;

/// What staff do for one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaybookEntry {
    /// Questions for the customer, in order.
    #[serde(default)]
    pub ask: Vec<Label>,
    /// What to look at: photographs, lot, earlier cases.
    #[serde(default)]
    pub check: Vec<Label>,
    /// What may be offered, best first.
    #[serde(default)]
    pub offer: Vec<Label>,
    /// When to hand the case on.
    #[serde(default)]
    pub escalate: Vec<Label>,
    /// The verified actions it was learnt from.
    #[serde(default)]
    pub learnt_from: Vec<ImprovementId>,
}

/// Entries by reason.
///
/// ```
/// use aftersale::improvement::playbook::{Playbook, PlaybookEntry};
/// use aftersale::label::Label;
/// let mut playbook = Playbook::default();
/// let entry = PlaybookEntry {
///     ask: vec![Label::new("Which size do you usually wear?", "您平时穿什么尺码？")],
///     ..PlaybookEntry::default()
/// };
/// playbook.set("fit", entry);
/// // "fit.too_small" has no entry of its own.
/// let found = playbook.entry(&["fit.too_small", "fit"]).ok_or("no entry")?;
/// assert_eq!(found.ask.len(), 1);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Playbook(BTreeMap<String, PlaybookEntry>);

/// Why nothing could be learnt from an action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaybookError {
    /// Its effect is not proven.
    #[error("action {id} is {stage}; the playbook takes verified actions only")]
    NotVerified {
        /// The action.
        id: ImprovementId,
        /// Where it stands.
        stage: Stage,
    },
}

impl Playbook {
    /// Sets the entry of a reason.
    pub fn set(&mut self, reason: impl Into<String>, entry: PlaybookEntry) {
        self.0.insert(reason.into(), entry);
    }

    /// The first entry along a path of reasons, the most detailed first.
    #[must_use]
    pub fn entry(&self, path: &[&str]) -> Option<&PlaybookEntry> {
        path.iter().find_map(|reason| self.0.get(*reason))
    }

    /// The entries by reason.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &PlaybookEntry)> {
        self.0.iter().map(|(reason, entry)| (reason.as_str(), entry))
    }

    /// Adds what a verified action taught to the offers of a reason, and cites the action. Learning
    /// the same twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`PlaybookError::NotVerified`] for any other action.
    pub fn learn(
        &mut self,
        reason: impl Into<String>,
        offer: Label,
        action: &Improvement,
    ) -> Result<(), PlaybookError> {
        if action.stage != Stage::Verified {
            return Err(PlaybookError::NotVerified { id: action.id.clone(), stage: action.stage });
        }
        let entry = self.0.entry(reason.into()).or_default();
        if !entry.offer.contains(&offer) {
            entry.offer.push(offer);
        }
        if !entry.learnt_from.contains(&action.id) {
            entry.learnt_from.push(action.id.clone());
        }
        Ok(())
    }
}
