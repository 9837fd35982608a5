//! A straight line through a series: what a drift looks like, beside which a step must stand.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::split::{centre, squares};
use crate::stats::step::{PHI_MAX, PHI_MIN};

/// The least-squares line of a series against time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    /// Per point.
    pub(super) slope: f64,
    /// Sum of squares about the line.
    pub(super) within: f64,
    /// Two-sided p of no slope, allowing for autocorrelation; 1 where it cannot be told.
    pub(super) p: f64,
}

impl Line {
    /// With x the time from its mean, Omega as in [`crate::stats::step::step`] and phi* from the residuals as there,
    /// SE^2 = SS/(n - 2 l) x'Omega x / (x'x)^2 with l = (1 + phi*)/(1 - phi*), compared with Student's t on
    /// n (1 - phi*^2)/(1 + phi*^2) - 2 degrees of freedom.
    pub(super) fn of(y: &[f64]) -> Self {
        let n = y.len() as f64;
        let (mean, middle) = (centre(y), (n - 1.0) / 2.0);
        let time = || (0_u32..).map(|index| f64::from(index) - middle);
        let cross: f64 = y.iter().zip(time()).map(|(value, x)| (value - mean) * x).sum();
        let spread = n * (n * n - 1.0) / 12.0;
        let slope = cross / spread;
        let within = (squares(y, mean) - cross * slope).max(0.0);
        let (mut lagged, mut previous) = (0.0, 0.0);
        for (value, x) in y.iter().zip(time()) {
            let residual = value - mean - slope * x;
            lagged += residual * previous;
            previous = residual;
        }
        let phi = ((n * lagged / within + 2.0) / (n - 4.0)).clamp(PHI_MIN, PHI_MAX);
        let (mut carried, mut quadratic) = (0.0, 0.0);
        for (_, x) in y.iter().zip(time()) {
            quadratic += x * (x + 2.0 * carried);
            carried = phi * (carried + x);
        }
        let long_run = (1.0 + phi) / (1.0 - phi);
        let se = (within / (n - 2.0 * long_run) * quadratic).sqrt() / spread;
        let df = n * (1.0 - phi * phi) / (1.0 + phi * phi) - 2.0;
        // Without residuals, or with too few points for so much autocorrelation, nothing is told; NaN fails too.
        let p = if se > 0.0 && df > 0.0 {
            StudentsT::new(0.0, 1.0, df).map_or(1.0, |law| 2.0 * law.sf((slope / se).abs()))
        } else {
            1.0
        };
        Self { slope, within, p }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_leaves_nothing_about_itself() {
        let y: Vec<f64> = (0..20).map(|i| 3.0 + 0.5 * f64::from(i)).collect();
        let line = Line::of(&y);
        assert!(line.within < 1e-10 && (line.slope - 0.5).abs() < 1e-12);
        // 0 0 1 1 about its line 0.4 t - 0.1: residuals .1 -.3 .3 -.1.
        let line = Line::of(&[0.0, 0.0, 1.0, 1.0]);
        assert!((line.within - 0.2).abs() < 1e-12 && (line.slope - 0.4).abs() < 1e-12);
    }

    #[test]
    fn the_error_of_the_slope_is_that_of_full_matrices() {
        let y: Vec<f64> = (0..30_u32).map(|i| f64::from(i * i % 7) + 0.05 * f64::from(i)).collect();
        let (n, line, mean) = (30.0, Line::of(&y), centre(&y));
        let x: Vec<f64> = (0..30).map(|i| f64::from(i) - 14.5).collect();
        let spread: f64 = x.iter().map(|x| x * x).sum();
        let residuals: Vec<f64> = y.iter().zip(&x).map(|(y, x)| y - mean - line.slope * x).collect();
        let ss: f64 = residuals.iter().map(|r| r * r).sum();
        assert!((ss - line.within).abs() < 1e-9);
        let lagged: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
        let phi: f64 = ((n * lagged / ss + 2.0) / (n - 4.0)).clamp(0.3, 0.9);
        let mut quadratic = 0.0;
        for (i, a) in x.iter().enumerate() {
            for (j, b) in x.iter().enumerate() {
                quadratic += a * b * phi.powf(i.abs_diff(j) as f64);
            }
        }
        let se = (ss / (n - 2.0 * (1.0 + phi) / (1.0 - phi)) * quadratic).sqrt() / spread;
        let law = StudentsT::new(0.0, 1.0, n * (1.0 - phi * phi) / (1.0 + phi * phi) - 2.0).unwrap();
        assert!((line.p - 2.0 * law.sf((line.slope / se).abs())).abs() < 1e-9);
    }
}
