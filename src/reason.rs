//! Reasons: what customers and staff say went wrong.

pub mod attribute;
