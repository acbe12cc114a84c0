//! Whole numbers side by side: the columns of a stored grid.
//!
//! In: numbers, one after the other. Out: a byte that says how wide each is, then all of them in so
//! many bytes, lowest first. Numbers of one width are unpacked a piece at a time without a branch
//! per number, so that a thousand shards merge at the speed of memory.
//!
//! Always true: the width is the smallest that holds the largest number, so that equal columns give
//! equal bytes; reading refuses any wider form.

use alloc::vec::Vec;

use super::AnalyticsError;
use super::state::Reader;

/// The most positions of one piece.
const PIECE: usize = 256;

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

/// A stored column being read, a piece at a time.
#[derive(Clone, Debug)]
pub struct Column<'a> {
    bytes: &'a [u8],
    width: usize,
    /// All bits of the numbers taken so far, to tell whether the width was needed.
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
        let length = width.checked_mul(count).ok_or_else(|| from.damaged("more bytes"))?;
        Ok(Self { bytes: from.bytes(length)?, width, seen: 0 })
    }

    /// The next `count` numbers, in place of what the piece held; zeros past the end.
    #[inline]
    pub fn piece<'p>(&mut self, count: usize, piece: &'p mut Vec<u64>) -> &'p [u64] {
        piece.clear();
        let length = count.saturating_mul(self.width);
        let (now, later) = self.bytes.split_at_checked(length).unwrap_or((self.bytes, &[]));
        self.bytes = later;
        match self.width {
            1 => piece.extend(now.iter().map(|byte| u64::from(*byte))),
            2 => unpack(now, piece, |[a, b]| [a, b, 0, 0, 0, 0, 0, 0]),
            3 => unpack(now, piece, |[a, b, c]| [a, b, c, 0, 0, 0, 0, 0]),
            4 => unpack(now, piece, |[a, b, c, d]| [a, b, c, d, 0, 0, 0, 0]),
            5 => unpack(now, piece, |[a, b, c, d, e]| [a, b, c, d, e, 0, 0, 0]),
            6 => unpack(now, piece, |[a, b, c, d, e, f]| [a, b, c, d, e, f, 0, 0]),
            7 => unpack(now, piece, |[a, b, c, d, e, f, g]| [a, b, c, d, e, f, g, 0]),
            8 => unpack(now, piece, |all| all),
            _ => {}
        }
        self.seen |= piece.iter().fold(0, |all, number| all | number);
        piece.resize(count, 0);
        piece
    }

    /// Whether every number is 0: the column takes no room.
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.width == 0
    }

    /// One byte of each line of memory that comes next, all of them together: looking at them sets
    /// them on their way before they are needed. Nothing is taken.
    #[must_use]
    #[inline]
    pub fn ahead(&self) -> u8 {
        let lines = self.bytes.iter().step_by(64).take(self.width.saturating_mul(3));
        lines.fold(0, |all, byte| all ^ byte)
    }

    /// Looks at every number; nothing is taken.
    pub fn each(&self, mut see: impl FnMut(u64)) {
        if self.width == 1 {
            self.bytes.iter().for_each(|byte| see(u64::from(*byte)));
        } else if self.width > 0 {
            self.bytes.chunks_exact(self.width).for_each(|bytes| see(number(bytes)));
        }
    }

    /// Checks that everything was read, and that no narrower column could hold it.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] if not.
    pub const fn finish(&self, from: &Reader<'_>) -> Result<(), AnalyticsError> {
        if self.bytes.is_empty() && bytes_of(self.seen) == self.width {
            Ok(())
        } else {
            Err(from.damaged("columns as narrow as their numbers"))
        }
    }
}

/// Numbers of `W` bytes, each widened to eight.
#[inline]
fn unpack<const W: usize>(bytes: &[u8], piece: &mut Vec<u64>, widen: impl Fn([u8; W]) -> [u8; 8]) {
    let (chunks, _) = bytes.as_chunks::<W>();
    piece.extend(chunks.iter().map(|chunk| u64::from_le_bytes(widen(*chunk))));
}

/// A number from at most eight bytes, lowest first.
#[inline]
fn number(bytes: &[u8]) -> u64 {
    let mut raw = [0_u8; 8];
    for (byte, from) in raw.iter_mut().zip(bytes) {
        *byte = *from;
    }
    u64::from_le_bytes(raw)
}

/// The positions of the cells that count something: ascending, stored by their distances.
#[derive(Clone, Debug)]
pub struct Positions<'a> {
    gaps: Column<'a>,
    left: usize,
    /// One past the position taken last.
    next: usize,
}

impl<'a> Positions<'a> {
    /// Takes `count` positions.
    ///
    /// # Errors
    ///
    /// As [`Column::take`].
    pub fn take(from: &mut Reader<'a>, count: usize) -> Result<Self, AnalyticsError> {
        Ok(Self { gaps: Column::take(from, count)?, left: count, next: 0 })
    }

    /// As [`Column::ahead`].
    #[must_use]
    #[inline]
    pub fn ahead(&self) -> u8 {
        self.gaps.ahead()
    }

    /// How many are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.left
    }

    /// The next positions below `end`, as distances from `start`, in place of what the piece held:
    /// at most 256 of them, none when the next one lies further on.
    #[inline]
    pub fn piece<'p>(
        &mut self,
        start: usize,
        end: usize,
        piece: &'p mut Vec<usize>,
    ) -> &'p [usize] {
        piece.resize(PIECE, 0);
        let width = self.gaps.width;
        let (mut next, mut seen, mut taken) = (self.next, 0_u64, 0_usize);
        let slots = piece.iter_mut().take(self.left);
        // Whether the position at this distance lies below the end: it is taken then.
        let mut take = |slot: &mut usize, gap: u64| {
            let position = next.saturating_add(usize::try_from(gap).unwrap_or(usize::MAX));
            let below = position < end;
            if below {
                seen |= gap;
                next = position.saturating_add(1);
                *slot = position.saturating_sub(start);
                taken = taken.wrapping_add(1);
            }
            below
        };
        if width == 1 {
            let _ = slots.zip(self.gaps.bytes).all(|(slot, gap)| take(slot, u64::from(*gap)));
        } else if width == 0 {
            let _ = slots.into_iter().all(|slot| take(slot, 0));
        } else {
            let gaps = self.gaps.bytes.chunks_exact(width);
            let _ = slots.zip(gaps).all(|(slot, gap)| take(slot, number(gap)));
        }
        let length = taken.saturating_mul(width);
        self.gaps.bytes = self.gaps.bytes.get(length..).unwrap_or(&[]);
        (self.next, self.gaps.seen) = (next, self.gaps.seen | seen);
        self.left = self.left.saturating_sub(taken);
        piece.get(..taken).unwrap_or(&[])
    }

    /// Checks that every position was taken, in its one form.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] if not.
    pub fn finish(&self, from: &Reader<'_>) -> Result<(), AnalyticsError> {
        if self.left > 0 {
            return Err(from.damaged("a cell inside the grid"));
        }
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
