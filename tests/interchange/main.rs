//! Documents of other systems, read and written.

mod epcis;
mod epcis_documents;
mod epcis_movements;
mod epcis_reading;
mod ocel;
mod returns;
mod schema_org;
mod xes;

#[path = "../common/mod.rs"]
mod common;
#[path = "../lineage_model/mod.rs"]
mod lineage_model;
#[path = "../support/reviews.rs"]
mod reviews;
#[path = "../support/mod.rs"]
mod support;
