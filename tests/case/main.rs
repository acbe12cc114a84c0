//! Return cases: goods, money, people and time of one order.

mod allowed;
mod call_back;
mod case_world;
mod clocks;
mod deductions;
mod edges;
mod explore;
mod fixtures;
mod forged;
mod goods;
mod hostile;
mod inspection;
mod invariants;
mod kits;
mod laws;
mod liability;
mod matching;
mod migration;
mod parts;
mod people;
mod pool;
mod promises;
mod recovery;
mod resolutions;
mod review;
mod review_stories;
mod roles;
mod rulings;
mod serials;
mod shape;
mod situations_goods;
mod situations_time;
mod strategies;
mod timers;
mod wire;

#[path = "../support/reviews.rs"]
mod reviews;
#[path = "../support/mod.rs"]
mod support;
