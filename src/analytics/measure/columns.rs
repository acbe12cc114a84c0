//! Sums, and sums with histograms, side by side in a stored grid: how they are merged from many
//! shards at once.

use alloc::vec::Vec;

use super::{Sum, Timed};
use crate::analytics::AnalyticsError;
use crate::analytics::column::{Column, Positions, write_column};
use crate::analytics::histogram::Histogram;
use crate::analytics::histogram::columns::{HistogramColumns, Room, Waiting};
use crate::analytics::state::{MAX_EVENTS, Measure, Reader, Stored, unzigzag, zigzag};

/// Sums by columns: the counts; the lower 64 bits of the totals in zigzag order; the upper ones,
/// which are hardly ever there.
pub(super) struct SumColumns<'a> {
    counts: Column<'a>,
    low: Column<'a>,
    high: Column<'a>,
}

/// Numbers of some neighboring sums; room that is used again.
#[derive(Default)]
struct SumRoom {
    counts: Vec<u64>,
    low: Vec<u64>,
    high: Vec<u64>,
}

impl<'a> SumColumns<'a> {
    fn write(
        counts: impl Iterator<Item = u64> + Clone,
        totals: impl Iterator<Item = i128> + Clone,
        to: &mut Vec<u8>,
    ) {
        write_column(to, counts);
        write_column(to, totals.clone().map(|total| zigzag(total) as u64));
        write_column(to, totals.map(|total| (zigzag(total) >> 64) as u64));
    }

    fn take(from: &mut Reader<'a>, count: usize) -> Result<Self, AnalyticsError> {
        let counts = Column::take(from, count)?;
        let low = Column::take(from, count)?;
        Ok(Self { counts, low, high: Column::take(from, count)? })
    }

    /// The next sums: what is stored for the count, and the two halves of the total.
    #[inline]
    fn piece<'p>(
        &mut self,
        count: usize,
        room: &'p mut SumRoom,
    ) -> impl Iterator<Item = (u64, u64, u64)> + use<'p> {
        let counts = self.counts.piece(count, &mut room.counts);
        let low = self.low.piece(count, &mut room.low);
        let high = self.high.piece(count, &mut room.high);
        let numbers = counts.iter().zip(low).zip(high);
        numbers.map(|((count, low), high)| (*count, *low, *high))
    }

    /// Adds the next sums, stored beside histograms of so many values, to those at these places.
    #[inline]
    fn add_to(
        &mut self,
        added: &mut [Sum],
        (places, totals): (&[usize], &[u64]),
        room: &mut SumRoom,
        from: &Reader<'_>,
    ) -> Result<(), AnalyticsError> {
        if self.counts.is_zero() && self.high.is_zero() {
            // Nearly always: every sum counts what its histogram counts, and has 64 bits. A count
            // past its limit stays past it, and is refused when it reaches its cell.
            let low = self.low.piece(places.len(), &mut room.low);
            let mut filled = true;
            for ((place, total), low) in places.iter().zip(totals).zip(low) {
                filled &= *total > 0;
                if let Some(sum) = added.get_mut(*place) {
                    sum.count = sum.count.saturating_add(*total);
                    sum.total = sum.total.wrapping_add(unzigzag_short(*low).into());
                }
            }
            return if filled { Ok(()) } else { Err(from.damaged(FILLED)) };
        }
        let sums = self.piece(places.len(), room);
        for ((place, (more, low, high)), total) in places.iter().zip(sums).zip(totals) {
            let count = total.checked_add_signed(unzigzag_short(more));
            let sum = count.and_then(|count| stored_sum(count, low, high));
            let sum = sum.ok_or_else(|| from.damaged(AGREE))?;
            if sum.is_empty() && *total == 0 {
                return Err(from.damaged(FILLED));
            }
            added.get_mut(*place).ok_or_else(|| from.damaged(INSIDE))?.merge(&sum)?;
        }
        Ok(())
    }

    /// As [`Column::ahead`].
    #[inline]
    fn ahead(&self) -> u8 {
        self.counts.ahead() ^ self.low.ahead() ^ self.high.ahead()
    }

    fn finish(&self, from: &Reader<'_>) -> Result<(), AnalyticsError> {
        self.counts.finish(from)?;
        self.low.finish(from)?;
        self.high.finish(from)
    }
}

