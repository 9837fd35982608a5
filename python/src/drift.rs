//! Drift value added.

use brightspot::frame;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::released;

/// Value added: teachers' years, covariances by lag, the variances (all, students, teachers, classes), coefficients, notes.
#[pyfunction]
#[allow(clippy::type_complexity)] // A tuple for the Python face, which names its parts.
pub(crate) fn value_added(
    py: Python<'_>,
    frame: PyDataFrame,
    arguments: &Bound<'_, PyDict>,
) -> Result<(PyDataFrame, PyDataFrame, (f64, f64, f64, f64), Vec<(String, Option<f64>)>, Vec<NoteDict>)> {
    let request: frame::DriftRequest = request(arguments)?;
    let found = released(py, || frame::value_added(&frame.0, &request))?;
    let parts = found.found().components;
    Ok((
        PyDataFrame(found.teachers()?),
        PyDataFrame(found.autocovariance()?),
        (parts.total, parts.student, parts.teacher, parts.class),
        found.found().coefficients.clone(),
        notes(found.notes()),
    ))
}
