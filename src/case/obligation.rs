//! What is owed: one settlement, paid tender by tender, each at most once.

use alloc::string::String;
use alloc::vec::Vec;

use crate::id::TenderId;
use crate::settlement::Settlement;

/// An amount owed for a case, with the payments that discharge it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// Its number in the case, from 1; a retry keeps it.
    pub number: u32,
    /// How it was worked out.
    pub settlement: Settlement,
    /// One payment for each tender of the settlement.
    pub payments: Vec<Payment>,
}

/// One payment of an obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// On which tender.
    pub tender: TenderId,
    /// How far it is.
    pub state: PaymentState,
    /// How often it was tried.
    pub attempts: u32,
}

/// How far a payment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Owed and handed to the host.
    Due,
    /// Made.
    Paid {
        /// The reference of the bank or wallet.
        reference: String,
    },
    /// Failed, still owed, to be tried again or paid by hand.
    Failed {
        /// What the bank or wallet said.
        error: String,
    },
}

impl Obligation {
    /// Whether every payment is made.
    #[must_use]
    pub fn is_discharged(&self) -> bool {
        self.payments.iter().all(|payment| matches!(payment.state, PaymentState::Paid { .. }))
    }

    /// The payment on a tender.
    #[must_use]
    pub fn payment(&self, tender: &TenderId) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.tender == *tender)
    }
}
