//! Interchange: forms of the outside world, read and written.

pub mod schema_org;
//! Interchange: what other systems write, read into this crate, and the other way round.

pub mod epcis;
