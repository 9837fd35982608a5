//! Degrees of freedom of a fixed term, so that an error estimated from few groups is taken as such.

use faer::prelude::Solve;
use faer::{Mat, Side};

use super::fit::Fit;
use super::moments::Moments;
use crate::Result;

/// The step in log theta^2 of the differences.
const STEP: f64 = 1e-3;

impl Fit {
    /// Satterthwaite's degrees of freedom of a fixed term: 2 V^2 / Var(V) with V its squared standard error.
    ///
    /// With x = log theta^2 of the factors that have a variance, d(x) the profiled criterion and V(x) the squared error
    /// at x, the error variance sigma^2 is independent of x in the expansion at the optimum, so that
    /// 1/df = 1/(N - p) + g'H^-1 g, g = d log V/d x, H = d^2 d/d x^2 (for ML, N instead of N - p). A factor whose
    /// variance is zero counts as known. `None` where the criterion is not curved upwards.
    ///
    /// # Errors
    /// As [`Fit::at`]: the moments must be those of the fit.
    ///
    /// # Reference
    /// Satterthwaite (1946, Biometrics Bull. 2:110); Kuznetsova, Brockhoff & Christensen (2017, J. Stat. Softw. 82(13)).
    pub fn freedom(&self, moments: &Moments, term: usize) -> Result<Option<f64>> {
        let active: Vec<usize> = self.theta.iter().enumerate().filter(|(_, t)| **t > 0.0).map(|(k, _)| k).collect();
        let mut log_v = Vec::with_capacity(active.len());
        let mut hessian = Mat::<f64>::zeros(active.len(), active.len());
        for (column, &level) in active.iter().enumerate() {
            let (high, low) = (self.moved(level, STEP), self.moved(level, -STEP));
            let v = |theta: &[f64]| -> Result<f64> {
                let at = Self::at(moments, theta, self.method)?;
                Ok(2.0 * at.se.get(term).copied().unwrap_or(f64::NAN).ln())
            };
            log_v.push((v(&high)? - v(&low)?) / (2.0 * STEP));
            let slope = |theta: &[f64]| -> Result<Vec<f64>> {
                let (_, slope) = Self::gradient_at(moments, theta, self.method)?;
                // By log t instead of t.
                Ok(slope.iter().zip(theta).map(|(s, t)| s * t * t).collect())
            };
            let (above, below) = (slope(&high)?, slope(&low)?);
            for (row, &other) in active.iter().enumerate() {
                let at = |s: &[f64]| s.get(other).copied().unwrap_or(f64::NAN);
                hessian[(row, column)] = (at(&above) - at(&below)) / (2.0 * STEP);
            }
        }
        let taken = match self.method {
            super::Method::Reml => self.terms.len(),
            super::Method::Ml => 0,
        };
        let from_sigma = 1.0 / (self.n_obs - taken) as f64;
        if active.is_empty() {
            return Ok(Some(1.0 / from_sigma));
        }
        let g = Mat::from_fn(active.len(), 1, |i, _| log_v.get(i).copied().unwrap_or(f64::NAN));
        let symmetric =
            Mat::from_fn(active.len(), active.len(), |i, j| f64::midpoint(hessian[(i, j)], hessian[(j, i)]));
        let Ok(factor) = symmetric.llt(Side::Lower) else { return Ok(None) };
        let solved = factor.solve(&g);
        let from_theta: f64 = (0..active.len()).map(|i| g[(i, 0)] * solved[(i, 0)]).sum();
        let df = 1.0 / (from_sigma + from_theta);
        Ok((df.is_finite() && df > 0.0).then_some(df))
    }

    /// Theta with log theta^2 of one factor moved.
    fn moved(&self, level: usize, step: f64) -> Vec<f64> {
        let factor = (0.5 * step).exp();
        self.theta.iter().enumerate().map(|(k, t)| if k == level { t * factor } else { *t }).collect()
    }
}
