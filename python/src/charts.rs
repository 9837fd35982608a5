//! Run charts.

use brightspot::frame;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::{interruptible, released};

/// Draw run charts: (points, summary, notes).
#[pyfunction]
pub(crate) fn run_chart(
    py: Python<'_>,
    frame: PyDataFrame,
    arguments: &Bound<'_, PyDict>,
) -> Result<(PyDataFrame, PyDataFrame, Vec<NoteDict>)> {
    let request: frame::RunChartRequest = request(arguments)?;
    let tables = released(py, || frame::run_chart(&frame.0, &request, &interruptible))?;
    Ok((PyDataFrame(tables.points), PyDataFrame(tables.summary), notes(&tables.notes)))
}
