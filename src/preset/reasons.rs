//! The shipped reason taxonomy and its crosswalk to outside code lists, as JSON text.

/// The taxonomy: 10 causes and the reserved one, 62 core reasons, 18 more in six industry packs, with
/// words in English and Chinese. Deserializes into [`Taxonomy`](crate::reason::taxonomy::Taxonomy).
pub const TAXONOMY: &str = include_str!("reasons.json");

/// The crosswalk to 15 outside code lists: marketplaces, EDI standards, shop systems, Chinese
/// wordings. Deserializes into [`CrosswalkDraft`](crate::reason::crosswalk::CrosswalkDraft).
pub const CROSSWALK: &str = include_str!("reason_crosswalk.json");
