//! What comes of many returns: tallies, rates, alarms, causes, charts, and the improvement loop.

mod alarms;
mod chart;
mod edges;
mod improvement;
mod methods;
mod order;
mod origin;
mod random;
mod rates;
mod tally;

#[path = "../support/mod.rs"]
mod support;
