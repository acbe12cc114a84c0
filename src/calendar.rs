//! Business calendars: which days are worked, which hours are open.
//!
//! In: opening hours as data ([`hours`]), or combinations of them ([`book`]). Out: a compiled
//! [`Calendar`](compiled::Calendar) that adds, subtracts and measures open time at the same cost for
//! an hour and for ten years, counts whole days ([`day_term`]), and explains every closed hour
//! ([`time_class`]). Places that only count days use [`working_days`].
//!
//! Always true, and tested in `tests/deadlines/calendar.rs`:
//! 1. Periods are half open; an empty one vanishes, touching ones merge.
//! 2. A window belongs to the civil date on which it opens.
//! 3. Only the edges of windows are resolved to instants; time inside them is absolute, so a shift
//!    over a clock change is an hour shorter or longer.

pub mod book;
mod china;
pub mod compile;
pub mod compiled;
mod dates;
pub mod day_term;
mod days;
pub mod holiday;
pub mod hours;
mod offsets;
mod spans;
mod table;
pub mod time_class;
pub mod working_days;
