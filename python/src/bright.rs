//! Bright spots.

use brightspot::frame;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::{interruptible, released};

/// What a search for bright spots found.
#[pyclass(frozen, module = "brightspot._core")]
#[derive(Debug)]
pub(crate) struct BrightSpots(pub(crate) frame::BrightTables);

/// Look for bright spots.
#[pyfunction]
pub(crate) fn bright_spots(py: Python<'_>, frame: PyDataFrame, arguments: &Bound<'_, PyDict>) -> Result<BrightSpots> {
    let request: frame::BrightRequest = request(arguments)?;
    Ok(BrightSpots(released(py, || frame::bright_spots(&frame.0, &request, &interruptible))?))
}

#[pymethods]
impl BrightSpots {
    fn units(&self) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.units()?))
    }

    fn typical(&self) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.typical()?))
    }

    fn periods(&self) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.periods()?))
    }

    fn checks(&self) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.checks()?))
    }

    fn balance(&self) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.balance()?))
    }

    /// The units under the conditions of one.
    fn peers(&self, unit: &str, within: Vec<String>) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.peers(unit, &within)?))
    }

    /// How far the routes agree, and what lasts; the guards.
    fn summaries<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let spots = self.0.spots();
        Ok(pythonize::pythonize(py, &(&spots.agreement, &spots.persistence, &spots.guards))?)
    }

    fn notes(&self) -> Vec<NoteDict> {
        notes(self.0.notes())
    }

    #[getter]
    fn threshold(&self) -> f64 {
        self.0.spots().threshold
    }

    #[getter]
    fn false_share(&self) -> Option<f64> {
        self.0.spots().false_share
    }

    #[getter]
    fn false_share_overall(&self) -> Option<f64> {
        self.0.spots().false_share_overall
    }

    /// The model in numbers.
    fn model<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        Ok(pythonize::pythonize(py, &self.0.spots().model)?)
    }

    /// The explanation of one unit.
    fn explain<'py>(&self, py: Python<'py>, unit: &str, within: Vec<String>) -> Result<Bound<'py, PyAny>> {
        Ok(pythonize::pythonize(py, &self.0.explain(unit, &within)?)?)
    }
}
