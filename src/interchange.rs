//! Interchange: forms of the outside world, read and written.

pub mod epcis;
pub mod ocel;
pub mod pnml;
pub mod schema_org;
pub mod xes;
