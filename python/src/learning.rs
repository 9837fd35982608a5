//! What a team learns from its cycles: how good its predictions are, and how large the next test should be.

use brightspot::cycle::{Belief, Cycle, FailureCost, Forecasts, Outlook, Readiness, Steps, Study};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::cycles::{from_python, to_python};
use crate::errors::{Result, request};
use crate::work::released;

type Object<'py> = Bound<'py, PyAny>;

/// Hold the beliefs of studies, each with a name, against what came.
#[pyfunction]
pub(crate) fn calibration<'py>(py: Python<'py>, studies: Vec<(String, Object<'py>)>) -> Result<Object<'py>> {
    let studies: Vec<(String, Study)> =
        studies.iter().map(|(name, study)| Ok((name.clone(), from_python(study)?))).collect::<Result<_>>()?;
    let of = || Forecasts::of_studies(studies.iter().map(|(name, study)| (name.as_str(), study)));
    to_python(py, &released(py, || brightspot::cycle::calibration(of()))?)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RampRequest {
    of: String,
    steps: Vec<u32>,
    n_places: Option<u32>,
    outlook: Option<Outlook>,
}

/// The chain of cycles that one of them belongs to, and the next step.
#[pyfunction]
pub(crate) fn ramp<'py>(
    py: Python<'py>,
    cycles: Vec<Object<'py>>,
    arguments: &Bound<'_, PyDict>,
) -> Result<Object<'py>> {
    let cycles: Vec<Cycle> = cycles.iter().map(from_python).collect::<Result<_>>()?;
    let asked: RampRequest = request(arguments)?;
    let found = released(py, || {
        let steps = Steps::new(&asked.steps)?;
        brightspot::cycle::ramp(&cycles, &asked.of, &steps, asked.n_places, asked.outlook)
    })?;
    to_python(py, &found)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    belief: Belief,
    cost_of_failure: FailureCost,
    readiness: Readiness,
}

/// How large a test should be.
#[pyfunction]
pub(crate) fn size_of_test(arguments: &Bound<'_, PyDict>) -> Result<&'static str> {
    let situation: Situation = request(arguments)?;
    Ok(brightspot::cycle::size_of_test(situation.belief, situation.cost_of_failure, situation.readiness).as_str())
}
