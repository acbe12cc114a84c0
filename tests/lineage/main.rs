//! Lots from supplier to customer, and back.

mod campaign;
mod composition;
mod containment;
mod guide;
mod heels;
mod recall;
mod record;
mod reports;
mod sources;
mod suspects;
mod sweep;
mod units;
mod worlds;

#[path = "../lineage_model/mod.rs"]
mod lineage_model;
