//! What is owed: one settlement, paid tender by tender, each at most once.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::TenderId;
use crate::money::Money;
use crate::settlement::{PayoutForm, Settlement};

/// An amount owed for a case, with the payments that discharge it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// Its number in the case, from 1; a retry keeps it.
    pub number: u32,
    /// How it was worked out.
    pub settlement: Arc<Settlement>,
    /// The payments, in the order of the settlement.
    pub payments: Vec<Payment>,
}

/// One payment of an obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What is paid, and how.
    pub order: PaymentOrder,
    /// How far it is.
    pub state: PaymentState,
    /// How often it was tried.
    pub attempts: u32,
}

/// What the host is to pay or collect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentOrder {
    /// Its number in the obligation, from 1.
    pub number: u32,
    /// How it is made.
    pub way: PaymentWay,
    /// How much, in the currency of the sale; cash rounding included.
    pub amount: Money,
    /// The same in the tender's own unit, when it goes back in kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_kind: Option<Money>,
}

/// How a payment is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PaymentWay {
    /// Back on a tender.
    Tender(TenderId),
    /// As store credit in place of a tender that can no longer take it.
    CreditFor(TenderId),
    /// As new store credit.
    NewCredit,
    /// By hand: no tender can take it.
    ByHand,
    /// Collected from the customer.
    Collect,
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
    /// No longer owed: what it was to pay for does not go out.
    Released,
}

impl Obligation {
    /// Whether nothing of it is owed any more: every payment is made or released.
    #[must_use]
    pub fn is_discharged(&self) -> bool {
        let is_over = |payment: &Payment| {
            matches!(payment.state, PaymentState::Paid { .. } | PaymentState::Released)
        };
        self.payments.iter().all(is_over)
    }

    /// What is still to be collected from the customer.
    #[must_use]
    pub fn uncollected(&self) -> Money {
        let open = self.payments.iter().filter(|payment| {
            payment.order.way == PaymentWay::Collect
                && !matches!(payment.state, PaymentState::Paid { .. } | PaymentState::Released)
        });
        let zero = Money::zero(self.settlement.due.currency());
        open.fold(zero, |sum, payment| sum.checked_add(payment.order.amount).unwrap_or(sum))
    }

    /// A payment by its number, from 1.
    #[must_use]
    pub fn payment(&self, number: u32) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.order.number == number)
    }
}

/// The payments that discharge a settlement: one for each allocation, one by hand for what no tender
/// can take, one to collect what the customer owes.
#[must_use]
pub fn payments_of(settlement: &Settlement) -> Vec<PaymentOrder> {
    let mut parts = Vec::with_capacity(settlement.allocations.len());
    for part in &settlement.allocations {
        let way = match (&part.tender, part.form) {
            (Some(tender), PayoutForm::Original) => PaymentWay::Tender(tender.clone()),
            (Some(tender), PayoutForm::CreditInstead) => PaymentWay::CreditFor(tender.clone()),
            (None, _) | (_, PayoutForm::NewCredit) => PaymentWay::NewCredit,
        };
        let rounding = part.rounding.unwrap_or(Money::zero(part.amount.currency()));
        let amount = part.amount.checked_add(rounding).unwrap_or(part.amount);
        parts.push((way, amount, part.in_kind));
    }
    if settlement.shortfall.is_positive() {
        parts.push((PaymentWay::ByHand, settlement.shortfall, None));
    }
    if settlement.due.is_positive() {
        parts.push((PaymentWay::Collect, settlement.due, None));
    }
    let order = |(number, (way, amount, in_kind))| PaymentOrder { number, way, amount, in_kind };
    (1_u32..).zip(parts).map(order).collect()
}
