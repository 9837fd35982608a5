//! Square matrices that one evaluation after another works in: a dense factor takes tens of megabytes, which are neither
//! asked for, nor cleared, nor given back more than once in a search.

use std::sync::{Mutex, PoisonError};

use faer::Mat;

/// Matrices of one size that nobody uses: zeros above the diagonal, anything else below.
#[derive(Debug, Default)]
pub(super) struct Spare(Mutex<Vec<Mat<f64>>>);

impl Spare {
    pub(super) fn take(&self, size: usize) -> Mat<f64> {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        left.unwrap_or_else(|| Mat::zeros(size, size))
    }

    /// For the next one who takes.
    pub(super) fn put(&self, matrix: Mat<f64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(matrix);
    }
}
