//! Prefix sums over open time: every question is one bucket look-up and a short binary search.
//!
//! The table holds UTC seconds only. A question about any span costs the same, whether the span is an
//! hour or ten years.

use alloc::vec::Vec;

use super::spans::Span;

/// One open span and the open seconds before it: 24 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    start: i64,
    end: i64,
    before: i64,
}

impl Row {
    fn after(&self) -> i64 {
        self.before.saturating_add(self.end.saturating_sub(self.start))
    }
}

/// Open spans with their prefix sums and two bucket indexes, four bytes a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenTable {
    rows: Vec<Row>,
    first: i64,
    last: i64,
    total: i64,
    by_time: Buckets,
    by_open: Buckets,
}

/// Up to how many rows are looked at one by one.
const LINEAR: usize = 8;

/// Bucket `b` holds the first row that reaches past `b << shift`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Buckets {
    shift: u32,
    firsts: Vec<u32>,
}

impl Buckets {
    /// About four buckets per row; `ends` are the rows' upper ends, not decreasing.
    fn new(length: i64, ends: impl ExactSizeIterator<Item = i64>) -> Self {
        let rows = ends.len();
        let wanted = u64::try_from(rows).unwrap_or(1).max(1).saturating_mul(4);
        let width = length.unsigned_abs().checked_div(wanted).unwrap_or(1).max(1);
        let shift = width.ilog2();
        let count = length.checked_shr(shift).unwrap_or(0).saturating_add(2);
        let mut firsts = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        let mut ends = ends.enumerate().peekable();
        for bucket in 0..count {
            let edge = bucket.checked_shl(shift).unwrap_or(i64::MAX);
            while ends.next_if(|(_, end)| *end <= edge).is_some() {}
            let row = ends.peek().map_or(rows, |(row, _)| *row);
            firsts.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        Self { shift, firsts }
    }

    /// The rows among which the first that reaches past `offset` is; `offset` is zero or more.
    #[inline]
    fn candidates(&self, offset: i64) -> (usize, usize) {
        let bucket = usize::try_from(offset.wrapping_shr(self.shift)).unwrap_or(usize::MAX);
        let at = |bucket: usize| {
            let known = self.firsts.get(bucket).or_else(|| self.firsts.last());
            known.map_or(0, |row| usize::try_from(*row).unwrap_or(usize::MAX))
        };
        (at(bucket), at(bucket.saturating_add(1)))
    }
}

impl OpenTable {
    /// A table of spans that are sorted, disjoint, and inside `first..last`.
    pub(crate) fn new(spans: &[Span], first: i64, last: i64) -> Self {
        let mut total = 0_i64;
        let mut rows = Vec::with_capacity(spans.len());
        for &(start, end) in spans {
            debug_assert!(first <= start && start < end && end <= last, "clipped before");
            let row = Row { start, end, before: total };
            total = row.after();
            rows.push(row);
        }
        let by_time = Buckets::new(
            last.saturating_sub(first),
            rows.iter().map(|row| row.end.saturating_sub(first)),
        );
        let by_open = Buckets::new(total, rows.iter().map(Row::after));
        Self { rows, first, last, total, by_time, by_open }
    }

    /// The first second of the range.
    pub(crate) const fn first(&self) -> i64 {
        self.first
    }

    /// The first second after the range.
    pub(crate) const fn last(&self) -> i64 {
        self.last
    }

    /// All open spans.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> {
        self.rows.iter().map(|row| (row.start, row.end))
    }

    /// The first row of a range, or after it, for which `past` holds; it holds from there on.
    #[inline]
    fn among(&self, range: (usize, usize), past: impl Fn(&Row) -> bool) -> usize {
        let (mut row, high) = range;
        if high.saturating_sub(row) > LINEAR {
            let rows = self.rows.get(row..high.min(self.rows.len())).unwrap_or_default();
            return row.saturating_add(rows.partition_point(|row| !past(row)));
        }
        // Nearly always none or one step, which a processor foresees better than a search.
        while let Some(found) = self.rows.get(row) {
            if past(found) {
                break;
            }
            row = row.wrapping_add(1);
        }
        row
    }

    /// The position of the first row that ends after `at`.
    #[inline]
    fn row_at(&self, at: i64) -> usize {
        let range = self.by_time.candidates(at.saturating_sub(self.first));
        self.among(range, |row| row.end > at)
    }

    /// The first row that ends after `at`.
    pub(crate) fn span_after(&self, at: i64) -> Option<Span> {
        self.rows.get(self.row_at(at)).map(|row| (row.start, row.end))
    }

    /// The last row that starts before `at`.
    pub(crate) fn span_before(&self, at: i64) -> Option<Span> {
        let next = self.row_at(at);
        let started = |row: &&Row| row.start < at;
        let row = self
            .rows
            .get(next)
            .filter(started)
            .or_else(|| next.checked_sub(1).and_then(|row| self.rows.get(row)));
        row.map(|row| (row.start, row.end))
    }

    /// Open seconds from the start of the range to `at`, which lies in it.
    pub(crate) fn open_before(&self, at: i64) -> i64 {
        self.rows.get(self.row_at(at)).map_or(self.total, |row| {
            row.before.saturating_add(at.saturating_sub(row.start).max(0))
        })
    }

    /// The earliest second before which `open` seconds were open; `open` is above zero.
    pub(crate) fn earliest(&self, open: i64) -> Option<i64> {
        let below = open.checked_sub(1).filter(|below| *below >= 0)?;
        let row = self.rows.get(self.row_of(below))?;
        Some(row.start.saturating_add(open.saturating_sub(row.before)))
    }

    /// The latest second before which `open` seconds were open; `open` is below the total.
    pub(crate) fn latest(&self, open: i64) -> Option<i64> {
        let row = self.rows.get(self.row_of(open))?;
        (open >= 0).then(|| row.start.saturating_add(open.saturating_sub(row.before)))
    }

    /// The position of the first row with more than `open` seconds up to its end.
    #[inline]
    fn row_of(&self, open: i64) -> usize {
        self.among(self.by_open.candidates(open), |row| row.after() > open)
    }
}
