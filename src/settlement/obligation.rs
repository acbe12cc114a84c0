//! Obligations: an amount to be paid exactly once, through attempts that may fail.
//!
//! Every attempt carries the id of its obligation, so that a payment provider that honors the id
//! pays once. A failed attempt leaves the obligation open; a person can settle it by hand; a success
//! that arrives late is noted, and one that comes on top of another is reported as a double payment.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::ObligationId;
use crate::time::Instant;

use super::TenderAllocation;

/// One allocation to be paid, and what happened to it so far.
///
/// ```
/// use aftersale::id::ObligationId;
/// use aftersale::settlement::obligation::{Obligation, Outcome, Status};
/// # let allocation = serde_json::from_str(r#"{"tender": "card", "form": "original",
/// #   "amount": {"amount": "59.90", "currency": "EUR"}}"#)?;
/// # let [nine, ten] = [9, 10].map(|hour| {
/// #     serde_json::from_str(&format!("\"2026-03-09T{hour:02}:00:00Z\"")).unwrap()
/// # });
/// // 59.90 back to a card; the provider fails once
/// let mut refund = Obligation::new(ObligationId::new("RC-1/1")?, allocation);
/// let first = refund.submit(nine)?;
/// refund.record(first, Outcome::Failed { code: "timeout".into() })?;
/// let second = refund.submit(ten)?;
/// refund.record(second, Outcome::Succeeded)?;
/// assert_eq!(refund.status(), Status::Paid);
/// assert!(refund.submit(ten).is_err()); // never twice
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obligation {
    id: ObligationId,
    allocation: TenderAllocation,
    #[serde(default)]
    attempts: Vec<Attempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    manual: Option<Manual>,
}

/// One try to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// When it was handed to the provider.
    pub at: Instant,
    /// What came of it; none while no answer has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was paid.
    Succeeded,
    /// It was not paid.
    Failed {
        /// The provider's code.
        code: String,
    },
}

/// A payment made by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manual {
    /// When.
    pub at: Instant,
    /// The proof: a transfer number, a receipt.
    pub reference: String,
}

/// Where an obligation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not tried yet.
    Open,
    /// Handed to the provider, no answer yet.
    Pending,
    /// The last attempt failed; try again or pay by hand.
    Failed,
    /// Paid once.
    Paid,
    /// Paid more than once: an attempt succeeded after another payment. The surplus is to be
    /// recovered from the customer or the provider.
    PaidTwice,
}

/// What an obligation does not accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObligationRefused {
    /// It is paid.
    #[error("obligation {id} is paid")]
    Paid {
        /// The obligation.
        id: ObligationId,
    },
    /// An attempt has no answer yet.
    #[error("obligation {id} waits for the answer to attempt {attempt}")]
    Pending {
        /// The obligation.
        id: ObligationId,
        /// The attempt, from 1.
        attempt: usize,
    },
    /// There is no such attempt.
    #[error("obligation {id} has no attempt {attempt}")]
    UnknownAttempt {
        /// The obligation.
        id: ObligationId,
        /// The attempt.
        attempt: usize,
    },
    /// The attempt was answered with success before; a success is not taken back.
    #[error("attempt {attempt} of obligation {id} succeeded; a success is not taken back")]
    Succeeded {
        /// The obligation.
        id: ObligationId,
        /// The attempt.
        attempt: usize,
    },
}

impl Obligation {
    /// An obligation that was not tried yet.
    #[must_use]
    pub const fn new(id: ObligationId, allocation: TenderAllocation) -> Self {
        Self { id, allocation, attempts: Vec::new(), manual: None }
    }

    /// Its id, the key under which every attempt is handed to the provider.
    #[must_use]
    pub const fn id(&self) -> &ObligationId {
        &self.id
    }

    /// What is to be paid.
    #[must_use]
    pub const fn allocation(&self) -> &TenderAllocation {
        &self.allocation
    }

    /// The attempts so far.
    #[must_use]
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let succeeded =
            self.attempts.iter().filter(|attempt| attempt.outcome == Some(Outcome::Succeeded));
        let paid = succeeded.count().saturating_add(usize::from(self.manual.is_some()));
        match (paid, self.attempts.last()) {
            (0, None) => Status::Open,
            (0, Some(Attempt { outcome: None, .. })) => Status::Pending,
            (0, Some(_)) => Status::Failed,
            (1, _) => Status::Paid,
            (_, _) => Status::PaidTwice,
        }
    }

    /// Starts an attempt; the result is its number, from 1.
    ///
    /// # Errors
    ///
    /// [`ObligationRefused::Paid`], or [`ObligationRefused::Pending`] while an answer is open.
    pub fn submit(&mut self, at: Instant) -> Result<usize, ObligationRefused> {
        match self.status() {
            Status::Open | Status::Failed => {}
            Status::Pending => {
                let (id, attempt) = (self.id.clone(), self.attempts.len());
                return Err(ObligationRefused::Pending { id, attempt });
            }
            Status::Paid | Status::PaidTwice => {
                return Err(ObligationRefused::Paid { id: self.id.clone() });
            }
        }
        self.attempts.push(Attempt { at, outcome: None });
        Ok(self.attempts.len())
    }

    /// Notes the answer to an attempt. The same answer twice changes nothing; a success may follow
    /// a failure that was reported too early.
    ///
    /// # Errors
    ///
    /// [`ObligationRefused::UnknownAttempt`]; [`ObligationRefused::Succeeded`] for a failure after a
    /// success.
    pub fn record(
        &mut self,
        attempt: usize,
        outcome: Outcome,
    ) -> Result<Status, ObligationRefused> {
        let id = self.id.clone();
        let position = attempt.checked_sub(1);
        let found = position.and_then(|position| self.attempts.get_mut(position));
        let Some(known) = found else {
            return Err(ObligationRefused::UnknownAttempt { id, attempt });
        };
        if known.outcome == Some(Outcome::Succeeded) && outcome != Outcome::Succeeded {
            return Err(ObligationRefused::Succeeded { id, attempt });
        }
        known.outcome = Some(outcome);
        Ok(self.status())
    }

    /// Notes that it was paid by hand.
    ///
    /// # Errors
    ///
    /// [`ObligationRefused::Paid`], or [`ObligationRefused::Pending`] while an answer is open.
    pub fn pay_by_hand(&mut self, at: Instant, reference: String) -> Result<(), ObligationRefused> {
        match self.status() {
            Status::Open | Status::Failed => {
                self.manual = Some(Manual { at, reference });
                Ok(())
            }
            Status::Pending => {
                let (id, attempt) = (self.id.clone(), self.attempts.len());
                Err(ObligationRefused::Pending { id, attempt })
            }
            Status::Paid | Status::PaidTwice => {
                Err(ObligationRefused::Paid { id: self.id.clone() })
            }
        }
    }
}
