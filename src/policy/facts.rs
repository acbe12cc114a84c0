//! The facts about one line that policy conditions may test.
//!
//! [`LineFacts`] is what a host fills in; [`schema`] is the same list for conditions. A fact left out
//! is unknown: a rule that depends on it asks for it instead of guessing.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::deadline::{Information, Timeline};
use super::period::Anchor;
use crate::condition::Facts;
use crate::condition::schema::{FactType, Schema};
use crate::explain::Fact;
use crate::id::FactName;
use crate::label::{Coded, codes};
use crate::reason::attribute::PolicyBasis;
use crate::time::Zone;

codes! {
    /// How the contract was made, as laws tell channels apart.
    pub enum ContractChannel "contract channel" {
        /// Through a web shop or an app.
        Online = "online", "Online", "网络";
        /// On the telephone.
        Telephone = "telephone", "Telephone", "电话";
        /// From a television program.
        Television = "television", "Television", "电视";
        /// By letter or catalog.
        MailOrder = "mail_order", "Mail order", "邮购";
        /// At the door, or on an excursion.
        OffPremises = "off_premises", "Off premises", "上门推销";
        /// In a shop.
        Store = "store", "Store", "门店";
    }
}

codes! {
    /// Who bought.
    pub enum Buyer "buyer" {
        /// A person, for private use.
        Consumer = "consumer", "Consumer", "消费者";
        /// A business.
        Business = "business", "Business", "企业";
    }
}

codes! {
    /// The facts that conditions of every policy may test, by their code.
    ///
    /// Yes-or-no facts are flags, `*_days` are days, counts are counts, `tags` and
    /// `condition_findings` are sets of codes; the rest are codes.
    pub enum LineFact "policy fact" {
        /// Where the customer lives, ISO 3166-1 alpha-2. Code.
        Country = "country", "Country", "国家";
        /// A [`ContractChannel`]. Code.
        Channel = "channel", "Channel", "渠道";
        /// A [`Buyer`]. Code.
        Buyer = "buyer", "Buyer", "购买者";
        /// What the article is: `perishable`, `sealed_hygiene`, `final_sale`. Codes.
        Tags = "tags", "Article tags", "商品标签";
        /// The reason given. Code.
        Reason = "reason", "Reason", "原因";
        /// The [`PolicyBasis`] of the reason. Code.
        ReasonBasis = "reason_basis", "Basis of the reason", "原因依据";
        /// Made to the customer's specification. Flag.
        MadeToOrder = "made_to_order", "Made to order", "定制";
        /// The customer confirmed at this purchase that the goods cannot be returned. Flag.
        ConfirmedAtPurchase = "confirmed_at_purchase", "Exclusion confirmed at purchase", "购买时确认";
        /// The seller promised returns of these goods all the same. Flag.
        Promised = "promised", "Promised by the seller", "商家承诺";
        /// Found complete and in its original quality. Flag.
        Intact = "intact", "Intact", "完好";
        /// What an inspection found: `label_removed`, `soiled`, `unauthorized_repair`. Codes.
        ConditionFindings = "condition_findings", "Findings about the condition", "查验结果";
        /// The state the goods are in: `new`, `used`, `damaged`, `refurbished`. Code.
        ItemCondition = "item_condition", "Condition of the item", "商品状态";
        /// The package was opened. Flag.
        Opened = "opened", "Opened", "已拆封";
        /// A necessary disposable seal was broken. Flag.
        SealBroken = "seal_broken", "Seal broken", "密封破坏";
        /// Activated, licensed or registered. Flag.
        Activated = "activated", "Activated", "已激活";
        /// A service or digital content was begun or performed with the customer's consent. Flag.
        PerformedWithConsent = "performed_with_consent", "Performed with consent", "经同意已履行";
        /// The day of the sale at the place, from the timeline: sold, else contract made, else
        /// invoiced. Date.
        SoldOn = "sold_on", "Day of the sale", "销售日期";
        /// The day of the request at the place, from the timeline. Date.
        RequestedOn = "requested_on", "Day of the request", "申请日期";
        /// The customer was informed of the right with the contract. Flag, from the timeline.
        Informed = "informed", "Informed", "已告知";
        /// An inspection confirmed that the goods are not as agreed. Flag.
        DefectConfirmed = "defect_confirmed", "Defect confirmed", "缺陷确认";
        /// The class of the fault, such as `steering_failure` or `main_assembly`. Code.
        FaultClass = "fault_class", "Class of the fault", "故障类别";
        /// Failed or finished repairs so far. Count.
        Repairs = "repairs", "Repairs", "维修次数";
        /// Repairs of one and the same fault. Count.
        SameFaultRepairs = "same_fault_repairs", "Repairs of the same fault", "同一故障维修次数";
        /// Days in repair altogether. Days.
        RepairDays = "repair_days", "Days in repair", "累计维修天数";
        /// Replacements of one assembly or main part. Count.
        PartReplacements = "part_replacements", "Replacements of one part", "同一部件更换次数";
        /// Replacements of the whole unit. Count.
        Replacements = "replacements", "Replacements", "换货次数";
        /// The unit falls under an open recall. Flag.
        UnderRecall = "under_recall", "Under recall", "召回中";
    }
}

