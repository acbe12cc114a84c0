//! The stock notes: the only place of this data where somebody wrote down why.

use std::path::Path;

/// A movement of stock with the text somebody typed beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text as typed.
    pub text: String,
    /// Units; below zero is written off.
    pub quantity: i64,
}

/// Reads the notes.
///
/// # Errors
///
/// When the file cannot be read, or a row is not as described.
pub fn read(path: &Path) -> Result<Vec<Note>, String> {
    let place = path.display();
    let mut reader = csv::Reader::from_path(path).map_err(|why| format!("{place}: {why}"))?;
    let mut notes = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|why| format!("{place}: {why}"))?;
        let note = record.get(2).zip(record.get(3).and_then(|text| text.parse().ok()));
        let (text, quantity) = note.ok_or_else(|| format!("{place}: {record:?} is not a note"))?;
        notes.push(Note { text: text.trim().to_owned(), quantity });
    }
    Ok(notes)
}