/// The sum of one row of [`SumColumns`].
#[inline]
fn stored_sum(count: u64, low: u64, high: u64) -> Option<Sum> {
    if high == 0 && count > 0 && count <= MAX_EVENTS {
        // 64 bits in zigzag order: one value could have this total.
        return Some(Sum { count, total: i128::from(unzigzag_short(low)) });
    }
    let total = unzigzag((u128::from(high) << 64) | u128::from(low));
    let fits = count <= MAX_EVENTS && total.unsigned_abs() <= u128::from(count) << 63;
    fits.then_some(Sum { count, total })
}

/// The number of 64 bits behind [`zigzag`].
#[inline]
const fn unzigzag_short(raw: u64) -> i64 {
    (raw >> 1) as i64 ^ ((raw & 1) as i64).wrapping_neg()
}

const AGREE: &str = "a count below 2^62 and a sum that fits it";
const FILLED: &str = "a cell that counts something";
const INSIDE: &str = "a cell inside the grid";

/// Appends sums.
pub(super) fn write_sums<'m>(sums: impl Iterator<Item = &'m Sum> + Clone, to: &mut Vec<u8>) {
    SumColumns::write(sums.clone().map(|sum| sum.count), sums.map(|sum| sum.total), to);
}

/// Appends sums and histograms. Nearly always a sum counts what its histogram counts: the difference
/// is stored.
pub(super) fn write_timed<'m>(timed: impl Iterator<Item = &'m Timed> + Clone, to: &mut Vec<u8>) {
    let more = timed.clone().map(|timed| {
        // Both are below 2^62.
        let own = i128::from(timed.sum.count).wrapping_sub(timed.histogram.count().into());
        zigzag(own) as u64
    });
    SumColumns::write(more, timed.clone().map(|timed| timed.sum.total), to);
    HistogramColumns::write(timed.map(|timed| &timed.histogram), to);
}

/// Adds stored sums to the cells.
pub(super) fn merge_sums(cells: &mut [Sum], shards: Vec<Stored<'_>>) -> Result<(), AnalyticsError> {
    let mut shards = open(shards, SumColumns::take)?;
    let (mut places, mut room) = (Vec::new(), SumRoom::default());
    let mut start = 0_usize;
    for part in cells.chunks_mut(PART) {
        let end = start.saturating_add(part.len());
        let ahead = |sums: &SumColumns<'_>| sums.ahead();
        each_shard(&mut shards, ahead, |Open { positions, columns, from }| {
            while let places @ [_, ..] = positions.piece(start, end, &mut places) {
                let sums = columns.piece(places.len(), &mut room);
                for (place, (count, low, high)) in places.iter().zip(sums) {
                    let sum = stored_sum(count, low, high).ok_or_else(|| from.damaged(AGREE))?;
                    if sum.is_empty() {
                        return Err(from.damaged(FILLED));
                    }
                    part.get_mut(*place).ok_or_else(|| from.damaged(INSIDE))?.merge(&sum)?;
                }
            }
            Ok(())
        })?;
        start = end;
    }
    finish(&shards, SumColumns::finish)
}

