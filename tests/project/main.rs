//! What holds of the project itself: its layers, its laws.

mod architecture;
mod laws;
