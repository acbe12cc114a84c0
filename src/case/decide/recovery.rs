//! Recovery: costs of a return, and claims against those who are liable for it.

use alloc::string::String;

use super::super::event::EventFact;
use super::super::liability::Liability;
use super::super::recovery::RecoveryDemand;
use super::super::recovery::{
    ClaimState, CostKind, RecoveryClaim, RecoveryResult, debtor_of, is_claimable,
};
use super::super::refusal::Obstacle;
use super::super::refusal::claim::ClaimObstacle;
use super::super::state::{CaseLine, ReturnCase};
use super::talk::MAX_ENTRIES;
use super::{Draft, Scene};
use crate::id::OrderLineId;
use crate::money::Money;

impl Scene<'_> {
    /// A cost is a fact and may be recorded at any time. What goods are still worth lowers the cost,
    /// and so never below what was claimed of it.
    pub(super) fn record_cost(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        line: &OrderLineId,
        (kind, amount): (CostKind, Money),
        note: &str,
    ) {
        draft.note("note", note);
        let Some(own) = case.line(line) else {
            return draft.refuse(Obstacle::NotInCase { line: line.clone() });
        };
        let (what, found, max) = ("costs", own.costs.len(), MAX_ENTRIES);
        if found >= max {
            draft.refuse(Obstacle::TooMany { what, found, max });
        }
        if !self.is_payable(draft, amount) {
            return;
        }
        if kind == CostKind::Salvage {
            let cost = case.cost_of(line).ok().flatten();
            let cost = cost.unwrap_or(Money::zero(amount.currency()));
            if amount > cost {
                let (line, asked) = (line.clone(), amount);
                return draft.refuse(ClaimObstacle::MoreThanCost { line, asked, cost });
            }
            if let Some(liability) = &own.liability
                && let Err(refused) = case.recovery_under(own, liability.whole(), &[amount])
            {
                draft.refuse(ClaimObstacle::Recovery(refused));
            }
        }
        let (case, line, note) = (case.id.clone(), line.clone(), String::from(note));
        draft.facts.push(EventFact::CostRecorded { case, line, kind, amount, note });
    }

    pub(super) fn open_claim(&self, draft: &mut Draft, case: &ReturnCase, demand: &RecoveryDemand) {
        let RecoveryDemand { line, party, debtor, amount, note } = demand;
        draft.note("note", note);
        let (what, found, max) = ("recovery claims", case.claims.len(), MAX_ENTRIES);
        if found >= max {
            draft.refuse(Obstacle::TooMany { what, found, max });
        }
        let Some(own) = case.line(line) else {
            return draft.refuse(Obstacle::NotInCase { line: line.clone() });
        };
        if !is_claimable(*party, own) {
            draft.refuse(ClaimObstacle::NotClaimable { party: *party });
        }
        if own.appealed_at.is_some() {
            draft.refuse(ClaimObstacle::LiabilityAppealed { line: line.clone() });
        }
        let (Some(liability), Some(part)) = (&own.liability, debtor_of(*party)) else {
            return draft.refuse(ClaimObstacle::NoLiability { line: line.clone() });
        };
        let mut recovery = match case.recovery_under(own, liability.whole(), &[]) {
            Ok(recovery) => recovery,
            Err(refused) => return draft.refuse(ClaimObstacle::Recovery(refused)),
        };
        let zero = Money::zero(self.order.sale.currency());
        let open = recovery.open(&part).unwrap_or(zero);
        let asked = amount.unwrap_or(open);
        if asked.is_zero() && open.is_zero() {
            let (line, party) = (line.clone(), *party);
            return draft.refuse(ClaimObstacle::NothingToClaim { line, party });
        }
        if !self.is_payable(draft, asked) {
            return;
        }
        if let Err(refused) = recovery.claim(&part, asked) {
            return draft.refuse(ClaimObstacle::Recovery(refused));
        }
        let attributed = recovery.parts().iter().find(|own| own.debtor == part);
        let claim = u32::try_from(found).unwrap_or(u32::MAX).saturating_add(1);
        draft.facts.push(EventFact::RecoveryClaimOpened {
            case: case.id.clone(),
            claim,
            line: line.clone(),
            party: *party,
            debtor: debtor.clone(),
            amount: asked,
            attributed: attributed.map_or(asked, |part| part.cost),
            note: note.clone(),
        });
    }

    pub(super) fn record_recovery(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        number: u32,
        result: &RecoveryResult,
    ) {
        let Some(claim) = case.claim(number) else {
            return draft.refuse(ClaimObstacle::UnknownClaim { claim: number });
        };
        if matches!(claim.state, ClaimState::Recovered | ClaimState::WrittenOff) {
            let state = claim.state;
            return draft.refuse(ClaimObstacle::ClaimEnded { claim: number, state });
        }
        self.check_result(draft, claim, result);
        draft.facts.push(EventFact::RecoveryRecorded {
            case: case.id.clone(),
            claim: number,
            result: result.clone(),
        });
    }

    fn check_result(&self, draft: &mut Draft, claim: &RecoveryClaim, result: &RecoveryResult) {
        match result {
            RecoveryResult::Recovered { amount, reference } => {
                draft.note("reference", reference);
                let (asked, open) = (*amount, claim.open());
                if self.is_payable(draft, asked) && asked > open {
                    let claim = claim.number;
                    draft.refuse(ClaimObstacle::MoreThanClaimed { claim, asked, open });
                }
            }
            RecoveryResult::Refused { note } | RecoveryResult::WrittenOff { note } => {
                draft.note("note", note);
            }
        }
    }

    /// Another decision about liability stands only where what was claimed under the earlier one still
    /// fits: claims that no longer do are written off first.
    pub(super) fn check_claims(
        &self,
        draft: &mut Draft,
        case: &ReturnCase,
        line: &CaseLine,
        liability: &Liability,
    ) {
        if case.claims.iter().any(|claim| claim.line == line.line)
            && let Err(refused) = case.recovery_under(line, liability.whole(), &[])
        {
            draft.refuse(ClaimObstacle::Recovery(refused));
        }
    }

    /// An amount above zero in the currency of the sale.
    pub(super) fn is_payable(&self, draft: &mut Draft, amount: Money) -> bool {
        let currency = self.order.sale.currency();
        let fits = amount.is_positive() && amount.currency() == currency;
        if !fits {
            draft.refuse(ClaimObstacle::BadAmount { amount, currency });
        }
        fits
    }
}
