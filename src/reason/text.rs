//! Reading free text in Chinese and English: which reasons it speaks for, and with which words.

pub mod fold;
pub mod pattern;
pub mod wording;
