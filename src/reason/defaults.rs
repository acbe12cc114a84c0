//! Defaults of a reason, with what overruled them and why.
//!
//! In: a reason, an industry, and the rulings made so far (an inspection found misuse, the carrier
//! accepted the claim, the store pays all freight). Out: fault, evidence, freight payer and basis,
//! with one finding for every rule that set or confirmed a value.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::ReasonCode;
use super::attribute::{Evidence, Fault, FreightPayer, PolicyBasis};
use super::taxonomy::{Pack, Taxonomy};
use crate::explain::{Effect, Explained, Fact, Finding, RuleRef};
use crate::id::RuleId;
use crate::label::Coded;

/// What is assumed of a line with one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// The party at fault.
    pub fault: Fault,
    /// Whether the customer must show something.
    pub evidence: Evidence,
    /// Who pays the freight back.
    pub freight_payer: FreightPayer,
    /// The kind of right the reason leans on.
    pub basis: PolicyBasis,
}

/// One value that an event or a rule of the host sets in place of a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// The party at fault.
    Fault(Fault),
    /// Whether the customer must show something.
    Evidence(Evidence),
    /// Who pays the freight back.
    FreightPayer(FreightPayer),
    /// The kind of right.
    Basis(PolicyBasis),
}

/// A setting with the rule that makes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// The rule or the event behind it.
    pub rule: RuleRef,
    /// What it sets.
    pub sets: Setting,
}

/// Which industry's rules apply.
#[derive(Clone, Copy, Debug)]
pub enum Industry<'a> {
    /// None in particular: the core defaults.
    Any,
    /// One pack.
    Pack(&'a Pack),
}

impl Taxonomy {
    /// The defaults of a reason after the industry and the rulings, the last ruling on a value
    /// standing. None when the taxonomy does not know the code.
    ///
    /// ```
    /// use aftersale::preset::reasons::TAXONOMY;
    /// use aftersale::reason::attribute::{Evidence, Fault};
    /// use aftersale::reason::defaults::Industry;
    /// use aftersale::reason::taxonomy::Taxonomy;
    ///
    /// let taxonomy: Taxonomy = serde_json::from_str(TAXONOMY)?;
    /// let allergy = "SAF.ALLERGY".parse()?;
    /// let anywhere = taxonomy.defaults(&allergy, Industry::Any, &[]).ok_or("unknown")?;
    /// assert_eq!(anywhere.value.evidence, Evidence::Optional);
    /// let beauty = taxonomy.packs().iter().find(|p| p.code.as_str() == "beauty").ok_or("no pack")?;
    /// let cream = taxonomy.defaults(&allergy, Industry::Pack(beauty), &[]).ok_or("unknown")?;
    /// assert_eq!((cream.value.evidence, cream.value.fault), (Evidence::Required, Fault::Nobody));
    /// assert_eq!(
    ///     cream.findings.last().map(ToString::to_string).as_deref(),
    ///     Some("rule `industry_evidence` sets (evidence): `optional` observed, `required` required"),
    /// );
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn defaults(
        &self,
        code: &ReasonCode,
        industry: Industry<'_>,
        rulings: &[Ruling],
    ) -> Option<Explained<Defaults>> {
        let reason = self.reason(code)?;
        let mut value = Defaults {
            fault: reason.fault_default,
            evidence: reason.evidence,
            freight_payer: reason.return_shipping_payer_default,
            basis: reason.policy_basis,
        };
        let own = RuleRef {
            version: self.version(),
            source: Some(code.as_str().into()),
            ..RuleRef::new(RuleId::new("reason_default").ok()?)
        };
        let starts = [
            Setting::Fault(value.fault),
            Setting::Evidence(value.evidence),
            Setting::FreightPayer(value.freight_payer),
            Setting::Basis(value.basis),
        ];
        let mut findings: Vec<Finding> = starts
            .into_iter()
            .map(|start| {
                let (subject, to) = start.words();
                Finding::new(own.clone(), Effect::Sets).about(subject).required(Fact::code(to))
            })
            .collect();
        let override_ = match industry {
            Industry::Any => None,
            Industry::Pack(pack) => pack.evidence_overrides.get(code),
        };
        let industry = override_.and_then(|evidence| {
            let rule = RuleRef {
                version: self.version(),
                ..RuleRef::new(RuleId::new("industry_evidence").ok()?)
            };
            Some(Ruling { rule, sets: Setting::Evidence(*evidence) })
        });
        for ruling in industry.iter().chain(rulings) {
            findings.push(value.apply(ruling));
        }
        Some(Explained::new(value, findings))
    }
}

impl Defaults {
    fn apply(&mut self, ruling: &Ruling) -> Finding {
        let before = match ruling.sets {
            Setting::Fault(to) => core::mem::replace(&mut self.fault, to).code(),
            Setting::Evidence(to) => core::mem::replace(&mut self.evidence, to).code(),
            Setting::FreightPayer(to) => core::mem::replace(&mut self.freight_payer, to).code(),
            Setting::Basis(to) => core::mem::replace(&mut self.basis, to).code(),
        };
        let (subject, after) = ruling.sets.words();
        let effect = if before == after { Effect::Passes } else { Effect::Sets };
        Finding::new(ruling.rule.clone(), effect)
            .about(subject)
            .observed(Fact::code(before))
            .required(Fact::code(after))
    }
}

impl Setting {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Fault(to) => ("fault", to.code()),
            Self::Evidence(to) => ("evidence", to.code()),
            Self::FreightPayer(to) => ("freight_payer", to.code()),
            Self::Basis(to) => ("basis", to.code()),
        }
    }
}
