//! Money of a sale and of everything that comes back of it, to the cent.

mod laws;
mod model;
mod promotions;
mod sale;
mod systems;

#[path = "../support/sales.rs"]
mod sales;
