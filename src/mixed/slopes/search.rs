//! The search for the covariance of intercept and slopes.

use faer::{Mat, Side};

use super::SlopeCovariance;
use super::criterion::Problem;
use super::root::{combine, lower_triangular};
use crate::mixed::Method;
use crate::mixed::minimise::{Limits, Minimum, Point, minimise};

/// A direction in which the criterion falls by less than this share of what the data say about it is flat.
const FLAT: f64 = 1e-6;
const LIMITS: Limits = Limits { longest_step: 1.0, difference: 1e-5, smallest_decrease: 1e-8 };

/// Where the search starts: standard deviation ratios of the intercept, and of slopes for a covariate of unit spread.
const STARTS: ([f64; 5], [f64; 4]) = ([0.05, 0.2, 0.5, 1.0, 2.5], [0.02, 0.1, 0.3, 0.8]);

/// From the best point of a coarse grid; on from there while the criterion falls where the covariance is zero.
pub(super) fn search(
    problem: &Problem,
    structure: SlopeCovariance,
    generators: &[Mat<f64>],
    method: Method,
    f: &mut dyn FnMut(&[f64]) -> Point,
) -> Option<Minimum> {
    let k = problem.n_slopes();
    let place = |i: usize| match structure {
        SlopeCovariance::Correlated => i * k - i * i.saturating_sub(1) / 2,
        SlopeCovariance::Uncorrelated => i,
    };
    let mut best: Option<(f64, Vec<f64>)> = None;
    for first in STARTS.0 {
        for other in STARTS.1 {
            let mut phi = vec![0.0; generators.len()];
            for i in 0..k {
                if let Some(cell) = phi.get_mut(place(i)) {
                    *cell = if i == 0 { first } else { other };
                }
            }
            if let Some((value, _)) = f(&phi)
                && best.as_ref().is_none_or(|(lowest, _)| value < *lowest)
            {
                best = Some((value, phi));
            }
        }
    }
    let mut found = minimise(f, &best?.1, None, LIMITS)?;
    for _ in 0..2 * k {
        let Some(start) = downhill(problem, structure, generators, method, &found) else { return Some(found) };
        let next = minimise(f, &start, None, LIMITS)?;
        if next.value >= found.value - 1e-12 * found.value.abs() {
            return Some(found);
        }
        found = next;
    }
    found.has_converged = false;
    Some(found)
}

/// A point from which the criterion falls into a direction in which the covariance is zero, if there is one.
fn downhill(
    problem: &Problem,
    structure: SlopeCovariance,
    generators: &[Mat<f64>],
    method: Method,
    found: &Minimum,
) -> Option<Vec<f64>> {
    let k = problem.n_slopes();
    let lambda = combine(generators, &found.x);
    let point = problem.evaluate(&lambda, method).ok()?;
    // Rows of an average unit: what a variance of 1 would add to the information.
    let size = problem.n_obs;
    match structure {
        SlopeCovariance::Uncorrelated => {
            let by = problem.into.transpose() * &point.gamma * &problem.into;
            let worst = (0..k).min_by(|&a, &b| {
                let scaled = |i: usize| by[(i, i)] / (problem.into[(i, i)] * problem.into[(i, i)]);
                scaled(a).total_cmp(&scaled(b))
            })?;
            let mut start = found.x.clone();
            let cell = start.get_mut(worst)?;
            let falls =
                by[(worst, worst)] / (problem.into[(worst, worst)] * problem.into[(worst, worst)]) < -FLAT * size;
            (falls && cell.abs() < 1e-3).then(|| *cell = 1e-2)?;
            Some(start)
        }
        SlopeCovariance::Correlated => {
            // Directions in which nothing differs; in all others Gamma vanishes with the gradient.
            let svd = lambda.svd().ok()?;
            let none: Vec<usize> = (0..k).filter(|i| svd.S()[*i] < 1e-3).collect();
            if none.is_empty() {
                return None;
            }
            let axes = Mat::from_fn(k, none.len(), |i, j| none.get(j).map_or(0.0, |&n| svd.U()[(i, n)]));
            let eigen = (axes.transpose() * &point.gamma * &axes).self_adjoint_eigen(Side::Lower).ok()?;
            if eigen.S()[0] > -FLAT * size {
                return None;
            }
            let falls = &axes * Mat::from_fn(none.len(), 1, |i, _| eigen.U()[(i, 0)]);
            let s = &lambda * lambda.transpose();
            let step = Mat::from_fn(k, k, |i, j| s[(i, j)] + 1e-4 * falls[(i, 0)] * falls[(j, 0)]);
            let eigen = step.self_adjoint_eigen(Side::Lower).ok()?;
            let root = Mat::from_fn(k, k, |i, j| eigen.U()[(i, j)] * eigen.S()[j].max(0.0).sqrt());
            let lower = lower_triangular(&root);
            Some((0..k).flat_map(|j| (j..k).map(move |i| (i, j))).map(|(i, j)| lower[(i, j)]).collect())
        }
    }
}
