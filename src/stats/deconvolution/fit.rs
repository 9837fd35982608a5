//! The density that makes the estimates most likely, and those that the data tell from it least.

use faer::{Mat, Side, linalg::solvers::Solve};

use super::basis::{FUNCTIONS, Row};
use crate::{Error, Result};

/// What roughness costs: `PENALTY |a|`.
const PENALTY: f64 = 1.0;
const MOST_STEPS: usize = 200;
/// A step that promises less of a logarithm of the likelihood is the last.
const SETTLED: f64 = 1e-10;
/// No combination of functions is told less exactly than with this information: where the data say next to nothing of it, the
/// curvature at the maximum does not say how far one may go.
const LEAST_INFORMATION: f64 = 0.6;

/// The likelihood of each estimate (times how often it occurs) in each cell, and the functions in each cell.
pub(super) struct Problem {
    /// One row of `functions.len()` values for each estimate.
    pub(super) likelihood: Vec<f64>,
    pub(super) counts: Vec<f64>,
    pub(super) functions: Vec<Row>,
}

/// Coefficients of the functions, and how far each of five independent combinations may be off (one standard deviation).
pub(super) struct Fitted {
    pub(super) at: Row,
    pub(super) off: [Row; FUNCTIONS],
    pub(super) log_likelihood: f64,
}

/// Value, gradient and curvature of the penalised likelihood, to be minimised.
struct Point {
    value: f64,
    log_likelihood: f64,
    gradient: Row,
    curvature: [Row; FUNCTIONS],
}

impl Problem {
    /// The share of each cell: `exp(q'a)` over its sum.
    pub(super) fn shares(&self, at: &Row) -> Vec<f64> {
        let logs: Vec<f64> = self.functions.iter().map(|row| dot(row, at)).collect();
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
        let all: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / all).collect()
    }

    /// The logarithm of an estimate's likelihood, less a constant, has the gradient `E(q | estimate) - E(q)` and the
    /// curvature `Cov(q | estimate) - Cov(q)`: it is the ratio of two sums of exponentials.
    fn point(&self, at: &Row) -> Point {
        let shares = self.shares(at);
        let (mut log_likelihood, mut n) = (0.0, 0.0);
        let mut gradient: Row = [0.0; FUNCTIONS];
        let mut curvature = [[0.0; FUNCTIONS]; FUNCTIONS];
        let mut posterior = vec![0.0; shares.len()];
        for (likelihood, count) in self.likelihood.chunks_exact(shares.len()).zip(&self.counts) {
            let all: f64 = likelihood.iter().zip(&shares).map(|(l, g)| l * g).sum();
            log_likelihood += count * all.ln();
            n += count;
            let mut mean: Row = [0.0; FUNCTIONS];
            for (((l, g), row), total) in likelihood.iter().zip(&shares).zip(&self.functions).zip(&mut posterior) {
                let weight = l * g / all;
                *total += count * weight;
                for (mean, q) in mean.iter_mut().zip(row) {
                    *mean += weight * q;
                }
            }
            add_square(&mut curvature, &mean, *count);
            for (slope, mean) in gradient.iter_mut().zip(&mean) {
                *slope -= count * mean;
            }
        }
        let mut center: Row = [0.0; FUNCTIONS];
        for ((g, p), row) in shares.iter().zip(&posterior).zip(&self.functions) {
            add_square(&mut curvature, row, n * g - p);
            for (center, q) in center.iter_mut().zip(row) {
                *center += g * q;
            }
        }
        add_square(&mut curvature, &center, -n);
        for (slope, center) in gradient.iter_mut().zip(&center) {
            *slope += n * center;
        }
        let norm = dot(at, at).sqrt().max(f64::MIN_POSITIVE.sqrt());
        for (k, (slopes, slope)) in curvature.iter_mut().zip(&mut gradient).enumerate() {
            *slope += PENALTY * at.get(k).unwrap_or(&0.0) / norm;
            for (l, value) in slopes.iter_mut().enumerate() {
                let along = at.get(k).zip(at.get(l)).map_or(0.0, |(a, b)| a * b / (norm * norm));
                *value += PENALTY / norm * (f64::from(u8::from(k == l)) - along);
            }
        }
        Point { value: PENALTY * norm - log_likelihood, log_likelihood, gradient, curvature }
    }

    /// Newton's steps, damped until each makes the estimates more likely (Levenberg 1944, Quart. Appl. Math. 2:164).
    pub(super) fn fit(&self, start: Row) -> Result<Fitted> {
        let mut at = start;
        let mut here = self.point(&at);
        let mut damping = 1e-3;
        for _ in 0..MOST_STEPS {
            let Some(step) = newton(&here, damping) else {
                damping *= 10.0;
                continue;
            };
            if dot(&step, &here.gradient).abs() < SETTLED {
                return Fitted::new(at, &here);
            }
            let next: Row = std::array::from_fn(|k| at.get(k).zip(step.get(k)).map_or(f64::NAN, |(a, s)| a - s));
            let there = self.point(&next);
            if there.value < here.value {
                (at, here) = (next, there);
                damping = f64::max(damping / 10.0, 1e-12);
            } else if damping > 1e12 {
                // Nothing but rounding is left to gain.
                return Fitted::new(at, &here);
            } else {
                damping *= 10.0;
            }
        }
        Fitted::new(at, &here)
    }
}

impl Fitted {
    fn new(at: Row, here: &Point) -> Result<Self> {
        let failed = |problem: &str| Error::Numerical { what: "the law of effects".into(), problem: problem.into() };
        if !here.value.is_finite() {
            return Err(failed("the likelihood of the estimates is not finite"));
        }
        let eigen = matrix(&here.curvature, 0.0)
            .self_adjoint_eigen(Side::Lower)
            .map_err(|_| failed("the eigenvalues of its information were not found"))?;
        let off = std::array::from_fn(|k| {
            let sd = eigen.S()[k].max(LEAST_INFORMATION).sqrt().recip();
            std::array::from_fn(|l| sd * eigen.U()[(l, k)])
        });
        Ok(Self { at, off, log_likelihood: here.log_likelihood })
    }
}

fn newton(point: &Point, damping: f64) -> Option<Row> {
    // In proportion to the information that there is, so that units decide nothing.
    let trace: f64 = (0..FUNCTIONS).filter_map(|k| point.curvature.get(k)?.get(k)).map(|v| v.abs()).sum();
    let factor = matrix(&point.curvature, damping * trace).llt(Side::Lower).ok()?;
    let solved = factor.solve(Mat::from_fn(FUNCTIONS, 1, |k, _| point.gradient.get(k).copied().unwrap_or(f64::NAN)));
    Some(std::array::from_fn(|k| solved[(k, 0)]))
}

fn matrix(values: &[Row; FUNCTIONS], added: f64) -> Mat<f64> {
    Mat::from_fn(FUNCTIONS, FUNCTIONS, |k, l| {
        let value = values.get(k).and_then(|row| row.get(l)).copied().unwrap_or(f64::NAN);
        if k == l { value + added } else { value }
    })
}

fn dot(a: &Row, b: &Row) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add_square(sums: &mut [Row; FUNCTIONS], row: &Row, weight: f64) {
    for (sums, a) in sums.iter_mut().zip(row) {
        for (sum, b) in sums.iter_mut().zip(row) {
            *sum += weight * a * b;
        }
    }
}
