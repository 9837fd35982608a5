//! Records: one check for all kinds, data in and data out.

use pyo3::prelude::*;

use crate::errors::Result;
use crate::notes::{NoteDict, notes};

/// Check the data of a record: returns them with the defaults filled in.
#[pyfunction]
pub(crate) fn check<'py>(py: Python<'py>, kind: &str, data: &Bound<'py, PyAny>) -> Result<Bound<'py, PyAny>> {
    let data: serde_json::Value = pythonize::depythonize(data)?;
    Ok(pythonize::pythonize(py, &brightspot::cycle::check(kind, data)?)?)
}

/// A note, with its words.
#[pyfunction]
pub(crate) fn note(data: &Bound<'_, PyAny>) -> Result<Option<NoteDict>> {
    let note: brightspot::Note = pythonize::depythonize(data)?;
    Ok(notes(&[note]).pop())
}
