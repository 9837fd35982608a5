//! Pooling over sites.

use brightspot::frame;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::released;

/// Pool effects: the summary (None for too few sites), the finding, one row per site, one per subgroup, and notes.
#[pyfunction]
#[allow(clippy::type_complexity)] // A tuple for the Python face, which names its parts.
pub(crate) fn pool<'py>(
    py: Python<'py>,
    frame: PyDataFrame,
    arguments: &Bound<'py, PyDict>,
) -> Result<(Bound<'py, PyAny>, &'static str, PyDataFrame, PyDataFrame, Vec<NoteDict>)> {
    let request: frame::PoolRequest = request(arguments)?;
    let found = released(py, || frame::pool(&frame.0, &request))?;
    let summary = pythonize::pythonize(py, &found.summary)?;
    Ok((summary, found.finding.as_str(), PyDataFrame(found.sites), PyDataFrame(found.groups), notes(&found.notes)))
}
