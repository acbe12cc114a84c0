//! The bytes of an aggregate: how a shard hands its state to another.
//!
//! The first byte names the format, the second the kind of measure. Numbers are variable-length
//! (seven bits a byte, lowest first), signed ones in zigzag order. One state has one form only:
//! equal aggregates give equal bytes, and reading refuses any other form.

use alloc::vec::Vec;

use super::AnalyticsError;
use super::column::Positions;

/// The format byte that this version writes and reads.
pub const FORMAT: u8 = 1;

/// Something that can be counted in parts and put together: commutative, associative, with an
/// empty state, and with one canonical form in bytes.
///
/// Laws, tested for every implementation of this crate: merging with the empty state changes
/// nothing; the order and grouping of merging changes no byte; reading what was written gives an
/// equal state.
pub trait Measure: Clone + Default + PartialEq {
    /// Names the measure in stored state; never reused for another.
    const KIND: u8;

    /// Adds what another part has counted.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError`] where the parts cannot be added; the state is then unchanged in value or
    /// must be thrown away, as the implementation says.
    fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError>;

    /// Whether nothing was counted.
    fn is_empty(&self) -> bool;

    /// Appends the canonical bytes.
    fn write(&self, to: &mut Vec<u8>);

    /// Reads them back.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] for bytes that [`Measure::write`] never writes.
    fn read(from: &mut Reader<'_>) -> Result<Self, AnalyticsError>;

    /// Appends many measures that count something; by default one after the other. A measure that
    /// is stored by columns overrides this together with [`Measure::merge_stored`].
    fn write_many<'a>(measures: impl Iterator<Item = &'a Self> + Clone, to: &mut Vec<u8>)
    where
        Self: 'a,
    {
        for measure in measures {
            measure.write(to);
        }
    }

    /// Adds what [`Measure::write_many`] wrote in each of several shards.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] for bytes never written so, a position past the cells, or a
    /// measure that counts nothing; and as [`Measure::merge`].
    fn merge_stored(cells: &mut [Self], shards: Vec<Stored<'_>>) -> Result<(), AnalyticsError> {
        let (end, mut piece) = (cells.len(), Vec::new());
        for Stored { mut positions, mut from } in shards {
            while let places @ [_, ..] = positions.piece(0, end, &mut piece) {
                for place in places {
                    let measure = Self::read(&mut from)?;
                    if measure.is_empty() {
                        return Err(from.damaged("a cell that counts something"));
                    }
                    let cell = cells.get_mut(*place);
                    cell.ok_or_else(|| from.damaged("a cell inside the grid"))?.merge(&measure)?;
                }
            }
            positions.finish(&from)?;
            from.finish()?;
        }
        Ok(())
    }
}

/// A stored shard: which cells count something, and the bytes of their measures.
#[derive(Debug)]
pub struct Stored<'a> {
    /// The positions of the cells.
    pub positions: Positions<'a>,
    /// Their measures, as [`Measure::write_many`] wrote them.
    pub from: Reader<'a>,
}

/// A measure of rows of one kind.
pub trait Observe: Measure {
    /// What is observed: an amount, a duration, or both.
    type Row: Copy;

    /// Counts one row.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooLarge`] for more, or larger, values than can be counted exactly.
    fn observe_row(&mut self, row: Self::Row) -> Result<(), AnalyticsError>;
}

/// A measure of which a part can be taken out again.
///
/// Law, tested for every implementation of this crate: merging a part and taking it out again
/// changes no byte.
pub trait TakeOut: Measure {
    /// Takes out what another part has counted.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::NotCounted`] where the part holds more than is here; the state must then be
    /// thrown away.
    fn take_out(&mut self, part: &Self) -> Result<(), AnalyticsError>;
}

/// `a - b`, as long as so much was counted.
pub(super) fn less(a: u64, b: u64, name: &'static str) -> Result<u64, AnalyticsError> {
    a.checked_sub(b).ok_or(AnalyticsError::NotCounted { name })
}

