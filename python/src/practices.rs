//! Practices that bright rooms share.

use brightspot::frame;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::bright::BrightSpots;
use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::released;

/// What a search for practices found.
#[pyclass(frozen, module = "brightspot._core")]
#[derive(Debug)]
pub(crate) struct Practices(frame::PracticeTables);

/// Look for practices that bright units share.
#[pyfunction]
pub(crate) fn practices(
    py: Python<'_>,
    bright: &Bound<'_, BrightSpots>,
    uses: PyDataFrame,
    arguments: &Bound<'_, PyDict>,
) -> Result<Practices> {
    let request: frame::PracticeRequest = request(arguments)?;
    let bright = bright.get();
    Ok(Practices(released(py, || frame::practices(&bright.0, &uses.0, &request))?))
}

#[pymethods]
impl Practices {
    fn table(&self) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.table()?))
    }

    fn by_period(&self) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.by_period()?))
    }

    fn notes(&self) -> Vec<NoteDict> {
        notes(self.0.notes())
    }

    #[getter]
    fn false_share(&self) -> Option<f64> {
        self.0.found().false_share
    }
}
