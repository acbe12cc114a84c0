//! Marketplaces and kinds of trade: timers with what happens when they run out, and status codes.
//!
//! Texts of a [`MarketDraft`]. Values that no source confirmed carry the certainty `believed`: check
//! them before relying on them, and replace them in the text. `docs/markets.md` lists them.
//!
//! ```
//! use aftersale::case::status::CaseStatus;
//! use aftersale::case::resolution::Resolution;
//! use aftersale::preset::markets::{Market, TAOBAO};
//! let taobao: Market = serde_json::from_str(TAOBAO)?;
//! assert_eq!(taobao.status_of("WAIT_SELLER_AGREE"), Some(CaseStatus::Submitted));
//! let code = taobao.code_for(CaseStatus::Expired, Resolution::ReturnAndRefund);
//! assert_eq!(code.map(|code| code.code.as_str()), Some("CLOSED"));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::case::resolution::Resolution;
use crate::case::status::CaseStatus;
use crate::label::{Coded, Label};
use crate::policy::terms::Certainty;
use crate::practice::verify::PracticeDefects;
use crate::practice::{Practice, PracticeDraft};

/// WeChat shop (微信小店): timers as documented; two expiry actions are believed.
pub const WECHAT_SHOP: &str = include_str!("market/wechat_shop.json");

/// Taobao and Tmall: timers from a secondary source; the last two are believed.
pub const TAOBAO: &str = include_str!("market/taobao.json");

/// JD: timers from secondary sources, with the Spring Festival pause of 2019; the steps of its service
/// orders from client programs, five readings believed.
pub const JD: &str = include_str!("market/jd.json");

/// Pinduoduo: one timer from the press, two believed; status codes from a client library.
pub const PINDUODUO: &str = include_str!("market/pinduoduo.json");

/// A web store with timers of its own and the status codes of Shopify returns.
pub const STORE: &str = include_str!("market/store.json");

/// Trade between businesses, in working days, with the status codes of Adobe Commerce.
pub const B2B: &str = include_str!("market/b2b.json");

/// All of them.
pub const ALL: &[&str] = &[WECHAT_SHOP, TAOBAO, JD, PINDUODUO, STORE, B2B];

/// A marketplace as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketDraft {
    /// Its timers and rules of conduct.
    pub practice: PracticeDraft,
    /// Its status codes; of several that fit a case, the first counts.
    #[serde(default)]
    pub statuses: Vec<StatusCode>,
}

/// A status code of a marketplace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusCode {
    /// The code as the marketplace writes it.
    pub code: String,
    /// What it means.
    pub label: Label,
    /// The status that it says.
    pub status: CaseStatus,
    /// For which cases it is used; none named means all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub resolutions: BTreeSet<Resolution>,
    /// Statuses that the marketplace does not tell apart from it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also: BTreeSet<CaseStatus>,
    /// How sure the reading is.
    #[serde(default = "secondary")]
    pub certainty: Certainty,
}

const fn secondary() -> Certainty {
    Certainty::Secondary
}

/// A marketplace that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "MarketDraft", into = "MarketDraft")]
pub struct Market {
    practice: Practice,
    statuses: Vec<StatusCode>,
}

/// A marketplace that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarketRefused {
    /// Its timers.
    #[error(transparent)]
    Practice(#[from] PracticeDefects),
    /// One code stands twice.
    #[error("status code `{code}` stands twice")]
    CodeTwice {
        /// The code.
        code: String,
    },
    /// There are too many codes.
    #[error("{found} status codes, at most {max} are allowed")]
    TooManyCodes {
        /// How many.
        found: usize,
        /// The most.
        max: usize,
    },
}

impl Market {
    /// The most status codes.
    pub const MAX_CODES: usize = 1_000;

    /// Its timers and rules of conduct.
    #[must_use]
    pub const fn practice(&self) -> &Practice {
        &self.practice
    }

    /// Its status codes.
    #[must_use]
    pub fn statuses(&self) -> &[StatusCode] {
        &self.statuses
    }

    /// What a code of the marketplace says.
    #[must_use]
    pub fn status_of(&self, code: &str) -> Option<CaseStatus> {
        self.statuses.iter().find(|known| known.code == code).map(|known| known.status)
    }

    /// The code that the marketplace uses: one that says exactly this status, else one that does
    /// not tell it apart.
    #[must_use]
    pub fn code_for(&self, status: CaseStatus, resolution: Resolution) -> Option<&StatusCode> {
        let used = |known: &&StatusCode| {
            known.resolutions.is_empty() || known.resolutions.contains(&resolution)
        };
        let mut exact = self.statuses.iter().filter(used).filter(|known| known.status == status);
        let mut also =
            self.statuses.iter().filter(used).filter(|known| known.also.contains(&status));
        exact.next().or_else(|| also.next())
    }

    /// Codes that do not come back as themselves: another code says the same status.
    pub fn lossy_codes(&self) -> impl Iterator<Item = &StatusCode> {
        self.statuses.iter().filter(|known| {
            let mut used = Resolution::ALL.iter().filter(|resolution| {
                known.resolutions.is_empty() || known.resolutions.contains(resolution)
            });
            !used.any(|resolution| {
                self.code_for(known.status, *resolution).is_some_and(|back| back == *known)
            })
        })
    }

    /// Statuses of ours that a code merges into another one.
    #[must_use]
    pub fn lossy_statuses(&self) -> BTreeSet<CaseStatus> {
        let exact: BTreeSet<CaseStatus> = self.statuses.iter().map(|known| known.status).collect();
        let merged = self.statuses.iter().flat_map(|known| known.also.iter().copied());
        merged.filter(|status| !exact.contains(status)).collect()
    }
}

impl TryFrom<MarketDraft> for Market {
    type Error = MarketRefused;
    fn try_from(draft: MarketDraft) -> Result<Self, MarketRefused> {
        let (found, max) = (draft.statuses.len(), Self::MAX_CODES);
        if found > max {
            return Err(MarketRefused::TooManyCodes { found, max });
        }
        let mut seen = BTreeSet::new();
        for known in &draft.statuses {
            if !seen.insert(&known.code) {
                return Err(MarketRefused::CodeTwice { code: known.code.clone() });
            }
        }
        let practice = Practice::verify(draft.practice)?;
        Ok(Self { practice, statuses: draft.statuses })
    }
}

impl From<Market> for MarketDraft {
    fn from(market: Market) -> Self {
        Self { practice: market.practice.into(), statuses: market.statuses }
    }
}
