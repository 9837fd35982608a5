//! Minimising a smooth function with its gradient: quasi-Newton steps (BFGS), the end checked by a Newton step.
//!
//! Nocedal & Wright (2006, Numerical Optimization, ch. 6): the update keeps the approximate Hessian positive definite;
//! the Hessian at the end comes from central differences of the gradient, so that a search that only stalled is seen.

use faer::{Mat, Side};

/// A value and its gradient; `None` where the function cannot be computed.
pub(super) type Point = Option<(f64, Vec<f64>)>;

/// The point found.
#[derive(Debug, Clone)]
pub(super) struct Minimum {
    pub(super) x: Vec<f64>,
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
    /// Second derivatives at `x`.
    pub(super) hessian: Mat<f64>,
    pub(super) has_converged: bool,
}

/// What stops a search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// No step is longer than this in any coordinate.
    pub(super) longest_step: f64,
    /// The distance over which gradients are differenced.
    pub(super) difference: f64,
    /// The predicted decrease at which the search ends.
    pub(super) smallest_decrease: f64,
}

const MOST_STEPS: usize = 200;
const MOST_ROUNDS: usize = 8;
/// A step must win this share of what it promised.
const ARMIJO: f64 = 1e-4;
/// Changes of the value below this share of it are rounding.
const ROUNDING: f64 = 1e-14;

/// Minimises from `start`; `hessian` is a first guess of the second derivatives (differences where none is given).
pub(super) fn minimise(
    f: &mut dyn FnMut(&[f64]) -> Point,
    start: &[f64],
    hessian: Option<Mat<f64>>,
    limits: Limits,
) -> Option<Minimum> {
    let mut x = start.to_vec();
    let (mut value, mut gradient) = f(&x)?;
    let mut hessian = match hessian {
        Some(hessian) => hessian,
        None => differences(f, &x, limits.difference)?,
    };
    let mut has_converged = false;
    for _ in 0..MOST_ROUNDS {
        descend(f, &mut x, &mut value, &mut gradient, &hessian, limits);
        // At the edge of where the function can be computed there is no end to be found.
        let Some(here) = differences(f, &x, limits.difference) else { break };
        hessian = here;
        let step = direction(&hessian, &gradient)?;
        let decrease = -dot(&step, &gradient);
        if decrease > limits.smallest_decrease {
            // The search stalled, or its Hessian was far off: once more from here.
            let from = value;
            advance(f, &mut x, &mut value, &mut gradient, &step, limits);
            if from - value > ROUNDING * value.abs() {
                continue;
            }
        } else {
            // Too small a step for the value to show, and still one that sharpens x.
            let last: Vec<f64> = x.iter().zip(&step).map(|(x, s)| x + s).collect();
            if let Some((there, slope)) = f(&last)
                && there <= value + ROUNDING * value.abs()
            {
                (x, value, gradient) = (last, there, slope);
            }
        }
        // Where no step wins anything any more, rounding decides how flat is flat.
        has_converged = decrease <= limits.smallest_decrease.max(1e-11 * value.abs());
        break;
    }
    Some(Minimum { x, value, gradient, hessian, has_converged })
}

/// BFGS steps until the predicted decrease is small or no step helps.
fn descend(
    f: &mut dyn FnMut(&[f64]) -> Point,
    x: &mut Vec<f64>,
    value: &mut f64,
    gradient: &mut Vec<f64>,
    hessian: &Mat<f64>,
    limits: Limits,
) {
    let n = x.len();
    let Some(mut hessian) = positive(hessian) else { return };
    for _ in 0..MOST_STEPS {
        let Some(step) = direction(&hessian, gradient) else { return };
        if -dot(&step, gradient) < limits.smallest_decrease {
            return;
        }
        let (from, slope) = (x.clone(), gradient.clone());
        if !advance(f, x, value, gradient, &step, limits) {
            return;
        }
        let s: Vec<f64> = x.iter().zip(&from).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = gradient.iter().zip(&slope).map(|(a, b)| a - b).collect();
        let (s, y) = (column(&s), column(&y));
        let hs = &hessian * &s;
        let (sy, shs) = ((s.transpose() * &y)[(0, 0)], (s.transpose() * &hs)[(0, 0)]);
        if sy > 1e-10 * shs && shs > 0.0 {
            hessian =
                Mat::from_fn(n, n, |i, j| hessian[(i, j)] + y[(i, 0)] * y[(j, 0)] / sy - hs[(i, 0)] * hs[(j, 0)] / shs);
        }
    }
}

