//! A small report kit for the examples: one self-contained HTML page, charts drawn as inline SVG,
//! and a terminal layout. Plain Rust, no dependency beyond the standard library.
//!
//! An example takes it in with one line:
//!
//! ```ignore
//! #[path = "support/mod.rs"] // from examples/credit_notes/main.rs: "../support/mod.rs"
//! mod support;
//! ```
//!
//! Then: [`page::Page`] collects sections, [`body::Body`] is what stands in a section (text, tables,
//! callouts, explained decisions, figures), [`charts`] holds one plain struct per chart, [`text`]
//! formats numbers and [`terminal`] prints aligned tables. All text is escaped where it enters the
//! page; the same input gives the same bytes.
#![allow(dead_code, reason = "every user of this module needs a part of it")]
#![allow(unreachable_pub, reason = "the kit is a private module of each example")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    reason = "drawing: coordinates are floats, and every index comes from the same loop"
)]

pub mod body;
pub mod charts;
pub mod page;
pub mod svg;
pub mod terminal;
pub mod text;
