//! `aftersale`: returns, exchanges and after-sales service as one embeddable engine.
//!
//! A host (an ERP, an order system, a marketplace, a service desk) hands the engine facts, commands
//! and the time. The engine hands back decisions, events, amounts to the cent, deadlines, duties for
//! the host to carry out, and the reasons for all of them. It reads no clock, no file and no network.
//!
//! # Modules
//!
//! The modules below stand in layers, one blank line between layers. A module uses earlier layers
//! only, never a sibling; `tests/project/architecture.rs` reads this list and fails on any other edge.
#![no_std]
#![forbid(unsafe_code)]
// What only the library promises; the rest of the table is in Cargo.toml, for tests and examples too.
#![warn(missing_docs, missing_debug_implementations, unreachable_pub)]
#![warn(clippy::must_use_candidate, clippy::needless_pass_by_value)]
// It never panics on any input, so what could panic is not written.
#![warn(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::todo,
    clippy::unimplemented,
    clippy::unwrap_used
)]

extern crate alloc;

// 1 words
pub mod id;
pub mod label;
pub mod markup;

// 2 numbers
pub mod number;

// 3 amounts and times
pub mod money;
pub mod quantity;
pub mod time;

// 4 calendars, and reasons given
pub mod calendar;
pub mod explain;

// 5 conditions over facts
pub mod condition;

// 6 trade
pub mod lineage;
pub mod reason;
pub mod sale;
pub mod sla;
pub mod workflow;

// 7 judgments
pub mod approval;
pub mod dispatch;
pub mod feedback;
pub mod inspection;
pub mod policy;

// 8 practice of marketplaces, and money out
pub mod practice;
pub mod settlement;

// 9 rule book
pub mod rules;

// 10 case
pub mod case;

// 11 insight
pub mod analytics;

// 12 learning
pub mod improvement;

// 13 edges
pub mod chart;
pub mod interchange;
pub mod preset;

// 14 generators for property tests
#[cfg(feature = "proptest")]
pub mod strategies;

/// The guide to settlement, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/settlement.md")]
pub struct SettlementGuide;

/// The guide to cases, compiled and run as tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/cases.md")]
pub struct CasesGuide;

/// The README's example, compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
