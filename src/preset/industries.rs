//! Industry packs: which reasons and policies fit, what to look at on arrival, what to say.
//!
//! Texts of an [`IndustryPack`], one for each of six industries. The checklists and texts are this
//! crate's own proposal; a host changes them in the text.
//!
//! ```
//! use aftersale::preset::industries::{FOOD, IndustryPack};
//! let food: IndustryPack = serde_json::from_str(FOOD)?;
//! assert_eq!(food.label.zh, "食品");
//! assert!(food.checklist.items().iter().any(|item| item.id.as_str() == "chilled"));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::inspection::checklist::Checklist;
use crate::label::Label;

/// Clothes and shoes.
pub const APPAREL: &str = include_str!("industry/apparel.json");
/// Household appliances.
pub const APPLIANCES: &str = include_str!("industry/appliances.json");
/// Cosmetics and care.
pub const BEAUTY: &str = include_str!("industry/beauty.json");
/// Furniture and household goods.
pub const HOME: &str = include_str!("industry/home.json");
/// Phones, computers and the like.
pub const ELECTRONICS: &str = include_str!("industry/electronics.json");
/// Food.
pub const FOOD: &str = include_str!("industry/food.json");

/// All of them.
pub const ALL: &[&str] = &[APPAREL, APPLIANCES, BEAUTY, HOME, ELECTRONICS, FOOD];

/// What one industry needs beside the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndustryPack {
    /// Its stable name.
    pub id: String,
    /// Its name for people.
    pub label: Label,
    /// The pack of reasons in the shipped taxonomy.
    pub reasons: String,
    /// The shipped policies that fit.
    pub policies: Vec<String>,
    /// What to look at when goods arrive.
    pub checklist: Checklist,
    /// What service staff do in common situations.
    pub playbook: Vec<PlaybookEntry>,
}

/// What service staff do in one situation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaybookEntry {
    /// The situation, as a code.
    pub situation: String,
    /// What to do and say.
    pub text: Label,
}
