//! Mixed models.

use brightspot::frame;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::released;

/// A fitted mixed model.
#[pyclass(frozen, module = "brightspot._core")]
#[derive(Debug)]
pub(crate) struct MixedModel(frame::MixedModel);

/// Fit a mixed model.
#[pyfunction]
pub(crate) fn mixed_model(py: Python<'_>, frame: PyDataFrame, arguments: &Bound<'_, PyDict>) -> Result<MixedModel> {
    let request: frame::MixedRequest = request(arguments)?;
    Ok(MixedModel(released(py, || frame::mixed_model(&frame.0, &request))?))
}

#[pymethods]
impl MixedModel {
    #[getter]
    fn criterion(&self) -> f64 {
        self.0.fit().criterion
    }

    #[getter]
    fn sigma(&self) -> f64 {
        self.0.fit().sigma
    }

    #[getter]
    fn theta(&self) -> Vec<f64> {
        self.0.fit().theta.clone()
    }

    #[getter]
    fn vcov(&self) -> Vec<Vec<f64>> {
        self.0.fit().vcov.clone()
    }

    #[getter]
    fn is_singular(&self) -> bool {
        self.0.fit().is_singular
    }

    #[getter]
    fn has_converged(&self) -> bool {
        self.0.fit().has_converged
    }

    #[getter]
    fn n_obs(&self) -> usize {
        self.0.fit().n_obs
    }

    #[getter]
    fn n_evaluations(&self) -> usize {
        self.0.fit().n_evaluations
    }

    #[getter]
    fn factors(&self) -> Vec<String> {
        self.0.factors().into_iter().map(str::to_owned).collect()
    }

    fn notes(&self) -> Vec<NoteDict> {
        notes(&self.0.notes())
    }

    fn fixed(&self) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.fixed()?))
    }

    fn variance(&self) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.variance()?))
    }

    fn effects(&self, factor: &str) -> Result<PyDataFrame> {
        Ok(PyDataFrame(self.0.effects(factor)?))
    }

    fn at(&self, theta: Vec<f64>) -> Result<Self> {
        Ok(Self(self.0.at(&theta)?))
    }
}
