//! Charts over time.

use brightspot::frame;
use brightspot::rules::RuleSet;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::{interruptible, released};

/// Draw charts: (points, summary, signals, notes).
#[pyfunction]
pub(crate) fn chart(
    py: Python<'_>,
    frame: PyDataFrame,
    arguments: &Bound<'_, PyDict>,
) -> Result<(PyDataFrame, PyDataFrame, PyDataFrame, Vec<NoteDict>)> {
    let request: frame::ChartRequest = request(arguments)?;
    let tables = released(py, || frame::chart(&frame.0, &request, &interruptible))?;
    Ok((PyDataFrame(tables.points), PyDataFrame(tables.summary), PyDataFrame(tables.signals), notes(&tables.notes)))
}

/// The rule sets there are, as plain data.
#[pyfunction]
pub(crate) fn rule_sets(py: Python<'_>) -> Result<Vec<Bound<'_, PyAny>>> {
    RuleSet::NAMES.iter().map(|name| Ok(pythonize::pythonize(py, &RuleSet::named(name)?)?)).collect()
}

/// How often stable charts signal: one row per rule set, length and signal.
#[pyfunction]
pub(crate) fn false_signals(py: Python<'_>, arguments: &Bound<'_, PyDict>) -> Result<PyDataFrame> {
    let request: frame::FalseSignalRequest = request(arguments)?;
    Ok(PyDataFrame(released(py, || frame::false_signals(&request, &interruptible))?))
}
