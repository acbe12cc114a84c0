//! Interchange: what other systems write, read into this crate, and the other way round.

pub mod epcis;
