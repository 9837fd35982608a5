//! What is said at the end of a search: coefficients with standard errors that allow for the noise, and effects.

use faer::Mat;

use super::model::{Model, State};
use super::search::Found;
use super::{ReliabilityFit, SINGULAR_THETA};
use crate::Result;
use crate::mixed::design::Design;
use crate::mixed::nested_effects::Parts;

impl Model {
    pub(super) fn assemble(
        &self,
        design: &Design,
        reliability: &[(&str, f64)],
        found: &Found,
        n_evaluations: usize,
    ) -> Result<ReliabilityFit> {
        let t: Vec<f64> = found.theta.iter().map(|t| t * t).collect();
        let state = self.state(&t);
        let p = self.n_terms();
        let inner = self.corrected(&state).ok_or_else(|| self.too_noisy(&state, reliability))?;
        let v = Mat::from_fn(p + 1, 1, |i, _| found.beta.get(i).map_or(1.0, |b| -b));
        let sigma2 = (v.transpose() * &state.m * &v)[(0, 0)] / self.freedom();
        let covariance = &inner * self.meat(&state, &t, &found.beta, sigma2) * &inner;
        let (mut beta, vcov) = self.basis.undone(&found.beta, &covariance);
        if let Some(intercept) = beta.first_mut() {
            *intercept += self.shift_y;
        }
        let (terms, dropped) = self.basis.names(design.terms());
        let own: Vec<Vec<f64>> = t
            .iter()
            .enumerate()
            .map(|(level, t)| {
                let groups = self.nest.levels.get(level).map_or(0, |l| l.codes.len());
                let score = |k: usize, g: usize| {
                    state.answers.get(k).and_then(|a| a.score.get(level)).and_then(|s| s.get(g)).copied().unwrap_or(0.0)
                };
                (0..groups).map(|g| t * (0..=p).map(|k| v[(k, 0)] * score(k, g)).sum::<f64>()).collect()
            })
            .collect();
        let variances = self.nest.variances(&state.eliminated, &t);
        let parts = Parts {
            nest: &self.nest,
            t: &t,
            sigma2,
            own: &own,
            variances: &variances,
            answers: state.answers.get(..p).unwrap_or_default(),
            covariance: &covariance,
        };
        let mut fit = ReliabilityFit {
            method: self.method,
            criterion: found.deviance,
            terms,
            beta,
            se: vcov
                .iter()
                .enumerate()
                .map(|(k, row)| row.get(k).copied().unwrap_or(f64::NAN).max(0.0).sqrt())
                .collect(),
            vcov,
            sigma: sigma2.sqrt(),
            noise: self.noise.iter().zip(&found.beta).map(|(d, b)| d * b * b).sum(),
            theta: found.theta.clone(),
            variances: t.iter().map(|t| t * sigma2).collect(),
            n_groups: self.nest.levels.iter().map(|l| l.codes.len()).collect(),
            n_obs: design.n_rows(),
            is_singular: found.theta.iter().any(|t| *t < SINGULAR_THETA),
            has_converged: found.has_converged,
            n_evaluations,
            gradient: found.gradient,
            notes: vec![],
            effects: parts.effects(),
        };
        fit.notes = fit.caveats(&dropped);
        Ok(fit)
    }

    /// The covariance of W'V^-1 r + (1 - reliability) var(W) tr(V^-1) beta, r = y - W beta: the noise is in W and in r.
    ///
    /// sigma^2 W'V^-1 W + tr(V^-2) s s', s = cov(W, r) = -D beta (Fuller 1987, theorem 2.2.1, with V); and what var(W)
    /// being estimated takes away again, for normal covariates.
    fn meat(&self, state: &State, t: &[f64], beta: &[f64], sigma2: f64) -> Mat<f64> {
        let p = self.n_terms();
        let at = |values: &[f64], k: usize| values.get(k).copied().unwrap_or(0.0);
        let trace = |share: f64| self.state(&t.iter().map(|t| t * share).collect::<Vec<_>>()).trace;
        let squares = state.trace + (trace(1.0 + 1e-4) - trace(1.0 - 1e-4)) / 2e-4;
        let s = |k: usize| -at(&self.noise, k) * at(beta, k);
        let covariance = |i: usize, j: usize| self.gram[(i, j)] / self.n_obs;
        let weight = state.trace * state.trace / self.n_obs;
        // Of the estimated correction of term i with that of j, and with the score of j.
        let both = |i: usize, j: usize| {
            let share = |k: usize| at(&self.noise, k) / covariance(k, k).max(f64::MIN_POSITIVE) * at(beta, k);
            2.0 * share(i) * share(j) * covariance(i, j).powi(2)
        };
        let cross = |i: usize, j: usize| {
            let share = at(&self.noise, i) / covariance(i, i).max(f64::MIN_POSITIVE) * at(beta, i);
            2.0 * share * covariance(i, j) * s(i)
        };
        Mat::from_fn(p, p, |i, j| {
            sigma2 * state.m[(i, j)] + squares * s(i) * s(j) + weight * (both(i, j) + cross(i, j) + cross(j, i))
        })
    }
}
