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

/// Compare phases: (table, notes).
#[pyfunction]
pub(crate) fn contrast(
    py: Python<'_>,
    points: PyDataFrame,
    arguments: &Bound<'_, PyDict>,
) -> Result<(PyDataFrame, Vec<NoteDict>)> {
    let request: frame::ContrastRequest = request(arguments)?;
    let (table, found) = released(py, || frame::contrast(&points.0, &request))?;
    Ok((PyDataFrame(table), notes(&found)))
}

/// Propose new phases: (proposals, log, notes).
#[pyfunction]
pub(crate) fn propose_phases(
    py: Python<'_>,
    points: PyDataFrame,
    chart: &Bound<'_, PyDict>,
    arguments: &Bound<'_, PyDict>,
) -> Result<(PyDataFrame, PyDataFrame, Vec<NoteDict>)> {
    let chart: frame::ChartRequest = request(chart)?;
    let request: frame::RebaseRequest = request(arguments)?;
    let found = released(py, || frame::propose_phases(&points.0, &chart, &request))?;
    Ok((PyDataFrame(found.proposals), PyDataFrame(found.log), notes(&found.notes)))
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
