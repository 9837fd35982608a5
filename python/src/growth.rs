//! Student growth percentiles.

use brightspot::frame;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::{interruptible, released};

/// Growth percentiles: students, units, the fitted table, and notes.
#[pyfunction]
#[allow(clippy::type_complexity)] // A tuple for the Python face, which names its parts.
pub(crate) fn growth_percentiles<'py>(
    py: Python<'py>,
    frame: PyDataFrame,
    arguments: &Bound<'py, PyDict>,
) -> Result<(PyDataFrame, PyDataFrame, Bound<'py, PyAny>, Vec<NoteDict>)> {
    let request: frame::GrowthRequest = request(arguments)?;
    let found = released(py, || frame::growth_percentiles(&frame.0, &request, &interruptible))?;
    let model = pythonize::pythonize(py, &found.model)?;
    Ok((PyDataFrame(found.students), PyDataFrame(found.units), model, notes(&found.notes)))
}
