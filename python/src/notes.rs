//! Notes as the Python face takes them.

use brightspot::Note;
use pyo3::prelude::*;

/// A note with its words.
#[derive(Debug, IntoPyObject)]
pub(crate) struct NoteDict {
    code: &'static str,
    message: String,
    count: usize,
    value: Option<f64>,
    at: String,
}

pub(crate) fn notes(notes: &[Note]) -> Vec<NoteDict> {
    notes
        .iter()
        .map(|note| NoteDict {
            code: note.code.as_str(),
            message: note.message(),
            count: note.count,
            value: note.value,
            at: note.at.clone(),
        })
        .collect()
}
