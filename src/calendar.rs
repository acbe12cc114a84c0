//! Business calendars: which days are worked, which hours are open.

mod china;
pub mod working_days;
