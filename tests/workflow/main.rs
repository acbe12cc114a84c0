//! Procedures, proven before they run, and approval.

mod approval;
mod approval_laws;
mod approval_rules;
mod histories;
mod outlook;
mod procedures;
mod verify;

#[path = "../common/mod.rs"]
mod common;
