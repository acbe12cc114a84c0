//! Prefix sums over open time: every question is one bucket and two rows beside each other.
//!
//! The table holds seconds from the start of the range only. A question about any span costs the
//! same, whether the span is an hour or ten years, and takes the same steps: nothing in it branches
//! on where an instant lies.

use alloc::vec::Vec;

use super::spans::Span;

/// One open span and the open seconds before it, in seconds from the start of the range: 12 bytes.
/// A hundred years of seconds fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    start: u32,
    end: u32,
    before: u32,
}

impl Row {
    /// Open seconds of this row before `at`.
    #[inline]
    fn open_before(self, at: u32) -> u32 {
        at.min(self.end).wrapping_sub(at.min(self.start))
    }
}

/// Open spans with their prefix sums and two bucket indexes, four bytes a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenTable {
    /// The spans in order, and two rows without length at the end of the range, so that a row always
    /// has a next one.
    rows: Vec<Row>,
    first: i64,
    length: u32,
    total: u32,
    by_time: Buckets,
    by_open: Buckets,
}

/// Bucket `b` holds the first row that reaches past `b << shift`, and whether more than one row ends
/// in the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Buckets {
    shift: u32,
    firsts: Vec<u32>,
}

/// The bit of a bucket in which more than one row ends.
const CROWDED: u32 = 1 << 31;

impl Buckets {
    /// As wide as can be with no crowded bucket, but one to eight buckets a row; `ends` are the upper
    /// ends of the rows, rising, none above `length`.
    fn new(length: u32, ends: &[u32]) -> Self {
        let rows = u32::try_from(ends.len()).unwrap_or(u32::MAX).max(1);
        let mean = length.checked_div(rows).unwrap_or(1).max(1);
        let pairs = ends.iter().zip(ends.iter().skip(1));
        let least = pairs.map(|(one, next)| next.saturating_sub(*one)).min().unwrap_or(mean);
        let widest = mean.ilog2();
        let shift = least.max(1).ilog2().clamp(widest.saturating_sub(3), widest);
        let count = length.wrapping_shr(shift).saturating_add(1);
        let mut firsts = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
        let mut row = 0_u32;
        let mut rest = ends.iter().copied().peekable();
        for bucket in 0..count {
            let edge = bucket.wrapping_shl(shift);
            while rest.next_if(|end| *end <= edge).is_some() {
                row = row.saturating_add(1);
            }
            let next = edge.saturating_add(1_u32.wrapping_shl(shift));
            let second = rest.clone().nth(1);
            let is_crowded = second.is_some_and(|end| end < next);
            firsts.push(if is_crowded { row | CROWDED } else { row });
        }
        Self { shift, firsts }
    }

    #[inline]
    fn at(&self, offset: u32) -> u32 {
        let bucket = usize::try_from(offset.wrapping_shr(self.shift)).unwrap_or(usize::MAX);
        self.firsts.get(bucket).copied().unwrap_or(CROWDED)
    }
}

impl OpenTable {
    /// A table of spans that are sorted, disjoint, and inside `first..last`, which is at most a
    /// hundred years and two days long.
    pub(crate) fn new(spans: &[Span], first: i64, last: i64) -> Self {
        let offset = |at: i64| u32::try_from(at.saturating_sub(first)).unwrap_or(u32::MAX);
        let length = offset(last);
        let mut total = 0_u32;
        let mut rows = Vec::with_capacity(spans.len().saturating_add(2));
        for &(start, end) in spans {
            debug_assert!(first <= start && start < end && end <= last, "clipped before");
            let row = Row { start: offset(start), end: offset(end), before: total };
            total = total.saturating_add(row.end.saturating_sub(row.start));
            rows.push(row);
        }
        let by_time = Buckets::new(length, &rows.iter().map(|row| row.end).collect::<Vec<_>>());
        rows.extend([Row { start: length, end: length, before: total }; 2]);
        let after = rows.iter().skip(1).take(spans.len()).map(|next| next.before);
        let by_open = Buckets::new(total, &after.collect::<Vec<_>>());
        Self { rows, first, length, total, by_time, by_open }
    }

    /// The first second of the range.
    pub(crate) const fn first(&self) -> i64 {
        self.first
    }

    /// The first second after the range.
    #[inline]
    pub(crate) fn last(&self) -> i64 {
        self.first.saturating_add(self.length.into())
    }