/// Goes along a step, halved until it wins; false where none does.
fn advance(
    f: &mut dyn FnMut(&[f64]) -> Point,
    x: &mut Vec<f64>,
    value: &mut f64,
    gradient: &mut Vec<f64>,
    step: &[f64],
    limits: Limits,
) -> bool {
    let longest = step.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
    let mut share = if longest > limits.longest_step { limits.longest_step / longest } else { 1.0 };
    let decrease = -dot(step, gradient);
    for _ in 0..40 {
        let next: Vec<f64> = x.iter().zip(step).map(|(x, s)| x + share * s).collect();
        if let Some((there, slope)) = f(&next)
            && there <= *value - ARMIJO * share * decrease + ROUNDING * value.abs()
        {
            (*x, *value, *gradient) = (next, there, slope);
            return true;
        }
        share *= 0.5;
    }
    false
}

/// Second derivatives by central differences of the gradient.
pub(super) fn differences(f: &mut dyn FnMut(&[f64]) -> Point, x: &[f64], difference: f64) -> Option<Mat<f64>> {
    let n = x.len();
    let mut columns = Vec::with_capacity(n);
    for k in 0..n {
        let mut there = |by: f64| {
            let mut near = x.to_vec();
            if let Some(cell) = near.get_mut(k) {
                *cell += by;
            }
            f(&near).map(|(_, gradient)| gradient)
        };
        let (up, down) = (there(difference)?, there(-difference)?);
        columns.push(up.iter().zip(&down).map(|(a, b)| (a - b) / (2.0 * difference)).collect::<Vec<f64>>());
    }
    let cell = |i: usize, j: usize| columns.get(j).and_then(|c| c.get(i)).copied().unwrap_or(f64::NAN);
    Some(Mat::from_fn(n, n, |i, j| f64::midpoint(cell(i, j), cell(j, i))))
}

/// The Newton direction, downhill even where the Hessian is not positive definite.
pub(super) fn direction(hessian: &Mat<f64>, gradient: &[f64]) -> Option<Vec<f64>> {
    let n = gradient.len();
    let (vectors, sizes) = sizes(hessian)?;
    let mut step = vec![0.0; n];
    for (i, size) in sizes.iter().enumerate() {
        let along: f64 = gradient.iter().enumerate().map(|(r, g)| vectors[(r, i)] * g).sum();
        for (r, cell) in step.iter_mut().enumerate() {
            *cell -= along / size * vectors[(r, i)];
        }
    }
    Some(step)
}

/// The positive definite matrix with the same axes and the sizes of the curvatures along them: the update keeps one, but
/// does not make one.
fn positive(hessian: &Mat<f64>) -> Option<Mat<f64>> {
    let (vectors, sizes) = sizes(hessian)?;
    let n = sizes.len();
    let cell = |i: usize, j: usize| sizes.iter().enumerate().map(|(k, s)| s * vectors[(i, k)] * vectors[(j, k)]).sum();
    Some(Mat::from_fn(n, n, cell))
}

/// Axes and the sizes of the curvatures along them, none of them zero.
fn sizes(hessian: &Mat<f64>) -> Option<(Mat<f64>, Vec<f64>)> {
    let n = hessian.nrows();
    if (0..n).any(|i| (0..n).any(|j| !hessian[(i, j)].is_finite())) {
        return None;
    }
    if n == 0 {
        return Some((Mat::zeros(0, 0), vec![]));
    }
    let eigen = hessian.self_adjoint_eigen(Side::Lower).ok()?;
    let largest = (0..n).map(|i| eigen.S()[i].abs()).fold(0.0, f64::max);
    let sizes = (0..n).map(|i| eigen.S()[i].abs().max(1e-10 * largest).max(1e-12)).collect();
    Some((eigen.U().to_owned(), sizes))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn column(values: &[f64]) -> Mat<f64> {
    Mat::from_fn(values.len(), 1, |i, _| values.get(i).copied().unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { longest_step: 2.0, difference: 1e-5, smallest_decrease: 1e-16 };

    #[test]
    fn a_curved_valley_is_followed_to_its_end() {
        // Rosenbrock (1960): minimum 0 at (1, 1).
        let mut f = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            Some((a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b]))
        };
        let found = minimise(&mut f, &[-1.2, 1.0], None, LIMITS).unwrap();
        assert!(found.has_converged && (found.x[0] - 1.0).abs() < 1e-8 && (found.x[1] - 1.0).abs() < 1e-8, "{found:?}");
        assert!((found.hessian[(0, 0)] - 802.0).abs() < 1e-3, "{found:?}");
    }

    #[test]
    fn a_function_without_a_minimum_is_not_converged() {
        let mut f = |x: &[f64]| Some((-x[0], vec![-1.0]));
        assert!(!minimise(&mut f, &[0.0], None, LIMITS).unwrap().has_converged);
    }
}
