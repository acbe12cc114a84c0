//! A fixed set of small numbers, one bit each.

use alloc::vec;
use alloc::vec::Vec;

/// A set of the numbers `0..len`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    pub(crate) fn new(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    /// Grows to hold `0..len`; never shrinks.
    pub(crate) fn reserve(&mut self, len: usize) {
        if self.words.len() < len.div_ceil(64) {
            self.words.resize(len.div_ceil(64), 0);
        }
    }

    #[inline]
    pub(crate) fn contains(&self, index: u32) -> bool {
        self.words.get((index >> 6) as usize).is_some_and(|word| word >> (index & 63) & 1 == 1)
    }

    /// Adds a number; false when it was in the set, or is out of range.
    #[inline]
    pub(crate) fn insert(&mut self, index: u32) -> bool {
        let Some(word) = self.words.get_mut((index >> 6) as usize) else { return false };
        let bit = 1_u64 << (index & 63);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    #[inline]
    pub(crate) fn remove(&mut self, index: u32) {
        if let Some(word) = self.words.get_mut((index >> 6) as usize) {
            *word &= !(1_u64 << (index & 63));
        }
    }

    pub(crate) fn word(&self, at: usize) -> u64 {
        self.words.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn words(&self) -> usize {
        self.words.len()
    }

    /// The numbers, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let base = (at as u32) << 6;
            ones(word).map(move |bit| base | bit)
        })
    }
}

/// The positions of the bits of a word, ascending.
pub(crate) fn ones(mut word: u64) -> impl Iterator<Item = u32> {
    core::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros())?;
        word &= word.wrapping_sub(1);
        Some(bit)
    })
}
