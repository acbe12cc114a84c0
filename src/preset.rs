//! Presets: ready definitions as data, to start from and to change.

pub mod review;
