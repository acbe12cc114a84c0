//! Lists of half-open spans of seconds: sorted, disjoint, never touching, never empty.

use alloc::vec::Vec;

/// Start and end in UTC seconds, half open.
pub(crate) type Span = (i64, i64);

/// Sorts, drops what is empty, merges what overlaps or touches.
pub(crate) fn normalize(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|(start, end)| start < end);
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for (start, end) in spans {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// What lies in either list.
pub(crate) fn union(left: &[Span], right: &[Span]) -> Vec<Span> {
    normalize(left.iter().chain(right).copied().collect())
}

/// What lies in both lists.
pub(crate) fn intersection(left: &[Span], right: &[Span]) -> Vec<Span> {
    let mut common = Vec::new();
    let (mut a, mut b) = (left.iter().copied().peekable(), right.iter().copied().peekable());
    while let (Some(&one), Some(&other)) = (a.peek(), b.peek()) {
        let (start, end) = (one.0.max(other.0), one.1.min(other.1));
        if start < end {
            common.push((start, end));
        }
        if one.1 <= other.1 {
            a.next()
        } else {
            b.next()
        };
    }
    common
}

/// What lies in the first list and not in the second.
pub(crate) fn difference(left: &[Span], right: &[Span]) -> Vec<Span> {
    let mut rest = Vec::with_capacity(left.len());
    let mut cuts = right.iter().copied().peekable();
    for &(start, end) in left {
        let mut from = start;
        while cuts.next_if(|cut| cut.1 <= from).is_some() {}
        while let Some(&cut) = cuts.peek().filter(|cut| cut.0 < end) {
            if from < cut.0 {
                rest.push((from, cut.0));
            }
            from = from.max(cut.1);
            if cut.1 > end {
                break;
            }
            cuts.next();
        }
        if from < end {
            rest.push((from, end));
        }
    }
    rest
}

/// What lies between two instants.
pub(crate) fn clip(spans: &[Span], first: i64, last: i64) -> Vec<Span> {
    intersection(spans, &[(first, last)])
}
