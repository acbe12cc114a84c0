//! Dense tallies for rows with dictionary-coded dimensions: one addition per row.
//!
//! A [`Grid`] has a cell for every combination of codes. State that travels between shards is
//! sparse: only cells that count something are written, by ascending position.

use alloc::vec::Vec;

use super::AnalyticsError;
use super::column::{Positions, write_positions};
use super::state::{FORMAT, Measure, Observe, Reader, Stored, read_head, write_unsigned};

/// The most cells of a grid.
pub const MAX_CELLS: usize = 1 << 24;

/// How many rows are ordered at a time.
const BATCH: usize = 1 << 20;
/// Cells that are filled together: 256.
const PART_BITS: u32 = 8;

/// Marks the kind of a measure stored in a grid.
const GRID: u8 = 0x40;

/// A measure for every combination of `D` codes, each below its size.
///
/// ```
/// use aftersale::analytics::grid::Grid;
/// use aftersale::analytics::measure::Sum;
/// // 24 months, 40 categories, 6 channels, 16 reasons.
/// let mut grid: Grid<Sum, 4> = Grid::new([24, 40, 6, 16])?;
/// grid.cell([3, 17, 0, 5]).ok_or("no such code")?.observe(19_900)?;
/// let reasons = grid.roll_up([3])?;
/// assert_eq!(reasons.at([5]).map(|sum| sum.total()), Some(19_900));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Grid<M, const D: usize> {
    sizes: [u32; D],
    cells: Vec<M>,
}

impl<M: Measure, const D: usize> Grid<M, D> {
    /// An empty grid with so many codes per dimension.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::TooMany`] for more than [`MAX_CELLS`] combinations.
    pub fn new(sizes: [u32; D]) -> Result<Self, AnalyticsError> {
        let cells = sizes
            .iter()
            .try_fold(1_usize, |cells, size| cells.checked_mul(*size as usize))
            .filter(|cells| *cells <= MAX_CELLS)
            .ok_or(AnalyticsError::TooMany { name: "cells", limit: MAX_CELLS })?;
        Ok(Self { sizes, cells: alloc::vec![M::default(); cells] })
    }

    /// How many codes each dimension has.
    #[must_use]
    pub const fn sizes(&self) -> [u32; D] {
        self.sizes
    }

    #[inline]
    fn position(&self, codes: [u32; D]) -> Option<usize> {
        let mut position = 0_usize;
        for (code, size) in codes.into_iter().zip(self.sizes) {
            if code >= size {
                return None;
            }
            // No overflow: the position stays below the number of cells.
            position = position.wrapping_mul(size as usize).wrapping_add(code as usize);
        }
        Some(position)
    }

    /// The cell of these codes, to count in; none for a code past its size.
    #[inline]
    pub fn cell(&mut self, codes: [u32; D]) -> Option<&mut M> {
        let position = self.position(codes)?;
        self.cells.get_mut(position)
    }

    /// The cell of these codes; none for a code past its size.
    #[must_use]
    pub fn at(&self, codes: [u32; D]) -> Option<&M> {
        self.position(codes).and_then(|position| self.cells.get(position))
    }

    /// The codes and measures of all cells that count something, in order.
    pub fn cells(&self) -> impl Iterator<Item = ([u32; D], &M)> {
        self.cells
            .iter()
            .enumerate()
            .filter(|(_, measure)| !measure.is_empty())
            .map(|(position, measure)| (self.codes(position), measure))
    }

    fn codes(&self, mut position: usize) -> [u32; D] {
        let mut codes = [0_u32; D];
        for (code, size) in codes.iter_mut().zip(self.sizes).rev() {
            let size = (size as usize).max(1);
            *code = position.checked_rem(size).unwrap_or(0) as u32;
            position = position.checked_div(size).unwrap_or(0);
        }
        codes
    }

    /// Adds what another shard has counted. On an error the grid is left half merged and must be
    /// thrown away.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Unlike`] for other sizes, and as [`Measure::merge`].
    pub fn merge(&mut self, other: &Self) -> Result<(), AnalyticsError> {
        if self.sizes != other.sizes {
            return Err(AnalyticsError::Unlike { name: "their sizes" });
        }
        for (mine, theirs) in self.cells.iter_mut().zip(&other.cells) {
            if !theirs.is_empty() {
                mine.merge(theirs)?;
            }
        }
        Ok(())
    }

