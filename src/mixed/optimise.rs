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
/// A face is dear to search where its units must be factored: it is left where the criterion, with the other variances
/// as they are in the optimum with all of them, lies higher than that by more than this (the 5-in-a-million point of
/// chi-square with 1 degree of freedom).
const REACH: f64 = 20.8;
/// Criteria nearer than this share are equal: a step may seem to rise by so little, and the face with more zeros is
/// preferred. Where millions of rows add up, their rounding comes to some 3e-14.
const SAME: f64 = 1e-13;

/// What is minimised.
pub(crate) trait Criterion {
    /// The criterion at t.
    fn value(&self, t: &[f64]) -> Option<f64>;
    /// The criterion and its derivative by t of the wanted levels; those of others may be missing (NaN).
    fn gradient(&self, t: &[f64], wanted: &[usize]) -> Option<(f64, Vec<f64>)>;
    /// Whether these variances together cost no more than a pass over the units.
    fn is_cheap(&self, levels: &[usize]) -> bool;
}

/// The search for the lowest point.
pub(crate) struct Search<'c, C> {
    pub(crate) criterion: &'c C,
    /// Rows of a group of each level on average: where its t is worth looking for.
    pub(crate) scale: Vec<f64>,
    /// Levels whose variance cannot be told from another's, or from nothing: they stay at 0.
    pub(crate) is_fixed: Vec<bool>,
    /// The random part of every level: within one, t of a level alone holds the variance of those outside of it.
    pub(crate) part: Vec<usize>,
    pub(crate) n_evaluations: usize,
}

