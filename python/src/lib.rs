//! The Python binding.
use pyo3::prelude::*;
use pyo3_polars::PyDataFrame;

/// The compiled part of brightspot.
#[pymodule]
mod _core {
    use super::*;

    /// Height.
    #[pyfunction]
    fn height(frame: PyDataFrame) -> usize {
        frame.0.height()
    }
}
