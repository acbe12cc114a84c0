//! Interchange: forms of the outside world, read and written.

pub mod epcis;
pub mod ocel;
pub mod schema_org;
