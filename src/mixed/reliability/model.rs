//! The sums over the rows, and what follows from them for given variances.

use faer::{Mat, Side};

use crate::mixed::Method;
use crate::mixed::algebra::inverse;
use crate::mixed::basis::Basis;
use crate::mixed::design::{Design, check_finite, check_rows};
use crate::mixed::nest::{Eliminated, Nest, Solution};
use crate::{Error, Result};

/// Sums over the rows.
pub(super) struct Model {
    pub(super) method: Method,
    pub(super) basis: Basis,
    pub(super) nest: Nest,
    pub(super) n_obs: f64,
    pub(super) shift_y: f64,
    /// Cross products of [x, y] in the basis.
    pub(super) gram: Mat<f64>,
    /// Sums over the innermost groups, column by column: 1 (the rows), then [x, y].
    pub(super) n: Vec<f64>,
    pub(super) sums: Vec<Vec<f64>>,
    /// The variance of the noise of every kept term, in the basis.
    pub(super) noise: Vec<f64>,
    pub(super) is_fixed: Vec<bool>,
}

/// Everything at one t.
pub(super) struct State {
    pub(super) eliminated: Eliminated,
    pub(super) answers: Vec<Solution>,
    /// A'V^-1 A.
    pub(super) m: Mat<f64>,
    /// tr(V^-1).
    pub(super) trace: f64,
    pub(super) h: Vec<f64>,
}

impl Model {
    pub(super) fn new(
        design: &Design,
        y: &[f64],
        levels: &[&[u32]],
        reliability: &[(&str, f64)],
        method: Method,
    ) -> Result<Self> {
        let n_rows = design.n_rows();
        check_rows("outcome", y.len(), n_rows)?;
        check_finite("outcome", y)?;
        for codes in levels {
            check_rows("grouping factor", codes.len(), n_rows)?;
        }
        let basis = Basis::of_design(design);
        let p = basis.n_terms();
        let (nest, order, starts) = Nest::new(levels, n_rows);
        let innermost = starts.len() - 1;
        if levels.is_empty() || n_rows <= p || innermost >= n_rows {
            return Err(Error::TooFew {
                what: "a mixed model".into(),
                needed: format!("1 grouping factor whose units hold several rows, and {} rows", p + 1),
                found: n_rows,
                remedy: "name the factor whose units hold several rows, or leave out covariates".into(),
            });
        }
        let n = n_rows as f64;
        let shift_y = y.iter().sum::<f64>() / n;
        let mut gram = vec![0.0; (p + 1) * (p + 1)];
        let mut sums = vec![vec![0.0; innermost]; p + 1];
        let mut row = vec![0.0; p + 1];
        for (group, pair) in starts.windows(2).enumerate() {
            let [from, to] = pair else { continue };
            for &i in order.get(*from..*to).unwrap_or_default() {
                basis.row(design, i as usize, &mut row);
                if let Some(cell) = row.last_mut() {
                    *cell = y.get(i as usize).copied().unwrap_or(f64::NAN) - shift_y;
                }
                for ((line, column), &a) in gram.chunks_exact_mut(p + 1).zip(&mut sums).zip(&row) {
                    for (cell, &b) in line.iter_mut().zip(&row) {
                        *cell += a * b;
                    }
                    if let Some(cell) = column.get_mut(group) {
                        *cell += a;
                    }
                }
            }
        }
        let noise = noise(design, &basis, reliability)?;
        let counts: Vec<usize> = nest.levels.iter().map(|l| l.codes.len()).collect();
        let is_fixed = counts
            .iter()
            .enumerate()
            .map(|(l, n)| *n == 1 || l.checked_sub(1).and_then(|o| counts.get(o)).is_some_and(|outer| outer == n));
        Ok(Self {
            method,
            n: nest.levels.last().map(|l| l.n.clone()).unwrap_or_default(),
            is_fixed: is_fixed.collect(),
            basis,
            nest,
            n_obs: n,
            shift_y,
            gram: Mat::from_fn(p + 1, p + 1, |i, j| gram.get(i * (p + 1) + j).copied().unwrap_or(f64::NAN)),
            sums,
            noise,
        })
    }

    pub(super) fn n_terms(&self) -> usize {
        self.basis.n_terms()
    }

    pub(super) fn freedom(&self) -> f64 {
        match self.method {
            Method::Reml => self.n_obs - self.n_terms() as f64,
            Method::Ml => self.n_obs,
        }
    }

    pub(super) fn state(&self, t: &[f64]) -> State {
        let eliminated = self.nest.eliminate(&self.n, t);
        let answers: Vec<Solution> = self.sums.iter().map(|c| self.nest.solve(&eliminated, t, c)).collect();
        let width = self.n_terms() + 1;
        let taken = |i: usize, j: usize| {
            let pair = self.sums.get(i).zip(answers.get(j));
            pair.map_or(f64::NAN, |(c, s)| c.iter().zip(&s.total).map(|(c, b)| c * b).sum())
        };
        let m = Mat::from_fn(width, width, |i, j| self.gram[(i, j)] - f64::midpoint(taken(i, j), taken(j, i)));
        let h: Vec<f64> = self.nest.variances(&eliminated, t).iter().map(|v| v.h.iter().sum()).collect();
        let trace = self.n_obs - h.iter().zip(t).map(|(h, t)| h * t).sum::<f64>();
        State { eliminated, answers, m, trace, h }
    }

    pub(super) fn xx(&self, m: &Mat<f64>) -> Mat<f64> {
        let p = self.n_terms();
        Mat::from_fn(p, p, |i, j| m[(i, j)])
    }

