//! Data sets that are made here.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3_polars::PyDataFrame;

use crate::errors::Result;
use crate::work::released;

/// The synthetic district of a seed: its tables by name.
#[pyfunction]
pub(crate) fn district(py: Python<'_>, seed: u64) -> Result<HashMap<&'static str, PyDataFrame>> {
    let frames = released(py, || brightspot::synthetic::district(seed)?.frames())?;
    Ok(frames.into_iter().map(|(name, frame)| (name, PyDataFrame(frame))).collect())
}
