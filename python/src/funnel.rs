//! Funnel charts.

use brightspot::frame;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::released;

/// A funnel chart: units, limits, target, scatter, the names of the levels, and notes.
#[pyfunction]
#[allow(clippy::type_complexity)] // A tuple for the Python face, which names its parts.
pub(crate) fn funnel<'py>(
    py: Python<'py>,
    frame: PyDataFrame,
    arguments: &Bound<'py, PyDict>,
) -> Result<(PyDataFrame, PyDataFrame, f64, Bound<'py, PyAny>, Vec<String>, Vec<NoteDict>)> {
    let request: frame::FunnelRequest = request(arguments)?;
    let found = released(py, || frame::funnel(&frame.0, &request))?;
    let dispersion = pythonize::pythonize(py, &found.funnel().dispersion)?;
    Ok((
        PyDataFrame(found.units()?),
        PyDataFrame(found.limits()?),
        found.funnel().target,
        dispersion,
        found.level_names(),
        notes(found.notes()),
    ))
}