    /// X'V^-1 X without what the noise adds, inverted.
    pub(super) fn corrected(&self, state: &State) -> Option<Mat<f64>> {
        let p = self.n_terms();
        let noise = |k: usize| self.noise.get(k).copied().unwrap_or(0.0);
        let m = Mat::from_fn(p, p, |i, j| state.m[(i, j)] - if i == j { state.trace * noise(i) } else { 0.0 });
        inverse(&m)
    }

    /// Coefficients at t, and v = (-beta, 1).
    pub(super) fn beta(&self, state: &State) -> Option<(Mat<f64>, Mat<f64>)> {
        let p = self.n_terms();
        let beta = self.corrected(state)? * Mat::from_fn(p, 1, |i, _| state.m[(i, p)]);
        let v = Mat::from_fn(p + 1, 1, |i, _| if i == p { 1.0 } else { -beta[(i, 0)] });
        Some((beta, v))
    }

    /// The criterion of residuals with known coefficients, and its derivative by theta.
    pub(super) fn criterion(&self, theta: &[f64], v: &Mat<f64>) -> Option<(f64, Vec<f64>)> {
        let t: Vec<f64> = theta.iter().map(|t| t * t).collect();
        let state = self.state(&t);
        let p = self.n_terms();
        let xx = inverse(&self.xx(&state.m))?;
        let r2 = (v.transpose() * &state.m * v)[(0, 0)];
        let freedom = self.freedom();
        if r2.is_nan() || r2 <= 0.0 {
            return None;
        }
        let log_det_x = self.xx(&state.m).llt(Side::Lower).ok()?;
        let log_det_x: f64 = (0..p).map(|k| 2.0 * log_det_x.L()[(k, k)].ln()).sum::<f64>()
            + self.basis.scale.iter().map(|s| 2.0 * s.ln()).sum::<f64>();
        let fit = freedom * (1.0 + (2.0 * std::f64::consts::PI * r2 / freedom).ln());
        let is_reml = self.method == Method::Reml;
        let deviance = state.eliminated.log_det + fit + if is_reml { log_det_x } else { 0.0 };
        let slopes = theta.iter().enumerate().map(|(level, theta)| {
            let q = Self::square(&state, level);
            let trace: f64 =
                if is_reml { (0..p).map(|i| (0..p).map(|j| xx[(i, j)] * q[(j, i)]).sum::<f64>()).sum() } else { 0.0 };
            let loss = (v.transpose() * &q * v)[(0, 0)] * freedom / r2;
            2.0 * theta * (state.h.get(level).copied().unwrap_or(0.0) - trace - loss)
        });
        deviance.is_finite().then(|| (deviance, slopes.collect()))
    }

    /// The sum of u u' over the groups of a level, u = z'V^-1 A.
    pub(super) fn square(state: &State, level: usize) -> Mat<f64> {
        let scores: Vec<&[f64]> =
            state.answers.iter().map(|a| a.score.get(level).map(Vec::as_slice).unwrap_or_default()).collect();
        let cell = |i: usize, j: usize| {
            let pair = scores.get(i).zip(scores.get(j));
            pair.map_or(0.0, |(a, b)| a.iter().zip(b.iter()).map(|(a, b)| a * b).sum())
        };
        Mat::from_fn(scores.len(), scores.len(), cell)
    }

    /// The smallest reliabilities that leave something: as given, but with all noise scaled alike.
    pub(super) fn too_noisy(&self, state: &State, reliability: &[(&str, f64)]) -> Error {
        let p = self.n_terms();
        let noise = |k: usize| (self.noise.get(k).copied().unwrap_or(0.0) * state.trace).max(0.0).sqrt();
        // The noise may grow by 1 over the largest eigenvalue of D^1/2 M^-1 D^1/2.
        let largest = inverse(&self.xx(&state.m)).and_then(|m| {
            let scaled = Mat::from_fn(p, p, |i, j| noise(i) * m[(i, j)] * noise(j));
            scaled.self_adjoint_eigen(Side::Lower).ok().map(|e| e.S()[p - 1])
        });
        let room = 1.0 / largest.unwrap_or(f64::INFINITY);
        let smallest = reliability.iter().map(|(name, r)| {
            // Rounded upwards, so that what is said works.
            let smallest = ((1.0 - (1.0 - r) * room) * 1e3).floor() / 1e3 + 1e-3;
            format!("{name}: above {:.3}", smallest.min(1.0))
        });
        let given: Vec<String> = reliability.iter().map(|(name, r)| format!("{name}: {r}")).collect();
        Error::option(
            "reliability",
            format!("{{{}}}", given.join(", ")),
            format!(
                "higher: as much variance would be noise as the covariate has beside the other terms ({})",
                smallest.collect::<Vec<_>>().join(", ")
            ),
        )
    }
}

/// The variance of the noise of every kept term, in the basis.
fn noise(design: &Design, basis: &Basis, reliability: &[(&str, f64)]) -> Result<Vec<f64>> {
    let mut noise = vec![0.0; basis.n_terms()];
    for &(name, value) in reliability {
        if !(value > 0.0 && value <= 1.0) {
            return Err(Error::option("reliability", format!("{name}: {value}"), "above 0 and at most 1"));
        }
        let numeric: Vec<&String> = design
            .terms()
            .iter()
            .skip(1)
            .zip(design.columns())
            .filter(|(_, c)| c.is_numeric())
            .map(|(t, _)| t)
            .collect();
        let place = design.terms().iter().position(|t| t == name && numeric.contains(&t));
        let Some(place) = place else {
            return Err(Error::option(
                "reliability",
                format!("{name:?}"),
                format!("of a numeric covariate: one of {numeric:?}"),
            ));
        };
        // The basis has columns of mean square 1.
        if let Some(cell) = basis.kept.iter().position(|k| *k == place).and_then(|k| noise.get_mut(k)) {
            *cell = 1.0 - value;
        }
    }
    Ok(noise)
}
