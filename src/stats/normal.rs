//! The normal distribution, and quadrature against it.

use faer::{Mat, Side};
use statrs::function::erf;

use crate::{Error, Result};

/// P(Z <= z), to ten significant digits in both tails (what the error function beneath gives); NaN for NaN.
///
/// ```
/// use brightspot::stats::normal::cdf;
/// assert!((cdf(1.959_963_984_540_054) - 0.975).abs() < 1e-10);
/// ```
pub fn cdf(z: f64) -> f64 {
    if z.is_nan() { f64::NAN } else { 0.5 * erf::erfc(-z * std::f64::consts::FRAC_1_SQRT_2) }
}

/// The density at z.
pub fn density(z: f64) -> f64 {
    const ROOT: f64 = 0.398_942_280_401_432_7;
    ROOT * (-0.5 * z * z).exp()
}

/// The z with P(Z <= z) = `p`; infinite at 0 and 1, NaN outside.
pub fn quantile(p: f64) -> f64 {
    if (0.0..=1.0).contains(&p) { -std::f64::consts::SQRT_2 * erf::erfc_inv(2.0 * p) } else { f64::NAN }
}

/// P(X > threshold) for X normal with `mean` and `sd`; with `sd` 0 the mean itself decides.
///
/// ```
/// use brightspot::stats::normal::prob_exceeds;
/// assert_eq!(prob_exceeds(0.0, 0.0, 0.1), 0.0);
/// assert!((prob_exceeds(2.0, 1.0, 2.0) - 0.5).abs() < 1e-15);
/// ```
pub fn prob_exceeds(mean: f64, sd: f64, threshold: f64) -> f64 {
    if sd > 0.0 { cdf((mean - threshold) / sd) } else { f64::from(u8::from(mean > threshold)) }
}

/// The nodes and weights with which sum w f(x) is E f(Z), exactly for polynomials of degree up to 2 n - 1.
///
/// Golub & Welsch (1969, Math. Comp. 23:221): the nodes are the eigenvalues of the matrix of the Hermite recurrence.
///
/// # Errors
/// [`Error::Numerical`] if the eigenvalues cannot be computed.
pub fn gauss_hermite(n: usize) -> Result<Vec<(f64, f64)>> {
    let recurrence = Mat::from_fn(n, n, |i, j| if i.abs_diff(j) == 1 { (i.max(j) as f64).sqrt() } else { 0.0 });
    let eigen = recurrence.self_adjoint_eigen(Side::Lower).map_err(|_| Error::Numerical {
        what: "the nodes of Gauss and Hermite".into(),
        problem: format!("the eigenvalues for {n} nodes were not found"),
    })?;
    Ok((0..n).map(|k| (eigen.S()[k], eigen.U()[(0, k)] * eigen.U()[(0, k)])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails() {
        // Abramowitz & Stegun (1964), table 26.2: Q(6) = 9.8659e-10; R: pnorm(-10) = 7.619853e-24.
        assert!((cdf(-6.0) / 9.865_876_45e-10 - 1.0).abs() < 1e-8);
        assert!((cdf(-10.0) / 7.619_853_024_160_5e-24 - 1.0).abs() < 1e-10);
        assert!((quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((quantile(0.5)).abs() < 1e-15);
        assert!(cdf(f64::NAN).is_nan() && quantile(-0.1).is_nan());
    }

    #[test]
    fn quadrature_gives_moments() {
        // E Z^2k = (2k - 1)!!.
        let nodes = gauss_hermite(21).unwrap();
        let moment = |k: i32| nodes.iter().map(|(x, w)| w * x.powi(k)).sum::<f64>();
        for (k, expected) in [(0, 1.0), (1, 0.0), (2, 1.0), (4, 3.0), (6, 15.0), (8, 105.0), (20, 654_729_075.0)] {
            assert!((moment(k) - expected).abs() < 1e-9 * (1.0 + expected), "{k}: {}", moment(k));
        }
    }
}
