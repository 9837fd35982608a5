//! The best linear prediction of a teacher's year from the others (appendix A, step 4; equation 6 of the paper).

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use super::classes::YearMean;
use super::{Lag, TeacherYear};

/// One row per teacher and year. Nothing is predicted from no other year, nor where teachers do not differ.
pub(super) fn predict(years: &[YearMean], lags: &[Lag]) -> Vec<TeacherYear> {
    years
        .chunk_by(|a, b| a.teacher == b.teacher)
        .flat_map(|own| {
            own.iter().enumerate().map(move |(place, target)| {
                let others: Vec<YearMean> =
                    own.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, year)| *year).collect();
                let found = from_others(target.year, &others, lags);
                TeacherYear {
                    teacher: target.teacher,
                    year: target.year,
                    n: whole(target.n),
                    mean: target.mean,
                    prediction: found.map(|(value, _)| value),
                    sd: found.map(|(_, variance)| variance.max(0.0).sqrt()),
                    n_years: others.len(),
                }
            })
        })
        .collect()
}

/// psi = Sigma^-1 gamma; the prediction psi'A and the variance `sigma_A0 - gamma'psi` that remains.
fn from_others(target: i64, others: &[YearMean], lags: &[Lag]) -> Option<(f64, f64)> {
    let covariance = |a: i64, b: i64| {
        let lag = usize::try_from(a.abs_diff(b)).unwrap_or(usize::MAX);
        lags.get(lag).or(lags.last()).map_or(0.0, |lag| lag.covariance)
    };
    let own = covariance(target, target);
    if others.is_empty() || own <= 0.0 {
        return None;
    }
    let n = others.len();
    let mut sigma = Mat::<f64>::zeros(n, n);
    for (i, a) in others.iter().enumerate() {
        for (j, b) in others.iter().enumerate() {
            sigma[(i, j)] = covariance(a.year, b.year) + if i == j { 1.0 / a.weight } else { 0.0 };
        }
    }
    let gamma: Vec<f64> = others.iter().map(|year| covariance(target, year.year)).collect();
    let right = Mat::from_fn(n, 1, |i, _| gamma.get(i).copied().unwrap_or(0.0));
    let psi = sigma.llt(Side::Lower).ok()?.solve(&right);
    let psi = psi.col(0);
    let value = psi.iter().zip(others).map(|(weight, year)| weight * year.mean).sum();
    let explained: f64 = psi.iter().zip(&gamma).map(|(weight, gamma)| weight * gamma).sum();
    Some((value, own - explained))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A count of rows, kept as a float.
fn whole(n: f64) -> usize {
    n as usize
}
