//! The square root of the covariance of intercept and slopes: what is searched, and how it is told.

use faer::Mat;

use super::SlopeCovariance;
use super::criterion::{Evaluation, Problem};
use crate::{Error, Result};

/// The matrices whose combinations are the square roots that are searched.
pub(super) fn generators(problem: &Problem, structure: SlopeCovariance) -> Vec<Mat<f64>> {
    let k = problem.n_slopes();
    let unit = |i: usize, j: usize| Mat::from_fn(k, k, |r, c| f64::from(u8::from((r, c) == (i, j))));
    match structure {
        SlopeCovariance::Correlated => {
            (0..k).flat_map(|j| (j..k).map(move |i| (i, j))).map(|(i, j)| unit(i, j)).collect()
        }
        // Uncorrelated where the covariates are 0, not where this basis has its 0.
        SlopeCovariance::Uncorrelated => {
            (0..k).map(|j| &problem.into * unit(j, j) * (1.0 / problem.into[(j, j)])).collect()
        }
    }
}

pub(super) fn combine(generators: &[Mat<f64>], phi: &[f64]) -> Mat<f64> {
    let k = generators.first().map_or(0, Mat::nrows);
    generators.iter().zip(phi).fold(Mat::zeros(k, k), |sum, (e, &phi)| sum + e * phi)
}

/// d dev/d phi = 2 (Gamma Lambda) : E.
pub(super) fn slope(generators: &[Mat<f64>], lambda: &Mat<f64>, point: &Evaluation) -> Vec<f64> {
    let by = &point.gamma * lambda;
    let k = by.nrows();
    let inner = |e: &Mat<f64>| (0..k).map(|i| (0..k).map(|j| by[(i, j)] * e[(i, j)]).sum::<f64>()).sum::<f64>();
    generators.iter().map(|e| 2.0 * inner(e)).collect()
}

/// The lower triangular root L with L L' = R R', its diagonal not negative: Gram-Schmidt on the rows of R, twice.
pub(super) fn lower_triangular(root: &Mat<f64>) -> Mat<f64> {
    let k = root.nrows();
    let mut directions: Vec<Mat<f64>> = vec![];
    let mut lower = Mat::zeros(k, k);
    for i in 0..k {
        let mut rest = Mat::from_fn(1, k, |_, j| root[(i, j)]);
        let whole = rest.norm_l2();
        for _ in 0..2 {
            for (j, direction) in directions.iter().enumerate() {
                let along = (&rest * direction.transpose())[(0, 0)];
                lower[(i, j)] += along;
                rest -= along * direction;
            }
        }
        let length = rest.norm_l2();
        if length > 1e-12 * whole && length > 0.0 {
            lower[(i, i)] = length;
            directions.push(rest * (1.0 / length));
        } else {
            directions.push(Mat::zeros(1, k));
        }
    }
    lower
}

impl Problem {
    /// Lambda of a `theta` as given: for the covariates as they are, not in this basis.
    pub(super) fn given(&self, theta: &[f64], structure: SlopeCovariance) -> Result<Mat<f64>> {
        let k = self.n_slopes();
        let cells: Vec<(usize, usize)> = places(k, structure).collect();
        let is_possible = theta.len() == cells.len()
            && cells.iter().zip(theta).all(|((i, j), t)| t.is_finite() && (i != j || *t >= 0.0));
        if !is_possible {
            let allowed =
                format!("{} finite values, the lower triangle column by column, its diagonal >= 0", cells.len());
            return Err(Error::option("theta", format!("{theta:?}"), allowed));
        }
        let mut lambda = Mat::zeros(k, k);
        for (cell, &value) in cells.into_iter().zip(theta) {
            lambda[cell] = value;
        }
        Ok(lambda)
    }
}

/// Where the entries of theta stand.
pub(super) fn places(k: usize, structure: SlopeCovariance) -> impl Iterator<Item = (usize, usize)> {
    let is_full = structure == SlopeCovariance::Correlated;
    (0..k).flat_map(move |j| (j..k).map(move |i| (i, j))).filter(move |(i, j)| is_full || i == j)
}
