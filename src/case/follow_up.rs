//! Follow-up: what the rules for asking customers look at, once a case has ended.
//!
//! In: an ended case, and when the customer was asked last, which only the host knows across orders.
//! Out: a [`ClosedCase`] for [`FeedbackBook::plan`](crate::feedback::plan::FeedbackBook::plan). The duty
//! to look is [`AskForSurvey`](super::duty::DutyAct::AskForSurvey); no case ends while a dispute about it
//! is open, and one that is opened again and disputed says so here.

use super::AfterSale;
use super::decide::case_facts;
use super::state::Closing;
use crate::explain::Fact;
use crate::feedback::plan::{ClosedCase, Dispute};
use crate::id::{CaseId, FactName};
use crate::label::Coded;
use crate::money::Money;
use crate::time::Instant;

impl AfterSale {
    /// An ended case as the follow-up rules see it; none while the case is open.
    ///
    /// Its facts are those of [`follow_up_schema`](crate::rules::follow_up_schema), amounts in the
    /// currency of the order.
    #[must_use]
    pub fn closed_case(&self, case: &CaseId, last_asked_at: Option<Instant>) -> Option<ClosedCase> {
        let case = self.cases.get(case)?;
        let (Closing::Withdrawn { at } | Closing::Closed { at }) = case.closing?;
        let currency = self.sale.currency();
        let mut facts = case_facts(self, Some(currency), case);
        facts.set(FactName::fixed("status"), Fact::code(case.status().code()));
        let given = case.obligations.iter().map(|owed| owed.settlement.total);
        if let Ok(refunded) = Money::sum(currency, given) {
            facts.set(FactName::fixed("refunded"), Fact::Amount(refunded));
        }
        let dispute = if case.dispute.is_open() { Dispute::Open } else { Dispute::None };
        Some(ClosedCase { case: case.id.clone(), closed_at: at, facts, dispute, last_asked_at })
    }
}
