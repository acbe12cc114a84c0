//! When the seller must answer, and when the money must go back.

use super::deadline::{Deadline, Place, Timeline, Timing, end_of, step};
use super::period::{Anchor, PeriodTerms, Step};
use super::terms::{DuePair, RefundTerms, Withhold};
use super::verdict::{Due, Ground, GroundKind, RefundDue};
use crate::explain::{Effect, Fact, RuleRef};
use crate::time::{Instant, TimeError};

/// What due times are computed from.
#[derive(Clone, Copy)]
pub(super) struct Clock<'a> {
    pub(super) timeline: &'a Timeline,
    pub(super) place: &'a Place,
    pub(super) rule: &'a RuleRef,
}

impl Clock<'_> {
    pub(super) fn timing(self, terms: &PeriodTerms) -> Result<Timing, Ground> {
        end_of(terms, self.timeline, self.place, self.rule)
            .map_err(|error| incomputable(self.rule, terms, &error))
    }

    pub(super) fn due(self, pair: &DuePair) -> Result<Due, Ground> {
        let breach = pair.breach.as_ref().map(|breach| self.timing(breach)).transpose()?;
        Ok(Due { due: self.timing(&pair.due)?, breach })
    }

    /// When the refund is due. A seller who may wait for the goods owes the money no earlier than the
    /// end of the day on which the waiting ended.
    pub(super) fn refund(self, terms: &RefundTerms) -> Result<RefundDue, Ground> {
        let mut clock = self.due(&terms.clock)?;
        let awaited: &[Anchor] = match terms.withhold {
            Withhold::Never => &[],
            Withhold::UntilReceived => &[Anchor::GoodsReceived],
            Withhold::UntilReceivedOrSent => &[Anchor::GoodsReceived, Anchor::GoodsSent],
        };
        let ended = awaited.iter().filter_map(|event| self.timeline.at(*event)).min();
        if let (Timing::Until(deadline), Some(at)) = (&mut clock.due, ended) {
            self.postpone(deadline, at, &terms.clock.due)
                .map_err(|error| incomputable(self.rule, &terms.clock.due, &error))?;
        }
        let awaiting = if ended.is_none() { awaited.to_vec() } else { alloc::vec![] };
        Ok(RefundDue { clock, means: terms.means, withhold: terms.withhold, awaiting })
    }

    fn postpone(
        self,
        deadline: &mut Deadline,
        at: Instant,
        terms: &PeriodTerms,
    ) -> Result<(), TimeError> {
        if at < deadline.ends {
            return Ok(());
        }
        let day = self.place.zone.date(at);
        let before = Some(Fact::Date(deadline.last_day));
        let after = Some(Fact::Date(day));
        let finding = step(terms, self.rule, Step::Withhold, Effect::Raises, before, after);
        deadline.derivation.push(finding);
        deadline.last_day = day;
        deadline.ends = self.place.zone.end_of(day)?;
        Ok(())
    }
}

/// The ground of a rule whose dates leave the calendar.
pub(super) fn incomputable(rule: &RuleRef, terms: &PeriodTerms, error: &TimeError) -> Ground {
    let observed = Some(Fact::Text(alloc::format!("{error}")));
    let finding = step(terms, rule, Step::Length, Effect::Requires, observed, None);
    Ground { kind: GroundKind::Incomputable, findings: alloc::vec![finding] }
}
