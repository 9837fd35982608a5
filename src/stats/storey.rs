//! q-values: false discovery rates that estimate how many hypotheses are true.

use faer::{Mat, Side};

use super::multiplicity::{Adjustment, adjust};
use crate::{Error, Result};

/// How the share of true hypotheses is estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NullShare {
    /// From the p-values above one cut, within (0, 1).
    Above(f64),
    /// From cuts at .05, .10 ... .95, smoothed by a cubic spline of three degrees of freedom and read at .95.
    Smoothed,
}

/// q-values and the share of true hypotheses behind them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QValues {
    /// In the order of the input; NaN stays.
    pub q: Vec<f64>,
    /// The estimated share of true hypotheses, within (0, 1\].
    pub null_share: f64,
}

/// q = `pi_0` times the Benjamini-Hochberg value, with `pi_0`(lambda) = #{p >= lambda} / (m (1 - lambda)).
///
/// Where the smoothed share is not positive (few hypotheses, many small p-values) it is taken as 1, which is careful.
///
/// # Errors
/// [`Error::InvalidValue`] for a p-value outside \[0, 1\]; [`Error::InvalidOption`] for a cut outside (0, 1).
///
/// # Reference
/// Storey (2002, JRSS B 64:479); Storey & Tibshirani (2003, PNAS 100:9440) for the spline.
///
/// ```
/// use brightspot::stats::storey::{NullShare, q_values};
/// let found = q_values(&[0.001, 0.01, 0.02, 0.6], NullShare::Above(0.5))?;
/// // One of four lies above .5: pi_0 = 1 / (4 * .5).
/// assert_eq!(found.null_share, 0.5);
/// assert!((found.q[0] - 0.002).abs() < 1e-15);
/// # Ok::<(), brightspot::Error>(())
/// ```
pub fn q_values(p: &[f64], how: NullShare) -> Result<QValues> {
    let adjusted = adjust(p, Adjustment::BenjaminiHochberg)?;
    let m = p.iter().filter(|p| !p.is_nan()).count() as f64;
    let above = |cut: f64| p.iter().filter(|p| **p >= cut).count() as f64 / (m * (1.0 - cut));
    let estimate = match how {
        NullShare::Above(cut) if cut > 0.0 && cut < 1.0 => above(cut),
        NullShare::Above(cut) => return Err(Error::option("cut", cut, "between 0 and 1, such as 0.5")),
        NullShare::Smoothed => {
            let cuts: Vec<f64> = (1..20).map(|i| f64::from(i) / 20.0).collect();
            let shares: Vec<f64> = cuts.iter().map(|cut| above(*cut)).collect();
            smoothed(&cuts, &shares, 3.0)?.last().copied().unwrap_or(1.0)
        }
    };
    let null_share = if estimate > 0.0 && m > 0.0 { estimate.min(1.0) } else { 1.0 };
    Ok(QValues { q: adjusted.iter().map(|q| q * null_share).collect(), null_share })
}

/// The cubic smoothing spline with a given trace of its hat matrix, at its own points.
///
/// f minimises `sum (y - f)^2 + lambda * integral f''^2`: f = (I + lambda K)^-1 y with K = Q R^-1 Q' (Green & Silverman
/// 1994, Nonparametric Regression and Generalized Linear Models, sec. 2.3.3).
fn smoothed(x: &[f64], y: &[f64], freedom: f64) -> Result<Vec<f64>> {
    let n = x.len();
    let at = |i: usize| x.get(i).copied().unwrap_or(f64::NAN);
    let gap = |i: usize| at(i + 1) - at(i);
    let q = Mat::from_fn(n, n - 2, |i, j| match i.wrapping_sub(j) {
        0 => 1.0 / gap(j),
        1 => -1.0 / gap(j) - 1.0 / gap(j + 1),
        2 => 1.0 / gap(j + 1),
        _ => 0.0,
    });
    let r = Mat::from_fn(n - 2, n - 2, |i, j| match i.abs_diff(j) {
        0 => (gap(j) + gap(j + 1)) / 3.0,
        1 => gap(i.max(j)) / 6.0,
        _ => 0.0,
    });
    let failed = || Error::Numerical { what: "the share of true hypotheses".into(), problem: "no spline".into() };
    let factor = r.llt(Side::Lower).map_err(|_| failed())?;
    let mut half = q.transpose().to_owned();
    faer::linalg::triangular_solve::solve_lower_triangular_in_place(factor.L(), half.as_mut(), faer::Par::Seq);
    let eigen = (half.transpose() * &half).self_adjoint_eigen(Side::Lower).map_err(|_| failed())?;
    // A straight line has no curvature: its two eigenvalues are 0 but for rounding.
    let roots: Vec<f64> = (0..n).map(|i| if i < 2 { 0.0 } else { eigen.S()[i].max(0.0) }).collect();
    let trace = |log: f64| roots.iter().map(|d| 1.0 / (1.0 + log.exp() * d)).sum::<f64>();
    let (mut low, mut high) = (-60.0, 60.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if trace(middle) > freedom {
            low = middle;
        } else {
            high = middle;
        }
    }
    let lambda = low.exp();
    let y = Mat::from_fn(n, 1, |i, _| y.get(i).copied().unwrap_or(f64::NAN));
    let turned = eigen.U().transpose() * &y;
    let shrunk = Mat::from_fn(n, 1, |i, _| turned[(i, 0)] / (1.0 + lambda * roots.get(i).copied().unwrap_or(0.0)));
    let fitted = eigen.U() * &shrunk;
    Ok((0..n).map(|i| fitted[(i, 0)]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_smooth_already() {
        let x: Vec<f64> = (0..19).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 2.0 - 0.1 * x).collect();
        for (a, b) in smoothed(&x, &y, 3.0).unwrap().iter().zip(&y) {
            assert!((a - b).abs() < 1e-9);
        }
    }

    #[test]
    #[allow(clippy::print_stdout)] // says that it was skipped
    fn the_reference_is_reproduced() {
        let path = std::env::var_os("BRIGHTSPOT_REFERENCE")
            .map(|folder| std::path::PathBuf::from(folder).join("bright-spots/padjust.csv"));
        let Some(text) = path.and_then(|p| std::fs::read_to_string(p).ok()) else {
            println!("skipped: BRIGHTSPOT_REFERENCE has no bright-spots/padjust.csv");
            return;
        };
        let rows: Vec<Vec<f64>> =
            text.lines().skip(1).map(|l| l.split(',').map(|v| v.parse().unwrap_or(f64::NAN)).collect()).collect();
        let p: Vec<f64> = rows.iter().map(|r| r[0]).collect();
        let cut = q_values(&p, NullShare::Above(0.5)).unwrap();
        assert!((cut.null_share - 0.604_878_048_780_488).abs() < 1e-14);
        let smooth = q_values(&p, NullShare::Smoothed).unwrap();
        // R searches the spline's smoothness until its degrees of freedom are near 3, not equal to it.
        assert!((smooth.null_share - 0.421_283_584_743_056).abs() < 1e-4, "{}", smooth.null_share);
        for ((cut, smooth), row) in cut.q.iter().zip(&smooth.q).zip(&rows) {
            assert!((cut - row[7]).abs() < 1e-14 || (cut.is_nan() && row[7].is_nan()), "{cut} {}", row[7]);
            assert!((smooth - row[8]).abs() < 1e-4 || (smooth.is_nan() && row[8].is_nan()), "{smooth} {}", row[8]);
        }
        assert!(rows.len() > 100);
    }
}