impl<C: Criterion> Search<'_, C> {
    /// The lowest point, or `None` where the criterion cannot be computed at all.
    pub(crate) fn minimise(&mut self) -> Option<Optimum> {
        let free: Vec<usize> =
            self.is_fixed.iter().enumerate().filter(|(_, fixed)| !**fixed).map(|(level, _)| level).collect();
        let depth = self.scale.len();
        let at_origin = self.value(&vec![0.0; depth]);
        if !at_origin.is_finite() {
            return None;
        }
        let mut found = vec![Optimum {
            t: vec![0.0; depth],
            deviance: at_origin,
            gradient: 0.0,
            has_converged: true,
            n_evaluations: 0,
        }];
        // One variance at a time: t of a level alone holds the variance of all levels outside of it as well.
        let mut alone = vec![0.0; depth];
        for &level in &free {
            let start = self.coarse(level, at_origin);
            if let Some(optimum) = self.newton(&[level], &start) {
                if let Some(cell) = alone.get_mut(level) {
                    *cell = optimum.t.get(level).copied().unwrap_or(0.0);
                }
                found.push(optimum);
            }
        }
        if free.len() > 1 {
            let start = self.together(&free, &alone);
            let whole = self.newton(&free, &start);
            for face in faces(&free) {
                if self.criterion.is_cheap(&face) || self.may_be_lower(&face, whole.as_ref()) {
                    let start = self.together(&face, &alone);
                    found.extend(self.newton(&face, &start));
                }
            }
            found.extend(whole);
        }
        self.lowest(found, &free)
    }

    /// Of equal points the one with more zeros.
    fn lowest(&mut self, found: Vec<Optimum>, free: &[usize]) -> Option<Optimum> {
        let lowest = found.iter().map(|o| o.deviance).fold(f64::INFINITY, f64::min);
        let tolerance = SAME * lowest.abs().max(1.0);
        let zeros = |o: &Optimum| o.t.iter().filter(|t| **t == 0.0).count();
        let mut best = found
            .into_iter()
            .filter(|o| o.deviance <= lowest + tolerance)
            .max_by(|a, b| zeros(a).cmp(&zeros(b)).then(b.deviance.total_cmp(&a.deviance)))?;
        if free.iter().any(|&l| best.t.get(l) == Some(&0.0)) {
            // A zero is a minimum only where the criterion rises from it; flat to rounding counts as rising.
            let (_, slope) = self.with_gradient(&best.t, free)?;
            let rises = |&l: &usize| {
                let (t, s, scale) = (best.t.get(l), slope.get(l), self.scale.get(l));
                !matches!((t, s, scale), (Some(t), Some(s), Some(scale)) if *t == 0.0 && s / scale < -1e-4)
            };
            best.has_converged &= free.iter().all(rises);
        }
        best.n_evaluations = self.n_evaluations;
        Some(best)
    }

    /// Where several variances are begun from.
    fn together(&self, face: &[usize], alone: &[f64]) -> Vec<f64> {
        let mut start = vec![0.0; self.scale.len()];
        let (mut outside, mut part) = (0.0, None);
        for &level in face {
            if part != self.part.get(level) {
                (outside, part) = (0.0, self.part.get(level));
            }
            let own = alone.get(level).copied().unwrap_or(0.0);
            let unit = 0.01 / self.scale.get(level).copied().unwrap_or(1.0);
            if let Some(t) = start.get_mut(level) {
                *t = (own - outside).max(0.1 * own).max(unit);
            }
            outside = own;
        }
        start
    }

    /// Whether a face that is dear to search lies within reach of the optimum with all variances.
    fn may_be_lower(&mut self, face: &[usize], whole: Option<&Optimum>) -> bool {
        let Some(whole) = whole else { return true };
        let mut t = vec![0.0; self.scale.len()];
        for &level in face {
            if let (Some(cell), Some(own)) = (t.get_mut(level), whole.t.get(level)) {
                *cell = *own;
            }
        }
        self.value(&t) < whole.deviance + REACH
    }

    fn with_gradient(&mut self, t: &[f64], wanted: &[usize]) -> Option<(f64, Vec<f64>)> {
        self.n_evaluations += 1;
        self.criterion.gradient(t, wanted)
    }

    fn value(&mut self, t: &[f64]) -> f64 {
        self.n_evaluations += 1;
        self.criterion.value(t).unwrap_or(f64::INFINITY)
    }

    /// The lowest point of a coarse grid of one variance, the others being zero.
    fn coarse(&mut self, level: usize, at_origin: f64) -> Vec<f64> {
        let scale = self.scale.get(level).copied().unwrap_or(1.0);
        let mut t = vec![0.0; self.scale.len()];
        let mut best = (at_origin, 10_f64.powf(-GRID_DECADES) / scale);
        if self.criterion.is_cheap(&[level]) {
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
        } else {
            best.1 = 1.0 / scale;
        }
        if let Some(cell) = t.get_mut(level) {
            *cell = best.1;
        }
        t
    }

    /// Steps in log t for the variances of one face, from `start`: the Hessian from differences of gradients once, then
    /// updated by what every step shows (Broyden, Fletcher, Goldfarb & Shanno 1970).
    fn newton(&mut self, face: &[usize], start: &[f64]) -> Option<Optimum> {
        const MOST_STEPS: usize = 60;
        let mut t = start.to_vec();
        let (mut deviance, mut slope) = self.log_gradient(face, &t)?;
        let mut hessian = self.hessian(face, &t, &slope)?;
        let (mut has_converged, mut is_fresh) = (false, true);
        for _ in 0..MOST_STEPS {
            let mut step = direction(&hessian, &slope)?;
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
            let (from, before, slack) = (deviance, slope.clone(), SAME * deviance.abs());
            // A decrease that the criterion's rounding hides shows in its slope.
            let flattens =
                |g: &[f64]| decrease < slack && promise(&hessian, g).is_some_and(|left| left < 0.25 * decrease);
            let (mut moved, mut share) = (false, 1.0);
            for _ in 0..40 {
                let mut next = t.clone();
                stretch(&mut next, face, &step);
                if let Some((value, g)) = self.log_gradient(face, &next)
                    && (value <= from - 1e-4 * share * decrease + slack || flattens(&g))
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
            if leaves || (!moved && is_fresh) {
                break;
            }
            let turn: Vec<f64> = slope.iter().zip(&before).map(|(a, b)| a - b).collect();
            is_fresh = !moved || !update(&mut hessian, &step, &turn);
            if is_fresh {
                hessian = self.hessian(face, &t, &slope)?;
            }
        }
        let gradient = slope.iter().fold(0.0_f64, |m, s| m.max(s.abs()));
        Some(Optimum { t, deviance, gradient, has_converged, n_evaluations: 0 })
    }

    /// The second derivatives by log t, from differences of gradients.
    fn hessian(&mut self, face: &[usize], t: &[f64], slope: &[f64]) -> Option<Vec<Vec<f64>>> {
        const DIFFERENCE: f64 = 1e-4;
        let mut columns = Vec::with_capacity(face.len());
        for &level in face {
            let mut near = t.to_vec();
            stretch(&mut near, &[level], &[DIFFERENCE]);
            let (_, there) = self.log_gradient(face, &near)?;
            columns.push(there.iter().zip(slope).map(|(a, b)| (a - b) / DIFFERENCE).collect::<Vec<f64>>());
        }
        Some(columns)
    }

    /// The criterion and its derivative by log t of the variances of a face.
    fn log_gradient(&mut self, face: &[usize], t: &[f64]) -> Option<(f64, Vec<f64>)> {
        let (value, slope) = self.with_gradient(t, face)?;
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

/// Faces with two and more of the free variances but not all, smaller ones first.
fn faces(free: &[usize]) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = if free.len() <= MOST_FACES_OF {
        (0_u32..1 << free.len())
            .map(|set| free.iter().enumerate().filter(|(k, _)| set >> k & 1 == 1).map(|(_, l)| *l).collect())
            .collect()
    } else {
        let without = |gone: &usize| free.iter().copied().filter(|l| l != gone).collect();
        free.iter().map(without).collect()
    };
    found.retain(|face| face.len() > 1 && face.len() < free.len());
    found.sort_by_key(Vec::len);
    found
}

/// Lets a Hessian learn from a step and the turn of the gradient along it; whether the two are usable.
fn update(hessian: &mut [Vec<f64>], step: &[f64], turn: &[f64]) -> bool {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let bent: Vec<f64> = hessian.iter().map(|column| dot(column, step)).collect();
    let (along, curved) = (dot(step, turn), dot(step, &bent));
    if along <= 1e-12 * dot(step, step) || curved <= 0.0 {
        return false;
    }
    for ((column, turn_j), bent_j) in hessian.iter_mut().zip(turn).zip(&bent) {
        for ((cell, turn_i), bent_i) in column.iter_mut().zip(turn).zip(&bent) {
            *cell += turn_i * turn_j / along - bent_i * bent_j / curved;
        }
    }
    true
}

/// The decrease that a Newton step from here promises.
fn promise(columns: &[Vec<f64>], slope: &[f64]) -> Option<f64> {
    Some(-direction(columns, slope)?.iter().zip(slope).map(|(a, b)| a * b).sum::<f64>())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A smooth criterion as large as that of ten million rows, with as much rounding.
    struct Rounded {
        lowest: f64,
    }

    impl Criterion for Rounded {
        fn value(&self, t: &[f64]) -> Option<f64> {
            self.gradient(t, &[0]).map(|(value, _)| value)
        }

        fn gradient(&self, t: &[f64], _wanted: &[usize]) -> Option<(f64, Vec<f64>)> {
            let place = t.first()?.ln().max(-40.0);
            let away = place - self.lowest;
            let rounding = 5e-7 * (1e9 * place).sin();
            Some((1.9e7 + 4e5 * (away.exp() - 1.0 - away) + rounding, vec![4e5 * away.exp_m1() / t.first()?]))
        }

        fn is_cheap(&self, _levels: &[usize]) -> bool {
            true
        }
    }

    #[test]
    fn the_rounding_of_many_rows_does_not_stop_a_search() {
        for k in 0..200 {
            let criterion = Rounded { lowest: -3.0 + 0.02 * f64::from(k) };
            let (scale, is_fixed, part) = (vec![25.0], vec![false], vec![0]);
            let mut search = Search { criterion: &criterion, scale, is_fixed, part, n_evaluations: 0 };
            let found = search.minimise().unwrap();
            assert!(found.has_converged && found.n_evaluations < 60, "{k}: {found:?}");
            assert!((found.t[0].ln() - criterion.lowest).abs() < 1e-8, "{k}: {found:?}");
        }
    }
}