    /// All open spans.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> {
        let count = self.rows.len().saturating_sub(2);
        self.rows.iter().take(count).map(|row| self.span(row))
    }

    fn span(&self, row: &Row) -> Span {
        (self.second(row.start), self.second(row.end))
    }

    #[inline]
    fn second(&self, offset: u32) -> i64 {
        self.first.saturating_add(offset.into())
    }

    /// A second of the range or its end, as seconds from its start; none outside.
    #[inline]
    pub(crate) fn place(&self, at: i64) -> Option<u32> {
        let offset = u32::try_from(at.wrapping_sub(self.first)).ok()?;
        (offset <= self.length).then_some(offset)
    }

    /// The row that a bucket names, and the next one; none for a crowded bucket.
    #[inline]
    fn pair(&self, first: u32) -> Option<[Row; 2]> {
        if first & CROWDED != 0 {
            return None;
        }
        match self.rows.get(usize::try_from(first).ok()?..)? {
            [row, next, ..] => Some([*row, *next]),
            _ => None,
        }
    }

    /// For a crowded bucket: the position of the first row that is not `behind`; rows that are behind
    /// come first.
    fn search(&self, first: u32, behind: impl Fn(&Row) -> bool) -> usize {
        let from = usize::try_from(first & !CROWDED).unwrap_or(usize::MAX);
        let rows = self.rows.get(from..self.rows.len().saturating_sub(2)).unwrap_or_default();
        from.saturating_add(rows.partition_point(behind))
    }

    /// A row, or the one without length at the end.
    fn row(&self, place: usize) -> Row {
        let end = Row { start: self.length, end: self.length, before: self.total };
        self.rows.get(place).copied().unwrap_or(end)
    }

    /// The position of the first row that ends after `at`.
    fn row_at(&self, at: u32) -> usize {
        let first = self.by_time.at(at);
        match self.pair(first) {
            Some([row, _]) => {
                let is_behind = row.end <= at && row.start < row.end;
                usize::try_from(first).unwrap_or(usize::MAX).saturating_add(is_behind.into())
            }
            None => self.search(first, |row| row.end <= at),
        }
    }

    /// The first span that ends after `at`, a second of the range or its end.
    pub(crate) fn span_after(&self, at: i64) -> Option<Span> {
        let row = self.row_at(self.place(at)?);
        let row = self.rows.get(row).filter(|row| row.start < row.end);
        row.map(|row| self.span(row))
    }

    /// The last span that starts before `at`, a second of the range or its end.
    pub(crate) fn span_before(&self, at: i64) -> Option<Span> {
        let at = self.place(at)?;
        let next = self.row_at(at);
        let started = |row: &&Row| row.start < at && row.start < row.end;
        let row = self
            .rows
            .get(next)
            .filter(started)
            .or_else(|| next.checked_sub(1).and_then(|row| self.rows.get(row)));
        row.map(|row| self.span(row))
    }

    /// Open seconds from `from` to `until`, below zero when `until` is earlier; none when one of them
    /// is outside the range.
    #[inline]
    pub(crate) fn between(&self, from: i64, until: i64) -> Option<i64> {
        let (from, until) = (self.place(from)?, self.place(until)?);
        let (done, then) = (self.open_before(from), self.open_before(until));
        Some(i64::from(then).wrapping_sub(done.into()))
    }

    /// The earliest second before which `open` seconds, above zero, were open since `from`; none when
    /// that is outside the range, or `from` is.
    #[inline]
    pub(crate) fn forward(&self, from: i64, open: i64) -> Option<i64> {
        let done = i64::from(self.open_before(self.place(from)?));
        let open = u32::try_from(done.saturating_add(open)).ok()?;
        (open <= self.total).then(|| self.where_open(open.wrapping_sub(1), open))
    }

    /// The latest second from which `open` seconds, above zero, are open until `from`; none when that
    /// is outside the range, or `from` is.
    #[inline]
    pub(crate) fn back(&self, from: i64, open: i64) -> Option<i64> {
        let done = i64::from(self.open_before(self.place(from)?));
        let open = u32::try_from(done.saturating_sub(open)).ok()?;
        // Below the total, because some of it lies behind `from`.
        Some(self.where_open(open, open))
    }

    /// Open seconds from the start of the range to a place in it.
    #[inline]
    fn open_before(&self, at: u32) -> u32 {
        let first = self.by_time.at(at);
        match self.pair(first) {
            // Of the row and the next one, at most one is left behind.
            Some([row, next]) => {
                row.before.wrapping_add(row.open_before(at)).wrapping_add(next.open_before(at))
            }
            None => self.open_before_crowded(first, at),
        }
    }

    #[cold]
    fn open_before_crowded(&self, first: u32, at: u32) -> u32 {
        let row = self.row(self.search(first, |row| row.end <= at));
        row.before.wrapping_add(row.open_before(at))
    }

    /// The second before which `open` seconds were open, in the row of the open second number
    /// `counted` from zero, which is below the total.
    #[inline]
    fn where_open(&self, counted: u32, open: u32) -> i64 {
        let first = self.by_open.at(counted);
        let row = match self.pair(first) {
            Some([row, next]) => {
                if next.before > counted {
                    row
                } else {
                    next
                }
            }
            None => self.crowded_row(first, counted),
        };
        self.second(row.start.wrapping_add(open.wrapping_sub(row.before)))
    }

    #[cold]
    fn crowded_row(&self, first: u32, counted: u32) -> Row {
        let after = |row: &Row| row.before.wrapping_add(row.end.wrapping_sub(row.start));
        self.row(self.search(first, |row| after(row) <= counted))
    }
}
