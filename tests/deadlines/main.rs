//! Working hours, service levels, who gets which case, and who is asked afterwards.

mod calendar;
mod calendar_model;
mod dispatch;
mod feedback;
mod guides;
mod sla;
mod sla_model;
