//! Whole numbers side by side: the columns of a stored grid.
//!
//! In: numbers, one after the other. Out: a byte that says how wide each is, then all of them in so
//! many bytes, lowest first. Numbers of one width are unpacked a block at a time without a branch
//! per number, so that a thousand shards merge at the speed of memory.
//!
//! Always true: the width is the smallest that holds the largest number, so that equal columns give
//! equal bytes; reading refuses any wider form.

use alloc::vec::Vec;

use super::AnalyticsError;
use super::state::Reader;

/// How many numbers are unpacked at a time.
const BLOCK: usize = 256;

/// Appends numbers as one column.
pub fn write_column(to: &mut Vec<u8>, values: impl Iterator<Item = u64> + Clone) {
    let all = values.clone().fold(0_u64, |all, value| all | value);
    let width = bytes_of(all);
    // At most 8.
    to.push(width as u8);
    for value in values {
        to.extend(value.to_le_bytes().into_iter().take(width));
    }
}

/// How many bytes a number needs; none for 0.
const fn bytes_of(value: u64) -> usize {
    (64_u32.saturating_sub(value.leading_zeros())).div_ceil(8) as usize
}

/// A stored column being read, one number after the other.
#[derive(Clone, Debug)]
pub struct Column<'a> {
    bytes: &'a [u8],
    width: usize,
    /// Numbers not yet unpacked.
    left: usize,
    block: [u64; BLOCK],
    /// Where in the block the next number is, and where the block ends.
    at: usize,
    end: usize,
    /// All bits of the numbers unpacked so far, to tell whether the width was needed.
    seen: u64,
}

impl<'a> Column<'a> {
    /// Takes a column of `count` numbers of at most eight bytes.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] for wider numbers, or fewer bytes than the numbers need.
    pub fn take(from: &mut Reader<'a>, count: usize) -> Result<Self, AnalyticsError> {
        let width = usize::from(from.byte()?);
        if width > 8 {
            return Err(from.damaged("numbers of at most 8 bytes"));
        }
        let length = width.checked_mul(count).ok_or(from.damaged("more bytes"))?;
        let bytes = from.bytes(length)?;
        Ok(Self { bytes, width, left: count, block: [0; BLOCK], at: 0, end: 0, seen: 0 })
    }

    /// The next number; 0 past the end.
    #[inline]
    pub fn next_number(&mut self) -> u64 {
        if self.at == self.end {
            self.unpack();
        }
        let number = self.block.get(self.at).copied().unwrap_or(0);
        self.at = self.at.wrapping_add(1);
        number
    }

    /// The next block of numbers, all of one block length but the last; empty at the end. For
    /// columns of one length read side by side.
    pub fn next_block(&mut self) -> &[u64] {
        self.unpack();
        self.at = self.end;
        self.block.get(..self.end).unwrap_or(&[])
    }

    /// The sum of all numbers, none past 64 bits. Nothing is taken.
    #[must_use]
    pub fn sum(&self) -> Option<u64> {
        let mut column = self.clone();
        let mut numbers = self.left.saturating_add(self.end.saturating_sub(self.at));
        let mut sum = 0_u64;
        while numbers > 0 {
            sum = sum.checked_add(column.next_number())?;
            numbers = numbers.saturating_sub(1);
        }
        Some(sum)
    }

    #[inline(never)]
    fn unpack(&mut self) {
        let count = self.left.min(BLOCK);
        self.left = self.left.saturating_sub(count);
        let length = count.saturating_mul(self.width);
        let (now, later) = self.bytes.split_at_checked(length).unwrap_or((self.bytes, &[]));
        self.bytes = later;
        let block = &mut self.block;
        self.seen |= match self.width {
            1 => unpack::<1>(now, block),
            2 => unpack::<2>(now, block),
            3 => unpack::<3>(now, block),
            4 => unpack::<4>(now, block),
            5 => unpack::<5>(now, block),
            6 => unpack::<6>(now, block),
            7 => unpack::<7>(now, block),
            8 => unpack::<8>(now, block),
            _ => {
                block.fill(0);
                0
            }
        };
        (self.at, self.end) = (0, count);
    }

    /// Checks that everything was read, and that the width was needed.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] if not.
    pub const fn finish(&self, from: &Reader<'_>) -> Result<(), AnalyticsError> {
        let needed = bytes_of(self.seen) == self.width;
        if self.left == 0 && self.at == self.end && needed {
            Ok(())
        } else {
            Err(from.damaged("columns as narrow as their numbers"))
        }
    }
}

/// Numbers of `W` bytes into a block; all their bits.
fn unpack<const W: usize>(bytes: &[u8], block: &mut [u64; BLOCK]) -> u64 {
    let mut all = 0_u64;
    let (chunks, _) = bytes.as_chunks::<W>();
    for (value, chunk) in block.iter_mut().zip(chunks) {
        let mut raw = [0_u8; 8];
        for (byte, from) in raw.iter_mut().zip(chunk) {
            *byte = *from;
        }
        *value = u64::from_le_bytes(raw);
        all |= *value;
    }
    all
}

/// The positions of the cells that count something: ascending, stored by their distances.
#[derive(Clone, Debug)]
pub struct Positions<'a> {
    gaps: Column<'a>,
    count: usize,
    next: u64,
}

impl<'a> Positions<'a> {
    /// Takes `count` positions.
    ///
    /// # Errors
    ///
    /// As [`Column::take`].
    pub fn take(from: &mut Reader<'a>, count: usize) -> Result<Self, AnalyticsError> {
        Ok(Self { gaps: Column::take(from, count)?, count, next: 0 })
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The cell at the next position.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] for a position past the cells.
    #[inline]
    pub fn next_cell<'m, M>(
        &mut self,
        cells: &'m mut [M],
        from: &Reader<'_>,
    ) -> Result<&'m mut M, AnalyticsError> {
        let position = self.next.saturating_add(self.gaps.next_number());
        self.next = position.saturating_add(1);
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        cells.get_mut(position).ok_or(from.damaged("a cell inside the grid"))
    }

    /// The next block of positions, as [`Column::next_block`].
    pub fn next_block(&mut self) -> &[u64] {
        self.gaps.next_block();
        let Self { gaps, next, .. } = self;
        for gap in gaps.block.iter_mut().take(gaps.end) {
            let position = next.saturating_add(*gap);
            *next = position.saturating_add(1);
            *gap = position;
        }
        gaps.block.get(..gaps.end).unwrap_or(&[])
    }

    /// Checks that everything was read, in its one form.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] if not.
    pub const fn finish(&self, from: &Reader<'_>) -> Result<(), AnalyticsError> {
        self.gaps.finish(from)
    }
}

/// Appends ascending positions.
pub fn write_positions(to: &mut Vec<u8>, positions: impl Iterator<Item = usize> + Clone) {
    let mut next = 0_usize;
    let gaps = positions.map(move |position| {
        let gap = position.saturating_sub(next);
        next = position.saturating_add(1);
        gap as u64
    });
    write_column(to, gaps);
}
