//! The criterion of one factor from its units by size: units of one weight enter it alike, however many there are.
//!
//! V^-1 knows a unit only by its weight a, in d = 1 + t a; so M = A'WA - sum over sizes of (t/d) Q, Q the sum of S S' over
//! the units of that size. An evaluation costs as much as there are sizes, and rounds as little.

use super::criterion::{Evaluation, Part, Problem, add_scaled, take_means};
use super::fit::Method;
use crate::Result;

/// More sizes than this share of the units are not worth their cross products.
const MOST_SIZES: f64 = 0.25;

/// What the units of every size add up to.
pub(super) struct Sizes {
    width: usize,
    sizes: Vec<Size>,
}

/// The units of one weight.
#[derive(Debug, Clone, Default)]
struct Size {
    weight: f64,
    n_units: f64,
    /// The sum of S, which begins with the weight of the rows of all of them.
    sums: Vec<f64>,
    /// The sum of S S', row by row.
    squares: Vec<f64>,
}

impl Sizes {
    /// The units of a part with one level; `None` where nearly each is of a size of its own.
    pub(super) fn new(part: &Part, width: usize) -> Option<Self> {
        let mut weights: Vec<f64> = part.sums.iter().step_by(width).copied().collect();
        let n_units = weights.len();
        weights.sort_unstable_by(f64::total_cmp);
        weights.dedup();
        if weights.len() as f64 > MOST_SIZES * n_units as f64 {
            return None;
        }
        let size =
            |&weight: &f64| Size { weight, n_units: 0.0, sums: vec![0.0; width], squares: vec![0.0; width * width] };
        let mut sizes: Vec<Size> = weights.iter().map(size).collect();
        for unit in part.sums.chunks_exact(width) {
            let own = unit.first().copied().unwrap_or(0.0);
            if let Some(size) = sizes.get_mut(weights.partition_point(|w| *w < own)) {
                size.n_units += 1.0;
                size.sums.iter_mut().zip(unit).for_each(|(sum, value)| *sum += value);
                super::criterion::rank_one(&mut size.squares, unit, 1.0);
            }
        }
        Some(Self { width, sizes })
    }

    /// The criterion at t.
    pub(super) fn evaluate(&self, problem: &Problem, t: f64, method: Method) -> Result<Evaluation> {
        let mut m = problem.gram.clone();
        let mut means = vec![0.0; self.width];
        let mut log_det = 0.0;
        for size in &self.sizes {
            let d = 1.0 + t * size.weight;
            log_det += size.n_units * d.ln();
            add_scaled(&mut m, &size.squares, -t / d);
            add_scaled(&mut means, &size.sums, 1.0 / d);
        }
        take_means(&mut m, &means);
        problem.profile(&m, log_det, method)
    }

    /// The criterion at t and its derivative by t.
    pub(super) fn gradient(&self, problem: &Problem, t: f64, method: Method) -> Result<(f64, f64)> {
        let point = self.evaluate(problem, t, method)?;
        let (mut h, mut q) = (0.0, vec![0.0; self.width * self.width]);
        for size in &self.sizes {
            let d = 1.0 + t * size.weight;
            h += size.n_units * size.weight / d;
            add_scaled(&mut q, &size.squares, 1.0 / (d * d));
        }
        Ok((point.deviance, point.slope(h, &q, method)))
    }
}
