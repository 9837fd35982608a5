//! The criterion of one factor from its units by size: units of one weight enter it alike, however many there are.
//!
//! V^-1 knows a unit only by its weight a, in d = 1 + t a; so M = A'WA - sum over sizes of (t/d) Q, Q the sum of S S' over
//! the units of that size. An evaluation costs as much as there are sizes, and rounds as little.

use super::criterion::{Evaluation, Part, Problem, add_scaled, rank_one, take_means};
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
                rank_one(&mut size.squares, unit, 1.0);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mixed::{Design, Moments};

    #[test]
    fn sizes_say_what_the_units_say() {
        let y: Vec<f64> = (0..90).map(|i| f64::from(i * 37 % 41) + f64::from(i % 13)).collect();
        let even: Vec<u32> = (0..90).map(|i| i % 30).collect();
        // One row, two, three and so on.
        let uneven: Vec<u32> = (0..13).flat_map(|k| std::iter::repeat_n(k, k as usize + 1)).take(90).collect();
        for (codes, is_worth_it) in [(even, true), (uneven, false)] {
            let moments = Moments::new(&Design::new(90, &[]).unwrap(), &y, &[&codes]).unwrap();
            let problem = Problem::new(&moments).unwrap();
            let part = &problem.parts[0];
            let sizes = Sizes::new(part, problem.width());
            assert_eq!(sizes.is_some(), is_worth_it);
            for (sizes, t) in sizes.iter().flat_map(|s| [0.0, 0.01, 1.0, 1e4].map(|t| (s, t))) {
                let upward = part.ascend(&problem.gram, &[t]);
                let (units, point) = (
                    problem.profile(&upward.m, upward.log_det, Method::Reml).unwrap(),
                    sizes.evaluate(&problem, t, Method::Reml).unwrap(),
                );
                assert!((units.deviance - point.deviance).abs() < 1e-10 * units.deviance.abs(), "{t}");
                let mut both = (0.0, vec![0.0; 4]);
                part.descend(&upward, &[t], |step| {
                    both.0 += step.h;
                    rank_one(&mut both.1, step.u, 1.0);
                });
                let (slope, expected) =
                    (sizes.gradient(&problem, t, Method::Reml).unwrap().1, units.slope(both.0, &both.1, Method::Reml));
                assert!((slope - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{t}: {slope} {expected}");
            }
        }
    }
}
