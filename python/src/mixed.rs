//! Mixed models.

use brightspot::{frame, mixed};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use pyo3_polars::PyDataFrame;

use crate::errors::{Result, request};
use crate::notes::{NoteDict, notes};
use crate::work::{interruptible, released};

/// A fitted mixed model.
#[pyclass(frozen, module = "brightspot._core")]
#[derive(Debug)]
pub(crate) struct MixedModel(frame::MixedModel);

/// The sums behind a mixed model.
#[pyclass(frozen, module = "brightspot._core")]
#[derive(Debug)]
pub(crate) struct Moments(mixed::Moments);

/// Fit a mixed model.
#[pyfunction]
pub(crate) fn mixed_model(py: Python<'_>, frame: PyDataFrame, arguments: &Bound<'_, PyDict>) -> Result<MixedModel> {
    let request: frame::MixedRequest = request(arguments)?;
    Ok(MixedModel(released(py, || frame::mixed_model(&frame.0, &request, &|| interruptible(0, 0)))?))
}

/// The sums of a frame's rows.
#[pyfunction]
pub(crate) fn mixed_moments(
    py: Python<'_>,
    frame: PyDataFrame,
    arguments: &Bound<'_, PyDict>,
) -> Result<(Moments, Vec<NoteDict>)> {
    let request: frame::MixedRequest = request(arguments)?;
    let (moments, caveats) = released(py, || frame::mixed_moments(&frame.0, &request))?;
    Ok((Moments(moments), notes(&caveats)))
}

#[pymethods]
impl Moments {
    #[staticmethod]
    fn from_bytes(data: &[u8]) -> Result<Self> {
        Ok(Self(mixed::Moments::from_bytes(data)?))
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>> {
        let bytes = released(py, || self.0.to_bytes())?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn merge(&self, py: Python<'_>, other: &Self) -> Result<Self> {
        Ok(Self(released(py, || self.0.merge(&other.0))?))
    }

    fn fit(&self, py: Python<'_>, arguments: &Bound<'_, PyDict>) -> Result<MixedModel> {
        let request: frame::MixedRequest = request(arguments)?;
        let fitted = released(py, || frame::MixedModel::of_moments(&self.0, request.method, &|| interruptible(0, 0)))?;
        Ok(MixedModel(fitted))
    }

    #[getter]
    fn n_obs(&self) -> usize {
        self.0.n_obs()
    }

    #[getter]
    fn outcome(&self) -> String {
        self.0.outcome().to_owned()
    }

    #[getter]
    fn terms(&self) -> Vec<String> {
        self.0.terms().to_vec()
    }

    /// The factors, and how many units each has.
    fn factors(&self) -> Vec<(String, usize)> {
        let units = |level: usize| self.0.n_groups(level);
        self.0.labels().iter().enumerate().map(|(level, l)| (l.factor.clone(), units(level))).collect()
    }
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
    fn gradient(&self) -> f64 {
        self.0.fit().gradient
    }

    #[getter]
    fn route(&self) -> &'static str {
        self.0.fit().route.as_str()
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

    /// The difference between two units, by their rows among the effects, and its standard deviation.
    fn contrast(&self, py: Python<'_>, factor: &str, first: usize, second: usize) -> Result<(f64, f64)> {
        let found = released(py, || self.0.contrast(factor, first, second))?;
        Ok((found.difference, found.sd))
    }

    fn at(&self, theta: Vec<f64>) -> Result<Self> {
        Ok(Self(self.0.at(&theta)?))
    }
}
