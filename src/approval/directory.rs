//! Who may approve: roles, limits, absences, substitutes, superiors.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::id::ActorId;
use crate::money::Money;
use crate::time::{Instant, Interval};
use crate::workflow::RoleCode;

/// How many substitutes of substitutes are looked at.
const MAX_SUBSTITUTES: usize = 8;

/// The people of the host at the time of a decision. What was looked up is recorded in the entries.
///
/// ```
/// use aftersale::approval::directory::{Directory, Person};
/// use aftersale::id::ActorId;
/// use aftersale::money::{Money, currency::Currency};
/// use aftersale::workflow::RoleCode;
/// let (finance, li) = (RoleCode::new("finance")?, ActorId::new("li")?);
/// let directory = Directory::default()
///     .with_person(li.clone(), Person { limit: Some(Money::new(50_000, Currency::CNY)), ..Person::default() })
///     .with_role(finance.clone(), [li.clone()]);
/// assert_eq!(directory.members(&finance), [li]);
/// # Ok::<(), aftersale::id::IdError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// What is known of people; of others nothing is, and nothing limits them.
    #[serde(default)]
    people: BTreeMap<ActorId, Person>,
    /// The members of each role, in the order in which they are asked.
    #[serde(default)]
    roles: BTreeMap<RoleCode, Vec<ActorId>>,
}

/// What is known of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// Up to and including which amount they may approve; none without a limit.
    pub limit: Option<Money>,
    /// When they are away.
    pub absent: Vec<Interval>,
    /// Who stands in while they are away.
    pub substitute: Option<ActorId>,
    /// Their superior.
    pub superior: Option<ActorId>,
}

impl Directory {
    /// Adds or replaces a person.
    #[must_use]
    pub fn with_person(mut self, id: ActorId, person: Person) -> Self {
        self.people.insert(id, person);
        self
    }

    /// Sets the members of a role.
    #[must_use]
    pub fn with_role(mut self, role: RoleCode, members: impl IntoIterator<Item = ActorId>) -> Self {
        self.roles.insert(role, members.into_iter().collect());
        self
    }

    /// The members of a role, in the order in which they are asked.
    #[must_use]
    pub fn members(&self, role: &RoleCode) -> &[ActorId] {
        self.roles.get(role).map_or(&[], Vec::as_slice)
    }

    /// Whether a person has a role.
    #[must_use]
    pub fn has_role(&self, person: &ActorId, role: &RoleCode) -> bool {
        self.members(role).contains(person)
    }

    /// The superior of a person.
    #[must_use]
    pub fn superior(&self, person: &ActorId) -> Option<&ActorId> {
        self.people.get(person)?.superior.as_ref()
    }

    /// Whether a person may approve an amount; an amount in another currency than the limit is
    /// beyond it.
    #[must_use]
    pub fn may_approve(&self, person: &ActorId, amount: Money) -> bool {
        match self.people.get(person).and_then(|person| person.limit) {
            Some(limit) => limit.currency() == amount.currency() && amount <= limit,
            None => true,
        }
    }

    /// Who is asked instead of a person at an instant: the person, a substitute, or nobody.
    #[must_use]
    pub fn present<'a>(&'a self, person: &'a ActorId, at: Instant) -> Option<&'a ActorId> {
        let mut asked = person;
        for _ in 0..MAX_SUBSTITUTES {
            let known = self.people.get(asked);
            let away = known.is_some_and(|p| p.absent.iter().any(|absence| absence.contains(at)));
            if !away {
                return Some(asked);
            }
            asked = known?.substitute.as_ref()?;
        }
        None
    }
}
