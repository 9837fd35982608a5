//! Minimising the criterion over t = theta^2 >= 0: Newton steps in log t inside, every face of the boundary compared.
//!
//! In theta the derivative vanishes at 0 whatever the data say, and in t the criterion is far from a parabola; in
//! log t it is nearly one. A variance of exactly zero is a face of its own: each face is minimised and the lowest of
//! all is taken, because a profile can have two minima.

use faer::{Mat, Side};

/// The point found.
#[derive(Debug, Clone)]
pub(crate) struct Optimum {
    pub(crate) t: Vec<f64>,
    pub(crate) deviance: f64,
    /// The largest |d dev/d log t| where t > 0.
    pub(crate) gradient: f64,
    pub(crate) has_converged: bool,
    pub(crate) n_evaluations: usize,
}

/// Points of the coarse grid of one variance.
const GRID_POINTS: u32 = 25;
/// The grid covers t times the rows of a group from 1e-6 to 1e6.
const GRID_DECADES: f64 = 6.0;
/// A Newton step no longer than this in log t.
const LONGEST_STEP: f64 = 2.0;
/// Predicted decrease at which the last step is taken and the search ends.
const SMALLEST_DECREASE: f64 = 1e-10;
/// Below this t (times the rows of a group) the face with t = 0 takes over.
const SMALLEST_T: f64 = 1e-9;
/// More variances than this have too many faces to try all of them: then those without one of the variances are.
const MOST_FACES_OF: usize = 4;
/// Criteria nearer than this share are equal, and the face with more zeros is preferred.
const SAME: f64 = 1e-13;

/// What is minimised: the criterion, and the criterion with its gradient, in t.
pub(crate) struct Search<F, G> {
    pub(crate) value: F,
    pub(crate) gradient: G,
    /// Rows of a group of each level on average: where its t is worth looking for.
    pub(crate) scale: Vec<f64>,
    /// Levels whose variance cannot be told from another's, or from nothing: they stay at 0.
    pub(crate) is_fixed: Vec<bool>,
    pub(crate) n_evaluations: usize,
}

impl<F, G> Search<F, G>
where
    F: Fn(&[f64]) -> Option<f64>,
    G: Fn(&[f64]) -> Option<(f64, Vec<f64>)>,
{
    /// The lowest point, or `None` where the criterion cannot be computed at all.
    pub(crate) fn minimise(&mut self) -> Option<Optimum> {
        let free: Vec<usize> =
            self.is_fixed.iter().enumerate().filter(|(_, fixed)| !**fixed).map(|(level, _)| level).collect();
        let depth = self.scale.len();
        let origin = vec![0.0; depth];
        let (at_origin, slope) = self.with_gradient(&origin)?;
        let mut found = vec![Optimum {
            t: origin,
            deviance: at_origin,
            gradient: 0.0,
            has_converged: free.iter().all(|&l| slope.get(l).is_some_and(|s| *s >= 0.0)),
            n_evaluations: 0,
        }];
        // One variance at a time: t of a level alone holds the variance of all levels outside of it as well.
        let mut alone = vec![0.0; depth];
        for &level in &free {
            let start = self.coarse(level, at_origin);
            let optimum = self.newton(&[level], &start);
            if let (Some(optimum), Some(cell)) = (optimum, alone.get_mut(level)) {
                *cell = optimum.t.get(level).copied().unwrap_or(0.0);
                found.push(optimum);
            }
        }
        for face in faces(&free) {
            let mut start = vec![0.0; depth];
            let mut outside = 0.0;
            for &level in &face {
                let own = alone.get(level).copied().unwrap_or(0.0);
                let unit = 0.01 / self.scale.get(level).copied().unwrap_or(1.0);
                if let Some(t) = start.get_mut(level) {
                    *t = (own - outside).max(0.1 * own).max(unit);
                }
                outside = own;
            }
            found.extend(self.newton(&face, &start));
        }
        let lowest = found.iter().map(|o| o.deviance).fold(f64::INFINITY, f64::min);
        let tolerance = SAME * lowest.abs().max(1.0);
        let zeros = |o: &Optimum| o.t.iter().filter(|t| **t == 0.0).count();
        let mut best = found
            .into_iter()
            .filter(|o| o.deviance <= lowest + tolerance)
            .max_by(|a, b| zeros(a).cmp(&zeros(b)).then(b.deviance.total_cmp(&a.deviance)))?;
        // A zero is a minimum only where the criterion rises from it; flat to rounding counts as rising.
        let (_, slope) = self.with_gradient(&best.t)?;
        let rises = |&l: &usize| {
            let (t, s, scale) = (best.t.get(l), slope.get(l), self.scale.get(l));
            !matches!((t, s, scale), (Some(t), Some(s), Some(scale)) if *t == 0.0 && s / scale < -1e-4)
        };
        best.has_converged &= free.iter().all(rises);
        best.n_evaluations = self.n_evaluations;
        Some(best)
    }

    fn with_gradient(&mut self, t: &[f64]) -> Option<(f64, Vec<f64>)> {
        self.n_evaluations += 1;
        (self.gradient)(t)
    }

    fn value(&mut self, t: &[f64]) -> f64 {
        self.n_evaluations += 1;
        (self.value)(t).unwrap_or(f64::INFINITY)
    }

    /// The lowest point of a coarse grid of one variance, the others being zero.
    fn coarse(&mut self, level: usize, at_origin: f64) -> Vec<f64> {
        let scale = self.scale.get(level).copied().unwrap_or(1.0);
        let mut best = (at_origin, 10_f64.powf(-GRID_DECADES) / scale);
        let mut t = vec![0.0; self.scale.len()];
        for step in 0..GRID_POINTS {
            let place = f64::from(step) / f64::from(GRID_POINTS - 1);
            let here = 10_f64.powf(GRID_DECADES * (2.0 * place - 1.0)) / scale;
            if let Some(cell) = t.get_mut(level) {
                *cell = here;
            }
            let value = self.value(&t);
            if value < best.0 {
                best = (value, here);
            }
        }
        if let Some(cell) = t.get_mut(level) {
            *cell = best.1;
        }
        t
    }

    /// Newton steps in log t for the variances of one face, from `start`; the Hessian from differences of gradients.
    fn newton(&mut self, face: &[usize], start: &[f64]) -> Option<Optimum> {
        const DIFFERENCE: f64 = 1e-4;
        const MOST_STEPS: usize = 50;
        let mut t = start.to_vec();
        let (mut deviance, mut slope) = self.log_gradient(face, &t)?;
        let mut has_converged = false;
        for _ in 0..MOST_STEPS {
            let mut columns = Vec::with_capacity(face.len());
            for &level in face {
                let mut near = t.clone();
                stretch(&mut near, &[level], &[DIFFERENCE]);
                let (_, there) = self.log_gradient(face, &near)?;
                columns.push(there.iter().zip(&slope).map(|(a, b)| (a - b) / DIFFERENCE).collect::<Vec<f64>>());
            }
            let mut step = direction(&columns, &slope)?;
            let longest = step.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
            if longest > LONGEST_STEP {
                for s in &mut step {
                    *s *= LONGEST_STEP / longest;
                }
            }
            let decrease: f64 = -step.iter().zip(&slope).map(|(a, b)| a * b).sum::<f64>();
            if decrease < SMALLEST_DECREASE {
                // The last step is too small for the criterion to show, and still sharpens t.
                let mut last = t.clone();
                stretch(&mut last, face, &step);
                if let Some((value, g)) = self.log_gradient(face, &last)
                    && value <= deviance + SAME * deviance.abs().max(1.0)
                {
                    (t, deviance, slope) = (last, value, g);
                }
                has_converged = true;
                break;
            }
            let (from, slack) = (deviance, 1e-14 * deviance.abs());
            let (mut moved, mut share) = (false, 1.0);
            for _ in 0..40 {
                let mut next = t.clone();
                stretch(&mut next, face, &step);
                if let Some((value, g)) = self.log_gradient(face, &next)
                    && value <= from - 1e-4 * share * decrease + slack
                {
                    (t, deviance, slope, moved) = (next, value, g, true);
                    break;
                }
                for s in &mut step {
                    *s *= 0.5;
                }
                share *= 0.5;
            }
            let leaves = face
                .iter()
                .any(|&l| matches!((t.get(l), self.scale.get(l)), (Some(t), Some(scale)) if t * scale < SMALLEST_T));
            if !moved || leaves {
                break;
            }
        }
        let gradient = slope.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
        Some(Optimum { t, deviance, gradient, has_converged, n_evaluations: 0 })
    }

    /// The criterion and its derivative by log t of the variances of a face.
    fn log_gradient(&mut self, face: &[usize], t: &[f64]) -> Option<(f64, Vec<f64>)> {
        let (value, slope) = self.with_gradient(t)?;
        let slope = face.iter().map(|&l| Some(t.get(l)? * slope.get(l)?)).collect::<Option<Vec<f64>>>()?;
        Some((value, slope))
    }
}