impl LineFact {
    /// The name in conditions.
    #[must_use]
    pub fn name(self) -> Option<FactName> {
        FactName::new(self.code()).ok()
    }

    /// The type in conditions.
    #[must_use]
    pub fn fact_type(self) -> FactType {
        let one_of = |codes: &mut dyn Iterator<Item = &'static str>| {
            FactType::Code(codes.map(String::from).collect())
        };
        match self {
            Self::Channel => one_of(&mut ContractChannel::ALL.iter().map(|code| code.code())),
            Self::Buyer => one_of(&mut Buyer::ALL.iter().map(|code| code.code())),
            Self::ReasonBasis => one_of(&mut PolicyBasis::ALL.iter().map(|code| code.code())),
            Self::Country | Self::Reason | Self::ItemCondition | Self::FaultClass => {
                FactType::Code(BTreeSet::new())
            }
            Self::Tags | Self::ConditionFindings => FactType::Codes(BTreeSet::new()),
            Self::Repairs
            | Self::SameFaultRepairs
            | Self::PartReplacements
            | Self::Replacements => FactType::Count,
            Self::RepairDays => FactType::Days,
            Self::SoldOn | Self::RequestedOn => FactType::Date,
            Self::MadeToOrder
            | Self::ConfirmedAtPurchase
            | Self::Promised
            | Self::Intact
            | Self::Opened
            | Self::SealBroken
            | Self::Activated
            | Self::PerformedWithConsent
            | Self::Informed
            | Self::DefectConfirmed
            | Self::UnderRecall => FactType::Flag,
        }
    }
}

/// The facts that every policy may test; all may be missing.
///
/// ```
/// use aftersale::condition::schema::FactType;
/// use aftersale::id::FactName;
/// use aftersale::policy::facts::schema;
/// let opened = schema().get(&FactName::new("opened")?).map(|fact| fact.fact_type.clone());
/// assert_eq!(opened, Some(FactType::Flag));
/// # Ok::<(), aftersale::id::IdError>(())
/// ```
#[must_use]
pub fn schema() -> Schema {
    LineFact::ALL.iter().fold(Schema::new(), |schema, fact| match fact.name() {
        Some(name) => schema.with_optional(name, fact.fact_type()),
        None => schema,
    })
}