/// The largest count of anything: sums of so many 64-bit values fit into 128 bits.
pub const MAX_EVENTS: u64 = 1 << 62;

/// `a + b`, as long as it is a count.
#[inline]
pub(super) fn add(a: u64, b: u64, name: &'static str) -> Result<u64, AnalyticsError> {
    match a.checked_add(b) {
        Some(sum) if sum <= MAX_EVENTS => Ok(sum),
        _ => Err(AnalyticsError::TooLarge { name }),
    }
}

/// Appends a whole number.
pub fn write_unsigned(to: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        to.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// Appends a signed whole number.
pub fn write_signed(to: &mut Vec<u8>, value: i128) {
    write_unsigned(to, zigzag(value));
}

/// A signed number without its sign: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
pub(super) const fn zigzag(value: i128) -> u128 {
    ((value << 1) ^ (value >> 127)) as u128
}

/// The number behind [`zigzag`].
pub(super) const fn unzigzag(raw: u128) -> i128 {
    ((raw >> 1) as i128) ^ ((raw & 1) as i128).wrapping_neg()
}

/// Bytes being read.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The error for this place.
    #[must_use]
    pub const fn damaged(&self, what: &'static str) -> AnalyticsError {
        AnalyticsError::Damaged { at: self.at, what }
    }

    /// The next byte.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] at the end.
    pub fn byte(&mut self) -> Result<u8, AnalyticsError> {
        let byte = self.bytes.get(self.at).copied().ok_or_else(|| self.damaged("more bytes"))?;
        self.at = self.at.saturating_add(1);
        Ok(byte)
    }

    /// The next bytes.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] when there are fewer.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], AnalyticsError> {
        let end = self.at.checked_add(length).ok_or_else(|| self.damaged("more bytes"))?;
        let bytes = self.bytes.get(self.at..end).ok_or_else(|| self.damaged("more bytes"))?;
        self.at = end;
        Ok(bytes)
    }

    /// The next number, in its shortest form.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] for a number past 128 bits, a longer form than needed, or no
    /// more bytes.
    #[inline]
    pub fn unsigned(&mut self) -> Result<u128, AnalyticsError> {
        if let Some(value) = self.short() {
            return Ok(u128::from(value));
        }
        let mut value = 0_u128;
        let mut shift = 0_u32;
        loop {
            let byte = self.byte()?;
            let part = u128::from(byte & 0x7f);
            let placed = part.checked_shl(shift).filter(|placed| placed >> shift == part);
            value |= placed.ok_or_else(|| self.damaged("a number of at most 128 bits"))?;
            shift = shift.saturating_add(7);
            if byte < 0x80 {
                let padded = byte == 0 && shift > 7;
                return if padded {
                    Err(self.damaged("a number without padding"))
                } else {
                    Ok(value)
                };
            }
        }
    }

    /// A number of up to eight bytes in its shortest form, read at once; nothing is taken otherwise,
    /// nor within the last eight bytes. Nearly every number of a stored aggregate is one.
    #[inline]
    fn short(&mut self) -> Option<u64> {
        let bytes = self.bytes.get(self.at..)?.first_chunk::<8>()?;
        let raw = u64::from_le_bytes(*bytes);
        // The first byte without its high bit is the last of the number.
        let ends = !raw & 0x8080_8080_8080_8080;
        if ends == 0 {
            return None;
        }
        let last = ends.trailing_zeros() & !7;
        let kept = raw & (u64::MAX >> 56_u32.wrapping_sub(last));
        if last > 0 && kept >> last == 0 {
            return None;
        }
        // Seven bits of each byte moved together, by pairs, fours and eights.
        let kept = kept & 0x7f7f_7f7f_7f7f_7f7f;
        let pairs = (kept & 0x007f_007f_007f_007f) | ((kept & 0x7f00_7f00_7f00_7f00) >> 1);
        let fours = (pairs & 0x0000_3fff_0000_3fff) | ((pairs & 0x3fff_0000_3fff_0000) >> 2);
        let value = (fours & 0x0fff_ffff) | ((fours & 0x0fff_ffff_0000_0000) >> 4);
        let length = (last >> 3).wrapping_add(1);
        self.at = self.at.wrapping_add(length as usize);
        Some(value)
    }

    /// The next signed number.
    ///
    /// # Errors
    ///
    /// As [`Reader::unsigned`].
    #[inline]
    pub fn signed(&mut self) -> Result<i128, AnalyticsError> {
        if let Some(short) = self.short() {
            // 56 bits at most: the halves fit.
            let value = (short >> 1) as i64 ^ ((short & 1) as i64).wrapping_neg();
            return Ok(i128::from(value));
        }
        Ok(unzigzag(self.unsigned()?))
    }

    /// The next count, at most [`MAX_EVENTS`].
    ///
    /// # Errors
    ///
    /// As [`Reader::unsigned`], and for larger numbers.
    #[inline]
    pub fn count(&mut self) -> Result<u64, AnalyticsError> {
        if let Some(short) = self.short() {
            return Ok(short);
        }
        let value = self.unsigned()?;
        u64::try_from(value)
            .ok()
            .filter(|value| *value <= MAX_EVENTS)
            .ok_or_else(|| self.damaged("a count below 2^62"))
    }

    /// The next sum of `count` signed 64-bit values.
    ///
    /// # Errors
    ///
    /// As [`Reader::signed`], and for a sum that so many values cannot have.
    #[inline]
    pub fn sum(&mut self, count: u64) -> Result<i128, AnalyticsError> {
        let value = self.signed()?;
        if value.unsigned_abs() > u128::from(count) << 63 {
            return Err(self.damaged("a sum that fits its count"));
        }
        Ok(value)
    }

    /// The next text: its length in bytes, then UTF-8.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] for text longer than the limit or not UTF-8.
    pub fn text(&mut self, limit: usize) -> Result<&'a str, AnalyticsError> {
        let length = usize::try_from(self.unsigned()?)
            .ok()
            .filter(|length| *length <= limit)
            .ok_or_else(|| self.damaged("a text within the limit"))?;
        let bytes = self.bytes(length)?;
        core::str::from_utf8(bytes).map_err(|_| self.damaged("text in UTF-8"))
    }

    /// How many bytes are left; never more elements than that can follow.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] if there is.
    pub const fn finish(&self) -> Result<(), AnalyticsError> {
        if self.left() == 0 { Ok(()) } else { Err(self.damaged("the end")) }
    }
}

