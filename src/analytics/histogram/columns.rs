//! Histograms side by side in a stored grid: how many values each has. Those of at most 32 values
//! store the distances from value to value, in buckets; larger ones the distances of their buckets
//! and how many values each bucket has.
//!
//! A thousand shards bring a cell one value each. Values by ones and twos are therefore collected
//! for many neighboring cells, ordered by cell, and handed to each histogram in one go.

use alloc::vec::Vec;

use super::{BUCKETS, Buckets, FEW, Histogram};
use crate::analytics::AnalyticsError;
use crate::analytics::column::{Column, write_column};
use crate::analytics::state::{MAX_EVENTS, Reader, add};

/// The columns of a shard's histograms, being read.
pub(in crate::analytics) struct HistogramColumns<'a> {
    totals: Column<'a>,
    few: Column<'a>,
    /// Of the larger histograms alone: how many buckets each has, their distances, their counts.
    lengths: Column<'a>,
    steps: Column<'a>,
    counts: Column<'a>,
}

impl<'a> HistogramColumns<'a> {
    pub(in crate::analytics) fn write<'h>(
        histograms: impl Iterator<Item = &'h Histogram> + Clone,
        to: &mut Vec<u8>,
    ) {
        write_column(to, histograms.clone().map(Histogram::count));
        let (few, many): (Vec<Buckets>, Vec<Buckets>) =
            histograms.map(Histogram::sorted).partition(|buckets| {
                buckets.iter().fold(0, |all: u64, b| all.saturating_add(b.1)) <= FEW
            });
        write_column(to, few.iter().flat_map(|buckets| value_steps(buckets)));
        write_column(to, many.iter().map(|buckets| buckets.len() as u64));
        write_column(to, many.iter().flat_map(|buckets| bucket_steps(buckets)));
        write_column(to, many.iter().flatten().map(|(_, count)| *count));
    }

    pub(in crate::analytics) fn take(
        from: &mut Reader<'a>,
        count: usize,
    ) -> Result<Self, AnalyticsError> {
        let totals = Column::take(from, count)?;
        let (mut few, mut many) = (0_usize, 0_usize);
        // No overflow: at most 32 values for each stored total.
        totals.each(|total| {
            few = few.wrapping_add(if total <= FEW { total as usize } else { 0 });
            many = many.wrapping_add(usize::from(total > FEW));
        });
        let few = Column::take(from, few)?;
        let lengths = Column::take(from, many)?;
        let mut all = 0_usize;
        lengths.each(|length| {
            all = all.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        });
        let steps = Column::take(from, all)?;
        Ok(Self { totals, few, lengths, steps, counts: Column::take(from, all)? })
    }

    /// How many values the next `count` stored histograms have.
    pub(in crate::analytics) fn totals<'p>(
        &mut self,
        count: usize,
        totals: &'p mut Vec<u64>,
    ) -> &'p [u64] {
        self.totals.piece(count, totals)
    }

    /// Adds the next stored histograms, of so many values, to those of the cells at these places:
    /// those of few values when the waiting values are handed on.
    pub(in crate::analytics) fn merge<M>(
        &mut self,
        places: &[usize],
        totals: &[u64],
        cells: &mut [M],
        histogram: impl Fn(&mut M) -> &mut Histogram,
        (waiting, room): (&mut Waiting, &mut Room),
        from: &Reader<'_>,
    ) -> Result<(), AnalyticsError> {
        let few = totals.iter().filter(|total| **total <= FEW);
        let few = few.fold(0_usize, |all, total| all.saturating_add(*total as usize));
        let Room { few: values, many } = room;
        let values = self.few.piece(few, values);
        let before = waiting.values.len();
        waiting.values.resize(before.saturating_add(few), (0, 0));
        let slots = waiting.values.get_mut(before..).unwrap_or_default();
        let mut slots = slots.iter_mut().zip(values);
        let mut highest = 0_u64;
        for (place, total) in places.iter().zip(totals) {
            if *total > FEW {
                let buckets = next_buckets(
                    [&mut self.lengths, &mut self.steps, &mut self.counts],
                    *total,
                    many,
                    from,
                )?;
                if let Some(cell) = cells.get_mut(*place) {
                    histogram(cell).take_many(buckets, *total)?;
                }
                continue;
            }
            let mut bucket = 0_u64;
            let mut put = |(slot, step): (&mut (u16, u16), &u64)| {
                bucket = bucket.saturating_add(*step);
                highest = highest.max(bucket);
                // A part has fewer cells than 2^16, and a bucket past the last is refused below.
                *slot = (*place as u16, bucket as u16);
            };
            if *total == 1 {
                // Nearly always, and faster than a loop.
                slots.next().into_iter().for_each(put);
            } else {
                slots.by_ref().take(*total as usize).for_each(&mut put);
            }
        }
        if highest >= u64::from(BUCKETS) {
            return Err(from.damaged("values in 3,776 buckets"));
        }
        Ok(())
    }

    /// As [`Column::ahead`].
    #[inline]
    pub(in crate::analytics) fn ahead(&self) -> u8 {
        self.totals.ahead() ^ self.few.ahead()
    }

    pub(in crate::analytics) fn finish(&self, from: &Reader<'_>) -> Result<(), AnalyticsError> {
        [&self.totals, &self.few, &self.lengths, &self.steps, &self.counts]
            .iter()
            .try_for_each(|column| column.finish(from))
    }
}