/// Multiplies the t of the levels by the exponential of the steps.
fn stretch(t: &mut [f64], levels: &[usize], steps: &[f64]) {
    for (&level, step) in levels.iter().zip(steps) {
        if let Some(cell) = t.get_mut(level) {
            *cell *= step.exp();
        }
    }
}

/// Faces with two and more of the free variances, smaller ones first.
fn faces(free: &[usize]) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = if free.len() <= MOST_FACES_OF {
        (0_u32..1 << free.len())
            .map(|set| free.iter().enumerate().filter(|(k, _)| set >> k & 1 == 1).map(|(_, l)| *l).collect())
            .collect()
    } else {
        let without = |gone: &usize| free.iter().copied().filter(|l| l != gone).collect();
        free.iter().map(without).chain([free.to_vec()]).collect()
    };
    found.retain(|face| face.len() > 1);
    found.sort_by_key(Vec::len);
    found
}

/// The Newton direction, downhill even where the Hessian is not positive definite: eigenvalues by their size.
fn direction(columns: &[Vec<f64>], slope: &[f64]) -> Option<Vec<f64>> {
    let k = slope.len();
    let cell = |i: usize, j: usize| columns.get(j).and_then(|c| c.get(i)).copied().unwrap_or(f64::NAN);
    let hessian = Mat::from_fn(k, k, |i, j| f64::midpoint(cell(i, j), cell(j, i)));
    if (0..k).any(|i| (0..k).any(|j| !hessian[(i, j)].is_finite())) {
        return None;
    }
    let eigen = hessian.self_adjoint_eigen(Side::Lower).ok()?;
    let (vectors, values) = (eigen.U(), eigen.S());
    let largest = (0..k).map(|i| values[i].abs()).fold(0.0, f64::max);
    let mut step = vec![0.0; k];
    for i in 0..k {
        let size = values[i].abs().max(1e-8 * largest).max(1e-12);
        let along: f64 = slope.iter().enumerate().map(|(r, s)| vectors[(r, i)] * s).sum();
        for (r, cell) in step.iter_mut().enumerate() {
            *cell -= along / size * vectors[(r, i)];
        }
    }
    Some(step)
}
