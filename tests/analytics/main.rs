//! What comes of many returns: tallies, rates, alarms, causes, charts, and the improvement loop.

mod alarms;
mod chart;
mod improvement;
mod methods;
mod order;
mod origin;
mod rates;
mod tally;

#[path = "../support/mod.rs"]
mod support;