/// Adds stored sums and histograms to the cells.
pub(super) fn merge_timed(
    cells: &mut [Timed],
    shards: Vec<Stored<'_>>,
) -> Result<(), AnalyticsError> {
    let mut shards = open(shards, TimedColumns::take)?;
    let (mut places, mut waiting) = (Vec::new(), Waiting::default());
    let (mut totals, mut sums, mut room) = (Vec::new(), SumRoom::default(), Room::default());
    // Sums apart from the cells, which are three times as large.
    let mut added: Vec<Sum> = Vec::new();
    let mut start = 0_usize;
    for part in cells.chunks_mut(PART) {
        let end = start.saturating_add(part.len());
        added.clear();
        added.resize(part.len(), Sum::default());
        each_shard(&mut shards, TimedColumns::ahead, |Open { positions, columns, from }| {
            while let places @ [_, ..] = positions.piece(start, end, &mut places) {
                let totals = columns.histograms.totals(places.len(), &mut totals);
                columns.sums.add_to(&mut added, (places, totals), &mut sums, from)?;
                let room = (&mut waiting, &mut room);
                columns.histograms.merge(places, totals, part, histogram, room, from)?;
                if waiting.is_full() {
                    waiting.hand_on(part, histogram)?;
                }
            }
            Ok(())
        })?;
        for (cell, sum) in part.iter_mut().zip(&added) {
            cell.sum.merge(sum)?;
        }
        waiting.hand_on(part, histogram)?;
        start = end;
    }
    finish(&shards, TimedColumns::finish)
}

const fn histogram(timed: &mut Timed) -> &mut Histogram {
    &mut timed.histogram
}

/// Sums and histograms of one shard.
struct TimedColumns<'a> {
    sums: SumColumns<'a>,
    histograms: HistogramColumns<'a>,
}

impl<'a> TimedColumns<'a> {
    fn take(from: &mut Reader<'a>, count: usize) -> Result<Self, AnalyticsError> {
        let sums = SumColumns::take(from, count)?;
        Ok(Self { sums, histograms: HistogramColumns::take(from, count)? })
    }

    /// As [`Column::ahead`].
    #[inline]
    fn ahead(&self) -> u8 {
        self.sums.ahead() ^ self.histograms.ahead()
    }

    fn finish(&self, from: &Reader<'_>) -> Result<(), AnalyticsError> {
        self.sums.finish(from)?;
        self.histograms.finish(from)
    }
}

/// Cells that are merged together, so that they stay near the processor while all shards are read;
/// below 2^16.
const PART: usize = 1536;

/// A stored shard whose columns are being read.
struct Open<'a, C> {
    positions: Positions<'a>,
    columns: C,
    from: Reader<'a>,
}

/// Reads every shard for one part of the cells. The first bytes of the next shard are looked at
/// before, so that they are on their way from memory while this one is merged.
fn each_shard<'a, C>(
    shards: &mut [Open<'a, C>],
    ahead: impl Fn(&C) -> u8,
    mut merge: impl FnMut(&mut Open<'a, C>) -> Result<(), AnalyticsError>,
) -> Result<(), AnalyticsError> {
    let mut rest = shards;
    while let Some((shard, later)) = rest.split_first_mut() {
        if let Some(next) = later.first() {
            core::hint::black_box(next.positions.ahead() ^ ahead(&next.columns));
        }
        merge(shard)?;
        rest = later;
    }
    Ok(())
}

fn open<'a, C>(
    shards: Vec<Stored<'a>>,
    take: impl Fn(&mut Reader<'a>, usize) -> Result<C, AnalyticsError>,
) -> Result<Vec<Open<'a, C>>, AnalyticsError> {
    let open = |Stored { positions, mut from }| {
        let columns = take(&mut from, positions.left())?;
        Ok(Open { positions, columns, from })
    };
    shards.into_iter().map(open).collect()
}

/// Checks that every position and number was taken, and that nothing follows.
fn finish<'a, C>(
    shards: &[Open<'a, C>],
    columns: impl Fn(&C, &Reader<'a>) -> Result<(), AnalyticsError>,
) -> Result<(), AnalyticsError> {
    shards.iter().try_for_each(|shard| {
        shard.positions.finish(&shard.from)?;
        columns(&shard.columns, &shard.from)?;
        shard.from.finish()
    })
}
