//! Mixed models with slopes that differ, of passes and counts, and with covariates measured with error.

use brightspot::frame;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::{interruptible, released};

/// A fitted mixed model of another kind.
#[pyclass(frozen, module = "brightspot._core")]
#[derive(Debug)]
pub(crate) struct VariantModel(frame::VariantModel);

/// Fit such a model.
#[pyfunction]
pub(crate) fn mixed_variant(py: Python<'_>, frame: PyDataFrame, arguments: &Bound<'_, PyDict>) -> Result<VariantModel> {
    let request: frame::VariantRequest = request(arguments)?;
    Ok(VariantModel(released(py, || frame::mixed_variant(&frame.0, &request, &interruptible))?))
}

#[pymethods]
impl VariantModel {
    #[getter]
    fn criterion(&self) -> f64 {
        self.0.criterion()
    }

    #[getter]
    fn sigma(&self) -> f64 {
        self.0.sigma()
    }

    #[getter]
    fn theta(&self) -> Vec<f64> {
        self.0.theta().to_vec()
    }

    #[getter]
    fn vcov(&self) -> Vec<Vec<f64>> {
        self.0.vcov().to_vec()
    }

    #[getter]
    fn is_singular(&self) -> bool {
        self.0.is_singular()
    }

    #[getter]
    fn has_converged(&self) -> bool {
        self.0.has_converged()
    }

    #[getter]
    fn n_obs(&self) -> usize {
        self.0.n_obs()
    }

    #[getter]
    fn n_evaluations(&self) -> usize {
        self.0.n_evaluations()
    }

    #[getter]
    fn gradient(&self) -> f64 {
        self.0.gradient()
    }

    #[getter]
    fn route(&self) -> &'static str {
        self.0.route()
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

    fn effects(&self, py: Python<'_>, factor: &str, sd: Option<&str>) -> Result<PyDataFrame> {
        Ok(PyDataFrame(released(py, || self.0.effects(factor, sd))?))
    }

    /// Not offered for these models: an error that says so.
    fn contrast(&self, factor: &str, first: usize, second: usize) -> Result<(f64, f64)> {
        let _ = (first, second);
        Ok(self.0.contrast(factor)?)
    }

    fn at(&self, py: Python<'_>, theta: Vec<f64>) -> Result<Self> {
        Ok(Self(released(py, || self.0.at(&theta))?))
    }
}