    /// Counts many rows. The result is that of observing each row in its cell; but rows of
    /// neighboring cells are counted together, a million at a time, so that a cell stays near the
    /// processor while its rows come. Worth it for cells larger than a [`Sum`](super::measure::Sum).
    ///
    /// ```
    /// use aftersale::analytics::grid::Grid;
    /// use aftersale::analytics::measure::Timed;
    /// // By category and channel: the refund in cents, and the seconds it took.
    /// let mut grid: Grid<Timed, 2> = Grid::new([40, 6])?;
    /// grid.observe_all([([17, 0], (19_900, 3_600)), ([17, 0], (4_950, 600))])?;
    /// let jackets = grid.at([17, 0]).ok_or("no such code")?;
    /// assert_eq!((jackets.sum.total(), jackets.histogram.count()), (24_850, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::OutOfRange`] for a code past its size, and as [`Observe::observe_row`]; the
    /// grid is then half filled and must be thrown away.
    pub fn observe_all(
        &mut self,
        rows: impl IntoIterator<Item = ([u32; D], M::Row)>,
    ) -> Result<(), AnalyticsError>
    where
        M: Observe,
    {
        let mut batch: Vec<(u32, M::Row)> = Vec::new();
        let mut ordered = Vec::new();
        for (codes, row) in rows {
            let Some(position) = self.position(codes) else {
                let past = codes.iter().zip(self.sizes).find(|(code, size)| *code >= size);
                let value = past.map_or(0.0, |(code, _)| f64::from(*code));
                return Err(AnalyticsError::OutOfRange {
                    name: "a code",
                    value,
                    range: "below the size of its dimension",
                });
            };
            // A grid has at most 2^24 cells.
            batch.push((position as u32, row));
            if batch.len() >= BATCH {
                self.observe_batch(&mut batch, &mut ordered)?;
            }
        }
        self.observe_batch(&mut batch, &mut ordered)
    }

    /// Counts a batch, part of the grid by part of the grid, and empties it.
    fn observe_batch(
        &mut self,
        batch: &mut Vec<(u32, M::Row)>,
        ordered: &mut Vec<(u32, M::Row)>,
    ) -> Result<(), AnalyticsError>
    where
        M: Observe,
    {
        let Some(first) = batch.first().copied() else { return Ok(()) };
        // Where the rows of each part start: a counting sort.
        let part = |position: u32| (position >> PART_BITS) as usize;
        let mut starts = alloc::vec![0_usize; (self.cells.len() >> PART_BITS).saturating_add(2)];
        for (position, _) in batch.iter() {
            if let Some(start) = starts.get_mut(part(*position).saturating_add(1)) {
                *start = start.saturating_add(1);
            }
        }
        let mut sum = 0_usize;
        for start in &mut starts {
            sum = sum.saturating_add(*start);
            *start = sum;
        }
        ordered.clear();
        ordered.resize(batch.len(), first);
        for row in batch.drain(..) {
            if let Some(start) = starts.get_mut(part(row.0)) {
                if let Some(slot) = ordered.get_mut(*start) {
                    *slot = row;
                }
                *start = start.saturating_add(1);
            }
        }
        for (position, row) in ordered.iter() {
            if let Some(cell) = self.cells.get_mut(*position as usize) {
                cell.observe_row(*row)?;
            }
        }
        Ok(())
    }

