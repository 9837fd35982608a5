//! What the fit says about every unit.

use faer::Mat;

use super::criterion::{Evaluation, Problem, Unit};
use super::moments::SlopeMoments;

/// What one unit's intercept and slopes are.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SlopeEffect {
    /// The code of the unit.
    pub code: u32,
    /// Rows in the unit.
    pub n: f64,
    /// The predicted deviations from the fixed part, in the order of the fit's columns.
    pub effect: Vec<f64>,
    /// Their conditional covariance, beta taken as known (lme4's `condVar`), row by row.
    pub conditional: Vec<Vec<f64>>,
    /// The covariance of their prediction errors, beta estimated (Henderson 1975), row by row.
    pub error: Vec<Vec<f64>>,
    /// 1 - error variance / variance between the units, within \[0, 1\]; 0 where that variance is zero.
    pub reliability: Vec<f64>,
}

impl SlopeEffect {
    /// The conditional standard deviation of every column.
    pub fn sd_conditional(&self) -> Vec<f64> {
        roots(&self.conditional)
    }

    /// The standard deviation of every column's prediction error.
    pub fn sd(&self) -> Vec<f64> {
        roots(&self.error)
    }

    /// What the unit adds for rows with these covariates (`1` first), and the standard deviation of its error.
    pub fn at(&self, z: &[f64]) -> (f64, f64) {
        let sum = |values: &[f64]| values.iter().zip(z).map(|(v, z)| v * z).sum::<f64>();
        let variance: f64 = self.error.iter().zip(z).map(|(row, z)| z * sum(row)).sum();
        (sum(&self.effect), variance.max(0.0).sqrt())
    }
}

pub(super) fn roots(matrix: &[Vec<f64>]) -> Vec<f64> {
    matrix.iter().enumerate().map(|(i, row)| row.get(i).copied().unwrap_or(f64::NAN).max(0.0).sqrt()).collect()
}

pub(super) fn rows(matrix: &Mat<f64>) -> Vec<Vec<f64>> {
    (0..matrix.nrows()).map(|i| (0..matrix.ncols()).map(|j| matrix[(i, j)]).collect()).collect()
}

/// b = Lambda U^-1 Lambda' (Z'y - Z'X beta); conditional covariance sigma^2 Lambda U^-1 Lambda'; the prediction error adds
/// C Var(beta) C', C = Lambda U^-1 Lambda' Z'X.
pub(super) fn effects(
    moments: &SlopeMoments,
    problem: &Problem,
    lambda: &Mat<f64>,
    point: &Evaluation,
    fixed: &Mat<f64>,
    sds: &[f64],
) -> Vec<SlopeEffect> {
    let (k, width) = (problem.n_slopes(), problem.width());
    let p = width - 1;
    let mut unit = Unit::new(lambda, width);
    let beta = Mat::from_fn(p, 1, |i, _| point.beta.get(i).copied().unwrap_or(f64::NAN));
    let one = |(&code, (g, b)): (&u32, (&[f64], &[f64]))| {
        unit.eliminate(g, b);
        let root = &problem.back * unit.root();
        let cell = |i: usize, j: usize| unit.r.get(i * width + j).copied().unwrap_or(f64::NAN);
        let x = Mat::from_fn(k, p, cell);
        let y = Mat::from_fn(k, 1, |i, _| cell(i, p));
        let c = &root * &x;
        let effect = &root * y - &c * &beta;
        let conditional = &root * root.transpose() * point.sigma2;
        let error = &conditional + &c * fixed * c.transpose();
        let reliability = sds
            .iter()
            .enumerate()
            .map(|(i, sd)| if *sd > 0.0 { (1.0 - error[(i, i)] / (sd * sd)).clamp(0.0, 1.0) } else { 0.0 });
        SlopeEffect {
            code,
            n: g.first().copied().unwrap_or(0.0),
            effect: (0..k).map(|i| effect[(i, 0)]).collect(),
            reliability: reliability.collect(),
            conditional: rows(&conditional),
            error: rows(&error),
        }
    };
    moments.codes.iter().zip(problem.units()).map(one).collect()
}
