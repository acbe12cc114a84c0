//! An agent: who can do what, when, and how much; why one cannot take a case, and who comes first.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};

use serde::{Deserialize, Serialize};

use super::rules::{DispatchRule, LanguageId, SkillId, Strategy, TierOrder};
use crate::id::{ActorId, CalendarId};
use crate::label::codes;
use crate::time::{Instant, Interval};

/// A person who works on cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Who.
    pub id: ActorId,
    /// What the agent can do.
    #[serde(default)]
    pub skills: BTreeSet<SkillId>,
    /// What the agent speaks.
    #[serde(default)]
    pub languages: BTreeSet<LanguageId>,
    /// How senior: a higher tier may have every case of a lower one.
    #[serde(default)]
    pub tier: u8,
    /// The calendar of the shift; without one the agent is always there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<CalendarId>,
    /// How much effort the agent can have at once.
    pub capacity: u32,
    /// The share of new cases under the weighted strategy; zero gets none.
    #[serde(default = "one")]
    pub weight: u32,
    /// When the agent is away.
    #[serde(default)]
    pub absent: Vec<Interval>,
    /// The effort in hand.
    #[serde(default)]
    pub load: u32,
}

fn one() -> u32 {
    1
}

codes! {
    /// Why an agent cannot take a case, in the order in which it is looked at.
    pub enum Exclusion "exclusion" {
        /// A skill is missing.
        Skill = "skill", "Skill missing", "缺少技能";
        /// The language is not spoken.
        Language = "language", "Language not spoken", "语言不符";
        /// The tier is too low.
        Tier = "tier", "Tier too low", "级别不足";
        /// The agent is away.
        Absent = "absent", "Absent", "缺勤";
        /// The shift is not on.
        OffShift = "off_shift", "Off shift", "不在班";
        /// The capacity is in use.
        Full = "full", "No capacity left", "已满负荷";
        /// The weight is zero.
        Unweighted = "unweighted", "No share of new cases", "不参与分配";
    }
}

codes! {
    /// Why an agent comes before the next one, in the order in which it is looked at.
    pub enum Preference "preference" {
        /// Nobody else can take the case.
        OnlyOne = "only_one", "Nobody else can", "唯一可派";
        /// The agent had the case, or the customer, before.
        Owner = "owner", "Earlier owner", "原负责人";
        /// The tier is asked first.
        Tier = "tier", "Tier asked first", "级别优先";
        /// The smallest share of the capacity is in use.
        Load = "load", "Smallest load", "负载最低";
        /// The fewest cases so far for the weight.
        Weight = "weight", "Fewest cases for the weight", "权重优先";
        /// The longest time without a new case.
        LongestWait = "longest_wait", "Longest wait for a case", "等待最久";
        /// All else is equal: the first id.
        Id = "id", "First id", "编号在前";
    }
}

/// An agent with what the board counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) agent: Agent,
    pub(super) able: Abilities,
    /// The number of the shift.
    pub(super) shift: Option<usize>,
    /// How many cases the agent got.
    pub(super) got: u64,
    /// The number of the last one, from 1.
    pub(super) last: u64,
}

/// Skills and languages by number, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Abilities([u64; 4]);

impl Abilities {
    pub(super) fn add(&mut self, number: usize) {
        let word = number.checked_div(64).and_then(|word| self.0.get_mut(word));
        let bit = u32::try_from(number.checked_rem(64).unwrap_or(0)).unwrap_or(0);
        if let Some(word) = word {
            *word |= 1_u64.wrapping_shl(bit);
        }
    }

    fn covers(&self, needed: &Self) -> bool {
        self.0.iter().zip(&needed.0).all(|(have, need)| have & need == *need)
    }
}

/// What one rule asks of an agent for one case.
pub(super) struct Need {
    /// None when nobody on the board has one of the skills.
    pub(super) skills: Option<Abilities>,
    pub(super) language: Option<Option<Abilities>>,
    /// Whether each shift is on, where that is known.
    pub(super) on_shift: Vec<bool>,
}

impl Seat {
    pub(super) fn absence(&self, now: Instant) -> Option<Interval> {
        self.agent.absent.iter().copied().find(|period| period.contains(now))
    }

    pub(super) fn is_absent(&self, now: Instant) -> bool {
        self.absence(now).is_some()
    }

    pub(super) fn exclusion(
        &self,
        rule: &DispatchRule,
        need: &Need,
        now: Instant,
    ) -> Option<Exclusion> {
        let agent = &self.agent;
        let has = |needed: Option<Abilities>| needed.is_some_and(|all| self.able.covers(&all));
        let is_off = |shift: usize| !need.on_shift.get(shift).copied().unwrap_or(false);
        if !has(need.skills) {
            Some(Exclusion::Skill)
        } else if need.language.is_some_and(|language| !has(language)) {
            Some(Exclusion::Language)
        } else if agent.tier < rule.tier_min {
            Some(Exclusion::Tier)
        } else if self.is_absent(now) {
            Some(Exclusion::Absent)
        } else if self.shift.is_some_and(is_off) {
            Some(Exclusion::OffShift)
        } else if agent.load.checked_add(rule.effort).is_none_or(|load| load > agent.capacity) {
            Some(Exclusion::Full)
        } else if rule.strategy == Strategy::Weighted && agent.weight == 0 {
            Some(Exclusion::Unweighted)
        } else {
            None
        }
    }

    /// Whether this agent is asked before another (`Less`), and what decides it: the tier, the
    /// strategy, the longest wait, the id. Never equal for two agents.
    pub(super) fn compare(&self, other: &Self, rule: &DispatchRule) -> (Ordering, Preference) {
        let tier = |seat: &Self| match rule.tier_order {
            TierOrder::LowestFirst => (seat.agent.tier, Reverse(0)),
            TierOrder::HighestFirst => (0, Reverse(seat.agent.tier)),
            TierOrder::Any => (0, Reverse(0)),
        };
        let load = || {
            let share = |one: &Self, whole: &Self| {
                // Without capacity nothing is in hand: a share of nothing, comparable with all others.
                u64::from(one.agent.load).saturating_mul(whole.agent.capacity.max(1).into())
            };
            share(self, other).cmp(&share(other, self))
        };
        let weight = || {
            let share = |one: &Self, whole: &Self| {
                u128::from(one.got.saturating_add(1)).saturating_mul(whole.agent.weight.into())
            };
            share(self, other).cmp(&share(other, self))
        };
        let strategy = match rule.strategy {
            Strategy::RoundRobin => (Ordering::Equal, Preference::LongestWait),
            Strategy::LeastLoaded => (load(), Preference::Load),
            Strategy::Weighted => (weight(), Preference::Weight),
        };
        let criteria = [
            (tier(self).cmp(&tier(other)), Preference::Tier),
            strategy,
            (self.last.cmp(&other.last), Preference::LongestWait),
        ];
        let decided = criteria.into_iter().find(|(order, _)| order.is_ne());
        decided.unwrap_or_else(|| (self.agent.id.cmp(&other.agent.id), Preference::Id))
    }
}