/// What is known about the line that is to come back. Leave out what is not known.
///
/// ```
/// use aftersale::policy::facts::{ContractChannel, LineFacts};
/// use aftersale::reason::attribute::PolicyBasis;
/// let phone = LineFacts {
///     country: Some("CN".into()),
///     channel: Some(ContractChannel::Online),
///     reason_basis: Some(PolicyBasis::Withdrawal),
///     made_to_order: Some(false),
///     activated: Some(true),
///     ..LineFacts::default()
/// };
/// assert!(phone.tags.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LineFacts {
    /// See [`LineFact::Country`].
    pub country: Option<String>,
    /// See [`LineFact::Channel`].
    pub channel: Option<ContractChannel>,
    /// See [`LineFact::Buyer`].
    pub buyer: Option<Buyer>,
    /// See [`LineFact::Tags`]; an article without tags has none, which is known.
    pub tags: BTreeSet<String>,
    /// See [`LineFact::Reason`].
    pub reason: Option<String>,
    /// See [`LineFact::ReasonBasis`].
    pub reason_basis: Option<PolicyBasis>,
    /// See [`LineFact::MadeToOrder`].
    pub made_to_order: Option<bool>,
    /// See [`LineFact::ConfirmedAtPurchase`].
    pub confirmed_at_purchase: Option<bool>,
    /// See [`LineFact::Promised`].
    pub promised: Option<bool>,
    /// See [`LineFact::Intact`].
    pub intact: Option<bool>,
    /// See [`LineFact::ConditionFindings`]; none before an inspection.
    pub condition_findings: Option<BTreeSet<String>>,
    /// See [`LineFact::ItemCondition`].
    pub item_condition: Option<String>,
    /// See [`LineFact::Opened`].
    pub opened: Option<bool>,
    /// See [`LineFact::SealBroken`].
    pub seal_broken: Option<bool>,
    /// See [`LineFact::Activated`].
    pub activated: Option<bool>,
    /// See [`LineFact::PerformedWithConsent`].
    pub performed_with_consent: Option<bool>,
    /// See [`LineFact::DefectConfirmed`].
    pub defect_confirmed: Option<bool>,
    /// See [`LineFact::FaultClass`].
    pub fault_class: Option<String>,
    /// See [`LineFact::Repairs`].
    pub repairs: Option<u32>,
    /// See [`LineFact::SameFaultRepairs`].
    pub same_fault_repairs: Option<u32>,
    /// See [`LineFact::RepairDays`].
    pub repair_days: Option<u32>,
    /// See [`LineFact::PartReplacements`].
    pub part_replacements: Option<u32>,
    /// See [`LineFact::Replacements`].
    pub replacements: Option<u32>,
    /// See [`LineFact::UnderRecall`].
    pub under_recall: Option<bool>,
    /// Facts that the host declared in its own policies.
    pub more: BTreeMap<FactName, Fact>,
}

impl LineFacts {
    /// One fact for conditions; dates are those of the zone.
    #[must_use]
    pub fn fact(&self, fact: LineFact, timeline: &Timeline, zone: Zone) -> Option<Fact> {
        let text = |text: &Option<String>| text.clone().map(Fact::Code);
        let flag = |flag: Option<bool>| flag.map(Fact::Flag);
        let count = |count: Option<u32>| count.map(|count| Fact::Count(count.into()));
        match fact {
            LineFact::Country => text(&self.country),
            LineFact::Channel => self.channel.map(coded),
            LineFact::Buyer => self.buyer.map(coded),
            LineFact::Tags => Some(Fact::Codes(self.tags.clone())),
            LineFact::Reason => text(&self.reason),
            LineFact::ReasonBasis => self.reason_basis.map(coded),
            LineFact::MadeToOrder => flag(self.made_to_order),
            LineFact::ConfirmedAtPurchase => flag(self.confirmed_at_purchase),
            LineFact::Promised => flag(self.promised),
            LineFact::Intact => flag(self.intact),
            LineFact::ConditionFindings => self.condition_findings.clone().map(Fact::Codes),
            LineFact::ItemCondition => text(&self.item_condition),
            LineFact::Opened => flag(self.opened),
            LineFact::SealBroken => flag(self.seal_broken),
            LineFact::Activated => flag(self.activated),
            LineFact::PerformedWithConsent => flag(self.performed_with_consent),
            LineFact::SoldOn => [Anchor::Sold, Anchor::ContractMade, Anchor::Invoiced]
                .into_iter()
                .find_map(|event| timeline.at(event))
                .map(|at| Fact::Date(zone.date(at))),
            LineFact::RequestedOn => Some(Fact::Date(zone.date(timeline.requested_at))),
            LineFact::Informed => Some(Fact::Flag(timeline.information == Information::InTime)),
            LineFact::DefectConfirmed => flag(self.defect_confirmed),
            LineFact::FaultClass => text(&self.fault_class),
            LineFact::Repairs => count(self.repairs),
            LineFact::SameFaultRepairs => count(self.same_fault_repairs),
            LineFact::RepairDays => self.repair_days.map(|days| Fact::Days(days.into())),
            LineFact::PartReplacements => count(self.part_replacements),
            LineFact::Replacements => count(self.replacements),
            LineFact::UnderRecall => flag(self.under_recall),
        }
    }

    /// All known facts for conditions; dates are those of the zone.
    #[must_use]
    pub fn facts(&self, timeline: &Timeline, zone: Zone) -> Facts {
        let own = LineFact::ALL
            .iter()
            .filter_map(|fact| Some((fact.name()?, self.fact(*fact, timeline, zone)?)));
        self.more.iter().map(|(name, fact)| (name.clone(), fact.clone())).chain(own).collect()
    }
}

fn coded(code: impl Coded) -> Fact {
    Fact::Code(code.code().into())
}
