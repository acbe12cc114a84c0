//! Interchange: forms of the outside world, read and written.

pub mod schema_org;
