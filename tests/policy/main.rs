//! What a customer may have, and until when: policies, practices, conditions.

mod condition;
mod hostile;
mod judging;
mod markets;
mod periods;
mod practice;
