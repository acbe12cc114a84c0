//! Reads the invoices: every text once, every amount exact.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::Read;
use std::path::Path;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime};
use csv::ByteRecord;

use crate::arguments::Duplicates;

/// One line of an invoice. Texts are positions in the lists of the [`Book`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// Position of the invoice.
    pub invoice: u32,
    /// Position of the stock code.
    pub code: u32,
    /// Position of the description.
    pub description: u32,
    /// Position of the customer; 0 is none.
    pub customer: u32,
    /// Position of the country.
    pub country: u32,
    /// The month, `year * 12 + month - 1`.
    pub month: i32,
    /// Units; below zero on credit notes.
    pub quantity: i64,
    /// Price of one unit in thousandths of a pound.
    pub price: i64,
    /// Local time, in seconds of the civil calendar.
    pub at: i64,
}

impl Row {
    /// Quantity times price, in thousandths of a pound.
    pub fn value(&self) -> i128 {
        i128::from(self.quantity) * i128::from(self.price)
    }

    /// The local time.
    pub fn time(&self) -> NaiveDateTime {
        DateTime::from_timestamp(self.at, 0).unwrap_or_default().naive_utc()
    }
}

/// All rows in the order of the file, and the texts they point to.
#[derive(Debug, Default)]
pub struct Book {
    /// The rows.
    pub rows: Vec<Row>,
    /// Invoice numbers in order of appearance.
    pub invoices: Names,
    /// Stock codes.
    pub codes: Names,
    /// Descriptions.
    pub descriptions: Names,
    /// Customer numbers; position 0 is none.
    pub customers: Names,
    /// Countries.
    pub countries: Names,
}

/// A list that holds every text once.
#[derive(Debug, Default)]
pub struct Names {
    texts: Vec<String>,
    places: HashMap<Box<[u8]>, u32, BuildHasherDefault<Quick>>,
    last: u32,
}

impl Names {
    /// The text at a position.
    pub fn text(&self, place: u32) -> &str {
        &self.texts[place as usize]
    }

    /// All texts.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    fn place(&mut self, text: &[u8]) -> u32 {
        // Rows of one invoice stand together, so the last text is often the next one.
        if self.texts.get(self.last as usize).is_some_and(|last| last.as_bytes() == text) {
            return self.last;
        }
        self.last = match self.places.get(text) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
                self.texts.push(String::from_utf8_lossy(text).into_owned());
                self.places.insert(text.into(), place);
                place
            }
        };
        self.last
    }
}

/// A quick hash for texts of this file; nobody attacks an example with its own data.
#[derive(Debug, Default)]
pub struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// Reads a file; `.gz` is unpacked on the way.
///
/// # Errors
///
/// When the file cannot be read, or a row is not as described, with its line.
pub fn read(path: &Path, duplicates: Duplicates) -> Result<Book, String> {
    let place = path.display();
    let file = File::open(path).map_err(|why| format!("{place}: {why}"))?;
    let mut text = Vec::new();
    if path.extension().is_some_and(|ending| ending == "gz") {
        flate2::read::GzDecoder::new(file).read_to_end(&mut text)
    } else {
        let mut file = file;
        file.read_to_end(&mut text)
    }
    .map_err(|why| format!("{place}: {why}"))?;
    parse(&text, duplicates).map_err(|why| format!("{place}: {why}"))
}

/// Reads the rows of a text.
///
/// # Errors
///
/// When a row is not as described, with its line.
pub fn parse(text: &[u8], duplicates: Duplicates) -> Result<Book, String> {
    let mut book = Book::default();
    book.customers.place(b"");
    let mut seen = HashSet::new();
    let mut reader = csv::Reader::from_reader(text);
    let mut record = ByteRecord::new();
    let mut clock = Clock::default();
    while reader.read_byte_record(&mut record).map_err(|why| why.to_string())? {
        let row = row(&mut book, &record, &mut clock).ok_or_else(|| {
            let line = record.position().map_or(0, csv::Position::line);
            format!("line {line} is not an invoice row: {record:?}")
        })?;
        if duplicates == Duplicates::Keep || seen.insert(row) {
            book.rows.push(row);
        }
    }
    Ok(book)
}

fn row(book: &mut Book, record: &ByteRecord, clock: &mut Clock) -> Option<Row> {
    let (at, month) = clock.read(record.get(4)?)?;
    Some(Row {
        invoice: book.invoices.place(record.get(0)?),
        code: book.codes.place(record.get(1)?),
        description: book.descriptions.place(record.get(2)?.trim_ascii()),
        quantity: thousandths(record.get(3)?)?.checked_div(1000)?,
        at,
        month,
        price: thousandths(record.get(5)?)?,
        customer: book.customers.place(record.get(6)?),
        country: book.countries.place(record.get(7)?),
    })
}

/// A plain decimal with at most three decimals, in thousandths.
fn thousandths(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let mut value: i64 = 0;
    let mut decimals: Option<u32> = None;
    for letter in digits {
        match letter {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(i64::from(letter - b'0'))?;
                decimals = decimals.map(|n| n + 1);
            }
            b'.' if decimals.is_none() => decimals = Some(0),
            _ => return None,
        }
    }
    let missing = 3_u32.checked_sub(decimals.unwrap_or(0))?;
    if digits.is_empty() { None } else { Some(sign * value.checked_mul(10_i64.pow(missing))?) }
}

/// Reads `2011-04-18T13:08:00`, and remembers the last text because rows of one invoice share it.
#[derive(Default)]
struct Clock {
    text: Vec<u8>,
    value: (i64, i32),
}

impl Clock {
    fn read(&mut self, text: &[u8]) -> Option<(i64, i32)> {
        if self.text == text {
            return Some(self.value);
        }
        let number = |from: usize, to: usize| -> Option<u32> {
            let digits = text.get(from..to)?;
            digits.iter().try_fold(0_u32, |sum, letter| {
                letter.is_ascii_digit().then(|| sum * 10 + u32::from(letter - b'0'))
            })
        };
        let date =
            NaiveDate::from_ymd_opt(number(0, 4)?.cast_signed(), number(5, 7)?, number(8, 10)?)?;
        let time = date.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?;
        self.value = (time.and_utc().timestamp(), date.year() * 12 + date.month0().cast_signed());
        self.text = text.to_vec();
        Some(self.value)
    }
}

/// A month number as people write it: `2011-04`.
pub fn month_name(month: i32) -> String {
    format!("{}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1)
}
