//! The search: coefficients for the variances, variances for the coefficients.

use super::model::Model;
use crate::mixed::minimise::{Limits, minimise};
use crate::{Error, Result};

const LIMITS: Limits = Limits { longest_step: 1.0, difference: 1e-5, smallest_decrease: 1e-9 };
/// Rounds of coefficients and variances in turn.
const MOST_ROUNDS: usize = 100;
/// Where the search of a standard deviation ratio begins.
const FIRST_THETA: f64 = 0.3;

/// The end of a search.
pub(super) struct Found {
    pub(super) theta: Vec<f64>,
    pub(super) beta: Vec<f64>,
    pub(super) deviance: f64,
    pub(super) gradient: f64,
    pub(super) has_converged: bool,
}

/// A search on its way.
pub(super) struct Search<'a> {
    pub(super) model: &'a Model,
    pub(super) reliability: &'a [(&'a str, f64)],
    pub(super) progress: &'a (dyn Fn(usize, usize) -> Result<()> + Sync),
    pub(super) n_evaluations: usize,
    pub(super) stopped: Option<Error>,
}

impl Search<'_> {
    /// Coefficients for the variances, variances for the coefficients, in turn until neither moves.
    pub(super) fn run(&mut self) -> Result<Found> {
        let model = self.model;
        let mut theta: Vec<f64> = model.is_fixed.iter().map(|f| if *f { 0.0 } else { FIRST_THETA }).collect();
        let free: Vec<usize> = (0..theta.len()).filter(|l| !model.is_fixed.get(*l).copied().unwrap_or(true)).collect();
        let failed = || Error::Numerical { what: "the fit".into(), problem: "the criterion cannot be computed".into() };
        let mut found = None;
        for _ in 0..MOST_ROUNDS {
            let state = model.state(&theta.iter().map(|t| t * t).collect::<Vec<_>>());
            let (beta, v) = model.beta(&state).ok_or_else(|| model.too_noisy(&state, self.reliability))?;
            let start: Vec<f64> = free.iter().map(|&l| theta.get(l).copied().unwrap_or(0.0)).collect();
            let minimum = {
                let whole = theta.clone();
                let mut f = |x: &[f64]| {
                    self.may_proceed()?;
                    let mut theta = whole.clone();
                    for (&l, x) in free.iter().zip(x) {
                        if let Some(cell) = theta.get_mut(l) {
                            *cell = *x;
                        }
                    }
                    let (value, slopes) = model.criterion(&theta, &v)?;
                    Some((value, free.iter().filter_map(|&l| slopes.get(l).copied()).collect()))
                };
                minimise(&mut f, &start, None, LIMITS)
            };
            let minimum = minimum.ok_or_else(|| self.stopped.take().unwrap_or_else(failed))?;
            let moved = minimum.x.iter().zip(&start).fold(0.0_f64, |m, (a, b)| m.max((a.abs() - b.abs()).abs()));
            for (&l, x) in free.iter().zip(&minimum.x) {
                if let Some(cell) = theta.get_mut(l) {
                    *cell = x.abs();
                }
            }
            let is_done = moved < 1e-9;
            found = Some(Found {
                theta: theta.clone(),
                beta: (0..model.n_terms()).map(|k| beta[(k, 0)]).collect(),
                deviance: minimum.value,
                gradient: minimum.gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs())),
                has_converged: is_done && minimum.has_converged,
            });
            if is_done {
                break;
            }
        }
        found.ok_or_else(failed)
    }

    fn may_proceed(&mut self) -> Option<()> {
        if self.stopped.is_some() {
            return None;
        }
        match (self.progress)(self.n_evaluations, 0) {
            Ok(()) => {
                self.n_evaluations += 1;
                Some(())
            }
            Err(error) => {
                self.stopped = Some(error);
                None
            }
        }
    }
}
