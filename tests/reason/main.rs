//! Why goods come back.

mod crosswalk;
mod taxonomy;
mod text;