/// Appends a text: its length in bytes, then UTF-8.
pub fn write_text(to: &mut Vec<u8>, text: &str) {
    write_unsigned(to, text.len() as u128);
    to.extend_from_slice(text.as_bytes());
}

/// One measure as stored state of its own, with format and kind in front.
#[must_use]
pub fn to_bytes<M: Measure>(measure: &M) -> Vec<u8> {
    let mut bytes = alloc::vec![FORMAT, M::KIND];
    measure.write(&mut bytes);
    bytes
}

/// Reads it back.
///
/// # Errors
///
/// [`AnalyticsError::Damaged`] for another format, another kind, or bytes never written so.
pub fn from_bytes<M: Measure>(bytes: &[u8]) -> Result<M, AnalyticsError> {
    let mut reader = Reader::new(bytes);
    read_head(&mut reader, M::KIND)?;
    let measure = M::read(&mut reader)?;
    reader.finish()?;
    Ok(measure)
}

pub(super) fn read_head(reader: &mut Reader<'_>, kind: u8) -> Result<(), AnalyticsError> {
    if reader.byte()? != FORMAT {
        return Err(reader.damaged("format 1"));
    }
    if reader.byte()? != kind {
        return Err(reader.damaged("another kind of aggregate"));
    }
    Ok(())
}
