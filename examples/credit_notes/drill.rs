//! One credit and rebill in full: the credit note, the invoice that follows, line by line.

use std::collections::BTreeMap;

use crate::figures::{Figures, worth};
use crate::matching::{Kind, Matched, is_sale};
use crate::read::{Book, Row};

/// A credit note beside the invoice that rebills it.
#[derive(Debug)]
pub struct Drill {
    /// Position of the credit note.
    pub note: u32,
    /// Position of the invoice.
    pub invoice: u32,
    /// The lines of the note.
    pub lines: Vec<Pair>,
    /// Seconds from the note to the invoice.
    pub seconds: i64,
}

/// One line of the note and the line that rebills it.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The credited row.
    pub credited: Row,
    /// The row sold again.
    pub again: Option<Row>,
}

impl Pair {
    /// Whether only quantity and a look at the code tell that the two belong together.
    pub fn is_other_code(&self) -> bool {
        self.again.is_some_and(|again| again.code != self.credited.code)
    }
}

impl Drill {
    /// Credited in all.
    pub fn credited(&self) -> i128 {
        self.lines.iter().map(|pair| -pair.credited.value()).sum()
    }

    /// Sold again in all.
    pub fn rebilled(&self) -> i128 {
        self.lines.iter().filter_map(|pair| pair.again).map(|row| row.value()).sum()
    }
}

/// The credit note named, or the one with the largest rebilled value of the slice.
pub fn drill(
    book: &Book,
    matched: &Matched,
    figures: &Figures,
    wanted: Option<&str>,
    window: i64,
) -> Option<Drill> {
    let mut rebilled: BTreeMap<u32, i128> = BTreeMap::new();
    for position in &figures.counted {
        let credit = &matched.credits[*position];
        if credit.kind == Kind::Rebilled {
            *rebilled.entry(book.rows[credit.row].invoice).or_default() += worth(book, credit);
        }
    }
    let note = match wanted {
        Some(number) => {
            let place = book.invoices.texts().iter().position(|text| text == number)?;
            u32::try_from(place).ok()?
        }
        None => {
            *rebilled.iter().max_by_key(|(note, value)| (**value, std::cmp::Reverse(**note)))?.0
        }
    };
    let credits: Vec<usize> = matched
        .credits
        .iter()
        .map(|credit| credit.row)
        .filter(|row| book.rows[*row].invoice == note)
        .collect();
    let last = *credits.last()?;
    let start = book.rows[last];
    if start.customer == 0 {
        return None;
    }
    let mut later: BTreeMap<u32, Vec<Row>> = BTreeMap::new();
    for (position, row) in book.rows.iter().enumerate().skip(last + 1) {
        if row.at > start.at + window {
            break;
        }
        if row.customer == start.customer && is_sale(row, matched.is_credit[position]) {
            later.entry(row.invoice).or_default().push(*row);
        }
    }
    let pairs = later.into_iter().map(|(invoice, rows)| {
        let lines = pair(book, credits.iter().map(|row| book.rows[*row]), &rows);
        (invoice, rows, lines)
    });
    let value = |lines: &[Pair]| -> i128 {
        lines.iter().filter_map(|pair| pair.again).map(|row| row.value()).sum()
    };
    let (invoice, rows, lines) =
        pairs.max_by_key(|(invoice, _, lines)| (value(lines), std::cmp::Reverse(*invoice)))?;
    let seconds = rows.first()?.at - start.at;
    lines.iter().any(|pair| pair.again.is_some()).then_some(Drill { note, invoice, lines, seconds })
}

/// Pairs each credited line with a line of the invoice: the same code first, then the same quantity
/// under a code that looks like a slip of the keyboard.
fn pair(book: &Book, credited: impl Iterator<Item = Row>, rows: &[Row]) -> Vec<Pair> {
    let mut open: Vec<Row> = rows.to_vec();
    let mut pairs: Vec<Pair> = credited.map(|credited| Pair { credited, again: None }).collect();
    for by_code in [true, false] {
        for pair in pairs.iter_mut().filter(|pair| pair.again.is_none()) {
            let same = |row: &Row| {
                if by_code {
                    row.code == pair.credited.code
                } else {
                    row.quantity == -pair.credited.quantity
                        && is_slip(book.codes.text(row.code), book.codes.text(pair.credited.code))
                }
            };
            if let Some(place) = open.iter().position(same) {
                pair.again = Some(open.remove(place));
            }
        }
    }
    pairs
}

/// Whether two codes differ by one wrong sign, or by two neighbors that changed places.
pub fn is_slip(left: &str, right: &str) -> bool {
    if left.len() != right.len() || left == right {
        return false;
    }
    let places: Vec<usize> = left
        .bytes()
        .zip(right.bytes())
        .enumerate()
        .filter(|(_, (a, b))| a != b)
        .map(|(n, _)| n)
        .collect();
    let (left, right) = (left.as_bytes(), right.as_bytes());
    match places[..] {
        [_] => true,
        [a, b] => a + 1 == b && left[a] == right[b] && left[b] == right[a],
        _ => false,
    }
}
