//! Small dense algebra.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

/// The inverse of a positive definite matrix; `None` where it is not.
pub(super) fn inverse(m: &Mat<f64>) -> Option<Mat<f64>> {
    let n = m.nrows();
    if (0..n).any(|i| (0..n).any(|j| !m[(i, j)].is_finite())) {
        return None;
    }
    Some(m.llt(Side::Lower).ok()?.solve(&Mat::<f64>::identity(n, n)))
}
