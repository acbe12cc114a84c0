//! Presets: rules shipped as data, for hosts to load, change and verify.
//!
//! In: nothing. Out: documents as text, in the forms that the modules of the engine deserialize. No
//! module of the engine reads a preset by itself.

pub mod industries;
pub mod markets;
pub mod policies;
pub mod reasons;
pub mod review;
