//! Presets: data that ships with the crate.

pub mod policies;
