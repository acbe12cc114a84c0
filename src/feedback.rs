//! Feedback (回访): which customers are asked, when, and what their answers say.
//!
//! In: surveys and follow-up rules as data ([`plan`]), the facts of a closed case. Out: follow-ups
//! with due dates inside quiet times, and validated answers as facts ([`survey`]) for analytics.
//!
//! Always true, and tested in `tests/deadlines/feedback.rs`:
//! 1. Nobody is asked while a dispute is open, neither when planning nor when sending.
//! 2. A follow-up is due at an instant at which its calendar is open.
//! 3. A customer who was asked is left in peace for the rest of the rule, however close together cases
//!    end and whatever was planned before.
//! 4. An answer that is accepted lies on the scale of its question.

pub mod plan;
pub mod survey;