/// Room for the numbers of some neighboring histograms, used again.
#[derive(Default)]
pub(in crate::analytics) struct Room {
    few: Vec<u64>,
    many: ManyRoom,
}

/// Room for one histogram of many values.
#[derive(Default)]
struct ManyRoom {
    length: Vec<u64>,
    steps: Vec<u64>,
    counts: Vec<u64>,
    buckets: Buckets,
}

/// The buckets of the next histogram of many values.
fn next_buckets<'r>(
    [lengths, steps, counts]: [&mut Column<'_>; 3],
    total: u64,
    room: &'r mut ManyRoom,
    from: &Reader<'_>,
) -> Result<&'r [(u16, u64)], AnalyticsError> {
    let length = lengths.piece(1, &mut room.length).first().copied().unwrap_or(0);
    if length > u64::from(BUCKETS) || total > MAX_EVENTS {
        return Err(from.damaged("at most 3,776 buckets of 2^62 values"));
    }
    let steps = steps.piece(length as usize, &mut room.steps);
    let counts = counts.piece(length as usize, &mut room.counts);
    room.buckets.clear();
    let (mut next, mut sum) = (0_u64, 0_u64);
    for (step, count) in steps.iter().zip(counts) {
        let bucket = next.saturating_add(*step);
        if bucket >= u64::from(BUCKETS) || *count == 0 {
            return Err(from.damaged("ascending buckets with counts above zero"));
        }
        next = bucket.saturating_add(1);
        sum = add(sum, *count, "a histogram")?;
        room.buckets.push((bucket as u16, *count));
    }
    if sum == total { Ok(&room.buckets) } else { Err(from.damaged("buckets of all values")) }
}

/// Values that wait to be handed to the histograms of neighboring cells: place and bucket.
#[derive(Default)]
pub(in crate::analytics) struct Waiting {
    values: Vec<(u16, u16)>,
    /// Where the values of each cell end once they are ordered.
    ends: Vec<usize>,
    ordered: Vec<u16>,
}

impl Waiting {
    /// Whether so many wait that they should be handed on.
    pub(in crate::analytics) const fn is_full(&self) -> bool {
        self.values.len() >= MOST_WAITING
    }

    /// Hands the values to their cells, all those of a cell at once: a counting sort.
    pub(in crate::analytics) fn hand_on<M>(
        &mut self,
        cells: &mut [M],
        histogram: impl Fn(&mut M) -> &mut Histogram,
    ) -> Result<(), AnalyticsError> {
        let Self { values, ends, ordered } = self;
        if values.is_empty() {
            return Ok(());
        }
        ends.clear();
        ends.resize(cells.len().saturating_add(1), 0);
        for (place, _) in values.iter() {
            if let Some(later) = ends.get_mut(usize::from(*place).saturating_add(1)) {
                *later = later.wrapping_add(1);
            }
        }
        let mut sum = 0_usize;
        for end in ends.iter_mut() {
            sum = sum.wrapping_add(*end);
            *end = sum;
        }
        ordered.resize(values.len(), 0);
        for (place, bucket) in values.drain(..) {
            if let Some(end) = ends.get_mut(usize::from(place)) {
                if let Some(slot) = ordered.get_mut(*end) {
                    *slot = bucket;
                }
                *end = end.wrapping_add(1);
            }
        }
        let mut start = 0_usize;
        for (cell, end) in cells.iter_mut().zip(ends.iter()) {
            if let Some(own @ [_, ..]) = ordered.get(start..*end) {
                histogram(cell).take_values(own)?;
            }
            start = *end;
        }
        Ok(())
    }
}

/// The most values that wait: a megabyte, which stays near the processor.
const MOST_WAITING: usize = 1 << 18;

/// The distance of each bucket from the end of the one before.
fn bucket_steps(buckets: &[(u16, u64)]) -> impl Iterator<Item = u64> + Clone {
    let mut next = 0_u64;
    buckets.iter().map(move |(bucket, _)| {
        let step = u64::from(*bucket).saturating_sub(next);
        next = u64::from(*bucket).saturating_add(1);
        step
    })
}

/// The distance of each value from the one before, in buckets.
fn value_steps(buckets: &[(u16, u64)]) -> impl Iterator<Item = u64> + Clone {
    let mut last = 0_u64;
    buckets.iter().flat_map(move |(bucket, count)| {
        let step = u64::from(*bucket).saturating_sub(last);
        last = u64::from(*bucket);
        let again = usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
        core::iter::once(step).chain(core::iter::repeat_n(0, again))
    })
}
