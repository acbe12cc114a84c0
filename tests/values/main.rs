//! The small words everything is said in: amounts, quantities, numbers, names, times.

mod money;
mod words;