    /// The same facts by some of the dimensions, named by position, in the order given.
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Unlike`] for a position that this grid does not have, and as
    /// [`Measure::merge`].
    pub fn roll_up<const E: usize>(
        &self,
        dimensions: [usize; E],
    ) -> Result<Grid<M, E>, AnalyticsError> {
        let mut sizes = [0_u32; E];
        for (size, dimension) in sizes.iter_mut().zip(dimensions) {
            let own = self.sizes.get(dimension).copied();
            *size = own.ok_or(AnalyticsError::Unlike { name: "their dimensions" })?;
        }
        let mut rolled: Grid<M, E> = Grid::new(sizes)?;
        for (codes, measure) in self.cells() {
            let mut kept = [0_u32; E];
            for (code, dimension) in kept.iter_mut().zip(dimensions) {
                *code = codes.get(dimension).copied().unwrap_or(0);
            }
            if let Some(cell) = rolled.cell(kept) {
                cell.merge(measure)?;
            }
        }
        Ok(rolled)
    }

    /// The canonical bytes: sizes, the positions of the cells that count something, and then their
    /// measures, those of [`Sum`](super::measure::Sum) by columns.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = alloc::vec![FORMAT, M::KIND | GRID];
        write_unsigned(&mut bytes, D as u128);
        for size in self.sizes {
            write_unsigned(&mut bytes, u128::from(size));
        }
        let filled = || self.cells.iter().enumerate().filter(|(_, measure)| !measure.is_empty());
        write_unsigned(&mut bytes, filled().count() as u128);
        write_positions(&mut bytes, filled().map(|(position, _)| position));
        M::write_many(filled().map(|(_, measure)| measure), &mut bytes);
        bytes
    }

    /// Adds a stored grid of the same sizes without unpacking it first: one pass over its bytes.
    /// On an error the grid is left half merged and must be thrown away. Many shards are merged
    /// several times as fast by [`Grid::merge_shards`].
    ///
    /// # Errors
    ///
    /// [`AnalyticsError::Damaged`] for bytes that [`Grid::to_bytes`] never writes,
    /// [`AnalyticsError::Unlike`] for other sizes, and as [`Measure::merge`].
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), AnalyticsError> {
        self.merge_shards([bytes])
    }

    /// Adds many stored grids of the same sizes, as [`Grid::merge_bytes`] of each in any order
    /// would, and reads them side by side: all shards for some neighboring cells, then all shards
    /// for the next ones.
    ///
    /// ```
    /// use aftersale::analytics::grid::Grid;
    /// use aftersale::analytics::measure::Timed;
    /// let shop = |seconds: u64| {
    ///     let mut grid: Grid<Timed, 2> = Grid::new([40, 6])?;
    ///     grid.observe_all([([17, 0], (19_900, seconds))])?;
    ///     Ok::<_, aftersale::analytics::AnalyticsError>(grid.to_bytes())
    /// };
    /// let shards = [shop(3_600)?, shop(600)?, shop(60)?];
    /// let mut all: Grid<Timed, 2> = Grid::new([40, 6])?;
    /// all.merge_shards(shards.iter().map(Vec::as_slice))?;
    /// let jackets = all.at([17, 0]).ok_or("no such code")?;
    /// assert_eq!((jackets.sum.total(), jackets.histogram.percentile(10)), (59_700, Some(60)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Grid::merge_bytes`]; nothing tells which shard it was.
    pub fn merge_shards<'a>(
        &mut self,
        shards: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), AnalyticsError> {
        let shards = shards.into_iter().map(|bytes| self.stored(bytes));
        let shards: Vec<Stored<'a>> = shards.collect::<Result<_, _>>()?;
        M::merge_stored(&mut self.cells, shards)
    }

    /// The head of a stored grid, read.
    fn stored<'a>(&self, bytes: &'a [u8]) -> Result<Stored<'a>, AnalyticsError> {
        let mut reader = Reader::new(bytes);
        read_head(&mut reader, M::KIND | GRID)?;
        if reader.count()? != D as u64 {
            return Err(AnalyticsError::Unlike { name: "their dimensions" });
        }
        for size in self.sizes {
            if reader.count()? != u64::from(size) {
                return Err(AnalyticsError::Unlike { name: "their sizes" });
            }
        }
        let count = usize::try_from(reader.count()?).unwrap_or(usize::MAX);
        if count > self.cells.len() {
            return Err(reader.damaged("no more cells than the grid has"));
        }
        Ok(Stored { positions: Positions::take(&mut reader, count)?, from: reader })
    }

    /// Reads a stored grid of known sizes.
    ///
    /// # Errors
    ///
    /// As [`Grid::new`] and [`Grid::merge_bytes`].
    pub fn from_bytes(sizes: [u32; D], bytes: &[u8]) -> Result<Self, AnalyticsError> {
        let mut grid = Self::new(sizes)?;
        grid.merge_bytes(bytes)?;
        Ok(grid)
    }
}
